/* match-of10.c: matches of OpenFlow 1.0: struct ofp_match of 40 bytes (1.0.1, 5.2.3) and Nicira's nx_match, which is a
 * run of NXM TLVs without a header. */
#include "openflow/match-codec.h"
#include "openflow/oxm.h"
#include "openflow/act-shape.h"
#include "packet/ip.h"

enum wildcard { /* OFPFW_… */
                W_IN_PORT = 1,
                W_DL_VLAN = 1 << 1,
                W_DL_SRC = 1 << 2,
                W_DL_DST = 1 << 3,
                W_DL_TYPE = 1 << 4,
                W_NW_PROTO = 1 << 5,
                W_TP_SRC = 1 << 6,
                W_TP_DST = 1 << 7,
                W_NW_SRC_SHIFT =
                    8, /* six bits: how many low bits of the address do not count; 32 and more: none does */
                W_NW_DST_SHIFT = 14,
                W_DL_VLAN_PCP = 1 << 20,
                W_NW_TOS = 1 << 21,
                W_NW_BITS = 63,
                VLAN_NONE = 0xffff,
};

struct of10_match {
    uint32_t wildcards;
    uint16_t in_port, dl_vlan, dl_type, tp_src, tp_dst;
    uint8_t dl_src[6], dl_dst[6], dl_vlan_pcp, nw_tos, nw_proto;
    uint32_t nw_src, nw_dst;
};

/* --- in --- */

static void set_number(struct match *m, enum field_id f, uint64_t n)
{
    union field_value v;
    field_value_set_u64(&v, n);
    match_set(m, f, &v, NULL);
}

static void set_mac(struct match *m, enum field_id f, const uint8_t mac[6])
{
    union field_value v = {{0}};
    memcpy(v.b + 10, mac, 6);
    match_set(m, f, &v, NULL);
}

static void set_address(struct match *m, enum field_id f, uint32_t address, unsigned ignored_bits)
{
    union field_value v, mask;
    if (ignored_bits >= 32)
        return;
    field_value_set_u64(&mask, (uint32_t)(UINT32_MAX << ignored_bits));
    field_value_set_u64(&v, address & (uint32_t)(UINT32_MAX << ignored_bits));
    match_set(m, f, &v, &mask);
}

/* 1.0.1, 5.2.3: dl_vlan 0xffff is a packet without a tag, whose priority then counts for nothing. A priority alone asks
 * for a tag too, as there is none in other packets. */
static void set_vlan(struct match *m, const struct of10_match *w)
{
    bool vid = !(w->wildcards & W_DL_VLAN), pcp = !(w->wildcards & W_DL_VLAN_PCP);
    if (vid && w->dl_vlan == VLAN_NONE) {
        set_number(m, FIELD_VLAN_VID, 0);
        return;
    }
    if (vid) {
        set_number(m, FIELD_VLAN_VID, (w->dl_vlan & VLAN_VID_MASK) | VLAN_PRESENT);
    } else if (pcp) {
        union field_value present;
        field_value_set_u64(&present, VLAN_PRESENT);
        match_set(m, FIELD_VLAN_VID, &present, &present);
    }
    if (pcp)
        set_number(m, FIELD_VLAN_PCP, w->dl_vlan_pcp & 7);
}

static void set_ports(struct match *m, const struct of10_match *w)
{
    static const struct {
        uint16_t dl_type; /* 0: either */
        uint8_t proto;
        enum field_id src, dst;
    } kinds[] = {
        {0, IPPROTO_TCP, FIELD_TCP_SRC, FIELD_TCP_DST},
        {0, IPPROTO_UDP, FIELD_UDP_SRC, FIELD_UDP_DST},
        {0, IPPROTO_SCTP, FIELD_SCTP_SRC, FIELD_SCTP_DST},
        {ETYPE_IPV4, IPPROTO_ICMP, FIELD_ICMPV4_TYPE, FIELD_ICMPV4_CODE},
        {ETYPE_IPV6, IPPROTO_ICMPV6, FIELD_ICMPV6_TYPE, FIELD_ICMPV6_CODE},
    };
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (kinds[i].proto != w->nw_proto || (kinds[i].dl_type && kinds[i].dl_type != w->dl_type))
            continue;
        if (!(w->wildcards & W_TP_SRC))
            set_number(m, kinds[i].src, fields[kinds[i].src].bits == 8 ? w->tp_src & 0xff : w->tp_src);
        if (!(w->wildcards & W_TP_DST))
            set_number(m, kinds[i].dst, fields[kinds[i].dst].bits == 8 ? w->tp_dst & 0xff : w->tp_dst);
    }
}

