#include "packet/unfinished.h"
#include <netinet/in.h>
#include "packet/csum.h"
#include "packet/ip.h"

enum { MAX_WRAPS = 4, TCP_SUM = 16, UDP_SUM = 6, SCTP_SUM = 8, PORT_VXLAN = 4789, PORT_GENEVE = 6081 };

static uint16_t pseudo_sum(const uint8_t *ip, const struct ip_place *place)
{
    be32 address[2];
    if (place->version == 6)
        return csum_pseudo6(ip + 8, ip + 24, place->proto, place->end - place->l4);
    memcpy(address, ip + 12, sizeof address);
    return csum_pseudo4(address[0], address[1], place->proto, place->end - place->l4);
}

/* Where in the transport header its unfinished checksum stands, or 0: it is not, or there is none. */
static unsigned unfinished_field(const uint8_t *ip, const struct ip_place *place)
{
    const uint8_t *l4 = ip + place->l4;
    uint32_t len = place->end - place->l4;
    unsigned field = place->proto == IPPROTO_TCP && len >= TCP_HEADER     ? TCP_SUM
                     : place->proto == IPPROTO_UDP && len >= UDP_HEADER   ? UDP_SUM
                     : place->proto == IPPROTO_SCTP && len >= SCTP_HEADER ? SCTP_SUM
                                                                          : 0;
    uint16_t sum;
    if (!field || place->routed)
        return 0;
    if (field == SCTP_SUM)
        return peek32(l4 + field) ? 0 : field;
    memcpy(&sum, l4 + field, sizeof sum);
    return sum == pseudo_sum(ip, place) ? field : 0;
}

/* What a packet has inside, and where from the start of its transport header on. ETYPE_TEB: a frame. 0: nothing. */
static uint16_t inner_type(const uint8_t *l4, uint32_t len, uint8_t proto, uint32_t *at)
{
    *at = 0;
    if (proto == IPPROTO_IPIP)
        return ETYPE_IPV4;
    if (proto == IPPROTO_IPV6)
        return ETYPE_IPV6;
    if (proto == IPPROTO_GRE && len >= 4 && !(peek16(l4) & 0x4007)) { /* RFC 2890: version 0, no routing */
        *at = 4 + (l4[0] & 0x80 ? 4 : 0) + (l4[0] & 0x20 ? 4 : 0) + (l4[0] & 0x10 ? 4 : 0);
        return peek16(l4 + 2);
    }
    if (proto != IPPROTO_UDP || len < UDP_HEADER + 8)
        return 0;
    *at = UDP_HEADER + 8;
    if (peek16(l4 + 2) == PORT_VXLAN)
        return ETYPE_TEB;
    if (peek16(l4 + 2) != PORT_GENEVE)
        return 0;
    *at += (l4[UDP_HEADER] & 0x3f) * 4u; /* RFC 8926, 3.4 */
    return peek16(l4 + UDP_HEADER + 2);
}

/* `end`: of the IP packet. CSUM_PARTIAL goes to the end of the frame, so with padding behind it is finished at once. */
static void mark(struct packet *p, uint32_t start, unsigned offset, uint32_t end)
{
    uint32_t len = p->len;
    p->csum = CSUM_PARTIAL;
    p->csum_start = start;
    p->csum_offset = offset;
    if (end < len) {
        p->len = end;
        packet_finish_csum(p);
        p->len = len;
    }
}

bool packet_find_unfinished(struct packet *p)
{
    uint16_t type = ETYPE_TEB;
    uint32_t at = 0;
    for (int wraps = 0; wraps <= MAX_WRAPS; wraps++) {
        struct ip_place ip;
        if (type == ETYPE_TEB) {
            struct l2_place l2 = l2_locate(p->data + at, p->len - at, TAGS_ALL);
            type = l2.type;
            at += l2.end;
        }
        if (!ip_locate(p->data + at, p->len - at, type, &ip) || !ip.l4 || ip.frag || at + ip.l4 > UINT16_MAX)
            return false;
        unsigned field = unfinished_field(p->data + at, &ip);
        if (field) {
            mark(p, at + ip.l4, field, at + ip.end);
            return true;
        }
        uint32_t inner;
        type = inner_type(p->data + at + ip.l4, ip.end - ip.l4, ip.proto, &inner);
        if (inner > ip.end - ip.l4)
            return false;
        at += ip.l4 + inner;
    }
    return false;
}
