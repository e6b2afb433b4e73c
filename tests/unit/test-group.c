/* Groups: decode(encode(x)) == x, parse(print(x)) == x, the text of ovs-ofctl, complaints with their place, and each fault of
 * OpenFlow 1.3.5, 6.5. */
#include "unit.h"
#include "msg-samples.h"

enum { ROUNDS = 500 };

static struct buf out;
static uint64_t rng;

static void setup(void)
{
    rng = unit_seed();
    out = BUF_INIT;
}

static void teardown(void) { buf_free(&out); }

static struct rd body_of(enum ofp_msg_type type)
{
    enum ofp_msg_type back;
    struct rd body;
    enum ofp_error e = ofp_msg_decode_type(out.data, out.len, NULL, &back, &body, NULL);
    ck_assert_msg(!e, "%s: %s", ofp_msg_name(type), ofp_error_name(e));
    ck_assert_int_eq(back, type);
    return body;
}

static void same_group(const struct group_desc *a, const struct group_desc *b)
{
    ck_assert_uint_eq(a->id, b->id);
    ck_assert_uint_eq(a->type, b->type);
    ck_assert_uint_eq(a->n_buckets, b->n_buckets);
    for (size_t i = 0; i < a->n_buckets; i++) {
        const struct group_bucket *x = &a->buckets[i], *y = &b->buckets[i];
        ck_assert_uint_eq(x->id, y->id);
        ck_assert_uint_eq(x->weight, y->weight);
        ck_assert_uint_eq(x->watch_port, y->watch_port);
        ck_assert_uint_eq(x->watch_group, y->watch_group);
        ck_assert(acts_equal(group_acts(a, x), x->acts_len, group_acts(b, y), y->acts_len));
    }
}

static const uint8_t versions[] = {OFP10, OFP13, OFP14};

START_TEST(group_mods)
{
    uint8_t version = versions[_i];
    for (int i = 0; i < ROUNDS; i++) {
        struct group_mod gm = {.command = unit_random(&rng)}, back;
        random_group(&rng, &gm.group);
        if (version != OFP10) /* where a weight is told of select groups alone */
            gm.group.type = unit_random(&rng);
        buf_clear(&out);
        group_mod_encode(&gm, version, 7, &out);
        ck_assert_int_eq(group_mod_decode(version, body_of(OFPMSG_GROUP_MOD), &back), OFPERR_OK);
        ck_assert_uint_eq(back.command, gm.command);
        same_group(&gm.group, &back.group);
        group_desc_free(&gm.group);
        group_desc_free(&back.group);
    }
}
END_TEST

START_TEST(descriptions)
{
    uint8_t version = versions[_i];
    for (int i = 0; i < ROUNDS; i++) {
        struct group_desc g[5], back;
        struct ofp_parts parts;
        buf_clear(&out);
        ofp_parts_begin(&parts, &out, version, OFPMSG_GROUP_DESC_REPLY, 7);
        for (unsigned k = 0; k < ARRAY_SIZE(g); k++) {
            random_group(&rng, &g[k]);
            for (size_t b = 0; version == OFP10 && b < g[k].n_buckets; b++)
                g[k].buckets[b].id = unit_random(&rng);
            group_desc_encode(&g[k], version, &parts);
        }
        ofp_parts_end(&parts);
        struct rd body = body_of(OFPMSG_GROUP_DESC_REPLY);
        for (unsigned k = 0; k < ARRAY_SIZE(g); k++) {
            ck_assert_int_eq(group_desc_decode(version, &body, &back), OFPERR_OK);
            same_group(&g[k], &back);
            group_desc_free(&back);
            group_desc_free(&g[k]);
        }
        ck_assert_uint_eq(rd_left(&body), 0);
    }
}
END_TEST

/* What ovs-ofctl 3.1 sends without -O for the group in the text. */
static const struct {
    const char *hex, *text;
} open_vswitch[] = {
    {"0104007000000008000023200000001f000001000000000100500000ffffffff0020000800000000000000080001000000000008000a00000001000800"
     "00000200300020000000010000000800020000ffff0018000023200007003f0001200800000000000000010000000800010000",
     " ADD group_id=1,type=select,bucket=bucket_id:0,weight:10,watch_port:2,actions=output:1,"
     "bucket=bucket_id:1,actions=output:2,load:0x1->NXM_NX_TUN_ID[]\n"},
    {"0104006800000006000023200000001f000001000000000300180000ffffffff001800080000000000000008000200000000000800010000ffff003000"
     "00154d000000010000000068617368000000000000000000000000000000000000000000000e04ffffffff",
     " ADD group_id=3,type=select,bucket=bucket_id:0,actions=output:2\n"},
    {"0104002000000006000023200000001f00020000fffffffc00000000ffffffff", " DEL group_id=4294967292,type=all\n"},
};

