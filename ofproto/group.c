/* group.c: the group table (OpenFlow 1.3.5, 5.6 and 6.5).
 *
 * Walks find groups by number in a hash table with open addressing, published under RCU. A group's generation is that
 * of its number's slot among a fixed number of generations, which live as long as the bridge.
 *
 * A group that is deleted goes in two steps, as rules do: the flows that forward to it are hidden and it is dying; when
 * every worker has left the older version of the tables (groups_settle), it leaves the hash table. So no packet meets a
 * flow whose group is gone.
 *
 * In a transaction main changes a copy of the table of pointers. What walks see stays as it is: a group that is
 * modified is replaced in the copy by a fresh one, which goes on counting in the same tally. The copy is for walks of
 * the next version of the flow tables, so that flows and groups change at one moment; those of the version before find
 * theirs behind it. */
#include "ofproto/group.h"
#include "ofproto/walk.h"

#include <stdlib.h>
#include "base/hash.h"
#include "base/mem.h"

enum { N_GENS = 1024, FIRST_SIZE = 64 };

struct group_map {
    cls_version_t since;     /* walks of versions before… */
    struct group_map *older; /* … look here. RCU */
    size_t mask;
    size_t held, used;    /* slots that hold a group; that are not NULL */
    struct group *slot[]; /* NULL: never used; &gone: the search goes on */
};

struct groups {
    struct group_map *map;         /* RCU: what walks see */
    struct group_map *next;        /* what main sees and changes: the same, or a copy while a transaction is open */
    size_t n;                      /* groups that are not dying */
    size_t bytes;                  /* of their configs */
    size_t n_before, bytes_before; /* the transaction */
    uint64_t mark;
    struct cds_list_head dying;
    struct group_config *replaced;
    struct dp_gen gen[N_GENS];
};

static struct group gone;

static uint32_t hash_id(uint32_t id) { return hash_finish(hash_mix(0, id)); }
static struct dp_gen *gen_of(const struct ofproto *o, uint32_t id) { return &o->groups->gen[hash_id(id) % N_GENS]; }

static struct group **find_slot(struct group_map *m, uint32_t id)
{
    size_t i = hash_id(id) & m->mask;
    for (;; i = (i + 1) & m->mask) {
        struct group *g = __atomic_load_n(&m->slot[i], __ATOMIC_ACQUIRE);
        if (!g || (g != &gone && g->id == id))
            return &m->slot[i];
    }
}

struct group *group_lookup(const struct ofproto *o, uint32_t id, cls_version_t version, struct dp_path *path)
{
    dp_path_dep(path, gen_of(o, id));
    if (__atomic_load_n(&o->version, __ATOMIC_ACQUIRE) != version) /* as with tables: the last of the version before */
        path->uncacheable = true;
    struct group_map *m = __atomic_load_n(&o->groups->map, __ATOMIC_ACQUIRE);
    if (m->since > version)
        m = __atomic_load_n(&m->older, __ATOMIC_ACQUIRE);
    return __atomic_load_n(find_slot(m, id), __ATOMIC_ACQUIRE);
}

/* Main. */
static struct group *find(const struct ofproto *o, uint32_t id)
{
    struct group *g = *find_slot(o->groups->next, id);
    return g && !g->dying && !g->doomed ? g : NULL;
}

bool group_exists(const struct ofproto *o, uint32_t id) { return find(o, id) != NULL; }

/* --- The map --- */

static struct group_map *map_new(size_t size)
{
    struct group_map *m = xzalloc(sizeof *m + size * sizeof m->slot[0]);
    m->mask = size - 1;
    return m;
}

/* With room for one more, and without the slots of groups that are gone. */
static struct group_map *map_copy(const struct group_map *old)
{
    struct group_map *m = map_new((size_t)4 << (63 - __builtin_clzll(old->held + FIRST_SIZE)));
    m->held = m->used = old->held;
    m->since = old->since;
    m->older = old->older;
    for (size_t i = 0; i <= old->mask; i++)
        if (old->slot[i] && old->slot[i] != &gone)
            *find_slot(m, old->slot[i]->id) = old->slot[i];
    return m;
}

