#include "openflow/match-text.h"
#include "base/mem.h"
#include "openflow/act-shape.h"
#include "openflow/oxm.h"
#include "packet/ip.h"

/* --- words --- */

/* ovs-fields(7): a word for an Ethernet type and perhaps an IP protocol. Printed where `print` is set. */
/* clang-format off */
static const struct shorthand {
    const char *name;
    uint16_t type;
    int16_t proto;
    bool print;
} shorthands[] = {
    {"eth", 0, -1, false},
    {"ip", ETYPE_IPV4, -1, true},
    {"ipv6", ETYPE_IPV6, -1, true},
    {"arp", ETYPE_ARP, -1, true},
    {"rarp", ETYPE_RARP, -1, true},
    {"mpls", ETYPE_MPLS, -1, true},
    {"mplsm", ETYPE_MPLS_MC, -1, true},
    {"icmp", ETYPE_IPV4, IPPROTO_ICMP, true},
    {"icmp6", ETYPE_IPV6, IPPROTO_ICMPV6, true},
    {"tcp", ETYPE_IPV4, IPPROTO_TCP, true},
    {"tcp6", ETYPE_IPV6, IPPROTO_TCP, true},
    {"udp", ETYPE_IPV4, IPPROTO_UDP, true},
    {"udp6", ETYPE_IPV6, IPPROTO_UDP, true},
    {"sctp", ETYPE_IPV4, IPPROTO_SCTP, true},
    {"sctp6", ETYPE_IPV6, IPPROTO_SCTP, true},
    {"gre", ETYPE_IPV4, IPPROTO_GRE, false}, /* ours; others read nw_proto=47 */
    {"gre6", ETYPE_IPV6, IPPROTO_GRE, false},
};
/* clang-format on */

/* Names of OpenFlow 1.0 that are no field's name or alias. Which field they mean, resolve() knows. */
/* clang-format off */
static const struct {
    const char *name;
    enum field_id field;
} old_names[] = {
    {"dl_vlan", FIELD_VLAN_VID}, {"tp_src", FIELD_TCP_SRC}, {"tp_dst", FIELD_TCP_DST}, {"icmp6_type", FIELD_ICMPV6_TYPE},
    {"icmp6_code", FIELD_ICMPV6_CODE},
};
/* clang-format on */

size_t match_words_names(const char *names[], size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_SIZE(old_names) && count < n; i++)
        names[count++] = old_names[i].name;
    for (size_t i = 0; i < ARRAY_SIZE(shorthands) && count < n; i++)
        names[count++] = shorthands[i].name;
    return count;
}

void match_words_free(struct match_words *mw)
{
    free(mw->words);
    *mw = MATCH_WORDS_INIT;
}

static void put_word(struct match_words *mw, const struct match_word *w)
{
    if (mw->n == mw->size) {
        mw->size = mw->size ? 2 * mw->size : 16;
        mw->words = xrealloc(mw->words, mw->size * sizeof *mw->words);
    }
    mw->words[mw->n++] = *w;
}

static bool find_field(const struct text *t, struct word name, enum field_id *f)
{
    for (size_t i = 0; i < ARRAY_SIZE(old_names); i++)
        if (text_is(t, name, old_names[i].name)) {
            *f = old_names[i].field;
            return true;
        }
    return subfield_field_by_name(t, name, f);
}

bool match_words_add(struct match_words *mw, const struct text *t, const struct item *item)
{
    struct match_word w = {.item = *item, .field = -1, .meaning = -1};
    enum field_id f;
    const char *open = memchr(t->s + item->key.at, '[', item->key.len);
    for (size_t i = 0; i < ARRAY_SIZE(shorthands); i++) {
        if (!text_is(t, item->key, shorthands[i].name))
            continue;
        if (item->delim)
            return text_fail(t, item->all, "%s takes no value", shorthands[i].name);
        w.shorthand = (uint8_t)i;
        put_word(mw, &w);
        return true;
    }
    struct word name = {item->key.at, open ? (size_t)(open - t->s) - item->key.at : item->key.len};
    if (!find_field(t, name, &f))
        return false;
    if (item->delim != '=' && item->delim != ':')
        return text_fail(t, item->all, "%.*s needs a value: %.*s=...", (int)name.len, t->s + name.at, (int)name.len,
                         t->s + name.at);
    w.field = (int)f;
    w.n_bits = fields[f].bits;
    if (open) {
        struct subfield part;
        if (!subfield_parse(t, item->key, &part))
            return false;
        w.ofs = part.ofs;
        w.n_bits = part.n_bits;
    }
    put_word(mw, &w);
    return true;
}

