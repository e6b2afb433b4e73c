#include "packet/gso.h"
#include <string.h>
#include "packet/csum.h"
#include "packet/ip.h"

/* A packet that may be cut. Offsets from the packet's data. */
struct cut {
    struct ip_place ip;
    uint32_t l3, l4, payload, end; /* where they start; end of the payload */
    bool udp_csum;                 /* UDP over IPv4 may have none */
};

/* RFC 9293, 3.1. */
enum { TCP_SEQ = 4, TCP_OFFSET = 12, TCP_FLAGS_AT = 13, TCP_CSUM = 16, TCP_FIN = 1, TCP_PSH = 8, TCP_CWR = 0x80 };
enum { UDP_LEN = 4, UDP_CSUM = 6 };

static bool is_tcp(const struct packet *p) { return p->gso == GSO_TCPV4 || p->gso == GSO_TCPV6; }

/* Is the packet what its gso type says? */
static bool find_cut(const struct packet *p, struct cut *c)
{
    struct l2_place l2 = l2_locate(p->data, p->len, TAGS_ALL);
    if (p->gso == GSO_NONE || !p->gso_size || !l2.end || !ip_locate(p->data + l2.end, p->len - l2.end, l2.type, &c->ip))
        return false;
    /* Behind a routing header the checksum is over a destination that is not in the IPv6 header: nobody cuts those. */
    if (c->ip.frag || !c->ip.l4 || c->ip.routed || c->ip.proto != (is_tcp(p) ? IPPROTO_TCP : IPPROTO_UDP) ||
        (p->gso == GSO_TCPV4 && c->ip.version != 4) || (p->gso == GSO_TCPV6 && c->ip.version != 6))
        return false;
    uint32_t header = is_tcp(p) ? TCP_HEADER : UDP_HEADER;
    c->l3 = l2.end;
    c->l4 = c->l3 + c->ip.l4;
    c->end = c->l3 + c->ip.end;
    if (c->end - c->l4 < header)
        return false;
    const uint8_t *l4 = p->data + c->l4;
    if (is_tcp(p))
        header = (l4[TCP_OFFSET] >> 4) * 4u;
    if (header < (is_tcp(p) ? TCP_HEADER : UDP_HEADER) || c->end - c->l4 < header)
        return false;
    c->payload = c->l4 + header;
    c->udp_csum = p->csum == CSUM_PARTIAL || peek16(l4 + UDP_CSUM);
    return true;
}

static void fix_ip(uint8_t *ip, const struct cut *c, uint32_t l3_len, uint16_t index)
{
    if (c->ip.version == 6) {
        poke16(ip + 4, l3_len - IPV6_HEADER);
        return;
    }
    poke16(ip + 2, l3_len);
    poke16(ip + 4, peek16(ip + 4) + index);
    memset(ip + 10, 0, 2);
    be16 sum = csum_finish(csum_add(ip, c->ip.l4, 0));
    memcpy(ip + 10, &sum, 2);
}

static uint16_t pseudo(const uint8_t *ip, const struct cut *c, uint32_t l4_len)
{
    if (c->ip.version == 6)
        return csum_pseudo6(ip + 8, ip + 24, c->ip.proto, l4_len);
    be32 address[2];
    memcpy(address, ip + 12, 8);
    return csum_pseudo4(address[0], address[1], c->ip.proto, l4_len);
}

static void fix_l4(uint8_t *ip, uint8_t *l4, const struct cut *c, uint32_t l4_len, uint32_t done, bool first, bool last)
{
    bool tcp = c->ip.proto == IPPROTO_TCP;
    uint8_t *csum = l4 + (tcp ? TCP_CSUM : UDP_CSUM);
    if (tcp) {
        poke32(l4 + TCP_SEQ, peek32(l4 + TCP_SEQ) + done);
        if (!last)
            l4[TCP_FLAGS_AT] &= ~(TCP_FIN | TCP_PSH);
        if (!first) /* RFC 3168, 6.1.2: CWR once, on the first new packet */
            l4[TCP_FLAGS_AT] &= ~TCP_CWR;
    } else {
        poke16(l4 + UDP_LEN, l4_len);
        if (!c->udp_csum)
            return;
    }
    memset(csum, 0, 2);
    be16 sum = csum_finish(csum_add(l4, l4_len, pseudo(ip, c, l4_len)));
    if (!sum && !tcp)
        sum = 0xffff;
    memcpy(csum, &sum, 2);
}

static void emit_whole(const struct packet *p, void (*emit)(struct packet *, void *), void *aux)
{
    uint8_t room[PACKET_HEADROOM + PACKET_MAX];
    struct packet whole = *p;
    assert(p->len <= PACKET_MAX);
    whole.base = room;
    whole.size = sizeof room;
    whole.data = room + PACKET_HEADROOM;
    whole.gso = GSO_NONE;
    memcpy(whole.data, p->data, p->len);
    packet_finish_csum(&whole);
    emit(&whole, aux);
}

bool gso_segment(const struct packet *p, void (*emit)(struct packet *, void *), void *aux)
{
    uint8_t room[PACKET_HEADROOM + PACKET_MAX];
    struct cut c;
    if (!find_cut(p, &c) || c.end > PACKET_MAX) {
        emit_whole(p, emit, aux);
        return false;
    }
    uint32_t left = c.end - c.payload, done = 0;
    uint16_t index = 0;
    do {
        uint32_t n = MIN(left, p->gso_size), len = c.payload + n;
        struct packet s = *p;
        s.base = room;
        s.size = sizeof room;
        s.data = room + PACKET_HEADROOM;
        s.len = len;
        s.gso = GSO_NONE;
        s.gso_size = 0;
        s.csum = CSUM_NONE;
        memcpy(s.data, p->data, c.payload);
        memcpy(s.data + c.payload, p->data + c.payload + done, n);
        fix_ip(s.data + c.l3, &c, len - c.l3, index);
        fix_l4(s.data + c.l3, s.data + c.l4, &c, len - c.l4, done, !done, n == left);
        emit(&s, aux);
        done += n;
        left -= n;
        index++;
    } while (left);
    return true;
}

uint32_t gso_max_l3_len(const struct packet *p)
{
    struct cut c;
    if (find_cut(p, &c))
        return c.payload - c.l3 + MIN(c.end - c.payload, p->gso_size);
    struct l2_place l2 = l2_locate(p->data, p->len, TAGS_ALL);
    if (!l2.end)
        return p->len;
    if (ip_locate(p->data + l2.end, p->len - l2.end, l2.type, &c.ip))
        return c.ip.end;
    return p->len - l2.end;
}
