/* act-resubmit.c: resubmit:PORT (NXAST_RESUBMIT) and resubmit([PORT],[TABLE]) (NXAST_RESUBMIT_TABLE). */
#include "openflow/act-shape.h"

enum { SAME_TABLE = 255 };

static void resubmit_decode(uint8_t version UNUSED, struct rd *r, enum act_type type, struct buf *list,
                            unsigned depth UNUSED)
{
    struct act_resubmit *a = act_append(list, type, sizeof *a);
    a->a.n = ofp_port_from16(rd_u16(r));
    uint8_t table = rd_u8(r);
    rd_skip(r, 3);
    if (a->a.n > OFPP_MAX && a->a.n < OFPP_IN_PORT)
        rd_fail(r, OFPERR_BAC_BAD_ARGUMENT);
    a->table = type == ACT_RESUBMIT_TABLE ? table : SAME_TABLE; /* NXAST_RESUBMIT has padding there */
}

static void resubmit_encode(const struct act *a, uint8_t version UNUSED, struct buf *out)
{
    buf_u16(out, (uint16_t)a->n);
    buf_u8(out, a->type == ACT_RESUBMIT_TABLE ? ((const struct act_resubmit *)a)->table : 0);
}

static bool put_resubmit(struct act_text *t, struct word port, bool has_port, struct word table, bool has_table)
{
    uint32_t in_port = OFPP_IN_PORT;
    uint64_t n = SAME_TABLE;
    uint16_t narrow;
    if (has_port && !text_port(&t->t, port, &in_port))
        return false;
    if (!ofp_port_to16(in_port, &narrow))
        return text_fail(&t->t, port, "resubmit takes ports up to 65279 only");
    if (has_table && !text_number(&t->t, table, "table", SAME_TABLE, &n))
        return false;
    enum act_type type = n == SAME_TABLE ? ACT_RESUBMIT : ACT_RESUBMIT_TABLE;
    struct act_resubmit *a = act_append(t->list, type, sizeof *a);
    a->a.n = in_port;
    a->table = (uint8_t)n;
    return true;
}

static bool resubmit_parse(struct act_text *t, enum act_type type UNUSED, const struct item *item,
                           unsigned depth UNUSED)
{
    struct word none = {0, 0}, v = item->value;
    if (item->delim != '(')
        return put_resubmit(t, v, true, none, false);
    const char *s = t->t.s + v.at, *comma = memchr(s, ',', v.len);
    size_t n = comma ? (size_t)(comma - s) : v.len;
    struct word port = text_trim(&t->t, (struct word){v.at, n}), table = none;
    if (comma)
        table = text_trim(&t->t, (struct word){v.at + n + 1, v.len - n - 1});
    const char *more = table.len ? memchr(t->t.s + table.at, ',', table.len) : NULL;
    if (more)
        return text_fail(&t->t, item->all, memmem(more, table.len - (size_t)(more - (t->t.s + table.at)), "ct", 2) ? "resubmit(PORT,TABLE,ct) is not supported: there is no connection tracking"
                                                              : "resubmit takes a port and a table");
    if (!port.len && !table.len)
        return text_fail(&t->t, item->all, "resubmit needs a port, a table or both: resubmit(,10)");
    return put_resubmit(t, port, port.len > 0, table, table.len > 0);
}

static void resubmit_format(const struct act *a, const struct port_names *names, struct buf *out)
{
    const struct act_resubmit *r = (const struct act_resubmit *)a;
    bool port = a->n != OFPP_IN_PORT;
    if (a->type == ACT_RESUBMIT || r->table == SAME_TABLE) {
        buf_puts(out, "resubmit:");
        text_put_port(a->n, names, out);
        return;
    }
    buf_puts(out, "resubmit(");
    if (port)
        text_put_port(a->n, names, out);
    buf_puts(out, ",");
    if (r->table != SAME_TABLE)
        buf_printf(out, "%u", r->table);
    buf_puts(out, ")");
}

static enum ofp_error resubmit_check(const struct act *a, struct act_state *st)
{
    const struct act_resubmit *r = (const struct act_resubmit *)a;
    if (st->ctx->n_tables && r->table != SAME_TABLE && r->table >= st->ctx->n_tables)
        return act_fault(st, OFPERR_BRC_BAD_TABLE_ID, "there is no table %u: tables go to %u", r->table,
                         st->ctx->n_tables - 1u);
    return OFPERR_OK;
}

const struct act_shape act_shape_resubmit = {resubmit_decode, resubmit_encode, resubmit_parse, resubmit_format, NULL};
const struct act_shape act_shape_resubmit_table = {resubmit_decode, resubmit_encode, NULL, resubmit_format,
                                                   resubmit_check};
