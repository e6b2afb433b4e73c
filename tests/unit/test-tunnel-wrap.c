#include "unit.h"
#include "base/buf.h"
#include "datapath/tunnel/gre.h"
#include "datapath/tunnel/tunnel.h"
#include "datapath/tunnel/wrap.h"
#include "packet/csum.h"
#include "packet/gso.h"
#include "packet/ip.h"

enum { ROOM = 4096 };

/* A packet in memory of its own, so that a sanitizer sees any byte too far. */
static struct packet packet_of(const void *bytes, uint32_t len, uint32_t headroom)
{
    struct packet p;
    uint8_t *base = malloc(headroom + len + 1);
    memcpy(base + headroom, bytes, len);
    packet_init(&p, base, headroom + len, headroom, len);
    return p;
}

/* Ethernet with `tags` VLAN tags, IPv4 or IPv6 (version 0: neither) with this ECN, 40 bytes of payload. */
static uint32_t make_inner(uint8_t *f, int version, int ecn, int tags)
{
    uint32_t at = 12;
    memcpy(f, "\x02\0\0\0\0\2\x02\0\0\0\0\1", 12);
    for (int i = 0; i < tags; i++, at += 4)
        memcpy(f + at, i ? "\x81\0\0\7" : "\x88\xa8\0\5", 4);
    poke16(f + at, version == 4 ? 0x0800 : version == 6 ? 0x86dd : 0x0806);
    at += 2;
    uint8_t *ip = f + at;
    memset(ip, 0, 80);
    if (version == 4) {
        ip[0] = 0x45;
        ip[1] = (uint8_t)(0xb8 | ecn);
        poke16(ip + 2, 60);
        ip[8] = 63;
        ip[9] = 17;
        be16 sum = csum_finish(csum_add(ip, 20, 0));
        memcpy(ip + 10, &sum, 2);
        return at + 60;
    }
    if (version == 6) {
        poke32(ip, 0x60000000u | (0xb8u | (unsigned)ecn) << 20 | 0x12345);
        poke16(ip + 4, 40);
        return at + 80;
    }
    return at + 28;
}

static struct egress egress_of(bool csum, bool flow, uint32_t key)
{
    struct egress e = {.mtu = 1500, .source = inet_addr("192.168.5.23")};
    e.config.remote = inet_addr("192.168.5.238");
    e.config.csum = csum;
    e.config.df = true;
    e.config.out_key_flow = flow;
    e.config.out_key = key;
    memcpy(e.dst_mac, "\x08\0\x27\xf4\x36\x8d", 6);
    memcpy(e.src_mac, "\x08\0\x27\x54\xe2\xe4", 6);
    return e;
}

static struct dpact_push push_of(const struct egress *e, uint32_t key)
{
    struct dpact_push a = {.a.arg = 3};
    plan_push(&a, e, key, 0x01, 64);
    return a;
}

/* EXPERIMENT: 42 bytes with a key, TTL 64, ToS 0, DF, identification 0; flags and version 0x2000, type 0x6558. */
START_TEST(header_is_as_others_expect)
{
    static const uint8_t expected[] = {0x08, 0,  0x27, 0xf4, 0x36, 0x8d, 0x08, 0, 0x27, 0x54, 0xe2, 0xe4, 0x08, 0,
                                       0x45, 0,  0,    88,   0,    0,    0x40, 0, 64,   47,   0xae, 0x0c, 192,  168,
                                       5,    23, 192,  168,  5,    238,  0x20, 0, 0x65, 0x58, 0,    0,    0,    10};
    uint8_t f[200];
    struct egress e = egress_of(false, true, 0);
    struct dpact_push a = {0};
    plan_push(&a, &e, 10, 0, 64);
    uint32_t len = make_inner(f, 4, 0, 0) - 14;
    struct packet p = packet_of(f, len, 256);
    ck_assert_int_eq(wrap_push(&p, &a), DROP_NONE);
    ck_assert_uint_eq(a.header_len, 42);
    ck_assert_uint_eq(p.len, len + 42);
    ck_assert_uint_eq(csum_add(p.data + 14, 20, 0), 0xffff);
    for (unsigned i = 0; i < sizeof expected; i++)
        ck_assert_msg(i == 24 || i == 25 || p.data[i] == expected[i], "byte %u is %#x, not %#x", i, p.data[i],
                      expected[i]);
    ck_assert_mem_eq(p.data + 42, f, len);
    ck_assert_uint_eq(p.l3, 14);
    ck_assert_uint_eq(p.l4, 34);
    free(p.base);
    /* Without a key 38. set_tunnel gave none and out_key=flow: the key field is there, and 0. */
    struct egress none = egress_of(false, false, 0), zero = egress_of(false, true, 0), both = egress_of(true, true, 0);
    ck_assert_uint_eq(push_of(&none, 0).header_len, 38);
    ck_assert_uint_eq(push_of(&zero, 0).header_len, 42);
    ck_assert_uint_eq(push_of(&both, 0).header_len, 46);
    ck_assert_uint_eq(tunnel_overhead(&none.config), 38);
    ck_assert_uint_eq(tunnel_overhead(&zero.config), 42);
    ck_assert_uint_eq(tunnel_overhead(&both.config), 46);
}
END_TEST

