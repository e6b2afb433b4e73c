/* act-of10.c: actions as OpenFlow 1.0 has them (1.0.1, 5.2.4), and Nicira's that stand in for what it lacks.
 *
 * 1.0 has no instructions: goto_table goes out as Nicira's resubmit, write_metadata as an action of Nicira's; what has
 * no form at all (the action set, meters) is left out, as Open vSwitch does. 1.0's set actions ask nothing of the
 * match: decoded they are set_if_present, or set_field where the flow's match says that its packets have the field. */
#include "openflow/act-shape.h"
#include "openflow/match-codec.h"

enum type { /* OFPAT_… of 1.0 */
            A_OUTPUT,
            A_SET_VLAN_VID,
            A_SET_VLAN_PCP,
            A_STRIP_VLAN,
            A_SET_DL_SRC,
            A_SET_DL_DST,
            A_SET_NW_SRC,
            A_SET_NW_DST,
            A_SET_NW_TOS,
            A_SET_TP_SRC,
            A_SET_TP_DST,
            A_ENQUEUE,
            N_TYPES,
};
enum { NX_RESUBMIT_TABLE = 14, NX_MPLS_LABEL = 30, NX_MPLS_TC = 31, NX_REG_LOAD2 = 33 };

/* What 1.3 has as an action or instruction of its own, and 1.0 as Nicira's: subtype, and the bytes of padding that go
 * before what the 1.3 form begins with. */
static const struct {
    enum act_type type;
    uint8_t subtype, pad;
} stand_ins[] = {
    {ACT_SET_QUEUE, 4, 2}, {ACT_DEC_NW_TTL, 18, 0},   {INST_WRITE_METADATA, 22, 2}, {ACT_PUSH_MPLS, 23, 0},
    {ACT_POP_MPLS, 24, 0}, {ACT_SET_MPLS_TTL, 25, 0}, {ACT_DEC_MPLS_TTL, 26, 0},    {ACT_GROUP, 40, 2},
};

/* --- in --- */

static void put_set(struct buf *list, enum act_type type, enum field_id f, uint64_t n)
{
    union field_value value;
    field_value_set_u64(&value, n);
    act_put_set_field(list, type, f, &value);
}

/* A tag is pushed if there is none: NXM's view of the tag has the bit that says so. */
static void put_tci(struct buf *list, unsigned ofs, unsigned n_bits, uint64_t n)
{
    struct subfield s = {.field = FIELD_VLAN_TCI, .ofs = (uint8_t)ofs, .n_bits = (uint8_t)n_bits};
    struct act_set_field *a = act_append(list, ACT_REG_LOAD, sizeof *a);
    a->field = s.field;
    a->ofs = s.ofs;
    a->n_bits = s.n_bits;
    subfield_set(&s, &a->value, &a->mask, n);
}

static void put_tp(struct buf *list, bool dst, uint16_t port)
{
    put_set(list, ACT_SET_PRESENT, dst ? FIELD_TCP_DST : FIELD_TCP_SRC, port);
    put_set(list, ACT_SET_PRESENT, dst ? FIELD_UDP_DST : FIELD_UDP_SRC, port);
    put_set(list, ACT_SET_PRESENT, dst ? FIELD_SCTP_DST : FIELD_SCTP_SRC, port);
}

static void put_output(struct buf *list, uint32_t port, uint16_t max_len)
{
    struct act_output *o = act_append(list, ACT_OUTPUT, sizeof *o);
    o->a.n = port;
    o->max_len = port == OFPP_CONTROLLER ? max_len : 0;
}

static void decode_enqueue(struct rd *r, struct buf *list)
{
    uint32_t port = ofp_port_from16(rd_u16(r));
    rd_skip(r, 6);
    struct act_number *queue = act_append(list, ACT_SET_QUEUE, sizeof *queue);
    queue->a.n = rd_u32(r);
    put_output(list, port, 0);
    act_append(list, ACT_POP_QUEUE, sizeof(struct act_number));
    if (port > OFPP_MAX && port != OFPP_IN_PORT &&
        port != OFPP_LOCAL) /* 1.0.1, 5.2.4: a physical port or IN_PORT */
        rd_fail(r, OFPERR_BAC_BAD_OUT_PORT);
}

