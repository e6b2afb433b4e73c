/* subfield.c: parts of fields in Nicira's actions: "NXM_NX_REG0[0..15]" and their headers on the wire. */
#include <stdio.h>
#include "openflow/act-shape.h"
#include "openflow/oxm.h"

/* A VLAN's VID has 12 bits; OFPVID_PRESENT beside them is for matches and set_field. */
unsigned subfield_width(enum field_id f) { return f == FIELD_VLAN_VID ? 12 : fields[f].bits; }

/* --- long names: class and the field's id, but for fields whose id is not what Nicira and the ONF call them --- */

static const struct {
    enum field_id field;
    const char *nxm, *oxm; /* without their prefix */
} other_names[] = {
    {FIELD_TUN_ID, "TUN_ID", "TUNNEL_ID"},
    {FIELD_TUN_SRC, "TUN_IPV4_SRC", NULL},
    {FIELD_TUN_DST, "TUN_IPV4_DST", NULL},
    {FIELD_IPV6_FLABEL, "IPV6_LABEL", "IPV6_FLABEL"},
    {FIELD_IPV4_SRC, "IP_SRC", "IPV4_SRC"},
    {FIELD_IPV4_DST, "IP_DST", "IPV4_DST"},
    {FIELD_ICMPV4_TYPE, "ICMP_TYPE", "ICMPV4_TYPE"},
    {FIELD_ICMPV4_CODE, "ICMP_CODE", "ICMPV4_CODE"},
    {FIELD_ND_TARGET, "ND_TARGET", "IPV6_ND_TARGET"},
    {FIELD_ND_SLL, "ND_SLL", "IPV6_ND_SLL"},
    {FIELD_ND_TLL, "ND_TLL", "IPV6_ND_TLL"},
};

static const char *const ids[] = {
#define FIELD(id, ...) [FIELD_##id] = #id,
#include "packet/field.def"
#undef FIELD
};

/* False if the field has no header of that kind. */
static bool long_name(enum field_id f, bool nxm, char *name, size_t size)
{
    uint64_t header = nxm ? fields[f].nxm : fields[f].oxm;
    const char *rest = ids[f], *prefix = "OXM_OF_";
    if (!header)
        return false;
    for (unsigned i = 0; i < ARRAY_SIZE(other_names); i++)
        if (other_names[i].field == f)
            rest = nxm ? other_names[i].nxm : other_names[i].oxm;
    if (nxm)
        prefix = header >> 32 ? "NXM_OF_" : "NXM_NX_";
    else if (header >> 40)
        prefix = header >> 40 == 1 ? "ONFOXM_ET_" : "XVSOXM_";
    else if (header >> 16 == 0x8001) {
        prefix = "OXM_OF_PKT_REG";
        rest += strlen("XREG");
    }
    snprintf(name, size, "%s%s", prefix, rest);
    return true;
}

bool subfield_field_by_name(const struct text *t, struct word w, enum field_id *f)
{
    char name[64];
    int i = field_by_name(t->s + w.at, w.len);
    if (text_is(t, w, "tp_src") || text_is(t, w, "tp_dst")) /* OpenFlow 1.0's; in actions they are TCP's */
        i = text_is(t, w, "tp_src") ? FIELD_TCP_SRC : FIELD_TCP_DST;
    if (i >= 0) {
        *f = (enum field_id)i;
        return true;
    }
    for (i = 0; i < N_FIELDS; i++)
        for (int nxm = 0; nxm < 2; nxm++)
            if (long_name((enum field_id)i, nxm, name, sizeof name) && text_is(t, w, name)) {
                *f = (enum field_id)i;
                return true;
            }
    return false;
}

bool subfield_long_name(enum field_id f, bool nxm, struct buf *out)
{
    char name[64];
    bool ok = long_name(f, nxm, name, sizeof name);
    if (ok)
        buf_puts(out, name);
    return ok;
}

bool subfield_field_by_long_name(const struct text *t, struct word w, enum field_id *f, bool *nxm)
{
    char name[64];
    for (int i = 0; i < 2 * N_FIELDS; i++)
        if (long_name((enum field_id)(i / 2), i % 2, name, sizeof name) && text_is(t, w, name)) {
            *f = (enum field_id)(i / 2);
            *nxm = i % 2;
            return true;
        }
    return false;
}

bool subfield_no_field(const struct text *t, struct word w)
{
    const char *near = field_nearest_name(t->s + w.at, w.len);
    return near ? text_fail(t, w, "no field '%.*s'; did you mean '%s'?", (int)w.len, t->s + w.at, near)
                : text_fail(t, w, "no field '%.*s'", (int)w.len, t->s + w.at);
}

/* --- text --- */

