/* tunnel.c: tunnel ports come and go, and what netlink tells is passed on. Main. */
#include "config.h"
#include <errno.h>
#include "base/log.h"
#include "base/mem.h"
#include "datapath/tunnel/tunnel.h"

LOG_MODULE(tunnel);

struct tunnel_port *tunnel_port_of(const struct dp_port *port)
{
    return port->class->tunnel ? load_acquire((struct tunnel_port **)&port->tunnel) : NULL;
}

/* --- What workers look up --- */

/* Built anew whenever ports or the host's addresses change; without tunnel ports there is none. */
static void publish_inbound(struct tunnels *t)
{
    struct inbound *old = t->inbound, *in = NULL;
    t->inbound_stale = false;
    if (t->n_ports) {
        struct tunnel_map_entry *entries = xcalloc(t->n_ports, sizeof *entries);
        for (size_t i = 0; i < t->n_ports; i++) {
            const struct tunnel_config *c = &t->ports[i]->config;
            entries[i] = (struct tunnel_map_entry){
                .remote = c->remote, .local = c->local, .key = c->in_key, .flow = c->in_key_flow, .port = t->ports[i]};
        }
        size_t n = 0;
        const be32 *addresses = t->netlink ? netlink_addresses(t->netlink, &n) : NULL;
        in = xzalloc(sizeof *in + n * sizeof *addresses);
        in->map = tunnel_map_build(entries, t->n_ports);
        in->n_addresses = n;
        if (n)
            memcpy(in->addresses, addresses, n * sizeof *addresses);
        free(entries);
    }
    store_release(&t->inbound, in);
    dp_bump(t->dp, &t->gen);
    if (old) {
        dp_defer(t->dp, free, old->map);
        dp_defer(t->dp, free, old);
    }
}

static void publish_local_end(struct tunnels *t, struct dp_port *port, bool gone)
{
    struct local_end *old = port->tunnel, *end = NULL;
    if (old && !gone && !memcmp(old->mac, port->mac, sizeof old->mac))
        return;
    if (!gone) {
        end = xzalloc(sizeof *end);
        memcpy(end->mac, port->mac, sizeof end->mac);
    }
    store_release((struct local_end **)&port->tunnel, end);
    dp_bump(t->dp, &t->gen);
    if (old)
        dp_defer(t->dp, free, old);
}

/* --- Ports --- */

static bool same_identity(const struct tunnel_config *a, const struct tunnel_config *b)
{
    return a->remote == b->remote && a->local == b->local && a->in_key_flow == b->in_key_flow && a->in_key == b->in_key;
}

static bool check_identity(struct dp *dp, const struct tunnel_config *c, const struct dp_port *except, struct diag *d)
{
    for (uint32_t id = 0; id < DP_MAX_PORTS; id++) {
        const struct dp_port *port = dp->ports[id];
        const struct tunnel_port *tp = port && port != except ? tunnel_port_of(port) : NULL;
        if (!tp || !same_identity(&tp->config, c))
            continue;
        struct buf b = BUF_INIT;
        tunnel_config_format_identity(c, &b);
        diag_fail(d, 0, 0, "port %s already takes the packets with %s; tell them apart by key or local_ip", port->name,
                  buf_text(&b));
        buf_free(&b);
        return false;
    }
    return true;
}

static bool gre_validate(struct dp *dp, const struct dp_port_config *config, const struct dp_port *except,
                         int *bad_option, struct diag *d)
{
    struct tunnel_config c;
    return tunnel_config_parse(config, &c, bad_option, d) && check_identity(dp, &c, except, d);
}

static bool gre_open(struct dp_port *port, const struct dp_port_config *config, struct diag *d)
{
    struct tunnel_config c;
    int bad_option;
    if (!tunnel_config_parse(config, &c, &bad_option, d) || !check_identity(port->dp, &c, port, d))
        return false;
    struct tunnel_port *tp = xzalloc(sizeof *tp);
    tp->port = port;
    tp->tunnels = port->dp->tunnels;
    memcpy(&tp->config, &c, sizeof c);
    tp->tally = xzalloc_line(dp_tally_size(port->dp));
    port->flags = DP_PORT_UP | DP_PORT_RUNNING | DP_PORT_PRESENT;
    port->tunnel = tp;
    return true;
}

/* With the first tunnel port, and with the last. */
static void open_underlay(struct tunnels *t)
{
    struct diag d = DIAG_INIT;
    t->bridge = bridge_create(t->dp, "", t, underlay_walk);
    t->host = t->netlink ? port_add_own(t->bridge, &port_host_class, "", &d) : NULL;
    if (d.failed)
        log_warn("GRE that comes by other interfaces than it leaves is not received: %s", buf_text(&d.message));
    diag_free(&d);
}

static void close_underlay(struct tunnels *t)
{
    assert(!t->underlays);
    if (t->host)
        dp_port_del(t->host);
    dp_bridge_destroy(t->bridge);
    t->host = NULL;
    t->bridge = NULL;
}

/* It is in dp.ports: from now on packets find it. */
static void gre_came(struct tunnel_port *tp)
{
    struct tunnels *t = tp->tunnels;
    if (tp->listed)
        return;
    if (t->n_ports == t->a_ports)
        t->ports = xrealloc(t->ports, (t->a_ports = t->a_ports * 2 + 16) * sizeof *t->ports);
    if (!t->n_ports)
        open_underlay(t);
    t->ports[t->n_ports++] = tp;
    tp->listed = true;
    publish_inbound(t);
    t->announce = false;
    route_ask(tp);
    t->announce = true;
}

