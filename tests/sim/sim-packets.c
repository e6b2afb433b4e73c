/* Packets to the controller and back. */
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

static struct packet_in expect_packet_in(struct peer *from)
{
    struct rd body;
    struct packet_in pi;
    peer_expect(from, OFPMSG_PACKET_IN, &body);
    ck_assert_int_eq(packet_in_decode(OFP13, body, &pi), OFPERR_OK);
    return pi;
}

static uint64_t number(const struct match *m, enum field_id f)
{
    union field_value v, mask;
    match_get(m, f, &v, &mask);
    return field_value_u64(&v);
}

/* A flow that sends to the controller, with a cookie. */
static void to_controller(uint8_t table, uint16_t priority)
{
    struct flow_mod fm = sim_flow(OFPFC_ADD, table, priority, 0, OFPP_CONTROLLER);
    ((struct act_output *)fm.acts.data)->max_len = 20; /* for packets that are buffered, which none is */
    fm.cookie = 0x77;
    peer_flow_mod(&p, &fm);
}

START_TEST(a_table_miss_is_told)
{
    begin();
    sim_receive(&s, 1, 1, 2); /* no table-miss flow: dropped, OpenFlow 1.3.5, 5.4 */
    peer_expect_nothing(&p);
    to_controller(0, 0);
    sim_receive(&s, 3, 1, 2);
    struct packet_in pi = expect_packet_in(&p);
    ck_assert_uint_eq(pi.reason, OFPR_NO_MATCH);
    ck_assert_uint_eq(pi.table, 0);
    ck_assert_uint_eq(pi.cookie, 0x77);
    ck_assert_uint_eq(pi.total_len, 60);
    ck_assert_uint_eq(pi.data_len, 20); /* as much as was asked for; all of it is buffered */
    ck_assert_uint_ne(pi.buffer_id, OFP_NO_BUFFER);
    ck_assert_uint_eq(number(&pi.match, FIELD_IN_PORT), 3);
    ck_assert(!match_has(&pi.match, FIELD_METADATA));
    to_controller(0, 1);
    sim_receive(&s, 3, 1, 2);
    ck_assert_uint_eq(expect_packet_in(&p).reason, OFPR_ACTION);
    end();
}
END_TEST

START_TEST(metadata_and_registers_are_told)
{
    begin();
    struct flow_mod fm = sim_flow(OFPFC_ADD, 0, 1, 0, 0);
    struct act_metadata *m = act_append(&fm.acts, INST_WRITE_METADATA, sizeof *m);
    m->value = 0x1122;
    m->mask = UINT64_MAX;
    struct act_number *go = act_append(&fm.acts, INST_GOTO_TABLE, sizeof *go);
    go->a.n = 3;
    peer_flow_mod(&p, &fm);
    to_controller(3, 5);
    sim_receive(&s, 2, 1, 2);
    struct packet_in pi = expect_packet_in(&p);
    ck_assert_uint_eq(pi.table, 3);
    ck_assert_uint_eq(number(&pi.match, FIELD_METADATA), 0x1122);
    ck_assert_uint_eq(number(&pi.match, FIELD_IN_PORT), 2);
    end();
}
END_TEST

START_TEST(who_wants_packets)
{
    struct peer service;
    struct buf b = BUF_INIT;
    begin();
    peer_connect(&service, &s, OFCONN_SERVICE);
    to_controller(0, 0);
    sim_receive(&s, 1, 1, 2);
    expect_packet_in(&p);
    peer_expect_nothing(&service);
    struct ofp_switch_config c = {OFPC_FRAG_NORMAL, 128};
    switch_config_encode(&c, OFPMSG_SET_CONFIG, OFP13, 1, &b);
    peer_send(&service, &b);
    sim_receive(&s, 1, 1, 2);
    expect_packet_in(&p);
    expect_packet_in(&service);
    struct ofp_async_config none = {0};
    async_encode(&none, OFPMSG_SET_ASYNC, OFP13, 1, &b);
    peer_send(&p, &b);
    sim_receive(&s, 1, 1, 2);
    peer_expect_nothing(&p);
    expect_packet_in(&service);
    nx_controller_id_encode(9, OFP13, 1, &b); /* another controller id: only controller(id=9) is for it */
    peer_send(&service, &b);
    sim_receive(&s, 1, 1, 2);
    peer_expect_nothing(&service);
    peer_close(&service);
    end();
}
END_TEST

/* One port's flood leaves room for another port's packet; what is too much is counted. */
START_TEST(a_slow_controller_gets_from_every_port)
{
    begin();
    to_controller(0, 0);
    peer_barrier(&p);
    p.backlog = 1 << 20;
    for (int i = 0; i < 3000; i++)
        sim_receive(&s, 1, 1, i);
    sim_receive(&s, 2, 1, 2);
    peer_expect_nothing(&p);
    p.backlog = 0;
    sim_pass(&s, 250);
    unsigned from[4] = {0}, first = 0;
    for (unsigned n = 0; p.at < p.got.len; n++) {
        struct packet_in pi = expect_packet_in(&p);
        uint64_t port = number(&pi.match, FIELD_IN_PORT);
        from[port]++;
        if (port == 2)
            first = n;
    }
    ck_assert_uint_eq(from[2], 1);
    ck_assert_uint_le(first, 1);
    ck_assert_uint_eq(from[1] + from[2], 1024);
    struct ofconn_status st;
    ofconn_get_status(p.c, &st);
    ck_assert_uint_eq(st.packet_ins, 1024);
    ck_assert_uint_eq(st.packet_ins_dropped, 3001 - 1024);
    end();
}
END_TEST

