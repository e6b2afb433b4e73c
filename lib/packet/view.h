/* view.h: a key that knows which of its bits have been looked at.
 *
 * The walk reads packets through a view only. Every read marks the bits that it took: `consulted` is then the exact
 * set of bits on which the outcome depends, and the flow cache is keyed on them. Bits that the walk itself has written
 * are constants of the walk: reading them marks nothing. Masks are computed nowhere else.
 *
 * Example: a view is a value on the stack of whoever walks; no threads. */
#ifndef PACKET_VIEW_H
#define PACKET_VIEW_H 1

#include <string.h>
#include "packet/key.h"

struct flow_view {
    struct flow_key key;       /* as the pipeline sees it now */
    struct flow_key consulted; /* bits of the packet's original key on which something depended */
    struct flow_key written;   /* bits that no longer come from the packet */
};

static inline void view_init(struct flow_view *v, const struct flow_key *key)
{
    v->key = *key;
    memset(&v->consulted, 0, sizeof v->consulted);
    memset(&v->written, 0, sizeof v->written);
}

/* Reads the bits `mask` of word `w`. */
static inline uint64_t view_read(struct flow_view *v, unsigned w, uint64_t mask)
{
    key_words(&v->consulted)[w] |= mask & ~key_words(&v->written)[w];
    return key_words(&v->key)[w] & mask;
}

/* Marks bytes [ofs, ofs + n) of the key as read. */
static inline void view_mark(struct flow_view *v, size_t ofs, size_t n)
{
    uint8_t *c = (uint8_t *)&v->consulted;
    const uint8_t *w = (const uint8_t *)&v->written;
    for (size_t i = ofs; i < ofs + n; i++)
        c[i] |= (uint8_t)~w[i];
}

/* Marks bytes [ofs, ofs + n) as written by the walk; the caller writes v->key. */
static inline void view_wrote(struct flow_view *v, size_t ofs, size_t n) { memset((uint8_t *)&v->written + ofs, 0xff, n); }

#define KEY_SIZE(MEMBER) sizeof(((struct flow_key *)0)->MEMBER)

/* view_get(v, ip.proto): the member's value, every bit of it consulted.
 * view_ref(v, eth.dst): a pointer to it, likewise, for members that are arrays.
 * view_set(v, ip.proto, 6): a new value; it is marked as written before VALUE is looked at, which must not read it. */
#define view_get(V, MEMBER) (view_mark(V, offsetof(struct flow_key, MEMBER), KEY_SIZE(MEMBER)), (V)->key.MEMBER)
#define view_ref(V, MEMBER) \
    (view_mark(V, offsetof(struct flow_key, MEMBER), KEY_SIZE(MEMBER)), (const __typeof__((V)->key.MEMBER) *)&(V)->key.MEMBER)
#define view_set(V, MEMBER, VALUE) \
    (view_wrote(V, offsetof(struct flow_key, MEMBER), KEY_SIZE(MEMBER)), (void)((V)->key.MEMBER = (VALUE)))

#endif
