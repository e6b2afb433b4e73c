/* walk-group.c: groups (OpenFlow 1.3.5, 5.6.1), liveness (6.5), and which bucket of a select group a packet takes. */
#include "ofproto/group.h"
#include "ofproto/walk.h"
#include "base/hash.h"

/* --- Liveness --- */

enum { MAX_WATCH_DEPTH = 32, MAX_WATCHES = 1 << 16 /* looked at in one walk */ };

static bool group_live(struct walk *, const struct group *, unsigned depth);

/* 6.5: "A port is considered live if it has the OFPPS_LIVE flag set in its port state." */
static bool port_live(struct walk *w, uint32_t number)
{
    dp_path_dep(w->s->path, &w->o->ports_gen);
    struct ofport *p = ofport_lookup(w->o, number);
    if (!p)
        return false;
    dp_path_dep(w->s->path, &p->gen);
    return __atomic_load_n(&p->state, __ATOMIC_RELAXED) & OFPPS_LIVE;
}

static bool watched_group_live(struct walk *w, uint32_t id, unsigned depth)
{
    const struct group *g = group_lookup(w->o, id, w->version, w->s->path);
    return g && !__atomic_load_n(&g->dying, __ATOMIC_RELAXED) && depth < MAX_WATCH_DEPTH && group_live(w, g, depth + 1);
}

/* 5.6.1, select: "When a port specified in a bucket in a select group goes down, the switch may restrict bucket
 * selection to the remaining set (those with forwarding actions to live ports)". So a bucket that watches nothing lives
 * as long as one of the ports and groups that it forwards to does; if it forwards to none (but to the controller, say),
 * always. */
static bool forwards_to_live(struct walk *w, const struct bucket *b, unsigned depth)
{
    bool any = false;
    ACT_FOR_EACH(a, b->acts, b->acts_len)
    {
        bool port = a->type == ACT_OUTPUT && (a->n <= OFPP_MAX || a->n == OFPP_LOCAL), group = a->type == ACT_GROUP;
        any |= port || group;
        if ((port && port_live(w, a->n)) || (group && watched_group_live(w, a->n, depth)))
            return true;
    }
    return !any;
}

/* 6.5: "A bucket is considered live if either watch_port is not OFPP_ANY and the port watched is live, or if
 * watch_group is not OFPG_ANY and the group watched is live." */
static bool bucket_live(struct walk *w, const struct bucket *b, unsigned depth)
{
    if (++w->s->watches > MAX_WATCHES) {
        walk_stop(w, DROP_WALK_WORK);
        return false;
    }
    if (b->watch_port == OFPP_ANY && b->watch_group == OFPG_ANY)
        return forwards_to_live(w, b, depth);
    return (b->watch_port != OFPP_ANY && port_live(w, b->watch_port)) ||
           (b->watch_group != OFPG_ANY && watched_group_live(w, b->watch_group, depth));
}

/* 6.5: "A group is considered live if a least one of its buckets is live." */
static bool group_live(struct walk *w, const struct group *g, unsigned depth)
{
    const struct group_config *c = __atomic_load_n(&g->config, __ATOMIC_ACQUIRE);
    for (size_t i = 0; i < c->n_buckets && !w->s->stop; i++)
        if (bucket_live(w, &c->bucket[i], depth))
            return true;
    return false;
}

/* --- Selection --- */

/* Fields that differ between packets of one flow, and views of what other rows have. */
static bool hashes(enum field_id f)
{
    switch ((int)f) {
    case FIELD_VLAN_VID: /* in VLAN_TCI */
    case FIELD_VLAN_PCP:
    case FIELD_IP_TOS: /* IP_DSCP is; the rest is ECN */
    case FIELD_IP_ECN:
    case FIELD_IP_TTL:
    case FIELD_MPLS_TTL:
    case FIELD_TCP_FLAGS:
    case FIELD_IP_FRAG:
        return false;
    default:
        return fields[f].layer != L_META; /* headers, not where it came from or what the pipeline noted */
    }
}

/* One number for all header fields that the packet has. All fragments of a packet count as having no ports and no
 * extension headers, since only the first has them. */
static uint64_t hash_packet(struct walk *w)
{
    uint64_t hash = 0;
    bool fragment = walk_has(w, P_IP) && view_get(w->v, ip.frag);
    for (int f = 0; f < N_FIELDS; f++) {
        union field_value value;
        if (!hashes(f) || (fragment && (fields[f].layer == L_L4 || f == FIELD_IPV6_EXTHDR)) ||
            !walk_has(w, fields[f].prereq))
            continue;
        view_field_get(w->v, f, NULL, &value);
        hash = hash_mix(hash_mix(hash, value.w[0]), value.w[1]);
    }
    return walk_has(w, P_VLAN) ? hash_mix(hash, view_get(w->v, eth.tci2)) : hash;
}

