/* queue.c: shaping of what a port sends.
 *
 * A port has a rate, and queues of which each may have a rate that it gets in any case (min), one that it never exceeds
 * (max), and a priority. Of the queues that have packets and are within their max:
 *
 * 1. those within their min go first, of them the one with the lowest priority number, then the one that has waited;
 * 2. what is left of the port's rate goes to the lowest priority number, and to equal ones in equal shares of bytes.
 *
 * Rates are token buckets as in meter.c, but of one thread. Without a rate of the port there is nothing to share, and a
 * queue's max alone holds its packets back. */
#include "config.h"
#include "base/mem.h"
#include "datapath/queue.h"
#include "datapath/ring.h"
#include "packet/gso.h"

#define TICKS INT64_C(64) /* a nanosecond */
#define NSEC_PER_SEC INT64_C(1000000000)

enum {
    BURST_MSEC = 10,        /* what a bucket holds without a burst given */
    LEAST_BURST = 2 * 1514, /* bytes */
    BACKLOG_MSEC = 100,     /* what may wait, at the queue's own highest rate, */
    LEAST_BACKLOG = 64 << 10,
    MOST_BACKLOG = 2 << 20, /* bytes, of frames; */
    RING_SIZE = 4 << 20,    /* small ones end here */
    HAND_SIZE = 1 << 20,
    RUN_MAX = 1024,         /* packets of a port in one iteration */
};

struct bucket {
    uint64_t rate; /* bits a second; 0: there is none */
    uint64_t empty_at;
    int64_t depth; /* ticks */
};

struct queue {
    uint32_t id, priority;
    struct bucket min, max;
    uint32_t burst;   /* bytes: longer super-segments are cut */
    uint64_t limit;   /* of backlog */
    uint64_t backlog; /* bytes */
    uint64_t share;   /* bytes beyond its min, so far */
    struct ring *ring;
    uint64_t tx_packets, tx_bytes, tx_errors; /* the owner's; tx_errors atomic: any worker's */
    struct dp_queue_config config;            /* main's */
    msec_t created;
};

struct set {
    uint64_t rate, burst; /* the port's */
    unsigned n;
    struct queue *queue[DP_MAX_QUEUES]; /* [0]: the default queue */
};

struct shaper {
    struct shaper *next; /* the owner's */
    struct dp_port *port;
    struct bucket total;
    struct set set;
    uint64_t n_waiting; /* packets in all queues */
    uint64_t share;     /* of the queue that was last sent from beyond its min */
    int64_t due;        /* ns, clock_nsec(); INT64_MAX: nothing waits */
    bool handed;        /* atomic: there is something in hand[] */
    struct ring *hand[]; /* from each worker; NULL: the owner */
};

/* --- Buckets --- */

/* What a packet costs. */
static uint64_t ticks_of(uint32_t bytes, uint64_t rate)
{
    return (bytes * (uint64_t)(8 * NSEC_PER_SEC * TICKS) + rate / 2) / rate;
}

static uint64_t burst_of(uint64_t rate, uint64_t wanted)
{
    uint64_t bytes = wanted ? wanted : rate / 8 / 1000 * BURST_MSEC;
    return MIN(MAX(bytes, (uint64_t)LEAST_BURST), (uint64_t)UINT32_MAX);
}

static void bucket_set(struct bucket *b, uint64_t rate, uint64_t burst, uint64_t now)
{
    if (!b->rate && rate)
        b->empty_at = now - (uint64_t)(INT64_C(1) << 61); /* it begins full */
    b->rate = rate;
    unsigned __int128 depth = rate ? (unsigned __int128)burst_of(rate, burst) * (uint64_t)(8 * NSEC_PER_SEC * TICKS) / rate : 0;
    b->depth = (int64_t)MIN(depth, (unsigned __int128)1 << 60);
}

static uint64_t bucket_empty_at(const struct bucket *b, uint64_t now, uint64_t cost)
{
    uint64_t depth = MAX((uint64_t)b->depth, cost);
    return (int64_t)(now - b->empty_at) > (int64_t)depth ? now - depth : b->empty_at;
}

/* Ticks until it has what `len` bytes cost; not more than 0: now. */
static int64_t bucket_wait(const struct bucket *b, uint64_t now, uint32_t len)
{
    if (!b->rate)
        return 0;
    uint64_t cost = ticks_of(len, b->rate);
    return (int64_t)(bucket_empty_at(b, now, cost) + cost - now);
}

static void bucket_take(struct bucket *b, uint64_t now, uint32_t len)
{
    if (b->rate) {
        uint64_t cost = ticks_of(len, b->rate);
        b->empty_at = bucket_empty_at(b, now, cost) + cost;
    }
}

/* --- In --- */