static void gre_gone(struct tunnel_port *tp)
{
    struct tunnels *t = tp->tunnels;
    if (!tp->listed)
        return;
    for (size_t i = 0; i < t->n_ports; i++)
        if (t->ports[i] == tp)
            t->ports[i] = t->ports[--t->n_ports];
    t->n_ask -= tp->ask;
    tp->listed = tp->ask = false;
    publish_inbound(t);
    route_lost(tp);
    hops_port_gone(tp);
    route_forget(tp);
    if (!t->n_ports)
        close_underlay(t);
}

static void free_tunnel_port(void *p)
{
    struct tunnel_port *tp = p;
    free(tp->egress);
    free(tp->tally);
    free(tp);
}

static void gre_close(struct dp_port *port)
{
    struct tunnel_port *tp = port->tunnel;
    if (!tp)
        return; /* it failed to open */
    gre_gone(tp);
    store_release(&port->tunnel, NULL);
    dp_forget(port->dp); /* its generation goes */
    dp_defer(port->dp, free_tunnel_port, tp);
}

static bool gre_reconfigure(struct dp_port *port, const struct dp_port_config *config, struct diag *d)
{
    struct tunnel_port *tp = port->tunnel;
    struct tunnel_config c;
    int bad_option;
    if (!tunnel_config_parse(config, &c, &bad_option, d) || !check_identity(port->dp, &c, port, d))
        return false;
    bool moved = !same_identity(&c, &tp->config);
    memcpy(&tp->config, &c, sizeof c);
    if (tp->listed) {
        if (moved)
            publish_inbound(tp->tunnels);
        route_ask(tp);
    }
    return true;
}

const struct port_class port_gre_class = {
    .type = "gre",
    .options = tunnel_options,
    .n_options = N_TUNNEL_OPTIONS,
    .tunnel = true,
    .validate = gre_validate,
    .open = gre_open,
    .reconfigure = gre_reconfigure,
    .close = gre_close,
    .get_info = tunnel_get_info,
};

/* --- Other ports, and what netlink says --- */

void tunnels_port_changed(struct dp *dp, struct dp_port *port, bool gone)
{
    struct tunnels *t = dp->tunnels;
    struct tunnel_port *tp = t ? tunnel_port_of(port) : NULL;
    if (!t)
        return;
    if (tp) {
        if (gone)
            gre_gone(tp);
        else
            gre_came(tp);
        return;
    }
    if (!port->local && port->class != &port_underlay_class && port->class != &port_host_class) {
        if (port_is_system(port))
            routes_changed(t);
        return;
    }
    publish_local_end(t, port, gone);
    for (size_t i = 0; gone && i < t->n_ports; i++) {
        const struct egress *e = t->ports[i]->egress;
        if (e && !e->drop && (e->bridge ? port->local && e->bridge == port->bridge : e->output == port->id))
            route_lost(t->ports[i]);
    }
    if (port->class != &port_host_class)
        routes_changed(t);
}

static void on_link(void *aux, const struct nl_link *link)
{
    struct tunnels *t = aux;
    struct link_event event = {
        .ifindex = link->ifindex, .mtu = link->mtu, .flags = link->flags, .name = link->name, .gone = link->gone};
    memcpy(event.mac, link->mac, sizeof event.mac);
    port_link_event(t->dp, &event);
    routes_changed(t);
}

static void on_addresses(void *aux)
{
    struct tunnels *t = aux;
    t->inbound_stale = true;
    routes_changed(t);
}

static void on_routes(void *aux) { routes_changed(aux); }
static void on_neighbour(void *aux, const struct nl_neighbour *n) { hops_news(aux, n); }
static void on_resync(void *aux) { hops_resync(aux); }

struct tunnels *tunnels_create(struct dp *dp)
{
    static const struct netlink_listener listener = {on_link, on_addresses, on_routes, on_neighbour, on_resync};
    struct tunnels *t = xzalloc(sizeof *t);
    t->dp = dp;
    t->announce = true;
    if (!dp->config.no_netlink) {
        t->netlink = netlink_open(&listener, t);
        if (t->netlink)
            dp_watch(dp, netlink_fd(t->netlink), true);
        else
            log_err("no netlink: routes, neighbours and links will not be known: %s", strerror(errno));
    }
    return t;
}

void tunnels_destroy(struct tunnels *t)
{
    assert(!t->n_ports && !t->underlays);
    if (t->netlink)
        dp_watch(t->dp, netlink_fd(t->netlink), false);
    netlink_close(t->netlink);
    if (t->inbound)
        free(t->inbound->map);
    free(t->inbound);
    free(t->ports);
    free(t);
}

void tunnels_run(struct dp *dp)
{
    struct tunnels *t = dp->tunnels;
    if (t->netlink && netlink_run(t->netlink))
        dp_wake(dp);
    if (t->inbound_stale)
        publish_inbound(t);
    routes_run(t);
    hops_run(t);
}

msec_t tunnels_wake_at(struct dp *dp)
{
    const struct tunnels *t = dp->tunnels;
    msec_t at = t->n_ask ? clock_msec() : t->ask_all ? t->ask_at : INT64_MAX;
    return MIN(at, hops_wake_at(t));
}
