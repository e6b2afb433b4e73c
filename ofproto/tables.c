/* tables.c: rules come and go. A change of any size is one new version: rules are added and hidden at version + 1, which is
 * then published, and the generation of each table that changed is bumped once.
 *
 * A hidden rule is doomed: walks of the version before may still meet it, and packets may still be counted to it. When
 * dp_synchronize() has returned (tables_settle), its counters are final, its flow-removed message goes out, and it is
 * unlinked; its memory goes after one more grace period. */
#include "ofproto/bridge.h"
#include <malloc.h>
#include "base/mem.h"

enum { MAX_RULES = 4000000 }; /* of a bridge: a controller gone mad gets TABLE_FULL before the machine is out of memory */

/* --- Changes --- */

struct change {
    struct ofproto *o;
    uint64_t touched[(N_TABLES + 63) / 64];
    bool any;
};

static void touch(struct change *c, uint8_t table)
{
    c->touched[table / 64] |= UINT64_C(1) << table % 64;
    c->any = true;
}

static void change_insert(struct change *c, struct rule *r, const struct match *m, uint16_t priority)
{
    classifier_insert(&c->o->tables[r->table].cls, &r->cls, m, priority, c->o->version + 1);
    timeouts_add(c->o->timeouts, r);
    groups_count_flow(c->o, r->acts, 1);
    c->o->n_rules++;
    touch(c, r->table);
}

static void change_hide(struct change *c, struct rule *r, uint8_t reason)
{
    classifier_hide(&c->o->tables[r->table].cls, &r->cls, c->o->version + 1);
    timeouts_remove(c->o->timeouts, r);
    groups_count_flow(c->o, r->acts, -1);
    r->reason = reason;
    cds_list_add_tail(&r->node, &c->o->doomed);
    c->o->n_rules--;
    touch(c, r->table);
}

static void change_publish(struct change *c)
{
    if (!c->any)
        return;
    __atomic_store_n(&c->o->version, c->o->version + 1, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < ARRAY_SIZE(c->touched); i++)
        for (uint64_t map = c->touched[i]; map; map &= map - 1)
            dp_bump(c->o->dp, &c->o->tables[64 * i + (unsigned)__builtin_ctzll(map)].gen);
    c->o->unsettled = true;
}

/* --- Selection --- */

struct selection {
    uint32_t out_port, out_group;
    uint64_t cookie, cookie_mask;
    void (*fn)(struct rule *, void *aux);
    void *aux;
};

static bool selected(const struct selection *s, const struct rule *r)
{
    return !((r->cookie ^ s->cookie) & s->cookie_mask) && rule_outputs_to(r, s->out_port, s->out_group);
}

static bool select_one(struct cls_rule *cr, void *s_)
{
    struct selection *s = s_;
    struct rule *r = rule_of(cr);
    if (selected(s, r))
        s->fn(r, s->aux);
    return true;
}

static void select_loosely(struct ofproto *o, uint8_t table, const struct match *m, struct selection *s)
{
    for (unsigned t = table == OFPTT_ALL ? 0 : table; t < N_TABLES && (table == OFPTT_ALL || t == table); t++)
        if (o->tables[t].cls.n_rules)
            classifier_for_each(&o->tables[t].cls, m, o->version, select_one, s);
}

void tables_select(struct ofproto *o, const struct flow_stats_request *q, void (*fn)(struct rule *, void *aux), void *aux)
{
    struct selection s = {q->out_port, q->out_group, q->cookie, q->cookie_mask, fn, aux};
    select_loosely(o, q->table, &q->match, &s);
}

/* --- Flow-mods --- */

static enum ofp_error check(const struct ofproto *o, const struct flow_mod *fm)
{
    bool deletes = fm->command == OFPFC_DELETE || fm->command == OFPFC_DELETE_STRICT;
    if (fm->command > OFPFC_DELETE_STRICT)
        return OFPERR_FMFC_BAD_COMMAND;
    /* OpenFlow 1.3.5, 7.3.4.1: "The use of OFPTT_ALL is only valid for delete requests." */
    if (fm->table >= N_TABLES && !((deletes || fm->of10) && fm->table == OFPTT_ALL))
        return OFPERR_FMFC_BAD_TABLE_ID;
    if (fm->flags & ~(OFPFF_SEND_FLOW_REM | OFPFF_CHECK_OVERLAP | OFPFF_RESET_COUNTS | OFPFF_NO_PKT_COUNTS | OFPFF_NO_BYT_COUNTS))
        return OFPERR_FMFC_BAD_FLAGS;
    if (deletes)
        return OFPERR_OK;
    struct act_context ctx = {.match = &fm->match,
                              .table = fm->table == OFPTT_ALL ? 0 : fm->table,
                              .n_tables = N_TABLES,
                              .max_ports = OFPP_MAX,
                              .of10 = fm->of10};
    enum ofp_error e = acts_check(fm->acts.data, fm->acts.len, &ctx);
    if (!e)
        e = acts_check_references(o, fm->acts.data, fm->acts.len);
    if (!e && fm->buffer_id != OFP_NO_BUFFER) /* we buffer nothing: FEATURES_REPLY says n_buffers=0 */
        e = OFPERR_BRC_BUFFER_UNKNOWN;
    return e;
}

