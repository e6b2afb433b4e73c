/* The flow cache against the plain walk: the same packets, the same outcome, whatever changes in between. */
#include "base/hash.h"
#include "dp-sim.h"
#include "packet/modify.h"
#include "packet/parse.h"

/* A little pipeline: each table looks at one field under a mask, and for some values says what to do. */
enum { TABLES = 5, RULES = 4, PORTS = 4 };
static const enum field_id looked_at[] = {FIELD_IN_PORT,  FIELD_ETH_DST,  FIELD_ETH_SRC,  FIELD_ETH_TYPE,
                                          FIELD_IPV4_SRC, FIELD_IPV4_DST, FIELD_IP_PROTO, FIELD_UDP_SRC,
                                          FIELD_UDP_DST,  FIELD_IP_TOS,   FIELD_VLAN_TCI};
struct rule {
    uint64_t value;
    unsigned output; /* bits of ports */
    bool set;        /* eth_dst */
    uint8_t set_to;
    bool stop;
    enum drop_reason drop;
};
struct pipeline {
    struct table {
        struct dp_gen gen;
        enum field_id field;
        uint64_t mask;
        struct rule rules[RULES];
    } tables[TABLES];
    struct dp_tally *tally;
};

static uint64_t small(uint64_t *rng) { return unit_below(rng, 4); }

static void randomize(struct table *t, uint64_t *rng)
{
    t->field = looked_at[unit_below(rng, ARRAY_SIZE(looked_at))];
    t->mask = unit_below(rng, 3) ? UINT64_MAX : unit_below(rng, 4);
    for (int i = 0; i < RULES; i++)
        t->rules[i] = (struct rule){.value = t->field == FIELD_ETH_TYPE   ? 0x0800
                                             : t->field == FIELD_IP_PROTO ? 17
                                                                          : small(rng),
                                    .output = unit_below(rng, 1 << PORTS) & unit_below(rng, 1 << PORTS),
                                    .set = !unit_below(rng, 4),
                                    .set_to = unit_random(rng),
                                    .stop = !unit_below(rng, 3),
                                    .drop = unit_below(rng, 2) ? DROP_ACTION : DROP_NONE};
}

static void walk(struct sim_switch *s, const struct flow_key *key, struct dp_path *path)
{
    struct pipeline *p = s->aux;
    struct flow_view v;
    view_init(&v, key);
    path->drop = DROP_NO_RULE;
    if (p->tally)
        dp_path_tally(path, p->tally);
    for (int t = 0; t < TABLES; t++) {
        const struct table *table = &p->tables[t];
        union field_value value;
        dp_path_dep(path, &table->gen);
        view_mark(&v, fields[table->field].ofs, fields[table->field].size);
        field_get(table->field, &v.key, &value);
        const struct rule *r = NULL;
        for (int i = 0; i < RULES && !r; i++)
            if (!((field_value_u64(&value) ^ table->rules[i].value) & table->mask))
                r = &table->rules[i];
        if (!r)
            break;
        path->drop = r->drop;
        if (r->set) {
            struct dpact_set *set = dpact_append(&path->acts, DPACT_SET_FIELD, sizeof *set, FIELD_ETH_DST);
            field_value_set_u64(&set->value, r->set_to);
            field_all_ones(FIELD_ETH_DST, &set->mask);
            view_wrote(&v, offsetof(struct flow_key, eth.dst), 6);
            field_set(FIELD_ETH_DST, &v.key, &set->value);
        }
        for (int i = 0; i < PORTS; i++)
            if (r->output >> i & 1)
                path_output(path, s->port[i]);
        if (r->stop)
            break;
    }
    path->consulted = v.consulted;
}

/* What came out: per port the number of packets and the sum of hashes of their bytes. */
struct sums {
    uint64_t n[PORTS], sum[PORTS], dropped;
};

static void on_transmit(struct dp_port *port, const struct packet *p, void *aux)
{
    struct sums *s = aux;
    s->n[dp_port_ofport(port) - 1]++;
    s->sum[dp_port_ofport(port) - 1] += hash_bytes(p->data, p->len, 1);
}