START_TEST(pops_what_it_pushed)
{
    uint64_t rng = unit_seed();
    for (int i = 0; i < 2000; i++) {
        uint8_t f[200];
        bool csum = unit_below(&rng, 2), flow = unit_below(&rng, 2);
        uint32_t key = unit_below(&rng, 3) ? (uint32_t)unit_random(&rng) : 0;
        struct egress e = egress_of(csum, flow, flow ? 0 : key);
        struct dpact_push a = push_of(&e, key);
        uint32_t len =
            make_inner(f, (int)unit_below(&rng, 3) * 2 + 2, (int)unit_below(&rng, 4), (int)unit_below(&rng, 3));
        uint8_t before[200];
        memcpy(before, f, len);
        struct packet p = packet_of(f, len, 256);
        ck_assert_int_eq(wrap_push(&p, &a), DROP_NONE);
        ck_assert_int_eq(wrap_pop(&p, 9, 4), DROP_NONE);
        ck_assert_uint_eq(p.len, len);
        if (!memcmp(before, p.data, 12)) /* outer ECT(1) turns an inner ECT(0) into ECT(1) */
            ck_assert_uint_eq(p.len, len);
        ck_assert_uint_eq(be64toh(p.tun.id), key);
        ck_assert_uint_eq(ntohs(p.tun.flags), TUN_DF | (csum ? TUN_CSUM : 0) | (flow || key ? TUN_KEY : 0));
        ck_assert_uint_eq(p.tun.src, e.source);
        ck_assert_uint_eq(p.tun.dst, e.config.remote);
        ck_assert_uint_eq(p.tun.tos, 1);
        ck_assert_uint_eq(p.tun.ttl, 64);
        ck_assert_uint_eq(p.port, 9);
        ck_assert_uint_eq(ntohl(p.in_phy_port), 4);
        ck_assert_int_eq(p.csum, CSUM_NONE);
        free(p.base);
    }
}
END_TEST

/* RFC 6040, figure 4: outer ECN across, inner ECN down. Not-ECT 0, ECT(1) 1, ECT(0) 2, CE 3; -1: dropped. */
START_TEST(ecn_on_leaving)
{
    static const int figure_4[4][4] = {
        /* inner */ /* outer Not-ECT, ECT(1), ECT(0), CE */
        [0] = {0, 0, 0, -1},
        [1] = {1, 1, 1, 3},
        [2] = {2, 1, 2, 3},
        [3] = {3, 3, 3, 3},
    };
    for (int version = 4; version <= 6; version += 2)
        for (int tags = 0; tags < 3; tags++)
            for (int inner = 0; inner < 4; inner++)
                for (int outer = 0; outer < 4; outer++) {
                    uint8_t f[200];
                    struct egress e = egress_of(false, false, 10);
                    struct dpact_push a = {0};
                    plan_push(&a, &e, 10, (uint8_t)outer, 64);
                    uint32_t len = make_inner(f, version, inner, tags);
                    struct packet p = packet_of(f, len, 256);
                    ck_assert_int_eq(wrap_push(&p, &a), DROP_NONE);
                    enum drop_reason drop = wrap_pop(&p, 9, 4);
                    int expected = figure_4[inner][outer];
                    ck_assert_int_eq(drop, expected < 0 ? DROP_TUN_ECN : DROP_NONE);
                    uint8_t want[200];
                    make_inner(want, version, expected < 0 ? inner : expected, tags);
                    ck_assert_mem_eq(p.data, want, len); /* the IPv4 checksum too */
                    free(p.base);
                }
    uint8_t f[200]; /* ARP has no ECN: it passes */
    struct egress e = egress_of(false, false, 10);
    struct dpact_push a = {0};
    plan_push(&a, &e, 10, 3, 64);
    struct packet p = packet_of(f, make_inner(f, 0, 0, 0), 256);
    ck_assert_int_eq(wrap_push(&p, &a), DROP_NONE);
    ck_assert_int_eq(wrap_pop(&p, 9, 4), DROP_NONE);
    free(p.base);
}
END_TEST

