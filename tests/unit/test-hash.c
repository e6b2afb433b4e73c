#include "unit.h"
#include "base/hash.h"

/* Every bit of every byte, the length and the seed matter, and no byte behind the end does. */
START_TEST(every_bit_counts)
{
    uint64_t rng = unit_seed();
    for (size_t n = 1; n < 64; n++) {
        uint8_t *p = malloc(n);
        for (size_t i = 0; i < n; i++)
            p[i] = unit_random(&rng);
        uint32_t h = hash_bytes(p, n, 1);
        ck_assert_uint_eq(hash_bytes(p, n, 1), h);
        ck_assert_uint_ne(hash_bytes(p, n, 2), h);
        ck_assert_uint_ne(hash_bytes(p, n - 1, 1), h);
        for (size_t bit = 0; bit < n * 8; bit++) {
            p[bit / 8] ^= 1 << bit % 8;
            ck_assert_uint_ne(hash_bytes(p, n, 1), h);
            p[bit / 8] ^= 1 << bit % 8;
        }
        free(p);
    }
}
END_TEST

/* Counting numbers must spread over a small table: no bucket with more than four times its share. */
START_TEST(counting_numbers_spread)
{
    unsigned buckets[256] = {0};
    for (uint64_t i = 0; i < 256 * 64; i++)
        buckets[hash_finish(hash_mix(0, i)) % 256]++;
    for (int i = 0; i < 256; i++)
        ck_assert_msg(buckets[i] > 16 && buckets[i] < 256, "bucket %d has %u", i, buckets[i]);
}
END_TEST

START_TEST(seed_is_kept) { ck_assert_uint_eq(hash_seed(), hash_seed()); }
END_TEST

UNIT_TEST_MAIN("hash", every_bit_counts, counting_numbers_spread, seed_is_kept)
