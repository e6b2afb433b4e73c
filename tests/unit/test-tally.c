/* Counters against the obvious twin: what came in is known, so how often each path was taken is too, however the paths
 * were shared, thrown away and walked anew meanwhile, and however short their counters lived. */
#include <stdio.h>
#include <unistd.h>
#include "dp-sim.h"

enum { FRAMES = 97, CLASSES = 16, FAMILY = 4 /* classes */, CHANGES = 400 };

/* A packet's class is the last byte of its destination. It is counted by its class, its class's family, and by all. */
struct counters {
    struct dp_gen gen[CLASSES];
    struct dp_tally *class[CLASSES]; /* atomic */
    struct dp_tally *family[CLASSES / FAMILY], *all;
    struct counted {
        uint64_t packets, bytes;
    } ended[CLASSES]; /* by counters that are no more */
    bool uncacheable; /* class 3; atomic */
    struct dp_port *out;
    uint8_t class_of[FRAMES];
    uint32_t len_of[FRAMES];
};

static void walk(struct sim_switch *s, const struct flow_key *key, struct dp_path *path)
{
    struct counters *c = s->aux;
    struct flow_view v;
    view_init(&v, key);
    unsigned class = (*view_ref(&v, eth.dst))[5];
    dp_path_dep(path, &c->gen[class]);
    dp_path_tally(path, c->all);
    dp_path_tally(path, __atomic_load_n(&c->class[class], __ATOMIC_ACQUIRE));
    dp_path_tally(path, c->family[class / FAMILY]);
    path->uncacheable = class == 3 && __atomic_load_n(&c->uncacheable, __ATOMIC_RELAXED);
    path->drop = DROP_ACTION;
    if (class % 2) {
        path_output(path, c->out);
        path->drop = DROP_NONE;
    }
    path_consult(path, &v);
}

static struct dp_tally *new_tally(struct dp *dp) { return xzalloc_line(dp_tally_size(dp)); }

static void counters_create(struct sim_switch *s, struct counters *c, uint64_t *rng)
{
    for (int i = 0; i < CLASSES; i++)
        c->class[i] = new_tally(s->dp);
    for (int i = 0; i < CLASSES / FAMILY; i++)
        c->family[i] = new_tally(s->dp);
    c->all = new_tally(s->dp);
    for (int i = 0; i < FRAMES; i++) {
        c->class_of[i] = unit_below(rng, CLASSES);
        c->len_of[i] = 60 + unit_below(rng, 200);
    }
    s->aux = c;
}

static void counters_free(struct counters *c)
{
    for (int i = 0; i < CLASSES; i++)
        free(c->class[i]);
    for (int i = 0; i < CLASSES / FAMILY; i++)
        free(c->family[i]);
    free(c->all);
}

static size_t put_frame(const struct counters *c, int i, uint8_t *frame)
{
    udp_frame(frame, c->len_of[i], c->class_of[i], 9, 1, 2, 3, 4);
    return c->len_of[i];
}

static void add_read(struct dp *dp, const struct dp_tally *t, struct counted *to)
{
    uint64_t packets, bytes;
    msec_t used;
    dp_tally_read(dp, t, &packets, &bytes, &used);
    to->packets += packets;
    to->bytes += bytes;
    ck_assert((used != 0) == (packets != 0));
}

static void expect(struct counted got, struct counted want)
{
    ck_assert_uint_eq(got.packets, want.packets);
    ck_assert_uint_eq(got.bytes, want.bytes);
}

/* The first n packets of the frames, again and again. */
static void expect_all(struct sim_switch *s, const struct counters *c, uint64_t n)
{
    struct counted class[CLASSES] = {{0}}, family[CLASSES / FAMILY] = {{0}}, all = {0}, got;
    for (uint64_t i = 0; i < FRAMES; i++) {
        uint64_t times = n / FRAMES + (i < n % FRAMES), bytes = times * c->len_of[i];
        struct counted *to[] = {&class[c->class_of[i]], &family[c->class_of[i] / FAMILY], &all};
        for (size_t j = 0; j < ARRAY_SIZE(to); j++) {
            to[j]->packets += times;
            to[j]->bytes += bytes;
        }
    }
    for (int i = 0; i < CLASSES; i++) {
        got = c->ended[i];
        add_read(s->dp, c->class[i], &got);
        expect(got, class[i]);
    }
    for (int i = 0; i < CLASSES / FAMILY; i++) {
        got = (struct counted){0};
        add_read(s->dp, c->family[i], &got);
        expect(got, family[i]);
    }
    got = (struct counted){0};
    add_read(s->dp, c->all, &got);
    expect(got, all);
}

