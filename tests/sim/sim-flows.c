/* Flows with packets: counters, timeouts, flow-removed, barriers, fail modes. */
#include "tests/sim/sim.h"

static struct sim s;
static struct peer p;

static void begin(void)
{
    sim_init(&s);
    peer_connect(&p, &s, OFCONN_CONTROLLER);
}

static void end(void)
{
    peer_close(&p);
    sim_destroy(&s);
}

static struct flow_stats only_flow(void)
{
    struct flow_stats fs;
    ck_assert_uint_eq(peer_flows(&p, &fs, 1), 1);
    return fs;
}

static struct flow_removed expect_removed(void)
{
    struct rd body;
    struct flow_removed fr;
    peer_expect(&p, OFPMSG_FLOW_REMOVED, &body);
    ck_assert_int_eq(flow_removed_decode(OFP13, body, &fr), OFPERR_OK);
    return fr;
}

static void flow_mod(enum ofp_flow_mod_command command, uint16_t priority, uint32_t in_port, uint32_t out, uint16_t flags,
                     uint16_t idle, uint16_t hard)
{
    struct flow_mod fm = sim_flow(command, 0, priority, in_port, out);
    fm.flags = flags;
    fm.idle_timeout = idle;
    fm.hard_timeout = hard;
    fm.cookie = 0x1234;
    peer_flow_mod(&p, &fm);
}

START_TEST(packets_are_forwarded_and_counted)
{
    begin();
    peer_add(&p, 0, 10, 1, 2);
    peer_barrier(&p);
    for (int i = 0; i < 5; i++)
        sim_receive(&s, 1, 1, i);
    sim_receive(&s, 3, 1, 2);
    ck_assert_uint_eq(s.n_sent[2], 5);
    ck_assert_uint_eq(s.n_sent[1] + s.n_sent[3], 0);
    struct flow_stats fs = only_flow();
    ck_assert_uint_eq(fs.packets, 5);
    ck_assert_uint_eq(fs.bytes, 300);
    ck_assert_uint_eq(fs.priority, 10);
    ck_assert(match_has(&fs.match, FIELD_IN_PORT));

    struct rd body;
    struct aggregate_stats a;
    struct flow_stats_request q = {.table = 0, .out_port = OFPP_ANY, .out_group = OFPG_ANY};
    struct buf b = BUF_INIT;
    flow_stats_request_encode(&q, true, OFP13, 1, &b);
    peer_send(&p, &b);
    peer_expect(&p, OFPMSG_AGGREGATE_REPLY, &body);
    ck_assert_int_eq(aggregate_stats_decode(OFP13, body, &a), OFPERR_OK);
    ck_assert_uint_eq(a.packets, 5);
    ck_assert_uint_eq(a.bytes, 300);
    ck_assert_uint_eq(a.flows, 1);

    struct ofp_table_stats ts;
    peer_ask(&p, OFPMSG_TABLE_STATS_REQUEST);
    peer_expect(&p, OFPMSG_TABLE_STATS_REPLY, &body);
    ck_assert_int_eq(table_stats_decode(OFP13, &body, &ts), OFPERR_OK);
    ck_assert_uint_eq(ts.active, 1);
    ck_assert_uint_eq(ts.lookups, 6);
    ck_assert_uint_eq(ts.matched, 5);
    end();
}
END_TEST

/* After the barrier's reply no packet meets the old rules. */
START_TEST(a_barrier_means_it)
{
    begin();
    for (int i = 0; i < 50; i++) {
        uint32_t out = 2 + i % 2;
        unsigned before = s.n_sent[out];
        peer_add(&p, 0, 10, 1, out);
        peer_barrier(&p);
        dp_sim_receive(ofport_dp(s.port[1]), (uint8_t[60]){1, 2, 3}, 60);
        dp_run(s.dp);
        ck_assert_uint_eq(s.n_sent[out], before + 1);
    }
    end();
}
END_TEST

