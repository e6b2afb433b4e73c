/* ofp.h: OpenFlow's numbers (OpenFlow Switch Specification 1.3.5) and the framing of its messages. */
#ifndef OPENFLOW_OFP_H
#define OPENFLOW_OFP_H 1

#include "base/buf.h"
#include "base/types.h"
#include "base/wire.h"

/* Every codec function takes the version of the connection: bodies differ. What differs in nothing ignores it. */
enum ofp_version { OFP10 = 1, OFP11 = 2, OFP12 = 3, OFP13 = 4, OFP14 = 5, OFP15 = 6 };
enum { OFP_PORT = 6653, OFP_HEADER_LEN = 8, OFP_MAX_LEN = 65535, NX_EXPERIMENTER = 0x2320 };

/* 7.2.1 Reserved ports. */
enum ofp_port_no {
    OFPP_MAX = 0xffffff00,
    OFPP_UNSET = 0xfffffff7, /* not on the wire */
    OFPP_IN_PORT = 0xfffffff8,
    OFPP_TABLE,
    OFPP_NORMAL,
    OFPP_FLOOD,
    OFPP_ALL,
    OFPP_CONTROLLER,
    OFPP_LOCAL,
    OFPP_ANY,
};
#define OFPP_NONE OFPP_ANY /* OpenFlow 1.0's name */
#define OFPG_MAX 0xffffff00u
#define OFPG_ANY 0xffffffffu
#define OFPG_ALL 0xfffffffcu
#define OFPTT_ALL 0xff
#define OFPQ_ALL 0xffffffffu
#define OFP_NO_BUFFER 0xffffffffu
#define OFPCML_NO_BUFFER 0xffff
#define OFPCML_MAX 0xffe5

enum ofp_flow_mod_command { OFPFC_ADD, OFPFC_MODIFY, OFPFC_MODIFY_STRICT, OFPFC_DELETE, OFPFC_DELETE_STRICT };
enum ofp_flow_mod_flags {
    OFPFF_SEND_FLOW_REM = 1,
    OFPFF_CHECK_OVERLAP = 2,
    OFPFF_RESET_COUNTS = 4,
    OFPFF_NO_PKT_COUNTS = 8,
    OFPFF_NO_BYT_COUNTS = 16,
};
enum ofp_flow_removed_reason {
    OFPRR_IDLE_TIMEOUT, OFPRR_HARD_TIMEOUT, OFPRR_DELETE, OFPRR_GROUP_DELETE,
    OFPRR_METER_DELETE, /* from 1.4 on; told as OFPRR_DELETE before */
};
enum ofp_packet_in_reason {
    OFPR_NO_MATCH, OFPR_ACTION, OFPR_INVALID_TTL,
    OFPR_ACTION_SET, OFPR_GROUP, OFPR_PACKET_OUT, /* from 1.4 on; told as OFPR_ACTION before */
};
enum ofp_port_reason { OFPPR_ADD, OFPPR_DELETE, OFPPR_MODIFY };
enum ofp_port_config { OFPPC_PORT_DOWN = 1, OFPPC_NO_RECV = 1 << 2, OFPPC_NO_FLOOD = 1 << 4 /* 1.0 only */, OFPPC_NO_FWD = 1 << 5, OFPPC_NO_PACKET_IN = 1 << 6 };
enum ofp_port_state { OFPPS_LINK_DOWN = 1, OFPPS_BLOCKED = 2, OFPPS_LIVE = 4 };
enum ofp_port_features {
    OFPPF_10MB_HD = 1, OFPPF_10MB_FD = 2, OFPPF_100MB_HD = 4, OFPPF_100MB_FD = 8, OFPPF_1GB_HD = 16, OFPPF_1GB_FD = 32,
    OFPPF_10GB_FD = 64, OFPPF_40GB_FD = 128, OFPPF_100GB_FD = 256, OFPPF_1TB_FD = 512, OFPPF_OTHER = 1024,
    OFPPF_COPPER = 2048, OFPPF_FIBER = 4096, OFPPF_AUTONEG = 8192, OFPPF_PAUSE = 1 << 14, OFPPF_PAUSE_ASYM = 1 << 15,
};
enum ofp_capabilities {
    OFPC_FLOW_STATS = 1, OFPC_TABLE_STATS = 2, OFPC_PORT_STATS = 4, OFPC_GROUP_STATS = 8, OFPC_IP_REASM = 32,
    OFPC_QUEUE_STATS = 64, OFPC_ARP_MATCH_IP = 128 /* 1.0 */, OFPC_PORT_BLOCKED = 256,
};
enum ofp_config_flags { OFPC_FRAG_NORMAL, OFPC_FRAG_DROP, OFPC_FRAG_REASM, OFPC_FRAG_MASK, OFPC_INVALID_TTL_TO_CONTROLLER /* 1.0 with extensions */ };
enum ofp_table_config { OFPTC_DEPRECATED = 3, OFPTC_EVICTION = 4, OFPTC_VACANCY = 8 }; /* the last two: 1.4 */
enum ofp_role_reason { OFPCRR_MASTER_REQUEST, OFPCRR_CONFIG, OFPCRR_EXPERIMENTER };
enum ofp_role { OFPCR_NOCHANGE, OFPCR_EQUAL, OFPCR_MASTER, OFPCR_SLAVE };
enum { OFPMPF_MORE = 1 };

