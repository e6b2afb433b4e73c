/* route.c: where each tunnel port's packets go. The kernel is asked (it knows routes, rules and addresses), again
 * whenever it says that something changed, and the answer is published for the walks. */
#include "config.h"
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include "base/log.h"
#include "base/mem.h"
#include "datapath/tunnel/tunnel.h"

LOG_MODULE(tunnel);

enum { ASKS_A_RUN = 64, SETTLE_WITHIN = 100 /* ms */, ETHERNET = 14, IPV4 = 20, GRE = 4, GRE_FIELD = 4 };

size_t tunnel_overhead(const struct tunnel_config *c)
{
    return IPV4 + GRE + (c->csum ? GRE_FIELD : 0) + (c->out_key_flow || c->out_key ? GRE_FIELD : 0) + ETHERNET;
}

/* --- Underlay ports --- */

/* Of what an underlay port receives, tunnels take what is theirs. The rest is the host's own business. */
void underlay_walk(void *aux, const struct flow_key *key, struct dp_path *path)
{
    struct tunnels *t = aux;
    struct flow_view v;
    struct dp_port *to;
    view_init(&v, key);
    struct dp_port *in = dp_port_by_id(t->dp, ntohl(view_get(&v, meta.in_port)));
    if (!in)
        path->drop = DROP_SHUTDOWN;
    else if (dp_tunnel_decap(in, &v, path, &to, &path->drop) == TUNNEL_NONE)
        path->drop = DROP_TUN_NOT_OURS;
    path->consulted = v.consulted;
}

static struct underlay *underlay_get(struct tunnels *t, uint32_t ifindex, const char *name, struct diag *d)
{
    for (struct underlay *u = t->underlays; u; u = u->next) {
        if (u->ifindex == ifindex) {
            u->users++;
            return u;
        }
    }
    struct dp_port *port = port_add_underlay(t->bridge, name, d);
    if (!port)
        return NULL;
    struct underlay *u = xzalloc(sizeof *u);
    *u = (struct underlay){.next = t->underlays, .ifindex = ifindex, .users = 1, .port = port};
    t->underlays = u;
    host_listen(t);
    return u;
}

static void underlay_put(struct tunnels *t, struct underlay *u)
{
    if (!u || --u->users)
        return;
    struct underlay **at = &t->underlays;
    while (*at != u)
        at = &(*at)->next;
    *at = u->next;
    dp_port_del(u->port);
    free(u);
    host_listen(t);
}

/* --- Asking --- */

/* What came of it, in words for people. Takes the place of the error before. */
static enum drop_reason fail(char **error, enum drop_reason drop, const char *format, ...) PRINTF(3, 4);
static enum drop_reason fail(char **error, enum drop_reason drop, const char *format, ...)
{
    struct buf b = BUF_INIT;
    va_list args;
    va_start(args, format);
    buf_vprintf(&b, format, args);
    va_end(args);
    free(*error);
    *error = buf_steal_text(&b);
    return drop;
}

/* The kernel's route: device, next hop, source, MTU. */
static enum drop_reason find_route(struct tunnel_port *tp, struct egress *e, const struct nl_link **link, char **error)
{
    struct tunnels *t = tp->tunnels;
    const struct tunnel_config *c = &tp->config;
    struct nl_route r;
    struct text4 remote = text4(c->remote), local = text4(c->local);
    if (!t->netlink)
        return fail(error, DROP_TUN_NO_ROUTE, "the kernel's routes cannot be read");
    if (netlink_is_local(t->netlink, c->remote))
        return fail(error, DROP_TUN_SELF, "remote_ip %s is an address of this host itself", remote.s);
    if (c->local && !netlink_is_local(t->netlink, c->local))
        return fail(error, DROP_TUN_NO_SOURCE, "local_ip %s is no address of this host", local.s);
    int problem = netlink_route(t->netlink, c->remote, c->local, &r);
    if (problem)
        return fail(error, DROP_TUN_NO_ROUTE, "no route to %s: %s", remote.s, strerror(-problem));
    if (r.type != RTN_UNICAST)
        return fail(error, DROP_TUN_NO_ROUTE, "the route to %s does not lead to a host", remote.s);
    if (r.via_other)
        return fail(error, DROP_TUN_EGRESS_DOWN, "the route to %s has an IPv6 gateway, which is not supported yet",
                    remote.s);
    *link = netlink_link(t->netlink, r.ifindex);
    if (!*link)
        return fail(error, DROP_TUN_EGRESS_DOWN, "the device of the route to %s is gone", remote.s);
    e->ifindex = r.ifindex;
    e->next_hop = r.gateway ? r.gateway : c->remote;
    e->source = c->local ? c->local : r.source;
    e->mtu = r.mtu && r.mtu < (*link)->mtu ? r.mtu : (*link)->mtu;
    if (!((*link)->flags & IFF_UP))
        return fail(error, DROP_TUN_EGRESS_DOWN, "%s, to which the route to %s leads, is down", (*link)->name,
                    remote.s);
    if ((*link)->hardware != ARPHRD_ETHER)
        return fail(error, DROP_TUN_EGRESS_DOWN, "%s, to which the route to %s leads, is no Ethernet device",
                    (*link)->name, remote.s);
    if (!e->source)
        return fail(error, DROP_TUN_NO_SOURCE, "%s has no address to send from", (*link)->name);
    return DROP_NONE;
}

