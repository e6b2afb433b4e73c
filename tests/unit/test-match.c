/* Matches: prerequisites row by row, what covers and overlaps, and the fields of a match. */
#include "packets.h"
#include "packet/match.h"

static void set(struct match *m, enum field_id f, const char *text)
{
    union field_value v, mask;
    struct diag d = DIAG_INIT;
    ck_assert_msg(field_parse(f, text, strlen(text), NULL, &v, &mask, &d), "%s=%s", fields[f].name, text);
    match_set(m, f, &v, &mask);
    diag_free(&d);
}

/* What a match must hold for each kind of prerequisite: OpenFlow 1.3.5, table 12. */
static void satisfy(struct match *m, enum field_prereq p, bool v6)
{
    static const char *const protos[N_PREREQS] = {[P_TCP] = "6", [P_UDP] = "17", [P_SCTP] = "132", [P_ICMPV4] = "1",
                                                  [P_ICMPV6] = "58", [P_ND] = "58", [P_ND_SOLICIT] = "58",
                                                  [P_ND_ADVERT] = "58", [P_GRE] = "47"};
    switch (p) {
    case P_NONE: return;
    case P_IN_PORT: set(m, FIELD_IN_PORT, "1"); return;
    case P_VLAN: set(m, FIELD_VLAN_VID, "0x1000/0x1000"); return;
    case P_MPLS: set(m, FIELD_ETH_TYPE, v6 ? "0x8848" : "0x8847"); return;
    case P_PBB: set(m, FIELD_ETH_TYPE, "0x88e7"); return;
    case P_ARP: set(m, FIELD_ETH_TYPE, v6 ? "0x8035" : "0x0806"); return;
    case P_IPV4: case P_ICMPV4: v6 = false; break;
    case P_IPV6: case P_ICMPV6: case P_ND: case P_ND_SOLICIT: case P_ND_ADVERT: v6 = true; break;
    default: break;
    }
    set(m, FIELD_ETH_TYPE, v6 ? "0x86dd" : "0x0800");
    if (protos[p])
        set(m, FIELD_IP_PROTO, protos[p]);
    if (p == P_ND || p == P_ND_SOLICIT)
        set(m, FIELD_ICMPV6_TYPE, "135");
    if (p == P_ND_ADVERT)
        set(m, FIELD_ICMPV6_TYPE, "136");
}

START_TEST(prerequisites_are_asked_for)
{
    for (enum field_id f = 0; f < N_FIELDS; f++)
        for (int v6 = 0; v6 < 2; v6++) {
            struct match m = {0}, half;
            const char *need = NULL;
            satisfy(&m, fields[f].prereq, v6);
            ck_assert_msg(match_prereq(&m, f, &need), "%s", fields[f].name);
            ck_assert_ptr_null(need);
            /* Without any one byte of it, not. */
            for (size_t i = 0; i < sizeof m.mask; i++) {
                half = m;
                uint8_t *mask = (uint8_t *)&half.mask + i, *value = (uint8_t *)&half.value + i;
                if (!*mask)
                    continue;
                *mask = *value = 0;
                need = NULL;
                ck_assert_msg(!match_prereq(&half, f, &need), "%s", fields[f].name);
                ck_assert_msg(need && *need, "%s", fields[f].name);
                half = m; /* or another value */
                *value ^= 0x10;
                if (fields[f].prereq != P_IN_PORT)
                    ck_assert_msg(!match_prereq(&half, f, &need), "%s", fields[f].name);
            }
        }
}
END_TEST

static const char *need_of(enum field_id f, const struct match *m)
{
    const char *need = "";
    match_prereq(m, f, &need);
    return need;
}

