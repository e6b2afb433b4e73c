/* netlink.h: what the kernel knows: links, addresses, routes and neighbours of this network namespace. Main only.
 *
 * Two sockets: one listens to news, one asks. rtnetlink answers within the call that asks, so asking does not block.
 * News come from netlink_run(), a bounded number of messages a call; if the kernel had to throw some away, everything
 * is asked again and the listener's resync() is called. */
#ifndef DATAPATH_NETLINK_NETLINK_H
#define DATAPATH_NETLINK_NETLINK_H 1

#include "datapath/netlink/message.h"

struct netlink;

struct netlink_listener {
    void (*link)(void *aux, const struct nl_link *);           /* came, changed, or is gone */
    void (*addresses)(void *aux);                              /* netlink_is_local() may answer otherwise */
    void (*routes)(void *aux);                                 /* netlink_route() may answer otherwise */
    void (*neighbour)(void *aux, const struct nl_neighbour *); /* any of the host, a good many on some hosts */
    void (*resync)(void *aux);                                 /* neighbours may have changed unheard */
};

/* NULL and errno if the sockets cannot be had. What is there already is told to the listener by the first
 * netlink_run(). */
struct netlink *netlink_open(const struct netlink_listener *, void *aux);
void netlink_close(struct netlink *);
int netlink_fd(const struct netlink *);
/* True if there is more to do at once. */
bool netlink_run(struct netlink *);

const struct nl_link *netlink_link(struct netlink *, uint32_t ifindex); /* NULL: none; good until netlink_run() */
bool netlink_is_local(const struct netlink *, be32 address);
/* All addresses of the host, each once, ascending as numbers in memory; good until netlink_run(). */
const be32 *netlink_addresses(const struct netlink *, size_t *n);

/* 0, or -errno: what the kernel says about packets to `to` from `from` (0: its choice). */
int netlink_route(struct netlink *, be32 to, be32 from, struct nl_route *out);
/* 0 or -errno (-ENOENT: the kernel knows nothing of it). */
int netlink_neighbour(struct netlink *, uint32_t ifindex, be32 address, struct nl_neighbour *out);
int netlink_neighbour_use(struct netlink *, uint32_t ifindex, be32 address);

#endif
