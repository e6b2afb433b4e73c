/* bundle.c: bundles (OpenFlow 1.4, 6.9 and 7.3.9; the Open Networking Foundation's extension 230 for 1.3).
 *
 * Messages are kept as they came. A commit does them one after the other in one transaction (txn.c), which the first that
 * fails undoes; packets see all of it at once, so every bundle is atomic and ordered, whether that was asked for or not. */
#include "openflow/bundle.h"
#include "base/mem.h"
#include "ofproto/session.h"
#include "openflow/group.h"

enum {
    MAX_BUNDLES = 64, /* of a connection, */
    MAX_MESSAGES = 2000000,
    MAX_BYTES = 256 << 20,
    IDLE = 10000, /* ms after which one that nothing is added to is forgotten: 7.3.9.4, OFPBFC_TIMEOUT */
};

struct bundle {
    struct cds_list_head node;
    uint32_t id;
    uint16_t flags;
    bool closed;
    bool broken; /* a message for it was refused: all of it or nothing */
    size_t n;
    struct buf messages;
    msec_t used;
    uint32_t xid; /* of the last message about it */
};

static struct bundle *find(struct ofconn *c, uint32_t id)
{
    struct bundle *b;
    cds_list_for_each_entry(b, &c->bundles.list, node)
        if (b->id == id)
            return b;
    return NULL;
}

static enum ofp_error open_bundle(struct ofconn *c, const struct bundle_ctrl *ctrl, struct bundle **b)
{
    if (ctrl->flags & ~(OFPBF_ATOMIC | OFPBF_ORDERED))
        return OFPERR_BFC_BAD_FLAGS;
    if (c->bundles.n >= MAX_BUNDLES)
        return OFPERR_BFC_OUT_OF_BUNDLES;
    *b = xzalloc(sizeof **b);
    (*b)->id = ctrl->id;
    (*b)->flags = ctrl->flags;
    cds_list_add_tail(&(*b)->node, &c->bundles.list);
    c->bundles.n++;
    return OFPERR_OK;
}

static void forget(struct ofconn *c, struct bundle *b)
{
    cds_list_del(&b->node);
    c->bundles.n--;
    c->bundles.messages -= b->n;
    c->bundles.bytes -= b->messages.len;
    buf_free(&b->messages);
    free(b);
}

void bundles_close(struct ofconn *c)
{
    struct bundle *b, *next;
    cds_list_for_each_entry_safe(b, next, &c->bundles.list, node)
        forget(c, b);
}

/* --- What a message does: 0 checks its bytes, 1 in the transaction, 2 behind all checks, 3 when all is published --- */

enum phase { READ, CHANGE, PORTS, SEND };

static enum ofp_error do_flow_mod(struct ofconn *c, struct rd body, enum phase phase, msec_t now)
{
    struct flow_mod fm;
    enum ofp_error e = flow_mod_decode(c->version, body, &fm);
    if (!e && phase == CHANGE)
        e = tables_flow_mod(c->o, &fm, now);
    if (!e && phase == SEND && flow_mod_releases(&fm))
        packet_release(c->o, fm.buffer_id);
    flow_mod_free(&fm);
    return e;
}

static enum ofp_error do_group_mod(struct ofconn *c, struct rd body, enum phase phase, msec_t now)
{
    struct group_mod gm;
    enum ofp_error e = group_mod_decode(c->version, body, &gm);
    if (!e && phase == CHANGE)
        e = group_mod_check(c->o, &gm);
    if (!e && phase == CHANGE)
        group_mod_apply(c->o, &gm, now);
    group_desc_free(&gm.group);
    return e;
}

static enum ofp_error do_port_mod(struct ofconn *c, struct rd body, enum phase phase, msec_t now)
{
    struct ofp_port_mod pm;
    (void)now;
    enum ofp_error e = port_mod_decode(c->version, body, &pm);
    if (!e && pm.mask & OFPPC_NO_FLOOD) /* 1.0 alone has it */
        e = OFPERR_PMFC_BAD_CONFIG;
    if (!e && phase == CHANGE)
        e = ofport_mod_check(c->o, &pm);
    if (!e && phase == PORTS)
        e = ofport_mod(c->o, &pm);
    return e;
}

static enum ofp_error do_packet_out(struct ofconn *c, struct rd body, enum phase phase, msec_t now)
{
    struct packet_out po;
    (void)now;
    enum ofp_error e = packet_out_decode(c->version, body, &po);
    if (!e && phase == CHANGE)
        e = packet_out_check(c->o, &po);
    if (!e && phase == SEND)
        e = packet_out_execute(c->o, &po);
    buf_free(&po.acts);
    return e;
}

static const struct {
    enum ofp_msg_type type;
    enum ofp_error (*fn)(struct ofconn *, struct rd body, enum phase, msec_t now);
    uint8_t phases; /* 1 << enum phase: where there is something to do */
} doers[] = {
    {OFPMSG_FLOW_MOD, do_flow_mod, 1 << READ | 1 << CHANGE | 1 << SEND},
    {OFPMSG_GROUP_MOD, do_group_mod, 1 << READ | 1 << CHANGE},
    {OFPMSG_PORT_MOD, do_port_mod, 1 << READ | 1 << CHANGE | 1 << PORTS},
    {OFPMSG_PACKET_OUT, do_packet_out, 1 << READ | 1 << CHANGE | 1 << SEND},
};

