/* act-field.c: set_field, load, move. */
#include "openflow/act-shape.h"
#include "openflow/match-codec.h"

/* --- what they have in common --- */

static void put_set(struct buf *list, enum act_type type, const struct subfield *s, const union field_value *value,
                    const union field_value *mask)
{
    struct act_set_field *a = act_append(list, type, sizeof *a);
    a->field = s->field;
    a->ofs = s->ofs;
    a->n_bits = s->n_bits;
    a->value = *value;
    a->mask = *mask;
    for (int i = 0; i < 2; i++)
        a->value.w[i] &= a->mask.w[i];
}

static struct subfield whole(enum field_id f)
{
    return (struct subfield){.field = (uint16_t)f, .n_bits = fields[f].bits};
}

void act_put_set_field(struct buf *list, enum act_type type, enum field_id f, const union field_value *value)
{
    struct subfield s = whole(f);
    union field_value ones;
    field_all_ones(f, &ones);
    put_set(list, type, &s, value, &ones);
}

static enum ofp_error writable(enum field_id f, enum field_access least, struct act_state *st)
{
    if (fields[f].access < least)
        return act_fault(st, OFPERR_BAC_BAD_SET_TYPE, "%s cannot be written", fields[f].name);
    /* A tag that is not there has no VID to write; vlan_tci, which stands for the tag itself, may be written always. */
    return f == FIELD_VLAN_VID || f == FIELD_VLAN_PCP ? act_need_vlan(st) : act_need(st, f);
}

enum ofp_error act_writable(enum field_id f, struct act_state *st) { return writable(f, RW, st); }

/* The match as it is after `mask` bits of f were written with `value`, so that later prerequisites see them. */
void act_note_write(struct act_state *st, enum field_id f, const union field_value *value,
                    const union field_value *mask)
{
    union field_value v, m;
    match_get(&st->match, f, &v, &m);
    for (int i = 0; i < 2; i++) {
        v.w[i] = (v.w[i] & ~mask->w[i]) | (value ? value->w[i] & mask->w[i] : 0);
        m.w[i] = value ? m.w[i] | mask->w[i] : m.w[i] & ~mask->w[i];
        v.w[i] &= m.w[i];
    }
    match_set(&st->match, f, &v, &m);
}

static enum ofp_error set_check(const struct act *a, struct act_state *st)
{
    const struct act_set_field *set = (const struct act_set_field *)a;
    enum ofp_error e = writable(set->field, a->type == ACT_SET_FIELD ? SF : RW, st);
    /* OpenFlow 1.3.5, 7.2.5: what set_field writes must be a value that a match could have. */
    if (e == OFPERR_OK && set->field == FIELD_VLAN_VID && a->type == ACT_SET_FIELD &&
        !(field_value_u64(&set->value) & VLAN_PRESENT))
        e = act_fault(st, OFPERR_BAC_BAD_SET_ARGUMENT, "vlan_vid is written with bit 0x1000: set_field:%u->vlan_vid",
                      (unsigned)field_value_u64(&set->value) | VLAN_PRESENT);
    if (e == OFPERR_OK)
        act_note_write(st, set->field, &set->value, &set->mask);
    return e;
}

/* --- set_field: OFPAT_SET_FIELD, and with a mask NXAST_REG_LOAD2 --- */

static enum ofp_error set_error(enum ofp_error match_error)
{
    switch (match_error) {
    case OFPERR_BMC_BAD_FIELD:
        return OFPERR_BAC_BAD_SET_TYPE;
    case OFPERR_BMC_BAD_LEN:
        return OFPERR_BAC_BAD_SET_LEN;
    default:
        return OFPERR_BAC_BAD_SET_ARGUMENT;
    }
}

static void rd_skip_zeros(struct rd *r)
{
    while (rd_left(r) && *r->p == 0)
        rd_skip(r, 1);
}

