/* switch.c: the desired state becomes what runs; and the rounds of the main loop. */
#include "vswitchd/switch.h"
#include <ctype.h>
#include <net/if.h>
#include <stdio.h>
#include "base/log.h"
#include "base/mem.h"
#include "ctl/ctl.h"
#include "openflow/version.h"
#include "vswitchd/queue-config.h"

LOG_MODULE(switch);

/* --- from records to ofproto and datapath --- */

static void parse_mac(const char *text, uint8_t mac[6])
{
    if (!text || sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5) != 6)
        memset(mac, 0, 6);
}

/* The port's options for dp_port_config; the array is the caller's to free, the strings are the record's. */
static struct dp_port_config port_config(const struct record *r)
{
    struct dp_option *options = xcalloc(r->n_values + 1, sizeof *options);
    struct dp_port_config c = {.name = r->name, .type = config_text(r, "type"), .options = options};
    for (size_t i = 0; i < r->n_values; i++)
        if (!strcmp(r->values[i].column->name, "options"))
            options[c.n_options++] = (struct dp_option){r->values[i].key, r->values[i].value};
    parse_mac(config_get(r, "mac", ""), c.mac);
    return c;
}

static uint32_t ofport_request(const struct record *r)
{
    const char *n = config_get(r, "ofport_request", "");
    return n ? strtoul(n, NULL, 10) : 0;
}

/* Of an option's fault, which word it was: "gre1: remote_ip=abc" with a caret under the place. */
static bool blame(const struct record *r, const struct dp_port_config *c, int bad, const struct diag *why, struct diag *d)
{
    if (bad < 0 || (size_t)bad >= c->n_options)
        return diag_fail(d, 0, 0, "port %s: %.*s", r->name, (int)why->message.len, (const char *)why->message.data);
    return diag_fail(d, 0, 0, "port %s: %s=%s: %.*s", r->name, c->options[bad].name, c->options[bad].value,
                     (int)why->message.len, (const char *)why->message.data);
}

static bool check_port(struct sw *sw, const struct record *r, const struct dp_port *except, struct diag *d)
{
    struct dp_port_config c = port_config(r);
    struct diag why = DIAG_INIT;
    int bad = -1;
    bool ok = dp_port_validate(sw->dp, &c, except, &bad, &why) || blame(r, &c, bad, &why, d);
    buf_put(&d->warnings, why.warnings.data, why.warnings.len);
    diag_free(&why);
    free((void *)c.options);
    return ok;
}

/* --- ports --- */

struct port *bridge_port(const struct bridge *b, const char *name)
{
    for (size_t i = 0; i < b->n_ports; i++)
        if (!strcmp(b->ports[i]->applied->name, name))
            return b->ports[i];
    return NULL;
}

static void port_del(struct bridge *b, struct port *p)
{
    size_t i = 0;
    while (b->ports[i] != p)
        i++;
    memmove(&b->ports[i], &b->ports[i + 1], (--b->n_ports - i) * sizeof *b->ports);
    ofproto_port_del(p->of);
    config_free(p->applied);
    free(p);
}

static bool apply_shape(struct ofport *of, const struct record *r, struct diag *d)
{
    struct dp_queue_config queues[DP_MAX_QUEUES];
    struct dp_shape_config c;
    if (!shape_of(r, &c, queues, d))
        return false;
    if (dp_port_shapes(ofport_dp(of)))
        dp_port_shape(ofport_dp(of), &c);
    else if (c.max_rate || c.n_queues)
        return diag_fail(d, 0, 0, "port %s: a tunnel has no queues of its own: what it sends leaves by other ports", r->name);
    return true;
}

static bool port_add(struct bridge *b, const struct record *r, struct diag *d)
{
    if (!check_port(b->sw, r, NULL, d))
        return false;
    struct dp_port_config c = port_config(r);
    struct diag why = DIAG_INIT;
    struct ofport *of = ofproto_port_add(b->of, &c, ofport_request(r), &why);
    buf_put(&d->warnings, why.warnings.data, why.warnings.len);
    if (!of)
        blame(r, &c, -1, &why, d);
    else {
        struct port *p = xzalloc(sizeof *p);
        p->of = of;
        p->applied = config_copy(r);
        b->ports = xrealloc(b->ports, (b->n_ports + 1) * sizeof *b->ports);
        b->ports[b->n_ports++] = p;
        struct dp_port_info info = {0};
        dp_port_get_info(ofport_dp(of), &info);
        if (!(info.flags & DP_PORT_PRESENT) && !strcmp(c.type, "system"))
            diag_warn(d, "port %s: %s", r->name, info.error);
        if (!apply_shape(of, r, d)) {
            port_del(b, p);
            of = NULL;
        }
    }
    diag_free(&why);
    free((void *)c.options);
    return of != NULL;
}

