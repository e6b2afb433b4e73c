#include "packet/parse.h"
#include "packet/ip.h"

static_assert(sizeof(((struct packet *)0)->tun) == sizeof(((struct flow_key *)0)->tun), "copied as a whole");

/* RFC 3032: the stack from p->l25 on, and what an IP packet below it is by its first bits. */
static void parse_mpls(const struct packet *p, struct flow_key *key)
{
    const uint8_t *l = p->data + p->l25;
    uint32_t left = p->len - p->l25, size = MPLS_LSE;
    memcpy(&key->mpls.lse, l, MPLS_LSE);
    key->eth.has = HAS_MPLS;
    key->mpls.labels = 1;
    if (!(l[2] & 1)) {
        if (left < 2 * MPLS_LSE) {
            key->mpls.labels = 0;
            return;
        }
        memcpy(&key->mpls.lse2, l + MPLS_LSE, MPLS_LSE);
        size = 2 * MPLS_LSE;
        key->mpls.labels = l[MPLS_LSE + 2] & 1 ? 2 : 3;
    }
    if (key->mpls.labels < 3 && left > size)
        key->mpls.inner = l[size] >> 4 == 4 ? htons(ETYPE_IPV4) : l[size] >> 4 == 6 ? htons(ETYPE_IPV6) : 0;
}

/* Returns the Ethernet type of what stands at p->l3, 0 if nothing that is parsed does. */
static uint16_t parse_eth(struct packet *p, struct flow_key *key)
{
    const uint8_t *d = p->data;
    struct l2_place l2 = l2_locate(d, p->len, TAGS_ALL);
    if (unlikely(p->len < ETH_HEADER))
        return 0;
    memcpy(key->eth.dst, d, 6);
    memcpy(key->eth.src, d + 6, 6);
    key->eth.type = htons(l2.type);
    key->eth.n_tags = l2.n_tags;
    if (l2.n_tags) {
        key->eth.tpid = htons(peek16(d + 12));
        key->eth.tci = htons(peek16(d + 14) | VLAN_PRESENT);
    }
    if (l2.n_tags > 1) {
        key->eth.tpid2 = htons(peek16(d + 16));
        key->eth.tci2 = htons(peek16(d + 18) | VLAN_PRESENT);
    }
    if (!l2.end)
        return 0;
    if (unlikely(etype_is_mpls(l2.type))) {
        if (p->len - l2.end >= MPLS_LSE) {
            p->l25 = l2.end;
            parse_mpls(p, key);
        }
        return 0;
    }
    if (unlikely(l2.type == ETYPE_PBB) && p->len - l2.end >= PBB_HEADER) {
        memcpy(&key->mpls.pbb, d + l2.end, PBB_TCI);
        key->eth.has = HAS_PBB;
    }
    p->l3 = l2.end;
    return l2.type;
}

/* RFC 826 for Ethernet and IPv4; RARP (RFC 903) has the same layout. */
static void parse_arp(const struct packet *p, struct flow_key *key)
{
    const uint8_t *a = p->data + p->l3;
    if (p->len - p->l3 < ARP_PACKET || memcmp(a, "\0\1\x08\0\6\4", 6))
        return;
    key->arp.has = HAS_ARP;
    memcpy(&key->arp.op, a + 6, 2);
    memcpy(key->arp.sha, a + 8, 6);
    memcpy(&key->arp.spa, a + 14, 4);
    memcpy(key->arp.tha, a + 18, 6);
    memcpy(&key->arp.tpa, a + 24, 4);
}

static void parse_icmp6(const uint8_t *h, uint32_t len, struct flow_key *key)
{
    if (len < 4)
        return;
    key->l4.tcp_flags = htons(HAS_L4);
    key->l4.icmp_type = h[0];
    key->l4.icmp_code = h[1];
    bool solicit = h[0] == ND_SOLICIT;
    if ((!solicit && h[0] != ND_ADVERT) || h[1] || len < ND_HEADER)
        return;
    memcpy(key->nd.target, h + 8, 16);
    key->nd.has = HAS_ND;
    const uint8_t *mac = nd_option(h + ND_HEADER, len - ND_HEADER, solicit ? ND_OPT_SLL : ND_OPT_TLL);
    if (!mac)
        return;
    memcpy(solicit ? key->nd.sll : key->nd.tll, mac, 6);
    key->nd.has |= solicit ? HAS_ND_SLL : 0;
    key->nd.has_tll = solicit ? 0 : HAS_ND_TLL;
}

