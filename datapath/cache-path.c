/* cache-path.c: what walks left, each once, however many entries of the cache lead to it. */
#include "config.h"
#include "base/hash.h"
#include "base/mem.h"
#include "datapath/worker.h"

enum { MIN_CHAINS = 16 };

static struct dp_dep *path_deps(const struct cache_path *p)
{
    return (struct dp_dep *)((uint8_t *)p->outcome.acts + p->outcome.acts_len);
}

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

static uint32_t path_hash(const struct dp_path *path)
{
    uint64_t h = hash_seed() ^ path->drop;
    for (uint32_t i = 0; i < path->n_tallies; i++)
        h = hash_mix(h, (uintptr_t)path->tallies[i]);
    for (uint32_t i = 0; i < path->n_deps; i++)
        h = hash_mix(hash_mix(h, (uintptr_t)path->deps[i].gen), path->deps[i].seen);
    return hash_bytes(path->acts.data, path->acts.len, h);
}

static bool path_is(const struct cache_path *p, const struct worker *w, const struct dp_bridge *bridge,
                    const struct dp_path *path, uint32_t hash)
{
    const struct dp_dep *deps = path_deps(p);
    if (p->hash != hash || p->bridge != bridge->index || p->flushes != w->flushes || p->outcome.drop != path->drop ||
        p->outcome.acts_len != path->acts.len || p->outcome.n_tallies != path->n_tallies || p->n_deps != path->n_deps)
        return false;
    for (uint32_t i = 0; i < path->n_tallies; i++)
        if (p->outcome.tallies[i] != path->tallies[i])
            return false;
    for (uint32_t i = 0; i < path->n_deps; i++)
        if (deps[i].gen != path->deps[i].gen || deps[i].seen != path->deps[i].seen)
            return false;
    return !path->acts.len || !memcmp(p->outcome.acts, path->acts.data, path->acts.len);
}

static struct cache_path *path_make(const struct worker *w, const struct dp_bridge *bridge, const struct dp_path *path,
                                    uint32_t hash)
{
    size_t tallies = path->n_tallies * sizeof *path->tallies, deps = path->n_deps * sizeof *path->deps;
    struct cache_path *p = xzalloc_line(sizeof *p + tallies + path->acts.len + deps);
    uint8_t *at = (uint8_t *)p->data;
    *p = (struct cache_path){
        .outcome = {.acts = at + tallies,
                    .tallies = (void *)at,
                    .acts_len = path->acts.len,
                    .n_tallies = path->n_tallies,
                    .drop = path->drop},
        .group = UINT32_MAX,
        .bridge = bridge->index,
        .generation = w->generation,
        .n_deps = path->n_deps,
        .hash = hash,
        .flushes = w->flushes,
    };
    if (tallies)
        memcpy(at, path->tallies, tallies);
    if (path->acts.len)
        memcpy(at + tallies, path->acts.data, path->acts.len);
    if (deps)
        memcpy(at + tallies + path->acts.len, path->deps, deps);
    return p;
}

static void bury(struct cache_paths *ps, struct cache_path *p)
{
    p->next = ps->graveyard;
    ps->graveyard = p;
}

static void more_chains(struct cache_paths *ps)
{
    size_t n = MAX(MIN_CHAINS, 2 * ps->n_chains);
    struct cache_path **chains = xcalloc(n, sizeof *chains);
    for (size_t i = 0; i < ps->n_chains; i++)
        for (struct cache_path *p = ps->chains[i], *next; p; p = next) {
            next = p->next;
            p->next = chains[p->hash & (n - 1)];
            chains[p->hash & (n - 1)] = p;
        }
    free(ps->chains);
    ps->chains = chains;
    ps->n_chains = n;
}

struct cache_path *cache_path_get(struct cache_paths *ps, const struct worker *w, const struct dp_bridge *bridge,
                                  const struct dp_path *path)
{
    uint32_t hash = path_hash(path);
    struct cache_path *p;
    if (path->uncacheable) {
        bury(ps, p = path_make(w, bridge, path, hash));
        return p;
    }
    if (ps->n >= ps->n_chains)
        more_chains(ps);
    struct cache_path **chain = &ps->chains[hash & (ps->n_chains - 1)];
    for (p = *chain; p && !path_is(p, w, bridge, path, hash);)
        p = p->next;
    if (!p) {
        p = path_make(w, bridge, path, hash);
        p->next = *chain;
        *chain = p;
        ps->n++;
    }
    p->generation = w->generation; /* it depends on what the path has seen just now */
    p->n_refs++;
    return p;
}

void cache_path_put(struct cache_paths *ps, struct cache_path *p)
{
    if (--p->n_refs)
        return;
    struct cache_path **link = &ps->chains[p->hash & (ps->n_chains - 1)];
    while (*link != p)
        link = &(*link)->next;
    *link = p->next;
    ps->n--;
    bury(ps, p);
}

void cache_paths_reap(struct cache_paths *ps)
{
    while (ps->graveyard) {
        struct cache_path *p = ps->graveyard;
        ps->graveyard = p->next;
        free(p);
    }
}

void cache_paths_destroy(struct cache_paths *ps)
{
    assert(!ps->n);
    cache_paths_reap(ps);
    free(ps->chains);
}
