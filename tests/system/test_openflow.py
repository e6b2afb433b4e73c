"""OpenFlow 1.3 through the daemon: real clients, real controllers, and what they say wrong."""
import os
import re
import struct
import time

import pytest

import openflow as of
import xvs
from openflow import Connection, Controller
from test_tcp import raw_send
from topo import Star

APPS = os.path.join(xvs.ROOT, "tests/interop/apps")


def ovs_ofctl(sw, command, *args, bridge="br0", **options):
    """Debian's ovs-ofctl, unmodified, on the bridge's management socket."""
    return sw.ns.run("ovs-ofctl", "-O", "OpenFlow13", *command.split(), sw.mgmt(bridge), *args, **options)


@pytest.fixture
def star(lab):
    return Star(lab, flows=[])


@pytest.fixture
def raw(star):
    connection = Connection.to(star.sw)
    yield connection
    connection.close()


# --- ovs-ofctl ---

def test_ovs_ofctl_show_and_descriptions(star):
    text = ovs_ofctl(star.sw, "show").stdout
    assert "1(p1)" in text and "2(p2)" in text and "LOCAL(br0)" in text
    assert "FLOW_STATS" in text and "PORT_STATS" in text and "n_tables:254" in text
    assert "xvs" in ovs_ofctl(star.sw, "dump-desc").stdout
    assert "1(p1)" in ovs_ofctl(star.sw, "dump-ports-desc").stdout
    text = ovs_ofctl(star.sw, "dump-ports").stdout
    assert "3 ports" in text and "duration=" in text
    assert "OFPST_TABLE" in ovs_ofctl(star.sw, "dump-tables").stdout


def test_ovs_ofctl_flows(star):
    sw = star.sw
    ovs_ofctl(sw, "add-flow", "table=0,priority=10,ip,in_port=1,nw_proto=47,actions=resubmit(,10)")
    ovs_ofctl(sw, "add-flow", "table=10,cookie=0x10,tcp,nw_src=10.0.0.0/8,tp_dst=80,actions=set_tunnel:10,mod_dl_src:02:00:00:00:00:09,output:2")
    ovs_ofctl(sw, "add-flow", "table=11,idle_timeout=60,send_flow_rem,vlan_vid=0x1005,actions=pop_vlan,goto_table:12")
    ovs_ofctl(sw, "add-flow", "table=12,metadata=5/7,actions=write_metadata:0x1,clear_actions,write_actions(output:1)", check=False)
    dumped = ovs_ofctl(sw, "dump-flows").stdout
    for text in ("priority=10,ip,in_port=1,nw_proto=47 actions=resubmit(,10)", "cookie=0x10", "table=10",
                 "tcp,nw_src=10.0.0.0/8,tp_dst=80", "set_field:0xa->tun_id", "set_field:02:00:00:00:00:09->eth_src",
                 "idle_timeout=60", "goto_table:12"):
        assert text in dumped, f"{text!r} is not in\n{dumped}"
    assert "flow_count=4" in ovs_ofctl(sw, "dump-aggregate").stdout or "flow_count=3" in ovs_ofctl(sw, "dump-aggregate").stdout
    ovs_ofctl(sw, "mod-flows", "table=10,actions=drop")
    assert "actions=drop" in ovs_ofctl(sw, "dump-flows", "table=10").stdout
    ovs_ofctl(sw, "del-flows", "cookie=0x10/-1")
    assert "cookie=0x10" not in ovs_ofctl(sw, "dump-flows").stdout
    ovs_ofctl(sw, "--strict del-flows", "table=0,priority=10,ip,in_port=1,nw_proto=47")
    ovs_ofctl(sw, "del-flows")
    assert "actions=" not in ovs_ofctl(sw, "dump-flows").stdout


