/* cache-path.c: what walks left, each once, however many entries of the cache lead to it. */
#include "config.h"
#include "base/hash.h"
#include "base/mem.h"
#include "datapath/worker.h"

enum { MIN_CHAINS = 16 };

/* --- what is shared --- */

static void more_chains(struct shared_table *t)
{
    size_t n = MAX(MIN_CHAINS, 2 * t->n_chains);
    struct shared **chains = xcalloc(n, sizeof *chains);
    for (size_t i = 0; i < t->n_chains; i++)
        for (struct shared *s = t->chains[i], *next; s; s = next) {
            next = s->next;
            s->next = chains[s->hash & (n - 1)];
            chains[s->hash & (n - 1)] = s;
        }
    free(t->chains);
    t->chains = chains;
    t->n_chains = n;
}

static struct shared *first_of(const struct shared_table *t, uint32_t hash)
{
    return t->n ? t->chains[hash & (t->n_chains - 1)] : NULL;
}

static void share(struct shared_table *t, struct shared *s)
{
    if (t->n++ >= t->n_chains)
        more_chains(t);
    struct shared **chain = &t->chains[s->hash & (t->n_chains - 1)];
    s->next = *chain;
    *chain = s;
}

/* True: that was the last reference. */
static bool unref(struct shared_table *t, struct shared *s)
{
    if (--s->n_refs)
        return false;
    struct shared **link = &t->chains[s->hash & (t->n_chains - 1)];
    while (*link != s)
        link = &(*link)->next;
    *link = s->next;
    t->n--;
    return true;
}

/* --- outcomes --- */

static struct outcome *outcome_get(struct shared_table *t, const struct dp_path *path)
{
    uint32_t hash = hash_bytes(path->acts.data, path->acts.len, hash_seed() ^ path->drop);
    struct outcome *o;
    for (struct shared *s = first_of(t, hash); s; s = s->next) {
        o = container_of(s, struct outcome, shared);
        if (s->hash == hash && o->drop == path->drop && o->acts_len == path->acts.len &&
            (!o->acts_len || !memcmp(o->acts, path->acts.data, o->acts_len))) {
            s->n_refs++;
            return o;
        }
    }
    o = xzalloc_line(sizeof *o + path->acts.len);
    *o = (struct outcome){.shared = {.hash = hash, .n_refs = 1}, .acts_len = path->acts.len, .drop = path->drop};
    if (path->acts.len)
        memcpy(o->acts, path->acts.data, path->acts.len);
    share(t, &o->shared);
    return o;
}

static void outcome_put(struct shared_table *t, struct outcome *o)
{
    if (unref(t, &o->shared))
        free(o);
}

/* --- paths --- */

static struct dp_dep *path_deps(const struct cache_path *p) { return (struct dp_dep *)(p->data + p->n_tallies); }

/* Has nothing changed on which it depends? */
bool cache_path_still_good(const struct worker *w, struct cache_path *p)
{
    const struct dp_dep *deps = path_deps(p);
    if (p->flushes != w->flushes)
        return false; /* before anything else: what the dependencies point to may be gone */
    for (uint32_t i = 0; i < p->n_deps; i++)
        if (load_acquire(&deps[i].gen->n) != deps[i].seen)
            return false;
    p->generation = w->generation;
    return true;
}

static uint32_t path_hash(const struct dp_path *path, const struct outcome *o)
{
    uint64_t h = hash_mix(hash_seed(), (uintptr_t)o);
    for (uint32_t i = 0; i < path->n_tallies; i++)
        h = hash_mix(h, (uintptr_t)path->tallies[i]);
    for (uint32_t i = 0; i < path->n_deps; i++)
        h = hash_mix(hash_mix(h, (uintptr_t)path->deps[i].gen), path->deps[i].seen);
    return hash_finish(h);
}

static bool path_is(struct cache_path *p, const struct worker *w, const struct dp_bridge *bridge,
                    const struct dp_path *path, const struct outcome *o)
{
    const struct dp_dep *deps = path_deps(p);
    if (p->bridge != bridge->index || p->flushes != w->flushes || p->outcome != o || p->n_tallies != path->n_tallies ||
        p->n_deps != path->n_deps)
        return false;
    for (uint32_t i = 0; i < path->n_tallies; i++)
        if (cache_path_tallies(p)[i] != path->tallies[i])
            return false;
    for (uint32_t i = 0; i < path->n_deps; i++)
        if (deps[i].gen != path->deps[i].gen || deps[i].seen != path->deps[i].seen)
            return false;
    return true;
}

static struct cache_path *path_make(const struct worker *w, const struct dp_bridge *bridge, const struct dp_path *path,
                                    struct outcome *o, uint32_t hash)
{
    size_t tallies = path->n_tallies * sizeof *path->tallies, deps = path->n_deps * sizeof *path->deps;
    struct cache_path *p = xzalloc_line(sizeof *p + tallies + deps);
    *p = (struct cache_path){
        .generation = w->generation,
        .outcome = o,
        .n_tallies = path->n_tallies,
        .n_deps = path->n_deps,
        .shared = {.hash = hash},
        .bridge = bridge->index,
        .flushes = w->flushes,
    };
    if (tallies)
        memcpy(cache_path_tallies(p), path->tallies, tallies);
    if (deps)
        memcpy(path_deps(p), path->deps, deps);
    return p;
}

static void bury(struct cache_paths *ps, struct cache_path *p)
{
    p->shared.next = ps->graveyard;
    ps->graveyard = &p->shared;
}

struct cache_path *cache_path_get(struct cache_paths *ps, const struct worker *w, const struct dp_bridge *bridge,
                                  const struct dp_path *path)
{
    struct outcome *o = outcome_get(&ps->outcomes, path);
    uint32_t hash = path_hash(path, o);
    struct cache_path *p;
    if (path->uncacheable) {
        bury(ps, p = path_make(w, bridge, path, o, hash));
        return p;
    }
    for (struct shared *s = first_of(&ps->paths, hash); s; s = s->next) {
        p = container_of(s, struct cache_path, shared);
        if (s->hash == hash && path_is(p, w, bridge, path, o)) {
            outcome_put(&ps->outcomes, o); /* it has one */
            p->generation = w->generation; /* it depends on what the path has seen just now */
            s->n_refs++;
            return p;
        }
    }
    p = path_make(w, bridge, path, o, hash);
    p->shared.n_refs = 1;
    share(&ps->paths, &p->shared);
    return p;
}

void cache_path_put(struct cache_paths *ps, struct cache_path *p)
{
    if (unref(&ps->paths, &p->shared))
        bury(ps, p);
}

void cache_paths_reap(struct cache_paths *ps)
{
    while (ps->graveyard) {
        struct cache_path *p = container_of(ps->graveyard, struct cache_path, shared);
        ps->graveyard = p->shared.next;
        outcome_put(&ps->outcomes, p->outcome);
        free(p);
    }
}

void cache_paths_destroy(struct cache_paths *ps)
{
    assert(!ps->paths.n);
    cache_paths_reap(ps);
    assert(!ps->outcomes.n);
    free(ps->paths.chains);
    free(ps->outcomes.chains);
}
