/* Tables: dump-table-features, dump-table-desc, mod-table. */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include "ofctl/ofctl.h"
#include "openflow/table-properties.h"

static void need(const struct conn *c, const char *command, uint8_t version)
{
    if (c->version < version)
        die("%s: OpenFlow 1.%d has no %s: add -O OpenFlow1%d", c->target, c->version - OFP10, command, version - OFP10);
}

/* --- dump-table-features --- */

static void json_ids(struct json *j, const char *key, uint32_t bits, const char *(*name)(unsigned))
{
    json_open(j, key, '[');
    for (unsigned i = 0; i < 32; i++)
        if (bits >> i & 1 && name(i))
            json_string(j, NULL, name(i));
    json_close(j, ']');
}

static void json_fields(struct json *j, const char *key, const bool *there)
{
    json_open(j, key, '[');
    for (enum field_id f = 0; f < N_FIELDS; f++)
        if (there[f])
            json_string(j, NULL, fields[f].name);
    json_close(j, ']');
}

static void json_hex_number(struct json *j, const char *key, uint64_t n)
{
    char text[32];
    snprintf(text, sizeof text, "0x%llx", (unsigned long long)n);
    json_string(j, key, text);
}

static void json_table(struct json *j, const struct ofp_table_features *f, const struct table_properties *p)
{
    json_open(j, NULL, '{');
    json_u64(j, "table", f->table);
    json_string(j, "name", f->name);
    json_hex_number(j, "metadata_match", f->metadata_match);
    json_hex_number(j, "metadata_write", f->metadata_write);
    json_u64(j, "max_entries", f->max_entries);
    json_open(j, "next_tables", '[');
    for (unsigned t = 0; t < 256; t++)
        if (p->next[0][t / 8] >> t % 8 & 1)
            json_u64(j, NULL, t);
    json_close(j, ']');
    json_ids(j, "instructions", p->bits[TABLE_INSTRUCTIONS], table_instruction_name);
    json_ids(j, "write_actions", p->bits[TABLE_WRITE_ACTIONS], table_action_name);
    json_ids(j, "apply_actions", p->bits[TABLE_APPLY_ACTIONS], table_action_name);
    json_fields(j, "match", p->fields[0]);
    json_fields(j, "masked", p->masked);
    json_fields(j, "wildcards", p->fields[TABLE_WILDCARDS - TABLE_MATCH]);
    json_fields(j, "write_setfield", p->fields[TABLE_WRITE_SETFIELD - TABLE_MATCH]);
    json_fields(j, "apply_setfield", p->fields[TABLE_APPLY_SETFIELD - TABLE_MATCH]);
    json_close(j, '}');
}

static void print_json(struct json *j)
{
    json_close(j, ']');
    json_close(j, '}');
    puts(buf_text(j->out));
    buf_free(j->out);
}

static void features_json(const struct reply *r)
{
    enum { FIXED = 64 };
    struct buf out = BUF_INIT;
    struct json j = {&out, true};
    struct rd rd = reply_rd(r);
    struct ofp_table_features f;
    struct table_properties p;
    json_open(&j, NULL, '{');
    json_open(&j, "tables", '[');
    while (rd_left(&rd)) {
        const uint8_t *at = rd.p;
        if (table_features_decode(r->header.version, &rd, &f) ||
            table_properties_decode(rd_init(at + FIXED, (size_t)(rd.p - at) - FIXED), &p))
            break;
        json_table(&j, &f, &p);
    }
    print_json(&j);
}

void cmd_dump_table_features(struct conn *c, int argc UNUSED, char *argv[] UNUSED)
{
    struct reply r;
    need(c, "table features", OFP13);
    conn_request(c, OFPMSG_TABLE_FEATURES_REQUEST, OFPMSG_TABLE_FEATURES_REPLY, &r);
    if (options.json)
        features_json(&r);
    else
        reply_print(c, &r);
    reply_free(&r);
}

/* --- dump-table-desc --- */

enum { EVICTION = 1 << 2, VACANCY_EVENTS = 1 << 3 };

