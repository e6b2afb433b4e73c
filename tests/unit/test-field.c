/* Every row of field.def: its place in the key, its text, its OXM header. */
#include "packets.h"

#define FOR_EACH_FIELD(F) for (enum field_id F = 0; F < N_FIELDS; F++)

static bool is_xreg(enum field_id f) { return f >= FIELD_XREG0 && f <= FIELD_XXREG3; }

/* Text to value and mask, and the refusal in `said` (place and words) if there is one. */
static bool parse(enum field_id f, const char *text, union field_value *v, union field_value *m, char said[200])
{
    struct diag d = DIAG_INIT;
    bool ok = field_parse(f, text, strlen(text), NULL, v, m, &d);
    ck_assert_int_eq(ok, !d.failed);
    snprintf(said, 200, "%zu+%zu %s", d.at, d.len, d.failed ? buf_text(&d.message) : "");
    ck_assert_msg(!d.failed || d.at + d.len <= strlen(text), "%s: %s", text, said);
    diag_free(&d);
    return ok;
}

START_TEST(rows_lie_in_the_key_in_their_order)
{
    for (int i = 1; i < N_FIELDS; i++) {
        const struct field *a = &fields[i - 1], *b = &fields[i];
        ck_assert_msg(a->ofs <= b->ofs || is_xreg(i), "%s before %s", a->name, b->name);
        ck_assert_msg(a->layer <= b->layer, "%s before %s", a->name, b->name);
        ck_assert_uint_eq(b->bytes, (b->bits + 7) / 8);
    }
}
END_TEST

START_TEST(get_gives_what_set_wrote_and_nothing_else_moves)
{
    uint64_t rng = unit_seed();
    for (int round = 0; round < 40; round++)
        FOR_EACH_FIELD(f) {
            struct flow_key before, after, mask = {0};
            union field_value v, got, ones;
            packets_bytes(&rng, &before, sizeof before);
            after = before;
            packets_bytes(&rng, &v, sizeof v); /* bits that the field does not have must not leak */
            field_set(f, &after, &v);
            field_get(f, &after, &got);
            memset(&ones, 0xff, sizeof ones);
            field_set(f, &mask, &ones);
            unsigned bits = 0;
            for (int i = 0; i < FLOW_KEY_WORDS; i++) {
                uint64_t m = key_words(&mask)[i];
                bits += __builtin_popcountll(m);
                if ((key_words(&before)[i] ^ key_words(&after)[i]) & ~m)
                    ck_abort_msg("%s writes beside it", fields[f].name);
            }
            ck_assert_msg(bits == fields[f].bits, "%s", fields[f].name);
            field_get(f, &mask, &ones);
            for (int i = 0; i < 2; i++)
                ck_assert_msg(got.w[i] == (v.w[i] & ones.w[i]), "%s", fields[f].name);
        }
}
END_TEST

START_TEST(values_are_big_endian_and_right_aligned)
{
    struct flow_key k = {0};
    union field_value v;
    k.eth.tci = htons(0xb064);
    field_get(FIELD_VLAN_PCP, &k, &v);
    ck_assert_uint_eq(v.b[15], 5);
    field_get(FIELD_VLAN_VID, &k, &v);
    ck_assert_uint_eq(v.b[14], 0x10);
    ck_assert_uint_eq(v.b[15], 0x64);
    k.reg[2] = htonl(0x01020304);
    k.reg[3] = htonl(0x05060708);
    field_get(FIELD_XREG1, &k, &v);
    ck_assert_uint_eq(field_value_u64(&v), 0x0102030405060708);
    k.mpls.lse = htonl(0xabcde5ff);
    field_get(FIELD_MPLS_LABEL, &k, &v);
    ck_assert_uint_eq(field_value_u64(&v), 0xabcde);
    field_get(FIELD_MPLS_TC, &k, &v);
    ck_assert_uint_eq(field_value_u64(&v), 2);
}
END_TEST

START_TEST(names_find_their_field)
{
    FOR_EACH_FIELD(f) {
        ck_assert_int_eq(field_by_name(fields[f].name, strlen(fields[f].name)), f);
        char aliases[64], *rest;
        snprintf(aliases, sizeof aliases, "%s", fields[f].aliases);
        for (char *a = strtok_r(aliases, " ", &rest); a; a = strtok_r(NULL, " ", &rest))
            ck_assert_int_eq(field_by_name(a, strlen(a)), f);
    }
    ck_assert_int_eq(field_by_name("", 0), -1);
    ck_assert_int_eq(field_by_name("nw_sr", 5), -1);
    ck_assert_int_eq(field_by_name("ip_src ipv4_src", 15), -1);
    ck_assert_str_eq(field_nearest_name("nw_srk", 6), "nw_src");
    ck_assert_str_eq(field_nearest_name("dl_scr", 6), "eth_src");
    ck_assert_ptr_null(field_nearest_name("zzzzzzzz", 8));
}
END_TEST

