/* Queues through a whole bridge: OpenFlow 1.3.5, 7.2.2, 7.2.5 (set_queue), 7.3.6, 7.3.5.8, with a clock of our own. */
#include "openflow/queue.h"
#include "tests/sim/sim.h"

static struct sim s;
static struct peer p;

/* Port 2: 1 Mb/s in all; queue 1 is guaranteed 100 kb/s, queue 5 may have 500 kb/s. Port 3 has queue 1. */
static void begin(void)
{
    static const struct dp_queue_config two[] = {{.id = 1, .min_rate = 100000}, {.id = 5, .max_rate = 500000, .burst = 3028}},
                                        three[] = {{.id = 1, .max_rate = 123450}};
    sim_init(&s);
    peer_connect(&p, &s, OFCONN_CONTROLLER);
    dp_port_shape(ofport_dp(s.port[2]), &(struct dp_shape_config){.max_rate = 1000000, .n_queues = 2, .queues = two});
    dp_port_shape(ofport_dp(s.port[3]), &(struct dp_shape_config){.max_rate = 1000000, .n_queues = 1, .queues = three});
}

static void end(void)
{
    peer_close(&p);
    sim_destroy(&s);
}

static void flow(const char *text)
{
    struct flow_mod fm;
    struct diag d = DIAG_INIT;
    ck_assert_msg(flow_mod_parse(text, OFPFC_ADD, NULL, &fm, &d), "%s: %s", text, d.failed ? buf_text(&d.message) : "");
    peer_flow_mod(&p, &fm);
    peer_barrier(&p);
    diag_free(&d);
}

static void ask_stats(uint32_t port, uint32_t queue)
{
    struct buf b = BUF_INIT;
    queue_stats_request_encode(port, queue, OFP13, 1, &b);
    peer_send(&p, &b);
}

static struct ofp_queue_stats stats_of(uint32_t port, uint32_t queue)
{
    struct rd body;
    struct ofp_queue_stats st;
    ask_stats(port, queue);
    peer_expect(&p, OFPMSG_QUEUE_STATS_REPLY, &body);
    ck_assert(!queue_stats_decode(OFP13, &body, &st) && !rd_left(&body));
    ck_assert(st.port == port && st.queue == queue);
    return st;
}

static unsigned n_stats(uint32_t port, uint32_t queue)
{
    struct rd body;
    struct ofp_queue_stats st;
    unsigned n = 0;
    ask_stats(port, queue);
    peer_expect(&p, OFPMSG_QUEUE_STATS_REPLY, &body);
    for (; rd_left(&body); n++)
        ck_assert(!queue_stats_decode(OFP13, &body, &st));
    return n;
}

