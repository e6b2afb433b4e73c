/* The cursor against plain reading by hand; its first error sticks. */
#include "unit.h"
#include "base/buf.h"
#include "base/wire.h"

START_TEST(reads_what_buf_writes)
{
    uint64_t rng = unit_seed();
    for (int round = 0; round < 1000; round++) {
        struct buf b = BUF_INIT;
        uint64_t v[40];
        unsigned kind[40], n = unit_below(&rng, 40);
        for (unsigned i = 0; i < n; i++) {
            v[i] = unit_random(&rng);
            switch (kind[i] = unit_below(&rng, 4)) {
            case 0: buf_u8(&b, v[i]); break;
            case 1: buf_u16(&b, v[i]); break;
            case 2: buf_u32(&b, v[i]); break;
            case 3: buf_u64(&b, v[i]); break;
            }
        }
        struct rd r = rd_init(b.data, b.len);
        for (unsigned i = 0; i < n; i++)
            switch (kind[i]) {
            case 0: ck_assert_uint_eq(rd_u8(&r), v[i] & 0xff); break;
            case 1: ck_assert_uint_eq(rd_u16(&r), v[i] & 0xffff); break;
            case 2: ck_assert_uint_eq(rd_u32(&r), v[i] & 0xffffffff); break;
            case 3: ck_assert_uint_eq(rd_u64(&r), v[i]); break;
            }
        ck_assert_uint_eq(rd_left(&r), 0);
        ck_assert_uint_eq(r.err, 0);
        rd_skip(&r, 0);
        ck_assert_uint_eq(r.err, 0);
        ck_assert_uint_eq(rd_u8(&r), 0);
        ck_assert_uint_eq(r.err, WIRE_SHORT);
        buf_free(&b);
    }
}
END_TEST

START_TEST(order_is_the_networks)
{
    struct rd r = rd_init("\1\2\3\4\5\6\7\10", 8), same = r;
    ck_assert_uint_eq(rd_u16(&r), 0x0102);
    ck_assert_uint_eq(rd_u32(&r), 0x03040506);
    ck_assert_uint_eq(rd_be16(&r), htons(0x0708));
    ck_assert_uint_eq(rd_be64(&same), htobe64(0x0102030405060708));
}
END_TEST

START_TEST(first_error_sticks)
{
    struct rd r = rd_init("\1\2\3", 3);
    ck_assert_uint_eq(rd_u32(&r), 0);
    ck_assert_uint_eq(r.err, WIRE_SHORT);
    ck_assert_uint_eq(rd_u8(&r), 0); /* though there is one */
    ck_assert_uint_eq(rd_left(&r), 0);
    rd_fail(&r, 42);
    ck_assert_uint_eq(r.err, WIRE_SHORT);
    uint8_t to[2] = {9, 9};
    rd_bytes(&r, to, 2);
    ck_assert_uint_eq(to[0] | to[1], 0);
    struct rd child = rd_sub(&r, 1);
    ck_assert_uint_eq(child.err, WIRE_SHORT);
    struct rd other = rd_init("\1", 1);
    rd_fail(&other, 42);
    ck_assert_ptr_null(rd_take(&other, 0));
    ck_assert_uint_eq(other.err, 42);
}
END_TEST

START_TEST(a_part_ends_where_it_ends)
{
    struct rd r = rd_init("\1\2\3\4", 4), part = rd_sub(&r, 2);
    ck_assert_uint_eq(rd_u8(&part), 1);
    ck_assert_uint_eq(rd_u16(&part), 0);
    ck_assert_uint_eq(part.err, WIRE_SHORT);
    ck_assert_uint_eq(r.err, 0);
    ck_assert_uint_eq(rd_u16(&r), 0x0304);
}
END_TEST

UNIT_TEST_MAIN("wire", reads_what_buf_writes, order_is_the_networks, first_error_sticks, a_part_ends_where_it_ends)
