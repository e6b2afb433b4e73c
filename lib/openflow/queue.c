/* queue.c: queues on the wire and as text. */
#include "openflow/queue.h"
#include "base/mem.h"
#include "openflow/act-shape.h"
#include "openflow/msg-format.h"
#include "openflow/text.h"

enum { MIN_RATE = 1, MAX_RATE = 2 }; /* OFPQT_…; in OpenFlow 1.4 OFPQDPT_… */

static uint32_t get_port(uint8_t version, struct rd *r)
{
    return version == OFP10 ? ofp_port_from16(rd_u16(r)) : rd_u32(r);
}

static void put_port(uint32_t port, uint8_t version, struct buf *out)
{
    uint16_t p = UINT16_MAX;
    if (version == OFP10) {
        ofp_port_to16(port, &p);
        buf_u16(out, p);
    } else {
        buf_u32(out, port);
    }
}

/* --- Requests --- */

void queue_config_request_encode(uint32_t port, uint8_t version, uint32_t xid, enum ofp_msg_type *reply, struct buf *out)
{
    bool desc = version >= OFP14;
    *reply = desc ? OFPMSG_QUEUE_DESC_REPLY : OFPMSG_QUEUE_GET_CONFIG_REPLY;
    size_t at = ofp_msg_begin(out, version, desc ? OFPMSG_QUEUE_DESC_REQUEST : OFPMSG_QUEUE_GET_CONFIG_REQUEST, xid);
    put_port(port, version, out);
    if (desc)
        buf_u32(out, OFPQ_ALL);
    else
        buf_zeros(out, version == OFP10 ? 2 : 4);
    ofp_msg_end(out, at);
}

enum ofp_error queue_config_request_decode(uint8_t version, struct rd body, uint32_t *port, uint32_t *queue)
{
    *port = get_port(version, &body);
    *queue = OFPQ_ALL;
    if (version >= OFP14)
        *queue = rd_u32(&body);
    else
        rd_skip(&body, version == OFP10 ? 2 : 4);
    return body.err;
}

/* OpenFlow 1.0 says OFPP_ALL where later versions say ANY. */
void queue_stats_request_encode(uint32_t port, uint32_t queue, uint8_t version, uint32_t xid, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, OFPMSG_QUEUE_STATS_REQUEST, xid);
    put_port(version == OFP10 && port == OFPP_ANY ? (uint32_t)OFPP_ALL : port, version, out);
    if (version == OFP10)
        buf_zeros(out, 2);
    buf_u32(out, queue);
    ofp_msg_end(out, at);
}

enum ofp_error queue_stats_request_decode(uint8_t version, struct rd body, uint32_t *port, uint32_t *queue)
{
    *port = get_port(version, &body);
    if (version == OFP10) {
        rd_skip(&body, 2);
        *port = *port == OFPP_ALL ? OFPP_ANY : *port;
    }
    *queue = rd_u32(&body);
    return body.err;
}

/* --- Configuration --- */

void queue_config_head_encode(uint32_t port, uint8_t version, struct buf *out)
{
    if (version >= OFP14)
        return;
    put_port(port, version, out);
    buf_zeros(out, version == OFP10 ? 6 : 4);
}

enum ofp_error queue_config_head_decode(uint8_t version, struct rd *r, uint32_t *port)
{
    *port = OFPP_ANY;
    if (version >= OFP14)
        return OFPERR_OK;
    *port = get_port(version, r);
    rd_skip(r, version == OFP10 ? 6 : 4);
    return r->err;
}

static void put_rate(uint16_t property, uint16_t rate, uint8_t version, struct buf *out)
{
    if (rate == OFPQ_RATE_NONE)
        return;
    buf_u16(out, property);
    buf_u16(out, version >= OFP14 ? 8 : 16);
    buf_zeros(out, version >= OFP14 ? 0 : 4);
    buf_u16(out, rate);
    buf_zeros(out, version >= OFP14 ? 2 : 6);
}

/* 7.2.2.1: "queue_id, port, len, pad[6]"; 1.0: "queue_id, len, pad[2]"; 1.4: port first. */
void queue_config_encode(const struct ofp_queue_config *q, uint8_t version, struct buf *out)
{
    size_t at = out->len, len_at;
    if (version >= OFP14) {
        buf_u32(out, q->port);
        buf_u32(out, q->queue);
    } else {
        buf_u32(out, q->queue);
        if (version != OFP10)
            buf_u32(out, q->port);
    }
    len_at = out->len;
    buf_u16(out, 0);
    buf_zeros(out, version == OFP10 ? 2 : 6);
    put_rate(MIN_RATE, q->min_rate, version, out);
    put_rate(MAX_RATE, q->max_rate, version, out);
    buf_set_u16(out, len_at, (uint16_t)(out->len - at));
}

static void get_properties(uint8_t version, struct rd *r, struct ofp_queue_config *q)
{
    while (rd_left(r)) {
        size_t left = rd_left(r);
        uint16_t property = rd_u16(r), len = rd_u16(r);
        if (r->err || len < 8 || len > left) {
            rd_fail(r, OFPERR_BRC_BAD_LEN);
            return;
        }
        struct rd body = rd_sub(r, len - 4u);
        if (version < OFP14)
            rd_skip(&body, 4);
        if (property == MIN_RATE)
            q->min_rate = rd_u16(&body);
        else if (property == MAX_RATE)
            q->max_rate = rd_u16(&body);
        if (body.err)
            rd_fail(r, OFPERR_BRC_BAD_LEN);
    }
}

