/* trace: what people read. */
#include "tests/sim/sim.h"

static void add_flow(struct sim *s, const char *text)
{
    struct flow_mod fm = FLOW_MOD_INIT;
    struct diag d = DIAG_INIT;
    ck_assert_msg(flow_mod_parse(text, OFPFC_ADD, NULL, &fm, &d), "%s: %s", text, buf_text(&d.message));
    ck_assert_int_eq(tables_flow_mod(s->o, &fm, clock_msec()), OFPERR_OK);
    flow_mod_free(&fm);
    diag_free(&d);
}

static void expect_trace(struct sim *s, const char *flow, const char *expected)
{
    struct buf out = BUF_INIT;
    struct diag d = DIAG_INIT;
    ck_assert_msg(ofproto_trace(s->o, flow, NULL, 0, &out, &d), "%s: %s", flow, buf_text(&d.message));
    ck_assert_str_eq(buf_text(&out), expected);
    buf_free(&out);
    diag_free(&d);
}

/* The switch of the founding experiment, EXPERIMENT in docs: resubmits by port, and tun_id where it cannot match. */
START_TEST(founding_experiment)
{
    struct sim s;
    sim_init(&s);
    add_flow(&s, "table=0,priority=10,ip,in_port=1,nw_proto=47,actions=resubmit(,10)");
    add_flow(&s, "table=0,priority=5,arp,actions=ALL");
    add_flow(&s, "table=10,priority=10,dl_src=08:00:27:54:e2:e4,actions=output:2");
    expect_trace(&s, "in_port=1,ip,nw_proto=47,gre_key=0xa,dl_src=08:00:27:54:e2:e4",
                 "bridge br0: ip,in_port=1,in_phy_port=1,dl_src=08:00:27:54:e2:e4,nw_proto=47,gre_key=0xa\n"
                 "0. priority=10,ip,in_port=1,nw_proto=47\n"
                 "    resubmit(,10)\n"
                 "    10. priority=10,dl_src=08:00:27:54:e2:e4\n"
                 "        output:2\n"
                 "\n"
                 "Datapath actions: output:p2\n"
                 "Consulted: ip,in_port=1,dl_src=08:00:27:54:e2:e4,nw_proto=47\n");
    add_flow(&s, "table=10,priority=11,tun_id=0xa,actions=output:3");
    expect_trace(
        &s, "in_port=1,ip,nw_proto=47,gre_key=0xa",
        "bridge br0: ip,in_port=1,in_phy_port=1,nw_proto=47,gre_key=0xa\n"
        "0. priority=10,ip,in_port=1,nw_proto=47\n"
        "    resubmit(,10)\n"
        "    10. no rule matched\n"
        "        nearest: priority=11,tun_id=0xa: the packet has tun_id=0\n"
        "        nearest: priority=10,dl_src=08:00:27:54:e2:e4: the packet has dl_src=00:00:00:00:00:00\n"
        "        note: priority=11,tun_id=0xa would match but for tun_id, which is set only for packets that come"
        " from one of this switch's own tunnel ports; br0 has none. This is a GRE packet in transit: its key is"
        " matched by gre_key (here gre_key=0xa)\n"
        "\n"
        "Dropped: no-rule: no rule of the table matched, and it has no table-miss rule; add a flow with"
        " priority=0, or look at the nearest rules in 'xvs-ctl trace'\n"
        "Datapath actions: drop\n"
        "Consulted: ip,tun_id=0,in_port=1,dl_src=00:00:00:00:00:00,nw_proto=47\n");
    sim_destroy(&s);
}
END_TEST

