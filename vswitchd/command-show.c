/* command-show.c: commands that show what runs: bridges, addresses, drops, traces, workers; and the daemon itself. */
#include <ctype.h>
#include <stdio.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "openflow/ofp.h"
#include <config.h>
#include "vswitchd/command.h"
#include "vswitchd/queue-config.h"

static struct bridge *find_running(struct command *c, const char *name)
{
    struct bridge *b = switch_bridge(c->sw, name);
    const char *names[64], *near;
    size_t n = MIN(c->sw->n_bridges, ARRAY_SIZE(names));
    if (b)
        return b;
    for (size_t i = 0; i < n; i++)
        names[i] = c->sw->bridges[i]->name;
    near = nearest_name(name, strlen(name), names, n);
    diag_fail(c->d, 0, 0, near ? "no bridge '%s'; did you mean '%s'?" : "no bridge '%s'", name, near);
    return NULL;
}

/* --- show: one description, two printers --- */

struct printer {
    struct buf *out;
    bool json;
    unsigned depth;
    bool first; /* JSON: nothing written at this level yet */
};

static void comma(struct printer *p)
{
    if (p->json && !p->first)
        buf_puts(p->out, ", ");
    p->first = false;
}

static void json_key(struct printer *p, const char *key)
{
    comma(p);
    json_quote(key, p->out);
    buf_puts(p->out, ": ");
}

static void open_list(struct printer *p, const char *key)
{
    if (!p->json)
        return;
    json_key(p, key);
    buf_puts(p->out, "[");
    p->first = true;
}

static void close_list(struct printer *p)
{
    if (p->json)
        buf_puts(p->out, "]");
    p->first = false;
}

static void show_controller(struct printer *p, const struct controller *k)
{
    struct session *s;
    struct ofconn_status st = {0};
    bool up = controller_connected(k);
    msec_t seconds = (clock_msec() - k->since) / 1000;
    cds_list_for_each_entry (s, &k->sessions, node)
        if (s->conn)
            ofconn_get_status(s->conn, &st);
    if (p->json) {
        comma(p);
        buf_puts(p->out, "{\"target\": ");
        json_quote(k->target, p->out);
        buf_printf(p->out, ", \"is_connected\": %s, \"role\": ", up ? "true" : "false");
        json_quote(st.role ? st.role : "", p->out);
        buf_printf(p->out, ", \"seconds\": %lld, \"packet_ins\": %llu, \"packet_ins_dropped\": %llu, \"error\": ",
                   (long long)seconds, (unsigned long long)st.packet_ins, (unsigned long long)st.packet_ins_dropped);
        json_quote(k->last_error, p->out);
        buf_puts(p->out, "}");
        return;
    }
    buf_printf(p->out, "    controller %s: ", k->target);
    if (k->passive)
        buf_puts(p->out, up ? "listening, with sessions\n" : "listening\n");
    else if (up)
        buf_printf(p->out, "connected for %lld s, OpenFlow 1.%d, role %s, %llu packet-ins sent\n", (long long)seconds,
                   st.version - OFP10, st.role, (unsigned long long)st.packet_ins);
    else
        buf_printf(p->out, "not connected: %s\n", k->last_error);
}

/* JSON: in the middle of the port's object. */
static void show_queues(struct printer *p, struct ofport *of)
{
    struct dp_queue_info info[DP_MAX_QUEUES];
    uint64_t rate;
    unsigned n = dp_port_get_queues(ofport_dp(of), &rate, info);
    for (unsigned i = 0; i < n; i++) {
        const struct dp_queue_info *q = &info[i];
        unsigned long long packets = q->tx_packets, bytes = q->tx_bytes, errors = q->tx_errors, backlog = q->backlog;
        struct buf words = BUF_INIT;
        format_queue(&q->config, &words);
        if (p->json)
            buf_printf(p->out, "%s{\"queue\": %u, \"config\": \"%s\", \"tx_packets\": %llu, \"tx_bytes\": %llu, \"tx_errors\": %llu, \"backlog\": %llu}",
                       i ? ", " : "", q->config.id, buf_text(&words), packets, bytes, errors, backlog);
        else
            buf_printf(p->out, "        queue %u: %s; sent %llu packets, %llu bytes; %llu dropped, %llu bytes waiting\n", q->config.id,
                       buf_text(&words), packets, bytes, errors, backlog);
        buf_free(&words);
    }
}