/* --- words to a match --- */

struct finish {
    struct match_words *mw;
    const struct text *t;
    struct match *m;
};

static bool has_type(const struct match *m, uint16_t type)
{
    return m->mask.eth.type == 0xffff && m->value.eth.type == htons(type);
}

static bool has_proto(const struct match *m, uint8_t proto)
{
    return m->mask.ip.proto == 0xff && m->value.ip.proto == proto;
}

/* What a word means depends on the protocol: nw_src in ARP is the sender's address, tp_dst in UDP is udp_dst. */
static enum field_id resolve(const struct match *m, enum field_id f)
{
    bool arp = has_type(m, ETYPE_ARP) || has_type(m, ETYPE_RARP), icmp6 = has_type(m, ETYPE_IPV6);
    switch (f) {
    case FIELD_IPV4_SRC:
        return arp ? FIELD_ARP_SPA : f;
    case FIELD_IPV4_DST:
        return arp ? FIELD_ARP_TPA : f;
    case FIELD_IP_PROTO:
        return arp ? FIELD_ARP_OP : f;
    case FIELD_ICMPV4_TYPE:
        return icmp6 ? FIELD_ICMPV6_TYPE : f;
    case FIELD_ICMPV4_CODE:
        return icmp6 ? FIELD_ICMPV6_CODE : f;
    default:
        return f;
    }
}

static enum field_id resolve_transport(const struct match *m, bool src)
{
    if (has_proto(m, IPPROTO_UDP))
        return src ? FIELD_UDP_SRC : FIELD_UDP_DST;
    if (has_proto(m, IPPROTO_SCTP))
        return src ? FIELD_SCTP_SRC : FIELD_SCTP_DST;
    if (has_proto(m, IPPROTO_ICMP))
        return src ? FIELD_ICMPV4_TYPE : FIELD_ICMPV4_CODE;
    if (has_proto(m, IPPROTO_ICMPV6))
        return src ? FIELD_ICMPV6_TYPE : FIELD_ICMPV6_CODE;
    return src ? FIELD_TCP_SRC : FIELD_TCP_DST;
}

static enum field_id meaning(const struct finish *s, const struct match_word *w)
{
    if (text_is(s->t, w->item.key, "tp_src") || text_is(s->t, w->item.key, "tp_dst"))
        return resolve_transport(s->m, w->field == FIELD_TCP_SRC);
    return resolve(s->m, (enum field_id)w->field);
}

static bool share_bits(enum field_id a, enum field_id b)
{
    const struct field *f = &fields[a], *g = &fields[b];
    if (f->ofs + f->size <= g->ofs || g->ofs + g->size <= f->ofs)
        return false;
    return f->size != g->size || (f->shift < g->shift + g->bits && g->shift < f->shift + f->bits);
}

static bool word_is_about(const struct finish *s, size_t i, enum field_id f)
{
    const struct match_word *w = &s->mw->words[i];
    if (w->field < 0)
        return (f == FIELD_ETH_TYPE && shorthands[w->shorthand].type) ||
               (f == FIELD_IP_PROTO && shorthands[w->shorthand].proto >= 0);
    return share_bits((enum field_id)s->mw->words[i].meaning, f);
}

