/* Sessions: HELLO, framing, what each malformed message is answered with, roles, probes, slow readers. */
#include "tests/sim/sim.h"

static void put_header(struct buf *b, uint8_t version, uint8_t type, uint16_t len, uint32_t xid)
{
    buf_u8(b, version);
    buf_u8(b, type);
    buf_u16(b, len);
    buf_u32(b, xid);
}

static void raw_hello(struct buf *b, uint8_t version, uint32_t bitmap /* 0: none */)
{
    put_header(b, version, 0, bitmap ? 16 : 8, 1);
    if (bitmap) {
        buf_u16(b, 1);
        buf_u16(b, 8);
        buf_u32(b, bitmap);
    }
}

static bool agrees(uint8_t version, uint32_t bitmap)
{
    struct sim s;
    struct peer p;
    struct buf b = BUF_INIT;
    struct rd body;
    struct ofproto_config only13 = {.versions = 1 << OFP13};
    sim_init(&s);
    ofproto_configure(s.o, &only13);
    peer_open(&p, &s, OFCONN_CONTROLLER, 0);
    peer_expect(&p, OFPMSG_HELLO, &body);
    uint32_t offered;
    ck_assert_int_eq(hello_decode(&p.h, body, &offered), OFPERR_OK);
    ck_assert_uint_eq(p.h.version, 4);
    ck_assert_uint_eq(offered, 1 << 4);
    raw_hello(&b, version, bitmap);
    peer_send(&p, &b);
    bool ok = !p.hung_up;
    if (ok) {
        peer_ask(&p, OFPMSG_FEATURES_REQUEST);
        peer_expect(&p, OFPMSG_FEATURES_REPLY, NULL);
    } else {
        struct ofp_error_msg em;
        peer_expect(&p, OFPMSG_ERROR, &body);
        ck_assert_int_eq(error_msg_decode(OFP13, body, &em), OFPERR_OK);
        ck_assert_int_eq(em.error, OFPERR_HFC_INCOMPATIBLE);
        ck_assert_ptr_nonnull(memmem(em.data, em.data_len, "OpenFlow", 8));
        ck_assert_ptr_nonnull(memmem(em.data, em.data_len, "OpenFlow13", 10));
        ck_assert_uint_le(p.h.version, version);
    }
    peer_expect_nothing(&p);
    peer_close(&p);
    sim_destroy(&s);
    return ok;
}

/* OpenFlow 1.3.5, 6.3.1. */
START_TEST(the_bitmap_wins_over_the_header)
{
    ck_assert(agrees(4, 0));
    ck_assert(agrees(4, 1 << 4));
    ck_assert(agrees(6, 0)); /* the smaller of the two is ours */
    ck_assert(agrees(6, 1 << 4 | 1 << 6));
    ck_assert(agrees(1, 1 << 1 | 1 << 4));
    ck_assert(!agrees(1, 0));
    ck_assert(!agrees(3, 0));
    ck_assert(!agrees(4, 1 << 1));
    ck_assert(!agrees(6, 1 << 5 | 1 << 6));
}
END_TEST

