#include "packet/match.h"
#include <stdlib.h>
#include <string.h>
#include "packet/ip.h"

/* gre_key=0 must not match a packet that has no key, whose gre.key is 0 too: a condition on the key is one on the bit
 * that says so as well. This is the only place that knows. */
static void follow_gre_key(struct match *m)
{
    be16 bit = m->mask.gre.key ? htons(GRE_KEY_PRESENT) : 0;
    m->mask.gre.flags = (m->mask.gre.flags & ~htons(GRE_KEY_PRESENT)) | bit;
    m->value.gre.flags = (m->value.gre.flags & ~htons(GRE_KEY_PRESENT)) | bit;
}

/* --- Headers that must be there --- */

#define IN(MEMBER, BIT) {offsetof(struct flow_key, MEMBER), (BIT)}
enum { FIRST_BYTE = 8, THIRD_BYTE = 24 }; /* of a big-endian number, by how far its bits are from the right */
static const struct key_part part_of_prereq[N_PREREQS] = {
    [P_MPLS] = IN(eth.has, HAS_MPLS),
    [P_PBB] = IN(eth.has, HAS_PBB),
    [P_IP] = IN(ip.flabel, HAS_IP >> THIRD_BYTE),
    [P_IPV4] = IN(ip.flabel, HAS_IP >> THIRD_BYTE),
    [P_IPV6] = IN(ip.flabel, HAS_IP >> THIRD_BYTE),
    [P_ARP] = IN(arp.has, HAS_ARP),
    [P_TCP] = IN(l4.tcp_flags, HAS_L4 >> FIRST_BYTE),
    [P_UDP] = IN(l4.tcp_flags, HAS_L4 >> FIRST_BYTE),
    [P_SCTP] = IN(l4.tcp_flags, HAS_L4 >> FIRST_BYTE),
    [P_ICMPV4] = IN(l4.tcp_flags, HAS_L4 >> FIRST_BYTE),
    [P_ICMPV6] = IN(l4.tcp_flags, HAS_L4 >> FIRST_BYTE),
    [P_ND] = IN(nd.has, HAS_ND),
    [P_ND_SOLICIT] = IN(nd.has, HAS_ND_SLL),
    [P_ND_ADVERT] = IN(nd.has_tll, HAS_ND_TLL),
    [P_GRE] = IN(l4.tcp_flags, HAS_L4 >> FIRST_BYTE),
};
#undef IN

struct key_part field_part(enum field_id f)
{
    bool chain = f == FIELD_IP_PROTO || f == FIELD_IP_FRAG || f == FIELD_IPV6_EXTHDR;
    return chain ? (struct key_part){offsetof(struct flow_key, ip.flabel), HAS_IP_PROTO >> THIRD_BYTE}
                 : part_of_prereq[fields[f].prereq];
}

static bool same_part(struct key_part a, struct key_part b) { return a.at == b.at && a.bit == b.bit; }

/* Would a packet without the field meet the condition on it? */
static bool takes_zero(const struct match *m, enum field_id f)
{
    union field_value value, mask;
    match_get(m, f, &value, &mask);
    return (mask.w[0] | mask.w[1]) && !(value.w[0] | value.w[1]);
}

/* After a change of field f: does the match demand the header that f is in? */
static void follow_part(struct match *m, enum field_id f)
{
    struct key_part part = field_part(f);
    uint8_t *value = (uint8_t *)&m->value + part.at, *mask = (uint8_t *)&m->mask + part.at;
    bool demand = part.bit && takes_zero(m, f);
    if (!part.bit || (!demand && !(*mask & part.bit)))
        return;
    for (int g = 0; g < N_FIELDS && !demand; g++)
        demand = same_part(field_part(g), part) && takes_zero(m, g);
    *mask = (uint8_t)((*mask & ~part.bit) | (demand ? part.bit : 0));
    *value = (uint8_t)((*value & ~part.bit) | (demand ? part.bit : 0));
}

void match_set(struct match *m, enum field_id f, const union field_value *value, const union field_value *mask)
{
    union field_value v, bits;
    if (mask)
        bits = *mask;
    else
        field_all_ones(f, &bits);
    for (int i = 0; i < 2; i++)
        v.w[i] = value->w[i] & bits.w[i];
    field_set(f, &m->value, &v);
    field_set(f, &m->mask, &bits);
    if (f == FIELD_GRE_KEY)
        follow_gre_key(m);
    else
        follow_part(m, f);
}

void match_get(const struct match *m, enum field_id f, union field_value *value, union field_value *mask)
{
    field_get(f, &m->value, value);
    field_get(f, &m->mask, mask);
}

bool match_has(const struct match *m, enum field_id f)
{
    union field_value mask;
    field_get(f, &m->mask, &mask);
    return mask.w[0] || mask.w[1];
}

