"""Flows that flows make (Nicira's learn), the stack, output to a field's port: packets through the daemon; and Neutron's
tables, which live from them."""
import re
import struct
import time

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Raw

import openflow as of
import xvs
from topo import Tunnel
from wire import Wire

A, B, C = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "02:00:00:00:00:0c"


@pytest.fixture(scope="module")
def shared():
    with xvs.Lab() as lab:
        yield Wire(lab)


def frame(src, dst, vlan=None):
    head = Ether(src=src, dst=dst) / Dot1Q(vlan=vlan, type=0x1234) if vlan else Ether(src=src, dst=dst, type=0x1234)
    return bytes(head / Raw(bytes(50)))


def tcp(flags="", sport=1000, dport=80, src="10.0.0.1", dst="10.0.0.2"):
    return bytes(Ether(src=A, dst=B) / IP(src=src, dst=dst) / TCP(sport=sport, dport=dport, flags=flags) / Raw(bytes(20)))


def flows(wire, *words):
    """The flows that have all these words outside of learn() and fin_timeout(), without counters and times."""
    lines = wire.sw.ofctl("dump-flows", "--no-stats", "br0").stdout.splitlines()
    return sorted(line.strip() for line in lines if all(w in re.sub(r"(learn|fin_timeout)\(.*?\)", "", line) for w in words))


def until(wire, n, *words):
    """Main adds what workers ask for: soon."""
    for _ in range(100):
        found = flows(wire, *words)
        if len(found) == n:
            return found
        time.sleep(0.02)
    raise AssertionError(f"not {n}: {found}")


def refused(wire, flow):
    return wire.sw.ofctl("add-flow", "br0", flow, check=False)


# --- learn ---

SWITCH = ("table=0,actions=learn(table=1,hard_timeout=300,priority=7,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],"
          "output:NXM_OF_IN_PORT[]),resubmit(,1)", "table=1,priority=0,actions=flood")


def test_a_learning_switch(shared):
    """That of Open vSwitch's tutorial: unknown addresses are flooded, known ones are not."""
    shared.flows(*SWITCH)
    assert [len(f) for f in shared.exchange(frame(A, B)).values()] == [0, 1, 1]
    assert until(shared, 1, "table=1", "dl_dst") == \
        [f"table=1, hard_timeout=300, priority=7,vlan_tci=0x0000/0x0fff,dl_dst={A} actions=output:1"]
    assert [len(f) for f in shared.exchange(frame(B, A), port=2).values()] == [1, 0, 0]
    until(shared, 2, "table=1", "dl_dst")
    assert [len(f) for f in shared.exchange(frame(A, B)).values()] == [0, 1, 0]
    assert shared.n_packets("table=1", f"dl_dst={A}") == 1
    # It moves: the flow is learned anew, and keeps its counters.
    shared.exchange(frame(A, B), port=3)
    assert until(shared, 1, f"dl_dst={A} actions=output:3")
    assert [len(f) for f in shared.exchange(frame(B, A), port=2).values()] == [0, 0, 1]
    assert shared.n_packets("table=1", f"dl_dst={A}") == 2
    # Each VLAN has addresses of its own.
    assert [len(f) for f in shared.exchange(frame(B, A, vlan=5), port=2).values()] == [1, 0, 1]
    assert until(shared, 1, f"vlan_tci=0x0005/0x0fff,dl_dst={B} actions=output:2")


def test_everything_that_learns(shared):
    shared.flows("in_port=1,tcp,actions=load:0x30002->NXM_NX_REG1[],learn(table=9,idle_timeout=30,hard_timeout=60,priority=77,"
                 "cookie=0xabc,send_flow_rem,in_port=2,NXM_OF_ETH_TYPE[],nw_proto=6,NXM_OF_IP_DST[]=NXM_OF_IP_SRC[],NXM_OF_IP_SRC[]=NXM_OF_IP_DST[],"
                 "NXM_OF_TCP_DST[]=NXM_OF_TCP_SRC[],load:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],load:0x1234567890abcdef->OXM_OF_METADATA[],"
                 "load:0x5->NXM_NX_REG0[0..3],load:NXM_OF_IP_DST[0..7]->NXM_NX_REG2[8..15],output:NXM_NX_REG1[0..15],output:NXM_NX_REG1[16..31])",
                 "in_port=2,actions=resubmit(,9)")
    shared.exchange(tcp())
    assert until(shared, 1, "table=9") == [
        "cookie=0xabc, table=9, idle_timeout=30, hard_timeout=60, send_flow_rem priority=77,tcp,in_port=2,nw_src=10.0.0.2,nw_dst=10.0.0.1,"
        "tp_dst=1000 actions=load:0x2000000000a->NXM_OF_ETH_DST[],load:0x1234567890abcdef->OXM_OF_METADATA[],load:0x5->NXM_NX_REG0[0..3],"
        "load:0x2->NXM_NX_REG2[8..15],output:2,output:3"]
    back = bytes(Ether(src=B, dst=C) / IP(src="10.0.0.2", dst="10.0.0.1") / TCP(sport=80, dport=1000) / Raw(bytes(20)))
    got = shared.exchange(back, port=2)
    assert [len(f) for f in got.values()] == [0, 0, 1] and Ether(got[3][0]).dst == A


