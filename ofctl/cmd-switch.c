/* What the switch says of itself: show, dump-desc, dump-tables; and what it does with fragments: get-frags, set-frags. */
#include <stdio.h>
#include <stdlib.h>
#include "ofctl/ofctl.h"
#include "ofctl/port-json.h"

/* --- show --- */

static void show_json(struct conn *c UNUSED, const struct reply *features, const struct reply *ports,
                      const struct reply *config)
{
    struct buf out = BUF_INIT, words = BUF_INIT;
    struct json j = {&out, true};
    struct ofp_features f;
    struct ofp_switch_config s;
    char dpid[17];
    features_decode(c->version, reply_rd(features), &f);
    switch_config_decode(c->version, reply_rd(config), &s);
    snprintf(dpid, sizeof dpid, "%016llx", (unsigned long long)f.datapath_id);
    capabilities_format(f.capabilities, &words);
    json_open(&j, NULL, '{');
    json_string(&j, "datapath_id", dpid);
    json_u64(&j, "n_tables", f.n_tables);
    json_u64(&j, "n_buffers", f.n_buffers);
    json_words(&j, "capabilities", buf_text(&words));
    json_ports(&j, "ports", ports, OFPP_ANY);
    json_open(&j, "config", '{');
    json_string(&j, "frags", frag_mode_name(s.flags));
    json_u64(&j, "miss_send_len", s.miss_send_len);
    json_close(&j, '}');
    json_close(&j, '}');
    puts(buf_text(&out));
    buf_free(&out);
    buf_free(&words);
}

void cmd_show(struct conn *c, int argc UNUSED, char *argv[] UNUSED)
{
    struct reply features, ports = {0}, config;
    bool apart = c->version != OFP10; /* whose features have the ports in them */
    conn_request(c, OFPMSG_FEATURES_REQUEST, OFPMSG_FEATURES_REPLY, &features);
    if (apart) {
        conn_request(c, OFPMSG_PORT_DESC_REQUEST, OFPMSG_PORT_DESC_REPLY, &ports);
    } else {
        struct ofp_features f;
        features_decode(c->version, reply_rd(&features), &f);
        ports.header = features.header;
        buf_put(&ports.body, f.ports.p, rd_left(&f.ports));
    }
    conn_request(c, OFPMSG_GET_CONFIG_REQUEST, OFPMSG_GET_CONFIG_REPLY, &config);
    if (options.json) {
        show_json(c, &features, &ports, &config);
    } else {
        reply_print(c, &features);
        if (apart)
            reply_print(c, &ports);
        reply_print(c, &config);
    }
    reply_free(&features);
    reply_free(&ports);
    reply_free(&config);
}

/* --- dump-desc, dump-tables --- */

void cmd_dump_desc(struct conn *c, int argc UNUSED, char *argv[] UNUSED)
{
    struct reply r;
    conn_request(c, OFPMSG_DESC_REQUEST, OFPMSG_DESC_REPLY, &r);
    if (options.json) {
        struct buf out = BUF_INIT;
        struct json j = {&out, true};
        struct ofp_desc d;
        desc_decode(c->version, reply_rd(&r), &d);
        json_open(&j, NULL, '{');
        json_string(&j, "manufacturer", d.manufacturer);
        json_string(&j, "hardware", d.hardware);
        json_string(&j, "software", d.software);
        json_string(&j, "serial", d.serial);
        json_string(&j, "datapath", d.datapath);
        json_close(&j, '}');
        puts(buf_text(&out));
        buf_free(&out);
    } else {
        reply_print(c, &r);
    }
    reply_free(&r);
}

void cmd_dump_tables(struct conn *c, int argc UNUSED, char *argv[] UNUSED)
{
    struct reply r;
    conn_request(c, OFPMSG_TABLE_STATS_REQUEST, OFPMSG_TABLE_STATS_REPLY, &r);
    if (options.json) {
        struct buf out = BUF_INIT;
        struct json j = {&out, true};
        struct rd rd = reply_rd(&r);
        struct ofp_table_stats t;
        json_open(&j, NULL, '{');
        json_open(&j, "tables", '[');
        while (rd_left(&rd) && !table_stats_decode(c->version, &rd, &t)) {
            json_open(&j, NULL, '{');
            json_u64(&j, "table", t.table);
            json_u64(&j, "active", t.active);
            json_u64(&j, "lookups", t.lookups);
            json_u64(&j, "matched", t.matched);
            json_close(&j, '}');
        }
        json_close(&j, ']');
        json_close(&j, '}');
        puts(buf_text(&out));
        buf_free(&out);
    } else {
        reply_print(c, &r);
    }
    reply_free(&r);
}

/* --- get-frags, set-frags --- */

static void get_config(struct conn *c, struct ofp_switch_config *config)
{
    struct reply r;
    conn_request(c, OFPMSG_GET_CONFIG_REQUEST, OFPMSG_GET_CONFIG_REPLY, &r);
    if (switch_config_decode(c->version, reply_rd(&r), config))
        die("%s: the switch's answer is malformed", c->target);
    reply_free(&r);
}

static void print_frags(const char *name)
{
    if (options.json)
        printf("{\"frags\": \"%s\"}\n", name);
    else
        puts(name);
}

void cmd_get_frags(struct conn *c, int argc UNUSED, char *argv[] UNUSED)
{
    struct ofp_switch_config config;
    get_config(c, &config);
    print_frags(frag_mode_name(config.flags));
}

/* A switch may ignore what it cannot do, so it is asked afterwards. */
void cmd_set_frags(struct conn *c, int argc UNUSED, char *argv[])
{
    struct ofp_switch_config config;
    struct buf b = BUF_INIT;
    uint16_t mode = 0;
    while (strcmp(argv[0], frag_mode_name(mode)))
        if (mode++ == OFPC_FRAG_MASK)
            die("set-frags: '%s' is none of normal, drop, reassemble, nx-match", argv[0]);
    get_config(c, &config);
    config.flags = (uint16_t)((config.flags & ~OFPC_FRAG_MASK) | mode);
    switch_config_encode(&config, OFPMSG_SET_CONFIG, c->version, conn_xid(c), &b);
    conn_finish(c, &b);
    buf_free(&b);
    get_config(c, &config);
    if ((config.flags & OFPC_FRAG_MASK) != mode)
        die("%s: the switch does not do '%s' with fragments: it stays with '%s'", c->target, argv[0],
            frag_mode_name(config.flags));
    if (options.json)
        print_frags(argv[0]);
}
