/* tally.h: where a worker's slot of a counter lies. */
#ifndef DATAPATH_TALLY_H
#define DATAPATH_TALLY_H 1

#include "datapath/private.h"

/* Slots of several workers lie so far apart that they never share a cache line, however the tally is aligned. */
enum { TALLY_STRIDE = 4 };
static_assert((TALLY_STRIDE - 1) * sizeof(struct dp_tally_slot) >= CACHE_LINE, "no line is shared");

static inline struct dp_tally_slot *tally_slot(const struct dp_tally *t, unsigned worker)
{
    return (struct dp_tally_slot *)&t->slot[worker * TALLY_STRIDE];
}

#endif
