"""Packet-ins (OpenFlow 1.3.5, 7.4.1; 6.1.2 buffers; Nicira's formats), what asks for them, and unmodified ovs-ofctl monitor."""
import os
import re
import struct
import time

import pytest

import openflow as of
import xvs
from wire import Wire

NX = 0x2320
STANDARD, NXT_PACKET_IN, NXT_PACKET_IN2 = range(3)
TABLE = 0xfffffff9
FRAME = bytes.fromhex("020000000002020000000001") + b"\x12\x34" + bytes(range(200))
BUFFER_EMPTY, BUFFER_UNKNOWN = (1, 7), (1, 8)


@pytest.fixture(scope="module")
def shared():
    with xvs.Lab() as lab:
        yield Wire(lab)


@pytest.fixture
def wire(shared):
    shared.flows()
    return shared


@pytest.fixture
def c(wire):
    connection = of.Connection.to(wire.sw)
    connection.accepted(of.SET_CONFIG, struct.pack("!HH", 0, 0xffff))
    yield connection
    connection.close()


def nx(subtype, body):
    return struct.pack("!II", NX, subtype) + body


def packet_in(c, timeout=5):
    """(buffer_id, total_len, reason, table, cookie, OXM fields, data) of the next."""
    body = c.wait_event(of.PACKET_IN, timeout)
    buffer_id, total_len, reason, table, cookie, kind, length = struct.unpack_from("!IHBBQHH", body)
    assert kind == 1
    data = 16 + (length + 7) // 8 * 8 + 2
    return buffer_id, total_len, reason, table, cookie, tlvs(body[20:16 + length]), body[data:]


def tlvs(data):
    """{(class, field): value}"""
    fields, at = {}, 0
    while at < len(data):
        oxm_class, field, length = struct.unpack_from("!HBB", data, at)
        fields[oxm_class, field >> 1] = int.from_bytes(data[at + 4:at + 4 + length], "big")
        at += 4 + length
    return fields


def packet_out(actions, buffer_id=of.NO_BUFFER, port=of.CONTROLLER, data=b""):
    return struct.pack("!IIH6x", buffer_id, port, len(actions)) + actions + data


# --- How much of a packet, and buffers ---

@pytest.mark.parametrize("max_len", [0, 1, 14, 100, len(FRAME) - 1])
def test_max_len(wire, c, max_len):
    """7.2.5: of a packet that is buffered, no more than max_len bytes."""
    wire.flows(f"in_port=1,actions=controller:{max_len}")
    wire.exchange(FRAME)
    buffer_id, total_len, reason, table, _, fields, data = packet_in(c)
    assert buffer_id != of.NO_BUFFER and (total_len, reason, table) == (len(FRAME), 1, 0)
    assert data == FRAME[:max_len] and fields == {(0x8000, 0): 1}
    c.accepted(of.PACKET_OUT, packet_out(of.output(2), buffer_id))
    assert wire.exchange()[2] == [FRAME], "all of it"
    assert c.error(of.PACKET_OUT, packet_out(of.output(2), buffer_id)) == BUFFER_EMPTY


@pytest.mark.parametrize("max_len", [len(FRAME), 1500, 0xffe5, 0xffff])
def test_what_is_shown_whole_is_not_buffered(wire, c, max_len):
    wire.flows(f"in_port=1,actions=controller:{max_len}")
    wire.exchange(FRAME)
    buffer_id, total_len, *_, data = packet_in(c)
    assert (buffer_id, total_len, data) == (of.NO_BUFFER, len(FRAME), FRAME)


def test_features_say_how_many(wire, c):
    _, body = c.ask(of.FEATURES_REQUEST)
    n_buffers = struct.unpack_from("!I", body, 8)[0]
    assert n_buffers == 256
    wire.flows("in_port=1,actions=controller:20")
    ids = set()
    wire.exchange(*[FRAME] * (n_buffers + 10))
    for n in range(n_buffers + 10):
        buffer_id, *_, data = packet_in(c)
        if buffer_id == of.NO_BUFFER:
            assert data == FRAME, "no room: whole"
        else:
            assert data == FRAME[:20]
            ids.add(buffer_id)
    assert 200 < len(ids) <= n_buffers  # other tests' may be there still
    for buffer_id in ids:
        c.accepted(of.PACKET_OUT, packet_out(b"", buffer_id))  # dropped: and empty
    wire.exchange(FRAME)
    again = packet_in(c)[0]
    assert again != of.NO_BUFFER and again not in ids, "a number is not used twice soon"
    c.accepted(of.PACKET_OUT, packet_out(b"", again))


