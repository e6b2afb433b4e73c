/* monitor.c: flow monitors: connections that are told how flows change.
 *
 * A transaction notes what it does to rules (monitor_note); when it has been published, every connection that has a
 * monitor for it is told. A peer that does not read must not cost memory without bound: above SEND_HIGH it is told that
 * updates pause, and but for removals nothing is sent until it has read. Then it is told of each rule that has come or
 * changed since: rules keep the version at which they did. Removals of rules that it has never heard of are left out; too
 * many others end the connection. */
#include "ofproto/session.h"
#include "openflow/monitor.h"
#include "base/mem.h"

enum { MAX_MONITORS = 256 /* of a connection */ };

struct monitor {
    struct cds_list_head node;
    struct flow_monitor m;
};

struct event {
    struct rule *rule, *old; /* old: what it replaces, or NULL */
    const struct ofconn *by; /* compared only */
    uint32_t xid;
    uint8_t what; /* enum flow_update_event */
};

void monitor_note(struct ofproto *o, unsigned what, struct rule *r, struct rule *old)
{
    struct event e = {r, old, o->actor, o->actor_xid, (uint8_t)what};
    if (o->n_monitors)
        buf_put(&o->txn.events, &e, sizeof e);
}

/* --- What a connection wants to know --- */

static bool covers(const struct match *general, const struct rule *r)
{
    struct match m;
    cls_rule_match(&r->cls, &m);
    const uint64_t *gv = (const uint64_t *)&general->value, *gm = (const uint64_t *)&general->mask;
    const uint64_t *sv = (const uint64_t *)&m.value, *sm = (const uint64_t *)&m.mask;
    for (size_t i = 0; i < sizeof m.value / sizeof *gv; i++)
        if (gm[i] & ~sm[i] || (gv[i] ^ sv[i]) & gm[i])
            return false;
    return true;
}

static bool concerns(const struct flow_monitor *m, const struct rule *r, const struct rule *old)
{
    return (m->table == OFPTT_ALL || m->table == r->table) &&
           (rule_outputs_to(r, m->out_port, m->out_group) || (old && rule_outputs_to(old, m->out_port, m->out_group))) &&
           covers(&m->match, r);
}

/* The flags of all monitors that want to be told of it; 0: none. */
static unsigned wanted(const struct ofconn *c, const struct event *e)
{
    static const uint16_t flag[] = {[OFPFME_INITIAL] = OFPFMF_INITIAL, [OFPFME_ADDED] = OFPFMF_ADD,
                                    [OFPFME_REMOVED] = OFPFMF_REMOVED, [OFPFME_MODIFIED] = OFPFMF_MODIFY};
    unsigned flags = 0;
    struct monitor *m;
    cds_list_for_each_entry(m, &c->monitors.list, node)
        if (m->m.flags & flag[e->what] && !(m->m.flags & OFPFMF_ONLY_OWN && e->by != c) && concerns(&m->m, e->rule, e->old))
            flags |= m->m.flags;
    return flags;
}

static void put_update(const struct rule *r, unsigned what, unsigned flags, struct ofp_parts *parts)
{
    struct flow_update u = {.event = (uint8_t)what,
                            .table = r->table,
                            .reason = what == OFPFME_REMOVED ? r->reason : 0,
                            .priority = r->cls.priority,
                            .idle_timeout = r->idle_timeout,
                            .hard_timeout = r->hard_timeout,
                            .cookie = r->cookie};
    cls_rule_match(&r->cls, &u.match);
    if (flags & OFPFMF_INSTRUCTIONS) {
        u.acts = r->acts->list;
        u.acts_len = r->acts->len;
    }
    flow_update_encode(&u, parts);
}

/* --- Pauses --- */

static void say(struct ofconn *c, enum flow_update_event what)
{
    struct buf b = BUF_INIT;
    if (c->version >= OFP14) {
        struct ofp_parts parts;
        ofp_parts_begin(&parts, &b, c->version, OFPMSG_FLOW_MONITOR_REPLY, 0);
        flow_update_encode(&(struct flow_update){.event = (uint8_t)what}, &parts);
        ofp_parts_end(&parts);
    } else {
        ofp_simple_encode(what == OFPFME_PAUSED ? OFPMSG_FLOW_MONITOR_PAUSED : OFPMSG_FLOW_MONITOR_RESUMED, c->version, 0, &b);
    }
    ofconn_send(c, &b);
}

