/* execute.c: primitive actions on batches.
 *
 * A batch goes through a list action by action; each exec_ function is a row of dpact.def. It is given the
 * packets that are still there, and returns how many are left (at the front of the array): what it took it has sent,
 * freed, or dropped with a reason. */
#include "config.h"
#include "base/mem.h"
#include "datapath/encap.h"
#include "datapath/execute.h"
#include "datapath/queue.h"
#include "packet/csum.h"
#include "packet/gso.h"
#include "packet/modify.h"

enum { MAX_NESTING = 128 }; /* of clones; a walk's own bound is lower */

/* --- output --- */

static void port_flush(struct worker *w, struct dp_port *port, struct port_worker *pw)
{
    if (pw->n_queued) {
        unsigned n = pw->n_queued;
        pw->n_queued = 0;
        port->class->tx(port, w, pw->queue, n);
    }
}

void worker_flush(struct worker *w)
{
    for (unsigned i = 0; i < w->n_dirty; i++) {
        struct port_worker *pw = w->dirty[i]->worker[w->index];
        port_flush(w, w->dirty[i], pw);
        pw->dirty = false;
    }
    w->n_dirty = 0;
}

static inline void enqueue_at(struct worker *w, struct dp_port *port, struct port_worker *pw, struct packet *p)
{
    struct shaper *shaper = load_acquire(&pw->shaper);
    if (unlikely(shaper)) {
        shaper_enqueue(w, port, shaper, w->out_queue, p);
        return;
    }
    if (unlikely(pw->n_queued == BATCH))
        port_flush(w, port, pw);
    if (unlikely(!pw->dirty)) {
        pw->dirty = true;
        w->dirty[w->n_dirty++] = port;
    }
    pw->queue[pw->n_queued++] = p;
}

static void enqueue(struct worker *w, struct dp_port *port, struct packet *p)
{
    enqueue_at(w, port, port->worker[w->index], p);
}

/* The length that the device's MTU is about. */
static uint32_t l3_len(struct packet *p)
{
    if (p->gso)
        return gso_max_l3_len(p);
    uint32_t l3 = p->l3 != 0xffff ? p->l3 : p->l25 != 0xffff ? p->l25 : 14;
    return p->len > l3 ? p->len - l3 : 0;
}

static bool takes_offloads(const struct dp_port *port, const struct packet *p)
{
    if (likely(!p->gso))
        return port->class->offload || p->csum != CSUM_PARTIAL;
    return port->class->offload && (!gso_tunnelled(p) || (port->tunnelled && encap_mark(p)));
}

/* Takes p, whose offloads the port cannot take. */
static void output_finished(struct worker *w, struct dp_port *port, struct packet *p)
{
    struct gso_cut cut;
    if (unlikely(p->gso) && gso_begin(&cut, p)) {
        while (cut.more) {
            struct packet *segment = packet_new(w);
            gso_next(&cut, segment);
            enqueue(w, port, segment);
        }
        packet_free(w, p);
        return;
    }
    p->gso = GSO_NONE; /* it is not what it says */
    exec_finish_csum(p);
    enqueue(w, port, p);
}

static void refuse(struct worker *w, const struct dp_port *port, struct packet *p, bool take, enum drop_reason why)
{
    if (port)
        stat_add(&port->worker[w->index]->tx_dropped, 1);
    if (take)
        packet_drop(w, p, why);
    else
        drop_count(w, p, why);
}

unsigned exec_OUTPUT(struct exec *x, const struct dpact *a, struct packet *batch[], unsigned n)
{
    struct worker *w = x->w;
    bool take = exec_is_last(x);
    struct dp_port *port = a->arg < DP_MAX_PORTS ? load_acquire(&w->dp->ports[a->arg]) : NULL;
    enum drop_reason why = !port || !port->class->tx                    ? DROP_NO_PORT
                           : !(load_acquire(&port->flags) & DP_PORT_UP) ? DROP_PORT_DOWN
                                                                        : DROP_NONE;
    if (unlikely(why)) {
        for (unsigned i = 0; i < n; i++)
            refuse(w, port, batch[i], take, why);
        return take ? 0 : n;
    }
    struct port_worker *pw = port->worker[w->index];
    w->out_queue = a->len > sizeof *a ? ((const struct dpact_output *)a)->queue : 0;
    uint32_t mtu = load_relaxed(&port->mtu);
    for (unsigned i = 0; i < n; i++) {
        struct packet *p = batch[i];
        if (mtu && unlikely(l3_len(p) > mtu)) {
            refuse(w, port, p, take, DROP_TX_MTU);
            continue;
        }
        if (!take)
            p = packet_copy(w, p);
        if (unlikely(p->shrunk))
            packet_pad(p);
        if (likely(takes_offloads(port, p)))
            enqueue_at(w, port, pw, p);
        else
            output_finished(w, port, p);
    }
    return take ? 0 : n;
}

/* --- headers --- */

unsigned exec_SET_FIELD(struct exec *x, const struct dpact *a, struct packet *batch[], unsigned n)
{
    const struct dpact_set *set = (const struct dpact_set *)a;
    (void)x;
    for (unsigned i = 0; i < n; i++) /* no such header: nothing to set */
        packet_set_field(batch[i], a->arg, &set->value, &set->mask);
    return n;
}

