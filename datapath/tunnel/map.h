/* map.h: which tunnel port takes a packet: a table from (local, remote, key) to ports.
 *
 * One version is built by main and then never changes; workers search it under RCU. Most specific first, as Open
 * vSwitch has it: an exact key before key=flow, and within each a port with local_ip before one without. */
#ifndef DATAPATH_TUNNEL_MAP_H
#define DATAPATH_TUNNEL_MAP_H 1

#include "datapath/tunnel/option.h"

struct tunnel_map;

struct tunnel_map_entry {
    be32 remote, local; /* local 0: any */
    uint32_t key;       /* 0 if flow */
    bool flow;
    void *port;
};

/* A table of n entries, copied, no two of one identity. Freed with free(). */
struct tunnel_map *tunnel_map_build(const struct tunnel_map_entry *, size_t n);

/* The port for a packet from `remote` to `local` with `key` (0: none, or none given), or NULL. NULL maps are empty. */
void *tunnel_map_find(const struct tunnel_map *, be32 remote, be32 local, uint32_t key);

size_t tunnel_map_count(const struct tunnel_map *);
/* Whether packets to `local` may be tunnel packets: some entry has this local address or none at all. */
bool tunnel_map_has_local(const struct tunnel_map *, be32 local);
bool tunnel_map_has_wildcard(const struct tunnel_map *); /* some entry has no local address */

/* The entry that comes nearest to taking such a packet, for people: same remote and local first, then same remote,
 * then same local; or NULL. Linear. */
const struct tunnel_map_entry *tunnel_map_nearest(const struct tunnel_map *, be32 remote, be32 local, uint32_t key);

#endif
