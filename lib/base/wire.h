/* wire.h: sticky cursors over bytes in network order.
 *
 * struct rd reads. Its first error sticks: every later read gives 0 and moves nothing, so a decoder reads straight
 * through and checks r->err once at the end. It never reads past `end`. The bytes belong to the caller.
 *
 * `err` is 0 or the error of whoever decodes: the cursor itself sets only WIRE_SHORT; the layers above give their own
 * codes (greater than WIRE_SHORT) to rd_fail().
 *
 * Writing is done by appending to a struct buf (base/buf.h).
 *
 * Thread: none; a cursor is a value. */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H 1

#include <string.h>
#include "base/types.h"

enum { WIRE_SHORT = 1 }; /* there were fewer bytes than the reader asked for */

struct rd {
    const uint8_t *p, *end;
    unsigned err;
};

static inline struct rd rd_init(const void *p, size_t n) { return (struct rd){p, n ? (const uint8_t *)p + n : p, 0}; }
static inline size_t rd_left(const struct rd *r) { return r->err ? 0 : (size_t)(r->end - r->p); }

static inline void rd_fail(struct rd *r, unsigned err)
{
    if (!r->err)
        r->err = err;
}

/* The next n bytes, or NULL (and an error that sticks) if there are fewer. */
static inline const uint8_t *rd_take(struct rd *r, size_t n)
{
    if (unlikely(rd_left(r) < n || r->err)) {
        rd_fail(r, WIRE_SHORT);
        return NULL;
    }
    const uint8_t *p = r->p;
    r->p = n ? p + n : p; /* an empty message may be NULL */
    return p;
}

static inline void rd_skip(struct rd *r, size_t n) { rd_take(r, n); }

/* n bytes into `to`; zeros after an error. */
static inline void rd_bytes(struct rd *r, void *to, size_t n)
{
    const uint8_t *p = rd_take(r, n);
    if (p)
        memcpy(to, p, n);
    else
        memset(to, 0, n);
}

/* A cursor over the next n bytes, which this one skips. It inherits an error. */
static inline struct rd rd_sub(struct rd *r, size_t n)
{
    const uint8_t *p = rd_take(r, n);
    return p ? (struct rd){p, p + n, 0} : (struct rd){NULL, NULL, r->err};
}

/* rd_uN: host order; rd_beN: as on the wire. */
#define WIRE_READ(NAME, TYPE, CONVERT)               \
    static inline TYPE NAME(struct rd *r)            \
    {                                                \
        TYPE v;                                      \
        rd_bytes(r, &v, sizeof v);                   \
        return CONVERT(v);                           \
    }
WIRE_READ(rd_u8, uint8_t, )
WIRE_READ(rd_u16, uint16_t, ntohs)
WIRE_READ(rd_u32, uint32_t, ntohl)
WIRE_READ(rd_u64, uint64_t, be64toh)
WIRE_READ(rd_be16, be16, )
WIRE_READ(rd_be32, be32, )
WIRE_READ(rd_be64, be64, )
#undef WIRE_READ

#endif
