/* compose.h: a key back to a packet: the smallest frame that has these fields. For trace, tests and fuzzing.
 *
 * packet_compose() writes the frame into p's buffer, at p->data (packet_init() with COMPOSE_ROOM bytes behind the
 * headroom), and sets len, offsets, tun and in_phy_port. Right lengths and checksums, 64 bytes at least. key_parse()
 * of it gives the key's fields again, if some packet can have them all: what contradicts (TCP ports in ARP) or has no
 * place in a header is left out. */
#ifndef PACKET_COMPOSE_H
#define PACKET_COMPOSE_H 1

#include "packet/packet.h"

enum { COMPOSE_ROOM = 256 };

void packet_compose(const struct flow_key *, struct packet *p);
/* The same with `n` bytes behind a TCP, UDP, SCTP or ICMP header, for which p's buffer has room besides; as long as it is,
 * without padding. */
void packet_compose_payload(const struct flow_key *, const void *payload, size_t n, struct packet *p);

/* For keys that are made by hand: says, as key_parse() of that packet would, which headers are there (HAS_… of key.h). */
void key_complete(struct flow_key *);

#endif
