/* classifier.c: see classifier.h.
 *
 * A tuple holds the rules of one mask in a hash table of chains. The table is one block: heads, and nodes that are
 * taken one after the other and never used twice, so that a reader who stands on a node of a removed rule still finds
 * the rest of its chain. When the nodes are used up, the live ones move to a new block and the old one goes to `defer`.
 * Rules of equal match lie in their chain by falling priority, so that the first visible one is the best.
 *
 * The order of tuples is an array: a sorted part, and behind it a short tail of entries that were not worth a new
 * array yet. A tuple may have two entries, a stale one and one with its new maximum in the tail. What always holds:
 * every rule's priority is at most the maximum of some entry of its tuple. */
#include "packet/classifier.h"

#include <urcu/system.h>
#include "base/hash.h"
#include "base/mem.h"

enum { NIL = UINT32_MAX, MIN_NODES = 4 };

struct node {
    struct cls_rule *rule; /* NULL: removed */
    uint32_t hash, next;
};

struct cls_hash {
    uint32_t n_used, n_nodes; /* writer's */
    uint32_t bucket_mask;
    uint32_t *heads;
    struct node nodes[];
};

struct priority_count {
    uint32_t priority, n;
};

struct cls_tuple {
    uint64_t map;          /* bit w: mask word w is not zero */
    struct cls_hash *hash; /* RCU */
    uint32_t n_rules;      /* atomic */
    uint8_t n_words;

    /* Writer's own. */
    uint32_t id, mask_hash;
    int shown; /* highest priority among the tuple's entries in the order, -1: no entry */
    struct cls_tuple *next_by_mask;
    struct priority_count *priorities; /* falling */
    uint32_t n_priorities, a_priorities;

    uint64_t mask[]; /* the n_words that are not zero */
};

struct cls_entry {
    struct cls_tuple *tuple;
    int max_priority;
    uint32_t id;
};

struct cls_order {
    uint32_t n_sorted, size;
    uint32_t n; /* atomic; entries from n_sorted on: the tail */
    struct cls_entry entries[];
};

#define FOR_EACH_WORD(W, MAP) \
    for (uint64_t m_ = (MAP), W; m_ && (W = (uint64_t)__builtin_ctzll(m_), true); m_ &= m_ - 1)
#define LOAD(P) __atomic_load_n(&(P), __ATOMIC_ACQUIRE)
#define STORE(P, V) __atomic_store_n(&(P), V, __ATOMIC_RELEASE)

static void defer_free(struct classifier *c, void *p)
{
    if (p)
        c->defer(free, p, c->defer_aux);
}

static bool visible(const struct cls_rule *r, cls_version_t version)
{
    return r->add <= version && version < __atomic_load_n(&r->remove, __ATOMIC_RELAXED);
}

static bool words_equal(const struct cls_rule *r, const uint64_t *words, unsigned n)
{
    uint64_t differs = 0;
    for (unsigned i = 0; i < n; i++)
        differs |= r->words[i] ^ words[i];
    return !differs;
}

/* --- Hash table of a tuple --- */

static struct cls_hash *hash_create(uint32_t n_rules)
{
    uint32_t n_nodes = MIN_NODES;
    while (n_nodes < n_rules + n_rules / 2)
        n_nodes *= 2;
    uint32_t n_buckets = n_nodes; /* so chains are shorter than one rule on average */
    struct cls_hash *h = xmalloc(sizeof *h + n_nodes * sizeof h->nodes[0] + n_buckets * sizeof h->heads[0]);
    h->n_used = 0;
    h->n_nodes = n_nodes;
    h->bucket_mask = n_buckets - 1;
    h->heads = (uint32_t *)&h->nodes[n_nodes];
    memset(h->heads, 0xff, n_buckets * sizeof h->heads[0]);
    return h;
}

/* Behind the nodes of the same hash with a higher priority, else at the front. */
static void hash_link(struct cls_hash *h, struct cls_rule *r)
{
    uint32_t *link = &h->heads[r->hash & h->bucket_mask], *at = link;
    for (uint32_t i = *link; i != NIL; i = *link) {
        struct node *n = &h->nodes[i];
        link = &n->next;
        if (n->hash == r->hash && n->rule->priority > r->priority)
            at = link;
    }
    uint32_t new = h->n_used++;
    h->nodes[new] = (struct node){.rule = r, .hash = r->hash, .next = *at};
    STORE(*at, new);
}

