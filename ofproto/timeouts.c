/* timeouts.c: rules that end by time, in a wheel of quarter-seconds: a tick looks only at the rules of its slot.
 *
 * A rule sits in the slot of the earliest moment at which it could end, at most one turn ahead. When the slot comes up the
 * rule ends, or, as packets have used it meanwhile (or its end was more than a turn away), moves to its next slot. */
#include "ofproto/bridge.h"
#include "base/mem.h"

enum { TICK = 250 /* ms */, SLOTS = 1024 };

struct timeouts {
    int64_t tick; /* slots up to this one are done */
    size_t n;
    uint64_t occupied[SLOTS / 64]; /* a bit may be set though its slot is empty, not the other way round */
    struct cds_list_head slot[SLOTS];
};

struct timeouts *timeouts_create(msec_t now)
{
    struct timeouts *t = xzalloc(sizeof *t);
    t->tick = now / TICK;
    for (size_t i = 0; i < SLOTS; i++)
        CDS_INIT_LIST_HEAD(&t->slot[i]);
    return t;
}

void timeouts_destroy(struct timeouts *t)
{
    assert(!t->n);
    free(t);
}

static void put(struct timeouts *t, struct rule *r, msec_t at)
{
    int64_t tick = (at + TICK - 1) / TICK;
    tick = MAX(tick, t->tick + 1);
    tick = MIN(tick, t->tick + SLOTS - 1);
    unsigned slot = tick % SLOTS;
    cds_list_add_tail(&r->node, &t->slot[slot]);
    t->occupied[slot / 64] |= UINT64_C(1) << slot % 64;
}

/* OpenFlow 1.3.5, 5.5: the hard timeout counts from the arrival of the flow entry, or, of a learned one, from when it was
 * last learned; the idle timeout from its last packet. */
static msec_t ends_at(const struct rule *r, msec_t used, msec_t learned, uint8_t *reason)
{
    msec_t hard = r->hard_timeout ? MAX(learned, r->created) + r->hard_timeout * INT64_C(1000) : INT64_MAX;
    msec_t idle = r->idle_timeout ? MAX(used, r->counted_since) + r->idle_timeout * INT64_C(1000) : INT64_MAX;
    *reason = hard <= idle ? OFPRR_HARD_TIMEOUT : OFPRR_IDLE_TIMEOUT;
    return MIN(hard, idle);
}

void timeouts_add(struct timeouts *t, struct rule *r)
{
    uint8_t reason;
    if (r->idle_timeout || r->hard_timeout) {
        put(t, r, ends_at(r, 0, 0, &reason));
        t->n++;
    }
}

void timeouts_remove(struct timeouts *t, struct rule *r)
{
    if (!cds_list_empty(&r->node)) {
        cds_list_del_init(&r->node);
        t->n--;
    }
}

static void run_slot(struct ofproto *o, unsigned slot, msec_t now, void (*expire)(struct rule *, uint8_t, void *), void *aux)
{
    struct timeouts *t = o->timeouts;
    CDS_LIST_HEAD(due);
    if (!(t->occupied[slot / 64] & UINT64_C(1) << slot % 64))
        return;
    t->occupied[slot / 64] &= ~(UINT64_C(1) << slot % 64);
    cds_list_splice(&t->slot[slot], &due);
    CDS_INIT_LIST_HEAD(&t->slot[slot]);
    while (!cds_list_empty(&due)) {
        struct rule *r = cds_list_entry(due.next, struct rule, node);
        uint64_t packets, bytes;
        msec_t used = 0, learned = 0;
        uint8_t reason;
        cds_list_del_init(&r->node);
        if (r->idle_timeout)
            dp_tally_read(o->dp, r->tally, &packets, &bytes, &used);
        if (r->hard_timeout && r->learned)
            dp_tally_read(o->dp, rule_learn_tally(r), &packets, &bytes, &learned);
        msec_t at = ends_at(r, used, learned, &reason);
        if (at > now) {
            put(t, r, at);
        } else {
            t->n--;
            expire(r, reason, aux);
        }
    }
}

void timeouts_run(struct ofproto *o, msec_t now, void (*expire)(struct rule *, uint8_t, void *), void *aux)
{
    struct timeouts *t = o->timeouts;
    int64_t from = t->tick + 1, to = now / TICK;
    if (to < from)
        return;
    from = MAX(from, to - SLOTS + 1); /* after a long sleep: each slot once */
    t->tick = to;
    for (int64_t tick = from; tick <= to; tick++)
        run_slot(o, tick % SLOTS, now, expire, aux);
}

msec_t timeouts_wake_at(const struct timeouts *t)
{
    if (!t->n)
        return INT64_MAX;
    for (int64_t tick = t->tick + 1; tick < t->tick + SLOTS; tick++) {
        unsigned slot = tick % SLOTS;
        if (t->occupied[slot / 64] & UINT64_C(1) << slot % 64)
            return tick * TICK;
    }
    return (t->tick + 1) * TICK;
}
