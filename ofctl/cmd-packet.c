/* packet-out, monitor. */
#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/mem.h"
#include "ofctl/lines.h"
#include "ofctl/ofctl.h"
#include "openflow/text.h"

/* --- packet-out --- */

static bool take_packet(const struct text *t, struct word w, struct buf *frame)
{
    char *word = xasprintf("%.*s", (int)w.len, t->s + w.at);
    bool ok = hex_parse(word, frame);
    free(word);
    if (!ok)
        return text_fail(t, w, "a packet is written as hexadecimal digits, two for each byte");
    if (frame->len < 14)
        return text_fail(t, w, "%zu bytes are no Ethernet frame; it has 14 at least", frame->len);
    return true;
}

static bool take_actions(const struct text *t, size_t at, struct packet_out *p)
{
    struct diag inner = DIAG_INIT;
    bool ok = acts_parse(t->s + at, strlen(t->s + at), false, t->names, NULL, &p->acts, &inner);
    if (!ok)
        diag_fail(t->d, at + inner.at, inner.len, "%.*s", (int)inner.message.len, (const char *)inner.message.data);
    diag_free(&inner);
    return ok;
}

static bool take_item(const struct text *t, const struct item *i, struct packet_out *p, struct buf *frame)
{
    if (text_is(t, i->key, "in_port"))
        return text_port(t, i->value, &p->in_port);
    if (text_is(t, i->key, "packet"))
        return frame->len ? text_fail(t, i->key, "packet stands twice") : take_packet(t, i->value, frame);
    return text_fail(t, i->key, "packet-out takes in_port=, packet= and, last, actions=");
}

/* "in_port=1 packet=0011… actions=…", the actions last. */
static bool parse_packet_out(const struct text *t, struct packet_out *p, struct buf *frame)
{
    size_t end = strlen(t->s);
    const char *actions = strstr(t->s, "actions=");
    if (!actions)
        return diag_fail(t->d, 0, 0, "actions= is missing; write 'in_port=PORT packet=HEX actions=ACTIONS'");
    struct item i;
    for (size_t at = 0; text_next_item(t, &at, actions - t->s, &i);)
        if (!take_item(t, &i, p, frame))
            return false;
    if (t->d->failed)
        return false;
    if (!frame->len)
        return diag_fail(t->d, 0, 0, "packet= is missing: the packet's bytes in hexadecimal");
    size_t from = actions - t->s + strlen("actions=");
    return from <= end && take_actions(t, from, p);
}

static void send_packet_out(struct conn *c, struct packet_out *p, const struct buf *frame, struct buf *out)
{
    p->data = frame->data;
    p->data_len = frame->len;
    if (frame->len + p->acts.len > OFP_MAX_LEN - 1024)
        die("packet-out: %zu bytes are more than a message holds", frame->len);
    packet_out_encode(p, c->version, conn_xid(c), out);
}

/* The old form: IN_PORT ACTIONS PACKET… */
static void packet_out_positional(struct conn *c, int argc, char *argv[], struct packet_out *p, struct buf *out)
{
    struct diag d = DIAG_INIT;
    struct text t = {.s = argv[1], .names = ports_by_name(c), .d = &d};
    p->in_port = ports_parse(c, argv[0]);
    if (!take_actions(&t, 0, p)) {
        print_complaint(c, PROGRAM ": packet-out: ", argv[1], &d);
        exit(1);
    }
    check_actions(c, p->acts.data, p->acts.len);
    struct buf all = BUF_INIT;
    for (int i = 2; i < argc; i++) {
        struct buf frame = BUF_INIT;
        struct text packet = {.s = argv[i], .d = &d};
        if (!take_packet(&packet, (struct word){0, strlen(argv[i])}, &frame)) {
            print_complaint(c, PROGRAM ": packet-out: ", argv[i], &d);
            exit(1);
        }
        send_packet_out(c, p, &frame, &all);
        buf_free(&frame);
    }
    buf_put(out, all.data, all.len);
    buf_free(&all);
}

