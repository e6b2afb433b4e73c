/* encap.h: TCP super-segments inside a tunnel, sent by AF_PACKET in one piece.
 *
 * The kernel cuts them, or carries them whole to a device that does (or to a veth's other end, where nobody needs to). But
 * whoever sends by AF_PACKET cannot tell it that a packet is encapsulated (struct virtio_net_hdr has no word for GRE), and
 * without that it refuses to. An eBPF program at the device's egress can: it takes the outer headers away and puts them
 * back with bpf_skb_adjust_room(), which notes what they are. It does so with packets that bear our mark (SO_MARK, for
 * that packet alone), in which their length is. */
#ifndef DATAPATH_ENCAP_H
#define DATAPATH_ENCAP_H 1

#include "datapath/hook.h"

struct packet;

/* Main. `fd`: one of the sockets that will send. False: not on this kernel; they are to be cut before. */
bool encap_install(struct hook *, uint32_t ifindex, int fd);

/* The mark to send it with; 0: it is no super-segment in a tunnel, or not one that the program understands. */
uint32_t encap_mark(const struct packet *);

#endif
