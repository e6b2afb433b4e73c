/* plan.c: what a walk asks of tunnels: which port takes this packet, and how does it leave? Everything that is read of
 * the packet is read through the view, everything else depends on a generation that the path notes. */
#include "config.h"
#include "datapath/tunnel/gre.h"
#include "datapath/tunnel/tunnel.h"
#include "datapath/tunnel/wrap.h"
#include "datapath/worker.h"
#include "packet/ip.h"
#include "packet/parse.h"

enum { OFPORT_LOCAL = 0xfffffffe, DEFAULT_TTL = 64, ECN_BITS = 3 };

static _Thread_local bool releasing;

void plan_releasing(bool on) { releasing = on; }

/* --- Out --- */

static bool is_ip(struct flow_view *v)
{
    be16 type = view_get(v, eth.type);
    return type == htons(ETYPE_IPV4) || type == htons(ETYPE_IPV6);
}

/* RFC 6040, 4.1, normal mode: the ECN field is copied from the incoming header to the outer one. What is not IP counts
 * as Not-ECT. */
static uint8_t outer_tos(const struct tunnel_config *c, struct flow_view *v)
{
    if (!is_ip(v))
        return c->tos_inherit ? 0 : c->tos;
    if (c->tos_inherit)
        return view_get(v, ip.tos);
    const size_t at = offsetof(struct flow_key, ip.tos);
    uint64_t mask = 0;
    ((uint8_t *)&mask)[at % 8] = ECN_BITS;
    view_read(v, at / 8, mask);
    return c->tos | (v->key.ip.tos & ECN_BITS);
}

static uint8_t outer_ttl(const struct tunnel_config *c, struct flow_view *v)
{
    uint8_t ttl = c->ttl_inherit && is_ip(v) ? view_get(v, ip.ttl) : 0;
    return ttl ? ttl : c->ttl_inherit ? DEFAULT_TTL : c->ttl;
}

static uint32_t outer_key(const struct tunnel_config *c, struct flow_view *v)
{
    if (!c->out_key_flow)
        return c->out_key;
    view_mark(v, offsetof(struct flow_key, tun.id) + 4, 4);
    return (uint32_t)be64toh(v->key.tun.id);
}

void plan_push(struct dpact_push *a, const struct egress *e, uint32_t key, uint8_t tos, uint8_t ttl)
{
    const struct tunnel_config *c = &e->config;
    uint8_t *ip = a->header + ETH_HEADER;
    memcpy(a->header, e->dst_mac, 6);
    memcpy(a->header + 6, e->src_mac, 6);
    poke16(a->header + 12, ETYPE_IPV4);
    ip[0] = 0x45;
    ip[1] = tos;
    poke16(ip + 6, c->df ? 0x4000 : 0);
    ip[8] = ttl;
    ip[9] = IP_PROTO_GRE;
    memcpy(ip + 12, &e->source, 4);
    memcpy(ip + 16, &c->remote, 4);
    a->l3 = ETH_HEADER;
    a->mtu = (uint16_t)MIN(e->mtu, UINT16_MAX);
    a->header_len =
        (uint16_t)(ETH_HEADER + IPV4_HEADER + gre_write(ip + IPV4_HEADER, c->csum, c->out_key_flow || key, key));
    a->gso = c->gso;
    a->csum_at = c->csum ? ETH_HEADER + IPV4_HEADER + 4 : 0;
}

/* The outer packet as its own bridge sees it: what key_parse() says of the header alone, nothing of it being the
 * packet's. */
static void view_outer(const struct dpact_push *a, struct flow_view *outer)
{
    uint8_t frame[sizeof a->header];
    struct packet p;
    memcpy(frame, a->header, a->header_len);
    poke16(frame + a->l3 + 2, a->header_len - a->l3);
    packet_init(&p, frame, a->header_len, 0, a->header_len);
    key_parse(&p, OFPORT_LOCAL, L_L4, &outer->key);
    memset(&outer->consulted, 0, sizeof outer->consulted);
    memset(&outer->written, 0xff, sizeof outer->written);
}

static void hold(struct dp_port *port, const struct egress *e, struct flow_view *v, struct dp_path *path)
{
    struct dpact_hold *h = dpact_append(&path->acts, DPACT_HOLD, sizeof *h, port->id);
    h->tun_id = view_get(v, tun.id);
    h->tun_src = view_get(v, tun.src);
    h->tun_dst = view_get(v, tun.dst);
    h->nexthop = e->next_hop;
    h->ifindex = e->ifindex;
}

