/* act-stack.c: push:FIELD and pop:FIELD, NXAST_STACK_PUSH and NXAST_STACK_POP. */
#include "openflow/act-shape.h"

static void put_stack(struct buf *list, enum act_type type, const struct subfield *s)
{
    struct act_stack *a = act_append(list, type, sizeof *a);
    a->field = *s;
}

static void stack_decode(uint8_t version UNUSED, struct rd *r, enum act_type type, struct buf *list,
                         unsigned depth UNUSED)
{
    struct subfield s = {0};
    uint16_t ofs = rd_u16(r), n_bits = 0;
    unsigned width;
    if (!subfield_decode_header(r, &s, &width))
        return;
    n_bits = rd_u16(r);
    if (!r->err && (!n_bits || ofs + n_bits > width))
        rd_fail(r, OFPERR_BAC_BAD_SET_ARGUMENT);
    if (!r->err && type == ACT_STACK_POP && fields[s.field].access != RW)
        rd_fail(r, OFPERR_BAC_BAD_SET_TYPE);
    s.ofs = (uint8_t)ofs;
    s.n_bits = (uint8_t)n_bits;
    if (!r->err)
        put_stack(list, type, &s);
}

static void stack_encode(const struct act *a, uint8_t version UNUSED, struct buf *out)
{
    const struct subfield *s = &((const struct act_stack *)a)->field;
    buf_u16(out, s->ofs);
    subfield_encode(s, out);
    buf_u16(out, s->n_bits);
}

static bool stack_parse(struct act_text *t, enum act_type type, const struct item *item, unsigned depth UNUSED)
{
    struct subfield s;
    if (!subfield_parse(&t->t, item->value, &s))
        return false;
    if (type == ACT_STACK_POP && fields[s.field].access != RW)
        return text_fail(&t->t, item->value, "%s cannot be written", fields[s.field].name);
    put_stack(t->list, type, &s);
    return true;
}

static void stack_format(const struct act *a, const struct port_names *names UNUSED, struct buf *out)
{
    buf_printf(out, "%s:", act_name(a->type));
    subfield_format(&((const struct act_stack *)a)->field, out);
}

static enum ofp_error stack_check(const struct act *a, struct act_state *st)
{
    const struct subfield *s = &((const struct act_stack *)a)->field;
    union field_value value = {{0}}, mask = {{0}};
    if (a->type == ACT_STACK_PUSH)
        return act_need(st, s->field);
    enum ofp_error e = act_writable(s->field, st);
    if (e == OFPERR_OK && s->field != FIELD_VLAN_VID) {
        subfield_set(s, &value, &mask, 0);
        act_note_write(st, s->field, NULL, &mask);
    }
    return e;
}

const struct act_shape act_shape_stack = {stack_decode, stack_encode, stack_parse, stack_format, stack_check};
