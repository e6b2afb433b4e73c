#include <stdio.h>
#include "config.h"
#include "ofproto/group.h"
#include "ofproto/session.h"

/* --- The switch --- */

enum ofp_error handle_desc(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct buf b = BUF_INIT;
    struct ofp_desc d = {.manufacturer = "xvs", .hardware = "userspace switch", .software = PACKAGE_VERSION, .serial = "None"};
    (void)body, (void)now;
    snprintf(d.datapath, sizeof d.datapath, "%s", *c->o->config.dp_desc ? c->o->config.dp_desc : c->o->name);
    if (*c->o->config.serial)
        snprintf(d.serial, sizeof d.serial, "%s", c->o->config.serial);
    desc_encode(&d, c->version, h->xid, &b);
    ofconn_send(c, &b);
    return OFPERR_OK;
}

/* A reply of parts, begun; entries follow. */
struct reply {
    struct ofp_parts parts;
    struct buf b;
    struct ofconn *c;
    msec_t now;
};

static void reply_begin(struct reply *r, struct ofconn *c, enum ofp_msg_type type, uint32_t xid, msec_t now)
{
    r->b = BUF_INIT;
    r->c = c;
    r->now = now;
    ofp_parts_begin(&r->parts, &r->b, c->version, type, xid);
}

static void reply_end(struct reply *r)
{
    ofp_parts_end(&r->parts);
    ofconn_send(r->c, &r->b);
}

/* --- Flows and tables --- */

static enum ofp_error decode_flow_request(uint8_t version, struct rd body, struct flow_stats_request *q)
{
    enum ofp_error e = flow_stats_request_decode(version, body, q);
    return !e && q->table >= N_TABLES && q->table != OFPTT_ALL ? OFPERR_BRC_BAD_TABLE_ID : e;
}

enum ofp_error handle_flow_stats(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct flow_stats_request q;
    enum ofp_error e = decode_flow_request(c->version, body, &q);
    if (e)
        return e;
    ofproto_settle(c->o, true);
    dump_begin(c, OFPMSG_FLOW_STATS_REPLY, &q, h->xid, now);
    return OFPERR_OK;
}

static enum ofp_error check_table(const struct flow_stats_request *q)
{
    return q->table >= N_TABLES && q->table != OFPTT_ALL ? OFPERR_BRC_BAD_TABLE_ID : OFPERR_OK;
}

enum ofp_error handle_nx_flow_stats(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct flow_stats_request q;
    enum ofp_error e = nx_flow_stats_request_decode(c->version, body, &q);
    if (!e)
        e = check_table(&q);
    if (e)
        return e;
    ofproto_settle(c->o, true);
    dump_begin(c, OFPMSG_NX_FLOW_STATS_REPLY, &q, h->xid, now);
    return OFPERR_OK;
}

struct aggregate {
    struct aggregate_stats sum;
    struct ofproto *o;
    bool packets_known, bytes_known;
};

static void add_flow(struct rule *rule, void *a_)
{
    struct aggregate *a = a_;
    struct flow_stats fs;
    rule_fill_stats(a->o, rule, 0, &fs);
    a->sum.flows++;
    a->sum.packets += rule->flags & OFPFF_NO_PKT_COUNTS ? 0 : fs.packets;
    a->sum.bytes += rule->flags & OFPFF_NO_BYT_COUNTS ? 0 : fs.bytes;
    a->packets_known |= !(rule->flags & OFPFF_NO_PKT_COUNTS);
    a->bytes_known |= !(rule->flags & OFPFF_NO_BYT_COUNTS);
}

static void reply_aggregate(struct ofconn *c, enum ofp_msg_type type, const struct flow_stats_request *q, uint32_t xid)
{
    struct buf b = BUF_INIT;
    struct aggregate a = {.o = c->o};
    ofproto_settle(c->o, true);
    tables_select(c->o, q, add_flow, &a);
    if (a.sum.flows && !a.packets_known) /* not one of them counts */
        a.sum.packets = UINT64_MAX;
    if (a.sum.flows && !a.bytes_known)
        a.sum.bytes = UINT64_MAX;
    aggregate_stats_encode(&a.sum, type, c->version, xid, &b);
    ofconn_send(c, &b);
}

