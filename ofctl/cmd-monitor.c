/* monitor, snoop. */
#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include "ofctl/ofctl.h"


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

static void print_messages(struct conn *c, const struct port_names *names)
{
    struct ofp_header h;
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (const void *msg; (msg = conn_receive(c, &h, CONN_FOREVER));) {
        struct buf text = BUF_INIT;
        if (options.timestamp && !options.json) {
            int64_t now = clock_wall_msec();
            print_timestamp(now / 1000, now % 1000 * 1000);
        }
        if (options.json) {
            message_json(msg, h.len, &text);
            puts(buf_text(&text));
        } else {
            ofp_msg_format(msg, h.len, names, options.verbosity, &text);
            print_text(buf_text(&text));
        }
        buf_free(&text);
        fflush(stdout);
    }
}

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
    print_messages(c, names);
}

void cmd_snoop(struct conn *none UNUSED, int argc UNUSED, char *argv[])
{
    struct conn *c = conn_open_snoop(argv[0]);
    print_messages(c, NULL);
    conn_close(c);
}
