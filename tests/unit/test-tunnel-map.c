#include "unit.h"
#include "datapath/tunnel/map.h"

/* The obvious twin: the documented order, one class after the other over the plain list. */
static void *slow_find(const struct tunnel_map_entry *e, size_t n, be32 remote, be32 local, uint32_t key)
{
    for (int flow = 0; flow < 2; flow++)
        for (int any = 0; any < 2; any++)
            for (size_t i = 0; i < n; i++)
                if (e[i].remote == remote && e[i].flow == flow && (flow || e[i].key == key) &&
                    e[i].local == (any ? 0 : local))
                    return e[i].port;
    return NULL;
}

static bool same(const struct tunnel_map_entry *a, const struct tunnel_map_entry *b)
{
    return a->remote == b->remote && a->local == b->local && a->key == b->key && a->flow == b->flow;
}

START_TEST(agrees_with_its_twin)
{
    uint64_t rng = unit_seed();
    for (int round = 0; round < 300; round++) {
        struct tunnel_map_entry e[200];
        unsigned n = 0, wanted = unit_below(&rng, 201), some = 1 + unit_below(&rng, 12);
        char ports[200];
        for (unsigned i = 0; i < wanted; i++) {
            bool flow = unit_below(&rng, 3) == 0;
            struct tunnel_map_entry x = {.remote = htonl(1 + unit_below(&rng, some)),
                                         .local = htonl(unit_below(&rng, 4)),
                                         .flow = flow,
                                         .key = flow ? 0 : unit_below(&rng, some)};
            bool have = false;
            for (unsigned j = 0; j < n; j++)
                have = have || same(&e[j], &x);
            if (!have) {
                x.port = &ports[n];
                e[n++] = x;
            }
        }
        struct tunnel_map *m = tunnel_map_build(e, n);
        ck_assert_uint_eq(tunnel_map_count(m), n);
        for (int i = 0; i < 500; i++) {
            be32 remote = htonl(unit_below(&rng, some + 2)), local = htonl(1 + unit_below(&rng, 4));
            uint32_t key = unit_below(&rng, some + 1);
            bool has_local = false, has_wildcard = false;
            ck_assert_ptr_eq(tunnel_map_find(m, remote, local, key), slow_find(e, n, remote, local, key));
            for (unsigned j = 0; j < n; j++) {
                has_local = has_local || e[j].local == local;
                has_wildcard = has_wildcard || !e[j].local;
            }
            ck_assert_int_eq(tunnel_map_has_local(m, local), has_local);
            ck_assert_int_eq(tunnel_map_has_wildcard(m), has_wildcard);
            ck_assert_int_eq(tunnel_map_nearest(m, remote, local, key) != NULL, n > 0);
        }
        free(m);
    }
}
END_TEST

START_TEST(takes_the_most_specific)
{
    char p[4];
    const be32 r = htonl(1), l = htonl(2);
    const struct tunnel_map_entry e[] = {
        {.remote = r, .flow = true, .port = &p[3]},
        {.remote = r, .local = l, .flow = true, .port = &p[2]},
        {.remote = r, .key = 7, .port = &p[1]},
        {.remote = r, .local = l, .key = 7, .port = &p[0]},
    };
    for (size_t n = 1; n <= 4; n++) {
        struct tunnel_map *m = tunnel_map_build(e, n);
        ck_assert_ptr_eq(tunnel_map_find(m, r, l, 7), &p[4 - n]);
        ck_assert_ptr_eq(tunnel_map_find(m, r, l, 8), &p[n >= 2 ? 2 : 3]);
        ck_assert_ptr_eq(tunnel_map_find(m, r, htonl(9), 8), &p[3]);
        ck_assert_ptr_null(tunnel_map_find(m, htonl(9), l, 7));
        free(m);
    }
    ck_assert_ptr_null(tunnel_map_find(NULL, r, l, 7));
    ck_assert_ptr_null(tunnel_map_nearest(NULL, r, l, 7));
}
END_TEST

/* in_key=0 (or not given) takes packets with key 0 and without a key: both arrive here as 0. */
START_TEST(nearest_differs_least)
{
    char p[3];
    const struct tunnel_map_entry e[] = {
        {.remote = htonl(9), .key = 10, .port = &p[0]},
        {.remote = htonl(1), .key = 11, .port = &p[1]},
        {.remote = htonl(1), .local = htonl(5), .key = 12, .port = &p[2]},
    };
    struct tunnel_map *m = tunnel_map_build(e, 3);
    ck_assert_ptr_eq(tunnel_map_nearest(m, htonl(1), htonl(2), 10)->port, &p[1]);
    ck_assert_ptr_eq(tunnel_map_nearest(m, htonl(1), htonl(2), 12)->port, &p[1]);
    ck_assert_ptr_eq(tunnel_map_nearest(m, htonl(9), htonl(2), 1)->port, &p[0]);
    free(m);
}
END_TEST

UNIT_TEST_MAIN("tunnel map", agrees_with_its_twin, takes_the_most_specific, nearest_differs_least)
