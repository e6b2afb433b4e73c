/* dp.h: the datapath's only door.
 *
 * Packets come in by ports, are looked up in the flow cache, on a miss walked through their bridge's pipeline by a
 * callback, and the primitive actions (packet/dpact.h) that the walk collected are executed.
 *
 * Threads: "main" is the one thread that calls the users' half; workers run inside and call walk() of the implementers'
 * half. With config.workers == 0 there are no threads: dp_run() does all the work, for tests and simulation.
 *
 * ==== For users (main thread) ==== */
#ifndef DATAPATH_DP_H
#define DATAPATH_DP_H 1

#include "base/buf.h"
#include "base/clock.h"
#include "base/diag.h"
#include "packet/dpact.h"
#include "packet/packet.h"
#include "packet/view.h"

struct dp;
struct dp_port;
struct dp_bridge;
struct dp_callbacks;
struct dp_path;

enum drop_reason {
#define DROP(id, name, sentence, hint) DROP_##id,
#include "datapath/drop.def"
#undef DROP
    N_DROPS
};
struct drop_info {
    const char *name, *sentence, *hint;
};
extern const struct drop_info drop_infos[N_DROPS];

enum { DP_MAX_PORTS = 4096, DP_NO_PORT = 0xffff };

/* --- The datapath --- */

struct dp_config {
    int workers; /* threads; 0: none, dp_run() works; -1: as many as processors less one, at least one */
    bool no_netlink; /* tests: no kernel routes, neighbours, links */
};

/* Starts the workers: a daemon forks before. */
struct dp *dp_create(const struct dp_config *, const struct dp_callbacks *callbacks);
void dp_destroy(struct dp *); /* ports and bridges must be gone */

/* Readable when dp_run() has something to do. dp_run() handles what workers punted, netlink news, packets that waited
 * for neighbours, timers; bounded work, never blocks. dp_wake_at(): when it wants to be called though the fd is quiet. */
int dp_fd(struct dp *);
void dp_run(struct dp *);
msec_t dp_wake_at(struct dp *);

/* Returns when every worker has passed a quiescent state and has executed every packet given to dp_execute() before:
 * what was unpublished before the call is in no worker's hands any more. Tens of microseconds. */
void dp_synchronize(struct dp *);
/* Returns when what deleted ports had open is closed: the devices of internal ports are gone, the host's stack has the
 * others back. They are closed side by side, since each takes the kernel 10 ms and more. */
void dp_settle(struct dp *);
void dp_defer(struct dp *, void (*fn)(void *), void *arg); /* calls fn(arg) on main after a later grace period */

/* --- Generations ---
 * Whatever a walk's outcome depends on, other than the packet, has a generation: a flow table, a group, an entry of a
 * MAC table, a port's state. Who changes the thing calls dp_bump() after the change is visible; cached paths that
 * noted the generation (dp_path_dep) are walked anew on their next packet, and no others. */
struct dp_gen {
    uint32_t n; /* atomic */
};
void dp_bump(struct dp *, struct dp_gen *);
/* Before the memory of a dp_gen goes: (1) its owner is unpublished, so that no new walk can note it, (2) dp_forget():
 * what was cached before is walked anew and its dependencies are not looked at, (3) dp_defer() or dp_synchronize(),
 * (4) free. It costs every flow one walk, so it is for ports and bridges, not for rules: keep generations in memory
 * that stays (a table's, a hash bucket's). dp_port_del() and dp_bridge_destroy() do (2) and (3) themselves. */
void dp_forget(struct dp *);

/* --- Counters ---
 * One slot a worker, summed on read; a busy worker's packets get there within a millisecond. Allocate with
 * dp_tally_size(); exact once traffic stops and dp_synchronize() has returned. `used`: clock_msec() of the last packet, 0
 * if none. */
struct dp_tally {
    struct dp_tally_slot {
        uint64_t packets, bytes;
        msec_t used;
    } slot[1];
};
size_t dp_tally_size(struct dp *); /* ≥ sizeof(struct dp_tally) */
void dp_tally_read(struct dp *, const struct dp_tally *, uint64_t *packets, uint64_t *bytes, msec_t *used);
void dp_tally_reset(struct dp *, struct dp_tally *);

