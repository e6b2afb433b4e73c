/* config.c: records, their columns and values. */
#include "vswitchd/config.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include "base/mem.h"
#include "openflow/version.h"
#include "vswitchd/queue-config.h"

const struct column columns[] = {
#define COLUMN(table, name, kind, check, fallback, doc) {table, name, fallback, doc, kind, check},
#include "vswitchd/column.def"
#undef COLUMN
};
const size_t n_columns = ARRAY_SIZE(columns);

struct record *config_new(void)
{
    struct record *r = xzalloc(sizeof *r);
    r->name = xstrdup("");
    return r;
}

static struct record *copy_below(const struct record *from, struct record *parent)
{
    struct record *r = xzalloc(sizeof *r);
    r->table = from->table;
    r->name = xstrdup(from->name);
    r->parent = parent;
    r->n_values = from->n_values;
    r->values = xcalloc(from->n_values, sizeof *r->values);
    for (size_t i = 0; i < from->n_values; i++) {
        const struct config_value *v = &from->values[i];
        r->values[i] = (struct config_value){v->column, xstrdup(v->key), xstrdup(v->value)};
    }
    r->n_children = from->n_children;
    r->children = xcalloc(from->n_children, sizeof *r->children);
    for (size_t i = 0; i < from->n_children; i++)
        r->children[i] = copy_below(from->children[i], r);
    return r;
}

struct record *config_copy(const struct record *from) { return copy_below(from, NULL); }

void config_free(struct record *r)
{
    if (!r)
        return;
    config_unset(r, NULL, NULL);
    for (size_t i = 0; i < r->n_children; i++)
        config_free(r->children[i]);
    free(r->children);
    free(r->values);
    free(r->name);
    free(r);
}

struct record *config_find(const struct record *parent, const char *name)
{
    for (size_t i = 0; i < parent->n_children; i++)
        if (!strcmp(parent->children[i]->name, name))
            return parent->children[i];
    return NULL;
}

struct record *config_find_port(const struct record *root, const char *port)
{
    for (size_t i = 0; i < root->n_children; i++) {
        struct record *r = config_find(root->children[i], port);
        if (r)
            return r;
    }
    return NULL;
}

struct record *config_add(struct record *parent, const char *name)
{
    struct record *r = config_new();
    free(r->name);
    r->name = xstrdup(name);
    r->table = parent->table + 1;
    r->parent = parent;
    parent->children = xrealloc(parent->children, (parent->n_children + 1) * sizeof *parent->children);
    parent->children[parent->n_children++] = r;
    return r;
}

void config_remove(struct record *r)
{
    struct record *p = r->parent;
    size_t i = 0;
    while (p->children[i] != r)
        i++;
    memmove(&p->children[i], &p->children[i + 1], (--p->n_children - i) * sizeof *p->children);
    config_free(r);
}

/* Words are compared as ovs-vsctl does: letters in any case, '-' like '_'. */
static bool same_word(const char *a, size_t len, const char *b)
{
    for (; len; len--, a++, b++)
        if ((*a == '-' ? '_' : tolower((unsigned char)*a)) != *b)
            return false;
    return !*b;
}

bool config_table_parse(const char *word, enum config_table *table, struct diag *d)
{
    static const struct { const char *word; enum config_table table; } words[] = {
        {"bridge", BRIDGE}, {"port", PORT}, {"interface", PORT}, {"open_vswitch", SWITCH}, {"switch", SWITCH},
        {"worker", SWITCH},
    };
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (same_word(word, strlen(word), words[i].word)) {
            *table = words[i].table;
            return true;
        }
    return diag_fail(d, 0, 0, "no table '%s'; there are bridge, port (or interface), switch and worker", word);
}

const struct column *column_find(enum config_table table, const char *name, size_t len, struct diag *d)
{
    const char *names[ARRAY_SIZE(columns)];
    if (len == 6 && same_word(name, len, "option")) /* an old spelling that many tutorials have */
        return column_find(table, "options", 7, d);
    for (size_t i = 0; i < n_columns; i++) {
        names[i] = columns[i].table == table ? columns[i].name : NULL;
        if (names[i] && same_word(name, len, names[i]))
            return &columns[i];
    }
    if (d) {
        const char *near = nearest_name(name, len, names, n_columns), *of = table == PORT ? "port" : table == BRIDGE ? "bridge" : "switch";
        diag_fail(d, 0, len, near ? "a %s has no column '%.*s'; did you mean '%s'?" : "a %s has no column '%.*s'", of,
                  (int)len, name, near);
    }
    return NULL;
}