def test_the_two_clients_see_the_same_flows(star):
    flows = ["priority=7,tcp,nw_dst=10.1.2.0/24,tp_src=5 actions=output:1,output:2",
             "priority=8,arp,arp_tpa=10.0.0.1,arp_op=1 actions=ALL", "priority=9,dl_vlan=7 actions=strip_vlan,LOCAL",
             "priority=10,icmp6,icmp_type=135 actions=NORMAL", "priority=11,udp6,ipv6_dst=fd00::/64 actions=IN_PORT",
             "priority=12,in_port=LOCAL actions=CONTROLLER:128", "priority=13,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00 actions=FLOOD"]
    star.add_flows(*(f.replace(" actions", ",actions") for f in flows))

    def shown(text):
        text = re.sub(r"duration=[^,]*, |reset_counts |idle_age=\d+, ", "", text)
        return sorted(re.sub(r".*(priority=)", r"\1", line).strip() for line in text.splitlines() if "actions=" in line)

    ours, theirs = shown(star.sw.ofctl("dump-flows", "br0").stdout), shown(ovs_ofctl(star.sw, "dump-flows").stdout)
    # ovs-ofctl prints pop_vlan for strip_vlan, as we do; names of ports are numbers unless it asks for names.
    assert [line.split(" actions=")[0] for line in theirs] == [line.split(" actions=")[0] for line in ours]


def test_ovs_ofctl_sends_a_packet(lab, star):
    from scapy.layers.l2 import Ether
    frame = bytes(Ether(dst="02:00:00:00:00:02", src="02:00:00:00:00:aa", type=0x88b5)) + b"payload" + bytes(40)
    capture = lab.capture(star.h[1], "eth0", "ether proto 0x88b5")
    ovs_ofctl(star.sw, "packet-out", f"in_port=controller packet={frame.hex()} actions=output:2")
    assert bytes(capture.wait(1)[0]) == frame


def test_ovs_ofctl_monitors(lab, star):
    with open(f"{lab.dir}/said", "wb") as f:
        lab.popen(star.ns, "ovs-ofctl", "-O", "OpenFlow13", "monitor", star.sw.mgmt("br0"), "65535", stdout=f, stderr=f,
                  env={**os.environ, "OVS_RUNDIR": lab.dir})
    star.add_flows("priority=5,arp,actions=CONTROLLER:65535")

    def seen():
        star.h[0].ping("10.0.0.2", count=1, wait=0.3, check=False)
        return "NXT_PACKET_IN2" in xvs.tail(f"{lab.dir}/said")

    xvs.wait_until(seen, 5, "the packet-in")
    said = xvs.tail(f"{lab.dir}/said")
    assert "in_port=1" in said and "arp_tpa=10.0.0.2" in said, said


def test_xvs_ofctl_monitors(lab, star):
    star.add_flows("priority=5,arp,actions=CONTROLLER:65535")
    with open(f"{lab.dir}/said", "wb") as f:
        lab.popen(star.ns, xvs.OFCTL, "monitor", "br0", "65535", stdout=f, stderr=f, env=star.sw.env)

    def seen():
        star.h[0].ping("10.0.0.2", count=1, wait=0.3, check=False)
        return "PACKET_IN" in xvs.tail(f"{lab.dir}/said")

    xvs.wait_until(seen, 5, "the packet-in")


def test_xvs_ofctl_on_other_switches_and_addresses(lab, star):
    """xvs-ofctl takes a bridge's name, or where a switch listens."""
    star.sw.ctl("set-controller", "br0", "ptcp:16653:127.0.0.1")
    for target in "br0", star.sw.mgmt("br0"), "tcp:127.0.0.1:16653":
        assert "p1" in star.sw.ofctl("show", target).stdout
        assert "p1" in star.sw.ofctl("-O", "OpenFlow13", "dump-ports-desc", target).stdout


# --- messages, by hand ---

def test_hello_with_a_version_bitmap(star):
    def hello(version, bitmap=None):
        element = b"" if bitmap is None else struct.pack("!HHI", 1, 8, bitmap)
        return of.message(of.HELLO, element, version=version)

    for data, version in ((hello(4), 4), (hello(6, 1 << 4 | 1 << 6), 4), (hello(5), 5), (hello(1, 1 << 1 | 1 << 4), 4),
                          (hello(1), 1), (hello(6, 1 << 6), 0), (hello(4, 1 << 1), 1), (hello(2, 1 << 2), 0)):
        c = Connection.to(star.sw, hello=False)
        c.sock.sendall(data)
        assert c.receive()[0] == of.HELLO
        if version:
            assert c.ask(of.ECHO_REQUEST, b"x", version=version) == (of.ECHO_REPLY, b"x"), data
        else:
            kind, _, body = c.receive()
            assert kind == of.ERROR and struct.unpack_from("!HH", body) == (0, 0), data
            assert c.receive() is None
        c.close()


