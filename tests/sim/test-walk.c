/* The walk: what becomes of packets, in primitive actions; and that what it says it consulted is all that matters. */
#include "tests/sim/random.h"

/* --- Text in, text out --- */

static void add_flow(struct sim *s, unsigned table, unsigned priority, const char *match, const char *acts)
{
    struct flow_mod fm = FLOW_MOD_INIT;
    fm.command = OFPFC_ADD;
    fm.table = (uint8_t)table;
    fm.priority = (uint16_t)priority;
    fm.cookie = 0x77;
    parse_match(match, &fm.match);
    parse_acts(acts, &fm.acts);
    ck_assert_int_eq(tables_flow_mod(s->o, &fm, clock_msec()), OFPERR_OK);
    flow_mod_free(&fm);
}

static const char *port_name(uint32_t id, void *dp)
{
    struct dp_port_info info = {0};
    dp_port_get_info(dp_port_by_id(dp, id), &info);
    return info.name;
}

static const char *format_path(struct sim *s, const struct dp_path *path)
{
    static struct buf out;
    buf_clear(&out);
    dpact_format(path->acts.data, path->acts.len, port_name, s->dp, &out);
    if (path->drop)
        buf_printf(&out, "%sdrop(%s)", out.len ? "," : "", drop_infos[path->drop].name);
    return buf_text(&out);
}

static const char *walk_text(struct sim *s, const char *packet)
{
    struct match m;
    struct dp_path path;
    parse_match(packet, &m);
    key_complete(&m.value);
    dp_path_init(&path);
    walk_packet(s->o, &m.value, &path, NULL);
    const char *text = format_path(s, &path);
    dp_path_free(&path);
    return text;
}

#define EXPECT(S, PACKET, ACTS) ck_assert_str_eq(walk_text(S, PACKET), ACTS)

static void flush(struct sim *s)
{
    struct flow_mod fm = FLOW_MOD_INIT;
    fm.command = OFPFC_DELETE;
    fm.table = OFPTT_ALL;
    ck_assert_int_eq(tables_flow_mod(s->o, &fm, clock_msec()), OFPERR_OK);
}

/* --- Ports --- */

START_TEST(output_and_drops)
{
    struct sim s;
    sim_init(&s);
    EXPECT(&s, "in_port=1", "drop(no-rule)");
    add_flow(&s, 0, 10, "in_port=1", "output:2");
    EXPECT(&s, "in_port=1", "output:p2");
    EXPECT(&s, "in_port=2", "drop(no-rule)");
    add_flow(&s, 0, 10, "in_port=2", "drop");
    EXPECT(&s, "in_port=2", "drop(action)");
    add_flow(&s, 0, 10, "in_port=3", "output:3");
    EXPECT(&s, "in_port=3", "drop(output-to-in-port)");
    add_flow(&s, 0, 10, "in_port=3", "in_port");
    EXPECT(&s, "in_port=3", "output:p3");
    add_flow(&s, 0, 10, "in_port=3", "output:77");
    EXPECT(&s, "in_port=3", "drop(no-port)");
    add_flow(&s, 0, 10, "in_port=3", "output:77,output:1,output:3,output:2");
    EXPECT(&s, "in_port=3", "output:p1,output:p2");
    sim_destroy(&s);
}
END_TEST

