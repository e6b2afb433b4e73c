/* inst.c: the instructions, but for their order, which act.c knows from instruction.def. */
#include "openflow/act-shape.h"

/* --- meter --- */

static enum ofp_error meter_check(const struct act *a, struct act_state *st)
{
    enum { OFPM_MAX = 0xffff0000 };
    return a->n && a->n <= OFPM_MAX
               ? OFPERR_OK
               : act_fault(st, OFPERR_MMFC_INVALID_METER, "meters are numbered from 1 to 0xffff0000");
}

const struct act_shape act_shape_meter = {act_decode_u32, act_encode_u32, act_parse_u32, act_format_u32, meter_check};

/* --- apply_actions: its actions become items themselves --- */

static void apply_decode(uint8_t version, struct rd *r, enum act_type type UNUSED, struct buf *list, unsigned depth)
{
    rd_skip(r, 4);
    if (!r->err) {
        enum ofp_error e = act_decode_list(version, r, list, depth);
        if (e)
            rd_fail(r, e);
    }
}

static bool apply_parse(struct act_text *t, enum act_type type UNUSED, const struct item *item, unsigned depth)
{
    if (item->delim != '(')
        return text_fail(&t->t, item->all, "apply_actions wants its actions in parentheses, or leave the word away");
    /* Checked on a copy of the state, for the faults' places: our caller checks what was appended once more. */
    struct act_state *outer = t->state, inner;
    if (outer) {
        inner = *outer;
        t->state = &inner;
    }
    bool ok = act_parse_list(t, item->value, depth + 1);
    t->state = outer;
    return ok;
}

const struct act_shape act_shape_apply_actions = {apply_decode, NULL, apply_parse, NULL, NULL};

/* --- clear_actions --- */

static void clear_decode(uint8_t version, struct rd *r, enum act_type type, struct buf *list, unsigned depth)
{
    act_decode_none(version, r, type, list, depth);
    rd_skip(r, 4);
}

const struct act_shape act_shape_clear_actions = {clear_decode, act_encode_none, act_parse_none, act_format_none, NULL};

/* --- write_actions --- */

static void write_decode(uint8_t version, struct rd *r, enum act_type type, struct buf *list, unsigned depth)
{
    act_decode_nested(version, r, 4, type, list, depth);
}

static void write_encode(const struct act *a, uint8_t version, struct buf *out)
{
    act_encode_nested(a, 4, version, out);
}

/* A push or pop wherever it stands comes before what needs it, so such a list is judged as a whole. */
static bool changes_tags(const struct text *t, struct word list)
{
    struct item item;
    size_t at = list.at;
    while (text_next_item(t, &at, list.at + list.len, &item))
        if (item.key.len > 4 && (!memcmp(t->s + item.key.at, "push", 4) || !memcmp(t->s + item.key.at, "pop_", 4)))
            return true;
    return false;
}

static bool write_parse(struct act_text *t, enum act_type type, const struct item *item, unsigned depth)
{
    size_t at = act_nested_begin(t->list, type);
    if (item->delim != '(')
        return text_fail(&t->t, item->all, "write_actions wants its actions in parentheses: write_actions(output:1)");
    struct act_state *outer = t->state, inner;
    if (outer) {
        inner = *outer;
        inner.started = false;
        t->state = changes_tags(&t->t, item->value) ? NULL : &inner;
    }
    bool ok = act_parse_list(t, item->value, depth + 1);
    t->state = outer;
    if (ok && !act_nested_end(t->list, at))
        return text_fail(&t->t, item->all, "these are more actions than fit into an OpenFlow message");
    return ok;
}

static void write_format(const struct act *a, const struct port_names *names, struct buf *out)
{
    buf_puts(out, "write_actions(");
    acts_format(((const struct act_nested *)a)->list, a->len - sizeof *a, names, out);
    buf_puts(out, ")");
}

/* OpenFlow 1.3.5, 5.10: a set has an order of its own and holds one action of each type; these only mean something
 * where they stand. Better refused than never executed. */
static bool belongs_in_set(enum act_type type, bool bucket)
{
    if (type == ACT_RESUBMIT || type == ACT_RESUBMIT_TABLE)
        return bucket;
    static const enum act_type others[] = {ACT_CLONE,      ACT_NOTE,      ACT_EXIT,  ACT_OUTPUT_REG, ACT_OUTPUT_REG2,
                                           ACT_STACK_PUSH, ACT_STACK_POP, ACT_LEARN, ACT_LEARN2,     ACT_FIN_TIMEOUT,
                                           ACT_POP_QUEUE,  ACT_CONJUNCTION, ACT_CHECK_LEN};
    for (unsigned i = 0; i < ARRAY_SIZE(others); i++)
        if (type == others[i])
            return false;
    return true;
}

enum { LAST_TURN = 8 };

/* OpenFlow 1.3.5, 5.10: "The actions in an action set are applied in the order specified below, regardless of the order in
 * which they were added to the set": copy TTL inwards, pop, push MPLS, PBB, VLAN, and the rest, among which the order says
 * nothing of what another one needs. Of several pops the outermost tag's comes first. */
