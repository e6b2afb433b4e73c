/* The MAC table: against a plain list, and what it tells paths. */
#include "tests/sim/sim.h"

static void learn_at(struct sim *s, uint32_t port, uint16_t vlan, unsigned mac)
{
    struct punt_learn_mac l = {
        .in_port = port, .vlan = vlan, .mac = {2, 0, 0, (uint8_t)(mac >> 16), (uint8_t)(mac >> 8), (uint8_t)mac}};
    fdb_learn(s->o->fdb, &l, clock_msec());
}

static uint32_t look(struct sim *s, uint16_t vlan, unsigned mac, struct dp_tally **tally)
{
    struct dp_tally *unused;
    struct dp_path path;
    uint8_t m[6] = {2, 0, 0, (uint8_t)(mac >> 16), (uint8_t)(mac >> 8), (uint8_t)mac};
    dp_path_init(&path);
    uint32_t port = fdb_lookup(s->o->fdb, vlan, m, &path, tally ? tally : &unused);
    ck_assert_uint_eq(path.n_deps, 1);
    dp_path_free(&path);
    return port;
}

static size_t count(struct sim *s)
{
    struct fdb_row *rows;
    size_t n = ofproto_fdb(s->o, &rows);
    free(rows);
    return n;
}

static void configure(struct sim *s, unsigned aging, unsigned size)
{
    struct ofproto_config c = {.fail_mode = FAIL_SECURE, .mac_aging = aging, .mac_table_size = size};
    ofproto_configure(s->o, &c);
}

START_TEST(learns_moves_and_forgets)
{
    struct sim s;
    sim_init(&s);
    configure(&s, 10, 0);
    ck_assert_uint_eq(look(&s, 0, 1, NULL), 0);
    ck_assert(fdb_wake_at(s.o->fdb) == INT64_MAX);
    learn_at(&s, 1, 0, 1);
    learn_at(&s, 2, 5, 1);
    ck_assert_uint_eq(look(&s, 0, 1, NULL), 1);
    ck_assert_uint_eq(look(&s, 5, 1, NULL), 2);
    ck_assert_uint_eq(look(&s, 6, 1, NULL), 0);
    learn_at(&s, 3, 0, 1);
    ck_assert_uint_eq(look(&s, 0, 1, NULL), 3);
    learn_at(&s, 77, 0, 9); /* no such port */
    ck_assert_uint_eq(look(&s, 0, 9, NULL), 0);
    ck_assert(fdb_wake_at(s.o->fdb) == clock_msec() + 10000);

    clock_advance(6000);
    struct dp_tally *tally = NULL;
    look(&s, 5, 1, &tally);
    tally->slot[0].used = clock_msec(); /* a packet came by */
    clock_advance(5000);
    fdb_run(s.o->fdb, clock_msec());
    ck_assert_uint_eq(look(&s, 0, 1, NULL), 0);
    ck_assert_uint_eq(look(&s, 5, 1, NULL), 2);
    struct fdb_row *rows;
    ck_assert_uint_eq(ofproto_fdb(s.o, &rows), 1);
    ck_assert_uint_eq(rows[0].port, 2);
    ck_assert_uint_eq(rows[0].vlan, 5);
    ck_assert_uint_eq(rows[0].age, 5);
    ck_assert_mem_eq(rows[0].mac, ((uint8_t[]){2, 0, 0, 0, 0, 1}), 6);
    free(rows);
    clock_advance(5000);
    fdb_run(s.o->fdb, clock_msec());
    ck_assert_uint_eq(count(&s), 0);

    learn_at(&s, 1, 0, 1);
    learn_at(&s, 2, 0, 2);
    fdb_flush_port(s.o->fdb, 1);
    ck_assert_uint_eq(look(&s, 0, 1, NULL), 0);
    ck_assert_uint_eq(look(&s, 0, 2, NULL), 2);
    ofproto_fdb_flush(s.o);
    ck_assert_uint_eq(count(&s), 0);
    sim_destroy(&s);
}
END_TEST