void cmd_packet_out(struct conn *c, int argc, char *argv[])
{
    struct packet_out p = {.buffer_id = OFP_NO_BUFFER, .in_port = OFPP_CONTROLLER};
    struct buf out = BUF_INIT;
    if (argc == 2)
        die("packet-out: write \"in_port=PORT packet=HEX actions=ACTIONS\" as one word, or IN_PORT ACTIONS PACKET...");
    if (argc > 2) {
        packet_out_positional(c, argc, argv, &p, &out);
    } else {
        struct buf frame = BUF_INIT;
        struct diag d = DIAG_INIT;
        struct text t = {.s = argv[0], .names = ports_by_name(c), .d = &d};
        if (!parse_packet_out(&t, &p, &frame)) {
            print_complaint(c, PROGRAM ": packet-out: ", argv[0], &d);
            exit(1);
        }
        check_actions(c, p.acts.data, p.acts.len);
        send_packet_out(c, &p, &frame, &out);
        buf_free(&frame);
    }
    conn_finish(c, &out);
    buf_free(&p.acts);
    buf_free(&out);
}

/* --- monitor --- */

/* miss_len -1: as it is. */
static void set_config(struct conn *c, int miss_len, uint16_t flags)
{
    struct reply r;
    struct ofp_switch_config config;
    struct buf b = BUF_INIT;
    conn_request(c, OFPMSG_GET_CONFIG_REQUEST, OFPMSG_GET_CONFIG_REPLY, &r);
    switch_config_decode(c->version, reply_rd(&r), &config);
    reply_free(&r);
    if (miss_len >= 0)
        config.miss_send_len = (uint16_t)miss_len;
    config.flags |= flags;
    switch_config_encode(&config, OFPMSG_SET_CONFIG, c->version, conn_xid(c), &b);
    conn_finish(c, &b);
    buf_free(&b);
}

static void set_miss_len(struct conn *c, const char *text)
{
    char *end;
    unsigned long n = strtoul(text, &end, 0);
    if (!isdigit((unsigned char)*text) || *end || n > UINT16_MAX)
        die("monitor: %s: MISS_LEN, a number up to 65535, or invalid_ttl is wanted", text);
    set_config(c, (int)n, 0);
}

static void want_invalid_ttl(struct conn *c)
{
    struct reply r;
    struct ofp_async_config a = {0};
    struct buf b = BUF_INIT;
    if (c->version == OFP10) { /* a flag of the switch's configuration, as in 1.1 */
        set_config(c, -1, OFPC_INVALID_TTL_TO_CONTROLLER);
        return;
    }
    conn_request(c, OFPMSG_GET_ASYNC_REQUEST, OFPMSG_GET_ASYNC_REPLY, &r);
    async_decode(c->version, reply_rd(&r), &a);
    reply_free(&r);
    a.packet_in[0] |= 1 << OFPR_INVALID_TTL;
    async_encode(&a, OFPMSG_SET_ASYNC, c->version, conn_xid(c), &b);
    conn_finish(c, &b);
    buf_free(&b);
}

/* Ends quietly: whoever interrupts a monitor has seen enough. */
static void stop(int sig UNUSED) { _Exit(0); }

void cmd_monitor(struct conn *c, int argc, char *argv[])
{
    for (int i = 0; i < argc; i++) {
        if (!strcmp(argv[i], "invalid_ttl"))
            want_invalid_ttl(c);
        else if (!strncmp(argv[i], "watch:", 6))
            die("monitor: xvs-ofctl cannot watch flows ('%s') yet", argv[i]);
        else
            set_miss_len(c, argv[i]);
    }
    const struct port_names *names = ports_for_print(c);
    if (names)
        ports_have(c, 0); /* asks now: later the answer would come between messages that are being printed */
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct ofp_header h;
    for (const void *msg; (msg = conn_receive(c, &h, CONN_FOREVER));) {
        if (options.timestamp && !options.json) {
            int64_t now = clock_wall_msec();
            print_timestamp(now / 1000, now % 1000 * 1000);
        }
        if (options.json) {
            struct buf line = BUF_INIT;
            message_json(msg, h.len, &line);
            puts(buf_text(&line));
            buf_free(&line);
        } else {
            struct buf text = BUF_INIT;
            ofp_msg_format(msg, h.len, names, options.verbosity, &text);
            fputs(buf_text(&text), stdout);
            buf_free(&text);
        }
        fflush(stdout);
    }
}
