#include <inttypes.h>
#include <stdio.h>
#include "ofproto/session.h"
#include "base/log.h"
#include "base/mem.h"
#include "openflow/version.h"

LOG_MODULE(ofconn);

enum { WAIT = 20 /* ms between looks at a peer that reads slowly */ };

/* --- Out --- */

size_t ofconn_backlog(const struct ofconn *c) { return c->cb.backlog ? c->cb.backlog(c->aux) : 0; }

void ofconn_send(struct ofconn *c, struct buf *b)
{
    struct ofp_header h;
    for (size_t at = 0; at < b->len; at += h.len) {
        bool ok = ofp_header_peek(b->data + at, b->len - at, &h);
        assert(ok && h.len <= b->len - at);
        (void)ok;
        c->sent++;
    }
    if (b->len && !c->dead)
        c->cb.send(c->aux, b->data, b->len);
    buf_free(b);
}

static void note_error(struct ofconn *c, const char *format, ...) PRINTF(2, 3);
static void note_error(struct ofconn *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(c->last_error, sizeof c->last_error, format, args);
    va_end(args);
}

void ofconn_error(struct ofconn *c, enum ofp_error e, const void *msg, size_t len)
{
    struct buf b = BUF_INIT;
    struct ofp_header h;
    ofp_header_peek(msg, len, &h);
    enum ofp_msg_type type;
    const char *name = ofp_msg_decode_type(msg, len, NULL, &type, NULL, NULL) ? "a message" : ofp_msg_name(type);
    note_error(c, "%s (type %u, xid %#" PRIx32 ") was refused: %s, %s", name, h.type, h.xid, ofp_error_name(e), ofp_error_sentence(e));
    log_info_rl("%s: %s", c->o->name, c->last_error);
    ofp_encode_error(&b, c->version, e, msg, len);
    ofconn_send(c, &b);
}

void ofconn_hang_up(struct ofconn *c, const char *format, ...)
{
    va_list args;
    if (c->dead)
        return;
    va_start(args, format);
    vsnprintf(c->last_error, sizeof c->last_error, format, args);
    va_end(args);
    log_warn_rl("%s: OpenFlow connection ends: %s", c->o->name, c->last_error);
    c->dead = true;
    c->up = false;
    misses_refresh(c->o);
    c->cb.hang_up(c->aux, c->last_error);
}

/* --- HELLO --- */

static uint32_t versions_of(const struct ofproto *o) { return o->config.versions ? o->config.versions : OFP_VERSIONS_SPOKEN; }

static void hello_failed(struct ofconn *c, const struct ofp_header *h, const char *text)
{
    struct buf b = BUF_INIT;
    /* In the peer's version if that is older than ours: the error's layout is the same in all, and it can read it. */
    uint8_t version = MIN(MAX(h->version, (uint8_t)OFP10), ofp_version_highest(versions_of(c->o)));
    ofp_encode_hello_failed(&b, version, OFPERR_HFC_INCOMPATIBLE, h->xid, text);
    ofconn_send(c, &b);
    ofconn_hang_up(c, "%s", text);
}

/* Both sets, and what to do at either end. */
static void no_common_version(struct ofconn *c, const struct ofp_header *h, uint32_t theirs)
{
    struct buf text = BUF_INIT;
    uint32_t ours = versions_of(c->o), both = ours | (theirs & OFP_VERSIONS_SPOKEN);
    buf_printf(&text, "bridge %s speaks OpenFlow ", c->o->name);
    ofp_versions_format(ours, &text);
    buf_puts(&text, ", the peer ");
    ofp_versions_format(theirs, &text);
    buf_puts(&text, ": let the peer speak ");
    ofp_versions_format_names(1u << ofp_version_highest(ours), &text);
    buf_puts(&text, " (ovs-ofctl -O)");
    if (both != ours) {
        buf_printf(&text, ", or the bridge more: xvs-ctl set bridge %s protocols=", c->o->name);
        ofp_versions_format_names(both, &text);
    }
    hello_failed(c, h, buf_text(&text));
    buf_free(&text);
}

/* OpenFlow 1.3.5, 6.3.1: the first message each way is HELLO; if both have bitmaps, the highest common version, else the
 * smaller of the two headers' versions, and if a side does not speak that, HELLO_FAILED and the end. */
static void first_message(struct ofconn *c, const uint8_t *msg, size_t len)
{
    struct ofp_header h;
    enum ofp_msg_type type = N_OFPMSGS;
    struct rd body;
    uint32_t versions = 0;
    char text[160];
    enum ofp_error e = ofp_msg_decode_type(msg, len, &h, &type, &body, NULL);
    if (!e && type == OFPMSG_ERROR) {
        struct ofp_error_msg em;
        error_msg_decode(h.version, body, &em);
        ofconn_hang_up(c, "the peer refused our HELLO: %s", ofp_error_name(em.error));
        return;
    }
    if (e || type != OFPMSG_HELLO || hello_decode(&h, body, &versions)) {
        snprintf(text, sizeof text, "expected HELLO as the first message, got %s",
                 e ? "something else" : type == OFPMSG_HELLO ? "a malformed one" : ofp_msg_name(type));
        hello_failed(c, &h, text);
        return;
    }
    c->version = ofp_version_highest(versions & versions_of(c->o));
    if (!c->version) {
        c->version = ofp_version_highest(versions_of(c->o));
        no_common_version(c, &h, versions);
        return;
    }
    c->up = true;
    c->since = clock_msec();
    misses_refresh(c->o);
    if (c->cb.state)
        c->cb.state(c->aux);
}

/* --- In --- */

