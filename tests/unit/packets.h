/* packets.h: random keys and packets for the tests of lib/packet and what builds on it. */
#ifndef TESTS_PACKETS_H
#define TESTS_PACKETS_H 1

#include "unit.h"
#include "packet/compose.h"
#include "packet/field.h"
#include "packet/ip.h"
#include "packet/parse.h"

static inline void packets_bytes(uint64_t *rng, void *p, size_t n)
{
    for (size_t i = 0; i < n; i += sizeof(uint64_t)) {
        uint64_t r = unit_random(rng);
        memcpy((uint8_t *)p + i, &r, MIN(n - i, sizeof r));
    }
}

/* A random value of a field, with edges more often than chance gives them. */
static inline void packets_field_value(uint64_t *rng, enum field_id f, union field_value *v)
{
    union field_value ones;
    field_all_ones(f, &ones);
    switch (unit_below(rng, 8)) {
    case 0: memset(v, 0, sizeof *v); break;
    case 1: *v = ones; break;
    case 2: field_value_set_u64(v, 1); break;
    default: packets_bytes(rng, v, sizeof *v); break;
    }
    for (int i = 0; i < 2; i++)
        v->w[i] &= ones.w[i];
}

/* What the parser says of headers that are there whole. */
static inline void packets_has(struct flow_key *k)
{
    static const uint8_t none[6];
    uint16_t outer = ntohs(k->eth.type), type = etype_is_mpls(outer) ? ntohs(k->mpls.inner) : outer;
    bool v6 = type == ETYPE_IPV6, later = k->ip.frag & FRAG_LATER;
    uint8_t p = k->ip.proto;
    k->eth.has = etype_is_mpls(outer) ? HAS_MPLS : outer == ETYPE_PBB ? HAS_PBB : 0;
    k->arp.has = type == ETYPE_ARP || type == ETYPE_RARP ? HAS_ARP : 0;
    if (type != ETYPE_IPV4 && !v6)
        return;
    k->ip.flabel |= htonl(HAS_IP | HAS_IP_PROTO | (v6 && k->ip.frag ? EXTHDR_FRAG << EXTHDR_SHIFT : 0));
    if (!later && (p == 6 || p == 17 || p == 132 || p == 47 || p == (v6 ? 58 : 1)))
        k->l4.tcp_flags |= htons(HAS_L4);
    if (!later && v6 && p == 58 && !k->l4.icmp_code && (k->l4.icmp_type == 135 || k->l4.icmp_type == 136)) {
        k->nd.has = HAS_ND | (memcmp(k->nd.sll, none, 6) ? HAS_ND_SLL : 0);
        k->nd.has_tll = memcmp(k->nd.tll, none, 6) ? HAS_ND_TLL : 0;
    }
}

static inline void packets_l4(uint64_t *rng, struct flow_key *k, bool v6)
{
    static const uint8_t protos[] = {6, 17, 132, 1, 58, 47, 89};
    k->ip.proto = protos[unit_below(rng, sizeof protos)];
    if (k->ip.frag & FRAG_LATER)
        return;
    switch (k->ip.proto) {
    case 6: k->l4.tcp_flags = htons(unit_random(rng) & 0xfff); /* fall through */
    case 17:
    case 132: packets_bytes(rng, &k->l4.src, 4); break;
    case 1:
        if (!v6)
            packets_bytes(rng, &k->l4.icmp_type, 2);
        break;
    case 58:
        if (!v6)
            break;
        packets_bytes(rng, &k->l4.icmp_type, 2);
        if (unit_below(rng, 2)) {
            k->l4.icmp_type = ND_SOLICIT + unit_below(rng, 2);
            k->l4.icmp_code = 0;
            packets_bytes(rng, k->nd.target, 16);
            if (unit_below(rng, 2))
                packets_bytes(rng, k->l4.icmp_type == ND_SOLICIT ? k->nd.sll : k->nd.tll, 6);
        }
        break;
    case 47:
        k->gre.proto = htons(unit_random(rng));
        k->gre.flags = htons(unit_random(rng) & (GRE_CSUM_PRESENT | GRE_KEY_PRESENT | GRE_SEQ_PRESENT));
        if (k->gre.flags & htons(GRE_KEY_PRESENT))
            k->gre.key = htonl(unit_random(rng));
        break;
    }
}

