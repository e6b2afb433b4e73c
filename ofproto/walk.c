/* walk.c: the pipeline: ports, tables, instructions, action sets. */
#include "ofproto/walk.h"

#include <stdarg.h>

void walk_note(struct walk *w, const char *format, ...)
{
    struct walk_listener *l = w->s->listener;
    if (!l || !l->note)
        return;
    struct buf b = BUF_INIT;
    va_list args;
    va_start(args, format);
    buf_vprintf(&b, format, args);
    va_end(args);
    l->note(l, buf_text(&b));
    buf_free(&b);
}

void walk_drop(struct walk *w, enum drop_reason reason)
{
    struct walk_listener *l = w->s->listener;
    if (!w->s->drop)
        w->s->drop = reason;
    if (l && l->drop)
        l->drop(l, reason);
}

/* A bound was hit: nothing of what was collected is done, so that a loop does not send thousands of copies. */
void walk_stop(struct walk *w, enum drop_reason reason)
{
    struct walk_shared *s = w->s;
    if (s->stop)
        return;
    s->stop = true;
    s->drop = DROP_NONE;
    s->path->uncacheable = true;
    walk_drop(w, reason);
}

bool walk_step(struct walk *w)
{
    if (++w->s->work > WALK_MAX_WORK)
        walk_stop(w, DROP_WALK_WORK);
    return !w->s->stop;
}

bool walk_deeper(struct walk *w)
{
    struct walk_listener *l = w->s->listener;
    if (w->s->depth >= WALK_MAX_DEPTH)
        walk_stop(w, DROP_WALK_DEPTH);
    if (w->s->stop)
        return false;
    w->s->depth++;
    if (l && l->enter)
        l->enter(l);
    return true;
}

void walk_shallower(struct walk *w)
{
    struct walk_listener *l = w->s->listener;
    w->s->depth--;
    if (l && l->leave)
        l->leave(l);
}

void walk_acts(struct walk *w, const void *acts, size_t len)
{
    struct walk_listener *l = w->s->listener;
    ACT_FOR_EACH (a, acts, len) {
        if (w->exited || !walk_step(w))
            return;
        if (l && l->act)
            l->act(l, a);
        walk_act(w, a);
    }
}

/* OpenFlow 1.3.5, 5.4: "If a packet does not match a flow entry in a flow table, this is a table miss. [...] If the
 * table-miss flow entry does not exist, by default packets unmatched by flow entries are dropped". */
static void walk_miss(struct walk *w, uint8_t table)
{
    w->rule = NULL;
    dp_path_dep(w->s->path, &w->o->settings_gen);
    if (table == 0 && __atomic_load_n(&w->o->fallback_normal, __ATOMIC_RELAXED)) {
        walk_note(w, "no rule matched and no controller decides (fail_mode=standalone): NORMAL");
        walk_normal(w);
        return;
    }
    w->n_set = 0;
    if (__atomic_load_n(&w->o->miss_to_controllers, __ATOMIC_RELAXED) && walk_miss_to_controllers(w))
        return;
    walk_drop(w, DROP_NO_RULE);
}

static struct rule *walk_lookup(struct walk *w, uint8_t table_id)
{
    struct table *t = &w->o->tables[table_id];
    struct walk_listener *l = w->s->listener;
    struct dp_path *path = w->s->path;
    dp_path_dep(path, &t->gen);
    /* Tables that change together change at one version; a packet that met the old one in an earlier table stays with
     * it, but is the last. */
    if (__atomic_load_n(&w->o->version, __ATOMIC_ACQUIRE) != w->version)
        path->uncacheable = true;
    struct rule *r = unlikely(__atomic_load_n(&t->cls.n_soft, __ATOMIC_RELAXED)) ? walk_lookup_conjunctions(w, &t->cls)
                                                                            : rule_of(classifier_lookup(&t->cls, w->v, w->version));
    struct dp_tally *tally = r ? t->matched : t->missed;
    if (tally)
        dp_path_tally(path, tally);
    if (r && r->tally)
        dp_path_tally(path, r->tally);
    if (l && l->table)
        l->table(l, w->o, table_id, r, w->v);
    return r;
}

static void walk_rule(struct walk *w, struct rule *r, uint8_t table)
{
    const struct rule_acts *acts = r->acts;
    w->rule = r;
    w->table = table;
    w->go_to = -1;
    if (acts->len)
        walk_acts(w, acts->list, acts->len);
    else if (!w->n_set && !w->s->sent)
        walk_drop(w, DROP_ACTION);
}

