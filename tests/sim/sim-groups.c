/* Groups: what becomes of packets, in primitive actions; how select spreads; references, deletion, statistics. */
#include <math.h>
#include "openflow/group.h"
#include "tests/sim/random.h"

static enum ofp_error group_mod(struct sim *s, enum ofp_group_mod_command command, const char *text)
{
    struct group_mod gm;
    struct diag d = DIAG_INIT;
    ck_assert_msg(group_mod_parse(text, command, NULL, &gm, &d), "%s: %s", text, buf_text(&d.message));
    enum ofp_error e = group_mod_check(s->o, &gm);
    if (!e)
        group_mod_apply(s->o, &gm, clock_msec());
    group_desc_free(&gm.group);
    diag_free(&d);
    return e;
}

#define GROUP(S, TEXT) ck_assert_int_eq(group_mod(S, OFPGC_ADD, TEXT), OFPERR_OK)
#define MODIFY(S, TEXT) ck_assert_int_eq(group_mod(S, OFPGC_MODIFY, TEXT), OFPERR_OK)
#define DELETE(S, TEXT) ck_assert_int_eq(group_mod(S, OFPGC_DELETE, TEXT), OFPERR_OK)
#define REFUSED(S, E, COMMAND, TEXT) ck_assert_int_eq(group_mod(S, COMMAND, TEXT), E)

static enum ofp_error flow(struct sim *s, unsigned priority, const char *match, const char *acts, uint16_t flags)
{
    struct flow_mod fm = FLOW_MOD_INIT;
    fm.priority = (uint16_t)priority;
    fm.flags = flags;
    parse_match(match, &fm.match);
    parse_acts(acts, &fm.acts);
    enum ofp_error e = tables_flow_mod(s->o, &fm, clock_msec());
    flow_mod_free(&fm);
    return e;
}

#define FLOW(S, MATCH, ACTS) ck_assert_int_eq(flow(S, 10, MATCH, ACTS, 0), OFPERR_OK)

static const char *port_name(uint32_t id, void *dp)
{
    struct dp_port_info info = {0};
    dp_port_get_info(dp_port_by_id(dp, id), &info);
    return info.name;
}

static const char *walk_text(struct sim *s, const char *packet)
{
    static struct buf out;
    struct match m;
    struct dp_path path;
    parse_match(packet, &m);
    key_complete(&m.value);
    dp_path_init(&path);
    walk_packet(s->o, &m.value, &path, NULL);
    buf_clear(&out);
    dpact_format(path.acts.data, path.acts.len, port_name, s->dp, &out);
    if (path.drop)
        buf_printf(&out, "%sdrop(%s)", out.len ? "," : "", drop_infos[path.drop].name);
    dp_path_free(&path);
    return buf_text(&out);
}

#define EXPECT(S, PACKET, ACTS) ck_assert_str_eq(walk_text(S, PACKET), ACTS)

static void link_down(struct sim *s, unsigned port, bool down)
{
    s->port[port]->state = down ? OFPPS_LINK_DOWN : OFPPS_LIVE;
    dp_bump(s->dp, &s->port[port]->gen);
}

/* --- Types --- */

START_TEST(all_copies)
{
    struct sim s;
    sim_init(&s);
    GROUP(&s, "group_id=1,type=all,bucket=output:2,bucket=mod_nw_ttl:9,output:3,bucket=output:2");
    FLOW(&s, "in_port=1," IP, "group:1");
    EXPECT(&s, "in_port=1," IP, "output:p2,clone(set(nw_ttl=9),output:p3),output:p2");
    FLOW(&s, "in_port=1," IP, "group:1,output:3");
    EXPECT(&s, "in_port=1," IP, "output:p2,clone(set(nw_ttl=9),output:p3),output:p2,output:p3");
    FLOW(&s, "in_port=2," IP, "group:1"); /* 5.6.1: a clone out of the ingress port is dropped */
    EXPECT(&s, "in_port=2," IP, "set(nw_ttl=9),output:p3");
    MODIFY(&s, "group_id=1,type=all,bucket=in_port,bucket=drop");
    EXPECT(&s, "in_port=2," IP, "output:p2");
    MODIFY(&s, "group_id=1,type=all,bucket=drop");
    EXPECT(&s, "in_port=2," IP, "drop(action)");
    MODIFY(&s, "group_id=1,type=all");
    EXPECT(&s, "in_port=2," IP, "drop(no-live-bucket)");
    sim_destroy(&s);
}
END_TEST

