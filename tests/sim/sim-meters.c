/* Meters through a whole bridge: OpenFlow 1.3.5, 5.7, 6.7, 7.3.4.4, 7.3.5.12 to 14, with a clock of our own. */
#include "openflow/meter.h"
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

static void meter_mod(uint16_t command, uint32_t id, uint16_t flags, size_t n, struct ofp_meter_band *bands)
{
    struct ofp_meter_mod mm = {command, {id, flags, n, bands}};
    struct buf b = BUF_INIT;
    meter_mod_encode(&mm, OFP13, 1, &b);
    peer_send(&p, &b);
}

/* A band that drops what comes faster than this. */
static void add(uint32_t id, uint32_t pktps)
{
    struct ofp_meter_band band = {OFPMBT_DROP, 0, pktps, 1};
    meter_mod(OFPMC_ADD, id, OFPMF_PKTPS | OFPMF_BURST, 1, &band);
    peer_expect_nothing(&p);
}

static void add_metered_flow(uint16_t priority, uint32_t in_port, uint32_t meter, uint32_t out)
{
    struct flow_mod fm = sim_flow(OFPFC_ADD, 0, priority, in_port, 0);
    struct act_number *m = act_append(&fm.acts, INST_METER, sizeof *m);
    m->a.n = meter;
    if (out)
        sim_output(&fm.acts, out);
    fm.flags = OFPFF_SEND_FLOW_REM;
    peer_flow_mod(&p, &fm);
}

static void ask(enum ofp_msg_type type, uint32_t id)
{
    struct buf b = BUF_INIT;
    meter_request_encode(type, id, OFP13, 1, &b);
    peer_send(&p, &b);
}

static struct ofp_meter_stats stats_of(uint32_t id, struct ofp_meter_band_stats bands[16])
{
    struct rd body;
    struct ofp_meter_stats st;
    ask(OFPMSG_METER_STATS_REQUEST, id);
    peer_expect(&p, OFPMSG_METER_STATS_REPLY, &body);
    ck_assert_int_eq(meter_stats_decode(OFP13, &body, &st), OFPERR_OK);
    ck_assert_uint_eq(rd_left(&body), 0);
    ck_assert_uint_eq(st.id, id);
    if (bands && st.n_bands)
        memcpy(bands, st.bands, st.n_bands * sizeof *bands);
    size_t n = st.n_bands;
    meter_stats_free(&st);
    st.n_bands = n;
    return st;
}

START_TEST(reads_back_as_it_was_sent)
{
    struct ofp_meter_band bands[] = {{OFPMBT_DSCP_REMARK, 2, 7, 0}, {OFPMBT_DROP, 0, UINT32_MAX, UINT32_MAX}, {OFPMBT_DROP, 0, 1, 5}};
    static const uint16_t flags[] = {0, OFPMF_KBPS, OFPMF_PKTPS, OFPMF_BURST, OFPMF_KBPS | OFPMF_BURST | OFPMF_STATS, OFPMF_STATS};
    begin();
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        uint32_t id = i ? (uint32_t)i : OFPM_CONTROLLER;
        struct ofp_meter want = {id, flags[i], i % 4, bands}, got;
        struct rd body;
        meter_mod(OFPMC_ADD, id, flags[i], i % 4, bands);
        peer_expect_nothing(&p);
        ask(OFPMSG_METER_CONFIG_REQUEST, id);
        peer_expect(&p, OFPMSG_METER_CONFIG_REPLY, &body);
        ck_assert_int_eq(meter_config_decode(OFP13, &body, &got), OFPERR_OK);
        ck_assert(ofp_meter_equal(&want, &got) && !rd_left(&body));
        ofp_meter_free(&got);
    }
    struct rd body;
    unsigned n = 0;
    ask(OFPMSG_METER_CONFIG_REQUEST, OFPM_ALL);
    peer_expect(&p, OFPMSG_METER_CONFIG_REPLY, &body);
    for (struct ofp_meter m; rd_left(&body); n++) {
        ck_assert(!meter_config_decode(OFP13, &body, &m));
        ofp_meter_free(&m);
    }
    ck_assert_uint_eq(n, ARRAY_SIZE(flags));
    end();
}
END_TEST

