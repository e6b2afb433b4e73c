#include <unistd.h>
#include "ofctl/flows.h"
#include "ofctl/progress.h"

struct request {
    struct conn *c;
    void (*begin)(const struct reply *);
    void (*each)(const struct flow_stats *, struct buf *acts, void *aux);
    void *aux;
    bool begun, incomplete;
    size_t n;
    struct progress progress;
};

/* The next entry, cut out by its length, so that one which we do not understand hides no other. */
static struct rd next_entry(struct rd *rd)
{
    struct rd ahead = *rd;
    uint16_t length = rd_u16(&ahead);
    return rd_sub(rd, MAX(length, 2));
}

static void decode_part(struct request *d, struct rd rd)
{
    struct buf acts = BUF_INIT;
    while (rd_left(&rd)) {
        struct rd entry = next_entry(&rd);
        struct flow_stats s;
        enum ofp_error e = conn_nicira(d->c) ? nx_flow_stats_decode(d->c->version, &entry, &s, &acts)
                                             : flow_stats_decode(d->c->version, &entry, &s, &acts);
        if (e) {
            warn("%s: left out a flow that xvs-ofctl cannot read: %s (%s)", d->c->target, ofp_error_sentence(e),
                 ofp_error_name(e));
            d->incomplete = true;
        } else {
            d->each(&s, &acts, d->aux);
            d->n++;
        }
    }
    buf_free(&acts);
}

static void take_part(struct reply *r, struct rd body, void *request)
{
    struct request *d = request;
    if (!d->begun && d->begin)
        d->begin(r);
    d->begun = true;
    decode_part(d, body);
    progress_show(&d->progress, d->n, 0);
}

/* 1.0 has two forms; Nicira's says more. */
enum ofp_msg_type flows_request_encode(struct conn *c, const struct flow_stats_request *request, bool aggregate, struct buf *b)
{
    if (conn_nicira(c)) {
        nx_flow_stats_request_encode(request, aggregate, c->version, conn_xid(c), b);
        return aggregate ? OFPMSG_NX_AGGREGATE_REPLY : OFPMSG_NX_FLOW_STATS_REPLY;
    }
    flow_stats_request_encode(request, aggregate, c->version, conn_xid(c), b);
    return aggregate ? OFPMSG_AGGREGATE_REPLY : OFPMSG_FLOW_STATS_REPLY;
}

bool flows_request(struct conn *c, const struct flow_stats_request *request, void (*begin)(const struct reply *),
                   void (*each)(const struct flow_stats *, struct buf *acts, void *aux), void *aux)
{
    struct request d = {.c = c, .begin = begin, .each = each, .aux = aux, .progress = progress_begin("flows")};
    d.progress.terminal &= !isatty(STDOUT_FILENO); /* there the flows themselves show it */
    struct buf b = BUF_INIT;
    struct reply r;
    enum ofp_msg_type reply = flows_request_encode(c, request, false, &b);
    if (!conn_stream(c, &b, reply, &r, take_part, &d))
        die_of_refusal(c, &r);
    progress_end(&d.progress);
    reply_free(&r);
    buf_free(&b);
    return !d.incomplete;
}
