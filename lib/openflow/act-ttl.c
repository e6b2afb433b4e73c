/* act-ttl.c: mod_nw_ttl, dec_ttl. */
#include "openflow/act-shape.h"

static void ttl_decode(uint8_t version, struct rd *r, enum act_type type, struct buf *list, unsigned depth)
{
    act_decode_u8(version, r, type, list, depth);
    rd_skip(r, 3);
}

static enum ofp_error ttl_check(const struct act *a UNUSED, struct act_state *st)
{
    return st->ctx->of10 ? OFPERR_OK : act_need(st, FIELD_IP_TTL);
}

const struct act_shape act_shape_set_nw_ttl = {ttl_decode, act_encode_u8, act_parse_u8, act_format_u32, ttl_check};
/* --- dec_ttl(ID,ID…): NXAST_DEC_TTL_CNT_IDS --- */

static struct act_ids *put_ids(struct buf *list, unsigned n)
{
    struct act_ids *a = act_append(list, ACT_DEC_TTL_IDS, offsetof(struct act_ids, id) + n * sizeof a->id[0]);
    a->a.n = n;
    return a;
}

static void ids_decode(uint8_t version UNUSED, struct rd *r, enum act_type type UNUSED, struct buf *list,
                       unsigned depth UNUSED)
{
    unsigned n = rd_u16(r);
    rd_skip(r, 4);
    if (r->err || n > rd_left(r) / 2) {
        rd_fail(r, OFPERR_BAC_BAD_LEN);
        return;
    }
    struct act_ids *a = put_ids(list, n);
    for (unsigned i = 0; i < n; i++)
        a->id[i] = rd_u16(r);
}

static void ids_encode(const struct act *a, uint8_t version UNUSED, struct buf *out)
{
    const struct act_ids *ids = (const struct act_ids *)a;
    buf_u16(out, (uint16_t)a->n);
    buf_zeros(out, 4);
    for (unsigned i = 0; i < a->n; i++)
        buf_u16(out, ids->id[i]);
}

static bool ids_parse(struct act_text *t, const struct item *item)
{
    enum { MOST = 1024 };
    struct item id;
    uint16_t ids[MOST];
    unsigned n = 0;
    for (size_t at = item->value.at; text_next_item(&t->t, &at, item->value.at + item->value.len, &id); n++) {
        uint64_t v;
        if (n == MOST)
            return text_fail(&t->t, id.all, "these are more controllers than there can be");
        if (!text_number(&t->t, id.all, "controller id", UINT16_MAX, &v))
            return false;
        ids[n] = (uint16_t)v;
    }
    if (t->t.d && t->t.d->failed)
        return false;
    if (!n)
        return text_fail(&t->t, item->all, "dec_ttl() wants the ids of controllers, or is written without parentheses");
    memcpy(put_ids(t->list, n)->id, ids, n * sizeof ids[0]);
    return true;
}

static void ids_format(const struct act *a, const struct port_names *names UNUSED, struct buf *out)
{
    const struct act_ids *ids = (const struct act_ids *)a;
    buf_puts(out, "dec_ttl(");
    for (unsigned i = 0; i < a->n; i++)
        buf_printf(out, "%s%u", i ? "," : "", ids->id[i]);
    buf_puts(out, ")");
}

const struct act_shape act_shape_dec_ttl_ids = {ids_decode, ids_encode, NULL, ids_format, ttl_check};

static bool dec_parse(struct act_text *t, enum act_type type, const struct item *item, unsigned depth)
{
    return item->delim == '(' ? ids_parse(t, item) : act_parse_none(t, type, item, depth);
}

const struct act_shape act_shape_dec_nw_ttl = {act_decode_none, act_encode_none, dec_parse, act_format_none, ttl_check};