/* 5.10: a bucket is an action set: its order, one action of a type, group before output. */
START_TEST(buckets_are_sets)
{
    struct sim s;
    sim_init(&s);
    GROUP(&s, "group_id=1,type=indirect,bucket=output:2,mod_nw_ttl:9");
    GROUP(&s, "group_id=2,type=indirect,bucket=output:2,output:3");
    GROUP(&s, "group_id=3,type=indirect,bucket=output:2,group:2");
    GROUP(&s, "group_id=4,type=indirect,bucket=mod_nw_ttl:9");
    FLOW(&s, "in_port=1," IP, "group:1");
    EXPECT(&s, "in_port=1," IP, "set(nw_ttl=9),output:p2");
    FLOW(&s, "in_port=1," IP, "group:2");
    EXPECT(&s, "in_port=1," IP, "output:p3");
    FLOW(&s, "in_port=1," IP, "group:3");
    EXPECT(&s, "in_port=1," IP, "output:p3");
    FLOW(&s, "in_port=1," IP, "group:4");
    EXPECT(&s, "in_port=1," IP, "drop(action)");
    FLOW(&s, "in_port=1," IP, "group:4,output:2"); /* its changes end with it */
    EXPECT(&s, "in_port=1," IP, "output:p2");
    FLOW(&s, "in_port=1," IP, "write_actions(output:2,group:1,set_field:10.0.0.9->ip_dst)");
    EXPECT(&s, "in_port=1," IP, "set(nw_dst=10.0.0.9),set(nw_ttl=9),output:p2");
    FLOW(&s, "in_port=1," IP, "write_actions(output:2,group:4)"); /* the group takes precedence */
    EXPECT(&s, "in_port=1," IP, "drop(action)");
    sim_destroy(&s);
}
END_TEST

START_TEST(resubmit_in_a_bucket)
{
    struct sim s;
    sim_init(&s);
    struct flow_mod fm = FLOW_MOD_INIT;
    fm.table = 5;
    parse_acts("write_actions(output:3)", &fm.acts);
    ck_assert_int_eq(tables_flow_mod(s.o, &fm, clock_msec()), OFPERR_OK);
    flow_mod_free(&fm);
    GROUP(&s, "group_id=1,type=all,bucket=resubmit(,5),bucket=output:2,resubmit(,5)");
    FLOW(&s, "in_port=1", "group:1");
    EXPECT(&s, "in_port=1", "output:p3,output:p2"); /* of output and resubmit, output */
    FLOW(&s, "in_port=1", "write_actions(group:1)");
    EXPECT(&s, "in_port=1", "output:p3,output:p2");
    sim_destroy(&s);
}
END_TEST

/* dec_ttl at its end stops the bucket's copy alone. */
START_TEST(ttl_in_a_bucket)
{
    struct sim s;
    sim_init(&s);
    GROUP(&s, "group_id=1,type=all,bucket=dec_ttl,output:2,bucket=output:3");
    FLOW(&s, "in_port=1," IP, "group:1,write_actions(output:2)");
    EXPECT(&s, "in_port=1,nw_ttl=1," IP, "punt(kind=0,max_len=4294967295),output:p3,output:p2");
    EXPECT(&s, "in_port=1,nw_ttl=5," IP, "clone(set(nw_ttl=4),output:p2),output:p3,output:p2");
    sim_destroy(&s);
}
END_TEST

