/* ip.h: where the headers of a frame lie: what parser, modifier and segmenter must agree on.
 *
 * All offsets are host numbers in bytes; nothing is ever read behind the given length. Pure, any thread.
 * Sources: IEEE 802.1Q, RFC 791, RFC 8200, RFC 4302 (AH). */
#ifndef PACKET_IP_H
#define PACKET_IP_H 1

#include <string.h>
#include "base/types.h"

enum {
    ETYPE_IPV4 = 0x0800,
    ETYPE_ARP = 0x0806,
    ETYPE_TEB = 0x6558, /* Ethernet in GRE */
    ETYPE_RARP = 0x8035,
    ETYPE_VLAN = 0x8100,
    ETYPE_IPV6 = 0x86dd,
    ETYPE_MPLS = 0x8847,
    ETYPE_MPLS_MC = 0x8848,
    ETYPE_SVLAN = 0x88a8,
    ETYPE_PBB = 0x88e7, /* IEEE 802.1ah I-TAG */
    ETYPE_LOCAL = 0x88b5, /* IEEE 802 local experimental: a payload that means nothing */
    ETYPE_QINQ = 0x9100, /* S-tags from before 802.1ad */
    ETYPE_LOWEST = 0x0600, /* what is less is a length: IEEE 802.3, 3.2.6 */
    ETYPE_LLC = 0x05ff,  /* stands for 802.3 frames without SNAP: OpenFlow 1.0, 3.4 */
};
enum { ETH_HEADER = 14, VLAN_HEADER = 4, IPV4_HEADER = 20, IPV6_HEADER = 40, TCP_HEADER = 20, UDP_HEADER = 8,
       SCTP_HEADER = 12, ARP_PACKET = 28, ND_HEADER = 24 };
/* IEEE 802.1Q-2011, 9.7: priority 3 bits, DEI, UCA, 3 reserved, I-SID 24; then the customer's addresses. */
enum { MPLS_LSE = 4, PBB_TCI = 4, PBB_HEADER = 18 /* what is put in front; and the I-TAG up to the customer's type */, PBB_UCA = 1 << 27, PBB_PCP_SHIFT = 29,
       PBB_ISID_MASK = 0xffffff };
enum { ND_SOLICIT = 135, ND_ADVERT = 136, ND_OPT_SLL = 1, ND_OPT_TLL = 2 };

static inline uint16_t peek16(const uint8_t *p)
{
    be16 v;
    memcpy(&v, p, sizeof v);
    return ntohs(v);
}
static inline uint32_t peek32(const uint8_t *p)
{
    be32 v;
    memcpy(&v, p, sizeof v);
    return ntohl(v);
}
static inline void poke16(uint8_t *p, uint16_t v)
{
    v = htons(v);
    memcpy(p, &v, sizeof v);
}
static inline void poke32(uint8_t *p, uint32_t v)
{
    v = htonl(v);
    memcpy(p, &v, sizeof v);
}

static inline bool etype_is_vlan(uint16_t t) { return t == ETYPE_VLAN || t == ETYPE_SVLAN || t == ETYPE_QINQ; }
static inline bool etype_is_mpls(uint16_t t) { return t == ETYPE_MPLS || t == ETYPE_MPLS_MC; }

/* Ethernet with up to max_tags VLAN tags and LLC/SNAP. `end`: where they end, 0 if a header is cut short (type is then 0,
 * and n_tags counts the whole ones). */
struct l2_place {
    uint16_t type;
    uint8_t n_tags;
    uint32_t end;
};
enum { TAGS_ALL = 8 };
static inline struct l2_place l2_locate(const uint8_t *d, uint32_t len, unsigned max_tags)
{
    struct l2_place l2 = {0, 0, 0};
    uint32_t at = ETH_HEADER;
    if (unlikely(len < ETH_HEADER))
        return l2;
    uint16_t type = peek16(d + 12);
    while (etype_is_vlan(type) && l2.n_tags < max_tags) {
        if (len < at + VLAN_HEADER)
            return l2;
        type = peek16(d + at + 2);
        at += VLAN_HEADER;
        l2.n_tags++;
    }
    if (unlikely(type < ETYPE_LOWEST)) {
        type = ETYPE_LLC;
        if (len >= at + 8 && !memcmp(d + at, "\xaa\xaa\x03\0\0\0", 6) && peek16(d + at + 6) >= ETYPE_LOWEST) {
            type = peek16(d + at + 6);
            at += 8;
        }
    }
    l2.type = type;
    l2.end = at;
    return l2;
}

/* An IP packet. Offsets count from its first byte. */
struct ip_place {
    uint8_t version; /* 4 or 6 */
    uint8_t proto;   /* of what follows all IP headers; IPv6 with a broken chain of headers: 0 */
    uint16_t proto_at; /* the byte that says so, from the packet's start */
    uint8_t frag;    /* FRAG_… of key.h */
    bool cut;        /* the chain of IPv6 extension headers is broken: what is behind is not known */
    uint16_t exthdr; /* EXTHDR_… of key.h; 0 if the chain is broken */
    bool routed;     /* IPv6 routing header with segments left: the destination is not the last one */
    uint32_t l4;     /* the transport header; 0: none, or not in this packet (a later fragment) */
    uint32_t end;    /* of the packet by its own length, and not behind the frame's end */
};

/* False: these `len` bytes do not start with a whole IP header of the version that `etype` says. */
bool ip_locate(const uint8_t *ip, uint32_t len, uint16_t etype, struct ip_place *);

/* The link-layer address (6 bytes) in the first option `type` of a neighbour message's options, or NULL. */
const uint8_t *nd_option(const uint8_t *options, uint32_t len, uint8_t type);

#endif
