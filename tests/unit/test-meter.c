/* Meters on the wire and as text: what is encoded decodes, what is printed parses, and both to the same. */
#include "unit.h"
#include "base/diag.h"
#include "msg-samples.h"

enum { ROUNDS = 500 };

static struct rd body_of(const struct buf *b, enum ofp_msg_type want)
{
    enum ofp_msg_type type;
    struct rd body;
    struct ofp_header h;
    ck_assert(!ofp_msg_decode_type(b->data, b->len, &h, &type, &body, NULL));
    ck_assert_int_eq(type, want);
    return body;
}

START_TEST(decode_encode)
{
    uint64_t rng = unit_seed();
    for (int i = 0; i < ROUNDS; i++) {
        struct ofp_meter_mod mm = {.command = unit_below(&rng, 2)}, back;
        struct ofp_meter config;
        struct buf b = BUF_INIT;
        random_meter(&rng, &mm.meter);
        meter_mod_encode(&mm, OFP13, 1, &b);
        ck_assert(!meter_mod_decode(OFP13, body_of(&b, OFPMSG_METER_MOD), &back));
        ck_assert(back.command == mm.command && ofp_meter_equal(&back.meter, &mm.meter));
        buf_clear(&b);
        meter_config_encode(&mm.meter, OFP13, &b);
        struct rd rd = rd_init(b.data, b.len);
        ck_assert(!meter_config_decode(OFP13, &rd, &config));
        ck_assert(!rd_left(&rd) && ofp_meter_equal(&config, &mm.meter));
        for (size_t n = 0; n < b.len; n++) { /* cut short: an error, no leak */
            struct ofp_meter cut;
            rd = rd_init(b.data, n);
            ck_assert(meter_config_decode(OFP13, &rd, &cut));
            ofp_meter_free(&cut);
        }
        ofp_meter_free(&config);
        ofp_meter_free(&back.meter);
        ofp_meter_free(&mm.meter);
        buf_free(&b);
    }
}
END_TEST

START_TEST(stats)
{
    struct ofp_meter_band_stats bands[] = {{1, 2}, {3, 4}, {UINT64_MAX, 5}};
    struct ofp_meter_stats s = {7, 8, 9, 10, 11, 12, 3, bands}, back;
    struct buf b = BUF_INIT;
    meter_stats_encode(&s, OFP13, &b);
    struct rd rd = rd_init(b.data, b.len);
    ck_assert(!meter_stats_decode(OFP13, &rd, &back));
    ck_assert(back.id == 7 && back.flow_count == 8 && back.duration_sec == 9 && back.duration_nsec == 10);
    ck_assert(back.packets == 11 && back.bytes == 12 && back.n_bands == 3);
    ck_assert_mem_eq(back.bands, bands, sizeof bands);
    meter_stats_free(&back);
    for (size_t n = 0; n < b.len; n++) {
        rd = rd_init(b.data, n);
        ck_assert(meter_stats_decode(OFP13, &rd, &back));
        meter_stats_free(&back);
    }
    b.data[5] = 41; /* 40 and not a whole band */
    rd = rd_init(b.data, b.len);
    ck_assert_int_eq(meter_stats_decode(OFP13, &rd, &back), OFPERR_BRC_BAD_LEN);
    buf_free(&b);
}
END_TEST

/* OpenFlow 1.3.5, 7.3.4.4, byte by byte. */
START_TEST(faults_on_the_wire)
{
    static const struct {
        const char *bytes;
        size_t n;
        enum ofp_error e;
    } cases[] = {
#define BODY(BYTES, E) {BYTES, sizeof BYTES - 1, OFPERR_##E}
        BODY("\0\0\0\1\0\0\0\1", OK),
        BODY("\0\3\0\1\0\0\0\1", MMFC_BAD_COMMAND),
        BODY("\0\0\0\1\0\0\0\1\0\1\0\x10\0\0\0\1\0\0\0\0\0\0\0\0", OK),
        BODY("\0\0\0\1\0\0\0\1\0\1\0\x10\0\0\0\1\0\0\0\0", BRC_BAD_LEN),
        BODY("\0\0\0\1\0\0\0\1\0\1\0\x0c\0\0\0\1\0\0\0\0", BRC_BAD_LEN),
        BODY("\0\0\0\1\0\0\0\1\0\1\0\x00\0\0\0\1\0\0\0\0\0\0\0\0", BRC_BAD_LEN),
        BODY("\0\0\0\1\0\0\0\1\0\1\0\x18\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", BRC_BAD_LEN),
        BODY("\0\0\0\1\0\0\0\1\0\3\0\x10\0\0\0\1\0\0\0\0\0\0\0\0", MMFC_BAD_BAND),
        BODY("\0\1\0\1\0\0\0\1\xff\xff\0\x10\0\0\0\1\0\0\0\0\0\0\x23\x20", MMFC_BAD_BAND),
        BODY("\0\1\0\1\0\0\0\1\xff\xff\0\x18\0\0\0\1\0\0\0\0\0\0\x23\x20\0\0\0\0\0\0\0\0", MMFC_BAD_BAND),
        BODY("\0\2\0\xff\0\0\0\1\xff\xff\0\x10\0\0\0\1\0\0\0\0\0\0\x23\x20", OK), /* a delete's bands say nothing */
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct ofp_meter_mod mm;
        enum ofp_error e = meter_mod_decode(OFP13, rd_init(cases[i].bytes, cases[i].n), &mm);
        e = e == OFPERR_SHORT ? OFPERR_BRC_BAD_LEN : e;
        ck_assert_msg(e == cases[i].e, "%zu: %s", i, ofp_error_name(e));
        ofp_meter_free(&mm.meter);
    }
}
END_TEST

