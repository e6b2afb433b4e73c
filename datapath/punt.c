/* punt.c: packets and news from workers to main.
 *
 * One ring for each worker and port, made when it is first needed: one writer, one reader, bounded. Main takes from them in
 * turn, so that a port which sends many packets to the controller takes nothing away from the others; when a ring is full
 * its packets are named drops. Of each worker, one more ring takes the memory back, so that none is allocated while main
 * keeps up. */
#include "config.h"
#include "base/mem.h"
#include "datapath/worker.h"

enum {
    RING = 4096,    /* main may be away for some milliseconds, where it shares a processor with a worker */
    PUNTS_A_RUN = 1024,
    IN_TURN = 8,    /* from one ring, then the next one's */
    BLOCK = 1024,   /* most punts fit */
};

struct punt_ring {
    uint32_t head __attribute__((aligned(CACHE_LINE))); /* atomic; the writer's */
    uint32_t tail __attribute__((aligned(CACHE_LINE))); /* atomic; the reader's */
    struct punt *slot[RING];
};

static bool ring_put(struct punt_ring *r, struct punt *p)
{
    uint32_t head = r->head;
    if (head - load_acquire(&r->tail) >= RING)
        return false;
    r->slot[head % RING] = p;
    store_release(&r->head, head + 1);
    return true;
}

static struct punt *ring_take(struct punt_ring *r)
{
    uint32_t tail = r->tail;
    if (tail == load_acquire(&r->head))
        return NULL;
    struct punt *p = r->slot[tail % RING];
    store_release(&r->tail, tail + 1);
    return p;
}

static bool ring_is_full(const struct punt_ring *r) { return r->head - load_acquire(&r->tail) >= RING; }

/* The writer's: the ring at *at, which may not be there yet. */
static struct punt_ring *ring_at(struct punt_ring **at)
{
    struct punt_ring *r = *at;
    if (unlikely(!r)) {
        r = xzalloc_line(sizeof *r);
        store_release(at, r);
    }
    return r;
}

void punt_ring_destroy(struct dp *dp, struct punt_ring *r)
{
    for (struct punt *p; r && (p = ring_take(r));) {
        if (p->type == PUNT_HOLD)
            tunnel_hold_lost(dp, p->kind);
        free(p);
    }
    free(r);
}

void punt_memory_destroy(struct punt_ring *r)
{
    for (struct punt *p; r && (p = ring_take(r));)
        free(p);
    free(r);
}

static struct punt_ring *ring_of(struct worker *w, const struct packet *p)
{
    struct dp_port *port = p->port < DP_MAX_PORTS ? load_acquire(&w->dp->ports[p->port]) : NULL;
    return ring_at(port ? &port->worker[w->index]->punts : &w->no_port);
}

static struct punt *punt_new(struct worker *w, size_t size)
{
    struct punt_ring *returned = size <= BLOCK ? load_acquire(&w->punt_memory) : NULL;
    struct punt *p = returned ? ring_take(returned) : NULL;
    return p ? p : xmalloc(MAX(size, BLOCK));
}

/* Main. */
static void punt_free(struct worker *w, struct punt *p)
{
    if (p->size > BLOCK || !ring_put(ring_at(&w->punt_memory), p))
        free(p);
}

bool punt_send(struct worker *w, enum punt_type type, uint32_t kind, struct dp_bridge *bridge, const void *blob,
               size_t blob_len, const struct packet *packet, size_t max_len)
{
    struct punt_ring *r = ring_of(w, packet);
    if (ring_is_full(r))
        return false;
    size_t len = MIN(packet->len, max_len), at = ROUND_UP(blob_len, 8);
    size_t size = sizeof(struct punt) + at + PACKET_HEADROOM + len;
    struct punt *p = punt_new(w, size);
    uint8_t *base = (uint8_t *)p->blob + at;
    p->type = type;
    p->kind = kind;
    p->bridge = bridge;
    p->size = size;
    p->blob_len = blob_len;
    p->total = packet->len;
    if (blob_len)
        memcpy(p->blob, blob, blob_len);
    p->packet = *packet;
    p->packet.base = base;
    p->packet.data = base + PACKET_HEADROOM;
    p->packet.size = PACKET_HEADROOM + len;
    p->packet.len = len;
    memcpy(p->packet.data, packet->data, len);
    ring_put(r, p);
    w->punted = true;
    return true;
}

static void punt_run(struct dp *dp, struct punt *p)
{
    switch (p->type) {
    case PUNT_ACTION:
        dp->callbacks.punt(p->bridge->aux, p->kind, p->blob, p->blob_len, &p->packet, p->total);
        break;
    case PUNT_HOLD:
        tunnel_hold(dp, (const struct dpact_hold *)p->blob, &p->packet);
        break;
    case PUNT_SAMPLE:
        drops_sample(dp, p);
        break;
    }
}

/* A few of each worker's ring of port `id` (behind the last port: of packets that came in by none); how many. */
static unsigned punts_of(struct dp *dp, uint32_t id)
{
    unsigned n = 0;
    for (unsigned i = 0; i < dp->n_workers; i++)
        for (unsigned turn = 0; turn < IN_TURN; turn++, n++) {
            /* Each time: a callback may delete ports. */
            struct dp_port *port = id < dp->ports_end ? dp->ports[id] : NULL;
            struct punt_ring *r = port                  ? load_acquire(&port->worker[i]->punts)
                                  : id >= dp->ports_end ? load_acquire(&dp->workers[i]->no_port)
                                                        : NULL;
            struct punt *p = r ? ring_take(r) : NULL;
            if (!p)
                break;
            punt_run(dp, p);
            punt_free(dp->workers[i], p);
        }
    return n;
}

void punts_run(struct dp *dp)
{
    unsigned quiet = 0, done = 0;
    while (quiet <= dp->ports_end && done < PUNTS_A_RUN) {
        unsigned n = punts_of(dp, dp->next_punt);
        quiet = n ? 0 : quiet + 1;
        done += n;
        dp->next_punt = dp->next_punt >= dp->ports_end ? 0 : dp->next_punt + 1;
    }
    if (quiet <= dp->ports_end)
        dp_wake(dp); /* there may be more */
}

static void ring_discard(struct punt_ring *r, const struct dp_bridge *bridge)
{
    if (!r)
        return;
    /* What is of others keeps its order: the reader may move within [tail, head). */
    uint32_t head = load_acquire(&r->head), to = head;
    for (uint32_t i = head; i != r->tail;) {
        struct punt *p = r->slot[--i % RING];
        if (p->bridge == bridge)
            free(p);
        else
            r->slot[--to % RING] = p;
    }
    store_release(&r->tail, to);
}

void punts_discard(struct dp *dp, struct dp_bridge *bridge)
{
    for (unsigned i = 0; i < dp->n_workers; i++) {
        ring_discard(load_acquire(&dp->workers[i]->no_port), bridge);
        for (uint32_t id = 0; id < dp->ports_end; id++)
            if (dp->ports[id])
                ring_discard(load_acquire(&dp->ports[id]->worker[i]->punts), bridge);
    }
}
