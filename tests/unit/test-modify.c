/* Header changes: after each, the packet parses to the changed key and every checksum is right. */
#include "packets.h"
#include "sums.h"
#include "packet/match.h"
#include "packet/modify.h"

struct world {
    uint8_t room[PACKET_HEADROOM + COMPOSE_ROOM];
    struct flow_key key;
    struct packet p;
};

static void random_world(uint64_t *rng, struct world *w)
{
    packets_random_key(rng, &w->key);
    packet_init(&w->p, w->room, sizeof w->room, PACKET_HEADROOM, 0);
    packet_compose(&w->key, &w->p);
}

/* Does the packet with this key have the field? From the key alone. */
static bool key_has(const struct flow_key *k, enum field_id f)
{
    struct match m = {.value = *k};
    bool later = k->ip.frag & FRAG_LATER;
    m.mask.eth.type = 0xffff;
    m.mask.eth.tci = 0xffff;
    m.mask.ip.proto = m.mask.l4.icmp_type = 0xff;
    static const uint8_t none[6];
    if (f == FIELD_ND_SLL && !memcmp(k->nd.sll, none, 6))
        return false; /* no option to write to */
    if (f == FIELD_ND_TLL && !memcmp(k->nd.tll, none, 6))
        return false;
    if (fields[f].prereq == P_ND || fields[f].prereq == P_ND_SOLICIT || fields[f].prereq == P_ND_ADVERT)
        if (k->l4.icmp_code)
            return false;
    if (f == FIELD_VLAN_VID)
        return k->eth.tci != 0;
    if ((f == FIELD_SCTP_SRC || f == FIELD_SCTP_DST) && k->ip.frag)
        return false;
    return match_prereq(&m, f, NULL) && !(fields[f].layer == L_L4 && later);
}

static void same_key(const struct flow_key *a, const struct flow_key *b, const char *what)
{
    for (size_t i = 0; i < sizeof *a; i++)
        if (((const uint8_t *)a)[i] != ((const uint8_t *)b)[i])
            ck_abort_msg("%s: byte %zu of the key", what, i);
}

/* Sets a random field and checks everything. */
static void set_and_check(uint64_t *rng, struct world *w, enum field_id f, bool no_udp)
{
    union field_value v, mask, old, want;
    uint8_t before[COMPOSE_ROOM];
    struct flow_key got;
    packets_field_value(rng, f, &v);
    field_all_ones(f, &mask);
    if (fields[f].mask == M_ANY && unit_below(rng, 2))
        packets_field_value(rng, f, &mask);
    if (f == FIELD_VLAN_TCI || fields[f].access == SF) /* these have their own tests */
        return;
    memcpy(before, w->p.data, w->p.len);
    bool ok = packet_set_field(&w->p, f, &v, &mask);
    ck_assert_msg(w->p.len <= COMPOSE_ROOM, "%s", fields[f].name);
    if (!ok)
        ck_assert_msg(!memcmp(before, w->p.data, w->p.len), "%s: refused and changed", fields[f].name);
    if (f == FIELD_ND_SLL || f == FIELD_ND_TLL) {
        if (!ok) /* after a change of type or code the other option may be there, or none */
            return;
    } else {
        bool has = fields[f].access == RW && fields[f].layer != L_META && key_has(&w->key, f);
        bool crc_unchanged = ok && (f == FIELD_SCTP_SRC || f == FIELD_SCTP_DST) && w->key.ip.frag &&
                             !memcmp(before, w->p.data, w->p.len);
        ck_assert_msg(ok == has || crc_unchanged, "%s: %s", fields[f].name, ok ? "taken" : "refused");
    }
    const char *wrong = sums_wrong(&w->p, no_udp);
    ck_assert_msg(!wrong, "after %s: %s", fields[f].name, wrong);
    if (!ok)
        return;
    field_get(f, &w->key, &old);
    for (int i = 0; i < 2; i++)
        want.w[i] = (old.w[i] & ~mask.w[i]) | (v.w[i] & mask.w[i]);
    if (f == FIELD_VLAN_VID)
        want.b[14] |= 0x10; /* the tag stays */
    field_set(f, &w->key, &want);
    key_parse(&w->p, ntohl(w->key.meta.in_port), L_L4, &got);
    if (f == FIELD_ICMPV6_TYPE || f == FIELD_ICMPV6_CODE) {
        w->key.nd = got.nd; /* another message: other fields appear */
    }
    same_key(&w->key, &got, fields[f].name);
}