static void message(struct ofconn *c, const uint8_t *msg, size_t len, msec_t now)
{
    c->received++;
    if (!c->up) {
        first_message(c, msg, len);
        return;
    }
    enum ofp_error e = dispatch(c, msg, len, now);
    if (e)
        ofconn_error(c, e, msg, len);
}

static void process(struct ofconn *c, msec_t now)
{
    size_t at = 0;
    struct ofp_header h;
    c->stalled = false;
    while (!c->dead && c->in.len - at >= OFP_HEADER_LEN) {
        if (!ofp_header_peek(c->in.data + at, c->in.len - at, &h)) {
            ofconn_hang_up(c, "a message says that it is %u bytes long, less than its own header", h.len);
            break;
        }
        if (c->in.len - at < h.len)
            break;
        if (dump_is_on(c) && c->in.len - at > DUMP_WAITS_MAX)
            dump_run(c, SIZE_MAX);
        if (dump_is_on(c) || ofconn_backlog(c) > STALL_HIGH) { /* it asks without reading the answers */
            c->stalled = true;
            break;
        }
        message(c, c->in.data + at, h.len, now);
        at += h.len;
    }
    if (c->dead) {
        buf_free(&c->in);
        return;
    }
    if (at) {
        memmove(c->in.data, c->in.data + at, c->in.len - at);
        c->in.len -= at;
        if (!c->in.len)
            buf_free(&c->in);
    }
    if (c->stalled && c->in.len > UNREAD_MAX)
        ofconn_hang_up(c, "the peer sends requests and does not read the replies");
}

void ofconn_receive(struct ofconn *c, const void *data, size_t len, msec_t now)
{
    if (c->dead)
        return;
    c->heard = now;
    c->probing = false;
    buf_put(&c->in, data, len);
    process(c, now);
}

/* --- Life --- */

struct ofconn *ofconn_open(struct ofproto *o, enum ofconn_kind kind, const struct ofconn_callbacks *cb, void *aux,
                           unsigned inactivity_probe_ms)
{
    struct ofconn *c = xzalloc(sizeof *c);
    struct buf b = BUF_INIT;
    c->o = o;
    c->kind = kind;
    c->cb = *cb;
    c->aux = aux;
    c->probe = inactivity_probe_ms;
    c->version = ofp_version_highest(versions_of(o));
    c->since = c->heard = clock_msec();
    c->role = OFPCR_EQUAL;
    c->miss_send_len = kind == OFCONN_CONTROLLER ? 128 : 0;
    async_init(c);
    CDS_INIT_LIST_HEAD(&c->bundles.list);
    CDS_INIT_LIST_HEAD(&c->monitors.list);
    cds_list_add_tail(&c->node, &o->conns);
    if (kind == OFCONN_CONTROLLER && inactivity_probe_ms)
        o->patience = 3 * (msec_t)inactivity_probe_ms;
    hello_encode(versions_of(o), 1, &b);
    ofconn_send(c, &b);
    return c;
}

void ofconn_close(struct ofconn *c)
{
    cds_list_del(&c->node);
    misses_refresh(c->o);
    async_close(c);
    dump_close(c);
    bundles_close(c);
    monitors_close(c);
    buf_free(&c->in);
    free(c);
}

void ofconn_get_status(const struct ofconn *c, struct ofconn_status *s)
{
    *s = (struct ofconn_status){
        .up = c->up,
        .role = c->role == OFPCR_MASTER ? "master" : c->role == OFPCR_SLAVE ? "slave" : "other",
        .version = c->up ? c->version : 0,
        .since = c->since,
        .received = c->received,
        .sent = c->sent,
        .packet_ins = c->packet_ins,
        .packet_ins_dropped = c->packet_ins_dropped,
        .events_dropped = c->events_dropped,
        .last_error = c->last_error,
    };
}

void conns_check_versions(struct ofproto *o)
{
    struct ofconn *c;
    struct buf text = BUF_INIT;
    ofp_versions_format(versions_of(o), &text);
    cds_list_for_each_entry(c, &o->conns, node)
        if (c->up && !(versions_of(o) >> c->version & 1))
            ofconn_hang_up(c, "the bridge's protocols have changed: it speaks OpenFlow %s now", buf_text(&text));
    buf_free(&text);
}

/* --- Time --- */

static void probe(struct ofconn *c, msec_t now)
{
    if (!c->probe || now - c->heard < (c->probing || !c->up ? 2 : 1) * (msec_t)c->probe)
        return;
    if (c->probing || !c->up) {
        ofconn_hang_up(c, c->up ? "no answer to an echo request for %u ms" : "no HELLO for %u ms", c->up ? c->probe : 2 * c->probe);
        return;
    }
    struct buf b = BUF_INIT;
    ofp_echo_encode(false, c->version, 0, NULL, 0, &b);
    ofconn_send(c, &b);
    c->probing = true;
}

void conns_run(struct ofproto *o, msec_t now)
{
    struct ofconn *c;
    cds_list_for_each_entry(c, &o->conns, node) {
        if (c->dead)
            continue;
        if (dump_is_on(c))
            dump_run(c, SEND_HIGH);
        if (c->stalled)
            process(c, now);
        async_run(c);
        bundles_run(c, now);
        monitors_run(c);
        if (!c->dead)
            probe(c, now);
    }
}

msec_t conns_wake_at(const struct ofproto *o)
{
    struct ofconn *c;
    msec_t at = INT64_MAX;
    cds_list_for_each_entry(c, &o->conns, node) {
        if (c->dead)
            continue;
        if (c->stalled || c->monitors.paused || c->pins.n || dump_is_on(c))
            at = MIN(at, clock_msec() + WAIT);
        at = MIN(at, bundles_wake_at(c));
        if (c->probe)
            at = MIN(at, c->heard + (c->probing || !c->up ? 2 : 1) * (msec_t)c->probe);
    }
    return at;
}
