/* Groups: add-group, add-groups, mod-group, del-groups, dump-groups, dump-group-stats, dump-group-features; and what
 * they would send: parse-group. */
#include <stdio.h>
#include <stdlib.h>
#include "base/mem.h"
#include "ofctl/batch.h"
#include "openflow/group.h"

/* --- Changes --- */

/* Warnings about buckets that do less than they seem to: OpenFlow 1.3.5, 5.10, of outputs the last, and none beside a
 * group. */
static void check_group(struct conn *c, const struct group_desc *g)
{
    for (size_t i = 0; i < g->n_buckets; i++) {
        const struct group_bucket *b = &g->buckets[i];
        unsigned outputs = 0, groups = 0;
        ACT_FOR_EACH(a, group_acts(g, b), b->acts_len)
        {
            outputs += a->type == ACT_OUTPUT;
            groups += a->type == ACT_GROUP;
        }
        if (outputs > 1 || groups > 1)
            warn("group %u, bucket %zu: a bucket is an action set, of whose outputs only the last is done: give each a "
                 "bucket",
                 g->id, i);
        if (outputs && groups)
            warn("group %u, bucket %zu: a bucket is an action set, in which output beside group does nothing", g->id,
                 i);
        if (c)
            check_actions(c, group_acts(g, b), b->acts_len);
    }
}

static bool make_group(struct conn *c, uint8_t version, const char *text, unsigned command, struct buf *messages,
                       struct diag *d)
{
    struct group_mod m;
    bool ok = group_mod_parse(text, (enum ofp_group_mod_command)command, ports_by_name(c), &m, d);
    if (ok) {
        check_group(c, &m.group);
        group_mod_encode(&m, version, 0, messages);
    }
    group_desc_free(&m.group);
    return ok;
}

static const struct batch_word words[] = {
    {"add", OFPGC_ADD}, {"modify", OFPGC_MODIFY}, {"add_or_mod", OFPGC_ADD_OR_MOD}, {"delete", OFPGC_DELETE}, {NULL, 0},
};
const struct batch_kind group_batch = {"group", "groups", words, make_group};

/* --- In which order ---
 * A group may stand in a file before those that it forwards to, as dumps of other switches have it; a switch that
 * checks chains wants those first. */

struct sorting {
    struct batch *b;
    struct group_mod *mods;
    struct batch_item *sorted;
    size_t n;
    uint8_t *done; /* 1: under way */
    unsigned depth;
};

static void put_in_order(struct sorting *s, size_t i);

static void put_named_first(struct sorting *s, uint32_t id)
{
    for (size_t i = 0; i < s->b->n; i++)
        if (s->mods[i].group.id == id && !s->done[i])
            put_in_order(s, i);
}

static void put_in_order(struct sorting *s, size_t i)
{
    enum { MAX_CHAIN = 1000 };
    const struct group_desc *g = &s->mods[i].group;
    s->done[i] = 1;
    if (s->depth < MAX_CHAIN) {
        s->depth++;
        ACT_FOR_EACH(a, g->acts.data, g->acts.len)
        if (a->type == ACT_GROUP)
            put_named_first(s, a->n);
        for (size_t k = 0; k < g->n_buckets; k++)
            if (g->buckets[k].watch_group != OFPG_ANY)
                put_named_first(s, g->buckets[k].watch_group);
        s->depth--;
    }
    s->sorted[s->n++] = s->b->items[i];
}

/* Only additions: what else there is happens in the order in which it stands. */
static void sort_groups(struct conn *c, struct batch *b)
{
    struct sorting s = {.b = b};
    for (size_t i = 0; i < b->n; i++)
        if (b->items[i].command != OFPGC_ADD)
            return;
    s.mods = xcalloc(b->n + 1, sizeof *s.mods);
    s.sorted = xcalloc(b->n + 1, sizeof *s.sorted);
    s.done = xcalloc(b->n + 1, 1);
    for (size_t i = 0; i < b->n; i++) {
        struct rd body;
        ofp_msg_decode_type(b->messages.data + b->items[i].at, b->items[i].end - b->items[i].at, NULL,
                            &(enum ofp_msg_type){0}, &body, NULL);
        group_mod_decode(c->version, body, &s.mods[i]);
    }
    for (size_t i = 0; i < b->n; i++)
        if (!s.done[i])
            put_in_order(&s, i);
    memcpy(b->items, s.sorted, b->n * sizeof *b->items);
    batch_reorder(b);
    for (size_t i = 0; i < b->n; i++)
        group_desc_free(&s.mods[i].group);
    free(s.mods);
    free(s.sorted);
    free(s.done);
}