START_TEST(fields_are_set_and_checksums_follow)
{
    uint64_t rng = unit_seed();
    for (int round = 0; round < 1000; round++) {
        struct world w;
        random_world(&rng, &w);
        ck_assert_ptr_null(sums_wrong(&w.p, false));
        for (int n = 0; n < 30; n++)
            set_and_check(&rng, &w, unit_below(&rng, N_FIELDS), false);
    }
}
END_TEST

START_TEST(no_udp_checksum_stays_none)
{
    uint64_t rng = unit_seed();
    int n = 0;
    for (int round = 0; round < 5000; round++) {
        struct world w;
        struct sums_l4 s;
        random_world(&rng, &w);
        if (w.key.ip.proto != 17 || !sums_find(w.p.data, w.p.len, &s))
            continue;
        poke16(s.l4 + 6, 0);
        for (int i = 0; i < 10; i++)
            set_and_check(&rng, &w, unit_below(&rng, N_FIELDS), true);
        n++;
    }
    ck_assert_int_gt(n, 100);
}
END_TEST

START_TEST(partial_sums_stay_partial)
{
    uint64_t rng = unit_seed();
    int n = 0;
    for (int round = 0; round < 5000; round++) {
        struct world w;
        random_world(&rng, &w);
        if (!sums_make_partial(&w.p))
            continue;
        for (int i = 0; i < 10; i++) {
            enum field_id f = unit_below(&rng, N_FIELDS);
            union field_value v, mask;
            packets_field_value(&rng, f, &v);
            packets_field_value(&rng, f, &mask);
            if (fields[f].access == SF)
                continue;
            packet_set_field(&w.p, f, &v, &mask);
            ck_assert_uint_eq(w.p.csum, CSUM_PARTIAL);
        }
        packet_finish_csum(&w.p);
        const char *wrong = sums_wrong(&w.p, false);
        ck_assert_msg(!wrong, "%s", wrong);
        n++;
    }
    ck_assert_int_gt(n, 100);
}
END_TEST

START_TEST(wrong_checksums_stay_wrong)
{
    uint64_t rng = unit_seed();
    int n = 0;
    for (int round = 0; round < 5000; round++) {
        struct world w;
        struct sums_l4 s;
        random_world(&rng, &w);
        if (!sums_find(w.p.data, w.p.len, &s) || (s.proto != 6 && s.proto != 132))
            continue;
        s.l4[s.proto == 6 ? 17 : 11] ^= 1;
        enum field_id f = s.proto == 6 ? FIELD_TCP_SRC : FIELD_SCTP_DST;
        union field_value v, mask;
        packets_field_value(&rng, f, &v);
        field_all_ones(f, &mask);
        packet_set_field(&w.p, f, &v, &mask);
        ck_assert(sums_wrong(&w.p, false) != NULL);
        n++;
    }
    ck_assert_int_gt(n, 100);
}
END_TEST

START_TEST(tags_are_pushed_and_popped)
{
    uint64_t rng = unit_seed();
    for (int round = 0; round < 1500; round++) {
        struct world w;
        struct flow_key got;
        uint8_t before[COMPOSE_ROOM];
        random_world(&rng, &w);
        key_parse(&w.p, ntohl(w.key.meta.in_port), L_L4, &got);
        struct packet old = w.p;
        memcpy(before, w.p.data, w.p.len);
        be16 tpid = htons(unit_below(&rng, 2) ? ETYPE_VLAN : ETYPE_SVLAN), tci = htons(unit_random(&rng) & 0xefff);
        ck_assert(packet_push_vlan(&w.p, tpid, tci));
        ck_assert_uint_eq(w.p.len, old.len + 4);
        key_parse(&w.p, ntohl(w.key.meta.in_port), L_L4, &got);
        ck_assert_uint_eq(got.eth.tci, tci | htons(VLAN_PRESENT));
        ck_assert_uint_eq(got.eth.tpid, tpid);
        ck_assert_uint_eq(got.eth.tci2, w.key.eth.tci);
        if (!w.key.eth.tci2)
            ck_assert_uint_eq(got.eth.type, w.key.eth.type);
        ck_assert(packet_pop_vlan(&w.p));
        ck_assert_uint_eq(w.p.len, old.len);
        ck_assert(!memcmp(before, w.p.data, old.len));
        ck_assert_uint_eq(w.p.l3, old.l3);
        ck_assert_uint_eq(w.p.l25, old.l25);
        if (!w.key.eth.tci2) /* with three tags the parser does not see IP */
            ck_assert_uint_eq(w.p.l4, old.l4);
        for (int tags = !!w.key.eth.tci + !!w.key.eth.tci2; tags; tags--) {
            struct packet true_offsets;
            ck_assert(packet_pop_vlan(&w.p));
            true_offsets = w.p;
            key_parse(&true_offsets, 1, L_L4, &got);
            ck_assert_uint_eq(w.p.l3, true_offsets.l3);
            ck_assert_uint_eq(w.p.l25, true_offsets.l25);
        }
        ck_assert(!packet_pop_vlan(&w.p));
    }
}
END_TEST

