/* The parser against packets made from keys, packets made by others, and packets cut short. */
#include "packets.h"
#include "packet/match.h"
#include "sums.h"

/* key_parse_fast(), if it takes the packet, against what key_parse() said. True: it did. */
static bool assert_fast_is_same(const struct packet *parsed, uint32_t in_port, enum layer depth, const struct flow_key *key)
{
    struct packet p = *parsed;
    struct flow_key fast;
    if (depth < L_ETH || !key_parse_fast(&p, in_port, depth, &fast))
        return false;
    for (unsigned w = 0; w < FLOW_KEY_WORDS; w++) {
        uint64_t got = KEY_FAST_WORDS >> w & 1 ? key_words(&fast)[w] : 0;
        ck_assert_msg(got == key_words_const(key)[w], "depth %d, word %u", depth, w);
    }
    ck_assert(p.l25 == parsed->l25 && p.l3 == parsed->l3 && p.l4 == parsed->l4);
    return true;
}

/* Parses a copy that ends where the allocation does, so that ASan sees every byte too many. */
static void parse(const uint8_t *frame, uint32_t len, enum layer depth, struct packet *p, struct flow_key *key)
{
    uint8_t *exact = malloc(len ? len : 1);
    memcpy(exact, frame, len);
    packet_init(p, exact, len, 0, len);
    memset(key, 0xee, sizeof *key);
    key_parse(p, 3, depth, key);
    assert_fast_is_same(p, 3, depth, key);
    p->data = p->base = NULL;
    free(exact);
}

static void assert_same_key(const struct flow_key *a, const struct flow_key *b, const char *what)
{
    for (size_t i = 0; i < sizeof *a; i++) /* ck_assert() is dear in loops like these */
        if (((const uint8_t *)a)[i] != ((const uint8_t *)b)[i])
            ck_abort_msg("%s: byte %zu of the key", what, i);
}

START_TEST(gives_back_the_key_that_made_the_packet)
{
    uint64_t rng = unit_seed();
    unsigned fast = 0;
    for (int round = 0; round < 5000; round++) {
        uint8_t room[PACKET_HEADROOM + COMPOSE_ROOM];
        struct flow_key key, got;
        struct packet p;
        packets_random_key(&rng, &key);
        packet_init(&p, room, sizeof room, PACKET_HEADROOM, 0);
        packet_compose(&key, &p);
        struct packet composed = p;
        key_parse(&p, ntohl(key.meta.in_port), L_L4, &got);
        fast += assert_fast_is_same(&p, ntohl(key.meta.in_port), L_L4, &got);
        assert_same_key(&key, &got, "composed");
        ck_assert_uint_eq(p.l25, composed.l25);
        ck_assert_uint_eq(p.l3, composed.l3);
        ck_assert_uint_eq(p.l4, composed.l4);
    }
    if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
        ck_assert_uint_gt(fast, 10);
}
END_TEST

static enum layer layer_at(size_t ofs)
{
    return ofs >= offsetof(struct flow_key, l4)    ? L_L4
           : ofs >= offsetof(struct flow_key, ip)  ? L_IP
           : ofs >= offsetof(struct flow_key, eth) ? L_ETH
                                                   : L_META;
}

START_TEST(depth_ends_the_key)
{
    uint64_t rng = unit_seed();
    for (int round = 0; round < 2000; round++) {
        uint8_t room[PACKET_HEADROOM + COMPOSE_ROOM];
        struct flow_key key, got;
        struct packet p;
        packets_random_key(&rng, &key);
        packet_init(&p, room, sizeof room, PACKET_HEADROOM, 0);
        packet_compose(&key, &p);
        for (enum layer depth = L_META; depth < N_LAYERS; depth++) {
            key_parse(&p, ntohl(key.meta.in_port), depth, &got);
            for (size_t i = 0; i < sizeof key; i++)
                if (((uint8_t *)&got)[i] != (layer_at(i) <= depth ? ((uint8_t *)&key)[i] : 0))
                    ck_abort_msg("byte %zu at depth %d", i, depth);
        }
    }
}
END_TEST

