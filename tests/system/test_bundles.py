"""Bundles (OpenFlow 1.4, 6.9, 7.3.9 and 7.5.4.18; in 1.3 the Open Networking Foundation's extension 230): all of it or
nothing, every error, under traffic; unmodified ovs-ofctl."""
import os
import struct
import sys
import time

import pytest

import openflow as of
import xvs
from wire import Wire

ONF = 0x4f4e4600
OPEN, CLOSE, COMMIT, DISCARD = 0, 2, 4, 6
ATOMIC, ORDERED = 1, 2
(UNKNOWN, EPERM, BAD_ID, BUNDLE_EXIST, BUNDLE_CLOSED, OUT_OF_BUNDLES, BAD_TYPE, BAD_FLAGS, MSG_BAD_LEN, MSG_BAD_XID,
 MSG_UNSUP, MSG_CONFLICT, MSG_TOO_MANY, MSG_FAILED, TIMEOUT, BUNDLE_IN_PROGRESS) = range(16)
OUT = of.output(2)


@pytest.fixture(scope="module")
def shared():
    with xvs.Lab() as lab:
        yield Wire(lab)


@pytest.fixture
def wire(shared):
    shared.sw.ofctl("del-flows", "br0")
    shared.sw.ofctl("del-groups", "br0")
    return shared


class Bundles:
    """Bundles on a connection of OpenFlow 1.3."""

    def __init__(self, sw):
        self.c = of.Connection.to(sw)

    def send(self, subtype, body, xid=None):
        self.c.xid += 1
        xid = self.c.xid if xid is None else xid
        self.c.sock.sendall(of.message(of.EXPERIMENTER, struct.pack("!II", ONF, subtype) + body, xid))
        return xid

    def control(self, kind, bundle=1, flags=ATOMIC, properties=b""):
        """The reply's (type, flags), or ("error", code of a bundle error), or ("error", type, code)."""
        return self.outcome(self.send(2300, struct.pack("!IHH", bundle, kind, flags) + properties), bundle)

    def outcome(self, xid, bundle=1):
        kind, body = self.c.answer(xid)
        if kind == of.ERROR:
            return error_of(body)
        assert kind == of.EXPERIMENTER
        experimenter, subtype, number, kind, flags = struct.unpack("!IIIHH", body)
        assert (experimenter, subtype, number) == (ONF, 2300, bundle)
        return kind, flags

    def add(self, kind, body=b"", bundle=1, flags=ATOMIC, tail=b""):
        """Says nothing if it is taken."""
        self.c.xid += 1
        xid = self.c.xid
        return self.send(2301, struct.pack("!IHH", bundle, 0, flags) + of.message(kind, body, xid) + tail, xid)

    def refused(self, *args, **options):
        kind, body = self.c.answer(self.add(*args, **options))
        assert kind == of.ERROR
        return error_of(body)

    def open(self, **options):
        assert self.control(OPEN, **options) == (OPEN + 1, options.get("flags", ATOMIC))

    def commit(self, **options):
        assert self.control(COMMIT, **options) == (COMMIT + 1, options.get("flags", ATOMIC))


def error_of(body):
    kind, code = struct.unpack_from("!HH", body)
    if kind != 0xffff:
        return "error", kind, code
    assert struct.unpack_from("!I", body, 4)[0] == ONF and 2300 <= code < 2316
    return "error", code - 2300


@pytest.fixture
def b(wire):
    bundles = Bundles(wire.sw)
    yield bundles
    bundles.c.close()


def flow(n, action=OUT, **options):
    return of.flow_mod(match=of.in_port(n), instructions=of.apply(action), **options)


def n_flows(wire):
    return wire.sw.ofctl("dump-flows", "br0").stdout.count("actions=")


def group(command, number, *buckets):
    body = b"".join(struct.pack("!HHII4x", 16 + len(a), 0, of.ANY, of.ANY) + a for a in buckets)
    return struct.pack("!HBxI", command, 0, number) + body


def to_group(n):
    return struct.pack("!HHI", 22, 8, n)


# --- All or nothing ---

