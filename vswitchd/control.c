/* control.c: the control socket: lines of JSON in, lines of JSON out (ctl/ctl.h). */
#include "base/mem.h"
#include "vswitchd/command.h"

struct control {
    struct sw *sw;
    struct listener *listener;
    struct cds_list_head clients;
};
struct client {
    struct cds_list_head node;
    struct control *control;
    struct stream *stream;
    struct buf in;
};

static void client_end(struct client *c, bool after_reply)
{
    cds_list_del(&c->node);
    if (after_reply)
        stream_finish(c->stream);
    else
        stream_close(c->stream);
    buf_free(&c->in);
    free(c);
}

static void on_data(void *aux, const void *data, size_t len)
{
    struct client *c = aux;
    struct diag d = DIAG_INIT;
    struct buf reply = BUF_INIT;
    struct ctl_request request = {0};
    buf_put(&c->in, data, len);
    const uint8_t *end = memchr(c->in.data, '\n', c->in.len);
    if (!end && c->in.len < CTL_MAX_REQUEST)
        return;
    if (!end)
        diag_fail(&d, 0, 0, "a request of more than %d bytes", CTL_MAX_REQUEST);
    if (end && ctl_request_parse((const char *)c->in.data, end - c->in.data, &request, &d))
        commands_run(c->control->sw, &request, &reply);
    else {
        struct buf text = BUF_INIT;
        buf_printf(&text, "xvs-ctl: %s\n", buf_text(&d.message));
        ctl_reply_format(1, "", buf_text(&text), &reply);
        buf_free(&text);
    }
    stream_send(c->stream, reply.data, reply.len);
    client_end(c, true);
    ctl_request_free(&request);
    buf_free(&reply);
    diag_free(&d);
}

static void on_closed(void *aux, const char *why UNUSED) { client_end(aux, false); }

static const struct stream_callbacks callbacks = {.data = on_data, .closed = on_closed};

static void on_accepted(void *aux, struct stream *stream)
{
    struct client *c = xzalloc(sizeof *c);
    c->control = aux;
    c->stream = stream;
    cds_list_add_tail(&c->node, &c->control->clients);
    stream_start(stream, &callbacks, c);
}

struct control *control_open(struct sw *sw, uv_loop_t *loop, const char *file, struct diag *d)
{
    struct control *c = xzalloc(sizeof *c);
    char *target = xasprintf("punix:%s", file);
    c->sw = sw;
    CDS_INIT_LIST_HEAD(&c->clients);
    c->listener = listener_open(loop, target, on_accepted, c, d);
    free(target);
    if (c->listener)
        return c;
    free(c);
    return NULL;
}

void control_close(struct control *c)
{
    struct client *client, *next;
    cds_list_for_each_entry_safe (client, next, &c->clients, node)
        client_end(client, true);
    listener_close(c->listener);
    free(c);
}
