/* Packet-ins in Nicira's formats: a struct with an nx_match, and properties. Both in any version. */
#include "openflow/msg.h"
#include "openflow/property.h"

/* --- NXT_PACKET_IN --- */

static void packet_in1_encode(const struct packet_in *p, uint8_t version, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, OFPMSG_NX_PACKET_IN, 0);
    buf_u32(out, p->buffer_id);
    buf_u16(out, p->total_len);
    buf_u8(out, p->reason);
    buf_u8(out, p->table);
    buf_u64(out, p->cookie);
    size_t len = out->len;
    buf_zeros(out, 8);
    size_t match = out->len, match_len = nx_match_encode(&p->match, 0, 0, out);
    out->len = match + match_len;
    buf_set_u16(out, len, (uint16_t)match_len);
    buf_align(out, match, 8);
    buf_zeros(out, 2); /* so that the IP header in the frame is aligned */
    buf_put(out, p->data, MIN(p->data_len, OFP_MAX_LEN - (out->len - at)));
    ofp_msg_end(out, at);
}

enum ofp_error nx_packet_in_decode(uint8_t version UNUSED, struct rd body, struct packet_in *p)
{
    memset(p, 0, sizeof *p);
    p->buffer_id = rd_u32(&body);
    p->total_len = rd_u16(&body);
    p->reason = rd_u8(&body);
    p->table = rd_u8(&body);
    p->cookie = rd_u64(&body);
    uint16_t len = rd_u16(&body);
    rd_skip(&body, 6);
    if (!body.err) {
        enum ofp_error e = nx_match_decode(&body, len, &p->match, NULL, NULL);
        if (e)
            rd_fail(&body, e);
    }
    rd_skip(&body, 2);
    p->data_len = rd_left(&body);
    p->data = body.p;
    return body.err;
}

/* --- NXT_PACKET_IN2 --- */

enum { PACKET, FULL_LEN, BUFFER_ID, TABLE_ID, COOKIE, REASON, METADATA, USERDATA };

static void put_u8(uint16_t type, uint8_t v, struct buf *out)
{
    size_t at = property_begin(type, out);
    buf_u8(out, v);
    property_end(out, at);
}

static void put_u32(uint16_t type, uint32_t v, struct buf *out)
{
    size_t at = property_begin(type, out);
    buf_u32(out, v);
    property_end(out, at);
}

/* The fields alone: NXM's in 1.0, OXM's later. */
static void put_fields(const struct match *m, uint8_t version, struct buf *out)
{
    struct buf b = BUF_INIT;
    if (version == OFP10) {
        size_t len = nx_match_encode(m, 0, 0, &b);
        buf_put(out, b.data, len);
    } else {
        enum { HEADER = 4 };
        match_encode(m, version, &b);
        buf_put(out, b.data + HEADER, ((size_t)b.data[2] << 8 | b.data[3]) - HEADER);
    }
    buf_free(&b);
}

static void packet_in2_encode(const struct packet_in *p, uint8_t version, struct buf *out)
{
    enum { REST = 1024 /* what all other properties are shorter than, but for the user's */ };
    size_t at = ofp_msg_begin(out, version, OFPMSG_NX_PACKET_IN2, 0);
    size_t len = MIN(p->data_len, (size_t)OFP_MAX_LEN - REST - p->userdata_len);
    size_t property = property_begin(PACKET, out);
    buf_put(out, p->data, len);
    property_end(out, property);
    if (len != p->total_len)
        put_u32(FULL_LEN, p->total_len, out);
    if (p->buffer_id != OFP_NO_BUFFER)
        put_u32(BUFFER_ID, p->buffer_id, out);
    put_u8(TABLE_ID, p->table, out);
    if (p->cookie != UINT64_MAX) {
        property = property_begin(COOKIE, out);
        buf_zeros(out, 4);
        buf_u64(out, p->cookie);
        property_end(out, property);
    }
    put_u8(REASON, p->reason, out);
    property = property_begin(METADATA, out);
    put_fields(&p->match, version, out);
    property_end(out, property);
    if (p->userdata_len) {
        property = property_begin(USERDATA, out);
        buf_put(out, p->userdata, p->userdata_len);
        property_end(out, property);
    }
    ofp_msg_end(out, at);
}

static enum ofp_error decode_fields(uint8_t version, struct rd r, struct match *m)
{
    bool seen[N_FIELDS] = {false};
    enum ofp_error e = OFPERR_OK;
    while (rd_left(&r) && !e)
        e = match_decode_field(version, &r, m, seen);
    return e;
}

static enum ofp_error decode_property(uint8_t version, uint16_t type, struct rd r, struct packet_in *p, uint32_t *full_len)
{
    switch (type) {
    case PACKET:
        p->data = r.p;
        p->data_len = rd_left(&r);
        return OFPERR_OK;
    case FULL_LEN:
        *full_len = rd_u32(&r);
        break;
    case BUFFER_ID:
        p->buffer_id = rd_u32(&r);
        break;
    case TABLE_ID:
        p->table = rd_u8(&r);
        break;
    case COOKIE:
        rd_skip(&r, 4);
        p->cookie = rd_u64(&r);
        break;
    case REASON:
        p->reason = rd_u8(&r);
        break;
    case METADATA:
        return decode_fields(version, r, &p->match);
    case USERDATA:
        p->userdata = r.p;
        p->userdata_len = rd_left(&r);
        return OFPERR_OK;
    default:
        return OFPERR_OK;
    }
    return r.err ? OFPERR_BPC_BAD_LEN : OFPERR_OK;
}

enum ofp_error nx_packet_in2_decode(uint8_t version, struct rd body, struct packet_in *p)
{
    uint16_t type;
    struct rd r;
    uint32_t full_len = 0;
    *p = (struct packet_in){.buffer_id = OFP_NO_BUFFER, .cookie = UINT64_MAX};
    while (property_next(&body, &type, &r)) {
        enum ofp_error e = decode_property(version, type, r, p, &full_len);
        if (e)
            return e;
    }
    p->total_len = (uint16_t)MIN(MAX(full_len, p->data_len), (size_t)UINT16_MAX);
    return body.err;
}

void packet_in_encode_as(const struct packet_in *p, enum nx_packet_in_format format, uint8_t version, struct buf *out)
{
    if (format == NXPIF_NXT_PACKET_IN)
        packet_in1_encode(p, version, out);
    else if (format == NXPIF_NXT_PACKET_IN2)
        packet_in2_encode(p, version, out);
    else
        packet_in_encode(p, version, out);
}