static bool is_open(const struct groups *gs) { return gs->next != gs->map; }

static void map_insert(struct ofproto *o, struct group *g)
{
    struct groups *gs = o->groups;
    struct group_map *m = gs->next;
    if (2 * (m->used + 1) > m->mask) {
        m = map_copy(gs->next);
        if (is_open(gs)) {
            free(gs->next);
            gs->next = m;
        } else {
            __atomic_store_n(&gs->map, m, __ATOMIC_RELEASE);
            dp_defer(o->dp, free, gs->next);
            gs->next = m;
        }
    }
    struct group **slot = find_slot(m, g->id);
    m->used += !*slot;
    m->held += !*slot;
    __atomic_store_n(slot, g, __ATOMIC_RELEASE);
}

/* Calls fn for each group in the map, whatever its state. */
static void map_for_each(struct ofproto *o, struct group_map *m, void (*fn)(struct ofproto *, struct group *))
{
    for (size_t i = 0; i <= m->mask; i++)
        if (m->slot[i] && m->slot[i] != &gone)
            fn(o, m->slot[i]);
}

/* --- Groups that lists of actions forward to --- */

static void collect(const void *list, size_t len, struct buf *ids)
{
    ACT_FOR_EACH(a, list, len)
    {
        if (a->type == ACT_GROUP)
            buf_put(ids, &a->n, sizeof a->n);
        else if (a->type == ACT_CLONE || a->type == INST_WRITE_ACTIONS)
            collect(((const struct act_nested *)a)->list, a->len - sizeof *a, ids);
    }
}

static int by_number(const void *a_, const void *b_)
{
    const uint32_t *a = a_, *b = b_;
    return (*a > *b) - (*a < *b);
}

/* Calls fn for each group that is named, once. */
static void each_named(const struct buf *ids, void (*fn)(struct ofproto *, uint32_t id, void *aux), struct ofproto *o,
                       void *aux)
{
    uint32_t *id = (uint32_t *)ids->data;
    size_t n = ids->len / sizeof *id;
    if (n > 1)
        qsort(id, n, sizeof *id, by_number);
    for (size_t i = 0; i < n; i++)
        if (!i || id[i] != id[i - 1])
            fn(o, id[i], aux);
}

static void collect_config(const struct group_config *c, struct buf *ids)
{
    for (size_t i = 0; i < c->n_buckets; i++)
        collect(c->bucket[i].acts, c->bucket[i].acts_len, ids);
}

static void collect_watched(const struct group_config *c, struct buf *ids)
{
    for (size_t i = 0; i < c->n_buckets; i++)
        if (c->bucket[i].watch_group != OFPG_ANY)
            buf_put(ids, &c->bucket[i].watch_group, sizeof(uint32_t));
}

/* OpenFlow 1.3.5, 7.3.5.9: ref_count is the "number of flows or groups that directly forward to this group". */
static void count_flow(struct ofproto *o, uint32_t id, void *delta)
{
    struct group *g = find(o, id);
    if (g)
        g->n_flows += (uint32_t) * (int *)delta;
}

static void count_group(struct ofproto *o, uint32_t id, void *delta)
{
    struct group *g = find(o, id);
    if (g)
        g->n_groups += (uint32_t) * (int *)delta;
}

void groups_count_flow(struct ofproto *o, const struct rule_acts *acts, int delta)
{
    struct buf ids = BUF_INIT;
    if (!acts->forwards_to_groups)
        return;
    collect(acts->list, acts->len, &ids);
    each_named(&ids, count_flow, o, &delta);
    buf_free(&ids);
}

static void count_config(struct ofproto *o, const struct group_config *c, int delta)
{
    struct buf ids = BUF_INIT;
    collect_config(c, &ids);
    each_named(&ids, count_group, o, &delta);
    buf_free(&ids);
}