/* The outer packet as it comes from elsewhere. */
static uint32_t make_outer(uint8_t *f, bool csum, int tags, int options)
{
    uint8_t inner[200];
    uint32_t len = make_inner(inner, 4, 0, 0), at = 12;
    memcpy(f, "\x08\0\x27\xf4\x36\x8d\x08\0\x27\x54\xe2\xe4", 12);
    for (int i = 0; i < tags; i++, at += 4)
        memcpy(f + at, "\x81\0\0\7", 4);
    memcpy(f + at, "\x08\0", 2);
    uint8_t *ip = f + at + 2, *gre = ip + 20 + options;
    memset(ip, 0, 60);
    memset(ip + 20, 1, (size_t)options); /* no operation */
    size_t gre_len = gre_write(gre, csum, true, 0xa);
    gre[0] |= GRE_SEQ >> 8;
    memcpy(gre + gre_len, "\0\0\0\1", 4);
    gre_len += 4;
    memcpy(gre + gre_len, inner, len);
    ip[0] = (uint8_t)(0x40 | (20 + options) / 4);
    poke16(ip + 2, (uint16_t)(20 + (unsigned)options + gre_len + len));
    ip[8] = 17;
    ip[9] = 47;
    memcpy(ip + 12, "\xc0\xa8\5\x17\xc0\xa8\5\xee", 8);
    be16 sum = csum_finish(csum_add(ip, 20 + (size_t)options, 0));
    memcpy(ip + 10, &sum, 2);
    if (csum) {
        sum = csum_finish(csum_add(gre, gre_len + len, 0));
        memcpy(gre + 4, &sum, 2);
    }
    return (uint32_t)(gre + gre_len + len - f);
}

static enum drop_reason pop(const uint8_t *f, uint32_t len, struct packet *p)
{
    *p = packet_of(f, len, 0);
    return wrap_pop(p, 9, 0);
}

START_TEST(takes_tags_options_sequence_and_padding)
{
    for (int csum = 0; csum < 2; csum++)
        for (int tags = 0; tags <= 2; tags++)
            for (int options = 0; options <= 40; options += 4) {
                uint8_t f[400] = {0}, inner[200];
                struct packet p;
                uint32_t len = make_outer(f, csum, tags, options), inner_len = make_inner(inner, 4, 0, 0);
                ck_assert_int_eq(pop(f, len + 6, &p), DROP_NONE); /* 6 bytes of padding */
                ck_assert_uint_eq(p.len, inner_len);
                ck_assert_mem_eq(p.data, inner, inner_len);
                ck_assert_uint_eq(p.tun.ttl, 17);
                ck_assert_uint_eq(be64toh(p.tun.id), 10);
                free(p.base);
                for (uint32_t cut = 0; cut < len; cut++) {
                    ck_assert_int_eq(pop(f, cut, &p), DROP_TUN_MALFORMED);
                    free(p.base);
                }
            }
}
END_TEST

