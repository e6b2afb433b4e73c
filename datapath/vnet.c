/* vnet.c: offloads of a packet as AF_PACKET and TAP carry them. */
#include "config.h"
#include <arpa/inet.h>
#include <string.h>
#include "datapath/vnet.h"

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5 /* Linux 6.2 */
#endif

static const uint8_t gso_types[] = {
    [GSO_NONE] = VIRTIO_NET_HDR_GSO_NONE,
    [GSO_TCPV4] = VIRTIO_NET_HDR_GSO_TCPV4,
    [GSO_TCPV6] = VIRTIO_NET_HDR_GSO_TCPV6,
    [GSO_UDP_L4] = VIRTIO_NET_HDR_GSO_UDP_L4,
};

void vnet_take(const void *header, struct packet *p)
{
    struct virtio_net_hdr copy, *h = &copy;
    memcpy(h, header, sizeof *h);
    p->csum = h->flags & VIRTIO_NET_HDR_F_DATA_VALID ? CSUM_VALID : CSUM_NONE;
    if (h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM && (uint32_t)h->csum_start + h->csum_offset + 2 <= p->len) {
        p->csum = CSUM_PARTIAL;
        p->csum_start = h->csum_start;
        p->csum_offset = h->csum_offset;
    }
    for (unsigned i = GSO_TCPV4; h->gso_type && i < ARRAY_SIZE(gso_types); i++)
        if ((h->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) == gso_types[i] && h->gso_size) {
            p->gso = i;
            p->gso_size = h->gso_size;
            p->gso_ecn = !!(h->gso_type & VIRTIO_NET_HDR_GSO_ECN);
        }
}

void vnet_give(const struct packet *p, void *header)
{
    struct virtio_net_hdr copy = {0}, *h = &copy;
    if (p->csum == CSUM_PARTIAL) {
        h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        h->csum_start = p->csum_start;
        h->csum_offset = p->csum_offset;
    } else if (p->csum == CSUM_VALID) {
        h->flags = VIRTIO_NET_HDR_F_DATA_VALID;
    }
    if (p->gso) {
        h->gso_type = gso_types[p->gso] | (p->gso_ecn ? VIRTIO_NET_HDR_GSO_ECN : 0);
        h->gso_size = p->gso_size;
    }
    memcpy(header, h, sizeof *h);
}

void vnet_received(struct packet *p, size_t len)
{
    p->len = len - VNET_LEN;
    vnet_take(p->data - VNET_LEN, p);
}

void vnet_put_tag_back(struct packet *p, uint16_t tpid, uint16_t tci)
{
    be16 tag[2] = {htons(tpid), htons(tci)};
    packet_shift(p, 4);
    memmove(p->data, p->data + 4, 12);
    memcpy(p->data + 12, tag, 4);
}
