/* Text of TABLE_FEATURES. */
#include <inttypes.h>
#include "openflow/msg-format.h"
#include "openflow/table-properties.h"

static void put_next_tables(const uint8_t next[32], struct buf *out)
{
    bool any = false;
    for (unsigned t = 0; t < 256; t++) {
        if (!(next[t / 8] >> t % 8 & 1))
            continue;
        unsigned last = t;
        while (last < 255 && next[(last + 1) / 8] >> (last + 1) % 8 & 1)
            last++;
        buf_printf(out, "%s%u", any ? "," : "      next tables: ", t);
        if (last > t)
            buf_printf(out, "-%u", last);
        any = true;
        t = last;
    }
    buf_puts(out, any ? "\n" : "");
}

static void put_bits(const char *title, uint32_t bits, const char *(*name)(unsigned), struct buf *out)
{
    buf_puts(out, title);
    for (unsigned i = 0; i < 32; i++)
        if (bits >> i & 1) {
            if (name(i))
                buf_printf(out, " %s", name(i));
            else
                buf_printf(out, " %u", i);
        }
    buf_puts(out, "\n");
}

static void put_fields(const char *title, const bool *with, const bool *and, bool and_is, struct buf *out)
{
    bool any = false;
    for (enum field_id f = 0; f < N_FIELDS; f++)
        if (with[f] && (!and || and[f] == and_is)) {
            buf_printf(out, "%s %s", any ? "" : title, fields[f].name);
            any = true;
        }
    buf_puts(out, any ? "\n" : "");
}

static void put_actions(const char *title, const struct table_properties *p, enum table_property actions, enum table_property set,
                        struct buf *out)
{
    buf_printf(out, "      %s features:\n", title);
    put_bits("        actions:", p->bits[actions], table_action_name, out);
    put_fields("        supported on Set-Field:", p->fields[set - TABLE_MATCH], NULL, false, out);
}

static void put_instructions(const char *title, const struct table_properties *p, unsigned miss, struct buf *out)
{
    bool same = p->bits[TABLE_WRITE_ACTIONS + miss] == p->bits[TABLE_APPLY_ACTIONS + miss] &&
                !memcmp(p->fields[TABLE_WRITE_SETFIELD + miss - TABLE_MATCH], p->fields[TABLE_APPLY_SETFIELD + miss - TABLE_MATCH],
                        sizeof p->fields[0]);
    buf_printf(out, "    instructions (%s):\n", title);
    put_next_tables(p->next[miss], out);
    put_bits("      instructions:", p->bits[TABLE_INSTRUCTIONS + miss], table_instruction_name, out);
    if (same) {
        put_actions("Write-Actions and Apply-Actions", p, TABLE_WRITE_ACTIONS + miss, TABLE_WRITE_SETFIELD + miss, out);
        return;
    }
    put_actions("Write-Actions", p, TABLE_WRITE_ACTIONS + miss, TABLE_WRITE_SETFIELD + miss, out);
    put_actions("Apply-Actions", p, TABLE_APPLY_ACTIONS + miss, TABLE_APPLY_SETFIELD + miss, out);
}

/* Is nothing said of the table-miss flow, or the same as of others? */
static bool miss_is_like_others(const struct table_properties *p)
{
    enum { MISS_TYPES = 0xaaaa }; /* the odd ones */
    if (!(p->there & MISS_TYPES))
        return true;
    for (unsigned t = 0; t < TABLE_MATCH; t += 2)
        if (p->bits[t] != p->bits[t + 1])
            return false;
    for (unsigned t = TABLE_WRITE_SETFIELD - TABLE_MATCH; t < N_TABLE_PROPERTIES - TABLE_MATCH; t += 2)
        if (memcmp(p->fields[t], p->fields[t + 1], sizeof p->fields[t]))
            return false;
    return !memcmp(p->next[0], p->next[1], sizeof p->next[0]);
}

static void put_properties(const struct table_properties *p, struct buf *out)
{
    bool alike = miss_is_like_others(p);
    put_instructions(alike ? "table miss and others" : "other than table miss", p, 0, out);
    if (!alike)
        put_instructions("table miss", p, 1, out);
    const bool *match = p->fields[0], *wild = p->fields[TABLE_WILDCARDS - TABLE_MATCH];
    bool plain[N_FIELDS];
    for (enum field_id f = 0; f < N_FIELDS; f++)
        plain[f] = match[f] && !p->masked[f];
    buf_puts(out, "    matching:\n");
    put_fields("      arbitrary mask:", p->masked, NULL, false, out);
    put_fields("      exact match or wildcard:", plain, wild, true, out);
    put_fields("      must exact match:", plain, wild, false, out);
    if (p->unknown)
        buf_printf(out, "      %u fields that have no name here\n", p->unknown);
}

struct entry {
    struct ofp_table_features f;
    struct table_properties p;
};

/* Tables differ in which come behind them, if in nothing else; and in their names. */
static bool alike(const struct entry *a, const struct entry *b)
{
    struct table_properties like = b->p;
    memcpy(like.next, a->p.next, sizeof like.next);
    return a->f.max_entries == b->f.max_entries && a->f.metadata_match == b->f.metadata_match &&
           a->f.metadata_write == b->f.metadata_write && !memcmp(&like, &a->p, sizeof like);
}

static void put_head(const struct entry *e, struct buf *out)
{
    buf_printf(out, "  table %u", e->f.table);
    if (e->f.name[0]) {
        buf_puts(out, " (\"");
        text_format(e->f.name, strlen(e->f.name), out);
        buf_puts(out, "\")");
    }
}

static void put_entry(const struct entry *e, struct buf *out)
{
    put_head(e, out);
    buf_printf(out, ":\n    metadata: match=%#" PRIx64 " write=%#" PRIx64 "\n    max_entries=%u\n", e->f.metadata_match,
               e->f.metadata_write, e->f.max_entries);
    put_properties(&e->p, out);
    buf_puts(out, "\n");
}

/* Nameless tables that are like the one before them, from number `from` to `to`; from > to: none. */
static void put_ditto(unsigned from, unsigned to, struct buf *out)
{
    if (from == to)
        buf_printf(out, "  table %u: ditto\n", from);
    else if (from < to)
        buf_printf(out, "  tables %u...%u: ditto\n", from, to);
}

FORMAT_FN(format_table_features)
{
    enum { FIXED = 64, NONE = 256 };
    struct entry e, shown = {0};
    unsigned from = NONE, to = 0;
    bool after_ditto = false;
    buf_puts(out, "\n");
    for (bool first = true; rd_left(&body); first = false) {
        const uint8_t *at = body.p;
        if (table_features_decode(h->version, &body, &e.f) ||
            table_properties_decode(rd_init(at + FIXED, (size_t)(body.p - at) - FIXED), &e.p)) {
            buf_puts(out, "  malformed\n");
            return;
        }
        bool ditto = !first && alike(&e, &shown);
        if (ditto && !e.f.name[0] && (from == NONE || e.f.table == to + 1)) {
            from = from == NONE ? e.f.table : from;
            to = e.f.table;
            after_ditto = true;
            continue;
        }
        put_ditto(from, to, out);
        from = NONE;
        if (ditto) {
            put_head(&e, out);
            buf_puts(out, ": ditto\n");
        } else {
            buf_puts(out, after_ditto ? "\n" : "");
            put_entry(&e, out);
            shown = e;
        }
        after_ditto = ditto;
    }
    put_ditto(from, to, out);
}
