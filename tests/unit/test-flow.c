/* Messages about flows on the wire; flows as text. */
#include "flow-samples.h"

static void random_match(struct match *m, uint64_t *rng)
{
    memset(m, 0, sizeof *m);
    for (int i = unit_below(rng, 4); i > 0; i--) {
        int f = unit_below(rng, N_FIELDS);
        union field_value value, mask;
        random_value(f, true, rng, &value, &mask);
        if (!match_has(m, f) && match_prereq(m, f, NULL))
            match_set(m, f, &value, &mask);
    }
}

/* Something of a sample's actions, without regard to the match. */
static void random_acts(struct buf *list, uint64_t *rng)
{
    const char *text = act_samples[unit_below(rng, n_act_samples)].text;
    buf_clear(list);
    ck_assert(acts_parse(text, strlen(text), true, NULL, NULL, list, NULL));
}

static struct rd body_of(const struct buf *msg, enum ofp_msg_type want)
{
    struct ofp_header h;
    enum ofp_msg_type type;
    struct rd body;
    bool more;
    ck_assert_int_eq(ofp_msg_decode_type(msg->data, msg->len, &h, &type, &body, &more), OFPERR_OK);
    ck_assert_int_eq(type, want);
    ck_assert_uint_eq(h.len, msg->len);
    return body;
}

#define FOR_EACH_PREFIX(BODY, COPY, N)                     \
    for (size_t n_ = rd_left(&(BODY)), N = 0; N < n_; N++) \
        for (uint8_t *COPY = memcpy(malloc(N + 1), (BODY).p, N); COPY; free(COPY), COPY = NULL)

START_TEST(flow_mod_there_and_back)
{
    uint64_t rng = unit_seed();
    for (unsigned round = 0; round < 500; round++) {
        struct flow_mod fm = FLOW_MOD_INIT, back;
        struct buf msg = BUF_INIT;
        random_match(&fm.match, &rng);
        random_acts(&fm.acts, &rng);
        fm.command = unit_below(&rng, 5);
        fm.table = unit_below(&rng, 255);
        fm.priority = unit_random(&rng);
        fm.idle_timeout = unit_random(&rng);
        fm.hard_timeout = unit_random(&rng);
        fm.flags = unit_below(&rng, 32);
        fm.out_port = unit_random(&rng);
        fm.out_group = unit_random(&rng);
        fm.cookie = unit_random(&rng);
        fm.cookie_mask = unit_random(&rng);
        flow_mod_encode(&fm, OFP13, 9, &msg);
        struct rd body = body_of(&msg, OFPMSG_FLOW_MOD);
        enum ofp_error e = flow_mod_decode(OFP13, body, &back);
        ck_assert_msg(!e, "%s", ofp_error_name(e));
        ck_assert(match_equal(&fm.match, &back.match) &&
                  acts_equal(fm.acts.data, fm.acts.len, back.acts.data, back.acts.len));
        ck_assert(fm.command == back.command && fm.table == back.table && fm.priority == back.priority);
        ck_assert(fm.idle_timeout == back.idle_timeout && fm.hard_timeout == back.hard_timeout &&
                  fm.flags == back.flags);
        ck_assert(fm.out_port == back.out_port && fm.out_group == back.out_group && fm.buffer_id == back.buffer_id);
        ck_assert(fm.cookie == back.cookie && fm.cookie_mask == back.cookie_mask);
        flow_mod_free(&back);
        FOR_EACH_PREFIX(body, copy, n)
        {
            flow_mod_decode(OFP13, rd_init(copy, n), &back); /* a whole flow-mod may end between two instructions */
            flow_mod_free(&back);
        }
        flow_mod_free(&fm);
        buf_free(&msg);
    }
}
END_TEST

static void put_flow_mod(struct buf *b, uint8_t command, uint8_t table, uint16_t flags)
{
    struct flow_mod fm = FLOW_MOD_INIT;
    fm.command = command;
    fm.table = table;
    fm.flags = flags;
    flow_mod_encode(&fm, OFP13, 1, b);
}

