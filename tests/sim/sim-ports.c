/* Ports: numbers, descriptions, PORT_STATUS, PORT_MOD, statistics. */
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

static struct ofp_port_desc expect_status(uint8_t want)
{
    struct rd body;
    uint8_t reason;
    struct ofp_port_desc d;
    peer_expect(&p, OFPMSG_PORT_STATUS, &body);
    ck_assert_int_eq(port_status_decode(OFP13, body, &reason, &d), OFPERR_OK);
    ck_assert_uint_eq(reason, want);
    return d;
}

static struct ofp_port_desc describe(uint32_t number)
{
    struct rd body;
    struct ofp_port_desc d, found = {0};
    peer_ask(&p, OFPMSG_PORT_DESC_REQUEST);
    peer_expect(&p, OFPMSG_PORT_DESC_REPLY, &body);
    while (rd_left(&body)) {
        ck_assert_int_eq(port_desc_decode(OFP13, &body, &d), OFPERR_OK);
        if (d.port == number)
            found = d;
    }
    return found;
}

START_TEST(ports_come_and_go)
{
    begin();
    struct ofport *port = sim_port_add(&s, "p9", 9);
    struct ofp_port_desc d = expect_status(OFPPR_ADD);
    ck_assert_uint_eq(d.port, 9);
    ck_assert_str_eq(d.name, "p9");
    ck_assert_ptr_eq(ofproto_port_by_name(s.o, "p9"), port);
    ofproto_port_del(port);
    ck_assert_uint_eq(expect_status(OFPPR_DELETE).port, 9);
    ck_assert_ptr_null(ofproto_port_by_name(s.o, "p9"));
    peer_expect_nothing(&p);
    end();
}
END_TEST

START_TEST(numbers_are_kept_by_name)
{
    begin();
    struct ofport *a = sim_port_add(&s, "a", 0);
    ck_assert_uint_eq(ofport_number(a), 4);
    ofproto_port_del(a);
    struct ofport *b = sim_port_add(&s, "b", 0); /* 4 is a's as long as there are others */
    ck_assert_uint_eq(ofport_number(b), 5);
    a = sim_port_add(&s, "a", 0);
    ck_assert_uint_eq(ofport_number(a), 4);
    struct diag d = DIAG_INIT;
    struct dp_port_config c = {.name = "c", .type = "sim"};
    struct ofport *taken = ofproto_port_add(s.o, &c, 4, &d);
    ck_assert_ptr_nonnull(taken);
    ck_assert_uint_eq(ofport_number(taken), 6);
    ck_assert_ptr_nonnull(strstr(buf_text(&d.warnings), "taken by port a"));
    ck_assert_ptr_null(ofproto_port_add(s.o, &c, 0, &d)); /* the same name twice */
    ck_assert(d.failed);
    diag_free(&d);
    ofproto_port_del(taken);
    ofproto_port_del(a);
    ofproto_port_del(b);
    end();
}
END_TEST

START_TEST(a_number_can_be_changed)
{
    struct diag d = DIAG_INIT;
    begin();
    peer_add(&p, 0, 1, 1, 77);
    ck_assert(ofproto_port_set_number(s.port[2], 77, &d));
    ck_assert_uint_eq(expect_status(OFPPR_DELETE).port, 2);
    ck_assert_uint_eq(expect_status(OFPPR_ADD).port, 77);
    ck_assert_uint_eq(ofport_number(s.port[2]), 77);
    ck_assert_ptr_eq(ofport_lookup(s.o, 77), s.port[2]);
    ck_assert_ptr_null(ofport_lookup(s.o, 2));
    sim_receive(&s, 1, 1, 2); /* an open port, under its new number both ways */
    ck_assert_uint_eq(s.last_sent.len, 60);
    peer_add(&p, 0, 1, 77, 3);
    sim_receive(&s, 2, 1, 2);
    ck_assert_uint_eq(s.n_sent[3], 1);
    ck_assert(!ofproto_port_set_number(s.port[2], 1, &d));
    ck_assert_ptr_nonnull(strstr(buf_text(&d.message), "p1"));
    diag_free(&d);
    end();
}
END_TEST

static void port_mod(uint32_t port, uint32_t config, uint32_t mask)
{
    struct buf b = BUF_INIT;
    struct ofp_port_desc d = describe(port);
    struct ofp_port_mod m = {.port = port, .config = config, .mask = mask};
    memcpy(m.mac, d.mac, sizeof m.mac);
    port_mod_encode(&m, OFP13, 3, &b);
    peer_send(&p, &b);
}

