#include "openflow/table-properties.h"
#include "openflow/oxm.h"

static void decode_ids(struct rd r, uint32_t *bits)
{
    enum { EXPERIMENTER = 0xffff };
    while (rd_left(&r)) {
        uint16_t type = rd_u16(&r), len = rd_u16(&r);
        rd_skip(&r, len < 4 ? 0 : len - 4u);
        if (type < 32)
            *bits |= 1u << type;
    }
}

static void decode_fields(struct rd r, bool *fields, bool *masked, unsigned *unknown)
{
    while (rd_left(&r)) {
        struct oxm_header h;
        if (!oxm_header_decode(&r, &h))
            return;
        if (h.field < 0) {
            ++*unknown;
            continue;
        }
        fields[h.field] = true;
        if (masked && h.masked)
            masked[h.field] = true;
    }
}

enum ofp_error table_properties_decode(struct rd r, struct table_properties *p)
{
    *p = (struct table_properties){0};
    while (rd_left(&r)) {
        uint16_t type = rd_u16(&r), len = rd_u16(&r);
        if (len < 4)
            return OFPERR_TFFC_BAD_LEN;
        struct rd body = rd_sub(&r, len - 4u);
        rd_skip(&r, MIN(ROUND_UP(len, 8) - (size_t)len, rd_left(&r)));
        if (r.err)
            return OFPERR_TFFC_BAD_LEN;
        if (type >= N_TABLE_PROPERTIES)
            continue;
        p->there |= (uint16_t)(1u << type);
        if (type >= TABLE_MATCH)
            decode_fields(body, p->fields[type - TABLE_MATCH], type == TABLE_MATCH ? p->masked : NULL, &p->unknown);
        else if ((type & ~1) == TABLE_NEXT)
            while (rd_left(&body)) {
                uint8_t table = rd_u8(&body);
                p->next[type & 1][table / 8] |= (uint8_t)(1u << table % 8);
            }
        else
            decode_ids(body, &p->bits[type]);
    }
    return OFPERR_OK;
}

static const char *name_of(unsigned type, bool instruction)
{
    for (int t = 0; t < N_ACTS; t++)
        if (act_rows[t].instruction == instruction && !act_rows[t].experimenter && act_rows[t].wire == type)
            return act_rows[t].name;
    return NULL;
}

const char *table_instruction_name(unsigned type)
{
    enum { APPLY_ACTIONS = 4 }; /* no row: its actions stand as they are */
    return type == APPLY_ACTIONS ? "apply_actions" : name_of(type, true);
}

const char *table_action_name(unsigned type) { return name_of(type, false); }
