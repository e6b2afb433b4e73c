/* Packets to the controller and back (OpenFlow 1.3.5, 7.3.7 and 7.4.1). */
#include "openflow/msg.h"

void packet_in_encode(const struct packet_in *p, uint8_t version, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, OFPMSG_PACKET_IN, 0);
    buf_u32(out, p->buffer_id);
    buf_u16(out, p->total_len);
    buf_u8(out, p->reason);
    buf_u8(out, p->table);
    buf_u64(out, p->cookie);
    match_encode(&p->match, version, out);
    /* 7.4.1: two bytes of padding, so that the IP header in the frame is aligned. */
    buf_zeros(out, 2);
    buf_put(out, p->data, MIN(p->data_len, OFP_MAX_LEN - (out->len - at)));
    ofp_msg_end(out, at);
}

enum ofp_error packet_in_decode(uint8_t version, struct rd body, struct packet_in *p)
{
    p->buffer_id = rd_u32(&body);
    p->total_len = rd_u16(&body);
    p->reason = rd_u8(&body);
    p->table = rd_u8(&body);
    p->cookie = rd_u64(&body);
    match_decode(version, &body, &p->match);
    rd_skip(&body, 2);
    p->data_len = rd_left(&body);
    p->data = body.p;
    if (p->reason > OFPR_INVALID_TTL)
        rd_fail(&body, OFPERR_NXBRC_BAD_REASON);
    return body.err;
}

void packet_out_encode(const struct packet_out *p, uint8_t version, uint32_t xid, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, OFPMSG_PACKET_OUT, xid);
    buf_u32(out, p->buffer_id);
    buf_u32(out, p->in_port);
    size_t actions_len = out->len;
    buf_zeros(out, 8);
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
    p->in_port = rd_u32(&body);
    uint16_t actions_len = rd_u16(&body);
    rd_skip(&body, 6);
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
