/* fdb.c: the MAC table of NORMAL.
 *
 * A hash table with a fixed number of buckets. Walks read chains under RCU; a bucket's generation is bumped when what a
 * lookup in it finds has changed, so that only paths that asked for such an address are walked again. Entries that
 * packets use are kept young by a counter, not by messages: main looks at it when the entry would be too old. */
#include <urcu/list.h>
#include "ofproto/bridge.h"
#include "base/hash.h"
#include "base/mem.h"

enum { N_BUCKETS = 4096, MAC_AGING = 300, MAC_TABLE_SIZE = 8192, EVICT_LOOKS = 16 };

struct entry {
    struct entry *next; /* RCU */
    uint64_t key;       /* vlan << 48 | mac */
    uint32_t port;      /* atomic */
    msec_t seen;        /* main: as far as known; the counter may say a later time */
    struct dp_tally *tally;
    struct cds_list_head by_age;
};

struct bucket {
    struct entry *first; /* RCU */
    struct dp_gen gen;
};

struct fdb {
    struct ofproto *o;
    size_t n;
    struct cds_list_head by_age; /* the one seen longest ago first */
    struct bucket buckets[N_BUCKETS];
};

struct fdb *fdb_create(struct ofproto *o)
{
    struct fdb *fdb = xzalloc(sizeof *fdb);
    fdb->o = o;
    CDS_INIT_LIST_HEAD(&fdb->by_age);
    return fdb;
}

static uint64_t make_key(uint16_t vlan, const uint8_t mac[6])
{
    uint64_t key = vlan;
    for (int i = 0; i < 6; i++)
        key = key << 8 | mac[i];
    return key;
}

static struct bucket *bucket_of(struct fdb *fdb, uint64_t key)
{
    return &fdb->buckets[hash_finish(hash_mix(hash_seed(), key)) % N_BUCKETS];
}

static struct entry *find(const struct bucket *b, uint64_t key)
{
    struct entry *e = __atomic_load_n(&b->first, __ATOMIC_ACQUIRE);
    while (e && e->key != key)
        e = __atomic_load_n(&e->next, __ATOMIC_ACQUIRE);
    return e;
}

uint32_t fdb_lookup(struct fdb *fdb, uint16_t vlan, const uint8_t mac[6], struct dp_path *path,
                    struct dp_tally **refresh)
{
    uint64_t key = make_key(vlan, mac);
    struct bucket *b = bucket_of(fdb, key);
    dp_path_dep(path, &b->gen);
    const struct entry *e = find(b, key);
    if (!e)
        return 0;
    *refresh = e->tally;
    return __atomic_load_n(&e->port, __ATOMIC_RELAXED);
}

static void entry_free(void *e_)
{
    struct entry *e = e_;
    free(e->tally);
    free(e);
}

static void entry_remove(struct fdb *fdb, struct entry *e)
{
    struct bucket *b = bucket_of(fdb, e->key);
    struct entry **link = &b->first;
    while (*link != e)
        link = &(*link)->next;
    __atomic_store_n(link, e->next, __ATOMIC_RELEASE);
    cds_list_del(&e->by_age);
    fdb->n--;
    dp_bump(fdb->o->dp, &b->gen);
    dp_defer(fdb->o->dp, entry_free, e);
}

/* Into its place by age; nearly always the end. */
static void place(struct fdb *fdb, struct entry *e)
{
    struct cds_list_head *at = fdb->by_age.prev;
    while (at != &fdb->by_age && container_of(at, struct entry, by_age)->seen > e->seen)
        at = at->prev;
    cds_list_add(&e->by_age, at);
}

static msec_t last_seen(const struct fdb *fdb, const struct entry *e)
{
    uint64_t packets, bytes;
    msec_t used;
    dp_tally_read(fdb->o->dp, e->tally, &packets, &bytes, &used);
    return MAX(used, e->seen);
}

