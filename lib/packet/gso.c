#include "packet/gso.h"
#include <string.h>
#include "packet/csum.h"

/* RFC 9293, 3.1. */
enum { TCP_SEQ = 4, TCP_OFFSET = 12, TCP_FLAGS_AT = 13, TCP_CSUM = 16, TCP_FIN = 1, TCP_PSH = 8, TCP_CWR = 0x80 };
enum { UDP_LEN = 4, UDP_CSUM = 6 };
enum { TCP_MAX = 60 };
/* RFC 2784, RFC 2890: GRE with a key, or with nothing, whose packets differ in nothing but their payload. */
enum { GRE_KEY = 0x2000, GRE_HEADER = 4, GRE_KEY_LEN = 4 };

static bool is_tcp(const struct packet *p) { return p->gso == GSO_TCPV4 || p->gso == GSO_TCPV6; }

/* The IP header behind the Ethernet header at `from`. */
static bool find_ip(const struct packet *p, uint32_t from, struct gso_cut *c)
{
    struct l2_place l2 = l2_locate(p->data + from, p->len - from, TAGS_ALL);
    c->l3 = from + l2.end;
    return l2.end && ip_locate(p->data + c->l3, p->len - c->l3, l2.type, &c->ip);
}

/* Behind the IP header found last: where GRE's inner Ethernet header is, or 0. */
static uint32_t find_inner(const struct packet *p, const struct gso_cut *c)
{
    uint32_t gre = c->l3 + c->ip.l4, end = c->l3 + c->ip.end, len = GRE_HEADER;
    if (c->ip.version != 4 || c->ip.proto != IPPROTO_GRE || c->ip.frag || end - gre < GRE_HEADER + GRE_KEY_LEN)
        return 0;
    uint16_t flags = peek16(p->data + gre);
    if (flags & ~GRE_KEY || peek16(p->data + gre + 2) != ETYPE_TEB)
        return 0;
    len += flags & GRE_KEY ? GRE_KEY_LEN : 0;
    return gre + len;
}

