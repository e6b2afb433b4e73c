/* dump-flows, dump-aggregate. */
#include <stdio.h>
#include <stdlib.h>
#include "base/mem.h"
#include "ofctl/flows.h"

/* Decoded flows, in the switch's order until sorted. */
struct flows {
    struct flow_stats *list;
    struct buf *acts; /* of each, what its acts point into */
    size_t *order;
    size_t n, size;
};

/* What is done with the flows as they come: they need not be kept where they are just printed. */
struct dump {
    struct conn *c;
    struct flows flows;
    struct buf text; /* to be printed */
};

static void keep_flow(const struct flow_stats *s, struct buf *acts, void *dump)
{
    struct flows *f = &((struct dump *)dump)->flows;
    if (f->n == f->size) {
        f->size = f->size ? 2 * f->size : 64;
        f->list = xrealloc(f->list, f->size * sizeof *f->list);
        f->acts = xrealloc(f->acts, f->size * sizeof *f->acts);
    }
    f->list[f->n] = *s;
    f->acts[f->n++] = *acts;
    *acts = BUF_INIT;
}

static void flows_free(struct flows *f)
{
    for (size_t i = 0; i < f->n; i++)
        buf_free(&f->acts[i]);
    free(f->acts);
    free(f->list);
    free(f->order);
}

/* --- Sorting --- */

/* Flows that do not match on the field come last, in either direction. */
static int compare_by(const struct flow_stats *a, const struct flow_stats *b, const struct sort_key *k)
{
    if (k->field < 0)
        return k->reverse ? b->priority - a->priority : a->priority - b->priority;
    bool has_a = match_has(&a->match, k->field), has_b = match_has(&b->match, k->field);
    if (!has_a || !has_b)
        return has_b - has_a;
    union field_value va, vb, mask;
    match_get(&a->match, k->field, &va, &mask);
    match_get(&b->match, k->field, &vb, &mask);
    int order = memcmp(va.b, vb.b, sizeof va.b);
    return k->reverse ? -order : order;
}

static int compare(const void *a_, const void *b_, void *flows_)
{
    const struct flows *f = flows_;
    size_t a = *(const size_t *)a_, b = *(const size_t *)b_;
    for (size_t i = 0; i < options.n_sort; i++) {
        int order = compare_by(&f->list[a], &f->list[b], &options.sort[i]);
        if (order)
            return order;
    }
    return a < b ? -1 : a > b; /* as they came */
}

static void flows_sort(struct flows *f)
{
    f->order = xcalloc(f->n + 1, sizeof *f->order);
    for (size_t i = 0; i < f->n; i++)
        f->order[i] = i;
    if (options.n_sort)
        qsort_r(f->order, f->n, sizeof *f->order, compare, f);
}

/* --- Text --- */

static void flush_text(struct dump *d)
{
    if (d->text.len)
        fwrite(d->text.data, 1, d->text.len, stdout);
    buf_clear(&d->text);
}

static void print_flow(const struct flow_stats *s, struct buf *acts UNUSED, void *dump)
{
    struct dump *d = dump;
    enum { ENOUGH = 1 << 16 };
    buf_puts(&d->text, " ");
    flow_stats_format(s, ports_for_print(d->c), !options.no_stats, &d->text);
    buf_puts(&d->text, "\n");
    if (options.color) {
        print_coloured(buf_text(&d->text));
        buf_clear(&d->text);
    } else if (d->text.len >= ENOUGH)
        flush_text(d);
}

/* --- JSON --- */

struct json_match {
    struct json *j;
    const struct port_names *names;
};

static void json_field(enum field_id f, const union field_value *value, const union field_value *mask, void *aux)
{
    struct json_match *m = aux;
    struct buf text = BUF_INIT;
    field_format(f, value, mask, m->names, &text);
    json_string(m->j, fields[f].name, buf_text(&text));
    buf_free(&text);
}

static void json_actions(struct json *j, const struct flow_stats *s, const struct port_names *names)
{
    json_open(j, "actions", '[');
    ACT_FOR_EACH(a, s->acts, s->acts_len)
    {
        struct buf text = BUF_INIT;
        acts_format(a, a->len, names, &text);
        json_string(j, NULL, buf_text(&text));
        buf_free(&text);
    }
    json_close(j, ']');
}

