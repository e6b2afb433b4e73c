/* cache.c: the flow cache of one worker. */
#include "config.h"
#include <sys/mman.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include "base/hash.h"
#include "base/mem.h"
#include "datapath/cache-mask.h"
#include "datapath/tally.h"
#include "datapath/worker.h"
#include "packet/match.h"

/* The words of a packet under its mask, and what they lead to. One unit of memory or more. */
struct entry {
    uint32_t mask_number; /* free: the next free one */
    uint16_t units, bridge;
    struct cache_path *path;
    uint64_t words[];
};

enum {
    UNIT = CACHE_LINE,
    MAX_UNITS = (sizeof(struct entry) + MASK_WORDS * 8 + UNIT - 1) / UNIT,
    CHUNK_BITS = 15, /* units in a chunk */
    CHUNK = 1 << CHUNK_BITS,
    MAX_CHUNKS = 128,
    BIG_PAGE = 2 << 20,
    MOVED_AT_ONCE = 4, /* buckets, while the table grows */
};

/* One cache line. A tag is 16 bits of the hash and never 0, which is a free way. An entry that is not in the bucket of
 * its hash is in the other one, which the tag tells. */
struct bucket {
    uint16_t tag[CACHE_WAYS];
    uint32_t entry[CACHE_WAYS]; /* its unit */
    uint8_t used;               /* bit per way: found since it was last passed over */
    uint8_t turn;               /* the way to be looked at next for being given up */
} __attribute__((aligned(CACHE_LINE)));
static_assert(sizeof(struct bucket) == CACHE_LINE, "a line");

struct cache {
    struct worker *worker;
    struct bucket *buckets;
    size_t n_buckets, count;
    struct bucket *old; /* while it grows: the half as many before, of which the first `moved` are in `buckets` */
    size_t moved;
    uint32_t next_number;
    uint64_t flushes;

    /* Memory for entries: chunks of units; what was given back, by its number of units; what was never used. */
    uint8_t *chunks[MAX_CHUNKS];
    uint32_t free[MAX_UNITS + 1]; /* lists, NONE at their end */
    uint32_t n_units;

    struct mask *masks[DP_MAX_BRIDGES];
    struct cache_paths paths;
    struct dp_path scratch; /* what a walk fills */
    uint32_t hashes[BATCH];
    uint64_t words[BATCH * MASK_WORDS]; /* of the batch, under the mask */
};

enum { NONE = UINT32_MAX };

/* --- memory --- */

static inline struct entry *entry_at(const struct cache *c, uint32_t unit)
{
    return (struct entry *)(c->chunks[unit >> CHUNK_BITS] + (size_t)(unit & (CHUNK - 1)) * UNIT);
}

static unsigned units_of(unsigned n_words) { return (sizeof(struct entry) + n_words * 8 + UNIT - 1) / UNIT; }

/* Large pieces are reached at random: fewer, larger pages spare walks of the page table. Zeroed, and its pages come into
 * being when they are used. `sparse`: few may be. */
static void *alloc_big(size_t size, bool sparse)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        abort(); /* as mem.h */
    if (size >= BIG_PAGE && !sparse)
        madvise(p, size, MADV_HUGEPAGE);
    return p;
}

/* NONE: there is no more. */
static uint32_t entry_alloc(struct cache *c, unsigned units)
{
    uint32_t unit = c->free[units];
    if (unit != NONE) {
        c->free[units] = entry_at(c, unit)->mask_number;
        return unit;
    }
    unit = c->n_units;
    if ((unit & (CHUNK - 1)) + units > CHUNK)
        unit = ROUND_UP(unit, CHUNK);
    if (unit >= (uint32_t)MAX_CHUNKS * CHUNK)
        return NONE;
    uint8_t **chunk = &c->chunks[unit >> CHUNK_BITS];
    if (!*chunk)
        *chunk = alloc_big((size_t)CHUNK * UNIT, unit == 0);
    c->n_units = unit + units;
    return unit;
}

