/* match-codec.h: struct match on the wire (OpenFlow 1.3 OXM, 7.2.3; Nicira's NXM TLVs inside it; 1.0) and as text. */
#ifndef OPENFLOW_MATCH_CODEC_H
#define OPENFLOW_MATCH_CODEC_H 1

#include "openflow/ofp.h"
#include "packet/match.h"

/* ofp_match: in 1.0 its 40 bytes, later with type, length and padding. Prerequisites, duplicates, masks and values are checked: OFPBMC_… */
enum ofp_error match_decode(uint8_t version, struct rd *, struct match *);
void match_encode(const struct match *, uint8_t version, struct buf *out);

/* OpenFlow 1.0 (match-of10.c). ofp_match says less than our match may: encoding leaves out what does not fit. nx_match
 * says it all; `len` and what encoding returns are without the padding to 8 bytes. */
enum ofp_error match_decode_of10(struct rd *, struct match *);
void match_encode_of10(const struct match *, struct buf *out);
bool match_fits_of10(const struct match *);
/* nx_match may choose flows by cookie too; NULL: not here. */
enum ofp_error nx_match_decode(struct rd *, size_t len, struct match *, uint64_t *cookie, uint64_t *cookie_mask);
size_t nx_match_encode(const struct match *, uint64_t cookie, uint64_t cookie_mask, struct buf *out);
/* One TLV of a match, into it; `seen` is false for all fields at first. */
enum ofp_error match_decode_field(uint8_t version, struct rd *, struct match *, bool seen[N_FIELDS]);

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
