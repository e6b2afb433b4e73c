/* match.h: the condition of a rule: values and the bits of them that count. value & ~mask is always 0. */
#ifndef PACKET_MATCH_H
#define PACKET_MATCH_H 1

#include "packet/field.h"
#include "packet/key.h"

struct match {
    struct flow_key value, mask;
};

/* Which bit of the key says that a packet has the header of a field, whole (key.h, HAS_…). bit 0: no such question. */
struct key_part {
    uint16_t at; /* byte of struct flow_key */
    uint8_t bit;
};
struct key_part field_part(enum field_id f);

/* Sets field f to `value` under `mask` (NULL: all of the field's bits). Bits outside mask are cleared from value. Where the
 * condition would also be met by a packet that does not have the field, the match demands its header besides. */
void match_set(struct match *m, enum field_id f, const union field_value *value, const union field_value *mask);
void match_get(const struct match *m, enum field_id f, union field_value *value, union field_value *mask);
bool match_has(const struct match *m, enum field_id f);      /* any bit of f's mask */
bool match_equal(const struct match *a, const struct match *b);
bool match_covers(const struct match *general, const struct match *special); /* every packet of special matches general */
bool match_overlaps(const struct match *a, const struct match *b);          /* some packet could match both */
bool match_hits(const struct match *m, const struct flow_key *key);

/* OpenFlow 1.3.5, 7.2.3.6: does `m` hold what field f demands? On false, *need is the text that mends it ("ip",
 * "tcp", "vlan_vid=0x1000/0x1000"). */
bool match_prereq(const struct match *m, enum field_id f, const char **need);

/* The rows whose members a match with this eth.type and ip.proto uses: of several rows that share a member (tcp_src,
 * udp_src, …) this is the one to print and to encode. Calls `each` in row order for every field of the match. */
void match_for_each(const struct match *m, void (*each)(enum field_id, const union field_value *value,
                                                        const union field_value *mask, void *aux), void *aux);

#endif
