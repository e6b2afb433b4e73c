/* bridge.h: the inside of an ofproto, shared by the files of this folder and by nobody else.
 *
 * What a walk reads (tables, rules, ports, the MAC table, a few settings) is published under RCU: main writes, then
 * dp_bump()s the generation that belongs to it; a walk notes the generation (dp_path_dep) before it reads. The rest is
 * main's own. */
#ifndef OFPROTO_BRIDGE_H
#define OFPROTO_BRIDGE_H 1

#include <urcu/list.h>
#include "ofproto/ofproto.h"
#include "openflow/act.h"
#include "openflow/flow.h"
#include "openflow/msg.h"
#include "packet/classifier.h"

enum { N_TABLES = 254 };

/* A rule of a flow table. Everything that a walk reads is constant from insertion on: a MODIFY puts another rule in its
 * place.
 *
 * There may be millions, so a rule is one piece of memory: its tally, itself, the words of its match. A rule that replaces
 * another goes on counting in the other's tally, has none of its own, and owns what is left of the other. */
struct rule {
    uint64_t cookie; /* atomic: OpenFlow 1.0's MODIFY changes it, and a walk copies it to packet-ins */
    msec_t created;
    msec_t counted_since : 48; /* when it came, or was used before it was changed: the idle timeout starts no earlier */
    uint64_t importance : 16;  /* 1.4: told, and otherwise nothing: no rule is evicted */
    uint16_t idle_timeout, hard_timeout;
    uint8_t flags;
    uint8_t table;
    uint8_t reason;       /* of a doomed rule: OFPRR_…, or RULE_REPLACED */
    bool tally_own : 1;   /* `tally` lies in front of this rule */
    bool tally_taken : 1; /* another rule goes on counting in it */
    bool learned : 1;
    bool shortened : 1;   /* fin_timeout has changed its timeouts, which are atomic */
    const struct rule_acts *acts;
    struct dp_tally *tally;
    /* In a slot of the wheel, if it has a timeout; once hidden, among the doomed, who wait for tables_settle(). */
    struct cds_list_head node;
    struct cls_rule cls; /* last */
};
enum { RULE_REPLACED = 0xff };    /* no flow-removed: OpenFlow 1.3.5, 6.4 */

struct rule_acts { /* shared by rules with equal instructions, of all bridges */
    struct rule_acts *next;
    uint32_t refs, hash, len;
    bool forwards_to_groups, learns, conjoins;
    uint64_t list[]; /* struct act… */
};
static inline struct rule *rule_of(struct cls_rule *r) { return r ? container_of(r, struct rule, cls) : NULL; }

struct group;
struct group_mod;

struct table {
    struct classifier cls;
    struct dp_gen gen;        /* bumped by every change of the table's rules */
    struct dp_tally *matched; /* packets that matched a rule; with `missed` gives lookups */
    struct dp_tally *missed;  /* those of all tables in one piece of memory, which begins with the first one's matched */
};

struct ofport {
    struct ofproto *ofproto;
    struct dp_port *dp;
    uint32_t number, dp_id;
    char *name;
    bool tunnel, local;
    uint32_t config, state; /* OFPPC_…, OFPPS_…; atomic, gen bumped */
    struct dp_gen gen;
    struct ofp_port_desc desc;   /* main's; its config and state are the above */
    msec_t created;
};

/* What is being changed (txn.c). */
struct txn {
    unsigned depth;
    bool undoable, any;
    uint64_t touched[(N_TABLES + 63) / 64];
    struct buf undo, events; /* events: monitor.c */
};

struct ofproto {
    struct dp *dp;
    struct dp_bridge *bridge;
    char *name;
    struct ofproto_config config;
    uint64_t datapath_id;

    cls_version_t version;       /* atomic; what walks look up at */
    struct txn txn;              /* what is being done to them */
    struct table *tables;        /* N_TABLES, allocated when first used would be fine too */
    struct dp_gen settings_gen;  /* frag mode, fall-back, miss_send_len */
    uint16_t frag_mode;          /* OFPC_FRAG_… */
    bool fallback_normal;        /* no controller decides: table-miss in table 0 acts as NORMAL */
    bool miss_to_controllers;    /* some session is of OpenFlow 1.0, where a miss goes to the controller */

