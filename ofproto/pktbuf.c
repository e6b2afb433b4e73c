/* pktbuf.c: packets that wait for a controller's word (OpenFlow 1.3.5, 5.1.2, 6.1.2: "buffered by the switch").
 *
 * A packet-in that shows less than the whole packet leaves it here, for a packet-out or flow-mod with its buffer_id. When
 * there is no room, nothing is thrown out: the packet goes to the controller whole. The number of a buffer is its slot and
 * how often that has been used, so an old number is not taken for a new one. */
#include "base/mem.h"
#include "ofproto/pktbuf.h"

enum { MAX_BYTES = 2 << 20, LIFETIME = 10000 /* ms */ };

struct pktbufs {
    struct slot {
        struct pktbuf buf; /* buf.data NULL: free */
        uint32_t uses;
        msec_t until;
    } slot[N_PKTBUFS];
    size_t n, bytes;
    unsigned next; /* where to look for a free one */
};

static uint32_t number(const struct pktbufs *b, const struct slot *s)
{
    return (uint32_t)(s - b->slot) | (s->uses & 0x7fffff) << 8;
}

static void empty(struct pktbufs *b, struct slot *s)
{
    free(s->buf.data);
    s->buf.data = NULL;
    b->n--;
    b->bytes -= s->buf.len;
}

static void expire(struct pktbufs *b, msec_t now)
{
    for (struct slot *s = b->slot; b->n && s < b->slot + N_PKTBUFS; s++)
        if (s->buf.data && now >= s->until)
            empty(b, s);
}

uint32_t pktbuf_put(struct ofproto *o, const struct packet *p, uint32_t in_port)
{
    struct pktbufs *b = o->pktbufs;
    msec_t now = clock_msec();
    if (!b)
        b = o->pktbufs = xzalloc(sizeof *b);
    if (b->n == N_PKTBUFS || b->bytes + p->len > MAX_BYTES)
        expire(b, now);
    if (b->n == N_PKTBUFS || b->bytes + p->len > MAX_BYTES)
        return OFP_NO_BUFFER;
    while (b->slot[b->next].buf.data)
        b->next = (b->next + 1) % N_PKTBUFS;
    struct slot *s = &b->slot[b->next];
    b->next = (b->next + 1) % N_PKTBUFS;
    s->buf = (struct pktbuf){.data = xmemdup(p->data, p->len), .len = p->len, .in_port = in_port, .meta = *p};
    s->uses++;
    s->until = now + LIFETIME;
    b->n++;
    b->bytes += p->len;
    return number(b, s);
}

static enum ofp_error find(const struct ofproto *o, uint32_t id, struct slot **found)
{
    struct pktbufs *b = o->pktbufs;
    struct slot *s = b ? &b->slot[id % N_PKTBUFS] : NULL;
    if (!s || !s->uses || number(b, s) != id)
        return OFPERR_BRC_BUFFER_UNKNOWN;
    *found = s;
    return s->buf.data && clock_msec() < s->until ? OFPERR_OK : OFPERR_BRC_BUFFER_EMPTY;
}

enum ofp_error pktbuf_check(const struct ofproto *o, uint32_t id)
{
    struct slot *s;
    return find(o, id, &s);
}

const struct pktbuf *pktbuf_get(const struct ofproto *o, uint32_t id)
{
    struct slot *s;
    return find(o, id, &s) ? NULL : &s->buf;
}

void pktbuf_drop(struct ofproto *o, uint32_t id)
{
    struct slot *s;
    if (!find(o, id, &s))
        empty(o->pktbufs, s);
}

void pktbufs_destroy(struct ofproto *o)
{
    if (o->pktbufs)
        expire(o->pktbufs, INT64_MAX);
    free(o->pktbufs);
}
