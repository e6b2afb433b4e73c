/* tunnel.h: tunnel ports, as the rest of the datapath sees them.
 *
 * A tunnel port is a struct dp_port of a tunnel type ("gre") without a device. What is received for it is found by
 * dp_tunnel_decap() (dp.h) during the walk and unwrapped by tunnel_pop(); what is sent to it is planned by
 * dp_tunnel_encap() during the walk and wrapped by tunnel_push().
 *
 * Main alone changes things here; workers read what it has published by RCU (their quiescent states: the core's). */
#ifndef DATAPATH_TUNNEL_TUNNEL_H
#define DATAPATH_TUNNEL_TUNNEL_H 1

#include "datapath/dp.h"

struct tunnels;     /* all of a datapath */
struct tunnel_port; /* one port's tunnel half; dp_port points to it */
struct kernel;      /* datapath/netlink/kernel.h; NULL: no netlink, no underlay */

/* --- Main --- */

struct tunnels *tunnels_create(struct dp *, struct kernel *);
void tunnels_destroy(struct tunnels *); /* its ports must be gone */
void tunnels_run(struct tunnels *);     /* from dp_run(), after kernel_run(): routes to ask again, timers; bounded */
msec_t tunnels_wake_at(const struct tunnels *);
void tunnels_show(struct tunnels *, struct buf *out);
/* A port came, went, or changed in a way that walks or routes may depend on (LOCAL's device there, its MAC, …). */
void tunnels_port_changed(struct tunnels *, struct dp_port *);
void tunnels_port_gone(struct tunnels *, struct dp_port *); /* before dp_port_del() frees it; any port type */

bool tunnel_type_known(const char *type);

/* As in dp.h. `name` of the config is for messages; `except` is not seen as another port. */
bool tunnel_port_validate(struct tunnels *, const struct dp_port_config *, const struct dp_port *except, int *bad_option,
                          struct diag *);
/* `port` must have its id, name and bridge already. NULL on failure. */
struct tunnel_port *tunnel_port_add(struct tunnels *, struct dp_port *port, const struct dp_port_config *, struct diag *);
bool tunnel_port_reconfigure(struct tunnel_port *, const struct dp_port_config *, struct diag *);
void tunnel_port_del(struct tunnel_port *); /* unpublished at once, freed after a grace period */
/* Sets tunnel, flags, mtu, error, and appends to status. */
void tunnel_port_get_info(const struct tunnel_port *, struct dp_port_info *);

/* A packet that DPACT_HOLD gave to main. It is copied and waits; or it is sent if there is nothing to wait for. Every
 * packet for which tunnel_hold_begin() was called ends here or in tunnel_hold_lost(). */
void tunnel_hold(struct tunnels *, const struct dpact_hold *, const struct packet *);

/* --- Workers (and main, with config.workers == 0) --- */

/* DPACT_HOLD: before the packet is handed to main. Packets of this port keep their order from here on. */
void tunnel_hold_begin(struct dp_port *tunnel);
void tunnel_hold_lost(struct dp_port *tunnel); /* it could not be handed over and was dropped */

/* DPACT_TUN_PUSH: puts the headers in front, with lengths and checksums. The packet must have gso == GSO_NONE. Returns
 * DROP_NONE, or why the packet, then unchanged, cannot be sent. */
enum drop_reason tunnel_push(struct packet *, const struct dpact_push *);

/* DPACT_TUN_POP: takes Ethernet, IPv4 and GRE headers away and fills p->tun, p->in_phy_port. The inner frame's offsets
 * (l3, …) are unknown afterwards: key_parse() finds them. p->port becomes `tunnel_port_id`. On a drop reason the packet
 * may have been changed. */
enum drop_reason tunnel_pop(struct packet *, uint32_t tunnel_port_id, uint32_t in_phy_port);

/* Main: a sampled packet that was dropped for a TUN_… reason, in words that name the nearest port. `p` points at the outer
 * Ethernet header. Appends nothing if it knows nothing. */
void tunnel_explain_drop(struct tunnels *, enum drop_reason, const struct packet *p, struct buf *out);

#endif
