/* walk-output.c: ports, the real ones and OpenFlow's reserved ones. */
#include "ofproto/walk.h"

/* For trace: what came, so that it can be compared with what the ports want. */
static void note_no_tunnel(struct walk *w)
{
    const struct flow_key *key = &w->v->key; /* read by dp_tunnel_decap() already */
    char src[INET_ADDRSTRLEN], dst[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &key->ip4.src, src, sizeof src);
    inet_ntop(AF_INET, &key->ip4.dst, dst, sizeof dst);
    walk_note(w, "no tunnel port takes key %#x from %s to %s", ntohl(key->gre.key), src, dst);
}

/* A tunnel's end behind a LOCAL port, or its beginning: the packet is taken away or gets outer headers, so all of it
 * happens in a clone. True: done. */
static bool output_tunnel(struct walk *w, struct ofport *p)
{
    struct walk_shared *s = w->s;
    size_t at = emit_clone_begin(w), body = s->path->acts.len;
    struct flow_view outer;
    struct dp_bridge *bridge = NULL;
    struct dp_port *port = NULL;
    enum drop_reason drop = DROP_NONE;
    enum dp_tunnel_result result = p->tunnel ? dp_tunnel_encap(p->dp, w->v, s->path, &outer, &bridge, &drop)
                                             : dp_tunnel_decap(p->dp, w->v, s->path, &port, &drop);
    switch (result) {
    case TUNNEL_NONE:
        break;
    case TUNNEL_DONE:
        if (drop == DROP_TUN_NO_PORT)
            note_no_tunnel(w);
        if (drop) {
            walk_drop(w, drop);
        } else if (s->path->acts.len > body) {
            emit_hold_meter(w, body);
            emit_appended(w, true);
        }
        if (!drop && port)
            walk_note(w, "the tunnel ends here: looked up again as coming in by the tunnel port");
        break;
    case TUNNEL_BRIDGE:
        walk_note(w, "encapsulated: the outer packet enters the bridge of the underlay by its LOCAL port");
        walk_into_bridge(w, dp_bridge_aux(bridge), &outer);
        break;
    }
    emit_clone_end(w, at);
    return result != TUNNEL_NONE;
}

/* Why nothing leaves by this port. A tunnel knows better words than "down" itself. */
static enum drop_reason closed(struct walk *w, struct ofport *p)
{
    dp_path_dep(w->s->path, &p->gen);
    if (__atomic_load_n(&p->config, __ATOMIC_RELAXED) & (OFPPC_PORT_DOWN | OFPPC_NO_FWD))
        return DROP_PORT_CONFIG;
    if (!p->tunnel && __atomic_load_n(&p->state, __ATOMIC_RELAXED) & (OFPPS_LINK_DOWN | OFPPS_BLOCKED))
        return DROP_PORT_DOWN;
    return DROP_NONE;
}

/* Main, for trace. */
static bool has_queue(const struct ofport *p, uint32_t queue)
{
    struct dp_queue_info info[DP_MAX_QUEUES];
    uint64_t rate;
    for (unsigned i = 0, n = dp_port_get_queues(p->dp, &rate, info); i < n; i++)
        if (info[i].config.id == queue)
            return true;
    return false;
}

void walk_output_port(struct walk *w, struct ofport *p)
{
    enum drop_reason why = closed(w, p);
    if (why) {
        walk_note(w, "port %s lets nothing out", p->name);
        walk_drop(w, why);
    } else if (!w->s->stop && ((!p->tunnel && !p->local) || !output_tunnel(w, p))) {
        if (w->queue && w->s->listener && !has_queue(p, w->queue))
            walk_note(w, "port %s has no queue %u: its default queue", p->name, w->queue);
        emit_output(w, p->dp_id);
    }
}

/* OpenFlow 1.3.5, 7.2.5: "IN_PORT: Send the packet out the input port. This reserved port must be explicitly used in
 * order to send it back out of the input port". */
static void output_ordinary(struct walk *w, uint32_t number)
{
    if (number == ntohl(view_get(w->v, meta.in_port))) {
        walk_drop(w, DROP_IN_PORT);
        return;
    }
    dp_path_dep(w->s->path, &w->o->ports_gen);
    struct ofport *p = ofport_lookup(w->o, number);
    if (p)
        walk_output_port(w, p);
    else
        walk_drop(w, DROP_NO_PORT);
}

