#include "vswitchd/stream.h"
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <urcu/list.h>
#include "base/mem.h"

enum { DEFAULT_PORT = 6653, READ_SIZE = 65536, ENOUGH = 65536 /* bytes to send at once */ };

struct stream {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } h;
    union {
        uv_connect_t connect;
        uv_getaddrinfo_t resolve;
    } req;
    uv_write_t write;
    struct buf flying; /* given to uv_write */
    struct buf queue;  /* to go after it */
    struct cds_list_head waiting; /* in `waiting`, if something is queued and nothing flies */
    bool busy, closing, finishing, tcp;
    unsigned refs; /* libuv's hold on us: the handle, a pending resolve */
    char *port;
    const struct stream_callbacks *callbacks;
    void *aux;
    uint8_t in[READ_SIZE];
};

struct listener {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } h;
    bool tcp;
    char *file;
    void (*accepted)(void *aux, struct stream *);
    void *aux;
};

/* Small messages are collected until the end of a round: one system call for all of them. */
static CDS_LIST_HEAD(waiting);

static struct stream *new_stream(uv_loop_t *loop, bool tcp)
{
    struct stream *s = xzalloc(sizeof *s);
    s->tcp = tcp;
    s->refs = 1;
    if (tcp) {
        uv_tcp_init(loop, &s->h.tcp);
    } else
        uv_pipe_init(loop, &s->h.pipe, 0);
    s->h.handle.data = s;
    CDS_INIT_LIST_HEAD(&s->waiting);
    return s;
}

static void unref(struct stream *s)
{
    if (--s->refs)
        return;
    buf_free(&s->flying);
    buf_free(&s->queue);
    free(s->port);
    free(s);
}

static void on_closed(uv_handle_t *h) { unref(h->data); }

void stream_close(struct stream *s)
{
    s->callbacks = NULL;
    if (!s->closing) {
        s->closing = true;
        cds_list_del_init(&s->waiting);
        uv_close(&s->h.handle, on_closed);
    }
}

static void fail(struct stream *s, const char *why)
{
    const struct stream_callbacks *c = s->callbacks;
    if (c)
        c->closed(s->aux, why);
    else
        stream_close(s);
}

static void on_alloc(uv_handle_t *h, size_t size UNUSED, uv_buf_t *b)
{
    struct stream *s = h->data;
    *b = uv_buf_init((char *)s->in, sizeof s->in);
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *b UNUSED)
{
    struct stream *s = h->data;
    if (n < 0)
        fail(s, n == UV_EOF ? "the peer closed the connection" : uv_strerror(n));
    else if (n > 0 && s->callbacks)
        s->callbacks->data(s->aux, s->in, n);
}

static void flush(struct stream *s);

static void on_written(uv_write_t *w, int status)
{
    struct stream *s = container_of(w, struct stream, write);
    s->busy = false;
    if (s->closing)
        return;
    if (status < 0)
        fail(s, uv_strerror(status));
    else
        flush(s);
}

static void flush(struct stream *s)
{
    if (s->busy || s->closing)
        return;
    if (!s->queue.len) {
        if (s->finishing)
            stream_close(s);
        return;
    }
    cds_list_del_init(&s->waiting);
    uv_buf_t out = uv_buf_init((char *)s->queue.data, s->queue.len);
    int n = uv_try_write(&s->h.stream, &out, 1);
    if (n == (int)s->queue.len) {
        buf_clear(&s->queue);
        if (s->queue.size > 4 * ENOUGH)
            buf_free(&s->queue);
        if (s->finishing)
            stream_close(s);
        return;
    }
    struct buf b = s->flying;
    s->flying = s->queue;
    s->queue = b;
    buf_clear(&s->queue);
    n = MAX(n, 0);
    out = uv_buf_init((char *)s->flying.data + n, s->flying.len - n);
    s->busy = true;
    if (uv_write(&s->write, &s->h.stream, &out, 1, on_written))
        s->busy = false; /* on_read hears of it as well */
}

