/* act-learn-text.c: learn(…) as people write and read it. */
#include "openflow/act-shape.h"

enum { DEFAULT_TABLE = 1, DEFAULT_PRIORITY = 0x8000 };

/* --- print --- */

static void put_number(const union field_value *v, struct buf *out)
{
    unsigned i = 0;
    while (i < 16 && !v->b[i])
        i++;
    if (i == 16) {
        buf_puts(out, "0");
        return;
    }
    buf_printf(out, "%#x", v->b[i]);
    while (++i < 16)
        buf_printf(out, "%02x", v->b[i]);
}

/* All of a field by its short name? in_port is sixteen bits here. */
static struct subfield whole(enum field_id f)
{
    return (struct subfield){.field = (uint16_t)f, .n_bits = (uint8_t)(f == FIELD_IN_PORT ? 16 : subfield_width(f))};
}

static bool is_whole(const struct subfield *s) { return !s->ofs && s->n_bits == whole(s->field).n_bits; }

static void put_spec(const struct learn_spec *s, const struct port_names *names, struct buf *out)
{
    if (s->dst == LEARN_TO_OUTPUT) {
        buf_puts(out, "output:");
        subfield_format(&s->from, out);
    } else if (s->dst == LEARN_TO_LOAD) {
        buf_puts(out, "load:");
        if (s->src == LEARN_FROM_FIELD)
            subfield_format(&s->from, out);
        else
            put_number(&s->value, out);
        buf_puts(out, "->");
        subfield_format(&s->to, out);
    } else if (s->src == LEARN_FROM_FIELD) {
        subfield_format(&s->to, out);
        if (s->from.field != s->to.field || s->from.ofs != s->to.ofs) {
            buf_puts(out, "=");
            subfield_format(&s->from, out);
        }
    } else if (is_whole(&s->to)) {
        union field_value v = s->value, ones;
        if (s->to.field == FIELD_IN_PORT)
            field_value_set_u64(&v, ofp_port_from16((uint16_t)field_value_u64(&v)));
        field_all_ones(s->to.field, &ones);
        buf_printf(out, "%s=", act_field_name(s->to.field));
        if (s->to.field == FIELD_ETH_TYPE)
            put_number(&v, out);
        else
            text_put_field_value(s->to.field, &v, &ones, names, out);
    } else {
        subfield_format(&s->to, out);
        buf_puts(out, "=");
        put_number(&s->value, out);
    }
}

void learn_format(const struct act *a, const struct port_names *names, struct buf *out)
{
    const struct act_learn *l = (const struct act_learn *)a;
    const struct {
        const char *name;
        unsigned value;
    } timeouts[] = {{"idle_timeout", l->idle_timeout},
                    {"hard_timeout", l->hard_timeout},
                    {"fin_idle_timeout", l->fin_idle_timeout},
                    {"fin_hard_timeout", l->fin_hard_timeout}};
    buf_printf(out, "learn(table=%u", l->table);
    for (unsigned i = 0; i < ARRAY_SIZE(timeouts); i++)
        if (timeouts[i].value)
            buf_printf(out, ",%s=%u", timeouts[i].name, timeouts[i].value);
    if (l->priority != DEFAULT_PRIORITY)
        buf_printf(out, ",priority=%u", l->priority);
    if (l->flags & LEARN_SEND_FLOW_REM)
        buf_puts(out, ",send_flow_rem");
    if (l->flags & LEARN_DELETE_LEARNED)
        buf_puts(out, ",delete_learned");
    if (l->cookie)
        buf_printf(out, ",cookie=%#llx", (unsigned long long)l->cookie);
    if (a->n)
        buf_printf(out, ",limit=%u", a->n);
    if (l->flags & LEARN_WRITE_RESULT) {
        buf_puts(out, ",result_dst=");
        subfield_format(&l->result, out);
    }
    for (unsigned i = 0; i < l->n_specs; i++) {
        buf_puts(out, ",");
        put_spec(&l->specs[i], names, out);
    }
    buf_puts(out, ")");
}

/* --- parse: the specifications --- */

