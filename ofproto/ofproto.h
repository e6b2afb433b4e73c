/* ofproto.h: one bridge as OpenFlow sees it: tables, ports, controllers' sessions, packets in and out. No sockets:
 * bytes and time in, bytes out.
 *
 * Thread: all of it on main, except that the walk (ofproto/walk.c) is called by workers through the datapath.
 *
 * Owner: the caller owns ofprotos, ports and sessions, and destroys them in the reverse order of their making. */
#ifndef OFPROTO_OFPROTO_H
#define OFPROTO_OFPROTO_H 1

#include "base/buf.h"
#include "base/clock.h"
#include "base/diag.h"
#include "datapath/dp.h"

struct ofproto;
struct ofport;
struct ofconn;

extern const struct dp_callbacks ofproto_dp_callbacks; /* give it to dp_create() */

/* --- Bridges --- */

enum fail_mode { FAIL_STANDALONE, FAIL_SECURE };

struct ofproto_config {
    uint64_t datapath_id;       /* 0: derived from the LOCAL port's address */
    enum fail_mode fail_mode;
    char dp_desc[256], serial[32];
    unsigned mac_aging;         /* seconds, 0: 300 */
    unsigned mac_table_size;    /* 0: 8192 */
    uint32_t versions;          /* 1 << enum ofp_version each that sessions may speak; 0: all there are */
};
struct ofproto *ofproto_create(struct dp *, const char *name);
void ofproto_destroy(struct ofproto *);
/* Sessions whose version is no longer among `versions` end. */
void ofproto_configure(struct ofproto *, const struct ofproto_config *);
/* How many controllers are configured, and whether one of them is connected.
 *
 * Who decides about a bridge's flows, as with Open vSwitch (ovs-vswitchd.conf.db(5), fail_mode):
 * - No controller, standalone: the bridge begins with the flow "priority=0,actions=NORMAL", which is a flow as any other:
 *   shown, counted, and it may be changed or deleted. It comes again only with one of the changes below.
 * - No controller, secure: the bridge begins without flows.
 * - The first controller configured, or the last one gone: all flows are removed, then as above.
 * - fail_mode changed (ofproto_configure) while there is no controller: likewise. With controllers: the flows stay.
 * - Controllers, standalone, but none connected for three inactivity probes: packets that table 0 does not match are
 *   treated as with NORMAL until one is connected again; the flows stay. Secure: nothing changes. */
void ofproto_set_controllers(struct ofproto *, unsigned configured, bool connected);
const char *ofproto_name(const struct ofproto *);
uint64_t ofproto_datapath_id(const struct ofproto *);

/* Timers: timeouts of rules and MAC entries, echo probes, standalone fall-back, queued packet-ins. Call it at
 * ofproto_wake_at(), after dp_run(), and after ofconn_receive(). It ends a round: barrier replies and flow-removed messages that
 * wait for the datapath go out here. */
void ofproto_run(struct ofproto *, msec_t now);
msec_t ofproto_wake_at(const struct ofproto *);

/* --- Ports --- */

/* Opens a port in the datapath and shows it to OpenFlow (PORT_STATUS). `request`: wanted number, 0: any free one;
 * LOCAL ports are OFPP_LOCAL. Numbers are kept by name as long as the bridge lives. */
struct ofport *ofproto_port_add(struct ofproto *, const struct dp_port_config *, uint32_t request, struct diag *d);
void ofproto_port_del(struct ofport *);
bool ofproto_port_set_number(struct ofport *, uint32_t request, struct diag *d);
struct ofport *ofproto_port_by_name(const struct ofproto *, const char *name);
uint32_t ofport_number(const struct ofport *);
struct dp_port *ofport_dp(const struct ofport *);

/* --- Sessions --- */

enum ofconn_kind {
    OFCONN_CONTROLLER, /* gets asynchronous messages, probed by echo */
    OFCONN_SERVICE,    /* mgmt socket and ptcp: packet-ins only after it asked (SET_CONFIG miss_send_len, SET_ASYNC) */
};
struct ofconn_callbacks {
    void (*send)(void *aux, const void *data, size_t len); /* queue these bytes; the data is the caller's */
    size_t (*backlog)(void *aux);                          /* bytes queued and not yet taken by the peer */
    void (*hang_up)(void *aux, const char *why);           /* the session is at its end: close soon. Do not free in it. */
    void (*state)(void *aux);                              /* handshake done, role changed: status to be shown again */
};
struct ofconn_status {
    bool up;             /* HELLO exchanged */
    const char *role;    /* "other", "master", "slave" */
    uint8_t version;
    msec_t since;
    uint64_t received, sent, packet_ins, packet_ins_dropped;
    uint64_t events_dropped; /* flow-removed and port-status that the peer was too slow for */
    const char *last_error; /* "" */
};
struct ofconn *ofconn_open(struct ofproto *, enum ofconn_kind, const struct ofconn_callbacks *, void *aux,
                           unsigned inactivity_probe_ms /* 0: none */);
/* Bytes from the peer, in whatever pieces they came. Answers leave by send(), some only at ofproto_run(). */
void ofconn_receive(struct ofconn *, const void *data, size_t len, msec_t now);
void ofconn_close(struct ofconn *);
void ofconn_get_status(const struct ofconn *, struct ofconn_status *);

/* --- For people --- */

/* Explains what would happen to a packet: `flow` is a match in flow syntax ("in_port=1,icmp,nw_src=…"); or, if frame is
 * not NULL, that packet coming in by the port that `flow` names. The same walk as packets get, with a listener. */
bool ofproto_trace(struct ofproto *, const char *flow, const void *frame, size_t len, struct buf *out, struct diag *d);
/* The same as a JSON object. */
bool ofproto_trace_json(struct ofproto *, const char *flow, const void *frame, size_t len, struct buf *out, struct diag *d);

struct fdb_row {
    uint32_t port;
    uint16_t vlan;
    uint8_t mac[6];
    unsigned age; /* seconds */
};
size_t ofproto_fdb(struct ofproto *, struct fdb_row **rows); /* the caller frees *rows */
void ofproto_fdb_flush(struct ofproto *);
size_t ofproto_rule_count(const struct ofproto *);

#endif