START_TEST(port_mod_means_it)
{
    begin();
    peer_add(&p, 0, 1, 1, 2);
    sim_receive(&s, 1, 1, 2);
    ck_assert_uint_eq(s.n_sent[2], 1);
    port_mod(2, OFPPC_NO_FWD, OFPPC_NO_FWD);
    ck_assert_uint_eq(expect_status(OFPPR_MODIFY).config, OFPPC_NO_FWD);
    peer_barrier(&p);
    sim_receive(&s, 1, 1, 2);
    ck_assert_uint_eq(s.n_sent[2], 1);
    port_mod(2, 0, OFPPC_NO_FWD);
    ck_assert_uint_eq(expect_status(OFPPR_MODIFY).config, 0);
    port_mod(1, OFPPC_NO_RECV, OFPPC_NO_RECV);
    ck_assert_uint_eq(expect_status(OFPPR_MODIFY).config, OFPPC_NO_RECV);
    sim_receive(&s, 1, 1, 2);
    ck_assert_uint_eq(s.n_sent[2], 1);
    port_mod(1, 0, OFPPC_NO_RECV);
    expect_status(OFPPR_MODIFY);
    sim_receive(&s, 1, 1, 2);
    ck_assert_uint_eq(s.n_sent[2], 2);
    port_mod(1, 0, OFPPC_NO_RECV); /* changes nothing: nothing is said */
    peer_expect_nothing(&p);
    port_mod(1, 1 << 9, 1 << 9);
    peer_expect_error(&p, OFPERR_PMFC_BAD_CONFIG);
    end();
}
END_TEST

START_TEST(port_down_stops_packets)
{
    begin();
    peer_add(&p, 0, 1, 1, 2);
    port_mod(2, OFPPC_PORT_DOWN, OFPPC_PORT_DOWN);
    struct ofp_port_desc d = expect_status(OFPPR_MODIFY);
    ck_assert_uint_eq(d.config, OFPPC_PORT_DOWN);
    ck_assert_uint_eq(d.state & OFPPS_LIVE, 0);
    peer_barrier(&p);
    sim_receive(&s, 1, 1, 2);
    ck_assert_uint_eq(s.n_sent[2], 0);
    port_mod(2, 0, OFPPC_PORT_DOWN);
    d = expect_status(OFPPR_MODIFY);
    ck_assert_uint_eq(d.config, 0);
    sim_receive(&s, 1, 1, 2);
    ck_assert_uint_eq(s.n_sent[2], 1);
    ck_assert_uint_eq(describe(2).state, OFPPS_LIVE);
    end();
}
END_TEST

static struct ofp_port_stats stats(uint32_t port)
{
    struct buf b = BUF_INIT;
    struct rd body;
    struct ofp_port_stats st;
    port_stats_request_encode(port, OFP13, 3, &b);
    peer_send(&p, &b);
    peer_expect(&p, OFPMSG_PORT_STATS_REPLY, &body);
    ck_assert_int_eq(port_stats_decode(OFP13, &body, &st), OFPERR_OK);
    ck_assert_uint_eq(rd_left(&body), port == OFPP_ANY ? (SIM_PORTS - 1) * 112 : 0);
    return st;
}

START_TEST(ports_are_counted)
{
    begin();
    peer_add(&p, 0, 1, 1, 2);
    sim_receive(&s, 1, 1, 2);
    sim_receive(&s, 1, 1, 2);
    sim_pass(&s, 2500);
    struct ofp_port_stats st = stats(1);
    ck_assert_uint_eq(st.port, 1);
    ck_assert_uint_eq(st.rx_packets, 2);
    ck_assert_uint_eq(st.rx_bytes, 120);
    ck_assert_uint_eq(st.tx_packets, 0);
    ck_assert_uint_eq(st.duration_sec, 2);
    ck_assert_uint_eq(st.duration_nsec, 500000000);
    ck_assert_uint_eq(st.rx_crc_err, UINT64_MAX);
    ck_assert_uint_eq(stats(2).tx_packets, 2);
    ck_assert_uint_eq(stats(OFPP_ANY).port, 1);
    end();
}
END_TEST

UNIT_TEST_MAIN("ports", ports_come_and_go, numbers_are_kept_by_name, a_number_can_be_changed, port_mod_means_it,
               port_down_stops_packets, ports_are_counted)
