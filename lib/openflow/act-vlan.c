/* act-vlan.c: push_vlan, pop_vlan. */
#include "openflow/act-shape.h"

/* OpenFlow 1.3.5, 7.2.5: "The ethertype … is only used for … 0x8100 and 0x88a8", else OFPBAC_BAD_TAG? The specification
 * leaves the code open; BAD_ARGUMENT is what Open vSwitch answers. */
static bool is_vlan(uint32_t type) { return type == 0x8100 || type == 0x88a8; }

static void push_vlan_decode(uint8_t version, struct rd *r, enum act_type type, struct buf *list, unsigned depth)
{
    act_decode_u16(version, r, type, list, depth);
    rd_skip(r, 2);
}

static bool push_vlan_parse(struct act_text *t, enum act_type type, const struct item *item, unsigned depth)
{
    return act_parse_u16(t, type, item, depth);
}

/* From here on the packet has a tag, whatever the match says. */
static enum ofp_error push_vlan_check(const struct act *a, struct act_state *st)
{
    if (!is_vlan(a->n))
        return act_fault(st, OFPERR_BAC_BAD_ARGUMENT, "a VLAN tag has type 0x8100 or 0x88a8");
    st->match.value.eth.tci |= htons(VLAN_PRESENT);
    st->match.mask.eth.tci |= htons(VLAN_PRESENT);
    return OFPERR_OK;
}

const struct act_shape act_shape_push_vlan = {push_vlan_decode, act_encode_u16, push_vlan_parse, act_format_hex,
                                              push_vlan_check};

enum ofp_error act_need_vlan(struct act_state *st)
{
    enum ofp_error e = st->ctx->of10 ? OFPERR_OK : act_need(st, FIELD_VLAN_PCP);
    return e ? act_fault(st, e,
                         "not every packet of this flow has a VLAN tag: the match needs dl_vlan or "
                         "'vlan_vid=0x1000/0x1000', or push_vlan must come before")
             : e;
}

/* What is behind the tag nobody knows. */
static enum ofp_error pop_vlan_check(const struct act *a UNUSED, struct act_state *st)
{
    enum ofp_error e = act_need_vlan(st);
    if (e)
        return e;
    st->match.value.eth.tci = 0;
    st->match.mask.eth.tci = 0;
    return OFPERR_OK;
}

const struct act_shape act_shape_pop_vlan = {act_decode_none, act_encode_none, act_parse_none, act_format_none,
                                             pop_vlan_check};
