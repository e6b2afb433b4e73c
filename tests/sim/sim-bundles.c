/* Transactions: what is undone is as it was, what is done is as if done step by step; bundles under load. */
#include "openflow/bundle.h"
#include "openflow/group.h"
#include "tests/sim/random.h"

/* --- State in text: flows, groups, references, counters --- */

static void put_rule(struct rule *r, void *out_)
{
    struct buf *out = out_;
    struct flow_stats fs;
    struct match m;
    uint64_t packets, bytes;
    msec_t used;
    cls_rule_match(&r->cls, &m);
    fs = (struct flow_stats){.table = r->table, .priority = r->cls.priority, .idle_timeout = r->idle_timeout,
                             .hard_timeout = r->hard_timeout, .flags = r->flags, .cookie = r->cookie, .match = m,
                             .acts = r->acts->list, .acts_len = r->acts->len};
    flow_stats_format(&fs, NULL, false, out);
    (void)packets, (void)bytes, (void)used;
    buf_printf(out, " created=%lld counted=%lld\n", (long long)r->created, (long long)r->counted_since);
}

static int by_line(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Order among rules of one match list is nobody's promise. */
static void sort_lines(struct buf *b)
{
    char *lines[4096], *text = strdup(buf_text(b)), *save;
    size_t n = 0;
    for (char *l = strtok_r(text, "\n", &save); l && n < ARRAY_SIZE(lines); l = strtok_r(NULL, "\n", &save))
        lines[n++] = l;
    qsort(lines, n, sizeof *lines, by_line);
    buf_clear(b);
    for (size_t i = 0; i < n; i++)
        buf_printf(b, "%s\n", lines[i]);
    free(text);
}

struct text {
    struct sim *s;
    struct buf out;
};

static void put_group(const struct group *g, void *t_)
{
    struct text *t = t_;
    struct buf b = BUF_INIT;
    struct ofp_parts parts;
    ofp_parts_begin(&parts, &b, OFP13, OFPMSG_GROUP_DESC_REPLY, 1);
    group_put_desc(g, OFP13, &parts);
    ofp_parts_end(&parts);
    ofp_msg_format(b.data, b.len, NULL, 3, &t->out);
    buf_clear(&b);
    ofp_parts_begin(&parts, &b, OFP13, OFPMSG_GROUP_STATS_REPLY, 1);
    group_put_stats(t->s->o, g, clock_msec(), OFP13, &parts);
    ofp_parts_end(&parts);
    ofp_msg_format(b.data, b.len, NULL, 3, &t->out);
    buf_free(&b);
}

static void state(struct sim *s, struct buf *out)
{
    struct flow_stats_request all = {.table = OFPTT_ALL, .out_port = OFPP_ANY, .out_group = OFPG_ANY};
    struct text t = {.s = s, .out = BUF_INIT};
    buf_clear(out);
    tables_select(s->o, &all, put_rule, out);
    sort_lines(out);
    groups_for_each(s->o, put_group, &t);
    buf_printf(out, "%s%zu rules, version %llu\n", buf_text(&t.out), s->o->n_rules, (unsigned long long)0);
    buf_free(&t.out);
}

/* --- Random changes --- */

static enum ofp_error random_change(struct sim *s, uint64_t *rng)
{
    struct flow_mod fm = sim_flow(unit_below(rng, 5), unit_below(rng, 3), unit_below(rng, 2), unit_below(rng, 4), 0);
    struct group_mod gm;
    char text[100];
    enum ofp_error e;
    if (unit_below(rng, 2)) {
        static const char *const forms[] = {"group_id=%u,type=all,bucket=output:2", "group_id=%u,type=all,bucket=group:2",
                                            "group_id=%u,type=select,bucket=output:1,bucket=output:2,bucket=group:3", "group_id=%u,type=all"};
        enum ofp_group_mod_command command = unit_below(rng, 3);
        if (command == OFPGC_DELETE)
            snprintf(text, sizeof text, unit_below(rng, 6) ? "group_id=%u" : "group_id=all", 1 + unit_below(rng, 4));
        else
            snprintf(text, sizeof text, forms[unit_below(rng, 4)], 1 + unit_below(rng, 4));
        ck_assert(group_mod_parse(text, command, NULL, &gm, NULL));
        e = group_mod_check(s->o, &gm);
        if (!e)
            group_mod_apply(s->o, &gm, clock_msec());
        group_desc_free(&gm.group);
    } else {
        fm.flags = unit_below(rng, 2) ? OFPFF_SEND_FLOW_REM : unit_below(rng, 2) ? OFPFF_RESET_COUNTS : 0;
        fm.cookie = unit_below(rng, 3);
        fm.idle_timeout = unit_below(rng, 3) ? 0 : 100;
        if (unit_below(rng, 2))
            sim_output(&fm.acts, 1 + unit_below(rng, 3));
        else
            ((struct act *)act_append(&fm.acts, ACT_GROUP, sizeof(struct act_number)))->n = 1 + unit_below(rng, 4);
        e = tables_flow_mod(s->o, &fm, clock_msec());
    }
    flow_mod_free(&fm);
    return e;
}

START_TEST(what_is_undone_is_as_it_was)
{
    uint64_t rng = unit_seed();
    struct buf before = BUF_INIT, after = BUF_INIT;
    struct sim s;
    sim_init(&s);
    for (int round = 0; round < 400; round++) {
        for (unsigned n = unit_below(&rng, 6); n > 0; n--)
            random_change(&s, &rng);
        if (unit_below(&rng, 3))
            sim_receive(&s, 1, 1, 2);
        if (unit_below(&rng, 3))
            ofproto_settle(s.o, true);
        state(&s, &before);
        uint64_t seed = rng;
        txn_begin(s.o, true);
        unsigned n = unit_below(&rng, 12);
        for (unsigned i = n; i > 0; i--)
            random_change(&s, &rng);
        txn_undo(s.o);
        state(&s, &after);
        ck_assert_str_eq(buf_text(&after), buf_text(&before));
        if (unit_below(&rng, 2))
            ofproto_settle(s.o, true);
        /* The same again, and now it counts: as if done one by one. */
        rng = seed;
        txn_begin(s.o, true);
        n = unit_below(&rng, 12);
        for (unsigned i = n; i > 0; i--)
            random_change(&s, &rng);
        state(&s, &before);
        txn_end(s.o);
        state(&s, &after);
        ck_assert_str_eq(buf_text(&after), buf_text(&before));
        sim_pass(&s, unit_below(&rng, 400));
    }
    sim_destroy(&s);
    buf_free(&before);
    buf_free(&after);
}
END_TEST

UNIT_TEST_MAIN("bundles", what_is_undone_is_as_it_was)
