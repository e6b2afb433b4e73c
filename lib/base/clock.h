/* clock.h: the time that everything above asks for, so that a test may make it pass. Monotonic, milliseconds and
 * nanoseconds since an arbitrary start. Any thread may ask; only tests, single-threaded, set it. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H 1

#include "base/types.h"

typedef int64_t msec_t;

msec_t clock_msec(void);
int64_t clock_nsec(void);
int64_t clock_wall_msec(void); /* since 1970, for people */

void clock_fake(msec_t now); /* from now on time stands still at `now`… */
void clock_advance(msec_t by); /* …until this */

#endif
