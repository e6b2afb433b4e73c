/* wrap.c: putting a tunnel's outer headers in front of a packet, and taking them away: what DPACT_TUN_PUSH and
 * DPACT_TUN_POP execute. */
#include "datapath/tunnel/wrap.h"
#include "datapath/tunnel/gre.h"
#include "packet/csum.h"
#include "packet/gso.h"
#include "packet/ip.h"

enum { ECN_MASK = 3, ECN_NOT_ECT = 0, ECN_ECT_1 = 1, ECN_ECT_0 = 2, ECN_CE = 3 };
enum { IP_DF = 0x4000, IP_FRAG_MASK = 0x3fff };

static void put_be16(uint8_t *p, be16 v) { memcpy(p, &v, sizeof v); }

/* --- Push --- */

/* Nearly all headers fit into FIXED bytes, which are copied so that they end where the header does: what is before it
 * in the action comes along, into the headroom, and means nothing. */
enum { FIXED = 48 };
static_assert(offsetof(struct dpact_push, header) + ETH_HEADER + IPV4_HEADER >= FIXED,
              "nothing before the action is read");

static void put_header(struct packet *p, const struct dpact_push *a)
{
    uint32_t n = a->header_len;
    packet_shift(p, (int)n);
    if (likely(n <= FIXED && n >= ETH_HEADER + IPV4_HEADER && packet_headroom(p) >= FIXED))
        memcpy(p->data + n - FIXED, (const uint8_t *)a + offsetof(struct dpact_push, header) + n - FIXED, FIXED);
    else
        memcpy(p->data, a->header, n);
}

bool wrap_keeps_whole(const struct packet *p, const struct dpact_push *a)
{
    struct gso_cut cut;
    return a->gso && (p->gso == GSO_TCPV4 || p->gso == GSO_TCPV6) && p->csum == CSUM_PARTIAL && !a->csum_at &&
           a->l3 == ETH_HEADER && p->len + a->header_len - a->l3 <= UINT16_MAX && gso_begin(&cut, p) && !cut.outer &&
           cut.l3 == ETH_HEADER && cut.l4 == p->csum_start;
}

enum drop_reason wrap_push(struct packet *p, const struct dpact_push *a)
{
    static _Thread_local uint16_t next_id;
    uint32_t ip_len = p->len + a->header_len - a->l3, n_segments = 1, longest = ip_len;
    if (unlikely(p->gso)) {
        uint64_t bytes;
        longest = ETH_HEADER + gso_max_l3_len(p) + a->header_len - a->l3;
        n_segments = gso_count(p, &bytes);
    }
    if (longest > a->mtu || ip_len > UINT16_MAX)
        return DROP_TUN_MTU;
    if (packet_headroom(p) < a->header_len) /* tunnels inside tunnels inside tunnels */
        return DROP_TUN_LOOP;
    if (likely(!p->gso))
        packet_finish_csum(p);
    put_header(p, a);
    if (likely(!p->gso)) {
        p->csum = CSUM_NONE;
        p->csum_start = p->csum_offset = 0;
    }
    p->l25 = 0xffff;
    p->l3 = a->l3;
    p->l4 = a->l3 + IPV4_HEADER;

    uint8_t *ip = p->data + a->l3;
    uint64_t sum = csum_ip4(a->header + a->l3) + htons((uint16_t)ip_len);
    poke16(ip + 2, (uint16_t)ip_len);
    if (!(peek16(a->header + a->l3 + 6) & IP_DF)) { /* RFC 6864, 4: what may be fragmented needs an identification */
        poke16(ip + 4, next_id);
        sum += htons(next_id);
        next_id += n_segments;
    }
    put_be16(ip + 10, csum_finish(csum_fold64(sum)));
    if (a->csum_at)
        put_be16(p->data + a->csum_at, csum_finish(csum_add(ip + IPV4_HEADER, ip_len - IPV4_HEADER, 0)));
    return DROP_NONE;
}

/* --- Pop --- */

