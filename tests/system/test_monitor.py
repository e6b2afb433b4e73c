"""Flow monitors (OpenFlow 1.4, 7.3.5.17; ONF's extension 187 on 1.3; Nicira's on 1.0): unmodified ovs-ofctl monitor watch:, and
by hand what it does not say."""
import os
import re
import struct

import pytest

import openflow as of
import xvs
from wire import Wire

ONF, FLOW_MONITOR = 0x4f4e4600, 1870
INITIAL, ADD, DELETE, MODIFY, ACTIONS, OWN = (1 << n for n in range(6))
ADDED, DELETED, MODIFIED, ABBREV = range(4)


@pytest.fixture(scope="module")
def shared():
    with xvs.Lab() as lab:
        yield Wire(lab)


@pytest.fixture
def sw(shared):
    shared.sw.ofctl("del-flows", "br0")
    shared.sw.ofctl("del-groups", "br0")
    return shared.sw


class Monitor:
    """On a connection of OpenFlow 1.3."""

    def __init__(self, sw):
        self.c = of.Connection.to(sw)

    def request(self, *monitors):
        return self.c.send(of.MULTIPART_REQUEST, struct.pack("!HH4xII", 0xffff, 0, ONF, FLOW_MONITOR) + b"".join(monitors))

    def watch(self, *monitors):
        """The initial updates."""
        kind, body = self.c.answer(self.request(*monitors))
        assert kind == of.MULTIPART_REPLY, body
        return self.updates(body)

    def refused(self, *monitors):
        kind, body = self.c.answer(self.request(*monitors))
        assert kind == of.ERROR
        return struct.unpack_from("!HHI", body)[:3] if body[:2] == b"\xff\xff" else struct.unpack_from("!HH", body)

    @staticmethod
    def updates(body):
        """[(event, xid of an abbreviated one)] or [(event, reason, priority, table, cookie, match, actions)]"""
        assert struct.unpack_from("!H6xII", body) == (0xffff, ONF, FLOW_MONITOR)
        found, at = [], 16
        while at < len(body):
            length, event = struct.unpack_from("!HH", body, at)
            assert length >= 8 and length % 8 == 0 and at + length <= len(body)
            if event == ABBREV:
                found.append((event, struct.unpack_from("!I", body, at + 4)[0]))
            else:
                reason, priority, idle, hard, match_len, table, _, cookie = struct.unpack_from("!HHHHHBBQ", body, at + 4)
                end = at + 24 + (match_len + 7) // 8 * 8
                found.append((event, reason, priority, table, cookie, body[at + 28:at + 24 + match_len], body[end:at + length]))
            at += length
        return found

    def next(self):
        return self.updates(self.c.wait_event(of.MULTIPART_REPLY))

    def quiet(self):
        self.c.barrier()
        assert not [e for e in self.c.events if e[0] in (of.MULTIPART_REPLY, of.EXPERIMENTER)]


def monitor(flags, number=1, out_port=of.ANY, table=0xff, match=b""):
    length = 4 + len(match)
    return (struct.pack("!IHHIB3x", number, flags, length, out_port, table) + struct.pack("!HH", 1, length) + match +
            bytes(-length % 8))


@pytest.fixture
def m(sw):
    made = Monitor(sw)
    yield made
    made.c.close()


APPLY2, APPLY3 = of.apply(of.output(2, 0)), of.apply(of.output(3, 0))


def test_initial_and_changes_of_others(sw, m):
    sw.ofctl("add-flow", "br0", "table=2,cookie=5,priority=7,in_port=1,actions=output:2")
    assert m.watch(monitor(INITIAL | ADD | DELETE | MODIFY | ACTIONS)) == [(ADDED, 0, 7, 2, 5, of.in_port(1), APPLY2)]
    sw.ofctl("add-flow", "br0", "cookie=6,priority=8,in_port=2,actions=output:2")
    assert m.next() == [(ADDED, 0, 8, 0, 6, of.in_port(2), APPLY2)]
    sw.ofctl("mod-flows", "br0", "table=2,actions=output:3")
    assert m.next() == [(MODIFIED, 0, 7, 2, 5, of.in_port(1), APPLY3)]
    sw.ofctl("mod-flows", "br0", "actions=output:3")
    assert m.next() == [(MODIFIED, 0, 8, 0, 6, of.in_port(2), APPLY3)]
    sw.ofctl("add-flow", "br0", "cookie=9,priority=8,in_port=2,actions=output:2")  # in the place of another
    assert m.next() == [(MODIFIED, 0, 8, 0, 9, of.in_port(2), APPLY2)]
    sw.ofctl("del-flows", "br0", "table=2")
    assert m.next() == [(DELETED, 2, 7, 2, 5, of.in_port(1), APPLY3)]
    sw.ofctl("add-flow", "br0", "hard_timeout=1,priority=1,actions=drop")
    assert m.next()[0][0] == ADDED
    assert m.next() == [(DELETED, 1, 1, 0, 0, b"", b"")]  # OFPRR_HARD_TIMEOUT
    sw.ofctl("add-group", "br0", "group_id=1,type=all")
    sw.ofctl("add-flow", "br0", "priority=1,actions=group:1")
    m.next()
    sw.ofctl("del-groups", "br0")
    assert m.next()[0][:2] == (DELETED, 3)  # OFPRR_GROUP_DELETE
    m.quiet()


