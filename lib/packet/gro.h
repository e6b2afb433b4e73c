/* gro.h: putting TCP segments back together, the reverse of gso.h.
 *
 * What is merged is exactly what gso_segment() cuts into the same packets again, byte for byte (RFC 9293, 3.1; RFC
 * 791):
 *   - Ethernet, VLAN tags, IP and TCP headers and options are the same; the IPv4 identification counts up by one,
 *     sequence numbers follow each other, all but the last segment are equally long;
 *   - flags are ACK and ECE; FIN and PSH may stand on the last segment; CWR, SYN, RST, URG never;
 *   - IP and TCP checksums were right; the merged packet's is CSUM_PARTIAL;
 *   - where it came in (port, tunnel) is the same.
 * Not merged: IP options and extension headers, fragments, padded frames, what already has an offload, UDP.
 *
 * Order within a connection stays; a merged packet stands where its first segment stood. Pure, any thread. */
#ifndef PACKET_GRO_H
#define PACKET_GRO_H 1

#include "packet/packet.h"

/* Merges what it can among n packets in order. Returns the number that is left, at the front of batch; the n less that
 * many whose payload has moved into another one are put into `gone`. A packet is merged into the room behind its data.
 */
unsigned gro_merge(struct packet *batch[], unsigned n, struct packet *gone[]);

#endif