START_TEST(names_what_it_drops)
{
    static const struct {
        unsigned at;
        uint8_t to;
        bool fix; /* the IP checksum */
        enum drop_reason drop;
    } cases[] = {
        {14, 0x65, false, DROP_TUN_MALFORMED},                                            /* version */
        {14, 0x44, false, DROP_TUN_MALFORMED},                                            /* header too short */
        {16, 0xff, true, DROP_TUN_MALFORMED},                                             /* longer than the frame */
        {17, 10, true, DROP_TUN_MALFORMED},                                               /* shorter than its header */
        {22, 1, false, DROP_TUN_MALFORMED},                                               /* checksum */
        {20, 0x20, true, DROP_TUN_FRAGMENT},                                              /* more fragments */
        {21, 0x01, true, DROP_TUN_FRAGMENT},                                              /* a later one */
        {23, 17, true, DROP_TUN_UNSUPPORTED},    {34, 0xf0, false, DROP_TUN_UNSUPPORTED}, /* routing */
        {35, 0x01, false, DROP_TUN_UNSUPPORTED},                                          /* version 1: PPTP */
        {36, 0x08, false, DROP_TUN_UNSUPPORTED},                                          /* type */
        {60, 0xee, false, DROP_TUN_CSUM},        {38, 0xee, false, DROP_TUN_CSUM},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint8_t f[400];
        struct packet p;
        uint32_t len = make_outer(f, true, 0, 0);
        f[cases[i].at] = cases[i].to;
        if (cases[i].fix) {
            memset(f + 24, 0, 2);
            be16 sum = csum_finish(csum_add(f + 14, 20, 0));
            memcpy(f + 24, &sum, 2);
        }
        ck_assert_msg(pop(f, len, &p) == cases[i].drop, "case %zu", i);
        free(p.base);
    }
}
END_TEST

/* Outer headers without a tag are read straight ahead, those with one with care: both must come to the same, whatever is
 * wrong with them. */
START_TEST(plain_headers_as_tagged_ones)
{
    uint64_t rng = unit_seed();
    unsigned taken = 0, refused = 0;
    for (int i = 0; i < 20000; i++) {
        uint8_t plain[400], tagged[404];
        struct packet p, q;
        uint32_t len = make_inner(plain + 200, (int)unit_below(&rng, 3) * 2 + 2, (int)unit_below(&rng, 4), 0);
        make_outer(plain, false, 0, 0);
        len += 34 + (uint32_t)gre_write(plain + 34, false, unit_below(&rng, 2), 0x12345678);
        memmove(plain + 34 + (plain[34] ? 8 : 4), plain + 200, 100);
        poke16(plain + 16, (uint16_t)(len - 14));
        for (unsigned n = unit_below(&rng, 3); n > 0; n--)
            plain[14 + unit_below(&rng, 30)] ^= (uint8_t)(1 << unit_below(&rng, 8));
        if (unit_below(&rng, 4)) {
            memset(plain + 24, 0, 2);
            be16 sum = csum_finish(csum_add(plain + 14, 20, 0));
            memcpy(plain + 24, &sum, 2);
        }
        len += unit_below(&rng, 4) ? 0 : unit_below(&rng, 20);
        len -= unit_below(&rng, 8) ? 0 : unit_below(&rng, len - 14);
        memcpy(tagged, plain, 12);
        memcpy(tagged + 12, "\x81\0\0\7", 4);
        memcpy(tagged + 16, plain + 12, len - 12);
        enum drop_reason drop = pop(plain, len, &p);
        ck_assert_int_eq(drop, pop(tagged, len + 4, &q));
        if (drop) {
            refused++;
        } else {
            taken++;
            ck_assert_uint_eq(p.len, q.len);
            ck_assert_mem_eq(p.data, q.data, p.len);
            ck_assert_mem_eq(&p.tun, &q.tun, sizeof p.tun);
            ck_assert(p.csum == q.csum && p.csum_start == q.csum_start && p.l3 == q.l3 && p.l4 == q.l4);
        }
        free(p.base);
        free(q.base);
    }
    ck_assert_uint_gt(taken, 1000);
    ck_assert_uint_gt(refused, 1000);
}
END_TEST

START_TEST(push_knows_its_bounds)
{
    uint8_t f[1600] = {0};
    struct egress e = egress_of(false, true, 0);
    struct dpact_push a = push_of(&e, 10);
    struct packet p = packet_of(f, 1472, 256); /* 1500 - 28: an inner MTU of 1458 */
    ck_assert_int_eq(wrap_push(&p, &a), DROP_NONE);
    ck_assert_uint_eq(p.len, 1514);
    free(p.base);
    p = packet_of(f, 1473, 256);
    ck_assert_int_eq(wrap_push(&p, &a), DROP_TUN_MTU);
    ck_assert_uint_eq(p.len, 1473);
    free(p.base);
    p = packet_of(f, 100, 41);
    ck_assert_int_eq(wrap_push(&p, &a), DROP_TUN_LOOP);
    free(p.base);
}
END_TEST