static void json_flow(struct conn *c, struct json *j, const struct flow_stats *s)
{
    const struct port_names *names = ports_for_print(c);
    struct json_match m = {j, names};
    char text[32];
    struct buf flags = BUF_INIT;
    json_open(j, NULL, '{');
    json_u64(j, "table", s->table);
    json_u64(j, "priority", s->priority);
    snprintf(text, sizeof text, "0x%llx", (unsigned long long)s->cookie);
    json_string(j, "cookie", text);
    if (!options.no_stats) {
        snprintf(text, sizeof text, "%u.%03u", s->duration_sec, s->duration_nsec / 1000000);
        json_raw(j, "duration", text);
        json_u64(j, "n_packets", s->packets);
        json_u64(j, "n_bytes", s->bytes);
    }
    json_u64(j, "idle_timeout", s->idle_timeout);
    json_u64(j, "hard_timeout", s->hard_timeout);
    if (s->importance)
        json_u64(j, "importance", s->importance);
    flow_flags_format(s->flags, &flags);
    json_words(j, "flags", buf_text(&flags));
    buf_free(&flags);
    json_open(j, "match", '{');
    match_for_each(&s->match, json_field, &m);
    json_close(j, '}');
    json_actions(j, s, names);
    json_close(j, '}');
}

static void print_json(struct conn *c, const struct flows *f)
{
    struct buf out = BUF_INIT;
    struct json j = {&out, true};
    json_open(&j, NULL, '{');
    json_open(&j, "flows", '[');
    for (size_t i = 0; i < f->n; i++)
        json_flow(c, &j, &f->list[f->order[i]]);
    json_close(&j, ']');
    json_close(&j, '}');
    puts(buf_text(&out));
    buf_free(&out);
}

/* --- Commands --- */

/* Whoever asks for the flows in a form of his own gets just them. */
static void print_header(const struct reply *r)
{
    struct buf head = BUF_INIT;
    if (options.json || options.n_sort || options.names || options.no_stats)
        return;
    ofp_msg_format_header(r->type, &r->header, &head);
    puts(buf_text(&head));
    buf_free(&head);
}

void cmd_dump_flows(struct conn *c, int argc, char *argv[])
{
    struct flow_stats_request request;
    bool keep = options.json || options.n_sort;
    struct dump d = {.c = c};
    parse_filter(c, argc ? argv[0] : NULL, &request);
    if (ports_for_print(c)) /* asks for the names now: in the midst of the reply it is too late */
        ports_have(c, 0);
    bool complete = flows_request(c, &request, print_header, keep ? keep_flow : print_flow, &d);
    if (keep)
        flows_sort(&d.flows);
    if (options.json)
        print_json(c, &d.flows);
    else
        for (size_t i = 0; i < d.flows.n; i++)
            print_flow(&d.flows.list[d.flows.order[i]], NULL, &d);
    flush_text(&d);
    flows_free(&d.flows);
    buf_free(&d.text);
    if (!complete) {
        fflush(stdout);
        exit(1);
    }
}

void cmd_dump_aggregate(struct conn *c, int argc, char *argv[])
{
    struct flow_stats_request request;
    struct buf b = BUF_INIT;
    struct reply r;
    parse_filter(c, argc ? argv[0] : NULL, &request);
    enum ofp_msg_type reply = flows_request_encode(c, &request, true, &b);
    conn_transact(c, &b, reply, &r);
    if (options.json) {
        struct aggregate_stats s;
        if (aggregate_stats_decode(c->version, reply_rd(&r), &s))
            die("%s: the switch's answer is malformed", c->target);
        printf("{\"n_packets\": %llu, \"n_bytes\": %llu, \"n_flows\": %u}\n", (unsigned long long)s.packets,
               (unsigned long long)s.bytes, s.flows);
    } else {
        reply_print(c, &r);
    }
    reply_free(&r);
    buf_free(&b);
}
