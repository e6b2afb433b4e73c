/* dump.c: flow statistics, told as fast as the peer takes them.
 *
 * A million flows are more than a hundred megabytes of reply. So the rules are chosen when the request comes, and encoded
 * part by part as the peer reads. The rules stay where they are: before one is unlinked (dumps_finish()), every reply under
 * way is encoded to its end, as it is when the peer sends so much that its requests cannot wait. */
#include "ofproto/session.h"
#include "base/mem.h"

void dump_add(struct ofconn *c, struct rule *r)
{
    struct flow_dump *d = &c->dump;
    if (d->n == d->size) {
        d->size = d->size ? 2 * d->size : 64;
        d->rules = xrealloc(d->rules, d->size * sizeof *d->rules);
    }
    d->rules[d->n++] = r;
}

void dump_close(struct ofconn *c)
{
    free(c->dump.rules);
    buf_free(&c->dump.out);
    c->dump = (struct flow_dump){0};
}

static void send_parts(struct ofconn *c, size_t len)
{
    struct buf whole = BUF_INIT;
    buf_put(&whole, c->dump.out.data, len);
    ofconn_send(c, &whole);
}

/* Sends the parts that are full; the one that is not moves to the front. */
static void send_full_parts(struct ofconn *c)
{
    struct flow_dump *d = &c->dump;
    size_t n = d->parts.at;
    send_parts(c, n);
    memmove(d->out.data, d->out.data + n, d->out.len - n);
    d->out.len -= n;
    d->parts.entry -= n;
    d->parts.at = 0;
}

void dump_run(struct ofconn *c, size_t backlog)
{
    struct flow_dump *d = &c->dump;
    while (d->at < d->n && !c->dead && ofconn_backlog(c) < backlog) {
        d->put(c, d->rules[d->at++]);
        if (d->parts.at)
            send_full_parts(c);
    }
    if (d->at == d->n || c->dead) {
        if (!c->dead) {
            ofp_parts_end(&d->parts);
            send_parts(c, d->out.len);
        }
        dump_close(c);
    }
}

void dump_start(struct ofconn *c, enum ofp_msg_type reply, uint32_t xid, msec_t now, void (*put)(struct ofconn *, struct rule *))
{
    c->dump.now = now;
    c->dump.put = put;
    ofp_parts_begin(&c->dump.parts, &c->dump.out, c->version, reply, xid);
    dump_run(c, SEND_HIGH);
}

static void add(struct rule *r, void *c) { dump_add(c, r); }

static void put_stats(struct ofconn *c, struct rule *r)
{
    struct flow_stats fs;
    rule_fill_stats(c->o, r, c->dump.now, &fs);
    flow_stats_encode(&fs, &c->dump.parts);
}

void dump_begin(struct ofconn *c, enum ofp_msg_type reply, const struct flow_stats_request *q, uint32_t xid, msec_t now)
{
    assert(!dump_is_on(c));
    tables_select(c->o, q, add, c);
    dump_start(c, reply, xid, now, put_stats);
}

void dumps_finish(struct ofproto *o)
{
    struct ofconn *c;
    cds_list_for_each_entry (c, &o->conns, node)
        if (dump_is_on(c))
            dump_run(c, SIZE_MAX);
}
