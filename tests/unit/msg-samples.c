#include "unit.h"
#include "msg-samples.h"
#include "base/mem.h"
#include "openflow/bundle.h"
#include "openflow/queue.h"

static uint8_t version; /* of the message that is being made */

/* Filled with random bytes, paddings included: comparing members finds what an encoder forgot. */
#define RANDOM(RNG, OBJECT) random_bytes(RNG, &(OBJECT), sizeof(OBJECT))

void random_bytes(uint64_t *rng, void *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)to)[i] = unit_random(rng);
}

void random_text(uint64_t *rng, char *to, size_t size)
{
    memset(to, 0, size);
    unsigned n = unit_below(rng, MIN(size, 40));
    for (unsigned i = 0; i < n; i++)
        to[i] = 'a' + unit_below(rng, 26);
}

static void set(struct match *m, enum field_id f, uint64_t value, uint64_t mask)
{
    union field_value v, k;
    field_value_set_u64(&v, value & mask);
    field_value_set_u64(&k, mask);
    match_set(m, f, &v, mask == UINT64_MAX ? NULL : &k);
}

/* As text can say it: free it. */
void random_meter(uint64_t *rng, struct ofp_meter *m)
{
    static const uint32_t ids[] = {1, 2, OFPM_MAX, OFPM_SLOWPATH, OFPM_CONTROLLER};
    *m = (struct ofp_meter){.id = ids[unit_below(rng, ARRAY_SIZE(ids))], .n_bands = 1 + unit_below(rng, 5)};
    m->flags = (uint16_t)((unit_below(rng, 2) ? OFPMF_KBPS : OFPMF_PKTPS) | unit_below(rng, 4) << 2);
    m->bands = xcalloc(m->n_bands, sizeof *m->bands);
    for (size_t i = 0; i < m->n_bands; i++) {
        struct ofp_meter_band *b = &m->bands[i];
        b->type = unit_below(rng, 2) ? OFPMBT_DROP : OFPMBT_DSCP_REMARK;
        b->rate = unit_below(rng, 2) ? 1 + unit_below(rng, 9) : (uint32_t)unit_random(rng) | 1;
        b->burst = !(m->flags & OFPMF_BURST) || unit_below(rng, 3) ? 0 : (uint32_t)unit_random(rng);
        b->prec_level = b->type == OFPMBT_DSCP_REMARK ? (uint8_t)unit_random(rng) : 0;
    }
}

void random_match(uint64_t *rng, struct match *m)
{
    unsigned what = unit_random(rng);
    memset(m, 0, sizeof *m);
    if (what & 1)
        set(m, FIELD_IN_PORT, 1 + unit_below(rng, 1000), UINT64_MAX);
    if (what & 2)
        set(m, FIELD_TUN_ID, unit_random(rng), what & 4 ? 0xffff00 : UINT64_MAX);
    if (what & 8)
        set(m, FIELD_METADATA, unit_random(rng), UINT64_MAX);
    if (what & 16)
        set(m, FIELD_REG3, unit_random(rng) & UINT32_MAX, UINT64_MAX);
    if (what & 32)
        set(m, FIELD_ETH_SRC, unit_random(rng) & 0xffffffffffff, UINT64_MAX);
    if (what & 64) {
        set(m, FIELD_ETH_TYPE, 0x0800, UINT64_MAX);
        if (what & 128)
            set(m, FIELD_IPV4_DST, unit_random(rng), 0xffffff00);
        if (what & 256) {
            set(m, FIELD_IP_PROTO, 6, UINT64_MAX);
            if (what & 512)
                set(m, FIELD_TCP_DST, unit_below(rng, 65536), UINT64_MAX);
        }
    }
}

void random_actions(uint64_t *rng, struct buf *list)
{
    unsigned n = unit_below(rng, 4);
    for (unsigned i = 0; i < n; i++) {
        if (unit_below(rng, 2)) {
            struct act_output *o = act_append(list, ACT_OUTPUT, sizeof *o);
            o->a.n = 1 + unit_below(rng, 100);
        } else {
            struct act_tunnel *t = act_append(list, ACT_SET_TUNNEL64, sizeof *t);
            t->id = unit_random(rng);
        }
    }
}

