/* pool.c: memory for a worker's packets.
 *
 * A buffer holds the largest packet, but most packets are small: of each, the pages behind the first are touched only
 * when a large packet comes. struct packet, headroom and a packet of 1500 bytes lie in that first page; where in it
 * they begin differs from buffer to buffer, or all would compete for the same few sets of the processor's cache. */
#include "config.h"
#include <sys/mman.h>
#include "base/mem.h"
#include "datapath/worker.h"

enum {
    STRIDE = 17 * 4096,
    CHUNK = 128,
    STAGGER = 31, /* × CACHE_LINE */
    ENOUGH = 8192 /* rather send what is queued than take more than this */
};
static_assert(STAGGER * CACHE_LINE + sizeof(struct packet) + CACHE_LINE + PACKET_HEADROOM + 1514 <= 4096, "one page");
static_assert(STAGGER * CACHE_LINE + sizeof(struct packet) + CACHE_LINE + PACKET_HEADROOM + PACKET_MAX <= STRIDE,
              "fits");

struct pool_chunk {
    struct pool_chunk *next;
    uint8_t *memory;
};

void pool_init(struct pool *pool) { *pool = (struct pool){0}; }

void pool_destroy(struct pool *pool)
{
    for (struct pool_chunk *c = pool->chunks, *next; c; c = next) {
        next = c->next;
        munmap(c->memory, (size_t)CHUNK * STRIDE);
        free(c);
    }
    free(pool->free);
    pool_init(pool);
}

static void pool_grow(struct pool *pool)
{
    struct pool_chunk *c = xmalloc(sizeof *c);
    c->memory =
        mmap(NULL, (size_t)CHUNK * STRIDE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (c->memory == MAP_FAILED)
        abort();                                                 /* as mem.h */
    madvise(c->memory, (size_t)CHUNK * STRIDE, MADV_NOHUGEPAGE); /* one small packet would cost 2 MB */
    c->next = pool->chunks;
    pool->chunks = c;
    if (pool->n_all + CHUNK > pool->size) {
        pool->size = MAX(2 * pool->size, pool->n_all + CHUNK);
        pool->free = xrealloc(pool->free, pool->size * sizeof *pool->free);
    }
    for (unsigned i = CHUNK; i-- > 0;) {
        struct packet *p = (struct packet *)(c->memory + (size_t)i * STRIDE + i % STAGGER * CACHE_LINE);
        p->base = (uint8_t *)p + ROUND_UP(sizeof *p, CACHE_LINE);
        p->size = PACKET_HEADROOM + PACKET_MAX;
        pool->free[pool->n_free++] = p;
    }
    pool->n_all += CHUNK;
}

void pool_refill(struct worker *w)
{
    if (w->pool.n_all >= ENOUGH)
        worker_flush(w);
    if (!w->pool.n_free)
        pool_grow(&w->pool);
}

struct packet *packet_new(struct worker *w) { return packet_take(w); }

struct packet *packet_copy(struct worker *w, const struct packet *from)
{
    struct packet *p = packet_new(w);
    uint8_t *base = p->base, *data = p->data;
    uint32_t size = p->size;
    *p = *from;
    p->base = base;
    p->size = size;
    p->data = data;
    /* A packet that grew in its headroom may be longer than what fits behind ours. */
    if (unlikely(p->len > PACKET_MAX))
        p->data = base + size - p->len;
    memcpy(p->data, from->data, p->len);
    return p;
}

void packet_free(struct worker *w, struct packet *p) { packet_give(w, p); }
