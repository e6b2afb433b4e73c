/* Flow tables against a slow obvious twin: a plain list, changed as OpenFlow 1.3.5, 6.4 says, by random flow-mods. */
#include "base/mem.h"
#include "ofproto/bridge.h"
#include "tests/unit/unit.h"

enum { MAX_TWINS = 4096, TABLES = 3 };

struct twin {
    bool there;
    uint8_t table;
    uint16_t priority, idle, hard, flags;
    uint64_t cookie, acts_port;
    struct match match;
    msec_t created;
};

struct fixture {
    struct dp *dp;
    struct ofproto *o;
    struct ofconn *c;
    struct buf got;
    struct twin twin[MAX_TWINS];
    size_t n;
    unsigned removed[4], removed_seen[4];
};

static void got(void *f, const void *data, size_t len) { buf_put(&((struct fixture *)f)->got, data, len); }
static void hung_up(void *f, const char *why) { (void)f, (void)why, ck_abort(); }
static const struct ofconn_callbacks callbacks = {.send = got, .hang_up = hung_up};

static void begin(struct fixture *f)
{
    struct dp_config dc = {.no_netlink = true};
    struct ofproto_config config = {.fail_mode = FAIL_SECURE};
    struct buf b = BUF_INIT;
    memset(f, 0, sizeof *f);
    clock_fake(1000000);
    f->dp = dp_create(&dc, &ofproto_dp_callbacks);
    f->o = ofproto_create(f->dp, "br0");
    ofproto_configure(f->o, &config);
    f->c = ofconn_open(f->o, OFCONN_CONTROLLER, &callbacks, f, 0);
    hello_encode(1 << OFP13, 1, &b);
    ofconn_receive(f->c, b.data, b.len, clock_msec());
    buf_free(&b);
}

static void end(struct fixture *f)
{
    ofconn_close(f->c);
    ofproto_destroy(f->o);
    dp_destroy(f->dp);
    buf_free(&f->got);
}

/* --- The twin --- */

static bool covers(const struct match *general, const struct match *special)
{
    const uint8_t *gv = (const uint8_t *)&general->value, *gm = (const uint8_t *)&general->mask;
    const uint8_t *sv = (const uint8_t *)&special->value, *sm = (const uint8_t *)&special->mask;
    for (size_t i = 0; i < sizeof(struct flow_key); i++)
        if (gm[i] & ~sm[i] || (gv[i] ^ sv[i]) & gm[i])
            return false;
    return true;
}

static bool overlaps(const struct match *a, const struct match *b)
{
    const uint8_t *av = (const uint8_t *)&a->value, *am = (const uint8_t *)&a->mask;
    const uint8_t *bv = (const uint8_t *)&b->value, *bm = (const uint8_t *)&b->mask;
    for (size_t i = 0; i < sizeof(struct flow_key); i++)
        if ((av[i] ^ bv[i]) & am[i] & bm[i])
            return false;
    return true;
}

static bool same(const struct match *a, const struct match *b) { return covers(a, b) && covers(b, a); }

static void twin_remove(struct fixture *f, struct twin *t, uint8_t reason)
{
    t->there = false;
    if (t->flags & OFPFF_SEND_FLOW_REM)
        f->removed[reason]++;
}

static enum ofp_error twin_add(struct fixture *f, const struct flow_mod *fm, uint32_t out)
{
    struct twin *free_one = NULL;
    for (struct twin *t = f->twin; t < f->twin + MAX_TWINS; t++)
        if (t->there && t->table == fm->table && t->priority == fm->priority && fm->flags & OFPFF_CHECK_OVERLAP &&
            overlaps(&t->match, &fm->match))
            return OFPERR_FMFC_OVERLAP;
    for (struct twin *t = f->twin; t < f->twin + MAX_TWINS; t++) {
        if (t->there && t->table == fm->table && t->priority == fm->priority && same(&t->match, &fm->match))
            t->there = false;
        if (!t->there && !free_one)
            free_one = t;
    }
    ck_assert_ptr_nonnull(free_one);
    *free_one = (struct twin){.there = true,
                              .table = fm->table,
                              .priority = fm->priority,
                              .idle = fm->idle_timeout,
                              .hard = fm->hard_timeout,
                              .flags = fm->flags,
                              .cookie = fm->cookie,
                              .acts_port = out,
                              .match = fm->match,
                              .created = clock_msec()};
    return OFPERR_OK;
}

