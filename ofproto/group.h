/* group.h: the groups of a bridge, shared by group.c, walk-group.c and whoever counts references. */
#ifndef OFPROTO_GROUP_H
#define OFPROTO_GROUP_H 1

#include "ofproto/bridge.h"
#include "openflow/group.h"

enum { MAX_GROUPS = 1 << 18, MAX_GROUP_BYTES = 1 << 28 /* of all buckets of a bridge */ };

struct bucket {
    uint16_t weight;
    uint32_t id; /* number in OpenFlow 1.0 and 1.5 */
    uint32_t watch_port, watch_group;
    uint64_t key;     /* what it does, as a number: its own among the buckets of the group, whatever their order */
    const void *acts; /* an action set */
    size_t acts_len;
    struct dp_tally *tally;
};

/* What a MODIFY replaces as a whole, in one piece of memory with its buckets' tallies and actions. */
struct group_config {
    uint8_t type;
    size_t n_buckets, bytes;
    struct group_config *next; /* among those that a MODIFY has replaced */
    uint64_t salt; /* of this switch, so that switches behind each other choose independently */
    struct bucket bucket[];
};

struct group {
    uint32_t id;
    bool dying;  /* deleted; walks of an older version of the tables may still come by. Atomic */
    bool fresh;  /* made in the transaction that is open: no walk has seen it */
    bool doomed; /* deleted in it */
    struct group *replaces; /* of a fresh one: what walks see till then */
    uint32_t n_flows, n_groups;         /* that forward to it */
    msec_t created;
    uint64_t mark;                      /* of searches through the graph */
    struct dp_tally *tally;
    bool tally_taken; /* another one counts in it */
    const struct group_config *config;  /* RCU, gen of the group's id bumped */
    struct cds_list_head node;          /* among the dying */
};

/* Walk, of this version of the tables. Notes the generation, so that what depended on a group that was not there notices
 * when it comes. */
struct group *group_lookup(const struct ofproto *, uint32_t id, cls_version_t, struct dp_path *);

#endif
