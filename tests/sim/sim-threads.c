/* Flow changes while a worker thread forwards as fast as it can: what is counted, told and promised is exact. */
#include <stdio.h>
#include <unistd.h>
#include "openflow/bundle.h"
#include "openflow/group.h"
#include "tests/sim/sim.h"

enum { FRAMES = 8, ROUNDS = 200 };

static struct sim s;
static struct peer p;
static uint64_t removed; /* packets that flow-removed messages told of */

/* A capture file of UDP packets to 10.0.0.0 … 7. */
static void write_capture(const char *file)
{
    static const uint32_t header[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1};
    FILE *f = fopen(file, "wb");
    ck_assert_ptr_nonnull(f);
    fwrite(header, sizeof header, 1, f);
    for (uint8_t i = 0; i < FRAMES; i++) {
        uint32_t record[4] = {0, 0, 60, 60};
        uint8_t frame[60] = {2, 0, 0, 0, 0, i, 2, 0, 0, 0, 0, 9, 8, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 9,
                             10, 0, 0, i, 0x12, 0x34, 0x56, 0x78, 0, 26, 0, 0};
        fwrite(record, sizeof record, 1, f);
        fwrite(frame, sizeof frame, 1, f);
    }
    ck_assert_int_eq(fclose(f), 0);
}

static struct ofport *add_port(const char *name, const char *type, const struct dp_option *options, size_t n)
{
    struct diag d = DIAG_INIT;
    struct dp_port_config c = {.name = name, .type = type, .options = options, .n_options = n};
    struct ofport *port = ofproto_port_add(s.o, &c, 0, &d);
    ck_assert_msg(port != NULL, "%s: %s", name, buf_text(&d.message));
    diag_free(&d);
    return port;
}

static void begin(void)
{
    static const char file[] = "sim-threads.pcap";
    const struct dp_option options[] = {{"file", file}, {"loop", "true"}};
    struct ofproto_config config = {.fail_mode = FAIL_SECURE};
    struct dp_config dc = {.workers = 1, .no_netlink = true};
    memset(&s, 0, sizeof s);
    write_capture(file);
    s.dp = dp_create(&dc, &ofproto_dp_callbacks);
    s.o = ofproto_create(s.dp, "br0");
    ofproto_configure(s.o, &config);
    peer_connect(&p, &s, OFCONN_CONTROLLER);
    s.port[1] = add_port("p1", "pcap", options, 2);
    s.port[2] = add_port("p2", "null", NULL, 0);
    unlink(file);
}

static void end(void)
{
    peer_close(&p);
    sim_destroy(&s);
}

/* Everything up to the barrier's reply. */
static void barrier(void)
{
    struct rd body;
    enum ofp_msg_type type;
    peer_ask(&p, OFPMSG_BARRIER_REQUEST);
    while ((type = peer_next(&p, &body)) != OFPMSG_BARRIER_REPLY) {
        struct flow_removed fr;
        if (type == OFPMSG_PORT_STATUS)
            continue;
        ck_assert_int_eq(type, OFPMSG_FLOW_REMOVED);
        ck_assert_int_eq(flow_removed_decode(OFP13, body, &fr), OFPERR_OK);
        removed += fr.packets;
    }
}

static uint64_t sent(void)
{
    struct dp_port_stats st;
    dp_port_get_stats(ofport_dp(s.port[2]), &st);
    return st.tx_packets;
}

static void random_change(uint64_t *rng)
{
    struct flow_mod fm = sim_flow(unit_below(rng, 5), 0, unit_below(rng, 2), 0, 2);
    fm.flags = OFPFF_SEND_FLOW_REM;
    if (unit_below(rng, 4)) {
        sim_match(&fm.match, FIELD_ETH_TYPE, 0x0800);
        sim_match(&fm.match, FIELD_IPV4_DST, 0x0a000000 + unit_below(rng, FRAMES));
    }
    peer_flow_mod(&p, &fm);
}

static void port_config(uint32_t config)
{
    struct ofp_port_mod m = {.port = ofport_number(s.port[1]), .config = config, .mask = OFPPC_NO_RECV};
    struct buf b = BUF_INIT;
    memcpy(m.mac, s.port[1]->desc.mac, sizeof m.mac);
    port_mod_encode(&m, OFP13, 1, &b);
    peer_send(&p, &b);
    barrier();
}

