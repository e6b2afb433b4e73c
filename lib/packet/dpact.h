/* dpact.h: lists of primitive actions (dpact.def).
 *
 * A list is a run of actions in a struct buf, each aligned to 8 bytes and starting with struct dpact. An empty list
 * drops. Each action applies to the packet as the ones before it left it. */
#ifndef PACKET_DPACT_H
#define PACKET_DPACT_H 1

#include "base/buf.h"
#include "packet/field.h"

enum dpact_type {
#define DPACT(id, name, carries, doc) DPACT_##id,
#include "packet/dpact.def"
#undef DPACT
    N_DPACTS
};

struct dpact {
    uint16_t type; /* enum dpact_type */
    uint16_t len;  /* bytes, this header included, a multiple of 8 */
    uint32_t arg;  /* for the one-number actions: see the structs */
};

struct dpact_none { struct dpact a; };
struct dpact_port { struct dpact a; };  /* arg: datapath port */
struct dpact_output { struct dpact a; uint32_t queue; }; /* arg: datapath port; without a queue it may as well be a dpact_port */
struct dpact_drop { struct dpact a; };  /* arg: enum drop_reason */
struct dpact_vlan { struct dpact a; };  /* arg: tpid << 16 | tci, host order; POP_MPLS: the type of what is below;
                                           PUSH_PBB: the I-TAG's TCI */
struct dpact_mpls { struct dpact a; be32 lse, zero; }; /* arg: Ethernet type; lse: as it is pushed */
struct dpact_set  { struct dpact a; union field_value value, mask; }; /* arg: enum field_id */
struct dpact_meter { struct dpact a; void *meter; };     /* arg: its number, for people; meter: struct dp_meter */
struct dpact_clone { struct dpact a; uint8_t nested[]; };             /* a list, up to len */
struct dpact_punt { /* arg: kind, the walk's affair */
    struct dpact a;
    void *bridge; /* struct dp_bridge whose punt() gets it (a walk may cross bridges); NULL: that of the port it came in by */
    uint32_t max_len, blob_len;
    uint8_t blob[];
};
struct dpact_hold { struct dpact a; be64 tun_id; be32 nexthop, tun_src, tun_dst; uint32_t ifindex; }; /* arg: tunnel port */
struct dpact_push {
    struct dpact a;        /* arg: tunnel port */
    uint16_t header_len;   /* of header */
    uint16_t l3;           /* where in it the outer IP header starts */
    uint16_t mtu;          /* of the underlay: the largest outer IP packet */
    uint16_t csum_at;      /* where the GRE checksum goes, 0: none */
    uint16_t gso;          /* super-segments stay whole: others cut them */
    uint8_t header[96];    /* lengths, checksums and identification still zero */
};

#define DPACT_FOR_EACH(A, LIST, LEN)                                                                   \
    for (const struct dpact *A = (const struct dpact *)(LIST); (uintptr_t)A < (uintptr_t)(LIST) + (LEN); \
         A = (const struct dpact *)((const uint8_t *)A + A->len))

/* Appends an action of `size` bytes (rounded up to 8), zeroed but for its header. Good until the next append. */
void *dpact_append(struct buf *list, enum dpact_type, size_t size, uint32_t arg);

/* Nested: id = dpact_clone_begin(list); …; dpact_clone_end(list, id). An empty clone is removed. */
size_t dpact_clone_begin(struct buf *list);
void dpact_clone_end(struct buf *list, size_t at);

void dpact_format(const void *list, size_t len, const char *(*port_name)(uint32_t port, void *aux), void *aux,
                  struct buf *out);

#endif
