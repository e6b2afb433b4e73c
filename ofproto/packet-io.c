/* packet-io.c: packets between the pipeline and controllers: what walks punted, and packet-outs. */
#include "ofproto/bridge.h"
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
        conns_packet_in(o, &in, p, total);
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

enum ofp_error packet_out_execute(struct ofproto *o, const struct packet_out *po)
{
    enum { ETH_HEADER_LEN = 14 };
    if (po->buffer_id != OFP_NO_BUFFER)
        return OFPERR_BRC_BUFFER_UNKNOWN;
    if (po->in_port != OFPP_CONTROLLER && po->in_port != OFPP_ANY && !ofport_lookup(o, po->in_port))
        return OFPERR_BRC_BAD_PORT;
    if (po->data_len < ETH_HEADER_LEN)
        return OFPERR_BRC_BAD_PACKET;

    struct packet p;
    struct match match; /* this one packet: prerequisites are those that it meets */
    struct dp_path path;
    uint8_t *frame = xmalloc(PACKET_HEADROOM + po->data_len);
    memcpy(frame + PACKET_HEADROOM, po->data, po->data_len);
    packet_init(&p, frame, PACKET_HEADROOM + po->data_len, PACKET_HEADROOM, po->data_len);
    key_parse(&p, po->in_port, L_L4, &match.value);
    memset(&match.mask, 0xff, sizeof match.mask);
    struct act_context ctx = {.match = &match, .n_tables = N_TABLES, .max_ports = OFPP_MAX, .of10 = po->of10};
    enum ofp_error e = acts_check(po->acts.data, po->acts.len, &ctx);
    if (!e)
        e = acts_check_references(o, po->acts.data, po->acts.len);
    if (!e) {
        dp_path_init(&path);
        path.packet = &p;
        walk_actions(o, &match.value, po->acts.data, po->acts.len, &path, NULL);
        dp_execute(o->dp, po->data, po->data_len, NULL, &path);
        dp_path_free(&path);
        o->unsettled = true;
    }
    free(frame);
    return e;
}
