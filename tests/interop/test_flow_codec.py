"""Our flows against os-ken's encoder, and our bytes and text against Open vSwitch's."""
import os
import re

import pytest
import xvs

parser = pytest.importorskip("os_ken.ofproto.ofproto_v1_3_parser")
ofproto = pytest.importorskip("os_ken.ofproto.ofproto_v1_3")
protocol = pytest.importorskip("os_ken.ofproto.ofproto_protocol")

MSG_TOOL = os.path.join(xvs.BUILDDIR, "tests/unit/msg-tool")
FLOW_TEXT = os.path.join(xvs.BUILDDIR, "tests/golden/flow-text")
GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../golden/flow-print.in")


class Datapath(protocol.ProtocolDesc):
    id = 1


DATAPATH = Datapath(version=ofproto.OFP_VERSION)
P = parser


def bytes_of(match, actions, **instructions):
    inst = [P.OFPInstructionActions(ofproto.OFPIT_APPLY_ACTIONS, actions)] if actions else []
    if "table" in instructions:
        inst.append(P.OFPInstructionGotoTable(instructions["table"]))
    if "metadata" in instructions:
        inst.insert(0, P.OFPInstructionWriteMetadata(*instructions["metadata"]))
    if "write" in instructions:
        inst.append(P.OFPInstructionActions(ofproto.OFPIT_WRITE_ACTIONS, instructions["write"]))
    if "meter" in instructions:
        inst.append(P.OFPInstructionMeter(instructions["meter"], ofproto.OFPIT_METER))
    message = P.OFPFlowMod(DATAPATH, priority=32768, match=P.OFPMatch(**match), instructions=inst)
    message.xid = 1
    message.serialize()
    return bytes(message.buf)


V = ofproto.OFPVID_PRESENT
# match, actions, other instructions, our text
FLOWS = [
    ({}, [], {}, "actions=drop"),
    ({"in_port": 1, "eth_type": 0x800, "ip_proto": 47}, [P.NXActionResubmitTable(table_id=10)], {},
     "ip,in_port=1,nw_proto=47 actions=resubmit(,10)"),
    ({"in_port": 1}, [P.NXActionResubmit(3), P.NXActionResubmitTable(in_port=2, table_id=7)], {},
     "in_port=1 actions=resubmit:3,resubmit(2,7)"),
    ({"eth_src": "08:00:27:54:e2:e4"}, [P.OFPActionOutput(2)], {}, "dl_src=08:00:27:54:e2:e4 actions=output:2"),
    ({}, [P.OFPActionOutput(ofproto.OFPP_CONTROLLER, ofproto.OFPCML_NO_BUFFER)], {}, "actions=CONTROLLER:65535"),
    ({"tunnel_id": 0x3e9}, [P.OFPActionPushVlan(0x8100), P.OFPActionSetField(vlan_vid=V | 1)], {"table": 10},
     "tun_id=0x3e9 actions=push_vlan:0x8100,set_field:4097->vlan_vid,goto_table:10"),
    ({"vlan_vid": V | 1, "eth_dst": "fa:16:3e:00:00:0b"},
     [P.OFPActionPopVlan(), P.OFPActionSetField(tunnel_id=0x3e9), P.OFPActionOutput(2)], {},
     "dl_vlan=1,dl_dst=fa:16:3e:00:00:0b actions=pop_vlan,set_field:0x3e9->tun_id,output:2"),
    ({"eth_dst": ("01:00:00:00:00:00", "01:00:00:00:00:00")}, [], {"table": 22},
     "dl_dst=01:00:00:00:00:00/01:00:00:00:00:00 actions=goto_table:22"),
    ({"vlan_vid": (V, V)}, [], {}, "vlan_tci=0x1000/0x1000 actions=drop"),
    ({"vlan_vid": 0}, [], {}, "vlan_tci=0x0000/0x1fff actions=drop"),
    ({"eth_type": 0x806, "arp_tpa": "10.0.0.11", "vlan_vid": V | 1},
     [P.OFPActionSetField(arp_op=2), P.NXActionRegMove("arp_sha", "arp_tha", 48), P.NXActionRegMove("arp_spa", "arp_tpa", 32),
      P.OFPActionSetField(arp_sha="fa:16:3e:00:00:0b"), P.OFPActionOutput(ofproto.OFPP_IN_PORT)], {},
     "arp,dl_vlan=1,arp_tpa=10.0.0.11 actions=set_field:2->arp_op,move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[],"
     "move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[],set_field:fa:16:3e:00:00:0b->arp_sha,IN_PORT"),
    ({"eth_type": 0x800, "ipv4_src": ("10.0.0.0", "255.0.0.0"), "ip_proto": 6, "tcp_dst": 80, "ip_dscp": 10}, [], {},
     "tcp,nw_src=10.0.0.0/8,nw_tos=40,tp_dst=80 actions=drop"),
    ({"eth_type": 0x86dd, "ip_proto": 58, "icmpv6_type": 136, "ipv6_nd_target": ("fe80::", "ffff::")}, [], {},
     "icmp6,icmp_type=136,nd_target=fe80::/16 actions=drop"),
    ({"eth_type": 0x86dd, "ipv6_flabel": 0x12345, "ipv6_dst": "2001:db8::1"}, [], {},
     "ipv6,ipv6_dst=2001:db8::1,ipv6_label=0x12345 actions=drop"),
    ({"eth_type": 0x8847, "mpls_label": 0xfffff, "mpls_bos": 1}, [], {}, "mpls,mpls_label=1048575,mpls_bos=1 actions=drop"),
    ({"reg2": 5, "reg6": (1, 0xff), "metadata": (1, 3)}, [P.NXActionRegLoad2("reg3", 7), P.NXActionRegLoad2("reg4", 1, 3)], {},
     "reg2=0x5,reg6=0x1/0xff,metadata=0x1/0x3 actions=set_field:0x7->reg3,set_field:0x1/0x3->reg4"),
    ({}, [P.NXActionRegLoad(ofs_nbits=(4 << 6) | 3, dst="reg0", value=9), P.NXActionSetTunnel(tun_id=10)], {},
     "actions=load:0x9->NXM_NX_REG0[4..7],set_tunnel:0xa"),
    ({}, [P.NXActionNote(note=[1, 2, 3, 4, 5, 6]), P.NXActionExit(), P.OFPActionGroup(4), P.OFPActionSetQueue(5)], {},
     "actions=note:01.02.03.04.05.06,exit,group:4,set_queue:5"),
    ({"eth_type": 0x800}, [P.OFPActionDecNwTtl(), P.OFPActionSetNwTtl(9)], {}, "ip actions=dec_ttl,mod_nw_ttl:9"),
    ({}, [P.NXActionController(max_len=9, controller_id=3, reason=ofproto.OFPR_INVALID_TTL)], {},
     "actions=controller(reason=invalid_ttl,max_len=9,id=3)"),
    # as Neutron's agent fills br-tun
    ({}, [P.NXActionLearn(table_id=20, priority=1, hard_timeout=300, cookie=0x9a1c3e5f70b2d481, specs=[
        P.NXFlowSpecMatch(src=("vlan_tci", 0), dst=("vlan_tci", 0), n_bits=12),
        P.NXFlowSpecMatch(src=("eth_src", 0), dst=("eth_dst", 0), n_bits=48),
        P.NXFlowSpecLoad(src=0, dst=("vlan_tci", 0), n_bits=16),
        P.NXFlowSpecLoad(src=("tunnel_id", 0), dst=("tunnel_id", 0), n_bits=64),
        P.NXFlowSpecOutput(src=("in_port", 0), n_bits=32)]), P.OFPActionOutput(1)], {},
     "actions=learn(table=20,hard_timeout=300,priority=1,cookie=0x9a1c3e5f70b2d481,NXM_OF_VLAN_TCI[0..11],"
     "NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],load:0->NXM_OF_VLAN_TCI[],load:NXM_NX_TUN_ID[]->NXM_NX_TUN_ID[],output:OXM_OF_IN_PORT[]),output:1"),
    ({}, [P.NXActionConjunction(clause=0, n_clauses=2, id_=5)], {}, "actions=conjunction(5,1/2)"),
    ({"eth_type": 0x800, "ip_proto": 6}, [P.NXActionFinTimeout(5, 9), P.NXActionOutputReg(ofs_nbits=(16 << 6) | 15, src="reg3", max_len=9),
      P.NXActionOutputReg2(ofs_nbits=15, src="reg3", max_len=9)], {},
     "tcp actions=fin_timeout(idle_timeout=5,hard_timeout=9),output:NXM_NX_REG3[16..31],output:NXM_NX_REG3[0..15]"),
    ({}, [P.NXActionStackPush(field="reg2", start=0, end=6), P.NXActionStackPop(field="reg3", start=0, end=6)], {},
     "actions=push:NXM_NX_REG2[0..5],pop:NXM_NX_REG3[0..5]"),
    ({"eth_type": 0x800}, [P.NXActionDecTtlCntIds([1, 2]), P.NXActionController2(max_len=9, controller_id=3, userdata=b"\x01\x02")], {},
     "ip actions=dec_ttl(1,2),controller(max_len=9,id=3,userdata=01.02)"),
    # instructions in any order
    ({}, [P.OFPActionOutput(1)], {"metadata": (0x10, 0xff), "write": [P.OFPActionOutput(2)], "meter": 3, "table": 5},
     "actions=meter:3,output:1,write_actions(output:2),write_metadata:0x10/0xff,goto_table:5"),
]