def test_what_is_not_asked_for(sw, m):
    assert m.watch(monitor(ADD, match=of.in_port(1), table=3, out_port=2)) == []
    sw.ofctl("add-flow", "br0", "table=3,in_port=1,actions=drop")             # goes elsewhere
    sw.ofctl("add-flow", "br0", "table=3,priority=2,actions=output:2")        # not all of it covered
    sw.ofctl("add-flow", "br0", "table=4,in_port=1,actions=output:2")
    sw.ofctl("add-flow", "br0", "table=3,in_port=2,actions=output:2")
    sw.ofctl("add-flow", "br0", "table=3,in_port=1,priority=4,ip,actions=output:3,output:2")
    assert m.next() == [(ADDED, 0, 4, 3, 0, m.c and of.in_port(1) + of.oxm(5, 0x800, 2), b"")], "without actions"
    sw.ofctl("del-flows", "br0")  # not asked for
    m.quiet()


def test_ones_own(sw, m):
    m.watch(monitor(ADD | DELETE | MODIFY | ACTIONS))
    xid = m.c.send(of.FLOW_MOD, of.flow_mod(match=of.in_port(1), instructions=APPLY2, priority=1))
    assert m.next() == [(ABBREV, xid)]
    m.c.accepted(of.FLOW_MOD, of.flow_mod(match=of.in_port(2), instructions=APPLY2, priority=1))
    assert len(m.next()) == 1
    xid = m.c.send(of.FLOW_MOD, of.flow_mod(command=3, table=0xff))
    assert m.next() == [(ABBREV, xid)], "once for all that it did"
    m.watch(monitor(ADD | ACTIONS | OWN, number=2))
    m.c.send(of.FLOW_MOD, of.flow_mod(match=of.in_port(1), instructions=APPLY2, priority=1))
    assert m.next() == [(ADDED, 0, 1, 0, 0, of.in_port(1), APPLY2)]
    xid = m.c.send(of.FLOW_MOD, of.flow_mod(command=3, table=0xff))
    assert m.next() == [(ABBREV, xid)]
    m.c.send(of.FLOW_MOD, of.flow_mod(command=3, table=0xff))  # nothing there
    m.quiet()


def test_a_bundle_is_told_at_once_or_not(sw, m, tmp_path):
    path = tmp_path / "flows"
    m.watch(monitor(ADD | DELETE | MODIFY))
    path.write_text("in_port=1,actions=output:2\nin_port=2,actions=output:2\nin_port=3,actions=group:7\n")
    for version in "OpenFlow13", "OpenFlow14":
        ovs(sw, version, "--bundle", "add-flows", path, check=False)
        m.quiet()
    path.write_text("in_port=1,actions=output:2\nin_port=2,actions=output:2\n")
    ovs(sw, "OpenFlow13", "--bundle", "add-flows", path)
    assert len(m.next()) == 2
    m.quiet()


def test_cancel_and_errors(sw, m):
    def cancel(number):
        return struct.pack("!III", ONF, 1870, number)

    m.watch(monitor(ADD))
    assert m.refused(monitor(ADD)) == (0xffff, 6, 0x2320)                # OFPMOFC_MONITOR_EXISTS
    assert m.refused(monitor(ADD, 2), monitor(1 << 9, 3)) == (0xffff, 7, 0x2320)  # OFPMOFC_BAD_FLAGS
    assert m.refused(monitor(ADD, 2), monitor(ADD, 2)) == (0xffff, 6, 0x2320)
    assert m.refused(monitor(ADD, 2, table=254)) == (1, 9)               # OFPBRC_BAD_TABLE_ID
    assert m.refused(monitor(ADD, 2)[:-8])[0] in (1, 4)
    assert m.refused(monitor(ADD, 2, match=of.oxm(14, 80, 2)))[0] == 4   # a bad match
    xid = m.c.send(of.EXPERIMENTER, cancel(2))  # none of those was taken
    assert struct.unpack_from("!HHI", m.c.answer(xid)[1]) == (0xffff, 8, 0x2320)  # OFPMOFC_UNKNOWN_MONITOR
    m.c.accepted(of.EXPERIMENTER, cancel(1))
    sw.ofctl("add-flow", "br0", "actions=drop")
    m.quiet()
    m.watch(monitor(ADD))  # and again


