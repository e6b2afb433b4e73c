#include "base/mem.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void *check(void *p)
{
    if (unlikely(!p)) {
        fputs("xvs: out of memory\n", stderr);
        abort();
    }
    return p;
}

void *xmalloc(size_t size) { return check(malloc(size ? size : 1)); }
void *xcalloc(size_t n, size_t size) { return check(calloc(n ? n : 1, size ? size : 1)); }
void *xzalloc(size_t size) { return xcalloc(1, size); }
void *xrealloc(void *p, size_t size) { return check(realloc(p, size ? size : 1)); }
char *xstrdup(const char *s) { return check(strdup(s)); }

void *xmemdup(const void *p, size_t size)
{
    void *copy = xmalloc(size);
    if (size)
        memcpy(copy, p, size);
    return copy;
}

char *xasprintf(const char *format, ...)
{
    char *s;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&s, format, args);
    va_end(args);
    return check(n < 0 ? NULL : s);
}

void *xzalloc_line(size_t size)
{
    size = ROUND_UP(size ? size : 1, CACHE_LINE);
    void *p = check(aligned_alloc(CACHE_LINE, size));
    return memset(p, 0, size);
}
