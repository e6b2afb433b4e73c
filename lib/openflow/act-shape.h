/* act-shape.h: what every noun of action.def and instruction.def provides: its wire form and its text. Inside
 * lib/openflow only. */
#ifndef OPENFLOW_ACT_SHAPE_H
#define OPENFLOW_ACT_SHAPE_H 1

#include "openflow/act.h"
#include "openflow/text.h"

/* What acts_check() knows while it goes through a list: the flow's match as the actions so far have changed it. */
struct act_state {
    const struct act_context *ctx;
    struct match match;  /* if ctx->match */
    enum act_type stage; /* the instruction that was last; INST_APPLY_ACTIONS for actions */
    bool started;
    bool conjunctions, others; /* what stands in the list: conjunctions stand alone */
    char why[200]; /* the fault in words, if ofp_error_sentence() does not say it well enough */
};

struct act_text {
    struct text t;
    bool instructions;
    struct act_state *state; /* NULL: no checks */
    struct buf *list;
};

enum { ACT_MAX_DEPTH = 16 }; /* lists in lists */

struct act_shape {
    /* Reads what stands behind type and length (and experimenter and subtype), up to the action's end, and appends an
     * item. Its errors stick in body; what it leaves unread is padding. */
    void (*decode)(uint8_t version, struct rd *body, enum act_type, struct buf *list, unsigned depth);
    /* The same, written. The caller writes header and padding. */
    void (*encode)(const struct act *, uint8_t version, struct buf *out);
    /* Appends the item that "word:value" says. NULL: there is no such text (another row's parses it). */
    bool (*parse)(struct act_text *, enum act_type, const struct item *, unsigned depth);
    void (*format)(const struct act *, const struct port_names *, struct buf *out);
    /* Finds fault, or notes in the state what the action does to later ones. NULL: neither. */
    enum ofp_error (*check)(const struct act *, struct act_state *);
};

#define ACTION(id, wire, name, aliases, carries, shape, syntax, doc) extern const struct act_shape act_shape_##shape;
#define INSTRUCTION(id, wire, name, aliases, carries, shape, syntax, doc) \
    extern const struct act_shape act_shape_##shape;
#include "openflow/action.def"
#include "openflow/instruction.def"
#undef ACTION
#undef INSTRUCTION

/* Actions that carry nothing or one number (act.c). */
void act_decode_none(uint8_t version, struct rd *, enum act_type, struct buf *list, unsigned depth);
void act_decode_u8(uint8_t version, struct rd *, enum act_type, struct buf *list, unsigned depth);
void act_decode_u16(uint8_t version, struct rd *, enum act_type, struct buf *list, unsigned depth);
void act_decode_u32(uint8_t version, struct rd *, enum act_type, struct buf *list, unsigned depth);
void act_encode_none(const struct act *, uint8_t version, struct buf *);
void act_encode_u8(const struct act *, uint8_t version, struct buf *);
void act_encode_u16(const struct act *, uint8_t version, struct buf *);
void act_encode_u32(const struct act *, uint8_t version, struct buf *);
bool act_parse_none(struct act_text *, enum act_type, const struct item *, unsigned depth);
bool act_parse_u8(struct act_text *, enum act_type, const struct item *, unsigned depth);
bool act_parse_u16(struct act_text *, enum act_type, const struct item *, unsigned depth);
bool act_parse_u32(struct act_text *, enum act_type, const struct item *, unsigned depth);
void act_format_none(const struct act *, const struct port_names *, struct buf *);
void act_format_u32(const struct act *, const struct port_names *, struct buf *);
void act_format_hex(const struct act *, const struct port_names *, struct buf *);

/* Lists in lists (act.c). begin returns where the item stands; end fills in its length; false: it is too long. */
size_t act_nested_begin(struct buf *list, enum act_type);
bool act_nested_end(struct buf *list, size_t at);
/* An action that is `pad` zero bytes and a list, there and back (clone, write_actions). */
void act_decode_nested(uint8_t version, struct rd *, size_t pad, enum act_type, struct buf *list, unsigned depth);
void act_encode_nested(const struct act *, size_t pad, uint8_t version, struct buf *);
enum ofp_error act_decode_list(uint8_t version, struct rd *, struct buf *list, unsigned depth);
bool act_parse_list(struct act_text *, struct word, unsigned depth);
/* acts_parse() of a part of a longer text; t->d is there. */
bool act_parse_part(const struct text *, struct word, bool instructions, const struct act_context *, struct buf *list);
enum ofp_error act_check_list(const void *list, size_t len, struct act_state *);
void act_state_init(struct act_state *, const struct act_context *);

