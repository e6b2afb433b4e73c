/* Packets from workers to main. */
#include <poll.h>
#include "dp-sim.h"

static struct dp_gen gen;

/* Everything to main with a blob that says by which port it came, and out of port 4 as well. */
static void punts(struct sim_switch *s, const struct flow_key *key, struct dp_path *path)
{
    struct flow_view v;
    view_init(&v, key);
    uint32_t in = ntohl(view_get(&v, meta.in_port));
    struct dpact_punt *a = dpact_append(&path->acts, DPACT_PUNT, sizeof *a + sizeof in, 42);
    a->max_len = in == 3 ? 20 : 0xffff;
    a->blob_len = sizeof in;
    memcpy(a->blob, &in, sizeof in);
    dp_path_dep(path, &gen);
    path_output(path, s->port[3]);
    path->consulted = v.consulted;
}

static unsigned by_port[8];

static void count_by_port(void *aux, uint32_t kind, const void *blob, size_t n, const struct packet *p, size_t total)
{
    uint32_t in;
    sim_punt(aux, kind, blob, n, p, total);
    memcpy(&in, blob, 4);
    by_port[in]++;
}

static void create(struct sim_switch *s, int workers)
{
    sim_create(s, workers, 4, punts);
    s->dp->callbacks.punt = count_by_port;
}

START_TEST(arrives_with_its_blob)
{
    struct sim_switch s;
    uint8_t frame[100];
    create(&s, 0);
    udp_frame(frame, sizeof frame, 1, 2, 3, 4, 5, 6);
    dp_sim_receive(s.port[0], frame, sizeof frame);
    sim_run(&s);
    ck_assert_uint_eq(s.n_punts, 1);
    ck_assert_uint_eq(s.punt_kind, 42);
    ck_assert_uint_eq(s.punt_blob_len, 4);
    ck_assert_uint_eq(s.punt_len, 100);
    ck_assert_uint_eq(s.punt_total, 100);
    ck_assert_mem_eq(s.punt_data, frame, 100);
    ck_assert_uint_eq(s.sent[3].n, 1);
    dp_sim_receive(s.port[2], frame, sizeof frame);
    sim_run(&s);
    ck_assert_uint_eq(s.n_punts, 2);
    ck_assert_uint_eq(s.punt_len, 20);
    ck_assert_uint_eq(s.punt_total, 100);
    sim_destroy(&s);
}
END_TEST

/* One port sends far more than main takes: another one's few all arrive, and nothing goes uncounted. */
START_TEST(fair_to_ports)
{
    struct sim_switch s;
    uint8_t frame[100];
    create(&s, 0);
    udp_frame(frame, sizeof frame, 1, 2, 3, 4, 5, 6);
    for (int i = 0; i < 1000; i++)
        dp_sim_receive(s.port[0], frame, sizeof frame);
    for (int i = 0; i < 50; i++)
        dp_sim_receive(s.port[1], frame, sizeof frame);
    for (int i = 0; i < 100; i++) /* without main taking any */
        worker_iterate(worker_of_main(s.dp));
    sim_run(&s);
    ck_assert_uint_eq(by_port[2], 50);
    ck_assert_uint_gt(by_port[1], 100);
    ck_assert_uint_eq(by_port[1] + sim_drops(&s, DROP_PUNT_FULL), 1000);
    ck_assert_uint_eq(s.sent[3].n, 1050);
    sim_destroy(&s);
}
END_TEST

START_TEST(fd_is_readable_until_all_is_taken)
{
    struct sim_switch s;
    uint8_t frame[100];
    create(&s, 0);
    udp_frame(frame, sizeof frame, 1, 2, 3, 4, 5, 6);
    unsigned sent = 0;
    for (int port = 0; port < 3; port++)
        for (int i = 0; i < 100; i++, sent++)
            dp_sim_receive(s.port[port], frame, sizeof frame);
    int rounds = 0;
    while (s.n_punts < sent && rounds++ < 100) {
        struct pollfd p = {dp_fd(s.dp), POLLIN, 0};
        ck_assert_int_eq(poll(&p, 1, 0), 1);
        dp_run(s.dp);
    }
    ck_assert_uint_eq(s.n_punts, sent);
    sim_run(&s);
    struct pollfd p = {dp_fd(s.dp), POLLIN, 0};
    ck_assert_int_eq(poll(&p, 1, 0), 0);
    sim_destroy(&s);
}
END_TEST

/* What is of a bridge or a port that goes is not handed out any more. */
START_TEST(gone_with_its_port)
{
    struct sim_switch s;
    uint8_t frame[100];
    create(&s, 0);
    udp_frame(frame, sizeof frame, 1, 2, 3, 4, 5, 6);
    dp_sim_receive(s.port[0], frame, sizeof frame);
    worker_iterate(worker_of_main(s.dp));
    worker_iterate(worker_of_main(s.dp));
    dp_port_del(s.port[0]);
    s.port[0] = NULL;
    sim_run(&s);
    ck_assert_uint_eq(s.n_punts, 0);
    sim_destroy(&s);
}
END_TEST

START_TEST(with_threads)
{
    struct sim_switch s;
    uint8_t frame[100];
    create(&s, 2);
    dp_sim_on_transmit(s.port[3], NULL, NULL); /* sent() is for one thread */
    udp_frame(frame, sizeof frame, 1, 2, 3, 4, 5, 6);
    unsigned sent = 0;
    for (int i = 0; i < 20000; i++, sent++) {
        dp_sim_receive(s.port[i % 3], frame, sizeof frame);
        if (i % 16 == 0)
            dp_run(s.dp);
    }
    for (int i = 0; i < 1000 && s.n_punts + sim_drops(&s, DROP_PUNT_FULL) < sent; i++) {
        struct pollfd p = {dp_fd(s.dp), POLLIN, 0};
        poll(&p, 1, 10);
        dp_run(s.dp);
    }
    ck_assert_uint_eq(s.n_punts + sim_drops(&s, DROP_PUNT_FULL), sent);
    ck_assert_uint_gt(s.n_punts, 300);
    sim_destroy(&s);
}
END_TEST

UNIT_TEST_MAIN("punt", arrives_with_its_blob, fair_to_ports, fd_is_readable_until_all_is_taken, gone_with_its_port,
               with_threads)
