/* Sending a batch: without waiting in between, then a barrier; what the switch refuses comes back with its message's xid.
 * In a bundle the switch does all of it or nothing (OpenFlow 1.4, 7.3.9). */
#include <stdio.h>
#include <stdlib.h>
#include "ofctl/batch.h"
#include "ofctl/progress.h"
#include "openflow/bundle.h"

static void number(struct conn *c, struct batch *b)
{
    b->first_xid = c->xid + 1;
    for (size_t i = 0; i < b->n; i++)
        buf_set_u32(&b->messages, b->items[i].at + 4, conn_xid(c));
}

static void complain_of_refusal(struct conn *c, const struct batch *b, uint32_t xid, const void *msg, size_t len)
{
    struct buf out = BUF_INIT;
    uint32_t i = xid - b->first_xid;
    const struct batch_item *item = i < b->n ? &b->items[i] : NULL;
    if (item && item->text) {
        batch_put_prefix(c, b, item->line, &out);
        buf_printf(&out, "%s\n", item->text);
    } else if (item) {
        buf_printf(&out, PROGRAM ": %s: ", c->target);
        ofp_msg_format(b->messages.data + item->at, item->end - item->at, NULL, 1, &out);
    }
    buf_printf(&out, PROGRAM ": %s: the switch refuses: ", c->target);
    error_text(msg, len, &out);
    fprintf(stderr, "%s\n", buf_text(&out));
    buf_free(&out);
}

/* Takes errors until the reply with this xid, which may be an error as well; their number. */
static size_t collect_refusals(struct conn *c, const struct batch *b, uint32_t last)
{
    enum { SHOWN = 20 };
    size_t n = 0;
    for (;;) {
        struct ofp_header h;
        enum ofp_msg_type type;
        const void *msg = conn_receive_or_die(c, &h);
        if (ofp_msg_decode_type(msg, h.len, &h, &type, NULL, NULL))
            continue;
        if (type == OFPMSG_ERROR && (h.xid - b->first_xid < b->n || h.xid == last) && n++ < SHOWN)
            complain_of_refusal(c, b, h.xid, msg, h.len);
        if (h.xid == last)
            return n;
    }
}

/* In pieces, so that a long batch can show how far it is. */
static void send_messages(struct conn *c, const struct batch *b)
{
    enum { PIECE = 1 << 18 };
    struct progress p = progress_begin(b->kind->plural);
    size_t at = 0;
    for (size_t i = 0; i < b->n; i++) {
        size_t end = b->items[i].end;
        if (end - at < PIECE && i + 1 < b->n)
            continue;
        struct buf piece = {b->messages.data + at, end - at, end - at};
        conn_send(c, &piece);
        at = end;
        progress_show(&p, i + 1, b->n);
    }
    progress_end(&p);
}

void print_done(const char *plural, size_t n, size_t refused)
{
    if (options.json)
        printf("{\"%s\": %zu, \"refused\": %zu}\n", plural, n, refused);
}

static size_t barrier(struct conn *c, const struct batch *b)
{
    struct buf request = BUF_INIT;
    uint32_t xid = conn_xid(c);
    ofp_simple_encode(OFPMSG_BARRIER_REQUEST, c->version, xid, &request);
    conn_send(c, &request);
    buf_free(&request);
    return collect_refusals(c, b, xid);
}

/* --- Bundles --- */

enum { BUNDLE_ID = 1, BUNDLE_FLAGS = OFPBF_ATOMIC | OFPBF_ORDERED };

static size_t control(struct conn *c, const struct batch *b, uint16_t type)
{
    struct buf request = BUF_INIT;
    uint32_t xid = conn_xid(c);
    bundle_ctrl_encode(&(struct bundle_ctrl){BUNDLE_ID, type, BUNDLE_FLAGS}, c->version, xid, &request);
    conn_send(c, &request);
    buf_free(&request);
    return collect_refusals(c, b, xid);
}

/* Each message in an envelope with its own xid. */
static void put_in_envelopes(struct conn *c, struct batch *b)
{
    enum { ENVELOPE = 32 };
    struct buf wrapped = BUF_INIT;
    for (size_t i = 0; i < b->n; i++) {
        struct batch_item *item = &b->items[i];
        struct bundle_add add = {BUNDLE_ID, BUNDLE_FLAGS, b->messages.data + item->at, item->end - item->at};
        if (add.len > OFP_MAX_LEN - ENVELOPE)
            die("%s: line %zu makes a message too long for a bundle", c->target, item->line);
        item->at = wrapped.len;
        bundle_add_encode(&add, c->version, &wrapped);
        item->end = wrapped.len;
    }
    buf_free(&b->messages);
    b->messages = wrapped;
}

static size_t send_bundle(struct conn *c, struct batch *b)
{
    if (c->version < OFP13)
        die("%s: OpenFlow 1.0 has no bundles: add -O OpenFlow13 or -O OpenFlow14", c->target);
    if (control(c, b, OFPBCT_OPEN_REQUEST))
        exit(1);
    put_in_envelopes(c, b);
    send_messages(c, b);
    size_t refused = barrier(c, b);
    if (refused) { /* it is gone if this connection ends, but a switch may not know that yet */
        struct buf discard = BUF_INIT;
        bundle_ctrl_encode(&(struct bundle_ctrl){BUNDLE_ID, OFPBCT_DISCARD_REQUEST, BUNDLE_FLAGS}, c->version, conn_xid(c), &discard);
        conn_send(c, &discard);
        buf_free(&discard);
        return refused;
    }
    return control(c, b, OFPBCT_COMMIT_REQUEST);
}

void batch_send(struct conn *c, struct batch *b)
{
    if (b->n_wrong)
        exit(1);
    number(c, b);
    size_t refused = 0;
    if (options.bundle && b->n) {
        refused = send_bundle(c, b);
    } else {
        send_messages(c, b);
        refused = barrier(c, b);
    }
    print_done(b->kind->plural, b->n, refused);
    if (refused && options.bundle)
        fprintf(stderr, PROGRAM ": %s: nothing was changed\n", c->target);
    else if (b->n > 1 && refused)
        fprintf(stderr, PROGRAM ": %s: %zu of %zu %s refused\n", c->target, refused, b->n, b->kind->plural);
    if (refused) {
        fflush(stdout);
        exit(1);
    }
}