static bool valid_mac(const char *s)
{
    unsigned m[6];
    int n = 0;
    return sscanf(s, "%2x:%2x:%2x:%2x:%2x:%2x%n", m, m + 1, m + 2, m + 3, m + 4, m + 5, &n) == 6 && !s[n];
}

static bool valid_number(const char *s, uint64_t most, int base)
{
    char *end;
    errno = 0;
    unsigned long long v = strtoull(s, &end, base);
    return isxdigit((unsigned char)*s) && !*end && !errno && v <= most;
}

bool config_parse_cpus(const char *text, unsigned cpus[CONFIG_MAX_WORKERS], size_t *n, struct diag *d)
{
    const char *p = text;
    for (*n = 0; *p; p += *p == ',') {
        unsigned first, last;
        int used = 0, more = 0;
        if (!isdigit((unsigned char)*p) || sscanf(p, "%4u%n", &first, &used) != 1)
            break;
        last = first;
        p += used;
        if (*p == '-' && isdigit((unsigned char)p[1]) && sscanf(p + 1, "%4u%n", &last, &more) == 1)
            p += 1 + more;
        if ((*p && *p != ',') || last < first || last - first >= CONFIG_MAX_WORKERS - *n)
            break;
        while (first <= last)
            cpus[(*n)++] = first++;
    }
    return (!*p && *n) || diag_fail(d, 0, 0, "worker-cpus '%s' is no list of processors such as 1 or 2,4-7", text);
}

static bool check_switch_other(const char *key, const char *value, struct diag *d)
{
    static const char *const keys[] = {"worker-count", "worker-cpus"};
    unsigned cpus[CONFIG_MAX_WORKERS];
    size_t n;
    if (!strcmp(key, "worker-count"))
        return (valid_number(value, CONFIG_MAX_WORKERS, 10) && strtoul(value, NULL, 10)) ||
               diag_fail(d, 0, 0, "worker-count '%s' is no number from 1 to %d", value, CONFIG_MAX_WORKERS);
    if (!strcmp(key, "worker-cpus"))
        return config_parse_cpus(value, cpus, &n, d);
    const char *near = nearest_name(key, strlen(key), keys, ARRAY_SIZE(keys));
    if (near)
        return diag_fail(d, 0, 0, "other_config has no key '%s'; did you mean '%s'?", key, near);
    diag_warn(d, "other_config:%s is kept, but xvs does not know it", key);
    return true;
}

static bool check_bridge_other(const char *key, const char *value, struct diag *d)
{
    static const char *const keys[] = {"hwaddr", "datapath-id", "dp-desc", "dp-sn", "mac-aging-time", "mac-table-size",
                                       "disable-in-band"};
    if (!strcmp(key, "hwaddr"))
        return valid_mac(value) || diag_fail(d, 0, 0, "hwaddr '%s' is no Ethernet address (aa:bb:cc:dd:ee:ff)", value);
    if (!strcmp(key, "datapath-id")) {
        const char *hex = !strncmp(value, "0x", 2) ? value + 2 : value;
        return (strlen(hex) <= 16 && valid_number(hex, UINT64_MAX, 16)) ||
               diag_fail(d, 0, 0, "datapath-id '%s' is not 16 hex digits", value);
    }
    if (!strncmp(key, "mac-", 4) && (!strcmp(key, keys[4]) || !strcmp(key, keys[5])))
        return valid_number(value, 1000000, 10) || diag_fail(d, 0, 0, "%s '%s' is no number up to 1000000", key, value);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (!strcmp(key, keys[i]))
            return true;
    const char *near = nearest_name(key, strlen(key), keys, ARRAY_SIZE(keys));
    if (near)
        return diag_fail(d, 0, 0, "other_config has no key '%s'; did you mean '%s'?", key, near);
    diag_warn(d, "other_config:%s is kept, but xvs does not know it", key);
    return true;
}

