/* report.c: tunnels in words: status lines, `dp_show_tunnels()`, and why a packet was dropped. Main. */
#include "config.h"
#include "datapath/tunnel/gre.h"
#include "datapath/tunnel/tunnel.h"
#include "packet/ip.h"

static void put_mac(struct buf *b, const uint8_t m[6])
{
    buf_printf(b, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

static void put_key(struct buf *b, const char *name, bool flow, uint32_t key)
{
    buf_printf(b, "%s=", name);
    tunnel_key_format(flow, key, b);
    buf_puts(b, "\n");
}

static void put_way(const struct tunnel_port *tp, struct buf *b)
{
    const struct egress *e = tp->egress;
    const struct nl_neighbour *n = &tp->hop->neighbour;
    if (tp->hop->neighbour.address != tp->config.remote)
        buf_printf(b, "route=%s via %s\n", tp->device, text4(e->next_hop).s);
    else
        buf_printf(b, "route=%s\n", tp->device);
    if (e->bridge)
        buf_printf(b, "underlay_bridge=%s\n", e->bridge->name);
    buf_printf(b, "next_hop=%s", text4(e->next_hop).s);
    if (nl_neighbour_usable(n)) {
        buf_puts(b, " at ");
        put_mac(b, n->mac);
    }
    buf_printf(b, " (%s)\n", n->state ? nl_neighbour_state_name(n->state) : "not resolved yet");
    if (tp->hop->n_waiting)
        buf_printf(b, "waiting_packets=%u\n", tp->hop->n_waiting);
    buf_printf(b, "source=%s\nunderlay_mtu=%u\nmtu=%u\n", text4(e->source).s, e->mtu, tp->port->mtu);
}

void tunnel_get_info(const struct dp_port *port, struct dp_port_info *info)
{
    const struct tunnel_port *tp = tunnel_port_of(port);
    if (!tp)
        return;
    info->tunnel = true;
    info->flags = DP_PORT_UP | DP_PORT_PRESENT | (tp->error ? 0 : DP_PORT_RUNNING);
    info->error = tp->error ? tp->error : "";
    if (!info->status)
        return;
    buf_printf(info->status, "remote_ip=%s\n", text4(tp->config.remote).s);
    if (tp->config.local)
        buf_printf(info->status, "local_ip=%s\n", text4(tp->config.local).s);
    put_key(info->status, "in_key", tp->config.in_key_flow, tp->config.in_key);
    put_key(info->status, "out_key", tp->config.out_key_flow, tp->config.out_key);
    if (tp->hop && tp->egress && !tp->egress->drop)
        put_way(tp, info->status);
}

void dp_show_tunnels(struct dp *dp, struct buf *out)
{
    const struct tunnels *t = dp->tunnels;
    for (size_t i = 0; t && i < t->n_ports; i++) {
        struct buf status = BUF_INIT;
        struct dp_port_info info = {.status = &status};
        dp_port_get_info(t->ports[i]->port, &info);
        buf_printf(out, "%s: %s\n", info.name, info.type);
        for (char *line = (char *)buf_text(&status), *end; (end = strchr(line, '\n')); line = end + 1)
            buf_printf(out, "    %.*s\n", (int)(end - line), line);
        if (*info.error)
            buf_printf(out, "    error: %s\n", info.error);
        buf_free(&status);
    }
    for (const struct underlay *u = t ? t->underlays : NULL; u; u = u->next)
        buf_printf(out, "underlay %s: %u tunnel ports\n", u->port->name, u->users);
}

/* --- Drops --- */

/* The outer packet, as far as it is there. False: it is no GRE over IPv4. */
struct outer {
    be32 src, dst;
    struct gre gre;
    enum gre_error error;
};

static bool read_outer(const struct packet *p, struct outer *o)
{
    struct l2_place l2 = l2_locate(p->data, p->len, TAGS_ALL);
    struct ip_place ip;
    if (l2.type != ETYPE_IPV4 || !ip_locate(p->data + l2.end, p->len - l2.end, l2.type, &ip))
        return false;
    const uint8_t *h = p->data + l2.end;
    memcpy(&o->src, h + 12, 4);
    memcpy(&o->dst, h + 16, 4);
    memset(&o->gre, 0, sizeof o->gre);
    o->error = ip.l4 ? gre_parse(h + ip.l4, ip.end - ip.l4, &o->gre) : GRE_OK;
    return ip.proto == IP_PROTO_GRE;
}

static void put_outer(const struct outer *o, struct buf *out)
{
    if (o->gre.flags & GRE_KEY && o->error == GRE_OK)
        buf_printf(out, "key %#x", ntohl(o->gre.key));
    else
        buf_puts(out, "no key");
    buf_printf(out, " from %s to %s", text4(o->src).s, text4(o->dst).s);
}

static void put_nearest(const struct tunnels *t, const struct outer *o, struct buf *out)
{
    uint32_t key = ntohl(o->gre.key);
    const struct tunnel_map_entry *e = tunnel_map_nearest(t->inbound ? t->inbound->map : NULL, o->src, o->dst, key);
    const char *separator = ", which wants ";
    if (!e) {
        buf_puts(out, ": there is no tunnel port");
        return;
    }
    buf_printf(out, ": nearest port is %s", ((const struct tunnel_port *)e->port)->port->name);
    if (e->remote != o->src) {
        buf_printf(out, "%sremote_ip %s", separator, text4(e->remote).s);
        separator = " and ";
    }
    if (e->local && e->local != o->dst) {
        buf_printf(out, "%slocal_ip %s", separator, text4(e->local).s);
        separator = " and ";
    }
    if (!e->flow && e->key != key) {
        buf_printf(out, "%skey ", separator);
        tunnel_key_format(false, e->key, out);
    }
}

/* The packet does not say which next hop it waited for; if there is only one that is not resolved, it is that one. */
static void explain_neighbour(struct tunnels *t, struct buf *out)
{
    const struct next_hop *found = NULL;
    for (size_t i = 0; i < HOP_BUCKETS; i++) {
        for (const struct next_hop *hop = t->hops[i]; hop; hop = hop->next) {
            if (nl_neighbour_usable(&hop->neighbour))
                continue;
            if (found)
                return;
            found = hop;
        }
    }
    const struct nl_link *link = found ? netlink_link(t->netlink, found->neighbour.ifindex) : NULL;
    if (link)
        buf_printf(out, ", next hop %s on %s", text4(found->neighbour.address).s, link->name);
}

void tunnel_explain_drop(struct dp *dp, enum drop_reason reason, const struct packet *p, struct buf *out)
{
    struct outer o;
    if (dp->tunnels && (reason == DROP_NEIGH_FAILED || reason == DROP_NEIGH_QUEUE))
        explain_neighbour(dp->tunnels, out);
    bool received = reason == DROP_TUN_NO_PORT || reason == DROP_TUN_CSUM || reason == DROP_TUN_UNSUPPORTED ||
                    reason == DROP_TUN_FRAGMENT || reason == DROP_TUN_MALFORMED || reason == DROP_TUN_NOT_OURS;
    if (!received || !dp->tunnels || !read_outer(p, &o))
        return;
    buf_puts(out, ", ");
    if (reason == DROP_TUN_UNSUPPORTED)
        buf_printf(out, "GRE flags and version 0x%04x, payload type 0x%04x, ", o.gre.flags, o.gre.proto);
    put_outer(&o, out);
    if (reason == DROP_TUN_NO_PORT)
        put_nearest(dp->tunnels, &o, out);
}
