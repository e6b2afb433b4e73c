/* command-config.c: commands that edit the configuration, and those that read it. */
#include <uv.h>
#include "base/mem.h"
#include "vswitchd/command.h"

static struct record *find_bridge(struct command *c, struct record *root, const char *name)
{
    struct record *r = config_find(root, name);
    if (r)
        return r;
    const char **names = xcalloc(root->n_children + 1, sizeof *names), *near;
    for (size_t i = 0; i < root->n_children; i++)
        names[i] = root->children[i]->name;
    near = nearest_name(name, strlen(name), names, root->n_children);
    diag_fail(c->d, 0, 0, near ? "no bridge '%s'; did you mean '%s'?" : "no bridge '%s'", name, near);
    free(names);
    return NULL;
}

/* The record that TABLE RECORD name. A bridge's LOCAL port has no record of its own: as an interface it stands for
 * its bridge (Mininet sets its type). NULL and no error: --if-exists. */
static struct record *find_record(struct command *c, struct record *root, const char *word, const char *name, bool *local)
{
    enum config_table table;
    *local = false;
    if (!config_table_parse(word, &table, c->d))
        return NULL;
    struct record *r = table == SWITCH ? root : table == BRIDGE ? config_find(root, name) : config_find_port(root, name);
    if (!r && table == PORT && config_find(root, name)) {
        *local = true;
        return config_find(root, name);
    }
    if (r || c->words->if_exists)
        return r;
    if (table == BRIDGE)
        return find_bridge(c, root, name);
    diag_fail(c->d, 0, 0, "no port '%s'", name);
    return NULL;
}

bool cmd_add_br(struct command *c)
{
    const char *name = c->args[0];
    if (config_find(c->next, name))
        return c->words->may_exist || diag_fail(c->d, 0, 0, "a bridge '%s' is there already (--may-exist takes that)", name);
    if (config_find_port(c->next, name))
        return diag_fail(c->d, 0, 0, "a port '%s' is there already", name);
    config_add(c->next, name);
    return true;
}

bool cmd_del_br(struct command *c)
{
    struct record *r = c->words->if_exists ? config_find(c->next, c->args[0]) : find_bridge(c, c->next, c->args[0]);
    if (!r)
        return c->words->if_exists;
    config_remove(r);
    return true;
}

bool cmd_add_port(struct command *c)
{
    const char *name = c->args[1];
    struct record *b = find_bridge(c, c->next, c->args[0]);
    if (!b)
        return false;
    struct record *p = config_find_port(c->next, name);
    if (p && p->parent != b)
        return diag_fail(c->d, 0, 0, "port '%s' is in bridge %s", name, p->parent->name);
    if (p && !c->words->may_exist)
        return diag_fail(c->d, 0, 0, "port '%s' is there already (--may-exist takes that)", name);
    if (!p)
        p = config_add(b, name);
    for (size_t i = 2; i < c->n_args; i++)
        if (!config_set_word(p, c->args[i], true, c->d))
            return false;
    return true;
}

bool cmd_del_port(struct command *c)
{
    const char *name = c->args[c->n_args - 1];
    struct record *b = c->n_args == 2 ? find_bridge(c, c->next, c->args[0]) : NULL;
    if (c->n_args == 2 && !b)
        return c->words->if_exists;
    struct record *p = b ? config_find(b, name) : config_find_port(c->next, name);
    if (!p)
        return c->words->if_exists || diag_fail(c->d, 0, 0, "no port '%s'%s%s", name, b ? " in bridge " : "", b ? b->name : "");
    config_remove(p);
    return true;
}

/* `set worker . count=2 cpus=2-3`: of the switch, the settings whose names begin with worker-. */
static bool set_workers(struct command *c, struct record *sw)
{
    for (size_t i = 2; i < c->n_args; i++) {
        struct buf word = BUF_INIT;
        buf_printf(&word, "other_config:worker-%s", c->args[i]);
        bool ok = config_set_word(sw, buf_text(&word), false, c->d);
        buf_free(&word);
        if (!ok)
            return false;
    }
    return true;
}

/* Words that TABLE RECORD are followed by, where "-- set" needs none: `set interface gre1 type=gre options:…`. */
bool cmd_set(struct command *c)
{
    bool local;
    struct record *r = find_record(c, c->next, c->args[0], c->args[1], &local);
    if (!r)
        return c->words->if_exists && !c->d->failed;
    if (!strcmp(c->args[0], "worker"))
        return set_workers(c, r);
    for (size_t i = 2; i < c->n_args; i++) {
        const char *word = c->args[i];
        if (local) {
            if (!strncmp(word, "type=internal", 13))
                continue; /* it is one */
            if (!strncmp(word, "mac=", 4)) {
                struct buf key = BUF_INIT;
                buf_printf(&key, "other_config:hwaddr=%s", word + 4);
                bool ok = config_set_word(r, buf_text(&key), false, c->d);
                buf_free(&key);
                if (!ok)
                    return false;
                continue;
            }
            if (strncmp(word, "max-rate=", 9) && strncmp(word, "max_rate=", 9))
                return diag_fail(c->d, 0, 0, "'%s' is the LOCAL port of a bridge; of it only mac= and max-rate= are set", c->args[1]);
        }
        if (!config_set_word(r, word, false, c->d))
            return false;
    }
    return true;
}

