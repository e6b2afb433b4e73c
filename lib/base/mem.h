/* mem.h: allocation that does not fail. A daemon out of memory has no useful way on, so these abort; sizes that come
 * from outside are bounded before they get here. What they return is freed with free(). */
#ifndef BASE_MEM_H
#define BASE_MEM_H 1

#include <stddef.h>
#include <stdlib.h>
#include "base/types.h"

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *xzalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *p, size_t size) __attribute__((returns_nonnull));
void *xmemdup(const void *p, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((returns_nonnull));
char *xasprintf(const char *format, ...) PRINTF(1, 2) __attribute__((returns_nonnull));

/* Aligned to a cache line and zeroed, so that what two threads write never shares a line. */
void *xzalloc_line(size_t size) __attribute__((malloc, returns_nonnull));

#endif
