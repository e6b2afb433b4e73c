/* group-text.c: groups as people write and read them, in the syntax of ovs-ofctl(8). */
#include "openflow/group.h"
#include "base/mem.h"
#include "openflow/act-shape.h"
#include "openflow/msg.h"
#include "openflow/text.h"

static const char *const type_names[N_GROUP_TYPES] = {
    [OFPGT_ALL] = "all", [OFPGT_SELECT] = "select", [OFPGT_INDIRECT] = "indirect", [OFPGT_FF] = "ff"};

const char *group_type_name(uint8_t type) { return type < N_GROUP_TYPES ? type_names[type] : "unknown"; }

/* --- parsing --- */

struct group_text {
    struct text t;
    struct group_mod *gm;
    struct word place[GROUP_MAX_BUCKETS + 1]; /* of each bucket, for complaints */
    struct word type_at;
    bool has_id, has_type;
};

/* A word of the group itself, or of a bucket. */
struct key {
    const char *name;
    bool (*parse)(struct group_text *, struct group_bucket *,
                  struct word value); /* NULL: OpenFlow 1.3 has no place for it */
};

static bool parse_u32(const struct group_text *gt, struct word w, const char *what, uint64_t max, uint32_t *to)
{
    uint64_t v;
    if (!text_number(&gt->t, w, what, max, &v))
        return false;
    *to = (uint32_t)v;
    return true;
}

static bool parse_id(struct group_text *gt, struct group_bucket *b UNUSED, struct word w)
{
    gt->has_id = true;
    if (text_is_nocase(&gt->t, w, "all")) {
        gt->gm->group.id = OFPG_ALL;
        return gt->gm->command == OFPGC_DELETE ||
               text_fail(&gt->t, w, "a group of its own needs a number; all is for del-groups");
    }
    return parse_u32(gt, w, "group_id", OFPG_MAX, &gt->gm->group.id);
}

static bool parse_type(struct group_text *gt, struct group_bucket *b UNUSED, struct word w)
{
    gt->has_type = true;
    gt->type_at = w;
    for (unsigned i = 0; i < N_GROUP_TYPES; i++)
        if (text_is(&gt->t, w, type_names[i]) || (i == OFPGT_FF && text_is(&gt->t, w, "fast_failover"))) {
            gt->gm->group.type = (uint8_t)i;
            return true;
        }
    static const char *const names[] = {"all", "select", "indirect", "ff", "fast_failover"};
    const char *near = nearest_name(gt->t.s + w.at, w.len, names, ARRAY_SIZE(names));
    return text_fail(&gt->t, w,
                     near ? "no group type '%.*s'; did you mean '%s'?"
                          : "no group type '%.*s': there are all, select, indirect and ff",
                     (int)w.len, gt->t.s + w.at, near);
}

static bool parse_weight(struct group_text *gt, struct group_bucket *b, struct word w)
{
    uint64_t v;
    if (!text_number(&gt->t, w, "weight", UINT16_MAX, &v))
        return false;
    b->weight = (uint16_t)v;
    return true;
}

static bool parse_bucket_id(struct group_text *gt, struct group_bucket *b, struct word w)
{
    return parse_u32(gt, w, "bucket_id", OFPG_MAX, &b->id);
}

static bool parse_watch_port(struct group_text *gt, struct group_bucket *b, struct word w)
{
    return text_port(&gt->t, w, &b->watch_port);
}

static bool parse_watch_group(struct group_text *gt, struct group_bucket *b, struct word w)
{
    if (text_is_nocase(&gt->t, w, "any")) {
        b->watch_group = OFPG_ANY;
        return true;
    }
    return parse_u32(gt, w, "watch_group", OFPG_MAX, &b->watch_group);
}

static bool parse_actions(struct group_text *gt, struct group_bucket *b, struct word w)
{
    bool ok = act_parse_part(&gt->t, w, false, NULL, &gt->gm->group.acts);
    b->acts_len = gt->gm->group.acts.len - b->acts;
    return ok;
}

enum { N_BUCKET_KEYS = 5, ACTIONS = 3 /* which one */ };
static const struct key bucket_keys[N_BUCKET_KEYS];

/* A word of a bucket that is none of its properties: an action, or a property that is misspelt. */
static bool parse_action(struct group_text *gt, struct group_bucket *b, const struct item *item)
{
    struct diag own = DIAG_INIT, *d = gt->t.d;
    const char *names[N_BUCKET_KEYS], *s = gt->t.s + item->key.at;
    for (size_t i = 0; i < N_BUCKET_KEYS; i++)
        names[i] = bucket_keys[i].name;
    const char *near = item->delim ? nearest_name(s, item->key.len, names, N_BUCKET_KEYS) : NULL;
    gt->t.d = &own;
    bool ok = parse_actions(gt, b, item->all);
    gt->t.d = d;
    buf_put(&d->warnings, own.warnings.data, own.warnings.len);
    if (!ok && near && !strncmp(buf_text(&own.message), "no action", 9) &&
        !strstr(buf_text(&own.message), "did you mean"))
        text_fail(&gt->t, item->key, "a bucket has no '%.*s'; did you mean '%s'?", (int)item->key.len, s, near);
    else if (!ok)
        diag_fail(d, own.at, own.len, "%s", buf_text(&own.message));
    diag_free(&own);
    return ok;
}

