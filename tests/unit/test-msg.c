/* Message codecs: decode(encode(x)) == x, and nothing that is cut short or damaged is taken for more than it is. */
#include "unit.h"
#include "msg-samples.h"

enum { ROUNDS = 200 };

static struct buf out;
static uint64_t rng;

static void setup(void)
{
    rng = unit_seed();
    out = BUF_INIT;
}

static void teardown(void) { buf_free(&out); }

/* The body of the one message in `out`, which must be of this type. */
static struct rd body_of(enum ofp_msg_type type, struct ofp_header *h)
{
    enum ofp_msg_type back;
    struct rd body;
    enum ofp_error e = ofp_msg_decode_type(out.data, out.len, h, &back, &body, NULL);
    ck_assert_msg(!e, "%s: %s", ofp_msg_name(type), ofp_error_name(e));
    ck_assert_int_eq(back, type);
    return body;
}

#define SAME(A, B, MEMBER) ck_assert_uint_eq((A).MEMBER, (B).MEMBER)
#define SAME_BYTES(A, B, MEMBER) ck_assert_mem_eq((A).MEMBER, (B).MEMBER, sizeof(A).MEMBER)

/* --- Session --- */

START_TEST(hello)
{
    for (uint32_t versions = 2; versions < 128; versions += 2) {
        struct ofp_header h;
        uint32_t back;
        buf_clear(&out);
        hello_encode(versions, 7, &out);
        struct rd body = body_of(OFPMSG_HELLO, &h);
        ck_assert(!hello_decode(&h, body, &back));
        ck_assert_uint_eq(back, versions);
        ck_assert(versions >> h.version == 1); /* 6.3.1: the header has the highest version */
    }
}
END_TEST

static enum ofp_error hello_of(const char *elements, size_t n, uint8_t version, uint32_t *versions)
{
    struct ofp_header h = {.version = version, .len = 8 + n};
    return hello_decode(&h, rd_init(elements, n), versions);
}

START_TEST(hello_elements)
{
    uint32_t v;
    ck_assert(!hello_of("", 0, 4, &v) && v == 0x1e);
    ck_assert(!hello_of("", 0, 255, &v) && v == 0xfffffffe);
    /* Elements that nobody knows are skipped, with their padding. */
    ck_assert(!hello_of("\0\x63\0\x05x\0\0\0\0\1\0\x08\0\0\0\x10", 16, 6, &v) && v == 0x10);
    ck_assert(!hello_of("\0\1\0\x04", 4, 4, &v) && v == 0x1e);
    ck_assert(!hello_of("\0\1\0\x0c\0\0\0\x10\0\0\0\1\0\0\0\0", 16, 4, &v) && v == 0x10);
    ck_assert(hello_of("\0\1\0\3", 4, 4, &v));
    ck_assert(hello_of("\0\1\0\x08\0\0", 6, 4, &v));
    ck_assert(hello_of("\0\1", 2, 4, &v));
}
END_TEST

START_TEST(echo)
{
    uint8_t data[50];
    random_bytes(&rng, data, sizeof data);
    ofp_echo_encode(true, OFP13, 77, data, sizeof data, &out);
    struct ofp_header h;
    struct rd body = body_of(OFPMSG_ECHO_REPLY, &h);
    ck_assert_uint_eq(h.xid, 77);
    ck_assert_uint_eq(rd_left(&body), sizeof data);
    ck_assert_mem_eq(body.p, data, sizeof data);
}
END_TEST

START_TEST(errors)
{
    for (enum ofp_error e = OFPERR_SHORT + 1; e < N_OFPERRS; e++) {
        struct ofp_error_msg m;
        buf_clear(&out);
        ofp_encode_error(&out, OFP13, e, "\4\2\0\x08\0\0\0\1", 8);
        ck_assert(!error_msg_decode(OFP13, body_of(OFPMSG_ERROR, NULL), &m));
        ck_assert_int_eq(m.error, e);
        ck_assert_uint_eq(m.data_len, 8);
        ck_assert_mem_eq(m.data, "\4\2\0\x08\0\0\0\1", 8);
    }
}
END_TEST