/* Word i says something about bits of f that another word has said already. The later one of the two is to blame. */
static bool fail_twice(const struct finish *s, size_t i, enum field_id f)
{
    size_t other = i;
    for (size_t j = 0; j < s->mw->n; j++)
        if (j != i && s->mw->words[j].done && word_is_about(s, j, f))
            other = j;
    struct word a = s->mw->words[MIN(i, other)].item.key, b = s->mw->words[MAX(i, other)].item.key;
    if (s->mw->words[i].field < 0 || s->mw->words[other].field < 0)
        return text_fail(s->t, b, "'%.*s' contradicts '%.*s'", (int)b.len, s->t->s + b.at, (int)a.len, s->t->s + a.at);
    if (a.len == b.len && !memcmp(s->t->s + a.at, s->t->s + b.at, a.len))
        return text_fail(s->t, b, "'%.*s' is given twice", (int)b.len, s->t->s + b.at);
    return text_fail(s->t, b, "'%.*s' and '%.*s' are about the same bits: write one of them", (int)b.len,
                     s->t->s + b.at, (int)a.len, s->t->s + a.at);
}

/* Does another field's word say something about these bits already? A shorthand may say it too: "ip,dl_type=0x0800". */
static bool is_said(const struct finish *s, size_t i, enum field_id f)
{
    for (size_t j = 0; j < s->mw->n; j++)
        if (j != i && s->mw->words[j].done && s->mw->words[j].field >= 0 && share_bits((enum field_id)s->mw->words[j].meaning, f))
            return true;
    return false;
}

/* Adds a condition. `may_repeat`: the same may have been said, but not the contrary. */
static bool put(const struct finish *s, size_t i, enum field_id f, const union field_value *value,
                const union field_value *mask, bool may_repeat)
{
    union field_value v, m;
    bool overlap = false, differ = false;
    match_get(s->m, f, &v, &m);
    for (int k = 0; k < 2; k++) {
        be64 both = m.w[k] & mask->w[k];
        overlap |= both != 0;
        differ |= ((v.w[k] ^ value->w[k]) & both) != 0;
        v.w[k] |= value->w[k] & mask->w[k];
        m.w[k] |= mask->w[k];
    }
    if (overlap && (differ || !may_repeat))
        return fail_twice(s, i, f);
    match_set(s->m, f, &v, &m);
    return true;
}

static bool put_number(const struct finish *s, size_t i, enum field_id f, uint64_t n, bool may_repeat)
{
    union field_value value, ones;
    field_value_set_u64(&value, n);
    field_all_ones(f, &ones);
    return put(s, i, f, &value, &ones, may_repeat);
}

static bool finish_shorthand(const struct finish *s, size_t i)
{
    const struct shorthand *sh = &shorthands[s->mw->words[i].shorthand];
    return (!sh->type || put_number(s, i, FIELD_ETH_TYPE, sh->type, true)) &&
           (sh->proto < 0 || put_number(s, i, FIELD_IP_PROTO, (uint64_t)sh->proto, true));
}

/* OpenFlow 1.0, 5.2.3: dl_vlan is the VID alone, and 0xffff says that there is no tag. */
static bool finish_dl_vlan(const struct finish *s, size_t i, const struct item *item)
{
    uint64_t vid;
    if (!text_number(s->t, item->value, "dl_vlan", 0xffff, &vid))
        return false;
    if (vid > VLAN_VID_MASK && vid != 0xffff)
        return text_fail(s->t, item->value, "VLAN ids go to 4095; 0xffff says that there is no tag");
    return put_number(s, i, FIELD_VLAN_VID, vid == 0xffff ? 0 : vid | VLAN_PRESENT, false);
}

static bool finish_part(const struct finish *s, size_t i, enum field_id f)
{
    const struct match_word *w = &s->mw->words[i];
    struct subfield part = {.field = (uint16_t)f, .ofs = w->ofs, .n_bits = w->n_bits};
    union field_value value = {{0}}, mask = {{0}};
    uint64_t n, max = w->n_bits < 64 ? (UINT64_C(1) << w->n_bits) - 1 : UINT64_MAX;
    if (fields[f].mask == M_NONE)
        return text_fail(s->t, w->item.key, "%s cannot be matched in part", fields[f].name);
    if (!text_number(s->t, w->item.value, "the value", max, &n))
        return false;
    subfield_set(&part, &value, &mask, n);
    return put(s, i, f, &value, &mask, false);
}

