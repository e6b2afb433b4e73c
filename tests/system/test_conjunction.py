"""Nicira's conjunctive matches (ovs-fields(7), conj_id): packets through the daemon."""
import struct

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

import openflow as of
import xvs
from wire import Wire

A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
NXBAC_BAD_CONJUNCTION = 15


@pytest.fixture(scope="module")
def shared():
    with xvs.Lab() as lab:
        yield Wire(lab)


def tcp(src, dst, dport=80):
    return bytes(Ether(src=A, dst=B) / IP(src=src, dst=dst) / TCP(dport=dport) / Raw(bytes(20)))


def ports(wire, *args, **kwargs):
    """Where it comes out, walked and from the cache."""
    first, again = [{port for port, frames in wire.exchange(tcp(*args, **kwargs)).items() if frames} for _ in range(2)]
    assert first == again
    return first


def test_two_clauses(shared):
    shared.flows(*[f"priority=10,ip,nw_src=10.0.0.{n},actions=conjunction(7,1/2)" for n in (1, 2, 3)],
                 *[f"priority=10,ip,nw_dst=10.0.1.{n},actions=conjunction(7,2/2)" for n in (1, 2)],
                 "priority=10,conj_id=7,ip,actions=output:2", "priority=0,actions=output:3")
    for src in range(1, 5):
        for dst in range(1, 4):
            assert ports(shared, f"10.0.0.{src}", f"10.0.1.{dst}") == ({2} if src < 4 and dst < 3 else {3})
    assert shared.n_packets("conj_id=7") == 12 and shared.n_packets("nw_src=10.0.0.1") == 0
    shared.sw.ofctl("del-flows", "br0", "ip,nw_src=10.0.0.1")
    assert ports(shared, "10.0.0.1", "10.0.1.1") == {3} and ports(shared, "10.0.0.2", "10.0.1.1") == {2}
    shared.sw.ofctl("mod-flows", "br0", "ip,nw_src=10.0.0.4,actions=drop")
    shared.sw.ofctl("mod-flows", "br0", "ip,nw_dst=10.0.1.1,actions=output:1,in_port")
    assert ports(shared, "10.0.0.2", "10.0.1.1") == {1} and ports(shared, "10.0.0.2", "10.0.1.2") == {2}


def test_three_clauses_and_shared_flows(shared):
    shared.flows("priority=10,ip,nw_src=10.0.0.0/24,actions=conjunction(1,1/3),conjunction(2,1/2)",
                 "priority=10,ip,nw_dst=10.0.1.0/24,actions=conjunction(1,2/3)",
                 "priority=10,tcp,tp_dst=80,actions=conjunction(1,3/3)", "priority=10,tcp,tp_dst=81,actions=conjunction(2,2/2)",
                 "priority=10,conj_id=1,actions=output:2", "priority=10,conj_id=2,actions=output:3")
    assert ports(shared, "10.0.0.1", "10.0.1.1") == {2}
    assert ports(shared, "10.0.0.1", "10.0.2.1") == set()
    assert ports(shared, "10.0.0.1", "10.0.2.1", dport=81) == {3}
    assert ports(shared, "10.0.1.1", "10.0.1.1") == set()


def test_priorities(shared):
    shared.flows("priority=10,ip,nw_src=10.0.0.1,actions=conjunction(1,1/2)", "priority=10,ip,nw_dst=10.0.1.1,actions=conjunction(1,2/2)",
                 "priority=10,conj_id=1,actions=output:2",
                 "priority=20,tcp,tp_dst=81,actions=output:3", "priority=5,ip,actions=output:3,in_port",
                 "priority=9,ip,nw_src=10.0.0.2,actions=conjunction(1,1/2)")
    assert ports(shared, "10.0.0.1", "10.0.1.1") == {2}
    assert ports(shared, "10.0.0.1", "10.0.1.1", dport=81) == {3}, "a higher one without"
    assert ports(shared, "10.0.0.2", "10.0.1.1") == {1, 3}, "clauses of different priorities do not go together"
    assert ports(shared, "10.0.0.1", "10.0.1.2") == {1, 3}


