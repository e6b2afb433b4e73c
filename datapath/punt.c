/* punt.c: packets and news from workers to main.
 *
 * One ring for each worker and port: one writer, one reader, bounded. Main takes from them in turn, so that a port
 * which sends many packets to the controller takes nothing away from the others; when a ring is full its packets are
 * named drops. */
#include "config.h"
#include "base/mem.h"
#include "datapath/worker.h"

enum { RING = 128, PUNTS_A_RUN = 256 };

struct punt_ring {
    uint32_t head __attribute__((aligned(CACHE_LINE))); /* atomic; the worker's */
    uint32_t tail __attribute__((aligned(CACHE_LINE))); /* atomic; main's */
    struct punt *slot[RING];
};

struct punt_ring *punt_ring_create(void) { return xzalloc_line(sizeof(struct punt_ring)); }

struct punt *punt_ring_take(struct punt_ring *r)
{
    uint32_t tail = r->tail;
    if (tail == load_acquire(&r->head))
        return NULL;
    struct punt *p = r->slot[tail % RING];
    store_release(&r->tail, tail + 1);
    return p;
}

void punt_ring_destroy(struct dp *dp, struct punt_ring *r)
{
    for (struct punt *p; (p = punt_ring_take(r));) {
        if (p->type == PUNT_HOLD)
            tunnel_hold_lost(dp, p->kind);
        free(p);
    }
    free(r);
}

static struct punt_ring *ring_of(struct worker *w, const struct packet *p)
{
    struct dp_port *port = p->port < DP_MAX_PORTS ? load_acquire(&w->dp->ports[p->port]) : NULL;
    return port ? port->worker[w->index]->punts : w->no_port;
}

bool punt_send(struct worker *w, enum punt_type type, uint32_t kind, struct dp_bridge *bridge, const void *blob,
               size_t blob_len, const struct packet *packet, size_t max_len)
{
    struct punt_ring *r = ring_of(w, packet);
    uint32_t head = r->head;
    if (head - load_acquire(&r->tail) >= RING)
        return false;
    size_t len = MIN(packet->len, max_len), at = ROUND_UP(blob_len, 8);
    struct punt *p = xmalloc(sizeof *p + at + PACKET_HEADROOM + len);
    uint8_t *base = (uint8_t *)p->blob + at;
    *p = (struct punt){.type = type, .kind = kind, .bridge = bridge, .blob_len = blob_len, .total = packet->len};
    if (blob_len)
        memcpy(p->blob, blob, blob_len);
    p->packet = *packet;
    p->packet.base = base;
    p->packet.data = base + PACKET_HEADROOM;
    p->packet.size = PACKET_HEADROOM + len;
    p->packet.len = len;
    memcpy(p->packet.data, packet->data, len);
    r->slot[head % RING] = p;
    store_release(&r->head, head + 1);
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
    free(p);
}

/* One of each worker's ring of port `id` (behind the last port: of packets that came in by none); whether there was
 * any. */
static bool punts_of(struct dp *dp, uint32_t id)
{
    bool any = false;
    for (unsigned i = 0; i < dp->n_workers; i++) {
        struct dp_port *port = id < dp->ports_end ? dp->ports[id] : NULL; /* each time: a callback may delete ports */
        struct punt_ring *r = port ? port->worker[i]->punts : id >= dp->ports_end ? dp->workers[i]->no_port : NULL;
        struct punt *p = r ? punt_ring_take(r) : NULL;
        if (p) {
            punt_run(dp, p);
            any = true;
        }
    }
    return any;
}

void punts_run(struct dp *dp)
{
    unsigned quiet = 0, done = 0;
    while (quiet <= dp->ports_end && done < PUNTS_A_RUN) {
        bool any = punts_of(dp, dp->next_punt);
        quiet = any ? 0 : quiet + 1;
        done += any;
        dp->next_punt = dp->next_punt >= dp->ports_end ? 0 : dp->next_punt + 1;
    }
    if (quiet <= dp->ports_end)
        dp_wake(dp); /* there may be more */
}

static void ring_discard(struct punt_ring *r, const struct dp_bridge *bridge)
{
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
        ring_discard(dp->workers[i]->no_port, bridge);
        for (uint32_t id = 0; id < dp->ports_end; id++)
            if (dp->ports[id])
                ring_discard(dp->ports[id]->worker[i]->punts, bridge);
    }
}
