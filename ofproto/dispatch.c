/* dispatch.c: what each message of a session does: one row each, by message type. */
#include "ofproto/session.h"
#include "ofproto/pktbuf.h"
#include "openflow/group.h"
#include "base/log.h"

LOG_MODULE(openflow);

static void reply_simple(struct ofconn *c, enum ofp_msg_type type, uint32_t xid)
{
    struct buf b = BUF_INIT;
    ofp_simple_encode(type, c->version, xid, &b);
    ofconn_send(c, &b);
}

static enum ofp_error ignore(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    (void)c, (void)h, (void)body, (void)now;
    return OFPERR_OK;
}

static enum ofp_error handle_error(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct ofp_error_msg em;
    (void)now;
    if (!error_msg_decode(h->version, body, &em))
        log_info_rl("%s: the peer reports error %u/%u (%s)", c->o->name, em.type, em.code, ofp_error_name(em.error));
    return OFPERR_OK;
}

static enum ofp_error handle_echo(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct buf b = BUF_INIT;
    (void)now;
    ofp_echo_encode(true, c->version, h->xid, body.p, rd_left(&body), &b);
    ofconn_send(c, &b);
    return OFPERR_OK;
}

/* --- The switch --- */

static void put_port(struct ofport *p, void *ports) { port_desc_encode(&p->desc, OFP10, ports); }

/* 1.0, 5.3.1: what all of the tables can do, and the ports. */
static void features_of10(struct ofproto *o, struct ofp_features *f, struct buf *ports)
{
    enum { OUTPUT_TO_ENQUEUE = (1 << 12) - 1 };
    ofport_for_each(o, put_port, ports);
    f->ports = rd_init(ports->data, MIN(ports->len, (OFP_MAX_LEN - 32u) / 48 * 48));
    f->actions = OUTPUT_TO_ENQUEUE;
    f->capabilities &= OFPC_FLOW_STATS | OFPC_TABLE_STATS | OFPC_PORT_STATS | OFPC_IP_REASM | OFPC_QUEUE_STATS;
    f->capabilities |= OFPC_ARP_MATCH_IP;
}

static enum ofp_error handle_features(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct buf b = BUF_INIT, ports = BUF_INIT;
    struct ofp_features f = {
        .datapath_id = ofproto_datapath_id(c->o),
        .n_buffers = N_PKTBUFS,
        .n_tables = N_TABLES,
        .capabilities = OFPC_FLOW_STATS | OFPC_TABLE_STATS | OFPC_PORT_STATS | OFPC_QUEUE_STATS | OFPC_GROUP_STATS,
    };
    (void)body, (void)now;
    if (c->version == OFP10)
        features_of10(c->o, &f, &ports);
    features_encode(&f, c->version, h->xid, &b);
    buf_free(&ports);
    ofconn_send(c, &b);
    return OFPERR_OK;
}

static enum ofp_error handle_get_config(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct buf b = BUF_INIT;
    struct ofp_switch_config sc = {c->o->frag_mode, c->miss_send_len};
    (void)body, (void)now;
    switch_config_encode(&sc, OFPMSG_GET_CONFIG_REPLY, c->version, h->xid, &b);
    ofconn_send(c, &b);
    return OFPERR_OK;
}

static enum ofp_error handle_set_config(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct ofp_switch_config sc;
    (void)h, (void)now;
    enum ofp_error e = switch_config_decode(c->version, body, &sc);
    if (e)
        return e;
    if (c->version == OFP10) { /* as Open vSwitch takes it there */
        bool ttl = sc.flags & OFPC_INVALID_TTL_TO_CONTROLLER;
        sc.flags &= (uint16_t)~OFPC_INVALID_TTL_TO_CONTROLLER;
        c->async.packet_in[0] = (c->async.packet_in[0] & ~(1u << OFPR_INVALID_TTL)) | (uint32_t)ttl << OFPR_INVALID_TTL;
    }
    if (sc.flags != OFPC_FRAG_NORMAL && sc.flags != OFPC_FRAG_DROP)
        return OFPERR_SCFC_BAD_FLAGS; /* reassembly: FEATURES_REPLY does not offer OFPC_IP_REASM */
    c->miss_send_len = sc.miss_send_len;
    misses_refresh(c->o);
    if (c->o->frag_mode != sc.flags) {
        __atomic_store_n(&c->o->frag_mode, sc.flags, __ATOMIC_RELEASE);
        dp_bump(c->o->dp, &c->o->settings_gen);
        c->o->unsettled = true;
    }
    return OFPERR_OK;
}