static void entry_free(struct cache *c, uint32_t unit)
{
    struct entry *e = entry_at(c, unit);
    cache_path_put(&c->paths, e->path);
    e->mask_number = c->free[e->units];
    c->free[e->units] = unit;
}

static struct bucket *buckets_alloc(size_t n) { return alloc_big(n * sizeof(struct bucket), false); }
static void buckets_free(struct bucket *b, size_t n)
{
    if (b)
        munmap(b, n * sizeof *b);
}

struct cache *cache_create(struct worker *w)
{
    struct cache *c = xzalloc_line(sizeof *c);
    c->worker = w;
    c->n_buckets = CACHE_MIN_BUCKETS;
    c->buckets = buckets_alloc(c->n_buckets);
    memset(c->free, 0xff, sizeof c->free);
    dp_path_init(&c->scratch);
    return c;
}

void cache_reap(struct cache *c)
{
    if (likely(!c->paths.graveyard))
        return;
    tally_fold(c->worker);
    cache_paths_reap(&c->paths);
}

static void buckets_empty(struct cache *c, struct bucket *buckets, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (unsigned way = 0; way < CACHE_WAYS; way++)
            if (buckets[i].tag[way])
                cache_path_put(&c->paths, entry_at(c, buckets[i].entry[way])->path);
}

/* Everything at once: also the memory, but for the first chunk. */
static void cache_empty(struct cache *c)
{
    buckets_empty(c, c->buckets, c->n_buckets);
    if (c->old) {
        buckets_empty(c, c->old + c->moved, c->n_buckets / 2 - c->moved);
        buckets_free(c->old, c->n_buckets / 2);
        c->old = NULL;
    }
    for (unsigned i = 1; i < MAX_CHUNKS && c->chunks[i]; i++) {
        munmap(c->chunks[i], (size_t)CHUNK * UNIT);
        c->chunks[i] = NULL;
    }
    memset(c->free, 0xff, sizeof c->free);
    memset(c->buckets, 0, c->n_buckets * sizeof *c->buckets);
    c->n_units = c->count = 0;
}

void cache_destroy(struct cache *c)
{
    cache_empty(c);
    if (c->chunks[0])
        munmap(c->chunks[0], (size_t)CHUNK * UNIT);
    cache_paths_destroy(&c->paths);
    for (unsigned i = 0; i < DP_MAX_BRIDGES; i++)
        free(c->masks[i]);
    dp_path_free(&c->scratch);
    buckets_free(c->buckets, c->n_buckets);
    free(c);
}

size_t cache_count(const struct cache *c) { return c->count; }

/* --- masks --- */

static void widen(struct cache *c, struct mask *m, const struct flow_key *bits)
{
    if (mask_widen(m, bits))
        mask_number(m, ++c->next_number);
}

static struct mask *mask_of(struct cache *c, const struct dp_bridge *bridge)
{
    const struct worker *w = c->worker;
    struct mask *m = c->masks[bridge->index];
    if (unlikely(!m))
        m = c->masks[bridge->index] = xzalloc_line(sizeof *m);
    bool old = m->generation != w->generation && w->now - m->started >= CACHE_MASK_AGE;
    if (unlikely(m->serial != bridge->serial || old)) {
        mask_start(m, bridge->serial, w->generation, w->now);
        mask_number(m, ++c->next_number);
    }
    return m;
}

static inline bool words_same(const uint64_t *a, const uint64_t *b, unsigned n)
{
    while (n && a[n - 1] == b[n - 1]) /* flows differ in the last ones more than in the first */
        n--;
    return !n;
}

/* --- the table --- */

static inline uint16_t tag_of(uint32_t hash)
{
    uint16_t tag = hash >> 16;
    return tag ? tag : 1;
}

static inline struct bucket *bucket_of(const struct cache *c, uint32_t hash)
{
    size_t half = hash & (c->n_buckets / 2 - 1);
    return unlikely(c->old) && half >= c->moved ? &c->old[half] : &c->buckets[hash & (c->n_buckets - 1)];
}

static inline uint32_t other_hash(uint32_t hash) { return hash ^ (tag_of(hash) * 0x5bd1e995u | 1); }
static inline struct bucket *other_bucket(const struct cache *c, uint32_t hash) { return bucket_of(c, other_hash(hash)); }

