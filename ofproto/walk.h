/* walk.h: the inside of the walk, shared by walk*.c.
 *
 * A walk takes one packet, as a view, through the pipeline of a bridge and of those that it enters by tunnels, and
 * leaves primitive actions, consulted bits, dependencies and counters in a dp_path. It changes nothing else.
 *
 * Three rules keep cached paths true:
 * 1. The packet is read through the view only, which marks what was read.
 * 2. What goes into the path (values of sets, blobs of punts, arguments) was read through the view or written by the
 *    walk, so it is the same for every packet of the path.
 * 3. Whatever else is read (tables, ports, settings, MAC entries) has its generation noted before it is read.
 *
 * Header changes are remembered as changed bits and become primitive actions only when something follows that sees the
 * packet; what no output follows is cut off at the end. */
#ifndef OFPROTO_WALK_H
#define OFPROTO_WALK_H 1

#include "ofproto/bridge.h"
#include "packet/view-field.h"

enum {
    WALK_MAX_DEPTH = 64,   /* resubmits, clones and bridges inside each other */
    WALK_MAX_WORK = 1 << 14, /* lookups, buckets and actions: enough for the largest group */
    WALK_SET_SIZE = 128,   /* actions in an action set */
    WALK_MAX_ACTS = 2 << 20, /* bytes of primitive actions: some thousand tunnels */
};

/* What all bridges of one walk share. */
struct walk_shared {
    struct dp_path *path;
    struct walk_listener *listener; /* or NULL */
    unsigned depth, work, watches;
    bool stop;              /* a bound was hit */
    bool sent;              /* some copy went somewhere (to learn a MAC address does not count) */
    enum drop_reason drop;  /* the first reason why one did not; DROP_NONE: none */
    size_t kept;            /* bytes of path->acts up to the last action with an effect */
    size_t last_clone;      /* where the clone starts that ends at `kept`; SIZE_MAX: none does */
    size_t last_push;       /* where the PUSH_VLAN starts that ends the list */
};

/* A packet in one bridge. */
struct walk {
    struct walk_shared *s;
    struct ofproto *o;
    struct flow_view *v;
    cls_version_t version;
    struct flow_key changed;      /* header bits that the primitive actions do not know yet */
    bool any_changed, exited, packet_out;
    uint32_t queue;               /* of the ports that it leaves by */
    bool in_set, missed;          /* executing the action set; a packet-in that no flow asked for */
    int go_to;                    /* table of the goto_table just met, or -1 */
    uint8_t table;                /* of the rule whose actions these are */
    struct rule *rule;            /* NULL: packet-out, fall-back */
    struct buf stack;             /* of push and pop: union field_value each, the top at the end */
    unsigned n_set;
    const struct act *set[WALK_SET_SIZE]; /* the action set, in order of arrival */
};

/* --- walk.c --- */
void walk_bridge(struct walk *);                                     /* from the port on */
void walk_tables(struct walk *, uint8_t table);                      /* from a table on, to the end of its gotos */
void walk_resubmit(struct walk *, uint8_t table, uint32_t in_port);
void walk_acts(struct walk *, const void *acts, size_t len);
void walk_execute_set(struct walk *);                                /* in its order; it is empty afterwards */
bool walk_deeper(struct walk *);                                     /* false: too deep, the walk has ended */
void walk_shallower(struct walk *);
bool walk_step(struct walk *);                                       /* false: too much work, or ended already */
void walk_drop(struct walk *, enum drop_reason);                     /* the packet, or a copy of it, ends here */
void walk_stop(struct walk *, enum drop_reason);                     /* all of it */
void walk_into_bridge(struct walk *, struct ofproto *, struct flow_view *outer); /* by its LOCAL port */
void walk_note(struct walk *, const char *format, ...) PRINTF(2, 3); /* for trace */

/* --- walk-act.c --- */
void walk_act(struct walk *, const struct act *);
unsigned walk_set_rank(const struct act *);                          /* when an action set executes it; 0: never */
void walk_write_set(struct walk *, const void *acts, size_t len);    /* into the action set */
void walk_note_set(struct walk *);                                   /* the action set has changed: actset_output */
void walk_set_bits(struct walk *, enum field_id, const union field_value *value, const union field_value *mask);
void walk_set_field(struct walk *, enum field_id, const union field_value *value, const union field_value *mask); /* if it is there */
bool walk_has_tag(struct walk *);

