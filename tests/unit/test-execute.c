/* Primitive actions on packets, with and without offloads. */
#include <arpa/inet.h>
#include "dp-sim.h"
#include "packet/csum.h"

/* The walk is what the test made. */
static void given(struct sim_switch *s, const struct flow_key *key, struct dp_path *path)
{
    const struct dp_path *p = s->aux;
    (void)key;
    buf_put(&path->acts, p->acts.data, p->acts.len);
    for (uint32_t i = 0; i < p->n_tallies; i++)
        dp_path_tally(path, p->tallies[i]);
    path->drop = p->drop;
}

static struct sim_switch s;
static struct dp_path path;
static uint8_t frame[100];

static void setup(void)
{
    sim_create(&s, 0, 4, given);
    dp_path_init(&path);
    s.aux = &path;
    udp_frame(frame, sizeof frame, 0x112233445566, 0x0a0b0c0d0e0f, 3, 4, 5, 6);
}

static void teardown(void)
{
    dp_path_free(&path);
    sim_destroy(&s);
}

static void receive(unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        dp_sim_receive(s.port[0], frame, sizeof frame);
    sim_run(&s);
}

static void set_dst(struct buf *acts, uint64_t mac)
{
    struct dpact_set *set = dpact_append(acts, DPACT_SET_FIELD, sizeof *set, FIELD_ETH_DST);
    field_value_set_u64(&set->value, mac);
    field_all_ones(FIELD_ETH_DST, &set->mask);
}

static uint64_t dst_of(const struct sent *sent)
{
    uint64_t mac = 0;
    for (int i = 0; i < 6; i++)
        mac = mac << 8 | sent->last[i];
    return mac;
}

START_TEST(each_output_sees_what_came_before)
{
    path_output(&path, s.port[1]);
    set_dst(&path.acts, 1);
    path_output(&path, s.port[2]);
    size_t at = dpact_clone_begin(&path.acts);
    set_dst(&path.acts, 2);
    path_output(&path, s.port[0]);
    dpact_clone_end(&path.acts, at);
    path_output(&path, s.port[3]);
    receive(70);
    uint64_t expected[] = {2, 0x112233445566, 1, 1};
    for (int i = 0; i < 4; i++) {
        ck_assert_uint_eq(s.sent[i].n, 70);
        ck_assert_uint_eq(dst_of(&s.sent[i]), expected[i]);
    }
}
END_TEST

START_TEST(clone_at_the_end)
{
    size_t at = dpact_clone_begin(&path.acts);
    set_dst(&path.acts, 2);
    path_output(&path, s.port[1]);
    path_output(&path, s.port[2]);
    dpact_clone_end(&path.acts, at);
    receive(3);
    ck_assert_uint_eq(s.sent[1].n, 3);
    ck_assert_uint_eq(s.sent[2].n, 3);
}
END_TEST

START_TEST(drops_are_named)
{
    path.drop = DROP_NO_RULE;
    receive(5);
    ck_assert_uint_eq(sim_drops(&s, DROP_NO_RULE), 5);

    path.drop = DROP_NONE; /* a walk that says nothing */
    dp_forget(s.dp);
    receive(4);
    ck_assert_uint_eq(sim_drops(&s, DROP_ACTION), 4);

    dpact_append(&path.acts, DPACT_DROP, sizeof(struct dpact_drop), DROP_TTL);
    dp_forget(s.dp);
    receive(3);
    ck_assert_uint_eq(sim_drops(&s, DROP_TTL), 3);

    buf_clear(&path.acts);
    dpact_append(&path.acts, DPACT_OUTPUT, sizeof(struct dpact_port), 4000);
    dp_forget(s.dp);
    receive(2);
    ck_assert_uint_eq(sim_drops(&s, DROP_NO_PORT), 2);

    buf_clear(&path.acts);
    path_output(&path, s.port[1]);
    path_output(&path, s.port[2]);
    dp_port_set_up(s.port[1], false);
    dp_forget(s.dp);
    receive(7);
    ck_assert_uint_eq(sim_drops(&s, DROP_PORT_DOWN), 7);
    ck_assert_uint_eq(s.sent[2].n, 7);

    struct dp_drop_row rows[N_DROPS];
    ck_assert_uint_eq(dp_drops(s.dp, rows), 5);
    for (int i = 1; i < 5; i++)
        ck_assert_uint_ge(rows[i - 1].packets, rows[i].packets);
    ck_assert_ptr_nonnull(strstr(rows[0].last, "br0, from port p0, 100 bytes"));
    ck_assert_ptr_nonnull(strstr(rows[0].last, "0a:0b:0c:0d:0e:0f > 11:22:33:44:55:66"));
    dp_drops_reset(s.dp);
    ck_assert_uint_eq(dp_drops(s.dp, rows), 0);
}
END_TEST

