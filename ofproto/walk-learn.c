/* walk-learn.c: learn and fin_timeout. Neither changes anything here: what is to be done goes to main as a request. All that a
 * learned flow is made of was read through the view, so it is the same for every packet of the path: if the flow is there
 * already, packets only count into it, which keeps it alive; if not, each asks for it until main has added it. */
#include "ofproto/walk.h"

/* --- The flow that the packet makes --- */

static struct punt_learn_flow *flow_of(struct buf *request) { return (struct punt_learn_flow *)request->data; }

static void add_match(struct punt_learn_flow *f, const struct learn_spec *s, const union field_value *number)
{
    enum field_id id = s->to.field;
    union field_value value, mask, ones;
    if (id == FIELD_IN_PORT) { /* sixteen bits of it are OpenFlow 1.0's number */
        uint64_t port = field_value_u64(number);
        field_value_set_u64(&value, s->n_bits == 16 && port >= 0xff00 ? port | 0xffff0000 : port);
        match_set(&f->match, id, &value, NULL);
        return;
    }
    match_get(&f->match, id, &value, &mask);
    for (unsigned i = 0; i < s->n_bits; i++) {
        unsigned to = s->to.ofs + i;
        uint8_t bit = (uint8_t)(1u << to % 8), *b = &value.b[15 - to / 8];
        *b = number->b[15 - i / 8] >> i % 8 & 1 ? *b | bit : *b & (uint8_t)~bit;
        mask.b[15 - to / 8] |= bit;
    }
    field_all_ones(id, &ones); /* nw_tos: not the ECN bits */
    for (int i = 0; i < 2; i++) {
        value.w[i] &= ones.w[i];
        mask.w[i] &= ones.w[i];
    }
    match_set(&f->match, id, &value, &mask);
}

/* Of more than 64 bits several loads. */
static void add_load(struct buf *acts, const struct learn_spec *s, const union field_value *number)
{
    for (unsigned done = 0; done < s->n_bits; done += 64) {
        struct subfield part = {.n_bits = (uint8_t)MIN(s->n_bits - done, 64u), .ofs = (uint8_t)done};
        uint64_t n = subfield_get(&part, number);
        struct act_set_field *a = act_append(acts, ACT_REG_LOAD, sizeof *a);
        a->field = s->to.field;
        a->ofs = (uint8_t)(s->to.ofs + done);
        a->n_bits = part.n_bits;
        part.ofs = a->ofs;
        subfield_set(&part, &a->value, &a->mask, n);
    }
}

static void add_output(struct buf *acts, const union field_value *number)
{
    uint64_t port = field_value_u64(number);
    struct act_output *a = act_append(acts, ACT_OUTPUT, sizeof *a);
    a->a.n = (uint32_t)(port >= 0xff00 && port <= 0xffff ? port | 0xffff0000 : port);
}

static bool can_leave_by(const union field_value *number)
{
    uint64_t port = field_value_u64(number);
    if (port >= 0xff00 && port <= 0xffff)
        port |= 0xffff0000;
    return port && (port <= OFPP_MAX || port == OFPP_IN_PORT || port == OFPP_FLOOD || port == OFPP_ALL || port == OFPP_LOCAL);
}

/* False: the packet does not have what would be learned. */
static bool make_flow(struct walk *w, const struct act_learn *l, struct buf *request, struct buf *acts)
{
    if (l->fin_idle_timeout || l->fin_hard_timeout) {
        struct act_fin_timeout *fin = act_append(acts, ACT_FIN_TIMEOUT, sizeof *fin);
        fin->idle_timeout = l->fin_idle_timeout;
        fin->hard_timeout = l->fin_hard_timeout;
    }
    for (unsigned i = 0; i < l->n_specs; i++) {
        const struct learn_spec *s = &l->specs[i];
        union field_value number = s->value;
        if (s->src == LEARN_FROM_FIELD && !walk_get_subfield(w, &s->from, &number))
            return false;
        if (s->dst == LEARN_TO_MATCH)
            add_match(flow_of(request), s, &number);
        else if (s->dst == LEARN_TO_LOAD)
            add_load(acts, s, &number);
        else if (can_leave_by(&number))
            add_output(acts, &number);
    }
    return true;
}

