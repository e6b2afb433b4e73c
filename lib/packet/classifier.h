/* classifier.h: the rules of one flow table, found by packet.
 *
 * Written by one thread (main), read by any under RCU (liburcu-qsbr): a reader between two quiescent states may use
 * what it found until the next one. Memory that readers may still hold is given to `defer` of classifier_init(), which
 * frees it after a grace period (tests: at once).
 *
 * Rules are grouped by mask into tuples, tuples ordered by their highest priority, and a lookup ends at the first
 * tuple that cannot beat what it has found: the cost is bounded by the number of distinct masks among the rules, never
 * by traffic. A lookup goes through a view and marks the bits of every tuple that it looked into: nothing else
 * computes masks.
 *
 * Versions: a rule is seen by lookups at versions [add, remove). A table change of many rules inserts them at version
 * v + 1, marks the old ones removed at v + 1, and then publishes v + 1: no packet sees half of it. */
#ifndef PACKET_CLASSIFIER_H
#define PACKET_CLASSIFIER_H 1

#include "base/buf.h"
#include "packet/match.h"
#include "packet/view.h"

typedef uint64_t cls_version_t;
#define CLS_FOREVER UINT64_MAX

struct cls_tuple;
struct cls_order;

/* Embedded in the owner's rule, as its last member: the match's significant words follow it. Its size is
 * cls_rule_size(match); private but for `priority`. */
struct cls_rule {
    struct cls_tuple *tuple;
    cls_version_t add, remove; /* remove: atomic */
    uint32_t hash;
    uint16_t priority;
    bool linked;
    bool soft;                /* set before it is inserted: lookups do not find it but collect it */
    uint64_t words[]; /* value words where the tuple's mask is not zero */
};

typedef void (*cls_defer_fn)(void (*fn)(void *), void *arg, void *aux);

struct classifier {
    struct cls_order *order;    /* RCU: the tuples by max priority, descending */
    struct cls_tuple **by_mask; /* writer's own hash table of the tuples */
    size_t by_mask_size, n_tuples, n_rules;
    uint32_t n_soft;            /* atomic; soft rules that are linked */
    unsigned stale;             /* changes that `order` does not show at its best yet */
    uint32_t next_id;
    cls_defer_fn defer;
    void *defer_aux;
};

void classifier_init(struct classifier *, cls_defer_fn defer, void *aux);
void classifier_destroy(struct classifier *); /* it must be empty */

size_t cls_rule_size(const struct match *); /* of the whole struct, words included */

/* Inserts `r`, filled from match and priority. Another rule with the same match and priority that is still visible at
 * `version` must have been removed at or before `version`. The caller keeps `r` until it is removed and a grace period
 * has passed. */
void classifier_insert(struct classifier *, struct cls_rule *r, const struct match *, uint16_t priority,
                       cls_version_t version);
/* From `version` on, lookups no longer see r; it stays linked. */
void classifier_hide(struct classifier *, struct cls_rule *r, cls_version_t version);
void classifier_unhide(struct classifier *, struct cls_rule *r); /* undoes it (a bundle that failed) */
/* Unlinks r. The caller may free it after a grace period. */
void classifier_remove(struct classifier *, struct cls_rule *r);

/* No rule is soft (n_soft), else see below. The rule of highest priority that matches v->key at `version`, or NULL. Between rules of equal priority that both
 * match, any (OpenFlow leaves it undefined). */
struct cls_rule *classifier_lookup(const struct classifier *, struct flow_view *v, cls_version_t version);

/* The same, in a table that may have soft rules: those that match and are of higher priority than the rule found come by
 * falling priority into *soft, struct cls_rule * each (may be NULL). */
struct cls_rule *classifier_lookup_soft(const struct classifier *, struct flow_view *v, cls_version_t version,
                                        struct buf *soft);

/* The visible rule with this match and priority, or NULL; any thread (classifier_find_exactly() is faster). */
struct cls_rule *classifier_find_shared(const struct classifier *, const struct match *, uint16_t priority,
                                        cls_version_t version);

/* Writer only. */
struct cls_rule *classifier_find_exactly(const struct classifier *, const struct match *, uint16_t priority,
                                         cls_version_t version);
/* A visible rule of the same priority that could match a packet that `match` also matches (CHECK_OVERLAP), or NULL. */
struct cls_rule *classifier_find_overlap(const struct classifier *, const struct match *, uint16_t priority,
                                         cls_version_t version);
void cls_rule_match(const struct cls_rule *, struct match *); /* the match, as inserted */
bool cls_rule_matches_all(const struct cls_rule *);           /* no field; any thread */

/* Calls fn for each rule that is visible at `version` and, if `covering` is not NULL, whose match it covers (the
 * non-strict selection of flow-mods and statistics). The rules are chosen before the first call: fn may insert rules and
 * remove the one it is given, but no other. Stops when fn returns false. */
void classifier_for_each(const struct classifier *, const struct match *covering, cls_version_t version,
                         bool (*fn)(struct cls_rule *, void *aux), void *aux);
size_t classifier_count_tuples(const struct classifier *);

#endif