/* --- Meters (OpenFlow 1.3.5, 5.7) ---
 * A DPACT_METER measures packets by one. Before dp_meter_free(), what leads to the meter is unpublished and its generation
 * bumped, and a grace period passes: dp_defer(dp, dp_meter_free, meter). */
struct dp_meter;
struct dp_meter_config {
    bool packets; /* rates in packets a second, bursts in packets; else kilobits, of frames without their checksum */
    bool burst;   /* the bands' bursts count, if not 0; else they are what comes in 100 ms */
    unsigned n_bands;
    const struct dp_meter_band {
        uint32_t rate, burst; /* rate > 0 */
        uint8_t remark;       /* by how much the drop precedence is raised (RFC 2597); 0: drop */
    } *bands;
};
struct dp_meter *dp_meter_create(struct dp *, const struct dp_meter_config *);
/* Other bands, whose counters begin at zero, at once; what came in goes on being counted. */
void dp_meter_configure(struct dp *, struct dp_meter *, const struct dp_meter_config *);
void dp_meter_free(void *meter);
/* What came in, and what a band (in the order of the configuration) was applied to; exact as tallies are. */
void dp_meter_read(struct dp *, const struct dp_meter *, uint64_t *packets, uint64_t *bytes);
void dp_meter_read_band(struct dp *, const struct dp_meter *, unsigned band, uint64_t *packets, uint64_t *bytes);
/* A DSCP whose drop precedence is raised; of other classes than RFC 2597's the same. */
unsigned dp_dscp_remarked(unsigned dscp, unsigned by);

/* --- Bridges --- */

struct dp_bridge *dp_bridge_create(struct dp *, const char *name, void *aux /* given to the callbacks */);
void dp_bridge_destroy(struct dp_bridge *); /* its ports must be gone */
void *dp_bridge_aux(const struct dp_bridge *);

/* --- Ports --- */

struct dp_option {
    const char *name, *value;
};
struct dp_port_config {
    const char *name;
    const char *type; /* "system" (AF_PACKET or AF_XDP), "internal" (TAP), "pcap", "null", "sim", "gre" */
    const struct dp_option *options;
    size_t n_options;
    bool local;       /* internal: the bridge's LOCAL port; tunnels end and begin behind it */
    uint8_t mac[6];   /* internal: wanted address, zeros: one of the datapath's choice */
};

/* Checks a configuration against the port type's options and the existing ports, and changes nothing. d->at and len
 * point into the value of option *bad_option (an index, or -1 if it is not one option's fault). `except`: a port that
 * is to be replaced, or NULL. */
bool dp_port_validate(struct dp *, const struct dp_port_config *, const struct dp_port *except, int *bad_option,
                      struct diag *d);

/* Opens a port and hands it to a worker. `ofport` is what packets carry as in_port. A system interface that does not
 * exist is no failure: the port waits for it and reports through port_changed(). An internal port makes its device,
 * which must not exist yet, and brings it up. On failure NULL, and why in d. */
struct dp_port *dp_port_add(struct dp_bridge *, const struct dp_port_config *, uint32_t ofport, void *aux, struct diag *d);
bool dp_port_reconfigure(struct dp_port *, const struct dp_port_config *, struct diag *d); /* same name and type */
void dp_port_del(struct dp_port *); /* the caller has unpublished what of its own leads to it */
/* Another in_port for its packets. The device stays open; no packet with the old number is under way when it returns. */
void dp_port_set_ofport(struct dp_port *, uint32_t ofport);

