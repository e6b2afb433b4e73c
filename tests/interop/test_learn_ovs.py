"""What a packet makes learn() learn: here, and in Debian's Open vSwitch."""
import os
import sys
import time

import pytest
import xvs

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "system"))
from wire import Wire  # noqa: E402  (tests/system)

FRAME = "02000000000b02000000000a0800450000280001000040062ad50a0000010a00000203e80050000000000000000050022000a1dd0000" + "00" * 6
KEY = ("in_port=1,tcp,dl_src=02:00:00:00:00:0a,dl_dst=02:00:00:00:00:0b,nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_ttl=64,tp_src=1000,"
       "tp_dst=80,tcp_flags=syn")

LEARN = [
    "NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],load:0->NXM_OF_VLAN_TCI[],load:NXM_NX_TUN_ID[]->NXM_NX_TUN_ID[],output:OXM_OF_IN_PORT[]",
    "idle_timeout=10,hard_timeout=20,priority=5,cookie=0x77,NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[]",
    "eth_type=0x800,nw_proto=6,NXM_OF_IP_SRC[]=NXM_OF_IP_DST[],NXM_OF_TCP_DST[]=NXM_OF_TCP_SRC[],load:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]",
    "fin_idle_timeout=3,fin_hard_timeout=4,send_flow_rem,eth_type=0x800,nw_proto=6,NXM_OF_TCP_SRC[],output:NXM_OF_IN_PORT[]",
    "in_port=3,NXM_OF_ETH_DST[0..23]=NXM_OF_ETH_SRC[24..47],load:0x5->NXM_NX_REG1[3..7],load:NXM_OF_ETH_SRC[0..7]->NXM_NX_REG1[8..15]",
    "NXM_OF_IN_PORT[],NXM_NX_REG0[4..7]=0x9,reg3=0x11,load:0x123456789->OXM_OF_METADATA[],output:NXM_NX_REG6[]",
    "eth_type=0x800,NXM_OF_IP_DST[0..15]=NXM_OF_IP_SRC[0..15],NXM_OF_IP_TOS[],load:NXM_NX_XXREG0[]->NXM_NX_XXREG1[],output:NXM_NX_REG6[]",
    "limit=1,result_dst=NXM_NX_REG0[0],eth_src=00:11:22:33:44:55,tun_id=7,metadata=3",
    "vlan_tci=0x1005,load:0x1007->NXM_OF_VLAN_TCI[],load:0x3->OXM_OF_VLAN_PCP[]",
]


@pytest.fixture(scope="module")
def both():
    with xvs.Lab() as lab:
        wire, ns = Wire(lab), lab.ns("o")
        ovs = lab.ovs(ns)
        ovs.add_br("br0", "protocols=OpenFlow13", "fail_mode=secure")
        for n in 1, 2, 3:
            lab.veth(ns, f"p{n}", ns, f"q{n}")
            ovs.vsctl("add-port", "br0", f"p{n}", "--", "set", "interface", f"p{n}", f"ofport_request={n}")
        yield wire, ovs


def table(dump):
    return sorted(line.strip() for line in dump.splitlines() if "table=9" in line and "learn(" not in line)


@pytest.mark.parametrize("learn", LEARN)
def test_the_same_flow(both, learn):
    wire, ovs = both
    flow = f"priority=1,tcp,in_port=1,actions=load:0x4->NXM_NX_REG6[],learn(table=9,{learn})"
    wire.flows(flow)
    ovs.ofctl("-O", "OpenFlow13", "del-flows", "br0")
    ovs.ofctl("-O", "OpenFlow13", "add-flow", "br0", flow)
    ovs.appctl("ofproto/trace", "br0", KEY, "-generate")
    wire.exchange(bytes.fromhex(FRAME))
    for _ in range(100):
        ours = table(xvs.run("ovs-ofctl", "-O", "OpenFlow13", "--no-stats", "dump-flows", wire.sw.mgmt("br0")).stdout)
        if ours:
            break
        time.sleep(0.02)
    assert ours == table(ovs.ofctl("-O", "OpenFlow13", "--no-stats", "dump-flows", "br0").stdout)
    assert len(ours) == 1
