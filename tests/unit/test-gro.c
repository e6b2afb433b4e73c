/* Putting segments together: cut again they are what they were, byte for byte, and in order. */
#include "packets.h"
#include "sums.h"
#include "packet/gro.h"
#include "packet/gso.h"

enum { ROOM = PACKET_HEADROOM + PACKET_MAX, MANY = 64, TCP = 6, CWR = 0x80 };

struct list {
    struct packet *p[4 * MANY];
    unsigned n;
};

static struct packet *copy_of(const struct packet *from)
{
    struct packet *p = malloc(sizeof *p + ROOM);
    *p = *from;
    p->base = (uint8_t *)(p + 1);
    p->size = ROOM;
    p->data = p->base + PACKET_HEADROOM;
    memcpy(p->data, from->data, from->len);
    return p;
}

static void collect(struct packet *segment, void *aux)
{
    struct list *l = aux;
    ck_assert_uint_lt(l->n, ARRAY_SIZE(l->p));
    l->p[l->n++] = copy_of(segment);
}

static void clear(struct list *l)
{
    while (l->n)
        free(l->p[--l->n]);
}

/* Merges; those that are gone are freed. */
static void merge(struct list *l)
{
    struct packet *gone[ARRAY_SIZE(l->p)];
    unsigned left = gro_merge(l->p, l->n, gone);
    for (unsigned i = left; i < l->n; i++)
        free(gone[i - left]);
    l->n = left;
}

/* Checksums stored, as on the wire. */
static void fix_sums(struct packet *p)
{
    struct sums_l4 s;
    if (!sums_find(p->data, p->len, &s))
        return;
    if (s.version == 4) {
        memset(s.ip + 10, 0, 2);
        poke16(s.ip + 10, ~sums_fold(sums_add(s.ip, (s.ip[0] & 15) * 4, 0)));
    }
    p->csum = CSUM_PARTIAL;
    p->csum_start = s.l4 - p->data;
    p->csum_offset = s.proto == TCP ? 16 : 6;
    uint16_t l4_len = p->len - p->csum_start;
    be32 a[2];
    memcpy(a, s.ip + 12, 8);
    be16 start =
        s.version == 4 ? csum_pseudo4(a[0], a[1], s.proto, l4_len) : csum_pseudo6(s.ip + 8, s.ip + 24, s.proto, l4_len);
    memcpy(s.l4 + p->csum_offset, &start, 2);
    packet_finish_csum(p);
}

/* A super-segment as a host gives it to the switch, of 2 to MANY segments. */
static struct packet *random_whole(uint64_t *rng)
{
    struct flow_key k;
    struct packet *p = malloc(sizeof *p + ROOM);
    bool v6 = unit_below(rng, 2);
    do {
        packets_random_key(rng, &k);
    } while (k.eth.type != htons(v6 ? ETYPE_IPV6 : ETYPE_IPV4) || k.ip.frag || k.ip.proto != TCP);
    packet_init(p, (uint8_t *)(p + 1), ROOM, PACKET_HEADROOM, 0);
    packet_compose(&k, p);
    uint32_t options = 4 * unit_below(rng, 11), header = p->l4 + 20 + options;
    p->gso = v6 ? GSO_TCPV6 : GSO_TCPV4;
    p->gso_size = 1 + unit_below(rng, 1400);
    uint32_t most = MIN(65535 - (header - p->l3), MANY * p->gso_size);
    uint32_t payload = p->gso_size + 1 + unit_below(rng, most - p->gso_size - 1);
    packets_bytes(rng, p->data + p->l4 + 20, options + payload);
    p->len = header + payload;
    uint8_t *ip = p->data + p->l3, *l4 = p->data + p->l4;
    packets_bytes(rng, l4 + 4, 8);
    l4[12] = (5 + options / 4) << 4 | unit_below(rng, 2);
    l4[13] = 0x10 | (unit_below(rng, 2) ? 0x40 : 0) | (unit_below(rng, 2) ? 8 : 0) | (unit_below(rng, 4) ? 0 : 1);
    packets_bytes(rng, l4 + 14, 2);
    if (v6) {
        poke16(ip + 4, p->len - p->l4);
    } else {
        poke16(ip + 2, p->len - p->l3);
        poke16(ip + 4, unit_below(rng, 2) ? 0xffff : unit_random(rng));
        ip[6] = unit_below(rng, 4) ? 0x40 : 0;
        ip[7] = 0;
        memset(ip + 10, 0, 2);
        poke16(ip + 10, ~sums_fold(sums_add(ip, 20, 0)));
    }
    p->port = unit_below(rng, 10);
    p->tun.id = unit_below(rng, 2);
    ck_assert(sums_make_partial(p));
    return p;
}