static void hash_unlink(struct cls_hash *h, struct cls_rule *r)
{
    uint32_t *link = &h->heads[r->hash & h->bucket_mask];
    while (h->nodes[*link].rule != r)
        link = &h->nodes[*link].next;
    struct node *n = &h->nodes[*link];
    STORE(*link, n->next);
    STORE(n->rule, NULL);
}

static void tuple_make_room(struct classifier *c, struct cls_tuple *t)
{
    struct cls_hash *old = t->hash;
    if (old->n_used < old->n_nodes)
        return;
    struct cls_hash *new = hash_create(t->n_rules + 1);
    for (uint32_t i = 0; i < old->n_used; i++) {
        if (old->nodes[i].rule)
            hash_link(new, old->nodes[i].rule);
    }
    STORE(t->hash, new);
    defer_free(c, old);
}

/* --- Which priorities a tuple has --- */

static uint32_t priority_find(const struct cls_tuple *t, uint16_t priority)
{
    uint32_t low = 0, high = t->n_priorities;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        if (t->priorities[mid].priority > priority)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool tuple_has_priority(const struct cls_tuple *t, uint16_t priority)
{
    uint32_t i = priority_find(t, priority);
    return i < t->n_priorities && t->priorities[i].priority == priority;
}

static void priority_add(struct cls_tuple *t, uint16_t priority)
{
    uint32_t i = priority_find(t, priority);
    if (i < t->n_priorities && t->priorities[i].priority == priority) {
        t->priorities[i].n++;
        return;
    }
    if (t->n_priorities == t->a_priorities) {
        t->a_priorities = t->a_priorities ? t->a_priorities * 2 : 1;
        t->priorities = xrealloc(t->priorities, t->a_priorities * sizeof t->priorities[0]);
    }
    memmove(&t->priorities[i + 1], &t->priorities[i], (t->n_priorities++ - i) * sizeof t->priorities[0]);
    t->priorities[i] = (struct priority_count){priority, 1};
}

static void priority_sub(struct cls_tuple *t, uint16_t priority)
{
    uint32_t i = priority_find(t, priority);
    assert(i < t->n_priorities && t->priorities[i].priority == priority);
    if (!--t->priorities[i].n)
        memmove(&t->priorities[i], &t->priorities[i + 1], (--t->n_priorities - i) * sizeof t->priorities[0]);
}

static int tuple_max(const struct cls_tuple *t) { return t->n_priorities ? (int)t->priorities[0].priority : -1; }

/* --- The tuples by mask --- */

static uint64_t mask_map(const struct match *m)
{
    uint64_t map = 0;
    for (unsigned w = 0; w < FLOW_KEY_WORDS; w++)
        map |= (uint64_t)(key_words_const(&m->mask)[w] != 0) << w;
    return map;
}

static uint32_t mask_hash(const struct match *m, uint64_t map)
{
    uint64_t h = map;
    FOR_EACH_WORD (w, map)
        h = hash_mix(h, key_words_const(&m->mask)[w]);
    return hash_finish(h);
}

static bool mask_is(const struct cls_tuple *t, const struct match *m, uint64_t map)
{
    if (t->map != map)
        return false;
    unsigned i = 0;
    FOR_EACH_WORD (w, map) {
        if (t->mask[i++] != key_words_const(&m->mask)[w])
            return false;
    }
    return true;
}

static struct cls_tuple *tuple_find(const struct classifier *c, const struct match *m)
{
    uint64_t map = mask_map(m);
    if (!c->by_mask_size)
        return NULL;
    struct cls_tuple *t = c->by_mask[mask_hash(m, map) & (c->by_mask_size - 1)];
    while (t && !mask_is(t, m, map))
        t = t->next_by_mask;
    return t;
}

static void by_mask_grow(struct classifier *c)
{
    if (c->n_tuples < c->by_mask_size)
        return;
    size_t size = c->by_mask_size ? c->by_mask_size * 2 : 8;
    struct cls_tuple **new = xcalloc(size, sizeof *new);
    for (size_t i = 0; i < c->by_mask_size; i++) {
        for (struct cls_tuple *t = c->by_mask[i], *next; t; t = next) {
            next = t->next_by_mask;
            t->next_by_mask = new[t->mask_hash & (size - 1)];
            new[t->mask_hash & (size - 1)] = t;
        }
    }
    free(c->by_mask);
    c->by_mask = new;
    c->by_mask_size = size;
}

static struct cls_tuple *tuple_create(struct classifier *c, const struct match *m)
{
    uint64_t map = mask_map(m);
    unsigned n_words = (unsigned)__builtin_popcountll(map), i = 0;
    struct cls_tuple *t = xzalloc(sizeof *t + n_words * sizeof t->mask[0]);
    t->map = map;
    t->n_words = (uint8_t)n_words;
    FOR_EACH_WORD (w, map)
        t->mask[i++] = key_words_const(&m->mask)[w];
    t->id = c->next_id++;
    t->shown = -1;
    t->hash = hash_create(0);
    t->mask_hash = mask_hash(m, map);
    by_mask_grow(c);
    struct cls_tuple **bucket = &c->by_mask[t->mask_hash & (c->by_mask_size - 1)];
    t->next_by_mask = *bucket;
    *bucket = t;
    c->n_tuples++;
    return t;
}

/* Unlinked from the index; readers may still stand on it. */
static void tuple_defer_free(struct classifier *c, struct cls_tuple *t)
{
    struct cls_tuple **link = &c->by_mask[t->mask_hash & (c->by_mask_size - 1)];
    while (*link != t)
        link = &(*link)->next_by_mask;
    *link = t->next_by_mask;
    c->n_tuples--;
    free(t->priorities);
    defer_free(c, t->hash);
    defer_free(c, t);
}

#define FOR_EACH_TUPLE(T, C)                          \
    for (size_t i_ = 0; i_ < (C)->by_mask_size; i_++) \
        for (struct cls_tuple *T = (C)->by_mask[i_], *next_; T && (next_ = T->next_by_mask, true); T = next_)

/* --- The order in which lookups try the tuples --- */

static int compare_entries(const void *a_, const void *b_)
{
    const struct cls_entry *a = a_, *b = b_;
    return a->max_priority != b->max_priority ? (a->max_priority < b->max_priority ? 1 : -1)
                                              : (a->id > b->id) - (a->id < b->id);
}

/* How many changes a new array may wait for: copying stays cheap beside what has changed. */
static uint32_t order_slack(const struct classifier *c) { return (uint32_t)(c->n_tuples / 16); }

static void order_publish(struct classifier *c)
{
    uint32_t size = (uint32_t)c->n_tuples + order_slack(c), n = 0;
    struct cls_order *new = xmalloc(sizeof *new + size * sizeof new->entries[0]), *old = c->order;
    FOR_EACH_TUPLE (t, c) {
        t->shown = tuple_max(t);
        if (t->n_rules)
            new->entries[n++] = (struct cls_entry){t, t->shown, t->id};
    }
    qsort(new->entries, n, sizeof new->entries[0], compare_entries);
    new->n_sorted = new->n = n;
    new->size = size;
    c->stale = 0;
    STORE(c->order, new);
    defer_free(c, old);
    FOR_EACH_TUPLE (t, c) { /* only now that new readers cannot find them */
        if (!t->n_rules)
            tuple_defer_free(c, t);
    }
}

/* After t's rules changed. */
static void order_update(struct classifier *c, struct cls_tuple *t)
{
    int max = tuple_max(t);
    if (max == t->shown)
        return;
    struct cls_order *o = c->order;
    if (c->stale++ < order_slack(c) && o) {
        if (max < t->shown)
            return; /* true, if not the best */
        if (o->n < o->size) {
            o->entries[o->n] = (struct cls_entry){t, max, t->id};
            t->shown = max;
            STORE(o->n, o->n + 1);
            return;
        }
    }
    order_publish(c);
}

/* --- Users' half --- */

void classifier_init(struct classifier *c, cls_defer_fn defer, void *aux)
{
    *c = (struct classifier){.defer = defer, .defer_aux = aux};
}

void classifier_destroy(struct classifier *c)
{
    assert(!c->n_rules);
    FOR_EACH_TUPLE (t, c)
        tuple_defer_free(c, t);
    defer_free(c, c->order);
    free(c->by_mask);
    *c = (struct classifier){.defer = c->defer, .defer_aux = c->defer_aux};
}

size_t cls_rule_size(const struct match *m)
{
    return sizeof(struct cls_rule) + (size_t)__builtin_popcountll(mask_map(m)) * sizeof(uint64_t);
}

static uint32_t hash_words(const uint64_t *words, unsigned n)
{
    uint64_t h = hash_seed();
    for (unsigned i = 0; i < n; i++)
        h = hash_mix(h, words[i]);
    return hash_finish(h);
}

/* The words of a match under the tuple's mask, which is the match's own. */
static uint32_t pack_match(const struct cls_tuple *t, const struct match *m, uint64_t *words)
{
    unsigned i = 0;
    FOR_EACH_WORD (w, t->map) {
        words[i] = key_words_const(&m->value)[w] & t->mask[i];
        i++;
    }
    return hash_words(words, t->n_words);
}

void classifier_insert(struct classifier *c, struct cls_rule *r, const struct match *m, uint16_t priority,
                       cls_version_t version)
{
    struct cls_tuple *t = tuple_find(c, m);
    if (!t)
        t = tuple_create(c, m);
    r->tuple = t;
    r->add = version;
    r->remove = CLS_FOREVER;
    r->hash = pack_match(t, m, r->words);
    r->priority = priority;
    r->linked = true;
    tuple_make_room(c, t);
    hash_link(t->hash, r);
    STORE(t->n_rules, t->n_rules + 1);
    c->n_rules++;
    if (r->soft)
        STORE(c->n_soft, c->n_soft + 1);
    priority_add(t, priority);
    order_update(c, t);
}

void classifier_hide(struct classifier *c UNUSED, struct cls_rule *r, cls_version_t version)
{
    __atomic_store_n(&r->remove, version, __ATOMIC_RELAXED);
}

void classifier_unhide(struct classifier *c UNUSED, struct cls_rule *r)
{
    __atomic_store_n(&r->remove, CLS_FOREVER, __ATOMIC_RELAXED);
}

void classifier_remove(struct classifier *c, struct cls_rule *r)
{
    struct cls_tuple *t = r->tuple;
    assert(r->linked);
    hash_unlink(t->hash, r);
    r->linked = false;
    STORE(t->n_rules, t->n_rules - 1);
    c->n_rules--;
    if (r->soft)
        STORE(c->n_soft, c->n_soft - 1);
    priority_sub(t, r->priority);
    order_update(c, t); /* may free t */
}

static struct cls_rule *tuple_lookup(const struct cls_tuple *t, struct flow_view *v, cls_version_t version)
{
    uint64_t words[FLOW_KEY_WORDS], hash = hash_seed();
    unsigned i = 0;
    FOR_EACH_WORD (w, t->map) {
        words[i] = view_read(v, (unsigned)w, t->mask[i]);
        hash = hash_mix(hash, words[i]);
        i++;
    }
    uint32_t h32 = hash_finish(hash);
    const struct cls_hash *h = LOAD(t->hash);
    for (uint32_t at = LOAD(h->heads[h32 & h->bucket_mask]); at != NIL; at = LOAD(h->nodes[at].next)) {
        const struct node *n = &h->nodes[at];
        if (n->hash != h32)
            continue;
        struct cls_rule *r = LOAD(n->rule);
        if (r && words_equal(r, words, t->n_words) && visible(r, version))
            return r;
    }
    return NULL;
}

struct cls_rule *classifier_lookup(const struct classifier *c, struct flow_view *v, cls_version_t version)
{
    const struct cls_order *o = LOAD(c->order);
    struct cls_rule *best = NULL;
    int best_priority = -1;
    if (!o)
        return NULL;
    for (uint32_t i = 0, n = LOAD(o->n); i < n; i++) {
        const struct cls_entry *e = &o->entries[i];
        if (e->max_priority <= best_priority) {
            if (i < o->n_sorted)
                i = o->n_sorted - 1; /* on to the tail */
            continue;
        }
        if (!LOAD(e->tuple->n_rules))
            continue;
        struct cls_rule *r = tuple_lookup(e->tuple, v, version);
        if (r && r->priority > best_priority) {
            best = r;
            best_priority = r->priority;
        }
    }
    return best;
}

/* The best rule of a tuple that is not soft; those before it go into `soft`. */
static struct cls_rule *tuple_lookup_soft(const struct cls_tuple *t, struct flow_view *v, cls_version_t version,
                                          struct buf *soft)
{
    uint64_t words[FLOW_KEY_WORDS];
    unsigned i = 0;
    FOR_EACH_WORD (w, t->map) {
        words[i] = view_read(v, (unsigned)w, t->mask[i]);
        i++;
    }
    uint32_t hash = hash_words(words, t->n_words);
    const struct cls_hash *h = LOAD(t->hash);
    for (uint32_t at = LOAD(h->heads[hash & h->bucket_mask]); at != NIL; at = LOAD(h->nodes[at].next)) {
        struct cls_rule *r = LOAD(h->nodes[at].rule);
        if (h->nodes[at].hash != hash || !r || !words_equal(r, words, t->n_words) || !visible(r, version))
            continue;
        if (!r->soft)
            return r;
        if (soft)
            buf_put(soft, &r, sizeof r);
    }
    return NULL;
}

static int by_falling_priority(const void *a_, const void *b_)
{
    const struct cls_rule *a = *(struct cls_rule *const *)a_, *b = *(struct cls_rule *const *)b_;
    return a->priority < b->priority ? 1 : -(a->priority > b->priority);
}

struct cls_rule *classifier_lookup_soft(const struct classifier *c, struct flow_view *v, cls_version_t version,
                                        struct buf *soft)
{
    const struct cls_order *o = LOAD(c->order);
    struct cls_rule *best = NULL;
    int best_priority = -1;
    for (uint32_t i = 0, n = o ? LOAD(o->n) : 0; i < n; i++) {
        const struct cls_entry *e = &o->entries[i];
        if (e->max_priority <= best_priority || !LOAD(e->tuple->n_rules))
            continue;
        struct cls_rule *r = tuple_lookup_soft(e->tuple, v, version, soft);
        if (r && r->priority > best_priority) {
            best = r;
            best_priority = r->priority;
        }
    }
    if (!soft || !soft->len)
        return best;
    size_t n = soft->len / sizeof best;
    struct cls_rule **rules = (struct cls_rule **)soft->data;
    qsort(rules, n, sizeof *rules, by_falling_priority);
    while (n && rules[n - 1]->priority <= best_priority)
        n--;
    soft->len = n * sizeof *rules;
    return best;
}

static struct cls_rule *find_in_tuple(const struct cls_tuple *t, const struct match *m, uint16_t priority,
                                      cls_version_t version)
{
    uint64_t words[FLOW_KEY_WORDS];
    uint32_t hash = pack_match(t, m, words);
    const struct cls_hash *h = LOAD(t->hash);
    for (uint32_t at = LOAD(h->heads[hash & h->bucket_mask]); at != NIL; at = LOAD(h->nodes[at].next)) {
        struct cls_rule *r = LOAD(h->nodes[at].rule);
        if (h->nodes[at].hash == hash && r && r->priority == priority && words_equal(r, words, t->n_words) &&
            visible(r, version))
            return r;
    }
    return NULL;
}

struct cls_rule *classifier_find_exactly(const struct classifier *c, const struct match *m, uint16_t priority,
                                         cls_version_t version)
{
    const struct cls_tuple *t = tuple_find(c, m);
    return t ? find_in_tuple(t, m, priority, version) : NULL;
}

struct cls_rule *classifier_find_shared(const struct classifier *c, const struct match *m, uint16_t priority,
                                        cls_version_t version)
{
    const struct cls_order *o = LOAD(c->order);
    uint64_t map = mask_map(m);
    for (uint32_t i = 0, n = o ? LOAD(o->n) : 0; i < n; i++) {
        const struct cls_tuple *t = o->entries[i].tuple;
        struct cls_rule *r = LOAD(t->n_rules) && mask_is(t, m, map) ? find_in_tuple(t, m, priority, version) : NULL;
        if (r)
            return r;
    }
    return NULL;
}

/* Could a packet match both r and m? Where both care, their values must agree. */
static bool rule_overlaps(const struct cls_rule *r, const struct match *m)
{
    unsigned i = 0;
    FOR_EACH_WORD (w, r->tuple->map) {
        uint64_t both = r->tuple->mask[i] & key_words_const(&m->mask)[w];
        if ((r->words[i] ^ key_words_const(&m->value)[w]) & both)
            return false;
        i++;
    }
    return true;
}

struct cls_rule *classifier_find_overlap(const struct classifier *c, const struct match *m, uint16_t priority,
                                         cls_version_t version)
{
    FOR_EACH_TUPLE (t, c) {
        if (!tuple_has_priority(t, priority))
            continue;
        for (uint32_t i = 0; i < t->hash->n_used; i++) {
            struct cls_rule *r = t->hash->nodes[i].rule;
            if (r && r->priority == priority && visible(r, version) && rule_overlaps(r, m))
                return r;
        }
    }
    return NULL;
}

void cls_rule_match(const struct cls_rule *r, struct match *m)
{
    unsigned i = 0;
    memset(m, 0, sizeof *m);
    FOR_EACH_WORD (w, r->tuple->map) {
        key_words(&m->value)[w] = r->words[i];
        key_words(&m->mask)[w] = r->tuple->mask[i];
        i++;
    }
}

bool cls_rule_matches_all(const struct cls_rule *r) { return !r->tuple->map; }

/* Does every rule of t care about all that `m` cares about? */
static bool tuple_within(const struct cls_tuple *t, const struct match *m)
{
    unsigned i = 0;
    if (mask_map(m) & ~t->map)
        return false;
    FOR_EACH_WORD (w, t->map) {
        if (key_words_const(&m->mask)[w] & ~t->mask[i++])
            return false;
    }
    return true;
}

struct selection {
    struct cls_rule **rules;
    size_t n, size;
};

static void selection_add(struct selection *s, struct cls_rule *r)
{
    if (s->n == s->size) {
        s->size = s->size ? s->size * 2 : 16;
        s->rules = xrealloc(s->rules, s->size * sizeof s->rules[0]);
    }
    s->rules[s->n++] = r;
}

static void select_in_tuple(struct cls_tuple *t, const struct match *covering, cls_version_t version,
                            struct selection *s)
{
    const struct cls_hash *h = t->hash;
    if (covering && mask_is(t, covering, mask_map(covering))) { /* one value: its chain has them all */
        uint64_t words[FLOW_KEY_WORDS];
        uint32_t hash = pack_match(t, covering, words);
        for (uint32_t at = h->heads[hash & h->bucket_mask]; at != NIL; at = h->nodes[at].next) {
            struct cls_rule *r = h->nodes[at].rule;
            if (h->nodes[at].hash == hash && words_equal(r, words, t->n_words) && visible(r, version))
                selection_add(s, r);
        }
        return;
    }
    for (uint32_t i = 0; i < h->n_used; i++) {
        struct cls_rule *r = h->nodes[i].rule;
        if (r && visible(r, version) && (!covering || rule_overlaps(r, covering)))
            selection_add(s, r);
    }
}

void classifier_for_each(const struct classifier *c, const struct match *covering, cls_version_t version,
                         bool (*fn)(struct cls_rule *, void *aux), void *aux)
{
    struct selection s = {0};
    FOR_EACH_TUPLE (t, c) {
        if (!covering || tuple_within(t, covering)) /* then to overlap is to be covered */
            select_in_tuple(t, covering, version, &s);
    }
    for (size_t i = 0; i < s.n && fn(s.rules[i], aux); i++)
        continue;
    free(s.rules);
}

size_t classifier_count_tuples(const struct classifier *c)
{
    size_t n = 0;
    FOR_EACH_TUPLE (t, c)
        n += t->n_rules != 0;
    return n;
}
