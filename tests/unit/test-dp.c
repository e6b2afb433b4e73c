/* The datapath from end to end on simulated ports. */
#include <unistd.h>
#include "dp-sim.h"

/* Port 1 ↔ port 2. */
static void patch(struct sim_switch *s, const struct flow_key *key, struct dp_path *path)
{
    struct flow_view v;
    view_init(&v, key);
    path_output(path, s->port[ntohl(view_get(&v, meta.in_port)) == 1 ? 1 : 0]);
    path_consult(path, &v);
}

START_TEST(forwards)
{
    struct sim_switch s;
    uint8_t frame[100];
    sim_create(&s, 0, 2, patch);
    for (int i = 0; i < 100; i++) {
        udp_frame(frame, sizeof frame, i, 2, 3, 4, 5, i);
        dp_sim_receive(s.port[0], frame, sizeof frame);
    }
    sim_run(&s);
    ck_assert_uint_eq(s.sent[1].n, 100);
    ck_assert_uint_eq(s.sent[0].n, 0);
    ck_assert_uint_eq(s.walks, 1); /* only in_port was consulted */
    ck_assert_mem_eq(s.sent[1].last, frame, sizeof frame);
    dp_sim_receive(s.port[1], frame, sizeof frame);
    sim_run(&s);
    ck_assert_uint_eq(s.sent[0].n, 1);
    ck_assert_uint_eq(s.walks, 2);
    struct dp_port_stats stats;
    dp_port_get_stats(s.port[0], &stats);
    ck_assert_uint_eq(stats.rx_packets, 100);
    ck_assert_uint_eq(stats.rx_bytes, 10000);
    ck_assert_uint_eq(stats.tx_packets, 1);
    sim_destroy(&s);
}
END_TEST

START_TEST(short_frames_are_dropped)
{
    struct sim_switch s;
    uint8_t frame[13] = {0};
    sim_create(&s, 0, 2, patch);
    for (size_t len = 0; len <= sizeof frame; len++)
        dp_sim_receive(s.port[0], frame, len);
    sim_run(&s);
    ck_assert_uint_eq(s.sent[1].n, 0);
    ck_assert_uint_eq(sim_drops(&s, DROP_MALFORMED), 14);
    sim_destroy(&s);
}
END_TEST

START_TEST(cache_in_words)
{
    struct sim_switch s;
    struct buf b = BUF_INIT;
    uint8_t frame[100];
    sim_create(&s, _i, 2, patch);
    udp_frame(frame, sizeof frame, 1, 2, 3, 4, 5, 6);
    for (int i = 0; i < 3; i++)
        dp_sim_receive(s.port[0], frame, sizeof frame);
    for (int i = 0; i < 100 && !strstr(buf_text(&b), "packets=3"); i++) {
        usleep(10000);
        dp_run(s.dp);
        buf_clear(&b);
        dp_show_cache(s.dp, &b);
    }
    ck_assert_msg(strstr(buf_text(&b), "in_port=1 packets=3 actions=") != NULL, "%s", buf_text(&b));
    ck_assert_ptr_nonnull(strstr(buf_text(&b), "p1"));
    buf_free(&b);
    sim_destroy(&s);
}
END_TEST

/* --- packets of main's --- */

START_TEST(executed_when_synchronize_returns)
{
    struct sim_switch s;
    struct dp_path path;
    uint8_t frame[100];
    sim_create(&s, _i, 3, patch);
    dp_path_init(&path);
    path_output(&path, s.port[1]);
    udp_frame(frame, sizeof frame, 1, 2, 3, 4, 5, 6);
    for (unsigned round = 1; round <= 200; round++) {
        for (int i = 0; i < 10; i++)
            dp_execute(s.dp, frame, sizeof frame, NULL, &path);
        dp_synchronize(s.dp);
        ck_assert_uint_eq(s.sent[1].n, 10 * round);
    }
    dp_execute(s.dp, frame, 13, NULL, &path); /* no frame at all */
    dp_synchronize(s.dp);
    ck_assert_uint_eq(s.sent[1].n, 2000);
    ck_assert_mem_eq(s.sent[1].last, frame, sizeof frame);
    dp_path_free(&path);
    sim_destroy(&s);
}
END_TEST

static void note(void *arg) { (*(int *)arg)++; }