/* Whatever is cut off, what is left of the key is the whole packet's or zero. */
START_TEST(cut_packets_lose_fields_and_nothing_else)
{
    uint64_t rng = unit_seed();
    for (int round = 0; round < 100; round++) {
        uint8_t room[PACKET_HEADROOM + COMPOSE_ROOM];
        struct flow_key key, got;
        struct packet p, cut;
        packets_random_key(&rng, &key);
        packet_init(&p, room, sizeof room, PACKET_HEADROOM, 0);
        packet_compose(&key, &p);
        memset(&key.tun, 0, sizeof key.tun);
        key.meta.in_port = key.meta.in_phy_port = htonl(3);
        for (uint32_t len = 0; len < p.len; len++) {
            parse(p.data, len, L_L4, &cut, &got);
            for (int f = 0; f < N_FIELDS; f++) {
                union field_value whole, left;
                static const union field_value zero;
                field_get(f, &key, &whole);
                field_get(f, &got, &left);
                if (f == FIELD_ETH_TYPE && key.eth.type == htons(ETYPE_LLC))
                    continue;
                if (memcmp(&left, &whole, sizeof left) && memcmp(&left, &zero, sizeof left))
                    ck_abort_msg("%s at %u bytes", fields[f].name, len);
            }
            ck_assert(cut.l3 == 0xffff || cut.l3 <= len);
            ck_assert(cut.l4 == 0xffff || cut.l4 <= len);
            ck_assert(cut.l25 == 0xffff || cut.l25 + 4u <= len);
        }
    }
}
END_TEST

START_TEST(random_bytes_do_no_harm)
{
    uint64_t rng = unit_seed();
    for (int round = 0; round < 5000; round++) {
        uint8_t room[PACKET_HEADROOM + COMPOSE_ROOM];
        struct flow_key key;
        struct packet p, q;
        packets_random_key(&rng, &key);
        packet_init(&p, room, sizeof room, PACKET_HEADROOM, 0);
        packet_compose(&key, &p);
        for (unsigned n = unit_below(&rng, 8); n; n--)
            p.data[unit_below(&rng, p.len)] = unit_random(&rng);
        parse(p.data, unit_below(&rng, p.len + 1), unit_below(&rng, N_LAYERS), &q, &key);
    }
}
END_TEST

/* --- Packets written by hand --- */

struct text_frame {
    uint8_t b[512];
    uint32_t n;
};
static struct text_frame hex(const char *s)
{
    struct text_frame f = {{0}, 0};
    for (int hi = -1; *s; s++) {
        static const char digits[] = "0123456789abcdef";
        const char *d = strchr(digits, *s);
        if (!d)
            continue;
        if (hi < 0) {
            hi = d - digits;
        } else {
            f.b[f.n++] = hi << 4 | (d - digits);
            hi = -1;
        }
    }
    ck_assert(f.n < sizeof f.b);
    return f;
}
#define MACS "020000000002 020000000001 "
#define IP4(TOTAL, FRAG, PROTO) "4500" TOTAL "0000" FRAG "40" PROTO "0000 0a000001 0a000002 "
#define IP6(LEN, NEXT) "60000000" LEN NEXT "40 20010db8000000000000000000000001 20010db8000000000000000000000002 "
#define TCP "1388 0050 00000001 00000002 5012 ffff 0000 0000 "

static struct flow_key key_of(const char *text, struct packet *p)
{
    struct text_frame f = hex(text);
    struct flow_key key;
    struct packet other;
    parse(f.b, f.n, L_L4, p ? p : &other, &key);
    return key;
}

