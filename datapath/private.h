/* private.h: the inside of the datapath, shared by the files of this folder and of tunnel/ and netlink/.
 *
 * main:   dp, bridges and ports are its own; what workers read of them is published under RCU or is an atomic.
 * worker: everything that hangs on struct worker; main looks at its counters only. */
#ifndef DATAPATH_PRIVATE_H
#define DATAPATH_PRIVATE_H 1

#include <pthread.h>
#include "datapath/dp.h"
#include "datapath/port.h"

struct cache;
struct command;
struct deferred;
struct netlink;
struct punt;
struct tunnels;
struct worker;

enum { DP_MAX_BRIDGES = 1024, MAX_DEPTH = 8 /* lookups of one packet */ };

/* Counters that one thread writes and others read. */
#define stat_add(P, N) __atomic_store_n((P), *(P) + (N), __ATOMIC_RELAXED)
#define stat_set(P, N) __atomic_store_n((P), (N), __ATOMIC_RELAXED)
#define stat_read(P) __atomic_load_n((P), __ATOMIC_RELAXED)
#define load_relaxed(P) __atomic_load_n((P), __ATOMIC_RELAXED)
#define store_relaxed(P, V) __atomic_store_n((P), (V), __ATOMIC_RELAXED)
#define load_acquire(P) __atomic_load_n((P), __ATOMIC_ACQUIRE)
#define store_release(P, V) __atomic_store_n((P), (V), __ATOMIC_RELEASE)

struct dp_bridge {
    struct dp *dp;
    char *name;
    void *aux;
    unsigned index;  /* in dp.bridges; workers keep a cache's state by it */
    uint32_t serial; /* another one for each bridge that ever was */
    /* Worker or main: the callback of dp_callbacks, or for the tunnels' own pseudo-bridge theirs. */
    void (*walk)(void *aux, const struct flow_key *, struct dp_path *);
    struct dp_port *local; /* or NULL. RCU */
    unsigned n_ports;
    unsigned n_tunnels; /* tunnel ports, atomic */
};

struct dp {
    struct dp_config config;
    struct dp_callbacks callbacks;
    struct worker **workers;
    unsigned n_workers; /* ≥ 1: without threads, worker 0 runs in dp_run() */
    bool inline_worker;

    uint64_t generation; /* atomic: bumped after every dp_gen */
    uint64_t flushes;    /* atomic: dp_forget() */
    bool synchronizing;  /* atomic: main waits for quiescent states */

    struct dp_port *ports[DP_MAX_PORTS]; /* RCU, by id */
    struct dp_bridge *bridges[DP_MAX_BRIDGES];
    uint32_t ports_end; /* behind the highest id in use */
    uint32_t next_port, next_owner, next_serial;

    int epoll;   /* dp_fd(): everything below */
    int wake_fd; /* eventfd: workers → main */
    bool woken;  /* atomic: wake_fd is written already */
    struct deferred *deferred;
    bool ports_changed; /* main's: some port.changed */
    bool ports_in_trouble; /* atomic: some port.trouble */
    uint64_t drops_base[N_DROPS]; /* dp_drops_reset() */
    struct dp_drop_last {
        char text[256];
        int64_t wall_msec;
    } drop_last[N_DROPS];
    unsigned next_punt;           /* round robin over ports */

    struct tunnels *tunnels; /* datapath/tunnel's, and datapath/netlink's with it */
};

/* --- dp.c --- */
void dp_watch(struct dp *, int fd, bool on); /* dp_fd() becomes readable when fd is */
void dp_wake(struct dp *);                   /* any thread: dp_run() has something to do */

/* Executes a path on a packet that main kept: like dp_execute(), but offloads, depth and port of `p` go along. */
void dp_execute_packet(struct dp *, const struct packet *p, const struct dp_path *);

/* A port that belongs to the datapath, not to a user's bridge: the host's own interface, of which only IPv4 GRE is
 * received (and the host's stack gets all but that), and by which tunnel packets leave. `ofport` = its id. */
struct dp_port *port_add_underlay(struct dp_bridge *, const char *ifname, struct diag *d);
/* Likewise, of any class. */
struct dp_port *port_add_own(struct dp_bridge *, const struct port_class *, const char *name, struct diag *d);
/* Bridges with another walk. */
struct dp_bridge *bridge_create(struct dp *, const char *name, void *aux,
                                void (*walk)(void *aux, const struct flow_key *, struct dp_path *));
struct dp_bridge *bridge_by_name(struct dp *, const char *name);
struct dp_port *port_by_name(struct dp *, const char *name);     /* main */
struct dp_port *port_by_ifindex(struct dp *, uint32_t ifindex);  /* main; LOCAL, system or underlay port with this device */

/* Netlink's news of a link (also for each at the start). `gone`: it was deleted. Main. */
struct link_event {
    uint32_t ifindex, mtu;
    unsigned flags; /* IFF_UP, IFF_LOWER_UP, … */
    const char *name;
    uint8_t mac[6];
    bool gone;
};
void port_link_event(struct dp *, const struct link_event *);

/* --- worker.c: what actions need (worker) --- */

struct worker *worker_of_main(struct dp *); /* the inline worker */
unsigned worker_index(const struct worker *);

/* A packet from the pool with PACKET_HEADROOM in front, len 0; never NULL: if the pool is exhausted, what waits to be
 * sent is sent first. */
struct packet *packet_new(struct worker *);
struct packet *packet_copy(struct worker *, const struct packet *);
void packet_free(struct worker *, struct packet *);                    /* it was sent, or handed on */
void packet_drop(struct worker *, struct packet *, enum drop_reason);  /* the only other way to free it */
void drop_count(struct worker *, const struct packet *, enum drop_reason); /* a copy that was not even made */

/* ==== What datapath/tunnel and datapath/netlink give ==== */

struct tunnels *tunnels_create(struct dp *); /* with netlink, unless config.no_netlink */
void tunnels_destroy(struct tunnels *);
void tunnels_run(struct dp *);               /* main, from dp_run(); bounded, never blocks */
msec_t tunnels_wake_at(struct dp *);         /* INT64_MAX: never */
/* Main: a port has come, changed (flags, MAC, ifindex), or is about to go (`gone`: no worker will use it). */
void tunnels_port_changed(struct dp *, struct dp_port *, bool gone);

/* Worker. DPACT_HOLD, before the packet is handed to main: from here on the packets of this tunnel port keep their order.
 * Every packet for which it was called ends in tunnel_hold(), or in tunnel_hold_lost() (any thread) if it was dropped
 * on the way. `port`: the action's arg. */
void tunnel_hold_begin(struct dp *, uint32_t port);
void tunnel_hold_lost(struct dp *, uint32_t port);
/* Main, from dp_run(): a packet waits for a neighbour. The packet is the caller's, copy it; offloads as they were. */
void tunnel_hold(struct dp *, const struct dpact_hold *, const struct packet *);
/* Main: the words for a dropped packet (its first bytes), appended to what is known of any ("port, length"). */
void tunnel_explain_drop(struct dp *, enum drop_reason, const struct packet *, struct buf *out);

#endif
