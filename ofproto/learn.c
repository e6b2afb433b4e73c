/* learn.c: flows that flows make (Nicira's learn action).
 *
 * A walk that comes to a learn() makes the flow, looks whether it is there, and if not asks main for it (walk-learn.c). Main
 * adds it as a controller's flow-mod would. A request of a rule that is gone by then is void: learning_gen has changed.
 *
 * What rules share that learn with one table and cookie: how many of them want the learned flows deleted when the last of
 * them goes, and, if one has a limit, how many such flows there are. */
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "ofproto/bridge.h"

LOG_MODULE(learn);

enum { N_BUCKETS = 256 };

struct learners { /* of one table and cookie */
    struct learners *next; /* RCU */
    uint64_t cookie;
    size_t n_flows;        /* atomic; with this table and cookie, learned or not; only kept while n_limits */
    size_t n_deleting, n_limits; /* learn actions */
    uint8_t table;
    bool orphaned; /* n_deleting has come down to zero */
};

struct learning {
    size_t n;
    bool changed, orphans; /* orphans: look for learners of whom none is left */
    struct learners *bucket[N_BUCKETS]; /* RCU */
};

void learning_create(struct ofproto *o) { o->learning = xzalloc(sizeof *o->learning); }

static void defer_free(struct ofproto *o, void *p) { dp_defer(o->dp, free, p); }

void learning_destroy(struct ofproto *o)
{
    assert(!o->learning->n);
    defer_free(o, o->learning);
}

static struct learners **bucket_of(const struct ofproto *o, uint8_t table, uint64_t cookie)
{
    return &o->learning->bucket[hash_finish(hash_mix(hash_mix(hash_seed(), cookie), table)) % N_BUCKETS];
}

static struct learners *find(const struct ofproto *o, uint8_t table, uint64_t cookie)
{
    struct learners *l = __atomic_load_n(bucket_of(o, table, cookie), __ATOMIC_ACQUIRE);
    while (l && (l->cookie != cookie || l->table != table))
        l = __atomic_load_n(&l->next, __ATOMIC_ACQUIRE);
    return l;
}

static struct learners *find_or_add(struct ofproto *o, uint8_t table, uint64_t cookie)
{
    struct learners *l = find(o, table, cookie), **head = bucket_of(o, table, cookie);
    if (l)
        return l;
    l = xzalloc(sizeof *l);
    l->table = table;
    l->cookie = cookie;
    l->next = *head;
    __atomic_store_n(head, l, __ATOMIC_RELEASE);
    o->learning->n++;
    return l;
}

static void remove_learners(struct ofproto *o, struct learners *l)
{
    struct learners **link = bucket_of(o, l->table, l->cookie);
    while (*link != l)
        link = &(*link)->next;
    __atomic_store_n(link, l->next, __ATOMIC_RELEASE);
    o->learning->n--;
    defer_free(o, l);
}

/* --- Who learns --- */

static const void *nested(const struct act *a, size_t *len)
{
    *len = a->len - sizeof *a;
    return a->type == ACT_CLONE || a->type == INST_WRITE_ACTIONS ? ((const struct act_nested *)a)->list : NULL;
}

bool acts_learn(const void *list, size_t len)
{
    ACT_FOR_EACH (a, list, len) {
        size_t n;
        const void *in = nested(a, &n);
        if (a->type == ACT_LEARN || a->type == ACT_LEARN2 || (in && acts_learn(in, n)))
            return true;
    }
    return false;
}

struct count {
    uint64_t cookie;
    size_t n;
};

static bool count_one(struct cls_rule *r, void *c_)
{
    struct count *c = c_;
    c->n += rule_of(r)->cookie == c->cookie;
    return true;
}

static void count_learn(struct ofproto *o, const struct act_learn *a, int delta)
{
    if (!a->a.n && !(a->flags & LEARN_DELETE_LEARNED))
        return;
    struct learners *l = find_or_add(o, a->table, a->cookie);
    if (a->flags & LEARN_DELETE_LEARNED)
        l->n_deleting += (size_t)delta;
    if (a->a.n) {
        l->n_limits += (size_t)delta;
        if (delta > 0 && l->n_limits == 1) {
            struct count c = {l->cookie, 0};
            classifier_for_each(&o->tables[l->table].cls, NULL, txn_version(o), count_one, &c);
            __atomic_store_n(&l->n_flows, c.n, __ATOMIC_RELAXED);
        }
    }
    if (a->flags & LEARN_DELETE_LEARNED && !l->n_deleting)
        o->learning->orphans = l->orphaned = true;
    else if (!l->n_deleting && !l->n_limits && !l->orphaned)
        remove_learners(o, l);
}