/* A user's port on this device, or NULL. */
static struct dp_port *users_port(struct dp *dp, uint32_t ifindex)
{
    for (uint32_t id = 0; id < dp->ports_end; id++)
        if (dp->ports[id] && dp->ports[id]->ifindex == ifindex && dp->ports[id]->class != &port_underlay_class)
            return dp->ports[id];
    return NULL;
}

/* The way out: a LOCAL port, entered directly; or else the interface itself. A switch port takes neither: the host's
 * stack hears nothing there, so no neighbour would ever answer, and the address belongs on the bridge. */
static enum drop_reason find_way_out(struct tunnel_port *tp, const struct nl_link *link, struct egress *e,
                                     struct underlay **underlay, char **error)
{
    struct text4 remote = text4(tp->config.remote);
    struct dp_port *port = users_port(tp->tunnels->dp, link->ifindex);
    struct diag d = DIAG_INIT;
    if (port && port->local && port->bridge == tp->port->bridge)
        return fail(error, DROP_TUN_LOOP, "the route to %s leads back into %s", remote.s, port->bridge->name);
    if (port && port->local) {
        e->bridge = port->bridge;
        return DROP_NONE;
    }
    if (port && port_is_system(port))
        return fail(error, DROP_TUN_EGRESS_DOWN,
                    "the route to %s leads to %s, a port of %s: give the address to %s instead", remote.s, link->name,
                    port->bridge->name, port->bridge->name);
    *underlay = underlay_get(tp->tunnels, link->ifindex, link->name, &d);
    if (*underlay) {
        e->output = (*underlay)->port->id;
        diag_free(&d);
        return DROP_NONE;
    }
    enum drop_reason drop =
        fail(error, DROP_TUN_EGRESS_DOWN, "%s cannot be used: %s", link->name, buf_text(&d.message));
    diag_free(&d);
    return drop;
}

/* --- Publishing --- */

static bool same_text(const char *a, const char *b) { return a == b || (a && b && !strcmp(a, b)); }

/* MACs. If packets of this port may be on the way to main, it is not settled: see wait.c. */
static void fill_next_hop(struct tunnel_port *tp, struct egress *e, const struct nl_link *link)
{
    const struct nl_neighbour *n = &tp->hop->neighbour;
    const struct egress *old = tp->egress;
    e->resolved = nl_neighbour_usable(n);
    if (!e->resolved)
        return;
    memcpy(e->dst_mac, n->mac, 6);
    memcpy(e->src_mac, link->mac, 6);
    e->settled = !old || (old->drop && tunnel_settled(tp)) || (old->resolved && old->settled);
    if (!e->settled) {
        tp->settle_by = clock_msec() + SETTLE_WITHIN;
        tp->tunnels->unsettled = true;
    }
}

static void publish(struct tunnel_port *tp, struct egress *e)
{
    struct egress *old = tp->egress;
    /* Both were zeroed before they were filled, padding included. */
    if (old && !memcmp(old, e, sizeof *e)) {
        free(e);
        return;
    }
    store_release(&tp->egress, e);
    dp_bump(tp->tunnels->dp, &tp->gen);
    if (old)
        dp_defer(tp->tunnels->dp, free, old);
}

/* A copy of what is published without MACs. */
static struct egress *copy_unresolved(const struct egress *now)
{
    struct egress *e = xmemdup(now, sizeof *e);
    e->settled = e->resolved = false;
    memset(e->dst_mac, 0, sizeof e->dst_mac);
    memset(e->src_mac, 0, sizeof e->src_mac);
    return e;
}

