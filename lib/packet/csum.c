#include "packet/csum.h"
#include "packet/ip.h"

/* RFC 1071, 2: the sum does not depend on the byte order, nor on the width of the words that are added. Many bytes are
 * added as words of 32 bits in lanes of 64, which cannot overflow before 2^33 words. `to` NULL: added only, else copied
 * on the way. */
typedef uint64_t lanes __attribute__((vector_size(16)));
enum { WIDE = 4 * sizeof(lanes) };

static inline uint64_t add_wide(uint8_t *to, const uint8_t *p, size_t n)
{
    const lanes low = {UINT32_MAX, UINT32_MAX};
    lanes a = {0, 0}, b = {0, 0}, v[WIDE / sizeof(lanes)];
    for (size_t at = 0; at < n; at += WIDE) {
        memcpy(v, p + at, WIDE);
        if (to)
            memcpy(to + at, v, WIDE);
        a += (v[0] & low) + (v[1] & low) + (v[2] & low) + (v[3] & low);
        b += (v[0] >> 32) + (v[1] >> 32) + (v[2] >> 32) + (v[3] >> 32);
    }
    a += b;
    return a[0] + a[1];
}

/* The last bytes, fewer than 8; zeros behind the last one count nothing. */
static inline uint64_t tail(const uint8_t *p, size_t n)
{
    uint64_t sum = 0;
    uint32_t w4;
    uint16_t w2;
    if (n & 4) {
        memcpy(&w4, p, 4);
        sum += w4;
        p += 4;
    }
    if (n & 2) {
        memcpy(&w2, p, 2);
        sum += w2;
        p += 2;
    }
    if (n & 1) {
        w2 = 0;
        memcpy(&w2, p, 1);
        sum += w2;
    }
    return sum;
}

static inline uint16_t add(uint8_t *to, const uint8_t *p, size_t n, uint32_t initial)
{
    uint64_t sum = initial, w;
    if (n >= WIDE) {
        size_t wide = n - n % WIDE;
        sum += add_wide(to, p, wide);
        to = to ? to + wide : NULL;
        p += wide;
        n -= wide;
    }
    for (; n >= 8; p += 8, n -= 8) {
        memcpy(&w, p, 8);
        if (to) {
            memcpy(to, &w, 8);
            to += 8;
        }
        sum += w;
        sum += sum < w;
    }
    if (n) {
        w = tail(p, n);
        if (to)
            memcpy(to, p, n);
        sum += w;
        sum += sum < w;
    }
    return csum_fold64(sum);
}

uint16_t csum_add(const void *data, size_t n, uint32_t initial) { return add(NULL, data, n, initial); }

uint16_t csum_copy(void *restrict to, const void *restrict from, size_t n, uint32_t initial)
{
    return add(to, from, n, initial);
}

void csum_replace(be16 *csum, const void *old, const void *new, size_t n)
{
    /* RFC 1624, 3: HC' = ~(~HC + ~m + m') */
    uint32_t sum = (uint16_t)~*csum;
    sum += (uint16_t)~csum_add(old, n, 0);
    *csum = csum_finish(csum_add(new, n, sum));
}

uint16_t csum_pseudo4(be32 src, be32 dst, uint8_t proto, uint16_t len)
{
    return csum_add((be32[]){src, dst}, 8, htons(proto) + (uint32_t)htons(len));
}

uint16_t csum_pseudo6(const uint8_t src[16], const uint8_t dst[16], uint8_t proto, uint32_t len)
{
    be32 l = htonl(len);
    return csum_add(&l, 4, csum_add(src, 16, 0) + (uint32_t)csum_add(dst, 16, 0) + htons(proto));
}

/* RFC 9260, appendix A: the Castagnoli polynomial 0x1edc6f41, reflected. */

/* Half a byte at a time: 64 bytes of table, made when first needed would be a race, so it stands here. */
static const uint32_t crc_nibble[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t crc32c_plain(uint32_t crc, const void *data, size_t n)
{
    const uint8_t *p = data;
    crc = ~crc;
    for (; n; n--) {
        crc ^= *p++;
        crc = crc >> 4 ^ crc_nibble[crc & 15];
        crc = crc >> 4 ^ crc_nibble[crc & 15];
    }
    return ~crc;
}

#if defined __x86_64__
/* The processor has an instruction for this very polynomial. */
__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc, const uint8_t *p, size_t n)
{
    uint64_t c = (uint32_t)~crc, w;
    for (; n >= sizeof w; n -= sizeof w, p += sizeof w) {
        memcpy(&w, p, sizeof w);
        c = __builtin_ia32_crc32di(c, w);
    }
    for (; n; n--)
        c = __builtin_ia32_crc32qi((uint32_t)c, *p++);
    return ~(uint32_t)c;
}
#endif

uint32_t crc32c(uint32_t crc, const void *data, size_t n)
{
#if defined __x86_64__
    if (__builtin_cpu_supports("sse4.2"))
        return crc32c_sse42(crc, data, n);
#endif
    return crc32c_plain(crc, data, n);
}

/* Where transports keep their checksum tells them apart where no header has been looked at. */
enum { UDP_CSUM = 6, SCTP_CSUM = 8 };

void packet_finish_csum(struct packet *p)
{
    if (p->csum != CSUM_PARTIAL)
        return;
    p->csum = CSUM_NONE;
    uint32_t start = p->csum_start, offset = p->csum_offset;
    if (offset == SCTP_CSUM) {
        /* RFC 9260, appendix A: computed over a zero field, and stored in the byte order of the reflected CRC. */
        if (start + offset + 4 > p->len)
            return;
        uint8_t *field = p->data + start + offset;
        memset(field, 0, 4);
        uint32_t crc = htole32(crc32c(0, p->data + start, p->len - start));
        memcpy(field, &crc, 4);
        return;
    }
    if (start + offset + 2 > p->len)
        return;
    be16 sum = csum_finish(csum_add(p->data + start, p->len - start, 0));
    if (!sum && offset == UDP_CSUM)
        sum = 0xffff; /* RFC 768: zero means none */
    memcpy(p->data + start + offset, &sum, 2);
}
