/* Queues of the datapath: rates, exact to 1 % while the clock is ours; who goes first; sharing; backlog; counters. */
#include <unistd.h>
#include "dp-sim.h"

enum { SIZE = 1000 };

/* A packet's first byte of payload says into which queue it goes. */
static void walk_queue(struct sim_switch *s, const struct flow_key *key, struct dp_path *path)
{
    struct flow_view v;
    view_init(&v, key);
    struct dpact_output *a = dpact_append(&path->acts, DPACT_OUTPUT, sizeof *a, dp_port_id(s->port[1]));
    a->queue = ntohs(view_get(&v, l4.dst));
    path_consult(path, &v);
}

static uint64_t sent[8]; /* bytes, by queue */
static unsigned n_sent[8];
static uint16_t order[4096], n_order;

static void count_sent(struct dp_port *port UNUSED, const struct packet *p, void *aux UNUSED)
{
    uint16_t q = (uint16_t)(p->data[36] << 8 | p->data[37]);
    ck_assert_uint_lt(q, 8);
    sent[q] += p->len;
    n_sent[q]++;
    if (n_order < ARRAY_SIZE(order))
        order[n_order++] = q;
}

static void begin(struct sim_switch *s, uint64_t rate, unsigned n, const struct dp_queue_config *queues)
{
    struct dp_shape_config c = {.max_rate = rate, .n_queues = n, .queues = queues};
    clock_fake(5000000);
    memset(sent, 0, sizeof sent);
    memset(n_sent, 0, sizeof n_sent);
    n_order = 0;
    sim_create(s, 0, 2, walk_queue);
    dp_sim_on_transmit(s->port[1], count_sent, NULL);
    dp_port_shape(s->port[1], &c);
    sim_run(s);
}

static void receive(struct sim_switch *s, uint16_t queue, size_t size)
{
    uint8_t frame[2000];
    udp_frame(frame, size, 2, 1, 0x0a000001, 0x0a000002, 1, queue);
    dp_sim_receive(s->port[0], frame, size);
}

/* `per_ms` packets for each queue with its bit, every millisecond, from a clean slate on once the buckets have settled. */
static void flood(struct sim_switch *s, unsigned queues, unsigned per_ms, size_t size, unsigned ms)
{
    for (unsigned half = 0; half < 2; half++) {
        memset(sent, 0, sizeof sent);
        for (unsigned t = 0; t < ms; t++, clock_advance(1)) {
            for (unsigned i = 0; i < per_ms; i++)
                for (unsigned q = 0; q < 8; q++)
                    if (queues >> q & 1)
                        receive(s, (uint16_t)q, size);
            for (unsigned i = 0; i < 1 + per_ms / 8; i++)
                dp_run(s->dp);
        }
    }
}

static void rate_is(unsigned queue, double bits_per_sec, unsigned ms)
{
    double got = sent[queue] * 8. * 1000 / ms;
    ck_assert_msg(got > bits_per_sec * 0.99 - 10000 && got < bits_per_sec * 1.01 + 10000, "queue %u: %g instead of %g b/s", queue, got,
                  bits_per_sec);
}

START_TEST(rates_are_exact)
{
    static const uint64_t rates[] = {64000, 1000000, 9999999, 100000000, 1000000000};
    static const size_t sizes[] = {60, 777, 1514};
    for (size_t i = 0; i < ARRAY_SIZE(rates); i++)
        for (size_t j = 0; j < ARRAY_SIZE(sizes); j++)
            for (unsigned of_queue = 0; of_queue < 2; of_queue++) {
                struct sim_switch s;
                struct dp_queue_config q = {.id = of_queue, .max_rate = of_queue ? rates[i] : 0, .burst = i == 2 ? 2 * 1514 : 0};
                unsigned ms = rates[i] < 1000000 ? 20000 : 300;
                begin(&s, of_queue ? 0 : rates[i], 1, &q);
                flood(&s, 1u << of_queue, (unsigned)(rates[i] * 3 / 2 / 1000 / sizes[j] / 8) + 2, sizes[j], ms);
                if (i != 2) /* at 1 ms a step a burst of two frames is less than what a millisecond brings */
                    rate_is(of_queue, (double)rates[i], ms);
                else
                    ck_assert_uint_le(sent[of_queue] * 8 * 1000 / ms, rates[i] * 101 / 100);
                sim_destroy(&s);
            }
}
END_TEST