START_TEST(tags)
{
    struct packet p;
    struct flow_key k = key_of(MACS "8100 2064 88a8 f005 9100 0001 0800", &p);
    ck_assert_uint_eq(ntohs(k.eth.tci), 0x3064);
    ck_assert_uint_eq(ntohs(k.eth.tci2), 0xf005);
    ck_assert_uint_eq(ntohs(k.eth.tpid), 0x8100);
    ck_assert_uint_eq(ntohs(k.eth.tpid2), 0x88a8);
    ck_assert_uint_eq(ntohs(k.eth.type), 0x0800); /* "after VLAN tags", all of them: OpenFlow 1.3.5, table 12 */
    ck_assert_uint_eq(k.eth.n_tags, 3);
    ck_assert_uint_eq(p.l3, 26);
    k = key_of(MACS "8100 2064 08", &p);
    ck_assert_uint_eq(k.eth.tci, 0);
    ck_assert_uint_eq(k.eth.type, 0);
    ck_assert_uint_eq(p.l3, 0xffff);
    ck_assert_uint_eq(k.eth.src[5], 1);
}
END_TEST

START_TEST(lengths_instead_of_types)
{
    struct packet p;
    ck_assert_uint_eq(ntohs(key_of(MACS "0003 424203", &p).eth.type), 0x05ff);
    ck_assert_uint_eq(p.l3, 14);
    /* RFC 1042: SNAP with OUI 0 has an Ethernet type. */
    struct flow_key k = key_of(MACS "0008 aaaa03 000000 0800" IP4("0028", "0000", "06") TCP, &p);
    ck_assert_uint_eq(ntohs(k.eth.type), 0x0800);
    ck_assert_uint_eq(ntohs(k.l4.dst), 80);
    ck_assert_uint_eq(p.l3, 22);
    ck_assert_uint_eq(ntohs(key_of(MACS "0008 aaaa03 00000c 0800", &p).eth.type), 0x05ff);
    ck_assert_uint_eq(ntohs(key_of(MACS "0008 aaaa03 000000 0006", &p).eth.type), 0x05ff);
    ck_assert_uint_eq(ntohs(key_of(MACS "0600", &p).eth.type), 0x0600);
}
END_TEST

START_TEST(ipv4_shapes)
{
    struct packet p;
    struct flow_key k = key_of(MACS "0800" IP4("0028", "4000", "06") TCP, &p);
    ck_assert_uint_eq(k.ip.frag, 0); /* DF is no fragment */
    ck_assert_uint_eq(ntohs(k.l4.src), 5000);
    ck_assert_uint_eq(ntohs(k.l4.tcp_flags), HAS_L4 | 0x12);
    ck_assert_uint_eq(p.l4, 34);
    k = key_of(MACS "0800" IP4("0028", "2000", "06") TCP, &p);
    ck_assert_uint_eq(k.ip.frag, FRAG_ANY);
    ck_assert_uint_eq(ntohs(k.l4.src), 5000);
    k = key_of(MACS "0800" IP4("0028", "2001", "06") TCP, &p);
    ck_assert_uint_eq(k.ip.frag, FRAG_ANY | FRAG_LATER);
    ck_assert_uint_eq(k.l4.src, 0);
    ck_assert_uint_eq(p.l4, 0xffff);
    /* Options; no checksum is looked at. */
    k = key_of(MACS "0800 4600002c 00000000 40060000 0a000001 0a000002 01010100" TCP, &p);
    ck_assert_uint_eq(ntohs(k.l4.dst), 80);
    ck_assert_uint_eq(p.l4, 38);
    /* Total length says that the TCP header is not there; what follows is padding. */
    k = key_of(MACS "0800" IP4("0027", "0000", "06") TCP, &p);
    ck_assert_uint_eq(k.l4.src, 0);
    ck_assert_uint_eq(k.ip.proto, 6);
    static const char *const bad[] = {
        MACS "0800 55000028 00000000 40060000 0a000001 0a000002" TCP, /* version 5 */
        MACS "0800 44000028 00000000 40060000 0a000001 0a000002" TCP, /* header of 16 bytes */
        MACS "0800 4f000028 00000000 40060000 0a000001 0a000002" TCP, /* options behind the end */
        MACS "0800 45000013 00000000 40060000 0a000001 0a000002" TCP, /* shorter than its header */
        MACS "0800 65000028 00000000 40060000 0a000001 0a000002" TCP,
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        k = key_of(bad[i], &p);
        ck_assert_uint_eq(k.ip.proto, 0);
        ck_assert_uint_eq(k.ip4.src, 0);
        ck_assert_uint_eq(k.l4.src, 0);
        ck_assert_uint_eq(p.l4, 0xffff);
        ck_assert_uint_eq(p.l3, 14);
    }
}
END_TEST

