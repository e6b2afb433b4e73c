/* Flow messages: whatever is decoded encodes to something that decodes to the same, and a flow that passes the checks
 * has a text that means the same. The first byte chooses what the rest is. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "openflow/flow.h"

static void must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

/* Is there an action that has its text from another one, or whose text does not say all of it (max_len of output)? */
static bool says_less(const void *list, size_t len)
{
    ACT_FOR_EACH (a, list, len) {
        bool nested = a->type == ACT_CLONE || a->type == INST_WRITE_ACTIONS;
        if (a->type == ACT_OUTPUT || a->type == ACT_OUTPUT_REG || a->type == ACT_OUTPUT_REG2 || a->type == ACT_COPY_FIELD || a->type == ACT_LEARN2 ||
            a->type == ACT_RESUBMIT_TABLE ||
            a->type == ACT_CONTROLLER || a->type == ACT_CONTROLLER2 ||
            (nested && says_less(((const struct act_nested *)a)->list, a->len - sizeof *a)))
            return true;
    }
    return false;
}

static bool same_text(const struct flow_mod *a, const struct flow_mod *b)
{
    struct buf x = BUF_INIT, y = BUF_INIT;
    acts_format(a->acts.data, a->acts.len, NULL, &x);
    acts_format(b->acts.data, b->acts.len, NULL, &y);
    bool same = !strcmp(buf_text(&x), buf_text(&y));
    buf_free(&x);
    buf_free(&y);
    return same;
}

static bool same_actions(const struct flow_mod *a, const struct flow_mod *b)
{
    return acts_equal(a->acts.data, a->acts.len, b->acts.data, b->acts.len) ||
           (says_less(a->acts.data, a->acts.len) && same_text(a, b));
}

static void text_of(const struct flow_mod *fm)
{
    struct flow_stats fs = {.table = fm->table,
                            .priority = fm->priority,
                            .match = fm->match,
                            .acts = fm->acts.data,
                            .acts_len = fm->acts.len};
    struct act_context ctx = {.match = &fm->match, .table = fm->table};
    struct buf text = BUF_INIT;
    struct diag d = DIAG_INIT;
    struct flow_mod again;
    bool good = acts_check(fm->acts.data, fm->acts.len, &ctx) == OFPERR_OK && fm->table != OFPTT_ALL;
    flow_stats_format(&fs, NULL, true, &text);
    if (good && fm->acts.len < 20000) {
        bool ok = flow_mod_parse(buf_text(&text), OFPFC_ADD, NULL, &again, &d);
        if (!ok)
            fprintf(stderr, "%s\n%s\n", buf_text(&text), buf_text(&d.message));
        must(ok, "printed but not parsed");
        if (!match_equal(&fm->match, &again.match) ||
            !same_actions(fm, &again))
            fprintf(stderr, "%s\n", buf_text(&text));
        must(match_equal(&fm->match, &again.match), "the text means another match");
        must(same_actions(fm, &again), "the text means other actions");
        flow_mod_free(&again);
    }
    diag_free(&d);
    buf_free(&text);
}

static void flow_mod(struct rd body)
{
    struct flow_mod fm, again;
    struct buf wire = BUF_INIT;
    if (flow_mod_decode(OFP13, body, &fm) == OFPERR_OK) {
        flow_mod_encode(&fm, OFP13, 1, &wire);
        must(flow_mod_decode(OFP13, rd_init(wire.data + OFP_HEADER_LEN, wire.len - OFP_HEADER_LEN), &again) ==
                 OFPERR_OK,
             "encoded but not decoded");
        must(match_equal(&fm.match, &again.match), "another match");
        must(acts_equal(fm.acts.data, fm.acts.len, again.acts.data, again.acts.len), "other actions");
        flow_mod_free(&again);
        text_of(&fm);
    }
    flow_mod_free(&fm);
    buf_free(&wire);
}

static void request(struct rd body)
{
    struct flow_stats_request q;
    flow_stats_request_decode(OFP13, body, &q);
}

static void removed(struct rd body)
{
    struct flow_removed fr;
    flow_removed_decode(OFP13, body, &fr);
}

static void stats(struct rd body)
{
    struct buf scratch = BUF_INIT, text = BUF_INIT;
    struct flow_stats fs;
    while (rd_left(&body) && flow_stats_decode(OFP13, &body, &fs, &scratch) == OFPERR_OK)
        flow_stats_format(&fs, NULL, true, &text);
    buf_free(&scratch);
    buf_free(&text);
}

static void actions(struct rd body)
{
    struct buf list = BUF_INIT, wire = BUF_INIT, again = BUF_INIT;
    if (rd_left(&body) < 60000 && acts_decode_actions(OFP13, body, &list) == OFPERR_OK) {
        acts_encode_actions(list.data, list.len, OFP13, &wire);
        must(acts_decode_actions(OFP13, rd_init(wire.data, wire.len), &again) == OFPERR_OK, "encoded but not decoded");
        must(acts_equal(list.data, list.len, again.data, again.len), "other actions");
    }
    buf_free(&list);
    buf_free(&wire);
    buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const kinds[])(struct rd) = {flow_mod, request, removed, stats, actions};
    if (size && size <= OFP_MAX_LEN)
        kinds[data[0] % 5](rd_init(data + 1, size - 1));
    return 0;
}
