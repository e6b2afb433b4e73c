/* Messages about the session itself: HELLO, ECHO, ERROR, roles, which asynchronous messages. */
#include "openflow/msg.h"

void ofp_simple_encode(enum ofp_msg_type type, uint8_t version, uint32_t xid, struct buf *out)
{
    ofp_msg_end(out, ofp_msg_begin(out, version, type, xid));
}

/* --- HELLO --- */

enum { HELLO_VERSIONBITMAP = 1 };

void hello_encode(uint32_t versions, uint32_t xid, struct buf *out)
{
    assert(versions);
    uint8_t highest = 31 - __builtin_clz(versions);
    size_t at = ofp_msg_begin(out, highest, OFPMSG_HELLO, xid);
    buf_u16(out, HELLO_VERSIONBITMAP);
    buf_u16(out, 8);
    buf_u32(out, versions);
    ofp_msg_end(out, at);
}

/* 7.5.1: "Implementations must ignore (skip) all elements of a Hello message that they do not support." 6.3.1 without a
 * bitmap: the version to use is "the smaller of the version number that was sent and the one that was received", so a
 * peer then speaks every version up to its header's. Bitmaps behind the first word are of versions past 31. */
enum ofp_error hello_decode(const struct ofp_header *h, struct rd body, uint32_t *versions)
{
    *versions = h->version >= 31 ? UINT32_MAX : (UINT32_C(2) << h->version) - 1;
    *versions &= ~UINT32_C(1);
    while (rd_left(&body)) {
        uint16_t type = rd_u16(&body), len = rd_u16(&body);
        if (len < 4)
            rd_fail(&body, OFPERR_BRC_BAD_LEN);
        struct rd element = rd_sub(&body, len < 4 ? 0 : len - 4);
        if (body.err)
            break;
        rd_skip(&body, MIN(rd_left(&body), (size_t)(ROUND_UP(len, 8) - len)));
        if (type == HELLO_VERSIONBITMAP && rd_left(&element) >= 4)
            *versions = rd_u32(&element);
    }
    return body.err;
}

/* --- ECHO --- */

void ofp_echo_encode(bool reply, uint8_t version, uint32_t xid, const void *data, size_t len, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, reply ? OFPMSG_ECHO_REPLY : OFPMSG_ECHO_REQUEST, xid);
    buf_put(out, data, len);
    ofp_msg_end(out, at);
}

/* --- ERROR (encoded in ofp.c) --- */

enum ofp_error error_msg_decode(uint8_t version UNUSED, struct rd body, struct ofp_error_msg *e)
{
    e->type = rd_u16(&body);
    e->code = rd_u16(&body);
    e->experimenter = e->type == OFPET_EXPERIMENTER ? rd_u32(&body) : 0;
    e->error = ofp_error_from(e->type, e->code, e->experimenter);
    e->data_len = rd_left(&body);
    e->data = body.p;
    return body.err;
}

/* --- Roles --- */

void role_encode(const struct ofp_role_request *r, enum ofp_msg_type type, uint8_t version, uint32_t xid,
                 struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, type, xid);
    buf_u32(out, r->role);
    buf_zeros(out, 4);
    buf_u64(out, r->generation_id);
    ofp_msg_end(out, at);
}

enum ofp_error role_decode(uint8_t version UNUSED, struct rd body, struct ofp_role_request *r)
{
    r->role = rd_u32(&body);
    rd_skip(&body, 4);
    r->generation_id = rd_u64(&body);
    if (r->role > OFPCR_SLAVE)
        rd_fail(&body, OFPERR_RRFC_BAD_ROLE);
    return body.err;
}

/* --- Asynchronous messages --- */

void async_encode(const struct ofp_async_config *a, enum ofp_msg_type type, uint8_t version, uint32_t xid,
                  struct buf *out)
{
    const uint32_t *masks[] = {a->packet_in, a->port_status, a->flow_removed};
    size_t at = ofp_msg_begin(out, version, type, xid);
    for (int i = 0; i < 6; i++)
        buf_u32(out, masks[i / 2][i % 2]);
    ofp_msg_end(out, at);
}

enum ofp_error async_decode(uint8_t version UNUSED, struct rd body, struct ofp_async_config *a)
{
    uint32_t *masks[] = {a->packet_in, a->port_status, a->flow_removed};
    for (int i = 0; i < 6; i++)
        masks[i / 2][i % 2] = rd_u32(&body);
    return body.err;
}

/* --- Nicira's --- */

void nx_packet_in_format_encode(uint32_t format, uint8_t version, uint32_t xid, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, OFPMSG_NX_SET_PACKET_IN_FORMAT, xid);
    buf_u32(out, format);
    ofp_msg_end(out, at);
}

enum ofp_error nx_packet_in_format_decode(uint8_t version UNUSED, struct rd body, uint32_t *format)
{
    *format = rd_u32(&body);
    return body.err;
}

void nx_controller_id_encode(uint16_t id, uint8_t version, uint32_t xid, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, OFPMSG_NX_SET_CONTROLLER_ID, xid);
    buf_zeros(out, 6);
    buf_u16(out, id);
    ofp_msg_end(out, at);
}

enum ofp_error nx_controller_id_decode(uint8_t version UNUSED, struct rd body, uint16_t *id)
{
    for (int i = 0; i < 6; i++)
        if (rd_u8(&body))
            rd_fail(&body, OFPERR_NXBRC_MUST_BE_ZERO);
    *id = rd_u16(&body);
    return body.err;
}