/* Nicira: resubmit replaces in_port for its lookup alone. OFPP_IN_PORT: it does not. */
static struct rule *walk_lookup_as(struct walk *w, uint8_t table, uint32_t in_port)
{
    struct flow_view *v = w->v;
    be32 key = v->key.meta.in_port, written = v->written.meta.in_port;
    if (in_port == OFPP_IN_PORT)
        return walk_lookup(w, table);
    view_set(v, meta.in_port, htonl(in_port));
    struct rule *r = walk_lookup(w, table);
    v->key.meta.in_port = key;
    v->written.meta.in_port = written;
    return r;
}

/* The pipeline's own way, or that of a resubmit: there a miss does nothing. */
static void walk_from(struct walk *w, uint8_t table, bool resubmit, uint32_t in_port)
{
    struct rule *caller = w->rule;
    uint8_t caller_table = w->table;
    int next = table;
    while (next >= 0 && walk_step(w)) {
        table = (uint8_t)next;
        w->table = table;
        struct rule *r = table < N_TABLES ? walk_lookup_as(w, table, in_port) : NULL;
        in_port = OFPP_IN_PORT;
        if (!r) {
            if (!resubmit)
                walk_miss(w, table);
            else if (!w->s->drop)
                w->s->drop = DROP_NO_RULE;
            break;
        }
        walk_rule(w, r, table);
        next = w->exited ? -1 : w->go_to;
    }
    w->go_to = -1;
    w->rule = caller;
    if (resubmit) /* else the action set comes next, and belongs to the table that was last */
        w->table = caller_table;
}

void walk_tables(struct walk *w, uint8_t table) { walk_from(w, table, false, OFPP_IN_PORT); }

void walk_resubmit(struct walk *w, uint8_t table, uint32_t in_port)
{
    if (walk_deeper(w)) {
        walk_from(w, table, true, in_port);
        walk_shallower(w);
    }
}

/* What ends an action set: of these the one that comes first in its order is executed, and no other. */
static bool ends_set(const struct act *a)
{
    return a->type == ACT_GROUP || a->type == ACT_OUTPUT || a->type == ACT_CONTROLLER || a->type == ACT_CONTROLLER2 || a->type == ACT_RESUBMIT ||
           a->type == ACT_RESUBMIT_TABLE;
}

/* OpenFlow 1.3.5, 5.10: "The actions in an action set are applied in the order specified below, regardless of the order
 * in which they were added to the set. [...] The output action in the action set is executed last. If both an output
 * action and a group action are specified in an action set, the output action is ignored and the group action takes
 * precedence. If no output action and no group action were specified in an action set, the packet is dropped."
 * Our reading of set actions that touch one field twice: the one written last, at its place. */
static void execute_acts(struct walk *w, const struct act *const set[], unsigned n)
{
    enum { RANKS = 32 };
    struct walk_listener *l = w->s->listener;
    unsigned last = RANKS;
    for (unsigned i = 0; i < n; i++)
        if (ends_set(set[i]))
            last = MIN(last, walk_set_rank(set[i]));
    for (unsigned rank = 1; rank < RANKS; rank++) {
        for (unsigned i = 0; i < n && !w->exited; i++) {
            const struct act *a = set[i];
            if (walk_set_rank(a) != rank || (ends_set(a) && rank != last))
                continue;
            if (!walk_step(w))
                return;
            if (l && l->act)
                l->act(l, a);
            walk_act(w, a);
        }
    }
    if (last == RANKS && !w->s->sent)
        walk_drop(w, DROP_ACTION);
}

/* A resubmit in a group's bucket may leave a set again, of the copy that the bucket has. */
void walk_execute_set(struct walk *w)
{
    const struct act *set[WALK_SET_SIZE];
    unsigned n;
    do {
        n = w->n_set;
        memcpy(set, w->set, n * sizeof set[0]);
        w->n_set = 0;
        w->exited = false;
        execute_acts(w, set, n);
    } while (w->n_set && !w->s->stop);
}

static void walk_action_set(struct walk *w)
{
    if (!w->n_set)
        return;
    walk_note(w, "action set:");
    w->in_set = true;
    walk_execute_set(w);
    w->in_set = false;
}

