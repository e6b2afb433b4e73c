/* dump-ports, dump-ports-desc, mod-port. */
#include <stdio.h>
#include "ofctl/ofctl.h"
#include "ofctl/port-json.h"

static void json_port(struct json *j, uint32_t port)
{
    const char *reserved = ofp_port_reserved_name(port);
    if (reserved)
        json_string(j, "port", reserved);
    else
        json_u64(j, "port", port);
}

static void json_bits(struct json *j, const char *key, uint32_t bits, void (*format)(uint32_t, struct buf *))
{
    struct buf words = BUF_INIT;
    format(bits, &words);
    json_words(j, key, buf_text(&words));
    buf_free(&words);
}

static void json_port_desc(struct json *j, const struct ofp_port_desc *d)
{
    json_open(j, NULL, '{');
    json_port(j, d->port);
    json_string(j, "name", d->name);
    json_mac(j, "address", d->mac);
    json_bits(j, "config", d->config, port_config_format);
    json_bits(j, "state", d->state, port_state_format);
    json_bits(j, "current", d->curr, port_features_format);
    json_bits(j, "advertised", d->advertised, port_features_format);
    json_bits(j, "supported", d->supported, port_features_format);
    json_bits(j, "peer", d->peer, port_features_format);
    json_u64(j, "current_kbps", d->curr_speed);
    json_u64(j, "max_kbps", d->max_speed);
    json_close(j, '}');
}

void json_ports(struct json *j, const char *key, const struct reply *r, uint32_t only)
{
    struct rd rd = reply_rd(r);
    struct ofp_port_desc d;
    json_open(j, key, '[');
    while (rd_left(&rd) && !port_desc_decode(r->header.version, &rd, &d))
        if (only == OFPP_ANY || only == d.port)
            json_port_desc(j, &d);
    json_close(j, ']');
}

/* OpenFlow 1.3 cannot ask for one port, so the rest is left out here. */
static void keep_only(struct reply *r, uint32_t port)
{
    struct rd rd = reply_rd(r);
    struct ofp_port_desc d;
    struct buf kept = BUF_INIT;
    while (rd_left(&rd) && !port_desc_decode(r->header.version, &rd, &d))
        if (d.port == port)
            port_desc_encode(&d, r->header.version, &kept);
    buf_free(&r->body);
    r->body = kept;
    buf_reserve(&r->body, 1);
}

void cmd_dump_ports_desc(struct conn *c, int argc, char *argv[])
{
    struct reply r;
    uint32_t only = argc ? ports_parse(c, argv[0]) : OFPP_ANY;
    conn_request(c, OFPMSG_PORT_DESC_REQUEST, OFPMSG_PORT_DESC_REPLY, &r);
    if (only != OFPP_ANY) {
        keep_only(&r, only);
        if (!r.body.len)
            die("%s: no port %s", c->target, argv[0]);
    }
    if (options.json) {
        struct buf out = BUF_INIT;
        struct json j = {&out, true};
        json_open(&j, NULL, '{');
        json_ports(&j, "ports", &r, only);
        json_close(&j, '}');
        puts(buf_text(&out));
        buf_free(&out);
    } else {
        reply_print(c, &r);
    }
    reply_free(&r);
}

static void json_port_stats(struct json *j, const struct ofp_port_stats *s)
{
    const struct {
        const char *name;
        uint64_t n;
    } counters[] = {
        {"rx_packets", s->rx_packets}, {"rx_bytes", s->rx_bytes},         {"rx_dropped", s->rx_dropped},
        {"rx_errors", s->rx_errors},   {"rx_frame_err", s->rx_frame_err}, {"rx_over_err", s->rx_over_err},
        {"rx_crc_err", s->rx_crc_err}, {"tx_packets", s->tx_packets},     {"tx_bytes", s->tx_bytes},
        {"tx_dropped", s->tx_dropped}, {"tx_errors", s->tx_errors},       {"collisions", s->collisions},
    };
    char seconds[32];
    json_open(j, NULL, '{');
    json_port(j, s->port);
    for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
        json_u64(j, counters[i].name, counters[i].n);
    snprintf(seconds, sizeof seconds, "%u.%03u", s->duration_sec, s->duration_nsec / 1000000);
    json_raw(j, "duration", s->duration_sec == UINT32_MAX ? "null" : seconds);
    json_close(j, '}');
}