static void offsets_are_true(const struct packet *p)
{
    struct packet parsed = *p;
    struct flow_key key;
    key_parse(&parsed, 1, L_L4, &key);
    ck_assert_uint_eq(p->l25, parsed.l25);
    ck_assert_uint_eq(p->l3, parsed.l3);
    ck_assert_uint_eq(p->l4, parsed.l4);
}

/* Whatever is pushed is in front, and its pop gives back what was there, byte for byte. */
START_TEST(labels_and_service_tags_are_pushed_and_popped)
{
    uint64_t rng = unit_seed();
    for (int round = 0; round < 1500; round++) {
        struct world w;
        struct flow_key got;
        uint8_t before[COMPOSE_ROOM];
        random_world(&rng, &w);
        memcpy(before, w.p.data, w.p.len);
        uint32_t len = w.p.len, number = (uint32_t)unit_random(&rng);
        uint16_t type = peek16(w.p.data + 12);
        bool tagged = w.key.eth.tci != 0;
        be16 mpls = htons(unit_below(&rng, 2) ? ETYPE_MPLS : ETYPE_MPLS_MC);
        ck_assert(packet_push_mpls(&w.p, mpls, htonl(number)));
        key_parse(&w.p, 1, L_L4, &got);
        ck_assert_uint_eq(w.p.len, len + 4);
        ck_assert_uint_eq(got.eth.type, mpls);
        ck_assert_uint_eq(got.eth.n_tags, 0);
        ck_assert_uint_eq(ntohl(got.mpls.lse), number);
        ck_assert(!memcmp(w.p.data, before, 12) && !memcmp(w.p.data + 18, before + 14, len - 14));
        offsets_are_true(&w.p);
        ck_assert(packet_pop_mpls(&w.p, htons(type)));
        ck_assert_uint_eq(w.p.len, len);
        ck_assert(!memcmp(w.p.data, before, len));
        offsets_are_true(&w.p);

        ck_assert(packet_push_pbb(&w.p, htonl(number)));
        key_parse(&w.p, 1, L_L4, &got);
        ck_assert_uint_eq(w.p.len, len + 18);
        ck_assert_uint_eq(ntohs(got.eth.type), ETYPE_PBB);
        ck_assert_uint_eq(ntohl(got.mpls.pbb), number);
        ck_assert(!memcmp(w.p.data, before, 12) && !memcmp(w.p.data + 18, before, len));
        offsets_are_true(&w.p);
        ck_assert(packet_push_vlan(&w.p, htons(ETYPE_SVLAN), 0));
        ck_assert(!packet_pop_pbb(&w.p)); /* behind a tag */
        ck_assert(packet_pop_vlan(&w.p));
        ck_assert(packet_pop_pbb(&w.p));
        ck_assert(!memcmp(w.p.data, before, len));
        offsets_are_true(&w.p);
        ck_assert(tagged || w.key.eth.type == htons(ETYPE_PBB) || !packet_pop_pbb(&w.p));
    }
}
END_TEST

START_TEST(ttls_are_copied)
{
    uint64_t rng = unit_seed();
    for (int round = 0; round < 2000; round++) {
        struct world w;
        do
            random_world(&rng, &w);
        while (w.key.eth.tci || (w.key.eth.type != htons(ETYPE_IPV4) && w.key.eth.type != htons(ETYPE_IPV6)));
        bool v6 = w.key.eth.type == htons(ETYPE_IPV6), two = unit_below(&rng, 2);
        uint32_t outer = (uint32_t)unit_random(&rng), inner = (uint32_t)unit_random(&rng) | 0x100;
        struct flow_key got;
        outer = two ? outer & ~0x100u : outer | 0x100;
        ck_assert(!packet_copy_ttl_out(&w.p) && !packet_copy_ttl_in(&w.p));
        if (two)
            ck_assert(packet_push_mpls(&w.p, htons(ETYPE_MPLS), htonl(inner)));
        ck_assert(packet_push_mpls(&w.p, htons(ETYPE_MPLS), htonl(outer)));
        bool in = unit_below(&rng, 2);
        ck_assert(in ? packet_copy_ttl_in(&w.p) : packet_copy_ttl_out(&w.p));
        uint32_t below = two ? inner & 0xff : w.key.ip.ttl, ttl = in ? outer & 0xff : below;
        key_parse(&w.p, 1, L_L4, &got);
        ck_assert_uint_eq(ntohl(got.mpls.lse), (outer & ~0xffu) | ttl);
        ck_assert(packet_pop_mpls(&w.p, htons(two ? ETYPE_MPLS : v6 ? ETYPE_IPV6 : ETYPE_IPV4)));
        key_parse(&w.p, 1, L_L4, &got);
        if (two) {
            ck_assert_uint_eq(ntohl(got.mpls.lse), (inner & ~0xffu) | ttl);
            ck_assert(packet_pop_mpls(&w.p, w.key.eth.type));
        } else {
            w.key.ip.ttl = (uint8_t)ttl;
        }
        key_parse(&w.p, ntohl(w.key.meta.in_port), L_L4, &got);
        same_key(&w.key, &got, "below");
        ck_assert_ptr_null(sums_wrong(&w.p, false));
    }
}
END_TEST