static const struct key group_keys[] = {
    {"group_id", parse_id},           {"type", parse_type}, {"selection_method", NULL},
    {"selection_method_param", NULL}, {"fields", NULL},
};
static const struct key bucket_keys[N_BUCKET_KEYS] = {
    {"weight", parse_weight},   {"watch_port", parse_watch_port}, {"watch_group", parse_watch_group},
    {"actions", parse_actions}, {"bucket_id", parse_bucket_id},
};

static const struct key *find_key(const struct group_text *gt, const struct key *keys, size_t n, struct word w)
{
    for (size_t i = 0; i < n; i++)
        if (text_is(&gt->t, w, keys[i].name))
            return &keys[i];
    return NULL;
}

static bool parse_key(struct group_text *gt, const struct key *k, struct group_bucket *b, const struct item *item,
                      unsigned *seen, unsigned bit)
{
    if (*seen & bit && k->parse)
        return text_fail(&gt->t, item->key, "'%s' is given twice", k->name);
    *seen |= bit;
    if (item->delim != '=' && item->delim != ':' && k->parse)
        return text_fail(&gt->t, item->key, "%s needs a value: %s=...", k->name, k->name);
    if (k->parse)
        return k->parse(gt, b, item->value);
    if (!b)
        diag_warn(gt->t.d, "%s needs OpenFlow 1.5 and is left out: select groups spread over all header fields",
                  k->name);
    return true;
}

/* A bucket's properties, and the words that are none: its actions, with or without "actions=" before the first. */
static bool parse_bucket(struct group_text *gt, struct word w)
{
    struct group_desc *g = &gt->gm->group;
    struct item item;
    unsigned seen = 0;
    bool any = false;
    if (g->n_buckets == GROUP_MAX_BUCKETS)
        return text_fail(&gt->t, w, "a group has at most %d buckets", GROUP_MAX_BUCKETS);
    gt->place[g->n_buckets] = text_trim(&gt->t, w);
    struct group_bucket *b = group_desc_add_bucket(g);
    b->weight = g->type == OFPGT_SELECT;
    for (size_t at = w.at; text_next_item(&gt->t, &at, w.at + w.len, &item);) {
        const struct key *k = item.delim ? find_key(gt, bucket_keys, ARRAY_SIZE(bucket_keys), item.key) : NULL;
        any |= !k || k == &bucket_keys[ACTIONS];
        if (k ? !parse_key(gt, k, b, &item, &seen, 1u << (k - bucket_keys)) : !parse_action(gt, b, &item))
            return false;
    }
    return !gt->t.d->failed &&
           (any || text_fail(&gt->t, w.len ? gt->place[g->n_buckets - 1] : (struct word){w.at - 1, 1},
                             "a bucket needs actions (actions=drop: none)"));
}

/* Where the next "bucket=" at or behind `at` begins, outside of parentheses and words; `end` if there is none. */
static size_t find_bucket(const struct group_text *gt, size_t at, size_t end)
{
    unsigned depth = 0;
    bool quoted = false, start = true;
    for (; at < end; at++) {
        char c = gt->t.s[at];
        if (start && !depth && !quoted && end - at > 6 && !memcmp(gt->t.s + at, "bucket", 6) &&
            (gt->t.s[at + 6] == '=' || gt->t.s[at + 6] == ':'))
            return at;
        quoted ^= c == '"';
        if (!quoted && c == '(')
            depth++;
        else if (!quoted && c == ')' && depth)
            depth--;
        start = c && strchr(", \t\r\n", c);
    }
    return end;
}

static bool fail_unknown(struct group_text *gt, const struct item *item)
{
    static const char *const names[] = {"group_id", "type", "bucket", "selection_method", "fields"};
    const char *s = gt->t.s + item->key.at;
    const char *near = nearest_name(s, item->key.len, names, ARRAY_SIZE(names));
    if (find_key(gt, bucket_keys, ARRAY_SIZE(bucket_keys), item->key))
        return text_fail(&gt->t, item->key, "%.*s belongs to a bucket: write it behind bucket=", (int)item->key.len, s);
    if (near)
        return text_fail(&gt->t, item->key, "a group has no '%.*s'; did you mean '%s'?", (int)item->key.len, s, near);
    return text_fail(&gt->t, item->key, "a group has no '%.*s'", (int)item->key.len, s);
}