def test_echo_returns_what_came(raw):
    for body in b"", b"1", bytes(range(256)) * 100:
        assert raw.ask(of.ECHO_REQUEST, body) == (of.ECHO_REPLY, body)


def test_features_and_config(raw):
    kind, body = raw.ask(of.FEATURES_REQUEST)
    dpid, buffers, tables, auxiliary, capabilities = struct.unpack_from("!QIBB2xI", body)
    assert kind == of.FEATURES_REPLY and dpid and (buffers, tables, auxiliary) == (256, 254, 0)
    assert capabilities & 0x7 == 0x7  # flow, table and port statistics
    raw.accepted(of.SET_CONFIG, struct.pack("!HH", 1, 200))  # OFPC_FRAG_DROP
    assert raw.ask(of.GET_CONFIG_REQUEST) == (of.GET_CONFIG_REPLY, struct.pack("!HH", 1, 200))
    assert raw.error(of.SET_CONFIG, struct.pack("!HH", 9, 200)) == (10, 0)  # OFPSCFC_BAD_FLAGS


def test_messages_in_pieces_and_in_heaps(star):
    c = Connection.to(star.sw)
    for byte in of.message(of.ECHO_REQUEST, b"slowly", 7):
        c.sock.sendall(bytes([byte]))
    assert c.answer(7) == (of.ECHO_REPLY, b"slowly")
    c.sock.sendall(b"".join(of.message(of.ECHO_REQUEST, b"", xid) for xid in range(1000, 1500)))
    for xid in range(1000, 1500):
        assert c.receive()[:2] == (of.ECHO_REPLY, xid)


MALFORMED = {  # name: (type, body, options, error type and code)
    "unknown type": (99, b"", {}, (1, 1)),
    "unknown experimenter": (of.EXPERIMENTER, struct.pack("!II", 0xdeadbeef, 1), {}, (1, 3)),
    "short experimenter": (of.EXPERIMENTER, b"\0\0", {}, (1, 6)),
    "unknown multipart": (of.MULTIPART_REQUEST, struct.pack("!HH4x", 500, 0), {}, (1, 2)),
    "short multipart": (of.MULTIPART_REQUEST, b"\0", {}, (1, 6)),
    "features request with a body": (of.FEATURES_REQUEST, b"12345678", {}, (1, 6)),
    "wrong version": (of.FEATURES_REQUEST, b"", {"version": 1}, (1, 0)),
    "short flow-mod": (of.FLOW_MOD, bytes(20), {}, (1, 6)),
    "unknown command": (of.FLOW_MOD, of.flow_mod(command=9), {}, (5, 6)),
    "table 255": (of.FLOW_MOD, of.flow_mod(table=255), {}, (5, 2)),
    "unknown flags": (of.FLOW_MOD, of.flow_mod(flags=0x8000), {}, (5, 7)),
    "unknown buffer": (of.FLOW_MOD, of.flow_mod(buffer_id=5), {}, (1, 8)),
    "unknown match field": (of.FLOW_MOD, of.flow_mod(match=of.oxm(99, 0, 4)), {}, (4, 6)),
    "match field of wrong length": (of.FLOW_MOD, of.flow_mod(match=of.oxm(0, 0, 2)), {}, (4, 1)),
    "match field twice": (of.FLOW_MOD, of.flow_mod(match=of.in_port(1) + of.in_port(1)), {}, (4, 10)),
    "match without its prerequisite": (of.FLOW_MOD, of.flow_mod(match=of.oxm(10, 6, 1)), {}, (4, 9)),
    "bad VLAN": (of.FLOW_MOD, of.flow_mod(match=of.oxm(6, 0x2005, 2)), {}, (4, 7)),
    "unknown instruction": (of.FLOW_MOD, of.flow_mod(instructions=struct.pack("!HH4x", 77, 8)), {}, (3, 0)),
    "instruction of length 0": (of.FLOW_MOD, of.flow_mod(instructions=struct.pack("!HH4x", 4, 0)), {}, (3, 7)),
    "goto itself": (of.FLOW_MOD, of.flow_mod(table=3, instructions=struct.pack("!HHB3x", 1, 8, 3)), {}, (3, 2)),
    "unknown action": (of.FLOW_MOD, of.flow_mod(instructions=of.apply(struct.pack("!HH4x", 99, 8))), {}, (2, 0)),
    "action of length 0": (of.FLOW_MOD, of.flow_mod(instructions=of.apply(struct.pack("!HH4x", 0, 0))), {}, (2, 1)),
    "output to port 0": (of.FLOW_MOD, of.flow_mod(instructions=of.apply(of.output(0))), {}, (2, 4)),
    "output to OFPP_ANY": (of.FLOW_MOD, of.flow_mod(instructions=of.apply(of.output(of.ANY))), {}, (2, 4)),
    "unknown Nicira action": (of.FLOW_MOD, of.flow_mod(instructions=of.apply(struct.pack("!HHIH6x", 0xffff, 16, 0x2320, 999))), {}, (2, 3)),
    "unknown experimenter's action": (of.FLOW_MOD, of.flow_mod(instructions=of.apply(struct.pack("!HHI8x", 0xffff, 16, 5))), {}, (2, 2)),
    "short packet-out": (of.PACKET_OUT, bytes(4), {}, (1, 6)),
    "packet-out of an unknown buffer": (of.PACKET_OUT, struct.pack("!IIH6x", 7, of.CONTROLLER, 0), {}, (1, 8)),
    "port-mod of no port": (of.PORT_MOD, struct.pack("!I4x6s2xIII4x", 999, bytes(6), 0, 0, 0), {}, (7, 0)),
    "port-mod with another address": (of.PORT_MOD, struct.pack("!I4x6s2xIII4x", 1, bytes(6), 0, 0, 0), {}, (7, 1)),
    "unknown role": (of.ROLE_REQUEST, struct.pack("!I4xQ", 9, 0), {}, (11, 2)),
}