static bool check_target(const char *t, struct diag *d)
{
    static const char *const methods[] = {"tcp:", "ptcp:", "unix:", "punix:"};
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
        if (!strncmp(t, methods[i], strlen(methods[i])))
            return i == 1 || t[strlen(methods[i])] || diag_fail(d, 0, 0, "controller '%s': an address is missing", t);
    if (!strncmp(t, "ssl:", 4) || !strncmp(t, "pssl:", 5))
        return diag_fail(d, 0, 0, "controller '%s': TLS is not there yet; use tcp: or ptcp:", t);
    return diag_fail(d, 0, 0, "controller '%s': write tcp:HOST[:PORT], ptcp:[PORT][:HOST], unix:FILE or punix:FILE", t);
}

static bool one_of(const char *value, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(value, words[i]))
            return true;
    return false;
}

static bool check_value(const struct column *c, const char *key, const char *value, struct diag *d)
{
    static const char *const types[] = {"system", "internal", "gre", "pcap", "null"};
    static const char *const datapaths[] = {"", "netdev", "system"};
    switch (c->check) {
    case C_ANY:
        return true;
    case C_TARGET:
        return check_target(key, d);
    case C_FAIL_MODE:
        return !strcmp(value, "standalone") || !strcmp(value, "secure") ||
               diag_fail(d, 0, 0, "fail_mode is 'standalone' or 'secure', not '%s'", value);
    case C_PROTOCOL:
        return ofp_version_parse(key, strlen(key)) ||
               diag_fail(d, 0, 0, "no protocol '%s'; there are OpenFlow10, OpenFlow13 and OpenFlow14", key);
    case C_DATAPATH:
        return one_of(value, datapaths, 3) || diag_fail(d, 0, 0, "datapath_type is 'netdev' or 'system', not '%s'", value);
    case C_FALSE:
        return !strcmp(value, "false") || diag_fail(d, 0, 0, "%s: only 'false' for now", c->name);
    case C_SWITCH_OTHER:
        return check_switch_other(key, value, d);
    case C_BRIDGE_OTHER:
        return check_bridge_other(key, value, d);
    case C_PORT_TYPE: {
        const char *near = nearest_name(value, strlen(value), types, ARRAY_SIZE(types));
        return one_of(value, types, ARRAY_SIZE(types)) || !*value ||
               diag_fail(d, 0, 0, near ? "no port type '%s'; did you mean '%s'?" : "no port type '%s'; there are system, internal, gre, pcap and null", value, near);
    }
    case C_OFPORT:
        return (valid_number(value, 0xfeff, 10) && strcmp(value, "0")) ||
               diag_fail(d, 0, 0, "ofport_request '%s' is no number from 1 to 65279", value);
    case C_RATE: {
        uint64_t rate;
        return parse_rate(value, &rate, d);
    }
    case C_QUEUE: {
        struct dp_queue_config q = {0};
        return parse_queue_id(key, &q.id, d) && parse_queue(value, &q, d);
    }
    case C_MAC:
        return valid_mac(value) || diag_fail(d, 0, 0, "mac '%s' is no Ethernet address (aa:bb:cc:dd:ee:ff)", value);
    }
    return true;
}

/* Line ends and other control characters, in all the forms that YAML knows (NEL, LS and PS too). */
static bool printable(const char *s)
{
    for (const char *p = s; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            return false;
    return !strstr(s, "\xc2\x85") && !strstr(s, "\xe2\x80\xa8") && !strstr(s, "\xe2\x80\xa9");
}

bool config_set(struct record *r, const struct column *c, const char *key, const char *value, struct diag *d)
{
    if (!printable(key) || !printable(value))
        return diag_fail(d, 0, 0, "%s: a key or value has a line end or another control character in it", c->name);
    if (!check_value(c, key, value, d))
        return false;
    for (size_t i = 0; i < r->n_values; i++) {
        struct config_value *v = &r->values[i];
        if (v->column == c && !strcmp(v->key, key)) {
            char *copy = xstrdup(value); /* first: value may be v->value */
            free(v->value);
            v->value = copy;
            return true;
        }
    }
    r->values = xrealloc(r->values, (r->n_values + 1) * sizeof *r->values);
    r->values[r->n_values++] = (struct config_value){c, xstrdup(key), xstrdup(value)};
    return true;
}

void config_unset(struct record *r, const struct column *c, const char *key)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->n_values; i++) {
        struct config_value *v = &r->values[i];
        if ((!c || v->column == c) && (!key || !strcmp(v->key, key))) {
            free(v->key);
            free(v->value);
        } else
            r->values[kept++] = *v;
    }
    r->n_values = kept;
}

