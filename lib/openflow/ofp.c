#include "openflow/ofp.h"
#include <strings.h>
#include "packet/field.h"

/* --- Errors --- */

static const struct error_row {
    uint32_t type;
    uint16_t code;
    const char *name, *sentence;
} error_rows[] = {
#define ERROR(id, type, code, name, sentence) [OFPERR_##id] = {type, code, name, sentence},
#include "openflow/error.def"
#undef ERROR
};

static enum ofp_error error_normal(enum ofp_error e)
{
    assert(e < N_OFPERRS);
    return e == OFPERR_SHORT ? OFPERR_BRC_BAD_LEN : e;
}

const char *ofp_error_name(enum ofp_error e) { return e ? error_rows[error_normal(e)].name : "OK"; }
const char *ofp_error_sentence(enum ofp_error e) { return e ? error_rows[error_normal(e)].sentence : "no error"; }

bool ofp_error_codes(enum ofp_error e, uint16_t *type, uint16_t *code, uint32_t *experimenter)
{
    if (!e)
        return false;
    const struct error_row *row = &error_rows[error_normal(e)];
    *type = row->type > OFPET_EXPERIMENTER ? OFPET_EXPERIMENTER : row->type;
    *code = row->code;
    *experimenter = row->type == OFPET_NX ? NX_EXPERIMENTER : row->type == OFPET_ONF ? ONF_EXPERIMENTER : 0;
    return true;
}

enum ofp_error ofp_error_from(uint16_t type, uint16_t code, uint32_t experimenter)
{
    for (enum ofp_error e = OFPERR_SHORT + 1; e < N_OFPERRS; e++) {
        uint16_t t = 0, c = 0;
        uint32_t x = 0;
        ofp_error_codes(e, &t, &c, &x);
        if (t == type && c == code && x == experimenter)
            return e;
    }
    return OFPERR_OK;
}

static size_t begin_error(struct buf *out, uint8_t version, enum ofp_error e, uint32_t xid)
{
    uint16_t type = 0, code = 0;
    uint32_t experimenter = 0;
    bool ok = ofp_error_codes(e, &type, &code, &experimenter);
    assert(ok);
    (void)ok;
    size_t at = ofp_msg_begin(out, version, OFPMSG_ERROR, xid);
    buf_u16(out, type);
    buf_u16(out, code);
    if (experimenter)
        buf_u32(out, experimenter);
    return at;
}

/* 7.5.4: "[data] contains at least 64 bytes of the failed request". More would only make a flood of errors larger. */
void ofp_encode_error(struct buf *out, uint8_t version, enum ofp_error e, const void *offending, size_t len)
{
    struct ofp_header h = {0};
    ofp_header_peek(offending, len, &h);
    size_t at = begin_error(out, version, e, h.xid);
    buf_put(out, offending, MIN(len, 64));
    ofp_msg_end(out, at);
}

void ofp_encode_hello_failed(struct buf *out, uint8_t version, enum ofp_error e, uint32_t xid, const char *text)
{
    size_t at = begin_error(out, version, e, xid);
    buf_put(out, text, strlen(text));
    ofp_msg_end(out, at);
}

/* --- Messages --- */

enum { T_EXPERIMENTER = 4, T_MULTIPART_REQUEST = 18, T_MULTIPART_REPLY = 19, MP_EXPERIMENTER = 0xffff };

static const struct msg_row {
    uint8_t kind, type;
    uint16_t subtype, min_body, unit;
    const char *name;
} msg_rows[] = {
#define MSG(id, kind, type, subtype, name, min_body, unit) [OFPMSG_##id] = {kind, type, subtype, min_body, unit, name},
#include "openflow/msg.def"
#undef MSG
};

const char *ofp_msg_name(enum ofp_msg_type t)
{
    assert(t < N_OFPMSGS);
    return msg_rows[t].name;
}

static uint32_t experimenter_of(enum ofp_msg_kind kind)
{
    return kind == OFPMK_NX    ? NX_EXPERIMENTER
           : kind == OFPMK_ONF ? ONF_EXPERIMENTER
           : kind == OFPMK_XVS ? XVS_EXPERIMENTER
                               : 0;
}

bool ofp_header_peek(const void *p, size_t n, struct ofp_header *h)
{
    if (n < OFP_HEADER_LEN)
        return false;
    struct rd r = rd_init(p, n);
    h->version = rd_u8(&r);
    h->type = rd_u8(&r);
    h->len = rd_u16(&r);
    h->xid = rd_u32(&r);
    return h->len >= OFP_HEADER_LEN;
}

/* 6.3.1: HELLO is how versions are found; an error may answer it, and an echo is the same in all versions. */
static bool any_version(uint8_t type) { return type <= 3; }

static int find_row(enum ofp_msg_kind kind, uint8_t type, uint32_t subtype)
{
    for (int i = 0; i < N_OFPMSGS; i++)
        if (msg_rows[i].kind == kind && msg_rows[i].type == type && msg_rows[i].subtype == subtype)
            return i;
    return -1;
}

static int find_experimenter_row(struct rd *r)
{
    uint32_t experimenter = rd_u32(r), subtype = rd_u32(r);
    bool known = false;
    for (enum ofp_msg_kind kind = OFPMK_NX; kind <= OFPMK_XVS; kind++) {
        int row = experimenter_of(kind) == experimenter ? find_row(kind, T_EXPERIMENTER, subtype) : -1;
        if (row >= 0)
            return row;
        known |= experimenter_of(kind) == experimenter;
    }
    rd_fail(r, known ? OFPERR_BRC_BAD_EXP_TYPE : OFPERR_BRC_BAD_EXPERIMENTER);
    return -1;
}