START_TEST(deferred_in_the_end)
{
    struct sim_switch s;
    int done = 0;
    sim_create(&s, _i, 1, patch);
    dp_defer(s.dp, note, &done);
    ck_assert_int_eq(done, 0);
    dp_run(s.dp);
    ck_assert_int_eq(done, 1);
    dp_defer(s.dp, note, &done);
    sim_destroy(&s);
    ck_assert_int_eq(done, 2); /* also when it is destroyed first */
}
END_TEST

/* --- barriers: after dp_bump() and dp_synchronize() no packet goes the old way --- */

enum { WAYS = 4 };
struct barrier {
    struct dp_gen gen;
    unsigned wanted, reached; /* atomic */
    unsigned late, sent;      /* atomic */
};

static void by_version(struct sim_switch *s, const struct flow_key *key, struct dp_path *path)
{
    struct barrier *b = s->aux;
    struct flow_view v;
    view_init(&v, key);
    (void)view_get(&v, eth.src);
    dp_path_dep(path, &b->gen);
    path_output(path, s->port[load_acquire(&b->wanted) % WAYS]);
    path->consulted = v.consulted;
}

static void note_late(struct dp_port *port, const struct packet *p, void *aux)
{
    struct sim_switch *s = aux;
    struct barrier *b = s->aux;
    (void)p;
    unsigned way = dp_port_ofport(port) - 1, reached = load_acquire(&b->reached);
    /* The next version may be there already, though main has not said so yet. */
    if (way != reached % WAYS && way != (reached + 1) % WAYS)
        __atomic_add_fetch(&b->late, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&b->sent, 1, __ATOMIC_RELAXED);
}

START_TEST(no_packet_goes_the_old_way)
{
    struct sim_switch s;
    struct barrier b = {0};
    uint8_t frame[100];
    unsigned received = 0;
    sim_create(&s, 2, WAYS + 2, by_version);
    s.aux = &b;
    for (int i = 0; i < WAYS; i++)
        dp_sim_on_transmit(s.port[i], note_late, &s);
    for (int round = 0; round < 3000; round++) {
        for (int i = 0; i < 12; i++, received++) {
            udp_frame(frame, sizeof frame, 1, i % 5, 3, 4, 5, 6);
            dp_sim_receive(s.port[WAYS + i % 2], frame, sizeof frame);
        }
        store_release(&b.wanted, b.wanted + 1);
        dp_bump(s.dp, &b.gen);
        dp_synchronize(s.dp);
        store_release(&b.reached, b.wanted);
    }
    for (int i = 0; i < 500 && __atomic_load_n(&b.sent, __ATOMIC_RELAXED) < received; i++)
        usleep(10000);
    ck_assert_uint_eq(__atomic_load_n(&b.late, __ATOMIC_RELAXED), 0);
    ck_assert_uint_eq(__atomic_load_n(&b.sent, __ATOMIC_RELAXED), received);
    sim_destroy(&s);
}
END_TEST

/* --- ports come and go under traffic; what a walk depended on is freed with them --- */

struct changing {
    struct owner {
        struct dp_gen gen;
        unsigned port;
    } * owner; /* RCU */
};

static void by_owner(struct sim_switch *s, const struct flow_key *key, struct dp_path *path)
{
    struct changing *c = s->aux;
    struct flow_view v;
    view_init(&v, key);
    (void)view_get(&v, eth.src);
    struct owner *o = load_acquire(&c->owner);
    dp_path_dep(path, &o->gen);
    dpact_append(&path->acts, DPACT_OUTPUT, sizeof(struct dpact_port), o->port);
    path->consulted = v.consulted;
}

START_TEST(ports_come_and_go)
{
    struct sim_switch s;
    struct changing c = {NULL};
    uint8_t frame[100];
    int workers = _i;
    sim_create(&s, workers, 2, by_owner);
    s.aux = &c;
    for (int i = 0; i < 2; i++)
        dp_sim_on_transmit(s.port[i], NULL, NULL);
    for (int round = 0; round < 300; round++) {
        char name[16];
        snprintf(name, sizeof name, "x%d", round);
        struct dp_port_config config = {.name = name, .type = "sim"};
        struct dp_port *port = dp_port_add(s.bridge, &config, 10, NULL, NULL);
        struct owner *old = c.owner, *o = xzalloc(sizeof *o);
        o->port = dp_port_id(port);
        store_release(&c.owner, o);
        if (old)
            dp_bump(s.dp, &old->gen);
        for (int i = 0; i < 10; i++) {
            udp_frame(frame, sizeof frame, 1, i % 5, 3, 4, 5, 6);
            dp_sim_receive(s.port[i % 2], frame, sizeof frame);
            dp_sim_receive(port, frame, sizeof frame);
        }
        if (round % 3 == 0)
            dp_run(s.dp);
        /* The owner of the next round is not there yet: walks may find this one until then. */
        struct owner *next = xzalloc(sizeof *next);
        next->port = DP_NO_PORT;
        store_release(&c.owner, next);
        dp_bump(s.dp, &o->gen);
        dp_port_del(port);
        free(o);
        if (old)
            free(old);
    }
    dp_forget(s.dp);
    dp_synchronize(s.dp);
    struct owner *o = c.owner;
    sim_destroy(&s);
    free(o);
}
END_TEST