/* A partial inner checksum is finished under the tunnel; one that arrives partial stays so for the inner packet. */
/* TCP over IPv4 or IPv6 with `n` bytes of payload, its checksum started. */
static uint32_t make_super_segment(uint64_t *rng, uint8_t *f, bool v6, uint32_t n, struct packet *p)
{
    uint32_t ip_len = v6 ? 40 : 20, l4 = 14 + ip_len, len = l4 + 20 + n;
    for (uint32_t i = 0; i < len; i++)
        f[i] = (uint8_t)unit_random(rng);
    uint8_t *ip = f + 14, *tcp = f + l4;
    poke16(f + 12, v6 ? 0x86dd : 0x0800);
    be16 sum;
    if (v6) {
        ip[0] = 0x60;
        poke16(ip + 4, 20 + n);
        ip[6] = 6;
        sum = csum_pseudo6(ip + 8, ip + 24, 6, 20 + n);
    } else {
        be32 address[2];
        memcpy(ip, "\x45\0", 2);
        poke16(ip + 2, 40 + n);
        poke16(ip + 6, 0x4000);
        ip[9] = 6;
        memset(ip + 10, 0, 2);
        be16 ip_sum = csum_finish(csum_add(ip, 20, 0));
        memcpy(ip + 10, &ip_sum, 2);
        memcpy(address, ip + 12, 8);
        sum = csum_pseudo4(address[0], address[1], 6, (uint16_t)(20 + n));
    }
    tcp[12] = 0x50;
    memcpy(tcp + 16, &sum, 2);
    *p = packet_of(f, len, 256);
    p->csum = CSUM_PARTIAL;
    p->csum_start = (uint16_t)l4;
    p->csum_offset = 16;
    p->gso = v6 ? GSO_TCPV6 : GSO_TCPV4;
    p->gso_size = (uint16_t)(1 + unit_below(rng, 1390)); /* fits an MTU of 1500, tunnel and all */
    return len;
}

/* What gso.h cuts of a super-segment in a tunnel is what comes of cutting first; but for the outer identification where
 * nobody may fragment, which then means nothing (RFC 6864). */
START_TEST(cut_behind_the_push_as_before_it)
{
    static uint8_t f[PACKET_MAX], early_room[256 + PACKET_MAX], late_room[256 + PACKET_MAX];
    uint64_t rng = unit_seed();
    for (int round = 0; round < 300; round++) {
        struct egress e = egress_of(false, unit_below(&rng, 2), 0);
        e.config.df = true;
        e.config.gso = true;
        struct dpact_push a = {0};
        plan_push(&a, &e, (uint32_t)unit_random(&rng), 0, 64);
        bool v6 = unit_below(&rng, 2);
        struct packet p, whole;
        struct gso_cut early, late;
        uint32_t n_late = 0;
        uint64_t bytes = 0, all;
        uint32_t len = make_super_segment(&rng, f, v6, 1 + unit_below(&rng, unit_below(&rng, 3) ? 3000 : 65000), &p);
        whole = packet_of(f, len, 256);
        whole.csum = p.csum, whole.csum_start = p.csum_start, whole.csum_offset = p.csum_offset;
        whole.gso = p.gso, whole.gso_size = p.gso_size;
        ck_assert(wrap_keeps_whole(&whole, &a));
        ck_assert_int_eq(wrap_push(&whole, &a), DROP_NONE);
        ck_assert(gso_tunnelled(&whole) && !gso_tunnelled(&p));
        ck_assert_uint_eq(csum_add(whole.data + 14, 20, 0), 0xffff);
        ck_assert(gso_begin(&early, &p) && gso_begin(&late, &whole));
        uint32_t n = gso_count(&whole, &all);
        while (early.more) {
            struct packet x = {.base = early_room, .size = sizeof early_room, .data = early_room + 256};
            struct packet y = {.base = late_room, .size = sizeof late_room, .data = late_room + 256};
            ck_assert(late.more);
            gso_next(&early, &x);
            gso_next(&late, &y);
            ck_assert_int_eq(wrap_push(&x, &a), DROP_NONE);
            ck_assert_uint_eq(x.len, y.len);
            ck_assert_uint_eq(csum_add(y.data + 14, 20, 0), 0xffff);
            ck_assert_uint_eq(peek16(y.data + 18), n_late);
            memcpy(y.data + 18, x.data + 18, 2);
            memcpy(y.data + 24, x.data + 24, 2);
            ck_assert_mem_eq(x.data, y.data, x.len);
            ck_assert_uint_le(y.len - 14, gso_max_l3_len(&whole));
            bytes += y.len;
            n_late++;
        }
        ck_assert(!late.more);
        ck_assert_uint_eq(n, n_late);
        ck_assert_uint_eq(all, bytes);
        /* And whole through the other end. */
        ck_assert_int_eq(wrap_pop(&whole, 9, 4), DROP_NONE);
        ck_assert_uint_eq(whole.len, p.len);
        ck_assert_mem_eq(whole.data, p.data, p.len);
        ck_assert(whole.csum == CSUM_PARTIAL && whole.csum_start == p.csum_start && whole.gso == p.gso);
        free(p.base);
        free(whole.base);
    }
}
END_TEST

