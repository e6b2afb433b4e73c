#include <stdio.h>
#include "base/hash.h"
#include "base/mem.h"
#include "ofctl/batch.h"
#include "ofctl/flow-set.h"
#include "ofctl/flows.h"
#include "ofctl/lines.h"

/* What a switch keeps of a flow-mod's flags. */
enum { KEPT_FLAGS = OFPFF_SEND_FLOW_REM | OFPFF_NO_PKT_COUNTS | OFPFF_NO_BYT_COUNTS };

static const uint8_t *entry_match(const struct flow_entry *e) { return (const uint8_t *)e->bytes; }
static const uint8_t *entry_acts(const struct flow_entry *e) { return (const uint8_t *)e->bytes + e->match_len; }

static uint32_t entry_hash(const struct flow_entry *e)
{
    return hash_bytes(entry_match(e), e->match_len, (uint64_t)e->table << 16 | e->priority);
}

static bool same_key(const struct flow_entry *a, const struct flow_entry *b)
{
    return a->hash == b->hash && a->table == b->table && a->priority == b->priority && a->match_len == b->match_len &&
           !memcmp(entry_match(a), entry_match(b), a->match_len);
}

bool flow_entry_same(const struct flow_entry *a, const struct flow_entry *b)
{
    return a->cookie == b->cookie && a->idle_timeout == b->idle_timeout && a->hard_timeout == b->hard_timeout &&
           a->importance == b->importance && a->flags == b->flags &&
           acts_equal(entry_acts(a), a->acts_len, entry_acts(b), b->acts_len);
}

const struct flow_entry *flow_set_find(const struct flow_set *s, const struct flow_entry *like)
{
    for (const struct flow_entry *e = s->n ? s->chains[like->hash & s->mask] : NULL; e; e = e->after)
        if (same_key(e, like))
            return e;
    return NULL;
}

/* --- Filling --- */

static void grow(struct flow_set *s)
{
    s->size = s->size ? 2 * s->size : 64;
    s->list = xrealloc(s->list, s->size * sizeof *s->list);
    free(s->chains);
    s->chains = xcalloc(s->size, sizeof *s->chains);
    s->mask = s->size - 1;
    for (size_t i = 0; i < s->n; i++) {
        struct flow_entry *e = s->list[i], **chain = &s->chains[e->hash & s->mask];
        e->after = *chain;
        *chain = e;
    }
}

/* `head` has all but match and acts. */
static void add(struct flow_set *s, const struct flow_entry *head, const struct match *match, const void *acts, size_t acts_len)
{
    struct buf m = BUF_INIT;
    match_encode(match, OFP13, &m);
    struct flow_entry *e = xmalloc(sizeof *e + m.len + acts_len);
    *e = *head;
    e->match_len = m.len;
    e->acts_len = acts_len;
    memcpy(e->bytes, m.data, m.len);
    if (acts_len)
        memcpy((uint8_t *)e->bytes + m.len, acts, acts_len);
    buf_free(&m);
    e->hash = entry_hash(e);
    const struct flow_entry *had = flow_set_find(s, e);
    if (had) {
        struct flow_entry **at = &s->chains[e->hash & s->mask];
        while (*at != had)
            at = &(*at)->after;
        e->after = had->after;
        e->index = had->index;
        s->list[e->index] = *at = e;
        free((void *)had);
        return;
    }
    if (s->n == s->size)
        grow(s);
    struct flow_entry **chain = &s->chains[e->hash & s->mask];
    e->after = *chain;
    *chain = e;
    e->index = s->n;
    s->list[s->n++] = e;
}

void flow_set_free(struct flow_set *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->list[i]);
    free(s->list);
    free(s->chains);
}

static void take_flow(const struct flow_stats *f, struct buf *acts UNUSED, void *set)
{
    struct flow_entry head = {.table = f->table,
                              .priority = f->priority,
                              .idle_timeout = f->idle_timeout,
                              .hard_timeout = f->hard_timeout,
                              .flags = f->flags & KEPT_FLAGS,
                              .cookie = f->cookie};
    add(set, &head, &f->match, f->acts, f->acts_len);
}