@pytest.fixture(scope="module")
def shared():
    """One switch for all messages: no bad one may harm it."""
    with xvs.Lab() as lab:
        yield Star(lab, flows=["in_port=1,actions=2"])


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_messages_get_the_right_error(shared, name):
    kind, body, options, expected = MALFORMED[name]
    c = Connection.to(shared.sw)
    got = c.error(kind, body, **options)
    if expected:
        assert got == expected, f"error type and code {got}, not {expected}"
    assert c.ask(of.ECHO_REQUEST, b"still here") == (of.ECHO_REPLY, b"still here")
    c.close()
    assert shared.sw.ofctl("dump-flows", "br0").stdout.count("actions=") == 1


def test_errors_carry_the_offending_message(raw):
    body = of.flow_mod(command=9)
    xid = raw.send(of.FLOW_MOD, body)
    _, data = raw.answer(xid)
    assert data[4:] == of.message(of.FLOW_MOD, body, xid)[:len(data) - 4] and len(data) - 4 >= 56


def test_a_length_below_eight_ends_the_connection(star):
    """There is no way to find the next message then."""
    c = Connection.to(star.sw)
    c.sock.sendall(of.message(of.ECHO_REQUEST, length=4))
    got = c.receive()
    while got is not None:
        got = c.receive()
    c.close()
    Connection.to(star.sw).close()


def test_random_bytes(star):
    import random
    seed = random.randrange(1 << 32)
    print("seed", seed)
    rng = random.Random(seed)
    for _ in range(100):
        c = Connection.to(star.sw)
        try:
            for _ in range(10):
                body = bytearray(of.flow_mod(match=of.in_port(1), instructions=of.apply(of.output(2))))
                for _ in range(rng.randrange(4)):
                    body[rng.randrange(len(body))] = rng.randrange(256)
                c.send(rng.choice([of.FLOW_MOD, of.PACKET_OUT, of.MULTIPART_REQUEST, of.PORT_MOD, rng.randrange(35)]),
                       bytes(body[:rng.randrange(len(body) + 1)]))
        except OSError:
            pass
        c.close()
    assert star.sw.ofctl("dump-flows", "br0").returncode == 0


# --- flows and time ---

