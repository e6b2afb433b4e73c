/* Cutting super-segments: the pieces put together are the whole again, and each is a right packet by itself. */
#include "packets.h"
#include "sums.h"
#include "packet/gso.h"

enum { ROOM = PACKET_HEADROOM + PACKET_MAX };

/* What a receiver puts together. */
struct receiver {
    const struct packet *whole;
    const uint8_t *payload; /* of the whole */
    uint32_t payload_len, header, got, n, expected, longest;
    bool udp_none;
};

static void check_tcp(const struct receiver *r, const uint8_t *l4, uint32_t n)
{
    const uint8_t *was = r->whole->data + r->whole->l4;
    bool first = !r->got, last = r->got + n == r->payload_len;
    ck_assert_uint_eq(peek32(l4 + 4), peek32(was + 4) + r->got);
    ck_assert_uint_eq(peek32(l4 + 8), peek32(was + 8));
    uint8_t flags = was[13];
    if (!last)
        flags &= ~0x09; /* FIN, PSH */
    if (!first)
        flags &= ~0x80; /* CWR */
    ck_assert_uint_eq(l4[13], flags);
    ck_assert(!memcmp(l4 + 20, was + 20, (was[12] >> 4) * 4 - 20));
}

static void receive(struct packet *s, void *aux)
{
    struct receiver *r = aux;
    const struct packet *w = r->whole;
    const uint8_t *ip = s->data + s->l3, *was = w->data + w->l3;
    uint32_t n = s->len - r->header;
    ck_assert_uint_eq(s->gso, GSO_NONE);
    ck_assert_uint_ne(s->csum, CSUM_PARTIAL);
    ck_assert_uint_ge(packet_headroom(s), PACKET_HEADROOM);
    ck_assert_uint_eq(s->port, w->port);
    ck_assert_uint_eq(s->l3, w->l3);
    ck_assert_uint_eq(s->l4, w->l4);
    ck_assert(!memcmp(s->data, w->data, w->l3));
    ck_assert(n <= w->gso_size && (n == w->gso_size || r->got + n == r->payload_len));
    if (ip[0] >> 4 == 4) {
        ck_assert_uint_eq(peek16(ip + 2), s->len - s->l3);
        ck_assert_uint_eq(peek16(ip + 4), (peek16(was + 4) + r->n) & 0xffff);
    } else {
        ck_assert_uint_eq(peek16(ip + 4), s->len - s->l3 - 40);
    }
    if (w->gso == GSO_UDP_L4)
        ck_assert_uint_eq(peek16(s->data + s->l4 + 4), s->len - s->l4);
    else
        check_tcp(r, s->data + s->l4, n);
    const char *wrong = sums_wrong(s, r->udp_none);
    ck_assert_msg(!wrong, "segment %u: %s", r->n, wrong);
    ck_assert(!memcmp(s->data + r->header, r->payload + r->got, n));
    r->longest = MAX(r->longest, s->len - s->l3);
    r->got += n;
    r->n++;
    packet_shift(s, 50); /* whoever is given a segment may do with it as it likes */
    memset(s->data, 0xdd, s->len);
}

/* A super-segment: headers as compose makes them, payload behind them. */
static void random_whole(uint64_t *rng, struct packet *p, uint8_t *room, struct receiver *r)
{
    struct flow_key k;
    bool v6 = unit_below(rng, 2), udp = unit_below(rng, 3) == 0;
    do {
        packets_random_key(rng, &k);
    } while (k.eth.type != htons(v6 ? ETYPE_IPV6 : ETYPE_IPV4) || k.ip.frag || k.ip.proto != (udp ? 17 : 6));
    packet_init(p, room, ROOM, PACKET_HEADROOM, 0);
    packet_compose(&k, p);
    uint32_t options = udp ? 0 : 4 * unit_below(rng, 11), l4_header = udp ? 8 : 20 + options;
    *r = (struct receiver){.whole = p, .header = p->l4 + l4_header};
    r->payload_len = unit_below(rng, unit_below(rng, 4) ? 5000 : 65000 - l4_header - (p->l4 - p->l3));
    packets_bytes(rng, p->data + p->l4 + (udp ? 8 : 20), options + r->payload_len);
    p->len = r->header + r->payload_len;
    r->payload = p->data + r->header;
    uint8_t *ip = p->data + p->l3, *l4 = p->data + p->l4;
    if (udp) {
        poke16(l4 + 4, 8 + r->payload_len);
    } else {
        packets_bytes(rng, l4 + 4, 8);
        l4[12] = (5 + options / 4) << 4;
        l4[13] = unit_random(rng);
    }
    if (v6) {
        poke16(ip + 4, p->len - p->l4);
    } else {
        poke16(ip + 2, p->len - p->l3);
        poke16(ip + 4, unit_below(rng, 2) ? 0xffff : unit_random(rng));
    }
    p->gso = udp ? GSO_UDP_L4 : v6 ? GSO_TCPV6 : GSO_TCPV4;
    p->gso_size = 1 + unit_below(rng, r->payload_len < 2000 ? 100 : 9000);
    p->port = 77;
    r->udp_none = udp && unit_below(rng, 4) == 0;
    poke16(l4 + (udp ? 6 : 16), r->udp_none ? 0 : 0xbeef);
    if (!r->udp_none && unit_below(rng, 2))
        ck_assert(sums_make_partial(p));
}

