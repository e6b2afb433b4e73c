/* act-learn.c: learn: NXAST_LEARN and NXAST_LEARN2 on the wire, and what may be learned. Text: act-learn-text.c. */
#include "openflow/act-shape.h"

/* Of each specification: bits 0-9 the number of bits, 11-12 where to, 13 where from; 0 ends the list. */
enum { SPEC_BITS = 0x3ff, SPEC_TO_SHIFT = 11, SPEC_FROM_SHIFT = 13, SPEC_KNOWN = SPEC_BITS | 3 << 11 | 1 << 13 };

/* --- wire --- */

/* A header and the first of n_bits. */
static void decode_part(struct rd *r, uint16_t n_bits, struct subfield *s)
{
    unsigned width;
    if (!subfield_decode_header(r, s, &width))
        return;
    uint16_t ofs = rd_u16(r);
    if (!r->err && ofs + n_bits > width)
        rd_fail(r, OFPERR_BAC_BAD_SET_ARGUMENT);
    s->ofs = (uint8_t)ofs;
    s->n_bits = (uint8_t)n_bits;
}

/* A number of n_bits, in as many pairs of bytes as it needs. */
static void decode_value(struct rd *r, uint16_t n_bits, union field_value *v)
{
    size_t n = (n_bits + 15u) / 16 * 2;
    const uint8_t *p = rd_take(r, n);
    if (r->err)
        return;
    if (n_bits > 128) {
        rd_fail(r, OFPERR_BAC_BAD_SET_ARGUMENT);
        return;
    }
    memcpy(v->b + 16 - n, p, n);
    for (unsigned bit = n_bits; bit < 8 * n; bit++)
        if (v->b[15 - bit / 8] >> bit % 8 & 1)
            rd_fail(r, OFPERR_BAC_BAD_ARGUMENT);
}

static void decode_spec(struct rd *r, uint16_t header, struct learn_spec *s)
{
    *s = (struct learn_spec){.src = header >> SPEC_FROM_SHIFT & 1, .dst = header >> SPEC_TO_SHIFT & 3,
                             .n_bits = header & SPEC_BITS};
    if (header & ~SPEC_KNOWN || !s->n_bits || s->dst > LEARN_TO_OUTPUT ||
        (s->dst == LEARN_TO_OUTPUT && s->src != LEARN_FROM_FIELD)) {
        rd_fail(r, OFPERR_BAC_BAD_ARGUMENT);
        return;
    }
    if (s->src == LEARN_FROM_FIELD)
        decode_part(r, s->n_bits, &s->from);
    else
        decode_value(r, s->n_bits, &s->value);
    if (!r->err && s->dst != LEARN_TO_OUTPUT)
        decode_part(r, s->n_bits, &s->to);
}

static void decode_specs(struct rd *r, struct buf *list, size_t at)
{
    uint16_t n = 0, header;
    while (rd_left(r) >= 2 && (header = rd_u16(r))) {
        struct learn_spec s;
        decode_spec(r, header, &s);
        if (r->err)
            return;
        if (++n > LEARN_MAX_SPECS) {
            rd_fail(r, OFPERR_BAC_TOO_MANY);
            return;
        }
        act_learn_add(list, at, &s);
    }
    while (rd_left(r) && *r->p == 0)
        rd_skip(r, 1);
    if (rd_left(r))
        rd_fail(r, OFPERR_BAC_BAD_ARGUMENT);
}

size_t act_learn_begin(struct buf *list, enum act_type type)
{
    size_t at = list->len;
    act_append(list, type, sizeof(struct act_learn));
    return at;
}

void act_learn_add(struct buf *list, size_t at, const struct learn_spec *s)
{
    buf_put(list, s, sizeof *s);
    struct act_learn *a = (struct act_learn *)(list->data + at);
    a->a.len += sizeof *s;
    a->n_specs++;
}

