/* modify-tag.c: headers pushed and popped between Ethernet and IP: VLAN, MPLS, PBB; and the TTLs that are copied
 * between them. */
#include "packet/csum.h"
#include "packet/ip.h"
#include "packet/modify.h"

/* Finds the headers of what stands behind a push or pop anew. */
void packet_find_headers(struct packet *p)
{
    struct l2_place l2 = l2_locate(p->data, p->len, TAGS_ALL);
    struct ip_place ip;
    bool mpls = etype_is_mpls(l2.type);
    p->l25 = l2.end && mpls && p->len - l2.end >= MPLS_LSE ? l2.end : 0xffff;
    p->l3 = l2.end && !mpls ? l2.end : 0xffff;
    p->l4 = 0xffff;
    if (p->l3 != 0xffff && ip_locate(p->data + p->l3, p->len - p->l3, l2.type, &ip) && ip.l4)
        p->l4 = p->l3 + ip.l4;
}

static bool has_room(const struct packet *p, uint32_t n)
{
    return p->len >= ETH_HEADER && packet_headroom(p) >= n && p->len <= PACKET_MAX - n;
}

/* Takes n bytes away behind the first `keep`. OpenFlow knows no lengths of frames, devices do: what gets shorter than
 * Ethernet's least leaves with padding (packet_pad()). */
static void cut_out(struct packet *p, uint32_t keep, uint32_t n)
{
    p->shrunk |= p->len >= PACKET_LEAST && p->len - n < PACKET_LEAST;
    memmove(p->data + n, p->data, keep);
    packet_shift(p, -(int)n);
}

void packet_pad(struct packet *p)
{
    p->shrunk = false;
    if (p->len >= PACKET_LEAST || packet_headroom(p) + PACKET_LEAST > p->size)
        return;
    memset(p->data + p->len, 0, PACKET_LEAST - p->len);
    p->len = PACKET_LEAST;
}

/* --- VLAN --- */

bool packet_push_vlan(struct packet *p, be16 tpid, be16 tci)
{
    if (!has_room(p, VLAN_HEADER))
        return false;
    packet_shift(p, VLAN_HEADER);
    memmove(p->data, p->data + VLAN_HEADER, 12);
    memcpy(p->data + 12, &tpid, 2);
    memcpy(p->data + 14, &tci, 2);
    return true;
}

bool packet_pop_vlan(struct packet *p)
{
    if (p->len < ETH_HEADER + VLAN_HEADER || !etype_is_vlan(peek16(p->data + 12)))
        return false;
    cut_out(p, 12, VLAN_HEADER);
    return true;
}

/* --- MPLS: RFC 3032 --- */

/* IEEE 802.3: a frame with LLC and SNAP, up to `at`, has its length in front of them. */
static void follow_length(struct packet *p, uint32_t at, int by)
{
    enum { SNAP = 8 };
    if (at < ETH_HEADER + SNAP || memcmp(p->data + at - SNAP, "\xaa\xaa\x03\0\0\0", 6))
        return;
    uint8_t *length = p->data + at - SNAP - 2;
    if (peek16(length) < ETYPE_LOWEST)
        poke16(length, (uint16_t)(peek16(length) + by));
}

/* OpenFlow 1.3.5, 5.12: "Newly pushed tags should always be inserted as the outermost tag in the outermost valid
 * location for that tag. […] when a new MPLS tag is pushed, it should be the outermost tag inserted, immediately after
 * the Ethernet header and before other tags." So a VLAN tag ends up below the label, whose pop_mpls:0x8100 brings it
 * back. */
bool packet_push_mpls(struct packet *p, be16 type, be32 lse)
{
    if (!has_room(p, MPLS_LSE))
        return false;
    uint32_t at = l2_locate(p->data, p->len, 0).end; /* SNAP's type is the Ethernet header's */
    packet_shift(p, MPLS_LSE);
    memmove(p->data, p->data + MPLS_LSE, at);
    memcpy(p->data + at - 2, &type, 2);
    memcpy(p->data + at, &lse, 4);
    follow_length(p, at, MPLS_LSE);
    packet_find_headers(p);
    return true;
}

/* Where the outermost label is, 0: nowhere. */
static uint32_t find_label(const struct packet *p)
{
    struct l2_place l2 = l2_locate(p->data, p->len, TAGS_ALL);
    return l2.end && etype_is_mpls(l2.type) && p->len - l2.end >= MPLS_LSE ? l2.end : 0;
}

