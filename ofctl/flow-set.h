/* flow-set.h: flows of a switch or a file, found by what tells them apart: table, priority and match. */
#ifndef OFCTL_FLOW_SET_H
#define OFCTL_FLOW_SET_H 1

#include "ofctl/ofctl.h"

struct flow_entry {
    struct flow_entry *after; /* in its hash chain */
    size_t index; /* in the list */
    uint32_t hash;
    uint8_t table;
    uint16_t priority, idle_timeout, hard_timeout, flags, importance;
    uint64_t cookie;
    size_t match_len, acts_len; /* of what stands in bytes: the match as OpenFlow 1.3 encodes it, the acts */
    uint64_t bytes[];
};
struct flow_set {
    struct flow_entry **chains, **list; /* list: in the order in which they came */
    size_t n, size, mask;
};
void flow_set_free(struct flow_set *);

void flow_set_read_switch(struct flow_set *, struct conn *);
/* Lines as for add-flows, all of them additions; of two flows with the same match the later one counts. `c`: whose port
 * names may stand there, or NULL. Dies after complaining. */
void flow_set_read_file(struct flow_set *, struct conn *, const char *file);

const struct flow_entry *flow_set_find(const struct flow_set *, const struct flow_entry *like);
bool flow_entry_same(const struct flow_entry *, const struct flow_entry *); /* in all that the switch keeps of it */
void flow_entry_mod(const struct flow_entry *, enum ofp_flow_mod_command, struct flow_mod *); /* free it */
/* "table=1 priority=2,ip cookie=0x5 actions=output:1", as ovs-ofctl's diff-flows has it. */
void flow_entry_format(const struct flow_entry *, const struct port_names *, struct buf *out);

#endif