START_TEST(openflow_1_0)
{
    struct buf wire = BUF_INIT;
    for (const char *p = open_vswitch[_i].hex; *p; p += 2) {
        unsigned byte;
        ck_assert_int_eq(sscanf(p, "%2x", &byte), 1);
        buf_u8(&wire, (uint8_t)byte);
    }
    ofp_msg_format(wire.data, wire.len, NULL, 1, &out);
    const char *text = strchr(buf_text(&out), '\n');
    ck_assert_ptr_nonnull(text);
    ck_assert_str_eq(text + 1, open_vswitch[_i].text);
    buf_free(&wire);
}
END_TEST

START_TEST(statistics_and_features)
{
    struct group_counter counters[3] = {{1, 2}, {UINT64_MAX, 4}, {5, 6}};
    struct group_stats s = {3, 4, 5, 6, {7, 8}, 3, counters}, back;
    struct group_features f = {1, 2, {3, 4, 5, 6}, {7, 8, 9, 10}}, f2;
    struct ofp_parts parts;
    uint32_t id;
    ofp_parts_begin(&parts, &out, OFP13, OFPMSG_GROUP_STATS_REPLY, 7);
    group_stats_encode(&s, OFP13, &parts);
    ofp_parts_end(&parts);
    struct rd body = body_of(OFPMSG_GROUP_STATS_REPLY);
    ck_assert_int_eq(group_stats_decode(OFP13, &body, &back), OFPERR_OK);
    ck_assert_mem_eq(&s, &back, offsetof(struct group_stats, buckets));
    ck_assert_mem_eq(counters, back.buckets, sizeof counters);
    free(back.buckets);
    buf_clear(&out);
    group_features_encode(&f, OFP13, 7, &out);
    ck_assert_int_eq(group_features_decode(OFP13, body_of(OFPMSG_GROUP_FEATURES_REPLY), &f2), OFPERR_OK);
    ck_assert_mem_eq(&f, &f2, sizeof f);
    buf_clear(&out);
    group_stats_request_encode(99, OFP13, 7, &out);
    ck_assert_int_eq(group_stats_request_decode(OFP13, body_of(OFPMSG_GROUP_STATS_REQUEST), &id), OFPERR_OK);
    ck_assert_uint_eq(id, 99);
}
END_TEST

/* Cut at each byte, and with each length damaged: an error or less, never more than there is (the sanitizers watch). */
START_TEST(damaged)
{
    for (int i = 0; i < 100; i++) {
        static const enum ofp_msg_type types[] = {OFPMSG_GROUP_MOD, OFPMSG_GROUP_DESC_REPLY, OFPMSG_GROUP_STATS_REPLY};
        enum ofp_msg_type type = types[i % 3];
        struct buf text = BUF_INIT;
        buf_clear(&out);
        msg_sample(type, &rng, &out);
        for (unsigned n = 0; n < 50; n++) {
            struct buf cut = BUF_INIT;
            buf_put(&cut, out.data, 16 + unit_below(&rng, out.len - 15));
            if (cut.len > 16)
                cut.data[16 + unit_below(&rng, cut.len - 16)] ^= 1u << unit_below(&rng, 8);
            buf_set_u16(&cut, 2, cut.len);
            ofp_msg_format(cut.data, cut.len, NULL, 1, &text);
            buf_free(&cut);
        }
        buf_free(&text);
    }
}
END_TEST

/* --- Text --- */

