/* trace.h: the inside of trace, shared by trace*.c. */
#ifndef OFPROTO_TRACE_H
#define OFPROTO_TRACE_H 1

#include "ofproto/bridge.h"

/* How a rule's match and a packet differ. */
struct trace_miss {
    struct rule *rule;
    unsigned n_fields;   /* fields in which they differ */
    enum field_id field; /* the first of them */
};
enum { TRACE_NEAREST = 3 };

/* The rules of a table that need the fewest fields to be otherwise; of those the ones of highest priority. Returns their
 * number. */
size_t trace_nearest(const struct ofproto *, uint8_t table, const struct flow_key *, struct trace_miss near[TRACE_NEAREST]);

/* A rule of higher priority than `than` that only its tun_id kept from matching, or NULL. */
struct rule *trace_wanted_tun_id(const struct ofproto *, uint8_t table, const struct flow_key *, const struct rule *than);

/* "the packet has nw_dst=10.0.0.3" */
void trace_put_miss(const struct trace_miss *, const struct flow_key *, struct buf *out);

#endif