/* Of the bridge's versions and the peer's the highest that both have is spoken, and every message of ours is in it. */
START_TEST(the_highest_version_of_both_is_spoken)
{
    static const struct {
        uint32_t ours, theirs;
        uint8_t spoken; /* 0: none */
    } rows[] = {
        {0, 1 << 1, 1},
        {0, 1 << 1 | 1 << 4, 4},
        {0, 1 << 1 | 1 << 2 | 1 << 3, 1},
        {0, 1 << 5, 5},
        {0, 0x7e, 5},
        {1 << 1, 0x7e, 1},
        {1 << 1 | 1 << 4, 1 << 5 | 1 << 1, 1},
        {1 << 1, 1 << 4, 0},
        {1 << 5, 1 << 1 | 1 << 4, 0},
        {0, 1 << 2 | 1 << 3 | 1 << 6, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct sim s;
        struct peer p;
        struct buf b = BUF_INIT;
        struct ofproto_config config = {.versions = rows[i].ours};
        sim_init(&s);
        ofproto_configure(s.o, &config);
        peer_open(&p, &s, OFCONN_CONTROLLER, 0);
        peer_expect(&p, OFPMSG_HELLO, NULL);
        hello_encode(rows[i].theirs, 1, &b);
        peer_send(&p, &b);
        ck_assert_int_eq(p.hung_up, !rows[i].spoken);
        if (rows[i].spoken) {
            ofp_simple_encode(OFPMSG_FEATURES_REQUEST, rows[i].spoken, 2, &b);
            peer_send(&p, &b);
            peer_expect(&p, OFPMSG_FEATURES_REPLY, NULL);
            ck_assert_uint_eq(p.h.version, rows[i].spoken);
            /* Then the configuration loses this version. */
            config.versions = rows[i].spoken == 1 ? 1 << 4 : 1 << 1;
            ofproto_configure(s.o, &config);
            ck_assert(p.hung_up);
        } else {
            struct rd body;
            struct ofp_error_msg em;
            peer_expect(&p, OFPMSG_ERROR, &body);
            ck_assert_int_eq(error_msg_decode(p.h.version, body, &em), OFPERR_OK);
            ck_assert_int_eq(em.error, OFPERR_HFC_INCOMPATIBLE);
            ck_assert_ptr_nonnull(memmem(em.data, em.data_len, "speaks OpenFlow", 15));
        }
        peer_close(&p);
        sim_destroy(&s);
    }
}
END_TEST

START_TEST(bytes_may_come_one_by_one)
{
    struct sim s;
    struct peer p;
    struct buf b = BUF_INIT;
    sim_init(&s);
    peer_open(&p, &s, OFCONN_SERVICE, 0);
    raw_hello(&b, 4, 1 << 4);
    ofp_simple_encode(OFPMSG_FEATURES_REQUEST, OFP13, 2, &b);
    ofp_echo_encode(false, OFP13, 3, "hello", 5, &b);
    for (size_t i = 0; i < b.len; i++)
        ofconn_receive(p.c, b.data + i, 1, clock_msec());
    buf_free(&b);
    peer_expect(&p, OFPMSG_HELLO, NULL);
    struct rd body;
    struct ofp_features f;
    peer_expect(&p, OFPMSG_FEATURES_REPLY, &body);
    ck_assert_uint_eq(p.h.xid, 2);
    ck_assert_int_eq(features_decode(OFP13, body, &f), OFPERR_OK);
    ck_assert_uint_eq(f.datapath_id, 0x123);
    ck_assert_uint_eq(f.n_tables, 254);
    ck_assert_uint_eq(f.n_buffers, 256);
    peer_expect(&p, OFPMSG_ECHO_REPLY, &body);
    ck_assert_uint_eq(rd_left(&body), 5);
    ck_assert_mem_eq(body.p, "hello", 5);
    peer_expect_nothing(&p);
    peer_close(&p);
    sim_destroy(&s);
}
END_TEST

START_TEST(the_first_message_must_be_hello)
{
    struct sim s;
    struct peer p;
    sim_init(&s);
    peer_open(&p, &s, OFCONN_SERVICE, 0);
    peer_expect(&p, OFPMSG_HELLO, NULL);
    peer_ask(&p, OFPMSG_FEATURES_REQUEST);
    peer_expect_error(&p, OFPERR_HFC_INCOMPATIBLE);
    ck_assert(p.hung_up);
    peer_ask(&p, OFPMSG_FEATURES_REQUEST);
    peer_expect_nothing(&p);
    peer_close(&p);
    sim_destroy(&s);
}
END_TEST

START_TEST(a_length_below_the_header_ends_it)
{
    struct sim s;
    struct peer p;
    struct buf b = BUF_INIT;
    sim_init(&s);
    peer_connect(&p, &s, OFCONN_SERVICE);
    put_header(&b, 4, 2, 7, 1);
    peer_send(&p, &b);
    ck_assert(p.hung_up);
    struct ofconn_status st;
    ofconn_get_status(p.c, &st);
    ck_assert(!st.up);
    ck_assert_str_ne(st.last_error, "");
    peer_close(&p);
    sim_destroy(&s);
}
END_TEST

/* --- What is wrong with it, and what is the answer --- */

static void unknown_type(struct buf *b) { put_header(b, 4, 77, 8, 1); }
static void a_reply(struct buf *b) { ofp_simple_encode(OFPMSG_BARRIER_REPLY, OFP13, 1, b); }
static void wrong_version(struct buf *b) { put_header(b, 1, 20, 8, 1); }
static void long_barrier(struct buf *b)
{
    put_header(b, 4, 20, 16, 1);
    buf_zeros(b, 8);
}
static void short_set_config(struct buf *b)
{
    put_header(b, 4, 9, 10, 1);
    buf_u16(b, 0);
}
static void unknown_multipart(struct buf *b)
{
    put_header(b, 4, 18, 16, 1);
    buf_u16(b, 99);
    buf_zeros(b, 6);
}
static void experimenter_multipart(struct buf *b)
{
    put_header(b, 4, 18, 24, 1);
    buf_u16(b, 0xffff);
    buf_zeros(b, 6);
    buf_u32(b, 0x12345678);
    buf_u32(b, 1);
}
static void more_to_come(struct buf *b)
{
    put_header(b, 4, 18, 16, 1);
    buf_u16(b, 0);
    buf_u16(b, 1);
    buf_zeros(b, 4);
}
static void unknown_experimenter(struct buf *b)
{
    put_header(b, 4, 4, 16, 1);
    buf_u32(b, 0x12345678);
    buf_u32(b, 1);
}
static void nicira_flow_mod(struct buf *b)
{
    put_header(b, 4, 4, 64, 1);
    buf_u32(b, NX_EXPERIMENTER);
    buf_u32(b, 13);
    buf_zeros(b, 48);
}
static void unknown_packet_in_format(struct buf *b) { nx_packet_in_format_encode(3, OFP13, 1, b); }
static void reassembly(struct buf *b)
{
    struct ofp_switch_config c = {OFPC_FRAG_REASM, 128};
    switch_config_encode(&c, OFPMSG_SET_CONFIG, OFP13, 1, b);
}
static void no_such_port_stats(struct buf *b) { port_stats_request_encode(77, OFP13, 1, b); }
static void port_mod(struct buf *b, uint32_t port, uint8_t mac5, uint32_t mask, uint32_t advertise)
{
    struct ofp_port_mod m = {.port = port, .config = mask, .mask = mask, .advertise = advertise};
    m.mac[5] = mac5;
    port_mod_encode(&m, OFP13, 1, b);
}
static void port_mod_no_port(struct buf *b) { port_mod(b, 77, 0, 0, 0); }
static void port_mod_other_mac(struct buf *b) { port_mod(b, 1, 0xee, 0, 0); }
static void role(struct buf *b)
{
    struct ofp_role_request r = {9, 0};
    role_encode(&r, OFPMSG_ROLE_REQUEST, OFP13, 1, b);
}
static void table_mod(struct buf *b) { table_mod_encode(254, 0, OFP13, 1, b); }
static void flow_table_254(struct buf *b)
{
    struct flow_mod fm = sim_flow(OFPFC_ADD, 254, 1, 1, 2);
    flow_mod_encode(&fm, OFP13, 1, b);
    flow_mod_free(&fm);
}
static void modify_all_tables(struct buf *b)
{
    struct flow_mod fm = sim_flow(OFPFC_MODIFY, OFPTT_ALL, 1, 1, 2);
    flow_mod_encode(&fm, OFP13, 1, b);
    flow_mod_free(&fm);
}
static void flow_command(struct buf *b)
{
    flow_table_254(b);
    b->data[8 + 16] = 0; /* table */
    b->data[8 + 17] = 9; /* command */
}
static void flow_flags(struct buf *b)
{
    struct flow_mod fm = sim_flow(OFPFC_ADD, 0, 1, 1, 2);
    fm.flags = 1 << 9;
    flow_mod_encode(&fm, OFP13, 1, b);
    flow_mod_free(&fm);
}
static void flow_buffer(struct buf *b)
{
    struct flow_mod fm = sim_flow(OFPFC_ADD, 0, 1, 1, 2);
    fm.buffer_id = 5;
    flow_mod_encode(&fm, OFP13, 1, b);
    flow_mod_free(&fm);
}
static void flow_prerequisite(struct buf *b)
{
    struct flow_mod fm = sim_flow(OFPFC_ADD, 0, 1, 1, 2);
    sim_match(&fm.match, FIELD_TCP_DST, 80);
    flow_mod_encode(&fm, OFP13, 1, b);
    flow_mod_free(&fm);
}
static void flow_output_any(struct buf *b)
{
    struct flow_mod fm = sim_flow(OFPFC_ADD, 0, 1, 1, OFPP_ANY);
    flow_mod_encode(&fm, OFP13, 1, b);
    flow_mod_free(&fm);
}
static void flow_goto_back(struct buf *b)
{
    struct flow_mod fm = sim_flow(OFPFC_ADD, 5, 1, 1, 0);
    struct act_number *a = act_append(&fm.acts, INST_GOTO_TABLE, sizeof *a);
    a->a.n = 5;
    flow_mod_encode(&fm, OFP13, 1, b);
    flow_mod_free(&fm);
}
static void flow_group(struct buf *b)
{
    struct flow_mod fm = sim_flow(OFPFC_ADD, 0, 1, 1, 0);
    struct act_number *a = act_append(&fm.acts, ACT_GROUP, sizeof *a);
    a->a.n = 5;
    flow_mod_encode(&fm, OFP13, 1, b);
    flow_mod_free(&fm);
}
static void flow_queue(struct buf *b)
{
    struct flow_mod fm = sim_flow(OFPFC_ADD, 0, 1, 1, 0);
    struct act_number *a = act_append(&fm.acts, ACT_SET_QUEUE, sizeof *a);
    a->a.n = OFPQ_ALL;
    flow_mod_encode(&fm, OFP13, 1, b);
    flow_mod_free(&fm);
}
static void flow_meter(struct buf *b)
{
    struct flow_mod fm = sim_flow(OFPFC_ADD, 0, 1, 1, 0);
    struct act_number *a = act_append(&fm.acts, INST_METER, sizeof *a);
    a->a.n = 5;
    flow_mod_encode(&fm, OFP13, 1, b);
    flow_mod_free(&fm);
}
static void flow_unknown_instruction(struct buf *b)
{
    struct flow_mod fm = sim_flow(OFPFC_ADD, 0, 1, 1, 0);
    flow_mod_encode(&fm, OFP13, 1, b);
    flow_mod_free(&fm);
    buf_u16(b, 99);
    buf_u16(b, 8);
    buf_u32(b, 0);
    buf_set_u16(b, 2, b->len);
}
static void flow_stats_table_254(struct buf *b)
{
    struct flow_stats_request q = {.table = 254, .out_port = OFPP_ANY, .out_group = OFPG_ANY};
    flow_stats_request_encode(&q, false, OFP13, 1, b);
}
static void packet_out(struct buf *b, uint32_t in_port, uint32_t buffer, size_t len)
{
    static const uint8_t frame[60];
    struct packet_out po = {.buffer_id = buffer, .in_port = in_port, .data = frame, .data_len = len};
    sim_output(&po.acts, 1);
    packet_out_encode(&po, OFP13, 1, b);
    buf_free(&po.acts);
}
static void packet_out_no_port(struct buf *b) { packet_out(b, 77, OFP_NO_BUFFER, 60); }
static void packet_out_buffer(struct buf *b) { packet_out(b, OFPP_CONTROLLER, 3, 0); }
static void packet_out_no_packet(struct buf *b) { packet_out(b, OFPP_CONTROLLER, OFP_NO_BUFFER, 0); }
static void packet_out_from_all(struct buf *b) { packet_out(b, OFPP_ALL, OFP_NO_BUFFER, 60); }
static void group_mod(struct buf *b)
{
    put_header(b, 4, 15, 16, 1);
    buf_u16(b, 1);
    buf_zeros(b, 2);
    buf_u32(b, 1);
}
static void meter_config(struct buf *b)
{
    size_t at = ofp_msg_begin(b, OFP13, OFPMSG_METER_CONFIG_REQUEST, 1);
    buf_u32(b, 1);
    buf_zeros(b, 4);
    ofp_msg_end(b, at);
}
static void queue_stats(struct buf *b, uint32_t port)
{
    size_t at = ofp_msg_begin(b, OFP13, OFPMSG_QUEUE_STATS_REQUEST, 1);
    buf_u32(b, port);
    buf_u32(b, 1);
    ofp_msg_end(b, at);
}
static void queue_stats_port(struct buf *b) { queue_stats(b, 77); }
static void queue_stats_queue(struct buf *b) { queue_stats(b, 1); }
static void table_features(struct buf *b)
{
    size_t at = ofp_msg_begin(b, OFP13, OFPMSG_TABLE_FEATURES_REQUEST, 1);
    buf_u16(b, 64);
    buf_zeros(b, 62);
    ofp_msg_end(b, at);
}

static const struct {
    const char *name;
    void (*make)(struct buf *);
    enum ofp_error error;
} faults[] = {
#define FAULT(NAME, ERROR) {#NAME, NAME, OFPERR_##ERROR}
    FAULT(unknown_type, BRC_BAD_TYPE),
    FAULT(a_reply, BRC_BAD_TYPE),
    FAULT(wrong_version, BRC_BAD_VERSION),
    FAULT(long_barrier, BRC_BAD_LEN),
    FAULT(short_set_config, BRC_BAD_LEN),
    FAULT(unknown_multipart, BRC_BAD_MULTIPART),
    FAULT(experimenter_multipart, BRC_BAD_EXPERIMENTER),
    FAULT(more_to_come, BRC_MULTIPART_BUFFER_OVERFLOW),
    FAULT(unknown_experimenter, BRC_BAD_EXPERIMENTER),
    FAULT(nicira_flow_mod, BRC_BAD_EXP_TYPE),
    FAULT(unknown_packet_in_format, BRC_EPERM),
    FAULT(reassembly, SCFC_BAD_FLAGS),
    FAULT(no_such_port_stats, BRC_BAD_PORT),
    FAULT(port_mod_no_port, PMFC_BAD_PORT),
    FAULT(port_mod_other_mac, PMFC_BAD_HW_ADDR),
    FAULT(role, RRFC_BAD_ROLE),
    FAULT(table_mod, TMFC_BAD_TABLE),
    FAULT(flow_table_254, FMFC_BAD_TABLE_ID),
    FAULT(modify_all_tables, FMFC_BAD_TABLE_ID),
    FAULT(flow_command, FMFC_BAD_COMMAND),
    FAULT(flow_flags, FMFC_BAD_FLAGS),
    FAULT(flow_buffer, BRC_BUFFER_UNKNOWN),
    FAULT(flow_prerequisite, BMC_BAD_PREREQ),
    FAULT(flow_output_any, BAC_BAD_OUT_PORT),
    FAULT(flow_goto_back, BIC_BAD_TABLE_ID),
    FAULT(flow_group, BAC_BAD_OUT_GROUP),
    FAULT(flow_queue, BAC_BAD_QUEUE),
    FAULT(flow_meter, MMFC_UNKNOWN_METER),
    FAULT(flow_unknown_instruction, BIC_UNKNOWN_INST),
    FAULT(flow_stats_table_254, BRC_BAD_TABLE_ID),
    FAULT(packet_out_no_port, BRC_BAD_PORT),
    FAULT(packet_out_buffer, BRC_BUFFER_UNKNOWN),
    FAULT(packet_out_no_packet, BRC_BAD_PACKET),
    FAULT(packet_out_from_all, BRC_BAD_PORT),
    FAULT(group_mod, GMFC_UNKNOWN_GROUP),
    FAULT(meter_config, MMFC_UNKNOWN_METER),
    FAULT(queue_stats_port, QOFC_BAD_PORT),
    FAULT(queue_stats_queue, QOFC_BAD_QUEUE),
    FAULT(table_features, TFFC_EPERM),
};

/* OpenFlow 1.3.5, 7.5.4: the error's data are "at least 64 bytes of the failed request", and its xid is the request's. */
START_TEST(each_fault_has_its_error)
{
    struct sim s;
    struct peer p;
    struct buf b = BUF_INIT, copy = BUF_INIT;
    struct rd body;
    struct ofp_error_msg em;
    sim_init(&s);
    peer_connect(&p, &s, OFCONN_CONTROLLER);
    faults[_i].make(&b);
    ck_assert_uint_ge(b.len, 8);
    buf_set_u32(&b, 4, 0xabcd);
    buf_put(&copy, b.data, b.len);
    peer_send(&p, &b);
    peer_expect(&p, OFPMSG_ERROR, &body);
    ck_assert_int_eq(error_msg_decode(OFP13, body, &em), OFPERR_OK);
    ck_assert_msg(em.error == faults[_i].error, "%s: got %s, not %s", faults[_i].name, ofp_error_name(em.error),
                  ofp_error_name(faults[_i].error));
    ck_assert_uint_eq(p.h.xid, 0xabcd);
    ck_assert_uint_ge(em.data_len, MIN(copy.len, (size_t)64));
    ck_assert_mem_eq(em.data, copy.data, MIN(copy.len, em.data_len));
    buf_free(&copy);
    ck_assert_uint_eq(peer_flows(&p, NULL, 0), 0); /* the session goes on, and nothing was installed */
    peer_expect_nothing(&p);
    ck_assert(!p.hung_up);
    peer_close(&p);
    sim_destroy(&s);
}
END_TEST

/* An error must never be answered by an error. */
START_TEST(errors_are_not_answered)
{
    struct sim s;
    struct peer p;
    struct buf b = BUF_INIT;
    sim_init(&s);
    peer_connect(&p, &s, OFCONN_CONTROLLER);
    put_header(&b, 4, 1, 8, 1); /* cut short */
    put_header(&b, 1, 1, 12, 1);
    buf_u32(&b, 0);
    put_header(&b, 4, 1, 12, 1);
    buf_u32(&b, 0x00010001);
    peer_send(&p, &b);
    peer_expect_nothing(&p);
    peer_close(&p);
    sim_destroy(&s);
}
END_TEST

/* --- Roles and probes --- */

static enum ofp_error ask_role(struct peer *p, uint32_t role, uint64_t id, struct ofp_role_request *answer)
{
    struct buf b = BUF_INIT;
    struct rd body;
    struct ofp_role_request r = {role, id};
    struct ofp_error_msg em;
    role_encode(&r, OFPMSG_ROLE_REQUEST, OFP13, 4, &b);
    peer_send(p, &b);
    enum ofp_msg_type type = peer_next(p, &body);
    if (type == OFPMSG_ERROR) {
        error_msg_decode(OFP13, body, &em);
        return em.error;
    }
    ck_assert_int_eq(type, OFPMSG_ROLE_REPLY);
    ck_assert_int_eq(role_decode(OFP13, body, answer), OFPERR_OK);
    return OFPERR_OK;
}

START_TEST(there_is_one_master)
{
    struct sim s;
    struct peer a, b;
    struct ofp_role_request r;
    sim_init(&s);
    peer_connect(&a, &s, OFCONN_CONTROLLER);
    peer_connect(&b, &s, OFCONN_CONTROLLER);
    ck_assert_int_eq(ask_role(&a, OFPCR_NOCHANGE, 0, &r), OFPERR_OK);
    ck_assert_uint_eq(r.role, OFPCR_EQUAL);
    ck_assert_uint_eq(r.generation_id, UINT64_MAX); /* none was given yet */
    ck_assert_int_eq(ask_role(&a, OFPCR_MASTER, 10, &r), OFPERR_OK);
    ck_assert_uint_eq(r.role, OFPCR_MASTER);
    ck_assert_int_eq(ask_role(&b, OFPCR_MASTER, 9, &r), OFPERR_RRFC_STALE);
    ck_assert_int_eq(ask_role(&b, OFPCR_MASTER, 11, &r), OFPERR_OK);
    ck_assert_uint_eq(r.generation_id, 11);
    ck_assert_int_eq(ask_role(&a, OFPCR_NOCHANGE, 0, &r), OFPERR_OK);
    ck_assert_uint_eq(r.role, OFPCR_SLAVE);
    peer_add(&a, 0, 1, 1, 2);
    peer_expect_error(&a, OFPERR_BRC_IS_SLAVE);
    peer_add(&b, 0, 1, 1, 2);
    peer_barrier(&b);
    ck_assert_uint_eq(peer_flows(&a, NULL, 0), 1); /* slaves may read */
    struct ofconn_status st;
    ofconn_get_status(a.c, &st);
    ck_assert_str_eq(st.role, "slave");
    peer_close(&a);
    peer_close(&b);
    sim_destroy(&s);
}
END_TEST

START_TEST(a_silent_peer_is_probed_then_left)
{
    struct sim s;
    struct peer p;
    sim_init(&s);
    peer_open(&p, &s, OFCONN_CONTROLLER, 5000);
    peer_hello(&p);
    sim_pass(&s, 4750);
    peer_expect_nothing(&p);
    ck_assert_int_eq(ofproto_wake_at(s.o), SIM_START + 5000);
    sim_pass(&s, 250);
    peer_expect(&p, OFPMSG_ECHO_REQUEST, NULL);
    struct buf b = BUF_INIT;
    ofp_echo_encode(true, OFP13, p.h.xid, NULL, 0, &b);
    peer_send(&p, &b);
    sim_pass(&s, 5000);
    peer_expect(&p, OFPMSG_ECHO_REQUEST, NULL);
    sim_pass(&s, 4750);
    ck_assert(!p.hung_up);
    sim_pass(&s, 250);
    ck_assert(p.hung_up);
    peer_close(&p);
    sim_destroy(&s);
}
END_TEST

/* --- Slow readers --- */

START_TEST(requests_wait_while_answers_are_not_read)
{
    struct sim s;
    struct peer p;
    sim_init(&s);
    peer_connect(&p, &s, OFCONN_SERVICE);
    p.backlog = 64 << 20;
    for (int i = 0; i < 10; i++)
        peer_ask(&p, OFPMSG_BARRIER_REQUEST);
    peer_expect_nothing(&p);
    p.backlog = 0;
    sim_pass(&s, 250);
    for (int i = 0; i < 10; i++)
        peer_expect(&p, OFPMSG_BARRIER_REPLY, NULL);
    p.backlog = 64 << 20;
    for (int i = 0; i < 10000 && !p.hung_up; i++) {
        static const uint8_t payload[4000];
        struct buf b = BUF_INIT;
        ofp_echo_encode(false, OFP13, 1, payload, sizeof payload, &b);
        peer_send(&p, &b);
    }
    ck_assert(p.hung_up);
    peer_close(&p);
    sim_destroy(&s);
}
END_TEST

/* --- Answers --- */

START_TEST(describes_itself)
{
    struct sim s;
    struct peer p;
    struct rd body;
    struct ofp_desc d;
    struct ofp_switch_config c = {OFPC_FRAG_DROP, 77};
    struct buf b = BUF_INIT;
    sim_init(&s);
    peer_connect(&p, &s, OFCONN_CONTROLLER);
    peer_ask(&p, OFPMSG_DESC_REQUEST);
    peer_expect(&p, OFPMSG_DESC_REPLY, &body);
    ck_assert_int_eq(desc_decode(OFP13, body, &d), OFPERR_OK);
    ck_assert_str_eq(d.manufacturer, "xvs");
    peer_ask(&p, OFPMSG_GET_CONFIG_REQUEST);
    peer_expect(&p, OFPMSG_GET_CONFIG_REPLY, &body);
    switch_config_encode(&c, OFPMSG_SET_CONFIG, OFP13, 1, &b);
    ck_assert_uint_eq(rd_u16(&body), 0);
    ck_assert_uint_eq(rd_u16(&body), 128);
    peer_send(&p, &b);
    peer_ask(&p, OFPMSG_GET_CONFIG_REQUEST);
    peer_expect(&p, OFPMSG_GET_CONFIG_REPLY, &body);
    ck_assert_int_eq(switch_config_decode(OFP13, body, &c), OFPERR_OK);
    ck_assert_uint_eq(c.flags, OFPC_FRAG_DROP);
    ck_assert_uint_eq(c.miss_send_len, 77);
    peer_ask(&p, OFPMSG_GROUP_DESC_REQUEST);
    peer_expect(&p, OFPMSG_GROUP_DESC_REPLY, &body);
    ck_assert_uint_eq(rd_left(&body), 0);
    peer_ask(&p, OFPMSG_METER_FEATURES_REQUEST);
    peer_expect(&p, OFPMSG_METER_FEATURES_REPLY, NULL);
    peer_ask(&p, OFPMSG_GROUP_FEATURES_REQUEST);
    peer_expect(&p, OFPMSG_GROUP_FEATURES_REPLY, NULL);
    peer_ask(&p, OFPMSG_TABLE_STATS_REQUEST);
    peer_expect(&p, OFPMSG_TABLE_STATS_REPLY, &body);
    ck_assert_uint_eq(rd_left(&body), 254 * 24);
    peer_close(&p);
    sim_destroy(&s);
}
END_TEST

START_TEST(table_features_come_in_parts)
{
    struct sim s;
    struct peer p;
    struct rd body;
    bool more = true;
    unsigned n = 0;
    sim_init(&s);
    peer_connect(&p, &s, OFCONN_SERVICE);
    peer_ask(&p, OFPMSG_TABLE_FEATURES_REQUEST);
    while (more) {
        enum ofp_msg_type type;
        peer_expect(&p, OFPMSG_TABLE_FEATURES_REPLY, &body);
        ofp_msg_decode_type(p.msg, p.h.len, NULL, &type, NULL, &more);
        while (rd_left(&body)) {
            struct ofp_table_features f;
            ck_assert_int_eq(table_features_decode(OFP13, &body, &f), OFPERR_OK);
            ck_assert_uint_eq(f.table, n++);
        }
    }
    ck_assert_uint_eq(n, N_TABLES);
    peer_expect_nothing(&p);
    peer_close(&p);
    sim_destroy(&s);
}
END_TEST

static void add(Suite *suite)
{
    TCase *t = tcase_create("session");
    const TTest *tests[] = {the_bitmap_wins_over_the_header, the_highest_version_of_both_is_spoken, bytes_may_come_one_by_one, the_first_message_must_be_hello,
                            a_length_below_the_header_ends_it, errors_are_not_answered, there_is_one_master,
                            a_silent_peer_is_probed_then_left, requests_wait_while_answers_are_not_read, describes_itself,
                            table_features_come_in_parts};
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
        tcase_add_test(t, tests[i]);
    tcase_add_loop_test(t, each_fault_has_its_error, 0, ARRAY_SIZE(faults));
    suite_add_tcase(suite, t);
}

UNIT_TEST_MAIN_WITH("session", add)