static const struct {
    const char *in, *out; /* NULL: the same */
} texts[] = {
    {"group_id=1,type=all", NULL},
    {"group_id=4294967040,type=indirect,bucket=actions=drop", NULL},
    {"group_id=0x10 type=all bucket=output:1 bucket=2", "group_id=16,type=all,bucket=actions=output:1,bucket=actions=output:2"},
    {"group_id=1,type=select,bucket=weight:10,watch_port:2,actions=output:1,bucket=output:3",
     "group_id=1,type=select,bucket=weight:10,watch_port:2,actions=output:1,bucket=actions=output:3"},
    {"group_id=1,type=select,bucket=weight:0,actions=output:1,bucket=weight:1,actions=output:2",
     "group_id=1,type=select,bucket=weight:0,actions=output:1,bucket=actions=output:2"},
    {"group_id=1,type=fast_failover,bucket=watch_port=2,output:1,bucket=watch_group:3,group:3",
     "group_id=1,type=ff,bucket=watch_port:2,actions=output:1,bucket=watch_group:3,actions=group:3"},
    {"group_id=5,type=indirect,bucket=actions=", "group_id=5,type=indirect,bucket=actions=drop"},
    {"group_id=5,type=indirect,bucket=drop", "group_id=5,type=indirect,bucket=actions=drop"},
    {"group_id=5,type=all,bucket=output:1,output:2,set_field:1->tun_id",
     "group_id=5,type=all,bucket=actions=output:1,output:2,set_field:0x1->tun_id"},
    {"group_id=3,type=all,bucket=actions:output:1", "group_id=3,type=all,bucket=actions=output:1"},
    {"group_id=3,type=all,bucket=resubmit(,3),bucket=actions=resubmit(2,4)",
     "group_id=3,type=all,bucket=actions=resubmit(,3),bucket=actions=resubmit(2,4)"},
    {"group_id=3,type=select,bucket=output:1,weight:7", "group_id=3,type=select,bucket=weight:7,actions=output:1"},
    {"group_id=3,type=select,selection_method=dp_hash,bucket=bucket_id:1,output:1", "group_id=3,type=select,bucket=actions=output:1"},
    {"group_id=3,type=select,selection_method=hash,fields(ip_src,ip_dst),bucket=1", "group_id=3,type=select,bucket=actions=output:1"},
    {"type=ff,group_id=0,bucket=watch_port:LOCAL,actions=LOCAL",
     "group_id=0,type=ff,bucket=watch_port:LOCAL,actions=LOCAL"},
};

START_TEST(text)
{
    struct group_mod gm;
    struct diag d = DIAG_INIT;
    ck_assert_msg(group_mod_parse(texts[_i].in, OFPGC_ADD, NULL, &gm, &d), "%s: %s", texts[_i].in, buf_text(&d.message));
    group_desc_format(&gm.group, NULL, &out);
    ck_assert_str_eq(buf_text(&out), texts[_i].out ? texts[_i].out : texts[_i].in);
    group_desc_free(&gm.group);
    diag_free(&d);
}
END_TEST

START_TEST(text_round_trips)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct group_desc g;
        struct group_mod back;
        struct diag d = DIAG_INIT;
        random_group(&rng, &g);
        buf_clear(&out);
        group_desc_format(&g, NULL, &out);
        ck_assert_msg(group_mod_parse(buf_text(&out), OFPGC_MODIFY, NULL, &back, &d), "%s: %s", buf_text(&out), buf_text(&d.message));
        same_group(&g, &back.group);
        group_desc_free(&g);
        group_desc_free(&back.group);
        diag_free(&d);
    }
}
END_TEST