START_TEST(says_what_is_needed)
{
    struct match m = {0};
    ck_assert_str_eq(need_of(FIELD_IPV4_SRC, &m), "ip");
    ck_assert_str_eq(need_of(FIELD_TCP_SRC, &m), "tcp");
    ck_assert_str_eq(need_of(FIELD_VLAN_PCP, &m), "vlan_vid=0x1000/0x1000");
    ck_assert_str_eq(need_of(FIELD_ND_SLL, &m), "icmp6,icmp_type=135");
    ck_assert_str_eq(need_of(FIELD_GRE_KEY, &m), "ip,nw_proto=47");
    set(&m, FIELD_ETH_TYPE, "0x86dd");
    ck_assert_str_eq(need_of(FIELD_TCP_SRC, &m), "tcp6");
    ck_assert_str_eq(need_of(FIELD_ICMPV6_TYPE, &m), "icmp6");
    /* A tag that may be there is not one that is there. */
    struct match none = {0};
    set(&none, FIELD_VLAN_VID, "0/0x1000");
    ck_assert_str_eq(need_of(FIELD_VLAN_PCP, &none), "vlan_vid=0x1000/0x1000");
    struct match vid = {0};
    set(&vid, FIELD_VLAN_VID, "0x5/0xfff");
    ck_assert_str_eq(need_of(FIELD_VLAN_PCP, &vid), "vlan_vid=0x1000/0x1000");
}
END_TEST

/* --- Fields of a match --- */

struct listing {
    struct match rebuilt;
    struct flow_key seen;
    int last, n, ids[N_FIELDS];
};

static void list(enum field_id f, const union field_value *value, const union field_value *mask, void *aux)
{
    struct listing *l = aux;
    union field_value before;
    ck_assert_msg((int)f > l->last, "not in row order");
    field_get(f, &l->seen, &before);
    ck_assert_msg(!(before.w[0] & mask->w[0]) && !(before.w[1] & mask->w[1]), "%s: bits that were given before", fields[f].name);
    field_set(f, &l->seen, mask);
    l->last = f;
    l->ids[l->n++] = f;
    match_set(&l->rebuilt, f, value, mask);
}

static struct listing list_of(const struct match *m)
{
    struct listing l = {.last = -1};
    match_for_each(m, list, &l);
    return l;
}

START_TEST(each_field_is_found_where_its_prerequisite_holds)
{
    for (enum field_id f = 0; f < N_FIELDS; f++)
        for (int v6 = 0; v6 < 2; v6++) {
            struct match m = {0};
            union field_value ones;
            satisfy(&m, fields[f].prereq, v6);
            field_all_ones(f, &ones);
            if (f == FIELD_IP_PROTO || f == FIELD_ETH_TYPE)
                continue;
            match_set(&m, f, &ones, NULL);
            struct listing l = list_of(&m);
            ck_assert_msg(match_equal(&l.rebuilt, &m), "%s", fields[f].name);
            bool found = false;
            for (int i = 0; i < l.n; i++)
                found |= l.ids[i] == (int)f;
            bool by_another_name = (f >= FIELD_XREG0 && f <= FIELD_XXREG3) || f == FIELD_IP_TOS || f == FIELD_VLAN_TCI;
            ck_assert_msg(found == !by_another_name, "%s", fields[f].name);
        }
}
END_TEST

START_TEST(every_bit_of_a_match_is_in_one_field)
{
    uint64_t rng = unit_seed();
    for (int round = 0; round < 3000; round++) {
        struct match m = {0};
        union field_value v, mask;
        struct flow_key key;
        packets_random_key(&rng, &key);
        for (enum field_id f = 0; f < N_FIELDS; f++) {
            if (unit_below(&rng, 4))
                continue;
            field_get(f, &key, &v);
            field_all_ones(f, &mask);
            if (unit_below(&rng, 2))
                packets_field_value(&rng, f, &mask);
            match_set(&m, f, &v, &mask);
        }
        struct listing l = list_of(&m);
        ck_assert(match_equal(&l.rebuilt, &m));
        for (int i = 0; i < FLOW_KEY_WORDS; i++)
            if (key_words(&m.value)[i] & ~key_words(&m.mask)[i])
                ck_abort_msg("value beside the mask in word %d", i);
        /* The key itself hits what was made from it, unless a field was asked of a packet that has none. */
        bool lacks = m.mask.gre.key && !(key.gre.flags & htons(GRE_KEY_PRESENT));
        for (enum field_id f = 0; f < N_FIELDS; f++) {
            struct key_part part = field_part(f);
            lacks |= part.bit && match_has(&m, f) && !(((uint8_t *)&key)[part.at] & part.bit);
        }
        ck_assert_int_eq(match_hits(&m, &key) && !lacks, !lacks);
    }
}
END_TEST

