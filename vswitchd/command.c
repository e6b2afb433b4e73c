/* command.c: a request of commands: first the changes, as one transaction, then the questions. */
#include "vswitchd/command.h"
#include "base/log.h"
#include "base/mem.h"

LOG_MODULE(command);

static bool (*const handlers[N_CTL_COMMANDS])(struct command *) = {
#define COMMAND(id, ...) cmd_##id,
#include "ctl/command.def"
#undef COMMAND
};

static bool run_one(struct command *c, const struct ctl_words *w, bool changes)
{
    int id = ctl_find((const char *const *)w->argv, w->argc, c->d);
    assert(id >= 0); /* the request was checked */
    if (ctl_commands[id].changes != changes)
        return true;
    c->words = w;
    c->args = (const char *const *)w->argv + 1;
    c->n_args = w->argc - 1;
    return handlers[id](c);
}

static bool any_change(const struct ctl_request *r)
{
    for (size_t i = 0; i < r->n; i++)
        if (ctl_commands[ctl_find((const char *const *)r->commands[i].argv, r->commands[i].argc, NULL)].changes)
            return true;
    return false;
}

void commands_run(struct sw *sw, const struct ctl_request *r, struct buf *reply)
{
    struct diag d = DIAG_INIT;
    struct command c = {.sw = sw, .json = r->json, .d = &d};
    struct buf err = BUF_INIT;
    const struct ctl_words *at = NULL;
    bool ok = true;
    if (any_change(r)) {
        c.next = config_copy(sw->desired);
        for (size_t i = 0; ok && i < r->n; i++)
            ok = run_one(&c, at = &r->commands[i], true);
        if (ok) {
            at = r->n == 1 ? at : NULL; /* of a chain, it is not known whose fault it is */
            ok = switch_apply(sw, c.next, &d);
        }
        if (!ok)
            config_free(c.next);
        c.next = NULL;
    }
    for (size_t i = 0; ok && i < r->n; i++)
        ok = run_one(&c, at = &r->commands[i], false);
    for (const char *p = buf_text(&d.warnings); *p; p += strcspn(p, "\n") + 1)
        buf_printf(&err, "xvs-ctl: warning: %.*s\n", (int)strcspn(p, "\n"), p);
    if (!ok) {
        buf_printf(&err, "xvs-ctl: %s%s%s\n", at ? at->argv[0] : "", at ? ": " : "", buf_text(&d.message));
        log_info("refused: %s", buf_text(&d.message));
    }
    ctl_reply_format(ok ? c.status : 1, ok ? buf_text(&c.out) : "", buf_text(&err), reply);
    buf_free(&err);
    buf_free(&c.out);
    diag_free(&d);
}
