/* async.c: what connections are told unasked: packet-ins, removed flows, ports.
 *
 * A peer that reads slowly must not cost memory without bound, nor must one port's flood of packet-ins keep out another
 * port's single packet: packet-ins that cannot go out at once wait in lanes by port, served in turn; when the queue is
 * full the longest lane loses its oldest. */
#include "ofproto/pktbuf.h"
#include "ofproto/session.h"
#include "base/log.h"
#include "base/mem.h"

LOG_MODULE(async);

/* OpenFlow 1.3.5, 6.1.1 and 7.3.10: a master or equal gets everything (but for invalid TTLs, which are asked for), a slave
 * port-status only. */
void async_init(struct ofconn *c)
{
    c->async = (struct ofp_async_config){
        .packet_in = {1 << OFPR_NO_MATCH | 1 << OFPR_ACTION | 1 << OFPR_ACTION_SET | 1 << OFPR_GROUP | 1 << OFPR_PACKET_OUT, 0},
        .port_status = {1 << OFPPR_ADD | 1 << OFPPR_DELETE | 1 << OFPPR_MODIFY, 1 << OFPPR_ADD | 1 << OFPPR_DELETE | 1 << OFPPR_MODIFY},
        .flow_removed = {1 << OFPRR_IDLE_TIMEOUT | 1 << OFPRR_HARD_TIMEOUT | 1 << OFPRR_DELETE | 1 << OFPRR_GROUP_DELETE, 0},
        .role_status = {1 << OFPCRR_MASTER_REQUEST | 1 << OFPCRR_CONFIG, 1 << OFPCRR_MASTER_REQUEST | 1 << OFPCRR_CONFIG},
    };
    for (unsigned i = 0; i < PIN_LANES; i++)
        CDS_INIT_LIST_HEAD(&c->pins.lane[i].pins);
}

/* A service connection has come to ask something, not to listen, unless it says so. */
static bool wants(const struct ofconn *c, const uint32_t mask[2], uint8_t reason)
{
    if (!c->up || (c->kind == OFCONN_SERVICE && !c->async_set && !c->miss_send_len))
        return false;
    return reason < 32 && mask[c->role == OFPCR_SLAVE] >> reason & 1;
}

void async_set(struct ofconn *c, const struct ofp_async_config *a)
{
    c->async = *a;
    c->async_set = true;
    misses_refresh(c->o);
}

/* --- Packet-ins --- */

/* 1.0.1, 3.4: a packet that matches no flow is sent to the controller; from 1.3 on it is dropped. What there is of both
 * kinds of session decides, as with Open vSwitch: the walk asks for a packet-in if a session of 1.0 wants it, and such
 * sessions alone get it. */
static bool wants_default(const struct ofconn *c)
{
    return c->version == OFP10 && !c->controller_id && wants(c, c->async.packet_in, OFPR_NO_MATCH);
}

void misses_refresh(struct ofproto *o)
{
    bool any = false;
    struct ofconn *c;
    cds_list_for_each_entry(c, &o->conns, node)
        any |= wants_default(c);
    if (any == o->miss_to_controllers)
        return;
    __atomic_store_n(&o->miss_to_controllers, any, __ATOMIC_RELEASE);
    dp_bump(o->dp, &o->settings_gen);
    o->unsettled = true;
}

/* Versions before 1.4 have one reason for what these have four for. */
static uint8_t reason_for(const struct ofconn *c, uint8_t reason)
{
    return c->version < OFP14 && reason > OFPR_INVALID_TTL ? OFPR_ACTION : reason;
}

static bool wants_packet_in(const struct ofconn *c, const struct punt_packet_in *in)
{
    if (in->by_default)
        return wants_default(c);
    return wants(c, c->async.packet_in, reason_for(c, in->reason)) && c->controller_id == in->controller_id;
}

static void lane_pop(struct pin_queue *q, unsigned lane, struct buf *b)
{
    struct pin *p = cds_list_entry(q->lane[lane].pins.next, struct pin, node);
    cds_list_del(&p->node);
    q->lane[lane].n--;
    q->n--;
    q->bytes -= p->len;
    if (b)
        buf_put(b, p->data, p->len);
    free(p);
}