START_TEST(fast_failover)
{
    struct sim s;
    sim_init(&s);
    GROUP(&s, "group_id=5,type=select,bucket=output:3");
    GROUP(&s, "group_id=1,type=ff,bucket=watch_port:2,output:2,bucket=watch_group:5,output:3");
    FLOW(&s, "in_port=1", "group:1");
    EXPECT(&s, "in_port=1", "output:p2");
    link_down(&s, 2, true);
    EXPECT(&s, "in_port=1", "output:p3");
    link_down(&s, 3, true); /* group 5 has no live bucket now */
    EXPECT(&s, "in_port=1", "drop(no-live-bucket)");
    link_down(&s, 3, false);
    DELETE(&s, "group_id=5");
    EXPECT(&s, "in_port=1", "drop(no-live-bucket)");
    sim_run(&s);
    EXPECT(&s, "in_port=1", "drop(no-live-bucket)");
    GROUP(&s, "group_id=5,type=all,bucket=output:3");
    EXPECT(&s, "in_port=1", "output:p3");
    link_down(&s, 2, false);
    EXPECT(&s, "in_port=1", "output:p2");
    sim_destroy(&s);
}
END_TEST

/* --- Select --- */

enum { WALKS = 3000 };

static const struct {
    const char *base, *field;
    unsigned bytes; /* that differ */
} spreads[] = {
    {"eth_type=0x1234", "eth_src", 6},
    {"eth_type=0x1234", "eth_dst", 6},
    {"vlan_vid=0x1001", "vlan_vid", 0},
    {"eth_type=0x0806,arp_op=1", "arp_spa", 4},
    {"eth_type=0x0806,arp_op=1", "arp_tpa", 4},
    {"eth_type=0x0806,arp_op=1", "arp_sha", 6},
    {"eth_type=0x0806,arp_op=1", "arp_tha", 6},
    {IP, "nw_src", 4},
    {IP, "nw_dst", 4},
    {TCP, "tcp_src", 2},
    {TCP, "tcp_dst", 2},
    {IP ",nw_proto=17", "udp_src", 2},
    {IP ",nw_proto=17", "udp_dst", 2},
    {IP ",nw_proto=132", "sctp_src", 2},
    {"eth_type=0x86dd", "ipv6_src", 16},
    {"eth_type=0x86dd", "ipv6_dst", 16},
    {"eth_type=0x86dd", "ipv6_label", 0},
    {"eth_type=0x86dd,nw_proto=58,icmpv6_type=135", "nd_target", 16},
    {"eth_type=0x8847", "mpls_label", 0},
    {"eth_type=0x88e7", "pbb_isid", 0},
};

/* Packets by bucket, each of which outputs to a port of its number and one. */
static void spread(struct sim *s, const char *base, const char *field, unsigned n[3], uint64_t *rng)
{
    int f = field_by_name(field, strlen(field));
    ck_assert_int_ge(f, 0);
    for (int i = 0; i < WALKS; i++) {
        struct match m;
        struct dp_path path;
        union field_value v, ones;
        parse_match(base, &m);
        m.value.meta.in_port = htonl(3);
        field_all_ones(f, &ones);
        for (int k = 0; k < 16; k++)
            v.b[k] = (uint8_t)unit_random(rng) & ones.b[k];
        if (f == FIELD_VLAN_VID)
            v.b[14] |= 0x10;
        field_set(f, &m.value, &v);
        dp_path_init(&path);
        walk_packet(s->o, &m.value, &path, NULL);
        const struct dpact *a = (const void *)path.acts.data;
        ck_assert(path.acts.len && a->type == DPACT_OUTPUT);
        n[dp_port_ofport(dp_port_by_id(s->dp, a->arg))]++;
        dp_path_free(&path);
    }
}

/* Within five standard deviations of what the weights say. */
static void check_share(unsigned n, double share, const char *what)
{
    double mean = WALKS * share, sigma = sqrt(WALKS * share * (1 - share));
    ck_assert_msg(fabs(n - mean) < 5 * sigma, "%s: %u of %d packets instead of %.0f", what, n, WALKS, mean);
}

START_TEST(select_spreads_over_each_field)
{
    uint64_t rng = 1;
    struct sim s;
    sim_init(&s);
    FLOW(&s, "", "drop");
    GROUP(&s, "group_id=1,type=select,bucket=output:1,bucket=output:2");
    FLOW(&s, "", "group:1");
    unsigned n[4] = {0};
    spread(&s, spreads[_i].base, spreads[_i].field, n, &rng);
    check_share(n[1], 0.5, spreads[_i].field);
    sim_destroy(&s);
}
END_TEST

