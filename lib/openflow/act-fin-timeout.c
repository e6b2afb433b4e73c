/* act-fin-timeout.c: fin_timeout(idle_timeout=N,hard_timeout=N), NXAST_FIN_TIMEOUT. */
#include "openflow/act-shape.h"

static void fin_decode(uint8_t version UNUSED, struct rd *r, enum act_type type, struct buf *list, unsigned depth UNUSED)
{
    struct act_fin_timeout *a = act_append(list, type, sizeof *a);
    a->idle_timeout = rd_u16(r);
    a->hard_timeout = rd_u16(r);
}

static void fin_encode(const struct act *a, uint8_t version UNUSED, struct buf *out)
{
    const struct act_fin_timeout *f = (const struct act_fin_timeout *)a;
    buf_u16(out, f->idle_timeout);
    buf_u16(out, f->hard_timeout);
}

static bool fin_parse(struct act_text *t, enum act_type type, const struct item *item, unsigned depth UNUSED)
{
    struct act_fin_timeout *a = act_append(t->list, type, sizeof *a);
    struct item arg;
    if (item->delim != '(')
        return text_fail(&t->t, item->all, "fin_timeout wants its timeouts in parentheses: fin_timeout(idle_timeout=5)");
    for (size_t at = item->value.at; text_next_item(&t->t, &at, item->value.at + item->value.len, &arg);) {
        bool idle = text_is(&t->t, arg.key, "idle_timeout");
        uint64_t seconds;
        if (!idle && !text_is(&t->t, arg.key, "hard_timeout"))
            return text_fail(&t->t, arg.key, "fin_timeout takes idle_timeout and hard_timeout");
        if (!text_number(&t->t, arg.value, idle ? "idle_timeout" : "hard_timeout", UINT16_MAX, &seconds))
            return false;
        *(idle ? &a->idle_timeout : &a->hard_timeout) = (uint16_t)seconds;
    }
    return !t->t.d || !t->t.d->failed;
}

static void fin_format(const struct act *a, const struct port_names *names UNUSED, struct buf *out)
{
    const struct act_fin_timeout *f = (const struct act_fin_timeout *)a;
    buf_puts(out, "fin_timeout(");
    if (f->idle_timeout)
        buf_printf(out, "idle_timeout=%u,", f->idle_timeout);
    if (f->hard_timeout)
        buf_printf(out, "hard_timeout=%u,", f->hard_timeout);
    buf_chomp(out, ',');
    buf_puts(out, ")");
}

static enum ofp_error fin_check(const struct act *a UNUSED, struct act_state *st)
{
    enum ofp_error e = act_need(st, FIELD_TCP_FLAGS);
    return e ? act_fault(st, e, "fin_timeout is for flows of TCP: the match needs 'tcp' or 'tcp6'") : e;
}

const struct act_shape act_shape_fin_timeout = {fin_decode, fin_encode, fin_parse, fin_format, fin_check};
