#include "packet/modify.h"
#include "packet/csum.h"
#include "packet/ip.h"

/* Transports with a checksum: where it is, whether the addresses are in it, and whether 0 means none. SCTP's is a CRC
 * over the transport alone. RFC 9293, 768, 3828 (UDP-Lite), 4340 (DCCP), 4443, 792, 9260. */
static const struct transport {
    uint8_t proto, version /* of IP, 0: both */, csum_at, header;
    bool pseudo, zero_is_none, crc;
} transports[] = {
    {IPPROTO_TCP, 0, 16, TCP_HEADER, true, false, false},
    {IPPROTO_UDP, 0, 6, UDP_HEADER, true, true, false},
    {IPPROTO_UDPLITE, 0, 6, UDP_HEADER, true, false, false},
    {IPPROTO_DCCP, 0, 6, 12, true, false, false},
    {IPPROTO_ICMPV6, 6, 2, 4, true, false, false},
    {IPPROTO_ICMP, 4, 2, 8, false, false, false},
    {IPPROTO_SCTP, 0, 8, SCTP_HEADER, false, false, true},
};

/* What the modifier knows of a packet: pointers are NULL where there is no such header. */
struct headers {
    struct packet *p;
    uint16_t type;
    uint8_t *etype, *lse, *pbb, *ip, *l4, *arp;
    uint32_t l4_len;
    struct ip_place place;
    const struct transport *transport; /* only if all of its header is there */
};

static void find_headers(struct packet *p, struct headers *h)
{
    struct l2_place l2 = l2_locate(p->data, p->len, TAGS_ALL);
    *h = (struct headers){.p = p, .type = l2.type};
    if (!l2.end)
        return;
    uint8_t *l3 = p->data + l2.end;
    h->etype = l2.type == ETYPE_LLC ? NULL : l3 - 2;
    uint32_t len = p->len - l2.end;
    if (etype_is_mpls(l2.type) && len >= 4)
        h->lse = l3;
    if (l2.type == ETYPE_PBB && len >= PBB_HEADER)
        h->pbb = l3;
    if ((l2.type == ETYPE_ARP || l2.type == ETYPE_RARP) && len >= ARP_PACKET && !memcmp(l3, "\0\1\x08\0\6\4", 6))
        h->arp = l3;
    if (!ip_locate(l3, len, l2.type, &h->place))
        return;
    h->ip = l3;
    if (!h->place.l4 || h->place.l4 > h->place.end)
        return;
    h->l4 = l3 + h->place.l4;
    h->l4_len = h->place.end - h->place.l4;
    for (size_t i = 0; i < ARRAY_SIZE(transports); i++) {
        const struct transport *t = &transports[i];
        if (t->proto == h->place.proto && (!t->version || t->version == h->place.version) && h->l4_len >= t->header)
            h->transport = t;
    }
}

/* --- Where a field lies --- */

enum region { IN_FRAME, IN_IP, IN_ADDRESS, IN_L4, IS_PROTO };

/* A big-endian number of `size` bytes at `at`, in which the field starts `shift` bits from the right. */
struct place {
    uint8_t *at;
    uint8_t size, shift;
    enum region region;
};

static bool is_transport(const struct headers *h, uint8_t proto) { return h->transport && h->transport->proto == proto; }

static bool has_nd(const struct headers *h, uint8_t type)
{
    return is_transport(h, IPPROTO_ICMPV6) && h->l4_len >= ND_HEADER && h->l4[0] == type && !h->l4[1];
}

static uint8_t *find_nd_option(const struct headers *h, uint8_t message, uint8_t option)
{
    return has_nd(h, message) ? (uint8_t *)nd_option(h->l4 + ND_HEADER, h->l4_len - ND_HEADER, option) : NULL;
}

