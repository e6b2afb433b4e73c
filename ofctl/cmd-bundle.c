/* bundle: changes of flows and groups, and packets, in one bundle. */
#include "ofctl/batch.h"
#include "ofctl/packet-out.h"

/* "flow add FLOW", "group FLOW", "packet-out …": the first word says what, its own syntax what follows. */
static bool make_part(struct conn *c, uint8_t version, const char *text, unsigned command UNUSED, struct buf *messages,
                      struct diag *d)
{
    static const struct {
        const char *word;
        const struct batch_kind *kind;
    } kinds[] = {{"flow", &flow_batch}, {"group", &group_batch}, {"packet-out", &packet_out_batch}};
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        size_t n = strlen(kinds[i].word);
        if (strncmp(text, kinds[i].word, n) || !strchr(" \t", text[n]) || !text[n])
            continue;
        char *rest = (char *)text + n + strspn(text + n, " \t");
        unsigned what = batch_take_command(kinds[i].kind, &rest, 0);
        bool ok = kinds[i].kind->make(c, version, rest, what, messages, d);
        if (!ok && d->len)
            d->at += (size_t)(rest - text);
        return ok;
    }
    return diag_fail(d, 0, strcspn(text, " \t"), "a line begins with flow, group or packet-out");
}

static const struct batch_word no_words[] = {{NULL, 0}};
static const struct batch_kind parts = {"line", "messages", no_words, make_part};

void cmd_bundle(struct conn *c, int argc UNUSED, char *argv[])
{
    struct batch b = BATCH_INIT(&parts);
    options.bundle = true;
    batch_add_file(c, &b, argv[0], 0);
    batch_send(c, &b);
    batch_free(&b);
}
