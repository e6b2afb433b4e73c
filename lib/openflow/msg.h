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

void ofp_simple_encode(enum ofp_msg_type, uint8_t version, uint32_t xid, struct buf *out); /* a message with no body */
void ofp_echo_encode(bool reply, uint8_t version, uint32_t xid, const void *data, size_t len /* up to 65527 */,
                     struct buf *out);

struct ofp_features {
    uint64_t datapath_id;
    uint32_t n_buffers, capabilities;
    uint8_t n_tables, auxiliary_id;
    uint32_t actions; /* 1.0: 1 << enum ofp10_action_type */
    struct rd ports;  /* 1.0: descriptions, for port_desc_encode() and port_desc_decode() */
};
void features_encode(const struct ofp_features *, uint8_t version, uint32_t xid, struct buf *out);
enum ofp_error features_decode(uint8_t version, struct rd body, struct ofp_features *);

struct ofp_switch_config {
    uint16_t flags, miss_send_len;
};
void switch_config_encode(const struct ofp_switch_config *, enum ofp_msg_type, uint8_t version, uint32_t xid,
                          struct buf *out);
enum ofp_error switch_config_decode(uint8_t version, struct rd body, struct ofp_switch_config *);

struct ofp_port_desc {
    uint32_t port;
    uint8_t mac[6];
    char name[17];
    uint32_t config, state, curr, advertised, supported, peer, curr_speed, max_speed; /* kbps */
};
void port_desc_encode(const struct ofp_port_desc *, uint8_t version, struct buf *out); /* one struct ofp_port */
enum ofp_error port_desc_decode(uint8_t version, struct rd *, struct ofp_port_desc *);
void port_status_encode(uint8_t reason, const struct ofp_port_desc *, uint8_t version, struct buf *out);
enum ofp_error port_status_decode(uint8_t version, struct rd body, uint8_t *reason, struct ofp_port_desc *);

struct ofp_port_stats {
    uint32_t port, duration_sec, duration_nsec;
    uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes, rx_dropped, tx_dropped, rx_errors, tx_errors, rx_frame_err,
        rx_over_err, rx_crc_err, collisions; /* UINT64_MAX: not known */
};
void port_stats_encode(const struct ofp_port_stats *, uint8_t version, struct buf *out);
enum ofp_error port_stats_decode(uint8_t version, struct rd *, struct ofp_port_stats *);
void port_stats_request_encode(uint32_t port, uint8_t version, uint32_t xid, struct buf *out);
enum ofp_error port_stats_request_decode(uint8_t version, struct rd body, uint32_t *port);

struct ofp_port_mod {
    uint32_t port, config, mask, advertise;
    uint8_t mac[6];
};
void port_mod_encode(const struct ofp_port_mod *, uint8_t version, uint32_t xid, struct buf *out);
enum ofp_error port_mod_decode(uint8_t version, struct rd body, struct ofp_port_mod *);

struct ofp_table_stats {
    uint8_t table;
    char name[33];                    /* 1.0, */
    uint32_t wildcards, max_entries;  /* likewise */
    uint32_t active;
    uint64_t lookups, matched;
};
void table_stats_encode(const struct ofp_table_stats *, uint8_t version, struct buf *out);
enum ofp_error table_stats_decode(uint8_t version, struct rd *, struct ofp_table_stats *);

struct ofp_desc {
    char manufacturer[256], hardware[256], software[256], serial[32], datapath[256];
};
void desc_encode(const struct ofp_desc *, uint8_t version, uint32_t xid, struct buf *out);
enum ofp_error desc_decode(uint8_t version, struct rd body, struct ofp_desc *);

struct packet_in {
    uint32_t buffer_id;
    uint16_t total_len;
    uint8_t reason, table;
    uint64_t cookie;
    struct match match; /* in_port, tunnel and pipeline fields that are not zero */
    const void *data;
    size_t data_len;
    const void *userdata; /* NXT_PACKET_IN2 alone has them */
    size_t userdata_len;
};
void packet_in_encode(const struct packet_in *, uint8_t version,
                      struct buf *out); /* data is cut so that the message fits */