START_TEST(select_follows_weights)
{
    static const unsigned weights[][3] = {{1, 1, 0}, {1, 3, 0}, {10, 30, 0}, {65535, 1, 0}, {2, 98, 0}, {0, 5, 0}, {100, 50, 0}};
    uint64_t rng = 1;
    for (unsigned i = 0; i < ARRAY_SIZE(weights); i++) {
        struct sim s;
        char text[200];
        unsigned n[4] = {0}, sum = weights[i][0] + weights[i][1];
        sim_init(&s);
        snprintf(text, sizeof text, "group_id=1,type=select,bucket=weight:%u,output:1,bucket=weight:%u,output:2", weights[i][0], weights[i][1]);
        GROUP(&s, text);
        FLOW(&s, "", "group:1");
        spread(&s, IP, "nw_src", n, &rng);
        if (weights[i][0])
            check_share(n[1], (double)weights[i][0] / sum, text);
        else
            ck_assert_uint_eq(n[1], 0);
        sim_destroy(&s);
    }
}
END_TEST

/* What does not tell flows apart, does not tell buckets apart; and what comes and goes takes only its own share. */
START_TEST(select_is_steady)
{
    uint64_t rng = unit_seed();
    struct sim s;
    sim_init(&s);
    GROUP(&s, "group_id=1,type=select,bucket=output:1,bucket=output:2");
    GROUP(&s, "group_id=2,type=select,bucket=output:1,bucket=output:2,bucket=in_port");
    FLOW(&s, "", "drop");
    for (int i = 0; i < 256; i++) {
        char text[200], before[100];
        snprintf(text, sizeof text, "in_port=3," TCP ",nw_src=10.%u.%u.1,tcp_src=%u,tcp_dst=80", unit_below(&rng, 256),
                 unit_below(&rng, 256), unit_below(&rng, 65536));
        FLOW(&s, "", "group:1");
        snprintf(before, sizeof before, "%s", walk_text(&s, text));
        strcat(text, ",nw_ttl=3,nw_ecn=2,tcp_flags=0x12");
        ck_assert_str_eq(walk_text(&s, text), before);
        /* In reverse order: a bucket is known by what it does, not by its place. */
        MODIFY(&s, "group_id=1,type=select,bucket=output:2,bucket=output:1");
        ck_assert_str_eq(walk_text(&s, text), before);
        /* A bucket that comes takes flows from others, moves none between them, and when it goes all is as before. */
        MODIFY(&s, "group_id=1,type=select,bucket=output:2,bucket=in_port,bucket=output:1");
        const char *now = walk_text(&s, text);
        ck_assert_msg(!strcmp(now, before) || !strcmp(now, "output:p3"), "%s instead of %s", now, before);
        MODIFY(&s, "group_id=1,type=select,bucket=output:1,bucket=output:2");
        /* All fragments go the same way. */
        snprintf(text, sizeof text, "in_port=3," IP ",nw_proto=6,nw_src=10.0.0.%u,nw_frag=", i);
        size_t len = strlen(text);
        strcpy(text + len, "first,tcp_src=77");
        snprintf(before, sizeof before, "%s", walk_text(&s, text));
        strcpy(text + len, "later");
        ck_assert_str_eq(walk_text(&s, text), before);
    }
    sim_destroy(&s);
}
END_TEST

START_TEST(select_skips_the_dead)
{
    struct sim s;
    sim_init(&s);
    GROUP(&s, "group_id=1,type=select,bucket=output:1,bucket=output:2");
    GROUP(&s, "group_id=2,type=select,bucket=watch_port:1,output:2,bucket=watch_port:2,output:1");
    FLOW(&s, IP, "group:1");
    FLOW(&s, "eth_type=0x0806", "group:2");
    link_down(&s, 1, true);
    for (int i = 0; i < 50; i++) {
        char text[100];
        snprintf(text, sizeof text, "in_port=3,nw_src=10.0.0.%d," IP, i);
        EXPECT(&s, text, "output:p2");
        snprintf(text, sizeof text, "in_port=3,eth_type=0x0806,arp_spa=10.0.0.%d", i);
        EXPECT(&s, text, "drop(port-down)"); /* it watches port 2, but forwards to 1 */
    }
    link_down(&s, 2, true);
    EXPECT(&s, "in_port=3," IP, "drop(no-live-bucket)");
    sim_destroy(&s);
}
END_TEST