/* Does the packet hold what the field demands? The prerequisites of match.c, asked of a packet. */
static bool packet_has(const struct headers *h, enum field_prereq prereq)
{
    uint8_t version = h->ip ? h->place.version : 0;
    switch (prereq) {
    case P_NONE: return true;
    case P_IN_PORT: return false;
    case P_VLAN: return h->p->len >= ETH_HEADER + VLAN_HEADER && etype_is_vlan(peek16(h->p->data + 12));
    case P_MPLS: return h->lse != NULL;
    case P_IP: return version != 0;
    case P_IPV4: return version == 4;
    case P_IPV6: return version == 6;
    case P_ARP: return h->arp != NULL;
    case P_TCP: return is_transport(h, IPPROTO_TCP);
    case P_UDP: return is_transport(h, IPPROTO_UDP);
    case P_SCTP: return is_transport(h, IPPROTO_SCTP);
    case P_ICMPV4: return is_transport(h, IPPROTO_ICMP);
    case P_ICMPV6: return is_transport(h, IPPROTO_ICMPV6);
    case P_ND: return has_nd(h, ND_SOLICIT) || has_nd(h, ND_ADVERT);
    case P_ND_SOLICIT: return has_nd(h, ND_SOLICIT);
    case P_ND_ADVERT: return has_nd(h, ND_ADVERT);
    case P_GRE: return h->l4 && h->place.proto == IPPROTO_GRE;
    case P_PBB: return h->pbb != NULL;
    case N_PREREQS: break;
    }
    return false;
}

/* RFC 8200, 3: version 4 bits, traffic class 8, flow label 20. */
enum { IPV6_TC_SHIFT = 20 };

static struct place find_place(const struct headers *h, enum field_id f)
{
    uint8_t *d = h->p->data, shift = fields[f].shift;
    bool v6 = h->ip && h->place.version == 6;
    switch (f) {
    case FIELD_ETH_DST: return (struct place){d, 6, 0, IN_FRAME};
    case FIELD_ETH_SRC: return (struct place){d + 6, 6, 0, IN_FRAME};
    case FIELD_ETH_TYPE: return (struct place){h->etype, 2, 0, IN_FRAME};
    case FIELD_MPLS_LABEL:
    case FIELD_MPLS_TC:
    case FIELD_MPLS_BOS:
    case FIELD_MPLS_TTL: return (struct place){h->lse, 4, shift, IN_FRAME};
    case FIELD_PBB_ISID:
    case FIELD_PBB_UCA: return (struct place){h->pbb, 4, shift, IN_FRAME};
    case FIELD_IP_TOS:
    case FIELD_IP_DSCP:
    case FIELD_IP_ECN:
        return v6 ? (struct place){h->ip, 4, IPV6_TC_SHIFT + shift, IN_IP} : (struct place){h->ip, 2, shift, IN_IP};
    case FIELD_IP_PROTO: return (struct place){h->ip + h->place.proto_at, 1, 0, IS_PROTO};
    case FIELD_IP_TTL: return v6 ? (struct place){h->ip + 6, 2, 0, IN_IP} : (struct place){h->ip + 8, 2, 8, IN_IP};
    case FIELD_IPV6_FLABEL: return (struct place){h->ip, 4, 0, IN_IP};
    case FIELD_IPV4_SRC: return (struct place){h->ip + 12, 4, 0, IN_ADDRESS};
    case FIELD_IPV4_DST: return (struct place){h->ip + 16, 4, 0, IN_ADDRESS};
    case FIELD_IPV6_SRC: return (struct place){h->ip + 8, 16, 0, IN_ADDRESS};
    /* RFC 8200, 8.1: with a routing header the pseudo-header has the final destination, which is not here. */
    case FIELD_IPV6_DST: return (struct place){h->ip + 24, 16, 0, h->place.routed ? IN_IP : IN_ADDRESS};
    case FIELD_ARP_OP: return (struct place){h->arp + 6, 2, 0, IN_FRAME};
    case FIELD_ARP_SHA: return (struct place){h->arp + 8, 6, 0, IN_FRAME};
    case FIELD_ARP_SPA: return (struct place){h->arp + 14, 4, 0, IN_FRAME};
    case FIELD_ARP_THA: return (struct place){h->arp + 18, 6, 0, IN_FRAME};
    case FIELD_ARP_TPA: return (struct place){h->arp + 24, 4, 0, IN_FRAME};
    case FIELD_TCP_SRC:
    case FIELD_UDP_SRC:
    case FIELD_SCTP_SRC: return (struct place){h->l4, 2, 0, IN_L4};
    case FIELD_TCP_DST:
    case FIELD_UDP_DST:
    case FIELD_SCTP_DST: return (struct place){h->l4 + 2, 2, 0, IN_L4};
    case FIELD_ICMPV4_TYPE:
    case FIELD_ICMPV6_TYPE: return (struct place){h->l4, 2, 8, IN_L4};
    case FIELD_ICMPV4_CODE:
    case FIELD_ICMPV6_CODE: return (struct place){h->l4, 2, 0, IN_L4};
    case FIELD_ND_TARGET: return (struct place){h->l4 + 8, 16, 0, IN_L4};
    case FIELD_ND_SLL: return (struct place){find_nd_option(h, ND_SOLICIT, ND_OPT_SLL), 6, 0, IN_L4};
    case FIELD_ND_TLL: return (struct place){find_nd_option(h, ND_ADVERT, ND_OPT_TLL), 6, 0, IN_L4};
    default: return (struct place){NULL, 0, 0, IN_FRAME};
    }
}

