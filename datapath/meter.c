/* meter.c: meters: OpenFlow 1.3.5, 5.7: "Each meter band specifies the rate at which the band applies [...] the meter
 * applies the meter band with the highest configured rate that is lower than the current measured rate."
 *
 * Each band has a token bucket that fills at its rate. A packet asks the bands in falling order of rate: one that has the
 * tokens takes them; the first that has not is the highest rate exceeded, and does to the packet what it is for. So RFC
 * 2698's meter of two rates is this one with two bands, and of what comes in, as much as the rate says is let alone.
 *
 * A bucket is one number: the time at which it was empty, if it has been filling since. Workers share it with
 * compare-and-swap. Time is counted in 64ths of a nanosecond, modulo 2^64, of which differences mean something for
 * four years: so long a bucket may stay untouched. */
#include "config.h"
#include "base/mem.h"
#include "datapath/execute.h"
#include "datapath/tally.h"
#include "packet/gso.h"
#include "packet/ip.h"
#include "packet/modify.h"

#define TICKS INT64_C(64) /* a nanosecond */
#define NSEC_PER_SEC INT64_C(1000000000)
#define DEFAULT_DEPTH (NSEC_PER_SEC / 10 * TICKS) /* of a bucket without a burst size: what comes in 100 ms */
#define LEAST_DEPTH (NSEC_PER_SEC / 250 * TICKS)  /* packets come in bursts of the receiving ring, not as they were sent */
#define MAX_DEPTH_TICKS (INT64_C(1) << 61)

struct band {
    uint64_t empty_at; /* atomic; ticks */
    int64_t depth;     /* ticks */
    uint32_t rate;
    uint8_t remark; /* 0: drop */
    struct dp_tally *tally;
} __attribute__((aligned(CACHE_LINE)));

struct state {
    struct dp_tally *tallies; /* of all bands, as they were given */
    size_t tally_size;
    bool packets;
    unsigned n;
    struct band band[]; /* highest rate first */
};

struct dp_meter {
    struct dp_tally *tally; /* what came in */
    struct state *state;    /* RCU */
};

/* --- Main --- */

static int64_t depth_of(const struct dp_meter_config *c, const struct dp_meter_band *b)
{
    if (!c->burst || !b->burst) /* 0 is no burst that traffic could live with */
        return DEFAULT_DEPTH;
    /* Burst and rate are both in packets, or both in kilobits: what is in the bucket is burst / rate seconds. */
    unsigned __int128 ticks = (unsigned __int128)b->burst * (uint64_t)(NSEC_PER_SEC * TICKS) / b->rate;
    return ticks > (unsigned __int128)MAX_DEPTH_TICKS ? MAX_DEPTH_TICKS : MAX((int64_t)ticks, LEAST_DEPTH);
}

/* Slots of different tallies may share no line. */
static size_t tally_stride(struct dp *dp) { return ROUND_UP(dp_tally_size(dp), CACHE_LINE); }

static struct dp_tally *tally_at(const struct state *s, unsigned i)
{
    return (struct dp_tally *)((uint8_t *)s->tallies + i * s->tally_size);
}

static uint64_t now_ticks(void) { return (uint64_t)clock_nsec() * TICKS; }

static struct state *state_create(struct dp *dp, const struct dp_meter_config *c)
{
    struct state *s = xzalloc_line(ROUND_UP(sizeof *s + c->n_bands * sizeof s->band[0], CACHE_LINE));
    uint64_t now = now_ticks();
    s->packets = c->packets;
    s->tally_size = tally_stride(dp);
    s->tallies = c->n_bands ? xzalloc_line(c->n_bands * s->tally_size) : NULL;
    for (unsigned i = 0; i < c->n_bands; i++) {
        const struct dp_meter_band *b = &c->bands[i];
        assert(b->rate);
        unsigned at = s->n++;
        for (; at && s->band[at - 1].rate < b->rate; at--)
            s->band[at] = s->band[at - 1];
        int64_t depth = depth_of(c, b);
        s->band[at] = (struct band){.empty_at = now - MAX_DEPTH_TICKS, /* it is full */
                                    .depth = depth,
                                    .rate = b->rate,
                                    .remark = b->remark,
                                    .tally = tally_at(s, i)};
    }
    return s;
}

static void state_free(void *s_)
{
    struct state *s = s_;
    free(s->tallies);
    free(s);
}

struct dp_meter *dp_meter_create(struct dp *dp, const struct dp_meter_config *c)
{
    struct dp_meter *m = xzalloc(sizeof *m);
    m->tally = xzalloc_line(tally_stride(dp));
    m->state = state_create(dp, c);
    return m;
}

