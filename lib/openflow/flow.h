/* flow.h: flow-mods, flow statistics and flow-removed: structs, wire and text. */
#ifndef OPENFLOW_FLOW_H
#define OPENFLOW_FLOW_H 1

#include "openflow/act.h"
#include "openflow/match-codec.h"

struct flow_mod {
    uint8_t command; /* enum ofp_flow_mod_command */
    uint8_t table;   /* OFPTT_ALL: all, for deletes */
    uint16_t priority, idle_timeout, hard_timeout, flags, importance;
    uint32_t buffer_id, out_port, out_group;
    uint64_t cookie, cookie_mask;
    struct match match;
    struct buf acts; /* instructions */
    /* Sent in OpenFlow 1.0: MODIFY that finds no flow adds it, and gives those that it finds this cookie (UINT64_MAX: none);
     * its actions ask nothing of the match (act_context.of10). Its table is the high byte of the command on the wire,
     * which means a table only once NXT_FLOW_MOD_TABLE_ID has said so. */
    bool of10;
    uint64_t new_cookie;
    bool learned; /* made by a learn action; not on the wire */
};
#define FLOW_MOD_INIT ((struct flow_mod){.priority = 0x8000, .buffer_id = OFP_NO_BUFFER, .out_port = OFPP_ANY, .out_group = OFPG_ANY, .new_cookie = UINT64_MAX})
void flow_mod_free(struct flow_mod *);
/* 1.3.5, 7.3.4.1: buffer_id "is not meaningful for OFPFC_DELETE". */
static inline bool flow_mod_releases(const struct flow_mod *fm)
{
    return fm->buffer_id != OFP_NO_BUFFER && fm->command < OFPFC_DELETE;
}
enum ofp_error flow_mod_decode(uint8_t version, struct rd body,
                               struct flow_mod *); /* *fm need not be initialised; free it in any case */
void flow_mod_encode(const struct flow_mod *, uint8_t version, uint32_t xid, struct buf *out);

/* 1.0: flow_mod_encode() makes an OFPT_FLOW_MOD if that says it all, else an NXT_FLOW_MOD. */
bool flow_mod_needs_nx(const struct flow_mod *);
enum ofp_error nx_flow_mod_decode(uint8_t version, struct rd body, struct flow_mod *);

/* One flow in text, as add-flow, mod-flows, del-flows and dump-flows' filter take it. `command` says what is allowed
 * (actions needed for ADD and MODIFY; out_port, cookie masks for the others). Warnings go to d->warnings. `d->at` is
 * relative to text. Free *fm in any case. Prerequisites and the actions' fit are checked (acts_check()), with the place
 * that is at fault; what only the switch knows (its ports, groups, meters, number of tables) is not. */
bool flow_mod_parse(const char *text, enum ofp_flow_mod_command, const struct port_names *, struct flow_mod *, struct diag *d);

/* OFPMP_FLOW and OFPMP_AGGREGATE. */
struct flow_stats_request {
    uint8_t table;
    uint32_t out_port, out_group;
    uint64_t cookie, cookie_mask;
    struct match match;
};
enum ofp_error flow_stats_request_decode(uint8_t version, struct rd body, struct flow_stats_request *);
void flow_stats_request_encode(const struct flow_stats_request *, bool aggregate, uint8_t version, uint32_t xid,
                               struct buf *out);

/* NXST_FLOW and NXST_AGGREGATE, in 1.0. */
enum ofp_error nx_flow_stats_request_decode(uint8_t version, struct rd body, struct flow_stats_request *);
void nx_flow_stats_request_encode(const struct flow_stats_request *, bool aggregate, uint8_t version, uint32_t xid,
                                  struct buf *out);

struct flow_stats {
    uint8_t table;
    uint16_t priority, idle_timeout, hard_timeout, flags, importance; /* importance: from 1.4 on */
    uint32_t duration_sec, duration_nsec;
    uint32_t idle_age, hard_age; /* NXST_FLOW: seconds and one since the last packet, since the last change; 0: not said */
    uint64_t cookie, packets, bytes;
    struct match match;
    const void *acts; /* decode: points into the caller's `scratch` */
    size_t acts_len;
};
/* An entry of OFPST_FLOW, or of NXST_FLOW if the parts are of that. */
void flow_stats_encode(const struct flow_stats *, struct ofp_parts *);              /* one entry */
enum ofp_error flow_stats_decode(uint8_t version, struct rd *body, struct flow_stats *,
                                 struct buf *scratch); /* one entry, moves on */
enum ofp_error nx_flow_stats_decode(uint8_t version, struct rd *body, struct flow_stats *, struct buf *scratch);
/* "cookie=0x0, duration=1.2s, table=0, n_packets=3, n_bytes=294, priority=10,ip,in_port=1 actions=output:2" */
void flow_stats_format(const struct flow_stats *, const struct port_names *, bool with_stats, struct buf *out);

struct aggregate_stats {
    uint64_t packets, bytes;
    uint32_t flows;
};
/* `type`: OFPMSG_AGGREGATE_REPLY or OFPMSG_NX_AGGREGATE_REPLY. */
void aggregate_stats_encode(const struct aggregate_stats *, enum ofp_msg_type type, uint8_t version, uint32_t xid, struct buf *out);
enum ofp_error aggregate_stats_decode(uint8_t version, struct rd body, struct aggregate_stats *);

struct flow_removed {
    uint64_t cookie, packets, bytes;
    uint16_t priority, idle_timeout, hard_timeout;
    uint8_t reason, table;
    uint32_t duration_sec, duration_nsec;
    struct match match;
};
void flow_removed_encode(const struct flow_removed *, uint8_t version, struct buf *out);
void nx_flow_removed_encode(const struct flow_removed *, uint8_t version, struct buf *out);
enum ofp_error nx_flow_removed_decode(uint8_t version, struct rd body, struct flow_removed *);
enum ofp_error flow_removed_decode(uint8_t version, struct rd body, struct flow_removed *);

#endif
