/* The datapath from end to end on simulated ports. */
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

UNIT_TEST_MAIN("dp", forwards, short_frames_are_dropped)