@pytest.mark.parametrize("flags", [0, ATOMIC, ORDERED, ATOMIC | ORDERED])
def test_life(wire, b, flags):
    b.open(flags=flags)
    b.add(of.FLOW_MOD, flow(1), flags=flags)
    b.add(of.FLOW_MOD, flow(2), flags=flags)
    b.c.barrier()
    assert n_flows(wire) == 0, "nothing before it is committed"
    assert b.control(CLOSE, flags=flags) == (CLOSE + 1, flags)
    assert n_flows(wire) == 0
    b.commit(flags=flags)
    assert n_flows(wire) == 2
    assert b.control(COMMIT, flags=flags) == ("error", BAD_ID), "it is gone"


def test_a_thousand_of_which_the_last_is_bad(wire, b):
    wire.flows("table=3,actions=drop")
    before = wire.sw.ofctl("dump-flows", "--no-stats", "br0").stdout
    for last, expected in (of.flow_mod(table=255), ("error", 5, 2)), (flow(1, to_group(77)), ("error", 2, 9)):
        b.open()
        b.add(of.FLOW_MOD, of.flow_mod(command=3, table=of.ALL_TABLES))
        b.add(of.GROUP_MOD, group(0, 5, OUT))
        for n in range(997):
            b.add(of.FLOW_MOD, flow(n % 500 + 1, to_group(5) if n % 3 else OUT, table=n % 5))
        bad = b.add(of.FLOW_MOD, last)
        commit = b.send(2300, struct.pack("!IHH", 1, COMMIT, ATOMIC))
        kind, body = b.c.answer(bad)
        assert kind == of.ERROR and error_of(body) == expected, "the message at fault is named"
        assert len(body) == 4 + 64 and struct.unpack_from("!I", body, 8)[0] == bad, "and quoted"
        assert b.outcome(commit) == ("error", MSG_FAILED)
        assert wire.sw.ofctl("dump-flows", "--no-stats", "br0").stdout == before
        assert "group_id" not in wire.sw.ofctl("dump-groups", "br0").stdout
        assert b.control(DISCARD) == ("error", BAD_ID)


def test_a_thousand_good_ones(wire, b):
    b.open()
    b.add(of.GROUP_MOD, group(0, 5, OUT))
    for n in range(999):
        b.add(of.FLOW_MOD, flow(n + 1, to_group(5)))
    b.commit()
    assert n_flows(wire) == 999
    assert "ref_count=999" in wire.sw.ofctl("dump-group-stats", "br0").stdout


def test_messages_see_those_before_them(wire, b):
    """Added, modified, deleted, added again in one bundle; a group and what forwards to it."""
    wire.flows("in_port=3,actions=output:1")
    b.open(flags=ORDERED)
    add = lambda *args, **options: b.add(*args, flags=ORDERED, **options)
    add(of.FLOW_MOD, flow(1, cookie=1))
    add(of.FLOW_MOD, of.flow_mod(match=of.in_port(1), instructions=of.apply(of.output(3)), command=2, cookie=9))
    add(of.FLOW_MOD, flow(2))
    add(of.FLOW_MOD, of.flow_mod(match=of.in_port(2), command=4))
    add(of.GROUP_MOD, group(0, 1, OUT))
    add(of.GROUP_MOD, group(1, 1, of.output(3)))
    add(of.FLOW_MOD, flow(4, to_group(1)))
    add(of.GROUP_MOD, group(2, 1))  # and the flow with it
    add(of.GROUP_MOD, group(0, 1, of.output(1)))
    add(of.FLOW_MOD, flow(5, to_group(1)))
    b.commit(flags=ORDERED)
    lines = sorted(line.split("in_port=")[1] for line in wire.sw.ofctl("dump-flows", "br0").stdout.splitlines() if "in_port" in line)
    assert lines == ["p1 actions=output:p3", "p3 actions=output:p1", "5 actions=group:1"] or \
        lines == sorted(["1 actions=output:3", "3 actions=output:1", "5 actions=group:1"]), lines
    assert "actions=output:1" in wire.sw.ofctl("dump-groups", "br0").stdout


