/* packet.h: one packet in memory, with the offloads that travel with it.
 *
 * `data` points at the Ethernet header, in a buffer that has PACKET_HEADROOM bytes before a received frame, so that
 * headers are pushed without a copy. The buffer belongs to whoever made the packet (a worker's pool, a test's array).
 *
 * Offloads (virtio 1.1, 5.1.6.2, struct virtio_net_hdr): a packet may be a TCP or UDP super-segment of up to 64 KB
 * that somebody will cut into pieces of gso_size, and its transport checksum may be only started (CSUM_PARTIAL: the
 * pseudo-header's sum stands at csum_start + csum_offset). These stay true over every change of the headers; a port
 * that cannot pass them on calls packet_finish_csum() or gso_segment() (gso.h) first.
 *
 * Thread: a packet belongs to one thread at a time. */
#ifndef PACKET_PACKET_H
#define PACKET_PACKET_H 1

#include "packet/key.h"

enum { PACKET_LEAST = 60 /* of Ethernet, without FCS */ };
enum { PACKET_HEADROOM = 256, PACKET_MAX = 65535 + 14 + 8 /* two tags */ };

enum packet_csum {
    CSUM_NONE,    /* nothing known: as on the wire */
    CSUM_VALID,   /* somebody below has checked it */
    CSUM_PARTIAL, /* the sum from csum_start on is still to be stored at csum_start + csum_offset */
};
enum packet_gso { GSO_NONE, GSO_TCPV4, GSO_TCPV6, GSO_UDP_L4 };

struct packet {
    uint8_t *data;     /* Ethernet header */
    uint32_t len;      /* bytes from data on */
    uint32_t size;     /* of the buffer, from `base` on */
    uint8_t *base;     /* start of the buffer */

    /* Offloads. csum_start counts from data. */
    uint8_t csum, gso, gso_ecn;
    uint16_t gso_size;
    uint16_t csum_start, csum_offset;

    /* Where the headers lie, from data on; 0xffff: not there. Filled by key_parse(), kept true by whoever pushes or
     * pops headers. l3: behind Ethernet, VLAN tags (MPLS entries count as l2.5, l3 is then 0xffff). */
    uint16_t l25, l3, l4;

    /* Where it came in. */
    uint16_t port;           /* datapath port */
    uint8_t depth;           /* lookups so far: tunnel pops, recirculation */
    bool shrunk;             /* a pop made it shorter than Ethernet's least: packet_pad() */
    struct {                 /* set by a tunnel pop, zeros otherwise; copied to flow_key.tun by key_parse() */
        be64 id;
        be32 src, dst;
        be16 flags;
        uint8_t tos, ttl;
        be16 marks, zero;
    } tun;
    be32 in_phy_port;        /* OpenFlow number of the port of the outer packet; 0: same as in_port */
};

static inline void packet_init(struct packet *p, uint8_t *base, uint32_t size, uint32_t headroom, uint32_t len)
{
    *p = (struct packet){.base = base, .size = size, .data = base + headroom, .len = len, .l25 = 0xffff, .l3 = 0xffff,
                         .l4 = 0xffff};
}

static inline uint32_t packet_headroom(const struct packet *p) { return (uint32_t)(p->data - p->base); }

/* Moves the start of the data: push makes n bytes of room at the front (content undefined), pull takes n away. The
 * offsets l25, l3, l4 and csum_start move along. Neither checks: the caller knows that there is room. */
static inline void packet_shift(struct packet *p, int n)
{
    p->data -= n;
    p->len += n;
    p->l25 += p->l25 == 0xffff ? 0 : n;
    p->l3 += p->l3 == 0xffff ? 0 : n;
    p->l4 += p->l4 == 0xffff ? 0 : n;
    p->csum_start += n;
}

#endif