/* OpenFlow 1.3.5, 6.4, and what flags do. */
START_TEST(counters_survive_what_they_must)
{
    begin();
    flow_mod(OFPFC_ADD, 10, 1, 2, OFPFF_SEND_FLOW_REM, 0, 0);
    sim_receive(&s, 1, 1, 2);
    sim_pass(&s, 3000);
    ck_assert_uint_eq(only_flow().duration_sec, 3);
    flow_mod(OFPFC_ADD, 10, 1, 3, OFPFF_SEND_FLOW_REM, 0, 0); /* replaced: no flow-removed */
    ck_assert_uint_eq(only_flow().packets, 1);
    ck_assert_uint_eq(only_flow().duration_sec, 0);
    sim_receive(&s, 1, 1, 2);
    ck_assert_uint_eq(only_flow().packets, 2);
    flow_mod(OFPFC_ADD, 10, 1, 3, OFPFF_SEND_FLOW_REM | OFPFF_RESET_COUNTS, 0, 0);
    ck_assert_uint_eq(only_flow().packets, 0);
    sim_receive(&s, 1, 1, 2);
    sim_pass(&s, 1000);
    flow_mod(OFPFC_MODIFY, 0, 0, 2, 0, 0, 0);
    ck_assert_uint_eq(only_flow().packets, 1);
    ck_assert_uint_eq(only_flow().duration_sec, 1);
    ck_assert_uint_eq(only_flow().flags & OFPFF_SEND_FLOW_REM, OFPFF_SEND_FLOW_REM);
    sim_receive(&s, 1, 1, 2);
    ck_assert_uint_eq(s.n_sent[2], 2);
    flow_mod(OFPFC_MODIFY_STRICT, 10, 1, 2, OFPFF_RESET_COUNTS, 0, 0);
    ck_assert_uint_eq(only_flow().packets, 0);
    flow_mod(OFPFC_MODIFY_STRICT, 11, 1, 3, 0, 0, 0); /* matches nothing: nothing */
    ck_assert_uint_eq(peer_flows(&p, NULL, 0), 1);
    sim_receive(&s, 1, 1, 2);
    flow_mod(OFPFC_DELETE, 0, 0, 0, 0, 0, 0);
    sim_run(&s);
    struct flow_removed fr = expect_removed();
    ck_assert_uint_eq(fr.packets, 1);
    ck_assert_uint_eq(fr.bytes, 60);
    ck_assert_uint_eq(fr.reason, OFPRR_DELETE);
    ck_assert_uint_eq(fr.cookie, 0x1234);
    ck_assert_uint_eq(fr.priority, 10);
    peer_expect_nothing(&p);
    end();
}
END_TEST

START_TEST(counters_that_are_not_kept_are_all_ones)
{
    begin();
    flow_mod(OFPFC_ADD, 10, 1, 2, OFPFF_NO_PKT_COUNTS, 0, 0);
    sim_receive(&s, 1, 1, 2);
    ck_assert_uint_eq(only_flow().packets, UINT64_MAX);
    ck_assert_uint_eq(only_flow().bytes, 60);
    end();
}
END_TEST

START_TEST(hard_and_idle_timeouts)
{
    begin();
    flow_mod(OFPFC_ADD, 10, 1, 2, OFPFF_SEND_FLOW_REM, 0, 5);
    flow_mod(OFPFC_ADD, 10, 2, 1, OFPFF_SEND_FLOW_REM, 3, 0);
    ck_assert_int_le(ofproto_wake_at(s.o), SIM_START + 3000);
    sim_pass(&s, 2000);
    sim_receive(&s, 2, 1, 2); /* the idle one lives until 5 s, the hard one ends then too */
    sim_receive(&s, 1, 1, 2);
    sim_pass(&s, 2750);
    peer_expect_nothing(&p);
    ck_assert_uint_eq(peer_flows(&p, NULL, 0), 2);
    sim_pass(&s, 500);
    ck_assert_uint_eq(s.n_sent[1] + s.n_sent[2], 2);
    struct flow_removed a = expect_removed(), b = expect_removed();
    if (a.reason == OFPRR_IDLE_TIMEOUT) {
        struct flow_removed t = a;
        a = b;
        b = t;
    }
    ck_assert_uint_eq(a.reason, OFPRR_HARD_TIMEOUT);
    ck_assert_uint_eq(b.reason, OFPRR_IDLE_TIMEOUT);
    ck_assert_uint_eq(a.packets, 1);
    ck_assert_uint_eq(b.packets, 1);
    ck_assert_uint_eq(a.duration_sec, 5);
    ck_assert_uint_eq(b.idle_timeout, 3);
    ck_assert_uint_eq(peer_flows(&p, NULL, 0), 0);
    ck_assert_int_eq(ofproto_wake_at(s.o), INT64_MAX);
    end();
}
END_TEST

START_TEST(long_timeouts_turn_with_the_wheel)
{
    begin();
    flow_mod(OFPFC_ADD, 10, 1, 2, OFPFF_SEND_FLOW_REM, 0, 1000);
    sim_pass(&s, 999750);
    peer_expect_nothing(&p);
    sim_pass(&s, 500);
    ck_assert_uint_eq(expect_removed().duration_sec, 1000);
    end();
}
END_TEST

