/* random.h: random rules and packets that meet often, for simulations. */
#ifndef TESTS_SIM_RANDOM_H
#define TESTS_SIM_RANDOM_H 1

#include "packet/compose.h"
#include "openflow/group.h"
#include "tests/sim/sim.h"

/* "field=value,…" into a match. */
static inline void parse_match(const char *text, struct match *m)
{
    memset(m, 0, sizeof *m);
    while (*text) {
        size_t len = strcspn(text, ","), name = strcspn(text, "=");
        union field_value value, mask;
        struct diag d = DIAG_INIT;
        int f = field_by_name(text, name);
        ck_assert_msg(f >= 0, "no field at %s", text);
        ck_assert_msg(field_parse(f, text + name + 1, len - name - 1, NULL, &value, &mask, &d), "%s: %s", text,
                      buf_text(&d.message));
        match_set(m, f, &value, &mask);
        text += len + (text[len] == ',');
    }
}

static inline void parse_acts(const char *text, struct buf *acts)
{
    struct diag d = DIAG_INIT;
    ck_assert_msg(acts_parse(text, strlen(text), true, NULL, NULL, acts, &d), "%s: %s", text, buf_text(&d.message));
    diag_free(&d);
}

/* Past all checks, so that rules also do what no OpenFlow message could ask for. */
static inline void add_unchecked(struct sim *s, unsigned table, unsigned priority, const char *match, const char *acts)
{
    struct flow_mod fm = FLOW_MOD_INIT;
    struct classifier *c = &s->o->tables[table].cls;
    fm.table = (uint8_t)table;
    fm.priority = (uint16_t)priority;
    parse_match(match, &fm.match);
    parse_acts(acts, &fm.acts);
    if (!classifier_find_exactly(c, &fm.match, fm.priority, s->o->version)) {
        struct rule *r = rule_create(s->o, &fm, NULL, clock_msec());
        classifier_insert(c, &r->cls, &fm.match, fm.priority, s->o->version);
        timeouts_add(s->o->timeouts, r);
        learning_count(s->o, r, 1);
        s->o->n_rules++;
    }
    flow_mod_free(&fm);
}

#define IP "eth_type=0x0800"
#define TCP IP ",nw_proto=6"

static const char *const some_matches[] = {
    "", "", "in_port=1", "in_port=2", "in_port=3", IP, TCP, IP ",nw_proto=17", IP ",nw_dst=10.0.0.0/30",
    IP ",nw_src=10.0.0.1", TCP ",tcp_dst=80", TCP ",tcp_dst=0x50/0xf0", TCP ",tcp_src=1,in_port=1", "vlan_vid=0",
    "vlan_vid=0x1000/0x1000", "vlan_vid=0x1005", "eth_dst=02:00:00:00:00:01", "eth_src=02:00:00:00:00:00/ff:ff:ff:ff:ff:00",
    "eth_dst=01:00:00:00:00:00/01:00:00:00:00:00", "reg0=1", "reg0=0x2/0x2", "metadata=0x3/0x3", "tun_id=10", "eth_type=0x0806",
    "eth_type=0x0806,arp_op=1", IP ",nw_ttl=2", IP ",nw_tos=0x10", IP ",nw_frag=no", IP ",nw_frag=later",
};
static const char *const some_acts[] = {
    "output:1", "output:2", "output:3", "all", "flood", "normal", "normal", "in_port", "controller:64", "local", "drop",
    "set_field:02:00:00:00:00:01->eth_dst", "set_field:1->reg0", "load:3->NXM_NX_REG0[1..2]", "set_tunnel:10",
    "move:NXM_OF_ETH_SRC[0..7]->NXM_NX_REG0[0..7]", "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]", "push_vlan:0x8100",
    "pop_vlan", "set_field:4101->vlan_vid", "load:0->NXM_OF_VLAN_TCI[]", "load:0x1005->NXM_OF_VLAN_TCI[]", "dec_ttl",
    "mod_nw_ttl:2", "set_field:10.0.0.1->nw_dst", "move:NXM_OF_IP_SRC[]->NXM_OF_IP_DST[]", "load:80->NXM_OF_TCP_DST[]",
    "move:NXM_OF_IP_TOS[]->NXM_NX_REG0[0..7]", "resubmit(,1)", "resubmit(2,1)", "resubmit(,2)", "resubmit:3", "exit",
    "clone(output:1,set_field:10.0.0.2->nw_src,output:2)", "note:01", "load:1->NXM_OF_IN_PORT[]", "move:NXM_NX_TUN_ID[0..31]->NXM_NX_REG0[]",
    "set_field:2->nw_ecn", "load:1->NXM_OF_IP_TOS[2..7]", "group:1", "group:2", "group:3", "group:4",
    "push:NXM_NX_REG0[]", "push:NXM_OF_IN_PORT[]", "push:NXM_OF_TCP_DST[]", "pop:NXM_NX_REG0[]", "pop:NXM_OF_VLAN_TCI[]", "pop:NXM_OF_IP_DST[0..7]",
    "output:NXM_NX_REG0[]", "output:NXM_OF_IN_PORT[]", "output:NXM_OF_ETH_SRC[0..15]", "learn(table=2,hard_timeout=5,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])",
    "learn(table=1,priority=3,limit=3,result_dst=NXM_NX_REG0[0],NXM_OF_VLAN_TCI[0..11],load:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15],output:NXM_NX_REG0[0..15])",
};
static const char *const some_instructions[] = {
    "", "", "", ",goto_table:1", ",goto_table:2", ",write_actions(output:2),goto_table:2",
    ",write_actions(output:3,pop_vlan)", ",write_actions(group:4)", ",write_actions(output:1,group:1,dec_ttl)", ",clear_actions", ",write_metadata:2/3,goto_table:2",
};