void random_instructions(uint64_t *rng, uint8_t table, struct buf *list)
{
    random_actions(rng, list);
    if (unit_below(rng, 2)) {
        struct act_metadata *m = act_append(list, INST_WRITE_METADATA, sizeof *m);
        m->mask = UINT64_MAX;
        m->value = unit_random(rng);
    }
    if (unit_below(rng, 2) && table < 253) {
        struct act_number *g = act_append(list, INST_GOTO_TABLE, sizeof *g);
        g->a.n = table + 1;
    }
}

/* --- Structs --- */

void random_features(uint64_t *rng, struct ofp_features *f) { RANDOM(rng, *f); }
void random_port_stats(uint64_t *rng, struct ofp_port_stats *s) { RANDOM(rng, *s); }

void random_port_desc(uint64_t *rng, struct ofp_port_desc *d)
{
    RANDOM(rng, *d);
    d->port = 1 + unit_below(rng, 1000);
    random_text(rng, d->name, 16);
    d->name[16] = '\0';
    d->config &= OFPPC_PORT_DOWN | OFPPC_NO_RECV | OFPPC_NO_FWD | OFPPC_NO_PACKET_IN;
    d->state &= OFPPS_LINK_DOWN | OFPPS_BLOCKED | OFPPS_LIVE;
    d->curr &= 0xffff;
    d->advertised &= 0xffff;
    d->supported &= 0xffff;
    d->peer &= 0xffff;
}

void random_desc(uint64_t *rng, struct ofp_desc *d)
{
    random_text(rng, d->manufacturer, sizeof d->manufacturer);
    random_text(rng, d->hardware, sizeof d->hardware);
    random_text(rng, d->software, sizeof d->software);
    random_text(rng, d->serial, sizeof d->serial);
    random_text(rng, d->datapath, sizeof d->datapath);
}

/* A small ARP request, so that what is printed of it says something. */
static size_t random_frame(uint64_t *rng, uint8_t data[64])
{
    memset(data, 0, 64);
    random_bytes(rng, data, 12);
    memcpy(data + 12, "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01", 10);
    random_bytes(rng, data + 22, 20);
    return 42;
}

void random_monitor(uint64_t *rng, uint8_t in_version, struct flow_monitor *m)
{
    *m = (struct flow_monitor){.id = (uint32_t)unit_random(rng),
                               .out_port = unit_below(rng, 2) ? OFPP_ANY : 1 + unit_below(rng, 100),
                               .out_group = in_version < OFP14 || unit_below(rng, 2) ? OFPG_ANY : unit_below(rng, 100),
                               .flags = (uint16_t)(1 + unit_below(rng, in_version < OFP14 ? 63 : 127)),
                               .table = unit_below(rng, 2) ? OFPTT_ALL : (uint8_t)unit_below(rng, 250),
                               .command = in_version < OFP14 ? 0 : (uint8_t)unit_below(rng, 3)};
    random_match(rng, &m->match);
}

void random_update(uint64_t *rng, uint8_t in_version, struct flow_update *u, struct buf *acts)
{
    *u = (struct flow_update){.event = (uint8_t)(unit_below(rng, 4) + (in_version < OFP14 ? 1 : 0))};
    if (u->event == OFPFME_ABBREV) {
        u->xid = (uint32_t)unit_random(rng);
        return;
    }
    u->table = (uint8_t)unit_below(rng, 254);
    u->reason = u->event == OFPFME_REMOVED ? (uint8_t)unit_below(rng, 4) : 0;
    u->priority = (uint16_t)unit_random(rng);
    u->idle_timeout = (uint16_t)unit_below(rng, 3);
    u->hard_timeout = (uint16_t)unit_below(rng, 3);
    u->cookie = unit_random(rng);
    random_match(rng, &u->match);
    buf_clear(acts);
    random_actions(rng, acts);
    u->acts = acts->data;
    u->acts_len = acts->len;
}

void random_packet_in(uint64_t *rng, struct packet_in *p, uint8_t data[64])
{
    RANDOM(rng, *p);
    p->userdata = NULL;
    p->userdata_len = 0;
    p->reason = unit_below(rng, 3);
    p->buffer_id = OFP_NO_BUFFER;
    random_match(rng, &p->match);
    if (version == OFP10) /* where it is no match, but always there */
        set(&p->match, FIELD_IN_PORT, 1 + unit_below(rng, 1000), UINT64_MAX);
    p->data = data;
    p->data_len = random_frame(rng, data);
    p->total_len = p->data_len + unit_below(rng, 1000);
}

