/* flow-text.c: flows as people write and read them, in the syntax of ovs-ofctl(8). */
#include <stdio.h>
#include "openflow/act-shape.h"
#include "openflow/flow.h"
#include "openflow/match-text.h"
#include "openflow/msg-format.h"

/* --- the words that are not about fields --- */

enum {
    ADD = 1 << OFPFC_ADD,
    MOD = 1 << OFPFC_MODIFY | 1 << OFPFC_MODIFY_STRICT,
    DEL = 1 << OFPFC_DELETE,
    DELS = 1 << OFPFC_DELETE_STRICT
};
enum { ALL = ADD | MOD | DEL | DELS };

struct flow_text {
    struct text t;
    struct flow_mod *fm;
    struct match_words words;
    bool seen[32]; /* rows of keys[] */
    struct word actions;
    bool has_actions;
};

struct key {
    const char *name;
    unsigned commands; /* that it may stand in */
    uint16_t flag;     /* OFPFF_…: a word without a value */
    bool (*parse)(struct flow_text *,
                  const struct item *); /* NULL: a flag, or what dump-flows prints and nobody needs */
};

static bool parse_u16(struct flow_text *ft, const struct item *item, uint16_t *to)
{
    uint64_t v;
    char what[32];
    snprintf(what, sizeof what, "%.*s", (int)item->key.len, ft->t.s + item->key.at);
    if (!text_number(&ft->t, item->value, what, UINT16_MAX, &v))
        return false;
    *to = (uint16_t)v;
    return true;
}

static bool parse_priority(struct flow_text *ft, const struct item *item)
{
    return parse_u16(ft, item, &ft->fm->priority);
}
static bool parse_idle(struct flow_text *ft, const struct item *item)
{
    return parse_u16(ft, item, &ft->fm->idle_timeout);
}
static bool parse_hard(struct flow_text *ft, const struct item *item)
{
    return parse_u16(ft, item, &ft->fm->hard_timeout);
}

static bool parse_table(struct flow_text *ft, const struct item *item)
{
    uint64_t v;
    bool del = ft->fm->command >= OFPFC_DELETE;
    if (del && text_is_nocase(&ft->t, item->value, "all"))
        v = OFPTT_ALL;
    else if (!text_number(&ft->t, item->value, "table", del ? OFPTT_ALL : OFPTT_ALL - 1, &v))
        return false;
    ft->fm->table = (uint8_t)v;
    return true;
}

static bool parse_cookie(struct flow_text *ft, const struct item *item)
{
    struct flow_mod *fm = ft->fm;
    struct word v = item->value, m;
    const char *s = ft->t.s + v.at, *slash = memchr(s, '/', v.len);
    if (slash) {
        m = (struct word){v.at + (size_t)(slash - s) + 1, v.len - (size_t)(slash - s) - 1};
        v.len = (size_t)(slash - s);
        if (fm->command == OFPFC_ADD)
            return text_fail(&ft->t, item->value, "a new flow's cookie has no mask");
        if (text_is(&ft->t, m, "-1"))
            fm->cookie_mask = UINT64_MAX;
        else if (!text_number(&ft->t, m, "cookie mask", UINT64_MAX, &fm->cookie_mask))
            return false;
    } else if (fm->command >= OFPFC_DELETE) {
        fm->cookie_mask = UINT64_MAX;
    }
    return text_number(&ft->t, v, "cookie", UINT64_MAX, &fm->cookie);
}

static bool parse_out_port(struct flow_text *ft, const struct item *item)
{
    return text_port(&ft->t, item->value, &ft->fm->out_port);
}

static bool parse_out_group(struct flow_text *ft, const struct item *item)
{
    uint64_t v;
    if (!text_number(&ft->t, item->value, "out_group", UINT32_MAX, &v))
        return false;
    ft->fm->out_group = (uint32_t)v;
    return true;
}

/* What stands behind actions= is cut by flow_mod_parse(). */
static bool parse_actions(struct flow_text *ft UNUSED, const struct item *item UNUSED) { return true; }

/* Told from OpenFlow 1.4 on. */
static bool parse_importance(struct flow_text *ft, const struct item *item)
{
    return parse_u16(ft, item, &ft->fm->importance);
}

