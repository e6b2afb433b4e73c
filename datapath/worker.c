/* worker.c: the threads that packets go through. */
#include "config.h"
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>
#include <urcu/urcu-qsbr.h>
#include "base/mem.h"
#include "datapath/queue.h"
#include "datapath/tally.h"
#include "datapath/worker.h"

enum {
    SPIN_NSEC = 40 * 1000, /* without packets, then sleep */
    HOT = 64,              /* polls of a quiet port before it waits for epoll */
    LOOK_EVERY = 1 << 16,  /* cycles between looks at epoll while other ports are hot: 20 µs or so */
    LOOK_EVERY_IDLE = 1 << 12,
    CLOCK_EVERY = 1 << 17, /* cycles for which the time is the same */
    MAX_EVENTS = 64,
    WORKER_NICE = -10,     /* beside a TCP stream on two processors a ping takes 0.02 ms instead of 0.4 */
    OTHERS_SHARE = 10, /* times what the walks of a burst took: they are half of what such packets cost */
    MAX_REST = 2 << 20, /* cycles: a millisecond, or less */
};

unsigned worker_index(const struct worker *w) { return w->index; }
struct worker *worker_of_main(struct dp *dp) { return dp->workers[0]; }

/* --- packets --- */

static void execute_outcome(struct worker *w, const struct outcome *o, struct packet *batch[], unsigned n)
{
    execute(w, o->acts, o->acts_len, o->drop, batch, n);
}

/* True: all have the same path. */
static bool count_found(struct worker *w, struct packet *const batch[], unsigned n, struct cache_path *const found[])
{
    unsigned from = 0;
    for (unsigned i = 0; i < n;) {
        struct cache_path *path = found[i];
        uint64_t bytes = 0;
        from = i;
        do
            bytes += batch[i++]->len;
        while (i < n && found[i] == path);
        tally_count_path(w, path, i - from, bytes);
    }
    return !from;
}

/* Packets of one batch with the same outcome go together. Their order within a flow is kept. Uses up both arrays. */
static void process_found(struct worker *w, struct packet *batch[], unsigned n, struct cache_path *found[])
{
    struct packet *members[BATCH];
    if (count_found(w, batch, n, found)) { /* as most often on a wire */
        execute_outcome(w, found[0]->outcome, batch, n);
        return;
    }
    for (unsigned left; n > 0; n = left) {
        const struct outcome *outcome = found[0]->outcome;
        unsigned m = 0;
        left = 0;
        for (unsigned i = 0; i < n; i++) { /* without a branch: nobody could predict it */
            bool same = found[i]->outcome == outcome;
            members[m] = batch[left] = batch[i];
            found[left] = found[i];
            m += same;
            left += !same;
        }
        execute_outcome(w, outcome, members, m);
    }
}

/* Packets that all came in by `in`. */
static void process_batch(struct worker *w, struct dp_port *in, struct packet *batch[], unsigned n)
{
    struct cache_path *found[BATCH];
    cache_lookup(w->cache, in, batch, n, found);
    process_found(w, batch, n, found);
}

/* What tunnels popped, in runs of packets of the same port. Bounded by MAX_DEPTH. */
static void process_again(struct worker *w)
{
    while (w->n_again) {
        struct packet *batch[MAX_AGAIN];
        unsigned n = w->n_again;
        memcpy(batch, w->again, n * sizeof *batch);
        w->n_again = 0;
        for (unsigned i = 0, run; i < n; i += run) {
            struct dp_port *in = load_acquire(&w->dp->ports[batch[i]->port]);
            for (run = 1; run < BATCH && i + run < n && batch[i + run]->port == batch[i]->port;)
                run++;
            if (in)
                process_batch(w, in, batch + i, run);
            else
                for (unsigned j = 0; j < run; j++)
                    packet_drop(w, batch[i + j], DROP_NO_PORT);
        }
    }
}

static void finish_burst(struct worker *w)
{
    process_again(w);
    worker_flush(w);
    if (w->punted) {
        w->punted = false;
        dp_wake(w->dp);
    }
}