/* Is the packet what its gso type says? */
static bool find_cut(const struct packet *p, struct gso_cut *c)
{
    if (p->gso == GSO_NONE || !p->gso_size || !find_ip(p, 0, c))
        return false;
    c->outer = 0;
    if (c->ip.proto == IPPROTO_GRE && is_tcp(p)) {
        uint32_t inner = find_inner(p, c);
        c->outer = c->l3;
        if (!inner || !find_ip(p, inner, c))
            return false;
    }
    /* Behind a routing header the checksum is over a destination that is not in the IPv6 header: nobody cuts those. */
    if (c->ip.frag || !c->ip.l4 || c->ip.routed || c->ip.proto != (is_tcp(p) ? IPPROTO_TCP : IPPROTO_UDP) ||
        (p->gso == GSO_TCPV4 && c->ip.version != 4) || (p->gso == GSO_TCPV6 && c->ip.version != 6))
        return false;
    uint32_t header = is_tcp(p) ? TCP_HEADER : UDP_HEADER;
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

static uint16_t pseudo(const uint8_t *ip, const struct gso_cut *c)
{
    if (c->ip.version == 6)
        return csum_pseudo6(ip + 8, ip + 24, c->ip.proto, 0);
    be32 address[2];
    memcpy(address, ip + 12, 8);
    return csum_pseudo4(address[0], address[1], c->ip.proto, 0);
}

/* Without length, identification and checksum. */
static uint16_t sum_ip4(const uint8_t *ip)
{
    return csum_add(ip + 6, 4, csum_add(ip, 2, csum_add(ip + 12, (ip[0] & 15) * 4u - 12, 0)));
}

/* What differs from segment to segment, and the checksums, counts as 0 here. */
static void prepare(struct gso_cut *c)
{
    bool tcp = c->ip.proto == IPPROTO_TCP;
    uint8_t header[TCP_MAX];
    const uint8_t *ip = c->p->data + c->l3, *l4 = c->p->data + c->l4;
    uint32_t n = c->payload - c->l4;
    memcpy(header, l4, n);
    memset(header + (tcp ? TCP_CSUM : UDP_CSUM), 0, 2);
    if (tcp) {
        memset(header + TCP_SEQ, 0, 4);
        header[TCP_FLAGS_AT] = 0;
    } else {
        memset(header + UDP_LEN, 0, 2);
    }
    c->l4_sum = csum_add(header, n, pseudo(ip, c));
    if (c->ip.version == 4)
        c->ip_sum = sum_ip4(ip);
    if (c->outer)
        c->outer_sum = sum_ip4(c->p->data + c->outer);
}

static void put_csum(uint8_t *at, be16 sum) { memcpy(at, &sum, sizeof sum); }

static void fix_ip4(uint8_t *ip, uint32_t sum, uint16_t index, uint32_t l3_len)
{
    uint16_t id = (uint16_t)(peek16(ip + 4) + index);
    poke16(ip + 2, l3_len);
    poke16(ip + 4, id);
    put_csum(ip + 10, csum_finish(csum_fold(sum + (uint32_t)htons(l3_len) + htons(id))));
}

static void fix_ip(uint8_t *data, const struct gso_cut *c, uint32_t len)
{
    if (c->outer)
        fix_ip4(data + c->outer, c->outer_sum, c->index, len - c->outer);
    if (c->ip.version == 6)
        poke16(data + c->l3 + 4, len - c->l3 - IPV6_HEADER);
    else
        fix_ip4(data + c->l3, c->ip_sum, c->index, len - c->l3);
}

/* `payload`: its sum. */
static void fix_l4(uint8_t *l4, const struct gso_cut *c, uint32_t l4_len, uint16_t payload, bool last)
{
    uint32_t sum = c->l4_sum + (uint32_t)payload + htons(l4_len);
    if (c->ip.proto == IPPROTO_TCP) {
        uint32_t seq = peek32(l4 + TCP_SEQ) + c->done;
        poke32(l4 + TCP_SEQ, seq);
        if (!last)
            l4[TCP_FLAGS_AT] &= ~(TCP_FIN | TCP_PSH);
        if (c->done) /* RFC 3168, 6.1.2: CWR once, on the first new packet */
            l4[TCP_FLAGS_AT] &= ~TCP_CWR;
        sum += (uint32_t)htons(seq >> 16) + htons(seq & 0xffff) + htons(l4[TCP_FLAGS_AT]);
        put_csum(l4 + TCP_CSUM, csum_finish(csum_fold(sum)));
        return;
    }
    poke16(l4 + UDP_LEN, l4_len);
    if (c->udp_csum) {
        be16 whole = csum_finish(csum_fold(sum + htons(l4_len)));
        put_csum(l4 + UDP_CSUM, whole ? whole : 0xffff);
    }
}

bool gso_begin(struct gso_cut *c, const struct packet *p)
{
    if (!find_cut(p, c) || c->end > PACKET_MAX)
        return false;
    c->p = p;
    c->done = c->index = 0;
    c->more = true;
    prepare(c);
    return true;
}

void gso_next(struct gso_cut *c, struct packet *s)
{
    const struct packet *p = c->p;
    uint32_t left = c->end - c->payload - c->done, n = MIN(left, p->gso_size), len = c->payload + n;
    uint8_t *base = s->base, *data = s->data;
    uint32_t size = s->size;
    assert(c->more && len <= size - (data - base));
    *s = *p;
    s->base = base;
    s->size = size;
    s->data = data;
    s->len = len;
    s->gso = GSO_NONE;
    s->gso_size = 0;
    s->csum = CSUM_NONE;
    memcpy(data, p->data, c->payload);
    uint16_t sum = csum_copy(data + c->payload, p->data + c->payload + c->done, n, 0);
    c->more = n < left;
    fix_ip(data, c, len);
    fix_l4(data + c->l4, c, len - c->l4, sum, !c->more);
    c->done += n;
    c->index++;
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
    struct gso_cut c;
    if (!gso_begin(&c, p)) {
        emit_whole(p, emit, aux);
        return false;
    }
    while (c.more) {
        struct packet s = {.base = room, .size = sizeof room, .data = room + PACKET_HEADROOM};
        gso_next(&c, &s);
        emit(&s, aux);
    }
    return true;
}

uint32_t gso_max_l3_len(const struct packet *p)
{
    struct gso_cut c;
    if (find_cut(p, &c))
        return c.payload - (c.outer ? c.outer : c.l3) + MIN(c.end - c.payload, p->gso_size);
    if (find_ip(p, 0, &c))
        return c.ip.end;
    return c.l3 ? p->len - c.l3 : p->len;
}

bool gso_tunnelled(const struct packet *p)
{
    struct gso_cut c;
    return find_cut(p, &c) && c.outer;
}

uint32_t gso_count(const struct packet *p, uint64_t *bytes)
{
    struct gso_cut c;
    uint32_t n = 1;
    *bytes = p->len;
    if (find_cut(p, &c) && c.end - c.payload > p->gso_size) {
        n = (c.end - c.payload + p->gso_size - 1) / p->gso_size;
        *bytes = c.end + (uint64_t)(n - 1) * c.payload;
    }
    return n;
}
