/* compat.c: --ovs-compat. The parser's complaint tells where a flow is stricter than Open vSwitch; the row of compat.def that fits
 * changes the text there, says so, and the flow is parsed again. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include "base/mem.h"
#include "ofctl/compat.h"

struct place {
    struct buf *text;
    const struct diag *d;
    size_t at, end;    /* the item that holds the complaint's place */
    size_t actions;    /* where "actions=" begins, or the text's end */
};

static const char *text_of(const struct place *p) { return buf_text(p->text); }

static void replace(struct place *p, size_t at, size_t len, const char *with)
{
    struct buf changed = BUF_INIT;
    buf_put(&changed, p->text->data, at);
    buf_puts(&changed, with);
    buf_put(&changed, p->text->data + at + len, p->text->len - at - len);
    buf_free(p->text);
    *p->text = changed;
}

static bool is_gap(char c) { return c == ',' || c == ' ' || c == '\t'; }

/* Of items at the top level, which are what the flow's fields are. */
static size_t item_begin(const char *s, size_t at)
{
    while (at && !is_gap(s[at - 1]))
        at--;
    return at;
}
static size_t item_end(const char *s, size_t at)
{
    while (s[at] && !is_gap(s[at]))
        at++;
    return at;
}

static void drop_item(struct place *p, size_t at, size_t end)
{
    end += text_of(p)[end] == ',';
    replace(p, at, end - at, "");
}

static size_t key_len(const struct place *p) { return strcspn(text_of(p) + p->at, "=: ,"); }

static bool key_is(const struct place *p, const char *key)
{
    return key_len(p) == strlen(key) && !strncasecmp(text_of(p) + p->at, key, key_len(p));
}

/* Where the item before p->at with this key stands; SIZE_MAX: nowhere. */
static size_t find_earlier(const struct place *p, const char *key, size_t len)
{
    const char *s = text_of(p);
    for (size_t at = 0; at < p->at; at = item_end(s, at), at += strspn(s + at, ", \t")) {
        size_t n = strcspn(s + at, "=: ,");
        if (n == len && !strncasecmp(s + at, key, n))
            return at;
    }
    return SIZE_MAX;
}

/* --- Fixes: false: this one is not for Open vSwitch either --- */

static bool fix_prerequisite(struct place *p)
{
    static const struct {
        const char *name, *is;
        bool ip; /* in flows of IPv4 alone */
    } others[] = {{"arp_spa", "nw_src", true},   {"arp_tpa", "nw_dst", true},   {"tcp_src", "tp_src", false}, {"tcp_dst", "tp_dst", false},
                  {"udp_src", "tp_src", false},  {"udp_dst", "tp_dst", false},  {"sctp_src", "tp_src", false}, {"sctp_dst", "tp_dst", false}};
    bool ip = false, l4 = false;
    static const char *const ips[] = {"ip", "tcp", "udp", "icmp", "sctp"}, *const l4s[] = {"tcp", "udp", "sctp", "tcp6", "udp6", "sctp6"};
    struct place all = *p;
    all.at = p->actions;
    for (size_t i = 0; i < ARRAY_SIZE(ips); i++)
        ip |= find_earlier(&all, ips[i], strlen(ips[i])) != SIZE_MAX;
    for (size_t i = 0; i < ARRAY_SIZE(l4s); i++)
        l4 |= find_earlier(&all, l4s[i], strlen(l4s[i])) != SIZE_MAX;
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (key_is(p, others[i].name) && (others[i].ip ? ip : l4)) {
            replace(p, p->at, key_len(p), others[i].is);
            return true;
        }
    size_t untagged = find_earlier(p, "dl_vlan", strlen("dl_vlan"));
    if (untagged != SIZE_MAX && (key_is(p, "dl_vlan_pcp") || key_is(p, "vlan_pcp"))) { /* a priority is of a tag */
        replace(p, untagged, item_end(text_of(p), untagged) - untagged, "dl_vlan=0");
        return true;
    }
    drop_item(p, p->at, p->end);
    return true;
}

static bool fix_earlier(struct place *p)
{
    const char *message = (const char *)p->d->message.data, *other = strstr(message, "contradicts '");
    char name[64] = "";
    if (other)
        sscanf(other + strlen("contradicts '"), "%63[^'=:]", name);
    else
        sscanf(message, "'%63[^'=:]", name);
    size_t at = find_earlier(p, name, strlen(name));
    if (at == SIZE_MAX)
        return false;
    drop_item(p, at, item_end(text_of(p), at));
    return true;
}

static void replace_number(struct place *p, unsigned long long n)
{
    char text[32];
    snprintf(text, sizeof text, "%llu", n);
    replace(p, p->d->at, p->d->len, text);
}

static unsigned long long number_there(const struct place *p) { return strtoull(text_of(p) + p->d->at, NULL, 0); }