def test_what_is_undone_is_as_it_was(wire, b):
    """Counters, cookies, timeouts, references: every kind of change is taken back."""
    wire.sw.ofctl("add-groups", "br0", "-", input="group_id=1,type=all,bucket=output:2\ngroup_id=2,type=all,bucket=group:1\n")
    wire.flows("cookie=7,idle_timeout=600,in_port=1,actions=group:2", "table=1,actions=output:3")
    frame = bytes.fromhex("020000000002020000000001") + b"\x12\x34" + bytes(50)
    assert wire.exchange(frame, frame)[2] == [frame, frame]
    dump = lambda: [wire.sw.ofctl(command, "br0").stdout for command in ("dump-groups", "dump-group-stats", "dump-flows")]
    clean = lambda texts: [",".join(w for w in t.replace(" ", "").split(",") if "duration" not in w and "idle_age" not in w) for t in texts]
    before = clean(dump())
    for change in (of.flow_mod(command=3, table=of.ALL_TABLES), of.flow_mod(command=1, flags=4, instructions=of.apply(OUT)),
                   flow(1, cookie=1), of.flow_mod(command=3, out_group=2)):
        b.open()
        b.add(of.FLOW_MOD, change)
        b.add(of.GROUP_MOD, group(1, 2, of.output(3)))
        b.add(of.GROUP_MOD, group(2, 0xfffffffc))
        b.add(of.GROUP_MOD, group(0, 2, OUT))
        b.add(of.GROUP_MOD, group(1, 2, of.output(1)))
        b.add(of.FLOW_MOD, flow(9, to_group(2)))
        b.add(of.FLOW_MOD, flow(9, of.output(0xffffffff)))
        assert b.control(COMMIT) == ("error", MSG_FAILED)
        b.c.events.clear()
        assert clean(dump()) == before
        assert wire.exchange(frame)[2] == [frame]
        before = clean(dump())


def test_no_packet_sees_half(lab, tmp_path):
    """Two tables swapped again and again, a hundred flows each, while packets come as fast as they can."""
    wire = Wire(lab)
    generations = 40
    sender = """
import socket, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("e1", 0))
frames = [bytes.fromhex("020000000002") + bytes([2, 0, 0, 0, 0, n]) + b"\\x12\\x34" + bytes(50) for n in range(100)]
end = time.monotonic() + 60
print("ready", flush=True)
while time.monotonic() < end:
    for f in frames:
        try:
            s.send(f)
        except OSError:
            pass
"""

    def swap(n):
        lines = ["del table=0,dl_type=0x1234", "del table=1,dl_type=0x1234"]
        lines += [f"add table=0,dl_type=0x1234,dl_src=02:00:00:00:00:{i:02x},actions=write_metadata:{n},goto_table:1" for i in range(100)]
        lines += [f"add table=1,metadata={n},dl_type=0x1234,dl_src=02:00:00:00:00:{i:02x},actions=output:2" for i in range(100)]
        return "\n".join(lines) + "\n"

    wire.sw.ofctl("add-flow", "br0", "priority=1,actions=output:3")
    wire.sw.ofctl("add-flow", "br0", "table=1,priority=1,actions=output:3")
    path = tmp_path / "flows"
    path.write_text(swap(0))
    ovs_ofctl(wire.sw, "--bundle", "add-flows", path)
    process = lab.popen(wire.host, sys.executable, "-c", sender, stdout=-1, text=True)
    assert process.stdout.readline() == "ready\n"
    for n in range(1, generations):
        path.write_text(swap(n))
        ovs_ofctl(wire.sw, "--bundle", "add-flows", path)
    time.sleep(0.3)
    process.terminate()
    process.wait()
    time.sleep(0.2)
    lines = wire.sw.ofctl("dump-flows", "br0", "--no-names").stdout.splitlines()
    wrong = [line for line in lines if "priority=1 actions=output:3" in line or "priority=1,actions=output:3" in line]
    assert len(wrong) == 2 and all("n_packets=0," in line for line in wrong), wrong
    assert sum(int(line.split("n_packets=")[1].split(",")[0]) for line in lines if "output:2" in line) > 0


