#include "packet/compose.h"
#include "packet/csum.h"
#include "packet/ip.h"
#include "packet/parse.h"

enum { LEAST = 64 };

/* Where the next header goes. The frame is all zeros at first. */
struct pen {
    uint8_t *p, *end;
    const void *payload; /* of the transport, once */
    size_t payload_len;
};

static uint8_t *take(struct pen *w, size_t n)
{
    uint8_t *at = w->p;
    assert((size_t)(w->end - w->p) >= n);
    w->p += n;
    return at;
}

static void put(struct pen *w, const void *p, size_t n)
{
    if (n)
        memcpy(take(w, n), p, n);
}
static void put16(struct pen *w, uint16_t v) { poke16(take(w, 2), v); }
static void put32(struct pen *w, uint32_t v) { poke32(take(w, 4), v); }

static void put_tag(struct pen *w, be16 tpid, be16 tci)
{
    put16(w, tpid ? ntohs(tpid) : ETYPE_VLAN);
    put16(w, ntohs(tci) & ~VLAN_PRESENT);
}

static void put_eth(struct pen *w, const struct flow_key *k)
{
    uint16_t type = ntohs(k->eth.type);
    put(w, k->eth.dst, 6);
    put(w, k->eth.src, 6);
    if (k->eth.tci)
        put_tag(w, k->eth.tpid, k->eth.tci);
    if (k->eth.tci && k->eth.tci2)
        put_tag(w, k->eth.tpid2, k->eth.tci2);
    if (type >= ETYPE_LOWEST) {
        put16(w, type);
    } else {
        put16(w, 3); /* IEEE 802.3: the length of an LLC header, spanning tree's */
        put(w, "\x42\x42\x03", 3);
    }
}

static void put_arp(struct pen *w, const struct flow_key *k)
{
    put(w, "\0\1\x08\0\6\4", 6);
    put(w, &k->arp.op, 2);
    put(w, k->arp.sha, 6);
    put(w, &k->arp.spa, 4);
    put(w, k->arp.tha, 6);
    put(w, &k->arp.tpa, 4);
}

static void put_payload(struct pen *w) { put(w, w->payload, w->payload_len); }

static void put_icmp6(struct pen *w, const struct flow_key *k)
{
    static const uint8_t no_mac[6];
    bool solicit = k->l4.icmp_type == ND_SOLICIT;
    put(w, &k->l4.icmp_type, 2);
    put32(w, 0);
    put16(w, 0);
    if ((!solicit && k->l4.icmp_type != ND_ADVERT) || k->l4.icmp_code) {
        put_payload(w);
        return;
    }
    const uint8_t *mac = solicit ? k->nd.sll : k->nd.tll;
    put(w, k->nd.target, 16);
    if (memcmp(mac, no_mac, 6)) {
        put(w, solicit ? "\1\1" : "\2\1", 2);
        put(w, mac, 6);
    }
}

static void put_gre(struct pen *w, const struct flow_key *k)
{
    const uint8_t *start = w->p;
    uint16_t flags = ntohs(k->gre.flags);
    put(w, &k->gre.flags, 2);
    put(w, &k->gre.proto, 2);
    uint8_t *csum = flags & GRE_CSUM_PRESENT ? take(w, 4) : NULL;
    if (flags & GRE_KEY_PRESENT)
        put(w, &k->gre.key, 4);
    if (flags & GRE_SEQ_PRESENT)
        put32(w, 0);
    if (csum) {
        be16 sum = csum_finish(csum_add(start, w->p - start, 0));
        memcpy(csum, &sum, 2);
    }
}

/* Returns where the checksum goes that is over `sum` and the transport, or NULL. */
static uint8_t *put_l4(struct pen *w, const struct flow_key *k, bool v6)
{
    uint8_t *l4 = w->p;
    switch (k->ip.proto) {
    case IPPROTO_TCP:
        take(w, TCP_HEADER);
        memcpy(l4, &k->l4.src, 4);
        poke16(l4 + 12, 5 << 12 | (ntohs(k->l4.tcp_flags) & 0xfff));
        put_payload(w);
        return l4 + 16;
    case IPPROTO_UDP:
        take(w, UDP_HEADER);
        memcpy(l4, &k->l4.src, 4);
        poke16(l4 + 4, UDP_HEADER + w->payload_len);
        put_payload(w);
        return l4 + 6;
    case IPPROTO_SCTP: {
        take(w, SCTP_HEADER);
        memcpy(l4, &k->l4.src, 4);
        put_payload(w);
        uint32_t crc = htole32(crc32c(0, l4, SCTP_HEADER + w->payload_len));
        memcpy(l4 + 8, &crc, 4);
        return NULL;
    }
    case IPPROTO_ICMP:
        if (v6)
            return NULL;
        take(w, 8);
        memcpy(l4, &k->l4.icmp_type, 2);
        put_payload(w);
        return l4 + 2;
    case IPPROTO_ICMPV6:
        if (!v6)
            return NULL;
        put_icmp6(w, k);
        return l4 + 2;
    case IPPROTO_GRE:
        put_gre(w, k);
        return NULL;
    default:
        return NULL;
    }
}

