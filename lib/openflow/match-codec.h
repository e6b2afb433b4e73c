/* match-codec.h: struct match on the wire (OpenFlow 1.3 OXM, 7.2.3; Nicira's NXM TLVs inside it) and as text. */
#ifndef OPENFLOW_MATCH_CODEC_H
#define OPENFLOW_MATCH_CODEC_H 1

#include "openflow/ofp.h"
#include "packet/match.h"

/* ofp_match with its type, length and padding. Prerequisites, duplicates, masks and values are checked: OFPBMC_… */
enum ofp_error match_decode(uint8_t version, struct rd *, struct match *);
void match_encode(const struct match *, uint8_t version, struct buf *out);

/* One OXM TLV: for set_field, packet-in fields, table features. `mask` all ones if it had none. */
enum ofp_error oxm_decode(uint8_t version, struct rd *, enum field_id *, union field_value *value,
                          union field_value *mask, bool *masked);
void oxm_encode(enum field_id, const union field_value *value, const union field_value *mask /* or NULL */,
                uint8_t version, struct buf *out);
uint32_t oxm_header(enum field_id, bool masked); /* for experimenter fields without the experimenter id */

/* The fields part of a flow, "tcp,nw_dst=10.0.0.0/8,tp_dst=80": parsed as a part of the flow (flow_mod_parse()
 * in flow.h); printed as ovs-ofctl prints it, with shorthands (ip, tcp, …). */
void match_format(const struct match *, const struct port_names *, struct buf *out);

#endif
