#include "ctl/ctl.h"
#include <libfyaml.h>
#include "base/mem.h"

const struct ctl_command ctl_commands[N_CTL_COMMANDS] = {
#define ANY CTL_ANY
#define COMMAND(id, name, options, args, min, max, changes, help) {name, options, args, help, min, max, changes},
#include "ctl/command.def"
#undef COMMAND
#undef ANY
};

const char *xvs_rundir(void)
{
    const char *dir = getenv("XVS_RUNDIR");
    return dir && *dir ? dir : "/run/xvs";
}

void ctl_usage(int id, struct buf *out)
{
    const struct ctl_command *c = &ctl_commands[id];
    buf_printf(out, "%s%s%s%s%s%s", *c->options ? "[" : "", c->options, *c->options ? "] " : "", c->name,
               *c->args ? " " : "", c->args);
}

int ctl_find(const char *const *argv, size_t argc, struct diag *d)
{
    const char *names[N_CTL_COMMANDS], *near;
    for (int i = 0; i < N_CTL_COMMANDS; i++) {
        const struct ctl_command *c = &ctl_commands[i];
        names[i] = c->name;
        if (strcmp(c->name, argv[0]))
            continue;
        if (argc - 1 >= c->min && (c->max == CTL_ANY || argc - 1 <= c->max))
            return i;
        struct buf usage = BUF_INIT;
        ctl_usage(i, &usage);
        diag_fail(d, 0, 0, "%s: %s arguments; usage: xvs-ctl %s", c->name, argc - 1 < c->min ? "too few" : "too many",
                  buf_text(&usage));
        buf_free(&usage);
        return -1;
    }
    near = nearest_name(argv[0], strlen(argv[0]), names, N_CTL_COMMANDS);
    diag_fail(d, 0, 0, near ? "no command '%s'; did you mean '%s'?" : "no command '%s'; 'xvs-ctl --help' lists them",
              argv[0], near);
    return -1;
}

void ctl_request_free(struct ctl_request *r)
{
    for (size_t i = 0; i < r->n; i++) {
        for (size_t j = 0; j < r->commands[i].argc; j++)
            free(r->commands[i].argv[j]);
        free(r->commands[i].argv);
    }
    free(r->commands);
    *r = (struct ctl_request){0};
}

static void on_complaint(struct fy_diag *diag UNUSED, void *user, const char *text, size_t len)
{
    struct buf *complaint = user;
    if (complaint && !complaint->len)
        buf_put(complaint, text, len);
}

struct fy_document *fy_parse_quietly(const char *text, size_t len, bool json, struct buf *complaint)
{
    struct fy_diag_cfg dc;
    struct fy_document *doc = NULL;
    fy_diag_cfg_default(&dc);
    dc = (struct fy_diag_cfg){.output_fn = on_complaint, .user = complaint, .level = FYET_ERROR, .module_mask = dc.module_mask};
    dc.show_position = !json;
    struct fy_diag *diag = fy_diag_create(&dc);
    struct fy_parse_cfg cfg = {.flags = json ? FYPCF_JSON_FORCE : FYPCF_JSON_NONE, .diag = diag};
    doc = fy_document_build_from_string(&cfg, text, len);
    fy_diag_destroy(diag);
    return doc;
}

static struct fy_document *parse_json(const char *line, size_t len) { return fy_parse_quietly(line, len, true, NULL); }

static bool take_words(struct ctl_words *w, struct fy_node *list, struct diag *d)
{
    int n = fy_node_sequence_item_count(list);
    w->argv = xcalloc(n + 1, sizeof *w->argv);
    for (int i = 0; i < n; i++) {
        size_t len;
        const char *s = fy_node_get_scalar(fy_node_sequence_get_by_index(list, i), &len);
        if (!s || memchr(s, 0, len))
            return diag_fail(d, 0, 0, "a word of a command is no string");
        if (len == 11 && !memcmp(s, "--may-exist", len))
            w->may_exist = true;
        else if (len == 11 && !memcmp(s, "--if-exists", len))
            w->if_exists = true;
        else {
            char *word = w->argv[w->argc++] = xzalloc(len + 1);
            memcpy(word, s, len);
        }
    }
    if (!w->argc)
        return diag_fail(d, 0, 0, "a command is missing between '--'");
    int id = ctl_find((const char *const *)w->argv, w->argc, d);
    if (id < 0)
        return false;
    const char *options = ctl_commands[id].options;
    if ((w->may_exist && !strstr(options, "may-exist")) || (w->if_exists && !strstr(options, "if-exists")))
        return diag_fail(d, 0, 0, "%s: takes no %s", w->argv[0], w->may_exist ? "--may-exist" : "--if-exists");
    return true;
}

