/* port.h: where packets enter and leave the datapath.
 *
 * --- For users ---
 * A port belongs to one worker, its owner, which alone receives from it. Any worker may send to it, each over its own
 * queue and handle (struct port_worker), so that no packet changes threads.
 *
 * --- For implementers ---
 * struct port_class: one row in port_classes[] (port.c). What a class keeps of a port is port_private(), `size` bytes,
 * zeroed. */
#ifndef DATAPATH_PORT_H
#define DATAPATH_PORT_H 1

#include <net/if.h>
#include "datapath/dp.h"
#include "datapath/option.h"

struct worker;
struct punt_ring;
struct shaper;

/* What rx gives at once at most. Bytes: two or three super-segments, which are still in the processor's cache when they
 * are sent, and for which other ports do not wait long; the packet that passes the limit is the last. */
enum { BATCH = 32, BATCH_BYTES = 1 << 17 };

/* What one worker has of one port. Written by that worker only; counters are read by main (relaxed atomics). */
struct port_worker {
    struct packet *queue[BATCH]; /* to be sent at the end of the burst */
    unsigned n_queued;
    bool dirty;               /* listed in worker.dirty */
    struct shaper *shaper;    /* NULL: what is sent leaves at once. Atomic */
    int tx_fd;                /* the class's: -1 if it needs none */
    struct punt_ring *punts;  /* packets of this port for main; NULL: none yet. Atomic */
    uint64_t rx_packets, rx_bytes, rx_dropped, rx_errors, tx_packets, tx_bytes, tx_dropped, tx_errors;
} __attribute__((aligned(CACHE_LINE)));

struct port_class {
    const char *type;
    size_t size;
    const struct option_row *options;
    size_t n_options;
    bool tunnel;  /* its packets come and go through TUN_POP and TUN_PUSH: neither rx nor tx */
    bool offload; /* tx takes partial checksums and super-segments */

    /* Main; may block. */
    const struct port_class *(*variant)(const struct dp_port_config *); /* which of several classes of this type an
                                                                            option chooses; NULL: there is but one */
    bool (*validate)(struct dp *, const struct dp_port_config *, const struct dp_port *except, int *bad_option,
                     struct diag *d); /* beyond the options' rows; NULL: nothing more */
    bool (*open)(struct dp_port *, const struct dp_port_config *, struct diag *d);
    bool (*reconfigure)(struct dp_port *, const struct dp_port_config *, struct diag *d); /* NULL: cannot be */
    void (*close)(struct dp_port *); /* no worker uses it any more. Also after a failed open() */
    /* For devices that come and go: plug() takes hold of the one called port->name, and says in port->error why it
     * cannot; unplug() lets go. NULL: open() and close() do it all. */
    bool (*plug)(struct dp_port *);
    void (*unplug)(struct dp_port *);
    void (*get_info)(const struct dp_port *, struct dp_port_info *); /* NULL: nothing to add to what dp_port says */
    void (*get_stats)(const struct dp_port *, struct dp_port_stats *); /* likewise */
    bool (*set_up)(struct dp_port *, bool up);
    void (*busy)(struct dp_port *); /* the owner has called port_busy(); the device is there */

    /* The owner. Up to BATCH packets, BATCH_BYTES or so, from w's pool, `port` set; their number. Never blocks. NULL: nothing comes in. */
    unsigned (*rx)(struct dp_port *, struct worker *w, struct packet *batch[BATCH]);
    /* Any worker. Takes the packets: sent, or dropped with a reason. Never blocks. Counts what it sent. */
    void (*tx)(struct dp_port *, struct worker *w, struct packet *batch[], unsigned n);
};

struct dp_port {
    const struct port_class *class;
    struct dp *dp;
    struct dp_bridge *bridge;
    uint32_t id, ofport; /* ofport: host order, atomic */
    char *name;
    void *aux;
    bool local;
    struct worker *owner;
    unsigned hot; /* the owner's: polls left before it waits for epoll */
    bool attached; /* main's: a worker receives from it */
    bool changed;  /* main's: ofproto is to be told */

    /* The device, as last heard of. Written by main, read by workers (relaxed atomics). */
    unsigned flags; /* DP_PORT_… */
    uint32_t mtu;   /* of its IP packets; 0: no limit */
    uint32_t ifindex; /* 0: none */
    bool tunnelled; /* tx also takes super-segments inside a tunnel; changed while no worker looks */
    bool trouble;   /* set by a worker: the device refuses; main looks why */
    bool busy;      /* set by its owner: port_busy() */
    uint8_t mac[6];
    uint32_t speed_mbps;
    char *error; /* why it does not work, or NULL */

    struct shaper *shaper; /* main's */
    int rx_fd; /* what the owner waits for; -1: poll always */
    int rx_fd_bulk; /* and beside it; -1: nothing */
    void *tunnel; /* datapath/tunnel's, of LOCAL and underlay ports */
    struct port_worker *worker[]; /* one each; behind it, what the class keeps: port_private() */
};

extern const struct port_class *const port_classes[];
extern const size_t n_port_classes;
const struct port_class *port_class_by_type(const char *type);

/* A device of the host's, whatever class serves it. */
static inline bool port_is_system(const struct dp_port *port) { return !strcmp(port->class->type, "system"); }

/* What the class keeps, its `size` bytes. */
void *port_private(const struct dp_port *);

/* Main. A worker begins or stops to receive from it and to send to it; stop returns when no worker uses it any more. */
void port_start(struct dp_port *);
void port_stop(struct dp_port *);
void port_fail(struct dp_port *, const char *format, ...) PRINTF(2, 3); /* sets port->error */
void port_ok(struct dp_port *);      /* clears it */
void port_changed(struct dp_port *); /* ofproto and the tunnels are told from dp_run() */
void ports_run(struct dp *);         /* that is where */
/* Reads flags, MAC, MTU, ifindex, speed of the device called port->name. False if there is none. */
bool port_read_device(struct dp_port *);
bool device_set_up(const char *ifname, bool up); /* false and errno */
bool device_is_ethernet(const char *ifname);
bool device_name_ok(const char *name, struct diag *); /* as Linux wants it */
bool device_set_mac(const char *ifname, const uint8_t mac[6]);

/* Worker: the device answered with this errno. */
void port_trouble(struct dp_port *, struct worker *, int error);
/* Worker: main is to call the class's busy(). */
void port_busy(struct dp_port *);

/* Tests: a packet with offloads, as if received by a sim port. */
void port_sim_receive_packet(struct dp_port *, const struct packet *);

/* An internal port's device is out of sight, but its other end is still ours: it was moved into another network namespace
 * (containers get their interfaces so) or renamed. */
bool tap_lives_elsewhere(const struct dp_port *);

#define PORT_CLASS(NAME) extern const struct port_class NAME
PORT_CLASS(port_system_class);
PORT_CLASS(port_underlay_class);
PORT_CLASS(port_internal_class);
PORT_CLASS(port_pcap_class);
PORT_CLASS(port_null_class);
PORT_CLASS(port_sim_class);
PORT_CLASS(port_gre_class); /* datapath/tunnel */
#undef PORT_CLASS

#endif