START_TEST(reserved_ports)
{
    struct sim s;
    sim_init(&s);
    add_flow(&s, 0, 1, "", "all");
    EXPECT(&s, "in_port=1", "output:p2,output:p3");
    EXPECT(&s, "in_port=2", "output:p1,output:p3");
    add_flow(&s, 0, 1, "", "flood");
    EXPECT(&s, "in_port=2", "output:p1,output:p3");
    add_flow(&s, 0, 1, "", "controller:100");
    EXPECT(&s, "in_port=2", "punt(kind=0,max_len=4294967295)"); /* not buffered, so whole */
    add_flow(&s, 0, 1, "", "local");
    EXPECT(&s, "in_port=2", "drop(no-port)");
    flush(&s);
    add_flow(&s, 0, 1, "", "normal");
    EXPECT(&s, "in_port=1,dl_dst=02:00:00:00:00:02,dl_src=02:00:00:00:00:01",
           "punt(kind=1,max_len=0),output:p2,output:p3");
    struct punt_learn_mac learn = {.in_port = 1, .mac = {2, 0, 0, 0, 0, 1}};
    fdb_learn(s.o->fdb, &learn, clock_msec());
    EXPECT(&s, "in_port=1,dl_dst=02:00:00:00:00:02,dl_src=02:00:00:00:00:01", "output:p2,output:p3");
    EXPECT(&s, "in_port=2,dl_dst=02:00:00:00:00:01,dl_src=03:00:00:00:00:01",
           "output:p1"); /* group address: not learned */
    EXPECT(&s, "in_port=2,dl_dst=02:00:00:00:00:01,dl_src=02:00:00:00:00:03", "punt(kind=1,max_len=0),output:p1");
    EXPECT(&s, "in_port=1,dl_dst=02:00:00:00:00:01,dl_src=02:00:00:00:00:01", "drop(fdb-same-port)");
    EXPECT(&s, "in_port=2,dl_dst=02:00:00:00:00:01,dl_src=02:00:00:00:00:01",
           "punt(kind=1,max_len=0),output:p1"); /* moved */
    EXPECT(&s, "in_port=1,dl_dst=01:80:c2:00:00:0e,dl_src=02:00:00:00:00:01", "drop(reserved-multicast)");
    EXPECT(&s, "in_port=1,dl_dst=01:80:c2:00:00:10,dl_src=02:00:00:00:00:01", "output:p2,output:p3");
    EXPECT(&s, "in_port=1,dl_dst=02:00:00:00:00:01,dl_src=02:00:00:00:00:01,vlan_vid=0x1005",
           "punt(kind=1,max_len=0),output:p2,output:p3"); /* another VLAN is another table */
    sim_destroy(&s);
}
END_TEST

/* OpenFlow 1.0's words in a flow that does not say what packets it is about. */
START_TEST(fields_written_where_present)
{
    struct sim s;
    sim_init(&s);
    add_flow(&s, 0, 1, "", "set_if_present:8->ip_dscp,set_if_present:80->tcp_dst,set_if_present:80->udp_dst,output:2");
    EXPECT(&s, "in_port=1," IP ",nw_proto=17", "set(nw_tos=32),set(udp_dst=80),output:p2");
    EXPECT(&s, "in_port=1," IP ",nw_proto=6", "set(nw_tos=32),set(tcp_dst=80),output:p2");
    EXPECT(&s, "in_port=1,eth_type=0x806", "output:p2");
    sim_destroy(&s);
}
END_TEST

START_TEST(port_config)
{
    struct sim s;
    sim_init(&s);
    add_flow(&s, 0, 1, "", "all");
    add_flow(&s, 0, 2, "in_port=1", "output:2");
    s.port[2]->config = OFPPC_NO_FWD;
    EXPECT(&s, "in_port=1", "drop(port-config)");
    EXPECT(&s, "in_port=3", "output:p1");
    s.port[2]->config = 0;
    s.port[2]->state = OFPPS_LINK_DOWN;
    EXPECT(&s, "in_port=1", "drop(port-down)");
    s.port[1]->config = OFPPC_NO_RECV;
    EXPECT(&s, "in_port=1", "drop(port-config)");
    s.o->frag_mode = OFPC_FRAG_DROP;
    EXPECT(&s, "in_port=3," IP ",nw_frag=later", "drop(fragment)");
    add_flow(&s, 0, 0, "", "controller");
    flush(&s);
    add_flow(&s, 0, 0, "", "controller");
    EXPECT(&s, "in_port=3", "punt(kind=0,max_len=4294967295)");
    s.port[3]->config = OFPPC_NO_PACKET_IN;
    EXPECT(&s, "in_port=3", "drop(port-config)");
    add_flow(&s, 0, 1, "", "controller"); /* no table miss */
    EXPECT(&s, "in_port=3", "punt(kind=0,max_len=4294967295)");
    flush(&s);
    s.o->fallback_normal = true;
    EXPECT(&s, "in_port=3,dl_dst=ff:ff:ff:ff:ff:ff,dl_src=03:00:00:00:00:01", "output:p1");
    sim_destroy(&s);
}
END_TEST

/* --- Actions --- */