static void count_list(struct ofproto *o, const void *list, size_t len, int delta)
{
    ACT_FOR_EACH (a, list, len) {
        size_t n;
        const void *in = nested(a, &n);
        if (a->type == ACT_LEARN || a->type == ACT_LEARN2)
            count_learn(o, (const struct act_learn *)a, delta);
        else if (in)
            count_list(o, in, n, delta);
    }
}

void learning_count(struct ofproto *o, const struct rule *r, int delta)
{
    const struct rule_acts *acts = r->acts;
    if (o->learning->n) {
        struct learners *l = find(o, r->table, r->cookie);
        if (l && l->n_limits)
            __atomic_store_n(&l->n_flows, l->n_flows + (size_t)delta, __ATOMIC_RELAXED);
    }
    if (acts->learns) {
        count_list(o, acts->list, acts->len, delta);
        o->learning->changed |= delta < 0;
    }
}

bool learning_changed(struct ofproto *o)
{
    bool changed = o->learning->changed;
    o->learning->changed = false;
    return changed;
}

/* A rule that was replaced by another one that learns the same has left none. */
bool learning_orphans(struct ofproto *o, uint8_t *table, uint64_t *cookie)
{
    if (!o->learning->orphans)
        return false;
    for (unsigned i = 0; i < N_BUCKETS; i++)
        for (struct learners *l = o->learning->bucket[i]; l; l = l->next)
            if (l->orphaned && l->n_deleting) {
                l->orphaned = false;
            } else if (l->orphaned) {
                *table = l->table;
                *cookie = l->cookie;
                l->orphaned = false;
                if (!l->n_limits)
                    remove_learners(o, l);
                return true;
            }
    o->learning->orphans = false;
    return false;
}

size_t learning_flows(const struct ofproto *o, uint8_t table, uint64_t cookie)
{
    const struct learners *l = find(o, table, cookie);
    return l ? __atomic_load_n(&l->n_flows, __ATOMIC_RELAXED) : 0;
}

/* --- What is learned --- */

bool learned_already(const struct rule *r, const struct punt_learn_flow *f)
{
    const struct rule_acts *acts = r->acts;
    bool same_time = r->shortened || (r->idle_timeout == f->idle_timeout && r->hard_timeout == f->hard_timeout);
    return r->learned && r->cookie == f->cookie && r->flags == f->flags && same_time &&
           acts_equal(acts->list, acts->len, f->acts, f->acts_len);
}

void learn_flow(struct ofproto *o, const void *request, size_t len, msec_t now)
{
    struct punt_learn_flow *f = xmalloc(len);
    struct flow_mod fm = FLOW_MOD_INIT;
    memcpy(f, request, len);
    assert(len >= sizeof *f && f->acts_len <= len - sizeof *f);
    struct rule *r = rule_of(classifier_find_exactly(&o->tables[f->table].cls, &f->match, f->priority, o->version));
    bool full = !r && f->limit && learning_flows(o, f->table, f->cookie) >= f->limit;
    if (f->epoch == __atomic_load_n(&o->learning_gen.n, __ATOMIC_RELAXED) && !full && !(r && learned_already(r, f))) {
        fm.match = f->match;
        fm.command = OFPFC_ADD;
        fm.table = f->table;
        fm.cookie = f->cookie;
        fm.priority = f->priority;
        fm.idle_timeout = f->idle_timeout;
        fm.hard_timeout = f->hard_timeout;
        fm.flags = f->flags;
        fm.learned = true;
        buf_put(&fm.acts, f->acts, f->acts_len);
        enum ofp_error e = tables_flow_mod(o, &fm, now);
        if (e)
            log_warn_rl("%s: a flow of table %u cannot be learned: %s", o->name, f->table, ofp_error_sentence(e));
    }
    flow_mod_free(&fm);
    free(f);
}
