/* Messages about ports: description, status, statistics, changes
 * (OpenFlow 1.3.5, 7.2.1, 7.3.4.3, 7.3.5.6, 7.4.3; 1.0.1, 5.2.1, 5.3.3, 5.3.5; 1.4, 7.2.1, 7.3.4.3, 7.3.5.6: what
 * depends on the kind of port became properties). */
#include "openflow/msg.h"
#include "openflow/property.h"

enum { NAME_LEN = 16, ETHERNET = 0 /* the property of Ethernet ports in all three */ };

/* --- what 1.0 numbers otherwise --- */

static uint32_t features_to10(uint32_t f) { return (f & 0x7f) | (f >> 4 & 0xf80); } /* 40 Gb and more have no bits */
static uint32_t features_from10(uint32_t f) { return (f & 0x7f) | (f & 0xf80) << 4; }

/* NO_FLOOD is 1.0's alone; states of 1.0 are the link's and the spanning tree's, of which we have none. */
static uint32_t config_in(uint32_t config, uint8_t version)
{
    return version == OFP10 ? config : config & ~OFPPC_NO_FLOOD;
}
static uint32_t state_in(uint32_t state, uint8_t version) { return version == OFP10 ? state & OFPPS_LINK_DOWN : state; }

/* --- description --- */

/* 7.2.1: the name is null-terminated in its 16 bytes. */
static void put_name(const char *name, struct buf *out)
{
    size_t n = strnlen(name, NAME_LEN - 1);
    buf_put(out, name, n);
    buf_zeros(out, NAME_LEN - n);
}

static void put_features(const struct ofp_port_desc *d, uint8_t version, struct buf *out)
{
    const uint32_t *all[] = {&d->curr, &d->advertised, &d->supported, &d->peer};
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        buf_u32(out, version == OFP10 ? features_to10(*all[i]) : *all[i]);
}

static void get_features(uint8_t version, struct rd *r, struct ofp_port_desc *d)
{
    uint32_t *all[] = {&d->curr, &d->advertised, &d->supported, &d->peer};
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        uint32_t f = rd_u32(r);
        *all[i] = version == OFP10 ? features_from10(f) : f;
    }
}

void port_desc_encode(const struct ofp_port_desc *d, uint8_t version, struct buf *out)
{
    size_t at = out->len;
    ofp_port_encode(d->port, version, out);
    if (version != OFP10)
        buf_zeros(out, 4);
    buf_put(out, d->mac, sizeof d->mac);
    if (version != OFP10)
        buf_zeros(out, 2);
    put_name(d->name, out);
    buf_u32(out, config_in(d->config, version));
    buf_u32(out, state_in(d->state, version));
    size_t property = 0;
    if (version >= OFP14) {
        property = property_begin(ETHERNET, out);
        buf_zeros(out, 4);
    }
    put_features(d, version, out);
    if (version != OFP10) {
        buf_u32(out, d->curr_speed);
        buf_u32(out, d->max_speed);
    }
    if (version >= OFP14) {
        property_end(out, property);
        buf_set_u16(out, at + 4, (uint16_t)(out->len - at));
    }
}

/* The highest of the speeds, in kbps. */
static uint32_t speed_of(uint32_t features)
{
    static const uint32_t mbps[] = {10, 10, 100, 100, 1000, 1000, 10000, 40000, 100000, 1000000};
    for (size_t i = ARRAY_SIZE(mbps); i--;)
        if (features >> i & 1)
            return mbps[i] * 1000;
    return 0;
}

static void get_ethernet(uint8_t version, struct rd *r, struct ofp_port_desc *d)
{
    get_features(version, r, d);
    d->curr_speed = version == OFP10 ? speed_of(d->curr) : rd_u32(r);
    d->max_speed = version == OFP10 ? speed_of(d->supported) : rd_u32(r);
}

static void get_desc_properties(struct rd *r, struct ofp_port_desc *d)
{
    struct rd body;
    for (uint16_t type; property_next(r, &type, &body);)
        if (type == ETHERNET) {
            rd_skip(&body, 4);
            get_ethernet(OFP14, &body, d);
            rd_fail(r, body.err);
        }
}