void random_packet_out(uint64_t *rng, struct packet_out *p, uint8_t data[64])
{
    static const uint32_t in_ports[] = {1, OFPP_LOCAL, OFPP_CONTROLLER, 1000};
    *p = (struct packet_out){.in_port = in_ports[unit_below(rng, 4)], .buffer_id = OFP_NO_BUFFER, .data = data};
    p->data_len = random_frame(rng, data);
    random_actions(rng, &p->acts);
    if (!unit_below(rng, 4)) {
        p->buffer_id = 5;
        p->data_len = 0;
    }
}

/* --- Messages --- */

static void sample_hello(uint64_t *rng, uint32_t xid, struct buf *out)
{
    hello_encode(((uint32_t)unit_random(rng) | 16) & 0x7e, xid, out);
}

static void sample_error(uint64_t *rng, uint32_t xid, struct buf *out)
{
    uint8_t offending[8] = {4, 2, 0, 8, xid >> 24, xid >> 16, xid >> 8, xid};
    enum ofp_error e = OFPERR_SHORT + unit_below(rng, N_OFPERRS - OFPERR_SHORT);
    ofp_encode_error(out, version, e, offending, sizeof offending);
}

static void sample_echo(uint64_t *rng, bool reply, uint32_t xid, struct buf *out)
{
    uint8_t data[100];
    RANDOM(rng, data);
    ofp_echo_encode(reply, version, xid, data, unit_below(rng, sizeof data), out);
}

/* In 1.0 the match decides which of two messages a flow-mod is. */
static void sample_match(uint64_t *rng, bool nx, struct match *m)
{
    do
        random_match(rng, m);
    while (version == OFP10 && match_fits_of10(m) == nx);
}

static void sample_flow_mod(uint64_t *rng, bool nx, uint32_t xid, struct buf *out)
{
    struct flow_mod m = FLOW_MOD_INIT;
    m.command = unit_below(rng, 5);
    m.table = unit_below(rng, 254);
    m.priority = unit_random(rng);
    m.idle_timeout = unit_below(rng, 100);
    m.hard_timeout = unit_below(rng, 100);
    m.flags = unit_below(rng, version == OFP10 ? 4 : 32);
    m.importance = unit_below(rng, version < OFP14 ? 1 : 100);
    m.cookie = unit_random(rng);
    m.cookie_mask = m.command == OFPFC_ADD || (version == OFP10 && !nx) ? 0 : UINT64_MAX;
    sample_match(rng, nx, &m.match);
    if (m.command < OFPFC_DELETE)
        random_instructions(rng, m.table, &m.acts);
    flow_mod_encode(&m, version, xid, out);
    flow_mod_free(&m);
}

static void sample_flow_removed(uint64_t *rng, bool nx, struct buf *out)
{
    struct flow_removed r;
    RANDOM(rng, r);
    r.reason = unit_below(rng, 4);
    r.table = unit_below(rng, 254);
    r.duration_nsec = unit_below(rng, 1000000000);
    random_match(rng, &r.match);
    if (nx)
        nx_flow_removed_encode(&r, version, out);
    else
        flow_removed_encode(&r, version, out);
}

static void sample_flow_stats_request(uint64_t *rng, bool aggregate, bool nx, uint32_t xid, struct buf *out)
{
    struct flow_stats_request r = {.table = unit_random(rng), .out_port = OFPP_ANY, .out_group = OFPG_ANY};
    r.cookie_mask = unit_random(rng);
    r.cookie = unit_random(rng) & r.cookie_mask;
    random_match(rng, &r.match);
    if (nx)
        nx_flow_stats_request_encode(&r, aggregate, version, xid, out);
    else
        flow_stats_request_encode(&r, aggregate, version, xid, out);
}

