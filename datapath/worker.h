/* worker.h: a worker and its parts. Seen by the files of this folder only (tunnel/ needs no more than private.h).
 *
 * An iteration: take up main's commands, then from each owned port a burst: parse, look up, group by result, execute,
 * look up again what tunnels popped, flush what is to be sent; then a quiescent state. `generation`, `flushes` and
 * `now` are read once an iteration: a change of the tables that becomes visible in between counts from the next on,
 * which dp_synchronize() waits for. */
#ifndef DATAPATH_WORKER_H
#define DATAPATH_WORKER_H 1

#include <sched.h>
#include "datapath/cache.h"
#include "datapath/private.h"

/* --- pool.c: memory for packets --- */
struct pool {
    struct packet **free; /* the last one freed is the first one taken: it is in the processor's cache */
    size_t n_free, n_all, size;
    struct pool_chunk *chunks;
};
void pool_init(struct pool *);
void pool_destroy(struct pool *);
void pool_refill(struct worker *); /* when it is empty */

enum { MAX_AGAIN = 2048, MAX_COUNTED = 1024 };

struct worker {
    struct dp *dp;
    unsigned index;
    uint64_t generation, flushes;
    msec_t now;

    struct pool pool;
    struct cache *cache;

    struct packet *spare[BATCH]; /* to be received into */
    struct dp_port **ports; /* that it polls */
    uint64_t *rest_until; /* of each: cycles(); 0: polled always. See poll_port() */
    unsigned n_busy; /* ports that had packets in the last iteration */
    unsigned n_ports, a_ports;
    struct dp_port **dirty; /* that have packets to be sent */
    unsigned n_dirty;
    struct packet **again; /* popped, to be looked up again */
    unsigned n_again;
    struct cache_path **counted; /* MAX_COUNTED; the paths that have packets which are not in the tallies yet */
    unsigned n_counted;
    struct shaper *shapers; /* of its ports: queue.c */
    uint32_t out_queue;     /* of the port that is being sent to, if it has queues */
    bool punted; /* main is to be woken at the end of the burst */
    uint64_t looked_at, clock_at; /* cycles() */
    unsigned n_cold; /* ports that wait for epoll */

    uint64_t drops[N_DROPS];
    msec_t next_sample[N_DROPS];
    struct punt_ring *no_port;     /* punts of packets that came in by no port */
    struct punt_ring *punt_memory; /* punts that main is done with */
    struct dp_worker_stats stats;

    /* Main's side. */
    struct command *commands __attribute__((aligned(CACHE_LINE))); /* atomic: a stack, newest first */
    uint64_t n_queued; /* main's */
    uint64_t n_done;   /* atomic: the worker's */
    uint64_t n_quiet;  /* atomic: quiescent states passed, so that ThreadSanitizer sees what liburcu orders */
    bool sleeping;     /* atomic */
    bool stop;         /* atomic */
    int epoll, event_fd;
    pthread_t thread;
};

/* packet_new() and packet_free(), where each cycle counts. A packet in the pool keeps its `base` and `size`. */
static inline struct packet *packet_take(struct worker *w)
{
    if (unlikely(!w->pool.n_free))
        pool_refill(w);
    struct packet *p = w->pool.free[--w->pool.n_free];
    packet_init(p, p->base, p->size, PACKET_HEADROOM, 0);
    p->port = DP_NO_PORT;
    return p;
}
static inline void packet_give(struct worker *w, struct packet *p) { w->pool.free[w->pool.n_free++] = p; }

/* For rx: empty packet number i, the same one until it is taken. So an empty poll costs none. */
static inline struct packet *worker_spare(struct worker *w, unsigned i)
{
    return likely(w->spare[i]) ? w->spare[i] : (w->spare[i] = packet_new(w));
}
static inline struct packet *worker_take_spare(struct worker *w, unsigned i)
{
    struct packet *p = w->spare[i];
    w->spare[i] = NULL;
    return p;
}

static inline uint64_t cycles(void)
{
#if defined __x86_64__
    return __builtin_ia32_rdtsc();
#else
    return clock_nsec();
#endif
}

/* --- worker.c --- */
struct worker *worker_create(struct dp *, unsigned index);
void worker_start(struct worker *); /* its thread */
void worker_destroy(struct worker *); /* stops it */
void worker_pin(struct worker *, const cpu_set_t *);
/* One iteration; the number of packets received. */
unsigned worker_iterate(struct worker *);
void worker_wake(struct worker *); /* any thread: it does not sleep past what was published before */
void worker_wait_commands(struct worker *); /* main: until it has done what was queued */
void worker_flush(struct worker *);         /* sends what waits in the ports' queues */
/* Packets that all came in by one port; takes them. */
void worker_process(struct worker *, struct dp_port *in, struct packet *batch[], unsigned n);

/* --- commands (main → worker); done in order --- */
struct command {
    struct command *next;
    void (*run)(struct worker *, struct command *); /* frees it */
};
void worker_command(struct worker *, struct command *);
void worker_attach(struct worker *, struct dp_port *); /* begins, stops to receive from it */
void worker_detach(struct worker *, struct dp_port *);
void worker_execute(struct worker *, const struct packet *, const struct dp_path *);

/* --- execute.c --- */
/* What a walk left; takes the packets. */
void execute(struct worker *, const void *acts, size_t len, enum drop_reason drop, struct packet *batch[], unsigned n);

/* --- punt.c: packets and news for main --- */
enum punt_type { PUNT_ACTION, PUNT_HOLD, PUNT_SAMPLE };
struct punt {
    enum punt_type type;
    uint32_t kind; /* an action's kind, a held packet's tunnel port, a sample's drop reason */
    struct dp_bridge *bridge;
    size_t size, blob_len, total; /* size: of all this */
    struct packet packet; /* data, base: behind the blob */
    uint64_t blob[];      /* the walk's, or the struct dpact_hold */
};
void punt_ring_destroy(struct dp *, struct punt_ring *); /* or NULL */
void punt_memory_destroy(struct punt_ring *);            /* or NULL */
bool punt_send(struct worker *, enum punt_type, uint32_t kind, struct dp_bridge *, const void *blob, size_t blob_len,
               const struct packet *, size_t max_len);
void punts_run(struct dp *);                                     /* main: hands out what is there, fair to ports */
void punts_discard(struct dp *, struct dp_bridge *);             /* main: what is of a bridge that goes */

/* --- drop.c --- */
void drops_sample(struct dp *, const struct punt *); /* main */

#endif