static bool same_text(const char *a, const char *b) { return !strcmp(a ? a : "", b ? b : ""); }

static bool same_options(const struct record *a, const struct record *b)
{
    struct dp_port_config ca = port_config(a), cb = port_config(b);
    bool same = ca.n_options == cb.n_options;
    for (size_t i = 0; same && i < ca.n_options; i++)
        same = same_text(ca.options[i].value, config_get(b, "options", ca.options[i].name));
    free((void *)ca.options);
    free((void *)cb.options);
    return same;
}

/* Do they differ in what a port keeps for life? */
static bool is_another_port(const struct record *a, const struct record *b)
{
    return strcmp(config_text(a, "type"), config_text(b, "type")) ||
           !same_text(config_get(a, "mac", ""), config_get(b, "mac", "")) ||
           !same_text(config_get(a, "options", "io"), config_get(b, "options", "io"));
}

static bool port_update(struct bridge *b, struct port *p, const struct record *r, struct diag *d)
{
    const struct record *old = p->applied;
    if (is_another_port(old, r)) {
        if (!check_port(b->sw, r, ofport_dp(p->of), d))
            return false;
        struct record *back = config_copy(old);
        port_del(b, p);
        bool ok = port_add(b, r, d);
        if (!ok) {
            struct diag ignored = DIAG_INIT;
            port_add(b, back, &ignored);
            diag_free(&ignored);
        }
        config_free(back);
        return ok;
    }
    if (!same_options(old, r)) {
        struct dp_port_config c = port_config(r);
        struct diag why = DIAG_INIT;
        bool ok = check_port(b->sw, r, ofport_dp(p->of), d) &&
                  (dp_port_reconfigure(ofport_dp(p->of), &c, &why) || blame(r, &c, -1, &why, d));
        free((void *)c.options);
        diag_free(&why);
        if (!ok)
            return false;
    }
    if (!same_shape(old, r) && !apply_shape(p->of, r, d))
        return false;
    uint32_t request = ofport_request(r);
    if (request && request != ofport_request(old)) {
        struct diag why = DIAG_INIT;
        if (!ofproto_port_set_number(p->of, request, &why))
            diag_warn(d, "port %s: %s", r->name, buf_text(&why.message));
        diag_free(&why);
    }
    config_free(p->applied);
    p->applied = config_copy(r);
    return true;
}

/* --- bridges --- */

struct bridge *switch_bridge(const struct sw *sw, const char *name)
{
    for (size_t i = 0; i < sw->n_bridges; i++)
        if (!strcmp(sw->bridges[i]->name, name))
            return sw->bridges[i];
    return NULL;
}

static void bridge_del(struct bridge *b)
{
    struct sw *sw = b->sw;
    struct controller *c, *next;
    size_t i = 0;
    while (sw->bridges[i] != b)
        i++;
    memmove(&sw->bridges[i], &sw->bridges[i + 1], (--sw->n_bridges - i) * sizeof *sw->bridges);
    cds_list_for_each_entry_safe (c, next, &b->controllers, node)
        controller_close(c);
    if (b->mgmt)
        controller_close(b->mgmt);
    while (b->n_ports)
        port_del(b, b->ports[b->n_ports - 1]);
    if (b->local)
        ofproto_port_del(b->local);
    if (b->of)
        ofproto_destroy(b->of);
    free(b->ports);
    free(b->local_shape);
    free(b->name);
    free(b);
}

static bool add_local(struct bridge *b, const char *mac, struct diag *d)
{
    struct dp_port_config c = {.name = b->name, .type = "internal", .local = true};
    snprintf(b->local_mac, sizeof b->local_mac, "%s", mac ? mac : "");
    parse_mac(mac, c.mac);
    b->local = ofproto_port_add(b->of, &c, 0, d);
    return b->local != NULL;
}

/* The device stays, and with it the addresses and routes that it has. Without an address asked for it keeps its own. */
static bool set_local_mac(struct bridge *b, const char *mac, struct diag *d)
{
    struct dp_port_config c = {.name = b->name, .type = "internal", .local = true};
    struct diag why = DIAG_INIT;
    parse_mac(mac, c.mac);
    bool ok = dp_port_reconfigure(ofport_dp(b->local), &c, &why);
    if (ok)
        snprintf(b->local_mac, sizeof b->local_mac, "%s", mac ? mac : "");
    else
        diag_fail(d, 0, 0, "bridge %s: %s", b->name, buf_text(&why.message));
    diag_free(&why);
    return ok;
}