START_TEST(counters_are_exact_under_load)
{
    static struct flow_stats fs[64];
    uint64_t rng = unit_seed(), live[2], matched[2];
    begin();
    for (int i = 0; i < ROUNDS; i++) {
        for (unsigned n = unit_below(&rng, 6); n > 0; n--)
            random_change(&rng);
        if (unit_below(&rng, 2))
            barrier();
        sim_run(&s);
        usleep(unit_below(&rng, 2000));
    }
    port_config(OFPPC_NO_RECV); /* traffic stops */
    for (int i = 0; i < 2; i++) {
        struct rd body;
        struct ofp_table_stats ts;
        size_t n = peer_flows(&p, fs, ARRAY_SIZE(fs));
        live[i] = 0;
        for (size_t j = 0; j < n; j++)
            live[i] += fs[j].packets;
        peer_ask(&p, OFPMSG_TABLE_STATS_REQUEST);
        peer_expect(&p, OFPMSG_TABLE_STATS_REPLY, &body);
        ck_assert_int_eq(table_stats_decode(OFP13, &body, &ts), OFPERR_OK);
        matched[i] = ts.matched;
        usleep(5000);
    }
    ck_assert_uint_gt(matched[0], 0);
    ck_assert_uint_eq(matched[0], matched[1]);
    ck_assert_uint_eq(live[0], live[1]);
    ck_assert_uint_eq(removed + live[0], matched[0]);
    end();
}
END_TEST

/* No packet that comes after the reply meets the old rules. */
START_TEST(a_barrier_means_it_under_load)
{
    begin();
    for (int i = 0; i < 100; i++) {
        uint64_t before = sent();
        peer_add(&p, 0, 1, 0, 2);
        barrier();
        for (int wait = 0; sent() == before && wait < 1000; wait++)
            usleep(1000);
        ck_assert_uint_gt(sent(), before);
        struct flow_mod fm = sim_flow(OFPFC_DELETE, OFPTT_ALL, 0, 0, 0);
        peer_flow_mod(&p, &fm);
        barrier();
        before = sent();
        usleep(500);
        ck_assert_uint_eq(sent(), before);
    }
    end();
}
END_TEST

static void run_for(msec_t msec)
{
    for (msec_t until = clock_msec() + msec; clock_msec() < until; usleep(10000))
        sim_run(&s);
}

/* As long as packets come; and what it tells at its end are all of them. */
START_TEST(a_busy_flow_does_not_time_out)
{
    struct flow_mod fm = sim_flow(OFPFC_ADD, 0, 1, 0, 2);
    begin();
    fm.idle_timeout = 1;
    fm.flags = OFPFF_SEND_FLOW_REM;
    peer_flow_mod(&p, &fm);
    run_for(1600);
    uint64_t before = sent();
    ck_assert_uint_eq(removed, 0);
    run_for(100);
    ck_assert_uint_gt(sent(), before);
    port_config(OFPPC_NO_RECV);
    before = sent();
    run_for(700);
    barrier();
    ck_assert_uint_eq(removed, 0);
    run_for(800);
    barrier();
    ck_assert_uint_eq(sent(), before);
    ck_assert_uint_eq(removed, before);
    end();
}
END_TEST

static void group_mod(uint16_t command, const char *text)
{
    struct group_mod gm;
    struct buf b = BUF_INIT;
    ck_assert(group_mod_parse(text, command, NULL, &gm, NULL));
    group_mod_encode(&gm, OFP13, 1, &b);
    group_desc_free(&gm.group);
    peer_send(&p, &b);
}

static void flow_to_group(uint32_t id)
{
    struct flow_mod fm = sim_flow(OFPFC_ADD, 0, 1, 0, 0);
    struct act_number *a = act_append(&fm.acts, ACT_GROUP, sizeof *a);
    a->a.n = id;
    fm.flags = OFPFF_SEND_FLOW_REM;
    peer_flow_mod(&p, &fm);
}

/* Groups come, change and go under load: the sums of flows and groups agree, and memory that workers count in stays as long
 * as they do (the sanitizers watch). */
