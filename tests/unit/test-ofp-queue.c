/* Queues on the wire: decode(encode(x)) == x in each version; what is cut short is an error. */
#include "unit.h"
#include "msg-samples.h"
#include "openflow/queue.h"

static const uint8_t versions[] = {OFP10, OFP13, OFP14};

static struct rd body_of(const struct buf *b, enum ofp_msg_type want)
{
    enum ofp_msg_type type;
    struct rd body;
    struct ofp_header h;
    enum ofp_error e = ofp_msg_decode_type(b->data, b->len, &h, &type, &body, NULL);
    ck_assert_msg(!e, "%s: %s", ofp_msg_name(want), ofp_error_name(e));
    ck_assert_int_eq(type, want);
    return body;
}

START_TEST(requests)
{
    for (size_t v = 0; v < ARRAY_SIZE(versions); v++) {
        uint8_t version = versions[v];
        struct buf b = BUF_INIT;
        uint32_t port, queue;
        enum ofp_msg_type reply, type;
        queue_stats_request_encode(5, 7, version, 1, &b);
        if (ofp_msg_decode_type(b.data, b.len, NULL, &type, NULL, NULL) == OFPERR_BRC_BAD_VERSION) {
            buf_free(&b); /* a version that is not spoken yet */
            continue;
        }
        ck_assert(!queue_stats_request_decode(version, body_of(&b, OFPMSG_QUEUE_STATS_REQUEST), &port, &queue));
        ck_assert(port == 5 && queue == 7);
        buf_clear(&b);
        queue_stats_request_encode(OFPP_ANY, OFPQ_ALL, version, 1, &b);
        ck_assert(!queue_stats_request_decode(version, body_of(&b, OFPMSG_QUEUE_STATS_REQUEST), &port, &queue));
        ck_assert(port == OFPP_ANY && queue == OFPQ_ALL);
        buf_clear(&b);
        queue_config_request_encode(OFPP_LOCAL, version, 1, &reply, &b);
        enum ofp_msg_type request = version >= OFP14 ? OFPMSG_QUEUE_DESC_REQUEST : OFPMSG_QUEUE_GET_CONFIG_REQUEST;
        ck_assert(!queue_config_request_decode(version, body_of(&b, request), &port, &queue));
        ck_assert(port == OFPP_LOCAL && queue == OFPQ_ALL);
        ck_assert_int_eq(reply, version >= OFP14 ? OFPMSG_QUEUE_DESC_REPLY : OFPMSG_QUEUE_GET_CONFIG_REPLY);
        buf_free(&b);
    }
}
END_TEST

START_TEST(entries)
{
    static const uint16_t rates[] = {0, 1, 999, 1000, 1001, OFPQ_RATE_NONE};
    uint64_t rng = unit_seed();
    for (unsigned i = 0; i < 300; i++) {
        uint8_t version = versions[i % 3];
        struct ofp_queue_config q = {1 + unit_below(&rng, 1000), (uint32_t)unit_random(&rng), rates[unit_below(&rng, 6)], rates[unit_below(&rng, 6)]},
                                back = {.port = q.port};
        struct ofp_queue_stats s, got;
        struct buf b = BUF_INIT;
        queue_config_encode(&q, version, &b);
        struct rd rd = rd_init(b.data, b.len);
        ck_assert(!queue_config_decode(version, &rd, &back) && !rd_left(&rd));
        ck_assert(q.port == back.port && q.queue == back.queue && q.min_rate == back.min_rate && q.max_rate == back.max_rate);
        for (size_t n = 0; n < b.len; n++) {
            rd = rd_init(b.data, n);
            ck_assert(queue_config_decode(version, &rd, &back));
        }
        buf_clear(&b);
        random_bytes(&rng, &s, sizeof s);
        s.port = 1 + unit_below(&rng, 1000);
        if (version == OFP10)
            s.duration_sec = s.duration_nsec = UINT32_MAX;
        queue_stats_encode(&s, version, &b);
        ck_assert_uint_eq(b.len, version == OFP10 ? 32 : version == OFP13 ? 40 : 48);
        rd = rd_init(b.data, b.len);
        ck_assert(!queue_stats_decode(version, &rd, &got) && !rd_left(&rd));
        ck_assert(s.port == got.port && s.queue == got.queue && s.tx_bytes == got.tx_bytes && s.tx_packets == got.tx_packets &&
                  s.tx_errors == got.tx_errors && s.duration_sec == got.duration_sec && s.duration_nsec == got.duration_nsec);
        for (size_t n = 0; n < b.len; n++) {
            rd = rd_init(b.data, n);
            ck_assert(queue_stats_decode(version, &rd, &got));
        }
        buf_free(&b);
    }
}
END_TEST

/* OpenFlow 1.3.5, 7.2.2.1: ofp_packet_queue and ofp_queue_prop_min_rate, byte by byte. */
START_TEST(bytes)
{
    static const uint8_t want[] = {0, 0, 0, 7, 0, 0, 0, 1, 0, 48, 0, 0, 0, 0, 0, 0, 0, 1, 0, 16, 0, 0, 0, 0,
                                   0, 100, 0, 0, 0, 0, 0, 0, 0, 2, 0, 16, 0, 0, 0, 0, 1, 244, 0, 0, 0, 0, 0, 0};
    struct ofp_queue_config q = {1, 7, 100, 500};
    struct buf b = BUF_INIT;
    queue_config_encode(&q, OFP13, &b);
    ck_assert_uint_eq(b.len, sizeof want);
    ck_assert_mem_eq(b.data, want, sizeof want);
    b.data[19] = 4; /* a property shorter than its header */
    struct rd rd = rd_init(b.data, b.len);
    ck_assert_int_eq(queue_config_decode(OFP13, &rd, &q), OFPERR_BRC_BAD_LEN);
    buf_free(&b);
}
END_TEST

UNIT_TEST_MAIN("ofp-queue", requests, entries, bytes)
