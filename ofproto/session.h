/* session.h: one OpenFlow connection, shared by the files that make up a session: ofconn.c (life, framing, HELLO, probe),
 * dispatch.c (what each message does), multipart.c, async.c. Main thread. */
#ifndef OFPROTO_SESSION_H
#define OFPROTO_SESSION_H 1

#include "ofproto/bridge.h"

enum {
    SEND_HIGH = 256 << 10,    /* more than this not taken by the peer: packet-ins wait in their queue */
    STALL_HIGH = 16 << 20,    /* … and its requests wait, */
    EVENTS_HIGH = 32 << 20,   /* … and flow-removed and port-status are lost, and counted */
    DUMP_WAITS_MAX = 1 << 20, /* requests that may wait until the peer has taken the flow statistics it asked for */
    UNREAD_MAX = 4 << 20,     /* requests that may wait so; more end the connection */
    PIN_LANES = 64,           /* queues of packet-ins, ports hashed onto them */
    PIN_MAX_PACKETS = 1024,   /* of all lanes together */
    PIN_MAX_BYTES = 4 << 20,
};

struct pin { /* a packet-in that waits, encoded */
    struct cds_list_head node;
    size_t len;
    uint8_t data[];
};
struct pin_queue {
    struct {
        struct cds_list_head pins;
        unsigned n;
    } lane[PIN_LANES];
    unsigned n, turn;
    size_t bytes;
};

/* A reply to a request for flow statistics that the peer has not taken whole yet (dump.c). */
struct flow_dump {
    struct rule **rules; /* that it tells of */
    size_t n, size, at;  /* at: the next one. n = 0: no reply is under way */
    struct ofp_parts parts;
    struct buf out;      /* the part that is not full */
    msec_t now;          /* of the request */
    void (*put)(struct ofconn *, struct rule *); /* into the parts */
    bool acts;           /* monitor.c: with actions */
};

struct ofconn {
    struct cds_list_head node;
    struct ofproto *o;
    enum ofconn_kind kind;
    struct ofconn_callbacks cb;
    void *aux;

    struct buf in; /* bytes that are no whole message yet, or wait because the peer reads nothing */
    bool up, dead, stalled, probing;
    uint8_t version;
    unsigned probe;          /* ms; 0: none */
    msec_t since, heard;     /* opened or up; last bytes */

    uint32_t role;           /* OFPCR_EQUAL, _MASTER, _SLAVE */
    struct ofp_async_config async;
    bool async_set;
    uint16_t miss_send_len, controller_id;
    uint8_t packet_in_format;  /* enum nx_packet_in_format */
    bool nxm, table_ids;       /* 1.0: flows are told with nx_match; flow-mods name their table */
    struct pin_queue pins;
    struct flow_dump dump; /* what comes in meanwhile waits */
    struct {
        struct cds_list_head list;
        size_t n, messages, bytes; /* messages and bytes: of all of them */
    } bundles;
    struct {
        struct cds_list_head list;
        size_t n;
        bool paused;              /* the peer reads too slowly … */
        cls_version_t paused_at;  /* … and has not been told of changes from this version on, */
        msec_t paused_since;      /* which was published then */
    } monitors;

    uint64_t received, sent, packet_ins, packet_ins_dropped, events_dropped;
    char last_error[192];
};

/* --- ofconn.c --- */
void ofconn_send(struct ofconn *, struct buf *messages); /* takes the buf and frees it */
void ofconn_error(struct ofconn *, enum ofp_error, const void *msg, size_t len);
void ofconn_hang_up(struct ofconn *, const char *format, ...) PRINTF(2, 3);
size_t ofconn_backlog(const struct ofconn *);

/* --- dispatch.c --- */
enum ofp_error dispatch(struct ofconn *, const void *msg, size_t len, msec_t now);
void session_set_role(struct ofconn *, uint32_t role);
typedef enum ofp_error handler_fn(struct ofconn *, const struct ofp_header *, struct rd body, msec_t now);

/* --- session-nx.c: Nicira's extensions, most of them for OpenFlow 1.0 --- */
handler_fn handle_nx_async2, handle_packet_in_format;
handler_fn handle_nx_role, handle_nx_flow_format, handle_nx_table_id, handle_nx_flow_mod, handle_nx_async;
/* What 1.0 leaves open in a flow-mod: which table it is for. */
enum ofp_error flow_mod_of10(const struct ofconn *, struct flow_mod *);

/* --- multipart.c --- */
handler_fn handle_nx_flow_stats, handle_nx_aggregate, handle_table_desc;
handler_fn handle_desc, handle_flow_stats, handle_aggregate, handle_table_stats, handle_port_stats, handle_port_desc,
    handle_table_features, handle_group_stats, handle_group_desc, handle_group_features;

/* --- queue.c --- */
handler_fn handle_queue_config, handle_queue_stats; /* queue_config: also QUEUE_DESC */

/* --- meter.c --- */
handler_fn handle_meter_mod, handle_meter_stats, handle_meter_config, handle_meter_features;

/* --- dump.c --- */
/* `reply`: OFPMSG_FLOW_STATS_REPLY or OFPMSG_NX_FLOW_STATS_REPLY. */
void dump_begin(struct ofconn *, enum ofp_msg_type reply, const struct flow_stats_request *, uint32_t xid, msec_t now);
/* The same of rules that have been chosen with dump_add(), one after the other by put(). */
void dump_add(struct ofconn *, struct rule *);
void dump_start(struct ofconn *, enum ofp_msg_type reply, uint32_t xid, msec_t now, void (*put)(struct ofconn *, struct rule *));
void dump_run(struct ofconn *, size_t backlog); /* goes on until that much is queued for the peer */
static inline bool dump_is_on(const struct ofconn *c) { return c->dump.n != 0; }
void dump_close(struct ofconn *);

/* --- monitor.c --- */
handler_fn handle_flow_monitor, handle_flow_monitor_cancel;
void monitors_close(struct ofconn *);
void monitors_run(struct ofconn *); /* what was paused goes on */

/* --- bundle.c --- */
handler_fn handle_bundle_ctrl, handle_bundle_add;
void bundles_close(struct ofconn *);
void bundles_run(struct ofconn *, msec_t now); /* those that are idle end */
msec_t bundles_wake_at(const struct ofconn *);

/* --- async.c --- */
void async_init(struct ofconn *);  /* OpenFlow's defaults */
void async_set(struct ofconn *, const struct ofp_async_config *);
void async_run(struct ofconn *);   /* packet-ins that waited */
void async_close(struct ofconn *);

#endif
