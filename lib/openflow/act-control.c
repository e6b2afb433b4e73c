/* act-control.c: clone, note, exit. */
#include "openflow/act-shape.h"

/* --- clone --- */

static void clone_decode(uint8_t version, struct rd *r, enum act_type type, struct buf *list, unsigned depth)
{
    act_decode_nested(version, r, 6, type, list, depth);
}

static void clone_encode(const struct act *a, uint8_t version, struct buf *out)
{
    act_encode_nested(a, 6, version, out);
}

static bool clone_parse(struct act_text *t, enum act_type type, const struct item *item, unsigned depth)
{
    size_t at = act_nested_begin(t->list, type);
    if (item->delim != '(')
        return text_fail(&t->t, item->all, "clone wants its actions in parentheses: clone(pop_vlan,output:1)");
    struct act_state *outer = t->state, inner;
    if (outer) {
        inner = *outer;
        t->state = &inner;
    }
    bool ok = act_parse_list(t, item->value, depth + 1);
    t->state = outer;
    if (ok && !act_nested_end(t->list, at))
        return text_fail(&t->t, item->all, "these are more actions than fit into an OpenFlow message");
    return ok;
}

static void clone_format(const struct act *a, const struct port_names *names, struct buf *out)
{
    buf_puts(out, "clone(");
    acts_format(((const struct act_nested *)a)->list, a->len - sizeof *a, names, out);
    buf_puts(out, ")");
}

/* Changes end with the clone. */
static enum ofp_error clone_check(const struct act *a, struct act_state *st)
{
    struct match before = st->match;
    enum ofp_error e = act_check_list(((const struct act_nested *)a)->list, a->len - sizeof *a, st);
    st->match = before;
    return e;
}

const struct act_shape act_shape_clone = {clone_decode, clone_encode, clone_parse, clone_format, clone_check};

/* --- note --- */

static void note_decode(uint8_t version UNUSED, struct rd *r, enum act_type type, struct buf *list,
                        unsigned depth UNUSED)
{
    size_t n = rd_left(r);
    const uint8_t *bytes = rd_take(r, n);
    if (sizeof(struct act_note) + n > (UINT16_MAX & ~7u)) {
        rd_fail(r, OFPERR_BAC_BAD_LEN);
        return;
    }
    struct act_note *a = act_append(list, type, offsetof(struct act_note, bytes) + n);
    a->n_bytes = (uint16_t)n;
    if (n)
        memcpy(a->bytes, bytes, n);
}

static void note_encode(const struct act *a, uint8_t version UNUSED, struct buf *out)
{
    const struct act_note *note = (const struct act_note *)a;
    buf_put(out, note->bytes, note->n_bytes);
}

/* On the wire the bytes fill the action, which is a multiple of 8 long: 6, 14, 22… of them. */
static bool note_parse(struct act_text *t, enum act_type type, const struct item *item, unsigned depth UNUSED)
{
    struct buf bytes = BUF_INIT;
    bool ok = act_parse_hex(&t->t, item->value, &bytes);
    size_t n = ROUND_UP(bytes.len + 10, 8) - 10;
    if (!ok)
        text_fail(&t->t, item->value, "a note is written as pairs of hex digits, with dots between them if you like");
    else if (n > 60000)
        ok = text_fail(&t->t, item->value, "the note is too long for an OpenFlow message");
    if (ok) {
        struct act_note *a = act_append(t->list, type, offsetof(struct act_note, bytes) + n);
        a->n_bytes = (uint16_t)n;
        if (bytes.len)
            memcpy(a->bytes, bytes.data, bytes.len);
    }
    buf_free(&bytes);
    return ok;
}

static void note_format(const struct act *a, const struct port_names *names UNUSED, struct buf *out)
{
    const struct act_note *note = (const struct act_note *)a;
    buf_puts(out, "note:");
    for (size_t i = 0; i < note->n_bytes; i++)
        buf_printf(out, "%s%02x", i ? "." : "", note->bytes[i]);
}

const struct act_shape act_shape_note = {note_decode, note_encode, note_parse, note_format, NULL};

/* --- exit --- */

static void exit_decode(uint8_t version, struct rd *r, enum act_type type, struct buf *list, unsigned depth)
{
    act_decode_none(version, r, type, list, depth);
    rd_skip(r, 6);
}

const struct act_shape act_shape_exit = {exit_decode, act_encode_none, act_parse_none, act_format_none, NULL};