START_TEST(which_queue)
{
    static const struct {
        const char *actions;
        unsigned q0, q1, q5, port3; /* packets of port 2's queues, and of port 3's queue 1 */
    } cases[] = {
        {"output:2", 1, 0, 0, 0},
        {"set_queue:5,output:2", 0, 0, 1, 0},
        {"set_queue:5,output:2,pop_queue,output:2", 1, 0, 1, 0},
        {"set_queue:5,output:2,set_queue:1,output:2,output:3", 0, 1, 1, 1},
        {"set_queue:0,output:2", 1, 0, 0, 0},
        {"set_queue:77,output:2", 1, 0, 0, 0}, /* there is none: the default one */
        {"enqueue(2,5),output:2", 1, 0, 1, 0},
        {"enqueue:2:1", 0, 1, 0, 0},
        {"clone(set_queue:5,output:2),output:2", 1, 0, 1, 0},
        {"set_queue:1,clone(set_queue:5,output:2),output:2", 0, 1, 1, 0},
        {"write_actions(output:2,set_queue:5)", 0, 0, 1, 0}, /* 5.10: qos before output, however they were written */
        {"set_queue:1,resubmit(,3),output:2", 0, 0, 2, 0},   /* table 3 changes it */
        {"set_queue:1,FLOOD", 0, 1, 0, 1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf text = BUF_INIT;
        begin();
        buf_printf(&text, "in_port=1,actions=%s", cases[i].actions);
        flow("table=3,actions=set_queue:5,output:2");
        flow(buf_text(&text));
        sim_receive(&s, 1, 1, 2);
        const unsigned want[] = {cases[i].q0, cases[i].q1, cases[i].q5, cases[i].port3};
        const unsigned got[] = {(unsigned)stats_of(2, 0).tx_packets, (unsigned)stats_of(2, 1).tx_packets, (unsigned)stats_of(2, 5).tx_packets,
                                (unsigned)stats_of(3, 1).tx_packets};
        for (unsigned k = 0; k < 4; k++)
            ck_assert_msg(got[k] == want[k], "%s: queue %u: %u packets", cases[i].actions, k, got[k]);
        buf_free(&text);
        end();
    }
}
END_TEST

START_TEST(rates_and_statistics)
{
    begin();
    flow("in_port=1,actions=set_queue:5,output:2");
    for (unsigned t = 0; t < 10000; t++) { /* 60 bytes, 4 a millisecond: 1.92 Mb/s */
        for (unsigned i = 0; i < 4; i++)
            sim_receive(&s, 1, 1, 2);
        clock_advance(1);
    }
    struct ofp_queue_stats st = stats_of(2, 5);
    ck_assert_uint_eq(st.tx_packets, s.n_sent[2]);
    ck_assert_uint_eq(st.tx_bytes, 60 * st.tx_packets);
    ck_assert_uint_ge(st.tx_bytes * 8, 4950000);
    ck_assert_uint_le(st.tx_bytes * 8, 5080000);
    ck_assert_uint_eq(st.duration_sec, 10);
    ck_assert_uint_ge(st.tx_errors, 20000); /* the rest, but for what waits */
    ck_assert_uint_le(st.tx_packets + st.tx_errors, 40000);
    ck_assert_uint_eq(n_stats(OFPP_ANY, OFPQ_ALL), 5);
    ck_assert_uint_eq(n_stats(OFPP_ANY, 1), 2);
    ck_assert_uint_eq(n_stats(2, OFPQ_ALL), 3);
    ck_assert_uint_eq(n_stats(1, OFPQ_ALL), 0);
    end();
}
END_TEST

START_TEST(faults)
{
    struct buf b = BUF_INIT;
    struct rd body;
    struct ofp_features f;
    enum ofp_msg_type reply;
    begin();
    ask_stats(77, OFPQ_ALL);
    peer_expect_error(&p, OFPERR_QOFC_BAD_PORT);
    ask_stats(2, 7);
    peer_expect_error(&p, OFPERR_QOFC_BAD_QUEUE);
    ask_stats(1, 0);
    peer_expect_error(&p, OFPERR_QOFC_BAD_QUEUE);
    ask_stats(OFPP_ANY, 7);
    peer_expect_error(&p, OFPERR_QOFC_BAD_QUEUE);
    queue_config_request_encode(77, OFP13, 1, &reply, &b);
    peer_send(&p, &b);
    peer_expect_error(&p, OFPERR_QOFC_BAD_PORT);
    struct flow_mod fm = sim_flow(OFPFC_ADD, 0, 1, 1, 0);
    ((struct act_number *)act_append(&fm.acts, ACT_SET_QUEUE, sizeof(struct act_number)))->a.n = OFPQ_ALL;
    peer_flow_mod(&p, &fm);
    peer_expect_error(&p, OFPERR_BAC_BAD_QUEUE);
    peer_ask(&p, OFPMSG_FEATURES_REQUEST);
    peer_expect(&p, OFPMSG_FEATURES_REPLY, &body);
    ck_assert(!features_decode(OFP13, body, &f) && f.capabilities & OFPC_QUEUE_STATS);
    end();
}
END_TEST

/* 7.2.2.2: "in 1/10 of a percent". */
START_TEST(configuration)
{
    static const struct ofp_queue_config want[] = {{2, 0, OFPQ_RATE_NONE, OFPQ_RATE_NONE}, {2, 1, 100, OFPQ_RATE_NONE}, {2, 5, OFPQ_RATE_NONE, 500},
                                                   {3, 0, OFPQ_RATE_NONE, OFPQ_RATE_NONE}, {3, 1, OFPQ_RATE_NONE, 123}};
    for (unsigned port = 1; port <= 4; port++) { /* 4: any */
        struct buf b = BUF_INIT;
        struct rd body;
        enum ofp_msg_type reply;
        uint32_t asked = port == 4 ? (uint32_t)OFPP_ANY : port, head;
        begin();
        queue_config_request_encode(asked, OFP13, 1, &reply, &b);
        peer_send(&p, &b);
        peer_expect(&p, reply, &body);
        ck_assert(!queue_config_head_decode(OFP13, &body, &head) && head == asked);
        for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
            struct ofp_queue_config q = {0};
            if (port != 4 && want[i].port != port)
                continue;
            ck_assert(!queue_config_decode(OFP13, &body, &q));
            ck_assert(q.port == want[i].port && q.queue == want[i].queue && q.min_rate == want[i].min_rate && q.max_rate == want[i].max_rate);
        }
        ck_assert_uint_eq(rd_left(&body), 0);
        end();
    }
}
END_TEST

UNIT_TEST_MAIN("queues", which_queue, rates_and_statistics, faults, configuration)
