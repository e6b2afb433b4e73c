/* act-controller.c: controller(…): NXAST_CONTROLLER, and NXAST_CONTROLLER2, which is a list of properties. */
#include <ctype.h>
#include "openflow/act-shape.h"

enum { P_MAX_LEN, P_CONTROLLER_ID, P_REASON, P_USERDATA, P_PAUSE, P_METER_ID }; /* enum nx_action_controller2_prop_type */

static const char *const reasons[] = {
    [OFPR_NO_MATCH] = "no_match",     [OFPR_ACTION] = "action", [OFPR_INVALID_TTL] = "invalid_ttl",
    [OFPR_ACTION_SET] = "action_set", [OFPR_GROUP] = "group",   [OFPR_PACKET_OUT] = "packet_out"};

static struct act_controller *put(struct buf *list, enum act_type type, const struct act_controller *c, const void *userdata)
{
    struct act_controller *a = act_append(list, type, offsetof(struct act_controller, userdata) + c->userdata_len);
    a->max_len = c->max_len;
    a->controller_id = c->controller_id;
    a->reason = c->reason;
    a->userdata_len = c->userdata_len;
    if (userdata)
        memcpy(a->userdata, userdata, c->userdata_len);
    return a;
}

/* --- NXAST_CONTROLLER --- */

static void controller_decode(uint8_t version UNUSED, struct rd *r, enum act_type type, struct buf *list,
                              unsigned depth UNUSED)
{
    struct act_controller c = {.max_len = rd_u16(r)};
    c.controller_id = rd_u16(r);
    c.reason = rd_u8(r);
    rd_skip(r, 1);
    if (c.reason >= ARRAY_SIZE(reasons))
        rd_fail(r, OFPERR_BAC_BAD_ARGUMENT);
    put(list, type, &c, NULL);
}

static void controller_encode(const struct act *a, uint8_t version UNUSED, struct buf *out)
{
    const struct act_controller *c = (const struct act_controller *)a;
    buf_u16(out, c->max_len);
    buf_u16(out, c->controller_id);
    buf_u8(out, c->reason);
}

/* --- NXAST_CONTROLLER2 --- */

/* One property, of which `body` holds the value. */
static void decode_property(struct rd *r, uint16_t type, struct rd body, struct act_controller *c, const uint8_t **userdata)
{
    switch (type) {
    case P_MAX_LEN:
        c->max_len = rd_u16(&body);
        break;
    case P_CONTROLLER_ID:
        c->controller_id = rd_u16(&body);
        break;
    case P_REASON:
        c->reason = rd_u8(&body);
        if (c->reason >= ARRAY_SIZE(reasons))
            rd_fail(r, OFPERR_BAC_BAD_ARGUMENT);
        break;
    case P_USERDATA:
        c->userdata_len = (uint16_t)rd_left(&body);
        *userdata = rd_take(&body, c->userdata_len);
        break;
    case P_PAUSE: /* a packet does not come back and go on where it stopped */
    case P_METER_ID:
        rd_fail(r, OFPERR_BAC_BAD_ARGUMENT);
        return;
    default:
        rd_fail(r, OFPERR_BPC_BAD_TYPE);
        return;
    }
    if (body.err || rd_left(&body) > 3) /* of short values the length may count their padding */
        rd_fail(r, OFPERR_BPC_BAD_LEN);
}

static void controller2_decode(uint8_t version UNUSED, struct rd *r, enum act_type type, struct buf *list,
                               unsigned depth UNUSED)
{
    struct act_controller c = {.max_len = UINT16_MAX, .reason = OFPR_ACTION};
    const uint8_t *userdata = NULL;
    rd_skip(r, 6);
    while (!r->err && rd_left(r)) {
        uint16_t property = rd_u16(r), len = rd_u16(r);
        if (r->err || len < 4 || ROUND_UP(len, 8) - 4u > rd_left(r)) {
            rd_fail(r, OFPERR_BPC_BAD_LEN);
            return;
        }
        struct rd body = rd_sub(r, len - 4u);
        rd_skip(r, ROUND_UP(len, 8) - (size_t)len);
        decode_property(r, property, body, &c, &userdata);
    }
    if (!r->err)
        put(list, type, &c, userdata);
}

static void put_property(struct buf *out, uint16_t type, const void *value, size_t len)
{
    size_t at = out->len;
    buf_u16(out, type);
    buf_u16(out, (uint16_t)(4 + len));
    buf_put(out, value, len);
    buf_align(out, at, 8);
}

static void controller2_encode(const struct act *a, uint8_t version UNUSED, struct buf *out)
{
    const struct act_controller *c = (const struct act_controller *)a;
    be16 max_len[2] = {htons(c->max_len)}, id[2] = {htons(c->controller_id)};
    uint8_t reason[4] = {c->reason};
    buf_zeros(out, 6);
    if (c->max_len != UINT16_MAX)
        put_property(out, P_MAX_LEN, max_len, sizeof max_len);
    if (c->controller_id)
        put_property(out, P_CONTROLLER_ID, id, sizeof id);
    if (c->reason != OFPR_ACTION)
        put_property(out, P_REASON, reason, sizeof reason);
    if (c->userdata_len)
        put_property(out, P_USERDATA, c->userdata, c->userdata_len);
}