START_TEST(oxm_headers_find_their_field)
{
    FOR_EACH_FIELD(f) {
        ck_assert_msg(fields[f].oxm || fields[f].nxm, "%s cannot be sent", fields[f].name);
        if (fields[f].oxm)
            ck_assert_int_eq(field_by_oxm(fields[f].oxm), f);
        if (fields[f].nxm)
            ck_assert_int_eq(field_by_oxm(fields[f].nxm), f);
    }
    ck_assert_int_eq(field_by_oxm(0), -1);
    ck_assert_int_eq(field_by_oxm(OXM(99)), -1);
}
END_TEST

/* 3 (FRAG_ANY | FRAG_LATER) and 2 are the same condition in other words: a later fragment is a fragment. */
START_TEST(text_goes_there_and_back)
{
    uint64_t rng = unit_seed();
    for (int round = 0; round < 100; round++)
        FOR_EACH_FIELD(f) {
            union field_value v, m, v2, m2;
            struct buf b = BUF_INIT;
            char said[200];
            field_all_ones(f, &m);
            packets_field_value(&rng, f, &v);
            if (fields[f].mask == M_ANY && unit_below(&rng, 2))
                packets_field_value(&rng, f, &m);
            for (int i = 0; i < 2; i++)
                v.w[i] &= m.w[i];
            field_format(f, &v, &m, NULL, &b);
            ck_assert_msg(parse(f, buf_text(&b), &v2, &m2, said), "%s=%s: %s", fields[f].name, buf_text(&b), said);
            ck_assert_msg(!memcmp(&v, &v2, sizeof v) && !memcmp(&m, &m2, sizeof m), "%s=%s", fields[f].name, buf_text(&b));
            /* Anything behind it is refused, and every beginning of it does no harm. */
            buf_puts(&b, "!");
            ck_assert_msg(!parse(f, buf_text(&b), &v2, &m2, said), "%s=%s", fields[f].name, buf_text(&b));
            for (size_t n = 0; n < b.len; n++) {
                char *cut = strndup(buf_text(&b), n);
                parse(f, cut, &v2, &m2, said);
                free(cut);
            }
            buf_free(&b);
        }
}
END_TEST

START_TEST(numbers_are_held_to_their_range)
{
    FOR_EACH_FIELD(f) {
        union field_value v, m;
        char text[40], said[200];
        const struct field *fd = &fields[f];
        if (fd->format == F_MAC || fd->format == F_IPV4 || fd->format == F_IPV6 || fd->bits > 64)
            continue;
        unsigned long long max = fd->bits < 64 ? (1ull << fd->bits) - 1 : UINT64_MAX;
        snprintf(text, sizeof text, "%#llx", fd->format == F_TOS ? max & ~3 : max);
        ck_assert_msg(parse(f, text, &v, &m, said), "%s=%s: %s", fd->name, text, said);
        snprintf(text, sizeof text, "0x%s", fd->bits == 64 ? "10000000000000000" : "");
        if (fd->bits < 64)
            snprintf(text, sizeof text, "%#llx", max + 1);
        ck_assert_msg(!parse(f, text, &v, &m, said), "%s=%s", fd->name, text);
        ck_assert_msg(strstr(said, "largest value is 0x") != NULL, "%s: %s", fd->name, said);
        ck_assert(!parse(f, "18446744073709551616", &v, &m, said));
        ck_assert(strstr(said, "largest value is ") != NULL);
        ck_assert(!parse(f, "", &v, &m, said));
        ck_assert(!parse(f, "0x", &v, &m, said));
        ck_assert(!parse(f, "1/", &v, &m, said));
        ck_assert(!parse(f, "/1", &v, &m, said));
        ck_assert(!parse(f, "-1", &v, &m, said));
        ck_assert(!parse(f, " 1", &v, &m, said));
        if (fd->mask == M_NONE) {
            ck_assert(!parse(f, "0/0", &v, &m, said));
            ck_assert_msg(strstr(said, "cannot be masked") != NULL, "%s: %s", fd->name, said);
        }
    }
}
END_TEST