static void lists(const struct match *m, int n, const int *ids)
{
    struct listing l = list_of(m);
    ck_assert_int_eq(l.n, n);
    for (int i = 0; i < n; i++)
        ck_assert_msg(l.ids[i] == ids[i], "%s, not %s", fields[l.ids[i]].name, fields[ids[i]].name);
}
#define LISTS(M, ...) lists(M, sizeof((int[]){__VA_ARGS__}) / sizeof(int), (int[]){__VA_ARGS__})

START_TEST(shared_bits_go_by_their_best_name)
{
    struct match m = {0};
    set(&m, FIELD_VLAN_TCI, "0x100a/0x1fff");
    LISTS(&m, FIELD_VLAN_VID);
    set(&m, FIELD_VLAN_PCP, "3");
    LISTS(&m, FIELD_VLAN_VID, FIELD_VLAN_PCP);
    m = (struct match){0};
    set(&m, FIELD_VLAN_TCI, "0xf000/0xf000");
    LISTS(&m, FIELD_VLAN_VID, FIELD_VLAN_PCP);
    m = (struct match){0};
    set(&m, FIELD_VLAN_TCI, "0xe000/0xe000");
    LISTS(&m, FIELD_VLAN_TCI);
    m = (struct match){0};
    set(&m, FIELD_VLAN_TCI, "0x1000/0x3000");
    LISTS(&m, FIELD_VLAN_TCI);
    m = (struct match){0};
    set(&m, FIELD_VLAN_TCI, "0");
    LISTS(&m, FIELD_VLAN_TCI); /* untagged and PCP 0: vlan_pcp may not be asked of what has no tag */
    m = (struct match){0};
    set(&m, FIELD_ETH_TYPE, "0x0800");
    set(&m, FIELD_IP_TOS, "32");
    LISTS(&m, FIELD_ETH_TYPE, FIELD_IP_DSCP);
    set(&m, FIELD_IP_ECN, "1");
    LISTS(&m, FIELD_ETH_TYPE, FIELD_IP_DSCP, FIELD_IP_ECN);
    m = (struct match){0};
    set(&m, FIELD_XREG1, "0x100000002");
    LISTS(&m, FIELD_REG2, FIELD_REG3);
    ck_assert_uint_eq(ntohl(m.value.reg[2]), 1);
    ck_assert_uint_eq(ntohl(m.value.reg[3]), 2);
    static const char *const types[] = {"0x0800", "0x86dd"}, *const protos[] = {"6", "17", "132"};
    static const int ports[] = {FIELD_TCP_DST, FIELD_UDP_DST, FIELD_SCTP_DST};
    for (int t = 0; t < 2; t++)
        for (int p = 0; p < 3; p++) {
            m = (struct match){0};
            set(&m, FIELD_ETH_TYPE, types[t]);
            set(&m, FIELD_IP_PROTO, protos[p]);
            set(&m, FIELD_SCTP_DST, "80");
            LISTS(&m, FIELD_ETH_TYPE, FIELD_IP_PROTO, ports[p]);
        }
}
END_TEST