enum ofp_error act_decode_of10(uint16_t type, struct rd *r, struct buf *list)
{
    uint8_t mac[6];
    uint16_t n;
    switch (type) {
    case A_OUTPUT:
        n = rd_u16(r);
        put_output(list, ofp_port_from16(n), rd_u16(r));
        break;
    case A_SET_VLAN_VID:
        n = rd_u16(r);
        rd_skip(r, 2);
        if (n > VLAN_VID_MASK)
            rd_fail(r, OFPERR_BAC_BAD_ARGUMENT);
        put_tci(list, 0, 13, (n & VLAN_VID_MASK) | VLAN_PRESENT);
        break;
    case A_SET_VLAN_PCP:
        n = rd_u8(r);
        rd_skip(r, 3);
        if (n > 7)
            rd_fail(r, OFPERR_BAC_BAD_ARGUMENT);
        put_tci(list, 12, 4, (n & 7) << 1 | 1);
        break;
    case A_STRIP_VLAN:
        act_append(list, ACT_POP_VLAN, sizeof(struct act_number));
        rd_skip(r, 4);
        break;
    case A_SET_DL_SRC:
    case A_SET_DL_DST: {
        union field_value value = {{0}};
        rd_bytes(r, mac, 6);
        rd_skip(r, 6);
        memcpy(value.b + 10, mac, 6);
        act_put_set_field(list, ACT_SET_FIELD, type == A_SET_DL_SRC ? FIELD_ETH_SRC : FIELD_ETH_DST, &value);
        break;
    }
    case A_SET_NW_SRC:
    case A_SET_NW_DST:
        put_set(list, ACT_SET_PRESENT, type == A_SET_NW_SRC ? FIELD_IPV4_SRC : FIELD_IPV4_DST, rd_u32(r));
        break;
    case A_SET_NW_TOS:
        n = rd_u8(r);
        rd_skip(r, 3);
        if (n & 3)
            rd_fail(r, OFPERR_BAC_BAD_ARGUMENT);
        put_set(list, ACT_SET_PRESENT, FIELD_IP_DSCP, n >> 2);
        break;
    case A_SET_TP_SRC:
    case A_SET_TP_DST:
        n = rd_u16(r);
        rd_skip(r, 2);
        put_tp(list, type == A_SET_TP_DST, n);
        break;
    case A_ENQUEUE:
        decode_enqueue(r, list);
        break;
    default:
        return OFPERR_BAC_BAD_TYPE;
    }
    return rd_left(r) ? OFPERR_BAC_BAD_LEN : (enum ofp_error)r->err;
}

bool act_decode_stand_in(uint16_t subtype, struct rd *r, struct buf *list, unsigned depth)
{
    if (subtype == NX_MPLS_LABEL) {
        rd_skip(r, 2);
        uint32_t label = rd_u32(r);
        put_set(list, ACT_SET_FIELD, FIELD_MPLS_LABEL, label & 0xfffff);
        return true;
    }
    if (subtype == NX_MPLS_TC) {
        put_set(list, ACT_SET_FIELD, FIELD_MPLS_TC, rd_u8(r) & 7);
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(stand_ins); i++)
        if (stand_ins[i].subtype == subtype) {
            rd_skip(r, stand_ins[i].pad);
            act_rows[stand_ins[i].type].shape->decode(OFP10, r, stand_ins[i].type, list, depth);
            return true;
        }
    return false;
}

static const struct act *next(const struct act *a) { return (const struct act *)((const uint8_t *)a + a->len); }

static bool same_write(const struct act *a, const struct act *b)
{
    const struct act_set_field *x = (const struct act_set_field *)a, *y = (const struct act_set_field *)b;
    return b->type == ACT_SET_PRESENT && fields[x->field].ofs == fields[y->field].ofs && x->field != y->field &&
           !memcmp(&x->value, &y->value, sizeof x->value);
}

/* Where the match, as the actions before have changed it, holds what a field needs, set_if_present becomes set_field;
 * of the three that a set_tp_src was decoded to, the one is enough then. */
