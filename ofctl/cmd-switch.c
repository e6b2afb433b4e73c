/* What the switch says of itself: show, dump-desc, dump-tables, and whether it is there: probe, ping. */
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

/* --- probe, ping --- */

static int64_t echo(struct conn *c, const void *data, size_t n, uint32_t *xid)
{
    struct buf request = BUF_INIT;
    struct reply r;
    *xid = conn_xid(c);
    ofp_echo_encode(false, c->version, *xid, data, n, &request);
    int64_t start = clock_nsec();
    conn_transact(c, &request, OFPMSG_ECHO_REPLY, &r);
    int64_t took = clock_nsec() - start;
    if (r.body.len != n || (n && memcmp(r.body.data, data, n)))
        die("%s: the echo reply is not what was sent", c->target);
    reply_free(&r);
    buf_free(&request);
    return took;
}

void cmd_probe(struct conn *c, int argc UNUSED, char *argv[] UNUSED)
{
    uint32_t xid;
    echo(c, "", 0, &xid);
    if (options.json)
        puts("{\"alive\": true}");
}

void cmd_ping(struct conn *c, int argc, char *argv[])
{
    enum { PINGS = 10, MOST = OFP_MAX_LEN - OFP_HEADER_LEN };
    static uint8_t payload[MOST];
    char *end = "";
    unsigned long n = argc ? strtoul(argv[0], &end, 10) : 64;
    if (*end || n > MOST)
        die("ping: %s: a number of bytes up to %d is wanted", argv[0], MOST);
    for (size_t i = 0; i < n; i++)
        payload[i] = i;
    if (options.json)
        printf("{\"bytes\": %lu, \"ms\": [", n);
    for (int i = 0; i < PINGS; i++) {
        uint32_t xid;
        double ms = echo(c, payload, n, &xid) / 1e6;
        if (options.json)
            printf("%s%.3f", i ? ", " : "", ms);
        else
            printf("%lu bytes from %s: xid=%08x time=%.1f ms\n", n, c->target, xid, ms);
    }
    if (options.json)
        puts("]}");
}