START_TEST(nearest_rules)
{
    struct sim s;
    sim_init(&s);
    expect_trace(&s, "in_port=1",
                 "bridge br0: in_port=1,in_phy_port=1\n"
                 "0. no rule matched\n"
                 "    the table is empty\n"
                 "    -> dropped: no-rule: no rule of the table matched, and it has no table-miss rule\n"
                 "\n"
                 "Dropped: no-rule: no rule of the table matched, and it has no table-miss rule; add a flow with"
                 " priority=0, or look at the nearest rules in 'xvs-ctl trace'\n"
                 "Datapath actions: drop\n"
                 "Consulted: in_port=1\n");
    add_flow(&s, "priority=10,tcp,in_port=1,nw_dst=10.0.0.2,tp_dst=80,actions=2");
    add_flow(&s, "priority=9,udp,in_port=1,actions=2");
    add_flow(&s, "priority=8,arp,in_port=2,actions=2");
    add_flow(&s, "priority=7,in_port=3,cookie=0x5,actions=2");
    struct buf out = BUF_INIT;
    struct diag d = DIAG_INIT;
    ck_assert(ofproto_trace(s.o, "in_port=1,tcp,nw_dst=10.0.0.2,tp_dst=443", NULL, 0, &out, &d));
    ck_assert_ptr_nonnull(strstr(
        buf_text(&out), "0. no rule matched\n"
                        "    nearest: priority=10,tcp,in_port=1,nw_dst=10.0.0.2,tp_dst=80: the packet has tp_dst=443\n"
                        "    nearest: priority=9,udp,in_port=1: the packet has nw_proto=6\n"
                        "    nearest: priority=7,in_port=3 cookie=0x5: the packet has in_port=1\n"
                        "    -> dropped"));
    buf_free(&out);
    sim_destroy(&s);
}
END_TEST

START_TEST(a_frame_and_json)
{
    static const uint8_t frame[60] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1};
    struct sim s;
    struct buf out = BUF_INIT;
    struct diag d = DIAG_INIT;
    sim_init(&s);
    add_flow(&s, "arp,arp_op=1,in_port=3,actions=set_field:02:00:00:00:00:09->eth_src,in_port");
    ck_assert(ofproto_trace_json(s.o, "in_port=3", frame, sizeof frame, &out, &d));
    ck_assert_str_eq(buf_text(&out), "{\"steps\":[{\"step\":\"bridge\",\"depth\":0,\"text\":\"bridge br0: "
                                     "arp,in_port=3,in_phy_port=3,dl_src=02:00:00:00:00:01,"
                                     "dl_dst=02:00:00:00:00:02,arp_op=1\",\"bridge\":\"br0\"},"
                                     "{\"step\":\"rule\",\"depth\":0,\"text\":\"0. "
                                     "priority=32768,arp,in_port=3,arp_op=1\",\"table\":0,\"priority\":32768,"
                                     "\"cookie\":\"0x0\",\"match\":\"arp,in_port=3,arp_op=1\"},"
                                     "{\"step\":\"act\",\"depth\":0,\"text\":\"set_field:02:00:00:00:00:09->eth_src\"},"
                                     "{\"step\":\"act\",\"depth\":0,\"text\":\"IN_PORT\"}],"
                                     "\"actions\":\"set(eth_src=02:00:00:00:00:09),output:p3\",\"consulted\":\"arp,in_"
                                     "port=3,arp_op=1\",\"cacheable\":true}\n");
    buf_clear(&out);
    ck_assert(!ofproto_trace(s.o, "in_port=3", frame, 5, &out, &d));
    diag_free(&d);
    d = DIAG_INIT;
    ck_assert(!ofproto_trace(s.o, "in_port=3,nosuch=5", NULL, 0, &out, &d));
    ck_assert_uint_eq(d.at, 10);
    diag_free(&d);
    buf_free(&out);
    sim_destroy(&s);
}
END_TEST

/* No counter, no MAC address, nothing is changed by a trace. */
START_TEST(no_side_effects)
{
    struct sim s;
    struct buf out = BUF_INIT;
    struct diag d = DIAG_INIT;
    struct fdb_row *rows;
    sim_init(&s);
    add_flow(&s, "actions=normal");
    ck_assert(ofproto_trace(s.o, "in_port=1,dl_src=02:00:00:00:00:01", NULL, 0, &out, &d));
    ck_assert_ptr_nonnull(strstr(buf_text(&out), "Datapath actions: learn_mac,output:p2,output:p3\n"));
    sim_run(&s);
    ck_assert_uint_eq(ofproto_fdb(s.o, &rows), 0);
    free(rows);
    uint64_t packets, bytes;
    msec_t used;
    dp_tally_read(s.dp, s.o->tables[0].matched, &packets, &bytes, &used);
    ck_assert_uint_eq(packets, 0);
    buf_free(&out);
    sim_destroy(&s);
}
END_TEST

UNIT_TEST_MAIN("trace", founding_experiment, nearest_rules, a_frame_and_json, no_side_effects)