void acts_settle_of10(const struct match *match, struct buf *list)
{
    struct buf old = *list;
    struct act_context ctx = {.match = match, .of10 = true};
    struct act_state st;
    act_state_init(&st, &ctx);
    *list = BUF_INIT;
    for (const struct act *a = (const struct act *)old.data, *end = act_end(old.data, old.len); a != end;) {
        size_t at = list->len;
        const struct act *group_end = next(a), *chosen = NULL;
        if (a->type == ACT_SET_PRESENT) {
            while (group_end != end && same_write(a, group_end))
                group_end = next(group_end);
            for (const struct act *b = a; b != group_end && !chosen; b = next(b))
                if (match_prereq(&st.match, ((const struct act_set_field *)b)->field, NULL))
                    chosen = b;
        }
        if (chosen) {
            buf_put(list, chosen, chosen->len);
            ((struct act *)(list->data + at))->type = ACT_SET_FIELD;
        } else {
            buf_put(list, a, (size_t)((const uint8_t *)group_end - (const uint8_t *)a));
        }
        act_check_list(list->data + at, list->len - at, &st);
        a = group_end;
    }
    buf_free(&old);
}

/* --- out --- */

static size_t begin(enum type type, struct buf *out)
{
    size_t at = out->len;
    buf_u16(out, type);
    buf_u16(out, 0);
    return at;
}

static size_t begin_nx(uint16_t subtype, struct buf *out)
{
    size_t at = out->len;
    buf_u16(out, 0xffff);
    buf_u16(out, 0);
    buf_u32(out, NX_EXPERIMENTER);
    buf_u16(out, subtype);
    return at;
}

static void end_action(struct buf *out, size_t at)
{
    buf_align(out, at, 8);
    buf_set_u16(out, at + 2, (uint16_t)(out->len - at));
}

/* The action of 1.0 that writes a field; N_TYPES: none. */
static enum type setter(enum field_id f)
{
    switch (f) {
    case FIELD_VLAN_VID:
        return A_SET_VLAN_VID;
    case FIELD_VLAN_PCP:
        return A_SET_VLAN_PCP;
    case FIELD_ETH_SRC:
        return A_SET_DL_SRC;
    case FIELD_ETH_DST:
        return A_SET_DL_DST;
    case FIELD_IPV4_SRC:
        return A_SET_NW_SRC;
    case FIELD_IPV4_DST:
        return A_SET_NW_DST;
    case FIELD_IP_DSCP:
        return A_SET_NW_TOS;
    case FIELD_TCP_SRC:
    case FIELD_UDP_SRC:
    case FIELD_SCTP_SRC:
        return A_SET_TP_SRC;
    case FIELD_TCP_DST:
    case FIELD_UDP_DST:
    case FIELD_SCTP_DST:
        return A_SET_TP_DST;
    default:
        return N_TYPES;
    }
}

static void put_setter(enum type type, const union field_value *value, struct buf *out)
{
    uint64_t n = field_value_u64(value);
    size_t at = begin(type, out);
    switch (type) {
    case A_SET_DL_SRC:
    case A_SET_DL_DST:
        buf_put(out, value->b + 10, 6);
        break;
    case A_SET_NW_SRC:
    case A_SET_NW_DST:
        buf_u32(out, (uint32_t)n);
        break;
    case A_SET_VLAN_PCP:
        buf_u8(out, (uint8_t)n);
        break;
    case A_SET_NW_TOS:
        buf_u8(out, (uint8_t)(n << 2));
        break;
    default:
        buf_u16(out, (uint16_t)(type == A_SET_VLAN_VID ? n & VLAN_VID_MASK : n));
        break;
    }
    end_action(out, at);
}

static void encode_set(const struct act *a, const struct act *before, struct buf *out)
{
    const struct act_set_field *set = (const struct act_set_field *)a;
    enum type type = setter(set->field);
    bool none = type == A_SET_VLAN_VID && !(field_value_u64(&set->value) & VLAN_PRESENT);
    if (a->type == ACT_SET_PRESENT && before && before->type == ACT_SET_PRESENT && same_write(before, a))
        return; /* set_tp_src says it for all three */
    if (type != N_TYPES && !none) {
        put_setter(type, &set->value, out);
        return;
    }
    size_t at = begin_nx(NX_REG_LOAD2, out);
    oxm_encode(set->field, &set->value, &set->mask, OFP10, out);
    end_action(out, at);
}

