/* act-pbb.c: push_pbb, pop_pbb. */
#include "openflow/act-shape.h"
#include "packet/ip.h"

static void type_decode(uint8_t version, struct rd *r, enum act_type type, struct buf *list, unsigned depth)
{
    act_decode_u16(version, r, type, list, depth);
    rd_skip(r, 2);
}

void act_note_type(struct act_state *st, uint16_t type)
{
    st->match.value.eth.type = htons(type);
    st->match.mask.eth.type = type ? 0xffff : 0;
}

/* OpenFlow 1.3.5, 5.12: "Only Ethertype 0x88E7 should be used." */
static enum ofp_error push_check(const struct act *a, struct act_state *st)
{
    if (a->n != ETYPE_PBB)
        return act_fault(st, OFPERR_BAC_BAD_ARGUMENT, "PBB has Ethernet type 0x88e7");
    act_note_type(st, ETYPE_PBB);
    st->match.value.eth.tci = st->match.mask.eth.tci = 0; /* a tag is the customer's now */
    return OFPERR_OK;
}

const struct act_shape act_shape_push_pbb = {type_decode, act_encode_u16, act_parse_u16, act_format_hex, push_check};

/* What is inside nobody knows. */
static enum ofp_error pop_check(const struct act *a UNUSED, struct act_state *st)
{
    enum ofp_error e = act_need(st, FIELD_PBB_ISID);
    if (e)
        return e;
    act_note_type(st, 0);
    st->match.value.eth.tci = st->match.mask.eth.tci = 0;
    return OFPERR_OK;
}

const struct act_shape act_shape_pop_pbb = {act_decode_none, act_encode_none, act_parse_none, act_format_none,
                                            pop_check};