/* --- References --- */

START_TEST(chains_and_loops)
{
    struct sim s;
    sim_init(&s);
    REFUSED(&s, OFPERR_GMFC_LOOP, OFPGC_ADD, "group_id=1,type=all,bucket=group:1");
    REFUSED(&s, OFPERR_BAC_BAD_OUT_GROUP, OFPGC_ADD, "group_id=1,type=all,bucket=group:2");
    GROUP(&s, "group_id=1,type=all,bucket=output:2");
    GROUP(&s, "group_id=2,type=all,bucket=group:1");
    GROUP(&s, "group_id=3,type=all,bucket=group:2,bucket=group:1");
    REFUSED(&s, OFPERR_GMFC_LOOP, OFPGC_MODIFY, "group_id=1,type=all,bucket=group:3");
    REFUSED(&s, OFPERR_GMFC_GROUP_EXISTS, OFPGC_ADD, "group_id=1,type=all");
    REFUSED(&s, OFPERR_GMFC_UNKNOWN_GROUP, OFPGC_MODIFY, "group_id=9,type=all");
    REFUSED(&s, OFPERR_GMFC_BAD_WATCH, OFPGC_ADD, "group_id=9,type=ff,bucket=watch_group:10,output:1");
    REFUSED(&s, OFPERR_GMFC_BAD_WATCH, OFPGC_ADD, "group_id=9,type=ff,bucket=watch_group:9,output:1");
    REFUSED(&s, OFPERR_GMFC_BAD_WATCH, OFPGC_ADD, "group_id=9,type=ff,bucket=watch_port:77,output:1");
    FLOW(&s, "", "group:3");
    EXPECT(&s, "in_port=1", "output:p2,output:p2");
    REFUSED(&s, OFPERR_GMFC_CHAINED_GROUP, OFPGC_DELETE, "group_id=2");
    MODIFY(&s, "group_id=3,type=all,bucket=group:1");
    DELETE(&s, "group_id=2");
    DELETE(&s, "group_id=2"); /* no error */
    EXPECT(&s, "in_port=1", "output:p2");
    ck_assert_uint_eq(s.o->n_rules, 1);
    DELETE(&s, "group_id=all");
    ck_assert_uint_eq(s.o->n_rules, 0);
    GROUP(&s, "group_id=1,type=all,bucket=output:3"); /* the number is free at once */
    FLOW(&s, "", "group:1");
    EXPECT(&s, "in_port=1", "output:p3");
    ck_assert_int_eq(flow(&s, 10, "", "group:3", 0), OFPERR_BAC_BAD_OUT_GROUP);
    ck_assert_int_eq(flow(&s, 10, "", "write_actions(group:3)", 0), OFPERR_BAC_BAD_OUT_GROUP);
    sim_destroy(&s);
}
END_TEST

/* A chain longer than walks go is a named drop, and thousands of groups do no harm. */
START_TEST(many_groups)
{
    struct sim s;
    char text[100];
    sim_init(&s);
    GROUP(&s, "group_id=0,type=indirect,bucket=output:2");
    for (int i = 1; i < 5000; i++) {
        snprintf(text, sizeof text, "group_id=%d,type=all,bucket=group:%d", i, i - 1);
        GROUP(&s, text);
    }
    FLOW(&s, "in_port=1", "group:50");
    EXPECT(&s, "in_port=1", "output:p2");
    FLOW(&s, "in_port=3", "group:4999");
    EXPECT(&s, "in_port=3", "drop(walk-depth)");
    REFUSED(&s, OFPERR_GMFC_LOOP, OFPGC_MODIFY, "group_id=0,type=all,bucket=group:4999");
    for (int i = 4999; i > 100; i--) {
        snprintf(text, sizeof text, "group_id=%d", i);
        DELETE(&s, text);
        if (i % 7 == 0)
            sim_run(&s);
    }
    EXPECT(&s, "in_port=1", "output:p2");
    sim_destroy(&s);
}
END_TEST