START_TEST(vlans)
{
    dpact_append(&path.acts, DPACT_PUSH_VLAN, sizeof(struct dpact_vlan), 0x81000005u);
    path_output(&path, s.port[1]);
    dpact_append(&path.acts, DPACT_PUSH_VLAN, sizeof(struct dpact_vlan), 0x88a80007u);
    path_output(&path, s.port[2]);
    dpact_append(&path.acts, DPACT_POP_VLAN, sizeof(struct dpact_none), 0);
    dpact_append(&path.acts, DPACT_POP_VLAN, sizeof(struct dpact_none), 0);
    path_output(&path, s.port[3]);
    receive(2);
    ck_assert_mem_eq(s.sent[1].last + 12, "\x81\x00\x00\x05\x08\x00", 6);
    ck_assert_uint_eq(s.sent[1].last_len, 104);
    ck_assert_mem_eq(s.sent[2].last + 12, "\x88\xa8\x00\x07\x81\x00\x00\x05\x08\x00", 10);
    ck_assert_uint_eq(s.sent[3].last_len, 100);
    ck_assert_mem_eq(s.sent[3].last, frame, 100);
}
END_TEST

/* The pipeline has looked at nothing, packets are hardly parsed: header changes find their headers all the same. */
START_TEST(deep_changes_without_a_deep_look)
{
    static const struct {
        enum field_id field;
        unsigned at, n;
    } sets[] = {{FIELD_IPV4_DST, 30, 4}, {FIELD_IP_TTL, 22, 1}, {FIELD_UDP_DST, 36, 2}};
    for (unsigned i = 0; i < ARRAY_SIZE(sets); i++) {
        struct dpact_set *set = dpact_append(&path.acts, DPACT_SET_FIELD, sizeof *set, sets[i].field);
        field_value_set_u64(&set->value, 0x77);
        field_all_ones(sets[i].field, &set->mask);
    }
    path_output(&path, s.port[1]);
    for (int round = 0; round < 3; round++) { /* walked, then from the cache */
        receive(3);
        for (unsigned i = 0; i < ARRAY_SIZE(sets); i++)
            ck_assert_uint_eq(s.sent[1].last[sets[i].at + sets[i].n - 1], 0x77);
    }
    ck_assert_uint_eq(s.walks, 1);
}
END_TEST

START_TEST(mtu)
{
    struct dp_port *small = sim_add_port(&s, "86"), *smaller = sim_add_port(&s, "85");
    path_output(&path, small);
    path_output(&path, smaller);
    receive(3);
    ck_assert_uint_eq(s.sent[4].n, 3);
    ck_assert_uint_eq(s.sent[5].n, 0);
    ck_assert_uint_eq(sim_drops(&s, DROP_TX_MTU), 3);
    struct dp_port_stats stats;
    dp_port_get_stats(smaller, &stats);
    ck_assert_uint_eq(stats.tx_dropped, 3);
}
END_TEST

/* --- offloads --- */