void flow_set_read_switch(struct flow_set *s, struct conn *c)
{
    struct flow_stats_request all = {.table = OFPTT_ALL, .out_port = OFPP_ANY, .out_group = OFPG_ANY};
    if (!flows_request(c, &all, NULL, take_flow, s))
        die("%s: without all of its flows nothing is compared", c->target);
}

static void take_line(struct flow_set *s, struct conn *c, const struct line_reader *r, const char *line, size_t *n_wrong)
{
    struct flow_mod m;
    char *prefix = xasprintf(PROGRAM ": %s:%zu: ", r->name, r->number);
    if (!parse_flow(c, prefix, line, OFPFC_ADD, &m)) {
        ++*n_wrong;
    } else {
        struct flow_entry head = {.table = m.table,
                                  .priority = m.priority,
                                  .idle_timeout = m.idle_timeout,
                                  .hard_timeout = m.hard_timeout,
                                  .flags = m.flags & KEPT_FLAGS,
                                  .importance = m.importance,
                                  .cookie = m.cookie};
        add(s, &head, &m.match, m.acts.data, m.acts.len);
    }
    free(prefix);
    flow_mod_free(&m);
}

void flow_set_read_file(struct flow_set *s, struct conn *c, const char *file)
{
    enum { COMPLAINTS = 20 };
    size_t n_wrong = 0;
    struct line_reader r = line_reader_open(file);
    for (char *line; (line = line_next(&r)) && n_wrong < COMPLAINTS;) {
        if (is_dump_header(line))
            continue;
        if (!strncmp(line, "add ", 4))
            line += 4;
        take_line(s, c, &r, line, &n_wrong);
    }
    line_reader_end(&r);
    if (n_wrong)
        exit(1);
}

/* --- Out again --- */

void flow_entry_mod(const struct flow_entry *e, enum ofp_flow_mod_command command, struct flow_mod *m)
{
    struct rd rd = rd_init(entry_match(e), e->match_len);
    *m = FLOW_MOD_INIT;
    m->command = (uint8_t)command;
    m->table = e->table;
    m->priority = e->priority;
    if (match_decode(OFP13, &rd, &m->match))
        abort(); /* we have encoded it */
    if (command >= OFPFC_DELETE)
        return;
    m->idle_timeout = e->idle_timeout;
    m->hard_timeout = e->hard_timeout;
    m->flags = e->flags;
    m->importance = e->importance;
    m->cookie = e->cookie;
    buf_put(&m->acts, entry_acts(e), e->acts_len);
}

void flow_entry_format(const struct flow_entry *e, const struct port_names *names, struct buf *out)
{
    enum { DEFAULT_PRIORITY = 0x8000 };
    struct rd rd = rd_init(entry_match(e), e->match_len);
    struct match m;
    struct buf words = BUF_INIT;
    if (match_decode(OFP13, &rd, &m))
        abort();
    if (e->table)
        buf_printf(out, "table=%u ", e->table);
    if (e->priority != DEFAULT_PRIORITY)
        buf_printf(out, "priority=%u,", e->priority);
    match_format(&m, names, out);
    buf_chomp(out, ',');
    if (e->cookie)
        buf_printf(out, " cookie=0x%llx", (unsigned long long)e->cookie);
    if (e->idle_timeout)
        buf_printf(out, " idle_timeout=%u", e->idle_timeout);
    if (e->hard_timeout)
        buf_printf(out, " hard_timeout=%u", e->hard_timeout);
    if (e->importance)
        buf_printf(out, " importance=%u", e->importance);
    if (e->flags) {
        flow_flags_format(e->flags, &words);
        buf_printf(out, " %s", buf_text(&words));
    }
    buf_puts(out, " actions=");
    acts_format(entry_acts(e), e->acts_len, names, out);
    buf_free(&words);
}
