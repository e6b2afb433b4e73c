/* vnet.h: offloads of a packet as AF_PACKET and TAP carry them: struct virtio_net_hdr in front of each frame
 * (virtio 1.1, 5.1.6.2), here in host order. */
#ifndef DATAPATH_VNET_H
#define DATAPATH_VNET_H 1

#include <linux/virtio_net.h>
#include "packet/packet.h"

/* What came with a received packet. What does not fit it is ignored. */
void vnet_take(const struct virtio_net_hdr *, struct packet *);
/* What goes with one to be sent. */
void vnet_give(const struct packet *, struct virtio_net_hdr *);

#endif
