/* The flow cache against the plain walk: two equal switches get the same packets, one keeps its paths and the other
 * must walk each packet anew. Nothing that can be seen from outside may differ. */
#include "tests/sim/random.h"

static be16 ip_sum(const uint8_t *ip)
{
    uint32_t sum = 0;
    for (int i = 0; i < 20; i += 2)
        sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
    sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t) ~(sum + (sum >> 16)));
}

static void put_tag(struct buf *f, be16 tpid, be16 tci)
{
    if (tci & htons(VLAN_PRESENT)) {
        buf_be16(f, tpid);
        buf_be16(f, tci & (be16)~htons(VLAN_PRESENT));
    }
}

/* Bytes that are parsed to this key (of those that random_packet() makes). */
static void put_frame(struct buf *f, const struct flow_key *k)
{
    buf_clear(f);
    buf_put(f, k->eth.dst, 6);
    buf_put(f, k->eth.src, 6);
    put_tag(f, k->eth.tpid, k->eth.tci);
    put_tag(f, k->eth.tpid2, k->eth.tci2);
    buf_be16(f, k->eth.type);
    if (k->eth.type == htons(0x0806)) {
        buf_put(f, "\0\1\10\0\6\4", 6);
        buf_be16(f, k->arp.op);
        buf_zeros(f, 20);
    } else if (k->eth.type == htons(0x0800)) {
        size_t ip = f->len;
        uint8_t header[20] = {0x45,      k->ip.tos,  0, 40, 0, 0, 0, k->ip.frag & FRAG_LATER ? 10 : 0,
                              k->ip.ttl, k->ip.proto};
        memcpy(header + 12, &k->ip4.src, 4);
        memcpy(header + 16, &k->ip4.dst, 4);
        buf_put(f, header, sizeof header);
        be16 sum = ip_sum(f->data + ip);
        memcpy(f->data + ip + 10, &sum, 2);
        buf_be16(f, k->l4.src);
        buf_be16(f, k->l4.dst);
        buf_put(f, "\0\0\0\0\0\0\0\0\x50\0\0\0\0\0\0\0", 16); /* TCP's data offset; UDP's length is wrong, and may be */
    }
    buf_zeros(f, 64);
}

/* Everything that left, port by port. */
struct seen {
    struct buf frames[SIM_PORTS + 1];
};

static void see(struct dp_port *p, const struct packet *pkt, void *seen_)
{
    struct seen *seen = seen_;
    struct buf *b = &seen->frames[dp_port_ofport(p)];
    buf_u32(b, pkt->len);
    buf_put(b, pkt->data, pkt->len);
}

static void forget(struct seen *seen)
{
    for (unsigned i = 0; i <= SIM_PORTS; i++)
        buf_clear(&seen->frames[i]);
}

static void expect_same_drops(struct sim *a, struct sim *b)
{
    struct dp_drop_row rows[2][N_DROPS];
    uint64_t n[2][N_DROPS] = {{0}};
    size_t n_rows[2] = {dp_drops(a->dp, rows[0]), dp_drops(b->dp, rows[1])};
    for (int s = 0; s < 2; s++)
        for (size_t i = 0; i < n_rows[s]; i++)
            n[s][rows[s][i].reason] = rows[s][i].packets;
    for (int r = 0; r < N_DROPS; r++)
        ck_assert_msg(n[0][r] == n[1][r], "%s: %" PRIu64 " with the cache, %" PRIu64 " without", drop_infos[r].name,
                      n[0][r], n[1][r]);
}

struct counts {
    uint64_t packets, bytes;
    struct dp *dp;
};

static bool count(struct cls_rule *r, void *c_)
{
    struct counts *c = c_;
    uint64_t packets, bytes;
    msec_t used;
    dp_tally_read(c->dp, rule_of(r)->tally, &packets, &bytes, &used);
    c->packets += packets * r->priority + packets; /* so that it matters which rule counted them */
    c->bytes += bytes;
    return true;
}

static void expect_same_counts(struct sim *a, struct sim *b)
{
    for (int t = 0; t < 3; t++) {
        struct counts ca = {.dp = a->dp}, cb = {.dp = b->dp};
        classifier_for_each(&a->o->tables[t].cls, NULL, a->o->version, count, &ca);
        classifier_for_each(&b->o->tables[t].cls, NULL, b->o->version, count, &cb);
        ck_assert_uint_eq(ca.packets, cb.packets);
        ck_assert_uint_eq(ca.bytes, cb.bytes);
    }
}

static void receive(struct sim *s, unsigned port, const struct buf *frame)
{
    dp_sim_receive(ofport_dp(s->port[port]), frame->data, frame->len);
    sim_run(s);
}

/* The same change in both. */
static void change(struct sim *a, struct sim *b, uint64_t *rng)
{
    uint64_t again = *rng;
    random_flow_mod(a, rng);
    random_flow_mod(b, &again);
    if (!unit_below(rng, 4)) {
        unsigned port = 1 + unit_below(rng, 3);
        fdb_flush_port(a->o->fdb, port);
        fdb_flush_port(b->o->fdb, port);
    }
}

START_TEST(cached_paths_are_what_the_walk_says)
{
    uint64_t rng = unit_seed() + (uint64_t)_i * 0x9876543, again;
    struct sim a, b;
    struct seen seen_a = {0}, seen_b = {0};
    struct buf frame = BUF_INIT;
    sim_init(&a);
    sim_init(&b);
    again = rng;
    random_rules(&b, &again);
    random_rules(&a, &rng);
    for (unsigned i = 1; i <= SIM_PORTS; i++) {
        dp_sim_on_transmit(ofport_dp(a.port[i]), see, &seen_a);
        dp_sim_on_transmit(ofport_dp(b.port[i]), see, &seen_b);
    }
    for (int i = 0; i < 1500; i++) {
        struct flow_key k;
        random_packet(&rng, &k);
        unsigned port = ntohl(k.meta.in_port);
        put_frame(&frame, &k);
        receive(&a, port, &frame);
        dp_bump(b.dp, &b.o->settings_gen); /* every path depends on it */
        receive(&b, port, &frame);
        for (unsigned p = 1; p <= SIM_PORTS; p++) {
            ck_assert_uint_eq(seen_a.frames[p].len, seen_b.frames[p].len);
            ck_assert(!seen_a.frames[p].len ||
                      !memcmp(seen_a.frames[p].data, seen_b.frames[p].data, seen_a.frames[p].len));
        }
        forget(&seen_a);
        forget(&seen_b);
        if (!unit_below(&rng, 100))
            change(&a, &b, &rng);
    }
    expect_same_drops(&a, &b);
    expect_same_counts(&a, &b);
    struct dp_worker_stats sa, sb;
    dp_worker_get_stats(a.dp, 0, &sa);
    dp_worker_get_stats(b.dp, 0, &sb);
    ck_assert_uint_ge(sb.walks, 1500);
    ck_assert_uint_le(sa.walks, sb.walks); /* equal only where nothing may be kept: a rule that loops */
    for (unsigned p = 0; p <= SIM_PORTS; p++) {
        buf_free(&seen_a.frames[p]);
        buf_free(&seen_b.frames[p]);
    }
    buf_free(&frame);
    sim_destroy(&a);
    sim_destroy(&b);
}
END_TEST

static void add(Suite *suite)
{
    TCase *tcase = tcase_create("cache");
    tcase_add_loop_test(tcase, cached_paths_are_what_the_walk_says, 0, 20);
    suite_add_tcase(suite, tcase);
}

UNIT_TEST_MAIN_WITH("cache-walk", add)