def test_a_flow_mod_sends_what_is_buffered(wire, c):
    """7.3.4.1: as if a packet-out to OFPP_TABLE came behind it."""
    for command in 0, 1, 2:
        wire.flows("priority=1,in_port=1,actions=controller:0")
        wire.exchange(FRAME)
        buffer_id = packet_in(c)[0]
        options = {"match": of.in_port(1), "priority": 1, "instructions": of.apply(of.output(3))}
        c.accepted(of.FLOW_MOD, of.flow_mod(command=command, buffer_id=buffer_id, **options))
        assert wire.exchange()[3] == [FRAME]
        assert c.error(of.FLOW_MOD, of.flow_mod(command=command, buffer_id=buffer_id, **options)) == BUFFER_EMPTY
    c.accepted(of.FLOW_MOD, of.flow_mod(command=3, buffer_id=12345678))  # not meaningful


def test_unknown_buffers(wire, c):
    for buffer_id in 0x7fffffff, 0xfffffffe, 0x12345678:
        assert c.error(of.PACKET_OUT, packet_out(of.output(2), buffer_id)) == BUFFER_UNKNOWN
        assert c.error(of.FLOW_MOD, of.flow_mod(buffer_id=buffer_id)) == BUFFER_UNKNOWN
    assert "actions=drop" not in wire.sw.ofctl("dump-flows", "br0").stdout, "a refused message changes nothing"


def test_miss_send_len(wire):
    """7.3.2: for what no output action sends: invalid TTLs."""
    from scapy.layers.inet import IP, UDP
    from scapy.layers.l2 import Ether
    frame = bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src="10.0.0.1", dst="10.0.0.2", ttl=1) / UDP() / bytes(100))
    wire.flows("ip,in_port=1,actions=dec_ttl,output:2")
    for miss_send_len, expected in (64, 64), (0xffff, len(frame)), (1500, len(frame)):
        c = of.Connection.to(wire.sw)
        c.accepted(28, struct.pack("!6I", 1 << 2, 0, 0, 0, 0, 0))  # OFPT_SET_ASYNC: OFPR_INVALID_TTL
        c.accepted(of.SET_CONFIG, struct.pack("!HH", 0, miss_send_len))
        wire.exchange(frame)
        buffer_id, total_len, reason, *_, data = packet_in(c)
        assert (total_len, reason, data) == (len(frame), 2, frame[:expected])
        assert (buffer_id == of.NO_BUFFER) == (expected == len(frame))
        c.close()


# --- Formats ---

FLOW = ("in_port=1,actions=load:0x1234->NXM_NX_REG0[],load:5->NXM_NX_REG7[],set_tunnel64:0x77,load:0x99->OXM_OF_METADATA[],"
        "load:3->NXM_NX_PKT_MARK[],resubmit(,4)")
FIELDS = "reg0=0x1234,reg7=0x5,tun_id=0x77,metadata=0x99,pkt_mark=0x3"


def test_standard(wire, c):
    """7.4.1: the pipeline's fields that are not zero; also in Nicira's, later."""
    wire.flows(FLOW, "table=4,cookie=0xabc,actions=controller(max_len=30)")
    wire.exchange(FRAME)
    buffer_id, total_len, reason, table, cookie, fields, data = packet_in(c)
    assert (total_len, reason, table, cookie, data) == (len(FRAME), 1, 4, 0xabc, FRAME[:30])
    assert fields == {(0x8000, 0): 1, (0x8000, 2): 0x99, (0x8000, 38): 0x77, (1, 0): 0x1234, (1, 7): 5, (1, 33): 3}


def nx_message(c, subtype):
    while True:
        for event in c.events:
            if event[0] == of.EXPERIMENTER and struct.unpack_from("!II", event[2]) == (NX, subtype):
                c.events.remove(event)
                return event[2][8:]
        c.events.append(c.receive())


