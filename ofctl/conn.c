/* The connection to a switch: whom to call, HELLO, requests and their replies. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/mem.h"
#include "ctl/ctl.h"
#include "ofctl/ofctl.h"
#include "openflow/version.h"

enum { SILENCE = 30000 /* ms without a byte from the switch, unless -t says otherwise */ };

/* --- Waiting --- */

/* When to give up: `silence` from now, or -t's time if that is sooner; 0: never. */
static msec_t wait_end(msec_t silence)
{
    msec_t end = silence == CONN_FOREVER ? 0 : clock_msec() + silence;
    if (options.deadline && (!end || silence == SILENCE || options.deadline < end))
        end = options.deadline;
    return end;
}

/* 0 when the time is up, else the events. */
static short wait_fd(int fd, short events, msec_t end)
{
    for (;;) {
        msec_t left = end ? end - clock_msec() : -1;
        if (end && left <= 0)
            return 0;
        struct pollfd p = {.fd = fd, .events = events};
        int n = poll(&p, 1, MIN(left, 1000000));
        if (n > 0)
            return p.revents;
        if (n < 0 && errno != EINTR)
            die("poll: %s", strerror(errno));
    }
}

/* --- Whom to call --- */

static void list_bridges(const char *dir, struct buf *out)
{
    DIR *d = opendir(dir);
    const char *sep = "";
    for (struct dirent *e; d && (e = readdir(d));) {
        size_t n = strlen(e->d_name);
        if (n > 5 && !strcmp(e->d_name + n - 5, ".mgmt")) {
            buf_printf(out, "%s%.*s", sep, (int)n - 5, e->d_name);
            sep = ", ";
        }
    }
    if (d)
        closedir(d);
}

/* `bridge` NULL: the user has named a path. */
static __attribute__((noreturn)) void die_of_unix(const char *bridge, const char *path, int error)
{
    const char *dir = xvs_rundir();
    if (!bridge)
        die("unix:%s: %s%s", path, strerror(error),
            error == ECONNREFUSED ? "; the socket is there, but nobody listens on it any more" : "");
    struct buf bridges = BUF_INIT;
    list_bridges(dir, &bridges);
    if (error == ENOENT && bridges.len)
        die("%s: no such bridge (tried %s); there are: %s", bridge, path, buf_text(&bridges));
    if (error == ENOENT)
        die("%s: no such bridge (tried %s): no bridge has a socket in %s. Is xvs-vswitchd running, with this directory "
            "as its "
            "$XVS_RUNDIR? 'xvs-ctl add-br %s' makes the bridge",
            bridge, path, dir, bridge);
    if (error == ECONNREFUSED)
        die("%s: %s is there, but nobody listens on it: xvs-vswitchd has ended. Start it again", bridge, path);
    if (error == EACCES)
        die("%s: %s: no permission; are you root?", bridge, path);
    die("%s: %s: %s", bridge, path, strerror(error));
}

