/* act-check-len.c: check_pkt_larger(BYTES)->FIELD[BIT], NXAST_CHECK_PKT_LARGER. */
#include "openflow/act-shape.h"

static void put(struct buf *list, enum act_type type, uint16_t bytes, const struct subfield *dst)
{
    struct act_check_len *a = act_append(list, type, sizeof *a);
    a->a.n = bytes;
    a->dst = *dst;
}

static void check_len_decode(uint8_t version UNUSED, struct rd *r, enum act_type type, struct buf *list,
                             unsigned depth UNUSED)
{
    struct subfield dst = {.n_bits = 1};
    uint16_t bytes = rd_u16(r), ofs = rd_u16(r);
    if (ofs > 127)
        rd_fail(r, OFPERR_BAC_BAD_SET_ARGUMENT);
    dst.ofs = (uint8_t)ofs;
    subfield_decode(r, &dst);
    if (!r->err && fields[dst.field].access != RW)
        rd_fail(r, OFPERR_BAC_BAD_SET_TYPE);
    if (!r->err)
        put(list, type, bytes, &dst);
}

static void check_len_encode(const struct act *a, uint8_t version UNUSED, struct buf *out)
{
    const struct act_check_len *c = (const struct act_check_len *)a;
    buf_u16(out, (uint16_t)a->n);
    buf_u16(out, c->dst.ofs);
    subfield_encode(&c->dst, out);
}

static bool check_len_parse(struct act_text *t, enum act_type type, const struct item *item, unsigned depth UNUSED)
{
    size_t behind = item->value.at + item->value.len + 1, end = item->all.at + item->all.len;
    struct subfield dst;
    uint64_t bytes;
    if (item->delim != '(' || end < behind + 3 || memcmp(t->t.s + behind, "->", 2))
        return text_fail(&t->t, item->all, "this is written check_pkt_larger(1500)->reg0[0]");
    struct word to = {behind + 2, end - behind - 2};
    if (!text_number(&t->t, item->value, "length", UINT16_MAX, &bytes) || !subfield_parse(&t->t, to, &dst))
        return false;
    if (dst.n_bits != 1)
        return text_fail(&t->t, to, "the result is one bit, not %u: reg0[0]", dst.n_bits);
    if (fields[dst.field].access != RW)
        return text_fail(&t->t, to, "%s cannot be written", fields[dst.field].name);
    put(t->list, type, (uint16_t)bytes, &dst);
    return true;
}

static void check_len_format(const struct act *a, const struct port_names *names UNUSED, struct buf *out)
{
    buf_printf(out, "check_pkt_larger(%u)->", a->n);
    subfield_format(&((const struct act_check_len *)a)->dst, out);
}

static enum ofp_error check_len_check(const struct act *a, struct act_state *st)
{
    const struct subfield *dst = &((const struct act_check_len *)a)->dst;
    union field_value value = {{0}}, mask = {{0}};
    enum ofp_error e = act_writable(dst->field, st);
    subfield_set(dst, &value, &mask, 0);
    if (e == OFPERR_OK && dst->field != FIELD_VLAN_VID)
        act_note_write(st, dst->field, NULL, &mask);
    return e;
}

const struct act_shape act_shape_check_len = {check_len_decode, check_len_encode, check_len_parse, check_len_format,
                                              check_len_check};