void stream_send(struct stream *s, const void *data, size_t len)
{
    if (s->closing)
        return;
    buf_put(&s->queue, data, len);
    if (s->queue.len >= ENOUGH)
        flush(s);
    else if (!s->busy && cds_list_empty(&s->waiting))
        cds_list_add_tail(&s->waiting, &waiting);
}

void streams_flush(void)
{
    struct stream *s, *next;
    cds_list_for_each_entry_safe (s, next, &waiting, waiting) {
        cds_list_del_init(&s->waiting);
        flush(s);
    }
}

size_t stream_backlog(const struct stream *s) { return s->queue.len + (s->busy ? s->flying.len : 0); }

void stream_finish(struct stream *s)
{
    s->callbacks = NULL;
    s->finishing = true;
    flush(s);
}

void stream_start(struct stream *s, const struct stream_callbacks *callbacks, void *aux)
{
    s->callbacks = callbacks;
    s->aux = aux;
    if (s->tcp)
        uv_tcp_nodelay(&s->h.tcp, 1);
    uv_read_start(&s->h.stream, on_alloc, on_read);
}

static void on_connected(uv_connect_t *c, int status)
{
    struct stream *s = container_of(c, struct stream, req.connect);
    if (s->closing || status == UV_ECANCELED)
        return;
    if (status < 0) {
        fail(s, uv_strerror(status));
        return;
    }
    stream_start(s, s->callbacks, s->aux);
    if (s->callbacks)
        s->callbacks->opened(s->aux);
}

static void on_resolved(uv_getaddrinfo_t *r, int status, struct addrinfo *found)
{
    struct stream *s = container_of(r, struct stream, req.resolve);
    if (!s->closing) {
        if (status >= 0)
            status = uv_tcp_connect(&s->req.connect, &s->h.tcp, found->ai_addr, on_connected);
        if (status < 0)
            fail(s, uv_strerror(status));
    }
    uv_freeaddrinfo(found);
    unref(s);
}

/* "HOST[:PORT]", "[V6][:PORT]" → host and port, both allocated. */
static bool split_host(const char *text, char **host, char **port)
{
    const char *end, *colon;
    if (*text == '[') {
        end = strchr(text, ']');
        if (!end || (end[1] && end[1] != ':'))
            return false;
        *host = xasprintf("%.*s", (int)(end - text - 1), text + 1);
        colon = end[1] ? end + 1 : NULL;
    } else {
        colon = strrchr(text, ':');
        end = colon ? colon : text + strlen(text);
        *host = xasprintf("%.*s", (int)(end - text), text);
    }
    *port = colon && colon[1] ? xstrdup(colon + 1) : xasprintf("%d", DEFAULT_PORT);
    return true;
}

struct stream *stream_connect(uv_loop_t *loop, const char *target, const struct stream_callbacks *callbacks, void *aux,
                              struct diag *d)
{
    if (!strncmp(target, "unix:", 5)) {
        struct stream *s = new_stream(loop, false);
        s->callbacks = callbacks;
        s->aux = aux;
        uv_pipe_connect(&s->req.connect, &s->h.pipe, target + 5, on_connected);
        return s;
    }
    char *host, *port;
    if (strncmp(target, "tcp:", 4) || !split_host(target + 4, &host, &port)) {
        diag_fail(d, 0, 0, "'%s' is no tcp:HOST[:PORT] and no unix:FILE", target);
        return NULL;
    }
    struct stream *s = new_stream(loop, true);
    s->callbacks = callbacks;
    s->aux = aux;
    s->port = port;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    int error = uv_getaddrinfo(loop, &s->req.resolve, on_resolved, host, port, &hints);
    free(host);
    if (error) {
        diag_fail(d, 0, 0, "'%s': %s", target, uv_strerror(error));
        stream_close(s);
        return NULL;
    }
    s->refs++;
    return s;
}

