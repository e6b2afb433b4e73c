#include "base/hash.h"
#include <string.h>
#include <sys/random.h>

uint32_t hash_bytes(const void *p, size_t n, uint64_t seed)
{
    const uint8_t *b = p;
    uint64_t h = seed ^ n, w;
    for (; n >= 8; n -= 8, b += 8) {
        memcpy(&w, b, 8);
        h = hash_mix(h, w);
    }
    if (n) {
        w = 0;
        memcpy(&w, b, n);
        h = hash_mix(h, w);
    }
    return hash_finish(h);
}

/* Any thread may be the first to ask; all get the same. */
uint64_t hash_seed(void)
{
    static uint64_t seed;
    uint64_t s = __atomic_load_n(&seed, __ATOMIC_RELAXED), mine;
    if (likely(s))
        return s;
    if (getrandom(&mine, sizeof mine, GRND_NONBLOCK) != sizeof mine)
        mine = 0x2545f4914f6cdd1dull;
    mine |= 1;
    return __atomic_compare_exchange_n(&seed, &s, mine, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED) ? mine : s;
}