/* The obvious twin: the walk, and its actions one by one. */
static void expect(struct sim_switch *s, const uint8_t *frame, size_t len, unsigned in_port, struct sums *to)
{
    uint8_t buffer[PACKET_HEADROOM + 256];
    struct packet p;
    struct flow_key key;
    struct dp_path path;
    packet_init(&p, buffer, sizeof buffer, PACKET_HEADROOM, len);
    memcpy(p.data, frame, len);
    key_parse(&p, in_port, L_L4, &key);
    dp_path_init(&path);
    walk(s, &key, &path);
    DPACT_FOR_EACH(a, path.acts.data, path.acts.len)
    {
        const struct dpact_set *set = (const struct dpact_set *)a;
        if (a->type == DPACT_SET_FIELD) {
            packet_set_field(&p, a->arg, &set->value, &set->mask);
            continue;
        }
        for (int i = 0; i < PORTS; i++)
            if (dp_port_id(s->port[i]) == a->arg) {
                to->n[i]++;
                to->sum[i] += hash_bytes(p.data, p.len, 1);
            }
    }
    to->dropped += path.drop != DROP_NONE || !path.acts.len;
    dp_path_free(&path);
}

static uint64_t all_drops(struct sim_switch *s)
{
    struct dp_drop_row rows[N_DROPS];
    size_t n = dp_drops(s->dp, rows);
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += rows[i].packets;
    return sum;
}

static void random_change(struct sim_switch *s, struct pipeline *p, uint64_t *rng)
{
    struct table *t = &p->tables[unit_below(rng, TABLES)];
    switch (unit_below(rng, 8)) {
    case 0:
        dp_bump(s->dp, &t->gen); /* a change that changes nothing */
        break;
    case 1:
        dp_forget(s->dp);
        break;
    case 2:
        clock_advance(unit_below(rng, 6000)); /* masks grow old */
        break;
    case 3:
        randomize(t, rng);
        dp_bump(s->dp, &t->gen);
        break;
    }
}

static void some_frame(uint8_t frame[64], uint64_t *rng)
{
    udp_frame(frame, 64, small(rng), small(rng), small(rng), small(rng), small(rng), small(rng));
    frame[15] = small(rng) << 2; /* tos */
    if (!unit_below(rng, 8))
        frame[13] = 6; /* not IP */
    if (!unit_below(rng, 8))
        frame[23] = 6; /* TCP */
}

START_TEST(as_the_plain_walk)
{
    uint64_t rng = unit_seed() + _i;
    struct sim_switch s;
    struct pipeline p = {0};
    clock_fake(1000);
    sim_create(&s, 0, PORTS, walk);
    struct sums got = {0}, want = {0};
    uint64_t received = 0;
    s.aux = &p;
    p.tally = xzalloc(dp_tally_size(s.dp));
    for (int i = 0; i < PORTS; i++)
        dp_sim_on_transmit(s.port[i], on_transmit, &got);
    for (int i = 0; i < TABLES; i++)
        randomize(&p.tables[i], &rng);
    for (int round = 0; round < 2000; round++) {
        unsigned n = 1 + unit_below(&rng, 40), in = unit_below(&rng, PORTS);
        uint8_t frame[64];
        for (unsigned i = 0; i < n; i++) {
            if (!i || unit_below(&rng, 2)) /* else as the one before */
                some_frame(frame, &rng);
            dp_sim_receive(s.port[in], frame, sizeof frame);
            expect(&s, frame, sizeof frame, in + 1, &want);
        }
        received += n;
        dp_run(s.dp), dp_run(s.dp);
        ck_assert_mem_eq(got.n, want.n, sizeof got.n);
        ck_assert_mem_eq(got.sum, want.sum, sizeof got.sum);
        ck_assert_uint_eq(all_drops(&s), want.dropped);
        random_change(&s, &p, &rng);
    }
    uint64_t packets, bytes;
    msec_t used;
    dp_tally_read(s.dp, p.tally, &packets, &bytes, &used);
    ck_assert_uint_eq(packets, received);
    ck_assert_uint_eq(bytes, received * 64);
    ck_assert_uint_lt(s.walks, received); /* the cache did something */
    sim_destroy(&s);
    free(p.tally);
}
END_TEST

