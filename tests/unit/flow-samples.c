#include "flow-samples.h"

/* clang-format off */
const struct act_sample act_samples[] = {
    {ACT_OUTPUT, "", "output:1"},
    {ACT_OUTPUT, "", "output:4294967040"},
    {ACT_OUTPUT, "in_port=1", "IN_PORT"},
    {ACT_OUTPUT, "", "LOCAL"},
    {ACT_OUTPUT, "", "TABLE"},
    {ACT_OUTPUT, "", "NORMAL"},
    {ACT_OUTPUT, "", "FLOOD"},
    {ACT_OUTPUT, "", "ALL"},
    {ACT_OUTPUT, "", "CONTROLLER:128"},
    {ACT_OUTPUT, "", "CONTROLLER:65535"},
    {ACT_CONTROLLER, "", "controller(reason=invalid_ttl,max_len=100,id=7)"},
    {ACT_CONTROLLER, "", "controller(id=65535)"},
    {ACT_GROUP, "", "group:4294967040"},
    {ACT_SET_QUEUE, "", "set_queue:5"},
    {ACT_PUSH_VLAN, "", "push_vlan:0x8100,set_field:4101->vlan_vid"},
    {ACT_PUSH_VLAN, "", "push_vlan:0x88a8"},
    {ACT_POP_VLAN, "dl_vlan=5", "pop_vlan"},
    {ACT_PUSH_MPLS, "ip", "push_mpls:0x8847,set_field:1048575->mpls_label,set_mpls_ttl(9)"},
    {ACT_PUSH_MPLS, "", "push_mpls:0x8848"},
    {ACT_POP_MPLS, "mpls", "pop_mpls:0x0800,dec_ttl"},
    {ACT_POP_MPLS, "mplsm,mpls_bos=0", "pop_mpls:0x8847,pop_mpls:0x8100,pop_vlan"},
    {ACT_SET_MPLS_TTL, "mpls", "set_mpls_ttl(255)"},
    {ACT_DEC_MPLS_TTL, "mplsm", "dec_mpls_ttl"},
    {ACT_COPY_TTL_OUT, "mpls", "copy_ttl_out"},
    {ACT_COPY_TTL_IN, "mpls", "copy_ttl_in,pop_mpls:0x86dd"},
    {ACT_PUSH_PBB, "dl_vlan=5", "push_pbb:0x88e7,set_field:16777215->pbb_isid,push_vlan:0x88a8"},
    {ACT_POP_PBB, "dl_type=0x88e7", "pop_pbb"},
    {ACT_SET_NW_TTL, "ip", "mod_nw_ttl:255"},
    {ACT_DEC_NW_TTL, "ipv6", "dec_ttl"},
    {ACT_SET_FIELD, "tcp", "set_field:10.0.0.1->ip_src,set_field:80->tcp_dst"},
    {ACT_SET_FIELD, "ipv6", "set_field:fe80::1->ipv6_dst,set_field:0x123->ipv6_label"},
    {ACT_SET_FIELD, "dl_vlan=9", "set_field:8191->vlan_vid,set_field:7->vlan_pcp"},
    {ACT_SET_FIELD, "", "set_field:0->reg0,set_field:0xa->tun_id,set_field:0x102030405060708->xreg3"},
    {ACT_SET_FIELD, "", "set_field:aa:bb:cc:dd:ee:ff->eth_src,set_field:LOCAL->in_port"},
    {ACT_SET_MASKED, "", "set_field:0x50/0xf0->reg1,set_field:00:00:00:00:00:01/01:00:00:00:00:01->eth_dst"},
    {ACT_SET_MASKED, "ipv6", "set_field:2001:db8::/32->ipv6_src"},
    {ACT_SET_PRESENT, "", "set_if_present:10.0.0.1->ip_src,set_if_present:8->ip_dscp,set_if_present:80->tcp_dst"},
    {ACT_REG_LOAD, "", "load:0x5->NXM_NX_REG0[0..3],load:0->NXM_OF_IN_PORT[],load:0x1->OXM_OF_PKT_REG1[]"},
    {ACT_REG_LOAD, "", "load:0xffffffffffffffff->NXM_NX_TUN_ID[],load:0x1->OXM_OF_METADATA[63]"},
    {ACT_REG_LOAD, "ipv6", "load:0xfe80->NXM_NX_IPV6_DST[112..127]"},
    {ACT_REG_LOAD, "", "load:0x12->NXM_OF_VLAN_TCI[0..11]"},
    {ACT_REG_MOVE, "arp", "move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[],move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[]"},
    {ACT_REG_MOVE, "gre", "move:XVSOXM_GRE_KEY[]->NXM_NX_REG3[],move:OXM_OF_METADATA[0..31]->NXM_NX_REG15[]"},
    {ACT_REG_MOVE, "dl_vlan=5", "move:OXM_OF_VLAN_VID[]->NXM_NX_REG0[20..31],move:OXM_OF_IN_PORT[]->NXM_NX_REG1[]"},
    {ACT_REG_MOVE, "", "move:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15]"},
    {ACT_SET_TUNNEL, "", "set_tunnel:0xa"},
    {ACT_SET_TUNNEL, "", "set_tunnel:0"},
    {ACT_SET_TUNNEL64, "", "set_tunnel64:0x123456789abcdef0"},
    {ACT_RESUBMIT, "", "resubmit:1"},
    {ACT_RESUBMIT, "", "resubmit:LOCAL"},
    {ACT_RESUBMIT_TABLE, "", "resubmit(,10)"},
    {ACT_RESUBMIT_TABLE, "", "resubmit(3,0)"},
    {ACT_CLONE, "", "clone(push_vlan:0x8100,clone(output:3),output:2),output:1"},
    {ACT_STACK_PUSH, "gre", "push:NXM_NX_REG0[],push:OXM_OF_METADATA[3..7],push:OXM_OF_PKT_REG1[],push:XVSOXM_GRE_KEY[]"},
    {ACT_STACK_POP, "", "pop:NXM_NX_REG1[0..15],pop:NXM_OF_VLAN_TCI[],pop:NXM_NX_XXREG0[100..127]"},
    {ACT_OUTPUT_REG, "", "output:NXM_NX_REG0[],output:OXM_OF_METADATA[16..31],output:NXM_OF_IN_PORT[]"},
    {ACT_OUTPUT_REG2, "gre", "output:XVSOXM_GRE_KEY[0..15]"},
    {ACT_LEARN, "", "learn(table=20,hard_timeout=300,priority=1,cookie=0x9a1c3e5f70b2d481,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],load:0->NXM_OF_VLAN_TCI[],load:NXM_NX_TUN_ID[]->NXM_NX_TUN_ID[],output:OXM_OF_IN_PORT[])"},
    {ACT_LEARN, "tcp", "learn(table=2,idle_timeout=10,fin_idle_timeout=2,fin_hard_timeout=3,send_flow_rem,delete_learned,eth_type=0x800,nw_proto=6,NXM_OF_IP_SRC[]=NXM_OF_IP_DST[],NXM_OF_TCP_DST[]=NXM_OF_TCP_SRC[],load:0x1234->NXM_NX_REG0[0..15],output:NXM_NX_REG0[0..15])"},
    {ACT_LEARN, "tcp", "learn(table=2,eth_type=0x800,nw_proto=6,ip_dst=10.0.0.1,tcp_dst=80,in_port=5,vlan_tci=0x1005,tun_id=0x7,eth_src=00:11:22:33:44:55,metadata=0x3,reg1=0x9,NXM_NX_REG2[0..15]=0x77,load:NXM_OF_IP_DST[0..15]->NXM_NX_REG3[16..31])"},
    {ACT_LEARN, "ipv6", "learn(table=3,eth_type=0x86dd,NXM_NX_IPV6_SRC[]=NXM_NX_IPV6_DST[],ipv6_dst=fe80::1,load:NXM_NX_IPV6_DST[]->NXM_NX_XXREG0[],load:0xfe800000000000000000000000000001->NXM_NX_XXREG1[])"},
    {ACT_LEARN2, "", "learn(table=3,limit=5,result_dst=NXM_NX_REG0[8],NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[]),resubmit(,3)"},
    {ACT_LEARN2, "gre", "learn(table=1,result_dst=OXM_OF_PKT_REG0[0],eth_type=0x800,nw_proto=47,XVSOXM_GRE_KEY[])"},
    {ACT_FIN_TIMEOUT, "tcp", "fin_timeout(idle_timeout=5,hard_timeout=9),fin_timeout(hard_timeout=1)"},
    {ACT_CONJUNCTION, "", "conjunction(1,1/2),conjunction(4294967295,64/64),note:01.02.03.00.00.00"},
    {ACT_CONTROLLER2, "", "controller(reason=invalid_ttl,max_len=9,id=3,userdata=01.02.ff),controller(userdata=00)"},
    {ACT_CONTROLLER, "", "controller(reason=packet_out)"},
    {ACT_DEC_TTL_IDS, "ip", "dec_ttl(1,2,65535),dec_ttl(0)"},
    {ACT_CHECK_LEN, "", "check_pkt_larger(1500)->NXM_NX_REG0[5],check_pkt_larger(0)->OXM_OF_PKT_REG1[63],output:1"},
    {ACT_CLONE, "", "clone(drop)"},
    {ACT_NOTE, "", "note:01.02.03.04.05.06.07.08.09.0a.0b.0c.0d.0e"},
    {ACT_NOTE, "", "note:00.00.00.00.00.00"},
    {ACT_EXIT, "", "exit"},
    {ACT_POP_QUEUE, "", "set_queue:7,output:2,pop_queue,output:3"},
    {INST_METER, "", "meter:1,output:1"},
    {INST_APPLY_ACTIONS, "", "output:1,output:2"},
    {INST_CLEAR_ACTIONS, "", "output:1,clear_actions"},
    {INST_WRITE_ACTIONS, "ip", "write_actions(set_field:1.2.3.4->ip_dst,output:2,group:3)"},
    {INST_WRITE_ACTIONS, "", "write_actions(drop)"},
    {INST_WRITE_METADATA, "", "write_metadata:0x10/0xff"},
    {INST_WRITE_METADATA, "", "write_metadata:0"},
    {INST_GOTO_TABLE, "", "meter:9,set_tunnel:0x5,clear_actions,write_actions(LOCAL),write_metadata:0xa/0xf,goto_table:254"},
};
/* clang-format on */
const unsigned n_act_samples = sizeof act_samples / sizeof *act_samples;

