/* sums.h: checksums of whole packets, computed and checked the slow way, byte by byte from the specifications. */
#ifndef TESTS_SUMS_H
#define TESTS_SUMS_H 1

#include "unit.h"
#include "packet/csum.h"
#include "packet/ip.h"
#include "packet/packet.h"

/* RFC 1071 in host order: pairs of bytes, the first one the higher. */
static inline uint64_t sums_add(const uint8_t *p, size_t n, uint64_t sum)
{
    for (size_t i = 0; i < n; i++)
        sum += i % 2 ? p[i] : p[i] << 8;
    return sum;
}

static inline uint16_t sums_fold(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* Where the transport of an IP packet starts and how long it is; false: none here. Own code on purpose, and only as
 * much of IPv6 as tests make: a fragment header. */
struct sums_l4 {
    uint8_t *ip, *l4;
    uint32_t len;
    uint8_t proto, version;
    bool first_fragment;
};
static inline bool sums_find(uint8_t *frame, uint32_t frame_len, struct sums_l4 *s)
{
    uint32_t at = 12;
    while (at + 4 <= frame_len && etype_is_vlan(peek16(frame + at)))
        at += 4;
    uint16_t type = peek16(frame + at);
    uint8_t *ip = frame + at + 2;
    *s = (struct sums_l4){.ip = ip, .version = ip[0] >> 4};
    if (type == 0x0800) {
        s->l4 = ip + (ip[0] & 15) * 4;
        s->len = peek16(ip + 2) - (ip[0] & 15) * 4;
        s->proto = ip[9];
        s->first_fragment = peek16(ip + 6) & 0x2000;
        return !(peek16(ip + 6) & 0x1fff);
    }
    if (type != 0x86dd)
        return false;
    s->l4 = ip + 40;
    s->len = peek16(ip + 4);
    s->proto = ip[6];
    if (s->proto == 44) {
        if (peek16(s->l4 + 2) & 0xfff8)
            return false;
        s->first_fragment = peek16(s->l4 + 2) & 1;
        s->proto = s->l4[0];
        s->l4 += 8;
        s->len -= 8;
    }
    return true;
}

static inline int sums_field(const struct sums_l4 *s)
{
    switch (s->proto) {
    case 6: return 16;
    case 17: return 6;
    case 1: return s->version == 4 ? 2 : -1;
    case 58: return s->version == 6 ? 2 : -1;
    default: return -1;
    }
}

static inline uint64_t sums_pseudo(const struct sums_l4 *s)
{
    if (s->proto == 1)
        return 0;
    return sums_add(s->ip + (s->version == 4 ? 12 : 8), s->version == 4 ? 8 : 32, s->proto + (s->len & 0xffff) + (s->len >> 16));
}

/* NULL, or what is wrong with the packet's checksums. `no_udp`: its UDP has none. */
static inline const char *sums_wrong(const struct packet *p, bool no_udp)
{
    struct sums_l4 s;
    bool has_l4 = sums_find(p->data, p->len, &s);
    if (peek16(s.ip - 2) == 0x0800 && sums_fold(sums_add(s.ip, (s.ip[0] & 15) * 4, 0)) != 0xffff)
        return "IPv4 header";
    if (!has_l4)
        return NULL;
    if (s.proto == 132) {
        uint8_t copy[70000];
        uint32_t sum;
        memcpy(copy, s.l4, s.len);
        memset(copy + 8, 0, 4);
        memcpy(&sum, s.l4 + 8, 4);
        return le32toh(sum) == crc32c(0, copy, s.len) ? NULL : "SCTP";
    }
    int at = sums_field(&s);
    if (at < 0)
        return NULL;
    if (s.proto == 17 && no_udp)
        return peek16(s.l4 + at) ? "UDP that had none" : NULL;
    if (s.proto == 17 && !peek16(s.l4 + at))
        return "UDP, which is zero";
    return sums_fold(sums_add(s.l4, s.len, sums_pseudo(&s))) == 0xffff ? NULL : "transport";
}

/* Makes the packet one whose sender has left the checksum to the device: false if it has none that could be. */
static inline bool sums_make_partial(struct packet *p)
{
    struct sums_l4 s;
    if (!sums_find(p->data, p->len, &s) || s.first_fragment)
        return false;
    if (s.proto == 132) {
        if (s.l4 + s.len != p->data + p->len)
            return false; /* padding would be in it */
        p->csum_offset = 8;
        memset(s.l4 + 8, 0, 4);
    } else {
        if (sums_field(&s) < 0 || s.proto == 1 || s.proto == 58)
            return false;
        p->csum_offset = sums_field(&s);
        poke16(s.l4 + p->csum_offset, sums_fold(sums_pseudo(&s)));
    }
    p->csum = CSUM_PARTIAL;
    p->csum_start = s.l4 - p->data;
    return true;
}

#endif
