/* walk-nicira.c: Nicira's actions on parts of fields: the stack, output to a port that a field holds, the packet's
 * length. */
#include "ofproto/walk.h"
#include "packet/gso.h"

/* --- Parts of fields --- */

static bool value_bit(const union field_value *v, unsigned bit) { return v->b[15 - bit / 8] >> bit % 8 & 1; }
static void value_set_bit(union field_value *v, unsigned bit) { v->b[15 - bit / 8] |= (uint8_t)(1 << bit % 8); }

static void subfield_mask(const struct subfield *sf, union field_value *mask)
{
    memset(mask, 0, sizeof *mask);
    for (unsigned i = 0; i < sf->n_bits; i++)
        value_set_bit(mask, sf->ofs + i);
}

bool walk_get_subfield(struct walk *w, const struct subfield *sf, union field_value *number)
{
    union field_value mask, value;
    memset(number, 0, sizeof *number);
    if (!walk_has_field(w, sf->field)) {
        walk_note(w, "%s: the packet has no such header", fields[sf->field].name);
        return false;
    }
    subfield_mask(sf, &mask);
    view_field_get(w->v, sf->field, &mask, &value);
    for (unsigned i = 0; i < sf->n_bits; i++)
        if (value_bit(&value, sf->ofs + i))
            value_set_bit(number, i);
    return true;
}

void walk_put_subfield(struct walk *w, const struct subfield *sf, const union field_value *number)
{
    union field_value mask, value = {{0}};
    subfield_mask(sf, &mask);
    for (unsigned i = 0; i < sf->n_bits; i++)
        if (value_bit(number, i))
            value_set_bit(&value, sf->ofs + i);
    walk_set_field(w, sf->field, &value, &mask);
}

/* --- Stack --- */

struct buf walk_save_stack(struct walk *w)
{
    struct buf saved = BUF_INIT;
    if (w->stack.len)
        buf_put(&saved, w->stack.data, w->stack.len);
    return saved;
}

void walk_restore_stack(struct walk *w, struct buf *saved)
{
    buf_free(&w->stack);
    w->stack = *saved;
}

void act_stack_push(struct walk *w, const struct act *a)
{
    union field_value number;
    walk_get_subfield(w, &((const struct act_stack *)a)->field, &number); /* zero if it is not there */
    buf_put(&w->stack, &number, sizeof number);
}

void act_stack_pop(struct walk *w, const struct act *a)
{
    union field_value number;
    if (!w->stack.len) {
        walk_note(w, "the stack is empty");
        return;
    }
    w->stack.len -= sizeof number;
    memcpy(&number, w->stack.data + w->stack.len, sizeof number);
    walk_put_subfield(w, &((const struct act_stack *)a)->field, &number);
}

/* --- Output to the port that a field holds --- */

/* Sixteen bits are OpenFlow 1.0's numbers, whose reserved ports begin at 0xff00. */
void act_output_reg(struct walk *w, const struct act *a)
{
    const struct act_output_reg *o = (const void *)a;
    union field_value number;
    if (!walk_get_subfield(w, &o->src, &number))
        return;
    uint64_t port = field_value_u64(&number);
    if (port >= 0xff00 && port <= 0xffff)
        port |= 0xffff0000;
    walk_note(w, "output to port %u", (unsigned)port);
    walk_output_number(w, (uint32_t)port, o->max_len);
}

/* --- check_pkt_larger --- */

/* A path is for packets of every length, so one that asks for the length is for this packet alone. Of a super-segment it is
 * that of the packets it will be cut into. */
void act_check_len(struct walk *w, const struct act *a)
{
    const struct packet *p = w->s->path->packet;
    union field_value larger;
    w->s->path->uncacheable = true;
    size_t len = !p ? 0 : p->gso && p->l3 != 0xffff ? p->l3 + gso_max_l3_len(p) : p->len;
    field_value_set_u64(&larger, len > a->n);
    walk_note(w, "the packet has %zu bytes", len);
    walk_put_subfield(w, &((const struct act_check_len *)a)->dst, &larger);
}
