/* The classifier against its obvious twin: the same rules in an array, tried one by one. */
#include "unit.h"

#include <pthread.h>
#include <sched.h>
#include "base/mem.h"
#include "packet/classifier.h"

struct twin {
    struct match match;
    struct cls_rule *rule;
    cls_version_t add, remove;
    uint16_t priority;
    bool linked;
};

static void free_now(void (*fn)(void *), void *arg, void *aux)
{
    (void)aux;
    fn(arg);
}

static bool twin_hits(const struct twin *t, const struct flow_key *k, cls_version_t version)
{
    if (!t->linked || t->add > version || version >= t->remove)
        return false;
    for (unsigned w = 0; w < FLOW_KEY_WORDS; w++) {
        if ((key_words_const(k)[w] & key_words_const(&t->match.mask)[w]) != key_words_const(&t->match.value)[w])
            return false;
    }
    return true;
}

static bool match_same(const struct match *a, const struct match *b) { return !memcmp(a, b, sizeof *a); }

static bool twin_covered(const struct twin *t, const struct match *m)
{
    for (unsigned w = 0; w < FLOW_KEY_WORDS; w++) {
        uint64_t mask = key_words_const(&m->mask)[w];
        if (mask & ~key_words_const(&t->match.mask)[w])
            return false;
        if ((key_words_const(&t->match.value)[w] ^ key_words_const(&m->value)[w]) & mask)
            return false;
    }
    return true;
}

static bool twin_overlaps(const struct twin *t, const struct match *m)
{
    for (unsigned w = 0; w < FLOW_KEY_WORDS; w++) {
        uint64_t both = key_words_const(&m->mask)[w] & key_words_const(&t->match.mask)[w];
        if ((key_words_const(&t->match.value)[w] ^ key_words_const(&m->value)[w]) & both)
            return false;
    }
    return true;
}

/* Masks from few words and few shapes, values of few bits, so that rules meet often. */
static void random_match(uint64_t *rng, unsigned n_words, struct match *m)
{
    static const uint64_t shapes[] = {UINT64_MAX, 0xff, 0xffff0000, 0x3, 0xf0f0f0f0f0f0f0f0};
    memset(m, 0, sizeof *m);
    for (unsigned n = unit_below(rng, 4); n--;) {
        unsigned w = unit_below(rng, n_words) * (FLOW_KEY_WORDS / n_words);
        key_words(&m->mask)[w] = shapes[unit_below(rng, ARRAY_SIZE(shapes))];
        key_words(&m->value)[w] = unit_below(rng, 4) * 0x0101010101010101 & key_words(&m->mask)[w];
    }
}

static void random_key(uint64_t *rng, const struct twin *twins, size_t n, struct flow_key *k)
{
    for (unsigned w = 0; w < FLOW_KEY_WORDS; w++)
        key_words(k)[w] = unit_below(rng, 4) * 0x0101010101010101;
    for (unsigned i = n ? unit_below(rng, 3) : 0; i--;) { /* as some rules want it */
        const struct match *m = &twins[unit_below(rng, (unsigned)n)].match;
        for (unsigned w = 0; w < FLOW_KEY_WORDS; w++) {
            uint64_t mask = key_words_const(&m->mask)[w];
            key_words(k)[w] = (key_words(k)[w] & ~mask) | key_words_const(&m->value)[w];
        }
    }
}

static void check_lookup(const struct classifier *c, const struct twin *twins, size_t n, const struct flow_key *k,
                         cls_version_t version, uint64_t *rng)
{
    struct flow_view v;
    view_init(&v, k);
    if (!unit_below(rng, 4)) {
        for (unsigned w = 0; w < FLOW_KEY_WORDS; w++)
            key_words(&v.written)[w] = unit_random(rng);
    }
    struct flow_key written = v.written;
    struct cls_rule *found = classifier_lookup(c, &v, version);
    const struct twin *best = NULL, *mine = NULL;
    for (size_t i = 0; i < n; i++) {
        if (twin_hits(&twins[i], k, version) && (!best || twins[i].priority > best->priority))
            best = &twins[i];
        if (found && twins[i].linked && twins[i].rule == found)
            mine = &twins[i];
    }
    ck_assert_int_eq(!!found, !!best);
    if (found) {
        ck_assert(mine && twin_hits(mine, k, version));
        ck_assert_uint_eq(found->priority, best->priority);
    }
    /* Sound: what was not consulted does not matter. */
    for (int i = 0; i < 4; i++) {
        struct flow_key other = *k;
        for (unsigned w = 0; w < FLOW_KEY_WORDS; w++) {
            uint64_t flips = unit_random(rng) & unit_random(rng);
            key_words(&other)[w] ^= flips & ~key_words(&v.consulted)[w] & ~key_words(&written)[w];
            ck_assert_uint_eq(key_words(&v.consulted)[w] & key_words(&written)[w], 0);
        }
        struct flow_view v2;
        view_init(&v2, &other);
        ck_assert_ptr_eq(classifier_lookup(c, &v2, version), found);
    }
}