/* error.def: every error type and code, the Nicira and ONF ones included. OFPERR_OK is 0; values are greater than
 * WIRE_SHORT, so that they may stick in a struct rd. */
enum { OFPET_NX10 = 0xb0c2, OFPET_EXPERIMENTER = 0xffff, OFPET_NX = 0x10000, OFPET_ONF }; /* the last two: in error.def only */
enum ofp_error {
    OFPERR_OK,
    OFPERR_SHORT = WIRE_SHORT, /* goes out as OFPBRC_BAD_LEN */
#define ERROR(id, type, code, name, sentence) OFPERR_##id,
#include "openflow/error.def"
#undef ERROR
    N_OFPERRS
};
const char *ofp_error_name(enum ofp_error);     /* "OFPBMC_BAD_PREREQ" */
const char *ofp_error_sentence(enum ofp_error); /* what it means, for people */
/* As on the wire: for an experimenter's error OFPET_EXPERIMENTER (in 1.0 Nicira's own type), its exp_type, and who it is
 * (else 0). error-version.def: what differs in other versions than 1.3. */
bool ofp_error_codes(enum ofp_error, uint8_t version, uint16_t *type, uint16_t *code, uint32_t *experimenter);
enum ofp_error ofp_error_from(uint8_t version, uint16_t type, uint16_t code, uint32_t experimenter); /* OFPERR_OK if unknown */

/* msg.def: every message, one row each, and its form in each version. */
enum ofp_msg_kind {
    OFPMK_NONE, OFPMK_PLAIN, OFPMK_REQUEST, OFPMK_REPLY, OFPMK_NX, OFPMK_ONF, OFPMK_XVS, OFPMK_NX_REQUEST,
    OFPMK_NX_REPLY, OFPMK_ONF_REQUEST, OFPMK_ONF_REPLY,
};
enum ofp_msg_type {
#define MSG(id, ...) OFPMSG_##id,
#include "openflow/msg.def"
#undef MSG
    N_OFPMSGS
};
const char *ofp_msg_name(enum ofp_msg_type); /* "OFPT_FLOW_MOD", "OFPST_FLOW request" */
void ofp_msg_format_name(enum ofp_msg_type, uint8_t version, struct buf *out); /* the same, or NXT_…, ONFST_… */

enum { N_OFP_FORMS = 3 }; /* of OpenFlow 1.0, 1.3, 1.4 */
struct ofp_msg_form {
    uint8_t kind; /* enum ofp_msg_kind */
    uint16_t number, min_body, unit;
};
const struct ofp_msg_form *ofp_msg_form(enum ofp_msg_type, uint8_t version); /* NULL: the version lacks it */

struct ofp_header {
    uint8_t version, type;
    uint16_t len;
    uint32_t xid;
};

/* Looks at the first 8 bytes. False if there are not 8, or its length is below 8 (*h is filled in that case). */
bool ofp_header_peek(const void *p, size_t n, struct ofp_header *h);

/* What message is it? Checks version (HELLO, ERROR and ECHO may have any) and length against the row; a body cursor is
 * left in *body, behind multipart and experimenter headers; *more: OFPMPF_MORE. Any pointer but msg may be NULL. */
enum ofp_error ofp_msg_decode_type(const void *msg, size_t len, struct ofp_header *, enum ofp_msg_type *,
                                   struct rd *body, bool *more);

/* Starts a message in `out` (headers of multipart and experimenter included) and returns its offset; ofp_msg_end()
 * fills in the length. A message must fit 65535 bytes: multipart replies are split by struct ofp_parts. */
size_t ofp_msg_begin(struct buf *out, uint8_t version, enum ofp_msg_type, uint32_t xid);
void ofp_msg_end(struct buf *out, size_t at);

/* A multipart reply of many entries: each entry is encoded at the end of `out`, then ofp_parts_entry_end() is called; a
 * new part is begun when one would overflow. */
struct ofp_parts {
    struct buf *out;
    size_t at, entry, header;
    uint8_t version;
    enum ofp_msg_type type;
    uint32_t xid;
};
void ofp_parts_begin(struct ofp_parts *, struct buf *out, uint8_t version, enum ofp_msg_type, uint32_t xid);
bool ofp_parts_entry_end(struct ofp_parts *); /* false: too large for any part, it was taken out again */
void ofp_parts_end(struct ofp_parts *);       /* ends the last part; without entries there is one empty part */

/* An error message about `offending`: type, code and the first 64 bytes of it, and its xid. */
void ofp_encode_error(struct buf *out, uint8_t version, enum ofp_error, const void *offending, size_t len);
/* OFPET_HELLO_FAILED has a line of text instead (7.5.4.1). */
void ofp_encode_hello_failed(struct buf *out, uint8_t version, enum ofp_error, uint32_t xid, const char *text);

/* A port's number: 16 bits in 1.0, whose reserved ports are ours cut; a number that does not fit goes out as "none". */
uint32_t ofp_port_decode(uint8_t version, struct rd *);
void ofp_port_encode(uint32_t port, uint8_t version, struct buf *out);
uint32_t ofp_port_from16(uint16_t);
bool ofp_port_to16(uint32_t, uint16_t *); /* false: it does not fit */

/* Names of reserved ports: "LOCAL", "in_port", …; false if it is not one. Case does not matter. */
bool ofp_port_reserved_parse(const char *name, size_t len, uint32_t *port);
const char *ofp_port_reserved_name(uint32_t port); /* NULL for ordinary ports */

#endif