def test_wide_fields(shared):
    shared.flows("in_port=1,actions=load:0x1->NXM_NX_REG0[],load:0x2->NXM_NX_REG1[],load:0x3->NXM_NX_REG3[],learn(table=9,"
                 "NXM_NX_XXREG1[]=NXM_NX_XXREG0[],load:NXM_NX_XXREG0[]->NXM_NX_XXREG2[],output:NXM_OF_IN_PORT[])")
    shared.exchange(frame(A, B))
    [line] = until(shared, 1, "table=9")
    assert "load:0x3->NXM_NX_XXREG2[0..63],load:0x100000002->NXM_NX_XXREG2[64..127],output:1" in line
    assert re.search("reg4=0x1,reg5=0x2,reg6=0,reg7=0x3|xxreg1=0x1000000020000000000000003", line)


def test_identical_flows_are_not_learned_again(shared):
    """A packet that would learn what is there leaves everything as it is, counts into nothing that is seen, and makes no
    request: the table stays as it is, so the path stays in the cache."""
    shared.flows(*SWITCH)
    shared.exchange(frame(A, B))
    until(shared, 1, "table=1", "dl_dst")
    shared.exchange(*[frame(A, B)] * 100)
    assert flows(shared, "table=1", "dl_dst") and shared.n_packets("table=1", f"dl_dst={A}") == 0


def test_hard_timeout_starts_again(shared):
    shared.flows("actions=learn(table=1,hard_timeout=2,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])")
    shared.exchange(frame(A, B), frame(C, B))
    until(shared, 2, "table=1", "dl_dst")
    end = time.monotonic() + 3.5
    while time.monotonic() < end:
        shared.exchange(frame(A, B))
        time.sleep(0.2)
    assert [line for line in flows(shared, "table=1", "dl_dst") if A in line] and not flows(shared, f"dl_dst={C}")
    until(shared, 0, "NEVER")
    time.sleep(2.6)
    assert not flows(shared, "table=1", "dl_dst")


def test_delete_learned(shared):
    shared.flows("in_port=1,actions=learn(table=1,cookie=5,delete_learned,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])",
                 "in_port=2,actions=learn(table=1,cookie=5,delete_learned,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])",
                 "table=1,cookie=6,dl_dst=00:00:00:00:00:01,actions=drop")
    shared.exchange(frame(A, B))
    shared.exchange(frame(B, A), port=2)
    until(shared, 2, "table=1", "cookie=0x5")
    shared.sw.ofctl("del-flows", "br0", "in_port=1")
    assert len(flows(shared, "table=1", "cookie=0x5")) == 2, "another flow learns the same"
    shared.sw.ofctl("mod-flows", "br0", "in_port=2,actions=drop")
    assert len(flows(shared, "table=1")) == 1


def test_limit_and_result(shared):
    shared.flows("in_port=1,actions=learn(table=1,cookie=5,limit=2,result_dst=NXM_NX_REG0[0],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[]),resubmit(,2)",
                 "table=2,reg0=1,actions=output:2", "table=2,reg0=0,actions=output:3")
    for n in range(4):
        got = shared.exchange(frame(f"02:00:00:00:01:0{n}", B))
        until(shared, min(n + 1, 2), "table=1", "cookie=0x5")
        assert [len(f) for f in got.values()] == ([0, 1, 0] if n < 2 else [0, 0, 1])
    assert [len(f) for f in shared.exchange(frame("02:00:00:00:01:00", B)).values()] == [0, 1, 0], "it is there"
    shared.sw.ofctl("del-flows", "br0", "table=1,dl_dst=02:00:00:00:01:00")
    assert [len(f) for f in shared.exchange(frame("02:00:00:00:01:03", B)).values()] == [0, 1, 0], "there is room"
    until(shared, 2, "table=1", "cookie=0x5")