static void pause_updates(struct ofconn *c)
{
    c->monitors.paused = true;
    c->monitors.paused_at = c->o->version; /* this one is not told any more */
    c->monitors.paused_since = clock_msec();
    say(c, OFPFME_PAUSED);
}

/* It was there, as far as the peer knows. */
static bool known(const struct ofconn *c, const struct rule *r)
{
    return r->cls.add < c->monitors.paused_at || r->created < c->monitors.paused_since;
}

struct resume {
    struct ofconn *c;
    struct ofp_parts parts;
    struct buf b;
};

static void tell_changed(struct rule *r, void *r_)
{
    struct resume *to = r_;
    if (r->cls.add < to->c->monitors.paused_at)
        return;
    struct event e = {.rule = r, .what = known(to->c, r) ? OFPFME_MODIFIED : OFPFME_ADDED};
    unsigned flags = wanted(to->c, &e);
    if (flags)
        put_update(r, e.what, flags, &to->parts);
}

static void resume_updates(struct ofconn *c)
{
    struct flow_stats_request all = {.table = OFPTT_ALL, .out_port = OFPP_ANY, .out_group = OFPG_ANY};
    struct resume to = {.c = c, .b = BUF_INIT};
    ofp_parts_begin(&to.parts, &to.b, c->version, OFPMSG_FLOW_MONITOR_REPLY, 0);
    size_t empty = to.b.len;
    tables_select(c->o, &all, tell_changed, &to);
    ofp_parts_end(&to.parts);
    if (to.b.len > empty)
        ofconn_send(c, &to.b);
    buf_free(&to.b);
    c->monitors.paused = false;
    say(c, OFPFME_RESUMED);
}

void monitors_run(struct ofconn *c)
{
    if (c->monitors.paused && !c->dead && ofconn_backlog(c) < SEND_HIGH / 2)
        resume_updates(c);
}

/* --- Telling --- */

static void tell_event(struct ofconn *c, const struct event *e, struct ofp_parts *parts, uint32_t *abbreviated)
{
    unsigned flags = wanted(c, e);
    bool own = e->by == c;
    if (!flags || (c->monitors.paused && (e->what != OFPFME_REMOVED || !known(c, e->rule))))
        return;
    if (!own || flags & OFPFMF_NO_ABBREV) {
        put_update(e->rule, e->what, flags, parts);
    } else if (*abbreviated != e->xid || !parts->out->len) { /* once for all that the message did */
        struct flow_update u = {.event = OFPFME_ABBREV, .xid = e->xid};
        flow_update_encode(&u, parts);
        *abbreviated = e->xid;
    }
}

static void tell(struct ofconn *c, const struct buf *events)
{
    struct buf b = BUF_INIT;
    struct ofp_parts parts;
    uint32_t abbreviated = 0;
    if (c->dead || cds_list_empty(&c->monitors.list))
        return;
    if (dump_is_on(c)) /* what it tells of was before this */
        dump_run(c, SIZE_MAX);
    if (!c->monitors.paused && ofconn_backlog(c) > SEND_HIGH)
        pause_updates(c);
    ofp_parts_begin(&parts, &b, c->version, OFPMSG_FLOW_MONITOR_REPLY, 0);
    size_t empty = b.len;
    for (size_t at = 0; at < events->len; at += sizeof(struct event)) {
        struct event e;
        memcpy(&e, events->data + at, sizeof e);
        tell_event(c, &e, &parts, &abbreviated);
    }
    ofp_parts_end(&parts);
    if (b.len > empty)
        ofconn_send(c, &b);
    buf_free(&b);
    if (ofconn_backlog(c) > EVENTS_HIGH)
        ofconn_hang_up(c, "the peer monitors flows and does not read what has become of them");
}

void monitors_tell(struct ofproto *o, const struct buf *events)
{
    struct ofconn *c;
    cds_list_for_each_entry(c, &o->conns, node)
        tell(c, events);
}

/* --- Requests --- */

static struct monitor *find(struct ofconn *c, uint32_t id)
{
    struct monitor *m;
    cds_list_for_each_entry(m, &c->monitors.list, node)
        if (m->m.id == id)
            return m;
    return NULL;
}

static void forget(struct ofconn *c, struct monitor *m)
{
    cds_list_del(&m->node);
    c->monitors.n--;
    c->o->n_monitors--;
    free(m);
}

void monitors_close(struct ofconn *c)
{
    struct monitor *m, *next;
    cds_list_for_each_entry_safe(m, next, &c->monitors.list, node)
        forget(c, m);
}

