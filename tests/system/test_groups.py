"""Groups (OpenFlow 1.3.5, 5.6, 6.5, 7.3.4.3, 7.3.5.9 to 7.3.5.11): packets through the daemon, counters, every error, and
unmodified ovs-ofctl."""
import json
import os
import re
import struct

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.layers.sctp import SCTP
from scapy.packet import Raw

import openflow as of
import xvs
from topo import Star
from wire import Wire

A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
ALL, SELECT, INDIRECT, FF = range(4)
ADD, MODIFY, DELETE, ADD_OR_MOD = 0, 1, 2, 0x8000
OFPG_ALL, OFPG_MAX = 0xfffffffc, 0xffffff00
GROUP, GROUP_DESC, GROUP_FEATURES = 6, 7, 8


@pytest.fixture
def wire(lab):
    return Wire(lab)


@pytest.fixture(scope="module")
def shared():
    with xvs.Lab() as lab:
        yield Wire(lab)


def udp(**kwargs):
    return bytes(Ether(src=A, dst=B) / IP(**{"src": "10.0.0.1", "dst": "10.0.0.2", "ttl": 64, **kwargs}) / UDP(sport=1, dport=2)
                 / Raw(bytes(30)))


def groups(wire, *lines):
    """These groups and no others."""
    wire.sw.ofctl("del-groups", "br0")
    wire.sw.ofctl("add-groups", "br0", "-", input="\n".join(lines) + "\n")


def stats(sw):
    """{group: (references, (packets, bytes), [(packets, bytes) of each bucket])}"""
    document = json.loads(sw.ofctl("-f", "json", "dump-group-stats", "br0").stdout)
    return {g["group_id"]: (g["ref_count"], (g["packet_count"], g["byte_count"]),
                            [(b["packet_count"], b["byte_count"]) for b in g["buckets"]]) for g in document["groups"]}


# --- The types ---

TYPES = {  # name: (groups, actions of the flow, {port: TTLs of what comes out})
    "all": (["group_id=1,type=all,bucket=output:2,bucket=mod_nw_ttl:9,output:3,bucket=output:2"], "group:1", {2: [64, 64], 3: [9]}),
    "all and on": (["group_id=1,type=all,bucket=mod_nw_ttl:9,output:2"], "group:1,output:3", {2: [9], 3: [64]}),
    "all to the ingress port": (["group_id=1,type=all,bucket=output:1,bucket=output:2"], "group:1", {2: [64]}),
    "all to IN_PORT": (["group_id=1,type=all,bucket=in_port,bucket=output:2"], "group:1", {1: [64], 2: [64]}),
    "indirect": (["group_id=1,type=indirect,bucket=output:2"], "group:1", {2: [64]}),
    "number 0": (["group_id=0,type=indirect,bucket=output:2"], "group:0", {2: [64]}),
    "the highest number": ([f"group_id={OFPG_MAX},type=indirect,bucket=output:2"], f"group:{OFPG_MAX}", {2: [64]}),
    "an action set's order": (["group_id=1,type=indirect,bucket=output:2,dec_ttl"], "group:1", {2: [63]}),
    "dec_ttl before set": (["group_id=1,type=indirect,bucket=mod_nw_ttl:9,dec_ttl,output:2"], "group:1", {2: [9]}),
    "one output of a set": (["group_id=1,type=indirect,bucket=output:2,output:3"], "group:1", {3: [64]}),
    "no bucket": (["group_id=1,type=all"], "group:1", {}),
    "no action": (["group_id=1,type=all,bucket=drop,bucket=output:2"], "group:1", {2: [64]}),
    "in an action set": (["group_id=1,type=all,bucket=output:2"], "write_actions(output:3,group:1,mod_nw_ttl:7)", {2: [7]}),
    "chained": (["group_id=1,type=all,bucket=mod_nw_ttl:9,group:2,bucket=output:3", "group_id=2,type=all,bucket=output:2,bucket=dec_ttl,output:3"],
                "group:1", {2: [9], 3: [64, 8]}),
    "group before output in a bucket": (["group_id=1,type=all,bucket=output:3,group:2", "group_id=2,type=all,bucket=output:2"], "group:1", {2: [64]}),
    "weight 0": (["group_id=1,type=select,bucket=weight:0,output:2,bucket=weight:5,output:3"], "group:1", {3: [64]}),
    "all of weight 0": (["group_id=1,type=select,bucket=weight:0,output:2"], "group:1", {}),
    "fast failover": (["group_id=1,type=ff,bucket=watch_port:3,output:2,bucket=watch_port:2,output:3"], "group:1", {2: [64]}),
    "fast failover by group": (["group_id=1,type=ff,bucket=watch_group:2,output:2,bucket=watch_port:2,output:3", "group_id=2,type=all"],
                               "group:1", {3: [64]}),
    "resubmit": (["group_id=1,type=all,bucket=mod_nw_ttl:9,resubmit(,5),bucket=output:3"], "group:1", {2: [9], 3: [64]}),
}


