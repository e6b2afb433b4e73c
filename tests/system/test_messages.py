"""OpenFlow 1.3.5, chapters 6 and 7, rule by rule, by hand: hello, errors, requests in parts, ports' configuration, asynchronous
messages, flags of flows, fragments."""
import struct
import time

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

import openflow as of
import xvs
from wire import Wire

DOWN, NO_RECV, NO_FWD, NO_PACKET_IN = 1, 4, 0x20, 0x40
FRAME = bytes.fromhex("020000000002020000000001") + b"\x12\x34" + bytes(50)
SET_ASYNC = 28


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


# --- 6.3.1, 7.5.1: hello ---

@pytest.mark.parametrize("elements", [
    struct.pack("!HHI", 99, 8, 1), struct.pack("!HH", 99, 4) + bytes(4), struct.pack("!HHIHHI", 99, 8, 1, 1, 8, 1 << 4),
    struct.pack("!HHI", 1, 8, 1 << 4), struct.pack("!HHII", 1, 12, 1 << 4 | 1 << 6, 1) + bytes(4)],
    ids=["unknown", "empty", "unknown and bitmap", "bitmap", "bitmap of two words"])
def test_elements_of_hello(wire, elements):
    c = of.Connection.to(wire.sw, hello=False)
    c.sock.sendall(of.message(of.HELLO, elements))
    assert c.receive()[0] == of.HELLO
    c.barrier()
    c.close()


def test_hello_of_no_version_in_common(wire):
    c = of.Connection.to(wire.sw, hello=False)
    c.sock.sendall(of.message(of.HELLO, struct.pack("!HHI", 1, 8, 1 << 3), version=3))
    assert c.receive()[0] == of.HELLO
    kind, _, body = c.receive()
    assert kind == of.ERROR and struct.unpack_from("!HH", body) == (0, 0) and b"OpenFlow" in body  # HELLO_FAILED, INCOMPATIBLE
    assert c.receive() is None


# --- 7.5.4: errors ---

@pytest.mark.parametrize("length", [8, 20, 64, 200])
def test_an_error_has_what_it_is_about(c, length):
    offending = of.message(99, bytes(range(length - 8)), 0xabcdef)
    c.sock.sendall(offending)
    kind, body = c.answer(0xabcdef)
    assert kind == of.ERROR and body[4:] == offending[:64]


# --- 7.3.5: requests in parts ---

@pytest.mark.parametrize("kind", [0, 3, 7, 8, 11, 13])
def test_requests_that_never_come_in_parts(c, kind):
    assert c.error(of.MULTIPART_REQUEST, struct.pack("!HH4x", kind, 1)) == (1, 13)  # OFPBRC_MULTIPART_BUFFER_OVERFLOW


# --- 7.3.4.3: ports ---

def port_mod(c, config, mask, port=2, mac=None, advertise=0):
    _, body = c.ask(of.MULTIPART_REQUEST, struct.pack("!HH4x", 13, 0))
    macs = {struct.unpack_from("!I", body, at)[0]: body[at + 8:at + 14] for at in range(8, len(body), 64)}
    return struct.pack("!I4x6s2xIII4x", port, mac or macs.get(port, bytes(6)), config, mask, advertise)


def test_port_mod_errors(c):
    assert c.error(of.PORT_MOD, port_mod(c, 0, 0, port=77)) == (7, 0)                 # OFPPMFC_BAD_PORT
    assert c.error(of.PORT_MOD, port_mod(c, NO_FWD, NO_FWD, mac=b"\2aaaaa")) == (7, 1)  # BAD_HW_ADDR
    assert c.error(of.PORT_MOD, port_mod(c, 2, 2)) == (7, 2)                          # BAD_CONFIG
    assert c.error(of.PORT_MOD, port_mod(c, NO_FWD, NO_FWD, advertise=1 << 20)) == (7, 3)  # BAD_ADVERTISE
    c.accepted(of.PORT_MOD, port_mod(c, 0xffffffff & ~NO_FWD, NO_FWD))  # bits that the mask does not have are not looked at


