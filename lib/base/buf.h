/* buf.h: a growing run of bytes, for wire messages and for text alike.
 *
 * `struct buf b = BUF_INIT;` … buf_free(&b). After buf_put… `data` may have moved: keep offsets, not pointers. Text
 * made with buf_printf is always followed by a NUL that `len` does not count. Grows as it must, never fails (mem.h). */
#ifndef BASE_BUF_H
#define BASE_BUF_H 1

#include <stdarg.h>
#include <string.h>
#include "base/types.h"

struct buf {
    uint8_t *data;
    size_t len, size;
};
#define BUF_INIT ((struct buf){NULL, 0, 0})

void buf_free(struct buf *b);
void buf_reserve(struct buf *b, size_t more); /* room for `more` bytes and a NUL */
static inline void buf_clear(struct buf *b) { b->len = 0; }

/* Appends n bytes whose content the caller writes at once; the pointer is good until the next call. */
static inline void *buf_extend(struct buf *b, size_t n)
{
    if (unlikely(b->size - b->len <= n || !b->data))
        buf_reserve(b, n);
    void *p = b->data + b->len;
    b->len += n;
    return p;
}

static inline void buf_put(struct buf *b, const void *p, size_t n)
{
    if (n)
        memcpy(buf_extend(b, n), p, n);
}

static inline void buf_zeros(struct buf *b, size_t n)
{
    if (n)
        memset(buf_extend(b, n), 0, n);
}

/* Zeros up to a length that is a multiple of n, counted from offset `from`. */
static inline void buf_align(struct buf *b, size_t from, size_t n) { buf_zeros(b, ROUND_UP(b->len - from, n) - (b->len - from)); }

/* buf_uN: from host order; buf_beN: as on the wire. buf_set_u16: over what is there, e.g. a length known late. */
#define BUF_WRITE(NAME, TYPE, CONVERT)                   \
    static inline void NAME(struct buf *b, TYPE v)       \
    {                                                    \
        v = CONVERT(v);                                  \
        memcpy(buf_extend(b, sizeof v), &v, sizeof v);   \
    }
BUF_WRITE(buf_u8, uint8_t, )
BUF_WRITE(buf_u16, uint16_t, htons)
BUF_WRITE(buf_u32, uint32_t, htonl)
BUF_WRITE(buf_u64, uint64_t, htobe64)
BUF_WRITE(buf_be16, be16, )
BUF_WRITE(buf_be32, be32, )
BUF_WRITE(buf_be64, be64, )
#undef BUF_WRITE

static inline void buf_set_u16(struct buf *b, size_t at, uint16_t v)
{
    v = htons(v);
    memcpy(b->data + at, &v, sizeof v);
}

static inline void buf_set_u32(struct buf *b, size_t at, uint32_t v)
{
    v = htonl(v);
    memcpy(b->data + at, &v, sizeof v);
}

/* Text. */
void buf_printf(struct buf *b, const char *format, ...) PRINTF(2, 3);
void buf_vprintf(struct buf *b, const char *format, va_list args) PRINTF(2, 0);
void buf_puts(struct buf *b, const char *s);
void buf_dec(struct buf *b, uint64_t n);                         /* as "%llu", */
void buf_hex(struct buf *b, uint64_t n, unsigned least_digits); /* and as "%0*llx" would, without the cost of printf */
void buf_chomp(struct buf *b, char c); /* takes a final c away, if there is one */
const char *buf_text(struct buf *b);   /* NUL-terminated; good until the next call */
char *buf_steal_text(struct buf *b);   /* the caller frees it; b is empty again */

#endif
