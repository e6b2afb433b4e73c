/* Messages as text: the frame around all of them, and the small ones. Ports, tables and packets have files of their
 * own. The form is that of ovs-ofctl 3.1, which scripts read. */
#include "openflow/msg-format.h"

/* --- Words --- */

void bits_format(uint32_t bits, const struct bit_name *names, size_t n, struct buf *out)
{
    size_t start = out->len;
    for (size_t i = 0; i < n; i++)
        if (bits & names[i].bit) {
            buf_printf(out, "%s%s", out->len > start ? " " : "", names[i].name);
            bits &= ~names[i].bit;
        }
    if (bits)
        buf_printf(out, "%s0x%x", out->len > start ? " " : "", bits);
    if (out->len == start)
        buf_puts(out, "0");
}

static const char *word(const char *const words[], size_t n, unsigned i) { return i < n ? words[i] : "unknown"; }
#define WORD(WORDS, I) word(WORDS, ARRAY_SIZE(WORDS), I)

const char *const packet_in_reasons[N_PACKET_IN_REASONS] = {"no_match",   "action", "invalid_ttl",
                                                             "action_set", "group",  "packet_out"};
const char *const flow_removed_reasons[N_FLOW_REMOVED_REASONS] = {"idle",         "hard",         "delete",
                                                                   "group_delete", "meter_delete", "eviction"};
const char *packet_in_reason_name(uint8_t reason) { return WORD(packet_in_reasons, reason); }
const char *flow_removed_reason_name(uint8_t reason) { return WORD(flow_removed_reasons, reason); }

const char *frag_mode_name(uint16_t flags)
{
    static const char *const names[] = {"normal", "drop", "reassemble", "nx-match"};
    return WORD(names, flags & OFPC_FRAG_MASK);
}

const char *role_name(uint32_t role)
{
    static const char *const names[] = {"nochange", "equal", "primary", "secondary"};
    return WORD(names, role);
}

void hex_dump(const void *data, size_t len, struct buf *out)
{
    const uint8_t *p = data;
    for (size_t ofs = 0; ofs < len; ofs += 16) {
        size_t n = MIN(len - ofs, 16);
        buf_printf(out, "%08zx  ", ofs);
        for (size_t i = 0; i < 16; i++) {
            char gap = i == 7 && n > 7 ? '-' : ' ';
            if (i < n)
                buf_printf(out, "%02x%c", p[ofs + i], gap);
            else
                buf_puts(out, "   ");
        }
        buf_puts(out, "|");
        for (size_t i = 0; i < 16; i++) {
            uint8_t c = i < n ? p[ofs + i] : ' ';
            buf_printf(out, "%c", c >= 0x20 && c < 0x7f ? c : '.');
        }
        buf_puts(out, "|\n");
    }
}

/* Text from the peer: printable ASCII and UTF-8 as it is, the rest could steer the terminal. */
void text_format(const char *s, size_t len, struct buf *out)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t c = s[i];
        if (c < 0x20 || c == 0x7f)
            buf_printf(out, "\\x%02x", c);
        else
            buf_put(out, &c, 1);
    }
    buf_reserve(out, 1);
}

/* --- Session --- */

typedef void format_fn(const struct ofp_header *, struct rd body, const struct port_names *, int verbosity,
                       struct buf *out);
static FORMAT_FN(format_nothing) { buf_puts(out, "\n"); }

static FORMAT_FN(format_hello)
{
    uint32_t versions;
    if (hello_decode(h, body, &versions)) {
        buf_puts(out, " malformed\n");
        return;
    }
    buf_puts(out, "\n version bitmap: ");
    for (int v = 0; v < 32; v++)
        if (versions >> v & 1)
            buf_printf(out, "0x%02x, ", v);
    if (versions)
        out->len -= 2;
    buf_puts(out, "\n");
}

static FORMAT_FN(format_echo)
{
    buf_printf(out, " %zu bytes of payload\n", rd_left(&body));
    hex_dump(body.p, rd_left(&body), out);
}