START_TEST(large_groups)
{
    enum { MOST = GROUP_MAX_BUCKET_BYTES / 32 };
    struct sim s;
    struct buf text = BUF_INIT;
    struct match m;
    struct dp_path path;
    unsigned n = 0;
    sim_init(&s);
    buf_puts(&text, "group_id=1,type=all");
    for (int i = 0; i < MOST; i++)
        buf_printf(&text, ",bucket=output:%d", 2 + i % 2);
    GROUP(&s, buf_text(&text));
    FLOW(&s, "in_port=1", "write_actions(group:1)");
    parse_match("in_port=1", &m);
    dp_path_init(&path);
    walk_packet(s.o, &m.value, &path, NULL);
    DPACT_FOR_EACH (a, path.acts.data, path.acts.len)
        n += a->type == DPACT_OUTPUT;
    ck_assert_uint_eq(n, MOST);
    dp_path_free(&path);
    buf_clear(&text);
    buf_puts(&text, "group_id=2,type=all,bucket=");
    for (int i = 0; i < 128; i++)
        buf_printf(&text, "load:%d->NXM_NX_REG0[],", i);
    buf_puts(&text, "output:2");
    REFUSED(&s, OFPERR_BAC_TOO_MANY, OFPGC_ADD, buf_text(&text));
    buf_free(&text);
    sim_destroy(&s);
}
END_TEST

static struct group_stats stats_of(struct sim *s, struct peer *p, uint32_t id)
{
    struct buf b = BUF_INIT;
    struct rd body;
    struct group_stats gs = {0};
    group_stats_request_encode(id, OFP13, 5, &b);
    peer_send(p, &b);
    peer_expect(p, OFPMSG_GROUP_STATS_REPLY, &body);
    if (rd_left(&body))
        ck_assert_int_eq(group_stats_decode(OFP13, &body, &gs), OFPERR_OK);
    ck_assert_uint_eq(rd_left(&body), 0);
    (void)s;
    return gs;
}

static void expect_stats(struct sim *s, struct peer *p, uint32_t id, uint32_t refs, uint64_t packets, uint64_t bucket0, uint64_t bucket1)
{
    struct group_stats gs = stats_of(s, p, id);
    ck_assert_uint_eq(gs.id, id);
    ck_assert_uint_eq(gs.ref_count, refs);
    ck_assert_uint_eq(gs.sum.packets, packets);
    ck_assert_uint_eq(gs.sum.bytes, 60 * packets);
    ck_assert_uint_eq(gs.buckets[0].packets, bucket0);
    ck_assert_uint_eq(gs.buckets[0].bytes, 60 * bucket0);
    ck_assert_uint_eq(gs.buckets[1].packets, bucket1);
    free(gs.buckets);
}

START_TEST(statistics)
{
    struct sim s;
    struct peer p;
    sim_init(&s);
    peer_connect(&p, &s, OFCONN_CONTROLLER);
    GROUP(&s, "group_id=1,type=all,bucket=output:2,bucket=output:3");
    GROUP(&s, "group_id=2,type=ff,bucket=watch_port:2,group:1,bucket=watch_port:3,output:3");
    FLOW(&s, "in_port=1", "group:1,group:1"); /* one flow */
    FLOW(&s, "in_port=2", "group:2,write_actions(group:1)");
    expect_stats(&s, &p, 1, 3, 0, 0, 0);
    expect_stats(&s, &p, 2, 1, 0, 0, 0);
    for (unsigned i = 0; i < 10; i++)
        sim_receive(&s, 1, 1, 2);
    expect_stats(&s, &p, 1, 3, 20, 20, 20);
    ck_assert_uint_eq(s.n_sent[2], 20);
    /* 6.5: a MODIFY keeps the group's counters and clears those of the buckets. */
    MODIFY(&s, "group_id=1,type=all,bucket=output:3,bucket=output:2");
    expect_stats(&s, &p, 1, 3, 20, 0, 0);
    sim_receive(&s, 1, 1, 2);
    expect_stats(&s, &p, 1, 3, 22, 2, 2);
    MODIFY(&s, "group_id=2,type=ff,bucket=watch_port:3,output:3,bucket=watch_port:2,output:1");
    expect_stats(&s, &p, 1, 2, 22, 2, 2);
    FLOW(&s, "in_port=1", "drop");
    expect_stats(&s, &p, 1, 1, 22, 2, 2);
    ck_assert_uint_eq(stats_of(&s, &p, 7).n_buckets, 0);
    peer_close(&p);
    sim_destroy(&s);
}
END_TEST