static bool parse_head(struct group_text *gt, size_t end)
{
    struct item item;
    unsigned seen = 0;
    for (size_t at = 0; text_next_item(&gt->t, &at, end, &item);) {
        const struct key *k = find_key(gt, group_keys, ARRAY_SIZE(group_keys), item.key);
        if (!k)
            return fail_unknown(gt, &item);
        if (gt->gm->command == OFPGC_DELETE && k->parse != parse_id)
            return text_fail(&gt->t, item.all, "a group is chosen by group_id alone");
        if (!parse_key(gt, k, NULL, &item, &seen, 1u << (k - group_keys)))
            return false;
    }
    return !gt->t.d->failed;
}

static bool finish(struct group_text *gt, size_t len)
{
    char why[200];
    size_t bucket;
    struct act_context ctx = {0};
    struct word end = {len, 1};
    if (!gt->has_id && gt->gm->command != OFPGC_DELETE)
        return text_fail(&gt->t, end, "group_id=... is missing");
    if (!gt->has_type && gt->gm->command != OFPGC_DELETE)
        return text_fail(&gt->t, end, "type=... is missing: all, select, indirect or ff");
    enum ofp_error e = group_check(gt->gm, &ctx, &bucket, why);
    if (!e)
        return true;
    return text_fail(&gt->t,
                     bucket != SIZE_MAX ? gt->place[bucket]
                     : gt->has_type     ? gt->type_at
                                        : end,
                     "%s", why[0] ? why : ofp_error_sentence(e));
}

static bool parse_group(struct group_text *gt, size_t len)
{
    size_t at = find_bucket(gt, 0, len);
    if (!parse_head(gt, at))
        return false;
    while (at < len) {
        size_t from = at + strlen("bucket="), next = find_bucket(gt, from, len);
        if (gt->gm->command == OFPGC_DELETE)
            return text_fail(&gt->t, (struct word){at, 6}, "a group is chosen by group_id alone");
        if (!parse_bucket(gt, (struct word){from, next - from}))
            return false;
        at = next;
    }
    return finish(gt, len);
}

bool group_mod_parse(const char *text, enum ofp_group_mod_command command, const struct port_names *names,
                     struct group_mod *gm, struct diag *d)
{
    struct diag own = DIAG_INIT;
    struct group_text *gt = xzalloc(sizeof *gt);
    *gm = (struct group_mod){.command = (uint16_t)command, .group = {.id = OFPG_ALL}};
    gt->t = (struct text){text, names, d ? d : &own};
    gt->gm = gm;
    bool ok = parse_group(gt, strlen(text));
    free(gt);
    diag_free(&own);
    return ok;
}

bool group_id_parse(const char *text, uint32_t *id)
{
    struct diag d = DIAG_INIT;
    struct text t = {text, NULL, &d};
    size_t skip = strncmp(text, "group_id", 8) || (text[8] != '=' && text[8] != ':') ? 0 : 9;
    struct word w = {skip, strlen(text) - skip};
    uint64_t v = OFPG_ALL;
    bool ok = text_is_nocase(&t, w, "all") || text_number(&t, w, "group_id", OFPG_MAX, &v);
    *id = (uint32_t)v;
    diag_free(&d);
    return ok;
}

/* --- printing --- */

void group_desc_format(const struct group_desc *g, const struct port_names *names, struct buf *out)
{
    buf_printf(out, "group_id=%u,type=%s", g->id, group_type_name(g->type));
    for (size_t i = 0; i < g->n_buckets; i++) {
        const struct group_bucket *b = &g->buckets[i];
        buf_puts(out, ",bucket=");
        if (g->numbered)
            buf_printf(out, "bucket_id:%u,", b->id);
        if (b->weight != (g->type == OFPGT_SELECT)) /* what is meant when nothing is said */
            buf_printf(out, "weight:%u,", b->weight);
        if (b->watch_port != OFPP_ANY) {
            buf_puts(out, "watch_port:");
            text_put_port(b->watch_port, names, out);
            buf_puts(out, ",");
        }
        if (b->watch_group != OFPG_ANY)
            buf_printf(out, "watch_group:%u,", b->watch_group);
        buf_puts(out, "actions=");
        acts_format(group_acts(g, b), b->acts_len, names, out);
    }
}

static void put_counter(const struct group_counter *c, struct buf *out)
{
    buf_puts(out, "packet_count=");
    buf_dec(out, c->packets);
    buf_puts(out, ",byte_count=");
    buf_dec(out, c->bytes);
}

void group_stats_format(const struct group_stats *s, struct buf *out)
{
    buf_printf(out, "group_id=%u,", s->id);
    if (s->duration_sec != UINT32_MAX) {
        buf_puts(out, "duration=");
        duration_format(s->duration_sec, s->duration_nsec, out);
        buf_puts(out, ",");
    }
    buf_printf(out, "ref_count=%u,", s->ref_count);
    put_counter(&s->sum, out);
    for (size_t i = 0; i < s->n_buckets; i++) {
        buf_printf(out, ",bucket%zu:", i);
        put_counter(&s->buckets[i], out);
    }
}