/* 1.0.1, 3.4: fields of a layer count for packets that have it: "nw_tos … must be ignored unless dl_type is 0x0800",
 * and so on. What is ignored is not in our match. */
static void set_network(struct match *m, const struct of10_match *w)
{
    unsigned src_bits = w->wildcards >> W_NW_SRC_SHIFT & W_NW_BITS,
             dst_bits = w->wildcards >> W_NW_DST_SHIFT & W_NW_BITS;
    bool proto = !(w->wildcards & W_NW_PROTO);
    switch (w->dl_type) {
    case ETYPE_ARP:
    case ETYPE_RARP:
        if (proto)
            set_number(m, FIELD_ARP_OP, w->nw_proto);
        set_address(m, FIELD_ARP_SPA, w->nw_src, src_bits);
        set_address(m, FIELD_ARP_TPA, w->nw_dst, dst_bits);
        break;
    case ETYPE_IPV4:
        set_address(m, FIELD_IPV4_SRC, w->nw_src, src_bits);
        set_address(m, FIELD_IPV4_DST, w->nw_dst, dst_bits);
        /* fall through */
    case ETYPE_IPV6: /* 1.0 does not know it; Open vSwitch's clients send it all the same */
        if (!(w->wildcards & W_NW_TOS))
            set_number(m, FIELD_IP_DSCP, w->nw_tos >> 2);
        if (proto) {
            set_number(m, FIELD_IP_PROTO, w->nw_proto);
            set_ports(m, w);
        }
        break;
    default:
        break;
    }
}

enum ofp_error match_decode_of10(struct rd *r, struct match *m)
{
    struct of10_match w;
    memset(m, 0, sizeof *m);
    w.wildcards = rd_u32(r);
    w.in_port = rd_u16(r);
    rd_bytes(r, w.dl_src, 6);
    rd_bytes(r, w.dl_dst, 6);
    w.dl_vlan = rd_u16(r);
    w.dl_vlan_pcp = rd_u8(r);
    rd_skip(r, 1);
    w.dl_type = rd_u16(r);
    w.nw_tos = rd_u8(r);
    w.nw_proto = rd_u8(r);
    rd_skip(r, 2);
    w.nw_src = rd_u32(r);
    w.nw_dst = rd_u32(r);
    w.tp_src = rd_u16(r);
    w.tp_dst = rd_u16(r);
    if (r->err)
        return OFPERR_BRC_BAD_LEN;
    if (!(w.wildcards & W_IN_PORT))
        set_number(m, FIELD_IN_PORT, ofp_port_from16(w.in_port));
    if (!(w.wildcards & W_DL_SRC))
        set_mac(m, FIELD_ETH_SRC, w.dl_src);
    if (!(w.wildcards & W_DL_DST))
        set_mac(m, FIELD_ETH_DST, w.dl_dst);
    set_vlan(m, &w);
    if (!(w.wildcards & W_DL_TYPE)) {
        set_number(m, FIELD_ETH_TYPE, w.dl_type);
        set_network(m, &w);
    }
    return OFPERR_OK;
}

/* --- out --- */

/* Fills in what `w` can say of m, field by field; ok: nothing was left out. */
struct telling {
    const struct match *m;
    struct of10_match w;
    bool ok;
};

static void tell_address(struct telling *t, const union field_value *value, const union field_value *mask,
                         unsigned shift, uint32_t *to)
{
    uint32_t bits = (uint32_t)field_value_u64(mask), hole = ~bits & (~bits + 1);
    if (hole) /* not a prefix: what can be said is less */
        t->ok = false;
    unsigned ignored = bits ? (unsigned)__builtin_ctz(bits) : 32;
    if (hole)
        ignored = 32 - (~bits ? (unsigned)__builtin_clz(~bits) : 32);
    t->w.wildcards = (t->w.wildcards & ~((uint32_t)W_NW_BITS << shift)) | ignored << shift;
    *to = (uint32_t)field_value_u64(value) & (ignored < 32 ? UINT32_MAX << ignored : 0);
}