void route_republish(struct tunnel_port *tp)
{
    const struct egress *now = tp->egress;
    const struct nl_link *link = now && tp->hop ? netlink_link(tp->tunnels->netlink, now->ifindex) : NULL;
    if (!link)
        return;
    struct egress *e = copy_unresolved(now);
    fill_next_hop(tp, e, link);
    publish(tp, e);
}

void route_settled(struct tunnel_port *tp)
{
    struct egress *e = xmemdup(tp->egress, sizeof *e);
    e->settled = true;
    publish(tp, e);
}

void route_lost(struct tunnel_port *tp)
{
    struct egress *e = xzalloc(sizeof *e);
    memcpy(&e->config, &tp->config, sizeof e->config);
    e->drop = DROP_TUN_EGRESS_DOWN;
    publish(tp, e);
}

void route_ask(struct tunnel_port *tp)
{
    struct tunnels *t = tp->tunnels;
    struct egress *e = xzalloc(sizeof *e);
    struct underlay *underlay = NULL;
    struct next_hop *hop = NULL;
    const struct nl_link *link = NULL;
    char *error = NULL, device[IFNAMSIZ] = "";
    memcpy(&e->config, &tp->config, sizeof e->config);
    e->drop = find_route(tp, e, &link, &error);
    if (!e->drop)
        e->drop = find_way_out(tp, link, e, &underlay, &error);
    if (link)
        memcpy(device, link->name, sizeof device);
    /* What was in use is let go last, so that what stays in use is not closed and opened again. */
    if (!e->drop)
        hop = hop_get(t, e->ifindex, e->next_hop);
    struct next_hop *old_hop = tp->hop;
    struct underlay *old_underlay = tp->underlay;
    uint32_t mtu =
        e->drop || e->mtu <= tunnel_overhead(&tp->config) ? 0 : e->mtu - (uint32_t)tunnel_overhead(&tp->config);
    bool changed = !same_text(error, tp->error) || strcmp(device, tp->device) || mtu != load_relaxed(&tp->port->mtu);
    tp->hop = hop;
    tp->underlay = underlay;
    if (hop)
        fill_next_hop(tp, e, link);
    publish(tp, e);
    if (old_hop && old_hop != hop)
        hops_port_moved(tp, old_hop);
    if (hop && nl_neighbour_usable(&hop->neighbour))
        hop_release(t, hop);
    if (old_hop)
        hop_put(t, old_hop);
    underlay_put(t, old_underlay);
    free(tp->error);
    tp->error = error;
    memcpy(tp->device, device, sizeof device);
    store_relaxed(&tp->port->mtu, mtu);
    if (changed) {
        if (error)
            log_warn_rl("port %s: %s", tp->port->name, error); /* a thousand tunnels may have one reason */
        else
            log_info_rl("port %s: %s by %s", tp->port->name, text4(tp->config.remote).s, device);
        if (t->announce)
            port_changed(tp->port);
    }
}

void route_forget(struct tunnel_port *tp)
{
    struct tunnels *t = tp->tunnels;
    if (tp->hop)
        hop_put(t, tp->hop);
    tp->hop = NULL;
    underlay_put(t, tp->underlay);
    tp->underlay = NULL;
    free(tp->error);
    tp->error = NULL;
}

/* --- Asking again --- */

/* At once if routes have been quiet; in a storm of changes all asking together takes a tenth of main's time. */
void routes_changed(struct tunnels *t)
{
    if (!t->ask_all)
        t->ask_at = MAX(clock_msec(), t->ask_not_before);
    t->ask_all = true;
}

void routes_run(struct tunnels *t)
{
    if (t->ask_all && clock_msec() >= t->ask_at) {
        t->ask_all = false;
        t->n_ask = t->n_ports;
        for (size_t i = 0; i < t->n_ports; i++)
            t->ports[i]->ask = true;
        t->ask_cost = 0;
    }
    int64_t start = clock_nsec();
    for (unsigned done = 0; t->n_ask && done < ASKS_A_RUN; t->next_ask++) {
        if (t->next_ask >= t->n_ports) {
            t->next_ask = 0;
            if (!t->n_ports)
                t->n_ask = 0;
        }
        struct tunnel_port *tp = t->next_ask < t->n_ports ? t->ports[t->next_ask] : NULL;
        if (!tp || !tp->ask)
            continue;
        tp->ask = false;
        t->n_ask--;
        done++;
        route_ask(tp);
    }
    t->ask_cost += clock_nsec() - start;
    if (!t->n_ask)
        t->ask_not_before = clock_msec() + t->ask_cost / 100000; /* ten times as long, in ms */
}
