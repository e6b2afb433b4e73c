"""Flows in text, as many as there are fields and actions that both Open vSwitch and xvs know, for comparing the two."""

MAC = ["02:00:00:00:00:01", "ff:ff:ff:ff:ff:ff", "01:00:00:00:00:00/01:00:00:00:00:00", "01:80:c2:00:00:00/ff:ff:ff:ff:ff:f0"]
IP4 = ["10.0.0.1", "10.0.0.0/8", "192.168.1.0/255.255.255.0", "10.0.0.1/255.0.0.255", "0.0.0.0/1"]
IP6 = ["2001:db8::1", "fe80::/10", "::1", "2001:db8::/32", "::1/::ffff", "fe80::1:2:3:4/ffff::ffff:ffff:ffff:ffff"]
U8 = ["0", "1", "255"]
U16 = ["0", "80", "65535", "0x50/0xfff0", "0x8000/0x8000"]
HEX32 = ["0", "1", "0xdeadbeef", "0x12/0xff", "0xf0000000/0xf0000000"]
HEX64 = ["0", "5", "0xfedcba9876543210", "0x12/0xff", "0x8000000000000000/0x8000000000000000"]
PORT = ["1", "2", "local", "controller", "LOCAL", "in_port", "65279"]

# what must stand before it: field: values
FIELDS = {
    "": {
        "in_port": PORT, "metadata": HEX64, "tun_id": HEX64, "tunnel_id": ["9"], "tun_src": IP4, "tun_dst": IP4, "pkt_mark": HEX32,
        "conj_id": ["7"], "dl_src": MAC, "dl_dst": MAC, "eth_src": MAC[:1], "eth_dst": MAC[:1],
        "dl_type": ["0x1234", "0x0800", "0x86dd", "0x806", "0x8035", "0x8847", "2054", "0x600", "0x88e7"],
        "eth_type": ["0x88cc"], "dl_vlan": ["0", "5", "4095", "0xffff"], "dl_vlan_pcp": ["0", "7"],
        "vlan_tci": ["0", "0x1005", "0x1000/0x1000", "0xf005", "0x1005/0x1fff", "0x5000/0xf000", "0x0000/0x1000"],
        "vlan_vid": ["0x1005", "0x1000/0x1000", "0"], "actset_output": ["2"],
        **{f"reg{n}": HEX32[:2] + HEX32[3:4] for n in range(16)}, **{f"xreg{n}": HEX64[1:4] for n in range(8)},
        **{f"xxreg{n}": ["0x5", "0x123456789abcdef0123456789abcdef", "1/1"] for n in range(4)},
    },
    "dl_vlan=5": {"dl_vlan_pcp": ["3"], "vlan_pcp": ["3"]},
    "ip": {
        "nw_src": IP4, "nw_dst": IP4, "ip_src": IP4[:1], "ip_dst": IP4[:1], "nw_proto": U8 + ["6", "17", "47", "1", "132"],
        "ip_proto": ["6"], "nw_tos": ["0", "4", "252"], "ip_dscp": ["0", "63"], "nw_ecn": ["0", "3"], "ip_ecn": ["2"],
        "nw_ttl": U8, "ip_frag": ["yes"], "nw_frag": ["yes", "no", "first", "later", "not_later"],
    },
    "ipv6": {
        "ipv6_src": IP6, "ipv6_dst": IP6, "ipv6_label": ["0", "0x12345", "0x12000/0xff000"], "nw_proto": ["6", "58", "17", "59"],
        "nw_tos": ["4"], "nw_ecn": ["1"], "nw_ttl": ["64"], "nw_frag": ["yes", "later"],
    },
    "arp": {"arp_op": ["1", "2", "0", "255"], "arp_spa": IP4, "arp_tpa": IP4, "arp_sha": MAC, "arp_tha": MAC, "nw_src": IP4[:1], "nw_dst": IP4[:2],
            "nw_proto": ["2"]},
    "rarp": {"arp_op": ["3"], "arp_tha": MAC[:1], "arp_spa": IP4[:1]},
    **{p: {f"{f}_{d}": U16[:3] + U16[3:4] for f in ("tp", p.rstrip("6")) for d in ("src", "dst")}
       for p in ("tcp", "udp", "sctp", "tcp6", "udp6", "sctp6")},
    "tcp ": {"tcp_flags": ["+syn-ack", "+fin", "-rst", "syn|ack", "0x12", "0x002/0x012"]},
    "icmp": {"icmp_type": U8, "icmp_code": U8, "icmp_type=3,icmp_code": ["1"]},
    "icmp6": {"icmp_type": U8, "icmpv6_type": ["128"], "icmp_type=135,icmp_code": ["0"],
              "icmp_type=135,nd_target": IP6[:4], "icmp_type=136,nd_target": IP6[:1], "icmp_type=135,nd_sll": MAC[:1] + MAC[2:3],
              "icmp_type=136,nd_tll": MAC[:1] + MAC[2:3]},
    "mpls": {"mpls_label": ["0", "16", "1048575"], "mpls_tc": ["0", "7"], "mpls_bos": ["0", "1"], "mpls_ttl": ["0", "255"]},
    "mplsm": {"mpls_label": ["16"]},
}

