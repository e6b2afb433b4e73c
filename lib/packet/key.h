/* key.h: what a packet looks like to the flow tables: one fixed place for every match field.
 *
 * All members are in network byte order and a field never crosses a 64-bit word unless it is wider than one, so that
 * key, mask and consulted bits can all be treated as FLOW_KEY_WORDS words. Which fields there are, and where in this
 * struct each lies, says field.def; its row order is the order here. What a packet does not have is zero (an
 * eth.tci of zero: no tag; with a tag, VLAN_PRESENT is set), so that "absent" can be matched as OpenFlow asks.
 *
 * struct flow_key serves as key (values) and as mask (bits that matter). */
#ifndef PACKET_KEY_H
#define PACKET_KEY_H 1

#include "base/types.h"

#define VLAN_PRESENT 0x1000 /* OFPVID_PRESENT, where the tag itself has DEI */
#define VLAN_VID_MASK 0x0fff
#define VLAN_PCP_SHIFT 13

enum { FRAG_ANY = 1, FRAG_LATER = 2 }; /* ip.frag: first fragment 1, later ones 3 */

struct flow_key {
    struct {
        be32 in_port;      /* OpenFlow port number in the bridge */
        be32 in_phy_port;  /* same as in_port, but for tunnels the port that the outer packet came in by */
        be64 metadata;
        be32 pkt_mark;
        be32 conj_id;
        be32 actset_output; /* the port of the action set's output, OFPP_UNSET if it has none; zero where no set is */
        be32 zero;
    } meta;
    struct {
        be64 id; /* GRE key, VXLAN VNI; 0 if none */
        be32 src, dst;
        be16 flags; /* TUN_KEY, TUN_CSUM, TUN_DF */
        uint8_t tos, ttl;
        be16 marks; /* tun_flags: 1 OAM */
        be16 zero;
    } tun;
    be32 reg[16];
    struct {
        uint8_t dst[6];
        be16 type; /* of what follows the VLAN tags; 0x05ff for 802.3 frames without SNAP */
        uint8_t src[6];
        be16 tci; /* outermost tag, with VLAN_PRESENT; 0: none */
        be16 tci2; /* second tag, likewise */
        be16 tpid, tpid2; /* 0x8100 or 0x88a8, of each tag; not fields, but needed to push them back */
        uint8_t n_tags; /* of all tags; not a field either */
        uint8_t has;    /* HAS_MPLS, HAS_PBB */
    } eth;
    struct {
        be32 lse; /* outermost MPLS label stack entry */
        be32 pbb; /* I-TAG's TCI of a PBB frame (never both: the Ethernet type says which) */
        /* For who pops labels: the one below, if `labels` is 2 (it is the bottom of the stack) or 3 (it is not, or nobody
         * knows). labels 1: `lse` is the bottom; 0: what is below is cut off or not known. inner: ETYPE_IPV4 or ETYPE_IPV6, if labels is 1 or 2 and what
         * is below starts as such a packet does; then ip, ip4, ip6, l4 are its own, for whom a pop has made it the packet's. */
        be32 lse2;
        be16 inner;
        uint8_t labels, zero;
    } mpls;
    struct {
        uint8_t proto, tos, ttl, frag;
        be32 flabel; /* IPv6 flow label, 20 bits; from bit 20 on IPv6 extension headers, 9 bits; HAS_IP, HAS_IP_PROTO */
    } ip;
    struct {
        be32 src, dst;
    } ip4;
    struct {
        uint8_t src[16], dst[16];
    } ip6;
    struct {
        be32 spa, tpa;
        uint8_t sha[6];
        be16 op;
        uint8_t tha[6];
        uint8_t has; /* HAS_ARP */
        uint8_t zero;
    } arp;
    struct {
        be16 src, dst; /* TCP, UDP, SCTP */
        be16 tcp_flags; /* 12 bits; HAS_L4 */
        uint8_t icmp_type, icmp_code; /* ICMPv4 and ICMPv6 */
    } l4;
    struct {
        uint8_t target[16];
        uint8_t sll[6];
        uint8_t has; /* HAS_ND, HAS_ND_SLL */
        uint8_t zero;
        uint8_t tll[6];
        uint8_t has_tll; /* HAS_ND_TLL */
        uint8_t zero2;
    } nd;
    struct {
        be32 key; /* of a GRE packet in transit; 0 if it has none */
        be16 flags; /* the first two octets of the GRE header; GRE_KEY_PRESENT only if `key` is one */
        be16 proto;
    } gre;
};

enum { FLOW_KEY_WORDS = sizeof(struct flow_key) / 8 };
static_assert(sizeof(struct flow_key) % 8 == 0 && FLOW_KEY_WORDS <= 64, "a map of words fits a uint64_t");

/* Which headers are there whole: what a packet does not have, or has only in part, is zero in its key and yet no field of
 * value zero. Beside the fields in each word, so that to ask for them costs nothing. A match that would take a zero asks
 * for them (match_set()), and so does who writes or copies a field. HAS_IP_PROTO: no extension header is cut off. */
enum { HAS_MPLS = 1, HAS_PBB = 2, HAS_ARP = 1, HAS_ND = 1, HAS_ND_SLL = 2, HAS_ND_TLL = 1, HAS_L4 = 0x8000 };
#define HAS_IP UINT32_C(0x80000000)
#define HAS_IP_PROTO UINT32_C(0x40000000)
enum { EXTHDR_SHIFT = 20 };

/* OpenFlow 1.3.5, 7.2.3.8: enum ofp_ipv6exthdr_flags. */
enum { EXTHDR_NONEXT = 1, EXTHDR_ESP = 2, EXTHDR_AUTH = 4, EXTHDR_DEST = 8, EXTHDR_FRAG = 16, EXTHDR_ROUTER = 32,
       EXTHDR_HOP = 64, EXTHDR_UNREP = 128, EXTHDR_UNSEQ = 256 };

/* RFC 2784 and RFC 2890, in host order. A condition on gre.key demands GRE_KEY_PRESENT too (match_set()), since a key of
 * 0 is a key. */
enum { GRE_CSUM_PRESENT = 0x8000, GRE_ROUTING_PRESENT = 0x4000, GRE_KEY_PRESENT = 0x2000,
       GRE_SEQ_PRESENT = 0x1000, GRE_VERSION_BITS = 7 };

enum { TUN_DF = 1, TUN_CSUM = 2, TUN_KEY = 4 }; /* tun.flags, Open vSwitch's FLOW_TNL_F_… */

static inline uint64_t *key_words(struct flow_key *k) { return (uint64_t *)k; }
static inline const uint64_t *key_words_const(const struct flow_key *k) { return (const uint64_t *)k; }

/* The layers, in the order in which they lie in the key and in which a parser meets them. */
enum layer { L_META, L_ETH, L_IP, L_L4, N_LAYERS };

#endif