START_TEST(ipv6_extensions)
{
    struct packet p;
    /* Hop-by-hop, destination options (16 bytes), routing, AH (24 bytes), fragment that is atomic, TCP. */
    struct flow_key k = key_of(MACS "86dd" IP6("0054", "00") "3c00010400000000 2b01010c000000000000000000000000 "
                               "3300000000000000 2c04000000000000000000000000000000000000 00000000 06000000 00000007 " TCP, &p);
    ck_assert_uint_eq(k.ip.proto, 6);
    ck_assert_uint_eq(k.ip.frag, 0);
    ck_assert_uint_eq(ntohs(k.l4.dst), 80);
    ck_assert_uint_eq(p.l4, 14 + 40 + 8 + 16 + 8 + 24 + 8);
    k = key_of(MACS "86dd" IP6("001c", "2c") "06000001 00000007" TCP, &p);
    ck_assert_uint_eq(k.ip.frag, FRAG_ANY);
    ck_assert_uint_eq(ntohs(k.l4.dst), 80);
    k = key_of(MACS "86dd" IP6("001c", "2c") "06000008 00000007" TCP, &p);
    ck_assert_uint_eq(k.ip.frag, FRAG_ANY | FRAG_LATER);
    ck_assert_uint_eq(k.ip.proto, 6);
    ck_assert_uint_eq(k.l4.dst, 0);
    /* A chain that leaves the packet: addresses are known, the protocol is not. */
    k = key_of(MACS "86dd" IP6("0010", "3c") "3c00010400000000 06ff000000000000", &p);
    ck_assert_uint_eq(k.ip.proto, 0);
    ck_assert_uint_eq(k.ip6.src[15], 1);
    ck_assert_uint_eq(p.l4, 0xffff);
    /* 16 headers are read, 17 are not. */
    for (unsigned n = 15; n <= 17; n++) {
        char text[1000] = MACS "86dd" IP6("00ff", "3c");
        for (unsigned i = 1; i < n; i++)
            strcat(text, "3c00010400000000 ");
        strcat(text, "1100010400000000 0035003500080000");
        k = key_of(text, &p);
        ck_assert_uint_eq(ntohs(k.l4.dst), n <= 16 ? 53 : 0);
        ck_assert_uint_eq(k.ip.proto, n <= 16 ? 17 : 0);
    }
    k = key_of(MACS "86dd" IP6("0000", "3b"), &p);
    ck_assert_uint_eq(k.ip.proto, 59);
}
END_TEST

