/* packet-out. */
#include <stdlib.h>
#include "base/mem.h"
#include "ofctl/lines.h"
#include "ofctl/packet-out.h"
#include "openflow/text.h"

static bool take_packet(const struct text *t, struct word w, struct buf *frame)
{
    char *word = xasprintf("%.*s", (int)w.len, t->s + w.at);
    bool ok = hex_parse(word, frame);
    free(word);
    if (!ok)
        return text_fail(t, w, "a packet is written as hexadecimal digits, two for each byte");
    if (frame->len < 14)
        return text_fail(t, w, "%zu bytes are no Ethernet frame; it has 14 at least", frame->len);
    return true;
}

static bool take_actions(const struct text *t, size_t at, struct packet_out *p)
{
    struct diag inner = DIAG_INIT;
    bool ok = acts_parse(t->s + at, strlen(t->s + at), false, t->names, NULL, &p->acts, &inner);
    if (!ok)
        diag_fail(t->d, at + inner.at, inner.len, "%.*s", (int)inner.message.len, (const char *)inner.message.data);
    diag_free(&inner);
    return ok;
}

static bool take_item(const struct text *t, const struct item *i, struct packet_out *p, struct buf *frame)
{
    if (text_is(t, i->key, "in_port"))
        return text_port(t, i->value, &p->in_port);
    if (text_is(t, i->key, "packet"))
        return frame->len ? text_fail(t, i->key, "packet stands twice") : take_packet(t, i->value, frame);
    return text_fail(t, i->key, "packet-out takes in_port=, packet= and, last, actions=");
}

/* "in_port=1 packet=0011… actions=…", the actions last. */
static bool parse_packet_out(const struct text *t, struct packet_out *p, struct buf *frame)
{
    size_t end = strlen(t->s);
    const char *actions = strstr(t->s, "actions=");
    if (!actions)
        return diag_fail(t->d, 0, 0, "actions= is missing; write 'in_port=PORT packet=HEX actions=ACTIONS'");
    struct item i;
    for (size_t at = 0; text_next_item(t, &at, actions - t->s, &i);)
        if (!take_item(t, &i, p, frame))
            return false;
    if (t->d->failed)
        return false;
    if (!frame->len)
        return diag_fail(t->d, 0, 0, "packet= is missing: the packet's bytes in hexadecimal");
    size_t from = actions - t->s + strlen("actions=");
    return from <= end && take_actions(t, from, p);
}

static void encode(struct packet_out *p, const struct buf *frame, uint8_t version, struct buf *out)
{
    p->data = frame->data;
    p->data_len = frame->len;
    if (frame->len + p->acts.len > OFP_MAX_LEN - 1024)
        die("packet-out: %zu bytes are more than a message holds", frame->len);
    packet_out_encode(p, version, 0, out);
}

static bool make(struct conn *c, uint8_t version, const char *text, unsigned command UNUSED, struct buf *messages, struct diag *d)
{
    struct packet_out p = {.buffer_id = OFP_NO_BUFFER, .in_port = OFPP_CONTROLLER};
    struct buf frame = BUF_INIT;
    struct text t = {.s = text, .names = ports_by_name(c), .d = d};
    bool ok = parse_packet_out(&t, &p, &frame);
    if (ok) {
        check_actions(c, p.acts.data, p.acts.len);
        encode(&p, &frame, version, messages);
    }
    buf_free(&frame);
    buf_free(&p.acts);
    return ok;
}

static const struct batch_word no_words[] = {{NULL, 0}};
const struct batch_kind packet_out_batch = {"packet-out", "packets", no_words, make};

/* The old form: IN_PORT ACTIONS PACKET… */
static void add_positional(struct conn *c, int argc, char *argv[], struct batch *b)
{
    struct diag d = DIAG_INIT;
    struct text t = {.s = argv[1], .names = ports_by_name(c), .d = &d};
    struct packet_out p = {.buffer_id = OFP_NO_BUFFER, .in_port = ports_parse(c, argv[0])};
    if (!take_actions(&t, 0, &p)) {
        print_complaint(c, PROGRAM ": packet-out: ", argv[1], &d);
        exit(1);
    }
    check_actions(c, p.acts.data, p.acts.len);
    for (int i = 2; i < argc; i++) {
        struct buf frame = BUF_INIT;
        struct text packet = {.s = argv[i], .d = &d};
        if (!take_packet(&packet, (struct word){0, strlen(argv[i])}, &frame)) {
            print_complaint(c, PROGRAM ": packet-out: ", argv[i], &d);
            exit(1);
        }
        size_t at = b->messages.len;
        encode(&p, &frame, c->version, &b->messages);
        batch_added(b, argv[i], (size_t)i - 1, 0, at);
        buf_free(&frame);
    }
    buf_free(&p.acts);
}

void cmd_packet_out(struct conn *c, int argc, char *argv[])
{
    if (argc == 2)
        die("packet-out: write \"in_port=PORT packet=HEX actions=ACTIONS\" as one word, or IN_PORT ACTIONS PACKET...");
    struct batch b = BATCH_INIT(&packet_out_batch);
    if (argc == 1)
        batch_add(c, &b, argv[0], 1, 0);
    else
        add_positional(c, argc, argv, &b);
    batch_send(c, &b);
    batch_free(&b);
}
