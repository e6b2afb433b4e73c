/* diag.h: what is wrong with something a person wrote, where, and how to mend it.
 *
 * A parser that refuses its input fills a diag and returns false (or an error). The caller prints it:
 *
 *     xvs-ofctl: br0: flow 1: tcp,tpdst=80,actions=output:2
 *                                 ^~~~~ no field 'tpdst'; did you mean 'tp_dst' (tcp_dst)?
 *
 * `at` and `len` are bytes into the text that the parser was given; len 0 means that there is no one place. A parser
 * may also leave warnings: lines that do not refuse. The first error sticks: a later diag_fail() changes nothing. */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H 1

#include "base/buf.h"
#include "base/types.h"

struct diag {
    bool failed;
    size_t at, len;
    struct buf message;  /* one sentence without a full stop, empty if not failed */
    struct buf warnings; /* whole lines, each ended by \n */
};
#define DIAG_INIT ((struct diag){0})

void diag_free(struct diag *d);

/* Always returns false, so that a parser may `return diag_fail(…)`. `d` may be NULL. */
bool diag_fail(struct diag *d, size_t at, size_t len, const char *format, ...) PRINTF(4, 5);
void diag_warn(struct diag *d, const char *format, ...) PRINTF(2, 3);

/* Appends the two lines above to `out`: PREFIX + text, then spaces, caret and message. Text longer than the terminal
 * is cut around the place. Without a place: PREFIX + message on one line. */
void diag_print(const struct diag *d, const char *prefix, const char *text, struct buf *out);

/* Did you mean: of n names (names[0..n-1], NULLs skipped) the one nearest to `word`, or NULL if none is near. */
const char *nearest_name(const char *word, size_t word_len, const char *const names[], size_t n);

#endif