START_TEST(gre_keys)
{
    /* flags, type, key */
    struct flow_key k = key_of(MACS "0800" IP4("0020", "0000", "2f") "2000 6558 0000000a 00000000", NULL);
    ck_assert_uint_eq(ntohl(k.gre.key), 10);
    ck_assert_uint_eq(ntohs(k.gre.flags), 0x2000);
    ck_assert_uint_eq(ntohs(k.gre.proto), 0x6558);
    /* a key of zero is a key */
    k = key_of(MACS "0800" IP4("001c", "0000", "2f") "2000 6558 00000000", NULL);
    ck_assert_uint_eq(ntohs(k.gre.flags), GRE_KEY_PRESENT);
    /* no key, and bytes that look like one */
    k = key_of(MACS "0800" IP4("001c", "0000", "2f") "0000 6558 0000000a", NULL);
    ck_assert_uint_eq(k.gre.key | k.gre.flags, 0);
    ck_assert_uint_eq(ntohs(k.gre.proto), 0x6558);
    /* the checksum stands before the key, the sequence number behind */
    k = key_of(MACS "0800" IP4("0024", "0000", "2f") "b000 6558 12340000 0000000b 00000001", NULL);
    ck_assert_uint_eq(ntohl(k.gre.key), 11);
    /* RFC 1701 routing, and RFC 2637 (PPTP): no key */
    k = key_of(MACS "0800" IP4("0024", "0000", "2f") "6000 6558 12340000 0000000b 00000001", NULL);
    ck_assert_uint_eq(k.gre.key, 0);
    ck_assert_uint_eq(ntohs(k.gre.flags), 0x4000);
    k = key_of(MACS "0800" IP4("0024", "0000", "2f") "2001 880b 12340000 0000000b 00000001", NULL);
    ck_assert_uint_eq(k.gre.key, 0);
    ck_assert_uint_eq(ntohs(k.gre.flags), 1);
    /* cut short */
    k = key_of(MACS "0800" IP4("001a", "0000", "2f") "2000 6558 0000000a", NULL);
    ck_assert_uint_eq(k.gre.flags | k.gre.key | k.gre.proto, 0);
    /* IPv6, and a later fragment */
    k = key_of(MACS "86dd" IP6("0008", "2f") "2000 6558 0000000c", NULL);
    ck_assert_uint_eq(ntohl(k.gre.key), 12);
    k = key_of(MACS "0800" IP4("001c", "0007", "2f") "2000 6558 0000000a", NULL);
    ck_assert_uint_eq(k.gre.key, 0);
}
END_TEST

START_TEST(neighbours)
{
#define TARGET "fe800000000000000000000000000009 "
    struct flow_key k = key_of(MACS "86dd" IP6("0028", "3a") "87000000 00000000" TARGET "0e01000000000000 0101020000000005", NULL);
    ck_assert_uint_eq(k.nd.target[15], 9);
    ck_assert_uint_eq(k.nd.sll[5], 5); /* the second option */
    ck_assert_uint_eq(k.nd.tll[5], 0);
    k = key_of(MACS "86dd" IP6("0020", "3a") "88000000 00000000" TARGET "0201020000000006", NULL);
    ck_assert_uint_eq(k.nd.tll[5], 6);
    /* an option of length 0 ends it */
    k = key_of(MACS "86dd" IP6("0028", "3a") "87000000 00000000" TARGET "0e00000000000000 0101020000000005", NULL);
    ck_assert_uint_eq(k.nd.sll[5], 0);
    ck_assert_uint_eq(k.nd.target[15], 9);
    /* not a neighbour message with another code */
    k = key_of(MACS "86dd" IP6("0020", "3a") "87010000 00000000" TARGET "0101020000000005", NULL);
    ck_assert_uint_eq(k.nd.target[15], 0);
    ck_assert_uint_eq(k.l4.icmp_code, 1);
    /* ARP that is not for Ethernet and IPv4 */
    ck_assert_uint_eq(key_of(MACS "0806 0001080006040001 020000000001 0a000001 000000000000 0a000002", NULL).arp.op, htons(1));
    ck_assert_uint_eq(key_of(MACS "0806 0001080006100001 020000000001 0a000001 000000000000 0a000002", NULL).arp.op, 0);
    ck_assert_uint_eq(key_of(MACS "0806 0006080006040001 020000000001 0a000001 000000000000 0a000002", NULL).arp.op, 0);
}
END_TEST

/* --- Packets that somebody else has made --- */

static const struct {
    const char *name, *hex, *fields;
} frames[] = {
#define FRAME(name, hex, fields) {name, hex, fields},
#include "frames.def"
#undef FRAME
};

