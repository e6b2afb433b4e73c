/* tables.c: rules come and go. A change of any size is one new version (txn.c): rules are added and hidden at version + 1.
 *
 * A hidden rule is doomed: walks of the version before may still meet it, and packets may still be counted to it. When
 * dp_synchronize() has returned (tables_settle), its counters are final, its flow-removed message goes out, and it is
 * unlinked; its memory goes after one more grace period. */
#include "ofproto/pktbuf.h"
#include "openflow/monitor.h"
#include <malloc.h>
#include "base/mem.h"

enum { MAX_RULES = 4000000 }; /* of a bridge: a controller gone mad gets TABLE_FULL before the machine is out of memory */

/* --- Changes, in a transaction (txn.c) --- */

/* The rule's actions are counted as there (1), or no longer (-1). */
static void count_acts(struct ofproto *o, const struct rule *r, int delta)
{
    groups_count_flow(o, r->acts, delta);
    learning_count(o, r, delta);
}

static void insert_undo(struct ofproto *o, void *r_, void *old)
{
    struct rule *r = r_;
    timeouts_remove(o->timeouts, r);
    count_acts(o, r, -1);
    o->n_rules--;
    classifier_remove(&o->tables[r->table].cls, &r->cls);
    if (old)
        rule_give_back_tally(r, old);
    dp_defer(o->dp, rule_free, r);
}

/* tally_of: whose counters it has taken, or NULL. */
static void insert(struct ofproto *o, struct rule *r, const struct match *m, uint16_t priority, struct rule *tally_of)
{
    classifier_insert(&o->tables[r->table].cls, &r->cls, m, priority, txn_version(o));
    timeouts_add(o->timeouts, r);
    count_acts(o, r, 1);
    o->n_rules++;
    txn_touch_table(o, r->table);
    txn_log(o, insert_undo, r, tally_of);
}

static void hide_undo(struct ofproto *o, void *r_, void *unused)
{
    struct rule *r = r_;
    (void)unused;
    classifier_unhide(&o->tables[r->table].cls, &r->cls);
    cds_list_del(&r->node);
    CDS_INIT_LIST_HEAD(&r->node);
    timeouts_add(o->timeouts, r);
    count_acts(o, r, 1);
    o->n_rules++;
}

static void hide(struct ofproto *o, struct rule *r, uint8_t reason)
{
    classifier_hide(&o->tables[r->table].cls, &r->cls, txn_version(o));
    timeouts_remove(o->timeouts, r);
    count_acts(o, r, -1);
    r->reason = reason;
    cds_list_add_tail(&r->node, &o->doomed);
    o->n_rules--;
    txn_touch_table(o, r->table);
    txn_log(o, hide_undo, r, NULL);
    if (reason != RULE_REPLACED)
        monitor_note(o, OFPFME_REMOVED, r, NULL);
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
            classifier_for_each(&o->tables[t].cls, m, txn_version(o), select_one, s);
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
    if (!e && flow_mod_releases(fm))
        e = pktbuf_check(o, fm->buffer_id);
    return e;
}

/* OpenFlow 1.3.5, 6.4: of an identical entry that is replaced the duration starts anew; its counters "must be cleared" with
 * OFPFF_RESET_COUNTS, "otherwise they should be copied"; "no flow-removed message is generated". */
static enum ofp_error add(struct ofproto *o, const struct flow_mod *fm, msec_t now)
{
    struct classifier *cls = &o->tables[fm->table].cls;
    if (fm->flags & OFPFF_CHECK_OVERLAP && classifier_find_overlap(cls, &fm->match, fm->priority, txn_version(o)))
        return OFPERR_FMFC_OVERLAP;
    struct rule *old = rule_of(classifier_find_exactly(cls, &fm->match, fm->priority, txn_version(o)));
    if (!old && o->n_rules >= MAX_RULES)
        return OFPERR_FMFC_TABLE_FULL;
    struct rule *tally_of = old && !(fm->flags & OFPFF_RESET_COUNTS) ? old : NULL;
    if (old)
        hide(o, old, RULE_REPLACED);
    struct rule *new = rule_create(o, fm, tally_of, now);
    insert(o, new, &fm->match, fm->priority, tally_of);
    monitor_note(o, old ? OFPFME_MODIFIED : OFPFME_ADDED, new, old);
    return OFPERR_OK;
}

struct flow_change {
    struct ofproto *o;
    const struct flow_mod *fm;
    msec_t now;
    size_t found;
};

/* Another rule takes its place, so that all rules that a message (or a bundle) modifies are seen together. */
static void modify_one(struct rule *r, void *fc_)
{
    struct flow_change *fc = fc_;
    struct ofproto *o = fc->o;
    bool reset = fc->fm->flags & OFPFF_RESET_COUNTS;
    struct match m;
    fc->found++;
    cls_rule_match(&r->cls, &m);
    struct rule *new = rule_modified(o, r, fc->fm, reset, fc->now);
    hide(o, r, RULE_REPLACED);
    insert(o, new, &m, r->cls.priority, reset ? NULL : r);
    monitor_note(o, OFPFME_MODIFIED, new, r);
}

static void delete_one(struct rule *r, void *fc_)
{
    struct flow_change *fc = fc_;
    hide(fc->o, r, OFPRR_DELETE);
}

