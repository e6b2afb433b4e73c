/* controller.c: OpenFlow sessions over sockets. The protocol is ofproto's; here are connecting, listening, pauses. */
#include "base/log.h"
#include "base/mem.h"
#include "vswitchd/switch.h"

LOG_MODULE(controller);

enum { FIRST_PAUSE = 1000, LONGEST_PAUSE = 8000, PROBE = 5000 };

static void try_connect(uv_timer_t *);

/* --- sessions --- */

static void session_end(struct session *s)
{
    cds_list_del(&s->node);
    if (s->conn)
        ofconn_close(s->conn);
    if (s->stream)
        stream_finish(s->stream); /* an error message that ends the session still goes out */
    free(s);
}

static void set_error(struct controller *c, const char *why)
{
    free(c->last_error);
    c->last_error = xstrdup(why);
    c->since = clock_msec();
}

static void session_over(struct session *s, const char *why)
{
    struct controller *c = s->controller;
    if (s->over)
        return;
    s->over = true;
    if (!c->service)
        log_info("%s: %s: %s", c->bridge->name, c->target, why);
    set_error(c, why);
    if (!c->passive) {
        uv_timer_start(&c->retry, try_connect, c->pause, 0);
        c->pause = MIN(c->pause * 2, LONGEST_PAUSE);
    }
    bridge_controllers_changed(c->bridge);
}

void bridge_sweep_sessions(struct bridge *b)
{
    struct controller *c;
    struct session *s, *next;
    cds_list_for_each_entry (c, &b->controllers, node)
        cds_list_for_each_entry_safe (s, next, &c->sessions, node)
            if (s->over)
                session_end(s);
    if (b->mgmt)
        cds_list_for_each_entry_safe (s, next, &b->mgmt->sessions, node)
            if (s->over)
                session_end(s);
}

static void on_send(void *aux, const void *data, size_t len)
{
    struct session *s = aux;
    if (s->stream)
        stream_send(s->stream, data, len);
}

static size_t on_backlog(void *aux)
{
    struct session *s = aux;
    return s->stream ? stream_backlog(s->stream) : 0;
}

static void on_hang_up(void *aux, const char *why) { session_over(aux, why); }

static void on_state(void *aux)
{
    struct session *s = aux;
    struct controller *c = s->controller;
    struct ofconn_status status;
    ofconn_get_status(s->conn, &status);
    if (status.up) {
        if (!c->service && *c->last_error != '\0')
            log_info("%s: %s: connected", c->bridge->name, c->target);
        c->pause = FIRST_PAUSE;
        set_error(c, "");
    }
    bridge_controllers_changed(c->bridge);
}

static const struct ofconn_callbacks conn_callbacks = {on_send, on_backlog, on_hang_up, on_state};

static void session_begin(struct session *s)
{
    struct controller *c = s->controller;
    /* A controller that dialled in gets asynchronous messages only once it asks, like Open vSwitch's passive ones. */
    enum ofconn_kind kind = c->passive ? OFCONN_SERVICE : OFCONN_CONTROLLER;
    s->conn = ofconn_open(c->bridge->of, kind, &conn_callbacks, s, c->passive ? 0 : PROBE);
}

static void on_data(void *aux, const void *data, size_t len)
{
    struct session *s = aux;
    if (!s->over)
        ofconn_receive(s->conn, data, len, clock_msec());
}

static void on_closed(void *aux, const char *why)
{
    struct session *s = aux;
    stream_close(s->stream);
    s->stream = NULL; /* its memory goes before the round in which the session does */
    session_over(s, why);
}

static void on_opened(void *aux) { session_begin(aux); }

static const struct stream_callbacks stream_callbacks = {on_opened, on_data, on_closed};

static struct session *session_new(struct controller *c)
{
    struct session *s = xzalloc(sizeof *s);
    s->controller = c;
    cds_list_add_tail(&s->node, &c->sessions);
    return s;
}

static void on_accepted(void *aux, struct stream *stream)
{
    struct session *s = session_new(aux);
    s->stream = stream;
    session_begin(s);
    stream_start(stream, &stream_callbacks, s);
}

/* --- targets --- */

static void try_connect(uv_timer_t *t)
{
    struct controller *c = t->data;
    struct diag d = DIAG_INIT;
    struct session *s = session_new(c);
    s->stream = stream_connect(c->bridge->sw->loop, c->target, &stream_callbacks, s, &d);
    if (!s->stream) { /* checked when configured: only a resolver's fault comes here */
        log_warn_rl("%s: %s: %s", c->bridge->name, c->target, buf_text(&d.message));
        cds_list_del(&s->node);
        free(s);
        uv_timer_start(&c->retry, try_connect, LONGEST_PAUSE, 0);
    }
    diag_free(&d);
}

struct controller *controller_open(struct bridge *b, const char *target, bool service, struct diag *d)
{
    struct controller *c = xzalloc(sizeof *c);
    c->bridge = b;
    c->target = xstrdup(target);
    c->passive = !strncmp(target, "p", 1);
    c->service = service;
    c->pause = FIRST_PAUSE;
    c->last_error = xstrdup("not connected yet");
    c->since = clock_msec();
    CDS_INIT_LIST_HEAD(&c->sessions);
    CDS_INIT_LIST_HEAD(&c->node);
    uv_timer_init(b->sw->loop, &c->retry);
    c->retry.data = c;
    if (c->passive) {
        c->listener = listener_open(b->sw->loop, target, on_accepted, c, d);
        if (!c->listener) {
            controller_close(c);
            return NULL;
        }
    } else
        try_connect(&c->retry);
    return c;
}

static void on_retry_closed(uv_handle_t *h)
{
    struct controller *c = h->data;
    free(c->target);
    free(c->last_error);
    free(c);
}

void controller_close(struct controller *c)
{
    struct session *s, *next;
    cds_list_for_each_entry_safe (s, next, &c->sessions, node)
        session_end(s);
    if (c->listener)
        listener_close(c->listener);
    cds_list_del(&c->node);
    uv_close((uv_handle_t *)&c->retry, on_retry_closed);
}

bool controller_connected(const struct controller *c)
{
    struct session *s;
    cds_list_for_each_entry (s, &c->sessions, node) {
        struct ofconn_status status = {0};
        if (s->conn && !s->over)
            ofconn_get_status(s->conn, &status);
        if (status.up)
            return true;
    }
    return false;
}

void bridge_controllers_changed(struct bridge *b)
{
    struct controller *c;
    unsigned configured = 0;
    bool connected = false;
    cds_list_for_each_entry (c, &b->controllers, node) {
        /* Somebody who may dial in, or not, is no reason to wait: only active targets count as controllers. */
        configured += !c->passive;
        connected |= !c->passive && controller_connected(c);
    }
    ofproto_set_controllers(b->of, configured, connected);
}
