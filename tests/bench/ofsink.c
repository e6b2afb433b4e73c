/* ofsink PORT SECONDS [reply]
 *
 * A controller that does next to nothing, on 127.0.0.1: it sends what a packet matches in no other way to itself (one
 * table-miss flow), and counts the packet-ins of SECONDS from the first one on. With "reply" it answers each with a
 * packet-out to port 2. Prints packet-ins per second, packet-ins, and errors that the switch sent. OpenFlow 1.3. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { OFPT_HELLO = 0, OFPT_ERROR = 1, OFPT_ECHO_REQUEST = 2, OFPT_ECHO_REPLY = 3, OFPT_FEATURES_REQUEST = 5,
       OFPT_SET_CONFIG = 9, OFPT_PACKET_IN = 10, OFPT_PACKET_OUT = 13, OFPT_FLOW_MOD = 14 };
enum { CONNECT_LIMIT = 15000, QUIET_LIMIT = 3000, IN_SIZE = 1 << 22, OUT_SIZE = 1 << 22 };

struct session {
    int fd;
    bool reply;
    uint64_t packet_ins, errors;
    size_t n_in, n_out;
    uint8_t in[IN_SIZE], out[OUT_SIZE];
};

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static unsigned be16_at(const uint8_t *p) { return p[0] << 8 | p[1]; }
static void put_be16(uint8_t *p, unsigned v) { p[0] = v >> 8, p[1] = v; }

static void flush(struct session *s)
{
    for (size_t at = 0; at < s->n_out;) {
        ssize_t n = send(s->fd, s->out + at, s->n_out - at, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        at += n;
    }
    s->n_out = 0;
}

/* Room for a message of this length, its header filled in, all else zero. */
static uint8_t *message(struct session *s, int type, unsigned len)
{
    if (s->n_out + len > OUT_SIZE)
        flush(s);
    uint8_t *m = s->out + s->n_out;
    memset(m, 0, len);
    m[0] = 4; /* OpenFlow 1.3 */
    m[1] = type;
    put_be16(m + 2, len);
    s->n_out += len;
    return m;
}

static void greet(struct session *s)
{
    message(s, OFPT_HELLO, 8);
    message(s, OFPT_FEATURES_REQUEST, 8);
    put_be16(message(s, OFPT_SET_CONFIG, 12) + 10, 0xffff); /* all of a packet */
    uint8_t *m = message(s, OFPT_FLOW_MOD, 80);             /* table 0, priority 0 */
    memset(m + 32, 0xff, 12);                               /* no buffer, any port, any group */
    put_be16(m + 48, 1), put_be16(m + 50, 4);               /* matches everything */
    put_be16(m + 56, 4), put_be16(m + 58, 24);              /* apply-actions: */
    put_be16(m + 66, 16);                                   /* output */
    put_be16(m + 68, 0xffff), put_be16(m + 70, 0xfffd);     /* to the controller */
    put_be16(m + 72, 0xffff);                               /* all of it */
    flush(s);
}

static void answer(struct session *s, const uint8_t *in)
{
    unsigned in_len = be16_at(in + 2);
    unsigned data = 24 + (be16_at(in + 26) + 7) / 8 * 8 + 2; /* behind the match and its padding, and two bytes more */
    if (data > in_len)
        return;
    uint8_t *m = message(s, OFPT_PACKET_OUT, 40 + in_len - data);
    memset(m + 8, 0xff, 6); /* no buffer; in_port: */
    put_be16(m + 14, 0xfffd);
    put_be16(m + 16, 16); /* of actions: */
    put_be16(m + 26, 16); /* output */
    put_be16(m + 30, 2);  /* to port 2 */
    memcpy(m + 40, in + data, in_len - data);
}

static void handle(struct session *s, const uint8_t *m, unsigned len)
{
    switch (m[1]) {
    case OFPT_ECHO_REQUEST:
        memcpy(message(s, OFPT_ECHO_REPLY, len) + 4, m + 4, len - 4);
        break;
    case OFPT_ERROR:
        s->errors++;
        break;
    case OFPT_PACKET_IN:
        s->packet_ins++;
        if (s->reply && len > 34)
            answer(s, m);
        break;
    }
}

/* Takes what has come; false at the end of the connection. */
static bool receive(struct session *s)
{
    ssize_t n = recv(s->fd, s->in + s->n_in, IN_SIZE - s->n_in, 0);
    if (n <= 0)
        return false;
    s->n_in += n;
    size_t at = 0;
    while (s->n_in - at >= 8) {
        unsigned len = be16_at(s->in + at + 2);
        if (len < 8)
            return false;
        if (s->n_in - at < len)
            break;
        handle(s, s->in + at, len);
        at += len;
    }
    flush(s);
    memmove(s->in, s->in + at, s->n_in -= at);
    return true;
}

static int wait_for_switch(unsigned port)
{
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 1)) {
        fprintf(stderr, "ofsink: port %u: %s\n", port, strerror(errno));
        return -1;
    }
    if (poll(&(struct pollfd){.fd = listener, .events = POLLIN}, 1, CONNECT_LIMIT) <= 0) {
        fputs("ofsink: no switch has connected\n", stderr);
        return -1;
    }
    int fd = accept(listener, NULL, NULL);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    close(listener);
    return fd;
}

int main(int argc, char *argv[])
{
    static struct session s;
    if (argc < 3) {
        fputs("usage: ofsink PORT SECONDS [reply]\n", stderr);
        return 2;
    }
    double seconds = strtod(argv[2], NULL), begin = 0;
    s.reply = argc > 3 && !strcmp(argv[3], "reply");
    s.fd = wait_for_switch(strtoul(argv[1], NULL, 10));
    if (s.fd < 0)
        return 1;
    greet(&s);
    puts("ready");
    fflush(stdout);
    double last = seconds_now();
    while (!begin || seconds_now() - begin < seconds) {
        int ready = poll(&(struct pollfd){.fd = s.fd, .events = POLLIN}, 1, begin ? 100 : CONNECT_LIMIT);
        uint64_t before = s.packet_ins;
        if (ready > 0 && !receive(&s)) {
            fputs("ofsink: the switch has closed the connection\n", stderr);
            break;
        }
        if (s.packet_ins > before)
            last = seconds_now();
        if (!begin && s.packet_ins)
            begin = last;
        if (seconds_now() - last > QUIET_LIMIT / 1e3)
            break;
    }
    double took = begin ? last - begin : 0;
    printf("%.0f %llu %llu\n", took > 0 ? s.packet_ins / took : 0, (unsigned long long)s.packet_ins, (unsigned long long)s.errors);
    return 0;
}