/* Keeps the packets for which `keep` holds; the others are dropped. */
static unsigned drop_unless(struct exec *x, struct packet *batch[], unsigned n, const bool keep[], enum drop_reason why)
{
    unsigned left = 0;
    for (unsigned i = 0; i < n; i++)
        if (likely(keep[i]))
            batch[left++] = batch[i];
        else
            packet_drop(x->w, batch[i], why);
    return left;
}

unsigned exec_PUSH_VLAN(struct exec *x, const struct dpact *a, struct packet *batch[], unsigned n)
{
    bool ok[BATCH];
    for (unsigned i = 0; i < n; i++)
        ok[i] = packet_push_vlan(batch[i], htons(a->arg >> 16), htons(a->arg & 0xffff));
    return drop_unless(x, batch, n, ok, DROP_MALFORMED); /* untagged it might reach whom it must not */
}

unsigned exec_POP_VLAN(struct exec *x, const struct dpact *a, struct packet *batch[], unsigned n)
{
    (void)x, (void)a;
    for (unsigned i = 0; i < n; i++)
        packet_pop_vlan(batch[i]);
    return n;
}

/* --- others --- */

unsigned exec_CLONE(struct exec *x, const struct dpact *a, struct packet *batch[], unsigned n)
{
    const struct dpact_clone *clone = (const struct dpact_clone *)a;
    struct packet *copies[BATCH];
    bool take = exec_is_last(x);
    for (unsigned i = 0; i < n; i++)
        copies[i] = take ? batch[i] : packet_copy(x->w, batch[i]);
    exec_list(x->w, clone->nested, a->len - sizeof *clone, DROP_NONE, x->nesting + 1, copies, n);
    return take ? 0 : n;
}

struct punt_aux {
    struct worker *w;
    const struct dpact_punt *punt;
    struct dp_bridge *bridge;
};

static void punt_packet(struct packet *p, void *aux)
{
    struct punt_aux *s = aux;
    const struct dpact_punt *a = s->punt;
    if (!punt_send(s->w, PUNT_ACTION, a->a.arg, s->bridge, a->blob, a->blob_len, p, a->max_len) && a->max_len)
        drop_count(s->w, p, DROP_PUNT_FULL);
}

/* Main gets packets as they would be on the wire: checksums stored, a super-segment cut. */
static void punt_finished(struct packet *p, struct punt_aux *s)
{
    if (unlikely(p->gso)) {
        gso_segment(p, punt_packet, s);
    } else if (p->csum == CSUM_PARTIAL) {
        struct packet *copy = packet_copy(s->w, p);
        packet_finish_csum(copy);
        punt_packet(copy, s);
        packet_free(s->w, copy);
    } else {
        punt_packet(p, s);
    }
}

/* With max_len 0 it is the walk's words alone that count, the same for all of the batch: once is enough, and if main
 * has no room for them no packet is lost. */
unsigned exec_PUNT(struct exec *x, const struct dpact *a, struct packet *batch[], unsigned n)
{
    struct punt_aux s = {.w = x->w, .punt = (const struct dpact_punt *)a};
    for (unsigned i = 0; i < n; i++) {
        struct packet *p = batch[i];
        struct dp_port *in = p->port < DP_MAX_PORTS ? load_acquire(&x->w->dp->ports[p->port]) : NULL;
        s.bridge = s.punt->bridge ? s.punt->bridge : in ? in->bridge : NULL;
        if (!s.bridge) {
            drop_count(x->w, p, DROP_NO_PORT);
        } else if (s.punt->max_len) {
            punt_finished(p, &s);
        } else {
            punt_packet(p, &s);
            break;
        }
    }
    return n;
}

unsigned exec_DROP(struct exec *x, const struct dpact *a, struct packet *batch[], unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        packet_drop(x->w, batch[i], a->arg < N_DROPS ? (enum drop_reason)a->arg : DROP_ACTION);
    return 0;
}

static const exec_fn exec_fns[N_DPACTS] = {
#define DPACT(id, name, carries, doc) [DPACT_##id] = exec_##id,
#include "packet/dpact.def"
#undef DPACT
};

void exec_list(struct worker *w, const void *acts, size_t len, enum drop_reason drop, unsigned nesting,
               struct packet *batch[], unsigned n)
{
    struct exec x = {.w = w, .next = acts, .end = (const uint8_t *)acts + len, .drop = drop, .nesting = nesting};
    if (unlikely(nesting > MAX_NESTING)) {
        x.next = (const struct dpact *)x.end;
        x.drop = DROP_WALK_DEPTH;
    }
    while (n && (const uint8_t *)x.next < x.end) {
        const struct dpact *a = x.next;
        assert(a->type < N_DPACTS && a->len >= sizeof *a);
        x.next = (const struct dpact *)((const uint8_t *)a + a->len);
        n = exec_fns[a->type](&x, a, batch, n);
    }
    for (unsigned i = 0; i < n; i++)
        if (x.drop)
            packet_drop(w, batch[i], x.drop);
        else
            packet_free(w, batch[i]);
}

void execute(struct worker *w, const void *acts, size_t len, enum drop_reason drop, struct packet *batch[], unsigned n)
{
    exec_list(w, acts, len, len || drop ? drop : DROP_ACTION, 0, batch, n);
}