@pytest.mark.parametrize("name", TYPES)
def test_what_becomes_of_a_packet(shared, name):
    lines, actions, expected = TYPES[name]
    groups(shared, *lines)
    shared.flows(f"in_port=1,ip,actions={actions}", "table=5,actions=output:2")
    for n in 1, 2:  # walked, then from the cache
        got = shared.exchange(udp())
        assert {port: sorted(IP(f[14:]).ttl for f in frames) for port, frames in got.items() if frames} == \
            {port: sorted(ttls) for port, ttls in expected.items()}
        for frames in got.values():
            for f in frames:
                p = Ether(f)
                assert bytes(p) == bytes(Ether(f[:14]) / IP(bytes(IP(f[14:])))), "checksum"
    size = len(udp())
    used = int(re.search(r"group:(\d+)", actions)[1])
    assert stats(shared.sw)[used][:2] == (1, (2, 2 * size)), "counters"


def test_counters_of_buckets(shared):
    size = len(udp())
    groups(shared, "group_id=1,type=all,bucket=output:2,bucket=group:2", "group_id=2,type=ff,bucket=watch_port:2,output:3,bucket=watch_port:3,output:2")
    shared.flows("in_port=1,ip,actions=group:1,group:2", "in_port=2,ip,actions=group:1")
    shared.exchange(udp(), udp(), udp())
    assert stats(shared.sw) == {1: (2, (3, 3 * size), [(3, 3 * size)] * 2), 2: (2, (6, 6 * size), [(6, 6 * size), (0, 0)])}
    # 6.5, modify: "group top-level statistics are preserved (continued), group bucket statistics are reset (cleared)"
    shared.sw.ofctl("mod-group", "br0", "group_id=1,type=all,bucket=output:2")
    assert stats(shared.sw) == {1: (2, (3, 3 * size), [(0, 0)]), 2: (1, (6, 6 * size), [(6, 6 * size), (0, 0)])}
    shared.exchange(udp())
    assert stats(shared.sw) == {1: (2, (4, 4 * size), [(1, size)]), 2: (1, (7, 7 * size), [(7, 7 * size), (0, 0)])}


def test_packet_out_to_a_group(shared):
    groups(shared, "group_id=1,type=all,bucket=output:2,bucket=output:3")
    shared.flows()
    c = of.Connection.to(shared.sw)
    action = struct.pack("!HHI", 22, 8, 1)
    body = struct.pack("!IIH6x", of.NO_BUFFER, of.CONTROLLER, len(action)) + action
    c.accepted(of.PACKET_OUT, body + udp())
    assert shared.exchange() == {1: [], 2: [udp()], 3: [udp()]}
    assert stats(shared.sw)[1] == (0, (1, len(udp())), [(1, len(udp()))] * 2)
    assert c.error(of.PACKET_OUT, struct.pack("!IIH6xHHI", of.NO_BUFFER, of.CONTROLLER, 8, 22, 8, 99) + udp()) == (2, 9)
    c.close()


# --- Select ---