START_TEST(role_config_async)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct ofp_role_request r = {.role = unit_below(&rng, 4), .generation_id = unit_random(&rng)}, r2;
        buf_clear(&out);
        role_encode(&r, OFPMSG_ROLE_REQUEST, OFP13, 1, &out);
        ck_assert(!role_decode(OFP13, body_of(OFPMSG_ROLE_REQUEST, NULL), &r2));
        SAME(r, r2, role);
        SAME(r, r2, generation_id);

        struct ofp_switch_config c = {unit_random(&rng), unit_random(&rng)}, c2;
        buf_clear(&out);
        switch_config_encode(&c, OFPMSG_SET_CONFIG, OFP13, 1, &out);
        ck_assert(!switch_config_decode(OFP13, body_of(OFPMSG_SET_CONFIG, NULL), &c2));
        SAME(c, c2, flags);
        SAME(c, c2, miss_send_len);

        struct ofp_async_config a = {0}, a2 = {0};
        random_bytes(&rng, &a, offsetof(struct ofp_async_config, role_status)); /* the rest is 1.4's */
        buf_clear(&out);
        async_encode(&a, OFPMSG_SET_ASYNC, OFP13, 1, &out);
        ck_assert(!async_decode(OFP13, body_of(OFPMSG_SET_ASYNC, NULL), &a2));
        ck_assert_mem_eq(&a, &a2, sizeof a);

        uint32_t format = unit_random(&rng), format2;
        buf_clear(&out);
        nx_packet_in_format_encode(format, OFP13, 1, &out);
        ck_assert(!nx_packet_in_format_decode(OFP13, body_of(OFPMSG_NX_SET_PACKET_IN_FORMAT, NULL), &format2));
        ck_assert_uint_eq(format, format2);

        uint16_t id = unit_random(&rng), id2;
        buf_clear(&out);
        nx_controller_id_encode(id, OFP13, 1, &out);
        ck_assert(!nx_controller_id_decode(OFP13, body_of(OFPMSG_NX_SET_CONTROLLER_ID, NULL), &id2));
        ck_assert_uint_eq(id, id2);
    }
    struct ofp_role_request bad = {.role = 4}, r2;
    buf_clear(&out);
    role_encode(&bad, OFPMSG_ROLE_REQUEST, OFP13, 1, &out);
    ck_assert_int_eq(role_decode(OFP13, body_of(OFPMSG_ROLE_REQUEST, NULL), &r2), OFPERR_RRFC_BAD_ROLE);
}
END_TEST

/* --- Switch --- */

START_TEST(switch_messages)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct ofp_features f, f2;
        random_features(&rng, &f);
        buf_clear(&out);
        features_encode(&f, OFP13, 1, &out);
        ck_assert(!features_decode(OFP13, body_of(OFPMSG_FEATURES_REPLY, NULL), &f2));
        SAME(f, f2, datapath_id);
        SAME(f, f2, n_buffers);
        SAME(f, f2, n_tables);
        SAME(f, f2, auxiliary_id);
        SAME(f, f2, capabilities);

        struct ofp_desc d, d2;
        random_desc(&rng, &d);
        buf_clear(&out);
        desc_encode(&d, OFP13, 1, &out);
        ck_assert(!desc_decode(OFP13, body_of(OFPMSG_DESC_REPLY, NULL), &d2));
        ck_assert_mem_eq(&d, &d2, sizeof d);

        struct xvs_bridge_info b = {unit_random(&rng)}, b2;
        buf_clear(&out);
        xvs_bridge_info_encode(&b, OFP13, 1, &out);
        ck_assert(!xvs_bridge_info_decode(OFP13, body_of(OFPMSG_XVS_BRIDGE_INFO_REPLY, NULL), &b2));
        SAME(b, b2, n_tunnel_ports);

        uint8_t table = unit_random(&rng), table2;
        uint32_t config = unit_random(&rng), config2;
        buf_clear(&out);
        table_mod_encode(table, config, OFP13, 1, &out);
        ck_assert(!table_mod_decode(OFP13, body_of(OFPMSG_TABLE_MOD, NULL), &table2, &config2));
        ck_assert_uint_eq(table, table2);
        ck_assert_uint_eq(config, config2);
    }
}
END_TEST

