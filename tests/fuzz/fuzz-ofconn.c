/* A stream of bytes into a session of a bridge with ports, time passing and a packet now and then. The first byte says how
 * the rest is cut into pieces; with its high bit our peer says HELLO first, so that the input starts behind it: in 1.3, or with bit 0x40 in 1.0, with
 * 0x60 in 1.4. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ofproto/ofproto.h"
#include "openflow/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t sent;

static void send_(void *c, const void *data, size_t len)
{
    struct ofp_header h;
    (void)c;
    /* What we say must be whole messages of our version. */
    for (size_t at = 0; at < len; at += h.len) {
        bool ok = ofp_header_peek((const uint8_t *)data + at, len - at, &h);
        assert(ok && h.len <= len - at && h.version <= OFP14);
        (void)ok;
    }
    sent += len;
}
static size_t backlog(void *hung_up) { return *(bool *)hung_up ? 0 : sent > 4 << 20 ? 64 << 20 : 0; }
static void hang_up(void *hung_up, const char *why)
{
    (void)why;
    *(bool *)hung_up = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ofconn_callbacks callbacks = {.send = send_, .backlog = backlog, .hang_up = hang_up};
    static const char *const names[] = {"p1", "p2", "p3"};
    static const uint8_t frame[60] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17};
    struct dp_config dc = {.no_netlink = true};
    struct ofport *port[ARRAY_SIZE(names)];
    bool hung_up = false;
    if (!size)
        return 0;
    log_set_level(NULL, LOG_OFF);
    clock_fake(1000000);
    sent = 0;
    struct dp *dp = dp_create(&dc, &ofproto_dp_callbacks);
    struct ofproto *o = ofproto_create(dp, "br0");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct dp_port_config c = {.name = names[i], .type = "sim"};
        port[i] = ofproto_port_add(o, &c, 0, NULL);
    }
    struct ofconn *c = ofconn_open(o, OFCONN_CONTROLLER, &callbacks, &hung_up, 5000);
    if (data[0] & 0x80) {
        struct buf b = BUF_INIT;
        uint8_t version = !(data[0] & 0x40) ? OFP13 : data[0] & 0x20 ? OFP14 : OFP10;
        hello_encode(1u << version, 1, &b);
        ofconn_receive(c, b.data, b.len, clock_msec());
        buf_free(&b);
    }
    size_t piece = data[0] & 0x1f ? data[0] & 0x1f : SIZE_MAX;
    for (size_t at = 1; at < size; at += MIN(piece, size - at)) {
        ofconn_receive(c, data + at, MIN(piece, size - at), clock_msec());
        dp_sim_receive(ofport_dp(port[at % ARRAY_SIZE(names)]), frame, sizeof frame);
        dp_run(dp);
        clock_advance(250);
        ofproto_run(o, clock_msec());
    }
    ofconn_close(c);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        ofproto_port_del(port[i]);
    ofproto_destroy(o);
    dp_destroy(dp);
    return 0;
}