/* Groups 1 to 4, of which a later one may forward to those before it. */
static const char *const some_groups[] = {
    "type=all", "type=all,bucket=output:1,bucket=output:2", "type=all,bucket=mod_nw_ttl:2,output:1,bucket=pop_vlan,output:2,bucket=drop",
    "type=all,bucket=dec_ttl,output:1,bucket=output:2", "type=indirect,bucket=normal", "type=indirect,bucket=in_port",
    "type=indirect,bucket=set_field:02:00:00:00:00:01->eth_dst,resubmit(,2)", "type=indirect,bucket=controller:64",
    "type=select,bucket=output:1,bucket=output:2,bucket=output:3", "type=select,bucket=weight:5,output:1,bucket=weight:0,output:2",
    "type=select,bucket=set_field:10.0.0.2->nw_src,output:1,bucket=watch_port:2,output:3",
    "type=ff,bucket=watch_port:1,output:2,bucket=watch_port:2,output:3", "type=ff,bucket=watch_port:3,set_field:1->reg0,resubmit(,2)",
};
static const char *const some_chains[] = {
    "type=all,bucket=group:%u,bucket=output:2", "type=select,bucket=group:%u,bucket=output:3", "type=indirect,bucket=dec_ttl,group:%u",
    "type=ff,bucket=watch_group:%u,output:1,bucket=watch_port:2,group:%u",
};

static inline void random_group(struct sim *s, uint64_t *rng, unsigned id)
{
    char text[300] = "";
    struct group_mod gm;
    unsigned other = id > 1 ? 1 + unit_below(rng, id - 1) : 0;
    snprintf(text, sizeof text, "group_id=%u,", id);
    if (other && unit_below(rng, 2))
        snprintf(text + strlen(text), sizeof text - strlen(text), some_chains[unit_below(rng, ARRAY_SIZE(some_chains))], other, other);
    else
        strcat(text, some_groups[unit_below(rng, ARRAY_SIZE(some_groups))]);
    ck_assert_msg(group_mod_parse(text, OFPGC_ADD_OR_MOD, NULL, &gm, NULL), "%s", text);
    if (!group_mod_check(s->o, &gm)) /* the port to be watched may be away */
        group_mod_apply(s->o, &gm, clock_msec());
    group_desc_free(&gm.group);
}

static inline void random_rule(uint64_t *rng, unsigned *table, const char **match, char acts[512])
{
    *table = unit_below(rng, 3);
    *match = some_matches[unit_below(rng, ARRAY_SIZE(some_matches))];
    *acts = 0;
    const char *last = some_instructions[unit_below(rng, *table == 2 ? 3 : ARRAY_SIZE(some_instructions))];
    for (unsigned n = 1 + unit_below(rng, 4); n--;)
        snprintf(acts + strlen(acts), 512 - strlen(acts), "%s%s", *acts ? "," : "",
                 some_acts[unit_below(rng, ARRAY_SIZE(some_acts))]);
    if (strstr(acts, "drop"))
        strcpy(acts, "drop");
    else if (!strstr(last, "goto_table:1") || *table == 0)
        strcat(acts, last);
}