/* -log2((h + 1) / 2^32), in units of 2^-26. */
static uint64_t minus_log2(uint32_t h)
{
    enum { FRACTION = 26 };
    uint64_t x = (uint64_t)h + 1;
    unsigned whole = 63 - (unsigned)__builtin_clzll(x);
    uint64_t log = (uint64_t)whole << FRACTION, m = x << (31 - MIN(whole, 31u)); /* mantissa, 1.31 bits */
    if (whole == 32)
        return 0;
    for (int bit = FRACTION - 1; bit >= 0; bit--) {
        m = m * m >> 31;
        if (m >> 32) {
            m >>= 1;
            log |= UINT64_C(1) << bit;
        }
    }
    return ((uint64_t)32 << FRACTION) - log;
}

/* Weighted rendezvous hashing: each bucket draws, from the packet and what the bucket does, a number between 0 and 1;
 * the least -log(number) / weight wins. That shares flows in proportion to the weights, and when a bucket comes, goes
 * or dies only its own share moves. 7.3.4.3: "If its weight is set to zero, the bucket is not used by the select
 * group." */
static const struct bucket *select_bucket(struct walk *w, const struct group_config *c)
{
    const struct bucket *best = NULL;
    uint64_t best_log = 0, hash = 0;
    for (size_t i = 0; i < c->n_buckets && !w->s->stop; i++) {
        const struct bucket *b = &c->bucket[i];
        if (!b->weight || !bucket_live(w, b, 0))
            continue;
        if (!best)
            hash = hash_mix(hash_packet(w), c->salt);
        uint64_t log = minus_log2(hash_finish(hash_mix(hash, b->key)));
        if (!best || log * best->weight < best_log * b->weight) {
            best = b;
            best_log = log;
        }
    }
    return best;
}

static const struct bucket *first_live_bucket(struct walk *w, const struct group_config *c)
{
    for (size_t i = 0; i < c->n_buckets && !w->s->stop; i++)
        if (bucket_live(w, &c->bucket[i], 0))
            return &c->bucket[i];
    return NULL;
}

/* --- Execution --- */

/* On a copy: 5.6.1, "The packet is effectively cloned for each bucket", and 5.11, "a copy of the packet in its current
 * state is processed by the relevant group bucket(s)". */
static void run_bucket(struct walk *w, const struct group *g, const struct group_config *c, const struct bucket *b)
{
    struct flow_key key = w->v->key, written = w->v->written;
    const struct act *set[WALK_SET_SIZE];
    unsigned n_set = w->n_set;
    uint32_t queue = w->queue;
    struct rule *rule = w->rule;
    if (!walk_step(w))
        return;
    memcpy(set, w->set, n_set * sizeof set[0]);
    w->n_set = 0;
    w->rule = NULL; /* 7.4.1: the cookie of a packet-in from a bucket is -1; nor does a table-miss "directly" send it */
    walk_note(w, "group %u (%s): bucket%zu of %zu", g->id, group_type_name(c->type), (size_t)(b - c->bucket),
              c->n_buckets);
    dp_path_tally(w->s->path, b->tally);
    struct buf stack = walk_save_stack(w);
    size_t at = emit_clone_begin(w);
    walk_write_set(w, b->acts, b->acts_len);
    walk_execute_set(w);
    emit_clone_end(w, at);
    walk_restore_stack(w, &stack);
    memcpy(w->set, set, n_set * sizeof set[0]);
    w->n_set = n_set;
    w->queue = queue;
    w->rule = rule;
    w->v->key = key;
    w->v->written = written;
    memset(&w->changed, 0, sizeof w->changed);
    w->any_changed = w->exited = false;
}

static void run_group(struct walk *w, const struct group *g)
{
    const struct group_config *c = __atomic_load_n(&g->config, __ATOMIC_ACQUIRE);
    const struct bucket *one = NULL;
    dp_path_tally(w->s->path, g->tally);
    switch ((enum ofp_group_type)c->type) {
    case OFPGT_SELECT:
        one = select_bucket(w, c);
        break;
    case OFPGT_FF:
        one = first_live_bucket(w, c);
        break;
    case OFPGT_ALL:
    case OFPGT_INDIRECT:
    case N_GROUP_TYPES:
        for (size_t i = 0; i < c->n_buckets && !w->s->stop; i++)
            run_bucket(w, g, c, &c->bucket[i]);
        if (c->n_buckets)
            return;
    }
    if (one) {
        run_bucket(w, g, c, one);
    } else if (!w->s->stop) { /* 5.6.1: "If no buckets are live, packets are dropped." */
        walk_note(w, "group %u (%s): none of %zu buckets takes the packet", g->id, group_type_name(c->type),
                  c->n_buckets);
        walk_drop(w, DROP_NO_BUCKET);
    }
}

void walk_group(struct walk *w, uint32_t id)
{
    const struct group *g = group_lookup(w->o, id, w->version, w->s->path);
    if (!g) {
        walk_note(w, "there is no group %u", id);
        walk_drop(w, DROP_NO_GROUP);
    } else if (walk_deeper(w)) {
        run_group(w, g);
        walk_shallower(w);
    }
}
