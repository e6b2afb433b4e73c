/* Conjunctive matches against a slow obvious twin: random flows, each packet of a small world; and the bits that a lookup says
 * it has consulted against all other packets. */
#include "tests/sim/random.h"

enum { FLOWS = 24, TABLE = 3 };
enum { PORTS = 2, ADDRESSES = 4, KEYS = PORTS * ADDRESSES * ADDRESSES };

struct flow {
    struct match m;
    unsigned priority;
    struct buf acts;
    bool soft, hidden; /* hidden: another one took its place */
};

static void key_of(unsigned n, struct flow_key *key)
{
    memset(key, 0, sizeof *key);
    key->meta.in_port = htonl(1 + n % PORTS);
    key->eth.src[5] = (uint8_t)(n / PORTS % ADDRESSES);
    key->eth.dst[5] = (uint8_t)(n / PORTS / ADDRESSES);
}

/* --- The twin: straight from ovs-fields(7), "conj_id" --- */

static bool conjoins(const struct flow *f, uint32_t id, unsigned k, unsigned n)
{
    ACT_FOR_EACH (a, f->acts.data, f->acts.len) {
        const struct act_conjunction *c = (const void *)a;
        if (a->n == id && c->clause == k && c->n_clauses == n)
            return true;
    }
    return false;
}

static const struct flow *best_hard(const struct flow *f, const struct flow_key *key)
{
    const struct flow *best = NULL;
    for (unsigned i = 0; i < FLOWS; i++)
        if (!f[i].soft && !f[i].hidden && match_hits(&f[i].m, key) && (!best || f[i].priority > best->priority))
            best = &f[i];
    return best;
}

static bool holds(const struct flow *f, const struct flow_key *key, unsigned priority, uint32_t id, unsigned n)
{
    for (unsigned k = 0; k < n; k++) {
        bool any = false;
        for (unsigned i = 0; i < FLOWS; i++)
            any |= f[i].soft && !f[i].hidden && f[i].priority == priority && match_hits(&f[i].m, key) && conjoins(&f[i], id, k, n);
        if (!any)
            return false;
    }
    return true;
}

static int twin(const struct flow *f, const struct flow_key *key)
{
    const struct flow *hard = best_hard(f, key);
    for (int priority = 20; priority > (hard ? (int)hard->priority : -1); priority--) {
        int best = -1;
        for (uint32_t id = 1; id <= 3; id++)
            for (unsigned n = 2; n <= 3; n++) {
                struct flow_key with = *key;
                with.meta.conj_id = htonl(id);
                const struct flow *r = holds(f, key, (unsigned)priority, id, n) ? best_hard(f, &with) : NULL;
                if (r)
                    best = MAX(best, (int)r->priority);
            }
        if (best >= 0)
            return best;
    }
    return hard ? (int)hard->priority : -1;
}

/* --- The switch --- */

struct listener {
    struct walk_listener l;
    int priority; /* -1: no rule */
};

static void on_table(struct walk_listener *l, const struct ofproto *o, uint8_t table, struct rule *r, const struct flow_view *v)
{
    (void)o, (void)v;
    if (table == TABLE)
        container_of(l, struct listener, l)->priority = r ? r->cls.priority : -1;
}

static int walked(struct sim *s, const struct flow_key *key, struct flow_key *consulted)
{
    struct listener l = {.l.table = on_table, .priority = -2};
    struct dp_path path;
    dp_path_init(&path);
    walk_packet(s->o, key, &path, &l.l);
    *consulted = path.consulted;
    dp_path_free(&path);
    return l.priority;
}

/* --- Random flows. Hard ones have priorities of their own (even), so that which one wins is not left open. --- */

