/* unit.h: what a unit test needs besides Check.
 *
 *     #include "unit.h"
 *
 *     START_TEST(parses_what_it_prints)
 *     {
 *         uint64_t rng = unit_seed();
 *         ck_assert_uint_eq(parse(print(unit_random(&rng))), …);
 *     }
 *     END_TEST
 *
 *     UNIT_TEST_MAIN("key", parses_what_it_prints, refuses_nonsense)
 *
 * For loop tests, fixtures or several test cases: UNIT_TEST_MAIN_WITH("key", add), where add(Suite *) adds them.
 * Each test runs in a child process of its own (Check's default; CK_FORK=no for a debugger) and has 60 s, or
 * $CK_DEFAULT_TIMEOUT. The results also go to PROGRAM.tap, from which tests/run counts them.
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H 1

#include <check.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* The run's seed: $XVS_TEST_SEED, else a new one each run. It is printed when a test fails. */
static inline uint64_t unit_seed(void)
{
    static uint64_t seed;

    if (!seed) {
        const char *given = getenv("XVS_TEST_SEED");

        if (given)
            seed = strtoull(given, NULL, 0);
        else if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
            abort();
        seed += !seed;
    }
    return seed;
}

/* The next number after *state (splitmix64). Start with a variable that holds unit_seed(). */
static inline uint64_t unit_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* A number from 0 to n - 1. */
static inline unsigned unit_below(uint64_t *state, unsigned n) { return unit_random(state) % n; }

static inline int unit_run(Suite *suite, const char *argv0)
{
    char tap[4096];
    SRunner *runner = srunner_create(suite);

    unit_seed(); /* before the first fork, so that all tests share it */
    snprintf(tap, sizeof tap, "%s.tap", argv0);
    srunner_set_tap(runner, tap);
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    if (n_failed)
        printf("to run with the same random numbers: XVS_TEST_SEED=%#" PRIx64 " %s\n", unit_seed(), argv0);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static inline Suite *unit_suite(const char *noun)
{
    setenv("CK_DEFAULT_TIMEOUT", "60", 0); /* Check's own 4 s are short for sanitizers on a busy machine */
    return suite_create(noun);
}

#define UNIT_TEST_MAIN(NOUN, ...)                                 \
    int main(int argc, char *argv[])                              \
    {                                                             \
        const TTest *tests[] = {__VA_ARGS__};                     \
        Suite *suite = unit_suite(NOUN);                          \
        TCase *tcase = tcase_create(NOUN);                        \
                                                                  \
        (void)argc;                                               \
        for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) \
            tcase_add_test(tcase, tests[i]);                      \
        suite_add_tcase(suite, tcase);                            \
        return unit_run(suite, argv[0]);                          \
    }

#define UNIT_TEST_MAIN_WITH(NOUN, ADD)   \
    int main(int argc, char *argv[])     \
    {                                    \
        Suite *suite = unit_suite(NOUN); \
                                         \
        (void)argc;                      \
        ADD(suite);                      \
        return unit_run(suite, argv[0]); \
    }

#endif