/* The outer IPv4 header, checked. */
static enum drop_reason check_ip4(const struct packet *p, uint32_t l3, uint32_t *header_len, uint32_t *total_len)
{
    const uint8_t *ip = p->data + l3;
    uint32_t left = p->len - l3;
    if (left < IPV4_HEADER || ip[0] >> 4 != 4)
        return DROP_TUN_MALFORMED;
    *header_len = (ip[0] & 15u) * 4;
    *total_len = p->gso ? left : peek16(ip + 2);
    if (*header_len < IPV4_HEADER || *total_len < *header_len || *total_len > left)
        return DROP_TUN_MALFORMED;
    if ((likely(*header_len == IPV4_HEADER) ? csum_fold64(csum_ip4(ip)) : csum_add(ip, *header_len, 0)) != 0xffff)
        return DROP_TUN_MALFORMED;
    if (peek16(ip + 6) & IP_FRAG_MASK)
        return DROP_TUN_FRAGMENT;
    return ip[9] == IP_PROTO_GRE ? DROP_NONE : DROP_TUN_UNSUPPORTED;
}

static enum drop_reason check_gre(struct packet *p, uint32_t l4, struct gre *g)
{
    switch (gre_parse(p->data + l4, p->len - l4, g)) {
    case GRE_SHORT:
        return DROP_TUN_MALFORMED;
    case GRE_UNSUPPORTED:
        return DROP_TUN_UNSUPPORTED;
    case GRE_OK:
        break;
    }
    if (g->proto != GRE_PROTO_TEB)
        return DROP_TUN_UNSUPPORTED;
    /* A super-segment has not been on any wire: its segments do not exist yet, nor do their checksums. */
    if (g->flags & GRE_CSUM && !p->gso) {
        packet_finish_csum(p);
        if (!gre_checksum_ok(p->data + l4, p->len - l4))
            return DROP_TUN_CSUM;
    }
    return p->len - l4 - g->len < ETH_HEADER ? DROP_TUN_MALFORMED : DROP_NONE;
}

/* RFC 6040, 4.2, figure 4: the inner ECN field on leaving the tunnel, or -1: drop. Not-ECT and ECT(0) outside change
 * nothing. */
static int ecn_decapsulate(int inner, int outer)
{
    if (outer == ECN_CE)
        return inner == ECN_NOT_ECT ? -1 : ECN_CE;
    if (outer == ECN_ECT_1 && inner == ECN_ECT_0)
        return ECN_ECT_1;
    return inner;
}

/* Frames that are not IP have no place for ECN and pass. */
static enum drop_reason propagate_ecn(uint8_t *frame, uint32_t len, int outer)
{
    struct l2_place l2 = l2_locate(frame, len, TAGS_ALL);
    uint8_t *ip = frame + l2.end;
    bool v4 = l2.type == ETYPE_IPV4;
    if ((!v4 && l2.type != ETYPE_IPV6) || len - l2.end < (v4 ? IPV4_HEADER : IPV6_HEADER))
        return DROP_NONE;
    int inner = v4 ? ip[1] & ECN_MASK : ip[1] >> 4 & ECN_MASK;
    int ecn = ecn_decapsulate(inner, outer);
    if (ecn < 0)
        return DROP_TUN_ECN;
    if (ecn == inner)
        return DROP_NONE;
    if (!v4) {
        ip[1] = (uint8_t)((ip[1] & ~(ECN_MASK << 4)) | ecn << 4);
        return DROP_NONE;
    }
    uint8_t old[2] = {ip[0], ip[1]};
    be16 sum;
    ip[1] = (uint8_t)((ip[1] & ~ECN_MASK) | ecn);
    memcpy(&sum, ip + 10, sizeof sum);
    csum_replace(&sum, old, ip, sizeof old);
    put_be16(ip + 10, sum);
    return DROP_NONE;
}

/* In whole words: key_parse() reads them so, right after. */
static void set_tun(struct packet *p, const uint8_t *ip, be32 key, uint16_t flags)
{
    uint8_t *tun = (uint8_t *)&p->tun;
    be64 rest = htobe64((uint64_t)flags << 48 | (uint64_t)ip[1] << 40 | (uint64_t)ip[8] << 32);
    static_assert(offsetof(struct packet, tun.dst) == offsetof(struct packet, tun.src) + 4, "as in the IP header");
    static_assert(offsetof(struct packet, tun.tos) == offsetof(struct packet, tun.flags) + 2, "flags, tos, ttl");
    static_assert(offsetof(struct packet, tun.marks) == offsetof(struct packet, tun.flags) + 4, "and zeros");
    p->tun.id = htobe64(ntohl(key));
    memcpy(tun + 8, ip + 12, 8);
    memcpy(tun + 16, &rest, 8);
}

