/* execute-tag.c: the primitive actions of headers between Ethernet and IP, on batches. */
#include "config.h"
#include "datapath/execute.h"
#include "packet/gso.h"
#include "packet/modify.h"

/* Applies fn to all; those that it refuses are dropped. */
static unsigned each(struct exec *x, const struct dpact *a, struct packet *batch[], unsigned n,
                     bool (*fn)(struct packet *, const struct dpact *))
{
    unsigned left = 0;
    for (unsigned i = 0; i < n; i++)
        if (likely(fn(batch[i], a)))
            batch[left++] = batch[i];
        else
            packet_drop(x->w, batch[i], DROP_MALFORMED); /* as it is it might reach whom it must not */
    return left;
}

/* Without offloads no device knows what to do with super-segments below a label: they are cut first, and the pieces go
 * through the rest of the list, from `a` on, by themselves. False: there are none. */
static bool in_pieces(struct exec *x, const struct dpact *a, struct packet *batch[], unsigned n)
{
    struct packet *out[BATCH];
    unsigned n_out = 0, n_gso = 0;
    for (unsigned i = 0; i < n; i++)
        n_gso += batch[i]->gso != GSO_NONE;
    if (likely(!n_gso))
        return false;
    for (unsigned i = 0; i < n; i++) {
        struct gso_cut cut = {.more = false};
        struct packet *p = batch[i], *piece = p;
        bool whole = !p->gso || !gso_begin(&cut, p);
        do {
            if (whole) {
                p->gso = GSO_NONE;
            } else {
                piece = packet_new(x->w);
                gso_next(&cut, piece);
            }
            if (n_out == BATCH) {
                exec_list(x->w, a, (size_t)(x->end - (const uint8_t *)a), x->drop, x->nesting + 1, out, n_out);
                n_out = 0;
            }
            out[n_out++] = piece;
        } while (!whole && cut.more);
        if (!whole)
            packet_free(x->w, p);
    }
    exec_list(x->w, a, (size_t)(x->end - (const uint8_t *)a), x->drop, x->nesting + 1, out, n_out);
    x->next = (const struct dpact *)x->end;
    return true;
}

static bool push_mpls(struct packet *p, const struct dpact *a)
{
    exec_finish_csum(p);
    return packet_push_mpls(p, htons((uint16_t)a->arg), ((const struct dpact_mpls *)a)->lse);
}
static bool push_pbb(struct packet *p, const struct dpact *a)
{
    exec_finish_csum(p);
    return packet_push_pbb(p, htonl(a->arg));
}
static bool pop_mpls(struct packet *p, const struct dpact *a) { return packet_pop_mpls(p, htons((uint16_t)a->arg)); }
static bool pop_pbb(struct packet *p, const struct dpact *a) { return (void)a, packet_pop_pbb(p); }

unsigned exec_PUSH_MPLS(struct exec *x, const struct dpact *a, struct packet *batch[], unsigned n)
{
    return unlikely(in_pieces(x, a, batch, n)) ? 0 : each(x, a, batch, n, push_mpls);
}

unsigned exec_PUSH_PBB(struct exec *x, const struct dpact *a, struct packet *batch[], unsigned n)
{
    return unlikely(in_pieces(x, a, batch, n)) ? 0 : each(x, a, batch, n, push_pbb);
}

unsigned exec_POP_MPLS(struct exec *x, const struct dpact *a, struct packet *batch[], unsigned n)
{
    return each(x, a, batch, n, pop_mpls);
}

unsigned exec_POP_PBB(struct exec *x, const struct dpact *a, struct packet *batch[], unsigned n)
{
    return each(x, a, batch, n, pop_pbb);
}

/* Where there is nothing to copy from or to, nothing is. */
unsigned exec_COPY_TTL_OUT(struct exec *x, const struct dpact *a, struct packet *batch[], unsigned n)
{
    (void)x, (void)a;
    for (unsigned i = 0; i < n; i++)
        packet_copy_ttl_out(batch[i]);
    return n;
}

unsigned exec_COPY_TTL_IN(struct exec *x, const struct dpact *a, struct packet *batch[], unsigned n)
{
    (void)x, (void)a;
    for (unsigned i = 0; i < n; i++)
        packet_copy_ttl_in(batch[i]);
    return n;
}