def test_port_config(wire, c):
    wire.flows("in_port=1,actions=output:2,output:3")
    for port, bit, to2, to3 in ((2, NO_RECV, 1, 1), (2, DOWN, 0, 1)):
        c.accepted(of.PORT_MOD, port_mod(c, bit, bit, port=port))
        if bit == DOWN:  # nothing comes out of it, the test's own mark neither
            _, body = c.ask(of.MULTIPART_REQUEST, struct.pack("!HH4x", 13, 0))
            config = {struct.unpack_from("!I", body, at)[0]: struct.unpack_from("!II", body, at + 32) for at in range(8, len(body), 64)}
            assert config[2][0] & DOWN and not config[2][1] & 4  # OFPPS_LIVE
        else:
            got = wire.exchange(FRAME)
            assert (len(got[2]), len(got[3])) == (to2, to3), (port, bit)
        c.accepted(of.PORT_MOD, port_mod(c, 0, bit, port=port))
    time.sleep(0.3)
    wire.exchange()


def test_a_port_that_sends_and_receives_nothing(wire, c):
    """NO_FWD: "Drop packets forwarded to port"; NO_RECV: "Drop all packets received by port". Told by counters: the test's own
    mark does not pass either."""
    wire.flows("in_port=1,actions=output:2,output:3")

    def sent(port):
        _, body = c.ask(of.MULTIPART_REQUEST, struct.pack("!HH4xI4x", 4, 0, port))
        return struct.unpack_from("!Q", body, 8 + 16)[0]

    def matched():
        return wire.n_packets("in_port=p1" if "in_port=p1" in wire.sw.ofctl("dump-flows", "br0").stdout else "in_port=1")

    out = struct.pack("!IIH6x", of.NO_BUFFER, 1, 16) + of.output(0xfffffff9) + FRAME  # as if it had come by port 1, to the tables
    before = sent(2), sent(3)
    c.accepted(of.PORT_MOD, port_mod(c, NO_FWD, NO_FWD, port=2))
    c.accepted(of.PACKET_OUT, out)
    assert (sent(2), sent(3)) == (before[0], before[1] + 1)
    c.accepted(of.PORT_MOD, port_mod(c, 0, NO_FWD, port=2))
    c.accepted(of.PACKET_OUT, out)
    assert (sent(2), sent(3)) == (before[0] + 1, before[1] + 2)
    assert matched() == 2
    assert wire.exchange() == {1: [], 2: [FRAME], 3: [FRAME, FRAME]}


def test_no_packet_in(wire, c):
    """7.2.1: "packets on that port that generate a table miss should never trigger a packet-in"; others do."""
    wire.flows("priority=0,actions=controller,output:2")
    c.accepted(of.PORT_MOD, port_mod(c, NO_PACKET_IN, NO_PACKET_IN, port=1))
    assert wire.exchange(FRAME)[2] == [FRAME]
    c.barrier()
    assert not [e for e in c.events if e[0] == of.PACKET_IN]
    wire.flows("priority=1,actions=controller")
    wire.exchange(FRAME)
    c.wait_event(of.PACKET_IN)
    wire.flows("priority=0,actions=controller")
    c.accepted(of.PORT_MOD, port_mod(c, 0, NO_PACKET_IN, port=1))
    wire.exchange(FRAME)
    c.wait_event(of.PACKET_IN)


# --- 7.3.10: asynchronous messages, by type, reason and role ---