/* Ways with this tag, a bit each. Without a branch, since nobody could predict the way. */
static inline unsigned bucket_ways(const struct bucket *b, uint16_t tag)
{
#ifdef __SSE2__
    __m128i same = _mm_cmpeq_epi16(_mm_load_si128((const __m128i *)b->tag), _mm_set1_epi16((short)tag));
    return (unsigned)_mm_movemask_epi8(_mm_packs_epi16(same, _mm_setzero_si128()));
#endif
    unsigned ways = 0;
    for (unsigned i = 0; i < CACHE_WAYS; i++)
        ways |= (unsigned)(b->tag[i] == tag) << i;
    return ways;
}

static inline bool entry_is(const struct entry *e, const struct mask *m, const uint64_t *words)
{
    uint64_t differ = e->mask_number ^ m->number;
    for (unsigned i = 0, n = m->n; i < n; i += 2)
        differ |= (e->words[i] ^ words[i]) | (e->words[i + 1] ^ words[i + 1]);
    return !differ;
}

static inline bool path_fresh(const struct worker *w, struct cache_path *p)
{
    return likely(p->generation == w->generation) || cache_path_still_good(w, p);
}

/* Its mask is no longer that of its bridge. */
static bool entry_dead(const struct cache *c, const struct entry *e)
{
    return e->mask_number != c->masks[e->bridge]->number;
}

struct place {
    struct bucket *bucket;
    int way; /* -1: none */
};

static int way_of(const struct cache *c, const struct bucket *b, const struct mask *m, const uint64_t *words, uint32_t hash)
{
    for (unsigned ways = bucket_ways(b, tag_of(hash)); ways; ways &= ways - 1)
        if (entry_is(entry_at(c, b->entry[__builtin_ctz(ways)]), m, words))
            return __builtin_ctz(ways);
    return -1;
}

static struct place place_of(const struct cache *c, const struct mask *m, const uint64_t *words, uint32_t hash)
{
    struct place at = {bucket_of(c, hash), 0};
    at.way = way_of(c, at.bucket, m, words, hash);
    if (at.way < 0) {
        at.bucket = other_bucket(c, hash);
        at.way = way_of(c, at.bucket, m, words, hash);
    }
    return at;
}

/* A free way, or one that is freed as its entry is dead; -1: all are alive. */
static int way_free(struct cache *c, struct bucket *b)
{
    for (unsigned i = 0; i < CACHE_WAYS; i++) {
        if (b->tag[i] && !entry_dead(c, entry_at(c, b->entry[i])))
            continue;
        if (b->tag[i]) {
            entry_free(c, b->entry[i]);
            b->tag[i] = 0;
            c->count--;
        }
        return i;
    }
    return -1;
}

/* The next that no packet has met since it was last passed over. */
static unsigned way_given_up(struct cache *c, struct bucket *b)
{
    unsigned way;
    while (way = b->turn++ % CACHE_WAYS, b->used >> way & 1)
        b->used &= ~(1u << way);
    entry_free(c, b->entry[way]);
    c->count--;
    return way;
}

static void way_set(struct cache *c, struct place at, uint32_t hash, uint32_t unit)
{
    at.bucket->tag[at.way] = tag_of(hash);
    at.bucket->entry[at.way] = unit;
    at.bucket->used &= ~(1u << at.way);
    c->count++;
}

static struct place place_free(struct cache *c, uint32_t hash, bool both)
{
    struct place at = {bucket_of(c, hash), 0};
    at.way = way_free(c, at.bucket);
    if (at.way < 0 && both) {
        at.bucket = other_bucket(c, hash);
        at.way = way_free(c, at.bucket);
    }
    return at;
}