START_TEST(every_fault_has_its_error)
{
    struct ofp_meter_band one = {OFPMBT_DROP, 0, 1, 0}, many[17];
    begin();
    add(1, 100);
    for (size_t i = 0; i < ARRAY_SIZE(many); i++)
        many[i] = one;
    const struct {
        uint16_t command, flags;
        uint32_t id;
        size_t n;
        struct ofp_meter_band band;
        enum ofp_error e;
    } cases[] = {
        {OFPMC_ADD, 1, 1, 1, one, OFPERR_MMFC_METER_EXISTS},
        {OFPMC_ADD, 1, 0, 1, one, OFPERR_MMFC_INVALID_METER},
        {OFPMC_ADD, 1, OFPM_MAX + 1u, 1, one, OFPERR_MMFC_INVALID_METER},
        {OFPMC_ADD, 1, OFPM_ALL, 1, one, OFPERR_MMFC_INVALID_METER},
        {OFPMC_MODIFY, 1, 2, 1, one, OFPERR_MMFC_UNKNOWN_METER},
        {OFPMC_MODIFY, 1, 0, 1, one, OFPERR_MMFC_INVALID_METER},
        {3, 1, 2, 1, one, OFPERR_MMFC_BAD_COMMAND},
        {OFPMC_ADD, 3, 2, 1, one, OFPERR_MMFC_BAD_FLAGS},
        {OFPMC_ADD, 16, 2, 1, one, OFPERR_MMFC_BAD_FLAGS},
        {OFPMC_MODIFY, 3, 1, 1, one, OFPERR_MMFC_BAD_FLAGS},
        {OFPMC_ADD, 1, 2, 1, {OFPMBT_DROP, 0, 0, 0}, OFPERR_MMFC_BAD_RATE},
        {OFPMC_ADD, 1, 2, 1, {3, 0, 1, 0}, OFPERR_MMFC_BAD_BAND},
        {OFPMC_ADD, 1, 2, 1, {OFPMBT_EXPERIMENTER, 0, 1, 0}, OFPERR_MMFC_BAD_BAND},
        {OFPMC_ADD, 1, 2, 1, {OFPMBT_DSCP_REMARK, 0, 1, 0}, OFPERR_MMFC_BAD_BAND_DETAIL},
        {OFPMC_ADD, 1, 2, 1, {OFPMBT_DSCP_REMARK, 3, 1, 0}, OFPERR_MMFC_BAD_BAND_DETAIL},
        {OFPMC_ADD, 1, 2, 17, one, OFPERR_MMFC_OUT_OF_BANDS},
        {OFPMC_DELETE, 0, 0, 0, one, OFPERR_MMFC_INVALID_METER},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        many[0] = cases[i].band;
        meter_mod(cases[i].command, cases[i].id, cases[i].flags, cases[i].n, many);
        peer_expect_error(&p, cases[i].e);
    }
    ask(OFPMSG_METER_CONFIG_REQUEST, 2);
    peer_expect_error(&p, OFPERR_MMFC_UNKNOWN_METER);
    ask(OFPMSG_METER_STATS_REQUEST, 2);
    peer_expect_error(&p, OFPERR_MMFC_UNKNOWN_METER);
    meter_mod(OFPMC_DELETE, 77, 0, 0, NULL); /* what is not there is deleted already */
    peer_expect_nothing(&p);
    ck_assert_uint_eq(stats_of(1, NULL).n_bands, 1); /* refused changes have changed nothing */
    many[0] = one;
    meter_mod(OFPMC_ADD, 5, 1, 16, many);
    peer_expect_nothing(&p);
    end();
}
END_TEST

