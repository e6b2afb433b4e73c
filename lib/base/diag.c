#include "base/diag.h"
#include <ctype.h>
#include <limits.h>

void diag_free(struct diag *d)
{
    buf_free(&d->message);
    buf_free(&d->warnings);
    *d = DIAG_INIT;
}

bool diag_fail(struct diag *d, size_t at, size_t len, const char *format, ...)
{
    if (d && !d->failed) {
        va_list args;
        va_start(args, format);
        d->failed = true;
        d->at = at;
        d->len = len;
        buf_clear(&d->message);
        buf_vprintf(&d->message, format, args);
        va_end(args);
    }
    return false;
}

void diag_warn(struct diag *d, const char *format, ...)
{
    if (!d)
        return;
    va_list args;
    va_start(args, format);
    buf_vprintf(&d->warnings, format, args);
    buf_puts(&d->warnings, "\n");
    va_end(args);
}

/* A caret line is only useful if it fits on the screen: of a longer text, the part around the place is shown. */
enum { SHOWN = 160, BEFORE = 60 };

void diag_print(const struct diag *d, const char *prefix, const char *text, struct buf *out)
{
    const char *message = d->message.len ? (const char *)d->message.data : "";
    if (!d->len || !text) {
        buf_printf(out, "%s%.*s\n", prefix, (int)d->message.len, message);
        return;
    }
    size_t n = strcspn(text, "\n"), from = 0, at = MIN(d->at, n);
    const char *head = "", *tail = "";
    if (n > SHOWN) {
        from = at > BEFORE ? at - BEFORE : 0;
        head = from ? "..." : "";
        tail = n - from > SHOWN ? "..." : "";
        n = MIN(n - from, SHOWN);
    }
    buf_printf(out, "%s%s%.*s%s\n", prefix, head, (int)n, text + from, tail);
    buf_printf(out, "%*s^", (int)(strlen(prefix) + strlen(head) + at - from), "");
    for (size_t i = 1; i < d->len && at - from + i < n; i++)
        buf_puts(out, "~");
    buf_printf(out, " %.*s\n", (int)d->message.len, message);
}

/* Levenshtein's distance with swaps of neighbours, case and '-'/'_' ignored; names are short. */
static unsigned distance(const char *a, size_t n, const char *b, size_t m)
{
    enum { MOST = 40 };
    unsigned d[MOST + 1][MOST + 1];
    if (n > MOST || m > MOST)
        return UINT_MAX;
    for (size_t i = 0; i <= n; i++)
        for (size_t j = 0; j <= m; j++) {
            if (!i || !j) {
                d[i][j] = i + j;
                continue;
            }
            int x = a[i - 1] == '-' ? '_' : tolower((unsigned char)a[i - 1]);
            int y = b[j - 1] == '-' ? '_' : tolower((unsigned char)b[j - 1]);
            unsigned best = d[i - 1][j - 1] + (x != y);
            best = MIN(best, d[i - 1][j] + 1);
            best = MIN(best, d[i][j - 1] + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = MIN(best, d[i - 2][j - 2] + 1);
            d[i][j] = best;
        }
    return d[n][m];
}

const char *nearest_name(const char *word, size_t word_len, const char *const names[], size_t n)
{
    const char *best = NULL;
    unsigned least = word_len < 4 ? 2 : word_len / 3 + 1; /* farther than this is not what they meant */
    for (size_t i = 0; i < n; i++) {
        unsigned d = names[i] ? distance(word, word_len, names[i], strlen(names[i])) : least;
        if (d < least) {
            least = d;
            best = names[i];
        }
    }
    /* Or a word that was left unfinished: 'local' for 'local_ip'. */
    for (size_t i = 0; !best && word_len >= 4 && i < n; i++)
        if (names[i] && !strncmp(names[i], word, word_len))
            best = names[i];
    return best;
}