static void show_port(struct printer *p, struct ofport *of, const struct record *r)
{
    struct buf status = BUF_INIT;
    struct dp_port_info i = {.status = &status};
    char number[16];
    uint32_t n = ofport_number(of);
    dp_port_get_info(ofport_dp(of), &i);
    snprintf(number, sizeof number, n == 0xfffffffe ? "LOCAL" : "%u", n);
    const char *error = i.error ? i.error : "";
    const char *state = !(i.flags & DP_PORT_PRESENT) ? "no such device" : !(i.flags & DP_PORT_UP) ? "down"
                        : !(i.flags & DP_PORT_RUNNING) ? "no link" : "up";
    if (p->json) {
        comma(p);
        buf_puts(p->out, "{\"name\": ");
        json_quote(i.name, p->out);
        buf_printf(p->out, ", \"ofport\": \"%s\", \"type\": \"%s\", \"state\": \"%s\", \"mtu\": %u, \"mac\": "
                   "\"%02x:%02x:%02x:%02x:%02x:%02x\", \"error\": ", number, i.type, state, i.mtu, i.mac[0], i.mac[1],
                   i.mac[2], i.mac[3], i.mac[4], i.mac[5]);
        json_quote(error, p->out);
        buf_puts(p->out, ", \"options\": {");
        for (size_t k = 0, m = 0; r && k < r->n_values; k++)
            if (!strcmp(r->values[k].column->name, "options")) {
                buf_puts(p->out, m++ ? ", " : "");
                json_quote(r->values[k].key, p->out);
                buf_puts(p->out, ": ");
                json_quote(r->values[k].value, p->out);
            }
        buf_puts(p->out, "}, \"queues\": [");
    } else {
        buf_printf(p->out, "    port %-5s %s%s%s: %s", number, i.name, strcmp(i.type, "system") ? " " : "",
                   strcmp(i.type, "system") ? i.type : "", state);
        if (i.mtu)
            buf_printf(p->out, ", mtu %u", i.mtu);
        if (!i.tunnel)
            buf_printf(p->out, ", %02x:%02x:%02x:%02x:%02x:%02x", i.mac[0], i.mac[1], i.mac[2], i.mac[3], i.mac[4], i.mac[5]);
        for (size_t k = 0; r && k < r->n_values; k++)
            if (!strcmp(r->values[k].column->name, "options"))
                buf_printf(p->out, " %s=%s", r->values[k].key, r->values[k].value);
        if (r && config_get(r, "max_rate", ""))
            buf_printf(p->out, " max-rate=%s", config_get(r, "max_rate", ""));
        buf_puts(p->out, "\n");
        if (*error)
            buf_printf(p->out, "        error: %s\n", error);
    }
    show_queues(p, of);
    if (p->json)
        buf_puts(p->out, "], \"status\": {");
    unsigned lines = 0;
    for (const char *s = buf_text(&status); *s;) {
        size_t len = strcspn(s, "\n"), eq = strcspn(s, "=\n");
        if (p->json) {
            char *key = xasprintf("%.*s", (int)eq, s), *value = xasprintf("%.*s", eq < len ? (int)(len - eq - 1) : 0, s + eq + (eq < len));
            buf_puts(p->out, lines++ ? ", " : "");
            json_quote(key, p->out);
            buf_puts(p->out, ": ");
            json_quote(value, p->out);
            free(key);
            free(value);
        } else
            buf_printf(p->out, "%s%.*s", lines++ ? ", " : "        ", (int)len, s);
        s += len + (s[len] == '\n');
    }
    if (p->json)
        buf_puts(p->out, "}}");
    else if (lines)
        buf_puts(p->out, "\n");
    buf_free(&status);
}

static void show_bridge(struct printer *p, struct bridge *b, const struct record *r)
{
    struct controller *k;
    unsigned long long id = ofproto_datapath_id(b->of), rules = ofproto_rule_count(b->of);
    const char *mode = config_text(r, "fail_mode");
    if (p->json) {
        comma(p);
        buf_puts(p->out, "{\"name\": ");
        json_quote(b->name, p->out);
        buf_printf(p->out, ", \"datapath_id\": \"%016llx\", \"fail_mode\": \"%s\", \"flows\": %llu", id, mode, rules);
        p->first = false;
    } else
        buf_printf(p->out, "bridge %s: datapath id %016llx, fail mode %s, %llu flow%s\n", b->name, id, mode, rules, rules == 1 ? "" : "s");
    open_list(p, "controllers");
    cds_list_for_each_entry (k, &b->controllers, node)
        show_controller(p, k);
    close_list(p);
    open_list(p, "ports");
    show_port(p, b->local, r);
    for (size_t i = 0; i < b->n_ports; i++)
        show_port(p, b->ports[i]->of, b->ports[i]->applied);
    close_list(p);
    if (p->json)
        buf_puts(p->out, "}");
}

