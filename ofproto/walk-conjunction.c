/* walk-conjunction.c: Nicira's conjunctive matches: "one of these sources AND one of those destinations" in as many flows as
 * there are of both, not in all their combinations.
 *
 * Flows with the action conjunction(ID,K/N) are never found by themselves. Of those that a packet matches, the ones of the
 * highest priority are looked at together: for each ID of which all N clauses are there, the table is looked up again with
 * conj_id=ID. If nothing comes of it, those of the next priority are, down to that of the flow that the packet matches
 * without them. Of several IDs that hold, that whose flow has the highest priority wins, then the lowest ID; Open vSwitch
 * leaves it open. */
#include "ofproto/walk.h"
#include <stdlib.h>

struct clause {
    uint32_t id;
    uint8_t n, k;
};

static int by_id(const void *a_, const void *b_)
{
    const struct clause *a = a_, *b = b_;
    return a->id != b->id ? (a->id < b->id ? -1 : 1) : (int)a->n - b->n;
}

static void collect(const struct rule *r, struct buf *clauses)
{
    ACT_FOR_EACH (a, r->acts->list, r->acts->len) {
        const struct act_conjunction *c = (const void *)a;
        struct clause one = {.id = a->n, .n = c->n_clauses, .k = c->clause};
        if (a->type == ACT_CONJUNCTION)
            buf_put(clauses, &one, sizeof one);
    }
}

static struct rule *conclude(struct walk *w, const struct classifier *cls, uint32_t id)
{
    be32 key = w->v->key.meta.conj_id, written = w->v->written.meta.conj_id;
    view_set(w->v, meta.conj_id, htonl(id));
    struct rule *r = rule_of(classifier_lookup_soft(cls, w->v, w->version, NULL));
    w->v->key.meta.conj_id = key;
    w->v->written.meta.conj_id = written;
    return r;
}

/* All clauses of one priority. */
static struct rule *conclude_any(struct walk *w, const struct classifier *cls, struct clause *c, size_t n)
{
    struct rule *best = NULL;
    uint32_t best_id = 0;
    qsort(c, n, sizeof *c, by_id);
    for (size_t i = 0, next; i < n && walk_step(w); i = next) {
        uint64_t have = 0;
        for (next = i; next < n && !by_id(&c[next], &c[i]); next++)
            have |= UINT64_C(1) << c[next].k;
        if (have != UINT64_MAX >> (64 - c[i].n))
            continue;
        struct rule *r = conclude(w, cls, c[i].id);
        if (r && (!best || r->cls.priority > best->cls.priority)) {
            best = r;
            best_id = c[i].id;
        }
    }
    if (best)
        walk_note(w, "conjunction %u: all its clauses match", best_id);
    return best;
}

struct rule *walk_lookup_conjunctions(struct walk *w, const struct classifier *cls)
{
    struct buf soft = BUF_INIT, clauses = BUF_INIT;
    struct rule *r = rule_of(classifier_lookup_soft(cls, w->v, w->version, &soft)), *concluded = NULL;
    struct cls_rule **rules = (struct cls_rule **)soft.data;
    size_t n = soft.len / sizeof *rules;
    for (size_t i = 0, next; i < n && !concluded; i = next) {
        buf_clear(&clauses);
        for (next = i; next < n && rules[next]->priority == rules[i]->priority; next++)
            collect(rule_of(rules[next]), &clauses);
        concluded = conclude_any(w, cls, (struct clause *)clauses.data, clauses.len / sizeof(struct clause));
    }
    buf_free(&soft);
    buf_free(&clauses);
    return concluded ? concluded : r;
}