static struct queue *find_queue(struct shaper *s, uint32_t id)
{
    for (unsigned i = 1; i < s->set.n; i++)
        if (s->set.queue[i]->id == id)
            return s->set.queue[i];
    return s->set.queue[0];
}

static void count_overrun(struct worker *w, struct dp_port *port, struct queue *q, const struct packet *p)
{
    __atomic_add_fetch(&q->tx_errors, 1, __ATOMIC_RELAXED);
    stat_add(&port->worker[w->index]->tx_dropped, 1);
    drop_count(w, p, DROP_QUEUE_FULL);
}

static void put(struct worker *w, struct shaper *s, struct queue *q, const struct packet *p)
{
    if ((q->backlog && q->backlog + p->len > q->limit) || !ring_put(q->ring, p, 0)) {
        count_overrun(w, s->port, q, p);
        return;
    }
    if (!q->backlog) /* it has no claim on what others had while it had nothing */
        q->share = MAX(q->share, s->share);
    stat_add(&q->backlog, p->len);
    s->n_waiting++;
    s->due = 0;
}

/* The owner. Copies the packet. */
static void admit(struct worker *w, struct shaper *s, uint32_t id, const struct packet *p)
{
    struct queue *q = find_queue(s, id);
    struct gso_cut cut;
    if (likely(!p->gso || p->len <= q->burst) || !gso_begin(&cut, p)) {
        put(w, s, q, p);
        return;
    }
    while (cut.more) {
        struct packet *segment = packet_new(w);
        gso_next(&cut, segment);
        put(w, s, q, segment);
        packet_free(w, segment);
    }
}

void shaper_enqueue(struct worker *w, struct dp_port *port, struct shaper *s, uint32_t queue, struct packet *p)
{
    struct ring *hand = s->hand[w->index];
    if (!hand) {
        admit(w, s, queue, p);
    } else if (!ring_put(hand, p, queue)) {
        stat_add(&port->worker[w->index]->tx_dropped, 1);
        drop_count(w, p, DROP_QUEUE_FULL);
    } else if (!__atomic_exchange_n(&s->handed, true, __ATOMIC_SEQ_CST)) {
        worker_wake(port->owner);
    }
    packet_free(w, p);
}

static void take_handed(struct worker *w, struct shaper *s)
{
    if (!__atomic_load_n(&s->handed, __ATOMIC_SEQ_CST))
        return;
    __atomic_store_n(&s->handed, false, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < w->dp->n_workers; i++)
        for (struct ring_packet *p; s->hand[i] && (p = ring_first(s->hand[i])); ring_pop(s->hand[i], p))
            admit(w, s, p->queue, &p->packet);
}

/* --- Out --- */

/* Goes a before b? */
static bool before(const struct queue *a, bool a_min, const struct queue *b, bool b_min)
{
    if (a_min != b_min)
        return a_min;
    if (a->priority != b->priority)
        return a->priority < b->priority;
    return a_min ? (int64_t)(a->min.empty_at - b->min.empty_at) < 0 : a->share < b->share;
}

/* The queue whose turn it is, and whether that is by its min; NULL: *wait ticks until there is one. */
static struct queue *pick(struct shaper *s, uint64_t now, bool *by_min, int64_t *wait)
{
    struct queue *best = NULL;
    *wait = INT64_MAX;
    for (unsigned i = 0; i < s->set.n; i++) {
        struct queue *q = s->set.queue[i];
        if (!q->backlog)
            continue;
        uint32_t len = ring_first(q->ring)->packet.len;
        int64_t held = bucket_wait(&q->max, now, len);
        if (held > 0) {
            *wait = MIN(*wait, held);
            continue;
        }
        bool min = q->min.rate && bucket_wait(&q->min, now, len) <= 0;
        if (!best || before(q, min, best, *by_min)) {
            best = q;
            *by_min = min;
        }
    }
    if (best) {
        int64_t held = bucket_wait(&s->total, now, ring_first(best->ring)->packet.len);
        *wait = MAX(held, 0);
        if (held > 0)
            return NULL;
    }
    return best;
}

static struct packet *take(struct worker *w, struct shaper *s, struct queue *q)
{
    struct ring_packet *rp = ring_first(q->ring);
    struct packet *p = packet_copy(w, &rp->packet);
    ring_pop(q->ring, rp);
    stat_set(&q->backlog, q->backlog - p->len);
    s->n_waiting--;
    if (!q->backlog && !ring_first(q->ring))
        q->ring->head = q->ring->tail = 0; /* the same memory again */
    return p;
}

static void charge(struct shaper *s, struct queue *q, bool by_min, uint64_t now, uint32_t len)
{
    bucket_take(&s->total, now, len);
    bucket_take(&q->max, now, len);
    if (by_min) {
        bucket_take(&q->min, now, len);
    } else {
        s->share = q->share;
        q->share += len;
    }
    stat_add(&q->tx_packets, 1);
    stat_add(&q->tx_bytes, len);
}