static void finish_l4(const struct flow_key *k, uint8_t *l4, uint32_t len, uint8_t *csum, bool v6)
{
    uint16_t pseudo = v6 ? csum_pseudo6(k->ip6.src, k->ip6.dst, k->ip.proto, len)
                         : csum_pseudo4(k->ip4.src, k->ip4.dst, k->ip.proto, len);
    if (!csum)
        return;
    be16 sum = csum_finish(csum_add(l4, len, k->ip.proto == IPPROTO_ICMP ? 0 : pseudo));
    if (!sum && k->ip.proto == IPPROTO_UDP)
        sum = 0xffff;
    memcpy(csum, &sum, 2);
}

static void put_ipv4(struct pen *w, const struct flow_key *k, struct packet *p)
{
    uint8_t *ip = take(w, IPV4_HEADER), *l4 = w->p;
    ip[0] = 0x45;
    ip[1] = k->ip.tos;
    ip[8] = k->ip.ttl;
    ip[9] = k->ip.proto;
    memcpy(ip + 12, &k->ip4, 8);
    poke16(ip + 6, k->ip.frag & FRAG_LATER ? 185 : k->ip.frag ? 0x2000 : 0);
    if (!(k->ip.frag & FRAG_LATER)) {
        p->l4 = l4 - p->data;
        uint8_t *csum = put_l4(w, k, false);
        finish_l4(k, l4, w->p - l4, csum, false);
    }
    poke16(ip + 2, w->p - ip);
    be16 sum = csum_finish(csum_add(ip, IPV4_HEADER, 0));
    memcpy(ip + 10, &sum, 2);
}

static void put_ipv6(struct pen *w, const struct flow_key *k, struct packet *p)
{
    uint8_t *ip = take(w, IPV6_HEADER);
    poke32(ip, 6u << 28 | (uint32_t)k->ip.tos << 20 | (ntohl(k->ip.flabel) & 0xfffff));
    ip[6] = k->ip.frag ? IPPROTO_FRAGMENT : k->ip.proto;
    ip[7] = k->ip.ttl;
    memcpy(ip + 8, &k->ip6, 32);
    if (k->ip.frag) {
        uint8_t *fragment = take(w, 8);
        fragment[0] = k->ip.proto;
        poke16(fragment + 2, k->ip.frag & FRAG_LATER ? 185 << 3 : 1);
    }
    if (!(k->ip.frag & FRAG_LATER)) {
        uint8_t *l4 = w->p, *csum;
        p->l4 = l4 - p->data;
        csum = put_l4(w, k, true);
        finish_l4(k, l4, w->p - l4, csum, true);
    }
    poke16(ip + 4, w->p - ip - IPV6_HEADER);
}

void packet_compose(const struct flow_key *k, struct packet *p)
{
    packet_compose_payload(k, NULL, 0, p);
    p->len = MAX(p->len, LEAST);
}

void packet_compose_payload(const struct flow_key *k, const void *payload, size_t n, struct packet *p)
{
    size_t room = COMPOSE_ROOM + n;
    struct pen w = {p->data, p->data + room, payload, n};
    uint16_t type = ntohs(k->eth.type);
    assert(packet_headroom(p) + room <= p->size);
    memset(p->data, 0, room);
    p->l25 = p->l3 = p->l4 = 0xffff;
    put_eth(&w, k);
    if (etype_is_mpls(type)) {
        p->l25 = w.p - p->data;
        put(&w, &k->mpls.lse, 4);
        if (k->mpls.labels > 1)
            put(&w, &k->mpls.lse2, 4);
        type = ntohs(k->mpls.inner);
    } else if (type == ETYPE_PBB) {
        p->l3 = w.p - p->data;
        put(&w, &k->mpls.pbb, PBB_TCI);
        put(&w, k->eth.dst, 6);
        put(&w, k->eth.src, 6);
        put16(&w, ETYPE_LOCAL);
    } else {
        p->l3 = w.p - p->data - (type < ETYPE_LOWEST ? 3 : 0);
    }
    if (type == ETYPE_ARP || type == ETYPE_RARP)
        put_arp(&w, k);
    else if (type == ETYPE_IPV4)
        put_ipv4(&w, k, p);
    else if (type == ETYPE_IPV6)
        put_ipv6(&w, k, p);
    if (p->l3 == 0xffff)
        p->l4 = 0xffff;
    p->len = w.p - p->data;
    p->csum = CSUM_NONE;
    p->gso = GSO_NONE;
    memcpy(&p->tun, &k->tun, sizeof p->tun);
    p->in_phy_port = k->meta.in_phy_port == k->meta.in_port ? 0 : k->meta.in_phy_port;
}

void key_complete(struct flow_key *k)
{
    uint8_t room[PACKET_HEADROOM + COMPOSE_ROOM];
    struct packet p;
    struct flow_key parsed;
    packet_init(&p, room, sizeof room, PACKET_HEADROOM, 0);
    packet_compose(k, &p);
    key_parse(&p, 0, L_L4, &parsed);
    k->eth.n_tags = parsed.eth.n_tags;
    k->eth.has = parsed.eth.has;
    k->mpls.labels = parsed.mpls.labels;
    k->ip.flabel |= parsed.ip.flabel & htonl(HAS_IP | HAS_IP_PROTO);
    k->arp.has = parsed.arp.has;
    k->l4.tcp_flags |= parsed.l4.tcp_flags & htons(HAS_L4);
    k->nd.has = parsed.nd.has;
    k->nd.has_tll = parsed.nd.has_tll;
}