/* 6.5 and 7.4.2: flows of a deleted group go, and say so if they were asked to. */
START_TEST(deletion_tells)
{
    struct sim s;
    struct peer p;
    struct rd body;
    struct flow_removed fr;
    sim_init(&s);
    peer_connect(&p, &s, OFCONN_CONTROLLER);
    GROUP(&s, "group_id=1,type=all,bucket=output:2");
    GROUP(&s, "group_id=2,type=all,bucket=output:2");
    ck_assert_int_eq(flow(&s, 10, "in_port=1", "group:1", OFPFF_SEND_FLOW_REM), OFPERR_OK);
    ck_assert_int_eq(flow(&s, 10, "in_port=2", "write_actions(group:1)", 0), OFPERR_OK);
    ck_assert_int_eq(flow(&s, 10, "in_port=3", "group:2", OFPFF_SEND_FLOW_REM), OFPERR_OK);
    sim_receive(&s, 1, 1, 2);
    DELETE(&s, "group_id=1");
    sim_run(&s);
    peer_expect(&p, OFPMSG_FLOW_REMOVED, &body);
    ck_assert_int_eq(flow_removed_decode(OFP13, body, &fr), OFPERR_OK);
    ck_assert_uint_eq(fr.reason, OFPRR_GROUP_DELETE);
    ck_assert_uint_eq(fr.packets, 1);
    peer_expect_nothing(&p);
    ck_assert_uint_eq(s.o->n_rules, 1);
    peer_close(&p);
    sim_destroy(&s);
}
END_TEST

static void publish(struct sim *s)
{
    groups_commit(s->o);
    s->o->version++;
    groups_committed(s->o);
}

