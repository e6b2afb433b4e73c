/* parse.h: bytes of a packet to its key.
 *
 * key_parse() fills every field of `key` up to and including layer `depth`, what is deeper stays zero, and notes the
 * header offsets in the packet. in_port: OpenFlow number, host order. A header that is cut short or malformed ends the
 * parse: the fields that it would have given are zero, their HAS_… bits too (key.h), and nothing is ever read behind the
 * packet's end. Below up to two MPLS labels an IP packet is parsed as well, for who pops them. Metadata,
 * registers and marks start at zero; tun comes from the packet.
 *
 * Later fragments have no L4 fields. IPv6: proto is that of the header behind the extension headers (at most 16 of them).
 * 802.3 frames without LLC/SNAP type have type 0x05ff (OpenFlow 1.0, 3.4; 1.3 leaves it open). */
#ifndef PACKET_PARSE_H
#define PACKET_PARSE_H 1

#include <string.h>
#include "packet/ip.h"
#include "packet/packet.h"

void key_parse(struct packet *p, uint32_t in_port, enum layer depth, struct flow_key *key);

/* The commonest packets straight ahead, with the same result: Ethernet without tags; below it, as deep as asked, IPv4
 * without options that is no fragment, and TCP, UDP, or GRE with a key or nothing. False: p is none of them, ask key_parse(). Of `key` it writes
 * the words of KEY_FAST_WORDS alone; the others, where they matter, are the caller's to clear. Whole words in one
 * store each: they are read so right after. */
static inline bool key_parse_fast(struct packet *p, uint32_t in_port, enum layer depth, struct flow_key *key);

#define KEY_WORDS_OF(MEMBER) \
    ((UINT64_MAX >> (64 - sizeof(((struct flow_key *)0)->MEMBER) / 8)) << offsetof(struct flow_key, MEMBER) / 8)
#define KEY_FAST_WORDS                                                                                         \
    (UINT64_C(1) | KEY_WORDS_OF(tun) | KEY_WORDS_OF(eth) | KEY_WORDS_OF(ip) | KEY_WORDS_OF(ip4) | KEY_WORDS_OF(l4) | \
     KEY_WORDS_OF(gre))

static inline uint64_t key_load(const void *p, unsigned n)
{
    uint64_t v = 0;
    memcpy(&v, p, n);
    return v;
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
static inline bool key_parse_fast(struct packet *p, uint32_t in_port, enum layer depth, struct flow_key *key)
{
    enum { IP_AT = ETH_HEADER, L4_AT = IP_AT + IPV4_HEADER, MAC_BITS = 48 };
    const uint64_t mac = (UINT64_C(1) << MAC_BITS) - 1;
    const uint8_t *d = p->data;
    uint64_t *words = key_words(key);
    if (unlikely(p->len < L4_AT + UDP_HEADER))
        return false;
    uint64_t type = key_load(d + 12, 2), port = htonl(in_port);
    if (unlikely(type != htons(ETYPE_IPV4)))
        return false;
    words[0] = port | (uint64_t)(p->in_phy_port ? p->in_phy_port : port) << 32;
    memcpy(&key->tun, &p->tun, sizeof key->tun);
    uint64_t *eth = words + offsetof(struct flow_key, eth) / 8;
    eth[0] = (key_load(d, 8) & mac) | type << MAC_BITS;
    eth[1] = key_load(d + 6, 8) & mac;
    eth[2] = 0;
    p->l25 = p->l4 = 0xffff;
    p->l3 = IP_AT;
    uint64_t *ip = words + offsetof(struct flow_key, ip) / 8, *l4 = words + offsetof(struct flow_key, l4) / 8;
    uint64_t *gre = words + offsetof(struct flow_key, gre) / 8;
    gre[0] = 0;
    if (depth < L_IP) {
        ip[0] = ip[1] = l4[0] = 0;
        return true;
    }
    const uint8_t *h = d + IP_AT, *t = d + L4_AT;
    unsigned proto = h[9], need = UDP_HEADER;
    if (proto == IPPROTO_TCP) {
        need = TCP_HEADER;
    } else if (proto == IPPROTO_GRE) {
        uint64_t gre_flags = key_load(t, 2);
        if (gre_flags & ~(uint64_t)htons(GRE_KEY_PRESENT))
            return false;
    } else if (unlikely(proto != IPPROTO_UDP)) {
        return false;
    }
    need += IPV4_HEADER;
    if (unlikely(h[0] != 0x45 || key_load(h + 6, 2) & htons(0x3fff) || peek16(h + 2) < need || p->len - IP_AT < need))
        return false;
    ip[0] = proto | (uint64_t)h[1] << 8 | (uint64_t)h[8] << 16 | (uint64_t)htonl(HAS_IP | HAS_IP_PROTO) << 32;
    ip[1] = key_load(h + 12, 8);
    if (depth < L_L4)
        l4[0] = 0;
    else if (proto == IPPROTO_GRE) {
        l4[0] = (uint64_t)htons(HAS_L4) << 32;
        gre[0] = (key_load(t, 2) ? key_load(t + 4, 4) : 0) | key_load(t, 4) << 32;
    } else {
        l4[0] = key_load(t, 4) | (proto == IPPROTO_TCP ? key_load(t + 12, 2) & htons(0xfff) : 0) << 32 |
                (uint64_t)htons(HAS_L4) << 32;
    }
    p->l4 = L4_AT;
    return true;
}
#else
static inline bool key_parse_fast(struct packet *p, uint32_t in_port, enum layer depth, struct flow_key *key)
{
    (void)p, (void)in_port, (void)depth, (void)key;
    return false;
}
#endif

#endif
