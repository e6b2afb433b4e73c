/* act-mpls.c: push_mpls, pop_mpls, set_mpls_ttl, dec_mpls_ttl, copy_ttl_out, copy_ttl_in. */
#include "openflow/act-shape.h"
#include "packet/ip.h"

static void type_decode(uint8_t version, struct rd *r, enum act_type type, struct buf *list, unsigned depth)
{
    act_decode_u16(version, r, type, list, depth);
    rd_skip(r, 2);
}

/* --- push and pop --- */

/* OpenFlow 1.3.5, 5.12: "Only Ethertype 0x8847 and 0x8848 should be used." */
static enum ofp_error push_check(const struct act *a, struct act_state *st)
{
    if (a->n != ETYPE_MPLS && a->n != ETYPE_MPLS_MC)
        return act_fault(st, OFPERR_BAC_BAD_ARGUMENT, "MPLS has Ethernet type 0x8847 or 0x8848");
    act_note_type(st, (uint16_t)a->n);
    st->match.value.eth.tci = st->match.mask.eth.tci = 0; /* a tag is below the label now */
    return OFPERR_OK;
}

const struct act_shape act_shape_push_mpls = {type_decode, act_encode_u16, act_parse_u16, act_format_hex, push_check};

/* The argument is believed: what is below is taken for it. Below a VLAN type's label is a tag. */
static enum ofp_error pop_check(const struct act *a, struct act_state *st)
{
    enum ofp_error e = act_need(st, FIELD_MPLS_LABEL);
    if (e)
        return e;
    act_note_type(st, etype_is_vlan((uint16_t)a->n) ? 0 : (uint16_t)a->n);
    if (etype_is_vlan((uint16_t)a->n)) {
        st->match.value.eth.tci |= htons(VLAN_PRESENT);
        st->match.mask.eth.tci = htons(VLAN_PRESENT);
        st->match.value.eth.tci &= st->match.mask.eth.tci;
    }
    return OFPERR_OK;
}

const struct act_shape act_shape_pop_mpls = {type_decode, act_encode_u16, act_parse_u16, act_format_hex, pop_check};

/* --- TTL --- */

static void ttl_decode(uint8_t version, struct rd *r, enum act_type type, struct buf *list, unsigned depth)
{
    act_decode_u8(version, r, type, list, depth);
    rd_skip(r, 3);
}

static enum ofp_error mpls_check(const struct act *a UNUSED, struct act_state *st)
{
    return act_need(st, FIELD_MPLS_LABEL);
}

static void ttl_format(const struct act *a, const struct port_names *names UNUSED, struct buf *out)
{
    buf_printf(out, "%s(%u)", act_name(a->type), a->n);
}

const struct act_shape act_shape_set_mpls_ttl = {ttl_decode, act_encode_u8, act_parse_u8, ttl_format, mpls_check};
const struct act_shape act_shape_dec_mpls_ttl = {act_decode_none, act_encode_none, act_parse_none, act_format_none,
                                                 mpls_check};

/* OpenFlow 1.3.5, table 6: "Copy the TTL from next-to-outermost to outermost header with TTL. Copy can be IP-to-IP,
 * MPLS-to-MPLS, or IP-to-MPLS." */
static enum ofp_error copy_check(const struct act *a UNUSED, struct act_state *st)
{
    return match_prereq(&st->match, FIELD_IP_TTL, NULL) ? OFPERR_OK : act_need(st, FIELD_MPLS_LABEL);
}

const struct act_shape act_shape_copy_ttl = {act_decode_none, act_encode_none, act_parse_none, act_format_none,
                                             copy_check};
