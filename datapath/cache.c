/* cache.c: the flow cache of one worker. */
#include "config.h"
#include "base/hash.h"
#include "base/mem.h"
#include "datapath/worker.h"
#include "packet/match.h"
#include "packet/parse.h"

/* One cache line: what is looked at first. */
struct bucket {
    uint32_t hash[CACHE_WAYS];
    uint32_t turn; /* the way to be given up next */
    struct cache_entry *entry[CACHE_WAYS];
};
static_assert(sizeof(struct bucket) == CACHE_LINE, "a line");

/* What this worker knows of one bridge. */
struct mask {
    uint32_t serial; /* of the bridge */
    uint32_t number;
    enum layer depth; /* to which packets are parsed */
    unsigned n;
    uint64_t seed;
    uint64_t generation; /* when it was started */
    msec_t started;
    struct {
        uint64_t bits;
        unsigned word;
    } words[FLOW_KEY_WORDS];
    struct flow_key bits;
};

struct cache {
    struct worker *worker;
    struct bucket *buckets;
    size_t n_buckets, count;
    uint32_t next_number;
    struct mask *masks[DP_MAX_BRIDGES];
    struct cache_entry *graveyard;
    struct dp_path scratch; /* what a walk fills */
    struct flow_key keys[BATCH];
    uint32_t hashes[BATCH];
};

static struct bucket *buckets_alloc(size_t n) { return xzalloc_line(n * sizeof(struct bucket)); }

struct cache *cache_create(struct worker *w)
{
    struct cache *c = xzalloc_line(sizeof *c);
    c->worker = w;
    c->n_buckets = CACHE_MIN_BUCKETS;
    c->buckets = buckets_alloc(c->n_buckets);
    dp_path_init(&c->scratch);
    return c;
}

void cache_reap(struct cache *c)
{
    while (c->graveyard) {
        struct cache_entry *e = c->graveyard;
        c->graveyard = e->next;
        free(e);
    }
}

void cache_destroy(struct cache *c)
{
    cache_reap(c);
    for (size_t i = 0; i < c->n_buckets; i++)
        for (unsigned way = 0; way < CACHE_WAYS; way++)
            free(c->buckets[i].entry[way]);
    for (unsigned i = 0; i < DP_MAX_BRIDGES; i++)
        free(c->masks[i]);
    dp_path_free(&c->scratch);
    free(c->buckets);
    free(c);
}

size_t cache_count(const struct cache *c) { return c->count; }

static void bury(struct cache *c, struct cache_entry *e)
{
    e->next = c->graveyard;
    c->graveyard = e;
}

/* --- masks --- */

static enum layer layer_of_word(unsigned word)
{
    size_t at = word * 8;
    return at >= offsetof(struct flow_key, l4) ? L_L4 : at >= offsetof(struct flow_key, ip) ? L_IP : L_ETH;
}

/* Widens m by `bits`: a new number, unless there was nothing new. */
static void mask_widen(struct cache *c, struct mask *m, const struct flow_key *bits)
{
    uint64_t news = 0;
    for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
        news |= key_words_const(bits)[i] & ~key_words(&m->bits)[i];
    if (!news)
        return;
    m->n = 0;
    m->depth = L_ETH;
    for (unsigned i = 0; i < FLOW_KEY_WORDS; i++) {
        uint64_t *word = &key_words(&m->bits)[i];
        *word |= key_words_const(bits)[i];
        if (*word) {
            m->words[m->n].word = i;
            m->words[m->n++].bits = *word;
            m->depth = MAX(m->depth, layer_of_word(i));
        }
    }
    m->number = ++c->next_number;
    m->seed = hash_mix(hash_seed(), m->number);
}

static void mask_start(struct cache *c, struct mask *m, uint32_t serial)
{
    *m = (struct mask){.serial = serial, .generation = c->worker->generation, .started = c->worker->now};
    struct flow_key in_port = {0};
    in_port.meta.in_port = (be32)~0u;
    mask_widen(c, m, &in_port);
}

