/* bundle.h: bundles of messages that a switch takes all or none of (OpenFlow 1.4, 7.3.9; for 1.3 the Open Networking
 * Foundation's extension 230): wire. */
#ifndef OPENFLOW_BUNDLE_H
#define OPENFLOW_BUNDLE_H 1

#include "openflow/ofp.h"

/* Each request's reply is the number behind it. */
enum ofp_bundle_ctrl_type {
    OFPBCT_OPEN_REQUEST,
    OFPBCT_OPEN_REPLY,
    OFPBCT_CLOSE_REQUEST,
    OFPBCT_CLOSE_REPLY,
    OFPBCT_COMMIT_REQUEST,
    OFPBCT_COMMIT_REPLY,
    OFPBCT_DISCARD_REQUEST,
    OFPBCT_DISCARD_REPLY,
    N_OFPBCTS
};
enum ofp_bundle_flags { OFPBF_ATOMIC = 1, OFPBF_ORDERED = 2 };

struct bundle_ctrl {
    uint32_t id;
    uint16_t type, flags;
};
void bundle_ctrl_encode(const struct bundle_ctrl *, uint8_t version, uint32_t xid, struct buf *out);
/* Takes any type and flags: the switch has its own words about those. */
enum ofp_error bundle_ctrl_decode(uint8_t version, struct rd body, struct bundle_ctrl *);

struct bundle_add {
    uint32_t id;
    uint16_t flags;
    const void *msg; /* a whole message, with the xid of the message around it */
    size_t len;
};
void bundle_add_encode(const struct bundle_add *, uint8_t version, struct buf *out);
/* `msg` points into the message. `outer` is its header: versions and xids must be equal. The kind of message is the
 * caller's business. */
enum ofp_error bundle_add_decode(const struct ofp_header *outer, struct rd body, struct bundle_add *);

#endif