/* The message that an error is about is often cut to 64 bytes, and may itself be an error, which is not looked into. */
static void format_offending(const struct ofp_error_msg *e, const struct port_names *names, struct buf *out)
{
    struct ofp_header h;
    enum ofp_msg_type type;
    bool sane = ofp_header_peek(e->data, e->data_len, &h);
    if (sane && h.len == e->data_len && !ofp_msg_decode_type(e->data, e->data_len, &h, &type, NULL, NULL) &&
        type != OFPMSG_ERROR) {
        ofp_msg_format(e->data, e->data_len, names, 1, out);
        return;
    }
    if (sane && h.len > e->data_len)
        buf_printf(out, "(***truncated to %zu bytes from %u***)\n", e->data_len, h.len);
    hex_dump(e->data, e->data_len, out);
}

static FORMAT_FN(format_error)
{
    struct ofp_error_msg e;
    if (error_msg_decode(h->version, body, &e)) {
        buf_puts(out, " malformed\n");
        return;
    }
    if (e.error)
        buf_printf(out, " %s\n", ofp_error_name(e.error));
    else if (e.experimenter)
        buf_printf(out, " experimenter 0x%x, type %u\n", e.experimenter, e.code);
    else
        buf_printf(out, " type %u, code %u\n", e.type, e.code);
    if (e.type == 0) {
        text_format(e.data, e.data_len, out);
        buf_puts(out, "\n");
    } else {
        format_offending(&e, names, out);
    }
}

static FORMAT_FN(format_switch_config)
{
    struct ofp_switch_config c;
    switch_config_decode(h->version, body, &c);
    buf_printf(out, " frags=%s miss_send_len=%u\n", frag_mode_name(c.flags), c.miss_send_len);
}

static FORMAT_FN(format_role)
{
    struct ofp_role_request r;
    if (role_decode(h->version, body, &r)) {
        buf_puts(out, " bad role\n");
        return;
    }
    buf_printf(out, " role=%s", role_name(r.role));
    enum { REQUEST = 24 }; /* in which NOCHANGE has none; a reply says UINT64_MAX */
    if ((h->type != REQUEST || r.role != OFPCR_NOCHANGE) && r.generation_id != UINT64_MAX)
        buf_printf(out, " generation_id=%llu", (unsigned long long)r.generation_id);
    buf_puts(out, "\n");
}

static FORMAT_FN(format_role_status)
{
    static const char *const reasons[] = {"primary_request", "configuration_changed", "experimenter_data_changed"};
    struct ofp_role_status s;
    if (role_status_decode(h->version, body, &s)) {
        buf_puts(out, " malformed\n");
        return;
    }
    buf_printf(out, " role=%s", role_name(s.role));
    if (s.generation_id != UINT64_MAX)
        buf_printf(out, " generation_id=%llu", (unsigned long long)s.generation_id);
    buf_printf(out, " reason=%s\n", WORD(reasons, s.reason));
}

static FORMAT_FN(format_nx_role)
{
    uint32_t role;
    if (nx_role_decode(h->version, body, &role))
        buf_puts(out, " bad role\n");
    else
        buf_printf(out, " role=%s\n", role_name(role));
}

static void format_async_mask(const char *what, uint32_t mask, const char *const names[], unsigned n, struct buf *out)
{
    buf_printf(out, "%16s:", what);
    if (!mask)
        buf_puts(out, " (off)");
    for (unsigned i = 0; i < 32; i++)
        if (mask >> i & 1) {
            if (i < n)
                buf_printf(out, " %s", names[i]);
            else
                buf_printf(out, " %u", i);
        }
    buf_puts(out, "\n");
}

static void put_async(const struct ofp_async_config *a, struct buf *out)
{
    static const char *const role_reasons[] = {"primary_request", "configuration_changed", "experimenter_data_changed"};
    static const char *const table_reasons[] = {"0", "1", "2", "vacancy_down", "vacancy_up"};
    static const char *const forwarded[] = {"group_mod_request", "meter_mod_request"};
    buf_puts(out, "\n");
    for (int i = 0; i < 2; i++) {
        buf_puts(out, i ? "\n secondary:\n" : " primary:\n");
        format_async_mask("PACKET_IN", a->packet_in[i], packet_in_reasons, N_PACKET_IN_REASONS, out);
        format_async_mask("PORT_STATUS", a->port_status[i], port_reasons, N_PORT_REASONS, out);
        format_async_mask("FLOW_REMOVED", a->flow_removed[i], flow_removed_reasons, N_FLOW_REMOVED_REASONS, out);
        format_async_mask("ROLE_STATUS", a->role_status[i], role_reasons, ARRAY_SIZE(role_reasons), out);
        format_async_mask("TABLE_STATUS", a->table_status[i], table_reasons, ARRAY_SIZE(table_reasons), out);
        format_async_mask("REQUESTFORWARD", a->requestforward[i], forwarded, ARRAY_SIZE(forwarded), out);
    }
}