void worker_process(struct worker *w, struct dp_port *in, struct packet *batch[], unsigned n)
{
    struct port_worker *pw = in->worker[w->index];
    uint64_t bytes = 0;
    unsigned good = 0;
    for (unsigned i = 0; i < n; i++)
        if (likely(batch[i]->len >= 14)) {
            bytes += batch[i]->len;
            batch[good++] = batch[i];
        } else {
            stat_add(&pw->rx_errors, 1);
            packet_drop(w, batch[i], DROP_MALFORMED);
        }
    stat_add(&pw->rx_packets, good);
    stat_add(&pw->rx_bytes, bytes);
    stat_add(&w->stats.packets, good);
    stat_add(&w->stats.batches, 1);
    if (good)
        process_batch(w, in, batch, good);
    finish_burst(w);
}

/* --- commands --- */

void worker_command(struct worker *w, struct command *c)
{
    w->n_queued++;
    c->next = __atomic_load_n(&w->commands, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&w->commands, &c->next, c, true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
        ;
    worker_wake(w);
}

void worker_wake(struct worker *w)
{
    if (__atomic_load_n(&w->sleeping, __ATOMIC_SEQ_CST) || w->dp->inline_worker)
        eventfd_write(w->event_fd, 1);
}

static void run_commands(struct worker *w)
{
    if (likely(!load_relaxed(&w->commands)))
        return;
    struct command *c = __atomic_exchange_n(&w->commands, NULL, __ATOMIC_ACQUIRE), *in_order = NULL;
    uint64_t n = 0;
    for (struct command *next; c; c = next, n++) {
        next = c->next;
        c->next = in_order;
        in_order = c;
    }
    for (struct command *next; in_order; in_order = next) {
        next = in_order->next;
        in_order->run(w, in_order);
    }
    finish_burst(w);
    store_release(&w->n_done, w->n_done + n);
}

struct port_command {
    struct command c;
    struct dp_port *port;
};

static void port_command(struct worker *w, struct dp_port *port, void (*run)(struct worker *, struct command *))
{
    struct port_command *c = xmalloc(sizeof *c);
    *c = (struct port_command){{NULL, run}, port};
    worker_command(w, &c->c);
}

static void watch(struct worker *w, struct dp_port *port, int operation)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = port};
    int fds[] = {port->rx_fd, port->rx_fd_bulk};
    for (unsigned i = 0; i < ARRAY_SIZE(fds); i++)
        if (fds[i] >= 0)
            epoll_ctl(w->epoll, operation, fds[i], &ev);
}

static void run_attach(struct worker *w, struct command *c)
{
    struct dp_port *port = ((struct port_command *)c)->port;
    if (w->n_ports == w->a_ports) {
        w->a_ports = MAX(16, 2 * w->a_ports);
        w->ports = xrealloc(w->ports, w->a_ports * sizeof *w->ports);
        w->rest_until = xrealloc(w->rest_until, w->a_ports * sizeof *w->rest_until);
    }
    w->rest_until[w->n_ports] = 0;
    port->hot = 1;
    w->ports[w->n_ports++] = port;
    stat_set(&w->stats.ports, w->n_ports);
    watch(w, port, EPOLL_CTL_ADD);
    free(c);
}

static void run_detach(struct worker *w, struct command *c)
{
    struct dp_port *port = ((struct port_command *)c)->port;
    for (unsigned i = 0; i < w->n_ports; i++)
        if (w->ports[i] == port) {
            w->ports[i] = w->ports[--w->n_ports];
            w->rest_until[i] = w->rest_until[w->n_ports];
            watch(w, port, EPOLL_CTL_DEL);
            break;
        }
    stat_set(&w->stats.ports, w->n_ports);
    free(c);
}

void worker_attach(struct worker *w, struct dp_port *port) { port_command(w, port, run_attach); }
void worker_detach(struct worker *w, struct dp_port *port) { port_command(w, port, run_detach); }

/* A packet of main's with the path that it is to take, in one piece of memory. */
struct execute_command {
    struct command c;
    struct packet packet;
    size_t n_tallies, acts_len;
    enum drop_reason drop;
    uint64_t data[]; /* tallies, actions, frame */
};

static void run_execute(struct worker *w, struct command *c)
{
    struct execute_command *x = (struct execute_command *)c;
    struct dp_tally **tallies = (struct dp_tally **)x->data;
    struct packet *p = packet_copy(w, &x->packet);
    for (size_t i = 0; i < x->n_tallies; i++)
        tally_count(w, tallies[i], 1, p->len);
    execute(w, tallies + x->n_tallies, x->acts_len, x->drop, &p, 1);
    free(c);
}

