/* Unfinished checksums, found by the packet's bytes alone. */
#include "packets.h"
#include "sums.h"
#include "packet/unfinished.h"

enum { FRAME = COMPOSE_ROOM, ROOM = PACKET_HEADROOM + 8 * 64 + FRAME };

/* A random frame in `room`, with space in front for outer headers. False: not of a kind whose checksum can be left. */
static bool random_unfinished(uint64_t *rng, uint8_t room[ROOM], struct packet *p, uint8_t whole[FRAME])
{
    struct flow_key key;
    packets_random_key(rng, &key);
    packet_init(p, room, ROOM, ROOM - FRAME, 0);
    packet_compose(&key, p);
    memcpy(whole, p->data, p->len);
    bool made = sums_make_partial(p);
    p->csum = CSUM_NONE;
    p->csum_start = p->csum_offset = 0;
    return made;
}

START_TEST(what_was_left_is_found_and_finished)
{
    uint64_t rng = unit_seed();
    unsigned n = 0;
    for (int round = 0; round < 20000; round++) {
        uint8_t room[ROOM], whole[FRAME];
        struct packet p;
        if (!random_unfinished(&rng, room, &p, whole))
            continue;
        ck_assert(packet_find_unfinished(&p));
        packet_finish_csum(&p);
        ck_assert(!memcmp(whole, p.data, p.len));
        n++;
    }
    ck_assert_uint_gt(n, 1000);
}
END_TEST

/* Even if its checksum looks unfinished by chance, so that it is found: finishing it gives what was there. */
START_TEST(complete_packets_stay_as_they_are)
{
    uint64_t rng = unit_seed();
    unsigned n = 0;
    for (int round = 0; round < 200000; round++) {
        uint8_t room[ROOM], whole[FRAME];
        struct flow_key key;
        struct packet p;
        packets_random_key(&rng, &key);
        packet_init(&p, room, ROOM, PACKET_HEADROOM, 0);
        packet_compose(&key, &p);
        memcpy(whole, p.data, p.len);
        uint32_t len = p.len;
        n += packet_find_unfinished(&p);
        packet_finish_csum(&p);
        ck_assert(p.len == len && !memcmp(whole, p.data, len));
    }
    ck_assert_uint_lt(n, 100);
}
END_TEST

static uint8_t *push(struct packet *p, unsigned n)
{
    packet_shift(p, n);
    memset(p->data, 0, n);
    return p->data;
}

static uint16_t push_ip(uint64_t *rng, struct packet *p, uint8_t proto)
{
    uint32_t len = p->len;
    if (unit_below(rng, 2)) {
        uint8_t *ip = push(p, 40);
        ip[0] = 0x60;
        poke16(ip + 4, len);
        ip[6] = proto;
        packets_bytes(rng, ip + 7, 33);
        return ETYPE_IPV6;
    }
    uint8_t *ip = push(p, 20);
    ip[0] = 0x45;
    poke16(ip + 2, len + 20);
    ip[9] = proto;
    packets_bytes(rng, ip + 12, 8);
    return ETYPE_IPV4;
}

static void push_eth(struct packet *p, uint16_t type) { poke16(push(p, 14) + 12, type); }

/* One more header, in front of which an IP header and then an Ethernet header stand. `l2`: it is a frame that is
 * wrapped. The protocol of the new header; of what then is to be wrapped, IP. */
static uint8_t push_wrap(uint64_t *rng, struct packet *p, uint16_t type, bool l2)
{
    unsigned what = unit_below(rng, 3);
    uint16_t inner = l2 ? 0x6558 : type;
    if (what == 0 && !l2)
        return type == ETYPE_IPV4 ? 4 : 41;
    if (what == 1 || !l2) {
        unsigned flags = unit_below(rng, 8);
        uint8_t *g = push(p, 4 + 4 * ((flags & 1) + (flags >> 1 & 1) + (flags >> 2)));
        g[0] = (flags & 1) << 7 | (flags >> 1 & 1) << 5 | flags >> 2 << 4;
        poke16(g + 2, inner);
        return 47;
    }
    unsigned options = unit_below(rng, 2) ? 0 : 4 * unit_below(rng, 4);
    bool geneve = unit_below(rng, 2);
    uint32_t len = p->len + 8 + 8 + (geneve ? options : 0);
    uint8_t *u = push(p, len - p->len);
    poke16(u + 2, geneve ? 6081 : 4789);
    poke16(u + 4, len);
    u[8] = geneve ? options / 4 : 8;
    if (geneve)
        poke16(u + 10, inner);
    return 17;
}

START_TEST(also_inside_of_tunnels)
{
    uint64_t rng = unit_seed();
    unsigned n = 0;
    for (int round = 0; round < 20000; round++) {
        uint8_t room[ROOM], whole[FRAME];
        struct packet p;
        if (!random_unfinished(&rng, room, &p, whole))
            continue;
        unsigned wraps = 1 + unit_below(&rng, 5);
        uint32_t inner = p.len;
        uint16_t type = 0;
        for (unsigned i = 0; i < wraps; i++) {
            bool l2 = !type || unit_below(&rng, 2);
            if (type && l2)
                push_eth(&p, type);
            type = push_ip(&rng, &p, push_wrap(&rng, &p, type, l2));
        }
        push_eth(&p, type);
        ck_assert_msg(packet_find_unfinished(&p) == (wraps <= 4), "%u wraps", wraps);
        if (wraps > 4)
            continue;
        packet_finish_csum(&p);
        ck_assert(!memcmp(whole, p.data + p.len - inner, inner));
        n++;
    }
    ck_assert_uint_gt(n, 1000);
}
END_TEST

/* One that is wrong stays wrong. */
START_TEST(damaged_packets_are_left_alone)
{
    uint64_t rng = unit_seed();
    unsigned found = 0, n = 0;
    for (int round = 0; round < 100000; round++) {
        uint8_t room[ROOM], whole[FRAME];
        struct packet p;
        struct sums_l4 s;
        if (!random_unfinished(&rng, room, &p, whole) || !sums_find(p.data, p.len, &s) || s.proto == 132)
            continue;
        memcpy(p.data, whole, p.len);
        s.l4[unit_below(&rng, s.len)] ^= 1 + unit_below(&rng, 255);
        found += packet_find_unfinished(&p);
        n++;
    }
    ck_assert_uint_gt(n, 1000);
    ck_assert_uint_lt(found, 20); /* as chance has it */
}
END_TEST

START_TEST(cut_packets_are_not_read_behind_their_end)
{
    uint64_t rng = unit_seed();
    for (int round = 0; round < 20000; round++) {
        uint8_t room[ROOM], whole[FRAME];
        struct packet p, cut;
        random_unfinished(&rng, room, &p, whole);
        push_eth(&p, push_ip(&rng, &p, push_wrap(&rng, &p, 0, true)));
        uint32_t len = unit_below(&rng, p.len + 1);
        uint8_t *exact = malloc(len + !len);
        memcpy(exact, p.data, len);
        packet_init(&cut, exact, len, 0, len);
        if (packet_find_unfinished(&cut) && cut.csum == CSUM_PARTIAL)
            ck_assert_uint_le(cut.csum_start + cut.csum_offset + 2, len);
        free(exact);
    }
}
END_TEST

UNIT_TEST_MAIN("unfinished", what_was_left_is_found_and_finished, complete_packets_stay_as_they_are,
               also_inside_of_tunnels, damaged_packets_are_left_alone, cut_packets_are_not_read_behind_their_end)
