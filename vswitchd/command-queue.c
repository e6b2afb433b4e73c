/* command-queue.c: set-queue, del-queue: rows of a port's column `queues`. */
#include "base/mem.h"
#include "vswitchd/command.h"
#include "vswitchd/queue-config.h"

static struct record *find_port(struct command *c)
{
    const char *name = c->args[0];
    struct record *r = config_find_port(c->next, name);
    if (!r)
        r = config_find(c->next, name); /* its LOCAL port */
    if (!r)
        diag_fail(c->d, 0, 0, "no port '%s'", name);
    return r;
}

static const struct column *queues_of(const struct record *r) { return column_find(r->table, "queues", 6, NULL); }

/* What is not said of a queue that is there stays as it is. */
bool cmd_set_queue(struct command *c)
{
    struct record *r = find_port(c);
    struct dp_queue_config q = {0};
    struct buf words = BUF_INIT, value = BUF_INIT;
    if (!r || !parse_queue_id(c->args[1], &q.id, c->d))
        return false;
    char *key = xasprintf("%u", q.id);
    const char *before = config_get(r, "queues", key);
    if (before)
        parse_queue(before, &q, c->d);
    for (size_t i = 2; i < c->n_args; i++)
        buf_printf(&words, "%s ", c->args[i]);
    bool ok = parse_queue(buf_text(&words), &q, c->d);
    if (ok) {
        format_queue(&q, &value);
        ok = config_set(r, queues_of(r), key, buf_text(&value), c->d);
    }
    free(key);
    buf_free(&words);
    buf_free(&value);
    return ok;
}

bool cmd_del_queue(struct command *c)
{
    struct record *r = find_port(c);
    if (!r)
        return false;
    if (c->n_args == 2 && !config_get(r, "queues", c->args[1]))
        return c->words->if_exists || diag_fail(c->d, 0, 0, "port %s has no queue %s", r->name, c->args[1]);
    config_unset(r, queues_of(r), c->n_args == 2 ? c->args[1] : NULL);
    return true;
}