bool acts_name_groups(const void *list, size_t len)
{
    ACT_FOR_EACH(a, list, len)
    if (a->type == ACT_GROUP || ((a->type == ACT_CLONE || a->type == INST_WRITE_ACTIONS) &&
                                 acts_name_groups(((const struct act_nested *)a)->list, a->len - sizeof *a)))
        return true;
    return false;
}

/* --- Making and ending --- */

static size_t tally_size(struct dp *dp)
{
    size_t size = dp_tally_size(dp);
    return size > sizeof(struct dp_tally) ? ROUND_UP(size, CACHE_LINE)
                                          : size; /* of several workers: two share no line */
}

static uint64_t bucket_key(const struct group_config *c, const struct bucket *b)
{
    uint64_t key = hash_bytes(b->acts, b->acts_len, (uint64_t)b->watch_port << 32 | b->watch_group), twins = 0;
    for (const struct bucket *other = c->bucket; other < b; other++)
        twins += other->key >> 16 == key;
    return key << 16 | twins;
}

static struct group_config *config_new(struct ofproto *o, const struct group_desc *d)
{
    size_t tally = tally_size(o->dp),
           fixed = ROUND_UP(sizeof(struct group_config) + d->n_buckets * sizeof(struct bucket), CACHE_LINE);
    size_t size = fixed + d->n_buckets * tally + d->acts.len;
    uint8_t *memory = xzalloc_line(size);
    struct group_config *c = (struct group_config *)memory;
    uint8_t *acts = memory + fixed + d->n_buckets * tally;
    c->type = d->type;
    c->bytes = size;
    c->salt = ofproto_datapath_id(o) ^ (uint64_t)d->id << 32;
    if (d->acts.len)
        memcpy(acts, d->acts.data, d->acts.len);
    for (size_t i = 0; i < d->n_buckets; i++) {
        const struct group_bucket *from = &d->buckets[i];
        struct bucket *b = &c->bucket[i];
        *b = (struct bucket){.id = from->id,
                             .weight = from->weight,
                             .watch_port = from->watch_port,
                             .watch_group = from->watch_group,
                             .acts = acts + from->acts,
                             .acts_len = from->acts_len,
                             .tally = (struct dp_tally *)(memory + fixed + i * tally)};
        b->key = bucket_key(c, b);
        c->n_buckets = i + 1;
    }
    return c;
}

static void group_free(void *g_)
{
    struct group *g = g_;
    free((void *)g->config);
    if (!g->tally_taken)
        free(g->tally);
    free(g);
}

/* --- Checks --- */

struct search {
    struct ofproto *o;
    const struct group_mod *gm;
    struct buf todo; /* struct group * */
    bool found;
};

static void visit(struct ofproto *o, uint32_t id, void *s_)
{
    struct search *s = s_;
    struct group *g = find(o, id);
    s->found |= id == s->gm->group.id;
    if (g && g->mark != o->groups->mark) {
        g->mark = o->groups->mark;
        buf_put(&s->todo, &g, sizeof g);
    }
}

/* Would the group that *gm describes come back to itself, by forwarding, or (`watching`) also by watching? */
static bool makes_loop(struct ofproto *o, const struct group_mod *gm, bool watching)
{
    struct search s = {.o = o, .gm = gm};
    const struct group_desc *d = &gm->group;
    struct buf ids = BUF_INIT;
    o->groups->mark++;
    collect(d->acts.data, d->acts.len, &ids);
    for (size_t i = 0; watching && i < d->n_buckets; i++)
        if (d->buckets[i].watch_group != OFPG_ANY)
            buf_put(&ids, &d->buckets[i].watch_group, sizeof(uint32_t));
    each_named(&ids, visit, o, &s);
    for (size_t at = 0; at < s.todo.len && !s.found; at += sizeof(struct group *)) {
        struct group *g;
        memcpy(&g, s.todo.data + at, sizeof g);
        buf_clear(&ids);
        collect_config(g->config, &ids);
        if (watching)
            collect_watched(g->config, &ids);
        each_named(&ids, visit, o, &s);
    }
    buf_free(&ids);
    buf_free(&s.todo);
    return s.found;
}