static void wide(struct sim_switch *s, const struct flow_key *key, struct dp_path *path)
{
    struct flow_view v;
    view_init(&v, key);
    (void)view_get(&v, l4);
    (void)view_get(&v, ip4);
    path_output(path, s->port[1]);
    path->consulted = v.consulted;
}

START_TEST(grows_and_is_bounded)
{
    struct sim_switch s;
    struct dp_worker_stats stats;
    unsigned total = 3 * CACHE_MAX_BUCKETS * CACHE_WAYS / 2, sent = 0;
    sim_create(&s, 0, 2, wide);
    while (sent < total) {
        for (int i = 0; i < BATCH; i++, sent++) {
            uint8_t frame[64];
            udp_frame(frame, sizeof frame, 1, 2, sent, 4, sent, 6);
            dp_sim_receive(s.port[0], frame, sizeof frame);
        }
        dp_run(s.dp);
        if (sent == 20 * BATCH) { /* small while little is needed */
            sim_run(&s);
            dp_worker_get_stats(s.dp, 0, &stats);
            ck_assert_uint_le(stats.cache_entries, 20 * BATCH);
            ck_assert_uint_ge(stats.cache_entries, 20 * BATCH * 98 / 100);
        }
    }
    sim_run(&s);
    dp_worker_get_stats(s.dp, 0, &stats);
    ck_assert_uint_eq(s.sent[1].n, sent);
    ck_assert_uint_le(stats.cache_entries, CACHE_MAX_BUCKETS * CACHE_WAYS);
    ck_assert_uint_ge(stats.cache_entries, CACHE_MAX_BUCKETS * CACHE_WAYS * 4 / 5);
    sim_destroy(&s);
}
END_TEST

/* Only what depends on the generation is walked anew, and that once. */
struct two {
    struct dp_gen gen[2];
};
static void by_source(struct sim_switch *s, const struct flow_key *key, struct dp_path *path)
{
    struct two *t = s->aux;
    struct flow_view v;
    view_init(&v, key);
    dp_path_dep(path, &t->gen[(*view_ref(&v, eth.src))[5] & 1]);
    path_output(path, s->port[1]);
    path->consulted = v.consulted;
}

START_TEST(only_dependents_are_walked_anew)
{
    struct sim_switch s;
    struct two t = {0};
    uint8_t frame[64];
    sim_create(&s, 0, 2, by_source);
    s.aux = &t;
    for (int round = 0; round < 4; round++) {
        unsigned before = s.walks;
        for (int i = 0; i < 40; i++) {
            udp_frame(frame, sizeof frame, 1, i % 20, 3, 4, 5, i);
            dp_sim_receive(s.port[0], frame, sizeof frame);
        }
        sim_run(&s);
        ck_assert_uint_eq(s.walks - before, round == 0 ? 20 : round == 1 ? 10 : round == 2 ? 0 : 20);
        if (round == 0)
            dp_bump(s.dp, &t.gen[1]);
        if (round == 1) {
            struct dp_gen other = {0};
            dp_bump(s.dp, &other);
        }
        if (round == 2)
            dp_forget(s.dp);
    }
    ck_assert_uint_eq(s.sent[1].n, 160);
    sim_destroy(&s);
}
END_TEST

/* The mask becomes narrow again when the tables are. */
static void as_told(struct sim_switch *s, const struct flow_key *key, struct dp_path *path)
{
    struct two *t = s->aux;
    struct flow_view v;
    view_init(&v, key);
    dp_path_dep(path, &t->gen[0]);
    if (t->gen[0].n < 2)
        (void)view_get(&v, l4);
    path_output(path, s->port[1]);
    path->consulted = v.consulted;
}