static struct mask *mask_of(struct cache *c, const struct dp_bridge *bridge)
{
    struct mask *m = c->masks[bridge->index];
    if (unlikely(!m)) {
        m = c->masks[bridge->index] = xzalloc(sizeof *m);
        mask_start(c, m, bridge->serial);
    } else if (unlikely(m->serial != bridge->serial)) {
        mask_start(c, m, bridge->serial);
    } else if (unlikely(m->generation != c->worker->generation && c->worker->now - m->started >= CACHE_MASK_AGE)) {
        mask_start(c, m, bridge->serial);
    }
    return m;
}

static inline uint32_t mask_hash(const struct mask *m, const struct flow_key *key)
{
    uint64_t h = m->seed;
    for (unsigned i = 0; i < m->n; i++)
        h = hash_mix(h, key_words_const(key)[m->words[i].word] & m->words[i].bits);
    return hash_finish(h);
}

static inline bool entry_is(const struct cache_entry *e, const struct mask *m, const struct flow_key *key)
{
    if (e->mask_number != m->number)
        return false;
    uint64_t differ = 0;
    for (unsigned i = 0; i < m->n; i++)
        differ |= e->words[i] ^ (key_words_const(key)[m->words[i].word] & m->words[i].bits);
    return !differ;
}

/* --- the table --- */

static inline struct bucket *bucket_of(const struct cache *c, uint32_t hash)
{
    return &c->buckets[hash & (c->n_buckets - 1)];
}

/* Has nothing changed on which the entry depends? */
static bool entry_fresh(const struct worker *w, struct cache_entry *e)
{
    if (likely(e->generation == w->generation))
        return true;
    if (e->flushes != w->flushes)
        return false; /* before anything else: what the dependencies point to may be gone */
    for (uint32_t i = 0; i < e->n_deps; i++)
        if (load_acquire(&e->deps[i].gen->n) != e->deps[i].seen)
            return false;
    e->generation = w->generation;
    return true;
}

static bool entry_dead(const struct cache *c, const struct cache_entry *e)
{
    if (e->flushes != c->worker->flushes)
        return true;
    /* Its mask is no longer that of its bridge. */
    return e->mask_number != c->masks[e->bridge]->number;
}

static void cache_put(struct cache *c, struct bucket *b, unsigned way, struct cache_entry *e)
{
    if (b->entry[way])
        bury(c, b->entry[way]);
    else
        c->count++;
    b->hash[way] = e->hash;
    b->entry[way] = e;
}

/* More buckets if most entries are alive, else only without the dead. */
static void cache_resize(struct cache *c)
{
    size_t alive = 0, n_old = c->n_buckets;
    struct bucket *old = c->buckets;
    for (size_t i = 0; i < n_old; i++)
        for (unsigned way = 0; way < CACHE_WAYS; way++)
            alive += old[i].entry[way] && !entry_dead(c, old[i].entry[way]);
    if (alive >= n_old * CACHE_WAYS / 8)
        c->n_buckets *= 2;
    c->buckets = buckets_alloc(c->n_buckets);
    c->count = 0;
    for (size_t i = 0; i < n_old; i++)
        for (unsigned way = 0; way < CACHE_WAYS; way++) {
            struct cache_entry *e = old[i].entry[way];
            if (!e)
                continue;
            struct bucket *b = bucket_of(c, e->hash);
            unsigned to = 0;
            while (to < CACHE_WAYS && b->entry[to])
                to++;
            if (to == CACHE_WAYS || entry_dead(c, e))
                bury(c, e);
            else
                cache_put(c, b, to, e);
        }
    free(old);
}