/* 1.0 does not say which of several tables is meant, so of several such rules none is. */
static void select_strictly(struct ofproto *o, const struct flow_mod *fm, struct selection *s)
{
    struct cls_rule *one = NULL;
    for (unsigned t = 0; t < N_TABLES; t++)
        if (fm->table == OFPTT_ALL || fm->table == t) {
            struct cls_rule *r = classifier_find_exactly(&o->tables[t].cls, &fm->match, fm->priority, txn_version(o));
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
static size_t modify_or_delete(struct ofproto *o, const struct flow_mod *fm, msec_t now)
{
    bool deletes = fm->command == OFPFC_DELETE || fm->command == OFPFC_DELETE_STRICT;
    struct flow_change fc = {o, fm, now, 0};
    struct selection s = {deletes ? fm->out_port : OFPP_ANY,
                          deletes ? fm->out_group : OFPG_ANY,
                          fm->cookie,
                          fm->cookie_mask,
                          deletes ? delete_one : modify_one,
                          &fc};
    if (fm->command == OFPFC_MODIFY_STRICT || fm->command == OFPFC_DELETE_STRICT)
        select_strictly(o, fm, &s);
    else
        select_loosely(o, fm->table, &fm->match, &s);
    return fc.found;
}

/* 1.0.1, 4.6: "For … MODIFY … requests, if a flow entry with identical header fields does not currently reside in any
 * table, the MODIFY acts like an ADD". Chosen by cookie, it cannot. */
static enum ofp_error modify_of10(struct ofproto *o, const struct flow_mod *fm, msec_t now)
{
    if (modify_or_delete(o, fm, now) || fm->cookie_mask)
        return OFPERR_OK;
    struct flow_mod new = *fm;
    new.command = OFPFC_ADD;
    new.table = fm->table == OFPTT_ALL ? 0 : fm->table;
    new.cookie = fm->new_cookie == UINT64_MAX ? 0 : fm->new_cookie;
    return add(o, &new, now);
}

enum ofp_error tables_flow_mod(struct ofproto *o, const struct flow_mod *fm, msec_t now)
{
    enum ofp_error e = check(o, fm);
    if (e)
        return e;
    txn_begin(o, false);
    if (fm->command == OFPFC_ADD)
        e = add(o, fm, now);
    else if (fm->of10 && fm->command < OFPFC_DELETE)
        e = modify_of10(o, fm, now);
    else
        modify_or_delete(o, fm, now);
    txn_end(o);
    return e;
}

/* --- Learned rules --- */

static void hide_orphan(struct rule *r, void *o) { hide(o, r, OFPRR_DELETE); }

void tables_hide_orphans(struct ofproto *o)
{
    uint8_t table;
    struct selection s = {.out_port = OFPP_ANY, .out_group = OFPG_ANY, .cookie_mask = UINT64_MAX, .fn = hide_orphan, .aux = o};
    while (learning_orphans(o, &table, &s.cookie))
        select_loosely(o, table, NULL, &s);
}

static void shorten(uint16_t *timeout, uint16_t to)
{
    if (to && (!*timeout || *timeout > to))
        __atomic_store_n(timeout, to, __ATOMIC_RELAXED);
}

void tables_shorten(struct ofproto *o, const struct punt_fin *fin)
{
    struct rule *r = rule_of(classifier_find_exactly(&o->tables[fin->table].cls, &fin->match, fin->priority, o->version));
    if (!r)
        return;
    timeouts_remove(o->timeouts, r);
    shorten(&r->idle_timeout, fin->idle_timeout);
    shorten(&r->hard_timeout, fin->hard_timeout);
    r->shortened = true;
    timeouts_add(o->timeouts, r);
    dp_bump(o->dp, &o->tables[fin->table].gen);
}

/* --- Time, flushes, the end of rules --- */

static void expire(struct rule *r, uint8_t reason, void *o) { hide(o, r, reason); }

void tables_run(struct ofproto *o, msec_t now)
{
    txn_begin(o, false);
    timeouts_run(o, now, expire, o);
    txn_end(o);
}

struct deletion {
    struct ofproto *o;
    bool (*fn)(const struct rule *, void *aux);
    void *aux;
    uint8_t reason;
};

static void delete_if(struct rule *r, void *d_)
{
    struct deletion *d = d_;
    if (d->fn(r, d->aux))
        hide(d->o, r, d->reason);
}

void tables_delete_if(struct ofproto *o, uint8_t reason, bool (*fn)(const struct rule *, void *aux), void *aux)
{
    struct deletion d = {o, fn, aux, reason};
    struct selection all = {.out_port = OFPP_ANY, .out_group = OFPG_ANY, .fn = delete_if, .aux = &d};
    txn_begin(o, false);
    select_loosely(o, OFPTT_ALL, NULL, &all);
    txn_end(o);
}

static bool every(const struct rule *r, void *unused)
{
    (void)r, (void)unused;
    return true;
}

void tables_flush(struct ofproto *o) { tables_delete_if(o, OFPRR_DELETE, every, NULL); }

static bool forwards_to(const struct rule *r, void *group_)
{
    const uint32_t *group = group_;
    return r->acts->forwards_to_groups && (*group == OFPG_ALL || rule_outputs_to(r, OFPP_ANY, *group));
}

/* OpenFlow 1.3.5, 6.5: "the group is removed, and all flow entries containing this group in a Group action are also
 * removed". */
void tables_group_deleted(struct ofproto *o, uint32_t group)
{
    tables_delete_if(o, OFPRR_GROUP_DELETE, forwards_to, &group);
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