void dp_meter_configure(struct dp *dp, struct dp_meter *m, const struct dp_meter_config *c)
{
    struct state *old = m->state;
    store_release(&m->state, state_create(dp, c));
    dp_defer(dp, state_free, old);
}

void dp_meter_free(void *m_)
{
    struct dp_meter *m = m_;
    state_free(m->state);
    free(m->tally);
    free(m);
}

void dp_meter_read(struct dp *dp, const struct dp_meter *m, uint64_t *packets, uint64_t *bytes)
{
    msec_t used;
    dp_tally_read(dp, m->tally, packets, bytes, &used);
}

void dp_meter_read_band(struct dp *dp, const struct dp_meter *m, unsigned band, uint64_t *packets, uint64_t *bytes)
{
    msec_t used;
    assert(band < m->state->n);
    dp_tally_read(dp, tally_at(m->state, band), packets, bytes, &used);
}

/* --- Workers --- */

/* How many packets it will be on the wire. */
static uint64_t packets_in(const struct packet *p)
{
    struct gso_cut cut;
    if (likely(!p->gso) || !gso_begin(&cut, p) || !p->gso_size)
        return 1;
    return (cut.end - cut.payload + p->gso_size - 1) / p->gso_size;
}

/* The time in which the band's bucket gets what the packet costs: of kilobits a second, or packets a second. */
static uint64_t cost(const struct band *b, bool packets, uint64_t amount)
{
    uint64_t unit = packets ? (uint64_t)(NSEC_PER_SEC * TICKS) : (uint64_t)(NSEC_PER_SEC * TICKS) * 8 / 1000;
    return (amount * unit + b->rate / 2) / b->rate;
}

/* A bucket holds at least two packets such as this one: else, as packets come one after the other and not in drops, some of
 * what flows in would always run over, and less than the rate would get through. */
static bool take(struct band *b, uint64_t now, uint64_t ticks)
{
    uint64_t depth = MAX((uint64_t)b->depth, 2 * ticks);
    uint64_t old = load_relaxed(&b->empty_at), new;
    do {
        new = ((int64_t)(now - old) > (int64_t)depth ? now - depth : old) + ticks;
        if ((int64_t)(new - now) > 0)
            return false;
    } while (!__atomic_compare_exchange_n(&b->empty_at, &old, new, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return true;
}

/* The band that applies, or NULL. */
static struct band *exceeded(struct state *s, const struct packet *p, uint64_t now)
{
    uint64_t amount = s->packets ? packets_in(p) : p->len;
    for (unsigned i = 0; i < s->n; i++)
        if (!take(&s->band[i], now, cost(&s->band[i], s->packets, amount)))
            return &s->band[i];
    return NULL;
}

/* RFC 2597, 6: class AFxy is code point 8x + 2y, x from 1 to 4, y the drop precedence from 1 to 3. Other code points have no
 * drop precedence that could be raised. */
unsigned dp_dscp_remarked(unsigned dscp, unsigned by)
{
    unsigned class = dscp >> 3, precedence = dscp >> 1 & 3;
    if (class < 1 || class > 4 || dscp & 1 || !precedence)
        return dscp;
    return class << 3 | MIN(precedence + by, 3u) << 1;
}

static void remark(struct packet *p, unsigned by)
{
    struct l2_place l2 = l2_locate(p->data, p->len, TAGS_ALL);
    if (!l2.end || p->len < l2.end + 2 || (l2.type != ETYPE_IPV4 && l2.type != ETYPE_IPV6))
        return;
    const uint8_t *ip = p->data + l2.end;
    unsigned dscp = l2.type == ETYPE_IPV4 ? ip[1] >> 2 : peek16(ip) >> 6 & 0x3f;
    union field_value value, mask;
    field_value_set_u64(&value, dp_dscp_remarked(dscp, by));
    field_all_ones(FIELD_IP_DSCP, &mask);
    packet_set_field(p, FIELD_IP_DSCP, &value, &mask);
}

unsigned exec_METER(struct exec *x, const struct dpact *a, struct packet *batch[], unsigned n)
{
    struct dp_meter *m = ((const struct dpact_meter *)a)->meter;
    struct state *s = load_acquire(&m->state);
    uint64_t now = now_ticks(), bytes = 0;
    unsigned left = 0;
    for (unsigned i = 0; i < n; i++) {
        struct packet *p = batch[i];
        struct band *b = exceeded(s, p, now);
        bytes += p->len;
        if (b)
            tally_count(x->w, b->tally, 1, p->len);
        if (b && !b->remark) {
            packet_drop(x->w, p, DROP_METER);
            continue;
        }
        if (b)
            remark(p, b->remark);
        batch[left++] = p;
    }
    tally_count(x->w, m->tally, n, bytes);
    return left;
}