START_TEST(slower_passes_at_once)
{
    struct sim_switch s;
    struct dp_queue_config q = {.id = 3, .max_rate = 10000000};
    begin(&s, 0, 1, &q);
    for (unsigned t = 0; t < 1000; t++, clock_advance(1)) {
        receive(&s, 3, SIZE);
        dp_run(s.dp);
        ck_assert_uint_eq(n_sent[3], t + 1);
    }
    sim_destroy(&s);
}
END_TEST

/* What is guaranteed is kept, whatever the others send and however important they are; the rest goes by priority. */
START_TEST(min_rates_and_priorities)
{
    static const struct dp_queue_config queues[] = {
        {.id = 1, .priority = 5, .min_rate = 2000000},
        {.id = 2, .priority = 1, .min_rate = 1000000, .max_rate = 5000000},
        {.id = 3, .priority = 9, .min_rate = 500000},
    };
    struct sim_switch s;
    begin(&s, 10000000, 3, queues);
    flood(&s, 1 << 1 | 1 << 2 | 1 << 3, 3, SIZE, 4000);
    rate_is(2, 5000000, 4000); /* the first in the line, up to its max */
    rate_is(3, 500000, 4000);  /* what it is guaranteed */
    rate_is(1, 4500000, 4000); /* the rest */
    flood(&s, 1 << 1 | 1 << 3, 3, SIZE, 4000);
    rate_is(1, 9500000, 4000);
    rate_is(3, 500000, 4000);
    flood(&s, 1 << 3, 3, SIZE, 4000); /* alone: all of it */
    rate_is(3, 10000000, 4000);
    sim_destroy(&s);
}
END_TEST

/* Equal priority: equal shares of what is left, in bytes, whatever the sizes of the packets. */
START_TEST(equal_shares)
{
    static const struct dp_queue_config queues[] = {{.id = 1}, {.id = 2}, {.id = 4, .min_rate = 4000000}};
    struct sim_switch s;
    begin(&s, 16000000, 3, queues);
    for (unsigned half = 0; half < 2; half++) {
        memset(sent, 0, sizeof sent);
        for (unsigned t = 0; t < 4000; t++, clock_advance(1)) {
            for (unsigned i = 0; i < 12; i++)
                receive(&s, 0, 200);
            for (unsigned i = 0; i < 2; i++) {
                receive(&s, 1, 1500);
                receive(&s, 2, 900);
                receive(&s, 4, 1514);
            }
            for (unsigned i = 0; i < 3; i++)
                dp_run(s.dp);
        }
    }
    rate_is(0, 3000000, 4000);
    rate_is(1, 3000000, 4000);
    rate_is(2, 3000000, 4000);
    rate_is(4, 7000000, 4000);
    sim_destroy(&s);
}
END_TEST

START_TEST(unknown_queues_are_the_default_one)
{
    static const struct dp_queue_config q = {.id = 1, .max_rate = 1000000};
    struct sim_switch s;
    struct dp_queue_info info[DP_MAX_QUEUES];
    uint64_t rate;
    begin(&s, 0, 1, &q);
    for (unsigned i = 0; i < 5; i++)
        receive(&s, 7, SIZE);
    receive(&s, 1, SIZE);
    sim_run(&s);
    ck_assert_uint_eq(n_sent[7], 5); /* the default queue has no rate here */
    ck_assert_uint_eq(dp_port_get_queues(s.port[1], &rate, info), 2);
    ck_assert(info[0].config.id == 0 && info[0].tx_packets == 5 && info[0].tx_bytes == 5 * SIZE);
    ck_assert(info[1].config.id == 1 && info[1].tx_packets == 1 && info[1].config.max_rate == 1000000);
    sim_destroy(&s);
}
END_TEST

