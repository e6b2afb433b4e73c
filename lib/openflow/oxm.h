/* oxm.h: OXM and NXM headers. Inside lib/openflow only. */
#ifndef OPENFLOW_OXM_H
#define OPENFLOW_OXM_H 1

#include "openflow/ofp.h"
#include "packet/field.h"

struct oxm_header {
    int field;     /* enum field_id, or -1: unknown */
    uint8_t len;   /* of what follows header and experimenter id */
    uint8_t bytes; /* of one value of this field */
    bool masked;
    bool narrow_port; /* NXM_OF_IN_PORT: in_port in 16 bits */
};

/* Reads a header with its experimenter id. False if it was cut short (the error sticks in r). */
bool oxm_header_decode(struct rd *, struct oxm_header *);
/* `id` as in field.def's columns; `bytes` of one value. */
void oxm_header_encode(uint64_t id, unsigned bytes, bool masked, struct buf *out);

/* A field's header, Nicira's or OpenFlow's own; returns the bytes of one value. The field has that header. */
unsigned oxm_header_put(enum field_id, bool nxm, bool masked, struct buf *out);

/* "vlan_tci is 0" means no tag and is the same condition as vlan_vid=0 (OFPVID_NONE), whose mask it gets: two words for
 * one flow would be two flows. */
static inline void oxm_unify_untagged(enum field_id f, const union field_value *value, union field_value *mask)
{
    if (f == FIELD_VLAN_TCI && !field_value_u64(value) && field_value_u64(mask) == 0xffff)
        field_value_set_u64(mask, 0x1fff);
}

#endif