START_TEST(out_of_meters)
{
    enum { MOST = 1 << 16 };
    struct rd body;
    struct ofp_meter_features f;
    begin();
    peer_ask(&p, OFPMSG_METER_FEATURES_REQUEST);
    peer_expect(&p, OFPMSG_METER_FEATURES_REPLY, &body);
    ck_assert(!meter_features_decode(OFP13, body, &f));
    ck_assert_uint_eq(f.max_meters, MOST);
    ck_assert_uint_eq(f.capabilities, OFPMF_KBPS | OFPMF_PKTPS | OFPMF_BURST | OFPMF_STATS);
    ck_assert_uint_eq(f.band_types, 1 << OFPMBT_DROP | 1 << OFPMBT_DSCP_REMARK);
    ck_assert_uint_eq(f.max_bands, 16);
    for (uint32_t i = 1; i <= MOST; i++)
        meter_mod(OFPMC_ADD, i, OFPMF_KBPS, 0, NULL);
    peer_expect_nothing(&p);
    meter_mod(OFPMC_ADD, MOST + 1, OFPMF_KBPS, 0, NULL);
    peer_expect_error(&p, OFPERR_MMFC_OUT_OF_METERS);
    meter_mod(OFPMC_DELETE, OFPM_ALL, 0, 0, NULL);
    meter_mod(OFPMC_ADD, MOST + 1, OFPMF_KBPS, 0, NULL);
    peer_expect_nothing(&p);
    end();
}
END_TEST

START_TEST(flows_need_their_meter)
{
    struct rd body;
    struct flow_removed fr;
    begin();
    add_metered_flow(1, 1, 9, 2);
    peer_expect_error(&p, OFPERR_MMFC_UNKNOWN_METER);
    add(9, 1000);
    add(10, 1000);
    add_metered_flow(1, 1, 9, 2);
    add_metered_flow(2, 2, 9, 2);
    add_metered_flow(3, 3, 10, 2);
    peer_barrier(&p);
    ck_assert_uint_eq(stats_of(9, NULL).flow_count, 2);
    ck_assert_uint_eq(stats_of(10, NULL).flow_count, 1);
    sim_receive(&s, 1, 1, 2);
    ck_assert_uint_eq(s.n_sent[2], 1);
    meter_mod(OFPMC_DELETE, 9, 0, 0, NULL); /* its flows go with it, and are told of */
    sim_run(&s);
    for (unsigned i = 0; i < 2; i++) {
        peer_expect(&p, OFPMSG_FLOW_REMOVED, &body);
        ck_assert(!flow_removed_decode(OFP13, body, &fr));
        ck_assert_uint_eq(fr.reason, OFPRR_DELETE);
        ck_assert_uint_eq(fr.packets, fr.priority == 1);
    }
    peer_expect_nothing(&p);
    ck_assert_uint_eq(peer_flows(&p, NULL, 0), 1);
    sim_receive(&s, 1, 1, 2);
    ck_assert_uint_eq(s.n_sent[2], 1);
    meter_mod(OFPMC_DELETE, OFPM_ALL, 0, 0, NULL);
    sim_run(&s);
    peer_expect(&p, OFPMSG_FLOW_REMOVED, NULL);
    ck_assert_uint_eq(peer_flows(&p, NULL, 0), 0);
    end();
}
END_TEST

START_TEST(packets_are_measured)
{
    struct ofp_meter_band bands[] = {{OFPMBT_DROP, 0, 100, 10}, {OFPMBT_DSCP_REMARK, 1, 50, 10}};
    struct ofp_meter_band_stats st[16];
    begin();
    meter_mod(OFPMC_ADD, 4, OFPMF_PKTPS | OFPMF_BURST | OFPMF_STATS, 2, bands);
    add_metered_flow(1, 1, 4, 2);
    for (unsigned i = 0; i < 20000; i++) { /* 20 s of 1000 a second */
        sim_receive(&s, 1, 1, 2);
        clock_advance(1);
    }
    struct ofp_meter_stats all = stats_of(4, st);
    ck_assert_uint_eq(all.packets, 20000);
    ck_assert_uint_eq(all.bytes, 20000 * 60);
    ck_assert_uint_eq(all.duration_sec, 20);
    ck_assert_uint_eq(all.n_bands, 2);
    ck_assert_uint_eq(st[0].packets, 20000 - s.n_sent[2]);
    ck_assert_uint_eq(st[0].bytes, st[0].packets * 60);
    ck_assert_uint_ge(s.n_sent[2], 1990);
    ck_assert_uint_le(s.n_sent[2], 2030);
    ck_assert_uint_ge(st[1].packets, 980);
    ck_assert_uint_le(st[1].packets, 1020);
    /* Modified: what came in goes on, bands begin anew. */
    meter_mod(OFPMC_MODIFY, 4, OFPMF_PKTPS, 1, &(struct ofp_meter_band){OFPMBT_DROP, 0, 1000000, 0});
    unsigned before = s.n_sent[2];
    for (unsigned i = 0; i < 50; i++)
        sim_receive(&s, 1, 1, 2);
    ck_assert_uint_eq(s.n_sent[2], before + 50);
    all = stats_of(4, st);
    ck_assert(all.packets == 20050 && all.n_bands == 1 && st[0].packets == 0);
    end();
}
END_TEST