static unsigned longest_lane(const struct pin_queue *q)
{
    unsigned longest = 0;
    for (unsigned i = 1; i < PIN_LANES; i++)
        if (q->lane[i].n > q->lane[longest].n)
            longest = i;
    return longest;
}

static void enqueue(struct ofconn *c, uint32_t port, const struct buf *m)
{
    struct pin_queue *q = &c->pins;
    unsigned lane = port % PIN_LANES;
    struct pin *p = xmalloc(sizeof *p + m->len);
    p->len = m->len;
    memcpy(p->data, m->data, m->len);
    cds_list_add_tail(&p->node, &q->lane[lane].pins);
    q->lane[lane].n++;
    q->n++;
    q->bytes += p->len;
    while (q->n > PIN_MAX_PACKETS || q->bytes > PIN_MAX_BYTES) {
        lane_pop(q, longest_lane(q), NULL);
        c->packet_ins_dropped++;
    }
}

void async_run(struct ofconn *c)
{
    struct pin_queue *q = &c->pins;
    while (q->n && !c->dead && ofconn_backlog(c) < SEND_HIGH) {
        do
            q->turn = (q->turn + 1) % PIN_LANES;
        while (!q->lane[q->turn].n);
        struct buf b = BUF_INIT;
        lane_pop(q, q->turn, &b);
        c->packet_ins++;
        ofconn_send(c, &b);
    }
}

void async_close(struct ofconn *c)
{
    for (unsigned i = 0; i < PIN_LANES; i++)
        while (c->pins.lane[i].n)
            lane_pop(&c->pins, i, NULL);
}

static void set_number(struct match *m, enum field_id f, uint64_t n)
{
    union field_value v;
    if (n) {
        field_value_set_u64(&v, n);
        match_set(m, f, &v, NULL);
    }
}

/* OpenFlow 1.3.5, 7.4.1: the match has the pipeline fields: in_port always, in_phy_port if it differs, metadata and
 * tunnel id, and so on, if they are not zero. */
static void packet_in_match(struct match *m, const struct punt_packet_in *in)
{
    memset(m, 0, sizeof *m);
    set_number(m, FIELD_IN_PORT, in->in_port);
    if (in->in_phy_port != in->in_port)
        set_number(m, FIELD_IN_PHY_PORT, in->in_phy_port);
    set_number(m, FIELD_METADATA, in->metadata);
    set_number(m, FIELD_PKT_MARK, in->pkt_mark);
    set_number(m, FIELD_TUN_ID, in->tun_id);
    set_number(m, FIELD_TUN_SRC, ntohl(in->tun_src));
    set_number(m, FIELD_TUN_DST, ntohl(in->tun_dst));
    for (unsigned i = 0; i < ARRAY_SIZE(in->reg); i++)
        set_number(m, FIELD_REG0 + i, in->reg[i]);
}

/* A packet-in as one connection gets it: others that get the same are given the same bytes. */
struct shown {
    uint8_t version, format;
    size_t len; /* bytes of the packet */
};

/* How much of the packet: OpenFlow 1.3.5, 7.2.5, max_len of the action that sends it; 7.3.2, miss_send_len if no such
 * action did. */
static size_t wanted_len(const struct ofconn *c, const struct punt_packet_in *in, size_t len)
{
    size_t max = in->max_len;
    if (in->reason == OFPR_INVALID_TTL || in->by_default)
        max = c->miss_send_len || c->kind == OFCONN_CONTROLLER ? c->miss_send_len : OFPCML_NO_BUFFER;
    return max == OFPCML_NO_BUFFER ? len : MIN(max, len);
}