static bool fix_mask_value(struct place *p)
{
    const char *s = text_of(p), *most = strstr((const char *)p->d->message.data, "largest value is ");
    unsigned long long mask = strtoull(most + strlen("largest value is "), NULL, 0);
    bool of_address = memchr(s + p->at, '.', p->end - p->at);
    enum { SIX_BITS = 63, LABEL = 0xfffff };
    if (mask & (mask + 1)) /* the length of a prefix */
        return false;
    if (mask > SIX_BITS && mask != LABEL && !(mask == UINT8_MAX && of_address))
        return false;
    replace_number(p, number_there(p) & mask);
    return true;
}

static bool fix_mask_vlan(struct place *p)
{
    replace_number(p, number_there(p) & 0xfff);
    return true;
}

static bool fix_clear_ecn(struct place *p)
{
    replace_number(p, number_there(p) & 0xfc);
    return true;
}

static bool fix_any_table(struct place *p)
{
    drop_item(p, p->at, p->end);
    return true;
}

static bool fix_all_ones(struct place *p)
{
    replace(p, p->d->at, p->d->len, "0xffffffffffffffff");
    return true;
}

static bool fix_no_value(struct place *p)
{
    size_t from = p->d->at;
    const char *s = text_of(p);
    if (p->d->at < p->actions || s[from] == ':') {
        from = p->at + strcspn(s + p->at, "=:");
    } else {
        while (from > p->at && s[from] != ':')
            from--;
    }
    if (from >= p->end)
        return false;
    replace(p, from, p->end - from, "");
    return true;
}

static bool fix_lower_case(struct place *p)
{
    bool changed = false;
    for (size_t i = p->d->at; i < p->d->at + p->d->len; i++) {
        uint8_t *c = &p->text->data[i];
        changed |= isupper(*c) != 0;
        *c = (uint8_t)tolower(*c);
    }
    return changed;
}

static bool fix_port_alone(struct place *p)
{
    static const char *const reserved[] = {"in_port", "normal", "flood", "all", "local"};
    const char *s = text_of(p), *colon = memchr(s + p->d->at, ':', p->d->len);
    size_t n = colon ? (size_t)(colon - s) - p->d->at : 0;
    for (size_t i = 0; colon && i < ARRAY_SIZE(reserved); i++)
        if (n == strlen(reserved[i]) && !strncasecmp(s + p->d->at, reserved[i], n)) {
            replace(p, p->d->at + n, p->d->len - n, "");
            return true;
        }
    return false;
}

static bool fix_close(struct place *p)
{
    buf_puts(p->text, ")");
    return true;
}

static bool fix_mask_32(struct place *p)
{
    replace_number(p, (uint32_t)number_there(p));
    return true;
}

/* --- All of them --- */

enum { MATCH = 1, ACTIONS = 2, BOTH = 3 };
static const struct {
    const char *complaint;
    bool (*fix)(struct place *);
    int scope;
} rows[] = {
#define COMPAT(complaint, fix, scope, example, doc) {complaint, fix_##fix, scope},
#include "ofctl/compat.def"
#undef COMPAT
};

/* Changes what the diag complains of. */
static bool mend(struct buf *text, const struct diag *d)
{
    const char *s = buf_text(text), *actions = strstr(s, "actions=");
    struct place p = {.text = text, .d = d, .actions = actions ? (size_t)(actions - s) : text->len};
    if (!d->len || d->at + d->len > text->len)
        return false;
    p.at = item_begin(s, d->at);
    p.end = item_end(s, d->at);
    int scope = d->at < p.actions ? MATCH : ACTIONS;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].scope & scope && strstr((const char *)d->message.data, rows[i].complaint) && rows[i].fix(&p))
            return true;
    return false;
}

bool compat_flow_parse(const char *text, enum ofp_flow_mod_command command, const struct port_names *names, struct flow_mod *m,
                       struct diag *d)
{
    enum { MOST = 32 };
    if (!options.ovs_compat)
        return flow_mod_parse(text, command, names, m, d);
    struct buf now = BUF_INIT, done = BUF_INIT;
    buf_puts(&now, text);
    bool ok = false, mended = true;
    for (int i = 0; !ok && mended; i++) {
        struct diag tried = DIAG_INIT;
        if (i)
            flow_mod_free(m);
        ok = flow_mod_parse(buf_text(&now), command, names, m, &tried);
        if (!ok) {
            buf_text(&tried.message);
            char *why = xasprintf("%.*s: %s", (int)tried.len, buf_text(&now) + tried.at, buf_text(&tried.message));
            mended = i < MOST && mend(&now, &tried);
            if (mended)
                buf_printf(&done, "%s%s", done.len ? "; " : "", why);
            free(why);
        }
        diag_free(&tried);
    }
    if (ok && done.len)
        diag_warn(d, "taken as '%s', as Open vSwitch does (%s)", buf_text(&now), buf_text(&done));
    if (!ok) { /* what is wrong with the user's own words */
        flow_mod_free(m);
        flow_mod_parse(text, command, names, m, d);
    }
    buf_free(&now);
    buf_free(&done);
    return ok;
}