enum dp_tunnel_result dp_tunnel_encap(struct dp_port *port, struct flow_view *v, struct dp_path *path,
                                      struct flow_view *outer, struct dp_bridge **bridge, enum drop_reason *drop)
{
    struct tunnel_port *tp = tunnel_port_of(port);
    *drop = DROP_PORT_DOWN;
    if (!tp)
        return TUNNEL_DONE;
    dp_path_dep(path, &tp->gen);
    const struct egress *e = load_acquire(&tp->egress);
    if (!e)
        return TUNNEL_DONE;
    *drop = e->drop;
    if (e->drop)
        return TUNNEL_DONE;
    dp_path_tally(path, tp->tally);
    bool in_order = e->settled || releasing || tunnel_settled(tp);
    if (!e->resolved || !in_order) {
        hold(port, e, v, path);
        path->uncacheable = path->uncacheable || e->resolved;
        return TUNNEL_DONE;
    }
    path->uncacheable = path->uncacheable || !e->settled;
    uint32_t key = outer_key(&e->config, v);
    uint8_t tos = outer_tos(&e->config, v), ttl = outer_ttl(&e->config, v);
    struct dpact_push *a = dpact_append(&path->acts, DPACT_TUN_PUSH, sizeof *a, port->id);
    plan_push(a, e, key, tos, ttl);
    if (e->bridge) {
        view_outer(a, outer);
        *bridge = e->bridge;
        return TUNNEL_BRIDGE;
    }
    dpact_append(&path->acts, DPACT_OUTPUT, sizeof(struct dpact_port), e->output);
    return TUNNEL_DONE;
}

/* --- In --- */

bool inbound_is_local(const struct inbound *in, be32 address)
{
    size_t low = 0, high = in->n_addresses;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (in->addresses[middle] < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low < in->n_addresses && in->addresses[low] == address;
}

/* Is it GRE to an address of ours, where a tunnel may end? */
static bool is_ours(const struct inbound *in, const struct local_end *end, struct flow_view *v)
{
    if (view_get(v, eth.type) != htons(ETYPE_IPV4) || view_get(v, ip.proto) != IP_PROTO_GRE)
        return false;
    if (memcmp(view_ref(v, eth.dst), end->mac, 6))
        return false;
    be32 dst = view_get(v, ip4.dst);
    return tunnel_map_has_local(in->map, dst) || (tunnel_map_has_wildcard(in->map) && inbound_is_local(in, dst));
}

enum dp_tunnel_result dp_tunnel_decap(struct dp_port *local, struct flow_view *v, struct dp_path *path,
                                      struct dp_port **port, enum drop_reason *drop)
{
    struct tunnels *t = local->dp->tunnels;
    *drop = DROP_NONE;
    *port = NULL;
    if (!t)
        return TUNNEL_NONE;
    dp_path_dep(path, &t->gen);
    const struct inbound *in = load_acquire(&t->inbound);
    const struct local_end *end = load_acquire((struct local_end **)&local->tunnel);
    if (!in || !end || !is_ours(in, end, v))
        return TUNNEL_NONE;
    if (view_get(v, ip.frag)) {
        *drop = DROP_TUN_FRAGMENT;
        return TUNNEL_DONE;
    }
    /* The parser leaves a header that is cut short at zero. */
    uint16_t flags = ntohs(view_get(v, gre.flags)), type = ntohs(view_get(v, gre.proto));
    if (flags & (GRE_ROUTING | GRE_VERSION) || type != GRE_PROTO_TEB) {
        *drop = flags || type ? DROP_TUN_UNSUPPORTED : DROP_TUN_MALFORMED;
        return TUNNEL_DONE;
    }
    struct tunnel_port *tp =
        tunnel_map_find(in->map, view_get(v, ip4.src), view_get(v, ip4.dst), ntohl(view_get(v, gre.key)));
    if (!tp) {
        *drop = DROP_TUN_NO_PORT;
        return TUNNEL_DONE;
    }
    *port = tp->port;
    dpact_append(&path->acts, DPACT_TUN_POP, sizeof(struct dpact_port), tp->port->id);
    return TUNNEL_DONE;
}