    struct ports *ports;         /* ports.c; RCU inside */
    struct dp_gen ports_gen;     /* the set of ports, and what floods go to */
    struct meters *meters;       /* meter.c; RCU inside */
    struct dp_gen meters_gen;    /* whether there are meters for packet-ins */
    struct fdb *fdb;             /* fdb.c; RCU inside, generations per bucket */
    struct learning *learning;   /* learn.c; RCU inside */
    struct dp_gen learning_gen;  /* bumped when a rule that learns has gone or changed: what it asked for is void */
    struct pktbufs *pktbufs;     /* pktbuf.c; NULL: none yet */
    struct groups *groups;       /* group.c; RCU inside, generations by number */
    struct cds_list_head conns;  /* ofconn.c */
    struct timeouts *timeouts;   /* timeouts.c: rules with idle or hard timeout */
    size_t n_monitors;           /* of flows, of all connections */
    const struct ofconn *actor;  /* whose message is being done, */
    uint32_t actor_xid;          /* and which; NULL: nobody's */
    size_t n_rules;              /* visible ones */
    struct cds_list_head doomed; /* rules that no walk of the newest version sees, but older walks may */
    bool unsettled;              /* something changed, or a packet was sent, since the last dp_synchronize() */
    uint64_t generation_id;      /* OpenFlow 1.3.5, 6.3.5: the highest seen */
    bool generation_known;

    unsigned controllers;        /* configured */
    msec_t lonely_since;         /* none of them has been connected since; 0: one is, or none is configured */
    msec_t patience;             /* three times the inactivity probe */
};

/* --- ofproto.c --- */
/* Everything done so far is seen by all workers, and doomed rules are told of and freed. Barriers call it. `force`: also if
 * nothing changed, so that counters are exact. */
void ofproto_settle(struct ofproto *, bool force);

/* --- txn.c: changes of flows and groups that packets see together, or not at all --- */
typedef void txn_undo_fn(struct ofproto *, void *a, void *b);
/* Changes nest: the outermost txn_end() publishes them. `undoable`: instead, txn_undo() may take everything back; only
 * the outermost may ask for it. In between nothing settles. */
void txn_begin(struct ofproto *, bool undoable);
void txn_end(struct ofproto *);
void txn_undo(struct ofproto *);
void txn_log(struct ofproto *, txn_undo_fn *, void *a, void *b); /* how the step just done is undone */
void txn_touch_table(struct ofproto *, uint8_t table);
/* What is being changed is visible from this version on; who changes looks things up at it. */
static inline cls_version_t txn_version(const struct ofproto *o) { return o->version + 1; }

/* --- ports.c --- */
void ports_create(struct ofproto *);
void ports_destroy(struct ofproto *); /* no port is left */
struct ofport *ofport_lookup(const struct ofproto *, uint32_t number); /* walk or main; NULL */
void ofport_refresh(struct ofport *); /* after the datapath said that it changed: PORT_STATUS if users see it */
enum ofp_error ofport_mod_check(const struct ofproto *, const struct ofp_port_mod *);
enum ofp_error ofport_mod(struct ofproto *, const struct ofp_port_mod *);
void ofport_get_stats(const struct ofport *, struct ofp_port_stats *, msec_t now);
/* Calls fn for every port, in order of number. Walk or main. */
void ofport_for_each(const struct ofproto *, void (*fn)(struct ofport *, void *aux), void *aux);

/* --- walk.c --- */
/* Told of every step of a walk, for trace. Members may be NULL. */
struct walk_listener {
    void (*bridge)(struct walk_listener *, const struct ofproto *, const struct flow_view *);
    void (*table)(struct walk_listener *, const struct ofproto *, uint8_t table, struct rule * /* or NULL: miss */, const struct flow_view *);
    void (*act)(struct walk_listener *, const struct act *);
    void (*note)(struct walk_listener *, const char *text);          /* in words: what and why */
    void (*drop)(struct walk_listener *, enum drop_reason);
    void (*enter)(struct walk_listener *);                            /* one level deeper, and out again */
    void (*leave)(struct walk_listener *);
};
/* Every action and instruction that walks execute; others are refused before they get here. */
struct act_set walk_executes(void);
void walk_packet(struct ofproto *, const struct flow_key *, struct dp_path *, struct walk_listener * /* or NULL */);
/* An action list on a packet that looks as `key` says (packet-out; in_port is in the key). */
void walk_actions(struct ofproto *, const struct flow_key *, const void *acts, size_t acts_len, struct dp_path *, struct walk_listener *);
void walk_output(struct ofproto *, struct dp_port *, const struct flow_key *, struct dp_path *, struct walk_listener *);

/* What the walk writes into the blob of a PUNT: as the pipeline saw the packet when it was punted (tun_id too, whether it
 * came from the packet's tunnel or from set_tunnel; struct packet's own `tun` is not needed). The kind is an enum punt_kind. */
