/* config-yaml.c: records to and from xvs.yaml, by libfyaml.
 *
 *     bridges:
 *       br0:
 *         fail_mode: secure
 *         controller: [tcp:127.0.0.1:6653]
 *         ports:
 *           gre1:
 *             type: gre
 *             options: {remote_ip: 192.168.5.238, key: flow}
 *
 * Columns are keys of the record's mapping: TEXT a scalar, SET a list, MAP a mapping. */
#include <errno.h>
#include <fcntl.h>
#include <libfyaml.h>
#include <stdio.h>
#include <unistd.h>
#include "base/mem.h"
#include "ctl/ctl.h"
#include "vswitchd/config.h"

enum { MAX_FILE = 16 << 20, MAX_NAME = 64 };

/* What holds a record's children, by its table. */
static const char *const below[] = {[SWITCH] = "bridges", [BRIDGE] = "ports"};

struct loader {
    const char *file;
    struct diag *d;
};

static int line_of(struct fy_node *n)
{
    struct fy_token *t = fy_node_is_scalar(n) ? fy_node_get_scalar_token(n) : NULL;
    const struct fy_mark *m = t ? fy_token_start_mark(t) : NULL;
    return m ? m->line + 1 : 0;
}

static void where(const struct loader *l, const struct record *r, struct fy_node *near, struct buf *out)
{
    int line = near ? line_of(near) : 0;
    buf_puts(out, l->file);
    if (line)
        buf_printf(out, ":%d", line);
    buf_puts(out, ": ");
    if (r && r->table == PORT)
        buf_printf(out, "port %s of bridge %s: ", r->name, r->parent->name);
    else if (r && r->table == BRIDGE)
        buf_printf(out, "bridge %s: ", r->name);
}

static bool refuse(const struct loader *l, const struct record *r, struct fy_node *near, const char *why)
{
    struct buf place = BUF_INIT;
    where(l, r, near, &place);
    diag_fail(l->d, 0, 0, "%s%s", buf_text(&place), why);
    buf_free(&place);
    return false;
}

/* A scalar as a NUL-terminated string, or NULL. */
static const char *scalar(struct fy_node *n)
{
    size_t len;
    const char *s = n && fy_node_is_scalar(n) ? fy_node_get_scalar(n, &len) : NULL;
    return s && !memchr(s, 0, len) ? fy_node_get_scalar0(n) : NULL;
}

static bool load_value(const struct loader *l, struct record *r, const struct column *c, const char *key, struct fy_node *n)
{
    const char *value = scalar(n);
    struct diag d = DIAG_INIT;
    if (!value)
        return refuse(l, r, n, "a plain value is wanted here");
    bool ok = c->kind == SET ? config_set(r, c, value, "", &d) : config_set(r, c, key, value, &d);
    if (!ok)
        refuse(l, r, n, buf_text(&d.message));
    if (l->d)
        buf_put(&l->d->warnings, d.warnings.data, d.warnings.len);
    diag_free(&d);
    return ok;
}

static bool load_column(const struct loader *l, struct record *r, const struct column *c, struct fy_node *n)
{
    void *it = NULL;
    bool ok = true;
    if (fy_node_is_null(n))
        return true;
    if (c->kind == SET && fy_node_is_sequence(n)) {
        for (struct fy_node *item; ok && (item = fy_node_sequence_iterate(n, &it));)
            ok = load_value(l, r, c, NULL, item);
        return ok;
    }
    if (c->kind == MAP) {
        if (!fy_node_is_mapping(n))
            return refuse(l, r, n, "a mapping (KEY: VALUE) is wanted here");
        for (struct fy_node_pair *p; ok && (p = fy_node_mapping_iterate(n, &it));) {
            const char *key = scalar(fy_node_pair_key(p));
            ok = key ? load_value(l, r, c, key, fy_node_pair_value(p)) : refuse(l, r, n, "a key is no plain word");
        }
        return ok;
    }
    return load_value(l, r, c, "", n);
}

static bool load_record(const struct loader *, struct record *, struct fy_node *);