static void check_writer(const struct classifier *c, const struct twin *twins, size_t n, const struct match *m,
                         uint16_t priority, cls_version_t version)
{
    const struct cls_rule *exact = NULL;
    bool overlap = false;
    for (size_t i = 0; i < n; i++) {
        const struct twin *t = &twins[i];
        if (!t->linked || t->priority != priority || t->add > version || version >= t->remove)
            continue;
        overlap |= twin_overlaps(t, m);
        if (match_same(&t->match, m))
            exact = t->rule;
    }
    ck_assert_ptr_eq(classifier_find_exactly(c, m, priority, version), exact);
    struct cls_rule *r = classifier_find_overlap(c, m, priority, version);
    ck_assert_int_eq(!!r, overlap);
}

struct seen {
    struct classifier *c;
    struct twin *twins;
    size_t n, calls;
    const struct match *covering;
    cls_version_t version;
    bool remove;
};

static bool see(struct cls_rule *r, void *aux)
{
    struct seen *s = aux;
    s->calls++;
    for (size_t i = 0; i < s->n; i++) {
        struct twin *t = &s->twins[i];
        if (!t->linked || t->rule != r)
            continue;
        ck_assert(t->add <= s->version && s->version < t->remove);
        ck_assert(!s->covering || twin_covered(t, s->covering));
        struct match m;
        cls_rule_match(r, &m);
        ck_assert(match_same(&m, &t->match));
        if (s->remove) {
            classifier_remove(s->c, r);
            free(r);
            t->linked = false;
        }
        return true;
    }
    ck_abort_msg("for_each gave a rule that is not there");
}

static void check_for_each(struct classifier *c, struct twin *twins, size_t n, const struct match *covering,
                           cls_version_t version, bool remove)
{
    size_t expect = 0;
    for (size_t i = 0; i < n; i++) {
        const struct twin *t = &twins[i];
        expect += t->linked && t->add <= version && version < t->remove && (!covering || twin_covered(t, covering));
    }
    struct seen s = {c, twins, n, 0, covering, version, remove};
    classifier_for_each(c, covering, version, see, &s);
    ck_assert_uint_eq(s.calls, expect);
}

static void insert(struct classifier *c, struct twin *t, const struct match *m, uint16_t priority,
                   cls_version_t version)
{
    *t = (struct twin){.match = *m, .priority = priority, .add = version, .remove = CLS_FOREVER, .linked = true};
    t->rule = xzalloc(cls_rule_size(m));
    classifier_insert(c, t->rule, m, priority, version);
}