void worker_execute(struct worker *w, const struct packet *p, const struct dp_path *path)
{
    size_t tallies = path->n_tallies * sizeof *path->tallies, acts = path->acts.len;
    struct execute_command *x = xmalloc(sizeof *x + tallies + acts + p->len);
    uint8_t *at = (uint8_t *)x->data;
    *x = (struct execute_command){.c = {NULL, run_execute},
                                  .packet = *p,
                                  .n_tallies = path->n_tallies,
                                  .acts_len = acts,
                                  .drop = path->drop};
    if (tallies)
        memcpy(at, path->tallies, tallies);
    if (acts)
        memcpy(at + tallies, path->acts.data, acts);
    memcpy(at + tallies + acts, p->data, p->len);
    x->packet.base = x->packet.data = at + tallies + acts;
    worker_command(w, &x->c);
}

/* --- the loop --- */

static void look(struct worker *w, int timeout)
{
    struct epoll_event events[MAX_EVENTS];
    int n = epoll_wait(w->epoll, events, MAX_EVENTS, timeout);
    for (int i = 0; i < n; i++) {
        struct dp_port *port = events[i].data.ptr;
        if (port) {
            port->hot = MAX(port->hot, 1);
        } else {
            eventfd_t value;
            eventfd_read(w->event_fd, &value);
        }
    }
}

/* Walks cost many times what other packets do. A port whose burst had some rests for as long as others, if they have
 * anything to do, need to get their share: whoever sprays packets that no cache has seen slows down mostly himself. */
static void rest(struct worker *w, unsigned i, uint64_t walked)
{
    w->rest_until[i] = cycles() + MIN(walked * OTHERS_SHARE, MAX_REST);
}

static bool resting(struct worker *w, unsigned i)
{
    if (likely(!w->rest_until[i]))
        return false;
    if (w->n_busy && cycles() < w->rest_until[i])
        return true;
    w->rest_until[i] = 0;
    return false;
}

static unsigned poll_port(struct worker *w, unsigned i)
{
    struct dp_port *port = w->ports[i];
    struct packet *batch[BATCH];
    uint64_t walk_cycles = w->stats.walk_cycles;
    unsigned n = port->class->rx(port, w, batch);
    if (n) {
        worker_process(w, port, batch, n);
        port->hot = HOT;
        if (unlikely(w->stats.walk_cycles != walk_cycles) && !w->dp->inline_worker)
            rest(w, i, w->stats.walk_cycles - walk_cycles);
    } else if (port->hot && port->rx_fd >= 0) {
        port->hot--;
    }
    return n;
}

static uint64_t begin(struct worker *w)
{
    /* In this order: see dp_forget(). */
    w->generation = load_acquire(&w->dp->generation);
    w->flushes = load_acquire(&w->dp->flushes);
    uint64_t now = cycles();
    if (w->dp->inline_worker || now - w->clock_at >= CLOCK_EVERY) {
        msec_t msec = clock_msec();
        w->clock_at = now;
        if (msec != w->now) {
            tally_fold(w);
            w->now = msec;
        }
    }
    run_commands(w);
    return now;
}

unsigned worker_iterate(struct worker *w)
{
    unsigned received = 0, n_busy = 0;
    uint64_t now = begin(w);
    if (w->dp->inline_worker || (w->n_cold && now - w->looked_at >= (w->n_busy ? LOOK_EVERY : LOOK_EVERY_IDLE))) {
        w->looked_at = now;
        look(w, 0);
    }
    w->n_cold = 0;
    for (unsigned i = 0; i < w->n_ports; i++) {
        struct dp_port *port = w->ports[i];
        if (!port->hot && port->rx_fd >= 0) {
            w->n_cold++;
        } else if (!resting(w, i)) {
            unsigned n = poll_port(w, i);
            received += n;
            n_busy += n > 0;
        }
    }
    w->n_busy = n_busy;
    if (unlikely(w->shapers))
        shapers_run(w);
    if (!received || w->dp->inline_worker)
        tally_fold(w);
    cache_reap(w->cache);
    return received;
}

void worker_wait_commands(struct worker *w)
{
    for (unsigned i = 0; load_acquire(&w->n_done) < w->n_queued; i++) {
        if (w->dp->inline_worker) {
            begin(w);
            cache_reap(w->cache);
        } else if (i < 64) {
            sched_yield();
        } else {
            usleep(20);
        }
    }
}

/* If somebody waits for it: see dp_synchronize(). */
static void quiescent(struct worker *w)
{
    if (likely(!load_relaxed(&w->dp->synchronizing)))
        return;
    tally_fold(w);
    store_release(&w->n_quiet, w->n_quiet + 1);
    urcu_qsbr_quiescent_state();
}