bool match_equal(const struct match *a, const struct match *b) { return !memcmp(a, b, sizeof *a); }

/* The headers that every packet of a match has, since it has one of their fields, whether that was said or not. */
static void imply_parts(const struct match *m, struct match *full)
{
    *full = *m;
    for (int f = 0; f < N_FIELDS; f++) {
        struct key_part part = field_part(f);
        if (part.bit && match_has(m, f)) {
            ((uint8_t *)&full->mask)[part.at] |= part.bit;
            ((uint8_t *)&full->value)[part.at] |= part.bit;
        }
    }
}

static bool covers(const struct match *general, const struct match *special)
{
    const uint64_t *gv = key_words_const(&general->value), *gm = key_words_const(&general->mask);
    const uint64_t *sv = key_words_const(&special->value), *sm = key_words_const(&special->mask);
    for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
        if ((gm[i] & ~sm[i]) || ((gv[i] ^ sv[i]) & gm[i]))
            return false;
    return true;
}

static bool demands_parts(const struct match *m)
{
    return (ntohl(m->mask.ip.flabel) & (HAS_IP | HAS_IP_PROTO)) || (m->mask.l4.tcp_flags & htons(HAS_L4)) || m->mask.eth.has ||
           m->mask.arp.has || m->mask.nd.has || m->mask.nd.has_tll;
}

bool match_covers(const struct match *general, const struct match *special)
{
    struct match full;
    if (covers(general, special))
        return true;
    if (!demands_parts(general))
        return false;
    imply_parts(special, &full);
    return covers(general, &full);
}

bool match_overlaps(const struct match *a, const struct match *b)
{
    const uint64_t *av = key_words_const(&a->value), *am = key_words_const(&a->mask);
    const uint64_t *bv = key_words_const(&b->value), *bm = key_words_const(&b->mask);
    for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
        if ((av[i] ^ bv[i]) & am[i] & bm[i])
            return false;
    return true;
}

bool match_hits(const struct match *m, const struct flow_key *key)
{
    const uint64_t *v = key_words_const(&m->value), *mask = key_words_const(&m->mask), *k = key_words_const(key);
    for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
        if ((k[i] & mask[i]) ^ v[i])
            return false;
    return true;
}

/* --- Prerequisites --- */

static bool is_etype(const struct match *m, uint16_t type)
{
    return m->mask.eth.type == 0xffff && m->value.eth.type == htons(type);
}

static bool is_proto(const struct match *m, uint8_t proto)
{
    return (is_etype(m, ETYPE_IPV4) || is_etype(m, ETYPE_IPV6)) && m->mask.ip.proto == 0xff && m->value.ip.proto == proto;
}

static bool is_nd(const struct match *m, uint8_t type)
{
    return is_etype(m, ETYPE_IPV6) && is_proto(m, IPPROTO_ICMPV6) && m->mask.l4.icmp_type == 0xff &&
           m->value.l4.icmp_type == type;
}

/* OpenFlow 1.3.5, table 12; one line for each kind of prerequisite, in its words. */
static bool holds(const struct match *m, enum field_prereq p)
{
    bool v4 = is_etype(m, ETYPE_IPV4), v6 = is_etype(m, ETYPE_IPV6);
    switch (p) {
    case P_NONE: return true;
    case P_IN_PORT: return m->mask.meta.in_port == 0xffffffff;
    /* "VLAN_VID!=NONE": the present bit, whatever the VID. */
    case P_VLAN: return (m->mask.eth.tci & m->value.eth.tci & htons(VLAN_PRESENT)) != 0;
    case P_MPLS: return is_etype(m, ETYPE_MPLS) || is_etype(m, ETYPE_MPLS_MC);
    case P_IP: return v4 || v6;
    case P_IPV4: return v4;
    case P_IPV6: return v6;
    /* Our reading: RARP has the same fields. Open vSwitch takes it so too. */
    case P_ARP: return is_etype(m, ETYPE_ARP) || is_etype(m, ETYPE_RARP);
    case P_TCP: return is_proto(m, IPPROTO_TCP);
    case P_UDP: return is_proto(m, IPPROTO_UDP);
    case P_SCTP: return is_proto(m, IPPROTO_SCTP);
    case P_ICMPV4: return v4 && is_proto(m, IPPROTO_ICMP);
    case P_ICMPV6: return v6 && is_proto(m, IPPROTO_ICMPV6);
    case P_ND: return is_nd(m, ND_SOLICIT) || is_nd(m, ND_ADVERT);
    case P_ND_SOLICIT: return is_nd(m, ND_SOLICIT);
    case P_ND_ADVERT: return is_nd(m, ND_ADVERT);
    case P_GRE: return is_proto(m, IPPROTO_GRE);
    case P_PBB: return is_etype(m, ETYPE_PBB);
    case N_PREREQS: break;
    }
    abort();
}