bool cmd_show(struct command *c)
{
    struct printer p = {&c->out, c->json, 0, true};
    if (c->n_args && !find_running(c, c->args[0]))
        return false;
    if (c->json)
        buf_puts(&c->out, "{");
    open_list(&p, "bridges");
    for (size_t i = 0; i < c->sw->n_bridges; i++) {
        struct bridge *b = c->sw->bridges[i];
        if (!c->n_args || !strcmp(c->args[0], b->name))
            show_bridge(&p, b, config_find(c->sw->desired, b->name));
    }
    close_list(&p);
    if (c->json)
        buf_puts(&c->out, "}\n");
    return true;
}

/* --- what happened to packets --- */

bool cmd_fdb(struct command *c)
{
    struct bridge *b = find_running(c, c->args[0]);
    if (!b)
        return false;
    if (c->n_args == 2) {
        if (strcmp(c->args[1], "flush"))
            return diag_fail(c->d, 0, 0, "'%s' is not 'flush'", c->args[1]);
        ofproto_fdb_flush(b->of);
        return true;
    }
    struct fdb_row *rows;
    size_t n = ofproto_fdb(b->of, &rows);
    buf_puts(&c->out, c->json ? "[" : " port  VLAN  MAC                Age\n");
    for (size_t i = 0; i < n; i++) {
        const uint8_t *m = rows[i].mac;
        char port[16];
        snprintf(port, sizeof port, rows[i].port == 0xfffffffe ? "LOCAL" : "%u", rows[i].port);
        buf_printf(&c->out,
                   c->json ? "%s{\"port\": \"%s\", \"vlan\": %u, \"mac\": \"%02x:%02x:%02x:%02x:%02x:%02x\", \"age\": %u}"
                           : "%s%5s  %4u  %02x:%02x:%02x:%02x:%02x:%02x  %3u\n",
                   c->json && i ? ", " : "", port, rows[i].vlan, m[0], m[1], m[2], m[3], m[4], m[5], rows[i].age);
    }
    buf_puts(&c->out, c->json ? "]\n" : "");
    free(rows);
    return true;
}

bool cmd_drops(struct command *c)
{
    struct dp_drop_row rows[N_DROPS];
    if (c->n_args) {
        if (strcmp(c->args[0], "reset"))
            return diag_fail(c->d, 0, 0, "'%s' is not 'reset'", c->args[0]);
        dp_drops_reset(c->sw->dp);
        return true;
    }
    size_t n = dp_drops(c->sw->dp, rows);
    if (c->json)
        buf_puts(&c->out, "[");
    else if (!n)
        buf_puts(&c->out, "no packet was dropped\n");
    for (size_t i = 0; i < n; i++) {
        const struct drop_info *info = &drop_infos[rows[i].reason];
        if (c->json) {
            buf_printf(&c->out, "%s{\"reason\": \"%s\", \"packets\": %llu, \"sentence\": ", i ? ", " : "", info->name,
                       (unsigned long long)rows[i].packets);
            json_quote(info->sentence, &c->out);
            buf_puts(&c->out, ", \"hint\": ");
            json_quote(info->hint, &c->out);
            buf_puts(&c->out, ", \"last\": ");
            json_quote(rows[i].last, &c->out);
            buf_puts(&c->out, "}");
            continue;
        }
        buf_printf(&c->out, "%-22s %10llu  %s\n", info->name, (unsigned long long)rows[i].packets, info->sentence);
        if (*rows[i].last)
            buf_printf(&c->out, "%34s latest: %s\n", "", rows[i].last);
        if (*info->hint)
            buf_printf(&c->out, "%34s hint: %s\n", "", info->hint);
    }
    if (c->json)
        buf_puts(&c->out, "]\n");
    return true;
}

static bool parse_hex(const char *text, struct buf *out, struct diag *d)
{
    for (const char *p = text; *p;) {
        unsigned v;
        if (isspace((unsigned char)*p) || *p == ':') {
            p++;
            continue;
        }
        if (!isxdigit((unsigned char)p[0]) || !isxdigit((unsigned char)p[1]) || sscanf(p, "%2x", &v) != 1)
            return diag_fail(d, 0, 0, "packet: no pair of hex digits at '%.8s'", p);
        uint8_t byte = v;
        buf_put(out, &byte, 1);
        p += 2;
    }
    return out->len >= 14 || diag_fail(d, 0, 0, "packet: %zu bytes are less than an Ethernet header", out->len);
}

