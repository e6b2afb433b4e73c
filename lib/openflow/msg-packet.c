/* Packets to the controller and back (OpenFlow 1.3.5, 7.3.7 and 7.4.1; 1.0.1, 5.3.6 and 5.4.1). */
#include "openflow/msg.h"

static uint32_t in_port_of(const struct match *m) { return ntohl(m->value.meta.in_port); }

/* Versions before 1.4 know of no more reasons than these. */
static uint8_t reason_in(uint8_t reason, uint8_t version)
{
    return version < OFP14 && reason > OFPR_INVALID_TTL ? OFPR_ACTION : reason;
}

void packet_in_encode(const struct packet_in *p, uint8_t version, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, OFPMSG_PACKET_IN, 0);
    buf_u32(out, p->buffer_id);
    buf_u16(out, p->total_len);
    if (version == OFP10)
        ofp_port_encode(in_port_of(&p->match), OFP10, out);
    buf_u8(out, reason_in(p->reason, version));
    if (version == OFP10) {
        buf_zeros(out, 1);
    } else {
        buf_u8(out, p->table);
        buf_u64(out, p->cookie);
        match_encode(&p->match, version, out);
        /* 7.4.1: two bytes of padding, so that the IP header in the frame is aligned. */
        buf_zeros(out, 2);
    }
    buf_put(out, p->data, MIN(p->data_len, OFP_MAX_LEN - (out->len - at)));
    ofp_msg_end(out, at);
}

static void decode_in_port(struct rd *r, struct packet_in *p)
{
    union field_value port;
    field_value_set_u64(&port, ofp_port_from16(rd_u16(r)));
    memset(&p->match, 0, sizeof p->match);
    match_set(&p->match, FIELD_IN_PORT, &port, NULL);
}

enum ofp_error packet_in_decode(uint8_t version, struct rd body, struct packet_in *p)
{
    p->buffer_id = rd_u32(&body);
    p->total_len = rd_u16(&body);
    p->table = 0;
    p->cookie = UINT64_MAX;
    if (version == OFP10)
        decode_in_port(&body, p);
    p->reason = rd_u8(&body);
    if (version == OFP10) {
        rd_skip(&body, 1);
    } else {
        p->table = rd_u8(&body);
        p->cookie = rd_u64(&body);
        enum ofp_error e = match_decode(version, &body, &p->match);
        if (e)
            rd_fail(&body, e);
        rd_skip(&body, 2);
    }
    p->data_len = rd_left(&body);
    p->data = body.p;
    if (p->reason > (version < OFP14 ? OFPR_INVALID_TTL : OFPR_PACKET_OUT))
        rd_fail(&body, OFPERR_NXBRC_BAD_REASON);
    return body.err;
}

void packet_out_encode(const struct packet_out *p, uint8_t version, uint32_t xid, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, OFPMSG_PACKET_OUT, xid);
    buf_u32(out, p->buffer_id);
    ofp_port_encode(p->in_port, version, out);
    size_t actions_len = out->len;
    buf_zeros(out, version == OFP10 ? 2 : 8);
    size_t actions = out->len;
    acts_encode_actions(p->acts.data, p->acts.len, version, out);
    buf_set_u16(out, actions_len, out->len - actions);
    if (p->buffer_id == OFP_NO_BUFFER)
        buf_put(out, p->data, p->data_len);
    ofp_msg_end(out, at);
}

/* 7.3.7: "in_port [...] must be set to either a valid switch port or OFPP_CONTROLLER". LOCAL is one that may exist;
 * ANY is what other switches take too, for "none". */
static bool is_packet_out_in_port(uint32_t port)
{
    return port <= OFPP_MAX || port == OFPP_LOCAL || port == OFPP_CONTROLLER || port == OFPP_ANY;
}

enum ofp_error packet_out_decode(uint8_t version, struct rd body, struct packet_out *p)
{
    *p = (struct packet_out){.acts = BUF_INIT};
    p->buffer_id = rd_u32(&body);
    p->in_port = ofp_port_decode(version, &body);
    p->of10 = version == OFP10;
    uint16_t actions_len = rd_u16(&body);
    rd_skip(&body, version == OFP10 ? 0 : 6);
    struct rd actions = rd_sub(&body, actions_len);
    if (body.err)
        return OFPERR_BRC_BAD_LEN;
    if (!is_packet_out_in_port(p->in_port))
        return OFPERR_BRC_BAD_PORT;
    rd_fail(&body, acts_decode_actions(version, actions, &p->acts));
    if (p->buffer_id == OFP_NO_BUFFER) {
        p->data_len = rd_left(&body);
        p->data = body.p;
    }
    return body.err;
}