/* RFC 2784, RFC 2890. With version 1 (RFC 2637) or a routing field (RFC 1701) the next word is no key, and the key's
 * bit is taken out of `flags`, so that nothing matches a key there. */
static void parse_gre(const uint8_t *h, uint32_t len, struct flow_key *key)
{
    if (len < 4)
        return;
    uint16_t flags = peek16(h);
    uint32_t at = flags & GRE_CSUM_PRESENT ? 8 : 4;
    if (flags & (GRE_ROUTING_PRESENT | GRE_VERSION_BITS))
        flags &= ~GRE_KEY_PRESENT;
    if (flags & GRE_KEY_PRESENT) {
        if (len < at + 4)
            return;
        memcpy(&key->gre.key, h + at, 4);
    }
    key->l4.tcp_flags = htons(HAS_L4);
    key->gre.flags = htons(flags);
    memcpy(&key->gre.proto, h + 2, 2);
}

static void parse_l4(const uint8_t *h, uint32_t len, const struct ip_place *ip, struct flow_key *key)
{
    switch (ip->proto) {
    case IPPROTO_TCP:
        if (len >= TCP_HEADER) {
            memcpy(&key->l4.src, h, 4);
            key->l4.tcp_flags = htons((peek16(h + 12) & 0xfff) | HAS_L4);
        }
        break;
    case IPPROTO_UDP:
    case IPPROTO_SCTP:
        if (len >= (ip->proto == IPPROTO_UDP ? UDP_HEADER : SCTP_HEADER)) {
            memcpy(&key->l4.src, h, 4);
            key->l4.tcp_flags = htons(HAS_L4);
        }
        break;
    case IPPROTO_ICMP:
        if (ip->version == 4 && len >= 8) {
            memcpy(&key->l4.icmp_type, h, 2);
            key->l4.tcp_flags = htons(HAS_L4);
        }
        break;
    case IPPROTO_ICMPV6:
        if (ip->version == 6)
            parse_icmp6(h, len, key);
        break;
    case IPPROTO_GRE:
        parse_gre(h, len, key);
        break;
    }
}

/* From `l3` on. Returns where the transport is, 0xffff: nowhere. */
static uint16_t parse_ip(const struct packet *p, uint16_t l3, uint16_t type, enum layer depth, struct flow_key *key)
{
    const uint8_t *ip = p->data + l3;
    struct ip_place at;
    if (!ip_locate(ip, p->len - l3, type, &at))
        return 0xffff;
    key->ip.proto = at.proto;
    key->ip.frag = at.frag;
    if (at.version == 4) {
        key->ip.tos = ip[1];
        key->ip.ttl = ip[8];
        memcpy(&key->ip4, ip + 12, 8);
        key->ip.flabel = htonl(HAS_IP | HAS_IP_PROTO);
    } else {
        uint32_t w = peek32(ip);
        key->ip.tos = w >> 20;
        key->ip.ttl = ip[7];
        key->ip.flabel = htonl((w & 0xfffff) | (uint32_t)at.exthdr << EXTHDR_SHIFT | HAS_IP | (at.cut ? 0 : HAS_IP_PROTO));
        memcpy(&key->ip6, ip + 8, 32);
    }
    if (!at.l4)
        return 0xffff;
    if (depth >= L_L4)
        parse_l4(ip + at.l4, at.end - at.l4, &at, key);
    return (uint16_t)(l3 + at.l4);
}

void key_parse(struct packet *p, uint32_t in_port, enum layer depth, struct flow_key *key)
{
    memset(key, 0, sizeof *key);
    key->meta.in_port = htonl(in_port);
    key->meta.in_phy_port = p->in_phy_port ? p->in_phy_port : key->meta.in_port;
    memcpy(&key->tun, &p->tun, sizeof key->tun);
    p->l25 = p->l3 = p->l4 = 0xffff;
    if (depth < L_ETH)
        return;
    uint16_t type = parse_eth(p, key);
    if (depth < L_IP)
        return;
    if (type == ETYPE_IPV4 || type == ETYPE_IPV6)
        p->l4 = parse_ip(p, p->l3, type, depth, key);
    else if (unlikely(key->mpls.inner))
        parse_ip(p, p->l25 + (uint16_t)(MPLS_LSE * key->mpls.labels), ntohs(key->mpls.inner), depth, key);
    else if (type == ETYPE_ARP || type == ETYPE_RARP)
        parse_arp(p, key);
}