static void tell_mac(struct telling *t, const union field_value *value, enum wildcard bit, uint8_t to[6])
{
    memcpy(to, value->b + 10, 6);
    t->w.wildcards &= ~(uint32_t)bit;
}

static void tell_vid(struct telling *t, uint64_t value, uint64_t mask)
{
    if (mask == (VLAN_PRESENT | VLAN_VID_MASK)) {
        t->w.wildcards &= ~(uint32_t)W_DL_VLAN;
        t->w.dl_vlan = value & VLAN_PRESENT ? value & VLAN_VID_MASK : VLAN_NONE;
    } else if (value != VLAN_PRESENT || mask != VLAN_PRESENT || !match_has(t->m, FIELD_VLAN_PCP)) {
        t->ok = false;
    }
}

static void tell_number(struct telling *t, enum field_id f, uint64_t n)
{
    struct of10_match *w = &t->w;
    switch (f) {
    case FIELD_IN_PORT:
        w->wildcards &= ~(uint32_t)W_IN_PORT;
        t->ok &= ofp_port_to16((uint32_t)n, &w->in_port);
        break;
    case FIELD_ETH_TYPE:
        w->wildcards &= ~(uint32_t)W_DL_TYPE;
        w->dl_type = (uint16_t)n;
        break;
    case FIELD_VLAN_PCP:
        w->wildcards &= ~(uint32_t)W_DL_VLAN_PCP;
        w->dl_vlan_pcp = (uint8_t)n;
        break;
    case FIELD_IP_DSCP:
        w->wildcards &= ~(uint32_t)W_NW_TOS;
        w->nw_tos = (uint8_t)(n << 2);
        break;
    case FIELD_ARP_OP:
        t->ok &= n < 256;
        /* fall through */
    case FIELD_IP_PROTO:
        w->wildcards &= ~(uint32_t)W_NW_PROTO;
        w->nw_proto = (uint8_t)n;
        break;
    case FIELD_TCP_SRC:
    case FIELD_UDP_SRC:
    case FIELD_SCTP_SRC:
    case FIELD_ICMPV4_TYPE:
    case FIELD_ICMPV6_TYPE:
        w->wildcards &= ~(uint32_t)W_TP_SRC;
        w->tp_src = (uint16_t)n;
        break;
    case FIELD_TCP_DST:
    case FIELD_UDP_DST:
    case FIELD_SCTP_DST:
    case FIELD_ICMPV4_CODE:
    case FIELD_ICMPV6_CODE:
        w->wildcards &= ~(uint32_t)W_TP_DST;
        w->tp_dst = (uint16_t)n;
        break;
    default:
        t->ok = false;
        break;
    }
}

static void tell(enum field_id f, const union field_value *value, const union field_value *mask, void *t_)
{
    struct telling *t = t_;
    union field_value ones;
    field_all_ones(f, &ones);
    bool exact = !memcmp(mask, &ones, sizeof ones);
    if (f == FIELD_IPV4_SRC || f == FIELD_ARP_SPA)
        tell_address(t, value, mask, W_NW_SRC_SHIFT, &t->w.nw_src);
    else if (f == FIELD_IPV4_DST || f == FIELD_ARP_TPA)
        tell_address(t, value, mask, W_NW_DST_SHIFT, &t->w.nw_dst);
    else if (f == FIELD_VLAN_VID)
        tell_vid(t, field_value_u64(value), field_value_u64(mask));
    else if (!exact)
        t->ok = false;
    else if (f == FIELD_ETH_SRC)
        tell_mac(t, value, W_DL_SRC, t->w.dl_src);
    else if (f == FIELD_ETH_DST)
        tell_mac(t, value, W_DL_DST, t->w.dl_dst);
    else
        tell_number(t, f, field_value_u64(value));
}

static void tell_all(struct telling *t, const struct match *m)
{
    enum { ALL = (1 << 22) - 1 };
    *t = (struct telling){.m = m, .w = {.wildcards = ALL}, .ok = true};
    match_for_each(m, tell, t);
}