static void play(uint64_t *rng, unsigned n_words, unsigned n_priorities, unsigned steps)
{
    enum { MAX = 600 };
    struct twin *twins = xcalloc(MAX, sizeof *twins);
    struct classifier c;
    cls_version_t version = 1;
    classifier_init(&c, free_now, NULL);
    for (unsigned step = 0; step < steps; step++) {
        struct match m;
        struct flow_key k;
        unsigned i = unit_below(rng, MAX), n = 0;
        random_match(rng, n_words, &m);
        uint16_t priority = (uint16_t)unit_below(rng, n_priorities);
        version += !unit_below(rng, 4);
        if (!twins[i].linked) {
            struct cls_rule *old = classifier_find_exactly(&c, &m, priority, version);
            for (unsigned j = 0; old && j < MAX; j++) {
                if (twins[j].linked && twins[j].rule == old) {
                    classifier_hide(&c, old, version);
                    twins[j].remove = version;
                }
            }
            insert(&c, &twins[i], &m, priority, version);
        } else if (unit_below(rng, 3)) {
            classifier_remove(&c, twins[i].rule);
            free(twins[i].rule);
            twins[i].linked = false;
        } else if (twins[i].remove == CLS_FOREVER) {
            classifier_hide(&c, twins[i].rule, twins[i].remove = version + 1);
            if (unit_below(rng, 2)) {
                classifier_unhide(&c, twins[i].rule);
                twins[i].remove = CLS_FOREVER;
            }
        }
        for (unsigned j = 0; j < MAX; j++)
            n += twins[j].linked;
        ck_assert_uint_eq(c.n_rules, n);
        random_key(rng, twins, MAX, &k);
        check_lookup(&c, twins, MAX, &k, version - unit_below(rng, 2), rng);
        if (step % 8 == 0) {
            check_writer(&c, twins, MAX, &m, priority, version);
            check_writer(&c, twins, MAX, &twins[i].match, twins[i].priority, version);
            random_match(rng, n_words, &m);
            check_for_each(&c, twins, MAX, unit_below(rng, 4) ? &m : NULL, version, false);
        }
        if (step % 1000 == 999)
            check_for_each(&c, twins, MAX, unit_below(rng, 4) ? &m : NULL, version, true);
    }
    for (unsigned j = 0; j < MAX; j++) {
        if (twins[j].linked) {
            classifier_remove(&c, twins[j].rule);
            free(twins[j].rule);
        }
    }
    ck_assert_uint_eq(classifier_count_tuples(&c), 0);
    classifier_destroy(&c);
    free(twins);
}

START_TEST(agrees_with_twin_few_masks)
{
    uint64_t rng = unit_seed();
    play(&rng, 2, 3, 4000);
}
END_TEST

START_TEST(agrees_with_twin_many_masks)
{
    uint64_t rng = unit_seed() + 1;
    play(&rng, 16, 1000, 4000);
}
END_TEST

START_TEST(consults_what_it_must_and_no_more)
{
    struct classifier c;
    struct twin t[3];
    struct flow_view v;
    struct flow_key k, none = {0};
    memset(&k, 0x55, sizeof k);
    classifier_init(&c, free_now, NULL);
    view_init(&v, &k);
    ck_assert_ptr_null(classifier_lookup(&c, &v, 1));

    struct match all = {0}, low = {0}, high = {0};
    insert(&c, &t[0], &all, 100, 1);
    low.mask.l4.dst = 0xffff;
    insert(&c, &t[1], &low, 50, 1);
    view_init(&v, &k);
    ck_assert_ptr_eq(classifier_lookup(&c, &v, 1), t[0].rule); /* nothing below can beat it */
    ck_assert_mem_eq(&v.consulted, &none, sizeof none);

    high.mask.ip.proto = 0xff;
    high.value.ip.proto = 6;
    insert(&c, &t[2], &high, 200, 1);
    view_init(&v, &k);
    ck_assert_ptr_eq(classifier_lookup(&c, &v, 1), t[0].rule);
    ck_assert_mem_eq(&v.consulted, &high.mask, sizeof none);
    k.ip.proto = 6;
    view_init(&v, &k);
    view_set(&v, ip.proto, 6);
    ck_assert_ptr_eq(classifier_lookup(&c, &v, 1), t[2].rule);
    ck_assert_mem_eq(&v.consulted, &none, sizeof none);
    for (int i = 0; i < 3; i++) {
        classifier_remove(&c, t[i].rule);
        free(t[i].rule);
    }
    classifier_destroy(&c);
}
END_TEST

START_TEST(many_rules_and_many_tuples)
{
    enum { N = 50000 };
    struct cls_rule **rules = xcalloc(N, sizeof *rules);
    struct classifier c;
    classifier_init(&c, free_now, NULL);
    for (unsigned i = 0; i < N; i++) {
        struct match m = {0};
        m.mask.meta.metadata = 1 + (uint64_t)i % 2000; /* 2000 tuples */
        m.mask.ip4.dst = UINT32_MAX;
        m.value.ip4.dst = i / 2000;
        ck_assert_uint_lt(cls_rule_size(&m), 100);
        rules[i] = xzalloc(cls_rule_size(&m));
        classifier_insert(&c, rules[i], &m, (uint16_t)i, 1);
    }
    ck_assert_uint_eq(classifier_count_tuples(&c), 2000);
    struct flow_key k = {0};
    k.ip4.dst = 7;
    struct flow_view v;
    view_init(&v, &k);
    struct cls_rule *r = classifier_lookup(&c, &v, 1);
    ck_assert_ptr_eq(r, rules[7 * 2000 + 1999]);
    for (unsigned i = 0; i < N; i++) {
        classifier_remove(&c, rules[i]);
        free(rules[i]);
    }
    classifier_destroy(&c);
    free(rules);
}
END_TEST