enum punt_kind { PUNT_PACKET_IN, PUNT_LEARN_MAC, PUNT_LEARN_FLOW, PUNT_FIN };
struct punt_packet_in {
    uint64_t cookie, metadata, tun_id; /* host order; cookie of a packet-out's actions: UINT64_MAX */
    uint32_t in_port, in_phy_port, pkt_mark, reg[16];
    be32 tun_src, tun_dst;
    uint16_t max_len, controller_id;
    uint8_t reason, table; /* OFPR_… */
    bool by_default;       /* no flow asked for it: for sessions of OpenFlow 1.0 */
    uint16_t userdata_len; /* bytes that follow this in the blob */
    const void *userdata;  /* main: where they are */
};
struct punt_learn_mac {
    uint32_t in_port;
    uint16_t vlan;
    uint8_t mac[6];
};

struct punt_learn_flow { /* the flow that a learn() makes of the packet */
    struct match match;
    uint64_t cookie;
    uint32_t limit, epoch; /* of learning_gen */
    uint16_t priority, idle_timeout, hard_timeout, flags;
    uint32_t acts_len;
    uint8_t table, zero[3];
    uint64_t acts[];
};
struct punt_fin { /* a TCP connection ends: the timeouts of this flow become as short as these; 0: no change */
    struct match match;
    uint16_t priority, idle_timeout, hard_timeout;
    uint8_t table, zero;
};

/* --- fdb.c: MAC table of NORMAL --- */
struct fdb *fdb_create(struct ofproto *);
void fdb_destroy(struct fdb *);
/* Walk: the port behind (vlan, mac), or 0. Notes the dependency; the tally whose packets refresh the entry in *refresh. */
uint32_t fdb_lookup(struct fdb *, uint16_t vlan, const uint8_t mac[6], struct dp_path *, struct dp_tally **refresh);
void fdb_learn(struct fdb *, const struct punt_learn_mac *, msec_t now); /* main */
void fdb_flush_port(struct fdb *, uint32_t port);
void fdb_run(struct fdb *, msec_t now); /* aging */
msec_t fdb_wake_at(const struct fdb *); /* INT64_MAX: it is empty */

/* --- rule.c --- */
struct rule *rule_create(struct ofproto *, const struct flow_mod *, struct rule *takes_tally_of /* or NULL */, msec_t now);
/* What a MODIFY makes of a rule: with its counters unless `reset`. */
struct rule *rule_modified(struct ofproto *, struct rule *old, const struct flow_mod *, bool reset, msec_t now);
void rule_give_back_tally(struct rule *r, struct rule *old); /* r, which took old's, was never published */
struct dp_tally *rule_learn_tally(const struct rule *); /* packets that learned it again; NULL: it is not learned */
void rule_free(void *rule); /* after a grace period, or never published */
enum ofp_error acts_check_references(const struct ofproto *, const void *list, size_t len); /* groups, meters, queues */
bool rule_outputs_to(const struct rule *, uint32_t port, uint32_t group); /* OFPP_ANY, OFPG_ANY: no condition */
void rule_fill_stats(struct ofproto *, const struct rule *, msec_t now, struct flow_stats *); /* match included */
void rule_fill_removed(struct ofproto *, const struct rule *, msec_t now, struct flow_removed *);

/* --- meter.c --- */
struct ofp_meter_mod;
void meters_create(struct ofproto *);
void meters_destroy(struct ofproto *); /* no flow is left */
void meters_free(struct ofproto *);    /* behind meters_destroy() and a grace period */
struct dp_meter *meter_lookup(const struct ofproto *, uint32_t id); /* walk or main; NULL */
enum ofp_error meter_mod_check(const struct ofproto *, const struct ofp_meter_mod *);
void meter_mod_apply(struct ofproto *, struct ofp_meter_mod *, msec_t now); /* once checked; takes its bands */

/* --- timeouts.c: a wheel of the rules that end by time --- */
struct timeouts *timeouts_create(msec_t now);
void timeouts_destroy(struct timeouts *);
void timeouts_add(struct timeouts *, struct rule *);
void timeouts_remove(struct timeouts *, struct rule *);
/* Calls expire() for the rules whose time has come, with OFPRR_IDLE_TIMEOUT or OFPRR_HARD_TIMEOUT; it removes them. */
void timeouts_run(struct ofproto *, msec_t now, void (*expire)(struct rule *, uint8_t reason, void *aux), void *aux);
msec_t timeouts_wake_at(const struct timeouts *); /* INT64_MAX: never */

/* --- tables.c: rules come and go --- */
void tables_create(struct ofproto *);
void tables_destroy(struct ofproto *);
enum ofp_error tables_flow_mod(struct ofproto *, const struct flow_mod *, msec_t now);
void tables_run(struct ofproto *, msec_t now); /* timeouts */
void tables_flush(struct ofproto *);           /* removes every rule, as a delete of all does */
void tables_delete_if(struct ofproto *, uint8_t reason, bool (*fn)(const struct rule *, void *aux), void *aux);
void tables_settle(struct ofproto *);          /* after dp_synchronize(): doomed rules end */
void tables_group_deleted(struct ofproto *, uint32_t group); /* flows that forward to it go; OFPG_ALL: to any */
/* Non-strict selection for statistics. */
void tables_select(struct ofproto *, const struct flow_stats_request *, void (*fn)(struct rule *, void *aux), void *aux);

