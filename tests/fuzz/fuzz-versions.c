/* Whole messages of OpenFlow 1.0 and 1.4: what is decoded can be encoded, that decodes, and is encoded the same again. */
#include <stdio.h>
#include <stdlib.h>
#include "openflow/flow.h"
#include "openflow/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

/* Decodes a body of the type and encodes it anew, as a whole message, into `out`. False: it is refused, or of another kind. */
static bool flow_mods(enum ofp_msg_type type, uint8_t version, struct rd body, struct buf *out)
{
    struct flow_mod fm = FLOW_MOD_INIT;
    bool nx = type == OFPMSG_NX_FLOW_MOD;
    if (!nx && type != OFPMSG_FLOW_MOD)
        return false;
    bool ok = !(nx ? nx_flow_mod_decode(version, body, &fm) : flow_mod_decode(version, body, &fm)) && fm.acts.len < 30000;
    if (ok)
        flow_mod_encode(&fm, version, 1, out);
    flow_mod_free(&fm);
    return ok;
}

static bool flow_stats(enum ofp_msg_type type, uint8_t version, struct rd body, struct buf *out)
{
    struct buf scratch = BUF_INIT;
    struct flow_stats fs;
    struct ofp_parts parts;
    bool nx = type == OFPMSG_NX_FLOW_STATS_REPLY, any = false;
    if (!nx && type != OFPMSG_FLOW_STATS_REPLY)
        return false;
    ofp_parts_begin(&parts, out, version, type, 1);
    while (rd_left(&body) && out->len < 20000 &&
           !(nx ? nx_flow_stats_decode(version, &body, &fs, &scratch) : flow_stats_decode(version, &body, &fs, &scratch))) {
        flow_stats_encode(&fs, &parts);
        any = true;
    }
    ofp_parts_end(&parts);
    buf_free(&scratch);
    return any && !rd_left(&body);
}

static bool requests(enum ofp_msg_type type, uint8_t version, struct rd body, struct buf *out)
{
    struct flow_stats_request q;
    bool aggregate = type == OFPMSG_AGGREGATE_REQUEST || type == OFPMSG_NX_AGGREGATE_REQUEST;
    if (type == OFPMSG_FLOW_STATS_REQUEST || type == OFPMSG_AGGREGATE_REQUEST) {
        if (flow_stats_request_decode(version, body, &q))
            return false;
        flow_stats_request_encode(&q, aggregate, version, 1, out);
    } else if (type == OFPMSG_NX_FLOW_STATS_REQUEST || type == OFPMSG_NX_AGGREGATE_REQUEST) {
        if (nx_flow_stats_request_decode(version, body, &q))
            return false;
        nx_flow_stats_request_encode(&q, aggregate, version, 1, out);
    } else {
        return false;
    }
    return true;
}

static bool removed(enum ofp_msg_type type, uint8_t version, struct rd body, struct buf *out)
{
    struct flow_removed fr;
    if (type == OFPMSG_NX_FLOW_REMOVED && !nx_flow_removed_decode(version, body, &fr))
        nx_flow_removed_encode(&fr, version, out);
    else if (type == OFPMSG_FLOW_REMOVED && !flow_removed_decode(version, body, &fr))
        flow_removed_encode(&fr, version, out);
    return out->len != 0;
}

static bool packets(enum ofp_msg_type type, uint8_t version, struct rd body, struct buf *out)
{
    struct packet_in in;
    struct packet_out po = {0};
    if (type == OFPMSG_PACKET_IN && !packet_in_decode(version, body, &in))
        packet_in_encode(&in, version, out);
    else if (type == OFPMSG_PACKET_OUT && !packet_out_decode(version, body, &po) && po.acts.len < 20000 && po.data_len < 20000)
        packet_out_encode(&po, version, 1, out);
    buf_free(&po.acts);
    return out->len != 0;
}

static bool ports(enum ofp_msg_type type, uint8_t version, struct rd body, struct buf *out)
{
    struct ofp_port_desc d;
    struct ofp_port_mod m;
    uint8_t reason;
    if (type == OFPMSG_PORT_STATUS && !port_status_decode(version, body, &reason, &d))
        port_status_encode(reason, &d, version, out);
    else if (type == OFPMSG_PORT_MOD && !port_mod_decode(version, body, &m))
        port_mod_encode(&m, version, 1, out);
    return out->len != 0;
}

static bool session(enum ofp_msg_type type, uint8_t version, struct rd body, struct buf *out)
{
    struct ofp_async_config a = {0};
    struct ofp_features f;
    if ((type == OFPMSG_SET_ASYNC || type == OFPMSG_GET_ASYNC_REPLY) && !async_decode(version, body, &a))
        async_encode(&a, type, version, 1, out);
    else if (type == OFPMSG_FEATURES_REPLY && !features_decode(version, body, &f))
        features_encode(&f, version, 1, out);
    return out->len != 0;
}

static bool again(const void *msg, size_t len, struct buf *out)
{
    static bool (*const kinds[])(enum ofp_msg_type, uint8_t, struct rd, struct buf *) = {
        flow_mods, flow_stats, requests, removed, packets, ports, session};
    struct ofp_header h;
    enum ofp_msg_type type;
    struct rd body;
    if (ofp_msg_decode_type(msg, len, &h, &type, &body, NULL) || (h.version != OFP10 && h.version != OFP14))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (kinds[i](type, h.version, body, out))
            return true;
        else
            buf_clear(out);
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf once = BUF_INIT, twice = BUF_INIT, text = BUF_INIT;
    if (size <= OFP_MAX_LEN)
        ofp_msg_format(data, size, NULL, 3, &text);
    if (size <= OFP_MAX_LEN && again(data, size, &once)) {
        must(again(once.data, once.len, &twice), "encoded but not decoded");
        must(once.len == twice.len && !memcmp(once.data, twice.data, once.len), "encoded otherwise the second time");
    }
    buf_free(&once);
    buf_free(&twice);
    buf_free(&text);
    return 0;
}