static int find_multipart_row(struct rd *r, uint8_t type, bool *more)
{
    uint16_t subtype = rd_u16(r), flags = rd_u16(r);
    rd_skip(r, 4);
    *more = flags & OFPMPF_MORE;
    int row = find_row(type == T_MULTIPART_REQUEST ? OFPMK_REQUEST : OFPMK_REPLY, type, subtype);
    if (row < 0)
        rd_fail(r, subtype == MP_EXPERIMENTER ? OFPERR_BRC_BAD_EXPERIMENTER : OFPERR_BRC_BAD_MULTIPART);
    return row;
}

enum ofp_error ofp_msg_decode_type(const void *msg, size_t len, struct ofp_header *header, enum ofp_msg_type *type,
                                   struct rd *body, bool *more)
{
    struct ofp_header h = {0};
    bool mp_more = false;
    bool sane = ofp_header_peek(msg, len, &h);
    if (header)
        *header = h;
    if (!sane || h.len != len)
        return OFPERR_BRC_BAD_LEN;
    if (h.version != OFP13 && !any_version(h.type))
        return OFPERR_BRC_BAD_VERSION;

    struct rd r = rd_init(msg, len);
    rd_skip(&r, OFP_HEADER_LEN);
    int row = h.type == T_EXPERIMENTER                                       ? find_experimenter_row(&r)
              : h.type == T_MULTIPART_REQUEST || h.type == T_MULTIPART_REPLY ? find_multipart_row(&r, h.type, &mp_more)
                                                                             : find_row(OFPMK_PLAIN, h.type, 0);
    if (r.err)
        return error_normal(r.err);
    if (row < 0)
        return OFPERR_BRC_BAD_TYPE;
    const struct msg_row *m = &msg_rows[row];
    size_t left = rd_left(&r);
    if (left < m->min_body || (m->unit ? (left - m->min_body) % m->unit != 0 : left != m->min_body))
        return OFPERR_BRC_BAD_LEN;
    if (type)
        *type = row;
    if (body)
        *body = r;
    if (more)
        *more = mp_more;
    return OFPERR_OK;
}

size_t ofp_msg_begin(struct buf *out, uint8_t version, enum ofp_msg_type t, uint32_t xid)
{
    const struct msg_row *m = &msg_rows[t];
    size_t at = out->len;
    buf_u8(out, version);
    buf_u8(out, m->type);
    buf_u16(out, 0);
    buf_u32(out, xid);
    if (m->kind == OFPMK_REQUEST || m->kind == OFPMK_REPLY) {
        buf_u16(out, m->subtype);
        buf_u16(out, 0);
        buf_u32(out, 0);
    } else if (m->kind != OFPMK_PLAIN) {
        buf_u32(out, experimenter_of(m->kind));
        buf_u32(out, m->subtype);
    }
    return at;
}

void ofp_msg_end(struct buf *out, size_t at)
{
    assert(out->len - at <= OFP_MAX_LEN);
    buf_set_u16(out, at + 2, out->len - at);
}

/* --- Multipart replies --- */

enum { MULTIPART_HEADER_LEN = 16, MULTIPART_FLAGS_OFS = 10 };

void ofp_parts_begin(struct ofp_parts *p, struct buf *out, uint8_t version, enum ofp_msg_type type, uint32_t xid)
{
    *p = (struct ofp_parts){.out = out, .version = version, .type = type, .xid = xid};
    p->at = ofp_msg_begin(out, version, type, xid);
    p->entry = out->len;
    assert(p->entry - p->at == MULTIPART_HEADER_LEN);
}

bool ofp_parts_entry_end(struct ofp_parts *p)
{
    struct buf *out = p->out;
    size_t n = out->len - p->entry;
    if (n > OFP_MAX_LEN - MULTIPART_HEADER_LEN) {
        out->len = p->entry;
        return false;
    }
    if (out->len - p->at > OFP_MAX_LEN) {
        /* The last entry moves on into a part of its own. */
        size_t from = p->entry;
        buf_set_u16(out, p->at + MULTIPART_FLAGS_OFS, OFPMPF_MORE);
        buf_zeros(out, MULTIPART_HEADER_LEN);
        memmove(out->data + from + MULTIPART_HEADER_LEN, out->data + from, n);
        out->len = from;
        ofp_msg_end(out, p->at);
        p->at = ofp_msg_begin(out, p->version, p->type, p->xid);
        out->len += n;
    }
    p->entry = out->len;
    return true;
}

void ofp_parts_end(struct ofp_parts *p) { ofp_msg_end(p->out, p->at); }

/* --- Reserved ports --- */

static const struct reserved_port {
    uint32_t port;
    const char *name;
} reserved_ports[] = {
    {OFPP_UNSET, "UNSET"}, {OFPP_IN_PORT, "IN_PORT"}, {OFPP_TABLE, "TABLE"},           {OFPP_NORMAL, "NORMAL"},
    {OFPP_FLOOD, "FLOOD"}, {OFPP_ALL, "ALL"},         {OFPP_CONTROLLER, "CONTROLLER"}, {OFPP_LOCAL, "LOCAL"},
    {OFPP_ANY, "ANY"},     {OFPP_ANY, "NONE"},
};

bool ofp_port_reserved_parse(const char *name, size_t len, uint32_t *port)
{
    for (size_t i = 0; i < ARRAY_SIZE(reserved_ports); i++)
        if (strlen(reserved_ports[i].name) == len && !strncasecmp(reserved_ports[i].name, name, len)) {
            *port = reserved_ports[i].port;
            return true;
        }
    return false;
}

const char *ofp_port_reserved_name(uint32_t port)
{
    for (size_t i = 0; i < ARRAY_SIZE(reserved_ports); i++)
        if (reserved_ports[i].port == port)
            return reserved_ports[i].name;
    return NULL;
}