static bool load_children(const struct loader *l, struct record *r, struct fy_node *n)
{
    void *it = NULL;
    bool ok = true;
    if (fy_node_is_null(n))
        return true;
    if (!fy_node_is_mapping(n))
        return refuse(l, r, n, "a mapping of names is wanted here");
    for (struct fy_node_pair *p; ok && (p = fy_node_mapping_iterate(n, &it));) {
        const char *name = scalar(fy_node_pair_key(p));
        if (!name || !*name || strlen(name) > MAX_NAME)
            return refuse(l, r, fy_node_pair_key(p), "a name is wanted here");
        if (config_find(r, name))
            return refuse(l, r, fy_node_pair_key(p), "the same name twice");
        ok = load_record(l, config_add(r, name), fy_node_pair_value(p));
    }
    return ok;
}

static bool load_record(const struct loader *l, struct record *r, struct fy_node *n)
{
    void *it = NULL;
    bool ok = true;
    if (!n || fy_node_is_null(n))
        return true;
    if (!fy_node_is_mapping(n))
        return refuse(l, r, n, "a mapping is wanted here");
    for (struct fy_node_pair *p; ok && (p = fy_node_mapping_iterate(n, &it));) {
        const char *key = scalar(fy_node_pair_key(p));
        struct fy_node *value = fy_node_pair_value(p);
        struct diag d = DIAG_INIT;
        if (!key)
            return refuse(l, r, fy_node_pair_key(p), "a key is no plain word");
        if (r->table != PORT && !strcmp(key, below[r->table])) {
            ok = !value || load_children(l, r, value);
            continue;
        }
        const struct column *c = column_find(r->table, key, strlen(key), &d);
        ok = c ? !value || load_column(l, r, c, value) : refuse(l, r, fy_node_pair_key(p), buf_text(&d.message));
        diag_free(&d);
    }
    return ok;
}

/* A document of nothing but blanks and comments is an empty configuration. */
static bool blank(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '#')
            while (i + 1 < len && text[i + 1] != '\n')
                i++;
        else if (!strchr(" \t\r\n", text[i]))
            return false;
    }
    return true;
}

/* A '%' at the start of a line is a directive: libfyaml 0.7 may loop for ever on a bad one, and xvs.yaml needs none.
 * Lines end where YAML 1.1 says so: CR, LF, NEL, LS, PS; a byte order mark counts as nothing. */
static bool starts_line(const char *text, size_t at)
{
    static const char *const ends[] = {"\n", "\r", "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xef\xbb\xbf"};
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        size_t n = strlen(ends[i]);
        if (at >= n && !memcmp(text + at - n, ends[i], n))
            return true;
    }
    return at == 0;
}

bool config_parse(const char *text, size_t len, const char *name, struct record **root, struct diag *d)
{
    struct loader l = {name, d};
    struct buf complaint = BUF_INIT;
    *root = NULL;
    for (size_t i = 0; i < len; i++)
        if (text[i] == '%' && starts_line(text, i))
            return diag_fail(d, 0, 0, "%s: YAML directives (lines that start with '%%') are not taken", name);
    bool empty = blank(text, len);
    struct fy_document *doc = empty ? NULL : fy_parse_quietly(text, len, false, &complaint);
    bool ok = doc != NULL || empty;
    *root = config_new();
    if (doc && fy_document_root(doc))
        ok = load_record(&l, *root, fy_document_root(doc));
    else if (!ok)
        diag_fail(d, 0, 0, "%s: %s", name, complaint.len ? buf_text(&complaint) : "not YAML");
    buf_free(&complaint);
    fy_document_destroy(doc);
    if (!ok) {
        config_free(*root);
        *root = NULL;
    }
    return ok;
}

bool config_load(const char *file, struct record **root, struct diag *d)
{
    *root = NULL;
    FILE *f = fopen(file, "re");
    if (!f && errno == ENOENT) {
        *root = config_new();
        return true;
    }
    if (!f)
        return diag_fail(d, 0, 0, "%s: %s", file, strerror(errno));
    struct buf text = BUF_INIT;
    size_t n;
    do {
        buf_reserve(&text, 65536);
        n = fread(text.data + text.len, 1, 65536, f);
        text.len += n;
    } while (n && text.len <= MAX_FILE);
    bool ok = !ferror(f) && text.len <= MAX_FILE;
    fclose(f);
    ok = ok ? config_parse(buf_text(&text), text.len, file, root, d) : diag_fail(d, 0, 0, "%s: cannot be read whole", file);
    buf_free(&text);
    return ok;
}

