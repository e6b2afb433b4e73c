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
bool packet_push_mpls(struct packet *, be16 type, be32 lse);
bool packet_pop_mpls(struct packet *, be16 type); /* the Ethernet type of what is below */
bool packet_push_pbb(struct packet *, be32 tci);  /* priority, DEI, UCA and I-SID as on the wire */
bool packet_pop_pbb(struct packet *);
/* Between the outermost MPLS label and the label or IP header below it, or between an IP header and one right behind it. */
bool packet_copy_ttl_out(struct packet *);
bool packet_copy_ttl_in(struct packet *);

/* l25, l3, l4 anew: for who has changed what lies between Ethernet and IP. */
void packet_find_headers(struct packet *);
/* For who sends: a frame that pops have made shorter than 60 bytes (shrunk) gets zeros at its end, up to 60. */
void packet_pad(struct packet *);

#endif