/* Not while a port is hot: epoll may not know of it. Ports without a descriptor (a pcap file in a loop) are always. */
static bool may_sleep(const struct worker *w) { return w->n_cold == w->n_ports; }

/* Until epoll has something, or a queue's next packet is due: exact to less than epoll's milliseconds. */
static void doze(struct worker *w)
{
    int64_t wait = w->shapers ? shapers_wait(w) : INT64_MAX;
    if (wait == INT64_MAX) {
        look(w, -1);
    } else if (wait > 0) {
        struct pollfd fd = {.fd = w->epoll, .events = POLLIN};
        struct timespec t = {wait / 1000000000, wait % 1000000000};
        ppoll(&fd, 1, &t, NULL);
        look(w, 0);
    }
}

static void sleep_until_something(struct worker *w)
{
    stat_add(&w->stats.sleeps, 1);
    tally_fold(w);
    store_release(&w->n_quiet, w->n_quiet + 1);
    urcu_qsbr_thread_offline();
    __atomic_store_n(&w->sleeping, true, __ATOMIC_SEQ_CST);
    if (!__atomic_load_n(&w->commands, __ATOMIC_SEQ_CST) && !load_acquire(&w->stop))
        doze(w);
    w->looked_at = cycles(); /* first to those who have woken us */
    __atomic_store_n(&w->sleeping, false, __ATOMIC_SEQ_CST);
    urcu_qsbr_thread_online();
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    char name[16];
    snprintf(name, sizeof name, "xvs-worker%u", w->index);
    pthread_setname_np(pthread_self(), name);
    /* Packets wait for this thread, and it sleeps when there are none. Without the right to it, it goes on as it is. */
    setpriority(PRIO_PROCESS, (id_t)gettid(), WORKER_NICE);
    urcu_qsbr_register_thread();
    int64_t quiet_since = clock_nsec();
    uint64_t last = cycles();
    while (!load_acquire(&w->stop)) {
        unsigned received = worker_iterate(w);
        quiescent(w);
        /* From iteration to iteration, so that nothing of what packets cost is left out. */
        uint64_t until = cycles(), took = until - last;
        last = until;
        if (received) {
            stat_add(&w->stats.busy_cycles, took);
            quiet_since = 0;
            continue;
        }
        int64_t now = clock_nsec();
        if (!quiet_since) {
            quiet_since = now;
        } else if (now - quiet_since > SPIN_NSEC && may_sleep(w)) {
            sleep_until_something(w);
            quiet_since = 0;
            last = cycles();
        }
    }
    urcu_qsbr_unregister_thread();
    return NULL;
}

struct worker *worker_create(struct dp *dp, unsigned index)
{
    struct worker *w = xzalloc_line(sizeof *w);
    w->dp = dp;
    w->index = index;
    w->now = clock_msec();
    pool_init(&w->pool);
    w->cache = cache_create(w);
    w->again = xmalloc(MAX_AGAIN * sizeof *w->again);
    w->counted = xmalloc(MAX_COUNTED * sizeof *w->counted);
    w->dirty = xmalloc(DP_MAX_PORTS * sizeof *w->dirty);
    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    w->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert(w->epoll >= 0 && w->event_fd >= 0);
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->event_fd, &ev);
    return w;
}

void worker_start(struct worker *w)
{
    sigset_t all, old;
    sigfillset(&all); /* signals are main's */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int error = pthread_create(&w->thread, NULL, worker_main, w);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    assert(!error);
}

void worker_pin(struct worker *w, const cpu_set_t *cpus)
{
    if (!w->dp->inline_worker)
        pthread_setaffinity_np(w->thread, sizeof *cpus, cpus);
}

void worker_destroy(struct worker *w)
{
    if (!w->dp->inline_worker) {
        store_release(&w->stop, true);
        eventfd_write(w->event_fd, 1);
        pthread_join(w->thread, NULL);
    }
    run_commands(w);
    assert(!w->n_counted);
    cache_destroy(w->cache);
    punt_ring_destroy(w->dp, w->no_port);
    punt_memory_destroy(w->punt_memory);
    pool_destroy(&w->pool);
    close(w->epoll);
    close(w->event_fd);
    free(w->ports);
    free(w->rest_until);
    free(w->dirty);
    free(w->again);
    free(w->counted);
    free(w);
}