bool packet_pop_mpls(struct packet *p, be16 type)
{
    uint32_t at = find_label(p);
    if (!at)
        return false;
    memcpy(p->data + at - 2, &type, 2);
    follow_length(p, at, -MPLS_LSE);
    cut_out(p, at, MPLS_LSE);
    packet_find_headers(p);
    return true;
}

/* --- PBB: IEEE 802.1ah --- */

/* OpenFlow 1.3.5, 5.12: "push a new PBB service instance header onto the packet (I-TAG TCI), and copy the original
 * Ethernet addresses of the packet into the customer addresses (C) of the tag. […] this action can be seen as adding
 * both the backbone MAC-in-MAC header and the I-SID field to the front of the packet." */
bool packet_push_pbb(struct packet *p, be32 tci)
{
    if (!has_room(p, PBB_HEADER))
        return false;
    packet_shift(p, PBB_HEADER);
    memcpy(p->data, p->data + PBB_HEADER, 12);
    poke16(p->data + 12, ETYPE_PBB);
    memcpy(p->data + 14, &tci, 4);
    packet_find_headers(p);
    return true;
}

/* "does not remove the backbone VLAN header (B-TAG) from the packet, it should be removed prior to this operation":
 * with one in front there is no outermost I-TAG to pop. */
bool packet_pop_pbb(struct packet *p)
{
    struct l2_place l2 = l2_locate(p->data, p->len, 0);
    if (l2.type != ETYPE_PBB || p->len - l2.end < PBB_HEADER)
        return false;
    cut_out(p, 0, l2.end + PBB_TCI);
    packet_find_headers(p);
    return true;
}

/* --- TTL: "Copy can be IP-to-IP, MPLS-to-MPLS, or IP-to-MPLS" and back --- */

struct ttls {
    uint8_t *outer, *inner;         /* NULL: none */
    uint8_t *outer_ip4, *inner_ip4; /* whose header's checksum covers them */
};

/* The TTL of an IP packet at `ip`, whatever its version; NULL: there is none. */
static uint8_t *find_ip_ttl(uint8_t *ip, uint32_t len, uint16_t type, uint8_t **ip4, struct ip_place *place)
{
    *ip4 = NULL;
    if (!ip_locate(ip, len, type, place))
        return NULL;
    if (place->version == 6)
        return ip + 7;
    *ip4 = ip;
    return ip + 8;
}

static struct ttls find_ttls(struct packet *p)
{
    struct ttls t = {0};
    struct ip_place ip;
    struct l2_place l2 = l2_locate(p->data, p->len, TAGS_ALL);
    uint8_t *at = p->data + l2.end, *below;
    uint32_t len = p->len - l2.end, left;
    if (!l2.end)
        return t;
    if (etype_is_mpls(l2.type) && len >= MPLS_LSE) {
        t.outer = at + 3;
        below = at + MPLS_LSE;
        left = len - MPLS_LSE;
        if (!(at[2] & 1)) {
            t.inner = left >= MPLS_LSE ? below + 3 : NULL;
            return t;
        }
    } else {
        t.outer = find_ip_ttl(at, len, l2.type, &t.outer_ip4, &ip);
        if (!t.outer || !ip.l4 || (ip.proto != IPPROTO_IPIP && ip.proto != IPPROTO_IPV6))
            return t;
        below = at + ip.l4;
        left = ip.end - ip.l4;
    }
    if (left)
        t.inner = find_ip_ttl(below, left, below[0] >> 4 == 4 ? ETYPE_IPV4 : ETYPE_IPV6, &t.inner_ip4, &ip);
    return t;
}

static void write_ttl(uint8_t *ttl, uint8_t value, uint8_t *ip4)
{
    if (ip4) {
        uint8_t old[2] = {*ttl, ttl[1]}, new[2] = {value, ttl[1]};
        be16 sum;
        memcpy(&sum, ip4 + 10, 2);
        csum_replace(&sum, old, new, 2);
        memcpy(ip4 + 10, &sum, 2);
    }
    *ttl = value;
}

bool packet_copy_ttl_out(struct packet *p)
{
    struct ttls t = find_ttls(p);
    if (t.inner)
        write_ttl(t.outer, *t.inner, t.outer_ip4);
    return t.inner != NULL;
}

bool packet_copy_ttl_in(struct packet *p)
{
    struct ttls t = find_ttls(p);
    if (t.inner)
        write_ttl(t.inner, *t.outer, t.inner_ip4);
    return t.inner != NULL;
}