static enum ofp_error do_message(struct ofconn *c, const void *msg, size_t len, enum phase phase, msec_t now)
{
    enum ofp_msg_type type;
    struct ofp_header h;
    struct rd body;
    enum ofp_error e = ofp_msg_decode_type(msg, len, &h, &type, &body, NULL);
    if (e)
        return e;
    c->o->actor_xid = h.xid;
    for (size_t i = 0; i < ARRAY_SIZE(doers); i++)
        if (doers[i].type == type)
            return doers[i].phases >> phase & 1 ? doers[i].fn(c, body, phase, now) : OFPERR_OK;
    return OFPERR_BFC_MSG_UNSUP;
}

/* The first that fails is told of, under its own xid. */
static bool do_all(struct ofconn *c, const struct bundle *b, enum phase phase, msec_t now)
{
    struct ofp_header h;
    for (size_t at = 0; at < b->messages.len; at += h.len) {
        const uint8_t *msg = b->messages.data + at;
        ofp_header_peek(msg, b->messages.len - at, &h);
        enum ofp_error e = do_message(c, msg, h.len, phase, now);
        if (e) {
            ofconn_error(c, e, msg, h.len);
            return false;
        }
    }
    return true;
}

static enum ofp_error commit(struct ofconn *c, const struct bundle *b, msec_t now)
{
    if (b->broken)
        return OFPERR_BFC_MSG_FAILED;
    txn_begin(c->o, true);
    if (!do_all(c, b, CHANGE, now) || !do_all(c, b, PORTS, now)) {
        txn_undo(c->o);
        return OFPERR_BFC_MSG_FAILED;
    }
    txn_end(c->o);
    do_all(c, b, SEND, now);
    return OFPERR_OK;
}

/* --- The messages --- */

static enum ofp_error check_flags(const struct bundle *b, uint16_t flags)
{
    return b->flags == flags ? OFPERR_OK : OFPERR_BFC_BAD_FLAGS;
}

static enum ofp_error control(struct ofconn *c, const struct bundle_ctrl *ctrl, uint32_t xid, msec_t now)
{
    struct bundle *b = find(c, ctrl->id);
    enum ofp_error e = OFPERR_OK;
    if (ctrl->type == OFPBCT_OPEN_REQUEST) {
        e = b ? OFPERR_BFC_BUNDLE_EXIST : open_bundle(c, ctrl, &b);
        if (e)
            return e;
    }
    if (!b)
        return OFPERR_BFC_BAD_ID;
    b->used = now;
    b->xid = xid;
    switch (ctrl->type) {
    case OFPBCT_OPEN_REQUEST:
        return OFPERR_OK;
    case OFPBCT_CLOSE_REQUEST:
        e = b->closed ? OFPERR_BFC_BUNDLE_CLOSED : check_flags(b, ctrl->flags);
        b->closed |= !e;
        return e;
    case OFPBCT_COMMIT_REQUEST: /* 7.3.9.1: if it fails, the bundle is gone, too */
        e = check_flags(b, ctrl->flags);
        if (!e)
            e = commit(c, b, now);
        forget(c, b);
        return e;
    default: /* OFPBCT_DISCARD_REQUEST */
        forget(c, b);
        return OFPERR_OK;
    }
}

enum ofp_error handle_bundle_ctrl(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct buf out = BUF_INIT;
    struct bundle_ctrl ctrl;
    enum ofp_error e = bundle_ctrl_decode(h->version, body, &ctrl);
    if (!e && (ctrl.type >= N_OFPBCTS || ctrl.type & 1)) /* unknown, or a reply */
        e = OFPERR_BFC_BAD_TYPE;
    if (!e)
        e = control(c, &ctrl, h->xid, now);
    if (e)
        return e;
    ctrl.type++;
    bundle_ctrl_encode(&ctrl, c->version, h->xid, &out);
    ofconn_send(c, &out);
    return OFPERR_OK;
}

/* 7.3.9.2: "If the bundle_id refers to a bundle that does not exist", it is opened. */
enum ofp_error handle_bundle_add(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct bundle_add add;
    enum ofp_error e = bundle_add_decode(h, body, &add);
    if (e)
        return e;
    struct bundle *b = find(c, add.id);
    if (b && b->closed)
        return OFPERR_BFC_BUNDLE_CLOSED;
    e = b ? check_flags(b, add.flags) : open_bundle(c, &(struct bundle_ctrl){add.id, 0, add.flags}, &b);
    if (e)
        return e;
    b->used = now;
    b->xid = h->xid;
    e = do_message(c, add.msg, add.len, READ, now);
    if (!e && (c->bundles.messages >= MAX_MESSAGES || c->bundles.bytes + add.len > MAX_BYTES))
        e = OFPERR_BFC_MSG_TOO_MANY;
    b->broken |= e != OFPERR_OK;
    if (e)
        return e;
    buf_put(&b->messages, add.msg, add.len);
    b->n++;
    c->bundles.messages++;
    c->bundles.bytes += add.len;
    return OFPERR_OK;
}

/* --- Time --- */

void bundles_run(struct ofconn *c, msec_t now)
{
    struct bundle *b, *next;
    cds_list_for_each_entry_safe(b, next, &c->bundles.list, node) {
        if (now - b->used < IDLE)
            continue;
        struct buf m = BUF_INIT;
        bundle_ctrl_encode(&(struct bundle_ctrl){b->id, OFPBCT_OPEN_REQUEST, b->flags}, c->version, b->xid, &m);
        ofconn_error(c, OFPERR_BFC_TIMEOUT, m.data, m.len);
        buf_free(&m);
        forget(c, b);
    }
}

msec_t bundles_wake_at(const struct ofconn *c)
{
    msec_t at = INT64_MAX;
    struct bundle *b;
    cds_list_for_each_entry(b, &c->bundles.list, node)
        at = MIN(at, b->used + IDLE);
    return at;
}
