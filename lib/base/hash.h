/* hash.h: mixing of 64-bit words, fast enough for every packet. Not for secrets; where a sender could choose the keys,
 * start from hash_seed(), which differs from run to run. */
#ifndef BASE_HASH_H
#define BASE_HASH_H 1

#include "base/types.h"

/* One multiply folds 128 bits to 64: the mixing step of the wyhash family. */
static inline uint64_t hash_mix(uint64_t h, uint64_t word)
{
    __uint128_t m = (__uint128_t)(h ^ word) * 0x9e3779b97f4a7c15ull;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline uint32_t hash_finish(uint64_t h)
{
    h = hash_mix(h, 0xd6e8feb86659fd93ull);
    return (uint32_t)(h ^ h >> 32);
}

uint32_t hash_bytes(const void *p, size_t n, uint64_t seed);
uint64_t hash_seed(void); /* random, the same within a process */

#endif