enum { DP_PORT_UP = 1 /* administratively */, DP_PORT_RUNNING = 2 /* carrier */, DP_PORT_PRESENT = 4 /* the device is there */ };
struct dp_port_info {
    uint32_t id; /* datapath port number, as in DPACT_OUTPUT */
    const char *name, *type;
    bool tunnel;
    unsigned flags; /* DP_PORT_… */
    uint8_t mac[6];
    uint32_t mtu, ifindex, speed_mbps /* 0: unknown */;
    const char *error; /* why it does not work, or "" */
    struct buf *status; /* if the caller set it: tunnels append "name=value\n" lines (route, nexthop, source, mtu, …) */
};
struct dp_port_stats {
    uint64_t rx_packets, rx_bytes, rx_dropped, rx_errors, tx_packets, tx_bytes, tx_dropped, tx_errors;
};
void dp_port_get_info(const struct dp_port *, struct dp_port_info *);
void dp_port_get_stats(const struct dp_port *, struct dp_port_stats *);
bool dp_port_set_up(struct dp_port *, bool up); /* administratively; system and internal ports */
uint32_t dp_port_id(const struct dp_port *);
uint32_t dp_port_ofport(const struct dp_port *);
void *dp_port_aux(const struct dp_port *);
struct dp_bridge *dp_port_bridge(const struct dp_port *);
struct dp_port *dp_port_by_id(struct dp *, uint32_t id); /* NULL; also inside a walk */

/* --- Queues: shaping of what a port sends (OpenFlow 1.3.5, 7.2.2) ---
 * Rates count whole frames without their checksum; what queue.c says of who goes first is normative. A port with a rate or
 * a queue has queue 0, to which everything goes that is sent to no queue or to one that is not there. */
enum { DP_MAX_QUEUES = 64 };
struct dp_queue_config {
    uint32_t id, priority;       /* the lowest priority number first */
    uint64_t min_rate, max_rate; /* bits a second, 0: none. min is kept if the port has a rate, and it suffices for all mins */
    uint64_t burst;              /* bytes, 0: what max_rate (or the port's) gives in 10 ms; at least two frames */
};
struct dp_shape_config {
    uint64_t max_rate, burst; /* of all queues together */
    unsigned n_queues;        /* less than DP_MAX_QUEUES; their ids differ */
    const struct dp_queue_config *queues;
};
struct dp_queue_info {
    struct dp_queue_config config;
    uint64_t tx_packets, tx_bytes, tx_errors /* dropped, as too many waited */, backlog /* bytes that wait */;
    msec_t created;
};
bool dp_port_shapes(const struct dp_port *); /* can it? Tunnels cannot, what they send leaves by other ports */
/* From now on; queues that were there keep counters and what waits. Neither rate nor queues: no shaping. */
void dp_port_shape(struct dp_port *, const struct dp_shape_config *);
/* How many; *rate: the port's, or of its link, 0 if unknown. */
unsigned dp_port_get_queues(const struct dp_port *, uint64_t *rate, struct dp_queue_info[DP_MAX_QUEUES]);

/* For "sim" ports: a packet as if received; what was sent is given to the callback set here. */
void dp_sim_receive(struct dp_port *, const void *frame, size_t len);
void dp_sim_on_transmit(struct dp_port *, void (*fn)(struct dp_port *, const struct packet *, void *aux), void *aux);

/* --- Packets from main --- */

/* Executes a path on a frame that main made or got (packet-out, answers). The frame is copied; the path is the
 * caller's; its tallies must live until dp_synchronize() has returned (dp_defer() sees to that). meta->port: the
 * datapath port that the frame counts as having come in by, DP_NO_PORT if none. */
void dp_execute(struct dp *, const void *frame, size_t len, const struct packet *meta /* tun, in_phy_port; or NULL */,
                const struct dp_path *);

/* --- What happened to packets --- */

struct dp_drop_row {
    enum drop_reason reason;
    uint64_t packets;
    char last[256]; /* the latest one in words: port, addresses, key, nearest port; "" if none was sampled */
    int64_t last_wall_msec;
};
size_t dp_drops(struct dp *, struct dp_drop_row rows[N_DROPS]); /* those that are not zero, most first */
void dp_drops_reset(struct dp *);

struct dp_worker_stats {
    uint64_t packets, batches, busy_cycles, cache_hits, cache_misses, walks, walk_cycles, cache_entries, sleeps;
    uint32_t ports;
};
int dp_worker_count(struct dp *);
/* From now on worker i runs on processor cpus[i mod n] alone; n = 0: on all those that the process may use. False: the
 * process may not use one of them; d says which, and nothing has changed. */