/* "0x1234" or, of up to 64 bits, decimal, into n_bits. */
static bool parse_value(const struct text *t, struct word w, unsigned n_bits, union field_value *v)
{
    const char *s = t->s + w.at;
    uint64_t n;
    *v = (union field_value){{0}};
    if (n_bits <= 64 || w.len <= 2 || s[0] != '0' || (s[1] | 0x20) != 'x') {
        if (!text_number(t, w, "the number", n_bits < 64 ? (UINT64_C(1) << n_bits) - 1 : UINT64_MAX, &n))
            return false;
        field_value_set_u64(v, n);
        return true;
    }
    unsigned bit = 0;
    for (size_t i = w.len; i-- > 2; bit += 4) {
        static const char digits[] = "0123456789abcdef";
        char c = s[i] >= 'A' && s[i] <= 'F' ? (char)(s[i] | 0x20) : s[i];
        const char *digit = c ? strchr(digits, c) : NULL;
        if (!digit)
            return text_fail(t, w, "this is no number");
        uint8_t d = (uint8_t)(digit - digits);
        if (d && (bit >= n_bits || (bit + 4 > n_bits && d >> (n_bits - bit))))
            return text_fail(t, w, "the number does not fit into %u bits", n_bits);
        if (d)
            v->b[15 - bit / 8] |= (uint8_t)(d << bit % 8);
    }
    return true;
}

static bool same_width(const struct text *t, struct word w, struct learn_spec *s)
{
    s->n_bits = s->to.n_bits;
    return s->from.n_bits == s->to.n_bits ||
           text_fail(t, w, "both sides have the same number of bits: these have %u and %u", s->to.n_bits, s->from.n_bits);
}

/* "field=VALUE" or "field=FIELD[…]": all of the field. */
static bool parse_short_match(const struct text *t, const struct item *item, enum field_id f, struct learn_spec *s)
{
    union field_value mask;
    struct text quiet = {t->s, t->names, NULL};
    s->to = whole(f);
    s->n_bits = s->to.n_bits;
    if (!item->value.len)
        return text_fail(t, item->all, "a value is missing: write %s=VALUE, or %s[] for what the packet has",
                         fields[f].name, fields[f].name);
    if (memchr(t->s + item->value.at, '[', item->value.len) ||
        (!text_field_value(&quiet, f, item->value, false, &s->value, &mask) &&
         subfield_parse(&quiet, item->value, &s->from))) {
        s->src = LEARN_FROM_FIELD;
        return subfield_parse(t, item->value, &s->from) && same_width(t, item->all, s);
    }
    s->src = LEARN_FROM_VALUE;
    if (!text_field_value(t, f, item->value, false, &s->value, &mask))
        return false;
    if (f == FIELD_IN_PORT || f == FIELD_VLAN_VID) /* as many bits as it has here */
        field_value_set_u64(&s->value, field_value_u64(&s->value) & ((UINT64_C(1) << s->n_bits) - 1));
    return true;
}

/* "FIELD[…]", "FIELD[…]=FIELD[…]", "FIELD[…]=VALUE". */
static bool parse_match(const struct text *t, const struct item *item, struct learn_spec *s)
{
    struct text quiet = {t->s, t->names, NULL};
    if (!subfield_parse(t, item->key, &s->to))
        return false;
    s->from = s->to;
    s->n_bits = s->to.n_bits;
    if (!item->delim)
        return true;
    if (subfield_parse(&quiet, item->value, &s->from))
        return same_width(t, item->all, s);
    s->from = (struct subfield){0};
    s->src = LEARN_FROM_VALUE;
    union field_value mask;
    if (is_whole(&s->to) && s->to.field != FIELD_IN_PORT && text_field_value(&quiet, s->to.field, item->value, false, &s->value, &mask))
        return true;
    const char *v = t->s + item->value.at;
    return item->value.len && (*v < '0' || *v > '9') ? subfield_parse(t, item->value, &s->from)
                                                     : parse_value(t, item->value, s->n_bits, &s->value);
}

static bool parse_load(const struct text *t, const struct item *item, struct learn_spec *s)
{
    struct word v = item->value;
    const char *p = t->s + v.at, *arrow = v.len >= 2 ? memmem(p, v.len, "->", 2) : NULL;
    if (!arrow)
        return text_fail(t, item->all, "'->' and what is written to are missing");
    struct word from = {v.at, (size_t)(arrow - p)}, to = {v.at + from.len + 2, v.len - from.len - 2};
    if (!subfield_parse(t, to, &s->to))
        return false;
    if (fields[s->to.field].access != RW)
        return text_fail(t, to, "%s cannot be written", fields[s->to.field].name);
    s->dst = LEARN_TO_LOAD;
    s->n_bits = s->to.n_bits;
    if (memchr(p, '[', from.len))
        return subfield_parse(t, from, &s->from) && same_width(t, item->all, s);
    s->src = LEARN_FROM_VALUE;
    return parse_value(t, from, s->n_bits, &s->value);
}