enum ofp_error packet_in_decode(uint8_t version, struct rd body, struct packet_in *); /* data points into the message */

/* Nicira's formats, which NXT_SET_PACKET_IN_FORMAT asks for: they tell all in every version. */
enum nx_packet_in_format { NXPIF_STANDARD, NXPIF_NXT_PACKET_IN, NXPIF_NXT_PACKET_IN2, N_NXPIFS };
void packet_in_encode_as(const struct packet_in *, enum nx_packet_in_format, uint8_t version, struct buf *out);
enum ofp_error nx_packet_in_decode(uint8_t version, struct rd body, struct packet_in *);
enum ofp_error nx_packet_in2_decode(uint8_t version, struct rd body, struct packet_in *);

struct packet_out {
    uint32_t buffer_id, in_port;
    bool of10; /* act_context.of10 */
    struct buf acts;
    const void *data;
    size_t data_len;
};
void packet_out_encode(const struct packet_out *, uint8_t version, uint32_t xid, struct buf *out);
enum ofp_error packet_out_decode(uint8_t version, struct rd body,
                                 struct packet_out *); /* data points into the message; free acts */

struct ofp_role_request {
    uint32_t role;
    uint64_t generation_id;
};
void role_encode(const struct ofp_role_request *, enum ofp_msg_type, uint8_t version, uint32_t xid, struct buf *out);
enum ofp_error role_decode(uint8_t version, struct rd body, struct ofp_role_request *);

/* Which asynchronous messages: masks of 1 << reason, [0] for master and equal, [1] for slave. Those of role_status on are
 * 1.4's. Decoding changes only what the message has (1.4's may have less). */
struct ofp_async_config {
    uint32_t packet_in[2], port_status[2], flow_removed[2], role_status[2], table_status[2], requestforward[2];
};
void async_encode(const struct ofp_async_config *, enum ofp_msg_type, uint8_t version, uint32_t xid, struct buf *out);
enum ofp_error async_decode(uint8_t version, struct rd body, struct ofp_async_config *);
enum ofp_error nx_async_decode(uint8_t version, struct rd body, struct ofp_async_config *); /* NXT_SET_ASYNC_CONFIG */

/* 1.4: a client has lost the role of master. Reasons: enum ofp_role_reason. */
struct ofp_role_status {
    uint32_t role;
    uint8_t reason;
    uint64_t generation_id;
};
void role_status_encode(const struct ofp_role_status *, uint8_t version, struct buf *out);
enum ofp_error role_status_decode(uint8_t version, struct rd body, struct ofp_role_status *);

void table_mod_encode(uint8_t table, uint32_t config, uint8_t version, uint32_t xid, struct buf *out);
enum ofp_error table_mod_decode(uint8_t version, struct rd body, uint8_t *table,
                                uint32_t *config); /* 1.3: deprecated bits only */

/* TABLE_DESC of 1.4, an entry per table. */
struct ofp_table_desc {
    uint8_t table;
    uint32_t config;
};
void table_desc_encode(const struct ofp_table_desc *, uint8_t version, struct buf *out);
enum ofp_error table_desc_decode(uint8_t version, struct rd *, struct ofp_table_desc *);

/* TABLE_FEATURES as read, one entry per table: it takes every field, action and instruction of our tables of rows, and
 * goto leads to every table behind it. */
struct ofp_table_features {
    uint8_t table, n_tables;
    char name[33];
    uint64_t metadata_match, metadata_write;
    uint32_t config, max_entries;
    struct act_set acts; /* encode: each action and instruction that the table executes */
};
void table_features_encode(const struct ofp_table_features *, uint8_t version, struct buf *out);
/* One entry, moves on; its properties are checked in structure only. n_tables: the highest next table and one, or 0. */
enum ofp_error table_features_decode(uint8_t version, struct rd *, struct ofp_table_features *);

/* Nicira's: the wanted format of packet-ins (0: the standard's), and this connection's controller id (`id` of
 * controller actions that mean it). */