/* A TCP super-segment over IPv4 of n payload bytes, its checksum started. */
static void super_segment(struct packet *p, uint8_t *buffer, size_t size, size_t n)
{
    packet_init(p, buffer, size, 0, 54 + n);
    udp_frame(buffer, 54 + n, 1, 2, 0x0a000001, 0x0a000002, 1000, 2000);
    uint8_t *ip = buffer + 14, *tcp = ip + 20;
    ip[9] = 6;
    memset(tcp, 0, 20);
    tcp[1] = 80, tcp[3] = 81, tcp[12] = 0x50, tcp[13] = 0x18;
    for (size_t i = 0; i < n; i++)
        tcp[20 + i] = i * 7;
    be32 src, dst;
    memcpy(&src, ip + 12, 4);
    memcpy(&dst, ip + 16, 4);
    be16 sum = csum_pseudo4(src, dst, 6, 20 + n);
    memcpy(tcp + 16, &sum, 2);
    p->csum = CSUM_PARTIAL;
    p->csum_start = 34;
    p->csum_offset = 16;
    p->gso = GSO_TCPV4;
    p->gso_size = 1000;
}

struct segments {
    unsigned n;
    size_t bytes;
};

static void check_segment(struct dp_port *port, const struct packet *p, void *aux)
{
    struct segments *seen = aux;
    const uint8_t *ip = p->data + 14, *tcp = ip + 20;
    size_t l4_len = p->len - 34;
    be32 src, dst;
    (void)port;
    memcpy(&src, ip + 12, 4);
    memcpy(&dst, ip + 16, 4);
    ck_assert_uint_eq(p->gso, GSO_NONE);
    ck_assert_uint_le(p->len, 1054);
    ck_assert_uint_eq(csum_add(ip, 20, 0), 0xffff);
    ck_assert_uint_eq(csum_add(tcp, l4_len, csum_pseudo4(src, dst, 6, l4_len)), 0xffff);
    for (size_t i = 20; i < l4_len; i++)
        ck_assert_uint_eq(tcp[i], (uint8_t)((seen->bytes + i - 20) * 7));
    seen->n++;
    seen->bytes += l4_len - 20;
}

START_TEST(super_segments_are_cut_where_they_must_be)
{
    static uint8_t buffer[66000];
    struct segments seen[2] = {0};
    struct packet p;
    super_segment(&p, buffer, sizeof buffer, 60500);
    dp_sim_on_transmit(s.port[1], check_segment, &seen[0]);
    dp_sim_on_transmit(s.port[2], check_segment, &seen[1]);
    path_output(&path, s.port[1]);
    path_output(&path, s.port[2]);
    port_sim_receive_packet(s.port[0], &p);
    sim_run(&s);
    ck_assert_uint_eq(seen[0].n, 61);
    ck_assert_uint_eq(seen[0].bytes, 60500);
    ck_assert_uint_eq(seen[1].bytes, 60500);
}
END_TEST

/* --- tunnels --- */

struct tunnel {
    struct dp_port *gre;
    struct dp_tally *inside;
    struct packet *outer[100];
    unsigned n;
};

/* 1 → push → 2; 3 → pop, and what comes out → 4. */
static void through_a_tunnel(struct sim_switch *sw, const struct flow_key *key, struct dp_path *to)
{
    struct tunnel *t = sw->aux;
    struct dpact_push *push;
    switch (ntohl(key->meta.in_port)) {
    case 1:
        push = dpact_append(&to->acts, DPACT_TUN_PUSH, sizeof *push, dp_port_id(t->gre));
        memcpy(push->header + 12, "\x08\0\x45", 3);
        push->header[23] = 47;
        memcpy(push->header + 34, "\x20\0\x65\x58\0\0\0\x0a", 8);
        push->header_len = 42;
        push->l3 = 14;
        push->mtu = 1500;
        path_output(to, sw->port[1]);
        break;
    case 3: dpact_append(&to->acts, DPACT_TUN_POP, sizeof(struct dpact_port), dp_port_id(t->gre)); break;
    case 10:
        ck_assert_uint_eq(be64toh(key->tun.id), 10);
        dp_path_tally(to, t->inside);
        path_output(to, sw->port[3]);
        break;
    }
}

