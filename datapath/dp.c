/* dp.c: the datapath as a whole, its bridges, and the grace periods. */
#include "config.h"
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <urcu/urcu-qsbr.h>
#include "base/log.h"
#include "base/mem.h"
#include "datapath/closer.h"
#include "datapath/queue.h"
#include "datapath/tally.h"
#include "datapath/worker.h"
#include "packet/parse.h"

LOG_MODULE(datapath);

struct deferred {
    struct deferred *next;
    void (*fn)(void *);
    void *arg;
};

/* --- life --- */

static unsigned count_workers(int wanted)
{
    if (wanted >= 0)
        return wanted;
    long n = sysconf(_SC_NPROCESSORS_ONLN) - 1;
    return n < 1 ? 1 : n;
}

struct dp *dp_create(const struct dp_config *config, const struct dp_callbacks *callbacks)
{
    struct dp *dp = xzalloc_line(sizeof *dp);
    dp->config = *config;
    dp->callbacks = *callbacks;
    dp->n_workers = count_workers(config->workers);
    dp->inline_worker = !dp->n_workers;
    dp->n_workers = MAX(dp->n_workers, 1);
    dp->generation = 1;
    dp->next_port = 1;
    dp->epoll = epoll_create1(EPOLL_CLOEXEC);
    dp->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert(dp->epoll >= 0 && dp->wake_fd >= 0);
    dp_watch(dp, dp->wake_fd, true);
    dp->workers = xcalloc(dp->n_workers, sizeof *dp->workers);
    for (unsigned i = 0; i < dp->n_workers; i++)
        dp->workers[i] = worker_create(dp, i);
    if (dp->inline_worker)
        dp_watch(dp, dp->workers[0]->epoll, true);
    else
        for (unsigned i = 0; i < dp->n_workers; i++)
            worker_start(dp->workers[i]);
    dp->tunnels = tunnels_create(dp);
    return dp;
}

static void run_deferred(struct dp *dp)
{
    struct deferred *list = dp->deferred, *in_order = NULL;
    dp->deferred = NULL;
    for (struct deferred *next; list; list = next) {
        next = list->next;
        list->next = in_order;
        in_order = list;
    }
    for (struct deferred *next; in_order; in_order = next) {
        next = in_order->next;
        in_order->fn(in_order->arg);
        free(in_order);
    }
}

void dp_destroy(struct dp *dp)
{
    tunnels_destroy(dp->tunnels);
    dp->tunnels = NULL;
    for (uint32_t i = 0; i < DP_MAX_PORTS; i++)
        assert(!dp->ports[i]);
    for (unsigned i = 0; i < DP_MAX_BRIDGES; i++)
        assert(!dp->bridges[i]);
    dp_synchronize(dp);
    for (unsigned i = 0; i < dp->n_workers; i++)
        worker_destroy(dp->workers[i]);
    while (dp->deferred)
        run_deferred(dp);
    closer_wait();
    free(dp->workers);
    close(dp->epoll);
    close(dp->wake_fd);
    free(dp);
}

/* --- main's loop --- */

void dp_settle(struct dp *dp UNUSED) { closer_wait(); }

int dp_fd(struct dp *dp) { return dp->epoll; }

void dp_watch(struct dp *dp, int fd, bool on)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(dp->epoll, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, fd, &ev);
}

void dp_wake(struct dp *dp)
{
    if (!__atomic_exchange_n(&dp->woken, true, __ATOMIC_SEQ_CST))
        eventfd_write(dp->wake_fd, 1);
}

void dp_run(struct dp *dp)
{
    eventfd_t value;
    eventfd_read(dp->wake_fd, &value);
    __atomic_store_n(&dp->woken, false, __ATOMIC_SEQ_CST);
    if (dp->inline_worker)
        worker_iterate(dp->workers[0]);
    tunnels_run(dp);
    punts_run(dp);
    ports_run(dp);
    if (dp->deferred) {
        dp_synchronize(dp);
        run_deferred(dp);
    }
}

msec_t dp_wake_at(struct dp *dp)
{
    int64_t wait = dp->inline_worker ? shapers_wait(dp->workers[0]) : INT64_MAX;
    msec_t queues = wait == INT64_MAX ? INT64_MAX : clock_msec() + (wait + 999999) / 1000000;
    return MIN(tunnels_wake_at(dp), queues);
}

/* --- grace periods and generations --- */

void dp_synchronize(struct dp *dp)
{
    for (unsigned i = 0; i < dp->n_workers; i++)
        worker_wait_commands(dp->workers[i]);
    if (dp->inline_worker) {
        tally_fold(dp->workers[0]);
        return;
    }
    /* Workers pass quiescent states only while this says that one is waited for: they fold their counters before each. */
    __atomic_store_n(&dp->synchronizing, true, __ATOMIC_SEQ_CST);
    urcu_qsbr_synchronize_rcu();
    store_relaxed(&dp->synchronizing, false);
    for (unsigned i = 0; i < dp->n_workers; i++)
        (void)load_acquire(&dp->workers[i]->n_quiet); /* for ThreadSanitizer */
}

void dp_defer(struct dp *dp, void (*fn)(void *), void *arg)
{
    struct deferred *d = xmalloc(sizeof *d);
    *d = (struct deferred){dp->deferred, fn, arg};
    dp->deferred = d;
    dp_wake(dp);
}

