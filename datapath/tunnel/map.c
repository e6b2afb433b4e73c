#include "datapath/tunnel/map.h"
#include "base/hash.h"
#include "base/mem.h"

/* Open addressing, at most half full; a slot holds 1 + the entry's number, 0 is empty. */
struct tunnel_map {
    size_t n, mask;
    bool wildcard;
    uint32_t *slots;  /* by identity */
    uint32_t *locals; /* by local address alone */
    struct tunnel_map_entry entries[];
};

static uint32_t hash_identity(be32 remote, be32 local, uint32_t key, bool flow)
{
    uint64_t h = hash_mix(hash_seed(), (uint64_t)remote << 32 | local);
    return hash_finish(hash_mix(h, (uint64_t)flow << 32 | key));
}

static uint32_t hash_local(be32 local) { return hash_finish(hash_mix(hash_seed(), local)); }

struct tunnel_map *tunnel_map_build(const struct tunnel_map_entry *entries, size_t n)
{
    size_t size = 2;
    while (size < 2 * n)
        size *= 2;
    size_t bytes = ROUND_UP(sizeof(struct tunnel_map) + n * sizeof *entries, sizeof(uint32_t));
    struct tunnel_map *m = xzalloc(bytes + 2 * size * sizeof(uint32_t));
    m->n = n;
    m->mask = size - 1;
    m->slots = (uint32_t *)((char *)m + bytes);
    m->locals = m->slots + size;
    for (size_t i = 0; i < n; i++) {
        const struct tunnel_map_entry *e = &entries[i];
        m->entries[i] = *e;
        m->wildcard = m->wildcard || !e->local;
        size_t s = hash_identity(e->remote, e->local, e->key, e->flow) & m->mask;
        while (m->slots[s])
            s = (s + 1) & m->mask;
        m->slots[s] = (uint32_t)i + 1;
        if (e->local && !tunnel_map_has_local(m, e->local)) {
            s = hash_local(e->local) & m->mask;
            while (m->locals[s])
                s = (s + 1) & m->mask;
            m->locals[s] = (uint32_t)i + 1;
        }
    }
    return m;
}

size_t tunnel_map_count(const struct tunnel_map *m) { return m ? m->n : 0; }

bool tunnel_map_has_wildcard(const struct tunnel_map *m) { return m && m->wildcard; }

bool tunnel_map_has_local(const struct tunnel_map *m, be32 local)
{
    if (!m)
        return false;
    for (size_t s = hash_local(local) & m->mask; m->locals[s]; s = (s + 1) & m->mask)
        if (m->entries[m->locals[s] - 1].local == local)
            return true;
    return false;
}

static void *find_exactly(const struct tunnel_map *m, be32 remote, be32 local, uint32_t key, bool flow)
{
    for (size_t s = hash_identity(remote, local, key, flow) & m->mask; m->slots[s]; s = (s + 1) & m->mask) {
        const struct tunnel_map_entry *e = &m->entries[m->slots[s] - 1];
        if (e->remote == remote && e->local == local && e->key == key && e->flow == flow)
            return e->port;
    }
    return NULL;
}

void *tunnel_map_find(const struct tunnel_map *m, be32 remote, be32 local, uint32_t key)
{
    void *port = NULL;
    if (!m)
        return NULL;
    for (int class = 0; class < 4 && !port; class ++) {
        bool flow = class & 2, any = class & 1;
        port = find_exactly(m, remote, any ? 0 : local, flow ? 0 : key, flow);
    }
    return port;
}

const struct tunnel_map_entry *tunnel_map_nearest(const struct tunnel_map *m, be32 remote, be32 local, uint32_t key)
{
    const struct tunnel_map_entry *best = NULL;
    int best_score = -1;
    for (size_t i = 0; m && i < m->n; i++) {
        const struct tunnel_map_entry *e = &m->entries[i];
        int score = 4 * (e->remote == remote) + 2 * (!e->local || e->local == local) + (e->flow || e->key == key);
        if (score > best_score) {
            best_score = score;
            best = e;
        }
    }
    return best;
}
