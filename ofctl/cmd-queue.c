/* Queues: queue-stats, queue-get-config. */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include "ofctl/ofctl.h"
#include "openflow/queue.h"

static bool is_all(const char *word) { return !strcasecmp(word, "all") || !strcasecmp(word, "any"); }

/* [PORT [QUEUE]], each "ALL" if it is not one. */
static void parse(struct conn *c, int argc, char *argv[], uint32_t *port, uint32_t *queue)
{
    *port = argc && !is_all(argv[0]) ? ports_parse(c, argv[0]) : (uint32_t)OFPP_ANY;
    *queue = OFPQ_ALL;
    if (argc > 1 && !is_all(argv[1])) {
        char *end;
        unsigned long n = strtoul(argv[1], &end, 0);
        if (*argv[1] < '0' || *argv[1] > '9' || *end || n >= OFPQ_ALL)
            die("%s: a queue's number is wanted, or 'all'", argv[1]);
        *queue = (uint32_t)n;
    }
}

static void json_port_number(struct json *j, uint32_t port)
{
    const char *reserved = ofp_port_reserved_name(port);
    if (reserved)
        json_string(j, "port", reserved);
    else
        json_u64(j, "port", port);
}

static void json_stats(struct json *j, const struct reply *r)
{
    struct rd rd = reply_rd(r);
    struct ofp_queue_stats s;
    while (rd_left(&rd) && !queue_stats_decode(r->header.version, &rd, &s)) {
        char seconds[32];
        json_open(j, NULL, '{');
        json_port_number(j, s.port);
        json_u64(j, "queue", s.queue);
        json_u64(j, "tx_bytes", s.tx_bytes);
        json_u64(j, "tx_packets", s.tx_packets);
        json_u64(j, "tx_errors", s.tx_errors);
        snprintf(seconds, sizeof seconds, "%u.%03u", s.duration_sec, s.duration_nsec / 1000000);
        json_raw(j, "duration", s.duration_sec == UINT32_MAX ? "null" : seconds);
        json_close(j, '}');
    }
}

static void json_rate(struct json *j, const char *key, uint16_t rate)
{
    char percent[16];
    snprintf(percent, sizeof percent, "%u.%u", rate / 10, rate % 10);
    json_raw(j, key, rate <= 1000 ? percent : "null");
}

static void json_config(struct json *j, const struct reply *r)
{
    struct rd rd = reply_rd(r);
    struct ofp_queue_config q = {0};
    if (queue_config_head_decode(r->header.version, &rd, &q.port))
        return;
    while (rd_left(&rd) && !queue_config_decode(r->header.version, &rd, &q)) {
        json_open(j, NULL, '{');
        json_port_number(j, q.port);
        json_u64(j, "queue", q.queue);
        json_rate(j, "min_rate_percent", q.min_rate);
        json_rate(j, "max_rate_percent", q.max_rate);
        json_close(j, '}');
    }
}

typedef void entries_fn(struct json *, const struct reply *);

static void open_queues(struct json *j)
{
    json_open(j, NULL, '{');
    json_open(j, "queues", '[');
}

static void close_queues(struct json *j)
{
    json_close(j, ']');
    json_close(j, '}');
    puts(buf_text(j->out));
    buf_free(j->out);
}

static void show(struct conn *c, const struct buf *request, enum ofp_msg_type expect, entries_fn *entries)
{
    struct buf out = BUF_INIT;
    struct json j = {&out, true};
    struct reply r;
    conn_transact(c, request, expect, &r);
    if (options.json) {
        open_queues(&j);
        entries(&j, &r);
        close_queues(&j);
    } else {
        reply_print(c, &r);
    }
    reply_free(&r);
}

void cmd_queue_stats(struct conn *c, int argc, char *argv[])
{
    struct buf b = BUF_INIT;
    uint32_t port, queue;
    parse(c, argc, argv, &port, &queue);
    queue_stats_request_encode(port, queue, c->version, conn_xid(c), &b);
    show(c, &b, OFPMSG_QUEUE_STATS_REPLY, json_stats);
    buf_free(&b);
}

/* OpenFlow 1.0 asks for one port at a time; of those that have no queues, some switches refuse to speak. */
static void show_each_port(struct conn *c)
{
    struct buf out = BUF_INIT;
    struct json j = {&out, true};
    struct reply ports;
    struct ofp_port_desc d;
    conn_request(c, OFPMSG_PORT_DESC_REQUEST, OFPMSG_PORT_DESC_REPLY, &ports);
    struct rd rd = reply_rd(&ports);
    if (options.json)
        open_queues(&j);
    while (rd_left(&rd) && !port_desc_decode(c->version, &rd, &d)) {
        struct buf b = BUF_INIT;
        struct reply r;
        enum ofp_msg_type type;
        queue_config_request_encode(d.port, c->version, conn_xid(c), &type, &b);
        bool ok = conn_try(c, &b, type, &r);
        if (ok && options.json)
            json_config(&j, &r);
        else if (ok)
            reply_print(c, &r);
        reply_free(&r);
        buf_free(&b);
    }
    if (options.json)
        close_queues(&j);
    reply_free(&ports);
}

/* Before OpenFlow 1.4 one cannot ask for one queue. */
void cmd_queue_get_config(struct conn *c, int argc, char *argv[])
{
    struct buf b = BUF_INIT;
    enum ofp_msg_type reply;
    uint32_t port, queue;
    parse(c, argc, argv, &port, &queue);
    if (c->version == OFP10 && port == OFPP_ANY) {
        show_each_port(c);
        return;
    }
    queue_config_request_encode(port, c->version, conn_xid(c), &reply, &b);
    show(c, &b, reply, json_config);
    buf_free(&b);
}