/* What to write; the second one where the match is already one of IPv6. */
static const char *const needs[N_PREREQS][2] = {
    [P_NONE] = {"", ""},
    [P_IN_PORT] = {"in_port", "in_port"},
    [P_VLAN] = {"vlan_vid=0x1000/0x1000", "vlan_vid=0x1000/0x1000"},
    [P_MPLS] = {"mpls", "mpls"},
    [P_IP] = {"ip", "ip"},
    [P_IPV4] = {"ip", "ip"},
    [P_IPV6] = {"ipv6", "ipv6"},
    [P_ARP] = {"arp", "arp"},
    [P_TCP] = {"tcp", "tcp6"},
    [P_UDP] = {"udp", "udp6"},
    [P_SCTP] = {"sctp", "sctp6"},
    [P_ICMPV4] = {"icmp", "icmp"},
    [P_ICMPV6] = {"icmp6", "icmp6"},
    [P_ND] = {"icmp6,icmp_type=135", "icmp6,icmp_type=135"},
    [P_ND_SOLICIT] = {"icmp6,icmp_type=135", "icmp6,icmp_type=135"},
    [P_ND_ADVERT] = {"icmp6,icmp_type=136", "icmp6,icmp_type=136"},
    [P_GRE] = {"ip,nw_proto=47", "ipv6,nw_proto=47"},
    [P_PBB] = {"dl_type=0x88e7", "dl_type=0x88e7"},
};

bool match_prereq(const struct match *m, enum field_id f, const char **need)
{
    enum field_prereq p = fields[f].prereq;
    if (holds(m, p))
        return true;
    if (need)
        *need = needs[p][is_etype(m, ETYPE_IPV6)];
    return false;
}

/* --- The fields of a match --- */

static bool same_bits(const struct field *a, const struct field *b)
{
    return a->ofs == b->ofs && a->shift == b->shift && a->bits == b->bits;
}

/* Of the rows that name the same bits, the one whose prerequisite holds; the first one if none does. They stand together. */
static bool is_the_one(const struct match *m, int id)
{
    int first = id;
    while (first > 0 && same_bits(&fields[first - 1], &fields[id]))
        first--;
    if (first == id && (id + 1 == N_FIELDS || !same_bits(&fields[id + 1], &fields[id])))
        return true;
    for (int i = first; i < N_FIELDS && same_bits(&fields[i], &fields[id]); i++)
        if (holds(m, fields[i].prereq))
            return i == id;
    return first == id;
}

/* Rows that lie across others. xreg and nw_tos are only other names; vlan_tci stands for what vlan_vid and vlan_pcp
 * cannot say: a PCP in part, or without the demand that there is a tag. */
static bool is_canonical(const struct match *m, enum field_id id)
{
    be16 tci = m->mask.eth.tci, pcp = htons(7 << VLAN_PCP_SHIFT);
    bool split = !(tci & pcp) || ((tci & pcp) == pcp && holds(m, P_VLAN));
    switch (id) {
    case FIELD_XREG0: case FIELD_XREG1: case FIELD_XREG2: case FIELD_XREG3: case FIELD_XREG4: case FIELD_XREG5:
    case FIELD_XREG6: case FIELD_XREG7: case FIELD_XXREG0: case FIELD_XXREG1: case FIELD_XXREG2: case FIELD_XXREG3:
    case FIELD_IP_TOS:
        return false;
    case FIELD_VLAN_TCI:
        return !split;
    case FIELD_VLAN_VID: case FIELD_VLAN_PCP:
        return split;
    default:
        return is_the_one(m, id);
    }
}

void match_for_each(const struct match *m, void (*each)(enum field_id, const union field_value *,
                                                        const union field_value *, void *aux), void *aux)
{
    static const uint64_t words_of[N_FIELDS] = {
#define FIELD(id, name, aliases, member, shift, bits, ...) \
    UINT64_C(1) << offsetof(struct flow_key, member) / 8 | UINT64_C(1) << (offsetof(struct flow_key, member) + (bits - 1) / 8) / 8,
#include "packet/field.def"
#undef FIELD
    };
    uint64_t map = 0; /* the words with any condition: a few of many */
    for (unsigned w = 0; w < FLOW_KEY_WORDS; w++)
        map |= (uint64_t)(key_words_const(&m->mask)[w] != 0) << w;
    for (int i = 0; i < N_FIELDS; i++)
        if (words_of[i] & map && match_has(m, i) && is_canonical(m, i)) {
            union field_value value, mask;
            match_get(m, i, &value, &mask);
            each(i, &value, &mask, aux);
        }
}
