/* gre.h: the GRE header (RFC 2784; key and sequence number: RFC 2890). Pure: no state, any thread. */
#ifndef DATAPATH_TUNNEL_GRE_H
#define DATAPATH_TUNNEL_GRE_H 1

#include "base/types.h"

enum { /* flags, host order */
       GRE_CSUM = 0x8000,
       GRE_ROUTING = 0x4000, /* of RFC 1701 only */
       GRE_KEY = 0x2000,
       GRE_SEQ = 0x1000,
       GRE_VERSION = 0x0007,
};
enum { GRE_PROTO_TEB = 0x6558, IP_PROTO_GRE = 47, GRE_MAX_LEN = 16 };

struct gre {
    uint16_t flags, proto; /* host order */
    uint16_t len;          /* bytes of the header, optional fields included */
    be32 key, seq;         /* 0 if absent */
};

enum gre_error { GRE_OK, GRE_SHORT, GRE_UNSUPPORTED };

/* RFC 2784, 2.3: "A receiver MUST discard a packet where any of bits 1-5 are non-zero, unless that receiver
 * implements RFC 1701." Bits 2 and 3 are K and S of RFC 2890. Our reading: the routing bit (1), the strict-route bit
 * (4), the first bit of the recursion count (5) and any version but 0 make the packet GRE_UNSUPPORTED; the reserved
 * bits 6 to 12 "MUST be ignored". The fields are filled also then, but for key and seq. */
enum gre_error gre_parse(const uint8_t *p, size_t n, struct gre *);

/* Is the checksum over header and payload, n bytes, right? The C bit is set. */
bool gre_checksum_ok(const uint8_t *p, size_t n);

/* Writes a header for Ethernet, with room for a checksum (zero) and a key if asked for. Returns its length. */
size_t gre_write(uint8_t p[GRE_MAX_LEN], bool csum, bool has_key, uint32_t key);

#endif
