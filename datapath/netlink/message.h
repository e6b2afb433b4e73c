/* message.h: rtnetlink messages to structs, and back. Pure: bytes in, structs out; no sockets.
 *
 * Each parser is given one whole message (its nlmsg_len has been checked against what was received) of the types it is
 * named for, in memory that is readable up to the next multiple of four. False: malformed, or not what we look for
 * (another family, no IPv4); *out is then undefined. */
#ifndef DATAPATH_NETLINK_MESSAGE_H
#define DATAPATH_NETLINK_MESSAGE_H 1

#include <linux/netlink.h>
#include <net/if.h>
#include "base/types.h"

struct nl_link { /* RTM_NEWLINK, RTM_DELLINK */
    uint32_t ifindex, mtu;
    unsigned flags;    /* IFF_… */
    uint16_t hardware; /* ARPHRD_… */
    char name[IFNAMSIZ];
    uint8_t mac[6]; /* zeros if it has none of 6 bytes */
    bool gone;
};

struct nl_address { /* RTM_NEWADDR, RTM_DELADDR */
    uint32_t ifindex;
    be32 address; /* this end's */
    bool gone;
};

struct nl_route {          /* RTM_NEWROUTE as the answer to RTM_GETROUTE */
    uint8_t type;          /* RTN_UNICAST, RTN_LOCAL, … */
    bool via_other;        /* a gateway of another family (RTA_VIA) */
    uint32_t ifindex, mtu; /* mtu 0: the device's */
    be32 gateway;          /* 0: on link */
    be32 source;           /* the kernel's choice, 0: none */
};

struct nl_neighbour { /* RTM_NEWNEIGH, RTM_DELNEIGH */
    uint32_t ifindex;
    be32 address;
    uint16_t state; /* NUD_…; 0 if gone */
    bool has_mac;
    uint8_t mac[6];
};

bool nl_parse_link(const struct nlmsghdr *, struct nl_link *out);
bool nl_parse_address(const struct nlmsghdr *, struct nl_address *out);
bool nl_parse_route(const struct nlmsghdr *, struct nl_route *out);
bool nl_parse_neighbour(const struct nlmsghdr *, struct nl_neighbour *out);

/* Requests, into a buffer of at least NL_REQUEST bytes. */
enum { NL_REQUEST = 256 };
struct nlmsghdr *nl_dump_request(void *buf, uint16_t type /* RTM_GETLINK, … */, uint8_t family);
struct nlmsghdr *nl_link_request(void *buf, uint32_t ifindex);
struct nlmsghdr *nl_route_request(void *buf, be32 to, be32 from /* 0: any */);
struct nlmsghdr *nl_neighbour_request(void *buf, uint32_t ifindex, be32 address);
/* "About to use it": the kernel resolves it, or probes it if it is stale. */
struct nlmsghdr *nl_neighbour_use(void *buf, uint32_t ifindex, be32 address);

bool nl_neighbour_usable(const struct nl_neighbour *); /* its MAC may be used */
const char *nl_neighbour_state_name(uint16_t state);

#endif