static void output_in_port(struct walk *w)
{
    dp_path_dep(w->s->path, &w->o->ports_gen);
    struct ofport *p = ofport_lookup(w->o, ntohl(view_get(w->v, meta.in_port)));
    if (p)
        walk_output_port(w, p);
    else
        walk_drop(w, DROP_NO_PORT);
}

struct flood {
    struct walk *w;
    uint32_t in_port;
    bool flood; /* not ALL: 1.0's OFPPC_NO_FLOOD counts */
};

static void flood_port(struct ofport *p, void *aux)
{
    struct flood *f = aux;
    if (f->flood && __atomic_load_n(&p->config, __ATOMIC_RELAXED) & OFPPC_NO_FLOOD)
        return;
    if (p->number != f->in_port && !closed(f->w, p)) /* a closed port is not part of the flood: no drop */
        walk_output_port(f->w, p);
}

void walk_flood(struct walk *w, bool all)
{
    struct flood f = {w, ntohl(view_get(w->v, meta.in_port)), !all};
    bool sent = w->s->sent;
    dp_path_dep(w->s->path, &w->o->ports_gen);
    ofport_for_each(w->o, flood_port, &f);
    if (!sent && !w->s->sent && !w->s->drop)
        walk_drop(w, DROP_FLOOD_NOWHERE);
}

/* OpenFlow 1.3.5, 7.4.1: reason NO_MATCH is "No matching flow (table-miss flow entry)", and 5.4: the table-miss entry
 * "wildcards all match fields (all fields omitted) and has the lowest priority (0)".
 * 7.2.1: OFPPC_NO_PACKET_IN: "packets on that port that generate a table miss should never trigger a packet-in". */
static bool may_miss(struct walk *w)
{
    dp_path_dep(w->s->path, &w->o->ports_gen);
    struct ofport *p = ofport_lookup(w->o, ntohl(view_get(w->v, meta.in_port)));
    if (p)
        dp_path_dep(w->s->path, &p->gen);
    return !p || !(__atomic_load_n(&p->config, __ATOMIC_RELAXED) & OFPPC_NO_PACKET_IN);
}

static void output_controller(struct walk *w, uint16_t max_len)
{
    bool miss = w->rule && !w->rule->cls.priority && cls_rule_matches_all(&w->rule->cls);
    if (miss && !may_miss(w))
        walk_drop(w, DROP_PORT_CONFIG);
    else
        emit_packet_in(w, miss ? OFPR_NO_MATCH : w->in_set ? OFPR_ACTION_SET : w->packet_out ? OFPR_PACKET_OUT : OFPR_ACTION,
                       max_len, 0);
}

bool walk_miss_to_controllers(struct walk *w)
{
    if (!may_miss(w))
        return false;
    walk_note(w, "no rule matched, and a controller speaks OpenFlow 1.0, where a miss goes to the controller");
    w->missed = true;
    emit_packet_in(w, OFPR_NO_MATCH, UINT16_MAX, 0);
    w->missed = false;
    return true;
}

/* OpenFlow 1.3.5, 4.5: "TABLE: Represents the start of the OpenFlow pipeline. This port is only valid in an output
 * action in the action list of a packet-out message". */
static void output_table(struct walk *w)
{
    if (!w->packet_out) {
        walk_note(w, "TABLE is for packet-outs only");
        return;
    }
    w->packet_out = false;
    walk_tables(w, 0);
    w->packet_out = true;
}

void walk_output_number(struct walk *w, uint32_t number, uint16_t max_len)
{
    switch (number) {
    case OFPP_IN_PORT:
        output_in_port(w);
        break;
    case OFPP_TABLE:
        output_table(w);
        break;
    case OFPP_NORMAL:
        walk_normal(w);
        break;
    case OFPP_FLOOD:
    case OFPP_ALL:
        walk_flood(w, number == OFPP_ALL);
        break;
    case OFPP_CONTROLLER:
        output_controller(w, max_len);
        break;
    case OFPP_ANY:
        break;
    default:
        output_ordinary(w, number);
    }
}
