/* field.h: descriptions of the match fields, made from field.def, and what follows from a row alone: reading and
 * writing a field in a key, its text, its OXM header. */
#ifndef PACKET_FIELD_H
#define PACKET_FIELD_H 1

#include "base/buf.h"
#include "base/diag.h"
#include "packet/key.h"

enum field_id {
#define FIELD(id, ...) FIELD_##id,
#include "packet/field.def"
#undef FIELD
    N_FIELDS
};

enum field_mask { M_NONE, M_ANY };
enum field_access { RO, SF, RW };
enum field_prereq {
    P_NONE, P_IN_PORT, P_VLAN, P_MPLS, P_IP, P_IPV4, P_IPV6, P_ARP, P_TCP, P_UDP, P_SCTP, P_ICMPV4, P_ICMPV6, P_ND,
    P_ND_SOLICIT, P_ND_ADVERT, P_GRE, P_PBB, N_PREREQS
};
enum field_format { F_DEC, F_HEX, F_MAC, F_IPV4, F_IPV6, F_PORT, F_VLAN, F_TOS, F_FRAG, F_TCP_FLAGS, F_TUN_FLAGS };

/* An OXM or NXM header without has-mask and length: class << 16 | number, or 0 for none (NXM0(0), NXM_OF_IN_PORT, has
 * a bit of its own to differ from it). Experimenter fields: their short id in bits 40…. */
#define OXM(N) (UINT64_C(0x8000) << 16 | (N))
#define NXM0(N) (UINT64_C(1) << 32 | (N))
#define NXM1(N) (UINT64_C(0x0001) << 16 | (N))
#define ONF(N) (UINT64_C(1) << 40 | UINT64_C(0xffff) << 16 | (N))
#define XVS(N) (UINT64_C(2) << 40 | UINT64_C(0xffff) << 16 | (N))
#define XREG_OXM(N) (UINT64_C(0x8001) << 16 | (N)) /* OXM_OF_PKT_REG: OFPXMC_PACKET_REGS, OpenFlow 1.5 */
#define NO_OXM UINT64_C(0)

#define ONF_EXPERIMENTER 0x4f4e4600u
#define XVS_EXPERIMENTER 0x00585653u /* "XVS"; not registered */

/* A value of any field: big-endian, right-aligned in the last `bytes` of b. */
union field_value {
    uint8_t b[16];
    be64 w[2];
};

struct field {
    const char *name, *aliases, *doc;
    const char *member;             /* its C name, for people */
    uint16_t ofs, size;             /* bytes in struct flow_key */
    uint8_t shift;                  /* from the least significant bit of the member */
    uint8_t bits, bytes;            /* bytes = (bits + 7) / 8; on the wire 20-bit fields take 4 */
    enum layer layer;
    uint64_t oxm, nxm;
    enum field_mask mask;
    enum field_access access;
    enum field_prereq prereq;
    enum field_format format;
};
extern const struct field fields[N_FIELDS];

/* In a key. field_get on a mask gives the field's mask bits. */
void field_get(enum field_id, const struct flow_key *, union field_value *);
void field_set(enum field_id, struct flow_key *, const union field_value *);
void field_all_ones(enum field_id, union field_value *);
uint64_t field_value_u64(const union field_value *);          /* the low 64 bits, host order */
void field_value_set_u64(union field_value *, uint64_t);

/* By name or alias, exactly; -1 if there is none. */
int field_by_name(const char *name, size_t len);
const char *field_nearest_name(const char *name, size_t len); /* did you mean; NULL if nothing is near */

/* Text. Parses "VALUE" or "VALUE/MASK" in the field's format (numbers in decimal or 0x hex, always range checked;
 * addresses with /prefix or /mask; ports by number or reserved name). On failure returns false and fills `d` with
 * at/len relative to `text`. `port_by_name` resolves other port names and may be NULL. */
typedef bool (*port_by_name_fn)(const char *name, size_t len, uint32_t *port, void *aux);
typedef const char *(*port_to_name_fn)(uint32_t port, void *aux); /* NULL: print the number */
struct port_names {
    port_by_name_fn by_name;
    port_to_name_fn to_name;
    void *aux;
};
bool field_parse(enum field_id, const char *text, size_t len, const struct port_names *, union field_value *value,
                 union field_value *mask, struct diag *d);
/* Appends "VALUE" or, unless mask is all ones (or NULL), "VALUE/MASK", as ovs-ofctl prints it. */
void field_format(enum field_id, const union field_value *value, const union field_value *mask,
                  const struct port_names *, struct buf *out);

/* OXM: the field with this header (class << 16 | number as above), or -1. */
int field_by_oxm(uint64_t header);

#endif