VARY = {  # flows that differ in one field only
    "eth_src": lambda n: Ether(src=f"02:00:00:00:{n:02x}:01", dst=B, type=0x1234) / Raw(bytes(46)),
    "eth_dst": lambda n: Ether(src=A, dst=f"02:00:00:00:00:{n:02x}", type=0x1234) / Raw(bytes(46)),
    "vlan_vid": lambda n: Ether(src=A, dst=B) / Dot1Q(vlan=n + 1, type=0x1234) / Raw(bytes(46)),
    "arp_spa": lambda n: Ether(src=A, dst=B) / ARP(hwsrc=A, psrc=f"10.0.0.{n}", pdst="10.0.1.1") / Raw(bytes(18)),
    "arp_tpa": lambda n: Ether(src=A, dst=B) / ARP(hwsrc=A, psrc="10.0.0.1", pdst=f"10.0.1.{n}") / Raw(bytes(18)),
    "arp_sha": lambda n: Ether(src=A, dst=B) / ARP(hwsrc=f"02:00:00:00:00:{n:02x}", psrc="10.0.0.1", pdst="10.0.1.1") / Raw(bytes(18)),
    "arp_tha": lambda n: Ether(src=A, dst=B) / ARP(op=2, hwsrc=A, hwdst=f"02:00:00:00:00:{n:02x}", psrc="10.0.0.1", pdst="10.0.1.1") / Raw(bytes(18)),
    "ipv4_src": lambda n: udp(src=f"10.0.0.{n}"),
    "ipv4_dst": lambda n: udp(dst=f"10.0.{n}.1"),
    "ip_proto": lambda n: Ether(src=A, dst=B) / IP(src="10.0.0.1", dst="10.0.0.2", proto=140 + n % 100) / Raw(bytes(30)),
    "tcp_src": lambda n: Ether(src=A, dst=B) / IP(src="10.0.0.1", dst="10.0.0.2") / TCP(sport=1000 + n, dport=80) / Raw(bytes(10)),
    "tcp_dst": lambda n: Ether(src=A, dst=B) / IP(src="10.0.0.1", dst="10.0.0.2") / TCP(sport=1000, dport=80 + n) / Raw(bytes(10)),
    "udp_src": lambda n: Ether(src=A, dst=B) / IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=1000 + n, dport=80) / Raw(bytes(20)),
    "sctp_dst": lambda n: Ether(src=A, dst=B) / IP(src="10.0.0.1", dst="10.0.0.2") / SCTP(sport=1000, dport=80 + n) / Raw(bytes(20)),
    "ipv6_src": lambda n: Ether(src=A, dst=B) / IPv6(src=f"fd00::{n:x}", dst="fd00::2") / UDP(sport=1, dport=2) / Raw(bytes(20)),
    "ipv6_flabel": lambda n: Ether(src=A, dst=B) / IPv6(src="fd00::1", dst="fd00::2", fl=n) / UDP(sport=1, dport=2) / Raw(bytes(20)),
}


@pytest.mark.parametrize("name", VARY)
def test_select_spreads_over(shared, name):
    """200 flows on two buckets: by chance fewer than 60 on one happens once in 10^8 times."""
    groups(shared, "group_id=1,type=select,bucket=output:2,bucket=output:3")
    shared.flows("priority=5,in_port=1,actions=group:1")
    frames = [bytes(VARY[name](n)) for n in range(1, 201)]
    got = shared.exchange(*frames)
    distinct = len(set(frames))
    assert len(got[2]) + len(got[3]) == 200 and not got[1]
    assert min(len({*got[2]}), len({*got[3]})) > 0.3 * distinct
    assert not {*got[2]} & {*got[3]}, "two packets of one flow went two ways"
    again = shared.exchange(*frames)
    assert {*again[2]} == {*got[2]} and {*again[3]} == {*got[3]}
    assert [n for n, _ in stats(shared.sw)[1][2]] == [2 * len(got[2]), 2 * len(got[3])]


def test_select_follows_weights(shared):
    groups(shared, "group_id=1,type=select,bucket=weight:30,output:2,bucket=weight:10,output:3")
    shared.flows("priority=5,in_port=1,actions=group:1")
    sent = sum(len(shared.exchange(*[udp(src=f"10.{k}.{n}.1") for n in range(100)])[2]) for k in range(8))
    assert abs(sent - 600) < 75  # six standard deviations


def test_select_moves_only_a_new_bucket_share(shared):
    groups(shared, "group_id=1,type=select,bucket=output:2,bucket=output:3")
    shared.flows("priority=5,in_port=1,actions=group:1")
    frames = [udp(src=f"10.0.{n}.1") for n in range(200)]
    before = shared.exchange(*frames)
    shared.sw.ofctl("mod-group", "br0", "group_id=1,type=select,bucket=in_port,bucket=output:2,bucket=output:3")
    after = shared.exchange(*frames)
    assert {*after[2]} < {*before[2]} and {*after[3]} < {*before[3]} and 30 < len(after[1]) < 110


