/* Growing bytes and text. */
#include "unit.h"
#include "base/buf.h"

START_TEST(grows_and_keeps)
{
    uint64_t rng = unit_seed();
    struct buf b = BUF_INIT;
    uint8_t want[20000];
    size_t n = 0;
    while (n < sizeof want - 300) {
        uint8_t piece[300];
        size_t k = unit_below(&rng, sizeof piece);
        for (size_t i = 0; i < k; i++)
            piece[i] = unit_random(&rng);
        if (unit_below(&rng, 4) == 0) {
            memset(piece, 0, k);
            buf_zeros(&b, k);
        } else {
            buf_put(&b, piece, k);
        }
        memcpy(want + n, piece, k);
        n += k;
        ck_assert_uint_eq(b.len, n);
    }
    ck_assert(!memcmp(b.data, want, n));
    buf_set_u16(&b, 5, 0x1234);
    buf_set_u32(&b, 9, 0x56789abc);
    ck_assert(!memcmp(b.data + 5, "\x12\x34", 2) && !memcmp(b.data + 9, "\x56\x78\x9a\xbc", 4));
    buf_clear(&b);
    ck_assert_uint_eq(b.len, 0);
    buf_free(&b);
    ck_assert_ptr_null(b.data);
}
END_TEST

START_TEST(text_ends_in_nul)
{
    struct buf b = BUF_INIT;
    ck_assert_str_eq(buf_text(&b), "");
    for (int i = 0; i < 200; i++)
        buf_printf(&b, "%d,", i % 10);
    buf_puts(&b, "end,,");
    buf_chomp(&b, ',');
    buf_chomp(&b, ';');
    ck_assert_uint_eq(strlen(buf_text(&b)), 404);
    ck_assert_str_eq(buf_text(&b) + 396, "8,9,end,");
    char *s = buf_steal_text(&b);
    ck_assert_uint_eq(b.len, 0);
    ck_assert_uint_eq(strlen(s), 404);
    free(s);
    buf_chomp(&b, ',');
    buf_free(&b);
}
END_TEST

START_TEST(aligns_from_where_it_is_told)
{
    for (size_t from = 0; from < 9; from++)
        for (size_t n = 0; n < 20; n++) {
            struct buf b = BUF_INIT;
            buf_zeros(&b, from + n);
            buf_align(&b, from, 8);
            ck_assert_uint_eq((b.len - from) % 8, 0);
            ck_assert(b.len >= from + n && b.len < from + n + 8);
            buf_free(&b);
        }
}
END_TEST

START_TEST(numbers_are_as_printf_has_them)
{
    for (unsigned i = 0; i < 64; i++)
        for (int d = -1; d <= 1; d++) {
            unsigned long long n = (1ULL << i) + d, m = i < 20 ? n : n * 3;
            char want[128];
            struct buf b = BUF_INIT;
            buf_dec(&b, n);
            buf_puts(&b, " ");
            buf_hex(&b, m, i % 18);
            snprintf(want, sizeof want, "%llu %0*llx", n, (int)MAX(i % 18, 1u), m);
            ck_assert_str_eq(buf_text(&b), want);
            buf_free(&b);
        }
}
END_TEST

UNIT_TEST_MAIN("buf", numbers_are_as_printf_has_them, grows_and_keeps, text_ends_in_nul, aligns_from_where_it_is_told)