const char *config_get(const struct record *r, const char *column, const char *key)
{
    for (size_t i = 0; i < r->n_values; i++)
        if (!strcmp(r->values[i].column->name, column) && !strcmp(r->values[i].key, key))
            return r->values[i].value;
    return NULL;
}

const char *config_text(const struct record *r, const char *column)
{
    const char *v = config_get(r, column, "");
    const struct column *c = column_find(r->table, column, strlen(column), NULL);
    assert(c);
    return v && *v ? v : c->fallback;
}

/* --- words as ovs-vsctl takes them --- */

/* The next item of a list up to one of `stops` (outside quotes), unquoted, into *item. Gives where it stopped. */
static const char *take_item(const char *p, const char *stops, struct buf *item)
{
    buf_clear(item);
    while (*p == ' ')
        p++;
    if (*p == '"') {
        for (p++; *p && *p != '"'; p++) {
            if (*p == '\\' && p[1])
                p++;
            buf_put(item, p, 1);
        }
        p += *p == '"';
        return p + strspn(p, " ");
    }
    for (; *p && !strchr(stops, *p); p++)
        buf_put(item, p, 1);
    buf_chomp(item, ' ');
    return p;
}

/* An option has one spelling: remote-ip is remote_ip. */
static void option_key(const struct column *c, struct buf *key)
{
    for (size_t i = 0; !strcmp(c->name, "options") && i < key->len; i++)
        key->data[i] = key->data[i] == '-' ? '_' : key->data[i];
}

static bool set_list(struct record *r, const struct column *c, const char *p, struct diag *d)
{
    struct buf item = BUF_INIT, value = BUF_INIT;
    char close = *p == '{' ? '}' : *p == '[' ? ']' : 0;
    bool ok = true;
    p += close != 0;
    while (ok && *p && *p != close) {
        p = take_item(p, close ? ",=]}" : ",=", &item);
        buf_clear(&value);
        option_key(c, &item);
        if (*p == '=' && c->kind == MAP)
            p = take_item(p + 1, close ? ",]}" : ",", &value);
        else if (c->kind == MAP)
            ok = diag_fail(d, 0, 0, "%s: '%s' is no KEY=VALUE", c->name, buf_text(&item));
        ok = ok && config_set(r, c, buf_text(&item), buf_text(&value), d);
        p += *p == ',';
    }
    buf_free(&item);
    buf_free(&value);
    return ok;
}

bool config_set_word(struct record *r, const char *word, bool loose, struct diag *d)
{
    size_t name_len = strcspn(word, ":=");
    const char *eq = strchr(word, '=');
    if (!eq)
        return diag_fail(d, 0, 0, "'%s' is no COLUMN=VALUE", word);
    struct buf key = BUF_INIT, value = BUF_INIT;
    const struct column *c = column_find(r->table, word, name_len, NULL);
    if (!c && loose && word[name_len] == '=') {
        bool number = name_len == 6 && same_word(word, 6, "ofport");
        c = number ? column_find(PORT, "ofport_request", 14, NULL) : column_find(PORT, "options", 7, NULL);
        if (!number)
            buf_put(&key, word, name_len);
    } else if (!c) {
        column_find(r->table, word, name_len, d);
        return false;
    } else if (word[name_len] == ':')
        take_item(word + name_len + 1, "=", &key);
    option_key(c, &key);
    bool ok = true;
    const char *from = eq + 1;
    if (!key.len && c->kind != TEXT) { /* a whole column: what was there goes */
        config_unset(r, c, NULL);
        ok = set_list(r, c, from, d);
    } else if (key.len && c->kind == TEXT)
        ok = diag_fail(d, 0, 0, "column '%s' has one value, no keys", c->name);
    else {
        take_item(from, "", &value);
        ok = config_set(r, c, buf_text(&key), buf_text(&value), d);
    }
    buf_free(&key);
    buf_free(&value);
    return ok;
}