static void keep_outer(struct dp_port *port, const struct packet *p, void *aux)
{
    struct tunnel *t = aux;
    (void)port;
    ck_assert_uint_eq(p->gso, GSO_NONE);
    ck_assert_uint_eq(p->len, 14 + (p->data[16] << 8 | p->data[17]));
    ck_assert_uint_eq(csum_add(p->data + 14, 20, 0), 0xffff);
    ck_assert_uint_lt(t->n, ARRAY_SIZE(t->outer));
    struct packet *copy = t->outer[t->n++] = xmalloc(sizeof *copy + p->len);
    packet_init(copy, (uint8_t *)(copy + 1), p->len, 0, p->len);
    memcpy(copy->data, p->data, p->len);
}

START_TEST(cut_in_front_of_a_tunnel_and_one_again_behind_it)
{
    static uint8_t buffer[66000];
    struct dp_option option = {"remote_ip", "10.9.9.9"};
    struct dp_port_config config = {.name = "gre1", .type = "gre", .options = &option, .n_options = 1};
    struct diag d = DIAG_INIT;
    struct segments seen = {0};
    struct tunnel t = {.gre = dp_port_add(s.bridge, &config, 10, NULL, &d)};
    struct packet p;
    uint64_t packets, bytes;
    msec_t used;
    ck_assert(t.gre != NULL);
    t.inside = xzalloc(dp_tally_size(s.dp));
    s.walk = through_a_tunnel;
    s.aux = &t;
    dp_sim_on_transmit(s.port[1], keep_outer, &t);
    dp_sim_on_transmit(s.port[3], check_segment, &seen);
    super_segment(&p, buffer, sizeof buffer, 60500);
    port_sim_receive_packet(s.port[0], &p);
    sim_run(&s);
    ck_assert_uint_eq(t.n, 61);
    for (unsigned i = 0; i < t.n; i++)
        port_sim_receive_packet(s.port[2], t.outer[i]);
    sim_run(&s);
    ck_assert_uint_eq(seen.n, 61); /* cut again, as this port takes no super-segments */
    ck_assert_uint_eq(seen.bytes, 60500);
    dp_tally_read(s.dp, t.inside, &packets, &bytes, &used);
    ck_assert_uint_eq(packets, (61 + BATCH - 1) / BATCH); /* one lookup a burst */
    struct dp_port_stats stats;
    dp_port_get_stats(t.gre, &stats);
    ck_assert_uint_eq(stats.tx_packets, 61);
    ck_assert_uint_eq(stats.tx_bytes, 60500 + 61 * 54);
    ck_assert_uint_eq(stats.rx_packets, 61);
    ck_assert_uint_eq(stats.rx_bytes, 60500 + 61 * 54);
    /* One byte wrong on the way: its segment stays as it is, and alone. */
    seen = (struct segments){0};
    dp_sim_on_transmit(s.port[3], sim_sent, &s.sent[3]);
    t.outer[5]->data[600] ^= 1;
    for (unsigned i = 0; i < 10; i++)
        port_sim_receive_packet(s.port[2], t.outer[i]);
    sim_run(&s);
    ck_assert_uint_eq(s.sent[3].n, 10);
    ck_assert_uint_eq(s.sent[3].bytes, 10 * 1054);
    dp_tally_read(s.dp, t.inside, &packets, &bytes, &used);
    ck_assert_uint_eq(packets, 2 + 3);
    while (t.n)
        free(t.outer[--t.n]);
    dp_port_del(t.gre);
    dp_synchronize(s.dp);
    free(t.inside);
    diag_free(&d);
}
END_TEST