/* Which of a field's several possible prerequisites is at random. */
void fulfil_prereq(struct match *m, enum field_id f, uint64_t *rng)
{
    bool coin = unit_random(rng) & 1;
    uint64_t type = 0, proto = 0, icmp = 0;
    union field_value v;
    /* clang-format off */
    switch (fields[f].prereq) {
    case P_IN_PORT: field_value_set_u64(&v, 7); match_set(m, FIELD_IN_PORT, &v, NULL); return;
    case P_VLAN: field_value_set_u64(&v, 0x1000 | unit_below(rng, 4096)); match_set(m, FIELD_VLAN_VID, &v, coin ? &v : NULL); return;
    case P_MPLS: type = coin ? 0x8847 : 0x8848; break;
    case P_IP: type = coin ? 0x0800 : 0x86dd; break;
    case P_IPV4: type = 0x0800; break;
    case P_IPV6: type = 0x86dd; break;
    case P_ARP: type = coin ? 0x0806 : 0x8035; break;
    case P_TCP: type = coin ? 0x0800 : 0x86dd; proto = 6; break;
    case P_UDP: type = coin ? 0x0800 : 0x86dd; proto = 17; break;
    case P_SCTP: type = coin ? 0x0800 : 0x86dd; proto = 132; break;
    case P_PBB: type = 0x88e7; break;
    case P_GRE: type = coin ? 0x0800 : 0x86dd; proto = 47; break;
    case P_ICMPV4: type = 0x0800; proto = 1; break;
    case P_ICMPV6: type = 0x86dd; proto = 58; break;
    case P_ND: type = 0x86dd; proto = 58; icmp = coin ? 135 : 136; break;
    case P_ND_SOLICIT: type = 0x86dd; proto = 58; icmp = 135; break;
    case P_ND_ADVERT: type = 0x86dd; proto = 58; icmp = 136; break;
    case P_NONE: case N_PREREQS: return;
    }
    /* clang-format on */
    field_value_set_u64(&v, type);
    match_set(m, FIELD_ETH_TYPE, &v, NULL);
    field_value_set_u64(&v, proto);
    if (proto)
        match_set(m, FIELD_IP_PROTO, &v, NULL);
    field_value_set_u64(&v, icmp);
    if (icmp)
        match_set(m, FIELD_ICMPV6_TYPE, &v, NULL);
}