static const struct {
    const char *text, *at; /* where the complaint points */
    const char *says;
} complaints[] = {
    {"type=all,bucket=1", "", "group_id=... is missing"},
    {"group_id=2,bucket=1", "", "type=... is missing: all, select, indirect or ff"},
    {"group_id=2,type=selekt,bucket=1", "selekt,bucket=1", "no group type 'selekt'; did you mean 'select'?"},
    {"group_id=0xffffff01,type=all", "0xffffff01,type=all", "group_id 0xffffff01 is out of range: at most 0xffffff00"},
    {"group_id=all,type=all", "all,type=all", "a group of its own needs a number; all is for del-groups"},
    {"group_id=1,type=indirect,bucket=1,bucket=2", "indirect,bucket=1,bucket=2", "an indirect group has exactly one bucket"},
    {"group_id=1,type=all,bucket=2,bucket=weight:1,output:1", "weight:1,output:1", "only the buckets of a select group have a weight"},
    {"group_id=1,type=all,bucket=watch_port:1,output:1", "watch_port:1,output:1", "only buckets of select and ff groups watch a port or group"},
    {"group_id=1,type=ff,bucket=watch_port:1,output:1,bucket=2", "2", "a bucket of an ff group needs watch_port or watch_group"},
    {"group_id=1,type=ff,bucket=watch_port:controller,output:1", "watch_port:controller,output:1", "this port cannot be watched"},
    {"group_id=1,type=all,bucket=", "=", "a bucket needs actions (actions=drop: none)"},
    {"group_id=1,type=select,bucket=weight:5", "weight:5", "a bucket needs actions (actions=drop: none)"},
    {"group_id=1,type=all,bucket=ouput:1", "ouput:1", "no action 'ouput'; did you mean 'output'?"},
    {"group_id=1,type=select,bucket=weigth:5,output:1", "weigth:5,output:1", "a bucket has no 'weigth'; did you mean 'weight'?"},
    {"group_id=1,type=all,bucket=clone(output:1)", "clone(output:1)", "clone cannot stand in a bucket, which is an action set"},
    {"group_id=1,type=all,weight=5", "weight=5", "weight belongs to a bucket: write it behind bucket="},
    {"group_id=1,typ=all", "typ=all", "a group has no 'typ'; did you mean 'type'?"},
    {"group_id=1,group_id=2,type=all", "group_id=2,type=all", "'group_id' is given twice"},
    {"group_id=1,type=select,bucket=weight:70000,output:1", "70000,output:1", "weight 70000 is out of range: at most 65535"},
};

START_TEST(complaints_have_their_place)
{
    struct group_mod gm;
    struct diag d = DIAG_INIT;
    const char *text = complaints[_i].text;
    ck_assert_msg(!group_mod_parse(text, OFPGC_ADD, NULL, &gm, &d), "%s was taken", text);
    ck_assert_str_eq(buf_text(&d.message), complaints[_i].says);
    ck_assert_str_eq(text + MIN(d.at, strlen(text)), complaints[_i].at);
    group_desc_free(&gm.group);
    diag_free(&d);
}
END_TEST

START_TEST(deletes)
{
    struct group_mod gm;
    ck_assert(group_mod_parse("", OFPGC_DELETE, NULL, &gm, NULL) && gm.group.id == OFPG_ALL);
    ck_assert(group_mod_parse("group_id=all", OFPGC_DELETE, NULL, &gm, NULL) && gm.group.id == OFPG_ALL);
    ck_assert(group_mod_parse("group_id=7", OFPGC_DELETE, NULL, &gm, NULL) && gm.group.id == 7);
    ck_assert(!group_mod_parse("group_id=7,type=all", OFPGC_DELETE, NULL, &gm, NULL));
    ck_assert(!group_mod_parse("group_id=7,bucket=1", OFPGC_DELETE, NULL, &gm, NULL));
    uint32_t id;
    ck_assert(group_id_parse("7", &id) && id == 7);
    ck_assert(group_id_parse("group_id=0x7", &id) && id == 7);
    ck_assert(group_id_parse("ALL", &id) && id == OFPG_ALL);
    ck_assert(!group_id_parse("x", &id) && !group_id_parse("", &id) && !group_id_parse("0xffffff01", &id));
}
END_TEST

/* --- Checks --- */

static enum ofp_error check(uint16_t command, uint8_t type, uint32_t id, unsigned n, struct group_bucket b, const char *acts)
{
    struct group_mod gm = {.command = command, .group = {.type = type, .id = id}};
    struct act_context ctx = {.n_tables = 254, .max_ports = OFPP_MAX};
    char why[200];
    for (unsigned i = 0; i < n; i++) {
        struct group_bucket *to = group_desc_add_bucket(&gm.group);
        b.acts = to->acts;
        *to = b;
        ck_assert(acts_parse(acts, strlen(acts), false, NULL, NULL, &gm.group.acts, NULL));
        to->acts_len = gm.group.acts.len - to->acts;
    }
    enum ofp_error e = group_check(&gm, &ctx, NULL, why);
    group_desc_free(&gm.group);
    return e;
}