@pytest.mark.parametrize("role", [1, 2, 3])
def test_flow_removed_by_reason_and_role(wire, c, role):
    other = of.Connection.to(wire.sw)
    generation = int(time.monotonic() * 1000)
    assert c.ask(of.ROLE_REQUEST, struct.pack("!I4xQ", role, generation))[0] == of.ROLE_REPLY
    for mask in 0, 1 << 2, 0xf & ~(1 << 2):
        masks = [0, 0, 0, 0, mask, 0] if role != 3 else [0, 0, 0, 0, 0, mask]
        c.accepted(SET_ASYNC, struct.pack("!6I", *masks))
        other.accepted(of.FLOW_MOD, of.flow_mod(cookie=mask + 1, flags=1, priority=3))
        other.accepted(of.FLOW_MOD, of.flow_mod(command=3, priority=3, cookie=mask + 1, cookie_mask=0xffffffffffffffff))
        c.barrier()
        told = [e for e in c.events if e[0] == of.FLOW_REMOVED]
        assert len(told) == (mask >> 2 & 1), (role, mask)
        c.events.clear()
    assert c.ask(of.ROLE_REQUEST, struct.pack("!I4xQ", 1, generation))[0] == of.ROLE_REPLY
    other.close()


def test_async_is_given_back(c):
    c.accepted(SET_ASYNC, struct.pack("!6I", 1, 2, 3, 4, 5, 6))
    assert struct.unpack("!6I", c.ask(26)[1]) == (1, 2, 3, 4, 5, 6)


# --- 6.4, 7.3.4.1: flags of flows ---

def stats(c, port):
    """(flags, packets, bytes) of the flow of this in_port."""
    body = struct.pack("!HH4xB3xII4xQQ", 1, 0, 255, of.ANY, of.ANY, 0, 0) + struct.pack("!HH", 1, 12) + of.in_port(port) + bytes(4)
    _, answer = c.ask(of.MULTIPART_REQUEST, body)
    return struct.unpack_from("!H", answer, 8 + 18)[0], *struct.unpack_from("!QQ", answer, 8 + 32)


@pytest.mark.parametrize("flags", [0, 8, 16, 24])
def test_flows_that_do_not_count(wire, c, flags):
    """5.8: a counter that is not kept has all bits set."""
    c.accepted(of.FLOW_MOD, of.flow_mod(match=of.in_port(1), instructions=of.apply(of.output(2)), flags=flags))
    wire.exchange(FRAME, FRAME)
    unknown = (1 << 64) - 1
    told, packets, size = stats(c, 1)
    assert told == flags
    assert packets == (unknown if flags & 8 else 2) and size == (unknown if flags & 16 else 2 * len(FRAME))


@pytest.mark.parametrize("command", [0, 1, 2])
def test_reset_counts(wire, c, command):
    options = {"match": of.in_port(1), "instructions": of.apply(of.output(2)), "priority": 5}
    c.accepted(of.FLOW_MOD, of.flow_mod(**options))
    wire.exchange(FRAME)
    c.accepted(of.FLOW_MOD, of.flow_mod(command=command, **options))
    assert stats(c, 1)[1] == 1
    c.accepted(of.FLOW_MOD, of.flow_mod(command=command, flags=4, **options))
    assert stats(c, 1)[1:] == (0, 0)


# --- 7.3.2: fragments ---

def test_fragments(wire, c):
    packet = Ether(FRAME[:12] + b"\x08\x00") / IP(src="10.0.0.1", dst="10.0.0.2", frag=100) / (b"x" * 60)
    whole = bytes(Ether(FRAME[:12] + b"\x08\x00") / IP(src="10.0.0.1", dst="10.0.0.2") / UDP() / (b"x" * 60))
    wire.flows("ip,actions=output:2")
    for mode, expected in (0, [bytes(packet), whole]), (1, [whole]), (0, [bytes(packet), whole]):
        c.accepted(of.SET_CONFIG, struct.pack("!HH", mode, 0xffff))
        assert wire.exchange(packet, whole)[2] == expected
    for mode in 2, 3, 4, 8, 0xffff:
        assert c.error(of.SET_CONFIG, struct.pack("!HH", mode, 0xffff)) == (10, 0)  # OFPSCFC_BAD_FLAGS