static void walk_init(struct walk *w, struct walk_shared *s, struct ofproto *o, struct flow_view *v)
{
    memset(w, 0, offsetof(struct walk, set));
    w->s = s;
    w->o = o;
    w->v = v;
    w->go_to = -1;
    dp_path_dep(s->path, &o->settings_gen); /* before the version, so that what follows notices a change in between */
    w->version = __atomic_load_n(&o->version, __ATOMIC_ACQUIRE);
    if (s->listener && s->listener->bridge)
        s->listener->bridge(s->listener, o, v);
    walk_note_set(w);
}

/* May this port's packets come in? */
static bool walk_receive(struct walk *w)
{
    struct ofproto *o = w->o;
    if ((__atomic_load_n(&o->frag_mode, __ATOMIC_RELAXED) & OFPC_FRAG_MASK) == OFPC_FRAG_DROP &&
        walk_has(w, P_IP) && view_get(w->v, ip.frag)) {
        walk_drop(w, DROP_FRAGMENT);
        return false;
    }
    dp_path_dep(w->s->path, &o->ports_gen);
    struct ofport *p = ofport_lookup(o, ntohl(view_get(w->v, meta.in_port)));
    if (!p)
        return true; /* trace may ask for any; packets of a port that goes away are few */
    dp_path_dep(w->s->path, &p->gen);
    if (__atomic_load_n(&p->config, __ATOMIC_RELAXED) & (OFPPC_PORT_DOWN | OFPPC_NO_RECV)) {
        walk_drop(w, DROP_PORT_CONFIG);
        return false;
    }
    return true;
}

void walk_bridge(struct walk *w)
{
    if (!walk_receive(w))
        return;
    walk_tables(w, 0);
    walk_action_set(w);
}

static void walk_begin(struct walk_shared *s, struct dp_path *path, struct walk_listener *l, struct flow_view *v,
                       const struct flow_key *key)
{
    *s = (struct walk_shared){.path = path, .listener = l, .last_clone = SIZE_MAX, .last_push = SIZE_MAX};
    view_init(v, key);
    /* packet/parse.h: these start at zero for every packet, so paths need not be told apart by them. */
    view_wrote(v, offsetof(struct flow_key, meta.metadata), KEY_SIZE(meta.metadata));
    view_wrote(v, offsetof(struct flow_key, meta.pkt_mark), KEY_SIZE(meta.pkt_mark));
    view_wrote(v, offsetof(struct flow_key, meta.conj_id), KEY_SIZE(meta.conj_id));
    view_wrote(v, offsetof(struct flow_key, tun.marks), KEY_SIZE(tun.marks)); /* GRE has no such flags */
    view_wrote(v, offsetof(struct flow_key, reg), KEY_SIZE(reg));
}

static void walk_end(struct walk *w)
{
    buf_free(&w->stack);
    emit_end(w->s);
    w->s->path->consulted = w->v->consulted;
}

void walk_packet(struct ofproto *o, const struct flow_key *key, struct dp_path *path, struct walk_listener *l)
{
    struct walk_shared s;
    struct flow_view v;
    struct walk w;
    walk_begin(&s, path, l, &v, key);
    walk_init(&w, &s, o, &v);
    walk_bridge(&w);
    walk_end(&w);
}

void walk_actions(struct ofproto *o, const struct flow_key *key, const void *acts, size_t len, struct dp_path *path,
                  struct walk_listener *l)
{
    struct walk_shared s;
    struct flow_view v;
    struct walk w;
    walk_begin(&s, path, l, &v, key);
    walk_init(&w, &s, o, &v);
    w.packet_out = true;
    if (!len)
        walk_drop(&w, DROP_ACTION);
    walk_acts(&w, acts, len);
    walk_action_set(&w);
    walk_end(&w);
}

void walk_output(struct ofproto *o, struct dp_port *port, const struct flow_key *key, struct dp_path *path,
                 struct walk_listener *l)
{
    struct walk_shared s;
    struct flow_view v;
    struct walk w;
    walk_begin(&s, path, l, &v, key);
    walk_init(&w, &s, o, &v);
    walk_output_port(&w, dp_port_aux(port));
    walk_end(&w);
}

void walk_into_bridge(struct walk *from, struct ofproto *o, struct flow_view *outer)
{
    struct walk w;
    if (!walk_deeper(from))
        return;
    outer->key.meta.in_port = outer->key.meta.in_phy_port = htonl(OFPP_LOCAL);
    memset(&outer->written, 0xff, sizeof outer->written);
    walk_init(&w, from->s, o, outer);
    w.queue = from->queue;
    walk_bridge(&w);
    buf_free(&w.stack);
    walk_shallower(from);
}
