/* Messages about ports: description, status, statistics, changes (OpenFlow 1.3.5, 7.2.1, 7.3.4.3, 7.3.5.6, 7.4.3). */
#include "openflow/msg.h"

void port_desc_encode(const struct ofp_port_desc *d, uint8_t version UNUSED, struct buf *out)
{
    buf_u32(out, d->port);
    buf_zeros(out, 4);
    buf_put(out, d->mac, sizeof d->mac);
    buf_zeros(out, 2);
    /* 7.2.1: the name is null-terminated in its 16 bytes. */
    size_t n = strnlen(d->name, 15);
    buf_put(out, d->name, n);
    buf_zeros(out, 16 - n);
    buf_u32(out, d->config);
    buf_u32(out, d->state);
    buf_u32(out, d->curr);
    buf_u32(out, d->advertised);
    buf_u32(out, d->supported);
    buf_u32(out, d->peer);
    buf_u32(out, d->curr_speed);
    buf_u32(out, d->max_speed);
}

enum ofp_error port_desc_decode(uint8_t version UNUSED, struct rd *r, struct ofp_port_desc *d)
{
    d->port = rd_u32(r);
    rd_skip(r, 4);
    rd_bytes(r, d->mac, sizeof d->mac);
    rd_skip(r, 2);
    rd_bytes(r, d->name, 16);
    d->name[16] = '\0';
    d->config = rd_u32(r);
    d->state = rd_u32(r);
    d->curr = rd_u32(r);
    d->advertised = rd_u32(r);
    d->supported = rd_u32(r);
    d->peer = rd_u32(r);
    d->curr_speed = rd_u32(r);
    d->max_speed = rd_u32(r);
    return r->err;
}

void port_status_encode(uint8_t reason, const struct ofp_port_desc *d, uint8_t version, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, OFPMSG_PORT_STATUS, 0);
    buf_u8(out, reason);
    buf_zeros(out, 7);
    port_desc_encode(d, version, out);
    ofp_msg_end(out, at);
}

enum ofp_error port_status_decode(uint8_t version, struct rd body, uint8_t *reason, struct ofp_port_desc *d)
{
    *reason = rd_u8(&body);
    rd_skip(&body, 7);
    port_desc_decode(version, &body, d);
    if (*reason > OFPPR_MODIFY)
        rd_fail(&body, OFPERR_NXBRC_BAD_REASON);
    return body.err;
}

void port_stats_encode(const struct ofp_port_stats *s, uint8_t version UNUSED, struct buf *out)
{
    buf_u32(out, s->port);
    buf_zeros(out, 4);
    buf_u64(out, s->rx_packets);
    buf_u64(out, s->tx_packets);
    buf_u64(out, s->rx_bytes);
    buf_u64(out, s->tx_bytes);
    buf_u64(out, s->rx_dropped);
    buf_u64(out, s->tx_dropped);
    buf_u64(out, s->rx_errors);
    buf_u64(out, s->tx_errors);
    buf_u64(out, s->rx_frame_err);
    buf_u64(out, s->rx_over_err);
    buf_u64(out, s->rx_crc_err);
    buf_u64(out, s->collisions);
    buf_u32(out, s->duration_sec);
    buf_u32(out, s->duration_nsec);
}

enum ofp_error port_stats_decode(uint8_t version UNUSED, struct rd *r, struct ofp_port_stats *s)
{
    s->port = rd_u32(r);
    rd_skip(r, 4);
    s->rx_packets = rd_u64(r);
    s->tx_packets = rd_u64(r);
    s->rx_bytes = rd_u64(r);
    s->tx_bytes = rd_u64(r);
    s->rx_dropped = rd_u64(r);
    s->tx_dropped = rd_u64(r);
    s->rx_errors = rd_u64(r);
    s->tx_errors = rd_u64(r);
    s->rx_frame_err = rd_u64(r);
    s->rx_over_err = rd_u64(r);
    s->rx_crc_err = rd_u64(r);
    s->collisions = rd_u64(r);
    s->duration_sec = rd_u32(r);
    s->duration_nsec = rd_u32(r);
    return r->err;
}

void port_stats_request_encode(uint32_t port, uint8_t version, uint32_t xid, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, OFPMSG_PORT_STATS_REQUEST, xid);
    buf_u32(out, port);
    buf_zeros(out, 4);
    ofp_msg_end(out, at);
}

enum ofp_error port_stats_request_decode(uint8_t version UNUSED, struct rd body, uint32_t *port)
{
    *port = rd_u32(&body);
    rd_skip(&body, 4);
    return body.err;
}

void port_mod_encode(const struct ofp_port_mod *m, uint8_t version, uint32_t xid, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, OFPMSG_PORT_MOD, xid);
    buf_u32(out, m->port);
    buf_zeros(out, 4);
    buf_put(out, m->mac, sizeof m->mac);
    buf_zeros(out, 2);
    buf_u32(out, m->config);
    buf_u32(out, m->mask);
    buf_u32(out, m->advertise);
    buf_zeros(out, 4);
    ofp_msg_end(out, at);
}

enum ofp_error port_mod_decode(uint8_t version UNUSED, struct rd body, struct ofp_port_mod *m)
{
    m->port = rd_u32(&body);
    rd_skip(&body, 4);
    rd_bytes(&body, m->mac, sizeof m->mac);
    rd_skip(&body, 2);
    m->config = rd_u32(&body);
    m->mask = rd_u32(&body);
    m->advertise = rd_u32(&body);
    rd_skip(&body, 4);
    return body.err;
}
