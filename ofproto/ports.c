/* ports.c: the ports of a bridge as OpenFlow sees them.
 *
 * Walks find ports in an array ordered by number, published whole under RCU: ports come and go seldom, and a walk runs
 * only for packets that the flow cache does not know. */
#include <inttypes.h>
#include <stdio.h>
#include "ofproto/bridge.h"
#include "base/mem.h"

/* OpenFlow 1.3 would allow up to OFPP_MAX; Nicira's resubmit and OpenFlow 1.0 have 16 bits, of which 0xff00 on is taken. */
enum { NUMBER_MAX = 0xfeff };

struct port_set {
    size_t n;
    struct ofport *port[];
};

struct number { /* a name's number, kept as long as the bridge lives */
    struct number *next;
    uint32_t number;
    char name[];
};

struct ports {
    struct port_set *set; /* RCU */
    struct number *numbers;
};

static const struct port_set *set_of(const struct ofproto *o) { return __atomic_load_n(&o->ports->set, __ATOMIC_ACQUIRE); }

void ports_create(struct ofproto *o)
{
    o->ports = xzalloc(sizeof *o->ports);
    o->ports->set = xzalloc(sizeof *o->ports->set);
}

void ports_destroy(struct ofproto *o)
{
    assert(!set_of(o)->n);
    for (struct number *n = o->ports->numbers, *next; n; n = next) {
        next = n->next;
        free(n);
    }
    free(o->ports->set);
    free(o->ports);
}

/* --- The set --- */