START_TEST(flow_removed_comes_before_the_barrier_reply)
{
    begin();
    flow_mod(OFPFC_ADD, 10, 1, 2, OFPFF_SEND_FLOW_REM, 0, 0);
    sim_receive(&s, 1, 1, 2);
    flow_mod(OFPFC_DELETE_STRICT, 10, 1, 0, 0, 0, 0);
    peer_ask(&p, OFPMSG_BARRIER_REQUEST);
    ck_assert_uint_eq(expect_removed().packets, 1);
    peer_expect(&p, OFPMSG_BARRIER_REPLY, NULL);
    end();
}
END_TEST

START_TEST(deletes_are_filtered)
{
    begin();
    peer_add(&p, 0, 10, 1, 2);
    peer_add(&p, 0, 10, 2, 3);
    peer_add(&p, 5, 10, 0, 3);
    struct flow_mod fm = sim_flow(OFPFC_DELETE, 0, 0, 0, 0);
    fm.out_port = 3;
    peer_flow_mod(&p, &fm);
    ck_assert_uint_eq(peer_flows(&p, NULL, 0), 2);
    fm = sim_flow(OFPFC_DELETE, OFPTT_ALL, 0, 0, 0);
    fm.cookie = 1;
    fm.cookie_mask = UINT64_MAX;
    peer_flow_mod(&p, &fm);
    ck_assert_uint_eq(peer_flows(&p, NULL, 0), 2);
    fm = sim_flow(OFPFC_DELETE_STRICT, 5, 10, 0, 0);
    peer_flow_mod(&p, &fm);
    ck_assert_uint_eq(peer_flows(&p, NULL, 0), 1);
    fm = sim_flow(OFPFC_DELETE, OFPTT_ALL, 0, 0, 0);
    peer_flow_mod(&p, &fm);
    ck_assert_uint_eq(peer_flows(&p, NULL, 0), 0);
    end();
}
END_TEST

START_TEST(overlaps_are_refused_on_request)
{
    begin();
    peer_add(&p, 0, 10, 1, 2);
    struct flow_mod fm = sim_flow(OFPFC_ADD, 0, 10, 0, 2);
    fm.flags = OFPFF_CHECK_OVERLAP;
    peer_flow_mod(&p, &fm);
    peer_expect_error(&p, OFPERR_FMFC_OVERLAP);
    fm = sim_flow(OFPFC_ADD, 0, 11, 0, 2);
    fm.flags = OFPFF_CHECK_OVERLAP;
    peer_flow_mod(&p, &fm);
    ck_assert_uint_eq(peer_flows(&p, NULL, 0), 2);
    end();
}
END_TEST

START_TEST(many_flows_come_in_parts)
{
    static struct flow_stats fs[3000];
    bool seen[3000] = {false};
    begin();
    for (uint32_t i = 0; i < 3000; i++) {
        struct flow_mod fm = sim_flow(OFPFC_ADD, i % 7, i % 100, 0, 2);
        sim_match(&fm.match, FIELD_ETH_DST, 0x020000000000 + i);
        fm.cookie = i;
        peer_flow_mod(&p, &fm);
    }
    ck_assert_uint_eq(peer_flows(&p, fs, 3000), 3000);
    for (uint32_t i = 0; i < 3000; i++) {
        ck_assert_uint_lt(fs[i].cookie, 3000);
        ck_assert(!seen[fs[i].cookie]);
        seen[fs[i].cookie] = true;
    }
    end();
}
END_TEST

/* Who reads slowly is told of the flows that there were, though somebody deletes them meanwhile, and what it asked for next
 * waits its turn. */