static void drop_waiting(struct worker *w, struct shaper *s, enum drop_reason why)
{
    for (unsigned i = 0; i < s->set.n; i++)
        while (s->set.queue[i]->backlog) {
            stat_add(&s->port->worker[w->index]->tx_dropped, 1);
            packet_drop(w, take(w, s, s->set.queue[i]), why);
        }
    s->due = INT64_MAX;
}

static void send_due(struct worker *w, struct shaper *s, int64_t nsec)
{
    uint64_t now = (uint64_t)nsec * TICKS;
    struct packet *batch[BATCH];
    unsigned n = 0, left = RUN_MAX;
    int64_t wait = 0;
    bool by_min = false;
    for (struct queue *q; left && (q = pick(s, now, &by_min, &wait)); left--) {
        charge(s, q, by_min, now, ring_first(q->ring)->packet.len);
        batch[n++] = take(w, s, q);
        if (n == BATCH) {
            s->port->class->tx(s->port, w, batch, n);
            n = 0;
        }
    }
    if (n)
        s->port->class->tx(s->port, w, batch, n);
    s->due = !s->n_waiting ? INT64_MAX : nsec + wait / TICKS + 1;
}

void shapers_run(struct worker *w)
{
    int64_t now = 0;
    for (struct shaper *s = w->shapers; s; s = s->next) {
        take_handed(w, s);
        if (!s->n_waiting)
            continue;
        now = now ? now : clock_nsec();
        if (unlikely(!(load_acquire(&s->port->flags) & DP_PORT_UP)))
            drop_waiting(w, s, DROP_PORT_DOWN);
        else if (s->due <= now)
            send_due(w, s, now);
    }
}

int64_t shapers_wait(struct worker *w)
{
    int64_t due = INT64_MAX;
    for (struct shaper *s = w->shapers; s; s = s->next) {
        if (__atomic_load_n(&s->handed, __ATOMIC_SEQ_CST))
            return 0;
        if (s->n_waiting)
            due = MIN(due, s->due);
    }
    return due == INT64_MAX ? due : MAX(due - clock_nsec(), (int64_t)0);
}

/* --- Main --- */

struct shape_command {
    struct command c;
    struct shaper *s;
    struct set set; /* becomes the shaper's; what was there comes back */
    struct dp_shape_config config;
};

/* The new queues, of which some were there before. Packets of those that are gone leave at once. */
static void run_set(struct worker *w, struct command *c)
{
    struct shape_command *x = (struct shape_command *)c;
    struct shaper *s = x->s;
    struct set old = s->set;
    uint64_t now = (uint64_t)clock_nsec() * TICKS;
    s->set = x->set;
    x->set = old;
    bucket_set(&s->total, s->set.rate, s->set.burst, now);
    for (unsigned i = 0; i < s->set.n; i++) {
        struct queue *q = s->set.queue[i];
        const struct dp_queue_config *qc = &q->config;
        uint64_t most = qc->max_rate ? qc->max_rate : s->set.rate;
        if (s->set.rate && most > s->set.rate)
            most = s->set.rate;
        q->priority = qc->priority;
        bucket_set(&q->min, qc->min_rate, qc->burst, now);
        bucket_set(&q->max, qc->max_rate, qc->burst, now);
        q->burst = (uint32_t)(most ? burst_of(most, qc->burst) : UINT32_MAX);
        uint64_t limit = most ? most / 8 / 1000 * BACKLOG_MSEC : MOST_BACKLOG;
        q->limit = MIN(MAX(limit, (uint64_t)LEAST_BACKLOG), (uint64_t)MOST_BACKLOG);
    }
    for (unsigned i = 0; i < old.n; i++) {
        struct queue *q = old.queue[i];
        bool kept = false;
        for (unsigned j = 0; j < s->set.n; j++)
            kept |= s->set.queue[j] == q;
        while (!kept && q->backlog) {
            struct packet *p = take(w, s, q);
            s->port->class->tx(s->port, w, &p, 1);
        }
    }
    s->due = 0;
}

static void run_begin(struct worker *w, struct command *c)
{
    struct shape_command *x = (struct shape_command *)c;
    x->s->next = w->shapers;
    w->shapers = x->s;
    run_set(w, c);
}