/* A description as long as can be is cut, and ends with a NUL. */
START_TEST(desc_is_cut)
{
    struct ofp_desc d, d2;
    memset(&d, 'x', sizeof d);
    desc_encode(&d, OFP13, 1, &out);
    ck_assert(!desc_decode(OFP13, body_of(OFPMSG_DESC_REPLY, NULL), &d2));
    ck_assert_uint_eq(strlen(d2.serial), 31);
    ck_assert_uint_eq(strlen(d2.datapath), 255);
}
END_TEST

START_TEST(table_features)
{
    for (unsigned t = 0; t < 254; t++) {
        struct ofp_table_features f = {.table = t,
                                       .acts = {{UINT64_MAX}},
                                       .n_tables = 254,
                                       .name = "x",
                                       .config = t,
                                       .max_entries = 1 << 20},
                                  f2;
        f.metadata_match = unit_random(&rng);
        f.metadata_write = unit_random(&rng);
        buf_clear(&out);
        table_features_encode(&f, OFP13, &out);
        ck_assert_uint_eq(out.len % 8, 0);
        struct rd r = rd_init(out.data, out.len);
        ck_assert(!table_features_decode(OFP13, &r, &f2));
        ck_assert_uint_eq(rd_left(&r), 0);
        SAME(f, f2, table);
        SAME(f, f2, metadata_match);
        SAME(f, f2, metadata_write);
        SAME(f, f2, config);
        SAME(f, f2, max_entries);
        ck_assert_str_eq(f.name, f2.name);
        ck_assert_uint_eq(f2.n_tables, t == 253 ? 0 : 254);
    }
}
END_TEST

/* --- Ports --- */

static void assert_same_port(const struct ofp_port_desc *a, const struct ofp_port_desc *b)
{
    SAME(*a, *b, port);
    SAME_BYTES(*a, *b, mac);
    ck_assert_str_eq(a->name, b->name);
    SAME(*a, *b, config);
    SAME(*a, *b, state);
    SAME(*a, *b, curr);
    SAME(*a, *b, advertised);
    SAME(*a, *b, supported);
    SAME(*a, *b, peer);
    SAME(*a, *b, curr_speed);
    SAME(*a, *b, max_speed);
}

START_TEST(port_descriptions)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct ofp_port_desc d, d2;
        uint8_t reason = unit_below(&rng, 3), reason2;
        random_port_desc(&rng, &d);
        d.config &= ~(uint32_t)OFPPC_NO_FLOOD; /* 1.0's */
        buf_clear(&out);
        port_status_encode(reason, &d, OFP13, &out);
        ck_assert(!port_status_decode(OFP13, body_of(OFPMSG_PORT_STATUS, NULL), &reason2, &d2));
        ck_assert_uint_eq(reason, reason2);
        assert_same_port(&d, &d2);

        struct ofp_port_mod m, m2;
        random_bytes(&rng, &m, sizeof m);
        buf_clear(&out);
        port_mod_encode(&m, OFP13, 1, &out);
        ck_assert(!port_mod_decode(OFP13, body_of(OFPMSG_PORT_MOD, NULL), &m2));
        SAME(m, m2, port);
        SAME(m, m2, config);
        SAME(m, m2, mask);
        SAME(m, m2, advertise);
        SAME_BYTES(m, m2, mac);
    }
}
END_TEST