START_TEST(other_peoples_packets)
{
    for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
        struct text_frame f = hex(frames[i].hex);
        struct flow_key want = {0}, got;
        struct packet p;
        char text[400], *rest, *word;
        snprintf(text, sizeof text, "%s", frames[i].fields);
        for (word = strtok_r(text, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
            size_t n = strcspn(word, "=");
            union field_value v, mask, old;
            int id = field_by_name(word, n);
            ck_assert_msg(id >= 0 && field_parse(id, word + n + 1, strlen(word + n + 1), NULL, &v, &mask, NULL), "%s", word);
            field_get(id, &want, &old); /* nw_tos leaves the ECN bits */
            for (int w = 0; w < 2; w++)
                v.w[w] |= old.w[w] & ~mask.w[w];
            field_set(id, &want, &v);
        }
        parse(f.b, f.n, L_L4, &p, &got);
        for (int id = FIELD_ETH_DST; id < N_FIELDS; id++) {
            union field_value a, b;
            field_get(id, &want, &a);
            field_get(id, &got, &b);
            if (got.mpls.labels && fields[id].layer > L_ETH) /* what is below the labels */
                continue;
            ck_assert_msg(!memcmp(&a, &b, sizeof a), "%s: %s", frames[i].name, fields[id].name);
        }
        p.data = f.b;
        const char *wrong = want.eth.type == htons(ETYPE_IPV4) && !strstr(frames[i].name, "snap") ? sums_wrong(&p, false) : NULL;
        ck_assert_msg(!wrong || strstr(frames[i].name, "fragment"), "%s: checksum of %s", frames[i].name, wrong);
    }
}
END_TEST

/* Of every packet and every length of it: no condition on a field, whatever its value and mask (zero above all), holds for
 * the part that does not hold for the whole, but for those that say what is not there: no VLAN tag, no type. Quite apart from
 * prerequisites, which only narrow it. */
static void check_prefix(const struct flow_key *whole, const struct flow_key *part, const char *name, size_t n)
{
    for (int f = FIELD_ETH_DST; f < N_FIELDS; f++) {
        union field_value v, none = {{0}};
        struct match zero = {0}, same = {0};
        if (f == FIELD_ETH_TYPE || f == FIELD_VLAN_TCI || f == FIELD_VLAN_VID || f == FIELD_VLAN_PCP)
            continue;
        field_get(f, part, &v);
        match_set(&zero, f, &none, NULL);
        match_set(&same, f, &v, NULL);
        if (match_hits(&zero, part) && !match_hits(&zero, whole))
            ck_abort_msg("%s, %zu bytes: %s=0", name, n, fields[f].name);
        if (match_hits(&same, part) && !match_hits(&same, whole))
            ck_abort_msg("%s, %zu bytes: %s", name, n, fields[f].name);
    }
}

START_TEST(a_part_matches_no_more_than_the_whole)
{
    uint64_t rng = unit_seed();
    for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
        struct text_frame f = hex(frames[i].hex);
        struct flow_key whole, part;
        struct packet p;
        parse(f.b, f.n, L_L4, &p, &whole);
        for (size_t n = 0; n <= f.n; n++) {
            parse(f.b, n, L_L4, &p, &part);
            if (n >= 14)
                check_prefix(&whole, &part, frames[i].name, n);
        }
    }
    for (int round = 0; round < 300; round++) {
        uint8_t room[PACKET_HEADROOM + COMPOSE_ROOM];
        struct flow_key key, whole, part;
        struct packet p, cut;
        packets_random_key(&rng, &key);
        packet_init(&p, room, sizeof room, PACKET_HEADROOM, 0);
        packet_compose(&key, &p);
        key_parse(&p, 1, L_L4, &whole);
        for (uint32_t n = 14; n <= p.len; n++) {
            cut = p;
            cut.len = n;
            key_parse(&cut, 1, L_L4, &part);
            check_prefix(&whole, &part, "random", n);
        }
    }
}
END_TEST