static inline void random_rules(struct sim *s, uint64_t *rng)
{
    for (unsigned id = 1; id <= 4; id++)
        random_group(s, rng, id);
    for (int i = 0; i < 40; i++) {
        char acts[512];
        const char *match;
        unsigned table;
        random_rule(rng, &table, &match, acts);
        add_unchecked(s, table, unit_below(rng, 6), match, acts);
    }
    for (unsigned i = 0; i < 4; i++) {
        struct punt_learn_mac learn = {.in_port = 1 + unit_below(rng, 3), .mac = {2, 0, 0, 0, 0, (uint8_t)i}};
        fdb_learn(s->o->fdb, &learn, clock_msec());
    }
}

/* As a controller would; what the switch refuses changes nothing. */
static inline void random_flow_mod(struct sim *s, uint64_t *rng)
{
    static const enum ofp_flow_mod_command commands[] = {OFPFC_ADD, OFPFC_ADD, OFPFC_ADD, OFPFC_MODIFY, OFPFC_DELETE_STRICT};
    struct flow_mod fm = FLOW_MOD_INIT;
    char acts[512];
    const char *match;
    unsigned table;
    if (!unit_below(rng, 6))
        random_group(s, rng, 1 + unit_below(rng, 4));
    random_rule(rng, &table, &match, acts);
    parse_match(match, &fm.match);
    parse_acts(acts, &fm.acts);
    fm.command = commands[unit_below(rng, ARRAY_SIZE(commands))];
    fm.table = (uint8_t)table;
    fm.priority = (uint16_t)unit_below(rng, 6);
    tables_flow_mod(s->o, &fm, clock_msec());
    flow_mod_free(&fm);
}

static inline void random_packet(uint64_t *rng, struct flow_key *k)
{
    static const char *const shapes[] = {"eth_type=0x0806,arp_op=1", TCP, TCP, IP ",nw_proto=17", IP ",nw_frag=later,nw_proto=6", "eth_type=0x86dd"};
    struct match m;
    parse_match(shapes[unit_below(rng, ARRAY_SIZE(shapes))], &m);
    *k = m.value;
    k->meta.in_port = k->meta.in_phy_port = htonl(1 + unit_below(rng, 3));
    memcpy(k->eth.dst, (uint8_t[]){2, 0, 0, 0, 0, (uint8_t)unit_below(rng, 5)}, 6);
    memcpy(k->eth.src, (uint8_t[]){2, 0, 0, 0, 0, (uint8_t)unit_below(rng, 5)}, 6);
    if (!unit_below(rng, 5))
        k->eth.dst[0] = 1;
    if (unit_below(rng, 2)) {
        k->eth.tci = htons((uint16_t)(VLAN_PRESENT | (4 + unit_below(rng, 3)) | unit_below(rng, 2) << 13));
        k->eth.tpid = htons(0x8100);
        if (!unit_below(rng, 3)) {
            k->eth.tci2 = htons((uint16_t)(VLAN_PRESENT | (4 + unit_below(rng, 3))));
            k->eth.tpid2 = htons(0x8100);
        }
    }
    if (!unit_below(rng, 4))
        k->tun.id = htobe64(9 + unit_below(rng, 3));
    if (k->eth.type == htons(0x0800)) {
        k->ip4.src = htonl(0x0a000000 | unit_below(rng, 5));
        k->ip4.dst = htonl(0x0a000000 | unit_below(rng, 5));
        k->ip.ttl = (uint8_t)(1 + unit_below(rng, 4));
        k->ip.tos = (uint8_t)(unit_below(rng, 2) * 0x10 + unit_below(rng, 4));
        if (!k->ip.frag) {
            k->l4.src = htons((uint16_t)unit_below(rng, 3));
            k->l4.dst = htons((uint16_t)(78 + unit_below(rng, 5)));
        }
    }
    key_complete(k);
}

#endif