static enum ofp_error twin_flow_mod(struct fixture *f, const struct flow_mod *fm, uint32_t out)
{
    bool strict = fm->command == OFPFC_MODIFY_STRICT || fm->command == OFPFC_DELETE_STRICT;
    bool deletes = fm->command == OFPFC_DELETE || fm->command == OFPFC_DELETE_STRICT;
    if (fm->table == OFPTT_ALL && !deletes)
        return OFPERR_FMFC_BAD_TABLE_ID;
    if (fm->command == OFPFC_ADD)
        return twin_add(f, fm, out);
    for (struct twin *t = f->twin; t < f->twin + MAX_TWINS; t++) {
        if (!t->there || (fm->table != OFPTT_ALL && fm->table != t->table))
            continue;
        if (strict ? t->priority != fm->priority || !same(&t->match, &fm->match) : !covers(&fm->match, &t->match))
            continue;
        if ((t->cookie ^ fm->cookie) & fm->cookie_mask)
            continue;
        if (!deletes) {
            t->acts_port = out; /* OFPFF_RESET_COUNTS is about counters: nobody used the flow, so it idles on */
        } else if (fm->out_port == OFPP_ANY || fm->out_port == t->acts_port) {
            twin_remove(f, t, OFPRR_DELETE);
        }
    }
    return OFPERR_OK;
}

static void twin_run(struct fixture *f)
{
    msec_t now = clock_msec();
    for (struct twin *t = f->twin; t < f->twin + MAX_TWINS; t++) {
        if (t->there && t->hard && now >= t->created + t->hard * 1000)
            twin_remove(f, t, t->idle && t->created + t->idle * 1000 < t->created + t->hard * 1000 ? OFPRR_IDLE_TIMEOUT
                                                                                                       : OFPRR_HARD_TIMEOUT);
        else if (t->there && t->idle && now >= t->created + t->idle * 1000)
            twin_remove(f, t, OFPRR_IDLE_TIMEOUT);
    }
}

/* --- Comparison --- */

static void find_twin(struct rule *r, void *f_)
{
    struct fixture *f = f_;
    struct match m;
    cls_rule_match(&r->cls, &m);
    f->n++;
    for (struct twin *t = f->twin; t < f->twin + MAX_TWINS; t++)
        if (t->there && t->table == r->table && t->priority == r->cls.priority && same(&t->match, &m)) {
            ck_assert_uint_eq(t->cookie, r->cookie);
            ck_assert_uint_eq(t->idle, r->idle_timeout);
            ck_assert_uint_eq(t->hard, r->hard_timeout);
            ck_assert_uint_eq(t->flags, r->flags);
            ck_assert_int_eq(t->created, r->created);
            ck_assert(rule_outputs_to(r, t->acts_port, OFPG_ANY));
            return;
        }
    ck_abort_msg("a rule that should not be there: table %u, priority %u", r->table, r->cls.priority);
}

static void compare(struct fixture *f)
{
    struct flow_stats_request all = {.table = OFPTT_ALL, .out_port = OFPP_ANY, .out_group = OFPG_ANY};
    size_t n = 0;
    f->n = 0;
    tables_select(f->o, &all, find_twin, f);
    for (struct twin *t = f->twin; t < f->twin + MAX_TWINS; t++)
        n += t->there;
    ck_assert_uint_eq(f->n, n);
    ck_assert_uint_eq(ofproto_rule_count(f->o), n);

    struct ofp_header h;
    for (size_t at = 0; at < f->got.len; at += h.len) {
        enum ofp_msg_type type;
        struct rd body;
        struct flow_removed fr;
        ck_assert(ofp_header_peek(f->got.data + at, f->got.len - at, &h));
        ck_assert_int_eq(ofp_msg_decode_type(f->got.data + at, h.len, &h, &type, &body, NULL), OFPERR_OK);
        if (type != OFPMSG_FLOW_REMOVED)
            continue;
        ck_assert_int_eq(flow_removed_decode(OFP13, body, &fr), OFPERR_OK);
        f->removed_seen[fr.reason]++;
    }
    buf_clear(&f->got);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_eq(f->removed[i], f->removed_seen[i]);
}

