/* packet-io.c: packets between the pipeline and controllers: what walks punted, and packet-outs. */
#include "ofproto/pktbuf.h"
#include "base/mem.h"
#include "packet/parse.h"

static void walk(void *o, const struct flow_key *key, struct dp_path *path) { walk_packet(o, key, path, NULL); }

static void output(void *o, struct dp_port *port, const struct flow_key *key, struct dp_path *path)
{
    walk_output(o, port, key, path, NULL);
}

/* The blob may lie anywhere: it is copied before it is read. */
static void punt(void *o, uint32_t kind, const void *blob, size_t blob_len, const struct packet *p, size_t total)
{
    if (kind == PUNT_PACKET_IN) {
        struct punt_packet_in in;
        assert(blob_len >= sizeof in);
        memcpy(&in, blob, sizeof in);
        assert(blob_len >= sizeof in + in.userdata_len);
        in.userdata = (const uint8_t *)blob + sizeof in;
        conns_packet_in(o, &in, p, total);
    } else if (kind == PUNT_LEARN_FLOW) {
        learn_flow(o, blob, blob_len, clock_msec());
    } else if (kind == PUNT_FIN) {
        struct punt_fin fin;
        assert(blob_len >= sizeof fin);
        memcpy(&fin, blob, sizeof fin);
        tables_shorten(o, &fin);
    } else {
        struct punt_learn_mac learn;
        assert(kind == PUNT_LEARN_MAC && blob_len >= sizeof learn);
        memcpy(&learn, blob, sizeof learn);
        fdb_learn(((struct ofproto *)o)->fdb, &learn, clock_msec());
    }
}

static void port_changed(void *o, struct dp_port *port)
{
    (void)o;
    ofport_refresh(dp_port_aux(port));
}

const struct dp_callbacks ofproto_dp_callbacks = {.walk = walk, .walk_output = output, .punt = punt, .port_changed = port_changed};

/* A packet-out's packet and what it looks like: prerequisites of its actions are those that this one packet meets. */
struct out {
    uint8_t *frame;
    struct packet packet;
    struct match match;
};

static enum ofp_error prepare(struct ofproto *o, const struct packet_out *po, struct out *out)
{
    enum { ETH_HEADER_LEN = 14 };
    const struct pktbuf *b = NULL;
    const uint8_t *data = po->data;
    size_t len = po->data_len;
    out->frame = NULL;
    if (po->buffer_id != OFP_NO_BUFFER) {
        enum ofp_error e = pktbuf_check(o, po->buffer_id);
        if (e)
            return e;
        b = pktbuf_get(o, po->buffer_id);
        data = b->data;
        len = b->len;
    }
    if (po->in_port != OFPP_CONTROLLER && po->in_port != OFPP_ANY && !ofport_lookup(o, po->in_port))
        return OFPERR_BRC_BAD_PORT;
    if (len < ETH_HEADER_LEN)
        return OFPERR_BRC_BAD_PACKET;
    out->frame = xmalloc(PACKET_HEADROOM + len);
    memcpy(out->frame + PACKET_HEADROOM, data, len);
    packet_init(&out->packet, out->frame, PACKET_HEADROOM + len, PACKET_HEADROOM, len);
    out->packet.port = DP_NO_PORT;
    if (b) { /* where it came in is known */
        memcpy(&out->packet.tun, &b->meta.tun, sizeof out->packet.tun);
        out->packet.in_phy_port = b->meta.in_phy_port;
    }
    key_parse(&out->packet, po->in_port, L_L4, &out->match.value);
    memset(&out->match.mask, 0xff, sizeof out->match.mask);
    struct act_context ctx = {.match = &out->match, .n_tables = N_TABLES, .max_ports = OFPP_MAX, .of10 = po->of10};
    enum ofp_error e = acts_check(po->acts.data, po->acts.len, &ctx);
    return e ? e : acts_check_references(o, po->acts.data, po->acts.len);
}

enum ofp_error packet_out_check(struct ofproto *o, const struct packet_out *po)
{
    struct out out;
    enum ofp_error e = prepare(o, po, &out);
    free(out.frame);
    return e;
}

enum ofp_error packet_out_execute(struct ofproto *o, const struct packet_out *po)
{
    struct out out;
    struct dp_path path;
    enum ofp_error e = prepare(o, po, &out);
    if (!e) {
        dp_path_init(&path);
        path.packet = &out.packet;
        walk_actions(o, &out.match.value, po->acts.data, po->acts.len, &path, NULL);
        dp_execute(o->dp, out.packet.data, out.packet.len, po->buffer_id == OFP_NO_BUFFER ? NULL : &out.packet, &path);
        dp_path_free(&path);
        pktbuf_drop(o, po->buffer_id);
        o->unsettled = true;
    }
    free(out.frame);
    return e;
}

/* OpenFlow 1.3.5, 7.3.4.1: a buffer_id in a flow-mod is as a packet-out "with a output action to OFPP_TABLE" behind it. */
void packet_release(struct ofproto *o, uint32_t buffer_id)
{
    const struct pktbuf *b = pktbuf_get(o, buffer_id);
    if (!b)
        return;
    struct packet_out po = {.buffer_id = buffer_id, .in_port = b->in_port, .acts = BUF_INIT};
    struct act_output *out = act_append(&po.acts, ACT_OUTPUT, sizeof *out);
    out->a.n = OFPP_TABLE;
    if (packet_out_execute(o, &po))
        pktbuf_drop(o, buffer_id); /* its port is gone */
    buf_free(&po.acts);
}