START_TEST(header_changes_are_made_when_seen)
{
    struct sim s;
    sim_init(&s);
    add_flow(&s, 0, 1, "in_port=1," TCP, "set_field:10.0.0.9->nw_dst,output:2,set_field:99->tcp_dst");
    EXPECT(&s, "in_port=1," TCP, "set(nw_dst=10.0.0.9),output:p2");
    add_flow(&s, 0, 1, "in_port=1," TCP, "set_field:1.1.1.1->nw_dst,set_field:1.1.1.2->nw_dst,output:2,output:3");
    EXPECT(&s, "in_port=1," TCP, "set(nw_dst=1.1.1.2),output:p2,output:p3");
    add_flow(&s, 0, 1, "in_port=1," TCP, "set_field:1.1.1.1->nw_dst,output:2,set_field:1.1.1.1->nw_dst,output:3");
    EXPECT(&s, "in_port=1," TCP, "set(nw_dst=1.1.1.1),output:p2,output:p3");
    add_flow(&s, 0, 1, "in_port=1," TCP, "load:0x5->NXM_OF_IP_DST[0..3],output:2");
    EXPECT(&s, "in_port=1," TCP, "set(nw_dst=0.0.0.5/0.0.0.15),output:p2");
    add_flow(&s, 0, 1, "in_port=1," TCP, "move:NXM_OF_TCP_SRC[]->NXM_OF_TCP_DST[],output:2");
    EXPECT(&s, "in_port=1,tcp_src=77," TCP, "set(tcp_dst=77),output:p2");
    add_flow(&s, 0, 1, "in_port=1," TCP, "set_field:5->reg0,load:6->NXM_NX_REG1[],set_field:2->pkt_mark,output:2");
    EXPECT(&s, "in_port=1," TCP, "output:p2");
    add_flow(&s, 0, 2, "in_port=1," TCP ",nw_dst=1.2.3.4", "set_field:1.2.3.4->nw_dst,output:2"); /* known to be so */
    EXPECT(&s, "in_port=1,nw_dst=1.2.3.4," TCP, "output:p2");
    add_flow(&s, 0, 2, "in_port=2," TCP, "clone(set_field:1.2.3.4->nw_dst,output:1),output:3");
    EXPECT(&s, "in_port=2," TCP, "clone(set(nw_dst=1.2.3.4),output:p1),output:p3");
    add_flow(&s, 0, 2, "in_port=2," TCP, "output:3,clone(set_field:1.2.3.4->nw_dst,output:1)");
    EXPECT(&s, "in_port=2," TCP, "output:p3,set(nw_dst=1.2.3.4),output:p1");
    add_flow(&s, 0, 2, "in_port=2," TCP, "clone(set_field:1.2.3.4->nw_dst),output:3");
    EXPECT(&s, "in_port=2," TCP, "output:p3");
    sim_destroy(&s);
}
END_TEST

START_TEST(vlan_and_ttl)
{
    struct sim s;
    sim_init(&s);
    add_flow(&s, 0, 1, "in_port=1", "push_vlan:0x8100,set_field:4101->vlan_vid,output:2");
    EXPECT(&s, "in_port=1", "push_vlan(0x8100,vid=5,pcp=0),output:p2");
    add_flow(&s, 0, 1, "in_port=1", "push_vlan:0x88a8,output:2,pop_vlan,output:3");
    EXPECT(&s, "in_port=1,vlan_vid=0x1007,vlan_pcp=2", "push_vlan(0x88a8,vid=7,pcp=2),output:p2,pop_vlan,output:p3");
    add_unchecked(&s, 0, 2, "in_port=1", "pop_vlan,output:2");
    EXPECT(&s, "in_port=1", "output:p2");
    EXPECT(&s, "in_port=1,vlan_vid=0x1007", "pop_vlan,output:p2");
    add_flow(&s, 0, 1, "in_port=2," IP, "dec_ttl,output:3");
    EXPECT(&s, "in_port=2," IP ",nw_ttl=64", "set(nw_ttl=63),output:p3");
    EXPECT(&s, "in_port=2," IP ",nw_ttl=1", "punt(kind=0,max_len=4294967295)");
    add_flow(&s, 0, 1, "in_port=2," IP, "mod_nw_ttl:9,output:3");
    EXPECT(&s, "in_port=2," IP ",nw_ttl=1", "set(nw_ttl=9),output:p3");
    sim_destroy(&s);
}
END_TEST

