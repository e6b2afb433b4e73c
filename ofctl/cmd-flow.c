/* Flows to the switch: add-flow, add-flows, mod-flows, del-flows. All flows are parsed before the first is sent; they
 * are sent without waiting in between, then a barrier; what the switch refuses comes back with the flow's xid. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/mem.h"
#include "ofctl/ofctl.h"

struct batch {
    const char *file; /* NULL: one flow, from the command line */
    char *contents;   /* of the file; lines end in NULs */
    size_t n, size;
    struct batch_flow {
        const char *text;
        size_t line, end; /* end: where its flow-mod ends in `messages` */
    } * flows;
    struct buf messages;
    uint32_t first_xid;
    size_t n_wrong;
};

static void batch_free(struct batch *b)
{
    free(b->contents);
    free(b->flows);
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
        buf_printf(out, "flow %zu: ", line);
}

static void batch_add(struct conn *c, struct batch *b, const char *text, size_t line, enum ofp_flow_mod_command command)
{
    struct flow_mod m;
    struct diag d = DIAG_INIT;
    bool ok = flow_mod_parse(text, command, ports_by_name(c), &m, &d);
    if (!ok || d.warnings.len) {
        struct buf prefix = BUF_INIT;
        put_prefix(c, b, line, &prefix);
        print_complaint(c, buf_text(&prefix), text, &d);
        buf_free(&prefix);
    }
    diag_free(&d);
    if (ok) {
        if (c)
            check_flow(c, &m);
        if (b->n == b->size) {
            b->size = b->size ? 2 * b->size : 16;
            b->flows = xrealloc(b->flows, b->size * sizeof *b->flows);
        }
        flow_mod_encode(&m, c ? c->version : OFP13, 0, &b->messages);
        b->flows[b->n++] = (struct batch_flow){text, line, b->messages.len};
    } else {
        b->n_wrong++;
    }
    flow_mod_free(&m);
}

/* --- Files --- */

static char *read_file(const char *name)
{
    enum { CHUNK = 1 << 16 };
    struct buf b = BUF_INIT;
    FILE *f = strcmp(name, "-") ? fopen(name, "r") : stdin;
    if (!f)
        die("%s: %s", name, strerror(errno));
    for (size_t n = 1; n;) {
        buf_reserve(&b, CHUNK);
        n = fread(b.data + b.len, 1, CHUNK, f);
        b.len += n;
    }
    if (ferror(f))
        die("%s: %s", name, strerror(errno));
    if (f != stdin)
        fclose(f);
    if (memchr(b.data, '\0', b.len))
        die("%s: not a text file: it holds a NUL byte", name);
    return buf_steal_text(&b);
}

/* A line may begin with what is to be done, as in files for ovs-ofctl. */
static enum ofp_flow_mod_command take_command(char **line, enum ofp_flow_mod_command otherwise)
{
    static const char *const words[] = {"add", "modify", "modify_strict", "delete", "delete_strict"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        size_t n = strlen(words[i]);
        if (!strncmp(*line, words[i], n) && strchr(" \t", (*line)[n])) {
            *line += n + strspn(*line + n, " \t");
            return i;
        }
    }
    return otherwise;
}

static void batch_add_file(struct conn *c, struct batch *b, const char *name, enum ofp_flow_mod_command command)
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
        if (!n)
            continue;
        enum ofp_flow_mod_command what = take_command(&line, command);
        batch_add(c, b, line, number, what);
        if (b->n_wrong == COMPLAINTS)
            die("%s: too many errors; nothing was sent", b->file);
    }
}

/* --- Sending --- */

static void batch_number(struct conn *c, struct batch *b)
{
    size_t at = 0;
    b->first_xid = c->xid + 1;
    for (size_t i = 0; i < b->n; i++) {
        buf_set_u32(&b->messages, at + 4, conn_xid(c));
        at = b->flows[i].end;
    }
}

static void complain_of_refusal(struct conn *c, const struct batch *b, uint32_t xid, const void *msg, size_t len)
{
    struct buf out = BUF_INIT;
    uint32_t i = xid - b->first_xid;
    if (i < b->n) {
        put_prefix(c, b, b->flows[i].line, &out);
        buf_printf(&out, "%s\n", b->flows[i].text);
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
        size_t end = b->flows[i].end;
        if (end - at < PIECE && i + 1 < b->n)
            continue;
        struct buf piece = {b->messages.data + at, end - at, end - at};
        conn_send(c, &piece);
        at = end;
        if (progress)
            fprintf(stderr, "\r%3zu%% %zu of %zu flows", 100 * (i + 1) / b->n, i + 1, b->n);
    }
    if (progress)
        fprintf(stderr, "\r%*s\r", 60, "");
}

static void print_summary(size_t n, size_t refused)
{
    if (options.json)
        printf("{\"flows\": %zu, \"refused\": %zu}\n", n, refused);
}

static void batch_send(struct conn *c, struct batch *b)
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
    print_summary(b->n, refused);
    if (b->n > 1 && refused)
        fprintf(stderr, PROGRAM ": %s: %zu of %zu flows refused\n", c->target, refused, b->n);
    if (refused) {
        fflush(stdout);
        exit(1);
    }
}

static void send_one(struct conn *c, const char *text, enum ofp_flow_mod_command command)
{
    struct batch b = {0};
    if (!strcmp(text, "-"))
        batch_add_file(c, &b, text, command);
    else
        batch_add(c, &b, text, 1, command);
    batch_send(c, &b);
    batch_free(&b);
}

void cmd_add_flow(struct conn *c, int argc UNUSED, char *argv[]) { send_one(c, argv[0], OFPFC_ADD); }

void cmd_add_flows(struct conn *c, int argc UNUSED, char *argv[])
{
    struct batch b = {0};
    batch_add_file(c, &b, argv[0], OFPFC_ADD);
    batch_send(c, &b);
    batch_free(&b);
}

void cmd_mod_flows(struct conn *c, int argc UNUSED, char *argv[])
{
    send_one(c, argv[0], options.strict ? OFPFC_MODIFY_STRICT : OFPFC_MODIFY);
}

void cmd_del_flows(struct conn *c, int argc, char *argv[])
{
    send_one(c, argc ? argv[0] : "", options.strict ? OFPFC_DELETE_STRICT : OFPFC_DELETE);
}

/* --- Without a switch --- */

static void print_batch(const struct batch *b)
{
    if (b->n_wrong)
        exit(1);
    size_t at = 0;
    for (size_t i = 0; i < b->n; i++) {
        struct buf text = BUF_INIT;
        ofp_msg_format(b->messages.data + at, b->flows[i].end - at, NULL, 1, &text);
        fputs(buf_text(&text), stdout);
        buf_free(&text);
        at = b->flows[i].end;
    }
}

void cmd_parse_flow(struct conn *c UNUSED, int argc UNUSED, char *argv[])
{
    struct batch b = {0};
    batch_add(NULL, &b, argv[0], 1, OFPFC_ADD);
    print_batch(&b);
    batch_free(&b);
}

void cmd_parse_flows(struct conn *c UNUSED, int argc UNUSED, char *argv[])
{
    struct batch b = {0};
    batch_add_file(NULL, &b, argv[0], OFPFC_ADD);
    print_batch(&b);
    batch_free(&b);
}