enum ofp_error handle_aggregate(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct flow_stats_request q;
    (void)now;
    enum ofp_error e = decode_flow_request(c->version, body, &q);
    if (!e)
        reply_aggregate(c, OFPMSG_AGGREGATE_REPLY, &q, h->xid);
    return e;
}

enum ofp_error handle_nx_aggregate(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct flow_stats_request q;
    (void)now;
    enum ofp_error e = nx_flow_stats_request_decode(c->version, body, &q);
    if (!e)
        e = check_table(&q);
    if (!e)
        reply_aggregate(c, OFPMSG_NX_AGGREGATE_REPLY, &q, h->xid);
    return e;
}

enum ofp_error handle_table_stats(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct ofproto *o = c->o;
    struct reply r;
    (void)body;
    ofproto_settle(o, true);
    reply_begin(&r, c, OFPMSG_TABLE_STATS_REPLY, h->xid, now);
    for (unsigned t = 0; t < N_TABLES; t++) {
        uint64_t matched, missed, bytes;
        msec_t used;
        dp_tally_read(o->dp, o->tables[t].matched, &matched, &bytes, &used);
        dp_tally_read(o->dp, o->tables[t].missed, &missed, &bytes, &used);
        enum { ALL_WILDCARDS = (1 << 22) - 1, MAX_ENTRIES = 1000000 }; /* 1.0's */
        struct ofp_table_stats s = {.table = t,
                                    .wildcards = ALL_WILDCARDS,
                                    .max_entries = MAX_ENTRIES,
                                    .active = o->tables[t].cls.n_rules,
                                    .lookups = matched + missed,
                                    .matched = matched};
        table_stats_encode(&s, c->version, &r.b);
        ofp_parts_entry_end(&r.parts);
    }
    reply_end(&r);
    return OFPERR_OK;
}

enum ofp_error handle_table_features(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct reply r;
    if (rd_left(&body)) /* it would configure the tables */
        return c->role == OFPCR_SLAVE ? OFPERR_BRC_IS_SLAVE : OFPERR_TFFC_EPERM;
    reply_begin(&r, c, OFPMSG_TABLE_FEATURES_REPLY, h->xid, now);
    for (unsigned t = 0; t < N_TABLES; t++) {
        struct ofp_table_features f = {.table = t,
                                       .acts = walk_executes(),
                                       .n_tables = N_TABLES,
                                       .metadata_match = UINT64_MAX,
                                       .metadata_write = UINT64_MAX,
                                       .max_entries = 1000000};
        table_features_encode(&f, c->version, &r.b);
        ofp_parts_entry_end(&r.parts);
    }
    reply_end(&r);
    return OFPERR_OK;
}

/* 1.4, 7.3.5.15: no table evicts flows or tells of vacancy, so there is nothing in it. */
enum ofp_error handle_table_desc(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct reply r;
    (void)body;
    reply_begin(&r, c, OFPMSG_TABLE_DESC_REPLY, h->xid, now);
    for (unsigned t = 0; t < N_TABLES; t++) {
        struct ofp_table_desc d = {.table = t};
        table_desc_encode(&d, c->version, &r.b);
        ofp_parts_entry_end(&r.parts);
    }
    reply_end(&r);
    return OFPERR_OK;
}

/* --- Ports --- */

static void put_port_stats(struct ofport *p, void *r_)
{
    struct reply *r = r_;
    struct ofp_port_stats s;
    ofport_get_stats(p, &s, r->now);
    port_stats_encode(&s, r->c->version, &r->b);
    ofp_parts_entry_end(&r->parts);
}