static bool finish_word(const struct finish *s, size_t i)
{
    const struct match_word *w = &s->mw->words[i];
    union field_value value, mask;
    s->mw->words[i].done = true;
    if (w->field < 0)
        return finish_shorthand(s, i);
    enum field_id f = meaning(s, w);
    s->mw->words[i].meaning = (int)f;
    if (text_is(s->t, w->item.key, "dl_vlan"))
        return finish_dl_vlan(s, i, &w->item);
    if (w->n_bits != fields[w->field].bits)
        return finish_part(s, i, f);
    if (!text_field_value(s->t, f, w->item.value, true, &value, &mask))
        return false;
    oxm_unify_untagged(f, &value, &mask);
    return put(s, i, f, &value, &mask, !is_said(s, i, f));
}

/* --- prerequisites --- */

/* clang-format off */
static const char *const wants[N_PREREQS] = {
    [P_IN_PORT] = "in_port",
    [P_VLAN] = "a VLAN tag",
    [P_MPLS] = "eth_type=0x8847",
    [P_IP] = "eth_type=0x0800 or 0x86dd",
    [P_IPV4] = "eth_type=0x0800",
    [P_IPV6] = "eth_type=0x86dd",
    [P_ARP] = "eth_type=0x0806",
    [P_TCP] = "nw_proto=6",
    [P_UDP] = "nw_proto=17",
    [P_SCTP] = "nw_proto=132",
    [P_ICMPV4] = "nw_proto=1",
    [P_ICMPV6] = "nw_proto=58",
    [P_ND] = "icmp_type=135 or 136",
    [P_ND_SOLICIT] = "icmp_type=135",
    [P_ND_ADVERT] = "icmp_type=136",
    [P_GRE] = "nw_proto=47",
    [P_PBB] = "eth_type=0x88e7",
};
/* clang-format on */

static bool check_word(const struct finish *s, size_t i)
{
    const struct item *item = &s->mw->words[i].item;
    int f = s->mw->words[i].meaning;
    const char *need = NULL;
    if (f < 0 || match_prereq(s->m, (enum field_id)f, &need))
        return true;
    const char *all = s->t->s + item->all.at;
    if (fields[f].prereq == P_IN_PORT)
        return text_fail(s->t, item->key, "needs in_port beside it");
    if (has_type(s->m, ETYPE_IPV6) && (f == FIELD_IPV4_SRC || f == FIELD_IPV4_DST))
        return text_fail(s->t, item->key, "%.*s is of IPv4, and this flow matches IPv6: write %s", (int)item->key.len,
                         s->t->s + item->key.at, f == FIELD_IPV4_SRC ? "ipv6_src" : "ipv6_dst");
    return text_fail(s->t, item->key, "needs %s: write '%s,%.*s'", wants[fields[f].prereq], need, (int)item->all.len,
                     all);
}

/* Without bit 0x1000 there is no tag, so no VID and no priority either: such a flow would wait for ever. */
static bool check_vlan(const struct finish *s, size_t i)
{
    const struct item *item = &s->mw->words[i].item;
    uint16_t tci = ntohs(s->m->value.eth.tci), mask = ntohs(s->m->mask.eth.tci);
    int f = s->mw->words[i].meaning;
    if (f == FIELD_VLAN_VID)
        tci &= VLAN_PRESENT | VLAN_VID_MASK;
    if ((f != FIELD_VLAN_VID && f != FIELD_VLAN_TCI) || !(mask & VLAN_PRESENT) || (tci & VLAN_PRESENT) || !tci)
        return true;
    return text_fail(s->t, item->value, "matches no packet: bit 0x1000 says that there is a tag; write dl_vlan=%u",
                     tci & VLAN_VID_MASK);
}