static struct bridge *bridge_add(struct sw *sw, const struct record *r, struct diag *d)
{
    struct bridge *b = xzalloc(sizeof *b);
    b->sw = sw;
    b->name = xstrdup(r->name);
    CDS_INIT_LIST_HEAD(&b->controllers);
    sw->bridges = xrealloc(sw->bridges, (sw->n_bridges + 1) * sizeof *sw->bridges);
    sw->bridges[sw->n_bridges++] = b;
    b->of = ofproto_create(sw->dp, b->name);
    char *target = xasprintf("punix:%s/%s.mgmt", xvs_rundir(), b->name);
    struct diag why = DIAG_INIT;
    bool ok = add_local(b, config_get(r, "other_config", "hwaddr"), &why) && (b->mgmt = controller_open(b, target, true, &why));
    if (!ok)
        diag_fail(d, 0, 0, "bridge %s: %s", r->name, buf_text(&why.message));
    diag_free(&why);
    free(target);
    return ok ? b : NULL;
}

/* Versions that others speak may stand there for their tools' sake. */
static uint32_t bridge_versions(const struct record *r)
{
    uint32_t named = 0;
    for (size_t i = 0; i < r->n_values; i++)
        if (!strcmp(r->values[i].column->name, "protocols"))
            named |= 1u << ofp_version_parse(r->values[i].key, strlen(r->values[i].key));
    if (named && !(named & OFP_VERSIONS_SPOKEN))
        log_warn("bridge %s: of its protocols none is spoken here: OpenFlow10, OpenFlow13 and OpenFlow14 are", r->name);
    return named & OFP_VERSIONS_SPOKEN;
}

static void configure_bridge(struct bridge *b, const struct record *r)
{
    struct ofproto_config c = {.fail_mode = !strcmp(config_text(r, "fail_mode"), "secure") ? FAIL_SECURE : FAIL_STANDALONE};
    const char *id = config_get(r, "other_config", "datapath-id"), *desc = config_get(r, "other_config", "dp-desc"),
               *sn = config_get(r, "other_config", "dp-sn"), *aging = config_get(r, "other_config", "mac-aging-time"),
               *size = config_get(r, "other_config", "mac-table-size");
    c.datapath_id = id ? strtoull(id, NULL, 16) : 0;
    snprintf(c.dp_desc, sizeof c.dp_desc, "%s", desc ? desc : b->name);
    snprintf(c.serial, sizeof c.serial, "%s", sn ? sn : "");
    c.mac_aging = aging ? strtoul(aging, NULL, 10) : 0;
    c.mac_table_size = size ? strtoul(size, NULL, 10) : 0;
    c.versions = bridge_versions(r);
    ofproto_configure(b->of, &c);
}

static bool update_controllers(struct bridge *b, const struct record *r, struct diag *d)
{
    struct controller *c, *next;
    bool ok = true;
    cds_list_for_each_entry_safe (c, next, &b->controllers, node)
        if (!config_get(r, "controller", c->target))
            controller_close(c);
    for (size_t i = 0; ok && i < r->n_values; i++) {
        const char *target = r->values[i].key;
        bool known = strcmp(r->values[i].column->name, "controller") != 0;
        cds_list_for_each_entry (c, &b->controllers, node)
            known |= !strcmp(c->target, target);
        if (known)
            continue;
        struct controller *fresh = controller_open(b, target, false, d);
        ok = fresh != NULL;
        if (ok)
            cds_list_add_tail(&fresh->node, &b->controllers);
    }
    bridge_controllers_changed(b);
    return ok;
}

/* Linux's rules for the name of a device: what breaks them would fail later, less clearly. */
static bool check_device_name(const char *name, const char *what, struct diag *d)
{
    size_t n = strlen(name);
    if (!n || n >= IF_NAMESIZE)
        return diag_fail(d, 0, 0, "%s '%s': a name has 1 to %d characters", what, name, IF_NAMESIZE - 1);
    if (!strcmp(name, ".") || !strcmp(name, "..") || strpbrk(name, "/: \t\n"))
        return diag_fail(d, 0, 0, "%s '%s': a name has no '/', ':' or blanks in it", what, name);
    return true;
}

