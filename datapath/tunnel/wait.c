/* wait.c: next hops and what waits for them.
 *
 * A packet whose next hop has no known MAC is given to main by DPACT_HOLD and waits here while the kernel resolves the
 * neighbour. When it has answered, the packets go on, oldest first.
 *
 * So that none is overtaken: a port counts the packets that are on this way (`held`: from DPACT_HOLD until their
 * execution is over). As long as there are any, walks send further packets the same way, though the MAC is known by
 * then. Only when there are none left is the port `settled`, and packets leave directly; or after a tenth of a second,
 * since a stream without gaps would otherwise stay on the slow way. */
#include "config.h"
#include <linux/neighbour.h>
#include "base/hash.h"
#include "base/mem.h"
#include "datapath/tunnel/tunnel.h"
#include "packet/parse.h"

enum {
    MAX_WAITING = 256,             /* packets, per next hop */
    MAX_WAITING_BYTES = 512 << 10, /* likewise */
    MAX_WAIT = 4000,               /* ms; the kernel gives up after three seconds */
    LOOK_EVERY = 100,              /* ms, while something waits */
    FRESH_EVERY = 1000,
    FRESH_AGE = 10000,
    IN_USE = 15000,
    FRESH_A_RUN = 256,
};

struct waiting {
    struct waiting *next;
    struct tunnel_port *port;
    struct dpact_hold hold;
    msec_t since;
    struct packet packet; /* its bytes follow, with headroom */
    uint8_t bytes[];
};

/* --- The order of packets --- */

bool tunnel_settled(const struct tunnel_port *tp) { return !load_acquire(&tp->held); }

static struct tunnel_port *port_by_hold(struct dp *dp, uint32_t id)
{
    struct dp_port *port = dp_port_by_id(dp, id);
    return port ? tunnel_port_of(port) : NULL;
}

void tunnel_hold_begin(struct dp *dp, uint32_t id)
{
    struct tunnel_port *tp = port_by_hold(dp, id);
    if (tp)
        __atomic_add_fetch(&tp->held, 1, __ATOMIC_ACQ_REL);
}