def test_fin_timeout(shared):
    shared.flows("in_port=1,tcp,tp_dst=80,idle_timeout=300,actions=fin_timeout(idle_timeout=100,hard_timeout=50),output:2",
                 "in_port=1,tcp,tp_dst=81,actions=learn(table=1,idle_timeout=60,fin_idle_timeout=5,NXM_OF_ETH_TYPE[],NXM_OF_IP_PROTO[],"
                 "NXM_OF_TCP_SRC[]),resubmit(,1)")
    shared.exchange(tcp("S"), tcp("A"))
    assert flows(shared, "idle_timeout=300") and not flows(shared, "hard_timeout")
    shared.exchange(tcp("FA"))
    until(shared, 1, "idle_timeout=100", "hard_timeout=50", "tp_dst=80")
    shared.exchange(tcp("S", dport=81))
    until(shared, 1, "table=1", "idle_timeout=60")
    shared.exchange(tcp("R", dport=81))
    until(shared, 1, "table=1", "idle_timeout=5")
    shared.exchange(tcp("A", dport=81))
    time.sleep(0.1)
    assert flows(shared, "table=1", "idle_timeout=5"), "to learn it again does not lengthen it"


def test_learned_flows_say_that_they_go(shared):
    shared.flows("actions=learn(table=1,cookie=5,send_flow_rem,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])")
    c = of.Connection.to(shared.sw)
    c.accepted(28, struct.pack("!6I", 0, 0, 0, 0, 15, 15))
    shared.exchange(frame(A, B))
    until(shared, 1, "table=1")
    shared.sw.ofctl("del-flows", "br0", "table=1")
    assert struct.unpack_from("!QHBB", c.wait_event(of.FLOW_REMOVED)) == (5, 0x8000, 2, 1)
    c.close()


FAULTS = {
    "learn(table=1,NXM_OF_TCP_SRC[])": "tcp",
    "learn(table=1,NXM_OF_IP_SRC[]=NXM_NX_REG0[])": "ip",
    "learn(table=1,load:1->NXM_OF_ETH_TYPE[])": "written",
    "learn(table=1,NXM_OF_ETH_SRC[]=NXM_NX_REG0[])": "48 and 32",
    "learn(table=1,NXM_OF_ETH_SRX[])": "NXM_OF_ETH_SRX",
    "learn(table=1,limit=3,result_dst=NXM_NX_REG0[0..1])": "one bit",
    "learn(table=1,priority=70000)": "priority",
    "learn(table=1,output:OXM_OF_METADATA[])": "32 bits",
    "learn": "parentheses",
    "output:NXM_NX_REG0[0..40]": "31",
    "fin_timeout(idle_timeout=3)": "tcp",
    "push:NXM_OF_TCP_SRC[]": "tcp",
    "pop:NXM_OF_ETH_TYPE[]": "written",
}


@pytest.mark.parametrize("actions", FAULTS)
def test_faults(shared, actions):
    r = refused(shared, f"actions={actions}")
    assert r.returncode and FAULTS[actions] in r.stderr and "^" in r.stderr


def test_codes_of_faults(shared):
    shared.flows()
    c = of.Connection.to(shared.sw)

    def error(*specs, table=1, flags=0):
        body = b"".join(specs)
        body += bytes(-len(body) % 8)
        action = struct.pack("!HHIHHHHQHBBHH", 0xffff, 32 + len(body), 0x2320, 16, 0, 0, 1, 0, flags, table, 0, 0, 0) + body
        inst = struct.pack("!HHI", 4, 8 + len(action), 0) + action
        return c.error(of.FLOW_MOD, struct.pack("!QQBBHHHIIIHHHH4x", 0, 0, 0, 0, 0, 0, 1, of.NO_BUFFER, 0xffffffff, 0xffffffff, 0, 0, 1, 4) + inst)

    def field(n_bits, header, ofs=0, kind=0, to=None):
        return struct.pack("!HIH", kind << 11 | n_bits, header, ofs) + (struct.pack("!IH", to, 0) if to is not None else b"")

    assert error(flags=8) == (2, 5)  # OFPBAC_BAD_ARGUMENT
    assert error(table=255) == (2, 5)
    assert error(table=254) == (1, 9)  # OFPBRC_BAD_TABLE_ID
    assert error(field(16, 0x00001202, to=0x00001202)) == (2, 10)  # tcp_src: OFPBAC_MATCH_INCONSISTENT
    assert error(field(16, 0x00000602, kind=1, to=0x00000602)) == (2, 13)  # load to eth_type: OFPBAC_BAD_SET_TYPE
    assert error(field(16, 0x00007e02, to=0x00007e02)) == (2, 13)  # no such field
    assert error(field(48, 0x00000206, ofs=1, to=0x00000406)) == (2, 15)  # OFPBAC_BAD_SET_ARGUMENT
    assert error(field(33, 0x80000408, kind=2)) == (2, 5)  # output of 33 bits
    assert error(field(48, 0x00000206)) == (2, 4 - 3)  # OFPBAC_BAD_LEN
    c.close()