/* --- Checksums --- */

/* The packet's own checksum is only started, and it is this transport's. */
static bool is_partial(const struct headers *h)
{
    const struct packet *p = h->p;
    return p->csum == CSUM_PARTIAL && p->data + p->csum_start == h->l4 && p->csum_offset == h->transport->csum_at;
}

static void follow_sum(uint8_t *at, const void *old, const void *new, size_t n)
{
    be16 sum;
    memcpy(&sum, at, 2);
    csum_replace(&sum, old, new, n);
    memcpy(at, &sum, 2);
}

/* n bytes of the transport header or of the pseudo-header have changed. */
static void follow_transport(const struct headers *h, bool pseudo, const uint8_t *old, const uint8_t *new, size_t n)
{
    const struct transport *t = h->transport;
    be16 sum;
    if (!t || t->crc || (pseudo && !t->pseudo))
        return;
    uint8_t *at = h->l4 + t->csum_at;
    memcpy(&sum, at, 2);
    if (is_partial(h)) {
        /* Here stands the pseudo-header's sum, not complemented; the rest is not summed yet. */
        if (!pseudo)
            return;
        sum = ~sum;
        csum_replace(&sum, old, new, n);
        sum = ~sum;
    } else {
        if (t->zero_is_none && !sum)
            return;
        csum_replace(&sum, old, new, n);
        /* 0 and 0xffff are the same sum, unless all that is summed is zero (an echo reply may be): then only 0xffff
         * is right. */
        if ((t->zero_is_none || !t->pseudo) && !sum)
            sum = 0xffff;
    }
    memcpy(at, &sum, 2);
}

/* RFC 9260: the CRC over the whole packet with a zero field. */
static uint32_t sctp_crc(const struct headers *h)
{
    uint32_t crc = crc32c(0, h->l4, h->transport->csum_at);
    crc = crc32c(crc, "\0\0\0\0", 4);
    return crc32c(crc, h->l4 + SCTP_HEADER, h->l4_len - SCTP_HEADER);
}

/* The protocol is in the header's sum and, of the transport that it names so far, in the pseudo-header's. */
static void follow_proto(const struct headers *h, uint8_t old, uint8_t new)
{
    uint8_t ttl = h->ip[8], before[2] = {0, old}, after[2] = {0, new};
    follow_transport(h, true, before, after, 2);
    if (h->place.version == 4)
        follow_sum(h->ip + 10, (uint8_t[]){ttl, old}, (uint8_t[]){ttl, new}, 2);
}