# --- Packet-outs and ports ---

def packet_out(frame, action=OUT, port=of.CONTROLLER):
    return struct.pack("!IIH6x", of.NO_BUFFER, port, len(action)) + action + frame


def test_packet_outs_go_when_all_is_done(wire, b):
    """They meet what the bundle has made, even if it stands behind them."""
    frame = bytes.fromhex("020000000002020000000001") + b"\x12\x34" + bytes(50)
    wire.flows()
    b.open()
    b.add(of.PACKET_OUT, packet_out(frame, of.output(0xfffffff9)))  # OFPP_TABLE
    b.add(of.FLOW_MOD, of.flow_mod(instructions=of.apply(of.output(3))))
    b.c.barrier()
    assert wire.exchange() == {1: [], 2: [], 3: []}
    b.commit()
    assert wire.exchange()[3] == [frame]
    b.open()
    b.add(of.PACKET_OUT, packet_out(frame))
    bad = b.add(of.PACKET_OUT, packet_out(frame, port=99))
    commit = b.send(2300, struct.pack("!IHH", 1, COMMIT, ATOMIC))
    assert error_of(b.c.answer(bad)[1]) == ("error", 1, 11)  # OFPBRC_BAD_PORT
    assert b.outcome(commit) == ("error", MSG_FAILED)
    assert wire.exchange() == {1: [], 2: [], 3: []}


def test_port_mods(wire, b):
    c = b.c
    kind, body = c.ask(of.MULTIPART_REQUEST, struct.pack("!HH4x", 13, 0))
    ports = {struct.unpack_from("!I", body, at)[0]: body[at + 8:at + 14] for at in range(8, len(body), 64)}

    def port_mod(port, config, mac=None):
        return struct.pack("!I4x6s2xIII4x", port, mac or ports[port], config, 0x20, 0)  # OFPPC_NO_FWD

    frame = bytes.fromhex("020000000002020000000001") + b"\x12\x34" + bytes(50)
    wire.flows("in_port=1,actions=output:2")
    b.open()
    b.add(of.PORT_MOD, port_mod(2, 0x20))
    b.add(of.PORT_MOD, port_mod(3, 0x20, bytes(6)))
    assert b.control(COMMIT) == ("error", MSG_FAILED)
    assert wire.exchange(frame)[2] == [frame]
    for config, expected in (0x20, []), (0, [frame]):
        b.open()
        b.add(of.PORT_MOD, port_mod(2, config))
        b.commit()
        c.barrier()
        wire.sw.ofctl("mod-flows", "br0", "in_port=1,actions=output:2")
        if config:
            c.accepted(of.PORT_MOD, port_mod(2, 0))
            c.accepted(of.PORT_MOD, port_mod(2, 0x20))
            wire.sw.ofctl("dump-ports-desc", "br0")
            assert "NO_FWD" in wire.sw.ofctl("dump-ports-desc", "br0", "2").stdout
        else:
            assert wire.exchange(frame)[2] == expected


# --- Errors ---

def test_errors_of_control(wire, b):
    assert b.control(COMMIT, bundle=7) == ("error", BAD_ID)
    assert b.control(CLOSE, bundle=7) == ("error", BAD_ID)
    assert b.control(DISCARD, bundle=7) == ("error", BAD_ID)
    assert b.control(OPEN, flags=4) == ("error", BAD_FLAGS)
    for kind in 1, 3, 5, 7, 8, 0xffff:
        assert b.control(kind) == ("error", BAD_TYPE)
    b.open()
    assert b.control(OPEN) == ("error", BUNDLE_EXIST)
    assert b.control(CLOSE, flags=ORDERED) == ("error", BAD_FLAGS)
    assert b.control(CLOSE) == (CLOSE + 1, ATOMIC)
    assert b.control(CLOSE) == ("error", BUNDLE_CLOSED)
    assert b.refused(of.FLOW_MOD, flow(1)) == ("error", BUNDLE_CLOSED)
    assert b.control(DISCARD, flags=ORDERED) == (DISCARD + 1, ORDERED), "flags do not matter"
    assert n_flows(wire) == 0
    b.open(bundle=0xffffffff, flags=0)
    b.commit(bundle=0xffffffff, flags=0)  # an empty one
    b.open()
    assert b.control(COMMIT, flags=0) == ("error", BAD_FLAGS)
    assert b.control(OPEN, properties=struct.pack("!HHII", 0xffff, 12, 1, 1) + bytes(4)) == (OPEN + 1, ATOMIC), "others' properties"
    assert b.control(DISCARD, properties=struct.pack("!HHI", 0xffff, 3, 0)) == ("error", 1, 6)  # OFPBRC_BAD_LEN