START_TEST(port_statistics)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct ofp_port_stats s, s2;
        random_port_stats(&rng, &s);
        buf_clear(&out);
        port_stats_encode(&s, OFP13, &out);
        ck_assert_uint_eq(out.len, 112);
        struct rd r = rd_init(out.data, out.len);
        ck_assert(!port_stats_decode(OFP13, &r, &s2));
        /* All members are numbers and there is no hole: sizes tell. */
        static_assert(sizeof s == 3 * 4 + 4 + 12 * 8, "no unknown hole");
        memcpy((char *)&s2 + 12, (char *)&s + 12, 4);
        ck_assert_mem_eq(&s, &s2, sizeof s);

        struct ofp_table_stats t, t2;
        random_bytes(&rng, &t, sizeof t);
        buf_clear(&out);
        table_stats_encode(&t, OFP13, &out);
        r = rd_init(out.data, out.len);
        ck_assert(!table_stats_decode(OFP13, &r, &t2));
        SAME(t, t2, table);
        SAME(t, t2, active);
        SAME(t, t2, lookups);
        SAME(t, t2, matched);

        uint32_t port = unit_random(&rng), port2;
        buf_clear(&out);
        port_stats_request_encode(port, OFP13, 1, &out);
        ck_assert(!port_stats_request_decode(OFP13, body_of(OFPMSG_PORT_STATS_REQUEST, NULL), &port2));
        ck_assert_uint_eq(port, port2);
    }
}
END_TEST

/* --- Packets --- */

START_TEST(packets_in)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct packet_in p, p2;
        uint8_t data[64];
        random_packet_in(&rng, &p, data);
        buf_clear(&out);
        packet_in_encode(&p, OFP13, &out);
        ck_assert(!packet_in_decode(OFP13, body_of(OFPMSG_PACKET_IN, NULL), &p2));
        SAME(p, p2, buffer_id);
        SAME(p, p2, total_len);
        SAME(p, p2, reason);
        SAME(p, p2, table);
        SAME(p, p2, cookie);
        ck_assert(match_equal(&p.match, &p2.match));
        SAME(p, p2, data_len);
        ck_assert_mem_eq(p.data, p2.data, p.data_len);
    }
}
END_TEST

START_TEST(flow_monitors)
{
    static const uint8_t versions[] = {OFP10, OFP13, OFP14};
    struct buf acts = BUF_INIT, scratch = BUF_INIT;
    for (int i = 0; i < ROUNDS; i++) {
        uint8_t version = versions[i % 3];
        struct flow_monitor m, m2;
        struct flow_update u, u2;
        struct ofp_parts parts;
        random_monitor(&rng, version, &m);
        buf_clear(&out);
        flow_monitor_encode(&m, version, &out);
        struct rd r = rd_init(out.data, out.len);
        ck_assert_int_eq(flow_monitor_decode(version, &r, &m2), OFPERR_OK);
        ck_assert_uint_eq(rd_left(&r), 0);
        SAME(m, m2, id);
        SAME(m, m2, out_port);
        SAME(m, m2, out_group);
        SAME(m, m2, flags);
        SAME(m, m2, table);
        SAME(m, m2, command);
        ck_assert(match_equal(&m.match, &m2.match));
        random_update(&rng, version, &u, &acts);
        buf_clear(&out);
        ofp_parts_begin(&parts, &out, version, OFPMSG_FLOW_MONITOR_REPLY, 0);
        flow_update_encode(&u, &parts);
        ofp_parts_end(&parts);
        ck_assert_int_eq(ofp_msg_decode_type(out.data, out.len, NULL, NULL, &r, NULL), OFPERR_OK);
        buf_clear(&scratch);
        ck_assert_int_eq(flow_update_decode(version, &r, &u2, &scratch), OFPERR_OK);
        SAME(u, u2, event);
        SAME(u, u2, xid);
        SAME(u, u2, table);
        SAME(u, u2, reason);
        SAME(u, u2, priority);
        SAME(u, u2, idle_timeout);
        SAME(u, u2, hard_timeout);
        SAME(u, u2, cookie);
        ck_assert(match_equal(&u.match, &u2.match));
        SAME(u, u2, acts_len);
        if (u.acts_len)
            ck_assert_mem_eq(u.acts, u2.acts, u.acts_len);
    }
    buf_free(&acts);
    buf_free(&scratch);
}
END_TEST