/* 6.5: WATCH_UNSUPPORTED is for what cannot be watched in principle (group_check() has that), BAD_WATCH for what is not
 * there. A port or group that goes away later is not live. */
static enum ofp_error check_watches(struct ofproto *o, const struct group_desc *d)
{
    for (size_t i = 0; i < d->n_buckets; i++) {
        const struct group_bucket *b = &d->buckets[i];
        if (b->watch_port != OFPP_ANY && !ofport_lookup(o, b->watch_port))
            return OFPERR_GMFC_BAD_WATCH;
        if (b->watch_group != OFPG_ANY && b->watch_group != d->id && !find(o, b->watch_group))
            return OFPERR_GMFC_BAD_WATCH;
    }
    return OFPERR_OK;
}

static enum ofp_error check_forwards(struct ofproto *o, const struct group_mod *gm)
{
    const struct group_desc *d = &gm->group;
    struct buf ids = BUF_INIT;
    enum ofp_error e = OFPERR_OK;
    collect(d->acts.data, d->acts.len, &ids);
    for (size_t i = 0; i < ids.len && !e; i += sizeof(uint32_t)) {
        uint32_t id;
        memcpy(&id, ids.data + i, sizeof id);
        e = id == d->id ? OFPERR_GMFC_LOOP : find(o, id) ? OFPERR_OK : OFPERR_BAC_BAD_OUT_GROUP;
    }
    bool any = ids.len != 0;
    buf_free(&ids);
    if (!e && any && makes_loop(o, gm, false))
        e = OFPERR_GMFC_LOOP;
    if (!e && makes_loop(o, gm, true))
        e = OFPERR_GMFC_BAD_WATCH;
    return e;
}

static enum ofp_error check_bucket(struct ofproto *o, const void *acts, size_t len)
{
    size_t n = 0;
    ACT_FOR_EACH(a, acts, len)
    n++;
    return n > WALK_SET_SIZE ? OFPERR_BAC_TOO_MANY : acts_check_references(o, acts, len);
}

static enum ofp_error check_space(struct ofproto *o, const struct group_mod *gm, const struct group *old)
{
    size_t bytes = gm->group.n_buckets * (sizeof(struct bucket) + tally_size(o->dp)) + gm->group.acts.len;
    if (!old && o->groups->n >= MAX_GROUPS)
        return OFPERR_GMFC_OUT_OF_GROUPS;
    return o->groups->bytes - (old ? old->config->bytes : 0) + bytes > MAX_GROUP_BYTES ? OFPERR_GMFC_OUT_OF_BUCKETS
                                                                                       : OFPERR_OK;
}

enum ofp_error group_mod_check(struct ofproto *o, const struct group_mod *gm)
{
    const struct group_desc *d = &gm->group;
    char why[200];
    struct act_context ctx = {.n_tables = N_TABLES, .max_ports = OFPP_MAX};
    struct group *g = find(o, d->id);
    enum ofp_error e = group_check(gm, &ctx, NULL, why);
    if (e)
        return e;
    if (gm->command == OFPGC_DELETE) /* "A switch may support checking that groups forwarded to by other groups are not
                                        removed": ours does. All of them may go together. */
        return g && g->n_groups ? OFPERR_GMFC_CHAINED_GROUP : OFPERR_OK;
    if (gm->command == OFPGC_ADD && g)
        return OFPERR_GMFC_GROUP_EXISTS;
    if (gm->command == OFPGC_MODIFY && !g)
        return OFPERR_GMFC_UNKNOWN_GROUP;
    e = check_forwards(o, gm);
    for (size_t i = 0; i < d->n_buckets && !e; i++)
        e = check_bucket(o, group_acts(d, &d->buckets[i]), d->buckets[i].acts_len);
    if (!e)
        e = check_watches(o, d);
    return e ? e : check_space(o, gm, g);
}