START_TEST(flow_mod_faults)
{
    static const struct {
        uint8_t command, table;
        uint16_t flags;
        enum ofp_error want;
    } rows[] = {
        {OFPFC_ADD, 0, 0, OFPERR_OK},
        {OFPFC_DELETE, OFPTT_ALL, 0, OFPERR_OK},
        {OFPFC_DELETE_STRICT, OFPTT_ALL, 0, OFPERR_OK},
        {OFPFC_ADD, OFPTT_ALL, 0, OFPERR_FMFC_BAD_TABLE_ID},
        {OFPFC_MODIFY_STRICT, OFPTT_ALL, 0, OFPERR_FMFC_BAD_TABLE_ID},
        {5, 0, 0, OFPERR_FMFC_BAD_COMMAND},
        {OFPFC_ADD, 0, 32, OFPERR_FMFC_BAD_FLAGS},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct buf b = BUF_INIT;
        struct flow_mod fm;
        put_flow_mod(&b, rows[i].command, rows[i].table, rows[i].flags);
        ck_assert_int_eq(flow_mod_decode(OFP13, rd_init(b.data + 8, b.len - 8), &fm), rows[i].want);
        flow_mod_free(&fm);
        buf_free(&b);
    }
}
END_TEST

START_TEST(requests_there_and_back)
{
    uint64_t rng = unit_seed();
    for (unsigned round = 0; round < 300; round++) {
        struct flow_stats_request q = {.table = unit_random(&rng),
                                       .out_port = unit_random(&rng),
                                       .out_group = unit_random(&rng),
                                       .cookie = unit_random(&rng),
                                       .cookie_mask = unit_random(&rng)},
                                  back;
        struct buf msg = BUF_INIT;
        random_match(&q.match, &rng);
        flow_stats_request_encode(&q, round & 1, OFP13, 1, &msg);
        struct rd body = body_of(&msg, round & 1 ? OFPMSG_AGGREGATE_REQUEST : OFPMSG_FLOW_STATS_REQUEST);
        ck_assert_int_eq(flow_stats_request_decode(OFP13, body, &back), OFPERR_OK);
        ck_assert(q.table == back.table && q.out_port == back.out_port && q.out_group == back.out_group);
        ck_assert(q.cookie == back.cookie && q.cookie_mask == back.cookie_mask && match_equal(&q.match, &back.match));
        FOR_EACH_PREFIX(body, copy, n)
        ck_assert_int_ne(flow_stats_request_decode(OFP13, rd_init(copy, n), &back), OFPERR_OK);
        buf_free(&msg);
    }
    struct aggregate_stats a = {1, UINT64_MAX, 3}, b;
    struct buf msg = BUF_INIT;
    aggregate_stats_encode(&a, OFPMSG_AGGREGATE_REPLY, OFP13, 1, &msg);
    ck_assert_int_eq(aggregate_stats_decode(OFP13, body_of(&msg, OFPMSG_AGGREGATE_REPLY), &b), OFPERR_OK);
    ck_assert(a.packets == b.packets && a.bytes == b.bytes && a.flows == b.flows);
    buf_free(&msg);
}
END_TEST

START_TEST(removed_there_and_back)
{
    uint64_t rng = unit_seed();
    for (unsigned round = 0; round < 300; round++) {
        struct flow_removed fr = {.cookie = unit_random(&rng),
                                  .packets = unit_random(&rng),
                                  .bytes = unit_random(&rng),
                                  .priority = unit_random(&rng),
                                  .idle_timeout = unit_random(&rng),
                                  .hard_timeout = unit_random(&rng),
                                  .reason = unit_below(&rng, 4),
                                  .table = unit_random(&rng),
                                  .duration_sec = unit_random(&rng),
                                  .duration_nsec = unit_random(&rng)},
                            back;
        struct buf msg = BUF_INIT;
        random_match(&fr.match, &rng);
        flow_removed_encode(&fr, OFP13, &msg);
        struct rd body = body_of(&msg, OFPMSG_FLOW_REMOVED);
        ck_assert_int_eq(flow_removed_decode(OFP13, body, &back), OFPERR_OK);
        ck_assert(match_equal(&fr.match, &back.match));
        ck_assert(fr.cookie == back.cookie && fr.packets == back.packets && fr.bytes == back.bytes &&
                  fr.priority == back.priority);
        ck_assert(fr.idle_timeout == back.idle_timeout && fr.hard_timeout == back.hard_timeout &&
                  fr.reason == back.reason);
        ck_assert(fr.table == back.table && fr.duration_sec == back.duration_sec &&
                  fr.duration_nsec == back.duration_nsec);
        FOR_EACH_PREFIX(body, copy, n)
        ck_assert_int_ne(flow_removed_decode(OFP13, rd_init(copy, n), &back), OFPERR_OK);
        buf_free(&msg);
    }
}
END_TEST