/* After these everything is something else; the sums still cover what they did. */
START_TEST(what_says_what_follows_is_written)
{
    uint64_t rng = unit_seed();
    unsigned n[3] = {0};
    for (int round = 0; round < 3000; round++) {
        static const enum field_id kinds[] = {FIELD_ETH_TYPE, FIELD_IP_PROTO, FIELD_MPLS_BOS};
        struct world w;
        union field_value v, was, ones;
        uint8_t before[COMPOSE_ROOM];
        unsigned which = unit_below(&rng, 3);
        enum field_id f = kinds[which];
        random_world(&rng, &w);
        bool has = f == FIELD_ETH_TYPE ? w.key.eth.type != htons(ETYPE_LLC) : key_has(&w.key, f);
        memcpy(before, w.p.data, w.p.len);
        field_all_ones(f, &ones);
        field_get(f, &w.key, &was);
        packets_field_value(&rng, f, &v);
        if (f == FIELD_ETH_TYPE) /* no length, no tag: that would be another place to write the old one to */
            field_value_set_u64(&v, 0x0800 + unit_below(&rng, 0x800));
        if (f == FIELD_IP_PROTO && w.key.eth.type == htons(ETYPE_IPV6))
            field_value_set_u64(&v, 200 + unit_below(&rng, 50)); /* no extension header */
        ck_assert_int_eq(packet_set_field(&w.p, f, &v, &ones), has);
        n[which] += has;
        if (has && f == FIELD_IP_PROTO && w.key.eth.type == htons(ETYPE_IPV4)) {
            uint32_t l3 = w.p.l3;
            ck_assert_uint_eq(w.p.data[l3 + 9], v.b[15]);
            ck_assert_uint_eq(sums_fold(sums_add(w.p.data + l3, 20, 0)), 0xffff);
        }
        if (has)
            ck_assert(packet_set_field(&w.p, f, &was, &ones));
        if (f != FIELD_IP_PROTO) /* another transport may have its sum elsewhere */
            ck_assert(!memcmp(before, w.p.data, w.p.len));
        if (f == FIELD_ETH_TYPE)
            offsets_are_true(&w.p);
    }
    for (int i = 0; i < 3; i++)
        ck_assert_int_gt(n[i], 50);
}
END_TEST

START_TEST(what_a_pop_makes_short_is_padded)
{
    for (uint32_t len = 18; len < 80; len++) {
        uint8_t room[PACKET_HEADROOM + 128];
        struct packet p;
        memset(room, 0xaa, sizeof room);
        packet_init(&p, room, sizeof room, PACKET_HEADROOM, len);
        poke16(p.data + 12, ETYPE_VLAN);
        ck_assert(packet_pop_vlan(&p));
        ck_assert_int_eq(p.shrunk, len >= 60 && len < 64);
        if (p.shrunk) {
            packet_pad(&p);
            ck_assert_uint_eq(p.len, 60);
            for (uint32_t i = 0; i < 60; i++)
                ck_assert_uint_eq(p.data[i], i < len - 4 ? p.data[i] : 0);
        }
        ck_assert(!p.shrunk);
    }
}
END_TEST