/* --- Changes --- */

static void add(struct ofproto *o, const struct group_desc *d, msec_t now)
{
    struct group *g = xzalloc(sizeof *g), *old = *find_slot(o->groups->next, d->id);
    struct group_config *c = config_new(o, d);
    if (old && old->fresh) { /* made and deleted in this transaction */
        g->replaces = old->replaces;
    } else if (old && old->doomed) {
        g->replaces = old;
    } else if (old) { /* deleted in this round */
        ofproto_settle(o, true);
        old = NULL;
    }
    g->id = d->id;
    g->fresh = is_open(o->groups);
    g->created = now;
    g->tally = xzalloc_line(tally_size(o->dp));
    g->config = c;
    count_config(o, c, 1);
    map_insert(o, g);
    if (old && old->fresh) {
        old->tally_taken = old->replaces && old->replaces->tally == old->tally;
        group_free(old);
    }
    o->groups->n++;
    o->groups->bytes += c->bytes;
}

/* Cached paths count in its tallies until dp_synchronize(). */
static void retire_config(struct ofproto *o, struct group_config *c)
{
    c->next = o->groups->replaced;
    o->groups->replaced = c;
}

/* 6.5: "group top-level statistics are preserved (continued), group bucket statistics are reset (cleared)". */
static void modify(struct ofproto *o, struct group *g, const struct group_desc *d)
{
    struct group_config *old = (struct group_config *)g->config, *c = config_new(o, d);
    count_config(o, old, -1);
    count_config(o, c, 1);
    o->groups->bytes += c->bytes - old->bytes;
    if (is_open(o->groups) && !g->fresh) {
        struct group *fresh = xmemdup(g, sizeof *g);
        fresh->fresh = true;
        fresh->replaces = g;
        fresh->config = c;
        map_insert(o, fresh);
        return;
    }
    __atomic_store_n(&g->config, c, __ATOMIC_RELEASE);
    if (g->fresh)
        free(old);
    else
        retire_config(o, old);
}

static void kill_group(struct ofproto *o, struct group *g)
{
    __atomic_store_n(&g->dying, true, __ATOMIC_RELAXED);
    cds_list_add_tail(&g->node, &o->groups->dying);
    dp_bump(o->dp, gen_of(o, g->id)); /* for those that watch it */
}

static void delete_one(struct ofproto *o, struct group *g)
{
    if (g->dying || g->doomed)
        return;
    count_config(o, g->config, -1);
    o->groups->n--;
    o->groups->bytes -= g->config->bytes;
    if (is_open(o->groups))
        g->doomed = true;
    else
        kill_group(o, g);
}

void groups_flush(struct ofproto *o)
{
    if (!o->groups->n)
        return;
    tables_group_deleted(o, OFPG_ALL);
    map_for_each(o, o->groups->next, delete_one);
    o->unsettled = true;
}

void group_mod_apply(struct ofproto *o, const struct group_mod *gm, msec_t now)
{
    uint32_t id = gm->group.id;
    struct group *g = find(o, id);
    if (gm->command == OFPGC_DELETE) {
        if (g && g->n_flows)
            tables_group_deleted(o, id);
        if (g)
            delete_one(o, g);
        else if (id == OFPG_ALL)
            groups_flush(o);
    } else {
        if (g)
            modify(o, g, &gm->group);
        else
            add(o, &gm->group, now);
        if (!is_open(o->groups))
            dp_bump(o->dp, gen_of(o, id));
    }
    o->unsettled = true;
}

/* --- Transactions --- */

void groups_begin(struct ofproto *o)
{
    struct groups *gs = o->groups;
    assert(!is_open(gs));
    if (groups_wait(o))
        ofproto_settle(o, true);
    gs->next = map_copy(gs->map);
    gs->next->older = NULL;
    gs->n_before = gs->n;
    gs->bytes_before = gs->bytes;
}