static void sample_flow_stats_reply(enum ofp_msg_type type, uint64_t *rng, uint32_t xid, struct buf *out)
{
    struct ofp_parts parts;
    ofp_parts_begin(&parts, out, version, type, xid);
    for (unsigned n = unit_below(rng, 5); n; n--) {
        struct flow_stats s;
        struct buf acts = BUF_INIT;
        RANDOM(rng, s);
        s.table = unit_below(rng, 253);
        s.flags &= 31;
        s.idle_age = 1 + unit_below(rng, 100);
        s.hard_age = 1 + unit_below(rng, 100);
        s.importance = unit_below(rng, 100);
        s.duration_nsec = unit_below(rng, 1000000000);
        random_match(rng, &s.match);
        random_instructions(rng, s.table, &acts);
        s.acts = acts.data;
        s.acts_len = acts.len;
        flow_stats_encode(&s, &parts);
        ofp_parts_entry_end(&parts);
        buf_free(&acts);
    }
    ofp_parts_end(&parts);
}

static void sample_table_features(uint32_t xid, struct buf *out)
{
    struct ofp_parts parts;
    ofp_parts_begin(&parts, out, version, OFPMSG_TABLE_FEATURES_REPLY, xid);
    for (unsigned t = 0; t < 3; t++) {
        struct ofp_table_features f = {
            .table = t, .acts = {{UINT64_MAX}}, .n_tables = 3, .name = "classifier", .max_entries = 1000000};
        f.metadata_match = f.metadata_write = UINT64_MAX;
        table_features_encode(&f, version, out);
        ofp_parts_entry_end(&parts);
    }
    ofp_parts_end(&parts);
}

static void sample_entries(enum ofp_msg_type type, uint64_t *rng, uint32_t xid, struct buf *out)
{
    struct ofp_parts parts;
    ofp_parts_begin(&parts, out, version, type, xid);
    for (unsigned i = 0, n = unit_below(rng, 6); i < n; i++) {
        struct ofp_port_desc d;
        struct ofp_port_stats s;
        struct ofp_table_stats t = {
            .table = i, .active = unit_below(rng, 2), .name = "classifier", .wildcards = (1 << 22) - 1, .max_entries = 1000};
        random_port_desc(rng, &d);
        random_port_stats(rng, &s);
        s.port = i + 1;
        s.duration_nsec = unit_below(rng, 1000000000);
        if (type == OFPMSG_PORT_DESC_REPLY)
            port_desc_encode(&d, version, out);
        else if (type == OFPMSG_PORT_STATS_REPLY)
            port_stats_encode(&s, version, out);
        else
            table_stats_encode(&t, version, out);
        ofp_parts_entry_end(&parts);
    }
    ofp_parts_end(&parts);
}

static bool sample_bundle(enum ofp_msg_type type, uint64_t *rng, uint32_t xid, struct buf *out)
{
    struct buf inner = BUF_INIT;
    uint32_t id = (uint32_t)unit_random(rng);
    uint16_t flags = (uint16_t)unit_below(rng, 4);
    if (type == OFPMSG_BUNDLE_CONTROL) {
        bundle_ctrl_encode(&(struct bundle_ctrl){id, (uint16_t)unit_below(rng, N_OFPBCTS), flags}, version, xid, out);
        return true;
    }
    if (type != OFPMSG_BUNDLE_ADD_MESSAGE)
        return false;
    msg_sample_in(unit_below(rng, 2) ? OFPMSG_FLOW_MOD : OFPMSG_PACKET_OUT, version, rng, &inner);
    buf_set_u32(&inner, 4, xid);
    bundle_add_encode(&(struct bundle_add){id, flags, inner.data, inner.len}, version, out);
    buf_free(&inner);
    return true;
}

static bool sample_monitor(enum ofp_msg_type type, uint64_t *rng, uint32_t xid, struct buf *out)
{
    struct ofp_parts parts;
    struct buf acts = BUF_INIT;
    if (type != OFPMSG_FLOW_MONITOR_REQUEST && type != OFPMSG_FLOW_MONITOR_REPLY)
        return false;
    ofp_parts_begin(&parts, out, version, type, xid);
    for (unsigned n = 1 + unit_below(rng, 3); n > 0; n--) {
        if (type == OFPMSG_FLOW_MONITOR_REQUEST) {
            struct flow_monitor m;
            random_monitor(rng, version, &m);
            flow_monitor_encode(&m, version, out);
            ofp_parts_entry_end(&parts);
        } else {
            struct flow_update u;
            random_update(rng, version, &u, &acts);
            flow_update_encode(&u, &parts);
        }
    }
    ofp_parts_end(&parts);
    buf_free(&acts);
    return true;
}