START_TEST(parse_print)
{
    uint64_t rng = unit_seed();
    for (int i = 0; i < ROUNDS; i++) {
        struct ofp_meter m, back;
        struct buf text = BUF_INIT;
        struct diag d = DIAG_INIT;
        random_meter(&rng, &m);
        ofp_meter_format(&m, &text);
        for (size_t at = 0; at < text.len; at++) /* commas and blanks are the same */
            if (text.data[at] == ' ' && unit_below(&rng, 2))
                text.data[at] = ',';
        ck_assert_msg(ofp_meter_parse(buf_text(&text), &back, &d), "%s%s", buf_text(&text), d.failed ? buf_text(&d.message) : "");
        ck_assert_msg(ofp_meter_equal(&m, &back), "%s", buf_text(&text));
        ofp_meter_free(&m);
        ofp_meter_free(&back);
        buf_free(&text);
    }
}
END_TEST

/* The fault and the text under which its caret stands. */
START_TEST(complaints)
{
    static const struct {
        const char *text, *under, *says;
    } cases[] = {
        {"meter=1", "meter=1", "kbps or pktps"},
        {"kbps bands=type=drop rate=3", NULL, "meter=N"},
        {"meter=0 kbps bands=type=drop rate=3", "0", "from 1"},
        {"meter=4294901761 kbps bands=type=drop rate=3", "4294901761", "out of range"},
        {"meter=controler kbps bands=type=drop rate=3", "controler", "'controller'"},
        {"meter=all kbps bands=type=drop rate=3", "meter=all", "no meter"},
        {"meter=1 kbps", NULL, "needs a band"},
        {"meter=1 kbps pktps bands=type=drop rate=3", NULL, "either"},
        {"meter=1 kbsp bands=type=drop rate=3", "kbsp", "'kbps'"},
        {"meter=1 kbps bands=type=dropp rate=3", "dropp", "'drop'"},
        {"meter=1 kbps bands=rate=3", "rate=3", "begins with its type"},
        {"meter=1 kbps bands=type=drop", "type=drop", "rate=N"},
        {"meter=1 kbps bands=type=drop rate=0", "0", "no rate is 0"},
        {"meter=1 kbps bands=type=drop rate=x", "x", "not a number"},
        {"meter=1 kbps bands=type=drop rate=3 rate=4", "rate=4", "twice"},
        {"meter=1 kbps bands=type=drop rate=3 burst_size=4", "type=drop", "'burst'"},
        {"meter=1 kbps burst bands=type=drop rate=3", "type=drop", "burst_size=N"},
        {"meter=1 kbps bands=type=drop rate=3 prec_level=1", "type=drop", "dscp_remark"},
        {"meter=1 kbps bands=type=dscp_remark rate=3", "type=dscp_remark", "prec_level=1"},
        {"meter=1 kbps bands=type=drop rate=3 colour=1", "colour", "no 'colour'"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct ofp_meter m;
        struct diag d = DIAG_INIT;
        ck_assert_msg(!ofp_meter_parse(cases[i].text, &m, &d) && d.failed, "%s", cases[i].text);
        ck_assert_msg(strstr(buf_text(&d.message), cases[i].says) != NULL, "%s: %s", cases[i].text, buf_text(&d.message));
        if (cases[i].under)
            ck_assert_msg(!strncmp(cases[i].text + d.at, cases[i].under, strlen(cases[i].under)), "%s: at %zu",
                          cases[i].text, d.at);
        ck_assert_uint_le(d.at + d.len, strlen(cases[i].text));
        ofp_meter_free(&m);
        diag_free(&d);
    }
}
END_TEST

/* Open vSwitch takes "band=" as well. */
START_TEST(one_band_may_say_so)
{
    struct diag d = DIAG_INIT;
    struct ofp_meter m, n;
    ck_assert(ofp_meter_parse("meter=1,kbps,band=type=drop,rate=100", &m, &d));
    ck_assert(ofp_meter_parse("meter=1 kbps bands=type=drop rate=100", &n, &d));
    ck_assert_uint_eq(m.n_bands, 1);
    ck_assert_mem_eq(&m.bands[0], &n.bands[0], sizeof m.bands[0]);
    free(m.bands);
    free(n.bands);
    diag_free(&d);
}
END_TEST

START_TEST(numbers)
{
    static const struct {
        const char *text;
        uint32_t id;
    } good[] = {{"", OFPM_ALL}, {"all", OFPM_ALL}, {"meter=all", OFPM_ALL}, {" 7 ", 7}, {"meter=0x10", 16},
                {"controller", OFPM_CONTROLLER}, {"meter=SLOWPATH", OFPM_SLOWPATH}};
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        uint32_t id;
        struct diag d = DIAG_INIT;
        ck_assert(ofp_meter_parse_id(good[i].text, &id, &d));
        ck_assert_uint_eq(id, good[i].id);
    }
    uint32_t id;
    struct diag d = DIAG_INIT;
    ck_assert(!ofp_meter_parse_id("meter=", &id, &d));
    diag_free(&d);
}
END_TEST

UNIT_TEST_MAIN("meter", decode_encode, stats, faults_on_the_wire, parse_print, one_band_may_say_so, complaints, numbers)
