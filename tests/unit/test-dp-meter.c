/* Meters of the datapath: rates, exact to 1 % while the clock is ours; bands; DSCP; counters. */
#include "dp-sim.h"
#include "packet/csum.h"

static struct dp_meter *meter;

static void walk_meter(struct sim_switch *s, const struct flow_key *key UNUSED, struct dp_path *path)
{
    struct dpact_meter *a = dpact_append(&path->acts, DPACT_METER, sizeof *a, 1);
    a->meter = meter;
    path_output(path, s->port[1]);
}

static void begin(struct sim_switch *s, bool packets, bool burst, unsigned n, const struct dp_meter_band *bands)
{
    struct dp_meter_config c = {packets, burst, n, bands};
    clock_fake(5000000);
    sim_create(s, 0, 2, walk_meter);
    meter = dp_meter_create(s->dp, &c);
    sim_run(s);
}

static void end(struct sim_switch *s)
{
    dp_defer(s->dp, dp_meter_free, meter);
    sim_run(s);
    sim_destroy(s);
}

/* `n` packets of `size` bytes, at once. */
static void receive(struct sim_switch *s, unsigned n, size_t size)
{
    uint8_t frame[2000];
    udp_frame(frame, size, 2, 1, 0x0a000001, 0x0a000002, 1, 2);
    for (unsigned i = 0; i < n; i++) {
        dp_sim_receive(s->port[0], frame, size);
        if (i % BATCH == BATCH - 1)
            dp_run(s->dp);
    }
    dp_run(s->dp);
}