# --- Stack, output to a field's port ---

CASES = {  # actions: {port: VLAN ids}
    "push:NXM_OF_IN_PORT[],pop:NXM_NX_REG0[0..15],output:NXM_NX_REG0[0..15],in_port": {1: [0]},
    "load:3->NXM_NX_REG0[16..31],output:NXM_NX_REG0[16..31]": {3: [0]},
    "load:2->NXM_NX_REG0[],output:NXM_NX_REG0[]": {2: [0]},
    "load:0xfff8->NXM_NX_REG0[],output:NXM_NX_REG0[]": {1: [0]},
    "load:0xfffffff8->NXM_NX_REG0[],output:NXM_NX_REG0[]": {1: [0]},
    "output:NXM_NX_REG0[]": {},
    "load:0xffb->NXM_NX_REG0[],output:NXM_NX_REG0[]": {},
    "load:2->NXM_NX_REG0[],load:3->NXM_NX_REG1[],push:NXM_NX_REG0[],push:NXM_NX_REG1[],pop:NXM_NX_REG2[],pop:NXM_NX_REG3[],"
    "output:NXM_NX_REG2[],push_vlan:0x8100,move:NXM_NX_REG3[0..11]->OXM_OF_VLAN_VID[],output:NXM_NX_REG3[]": {3: [0], 2: [2]},
    "load:2->NXM_NX_REG0[],pop:NXM_NX_REG0[],output:NXM_NX_REG0[]": {2: [0]},
    "load:2->NXM_NX_REG0[],push:NXM_NX_REG0[],clone(pop:NXM_NX_REG5[],output:3),pop:NXM_NX_REG1[],output:NXM_NX_REG1[]": {3: [0], 2: [0]},
    "load:2->NXM_NX_REG0[],push:NXM_NX_REG0[],resubmit(,5),output:3": {2: [0], 3: [0]},
    "push:OXM_OF_METADATA[],load:0x1005->NXM_NX_REG0[],push:NXM_NX_REG0[0..15],pop:NXM_OF_VLAN_TCI[],output:2": {2: [5]},
    "load:0x20003->OXM_OF_PKT_REG1[],output:OXM_OF_PKT_REG1[16..31],output:NXM_NX_XXREG0[0..15]": {2: [0], 3: [0]},
    "load:0x2->NXM_NX_XXREG1[96..127],output:NXM_NX_REG4[]": {2: [0]},
}


@pytest.mark.parametrize("actions", CASES)
def test_stack_and_registers(shared, actions):
    shared.flows(f"priority=5,in_port=1,actions={actions}", "table=5,actions=pop:NXM_NX_REG7[],output:NXM_NX_REG7[]")
    for _ in 1, 2:
        got = shared.exchange(frame(A, B))
        assert {port: [Ether(f).vlan if Dot1Q in Ether(f) else 0 for f in frames] for port, frames in got.items() if frames} == CASES[actions]


# --- ovs-ofctl, Neutron ---