/* Entries of a reply; each also printed, and read again as what add-flow takes. */
START_TEST(stats_there_and_back)
{
    enum { N = 200 };
    uint64_t rng = unit_seed();
    static struct flow_stats in[N];
    struct buf acts[N], msg = BUF_INIT, scratch = BUF_INIT, text = BUF_INIT;
    struct ofp_parts parts;
    ofp_parts_begin(&parts, &msg, OFP13, OFPMSG_FLOW_STATS_REPLY, 5);
    for (unsigned i = 0; i < N; i++) {
        const struct act_sample *s = &act_samples[unit_below(&rng, n_act_samples)];
        struct flow_mod fm;
        struct diag d = DIAG_INIT;
        char line[512];
        snprintf(line, sizeof line, "%s actions=%s", s->match, s->text);
        ck_assert(flow_mod_parse(line, OFPFC_ADD, NULL, &fm, &d));
        acts[i] = fm.acts;
        in[i] = (struct flow_stats){.table = 0,
                                    .priority = unit_below(&rng, 3) ? unit_random(&rng) : 0x8000,
                                    .idle_timeout = unit_below(&rng, 2) * unit_random(&rng),
                                    .hard_timeout = unit_below(&rng, 70),
                                    .flags = unit_below(&rng, 32),
                                    .duration_sec = unit_random(&rng),
                                    .duration_nsec = unit_below(&rng, 1000) * 1000000u,
                                    .cookie = unit_below(&rng, 2) * unit_random(&rng),
                                    .packets = unit_random(&rng),
                                    .bytes = unit_random(&rng),
                                    .match = fm.match,
                                    .acts = acts[i].data,
                                    .acts_len = acts[i].len};
        flow_stats_encode(&in[i], &parts);
        diag_free(&d);
    }
    ofp_parts_end(&parts);
    struct rd body = body_of(&msg, OFPMSG_FLOW_STATS_REPLY);
    for (unsigned i = 0; i < N; i++) {
        struct flow_stats fs;
        struct flow_mod fm;
        struct diag d = DIAG_INIT;
        ck_assert_int_eq(flow_stats_decode(OFP13, &body, &fs, &scratch), OFPERR_OK);
        ck_assert(match_equal(&fs.match, &in[i].match) && acts_equal(fs.acts, fs.acts_len, in[i].acts, in[i].acts_len));
        ck_assert(fs.priority == in[i].priority && fs.cookie == in[i].cookie && fs.packets == in[i].packets &&
                  fs.bytes == in[i].bytes);
        ck_assert(fs.duration_sec == in[i].duration_sec && fs.duration_nsec == in[i].duration_nsec &&
                  fs.flags == in[i].flags);
        buf_clear(&text);
        flow_stats_format(&fs, NULL, i & 1, &text);
        bool ok = flow_mod_parse(buf_text(&text), OFPFC_ADD, NULL, &fm, &d);
        ck_assert_msg(ok, "%s: %s", buf_text(&text), buf_text(&d.message));
        ck_assert(match_equal(&fs.match, &fm.match) && acts_equal(fs.acts, fs.acts_len, fm.acts.data, fm.acts.len));
        ck_assert(fm.priority == fs.priority && fm.cookie == fs.cookie && fm.flags == fs.flags);
        ck_assert(fm.idle_timeout == fs.idle_timeout && fm.hard_timeout == fs.hard_timeout);
        flow_mod_free(&fm);
        diag_free(&d);
        buf_free(&acts[i]);
    }
    ck_assert_uint_eq(rd_left(&body), 0);
    buf_free(&msg);
    buf_free(&scratch);
    buf_free(&text);
}
END_TEST

