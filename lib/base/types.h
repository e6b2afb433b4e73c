/* types.h: the few words that every file uses.
 *
 * be16, be32 and be64 hold a number in network byte order; everything else is in host order. The names carry the
 * order so that a reader sees where ntohs() is missing, and sparse can check it. */
#ifndef BASE_TYPES_H
#define BASE_TYPES_H 1

#include <arpa/inet.h>
#include <assert.h>
#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/param.h> /* MIN, MAX */

#ifdef __CHECKER__
#define XVS_BITWISE __attribute__((bitwise))
#else
#define XVS_BITWISE
#endif

typedef uint16_t XVS_BITWISE be16;
typedef uint32_t XVS_BITWISE be32;
typedef uint64_t XVS_BITWISE be64;

#define ARRAY_SIZE(A) (sizeof(A) / sizeof((A)[0]))
#define ROUND_UP(X, N) (((X) + (N)-1) / (N) * (N))
#define likely(X) __builtin_expect(!!(X), 1)
#define unlikely(X) __builtin_expect(!!(X), 0)
#define container_of(PTR, TYPE, MEMBER) ((TYPE *)((char *)(PTR)-offsetof(TYPE, MEMBER)))
#define CACHE_LINE 64
#define PRINTF(FMT, ARGS) __attribute__((format(printf, FMT, ARGS)))
#define UNUSED __attribute__((unused))

#endif