static void send_groups(struct conn *c, const char *text, enum ofp_group_mod_command command, bool file)
{
    struct batch b = BATCH_INIT(&group_batch);
    if (file || !strcmp(text, "-"))
        batch_add_file(c, &b, text, command);
    else
        batch_add(c, &b, text, 1, command);
    if (!b.n_wrong)
        sort_groups(c, &b);
    batch_send(c, &b);
    batch_free(&b);
}

void cmd_add_group(struct conn *c, int argc UNUSED, char *argv[]) { send_groups(c, argv[0], OFPGC_ADD, false); }
void cmd_add_groups(struct conn *c, int argc UNUSED, char *argv[]) { send_groups(c, argv[0], OFPGC_ADD, true); }

void cmd_mod_group(struct conn *c, int argc UNUSED, char *argv[])
{
    send_groups(c, argv[0], options.may_create ? OFPGC_ADD_OR_MOD : OFPGC_MODIFY, false);
}

void cmd_del_groups(struct conn *c, int argc, char *argv[])
{
    send_groups(c, argc ? argv[0] : "", OFPGC_DELETE, false);
}

void cmd_parse_group(struct conn *c UNUSED, int argc UNUSED, char *argv[])
{
    struct batch b = BATCH_INIT(&group_batch);
    batch_add(NULL, &b, argv[0], 1, OFPGC_ADD);
    batch_print(&b);
    batch_free(&b);
}

/* --- What there is --- */

static uint32_t parse_id(const struct conn *c, int argc, char *argv[])
{
    uint32_t id = OFPG_ALL;
    if (argc && !group_id_parse(argv[0], &id))
        die("%s: '%s' is no group's number; write a number, or all", c->target, argv[0]);
    return id;
}

static void json_group(struct json *j, const struct group_desc *g)
{
    struct buf acts = BUF_INIT;
    json_open(j, NULL, '{');
    json_u64(j, "group_id", g->id);
    json_string(j, "type", group_type_name(g->type));
    json_open(j, "buckets", '[');
    for (size_t i = 0; i < g->n_buckets; i++) {
        const struct group_bucket *b = &g->buckets[i];
        json_open(j, NULL, '{');
        if (g->type == OFPGT_SELECT)
            json_u64(j, "weight", b->weight);
        if (b->watch_port == OFPP_LOCAL)
            json_string(j, "watch_port", ofp_port_reserved_name(b->watch_port));
        else if (b->watch_port != OFPP_ANY)
            json_u64(j, "watch_port", b->watch_port);
        if (b->watch_group != OFPG_ANY)
            json_u64(j, "watch_group", b->watch_group);
        buf_clear(&acts);
        acts_format(group_acts(g, b), b->acts_len, NULL, &acts);
        json_string(j, "actions", buf_text(&acts));
        json_close(j, '}');
    }
    json_close(j, ']');
    json_close(j, '}');
    buf_free(&acts);
}

static void json_begin(struct json *j, struct buf *out)
{
    *j = (struct json){out, true};
    json_open(j, NULL, '{');
    json_open(j, "groups", '[');
}

static void json_end(struct json *j)
{
    json_close(j, ']');
    json_close(j, '}');
    puts(buf_text(j->out));
    buf_free(j->out);
}

/* OpenFlow 1.3 cannot ask for one group, so the rest is left out here. */
static void keep_only(struct reply *r, uint8_t version, uint32_t id)
{
    struct rd rd = reply_rd(r);
    struct buf kept = BUF_INIT;
    while (rd_left(&rd)) {
        struct group_desc g;
        const uint8_t *from = rd.p;
        if (!group_desc_decode(version, &rd, &g) && g.id == id)
            buf_put(&kept, from, (size_t)(rd.p - from));
        bool stuck = rd.p == from;
        group_desc_free(&g);
        if (stuck)
            break;
    }
    buf_free(&r->body);
    r->body = kept;
    buf_reserve(&r->body, 1);
}

