/* batch.c: messages that are made from lines, one each: flows, groups. All lines are parsed before the first message is
 * sent (batch-send.c). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/mem.h"
#include "ofctl/batch.h"
#include "ofctl/lines.h"

void batch_free(struct batch *b)
{
    free(b->contents);
    free(b->items);
    buf_free(&b->messages);
}

/* "xvs-ofctl: br0: flow 1: ", "xvs-ofctl: br0: flows.txt:3: " */
void batch_put_prefix(const struct conn *c, const struct batch *b, size_t line, struct buf *out)
{
    buf_puts(out, PROGRAM ": ");
    if (c)
        buf_printf(out, "%s: ", c->target);
    if (b->file)
        buf_printf(out, "%s:%zu: ", b->file, line);
    else
        buf_printf(out, "%s %zu: ", b->kind->noun, line);
}

void batch_add(struct conn *c, struct batch *b, const char *text, size_t line, unsigned command)
{
    struct diag d = DIAG_INIT;
    size_t at = b->messages.len;
    bool ok = b->kind->make(c, c ? c->version : options_version(), text, command, &b->messages, &d);
    if (!ok || d.warnings.len) {
        struct buf prefix = BUF_INIT;
        batch_put_prefix(c, b, line, &prefix);
        print_complaint(c, buf_text(&prefix), text, &d);
        buf_free(&prefix);
    }
    diag_free(&d);
    if (ok)
        batch_added(b, text, line, command, at);
    else
        b->n_wrong++;
}

void batch_added(struct batch *b, const char *text, size_t line, unsigned command, size_t at)
{
    if (b->n == b->size) {
        b->size = b->size ? 2 * b->size : 16;
        b->items = xrealloc(b->items, b->size * sizeof *b->items);
    }
    b->items[b->n++] = (struct batch_item){text, line, command, at, b->messages.len};
}

/* --- Files --- */

static char *read_file(const char *name)
{
    struct buf b = BUF_INIT;
    read_bytes(name, &b);
    if (memchr(b.data, '\0', b.len))
        die("%s: not a text file: it holds a NUL byte", name);
    return buf_steal_text(&b);
}

/* A line may begin with what is to be done, as in files for ovs-ofctl. */
unsigned batch_take_command(const struct batch_kind *kind, char **line, unsigned otherwise)
{
    for (const struct batch_word *w = kind->words; w->word; w++) {
        size_t n = strlen(w->word);
        if (!strncmp(*line, w->word, n) && strchr(" \t", (*line)[n])) {
            *line += n + strspn(*line + n, " \t");
            return w->command;
        }
    }
    return otherwise;
}

void batch_add_file(struct conn *c, struct batch *b, const char *name, unsigned command)
{
    enum { COMPLAINTS = 20 };
    b->file = strcmp(name, "-") ? name : "<stdin>";
    b->contents = read_file(name);
    size_t number = 0;
    for (char *line = b->contents, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        number++;
        line += strspn(line, " \t\r");
        size_t n = strcspn(line, "#");
        while (n && strchr(" \t\r", line[n - 1]))
            n--;
        line[n] = '\0';
        if (!n || is_dump_header(line))
            continue;
        unsigned what = batch_take_command(b->kind, &line, command);
        batch_add(c, b, line, number, what);
        if (b->n_wrong == COMPLAINTS)
            die("%s: too many errors; nothing was sent", b->file);
    }
}

void batch_print(const struct batch *b)
{
    if (b->n_wrong)
        exit(1);
    for (size_t i = 0; i < b->n; i++)
        print_message(b->messages.data + b->items[i].at, b->items[i].end - b->items[i].at, 1);
}

/* The messages in the order that the items have now. */
void batch_reorder(struct batch *b)
{
    struct buf messages = BUF_INIT;
    for (size_t i = 0; i < b->n; i++) {
        struct batch_item *item = &b->items[i];
        size_t at = messages.len;
        buf_put(&messages, b->messages.data + item->at, item->end - item->at);
        item->at = at;
        item->end = messages.len;
    }
    buf_free(&b->messages);
    b->messages = messages;
}
