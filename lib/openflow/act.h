/* act.h: actions and instructions, decoded.
 *
 * A rule's instructions are one list in a struct buf: items aligned to 8 bytes, each starting with struct act. Items
 * of action.def are apply-actions and stand where they are executed; items of instruction.def follow, in the order in
 * which OpenFlow 1.3.5 (5.9) executes instructions: meter, apply, clear, write, metadata, goto. An action set or the
 * actions of a packet-out are lists of actions only. The same list is what the text "actions=…" says, item by item.
 *
 * Each noun has its file act-<noun>.c with wire decode, wire encode, text parse and text print together; the tables
 * are action.def and instruction.def. */
#ifndef OPENFLOW_ACT_H
#define OPENFLOW_ACT_H 1

#include "openflow/ofp.h"
#include "packet/field.h"
#include "packet/match.h"

enum act_type {
#define ACTION(id, ...) ACT_##id,
#include "openflow/action.def"
#undef ACTION
#define INSTRUCTION(id, ...) INST_##id,
#include "openflow/instruction.def"
#undef INSTRUCTION
    N_ACTS
};

struct act {
    uint16_t type; /* enum act_type */
    uint16_t len;  /* with this header, a multiple of 8 */
    uint32_t n;    /* the number of one-number actions: port of output, group, vlan ethertype, ttl, table… */
};

/* Part of a field: bits [ofs, ofs + n_bits). */
struct subfield {
    uint16_t field; /* enum field_id */
    uint8_t ofs, n_bits;
};

struct act_number { struct act a; };                                     /* GROUP, PUSH_VLAN, GOTO_TABLE, EXIT… */
struct act_output { struct act a; uint16_t max_len; };                   /* n: port; max_len for CONTROLLER */
struct act_controller { struct act a; uint16_t max_len, controller_id; uint8_t reason, zero; uint16_t userdata_len; uint8_t userdata[]; };
struct act_ids { struct act a; uint16_t id[]; };                         /* DEC_TTL_IDS; n: how many */
struct act_check_len { struct act a; struct subfield dst; };             /* n: bytes */
struct act_set_field { struct act a; uint16_t field; uint8_t ofs, n_bits; union field_value value, mask; };
                       /* SET_FIELD (mask all ones), SET_MASKED, REG_LOAD (bits ofs…; prints as load:…): value and mask
                          always say it all, so all three execute alike */
struct act_move { struct act a; struct subfield src, dst; };
struct act_stack { struct act a; struct subfield field; };                /* STACK_PUSH, STACK_POP */
struct act_output_reg { struct act a; struct subfield src; uint16_t max_len; };
struct act_tunnel { struct act a; uint64_t id; };                        /* SET_TUNNEL, SET_TUNNEL64 */
struct act_resubmit { struct act a; uint8_t table; };                    /* n: in_port, OFPP_IN_PORT: unchanged; table
                                                                            255: the current one (always for RESUBMIT) */
struct act_conjunction { struct act a; uint8_t clause, n_clauses; }; /* n: id; clause counts from 0 */
struct act_fin_timeout { struct act a; uint16_t idle_timeout, hard_timeout; };
struct act_learn { /* n: limit of learn2, 0: none */
    struct act a;
    uint64_t cookie;
    uint16_t priority, idle_timeout, hard_timeout, fin_idle_timeout, fin_hard_timeout, flags; /* LEARN_… */
    uint8_t table, zero;
    uint16_t n_specs;
    struct subfield result; /* with LEARN_WRITE_RESULT */
    uint32_t zero2;
    struct learn_spec {
        uint8_t src, dst;  /* LEARN_FROM_…, LEARN_TO_… */
        uint16_t n_bits;
        struct subfield from, to; /* n_bits in both; zero where there is none */
        uint32_t zero;
        union field_value value; /* of LEARN_FROM_VALUE: a number */
    } specs[];
};
enum { LEARN_SEND_FLOW_REM = 1, LEARN_DELETE_LEARNED = 2, LEARN_WRITE_RESULT = 4 };
enum { LEARN_FROM_FIELD, LEARN_FROM_VALUE };
enum { LEARN_TO_MATCH, LEARN_TO_LOAD, LEARN_TO_OUTPUT };
enum { LEARN_MAX_SPECS = 256 };
struct act_note { struct act a; uint16_t n_bytes; uint8_t bytes[]; };
struct act_nested { struct act a; uint64_t list[]; };                    /* WRITE_ACTIONS, CLONE: a list up to len */
struct act_metadata { struct act a; uint64_t value, mask; };