bool ctl_request_parse(const char *line, size_t len, struct ctl_request *r, struct diag *d)
{
    *r = (struct ctl_request){0};
    struct fy_document *doc = parse_json(line, len);
    struct fy_node *root = doc ? fy_document_root(doc) : NULL;
    struct fy_node *list = root && fy_node_is_mapping(root) ? fy_node_mapping_lookup_by_string(root, "commands", FY_NT) : NULL;
    bool ok = list && fy_node_is_sequence(list) && fy_node_sequence_item_count(list) > 0;
    if (!ok)
        diag_fail(d, 0, 0, "a request is a JSON object {\"commands\": [[\"show\"]], \"format\": \"text\"} on one line");
    else {
        struct fy_node *format = fy_node_mapping_lookup_by_string(root, "format", FY_NT);
        const char *f = format ? fy_node_get_scalar0(format) : NULL;
        r->json = f && !strcmp(f, "json");
        int n = fy_node_sequence_item_count(list);
        r->commands = xcalloc(n, sizeof *r->commands);
        for (int i = 0; ok && i < n; i++) {
            struct fy_node *words = fy_node_sequence_get_by_index(list, i);
            r->n = i + 1;
            ok = fy_node_is_sequence(words) ? take_words(&r->commands[i], words, d)
                                            : diag_fail(d, 0, 0, "a command is no list of words");
        }
    }
    fy_document_destroy(doc);
    return ok;
}

/* YAML's escapes are a superset of JSON's, so what is quoted here is read back by either. Bytes that are not UTF-8
 * become '?': JSON has no way to write them. */
void json_quote(const char *text, struct buf *out)
{
    buf_puts(out, "\"");
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        int n = *p < 0x80 ? 1 : (*p & 0xe0) == 0xc0 ? 2 : (*p & 0xf0) == 0xe0 ? 3 : (*p & 0xf8) == 0xf0 ? 4 : 0;
        bool good = n > 0 && *p != 0xc0 && *p != 0xc1;
        for (int i = 1; good && i < n; i++)
            good = (p[i] & 0xc0) == 0x80;
        if (!good) {
            buf_puts(out, "?");
            p++;
        } else if (n > 1) {
            buf_put(out, p, n);
            p += n;
        } else {
            if (*p == '"' || *p == '\\')
                buf_printf(out, "\\%c", *p);
            else if (*p == '\n')
                buf_puts(out, "\\n");
            else if (*p < 0x20 || *p == 0x7f)
                buf_printf(out, "\\u%04x", *p);
            else
                buf_put(out, p, 1);
            p++;
        }
    }
    buf_puts(out, "\"");
}

void ctl_request_format(const char *const *argv, size_t argc, bool json, struct buf *out)
{
    buf_puts(out, "{\"commands\": [[");
    const char *comma = "";
    for (size_t i = 0; i < argc; i++) {
        if (!strcmp(argv[i], "--")) {
            if (*comma) /* "--" in front of the first command means nothing */
                buf_puts(out, "], [");
            comma = "";
            continue;
        }
        buf_puts(out, comma);
        json_quote(argv[i], out);
        comma = ", ";
    }
    buf_printf(out, "]], \"format\": \"%s\"}\n", json ? "json" : "text");
}

void ctl_reply_free(struct ctl_reply *r)
{
    free(r->out);
    free(r->err);
    *r = (struct ctl_reply){0};
}

bool ctl_reply_parse(const char *line, size_t len, struct ctl_reply *r, struct diag *d)
{
    *r = (struct ctl_reply){0};
    struct fy_document *doc = parse_json(line, len);
    struct fy_node *root = doc ? fy_document_root(doc) : NULL;
    bool ok = root && fy_node_is_mapping(root);
    const char *const names[] = {"status", "out", "err"};
    for (size_t i = 0; ok && i < ARRAY_SIZE(names); i++) {
        size_t n;
        struct fy_node *node = fy_node_mapping_lookup_by_string(root, names[i], FY_NT);
        const char *s = node ? fy_node_get_scalar(node, &n) : NULL;
        ok = s != NULL;
        if (!ok)
            break;
        char *copy = xzalloc(n + 1);
        memcpy(copy, s, n);
        if (i == 0) {
            r->status = atoi(copy);
            free(copy);
        } else
            *(i == 1 ? &r->out : &r->err) = copy;
    }
    fy_document_destroy(doc);
    return ok || diag_fail(d, 0, 0, "the daemon's answer is not understood; is it of another version?");
}

void ctl_reply_format(int status, const char *out, const char *err, struct buf *line)
{
    buf_printf(line, "{\"status\": %d, \"out\": ", status);
    json_quote(out, line);
    buf_puts(line, ", \"err\": ");
    json_quote(err, line);
    buf_puts(line, "}\n");
}