static const struct refusal {
    enum field_id f;
    const char *text, *said; /* place and the beginning of the words */
} refusals[] = {
    {FIELD_IPV4_SRC, "10.0.0.999", "7+3 999: largest value is 255"},
    {FIELD_IPV4_SRC, "10.0.0.1/33", "9+2 33: largest value is 32"},
    {FIELD_IPV4_SRC, "10.0.0.1/255.255.256.0", "17+3 256: largest"},
    {FIELD_IPV4_SRC, "10.0.0", "0+6 '10.0.0' is not an IPv4 address"},
    {FIELD_IPV4_SRC, "10.0.x.1", "5+1 'x' is not a number"},
    {FIELD_IPV4_SRC, "10.0.0.1.2", "8+2 text after"},
    {FIELD_IPV4_SRC, "10.0.0.1/", "8+1 a mask must follow"},
    {FIELD_IPV4_SRC, "10..0.1", "0+7 '10..0.1' is not an IPv4 address"},
    {FIELD_ETH_SRC, "01:02:03:04:05", "0+14 "},
    {FIELD_ETH_SRC, "01:02:03:04:05:g6", "15+2 'g6' is not an octet"},
    {FIELD_ETH_SRC, "01:02:03:004:05:06", "9+3 '004' is not an octet"},
    {FIELD_ETH_SRC, "01:02:03:04:05:06:07", "17+3 text after"},
    {FIELD_IPV6_SRC, "fe80::g", "6+1 'g' is not a group"},
    {FIELD_IPV6_SRC, "fe80::12345", "6+5 '12345' is not a group"},
    {FIELD_IPV6_SRC, "1:2:3", "0+5 '1:2:3' is not an IPv6 address: it has too few"},
    {FIELD_IPV6_SRC, "1:2:3:4:5:6:7:8:9", "0+17 "},
    {FIELD_IPV6_SRC, "1::2::3", "0+7 "},
    {FIELD_IPV6_SRC, "::1/129", "4+3 129: largest value is 128"},
    {FIELD_IPV6_SRC, "::ffff:10.0.0.300", "14+3 300: largest value is 255"},
    {FIELD_TCP_SRC, "65536", "0+5 65536: largest value is 65535"},
    {FIELD_TCP_SRC, "0x1ffff", "0+7 0x1ffff: largest value is 0xffff"},
    {FIELD_TCP_SRC, "80/0x1ffff", "3+7 0x1ffff: largest value is 0xffff"},
    {FIELD_TCP_SRC, "http", "0+4 'http' is not a number"},
    {FIELD_ETH_TYPE, "0x800/0xff", "5+5 eth_type cannot be masked"},
    {FIELD_IP_TOS, "33", "0+2 33: the low two bits"},
    {FIELD_IP_FRAG, "maybe", "0+5 'maybe' is not one of no, yes"},
    {FIELD_TCP_FLAGS, "+syn-akc", "5+3 no TCP flag 'akc'"},
    {FIELD_TCP_FLAGS, "+syn+syn", "5+3 the flag 'syn' twice"},
    {FIELD_TCP_FLAGS, "syn|", "0+4 no TCP flag"},
    {FIELD_IN_PORT, "eth7", "0+4 no port 'eth7'"},
};

START_TEST(refuses_with_the_place)
{
    for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
        const struct refusal *r = &refusals[i];
        union field_value v, m;
        char said[200];
        ck_assert_msg(!parse(r->f, r->text, &v, &m, said), "%s", r->text);
        ck_assert_msg(!strncmp(said, r->said, strlen(r->said)), "%s: %s", r->text, said);
    }
}
END_TEST

/* What Open vSwitch 3.1's ovs-ofctl parse-flow prints for these. */
static const struct likeness {
    enum field_id f;
    const char *text, *printed;
} likenesses[] = {
    {FIELD_IPV4_SRC, "10.0.0.0/255.255.255.0", "10.0.0.0/24"},
    {FIELD_IPV4_SRC, "10.0.0.7/24", "10.0.0.0/24"},
    {FIELD_IPV4_SRC, "10.0.0.0/255.0.255.0", "10.0.0.0/255.0.255.0"},
    {FIELD_IPV4_SRC, "10.0.0.1/32", "10.0.0.1"},
    {FIELD_IPV6_SRC, "FE80:0::0:1", "fe80::1"},
    {FIELD_IPV6_SRC, "fe80::/64", "fe80::/64"},
    {FIELD_IPV6_SRC, "fe80::1/ffff::ff", "fe80::1/ffff::ff"},
    {FIELD_ETH_SRC, "1:2:3:4:5:6", "01:02:03:04:05:06"},
    {FIELD_ETH_SRC, "01:00:00:00:00:00/01:00:00:00:00:00", "01:00:00:00:00:00/01:00:00:00:00:00"},
    {FIELD_METADATA, "10", "0xa"},
    {FIELD_METADATA, "0x10/0xff", "0x10/0xff"},
    {FIELD_ETH_TYPE, "2048", "0x0800"},
    {FIELD_VLAN_TCI, "0/0x1000", "0x0000/0x1000"},
    {FIELD_TCP_SRC, "80/0xfff0", "0x50/0xfff0"},
    {FIELD_TCP_SRC, "0x50", "80"},
    {FIELD_IPV6_FLABEL, "0x1234", "0x01234"},
    {FIELD_IPV6_FLABEL, "0x10/0x1f", "0x00010/0x0001f"},
    {FIELD_VLAN_VID, "0x100a", "4106"},
    {FIELD_IP_FRAG, "not_later", "not_later"},
    {FIELD_IP_FRAG, "0/3", "no"},
    {FIELD_TCP_FLAGS, "+syn-ack", "+syn-ack"},
    {FIELD_TCP_FLAGS, "syn|ack", "syn|ack"},
    {FIELD_TCP_FLAGS, "0x12", "syn|ack"},
    {FIELD_TCP_FLAGS, "0x12/0x12", "+syn+ack"},
    {FIELD_TCP_FLAGS, "0", "0"},
    {FIELD_TCP_FLAGS, "0x800/0x801", "-fin+[800]"},
    {FIELD_TCP_FLAGS, "0xfff", "fin|syn|rst|psh|ack|urg|ece|cwr|ns|[200]|[400]|[800]"},
};