static void learn_decode(uint8_t version UNUSED, struct rd *r, enum act_type type, struct buf *list,
                         unsigned depth UNUSED)
{
    size_t at = act_learn_begin(list, type);
    struct act_learn *a = (struct act_learn *)(list->data + at);
    unsigned known = LEARN_SEND_FLOW_REM | LEARN_DELETE_LEARNED | (type == ACT_LEARN2 ? LEARN_WRITE_RESULT : 0), width;
    a->idle_timeout = rd_u16(r);
    a->hard_timeout = rd_u16(r);
    a->priority = rd_u16(r);
    a->cookie = rd_u64(r);
    a->flags = rd_u16(r);
    a->table = rd_u8(r);
    rd_skip(r, 1);
    a->fin_idle_timeout = rd_u16(r);
    a->fin_hard_timeout = rd_u16(r);
    if (!r->err && (a->flags & ~known || a->table == 0xff))
        rd_fail(r, OFPERR_BAC_BAD_ARGUMENT);
    if (type == ACT_LEARN2) {
        a->a.n = rd_u32(r);
        uint16_t ofs = rd_u16(r);
        rd_skip(r, 2);
        if (!r->err && a->flags & LEARN_WRITE_RESULT) {
            if (!subfield_decode_header(r, &a->result, &width))
                return;
            if (ofs >= width)
                rd_fail(r, OFPERR_BAC_BAD_SET_ARGUMENT);
            a->result.ofs = (uint8_t)ofs;
            a->result.n_bits = 1;
        }
    }
    if (!r->err)
        decode_specs(r, list, at);
}

static void encode_spec(const struct learn_spec *s, struct buf *out)
{
    size_t n = (s->n_bits + 15u) / 16 * 2;
    buf_u16(out, (uint16_t)(s->src << SPEC_FROM_SHIFT | s->dst << SPEC_TO_SHIFT | s->n_bits));
    if (s->src == LEARN_FROM_VALUE) {
        buf_put(out, s->value.b + 16 - n, n);
    } else {
        subfield_encode(&s->from, out);
        buf_u16(out, s->from.ofs);
    }
    if (s->dst != LEARN_TO_OUTPUT) {
        subfield_encode(&s->to, out);
        buf_u16(out, s->to.ofs);
    }
}

static void learn_encode(const struct act *a, uint8_t version UNUSED, struct buf *out)
{
    const struct act_learn *l = (const struct act_learn *)a;
    buf_u16(out, l->idle_timeout);
    buf_u16(out, l->hard_timeout);
    buf_u16(out, l->priority);
    buf_u64(out, l->cookie);
    buf_u16(out, l->flags);
    buf_u8(out, l->table);
    buf_u8(out, 0);
    buf_u16(out, l->fin_idle_timeout);
    buf_u16(out, l->fin_hard_timeout);
    if (a->type == ACT_LEARN2) {
        buf_u32(out, a->n);
        buf_u16(out, l->result.ofs);
        buf_u16(out, 0);
        if (l->flags & LEARN_WRITE_RESULT)
            subfield_encode(&l->result, out);
    }
    for (unsigned i = 0; i < l->n_specs; i++)
        encode_spec(&l->specs[i], out);
}

/* --- what may be learned ---
 * The specifications are gone through with the match that the learned flow has so far, of which we know what is a number, or
 * comes from a field that this flow's match fixes. */

struct bits {
    union field_value value, mask;
};

static void move_bits(const struct subfield *to, const union field_value *from, unsigned from_ofs, union field_value *v)
{
    for (unsigned i = 0; i < to->n_bits; i++) {
        unsigned src = from_ofs + i, dst = to->ofs + i;
        if (from->b[15 - src / 8] >> src % 8 & 1)
            v->b[15 - dst / 8] |= (uint8_t)(1u << dst % 8);
    }
}

/* What `to` is given, as far as it is known. */
static struct bits known(const struct learn_spec *s, const struct act_state *st)
{
    struct bits b = {{{0}}, {{0}}}, from;
    if (s->src == LEARN_FROM_VALUE) {
        move_bits(&s->to, &s->value, 0, &b.value);
        memset(&from.mask, 0xff, sizeof from.mask);
        move_bits(&s->to, &from.mask, 0, &b.mask);
    } else if (st->ctx->match) {
        match_get(&st->match, s->from.field, &from.value, &from.mask);
        move_bits(&s->to, &from.value, s->from.ofs, &b.value);
        move_bits(&s->to, &from.mask, s->from.ofs, &b.mask);
    }
    return b;
}