/* --- A reader beside the writer --- */

enum { KEYS = 200, ROUNDS = 300 };

struct race {
    struct classifier c;
    cls_version_t version; /* atomic */
    unsigned turns;        /* atomic: the reader holds nothing between two of them */
    bool done;             /* atomic */
    unsigned missed, wrong;
    void *kept[200000]; /* what would be freed after a grace period */
    size_t n_kept;
};

static void keep(void (*fn)(void *), void *arg, void *aux)
{
    struct race *race = aux;
    (void)fn;
    ck_assert_uint_lt(race->n_kept, ARRAY_SIZE(race->kept));
    race->kept[race->n_kept++] = arg;
}

/* Every key has one rule at every version: through a mask that changes from round to round. */
static void *read_race(void *race_)
{
    struct race *race = race_;
    uint64_t rng = unit_seed();
    while (!__atomic_load_n(&race->done, __ATOMIC_ACQUIRE)) {
        struct flow_key k;
        struct flow_view v;
        memset(&k, 0xff, sizeof k);
        k.meta.metadata = unit_below(&rng, KEYS);
        view_init(&v, &k);
        cls_version_t version = __atomic_load_n(&race->version, __ATOMIC_ACQUIRE);
        struct cls_rule *r = classifier_lookup(&race->c, &v, version);
        if (!r)
            race->missed++;
        else if (r->add != version)
            race->wrong++;
        __atomic_add_fetch(&race->turns, 1, __ATOMIC_ACQ_REL);
    }
    return NULL;
}

static void wait_for_reader(struct race *race)
{
    unsigned turns = __atomic_load_n(&race->turns, __ATOMIC_ACQUIRE);
    while (__atomic_load_n(&race->turns, __ATOMIC_ACQUIRE) - turns < 2)
        sched_yield();
}

START_TEST(reader_sees_whole_versions)
{
    struct race *race = xzalloc(sizeof *race);
    struct cls_rule *now[KEYS] = {NULL}, *old[KEYS];
    pthread_t reader;
    uint64_t rng = unit_seed();
    classifier_init(&race->c, keep, race);
    for (unsigned round = 0; round < ROUNDS; round++) {
        cls_version_t next = race->version + 1;
        memcpy(old, now, sizeof old);
        for (unsigned i = 0; i < KEYS; i++) {
            struct match m = {0};
            m.mask.meta.metadata = UINT64_MAX;
            m.value.meta.metadata = i;
            unsigned w = 4 + unit_below(&rng, 12);
            key_words(&m.mask)[w] = key_words(&m.value)[w] = 1 + unit_below(&rng, 3);
            now[i] = xzalloc(cls_rule_size(&m));
            classifier_insert(&race->c, now[i], &m, (uint16_t)unit_below(&rng, 50), next);
            if (old[i])
                classifier_hide(&race->c, old[i], next);
        }
        __atomic_store_n(&race->version, next, __ATOMIC_RELEASE);
        if (!round)
            ck_assert_int_eq(pthread_create(&reader, NULL, read_race, race), 0);
        wait_for_reader(race);
        for (unsigned i = 0; i < KEYS; i++) {
            if (old[i]) {
                classifier_remove(&race->c, old[i]);
                keep(free, old[i], race);
            }
        }
    }
    __atomic_store_n(&race->done, true, __ATOMIC_RELEASE);
    pthread_join(reader, NULL);
    ck_assert_uint_eq(race->missed, 0);
    ck_assert_uint_eq(race->wrong, 0);
    for (unsigned i = 0; i < KEYS; i++) {
        classifier_remove(&race->c, now[i]);
        free(now[i]);
    }
    classifier_destroy(&race->c);
    while (race->n_kept)
        free(race->kept[--race->n_kept]);
    free(race);
}
END_TEST

UNIT_TEST_MAIN("classifier", reader_sees_whole_versions, agrees_with_twin_few_masks, agrees_with_twin_many_masks,
               consults_what_it_must_and_no_more, many_rules_and_many_tuples)