NEUTRON = """\
cookie=0x9a1c3e5f70b2d481,table=0,priority=1,in_port=1,actions=goto_table:2
cookie=0x9a1c3e5f70b2d481,table=0,priority=1,in_port=2,actions=goto_table:3
cookie=0x9a1c3e5f70b2d481,table=0,priority=1,in_port=3,actions=goto_table:3
cookie=0x9a1c3e5f70b2d481,table=0,priority=0,actions=drop
cookie=0x9a1c3e5f70b2d481,table=2,priority=0,dl_dst=00:00:00:00:00:00/01:00:00:00:00:00,actions=goto_table:20
cookie=0x9a1c3e5f70b2d481,table=2,priority=0,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00,actions=goto_table:22
cookie=0x9a1c3e5f70b2d481,table=3,priority=1,tun_id=0x3e9,actions=push_vlan:0x8100,set_field:4097->vlan_vid,goto_table:10
cookie=0x9a1c3e5f70b2d481,table=3,priority=0,actions=drop
cookie=0x9a1c3e5f70b2d481,table=10,priority=1,actions=learn(table=20,hard_timeout=300,priority=1,cookie=0x9a1c3e5f70b2d481,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],load:0->NXM_OF_VLAN_TCI[],load:NXM_NX_TUN_ID[]->NXM_NX_TUN_ID[],output:OXM_OF_IN_PORT[]),output:1
cookie=0x9a1c3e5f70b2d481,table=20,priority=0,actions=goto_table:22
cookie=0x9a1c3e5f70b2d481,table=22,priority=1,dl_vlan=1,actions=pop_vlan,set_field:0x3e9->tun_id,output:2,output:3
cookie=0x9a1c3e5f70b2d481,table=22,priority=0,actions=drop
"""


def ovs_ofctl(sw, command, *args, **options):
    return xvs.run("ovs-ofctl", "-O", "OpenFlow13", *command.split(), sw.mgmt("br0"), *args, **options).stdout


def test_neutron(lab):
    """br-tun as Neutron's agent fills it: broadcasts go into every tunnel, answers come to the port that was learned."""
    net = Tunnel(lab)
    sw = net.sw[0]
    sw.ofctl("del-flows", "br0")
    sw.ctl("set", "interface", "gre1", "ofport_request=2", "--", "add-port", "br0", "gre2", "type=gre", "remote_ip=192.168.5.3", "key=flow", "ofport=3")
    ovs_ofctl(sw, "add-flows", "-", input=NEUTRON)
    dump = ovs_ofctl(sw, "--no-stats dump-flows")
    assert sorted(line.strip().replace(" actions=", ",actions=") for line in dump.splitlines()) == \
        sorted(line.replace(",table=", ", table=").replace("table=0,", "", 1).replace(",priority=", ", priority=", 1) for line in NEUTRON.splitlines())

    # Packets: behind port 1 host a is in Neutron's VLAN 1, as br-int would have it; host b is behind the tunnel with key 0x3e9.
    net.s[0].ip("link", "add", "pa", "type", "veth", "peer", "name", "pb")
    for device in "pa", "pb":
        net.s[0].ip("link", "set", device, "up")
    sw.ctl("set", "interface", "p1", "ofport_request=5", "--", "add-port", "br0", "pa", "ofport=1", "--", "add-port", "br0", "pb", "ofport=6")
    sw.ofctl("add-flow", "br0", "priority=9,in_port=5,actions=push_vlan:0x8100,set_field:4097->vlan_vid,output:6")
    sw.ofctl("add-flow", "br0", "priority=9,in_port=6,dl_vlan=1,actions=pop_vlan,output:5")
    net.sw[1].ofctl("del-flows", "br0")
    net.sw[1].ofctl("add-flows", "br0", "-", input="in_port=1,actions=set_tunnel:0x3e9,output:10\nin_port=10,tun_id=0x3e9,actions=output:1\n")
    a, b = net.h
    a.ping("10.0.0.2")
    learned = [line for line in ovs_ofctl(sw, "dump-flows").splitlines() if "table=20, " in line and "priority=1," in line]
    assert len(learned) == 1 and f"hard_timeout=300, priority=1,vlan_tci=0x0001/0x0fff,dl_dst={b.mac('eth0')} " \
        "actions=load:0->NXM_OF_VLAN_TCI[],load:0x3e9->NXM_NX_TUN_ID[],output:2" in learned[0]
    assert int(re.search(r"n_packets=(\d+)", learned[0])[1]) >= 2, "unicast goes where it was learned"
    sw.ofctl("--strict", "del-flows", "br0", f"table=20,priority=1,vlan_tci=0x0001/0x0fff,dl_dst={b.mac('eth0')}")
    assert "priority=1,vlan" not in ovs_ofctl(sw, "dump-flows", "table=20")
    a.ping("10.0.0.2")
    assert "priority=1,vlan" in ovs_ofctl(sw, "dump-flows", "table=20")


