#include "base/clock.h"
#include <time.h>

static int64_t fake = -1; /* ns, or -1 for the real clock */

int64_t clock_nsec(void)
{
    struct timespec t;
    if (fake >= 0)
        return fake;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

msec_t clock_msec(void) { return clock_nsec() / 1000000; }

int64_t clock_wall_msec(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

void clock_fake(msec_t now) { fake = now * 1000000; }
void clock_advance(msec_t by) { fake += by * 1000000; }
