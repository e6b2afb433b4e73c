/* struct match on the wire and as text, for every row of field.def. */
#include "flow-samples.h"
#include "openflow/match-codec.h"

static void encode_tlv_header(struct buf *b, uint64_t id, bool masked, unsigned len)
{
    uint32_t experimenter = id >> 40 == 1 ? ONF_EXPERIMENTER : id >> 40 == 2 ? XVS_EXPERIMENTER : 0;
    buf_u16(b, id >> 16);
    buf_u8(b, (id & 0x7f) << 1 | masked);
    buf_u8(b, len + (experimenter ? 4 : 0));
    if (experimenter)
        buf_u32(b, experimenter);
}

/* OpenFlow 1.3.5, table 12: lengths on the wire. */
static unsigned tlv_bytes(enum field_id f) 
{
    return f == FIELD_TUN_FLAGS ? 2 : fields[f].bits == 20 ? 4 : (fields[f].bits + 7) / 8;
}

/* An ofp_match around the TLVs of `pre` and one more. */
static void put_match(struct buf *out, const struct match *pre, uint64_t id, bool masked, const void *payload, unsigned n)
{
    struct buf m = BUF_INIT;
    match_encode(pre, OFP13, &m);
    unsigned used = (m.data[2] << 8 | m.data[3]) - 4;
    buf_clear(out);
    buf_u16(out, 1);
    buf_u16(out, 0);
    buf_put(out, m.data + 4, used);
    if (id) {
        encode_tlv_header(out, id, masked, n);
        buf_put(out, payload, n);
    }
    buf_set_u16(out, 2, out->len);
    buf_align(out, 0, 8);
    buf_free(&m);
}

static enum ofp_error decode(const struct buf *b, struct match *m)
{
    struct rd r = rd_init(b->data, b->len);
    enum ofp_error e = match_decode(OFP13, &r, m);
    if (!e)
        ck_assert_uint_eq(rd_left(&r), 0);
    return e;
}

static void assert_same(const struct match *a, const struct match *b, const char *what)
{
    if (match_equal(a, b))
        return;
    struct buf t = BUF_INIT, u = BUF_INIT;
    match_format(a, NULL, &t);
    match_format(b, NULL, &u);
    ck_abort_msg("%s: '%s' became '%s'", what, buf_text(&t), buf_text(&u));
}

static void parse_match(const char *text, struct match *m)
{
    struct flow_mod fm;
    struct diag d = DIAG_INIT;
    if (!flow_mod_parse(text, OFPFC_DELETE, NULL, &fm, &d))
        ck_abort_msg("'%s' at %zu: %s", text, d.at, buf_text(&d.message));
    *m = fm.match;
    flow_mod_free(&fm);
    diag_free(&d);
}

START_TEST(every_field_there_and_back)
{
    uint64_t rng = unit_seed();
    struct buf wire = BUF_INIT, text = BUF_INIT;
    for (int f = 0; f < N_FIELDS; f++)
        for (int round = 0; round < 60; round++) {
            struct match m = {0}, back;
            random_field(&m, f, round & 1, &rng);
            buf_clear(&wire);
            match_encode(&m, OFP13, &wire);
            ck_assert_uint_eq(wire.len % 8, 0);
            enum ofp_error e = decode(&wire, &back);
            ck_assert_msg(!e, "%s: %s", fields[f].name, ofp_error_name(e));
            assert_same(&m, &back, "wire");
            buf_clear(&text);
            match_format(&m, NULL, &text);
            parse_match(buf_text(&text), &back);
            assert_same(&m, &back, "text");
        }
    buf_free(&wire);
    buf_free(&text);
}
END_TEST

START_TEST(many_fields_there_and_back)
{
    uint64_t rng = unit_seed();
    struct buf wire = BUF_INIT, text = BUF_INIT;
    for (int round = 0; round < 3000; round++) {
        struct match m = {0}, back;
        for (int i = unit_below(&rng, 12); i >= 0; i--) {
            int f = unit_below(&rng, N_FIELDS);
            union field_value value, mask;
            random_value(f, unit_random(&rng) & 1, &rng, &value, &mask);
            if (match_has(&m, f) || !match_prereq(&m, f, NULL))
                continue;
            if (fields[f].prereq == P_NONE || unit_below(&rng, 3))
                match_set(&m, f, &value, &mask);
        }
        buf_clear(&wire);
        match_encode(&m, OFP13, &wire);
        enum ofp_error e = decode(&wire, &back);
        buf_clear(&text);
        match_format(&m, NULL, &text);
        ck_assert_msg(!e, "%s: %s", buf_text(&text), ofp_error_name(e));
        assert_same(&m, &back, "wire");
        parse_match(buf_text(&text), &back);
        assert_same(&m, &back, "text");
    }
    buf_free(&wire);
    buf_free(&text);
}
END_TEST