static const struct key keys[] = {
    {"actions", ADD | MOD, 0, parse_actions},
    {"action", ADD | MOD, 0, parse_actions},
    {"table", ALL, 0, parse_table},
    {"priority", ADD | MOD | DELS, 0, parse_priority},
    {"cookie", ALL, 0, parse_cookie},
    {"idle_timeout", ADD | MOD, 0, parse_idle},
    {"hard_timeout", ADD | MOD, 0, parse_hard},
    {"importance", ADD | MOD, 0, parse_importance},
    {"out_port", DEL | DELS, 0, parse_out_port},
    {"out_group", DEL | DELS, 0, parse_out_group},
    {"send_flow_rem", ADD | MOD, OFPFF_SEND_FLOW_REM, NULL},
    {"check_overlap", ADD | MOD, OFPFF_CHECK_OVERLAP, NULL},
    {"reset_counts", ADD | MOD, OFPFF_RESET_COUNTS, NULL},
    {"no_packet_counts", ADD | MOD, OFPFF_NO_PKT_COUNTS, NULL},
    {"no_byte_counts", ADD | MOD, OFPFF_NO_BYT_COUNTS, NULL},
    /* what dump-flows prints beside, so that its lines can be given back */
    {"duration", ALL, 0, NULL},
    {"n_packets", ALL, 0, NULL},
    {"n_bytes", ALL, 0, NULL},
    {"idle_age", ALL, 0, NULL},
    {"hard_age", ALL, 0, NULL},
};
static_assert(ARRAY_SIZE(keys) <= 32, "flow_text.seen");

static bool fail_command(struct flow_text *ft, const struct item *item, const struct key *k)
{
    if (ft->fm->command == OFPFC_DELETE && k->parse == parse_priority)
        return text_fail(&ft->t, item->key,
                         "without --strict flows are chosen at any priority: leave it away, or use --strict");
    if (k->parse == parse_actions)
        return text_fail(&ft->t, item->key, "actions cannot stand here: they choose no flows");
    if (k->commands == (DEL | DELS))
        return text_fail(&ft->t, item->key, "%s chooses among flows that are there: it is for del-flows and dump-flows",
                         k->name);
    return text_fail(&ft->t, item->key, "%s cannot stand here: it chooses no flows", k->name);
}

static bool parse_key(struct flow_text *ft, const struct item *item, const struct key *k)
{
    bool *seen = &ft->seen[k - keys];
    if (!(k->commands & 1u << ft->fm->command))
        return fail_command(ft, item, k);
    if (*seen && k->parse)
        return text_fail(&ft->t, item->key, "'%s' is given twice", k->name);
    *seen = true;
    if (k->flag) {
        if (item->delim)
            return text_fail(&ft->t, item->all, "%s takes no value", k->name);
        ft->fm->flags |= k->flag;
        return true;
    }
    if (item->delim != '=' && item->delim != ':')
        return text_fail(&ft->t, item->key, "%s needs a value: %s=...", k->name, k->name);
    return !k->parse || k->parse(ft, item);
}

static bool fail_unknown(const struct flow_text *ft, const struct item *item)
{
    const char *names[N_FIELDS + 64], *s = ft->t.s + item->key.at;
    size_t n = match_words_names(names, 40);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        names[n++] = keys[i].name;
    for (int f = 0; f < N_FIELDS; f++)
        names[n++] = fields[f].name;
    const char *near = nearest_name(s, item->key.len, names, n);
    if (!near)
        near = field_nearest_name(s, item->key.len);
    if (near)
        return text_fail(&ft->t, item->key, "no field '%.*s'; did you mean '%s'?", (int)item->key.len, s, near);
    return text_fail(&ft->t, item->key, "no field '%.*s'", (int)item->key.len, s);
}

/* Takes "actions=" and all behind it. */
static bool is_actions(struct flow_text *ft, size_t at, size_t end)
{
    const char *s = ft->t.s + at;
    size_t n = end - at, skip = n >= 7 && !memcmp(s, "actions", 7) ? 7 : n >= 6 && !memcmp(s, "action", 6) ? 6 : 0;
    if (!skip || skip == n || (s[skip] != '=' && s[skip] != ':'))
        return false;
    ft->actions = (struct word){at + skip + 1, n - skip - 1};
    ft->has_actions = true;
    return true;
}

