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

uint64_t hash_seed(void)
{
    static uint64_t seed;
    if (!seed && getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed)
        seed = 0x2545f4914f6cdd1dull;
    return seed |= 1;
}