/* A rule's counters as ofproto ends them: unpublished, then final, then gone. */
static void renew(struct sim_switch *s, struct counters *c, unsigned class)
{
    struct dp_tally *old = c->class[class];
    struct counted before = {0}, after = {0};
    __atomic_store_n(&c->class[class], new_tally(s->dp), __ATOMIC_RELEASE);
    dp_bump(s->dp, &c->gen[class]);
    dp_synchronize(s->dp);
    add_read(s->dp, old, &before);
    dp_synchronize(s->dp);
    add_read(s->dp, old, &after);
    expect(before, after);
    c->ended[class].packets += after.packets;
    c->ended[class].bytes += after.bytes;
    free(old); /* a worker that writes to it now is found by the address sanitizer */
}

static void write_capture(const struct counters *c, const char *name)
{
    static const uint32_t header[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1};
    FILE *f = fopen(name, "wb");
    ck_assert_ptr_nonnull(f);
    fwrite(header, sizeof header, 1, f);
    for (int i = 0; i < FRAMES; i++) {
        uint8_t frame[300];
        uint32_t len = put_frame(c, i, frame), record[4] = {0, 0, len, len};
        fwrite(record, sizeof record, 1, f);
        fwrite(frame, len, 1, f);
    }
    ck_assert_int_eq(fclose(f), 0);
}

static struct dp_port *add_port(struct sim_switch *s, const struct dp_port_config *config)
{
    struct diag d = DIAG_INIT;
    struct dp_port *port = dp_port_add(s->bridge, config, 1, s, &d);
    ck_assert_msg(port != NULL, "%s", d.failed ? buf_text(&d.message) : "");
    return port;
}

/* A thread that forwards as fast as it can, while its counters come and go. */
START_TEST(exact_while_counters_come_and_go)
{
    static const char file[] = "test-tally.pcap";
    const struct dp_option options[] = {{"file", file}, {"loop", "true"}};
    uint64_t rng = unit_seed(), n = 0;
    struct sim_switch s;
    struct counters c = {0};
    struct dp_worker_stats stats;
    sim_create(&s, 1, 0, walk);
    counters_create(&s, &c, &rng);
    write_capture(&c, file);
    c.out = add_port(&s, &(struct dp_port_config){.name = "out", .type = "null"});
    struct dp_port *in =
        add_port(&s, &(struct dp_port_config){.name = "in", .type = "pcap", .options = options, .n_options = 2});
    unlink(file);
    for (int i = 0; i < CHANGES; i++) {
        renew(&s, &c, unit_below(&rng, CLASSES));
        __atomic_store_n(&c.uncacheable, !unit_below(&rng, 4), __ATOMIC_RELAXED);
        dp_bump(s.dp, &c.gen[3]);
        if (!unit_below(&rng, 20))
            dp_forget(s.dp);
        if (unit_below(&rng, 2))
            usleep(unit_below(&rng, 3000));
    }
    dp_port_del(in);
    dp_synchronize(s.dp);
    dp_worker_get_stats(s.dp, 0, &stats);
    n = stats.packets;
    ck_assert_uint_gt(n, 10 * FRAMES);
    expect_all(&s, &c, n);
    dp_port_del(c.out);
    sim_destroy(&s);
    counters_free(&c);
}
END_TEST

/* Without threads, and by the clock: each counter says when its last packet came. */
START_TEST(used_is_when_the_last_packet_came)
{
    uint64_t rng = unit_seed(), n = 0;
    struct sim_switch s;
    struct counters c = {0};
    msec_t last[CLASSES] = {0}, now = 5000;
    clock_fake(now);
    sim_create(&s, 0, 1, walk);
    counters_create(&s, &c, &rng);
    c.out = add_port(&s, &(struct dp_port_config){.name = "out", .type = "null"});
    for (int round = 0; round < 1000; round++) {
        for (unsigned burst = unit_below(&rng, 40); burst > 0; burst--) {
            uint8_t frame[300];
            unsigned i = n++ % FRAMES;
            dp_sim_receive(s.port[0], frame, put_frame(&c, i, frame));
            last[c.class_of[i]] = now;
        }
        dp_run(s.dp), dp_run(s.dp);
        for (int i = 0; i < CLASSES; i++) {
            uint64_t packets, bytes;
            msec_t used;
            dp_tally_read(s.dp, c.class[i], &packets, &bytes, &used);
            ck_assert_int_eq(used, last[i]);
        }
        now += unit_below(&rng, 3);
        clock_fake(now);
        if (!unit_below(&rng, 10)) {
            unsigned class = unit_below(&rng, CLASSES);
            renew(&s, &c, class);
            last[class] = 0;
        }
    }
    expect_all(&s, &c, n);
    dp_port_del(c.out);
    sim_destroy(&s);
    counters_free(&c);
}
END_TEST

UNIT_TEST_MAIN("tally", exact_while_counters_come_and_go, used_is_when_the_last_packet_came)