START_TEST(line_as_printed)
{
    struct flow_mod fm;
    struct buf text = BUF_INIT;
    ck_assert(flow_mod_parse("table=2,priority=10,ip,in_port=1,idle_timeout=60,send_flow_rem actions=output:2",
                             OFPFC_ADD, NULL, &fm, NULL));
    struct flow_stats fs = {.table = fm.table,
                            .priority = fm.priority,
                            .idle_timeout = fm.idle_timeout,
                            .flags = fm.flags,
                            .duration_sec = 1,
                            .duration_nsec = 200000000,
                            .packets = 3,
                            .bytes = 294,
                            .match = fm.match,
                            .acts = fm.acts.data,
                            .acts_len = fm.acts.len};
    flow_stats_format(&fs, NULL, true, &text);
    ck_assert_str_eq(buf_text(&text),
                     "cookie=0x0, duration=1.200s, table=2, n_packets=3, n_bytes=294, idle_timeout=60, "
                     "send_flow_rem priority=10,ip,in_port=1 actions=output:2");
    buf_clear(&text);
    flow_stats_format(&fs, NULL, false, &text);
    ck_assert_str_eq(buf_text(&text),
                     "table=2, idle_timeout=60, send_flow_rem priority=10,ip,in_port=1 actions=output:2");
    buf_free(&text);
    flow_mod_free(&fm);
}
END_TEST

/* The same match in other words and another order. */
START_TEST(same_match)
{
    static const char *const rows[][2] = {
        {"tcp,tp_dst=80", "tp_dst=80,tcp"},
        {"tcp,tp_dst=80", "eth_type=0x800,ip_proto=6,tcp_dst=0x50"},
        {"tcp,tp_dst=80", "tcp_dst=80 nw_proto=6 dl_type=2048"},
        {"udp6,tp_src=1/0xff01", "ipv6,nw_proto=17,udp_src=1/0xff01"},
        {"arp,nw_src=1.2.3.4,nw_proto=1", "arp_op=1,arp_spa=1.2.3.4,arp"},
        {"icmp6,icmp_type=135,icmp_code=0", "icmp6,icmpv6_type=135,icmpv6_code=0"},
        {"icmp,tp_src=8,tp_dst=0", "icmp,icmp_type=8,icmp_code=0"},
        {"dl_vlan=5", "vlan_vid=0x1005"},
        {"dl_vlan=5,dl_vlan_pcp=3", "vlan_tci=0x7005"},
        {"dl_vlan=0xffff", "vlan_vid=0"},
        {"dl_vlan=0xffff", "vlan_tci=0"},
        {"dl_vlan_pcp=3", "vlan_pcp=3,vlan_vid=0x1000/0x1000"},
        {"ip,nw_tos=40", "ip,ip_dscp=10"},
        {"reg0=0x35/0xff", "reg0[0..3]=5,reg0[4..7]=3"},
        {"reg0=0x1,reg1=2", "xreg0=0x100000002"},
        {"tun_id=5", "tunnel_id=5"},
        {"tun_id=5", "NXM_NX_TUN_ID=5"},
        {"in_port=LOCAL", "in_port=local"},
        {"in_port=\"local\"", "in_port=0xfffffffe"},
        {"ip,tcp", "tcp"},
        {"tcp,dl_type=0x800,nw_proto=6", "nw_proto=6,eth_type=0x800,tcp"},
        {"eth,ip", "ip"},
        {"gre,gre_key=10", "ip,nw_proto=47,gre_key=0xa"},
        {"nw_src=10.0.0.0/8,ip", "ip,ipv4_src=10.1.2.3/255.0.0.0"},
        {"ipv6,ipv6_src=2001:db8::/32", "dl_type=0x86dd,ipv6_src=2001:db8::/ffff:ffff::"},
    };
    struct flow_mod a, b;
    struct diag d = DIAG_INIT;
    bool ok = flow_mod_parse(rows[_i][0], OFPFC_DELETE, NULL, &a, &d) &&
              flow_mod_parse(rows[_i][1], OFPFC_DELETE, NULL, &b, &d);
    ck_assert_msg(ok, "%s, %s: %s", rows[_i][0], rows[_i][1], buf_text(&d.message));
    ck_assert_msg(match_equal(&a.match, &b.match), "%s is not %s", rows[_i][0], rows[_i][1]);
}
END_TEST

