#include "packet/ip.h"
#include "packet/key.h"

enum { MAX_EXTENSIONS = 16 };

/* RFC 8200, 4: headers that stand between the IPv6 header and the transport. */
static bool is_extension(uint8_t proto)
{
    return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING || proto == IPPROTO_FRAGMENT ||
           proto == IPPROTO_DSTOPTS || proto == IPPROTO_AH;
}

/* Length of the extension header at `h`, of which at least 8 bytes are there. */
static uint32_t extension_len(uint8_t proto, const uint8_t *h)
{
    if (proto == IPPROTO_FRAGMENT)
        return 8;
    if (proto == IPPROTO_AH) /* RFC 4302, 2.2: in 4-octet units, minus 2 */
        return (h[1] + 2) * 4u;
    return (h[1] + 1) * 8u;
}

/* RFC 8200, 4.1: the order in which extension headers are recommended to stand. Destination options may stand in two
 * places: before a routing header and at the end. */
enum { AT_HOP = 1, AT_FIRST_DEST, AT_ROUTING, AT_FRAGMENT, AT_AUTH, AT_ESP, AT_LAST_DEST };

struct extensions {
    uint16_t flags, seen; /* EXTHDR_…; seen: what was there, even where it does not count */
    uint8_t place;        /* AT_… of the farthest one; 0: none */
    uint8_t dests;
};

/* OpenFlow 1.3.5, 7.2.3.8, "UNREP: more than one of a given IPv6 extension header is unexpectedly encountered. (Two
 * destination options headers may be expected and would not cause this bit to be set.)", "UNSEQ: not in the order preferred
 * (but not required) by RFC 2460", "HOP: … present as the first extension header in the packet". */
static void note_extension(uint8_t proto, struct extensions *x)
{
    static const struct {
        uint8_t proto, place;
        uint16_t flag;
    } rows[] = {
        {IPPROTO_HOPOPTS, AT_HOP, EXTHDR_HOP},       {IPPROTO_ROUTING, AT_ROUTING, EXTHDR_ROUTER},
        {IPPROTO_FRAGMENT, AT_FRAGMENT, EXTHDR_FRAG}, {IPPROTO_AH, AT_AUTH, EXTHDR_AUTH},
        {IPPROTO_ESP, AT_ESP, EXTHDR_ESP},
    };
    if (proto == IPPROTO_NONE)
        x->flags |= EXTHDR_NONEXT;
    if (proto == IPPROTO_DSTOPTS) {
        x->flags |= EXTHDR_DEST | (x->dests > 1 ? EXTHDR_UNREP : 0);
        x->place = !x->dests && x->place <= AT_HOP ? AT_FIRST_DEST : AT_LAST_DEST;
        x->dests += x->dests < 2;
    }
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint16_t flag = rows[i].flag;
        if (rows[i].proto != proto)
            continue;
        x->flags |= (x->seen & flag ? EXTHDR_UNREP : 0) | (rows[i].place < x->place ? EXTHDR_UNSEQ : 0) |
                    (flag == EXTHDR_HOP && x->place ? 0 : flag);
        x->seen |= flag;
        x->place = MAX(x->place, rows[i].place);
    }
}

static void walk_extensions(const uint8_t *ip, struct ip_place *r)
{
    uint8_t proto = ip[6];
    uint32_t at = IPV6_HEADER;
    struct extensions x = {0};
    r->cut = true;
    r->proto_at = 6;
    for (int n = 0; is_extension(proto); n++) {
        const uint8_t *h = ip + at;
        if (n == MAX_EXTENSIONS || r->end - at < 8 || r->end - at < extension_len(proto, h))
            return;
        note_extension(proto, &x);
        r->proto_at = (uint16_t)at;
        if (proto == IPPROTO_ROUTING)
            r->routed |= h[3] != 0;
        if (proto == IPPROTO_FRAGMENT) {
            /* RFC 6946: an atomic fragment (offset 0, no more) is a whole packet. */
            uint16_t offset = peek16(h + 2);
            if (offset & 0xfff9)
                r->frag = offset & 0xfff8 ? FRAG_ANY | FRAG_LATER : FRAG_ANY;
            if (offset & 0xfff8) {
                r->proto = h[0];
                r->exthdr = x.flags;
                r->cut = false;
                return;
            }
        }
        at += extension_len(proto, h);
        proto = h[0];
    }
    if (unlikely(proto == IPPROTO_ESP || proto == IPPROTO_NONE))
        note_extension(proto, &x);
    r->exthdr = x.flags;
    r->cut = false;
    r->proto = proto;
    r->l4 = at;
}

bool ip_locate(const uint8_t *ip, uint32_t len, uint16_t etype, struct ip_place *r)
{
    *r = (struct ip_place){0};
    if (etype == ETYPE_IPV4) {
        if (len < IPV4_HEADER || ip[0] >> 4 != 4)
            return false;
        uint32_t header = (ip[0] & 15) * 4u, total = peek16(ip + 2), fragment = peek16(ip + 6);
        if (header < IPV4_HEADER || header > len || total < header)
            return false;
        r->version = 4;
        r->proto = ip[9];
        r->proto_at = 9;
        r->end = MIN(total, len);
        if (fragment & 0x3fff)
            r->frag = fragment & 0x1fff ? FRAG_ANY | FRAG_LATER : FRAG_ANY;
        r->l4 = r->frag & FRAG_LATER ? 0 : header;
        return true;
    }
    if (etype != ETYPE_IPV6 || len < IPV6_HEADER || ip[0] >> 4 != 6)
        return false;
    r->version = 6;
    r->end = MIN(IPV6_HEADER + (uint32_t)peek16(ip + 4), len);
    walk_extensions(ip, r);
    return true;
}

const uint8_t *nd_option(const uint8_t *o, uint32_t len, uint8_t type)
{
    /* RFC 4861, 4.6: length in units of 8 octets; "nodes MUST silently discard an ND packet that contains an option
     * with length zero". */
    for (; len >= 8; len -= o[1] * 8u, o += o[1] * 8u) {
        if (!o[1] || o[1] * 8u > len)
            return NULL;
        if (o[0] == type && o[1] == 1)
            return o + 2;
    }
    return NULL;
}