static bool sample_packet(enum ofp_msg_type type, uint64_t *rng, uint32_t xid, struct buf *out)
{
    uint8_t data[64];
    if (type == OFPMSG_NX_PACKET_IN || type == OFPMSG_NX_PACKET_IN2) {
        struct packet_in p;
        random_packet_in(rng, &p, data);
        p.total_len = (uint16_t)(p.data_len + unit_below(rng, 2));
        packet_in_encode_as(&p, type == OFPMSG_NX_PACKET_IN ? NXPIF_NXT_PACKET_IN : NXPIF_NXT_PACKET_IN2, version, out);
        return true;
    }
    if (type == OFPMSG_PACKET_IN) {
        struct packet_in p;
        random_packet_in(rng, &p, data);
        packet_in_encode(&p, version, out);
        return true;
    }
    if (type == OFPMSG_PACKET_OUT) {
        struct packet_out p;
        random_packet_out(rng, &p, data);
        packet_out_encode(&p, version, xid, out);
        buf_free(&p.acts);
        return true;
    }
    return false;
}

static bool sample_session(enum ofp_msg_type type, uint64_t *rng, uint32_t xid, struct buf *out)
{
    struct ofp_role_request role = {.role = unit_below(rng, 4), .generation_id = unit_random(rng)};
    struct ofp_async_config async = {0};
    struct ofp_switch_config config = {.flags = unit_below(rng, 3), .miss_send_len = unit_random(rng)};
    for (int i = 0; i < 2; i++) {
        async.packet_in[i] = unit_below(rng, 8);
        async.port_status[i] = unit_below(rng, 8);
        async.flow_removed[i] = unit_below(rng, 16);
        async.role_status[i] = unit_below(rng, 8);
        async.requestforward[i] = unit_below(rng, 4);
    }
    switch ((unsigned)type) {
    case OFPMSG_HELLO:
        sample_hello(rng, xid, out);
        return true;
    case OFPMSG_ERROR:
        sample_error(rng, xid, out);
        return true;
    case OFPMSG_ECHO_REQUEST:
    case OFPMSG_ECHO_REPLY:
        sample_echo(rng, type == OFPMSG_ECHO_REPLY, xid, out);
        return true;
    case OFPMSG_ROLE_REQUEST:
    case OFPMSG_ROLE_REPLY:
        role_encode(&role, type, version, xid, out);
        return true;
    case OFPMSG_SET_ASYNC:
    case OFPMSG_GET_ASYNC_REPLY:
    case OFPMSG_NX_SET_ASYNC_CONFIG:
        async_encode(&async, type, version, xid, out);
        return true;
    case OFPMSG_SET_CONFIG:
    case OFPMSG_GET_CONFIG_REPLY:
        switch_config_encode(&config, type, version, xid, out);
        return true;
    case OFPMSG_NX_SET_PACKET_IN_FORMAT:
        nx_packet_in_format_encode(unit_below(rng, 3), version, xid, out);
        return true;
    case OFPMSG_NX_SET_CONTROLLER_ID:
        nx_controller_id_encode(unit_random(rng), version, xid, out);
        return true;
    }
    return false;
}