# --- Liveness ---

def bucket_packets(sw, group=1):
    return [packets for packets, _ in stats(sw)[group][2]]


@pytest.mark.parametrize("kind", ["ff", "select"])
def test_a_link_goes_down_and_comes_back(lab, kind):
    star = Star(lab, hosts=3, flows=["in_port=2,actions=1", "in_port=3,actions=1"])
    watch = "watch_port:{0}," if kind == "ff" else ""
    star.sw.ofctl("add-group", "br0", f"group_id=1,type={kind}," + ",".join(f"bucket={watch}output:{{0}}".format(n) for n in (2, 3)))
    star.add_flows("in_port=1,icmp,actions=group:1")
    a, b, c = star.h
    a.ip("neigh", "add", "10.0.0.2", "lladdr", b.mac("eth0"), "dev", "eth0")
    b.ip("neigh", "add", "10.0.0.1", "lladdr", a.mac("eth0"), "dev", "eth0")

    def go(n):
        before = bucket_packets(star.sw)
        a.ping("10.0.0.2", count=n, interval=0.02, wait=0.5, check=False)
        return [now - then for now, then in zip(bucket_packets(star.sw), before)]

    first = go(5)
    assert sorted(first) == [0, 5] and (kind == "select" or first == [5, 0])
    used, other = (b, c) if first[0] else (c, b)
    used.ip("link", "set", "eth0", "down")
    xvs.wait_until(lambda: "LINK_DOWN" in star.sw.ofctl("dump-ports-desc", "br0", "2" if used is b else "3").stdout, 5, "the link's end")
    capture = lab.capture(other, "eth0", "icmp", inbound=True)
    assert [n > 0 for n in go(4)] == [n == 0 for n in first]
    assert sorted(bucket_packets(star.sw)) == [4, 5]
    capture.wait(4)
    used.ip("link", "set", "eth0", "up")
    xvs.wait_until(lambda: "LIVE" in star.sw.ofctl("dump-ports-desc", "br0", "2" if used is b else "3").stdout, 5, "the link")
    assert [n > 0 for n in go(3)] == [n > 0 for n in first]


def test_port_down_by_port_mod_is_not_live(lab):
    """6.5: "the port should not be considered live if the port config bit OFPPC_PORT_DOWN indicates the port is down"."""
    wire = Wire(lab)
    groups(wire, "group_id=1,type=ff,bucket=watch_port:2,output:3,bucket=watch_port:3,in_port")
    wire.flows("priority=5,in_port=1,actions=group:1")
    assert [len(f) for f in wire.exchange(udp()).values()] == [0, 0, 1]
    c = of.Connection.to(wire.sw)
    mac = bytes.fromhex(wire.ns.mac("p2").replace(":", ""))
    c.accepted(of.PORT_MOD, struct.pack("!I4x6s2xIII4x", 2, mac, 1, 1, 0))
    c.accepted(of.PACKET_OUT, struct.pack("!IIH6x", of.NO_BUFFER, 1, 16) + of.output(0xfffffff9) + udp())  # OFPP_TABLE
    assert bucket_packets(wire.sw) == [1, 1]
    c.close()


# --- Messages ---

def bucket(*actions, weight=0, watch_port=of.ANY, watch_group=of.ANY, length=None):
    data = b"".join(actions)
    return struct.pack("!HHII4x", 16 + len(data) if length is None else length, weight, watch_port, watch_group) + data


def group_mod(command, kind, number, *buckets):
    return struct.pack("!HBxI", command, kind, number) + b"".join(buckets)


def to_group(n):
    return struct.pack("!HHI", 22, 8, n)