/* --- listening --- */

static void on_listener_closed(uv_handle_t *h)
{
    struct listener *l = h->data;
    free(l->file);
    free(l);
}

void listener_close(struct listener *l)
{
    if (l->file)
        unlink(l->file);
    uv_close(&l->h.handle, on_listener_closed);
}

static void on_connection(uv_stream_t *h, int status)
{
    struct listener *l = h->data;
    if (status < 0)
        return;
    struct stream *s = new_stream(h->loop, l->tcp);
    if (uv_accept(h, &s->h.stream))
        stream_close(s);
    else
        l->accepted(l->aux, s);
}

/* A socket file that nobody listens on is left over from a daemon that was killed. */
static bool remove_stale(const char *file, struct diag *d)
{
    struct stat st;
    if (lstat(file, &st))
        return true;
    if (!S_ISSOCK(st.st_mode))
        return diag_fail(d, 0, 0, "%s: is there and is no socket", file);
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (strlen(file) >= sizeof a.sun_path)
        return diag_fail(d, 0, 0, "%s: longer than a socket's name may be (%zu bytes)", file, sizeof a.sun_path - 1);
    strcpy(a.sun_path, file);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool alive = fd >= 0 && (!connect(fd, (struct sockaddr *)&a, sizeof a) || errno == EAGAIN);
    if (fd >= 0)
        close(fd);
    if (alive)
        return diag_fail(d, 0, 0, "%s: another process listens there; is xvs-vswitchd running already?", file);
    unlink(file);
    return true;
}

static int listen_tcp(uv_loop_t *loop, struct listener *l, const char *target)
{
    /* ptcp:[PORT][:HOST] is tcp's order the other way round. */
    const char *colon = strchr(target, ':');
    int port_len = colon ? (int)(colon - target) : (int)strlen(target);
    const char *host = colon && colon[1] ? colon + 1 : "0.0.0.0";
    char port[16], bare[64];
    struct sockaddr_storage a;
    snprintf(port, sizeof port, "%.*s", port_len, target);
    int number = port_len ? atoi(port) : DEFAULT_PORT;
    if (number < 1 || number > 65535)
        return UV_EINVAL;
    snprintf(bare, sizeof bare, "%.*s", (int)strcspn(*host == '[' ? host + 1 : host, "]"), *host == '[' ? host + 1 : host);
    if (uv_ip4_addr(bare, number, (struct sockaddr_in *)&a) && uv_ip6_addr(bare, number, (struct sockaddr_in6 *)&a))
        return UV_EINVAL;
    uv_tcp_init(loop, &l->h.tcp);
    l->tcp = true;
    return uv_tcp_bind(&l->h.tcp, (struct sockaddr *)&a, 0);
}

struct listener *listener_open(uv_loop_t *loop, const char *target, void (*accepted)(void *aux, struct stream *), void *aux,
                               struct diag *d)
{
    struct listener *l = xzalloc(sizeof *l);
    int error = UV_EINVAL;
    l->accepted = accepted;
    l->aux = aux;
    if (!strncmp(target, "punix:", 6)) {
        if (!remove_stale(target + 6, d)) {
            free(l);
            return NULL;
        }
        uv_pipe_init(loop, &l->h.pipe, 0);
        error = uv_pipe_bind(&l->h.pipe, target + 6);
        l->file = error ? NULL : xstrdup(target + 6);
    } else if (!strncmp(target, "ptcp:", 5))
        error = listen_tcp(loop, l, target + 5);
    l->h.handle.data = l;
    if (!error)
        error = uv_listen(&l->h.stream, 64, on_connection);
    if (!error)
        return l;
    diag_fail(d, 0, 0, "cannot listen on '%s': %s", target, uv_strerror(error));
    if (l->tcp || l->file || !strncmp(target, "punix:", 6))
        listener_close(l);
    else
        free(l);
    return NULL;
}