/* Too much waits: named drops, counted, and nothing else is lost; in order. */
START_TEST(backlog)
{
    static const struct dp_queue_config q = {.id = 1, .max_rate = 1000000, .burst = 4000};
    struct sim_switch s;
    struct dp_queue_info info[DP_MAX_QUEUES];
    uint64_t rate;
    begin(&s, 0, 1, &q);
    for (unsigned i = 0; i < 200; i++) {
        receive(&s, 1, SIZE);
        dp_run(s.dp);
    }
    dp_port_get_queues(s.port[1], &rate, info);
    uint64_t dropped = sim_drops(&s, DROP_QUEUE_FULL);
    ck_assert_uint_eq(info[1].tx_errors, dropped);
    ck_assert_uint_eq(n_sent[1], 4);
    ck_assert_uint_eq(info[1].backlog, (200 - 4 - dropped) * SIZE);
    ck_assert_uint_le(info[1].backlog, 64 << 10);
    ck_assert_uint_ge(info[1].backlog, 60 << 10);
    struct dp_port_stats stats;
    dp_port_get_stats(s.port[1], &stats);
    ck_assert(stats.tx_dropped == dropped && stats.tx_packets == 4);
    clock_advance(10000);
    ck_assert(dp_wake_at(s.dp) <= clock_msec());
    for (unsigned i = 0; i < 10000; i++, clock_advance(1))
        dp_run(s.dp);
    ck_assert_uint_eq(n_sent[1], 200 - dropped);
    dp_port_get_queues(s.port[1], &rate, info);
    ck_assert(!info[1].backlog && info[1].tx_packets == 200 - dropped);
    ck_assert(dp_wake_at(s.dp) == INT64_MAX);
    sim_destroy(&s);
}
END_TEST

START_TEST(wakes_when_the_next_is_due)
{
    static const struct dp_queue_config q = {.id = 1, .max_rate = 8000, .burst = 3028}; /* a byte a millisecond */
    struct sim_switch s;
    begin(&s, 0, 1, &q);
    for (unsigned i = 0; i < 5; i++)
        receive(&s, 1, SIZE);
    sim_run(&s);
    ck_assert_uint_eq(n_sent[1], 3);
    msec_t at = dp_wake_at(s.dp);
    ck_assert_int_ge(at - clock_msec(), 971);
    ck_assert_int_le(at - clock_msec(), 974);
    clock_advance(at - clock_msec() - 3);
    sim_run(&s);
    ck_assert_uint_eq(n_sent[1], 3);
    clock_advance(3);
    sim_run(&s);
    ck_assert_uint_eq(n_sent[1], 4);
    sim_destroy(&s);
}
END_TEST

/* Changed while packets wait: those of queues that stay wait on, those of queues that go leave, and so do all when
 * shaping ends. The counters of queues that stay go on. */
START_TEST(changes)
{
    struct dp_queue_config queues[] = {{.id = 1, .max_rate = 8000, .burst = 3028}, {.id = 2, .max_rate = 8000, .burst = 3028}};
    struct dp_shape_config c = {.n_queues = 1, .queues = &queues[1]};
    struct sim_switch s;
    struct dp_queue_info info[DP_MAX_QUEUES];
    uint64_t rate;
    begin(&s, 0, 2, queues);
    for (unsigned i = 0; i < 10; i++) {
        receive(&s, 1, SIZE);
        receive(&s, 2, SIZE);
    }
    sim_run(&s);
    ck_assert(n_sent[1] == 3 && n_sent[2] == 3);
    dp_port_shape(s.port[1], &c);
    ck_assert(n_sent[1] == 10 && n_sent[2] == 3);
    ck_assert_uint_eq(dp_port_get_queues(s.port[1], &rate, info), 2);
    ck_assert(info[1].config.id == 2 && info[1].tx_packets == 3 && info[1].backlog == 7 * SIZE);
    queues[1].max_rate = 0;
    dp_port_shape(s.port[1], &c);
    sim_run(&s);
    ck_assert_uint_eq(n_sent[2], 10);
    queues[1].max_rate = 8000;
    dp_port_shape(s.port[1], &c);
    for (unsigned i = 0; i < 10; i++)
        receive(&s, 2, SIZE);
    sim_run(&s);
    ck_assert_uint_lt(n_sent[2], 20);
    dp_port_shape(s.port[1], &(struct dp_shape_config){0});
    ck_assert_uint_eq(n_sent[2], 20);
    ck_assert_uint_eq(dp_port_get_queues(s.port[1], &rate, info), 0);
    receive(&s, 2, SIZE);
    sim_run(&s);
    ck_assert_uint_eq(n_sent[2], 21);
    sim_destroy(&s);
    begin(&s, 0, 2, queues); /* and a port that goes with packets waiting */
    for (unsigned i = 0; i < 10; i++)
        receive(&s, 1, SIZE);
    sim_run(&s);
    sim_destroy(&s);
}
END_TEST

