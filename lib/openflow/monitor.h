/* monitor.h: flow monitors: a client is told of changes of flows (OpenFlow 1.4, 7.3.5.17; the Open Networking Foundation's
 * extension 187 for 1.3; Nicira's for 1.0): wire. */
#ifndef OPENFLOW_MONITOR_H
#define OPENFLOW_MONITOR_H 1

#include "openflow/match-codec.h"

enum flow_monitor_flags { /* 1.4's names; the last is 1.4's alone */
    OFPFMF_INITIAL = 1,
    OFPFMF_ADD = 2,
    OFPFMF_REMOVED = 4,
    OFPFMF_MODIFY = 8,
    OFPFMF_INSTRUCTIONS = 16,
    OFPFMF_NO_ABBREV = 32, /* one's own changes, too, are told whole */
    OFPFMF_ONLY_OWN = 64,
};
enum flow_monitor_command { OFPFMC_ADD, OFPFMC_MODIFY, OFPFMC_DELETE };

struct flow_monitor {
    uint32_t id, out_port, out_group;
    uint16_t flags;
    uint8_t table, command;
    struct match match;
};
/* One request of a message that may have several, moves on. */
enum ofp_error flow_monitor_decode(uint8_t version, struct rd *, struct flow_monitor *);
void flow_monitor_encode(const struct flow_monitor *, uint8_t version, struct buf *out);
enum ofp_error flow_monitor_cancel_decode(uint8_t version, struct rd body, uint32_t *id); /* before 1.4 */

enum flow_update_event {
    OFPFME_INITIAL, /* before 1.4: ADDED */
    OFPFME_ADDED,
    OFPFME_REMOVED,
    OFPFME_MODIFIED,
    OFPFME_ABBREV,
    OFPFME_PAUSED, /* before 1.4: messages of their own */
    OFPFME_RESUMED,
    N_OFPFMES
};
struct flow_update {
    uint8_t event, table, reason; /* reason: OFPRR_…, of REMOVED */
    uint16_t priority, idle_timeout, hard_timeout;
    uint64_t cookie;
    uint32_t xid; /* of ABBREV alone */
    struct match match;
    const void *acts; /* decode: points into the caller's `scratch` */
    size_t acts_len;
};
void flow_update_encode(const struct flow_update *, struct ofp_parts *); /* one entry; not PAUSED and RESUMED before 1.4 */
enum ofp_error flow_update_decode(uint8_t version, struct rd *, struct flow_update *, struct buf *scratch);

#endif
