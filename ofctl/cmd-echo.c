/* Is the switch there, and how fast? probe, ping, benchmark. */
#include <stdio.h>
#include <stdlib.h>
#include "ofctl/ofctl.h"

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

/* COUNT echo requests, one after the other. */
void cmd_benchmark(struct conn *c, int argc UNUSED, char *argv[])
{
    enum { MOST = OFP_MAX_LEN - OFP_HEADER_LEN, MOST_MESSAGES = 100000000 };
    static uint8_t payload[MOST];
    char *end, *end_count;
    unsigned long n = strtoul(argv[0], &end, 10), count = strtoul(argv[1], &end_count, 10);
    if (*end || n > MOST || *end_count || !count || count > MOST_MESSAGES)
        die("benchmark: a number of bytes up to %d is wanted, and how many messages", MOST);
    unsigned long bytes = (n + OFP_HEADER_LEN) * count;
    if (!options.json)
        printf("Sending %lu packets * %lu bytes (with header) = %lu bytes total\n", count, n + OFP_HEADER_LEN, bytes);
    int64_t start = clock_nsec();
    for (unsigned long i = 0; i < count; i++)
        echo(c, payload, n, &(uint32_t){0});
    double seconds = MAX((double)(clock_nsec() - start) / 1e9, 1e-9);
    if (options.json)
        printf("{\"messages\": %lu, \"bytes\": %lu, \"ms\": %.1f}\n", count, bytes, seconds * 1e3);
    else
        printf("Finished in %.1f ms (%.0f packets/s) (%.0f bytes/s)\n", seconds * 1e3, (double)count / seconds,
               (double)bytes / seconds);
}
