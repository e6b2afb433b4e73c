/* flows.h: the switch's flows, one by one as they come. */
#ifndef OFCTL_FLOWS_H
#define OFCTL_FLOWS_H 1

#include "ofctl/ofctl.h"

/* Asks, and gives each flow to each(), which may take the acts; begin(), if any, gets the reply's header before. Dies if the
 * switch refuses. False: some flow could not be read, which was said. */
bool flows_request(struct conn *, const struct flow_stats_request *, void (*begin)(const struct reply *),
                   void (*each)(const struct flow_stats *, struct buf *acts, void *aux), void *aux);

/* The request for flows, or for their sums, as this switch takes it. Returns what the reply will be. */
enum ofp_msg_type flows_request_encode(struct conn *, const struct flow_stats_request *, bool aggregate, struct buf *);

#endif