/* 0: what other words' meaning depends on first, 1: nw_proto, 2: the rest. */
static unsigned rank(const struct match_word *w)
{
    return w->field < 0 || w->field == FIELD_ETH_TYPE ? 0 : w->field == FIELD_IP_PROTO ? 1 : 2;
}

static bool finish_all(const struct finish *s)
{
    for (unsigned r = 0; r < 3; r++)
        for (size_t i = 0; i < s->mw->n; i++)
            if (rank(&s->mw->words[i]) == r && !finish_word(s, i))
                return false;
    for (size_t i = 0; i < s->mw->n; i++) {
        /* A priority alone means a tag of any VID, as ovs-fields(7) has it. */
        if (s->mw->words[i].meaning == FIELD_VLAN_PCP && !match_has(s->m, FIELD_VLAN_VID)) {
            s->m->value.eth.tci |= htons(VLAN_PRESENT);
            s->m->mask.eth.tci |= htons(VLAN_PRESENT);
        }
        if (!check_word(s, i) || !check_vlan(s, i))
            return false;
    }
    return true;
}

bool match_words_finish(struct match_words *mw, const struct text *t, struct match *m)
{
    struct finish s = {mw, t, m};
    return finish_all(&s);
}

/* --- printing --- */

/* The order and the names that ovs-ofctl prints; fields that are not here follow in row order under their own names. */
/* clang-format off */
static const struct {
    enum field_id field;
    const char *name;
} order[] = {
    {FIELD_PKT_MARK, "pkt_mark"}, {FIELD_CONJ_ID, "conj_id"}, {FIELD_ACTSET_OUTPUT, "actset_output"},
#define REG(N) {FIELD_REG##N, "reg" #N}
    REG(0), REG(1), REG(2), REG(3), REG(4), REG(5), REG(6), REG(7),
    REG(8), REG(9), REG(10), REG(11), REG(12), REG(13), REG(14), REG(15),
#undef REG
    {FIELD_TUN_ID, "tun_id"}, {FIELD_TUN_SRC, "tun_src"}, {FIELD_TUN_DST, "tun_dst"}, {FIELD_TUN_FLAGS, "tun_flags"},
    {FIELD_METADATA, "metadata"},
    {FIELD_IN_PORT, "in_port"}, {FIELD_IN_PHY_PORT, "in_phy_port"},
    {FIELD_VLAN_TCI, NULL}, /* and vlan_vid and vlan_pcp: print_vlan() */
    {FIELD_ETH_SRC, "dl_src"}, {FIELD_ETH_DST, "dl_dst"}, {FIELD_ETH_TYPE, "dl_type"},
    {FIELD_IPV6_SRC, "ipv6_src"}, {FIELD_IPV6_DST, "ipv6_dst"}, {FIELD_IPV6_FLABEL, "ipv6_label"},
    {FIELD_ARP_SPA, "arp_spa"}, {FIELD_ARP_TPA, "arp_tpa"}, {FIELD_IPV4_SRC, "nw_src"}, {FIELD_IPV4_DST, "nw_dst"},
    {FIELD_IP_PROTO, "nw_proto"}, {FIELD_ARP_OP, "arp_op"}, {FIELD_ARP_SHA, "arp_sha"}, {FIELD_ARP_THA, "arp_tha"},
    {FIELD_IP_DSCP, "nw_tos"}, {FIELD_IP_ECN, "nw_ecn"}, {FIELD_IP_TTL, "nw_ttl"},
    {FIELD_MPLS_LABEL, "mpls_label"}, {FIELD_MPLS_TC, "mpls_tc"}, {FIELD_MPLS_TTL, "mpls_ttl"}, {FIELD_MPLS_BOS, "mpls_bos"},
    {FIELD_IP_FRAG, "nw_frag"},
    {FIELD_ICMPV4_TYPE, "icmp_type"}, {FIELD_ICMPV4_CODE, "icmp_code"},
    {FIELD_ICMPV6_TYPE, "icmp_type"}, {FIELD_ICMPV6_CODE, "icmp_code"},
    {FIELD_TCP_SRC, "tp_src"}, {FIELD_UDP_SRC, "tp_src"}, {FIELD_SCTP_SRC, "tp_src"},
    {FIELD_TCP_DST, "tp_dst"}, {FIELD_UDP_DST, "tp_dst"}, {FIELD_SCTP_DST, "tp_dst"},
    {FIELD_TCP_FLAGS, "tcp_flags"},
};
/* clang-format on */

