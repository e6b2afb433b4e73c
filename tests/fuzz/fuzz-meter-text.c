/* Meters as text: whatever is accepted prints as something that means the same, and goes over the wire unchanged. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "openflow/meter.h"

static void same(const struct ofp_meter *a, const struct ofp_meter *b, const char *text)
{
    if (ofp_meter_equal(a, b))
        return;
    fprintf(stderr, "not the same: %s\n", text);
    abort();
}

static void print_and_parse(const struct ofp_meter *m)
{
    struct buf text = BUF_INIT;
    struct diag d = DIAG_INIT;
    struct ofp_meter again;
    ofp_meter_format(m, &text);
    if (!ofp_meter_parse(buf_text(&text), &again, &d)) {
        fprintf(stderr, "printed but not parsed: %s\n%s\n", buf_text(&text), buf_text(&d.message));
        abort();
    }
    same(m, &again, buf_text(&text));
    ofp_meter_free(&again);
    diag_free(&d);
    buf_free(&text);
}

static void over_the_wire(const struct ofp_meter *m)
{
    struct ofp_meter_mod mm = {OFPMC_ADD, *m}, again;
    struct buf wire = BUF_INIT;
    meter_mod_encode(&mm, OFP13, 1, &wire);
    if (meter_mod_decode(OFP13, rd_init(wire.data + OFP_HEADER_LEN, wire.len - OFP_HEADER_LEN), &again))
        abort();
    same(m, &again.meter, "wire");
    ofp_meter_free(&again.meter);
    buf_free(&wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = calloc(1, size + 1);
    struct ofp_meter m;
    struct diag d = DIAG_INIT;
    struct buf out = BUF_INIT;
    uint32_t id;
    if (!text)
        abort();
    if (size)
        memcpy(text, data, size);
    if (ofp_meter_parse(text, &m, &d)) {
        print_and_parse(&m);
        over_the_wire(&m);
    } else {
        if (!d.failed || !d.message.len || d.at > strlen(text))
            abort();
        diag_print(&d, "x: ", text, &out);
    }
    ofp_meter_free(&m);
    diag_free(&d);
    d = DIAG_INIT;
    if (!ofp_meter_parse_id(text, &id, &d) && (!d.failed || d.at > strlen(text)))
        abort();
    diag_free(&d);
    buf_free(&out);
    free(text);
    return 0;
}