void cmd_dump_groups(struct conn *c, int argc, char *argv[])
{
    struct reply r;
    uint32_t id = parse_id(c, argc, argv);
    struct buf request = BUF_INIT;
    group_desc_request_encode(id, c->version, conn_xid(c), &request);
    conn_transact(c, &request, OFPMSG_GROUP_DESC_REPLY, &r);
    buf_free(&request);
    if (id != OFPG_ALL)
        keep_only(&r, c->version, id);
    if (options.json) {
        struct buf out = BUF_INIT;
        struct json j;
        struct group_desc g;
        struct rd rd = reply_rd(&r);
        bool ok = true;
        json_begin(&j, &out);
        while (ok && rd_left(&rd)) {
            ok = !group_desc_decode(c->version, &rd, &g);
            if (ok)
                json_group(&j, &g);
            group_desc_free(&g);
        }
        json_end(&j);
    } else {
        reply_print(c, &r);
    }
    reply_free(&r);
}

static void json_counter(struct json *j, const struct group_counter *s)
{
    json_u64(j, "packet_count", s->packets);
    json_u64(j, "byte_count", s->bytes);
}

static void json_stats(struct json *j, const struct group_stats *s)
{
    char seconds[32];
    snprintf(seconds, sizeof seconds, "%u.%03u", s->duration_sec, s->duration_nsec / 1000000);
    json_open(j, NULL, '{');
    json_u64(j, "group_id", s->id);
    json_raw(j, "duration", s->duration_sec == UINT32_MAX ? "null" : seconds);
    json_u64(j, "ref_count", s->ref_count);
    json_counter(j, &s->sum);
    json_open(j, "buckets", '[');
    for (size_t i = 0; i < s->n_buckets; i++) {
        json_open(j, NULL, '{');
        json_counter(j, &s->buckets[i]);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_close(j, '}');
}

void cmd_dump_group_stats(struct conn *c, int argc, char *argv[])
{
    struct buf request = BUF_INIT;
    struct reply r;
    group_stats_request_encode(parse_id(c, argc, argv), c->version, conn_xid(c), &request);
    conn_transact(c, &request, OFPMSG_GROUP_STATS_REPLY, &r);
    if (options.json) {
        struct buf out = BUF_INIT;
        struct json j;
        struct group_stats s;
        struct rd rd = reply_rd(&r);
        json_begin(&j, &out);
        while (rd_left(&rd) && !group_stats_decode(c->version, &rd, &s)) {
            json_stats(&j, &s);
            free(s.buckets);
        }
        json_end(&j);
    } else {
        reply_print(c, &r);
    }
    reply_free(&r);
    buf_free(&request);
}

static void json_features(const struct group_features *f, uint8_t version)
{
    static const char *const capabilities[] = {"select_weight", "select_liveness", "chaining", "chaining_checks"};
    struct buf out = BUF_INIT, words = BUF_INIT;
    struct json j = {&out, true};
    json_open(&j, NULL, '{');
    json_open(&j, "types", '[');
    for (uint8_t i = 0; i < N_GROUP_TYPES; i++)
        if (f->types >> i & 1) {
            json_open(&j, NULL, '{');
            json_string(&j, "type", group_type_name(i));
            json_u64(&j, "max_groups", f->max_groups[i]);
            buf_clear(&words);
            group_actions_format(f->actions[i], version, &words);
            json_words(&j, "actions", buf_text(&words));
            json_close(&j, '}');
        }
    json_close(&j, ']');
    json_open(&j, "capabilities", '[');
    for (unsigned i = 0; i < ARRAY_SIZE(capabilities); i++)
        if (f->capabilities >> i & 1)
            json_string(&j, NULL, capabilities[i]);
    json_close(&j, ']');
    json_close(&j, '}');
    puts(buf_text(&out));
    buf_free(&out);
    buf_free(&words);
}

void cmd_dump_group_features(struct conn *c, int argc UNUSED, char *argv[] UNUSED)
{
    struct reply r;
    struct group_features f;
    conn_request(c, OFPMSG_GROUP_FEATURES_REQUEST, OFPMSG_GROUP_FEATURES_REPLY, &r);
    if (options.json && !group_features_decode(c->version, reply_rd(&r), &f))
        json_features(&f, c->version);
    else
        reply_print(c, &r);
    reply_free(&r);
}