/* What it warns of, it warns of once more when it is applied. */
static bool check_shape(const struct record *r, struct diag *d)
{
    struct dp_queue_config queues[DP_MAX_QUEUES];
    struct dp_shape_config shape;
    struct diag why = DIAG_INIT;
    bool ok = shape_of(r, &shape, queues, &why) || diag_fail(d, 0, 0, "%s", buf_text(&why.message));
    diag_free(&why);
    return ok;
}

/* What can be said of `next` without touching anything. */
static bool check_config(const struct record *next, struct diag *d)
{
    for (size_t i = 0; i < next->n_children; i++) {
        const struct record *b = next->children[i];
        if (!check_shape(b, d))
            return false;
        if (!check_device_name(b->name, "bridge", d))
            return false;
        for (size_t j = 0; j < b->n_children; j++) {
            const struct record *p = b->children[j];
            if (!check_device_name(p->name, "port", d))
                return false;
            if (!check_shape(p, d))
                return false;
            if (config_find(next, p->name))
                return diag_fail(d, 0, 0, "port %s: a bridge has this name", p->name);
            for (size_t k = 0; k < i; k++)
                if (config_find(next->children[k], p->name))
                    return diag_fail(d, 0, 0, "port %s: it is in bridge %s already", p->name, next->children[k]->name);
        }
    }
    return true;
}

/* The number of workers is part of every counter's memory: it is what it was at the start. */
static bool update_workers(struct sw *sw, const struct record *next, struct diag *d)
{
    const char *count = config_get(next, "other_config", "worker-count"), *words = config_get(next, "other_config", "worker-cpus"),
               *count_before = sw->desired ? config_get(sw->desired, "other_config", "worker-count") : count;
    unsigned cpus[CONFIG_MAX_WORKERS];
    size_t n = 0;
    if (count && strtol(count, NULL, 10) != dp_worker_count(sw->dp) && (!count_before || strcmp(count, count_before)))
        diag_warn(d, "%d workers run; %s will when the daemon is started anew", dp_worker_count(sw->dp), count);
    return (!words || config_parse_cpus(words, cpus, &n, d)) && dp_workers_pin(sw->dp, cpus, n, d);
}

static void delete_what_is_gone(struct sw *sw, const struct record *next)
{
    for (size_t i = sw->n_bridges; i-- > 0;) {
        struct bridge *b = sw->bridges[i];
        const struct record *r = config_find(next, b->name);
        if (!r) {
            bridge_del(b);
            continue;
        }
        for (size_t j = b->n_ports; j-- > 0;)
            if (!config_find(r, b->ports[j]->applied->name))
                port_del(b, b->ports[j]);
    }
    dp_settle(sw->dp); /* what comes may take the names of what goes */
}

static bool shape_local(struct bridge *b, const struct record *r, struct diag *d)
{
    struct buf shape = BUF_INIT;
    for (size_t i = 0; i < r->n_values; i++) {
        const struct config_value *v = &r->values[i];
        if (!strcmp(v->column->name, "max_rate") || !strcmp(v->column->name, "queues"))
            buf_printf(&shape, "%s:%s=%s\n", v->column->name, v->key, v->value);
    }
    bool same = !strcmp(b->local_shape ? b->local_shape : "", shape.len ? buf_text(&shape) : "");
    if (!same && !apply_shape(b->local, r, d)) {
        buf_free(&shape);
        return false;
    }
    free(b->local_shape);
    b->local_shape = buf_steal_text(&shape);
    return true;
}

static bool update_bridge(struct sw *sw, const struct record *r, struct diag *d)
{
    struct bridge *b = switch_bridge(sw, r->name);
    if (!b && !(b = bridge_add(sw, r, d)))
        return false;
    const char *mac = config_get(r, "other_config", "hwaddr");
    if (strcmp(b->local_mac, mac ? mac : "") && !set_local_mac(b, mac, d))
        return false;
    configure_bridge(b, r);
    if (!shape_local(b, r, d))
        return false;
    for (size_t i = 0; i < r->n_children; i++) {
        struct port *p = bridge_port(b, r->children[i]->name);
        if (!(p ? port_update(b, p, r->children[i], d) : port_add(b, r->children[i], d)))
            return false;
    }
    return update_controllers(b, r, d);
}

