/* unfinished.h: checksums that a sender has left to its device, told by the packet's bytes alone.
 *
 * Between two software devices (veth) a packet may travel with its transport checksum only started, since no wire can
 * spoil it. AF_PACKET says so of each packet; AF_XDP does not. But the field then holds the sum of the pseudo-header
 * (SCTP: zero), and nearly never does otherwise: and if it does in a packet whose checksum is right, then finishing it
 * gives the same value again. Only of packets that are wrong already would one in 65,536 be made right; so this is not
 * for frames that came by a wire.
 *
 * Source: Linux, include/linux/skbuff.h, "CHECKSUM_PARTIAL". Pure, any thread. */
#ifndef PACKET_UNFINISHED_H
#define PACKET_UNFINISHED_H 1

#include "packet/packet.h"

/* TCP, UDP or SCTP over IPv4 or IPv6, behind any VLAN tags, also in IP, GRE, VXLAN (UDP port 4789) and Geneve (6081),
 * one in the other up to four deep: if its checksum is unfinished the packet is made CSUM_PARTIAL (or finished, if it
 * is padded). Others are left alone, and so are packets with an IPv6 routing header that are still on their way through
 * its list. True if it was. */
bool packet_find_unfinished(struct packet *);

#endif