static void set_field_decode(uint8_t version, struct rd *r, enum act_type type, struct buf *list, unsigned depth UNUSED)
{
    enum field_id f;
    union field_value value, mask;
    bool masked;
    enum ofp_error e = oxm_decode(version, r, &f, &value, &mask, &masked);
    if (e) {
        r->err = set_error(e);
        return;
    }
    if (type == ACT_SET_MASKED) /* os-ken pads it generously */
        rd_skip_zeros(r);
    union field_value ones;
    field_all_ones(f, &ones);
    bool whole_field = !memcmp(&mask, &ones, sizeof ones);
    if (type != ACT_SET_MASKED && masked) /* 7.2.5: "oxm_hasmask must be zero" */
        e = OFPERR_BAC_BAD_SET_TYPE;
    else if (fields[f].access < (type == ACT_SET_FIELD ? SF : RW))
        e = OFPERR_BAC_BAD_SET_TYPE;
    else if ((value.w[0] & ~mask.w[0]) || (value.w[1] & ~mask.w[1]))
        e = OFPERR_BAC_BAD_SET_ARGUMENT;
    if (e) {
        rd_fail(r, e);
        return;
    }
    struct subfield s = whole(f);
    put_set(list, type == ACT_SET_PRESENT ? type : whole_field ? ACT_SET_FIELD : ACT_SET_MASKED, &s, &value, &mask);
}

static void set_field_encode(const struct act *a, uint8_t version, struct buf *out)
{
    const struct act_set_field *set = (const struct act_set_field *)a;
    oxm_encode(set->field, &set->value, &set->mask, version, out);
}

/* "VALUE->FIELD": where the arrow is, and what stands on either side. */
static bool split_arrow(const struct act_text *t, const struct item *item, struct word *left, struct word *right)
{
    struct word v = item->value;
    const char *s = t->t.s + v.at, *arrow = v.len >= 2 ? memmem(s, v.len, "->", 2) : NULL;
    if (!arrow)
        return text_fail(&t->t, item->all, "'->' and what is written to are missing");
    size_t n = (size_t)(arrow - s);
    *left = (struct word){v.at, n};
    *right = (struct word){v.at + n + 2, v.len - n - 2};
    if (!n)
        return text_fail(&t->t, item->all, "what to write is missing before '->'");
    return right->len || text_fail(&t->t, item->all, "what to write to is missing after '->'");
}

static bool set_field_parse(struct act_text *t, enum act_type type, const struct item *item,
                            unsigned depth UNUSED)
{
    struct word value_text, name;
    union field_value value, mask, ones;
    enum field_id f;
    if (!split_arrow(t, item, &value_text, &name))
        return false;
    if (name.len > 2 && !memcmp(t->t.s + name.at + name.len - 2, "[]", 2))
        name.len -= 2;
    if (memchr(t->t.s + name.at, '[', name.len))
        return text_fail(
            &t->t, name,
            "set_field writes whole fields: write set_field:VALUE/MASK->FIELD or load:VALUE->FIELD[FIRST..LAST]");
    if (!subfield_field_by_name(&t->t, name, &f))
        return subfield_no_field(&t->t, name);
    if (fields[f].access < (type == ACT_SET_PRESENT ? RW : SF))
        return text_fail(&t->t, name, "%s cannot be written", fields[f].name);
    if (!text_field_value(&t->t, f, value_text, type != ACT_SET_PRESENT, &value, &mask))
        return false;
    field_all_ones(f, &ones);
    struct subfield s = whole(f);
    if (type != ACT_SET_PRESENT)
        type = memcmp(&mask, &ones, sizeof ones) ? ACT_SET_MASKED : ACT_SET_FIELD;
    put_set(t->list, type, &s, &value, &mask);
    return true;
}

/* Open vSwitch calls these two so in actions, nw_src and nw_dst in matches. */
const char *act_field_name(enum field_id f)
{
    return f == FIELD_IPV4_SRC ? "ip_src" : f == FIELD_IPV4_DST ? "ip_dst" : fields[f].name;
}

static void set_field_format(const struct act *a, const struct port_names *names, struct buf *out)
{
    const struct act_set_field *set = (const struct act_set_field *)a;
    buf_printf(out, "%s:", act_name(a->type));
    if (set->field == FIELD_IPV6_FLABEL && a->type != ACT_SET_MASKED) /* in matches it has all its digits */
        buf_printf(out, "%#llx", (unsigned long long)field_value_u64(&set->value));
    else if (set->field == FIELD_TUN_FLAGS) /* as Open vSwitch prints it here */
        buf_puts(out, set->value.b[15] ? "oam" : "0");
    else
        text_put_field_value(set->field, &set->value, &set->mask, names, out);
    buf_printf(out, "->%s", act_field_name(set->field));
}

const struct act_shape act_shape_set_field = {set_field_decode, set_field_encode, set_field_parse, set_field_format,
                                              set_check};
const struct act_shape act_shape_set_masked = {set_field_decode, set_field_encode, NULL, set_field_format, set_check};

/* --- set_if_present: ours, for the words of OpenFlow 1.0, whose actions ask nothing of the match --- */