START_TEST(segments_make_the_whole)
{
    static uint8_t room[ROOM];
    uint64_t rng = unit_seed();
    for (int round = 0; round < 300; round++) {
        struct packet p, before;
        struct receiver r;
        random_whole(&rng, &p, room, &r);
        uint8_t *copy = malloc(p.len);
        memcpy(copy, p.data, p.len);
        before = p;
        uint32_t longest = gso_max_l3_len(&p);
        ck_assert(gso_segment(&p, receive, &r));
        ck_assert_uint_eq(r.got, r.payload_len);
        ck_assert_uint_eq(r.n, MAX(1, (r.payload_len + p.gso_size - 1) / p.gso_size));
        ck_assert_uint_eq(r.longest, longest);
        ck_assert(!memcmp(copy, p.data, p.len)); /* the whole is not changed */
        ck_assert(!memcmp(&before, &p, sizeof p));
        free(copy);
    }
}
END_TEST

struct count {
    int n;
    uint32_t len;
};
static void count(struct packet *s, void *aux)
{
    struct count *c = aux;
    ck_assert_uint_eq(s->gso, GSO_NONE);
    ck_assert_uint_ne(s->csum, CSUM_PARTIAL);
    c->n++;
    c->len += s->len;
}

START_TEST(what_is_not_as_it_says_stays_whole)
{
    static uint8_t room[ROOM];
    uint64_t rng = unit_seed();
    for (int round = 0; round < 700; round++) {
        struct packet p;
        struct receiver r;
        struct count c = {0, 0};
        random_whole(&rng, &p, room, &r);
        uint8_t *ip = p.data + p.l3, *l4 = p.data + p.l4;
        bool v4 = ip[0] >> 4 == 4, tcp = p.gso != GSO_UDP_L4;
        switch (round % 7) {
        case 0: p.gso_size = 0; break;
        case 1: ip[0] ^= 0x20; break;
        case 2: ip[v4 ? 9 : 6] = 89; break;
        case 3: p.len = p.l4 + 7; break;
        case 4: p.gso = p.gso == GSO_TCPV4 ? GSO_TCPV6 : p.gso == GSO_TCPV6 ? GSO_TCPV4 : GSO_TCPV4; break;
        case 5:
            if (!v4)
                continue;
            ip[6] |= 0x20;
            break;
        case 6:
            if (!tcp)
                continue;
            l4[12] = 0x40;
            break;
        }
        ck_assert(!gso_segment(&p, count, &c));
        ck_assert_int_eq(c.n, 1);
        ck_assert_uint_eq(c.len, p.len);
    }
}
END_TEST

START_TEST(padding_is_not_payload)
{
    static uint8_t room[ROOM];
    uint64_t rng = unit_seed();
    for (int round = 0; round < 200; round++) {
        struct packet p;
        struct receiver r;
        random_whole(&rng, &p, room, &r);
        if (p.csum == CSUM_PARTIAL)
            p.csum = CSUM_NONE;
        p.len += 6;
        ck_assert(gso_segment(&p, receive, &r));
        ck_assert_uint_eq(r.got, r.payload_len);
    }
}
END_TEST

START_TEST(lengths_of_what_is_not_cut)
{
    uint64_t rng = unit_seed();
    for (int round = 0; round < 2000; round++) {
        uint8_t room[PACKET_HEADROOM + COMPOSE_ROOM];
        struct flow_key k;
        struct packet p;
        packets_random_key(&rng, &k);
        packet_init(&p, room, sizeof room, PACKET_HEADROOM, 0);
        packet_compose(&k, &p);
        uint32_t n = gso_max_l3_len(&p);
        if (k.eth.type == htons(ETYPE_IPV4))
            ck_assert_uint_eq(n, peek16(p.data + p.l3 + 2));
        else if (k.eth.type == htons(ETYPE_IPV6))
            ck_assert_uint_eq(n, 40 + peek16(p.data + p.l3 + 4));
        else if (p.l3 != 0xffff)
            ck_assert_uint_eq(n, p.len - p.l3);
    }
}
END_TEST

UNIT_TEST_MAIN("gso", segments_make_the_whole, what_is_not_as_it_says_stays_whole, padding_is_not_payload,
               lengths_of_what_is_not_cut)
