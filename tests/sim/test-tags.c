/* What the walk knows of a packet whose headers it pushes and pops, against the packet itself: random stacks of tags,
 * labels and service tags under random actions. And of cached paths: what they consulted is all that they depend on. */
#include "packet/compose.h"
#include "packet/ip.h"
#include "packet/modify.h"
#include "packet/parse.h"
#include "tests/sim/random.h"

static const char *const actions[] = {
    "push_vlan:0x8100",
    "push_vlan:0x88a8",
    "pop_vlan",
    "pop_vlan",
    "push_mpls:0x8847",
    "push_mpls:0x8848",
    "pop_mpls:0x0800",
    "pop_mpls:0x86dd",
    "pop_mpls:0x8847",
    "pop_mpls:0x8847",
    "pop_mpls:0x8100",
    "pop_mpls:0x88e7",
    "push_pbb:0x88e7",
    "pop_pbb",
    "copy_ttl_in",
    "copy_ttl_out",
    "set_mpls_ttl:9",
    "dec_mpls_ttl",
    "dec_ttl",
    "set_field:5->mpls_label",
    "set_field:7->pbb_isid",
    "set_field:1.2.3.4->ip_dst",
    "set_field:4102->vlan_vid",
    "set_field:3->vlan_pcp",
    "set_field:0->mpls_bos",
    "set_field:1->mpls_bos",
    "set_field:0x0800->eth_type",
    "set_field:6->ip_proto",
    "set_field:02:00:00:00:00:07->eth_src",
    "set_field:80->udp_dst",
};

static void put_bytes(struct buf *f, uint64_t *rng, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_u8(f, (uint8_t)unit_random(rng));
}

/* UDP, or another IP packet. */
static void put_ip(struct buf *f, uint64_t *rng, bool v6)
{
    uint8_t ttl = (uint8_t)(2 + unit_below(rng, 200));
    bool more = !unit_below(rng, 5), inner6 = unit_below(rng, 2);
    uint8_t proto = !more ? IPPROTO_UDP : inner6 ? IPPROTO_IPV6 : IPPROTO_IPIP;
    uint16_t len = more ? 100 : 20;
    if (v6) {
        buf_u32(f, 0x60000000);
        buf_u16(f, len);
        buf_u16(f, (uint16_t)(proto << 8 | ttl));
        put_bytes(f, rng, 32);
    } else {
        buf_u32(f, 0x45000000u | (20u + len));
        buf_u32(f, 0);
        buf_u32(f, (uint32_t)ttl << 24 | (uint32_t)proto << 16);
        put_bytes(f, rng, 8);
    }
    if (more) {
        put_ip(f, rng, inner6);
        return;
    }
    put_bytes(f, rng, 4);
    buf_u16(f, 20);
    buf_u16(f, 0);
    buf_zeros(f, 80);
}

/* What follows a type: some more headers, and in the end something. */
static void put_rest(struct buf *f, uint64_t *rng, unsigned depth)
{
    switch (depth > 4 ? 3 + unit_below(rng, 4) : unit_below(rng, 9)) {
    case 0:
    case 1: /* a tag */
        buf_u16(f, unit_below(rng, 2) ? 0x8100 : 0x88a8);
        put_bytes(f, rng, 2);
        put_rest(f, rng, depth + 1);
        return;
    case 2: /* PBB */
        buf_u16(f, ETYPE_PBB);
        put_bytes(f, rng, 16);
        put_rest(f, rng, depth + 1);
        return;
    case 3:
        buf_u16(f, ETYPE_IPV4);
        put_ip(f, rng, false);
        return;
    case 4:
        buf_u16(f, ETYPE_IPV6);
        put_ip(f, rng, true);
        return;
    case 5:
        buf_u16(f, 0x88b5);
        buf_zeros(f, 30);
        return;
    default: { /* labels; at times one is missing, or what is below is not what one would think */
        unsigned n = 1 + unit_below(rng, 4);
        buf_u16(f, unit_below(rng, 2) ? ETYPE_MPLS : ETYPE_MPLS_MC);
        for (unsigned i = 0; i < n; i++)
            buf_u32(f, ((uint32_t)unit_random(rng) & 0xfffffe00) | (i + 1 == n) << 8 | (2 + unit_below(rng, 200)));
        if (unit_below(rng, 6))
            put_ip(f, rng, unit_below(rng, 2));
        else
            put_bytes(f, rng, unit_below(rng, 30));
    }
    }
}

static void random_frame(struct buf *f, uint64_t *rng)
{
    buf_clear(f);
    put_bytes(f, rng, 12);
    if (!unit_below(rng, 8)) { /* IEEE 802.3 with SNAP */
        buf_u16(f, 100);
        buf_put(f, "\xaa\xaa\x03\0\0\0", 6);
    }
    put_rest(f, rng, 0);
    if (!unit_below(rng, 8))
        f->len = 14 + unit_below(rng, (uint32_t)f->len - 13);
}

struct watch {
    struct walk_listener l;
    struct flow_key key;
    bool seen;
};

static void on_table(struct walk_listener *l, const struct ofproto *o UNUSED, uint8_t table UNUSED,
                     struct rule *r UNUSED, const struct flow_view *v)
{
    struct watch *w = container_of(l, struct watch, l);
    w->key = v->key;
    w->seen = true;
}

