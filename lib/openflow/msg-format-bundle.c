/* Bundles in text. */
#include "openflow/bundle.h"
#include "openflow/msg-format.h"

static void format_flags(uint16_t flags, struct buf *out)
{
    static const struct bit_name names[] = {{OFPBF_ATOMIC, "atomic"}, {OFPBF_ORDERED, "ordered"}};
    buf_puts(out, " flags=");
    bits_format(flags, names, ARRAY_SIZE(names), out);
    buf_puts(out, "\n");
}

FORMAT_FN(format_bundle_ctrl)
{
    static const char *const types[N_OFPBCTS] = {
        [OFPBCT_OPEN_REQUEST] = "OPEN_REQUEST",     [OFPBCT_OPEN_REPLY] = "OPEN_REPLY",
        [OFPBCT_CLOSE_REQUEST] = "CLOSE_REQUEST",   [OFPBCT_CLOSE_REPLY] = "CLOSE_REPLY",
        [OFPBCT_COMMIT_REQUEST] = "COMMIT_REQUEST", [OFPBCT_COMMIT_REPLY] = "COMMIT_REPLY",
        [OFPBCT_DISCARD_REQUEST] = "DISCARD_REQUEST", [OFPBCT_DISCARD_REPLY] = "DISCARD_REPLY",
    };
    struct bundle_ctrl b;
    bundle_ctrl_decode(h->version, body, &b);
    buf_printf(out, "\n bundle_id=%#x type=%s", b.id, b.type < N_OFPBCTS ? types[b.type] : "");
    format_flags(b.flags, out);
}

FORMAT_FN(format_bundle_add)
{
    struct bundle_add b;
    struct ofp_header inner;
    enum ofp_msg_type type;
    enum ofp_error e = bundle_add_decode(h, body, &b);
    if (!e)
        e = ofp_msg_decode_type(b.msg, b.len, &inner, &type, NULL, NULL);
    if (!e && type == OFPMSG_BUNDLE_ADD_MESSAGE)
        e = OFPERR_BFC_MSG_UNSUP;
    if (e) {
        buf_printf(out, " ***decode error: %s***\n", ofp_error_name(e));
        return;
    }
    buf_printf(out, "\n bundle_id=%#x", b.id);
    format_flags(b.flags, out);
    ofp_msg_format(b.msg, b.len, names, verbosity, out);
}
