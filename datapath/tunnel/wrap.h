/* wrap.h: putting a tunnel's outer headers in front of a packet, and taking them away: what DPACT_TUN_PUSH and
 * DPACT_TUN_POP do to one packet. Pure. */
#ifndef DATAPATH_TUNNEL_WRAP_H
#define DATAPATH_TUNNEL_WRAP_H 1

#include "datapath/dp.h"

/* May these headers be put in front of a super-segment as a whole, so that whoever cuts it (gso.h, the kernel) makes them
 * for each segment? If not, it is to be cut before. */
bool wrap_keeps_whole(const struct packet *, const struct dpact_push *);

/* Headers in front, with lengths and checksums. A partial checksum is finished; a super-segment, for which
 * wrap_keeps_whole() is true, keeps its offloads. Returns DROP_NONE, or why the packet, then unchanged, cannot be sent. */
enum drop_reason wrap_push(struct packet *, const struct dpact_push *);

/* Headers away, and p->tun, p->in_phy_port and p->port filled. Where the inner headers lie is unknown afterwards
 * (key_parse()). With a drop reason the packet may have been changed. */
enum drop_reason wrap_pop(struct packet *, uint32_t tunnel_port_id, uint32_t in_phy_port);

#endif
