/* queue.h: queues as OpenFlow speaks of them (1.3.5: 7.2.2, 7.3.6, 7.3.5.8): wire and text. How queues are made is none of
 * its business. */
#ifndef OPENFLOW_QUEUE_H
#define OPENFLOW_QUEUE_H 1

#include "openflow/ofp.h"

/* A request about the queues of a port. OpenFlow 1.4 has QUEUE_DESC in place of QUEUE_GET_CONFIG; both are written by
 * queue_config_request_encode(), which says in *reply what answers it. */
void queue_config_request_encode(uint32_t port, uint8_t version, uint32_t xid, enum ofp_msg_type *reply, struct buf *out);
/* Of QUEUE_GET_CONFIG_REQUEST, QUEUE_DESC_REQUEST and QUEUE_STATS_REQUEST. OFPP_ANY, OFPQ_ALL: all of them. */
enum ofp_error queue_config_request_decode(uint8_t version, struct rd body, uint32_t *port, uint32_t *queue);
void queue_stats_request_encode(uint32_t port, uint32_t queue, uint8_t version, uint32_t xid, struct buf *out);
enum ofp_error queue_stats_request_decode(uint8_t version, struct rd body, uint32_t *port, uint32_t *queue);

enum { OFPQ_RATE_NONE = 0xffff }; /* no such property; other numbers above 1000: disabled */
struct ofp_queue_config {
    uint32_t port, queue;
    uint16_t min_rate, max_rate; /* tenths of a percent of the port's rate */
};
/* What QUEUE_GET_CONFIG_REPLY has in front of its queues; OpenFlow 1.4: nothing. */
void queue_config_head_encode(uint32_t port, uint8_t version, struct buf *out);
enum ofp_error queue_config_head_decode(uint8_t version, struct rd *, uint32_t *port);
void queue_config_encode(const struct ofp_queue_config *, uint8_t version, struct buf *out); /* one queue */
/* One queue. OpenFlow 1.0 does not repeat the port: `q->port` stays. */
enum ofp_error queue_config_decode(uint8_t version, struct rd *, struct ofp_queue_config *q);

struct ofp_queue_stats {
    uint32_t port, queue, duration_sec, duration_nsec; /* UINT32_MAX: not known, as in OpenFlow 1.0 */
    uint64_t tx_packets, tx_bytes, tx_errors;
};
void queue_stats_encode(const struct ofp_queue_stats *, uint8_t version, struct buf *out);
enum ofp_error queue_stats_decode(uint8_t version, struct rd *, struct ofp_queue_stats *);

#endif
