/* view-field.h: fields of field.def read and written through a view (view.h), by their rows alone. */
#ifndef PACKET_VIEW_FIELD_H
#define PACKET_VIEW_FIELD_H 1

#include "packet/field.h"
#include "packet/view.h"

/* The bits `mask` (NULL: all) of a field, which are marked as consulted; other bits of *value are 0. */
void view_field_get(struct flow_view *, enum field_id, const union field_value *mask, union field_value *value);

/* Writes the bits `mask` (NULL: all) of a field. Adds to *changed the bits of the key that may now differ from before:
 * those that were not known (neither consulted nor written), and those that were known and had another value. What is
 * added depends only on bits that are consulted or written already, so nothing needs to be marked. `changed` may be
 * NULL. */
void view_field_set(struct flow_view *, enum field_id, const union field_value *value, const union field_value *mask,
                    struct flow_key *changed);

#endif