static bool sample_switch(enum ofp_msg_type type, uint64_t *rng, uint32_t xid, struct buf *out)
{
    struct ofp_features features;
    struct ofp_desc desc;
    struct ofp_port_desc port;
    struct ofp_port_mod mod;
    struct xvs_bridge_info info;
    random_features(rng, &features);
    features.capabilities &= version == OFP10 ? 0xe7 : 0x16f;
    features.actions = unit_below(rng, 1 << 12);
    features.ports = rd_init(NULL, 0);
    random_desc(rng, &desc);
    random_port_desc(rng, &port);
    struct buf ports = BUF_INIT;
    if (version == OFP10 && type == OFPMSG_FEATURES_REPLY) {
        port_desc_encode(&port, version, &ports);
        features.ports = rd_init(ports.data, ports.len);
    }
    RANDOM(rng, mod);
    mod.mask &= 0x65;
    mod.config &= mod.mask;
    mod.advertise &= 0xffff;
    mod.port = unit_below(rng, 1000);
    RANDOM(rng, info);
    switch ((unsigned)type) {
    case OFPMSG_FEATURES_REPLY:
        features_encode(&features, version, xid, out);
        buf_free(&ports);
        return true;
    case OFPMSG_DESC_REPLY:
        desc_encode(&desc, version, xid, out);
        return true;
    case OFPMSG_PORT_STATUS:
        port_status_encode(unit_below(rng, 3), &port, version, out);
        return true;
    case OFPMSG_PORT_MOD:
        port_mod_encode(&mod, version, xid, out);
        return true;
    case OFPMSG_TABLE_MOD:
        table_mod_encode(unit_random(rng), unit_below(rng, 4), version, xid, out);
        return true;
    case OFPMSG_PORT_STATS_REQUEST:
        port_stats_request_encode(unit_below(rng, 2) ? OFPP_ANY : 1 + unit_below(rng, 1000), version, xid, out);
        return true;
    case OFPMSG_XVS_BRIDGE_INFO_REPLY:
        xvs_bridge_info_encode(&info, version, xid, out);
        return true;
    case OFPMSG_PORT_DESC_REPLY:
    case OFPMSG_PORT_STATS_REPLY:
    case OFPMSG_TABLE_STATS_REPLY:
        sample_entries(type, rng, xid, out);
        return true;
    case OFPMSG_TABLE_FEATURES_REPLY:
        sample_table_features(xid, out);
        return true;
    }
    return false;
}

static bool sample_flows(enum ofp_msg_type type, uint64_t *rng, uint32_t xid, struct buf *out)
{
    struct aggregate_stats aggregate;
    RANDOM(rng, aggregate);
    switch ((unsigned)type) {
    case OFPMSG_FLOW_MOD:
    case OFPMSG_NX_FLOW_MOD:
        sample_flow_mod(rng, type == OFPMSG_NX_FLOW_MOD, xid, out);
        return true;
    case OFPMSG_FLOW_REMOVED:
    case OFPMSG_NX_FLOW_REMOVED:
        sample_flow_removed(rng, type == OFPMSG_NX_FLOW_REMOVED, out);
        return true;
    case OFPMSG_FLOW_STATS_REQUEST:
    case OFPMSG_AGGREGATE_REQUEST:
        sample_flow_stats_request(rng, type == OFPMSG_AGGREGATE_REQUEST, false, xid, out);
        return true;
    case OFPMSG_NX_FLOW_STATS_REQUEST:
    case OFPMSG_NX_AGGREGATE_REQUEST:
        sample_flow_stats_request(rng, type == OFPMSG_NX_AGGREGATE_REQUEST, true, xid, out);
        return true;
    case OFPMSG_FLOW_STATS_REPLY:
    case OFPMSG_NX_FLOW_STATS_REPLY:
        sample_flow_stats_reply(type, rng, xid, out);
        return true;
    case OFPMSG_AGGREGATE_REPLY:
    case OFPMSG_NX_AGGREGATE_REPLY:
        aggregate_stats_encode(&aggregate, type, version, xid, out);
        return true;
    }
    return false;
}

void random_group(uint64_t *rng, struct group_desc *g)
{
    *g = (struct group_desc){.id = unit_random(rng) % OFPG_MAX, .type = unit_below(rng, N_GROUP_TYPES)};
    for (unsigned n = g->type == OFPGT_INDIRECT ? 1 : unit_below(rng, 5); n; n--) {
        struct group_bucket *b = group_desc_add_bucket(g);
        if (g->type == OFPGT_SELECT)
            b->weight = unit_below(rng, 4);
        if (g->type == OFPGT_FF || (g->type == OFPGT_SELECT && unit_below(rng, 2)))
            b->watch_port = 1 + unit_below(rng, 1000);
        if (g->type == OFPGT_FF && unit_below(rng, 2))
            b->watch_group = unit_random(rng) % OFPG_MAX;
        random_actions(rng, &g->acts);
        b->acts_len = g->acts.len - b->acts;
    }
}