static unsigned turn_in_set(enum act_type type)
{
    static const enum act_type order[] = {ACT_COPY_TTL_IN, ACT_POP_VLAN,  ACT_POP_PBB,  ACT_POP_MPLS,
                                          ACT_PUSH_MPLS,   ACT_PUSH_PBB, ACT_PUSH_VLAN, ACT_COPY_TTL_OUT};
    unsigned i = 0;
    while (i < LAST_TURN && order[i] != type)
        i++;
    return i;
}

static enum ofp_error check_set(const void *list, size_t len, bool bucket, struct act_state *st)
{
    ACT_FOR_EACH(in, list, len)
    if (!belongs_in_set(in->type, bucket))
        return act_fault(st, OFPERR_BAC_BAD_TYPE, bucket ? "%s cannot stand in a bucket, which is an action set"
                                                         : "%s cannot stand in an action set: write it outside of write_actions",
                         act_name(in->type));
    enum ofp_error e = OFPERR_OK;
    for (unsigned turn = 0; turn <= LAST_TURN; turn++) {
        ACT_FOR_EACH(in, list, len)
        if (e == OFPERR_OK && turn_in_set(in->type) == turn)
            e = act_check_list(in, in->len, st);
    }
    return e;
}

/* The set is executed at the end, on the packet as this flow's actions leave it or as later tables do; this flow's own
 * match and actions are all that can be judged here. */
static enum ofp_error write_check(const struct act *a, struct act_state *st)
{
    struct act_state inner = *st;
    inner.started = false;
    enum ofp_error e = check_set(((const struct act_nested *)a)->list, a->len - sizeof *a, false, &inner);
    memcpy(st->why, inner.why, sizeof st->why);
    return e;
}

enum ofp_error acts_check_bucket(const void *list, size_t len, const struct act_context *ctx, char why[200])
{
    struct act_state st;
    act_state_init(&st, ctx);
    enum ofp_error e = check_set(list, len, true, &st);
    memcpy(why, st.why, sizeof st.why);
    return e;
}

const struct act_shape act_shape_write_actions = {write_decode, write_encode, write_parse, write_format, write_check};

/* --- write_metadata --- */

static void metadata_decode(uint8_t version UNUSED, struct rd *r, enum act_type type, struct buf *list,
                            unsigned depth UNUSED)
{
    struct act_metadata *a = act_append(list, type, sizeof *a);
    rd_skip(r, 4);
    a->value = rd_u64(r);
    a->mask = rd_u64(r);
    a->value &= a->mask; /* bits outside the mask say nothing */
}

static void metadata_encode(const struct act *a, uint8_t version UNUSED, struct buf *out)
{
    const struct act_metadata *m = (const struct act_metadata *)a;
    buf_zeros(out, 4);
    buf_u64(out, m->value);
    buf_u64(out, m->mask);
}

static bool metadata_parse(struct act_text *t, enum act_type type, const struct item *item, unsigned depth UNUSED)
{
    struct word v = item->value;
    const char *s = t->t.s + v.at, *slash = memchr(s, '/', v.len);
    size_t n = slash ? (size_t)(slash - s) : v.len;
    uint64_t value, mask = UINT64_MAX;
    if (!text_number(&t->t, (struct word){v.at, n}, "metadata", UINT64_MAX, &value) ||
        (slash && !text_number(&t->t, (struct word){v.at + n + 1, v.len - n - 1}, "mask", UINT64_MAX, &mask)))
        return false;
    struct act_metadata *a = act_append(t->list, type, sizeof *a);
    a->value = value & mask;
    a->mask = mask;
    return true;
}

static void metadata_format(const struct act *a, const struct port_names *names UNUSED, struct buf *out)
{
    const struct act_metadata *m = (const struct act_metadata *)a;
    buf_printf(out, "write_metadata:%#llx", (unsigned long long)m->value);
    if (m->mask != UINT64_MAX)
        buf_printf(out, "/%#llx", (unsigned long long)m->mask);
}

const struct act_shape act_shape_write_metadata = {metadata_decode, metadata_encode, metadata_parse, metadata_format,
                                                   NULL};

/* --- goto_table --- */

static void goto_decode(uint8_t version, struct rd *r, enum act_type type, struct buf *list, unsigned depth)
{
    act_decode_u8(version, r, type, list, depth);
    rd_skip(r, 3);
}

/* OpenFlow 1.3.5, 5.9: "The table-id must be greater than the current table-id. The flows of the last table of the
 * pipeline can not include this instruction." */
static enum ofp_error goto_check(const struct act *a, struct act_state *st)
{
    unsigned n = st->ctx->n_tables ? st->ctx->n_tables : 255;
    if (a->n >= n)
        return act_fault(st, OFPERR_BIC_BAD_TABLE_ID, "there is no table %u: tables go to %u", a->n, n - 1);
    if (a->n <= st->ctx->table)
        return act_fault(st, OFPERR_BIC_BAD_TABLE_ID, "goto_table leads forward only: this flow is in table %u",
                         st->ctx->table);
    return OFPERR_OK;
}

const struct act_shape act_shape_goto_table = {goto_decode, act_encode_u8, act_parse_u8, act_format_u32, goto_check};