def test_errors_of_messages(wire, b):
    b.open()
    assert b.refused(of.FLOW_MOD, flow(1), flags=ORDERED) == ("error", BAD_FLAGS)
    for kind in of.BARRIER_REQUEST, of.ECHO_REQUEST, of.FEATURES_REQUEST, of.HELLO:
        assert b.refused(kind) == ("error", MSG_UNSUP)
    assert b.refused(of.MULTIPART_REQUEST, struct.pack("!HH4x", 0, 0)) == ("error", MSG_UNSUP)
    assert b.refused(99) == ("error", 1, 1)  # OFPBRC_BAD_TYPE
    assert b.refused(of.FLOW_MOD, bytes(20)) == ("error", 1, 6)
    assert b.refused(of.FLOW_MOD, of.flow_mod(instructions=struct.pack("!HH4x", 99, 8))) == ("error", 3, 0)  # OFPBIC_UNKNOWN_INST
    # lengths, versions and xids of the message inside
    inner = of.message(of.FLOW_MOD, flow(1), 5)
    head = struct.pack("!IHH", 1, 0, ATOMIC)
    for xid, body, expected in ((6, inner, ("error", MSG_BAD_XID)), (5, inner[:-8], ("error", MSG_BAD_LEN)),
                                (5, b"\5" + inner[1:], ("error", 1, 0)), (5, inner[:2] + b"\0\7" + inner[4:], ("error", MSG_BAD_LEN))):
        b.send(2301, head + body, xid)
        kind, body = b.c.answer(xid)
        assert kind == of.ERROR and error_of(body) == expected
    b.c.barrier()
    b.add(of.FLOW_MOD, flow(1))
    assert b.control(COMMIT) == ("error", MSG_FAILED), "a message was refused"
    assert n_flows(wire) == 0
    # padding and properties behind it
    b.open()
    b.add(of.FLOW_MOD, flow(1), tail=struct.pack("!HHII", 0xffff, 12, 1, 1) + bytes(4))
    b.commit()
    assert n_flows(wire) == 1


def test_opened_by_what_is_added(wire, b):
    b.add(of.FLOW_MOD, flow(1), bundle=9, flags=ORDERED)
    b.commit(bundle=9, flags=ORDERED)
    assert n_flows(wire) == 1


def test_bounds(wire, b):
    for n in range(64):
        b.open(bundle=n)
    assert b.control(OPEN, bundle=64) == ("error", OUT_OF_BUNDLES)
    assert b.refused(of.FLOW_MOD, flow(1), bundle=64) == ("error", OUT_OF_BUNDLES)
    b.commit(bundle=0)
    b.open(bundle=64)


def test_other_connections_have_others(wire, b):
    """A bundle belongs to its connection and ends with it."""
    other = Bundles(wire.sw)
    b.open()
    b.add(of.FLOW_MOD, flow(1))
    assert other.control(COMMIT) == ("error", BAD_ID)
    other.open()
    other.add(of.FLOW_MOD, flow(2))
    other.c.barrier()
    other.c.close()
    b.commit()
    assert n_flows(wire) == 1


def test_a_slave_may_not(wire, b):
    assert b.c.ask(of.ROLE_REQUEST, struct.pack("!I4xQ", 3, 1))[0] == of.ROLE_REPLY
    assert b.control(OPEN) == ("error", 1, 10)  # OFPBRC_IS_SLAVE
    assert b.refused(of.FLOW_MOD, flow(1)) == ("error", 1, 10)


