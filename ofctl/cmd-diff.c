/* Flows compared: diff-flows; and made equal: replace-flows. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/mem.h"
#include "ofctl/batch.h"
#include "ofctl/flow-set.h"

/* --- diff-flows --- */

/* The manual of ovs-ofctl: "If a name begins with / or ., then it is considered to be a file name. A name that contains : is
 * considered to be a switch. Otherwise, it is a file if a file by that name exists, a switch if not." */
static bool is_file(const char *name)
{
    return *name == '/' || *name == '.' || !strcmp(name, "-") || (!strchr(name, ':') && !access(name, F_OK));
}

/* `names`: a switch whose ports may be named in a file, or NULL. */
static void read_source(struct flow_set *s, const char *name, struct conn *c, struct conn *names)
{
    if (c)
        flow_set_read_switch(s, c);
    else
        flow_set_read_file(s, names, name);
}

struct difference {
    char sign;
    const struct flow_entry *e;
};

/* By table, priority from high to low, then as they came; what is gone before what is new. */
static int compare(const void *a_, const void *b_)
{
    const struct difference *a = a_, *b = b_;
    if (a->e->table != b->e->table)
        return a->e->table - b->e->table;
    if (a->e->priority != b->e->priority)
        return b->e->priority - a->e->priority;
    if (a->e->match_len != b->e->match_len)
        return a->e->match_len < b->e->match_len ? -1 : 1;
    int order = memcmp(a->e->bytes, b->e->bytes, a->e->match_len);
    return order ? order : (a->sign == '+') - (b->sign == '+');
}

/* What of `a` is not in `b`, or not so. */
static size_t collect(const struct flow_set *a, const struct flow_set *b, char sign, struct difference *d)
{
    size_t n = 0;
    for (size_t i = 0; i < a->n; i++) {
        const struct flow_entry *other = flow_set_find(b, a->list[i]);
        if (!other || !flow_entry_same(a->list[i], other))
            d[n++] = (struct difference){sign, a->list[i]};
    }
    return n;
}

static void print_differences(const struct difference *d, size_t n, const struct port_names *names)
{
    struct buf out = BUF_INIT, text = BUF_INIT;
    struct json j = {&out, true};
    json_open(&j, NULL, '{');
    json_open(&j, "differences", '[');
    for (size_t i = 0; i < n; i++) {
        buf_clear(&text);
        flow_entry_format(d[i].e, names, &text);
        if (!options.json) {
            const char *on = !options.color ? "" : d[i].sign == '+' ? "\033[32m" : "\033[31m";
            printf("%s%c%s%s\n", on, d[i].sign, buf_text(&text), *on ? "\033[m" : "");
            continue;
        }
        json_open(&j, NULL, '{');
        json_string(&j, "change", (char[]){d[i].sign, '\0'});
        json_string(&j, "flow", buf_text(&text));
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_close(&j, '}');
    if (options.json)
        puts(buf_text(&out));
    buf_free(&out);
    buf_free(&text);
}

void cmd_diff_flows(struct conn *none UNUSED, int argc UNUSED, char *argv[])
{
    enum { DIFFERENT = 2 };
    struct flow_set a = {0}, b = {0};
    struct conn *from = is_file(argv[0]) ? NULL : conn_open(argv[0]), *to = is_file(argv[1]) ? NULL : conn_open(argv[1]);
    struct conn *names = from ? from : to;
    read_source(&a, argv[0], from, names);
    read_source(&b, argv[1], to, names);
    struct difference *d = xcalloc(a.n + b.n + 1, sizeof *d);
    size_t n = collect(&a, &b, '-', d);
    n += collect(&b, &a, '+', d + n);
    qsort(d, n, sizeof *d, compare);
    print_differences(d, n, ports_for_print(names));
    free(d);
    flow_set_free(&a);
    flow_set_free(&b);
    conn_close(from);
    conn_close(to);
    fflush(stdout);
    if (n)
        exit(DIFFERENT);
}

/* --- replace-flows --- */

static void add_entry(struct conn *c, struct batch *b, const struct flow_entry *e, enum ofp_flow_mod_command command)
{
    struct flow_mod m;
    flow_entry_mod(e, command, &m);
    size_t at = b->messages.len;
    flow_batch_encode(c, &m, &b->messages);
    batch_added(b, NULL, 0, command, at);
    flow_mod_free(&m);
}

void cmd_replace_flows(struct conn *c, int argc UNUSED, char *argv[])
{
    struct flow_set want = {0}, have = {0};
    struct batch b = BATCH_INIT(&flow_batch);
    flow_set_read_file(&want, c, argv[0]);
    flow_set_read_switch(&have, c);
    /* First what is new, then what goes: no packet in between finds less than before or after. */
    for (size_t i = 0; i < want.n; i++) {
        const struct flow_entry *e = flow_set_find(&have, want.list[i]);
        if (options.readd || !e || !flow_entry_same(want.list[i], e))
            add_entry(c, &b, want.list[i], OFPFC_ADD);
    }
    for (size_t i = 0; i < have.n; i++)
        if (!flow_set_find(&want, have.list[i]))
            add_entry(c, &b, have.list[i], OFPFC_DELETE_STRICT);
    batch_send(c, &b);
    batch_free(&b);
    flow_set_free(&want);
    flow_set_free(&have);
}
