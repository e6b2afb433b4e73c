/* Flow tables, MAC table and ports change while a worker walks: no lock, no lost packet, no torn rule. Worth most in a
 * build with --enable-tsan or --enable-asan. */
#include <sched.h>
#include "tests/sim/random.h"

enum { CHANGES = 1500 };

static void ignore(struct dp_port *p, const struct packet *pkt, void *n_)
{
    (void)p, (void)pkt;
    __atomic_add_fetch((unsigned *)n_, 1, __ATOMIC_RELAXED);
}

static void begin(struct sim *s, unsigned *n_sent)
{
    static const char *const names[] = {NULL, "p1", "p2", "p3"};
    struct ofproto_config config = {.fail_mode = FAIL_SECURE, .mac_table_size = 8};
    struct dp_config dc = {.workers = 2, .no_netlink = true};
    memset(s, 0, sizeof *s);
    s->dp = dp_create(&dc, &ofproto_dp_callbacks);
    s->o = ofproto_create(s->dp, "br0");
    ofproto_configure(s->o, &config);
    for (unsigned i = 1; i <= SIM_PORTS; i++) {
        s->port[i] = sim_port_add(s, names[i], i);
        dp_sim_on_transmit(ofport_dp(s->port[i]), ignore, n_sent);
    }
}

START_TEST(changes_beside_workers)
{
    uint64_t rng = unit_seed();
    unsigned n_sent = 0;
    struct sim s;
    begin(&s, &n_sent);
    random_rules(&s, &rng);
    ofproto_settle(s.o, true);
    for (int i = 0; i < CHANGES; i++) {
        for (int j = 0; j < 20; j++) {
            struct flow_key k;
            uint8_t frame[64] = {0};
            random_packet(&rng, &k);
            memcpy(frame, k.eth.dst, 6);
            memcpy(frame + 6, k.eth.src, 6);
            memcpy(frame + 12, "\x08\x06\0\1\10\0\6\4\0\1", 10);
            unsigned port = 1 + unit_below(&rng, SIM_PORTS);
            if (s.port[port])
                dp_sim_receive(ofport_dp(s.port[port]), frame, sizeof frame);
        }
        random_flow_mod(&s, &rng);
        if (!unit_below(&rng, 8))
            fdb_flush_port(s.o->fdb, 1 + unit_below(&rng, SIM_PORTS));
        if (!unit_below(&rng, 20) && s.port[3]) {
            ofproto_port_del(s.port[3]);
            s.port[3] = NULL;
        } else if (!s.port[3]) {
            struct dp_port_config again = {.name = "p3", .type = "sim"}; /* sends to nobody: workers use it at once */
            s.port[3] = ofproto_port_add(s.o, &again, 3, NULL);
            ck_assert_ptr_nonnull(s.port[3]);
        }
        dp_run(s.dp);
        ofproto_run(s.o, clock_msec());
        if (!unit_below(&rng, 4))
            ofproto_settle(s.o, false);
        sched_yield();
    }
    ofproto_settle(s.o, true);
    struct dp_worker_stats stats;
    dp_worker_get_stats(s.dp, 0, &stats);
    ck_assert_uint_gt(stats.packets, 0);
    sim_destroy(&s);
    ck_assert_uint_gt(n_sent, 0);
}
END_TEST

UNIT_TEST_MAIN("race", changes_beside_workers)