/* --- This connection --- */

/* OpenFlow 1.3.5, 6.3.6: generation ids are compared as "(int64_t)(GEN_ID_X - cached_generation_id) < 0 => stale", for
 * requests of master and slave. */
static bool is_stale(struct ofproto *o, uint64_t id)
{
    if (o->generation_known && (int64_t)(id - o->generation_id) < 0)
        return true;
    o->generation_id = id;
    o->generation_known = true;
    return false;
}

/* 1.4, 7.4.4: a master is told that it is one no longer. */
static void tell_role(struct ofconn *c, uint8_t reason)
{
    struct buf b = BUF_INIT;
    struct ofp_role_status s = {c->role, reason, c->o->generation_known ? c->o->generation_id : UINT64_MAX};
    if (c->version < OFP14 || !(c->async.role_status[c->role == OFPCR_SLAVE] >> reason & 1))
        return;
    role_status_encode(&s, c->version, &b);
    ofconn_send(c, &b);
}

void session_set_role(struct ofconn *c, uint32_t role)
{
    struct ofconn *other;
    if (role == OFPCR_MASTER) /* "there is only one": the one before becomes a slave */
        cds_list_for_each_entry(other, &c->o->conns, node) {
            if (other != c && other->role == OFPCR_MASTER) {
                other->role = OFPCR_SLAVE;
                tell_role(other, OFPCRR_MASTER_REQUEST);
                if (other->cb.state)
                    other->cb.state(other->aux);
            }
        }
    if (c->role != role) {
        c->role = role;
        misses_refresh(c->o);
        if (c->cb.state)
            c->cb.state(c->aux);
    }
}

static enum ofp_error handle_role(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct buf b = BUF_INIT;
    struct ofp_role_request r;
    (void)now;
    enum ofp_error e = role_decode(c->version, body, &r);
    if (e)
        return e;
    if ((r.role == OFPCR_MASTER || r.role == OFPCR_SLAVE) && is_stale(c->o, r.generation_id))
        return OFPERR_RRFC_STALE;
    if (r.role != OFPCR_NOCHANGE)
        session_set_role(c, r.role);
    r.role = c->role;
    r.generation_id = c->o->generation_known ? c->o->generation_id : UINT64_MAX;
    role_encode(&r, OFPMSG_ROLE_REPLY, c->version, h->xid, &b);
    ofconn_send(c, &b);
    return OFPERR_OK;
}

static enum ofp_error handle_get_async(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct buf b = BUF_INIT;
    (void)body, (void)now;
    struct ofp_async_config a = c->async;
    if (c->version < OFP14) /* whose reasons end with these */
        for (int i = 0; i < 2; i++)
            a.packet_in[i] &= 1 << OFPR_NO_MATCH | 1 << OFPR_ACTION | 1 << OFPR_INVALID_TTL;
    async_encode(&a, OFPMSG_GET_ASYNC_REPLY, c->version, h->xid, &b);
    ofconn_send(c, &b);
    return OFPERR_OK;
}

static enum ofp_error handle_set_async(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct ofp_async_config a = c->async; /* 1.4's message may leave some as they are */
    (void)h, (void)now;
    enum ofp_error e = async_decode(c->version, body, &a);
    if (e)
        return e;
    async_set(c, &a);
    return OFPERR_OK;
}

static enum ofp_error handle_controller_id(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    uint16_t id;
    (void)h, (void)now;
    enum ofp_error e = nx_controller_id_decode(c->version, body, &id);
    if (!e) {
        c->controller_id = id;
        misses_refresh(c->o);
    }
    return e;
}

static void count_tunnels(struct ofport *p, void *n) { *(uint32_t *)n += p->tunnel; }

static enum ofp_error handle_bridge_info(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct buf b = BUF_INIT;
    struct xvs_bridge_info info = {0};
    (void)body, (void)now;
    ofport_for_each(c->o, count_tunnels, &info.n_tunnel_ports);
    xvs_bridge_info_encode(&info, c->version, h->xid, &b);
    ofconn_send(c, &b);
    return OFPERR_OK;
}

/* --- Changes --- */

static enum ofp_error handle_flow_mod(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct flow_mod fm;
    (void)h;
    enum ofp_error e = flow_mod_decode(c->version, body, &fm);
    if (!e)
        e = flow_mod_of10(c, &fm);
    if (!e)
        e = tables_flow_mod(c->o, &fm, now);
    if (!e && flow_mod_releases(&fm))
        packet_release(c->o, fm.buffer_id);
    flow_mod_free(&fm);
    return e;
}

