/* msg-format.h: the inside of msg-format*.c. Each format_ function appends what follows "NAME (OF1.3) (xid=…):" */
#ifndef OPENFLOW_MSG_FORMAT_H
#define OPENFLOW_MSG_FORMAT_H 1

#include "openflow/msg.h"

struct bit_name {
    uint32_t bit;
    const char *name;
};
void bits_format(uint32_t bits, const struct bit_name *, size_t n, struct buf *out); /* "A B 0x8", "0" if none */
void text_format(const char *, size_t len, struct buf *out);                         /* of the peer's, made harmless */

enum { N_PACKET_IN_REASONS = 6, N_PORT_REASONS = 3, N_FLOW_REMOVED_REASONS = 6 };
extern const char *const packet_in_reasons[N_PACKET_IN_REASONS];
extern const char *const port_reasons[N_PORT_REASONS];
extern const char *const flow_removed_reasons[N_FLOW_REMOVED_REASONS];

#define FORMAT_DECLARE(NAME) \
    void NAME(const struct ofp_header *, struct rd body, const struct port_names *, int verbosity, struct buf *out);
FORMAT_DECLARE(format_bundle_ctrl)
FORMAT_DECLARE(format_bundle_add)
FORMAT_DECLARE(format_flow_monitor_request)
FORMAT_DECLARE(format_flow_monitor_reply)
FORMAT_DECLARE(format_flow_monitor_cancel)
FORMAT_DECLARE(format_packet_in)
FORMAT_DECLARE(format_nx_packet_in)
FORMAT_DECLARE(format_nx_packet_in2)
FORMAT_DECLARE(format_packet_out)
FORMAT_DECLARE(format_flow_mod)
FORMAT_DECLARE(format_flow_removed)
FORMAT_DECLARE(format_nx_flow_mod)
FORMAT_DECLARE(format_nx_flow_removed)
FORMAT_DECLARE(format_nx_flow_stats_request)
FORMAT_DECLARE(format_nx_flow_stats_reply)
FORMAT_DECLARE(format_table_desc)
FORMAT_DECLARE(format_flow_stats_request)
FORMAT_DECLARE(format_flow_stats_reply)
FORMAT_DECLARE(format_aggregate_reply)
FORMAT_DECLARE(format_port_status)
FORMAT_DECLARE(format_queue_config_request)
FORMAT_DECLARE(format_queue_config)
FORMAT_DECLARE(format_queue_stats_request)
FORMAT_DECLARE(format_queue_stats)
FORMAT_DECLARE(format_meter_mod)
FORMAT_DECLARE(format_meter_request)
FORMAT_DECLARE(format_meter_config)
FORMAT_DECLARE(format_meter_stats)
FORMAT_DECLARE(format_meter_features)
FORMAT_DECLARE(format_port_mod)
FORMAT_DECLARE(format_port_stats_request)
FORMAT_DECLARE(format_port_stats_reply)
FORMAT_DECLARE(format_port_desc_reply)
FORMAT_DECLARE(format_table_mod)
FORMAT_DECLARE(format_table_stats)
FORMAT_DECLARE(format_table_features)
FORMAT_DECLARE(format_group_mod)
FORMAT_DECLARE(format_group_stats_request)
FORMAT_DECLARE(format_group_stats)
FORMAT_DECLARE(format_group_desc_request)
FORMAT_DECLARE(format_group_desc)
FORMAT_DECLARE(format_group_features)
#undef FORMAT_DECLARE

/* Head of such a function. */
#define FORMAT_FN(NAME)                                                                                               \
    void NAME(const struct ofp_header *h UNUSED, struct rd body UNUSED, const struct port_names *names UNUSED,        \
              int verbosity UNUSED, struct buf *out)

#endif