/* Inside the brackets: nothing, "5" or "0..15". */
static bool parse_bits(const struct text *t, struct word w, struct subfield *s)
{
    unsigned width = s->n_bits;
    const char *p = t->s + w.at, *dots = w.len >= 2 ? memmem(p, w.len, "..", 2) : NULL;
    size_t n = dots ? (size_t)(dots - p) : w.len;
    uint64_t first, last;
    if (!w.len)
        return true;
    if (!text_number(t, (struct word){w.at, n}, "bit", width - 1, &first))
        return false;
    last = first;
    if (dots && !text_number(t, (struct word){w.at + n + 2, w.len - n - 2}, "bit", width - 1, &last))
        return false;
    if (last < first)
        return text_fail(t, w, "bits are written from the lower to the higher: [%u..%u]", (unsigned)last,
                         (unsigned)first);
    s->ofs = (uint8_t)first;
    s->n_bits = (uint8_t)(last - first + 1);
    return true;
}

bool subfield_parse(const struct text *t, struct word w, struct subfield *s)
{
    enum field_id f;
    const char *p = t->s + w.at, *open = memchr(p, '[', w.len);
    struct word name = {w.at, open ? (size_t)(open - p) : w.len};
    if (!name.len)
        return text_fail(t, (struct word){w.at ? w.at - 1 : 0, 1}, "a field is missing");
    if (!subfield_field_by_name(t, name, &f))
        return subfield_no_field(t, name);
    *s = (struct subfield){.field = (uint16_t)f, .n_bits = (uint8_t)subfield_width(f)};
    if (text_is(t, name, "NXM_OF_IN_PORT"))
        s->n_bits = 16;
    if (!open)
        return true;
    if (p[w.len - 1] != ']')
        return text_fail(t, w, "']' is missing at the end");
    return parse_bits(t, (struct word){name.at + name.len + 1, w.len - name.len - 2}, s);
}

/* In_port in 16 bits has a name and a header of its own. */
static bool is_narrow_port(const struct subfield *s) { return s->field == FIELD_IN_PORT && s->ofs + s->n_bits <= 16; }

void subfield_format(const struct subfield *s, struct buf *out)
{
    char name[64];
    enum field_id f = s->field;
    bool narrow = is_narrow_port(s), nxm = f == FIELD_IN_PORT ? narrow : fields[f].nxm != NO_OXM;
    if (!long_name(f, nxm, name, sizeof name))
        snprintf(name, sizeof name, "%s", fields[f].name);
    unsigned width = narrow ? 16 : subfield_width(f);
    if (!s->ofs && s->n_bits == width)
        buf_printf(out, "%s[]", name);
    else if (s->n_bits == 1)
        buf_printf(out, "%s[%u]", name, s->ofs);
    else
        buf_printf(out, "%s[%u..%u]", name, s->ofs, s->ofs + s->n_bits - 1u);
}

/* --- wire --- */

static uint64_t header_of(const struct subfield *s)
{
    const struct field *f = &fields[s->field];
    return s->field == FIELD_IN_PORT && !is_narrow_port(s) ? f->oxm : f->nxm ? f->nxm : f->oxm;
}

unsigned subfield_header_bytes(const struct subfield *s) { return header_of(s) >> 40 ? 8 : 4; }

void subfield_encode(const struct subfield *s, struct buf *out)
{
    const struct field *f = &fields[s->field];
    unsigned bytes = f->bits == 20 ? 4 : s->field == FIELD_TUN_FLAGS ? 2 : f->bytes;
    if (is_narrow_port(s))
        bytes = 2;
    oxm_header_encode(header_of(s), bytes, false, out);
}

bool subfield_decode_header(struct rd *r, struct subfield *s, unsigned *width)
{
    struct oxm_header h;
    if (!oxm_header_decode(r, &h)) {
        rd_fail(r, OFPERR_BAC_BAD_LEN);
        return false;
    }
    if (h.field < 0 || h.masked || h.len != h.bytes) {
        rd_fail(r, OFPERR_BAC_BAD_SET_TYPE);
        return false;
    }
    s->field = (uint16_t)h.field;
    *width = h.narrow_port ? 16 : subfield_width((enum field_id)h.field);
    return true;
}

void subfield_decode(struct rd *r, struct subfield *s)
{
    unsigned width;
    if (subfield_decode_header(r, s, &width) && (!s->n_bits || s->ofs + s->n_bits > width))
        rd_fail(r, OFPERR_BAC_BAD_SET_ARGUMENT);
}

/* --- values --- */

/* Bit i of a field value, from the least significant. */
static unsigned byte_of(unsigned bit) { return 15 - bit / 8; }

uint64_t subfield_get(const struct subfield *s, const union field_value *v)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < s->n_bits && i < 64; i++)
        n |= (uint64_t)(v->b[byte_of(s->ofs + i)] >> (s->ofs + i) % 8 & 1) << i;
    return n;
}

void subfield_set(const struct subfield *s, union field_value *value, union field_value *mask, uint64_t n)
{
    for (unsigned i = 0; i < s->n_bits; i++) {
        uint8_t bit = (uint8_t)(1u << (s->ofs + i) % 8);
        uint8_t *b = &value->b[byte_of(s->ofs + i)];
        *b = i < 64 && n >> i & 1 ? *b | bit : *b & (uint8_t)~bit;
        mask->b[byte_of(s->ofs + i)] |= bit;
    }
}
