/* tally.h: where a worker's slot of a counter lies, and how packets get into it.
 *
 * A packet of the cache meets several tallies, each on a line of its own, so it is counted once, in its path. A worker
 * folds what its paths have counted into its slots of their tallies
 *
 * - before its clock moves on: `used` is as exact as the clock;
 * - when there was nothing to receive, before it sleeps, and before each quiescent state: counters are exact once traffic
 *   stops, and what paths point to may go behind dp_synchronize();
 * - before a path is freed. */
#ifndef DATAPATH_TALLY_H
#define DATAPATH_TALLY_H 1

#include "datapath/worker.h"

/* Slots of several workers lie so far apart that they never share a cache line, however the tally is aligned. */
enum { TALLY_STRIDE = 4 };
static_assert((TALLY_STRIDE - 1) * sizeof(struct dp_tally_slot) >= CACHE_LINE, "no line is shared");

static inline struct dp_tally_slot *tally_slot(const struct dp_tally *t, unsigned worker)
{
    return (struct dp_tally_slot *)&t->slot[worker * TALLY_STRIDE];
}

/* Worker. */
static inline void tally_count(struct worker *w, struct dp_tally *t, uint64_t packets, uint64_t bytes)
{
    struct dp_tally_slot *slot = tally_slot(t, w->index);
    stat_add(&slot->packets, packets);
    stat_add(&slot->bytes, bytes);
    stat_set(&slot->used, w->now);
}

void tally_fold(struct worker *);

static inline void tally_count_path(struct worker *w, struct cache_path *p, uint64_t packets, uint64_t bytes)
{
    if (!p->packets) {
        if (unlikely(w->n_counted == MAX_COUNTED))
            tally_fold(w);
        w->counted[w->n_counted++] = p;
    }
    p->packets += packets;
    p->bytes += bytes;
}

#endif
