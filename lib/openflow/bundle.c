#include "openflow/bundle.h"

/* 1.4, 7.3.9.3: properties, of which there is the experimenters' only, and none that we know: they are skipped. */
static void skip_properties(struct rd *r)
{
    while (rd_left(r) && !r->err) {
        rd_skip(r, 2);
        uint16_t len = rd_u16(r);
        if (len < 4)
            rd_fail(r, OFPERR_BRC_BAD_LEN);
        else
            rd_skip(r, len - 4u);
        rd_skip(r, MIN(rd_left(r), (size_t)(ROUND_UP(len, 8) - len)));
    }
}

void bundle_ctrl_encode(const struct bundle_ctrl *b, uint8_t version, uint32_t xid, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, OFPMSG_BUNDLE_CONTROL, xid);
    buf_u32(out, b->id);
    buf_u16(out, b->type);
    buf_u16(out, b->flags);
    ofp_msg_end(out, at);
}

enum ofp_error bundle_ctrl_decode(uint8_t version UNUSED, struct rd body, struct bundle_ctrl *b)
{
    b->id = rd_u32(&body);
    b->type = rd_u16(&body);
    b->flags = rd_u16(&body);
    skip_properties(&body);
    return body.err;
}

void bundle_add_encode(const struct bundle_add *b, uint8_t version, struct buf *out)
{
    struct ofp_header inner;
    ofp_header_peek(b->msg, b->len, &inner);
    size_t at = ofp_msg_begin(out, version, OFPMSG_BUNDLE_ADD_MESSAGE, inner.xid);
    buf_u32(out, b->id);
    buf_zeros(out, 2);
    buf_u16(out, b->flags);
    buf_put(out, b->msg, b->len);
    ofp_msg_end(out, at);
}

enum ofp_error bundle_add_decode(const struct ofp_header *outer, struct rd body, struct bundle_add *b)
{
    struct ofp_header inner = {0};
    b->id = rd_u32(&body);
    rd_skip(&body, 2);
    b->flags = rd_u16(&body);
    b->msg = body.p;
    if (body.err || !ofp_header_peek(body.p, rd_left(&body), &inner) || inner.len > rd_left(&body))
        return OFPERR_BFC_MSG_BAD_LEN;
    if (inner.version != outer->version)
        return OFPERR_BRC_BAD_VERSION;
    if (inner.xid != outer->xid)
        return OFPERR_BFC_MSG_BAD_XID;
    b->len = inner.len;
    rd_skip(&body, inner.len);
    rd_skip(&body, MIN(rd_left(&body), (size_t)(ROUND_UP(inner.len, 8) - inner.len)));
    skip_properties(&body);
    return body.err;
}