enum ofp_error port_desc_decode(uint8_t version, struct rd *r, struct ofp_port_desc *d)
{
    struct rd *whole = r, entry;
    *d = (struct ofp_port_desc){.port = ofp_port_decode(version, r)};
    if (version >= OFP14) {
        uint16_t len = rd_u16(r);
        if (len < 6)
            rd_fail(r, OFPERR_BRC_BAD_LEN);
        entry = rd_sub(r, r->err ? 0 : len - 6u);
        r = &entry;
    }
    if (version != OFP10)
        rd_skip(r, version >= OFP14 ? 2 : 4);
    rd_bytes(r, d->mac, sizeof d->mac);
    if (version != OFP10)
        rd_skip(r, 2);
    rd_bytes(r, d->name, NAME_LEN);
    d->name[NAME_LEN] = '\0';
    d->config = rd_u32(r);
    d->state = rd_u32(r);
    if (version >= OFP14) {
        get_desc_properties(r, d);
        rd_fail(whole, r->err);
    } else {
        get_ethernet(version, r, d);
    }
    return whole->err;
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

/* --- statistics --- */

static uint64_t *counter(struct ofp_port_stats *s, size_t i)
{
    uint64_t *all[] = {&s->rx_packets,   &s->tx_packets,  &s->rx_bytes,   &s->tx_bytes,
                       &s->rx_dropped,   &s->tx_dropped,  &s->rx_errors,  &s->tx_errors,
                       &s->rx_frame_err, &s->rx_over_err, &s->rx_crc_err, &s->collisions};
    return all[i];
}

enum { N_COUNTERS = 12, N_COMMON = 8 /* those that are no Ethernet port's own */ };

void port_stats_encode(const struct ofp_port_stats *stats, uint8_t version, struct buf *out)
{
    struct ofp_port_stats copy = *stats, *s = &copy;
    size_t at = out->len, property = 0;
    if (version >= OFP14)
        buf_zeros(out, 4);
    ofp_port_encode(s->port, version, out);
    if (version < OFP14)
        buf_zeros(out, version == OFP10 ? 6 : 4);
    if (version >= OFP14) {
        buf_u32(out, s->duration_sec);
        buf_u32(out, s->duration_nsec);
    }
    for (size_t i = 0; i < N_COUNTERS; i++) {
        if (version >= OFP14 && i == N_COMMON) {
            property = property_begin(ETHERNET, out);
            buf_zeros(out, 4);
        }
        buf_u64(out, *counter(s, i));
    }
    if (version >= OFP14) {
        property_end(out, property);
        buf_set_u16(out, at, (uint16_t)(out->len - at));
    } else if (version != OFP10) {
        buf_u32(out, s->duration_sec);
        buf_u32(out, s->duration_nsec);
    }
}

static void get_counters(struct rd *r, struct ofp_port_stats *s, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        *counter(s, i) = rd_u64(r);
}

static enum ofp_error stats_decode_14(struct rd *whole, struct ofp_port_stats *s)
{
    struct rd body;
    uint16_t len = rd_u16(whole);
    if (len < 2)
        rd_fail(whole, OFPERR_BRC_BAD_LEN);
    struct rd r = rd_sub(whole, whole->err ? 0 : len - 2u);
    rd_skip(&r, 2);
    s->port = rd_u32(&r);
    s->duration_sec = rd_u32(&r);
    s->duration_nsec = rd_u32(&r);
    get_counters(&r, s, 0, N_COMMON);
    for (size_t i = N_COMMON; i < N_COUNTERS; i++)
        *counter(s, i) = UINT64_MAX;
    for (uint16_t type; property_next(&r, &type, &body);)
        if (type == ETHERNET) {
            rd_skip(&body, 4);
            get_counters(&body, s, N_COMMON, N_COUNTERS);
            rd_fail(&r, body.err);
        }
    rd_fail(whole, r.err);
    return whole->err;
}

enum ofp_error port_stats_decode(uint8_t version, struct rd *r, struct ofp_port_stats *s)
{
    *s = (struct ofp_port_stats){0};
    if (version >= OFP14)
        return stats_decode_14(r, s);
    s->port = ofp_port_decode(version, r);
    rd_skip(r, version == OFP10 ? 6 : 4);
    get_counters(r, s, 0, N_COUNTERS);
    s->duration_sec = version == OFP10 ? UINT32_MAX : rd_u32(r); /* not known */
    s->duration_nsec = version == OFP10 ? UINT32_MAX : rd_u32(r);
    return r->err;
}

void port_stats_request_encode(uint32_t port, uint8_t version, uint32_t xid, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, OFPMSG_PORT_STATS_REQUEST, xid);
    ofp_port_encode(port, version, out);
    buf_zeros(out, version == OFP10 ? 6 : 4);
    ofp_msg_end(out, at);
}

enum ofp_error port_stats_request_decode(uint8_t version, struct rd body, uint32_t *port)
{
    *port = ofp_port_decode(version, &body);
    rd_skip(&body, version == OFP10 ? 6 : 4);
    return body.err;
}

/* --- changes --- */

void port_mod_encode(const struct ofp_port_mod *m, uint8_t version, uint32_t xid, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, OFPMSG_PORT_MOD, xid);
    ofp_port_encode(m->port, version, out);
    if (version != OFP10)
        buf_zeros(out, 4);
    buf_put(out, m->mac, sizeof m->mac);
    if (version != OFP10)
        buf_zeros(out, 2);
    buf_u32(out, m->config);
    buf_u32(out, m->mask);
    if (version >= OFP14) {
        size_t property = property_begin(ETHERNET, out);
        buf_u32(out, m->advertise);
        property_end(out, property);
    } else {
        buf_u32(out, version == OFP10 ? features_to10(m->advertise) : m->advertise);
        buf_zeros(out, 4);
    }
    ofp_msg_end(out, at);
}

static void mod_properties(struct rd *r, struct ofp_port_mod *m)
{
    struct rd body;
    for (uint16_t type; property_next(r, &type, &body);) {
        if (type != ETHERNET)
            rd_fail(r, OFPERR_BPC_BAD_TYPE);
        m->advertise = rd_u32(&body);
        rd_fail(r, body.err || rd_left(&body) ? OFPERR_BPC_BAD_LEN : 0);
    }
}

enum ofp_error port_mod_decode(uint8_t version, struct rd body, struct ofp_port_mod *m)
{
    *m = (struct ofp_port_mod){.port = ofp_port_decode(version, &body)};
    if (version != OFP10)
        rd_skip(&body, 4);
    rd_bytes(&body, m->mac, sizeof m->mac);
    if (version != OFP10)
        rd_skip(&body, 2);
    m->config = rd_u32(&body);
    m->mask = rd_u32(&body);
    if (version >= OFP14) {
        mod_properties(&body, m);
    } else {
        m->advertise = rd_u32(&body);
        if (version == OFP10)
            m->advertise = features_from10(m->advertise);
        rd_skip(&body, 4);
    }
    return body.err;
}
