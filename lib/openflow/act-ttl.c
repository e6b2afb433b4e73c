/* act-ttl.c: mod_nw_ttl, dec_ttl. */
#include "openflow/act-shape.h"

static void ttl_decode(uint8_t version, struct rd *r, enum act_type type, struct buf *list, unsigned depth)
{
    act_decode_u8(version, r, type, list, depth);
    rd_skip(r, 3);
}

static enum ofp_error ttl_check(const struct act *a UNUSED, struct act_state *st)
{
    return st->ctx->of10 ? OFPERR_OK : act_need(st, FIELD_IP_TTL);
}

const struct act_shape act_shape_set_nw_ttl = {ttl_decode, act_encode_u8, act_parse_u8, act_format_u32, ttl_check};
const struct act_shape act_shape_dec_nw_ttl = {act_decode_none, act_encode_none, act_parse_none, act_format_none,
                                               ttl_check};