/* Where `number` is or would be. */
static size_t position(const struct port_set *s, uint32_t number)
{
    size_t lo = 0, hi = s->n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (s->port[mid]->number < number)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

struct ofport *ofport_lookup(const struct ofproto *o, uint32_t number)
{
    const struct port_set *s = set_of(o);
    size_t i = position(s, number);
    return i < s->n && s->port[i]->number == number ? s->port[i] : NULL;
}

void ofport_for_each(const struct ofproto *o, void (*fn)(struct ofport *, void *aux), void *aux)
{
    const struct port_set *s = set_of(o);
    for (size_t i = 0; i < s->n; i++)
        fn(s->port[i], aux);
}

struct ofport *ofproto_port_by_name(const struct ofproto *o, const char *name)
{
    const struct port_set *s = set_of(o);
    for (size_t i = 0; i < s->n; i++)
        if (!strcmp(s->port[i]->name, name))
            return s->port[i];
    return NULL;
}

static void publish(struct ofproto *o, struct port_set *new)
{
    struct port_set *old = o->ports->set;
    __atomic_store_n(&o->ports->set, new, __ATOMIC_RELEASE);
    dp_bump(o->dp, &o->ports_gen);
    dp_defer(o->dp, free, old);
}

static void set_insert(struct ofproto *o, struct ofport *p)
{
    const struct port_set *old = set_of(o);
    size_t at = position(old, p->number);
    struct port_set *new = xmalloc(sizeof *new + (old->n + 1) * sizeof *new->port);
    memcpy(new->port, old->port, at * sizeof *new->port);
    new->port[at] = p;
    memcpy(new->port + at + 1, old->port + at, (old->n - at) * sizeof *new->port);
    new->n = old->n + 1;
    publish(o, new);
}

static void set_remove(struct ofproto *o, struct ofport *p)
{
    const struct port_set *old = set_of(o);
    size_t at = position(old, p->number);
    assert(old->port[at] == p);
    struct port_set *new = xmalloc(sizeof *new + old->n * sizeof *new->port);
    memcpy(new->port, old->port, at * sizeof *new->port);
    memcpy(new->port + at, old->port + at + 1, (old->n - at - 1) * sizeof *new->port);
    new->n = old->n - 1;
    publish(o, new);
}

/* --- Numbers --- */

static uint32_t remembered(const struct ofproto *o, const char *name)
{
    for (const struct number *n = o->ports->numbers; n; n = n->next)
        if (!strcmp(n->name, name))
            return n->number;
    return 0;
}

static bool is_remembered(const struct ofproto *o, uint32_t number)
{
    for (const struct number *n = o->ports->numbers; n; n = n->next)
        if (n->number == number)
            return true;
    return false;
}

/* Another name that was given this number before loses it. */
static void remember(struct ofproto *o, const char *name, uint32_t number)
{
    for (struct number **p = &o->ports->numbers, *n; (n = *p);)
        if (n->number == number || !strcmp(n->name, name)) {
            *p = n->next;
            free(n);
        } else {
            p = &n->next;
        }
    struct number *n = xmalloc(sizeof *n + strlen(name) + 1);
    n->number = number;
    memcpy(n->name, name, strlen(name) + 1);
    n->next = o->ports->numbers;
    o->ports->numbers = n;
}

/* The wanted number; else the one it had; else the lowest that nobody has, and if there is none, that nobody uses. */
static uint32_t choose(const struct ofproto *o, const char *name, uint32_t request, struct diag *d)
{
    if (request) {
        if (request <= NUMBER_MAX && !ofport_lookup(o, request))
            return request;
        if (request > NUMBER_MAX)
            diag_warn(d, "port %s: number %" PRIu32 " is not between 1 and %d: another one is chosen", name, request, NUMBER_MAX);
        else
            diag_warn(d, "port %s: number %" PRIu32 " is taken by port %s: another one is chosen", name, request,
                      ofport_lookup(o, request)->name);
    }
    uint32_t number = remembered(o, name);
    if (number && !ofport_lookup(o, number))
        return number;
    for (int pass = 0; pass < 2; pass++)
        for (number = 1; number <= NUMBER_MAX; number++)
            if (!ofport_lookup(o, number) && (pass || !is_remembered(o, number)))
                return number;
    return 0;
}

/* --- Description --- */

static uint32_t speed_feature(uint32_t mbps)
{
    static const struct {
        uint32_t mbps, feature;
    } speeds[] = {{10, OFPPF_10MB_FD},      {100, OFPPF_100MB_FD},    {1000, OFPPF_1GB_FD},      {10000, OFPPF_10GB_FD},
                  {40000, OFPPF_40GB_FD},   {100000, OFPPF_100GB_FD}, {1000000, OFPPF_1TB_FD}};
    for (size_t i = 0; i < ARRAY_SIZE(speeds); i++)
        if (speeds[i].mbps == mbps)
            return speeds[i].feature;
    return mbps ? OFPPF_OTHER : 0;
}

/* Reads the datapath's view into desc. OFPPC_PORT_DOWN follows the device; the other bits are OpenFlow's own. */
static void describe(struct ofport *p, struct ofp_port_desc *d)
{
    struct dp_port_info info = {0};
    dp_port_get_info(p->dp, &info);
    memset(d, 0, sizeof *d); /* padding too: it is compared */
    d->port = p->number;
    memcpy(d->mac, info.mac, sizeof d->mac);
    snprintf(d->name, sizeof d->name, "%s", p->name);
    bool up = info.flags & DP_PORT_UP, running = info.flags & DP_PORT_RUNNING && info.flags & DP_PORT_PRESENT;
    d->config = (p->config & ~OFPPC_PORT_DOWN) | (up ? 0 : OFPPC_PORT_DOWN);
    d->state = up && running ? OFPPS_LIVE : running ? 0 : OFPPS_LINK_DOWN;
    d->curr = speed_feature(info.speed_mbps);
    d->curr_speed = d->max_speed = (uint32_t)MIN((uint64_t)info.speed_mbps * 1000, (uint64_t)UINT32_MAX);
}

static void publish_desc(struct ofport *p, const struct ofp_port_desc *d)
{
    memcpy(&p->desc, d, sizeof *d);
    __atomic_store_n(&p->config, d->config, __ATOMIC_RELAXED);
    __atomic_store_n(&p->state, d->state, __ATOMIC_RELEASE);
    dp_bump(p->ofproto->dp, &p->gen);
}

static void change_desc(struct ofport *p, const struct ofp_port_desc *d)
{
    if (!memcmp(d, &p->desc, sizeof *d))
        return;
    publish_desc(p, d);
    /* The set too: what floods reach depends on it, and walks note only that. */
    dp_bump(p->ofproto->dp, &p->ofproto->ports_gen);
    p->ofproto->unsettled = true;
    conns_port_status(p->ofproto, p, OFPPR_MODIFY);
}

void ofport_refresh(struct ofport *p)
{
    struct ofp_port_desc d;
    describe(p, &d);
    change_desc(p, &d);
}

/* --- Coming and going --- */

static void show_port(struct ofport *p)
{
    struct ofp_port_desc desc;
    p->created = clock_msec();
    describe(p, &desc);
    publish_desc(p, &desc);
    set_insert(p->ofproto, p);
    p->ofproto->unsettled = true;
    conns_port_status(p->ofproto, p, OFPPR_ADD);
}

static void hide_port(struct ofport *p)
{
    set_remove(p->ofproto, p);
    fdb_flush_port(p->ofproto->fdb, p->number);
    dp_bump(p->ofproto->dp, &p->gen);
    p->ofproto->unsettled = true;
    conns_port_status(p->ofproto, p, OFPPR_DELETE);
}

struct ofport *ofproto_port_add(struct ofproto *o, const struct dp_port_config *c, uint32_t request, struct diag *d)
{
    if (ofproto_port_by_name(o, c->name)) {
        diag_fail(d, 0, 0, "bridge %s has a port %s already", o->name, c->name);
        return NULL;
    }
    if (c->local && ofport_lookup(o, OFPP_LOCAL)) {
        diag_fail(d, 0, 0, "bridge %s has a LOCAL port already", o->name);
        return NULL;
    }
    uint32_t number = c->local ? OFPP_LOCAL : choose(o, c->name, request, d);
    if (!number) {
        diag_fail(d, 0, 0, "bridge %s has no port number left", o->name);
        return NULL;
    }
    struct ofport *p = xzalloc(sizeof *p);
    p->ofproto = o;
    p->number = number;
    p->name = xstrdup(c->name);
    p->dp = dp_port_add(o->bridge, c, number, p, d);
    if (!p->dp) {
        free(p->name);
        free(p);
        return NULL;
    }
    struct dp_port_info info = {0};
    dp_port_get_info(p->dp, &info);
    p->dp_id = info.id;
    p->tunnel = info.tunnel;
    p->local = c->local;
    if (!c->local)
        remember(o, c->name, number);
    show_port(p);
    return p;
}

/* Unpublished before the datapath closes it: dp_port_del() then waits until no walk holds it any more. */
void ofproto_port_del(struct ofport *p)
{
    hide_port(p);
    dp_port_del(p->dp);
    free(p->name);
    free(p);
}

/* OpenFlow knows no change of number: the port goes and comes. Its device stays open, with its addresses and routes. */
bool ofproto_port_set_number(struct ofport *p, uint32_t request, struct diag *d)
{
    if (!request || request == p->number)
        return true;
    if (p->local)
        return diag_fail(d, 0, 0, "port %s is the bridge's LOCAL port: its number is fixed", p->name);
    if (request > NUMBER_MAX)
        return diag_fail(d, 0, 0, "port numbers go from 1 to %d", NUMBER_MAX);
    struct ofport *other = ofport_lookup(p->ofproto, request);
    if (other)
        return diag_fail(d, 0, 0, "number %" PRIu32 " is taken by port %s", request, other->name);
    hide_port(p);
    dp_port_set_ofport(p->dp, request); /* from here on no walk holds the port under its old number */
    p->number = request;
    remember(p->ofproto, p->name, request);
    show_port(p);
    return true;
}

uint32_t ofport_number(const struct ofport *p) { return p->number; }
struct dp_port *ofport_dp(const struct ofport *p) { return p->dp; }

/* --- PORT_MOD, statistics --- */

enum ofp_error ofport_mod_check(const struct ofproto *o, const struct ofp_port_mod *m)
{
    const struct ofport *p = ofport_lookup(o, m->port);
    if (!p)
        return OFPERR_PMFC_BAD_PORT;
    if (memcmp(p->desc.mac, m->mac, sizeof m->mac))
        return OFPERR_PMFC_BAD_HW_ADDR;
    /* OpenFlow 1.3.5, 7.3.4.3: bits outside the mask are not looked at. */
    if (m->mask & ~(OFPPC_PORT_DOWN | OFPPC_NO_RECV | OFPPC_NO_FLOOD | OFPPC_NO_FWD | OFPPC_NO_PACKET_IN))
        return OFPERR_PMFC_BAD_CONFIG;
    if (m->advertise) /* zero: "all unset, use default" */
        return OFPERR_PMFC_BAD_ADVERTISE;
    return OFPERR_OK;
}

enum ofp_error ofport_mod(struct ofproto *o, const struct ofp_port_mod *m)
{
    struct ofport *p = ofport_lookup(o, m->port);
    enum ofp_error e = ofport_mod_check(o, m);
    if (e)
        return e;
    uint32_t changed = (p->config ^ m->config) & m->mask;
    if (changed & OFPPC_PORT_DOWN && !dp_port_set_up(p->dp, !(m->config & OFPPC_PORT_DOWN)))
        return OFPERR_PMFC_BAD_CONFIG;
    /* The device may say so only later, by port_changed(); a barrier must not wait for that. */
    struct ofp_port_desc d;
    memcpy(&d, &p->desc, sizeof d);
    d.config ^= changed;
    if (!(d.state & OFPPS_LINK_DOWN))
        d.state = d.config & OFPPC_PORT_DOWN ? 0 : OFPPS_LIVE;
    change_desc(p, &d);
    return OFPERR_OK;
}

void ofport_get_stats(const struct ofport *p, struct ofp_port_stats *s, msec_t now)
{
    struct dp_port_stats d = {0};
    msec_t age = MAX(now - p->created, (msec_t)0);
    dp_port_get_stats(p->dp, &d);
    *s = (struct ofp_port_stats){
        .port = p->number,
        .duration_sec = age / 1000,
        .duration_nsec = age % 1000 * 1000000,
        .rx_packets = d.rx_packets,
        .tx_packets = d.tx_packets,
        .rx_bytes = d.rx_bytes,
        .tx_bytes = d.tx_bytes,
        .rx_dropped = d.rx_dropped,
        .tx_dropped = d.tx_dropped,
        .rx_errors = d.rx_errors,
        .tx_errors = d.tx_errors,
        .rx_frame_err = UINT64_MAX,
        .rx_over_err = UINT64_MAX,
        .rx_crc_err = UINT64_MAX,
        .collisions = UINT64_MAX,
    };
}