void random_value(enum field_id f, bool masked, uint64_t *rng, union field_value *value, union field_value *mask)
{
    union field_value ones;
    field_all_ones(f, &ones);
    for (int i = 0; i < 2; i++) {
        uint64_t sparse = unit_random(rng) | unit_random(rng);
        value->w[i] = unit_random(rng) & ones.w[i];
        mask->w[i] = (masked && fields[f].mask == M_ANY ? sparse : UINT64_MAX) & ones.w[i];
    }
    if (unit_below(rng, 8) == 0)
        *value = (union field_value){{0}};
    if (fields[f].format == F_PORT)
        field_value_set_u64(value, 1 + unit_below(rng, 60000));
    if (!(mask->w[0] | mask->w[1]))
        *mask = ones;
    /* A tag's fields go with a tag, or a zero TCI. */
    if ((f == FIELD_VLAN_VID || f == FIELD_VLAN_TCI) && (field_value_u64(mask) & 0x1000) &&
        !(field_value_u64(value) & 0x1000))
        *value = (union field_value){{0}};
    if (f == FIELD_VLAN_TCI && !field_value_u64(value) && field_value_u64(mask) == 0xffff)
        field_value_set_u64(mask, 0x1fff); /* the way in which "no tag" is kept */
    for (int i = 0; i < 2; i++)
        value->w[i] &= mask->w[i];
}

void random_field(struct match *m, enum field_id f, bool masked, uint64_t *rng)
{
    union field_value value, mask;
    random_value(f, masked, rng, &value, &mask);
    fulfil_prereq(m, f, rng);
    match_set(m, f, &value, &mask);
}