/* Where to put an entry for `key`: in place of what it replaces, a free or a dead way; -1: all are alive. */
static int find_way(const struct cache *c, const struct bucket *b, const struct mask *m, const struct flow_key *key,
                    uint32_t hash)
{
    int way = -1;
    for (unsigned i = 0; i < CACHE_WAYS; i++) {
        const struct cache_entry *old = b->entry[i];
        if (old && b->hash[i] == hash && entry_is(old, m, key))
            return i; /* walked anew */
        if (!old || (way < 0 && entry_dead(c, old)))
            way = i;
    }
    return way;
}

static void cache_insert(struct cache *c, const struct mask *m, const struct flow_key *key, struct cache_entry *e)
{
    struct bucket *b = bucket_of(c, e->hash);
    int way = find_way(c, b, m, key, e->hash);
    if (way < 0 && c->count >= c->n_buckets * CACHE_WAYS / 4 && c->n_buckets < CACHE_MAX_BUCKETS) {
        cache_resize(c);
        b = bucket_of(c, e->hash);
        way = find_way(c, b, m, key, e->hash);
    }
    cache_put(c, b, way < 0 ? b->turn++ % CACHE_WAYS : (unsigned)way, e);
}

static struct cache_entry *cache_find(const struct cache *c, const struct mask *m, const struct flow_key *key,
                                      uint32_t hash)
{
    const struct bucket *b = bucket_of(c, hash);
    for (unsigned i = 0; i < CACHE_WAYS; i++)
        if (b->hash[i] == hash && b->entry[i] && entry_is(b->entry[i], m, key))
            return b->entry[i];
    return NULL;
}

/* --- entries --- */

/* One piece of memory with all that a path says. */
static struct cache_entry *entry_make(struct cache *c, const struct dp_bridge *bridge, const struct mask *m,
                                      const struct flow_key *key, const struct dp_path *path)
{
    size_t words = m->n * sizeof(uint64_t), deps = path->n_deps * sizeof *path->deps,
           tallies = path->n_tallies * sizeof *path->tallies;
    struct cache_entry *e = xmalloc(sizeof *e + words + deps + tallies + path->acts.len);
    uint8_t *at = (uint8_t *)e->words + words;
    *e = (struct cache_entry){
        .generation = c->worker->generation,
        .flushes = c->worker->flushes,
        .hash = mask_hash(m, key),
        .mask_number = m->number,
        .bridge = bridge->index,
        .acts_len = path->acts.len,
        .n_deps = path->n_deps,
        .n_tallies = path->n_tallies,
        .drop = path->drop,
        .group = UINT32_MAX,
        .deps = (const void *)at,
        .tallies = (const void *)(at + deps),
        .acts = at + deps + tallies,
    };
    for (unsigned i = 0; i < m->n; i++)
        e->words[i] = key_words_const(key)[m->words[i].word] & m->words[i].bits;
    if (deps)
        memcpy(at, path->deps, deps);
    if (tallies)
        memcpy(at + deps, path->tallies, tallies);
    if (path->acts.len)
        memcpy(at + deps + tallies, path->acts.data, path->acts.len);
    return e;
}

/* A packet that the first look did not find. */
static struct cache_entry *miss(struct cache *c, struct mask *m, struct dp_port *in, struct packet *p)
{
    struct worker *w = c->worker;
    struct flow_key key;
    key_parse(p, load_relaxed(&in->ofport), L_L4, &key);
    /* A packet before it in the same batch may have brought it in. */
    struct cache_entry *e = cache_find(c, m, &key, mask_hash(m, &key));
    if (e && entry_fresh(w, e))
        return e;

    struct dp_path *path = &c->scratch;
    dp_path_clear(path);
    uint64_t begin = cycles();
    in->bridge->walk(in->bridge->aux, &key, path);
    stat_add(&w->stats.walk_cycles, cycles() - begin);
    stat_add(&w->stats.walks, 1);
    if (path->uncacheable) {
        e = entry_make(c, in->bridge, m, &key, path);
        bury(c, e);
        return e;
    }
    mask_widen(c, m, &path->consulted);
    e = entry_make(c, in->bridge, m, &key, path);
    cache_insert(c, m, &key, e);
    return e;
}

