/* Flows as text: whatever is accepted prints as something that means the same, and goes over the wire unchanged. The
 * first byte chooses the command. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "openflow/flow.h"

static void same(const struct flow_mod *a, const struct flow_mod *b, const char *text)
{
    if (match_equal(&a->match, &b->match) && acts_equal(a->acts.data, a->acts.len, b->acts.data, b->acts.len) &&
        a->table == b->table && a->flags == b->flags && a->cookie == b->cookie && a->idle_timeout == b->idle_timeout &&
        a->hard_timeout == b->hard_timeout)
        return;
    fprintf(stderr, "not the same: %s\n", text);
    abort();
}

static void print_and_parse(const struct flow_mod *fm)
{
    struct flow_stats fs = {.table = fm->table,
                            .priority = fm->priority,
                            .idle_timeout = fm->idle_timeout,
                            .hard_timeout = fm->hard_timeout,
                            .flags = fm->flags,
                            .cookie = fm->cookie,
                            .match = fm->match,
                            .acts = fm->acts.data,
                            .acts_len = fm->acts.len};
    struct buf text = BUF_INIT;
    struct diag d = DIAG_INIT;
    struct flow_mod again;
    flow_stats_format(&fs, NULL, true, &text);
    if (!flow_mod_parse(buf_text(&text), OFPFC_ADD, NULL, &again, &d)) {
        fprintf(stderr, "printed but not parsed: %s\n%s\n", buf_text(&text), buf_text(&d.message));
        abort();
    }
    same(fm, &again, buf_text(&text));
    flow_mod_free(&again);
    diag_free(&d);
    buf_free(&text);
}

static void over_the_wire(const struct flow_mod *fm)
{
    struct buf wire = BUF_INIT;
    struct flow_mod again;
    flow_mod_encode(fm, OFP13, 1, &wire);
    enum ofp_error e = flow_mod_decode(OFP13, rd_init(wire.data + OFP_HEADER_LEN, wire.len - OFP_HEADER_LEN), &again);
    if (e) {
        fprintf(stderr, "encoded but not decoded: %s\n", ofp_error_name(e));
        abort();
    }
    same(fm, &again, "wire");
    flow_mod_free(&again);
    buf_free(&wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    enum ofp_flow_mod_command command = data[0] % 5;
    char *text = calloc(1, size);
    struct flow_mod fm;
    struct diag d = DIAG_INIT;
    struct buf out = BUF_INIT;
    if (!text)
        abort();
    memcpy(text, data + 1, size - 1);
    if (flow_mod_parse(text, command, NULL, &fm, &d)) {
        if (d.failed)
            abort();
        if (command == OFPFC_ADD)
            print_and_parse(&fm);
        over_the_wire(&fm);
    } else {
        if (!d.failed || !d.message.len || d.at > strlen(text))
            abort();
        diag_print(&d, "x: ", text, &out);
    }
    flow_mod_free(&fm);
    diag_free(&d);
    buf_free(&out);
    free(text);
    return 0;
}