bool dp_workers_pin(struct dp *, const unsigned cpus[], size_t n, struct diag *d);
void dp_worker_get_stats(struct dp *, int worker, struct dp_worker_stats *);

/* Text for people and tests. */
void dp_show_cache(struct dp *, struct buf *out);
void dp_show_tunnels(struct dp *, struct buf *out);

/* ==== For implementers: what the datapath asks of ofproto ==== */

/* What a walk leaves behind. Kept by the cache, and used by dp_execute(). */
struct dp_path {
    struct buf acts;              /* primitive actions */
    struct flow_key consulted;    /* view.consulted at the end of the walk */
    struct dp_dep {
        const struct dp_gen *gen;
        uint32_t seen;
    } *deps;
    struct dp_tally **tallies;    /* counters of the rules, groups, MAC entries that the packet met */
    uint32_t n_deps, a_deps, n_tallies, a_tallies;
    enum drop_reason drop;        /* if no action does anything with the packet: why. Counted behind the last action
                                     also when there are some (a PUNT_LEARN_MAC of a packet that goes nowhere) */
    bool uncacheable;             /* a bound was hit, or the outcome is for this packet only */
    const struct packet *packet;  /* in: whose key it is, if the caller has it; else NULL. For what only it knows: what is
                                     behind a header that an action takes away. Such a path is uncacheable */
};
void dp_path_init(struct dp_path *);
void dp_path_clear(struct dp_path *); /* for reuse */
void dp_path_free(struct dp_path *);
/* Notes that the outcome depends on *gen. Call it before reading the thing. Noting one twice is cheap. */
void dp_path_dep(struct dp_path *, const struct dp_gen *gen);
void dp_path_tally(struct dp_path *, struct dp_tally *);

struct dp_callbacks {
    /* Worker, RCU read side, or main: walks a packet with this key through the bridge's pipeline. No side effects. */
    void (*walk)(void *bridge_aux, const struct flow_key *, struct dp_path *);
    /* The same, from "output to this port" on: a packet that waited for a neighbour goes on. Main. */
    void (*walk_output)(void *bridge_aux, struct dp_port *, const struct flow_key *, struct dp_path *);
    /* Main, from dp_run(): a packet (or its first max_len bytes; `total` was its length) punted by an action that names
     * this bridge (struct dpact_punt). All offloads are finished; of a super-segment each segment is punted alone. */
    void (*punt)(void *bridge_aux, uint32_t kind, const void *blob, size_t blob_len, const struct packet *, size_t total);
    /* Main, from dp_run(): the port's state changed (link, device gone or back, MAC, MTU, tunnel's route). */
    void (*port_changed)(void *bridge_aux, struct dp_port *);
};

/* --- Tunnels, inside a walk --- */

enum dp_tunnel_result {
    TUNNEL_NONE,   /* decap: not a tunnel packet of ours: go on as with any other */
    TUNNEL_DONE,   /* actions were appended; nothing more to do (sent out of an interface, held, popped, or dropped:
                      then *drop says why) */
    TUNNEL_BRIDGE, /* encap: the outer packet enters bridge *bridge by its LOCAL port: walk on there with *outer, and
                      nest what follows (the push is already in path->acts) */
};

/* Output to tunnel port `port` of a packet that looks as v says: reads tun_id etc. through v, notes what it depends on,
 * appends TUN_PUSH and so on. The caller has opened a clone if other actions follow. */
enum dp_tunnel_result dp_tunnel_encap(struct dp_port *port, struct flow_view *v, struct dp_path *,
                                      struct flow_view *outer, struct dp_bridge **bridge, enum drop_reason *drop);

/* Delivery to LOCAL port `local`: is it a tunnel packet that ends here? */
enum dp_tunnel_result dp_tunnel_decap(struct dp_port *local, struct flow_view *v, struct dp_path *, struct dp_port **port,
                                      enum drop_reason *drop);

bool dp_has_tunnels(struct dp_bridge *); /* any tunnel port in this bridge */

#endif