START_TEST(what_is_cut_before)
{
    static uint8_t f[PACKET_MAX];
    uint64_t rng = unit_seed();
    struct egress e = egress_of(false, true, 0);
    struct packet p;
    e.config.gso = true;
    struct dpact_push a = push_of(&e, 1), off = a, csum = a, mtu = a;
    make_super_segment(&rng, f, false, 5000, &p);
    p.gso_size = 1400;
    ck_assert(wrap_keeps_whole(&p, &a));
    off.gso = 0;
    ck_assert(!wrap_keeps_whole(&p, &off));
    csum.csum_at = 38;
    ck_assert(!wrap_keeps_whole(&p, &csum));
    p.csum = CSUM_NONE;
    ck_assert(!wrap_keeps_whole(&p, &a));
    p.csum = CSUM_PARTIAL;
    mtu.mtu = 1400 + 40 + 42 - 1;
    ck_assert_int_eq(wrap_push(&p, &mtu), DROP_TUN_MTU);
    mtu.mtu++;
    ck_assert_int_eq(wrap_push(&p, &mtu), DROP_NONE);
    ck_assert(!wrap_keeps_whole(&p, &a)); /* tunnels in tunnels */
    free(p.base);
    make_super_segment(&rng, f, false, 65535 - 40 - 41, &p);
    ck_assert(!wrap_keeps_whole(&p, &a));
    free(p.base);
    make_super_segment(&rng, f, false, 65535 - 40 - 42, &p);
    ck_assert(wrap_keeps_whole(&p, &a));
    free(p.base);
}
END_TEST

START_TEST(partial_checksums)
{
    uint8_t f[200];
    struct egress e = egress_of(true, true, 0);
    struct dpact_push a = push_of(&e, 10);
    uint32_t len = make_inner(f, 4, 0, 0);
    memset(f + 34, 0x11, 8);
    poke16(f + 40, csum_pseudo4(0, 0, 17, 40));
    struct packet p = packet_of(f, len, 256);
    p.csum = CSUM_PARTIAL;
    p.csum_start = 34;
    p.csum_offset = 6;
    ck_assert_int_eq(wrap_push(&p, &a), DROP_NONE);
    ck_assert_int_eq(p.csum, CSUM_NONE);
    ck_assert(gre_checksum_ok(p.data + 34, p.len - 34));
    ck_assert_int_eq(wrap_pop(&p, 9, 0), DROP_NONE);
    ck_assert_uint_ne(peek16(p.data + 40), csum_pseudo4(0, 0, 17, 40));
    free(p.base);

    e.config.csum = false;
    a = push_of(&e, 10);
    p = packet_of(f, len, 256);
    ck_assert_int_eq(wrap_push(&p, &a), DROP_NONE);
    p.csum = CSUM_PARTIAL; /* a sender on the same host, whose device would have finished it */
    p.csum_start = 42 + 34;
    p.csum_offset = 6;
    ck_assert_int_eq(wrap_pop(&p, 9, 0), DROP_NONE);
    ck_assert_int_eq(p.csum, CSUM_PARTIAL);
    ck_assert_uint_eq(p.csum_start, 34);
    free(p.base);
}
END_TEST

UNIT_TEST_MAIN("tunnel headers", header_is_as_others_expect, pops_what_it_pushed, ecn_on_leaving,
               takes_tags_options_sequence_and_padding, names_what_it_drops, plain_headers_as_tagged_ones,
               push_knows_its_bounds, partial_checksums, cut_behind_the_push_as_before_it, what_is_cut_before)