/* OpenFlow 1.3.5, 5.10 */
START_TEST(action_set)
{
    struct sim s;
    sim_init(&s);
    add_flow(&s, 0, 1, "in_port=1",
             "write_actions(output:2,set_field:02:00:00:00:00:01->eth_src,push_vlan:0x8100),goto_table:1");
    add_flow(&s, 1, 1, "", "write_actions(set_field:02:00:00:00:00:09->eth_src)");
    EXPECT(&s, "in_port=1", "push_vlan(0x8100,vid=0,pcp=0),set(eth_src=02:00:00:00:00:09),output:p2");
    add_flow(&s, 1, 1, "", "write_actions(output:3)");
    EXPECT(&s, "in_port=1", "push_vlan(0x8100,vid=0,pcp=0),set(eth_src=02:00:00:00:00:01),output:p3");
    add_flow(&s, 1, 1, "", "clear_actions");
    EXPECT(&s, "in_port=1", "drop(action)");
    add_flow(&s, 1, 1, "", "output:3,clear_actions,write_actions(output:2)");
    EXPECT(&s, "in_port=1", "output:p3,output:p2");
    flush(&s);
    add_flow(&s, 0, 1, "in_port=1", "write_actions(output:2),goto_table:7");
    EXPECT(&s, "in_port=1", "drop(no-rule)"); /* a miss drops, set and all */
    add_flow(&s, 7, 1, "metadata=0x10/0xf0", "output:3");
    EXPECT(&s, "in_port=1", "drop(no-rule)");
    add_flow(&s, 0, 1, "in_port=1", "write_metadata:0x1f/0xff,goto_table:7");
    EXPECT(&s, "in_port=1", "output:p3");
    sim_destroy(&s);
}
END_TEST

START_TEST(resubmit)
{
    struct sim s;
    sim_init(&s);
    add_flow(&s, 0, 1, "in_port=1", "resubmit(,10),resubmit(2,10),output:3");
    add_flow(&s, 10, 1, "in_port=1", "set_field:02:00:00:00:00:01->eth_src,output:2");
    EXPECT(&s, "in_port=1", "set(eth_src=02:00:00:00:00:01),output:p2,output:p3");
    add_flow(&s, 10, 1, "in_port=2", "in_port"); /* in_port is the old one for actions */
    EXPECT(&s, "in_port=1", "set(eth_src=02:00:00:00:00:01),output:p2,output:p1,output:p3");
    add_flow(&s, 10, 1, "in_port=2", "exit");
    EXPECT(&s, "in_port=1", "set(eth_src=02:00:00:00:00:01),output:p2");
    add_flow(&s, 0, 1, "in_port=2", "resubmit(,20)");
    EXPECT(&s, "in_port=2", "drop(no-rule)");
    add_flow(&s, 0, 1, "in_port=2", "output:1,resubmit(,0)");
    EXPECT(&s, "in_port=2", "drop(walk-depth)");
    add_flow(&s, 0, 1, "in_port=3", "resubmit(,30),resubmit(,30)");
    for (int t = 30; t < 45; t++) {
        char acts[64];
        snprintf(acts, sizeof acts, "output:1,resubmit(,%d),resubmit(,%d)", t + 1, t + 1);
        add_flow(&s, (unsigned)t, 1, "", acts);
    }
    EXPECT(&s, "in_port=3", "drop(walk-work)");
    sim_destroy(&s);
}
END_TEST

START_TEST(packet_out)
{
    struct sim s;
    struct buf acts = BUF_INIT;
    struct flow_key key = {0};
    struct dp_path path;
    sim_init(&s);
    add_flow(&s, 0, 1, "", "output:3");
    dp_path_init(&path);
    key.meta.in_port = htonl(OFPP_CONTROLLER);
    parse_acts("output:1,table", &acts);
    walk_actions(s.o, &key, acts.data, acts.len, &path, NULL);
    ck_assert_str_eq(format_path(&s, &path), "output:p1,output:p3");
    dp_path_clear(&path);
    walk_actions(s.o, &key, NULL, 0, &path, NULL);
    ck_assert_str_eq(format_path(&s, &path), "drop(action)");
    dp_path_free(&path);
    buf_free(&acts);
    sim_destroy(&s);
}
END_TEST

