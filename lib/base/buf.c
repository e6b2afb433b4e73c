#include "base/buf.h"
#include <stdio.h>
#include "base/mem.h"

void buf_free(struct buf *b)
{
    free(b->data);
    *b = BUF_INIT;
}

void buf_reserve(struct buf *b, size_t more)
{
    size_t need = b->len + more + 1;
    if (need > b->size || !b->data) {
        b->size = MAX(need, MAX(64, b->size * 2));
        b->data = xrealloc(b->data, b->size);
    }
}

void buf_vprintf(struct buf *b, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    buf_reserve(b, 0);
    int n = vsnprintf((char *)b->data + b->len, b->size - b->len, format, args);
    assert(n >= 0);
    if ((size_t)n >= b->size - b->len) {
        buf_reserve(b, n);
        vsnprintf((char *)b->data + b->len, b->size - b->len, format, again);
    }
    b->len += n;
    va_end(again);
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_vprintf(b, format, args);
    va_end(args);
}

/* Digits come from the last one on. */
static void put_number(struct buf *b, uint64_t n, unsigned base, unsigned least_digits)
{
    char digits[64];
    unsigned at = sizeof digits;
    least_digits = MIN(least_digits, sizeof digits);
    do
        digits[--at] = "0123456789abcdef"[base == 10 ? n % 10 : n % 16];
    while (n = base == 10 ? n / 10 : n / 16, n || sizeof digits - at < least_digits);
    buf_put(b, digits + at, sizeof digits - at);
}

void buf_dec(struct buf *b, uint64_t n) { put_number(b, n, 10, 1); }
void buf_hex(struct buf *b, uint64_t n, unsigned least_digits) { put_number(b, n, 16, least_digits); }

void buf_puts(struct buf *b, const char *s) { buf_put(b, s, strlen(s)); }

void buf_chomp(struct buf *b, char c)
{
    if (b->len && b->data[b->len - 1] == (uint8_t)c)
        b->len--;
}

const char *buf_text(struct buf *b)
{
    buf_reserve(b, 0);
    b->data[b->len] = 0;
    return (const char *)b->data;
}

char *buf_steal_text(struct buf *b)
{
    buf_text(b);
    char *s = (char *)b->data;
    *b = BUF_INIT;
    return s;
}