static bool parse_items(struct flow_text *ft, size_t len)
{
    struct item item;
    for (size_t at = 0;;) {
        while (at < len && strchr(", \t\r\n", ft->t.s[at]) && ft->t.s[at])
            at++;
        if (is_actions(ft, at, len)) {
            struct word key = {at, ft->actions.at - 1 - at};
            item = (struct item){.all = key, .key = key, .value = ft->actions, .delim = '='};
            return parse_key(ft, &item, &keys[0]);
        }
        if (!text_next_item(&ft->t, &at, len, &item))
            return !ft->t.d->failed;
        const struct key *k = keys;
        while (k < keys + ARRAY_SIZE(keys) && !text_is(&ft->t, item.key, k->name))
            k++;
        if (k < keys + ARRAY_SIZE(keys)) {
            if (!parse_key(ft, &item, k))
                return false;
        } else if (!match_words_add(&ft->words, &ft->t, &item)) {
            return ft->t.d->failed ? false : fail_unknown(ft, &item);
        }
    }
}

static bool finish(struct flow_text *ft, size_t len)
{
    struct flow_mod *fm = ft->fm;
    if (!match_words_finish(&ft->words, &ft->t, &fm->match))
        return false;
    if (fm->command >= OFPFC_DELETE)
        return true;
    if (!ft->has_actions)
        return text_fail(&ft->t, (struct word){len, 1}, "actions=... is missing (to drop, write actions=drop)");
    struct act_context ctx = {.match = &fm->match, .table = fm->table};
    return act_parse_part(&ft->t, ft->actions, true, &ctx, &fm->acts);
}

bool flow_mod_parse(const char *text, enum ofp_flow_mod_command command, const struct port_names *names,
                    struct flow_mod *fm, struct diag *d)
{
    struct diag own = DIAG_INIT;
    struct flow_text ft = {.t = {text, names, d ? d : &own}, .fm = fm};
    size_t len = strlen(text);
    *fm = FLOW_MOD_INIT;
    fm->command = (uint8_t)command;
    fm->table = command >= OFPFC_DELETE ? OFPTT_ALL : 0;
    bool ok = parse_items(&ft, len) && finish(&ft, len);
    match_words_free(&ft.words);
    diag_free(&own);
    return ok;
}

/* --- printing --- */

static void put_number(struct buf *out, const char *before, uint64_t n, const char *behind)
{
    buf_puts(out, before);
    buf_dec(out, n);
    buf_puts(out, behind);
}

void flow_stats_format(const struct flow_stats *fs, const struct port_names *names, bool with_stats, struct buf *out)
{
    size_t at;
    if (with_stats || fs->cookie) {
        buf_puts(out, "cookie=0x");
        buf_hex(out, fs->cookie, 1);
        buf_puts(out, ", ");
    }
    if (with_stats) {
        buf_puts(out, "duration=");
        duration_format(fs->duration_sec, fs->duration_nsec, out);
        buf_puts(out, ", ");
    }
    if (with_stats || fs->table)
        put_number(out, "table=", fs->table, ", ");
    if (with_stats) {
        put_number(out, "n_packets=", fs->packets, ", ");
        put_number(out, "n_bytes=", fs->bytes, ", ");
    }
    if (fs->idle_timeout)
        buf_printf(out, "idle_timeout=%u, ", fs->idle_timeout);
    if (fs->hard_timeout)
        buf_printf(out, "hard_timeout=%u, ", fs->hard_timeout);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (fs->flags & keys[i].flag)
            buf_printf(out, "%s ", keys[i].name);
    if (fs->importance)
        buf_printf(out, "importance=%u, ", fs->importance);
    if (with_stats && fs->idle_age)
        put_number(out, "idle_age=", fs->idle_age - 1, ", ");
    if (with_stats && fs->hard_age && fs->hard_age - 1 != fs->duration_sec)
        put_number(out, "hard_age=", fs->hard_age - 1, ", ");
    at = out->len;
    if (fs->priority != 0x8000)
        put_number(out, "priority=", fs->priority, ",");
    match_format(&fs->match, names, out);
    buf_chomp(out, ',');
    buf_puts(out, out->len > at ? " actions=" : "actions=");
    acts_format(fs->acts, fs->acts_len, names, out);
}
