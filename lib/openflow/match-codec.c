/* OpenFlow 1.3.5, 7.2.3: the flow match as OXM TLVs, Nicira's NXM TLVs and the experimenters' among them. */
#include "openflow/match-codec.h"
#include "openflow/oxm.h"

enum { OXM_EXPERIMENTER_CLASS = 0xffff, OFPMT_OXM = 1 };

/* --- headers --- */

/* 20-bit fields (flow label, MPLS label) take four bytes (table 12); all others, the bytes that their bits need, which
 * are three for the I-SID. tun_flags are two, of which Nicira uses one bit. */
static unsigned wire_bytes(enum field_id f, bool narrow_port)
{
    return narrow_port ? 2 : fields[f].bits == 20 ? 4 : f == FIELD_TUN_FLAGS ? 2 : fields[f].bytes;
}

static uint32_t experimenter_of(uint64_t header)
{
    return header >> 40 == 1 ? ONF_EXPERIMENTER : header >> 40 == 2 ? XVS_EXPERIMENTER : 0;
}

bool oxm_header_decode(struct rd *r, struct oxm_header *h)
{
    *h = (struct oxm_header){.field = -1};
    uint16_t class = rd_u16(r);
    uint8_t field = rd_u8(r), len = rd_u8(r);
    h->len = len;
    h->masked = field & 1;
    uint64_t id = (uint64_t) class << 16 | field >> 1;
    if (class == OXM_EXPERIMENTER_CLASS) {
        if (len < 4) {
            rd_fail(r, OFPERR_BMC_BAD_LEN);
            return false;
        }
        uint32_t experimenter = rd_u32(r);
        h->len -= 4;
        id |= experimenter == ONF_EXPERIMENTER   ? UINT64_C(1) << 40
              : experimenter == XVS_EXPERIMENTER ? UINT64_C(2) << 40
                                                 : UINT64_C(0xff) << 40;
    } else if (class == 0) {
        id |= UINT64_C(1) << 32; /* NXM0() */
    }
    h->field = field_by_oxm(id);
    h->narrow_port = id == NXM0(0);
    h->bytes = h->field < 0 ? 0 : (uint8_t)wire_bytes((enum field_id)h->field, h->narrow_port);
    return !r->err;
}

void oxm_header_encode(uint64_t id, unsigned bytes, bool masked, struct buf *out)
{
    uint32_t experimenter = experimenter_of(id);
    unsigned len = bytes * (masked ? 2 : 1) + (experimenter ? 4 : 0);
    buf_u16(out, (uint16_t)(id >> 16));
    buf_u8(out, (uint8_t)((id & 0x7f) << 1 | masked));
    buf_u8(out, (uint8_t)len);
    if (experimenter)
        buf_u32(out, experimenter);
}

unsigned oxm_header_put(enum field_id f, bool nxm, bool masked, struct buf *out)
{
    uint64_t id = nxm ? fields[f].nxm : fields[f].oxm;
    unsigned bytes = wire_bytes(f, id == NXM0(0));
    oxm_header_encode(id, bytes, masked, out);
    return bytes;
}

/* 1.0 has Nicira's numbers only, but for fields that lack one. */
static uint64_t preferred(enum field_id f, uint8_t version)
{
    bool nxm = !fields[f].oxm || (version == OFP10 && fields[f].nxm);
    return nxm ? fields[f].nxm : fields[f].oxm;
}

uint32_t oxm_header(enum field_id f, bool masked)
{
    uint64_t id = preferred(f, OFP13);
    unsigned len = wire_bytes(f, false) * (masked ? 2 : 1) + (experimenter_of(id) ? 4 : 0);
    return (uint32_t)(id >> 16 & 0xffff) << 16 | (uint32_t)(id & 0x7f) << 9 | (uint32_t)masked << 8 | len;
}

/* --- one TLV --- */

static bool is_ones(enum field_id f, const union field_value *mask)
{
    union field_value ones;
    field_all_ones(f, &ones);
    return !memcmp(mask, &ones, sizeof ones);
}

/* The bits that a value of this field may have. nw_tos is written with its ECN bits zero. */
static bool in_range(enum field_id f, const union field_value *v)
{
    union field_value ones;
    field_all_ones(f, &ones);
    return !(v->w[0] & ~ones.w[0]) && !(v->w[1] & ~ones.w[1]);
}

static void read_value(struct rd *r, unsigned bytes, union field_value *v)
{
    *v = (union field_value){{0}};
    rd_bytes(r, v->b + 16 - bytes, bytes);
}

static void narrow_to_wide(union field_value *v)
{
    uint64_t p = field_value_u64(v);
    field_value_set_u64(v, p >= 0xff00 ? p | 0xffff0000 : p);
}

