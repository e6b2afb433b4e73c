#include "openflow/ofp.h"
#include <strings.h>
#include "openflow/version.h"
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

/* Rows of error-version.def: where a version differs. */
enum error_form { OF, NX };
static const struct version_row {
    uint8_t version, form;
    uint16_t type, code;
    enum ofp_error error;
} version_rows[] = {
#define ERROR_IN(version, id, form, type, code) {version, form, type, code, OFPERR_##id},
#include "openflow/error-version.def"
#undef ERROR_IN
};

static const struct version_row *version_row(enum ofp_error e, uint8_t version)
{
    for (size_t i = 0; i < ARRAY_SIZE(version_rows); i++)
        if (version_rows[i].error == e && version_rows[i].version == version)
            return &version_rows[i];
    return NULL;
}

/* OpenFlow 1.0, 5.4.4: types 0 to 2 have the codes that the later versions have kept, but only these. */
static bool in_of10(const struct error_row *row)
{
    static const uint16_t n_codes[] = {2, 9, 9};
    return row->type < ARRAY_SIZE(n_codes) && row->code < n_codes[row->type];
}

bool ofp_error_codes(enum ofp_error e, uint8_t version, uint16_t *type, uint16_t *code, uint32_t *experimenter)
{
    if (!e)
        return false;
    e = error_normal(e);
    const struct version_row *other = version_row(e, version);
    if (!other && version == OFP10 && !in_of10(&error_rows[e]))
        other = version_row(OFPERR_NXBRC_UNENCODABLE_ERROR, version);
    if (other) {
        *type = other->type;
        *code = other->code;
        *experimenter = other->form == NX ? NX_EXPERIMENTER : 0;
        return true;
    }
    const struct error_row *row = &error_rows[e];
    *type = row->type > OFPET_EXPERIMENTER ? OFPET_EXPERIMENTER : row->type;
    *code = row->code;
    *experimenter = row->type == OFPET_NX ? NX_EXPERIMENTER : row->type == OFPET_ONF ? ONF_EXPERIMENTER : 0;
    return true;
}

enum ofp_error ofp_error_from(uint8_t version, uint16_t type, uint16_t code, uint32_t experimenter)
{
    for (enum ofp_error e = OFPERR_SHORT + 1; e < N_OFPERRS; e++) {
        uint16_t t = 0, c = 0;
        uint32_t x = 0;
        ofp_error_codes(e, version, &t, &c, &x);
        if (t == type && c == code && x == experimenter && (version != OFP10 || version_row(e, version) || in_of10(&error_rows[e])))
            return e;
    }
    return OFPERR_OK;
}