/* Walks see nothing of a transaction until its version is there, then all of it; rolled back, it has not been. */
START_TEST(transactions)
{
    for (int way = 0; way < 2; way++) {
        struct sim s;
        struct peer p;
        sim_init(&s);
        peer_connect(&p, &s, OFCONN_CONTROLLER);
        GROUP(&s, "group_id=1,type=all,bucket=output:2,bucket=drop");
        GROUP(&s, "group_id=2,type=all,bucket=output:3,bucket=drop");
        GROUP(&s, "group_id=3,type=all,bucket=group:2,bucket=drop");
        FLOW(&s, "in_port=1", "group:1");
        FLOW(&s, "in_port=2", "group:3");
        sim_receive(&s, 1, 1, 2);
        sim_receive(&s, 2, 1, 2);
        groups_begin(s.o);
        MODIFY(&s, "group_id=1,type=all,bucket=output:3,bucket=group:3");
        MODIFY(&s, "group_id=1,type=all,bucket=output:3,bucket=in_port");
        GROUP(&s, "group_id=4,type=all,bucket=in_port");
        GROUP(&s, "group_id=5,type=all,bucket=group:4");
        REFUSED(&s, OFPERR_GMFC_CHAINED_GROUP, OFPGC_DELETE, "group_id=4");
        DELETE(&s, "group_id=5");
        MODIFY(&s, "group_id=3,type=all,bucket=group:4,bucket=drop");
        DELETE(&s, "group_id=2");
        REFUSED(&s, OFPERR_GMFC_UNKNOWN_GROUP, OFPGC_MODIFY, "group_id=2,type=all");
        GROUP(&s, "group_id=2,type=all,bucket=in_port,bucket=drop"); /* another one */
        for (int i = 10; i < 300; i++) { /* the table grows */
            char text[100];
            snprintf(text, sizeof text, "group_id=%d,type=indirect,bucket=group:4", i);
            GROUP(&s, text);
            if (i % 3 == 0)
                MODIFY(&s, text);
            if (i % 2 == 0) {
                *strchr(text, ',') = 0;
                DELETE(&s, text);
            }
        }
        EXPECT(&s, "in_port=1", "output:p2");
        EXPECT(&s, "in_port=2", "output:p3");
        if (way) {
            publish(&s);
            EXPECT(&s, "in_port=1", "output:p3,output:p1");
            EXPECT(&s, "in_port=2", "output:p2");
            sim_receive(&s, 1, 1, 2);
            sim_receive(&s, 2, 1, 2);
            expect_stats(&s, &p, 1, 1, 2, 1, 1);
            expect_stats(&s, &p, 2, 0, 0, 0, 0);
            expect_stats(&s, &p, 3, 1, 2, 1, 1);
            ck_assert_uint_eq(stats_of(&s, &p, 5).n_buckets, 0);
            free(stats_of(&s, &p, 299).buckets);
            DELETE(&s, "group_id=all");
        } else {
            groups_roll_back(s.o);
            sim_receive(&s, 1, 1, 2);
            sim_receive(&s, 2, 1, 2);
            EXPECT(&s, "in_port=1", "output:p2");
            EXPECT(&s, "in_port=2", "output:p3");
            expect_stats(&s, &p, 1, 1, 2, 2, 2);
            expect_stats(&s, &p, 2, 1, 2, 2, 2);
            expect_stats(&s, &p, 3, 1, 2, 2, 2);
            ck_assert_uint_eq(stats_of(&s, &p, 299).n_buckets, 0);
            REFUSED(&s, OFPERR_GMFC_CHAINED_GROUP, OFPGC_DELETE, "group_id=2");
        }
        peer_close(&p);
        sim_destroy(&s);
    }
}
END_TEST

/* Cached paths follow what groups and ports do. */
START_TEST(the_cache_follows)
{
    struct sim s;
    sim_init(&s);
    GROUP(&s, "group_id=1,type=ff,bucket=watch_port:2,output:2,bucket=watch_port:3,output:3");
    FLOW(&s, "in_port=1", "group:1");
    sim_receive(&s, 1, 1, 2);
    sim_receive(&s, 1, 1, 2);
    ck_assert_uint_eq(s.n_sent[2], 2);
    link_down(&s, 2, true);
    sim_receive(&s, 1, 1, 2);
    ck_assert_uint_eq(s.n_sent[3], 1);
    link_down(&s, 2, false);
    sim_receive(&s, 1, 1, 2);
    ck_assert_uint_eq(s.n_sent[2], 3);
    MODIFY(&s, "group_id=1,type=all,bucket=output:3");
    sim_receive(&s, 1, 1, 2);
    ck_assert_uint_eq(s.n_sent[3], 2);
    DELETE(&s, "group_id=1");
    sim_receive(&s, 1, 1, 2);
    ck_assert_uint_eq(s.n_sent[2] + s.n_sent[3], 5);
    sim_destroy(&s);
}
END_TEST

static void add(Suite *suite)
{
    TCase *t = tcase_create("groups");
    tcase_add_test(t, all_copies);
    tcase_add_test(t, buckets_are_sets);
    tcase_add_test(t, resubmit_in_a_bucket);
    tcase_add_test(t, ttl_in_a_bucket);
    tcase_add_test(t, fast_failover);
    tcase_add_loop_test(t, select_spreads_over_each_field, 0, ARRAY_SIZE(spreads));
    tcase_add_test(t, select_follows_weights);
    tcase_add_test(t, select_is_steady);
    tcase_add_test(t, select_skips_the_dead);
    tcase_add_test(t, chains_and_loops);
    tcase_add_test(t, many_groups);
    tcase_add_test(t, large_groups);
    tcase_add_test(t, statistics);
    tcase_add_test(t, deletion_tells);
    tcase_add_test(t, transactions);
    tcase_add_test(t, the_cache_follows);
    suite_add_tcase(suite, t);
}

UNIT_TEST_MAIN_WITH("groups", add)