/* A field by each of its headers, alone and masked. */
START_TEST(both_headers_of_every_field)
{
    uint64_t rng = unit_seed();
    struct buf b = BUF_INIT;
    for (int f = 0; f < N_FIELDS; f++)
        for (int which = 0; which < 4; which++) {
            uint64_t id = which & 1 ? fields[f].nxm : fields[f].oxm;
            bool masked = which & 2, narrow = id == NXM0(0);
            unsigned n = narrow ? 2 : tlv_bytes(f);
            union field_value value, mask;
            uint8_t payload[32];
            struct match m = {0}, back, want;
            if (!id)
                continue;
            random_value(f, masked, &rng, &value, &mask);
            fulfil_prereq(&m, f, &rng);
            want = m;
            match_set(&want, f, &value, &mask);
            memcpy(payload, value.b + 16 - n, n);
            memcpy(payload + n, mask.b + 16 - n, n);
            put_match(&b, &m, id, masked, payload, masked ? 2 * n : n);
            enum ofp_error e = decode(&b, &back);
            ck_assert_msg(!e, "%s %#" PRIx64 ": %s", fields[f].name, id, ofp_error_name(e));
            assert_same(&want, &back, "header");
        }
    buf_free(&b);
}
END_TEST

static void expect(const struct buf *b, enum ofp_error want, int f, const char *what)
{
    struct match m;
    enum ofp_error e = decode(b, &m);
    ck_assert_msg(e == want, "%s: %s: got %s, want %s", fields[f].name, what, ofp_error_name(e), ofp_error_name(want));
}

START_TEST(faults_of_every_field)
{
    uint64_t rng = unit_seed();
    struct buf b = BUF_INIT;
    for (int f = 0; f < N_FIELDS; f++) {
        uint64_t id = fields[f].oxm ? fields[f].oxm : fields[f].nxm;
        unsigned n = tlv_bytes(f);
        union field_value value, mask, ones;
        struct match m = {0}, empty = {0};
        uint8_t p[32];
        random_value(f, false, &rng, &value, &mask);
        field_all_ones(f, &ones);
        fulfil_prereq(&m, f, &rng);
        memcpy(p, value.b + 16 - n, n);
        if (fields[f].prereq != P_NONE) {
            put_match(&b, &empty, id, false, p, n);
            expect(&b, OFPERR_BMC_BAD_PREREQ, f, "without its prerequisite");
        }
        put_match(&b, &m, id, false, p, n - 1);
        expect(&b, OFPERR_BMC_BAD_LEN, f, "one byte short");
        memset(p + n, 0xff, n);
        put_match(&b, &m, id, true, p, n);
        expect(&b, OFPERR_BMC_BAD_LEN, f, "mask missing");
        /* the same once more */
        struct match with = m;
        match_set(&with, f, &value, NULL);
        put_match(&b, &with, id, false, p, n);
        expect(&b, OFPERR_BMC_DUP_FIELD, f, "twice");
        /* a mask of half the bits */
        memset(p, 0, n);
        memcpy(p + n, ones.b + 16 - n, n);
        p[2 * n - 1] &= 0xfe;
        if (fields[f].mask == M_NONE && (ones.b[15] & 1)) {
            put_match(&b, &m, id, true, p, 2 * n);
            expect(&b, OFPERR_BMC_BAD_MASK, f, "masked");
        }
        if (fields[f].mask == M_ANY) {
            p[n - 1] = 1;
            put_match(&b, &m, id, true, p, 2 * n);
            expect(&b, OFPERR_BMC_BAD_WILDCARDS, f, "a bit outside its mask");
        }
        /* bits that it does not have */
        if (fields[f].bits < 8 * n) {
            memset(p, 0, n);
            p[0] = 0x80;
            put_match(&b, &m, id, false, p, n);
            expect(&b, OFPERR_BMC_BAD_VALUE, f, "too large");
        }
    }
    buf_free(&b);
}
END_TEST

