/* queue.c: what OpenFlow is told of the ports' queues (1.3.5, 7.3.6, 7.3.5.8). They are configured elsewhere. */
#include "openflow/queue.h"
#include "ofproto/session.h"

struct asked {
    struct ofconn *c;
    struct ofp_parts parts; /* of a multipart */
    struct buf b;
    msec_t now;
    uint32_t queue; /* or OFPQ_ALL */
    bool found, full;
    void (*put)(struct asked *, uint32_t port, uint64_t rate, const struct dp_queue_info *);
};

static void put_port(struct ofport *p, void *a_)
{
    struct asked *a = a_;
    struct dp_queue_info info[DP_MAX_QUEUES];
    uint64_t rate;
    unsigned n = dp_port_get_queues(p->dp, &rate, info);
    for (unsigned i = 0; i < n; i++)
        if (a->queue == OFPQ_ALL || a->queue == info[i].config.id) {
            a->found = true;
            a->put(a, p->number, rate, &info[i]);
        }
}

/* The queues of one port, or of all. */
static enum ofp_error put_all(struct asked *a, uint32_t port)
{
    struct ofport *p = port == OFPP_ANY ? NULL : ofport_lookup(a->c->o, port);
    if (p)
        put_port(p, a);
    else if (port == OFPP_ANY)
        ofport_for_each(a->c->o, put_port, a);
    else
        return OFPERR_QOFC_BAD_PORT;
    return a->found || a->queue == OFPQ_ALL ? OFPERR_OK : OFPERR_QOFC_BAD_QUEUE;
}

/* --- Statistics --- */

static void put_stats(struct asked *a, uint32_t port, uint64_t rate UNUSED, const struct dp_queue_info *q)
{
    msec_t age = MAX(a->now - q->created, 0);
    struct ofp_queue_stats s = {.port = port,
                                .queue = q->config.id,
                                .duration_sec = (uint32_t)(age / 1000),
                                .duration_nsec = (uint32_t)(age % 1000 * 1000000),
                                .tx_packets = q->tx_packets,
                                .tx_bytes = q->tx_bytes,
                                .tx_errors = q->tx_errors};
    queue_stats_encode(&s, a->c->version, &a->b);
    ofp_parts_entry_end(&a->parts);
}

static enum ofp_error multipart(struct asked *a, enum ofp_msg_type reply, uint32_t xid, uint32_t port)
{
    ofp_parts_begin(&a->parts, &a->b, a->c->version, reply, xid);
    enum ofp_error e = put_all(a, port);
    if (e) {
        buf_free(&a->b);
        return e;
    }
    ofp_parts_end(&a->parts);
    ofconn_send(a->c, &a->b);
    return OFPERR_OK;
}

enum ofp_error handle_queue_stats(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct asked a = {.c = c, .now = now, .put = put_stats};
    uint32_t port;
    enum ofp_error e = queue_stats_request_decode(c->version, body, &port, &a.queue);
    if (e)
        return e;
    ofproto_settle(c->o, true);
    return multipart(&a, OFPMSG_QUEUE_STATS_REPLY, h->xid, port);
}

/* --- Configuration --- */

/* 7.2.2.2: "the minimum data-rate guaranteed for a queue [...] in 1/10 of a percent". Of an unknown whole there is no part. */
static uint16_t part_of(uint64_t part, uint64_t whole)
{
    return part && whole ? (uint16_t)MIN((part * 1000 + whole / 2) / whole, UINT64_C(1000)) : OFPQ_RATE_NONE;
}

static void put_config(struct asked *a, uint32_t port, uint64_t rate, const struct dp_queue_info *q)
{
    struct ofp_queue_config qc = {port, q->config.id, part_of(q->config.min_rate, rate), part_of(q->config.max_rate, rate)};
    size_t before = a->b.len;
    if (a->full)
        return;
    queue_config_encode(&qc, a->c->version, &a->b);
    if (a->c->version >= OFP14) {
        ofp_parts_entry_end(&a->parts);
    } else if (a->b.len > OFP_MAX_LEN) { /* the reply has no second part: what fits is there */
        a->b.len = before;
        a->full = true;
    }
}

enum ofp_error handle_queue_config(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct asked a = {.c = c, .now = now, .put = put_config};
    uint32_t port;
    enum ofp_error e = queue_config_request_decode(c->version, body, &port, &a.queue);
    if (e)
        return e;
    if (c->version == OFP10 && port == OFPP_ANY) /* its reply could not say which queue is which port's */
        return OFPERR_QOFC_BAD_PORT;
    if (c->version >= OFP14)
        return multipart(&a, OFPMSG_QUEUE_DESC_REPLY, h->xid, port);
    size_t at = ofp_msg_begin(&a.b, c->version, OFPMSG_QUEUE_GET_CONFIG_REPLY, h->xid);
    queue_config_head_encode(port, c->version, &a.b);
    e = put_all(&a, port);
    if (e) {
        buf_free(&a.b);
        return e;
    }
    ofp_msg_end(&a.b, at);
    ofconn_send(c, &a.b);
    return OFPERR_OK;
}