static FORMAT_FN(format_async)
{
    struct ofp_async_config a = {0};
    if (async_decode(h->version, body, &a))
        buf_puts(out, " malformed\n");
    else
        put_async(&a, out);
}

static FORMAT_FN(format_nx_async)
{
    struct ofp_async_config a = {0};
    if (nx_async_decode(h->version, body, &a))
        buf_puts(out, " malformed\n");
    else
        put_async(&a, out);
}

/* --- Switch --- */

void capabilities_format(uint32_t bits, struct buf *out)
{
    static const struct bit_name names[] = {
        {OFPC_FLOW_STATS, "FLOW_STATS"},     {OFPC_TABLE_STATS, "TABLE_STATS"}, {OFPC_PORT_STATS, "PORT_STATS"},
        {OFPC_GROUP_STATS, "GROUP_STATS"},   {OFPC_IP_REASM, "IP_REASM"},       {OFPC_QUEUE_STATS, "QUEUE_STATS"},
        {OFPC_ARP_MATCH_IP, "ARP_MATCH_IP"}, {OFPC_PORT_BLOCKED, "PORT_BLOCKED"}, {1 << 9, "BUNDLES"},  {1 << 10, "FLOW_MONITORING"},
    };
    bits_format(bits, names, ARRAY_SIZE(names), out);
}

static FORMAT_FN(format_features)
{
    struct ofp_features f;
    features_decode(h->version, body, &f);
    buf_printf(out, " dpid:%016llx\n", (unsigned long long)f.datapath_id);
    buf_printf(out, "n_tables:%u, n_buffers:%u", f.n_tables, f.n_buffers);
    if (f.auxiliary_id)
        buf_printf(out, ", auxiliary_id:%u", f.auxiliary_id);
    buf_puts(out, "\ncapabilities: ");
    capabilities_format(f.capabilities, out);
    buf_puts(out, "\n");
    if (h->version == OFP10) {
        static const struct bit_name actions[] = {
            {1, "output"},           {1 << 11, "enqueue"},   {1 << 1, "set_vlan_vid"}, {1 << 2, "set_vlan_pcp"},
            {1 << 3, "strip_vlan"},  {1 << 4, "mod_dl_src"}, {1 << 5, "mod_dl_dst"},   {1 << 6, "mod_nw_src"},
            {1 << 7, "mod_nw_dst"},  {1 << 8, "mod_nw_tos"}, {1 << 9, "mod_tp_src"},   {1 << 10, "mod_tp_dst"},
        };
        buf_puts(out, "actions: ");
        bits_format(f.actions, actions, ARRAY_SIZE(actions), out);
        format_port_desc_reply(h, f.ports, names, verbosity, out);
    }
}

static FORMAT_FN(format_desc)
{
    struct ofp_desc d;
    desc_decode(h->version, body, &d);
    const struct {
        const char *title, *text;
    } lines[] = {{"Manufacturer", d.manufacturer},
                 {"Hardware", d.hardware},
                 {"Software", d.software},
                 {"Serial Num", d.serial},
                 {"DP Description", d.datapath}};
    buf_puts(out, "\n");
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        buf_printf(out, "%s: ", lines[i].title);
        text_format(lines[i].text, strlen(lines[i].text), out);
        buf_puts(out, "\n");
    }
}

static FORMAT_FN(format_nx_packet_in_format)
{
    static const char *const formats[] = {"standard", "nxt_packet_in", "nxt_packet_in2"};
    uint32_t format;
    nx_packet_in_format_decode(h->version, body, &format);
    buf_printf(out, " format=%s\n", WORD(formats, format));
}

/* Before 1.5 there is no other. */
static FORMAT_FN(format_port_desc_request) { buf_puts(out, " port=ANY\n"); }

static FORMAT_FN(format_nx_flow_format)
{
    uint32_t format;
    if (nx_flow_format_decode(h->version, body, &format))
        buf_printf(out, " format=%u\n", format);
    else
        buf_printf(out, " format=%s\n", format == NXFF_NXM ? "nxm" : "openflow10");
}

