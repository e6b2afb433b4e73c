/* property.h: properties: type, length without padding, body, padding to 8 bytes (OpenFlow 1.4, 7.2.1.1; 1.3's table
 * features and hello elements have the same form). Inside lib/openflow only. */
#ifndef OPENFLOW_PROPERTY_H
#define OPENFLOW_PROPERTY_H 1

#include "openflow/ofp.h"

static inline size_t property_begin(uint16_t type, struct buf *out)
{
    size_t at = out->len;
    buf_u16(out, type);
    buf_u16(out, 0);
    return at;
}

static inline void property_end(struct buf *out, size_t at)
{
    buf_set_u16(out, at + 2, (uint16_t)(out->len - at));
    buf_align(out, at, 8);
}

/* The next one's body. False at the end, or with OFPBPC_BAD_LEN in r. */
static inline bool property_next(struct rd *r, uint16_t *type, struct rd *body)
{
    if (!rd_left(r))
        return false;
    size_t left = rd_left(r);
    *type = rd_u16(r);
    size_t len = rd_u16(r);
    if (r->err || len < 4 || len > left || ROUND_UP(len, 8) > left) {
        r->err = 0;
        rd_fail(r, OFPERR_BPC_BAD_LEN);
        return false;
    }
    *body = rd_sub(r, len - 4);
    rd_skip(r, ROUND_UP(len, 8) - len);
    return true;
}

#endif