# in a flow of this kind: actions
ACTIONS = {
    "": """output:1 1 output:local LOCAL in_port IN_PORT normal NORMAL flood all controller CONTROLLER controller:128 controller:0
        drop output:1,2,3 output:1,drop_is_not output:65279 group:1 group:4294967040 set_queue:5 pop_queue set_queue:1,output:2
        push_vlan:0x8100 push_vlan:0x88a8 push_vlan:0x8100,set_field:4101->vlan_vid,output:2 push_mpls:0x8847 push_mpls:0x8848
        push_mpls:0x8847,set_field:16->mpls_label,output:1 set_field:02:00:00:00:00:05->eth_dst set_field:02:00:00:00:00:05->dl_src
        set_field:5->metadata set_field:0x12->tun_id set_field:10.0.0.1->tun_dst set_field:10.0.0.1->tun_src set_field:7->reg0
        set_field:0xffffffffffffffff->xreg3 set_field:1->xxreg1 set_field:7->pkt_mark set_tunnel:5 set_tunnel:0xffffffff set_tunnel64:5
        set_field:2->in_port load:5->NXM_NX_REG0[] load:0x7->NXM_NX_REG1[0..7] load:1->NXM_NX_REG2[31] load:0->NXM_OF_IN_PORT[]
        load:5->reg3[0..15] load:0xffff->NXM_NX_TUN_ID[16..31] load:1->OXM_OF_METADATA[0] load:0x102030405->NXM_OF_ETH_DST[]
        move:NXM_NX_REG0[]->NXM_NX_REG1[] move:NXM_NX_REG0[0..7]->NXM_NX_REG1[8..15] move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]
        move:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15] move:reg0->reg1 move:NXM_NX_TUN_ID[0..31]->NXM_NX_REG4[]
        resubmit:1 resubmit(,1) resubmit(2,) resubmit(2,3) resubmit(in_port,5) resubmit(,10),output:3
        note:01.02.03 note:00.11.22.33.44.55 exit output:1,exit controller(reason=action) controller(max_len=50) controller(id=3)
        controller(reason=no_match,max_len=128,id=1) controller(reason=invalid_ttl) controller() clone(output:1) clone(output:1,output:2),output:3
        clone(set_field:5->reg0,resubmit(,2)) clear_actions clear_actions,output:1 write_actions(output:1)
        write_actions(push_vlan:0x8100,output:2) write_metadata:5 write_metadata:5/0xff goto_table:5 output:1,goto_table:9
        meter:1 meter:1,output:2 meter:3,goto_table:4 clear_actions,write_actions(output:1),write_metadata:0x3/0xf,goto_table:200
        mod_dl_src:02:00:00:00:00:01 mod_dl_dst:02:00:00:00:00:01 enqueue:1:2 enqueue(1,2) output:NXM_NX_REG0[] output:reg1[0..15]
        push:NXM_NX_REG0[] pop:NXM_NX_REG1[] push:NXM_NX_REG2[0..7],pop:NXM_NX_REG3[8..15] check_pkt_larger(1500)->NXM_NX_REG0[0]
        controller(userdata=01.02.03) controller(reason=action,userdata=aa)
        learn(table=1,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])
        learn(table=10,hard_timeout=300,priority=1,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],load:0->NXM_OF_VLAN_TCI[],load:NXM_NX_TUN_ID[]->NXM_NX_TUN_ID[],output:NXM_OF_IN_PORT[])
        learn(table=1,idle_timeout=5,cookie=0x7,eth_type=0x800,nw_proto=6,NXM_OF_IP_SRC[]=NXM_OF_IP_DST[])
        learn(table=2,send_flow_rem,delete_learned,fin_idle_timeout=1,fin_hard_timeout=2,limit=5,result_dst=reg0[0],eth_type=0x800,nw_proto=6)
        """,
    "conj": "conjunction(1,1/2) conjunction(2,3/3) conjunction(1,1/2),conjunction(2,2/2)",
    "dl_vlan=5": "pop_vlan strip_vlan set_field:4102->vlan_vid set_field:3->vlan_pcp mod_vlan_vid:9 mod_vlan_pcp:3 pop_vlan,output:1 "
                 "load:7->NXM_OF_VLAN_TCI[0..11] move:NXM_OF_VLAN_TCI[0..11]->NXM_NX_REG0[0..11]",
    "ip": "dec_ttl mod_nw_ttl:64 set_field:10.0.0.9->ip_src set_field:10.0.0.9->nw_dst set_field:5->ip_dscp set_field:1->nw_ecn "
          "mod_nw_src:10.0.0.1 mod_nw_dst:10.0.0.1 mod_nw_tos:4 mod_nw_ecn:2 load:0xa000001->NXM_OF_IP_SRC[] dec_ttl(1,2) "
          "move:NXM_OF_IP_SRC[]->NXM_OF_IP_DST[] set_field:64->nw_ttl load:9->NXM_NX_IP_TTL[]",
    "ipv6": "set_field:2001:db8::1->ipv6_src set_field:fe80::1->ipv6_dst set_field:5->ipv6_label dec_ttl set_field:3->ip_dscp",
    "tcp": "fin_timeout(idle_timeout=5) fin_timeout(idle_timeout=1,hard_timeout=2) set_field:80->tcp_dst set_field:81->tcp_src mod_tp_src:5 mod_tp_dst:6 load:80->NXM_OF_TCP_DST[] "
           "move:NXM_OF_TCP_SRC[]->NXM_OF_TCP_DST[]",
    "udp": "set_field:80->udp_dst mod_tp_src:5 load:80->NXM_OF_UDP_DST[]",
    "udp6": "set_field:80->udp_src mod_tp_dst:5",
    "sctp": "set_field:80->sctp_dst set_field:80->sctp_src mod_tp_dst:5",
    "icmp": "set_field:3->icmp_type set_field:1->icmp_code",
    "arp": "set_field:2->arp_op set_field:10.0.0.1->arp_spa set_field:02:00:00:00:00:01->arp_sha move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[] "
           "load:2->NXM_OF_ARP_OP[] move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[]",
    "icmp6,icmp_type=135": "set_field:2001:db8::1->nd_target set_field:02:00:00:00:00:01->nd_sll",
    "mpls": "pop_mpls:0x0800 pop_mpls:0x8847 dec_mpls_ttl set_mpls_ttl:9 set_field:17->mpls_label set_field:5->mpls_tc set_field:3->mpls_ttl "
            "pop_mpls:0x0800,dec_ttl",
}

HEADS = """priority=0 priority=65535 priority=10,table=5 table=253 cookie=0x1234 cookie=0xffffffffffffff idle_timeout=5 hard_timeout=65535
    idle_timeout=1,hard_timeout=2,priority=3,cookie=4,table=5 send_flow_rem check_overlap reset_counts no_packet_counts no_byte_counts
    send_flow_rem,check_overlap,reset_counts,no_packet_counts,no_byte_counts importance=0""".split()


def match_flows():
    for need, fields in FIELDS.items():
        for field, values in fields.items():
            for value in values:
                yield ",".join(filter(None, [need.strip(), f"{field}={value}", "actions=output:1"]))


def action_flows():
    for need, actions in ACTIONS.items():
        if need == "conj":
            need = "ip,nw_src=10.0.0.1"
        for action in actions.split():
            if "drop_is_not" not in action:
                yield ",".join(filter(None, [need, f"actions={action}"]))


def head_flows():
    for head in HEADS:
        yield f"{head},ip,actions=output:1"