static bool parse_spec(const struct text *t, const struct item *item, struct learn_spec *s)
{
    enum field_id f;
    if (text_is(t, item->key, "load"))
        return parse_load(t, item, s);
    if (text_is(t, item->key, "output")) {
        if (!subfield_parse(t, item->value, &s->from))
            return false;
        s->dst = LEARN_TO_OUTPUT;
        s->n_bits = s->from.n_bits;
        return true;
    }
    if (item->key.len && memchr(t->s + item->key.at, '[', item->key.len))
        return parse_match(t, item, s);
    if (subfield_field_by_name(t, item->key, &f))
        return parse_short_match(t, item, f, s);
    return text_fail(t, item->key, "learn knows no argument and no field '%.*s'", (int)item->key.len, t->s + item->key.at);
}

/* --- parse: the arguments --- */


/* 1: it was one; 0: it is something else; -1: it has a fault. */
static int parse_argument(const struct text *t, const struct item *item, struct act_learn *a)
{
    const struct {
        const char *name;
        uint64_t max;
        uint16_t *to; /* NULL: see below */
    } numbers[] = {{"table", 254, NULL},
                   {"priority", UINT16_MAX, &a->priority},
                   {"idle_timeout", UINT16_MAX, &a->idle_timeout},
                   {"hard_timeout", UINT16_MAX, &a->hard_timeout},
                   {"fin_idle_timeout", UINT16_MAX, &a->fin_idle_timeout},
                   {"fin_hard_timeout", UINT16_MAX, &a->fin_hard_timeout},
                   {"cookie", UINT64_MAX, NULL},
                   {"limit", UINT32_MAX, NULL}};
    uint64_t n;
    for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++) {
        if (!text_is(t, item->key, numbers[i].name))
            continue;
        if (!text_number(t, item->value, numbers[i].name, numbers[i].max, &n))
            return -1;
        if (numbers[i].to)
            *numbers[i].to = (uint16_t)n;
        else if (numbers[i].max == 254)
            a->table = (uint8_t)n;
        else if (numbers[i].max == UINT32_MAX)
            a->a.n = (uint32_t)n;
        else
            a->cookie = n;
        return 1;
    }
    if (text_is(t, item->key, "send_flow_rem") || text_is(t, item->key, "delete_learned")) {
        a->flags |= text_is(t, item->key, "send_flow_rem") ? LEARN_SEND_FLOW_REM : LEARN_DELETE_LEARNED;
        return 1;
    }
    if (!text_is(t, item->key, "result_dst"))
        return 0;
    a->flags |= LEARN_WRITE_RESULT;
    if (!subfield_parse(t, item->value, &a->result))
        return -1;
    if (a->result.n_bits != 1)
        text_fail(t, item->value, "result_dst is one bit, not %u: reg0[0]", a->result.n_bits);
    else if (fields[a->result.field].access != RW)
        text_fail(t, item->value, "%s cannot be written", fields[a->result.field].name);
    return a->result.n_bits == 1 && fields[a->result.field].access == RW ? 1 : -1;
}

static bool parse_items(struct act_text *t, const struct item *item, struct act_learn *head, size_t at)
{
    struct item arg;
    for (size_t i = item->value.at; text_next_item(&t->t, &i, item->value.at + item->value.len, &arg);) {
        struct learn_spec s = {.src = LEARN_FROM_FIELD};
        int known = parse_argument(&t->t, &arg, head);
        if (known < 0 || (!known && !parse_spec(&t->t, &arg, &s)))
            return false;
        const struct act_learn *a = (const struct act_learn *)(t->list->data + at);
        if (!known && a->n_specs == LEARN_MAX_SPECS)
            return text_fail(&t->t, arg.all, "learn takes at most %d fields, values and outputs", LEARN_MAX_SPECS);
        if (!known)
            act_learn_add(t->list, at, &s);
    }
    return !t->t.d || !t->t.d->failed;
}

bool learn_parse(struct act_text *t, enum act_type type, const struct item *item, unsigned depth UNUSED)
{
    struct act_learn head = {.priority = DEFAULT_PRIORITY, .table = DEFAULT_TABLE};
    size_t at = act_learn_begin(t->list, type);
    if (item->delim != '(')
        return text_fail(&t->t, item->all, "learn wants its arguments in parentheses: learn(table=1,eth_dst=eth_src,output:in_port)");
    if (!parse_items(t, item, &head, at))
        return false;
    struct act_learn *a = (struct act_learn *)(t->list->data + at);
    head.a.type = head.a.n || head.flags & LEARN_WRITE_RESULT ? ACT_LEARN2 : ACT_LEARN;
    head.a.len = a->a.len;
    head.n_specs = a->n_specs;
    memcpy(a, &head, sizeof head);
    return true;
}