void cmd_dump_ports(struct conn *c, int argc, char *argv[])
{
    struct buf request = BUF_INIT;
    struct reply r;
    uint32_t port = argc ? ports_parse(c, argv[0]) : OFPP_ANY;
    port_stats_request_encode(port, c->version, conn_xid(c), &request);
    conn_transact(c, &request, OFPMSG_PORT_STATS_REPLY, &r);
    if (options.json) {
        struct buf out = BUF_INIT;
        struct json j = {&out, true};
        struct rd rd = reply_rd(&r);
        struct ofp_port_stats s;
        json_open(&j, NULL, '{');
        json_open(&j, "ports", '[');
        while (rd_left(&rd) && !port_stats_decode(c->version, &rd, &s))
            json_port_stats(&j, &s);
        json_close(&j, ']');
        json_close(&j, '}');
        puts(buf_text(&out));
        buf_free(&out);
    } else {
        reply_print(c, &r);
    }
    reply_free(&r);
    buf_free(&request);
}

/* --- mod-port --- */

static const struct port_action {
    const char *name;
    uint32_t bit;
    bool set;
    bool of10; /* only there */
} port_actions[] = {
    {"up", OFPPC_PORT_DOWN, false, false},     {"down", OFPPC_PORT_DOWN, true, false},
    {"receive", OFPPC_NO_RECV, false, false},  {"no-receive", OFPPC_NO_RECV, true, false},
    {"forward", OFPPC_NO_FWD, false, false},   {"no-forward", OFPPC_NO_FWD, true, false},
    {"packet-in", OFPPC_NO_PACKET_IN, false, false}, {"no-packet-in", OFPPC_NO_PACKET_IN, true, false},
    {"flood", 1 << 4, false, true},            {"no-flood", 1 << 4, true, true},
    {"stp", 1 << 1, false, true},              {"no-stp", 1 << 1, true, true},
    {"receive-stp", 1 << 3, false, true},      {"no-receive-stp", 1 << 3, true, true},
};

static const struct port_action *find_action(const char *name)
{
    const char *names[ARRAY_SIZE(port_actions)];
    for (size_t i = 0; i < ARRAY_SIZE(port_actions); i++) {
        names[i] = port_actions[i].name;
        if (!strcmp(name, names[i]))
            return &port_actions[i];
    }
    const char *near = nearest_name(name, strlen(name), names, ARRAY_SIZE(names));
    if (near)
        die("mod-port: nothing called '%s' can be done to a port; did you mean '%s'?", name, near);
    die("mod-port: nothing called '%s' can be done to a port; there are up, receive, forward, packet-in, flood, and down, "
        "no-receive, no-forward, no-packet-in, no-flood", name);
}

void cmd_mod_port(struct conn *c, int argc UNUSED, char *argv[])
{
    const struct port_action *a = find_action(argv[1]);
    struct ofp_port_desc desc;
    struct ofp_port_mod m = {.mask = a->bit, .config = a->set ? a->bit : 0};
    struct buf b = BUF_INIT;
    m.port = ports_parse(c, argv[0]);
    if (!ports_describe(c, m.port, &desc))
        die("%s: no port %s", c->target, argv[0]);
    if (a->of10 && c->version != OFP10)
        die("mod-port %s: OpenFlow 1.%d has no such setting; it is in OpenFlow 1.0: add -O OpenFlow10", argv[1], c->version - 1);
    memcpy(m.mac, desc.mac, sizeof m.mac);
    port_mod_encode(&m, c->version, conn_xid(c), &b);
    conn_finish(c, &b);
    print_done("ports", 1, 0);
    buf_free(&b);
}