static bool reconcile(struct sw *sw, const struct record *next, struct diag *d)
{
    /* Whatever can be refused beforehand is; unless something goes away first, whose place the new thing may take. */
    for (size_t i = 0; i < next->n_children; i++) {
        const char *name = next->children[i]->name;
        bool ours = sw->desired && (config_find(sw->desired, name) || config_find_port(sw->desired, name));
        if (!ours && if_nametoindex(name))
            return diag_fail(d, 0, 0, "bridge %s: a device of this name is there already; see 'ip link show %s'", name, name);
    }
    for (size_t i = 0; i < next->n_children; i++) {
        const struct record *r = next->children[i], *old = sw->desired ? config_find(sw->desired, r->name) : NULL;
        for (size_t j = 0; j < r->n_children && old && old->n_children <= r->n_children; j++)
            if (!config_find(old, r->children[j]->name) && !check_port(sw, r->children[j], NULL, d))
                return false;
    }
    if (!update_workers(sw, next, d))
        return false;
    delete_what_is_gone(sw, next);
    for (size_t i = 0; i < next->n_children; i++)
        if (!update_bridge(sw, next->children[i], d))
            return false;
    return true;
}

bool switch_apply(struct sw *sw, struct record *next, struct diag *d)
{
    bool ok = check_config(next, d);
    if (!ok)
        return false;
    ok = reconcile(sw, next, d) && (!sw->config_file || config_save(next, sw->config_file, d));
    dp_settle(sw->dp);
    if (!ok) {
        struct diag again = DIAG_INIT;
        struct record *empty = config_new();
        if (!reconcile(sw, sw->desired ? sw->desired : empty, &again))
            log_err("cannot go back to what was before: %s", buf_text(&again.message));
        config_free(empty);
        diag_free(&again);
        return false;
    }
    config_free(sw->desired);
    sw->desired = next;
    return true;
}

/* --- the main loop --- */

static void on_timer(uv_timer_t *t) { dp_run(((struct sw *)t->data)->dp); }
static void on_dp(uv_poll_t *h, int status UNUSED, int events UNUSED) { dp_run(((struct sw *)h->data)->dp); }

/* Before libuv waits: a round of every bridge, and the time at which the next one is due. */
static void on_round(uv_prepare_t *h)
{
    struct sw *sw = h->data;
    msec_t now = clock_msec(), wake = dp_wake_at(sw->dp);
    for (size_t i = 0; i < sw->n_bridges; i++) {
        struct bridge *b = sw->bridges[i];
        bridge_sweep_sessions(b);
        ofproto_run(b->of, now);
        wake = MIN(wake, ofproto_wake_at(b->of));
    }
    streams_flush();
    now = clock_msec();
    uv_timer_stop(&sw->timer);
    if (wake < INT64_MAX)
        uv_timer_start(&sw->timer, on_timer, wake > now ? wake - now : 0, 0);
}

bool switch_start(struct sw *sw, uv_loop_t *loop, const char *config_file, int workers, struct diag *d)
{
    struct record *desired;
    *sw = (struct sw){.loop = loop};
    if (!config_load(config_file, &desired, d))
        return false;
    const char *count = config_get(desired, "other_config", "worker-count");
    if (workers < 0 && count)
        workers = strtol(count, NULL, 10);
    sw->dp = dp_create(&(struct dp_config){.workers = workers}, &ofproto_dp_callbacks);
    uv_poll_init(loop, &sw->dp_poll, dp_fd(sw->dp));
    uv_prepare_init(loop, &sw->round);
    uv_timer_init(loop, &sw->timer);
    sw->dp_poll.data = sw->round.data = sw->timer.data = sw;
    uv_poll_start(&sw->dp_poll, UV_READABLE, on_dp);
    uv_prepare_start(&sw->round, on_round);
    sw->config_file = NULL; /* what was just read need not be written again */
    bool ok = switch_apply(sw, desired, d);
    if (!ok)
        config_free(desired);
    sw->config_file = xstrdup(config_file);
    if (!sw->desired)
        sw->desired = config_new();
    return ok;
}

void switch_stop(struct sw *sw)
{
    sw->stopping = true;
    while (sw->n_bridges)
        bridge_del(sw->bridges[sw->n_bridges - 1]);
    if (sw->dp) {
        uv_poll_stop(&sw->dp_poll);
        uv_close((uv_handle_t *)&sw->dp_poll, NULL);
        uv_close((uv_handle_t *)&sw->round, NULL);
        uv_close((uv_handle_t *)&sw->timer, NULL);
        dp_destroy(sw->dp);
    }
    free(sw->bridges);
    config_free(sw->desired);
    free(sw->config_file);
}