START_TEST(checks)
{
    struct group_bucket none = GROUP_BUCKET_INIT, heavy = none, port = none, group = none, bad_port = none, bad_group = none;
    heavy.weight = 1;
    port.watch_port = 1;
    group.watch_group = 1;
    bad_port.watch_port = OFPP_FLOOD;
    bad_group.watch_group = OFPG_ALL;
    for (uint8_t type = 0; type < 8; type++) {
        bool known = type < N_GROUP_TYPES, one = type == OFPGT_INDIRECT, ff = type == OFPGT_FF, select = type == OFPGT_SELECT;
        enum ofp_error unknown = OFPERR_GMFC_BAD_TYPE, invalid = OFPERR_GMFC_INVALID_GROUP;
#define WANT(E, ...) ck_assert_int_eq(check(__VA_ARGS__), known ? (E) : unknown)
        WANT(ff ? invalid : OFPERR_OK, OFPGC_ADD, type, 0, 1, none, "output:1");
        WANT(ff ? invalid : OFPERR_OK, OFPGC_ADD_OR_MOD, type, OFPG_MAX, 1, none, "output:1");
        WANT(one ? invalid : OFPERR_OK, OFPGC_MODIFY, type, 1, 0, none, "");
        WANT(one || ff ? invalid : OFPERR_OK, OFPGC_MODIFY, type, 1, 2, none, "");
        WANT(ff || !select ? invalid : OFPERR_OK, OFPGC_ADD, type, 1, 1, heavy, "");
        WANT(ff || select ? OFPERR_OK : OFPERR_GMFC_WATCH_UNSUPPORTED, OFPGC_ADD, type, 1, 1, port, "");
        WANT(ff || select ? OFPERR_OK : OFPERR_GMFC_WATCH_UNSUPPORTED, OFPGC_ADD, type, 1, 1, group, "");
        WANT(ff || select ? OFPERR_GMFC_BAD_WATCH : OFPERR_GMFC_WATCH_UNSUPPORTED, OFPGC_ADD, type, 1, 1, bad_port, "");
        WANT(ff || select ? OFPERR_GMFC_BAD_WATCH : OFPERR_GMFC_WATCH_UNSUPPORTED, OFPGC_ADD, type, 1, 1, bad_group, "");
        if (!one)
            WANT(OFPERR_GMFC_OUT_OF_BUCKETS, OFPGC_ADD, type, 1, GROUP_MAX_BUCKETS + 1, none, "");
        ck_assert_int_eq(check(OFPGC_ADD, type, OFPG_ALL, 1, none, ""), invalid);
        ck_assert_int_eq(check(OFPGC_ADD, type, OFPG_MAX + 1, 1, none, ""), invalid);
        ck_assert_int_eq(check(3, type, 1, 1, none, ""), OFPERR_GMFC_BAD_COMMAND);
        ck_assert_int_eq(check(OFPGC_DELETE, type, OFPG_ALL, 0, none, ""), OFPERR_OK);
        ck_assert_int_eq(check(OFPGC_DELETE, type, 5, 0, none, ""), OFPERR_OK);
    }
    ck_assert_int_eq(check(OFPGC_ADD, OFPGT_ALL, 1, 1, none, "output:any"), OFPERR_BAC_BAD_OUT_PORT);
    ck_assert_int_eq(check(OFPGC_ADD, OFPGT_ALL, 1, 1, none, "group:0xfffffffc"), OFPERR_BAC_BAD_OUT_GROUP);
    ck_assert_int_eq(check(OFPGC_ADD, OFPGT_ALL, 1, 1, none, "exit"), OFPERR_BAC_BAD_TYPE);
}
END_TEST

static void add(Suite *suite)
{
    TCase *t = tcase_create("group");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, group_mods, 0, ARRAY_SIZE(versions));
    tcase_add_loop_test(t, descriptions, 0, ARRAY_SIZE(versions));
    tcase_add_loop_test(t, openflow_1_0, 0, ARRAY_SIZE(open_vswitch));
    tcase_add_test(t, statistics_and_features);
    tcase_add_test(t, damaged);
    tcase_add_loop_test(t, text, 0, ARRAY_SIZE(texts));
    tcase_add_test(t, text_round_trips);
    tcase_add_loop_test(t, complaints_have_their_place, 0, ARRAY_SIZE(complaints));
    tcase_add_test(t, deletes);
    tcase_add_test(t, checks);
    suite_add_tcase(suite, t);
}

UNIT_TEST_MAIN_WITH("group", add)