/* Takes the counter's word. True if that made the entry younger. */
static bool renew(struct fdb *fdb, struct entry *e)
{
    msec_t seen = last_seen(fdb, e);
    if (seen == e->seen)
        return false;
    e->seen = seen;
    cds_list_del(&e->by_age);
    place(fdb, e);
    return true;
}

static struct entry *oldest(const struct fdb *fdb) { return container_of(fdb->by_age.next, struct entry, by_age); }

/* Somebody who sends from many addresses must not make this slow: a few looks, then whoever is first goes. */
static void evict(struct fdb *fdb)
{
    for (int i = 0; i < EVICT_LOOKS && renew(fdb, oldest(fdb)); i++)
        continue;
    entry_remove(fdb, oldest(fdb));
}

void fdb_learn(struct fdb *fdb, const struct punt_learn_mac *learn, msec_t now)
{
    uint64_t key = make_key(learn->vlan, learn->mac);
    struct bucket *b = bucket_of(fdb, key);
    struct entry *e = find(b, key);
    if (e) {
        cds_list_del(&e->by_age);
        e->seen = now;
        place(fdb, e);
        if (e->port != learn->in_port) { /* moved */
            __atomic_store_n(&e->port, learn->in_port, __ATOMIC_RELAXED);
            dp_bump(fdb->o->dp, &b->gen);
        }
        return;
    }
    if (!ofport_lookup(fdb->o, learn->in_port))
        return; /* the port went while the request waited */
    unsigned size = fdb->o->config.mac_table_size;
    while (fdb->n && fdb->n >= (size ? size : MAC_TABLE_SIZE))
        evict(fdb);
    e = xzalloc(sizeof *e);
    e->key = key;
    e->port = learn->in_port;
    e->seen = now;
    e->tally = xzalloc_line(dp_tally_size(fdb->o->dp));
    place(fdb, e);
    fdb->n++;
    e->next = b->first;
    __atomic_store_n(&b->first, e, __ATOMIC_RELEASE);
    dp_bump(fdb->o->dp, &b->gen);
}

/* port 0: every entry */
static void flush(struct fdb *fdb, uint32_t port)
{
    struct entry *e, *next;
    cds_list_for_each_entry_safe (e, next, &fdb->by_age, by_age) {
        if (!port || e->port == port)
            entry_remove(fdb, e);
    }
}

void fdb_flush_port(struct fdb *fdb, uint32_t port)
{
    if (port)
        flush(fdb, port);
}

void ofproto_fdb_flush(struct ofproto *o) { flush(o->fdb, 0); }

void fdb_destroy(struct fdb *fdb)
{
    flush(fdb, 0);
    dp_defer(fdb->o->dp, free, fdb); /* walks may still look at its buckets */
}

static msec_t aging_of(const struct fdb *fdb)
{
    return (msec_t)(fdb->o->config.mac_aging ? fdb->o->config.mac_aging : MAC_AGING) * 1000;
}

void fdb_run(struct fdb *fdb, msec_t now)
{
    while (fdb->n && oldest(fdb)->seen + aging_of(fdb) <= now) {
        if (!renew(fdb, oldest(fdb)))
            entry_remove(fdb, oldest(fdb));
    }
}

msec_t fdb_wake_at(const struct fdb *fdb) { return fdb->n ? oldest(fdb)->seen + aging_of(fdb) : INT64_MAX; }

size_t ofproto_fdb(struct ofproto *o, struct fdb_row **rows)
{
    const struct fdb *fdb = o->fdb;
    const struct entry *e;
    msec_t now = clock_msec();
    size_t n = 0;
    *rows = xcalloc(fdb->n ? fdb->n : 1, sizeof **rows);
    cds_list_for_each_entry (e, &fdb->by_age, by_age) {
        struct fdb_row *r = &(*rows)[n++];
        r->port = e->port;
        r->vlan = (uint16_t)(e->key >> 48);
        for (int i = 0; i < 6; i++)
            r->mac[i] = (uint8_t)(e->key >> (40 - 8 * i));
        r->age = (unsigned)(MAX(now - last_seen(fdb, e), 0) / 1000);
    }
    return n;
}