void nx_packet_in_format_encode(uint32_t format, uint8_t version, uint32_t xid, struct buf *out);
enum ofp_error nx_packet_in_format_decode(uint8_t version, struct rd body, uint32_t *format);
/* OpenFlow 1.0 with Nicira's extensions: flows told with ofp_match (0) or nx_match (2); whether a flow-mod's command has
 * the table in its high byte; roles. */
enum nx_flow_format { NXFF_OPENFLOW10 = 0, NXFF_NXM = 2 };
void nx_flow_format_encode(uint32_t format, uint8_t version, uint32_t xid, struct buf *out);
enum ofp_error nx_flow_format_decode(uint8_t version, struct rd body, uint32_t *format);
void nx_table_id_encode(bool on, uint8_t version, uint32_t xid, struct buf *out);
enum ofp_error nx_table_id_decode(uint8_t version, struct rd body, bool *on);
void nx_role_encode(uint32_t role /* OFPCR_… */, enum ofp_msg_type, uint8_t version, uint32_t xid, struct buf *out);
enum ofp_error nx_role_decode(uint8_t version, struct rd body, uint32_t *role);

void nx_controller_id_encode(uint16_t id, uint8_t version, uint32_t xid, struct buf *out);
enum ofp_error nx_controller_id_decode(uint8_t version, struct rd body, uint16_t *id);

/* XVS_BRIDGE_INFO: what xvs-ofctl must know to warn of flows that can match nothing. */
struct xvs_bridge_info {
    uint32_t n_tunnel_ports;
};
void xvs_bridge_info_encode(const struct xvs_bridge_info *, uint8_t version, uint32_t xid, struct buf *out);
enum ofp_error xvs_bridge_info_decode(uint8_t version, struct rd body, struct xvs_bridge_info *);

struct ofp_error_msg {
    uint16_t type, code;    /* as on the wire; an experimenter's: OFPET_EXPERIMENTER and its exp_type */
    uint32_t experimenter;
    enum ofp_error error;   /* what they mean, OFPERR_OK if unknown */
    const void *data;       /* start of the offending message, or text for HELLO_FAILED; points into the message */
    size_t data_len;
};
enum ofp_error error_msg_decode(uint8_t version, struct rd body, struct ofp_error_msg *);

/* What a whole message says, in lines as ovs-ofctl's monitor prints it, each ended by \n. verbosity 0: the first line
 * only; from 3 on with the bytes of packets. Any bytes may be given: what cannot be decoded is shown as bytes. */
void ofp_msg_format(const void *msg, size_t len, const struct port_names *, int verbosity, struct buf *out);
/* The same in two: "OFPST_PORT reply (OF1.3) (xid=0x2):", and what follows it. For a multipart reply in several parts
 * `body` may be their bodies, one behind the other. */
void ofp_msg_format_header(enum ofp_msg_type, const struct ofp_header *, struct buf *out);
void ofp_msg_format_body(enum ofp_msg_type, const struct ofp_header *, struct rd body, const struct port_names *, int verbosity,
                         struct buf *out);

/* A packet in a line, as a flow that would match it, without \n. */
void packet_format(const void *frame, size_t len, struct buf *out);
/* Lines of 16 bytes: offset, hex, characters. */
void hex_dump(const void *data, size_t len, struct buf *out);

/* Words for the bits of OFPPC_…, OFPPS_…, OFPPF_…, OFPC_… and OFPFF_…, "0" if none. */
void port_config_format(uint32_t bits, struct buf *out);
void port_state_format(uint32_t bits, struct buf *out);
void port_features_format(uint32_t bits, struct buf *out);
void capabilities_format(uint32_t bits, struct buf *out);
void flow_flags_format(uint16_t bits, struct buf *out);
void port_desc_format(const struct ofp_port_desc *, struct buf *out);
void duration_format(uint32_t sec, uint32_t nsec, struct buf *out); /* "1.25s" */
const char *packet_in_reason_name(uint8_t reason);    /* "no_match", "action", "invalid_ttl" */
const char *flow_removed_reason_name(uint8_t reason); /* "idle", "hard", "delete", "group_delete" */
const char *frag_mode_name(uint16_t flags);           /* "normal", "drop", "reassemble", "nx-match" */
const char *role_name(uint32_t role);

#endif