START_TEST(groups_change_under_load)
{
    static const char *const forms[] = {"group_id=1,type=all,bucket=output:2,bucket=group:2", "group_id=1,type=indirect,bucket=group:2",
                                        "group_id=1,type=select,bucket=output:2,bucket=weight:3,group:2",
                                        "group_id=1,type=ff,bucket=watch_port:1,group:2,bucket=watch_port:2,output:2"};
    uint64_t rng = unit_seed(), told = 0;
    begin();
    group_mod(OFPGC_ADD, "group_id=2,type=all,bucket=output:2");
    for (int i = 0; i < ROUNDS; i++) {
        group_mod(OFPGC_ADD, forms[unit_below(&rng, ARRAY_SIZE(forms))]);
        flow_to_group(1);
        for (unsigned n = unit_below(&rng, 4); n > 0; n--) {
            usleep(unit_below(&rng, 500));
            group_mod(OFPGC_MODIFY, forms[unit_below(&rng, ARRAY_SIZE(forms))]);
            if (unit_below(&rng, 2))
                barrier();
        }
        if (i == ROUNDS - 1)
            break;
        group_mod(OFPGC_DELETE, "group_id=1");
        if (unit_below(&rng, 2))
            sim_run(&s);
    }
    port_config(OFPPC_NO_RECV);
    static struct flow_stats fs[2];
    ck_assert_uint_eq(peer_flows(&p, fs, ARRAY_SIZE(fs)), 1);
    struct buf b = BUF_INIT;
    struct rd body;
    struct group_stats gs;
    group_stats_request_encode(1, OFP13, 1, &b);
    peer_send(&p, &b);
    peer_expect(&p, OFPMSG_GROUP_STATS_REPLY, &body);
    ck_assert_int_eq(group_stats_decode(OFP13, &body, &gs), OFPERR_OK);
    ck_assert_uint_eq(gs.sum.packets, fs[0].packets);
    ck_assert_uint_eq(gs.sum.bytes, fs[0].bytes);
    ck_assert_uint_eq(gs.ref_count, 1);
    for (size_t i = 0; i < gs.n_buckets; i++)
        told += gs.buckets[i].packets;
    ck_assert_uint_le(gs.buckets[0].packets, gs.sum.packets);
    ck_assert_uint_le(told, gs.n_buckets * gs.sum.packets);
    free(gs.buckets);
    end();
}
END_TEST

static void bundle_ctrl(uint16_t type)
{
    struct buf b = BUF_INIT;
    struct rd body;
    bundle_ctrl_encode(&(struct bundle_ctrl){1, type, OFPBF_ATOMIC}, OFP13, 7, &b);
    peer_send(&p, &b);
    while (peer_next(&p, &body) != OFPMSG_BUNDLE_CONTROL)
        ;
}

static void bundle_add(struct flow_mod *fm)
{
    struct buf inner = BUF_INIT, b = BUF_INIT;
    flow_mod_encode(fm, OFP13, 9, &inner);
    bundle_add_encode(&(struct bundle_add){1, OFPBF_ATOMIC, inner.data, inner.len}, OFP13, &b);
    flow_mod_free(fm);
    buf_free(&inner);
    peer_send(&p, &b);
}

/* Table 0 writes the round's number, table 1 matches it; each round replaces both. A packet that met one round's table 0 and
 * another's table 1 would be counted by table 1's last flow. */
static void swap_tables(uint64_t n)
{
    bundle_ctrl(OFPBCT_OPEN_REQUEST);
    struct flow_mod fm = sim_flow(OFPFC_DELETE, 1, 0, 0, 0);
    fm.cookie = fm.cookie_mask = 1;
    bundle_add(&fm);
    fm = sim_flow(n ? OFPFC_MODIFY : OFPFC_ADD, 0, 5, 0, 0);
    struct act_metadata *m = act_append(&fm.acts, INST_WRITE_METADATA, sizeof *m);
    m->value = n;
    m->mask = UINT64_MAX;
    ((struct act *)act_append(&fm.acts, INST_GOTO_TABLE, sizeof(struct act_number)))->n = 1;
    bundle_add(&fm);
    fm = sim_flow(OFPFC_ADD, 1, 5, 0, 2);
    fm.cookie = 1;
    sim_match(&fm.match, FIELD_METADATA, n);
    bundle_add(&fm);
    bundle_ctrl(OFPBCT_COMMIT_REQUEST);
}

START_TEST(no_packet_sees_half_a_bundle)
{
    static struct flow_stats fs[8];
    begin();
    peer_add(&p, 1, 1, 0, 0);
    swap_tables(0);
    for (uint64_t n = 1; n <= 300; n++) {
        swap_tables(n);
        if (n % 8 == 0)
            sim_run(&s);
        usleep(200);
    }
    barrier();
    uint64_t before = sent();
    ck_assert_uint_gt(before, 0);
    size_t n = peer_flows(&p, fs, ARRAY_SIZE(fs));
    ck_assert_uint_eq(n, 3);
    for (size_t i = 0; i < n; i++)
        if (fs[i].table == 1 && fs[i].priority == 1)
            ck_assert_uint_eq(fs[i].packets, 0);
    end();
}
END_TEST

UNIT_TEST_MAIN("threads", no_packet_sees_half_a_bundle, groups_change_under_load, counters_are_exact_under_load, a_barrier_means_it_under_load, a_busy_flow_does_not_time_out)
