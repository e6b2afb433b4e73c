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

/* A rule of a flow table. Everything that a walk reads is constant from insertion on, but for `acts`, which a MODIFY
 * replaces (RCU, then bumps the table). */
struct rule {
    uint64_t cookie; /* atomic: MODIFY never changes it, but a walk copies it to packet-ins */
    msec_t created, modified;
    uint16_t idle_timeout, hard_timeout, flags;
    uint8_t table;
    const struct rule_acts *acts; /* RCU */
    struct dp_tally *tally;
    struct cds_list_head timers; /* empty: no timeout */
    struct cls_rule cls; /* last */
};
struct rule_acts { /* shared by rules with equal instructions */
    uint32_t refs, hash, len;
    uint64_t list[]; /* struct act… */
};
static inline struct rule *rule_of(struct cls_rule *r) { return r ? container_of(r, struct rule, cls) : NULL; }

struct table {
    struct classifier cls;
    struct dp_gen gen;        /* bumped by every change of the table's rules */
    struct dp_tally *matched; /* packets that matched a rule; with `missed` gives lookups */
    struct dp_tally *missed;
};

struct ofport {
    struct ofproto *ofproto;
    struct dp_port *dp;
    uint32_t number, dp_id;
    char *name;
    bool tunnel, local;
    uint32_t config, state; /* OFPPC_…, OFPPS_…; atomic, gen bumped */
    struct dp_gen gen;
    struct ofp_port_desc desc;
    msec_t created;
    struct cds_list_head node;
};

struct ofproto {
    struct dp *dp;
    struct dp_bridge *bridge;
    char *name;
    struct ofproto_config config;
    uint64_t datapath_id;

    cls_version_t version;       /* atomic; what walks look up at */
    struct table *tables;        /* N_TABLES, allocated when first used would be fine too */
    struct dp_gen settings_gen;  /* frag mode, fall-back, miss_send_len */
    uint16_t frag_mode;          /* OFPC_FRAG_… */
    bool fallback_normal;        /* no controller decides: table-miss in table 0 acts as NORMAL */

    struct ports *ports;         /* ports.c; RCU inside */
    struct dp_gen ports_gen;     /* the set of ports, and what floods go to */
    struct fdb *fdb;             /* fdb.c; RCU inside, generations per bucket */
    struct cds_list_head conns;  /* ofconn.c */
    struct sessions *sessions;   /* round state: barriers and flow-removed that wait for dp_synchronize() */
    struct timeouts *timeouts;   /* rules with idle or hard timeout */
};

/* --- ports.c --- */
struct ofport *ofport_lookup(const struct ofproto *, uint32_t number); /* walk or main; NULL */
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
void walk_packet(struct ofproto *, const struct flow_key *, struct dp_path *, struct walk_listener * /* or NULL */);
/* An action list on a packet that looks as `key` says (packet-out; in_port is in the key). */
void walk_actions(struct ofproto *, const struct flow_key *, const void *acts, size_t acts_len, struct dp_path *, struct walk_listener *);
void walk_output(struct ofproto *, struct dp_port *, const struct flow_key *, struct dp_path *, struct walk_listener *);

/* What the walk writes into the blob of a PUNT. The kind is an enum punt_kind. */
enum punt_kind { PUNT_PACKET_IN, PUNT_LEARN_MAC };
struct punt_packet_in {
    uint64_t cookie, metadata;
    uint32_t in_port, pkt_mark, reg[16]; /* host order */
    uint16_t max_len, controller_id;
    uint8_t reason, table; /* OFPR_… */
};
struct punt_learn_mac {
    uint32_t in_port;
    uint16_t vlan;
    uint8_t mac[6];
};

/* --- fdb.c: MAC table of NORMAL --- */
struct fdb *fdb_create(struct ofproto *);
void fdb_destroy(struct fdb *);
/* Walk: the port behind (vlan, mac), or 0. Notes the dependency; the tally whose packets refresh the entry in *refresh. */
uint32_t fdb_lookup(struct fdb *, uint16_t vlan, const uint8_t mac[6], struct dp_path *, struct dp_tally **refresh);
void fdb_learn(struct fdb *, const struct punt_learn_mac *, msec_t now); /* main */
void fdb_flush_port(struct fdb *, uint32_t port);
void fdb_run(struct fdb *, msec_t now); /* aging */

/* --- tables.c: rules come and go --- */
enum ofp_error tables_flow_mod(struct ofproto *, const struct flow_mod *, msec_t now);
void tables_run(struct ofproto *, msec_t now); /* timeouts */
/* Non-strict selection for statistics. */
void tables_select(struct ofproto *, const struct flow_stats_request *, void (*fn)(struct rule *, void *aux), void *aux);

/* --- ofconn.c --- */
void conns_packet_in(struct ofproto *, const struct punt_packet_in *, const struct packet *, size_t total);
void conns_flow_removed(struct ofproto *, struct rule *, uint8_t reason); /* sent at the end of the round, counters exact */
void conns_port_status(struct ofproto *, struct ofport *, uint8_t reason);

#endif
