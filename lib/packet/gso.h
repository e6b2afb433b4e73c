/* gso.h: cutting super-segments in software.
 *
 * gso_segment() cuts a packet with gso != GSO_NONE into packets of at most gso_size payload bytes each, with IP
 * lengths and identifications, TCP sequence numbers and flags (CWR on the first, FIN and PSH on the last), UDP
 * lengths, and checksums finished. `emit` is given each in turn, in a buffer of gso_segment()'s own that is good only
 * during the call; it may change the packet, headroom is PACKET_HEADROOM. A packet that is not what its gso type says
 * is emitted uncut, its checksum finished (false is returned). A TCP super-segment may be inside a tunnel (Ethernet in GRE
 * over IPv4, with or without a key): each segment then gets the outer headers too, with length, identification and
 * checksum. */
#ifndef PACKET_GSO_H
#define PACKET_GSO_H 1

#include "packet/ip.h"
#include "packet/packet.h"

/* One segment after the other, into memory of the caller's:
 *
 *     struct gso_cut c;
 *     if (gso_begin(&c, p))
 *         while (c.more)
 *             gso_next(&c, segment); // base, size and data are the caller's; all else is filled in
 *
 * False: it is not what its gso type says. p stays as it is, and must do so meanwhile. A segment is never longer than
 * p. */
struct gso_cut {
    const struct packet *p;
    struct ip_place ip;
    uint32_t l3, l4, payload, end; /* from data on: where they start; end of the payload */
    uint32_t done;                 /* bytes of payload */
    uint16_t index;
    uint32_t outer;                /* from data on: the outer IPv4 header; 0: it is in no tunnel */
    uint16_t outer_sum, ip_sum, l4_sum; /* of what all segments have in common */
    bool udp_csum;           /* UDP over IPv4 may have none */
    bool more;
};
bool gso_begin(struct gso_cut *, const struct packet *);
void gso_next(struct gso_cut *, struct packet *segment);

bool gso_segment(const struct packet *, void (*emit)(struct packet *segment, void *aux), void *aux);

/* The largest (outer) IP packet that cutting `p` will give; for a packet without gso, its own. */
uint32_t gso_max_l3_len(const struct packet *p);

/* Is it a super-segment inside a tunnel? */
bool gso_tunnelled(const struct packet *);

/* How many packets cutting it will give, and their bytes together. */
uint32_t gso_count(const struct packet *, uint64_t *bytes);

#endif
