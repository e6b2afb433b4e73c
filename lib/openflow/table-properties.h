/* table-properties.h: the lists inside an entry of TABLE_FEATURES (OpenFlow 1.3.5, 7.3.5.5.2), for whoever reads them. */
#ifndef OPENFLOW_TABLE_PROPERTIES_H
#define OPENFLOW_TABLE_PROPERTIES_H 1

#include "openflow/act.h"

/* Properties come in pairs: of ordinary flows, and where it differs of the table-miss flow (one type higher). */
enum table_property {
    TABLE_INSTRUCTIONS = 0,
    TABLE_NEXT = 2,
    TABLE_WRITE_ACTIONS = 4,
    TABLE_APPLY_ACTIONS = 6,
    TABLE_MATCH = 8,
    TABLE_WILDCARDS = 10,
    TABLE_WRITE_SETFIELD = 12,
    TABLE_APPLY_SETFIELD = 14,
    N_TABLE_PROPERTIES = 16,
};
struct table_properties {
    uint16_t there;            /* 1 << type */
    uint32_t bits[8];          /* by type, of the first eight: 1 << type of instruction or action */
    uint8_t next[2][32];       /* tables, a bit each */
    bool fields[8][N_FIELDS];  /* by type - TABLE_MATCH */
    bool masked[N_FIELDS];     /* of TABLE_MATCH */
    unsigned unknown;          /* fields that are in no row of ours */
};
/* `properties`: what stands behind an entry's fixed part. */
enum ofp_error table_properties_decode(struct rd properties, struct table_properties *);

const char *table_instruction_name(unsigned type); /* "meter", "apply_actions", …; NULL: there is none */
const char *table_action_name(unsigned type);      /* "output", "set_field", … */

#endif