static void cut(const struct packet *whole, struct list *l)
{
    *l = (struct list){.n = 0};
    ck_assert(gso_segment(whole, collect, l));
    ck_assert_uint_ge(l->n, 2);
}

START_TEST(merged_is_the_whole)
{
    uint64_t rng = unit_seed();
    for (int round = 0; round < 400; round++) {
        struct list l;
        struct packet *whole = random_whole(&rng);
        cut(whole, &l);
        if (unit_below(&rng, 2)) /* somebody has looked at the sums: they need not even be there */
            for (unsigned i = 0; i < l.n; i++) {
                l.p[i]->csum = CSUM_VALID;
                memset(l.p[i]->data + l.p[i]->l4 + 16, unit_random(&rng), 2);
            }
        merge(&l);
        ck_assert_uint_eq(l.n, 1);
        struct packet *p = l.p[0];
        ck_assert_uint_eq(p->len, whole->len);
        ck_assert(!memcmp(p->data, whole->data, p->len));
        ck_assert_uint_eq(p->gso, whole->gso);
        ck_assert_uint_eq(p->gso_size, whole->gso_size);
        ck_assert_uint_eq(p->gso_ecn, 0);
        ck_assert_uint_eq(p->csum, CSUM_PARTIAL);
        ck_assert_uint_eq(p->csum_start, whole->csum_start);
        ck_assert_uint_eq(p->csum_offset, whole->csum_offset);
        ck_assert_uint_eq(p->port, whole->port);
        clear(&l);
        free(whole);
    }
}
END_TEST

/* One thing that keeps the second of two segments apart from the first. `at` counts from `from`. */
enum from { ETH, IP4, IP6, L4, META };
struct barrier {
    const char *what;
    enum from from;
    unsigned at, flip;
    bool first; /* both segments have it */
};
static const struct barrier barriers[] = {
    {"MAC address", ETH, 3, 1, false},
    {"ToS", IP4, 1, 4, false},
    {"ECN", IP4, 1, 1, false},
    {"identification", IP4, 5, 1, false},
    {"DF", IP4, 6, 0x40, false},
    {"evil bit", IP4, 6, 0x80, true},
    {"more fragments", IP4, 6, 0x20, true},
    {"fragment offset", IP4, 7, 1, true},
    {"TTL", IP4, 8, 1, false},
    {"protocol", IP4, 9, 6 ^ 17, true},
    {"source", IP4, 15, 1, false},
    {"destination", IP4, 19, 1, false},
    {"flow label", IP6, 3, 1, false},
    {"traffic class", IP6, 1, 0x10, false},
    {"next header", IP6, 6, 6 ^ 17, true},
    {"next header is an extension", IP6, 6, 6, true},
    {"hop limit", IP6, 7, 1, false},
    {"source", IP6, 23, 1, false},
    {"destination", IP6, 39, 1, false},
    {"source port", L4, 1, 1, false},
    {"destination port", L4, 3, 1, false},
    {"sequence", L4, 7, 1, false},
    {"acknowledgement", L4, 11, 1, false},
    {"AE flag", L4, 12, 1, false},
    {"SYN", L4, 13, 2, false},
    {"SYN", L4, 13, 2, true},
    {"RST", L4, 13, 4, false},
    {"RST", L4, 13, 4, true},
    {"no ACK", L4, 13, 0x10, false},
    {"no ACK", L4, 13, 0x10, true},
    {"URG", L4, 13, 0x20, false},
    {"URG", L4, 13, 0x20, true},
    {"ECE", L4, 13, 0x40, false},
    {"CWR", L4, 13, CWR, false},
    {"CWR", L4, 13, CWR, true},
    {"PSH on the first", L4, 13, 8, true},
    {"FIN on the first", L4, 13, 1, true},
    {"window", L4, 15, 1, false},
    {"urgent pointer", L4, 19, 1, false},
    {"option", L4, 23, 1, false},
    {"port", META, 0, 1, false},
    {"tunnel key", META, 1, 1, false},
    {"partial sum", META, 2, 1, false},
    {"partial sum", META, 2, 1, true},
    {"IP checksum wrong", META, 3, 1, false},
    {"TCP checksum wrong", META, 4, 1, false},
    {"IP checksum wrong", META, 3, 1, true},
    {"TCP checksum wrong", META, 4, 1, true},
    {"padding", META, 5, 1, false},
    {"padding", META, 5, 1, true},
    {"longer than the first", META, 6, 1, false},
    {"no payload", META, 7, 1, false},
    {"no room", META, 8, 1, true},
};

