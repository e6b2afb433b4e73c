/* batch.c: messages that are made from lines, one each: flows, groups. All lines are parsed before the first message is
 * sent; they are sent without waiting in between, then a barrier; what the switch refuses comes back with its message's
 * xid. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
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
static void put_prefix(const struct conn *c, const struct batch *b, size_t line, struct buf *out)
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
        put_prefix(c, b, line, &prefix);
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
static unsigned take_command(const struct batch_kind *kind, char **line, unsigned otherwise)
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
        unsigned what = take_command(b->kind, &line, command);
        batch_add(c, b, line, number, what);
        if (b->n_wrong == COMPLAINTS)
            die("%s: too many errors; nothing was sent", b->file);
    }
}

/* --- Sending --- */

static void batch_number(struct conn *c, struct batch *b)
{
    b->first_xid = c->xid + 1;
    for (size_t i = 0; i < b->n; i++)
        buf_set_u32(&b->messages, b->items[i].at + 4, conn_xid(c));
}

static void complain_of_refusal(struct conn *c, const struct batch *b, uint32_t xid, const void *msg, size_t len)
{
    struct buf out = BUF_INIT;
    uint32_t i = xid - b->first_xid;
    const struct batch_item *item = i < b->n ? &b->items[i] : NULL;
    if (item && item->text) {
        put_prefix(c, b, item->line, &out);
        buf_printf(&out, "%s\n", item->text);
    } else if (item) {
        buf_printf(&out, PROGRAM ": %s: ", c->target);
        ofp_msg_format(b->messages.data + item->at, item->end - item->at, NULL, 1, &out);
    }
    buf_printf(&out, PROGRAM ": %s: the switch refuses: ", c->target);
    error_text(msg, len, &out);
    fprintf(stderr, "%s\n", buf_text(&out));
    buf_free(&out);
}

/* Takes errors until the barrier's reply; their number. */
static size_t collect_refusals(struct conn *c, const struct batch *b, uint32_t barrier)
{
    enum { SHOWN = 20 };
    size_t n = 0;
    for (;;) {
        struct ofp_header h;
        enum ofp_msg_type type;
        const void *msg = conn_receive_or_die(c, &h);
        if (ofp_msg_decode_type(msg, h.len, &h, &type, NULL, NULL))
            continue;
        if (type == OFPMSG_BARRIER_REPLY && h.xid == barrier)
            return n;
        if (type == OFPMSG_ERROR && (h.xid - b->first_xid < b->n || h.xid == barrier)) {
            if (n++ < SHOWN)
                complain_of_refusal(c, b, h.xid, msg, h.len);
            if (h.xid == barrier)
                return n;
        }
    }
}

/* In pieces, so that a long batch can show how far it is. */
static void send_messages(struct conn *c, const struct batch *b)
{
    enum { PIECE = 1 << 18, LONG = 20000 };
    bool progress = b->n >= LONG && isatty(STDERR_FILENO);
    size_t at = 0;
    for (size_t i = 0; i < b->n; i++) {
        size_t end = b->items[i].end;
        if (end - at < PIECE && i + 1 < b->n)
            continue;
        struct buf piece = {b->messages.data + at, end - at, end - at};
        conn_send(c, &piece);
        at = end;
        if (progress)
            fprintf(stderr, "\r%3zu%% %zu of %zu %s", 100 * (i + 1) / b->n, i + 1, b->n, b->kind->plural);
    }
    if (progress)
        fprintf(stderr, "\r%*s\r", 60, "");
}

void print_done(const char *plural, size_t n, size_t refused)
{
    if (options.json)
        printf("{\"%s\": %zu, \"refused\": %zu}\n", plural, n, refused);
}

void batch_send(struct conn *c, struct batch *b)
{
    if (b->n_wrong)
        exit(1);
    struct buf barrier = BUF_INIT;
    batch_number(c, b);
    send_messages(c, b);
    uint32_t xid = conn_xid(c);
    ofp_simple_encode(OFPMSG_BARRIER_REQUEST, c->version, xid, &barrier);
    conn_send(c, &barrier);
    buf_free(&barrier);
    size_t refused = collect_refusals(c, b, xid);
    print_done(b->kind->plural, b->n, refused);
    if (b->n > 1 && refused)
        fprintf(stderr, PROGRAM ": %s: %zu of %zu %s refused\n", c->target, refused, b->n, b->kind->plural);
    if (refused) {
        fflush(stdout);
        exit(1);
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
