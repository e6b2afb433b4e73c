#include "ofproto/bridge.h"
#include "base/hash.h"
#include "base/mem.h"

/* --- Instructions, shared ---
 * Controllers install the same few action lists in thousands of rules. Main thread only; readers hold pointers to
 * entries, which therefore go after a grace period. */

static struct {
    struct rule_acts **bucket;
    size_t n, size;
} pool;

static void pool_grow(void)
{
    size_t size = pool.size ? pool.size * 2 : 64;
    struct rule_acts **bucket = xcalloc(size, sizeof *bucket);
    for (size_t i = 0; i < pool.size; i++)
        for (struct rule_acts *a = pool.bucket[i], *next; a; a = next) {
            next = a->next;
            a->next = bucket[a->hash & (size - 1)];
            bucket[a->hash & (size - 1)] = a;
        }
    free(pool.bucket);
    pool.bucket = bucket;
    pool.size = size;
}

static bool acts_conjoin(const void *list, size_t len)
{
    ACT_FOR_EACH (a, list, len)
        if (a->type == ACT_CONJUNCTION)
            return true;
    return false;
}

static const struct rule_acts *acts_ref(const void *list, size_t len)
{
    uint32_t hash = hash_bytes(list, len, 0);
    if (pool.n >= pool.size)
        pool_grow();
    struct rule_acts **head = &pool.bucket[hash & (pool.size - 1)];
    for (struct rule_acts *a = *head; a; a = a->next)
        if (a->hash == hash && a->len == len && !(len && memcmp(a->list, list, len))) {
            a->refs++;
            return a;
        }
    struct rule_acts *a = xmalloc(sizeof *a + len);
    a->refs = 1;
    a->hash = hash;
    a->len = len;
    a->forwards_to_groups = acts_name_groups(list, len);
    a->learns = acts_learn(list, len);
    a->conjoins = acts_conjoin(list, len);
    if (len)
        memcpy(a->list, list, len);
    a->next = *head;
    *head = a;
    pool.n++;
    return a;
}

static void acts_unref(void *a_)
{
    struct rule_acts *a = a_;
    if (--a->refs)
        return;
    struct rule_acts **p = &pool.bucket[a->hash & (pool.size - 1)];
    while (*p != a)
        p = &(*p)->next;
    *p = a->next;
    free(a);
    if (--pool.n == 0) {
        free(pool.bucket);
        pool.bucket = NULL;
        pool.size = 0;
    }
}

/* What acts_check() cannot know: which meters there are, which groups, and what walks execute.
 *
 * OpenFlow 1.3.5, 7.5.4.13: OFPMMFC_UNKNOWN_METER: the meter that an instruction names does not exist. */
enum ofp_error acts_check_references(const struct ofproto *o, const void *list, size_t len)
{
    enum ofp_error e = OFPERR_OK;
    struct act_set executed = walk_executes();
    ACT_FOR_EACH (a, list, len) {
        if (a->type == ACT_GROUP)
            e = group_exists(o, a->n) ? OFPERR_OK : OFPERR_BAC_BAD_OUT_GROUP;
        else if (a->type == INST_METER)
            e = meter_lookup(o, a->n) ? OFPERR_OK : OFPERR_MMFC_UNKNOWN_METER;
        else if (!act_set_has(&executed, a->type))
            e = a->type < INST_METER ? OFPERR_BAC_BAD_TYPE : OFPERR_BIC_UNSUP_INST;
        else if (a->type == ACT_CLONE || a->type == INST_WRITE_ACTIONS)
            e = acts_check_references(o, ((const struct act_nested *)a)->list, a->len - sizeof *a);
        if (e)
            return e;
    }
    return OFPERR_OK;
}

/* --- Rules --- */

/* In one piece: its tally if it has one of its own; if it is learned the tally of that, and their size; the rule. */
struct rule *rule_create(struct ofproto *o, const struct flow_mod *fm, struct rule *takes_tally_of, msec_t now)
{
    size_t size = MAX(offsetof(struct rule, cls) + cls_rule_size(&fm->match), sizeof(struct rule));
    size_t tally_size = takes_tally_of ? 0 : dp_tally_size(o->dp), learn_size = fm->learned ? dp_tally_size(o->dp) + sizeof(uint64_t) : 0;
    uint8_t *memory = xzalloc(tally_size + learn_size + size);
    struct rule *r = (struct rule *)(memory + tally_size + learn_size);
    r->cookie = fm->cookie;
    r->created = r->counted_since = now;
    r->idle_timeout = fm->idle_timeout;
    r->hard_timeout = fm->hard_timeout;
    r->flags = (uint8_t)fm->flags;
    r->importance = fm->importance;
    r->table = fm->table;
    r->learned = fm->learned;
    if (fm->learned)
        ((uint64_t *)r)[-1] = learn_size;
    r->acts = acts_ref(fm->acts.data, fm->acts.len);
    r->cls.soft = r->acts->conjoins;
    CDS_INIT_LIST_HEAD(&r->node);
    if (takes_tally_of) {
        r->tally = takes_tally_of->tally;
        takes_tally_of->tally_taken = true;
    } else {
        r->tally = (struct dp_tally *)memory;
        r->tally_own = true;
    }
    return r;
}

static void *begin(const struct rule *r) { return (uint8_t *)r - (r->learned ? ((const uint64_t *)r)[-1] : 0); }