/* A flow that drops anyhow still gives its packets to its meter; a meter in a later table measures too. */
START_TEST(wherever_it_stands)
{
    begin();
    add(1, 1000);
    add(2, 1000);
    struct flow_mod fm = sim_flow(OFPFC_ADD, 0, 1, 1, 0);
    ((struct act_number *)act_append(&fm.acts, INST_METER, sizeof(struct act_number)))->a.n = 1;
    ((struct act_number *)act_append(&fm.acts, INST_GOTO_TABLE, sizeof(struct act_number)))->a.n = 5;
    peer_flow_mod(&p, &fm);
    fm = sim_flow(OFPFC_ADD, 5, 1, 0, 0);
    ((struct act_number *)act_append(&fm.acts, INST_METER, sizeof(struct act_number)))->a.n = 2;
    peer_flow_mod(&p, &fm);
    peer_expect_nothing(&p);
    for (unsigned i = 0; i < 10; i++, clock_advance(10))
        sim_receive(&s, 1, 1, 2);
    ck_assert_uint_eq(stats_of(1, NULL).packets, 10);
    ck_assert_uint_eq(stats_of(2, NULL).packets, 10);
    end();
}
END_TEST

START_TEST(packet_ins_are_measured)
{
    static const uint32_t ids[] = {OFPM_CONTROLLER, OFPM_SLOWPATH};
    for (unsigned i = 0; i < ARRAY_SIZE(ids); i++) {
        struct rd body;
        unsigned n = 0;
        begin();
        struct flow_mod fm = sim_flow(OFPFC_ADD, 0, 1, 1, OFPP_CONTROLLER);
        sim_output(&fm.acts, 2);
        peer_flow_mod(&p, &fm);
        sim_receive(&s, 1, 1, 2);
        peer_expect(&p, OFPMSG_PACKET_IN, NULL);
        add(ids[i], 10);
        for (unsigned t = 0; t < 10000; t++, clock_advance(1))
            sim_receive(&s, 1, 1, 2);
        while (peer_next(&p, &body) == OFPMSG_PACKET_IN)
            n++;
        ck_assert_uint_ge(n, 99); /* ten seconds, ten a second */
        ck_assert_uint_le(n, 103);
        ck_assert_uint_eq(s.n_sent[2], 10001); /* the packet itself goes on */
        ck_assert_uint_eq(stats_of(ids[i], NULL).packets, 10000);
        ck_assert_uint_eq(stats_of(ids[i], NULL).flow_count, 0);
        meter_mod(OFPMC_DELETE, ids[i], 0, 0, NULL);
        for (unsigned t = 0; t < 20; t++)
            sim_receive(&s, 1, 1, 2);
        for (unsigned t = 0; t < 20; t++)
            peer_expect(&p, OFPMSG_PACKET_IN, NULL);
        peer_expect_nothing(&p);
        end();
    }
}
END_TEST

UNIT_TEST_MAIN("meters", reads_back_as_it_was_sent, every_fault_has_its_error, out_of_meters, flows_need_their_meter,
               packets_are_measured, wherever_it_stands, packet_ins_are_measured)