START_TEST(partial_checksums_are_finished)
{
    static uint8_t buffer[2000];
    struct segments seen = {0};
    struct packet p;
    super_segment(&p, buffer, sizeof buffer, 900);
    p.gso = GSO_NONE;
    be16 sum = csum_finish(csum_add(buffer + 14, 20, 0)); /* no segmenting: the IP header is as on the wire */
    memcpy(buffer + 24, &sum, 2);
    dp_sim_on_transmit(s.port[1], check_segment, &seen);
    path_output(&path, s.port[1]);
    port_sim_receive_packet(s.port[0], &p);
    sim_run(&s);
    ck_assert_uint_eq(seen.n, 1);
}
END_TEST

/* Claims to be a super-segment, and is none: bad input, no crash. */
START_TEST(lying_super_segment)
{
    struct packet p;
    packet_init(&p, frame, sizeof frame, 0, sizeof frame);
    path_output(&path, s.port[1]);
    path_output(&path, s.port[2]);
    for (int gso = GSO_TCPV4; gso <= GSO_UDP_L4; gso++)
        for (int size = 0; size < 3; size++) {
            p.gso = gso;
            p.gso_size = size;
            p.csum = CSUM_PARTIAL;
            p.csum_start = 98;
            p.csum_offset = 65535;
            port_sim_receive_packet(s.port[0], &p);
            p.len = 14 + gso;
            port_sim_receive_packet(s.port[0], &p);
            p.len = sizeof frame;
        }
    sim_run(&s);
}
END_TEST

START_TEST(tallies_count_exactly)
{
    struct dp_tally *tally[3];
    for (int i = 0; i < 3; i++)
        dp_path_tally(&path, tally[i] = xzalloc(dp_tally_size(s.dp)));
    path_output(&path, s.port[1]);
    receive(77);
    for (int i = 0; i < 3; i++) {
        uint64_t packets, bytes;
        msec_t used;
        dp_tally_read(s.dp, tally[i], &packets, &bytes, &used);
        ck_assert_uint_eq(packets, 77);
        ck_assert_uint_eq(bytes, 7700);
        ck_assert_int_gt(used, 0);
        dp_tally_reset(s.dp, tally[i]);
        dp_tally_read(s.dp, tally[i], &packets, &bytes, &used);
        ck_assert_uint_eq(packets + bytes + used, 0);
    }
    dp_forget(s.dp);
    for (int i = 0; i < 3; i++)
        free(tally[i]);
}
END_TEST

/* More packets at once than the pool likes to hold. */
START_TEST(flood_of_super_segments)
{
    static uint8_t buffer[66000];
    struct packet p;
    super_segment(&p, buffer, sizeof buffer, 60000);
    p.gso_size = 100;
    for (int i = 1; i < 4; i++)
        path_output(&path, s.port[i]);
    for (int i = 0; i < 64; i++)
        port_sim_receive_packet(s.port[0], &p);
    sim_run(&s);
    for (int i = 1; i < 4; i++)
        ck_assert_uint_eq(s.sent[i].n, 64 * 600);
    struct worker *w = worker_of_main(s.dp);
    ck_assert_uint_le(w->pool.n_all, 8192);
    unsigned spares = 0;
    for (int i = 0; i < BATCH; i++)
        spares += !!w->spare[i];
    ck_assert_uint_eq(w->pool.n_free + spares, w->pool.n_all); /* none is lost */
}
END_TEST

static void add_tests(Suite *suite)
{
    TCase *t = tcase_create("execute");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, each_output_sees_what_came_before);
    tcase_add_test(t, clone_at_the_end);
    tcase_add_test(t, drops_are_named);
    tcase_add_test(t, vlans);
    tcase_add_test(t, deep_changes_without_a_deep_look);
    tcase_add_test(t, mtu);
    tcase_add_test(t, super_segments_are_cut_where_they_must_be);
    tcase_add_test(t, cut_in_front_of_a_tunnel_and_one_again_behind_it);
    tcase_add_test(t, partial_checksums_are_finished);
    tcase_add_test(t, lying_super_segment);
    tcase_add_test(t, tallies_count_exactly);
    tcase_add_test(t, flood_of_super_segments);
    suite_add_tcase(suite, t);
}

UNIT_TEST_MAIN_WITH("execute", add_tests)
