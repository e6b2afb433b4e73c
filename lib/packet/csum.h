/* csum.h: Internet checksums (RFC 1071, RFC 1624), SCTP's CRC32c (RFC 9260, appendix A). */
#ifndef PACKET_CSUM_H
#define PACKET_CSUM_H 1

#include <string.h>
#include "packet/packet.h"

/* The sum of n bytes, folded to 16 bits, in network order, not complemented; `initial` is added. */
uint16_t csum_add(const void *p, size_t n, uint32_t initial);
/* The same, and copies them. */
uint16_t csum_copy(void *restrict to, const void *restrict from, size_t n, uint32_t initial);
static inline be16 csum_finish(uint16_t sum) { return (be16)~sum; }

/* The same of the 20 bytes of an IPv4 header without options, not folded. */
static inline uint64_t csum_ip4(const uint8_t *ip)
{
    uint32_t w[5];
    memcpy(w, ip, sizeof w);
    return (uint64_t)w[0] + w[1] + w[2] + w[3] + w[4];
}
static inline uint16_t csum_fold64(uint64_t sum)
{
    sum = (sum >> 32) + (uint32_t)sum;
    sum = (sum >> 32) + (uint32_t)sum;
    sum = (sum >> 16) + (uint16_t)sum;
    sum = (sum >> 16) + (uint16_t)sum;
    return (uint16_t)((sum >> 16) + (uint16_t)sum);
}

/* A sum of words of 16 bits, folded to one. */
static inline uint16_t csum_fold(uint32_t sum)
{
    sum = (sum >> 16) + (uint16_t)sum;
    return (uint16_t)((sum >> 16) + sum);
}

/* Checksum field *csum after n bytes (even offset, n even) changed from old to new. */
void csum_replace(be16 *csum, const void *old, const void *new, size_t n);

/* Sum of an IPv4 or IPv6 pseudo-header for transport `proto` with `len` bytes. */
uint16_t csum_pseudo4(be32 src, be32 dst, uint8_t proto, uint16_t len);
uint16_t csum_pseudo6(const uint8_t src[16], const uint8_t dst[16], uint8_t proto, uint32_t len);

uint32_t crc32c(uint32_t crc, const void *p, size_t n);
uint32_t crc32c_plain(uint32_t crc, const void *p, size_t n); /* the same, on any processor */

/* CSUM_PARTIAL: stores the sum at its place and makes it CSUM_NONE. Others: nothing. A start or offset outside the
 * packet makes it CSUM_NONE without a store. */
void packet_finish_csum(struct packet *);

#endif
