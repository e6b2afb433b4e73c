/* cache.h: the flow cache of one worker: packets that look alike in all bits that the pipeline has consulted so far
 * share the outcome of one walk.
 *
 * Per bridge there is a mask, the union of path.consulted of its walks (and in_port). Hashing and comparing touch the
 * words of the mask only. A walk that consults new bits widens the mask, which then has a new number: older entries no
 * longer match. The mask is started afresh every CACHE_MASK_AGE if the tables have changed, since it may have become
 * wider than it need be.
 *
 * Walks mostly end alike: an entry is only the words and a pointer to what the walk left, a cache_path, which entries
 * of the same counters, dependencies and actions share. So an entry takes a cache line or two, and when tables change
 * each path is looked at once. Paths of equal actions share these in turn, an outcome: by it a batch is grouped.
 *
 * Packets are counted in their path, on the line that is read anyway, and from there in the tallies by and by: see
 * tally_fold().
 *
 * A path remembers the generation of the datapath at which it was last known to be good, and on what it depends: if
 * the generation is still that, nothing has changed; else the dependencies are looked at one by one.
 *
 * Thread: the worker's own. Paths stay where they are until cache_reap(). */
#ifndef DATAPATH_CACHE_H
#define DATAPATH_CACHE_H 1

#include "datapath/private.h"

enum { CACHE_MASK_AGE = 10000 /* ms */, CACHE_WAYS = 8, CACHE_MIN_BUCKETS = 32, CACHE_MAX_BUCKETS = 1 << 18 };

/* Of what there is one each, however many refer to it. */
struct shared {
    struct shared *next; /* of the same hash; in the graveyard */
    uint32_t hash, n_refs;
};

/* What is done with packets. */
struct outcome {
    struct shared shared;
    uint32_t acts_len;
    enum drop_reason drop;
    uint64_t acts[];
};

/* The first line is what each packet needs. */
struct cache_path {
    uint64_t packets, bytes; /* since tally_fold() */
    uint64_t generation;
    struct outcome *outcome;
    uint32_t n_tallies, n_deps;
    struct shared shared;
    uint16_t bridge; /* its index */

    uint64_t flushes;
    uint64_t all_packets; /* until tally_fold() */
    uint64_t data[];      /* tallies, deps */
};
static_assert(offsetof(struct cache_path, flushes) <= CACHE_LINE, "a line");

static inline struct dp_tally **cache_path_tallies(struct cache_path *p) { return (struct dp_tally **)p->data; }

struct cache *cache_create(struct worker *);
void cache_destroy(struct cache *);

/* The path of each packet, walked if need be. n ≤ BATCH. The packets came in by `in`. */
void cache_lookup(struct cache *, struct dp_port *in, struct packet *batch[], unsigned n, struct cache_path *found[]);
/* Frees what fell out of the cache, counted. No path that cache_lookup() gave may be in use. */
void cache_reap(struct cache *);
size_t cache_count(const struct cache *);
void cache_show(struct cache *, struct buf *out);

/* --- cache-path.c: paths and outcomes, each once --- */

struct shared_table {
    struct shared **chains;
    size_t n_chains, n;
};

struct cache_paths {
    struct shared_table paths, outcomes;
    struct shared *graveyard; /* of paths */
};
/* A path with one reference more, or, if it is not to be shared, none and in the graveyard already. */
struct cache_path *cache_path_get(struct cache_paths *, const struct worker *, const struct dp_bridge *,
                                  const struct dp_path *);
void cache_path_put(struct cache_paths *, struct cache_path *);
void cache_paths_reap(struct cache_paths *); /* they are counted: tally_fold() */
void cache_paths_destroy(struct cache_paths *); /* no references are left */
bool cache_path_still_good(const struct worker *, struct cache_path *);

#endif