static int open_unix(const char *bridge, const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof a.sun_path)
        die("%s: longer than a socket's name may be (%zu bytes)", path, sizeof a.sun_path - 1);
    memcpy(a.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        die("socket: %s", strerror(errno));
    if (connect(fd, (struct sockaddr *)&a, sizeof a))
        die_of_unix(bridge, path, errno);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* One address; -1 and errno. */
static int open_address(const struct addrinfo *a, msec_t end)
{
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (!connect(fd, a->ai_addr, a->ai_addrlen))
        return fd;
    if (errno == EINPROGRESS) {
        int error = ETIMEDOUT;
        socklen_t n = sizeof error;
        if (wait_fd(fd, POLLOUT, end))
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n);
        if (!error)
            return fd;
        errno = error;
    }
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* HOST, HOST:PORT, [IPV6]:PORT */
static void split_host(const char *target, const char *text, char *host, size_t size, const char **port)
{
    const char *end = text[0] == '[' ? strchr(text, ']') : strrchr(text, ':');
    const char *from = text + (text[0] == '[');
    size_t n = end ? (size_t)(end - from) : strlen(from);
    *port = "6653";
    if (text[0] == '[' && !end)
        die("%s: a bracket is not closed", target);
    if (end && text[0] == '[')
        end = end[1] == ':' ? end + 1 : NULL;
    if (end)
        *port = end + 1;
    if (!n || n >= size || !**port || strspn(*port, "0123456789") != strlen(*port))
        die("%s: write tcp:HOST:PORT, or tcp:[IPV6]:PORT; without a port 6653 is meant", target);
    memcpy(host, from, n);
    host[n] = '\0';
}

static int open_tcp(const char *target, const char *text)
{
    char host[256];
    const char *port;
    split_host(target, text, host, sizeof host, &port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    int e = getaddrinfo(host, port, &hints, &found);
    if (e)
        die("%s: %s", target, gai_strerror(e));
    int fd = -1;
    for (struct addrinfo *a = found; a && fd < 0; a = a->ai_next)
        fd = open_address(a, wait_end(SILENCE));
    if (fd < 0)
        die("%s: %s%s", target, strerror(errno),
            errno == ECONNREFUSED ? "; does the switch listen there (xvs-ctl set-controller BRIDGE ptcp:PORT)?" : "");
    freeaddrinfo(found);
    return fd;
}

/* `suffix`: of a bridge's socket. */
static int open_target(const char *target, const char *suffix)
{
    if (!strncmp(target, "tcp:", 4))
        return open_tcp(target, target + 4);
    if (!strncmp(target, "unix:", 5))
        return open_unix(NULL, target + 5);
    if (!strncmp(target, "ssl:", 4))
        die("%s: xvs-ofctl has no TLS yet; use unix: or tcp:", target);
    if (target[0] == '/')
        return open_unix(NULL, target);
    if (!*target || strchr(target, '/'))
        die("'%s' is not a bridge's name; write a bridge, unix:PATH or tcp:HOST:PORT", target);
    char *path = xasprintf("%s/%s.%s", xvs_rundir(), target, suffix);
    int fd = open_unix(target, path);
    free(path);
    return fd;
}

/* --- Bytes --- */

static void trace_message(const struct conn *c, const char *direction, const void *msg, size_t len)
{
    struct buf text = BUF_INIT;
    ofp_msg_format(msg, len, NULL, 1, &text);
    fprintf(stderr, "%s: %s: %s", c->target, direction, buf_text(&text));
    buf_free(&text);
}

static void trace_messages(const struct conn *c, const struct buf *b)
{
    struct ofp_header h;
    for (size_t at = 0; ofp_header_peek(b->data + at, b->len - at, &h); at += h.len)
        trace_message(c, "sent", b->data + at, MIN(h.len, b->len - at));
}

/* Reads what is there. False at the end of the stream. */
static bool read_some(struct conn *c)
{
    enum { CHUNK = 65536 };
    if (c->taken) {
        memmove(c->in.data, c->in.data + c->taken, c->in.len - c->taken);
        c->in.len -= c->taken;
        c->taken = 0;
    }
    buf_reserve(&c->in, CHUNK);
    ssize_t n = read(c->fd, c->in.data + c->in.len, CHUNK);
    if (n > 0)
        c->in.len += n;
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static __attribute__((noreturn)) void die_of_end(const struct conn *c)
{
    die("%s: the switch has closed the connection", c->target);
}

/* While the switch has more to say than to hear, what it says is taken in: it may be a thousand errors. */
void conn_send(struct conn *c, const struct buf *b)
{
    if (options.verbose)
        trace_messages(c, b);
    for (size_t at = 0; at < b->len;) {
        short events = wait_fd(c->fd, POLLIN | POLLOUT, wait_end(SILENCE));
        if (!events)
            die("%s: the switch takes no more messages; gave up waiting", c->target);
        if (events & (POLLIN | POLLHUP | POLLERR) && !read_some(c))
            die_of_end(c);
        if (!(events & POLLOUT))
            continue;
        ssize_t n = send(c->fd, b->data + at, b->len - at, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            die("%s: %s", c->target, strerror(errno));
        at += n > 0 ? n : 0;
    }
}

/* A whole message at the front of what was received, or NULL. */
static const uint8_t *buffered(struct conn *c, struct ofp_header *h)
{
    size_t n = c->in.len - c->taken;
    if (n < OFP_HEADER_LEN)
        return NULL;
    const uint8_t *p = c->in.data + c->taken;
    if (!ofp_header_peek(p, n, h))
        die("%s: this is not OpenFlow: a message says it is %u bytes long", c->target, h->len);
    if (!c->greeted && h->type > 1) /* not to wait for thousands of bytes of something else */
        die("%s: this is not an OpenFlow switch: its first message is no HELLO", c->target);
    return n < h->len ? NULL : p;
}

static void answer_echo(struct conn *c, const struct ofp_header *h, const uint8_t *msg)
{
    struct buf b = BUF_INIT;
    ofp_echo_encode(true, c->version, h->xid, msg + OFP_HEADER_LEN, h->len - OFP_HEADER_LEN, &b);
    conn_send(c, &b);
    buf_free(&b);
}

const void *conn_receive(struct conn *c, struct ofp_header *h, msec_t silence)
{
    msec_t end = wait_end(silence);
    for (;;) {
        const uint8_t *msg = buffered(c, h);
        enum ofp_msg_type type;
        if (!msg) {
            if (!wait_fd(c->fd, POLLIN, end))
                return NULL;
            if (!read_some(c))
                die_of_end(c);
            continue;
        }
        if (options.verbose)
            trace_message(c, "received", msg, h->len);
        if (!c->listens && !ofp_msg_decode_type(msg, h->len, h, &type, NULL, NULL) && type == OFPMSG_ECHO_REQUEST) {
            uint8_t *copy = xmemdup(msg, h->len); /* sending may receive */
            c->taken += h->len;
            answer_echo(c, h, copy);
            free(copy);
            continue;
        }
        c->taken += h->len;
        return msg;
    }
}

const void *conn_receive_or_die(struct conn *c, struct ofp_header *h)
{
    const void *msg = conn_receive(c, h, SILENCE);
    if (!msg)
        die("%s: the switch does not answer; gave up waiting%s", c->target,
            options.deadline ? "" : " (-t SECONDS waits longer)");
    return msg;
}

/* --- HELLO --- */

static __attribute__((noreturn)) void die_of_versions(const struct conn *c, uint32_t theirs)
{
    static struct buf text;
    uint32_t ours = options.versions, able = theirs & OFP_VERSIONS_SPOKEN;
    buf_printf(&text, "%s: the switch speaks OpenFlow ", c->target);
    ofp_versions_format(theirs, &text);
    buf_puts(&text, ", and xvs-ofctl was allowed ");
    ofp_versions_format(ours, &text);
    if (able) {
        buf_puts(&text, ": add -O ");
        ofp_versions_format_names(1u << ofp_version_highest(able), &text);
        buf_puts(&text, ", or let the bridge speak more: xvs-ctl");
    } else {
        buf_puts(&text, ": let the bridge speak one of these: xvs-ctl");
    }
    buf_puts(&text, " (Open vSwitch: ovs-vsctl) set bridge BRIDGE protocols=");
    ofp_versions_format_names(ours, &text);
    die("%s", buf_text(&text));
}

uint8_t options_version(void) { return ofp_version_highest(options.versions); }

static void say_hello(struct conn *c)
{
    struct buf b = BUF_INIT;
    struct ofp_header h;
    enum ofp_msg_type type;
    struct rd body;
    uint32_t versions;
    hello_encode(options.versions, conn_xid(c), &b);
    conn_send(c, &b);
    buf_free(&b);

    const void *msg = conn_receive_or_die(c, &h);
    enum ofp_error e = ofp_msg_decode_type(msg, h.len, &h, &type, &body, NULL);
    if (!e && type == OFPMSG_ERROR) {
        struct buf text = BUF_INIT;
        error_text(msg, h.len, &text);
        die("%s: the switch refuses the connection: %s", c->target, buf_text(&text));
    }
    if (e || type != OFPMSG_HELLO || hello_decode(&h, body, &versions))
        die("%s: this is not an OpenFlow switch: its first message is no HELLO", c->target);
    c->version = ofp_version_highest(versions & options.versions);
    if (!c->version)
        die_of_versions(c, versions);
    if (options.verbose)
        fprintf(stderr, "%s: OpenFlow 1.%d is spoken\n", c->target, c->version - OFP10);
    c->greeted = true;
}

static struct conn *conn_new(const char *target, const char *suffix)
{
    static struct conn *volatile dying; /* die() leaves it as it is: no leak */
    struct conn *c = dying = xzalloc(sizeof *c);
    c->target = target;
    c->n_tunnels = -1;
    c->nicira = -1;
    c->fd = open_target(target, suffix);
    return c;
}

struct conn *conn_open(const char *target)
{
    struct conn *c = conn_new(target, "mgmt");
    say_hello(c);
    return c;
}

struct conn *conn_open_snoop(const char *target)
{
    struct conn *c = conn_new(target, "snoop");
    struct buf hello = BUF_INIT;
    c->greeted = c->listens = true;
    hello_encode(OFP_VERSIONS_SPOKEN, conn_xid(c), &hello); /* Open vSwitch waits for it */
    conn_send(c, &hello);
    buf_free(&hello);
    return c;
}

void conn_close(struct conn *c)
{
    if (!c)
        return;
    close(c->fd);
    buf_free(&c->in);
    free(c->ports);
    free(c);
}

/* --- Requests --- */

void error_text(const void *error_msg, size_t len, struct buf *out)
{
    struct rd body;
    struct ofp_error_msg e;
    struct ofp_header h;
    if (ofp_msg_decode_type(error_msg, len, &h, NULL, &body, NULL) || error_msg_decode(h.version, body, &e)) {
        buf_puts(out, "an error that is malformed itself");
        return;
    }
    if (e.error)
        buf_printf(out, "%s (%s)", ofp_error_sentence(e.error), ofp_error_name(e.error));
    else if (e.experimenter)
        buf_printf(out, "an error of experimenter 0x%x, type %u, that xvs-ofctl does not know", e.experimenter, e.code);
    else
        buf_printf(out, "an error of type %u, code %u, that xvs-ofctl does not know", e.type, e.code);
    if (e.type == 0 && e.data_len && memchr(e.data, '\0', e.data_len) == NULL)
        buf_printf(out, ": %.*s", (int)e.data_len, (const char *)e.data);
}

static uint32_t request_xid(const struct buf *request)
{
    struct ofp_header h = {0};
    ofp_header_peek(request->data, request->len, &h);
    return h.xid;
}

bool conn_stream(struct conn *c, const struct buf *request, enum ofp_msg_type expect, struct reply *r,
                 void (*part)(struct reply *, struct rd body, void *aux), void *aux)
{
    uint32_t xid = request_xid(request);
    *r = (struct reply){0};
    conn_send(c, request);
    for (bool more = true, first = true; more;) {
        struct ofp_header h;
        enum ofp_msg_type type;
        struct rd body;
        const void *msg = conn_receive_or_die(c, &h);
        enum ofp_error e = ofp_msg_decode_type(msg, h.len, &h, &type, &body, &more);
        if (h.xid != xid) {
            more = true; /* what nobody asked for: packet-ins, port status */
            continue;
        }
        if (e)
            die("%s: the switch's answer is malformed: %s", c->target, ofp_error_sentence(e));
        if (type == OFPMSG_ERROR) {
            buf_put(&r->error, msg, h.len);
            return false;
        }
        if (type != expect)
            die("%s: the switch answers with %s instead of %s", c->target, ofp_msg_name(type), ofp_msg_name(expect));
        if (first) {
            r->type = type;
            r->header = h;
        }
        first = false;
        part(r, body, aux);
    }
    return true;
}

static void collect(struct reply *r, struct rd body, void *aux UNUSED) { buf_put(&r->body, body.p, rd_left(&body)); }

bool conn_try(struct conn *c, const struct buf *request, enum ofp_msg_type expect, struct reply *r)
{
    bool ok = conn_stream(c, request, expect, r, collect, NULL);
    buf_reserve(&r->body, 1);
    return ok;
}

void die_of_refusal(struct conn *c, struct reply *r)
{
    struct buf text = BUF_INIT;
    error_text(r->error.data, r->error.len, &text);
    die("%s: the switch refuses: %s", c->target, buf_text(&text));
}

void conn_transact(struct conn *c, const struct buf *request, enum ofp_msg_type expect, struct reply *r)
{
    if (!conn_try(c, request, expect, r))
        die_of_refusal(c, r);
}

void conn_request(struct conn *c, enum ofp_msg_type request, enum ofp_msg_type expect, struct reply *r)
{
    struct buf b = BUF_INIT;
    ofp_simple_encode(request, c->version, conn_xid(c), &b);
    conn_transact(c, &b, expect, r);
    buf_free(&b);
}

/* Two requests that have no answer but an error, so a barrier follows. */
bool conn_nicira(struct conn *c)
{
    struct buf b = BUF_INIT;
    if (c->nicira >= 0 || c->version != OFP10)
        return c->nicira > 0;
    uint32_t first = c->xid + 1;
    nx_flow_format_encode(NXFF_NXM, c->version, conn_xid(c), &b);
    nx_table_id_encode(true, c->version, conn_xid(c), &b);
    ofp_simple_encode(OFPMSG_BARRIER_REQUEST, c->version, conn_xid(c), &b);
    conn_send(c, &b);
    buf_free(&b);
    c->nicira = 1;
    for (;;) {
        struct ofp_header h;
        enum ofp_msg_type type;
        const void *msg = conn_receive_or_die(c, &h);
        if (ofp_msg_decode_type(msg, h.len, &h, &type, NULL, NULL))
            continue;
        if (type == OFPMSG_ERROR && h.xid - first < 2)
            c->nicira = 0;
        else if (h.xid == c->xid && (type == OFPMSG_BARRIER_REPLY || type == OFPMSG_ERROR))
            return c->nicira > 0;
    }
}

/* Errors come before the barrier's reply. */
void conn_finish(struct conn *c, struct buf *out)
{
    uint32_t xid = conn_xid(c);
    ofp_simple_encode(OFPMSG_BARRIER_REQUEST, c->version, xid, out);
    conn_send(c, out);
    bool refused = false;
    for (;;) {
        struct ofp_header h;
        enum ofp_msg_type type;
        const void *msg = conn_receive_or_die(c, &h);
        if (ofp_msg_decode_type(msg, h.len, &h, &type, NULL, NULL))
            continue;
        if (type == OFPMSG_ERROR) {
            struct buf text = BUF_INIT;
            error_text(msg, h.len, &text);
            fprintf(stderr, PROGRAM ": %s: the switch refuses: %s\n", c->target, buf_text(&text));
            buf_free(&text);
            refused = true;
        }
        if (h.xid == xid)
            break;
    }
    if (refused)
        exit(1);
}

void reply_free(struct reply *r)
{
    buf_free(&r->body);
    buf_free(&r->error);
}

void reply_print(struct conn *c, const struct reply *r)
{
    struct buf text = BUF_INIT;
    ofp_msg_format_header(r->type, &r->header, &text);
    ofp_msg_format_body(r->type, &r->header, reply_rd(r), ports_for_print(c), 1, &text);
    print_text(buf_text(&text));
    buf_free(&text);
}