/* OpenFlow 1.0 (act-of10.c). Of an action of 1.0's own, what stands behind type and length; of Nicira's actions those that
 * stand in for what 1.0 lacks (false: it is another); out: true if it is done, false if it goes out as in every version.
 * `before` and `behind`: the items around it in the list, or NULL. */
enum ofp_error act_decode_of10(uint16_t type, struct rd *body, struct buf *list);
bool act_decode_stand_in(uint16_t subtype, struct rd *body, struct buf *list, unsigned depth);
bool act_encode_of10(const struct act *, const struct act *before, const struct act *behind, struct buf *out);
/* enqueue stands for three items: the one behind them, or NULL if there is none at a. */
const struct act *act_encode_enqueue(const struct act *a, const struct act *end, struct buf *out);

void act_state_init(struct act_state *, const struct act_context *);
/* Faults with words of their own: `return act_fault(state, OFPERR_…, "…")`. */
enum ofp_error act_fault(struct act_state *, enum ofp_error, const char *format, ...) PRINTF(3, 4);
/* Does the match so far hold what field f needs? Else OFPBAC_MATCH_INCONSISTENT. */
enum ofp_error act_need(struct act_state *, enum field_id f);
void act_note_type(struct act_state *, uint16_t type); /* the Ethernet type from here on; 0: unknown (act-pbb.c) */
enum ofp_error act_need_vlan(struct act_state *); /* a tag (act-vlan.c) */

/* learn (act-learn.c, its text act-learn-text.c). An item grows by its specifications while it is the last of the list. */
size_t act_learn_begin(struct buf *list, enum act_type); /* where it is */
void act_learn_add(struct buf *list, size_t at, const struct learn_spec *);
bool learn_parse(struct act_text *, enum act_type, const struct item *, unsigned depth);
void learn_format(const struct act *, const struct port_names *, struct buf *out);

/* Words that become other actions (act-legacy.c): true if `item` was one and *ok says how it went. */
bool act_parse_legacy(struct act_text *, const struct item *, bool *ok);

/* Parts of fields (subfield.c): "NXM_OF_ETH_SRC[]", "reg0[0..15]". */
unsigned subfield_width(enum field_id); /* bits that load and move can reach */
bool subfield_parse(const struct text *, struct word, struct subfield *);
void subfield_format(const struct subfield *, struct buf *out);
void subfield_encode(const struct subfield *, struct buf *out); /* its header */
unsigned subfield_header_bytes(const struct subfield *);         /* 4 or 8 */
bool subfield_decode_header(struct rd *, struct subfield *, unsigned *width); /* the field and its bits; else r->err */
void subfield_decode(struct rd *, struct subfield *);           /* its header; ofs and n_bits are checked against it */
bool subfield_field_by_name(const struct text *, struct word, enum field_id *); /* any name: short, NXM_…, OXM_… */
bool subfield_field_by_long_name(const struct text *, struct word, enum field_id *, bool *nxm); /* NXM_…, OXM_… alone */
bool subfield_long_name(enum field_id, bool nxm, struct buf *out); /* false: it has no header of that kind */
bool subfield_no_field(const struct text *, struct word);                       /* the complaint; always false */

const char *act_field_name(enum field_id); /* as Open vSwitch prints it in actions (act-field.c) */
bool act_parse_hex(const struct text *, struct word, struct buf *); /* "01.02ff"; false without a complaint (act-controller.c) */
void act_put_output(struct buf *list, uint32_t port, uint16_t max_len); /* (act-output.c) */
bool act_parse_output_reg(struct act_text *, struct word); /* "reg0[0..15]" (act-output.c) */
enum ofp_error act_writable(enum field_id, struct act_state *); /* may an action write this field here? (act-field.c) */
/* An action writes `mask` bits of the field: with `value`, or, NULL, with what nobody knows (act-field.c). */
void act_note_write(struct act_state *, enum field_id, const union field_value *value, const union field_value *mask);

/* SET_FIELD or SET_PRESENT built in words, for act-legacy.c (act-field.c). */
void act_put_set_field(struct buf *list, enum act_type, enum field_id, const union field_value *value);

#endif