def test_trace_says_what_is_learned(shared):
    shared.flows(*SWITCH)
    out = shared.sw.ctl("trace", "br0", f"in_port=1,dl_src={A},dl_dst={B}").stdout
    assert f"learns: table=1, priority=7,vlan_tci=0x0000/0x0fff,dl_dst={A} actions=output:1" in out and "learn_flow" in out
    assert not flows(shared, "table=1", "dl_dst"), "trace learns nothing"
    shared.exchange(frame(A, B))
    until(shared, 1, "table=1", "dl_dst")
    assert "learned already" in shared.sw.ctl("trace", "br0", f"in_port=1,dl_src={A},dl_dst={B}").stdout


# --- Packet-ins, TTLs and lengths ---

def test_dec_ttl_with_ids(shared):
    shared.flows("priority=5,in_port=1,ip,actions=dec_ttl(3,0),output:2")
    c = of.Connection.to(shared.sw)
    c.accepted(28, struct.pack("!6I", 63, 63, 15, 15, 15, 15))  # OFPT_SET_ASYNC
    [got] = shared.exchange(bytes(Ether(src=A, dst=B) / IP(ttl=9, src="10.0.0.1", dst="10.0.0.2") / UDP() / Raw(bytes(30))))[2]
    assert Ether(got)[IP].ttl == 8
    assert not any(shared.exchange(bytes(Ether(src=A, dst=B) / IP(ttl=1, src="10.0.0.1", dst="10.0.0.2") / UDP() / Raw(bytes(30)))).values())
    assert struct.unpack_from("!IHB", c.wait_event(of.PACKET_IN))[2] == 2, "OFPR_INVALID_TTL"
    assert not [event for event in c.events if event[0] == of.PACKET_IN], "the other one is for controllers with id 3"
    c.close()


def test_userdata_come_back(shared, tmp_path):
    """In NXT_PACKET_IN2, which a session asks for."""
    shared.flows("priority=5,in_port=1,actions=controller(userdata=01.02.fe,max_len=64)")
    monitor = shared.ns.popen("ovs-ofctl", "-O", "OpenFlow13", "-P", "nxt_packet_in2", f"--unixctl={tmp_path}/ctl", "monitor", shared.sw.mgmt("br0"), "65534",
                              stdout=-1, stderr=-2, text=True)
    try:
        time.sleep(0.5)
        shared.exchange(frame(A, B))
        time.sleep(0.3)
    finally:
        xvs.end_process(monitor)
    said = monitor.stdout.read()
    assert "NXT_PACKET_IN2" in said and "userdata=01.02.fe" in said, said


def test_check_pkt_larger(shared):
    shared.flows("priority=5,in_port=1,actions=check_pkt_larger(200)->NXM_NX_REG0[3],resubmit(,1)", "table=1,reg0=8,actions=output:2",
                 "table=1,reg0=0,actions=output:3")
    for size in 60, 199, 200, 201, 1000:
        got = shared.exchange(bytes(Ether(src=A, dst=B, type=0x1234) / Raw(bytes(size - 14))))
        assert [len(f) for f in got.values()] == ([0, 1, 0] if size > 200 else [0, 0, 1]), size
    assert "bytes" in shared.sw.ctl("trace", "br0", "in_port=1").stdout


def test_openflow10(shared):
    """ovs-ofctl without -O: the same actions, in its own dump."""
    shared.flows()
    flow = ("in_port=1 actions=learn(table=1,priority=7,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[]),"
            "push:NXM_NX_REG0[],pop:NXM_NX_REG1[],output:NXM_NX_REG1[0..15],resubmit(,1)")
    xvs.run("ovs-ofctl", "add-flow", shared.sw.mgmt("br0"), flow.replace(" actions", ",actions"))
    xvs.run("ovs-ofctl", "add-flow", shared.sw.mgmt("br0"), "priority=3,nw_src=10.0.0.1,ip,actions=conjunction(1,1/2)")
    shared.exchange(frame(A, B))
    until(shared, 1, "table=1", f"dl_dst={A}")
    dump = xvs.run("ovs-ofctl", "--no-stats", "dump-flows", shared.sw.mgmt("br0")).stdout
    assert flow in dump and "conjunction(1,1/2)" in dump
    assert f"table=1, priority=7,vlan_tci=0x0000/0x0fff,dl_dst={A} actions=output:1" in dump