START_TEST(prints_as_ovs_ofctl_does)
{
    for (size_t i = 0; i < ARRAY_SIZE(likenesses); i++) {
        const struct likeness *l = &likenesses[i];
        union field_value v, m;
        struct buf b = BUF_INIT;
        char said[200];
        ck_assert_msg(parse(l->f, l->text, &v, &m, said), "%s: %s", l->text, said);
        field_format(l->f, &v, &m, NULL, &b);
        ck_assert_str_eq(buf_text(&b), l->printed);
        buf_free(&b);
    }
}
END_TEST

static bool by_name(const char *name, size_t len, uint32_t *port, void *aux)
{
    *port = 7;
    return len == 4 && !memcmp(name, aux, 4);
}
static const char *to_name(uint32_t port, void *aux) { return port == 7 ? aux : NULL; }

START_TEST(ports_have_names)
{
    struct port_names names = {by_name, to_name, (void *)"eth7"};
    union field_value v, m;
    struct buf b = BUF_INIT;
    ck_assert(field_parse(FIELD_IN_PORT, "eth7", 4, &names, &v, &m, NULL));
    ck_assert_uint_eq(field_value_u64(&v), 7);
    ck_assert(!field_parse(FIELD_IN_PORT, "eth8", 4, &names, &v, &m, NULL));
    field_format(FIELD_IN_PORT, &v, NULL, &names, &b);
    field_value_set_u64(&v, 8);
    field_format(FIELD_IN_PORT, &v, NULL, &names, &b);
    ck_assert_str_eq(buf_text(&b), "eth78");
    buf_free(&b);
}
END_TEST

START_TEST(vlan_without_its_bit_is_warned_of)
{
    struct diag d = DIAG_INIT;
    union field_value v, m;
    ck_assert(field_parse(FIELD_VLAN_VID, "0x100a", 6, NULL, &v, &m, &d));
    ck_assert_uint_eq(d.warnings.len, 0);
    ck_assert(field_parse(FIELD_VLAN_VID, "10", 2, NULL, &v, &m, &d));
    ck_assert_ptr_nonnull(strstr(buf_text(&d.warnings), "0x100a"));
    diag_free(&d);
}
END_TEST

START_TEST(nonsense_does_no_harm)
{
    static const char letters[] = "0123456789abcdefx:./+-|,[]synack";
    uint64_t rng = unit_seed();
    for (int round = 0; round < 20000; round++) {
        size_t n = unit_below(&rng, 24);
        char *text = malloc(n + 1), said[200]; /* exact, for ASan */
        union field_value v, m;
        for (size_t i = 0; i < n; i++)
            text[i] = letters[unit_below(&rng, sizeof letters - 1)];
        text[n] = 0;
        enum field_id f = unit_below(&rng, N_FIELDS);
        if (parse(f, text, &v, &m, said)) {
            struct buf b = BUF_INIT;
            union field_value v2, m2;
            field_format(f, &v, &m, NULL, &b);
            ck_assert_msg(parse(f, buf_text(&b), &v2, &m2, said), "%s -> %s: %s", text, buf_text(&b), said);
            ck_assert_msg(!memcmp(&v, &v2, sizeof v) && !memcmp(&m, &m2, sizeof m), "%s -> %s", text, buf_text(&b));
            buf_free(&b);
        }
        free(text);
    }
}
END_TEST

UNIT_TEST_MAIN("field", rows_lie_in_the_key_in_their_order, get_gives_what_set_wrote_and_nothing_else_moves,
               values_are_big_endian_and_right_aligned, names_find_their_field, oxm_headers_find_their_field,
               text_goes_there_and_back, numbers_are_held_to_their_range, refuses_with_the_place,
               prints_as_ovs_ofctl_does, ports_have_names, vlan_without_its_bit_is_warned_of, nonsense_does_no_harm)