def text_of(data):
    text = xvs.run(MSG_TOOL, "format", input=data.hex() + "\n").stdout.split("\0")[0].strip()
    return re.sub(r"^.*?\): ADD ?(table:\d+ )?", "", text)


@pytest.mark.parametrize("match, actions, instructions, text", FLOWS, ids=[str(i) for i in range(len(FLOWS))])
def test_osken_encodes_what_we_decode(match, actions, instructions, text):
    assert text_of(bytes_of(match, actions, **instructions)) == text


def test_ovs_reads_our_flows_as_we_print_them():
    """The bytes of the golden flows, up to those that are known to differ."""
    with open(GOLDEN) as f:
        lines = f.read().split("# --- where xvs differs")[0]
    flows = [x for x in xvs.run(FLOW_TEXT, "hex", input=lines).stdout.splitlines() if re.match("04", x)]
    assert len(flows) > 60
    for flow in flows:
        data, text = flow.split(" ", 1)
        if "gre_key" in text:
            continue
        theirs = xvs.run("ovs-ofctl", "-O", "OpenFlow13", "ofp-print", data).stdout.strip()
        # A flow-mod prints table, cookie and timeouts in other words than a flow of dump-flows.
        theirs = re.sub(r"^.*?\): ADD ?", "", theirs)
        theirs = re.sub(r"^table:(\d+) ", r"table=\1, ", theirs)
        cookie = re.search(r"cookie:(\S+) ", theirs)
        if cookie:
            theirs = f"cookie={cookie[1]}, " + theirs.replace(cookie[0], "")
        theirs = re.sub(r"idle:(\d+) hard:(\d+)", r"idle_timeout=\1, hard_timeout=\2,", theirs)
        assert theirs == text
