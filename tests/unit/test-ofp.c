/* Framing: what the rows of error.def and msg.def say comes back from the wire. */
#include "unit.h"
#include "openflow/ofp.h"

START_TEST(errors_there_and_back)
{
    for (enum ofp_error e = OFPERR_SHORT + 1; e < N_OFPERRS; e++) {
        uint16_t type, code;
        uint32_t experimenter;
        ck_assert(ofp_error_codes(e, OFP13, &type, &code, &experimenter));
        ck_assert_msg(ofp_error_from(OFP13, type, code, experimenter) == e, "%s", ofp_error_name(e));
        ck_assert((type == OFPET_EXPERIMENTER) == (experimenter != 0));
        ck_assert(strlen(ofp_error_sentence(e)) > 10);
    }
    uint16_t type, code;
    uint32_t experimenter;
    ck_assert(!ofp_error_codes(OFPERR_OK, OFP13, &type, &code, &experimenter));
    /* 7.5.4: a request that is cut short is of bad length. */
    ck_assert(ofp_error_codes(OFPERR_SHORT, OFP13, &type, &code, &experimenter));
    ck_assert_int_eq(type, 1);
    ck_assert_int_eq(code, 6);
    ck_assert(ofp_error_from(OFP13, 99, 1, 0) == OFPERR_OK);
    ck_assert(ofp_error_from(OFP13, OFPET_EXPERIMENTER, 2, 0x1234) == OFPERR_OK);
}
END_TEST

/* In the other versions: what has a code of its own comes back, the rest is told as one that has none. */
START_TEST(errors_of_other_versions)
{
    static const uint8_t versions[] = {OFP10, OFP14};
    for (unsigned i = 0; i < 2 * N_OFPERRS; i++) {
        enum ofp_error e = i / 2;
        uint8_t version = versions[i % 2];
        uint16_t type, code;
        if (e <= OFPERR_SHORT)
            continue;
        uint32_t experimenter;
        ck_assert(ofp_error_codes(e, version, &type, &code, &experimenter));
        enum ofp_error back = ofp_error_from(version, type, code, experimenter);
        if (back != e && e == OFPERR_BRC_IS_SLAVE) /* to 1.0 it is one of permission */
            ck_assert_int_eq(back, OFPERR_BRC_EPERM);
        else if (back != e)
            ck_assert_msg(version == OFP10 && back == OFPERR_NXBRC_UNENCODABLE_ERROR, "%s", ofp_error_name(e));
    }
}
END_TEST

/* The counts of 7.5.4: each type's codes run from 0 without a gap. */
START_TEST(errors_are_complete)
{
    static const int n_codes[] = {2, 14, 16, 9, 12, 8, 15, 5, 3, 3, 3, 3, 12, 6};
    for (size_t type = 0; type < ARRAY_SIZE(n_codes); type++) {
        for (int code = 0; code < n_codes[type]; code++)
            ck_assert_msg(ofp_error_from(OFP13, type, code, 0), "type %zu code %d", type, code);
        ck_assert(!ofp_error_from(OFP13, type, n_codes[type], 0));
    }
}
END_TEST

START_TEST(an_error_quotes_the_offender)
{
    uint8_t offending[100] = {4, 14, 0, 100, 1, 2, 3, 4};
    struct buf out = BUF_INIT;
    struct ofp_header h;
    enum ofp_msg_type type;
    struct rd body;
    ofp_encode_error(&out, OFP13, OFPERR_BMC_BAD_PREREQ, offending, sizeof offending);
    ck_assert(!ofp_msg_decode_type(out.data, out.len, &h, &type, &body, NULL));
    ck_assert_int_eq(type, OFPMSG_ERROR);
    ck_assert_uint_eq(h.xid, 0x01020304);
    ck_assert_int_eq(rd_u16(&body), 4);
    ck_assert_int_eq(rd_u16(&body), 9);
    ck_assert_uint_eq(rd_left(&body), 64);
    ck_assert_mem_eq(body.p, offending, 64);
    buf_free(&out);
}
END_TEST