void cache_lookup(struct cache *c, struct dp_port *in, struct packet *batch[], unsigned n, struct cache_entry *found[])
{
    struct worker *w = c->worker;
    struct mask *m = mask_of(c, in->bridge);
    uint64_t misses = 0;

    for (unsigned i = 0; i < n; i++) {
        key_parse(batch[i], load_relaxed(&in->ofport), m->depth, &c->keys[i]);
        c->hashes[i] = mask_hash(m, &c->keys[i]);
        __builtin_prefetch(bucket_of(c, c->hashes[i]));
    }
    for (unsigned i = 0; i < n; i++) {
        const struct bucket *b = bucket_of(c, c->hashes[i]);
        found[i] = NULL;
        for (unsigned way = 0; way < CACHE_WAYS; way++)
            if (b->hash[way] == c->hashes[i] && b->entry[way]) {
                __builtin_prefetch(found[i] = b->entry[way]);
                break;
            }
    }
    for (unsigned i = 0; i < n; i++) {
        struct cache_entry *e = found[i];
        /* That another entry of the bucket has the same 32 bits of hash hardly happens: the second look finds it. */
        if (unlikely(!e || !entry_is(e, m, &c->keys[i]) || !entry_fresh(w, e))) {
            found[i] = NULL;
            misses |= UINT64_C(1) << i;
        }
    }
    stat_add(&w->stats.cache_hits, n - (unsigned)__builtin_popcountll(misses));
    stat_add(&w->stats.cache_misses, (unsigned)__builtin_popcountll(misses));
    while (unlikely(misses)) {
        unsigned i = __builtin_ctzll(misses);
        misses &= misses - 1;
        found[i] = miss(c, m, in, batch[i]);
    }
    stat_set(&w->stats.cache_entries, c->count);
}

/* --- for people --- */

enum { MOST_SHOWN = 1000 };

static void show_field(enum field_id id, const union field_value *value, const union field_value *mask, void *aux)
{
    struct buf *out = aux;
    buf_printf(out, "%s=", fields[id].name);
    field_format(id, value, mask, NULL, out);
    buf_puts(out, ",");
}

static const char *show_port(uint32_t id, void *aux)
{
    const struct dp *dp = aux;
    const struct dp_port *port = id < DP_MAX_PORTS ? load_acquire(&dp->ports[id]) : NULL;
    return port ? port->name : NULL;
}

static void show_entry(const struct cache *c, const struct cache_entry *e, struct buf *out)
{
    const struct mask *m = c->masks[e->bridge];
    struct match match = {.mask = m->bits};
    for (unsigned i = 0; i < m->n; i++)
        key_words(&match.value)[m->words[i].word] = e->words[i];
    buf_puts(out, "  ");
    match_for_each(&match, show_field, out);
    buf_chomp(out, ',');
    buf_printf(out, " packets=%llu actions=", (unsigned long long)e->packets);
    if (e->acts_len)
        dpact_format(e->acts, e->acts_len, show_port, c->worker->dp, out);
    else
        buf_printf(out, "drop(%s)", drop_infos[e->drop].name);
    buf_puts(out, "\n");
}

/* Called by the worker itself, so that nothing moves. */
void cache_show(const struct cache *c, struct buf *out)
{
    unsigned shown = 0;
    buf_printf(out, "%zu entries, room for %zu\n", c->count, c->n_buckets * CACHE_WAYS);
    for (size_t i = 0; i < c->n_buckets && shown < MOST_SHOWN; i++)
        for (unsigned way = 0; way < CACHE_WAYS; way++)
            if (c->buckets[i].entry[way] && !entry_dead(c, c->buckets[i].entry[way])) {
                show_entry(c, c->buckets[i].entry[way], out);
                shown++;
            }
    if (shown >= MOST_SHOWN)
        buf_puts(out, "  ...\n");
}