const struct act *act_encode_enqueue(const struct act *a, const struct act *end, struct buf *out)
{
    static const enum act_type three[] = {ACT_SET_QUEUE, ACT_OUTPUT, ACT_POP_QUEUE};
    const struct act *at = a, *port = NULL;
    uint16_t narrow;
    for (size_t i = 0; i < ARRAY_SIZE(three); i++, at = next(at)) {
        if (at == end || at->type != three[i])
            return NULL;
        port = i == 1 ? at : port;
    }
    if (!ofp_port_to16(port->n, &narrow) || (port->n > OFPP_MAX && port->n != OFPP_IN_PORT && port->n != OFPP_LOCAL))
        return NULL;
    size_t start = begin(A_ENQUEUE, out);
    buf_u16(out, narrow);
    buf_zeros(out, 6);
    buf_u32(out, a->n);
    end_action(out, start);
    return at;
}

/* What set_vlan_vid and set_vlan_pcp were decoded to. */
static bool encode_tci(const struct act *a, struct buf *out)
{
    const struct act_set_field *set = (const struct act_set_field *)a;
    struct subfield s = {.field = set->field, .ofs = set->ofs, .n_bits = set->n_bits};
    uint64_t n = subfield_get(&s, &set->value);
    union field_value value;
    bool vid = !set->ofs && set->n_bits == 13 && n & VLAN_PRESENT, pcp = set->ofs == 12 && set->n_bits == 4 && n & 1;
    if (set->field != FIELD_VLAN_TCI || (!vid && !pcp))
        return false;
    field_value_set_u64(&value, vid ? n : n >> 1);
    put_setter(vid ? A_SET_VLAN_VID : A_SET_VLAN_PCP, &value, out);
    return true;
}

static bool encode_stand_in(const struct act *a, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(stand_ins); i++)
        if (stand_ins[i].type == a->type) {
            size_t at = begin_nx(stand_ins[i].subtype, out);
            buf_zeros(out, stand_ins[i].pad);
            act_rows[a->type].shape->encode(a, OFP10, out);
            end_action(out, at);
            return true;
        }
    return false;
}

static void encode_metadata(const struct act_metadata *m, struct buf *out)
{
    struct act_set_field set = {.a = {.type = ACT_SET_FIELD}, .field = FIELD_METADATA};
    field_value_set_u64(&set.value, m->value);
    field_value_set_u64(&set.mask, m->mask);
    encode_set(&set.a, NULL, out);
}

bool act_encode_of10(const struct act *a, const struct act *before, const struct act *behind, struct buf *out)
{
    struct act_set_field ttl = {.a = {.type = ACT_SET_FIELD}, .field = FIELD_IP_TTL};
    uint16_t port;
    size_t at;
    switch (a->type) {
    case ACT_OUTPUT:
        at = begin(A_OUTPUT, out);
        buf_u16(out, ofp_port_to16(a->n, &port) ? port : (uint16_t)OFPP_ANY);
        buf_u16(out, ((const struct act_output *)a)->max_len);
        end_action(out, at);
        return true;
    case ACT_POP_VLAN:
        at = begin(A_STRIP_VLAN, out);
        buf_zeros(out, 4);
        end_action(out, at);
        return true;
    case ACT_SET_FIELD:
    case ACT_SET_PRESENT:
        encode_set(a, before, out);
        return true;
    case ACT_REG_LOAD:
        return encode_tci(a, out);
    case ACT_SET_NW_TTL:
        field_value_set_u64(&ttl.value, a->n);
        field_all_ones(FIELD_IP_TTL, &ttl.mask);
        encode_set(&ttl.a, NULL, out);
        return true;
    case INST_WRITE_METADATA:
        if (!behind) /* the resubmit that goto_table becomes may not stand behind write_metadata */
            return encode_stand_in(a, out);
        encode_metadata((const struct act_metadata *)a, out);
        return true;
    case INST_GOTO_TABLE:
        at = begin_nx(NX_RESUBMIT_TABLE, out);
        buf_u16(out, (uint16_t)OFPP_IN_PORT);
        buf_u8(out, (uint8_t)a->n);
        end_action(out, at);
        return true;
    default:
        /* What neither 1.0 nor Nicira has is left out; the rest are Nicira's, as in every version. */
        return encode_stand_in(a, out) || !act_rows[a->type].experimenter;
    }
}