/* Nicira's tell all in every version. */
START_TEST(packets_in_of_nicira)
{
    static const uint8_t versions[] = {OFP10, OFP13, OFP14};
    for (int i = 0; i < ROUNDS; i++) {
        struct packet_in p, p2;
        uint8_t data[64], version = versions[i % 3];
        struct rd body;
        enum ofp_msg_type type;
        random_packet_in(&rng, &p, data);
        p.total_len = (uint16_t)(p.data_len + unit_below(&rng, 2));
        p.userdata = data;
        for (int format = NXPIF_NXT_PACKET_IN; format < N_NXPIFS; format++) {
            p.userdata_len = format == NXPIF_NXT_PACKET_IN2 ? unit_below(&rng, 9) : 0;
            buf_clear(&out);
            packet_in_encode_as(&p, (enum nx_packet_in_format)format, version, &out);
            ck_assert(!ofp_msg_decode_type(out.data, out.len, NULL, &type, &body, NULL));
            ck_assert_int_eq(type, format == NXPIF_NXT_PACKET_IN ? OFPMSG_NX_PACKET_IN : OFPMSG_NX_PACKET_IN2);
            ck_assert(!(format == NXPIF_NXT_PACKET_IN ? nx_packet_in_decode : nx_packet_in2_decode)(version, body, &p2));
            SAME(p, p2, buffer_id);
            SAME(p, p2, total_len);
            SAME(p, p2, reason);
            SAME(p, p2, table);
            SAME(p, p2, cookie);
            ck_assert(match_equal(&p.match, &p2.match));
            SAME(p, p2, data_len);
            ck_assert_mem_eq(p.data, p2.data, p.data_len);
            SAME(p, p2, userdata_len);
            if (p.userdata_len)
                ck_assert_mem_eq(p.userdata, p2.userdata, p.userdata_len);
        }
    }
}
END_TEST

/* 65535 bytes of frame do not fit into a message with anything before them. */
START_TEST(packet_in_is_cut)
{
    static uint8_t frame[65535];
    struct packet_in p = {.buffer_id = OFP_NO_BUFFER,
                          .data = frame,
                          .data_len = sizeof frame,
                          .total_len = sizeof frame},
                     p2;
    packet_in_encode(&p, OFP13, &out);
    ck_assert_uint_eq(out.len, OFP_MAX_LEN);
    ck_assert(!packet_in_decode(OFP13, body_of(OFPMSG_PACKET_IN, NULL), &p2));
    SAME(p, p2, total_len);
    ck_assert_uint_lt(p2.data_len, p.data_len);
}
END_TEST

START_TEST(packets_out)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct packet_out p, p2;
        uint8_t data[64];
        random_packet_out(&rng, &p, data);
        buf_clear(&out);
        packet_out_encode(&p, OFP13, 9, &out);
        ck_assert(!packet_out_decode(OFP13, body_of(OFPMSG_PACKET_OUT, NULL), &p2));
        SAME(p, p2, buffer_id);
        SAME(p, p2, in_port);
        SAME(p, p2, data_len);
        ck_assert(acts_equal(p.acts.data, p.acts.len, p2.acts.data, p2.acts.len));
        if (p.data_len)
            ck_assert_mem_eq(p.data, p2.data, p.data_len);
        buf_free(&p.acts);
        buf_free(&p2.acts);
    }
    struct packet_out bad = {.in_port = OFPP_FLOOD, .buffer_id = OFP_NO_BUFFER}, back;
    buf_clear(&out);
    packet_out_encode(&bad, OFP13, 9, &out);
    ck_assert_int_eq(packet_out_decode(OFP13, body_of(OFPMSG_PACKET_OUT, NULL), &back), OFPERR_BRC_BAD_PORT);
    buf_free(&back.acts);
}
END_TEST