bool cmd_remove(struct command *c)
{
    bool local;
    struct record *r = find_record(c, c->next, c->args[0], c->args[1], &local);
    if (!r)
        return c->words->if_exists && !c->d->failed;
    const struct column *col = column_find(r->table, c->args[2], strlen(c->args[2]), c->d);
    if (!col)
        return false;
    for (size_t i = 3; i < c->n_args; i++) {
        const char *key = c->args[i], *eq = strchr(key, '=');
        char *name = eq ? xasprintf("%.*s", (int)(eq - key), key) : xstrdup(key);
        const char *value = config_get(r, col->name, name);
        if (value && (!eq || !strcmp(value, eq + 1)))
            config_unset(r, col, name);
        free(name);
    }
    return true;
}

bool cmd_clear(struct command *c)
{
    bool local;
    struct record *r = find_record(c, c->next, c->args[0], c->args[1], &local);
    if (!r)
        return c->words->if_exists && !c->d->failed;
    for (size_t i = 2; i < c->n_args; i++) {
        const struct column *col = column_find(r->table, c->args[i], strlen(c->args[i]), c->d);
        if (!col)
            return false;
        config_unset(r, col, NULL);
    }
    return true;
}

static const struct column *bridge_column(const char *name) { return column_find(BRIDGE, name, strlen(name), NULL); }

bool cmd_set_controller(struct command *c)
{
    struct record *b = find_bridge(c, c->next, c->args[0]);
    if (!b)
        return false;
    config_unset(b, bridge_column("controller"), NULL);
    for (size_t i = 1; i < c->n_args; i++)
        if (!config_set(b, bridge_column("controller"), c->args[i], "", c->d))
            return false;
    return true;
}

static bool unset_bridge_column(struct command *c, const char *column)
{
    struct record *b = find_bridge(c, c->next, c->args[0]);
    if (b)
        config_unset(b, bridge_column(column), NULL);
    return b != NULL;
}

bool cmd_del_controller(struct command *c) { return unset_bridge_column(c, "controller"); }
bool cmd_del_fail_mode(struct command *c) { return unset_bridge_column(c, "fail_mode"); }

bool cmd_set_fail_mode(struct command *c)
{
    struct record *b = find_bridge(c, c->next, c->args[0]);
    return b && config_set(b, bridge_column("fail_mode"), "", c->args[1], c->d);
}

/* --- reading --- */

/* A list of words: one a line, or a JSON array. */
static void put_word(struct command *c, const char *word)
{
    if (!c->json)
        buf_printf(&c->out, "%s\n", word);
    else {
        buf_puts(&c->out, c->out.len ? ", " : "[");
        json_quote(word, &c->out);
    }
}

static bool end_words(struct command *c)
{
    if (c->json)
        buf_puts(&c->out, c->out.len ? "]\n" : "[]\n");
    return true;
}

bool cmd_list_br(struct command *c)
{
    for (size_t i = 0; i < c->sw->desired->n_children; i++)
        put_word(c, c->sw->desired->children[i]->name);
    return end_words(c);
}

bool cmd_br_exists(struct command *c)
{
    c->status = config_find(c->sw->desired, c->args[0]) ? 0 : 2;
    return true;
}

bool cmd_list_ports(struct command *c)
{
    struct record *b = find_bridge(c, c->sw->desired, c->args[0]);
    for (size_t i = 0; b && i < b->n_children; i++)
        put_word(c, b->children[i]->name);
    return b && end_words(c);
}

bool cmd_port_to_br(struct command *c)
{
    struct record *p = config_find_port(c->sw->desired, c->args[0]);
    if (!p)
        return diag_fail(c->d, 0, 0, "no port '%s'", c->args[0]);
    put_word(c, p->parent->name);
    return end_words(c);
}

bool cmd_get_controller(struct command *c)
{
    struct record *b = find_bridge(c, c->sw->desired, c->args[0]);
    for (size_t i = 0; b && i < b->n_values; i++)
        if (!strcmp(b->values[i].column->name, "controller"))
            put_word(c, b->values[i].key);
    return b && end_words(c);
}

bool cmd_get_fail_mode(struct command *c)
{
    struct record *b = find_bridge(c, c->sw->desired, c->args[0]);
    if (b)
        put_word(c, config_text(b, "fail_mode"));
    return b && end_words(c);
}

