/* tally.c: counters with a slot for each worker. */
#include "config.h"
#include "datapath/tally.h"

size_t dp_tally_size(struct dp *dp)
{
    return sizeof(struct dp_tally) + (dp->n_workers - 1) * TALLY_STRIDE * sizeof(struct dp_tally_slot);
}

void dp_tally_read(struct dp *dp, const struct dp_tally *t, uint64_t *packets, uint64_t *bytes, msec_t *used)
{
    *packets = *bytes = 0;
    *used = 0;
    for (unsigned i = 0; i < dp->n_workers; i++) {
        const struct dp_tally_slot *s = tally_slot(t, i);
        *packets += stat_read(&s->packets);
        *bytes += stat_read(&s->bytes);
        *used = MAX(*used, stat_read(&s->used));
    }
}

enum { AHEAD = 8 };

void tally_fold(struct worker *w)
{
    unsigned n = w->n_counted;
    for (unsigned i = 0; i < n + AHEAD; i++) {
        if (i < n)
            __builtin_prefetch(w->counted[i]->data);
        if (i < AHEAD)
            continue;
        struct cache_path *p = w->counted[i - AHEAD];
        for (uint32_t t = 0; t < p->n_tallies; t++)
            tally_count(w, cache_path_tallies(p)[t], p->packets, p->bytes);
        p->all_packets += p->packets;
        p->packets = p->bytes = 0;
    }
    w->n_counted = 0;
}

/* A worker that counts at this moment may undo it: its packets are then those of before the reset. Those that it has not
 * folded yet, of the last millisecond, are of after it. */
void dp_tally_reset(struct dp *dp, struct dp_tally *t)
{
    for (unsigned i = 0; i < dp->n_workers; i++) {
        struct dp_tally_slot *s = tally_slot(t, i);
        store_relaxed(&s->packets, 0);
        store_relaxed(&s->bytes, 0);
        store_relaxed(&s->used, 0);
    }
}
