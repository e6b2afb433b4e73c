/* modify.h: changing headers in place, checksums kept right.
 *
 * Each call returns false, and changes nothing, if the packet has no such header or no room. Offsets in the packet
 * (l25, l3, l4) must be true, as key_parse() leaves them, and are kept true.
 *
 * Checksums: IPv4 header, TCP, UDP (a zero stays zero: none), ICMPv6 (pseudo-header), and SCTP follow every change;
 * CSUM_PARTIAL packets have only the pseudo-header's part corrected; nothing behind l3 is touched in later fragments. */
#ifndef PACKET_MODIFY_H
#define PACKET_MODIFY_H 1

#include "packet/field.h"
#include "packet/packet.h"

/* Writes the bits `mask` of a header field. Metadata, registers and tun fields are not in the packet: not for here. */
bool packet_set_field(struct packet *, enum field_id, const union field_value *value, const union field_value *mask);
bool packet_push_vlan(struct packet *, be16 tpid, be16 tci); /* tci as on the wire, without VLAN_PRESENT */
bool packet_pop_vlan(struct packet *);

#endif
