/* Groups as text and as messages: what is accepted prints as something that means the same, and goes over the wire
 * unchanged. The first byte chooses. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "openflow/group.h"

static void must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static bool same(const struct group_desc *a, const struct group_desc *b)
{
    bool ok = a->id == b->id && a->type == b->type && a->n_buckets == b->n_buckets;
    for (size_t i = 0; ok && i < a->n_buckets; i++) {
        const struct group_bucket *x = &a->buckets[i], *y = &b->buckets[i];
        ok = x->weight == y->weight && x->watch_port == y->watch_port && x->watch_group == y->watch_group &&
             acts_equal(group_acts(a, x), x->acts_len, group_acts(b, y), y->acts_len);
    }
    return ok;
}

static void over_the_wire(const struct group_mod *gm)
{
    struct buf wire = BUF_INIT;
    struct group_mod again;
    group_mod_encode(gm, OFP13, 1, &wire);
    must(group_mod_decode(OFP13, rd_init(wire.data + OFP_HEADER_LEN, wire.len - OFP_HEADER_LEN), &again) == OFPERR_OK,
         "encoded but not decoded");
    must(same(&gm->group, &again.group), "another group");
    group_desc_free(&again.group);
    buf_free(&wire);
}

static void text(const char *s, enum ofp_group_mod_command command)
{
    struct group_mod gm, again;
    struct diag d = DIAG_INIT;
    struct buf printed = BUF_INIT;
    if (group_mod_parse(s, command, NULL, &gm, &d)) {
        over_the_wire(&gm);
        if (command != OFPGC_DELETE) {
            group_desc_format(&gm.group, NULL, &printed);
            must(group_mod_parse(buf_text(&printed), command, NULL, &again, NULL), "printed but not parsed");
            must(same(&gm.group, &again.group), "printed as another group");
            group_desc_free(&again.group);
        }
    } else {
        must(d.failed && d.message.len, "refused without a word");
        diag_print(&d, "", s, &printed);
    }
    group_desc_free(&gm.group);
    diag_free(&d);
    buf_free(&printed);
}

static void message(struct rd body)
{
    struct group_mod gm;
    struct act_context ctx = {.n_tables = 254};
    struct buf printed = BUF_INIT;
    char why[200];
    if (group_mod_decode(OFP13, body, &gm) == OFPERR_OK) {
        over_the_wire(&gm);
        group_check(&gm, &ctx, NULL, why);
        group_desc_format(&gm.group, NULL, &printed);
    }
    group_desc_free(&gm.group);
    buf_free(&printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum ofp_group_mod_command commands[] = {OFPGC_ADD, OFPGC_MODIFY, OFPGC_DELETE};
    if (!size || size > 4096)
        return 0;
    if (data[0] == 'w') {
        message(rd_init(data + 1, size - 1));
    } else {
        char *s = calloc(size, 1);
        memcpy(s, data + 1, size - 1);
        text(s, commands[data[0] % 3]);
        free(s);
    }
    return 0;
}