static void run_end(struct worker *w, struct command *c)
{
    struct shape_command *x = (struct shape_command *)c;
    struct shaper **p = &w->shapers;
    while (*p != x->s)
        p = &(*p)->next;
    *p = x->s->next;
    take_handed(w, x->s);
    bool up = load_acquire(&x->s->port->flags) & DP_PORT_UP;
    while (up && x->s->n_waiting)
        for (unsigned i = 0; i < x->s->set.n; i++)
            if (x->s->set.queue[i]->backlog) {
                struct packet *one = take(w, x->s, x->s->set.queue[i]);
                x->s->port->class->tx(x->s->port, w, &one, 1);
            }
    drop_waiting(w, x->s, DROP_PORT_DOWN);
}

/* The owner does it; x stays main's. */
static void have_done(struct dp_port *port, struct shape_command *x, void (*run)(struct worker *, struct command *))
{
    x->c.run = run;
    worker_command(port->owner, &x->c);
    worker_wait_commands(port->owner);
}

static struct queue *queue_create(const struct dp_queue_config *c)
{
    struct queue *q = xzalloc_line(sizeof *q);
    q->id = c->id;
    q->config = *c;
    q->ring = ring_create(RING_SIZE);
    q->created = clock_msec();
    return q;
}

static void queue_free(struct queue *q)
{
    free(q->ring);
    free(q);
}

static struct queue *main_find(const struct shaper *s, uint32_t id)
{
    for (unsigned i = 0; s && i < s->set.n; i++)
        if (s->set.queue[i]->id == id)
            return s->set.queue[i];
    return NULL;
}

static void set_add(struct set *set, const struct shaper *s, const struct dp_queue_config *c)
{
    struct queue *q = main_find(s, c->id);
    if (!q)
        q = queue_create(c);
    q->config = *c;
    set->queue[set->n++] = q;
}

static void publish(struct dp_port *port, struct shaper *s)
{
    for (unsigned i = 0; i < port->dp->n_workers; i++)
        store_release(&port->worker[i]->shaper, s);
}

static struct shaper *shaper_create(struct dp_port *port)
{
    struct shaper *s = xzalloc_line(sizeof *s + port->dp->n_workers * sizeof s->hand[0]);
    s->port = port;
    s->due = INT64_MAX;
    for (unsigned i = 0; i < port->dp->n_workers; i++)
        if (port->dp->workers[i] != port->owner)
            s->hand[i] = ring_create(HAND_SIZE);
    return s;
}

void shaper_remove(struct dp_port *port)
{
    struct shaper *s = port->shaper;
    struct shape_command x = {.s = s};
    if (!s)
        return;
    publish(port, NULL);
    dp_synchronize(port->dp);
    have_done(port, &x, run_end);
    port->shaper = NULL;
    for (unsigned i = 0; i < s->set.n; i++)
        queue_free(s->set.queue[i]);
    for (unsigned i = 0; i < port->dp->n_workers; i++)
        free(s->hand[i]);
    free(s);
}

bool dp_port_shapes(const struct dp_port *port) { return port->class->tx != NULL; }

void dp_port_shape(struct dp_port *port, const struct dp_shape_config *c)
{
    struct shape_command x = {.s = port->shaper};
    struct dp_queue_config zero = {0};
    assert(port->class->tx && c->n_queues < DP_MAX_QUEUES);
    if (!c->max_rate && !c->n_queues) {
        shaper_remove(port);
        return;
    }
    if (!x.s)
        x.s = shaper_create(port);
    for (unsigned i = 0; i < c->n_queues; i++)
        if (!c->queues[i].id)
            zero = c->queues[i];
    x.set.rate = c->max_rate;
    x.set.burst = c->burst;
    set_add(&x.set, port->shaper, &zero);
    for (unsigned i = 0; i < c->n_queues; i++)
        if (c->queues[i].id)
            set_add(&x.set, port->shaper, &c->queues[i]);
    have_done(port, &x, port->shaper ? run_set : run_begin);
    for (unsigned i = 0; i < x.set.n; i++) /* what was there before */
        if (main_find(x.s, x.set.queue[i]->id) != x.set.queue[i])
            queue_free(x.set.queue[i]);
    port->shaper = x.s;
    publish(port, x.s);
}

unsigned dp_port_get_queues(const struct dp_port *port, uint64_t *rate, struct dp_queue_info info[DP_MAX_QUEUES])
{
    const struct shaper *s = port->shaper;
    *rate = s && s->set.rate ? s->set.rate : port->speed_mbps * UINT64_C(1000000);
    for (unsigned i = 0; s && i < s->set.n; i++) {
        const struct queue *q = s->set.queue[i];
        info[i] = (struct dp_queue_info){.config = q->config,
                                         .tx_packets = stat_read(&q->tx_packets),
                                         .tx_bytes = stat_read(&q->tx_bytes),
                                         .tx_errors = stat_read(&q->tx_errors),
                                         .backlog = stat_read(&q->backlog),
                                         .created = q->created};
    }
    return s ? s->set.n : 0;
}
