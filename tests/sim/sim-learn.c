/* learn and fin_timeout, in time that stands still until it is told to pass. */
#include "tests/sim/random.h"

static void add(struct sim *s, const char *text)
{
    struct flow_mod fm;
    struct diag d = DIAG_INIT;
    ck_assert_msg(flow_mod_parse(text, OFPFC_ADD, NULL, &fm, &d), "%s: %s", text, buf_text(&d.message));
    ck_assert(!tables_flow_mod(s->o, &fm, clock_msec()));
    flow_mod_free(&fm);
    diag_free(&d);
}

static void delete(struct sim *s, const char *text)
{
    struct flow_mod fm;
    ck_assert(flow_mod_parse(text, OFPFC_DELETE, NULL, &fm, NULL));
    ck_assert(!tables_flow_mod(s->o, &fm, clock_msec()));
    flow_mod_free(&fm);
    sim_run(s);
}

static void count(struct rule *r, void *n) { *(unsigned *)n += r->learned; }

static unsigned learned(struct sim *s)
{
    struct flow_stats_request all = {.table = OFPTT_ALL, .out_port = OFPP_ANY, .out_group = OFPG_ANY};
    unsigned n = 0;
    tables_select(s->o, &all, count, &n);
    return n;
}

#define LEARN "actions=learn(table=1,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[]"

START_TEST(once)
{
    struct sim s;
    sim_init(&s);
    add(&s, LEARN "),resubmit(,1)");
    for (int i = 0; i < 20; i++)
        sim_receive(&s, 1, 5, 6);
    ck_assert_uint_eq(learned(&s), 1);
    cls_version_t version = s.o->version;
    for (int i = 0; i < 20; i++)
        sim_receive(&s, 1, 5, 6);
    ck_assert_uint_eq(s.o->version, version);
    sim_receive(&s, 2, 6, 5);
    ck_assert_uint_eq(learned(&s), 2);
    ck_assert_uint_eq(s.n_sent[1], 1);
    sim_destroy(&s);
}
END_TEST

/* A hard timeout counts from the last packet that learned the flow; an idle one from the last that used it. */
START_TEST(timeouts)
{
    struct sim s;
    sim_init(&s);
    add(&s, LEARN ",hard_timeout=10)");
    sim_receive(&s, 1, 5, 6);
    for (int i = 0; i < 5; i++) {
        sim_pass(&s, 8000);
        sim_receive(&s, 1, 5, 6);
        ck_assert_uint_eq(learned(&s), 1);
    }
    sim_pass(&s, 9000);
    ck_assert_uint_eq(learned(&s), 1);
    sim_pass(&s, 2000);
    ck_assert_uint_eq(learned(&s), 0);
    tables_flush(s.o);
    add(&s, LEARN ",idle_timeout=10)");
    sim_receive(&s, 1, 5, 6);
    sim_pass(&s, 5000);
    sim_receive(&s, 1, 5, 6); /* is no use of the flow, and it lives no longer by that */
    sim_pass(&s, 6000);
    ck_assert_uint_eq(learned(&s), 0);
    sim_destroy(&s);
}
END_TEST

struct request {
    struct buf blob;
    uint32_t kind;
};

/* What a packet asks main for. */
static struct request ask(struct sim *s, const char *text)
{
    struct match m;
    struct dp_path path;
    struct request r = {.kind = UINT32_MAX};
    parse_match(text, &m);
    dp_path_init(&path);
    walk_packet(s->o, &m.value, &path, NULL);
    DPACT_FOR_EACH (a, path.acts.data, path.acts.len) {
        const struct dpact_punt *p = (const void *)a;
        if (a->type != DPACT_PUNT)
            continue;
        r.kind = a->arg;
        buf_put(&r.blob, p->blob, p->blob_len);
    }
    dp_path_free(&path);
    return r;
}

static void answer(struct sim *s, struct request *r)
{
    ofproto_dp_callbacks.punt(s->o, r->kind, r->blob.data, r->blob.len, NULL, 0);
    buf_free(&r->blob);
}