struct dp_tally *rule_learn_tally(const struct rule *r) { return r->learned ? begin(r) : NULL; }

void rule_free(void *r_)
{
    struct rule *r = r_;
    void *tally = r->tally_taken ? NULL : r->tally, *rest = r->tally_own ? NULL : begin(r);
    acts_unref((void *)r->acts);
    free(tally); /* and the rule in whose memory it lies: this one, or one that was replaced and is long unlinked */
    free(rest);
}

/* OpenFlow 1.3.5, 6.4: "the entry's cookie, idle_timeout, hard_timeout, flags, counters and duration fields are left
 * unchanged", but for counters with OFPFF_RESET_COUNTS. 1.0.1, 4.6 says nothing of the cookie, and Open vSwitch sets it. */
struct rule *rule_modified(struct ofproto *o, struct rule *old, const struct flow_mod *fm, bool reset, msec_t now)
{
    struct flow_mod as_it_was = {.cookie = fm->of10 && fm->new_cookie != UINT64_MAX ? fm->new_cookie : old->cookie,
                                 .importance = old->importance,
                                 .table = old->table,
                                 .idle_timeout = old->idle_timeout,
                                 .hard_timeout = old->hard_timeout,
                                 .flags = old->flags,
                                 .learned = old->learned,
                                 .acts = fm->acts};
    cls_rule_match(&old->cls, &as_it_was.match);
    struct rule *r = rule_create(o, &as_it_was, reset ? NULL : old, now);
    uint64_t packets, bytes;
    msec_t used = 0;
    if (reset)
        dp_tally_read(o->dp, old->tally, &packets, &bytes, &used); /* a flow that idles goes on idling */
    r->created = old->created;
    r->shortened = old->shortened;
    r->counted_since = MAX(old->counted_since, used);
    return r;
}

void rule_give_back_tally(struct rule *r, struct rule *old)
{
    assert(r->tally == old->tally);
    old->tally_taken = false;
    r->tally_taken = true;
}

static bool list_outputs_to(const void *list, size_t len, uint32_t port, uint32_t group)
{
    ACT_FOR_EACH (a, list, len) {
        switch (a->type) {
        case ACT_OUTPUT:
            if (a->n == port)
                return true;
            break;
        case ACT_CONTROLLER:
        case ACT_CONTROLLER2:
            if (port == OFPP_CONTROLLER)
                return true;
            break;
        case ACT_GROUP:
            if (a->n == group && group != OFPG_ANY)
                return true;
            break;
        case ACT_CLONE:
        case INST_WRITE_ACTIONS:
            if (list_outputs_to(((const struct act_nested *)a)->list, a->len - sizeof *a, port, group))
                return true;
            break;
        default:
            break;
        }
    }
    return false;
}

/* OpenFlow 1.3.5, 6.4: out_port and out_group "introduce an additional constraint": each that is not ANY must be there. */
bool rule_outputs_to(const struct rule *r, uint32_t port, uint32_t group)
{
    return (port == OFPP_ANY || list_outputs_to(r->acts->list, r->acts->len, port, OFPG_ANY)) &&
           (group == OFPG_ANY || list_outputs_to(r->acts->list, r->acts->len, OFPP_ANY, group));
}

/* OpenFlow 1.3.5, 5.8: a counter that is not kept "must be set to the maximum field value". */
static void read_counters(struct ofproto *o, const struct rule *r, uint64_t *packets, uint64_t *bytes, msec_t *used)
{
    dp_tally_read(o->dp, r->tally, packets, bytes, used);
    if (r->flags & OFPFF_NO_PKT_COUNTS)
        *packets = UINT64_MAX;
    if (r->flags & OFPFF_NO_BYT_COUNTS)
        *bytes = UINT64_MAX;
}

void rule_fill_stats(struct ofproto *o, const struct rule *r, msec_t now, struct flow_stats *fs)
{
    msec_t age = MAX(now - r->created, 0);
    *fs = (struct flow_stats){
        .table = r->table,
        .priority = r->cls.priority,
        .idle_timeout = r->idle_timeout,
        .hard_timeout = r->hard_timeout,
        .flags = r->flags,
        .importance = r->importance,
        .duration_sec = age / 1000,
        .duration_nsec = age % 1000 * 1000000,
        .cookie = r->cookie,
        .acts = r->acts->list,
        .acts_len = r->acts->len,
    };
    cls_rule_match(&r->cls, &fs->match);
    msec_t used;
    read_counters(o, r, &fs->packets, &fs->bytes, &used);
    fs->idle_age = (uint32_t)(MAX(now - MAX(used, r->created), 0) / 1000) + 1;
    fs->hard_age = (uint32_t)(age / 1000) + 1;
}

void rule_fill_removed(struct ofproto *o, const struct rule *r, msec_t now, struct flow_removed *fr)
{
    msec_t age = MAX(now - r->created, 0);
    *fr = (struct flow_removed){
        .cookie = r->cookie,
        .priority = r->cls.priority,
        .idle_timeout = r->idle_timeout,
        .hard_timeout = r->hard_timeout,
        .reason = r->reason,
        .table = r->table,
        .duration_sec = age / 1000,
        .duration_nsec = age % 1000 * 1000000,
    };
    cls_rule_match(&r->cls, &fr->match);
    msec_t used;
    read_counters(o, r, &fr->packets, &fr->bytes, &used);
}
