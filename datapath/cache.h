/* cache.h: the flow cache of one worker: packets that look alike in all bits that the pipeline has consulted so far
 * share the outcome of one walk.
 *
 * Per bridge there is a mask, the union of path.consulted of its walks (and in_port). Hashing and comparing touch the
 * words of the mask only. A walk that consults new bits widens the mask, which then has a new number: older entries no
 * longer match. The mask is started afresh every CACHE_MASK_AGE if the tables have changed, since it may have become
 * wider than it need be.
 *
 * An entry remembers the generation of the datapath at which it was last known to be good, and on what it depends: if
 * the generation is still that, nothing has changed; else the dependencies are looked at one by one.
 *
 * Thread: the worker's own. Entries stay where they are until cache_reap(). */
#ifndef DATAPATH_CACHE_H
#define DATAPATH_CACHE_H 1

#include "datapath/private.h"

enum { CACHE_MASK_AGE = 10000 /* ms */, CACHE_WAYS = 5, CACHE_MIN_BUCKETS = 64, CACHE_MAX_BUCKETS = 1 << 15 };

struct cache_entry {
    uint64_t generation, flushes;
    uint32_t hash, mask_number;
    uint32_t acts_len, n_deps, n_tallies;
    uint16_t bridge; /* its index */
    uint8_t drop; /* enum drop_reason */
    uint64_t packets;
    uint32_t group; /* of the batch at hand: see worker_process() */
    struct cache_entry *next; /* in the graveyard */
    const struct dp_dep *deps;
    struct dp_tally *const *tallies;
    const void *acts;
    uint64_t words[]; /* the key's, under the mask; then deps, tallies, acts */
};

struct cache *cache_create(struct worker *);
void cache_destroy(struct cache *);

/* The entry of each packet, walked if need be. n ≤ BATCH. The packets came in by `in`. */
void cache_lookup(struct cache *, struct dp_port *in, struct packet *batch[], unsigned n, struct cache_entry *found[]);
/* Frees what fell out of the cache. No entry that cache_lookup() gave may be in use. */
void cache_reap(struct cache *);
size_t cache_count(const struct cache *);
void cache_show(const struct cache *, struct buf *out);

#endif