struct outer {
    uint32_t l3, len; /* of all outer headers */
    be32 key;
    uint16_t gre_flags;
};

/* The commonest packets straight ahead: no tags, an IPv4 header without options, GRE with a key or nothing. False: p, which
 * is as before, is none of them, or not right: ask check_outer(), which says why. */
static inline bool check_outer_fast(struct packet *p, struct outer *o)
{
    enum { IP_AT = ETH_HEADER, GRE_AT = IP_AT + IPV4_HEADER };
    const uint8_t *d = p->data, *ip = d + IP_AT, *gre = d + GRE_AT;
    if (unlikely(p->len < GRE_AT + 4 || p->gso || peek16(d + 12) != ETYPE_IPV4 || ip[0] != 0x45 ||
                 ip[9] != IP_PROTO_GRE || peek16(ip + 6) & IP_FRAG_MASK))
        return false;
    uint32_t first = peek32(gre), total_len = peek16(ip + 2);
    bool has_key = first == ((uint32_t)GRE_KEY << 16 | GRE_PROTO_TEB);
    o->l3 = IP_AT;
    o->len = has_key ? GRE_AT + 8 : GRE_AT + 4;
    if (unlikely((!has_key && first != GRE_PROTO_TEB) || IP_AT + total_len > p->len ||
                 IP_AT + total_len < o->len + ETH_HEADER || csum_ip4(ip) % 0xffff /* RFC 1071: it sums up to -0 */))
        return false;
    o->key = 0;
    if (has_key)
        memcpy(&o->key, gre + 4, sizeof o->key);
    o->gre_flags = first >> 16;
    p->len = IP_AT + total_len; /* without the padding of a short frame */
    return true;
}

static enum drop_reason check_outer(struct packet *p, struct outer *o)
{
    struct l2_place l2 = l2_locate(p->data, p->len, TAGS_ALL);
    uint32_t header_len, total_len;
    struct gre g;
    if (l2.type != ETYPE_IPV4)
        return DROP_TUN_MALFORMED;
    enum drop_reason drop = check_ip4(p, l2.end, &header_len, &total_len);
    if (drop)
        return drop;
    p->len = l2.end + total_len;
    drop = check_gre(p, l2.end + header_len, &g);
    *o = (struct outer){l2.end, l2.end + header_len + g.len, g.key, g.flags};
    return drop;
}

enum drop_reason wrap_pop(struct packet *p, uint32_t tunnel_port_id, uint32_t in_phy_port)
{
    struct outer outer;
    if (unlikely(!check_outer_fast(p, &outer))) {
        enum drop_reason drop = check_outer(p, &outer);
        if (drop)
            return drop;
    }
    const uint8_t *ip = p->data + outer.l3;
    int ecn = ip[1] & ECN_MASK;
    uint16_t flags = (outer.gre_flags & GRE_KEY ? TUN_KEY : 0) | (outer.gre_flags & GRE_CSUM ? TUN_CSUM : 0) |
                     (peek16(ip + 6) & IP_DF ? TUN_DF : 0);
    set_tun(p, ip, outer.key, flags);
    p->in_phy_port = htonl(in_phy_port);
    p->port = (uint16_t)tunnel_port_id;
    if (p->csum == CSUM_PARTIAL && p->csum_start < outer.len + ETH_HEADER)
        packet_finish_csum(p);
    if (p->csum != CSUM_PARTIAL) {
        p->csum = CSUM_NONE;
        p->csum_start = (uint16_t)outer.len;
    }
    p->l25 = p->l3 = p->l4 = 0xffff;
    packet_shift(p, -(int)outer.len);
    return likely(ecn == ECN_NOT_ECT || ecn == ECN_ECT_0) ? DROP_NONE : propagate_ecn(p->data, p->len, ecn);
}
