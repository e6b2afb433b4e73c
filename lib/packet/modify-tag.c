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

/* OpenFlow 1.3.5, 5.12: "Newly pushed tags should always be inserted as the outermost tag in the outermost valid location
 * for that tag. […] when a new MPLS tag is pushed, it should be the outermost tag inserted, immediately after the Ethernet
 * header and before other tags." So a VLAN tag ends up below the label, whose pop_mpls:0x8100 brings it back. */
bool packet_push_mpls(struct packet *p, be16 type, be32 lse)
{
    if (!has_room(p, MPLS_LSE))
        return false;
    packet_shift(p, MPLS_LSE);
    memmove(p->data, p->data + MPLS_LSE, 12);
    memcpy(p->data + 12, &type, 2);
    memcpy(p->data + 14, &lse, 4);
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
    cut_out(p, at, MPLS_LSE);
    packet_find_headers(p);
    return true;
}

/* --- PBB: IEEE 802.1ah --- */

/* OpenFlow 1.3.5, 5.12: "push a new PBB service instance header onto the packet (I-TAG TCI), and copy the original Ethernet
 * addresses of the packet into the customer addresses (C) of the tag. […] this action can be seen as adding both the
 * backbone MAC-in-MAC header and the I-SID field to the front of the packet." */
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

/* "does not remove the backbone VLAN header (B-TAG) from the packet, it should be removed prior to this operation": with
 * one in front there is no outermost I-TAG to pop. */
bool packet_pop_pbb(struct packet *p)
{
    if (p->len < PBB_HEADER + ETH_HEADER || peek16(p->data + 12) != ETYPE_PBB)
        return false;
    cut_out(p, 0, PBB_HEADER);
    packet_find_headers(p);
    return true;
}

/* --- TTL: "Copy can be IP-to-IP, MPLS-to-MPLS, or IP-to-MPLS" and back --- */

struct ttls {
    uint8_t *outer, *inner; /* NULL: none */
    uint8_t *ip4;           /* whose checksum covers the inner one */
};

static struct ttls find_ttls(struct packet *p)
{
    struct ttls t = {0};
    uint32_t at = find_label(p);
    if (!at)
        return t;
    uint8_t *below = p->data + at + MPLS_LSE;
    uint32_t left = p->len - at - MPLS_LSE;
    bool bottom = p->data[at + 2] & 1;
    t.outer = p->data + at + 3;
    struct ip_place ip;
    if (!bottom && left >= MPLS_LSE)
        t.inner = below + 3;
    else if (bottom && ip_locate(below, left, ETYPE_IPV4, &ip))
        t.inner = (t.ip4 = below) + 8;
    else if (bottom && left >= IPV6_HEADER && below[0] >> 4 == 6)
        t.inner = below + 7;
    return t;
}

bool packet_copy_ttl_out(struct packet *p)
{
    struct ttls t = find_ttls(p);
    if (t.inner)
        *t.outer = *t.inner;
    return t.inner != NULL;
}

bool packet_copy_ttl_in(struct packet *p)
{
    struct ttls t = find_ttls(p);
    if (!t.inner)
        return false;
    if (t.ip4) {
        uint8_t old[2], new[2];
        be16 sum;
        memcpy(old, t.ip4 + 8, 2);
        memcpy(new, old, 2);
        new[0] = *t.outer;
        memcpy(&sum, t.ip4 + 10, 2);
        csum_replace(&sum, old, new, 2);
        memcpy(t.ip4 + 10, &sum, 2);
    }
    *t.inner = *t.outer;
    return true;
}