/* The table grows by and by, so that no packet waits for all of it: bucket i is dealt out to i and i + half. */
static void move_bucket(struct cache *c, size_t i)
{
    const struct bucket *from = &c->old[i];
    size_t half = c->n_buckets / 2;
    c->moved = i + 1;
    for (unsigned way = 0; way < CACHE_WAYS; way++) {
        if (!from->tag[way])
            continue;
        struct entry *e = entry_at(c, from->entry[way]);
        c->count--;
        if (entry_dead(c, e)) {
            entry_free(c, from->entry[way]);
            continue;
        }
        uint32_t hash = mask_hash(c->masks[e->bridge], e->words);
        bool first_choice = (hash & (half - 1)) == i;
        struct place at = {&c->buckets[(first_choice ? hash : other_hash(hash)) & (c->n_buckets - 1)], 0};
        while (at.bucket->tag[at.way]) /* what was in one bucket finds room in two */
            at.way++;
        way_set(c, at, hash, from->entry[way]);
        at.bucket->used |= (from->used >> way & 1) << at.way;
    }
}

static void cache_grow_on(struct cache *c)
{
    size_t half = c->n_buckets / 2;
    for (unsigned n = 0; n < MOVED_AT_ONCE && c->moved < half; n++) {
        __builtin_prefetch(&c->old[c->moved + 1]);
        move_bucket(c, c->moved);
    }
    if (c->moved == half) {
        buckets_free(c->old, half);
        c->old = NULL;
    }
}

/* Looks at some. */
static bool most_are_alive(const struct cache *c)
{
    unsigned alive = 0, all = 0;
    for (size_t i = 0; i < CACHE_MIN_BUCKETS; i++) {
        const struct bucket *b = &c->buckets[i * (c->n_buckets / CACHE_MIN_BUCKETS)];
        for (unsigned way = 0; way < CACHE_WAYS; way++)
            if (b->tag[way]) {
                all++;
                alive += !entry_dead(c, entry_at(c, b->entry[way]));
            }
    }
    return alive >= all / 2;
}

static void cache_grow(struct cache *c)
{
    c->old = c->buckets;
    c->moved = 0;
    c->n_buckets *= 2;
    c->buckets = buckets_alloc(c->n_buckets);
    cache_grow_on(c);
}

/* Half full, the second choice of a bucket is only for those that would make the table grow too early. */
static struct place place_new(struct cache *c, uint32_t hash)
{
    if (c->old)
        cache_grow_on(c);
    bool may_grow = !c->old && c->n_buckets < CACHE_MAX_BUCKETS && c->count >= c->n_buckets * CACHE_WAYS / 2;
    struct place at = place_free(c, hash, !may_grow);
    if (at.way < 0 && may_grow) {
        if (most_are_alive(c))
            cache_grow(c);
        at = place_free(c, hash, true);
    }
    if (at.way < 0) {
        at.bucket = bucket_of(c, hash);
        at.way = way_given_up(c, at.bucket);
    }
    return at;
}

static void give_up_one(struct cache *c, struct bucket *b)
{
    for (unsigned way = 0; way < CACHE_WAYS; way++)
        if (b->tag[way]) {
            entry_free(c, b->entry[way]);
            b->tag[way] = 0;
            c->count--;
            return;
        }
}

/* Takes over the reference to the path. */
static void cache_insert(struct cache *c, const struct dp_bridge *bridge, const struct mask *m, const struct flow_key *key,
                         struct cache_path *path)
{
    uint64_t words[MASK_WORDS];
    mask_pack(m, key, words);
    uint32_t hash = mask_hash(m, words);
    struct place at = place_of(c, m, words, hash);
    if (at.way >= 0) { /* walked anew */
        struct entry *e = entry_at(c, at.bucket->entry[at.way]);
        cache_path_put(&c->paths, e->path);
        e->path = path;
        return;
    }
    uint32_t unit = entry_alloc(c, units_of(m->n));
    if (unlikely(unit == NONE)) {
        give_up_one(c, bucket_of(c, hash));
        unit = entry_alloc(c, units_of(m->n));
    }
    if (unlikely(unit == NONE)) { /* that was none of this size */
        cache_empty(c);
        unit = entry_alloc(c, units_of(m->n));
    }
    struct entry *e = entry_at(c, unit);
    *e = (struct entry){.mask_number = m->number, .units = units_of(m->n), .bridge = bridge->index, .path = path};
    memcpy(e->words, words, m->n * sizeof *words);
    way_set(c, place_new(c, hash), hash, unit);
}