/* Executes what is executed on the packet itself. */
static void execute(const struct dp_path *path, struct packet *p)
{
    DPACT_FOR_EACH(a, path->acts.data, path->acts.len)
    {
        const struct dpact_set *set = (const void *)a;
        bool ok = true;
        switch ((enum dpact_type)a->type) {
        case DPACT_SET_FIELD:
            ok = packet_set_field(p, a->arg, &set->value, &set->mask) || a->arg == FIELD_ETH_TYPE;
            break;
        case DPACT_PUSH_VLAN:
            ok = packet_push_vlan(p, htons((uint16_t)(a->arg >> 16)), htons((uint16_t)a->arg));
            break;
        case DPACT_POP_VLAN:
            ok = packet_pop_vlan(p);
            break;
        case DPACT_PUSH_MPLS:
            ok = packet_push_mpls(p, htons((uint16_t)a->arg), ((const struct dpact_mpls *)a)->lse);
            break;
        case DPACT_POP_MPLS:
            ok = packet_pop_mpls(p, htons((uint16_t)a->arg));
            break;
        case DPACT_PUSH_PBB:
            ok = packet_push_pbb(p, htonl(a->arg));
            break;
        case DPACT_POP_PBB:
            ok = packet_pop_pbb(p);
            break;
        case DPACT_COPY_TTL_OUT:
            packet_copy_ttl_out(p);
            break;
        case DPACT_COPY_TTL_IN:
            packet_copy_ttl_in(p);
            break;
        default:
            break;
        }
        ck_assert_msg(ok, "primitive action %u failed", a->type);
    }
}

static bool has(const struct flow_key *k, enum field_id f)
{
    struct match m = {.value = *k};
    struct key_part part = field_part(f);
    memset(&m.mask, 0xff, sizeof m.mask);
    return match_prereq(&m, f, NULL) && (!part.bit || ((const uint8_t *)k)[part.at] & part.bit);
}

static void same_fields(const struct flow_key *walk, const struct flow_key *packet, const char *acts)
{
    for (int f = FIELD_ETH_DST; f < N_FIELDS; f++) {
        union field_value a, b;
        ck_assert_msg(has(walk, f) == has(packet, f), "%s: %s: %s", acts, fields[f].name,
                      has(walk, f) ? "is not there" : "is there");
        field_get(f, walk, &a);
        field_get(f, packet, &b);
        ck_assert_msg(!has(walk, f) || !memcmp(&a, &b, sizeof a), "%s: %s", acts, fields[f].name);
    }
}

static void init_packet(struct packet *p, uint8_t *room, size_t size, const struct buf *frame)
{
    packet_init(p, room, (uint32_t)size, 1024, (uint32_t)frame->len);
    memcpy(p->data, frame->data, frame->len);
}

START_TEST(the_walk_knows_what_the_packet_is)
{
    struct sim s;
    struct buf frame = BUF_INIT, list = BUF_INIT;
    uint64_t rng = unit_seed();
    unsigned cached = 0, seen = 0;
    sim_init(&s);
    for (int round = 0; round < 20000; round++) {
        uint8_t room[2048];
        char text[512] = "";
        struct packet p;
        struct flow_key key, other, after;
        struct dp_path path, again;
        struct watch w = {.l = {.table = on_table}};
        for (unsigned n = 1 + unit_below(&rng, 6); n; n--) {
            strcat(text, actions[unit_below(&rng, ARRAY_SIZE(actions))]);
            strcat(text, ",");
        }
        strcat(text, "resubmit(,1),output:2");
        random_frame(&frame, &rng);
        init_packet(&p, room, sizeof room, &frame);
        key_parse(&p, 1, L_L4, &key);
        buf_clear(&list);
        ck_assert_msg(acts_parse(text, strlen(text), false, NULL, NULL, &list, NULL), "%s", text);
        dp_path_init(&path);
        path.packet = &p;
        walk_actions(s.o, &key, list.data, list.len, &path, &w.l);
        if (w.seen && !path.drop) {
            seen++;
            struct packet done = p;
            execute(&path, &done);
            key_parse(&done, 1, L_L4, &after);
            same_fields(&w.key, &after, text);
        }
        if (!path.uncacheable) {
            cached++;
            other = key; /* metadata and registers start at zero for all */
            for (unsigned i = offsetof(struct flow_key, eth) / 8; i < FLOW_KEY_WORDS; i++) {
                uint64_t mask = key_words(&path.consulted)[i];
                key_words(&other)[i] = (key_words(&key)[i] & mask) | (unit_random(&rng) & ~mask);
            }
            dp_path_init(&again);
            walk_actions(s.o, &other, list.data, list.len, &again, NULL);
            ck_assert_msg(!again.uncacheable && again.acts.len == path.acts.len &&
                              !memcmp(again.acts.data, path.acts.data, path.acts.len),
                          "%s: something was not consulted", text);
            dp_path_free(&again);
        }
        dp_path_free(&path);
    }
    ck_assert_int_gt(seen, 10000);
    ck_assert_int_gt(cached, 5000);
    buf_free(&frame);
    buf_free(&list);
    sim_destroy(&s);
}
END_TEST

UNIT_TEST_MAIN("tags", the_walk_knows_what_the_packet_is)