/* Writes n bytes, and every checksum over them. */
static bool write_bytes(const struct headers *h, const struct place *at, const uint8_t *new)
{
    uint8_t old[16];
    memcpy(old, at->at, at->size);
    if (!memcmp(old, new, at->size))
        return true;
    bool crc = at->region == IN_L4 && h->transport && h->transport->crc && !is_partial(h);
    if (crc && h->place.frag)
        return false; /* a CRC can only follow where all the bytes are */
    /* A sum that was wrong stays wrong: the difference is what is written. */
    uint32_t before = crc ? sctp_crc(h) : 0;
    memcpy(at->at, new, at->size);
    if (crc) {
        uint8_t *field = h->l4 + h->transport->csum_at;
        uint32_t sum;
        memcpy(&sum, field, 4);
        sum ^= htole32(before ^ sctp_crc(h));
        memcpy(field, &sum, 4);
    }
    if ((at->region == IN_IP || at->region == IN_ADDRESS) && h->place.version == 4)
        follow_sum(h->ip + 10, old, new, at->size);
    if (at->region == IS_PROTO)
        follow_proto(h, *old, *new);
    if (at->region == IN_ADDRESS || at->region == IN_L4)
        follow_transport(h, at->region == IN_ADDRESS, old, new, at->size);
    return true;
}

/* --- VLAN tags --- */

/* As Nicira's vlan_tci: the present bit pushes and pops. */
static bool set_tci(struct packet *p, uint16_t value, uint16_t mask)
{
    bool tagged = p->len >= ETH_HEADER + VLAN_HEADER && etype_is_vlan(peek16(p->data + 12));
    uint16_t wire = tagged ? peek16(p->data + 14) : 0, old = tagged ? wire | VLAN_PRESENT : 0;
    uint16_t new = (old & ~mask) | (value & mask);
    if (!(new & VLAN_PRESENT))
        return !tagged || packet_pop_vlan(p);
    if (!tagged)
        return packet_push_vlan(p, htons(ETYPE_VLAN), htons(new & ~VLAN_PRESENT));
    poke16(p->data + 14, (new & ~VLAN_PRESENT) | (wire & VLAN_PRESENT)); /* that bit is DEI on the wire: kept */
    return true;
}

bool packet_set_field(struct packet *p, enum field_id f, const union field_value *value, const union field_value *mask)
{
    struct headers h;
    uint8_t old[16], new[16];
    unsigned shift = fields[f].shift;
    if (fields[f].access == RO || fields[f].layer == L_META || p->len < ETH_HEADER)
        return false;
    find_headers(p, &h);
    if (!packet_has(&h, fields[f].prereq))
        return false;
    if (f == FIELD_VLAN_TCI)
        return set_tci(p, field_value_u64(value), field_value_u64(mask));
    if (f == FIELD_VLAN_VID || f == FIELD_VLAN_PCP)
        return packet_has(&h, P_VLAN) && set_tci(p, field_value_u64(value) << shift,
                                                 (field_value_u64(mask) << shift & 0xffff) & ~VLAN_PRESENT);
    struct place at = find_place(&h, f);
    if (!at.at || (at.region == IS_PROTO && h.place.cut))
        return false;
    memcpy(old, at.at, at.size);
    if (at.size == 16) {
        for (int i = 0; i < 16; i++)
            new[i] = (old[i] & ~mask->b[i]) | (value->b[i] & mask->b[i]);
    } else {
        be64 n = 0;
        memcpy((uint8_t *)&n + 8 - at.size, old, at.size);
        uint64_t m = (field_value_u64(mask) & (UINT64_MAX >> (64 - fields[f].bits))) << at.shift;
        n = htobe64((be64toh(n) & ~m) | (field_value_u64(value) << at.shift & m));
        memcpy(new, (uint8_t *)&n + 8 - at.size, at.size);
    }
    bool ok = write_bytes(&h, &at, new);
    if (f == FIELD_ETH_TYPE)
        packet_find_headers(p);
    return ok;
}
