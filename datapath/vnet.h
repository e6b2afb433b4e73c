/* vnet.h: offloads of a packet as AF_PACKET and TAP carry them: struct virtio_net_hdr in front of each frame
 * (virtio 1.1, 5.1.6.2), here in host order. */
#ifndef DATAPATH_VNET_H
#define DATAPATH_VNET_H 1

#include <linux/virtio_net.h>
#include "packet/packet.h"

enum { VNET_LEN = sizeof(struct virtio_net_hdr) };

/* `header`: the bytes of a struct virtio_net_hdr, wherever they lie.
 * What came with a received packet. What does not fit it is ignored. */
void vnet_take(const void *header, struct packet *);
/* What goes with one to be sent. */
void vnet_give(const struct packet *, void *header);
/* A packet was received with its header in front of p->data, `len` bytes with that. */
void vnet_received(struct packet *p, size_t len);
/* AF_PACKET: the kernel takes the outermost tag out of the frame; back to where it was. */
void vnet_put_tag_back(struct packet *, uint16_t tpid, uint16_t tci);

#endif
