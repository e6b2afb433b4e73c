/* Messages about flow tables: statistics, changes, features (OpenFlow 1.3.5, 7.3.4.2, 7.3.5.4, 7.3.5.5). */
#include "openflow/msg.h"
#include "openflow/property.h"

void table_mod_encode(uint8_t table, uint32_t config, uint8_t version, uint32_t xid, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, OFPMSG_TABLE_MOD, xid);
    buf_u8(out, table);
    buf_zeros(out, 3);
    buf_u32(out, config);
    ofp_msg_end(out, at);
}

/* 1.4's properties say how eviction and vacancy events work, which this switch does not have: those of known types may
 * stand there. */
enum ofp_error table_mod_decode(uint8_t version UNUSED, struct rd body, uint8_t *table, uint32_t *config)
{
    enum { EVICTION = 2, VACANCY = 3 };
    struct rd property;
    *table = rd_u8(&body);
    rd_skip(&body, 3);
    *config = rd_u32(&body);
    for (uint16_t type; property_next(&body, &type, &property);)
        if (type != EVICTION && type != VACANCY)
            rd_fail(&body, OFPERR_BPC_BAD_TYPE);
    return body.err;
}

static void put_table_name(const char *name, struct buf *out)
{
    enum { NAME_LEN = 32 };
    size_t n = strnlen(name, NAME_LEN - 1);
    buf_put(out, name, n);
    buf_zeros(out, NAME_LEN - n);
}

void table_stats_encode(const struct ofp_table_stats *s, uint8_t version, struct buf *out)
{
    buf_u8(out, s->table);
    buf_zeros(out, 3);
    if (version == OFP10) {
        put_table_name(s->name, out);
        buf_u32(out, s->wildcards);
        buf_u32(out, s->max_entries);
    }
    buf_u32(out, s->active);
    buf_u64(out, s->lookups);
    buf_u64(out, s->matched);
}

enum ofp_error table_stats_decode(uint8_t version, struct rd *r, struct ofp_table_stats *s)
{
    *s = (struct ofp_table_stats){.table = rd_u8(r)};
    rd_skip(r, 3);
    if (version == OFP10) {
        rd_bytes(r, s->name, 32);
        s->wildcards = rd_u32(r);
        s->max_entries = rd_u32(r);
    }
    s->active = rd_u32(r);
    s->lookups = rd_u64(r);
    s->matched = rd_u64(r);
    return r->err;
}

void table_desc_encode(const struct ofp_table_desc *d, uint8_t version UNUSED, struct buf *out)
{
    buf_u16(out, 8);
    buf_u8(out, d->table);
    buf_zeros(out, 1);
    buf_u32(out, d->config);
}

enum ofp_error table_desc_decode(uint8_t version UNUSED, struct rd *r, struct ofp_table_desc *d)
{
    uint16_t len = rd_u16(r);
    if (len < 8 || len % 8)
        rd_fail(r, OFPERR_BRC_BAD_LEN);
    d->table = rd_u8(r);
    rd_skip(r, 1);
    d->config = rd_u32(r);
    rd_skip(r, r->err ? 0 : len - 8u);
    return r->err;
}

/* --- Features --- */

enum property {
    P_INSTRUCTIONS = 0,
    P_NEXT_TABLES = 2,
    P_WRITE_ACTIONS = 4,
    P_APPLY_ACTIONS = 6,
    P_MATCH = 8,
    P_WILDCARDS = 10,
    P_WRITE_SETFIELD = 12,
    P_APPLY_SETFIELD = 14,
};
enum { FEATURES_FIXED_LEN = 64, FEATURES_NAME_LEN = 32 };

static void put_next_tables(const struct ofp_table_features *f, struct buf *out)
{
    size_t at = property_begin(P_NEXT_TABLES, out);
    for (unsigned t = f->table + 1; t < f->n_tables; t++)
        buf_u8(out, t);
    property_end(out, at);
}

/* Standard ids only: an experimenter's would need more of them than its row tells. */
#define OF(TYPE) (TYPE)
#define NX(SUBTYPE) (-1)
#define ON(SUBTYPE) (-1)
#define XV(SUBTYPE) (-1)

