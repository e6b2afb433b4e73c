/* ring.h: packets in a row of bytes, each with its offloads: one thread puts them in, one takes them out (or both are the
 * same). What is in a ring holds no packet of a worker's pool. */
#ifndef DATAPATH_RING_H
#define DATAPATH_RING_H 1

#include "base/mem.h"
#include "datapath/private.h"

struct ring {
    uint64_t size; /* a power of two */
    uint64_t tail __attribute__((aligned(CACHE_LINE))); /* atomic; bytes put in so far */
    uint64_t head __attribute__((aligned(CACHE_LINE))); /* atomic; bytes taken out */
    uint8_t data[] __attribute__((aligned(CACHE_LINE)));
};
struct ring_packet {
    uint32_t size; /* of this record; its data lie behind it */
    uint32_t queue;
    bool gap; /* nothing but room up to the end of the ring */
    struct packet packet;
};
static_assert(offsetof(struct ring_packet, packet) <= CACHE_LINE, "a gap fits");

static inline struct ring *ring_create(uint64_t size)
{
    struct ring *r = aligned_alloc(CACHE_LINE, sizeof *r + size); /* not touched before it is used */
    if (!r)
        abort();
    r->size = size;
    r->head = r->tail = 0;
    return r;
}

/* False: there is no room. */
static inline bool ring_put(struct ring *r, const struct packet *p, uint32_t queue)
{
    uint64_t head = load_acquire(&r->head), tail = r->tail, size = ROUND_UP(sizeof(struct ring_packet) + p->len, CACHE_LINE);
    uint64_t at = tail & (r->size - 1), to_end = r->size - at, gap = size > to_end ? to_end : 0;
    if (size + gap > r->size - (tail - head))
        return false;
    if (gap) {
        struct ring_packet *rest = (struct ring_packet *)(r->data + at); /* there may be room for these two alone */
        rest->size = (uint32_t)gap;
        rest->gap = true;
        at = 0;
    }
    struct ring_packet *to = (struct ring_packet *)(r->data + at);
    *to = (struct ring_packet){.size = (uint32_t)size, .queue = queue, .packet = *p};
    memcpy(to + 1, p->data, p->len);
    to->packet.data = to->packet.base = (uint8_t *)(to + 1);
    store_release(&r->tail, tail + gap + size);
    return true;
}

/* The oldest packet, which stays until ring_pop(); NULL if there is none. */
static inline struct ring_packet *ring_first(struct ring *r)
{
    uint64_t tail = load_acquire(&r->tail);
    for (;;) {
        if (r->head == tail)
            return NULL;
        struct ring_packet *p = (struct ring_packet *)(r->data + (r->head & (r->size - 1)));
        if (!p->gap)
            return p;
        store_release(&r->head, r->head + p->size);
    }
}
static inline void ring_pop(struct ring *r, const struct ring_packet *p) { store_release(&r->head, r->head + p->size); }

#endif