/* --- All of them --- */

/* A copy of exactly this size, so that ASan sees a read past its end. */
static void format_copy(const uint8_t *p, size_t n, bool fix_length)
{
    uint8_t *copy = malloc(n ? n : 1);
    struct buf text = BUF_INIT;
    memcpy(copy, p, n);
    if (fix_length && n >= 4) {
        copy[2] = n >> 8;
        copy[3] = n;
    }
    ofp_msg_format(copy, n, NULL, 3, &text);
    ck_assert_uint_gt(text.len, 0);
    ck_assert_int_eq(text.data[text.len - 1], '\n');
    buf_free(&text);
    free(copy);
}

static const uint8_t versions[] = {OFP10, OFP13, OFP14};

static void prefixes_and_faults(enum ofp_msg_type t, uint8_t version)
{
    buf_clear(&out);
    msg_sample_in(t, version, &rng, &out);
    body_of(t, NULL);
    for (size_t n = 0; n <= out.len && n < 2000; n++) {
        format_copy(out.data, n, false);
        format_copy(out.data, n, true);
    }
    for (int j = 0; j < 50; j++) {
        size_t at = unit_below(&rng, out.len);
        uint8_t was = out.data[at];
        out.data[at] ^= 1 << unit_below(&rng, 8);
        format_copy(out.data, out.len, true);
        out.data[at] = was;
    }
}

START_TEST(every_prefix_and_many_faults)
{
    for (unsigned i = 0; i < 3 * N_OFPMSGS; i++)
        for (int j = 0; ofp_msg_form(i / 3, versions[i % 3]) && j < 4; j++)
            prefixes_and_faults(i / 3, versions[i % 3]);
}
END_TEST

START_TEST(one_line)
{
    for (unsigned i = 0; i < 3 * N_OFPMSGS; i++) {
        enum ofp_msg_type t = i / 3;
        uint8_t version = versions[i % 3];
        if (!ofp_msg_form(t, version))
            continue;
        struct buf text = BUF_INIT, name = BUF_INIT;
        buf_clear(&out);
        msg_sample_in(t, version, &rng, &out);
        ofp_msg_format(out.data, out.len, NULL, 0, &text);
        ck_assert_ptr_eq(memchr(text.data, '\n', text.len), text.data + text.len - 1);
        ofp_msg_format_name(t, version, &name);
        ck_assert_msg(strstr(buf_text(&text), buf_text(&name)) != NULL, "%s, version %u: %s", buf_text(&name), version, buf_text(&text));
        if (t != OFPMSG_BUNDLE_ADD_MESSAGE) /* zeros, which are no message in it */
            ck_assert_ptr_null(strstr(buf_text(&text), "***decode error"));
        buf_free(&text);
        buf_free(&name);
    }
}
END_TEST

static void add(Suite *suite)
{
    TCase *tcase = tcase_create("msg");
    const TTest *tests[] = {hello,
                            hello_elements,
                            echo,
                            errors,
                            role_config_async,
                            switch_messages,
                            desc_is_cut,
                            table_features,
                            port_descriptions,
                            port_statistics,
                            packets_in, packets_in_of_nicira, flow_monitors,
                            packet_in_is_cut,
                            packets_out,
                            every_prefix_and_many_faults,
                            one_line};
    tcase_add_checked_fixture(tcase, setup, teardown);
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
}

UNIT_TEST_MAIN_WITH("msg", add)