void cmd_dump_table_desc(struct conn *c, int argc UNUSED, char *argv[] UNUSED)
{
    struct reply r;
    need(c, "table descriptions", OFP14);
    conn_request(c, OFPMSG_TABLE_DESC_REQUEST, OFPMSG_TABLE_DESC_REPLY, &r);
    if (options.json) {
        struct buf out = BUF_INIT;
        struct json j = {&out, true};
        struct rd rd = reply_rd(&r);
        struct ofp_table_desc d;
        json_open(&j, NULL, '{');
        json_open(&j, "tables", '[');
        while (rd_left(&rd) && !table_desc_decode(c->version, &rd, &d)) {
            json_open(&j, NULL, '{');
            json_u64(&j, "table", d.table);
            json_bool(&j, "eviction", d.config & EVICTION);
            json_bool(&j, "vacancy", d.config & VACANCY_EVENTS);
            json_close(&j, '}');
        }
        print_json(&j);
    } else {
        reply_print(c, &r);
    }
    reply_free(&r);
}

/* --- mod-table --- */

static const struct table_setting {
    const char *name;
    uint8_t first, last; /* versions that have it */
    uint32_t bit;        /* of OpenFlow 1.4's configuration */
    bool set;
} settings[] = {
    {"controller", 2, 3, 0, false},      {"continue", 2, 3, 0, false},          {"drop", 2, 3, 0, false},
    {"evict", OFP14, OFP15, EVICTION, true}, {"noevict", OFP14, OFP15, EVICTION, false},
};

static const struct table_setting *find_setting(const struct conn *c, const char *name)
{
    if (!strncmp(name, "vacancy:", 8) || !strcmp(name, "novacancy"))
        die("%s: mod-table %s: xvs-ofctl does not set vacancy events", c->target, name);
    if (!strncmp(name, "name:", 5))
        die("%s: mod-table %s: a table's name is the switch's affair", c->target, name);
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
        if (!strcmp(name, settings[i].name))
            return &settings[i];
    die("mod-table: no setting '%s'; there are evict and noevict (OpenFlow 1.4), controller, continue and drop (1.1 and 1.2)", name);
}

static uint32_t current_config(struct conn *c, unsigned long table)
{
    struct reply r;
    struct ofp_table_desc d;
    uint32_t config = 0;
    conn_request(c, OFPMSG_TABLE_DESC_REQUEST, OFPMSG_TABLE_DESC_REPLY, &r);
    struct rd rd = reply_rd(&r);
    while (rd_left(&rd) && !table_desc_decode(c->version, &rd, &d))
        if (d.table == table)
            config = d.config;
    reply_free(&r);
    return config;
}

void cmd_mod_table(struct conn *c, int argc UNUSED, char *argv[])
{
    const struct table_setting *s = find_setting(c, argv[1]);
    char *end;
    unsigned long table = strtoul(argv[0], &end, 10);
    struct buf b = BUF_INIT;
    if (!strcasecmp(argv[0], "all"))
        table = OFPTT_ALL;
    else if (!*argv[0] || *end || table > OFPTT_ALL)
        die("mod-table: %s: a table's number up to 254, or 'all', is wanted", argv[0]);
    if (c->version > s->last)
        die("%s: mod-table %s: OpenFlow 1.%d has no such setting since what packets do that match no flow is said by the flow of "
            "priority 0 that matches all: write 'xvs-ofctl add-flow SWITCH \"table=%s,priority=0,actions=%s\"'",
            c->target, s->name, c->version - OFP10, argv[0],
            !strcmp(s->name, "continue") ? "goto_table:N" : s->name);
    if (c->version < s->first)
        die("%s: mod-table %s: OpenFlow 1.%d has no such setting%s", c->target, s->name, c->version - OFP10,
            s->first == OFP14 ? ": add -O OpenFlow14" : "");
    uint32_t config = current_config(c, table);
    config = s->set ? config | s->bit : config & ~s->bit;
    table_mod_encode((uint8_t)table, config, c->version, conn_xid(c), &b);
    conn_finish(c, &b);
    print_done("tables", 1, 0);
    buf_free(&b);
}