enum ofp_error oxm_decode(uint8_t version UNUSED, struct rd *r, enum field_id *f, union field_value *value,
                          union field_value *mask, bool *masked)
{
    struct oxm_header h;
    if (!oxm_header_decode(r, &h))
        return r->err == WIRE_SHORT ? OFPERR_BMC_BAD_LEN : (enum ofp_error)r->err;
    struct rd payload = rd_sub(r, h.len);
    if (r->err)
        return OFPERR_BMC_BAD_LEN;
    if (h.field < 0)
        return OFPERR_BMC_BAD_FIELD;
    *f = (enum field_id)h.field;
    *masked = h.masked;
    if (h.len != h.bytes * (h.masked ? 2u : 1u))
        return OFPERR_BMC_BAD_LEN;
    read_value(&payload, h.bytes, value);
    field_all_ones(*f, mask);
    if (h.masked) {
        read_value(&payload, h.bytes, mask);
        if (h.narrow_port) { /* cannot be masked, so this is all ones or wrong */
            if (field_value_u64(mask) == 0xffff)
                field_all_ones(*f, mask);
        }
        /* nw_tos: whoever asks for all eight bits means the six. */
        if (*f == FIELD_IP_TOS && mask->b[15] == 0xff)
            field_all_ones(*f, mask);
    }
    if (h.narrow_port)
        narrow_to_wide(value);
    if (!in_range(*f, value))
        return OFPERR_BMC_BAD_VALUE;
    if (!in_range(*f, mask))
        return OFPERR_BMC_BAD_MASK;
    uint64_t port = field_value_u64(value);
    if (fields[*f].format == F_PORT && port > OFPP_MAX && port < OFPP_IN_PORT &&
        !(*f == FIELD_ACTSET_OUTPUT && port == OFPP_UNSET))
        return OFPERR_BMC_BAD_VALUE;
    return OFPERR_OK;
}

void oxm_encode(enum field_id f, const union field_value *value, const union field_value *mask, uint8_t version,
                struct buf *out)
{
    bool masked = mask && !is_ones(f, mask);
    union field_value tos;
    if (version == OFP10 && f == FIELD_IP_DSCP && !masked) { /* nw_tos is how NXM says it */
        field_value_set_u64(&tos, field_value_u64(value) << 2);
        value = &tos;
        f = FIELD_IP_TOS;
    }
    uint64_t id = preferred(f, version);
    unsigned bytes = wire_bytes(f, id == NXM0(0));
    oxm_header_encode(id, bytes, masked, out);
    buf_put(out, value->b + 16 - bytes, bytes);
    if (masked)
        buf_put(out, mask->b + 16 - bytes, bytes);
}

/* --- match --- */

/* OpenFlow 1.3.5, 7.2.3.7: a vlan_vid without OFPVID_PRESENT is OFPVID_NONE, no tag, and then has no VID. A value that
 * says both could never match. */
static bool vlan_makes_sense(enum field_id f, const union field_value *value, const union field_value *mask)
{
    uint64_t v = field_value_u64(value), m = field_value_u64(mask);
    return (f != FIELD_VLAN_VID && f != FIELD_VLAN_TCI) || !(m & VLAN_PRESENT) || (v & VLAN_PRESENT) || !(v & m);
}

enum ofp_error match_decode_field(uint8_t version, struct rd *r, struct match *m, bool seen[N_FIELDS])
{
    enum field_id f;
    union field_value value, mask, had_value, had_mask;
    bool masked;
    enum ofp_error e = oxm_decode(version, r, &f, &value, &mask, &masked);
    if (e)
        return e;
    /* 7.2.3.5: "When oxm_hasmask is 1 … An all-1-bits oxm_mask is equivalent to specifying 0 for oxm_hasmask", also for
     * fields that cannot be masked. */
    if (fields[f].mask == M_NONE && !is_ones(f, &mask))
        return OFPERR_BMC_BAD_MASK;
    for (int i = 0; i < 2; i++)
        if (value.w[i] & ~mask.w[i])
            return OFPERR_BMC_BAD_WILDCARDS;
    if (!vlan_makes_sense(f, &value, &mask))
        return OFPERR_BMC_BAD_VALUE;
    if (!match_prereq(m, f, NULL))
        return OFPERR_BMC_BAD_PREREQ;
    match_get(m, f, &had_value, &had_mask);
    if (seen[f] || had_mask.w[0] || had_mask.w[1])
        return OFPERR_BMC_DUP_FIELD; /* the same, or under another name (vlan_tci, xreg0) */
    seen[f] = true;
    oxm_unify_untagged(f, &value, &mask);
    match_set(m, f, &value, &mask);
    return OFPERR_OK;
}

enum ofp_error match_decode(uint8_t version, struct rd *r, struct match *m)
{
    if (version == OFP10)
        return match_decode_of10(r, m);
    memset(m, 0, sizeof *m);
    uint16_t type = rd_u16(r), len = rd_u16(r);
    if (r->err)
        return OFPERR_BMC_BAD_LEN;
    if (type != OFPMT_OXM)
        return OFPERR_BMC_BAD_TYPE;
    if (len < 4 || rd_left(r) < ROUND_UP(len, 8) - 4u)
        return OFPERR_BMC_BAD_LEN;
    struct rd body = rd_sub(r, len - 4u);
    rd_skip(r, ROUND_UP(len, 8) - (size_t)len);
    bool seen[N_FIELDS] = {false};
    while (rd_left(&body)) {
        enum ofp_error e = match_decode_field(version, &body, m, seen);
        if (e)
            return e;
    }
    return OFPERR_OK;
}

struct target {
    uint8_t version;
    struct buf *out;
};

static void encode_field(enum field_id f, const union field_value *value, const union field_value *mask, void *target)
{
    const struct target *t = target;
    oxm_encode(f, value, mask, t->version, t->out);
}

/* Row order of field.def puts prerequisites first. */
void match_encode(const struct match *m, uint8_t version, struct buf *out)
{
    if (version == OFP10) {
        match_encode_of10(m, out);
        return;
    }
    size_t at = out->len;
    buf_u16(out, OFPMT_OXM);
    buf_u16(out, 0);
    match_for_each(m, encode_field, &(struct target){version, out});
    buf_set_u16(out, at + 2, (uint16_t)(out->len - at));
    buf_align(out, at, 8);
}