START_TEST(gre_key_wants_a_key)
{
    struct match m = {0}, other = {0};
    struct flow_key with = {0}, without = {0};
    union field_value v = {{0}}, none = {{0}};
    with.gre.flags = htons(GRE_KEY_PRESENT);
    set(&m, FIELD_GRE_KEY, "0");
    ck_assert(match_hits(&m, &with));
    ck_assert(!match_hits(&m, &without));
    set(&other, FIELD_GRE_KEY, "0/0x1");
    ck_assert(!match_hits(&other, &without));
    ck_assert(match_covers(&other, &m));
    LISTS(&m, FIELD_GRE_KEY);
    /* and no longer when it is taken out */
    match_set(&m, FIELD_GRE_KEY, &v, &none);
    ck_assert(match_hits(&m, &without));
    ck_assert(match_equal(&m, &(struct match){0}));
}
END_TEST

/* covers and overlaps against trying the packets of a small world: three bits of one field, two of another. */
START_TEST(covers_and_overlaps_as_packets_do)
{
    uint64_t rng = unit_seed();
    for (int round = 0; round < 3000; round++) {
        struct match m[2] = {0};
        bool both = false, covered = true;
        for (int i = 0; i < 2; i++) {
            union field_value v, mask;
            field_value_set_u64(&v, unit_below(&rng, 8));
            field_value_set_u64(&mask, unit_below(&rng, 8));
            match_set(&m[i], FIELD_REG0, &v, &mask);
            field_value_set_u64(&v, unit_below(&rng, 4));
            field_value_set_u64(&mask, unit_below(&rng, 4));
            match_set(&m[i], FIELD_ETH_SRC, &v, &mask);
        }
        for (unsigned n = 0; n < 32; n++) {
            struct flow_key k = {0};
            k.reg[0] = htonl(n & 7);
            k.eth.src[5] = n >> 3;
            bool a = match_hits(&m[0], &k), b = match_hits(&m[1], &k);
            both |= a && b;
            covered &= a || !b;
        }
        ck_assert_int_eq(match_overlaps(&m[0], &m[1]), both);
        ck_assert_int_eq(match_covers(&m[0], &m[1]), covered);
    }
}
END_TEST

START_TEST(set_clears_what_is_not_asked)
{
    struct match m = {0};
    union field_value v, mask;
    set(&m, FIELD_IPV4_SRC, "10.1.2.3");
    field_value_set_u64(&v, 0x0a0b0c0d);
    field_value_set_u64(&mask, 0xffff0000);
    match_set(&m, FIELD_IPV4_SRC, &v, &mask);
    ck_assert_uint_eq(ntohl(m.value.ip4.src), 0x0a0b0000);
    ck_assert_uint_eq(ntohl(m.mask.ip4.src), 0xffff0000);
    ck_assert(match_has(&m, FIELD_IPV4_SRC) && !match_has(&m, FIELD_IPV4_DST));
    match_get(&m, FIELD_IPV4_SRC, &v, &mask);
    ck_assert_uint_eq(field_value_u64(&v), 0x0a0b0000);
}
END_TEST

/* match_for_each() looks for them side by side only. */
START_TEST(rows_of_the_same_bits_stand_together)
{
    for (int i = 0; i < N_FIELDS; i++)
        for (int j = i + 1, apart = 0; j < N_FIELDS; j++) {
            bool same = fields[i].ofs == fields[j].ofs && fields[i].shift == fields[j].shift && fields[i].bits == fields[j].bits;
            ck_assert_msg(!same || !apart, "%s and %s", fields[i].name, fields[j].name);
            apart |= !same;
        }
}
END_TEST

UNIT_TEST_MAIN("match", rows_of_the_same_bits_stand_together, prerequisites_are_asked_for, says_what_is_needed,
               each_field_is_found_where_its_prerequisite_holds, every_bit_of_a_match_is_in_one_field,
               shared_bits_go_by_their_best_name, gre_key_wants_a_key, covers_and_overlaps_as_packets_do,
               set_clears_what_is_not_asked)