static enum ofp_error check_match(const struct learn_spec *s, struct act_state *learned)
{
    const struct field *f = &fields[s->to.field];
    const char *need = NULL;
    if (!match_prereq(&learned->match, s->to.field, &need))
        return act_fault(learned, OFPERR_BAC_MATCH_INCONSISTENT, "what is learned cannot match %s: it needs '%s' first",
                         f->name, need ? need : "more");
    if (f->mask == M_NONE && s->n_bits != f->bits && s->to.field != FIELD_IN_PORT)
        return act_fault(learned, OFPERR_BAC_BAD_SET_ARGUMENT, "%s is matched as a whole or not at all", f->name);
    if (s->to.field == FIELD_IN_PORT && (s->to.ofs || (s->n_bits != 16 && s->n_bits != 32)))
        return act_fault(learned, OFPERR_BAC_BAD_SET_ARGUMENT, "in_port is matched as a whole or not at all");
    return OFPERR_OK;
}

/* A number must be one that a match could have. */
static enum ofp_error check_number(const struct learn_spec *s, struct act_state *learned)
{
    union field_value ones, value = {{0}};
    uint64_t port = field_value_u64(&s->value);
    if (s->n_bits == 16 && port >= 0xff00)
        port |= 0xffff0000;
    if (s->to.field == FIELD_IN_PORT && port > OFPP_MAX && port < OFPP_IN_PORT)
        return act_fault(learned, OFPERR_BAC_BAD_ARGUMENT, "there can be no port %u", (unsigned)port);
    field_all_ones(s->to.field, &ones);
    move_bits(&s->to, &s->value, 0, &value);
    for (int i = 0; i < 2; i++)
        if (value.w[i] & ~ones.w[i])
            return act_fault(learned, OFPERR_BAC_BAD_SET_ARGUMENT, "%s never has this value", fields[s->to.field].name);
    return OFPERR_OK;
}

static enum ofp_error check_spec(const struct learn_spec *s, struct act_state *st, struct act_state *learned)
{
    enum ofp_error e = OFPERR_OK;
    if (s->src == LEARN_FROM_FIELD && (e = act_need(st, s->from.field)))
        return e;
    if (s->dst == LEARN_TO_OUTPUT)
        return s->n_bits <= 32 ? OFPERR_OK
                               : act_fault(st, OFPERR_BAC_BAD_ARGUMENT, "a port's number has at most 32 bits, not %u", s->n_bits);
    e = s->dst == LEARN_TO_MATCH ? check_match(s, learned) : act_writable(s->to.field, learned);
    if (!e && s->dst == LEARN_TO_MATCH && s->src == LEARN_FROM_VALUE)
        e = check_number(s, learned);
    if (e) {
        memcpy(st->why, learned->why, sizeof st->why);
        return e;
    }
    struct bits b = known(s, st);
    act_note_write(learned, s->to.field, &b.value, &b.mask);
    return OFPERR_OK;
}

static enum ofp_error learn_check(const struct act *a, struct act_state *st)
{
    const struct act_learn *l = (const struct act_learn *)a;
    static const struct match any;
    struct act_context ctx = *st->ctx;
    struct act_state learned;
    enum ofp_error e;
    ctx.match = &any;
    act_state_init(&learned, &ctx);
    if (ctx.n_tables && l->table >= ctx.n_tables)
        return act_fault(st, OFPERR_BRC_BAD_TABLE_ID, "there is no table %u: tables go to %u", l->table, ctx.n_tables - 1u);
    for (unsigned i = 0; i < l->n_specs; i++)
        if ((e = check_spec(&l->specs[i], st, &learned)))
            return e;
    if ((l->fin_idle_timeout || l->fin_hard_timeout) && !match_prereq(&learned.match, FIELD_TCP_FLAGS, NULL))
        return act_fault(st, OFPERR_BAC_MATCH_INCONSISTENT, "fin_idle_timeout and fin_hard_timeout are for TCP, which the learned flow does not match");
    if (!(l->flags & LEARN_WRITE_RESULT))
        return OFPERR_OK;
    if ((e = act_writable(l->result.field, st)))
        return e;
    union field_value value = {{0}}, mask = {{0}};
    subfield_set(&l->result, &value, &mask, 0);
    act_note_write(st, l->result.field, NULL, &mask);
    return OFPERR_OK;
}

const struct act_shape act_shape_learn = {learn_decode, learn_encode, learn_parse, learn_format, learn_check};
const struct act_shape act_shape_learn2 = {learn_decode, learn_encode, NULL, learn_format, learn_check};