/* --- lookup --- */

static struct cache_path *find(struct cache *c, const struct mask *m, const uint64_t *words, uint32_t hash)
{
    struct place at = place_of(c, m, words, hash);
    if (at.way < 0)
        return NULL;
    struct cache_path *path = entry_at(c, at.bucket->entry[at.way])->path;
    at.bucket->used |= 1u << at.way;
    return path_fresh(c->worker, path) ? path : NULL;
}

static struct cache_path *walk(struct cache *c, struct mask *m, struct dp_port *in, struct packet *p)
{
    struct worker *w = c->worker;
    struct dp_path *path = &c->scratch;
    struct flow_key key;
    uint64_t begin = cycles();
    key_parse(p, load_relaxed(&in->ofport), L_L4, &key);
    dp_path_clear(path);
    path->packet = p;
    in->bridge->walk(in->bridge->aux, &key, path);
    struct cache_path *made = cache_path_get(&c->paths, w, in->bridge, path);
    if (!path->uncacheable) {
        widen(c, m, &path->consulted);
        cache_insert(c, in->bridge, m, &key, made);
    }
    stat_add(&w->stats.walk_cycles, cycles() - begin);
    stat_add(&w->stats.walks, 1);
    return made;
}

/* Since the packet was looked up the mask has become wider; one before it in the batch may have brought it in. */
static struct cache_path *second_look(struct cache *c, struct mask *m, struct dp_port *in, struct packet *p)
{
    struct flow_key key;
    uint64_t words[MASK_WORDS];
    key_parse(p, load_relaxed(&in->ofport), m->depth, &key);
    mask_pack(m, &key, words);
    struct cache_path *path = find(c, m, words, mask_hash(m, words));
    return path ? path : walk(c, m, in, p);
}

/* Packets behind each other with the same words under the mask, likely of one flow. */
struct runs {
    unsigned n;
    uint8_t first[BATCH + 1];
    uint8_t way[BATCH];
    struct bucket *bucket[BATCH];
    const struct entry *entry[BATCH];
};

static inline void find_runs(struct cache *c, const struct mask *m, uint32_t in_port, struct packet *batch[], unsigned n,
                             struct runs *r)
{
    const struct packet *parsed = NULL; /* that the next one may look alike */
    unsigned n_words = m->n;
    r->n = 0;
    for (unsigned i = 0; i < n; i++) {
        struct flow_key key;
        uint64_t *words = &c->words[r->n * n_words];
        if (parsed && mask_looks_alike(m, parsed, batch[i]))
            continue;
        bool fast = mask_parse(m, batch[i], in_port, &key) && batch[i]->len >= RAW;
        mask_pack(m, &key, words);
        if (i && words_same(words, words - n_words, n_words)) {
            parsed = fast ? batch[i] : NULL;
            continue;
        }
        /* Flows that change from packet to packet are not compared each time. */
        parsed = fast && !i ? batch[i] : NULL;
        c->hashes[r->n] = mask_hash(m, words);
        r->bucket[r->n] = bucket_of(c, c->hashes[r->n]);
        __builtin_prefetch(r->bucket[r->n]);
        r->first[r->n++] = (uint8_t)i;
    }
    r->first[r->n] = (uint8_t)n;
}

/* In its other bucket; or a packet before it in the batch has brought it in; or new. */
static void look_again(struct cache *c, struct mask *m, struct dp_port *in, struct packet *batch[], const struct runs *r,
                       uint32_t misses, struct cache_path *found[])
{
    uint32_t number = m->number; /* of the words and hashes */
    for (; misses; misses &= misses - 1) {
        unsigned run = __builtin_ctz(misses);
        for (unsigned i = r->first[run]; i < r->first[run + 1]; i++) {
            if (m->number != number) {
                found[i] = second_look(c, m, in, batch[i]);
                continue;
            }
            found[i] = find(c, m, &c->words[run * m->n], c->hashes[run]);
            if (!found[i])
                found[i] = walk(c, m, in, batch[i]);
        }
    }
}