def test_the_same_match_below(shared):
    """Of two flows of one match the lower one counts, if nothing comes of the upper one's conjunctions."""
    shared.flows("priority=10,ip,nw_src=10.0.0.1,actions=conjunction(1,1/2)", "priority=8,ip,nw_src=10.0.0.1,actions=conjunction(2,1/2)",
                 "priority=8,ip,nw_dst=10.0.1.1,actions=conjunction(2,2/2)", "priority=3,ip,nw_src=10.0.0.1,actions=output:3",
                 "priority=1,conj_id=2,actions=drop", "priority=4,conj_id=2,actions=output:2")
    assert ports(shared, "10.0.0.1", "10.0.1.1") == {2} and ports(shared, "10.0.0.1", "10.0.1.2") == {3}


def test_other_tables_do_not_see_conj_id(shared):
    shared.flows("priority=10,ip,nw_src=10.0.0.1,actions=conjunction(1,1/2)", "priority=10,ip,nw_dst=10.0.1.1,actions=conjunction(1,2/2)",
                 "priority=10,conj_id=1,actions=goto_table:1", "table=1,conj_id=1,priority=9,actions=output:3", "table=1,priority=1,actions=output:2")
    assert ports(shared, "10.0.0.1", "10.0.1.1") == {2}


def test_faults(shared):
    for text, words in ("conjunction(1,1/2),output:1", "does nothing else"), ("conjunction(1,0/2)", "counted from 1"), \
            ("conjunction(1,3/2)", "counted from 1"), ("conjunction(1,1/1)", "two clauses"), ("conjunction(1,1/65)", "64"), \
            ("conjunction(1)", "K/N"), ("conjunction", "K/N"):
        r = shared.sw.ofctl("add-flow", "br0", f"actions={text}", check=False)
        assert r.returncode and words in r.stderr and "^" in r.stderr, r.stderr
    c = of.Connection.to(shared.sw)
    action = struct.pack("!HHIHBBI", 0xffff, 16, 0x2320, 34, 2, 2, 1)
    inst = struct.pack("!HHI", 4, 24, 0) + action
    xid = c.send(of.FLOW_MOD, struct.pack("!QQBBHHHIIIHHHH4x", 0, 0, 0, 0, 0, 0, 1, of.NO_BUFFER, 0xffffffff, 0xffffffff, 0, 0, 1, 4) + inst)
    kind, data = c.answer(xid)
    assert kind == of.ERROR and struct.unpack_from("!HHI", data) == (0xffff, NXBAC_BAD_CONJUNCTION, 0x2320)
    c.close()


def test_ovs_ofctl(shared):
    shared.flows()
    lines = ["priority=10,ip,nw_src=10.0.0.1 actions=conjunction(1,1/2),conjunction(2,2/3)", "priority=10,conj_id=1,ip actions=output:2"]
    xvs.run("ovs-ofctl", "-O", "OpenFlow13", "add-flows", shared.sw.mgmt("br0"), "-", input="\n".join(lines).replace(" actions", ",actions"))
    dump = xvs.run("ovs-ofctl", "-O", "OpenFlow13", "--no-stats", "dump-flows", shared.sw.mgmt("br0")).stdout
    for line in lines:
        assert line in dump
    assert "conjunction 1: all its clauses match" not in shared.sw.ctl("trace", "br0", "in_port=1,ip,nw_src=10.0.0.1").stdout
    shared.sw.ofctl("add-flow", "br0", "priority=10,ip,nw_dst=10.0.0.2,actions=conjunction(1,2/2)")
    assert "conjunction 1: all its clauses match" in shared.sw.ctl("trace", "br0", "in_port=1,ip,nw_src=10.0.0.1,nw_dst=10.0.0.2").stdout
