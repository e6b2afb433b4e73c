#include "unit.h"
#include "base/clock.h"

START_TEST(time_passes)
{
    int64_t n = clock_nsec();
    msec_t m = clock_msec();
    for (int i = 0; i < 1000; i++) {
        ck_assert(clock_nsec() >= n);
        ck_assert(clock_msec() >= m);
        n = clock_nsec();
        m = clock_msec();
    }
    ck_assert(clock_wall_msec() > INT64_C(1600000000000));
}
END_TEST

START_TEST(fake_time_stands_still)
{
    clock_fake(5000);
    ck_assert_int_eq(clock_msec(), 5000);
    ck_assert_int_eq(clock_msec(), 5000);
    clock_advance(250);
    ck_assert_int_eq(clock_msec(), 5250);
    ck_assert_int_eq(clock_nsec() / 1000000, 5250);
}
END_TEST

UNIT_TEST_MAIN("clock", time_passes, fake_time_stands_still)