static size_t begin_error(struct buf *out, uint8_t version, enum ofp_error e, uint32_t xid)
{
    uint16_t type = 0, code = 0;
    uint32_t experimenter = 0;
    bool ok = ofp_error_codes(e, version, &type, &code, &experimenter);
    assert(ok);
    (void)ok;
    size_t at = ofp_msg_begin(out, version, OFPMSG_ERROR, xid);
    if (experimenter && version == OFP10) {
        buf_u16(out, OFPET_NX10);
        buf_u16(out, 0);
        buf_u32(out, experimenter);
        buf_u16(out, type);
        buf_u16(out, code);
        return at;
    }
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

enum { T_EXPERIMENTER = 4, MP_EXPERIMENTER = 0xffff };

static const struct msg_row {
    const char *name;
    struct ofp_msg_form form[N_OFP_FORMS];
} msg_rows[] = {
#define NO {.kind = OFPMK_NONE}
#define T(...) {OFPMK_PLAIN, __VA_ARGS__}
#define REQ(...) {OFPMK_REQUEST, __VA_ARGS__}
#define REP(...) {OFPMK_REPLY, __VA_ARGS__}
#define NXT(...) {OFPMK_NX, __VA_ARGS__}
#define ONFT(...) {OFPMK_ONF, __VA_ARGS__}
#define XVST(...) {OFPMK_XVS, __VA_ARGS__}
#define NXREQ(...) {OFPMK_NX_REQUEST, __VA_ARGS__}
#define NXREP(...) {OFPMK_NX_REPLY, __VA_ARGS__}
#define ONFREQ(...) {OFPMK_ONF_REQUEST, __VA_ARGS__}
#define ONFREP(...) {OFPMK_ONF_REPLY, __VA_ARGS__}
#define MSG(id, name, ...) [OFPMSG_##id] = {name, {__VA_ARGS__}},
#include "openflow/msg.def"
#undef MSG
};

static int form_of(uint8_t version) { return version == OFP10 ? 0 : version == OFP13 ? 1 : version == OFP14 ? 2 : -1; }

const struct ofp_msg_form *ofp_msg_form(enum ofp_msg_type t, uint8_t version)
{
    assert(t < N_OFPMSGS);
    int i = form_of(version);
    return i < 0 || msg_rows[t].form[i].kind == OFPMK_NONE ? NULL : &msg_rows[t].form[i];
}

const char *ofp_msg_name(enum ofp_msg_type t)
{
    assert(t < N_OFPMSGS);
    return msg_rows[t].name;
}

/* By kind. 1.0 has other types for multiparts, which it calls statistics. */
static const struct kind {
    uint32_t experimenter;
    bool multipart, reply;
    const char *prefix; /* of its names, instead of OFP */
} kinds[] = {
    [OFPMK_NONE] = {0, false, false, "OFP"},
    [OFPMK_PLAIN] = {0, false, false, "OFP"},
    [OFPMK_REQUEST] = {0, true, false, "OFP"},
    [OFPMK_REPLY] = {0, true, true, "OFP"},
    [OFPMK_NX] = {NX_EXPERIMENTER, false, false, "NX"},
    [OFPMK_ONF] = {ONF_EXPERIMENTER, false, false, "ONF"},
    [OFPMK_XVS] = {XVS_EXPERIMENTER, false, false, "XVS"},
    [OFPMK_NX_REQUEST] = {NX_EXPERIMENTER, true, false, "NX"},
    [OFPMK_NX_REPLY] = {NX_EXPERIMENTER, true, true, "NX"},
    [OFPMK_ONF_REQUEST] = {ONF_EXPERIMENTER, true, false, "ONF"},
    [OFPMK_ONF_REPLY] = {ONF_EXPERIMENTER, true, true, "ONF"},
};

void ofp_msg_format_name(enum ofp_msg_type t, uint8_t version, struct buf *out)
{
    const struct ofp_msg_form *f = ofp_msg_form(t, version);
    const char *name = ofp_msg_name(t);
    if (f && !strncmp(name, "OFP", 3))
        buf_printf(out, "%s%s", kinds[f->kind].prefix, name + 3);
    else
        buf_puts(out, name);
}

static uint8_t multipart_type(uint8_t version, bool reply) { return (version == OFP10 ? 16 : 18) + reply; }

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

static int find_row(uint8_t version, enum ofp_msg_kind kind, uint32_t number)
{
    int form = form_of(version);
    for (int i = 0; i < N_OFPMSGS; i++)
        if (msg_rows[i].form[form].kind == kind && msg_rows[i].form[form].number == number)
            return i;
    return -1;
}

static bool has_kind(uint8_t version, enum ofp_msg_kind kind)
{
    for (int i = 0; i < N_OFPMSGS; i++)
        if (msg_rows[i].form[form_of(version)].kind == kind)
            return true;
    return false;
}

/* `multipart`: an experimenter's multipart, of which reply says which side; else a message of its own. */
static int find_experimenter_row(struct rd *r, uint8_t version, bool multipart, bool reply)
{
    uint32_t experimenter = rd_u32(r), subtype = rd_u32(r);
    bool known = false;
    for (enum ofp_msg_kind kind = OFPMK_NX; kind <= OFPMK_ONF_REPLY; kind++) {
        const struct kind *k = &kinds[kind];
        if (k->experimenter != experimenter || k->multipart != multipart || k->reply != reply)
            continue;
        int row = find_row(version, kind, subtype);
        if (row >= 0) {
            if (multipart && version == OFP10)
                rd_skip(r, 4);
            return row;
        }
        known |= has_kind(version, kind);
    }
    rd_fail(r, known ? OFPERR_BRC_BAD_EXP_TYPE : OFPERR_BRC_BAD_EXPERIMENTER);
    return -1;
}

static int find_multipart_row(struct rd *r, uint8_t version, bool reply, bool *more)
{
    uint16_t subtype = rd_u16(r), flags = rd_u16(r);
    if (version != OFP10)
        rd_skip(r, 4);
    *more = flags & OFPMPF_MORE;
    if (subtype == MP_EXPERIMENTER)
        return find_experimenter_row(r, version, true, reply);
    int row = find_row(version, reply ? OFPMK_REPLY : OFPMK_REQUEST, subtype);
    if (row < 0)
        rd_fail(r, OFPERR_BRC_BAD_MULTIPART);
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
    if (h.version > 31 || !(OFP_VERSIONS_SPOKEN >> h.version & 1)) {
        if (!any_version(h.type))
            return OFPERR_BRC_BAD_VERSION;
        h.version = OFP13;
    }

    struct rd r = rd_init(msg, len);
    rd_skip(&r, OFP_HEADER_LEN);
    int row;
    if (h.type == T_EXPERIMENTER)
        row = find_experimenter_row(&r, h.version, false, false);
    else if (h.type == multipart_type(h.version, false) || h.type == multipart_type(h.version, true))
        row = find_multipart_row(&r, h.version, h.type == multipart_type(h.version, true), &mp_more);
    else
        row = find_row(h.version, OFPMK_PLAIN, h.type);
    if (r.err)
        return error_normal(r.err);
    if (row < 0)
        return OFPERR_BRC_BAD_TYPE;
    const struct ofp_msg_form *f = ofp_msg_form(row, h.version);
    size_t left = rd_left(&r);
    if (left < f->min_body || (f->unit ? (left - f->min_body) % f->unit != 0 : left != f->min_body))
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
    /* HELLO, ERROR and ECHO go out in any version, and are the same in all. */
    const struct ofp_msg_form *f = ofp_msg_form(t, form_of(version) < 0 ? OFP13 : version);
    assert(f); /* what a version lacks is never sent in it */
    const struct kind *k = &kinds[f->kind];
    size_t at = out->len;
    buf_u8(out, version);
    buf_u8(out, k->multipart ? multipart_type(version, k->reply) : k->experimenter ? T_EXPERIMENTER : f->number);
    buf_u16(out, 0);
    buf_u32(out, xid);
    if (k->multipart) {
        buf_u16(out, k->experimenter ? MP_EXPERIMENTER : f->number);
        buf_zeros(out, version == OFP10 ? 2 : 6);
    }
    if (k->experimenter) {
        buf_u32(out, k->experimenter);
        buf_u32(out, f->number);
        buf_zeros(out, k->multipart && version == OFP10 ? 4 : 0);
    }
    return at;
}

void ofp_msg_end(struct buf *out, size_t at)
{
    assert(out->len - at <= OFP_MAX_LEN);
    buf_set_u16(out, at + 2, out->len - at);
}

/* --- Multipart replies --- */

enum { MULTIPART_FLAGS_OFS = 10 };

void ofp_parts_begin(struct ofp_parts *p, struct buf *out, uint8_t version, enum ofp_msg_type type, uint32_t xid)
{
    *p = (struct ofp_parts){.out = out, .version = version, .type = type, .xid = xid};
    p->at = ofp_msg_begin(out, version, type, xid);
    p->entry = out->len;
    p->header = p->entry - p->at;
}

bool ofp_parts_entry_end(struct ofp_parts *p)
{
    struct buf *out = p->out;
    size_t n = out->len - p->entry;
    if (n > OFP_MAX_LEN - p->header) {
        out->len = p->entry;
        return false;
    }
    if (out->len - p->at > OFP_MAX_LEN) {
        /* The last entry moves on into a part of its own. */
        size_t from = p->entry;
        buf_set_u16(out, p->at + MULTIPART_FLAGS_OFS, OFPMPF_MORE);
        buf_zeros(out, p->header);
        memmove(out->data + from + p->header, out->data + from, n);
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

uint32_t ofp_port_from16(uint16_t p) { return p >= 0xff00 ? 0xffff0000u | p : p; }

bool ofp_port_to16(uint32_t p, uint16_t *out)
{
    *out = (uint16_t)p;
    return ofp_port_from16(*out) == p;
}

uint32_t ofp_port_decode(uint8_t version, struct rd *r) { return version == OFP10 ? ofp_port_from16(rd_u16(r)) : rd_u32(r); }

void ofp_port_encode(uint32_t port, uint8_t version, struct buf *out)
{
    uint16_t narrow;
    if (version == OFP10)
        buf_u16(out, ofp_port_to16(port, &narrow) ? narrow : (uint16_t)OFPP_ANY);
    else
        buf_u32(out, port);
}

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