static void random_flow(uint64_t *rng, unsigned i, struct flow *f)
{
    char text[200] = "";
    memset(f, 0, sizeof *f);
    f->soft = i % 2;
    f->priority = f->soft ? 1 + 2 * unit_below(rng, 4) + (i % 4 == 1) : 2 * (i / 2);
    f->priority = f->soft ? f->priority : MIN(f->priority, 20u);
    switch (unit_below(rng, 5)) {
    case 0: sim_match(&f->m, FIELD_IN_PORT, 1 + unit_below(rng, PORTS)); break;
    case 1: sim_match(&f->m, FIELD_ETH_SRC, unit_below(rng, ADDRESSES)); break;
    case 2: sim_match(&f->m, FIELD_ETH_DST, unit_below(rng, ADDRESSES)); break;
    case 3: sim_match(&f->m, FIELD_ETH_SRC, unit_below(rng, ADDRESSES)); sim_match(&f->m, FIELD_ETH_DST, unit_below(rng, ADDRESSES)); break;
    default: break;
    }
    if (!f->soft && unit_below(rng, 2))
        sim_match(&f->m, FIELD_CONJ_ID, 1 + unit_below(rng, 3));
    for (unsigned n = f->soft ? 1 + unit_below(rng, 3) : 0; n--;) {
        unsigned of = 2 + unit_below(rng, 2);
        snprintf(text + strlen(text), sizeof text - strlen(text), "%sconjunction(%u,%u/%u)", *text ? "," : "", 1 + unit_below(rng, 3),
                 1 + unit_below(rng, of), of);
    }
    parse_acts(f->soft ? text : "output:1", &f->acts);
}

static void fill(struct sim *s, uint64_t *rng, struct flow f[FLOWS])
{
    struct flow_mod fm = FLOW_MOD_INIT;
    fm.command = OFPFC_ADD;
    parse_acts("goto_table:3", &fm.acts);
    ck_assert(!tables_flow_mod(s->o, &fm, clock_msec()));
    flow_mod_free(&fm);
    for (unsigned i = 0; i < FLOWS; i++) {
        random_flow(rng, i, &f[i]);
        for (unsigned j = 0; j < i; j++)
            f[j].hidden |= f[j].priority == f[i].priority && match_equal(&f[j].m, &f[i].m);
        fm = FLOW_MOD_INIT;
        fm.command = OFPFC_ADD;
        fm.table = TABLE;
        fm.priority = (uint16_t)f[i].priority;
        fm.match = f[i].m;
        fm.acts = f[i].acts;
        ck_assert(!tables_flow_mod(s->o, &fm, clock_msec()));
    }
}

static bool same_bits(const struct flow_key *a, const struct flow_key *b, const struct flow_key *mask)
{
    for (unsigned w = 0; w < FLOW_KEY_WORDS; w++)
        if ((key_words_const(a)[w] ^ key_words_const(b)[w]) & key_words_const(mask)[w])
            return false;
    return true;
}

START_TEST(as_the_manual_says)
{
    uint64_t rng = unit_seed();
    unsigned concluded = 0;
    for (int round = 0; round < 400; round++) {
        struct sim s;
        struct flow f[FLOWS];
        struct flow_key key[KEYS], consulted[KEYS];
        int got[KEYS];
        sim_init(&s);
        fill(&s, &rng, f);
        for (unsigned n = 0; n < KEYS; n++) {
            key_of(n, &key[n]);
            got[n] = walked(&s, &key[n], &consulted[n]);
            int want = twin(f, &key[n]);
            const struct flow *hard = best_hard(f, &key[n]);
            concluded += want != (hard ? (int)hard->priority : -1);
            ck_assert_msg(got[n] == want, "round %d, packet %u: priority %d instead of %d", round, n, got[n], want);
        }
        for (unsigned n = 0; n < KEYS; n++)
            for (unsigned m = 0; m < KEYS; m++)
                ck_assert_msg(got[n] == got[m] || !same_bits(&key[n], &key[m], &consulted[n]), "%u and %u would share a path", n, m);
        for (unsigned i = 0; i < FLOWS; i++)
            buf_free(&f[i].acts);
        sim_destroy(&s);
    }
    ck_assert_uint_gt(concluded, 50); /* else the flows are too tame */
}
END_TEST

/* When the last conjunction goes, the table costs nothing again. */
START_TEST(soft_rules_are_counted)
{
    uint64_t rng = unit_seed();
    struct sim s;
    struct flow f[FLOWS];
    sim_init(&s);
    fill(&s, &rng, f);
    ck_assert_uint_gt(s.o->tables[TABLE].cls.n_soft, 0);
    tables_flush(s.o);
    sim_run(&s);
    ck_assert_uint_eq(s.o->tables[TABLE].cls.n_soft, 0);
    for (unsigned i = 0; i < FLOWS; i++)
        buf_free(&f[i].acts);
    sim_destroy(&s);
}
END_TEST

UNIT_TEST_MAIN("conjunction", as_the_manual_says, soft_rules_are_counted)