/* --- Messages --- */

static enum ofp_error decode_with_body(enum ofp_msg_type type, size_t body_len, uint8_t version,
                                       enum ofp_msg_type *back)
{
    struct buf out = BUF_INIT;
    struct rd body;
    size_t at = ofp_msg_begin(&out, version, type, 7);
    buf_zeros(&out, body_len);
    ofp_msg_end(&out, at);
    enum ofp_error e = ofp_msg_decode_type(out.data, out.len, NULL, back, &body, NULL);
    if (!e)
        ck_assert_uint_eq(rd_left(&body), body_len);
    buf_free(&out);
    return e;
}

static void there_and_back(enum ofp_msg_type t, uint8_t version)
{
    enum ofp_msg_type back = N_OFPMSGS;
    const struct ofp_msg_form *f = ofp_msg_form(t, version);
    if (!f)
        return;
    ck_assert_msg(!decode_with_body(t, f->min_body, version, &back), "%s", ofp_msg_name(t));
    ck_assert_int_eq(back, t);
    if (f->min_body)
        ck_assert_int_eq(decode_with_body(t, f->min_body - 1, version, &back), OFPERR_BRC_BAD_LEN);
    if (f->unit != 1)
        ck_assert_int_eq(decode_with_body(t, f->min_body + 1, version, &back), OFPERR_BRC_BAD_LEN);
    if (f->unit)
        ck_assert_int_eq(decode_with_body(t, f->min_body + 3 * f->unit, version, &back), OFPERR_OK);
}

START_TEST(messages_there_and_back)
{
    for (enum ofp_msg_type t = 0; t < N_OFPMSGS; t++) {
        there_and_back(t, OFP10);
        there_and_back(t, OFP13);
        there_and_back(t, OFP14);
    }
}
END_TEST

START_TEST(versions)
{
    enum ofp_msg_type back;
    uint8_t barrier10[] = {OFP10, 18, 0, 8, 0, 0, 0, 1}, barrier12[] = {OFP12, 20, 0, 8, 0, 0, 0, 1};
    ck_assert_int_eq(ofp_msg_decode_type(barrier10, 8, NULL, &back, NULL, NULL), OFPERR_OK);
    ck_assert_int_eq(back, OFPMSG_BARRIER_REQUEST);
    ck_assert_int_eq(ofp_msg_decode_type(barrier12, 8, NULL, &back, NULL, NULL), OFPERR_BRC_BAD_VERSION);
    ck_assert_ptr_null(ofp_msg_form(OFPMSG_METER_MOD, OFP10));
    ck_assert_int_eq(decode_with_body(OFPMSG_HELLO, 0, OFP15, &back), OFPERR_OK);
    ck_assert_int_eq(decode_with_body(OFPMSG_ECHO_REQUEST, 0, OFP10, &back), OFPERR_OK);
}
END_TEST

static enum ofp_error decode_hex(const char *hex)
{
    uint8_t bytes[64];
    size_t n = strlen(hex) / 2;
    for (size_t i = 0; i < n; i++)
        sscanf(hex + 2 * i, "%2hhx", &bytes[i]);
    return ofp_msg_decode_type(bytes, n, NULL, NULL, NULL, NULL);
}

START_TEST(what_is_not_known_has_its_error)
{
    ck_assert_int_eq(decode_hex("0463000800000001"), OFPERR_BRC_BAD_TYPE);
    ck_assert_int_eq(decode_hex("04120010000000010063000000000000"), OFPERR_BRC_BAD_MULTIPART);
    ck_assert_int_eq(decode_hex("0412001800000001ffff0000000000000000232000000000"), OFPERR_BRC_BAD_EXPERIMENTER);
    ck_assert_int_eq(decode_hex("04040010000000010000000100000010"), OFPERR_BRC_BAD_EXPERIMENTER);
    ck_assert_int_eq(decode_hex("04040010000000010000232000ffff10"), OFPERR_BRC_BAD_EXP_TYPE);
    ck_assert_int_eq(decode_hex("04140008000000"), OFPERR_BRC_BAD_LEN);
    ck_assert_int_eq(decode_hex("041400070000000100"), OFPERR_BRC_BAD_LEN);
    ck_assert_int_eq(decode_hex("0412000800000001"), OFPERR_BRC_BAD_LEN);
    ck_assert_int_eq(decode_hex("0404000c0000000100002320"), OFPERR_BRC_BAD_LEN);
}
END_TEST