def test_a_barrier_means_it(star, raw):
    """After the barrier's reply no packet is handled by the old rules."""
    a = star.h[0]
    raw.accepted(of.FLOW_MOD, of.flow_mod(instructions=of.apply(of.output(0xfffffffa)), priority=1))  # NORMAL
    a.ping("10.0.0.2", count=2)
    for _ in range(20):
        raw.accepted(of.FLOW_MOD, of.flow_mod(priority=2))  # drops all
        assert a.ping("10.0.0.2", count=1, wait=0.05, check=False) == []
        raw.accepted(of.FLOW_MOD, of.flow_mod(priority=2, command=4))
        assert len(a.ping("10.0.0.2", count=1, check=False)) == 1


def test_hard_and_idle_timeouts(star, raw):
    send_flow_rem = 1
    began = time.monotonic()
    raw.accepted(of.SET_CONFIG, struct.pack("!HH", 0, 128))
    raw.accepted(of.FLOW_MOD, of.flow_mod(match=of.oxm(5, 0x0806, 2), instructions=of.apply(of.output(0xfffffffa)), priority=9))
    raw.accepted(of.FLOW_MOD, of.flow_mod(cookie=1, hard=1, flags=send_flow_rem, priority=5, match=of.in_port(7)))
    raw.accepted(of.FLOW_MOD, of.flow_mod(cookie=2, idle=1, flags=send_flow_rem, priority=6,
                                          instructions=of.apply(of.output(0xfffffffa))))
    # Traffic keeps the second one alive.
    star.h[0].ping("10.0.0.2", count=8, interval=0.2)
    stopped = time.monotonic()
    removed = {}
    if not any(e[0] == of.FLOW_REMOVED for e in raw.events):
        raw.send(of.ECHO_REQUEST)
    dumped = star.sw.ofctl("dump-flows", "br0").stdout
    assert "cookie=0x1" not in dumped and "cookie=0x2" in dumped, dumped
    xvs.wait_until(lambda: "cookie=0x2" not in star.sw.ofctl("dump-flows", "br0").stdout, 4, "the idle timeout")
    assert time.monotonic() - stopped > 0.9 and stopped - began > 1
    for _ in range(2):
        body = raw.wait_event(of.FLOW_REMOVED)
        cookie, priority, reason, _, _, _, idle, hard, packets, size = struct.unpack_from("!QHBBIIHHQQ", body)
        removed[cookie] = reason, priority, packets
    assert removed[1] == (1, 5, 0)  # OFPRR_HARD_TIMEOUT
    assert removed[2] == (0, 6, 16)  # OFPRR_IDLE_TIMEOUT; counts are exact


def test_flow_removed_on_delete_has_exact_counters(star, raw):
    raw.accepted(of.SET_CONFIG, struct.pack("!HH", 0, 128))
    raw.accepted(of.FLOW_MOD, of.flow_mod(instructions=of.apply(of.output(0xfffffffa)), priority=1))
    star.h[0].ping("10.0.0.2", count=1)
    raw.accepted(of.FLOW_MOD, of.flow_mod(cookie=5, flags=1, priority=9, match=of.in_port(1) + of.oxm(5, 0x0800, 2),
                                          instructions=of.apply(of.output(2))))
    star.h[0].ping("10.0.0.2", count=5, interval=0.05)
    raw.accepted(of.FLOW_MOD, of.flow_mod(command=3, cookie=5, cookie_mask=2**64 - 1, table=of.ALL_TABLES))
    body = raw.wait_event(of.FLOW_REMOVED)
    cookie, _, reason, _, _, _, _, _, packets, size = struct.unpack_from("!QHBBIIHHQQ", body)
    assert (cookie, reason, packets, size) == (5, 2, 5, 5 * 98)


def test_add_modify_delete_strict_and_loose(star):
    sw = star.sw

    def dump():
        text = sw.ofctl("dump-flows", "br0").stdout
        return sorted(re.findall(r"priority=(\d+).* actions=(\S+)", text))

    star.add_flows("priority=5,ip,actions=1", "priority=6,tcp,actions=1", "priority=7,arp,actions=1")
    sw.ofctl("mod-flows", "br0", "ip,actions=2")
    assert dump() == [("5", "output:2"), ("6", "output:2"), ("7", "output:1")]
    sw.ofctl("--strict", "mod-flows", "br0", "priority=5,ip,actions=3")
    assert dump()[:2] == [("5", "output:3"), ("6", "output:2")]
    sw.ofctl("del-flows", "br0", "out_port=2")
    assert dump() == [("5", "output:3"), ("7", "output:1")]
    sw.ofctl("--strict", "del-flows", "br0", "priority=6,ip")
    assert len(dump()) == 2
    sw.ofctl("del-flows", "br0", "ip")
    assert dump() == [("7", "output:1")]
    sw.ofctl("add-flow", "br0", "priority=7,arp,actions=drop")
    assert dump() == [("7", "drop")]