static enum ofp_error check(struct ofconn *c, const struct flow_monitor *m)
{
    struct monitor *old = find(c, m->id);
    if (m->command == OFPFMC_ADD ? old != NULL : !old)
        return m->command == OFPFMC_ADD ? OFPERR_MOFC_MONITOR_EXISTS : OFPERR_MOFC_UNKNOWN_MONITOR;
    if (m->command == OFPFMC_DELETE)
        return OFPERR_OK;
    if (m->table >= N_TABLES && m->table != OFPTT_ALL)
        return OFPERR_BRC_BAD_TABLE_ID;
    return m->command == OFPFMC_ADD && c->monitors.n >= MAX_MONITORS ? OFPERR_BRC_EPERM : OFPERR_OK;
}

/* ovs-ofctl -O OpenFlow14 says ONLY_OWN when it means "my own, too, and whole". Taken literally, that would be a monitor that
 * is told of nothing but its own xids, which nobody can want. */
static uint16_t meant(uint16_t flags)
{
    bool ovs = flags & OFPFMF_ONLY_OWN && !(flags & OFPFMF_NO_ABBREV);
    return ovs ? (uint16_t)((flags & ~OFPFMF_ONLY_OWN) | OFPFMF_NO_ABBREV) : flags;
}

static void apply(struct ofconn *c, const struct flow_monitor *m)
{
    struct monitor *old = find(c, m->id);
    if (old)
        forget(c, old);
    if (m->command == OFPFMC_DELETE)
        return;
    struct monitor *new = xzalloc(sizeof *new);
    new->m = *m;
    new->m.flags = meant(m->flags);
    cds_list_add_tail(&new->node, &c->monitors.list);
    c->monitors.n++;
    c->o->n_monitors++;
}

static unsigned wants_initial(const struct ofconn *c, const struct rule *r, const struct flow_monitor *m, size_t n)
{
    unsigned flags = 0;
    (void)c;
    for (size_t i = 0; i < n; i++)
        if (m[i].flags & OFPFMF_INITIAL && m[i].command != OFPFMC_DELETE && concerns(&m[i], r, NULL))
            flags |= m[i].flags;
    return flags;
}

struct initial {
    struct ofconn *c;
    const struct flow_monitor *m;
    size_t n;
    bool acts;
};

static void choose_initial(struct rule *r, void *i_)
{
    struct initial *i = i_;
    unsigned flags = wants_initial(i->c, r, i->m, i->n);
    i->acts |= flags & OFPFMF_INSTRUCTIONS;
    if (flags)
        dump_add(i->c, r);
}

static void put_initial(struct ofconn *c, struct rule *r)
{
    put_update(r, OFPFME_INITIAL, c->dump.acts ? OFPFMF_INSTRUCTIONS : 0, &c->dump.parts);
}

enum ofp_error handle_flow_monitor(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct flow_monitor one, *m = NULL;
    struct initial initial = {.c = c};
    struct flow_stats_request all = {.table = OFPTT_ALL, .out_port = OFPP_ANY, .out_group = OFPG_ANY};
    size_t n = 0;
    enum ofp_error e = OFPERR_OK;
    while (rd_left(&body) && !e) { /* all of them or none */
        e = flow_monitor_decode(c->version, &body, &one);
        if (!e)
            e = check(c, &one);
        for (size_t i = 0; i < n && !e; i++)
            if (m[i].id == one.id)
                e = OFPERR_MOFC_MONITOR_EXISTS;
        if (!e && n == MAX_MONITORS)
            e = OFPERR_BRC_EPERM;
        if (!e) {
            m = xrealloc(m, (n + 1) * sizeof *m);
            m[n++] = one;
        }
    }
    for (size_t i = 0; i < n && !e; i++)
        apply(c, &m[i]);
    if (!e) {
        initial.m = m;
        initial.n = n;
        tables_select(c->o, &all, choose_initial, &initial);
        c->dump.acts = initial.acts;
        dump_start(c, OFPMSG_FLOW_MONITOR_REPLY, h->xid, now, put_initial);
    }
    free(m);
    return e;
}

enum ofp_error handle_flow_monitor_cancel(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    uint32_t id;
    (void)h, (void)now;
    enum ofp_error e = flow_monitor_cancel_decode(c->version, body, &id);
    struct monitor *m = e ? NULL : find(c, id);
    if (m)
        forget(c, m);
    return e || m ? e : OFPERR_MOFC_UNKNOWN_MONITOR;
}
