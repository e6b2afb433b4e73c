/* parse.h: bytes of a packet to its key.
 *
 * key_parse() fills every field of `key` up to and including layer `depth`, what is deeper stays zero, and notes the
 * header offsets in the packet. in_port: OpenFlow number, host order. A header that is cut short or malformed ends the
 * parse: the fields that it would have given are zero, and nothing is ever read behind the packet's end. Metadata,
 * registers and marks start at zero; tun comes from the packet.
 *
 * Later fragments have no L4 fields. IPv6: proto is that of the header behind the extension headers (at most 16 of them).
 * 802.3 frames without LLC/SNAP type have type 0x05ff (OpenFlow 1.0, 3.4; 1.3 leaves it open). */
#ifndef PACKET_PARSE_H
#define PACKET_PARSE_H 1

#include "packet/packet.h"

void key_parse(struct packet *p, uint32_t in_port, enum layer depth, struct flow_key *key);

#endif