/* --- what is refused --- */

static void refuses(struct sim_switch *s, const struct dp_port_config *config, int bad, const char *words)
{
    struct diag d = DIAG_INIT;
    int at = 77;
    ck_assert(!dp_port_validate(s->dp, config, NULL, &at, &d));
    ck_assert_int_eq(at, bad);
    ck_assert_msg(strstr(buf_text(&d.message), words), "'%s' lacks '%s'", buf_text(&d.message), words);
    diag_free(&d);
    ck_assert_ptr_null(dp_port_add(s->bridge, config, 9, NULL, NULL));
}

START_TEST(bad_configurations)
{
    struct sim_switch s;
    const struct dp_option unknown[] = {{"file", "/dev/null"}, {"lop", "true"}},
                           twice[] = {{"file", "x"}, {"file", "y"}}, not_bool[] = {{"file", "x"}, {"loop", "maybe"}},
                           some[] = {{"x", "y"}}, raw[] = {{"io", "raw"}}, misspelt[] = {{"oi", "xdp"}},
                           many[] = {{"io", "packet"}, {"io", "packet"}};
    sim_create(&s, 0, 1, patch);
    refuses(&s, &(struct dp_port_config){.name = "a", .type = "intrnal"}, -1, "did you mean 'internal'");
    refuses(&s, &(struct dp_port_config){.name = "a", .type = "underlay"}, -1, "no port type 'underlay'");
    refuses(&s, &(struct dp_port_config){.name = "p0", .type = "null"}, -1, "p0 exists already, in bridge br0");
    refuses(&s, &(struct dp_port_config){.name = "a", .type = "pcap", .options = unknown, .n_options = 2}, 1,
            "did you mean 'loop'");
    refuses(&s, &(struct dp_port_config){.name = "a", .type = "pcap", .options = twice, .n_options = 2}, 1, "twice");
    refuses(&s, &(struct dp_port_config){.name = "a", .type = "pcap", .options = not_bool, .n_options = 2}, 1,
            "'maybe'");
    refuses(&s, &(struct dp_port_config){.name = "a", .type = "null", .options = some, .n_options = 1}, 0,
            "no options");
    refuses(&s, &(struct dp_port_config){.name = "sixteen-bytes-xx", .type = "system"}, -1, "too long");
    refuses(&s, &(struct dp_port_config){.name = "a", .type = "system", .options = raw, .n_options = 1}, 0,
            "'raw' is neither 'packet' nor 'xdp'");
    refuses(&s, &(struct dp_port_config){.name = "a", .type = "system", .options = misspelt, .n_options = 1}, 0,
            "did you mean 'io'");
    refuses(&s, &(struct dp_port_config){.name = "a", .type = "system", .options = many, .n_options = 2}, 1, "twice");
    refuses(&s, &(struct dp_port_config){.name = "a/b", .type = "internal"}, -1, "cannot be the name");
    refuses(&s, &(struct dp_port_config){.name = "a", .type = "pcap"}, -1, "file=FILE");
    sim_destroy(&s);
}
END_TEST

static void add_tests(Suite *suite)
{
    TCase *t = tcase_create("dp");
    tcase_add_test(t, forwards);
    tcase_add_test(t, short_frames_are_dropped);
    tcase_add_loop_test(t, cache_in_words, 0, 2);
    tcase_add_loop_test(t, executed_when_synchronize_returns, 0, 3);
    tcase_add_loop_test(t, deferred_in_the_end, 0, 3);
    tcase_add_test(t, no_packet_goes_the_old_way);
    tcase_add_loop_test(t, ports_come_and_go, 0, 3);
    tcase_add_test(t, bad_configurations);
    suite_add_tcase(suite, t);
}

UNIT_TEST_MAIN_WITH("dp", add_tests)