/* What goes to main in a packet-in is what the pipeline saw. */
START_TEST(packet_in_blob)
{
    struct sim s;
    struct match m;
    struct dp_path path;
    struct punt_packet_in in;
    sim_init(&s);
    add_flow(&s, 0, 5, "in_port=2", "set_tunnel:10,load:7->NXM_NX_REG3[],resubmit(,4)");
    add_flow(&s, 4, 0, "", "controller:65535");
    parse_match("in_port=2", &m);
    dp_path_init(&path);
    walk_packet(s.o, &m.value, &path, NULL);
    const struct dpact_punt *p = (const void *)path.acts.data;
    ck_assert_uint_eq(p->a.type, DPACT_PUNT);
    ck_assert_ptr_eq(p->bridge, s.o->bridge);
    memcpy(&in, p->blob, sizeof in);
    ck_assert_uint_eq(in.in_port, 2);
    ck_assert_uint_eq(in.tun_id, 10);
    ck_assert_uint_eq(in.reg[3], 7);
    ck_assert_uint_eq(in.cookie, 0x77);
    ck_assert_uint_eq(in.table, 4);
    ck_assert_uint_eq(in.reason, OFPR_NO_MATCH);
    ck_assert_uint_eq(in.max_len, 0xffff);
    dp_path_free(&path);
    sim_destroy(&s);
}
END_TEST

/* --- Paths are sound: any packet that agrees on the consulted bits gets the same actions --- */

/* Somewhere between `k` and another packet, but with k's consulted bits. */
static void like(uint64_t *rng, const struct flow_key *k, const struct flow_key *consulted, struct flow_key *other)
{
    struct flow_key far;
    random_packet(rng, &far);
    for (unsigned w = 0; w < FLOW_KEY_WORDS; w++) {
        uint64_t take = unit_below(rng, 2) ? UINT64_MAX : unit_below(rng, 2) ? unit_random(rng) : 0;
        uint64_t noise = unit_below(rng, 4) ? 0 : unit_random(rng) & unit_random(rng);
        uint64_t old = key_words_const(k)[w], new = key_words(&far)[w] ^ noise;
        take &= ~key_words_const(consulted)[w];
        key_words(other)[w] = (old & ~take) | (new &take);
    }
    other->meta.metadata = 0; /* as key_parse() leaves them */
    other->meta.pkt_mark = 0;
    memset(other->reg, 0, sizeof other->reg);
}

static bool same_path(const struct dp_path *a, const struct dp_path *b)
{
    return a->acts.len == b->acts.len && !memcmp(a->acts.data, b->acts.data, a->acts.len) && a->drop == b->drop &&
           a->n_tallies == b->n_tallies && !memcmp(a->tallies, b->tallies, a->n_tallies * sizeof *a->tallies) &&
           !memcmp(&a->consulted, &b->consulted, sizeof a->consulted) && a->n_deps == b->n_deps;
}

START_TEST(consulted_bits_are_all_that_matters)
{
    uint64_t rng = unit_seed() + (uint64_t)_i * 0x1234567;
    struct sim s;
    struct dp_path a, b;
    sim_init(&s);
    random_rules(&s, &rng);
    dp_path_init(&a);
    dp_path_init(&b);
    b.acts.data = NULL;
    for (int i = 0; i < 150; i++) {
        struct flow_key k, other;
        random_packet(&rng, &k);
        dp_path_clear(&a);
        buf_reserve(&a.acts, 1);
        walk_packet(s.o, &k, &a, NULL);
        for (int j = 0; j < 8; j++) {
            like(&rng, &k, &a.consulted, &other);
            dp_path_clear(&b);
            buf_reserve(&b.acts, 1);
            walk_packet(s.o, &other, &b, NULL);
            if (!same_path(&a, &b)) {
                fprintf(stderr, "a: %s\n", format_path(&s, &a));
                fprintf(stderr, "b: %s\n", format_path(&s, &b));
                ck_abort_msg("the path depends on a bit that was not consulted");
            }
        }
    }
    dp_path_free(&a);
    dp_path_free(&b);
    sim_destroy(&s);
}
END_TEST

static void add(Suite *suite)
{
    TCase *golden = tcase_create("golden"), *property = tcase_create("property");
    tcase_add_test(golden, output_and_drops);
    tcase_add_test(golden, reserved_ports);
    tcase_add_test(golden, fields_written_where_present);
    tcase_add_test(golden, port_config);
    tcase_add_test(golden, header_changes_are_made_when_seen);
    tcase_add_test(golden, vlan_and_ttl);
    tcase_add_test(golden, action_set);
    tcase_add_test(golden, resubmit);
    tcase_add_test(golden, packet_out);
    tcase_add_test(golden, packet_in_blob);
    tcase_add_loop_test(property, consulted_bits_are_all_that_matters, 0, 40);
    suite_add_tcase(suite, golden);
    suite_add_tcase(suite, property);
}

UNIT_TEST_MAIN_WITH("walk", add)