bool match_fits_of10(const struct match *m)
{
    struct telling t;
    tell_all(&t, m);
    return t.ok;
}

void match_encode_of10(const struct match *m, struct buf *out)
{
    struct telling t;
    tell_all(&t, m);
    buf_u32(out, t.w.wildcards);
    buf_u16(out, t.w.in_port);
    buf_put(out, t.w.dl_src, 6);
    buf_put(out, t.w.dl_dst, 6);
    buf_u16(out, t.w.dl_vlan);
    buf_u8(out, t.w.dl_vlan_pcp);
    buf_zeros(out, 1);
    buf_u16(out, t.w.dl_type);
    buf_u8(out, t.w.nw_tos);
    buf_u8(out, t.w.nw_proto);
    buf_zeros(out, 2);
    buf_u32(out, t.w.nw_src);
    buf_u32(out, t.w.nw_dst);
    buf_u16(out, t.w.tp_src);
    buf_u16(out, t.w.tp_dst);
}

/* --- nx_match --- */

/* Class 1, number 30, which is mpls_ttl's too: the length tells them apart. */
enum { NXM_NX_COOKIE = 0x0001 << 16 | 30 << 9 | 8, NXM_NX_COOKIE_W = 0x0001 << 16 | 30 << 9 | 1 << 8 | 16 };

static void put_nxm(enum field_id f, const union field_value *value, const union field_value *mask, void *out)
{
    if (f != FIELD_VLAN_TCI && f != FIELD_VLAN_VID && f != FIELD_VLAN_PCP)
        oxm_encode(f, value, mask, OFP10, out);
}

/* NXM has the tag as a whole; without one all of it is zero. */
static void put_tci(const struct match *m, struct buf *out)
{
    union field_value value, mask;
    match_get(m, FIELD_VLAN_TCI, &value, &mask);
    bool untagged = field_value_u64(&mask) & VLAN_PRESENT && !(field_value_u64(&value) & VLAN_PRESENT);
    oxm_encode(FIELD_VLAN_TCI, &value, untagged ? NULL : &mask, OFP10, out);
}

size_t nx_match_encode(const struct match *m, uint64_t cookie, uint64_t cookie_mask, struct buf *out)
{
    size_t at = out->len;
    match_for_each(m, put_nxm, out);
    if (m->mask.eth.tci)
        put_tci(m, out);
    if (cookie_mask) {
        buf_u32(out, cookie_mask == UINT64_MAX ? NXM_NX_COOKIE : NXM_NX_COOKIE_W);
        buf_u64(out, cookie & cookie_mask);
        if (cookie_mask != UINT64_MAX)
            buf_u64(out, cookie_mask);
    }
    size_t len = out->len - at;
    buf_align(out, at, 8);
    return len;
}

/* Takes it if it is there; false if it is another field. */
static bool decode_cookie(struct rd *r, uint64_t *cookie, uint64_t *mask)
{
    struct rd peek = *r;
    uint32_t header = rd_u32(&peek);
    if (!cookie || (header != NXM_NX_COOKIE && header != NXM_NX_COOKIE_W))
        return false;
    *cookie = rd_u64(&peek);
    *mask = header == NXM_NX_COOKIE ? UINT64_MAX : rd_u64(&peek);
    *r = peek;
    return true;
}

enum ofp_error nx_match_decode(struct rd *r, size_t len, struct match *m, uint64_t *cookie, uint64_t *cookie_mask)
{
    bool seen[N_FIELDS] = {false};
    memset(m, 0, sizeof *m);
    if (rd_left(r) < ROUND_UP(len, 8))
        return OFPERR_NXBRC_NXM_INVALID;
    struct rd body = rd_sub(r, len);
    rd_skip(r, ROUND_UP(len, 8) - len);
    while (rd_left(&body))
        if (!decode_cookie(&body, cookie, cookie_mask)) {
            enum ofp_error e = match_decode_field(OFP10, &body, m, seen);
            if (e)
                return e;
        }
    return body.err ? OFPERR_NXBRC_NXM_INVALID : OFPERR_OK;
}