/* --- walk-nicira.c: what Nicira added --- */
bool walk_get_subfield(struct walk *, const struct subfield *, union field_value *); /* as a number; false: the packet has no such header */
void walk_put_subfield(struct walk *, const struct subfield *, const union field_value *number);
struct buf walk_save_stack(struct walk *); /* before what works on a copy of the packet */
void walk_restore_stack(struct walk *, struct buf *saved);
void act_stack_push(struct walk *, const struct act *);
void act_stack_pop(struct walk *, const struct act *);
void act_output_reg(struct walk *, const struct act *);
void act_check_len(struct walk *, const struct act *);

/* --- walk-conjunction.c --- */
struct rule *walk_lookup_conjunctions(struct walk *, const struct classifier *); /* a lookup in a table that has some */

/* --- walk-learn.c --- */
void act_learn(struct walk *, const struct act *);
void act_fin_timeout(struct walk *, const struct act *);

/* --- walk-tag.c: pushes, pops, TTLs --- */
void walk_push_vlan(struct walk *, uint16_t tpid);
void walk_pop_vlan(struct walk *);
void walk_set_kind(struct walk *, enum field_id, const union field_value *); /* eth_type, ip_proto, mpls_bos */
void act_push_vlan(struct walk *, const struct act *);
void act_pop_vlan(struct walk *, const struct act *);
void act_push_mpls(struct walk *, const struct act *);
void act_pop_mpls(struct walk *, const struct act *);
void act_push_pbb(struct walk *, const struct act *);
void act_pop_pbb(struct walk *, const struct act *);
void act_copy_ttl_out(struct walk *, const struct act *);
void act_copy_ttl_in(struct walk *, const struct act *);
void act_set_mpls_ttl(struct walk *, const struct act *);
void act_dec_mpls_ttl(struct walk *, const struct act *);
void act_set_nw_ttl(struct walk *, const struct act *);
void act_dec_nw_ttl(struct walk *, const struct act *);
void act_dec_ttl_ids(struct walk *, const struct act *);

/* --- walk-emit.c: into path->acts --- */
void emit_changes(struct walk *);                                    /* before anything that sees the packet */
void emit_push_vlan(struct walk *, uint16_t tpid, uint16_t tci);
void emit_pop_vlan(struct walk *);
void emit_tag(struct walk *, enum dpact_type, uint32_t arg);         /* pops and TTL copies, push_pbb */
void emit_push_mpls(struct walk *, uint16_t type, uint32_t lse);
void emit_output(struct walk *, uint32_t dp_port);
void emit_packet_in(struct walk *, uint8_t reason, uint16_t max_len, uint16_t controller_id);
void emit_packet_in_with(struct walk *, uint8_t reason, uint16_t max_len, uint16_t controller_id, const void *userdata, uint16_t userdata_len);
void emit_meter(struct walk *, uint32_t id, struct dp_meter *);
void emit_hold_meter(struct walk *, size_t from);                    /* of actions from there on: OFPM_SLOWPATH before a HOLD */
void emit_learn(struct walk *, const struct punt_learn_mac *);
void emit_request(struct walk *, enum punt_kind, const void *blob, size_t len); /* something that main does; no packet */
size_t emit_clone_begin(struct walk *);
void emit_clone_end(struct walk *, size_t at);
void emit_appended(struct walk *, bool sent);                        /* somebody appended what has an effect */
void emit_end(struct walk_shared *);

/* --- walk-output.c --- */
void walk_output_number(struct walk *, uint32_t port, uint16_t max_len);
void walk_output_port(struct walk *, struct ofport *);               /* no check of in_port */
void walk_flood(struct walk *, bool all);                            /* every port but in_port; !all: but for NO_FLOOD */
bool walk_miss_to_controllers(struct walk *);                        /* as 1.0 has it; false: the port must not */

/* --- walk-group.c --- */
void walk_group(struct walk *, uint32_t id);

/* --- walk-normal.c --- */
void walk_normal(struct walk *);

/* Does the packet have the headers that this prerequisite asks for? */
bool walk_has(struct walk *, enum field_prereq);
/* Is the header of a field there whole, and in this packet, not in an earlier fragment? Below an MPLS label, too. */
bool walk_has_header(struct walk *, enum field_id);
bool walk_has_field(struct walk *, enum field_id); /* both */

#endif