static enum ofp_error handle_packet_out(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct packet_out po;
    (void)h, (void)now;
    enum ofp_error e = packet_out_decode(c->version, body, &po);
    if (!e)
        e = packet_out_execute(c->o, &po);
    buf_free(&po.acts);
    return e;
}

static enum ofp_error handle_port_mod(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct ofp_port_mod pm;
    (void)h, (void)now;
    enum ofp_error e = port_mod_decode(c->version, body, &pm);
    if (!e && c->version != OFP10 && pm.mask & OFPPC_NO_FLOOD) /* 1.0 alone has it */
        e = OFPERR_PMFC_BAD_CONFIG;
    return e ? e : ofport_mod(c->o, &pm);
}

/* OpenFlow 1.3.5, 7.3.4.2: the config bits "are deprecated": taken, and they do nothing. */
static enum ofp_error handle_table_mod(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    uint8_t table;
    uint32_t config;
    (void)c, (void)h, (void)now;
    enum ofp_error e = table_mod_decode(c->version, body, &table, &config);
    if (e)
        return e;
    if (table >= N_TABLES && table != OFPTT_ALL)
        return OFPERR_TMFC_BAD_TABLE;
    return config & ~3u ? OFPERR_TMFC_BAD_CONFIG : OFPERR_OK;
}

static enum ofp_error handle_group_mod(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct group_mod gm;
    enum ofp_error e = group_mod_decode(h->version, body, &gm);
    if (!e)
        e = group_mod_check(c->o, &gm);
    if (!e)
        group_mod_apply(c->o, &gm, now);
    group_desc_free(&gm.group);
    return e;
}

/* OpenFlow 1.3.5, 6.2: "the switch must finish processing all previously-received messages, including sending
 * corresponding reply or error messages, before executing any messages beyond the Barrier Request". Ours: no packet
 * received after the reply meets the old rules. */
static enum ofp_error handle_barrier(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    (void)body, (void)now;
    ofproto_settle(c->o, false);
    reply_simple(c, OFPMSG_BARRIER_REPLY, h->xid);
    return OFPERR_OK;
}

/* --- The table --- */