static void sample_group_entries(enum ofp_msg_type type, uint64_t *rng, uint32_t xid, struct buf *out)
{
    struct ofp_parts parts;
    ofp_parts_begin(&parts, out, version, type, xid);
    for (unsigned n = unit_below(rng, 5); n; n--) {
        struct group_desc g;
        struct group_counter counters[4];
        struct group_stats s = {.n_buckets = unit_below(rng, 4), .buckets = counters};
        random_group(rng, &g);
        RANDOM(rng, counters);
        RANDOM(rng, s.sum);
        s.id = g.id;
        s.ref_count = unit_random(rng);
        s.duration_sec = unit_below(rng, 1000);
        s.duration_nsec = unit_below(rng, 1000000000);
        if (type == OFPMSG_GROUP_DESC_REPLY)
            group_desc_encode(&g, version, &parts);
        else
            group_stats_encode(&s, version, &parts);
        group_desc_free(&g);
    }
    ofp_parts_end(&parts);
}

static bool sample_groups(enum ofp_msg_type type, uint64_t *rng, uint32_t xid, struct buf *out)
{
    struct group_mod gm = {.command = unit_below(rng, 3)};
    struct group_features f;
    RANDOM(rng, f);
    f.types &= (1u << N_GROUP_TYPES) - 1;
    switch ((unsigned)type) {
    case OFPMSG_GROUP_MOD:
        if (gm.command == OFPGC_DELETE)
            gm.group.id = unit_below(rng, 2) ? OFPG_ALL : unit_below(rng, 1000);
        else
            random_group(rng, &gm.group);
        group_mod_encode(&gm, version, xid, out);
        group_desc_free(&gm.group);
        return true;
    case OFPMSG_GROUP_STATS_REQUEST:
        group_stats_request_encode(unit_below(rng, 2) ? OFPG_ALL : unit_below(rng, 1000), version, xid, out);
        return true;
    case OFPMSG_GROUP_STATS_REPLY:
    case OFPMSG_GROUP_DESC_REPLY:
        sample_group_entries(type, rng, xid, out);
        return true;
    case OFPMSG_GROUP_FEATURES_REPLY:
        group_features_encode(&f, version, xid, out);
        return true;
    }
    return false;
}

static void sample_meters(enum ofp_msg_type type, uint64_t *rng, uint32_t xid, struct buf *out)
{
    struct ofp_parts parts;
    ofp_parts_begin(&parts, out, version, type, xid);
    for (unsigned i = 0, n = unit_below(rng, 4); i < n; i++) {
        struct ofp_meter m;
        struct ofp_meter_band_stats bands[5];
        struct ofp_meter_stats s;
        random_meter(rng, &m);
        RANDOM(rng, bands);
        RANDOM(rng, s);
        s.n_bands = unit_below(rng, 6);
        s.bands = bands;
        s.duration_nsec = unit_below(rng, 1000000000);
        if (type == OFPMSG_METER_CONFIG_REPLY)
            meter_config_encode(&m, version, out);
        else
            meter_stats_encode(&s, version, out);
        ofp_parts_entry_end(&parts);
        ofp_meter_free(&m);
    }
    ofp_parts_end(&parts);
}

static void sample_queues(enum ofp_msg_type type, uint64_t *rng, uint32_t xid, struct buf *out)
{
    struct ofp_parts parts = {0};
    bool stats = type == OFPMSG_QUEUE_STATS_REPLY;
    size_t at = 0;
    if (stats) {
        ofp_parts_begin(&parts, out, version, type, xid);
    } else {
        at = ofp_msg_begin(out, version, type, xid);
        queue_config_head_encode(3, version, out);
    }
    for (unsigned n = unit_below(rng, 5); n; n--) {
        static const uint16_t rates[] = {0, 1, 1000, 1001, OFPQ_RATE_NONE};
        struct ofp_queue_config q = {3, 10 - n, rates[unit_below(rng, 5)], rates[unit_below(rng, 5)]};
        struct ofp_queue_stats s;
        RANDOM(rng, s);
        s.port = 1 + unit_below(rng, 3);
        s.duration_nsec = unit_below(rng, 1000000000);
        if (!stats) {
            queue_config_encode(&q, version, out);
        } else {
            queue_stats_encode(&s, version, out);
            ofp_parts_entry_end(&parts);
        }
    }
    if (stats)
        ofp_parts_end(&parts);
    else
        ofp_msg_end(out, at);
}

