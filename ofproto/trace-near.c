/* trace-near.c: which rules a packet nearly matched, and what was missing. */
#include "ofproto/trace.h"

/* --- One rule --- */

struct differ {
    const struct flow_key *key;
    struct trace_miss *miss;
};

static void differ_field(enum field_id f, const union field_value *value, const union field_value *mask, void *aux)
{
    struct differ *d = aux;
    union field_value is;
    field_get(f, d->key, &is);
    if (!(((is.w[0] ^ value->w[0]) & mask->w[0]) | ((is.w[1] ^ value->w[1]) & mask->w[1])))
        return;
    if (!d->miss->n_fields++)
        d->miss->field = f;
}

static void compare(struct rule *r, const struct flow_key *key, struct trace_miss *miss)
{
    struct match m;
    *miss = (struct trace_miss){.rule = r};
    cls_rule_match(&r->cls, &m);
    match_for_each(&m, differ_field, &(struct differ){key, miss});
}

/* --- All rules of a table --- */

struct search {
    const struct flow_key *key;
    struct trace_miss *near;
    size_t n;
};

static bool nearer(const struct trace_miss *a, const struct trace_miss *b)
{
    return a->n_fields != b->n_fields ? a->n_fields < b->n_fields : a->rule->cls.priority > b->rule->cls.priority;
}

static bool consider(struct cls_rule *r, void *aux)
{
    struct search *s = aux;
    struct trace_miss miss;
    compare(rule_of(r), s->key, &miss);
    size_t at = s->n;
    while (at && nearer(&miss, &s->near[at - 1]))
        at--;
    if (at == TRACE_NEAREST)
        return true;
    s->n = MIN(s->n + 1, (size_t)TRACE_NEAREST);
    memmove(&s->near[at + 1], &s->near[at], (s->n - at - 1) * sizeof miss);
    s->near[at] = miss;
    return true;
}

size_t trace_nearest(const struct ofproto *o, uint8_t table, const struct flow_key *key,
                     struct trace_miss near[TRACE_NEAREST])
{
    struct search s = {key, near, 0};
    classifier_for_each(&o->tables[table].cls, NULL, o->version, consider, &s);
    return s.n;
}

struct wanted {
    const struct flow_key *key;
    const struct rule *than;
    struct rule *found;
};

static bool wants_tun_id(struct cls_rule *cls, void *aux)
{
    struct wanted *w = aux;
    struct trace_miss miss;
    if (w->than && cls->priority <= w->than->cls.priority)
        return true;
    compare(rule_of(cls), w->key, &miss);
    if (miss.n_fields != 1 || miss.field != FIELD_TUN_ID)
        return true;
    w->found = rule_of(cls);
    return false;
}

struct rule *trace_wanted_tun_id(const struct ofproto *o, uint8_t table, const struct flow_key *key,
                                 const struct rule *than)
{
    struct wanted w = {key, than, NULL};
    classifier_for_each(&o->tables[table].cls, NULL, o->version, wants_tun_id, &w);
    return w.found;
}

void trace_put_miss(const struct trace_miss *miss, const struct flow_key *key, struct buf *out)
{
    struct match rule, has;
    union field_value value, mask;
    cls_rule_match(&miss->rule->cls, &rule);
    match_get(&rule, miss->field, &value, &mask);
    field_get(miss->field, key, &value);
    memset(&has, 0, sizeof has);
    match_set(&has, miss->field, &value, &mask);
    buf_puts(out, "the packet has ");
    match_format(&has, NULL, out);
    if (miss->n_fields > 1)
        buf_printf(out, ", and %u more field%s differ%s", miss->n_fields - 1, miss->n_fields > 2 ? "s" : "",
                   miss->n_fields > 2 ? "" : "s");
}