/* A request that comes to main when the flow that made it has gone is void: what a controller deletes stays deleted. */
START_TEST(late_requests)
{
    struct sim s;
    sim_init(&s);
    add(&s, LEARN ")");
    struct request r = ask(&s, "in_port=1,eth_src=02:00:00:00:00:05");
    ck_assert_uint_eq(r.kind, PUNT_LEARN_FLOW);
    tables_flush(s.o);
    answer(&s, &r);
    ck_assert_uint_eq(learned(&s), 0);
    add(&s, LEARN ")");
    r = ask(&s, "in_port=1,eth_src=02:00:00:00:00:05");
    add(&s, "priority=5,in_port=2,actions=drop"); /* something else */
    answer(&s, &r);
    ck_assert_uint_eq(learned(&s), 1);
    r = ask(&s, "in_port=1,eth_src=02:00:00:00:00:05");
    ck_assert_uint_eq(r.kind, UINT32_MAX);
    r = ask(&s, "in_port=1,eth_src=02:00:00:00:00:06");
    add(&s, "actions=drop"); /* in its place */
    answer(&s, &r);
    ck_assert_uint_eq(learned(&s), 1);
    sim_destroy(&s);
}
END_TEST

/* Many requests wait, only as many are granted as the limit says. */
START_TEST(limit)
{
    struct sim s;
    struct request r[10];
    sim_init(&s);
    add(&s, LEARN ",limit=3)");
    for (unsigned i = 0; i < 10; i++) {
        char text[60];
        snprintf(text, sizeof text, "in_port=1,eth_src=02:00:00:00:00:%02x", i);
        r[i] = ask(&s, text);
    }
    for (unsigned i = 0; i < 10; i++)
        answer(&s, &r[i]);
    ck_assert_uint_eq(learned(&s), 3);
    r[0] = ask(&s, "in_port=1,eth_src=02:00:00:00:00:77");
    ck_assert_uint_eq(r[0].kind, UINT32_MAX);
    delete(&s, "table=1,dl_dst=02:00:00:00:00:01");
    ck_assert_uint_eq(learned(&s), 2);
    r[0] = ask(&s, "in_port=1,eth_src=02:00:00:00:00:77");
    answer(&s, &r[0]);
    ck_assert_uint_eq(learned(&s), 3);
    /* Flows of a controller's with the same table and cookie count too. */
    add(&s, "table=1,in_port=3,actions=drop");
    delete(&s, "table=1,dl_dst=02:00:00:00:00:77");
    r[0] = ask(&s, "in_port=1,eth_src=02:00:00:00:00:77");
    ck_assert_uint_eq(r[0].kind, UINT32_MAX);
    sim_destroy(&s);
}
END_TEST

/* delete_learned: when the last flow that learns with a table and cookie goes, by whichever way. */
START_TEST(delete_learned)
{
    struct sim s;
    sim_init(&s);
    add(&s, "in_port=1," LEARN ",cookie=7,delete_learned)");
    add(&s, "in_port=2,hard_timeout=5," LEARN ",cookie=7,delete_learned)");
    sim_receive(&s, 1, 5, 6);
    sim_receive(&s, 2, 6, 5);
    ck_assert_uint_eq(learned(&s), 2);
    add(&s, "in_port=1," LEARN ",cookie=7,delete_learned),output:3"); /* replaced by its like */
    ck_assert_uint_eq(learned(&s), 2);
    delete(&s, "in_port=1");
    ck_assert_uint_eq(learned(&s), 2);
    sim_pass(&s, 6000);
    ck_assert_uint_eq(learned(&s), 0);
    ck_assert_uint_eq(ofproto_rule_count(s.o), 0);
    /* and in a change that is undone they stay */
    add(&s, "in_port=1," LEARN ",cookie=7,delete_learned)");
    sim_receive(&s, 1, 5, 6);
    txn_begin(s.o, true);
    struct flow_mod fm;
    ck_assert(flow_mod_parse("in_port=1", OFPFC_DELETE, NULL, &fm, NULL));
    ck_assert(!tables_flow_mod(s.o, &fm, clock_msec()));
    flow_mod_free(&fm);
    txn_undo(s.o);
    add(&s, "in_port=3,actions=drop");
    ck_assert_uint_eq(learned(&s), 1);
    delete(&s, "in_port=1");
    ck_assert_uint_eq(learned(&s), 0);
    sim_destroy(&s);
}
END_TEST

UNIT_TEST_MAIN("learn", once, timeouts, late_requests, limit, delete_learned)
