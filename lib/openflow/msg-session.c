/* Messages about the session itself: HELLO, ECHO, ERROR, roles, which asynchronous messages. */
#include "openflow/msg.h"
#include "openflow/property.h"

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

enum ofp_error error_msg_decode(uint8_t version, struct rd body, struct ofp_error_msg *e)
{
    e->type = rd_u16(&body);
    e->code = rd_u16(&body);
    bool nx10 = version == OFP10 && e->type == OFPET_NX10 && e->code == 0;
    e->experimenter = nx10 || e->type == OFPET_EXPERIMENTER ? rd_u32(&body) : 0;
    if (nx10) {
        e->type = rd_u16(&body);
        e->code = rd_u16(&body);
    }
    e->error = ofp_error_from(version, e->type, e->code, e->experimenter);
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

/* --- Role status (1.4, 7.4.4) --- */

void role_status_encode(const struct ofp_role_status *s, uint8_t version, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, OFPMSG_ROLE_STATUS, 0);
    buf_u32(out, s->role);
    buf_u8(out, s->reason);
    buf_zeros(out, 3);
    buf_u64(out, s->generation_id);
    ofp_msg_end(out, at);
}

enum ofp_error role_status_decode(uint8_t version UNUSED, struct rd body, struct ofp_role_status *s)
{
    s->role = rd_u32(&body);
    s->reason = rd_u8(&body);
    rd_skip(&body, 3);
    s->generation_id = rd_u64(&body);
    if (s->role > OFPCR_SLAVE)
        rd_fail(&body, OFPERR_RRFC_BAD_ROLE);
    return body.err;
}

/* --- Asynchronous messages --- */

enum { N_MASKS = 6, N_MASKS_13 = 3 };

/* In the order of the message, which 1.4's property types keep: for each, slave 2 * i, master and equal 2 * i + 1. */
static uint32_t *async_masks(struct ofp_async_config *a, size_t i)
{
    uint32_t *all[N_MASKS] = {a->packet_in, a->port_status, a->flow_removed, a->role_status, a->table_status, a->requestforward};
    return all[i];
}

void async_encode(const struct ofp_async_config *config, enum ofp_msg_type type, uint8_t version, uint32_t xid,
                  struct buf *out)
{
    struct ofp_async_config a = *config;
    bool properties = version >= OFP14 && type != OFPMSG_NX_SET_ASYNC_CONFIG;
    size_t at = ofp_msg_begin(out, version, type, xid);
    for (size_t i = 0; i < (properties ? N_MASKS : N_MASKS_13); i++)
        for (size_t slave = 0; slave < 2; slave++) {
            size_t property = properties ? property_begin((uint16_t)(2 * i + !slave), out) : 0;
            buf_u32(out, async_masks(&a, i)[slave]);
            if (properties)
                property_end(out, property);
        }
    ofp_msg_end(out, at);
}

/* 1.4, 7.3.10: what is not in the message stays as it is. */
static enum ofp_error async_properties(struct rd *r, struct ofp_async_config *a)
{
    struct rd body;
    for (uint16_t type; property_next(r, &type, &body);) {
        if (type >= 2 * N_MASKS)
            rd_fail(r, OFPERR_BPC_BAD_TYPE);
        else
            async_masks(a, type / 2)[!(type & 1)] = rd_u32(&body);
        if (body.err || rd_left(&body))
            rd_fail(r, OFPERR_BPC_BAD_LEN);
    }
    return r->err;
}

enum ofp_error async_decode(uint8_t version, struct rd body, struct ofp_async_config *a)
{
    if (version >= OFP14)
        return async_properties(&body, a);
    return nx_async_decode(version, body, a);
}

enum ofp_error nx_async_decode(uint8_t version UNUSED, struct rd body, struct ofp_async_config *a)
{
    for (size_t i = 0; i < 2 * N_MASKS_13; i++)
        async_masks(a, i / 2)[i % 2] = rd_u32(&body);
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

void nx_flow_format_encode(uint32_t format, uint8_t version, uint32_t xid, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, OFPMSG_NX_SET_FLOW_FORMAT, xid);
    buf_u32(out, format);
    ofp_msg_end(out, at);
}

enum ofp_error nx_flow_format_decode(uint8_t version UNUSED, struct rd body, uint32_t *format)
{
    *format = rd_u32(&body);
    if (*format != NXFF_OPENFLOW10 && *format != NXFF_NXM)
        rd_fail(&body, OFPERR_BRC_EPERM);
    return body.err;
}

void nx_table_id_encode(bool on, uint8_t version, uint32_t xid, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, OFPMSG_NX_FLOW_MOD_TABLE_ID, xid);
    buf_u8(out, on);
    buf_zeros(out, 7);
    ofp_msg_end(out, at);
}

enum ofp_error nx_table_id_decode(uint8_t version UNUSED, struct rd body, bool *on)
{
    *on = rd_u8(&body) != 0;
    return body.err;
}

/* Nicira's numbers begin with "other", which is equal. */
void nx_role_encode(uint32_t role, enum ofp_msg_type type, uint8_t version, uint32_t xid, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, type, xid);
    buf_u32(out, role - OFPCR_EQUAL);
    ofp_msg_end(out, at);
}

enum ofp_error nx_role_decode(uint8_t version UNUSED, struct rd body, uint32_t *role)
{
    uint32_t n = rd_u32(&body);
    *role = n + OFPCR_EQUAL;
    if (n > OFPCR_SLAVE - OFPCR_EQUAL)
        rd_fail(&body, OFPERR_RRFC_BAD_ROLE);
    return body.err;
}