static void begin_flow(struct walk *w, const struct act_learn *l, struct buf *request)
{
    struct punt_learn_flow *f = buf_extend(request, sizeof *f);
    memset(f, 0, sizeof *f);
    f->epoch = __atomic_load_n(&w->o->learning_gen.n, __ATOMIC_ACQUIRE);
    f->cookie = l->cookie;
    f->limit = l->a.n;
    f->priority = l->priority;
    f->idle_timeout = l->idle_timeout;
    f->hard_timeout = l->hard_timeout;
    f->flags = l->flags & LEARN_SEND_FLOW_REM ? OFPFF_SEND_FLOW_REM : 0;
    f->table = l->table;
}

/* --- learn --- */

static void note_flow(struct walk *w, const char *what, const struct punt_learn_flow *f)
{
    struct buf b = BUF_INIT;
    if (!w->s->listener)
        return;
    buf_printf(&b, "table=%u, priority=%u", f->table, f->priority);
    size_t before = b.len;
    buf_puts(&b, ",");
    match_format(&f->match, NULL, &b);
    if (b.len == before + 1)
        b.len = before;
    buf_puts(&b, " actions=");
    acts_format(f->acts, f->acts_len, NULL, &b);
    walk_note(w, "%s: %s", what, buf_text(&b));
    buf_free(&b);
}

/* Has the rule that learns been deleted meanwhile? Read behind learning_gen, which changes after that. */
static bool is_gone(struct walk *w)
{
    cls_version_t now = __atomic_load_n(&w->o->version, __ATOMIC_ACQUIRE);
    return w->rule && __atomic_load_n(&w->rule->cls.remove, __ATOMIC_RELAXED) <= now;
}

/* True: the flow is there, or will be. */
static bool learn(struct walk *w, const struct punt_learn_flow *f, size_t len)
{
    struct ofproto *o = w->o;
    struct rule *r = rule_of(classifier_find_shared(&o->tables[f->table].cls, &f->match, f->priority, w->version));
    if (r && learned_already(r, f)) {
        note_flow(w, "learned already", f);
        dp_path_tally(w->s->path, rule_learn_tally(r));
        return true;
    }
    if (!r && f->limit && learning_flows(o, f->table, f->cookie) >= f->limit) {
        note_flow(w, "not learned, for there are as many flows as the limit says", f);
        return false;
    }
    if (is_gone(w)) {
        w->s->path->uncacheable = true;
        return false;
    }
    note_flow(w, r ? "learns anew" : "learns", f);
    emit_request(w, PUNT_LEARN_FLOW, f, len);
    return true;
}

void act_learn(struct walk *w, const struct act *a)
{
    const struct act_learn *l = (const void *)a;
    struct buf request = BUF_INIT, acts = BUF_INIT;
    union field_value result;
    bool there = false;
    dp_path_dep(w->s->path, &w->o->learning_gen);
    dp_path_dep(w->s->path, &w->o->tables[l->table].gen);
    begin_flow(w, l, &request);
    if (make_flow(w, l, &request, &acts)) {
        flow_of(&request)->acts_len = (uint32_t)acts.len;
        if (acts.len)
            buf_put(&request, acts.data, acts.len);
        there = learn(w, flow_of(&request), request.len);
    }
    buf_free(&request);
    buf_free(&acts);
    if (l->flags & LEARN_WRITE_RESULT) {
        field_value_set_u64(&result, there);
        walk_put_subfield(w, &l->result, &result);
    }
}

/* --- fin_timeout --- */

static bool shortens(const uint16_t *timeout, uint16_t to)
{
    uint16_t now = __atomic_load_n(timeout, __ATOMIC_RELAXED);
    return to && (!now || now > to);
}

void act_fin_timeout(struct walk *w, const struct act *a)
{
    enum { TCP_FIN = 1, TCP_RST = 4 };
    const struct act_fin_timeout *f = (const void *)a;
    struct rule *r = w->rule;
    union field_value mask, flags;
    field_value_set_u64(&mask, TCP_FIN | TCP_RST);
    if (!r || !walk_has_field(w, FIELD_TCP_FLAGS) ||
        (!shortens(&r->idle_timeout, f->idle_timeout) && !shortens(&r->hard_timeout, f->hard_timeout)))
        return;
    view_field_get(w->v, FIELD_TCP_FLAGS, &mask, &flags);
    if (!field_value_u64(&flags))
        return;
    struct punt_fin fin;
    memset(&fin, 0, sizeof fin);
    cls_rule_match(&r->cls, &fin.match);
    fin.priority = r->cls.priority;
    fin.table = r->table;
    fin.idle_timeout = f->idle_timeout;
    fin.hard_timeout = f->hard_timeout;
    walk_note(w, "the connection ends: the flow's timeouts are shortened");
    emit_request(w, PUNT_FIN, &fin, sizeof fin);
}