static enum ofp_error present_check(const struct act *a, struct act_state *st)
{
    enum field_id f = ((const struct act_set_field *)a)->field;
    return fields[f].access != RW ? act_fault(st, OFPERR_BAC_BAD_SET_TYPE, "%s cannot be written", fields[f].name)
           : fields[f].layer == L_META || fields[f].prereq == P_VLAN || fields[f].ofs == offsetof(struct flow_key, eth.tci)
               ? act_fault(st, OFPERR_BAC_BAD_SET_TYPE, "%s is written by set_field", fields[f].name)
               : OFPERR_OK;
}

const struct act_shape act_shape_set_present = {set_field_decode, set_field_encode, set_field_parse, set_field_format,
                                                present_check};

/* --- load: NXAST_REG_LOAD --- */

static void load_decode(uint8_t version UNUSED, struct rd *r, enum act_type type, struct buf *list,
                        unsigned depth UNUSED)
{
    uint16_t ofs_n_bits = rd_u16(r);
    struct subfield s = {.ofs = (uint8_t)(ofs_n_bits >> 6), .n_bits = (uint8_t)((ofs_n_bits & 63) + 1)};
    union field_value value = {{0}}, mask = {{0}};
    if (ofs_n_bits >> 6 > 127)
        rd_fail(r, OFPERR_BAC_BAD_SET_ARGUMENT);
    subfield_decode(r, &s);
    uint64_t n = rd_u64(r);
    if (r->err)
        return;
    if (fields[s.field].access != RW)
        rd_fail(r, OFPERR_BAC_BAD_SET_TYPE);
    else if (s.n_bits < 64 && n >> s.n_bits)
        rd_fail(r, OFPERR_BAC_BAD_SET_ARGUMENT);
    subfield_set(&s, &value, &mask, n);
    put_set(list, type, &s, &value, &mask);
}

static struct subfield target(const struct act_set_field *a)
{
    return (struct subfield){.field = a->field, .ofs = a->ofs, .n_bits = a->n_bits};
}

static void load_encode(const struct act *a, uint8_t version UNUSED, struct buf *out)
{
    const struct act_set_field *set = (const struct act_set_field *)a;
    struct subfield s = target(set);
    buf_u16(out, (uint16_t)(s.ofs << 6 | (s.n_bits - 1)));
    subfield_encode(&s, out);
    buf_u64(out, subfield_get(&s, &set->value));
}

/* The value may also be written as the field itself is: load:10.0.0.1->nw_dst[]. */
static bool load_parse(struct act_text *t, enum act_type type, const struct item *item, unsigned depth UNUSED)
{
    struct word left, right;
    struct subfield s;
    uint64_t n;
    union field_value value = {{0}}, mask = {{0}}, typed;
    if (!split_arrow(t, item, &left, &right) || !subfield_parse(&t->t, right, &s))
        return false;
    if (fields[s.field].access != RW)
        return text_fail(&t->t, right, "%s cannot be written", fields[s.field].name);
    if (s.n_bits > 64)
        return text_fail(&t->t, right, "load writes at most 64 bits");
    uint64_t max = s.n_bits < 64 ? (UINT64_C(1) << s.n_bits) - 1 : UINT64_MAX;
    struct text quiet = {t->t.s, t->t.names, NULL};
    if (!text_number(&quiet, left, "", UINT64_MAX, &n) && fields[s.field].bytes <= 8 &&
        text_field_value(&quiet, s.field, left, false, &typed, &mask)) {
        n = field_value_u64(&typed);
        if (n > max)
            return text_fail(&t->t, left, "%.*s does not fit into %u bits", (int)left.len, t->t.s + left.at, s.n_bits);
    } else if (!text_number(&t->t, left, "the number", max, &n)) {
        return false;
    }
    mask = (union field_value){{0}};
    subfield_set(&s, &value, &mask, n);
    put_set(t->list, type, &s, &value, &mask);
    return true;
}

static void load_format(const struct act *a, const struct port_names *names UNUSED, struct buf *out)
{
    const struct act_set_field *set = (const struct act_set_field *)a;
    struct subfield s = target(set);
    buf_printf(out, "load:%#llx->", (unsigned long long)subfield_get(&s, &set->value));
    subfield_format(&s, out);
}

const struct act_shape act_shape_reg_load = {load_decode, load_encode, load_parse, load_format, set_check};

/* --- move: NXAST_REG_MOVE --- */