/* OpenFlow 1.3.5, 7.2.1: NO_PACKET_IN is about table misses. */
START_TEST(a_port_that_may_not_miss)
{
    struct buf b = BUF_INIT;
    begin();
    to_controller(0, 0);
    struct ofp_port_mod m = {.port = 1, .config = OFPPC_NO_PACKET_IN, .mask = OFPPC_NO_PACKET_IN};
    memcpy(m.mac, s.port[1]->desc.mac, sizeof m.mac);
    port_mod_encode(&m, OFP13, 1, &b);
    peer_send(&p, &b);
    peer_expect(&p, OFPMSG_PORT_STATUS, NULL);
    sim_receive(&s, 1, 1, 2);
    peer_expect_nothing(&p);
    sim_receive(&s, 2, 1, 2);
    expect_packet_in(&p);
    to_controller(0, 1);
    sim_receive(&s, 1, 1, 2);
    ck_assert_uint_eq(expect_packet_in(&p).reason, OFPR_ACTION);
    end();
}
END_TEST

START_TEST(fragments_are_dropped_on_request)
{
    static const uint8_t fragment[60] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 46, 0, 0, 0x20, 0, 64, 17};
    struct buf b = BUF_INIT;
    struct ofp_switch_config drop = {OFPC_FRAG_DROP, 128};
    begin();
    peer_add(&p, 0, 1, 1, 2);
    dp_sim_receive(ofport_dp(s.port[1]), fragment, sizeof fragment);
    sim_run(&s);
    ck_assert_uint_eq(s.n_sent[2], 1);
    switch_config_encode(&drop, OFPMSG_SET_CONFIG, OFP13, 1, &b);
    peer_send(&p, &b);
    peer_barrier(&p);
    dp_sim_receive(ofport_dp(s.port[1]), fragment, sizeof fragment);
    sim_receive(&s, 1, 1, 2);
    ck_assert_uint_eq(s.n_sent[2], 2); /* the second is not a fragment */
    end();
}
END_TEST

/* --- Packet-outs --- */

static void packet_out(uint32_t in_port, uint32_t out)
{
    static const uint8_t frame[60] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, 0x88, 0xb5};
    struct packet_out po = {.buffer_id = OFP_NO_BUFFER, .in_port = in_port, .data = frame, .data_len = sizeof frame};
    struct buf b = BUF_INIT;
    sim_output(&po.acts, out);
    packet_out_encode(&po, OFP13, 1, &b);
    buf_free(&po.acts);
    peer_send(&p, &b);
}

START_TEST(packet_outs_are_sent_before_the_barrier)
{
    begin();
    packet_out(OFPP_CONTROLLER, 2);
    peer_barrier(&p);
    ck_assert_uint_eq(s.n_sent[2], 1);
    ck_assert_uint_eq(s.last_sent.len, 60);
    packet_out(OFPP_ANY, OFPP_ALL);
    peer_barrier(&p);
    ck_assert_uint_eq(s.n_sent[1], 1);
    ck_assert_uint_eq(s.n_sent[2], 2);
    ck_assert_uint_eq(s.n_sent[3], 1);
    packet_out(1, OFPP_ALL); /* not to where it is said to have come from */
    peer_barrier(&p);
    ck_assert_uint_eq(s.n_sent[1], 1);
    ck_assert_uint_eq(s.n_sent[3], 2);
    packet_out(1, OFPP_IN_PORT);
    peer_barrier(&p);
    ck_assert_uint_eq(s.n_sent[1], 2);
    end();
}
END_TEST

START_TEST(packet_outs_through_the_tables)
{
    begin();
    peer_add(&p, 0, 10, 3, 2);
    packet_out(3, OFPP_TABLE);
    peer_barrier(&p);
    ck_assert_uint_eq(s.n_sent[2], 1);
    packet_out(1, OFPP_TABLE);
    peer_barrier(&p);
    ck_assert_uint_eq(s.n_sent[2], 1);
    struct flow_stats fs;
    ck_assert_uint_eq(peer_flows(&p, &fs, 1), 1);
    ck_assert_uint_eq(fs.packets, 1);
    end();
}
END_TEST

START_TEST(packet_outs_to_the_controller)
{
    begin();
    packet_out(2, OFPP_CONTROLLER);
    sim_run(&s);
    struct packet_in pi = expect_packet_in(&p);
    ck_assert_uint_eq(pi.reason, OFPR_ACTION);
    ck_assert_uint_eq(number(&pi.match, FIELD_IN_PORT), 2);
    end();
}
END_TEST

UNIT_TEST_MAIN("packets", a_table_miss_is_told, metadata_and_registers_are_told, who_wants_packets,
               a_slow_controller_gets_from_every_port, a_port_that_may_not_miss, fragments_are_dropped_on_request, packet_outs_are_sent_before_the_barrier, packet_outs_through_the_tables,
               packet_outs_to_the_controller)
