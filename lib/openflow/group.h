/* group.h: group-mods, group descriptions, statistics and features: structs, wire and text (OpenFlow 1.3.5, 5.6, 7.3.4.3,
 * 7.3.5.9 to 7.3.5.11). */
#ifndef OPENFLOW_GROUP_H
#define OPENFLOW_GROUP_H 1

#include "openflow/act.h"

enum ofp_group_mod_command {
    OFPGC_ADD,
    OFPGC_MODIFY,
    OFPGC_DELETE,
    OFPGC_ADD_OR_MOD = 0x8000, /* Open vSwitch's: what mod-group --may-create sends */
};
enum ofp_group_type { OFPGT_ALL, OFPGT_SELECT, OFPGT_INDIRECT, OFPGT_FF, N_GROUP_TYPES };
enum ofp_group_capabilities {
    OFPGFC_SELECT_WEIGHT = 1,
    OFPGFC_SELECT_LIVENESS = 2,
    OFPGFC_CHAINING = 4,
    OFPGFC_CHAINING_CHECKS = 8,
};
enum {
    GROUP_MAX_BUCKETS = 4092,           /* more do not fit a statistics entry, */
    GROUP_MAX_BUCKET_BYTES = 65535 - 24 /* … nor do longer ones fit a description */
};

struct group_bucket {
    uint32_t id; /* in OpenFlow 1.0 with Nicira's extension; else its place */
    uint16_t weight;
    uint32_t watch_port, watch_group; /* OFPP_ANY, OFPG_ANY: none */
    size_t acts, acts_len;            /* where in the group's acts; no actions: drop */
};
#define GROUP_BUCKET_INIT ((struct group_bucket){.watch_port = OFPP_ANY, .watch_group = OFPG_ANY})

/* A group as messages and text say it, to the bit. */
struct group_desc {
    uint32_t id;
    uint8_t type; /* enum ofp_group_type; of a group-mod any number */
    bool numbered; /* buckets' ids came with it, and are printed */
    size_t n_buckets;
    struct group_bucket *buckets;
    struct buf acts; /* the actions of all buckets */
};
void group_desc_free(struct group_desc *);
struct group_bucket *group_desc_add_bucket(struct group_desc *); /* GROUP_BUCKET_INIT, no actions yet */
static inline const void *group_acts(const struct group_desc *g, const struct group_bucket *b)
{
    return b->acts_len ? g->acts.data + b->acts : NULL;
}
bool group_has_watch(const struct group_bucket *);

struct group_mod {
    uint16_t command; /* enum ofp_group_mod_command, or any */
    struct group_desc group;
};

/* Wire. Decoders need nothing initialised; free what they give in any case. A decoder looks at structure alone: commands,
 * types and numbers are judged by group_check(). */
enum ofp_error group_mod_decode(uint8_t version, struct rd body, struct group_mod *);
void group_mod_encode(const struct group_mod *, uint8_t version, uint32_t xid, struct buf *out);
void group_desc_encode(const struct group_desc *, uint8_t version, struct ofp_parts *);
enum ofp_error group_desc_decode(uint8_t version, struct rd *body, struct group_desc *); /* one entry, moves on */

struct group_counter {
    uint64_t packets, bytes;
};
struct group_stats {
    uint32_t id, ref_count, duration_sec, duration_nsec;
    struct group_counter sum;
    size_t n_buckets;
    struct group_counter *buckets; /* decode: the caller frees it */
};
void group_stats_encode(const struct group_stats *, uint8_t version, struct ofp_parts *);
enum ofp_error group_stats_decode(uint8_t version, struct rd *body, struct group_stats *); /* one entry, moves on */
/* OpenFlow 1.0's names a group; later versions give all. */
void group_desc_request_encode(uint32_t id, uint8_t version, uint32_t xid, struct buf *out);
enum ofp_error group_desc_request_decode(uint8_t version, struct rd body, uint32_t *id); /* OFPG_ALL: all */
void group_stats_request_encode(uint32_t id, uint8_t version, uint32_t xid, struct buf *out);
enum ofp_error group_stats_request_decode(uint8_t version, struct rd body, uint32_t *id);

struct group_features { /* arrays: by type */
    uint32_t types, capabilities, max_groups[N_GROUP_TYPES], actions[N_GROUP_TYPES];
};
void group_features_encode(const struct group_features *, uint8_t version, uint32_t xid, struct buf *out);
enum ofp_error group_features_decode(uint8_t version, struct rd body, struct group_features *);

/* What is wrong with a group-mod whatever the switch holds: command, number, type, number of buckets, weights, watches,
 * actions. `bucket`: which one (NULL: do not tell), or SIZE_MAX; `why`: in words, "" if ofp_error_sentence() says it. */
enum ofp_error group_check(const struct group_mod *, const struct act_context *, size_t *bucket, char why[200]);

/* Text. "group_id=1,type=select,bucket=weight:10,watch_port:2,actions=output:1,bucket=…", as ovs-ofctl(8) has it;
 * `command` says what is wanted (a delete takes group_id alone, and group_id=all). Free *gm in any case. */
bool group_mod_parse(const char *text, enum ofp_group_mod_command, const struct port_names *, struct group_mod *, struct diag *);
bool group_id_parse(const char *text, uint32_t *id); /* a number up to OFPG_MAX, or "all"; "group_id=" may stand before */
void group_desc_format(const struct group_desc *, const struct port_names *, struct buf *out);
void group_stats_format(const struct group_stats *, struct buf *out);
void group_actions_format(uint32_t bits, uint8_t version, struct buf *out); /* of struct group_features: "output group set_field" */
const char *group_type_name(uint8_t type); /* "all", "select", "indirect", "ff"; "unknown" */

#endif