static void retire(struct ofproto *o, struct group *g) { cds_list_add_tail(&g->node, &o->groups->dying); }

static void commit_one(struct ofproto *o, struct group *g)
{
    struct group *old = g->replaces;
    bool shared = old && old->tally == g->tally;
    if (g->doomed) {
        *find_slot(o->groups->next, g->id) = &gone;
        o->groups->next->held--;
    }
    if (g->doomed && g->fresh) { /* nobody will have seen it */
        g->tally_taken = shared;
        group_free(g);
    } else if (g->doomed) {
        retire(o, g);
    } else if (g->fresh) {
        if (shared)
            old->tally_taken = true;
        g->fresh = false;
        g->replaces = NULL;
    }
    if (old)
        retire(o, old);
}

void groups_commit(struct ofproto *o)
{
    struct groups *gs = o->groups;
    assert(is_open(gs));
    map_for_each(o, gs->next, commit_one);
    gs->next->since = o->version + 1;
    gs->next->older = gs->map;
    __atomic_store_n(&gs->map, gs->next, __ATOMIC_RELEASE);
    o->unsettled = true;
}

void groups_committed(struct ofproto *o)
{
    for (size_t i = 0; i < N_GENS; i++)
        dp_bump(o->dp, &o->groups->gen[i]);
}

static void roll_back_one(struct ofproto *o, struct group *g)
{
    (void)o;
    struct group *old = g->replaces;
    if (!g->fresh) {
        g->doomed = false;
        return;
    }
    if (old)
        old->doomed = false;
    g->tally_taken = old && old->tally == g->tally;
    group_free(g);
}

static void forget_references(struct ofproto *o, struct group *g)
{
    (void)o;
    g->n_flows = g->n_groups = 0;
}

static void count_references(struct ofproto *o, struct group *g) { count_config(o, g->config, 1); }
static void count_rule(struct rule *r, void *o) { groups_count_flow(o, r->acts, 1); }

void groups_roll_back(struct ofproto *o)
{
    struct groups *gs = o->groups;
    struct flow_stats_request all = {.table = OFPTT_ALL, .out_port = OFPP_ANY, .out_group = OFPG_ANY};
    map_for_each(o, gs->next, roll_back_one);
    free(gs->next);
    gs->next = gs->map;
    gs->n = gs->n_before;
    gs->bytes = gs->bytes_before;
    map_for_each(o, gs->map, forget_references);
    map_for_each(o, gs->map, count_references);
    tables_select(o, &all, count_rule, o);
}

/* --- The end --- */

bool groups_wait(const struct ofproto *o)
{
    return !cds_list_empty(&o->groups->dying) || o->groups->replaced || o->groups->map->older;
}

void groups_settle(struct ofproto *o)
{
    struct groups *gs = o->groups;
    struct group *g, *next;
    assert(!is_open(gs));
    cds_list_for_each_entry_safe(g, next, &gs->dying, node)
    {
        struct group **slot = find_slot(gs->map, g->id);
        if (*slot == g) { /* not if another one has replaced it */
            __atomic_store_n(slot, &gone, __ATOMIC_RELEASE);
            gs->map->held--;
        }
        dp_bump(o->dp, gen_of(o, g->id));
        dp_defer(o->dp, group_free, g);
    }
    CDS_INIT_LIST_HEAD(&gs->dying);
    if (gs->map->older) {
        dp_defer(o->dp, free, gs->map->older);
        __atomic_store_n(&gs->map->older, NULL, __ATOMIC_RELEASE);
    }
    while (gs->replaced) {
        struct group_config *c = gs->replaced;
        gs->replaced = c->next;
        dp_defer(o->dp, free, c);
    }
}

void groups_create(struct ofproto *o)
{
    o->groups = xzalloc(sizeof *o->groups);
    o->groups->map = o->groups->next = map_new(FIRST_SIZE);
    CDS_INIT_LIST_HEAD(&o->groups->dying);
}