static void put_instructions(const struct ofp_table_features *f, struct buf *out)
{
    enum { GOTO_TABLE = 1 };
    static const int types[] = {
#define INSTRUCTION(id, wire, ...) [INST_##id] = wire,
#include "openflow/instruction.def"
#undef INSTRUCTION
    };
    size_t at = property_begin(P_INSTRUCTIONS, out);
    for (size_t i = INST_METER; i < ARRAY_SIZE(types); i++)
        if (types[i] >= 0 && act_set_has(&f->acts, i) && (types[i] != GOTO_TABLE || f->table + 1 < f->n_tables)) {
            buf_u16(out, types[i]);
            buf_u16(out, 4);
        }
    property_end(out, at);
}

static void put_actions(const struct ofp_table_features *f, enum property p, struct buf *out)
{
    static const int types[] = {
#define ACTION(id, wire, ...) [ACT_##id] = wire,
#include "openflow/action.def"
#undef ACTION
    };
    size_t at = property_begin(p, out);
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (types[i] >= 0 && act_set_has(&f->acts, i)) {
            buf_u16(out, types[i]);
            buf_u16(out, 4);
        }
    property_end(out, at);
}

#undef OF
#undef NX
#undef ON
#undef XV

/* Fields of OpenFlow's own class. */
static void put_fields(enum property p, struct buf *out)
{
    bool set = p == P_WRITE_SETFIELD || p == P_APPLY_SETFIELD;
    size_t at = property_begin(p, out);
    for (enum field_id f = 0; f < N_FIELDS; f++) {
        if (fields[f].oxm >> 16 != 0x8000 || (set && fields[f].access == RO))
            continue;
        buf_u32(out, oxm_header(f, p == P_MATCH && fields[f].mask == M_ANY));
    }
    property_end(out, at);
}

void table_features_encode(const struct ofp_table_features *f, uint8_t version UNUSED, struct buf *out)
{
    size_t at = out->len;
    buf_u16(out, 0);
    buf_u8(out, f->table);
    buf_zeros(out, 5);
    size_t n = strnlen(f->name, FEATURES_NAME_LEN - 1);
    buf_put(out, f->name, n);
    buf_zeros(out, FEATURES_NAME_LEN - n);
    buf_u64(out, f->metadata_match);
    buf_u64(out, f->metadata_write);
    buf_u32(out, f->config);
    buf_u32(out, f->max_entries);
    put_instructions(f, out);
    put_next_tables(f, out);
    put_actions(f, P_WRITE_ACTIONS, out);
    put_actions(f, P_APPLY_ACTIONS, out);
    put_fields(P_MATCH, out);
    put_fields(P_WILDCARDS, out);
    put_fields(P_WRITE_SETFIELD, out);
    put_fields(P_APPLY_SETFIELD, out);
    buf_set_u16(out, at, out->len - at);
}

static void decode_properties(struct rd *r, struct ofp_table_features *f)
{
    while (rd_left(r)) {
        uint16_t type = rd_u16(r), len = rd_u16(r);
        if (len < 4)
            rd_fail(r, OFPERR_TFFC_BAD_LEN);
        struct rd property = rd_sub(r, len < 4 ? 0 : len - 4);
        rd_skip(r, ROUND_UP(len, 8) - len);
        if (type == P_NEXT_TABLES)
            while (rd_left(&property)) {
                unsigned next = rd_u8(&property) + 1;
                f->n_tables = MAX(f->n_tables, MIN(next, 255));
            }
    }
}

enum ofp_error table_features_decode(uint8_t version UNUSED, struct rd *r, struct ofp_table_features *f)
{
    *f = (struct ofp_table_features){0};
    uint16_t len = rd_u16(r);
    if (len < FEATURES_FIXED_LEN)
        rd_fail(r, OFPERR_TFFC_BAD_LEN);
    struct rd e = rd_sub(r, len < 2 ? 0 : len - 2);
    f->table = rd_u8(&e);
    rd_skip(&e, 5);
    rd_bytes(&e, f->name, FEATURES_NAME_LEN);
    f->metadata_match = rd_u64(&e);
    f->metadata_write = rd_u64(&e);
    f->config = rd_u32(&e);
    f->max_entries = rd_u32(&e);
    decode_properties(&e, f);
    rd_fail(r, e.err);
    return r->err;
}
