/* view-field.h: fields of field.def read and written through a view (view.h), by their rows alone. */
#ifndef PACKET_VIEW_FIELD_H
#define PACKET_VIEW_FIELD_H 1

#include "packet/field.h"
#include "packet/view.h"

/* The bits `mask` (NULL: all) of a field, which are marked as consulted; other bits of *value are 0. */
void view_field_get(struct flow_view *, enum field_id, const union field_value *mask, union field_value *value);

/* Writes the bits `mask` (NULL: all) of a field. Adds them to *changed (may be NULL) if the field may now differ from
 * before: if one of them was not known (neither consulted nor written), or known and another. That depends only on bits
 * that are consulted or written already, so nothing needs to be marked. */
void view_field_set(struct flow_view *, enum field_id, const union field_value *value, const union field_value *mask,
                    struct flow_key *changed);

#endif