static bool sample_queue(enum ofp_msg_type type, uint64_t *rng, uint32_t xid, struct buf *out)
{
    enum ofp_msg_type reply;
    if (type == OFPMSG_QUEUE_STATS_REQUEST)
        queue_stats_request_encode(unit_below(rng, 2) ? OFPP_ANY : 5, unit_below(rng, 2) ? OFPQ_ALL : 7, version, xid, out);
    else if (type == OFPMSG_QUEUE_GET_CONFIG_REQUEST)
        queue_config_request_encode(unit_below(rng, 2) ? OFPP_ANY : 5, version, xid, &reply, out);
    else if (type == OFPMSG_QUEUE_STATS_REPLY || type == OFPMSG_QUEUE_GET_CONFIG_REPLY)
        sample_queues(type, rng, xid, out);
    else
        return false;
    return true;
}

static void sample_descs(uint32_t xid, struct buf *out)
{
    struct ofp_parts parts;
    ofp_parts_begin(&parts, out, version, OFPMSG_TABLE_DESC_REPLY, xid);
    for (uint8_t t = 0; t < 3; t++) {
        struct ofp_table_desc d = {.table = t};
        table_desc_encode(&d, version, out);
        ofp_parts_entry_end(&parts);
    }
    ofp_parts_end(&parts);
}

static bool sample_nx(enum ofp_msg_type type, uint64_t *rng, uint32_t xid, struct buf *out)
{
    struct ofp_role_status status = {unit_below(rng, 4), unit_below(rng, 3), unit_random(rng)};
    switch ((unsigned)type) {
    case OFPMSG_NX_ROLE_REQUEST:
    case OFPMSG_NX_ROLE_REPLY:
        nx_role_encode(OFPCR_EQUAL + unit_below(rng, 3), type, version, xid, out);
        return true;
    case OFPMSG_NX_SET_FLOW_FORMAT:
        nx_flow_format_encode(unit_below(rng, 2) ? NXFF_NXM : NXFF_OPENFLOW10, version, xid, out);
        return true;
    case OFPMSG_NX_FLOW_MOD_TABLE_ID:
        nx_table_id_encode(unit_below(rng, 2), version, xid, out);
        return true;
    case OFPMSG_ROLE_STATUS:
        role_status_encode(&status, version, out);
        return true;
    case OFPMSG_TABLE_DESC_REPLY:
        sample_descs(xid, out);
        return true;
    }
    return false;
}

static bool sample_meter(enum ofp_msg_type type, uint64_t *rng, uint32_t xid, struct buf *out)
{
    struct ofp_meter_mod mm = {.command = (uint16_t)unit_below(rng, 3)};
    struct ofp_meter_features f = {.max_meters = (uint32_t)unit_random(rng), .band_types = 6, .capabilities = 15};
    switch ((unsigned)type) {
    case OFPMSG_METER_MOD:
        random_meter(rng, &mm.meter);
        meter_mod_encode(&mm, version, xid, out);
        ofp_meter_free(&mm.meter);
        return true;
    case OFPMSG_METER_STATS_REQUEST:
    case OFPMSG_METER_CONFIG_REQUEST:
        meter_request_encode(type, unit_below(rng, 2) ? OFPM_ALL : 5, version, xid, out);
        return true;
    case OFPMSG_METER_STATS_REPLY:
    case OFPMSG_METER_CONFIG_REPLY:
        sample_meters(type, rng, xid, out);
        return true;
    case OFPMSG_METER_FEATURES_REPLY:
        meter_features_encode(&f, version, xid, out);
        return true;
    }
    return false;
}

void msg_sample(enum ofp_msg_type type, uint64_t *rng, struct buf *out) { msg_sample_in(type, OFP13, rng, out); }

void msg_sample_in(enum ofp_msg_type type, uint8_t version_, uint64_t *rng, struct buf *out)
{
    uint32_t xid = unit_random(rng);
    version = version_;
    if (sample_session(type, rng, xid, out) || sample_switch(type, rng, xid, out) ||
        sample_flows(type, rng, xid, out) || sample_groups(type, rng, xid, out) || sample_packet(type, rng, xid, out) || sample_bundle(type, rng, xid, out) ||
        sample_monitor(type, rng, xid, out) ||
        sample_meter(type, rng, xid, out) || sample_queue(type, rng, xid, out) || sample_nx(type, rng, xid, out))
        return;
    size_t at = ofp_msg_begin(out, version, type, xid);
    buf_zeros(out, ofp_msg_form(type, version)->min_body);
    ofp_msg_end(out, at);
}
