/* execute-tunnel.c: the primitive actions of tunnels, on batches. */
#include "config.h"
#include "datapath/execute.h"
#include "datapath/tunnel/tunnel.h"
#include "datapath/tunnel/wrap.h"
#include "packet/gro.h"
#include "packet/gso.h"

/* Pushing may make several packets of one: they are gathered into batches, in order, which go on with the rest of the
 * list by themselves. */
struct push {
    struct exec *x;
    const struct dpact_push *push;
    struct packet **out; /* BATCH of them */
    unsigned n;
    uint64_t packets, bytes, dropped; /* the tunnel port's */
};

static void push_rest(struct push *s)
{
    struct exec *x = s->x;
    if (s->n)
        exec_list(x->w, x->next, x->end - (const uint8_t *)x->next, x->drop, x->nesting + 1, s->out, s->n);
    s->n = 0;
}

static void push_packet(struct push *s, struct packet *p)
{
    uint64_t bytes = p->len, n = unlikely(p->gso) ? gso_count(p, &bytes) : 1;
    enum drop_reason why = wrap_push(p, s->push);
    if (unlikely(why)) {
        s->dropped++;
        packet_drop(s->x->w, p, why);
        return;
    }
    s->packets += n;
    s->bytes += bytes;
    if (s->n == BATCH)
        push_rest(s);
    s->out[s->n++] = p;
}

static void push_count(const struct push *s)
{
    struct worker *w = s->x->w;
    struct dp_port *port = load_acquire(&w->dp->ports[s->push->a.arg]);
    if (!port)
        return;
    struct port_worker *pw = port->worker[w->index];
    stat_add(&pw->tx_packets, s->packets);
    stat_add(&pw->tx_bytes, s->bytes);
    if (s->dropped)
        stat_add(&pw->tx_dropped, s->dropped);
}

/* Cut into packets that have room for the outer headers: the payload is copied, and summed up, once. */
static void push_segments(struct push *s, struct packet *p)
{
    struct worker *w = s->x->w;
    struct gso_cut cut;
    if (unlikely(!gso_begin(&cut, p))) { /* it is not what it says */
        p->gso = GSO_NONE;
        packet_finish_csum(p);
        push_packet(s, p);
        return;
    }
    while (cut.more) {
        struct packet *segment = packet_new(w);
        gso_next(&cut, segment);
        push_packet(s, segment);
    }
    packet_free(w, p);
}

unsigned exec_TUN_PUSH(struct exec *x, const struct dpact *a, struct packet *batch[], unsigned n)
{
    struct packet *out[BATCH];
    struct push s = {.x = x, .push = (const struct dpact_push *)a, .out = out};
    for (unsigned i = 0; i < n; i++)
        if (likely(!batch[i]->gso) || wrap_keeps_whole(batch[i], s.push)) {
            exec_finish_csum(batch[i]);
            push_packet(&s, batch[i]);
        } else {
            push_segments(&s, batch[i]);
        }
    push_rest(&s);
    push_count(&s);
    x->next = (const struct dpact *)x->end;
    return 0;
}

/* OpenFlow 1.3.5, 7.2.3.8: in_phy_port is the port below a logical one. Of the underlay's own ports OpenFlow knows
 * nothing: 0. */
static uint32_t phy_port(struct worker *w, uint32_t id)
{
    struct dp_port *in = id < DP_MAX_PORTS ? load_acquire(&w->dp->ports[id]) : NULL;
    return in && in->class != &port_underlay_class && in->class != &port_host_class ? load_relaxed(&in->ofport) : 0;
}

struct pop {
    struct worker *w;
    struct dp_port *port; /* the tunnel's */
    uint32_t from, phy;   /* port of the outer packet, and its in_phy_port */
    unsigned n;
    uint64_t packets, bytes, dropped;
    struct packet **out; /* BATCH of them */
};

static enum drop_reason pop(struct pop *s, struct packet *p)
{
    if (!s->port || !s->port->class->tunnel)
        return DROP_NO_PORT;
    if (p->depth >= MAX_DEPTH)
        return DROP_DEPTH;
    if (p->port != s->from)
        s->phy = phy_port(s->w, s->from = p->port);
    enum drop_reason why = wrap_pop(p, s->port->id, s->phy);
    s->dropped += !!why;
    return why;
}

static void pop_count(const struct pop *s)
{
    if (!s->port || !s->port->class->tunnel)
        return;
    struct port_worker *pw = s->port->worker[s->w->index];
    stat_add(&pw->rx_packets, s->packets);
    stat_add(&pw->rx_bytes, s->bytes);
    if (s->dropped)
        stat_add(&pw->rx_dropped, s->dropped);
}

/* What was one super-segment before the tunnel is one again behind it: one lookup, one write to the device. */
static void look_up_again(struct pop *s)
{
    struct worker *w = s->w;
    struct packet *gone[BATCH];
    unsigned left = gro_merge(s->out, s->n, gone);
    for (unsigned i = left; i < s->n; i++)
        packet_free(w, gone[i - left]);
    for (unsigned i = 0; i < left; i++)
        if (likely(w->n_again < MAX_AGAIN))
            w->again[w->n_again++] = s->out[i];
        else
            packet_drop(w, s->out[i], DROP_DEPTH);
}

unsigned exec_TUN_POP(struct exec *x, const struct dpact *a, struct packet *batch[], unsigned n)
{
    struct worker *w = x->w;
    struct packet *out[BATCH];
    struct pop s = {.w = w, .from = UINT32_MAX, .out = out};
    bool take = exec_is_last(x);
    s.port = a->arg < DP_MAX_PORTS ? load_acquire(&w->dp->ports[a->arg]) : NULL;
    for (unsigned i = 0; i < n; i++) {
        struct packet *p = take ? batch[i] : packet_copy(w, batch[i]);
        enum drop_reason why = pop(&s, p);
        if (unlikely(why)) {
            packet_drop(w, p, why);
            continue;
        }
        p->depth++;
        uint64_t bytes = p->len;
        s.packets += unlikely(p->gso) ? gso_count(p, &bytes) : 1;
        s.bytes += bytes;
        s.out[s.n++] = p;
    }
    pop_count(&s);
    look_up_again(&s);
    return take ? 0 : n;
}

unsigned exec_HOLD(struct exec *x, const struct dpact *a, struct packet *batch[], unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        tunnel_hold_begin(x->w->dp, a->arg);
        if (!punt_send(x->w, PUNT_HOLD, a->arg, NULL, a, a->len, batch[i], SIZE_MAX)) {
            drop_count(x->w, batch[i], DROP_NEIGH_QUEUE);
            tunnel_hold_lost(x->w->dp, a->arg);
        }
    }
    return n;
}