enum ofp_error queue_config_decode(uint8_t version, struct rd *r, struct ofp_queue_config *q)
{
    const uint8_t *start = r->p;
    q->min_rate = q->max_rate = OFPQ_RATE_NONE;
    if (version >= OFP14)
        q->port = rd_u32(r);
    q->queue = rd_u32(r);
    if (version > OFP10 && version < OFP14)
        q->port = rd_u32(r);
    uint16_t len = rd_u16(r);
    rd_skip(r, version == OFP10 ? 2 : 6);
    if (r->err)
        return r->err;
    size_t head = (size_t)(r->p - start);
    if (len < head)
        rd_fail(r, OFPERR_BRC_BAD_LEN);
    struct rd properties = rd_sub(r, len - head);
    get_properties(version, &properties, q);
    if (properties.err)
        rd_fail(r, properties.err);
    return r->err;
}

/* --- Statistics --- */

void queue_stats_encode(const struct ofp_queue_stats *s, uint8_t version, struct buf *out)
{
    if (version >= OFP14) {
        buf_u16(out, 48);
        buf_zeros(out, 6);
    }
    put_port(s->port, version, out);
    if (version == OFP10)
        buf_zeros(out, 2);
    buf_u32(out, s->queue);
    buf_u64(out, s->tx_bytes);
    buf_u64(out, s->tx_packets);
    buf_u64(out, s->tx_errors);
    if (version > OFP10) {
        buf_u32(out, s->duration_sec);
        buf_u32(out, s->duration_nsec);
    }
}

enum ofp_error queue_stats_decode(uint8_t version, struct rd *r, struct ofp_queue_stats *s)
{
    uint16_t more = 0; /* properties of OpenFlow 1.4: an experimenter's */
    if (version >= OFP14) {
        uint16_t len = rd_u16(r);
        if (len < 48)
            rd_fail(r, OFPERR_BRC_BAD_LEN);
        more = len - 48;
        rd_skip(r, 6);
    }
    s->port = get_port(version, r);
    if (version == OFP10)
        rd_skip(r, 2);
    s->queue = rd_u32(r);
    s->tx_bytes = rd_u64(r);
    s->tx_packets = rd_u64(r);
    s->tx_errors = rd_u64(r);
    s->duration_sec = s->duration_nsec = UINT32_MAX;
    if (version > OFP10) {
        s->duration_sec = rd_u32(r);
        s->duration_nsec = rd_u32(r);
    }
    rd_skip(r, more);
    return r->err;
}

/* --- Text --- */

FORMAT_FN(format_queue_stats_request)
{
    uint32_t port, queue;
    queue_stats_request_decode(h->version, body, &port, &queue);
    buf_puts(out, " port=");
    text_put_port(port, names, out);
    if (queue == OFPQ_ALL)
        buf_puts(out, " queue=ALL\n");
    else
        buf_printf(out, " queue=%u\n", queue);
}

FORMAT_FN(format_queue_config_request)
{
    uint32_t port, queue;
    queue_config_request_decode(h->version, body, &port, &queue);
    buf_puts(out, " port=");
    text_put_port(port, names, out);
    buf_puts(out, "\n");
}

static void put_counter(const char *name, uint64_t n, struct buf *out)
{
    if (n == UINT64_MAX)
        buf_printf(out, "%s=?, ", name);
    else
        buf_printf(out, "%s=%llu, ", name, (unsigned long long)n);
}

FORMAT_FN(format_queue_stats)
{
    struct buf lines = BUF_INIT;
    struct ofp_queue_stats s;
    size_t n = 0;
    while (rd_left(&body) && !queue_stats_decode(h->version, &body, &s)) {
        n++;
        buf_puts(&lines, "  port ");
        text_put_port(s.port, names, &lines);
        buf_printf(&lines, " queue %u: ", s.queue);
        put_counter("bytes", s.tx_bytes, &lines);
        put_counter("pkts", s.tx_packets, &lines);
        put_counter("errors", s.tx_errors, &lines);
        buf_puts(&lines, "duration=");
        if (s.duration_sec != UINT32_MAX)
            duration_format(s.duration_sec, s.duration_nsec, &lines);
        else
            buf_puts(&lines, "?");
        buf_puts(&lines, "\n");
    }
    buf_printf(out, " %zu queues\n", n);
    buf_put(out, lines.data, lines.len);
    buf_free(&lines);
}

static void put_percent(const char *name, uint16_t rate, struct buf *out)
{
    if (rate <= 1000)
        buf_printf(out, " %s:%u.%u%%", name, rate / 10, rate % 10);
    else if (rate != OFPQ_RATE_NONE)
        buf_printf(out, " %s:(disabled)", name);
}

static int by_port_and_queue(const void *a_, const void *b_)
{
    const struct ofp_queue_config *a = a_, *b = b_;
    return a->port != b->port ? (a->port < b->port ? -1 : 1) : a->queue < b->queue ? -1 : a->queue > b->queue;
}

FORMAT_FN(format_queue_config)
{
    size_t n = 0, most = rd_left(&body) / 8;
    struct ofp_queue_config *q = xcalloc(most + 1, sizeof *q);
    uint32_t port;
    if (!queue_config_head_decode(h->version, &body, &port))
        while (n < most && rd_left(&body)) {
            q[n].port = port;
            if (queue_config_decode(h->version, &body, &q[n]))
                break;
            n++;
        }
    qsort(q, n, sizeof *q, by_port_and_queue);
    if (!n)
        buf_puts(out, "\n");
    for (size_t i = 0; i < n; i++) {
        if (!i || q[i].port != q[i - 1].port) {
            buf_puts(out, " port=");
            text_put_port(q[i].port, names, out);
            buf_puts(out, "\n");
        }
        buf_printf(out, "queue %u:", q[i].queue);
        put_percent("min_rate", q[i].min_rate, out);
        put_percent("max_rate", q[i].max_rate, out);
        buf_puts(out, "\n");
    }
    free(q);
}