static void change_meta(struct packet *p, unsigned what)
{
    uint32_t header = p->l4 + (p->data[p->l4 + 12] >> 4) * 4u;
    switch (what) {
    case 0:
        p->port ^= 1;
        break;
    case 1:
        p->tun.id ^= htobe64(1);
        break;
    case 2:
        ck_assert(sums_make_partial(p));
        break;
    case 3:
        p->data[p->l3 + 10] ^= 1;
        break;
    case 4:
        p->data[p->l4 + 16] ^= 1;
        break;
    case 5:
        p->len += 6;
        break;
    case 6:
        p->len += 1;
        break;
    case 7:
        p->len = header;
        break;
    case 8:
        p->size = packet_headroom(p) + p->len;
        break;
    }
    if (what == 6 || what == 7) {
        bool v4 = p->l4 - p->l3 == 20;
        poke16(p->data + p->l3 + (v4 ? 2 : 4), p->len - (v4 ? p->l3 : p->l4));
        fix_sums(p);
    }
}

static void change(struct packet *p, const struct barrier *b)
{
    static const bool sums[] = {[ETH] = false, [IP4] = true, [IP6] = true, [L4] = true, [META] = false};
    if (b->from == META) {
        change_meta(p, b->at);
        return;
    }
    p->data[(b->from == ETH ? 0 : b->from == L4 ? p->l4 : p->l3) + b->at] ^= b->flip;
    if (sums[b->from])
        fix_sums(p);
}

/* Two equal segments, the last of a whole, without flags that end. */
static bool two(uint64_t *rng, const struct barrier *b, struct list *l)
{
    struct packet *whole = random_whole(rng);
    bool v4 = whole->gso == GSO_TCPV4, options = whole->data[whole->l4 + 12] >> 4 > 5;
    bool fits = !(b->from == IP4 && !v4) && !(b->from == IP6 && v4) && !(b->from == META && b->at == 3 && !v4) &&
                !(b->from == L4 && b->at >= 20 && !options);
    whole->data[whole->l4 + 13] &= ~9;
    if (fits) {
        cut(whole, l);
        while (l->n > 2)
            free(l->p[--l->n]);
        fits = l->p[0]->len == l->p[1]->len;
        if (!fits)
            clear(l);
    }
    free(whole);
    return fits;
}

START_TEST(what_differs_stays_apart)
{
    uint64_t rng = unit_seed();
    for (size_t i = 0; i < ARRAY_SIZE(barriers); i++) {
        const struct barrier *b = &barriers[i];
        for (int round = 0; round < 20;) {
            struct list l, before = {.n = 0};
            if (!two(&rng, b, &l))
                continue;
            round++;
            change(l.p[1], b);
            if (b->first)
                change(l.p[0], b);
            for (unsigned j = 0; j < 2; j++)
                collect(l.p[j], &before);
            merge(&l);
            ck_assert_msg(l.n == 2, "%s: merged", b->what);
            for (unsigned j = 0; j < 2; j++) {
                ck_assert_uint_eq(l.p[j]->len, before.p[j]->len);
                ck_assert_msg(!memcmp(l.p[j]->data, before.p[j]->data, l.p[j]->len), "%s: changed", b->what);
                ck_assert_uint_eq(l.p[j]->gso, GSO_NONE);
            }
            clear(&l);
            clear(&before);
        }
    }
}
END_TEST

/* --- what comes, all mixed up --- */

/* What tells connections apart. */
static void identity(struct packet *p, uint8_t id[36])
{
    struct sums_l4 s;
    memset(id, 0, 36);
    if (!sums_find(p->data, p->len, &s) || (s.proto != TCP && s.proto != 17))
        return;
    if (s.l4 + 4 > p->data + p->len)
        return;
    memcpy(id, s.ip + (s.version == 4 ? 12 : 8), s.version == 4 ? 8 : 32);
    memcpy(id + 32, s.l4, 4);
}