/* --- text --- */

bool act_parse_hex(const struct text *t, struct word w, struct buf *bytes)
{
    const char *s = t->s + w.at;
    for (size_t i = 0; i < w.len;) {
        unsigned byte = 0;
        if (s[i] == '.') {
            i++;
            continue;
        }
        for (unsigned k = 0; k < 2; k++, i++) {
            if (i >= w.len || !isxdigit((unsigned char)s[i]))
                return false;
            byte = byte << 4 | (unsigned)(isdigit((unsigned char)s[i]) ? s[i] - '0' : tolower((unsigned char)s[i]) - 'a' + 10);
        }
        buf_u8(bytes, (uint8_t)byte);
    }
    return true;
}

static bool parse_reason(struct act_text *t, struct word w, uint8_t *reason)
{
    for (*reason = 0; *reason < ARRAY_SIZE(reasons); ++*reason)
        if (text_is(&t->t, w, reasons[*reason]))
            return true;
    return text_fail(&t->t, w, "the reasons are no_match, action, invalid_ttl, action_set, group and packet_out");
}

static bool parse_userdata(struct act_text *t, struct word w, struct buf *userdata)
{
    enum { MOST = 60000 };
    buf_clear(userdata);
    if (!act_parse_hex(&t->t, w, userdata))
        return text_fail(&t->t, w, "userdata is written as pairs of hex digits, with dots between them if you like");
    return userdata->len <= MOST || text_fail(&t->t, w, "the userdata are too long for an OpenFlow message");
}

static bool parse_argument(struct act_text *t, const struct item *arg, struct act_controller *c, struct buf *userdata)
{
    bool max_len = text_is(&t->t, arg->key, "max_len");
    uint64_t v;
    if (max_len || text_is(&t->t, arg->key, "id")) {
        if (!text_number(&t->t, arg->value, max_len ? "max_len" : "id", UINT16_MAX, &v))
            return false;
        *(max_len ? &c->max_len : &c->controller_id) = (uint16_t)v;
        return true;
    }
    if (text_is(&t->t, arg->key, "reason"))
        return parse_reason(t, arg->value, &c->reason);
    if (text_is(&t->t, arg->key, "userdata"))
        return parse_userdata(t, arg->value, userdata);
    if (text_is(&t->t, arg->key, "pause") || text_is(&t->t, arg->key, "meter_id"))
        return text_fail(&t->t, arg->key, "controller() with pause or meter_id is not supported");
    return text_fail(&t->t, arg->key, "controller() takes max_len, reason, id and userdata");
}

/* Without an id, another reason or userdata this is a plain output to CONTROLLER, which every switch knows. */
static bool controller_parse(struct act_text *t, enum act_type type, const struct item *item, unsigned depth UNUSED)
{
    struct act_controller c = {.max_len = UINT16_MAX, .reason = OFPR_ACTION};
    struct buf userdata = BUF_INIT;
    struct item arg;
    bool ok = true;
    if (item->delim != '(') {
        uint64_t max_len = UINT16_MAX;
        if (item->delim && !text_number(&t->t, item->value, "max_len", UINT16_MAX, &max_len))
            return false;
        act_put_output(t->list, OFPP_CONTROLLER, (uint16_t)max_len);
        return true;
    }
    for (size_t at = item->value.at; ok && text_next_item(&t->t, &at, item->value.at + item->value.len, &arg);)
        ok = parse_argument(t, &arg, &c, &userdata);
    ok = ok && !t->t.d->failed;
    c.userdata_len = (uint16_t)userdata.len;
    if (ok && c.reason == OFPR_ACTION && !c.controller_id && !userdata.len)
        act_put_output(t->list, OFPP_CONTROLLER, c.max_len);
    else if (ok)
        put(t->list, userdata.len ? ACT_CONTROLLER2 : type, &c, userdata.data);
    buf_free(&userdata);
    return ok;
}

static void controller_format(const struct act *a, const struct port_names *names UNUSED, struct buf *out)
{
    const struct act_controller *c = (const struct act_controller *)a;
    if (c->reason == OFPR_ACTION && !c->controller_id && !c->userdata_len) {
        buf_printf(out, "CONTROLLER:%u", c->max_len);
        return;
    }
    buf_puts(out, "controller(");
    if (c->reason != OFPR_ACTION)
        buf_printf(out, "reason=%s,", reasons[c->reason]);
    if (c->max_len != UINT16_MAX)
        buf_printf(out, "max_len=%u,", c->max_len);
    if (c->controller_id)
        buf_printf(out, "id=%u,", c->controller_id);
    for (size_t i = 0; i < c->userdata_len; i++)
        buf_printf(out, "%s%02x", i ? "." : "userdata=", c->userdata[i]);
    buf_chomp(out, ',');
    buf_puts(out, ")");
}

const struct act_shape act_shape_controller = {controller_decode, controller_encode, controller_parse,
                                               controller_format, NULL};
const struct act_shape act_shape_controller2 = {controller2_decode, controller2_encode, NULL, controller_format, NULL};
