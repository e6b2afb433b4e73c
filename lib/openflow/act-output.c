/* act-output.c: where packets go: output, group, set_queue. */
#include "openflow/act-shape.h"

/* OpenFlow 1.3.5, 7.2.5: "OFPBAC_BAD_OUT_PORT": a port that is invalid or never valid; OFPP_ANY is for requests only.
 */
static enum ofp_error check_port(uint32_t port, const struct act_state *st)
{
    if (port == OFPP_ANY || port == 0 || (port > OFPP_MAX && port < OFPP_IN_PORT))
        return OFPERR_BAC_BAD_OUT_PORT;
    if (port <= OFPP_MAX && st->ctx->max_ports && port > st->ctx->max_ports)
        return OFPERR_BAC_BAD_OUT_PORT;
    return OFPERR_OK;
}

/* --- output --- */

void act_put_output(struct buf *list, uint32_t port, uint16_t max_len)
{
    struct act_output *o = act_append(list, ACT_OUTPUT, sizeof *o);
    o->a.n = port;
    o->max_len = max_len; /* has a meaning for CONTROLLER only, but is read back as it was sent */
}

static void output_decode(uint8_t version UNUSED, struct rd *r, enum act_type type UNUSED, struct buf *list,
                          unsigned depth UNUSED)
{
    uint32_t port = rd_u32(r);
    uint16_t max_len = rd_u16(r);
    rd_skip(r, 6);
    act_put_output(list, port, max_len);
}

static void output_encode(const struct act *a, uint8_t version UNUSED, struct buf *out)
{
    buf_u32(out, a->n);
    buf_u16(out, ((const struct act_output *)a)->max_len);
    buf_zeros(out, 6);
}

static bool output_parse(struct act_text *t, enum act_type type UNUSED, const struct item *item, unsigned depth UNUSED)
{
    struct word w = item->value;
    const char *s = t->t.s + w.at, *colon = memchr(s, ':', w.len);
    uint32_t port;
    uint64_t max_len = UINT16_MAX;
    if (item->delim == '(')
        return text_fail(&t->t, item->all, "output(...) is not supported: write output:PORT");
    if (colon) {
        struct word name = {w.at, (size_t)(colon - s)}, number = {w.at + name.len + 1, w.len - name.len - 1};
        if (ofp_port_reserved_parse(s, name.len, &port) && port == OFPP_CONTROLLER) {
            if (!text_number(&t->t, number, "max_len", UINT16_MAX, &max_len))
                return false;
            w = name;
        }
    }
    if (w.len && memchr(s, '[', w.len))
        return act_parse_output_reg(t, w);
    if (!text_port(&t->t, w, &port))
        return false;
    act_put_output(t->list, port, port == OFPP_CONTROLLER ? (uint16_t)max_len : 0);
    return true;
}

static void output_format(const struct act *a, const struct port_names *names, struct buf *out)
{
    if (a->n == OFPP_CONTROLLER) {
        buf_printf(out, "CONTROLLER:%u", ((const struct act_output *)a)->max_len);
        return;
    }
    if (!ofp_port_reserved_name(a->n))
        buf_puts(out, "output:");
    text_put_port(a->n, names, out);
}

static enum ofp_error output_check(const struct act *a, struct act_state *st)
{
    enum ofp_error e = check_port(a->n, st);
    if (e == OFPERR_OK)
        return e;
    return act_fault(st, e, a->n == OFPP_ANY ? "ANY is no port that a packet can leave by" : "there can be no port %u",
                     a->n);
}

const struct act_shape act_shape_output = {output_decode, output_encode, output_parse, output_format, output_check};

/* --- output:FIELD[…]: NXAST_OUTPUT_REG, and NXAST_OUTPUT_REG2 for fields with long headers --- */

static void put_output_reg(struct buf *list, enum act_type type, const struct subfield *src, uint16_t max_len)
{
    struct act_output_reg *o = act_append(list, type, sizeof *o);
    o->src = *src;
    o->max_len = max_len;
}