START_TEST(a_closed_port_keeps_nothing)
{
    static const struct dp_queue_config q = {.id = 1, .max_rate = 8000, .burst = 3028};
    struct sim_switch s;
    begin(&s, 0, 1, &q);
    for (unsigned i = 0; i < 10; i++)
        receive(&s, 1, SIZE);
    sim_run(&s);
    dp_port_set_up(s.port[1], false);
    sim_run(&s);
    ck_assert_uint_eq(sim_drops(&s, DROP_PORT_DOWN), 7);
    sim_destroy(&s);
}
END_TEST

/* Several workers: what is sent from any of them leaves by the port's owner, all of it. */
START_TEST(workers_hand_over)
{
    static const struct dp_queue_config q = {.id = 1, .max_rate = 1000000000};
    struct dp_shape_config c = {.max_rate = 2000000000, .n_queues = 1, .queues = &q};
    enum { N = 3000 };
    struct sim_switch s;
    struct dp_queue_info info[DP_MAX_QUEUES];
    uint64_t rate, all = 0;
    clock_fake(-1);
    n_order = 0;
    memset(n_sent, 0, sizeof n_sent);
    sim_create(&s, 3, 6, walk_queue);
    dp_sim_on_transmit(s.port[1], count_sent, NULL);
    dp_port_shape(s.port[1], &c);
    for (unsigned i = 0; i < N; i++) {
        uint8_t frame[SIZE];
        udp_frame(frame, SIZE, 2, 1, 0x0a000001, 0x0a000002, 1, i % 2);
        dp_sim_receive(s.port[i % 6 == 1 ? 0 : i % 6], frame, SIZE);
        if (i % 16 == 0)
            usleep(200);
    }
    for (unsigned i = 0; i < 5000 && all < N; i++) {
        usleep(1000);
        dp_port_get_queues(s.port[1], &rate, info);
        all = info[0].tx_packets + info[1].tx_packets + sim_drops(&s, DROP_QUEUE_FULL);
    }
    dp_synchronize(s.dp);
    ck_assert_uint_eq(all, N);
    ck_assert_uint_ge(n_sent[0] + n_sent[1], N * 9 / 10);
    sim_destroy(&s);
}
END_TEST

/* A super-segment longer than the burst is cut before it waits; a shorter one is whole until the port cuts it. */
START_TEST(super_segments)
{
    static const struct dp_queue_config q = {.id = 0, .max_rate = 1000000, .burst = 5000};
    struct sim_switch s;
    struct dp_queue_info info[DP_MAX_QUEUES];
    uint64_t rate;
    static uint8_t frame[14 + 40 + 10 * 1000] = {[12] = 8, 0, 0x45};
    struct packet p;
    begin(&s, 0, 1, &q);
    packet_init(&p, frame, sizeof frame, 0, sizeof frame);
    be16 ip_len = htons(sizeof frame - 14);
    memcpy(frame + 16, &ip_len, 2);
    frame[22] = 64;
    frame[23] = 6;
    frame[46] = 0x50;
    p.gso = GSO_TCPV4;
    p.gso_size = 1000;
    p.csum = CSUM_PARTIAL;
    p.csum_start = 34;
    p.csum_offset = 16;
    port_sim_receive_packet(s.port[0], &p);
    sim_run(&s);
    dp_port_get_queues(s.port[1], &rate, info);
    ck_assert_uint_eq(info[0].tx_packets, 4); /* of 1054 bytes */
    ck_assert_uint_eq(info[0].backlog, 6 * 1054);
    sim_destroy(&s);
}
END_TEST

UNIT_TEST_MAIN("queue", rates_are_exact, slower_passes_at_once, min_rates_and_priorities, equal_shares,
               unknown_queues_are_the_default_one, backlog, wakes_when_the_next_is_due, changes, a_closed_port_keeps_nothing,
               workers_hand_over, super_segments)
