/* flow-of10.h: flow.h's codecs in OpenFlow 1.0 (flow-of10.c), which flow.c's hand over to. Inside lib/openflow only. */
#ifndef OPENFLOW_FLOW_OF10_H
#define OPENFLOW_FLOW_OF10_H 1

#include "openflow/flow.h"

enum ofp_error flow_mod_decode_of10(struct rd *, struct flow_mod *);
void flow_mod_encode_of10(const struct flow_mod *, uint32_t xid, struct buf *out);
enum ofp_error flow_stats_request_decode_of10(struct rd *, struct flow_stats_request *);
void flow_stats_request_encode_of10(const struct flow_stats_request *, bool aggregate, uint32_t xid, struct buf *out);
void flow_stats_encode_of10(const struct flow_stats *, struct ofp_parts *);
enum ofp_error flow_stats_decode_of10(struct rd *body, struct flow_stats *, struct buf *scratch);
void flow_removed_encode_of10(const struct flow_removed *, struct buf *out);
enum ofp_error flow_removed_decode_of10(struct rd *, struct flow_removed *);

#endif