START_TEST(a_slow_reader_gets_all_flows)
{
    struct peer other;
    begin();
    peer_connect(&other, &s, OFCONN_SERVICE);
    for (uint32_t i = 0; i < 3000; i++) {
        struct flow_mod fm = sim_flow(OFPFC_ADD, i % 7, i % 100, 0, 2);
        sim_match(&fm.match, FIELD_ETH_DST, 0x020000000000 + i);
        peer_flow_mod(&p, &fm);
    }
    for (int deleted = 0; deleted < 2; deleted++) {
        p.backlog = 1 << 20;
        peer_ask_flows(&p);
        peer_add(&p, 9, 10, 1, 2);
        peer_ask(&p, OFPMSG_BARRIER_REQUEST);
        sim_run(&s);
        peer_expect_nothing(&p);
        ck_assert_uint_eq(ofproto_rule_count(s.o), 3000u + deleted);
        if (deleted) {
            struct flow_mod fm = sim_flow(OFPFC_DELETE, OFPTT_ALL, 0, 0, 0);
            peer_flow_mod(&other, &fm);
            peer_barrier(&other);
        }
        p.backlog = 0;
        sim_run(&s);
        ck_assert_uint_eq(peer_take_flows(&p, NULL, 0), 3000 + deleted);
        peer_expect(&p, OFPMSG_BARRIER_REPLY, NULL);
        ck_assert_uint_eq(ofproto_rule_count(s.o), deleted ? 1 : 3001);
    }
    /* Many requests behind it are no reason to wait for ever, nor is a peer that goes. */
    p.backlog = 1 << 20;
    peer_ask_flows(&p);
    for (uint32_t i = 0; i < 20000; i++)
        peer_add(&p, 8, 10, i + 1, 2);
    ck_assert_uint_gt(ofproto_rule_count(s.o), 10000);
    ck_assert_uint_eq(peer_take_flows(&p, NULL, 0), 1);
    peer_ask_flows(&p);
    peer_close(&other);
    end();
}
END_TEST

/* --- Fail modes --- */

START_TEST(standalone_begins_with_normal)
{
    struct ofproto_config standalone = {.fail_mode = FAIL_STANDALONE}, secure = {.fail_mode = FAIL_SECURE};
    begin();
    peer_add(&p, 0, 10, 1, 2);
    ofproto_configure(s.o, &standalone); /* no controller: the fail mode decides, and begins anew */
    struct flow_stats fs = only_flow();
    ck_assert_uint_eq(fs.priority, 0);
    sim_receive(&s, 1, 1, 2);
    ck_assert_uint_eq(s.n_sent[2], 1);
    ck_assert_uint_eq(s.n_sent[3], 1);
    struct flow_mod fm = sim_flow(OFPFC_DELETE, OFPTT_ALL, 0, 0, 0); /* may be deleted, and stays so */
    peer_flow_mod(&p, &fm);
    ofproto_configure(s.o, &standalone);
    ofproto_set_controllers(s.o, 0, false);
    ck_assert_uint_eq(peer_flows(&p, NULL, 0), 0);
    ofproto_configure(s.o, &secure);
    ofproto_configure(s.o, &standalone);
    ck_assert_uint_eq(peer_flows(&p, NULL, 0), 1);
    ofproto_set_controllers(s.o, 1, false); /* now the controller decides */
    ck_assert_uint_eq(peer_flows(&p, NULL, 0), 0);
    ofproto_set_controllers(s.o, 1, true);
    peer_add(&p, 0, 10, 1, 2);
    ofproto_configure(s.o, &secure); /* with a controller the fail mode's change changes no flow */
    ofproto_set_controllers(s.o, 2, true);
    ck_assert_uint_eq(peer_flows(&p, NULL, 0), 1);
    ofproto_set_controllers(s.o, 0, false);
    ck_assert_uint_eq(peer_flows(&p, NULL, 0), 0);
    end();
}
END_TEST

START_TEST(standalone_takes_over_from_a_lost_controller)
{
    struct ofproto_config standalone = {.fail_mode = FAIL_STANDALONE};
    begin();
    ofproto_set_controllers(s.o, 1, true);
    ofproto_configure(s.o, &standalone);
    ofproto_set_controllers(s.o, 1, false);
    sim_pass(&s, 14750);
    sim_receive(&s, 1, 1, 2);
    ck_assert_uint_eq(s.n_sent[2], 0);
    ck_assert_int_le(ofproto_wake_at(s.o), SIM_START + 15000);
    sim_pass(&s, 250);
    sim_receive(&s, 1, 1, 2);
    ck_assert_uint_eq(s.n_sent[2], 1);
    ofproto_set_controllers(s.o, 1, true);
    sim_receive(&s, 1, 1, 2);
    ck_assert_uint_eq(s.n_sent[2], 1);
    end();
}
END_TEST

UNIT_TEST_MAIN("flows", packets_are_forwarded_and_counted, a_barrier_means_it, counters_survive_what_they_must,
               counters_that_are_not_kept_are_all_ones, hard_and_idle_timeouts, long_timeouts_turn_with_the_wheel,
               flow_removed_comes_before_the_barrier_reply, deletes_are_filtered, overlaps_are_refused_on_request,
               many_flows_come_in_parts, a_slow_reader_gets_all_flows, standalone_begins_with_normal, standalone_takes_over_from_a_lost_controller)
