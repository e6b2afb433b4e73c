/* msg.h: the other messages: structs and wire. Decoders take the body that ofp_msg_decode_type() left; encoders append
 * a whole message. Text for `monitor` and the dump commands: ofp_msg_format(). */
#ifndef OPENFLOW_MSG_H
#define OPENFLOW_MSG_H 1

#include "openflow/act.h"
#include "openflow/flow.h"
#include "openflow/match-codec.h"

/* HELLO: versions as a bitmap of 1 << version (7.5.1). The element wins over the header's version. */
void hello_encode(uint32_t versions, uint32_t xid, struct buf *out);
enum ofp_error hello_decode(const struct ofp_header *, struct rd body, uint32_t *versions);

void ofp_simple_encode(struct buf *out, enum ofp_msg_type, uint32_t xid);          /* a message with no body */
void ofp_echo_encode(struct buf *out, bool reply, uint32_t xid, const void *data, size_t len);

struct ofp_features {
    uint64_t datapath_id;
    uint32_t n_buffers, capabilities;
    uint8_t n_tables, auxiliary_id;
};
void features_encode(const struct ofp_features *, uint32_t xid, struct buf *out);
enum ofp_error features_decode(struct rd body, struct ofp_features *);

struct ofp_switch_config {
    uint16_t flags, miss_send_len;
};
void switch_config_encode(const struct ofp_switch_config *, enum ofp_msg_type, uint32_t xid, struct buf *out);
enum ofp_error switch_config_decode(struct rd body, struct ofp_switch_config *);

struct ofp_port_desc {
    uint32_t port;
    uint8_t mac[6];
    char name[17];
    uint32_t config, state, curr, advertised, supported, peer, curr_speed, max_speed; /* kbps */
};
void port_desc_encode(const struct ofp_port_desc *, struct buf *out); /* one struct ofp_port */
enum ofp_error port_desc_decode(struct rd *, struct ofp_port_desc *);
void port_status_encode(uint8_t reason, const struct ofp_port_desc *, struct buf *out);
enum ofp_error port_status_decode(struct rd body, uint8_t *reason, struct ofp_port_desc *);

struct ofp_port_stats {
    uint32_t port, duration_sec, duration_nsec;
    uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes, rx_dropped, tx_dropped, rx_errors, tx_errors, rx_frame_err,
        rx_over_err, rx_crc_err, collisions; /* UINT64_MAX: not known */
};
void port_stats_encode(const struct ofp_port_stats *, struct buf *out);
enum ofp_error port_stats_decode(struct rd *, struct ofp_port_stats *);
void port_stats_request_encode(uint32_t port, uint32_t xid, struct buf *out);
enum ofp_error port_stats_request_decode(struct rd body, uint32_t *port);

struct ofp_port_mod {
    uint32_t port, config, mask, advertise;
    uint8_t mac[6];
};
void port_mod_encode(const struct ofp_port_mod *, uint32_t xid, struct buf *out);
enum ofp_error port_mod_decode(struct rd body, struct ofp_port_mod *);

struct ofp_table_stats {
    uint8_t table;
    uint32_t active;
    uint64_t lookups, matched;
};
void table_stats_encode(const struct ofp_table_stats *, struct buf *out);
enum ofp_error table_stats_decode(struct rd *, struct ofp_table_stats *);

struct ofp_desc {
    char manufacturer[256], hardware[256], software[256], serial[32], datapath[256];
};
void desc_encode(const struct ofp_desc *, uint32_t xid, struct buf *out);
enum ofp_error desc_decode(struct rd body, struct ofp_desc *);

struct packet_in {
    uint32_t buffer_id;
    uint16_t total_len;
    uint8_t reason, table;
    uint64_t cookie;
    struct match match; /* in_port, tunnel and pipeline fields that are not zero */
    const void *data;
    size_t data_len;
};
void packet_in_encode(const struct packet_in *, struct buf *out);
enum ofp_error packet_in_decode(struct rd body, struct packet_in *); /* data points into the message */

struct packet_out {
    uint32_t buffer_id, in_port;
    struct buf acts;
    const void *data;
    size_t data_len;
};
void packet_out_encode(const struct packet_out *, uint32_t xid, struct buf *out);
enum ofp_error packet_out_decode(struct rd body, struct packet_out *); /* data points into the message; free acts */

struct ofp_role_request {
    uint32_t role;
    uint64_t generation_id;
};
void role_encode(const struct ofp_role_request *, enum ofp_msg_type, uint32_t xid, struct buf *out);
enum ofp_error role_decode(struct rd body, struct ofp_role_request *);

/* Which asynchronous messages: masks of 1 << reason, [0] for master and equal, [1] for slave. */
struct ofp_async_config {
    uint32_t packet_in[2], port_status[2], flow_removed[2];
};
void async_encode(const struct ofp_async_config *, enum ofp_msg_type, uint32_t xid, struct buf *out);
enum ofp_error async_decode(struct rd body, struct ofp_async_config *);

/* TABLE_MOD (1.3: deprecated bits only), TABLE_FEATURES as read (one entry per table; `next_table` the first of the
 * tables that goto may lead to). */
enum ofp_error table_mod_decode(struct rd body, uint8_t *table, uint32_t *config);
struct ofp_table_features {
    uint8_t table, n_tables;
    const char *name;
    uint32_t max_entries;
};
void table_features_encode(const struct ofp_table_features *, struct buf *out);

struct ofp_error_msg {
    uint16_t type, code;
    const void *data;
    size_t data_len;
};
enum ofp_error error_msg_decode(struct rd body, struct ofp_error_msg *);

/* What a whole message says, in lines as ovs-ofctl's monitor prints it. verbosity 0: one line. */
void ofp_msg_format(const void *msg, size_t len, const struct port_names *, int verbosity, struct buf *out);

#endif