/* What stands behind the numbers: two headers. */
static void move_fields(struct rd *r, enum act_type type, uint16_t n_bits, uint16_t src_ofs, uint16_t dst_ofs,
                        struct buf *list)
{
    if (!n_bits || n_bits > 128 || src_ofs > 127 || dst_ofs > 127)
        rd_fail(r, r->err ? OFPERR_BAC_BAD_LEN : OFPERR_BAC_BAD_SET_ARGUMENT);
    struct subfield src = {.ofs = (uint8_t)src_ofs, .n_bits = (uint8_t)n_bits}, dst = src;
    dst.ofs = (uint8_t)dst_ofs;
    subfield_decode(r, &src);
    subfield_decode(r, &dst);
    if (r->err)
        return;
    if (fields[dst.field].access != RW)
        rd_fail(r, OFPERR_BAC_BAD_SET_TYPE);
    struct act_move *a = act_append(list, type, sizeof *a);
    a->src = src;
    a->dst = dst;
}

static void move_decode(uint8_t version UNUSED, struct rd *r, enum act_type type, struct buf *list,
                        unsigned depth UNUSED)
{
    uint16_t n_bits = rd_u16(r), src_ofs = rd_u16(r), dst_ofs = rd_u16(r);
    move_fields(r, type, n_bits, src_ofs, dst_ofs, list);
}

static void move_encode(const struct act *a, uint8_t version UNUSED, struct buf *out)
{
    const struct act_move *m = (const struct act_move *)a;
    buf_u16(out, m->src.n_bits);
    buf_u16(out, m->src.ofs);
    buf_u16(out, m->dst.ofs);
    subfield_encode(&m->src, out);
    subfield_encode(&m->dst, out);
}

static bool move_parse(struct act_text *t, enum act_type type, const struct item *item, unsigned depth UNUSED)
{
    struct word left, right;
    struct subfield src, dst;
    if (!split_arrow(t, item, &left, &right) || !subfield_parse(&t->t, left, &src) ||
        !subfield_parse(&t->t, right, &dst))
        return false;
    if (fields[dst.field].access != RW)
        return text_fail(&t->t, right, "%s cannot be written", fields[dst.field].name);
    if (src.n_bits != dst.n_bits)
        return text_fail(&t->t, item->value, "both sides of a move have the same number of bits: these have %u and %u",
                         src.n_bits, dst.n_bits);
    struct act_move *a = act_append(t->list, type, sizeof *a);
    a->src = src;
    a->dst = dst;
    return true;
}

static void move_format(const struct act *a, const struct port_names *names UNUSED, struct buf *out)
{
    const struct act_move *m = (const struct act_move *)a;
    buf_puts(out, "move:");
    subfield_format(&m->src, out);
    buf_puts(out, "->");
    subfield_format(&m->dst, out);
}

static enum ofp_error move_check(const struct act *a, struct act_state *st)
{
    const struct act_move *m = (const struct act_move *)a;
    union field_value value = {{0}}, mask = {{0}};
    enum ofp_error e = act_need(st, m->src.field);
    if (e == OFPERR_OK)
        e = act_writable(m->dst.field, st);
    if (e == OFPERR_OK && m->dst.field != FIELD_VLAN_VID) { /* what is there now nobody knows */
        subfield_set(&m->dst, &value, &mask, 0);
        act_note_write(st, m->dst.field, NULL, &mask);
    }
    return e;
}

const struct act_shape act_shape_reg_move = {move_decode, move_encode, move_parse, move_format, move_check};

/* --- the same by the ONF (EXT-320): copy_field --- */

static void copy_decode(uint8_t version UNUSED, struct rd *r, enum act_type type, struct buf *list,
                        unsigned depth UNUSED)
{
    rd_skip(r, 2);
    uint16_t n_bits = rd_u16(r), src_ofs = rd_u16(r), dst_ofs = rd_u16(r);
    rd_skip(r, 2);
    move_fields(r, type, n_bits, src_ofs, dst_ofs, list);
}

static void copy_encode(const struct act *a, uint8_t version UNUSED, struct buf *out)
{
    const struct act_move *m = (const struct act_move *)a;
    buf_zeros(out, 2);
    buf_u16(out, m->src.n_bits);
    buf_u16(out, m->src.ofs);
    buf_u16(out, m->dst.ofs);
    buf_zeros(out, 2);
    subfield_encode(&m->src, out);
    subfield_encode(&m->dst, out);
}

const struct act_shape act_shape_copy_field = {copy_decode, copy_encode, NULL, move_format, move_check};