/* Bits of a field's value as a number and back (n_bits at most 64; of more, the low ones) (subfield.c). */
uint64_t subfield_get(const struct subfield *, const union field_value *);
void subfield_set(const struct subfield *, union field_value *value, union field_value *mask, uint64_t);

/* The tables, for whoever documents them: act_rows[enum act_type]. */
struct act_row {
    const char *id, *name, *aliases, *syntax, *doc;
    bool instruction;
    uint32_t experimenter; /* 0: OpenFlow's own; else wire is a subtype of this one's action */
    uint16_t wire;     /* type */
    uint16_t size;     /* of its struct */
    const struct act_shape *shape; /* act-shape.h */
};
extern const struct act_row act_rows[N_ACTS];

#define ACT_FOR_EACH(A, LIST, LEN)                                                                    \
    for (const struct act *A = (const struct act *)(LIST), *A##_end = act_end((LIST), (LEN)); A != A##_end; \
         A = (const struct act *)((const uint8_t *)A + A->len))
static inline const struct act *act_end(const void *list, size_t len)
{
    return (const struct act *)(len ? (const uint8_t *)list + len : list); /* an empty list may be NULL */
}

/* Some of the rows of both tables. */
struct act_set {
    uint64_t w[(N_ACTS + 63) / 64];
};
static inline bool act_set_has(const struct act_set *s, enum act_type t) { return s->w[t / 64] >> t % 64 & 1; }
static inline void act_set_add(struct act_set *s, enum act_type t) { s->w[t / 64] |= UINT64_C(1) << t % 64; }

void *act_append(struct buf *list, enum act_type, size_t size); /* zeroed but for its header; size is rounded up */
const char *act_name(enum act_type); /* the word that is printed */
bool acts_equal(const void *a, size_t a_len, const void *b, size_t b_len);

/* What a check needs to know of the switch. NULL members: not checked. */
struct act_context {
    const struct match *match;      /* of the flow: prerequisites of set_field, TTL actions, … */
    uint8_t table;                  /* the flow's table: goto_table must lead on from it */
    uint8_t n_tables;
    uint32_t max_ports;
    bool of10;                      /* sent in OpenFlow 1.0, whose actions ask nothing of the match */
};

/* Wire. Decoding checks structure, field and value ranges, padding; acts_check() the rest: field
 * prerequisites as actions change them (push_vlan gives a VLAN), goto forward only, ports, order. */
enum ofp_error acts_decode_actions(uint8_t version, struct rd, struct buf *list);
enum ofp_error acts_decode_instructions(uint8_t version, struct rd, struct buf *list);
void acts_encode_actions(const void *list, size_t len, uint8_t version, struct buf *out);
void acts_encode_instructions(const void *list, size_t len, uint8_t version, struct buf *out);
/* OpenFlow 1.0's actions, decoded, in a flow with this match: they say what later versions' would. */
void acts_settle_of10(const struct match *, struct buf *list);
enum ofp_error acts_check(const void *list, size_t len, const struct act_context *);
/* Of a group's bucket, which is an action set; resubmit, which Open vSwitch takes there, is done where output would be.
 * `why`: the fault in words, or "". */
enum ofp_error acts_check_bucket(const void *list, size_t len, const struct act_context *, char why[200]);

/* Text: "set_tunnel:10,output:2". On failure false, d->at relative to `text`. `instructions`: write_actions, goto_table
 * and so on are allowed. acts_check's faults are found here too, with their place, if ctx is given. */
bool acts_parse(const char *text, size_t len, bool instructions, const struct port_names *, const struct act_context *ctx,
                struct buf *list, struct diag *d);
void acts_format(const void *list, size_t len, const struct port_names *, struct buf *out); /* "drop" if empty */

#endif