/* OpenFlow 1.3.5, 5.7: what goes on is the rate, whatever more comes in. */
START_TEST(the_rate_is_exact)
{
    static const struct {
        bool packets;
        uint32_t rate;
        size_t size;
        unsigned per_ms; /* packets that come in */
    } cases[] = {
        {true, 1000, 60, 3},      {true, 1, 60, 1},         {true, 123457, 60, 200},   {true, 999, 1000, 1},
        {false, 1000, 1000, 1},   {false, 1000, 60, 4},     {false, 64, 1514, 1},      {false, 100000, 1514, 12},
        {false, 12345, 777, 3},   {false, 1000000, 1514, 100}, {false, 8, 500, 1},     {true, 700, 60, 1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        for (unsigned burst = 0; burst < 3; burst++) {
            struct sim_switch s;
            struct dp_meter_band band = {cases[i].rate, burst == 2 ? cases[i].rate / 4 : 0, 0};
            double unit = cases[i].packets ? 1 : cases[i].size * 8 / 1000.;
            double per_sec = cases[i].rate / unit;
            unsigned ms = MIN(MAX((unsigned)(200 / per_sec * 1000), 2000u), 200000u);
            begin(&s, cases[i].packets, burst, 1, &band);
            for (unsigned t = 0; t < ms; t++, clock_advance(1)) /* what the bucket held at first is gone */
                receive(&s, cases[i].per_ms, cases[i].size);
            unsigned before = s.sent[1].n;
            for (unsigned t = 0; t < ms; t++, clock_advance(1))
                receive(&s, cases[i].per_ms, cases[i].size);
            double sent = s.sent[1].n - before, want = per_sec * ms / 1000;
            ck_assert_msg(sent > want * 0.99 - 1.01 && sent < want * 1.01 + 1.01, "case %zu, burst %u: %g instead of %g", i, burst, sent,
                          want);
            end(&s);
        }
}
END_TEST

/* What comes slower than the rate goes through, all of it. */
START_TEST(slower_is_untouched)
{
    struct sim_switch s;
    struct dp_meter_band band = {1000, 0, 0};
    begin(&s, true, true, 1, &band);
    for (unsigned t = 0; t < 5000; t++, clock_advance(1))
        receive(&s, 1, 60);
    ck_assert_uint_eq(s.sent[1].n, 5000);
    ck_assert_uint_eq(sim_drops(&s, DROP_METER), 0);
    end(&s);
}
END_TEST

/* A burst is as long as it was said, and is there again when the bucket has filled. */
START_TEST(bursts)
{
    struct sim_switch s;
    struct dp_meter_band band = {100, 50, 0};
    begin(&s, true, true, 1, &band);
    receive(&s, 200, 60);
    ck_assert_uint_eq(s.sent[1].n, 50);
    clock_advance(100);
    receive(&s, 200, 60);
    ck_assert_uint_eq(s.sent[1].n, 60);
    clock_advance(60000);
    receive(&s, 200, 60);
    ck_assert_uint_eq(s.sent[1].n, 110);
    end(&s);
    band = (struct dp_meter_band){8, 80, 0}; /* 8 kb/s, 80 kb: ten packets of 1000 bytes */
    begin(&s, false, true, 1, &band);
    receive(&s, 30, 1000);
    ck_assert_uint_eq(s.sent[1].n, 10);
    clock_advance(3000);
    receive(&s, 30, 1000);
    ck_assert_uint_eq(s.sent[1].n, 13);
    end(&s);
    begin(&s, false, false, 1, &band); /* without the flag it does not count: 100 ms, at least two packets */
    receive(&s, 30, 1000);
    ck_assert_uint_eq(s.sent[1].n, 2);
    end(&s);
}
END_TEST

/* Of the rates that are exceeded, the highest counts; each is exact, and so are the counters. */
START_TEST(the_highest_band_applies)
{
    static const struct dp_meter_band bands[] = {{1000, 10, 1}, {3000, 10, 0}, {2000, 10, 2}};
    struct sim_switch s;
    uint64_t packets, bytes, sum = 0;
    begin(&s, true, true, 3, bands);
    for (unsigned t = 0; t < 10000; t++, clock_advance(1))
        receive(&s, 5, 100);
    dp_synchronize(s.dp);
    dp_meter_read(s.dp, meter, &packets, &bytes);
    ck_assert(packets == 50000 && bytes == 5000000);
    for (unsigned i = 0; i < 3; i++) {
        static const unsigned want[] = {10000, 20000, 10000}; /* above 1000 to 2000: remark; above 3000: drop; else 2 */
        dp_meter_read_band(s.dp, meter, i, &packets, &bytes);
        ck_assert_msg(packets + 100 > want[i] && packets < want[i] + 100u, "band %u: %u", i, (unsigned)packets);
        ck_assert_uint_eq(bytes, 100 * packets);
        sum += packets;
        if (i == 1) {
            ck_assert_uint_eq(packets, 50000 - s.sent[1].n);
            ck_assert_uint_eq(packets, sim_drops(&s, DROP_METER));
        }
    }
    ck_assert_uint_lt(sum, 50000);
    end(&s);
}
END_TEST

/* Modified while packets go through: the new rate counts, the sum of what came in goes on. */
START_TEST(other_bands)
{
    struct sim_switch s;
    struct dp_meter_band band = {1000, 0, 0};
    struct dp_meter_config c = {true, true, 1, &band};
    uint64_t packets, bytes;
    begin(&s, true, true, 1, &band);
    for (unsigned t = 0; t < 1000; t++, clock_advance(1))
        receive(&s, 2, 60);
    unsigned before = s.sent[1].n;
    band.rate = 100;
    dp_meter_configure(s.dp, meter, &c);
    dp_meter_read_band(s.dp, meter, 0, &packets, &bytes);
    ck_assert_uint_eq(packets, 0);
    for (unsigned t = 0; t < 10000; t++, clock_advance(1))
        receive(&s, 2, 60);
    ck_assert_uint_ge(s.sent[1].n - before, 990);
    ck_assert_uint_le(s.sent[1].n - before, 1010);
    ck_assert_uint_le(s.walks, 2); /* the cached path only points to it */
    dp_meter_read(s.dp, meter, &packets, &bytes);
    ck_assert_uint_eq(packets, 22000);
    end(&s);
}
END_TEST

/* The slow twin: levels of buckets in floating point, asked in order of rate. Where a bucket holds just what a packet costs,
 * the two may decide differently, and meet other packets, of other sizes, from then on. */
START_TEST(twin)
{
    uint64_t rng = unit_seed();
    for (unsigned round = 0; round < 40; round++) {
        struct sim_switch s;
        struct dp_meter_band bands[4];
        double level[4], full[4];
        unsigned n = 1 + unit_below(&rng, 4), order[4], applied[4] = {0};
        bool packets = unit_below(&rng, 2);
        for (unsigned i = 0; i < n; i++) {
            bands[i] = (struct dp_meter_band){1 + unit_below(&rng, packets ? 5000 : 50000), unit_below(&rng, 500), unit_below(&rng, 3)};
            full[i] = bands[i].burst ? MAX((double)bands[i].burst, bands[i].rate * 0.004) : bands[i].rate * 0.1;
            level[i] = 1e30;
            unsigned at = i;
            for (; at && bands[order[at - 1]].rate < bands[i].rate; at--)
                order[at] = order[at - 1];
            order[at] = i;
        }
        begin(&s, packets, true, n, bands);
        for (unsigned t = 0; t < 3000; t++) {
            unsigned size = 60 + unit_below(&rng, 1400), many = unit_below(&rng, 12);
            double amount = packets ? 1 : size * 8 / 1000.;
            receive(&s, many, size);
            while (many--)
                for (unsigned i = 0; i < n; i++) {
                    unsigned b = order[i];
                    double depth = MAX(full[b], 2 * amount);
                    level[b] = MIN(level[b], depth);
                    if (level[b] + 1e-6 >= amount) {
                        level[b] -= amount;
                        continue;
                    }
                    applied[b]++;
                    break;
                }
            clock_advance(1);
            for (unsigned i = 0; i < n; i++)
                level[i] += bands[i].rate / 1000.;
        }
        for (unsigned i = 0; i < n; i++) {
            uint64_t p, bytes;
            dp_meter_read_band(s.dp, meter, i, &p, &bytes);
            ck_assert_msg(p + applied[i] / 10 + 20 >= applied[i] && p <= applied[i] + applied[i] / 10 + 20, "round %u band %u: %u, twin %u",
                          round, i, (unsigned)p, applied[i]);
        }
        end(&s);
    }
}
END_TEST

/* RFC 2597, 6, table of code points: AFx1 001010 010010 011010 100010, AFx2 …100, AFx3 …110. */
START_TEST(drop_precedence)
{
    for (unsigned dscp = 0; dscp < 64; dscp++)
        for (unsigned by = 1; by <= 2; by++) {
            unsigned want = dscp;
            for (unsigned x = 1; x <= 4; x++)
                for (unsigned y = 1; y <= 3; y++)
                    if (dscp == 8 * x + 2 * y)
                        want = 8 * x + 2 * (y + by > 3 ? 3 : y + by);
            ck_assert_uint_eq(dp_dscp_remarked(dscp, by), want);
        }
    ck_assert_uint_eq(dp_dscp_remarked(10, 1), 12);
    ck_assert_uint_eq(dp_dscp_remarked(46, 1), 46); /* EF */
}
END_TEST

/* The packet is remarked, ECN stays, and the checksum is right; under one tag and under two. */
START_TEST(remarked_packets)
{
    static const struct dp_meter_band band = {1, 0, 1};
    struct sim_switch s;
    begin(&s, true, true, 1, &band);
    receive(&s, 2, 60); /* the bucket is empty */
    for (unsigned tags = 0; tags < 3; tags++)
        for (unsigned tos = 0; tos < 256; tos++) {
            uint8_t frame[120] = {0}, plain[100];
            unsigned l3 = 14 + 4 * tags, want = dp_dscp_remarked(tos >> 2, 1) << 2 | (tos & 3);
            udp_frame(plain, sizeof plain, 2, 1, 0x0a000001, 0x0a000002, 1, 2);
            memcpy(frame, plain, 12);
            for (unsigned i = 0; i < tags; i++)
                memcpy(frame + 12 + 4 * i, i + 1 < tags ? "\x88\xa8\0\5" : "\x81\0\0\6", 4);
            memcpy(frame + 12 + 4 * tags, plain + 12, sizeof plain - 12);
            frame[l3 + 1] = (uint8_t)tos;
            be16 sum = csum_finish(csum_add(frame + l3, 20, 0));
            memcpy(frame + l3 + 10, &sum, 2);
            unsigned before = s.sent[1].n;
            dp_sim_receive(s.port[0], frame, sizeof plain + 4 * tags);
            dp_run(s.dp);
            ck_assert_uint_eq(s.sent[1].n, before + 1);
            ck_assert_uint_eq(s.sent[1].last[l3 + 1], want);
            ck_assert_uint_eq(csum_finish(csum_add(s.sent[1].last + l3, 20, 0)), 0);
        }
    for (unsigned tos = 0; tos < 256; tos++) { /* IPv6's traffic class; ARP and short frames are left alone */
        uint8_t frame[60] = {[12] = 0x86, 0xdd, 0x60 | tos >> 4, (tos & 15) << 4 | 5, 6, 7, 0, 6, 59, 64};
        dp_sim_receive(s.port[0], frame, sizeof frame);
        dp_run(s.dp);
        unsigned want = dp_dscp_remarked(tos >> 2, 1) << 2 | (tos & 3);
        ck_assert_uint_eq(s.sent[1].last[14], 0x60 | want >> 4);
        ck_assert_uint_eq(s.sent[1].last[15], (want & 15) << 4 | 5);
        frame[12] = 8;
        frame[13] = 6;
        dp_sim_receive(s.port[0], frame, sizeof frame);
        dp_run(s.dp);
        ck_assert_mem_eq(s.sent[1].last, frame, sizeof frame);
    }
    end(&s);
}
END_TEST

/* A super-segment costs its bytes, or as many packets as it will be. */
START_TEST(super_segments)
{
    static const struct dp_meter_band band = {100, 100, 0};
    struct sim_switch s;
    uint8_t frame[14 + 40 + 10 * 1000] = {[12] = 8, 0, 0x45};
    struct packet p;
    begin(&s, true, true, 1, &band);
    packet_init(&p, frame, sizeof frame, 0, sizeof frame);
    be16 ip_len = htons(sizeof frame - 14);
    memcpy(frame + 16, &ip_len, 2);
    frame[22] = 64;
    frame[23] = 6;
    frame[46] = 0x50;
    p.gso = GSO_TCPV4;
    p.gso_size = 1000;
    p.csum = CSUM_PARTIAL;
    p.csum_start = 34;
    p.csum_offset = 16;
    for (unsigned i = 0; i < 15; i++) {
        port_sim_receive_packet(s.port[0], &p);
        dp_run(s.dp);
    }
    ck_assert_uint_eq(s.sent[1].n, 100); /* ten of them, cut by the port that takes none */
    ck_assert_uint_eq(sim_drops(&s, DROP_METER), 5);
    end(&s);
}
END_TEST

UNIT_TEST_MAIN("dp-meter", the_rate_is_exact, slower_is_untouched, bursts, the_highest_band_applies, other_bands, twin,
               drop_precedence, remarked_packets, super_segments)