/* OpenFlow 1.3.5, 6.4: of an identical entry that is replaced the duration starts anew; its counters "must be cleared" with
 * OFPFF_RESET_COUNTS, "otherwise they should be copied"; "no flow-removed message is generated". */
static enum ofp_error add(struct change *c, const struct flow_mod *fm, msec_t now)
{
    struct ofproto *o = c->o;
    struct classifier *cls = &o->tables[fm->table].cls;
    if (fm->flags & OFPFF_CHECK_OVERLAP && classifier_find_overlap(cls, &fm->match, fm->priority, o->version))
        return OFPERR_FMFC_OVERLAP;
    struct rule *old = rule_of(classifier_find_exactly(cls, &fm->match, fm->priority, o->version));
    if (!old && o->n_rules >= MAX_RULES)
        return OFPERR_FMFC_TABLE_FULL;
    bool keep = old && !(fm->flags & OFPFF_RESET_COUNTS);
    if (old)
        change_hide(c, old, RULE_REPLACED);
    change_insert(c, rule_create(o, fm, keep ? old : NULL, now), &fm->match, fm->priority);
    return OFPERR_OK;
}

struct flow_change {
    struct change *c;
    const struct flow_mod *fm;
    msec_t now;
    size_t found;
};

/* OpenFlow 1.3.5, 6.4: "the entry's cookie, idle_timeout, hard_timeout, flags, counters and duration fields are left
 * unchanged", but for counters with OFPFF_RESET_COUNTS. 1.0.1, 4.6 says nothing of the cookie, and Open vSwitch sets it. */
static void modify_one(struct rule *r, void *fc_)
{
    struct flow_change *fc = fc_;
    struct ofproto *o = fc->c->o;
    fc->found++;
    groups_count_flow(o, r->acts, -1);
    rule_set_acts(o, r, fc->fm->acts.data, fc->fm->acts.len);
    groups_count_flow(o, r->acts, 1);
    if (fc->fm->of10 && fc->fm->new_cookie != UINT64_MAX)
        __atomic_store_n(&r->cookie, fc->fm->new_cookie, __ATOMIC_RELAXED);
    if (fc->fm->flags & OFPFF_RESET_COUNTS) {
        dp_tally_reset(o->dp, r->tally);
        r->counted_since = fc->now;
    }
    touch(fc->c, r->table);
}

static void delete_one(struct rule *r, void *fc_)
{
    struct flow_change *fc = fc_;
    change_hide(fc->c, r, OFPRR_DELETE);
}

/* 1.0 does not say which of several tables is meant, so of several such rules none is. */
static void select_strictly(struct ofproto *o, const struct flow_mod *fm, struct selection *s)
{
    struct cls_rule *one = NULL;
    for (unsigned t = 0; t < N_TABLES; t++)
        if (fm->table == OFPTT_ALL || fm->table == t) {
            struct cls_rule *r = classifier_find_exactly(&o->tables[t].cls, &fm->match, fm->priority, o->version);
            if (r && fm->of10 && one)
                return;
            if (r && !fm->of10)
                select_one(r, s);
            one = r ? r : one;
        }
    if (one && fm->of10)
        select_one(one, s);
}

/* Returns how many were modified. */
static size_t modify_or_delete(struct change *c, const struct flow_mod *fm, msec_t now)
{
    bool deletes = fm->command == OFPFC_DELETE || fm->command == OFPFC_DELETE_STRICT;
    struct flow_change fc = {c, fm, now, 0};
    struct selection s = {deletes ? fm->out_port : OFPP_ANY,
                          deletes ? fm->out_group : OFPG_ANY,
                          fm->cookie,
                          fm->cookie_mask,
                          deletes ? delete_one : modify_one,
                          &fc};
    if (fm->command == OFPFC_MODIFY_STRICT || fm->command == OFPFC_DELETE_STRICT)
        select_strictly(c->o, fm, &s);
    else
        select_loosely(c->o, fm->table, &fm->match, &s);
    return fc.found;
}

/* 1.0.1, 4.6: "For … MODIFY … requests, if a flow entry with identical header fields does not currently reside in any
 * table, the MODIFY acts like an ADD". Chosen by cookie, it cannot. */
static enum ofp_error modify_of10(struct change *c, const struct flow_mod *fm, msec_t now)
{
    if (modify_or_delete(c, fm, now) || fm->cookie_mask)
        return OFPERR_OK;
    struct flow_mod new = *fm;
    new.command = OFPFC_ADD;
    new.table = fm->table == OFPTT_ALL ? 0 : fm->table;
    new.cookie = fm->new_cookie == UINT64_MAX ? 0 : fm->new_cookie;
    return add(c, &new, now);
}

enum ofp_error tables_flow_mod(struct ofproto *o, const struct flow_mod *fm, msec_t now)
{
    struct change c = {.o = o};
    enum ofp_error e = check(o, fm);
    if (e)
        return e;
    if (fm->command == OFPFC_ADD)
        e = add(&c, fm, now);
    else if (fm->of10 && fm->command < OFPFC_DELETE)
        e = modify_of10(&c, fm, now);
    else
        modify_or_delete(&c, fm, now);
    change_publish(&c);
    return e;
}