enum ofp_error handle_port_stats(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct reply r;
    struct ofport *p = NULL;
    uint32_t number;
    enum ofp_error e = port_stats_request_decode(c->version, body, &number);
    if (e)
        return e;
    if (number != OFPP_ANY && !(p = ofport_lookup(c->o, number)))
        return OFPERR_BRC_BAD_PORT;
    ofproto_settle(c->o, true);
    reply_begin(&r, c, OFPMSG_PORT_STATS_REPLY, h->xid, now);
    if (p)
        put_port_stats(p, &r);
    else
        ofport_for_each(c->o, put_port_stats, &r);
    reply_end(&r);
    return OFPERR_OK;
}

static void put_port_desc(struct ofport *p, void *r_)
{
    struct reply *r = r_;
    port_desc_encode(&p->desc, r->c->version, &r->b);
    ofp_parts_entry_end(&r->parts);
}

enum ofp_error handle_port_desc(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct reply r;
    (void)body;
    reply_begin(&r, c, OFPMSG_PORT_DESC_REPLY, h->xid, now);
    ofport_for_each(c->o, put_port_desc, &r);
    reply_end(&r);
    return OFPERR_OK;
}

/* --- Groups --- */

static void put_group_stats(const struct group *g, void *r_)
{
    struct reply *r = r_;
    group_put_stats(r->c->o, g, r->now, r->c->version, &r->parts);
}

/* OpenFlow 1.3.5 has no error for statistics of a group that does not exist; an empty reply says it. */
enum ofp_error handle_group_stats(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct reply r;
    uint32_t id;
    enum ofp_error e = group_stats_request_decode(h->version, body, &id);
    if (e)
        return e;
    const struct group *g = group_find(c->o, id);
    ofproto_settle(c->o, true);
    reply_begin(&r, c, OFPMSG_GROUP_STATS_REPLY, h->xid, now);
    if (g)
        put_group_stats(g, &r);
    else if (id == OFPG_ALL)
        groups_for_each(c->o, put_group_stats, &r);
    reply_end(&r);
    return OFPERR_OK;
}

static void put_group_desc(const struct group *g, void *r_)
{
    struct reply *r = r_;
    group_put_desc(g, r->c->version, &r->parts);
}

enum ofp_error handle_group_desc(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct reply r;
    uint32_t id;
    enum ofp_error e = group_desc_request_decode(h->version, body, &id);
    if (e)
        return e;
    const struct group *g = group_find(c->o, id);
    reply_begin(&r, c, OFPMSG_GROUP_DESC_REPLY, h->xid, now);
    if (g)
        put_group_desc(g, &r);
    else if (id == OFPG_ALL)
        groups_for_each(c->o, put_group_desc, &r);
    reply_end(&r);
    return OFPERR_OK;
}

/* OpenFlow's own actions that walks execute in action sets. */
static uint32_t bucket_actions(void)
{
    uint32_t bits = 0;
    struct act_set executed = walk_executes();
    for (unsigned i = 0; i < INST_METER; i++)
        if (!act_rows[i].experimenter && act_rows[i].wire < 32 && act_set_has(&executed, i))
            bits |= UINT32_C(1) << act_rows[i].wire;
    return bits;
}

enum ofp_error handle_group_features(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct buf b = BUF_INIT;
    struct group_features f = {.types = (1u << N_GROUP_TYPES) - 1,
                               .capabilities = OFPGFC_SELECT_WEIGHT | OFPGFC_SELECT_LIVENESS | OFPGFC_CHAINING |
                                               OFPGFC_CHAINING_CHECKS};
    (void)body, (void)now;
    for (unsigned i = 0; i < N_GROUP_TYPES; i++) {
        f.max_groups[i] = MAX_GROUPS;
        f.actions[i] = c->version == OFP10 ? 0xfff /* all there are in 1.0 */ : bucket_actions();
    }
    group_features_encode(&f, c->version, h->xid, &b);
    ofconn_send(c, &b);
    return OFPERR_OK;
}