static FORMAT_FN(format_nx_table_id)
{
    bool on;
    nx_table_id_decode(h->version, body, &on);
    buf_puts(out, on ? " enable\n" : " disable\n");
}

static FORMAT_FN(format_nx_controller_id)
{
    uint16_t id;
    if (nx_controller_id_decode(h->version, body, &id))
        buf_puts(out, " malformed\n");
    else
        buf_printf(out, " id=%u\n", id);
}

static FORMAT_FN(format_bridge_info)
{
    struct xvs_bridge_info i;
    xvs_bridge_info_decode(h->version, body, &i);
    buf_printf(out, " tunnel_ports=%u\n", i.n_tunnel_ports);
}

static FORMAT_FN(format_bytes)
{
    buf_puts(out, "\n");
    hex_dump(body.p, rd_left(&body), out);
}

/* --- All of them --- */

/* Messages that are not here have nothing behind the header, or bodies that are shown as bytes. */
static format_fn *const formats[N_OFPMSGS] = {
    [OFPMSG_HELLO] = format_hello,
    [OFPMSG_ERROR] = format_error,
    [OFPMSG_ECHO_REQUEST] = format_echo,
    [OFPMSG_ECHO_REPLY] = format_echo,
    [OFPMSG_FEATURES_REPLY] = format_features,
    [OFPMSG_GET_CONFIG_REPLY] = format_switch_config,
    [OFPMSG_SET_CONFIG] = format_switch_config,
    [OFPMSG_PACKET_IN] = format_packet_in,
    [OFPMSG_PACKET_OUT] = format_packet_out,
    [OFPMSG_FLOW_REMOVED] = format_flow_removed,
    [OFPMSG_FLOW_MOD] = format_flow_mod,
    [OFPMSG_GROUP_MOD] = format_group_mod,
    [OFPMSG_PORT_STATUS] = format_port_status,
    [OFPMSG_PORT_MOD] = format_port_mod,
    [OFPMSG_TABLE_MOD] = format_table_mod,
    [OFPMSG_ROLE_REQUEST] = format_role,
    [OFPMSG_BUNDLE_CONTROL] = format_bundle_ctrl,
    [OFPMSG_BUNDLE_ADD_MESSAGE] = format_bundle_add,
    [OFPMSG_ROLE_REPLY] = format_role,
    [OFPMSG_GET_ASYNC_REPLY] = format_async,
    [OFPMSG_SET_ASYNC] = format_async,
    [OFPMSG_DESC_REPLY] = format_desc,
    [OFPMSG_FLOW_STATS_REQUEST] = format_flow_stats_request,
    [OFPMSG_FLOW_STATS_REPLY] = format_flow_stats_reply,
    [OFPMSG_AGGREGATE_REQUEST] = format_flow_stats_request,
    [OFPMSG_AGGREGATE_REPLY] = format_aggregate_reply,
    [OFPMSG_TABLE_STATS_REPLY] = format_table_stats,
    [OFPMSG_TABLE_FEATURES_REPLY] = format_table_features,
    [OFPMSG_PORT_STATS_REQUEST] = format_port_stats_request,
    [OFPMSG_PORT_STATS_REPLY] = format_port_stats_reply,
    [OFPMSG_PORT_DESC_REPLY] = format_port_desc_reply,
    [OFPMSG_GROUP_STATS_REQUEST] = format_group_stats_request,
    [OFPMSG_GROUP_STATS_REPLY] = format_group_stats,
    [OFPMSG_GROUP_DESC_REQUEST] = format_group_desc_request,
    [OFPMSG_GROUP_DESC_REPLY] = format_group_desc,
    [OFPMSG_GROUP_FEATURES_REPLY] = format_group_features,
    [OFPMSG_QUEUE_GET_CONFIG_REQUEST] = format_queue_config_request,
    [OFPMSG_QUEUE_GET_CONFIG_REPLY] = format_queue_config,
    [OFPMSG_QUEUE_DESC_REQUEST] = format_queue_config_request,
    [OFPMSG_QUEUE_DESC_REPLY] = format_queue_config,
    [OFPMSG_QUEUE_STATS_REQUEST] = format_queue_stats_request,
    [OFPMSG_QUEUE_STATS_REPLY] = format_queue_stats,
    [OFPMSG_METER_MOD] = format_meter_mod,
    [OFPMSG_METER_STATS_REQUEST] = format_meter_request,
    [OFPMSG_METER_CONFIG_REQUEST] = format_meter_request,
    [OFPMSG_METER_STATS_REPLY] = format_meter_stats,
    [OFPMSG_METER_CONFIG_REPLY] = format_meter_config,
    [OFPMSG_METER_FEATURES_REPLY] = format_meter_features,
    [OFPMSG_FLOW_MONITOR_REQUEST] = format_flow_monitor_request,
    [OFPMSG_FLOW_MONITOR_REPLY] = format_flow_monitor_reply,
    [OFPMSG_FLOW_MONITOR_CANCEL] = format_flow_monitor_cancel,
    [OFPMSG_NX_PACKET_IN] = format_nx_packet_in,
    [OFPMSG_NX_PACKET_IN2] = format_nx_packet_in2,
    [OFPMSG_NX_SET_PACKET_IN_FORMAT] = format_nx_packet_in_format,
    [OFPMSG_PORT_DESC_REQUEST] = format_port_desc_request,
    [OFPMSG_ROLE_STATUS] = format_role_status,
    [OFPMSG_TABLE_DESC_REPLY] = format_table_desc,
    [OFPMSG_NX_FLOW_STATS_REQUEST] = format_nx_flow_stats_request,
    [OFPMSG_NX_FLOW_STATS_REPLY] = format_nx_flow_stats_reply,
    [OFPMSG_NX_AGGREGATE_REQUEST] = format_nx_flow_stats_request,
    [OFPMSG_NX_AGGREGATE_REPLY] = format_aggregate_reply,
    [OFPMSG_NX_ROLE_REQUEST] = format_nx_role,
    [OFPMSG_NX_ROLE_REPLY] = format_nx_role,
    [OFPMSG_NX_SET_FLOW_FORMAT] = format_nx_flow_format,
    [OFPMSG_NX_FLOW_MOD] = format_nx_flow_mod,
    [OFPMSG_NX_FLOW_REMOVED] = format_nx_flow_removed,
    [OFPMSG_NX_FLOW_MOD_TABLE_ID] = format_nx_table_id,
    [OFPMSG_NX_SET_ASYNC_CONFIG] = format_nx_async,
    [OFPMSG_NX_SET_CONTROLLER_ID] = format_nx_controller_id,
    [OFPMSG_XVS_BRIDGE_INFO_REPLY] = format_bridge_info,
};

