/* Masks of the flow cache: a packet that looks like the one before it has the same words under the mask, and its headers at
 * the same places, as the parser says that does it with care. */
#include "datapath/cache-mask.h"
#include "packet/field.h"
#include "unit.h"

enum { LEN = 80 };

/* As often as not one of those packets that are read straight ahead. */
static void some_frame(uint8_t f[LEN], uint64_t *rng)
{
    static const uint8_t protos[] = {IPPROTO_UDP, IPPROTO_TCP, IPPROTO_GRE, IPPROTO_GRE, IPPROTO_ICMP};
    for (int i = 0; i < LEN; i++)
        f[i] = (uint8_t)unit_random(rng);
    poke16(f + 12, ETYPE_IPV4);
    f[14] = 0x45;
    poke16(f + 16, unit_below(rng, 4) ? LEN - 14 : (uint16_t)(20 + unit_below(rng, LEN - 20)));
    poke16(f + 20, 0x4000);
    f[23] = protos[unit_below(rng, ARRAY_SIZE(protos))];
    if (f[23] == IPPROTO_GRE) {
        static const uint16_t flags[] = {0, 0x2000, 0x2000, 0xa000, 0x3000};
        poke16(f + 34, flags[unit_below(rng, ARRAY_SIZE(flags))]);
        poke16(f + 36, ETYPE_TEB);
    }
    if (!unit_below(rng, 8)) {
        static const uint16_t types[] = {ETYPE_VLAN, ETYPE_ARP, ETYPE_IPV6, 64};
        poke16(f + 12, types[unit_below(rng, ARRAY_SIZE(types))]);
    }
}

static void some_bits(struct flow_key *bits, uint64_t *rng)
{
    memset(bits, 0, sizeof *bits);
    for (unsigned n = 1 + unit_below(rng, 6); n > 0; n--) {
        const struct field *f = &fields[unit_below(rng, N_FIELDS)];
        union field_value mask;
        field_all_ones((enum field_id)(f - fields), &mask);
        if (unit_below(rng, 2))
            for (size_t i = 0; i < sizeof mask; i++)
                ((uint8_t *)&mask)[i] &= (uint8_t)unit_random(rng);
        field_set((enum field_id)(f - fields), bits, &mask);
    }
}

static void some_tunnel(struct packet *p, uint64_t *rng)
{
    p->tun.id = unit_below(rng, 2);
    p->tun.src = unit_below(rng, 2);
    p->tun.flags = (be16)unit_below(rng, 2);
    p->tun.ttl = (uint8_t)unit_below(rng, 2);
    p->in_phy_port = unit_below(rng, 2);
}

struct made {
    uint8_t frame[LEN];
    struct packet p;
};

static void make(struct made *m, const uint8_t frame[LEN], uint32_t len)
{
    memcpy(m->frame, frame, LEN);
    packet_init(&m->p, m->frame, LEN, 0, len);
}

/* What differs, if anything: a bit somewhere, the length, the tunnel. */
static void change(struct made *m, uint64_t *rng)
{
    switch (unit_below(rng, 5)) {
    case 0:
        m->frame[unit_below(rng, LEN)] = (uint8_t)unit_random(rng);
        break;
    case 1:
        m->p.len = RAW + unit_below(rng, LEN - RAW + 1);
        break;
    case 2:
        some_tunnel(&m->p, rng);
        break;
    case 3:
        break;
    default:
        m->frame[unit_below(rng, RAW)] ^= (uint8_t)(1 << unit_below(rng, 8));
    }
}

START_TEST(alike_is_the_same_under_the_mask)
{
    uint64_t rng = unit_seed() + (uint64_t)_i * 0x1234567;
    unsigned alike = 0, other = 0;
    struct mask *m = aligned_alloc(64, ROUND_UP(sizeof *m, 64));
    for (int round = 0; round < 1000; round++) {
        struct flow_key bits;
        mask_start(m, 1, 1, 1);
        for (unsigned n = unit_below(&rng, 3); n > 0; n--) {
            some_bits(&bits, &rng);
            mask_widen(m, &bits);
        }
        mask_number(m, 1);
        for (int i = 0; i < 50; i++) {
            struct made a, b;
            struct flow_key key_a, key_b;
            uint64_t words_a[FLOW_KEY_WORDS], words_b[MASK_WORDS];
            uint8_t frame[LEN];
            some_frame(frame, &rng);
            make(&a, frame, LEN);
            make(&b, frame, LEN);
            some_tunnel(&a.p, &rng);
            b.p.tun = a.p.tun;
            b.p.in_phy_port = a.p.in_phy_port;
            if (!mask_parse(m, &a.p, 7, &key_a))
                continue;
            bool same = unit_below(&rng, 4) == 0;
            if (!same)
                change(&b, &rng);
            struct made b_again = b;
            b_again.p.data = b_again.p.base = b_again.frame;
            if (!mask_looks_alike(m, &a.p, &b.p)) {
                ck_assert(!same);
                other++;
                continue;
            }
            alike++;
            key_parse(&b_again.p, 7, m->depth, &key_b);
            mask_pack(m, &key_a, words_a);
            mask_pack(m, &key_b, words_b);
            ck_assert_mem_eq(words_a, words_b, m->n * sizeof *words_a);
            ck_assert_uint_eq(b.p.l25, b_again.p.l25);
            ck_assert_uint_eq(b.p.l3, b_again.p.l3);
            ck_assert_uint_eq(b.p.l4, b_again.p.l4);
        }
    }
    ck_assert_uint_gt(alike, 1000);
    ck_assert_uint_gt(other, 1000);
    free(m);
}
END_TEST

static void add(Suite *suite)
{
    TCase *tcase = tcase_create("mask");
    tcase_add_loop_test(tcase, alike_is_the_same_under_the_mask, 0, 10);
    suite_add_tcase(suite, tcase);
}

UNIT_TEST_MAIN_WITH("cache-mask", add)