struct print {
    const struct match *m;
    const struct port_names *names;
    struct buf *out;
    bool has[N_FIELDS];
};

static void note_field(enum field_id f, const union field_value *value UNUSED, const union field_value *mask UNUSED,
                       void *aux)
{
    ((struct print *)aux)->has[f] = true;
}

static void print_field(struct print *p, enum field_id f, const char *name)
{
    union field_value value, mask;
    if (!p->has[f])
        return;
    p->has[f] = false;
    match_get(p->m, f, &value, &mask);
    buf_puts(p->out, name);
    buf_puts(p->out, "=");
    if (f == FIELD_IP_DSCP)
        buf_dec(p->out, value.b[15] << 2);
    else
        text_put_field_value(f, &value, &mask, p->names, p->out);
    buf_puts(p->out, ",");
}

/* The most telling word for type and protocol; what it says is not printed again. */
static void print_shorthand(struct print *p)
{
    const struct shorthand *best = NULL;
    if (!p->has[FIELD_ETH_TYPE])
        return;
    for (const struct shorthand *sh = shorthands; sh < shorthands + ARRAY_SIZE(shorthands); sh++)
        if (sh->print && has_type(p->m, sh->type) && (sh->proto < 0 || has_proto(p->m, (uint8_t)sh->proto)))
            best = sh; /* those with a protocol stand behind those without */
    if (!best)
        return;
    buf_puts(p->out, best->name);
    buf_puts(p->out, ",");
    p->has[FIELD_ETH_TYPE] = false;
    if (best->proto >= 0)
        p->has[FIELD_IP_PROTO] = false;
}

/* dl_vlan and dl_vlan_pcp where there is a tag and each is whole or absent; else the whole TCI under its mask. */
static void print_vlan(struct print *p)
{
    uint16_t tci = ntohs(p->m->value.eth.tci), mask = ntohs(p->m->mask.eth.tci);
    uint16_t vid = mask & VLAN_VID_MASK, pcp = mask >> VLAN_PCP_SHIFT;
    p->has[FIELD_VLAN_VID] = p->has[FIELD_VLAN_PCP] = p->has[FIELD_VLAN_TCI] = false;
    if (!mask)
        return;
    if ((tci & mask & VLAN_PRESENT) && (!vid || vid == VLAN_VID_MASK) && (!pcp || pcp == 7) && (vid || pcp)) {
        if (vid)
            buf_printf(p->out, "dl_vlan=%u,", tci & VLAN_VID_MASK);
        if (pcp)
            buf_printf(p->out, "dl_vlan_pcp=%u,", tci >> VLAN_PCP_SHIFT);
    } else if (mask == 0xffff) {
        buf_printf(p->out, "vlan_tci=0x%04x,", tci);
    } else {
        buf_printf(p->out, "vlan_tci=0x%04x/0x%04x,", tci, mask);
    }
}

void match_format(const struct match *m, const struct port_names *names, struct buf *out)
{
    struct print p = {.m = m, .names = names, .out = out};
    match_for_each(m, note_field, &p);
    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        if (order[i].field == FIELD_REG0)
            print_shorthand(&p);
        if (order[i].name)
            print_field(&p, order[i].field, order[i].name);
        else
            print_vlan(&p);
    }
    for (int f = 0; f < N_FIELDS; f++)
        print_field(&p, (enum field_id)f, fields[f].name);
    buf_chomp(out, ',');
}