/* Words that are plain in any reading of YAML stay plain; all else goes in quotes, by ourselves: libfyaml's own choice
 * of quotes is wrong for some strings (0.7: a leading '%', a lone quote). */
static struct fy_node *text_node(struct fy_document *doc, const char *s)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:";
    size_t n = strlen(s);
    if (n && strspn(s, plain) == n && s[0] != '-' && s[0] != ':' && s[n - 1] != ':')
        return fy_node_create_scalar_copy(doc, s, n);
    struct buf quoted = BUF_INIT;
    json_quote(s, &quoted);
    size_t len = quoted.len;
    struct fy_node *node = fy_node_build_from_malloc_string(doc, buf_steal_text(&quoted), len); /* it keeps the text */
    return node ? node : fy_node_create_scalar_copy(doc, s, n);
}

static struct fy_node *column_node(struct fy_document *doc, const struct record *r, const struct column *c)
{
    struct fy_node *n = NULL;
    for (size_t i = 0; i < r->n_values; i++) {
        const struct config_value *v = &r->values[i];
        if (v->column != c)
            continue;
        if (c->kind == TEXT)
            return text_node(doc, v->value);
        if (!n)
            n = c->kind == SET ? fy_node_create_sequence(doc) : fy_node_create_mapping(doc);
        if (c->kind == SET)
            fy_node_sequence_append(n, text_node(doc, v->key));
        else
            fy_node_mapping_append(n, text_node(doc, v->key), text_node(doc, v->value));
    }
    return n;
}

static struct fy_node *record_node(struct fy_document *doc, const struct record *r)
{
    struct fy_node *map = fy_node_create_mapping(doc);
    for (size_t i = 0; i < n_columns; i++) {
        struct fy_node *n = columns[i].table == r->table ? column_node(doc, r, &columns[i]) : NULL;
        if (n)
            fy_node_mapping_append(map, text_node(doc, columns[i].name), n);
    }
    if (r->n_children) {
        struct fy_node *children = fy_node_create_mapping(doc);
        for (size_t i = 0; i < r->n_children; i++)
            fy_node_mapping_append(children, text_node(doc, r->children[i]->name), record_node(doc, r->children[i]));
        fy_node_mapping_append(map, text_node(doc, below[r->table]), children);
    }
    return map;
}

char *config_emit(const struct record *r)
{
    struct fy_parse_cfg cfg = {.flags = FYPCF_QUIET | FYPCF_JSON_NONE};
    struct fy_document *doc = fy_document_create(&cfg);
    fy_document_set_root(doc, record_node(doc, r));
    char *text = fy_emit_document_to_string(doc, FYECF_MODE_BLOCK | FYECF_WIDTH_INF);
    fy_document_destroy(doc);
    return text;
}

/* A reader sees the old file or the new one, also after a power cut: write aside, fsync, rename, fsync the folder. */
bool config_save(const struct record *r, const char *file, struct diag *d)
{
    static const char head[] = "# Written by xvs-vswitchd. Edit it while the daemon is stopped, or use xvs-ctl.\n";
    char *aside = xasprintf("%s.new", file), *text = config_emit(r), *slash = strrchr(file, '/');
    char *folder = slash ? xasprintf("%.*s", (int)MAX(slash - file, 1), file) : xstrdup(".");
    int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    bool ok = f && text && fputs(head, f) >= 0 && fputs(text, f) >= 0 && !fflush(f) && !fsync(fd);
    int error = errno;
    if (f && fclose(f) && ok) {
        ok = false;
        error = errno;
    }
    if (ok && rename(aside, file)) {
        ok = false;
        error = errno;
    }
    int dir = ok ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (dir >= 0) {
        fsync(dir);
        close(dir);
    }
    if (!ok) {
        diag_fail(d, 0, 0, "%s: cannot be written: %s", file, strerror(error));
        unlink(aside);
    }
    free(folder);
    free(text);
    free(aside);
    return ok;
}