START_TEST(mask_becomes_narrow_again)
{
    struct sim_switch s;
    struct two t = {0};
    clock_fake(1000);
    sim_create(&s, 0, 2, as_told);
    s.aux = &t;
    for (int round = 0; round < 3; round++) {
        unsigned before = s.walks;
        for (int i = 0; i < 100; i++) {
            uint8_t frame[64];
            udp_frame(frame, sizeof frame, 1, 2, 3, 4, 5, 1000 * round + i);
            dp_sim_receive(s.port[0], frame, sizeof frame);
        }
        sim_run(&s);
        ck_assert_uint_eq(s.walks - before, round < 2 ? 100 : 1);
        dp_bump(s.dp, &t.gen[0]);
        if (round)
            clock_advance(CACHE_MASK_AGE);
    }
    sim_destroy(&s);
}
END_TEST

/* A bridge that takes another's place takes nothing of its cache. */
static void by_aux(void *aux, const struct flow_key *key, struct dp_path *path)
{
    struct flow_view v;
    view_init(&v, key);
    dpact_append(&path->acts, DPACT_OUTPUT, sizeof(struct dpact_port), *(uint32_t *)aux);
    path->consulted = v.consulted;
}

START_TEST(bridges_share_nothing)
{
    static const struct dp_callbacks callbacks = {.walk = by_aux, .punt = sim_punt};
    struct dp_config config = {.workers = 0, .no_netlink = true};
    struct dp *dp = dp_create(&config, &callbacks);
    uint32_t to[2];
    struct sent sent[2] = {0};
    uint8_t frame[64];
    udp_frame(frame, sizeof frame, 1, 2, 3, 4, 5, 6);
    for (unsigned round = 1; round <= 10; round++) {
        struct dp_bridge *bridge[2];
        struct dp_port *in[2], *out[2];
        for (int i = 0; i < 2; i++) {
            char name[16];
            bridge[i] = dp_bridge_create(dp, i ? "b" : "a", &to[i]);
            snprintf(name, sizeof name, "in%d", i);
            in[i] = dp_port_add(bridge[i], &(struct dp_port_config){.name = name, .type = "sim"}, 1, NULL, NULL);
            snprintf(name, sizeof name, "out%d", i);
            out[i] = dp_port_add(bridge[i], &(struct dp_port_config){.name = name, .type = "sim"}, 2, NULL, NULL);
            dp_sim_on_transmit(out[i], sim_sent, &sent[i]);
            to[i] = dp_port_id(out[i]);
        }
        for (int i = 0; i < 2; i++)
            dp_sim_receive(in[i], frame, sizeof frame);
        for (int i = 0; i < 8; i++)
            dp_run(dp);
        for (int i = 0; i < 2; i++) {
            ck_assert_uint_eq(sent[i].n, round);
            dp_port_del(in[i]);
            dp_port_del(out[i]);
            dp_bridge_destroy(bridge[i]);
        }
    }
    dp_destroy(dp);
}
END_TEST

static void never_cached(struct sim_switch *s, const struct flow_key *key, struct dp_path *path)
{
    wide(s, key, path);
    path->uncacheable = true;
}

START_TEST(uncacheable_is_not_cached)
{
    struct sim_switch s;
    uint8_t frame[64];
    sim_create(&s, 0, 2, never_cached);
    udp_frame(frame, sizeof frame, 1, 2, 3, 4, 5, 6);
    for (int i = 0; i < 50; i++)
        dp_sim_receive(s.port[0], frame, sizeof frame);
    sim_run(&s);
    ck_assert_uint_eq(s.walks, 50);
    ck_assert_uint_eq(s.sent[1].n, 50);
    sim_destroy(&s);
}
END_TEST

static void add_tests(Suite *suite)
{
    TCase *t = tcase_create("cache");
    tcase_add_loop_test(t, as_the_plain_walk, 0, 8);
    tcase_add_test(t, grows_and_is_bounded);
    tcase_add_test(t, only_dependents_are_walked_anew);
    tcase_add_test(t, mask_becomes_narrow_again);
    tcase_add_test(t, bridges_share_nothing);
    tcase_add_test(t, uncacheable_is_not_cached);
    suite_add_tcase(suite, t);
}

UNIT_TEST_MAIN_WITH("cache", add_tests)