def test_a_slow_reader_is_paused(sw):
    """Bounded memory: it is told that updates pause, later what has changed; removals always."""
    flows = [f"priority={n},in_port=1,actions=output:2\n" for n in range(1, 40001)]
    m = Monitor(sw)
    m.watch(monitor(ADD | DELETE | MODIFY | ACTIONS))
    for part in range(0, 40000, 5000):
        sw.ofctl("add-flows", "br0", "-", input="".join(flows[part:part + 5000]), timeout=60)
    sw.ofctl("del-flows", "br0", "--strict", "priority=1,in_port=1")
    sw.ofctl("mod-flows", "br0", "--strict", "priority=2,in_port=1,actions=output:3")
    state, paused = {}, False
    seen_pause = seen_resume = 0
    m.c.sock.settimeout(10 * xvs.slowness())
    while len(state) < 39999 or paused or state.get(2) != APPLY3:
        kind, _, body = m.c.receive()
        if kind == of.EXPERIMENTER:
            paused = struct.unpack("!II", body) == (ONF, 1871)
            seen_pause += paused
            seen_resume += not paused
        elif kind == of.MULTIPART_REPLY:
            for event, _, priority, *_, actions in m.updates(body):
                if event == DELETED:
                    state.pop(priority)
                else:
                    state[priority] = actions
        elif kind == of.ECHO_REQUEST:
            m.c.sock.sendall(of.message(of.ECHO_REPLY))
    assert 1 not in state and seen_pause == seen_resume > 0
    sw.ofctl("del-flows", "br0")
    m.c.close()


# --- ovs-ofctl ---

def ovs(sw, version, *args, **options):
    args = [str(a) for a in args]
    at = next(i for i, a in enumerate(args) if not a.startswith("-")) + 1
    return xvs.run("ovs-ofctl", "-O", version, *args[:at], sw.mgmt("br0"), *args[at:], env=dict(os.environ), **options)


@pytest.mark.parametrize("version", ["OpenFlow10", "OpenFlow13", "OpenFlow14"])
def test_ovs_ofctl_watches(shared, sw, version, tmp_path):
    sw.ofctl("add-flow", "br0", "cookie=5,in_port=3,priority=9,actions=output:1")
    with open(tmp_path / "said", "wb") as f:
        process = shared.lab.popen(shared.host, "ovs-ofctl", "-O", version, f"--unixctl={tmp_path}/ctl", "monitor", sw.mgmt("br0"),
                                   "watch:", stdout=f, stderr=f, env={**os.environ, "OVS_RUNDIR": str(tmp_path)})

    def said():
        return (tmp_path / "said").read_text()

    xvs.wait_until(lambda: "cookie=0x5" in said(), 5, "the flow that is there")
    sw.ofctl("add-flow", "br0", "cookie=0x66,in_port=1,tcp,tp_dst=80,idle_timeout=9,table=3,actions=output:2")
    try:
        xvs.wait_until(lambda: "cookie=0x66" in said(), 5, "the new flow")
    except AssertionError:
        print("SAID", said())
        raise
    sw.ofctl("mod-flows", "br0", "table=3,cookie=0x66/-1,actions=output:3")
    xvs.wait_until(lambda: "event=MODIFIED" in said(), 5, "the changed flow")
    sw.ofctl("del-flows", "br0", "cookie=0x66/-1")
    xvs.wait_until(lambda: "event=DELETED" in said(), 5, "the flow's end")
    text = said()
    assert "decode error" not in text and "ERROR" not in text, text
    line = re.search(r"event=ADDED.*0x66.*", text)[0]
    assert "table=3" in line and "idle_timeout=9" in line and "tcp,in_port=1,tp_dst=80" in line and "actions=output:2" in line, line
    assert "actions=output:3" in re.search(r"event=MODIFIED.*", text)[0]
    assert "reason=delete" in re.search(r"event=DELETED.*", text)[0]
    xvs.end_process(process)