def test_check_overlap(star, raw):
    raw.accepted(of.FLOW_MOD, of.flow_mod(match=of.in_port(1), priority=5))
    assert raw.error(of.FLOW_MOD, of.flow_mod(priority=5, flags=2)) == (5, 3)
    raw.accepted(of.FLOW_MOD, of.flow_mod(priority=6, flags=2))


def test_ten_thousand_flows_come_back_in_parts(star):
    sw = star.sw
    star.add_flows(*(f"priority={n % 100 + 1},tcp,nw_src=10.{n >> 8 & 255}.{n & 255}.1,tp_dst={n},actions=output:{n % 2 + 1}"
                     for n in range(10000)))
    assert sw.ofctl("dump-flows", "br0").stdout.count("actions=") == 10000
    assert ovs_ofctl(sw, "dump-flows").stdout.count("actions=") == 10000
    assert "flow_count=10000" in sw.ofctl("dump-aggregate", "br0").stdout


# --- packets in and out ---

def test_packet_in_and_out(star, raw):
    raw.accepted(of.SET_CONFIG, struct.pack("!HH", 0, 0xffff))
    raw.accepted(of.FLOW_MOD, of.flow_mod(cookie=0xabc, table=0, priority=3, instructions=of.apply(of.output(of.CONTROLLER))))
    ping = star.h[0].popen("ping", "-c", "1", "-W", "4", "10.0.0.2", stdout=-1, text=True)
    for _ in range(4):  # ARP there and back, ICMP there and back
        body = raw.wait_event(of.PACKET_IN)
        buffer_id, total, reason, table, cookie = struct.unpack_from("!IHBBQ", body)
        match_type, match_len = struct.unpack_from("!HH", body, 16)
        frame = body[16 + (match_len + 7) // 8 * 8 + 2:]
        assert (buffer_id, table, cookie, match_type) == (of.NO_BUFFER, 0, 0xabc, 1)
        assert len(frame) == total and reason == 1  # OFPR_ACTION
        port = int.from_bytes(body[24:28], "big")
        actions = of.output(3 - port)
        raw.accepted(of.PACKET_OUT, struct.pack("!IIH6x", of.NO_BUFFER, port, len(actions)) + actions + frame)
    assert ping.wait(5) == 0


def test_a_table_miss_has_its_own_reason(star, raw):
    raw.accepted(of.SET_CONFIG, struct.pack("!HH", 0, 0xffff))
    raw.accepted(of.FLOW_MOD, of.flow_mod(priority=0, instructions=of.apply(of.output(of.CONTROLLER, 32))))
    star.h[0].ping("10.0.0.2", count=1, wait=0.3, check=False)
    body = raw.wait_event(of.PACKET_IN)
    _, total, reason, _, _ = struct.unpack_from("!IHBBQ", body)
    match_len = struct.unpack_from("!H", body, 18)[0]
    assert reason == 0 and total == 42  # OFPR_NO_MATCH
    assert len(body) - (16 + (match_len + 7) // 8 * 8 + 2) == 32  # max_len


def test_packet_out_through_the_tables(lab, star):
    star.add_flows("in_port=1,dl_type=0x88b5,actions=2")
    capture = lab.capture(star.h[1], "eth0", "ether proto 0x88b5")
    frame = "020000000002020000000001" + "88b5" + "00" * 50
    star.sw.ofctl("packet-out", "br0", f"in_port=1,packet={frame},actions=TABLE")
    assert bytes(capture.wait(1)[0]).hex() == frame
    assert star.n_packets("0x88b5") == 1


def test_port_status(star, raw):
    raw.accepted(of.SET_CONFIG, struct.pack("!HH", 0, 128))
    star.sw.ctl("add-port", "br0", "t7", "type=internal", "ofport=7")
    body = raw.wait_event(of.PORT_STATUS)
    assert body[0] == 0 and struct.unpack_from("!I", body, 8)[0] == 7  # OFPPR_ADD
    star.sw.ctl("del-port", "t7")
    while (body := raw.wait_event(of.PORT_STATUS))[0] != 1:
        pass
    star.ns.ip("link", "set", "p2", "down")
    while (body := raw.wait_event(of.PORT_STATUS))[0] != 2 or struct.unpack_from("!I", body, 8)[0] != 2:
        pass


def test_port_mod_takes_a_port_out(star, raw):
    a = star.h[0]
    star.add_flows("actions=NORMAL")
    a.ping("10.0.0.2", count=1)
    mac = bytes.fromhex(star.ns.mac("p2").replace(":", ""))
    no_fwd = 1 << 5
    raw.accepted(of.PORT_MOD, struct.pack("!I4x6s2xIII4x", 2, mac, no_fwd, no_fwd, 0))
    assert a.ping("10.0.0.2", count=1, wait=0.3, check=False) == []
    assert "port-config" in star.sw.ctl("drops").stdout
    raw.accepted(of.PORT_MOD, struct.pack("!I4x6s2xIII4x", 2, mac, 0, no_fwd, 0))
    a.ping("10.0.0.2", count=1)


@pytest.mark.parametrize("output, reaches", [("2", "2"), ("ALL", "23"), ("FLOOD", "23"), ("NORMAL", "23"), ("IN_PORT", "1"),
                                             ("LOCAL", "L"), ("2,3", "23"), ("drop", ""), ("1", "")])
def test_reserved_ports(lab, output, reaches):
    star = Star(lab, hosts=3, flows=[f"in_port=1,dl_type=0x88b5,actions={output}"])
    star.ns.ip("link", "set", "br0", "up")
    captures = {str(n): lab.capture(h, "eth0", "ether proto 0x88b5", inbound=True) for n, h in enumerate(star.h, 1)}
    captures["L"] = lab.capture(star.ns, "br0", "ether proto 0x88b5")
    raw_send(star.h[0], "eth0", bytes.fromhex("ffffffffffff" + "020000000001" + "88b5" + "00" * 50))
    xvs.wait_until(lambda: star.n_packets("0x88b5") == 1, 5, "the packet")
    got = {name: len(c.stop()) for name, c in captures.items()}
    expected = {name: int(name in reaches) for name in got}
    if output in ("ALL", "FLOOD", "NORMAL"):
        expected["L"] = 1
    assert got == expected


# --- controllers ---

def test_a_controller_by_os_ken(lab):
    star = Star(lab, flows=[])
    controller = lab.osken(star.ns, f"{APPS}/flood.py")
    star.sw.ctl("set-controller", "br0", "tcp:127.0.0.1:6653")
    controller.wait_for("connected")
    star.h[0].ping("10.0.0.2", count=3, wait=5)
    assert "packet in from port 1" in controller.said()
    assert star.sw.ctl("get", "bridge", "br0", "is_connected").stdout == "true\n"
    assert "connected" in star.sw.ctl("show").stdout


def test_standalone_without_controller_and_secure_without(lab):
    star = Star(lab)
    star.h[0].ping("10.0.0.2", count=1)
    star.sw.ctl("set-fail-mode", "br0", "secure")
    assert star.h[0].ping("10.0.0.2", count=1, wait=0.3, check=False) == []
    star.sw.ctl("set-fail-mode", "br0", "standalone")
    star.h[0].ping("10.0.0.2", count=2)


def test_fail_modes_with_a_controller_that_goes(lab):
    """While it is connected the controller decides alone; when it is gone, secure keeps its flows, standalone learns."""
    star = Star(lab, flows=[])
    controller = Controller(f"{lab.dir}/c")
    star.sw.ctl("set-controller", "br0", controller.target)
    c = controller.accept()
    c.accepted(of.FLOW_MOD, of.flow_mod(instructions=of.apply(of.output(0xfffffffb)), priority=4))  # FLOOD
    star.h[0].ping("10.0.0.2", count=2)
    c.close()
    controller.close()
    os.unlink(f"{lab.dir}/c")
    time.sleep(0.3)
    star.h[0].ping("10.0.0.2", count=2)  # the flows are still there
    star.sw.ofctl("del-flows", "br0")
    assert star.h[0].ping("10.0.0.2", count=1, wait=0.3, check=False) == []
    star.sw.ctl("set-fail-mode", "br0", "standalone")
    xvs.wait_until(lambda: star.h[0].ping("10.0.0.2", count=1, wait=0.3, check=False), 30, "standalone to take over")


def test_reconnects_after_the_controller_was_away(lab):
    star = Star(lab, flows=[])
    controller = Controller(f"{lab.dir}/c")
    star.sw.ctl("set-controller", "br0", controller.target)
    c = controller.accept()
    c.ask(of.FEATURES_REQUEST)
    c.close()
    c = controller.accept()  # at once again: it had worked
    c.ask(of.FEATURES_REQUEST)
    c.close()
    controller.close()
    os.unlink(f"{lab.dir}/c")
    time.sleep(1)
    again = Controller(f"{lab.dir}/c")
    c = again.accept()
    assert c.ask(of.FEATURES_REQUEST)[0] == of.FEATURES_REPLY
    xvs.wait_until(lambda: star.sw.ctl("get", "bridge", "br0", "is_connected").stdout == "true\n", 3, "is_connected")
    again.close()


def test_a_silent_controller_is_probed_and_left(lab):
    star = Star(lab, flows=[])
    controller = Controller(f"{lab.dir}/c")
    star.sw.ctl("set-controller", "br0", controller.target)
    c = controller.accept()
    c.sock.settimeout(20 * xvs.slowness())
    while (got := c.receive()) and got[0] != of.ECHO_REQUEST:
        pass
    assert got, "hung up without an echo request"
    while c.receive():
        pass  # it hangs up in the end, as nobody answers
    controller.accept().close()
    controller.close()


def test_two_controllers_and_their_roles(lab):
    star = Star(lab, flows=[])
    first, second = Controller(f"{lab.dir}/c1"), Controller(f"{lab.dir}/c2")
    star.sw.ctl("set-controller", "br0", first.target, second.target)
    a, b = first.accept(), second.accept()
    kind, body = a.ask(of.ROLE_REQUEST, struct.pack("!I4xQ", 2, 10))  # master
    assert kind == of.ROLE_REPLY and struct.unpack_from("!I", body)[0] == 2
    kind, body = b.ask(of.ROLE_REQUEST, struct.pack("!I4xQ", 3, 11))  # slave
    assert kind == of.ROLE_REPLY
    assert b.error(of.FLOW_MOD, of.flow_mod()) == (1, 10)  # OFPBRC_IS_SLAVE
    assert b.error(of.ROLE_REQUEST, struct.pack("!I4xQ", 2, 9)) == (11, 0)  # OFPRRFC_STALE
    b.ask(of.ROLE_REQUEST, struct.pack("!I4xQ", 2, 12))
    assert a.error(of.FLOW_MOD, of.flow_mod()) == (1, 10)  # the old master is a slave now
    for c in a, b, first, second:
        c.close()


def test_a_controller_that_does_not_read(lab):
    """Packet-ins for a controller that takes none are dropped and counted; the switch stays well."""
    star = Star(lab, flows=[])
    controller = Controller(f"{lab.dir}/c")
    star.sw.ctl("set-controller", "br0", controller.target)
    c = controller.accept()
    star.add_flows("priority=1,actions=CONTROLLER:65535", "priority=2,arp,actions=NORMAL")
    raw_send(star.h[0], "eth0", bytes.fromhex("020000000002" + "020000000001" + "88b5" + "00" * 1400), 20000)
    assert star.sw.ctl("show").returncode == 0
    star.sw.ofctl("add-flow", "br0", "priority=3,icmp,actions=NORMAL")
    star.h[0].ping("10.0.0.2", count=3)
    c.close()
    controller.close()


def test_passive_controllers(lab):
    star = Star(lab, flows=[])
    star.sw.ctl("set-controller", "br0", "ptcp:16653:127.0.0.1", f"punix:{lab.dir}/p")
    for target in "tcp:127.0.0.1:16653", f"unix:{lab.dir}/p":
        assert "1(p1)" in star.ns.run("ovs-ofctl", "-O", "OpenFlow13", "show", target).stdout
