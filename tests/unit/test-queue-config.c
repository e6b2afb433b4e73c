/* Rates and queues as people write them. */
#include "base/diag.h"
#include "unit.h"
#include "vswitchd/queue-config.h"

START_TEST(rates)
{
    static const struct {
        const char *text;
        uint64_t rate;
    } good[] = {{"64000", 64000},   {"10M", 10000000},        {"10m", 10000000},       {"1Gbit", 1000000000}, {"1.5Gbit/s", 1500000000},
                {"100kbps", 100000}, {"2.048Mbit", 2048000}, {"0", 0},                 {"1T", 1000000000000}, {"1000", 1000}};
    static const char *const bad[] = {"", "M", "-1", "10Q", "10 M", "1e6", "0x10", "999", "1.1T", "10MB", "1..2M", "99999999999999999999", "1Mi"};
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        uint64_t rate, back;
        struct buf b = BUF_INIT;
        ck_assert_msg(parse_rate(good[i].text, &rate, NULL), "%s", good[i].text);
        ck_assert_uint_eq(rate, good[i].rate);
        format_rate(rate, &b);
        ck_assert(parse_rate(buf_text(&b), &back, NULL) && back == rate);
        buf_free(&b);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        uint64_t rate;
        struct diag d = DIAG_INIT;
        ck_assert_msg(!parse_rate(bad[i], &rate, &d), "%s", bad[i]);
        ck_assert(d.failed && strstr(buf_text(&d.message), "rate"));
        diag_free(&d);
    }
}
END_TEST

START_TEST(sizes)
{
    uint64_t n;
    ck_assert(parse_bytes("15000", &n, NULL) && n == 15000);
    ck_assert(parse_bytes("15kB", &n, NULL) && n == 15000);
    ck_assert(parse_bytes("64KiB", &n, NULL) && n == 65536);
    ck_assert(parse_bytes("1M", &n, NULL) && n == 1000000);
    ck_assert(!parse_bytes("2G", &n, NULL) && !parse_bytes("1Mbit", &n, NULL) && !parse_bytes("x", &n, NULL));
}
END_TEST

START_TEST(queues)
{
    struct dp_queue_config q = {.id = 7}, back = {.id = 7};
    struct buf b = BUF_INIT;
    ck_assert(parse_queue("min-rate=1M, max_rate=10Mbit burst=15k priority=3", &q, NULL));
    ck_assert(q.min_rate == 1000000 && q.max_rate == 10000000 && q.burst == 15000 && q.priority == 3);
    format_queue(&q, &b);
    ck_assert(parse_queue(buf_text(&b), &back, NULL) && !memcmp(&q, &back, sizeof q));
    ck_assert(parse_queue("max-rate=5M", &q, NULL) && q.max_rate == 5000000 && q.min_rate == 1000000);
    buf_free(&b);
    static const struct {
        const char *text, *says;
    } bad[] = {{"maxrate=5M", "did you mean 'max-rate'"}, {"foo=1", "it has min-rate"}, {"max-rate", "NAME=VALUE"},
               {"max-rate=fast", "no rate"}, {"priority=-1", "priority"}, {"min-rate=2M max-rate=1M", "more than"}, {"burst=2Q", "size"}};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct dp_queue_config fresh = {0};
        struct diag d = DIAG_INIT;
        ck_assert_msg(!parse_queue(bad[i].text, &fresh, &d), "%s", bad[i].text);
        ck_assert_msg(strstr(buf_text(&d.message), bad[i].says) != NULL, "%s: %s", bad[i].text, buf_text(&d.message));
        diag_free(&d);
    }
}
END_TEST

/* A port's record, to YAML and back, and what the datapath is told of it. */
START_TEST(records)
{
    static const char yaml[] = "bridges:\n  br0:\n    ports:\n      p1:\n        max_rate: 100M\n        queues: {1: min-rate=10M priority=1, 2: max-rate=50M}\n";
    struct record *root, *again;
    struct dp_queue_config queues[DP_MAX_QUEUES];
    struct dp_shape_config c;
    struct diag d = DIAG_INIT;
    ck_assert_msg(config_parse(yaml, sizeof yaml - 1, "x", &root, &d), "%s", d.failed ? buf_text(&d.message) : "");
    struct record *p = config_find_port(root, "p1");
    ck_assert(shape_of(p, &c, queues, &d));
    ck_assert(c.max_rate == 100000000 && c.n_queues == 2 && queues[0].id == 1 && queues[0].min_rate == 10000000 && queues[1].max_rate == 50000000);
    char *text = config_emit(root);
    ck_assert(config_parse(text, strlen(text), "x", &again, &d));
    ck_assert(same_shape(p, config_find_port(again, "p1")));
    ck_assert(config_set_word(config_find_port(again, "p1"), "max-rate=9M", false, &d));
    ck_assert(!same_shape(p, config_find_port(again, "p1")));
    ck_assert(!shape_of(config_find_port(again, "p1"), &c, queues, &d)); /* 10M are guaranteed */
    free(text);
    config_free(root);
    config_free(again);
    diag_free(&d);
}
END_TEST

UNIT_TEST_MAIN("queue-config", rates, sizes, queues, records)