void cache_lookup(struct cache *c, struct dp_port *in, struct packet *batch[], unsigned n, struct cache_path *found[])
{
    struct worker *w = c->worker;
    if (unlikely(c->flushes != w->flushes)) {
        cache_empty(c);
        c->flushes = w->flushes;
    }
    if (unlikely(c->old))
        cache_grow_on(c);
    struct mask *m = mask_of(c, in->bridge);
    struct cache_path *paths[BATCH];
    struct runs r;
    uint32_t misses = 0;
    unsigned n_words = m->n;

    find_runs(c, m, load_relaxed(&in->ofport), batch, n, &r);
    for (unsigned i = 0; i < r.n; i++) {
        const struct bucket *b = r.bucket[i];
        unsigned with_tag = bucket_ways(b, tag_of(c->hashes[i]));
        r.way[i] = with_tag ? __builtin_ctz(with_tag) : 0;
        r.entry[i] = with_tag ? entry_at(c, b->entry[r.way[i]]) : NULL;
        __builtin_prefetch(r.entry[i]);
    }
    for (unsigned i = 0; i < r.n; i++) {
        if (unlikely(!r.entry[i] || !entry_is(r.entry[i], m, &c->words[i * n_words]))) {
            misses |= UINT32_C(1) << i;
            paths[i] = NULL;
            continue;
        }
        struct bucket *b = r.bucket[i];
        if (unlikely(!(b->used >> r.way[i] & 1)))
            b->used |= 1u << r.way[i];
        paths[i] = r.entry[i]->path;
        __builtin_prefetch(paths[i]);
    }
    for (unsigned i = 0; i < r.n; i++) {
        if (unlikely(!paths[i] || !path_fresh(w, paths[i])))
            misses |= UINT32_C(1) << i;
        for (unsigned j = r.first[i]; j < r.first[i + 1]; j++)
            found[j] = paths[i];
    }
    uint64_t walks = w->stats.walks;
    if (unlikely(misses))
        look_again(c, m, in, batch, &r, misses, found);
    walks = w->stats.walks - walks;
    stat_add(&w->stats.cache_hits, n - walks);
    stat_add(&w->stats.cache_misses, walks);
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

static void show_entry(const struct cache *c, const struct entry *e, struct buf *out)
{
    const struct mask *m = c->masks[e->bridge];
    const struct outcome *o = e->path->outcome;
    struct match match = {.mask = m->bits};
    for (unsigned i = 0; i < m->n; i++)
        key_words(&match.value)[m->words[i].word] |= e->words[i];
    buf_puts(out, "  ");
    match_for_each(&match, show_field, out);
    buf_chomp(out, ',');
    buf_printf(out, " packets=%llu", (unsigned long long)e->path->all_packets);
    if (e->path->shared.n_refs > 1)
        buf_printf(out, " (with %u others)", e->path->shared.n_refs - 1);
    buf_puts(out, " actions=");
    if (o->acts_len)
        dpact_format(o->acts, o->acts_len, show_port, c->worker->dp, out);
    else
        buf_printf(out, "drop(%s)", drop_infos[o->drop].name);
    buf_puts(out, "\n");
}

/* Called by the worker itself, so that nothing moves. */
void cache_show(struct cache *c, struct buf *out)
{
    unsigned shown = 0;
    tally_fold(c->worker);
    while (c->old)
        cache_grow_on(c);
    buf_printf(out, "%zu entries, room for %zu\n", c->count, c->n_buckets * CACHE_WAYS);
    for (size_t i = 0; i < c->n_buckets && shown < MOST_SHOWN; i++)
        for (unsigned way = 0; way < CACHE_WAYS; way++) {
            const struct bucket *b = &c->buckets[i];
            if (b->tag[way] && !entry_dead(c, entry_at(c, b->entry[way]))) {
                show_entry(c, entry_at(c, b->entry[way]), out);
                shown++;
            }
        }
    if (shown >= MOST_SHOWN)
        buf_puts(out, "  ...\n");
}