START_TEST(vlan_tci_pushes_and_pops)
{
    uint64_t rng = unit_seed();
    for (int round = 0; round < 1500; round++) {
        struct world w;
        struct flow_key got;
        union field_value v, mask;
        random_world(&rng, &w);
        packets_field_value(&rng, FIELD_VLAN_TCI, &v);
        packets_field_value(&rng, FIELD_VLAN_TCI, &mask);
        if (w.key.eth.tci2)
            continue;
        uint16_t want = (ntohs(w.key.eth.tci) & ~field_value_u64(&mask)) | (field_value_u64(&v) & field_value_u64(&mask));
        ck_assert(packet_set_field(&w.p, FIELD_VLAN_TCI, &v, &mask));
        key_parse(&w.p, 1, L_L4, &got);
        ck_assert_uint_eq(ntohs(got.eth.tci), want & VLAN_PRESENT ? want : 0);
        ck_assert_uint_eq(got.eth.type, w.key.eth.type);
        ck_assert_ptr_null(sums_wrong(&w.p, false));
    }
}
END_TEST

START_TEST(no_room_changes_nothing)
{
    uint8_t room[64] = {0}, before[64];
    struct packet p;
    packet_init(&p, room, sizeof room, 3, 61);
    memcpy(before, room, sizeof room);
    ck_assert(!packet_push_vlan(&p, htons(ETYPE_VLAN), 0));
    ck_assert(!memcmp(before, room, sizeof room));
    packet_init(&p, room, sizeof room, 16, 13);
    ck_assert(!packet_push_vlan(&p, htons(ETYPE_VLAN), 0));
    ck_assert(!packet_pop_vlan(&p));
}
END_TEST

/* RFC 8200, 8.1: the checksum is over the final destination; this one is changed on the way. */
START_TEST(routed_destination_is_not_in_the_checksum)
{
    for (int left = 0; left < 2; left++) {
        uint8_t room[PACKET_HEADROOM + 128] = {0};
        struct packet p;
        struct flow_key key;
        packet_init(&p, room, sizeof room, PACKET_HEADROOM, 14 + 40 + 8 + 8);
        poke16(p.data + 12, ETYPE_IPV6);
        uint8_t *ip = p.data + 14, *udp = ip + 48;
        ip[0] = 0x60;
        ip[5] = 16;
        ip[6] = IPPROTO_ROUTING;
        ip[40] = IPPROTO_UDP;
        ip[43] = left;
        udp[5] = 8;
        poke16(udp + 6, 0x1234);
        key_parse(&p, 1, L_L4, &key);
        union field_value v, ones;
        memset(&v, 0x11, sizeof v);
        field_all_ones(FIELD_IPV6_DST, &ones);
        ck_assert(packet_set_field(&p, FIELD_IPV6_DST, &v, &ones));
        ck_assert_int_eq(peek16(udp + 6) == 0x1234, left);
        ck_assert(packet_set_field(&p, FIELD_IPV6_SRC, &v, &ones));
        ck_assert_uint_ne(peek16(udp + 6), 0x1234);
    }
}
END_TEST

START_TEST(any_bytes_do_no_harm)
{
    uint64_t rng = unit_seed();
    for (int round = 0; round < 5000; round++) {
        struct world w;
        random_world(&rng, &w);
        for (unsigned n = unit_below(&rng, 8); n; n--)
            w.p.data[unit_below(&rng, w.p.len)] = unit_random(&rng);
        uint32_t len = unit_below(&rng, w.p.len + 1);
        uint8_t *exact = malloc(8 + len);
        memcpy(exact + 8, w.p.data, len);
        packet_init(&w.p, exact, 8 + len, 8, len);
        key_parse(&w.p, 1, unit_below(&rng, N_LAYERS), &w.key);
        for (int n = 0; n < 5; n++) {
            enum field_id f = unit_below(&rng, N_FIELDS);
            union field_value v, mask;
            packets_field_value(&rng, f, &v);
            packets_field_value(&rng, f, &mask);
            packet_set_field(&w.p, f, &v, &mask);
        }
        packet_copy_ttl_out(&w.p);
        packet_copy_ttl_in(&w.p);
        packet_pop_mpls(&w.p, htons(unit_below(&rng, 2) ? ETYPE_IPV4 : ETYPE_MPLS));
        packet_pop_pbb(&w.p);
        packet_pop_vlan(&w.p);
        packet_pad(&w.p);
        packet_push_mpls(&w.p, htons(ETYPE_MPLS), 0);
        packet_push_pbb(&w.p, 0);
        free(exact);
    }
}
END_TEST

UNIT_TEST_MAIN("modify", fields_are_set_and_checksums_follow, no_udp_checksum_stays_none, partial_sums_stay_partial,
               wrong_checksums_stay_wrong, tags_are_pushed_and_popped, labels_and_service_tags_are_pushed_and_popped, ttls_are_copied,
               what_says_what_follows_is_written,
               what_a_pop_makes_short_is_padded, vlan_tci_pushes_and_pops, no_room_changes_nothing,
               routed_destination_is_not_in_the_checksum, any_bytes_do_no_harm)