static uint32_t random_flow_mod(uint64_t *rng, struct flow_mod *fm)
{
    static const uint32_t outs[] = {1, 2, OFPP_CONTROLLER, OFPP_NORMAL};
    static const unsigned prefixes[] = {8, 24, 31, 32};
    union field_value v, mask;
    *fm = FLOW_MOD_INIT;
    fm->command = unit_below(rng, 3) ? OFPFC_ADD : unit_below(rng, 5);
    fm->table = unit_below(rng, 50) ? unit_below(rng, TABLES) : OFPTT_ALL;
    fm->priority = unit_below(rng, 3);
    fm->cookie = unit_below(rng, 4);
    fm->cookie_mask = unit_below(rng, 2) ? 0 : unit_below(rng, 4);
    fm->flags = unit_below(rng, 4) ? OFPFF_SEND_FLOW_REM : unit_below(rng, 8);
    fm->idle_timeout = unit_below(rng, 3) ? 0 : unit_below(rng, 40);
    fm->hard_timeout = unit_below(rng, 3) ? 0 : unit_below(rng, 700);
    if (!unit_below(rng, 3))
        fm->out_port = outs[unit_below(rng, ARRAY_SIZE(outs))];
    if (unit_below(rng, 2)) {
        field_value_set_u64(&v, 1 + unit_below(rng, 3));
        match_set(&fm->match, FIELD_IN_PORT, &v, NULL);
    }
    if (unit_below(rng, 3)) {
        field_value_set_u64(&v, 0x0800);
        match_set(&fm->match, FIELD_ETH_TYPE, &v, NULL);
        if (unit_below(rng, 3)) {
            field_value_set_u64(&v, 0x0a000000 | unit_below(rng, 6) | unit_below(rng, 2) << 8);
            field_value_set_u64(&mask, UINT32_MAX << (32 - prefixes[unit_below(rng, 4)]));
            match_set(&fm->match, FIELD_IPV4_DST, &v, &mask);
        }
    }
    uint32_t out = outs[unit_below(rng, ARRAY_SIZE(outs))];
    struct act_output *a = act_append(&fm->acts, ACT_OUTPUT, sizeof *a);
    a->a.n = out;
    return out;
}

START_TEST(flow_mods_do_what_a_plain_list_does)
{
    static struct fixture f;
    uint64_t rng = unit_seed();
    begin(&f);
    for (int i = 0; i < 20000; i++) {
        struct flow_mod fm;
        uint32_t out = random_flow_mod(&rng, &fm);
        enum ofp_error want = twin_flow_mod(&f, &fm, out), have = tables_flow_mod(f.o, &fm, clock_msec());
        ck_assert_msg(want == have, "flow-mod %d: %s, not %s", i, ofp_error_name(have), ofp_error_name(want));
        flow_mod_free(&fm);
        if (!unit_below(&rng, 5)) {
            clock_advance(1000 * unit_below(&rng, unit_below(&rng, 20) ? 4 : 400));
            twin_run(&f);
            ofproto_run(f.o, clock_msec());
            compare(&f);
        }
        if (!unit_below(&rng, 100))
            dp_run(f.dp);
    }
    ck_assert_uint_gt(f.removed_seen[OFPRR_IDLE_TIMEOUT], 10);
    ck_assert_uint_gt(f.removed_seen[OFPRR_HARD_TIMEOUT], 10);
    ck_assert_uint_gt(f.removed_seen[OFPRR_DELETE], 10);
    end(&f);
}
END_TEST

UNIT_TEST_MAIN("tables", flow_mods_do_what_a_plain_list_does)