bool cmd_trace(struct command *c)
{
    struct bridge *b = find_running(c, c->args[0]);
    struct buf frame = BUF_INIT;
    struct diag d = DIAG_INIT;
    bool ok = b && (c->n_args < 3 || parse_hex(c->args[2], &frame, c->d));
    if (ok) {
        ok = (c->json ? ofproto_trace_json : ofproto_trace)(b->of, c->args[1], frame.data, frame.len, &c->out, &d);
        buf_put(&c->d->warnings, d.warnings.data, d.warnings.len);
        if (!ok) { /* the caret line goes on lines of its own below */
            struct buf text = BUF_INIT;
            diag_print(&d, "", c->args[1], &text);
            buf_chomp(&text, '\n');
            diag_fail(c->d, 0, 0, "%s%s", d.len ? "the flow is not understood:\n" : "", buf_text(&text));
            buf_free(&text);
        }
    }
    diag_free(&d);
    buf_free(&frame);
    return ok;
}

bool cmd_show_workers(struct command *c)
{
    int n = dp_worker_count(c->sw->dp);
    if (c->json)
        buf_puts(&c->out, "[");
    for (int i = 0; i < n; i++) {
        struct dp_worker_stats s = {0};
        dp_worker_get_stats(c->sw->dp, i, &s);
        double cycles = s.packets ? (double)s.busy_cycles / s.packets : 0;
        const char *format =
            c->json ? "%s{\"worker\": %d, \"ports\": %u, \"packets\": %llu, \"batches\": %llu, \"busy_cycles\": %llu, "
                      "\"cycles_per_packet\": %.1f, \"cache_hits\": %llu, \"cache_misses\": %llu, \"cache_entries\": %llu, "
                      "\"walks\": %llu, \"walk_cycles\": %llu, \"sleeps\": %llu}"
                    : "%sworker %d: %u ports, %llu packets in %llu batches, %llu busy cycles, %.1f a packet; cache: %llu hits, "
                      "%llu misses, %llu entries; %llu walks of %llu cycles in all; slept %llu times\n";
        buf_printf(&c->out, format, c->json && i ? ", " : "", i, s.ports, (unsigned long long)s.packets,
                   (unsigned long long)s.batches, (unsigned long long)s.busy_cycles, cycles, (unsigned long long)s.cache_hits,
                   (unsigned long long)s.cache_misses, (unsigned long long)s.cache_entries, (unsigned long long)s.walks,
                   (unsigned long long)s.walk_cycles, (unsigned long long)s.sleeps);
    }
    if (c->json)
        buf_puts(&c->out, "]\n");
    return true;
}

/* Text of the datapath's own, as one JSON string where JSON is wanted. */
static bool put_text(struct command *c, void (*show)(struct dp *, struct buf *))
{
    struct buf text = BUF_INIT;
    show(c->sw->dp, &text);
    if (c->json) {
        json_quote(buf_text(&text), &c->out);
        buf_puts(&c->out, "\n");
    } else
        buf_put(&c->out, text.data, text.len);
    buf_free(&text);
    return true;
}

bool cmd_show_cache(struct command *c) { return put_text(c, dp_show_cache); }
bool cmd_show_tunnels(struct command *c) { return put_text(c, dp_show_tunnels); }

/* --- the daemon --- */

bool cmd_log(struct command *c)
{
    enum log_level level;
    if (c->n_args == 1 && !strcmp(c->args[0], "reopen"))
        return log_reopen() || diag_fail(c->d, 0, 0, "the log file cannot be opened again");
    if (c->n_args) {
        const char *module = c->n_args == 2 ? c->args[0] : NULL, *word = c->args[c->n_args - 1];
        if (!log_level_parse(word, &level))
            return diag_fail(c->d, 0, 0, "no log level '%s'; there are off, err, warn, info and dbg", word);
        return log_set_level(module, level) || diag_fail(c->d, 0, 0, "no module '%s' has logged yet; 'xvs-ctl log' lists them", module);
    }
    buf_puts(&c->out, c->json ? "{" : "");
    size_t n = 0;
    for (const struct log_module *m = log_modules(); m; m = m->next)
        buf_printf(&c->out, c->json ? "%s\"%s\": \"%s\"" : "%s%-16s %s\n", c->json && n++ ? ", " : "", m->name, log_level_name(m->level));
    buf_puts(&c->out, c->json ? "}\n" : "");
    return true;
}

bool cmd_version(struct command *c)
{
    buf_printf(&c->out, c->json ? "{\"name\": \"xvs-vswitchd\", \"version\": \"%s\"}\n" : "xvs-vswitchd %s\n", PACKAGE_VERSION);
    return true;
}

bool cmd_exit(struct command *c)
{
    c->sw->stopping = true;
    uv_stop(c->sw->loop); /* after this turn: the reply is on its way */
    return true;
}