static void held_less(struct tunnel_port *tp, uint32_t n)
{
    uint32_t held = load_acquire(&tp->held);
    while (!__atomic_compare_exchange_n(&tp->held, &held, held > n ? held - n : 0, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
        ;
}

void tunnel_hold_lost(struct dp *dp, uint32_t id)
{
    struct tunnel_port *tp = port_by_hold(dp, id);
    if (tp)
        held_less(tp, 1);
}

/* --- Sending on, giving up --- */

static void send_on(struct tunnel_port *tp, const struct dpact_hold *h, const struct packet *held)
{
    struct dp *dp = tp->tunnels->dp;
    struct packet p = *held;
    struct flow_key key;
    struct dp_path path;
    struct dp_port *in = dp_port_by_id(dp, p.port);
    dp_path_init(&path);
    key_parse(&p, in ? in->ofport : 0, L_L4, &key);
    key.tun.id = h->tun_id;
    key.tun.src = h->tun_src;
    key.tun.dst = h->tun_dst;
    plan_releasing(true);
    dp->callbacks.walk_output(tp->port->bridge->aux, tp->port, &key, &path);
    plan_releasing(false);
    dp_execute_packet(dp, &p, &path);
    dp_path_free(&path);
    tp->executed++;
    tp->tunnels->any_executed = true;
}

static void give_up(struct tunnel_port *tp, const struct packet *p, enum drop_reason why)
{
    struct dp_path path;
    dp_path_init(&path);
    dpact_append(&path.acts, DPACT_DROP, sizeof(struct dpact_drop), why);
    dp_execute_packet(tp->tunnels->dp, p, &path);
    dp_path_free(&path);
    held_less(tp, 1);
}

static struct waiting *take_first(struct tunnels *t, struct next_hop *hop)
{
    struct waiting *w = hop->first;
    if (!w)
        return NULL;
    hop->first = w->next;
    if (!hop->first)
        hop->last = &hop->first;
    hop->n_waiting--;
    hop->waiting_bytes -= w->packet.len;
    t->n_waiting--;
    return w;
}

void hop_release(struct tunnels *t, struct next_hop *hop)
{
    for (struct waiting *w; (w = take_first(t, hop));) {
        send_on(w->port, &w->hold, &w->packet);
        free(w);
    }
}

static void give_up_all(struct tunnels *t, struct next_hop *hop, enum drop_reason why)
{
    for (struct waiting *w; (w = take_first(t, hop));) {
        give_up(w->port, &w->packet, why);
        free(w);
    }
}

static void tell_use(struct tunnels *t, struct next_hop *hop)
{
    hop->used = clock_msec();
    netlink_neighbour_use(t->netlink, hop->neighbour.ifindex, hop->neighbour.address);
}

static void wait_for(struct tunnel_port *tp, struct next_hop *hop, const struct dpact_hold *h, const struct packet *p)
{
    struct waiting *w = xmalloc(sizeof *w + PACKET_HEADROOM + p->len);
    *w = (struct waiting){.port = tp, .hold = *h, .since = clock_msec(), .packet = *p};
    w->packet.base = w->bytes;
    w->packet.data = w->bytes + PACKET_HEADROOM;
    w->packet.size = PACKET_HEADROOM + p->len;
    memcpy(w->packet.data, p->data, p->len);
    *hop->last = w;
    hop->last = &w->next;
    hop->n_waiting++;
    hop->waiting_bytes += p->len;
    tp->tunnels->n_waiting++;
}

static void hop_news(struct tunnels *, struct next_hop *, const struct nl_neighbour *);

/* The kernel is asked for the MAC; if it turns out to have known it all the time, there will be no news of it. */
static void resolve(struct tunnels *t, struct next_hop *hop)
{
    struct nl_neighbour n;
    tell_use(t, hop);
    if (!netlink_neighbour(t->netlink, hop->neighbour.ifindex, hop->neighbour.address, &n) && nl_neighbour_usable(&n))
        hop_news(t, hop, &n);
}

static void hold_or_send(struct tunnel_port *tp, const struct dpact_hold *h, const struct packet *p)
{
    struct next_hop *hop = tp->hop;
    if (!hop || tp->egress->resolved) {
        send_on(tp, h, p);
    } else if (hop->n_waiting >= MAX_WAITING || hop->waiting_bytes + p->len > MAX_WAITING_BYTES) {
        give_up(tp, p, DROP_NEIGH_QUEUE);
    } else {
        wait_for(tp, hop, h, p);
        if (hop->n_waiting == 1)
            resolve(tp->tunnels, hop);
    }
}

void tunnel_hold(struct dp *dp, const struct dpact_hold *h, const struct packet *p)
{
    struct tunnel_port *tp = port_by_hold(dp, h->a.arg);
    if (tp) /* else the port went while the packet was on its way here */
        hold_or_send(tp, h, p);
}

/* --- Next hops --- */

static struct next_hop **bucket_of(struct tunnels *t, uint32_t ifindex, be32 address)
{
    return &t->hops[hash_finish(hash_mix(hash_seed(), (uint64_t)ifindex << 32 | address)) % HOP_BUCKETS];
}

static struct next_hop *find_hop(struct tunnels *t, uint32_t ifindex, be32 address)
{
    struct next_hop *hop = *bucket_of(t, ifindex, address);
    while (hop && (hop->neighbour.ifindex != ifindex || hop->neighbour.address != address))
        hop = hop->next;
    return hop;
}

struct next_hop *hop_get(struct tunnels *t, uint32_t ifindex, be32 address)
{
    struct next_hop *hop = find_hop(t, ifindex, address);
    if (!hop) {
        struct next_hop **bucket = bucket_of(t, ifindex, address);
        hop = xzalloc(sizeof *hop);
        hop->last = &hop->first;
        if (netlink_neighbour(t->netlink, ifindex, address, &hop->neighbour))
            hop->neighbour = (struct nl_neighbour){.ifindex = ifindex, .address = address};
        hop->next = *bucket;
        *bucket = hop;
    }
    hop->users++;
    return hop;
}

void hop_put(struct tunnels *t, struct next_hop *hop)
{
    if (--hop->users)
        return;
    give_up_all(t, hop, DROP_NEIGH_FAILED);
    struct next_hop **at = bucket_of(t, hop->neighbour.ifindex, hop->neighbour.address);
    while (*at != hop)
        at = &(*at)->next;
    *at = hop->next;
    free(hop);
}

static void hop_news(struct tunnels *t, struct next_hop *hop, const struct nl_neighbour *news)
{
    bool was = nl_neighbour_usable(&hop->neighbour), is = nl_neighbour_usable(news);
    bool changed = was != is || (is && memcmp(hop->neighbour.mac, news->mac, 6));
    hop->neighbour = *news;
    for (size_t i = 0; changed && i < t->n_ports; i++)
        if (t->ports[i]->hop == hop)
            route_republish(t->ports[i]);
    if (is)
        hop_release(t, hop);
    else if (news->state & NUD_FAILED)
        give_up_all(t, hop, DROP_NEIGH_FAILED);
}

void hops_news(struct tunnels *t, const struct nl_neighbour *news)
{
    struct next_hop *hop = find_hop(t, news->ifindex, news->address);
    if (hop)
        hop_news(t, hop, news);
}

void hops_resync(struct tunnels *t)
{
    for (size_t i = 0; i < HOP_BUCKETS; i++) {
        for (struct next_hop *hop = t->hops[i]; hop; hop = hop->next) {
            struct nl_neighbour n = {.ifindex = hop->neighbour.ifindex, .address = hop->neighbour.address};
            netlink_neighbour(t->netlink, n.ifindex, n.address, &n);
            hop_news(t, hop, &n);
        }
    }
}

/* What waits at `hop` for this port, oldest first; taken out of its queue. */
static struct waiting *take_of_port(struct tunnels *t, struct next_hop *hop, const struct tunnel_port *tp)
{
    struct waiting *list = NULL, **end = &list, **at = &hop->first;
    for (struct waiting *w; (w = *at);) {
        if (w->port != tp) {
            at = &w->next;
            continue;
        }
        *at = w->next;
        *end = w;
        end = &w->next;
        hop->n_waiting--;
        hop->waiting_bytes -= w->packet.len;
        t->n_waiting--;
    }
    *end = NULL;
    hop->last = at;
    return list;
}

void hops_port_moved(struct tunnel_port *tp, struct next_hop *from)
{
    struct waiting *next;
    for (struct waiting *w = take_of_port(tp->tunnels, from, tp); w; w = next) {
        next = w->next;
        hold_or_send(tp, &w->hold, &w->packet);
        free(w);
    }
}

void hops_port_gone(struct tunnel_port *tp)
{
    struct waiting *next;
    for (struct waiting *w = tp->hop ? take_of_port(tp->tunnels, tp->hop, tp) : NULL; w; w = next) {
        next = w->next;
        give_up(tp, &w->packet, DROP_SHUTDOWN);
        free(w);
    }
}

/* --- Time --- */

/* Ports whose last waiting packets have been executed may send directly. */
static void settle(struct tunnels *t, msec_t now)
{
    dp_synchronize(t->dp); /* they have been executed, and what workers held meanwhile has been counted */
    t->any_executed = false;
    t->unsettled = false;
    for (size_t i = 0; i < t->n_ports; i++) {
        struct tunnel_port *tp = t->ports[i];
        if (tp->executed)
            held_less(tp, tp->executed);
        tp->executed = 0;
        if (!tp->egress || !tp->egress->resolved || tp->egress->settled)
            continue;
        if (now >= tp->settle_by)
            store_release(&tp->held, 0);
        if (tunnel_settled(tp))
            route_settled(tp);
        else
            t->unsettled = true;
    }
}

static void look_at_waiting(struct tunnels *t, msec_t now)
{
    for (size_t i = 0; i < HOP_BUCKETS && t->n_waiting; i++) {
        for (struct next_hop *hop = t->hops[i]; hop; hop = hop->next) {
            while (hop->first && now - hop->first->since > MAX_WAIT) {
                struct waiting *w = take_first(t, hop);
                give_up(w->port, &w->packet, DROP_NEIGH_FAILED);
                free(w);
            }
            if (hop->first && now - hop->used > 1000)
                tell_use(t, hop);
        }
    }
}

/* The kernel probes a stale neighbour only if somebody uses it, and our packets do not pass the kernel: it is told. */
static void keep_fresh(struct tunnels *t, msec_t now)
{
    size_t n = MIN(t->n_ports, (size_t)FRESH_A_RUN);
    for (size_t i = 0; i < n; i++) {
        struct tunnel_port *tp = t->ports[t->fresh_at++ % t->n_ports];
        uint64_t packets, bytes;
        msec_t used;
        if (!tp->hop || now - tp->hop->used < FRESH_AGE)
            continue;
        dp_tally_read(t->dp, tp->tally, &packets, &bytes, &used);
        if (used && now - used < IN_USE)
            tell_use(t, tp->hop);
    }
}

void hops_run(struct tunnels *t)
{
    msec_t now = clock_msec();
    if (t->any_executed || t->unsettled)
        settle(t, now);
    if (t->n_waiting && now >= t->next_look) {
        look_at_waiting(t, now);
        t->next_look = now + LOOK_EVERY;
    }
    if (t->netlink && now >= t->next_fresh) {
        keep_fresh(t, now);
        t->next_fresh = now + FRESH_EVERY;
    }
}

msec_t hops_wake_at(const struct tunnels *t)
{
    msec_t at = t->any_executed ? clock_msec() : t->unsettled ? clock_msec() + 1 : INT64_MAX;
    if (t->n_waiting)
        at = MIN(at, t->next_look);
    return t->netlink && t->n_ports ? MIN(at, t->next_fresh) : at;
}
