/* Checksums against the obvious way to compute them. */
#include "packets.h"
#include "sums.h"
#include "packet/csum.h"

START_TEST(sum_is_the_obvious_one)
{
    uint64_t rng = unit_seed();
    for (int round = 0; round < 20000; round++) {
        size_t n = unit_below(&rng, round % 8 ? 200 : 70000), at = unit_below(&rng, 9);
        uint8_t *p = malloc(at + n); /* ends where the allocation does, starts anywhere */
        packets_bytes(&rng, p, at + n);
        if (unit_below(&rng, 4) == 0)
            memset(p, unit_below(&rng, 2) ? 0xff : 0, at + n);
        uint16_t sum = csum_add(p + at, n, 0);
        ck_assert_uint_eq(ntohs(sum), sums_fold(sums_add(p + at, n, 0)));
        /* in two parts, the first of even length */
        size_t half = n / 2 & ~(size_t)1;
        ck_assert_uint_eq(csum_add(p + at + half, n - half, csum_add(p + at, half, 0)), sum);
        uint8_t *to = malloc(at + n);
        memset(to, 0x5a, at + n);
        ck_assert_uint_eq(csum_copy(to + at, p + at, n, 7), csum_add(p + at, n, 7));
        ck_assert(!memcmp(to + at, p + at, n));
        for (size_t i = 0; i < at; i++)
            ck_assert_uint_eq(to[i], 0x5a);
        free(to);
        free(p);
    }
    ck_assert_uint_eq(csum_add(NULL, 0, 0), 0);
    ck_assert_uint_eq(csum_add("", 0, 0xffffffff), 0xffff);
}
END_TEST

/* RFC 1071, 3. */
START_TEST(known_sum)
{
    ck_assert_uint_eq(ntohs(csum_add("\x00\x01\xf2\x03\xf4\xf5\xf6\xf7", 8, 0)), 0xddf2);
    ck_assert_uint_eq(ntohs(csum_finish(csum_add("\x00\x01\xf2\x03\xf4\xf5\xf6\xf7", 8, 0))), 0x220d);
}
END_TEST

START_TEST(replace_is_computing_anew)
{
    uint64_t rng = unit_seed();
    for (int round = 0; round < 50000; round++) {
        uint8_t p[40], old[16];
        size_t n = 2 * (1 + unit_below(&rng, 8)), at = 2 * unit_below(&rng, (sizeof p - n) / 2 + 1);
        packets_bytes(&rng, p, sizeof p);
        p[0] |= 1; /* never all zeros: that has two sums */
        if (at == 0)
            at = 2;
        be16 sum = csum_finish(csum_add(p, sizeof p, 0));
        memcpy(old, p + at, n);
        switch (unit_below(&rng, 4)) {
        case 0: memset(p + at, 0, n); break;
        case 1: memset(p + at, 0xff, n); break;
        default: packets_bytes(&rng, p + at, n); break;
        }
        csum_replace(&sum, old, p + at, n);
        ck_assert_uint_eq(sum, csum_finish(csum_add(p, sizeof p, 0)));
    }
}
END_TEST

START_TEST(pseudo_headers_are_the_obvious_ones)
{
    uint64_t rng = unit_seed();
    for (int round = 0; round < 1000; round++) {
        uint8_t h[40] = {0};
        uint16_t len = unit_random(&rng);
        packets_bytes(&rng, h, 8);
        h[9] = unit_random(&rng);
        poke16(h + 10, len);
        be32 a[2];
        memcpy(a, h, 8);
        ck_assert_uint_eq(ntohs(csum_pseudo4(a[0], a[1], h[9], len)), sums_fold(sums_add(h, 12, 0)));
        memset(h, 0, sizeof h);
        packets_bytes(&rng, h, 32);
        poke32(h + 32, len + 70000);
        h[39] = unit_random(&rng);
        ck_assert_uint_eq(ntohs(csum_pseudo6(h, h + 16, h[39], len + 70000)), sums_fold(sums_add(h, 40, 0)));
    }
}
END_TEST

/* RFC 3720, B.4. */
START_TEST(crc_on_this_processor_as_on_any)
{
    uint64_t rng = unit_seed();
    uint8_t data[300];
    for (int round = 0; round < 2000; round++) {
        packets_bytes(&rng, data, sizeof data - 4);
        size_t at = unit_below(&rng, 20), n = unit_below(&rng, 270);
        uint32_t crc = (uint32_t)unit_random(&rng);
        ck_assert_uint_eq(crc32c(crc, data + at, n), crc32c_plain(crc, data + at, n));
    }
}
END_TEST

START_TEST(known_crcs)
{
    uint8_t p[32] = {0};
    ck_assert_uint_eq(crc32c(0, p, 32), 0x8a9136aa);
    memset(p, 0xff, 32);
    ck_assert_uint_eq(crc32c(0, p, 32), 0x62a8ab43);
    for (int i = 0; i < 32; i++)
        p[i] = i;
    ck_assert_uint_eq(crc32c(0, p, 32), 0x46dd794e);
    ck_assert_uint_eq(crc32c(crc32c(0, p, 7), p + 7, 25), 0x46dd794e);
    ck_assert_uint_eq(crc32c(0, "123456789", 9), 0xe3069283);
}
END_TEST

/* A packet that came with its checksum only started is complete afterwards. */
START_TEST(partial_sums_are_finished)
{
    uint64_t rng = unit_seed();
    int n = 0;
    for (int round = 0; round < 20000; round++) {
        uint8_t room[PACKET_HEADROOM + COMPOSE_ROOM], whole[COMPOSE_ROOM];
        struct flow_key key;
        struct packet p;
        packets_random_key(&rng, &key);
        packet_init(&p, room, sizeof room, PACKET_HEADROOM, 0);
        packet_compose(&key, &p);
        memcpy(whole, p.data, p.len);
        if (!sums_make_partial(&p))
            continue;
        packet_finish_csum(&p);
        ck_assert_uint_eq(p.csum, CSUM_NONE);
        ck_assert(!memcmp(whole, p.data, p.len));
        n++;
    }
    ck_assert_int_gt(n, 100);
}
END_TEST

START_TEST(places_outside_are_left_alone)
{
    uint8_t room[64], before[64];
    static const uint16_t places[][2] = {{63, 0}, {0, 63}, {64, 0}, {65535, 65535}, {60, 8}, {52, 9}, {53, 8}};
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        struct packet p;
        uint8_t *exact = malloc(sizeof room);
        memset(room, 0xa5, sizeof room);
        memcpy(exact, room, sizeof room);
        packet_init(&p, exact, sizeof room, 0, sizeof room);
        p.csum = CSUM_PARTIAL;
        p.csum_start = places[i][0];
        p.csum_offset = places[i][1];
        packet_finish_csum(&p);
        ck_assert_uint_eq(p.csum, CSUM_NONE);
        memcpy(before, exact, sizeof before);
        ck_assert_msg(!memcmp(before, room, sizeof room) || i == 5, "%zu", i);
        free(exact);
    }
}
END_TEST

UNIT_TEST_MAIN("csum", sum_is_the_obvious_one, known_sum, replace_is_computing_anew, pseudo_headers_are_the_obvious_ones,
               crc_on_this_processor_as_on_any, known_crcs, partial_sums_are_finished, places_outside_are_left_alone)