void ofp_msg_format_header(enum ofp_msg_type type, const struct ofp_header *h, struct buf *out)
{
    static const char *const versions[] = {"0x00", "OF1.0", "OF1.1", "OF1.2", "OF1.3", "OF1.4", "OF1.5"};
    ofp_msg_format_name(type, h->version, out);
    if (h->version == OFP10)
        ; /* as other tools have it: the oldest needs no name */
    else if (h->version < ARRAY_SIZE(versions))
        buf_printf(out, " (%s)", versions[h->version]);
    else
        buf_printf(out, " (OF 0x%02x)", h->version);
    buf_printf(out, " (xid=0x%x):", h->xid);
}

void ofp_msg_format_body(enum ofp_msg_type type, const struct ofp_header *h, struct rd body,
                         const struct port_names *names, int verbosity, struct buf *out)
{
    format_fn *f = formats[type] ? formats[type] : rd_left(&body) ? format_bytes : format_nothing;
    f(h, body, names, verbosity, out);
}

void ofp_msg_format(const void *msg, size_t len, const struct port_names *names, int verbosity, struct buf *out)
{
    struct ofp_header h;
    enum ofp_msg_type type;
    struct rd body;
    size_t start = out->len;
    enum ofp_error error = ofp_msg_decode_type(msg, len, &h, &type, &body, NULL);
    if (error) {
        buf_printf(out, "***decode error: %s***\n", ofp_error_name(error));
        hex_dump(msg, len, out);
    } else {
        ofp_msg_format_header(type, &h, out);
        ofp_msg_format_body(type, &h, body, names, verbosity, out);
    }
    if (verbosity < 1) {
        const uint8_t *nl = memchr(out->data + start, '\n', out->len - start);
        out->len = nl ? (size_t)(nl - out->data) + 1 : out->len;
    }
    buf_text(out);
}