START_TEST(commands_take_what_they_need)
{
    struct flow_mod fm;
    ck_assert(flow_mod_parse("", OFPFC_DELETE, NULL, &fm, NULL));
    ck_assert_uint_eq(fm.table, OFPTT_ALL);
    ck_assert(flow_mod_parse("table=3,cookie=0x5/0xf,out_port=2,out_group=7", OFPFC_DELETE, NULL, &fm, NULL));
    ck_assert(fm.table == 3 && fm.cookie == 5 && fm.cookie_mask == 15 && fm.out_port == 2 && fm.out_group == 7);
    ck_assert(flow_mod_parse("cookie=0x5/-1", OFPFC_DELETE, NULL, &fm, NULL) && fm.cookie_mask == UINT64_MAX);
    ck_assert(flow_mod_parse("cookie=5", OFPFC_DELETE, NULL, &fm, NULL) && fm.cookie_mask == UINT64_MAX);
    ck_assert(flow_mod_parse("priority=7,table=all", OFPFC_DELETE_STRICT, NULL, &fm, NULL) && fm.priority == 7);
    ck_assert(flow_mod_parse("cookie=5/1,actions=drop", OFPFC_MODIFY, NULL, &fm, NULL) && fm.cookie_mask == 1 &&
              fm.table == 0);
    ck_assert(!flow_mod_parse("priority=7", OFPFC_DELETE, NULL, &fm, NULL));
    ck_assert(!flow_mod_parse("actions=drop", OFPFC_DELETE, NULL, &fm, NULL));
    ck_assert(!flow_mod_parse("ip", OFPFC_ADD, NULL, &fm, NULL));
    ck_assert(!flow_mod_parse("out_port=1,actions=drop", OFPFC_ADD, NULL, &fm, NULL));
    ck_assert(!flow_mod_parse("cookie=5/1,actions=drop", OFPFC_ADD, NULL, &fm, NULL));
    ck_assert(!flow_mod_parse("table=255,actions=drop", OFPFC_ADD, NULL, &fm, NULL));
}
END_TEST

START_TEST(more_than_a_message_holds)
{
    struct buf b = BUF_INIT;
    struct flow_mod fm;
    struct diag d = DIAG_INIT;
    buf_puts(&b, "actions=1");
    for (unsigned i = 0; i < 6000; i++)
        buf_puts(&b, ",1");
    ck_assert(!flow_mod_parse(buf_text(&b), OFPFC_ADD, NULL, &fm, &d));
    ck_assert_str_eq(buf_text(&d.message), "these are more actions than fit into an OpenFlow message");
    flow_mod_free(&fm);
    diag_free(&d);
    buf_free(&b);
}
END_TEST

static void add(Suite *suite)
{
    TCase *tc = tcase_create("flow");
    suite_add_tcase(suite, tc);
    tcase_add_test(tc, flow_mod_there_and_back);
    tcase_add_test(tc, flow_mod_faults);
    tcase_add_test(tc, requests_there_and_back);
    tcase_add_test(tc, removed_there_and_back);
    tcase_add_test(tc, stats_there_and_back);
    tcase_add_test(tc, line_as_printed);
    tcase_add_loop_test(tc, same_match, 0, 25);
    tcase_add_test(tc, commands_take_what_they_need);
    tcase_add_test(tc, more_than_a_message_holds);
}

UNIT_TEST_MAIN_WITH("flow", add)