/* What is not configured but known of what runs: ofport, error, connection state, as ovs-vsctl has in its columns. */
static bool put_state(struct command *c, const struct record *r, bool local, const char *name, struct buf *out)
{
    struct bridge *b = switch_bridge(c->sw, r->table == PORT ? r->parent->name : r->name);
    if (r->table == BRIDGE && !local) {
        struct controller *k;
        bool connected = false;
        if (!strcmp(name, "datapath_id"))
            buf_printf(out, "\"%016llx\"", (unsigned long long)ofproto_datapath_id(b->of));
        else if (!strcmp(name, "is_connected")) {
            cds_list_for_each_entry (k, &b->controllers, node)
                connected |= controller_connected(k);
            buf_puts(out, connected ? "true" : "false");
        } else
            return false;
        return true;
    }
    struct port *p = local ? NULL : bridge_port(b, r->name);
    struct ofport *of = local ? b->local : p ? p->of : NULL;
    struct dp_port_info info = {0};
    if (!of)
        return false;
    dp_port_get_info(ofport_dp(of), &info);
    if (!strcmp(name, "ofport"))
        buf_printf(out, "%u", local ? 65534 : ofport_number(of));
    else if (!strcmp(name, "error"))
        buf_printf(out, "\"%s\"", info.error ? info.error : "");
    else if (!strcmp(name, "mac_in_use"))
        buf_printf(out, "\"%02x:%02x:%02x:%02x:%02x:%02x\"", info.mac[0], info.mac[1], info.mac[2], info.mac[3], info.mac[4], info.mac[5]);
    else if (!strcmp(name, "mtu"))
        buf_printf(out, "%u", info.mtu);
    else if (!strcmp(name, "ifindex"))
        buf_printf(out, "%u", info.ifindex);
    else if (!strcmp(name, "link_state"))
        buf_puts(out, info.flags & DP_PORT_RUNNING ? "up" : "down");
    else if (!strcmp(name, "admin_state"))
        buf_puts(out, info.flags & DP_PORT_UP ? "up" : "down");
    else
        return false;
    return true;
}

static void put_scalar(const char *value, struct buf *out)
{
    if (*value && strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == strlen(value))
        buf_puts(out, value);
    else
        json_quote(value, out);
}

/* A whole column as ovs-vsctl prints it: text, [a, b] or {k=v, …}. */
static void put_column(const struct record *r, const struct column *col, struct buf *out)
{
    const char *comma = "";
    if (col->kind == TEXT) {
        const char *v = config_text(r, col->name);
        if (*v)
            put_scalar(v, out);
        else
            buf_puts(out, "[]");
        return;
    }
    buf_puts(out, col->kind == SET ? "[" : "{");
    for (size_t i = 0; i < r->n_values; i++)
        if (r->values[i].column == col) {
            buf_puts(out, comma);
            put_scalar(r->values[i].key, out);
            if (col->kind == MAP) {
                buf_puts(out, "=");
                put_scalar(r->values[i].value, out);
            }
            comma = ", ";
        }
    buf_puts(out, col->kind == SET ? "]" : "}");
}

static bool get_one(struct command *c, const struct record *r, bool local, const char *word, struct buf *out)
{
    size_t len = strcspn(word, ":");
    if (put_state(c, r, local, word, out))
        return true;
    const struct column *col = column_find(r->table, word, len, c->d);
    if (!col)
        return false;
    if (!word[len]) {
        put_column(r, col, out);
        return true;
    }
    const char *value = config_get(r, col->name, word + len + 1);
    if (!value && !c->words->if_exists)
        return diag_fail(c->d, 0, 0, "no key '%s' in column %s of %s", word + len + 1, col->name, r->name);
    if (value)
        put_scalar(value, out);
    return true;
}

bool cmd_get(struct command *c)
{
    bool local, ok = true;
    struct record *r = find_record(c, c->sw->desired, c->args[0], c->args[1], &local);
    if (!r)
        return c->words->if_exists && !c->d->failed;
    struct buf value = BUF_INIT;
    if (c->json)
        buf_puts(&c->out, "{");
    for (size_t i = 2, n = 0; ok && (i < c->n_args || (c->n_args == 2 && i - 2 < n_columns)); i++) {
        if (c->n_args == 2 && columns[i - 2].table != r->table)
            continue;
        const char *word = c->n_args == 2 ? columns[i - 2].name : c->args[i];
        buf_clear(&value);
        ok = get_one(c, r, local, word, &value);
        if (ok && c->json) {
            buf_puts(&c->out, n++ ? ", " : "");
            json_quote(word, &c->out);
            buf_puts(&c->out, ": ");
            json_quote(buf_text(&value), &c->out);
        } else if (ok && c->n_args == 2)
            buf_printf(&c->out, "%-15s: %s\n", word, buf_text(&value));
        else if (ok)
            buf_printf(&c->out, "%s\n", buf_text(&value));
    }
    if (c->json)
        buf_puts(&c->out, "}\n");
    buf_free(&value);
    return ok;
}