/* --- Parts --- */

START_TEST(replies_are_split)
{
    uint64_t rng = unit_seed();
    struct buf out = BUF_INIT, expect = BUF_INIT, got = BUF_INIT;
    struct ofp_parts parts;
    unsigned n_left_out = 0;
    ofp_parts_begin(&parts, &out, OFP13, OFPMSG_FLOW_STATS_REPLY, 0x1234);
    for (int i = 0; i < 300; i++) {
        size_t n = 8 * (i == 100 ? 8200 : unit_below(&rng, i % 10 ? 100 : 8189));
        for (size_t j = 0; j < n; j++)
            buf_u8(&out, i + j);
        if (ofp_parts_entry_end(&parts)) {
            for (size_t j = 0; j < n; j++)
                buf_u8(&expect, i + j);
        } else {
            n_left_out++;
        }
    }
    ofp_parts_end(&parts);
    ck_assert_uint_eq(n_left_out, 1);

    size_t n_parts = 0;
    for (size_t at = 0; at < out.len;) {
        struct ofp_header h;
        enum ofp_msg_type type;
        struct rd body;
        bool more;
        ck_assert(ofp_header_peek(out.data + at, out.len - at, &h));
        ck_assert_uint_le(h.len, out.len - at);
        ck_assert(!ofp_msg_decode_type(out.data + at, h.len, &h, &type, &body, &more));
        ck_assert_int_eq(type, OFPMSG_FLOW_STATS_REPLY);
        ck_assert_uint_eq(h.xid, 0x1234);
        buf_put(&got, body.p, rd_left(&body));
        at += h.len;
        ck_assert(more == (at < out.len));
        n_parts++;
    }
    ck_assert_uint_gt(n_parts, 5);
    ck_assert_uint_eq(got.len, expect.len);
    ck_assert_mem_eq(got.data, expect.data, got.len);
    buf_free(&out);
    buf_free(&expect);
    buf_free(&got);
}
END_TEST

START_TEST(an_empty_reply_has_one_part)
{
    struct buf out = BUF_INIT;
    struct ofp_parts parts;
    bool more = true;
    ofp_parts_begin(&parts, &out, OFP13, OFPMSG_PORT_STATS_REPLY, 1);
    ofp_parts_end(&parts);
    ck_assert_uint_eq(out.len, 16);
    ck_assert(!ofp_msg_decode_type(out.data, out.len, NULL, NULL, NULL, &more));
    ck_assert(!more);
    buf_free(&out);
}
END_TEST

/* --- Reserved ports --- */

START_TEST(reserved_ports)
{
    uint32_t port;
    for (uint32_t p = OFPP_UNSET; p != 0; p++) {
        const char *name = ofp_port_reserved_name(p);
        ck_assert_ptr_nonnull(name);
        ck_assert(ofp_port_reserved_parse(name, strlen(name), &port));
        ck_assert_uint_eq(port, p);
    }
    ck_assert(ofp_port_reserved_parse("local", 5, &port) && port == OFPP_LOCAL);
    ck_assert(ofp_port_reserved_parse("none", 4, &port) && port == OFPP_ANY);
    ck_assert(!ofp_port_reserved_parse("locals", 6, &port));
    ck_assert(!ofp_port_reserved_parse("", 0, &port));
    ck_assert_ptr_null(ofp_port_reserved_name(1));
}
END_TEST

UNIT_TEST_MAIN("ofp", errors_there_and_back, errors_are_complete, errors_of_other_versions, an_error_quotes_the_offender, messages_there_and_back,
               versions, what_is_not_known_has_its_error, replies_are_split, an_empty_reply_has_one_part,
               reserved_ports)