void tables_hide_orphans(struct ofproto *); /* in a transaction: flows whose learners are gone */
void tables_shorten(struct ofproto *, const struct punt_fin *);

/* --- learn.c: flows that flows make --- */
struct learning;
void learning_create(struct ofproto *);
void learning_destroy(struct ofproto *); /* no rule is left */
bool acts_learn(const void *list, size_t len);
void learning_count(struct ofproto *, const struct rule *, int delta); /* it has come (1) or gone (-1), from version + 1 on */
/* Flows of this table and cookie go with those that learned them: true, and again until false. */
bool learning_orphans(struct ofproto *, uint8_t *table, uint64_t *cookie);
bool learning_changed(struct ofproto *); /* since it was last asked: rules that learn have gone or changed */
size_t learning_flows(const struct ofproto *, uint8_t table, uint64_t cookie); /* how many there are, if a rule has a limit; walk or main */
bool learned_already(const struct rule *, const struct punt_learn_flow *); /* nothing is to be done; walk or main */
void learn_flow(struct ofproto *, const void *request, size_t len, msec_t now);

/* --- group.c: the group table --- */
void groups_create(struct ofproto *);
void groups_destroy(struct ofproto *);
/* A group-mod in two steps: the first finds every fault and changes nothing, the second cannot fail. What flows refer to
 * must be as it was in between. */
enum ofp_error group_mod_check(struct ofproto *, const struct group_mod *);
void group_mod_apply(struct ofproto *, const struct group_mod *, msec_t now);
/* A transaction: from begin on, walks see the groups as they are, and main (checks, applications, statistics) those to
 * come. Commit gives them to walks of the version after o->version, which the caller then publishes, changed flows
 * included, and says so by committed(). roll_back forgets all changes; what was done to flows is undone before. No settling
 * in between. A group's deletion asks tables_group_deleted() for the flows. */
void groups_begin(struct ofproto *);
void groups_commit(struct ofproto *);
void groups_committed(struct ofproto *);
void groups_roll_back(struct ofproto *);
void groups_flush(struct ofproto *);              /* as a delete of all */
bool groups_wait(const struct ofproto *);         /* for groups_settle() */
void groups_settle(struct ofproto *);             /* after dp_synchronize(): deleted groups leave the walks' sight */
bool group_exists(const struct ofproto *, uint32_t id);
bool acts_name_groups(const void *list, size_t len);
void groups_count_flow(struct ofproto *, const struct rule_acts *, int delta); /* a flow has come (1) or gone (-1) */
const struct group *group_find(const struct ofproto *, uint32_t id); /* main */
/* Each group behind those that it forwards to or watches, else by number. */
void groups_for_each(struct ofproto *, void (*fn)(const struct group *, void *aux), void *aux);
void group_put_stats(struct ofproto *, const struct group *, msec_t now, uint8_t version, struct ofp_parts *);
void group_put_desc(const struct group *, uint8_t version, struct ofp_parts *);

/* --- async.c: what connections are told unasked --- */
void conns_packet_in(struct ofproto *, const struct punt_packet_in *, const struct packet *, size_t total);
void conns_flow_removed(struct ofproto *, const struct rule *, uint8_t reason); /* counters exact by now */
void misses_refresh(struct ofproto *); /* after a change of a session's version, role or wishes */
void conns_port_status(struct ofproto *, const struct ofport *, uint8_t reason);

/* --- ofconn.c --- */
void conns_run(struct ofproto *, msec_t now);
void conns_check_versions(struct ofproto *); /* ends those that the configuration no longer allows */
msec_t conns_wake_at(const struct ofproto *);

/* --- monitor.c --- */
/* A rule has come, has gone or has taken old's place (enum flow_update_event), in the transaction that is open. */
void monitor_note(struct ofproto *, unsigned what, struct rule *, struct rule *old);
void monitors_tell(struct ofproto *, const struct buf *events); /* when it is published */

/* --- dump.c --- */
void dumps_finish(struct ofproto *); /* rules are about to be unlinked: nobody goes through them any more */

/* --- packet-io.c --- */
enum ofp_error packet_out_check(struct ofproto *, const struct packet_out *);
enum ofp_error packet_out_execute(struct ofproto *, const struct packet_out *);
void packet_release(struct ofproto *, uint32_t buffer_id); /* a buffered packet goes through the tables */

#endif