/* --- Time, flushes, the end of rules --- */

static void expire(struct rule *r, uint8_t reason, void *c) { change_hide(c, r, reason); }

void tables_run(struct ofproto *o, msec_t now)
{
    struct change c = {.o = o};
    timeouts_run(o, now, expire, &c);
    change_publish(&c);
}

void tables_flush(struct ofproto *o)
{
    struct change c = {.o = o};
    struct flow_change fc = {.c = &c};
    struct selection all = {.out_port = OFPP_ANY, .out_group = OFPG_ANY, .fn = delete_one, .aux = &fc};
    select_loosely(o, OFPTT_ALL, NULL, &all);
    change_publish(&c);
}

struct group_gone {
    struct change *c;
    uint32_t group;
};

static void group_gone(struct rule *r, void *gg_)
{
    struct group_gone *gg = gg_;
    if (r->acts->forwards_to_groups && (gg->group == OFPG_ALL || rule_outputs_to(r, OFPP_ANY, gg->group)))
        change_hide(gg->c, r, OFPRR_GROUP_DELETE);
}

/* OpenFlow 1.3.5, 6.5: "the group is removed, and all flow entries containing this group in a Group action are also
 * removed". */
void tables_group_deleted(struct ofproto *o, uint32_t group)
{
    struct change c = {.o = o};
    struct group_gone gg = {&c, group};
    struct selection all = {.out_port = OFPP_ANY, .out_group = OFPG_ANY, .fn = group_gone, .aux = &gg};
    select_loosely(o, OFPTT_ALL, NULL, &all);
    change_publish(&c);
}

struct deletion {
    struct change *c;
    bool (*fn)(const struct rule *, void *aux);
    void *aux;
    uint8_t reason;
};

static void delete_if(struct rule *r, void *d_)
{
    struct deletion *d = d_;
    if (d->fn(r, d->aux))
        change_hide(d->c, r, d->reason);
}

void tables_delete_if(struct ofproto *o, uint8_t reason, bool (*fn)(const struct rule *, void *aux), void *aux)
{
    struct change c = {.o = o};
    struct deletion d = {&c, fn, aux, reason};
    struct selection all = {.out_port = OFPP_ANY, .out_group = OFPG_ANY, .fn = delete_if, .aux = &d};
    select_loosely(o, OFPTT_ALL, NULL, &all);
    change_publish(&c);
}

struct ended { /* rules that no new walk can meet */
    struct cds_list_head rules;
};

/* In order: a rule that took another's tally comes behind it. */
static void ended_free(void *ended_)
{
    enum { MANY = 10000 };
    struct ended *ended = ended_;
    struct rule *r, *next;
    size_t n = 0;
    cds_list_for_each_entry_safe (r, next, &ended->rules, node) {
        rule_free(r);
        n++;
    }
    free(ended);
    if (n >= MANY)
        malloc_trim(0); /* back to the system, wherever in the heap they lay */
}

void tables_settle(struct ofproto *o)
{
    struct ended *ended;
    struct rule *r;
    if (cds_list_empty(&o->doomed))
        return;
    dumps_finish(o);
    ended = xmalloc(sizeof *ended);
    CDS_INIT_LIST_HEAD(&ended->rules);
    cds_list_splice(&o->doomed, &ended->rules);
    CDS_INIT_LIST_HEAD(&o->doomed);
    cds_list_for_each_entry (r, &ended->rules, node) {
        if (r->reason != RULE_REPLACED && r->flags & OFPFF_SEND_FLOW_REM)
            conns_flow_removed(o, r, r->reason);
        classifier_remove(&o->tables[r->table].cls, &r->cls);
    }
    dp_defer(o->dp, ended_free, ended);
}

static void defer(void (*fn)(void *), void *arg, void *dp) { dp_defer(dp, fn, arg); }

void tables_create(struct ofproto *o)
{
    o->tables = xcalloc(N_TABLES, sizeof *o->tables);
    o->version = 1;
    CDS_INIT_LIST_HEAD(&o->doomed);
    size_t size = dp_tally_size(o->dp);
    if (size > sizeof(struct dp_tally)) /* of several workers: the slots of two share no line */
        size = ROUND_UP(size, CACHE_LINE);
    uint8_t *tally = xzalloc_line(2 * N_TABLES * size);
    for (unsigned t = 0; t < N_TABLES; t++) {
        classifier_init(&o->tables[t].cls, defer, o->dp);
        o->tables[t].matched = (struct dp_tally *)(tally + (2 * t) * size);
        o->tables[t].missed = (struct dp_tally *)(tally + (2 * t + 1) * size);
    }
}

void tables_destroy(struct ofproto *o)
{
    tables_flush(o);
    dp_synchronize(o->dp);
    tables_settle(o);
    for (unsigned t = 0; t < N_TABLES; t++)
        classifier_destroy(&o->tables[t].cls);
}