static void mutate(uint64_t *rng, struct list *l, unsigned at)
{
    struct packet *p = l->p[at];
    unsigned other = unit_below(rng, l->n);
    switch (unit_below(rng, 8)) {
    case 0: /* lost */
        free(p);
        memmove(&l->p[at], &l->p[at + 1], (--l->n - at) * sizeof *l->p);
        break;
    case 1: /* reordered */
        l->p[at] = l->p[other];
        l->p[other] = p;
        break;
    case 2: /* twice */
        if (l->n < ARRAY_SIZE(l->p))
            l->p[l->n++] = copy_of(p);
        break;
    case 3: /* a byte is another one */
    case 4:
        p->data[unit_below(rng, unit_below(rng, 2) ? 80 : p->len)] ^= 1 << unit_below(rng, 8);
        if (unit_below(rng, 2))
            fix_sums(p);
        break;
    case 5:
        p->len = 14 + unit_below(rng, p->len - 13);
        break;
    case 6:
        p->len += unit_below(rng, 10);
        break;
    case 7:
        p->csum = CSUM_VALID; /* whatever it is */
        break;
    }
}

START_TEST(cut_again_it_is_what_it_was)
{
    uint64_t rng = unit_seed();
    unsigned before = 0, after = 0;
    for (int round = 0; round < 1500; round++) {
        struct list in = {.n = 0}, merged = {.n = 0}, out = {.n = 0};
        unsigned streams = 1 + unit_below(&rng, 3);
        while (streams--) {
            struct packet *whole = random_whole(&rng);
            if (whole->len > whole->gso_size * 40)
                whole->gso_size = whole->len / 40 + 1;
            gso_segment(whole, collect, &in);
            free(whole);
        }
        for (unsigned i = unit_below(&rng, 8); i && in.n > 1; i--)
            mutate(&rng, &in, unit_below(&rng, in.n));
        for (unsigned i = 0; i < in.n; i++)
            collect(in.p[i], &merged);
        merge(&merged);
        before += in.n;
        after += merged.n;
        for (unsigned i = 0; i < merged.n; i++)
            if (merged.p[i]->gso)
                ck_assert(gso_segment(merged.p[i], collect, &out));
            else
                collect(merged.p[i], &out);
        ck_assert_uint_eq(in.n, out.n);
        /* Each connection's packets, in order. Where the sum was only said to be right, it is made so. */
        for (unsigned i = 0; i < in.n; i++) {
            uint8_t want[36], have[36];
            identity(in.p[i], want);
            unsigned j = 0;
            while (j < out.n && (!out.p[j] || (identity(out.p[j], have), memcmp(have, want, sizeof want))))
                j++;
            ck_assert_msg(j < out.n, "packet %u is missing", i);
            struct packet *a = in.p[i], *b = out.p[j];
            ck_assert_uint_eq(a->len, b->len);
            if (a->csum == CSUM_VALID && memcmp(a->data, b->data, a->len)) {
                fix_sums(a);
                fix_sums(b);
            }
            ck_assert_msg(!memcmp(a->data, b->data, a->len), "packet %u has changed", i);
            ck_assert(a->port == b->port && !memcmp(&a->tun, &b->tun, sizeof a->tun));
            free(b);
            out.p[j] = NULL;
        }
        clear(&in);
        clear(&merged);
    }
    ck_assert_msg(after * 3 < before, "of %u packets %u are left: little was merged", before, after);
}
END_TEST

START_TEST(more_connections_than_it_keeps_open)
{
    uint64_t rng = unit_seed();
    struct list streams[40], l = {.n = 0};
    for (unsigned i = 0; i < 40; i++) {
        static const struct barrier any = {"", ETH, 0, 0, false};
        while (!two(&rng, &any, &streams[i]))
            ;
    }
    for (unsigned i = 0; i < 40; i++)
        for (unsigned j = 0; j < 2; j++)
            l.p[l.n++] = streams[i - i % 2 + j].p[i % 2]; /* pairs, one beside the other */
    merge(&l);
    ck_assert_uint_eq(l.n, 40);
    clear(&l);
}
END_TEST

UNIT_TEST_MAIN("gro", merged_is_the_whole, what_differs_stays_apart, cut_again_it_is_what_it_was,
               more_connections_than_it_keeps_open)