OUT = of.output(2)
FAULTS = {  # name: (body, (type, code)); group 1 is there, 2 forwards to it, 3 is ff
    "exists": (group_mod(ADD, ALL, 1, bucket(OUT)), (6, 0)),
    "exists, other type": (group_mod(ADD, INDIRECT, 1, bucket(OUT)), (6, 0)),
    "reserved number ALL": (group_mod(ADD, ALL, OFPG_ALL, bucket(OUT)), (6, 1)),
    "reserved number ANY": (group_mod(ADD, ALL, of.ANY, bucket(OUT)), (6, 1)),
    "beyond the highest number": (group_mod(ADD, ALL, OFPG_MAX + 1, bucket(OUT)), (6, 1)),
    "modify a reserved number": (group_mod(MODIFY, ALL, OFPG_ALL, bucket(OUT)), (6, 1)),
    "weight in all": (group_mod(ADD, ALL, 9, bucket(OUT, weight=1)), (6, 1)),
    "weight in indirect": (group_mod(ADD, INDIRECT, 9, bucket(OUT, weight=1)), (6, 1)),
    "weight in ff": (group_mod(ADD, FF, 9, bucket(OUT, weight=1, watch_port=2)), (6, 1)),
    "indirect without bucket": (group_mod(ADD, INDIRECT, 9), (6, 1)),
    "indirect with two buckets": (group_mod(ADD, INDIRECT, 9, bucket(OUT), bucket(OUT)), (6, 1)),
    "ff without a watch": (group_mod(ADD, FF, 9, bucket(OUT)), (6, 1)),
    "too many buckets": (group_mod(ADD, ALL, 9, *[bucket()] * 4093), (6, 4)),
    "watch_port in all": (group_mod(ADD, ALL, 9, bucket(OUT, watch_port=2)), (6, 6)),
    "watch_group in indirect": (group_mod(ADD, INDIRECT, 9, bucket(OUT, watch_group=1)), (6, 6)),
    "loop of one": (group_mod(ADD, ALL, 9, bucket(to_group(9))), (6, 7)),
    "loop of two": (group_mod(MODIFY, ALL, 1, bucket(to_group(2))), (6, 7)),
    "modify nothing": (group_mod(MODIFY, ALL, 9, bucket(OUT)), (6, 8)),
    "delete what another forwards to": (group_mod(DELETE, ALL, 1), (6, 9)),
    "unknown type": (group_mod(ADD, 4, 9, bucket(OUT)), (6, 10)),
    "experimenter's type": (group_mod(ADD, 200, 9, bucket(OUT)), (6, 10)),
    "modify to an unknown type": (group_mod(MODIFY, 4, 1, bucket(OUT)), (6, 10)),
    "unknown command": (group_mod(3, ALL, 9, bucket(OUT)), (6, 11)),
    "bucket of length 0": (group_mod(ADD, ALL, 9, bucket(OUT, length=0)), (6, 12)),
    "bucket of length 20": (group_mod(ADD, ALL, 9, bucket(OUT, length=20)), (6, 12)),
    "bucket beyond the message": (group_mod(ADD, ALL, 9, bucket(OUT, length=64)), (6, 12)),
    "half a bucket": (group_mod(ADD, ALL, 9, bucket()[:8]), (6, 12)),
    "watch a port that is not there": (group_mod(ADD, FF, 9, bucket(OUT, watch_port=77)), (6, 13)),
    "watch a reserved port": (group_mod(ADD, FF, 9, bucket(OUT, watch_port=of.CONTROLLER)), (6, 13)),
    "watch a group that is not there": (group_mod(ADD, FF, 9, bucket(OUT, watch_group=77)), (6, 13)),
    "watch itself": (group_mod(ADD, FF, 9, bucket(OUT, watch_group=9)), (6, 13)),
    "output to port 0": (group_mod(ADD, ALL, 9, bucket(of.output(0))), (2, 4)),
    "output to ANY": (group_mod(ADD, ALL, 9, bucket(of.output(of.ANY))), (2, 4)),
    "forward to no group": (group_mod(ADD, ALL, 9, bucket(to_group(77))), (2, 9)),
    "forward to ALL": (group_mod(ADD, ALL, 9, bucket(to_group(OFPG_ALL))), (2, 9)),
    "unknown action": (group_mod(ADD, ALL, 9, bucket(struct.pack("!HH4x", 99, 8))), (2, 0)),
    "action of length 0": (group_mod(ADD, ALL, 9, bucket(struct.pack("!HH4x", 0, 0))), (2, 1)),
    "push_vlan of no tag": (group_mod(ADD, ALL, 9, bucket(struct.pack("!HHH2x", 17, 8, 0x0800))), (2, 5)),
    "short": (b"\0\0\0\0", (1, 6)),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_has_its_error_and_changes_nothing(shared, name):
    body, expected = FAULTS[name]
    groups(shared, "group_id=1,type=all,bucket=output:2", "group_id=2,type=all,bucket=group:1", "group_id=3,type=ff,bucket=watch_port:2,output:2")
    shared.flows("in_port=1,actions=group:2")
    before = shared.sw.ofctl("dump-groups", "br0").stdout, shared.sw.ofctl("--no-stats", "dump-flows", "br0").stdout
    c = of.Connection.to(shared.sw)
    assert c.error(of.GROUP_MOD, body) == expected
    c.close()
    assert before == (shared.sw.ofctl("dump-groups", "br0").stdout, shared.sw.ofctl("--no-stats", "dump-flows", "br0").stdout)


def descriptions(c):
    kind, body = c.ask(of.MULTIPART_REQUEST, struct.pack("!HH4x", GROUP_DESC, 0))
    assert kind == of.MULTIPART_REPLY and struct.unpack_from("!HH", body) == (GROUP_DESC, 0)
    return body[8:]


def test_entries_read_back_as_they_were_sent(wire):
    c = of.Connection.to(wire.sw)
    sent = []
    for number, kind, buckets in [
            (0, ALL, [bucket()]), (1, ALL, []), (7, SELECT, [bucket(OUT, weight=0), bucket(OUT, weight=1), bucket(weight=65535)]),
            (8, SELECT, [bucket(OUT, OUT, weight=3, watch_port=2, watch_group=1)]),
            (9, INDIRECT, [bucket(struct.pack("!HHI", 22, 8, 7))]),
            (10, FF, [bucket(OUT, watch_port=2), bucket(watch_group=9), bucket(OUT, watch_port=0xfffffffe, watch_group=7)]),
            (OFPG_MAX, ALL, [bucket(struct.pack("!HH4x", 24, 8), OUT)])]:
        c.accepted(of.GROUP_MOD, group_mod(ADD, kind, number, *buckets))
        data = b"".join(buckets)
        sent.append(struct.pack("!HBxI", 8 + len(data), kind, number) + data)
    assert descriptions(c) == b"".join(sent)
    c.accepted(of.GROUP_MOD, group_mod(MODIFY, SELECT, 1, bucket(weight=2)))
    c.accepted(of.GROUP_MOD, group_mod(ADD_OR_MOD, ALL, 11, bucket()))
    c.accepted(of.GROUP_MOD, group_mod(DELETE, 77, 12345))  # no error
    c.accepted(of.GROUP_MOD, group_mod(DELETE, 77, OFPG_ALL))
    assert descriptions(c) == b""
    c.close()


def test_statistics_in_parts(wire):
    """More than fits one message."""
    c = of.Connection.to(wire.sw)
    for n in range(100):
        c.accepted(of.GROUP_MOD, group_mod(ADD, ALL, n, *[bucket(OUT)] * 60))
    for multipart, request in (GROUP, struct.pack("!I4x", OFPG_ALL)), (GROUP_DESC, b""):
        xid = c.send(of.MULTIPART_REQUEST, struct.pack("!HH4x", multipart, 0) + request)
        seen, more, parts = 0, True, 0
        while more:
            kind, body = c.answer(xid)
            assert kind == of.MULTIPART_REPLY
            more, parts, at = struct.unpack_from("!H", body, 2)[0] & 1, parts + 1, 8
            while at < len(body):
                length = struct.unpack_from("!H", body, at)[0]
                assert length == (40 + 60 * 16 if multipart == GROUP else 8 + 60 * 32)
                at, seen = at + length, seen + 1
        assert seen == 100 and parts > 1
    # One that is not there: nothing.
    assert c.ask(of.MULTIPART_REQUEST, struct.pack("!HH4xI4x", GROUP, 0, 777)) == (of.MULTIPART_REPLY, struct.pack("!HH4x", GROUP, 0))
    c.close()


def test_features(wire):
    c = of.Connection.to(wire.sw)
    kind, body = c.ask(of.FEATURES_REQUEST)
    assert kind == of.FEATURES_REPLY and struct.unpack_from("!I", body, 16)[0] & 8  # OFPC_GROUP_STATS
    kind, body = c.ask(of.MULTIPART_REQUEST, struct.pack("!HH4x", GROUP_FEATURES, 0))
    types, capabilities, *rest = struct.unpack_from("!II4I4I", body, 8)
    assert (types, capabilities) == (0xf, 0xf) and min(rest[:4]) > 0
    for actions in rest[4:]:
        assert actions >> 0 & actions >> 22 & actions >> 25 & 1  # output, group, set_field
    c.close()


def test_flows_and_groups(wire):
    """Flows need their groups, and go with them; those who asked are told (5.5, 6.5, 7.4.2)."""
    c = of.Connection.to(wire.sw)
    c.accepted(of.SET_CONFIG, struct.pack("!HH", 0, 128))  # asynchronous messages, please
    flow = of.flow_mod(instructions=of.apply(to_group(5)), flags=1, cookie=77)
    written = of.flow_mod(match=of.in_port(1), instructions=struct.pack("!HH4x", 3, 16) + to_group(5))
    for body in flow, written, of.flow_mod(instructions=of.apply(to_group(OFPG_ALL))):
        assert c.error(of.FLOW_MOD, body) == (2, 9)  # OFPBAC_BAD_OUT_GROUP
    c.accepted(of.GROUP_MOD, group_mod(ADD, ALL, 5, bucket(OUT)))
    c.accepted(of.FLOW_MOD, flow)
    c.accepted(of.FLOW_MOD, written)
    c.accepted(of.FLOW_MOD, of.flow_mod(match=of.in_port(2), instructions=of.apply(OUT)))
    assert stats(wire.sw)[5][0] == 2
    assert wire.sw.ofctl("dump-flows", "br0", "out_group=5").stdout.count("actions=") == 2
    c.accepted(of.FLOW_MOD, of.flow_mod(match=of.in_port(1), command=3, out_group=5))
    assert stats(wire.sw)[5][0] == 1
    c.accepted(of.FLOW_MOD, of.flow_mod(command=3, out_group=6))
    c.accepted(of.GROUP_MOD, group_mod(DELETE, ALL, 5))
    removed = c.wait_event(of.FLOW_REMOVED)
    assert struct.unpack_from("!QHBB", removed) == (77, 0x8000, 3, 0)  # OFPRR_GROUP_DELETE
    assert wire.sw.ofctl("dump-flows", "br0").stdout.count("actions=") == 1
    c.close()


def test_a_slave_may_not(wire):
    c = of.Connection.to(wire.sw)
    assert c.ask(of.ROLE_REQUEST, struct.pack("!I4xQ", 3, 1))[0] == of.ROLE_REPLY
    assert c.error(of.GROUP_MOD, group_mod(ADD, ALL, 5, bucket(OUT))) == (1, 10)  # OFPBRC_IS_SLAVE
    c.close()


# --- Tools ---

@pytest.mark.parametrize("version", ["", "OpenFlow10", "OpenFlow13", "OpenFlow14"])
def test_ovs_ofctl(wire, tmp_path, version):
    """In OpenFlow 1.0, which it speaks without -O, by Nicira's messages; buckets are numbered there."""
    sw, path = wire.sw, tmp_path / "groups"

    def ovs_ofctl(sw, command, *args, **options):
        return xvs.run("ovs-ofctl", *(["-O", version] if version else []), *command.split(), sw.mgmt("br0"), *args,
                       env=dict(os.environ), **options)

    path.write_text("group_id=1,type=select,bucket=weight:10,watch_port:2,actions=output:2,bucket=output:3\n"
                    "add group_id=2,type=all,bucket=output:2,bucket=group:1\n")
    ovs_ofctl(sw, "add-groups", path)
    ovs_ofctl(sw, "add-group", "group_id=3,type=ff,bucket=watch_port:2,output:2,bucket=watch_group:1,output:3")
    ovs_ofctl(sw, "add-group", "group_id=4,type=indirect,bucket=output:3")
    ovs_ofctl(sw, "mod-group", "group_id=4,type=indirect,bucket=dec_ttl,output:2")
    ovs_ofctl(sw, "--may-create mod-group", "group_id=5,type=all,bucket=drop")
    ovs_ofctl(sw, "add-flow", "in_port=1,actions=group:2")
    lines = ovs_ofctl(sw, "dump-groups").stdout.splitlines()
    assert [re.sub(r"bucket_id:\d+,", "", line).strip() for line in lines[1:]] == [
        "group_id=1,type=select,bucket=weight:10,watch_port:2,actions=output:2,bucket=actions=output:3",
        "group_id=2,type=all,bucket=actions=output:2,bucket=actions=group:1",
        "group_id=3,type=ff,bucket=watch_port:2,actions=output:2,bucket=watch_group:1,actions=output:3",
        "group_id=4,type=indirect,bucket=actions=dec_ttl,output:2",
        "group_id=5,type=all,bucket=actions=drop"]
    text = ovs_ofctl(sw, "dump-group-stats", "group_id=2").stdout
    assert re.search(r"group_id=2,duration=[\d.]+s,ref_count=1,packet_count=0,byte_count=0,bucket0:packet_count=0,byte_count=0,bucket1:", text)
    assert "group_id=5" in ovs_ofctl(sw, "dump-group-stats").stdout
    assert "fast failover group:" in ovs_ofctl(sw, "dump-group-features").stdout
    assert ("GROUP_STATS" in ovs_ofctl(sw, "show").stdout) == (version > "OpenFlow10")
    done = ovs_ofctl(sw, "add-group", "group_id=1,type=all", check=False)
    assert done.returncode and "OFPGMFC_GROUP_EXISTS" in done.stderr
    for command in "dump-groups", "dump-group-features":
        ours = sw.ofctl("-O", version or "OpenFlow10", command, "br0").stdout
        assert ours.splitlines()[1:3] == ovs_ofctl(sw, command).stdout.splitlines()[1:3]
    # What it dumps it takes again, and ours takes too.
    dumped = ovs_ofctl(sw, "dump-groups").stdout
    path.write_text("".join(line.strip() + "\n" for line in dumped.splitlines()[1:]))
    ovs_ofctl(sw, "del-groups", "group_id=3")
    assert "group_id=3" not in ovs_ofctl(sw, "dump-groups").stdout
    ovs_ofctl(sw, "del-groups")
    assert "actions=" not in ovs_ofctl(sw, "dump-flows").stdout
    ovs_ofctl(sw, "add-groups", path)
    assert ovs_ofctl(sw, "dump-groups").stdout == dumped
    sw.ofctl("del-groups", "br0")
    sw.ofctl("add-groups", "br0", path)
    assert sw.ofctl("dump-groups", "br0").stdout.splitlines()[1:] == [re.sub(r"bucket_id:\d+,", "", line) for line in dumped.splitlines()[1:]]


def test_xvs_ofctl_complains(wire):
    def complaint(command, text):
        done = wire.sw.ofctl(command, "br0", text, check=False)
        assert done.returncode == 1
        return done.stderr

    said = complaint("add-group", "group_id=1,type=selekt,bucket=output:2")
    assert "                                   ^~~~~~ no group type 'selekt'; did you mean 'select'?" in said, said
    assert "did you mean 'watch_port'?" in complaint("add-group", "group_id=1,type=ff,bucket=watchport:2,output:2")
    assert "there is no port 'p9'" in complaint("add-group", "group_id=1,type=all,bucket=output:p9")
    assert "the switch refuses: there is no group of this number (OFPGMFC_UNKNOWN_GROUP)" in complaint("mod-group", "group_id=1,type=all")
    assert "a bucket is an action set" in wire.sw.ofctl("add-group", "br0", "group_id=1,type=all,bucket=output:2,output:3").stderr
    # In a file a group may stand before what it forwards to.
    wire.sw.ofctl("add-groups", "br0", "-", input="group_id=7,type=all,bucket=group:6\ngroup_id=6,type=all,bucket=output:2 # last\n")
    assert "group_id=7" in wire.sw.ofctl("dump-groups", "br0", "7").stdout


def test_trace_tells_of_buckets(wire):
    groups(wire, "group_id=1,type=select,bucket=weight:0,output:2,bucket=output:3", "group_id=2,type=all,bucket=output:2,bucket=group:1")
    wire.flows("in_port=1,ip,actions=group:2")
    said = wire.sw.ctl("trace", "br0", "in_port=1,ip").stdout
    for words in "group 2 (all): bucket0 of 2", "group 2 (all): bucket1 of 2", "group 1 (select): bucket1 of 2":
        assert words in said, said
    wire.sw.ofctl("mod-group", "br0", "group_id=1,type=select")
    said = wire.sw.ctl("trace", "br0", "in_port=1,ip").stdout
    assert "group 1 (select): none of 0 buckets takes the packet" in said and "no-live-bucket" in said, said
