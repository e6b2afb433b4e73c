#include "packet/view-field.h"

/* The bytes of a field's member with `v` at the field's place in them. */
static void expand(const struct field *f, const union field_value *v, uint8_t bytes[16])
{
    if (f->size == 16) {
        memcpy(bytes, v->b, 16);
        return;
    }
    be64 n = htobe64(field_value_u64(v) << f->shift);
    memcpy(bytes, (const uint8_t *)&n + 8 - f->size, f->size);
}

static void expand_mask(enum field_id id, const union field_value *mask, uint8_t bytes[16])
{
    union field_value all;
    if (!mask) {
        field_all_ones(id, &all);
        mask = &all;
    }
    expand(&fields[id], mask, bytes);
}

void view_field_get(struct flow_view *v, enum field_id id, const union field_value *mask, union field_value *value)
{
    const struct field *f = &fields[id];
    uint8_t m[16], *consulted = (uint8_t *)&v->consulted + f->ofs;
    const uint8_t *written = (const uint8_t *)&v->written + f->ofs;
    expand_mask(id, mask, m);
    for (unsigned i = 0; i < f->size; i++)
        consulted[i] |= (uint8_t)(m[i] & ~written[i]);
    field_get(id, &v->key, value);
    if (mask) {
        value->w[0] &= mask->w[0];
        value->w[1] &= mask->w[1];
    }
}

void view_field_set(struct flow_view *v, enum field_id id, const union field_value *value,
                    const union field_value *mask, struct flow_key *changed)
{
    const struct field *f = &fields[id];
    uint8_t m[16], new[16];
    uint8_t *key = (uint8_t *)&v->key + f->ofs, *written = (uint8_t *)&v->written + f->ofs;
    const uint8_t *consulted = (const uint8_t *)&v->consulted + f->ofs;
    expand_mask(id, mask, m);
    expand(f, value, new);
    bool changes = false;
    for (unsigned i = 0; i < f->size; i++) {
        uint8_t known = written[i] | consulted[i], differs = key[i] ^ new[i];
        changes |= m[i] & (~known | differs);
        key[i] = (uint8_t)((key[i] & ~m[i]) | (new[i] & m[i]));
        written[i] |= m[i];
    }
    for (unsigned i = 0; changed && changes && i < f->size; i++)
        ((uint8_t *)changed)[f->ofs + i] |= m[i];
}
