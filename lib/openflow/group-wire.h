/* group-wire.h: the two wire forms of groups, inside of group*.c. */
#ifndef OPENFLOW_GROUP_WIRE_H
#define OPENFLOW_GROUP_WIRE_H 1

#include "openflow/group.h"

enum ofp_error group_nx_mod_decode(uint8_t version, struct rd body, struct group_mod *);
void group_nx_mod_encode(const struct group_mod *, uint8_t version, struct buf *out);
enum ofp_error group_nx_desc_decode(uint8_t version, struct rd *entry, struct group_desc *);
void group_nx_desc_encode(const struct group_desc *, uint8_t version, struct buf *out);

#endif