static void encode(const struct shown *s, const struct punt_packet_in *in, const struct packet *p, size_t total,
                   uint32_t buffer_id, struct buf *out)
{
    struct packet_in pi = {.buffer_id = buffer_id,
                           .total_len = (uint16_t)MIN(total, (size_t)UINT16_MAX),
                           .reason = in->reason,
                           .table = in->table,
                           .cookie = in->cookie,
                           .data = p->data,
                           .data_len = s->len,
                           .userdata = in->userdata,
                           .userdata_len = in->userdata_len};
    packet_in_match(&pi.match, in);
    buf_clear(out);
    packet_in_encode_as(&pi, s->format, s->version, out);
}

static void send_packet_in(struct ofconn *c, uint32_t port, const struct buf *m)
{
    if (!c->pins.n && !c->dead && ofconn_backlog(c) < SEND_HIGH) { /* nobody is before it */
        c->packet_ins++;
        c->sent++;
        c->cb.send(c->aux, m->data, m->len);
    } else {
        enqueue(c, port, m);
        async_run(c);
    }
}

/* 7.4.1: "If the packet is not buffered (either because of no available buffers, or because of explicitly requested via
 * OFPCML_NO_BUFFER), the entire packet is included". What shows all of the packet needs no buffer. */
void conns_packet_in(struct ofproto *o, const struct punt_packet_in *in, const struct packet *p, size_t total)
{
    static struct buf m; /* its memory stays: there may be hundreds of thousands a second */
    struct shown last = {0};
    struct ofconn *c;
    uint32_t buffer_id = OFP_NO_BUFFER;
    bool tried = p->len < total; /* one that is cut is no packet to be sent on */
    cds_list_for_each_entry(c, &o->conns, node) {
        if (!wants_packet_in(c, in))
            continue;
        struct shown s = {c->version, c->packet_in_format, wanted_len(c, in, p->len)};
        if (s.len < p->len && !tried) {
            tried = true;
            buffer_id = pktbuf_put(o, p, in->in_port);
        }
        if (buffer_id == OFP_NO_BUFFER)
            s.len = p->len;
        if (s.version != last.version || s.format != last.format || s.len != last.len)
            encode(&s, in, p, total, s.len < p->len ? buffer_id : OFP_NO_BUFFER, &m);
        last = s;
        send_packet_in(c, in->in_port, &m);
    }
}

/* --- Flows and ports --- */

static void send_event(struct ofconn *c, const struct buf *m)
{
    if (ofconn_backlog(c) > EVENTS_HIGH) {
        c->events_dropped++;
        log_warn_rl("%s: the peer reads too slowly: flow-removed or port-status lost", c->o->name);
        return;
    }
    struct buf b = BUF_INIT;
    buf_put(&b, m->data, m->len);
    ofconn_send(c, &b);
}

void conns_flow_removed(struct ofproto *o, const struct rule *r, uint8_t reason)
{
    struct buf m = BUF_INIT;
    struct ofconn *c;
    uint8_t version = 0;
    bool nxm = false;
    cds_list_for_each_entry(c, &o->conns, node) {
        uint8_t told = reason == OFPRR_METER_DELETE && c->version < OFP14 ? (uint8_t)OFPRR_DELETE : reason;
        if (!wants(c, c->async.flow_removed, told))
            continue;
        if (version != c->version || nxm != c->nxm) {
            struct flow_removed fr;
            version = c->version;
            nxm = c->nxm;
            buf_clear(&m);
            rule_fill_removed(o, r, clock_msec(), &fr);
            fr.reason = told;
            if (c->nxm)
                nx_flow_removed_encode(&fr, c->version, &m);
            else
                flow_removed_encode(&fr, c->version, &m);
        }
        send_event(c, &m);
    }
    buf_free(&m);
}

void conns_port_status(struct ofproto *o, const struct ofport *p, uint8_t reason)
{
    struct buf m = BUF_INIT;
    struct ofconn *c;
    uint8_t version = 0;
    cds_list_for_each_entry(c, &o->conns, node) {
        if (!wants(c, c->async.port_status, reason))
            continue;
        if (version != c->version) {
            version = c->version;
            buf_clear(&m);
            port_status_encode(reason, &p->desc, c->version, &m);
        }
        send_event(c, &m);
    }
    buf_free(&m);
}