/* The key of a packet that can exist, of any kind that the parser knows. */
static inline void packets_random_key(uint64_t *rng, struct flow_key *k)
{
    static const uint16_t types[] = {ETYPE_IPV4, ETYPE_IPV4, ETYPE_IPV6, ETYPE_IPV6, ETYPE_ARP,  ETYPE_RARP,
                                     ETYPE_MPLS, ETYPE_MPLS_MC, ETYPE_LLC, ETYPE_PBB, 0x88cc};
    static const uint16_t tpids[] = {ETYPE_VLAN, ETYPE_SVLAN, ETYPE_QINQ};
    uint16_t type = types[unit_below(rng, ARRAY_SIZE(types))];
    memset(k, 0, sizeof *k);
    k->meta.in_port = htonl(1 + unit_below(rng, 1000));
    k->meta.in_phy_port = unit_below(rng, 2) ? k->meta.in_port : htonl(7);
    if (unit_below(rng, 2)) {
        packets_bytes(rng, &k->tun, sizeof k->tun);
        k->tun.marks = k->tun.zero = 0;
    }
    packets_bytes(rng, k->eth.dst, 6);
    packets_bytes(rng, k->eth.src, 6);
    k->eth.type = htons(type);
    unsigned tags = unit_below(rng, 4);
    if (tags > 1) {
        k->eth.tpid = htons(tpids[unit_below(rng, 3)]);
        k->eth.tci = htons(unit_random(rng) | VLAN_PRESENT);
    }
    if (tags > 2) {
        k->eth.tpid2 = htons(tpids[unit_below(rng, 3)]);
        k->eth.tci2 = htons(unit_random(rng) | VLAN_PRESENT);
    }
    k->eth.n_tags = (k->eth.tci != 0) + (k->eth.tci2 != 0);
    if (type == ETYPE_PBB)
        k->mpls.pbb = htonl(unit_random(rng));
    if (etype_is_mpls(type)) {
        k->mpls.labels = 1 + unit_below(rng, 3);
        k->mpls.lse = htonl((unit_random(rng) & 0xfffffeff) | (k->mpls.labels == 1 ? 0x100 : 0));
        if (k->mpls.labels > 1)
            k->mpls.lse2 = htonl((unit_random(rng) & 0xfffffeff) | (k->mpls.labels == 2 ? 0x100 : 0));
        if (k->mpls.labels < 3 && unit_below(rng, 3)) {
            type = unit_below(rng, 2) ? ETYPE_IPV4 : ETYPE_IPV6;
            k->mpls.inner = htons(type);
        }
    }
    if (type == ETYPE_ARP || type == ETYPE_RARP) {
        packets_bytes(rng, &k->arp, sizeof k->arp);
        k->arp.zero = 0;
    }
    if (type != ETYPE_IPV4 && type != ETYPE_IPV6) {
        packets_has(k);
        return;
    }
    static const uint8_t frags[] = {0, 0, 0, FRAG_ANY, FRAG_ANY | FRAG_LATER};
    packets_bytes(rng, &k->ip, sizeof k->ip);
    k->ip.frag = frags[unit_below(rng, sizeof frags)];
    if (type == ETYPE_IPV6) {
        k->ip.flabel = htonl(unit_random(rng) & 0xfffff);
        packets_bytes(rng, &k->ip6, sizeof k->ip6);
    } else {
        k->ip.flabel = 0;
        packets_bytes(rng, &k->ip4, sizeof k->ip4);
    }
    packets_l4(rng, k, type == ETYPE_IPV6);
    packets_has(k);
}

#endif