START_TEST(is_bounded_and_forgets_the_oldest)
{
    struct sim s;
    sim_init(&s);
    configure(&s, 300, 100);
    for (unsigned i = 0; i < 1000; i++) {
        struct dp_tally *tally;
        learn_at(&s, 1 + i % 3, 0, i);
        clock_advance(1);
        if (i > 0) {
            ck_assert_uint_ne(look(&s, 0, 0, &tally), 0); /* number 0 talks all the time */
            tally->slot[0].used = clock_msec();
        }
        ck_assert_uint_le(count(&s), 100);
    }
    for (unsigned i = 1; i < 1000; i++)
        ck_assert_uint_eq(look(&s, 0, i, NULL) != 0, i > 900);
    sim_destroy(&s);
}
END_TEST

/* Only who asked for an address that changed is walked again. */
START_TEST(generations)
{
    struct sim s;
    struct dp_path path;
    struct dp_tally *t;
    sim_init(&s);
    learn_at(&s, 1, 0, 1);
    dp_path_init(&path);
    fdb_lookup(s.o->fdb, 0, (uint8_t[]){2, 0, 0, 0, 0, 1}, &path, &t);
    ck_assert_uint_eq(path.n_deps, 1);
    const struct dp_dep *dep = &path.deps[0];
    ck_assert_uint_eq(dep->gen->n, dep->seen);
    learn_at(&s, 1, 0, 1); /* nothing new */
    ck_assert_uint_eq(dep->gen->n, dep->seen);
    unsigned others = 0;
    for (unsigned i = 2; i < 102; i++) {
        uint32_t before = dep->gen->n;
        learn_at(&s, 2, 0, i);
        others += dep->gen->n != before;
    }
    ck_assert_uint_lt(others, 10); /* same bucket by chance */
    uint32_t before = dep->gen->n;
    learn_at(&s, 2, 0, 1);
    ck_assert_uint_ne(dep->gen->n, before);
    before = dep->gen->n;
    fdb_flush_port(s.o->fdb, 2);
    ck_assert_uint_ne(dep->gen->n, before);
    dp_path_free(&path);
    sim_destroy(&s);
}
END_TEST

START_TEST(agrees_with_a_list)
{
    enum { MACS = 300, AGING = 20000 };
    uint64_t rng = unit_seed();
    struct {
        uint32_t port;
        msec_t seen;
    } list[MACS] = {{0}};
    struct sim s;
    sim_init(&s);
    configure(&s, AGING / 1000, MACS);
    for (int i = 0; i < 20000; i++) {
        unsigned mac = unit_below(&rng, MACS);
        switch (unit_below(&rng, 8)) {
        case 0: {
            uint32_t port = 1 + unit_below(&rng, 3);
            if (unit_below(&rng, 100))
                break;
            fdb_flush_port(s.o->fdb, port);
            for (unsigned m = 0; m < MACS; m++)
                list[m].port = list[m].port == port ? 0 : list[m].port;
            break;
        }
        case 1: {
            struct dp_tally *tally;
            if (look(&s, 0, mac, &tally))
                tally->slot[0].used = list[mac].seen = clock_msec();
            break;
        }
        case 2:
        case 3:
            list[mac].port = 1 + unit_below(&rng, 3);
            list[mac].seen = clock_msec();
            learn_at(&s, list[mac].port, 0, mac);
            break;
        default:
            clock_advance(unit_below(&rng, 200));
            fdb_run(s.o->fdb, clock_msec());
            for (unsigned m = 0; m < MACS; m++)
                if (list[m].port && list[m].seen + AGING <= clock_msec())
                    list[m].port = 0;
            break;
        }
        ck_assert_uint_eq(look(&s, 0, mac, NULL), list[mac].port);
    }
    sim_destroy(&s);
}
END_TEST

UNIT_TEST_MAIN("fdb", learns_moves_and_forgets, is_bounded_and_forgets_the_oldest, generations, agrees_with_a_list)