static const struct {
    handler_fn *fn;
    bool changes; /* refused to a slave: OpenFlow 1.3.5, 6.3.6 */
} handlers[N_OFPMSGS] = {
    [OFPMSG_HELLO] = {ignore, false}, /* the version stays as it was agreed */
    [OFPMSG_ERROR] = {handle_error, false},
    [OFPMSG_ECHO_REQUEST] = {handle_echo, false},
    [OFPMSG_ECHO_REPLY] = {ignore, false},
    [OFPMSG_FEATURES_REQUEST] = {handle_features, false},
    [OFPMSG_GET_CONFIG_REQUEST] = {handle_get_config, false},
    [OFPMSG_SET_CONFIG] = {handle_set_config, false},
    [OFPMSG_PACKET_OUT] = {handle_packet_out, true},
    [OFPMSG_FLOW_MOD] = {handle_flow_mod, true},
    [OFPMSG_GROUP_MOD] = {handle_group_mod, true},
    [OFPMSG_PORT_MOD] = {handle_port_mod, true},
    [OFPMSG_TABLE_MOD] = {handle_table_mod, true},
    [OFPMSG_BUNDLE_CONTROL] = {handle_bundle_ctrl, true},
    [OFPMSG_BUNDLE_ADD_MESSAGE] = {handle_bundle_add, true},
    [OFPMSG_METER_MOD] = {handle_meter_mod, true},
    [OFPMSG_BARRIER_REQUEST] = {handle_barrier, false},
    [OFPMSG_QUEUE_GET_CONFIG_REQUEST] = {handle_queue_config, false},
    [OFPMSG_QUEUE_DESC_REQUEST] = {handle_queue_config, false},
    [OFPMSG_ROLE_REQUEST] = {handle_role, false},
    [OFPMSG_GET_ASYNC_REQUEST] = {handle_get_async, false},
    [OFPMSG_SET_ASYNC] = {handle_set_async, false},
    [OFPMSG_DESC_REQUEST] = {handle_desc, false},
    [OFPMSG_FLOW_STATS_REQUEST] = {handle_flow_stats, false},
    [OFPMSG_AGGREGATE_REQUEST] = {handle_aggregate, false},
    [OFPMSG_TABLE_STATS_REQUEST] = {handle_table_stats, false},
    [OFPMSG_PORT_STATS_REQUEST] = {handle_port_stats, false},
    [OFPMSG_QUEUE_STATS_REQUEST] = {handle_queue_stats, false},
    [OFPMSG_GROUP_STATS_REQUEST] = {handle_group_stats, false},
    [OFPMSG_GROUP_DESC_REQUEST] = {handle_group_desc, false},
    [OFPMSG_GROUP_FEATURES_REQUEST] = {handle_group_features, false},
    [OFPMSG_METER_STATS_REQUEST] = {handle_meter_stats, false},
    [OFPMSG_METER_CONFIG_REQUEST] = {handle_meter_config, false},
    [OFPMSG_METER_FEATURES_REQUEST] = {handle_meter_features, false},
    [OFPMSG_TABLE_FEATURES_REQUEST] = {handle_table_features, false},
    [OFPMSG_PORT_DESC_REQUEST] = {handle_port_desc, false},
    [OFPMSG_FLOW_MONITOR_REQUEST] = {handle_flow_monitor, false},
    [OFPMSG_FLOW_MONITOR_CANCEL] = {handle_flow_monitor_cancel, false},
    [OFPMSG_TABLE_DESC_REQUEST] = {handle_table_desc, false},
    [OFPMSG_NX_FLOW_STATS_REQUEST] = {handle_nx_flow_stats, false},
    [OFPMSG_NX_AGGREGATE_REQUEST] = {handle_nx_aggregate, false},
    [OFPMSG_NX_ROLE_REQUEST] = {handle_nx_role, false},
    [OFPMSG_NX_SET_FLOW_FORMAT] = {handle_nx_flow_format, false},
    [OFPMSG_NX_FLOW_MOD] = {handle_nx_flow_mod, true},
    [OFPMSG_NX_FLOW_MOD_TABLE_ID] = {handle_nx_table_id, false},
    [OFPMSG_NX_SET_ASYNC_CONFIG] = {handle_nx_async, false},
    [OFPMSG_NX_SET_ASYNC_CONFIG2] = {handle_nx_async2, false},
    [OFPMSG_NX_SET_PACKET_IN_FORMAT] = {handle_packet_in_format, false},
    [OFPMSG_NX_SET_CONTROLLER_ID] = {handle_controller_id, false},
    [OFPMSG_XVS_BRIDGE_INFO_REQUEST] = {handle_bridge_info, false},
};

/* A reply, say, or what only a client of ours can read. */
static enum ofp_error not_for_us(enum ofp_msg_type type, uint8_t version)
{
    enum ofp_msg_kind kind = ofp_msg_form(type, version)->kind;
    return kind == OFPMK_PLAIN || kind == OFPMK_REPLY ? OFPERR_BRC_BAD_TYPE
           : kind == OFPMK_REQUEST                    ? OFPERR_BRC_BAD_MULTIPART
                                                      : OFPERR_BRC_BAD_EXP_TYPE;
}

enum ofp_error dispatch(struct ofconn *c, const void *msg, size_t len, msec_t now)
{
    struct ofp_header h;
    enum ofp_msg_type type;
    struct rd body;
    bool more;
    enum ofp_error e = ofp_msg_decode_type(msg, len, &h, &type, &body, &more);
    /* 6.3.1: after HELLO the agreed version is the only one, but for messages that are the same in all of them. An error
     * is never answered by an error. */
    enum { ERROR = 1, ECHO_REPLY = 3 };
    if (h.version != c->version && h.type > ECHO_REPLY)
        return OFPERR_BRC_BAD_VERSION;
    if (e)
        return h.type == ERROR ? OFPERR_OK : e;
    if (h.version != c->version && type != OFPMSG_HELLO && type != OFPMSG_ERROR)
        return OFPERR_BRC_BAD_VERSION;
    if (!handlers[type].fn)
        return not_for_us(type, c->version);
    /* 7.3.5: only table features come in parts from a controller, and those change nothing here. */
    if (more && type != OFPMSG_TABLE_FEATURES_REQUEST)
        return OFPERR_BRC_MULTIPART_BUFFER_OVERFLOW;
    if (handlers[type].changes && c->role == OFPCR_SLAVE)
        return OFPERR_BRC_IS_SLAVE;
    c->o->actor = c;
    c->o->actor_xid = h.xid;
    e = handlers[type].fn(c, &h, body, now);
    c->o->actor = NULL;
    return e;
}
