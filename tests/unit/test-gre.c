#include "unit.h"
#include "datapath/tunnel/gre.h"
#include "packet/csum.h"

/* A header with these flags and fields of known content; its length. */
static size_t make(uint8_t *p, unsigned flags)
{
    size_t n = 4;
    p[0] = (uint8_t)(flags >> 8);
    p[1] = (uint8_t)flags;
    memcpy(p + 2, "\x65\x58", 2);
    if (flags & GRE_CSUM)
        memcpy(p + n, "\xc1\xc2\xc3\xc4", 4), n += 4;
    if (flags & GRE_KEY)
        memcpy(p + n, "\xa1\xa2\xa3\xa4", 4), n += 4;
    if (flags & GRE_SEQ)
        memcpy(p + n, "\x51\x52\x53\x54", 4), n += 4;
    return n;
}

/* RFC 2784, 2.3; RFC 2890, 2: all 65536 values of the first two octets. */
START_TEST(every_flag_combination)
{
    for (unsigned flags = 0; flags <= 0xffff; flags++) {
        uint8_t p[GRE_MAX_LEN];
        struct gre g;
        size_t n = make(p, flags);
        bool refused = flags & 0x4c07;
        ck_assert_int_eq(gre_parse(p, n, &g), refused ? GRE_UNSUPPORTED : GRE_OK);
        ck_assert_uint_eq(g.flags, flags);
        ck_assert_uint_eq(g.proto, 0x6558);
        if (refused)
            continue;
        ck_assert_uint_eq(g.len, n);
        ck_assert_uint_eq(ntohl(g.key), flags & GRE_KEY ? 0xa1a2a3a4 : 0);
        ck_assert_uint_eq(ntohl(g.seq), flags & GRE_SEQ ? 0x51525354 : 0);
    }
}
END_TEST

START_TEST(cut_short_at_every_byte)
{
    for (unsigned flags = 0; flags <= 0xf000; flags += 0x1000) {
        uint8_t whole[GRE_MAX_LEN];
        size_t n = make(whole, flags);
        for (size_t cut = 0; cut < n; cut++) {
            struct gre g;
            uint8_t *p = malloc(cut + 1); /* so that a sanitizer sees any byte too far */
            memcpy(p + 1, whole, cut);
            enum gre_error e = gre_parse(p + 1, cut, &g);
            ck_assert_int_eq(e, cut >= 4 && flags & GRE_ROUTING ? GRE_UNSUPPORTED : GRE_SHORT);
            free(p);
        }
    }
}
END_TEST

START_TEST(reads_what_it_writes)
{
    uint64_t rng = unit_seed();
    for (int i = 0; i < 1000; i++) {
        uint8_t p[GRE_MAX_LEN];
        struct gre g;
        bool csum = unit_below(&rng, 2), has_key = unit_below(&rng, 2);
        uint32_t key = (uint32_t)unit_random(&rng);
        size_t n = gre_write(p, csum, has_key, key);
        ck_assert_int_eq(gre_parse(p, n, &g), GRE_OK);
        ck_assert_uint_eq(g.len, n);
        ck_assert_uint_eq(g.proto, GRE_PROTO_TEB);
        ck_assert_uint_eq(g.flags, (csum ? 0x8000 : 0) | (has_key ? 0x2000 : 0));
        ck_assert_uint_eq(ntohl(g.key), has_key ? key : 0);
    }
}
END_TEST

START_TEST(checks_its_checksum)
{
    uint64_t rng = unit_seed();
    for (int i = 0; i < 1000; i++) {
        uint8_t p[120];
        size_t n = gre_write(p, true, true, 10), len = n + unit_below(&rng, 100);
        for (size_t j = n; j < len; j++)
            p[j] = (uint8_t)unit_random(&rng);
        be16 sum = csum_finish(csum_add(p, len, 0));
        memcpy(p + 4, &sum, 2);
        ck_assert(gre_checksum_ok(p, len));
        p[unit_below(&rng, (unsigned)len)] ^= (uint8_t)(1 << unit_below(&rng, 8));
        ck_assert(!gre_checksum_ok(p, len));
    }
}
END_TEST

UNIT_TEST_MAIN("GRE header", every_flag_combination, cut_short_at_every_byte, reads_what_it_writes, checks_its_checksum)