def test_nxt_packet_in(wire, c):
    c.accepted(of.EXPERIMENTER, nx(16, struct.pack("!I", NXT_PACKET_IN)))
    wire.flows(FLOW, "table=4,cookie=0xabc,actions=controller(max_len=30)")
    wire.exchange(FRAME)
    body = nx_message(c, 17)
    buffer_id, total_len, reason, table, cookie, length = struct.unpack_from("!IHBBQH6x", body)
    assert buffer_id != of.NO_BUFFER and (total_len, reason, table, cookie) == (len(FRAME), 1, 4, 0xabc)
    fields = tlvs(body[24:24 + length])
    assert fields == {(0, 0): 1, (1, 16): 0x77, (1, 0): 0x1234, (1, 7): 5, (1, 33): 3, (0x8000, 2): 0x99}
    assert body[24 + (length + 7) // 8 * 8 + 2:] == FRAME[:30]


def properties(body):
    found, at = {}, 0
    while at < len(body):
        kind, length = struct.unpack_from("!HH", body, at)
        found[kind] = body[at + 4:at + length]
        at += (length + 7) // 8 * 8
    return found


def test_nxt_packet_in2(wire, c):
    c.accepted(of.EXPERIMENTER, nx(16, struct.pack("!I", NXT_PACKET_IN2)))
    wire.flows(FLOW, "table=4,cookie=0xabc,actions=controller(max_len=30)")
    wire.exchange(FRAME)
    found = properties(nx_message(c, 30))
    assert found[0] == FRAME[:30] and found[1] == struct.pack("!I", len(FRAME)) and len(found[2]) == 4
    assert found[3] == b"\4" and found[4] == struct.pack("!4xQ", 0xabc) and found[5] == b"\1"
    assert tlvs(found[6]) == {(0x8000, 0): 1, (0x8000, 2): 0x99, (0x8000, 38): 0x77, (1, 0): 0x1234, (1, 7): 5, (1, 33): 3}
    wire.flows("in_port=1,actions=controller")
    wire.exchange(FRAME)
    found = properties(nx_message(c, 30))
    assert set(found) == {0, 3, 4, 5, 6} and found[0] == FRAME


def test_formats_that_are_not(c):
    for number in 3, 0xffffffff:
        assert c.error(of.EXPERIMENTER, nx(16, struct.pack("!I", number))) == (1, 5)  # OFPBRC_EPERM
    assert c.error(of.EXPERIMENTER, nx(28, b"")) == (1, 4)  # NXT_RESUME: nothing is ever paused; OFPBRC_BAD_EXP_TYPE
    for subtype, body in (17, bytes(24)), (30, b""):
        assert c.error(of.EXPERIMENTER, nx(subtype, body)) == (1, 4)


def test_controller_ids(wire, c):
    """A controller(id=N) means the connection that has said NXT_SET_CONTROLLER_ID N."""
    wire.flows("in_port=1,actions=controller(id=7,reason=invalid_ttl),controller(id=0)")
    other = of.Connection.to(wire.sw)
    other.accepted(of.SET_CONFIG, struct.pack("!HH", 0, 0xffff))
    other.accepted(28, struct.pack("!6I", 7, 0, 0, 0, 0, 0))
    other.accepted(of.EXPERIMENTER, nx(20, struct.pack("!6xH", 7)))
    wire.exchange(FRAME)
    assert packet_in(other)[2] == 2 and packet_in(c)[2] == 1
    other.barrier()
    c.barrier()
    assert not [e for e in other.events + c.events if e[0] == of.PACKET_IN]
    assert c.error(of.EXPERIMENTER, nx(20, struct.pack("!I2xH", 1, 7)))[0] == 0xffff  # NXBRC_MUST_BE_ZERO
    other.close()


def test_async_configurations_of_nicira(wire, c):
    """NXT_SET_ASYNC_CONFIG (19) as 1.3's message, NXT_SET_ASYNC_CONFIG2 (27) as 1.4's, which changes what it names."""
    def wants():
        return struct.unpack("!6I", c.ask(26)[1])

    c.accepted(of.EXPERIMENTER, nx(19, struct.pack("!6I", 1, 2, 3, 4, 5, 6)))
    assert wants() == (1, 2, 3, 4, 5, 6)
    c.accepted(of.EXPERIMENTER, nx(27, struct.pack("!HHIHHI", 1, 8, 7, 4, 8, 8)))  # packet-ins of masters, flow-removed of slaves
    assert wants() == (7, 2, 3, 4, 5, 8)
    assert c.error(of.EXPERIMENTER, nx(27, struct.pack("!HHI", 99, 8, 1)))[0] in (14, 15, 0xffff, 1)
    assert wants() == (7, 2, 3, 4, 5, 8)


# --- ovs-ofctl monitor ---

@pytest.mark.parametrize("version", ["OpenFlow10", "OpenFlow13", "OpenFlow14"])
@pytest.mark.parametrize("args", [(), ("-P", "standard"), ("-P", "nxt_packet_in"), ("-P", "nxt_packet_in2")], ids=" ".join)
def test_ovs_ofctl_monitor(wire, lab, version, args, tmp_path):
    """What it asks for it gets, and it understands all of it."""
    wire.flows(FLOW, "table=4,cookie=0xabc,actions=controller(max_len=60)")
    process = lab.popen(wire.host, "ovs-ofctl", "-O", version, *args, f"--unixctl={tmp_path}/ctl", "monitor", wire.sw.mgmt("br0"), "65534", stdout=-1, stderr=-2,
                        text=True, env=dict(os.environ))
    time.sleep(0.5 * xvs.slowness())
    wire.exchange(FRAME)
    time.sleep(0.3 * xvs.slowness())
    process.terminate()
    said = process.communicate()[0]
    assert "PACKET_IN" in said, said
    line = re.search(r".*PACKET_IN2? .*", said)[0]
    assert "decode error" not in said and f"total_len={len(FRAME)}" in line and "(via action) data_len=60 buffer=0x" in line, said
    if (version, args) != ("OpenFlow10", ("-P", "standard")):
        for word in FIELDS.split(","):
            assert word in line, line
        assert "table_id=4 cookie=0xabc" in line
    expected = {"standard": "OFPT_PACKET_IN ", "nxt_packet_in": "NXT_PACKET_IN ", "nxt_packet_in2": "NXT_PACKET_IN2 "}
    assert expected[args[1] if args else "nxt_packet_in2"] in line


@pytest.fixture(scope="module")
def lab(shared):
    return shared.lab