/* 7.2.3.7: vlan_vid. */
START_TEST(vlan_vid_says_whether_there_is_a_tag)
{
    static const struct {
        uint8_t payload[4];
        bool masked;
        enum ofp_error want;
        const char *text;
    } rows[] = {
        {{0x00, 0x00}, false, OFPERR_OK, "vlan_tci=0x0000/0x1fff"},
        {{0x10, 0x05}, false, OFPERR_OK, "dl_vlan=5"},
        {{0x10, 0x00}, false, OFPERR_OK, "dl_vlan=0"},
        {{0x10, 0x00, 0x10, 0x00}, true, OFPERR_OK, "vlan_tci=0x1000/0x1000"},
        {{0x10, 0x05, 0x1f, 0xff}, true, OFPERR_OK, "dl_vlan=5"},
        {{0x00, 0x05, 0x0f, 0xff}, true, OFPERR_OK, "vlan_tci=0x0005/0x0fff"},
        {{0x00, 0x05}, false, OFPERR_BMC_BAD_VALUE, NULL},
        {{0x20, 0x00}, false, OFPERR_BMC_BAD_VALUE, NULL},
        {{0x10, 0x05, 0x10, 0x00}, true, OFPERR_BMC_BAD_WILDCARDS, NULL},
    };
    struct match none = {0}, m;
    struct buf b = BUF_INIT, text = BUF_INIT;
    put_match(&b, &none, fields[FIELD_VLAN_VID].oxm, rows[_i].masked, rows[_i].payload, rows[_i].masked ? 4 : 2);
    ck_assert_str_eq(ofp_error_name(decode(&b, &m)), ofp_error_name(rows[_i].want));
    if (rows[_i].text) {
        match_format(&m, NULL, &text);
        ck_assert_str_eq(buf_text(&text), rows[_i].text);
    }
    buf_free(&b);
    buf_free(&text);
}
END_TEST

START_TEST(faults_of_the_match)
{
    static const struct {
        const char *what;
        uint8_t bytes[16];
        unsigned n;
        enum ofp_error want;
    } rows[] = {
        {"standard match", {0, 0, 0, 4, 0, 0, 0, 0}, 8, OFPERR_BMC_BAD_TYPE},
        {"length below 4", {0, 1, 0, 3, 0, 0, 0, 0}, 8, OFPERR_BMC_BAD_LEN},
        {"longer than the message", {0, 1, 0, 12, 0x80, 0, 0, 4}, 8, OFPERR_BMC_BAD_LEN},
        {"padding missing", {0, 1, 0, 4}, 4, OFPERR_BMC_BAD_LEN},
        {"header cut", {0, 1, 0, 7, 0x80, 0, 0, 0}, 8, OFPERR_BMC_BAD_LEN},
        {"unknown field", {0, 1, 0, 12, 0x80, 0, 0xfe, 4, 0, 0, 0, 0}, 16, OFPERR_BMC_BAD_FIELD},
        {"unknown class", {0, 1, 0, 12, 0x12, 0x34, 0, 4, 0, 0, 0, 0}, 16, OFPERR_BMC_BAD_FIELD},
        {"unknown experimenter", {0, 1, 0, 14, 0xff, 0xff, 2, 6, 1, 2, 3, 4, 0, 0}, 16, OFPERR_BMC_BAD_FIELD},
        {"experimenter id missing", {0, 1, 0, 10, 0xff, 0xff, 2, 2, 0, 0}, 16, OFPERR_BMC_BAD_LEN},
        {"in_port that cannot be", {0, 1, 0, 12, 0x80, 0, 0, 4, 0xff, 0xff, 0xff, 0x01}, 16, OFPERR_BMC_BAD_VALUE},
        {"empty", {0, 1, 0, 4, 0, 0, 0, 0}, 8, OFPERR_OK},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct rd r = rd_init(rows[i].bytes, rows[i].n);
        struct match m;
        enum ofp_error e = match_decode(OFP13, &r, &m);
        ck_assert_msg(e == rows[i].want, "%s: %s", rows[i].what, ofp_error_name(e));
    }
}
END_TEST

/* Every prefix of an encoded match is refused, and read no farther than it goes (ASan sees to that). */
START_TEST(cut_short)
{
    uint64_t rng = unit_seed();
    for (int f = 0; f < N_FIELDS; f++) {
        struct match m = {0}, back;
        struct buf b = BUF_INIT;
        random_field(&m, f, true, &rng);
        match_encode(&m, OFP13, &b);
        for (size_t n = 0; n < b.len; n++) {
            uint8_t *copy = malloc(n ? n : 1);
            memcpy(copy, b.data, n);
            struct rd r = rd_init(copy, n);
            ck_assert_int_ne(match_decode(OFP13, &r, &back), OFPERR_OK);
            free(copy);
        }
        buf_free(&b);
    }
}
END_TEST

static void add(Suite *suite)
{
    TCase *tc = tcase_create("match");
    suite_add_tcase(suite, tc);
    tcase_add_test(tc, every_field_there_and_back);
    tcase_add_test(tc, many_fields_there_and_back);
    tcase_add_test(tc, both_headers_of_every_field);
    tcase_add_test(tc, faults_of_every_field);
    tcase_add_loop_test(tc, vlan_vid_says_whether_there_is_a_tag, 0, 9);
    tcase_add_test(tc, faults_of_the_match);
    tcase_add_test(tc, cut_short);
}

UNIT_TEST_MAIN_WITH("match-codec", add)
