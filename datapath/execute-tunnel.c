/* execute-tunnel.c: the primitive actions of tunnels, on batches. */
#include "config.h"
#include "datapath/execute.h"
#include "packet/gro.h"
#include "packet/gso.h"

/* Pushing may make several packets of one: they are gathered into batches, in order, which go on with the rest of the
 * list by themselves. */
struct push {
    struct exec *x;
    const struct dpact_push *push;
    struct packet *out[BATCH];
    unsigned n;
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
    enum drop_reason why = tunnel_push(s->x->w, s->push, p);
    if (unlikely(why)) {
        packet_drop(s->x->w, p, why);
        return;
    }
    if (s->n == BATCH)
        push_rest(s);
    s->out[s->n++] = p;
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
    struct push s = {.x = x, .push = (const struct dpact_push *)a};
    for (unsigned i = 0; i < n; i++)
        if (likely(!batch[i]->gso)) {
            exec_finish_csum(batch[i]);
            push_packet(&s, batch[i]);
        } else {
            push_segments(&s, batch[i]);
        }
    push_rest(&s);
    x->next = (const struct dpact *)x->end;
    return 0;
}

static enum drop_reason pop(struct worker *w, struct dp_port *port, struct packet *p)
{
    if (!port || !port->class->tunnel)
        return DROP_NO_PORT;
    return p->depth >= MAX_DEPTH ? DROP_DEPTH : tunnel_pop(w, port, p);
}

/* What was one super-segment before the tunnel is one again behind it: one lookup, one write to the device. */
unsigned exec_TUN_POP(struct exec *x, const struct dpact *a, struct packet *batch[], unsigned n)
{
    struct worker *w = x->w;
    struct dp_port *port = a->arg < DP_MAX_PORTS ? load_acquire(&w->dp->ports[a->arg]) : NULL;
    bool take = exec_is_last(x);
    struct packet *popped[BATCH], *gone[BATCH];
    unsigned n_popped = 0, left;
    for (unsigned i = 0; i < n; i++) {
        struct packet *p = take ? batch[i] : packet_copy(w, batch[i]);
        enum drop_reason why = pop(w, port, p);
        if (unlikely(why)) {
            packet_drop(w, p, why);
            continue;
        }
        p->depth++;
        popped[n_popped++] = p;
    }
    left = gro_merge(popped, n_popped, gone);
    for (unsigned i = left; i < n_popped; i++)
        packet_free(w, gone[i - left]);
    for (unsigned i = 0; i < left; i++)
        if (likely(w->n_again < MAX_AGAIN))
            w->again[w->n_again++] = popped[i];
        else
            packet_drop(w, popped[i], DROP_DEPTH);
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