def test_idle(wire, b):
    """One that nothing is done with is forgotten, and its owner told."""
    b.c.xid += 1
    b.open(bundle=5)
    xid = b.c.xid
    b.c.sock.settimeout(15 * xvs.slowness())
    kind, body = b.c.answer(xid)
    assert kind == of.ERROR and error_of(body) == ("error", TIMEOUT)
    b.c.sock.settimeout(5 * xvs.slowness())
    assert b.control(COMMIT, bundle=5) == ("error", BAD_ID)


# --- Tools ---

def ovs_ofctl(sw, *args, version="OpenFlow13", **options):
    args = [str(a) for a in args]
    at = next(i for i, a in enumerate(args) if not a.startswith("-")) + 1
    return xvs.run("ovs-ofctl", "-O", version, *args[:at], sw.mgmt("br0"), *args[at:], env=dict(os.environ), **options)


def flows_of(wire):
    return {line.strip() for line in wire.sw.ofctl("dump-flows", "--no-stats", "--no-names", "br0").stdout.splitlines() if "actions=" in line}


@pytest.mark.parametrize("version", ["OpenFlow13", "OpenFlow14"])
def test_ovs_ofctl(wire, tmp_path, version):
    def ovs(*args, **options):
        return ovs_ofctl(*args, version=version, **options)

    path = tmp_path / "flows"
    path.write_text("".join(f"in_port={n},actions=output:2\n" for n in range(1, 1001)))
    ovs(wire.sw, "--bundle", "add-flows", path)
    assert n_flows(wire) == 1000
    ovs(wire.sw, "--bundle", "mod-flows", "actions=output:3")
    assert all("output:3" in line for line in flows_of(wire))
    ovs(wire.sw, "--bundle", "--strict", "mod-flows", "in_port=5,actions=output:1")
    assert sum("output:1" in line for line in flows_of(wire)) == 1
    path.write_text("in_port=1,actions=output:2\nin_port=2,actions=output:2\nin_port=3,actions=group:9\n")
    done = ovs(wire.sw, "--bundle", "add-flows", path, check=False)
    assert done.returncode and "OFPBAC_BAD_OUT_GROUP" in done.stderr and "OFPBFC_MSG_FAILED" in done.stderr, done.stderr
    assert n_flows(wire) == 1000
    ovs(wire.sw, "--bundle", "--strict", "del-flows", "in_port=5")
    assert n_flows(wire) == 999
    ovs(wire.sw, "--bundle", "del-flows", "in_port=6")
    path.write_text("in_port=1,actions=output:2\nin_port=2,actions=output:2\n")
    ovs(wire.sw, "--bundle", "replace-flows", path)
    assert n_flows(wire) == 2
    assert not ovs(wire.sw, "diff-flows", path).stdout


@pytest.mark.parametrize("version", ["OpenFlow13", "OpenFlow14"])
def test_ovs_ofctl_bundle_file(wire, tmp_path, version):
    """Flows, groups and packet-outs in one file."""
    def ovs(*args, **options):
        return ovs_ofctl(*args, version=version, **options)

    path = tmp_path / "bundle"
    path.write_text("flow add table=1,actions=output:3\n"
                    "group add group_id=1,type=all,bucket=output:2,bucket=output:3\n"
                    "flow in_port=1,actions=group:1\n"
                    "packet-out in_port=controller,packet=0200000000020200000000011234" + "00" * 50 + ",actions=output:2\n")
    ovs(wire.sw, "bundle", path)
    assert n_flows(wire) == 2 and "group_id=1" in wire.sw.ofctl("dump-groups", "br0").stdout
    path.write_text("flow delete\ngroup delete group_id=1\ngroup add group_id=7,type=all\nflow add actions=group:1\n")
    done = ovs(wire.sw, "bundle", path, check=False)
    assert done.returncode and "OFPBAC_BAD_OUT_GROUP" in done.stderr
    assert n_flows(wire) == 2
    groups = wire.sw.ofctl("dump-groups", "br0").stdout
    assert "group_id=1," in groups and "group_id=7" not in groups
