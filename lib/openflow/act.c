#include "openflow/act.h"
#include <stdarg.h>
#include <stdio.h>
#include "openflow/act-shape.h"

#define OF(N) (N)
#define NX(N) ((uint64_t)NX_EXPERIMENTER << 16 | (N))
#define ON(N) ((uint64_t)ONF_EXPERIMENTER << 16 | (N))
#define XV(N) ((uint64_t)XVS_EXPERIMENTER << 16 | (N))
#define ROW(ID, ENUM, WIRE, NAME, ALIASES, STRUCT, SHAPE, SYNTAX, DOC, INST) \
    [ENUM] = {.id = ID,                                                      \
              .name = NAME,                                                  \
              .aliases = ALIASES,                                            \
              .syntax = SYNTAX,                                              \
              .doc = DOC,                                                    \
              .instruction = INST,                                           \
              .experimenter = (uint32_t)((uint64_t)(WIRE) >> 16),             \
              .wire = (uint16_t)(WIRE),                                      \
              .size = sizeof(struct act_##STRUCT),                           \
              .shape = &act_shape_##SHAPE},
const struct act_row act_rows[N_ACTS] = {
#define ACTION(id, wire, name, aliases, carries, shape, syntax, doc) \
    ROW(#id, ACT_##id, wire, name, aliases, carries, shape, syntax, doc, false)
#define INSTRUCTION(id, wire, name, aliases, carries, shape, syntax, doc) \
    ROW(#id, INST_##id, wire, name, aliases, carries, shape, syntax, doc, true)
#include "openflow/action.def"
#include "openflow/instruction.def"
#undef ACTION
#undef INSTRUCTION
};

const char *act_name(enum act_type type) { return act_rows[type].name; }

void *act_append(struct buf *list, enum act_type type, size_t size)
{
    size = ROUND_UP(size, 8);
    assert(size <= UINT16_MAX && list->len % 8 == 0);
    struct act *a = buf_extend(list, size);
    memset(a, 0, size);
    a->type = (uint16_t)type;
    a->len = (uint16_t)size;
    return a;
}

bool acts_equal(const void *a, size_t a_len, const void *b, size_t b_len)
{
    return a_len == b_len && (!a_len || !memcmp(a, b, a_len));
}

/* --- numbers --- */

void act_decode_none(uint8_t version UNUSED, struct rd *r UNUSED, enum act_type type, struct buf *list,
                     unsigned depth UNUSED)
{
    act_append(list, type, sizeof(struct act_number));
}

static void put_number(struct buf *list, enum act_type type, uint32_t n)
{
    struct act_number *a = act_append(list, type, sizeof *a);
    a->a.n = n;
}

#define NUMBER(BITS)                                                                                               \
    void act_decode_u##BITS(uint8_t version UNUSED, struct rd *r, enum act_type type, struct buf *list,            \
                            unsigned depth UNUSED)                                                                 \
    {                                                                                                              \
        put_number(list, type, rd_u##BITS(r));                                                                     \
    }                                                                                                              \
    void act_encode_u##BITS(const struct act *a, uint8_t version UNUSED, struct buf *out)                          \
    {                                                                                                              \
        buf_u##BITS(out, (uint##BITS##_t)a->n);                                                                    \
    }                                                                                                              \
    bool act_parse_u##BITS(struct act_text *t, enum act_type type, const struct item *item, unsigned depth UNUSED) \
    {                                                                                                              \
        uint64_t v;                                                                                                \
        if (!text_number(&t->t, item->value, act_name(type), UINT##BITS##_MAX, &v))                                \
            return false;                                                                                          \
        put_number(t->list, type, (uint32_t)v);                                                                    \
        return true;                                                                                               \
    }
NUMBER(8)
NUMBER(16)
NUMBER(32)

void act_encode_none(const struct act *a UNUSED, uint8_t version UNUSED, struct buf *out UNUSED) {}

bool act_parse_none(struct act_text *t, enum act_type type, const struct item *item, unsigned depth UNUSED)
{
    if (item->value.len)
        return text_fail(&t->t, item->value, "%s takes no value", act_name(type));
    put_number(t->list, type, 0);
    return true;
}

void act_format_none(const struct act *a, const struct port_names *names UNUSED, struct buf *out)
{
    buf_puts(out, act_name(a->type));
}

void act_format_u32(const struct act *a, const struct port_names *names UNUSED, struct buf *out)
{
    buf_puts(out, act_name(a->type));
    buf_puts(out, ":");
    buf_dec(out, a->n);
}

void act_format_hex(const struct act *a, const struct port_names *names UNUSED, struct buf *out)
{
    buf_printf(out, "%s:0x%04x", act_name(a->type), a->n);
}

/* --- lists in lists --- */

size_t act_nested_begin(struct buf *list, enum act_type type)
{
    size_t at = list->len;
    act_append(list, type, sizeof(struct act_nested));
    return at;
}

bool act_nested_end(struct buf *list, size_t at)
{
    size_t len = list->len - at;
    if (len > (UINT16_MAX & ~7u))
        return false;
    ((struct act *)(list->data + at))->len = (uint16_t)len;
    return true;
}

/* --- wire --- */

static const struct act_row *find_wire(bool instruction, uint32_t experimenter, uint16_t wire)
{
    for (const struct act_row *row = act_rows; row < act_rows + N_ACTS; row++)
        if (row->instruction == instruction && row->experimenter == experimenter && row->wire == wire)
            return row;
    return NULL;
}

static enum ofp_error act_error(unsigned e) { return e == WIRE_SHORT ? OFPERR_BAC_BAD_LEN : (enum ofp_error)e; }

/* OpenFlow 1.3.5, 7.2.5: "The length includes the header and any padding to make the action 64-bit aligned." */
static enum ofp_error decode_action(uint8_t version, struct rd *r, struct buf *list, unsigned depth)
{
    size_t left = rd_left(r);
    uint16_t wire = rd_u16(r), len = rd_u16(r);
    if (r->err || len < 8 || len % 8 || len > left)
        return OFPERR_BAC_BAD_LEN;
    struct rd body = rd_sub(r, len - 4u);
    uint32_t experimenter = 0;
    if (wire == 0xffff) {
        experimenter = rd_u32(&body);
        if (experimenter != NX_EXPERIMENTER && experimenter != ONF_EXPERIMENTER && experimenter != XVS_EXPERIMENTER)
            return OFPERR_BAC_BAD_EXPERIMENTER;
        if (rd_left(&body) < 2)
            return OFPERR_BAC_BAD_LEN;
        wire = rd_u16(&body);
    }
    if (version == OFP10 && !experimenter)
        return act_error(act_decode_of10(wire, &body, list));
    const struct act_row *row = find_wire(false, experimenter, wire);
    if (row)
        row->shape->decode(version, &body, (enum act_type)(row - act_rows), list, depth);
    else if (version != OFP10 || experimenter != NX_EXPERIMENTER || !act_decode_stand_in(wire, &body, list, depth))
        return experimenter ? OFPERR_BAC_BAD_EXP_TYPE : OFPERR_BAC_BAD_TYPE;
    if (body.err)
        return act_error(body.err);
    return rd_left(&body) < 8 ? OFPERR_OK : OFPERR_BAC_BAD_LEN; /* more than padding is left */
}

enum ofp_error act_decode_list(uint8_t version, struct rd *r, struct buf *list, unsigned depth)
{
    if (depth > ACT_MAX_DEPTH)
        return OFPERR_BAC_TOO_MANY;
    while (rd_left(r)) {
        enum ofp_error e = decode_action(version, r, list, depth);
        if (e)
            return e;
    }
    return r->err ? OFPERR_BAC_BAD_LEN : OFPERR_OK;
}

void act_decode_nested(uint8_t version, struct rd *r, size_t pad, enum act_type type, struct buf *list, unsigned depth)
{
    size_t at = act_nested_begin(list, type);
    rd_skip(r, pad);
    if (r->err)
        return;
    enum ofp_error e = act_decode_list(version, r, list, depth + 1);
    if (e)
        rd_fail(r, e);
    else if (!act_nested_end(list, at))
        rd_fail(r, OFPERR_BAC_TOO_MANY);
}

void act_encode_nested(const struct act *a, size_t pad, uint8_t version, struct buf *out)
{
    buf_zeros(out, pad);
    acts_encode_actions(((const struct act_nested *)a)->list, a->len - sizeof *a, version, out);
}

enum ofp_error acts_decode_actions(uint8_t version, struct rd r, struct buf *list)
{
    return act_decode_list(version, &r, list, 0);
}

/* OpenFlow 1.3.5, 5.9: "The instruction set … contains a maximum of one instruction of each type. The instructions of
 * the set execute in the order specified by this above list." The order in the message says nothing; a second
 * instruction of a type is refused (1.3 has no code for it: ONF's EXT-260 gives it one). */
enum ofp_error acts_decode_instructions(uint8_t version, struct rd r, struct buf *list)
{
    enum { FIRST = INST_METER, N = N_ACTS - INST_METER };
    struct rd bodies[N];
    bool seen[N] = {false};
    while (rd_left(&r)) {
        size_t left = rd_left(&r);
        uint16_t wire = rd_u16(&r), len = rd_u16(&r);
        if (r.err || len < 8 || len % 8 || len > left)
            return OFPERR_BIC_BAD_LEN;
        struct rd body = rd_sub(&r, len - 4u);
        if (wire == 0xffff)
            return OFPERR_BIC_BAD_EXPERIMENTER;
        const struct act_row *row = find_wire(true, 0, wire);
        if (!row)
            return OFPERR_BIC_UNKNOWN_INST;
        ptrdiff_t i = row - act_rows - FIRST;
        if (seen[i])
            return OFPERR_BIC_DUP_INST;
        seen[i] = true;
        bodies[i] = body;
    }
    if (r.err)
        return OFPERR_BIC_BAD_LEN;
    for (unsigned i = 0; i < N; i++) {
        if (!seen[i])
            continue;
        act_rows[FIRST + i].shape->decode(version, &bodies[i], FIRST + i, list, 0);
        if (bodies[i].err)
            return bodies[i].err == WIRE_SHORT ? OFPERR_BIC_BAD_LEN : (enum ofp_error)bodies[i].err;
        if (rd_left(&bodies[i]))
            return OFPERR_BIC_BAD_LEN;
    }
    return OFPERR_OK;
}

static void encode_item(const struct act *a, uint8_t version, struct buf *out)
{
    const struct act_row *row = &act_rows[a->type];
    size_t at = out->len;
    buf_u16(out, row->experimenter ? 0xffff : row->wire);
    buf_u16(out, 0);
    if (row->experimenter) {
        buf_u32(out, row->experimenter);
        buf_u16(out, row->wire);
    }
    row->shape->encode(a, version, out);
    buf_align(out, at, 8);
    assert(out->len - at <= UINT16_MAX); /* acts_parse() and the decoders bound a list's length */
    buf_set_u16(out, at + 2, (uint16_t)(out->len - at));
}

static void encode_of10(const void *list, size_t len, struct buf *out)
{
    const struct act *before = NULL, *end = act_end(list, len), *next;
    for (const struct act *a = list; len && a != end; a = next) {
        next = act_encode_enqueue(a, end, out);
        if (!next) {
            next = (const struct act *)((const uint8_t *)a + a->len);
            if (!act_encode_of10(a, before, next == end ? NULL : next, out))
                encode_item(a, OFP10, out);
        }
        before = a;
    }
}

void acts_encode_actions(const void *list, size_t len, uint8_t version, struct buf *out)
{
    if (version == OFP10) {
        encode_of10(list, len, out);
        return;
    }
    ACT_FOR_EACH(a, list, len)
    encode_item(a, version, out);
}

/* The actions in `list` become one APPLY_ACTIONS; 1.0 has no instructions. */
void acts_encode_instructions(const void *list, size_t len, uint8_t version, struct buf *out)
{
    const uint8_t *p = list, *end = (const uint8_t *)act_end(list, len);
    if (version == OFP10) {
        acts_encode_actions(list, len, version, out);
        return;
    }
    while (p < end) {
        const struct act *a = (const struct act *)p;
        if (act_rows[a->type].instruction) {
            encode_item(a, version, out);
            p += a->len;
            continue;
        }
        const uint8_t *first = p;
        while (p < end && !act_rows[((const struct act *)p)->type].instruction)
            p += ((const struct act *)p)->len;
        size_t at = out->len;
        buf_u16(out, act_rows[INST_APPLY_ACTIONS].wire);
        buf_u16(out, 0);
        buf_u32(out, 0);
        acts_encode_actions(first, (size_t)(p - first), version, out);
        assert(out->len - at <= UINT16_MAX);
        buf_set_u16(out, at + 2, (uint16_t)(out->len - at));
    }
}

/* --- checks --- */

enum ofp_error act_fault(struct act_state *st, enum ofp_error e, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(st->why, sizeof st->why, format, args);
    va_end(args);
    return e;
}

enum ofp_error act_need(struct act_state *st, enum field_id f)
{
    const char *need = NULL;
    if (!st->ctx->match || match_prereq(&st->match, f, &need))
        return OFPERR_OK;
    return act_fault(st, OFPERR_BAC_MATCH_INCONSISTENT, "not every packet of this flow has %s: the match needs '%s'",
                     fields[f].name, need ? need : "more");
}

static enum ofp_error check_item(const struct act *a, struct act_state *st)
{
    const struct act_row *row = &act_rows[a->type];
    enum act_type stage = row->instruction ? (enum act_type)a->type : INST_APPLY_ACTIONS;
    if (st->started && (stage < st->stage || (stage == st->stage && row->instruction)))
        return act_fault(st, stage == st->stage ? OFPERR_BIC_DUP_INST : OFPERR_BAC_UNSUPPORTED_ORDER,
                         stage == st->stage ? "%s stands here a second time"
                                            : "%s is executed before %s: write it first",
                         row->instruction ? act_name(a->type) : "an action",
                         st->stage == INST_APPLY_ACTIONS ? "the actions" : act_name(st->stage));
    st->started = true;
    st->stage = stage;
    st->conjunctions |= a->type == ACT_CONJUNCTION;
    st->others |= a->type != ACT_CONJUNCTION && a->type != ACT_NOTE;
    if (st->conjunctions && st->others)
        return act_fault(st, OFPERR_NXBAC_BAD_CONJUNCTION, "a flow with a conjunction does nothing else: other actions belong to the flow that matches conj_id");
    return row->shape->check ? row->shape->check(a, st) : OFPERR_OK;
}

enum ofp_error act_check_list(const void *list, size_t len, struct act_state *st)
{
    ACT_FOR_EACH(a, list, len)
    {
        enum ofp_error e = check_item(a, st);
        if (e)
            return e;
    }
    return OFPERR_OK;
}

void act_state_init(struct act_state *st, const struct act_context *ctx)
{
    *st = (struct act_state){.ctx = ctx, .stage = INST_METER};
    if (ctx->match)
        st->match = *ctx->match;
}

enum ofp_error acts_check(const void *list, size_t len, const struct act_context *ctx)
{
    struct act_state st;
    act_state_init(&st, ctx);
    return act_check_list(list, len, &st);
}

/* --- text --- */

static bool check_text(struct act_text *t, size_t from, struct word place)
{
    if (!t->state)
        return true;
    t->state->why[0] = 0;
    if (t->list->len == from)
        return true;
    enum ofp_error e = act_check_list(t->list->data + from, t->list->len - from, t->state);
    if (e)
        return text_fail(&t->t, place, "%s", t->state->why[0] ? t->state->why : ofp_error_sentence(e));
    return true;
}

static const char *nearest_action(const struct act_text *t, struct word w)
{
    const char *names[2 * N_ACTS];
    size_t n = 0;
    for (unsigned i = 0; i < N_ACTS; i++)
        if (t->instructions || !act_rows[i].instruction)
            names[n++] = act_name(i);
    return nearest_name(t->t.s + w.at, w.len, names, n);
}

static bool parse_item(struct act_text *t, const struct item *item, unsigned depth)
{
    bool ok;
    for (unsigned i = 0; i < N_ACTS; i++) {
        const struct act_row *row = &act_rows[i];
        if (!row->shape->parse ||
            (!text_is(&t->t, item->key, row->name) && !text_in_names(&t->t, item->key, row->aliases)))
            continue;
        if (row->instruction && (!t->instructions || depth))
            return text_fail(&t->t, item->key, "%s is an instruction, which cannot stand here", act_name(i));
        return row->shape->parse(t, i, item, depth);
    }
    if (act_parse_legacy(t, item, &ok))
        return ok;
    /* A bare word is a port. */
    struct item port = {.all = item->all, .key = item->key, .value = item->key};
    uint32_t n;
    struct text quiet = {t->t.s, t->t.names, NULL};
    if (!item->delim || ofp_port_reserved_parse(t->t.s + item->key.at, item->key.len, &n)) {
        if (item->delim)
            port.value = (struct word){item->key.at, item->all.len}; /* controller:100 */
        bool number = item->key.len && strspn(t->t.s + item->key.at, "0123456789");
        if (number || item->delim || text_port(&quiet, item->key, &n))
            return act_rows[ACT_OUTPUT].shape->parse(t, ACT_OUTPUT, &port, depth);
    }
    const char *near = nearest_action(t, item->key);
    const char *what = item->delim ? "no action" : "no action or port";
    if (near)
        return text_fail(&t->t, item->key, "%s '%.*s'; did you mean '%s'?", what, (int)item->key.len,
                         t->t.s + item->key.at, near);
    return text_fail(&t->t, item->key, "%s '%.*s'", what, (int)item->key.len, t->t.s + item->key.at);
}

/* "drop" stands alone: it says that there is nothing. */
bool act_parse_list(struct act_text *t, struct word list, unsigned depth)
{
    struct item item;
    struct word drop = {0, 0};
    size_t at = list.at, end = list.at + list.len;
    unsigned n = 0;
    if (depth > ACT_MAX_DEPTH)
        return text_fail(&t->t, list, "actions are nested too deep");
    for (; text_next_item(&t->t, &at, end, &item); n++) {
        size_t from = t->list->len;
        if (text_is(&t->t, item.key, "drop") && !item.delim)
            drop = item.key;
        else if (!parse_item(t, &item, depth) || !check_text(t, from, item.all))
            return false;
        if (drop.len && n)
            return text_fail(&t->t, drop, "drop stands alone: with other actions it means nothing");
    }
    return !t->t.d || !t->t.d->failed;
}

/* What a flow-mod and a statistics entry can carry, with room for their match. */
static bool fits_message(const void *list, size_t len)
{
    enum { MOST = 60000 };
    struct buf wire = BUF_INIT;
    if (len <= MOST / 8) /* no item of 8 bytes takes more than 64 there */
        return true;
    if (len > 8 * MOST)
        return false;
    ACT_FOR_EACH(a, list, len)
    {
        encode_item(a, OFP13, &wire); /* 1.3 is the longest */
        if (wire.len > MOST)
            break;
    }
    bool fits = wire.len <= MOST;
    buf_free(&wire);
    return fits;
}

bool act_parse_part(const struct text *text, struct word part, bool instructions, const struct act_context *ctx,
                    struct buf *list)
{
    struct act_state st;
    struct act_text t = {.t = *text, .instructions = instructions, .list = list};
    if (ctx) {
        act_state_init(&st, ctx);
        t.state = &st;
    }
    size_t from = list->len;
    if (!act_parse_list(&t, part, 0))
        return false;
    return list->len == from || fits_message(list->data + from, list->len - from) ||
           text_fail(text, part, "these are more actions than fit into an OpenFlow message");
}

bool acts_parse(const char *text, size_t len, bool instructions, const struct port_names *names,
                const struct act_context *ctx, struct buf *list, struct diag *d)
{
    struct diag own = DIAG_INIT;
    struct text t = {text, names, d ? d : &own};
    bool ok = act_parse_part(&t, (struct word){0, len}, instructions, ctx, list);
    diag_free(&own);
    return ok;
}

void acts_format(const void *list, size_t len, const struct port_names *names, struct buf *out)
{
    if (!len)
        buf_puts(out, "drop");
    bool first = true;
    ACT_FOR_EACH(a, list, len)
    {
        buf_puts(out, first ? "" : ",");
        first = false;
        act_rows[a->type].shape->format(a, names, out);
    }
}
