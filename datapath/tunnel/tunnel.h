/* tunnel.h: the inside of tunnel ports, shared by the files of this folder. What the rest of the datapath calls stands
 * in datapath/private.h and dp.h.
 *
 *   option   what a user wrote -> struct tunnel_config
 *   map      (local, remote, key) -> port
 *   gre      the header; wrap: headers put on and taken off packets
 *   plan     inside a walk: dp_tunnel_encap(), dp_tunnel_decap(). Workers; reads what the following publish by RCU
 *   route    main: where each port's packets go, asked from the kernel; underlay ports
 *   wait     main: next hops, and packets that wait for their MAC
 *   host     tunnel packets by ways that no tunnel sends by
 *   tunnel   main: the ports themselves, news from netlink, what people see
 *   report   main: what people see: status, sentences for drops */
#ifndef DATAPATH_TUNNEL_TUNNEL_H
#define DATAPATH_TUNNEL_TUNNEL_H 1

#include "datapath/netlink/netlink.h"
#include "datapath/private.h"
#include "datapath/tunnel/map.h"
#include "datapath/tunnel/option.h"

/* How a port's packets leave. Published by RCU, never changed afterwards. */
struct egress {
    struct tunnel_config config;
    enum drop_reason drop; /* if not DROP_NONE nothing can be sent, and what follows is not filled */
    uint32_t ifindex, mtu; /* of the underlay */
    be32 next_hop, source;
    bool resolved; /* the next hop's MAC is known */
    bool settled;  /* nothing waits any more, nobody can be overtaken */
    uint8_t dst_mac[6], src_mac[6];
    struct dp_bridge *bridge; /* its LOCAL port is the way out… */
    uint32_t output;          /* …or, if NULL, this underlay port */
};

/* The addresses at which tunnel packets arrive. Published by RCU. */
struct inbound {
    struct tunnel_map *map;
    size_t n_addresses;
    be32 addresses[]; /* the host's, ascending as numbers in memory */
};
bool inbound_is_local(const struct inbound *, be32 address);

/* A LOCAL or underlay port: what an outer packet must be addressed to. RCU, in dp_port.tunnel. */
struct local_end {
    uint8_t mac[6];
};

struct waiting; /* a packet, wait.c */

/* A neighbour that is some tunnel's next hop. */
struct next_hop {
    struct next_hop *next; /* same bucket */
    struct nl_neighbour neighbour;
    unsigned users;                /* tunnel ports */
    msec_t used;                   /* when the kernel was last told that it is in use */
    struct waiting *first, **last; /* packets that wait for it, oldest first */
    unsigned n_waiting;
    size_t waiting_bytes;
};

/* The host's own interface, opened as a port of the pseudo-bridge. */
struct underlay {
    struct underlay *next;
    uint32_t ifindex;
    unsigned users;
    struct dp_port *port;
};

struct tunnel_port {
    struct dp_port *port;
    struct tunnels *tunnels;
    struct tunnel_config config;
    struct dp_gen gen;      /* of egress */
    struct egress *egress;  /* RCU */
    uint32_t held;          /* atomic: packets between a worker's HOLD and their execution */
    uint32_t executed;      /* of these, executed since the last dp_synchronize() */
    msec_t settle_by;       /* if resolved and not settled */
    struct dp_tally *tally; /* packets sent: is it in use? */
    bool ask;               /* the route is to be asked again */
    bool listed;            /* in tunnels.ports: packets find it */
    struct next_hop *hop;
    struct underlay *underlay;
    char device[IFNAMSIZ]; /* where the route leads, "" if nowhere */
    char *error;           /* why nothing can be sent, or NULL */
};

enum { HOP_BUCKETS = 1024 };

struct tunnels {
    struct dp *dp;
    struct netlink *netlink; /* NULL: tests */
    struct dp_gen gen;       /* of inbound and of local ends */
    struct inbound *inbound; /* RCU; NULL: no tunnel ports */
    bool inbound_stale;
    struct tunnel_port **ports;
    size_t n_ports, a_ports;

    size_t n_ask, next_ask; /* how many ports have `ask` set; where the search goes on */
    bool ask_all;           /* routes changed: all are to be asked at ask_at */
    msec_t ask_at, ask_not_before;
    int64_t ask_cost;         /* ns that asking all of them took the last time */
    bool announce;            /* not while a port is being opened */
    struct dp_bridge *bridge; /* pseudo-bridge of underlay ports and host; both are there while there are tunnels */
    struct dp_port *host;     /* NULL: no raw socket */
    struct underlay *underlays;

    struct next_hop *hops[HOP_BUCKETS];
    unsigned n_waiting;
    bool any_executed, unsettled; /* ports to be looked at soon */
    msec_t next_look;             /* at packets that wait, ports that settle */
    msec_t next_fresh;
    size_t fresh_at;
};

extern const struct port_class port_gre_class, port_host_class;
struct tunnel_port *tunnel_port_of(const struct dp_port *); /* NULL if it is none */

/* An IPv4 address in words: text4(a).s, good until the end of the expression. */
struct text4 {
    char s[INET_ADDRSTRLEN];
};
static inline struct text4 text4(be32 a)
{
    struct text4 t;
    inet_ntop(AF_INET, &a, t.s, sizeof t.s);
    return t;
}

/* plan.c: set while main walks for a packet that has waited: it need not wait for itself. */
void plan_releasing(bool);
/* The push for a port whose egress is resolved. `tos` and `ttl` are the outer header's, ECN included. */
void plan_push(struct dpact_push *, const struct egress *, uint32_t key, uint8_t tos, uint8_t ttl);

/* route.c */
void route_ask(struct tunnel_port *);  /* asks the kernel at once and publishes what it says */
void routes_changed(struct tunnels *); /* all are asked again soon */
void routes_run(struct tunnels *);
void route_republish(struct tunnel_port *);           /* the next hop's state changed */
void route_settled(struct tunnel_port *);             /* nothing waits any more */
void route_lost(struct tunnel_port *);                /* the way out is going */
void route_forget(struct tunnel_port *);              /* the port is going */
size_t tunnel_overhead(const struct tunnel_config *); /* of the outer IP packet beyond the inner one */

void underlay_walk(void *tunnels, const struct flow_key *, struct dp_path *); /* of the pseudo-bridge */

/* host.c */
void host_listen(struct tunnels *); /* the set of underlay ports has changed */

/* wait.c */
struct next_hop *hop_get(struct tunnels *, uint32_t ifindex, be32 address);
void hop_put(struct tunnels *, struct next_hop *);
void hop_release(struct tunnels *, struct next_hop *); /* what waits goes on: its users' egress is resolved */
void hops_news(struct tunnels *, const struct nl_neighbour *);
void hops_resync(struct tunnels *);
void hops_run(struct tunnels *);
msec_t hops_wake_at(const struct tunnels *);
void hops_port_moved(struct tunnel_port *, struct next_hop *from); /* tp->hop is another one now */
void hops_port_gone(struct tunnel_port *);
bool tunnel_settled(const struct tunnel_port *); /* any thread: no packet of it waits or is on its way */

/* report.c */
void tunnel_get_info(const struct dp_port *, struct dp_port_info *);

#endif