/* --- IPv6 extension headers: OpenFlow 1.3.5, 7.2.3.8, once more, in the plainest way --- */

static unsigned plain_exthdr(const uint8_t *order, unsigned n, uint8_t last)
{
    unsigned flags = 0, count[256] = {0};
    for (unsigned i = 0; i < n; i++)
        count[order[i]]++;
    flags |= n && order[0] == 0 ? EXTHDR_HOP : 0;
    flags |= count[43] ? EXTHDR_ROUTER : 0;
    flags |= count[44] ? EXTHDR_FRAG : 0;
    flags |= count[51] ? EXTHDR_AUTH : 0;
    flags |= count[60] ? EXTHDR_DEST : 0;
    flags |= last == 50 ? EXTHDR_ESP : last == 59 ? EXTHDR_NONEXT : 0;
    if (count[0] > 1 || count[43] > 1 || count[44] > 1 || count[51] > 1 || count[60] > 2)
        flags |= EXTHDR_UNREP;
    /* RFC 2460, 4.1: hop-by-hop, destination, routing, fragment, authentication, ESP, destination. Is what is there, each
     * header at its first or repeated place, in that order? Destination options fit the first place only as the first of them
     * and directly behind hop-by-hop or nothing. */
    unsigned place = 0, dests = 0;
    for (unsigned i = 0; i <= n; i++) {
        uint8_t h = i < n ? order[i] : last;
        unsigned want = h == 0 ? 1 : h == 43 ? 3 : h == 44 ? 4 : h == 51 ? 5 : h == 50 ? 6 : 0;
        if (i == n && h != 50)
            break;
        if (h == 60)
            want = dests++ == 0 && place <= 1 ? 2 : 7;
        if (want < place)
            flags |= EXTHDR_UNSEQ;
        place = MAX(place, want);
    }
    return flags;
}

START_TEST(extension_headers_in_any_order)
{
    static const uint8_t kinds[] = {0, 43, 44, 51, 60, 60}, lasts[] = {6, 17, 50, 59, 58};
    uint64_t rng = unit_seed();
    for (int round = 0; round < 20000; round++) {
        uint8_t frame[14 + 40 + 8 * 8 + 40] = {0}, order[8], last = lasts[unit_below(&rng, sizeof lasts)];
        unsigned n = unit_below(&rng, 7);
        struct packet p;
        struct flow_key key;
        for (unsigned i = 0; i < n; i++)
            order[i] = kinds[unit_below(&rng, sizeof kinds)];
        poke16(frame + 12, ETYPE_IPV6);
        frame[14] = 0x60;
        poke16(frame + 18, n * 8 + 40);
        frame[20] = n ? order[0] : last;
        for (unsigned i = 0; i < n; i++)
            frame[54 + 8 * i] = i + 1 < n ? order[i + 1] : last;
        parse(frame, sizeof frame, L_IP, &p, &key);
        unsigned got = ntohl(key.ip.flabel) >> EXTHDR_SHIFT & 0x1ff, want = plain_exthdr(order, n, last);
        ck_assert_msg(got == want, "%u headers, %u %u %u %u %u %u, then %u: 0x%x, not 0x%x", n, order[0], order[1], order[2],
                      order[3], order[4], order[5], last, got, want);
        ck_assert_uint_eq(key.ip.proto, last);
    }
}
END_TEST

UNIT_TEST_MAIN("parse", a_part_matches_no_more_than_the_whole, extension_headers_in_any_order, other_peoples_packets, gives_back_the_key_that_made_the_packet, depth_ends_the_key,
               cut_packets_lose_fields_and_nothing_else, random_bytes_do_no_harm, tags, lengths_instead_of_types,
               ipv4_shapes, ipv6_extensions, gre_keys, neighbours)