static void output_reg_decode(uint8_t version UNUSED, struct rd *r, enum act_type type, struct buf *list,
                              unsigned depth UNUSED)
{
    uint16_t ofs_n_bits = rd_u16(r), max_len = 0;
    struct subfield src = {.ofs = (uint8_t)(ofs_n_bits >> 6), .n_bits = (uint8_t)((ofs_n_bits & 63) + 1)};
    if (ofs_n_bits >> 6 > 127)
        rd_fail(r, OFPERR_BAC_BAD_SET_ARGUMENT);
    if (type == ACT_OUTPUT_REG2)
        max_len = rd_u16(r);
    subfield_decode(r, &src);
    if (type == ACT_OUTPUT_REG)
        max_len = rd_u16(r);
    if (rd_left(r) == 6)
        rd_skip(r, 6);
    if (!r->err)
        put_output_reg(list, type, &src, max_len);
}

static void output_reg_encode(const struct act *a, uint8_t version UNUSED, struct buf *out)
{
    const struct act_output_reg *o = (const struct act_output_reg *)a;
    buf_u16(out, (uint16_t)(o->src.ofs << 6 | (o->src.n_bits - 1)));
    if (a->type == ACT_OUTPUT_REG2)
        buf_u16(out, o->max_len);
    subfield_encode(&o->src, out);
    if (a->type == ACT_OUTPUT_REG)
        buf_u16(out, o->max_len);
}

bool act_parse_output_reg(struct act_text *t, struct word w)
{
    struct subfield src;
    if (!subfield_parse(&t->t, w, &src))
        return false;
    if (src.n_bits > 32)
        return text_fail(&t->t, w, "a port's number has at most 32 bits, not %u", src.n_bits);
    put_output_reg(t->list, subfield_header_bytes(&src) > 4 ? ACT_OUTPUT_REG2 : ACT_OUTPUT_REG, &src, UINT16_MAX);
    return true;
}

static void output_reg_format(const struct act *a, const struct port_names *names UNUSED, struct buf *out)
{
    buf_puts(out, "output:");
    subfield_format(&((const struct act_output_reg *)a)->src, out);
}

static enum ofp_error output_reg_check(const struct act *a, struct act_state *st)
{
    const struct act_output_reg *o = (const struct act_output_reg *)a;
    if (o->src.n_bits > 32)
        return act_fault(st, OFPERR_BAC_BAD_ARGUMENT, "a port's number has at most 32 bits, not %u", o->src.n_bits);
    return act_need(st, o->src.field);
}

const struct act_shape act_shape_output_reg = {output_reg_decode, output_reg_encode, NULL, output_reg_format,
                                               output_reg_check};
const struct act_shape act_shape_output_reg2 = {output_reg_decode, output_reg_encode, NULL, output_reg_format,
                                                output_reg_check};

/* --- group, set_queue --- */

static enum ofp_error group_check(const struct act *a, struct act_state *st)
{
    return a->n <= OFPG_MAX ? OFPERR_OK
                            : act_fault(st, OFPERR_BAC_BAD_OUT_GROUP, "a group's number is at most 0xffffff00");
}

const struct act_shape act_shape_group = {act_decode_u32, act_encode_u32, act_parse_u32, act_format_u32, group_check};
/* Whether a port has the queue is the port's affair: it may get it, and lose it. */
static enum ofp_error set_queue_check(const struct act *a, struct act_state *st)
{
    return a->n != OFPQ_ALL ? OFPERR_OK : act_fault(st, OFPERR_BAC_BAD_QUEUE, "0xffffffff means all queues, which no packet goes through");
}

const struct act_shape act_shape_set_queue = {act_decode_u32, act_encode_u32, act_parse_u32, act_format_u32, set_queue_check};

static void pop_queue_decode(uint8_t version, struct rd *r, enum act_type type, struct buf *list, unsigned depth)
{
    act_decode_none(version, r, type, list, depth);
    rd_skip(r, 6);
}

const struct act_shape act_shape_pop_queue = {pop_queue_decode, act_encode_none, act_parse_none, act_format_none, NULL};