void dp_bump(struct dp *dp, struct dp_gen *gen)
{
    __atomic_add_fetch(&gen->n, 1, __ATOMIC_RELEASE);
    __atomic_add_fetch(&dp->generation, 1, __ATOMIC_RELEASE);
}

void dp_forget(struct dp *dp)
{
    __atomic_add_fetch(&dp->flushes, 1, __ATOMIC_RELEASE);
    __atomic_add_fetch(&dp->generation, 1, __ATOMIC_RELEASE);
}

/* --- bridges --- */

struct dp_bridge *bridge_create(struct dp *dp, const char *name, void *aux,
                                void (*walk)(void *aux, const struct flow_key *, struct dp_path *))
{
    unsigned i = 0;
    while (i < DP_MAX_BRIDGES && dp->bridges[i])
        i++;
    if (i == DP_MAX_BRIDGES) {
        log_err("%s: there are %u bridges already", name, DP_MAX_BRIDGES);
        return NULL;
    }
    struct dp_bridge *b = xzalloc(sizeof *b);
    *b = (struct dp_bridge){
        .dp = dp, .name = xstrdup(name), .aux = aux, .index = i, .serial = ++dp->next_serial, .walk = walk};
    return dp->bridges[i] = b;
}

struct dp_bridge *dp_bridge_create(struct dp *dp, const char *name, void *aux)
{
    return bridge_create(dp, name, aux, dp->callbacks.walk);
}

struct dp_bridge *bridge_by_name(struct dp *dp, const char *name)
{
    for (unsigned i = 0; i < DP_MAX_BRIDGES; i++)
        if (dp->bridges[i] && !strcmp(dp->bridges[i]->name, name))
            return dp->bridges[i];
    return NULL;
}

void dp_bridge_destroy(struct dp_bridge *b)
{
    struct dp *dp = b->dp;
    assert(!b->n_ports);
    dp->bridges[b->index] = NULL;
    dp_forget(dp);
    dp_synchronize(dp);
    punts_discard(dp, b);
    free(b->name);
    free(b);
}

void *dp_bridge_aux(const struct dp_bridge *b) { return b->aux; }
bool dp_has_tunnels(struct dp_bridge *b) { return load_relaxed(&b->n_tunnels) > 0; }

/* --- packets of main's --- */

void dp_execute_packet(struct dp *dp, const struct packet *p, const struct dp_path *path)
{
    worker_execute(dp->workers[0], p, path);
}

void dp_execute(struct dp *dp, const void *frame, size_t len, const struct packet *meta, const struct dp_path *path)
{
    struct packet p;
    struct flow_key key;
    if (len < 14 || len > PACKET_MAX)
        return; /* ofproto refuses them with an error that says more */
    packet_init(&p, (uint8_t *)frame, len, 0, len);
    p.port = DP_NO_PORT;
    if (meta) {
        p.port = meta->port;
        p.tun = meta->tun;
        p.in_phy_port = meta->in_phy_port;
        p.depth = meta->depth;
    }
    key_parse(&p, 0, L_ETH, &key); /* notes where the headers are */
    worker_execute(dp->workers[0], &p, path);
}

/* --- statistics --- */

int dp_worker_count(struct dp *dp) { return dp->inline_worker ? 0 : (int)dp->n_workers; }

bool dp_workers_pin(struct dp *dp, const unsigned cpus[], size_t n, struct diag *d)
{
    cpu_set_t usable, set;
    CPU_ZERO(&usable);
    sched_getaffinity(0, sizeof usable, &usable); /* main's, which is never pinned */
    for (size_t i = 0; i < n; i++)
        if (cpus[i] >= CPU_SETSIZE || !CPU_ISSET(cpus[i], &usable))
            return diag_fail(d, 0, 0, "there is no processor %u that this process may use", cpus[i]);
    for (unsigned i = 0; i < dp->n_workers; i++) {
        CPU_ZERO(&set);
        if (n)
            CPU_SET(cpus[i % n], &set);
        worker_pin(dp->workers[i], n ? &set : &usable);
    }
    return true;
}

void dp_worker_get_stats(struct dp *dp, int worker, struct dp_worker_stats *to)
{
    const struct dp_worker_stats *s = &dp->workers[worker]->stats;
    *to = (struct dp_worker_stats){
        .packets = stat_read(&s->packets),
        .batches = stat_read(&s->batches),
        .busy_cycles = stat_read(&s->busy_cycles),
        .cache_hits = stat_read(&s->cache_hits),
        .cache_misses = stat_read(&s->cache_misses),
        .walks = stat_read(&s->walks),
        .walk_cycles = stat_read(&s->walk_cycles),
        .cache_entries = stat_read(&s->cache_entries),
        .sleeps = stat_read(&s->sleeps),
        .ports = stat_read(&s->ports),
    };
}

/* The caches belong to the workers: main asks each to tell, and waits. */
struct show_command {
    struct command c;
    struct buf *out;
};

static void run_show(struct worker *w, struct command *c)
{
    struct buf *out = ((struct show_command *)c)->out;
    buf_printf(out, "worker %u: ", w->index);
    cache_show(w->cache, out);
    free(c);
}

void dp_show_cache(struct dp *dp, struct buf *out)
{
    for (unsigned i = 0; i < dp->n_workers; i++) {
        struct show_command *c = xmalloc(sizeof *c);
        *c = (struct show_command){{NULL, run_show}, out};
        worker_command(dp->workers[i], &c->c);
        worker_wait_commands(dp->workers[i]);
    }
}