/* Behind tables_destroy(). Walks of other bridges may be under way, so all of it goes after a grace period. */
void groups_destroy(struct ofproto *o)
{
    groups_flush(o);
    groups_settle(o);
    dp_defer(o->dp, free, o->groups->map);
    dp_defer(o->dp, free, o->groups);
}

/* --- What messages ask --- */

static void fill_stats(struct ofproto *o, const struct group *g, msec_t now, struct group_stats *s)
{
    const struct group_config *c = g->config;
    msec_t age = MAX(now - g->created, (msec_t)0), used;
    *s = (struct group_stats){.id = g->id,
                              .ref_count = g->n_flows + g->n_groups,
                              .duration_sec = (uint32_t)(age / 1000),
                              .duration_nsec = (uint32_t)(age % 1000 * 1000000),
                              .n_buckets = c->n_buckets};
    s->buckets = xcalloc(c->n_buckets + 1, sizeof *s->buckets);
    dp_tally_read(o->dp, g->tally, &s->sum.packets, &s->sum.bytes, &used);
    for (size_t i = 0; i < c->n_buckets; i++)
        dp_tally_read(o->dp, c->bucket[i].tally, &s->buckets[i].packets, &s->buckets[i].bytes, &used);
}

void group_put_stats(struct ofproto *o, const struct group *g, msec_t now, uint8_t version, struct ofp_parts *parts)
{
    struct group_stats s;
    fill_stats(o, g, now, &s);
    group_stats_encode(&s, version, parts);
    free(s.buckets);
}

void group_put_desc(const struct group *g, uint8_t version, struct ofp_parts *parts)
{
    const struct group_config *c = g->config;
    struct group_desc d = {.id = g->id, .type = c->type};
    for (size_t i = 0; i < c->n_buckets; i++) {
        const struct bucket *from = &c->bucket[i];
        struct group_bucket *b = group_desc_add_bucket(&d);
        b->id = from->id;
        b->weight = from->weight;
        b->watch_port = from->watch_port;
        b->watch_group = from->watch_group;
        b->acts_len = from->acts_len;
        buf_put(&d.acts, from->acts, from->acts_len);
    }
    group_desc_encode(&d, version, parts);
    group_desc_free(&d);
}

/* In order of number, but a group behind those that it forwards to or watches: so a dump can be given back line by
 * line. */
struct sorting {
    struct group **list;
    size_t n;
};

static void append_group(struct ofproto *o, uint32_t id, void *s_)
{
    enum { MAX_NESTING = 1000 };
    struct sorting *s = s_;
    struct group *g = find(o, id);
    struct buf ids = BUF_INIT;
    static unsigned depth; /* there are no loops; longer chains than any walk goes need no order */
    if (!g || g->mark == o->groups->mark)
        return;
    g->mark = o->groups->mark;
    if (g->config->n_buckets && depth < MAX_NESTING) {
        depth++;
        collect_config(g->config, &ids);
        collect_watched(g->config, &ids);
        each_named(&ids, append_group, o, s);
        depth--;
    }
    buf_free(&ids);
    s->list[s->n++] = g;
}

void groups_for_each(struct ofproto *o, void (*fn)(const struct group *, void *aux), void *aux)
{
    struct groups *gs = o->groups;
    struct sorting s = {.list = xcalloc(gs->n + 1, sizeof *s.list)};
    uint32_t *ids = xcalloc(gs->n + 1, sizeof *ids);
    size_t n = 0;
    gs->mark++;
    for (size_t i = 0; i <= gs->next->mask; i++) {
        struct group *g = gs->next->slot[i];
        if (g && g != &gone && !g->dying && !g->doomed)
            ids[n++] = g->id;
    }
    qsort(ids, n, sizeof *ids, by_number);
    for (size_t i = 0; i < n; i++)
        append_group(o, ids[i], &s);
    for (size_t i = 0; i < s.n; i++)
        fn(s.list[i], aux);
    free(ids);
    free(s.list);
}

const struct group *group_find(const struct ofproto *o, uint32_t id) { return find(o, id); }
