"""Every row of the tables through the daemon: fields that the pipeline writes, messages in each version that has them. Rows that
have tests of their own elsewhere are looked for there; a new row without a test fails here."""
import glob
import os
import re
import socket
import struct

import pytest

import openflow as of
import test_fields
import xvs
from frames import eth, ip
from topo import Star
from wire import Wire

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def read(path):
    with open(f"{ROOT}/{path}", encoding="utf-8") as f:
        return f.read()


def text_of_tests():
    names = glob.glob(f"{ROOT}/tests/system/test_*.py") + glob.glob(f"{ROOT}/tests/interop/test_*.py")
    return "\n".join(read(os.path.relpath(n, ROOT)) for n in names)


# --- Fields ---

def read_fields():
    """{name: [other names]} of field.def."""
    text = read("lib/packet/field.def")
    rows = {name: aliases.split() for name, aliases in re.findall(r'^FIELD\(\w+,\s*"(\w+)",\s*"([^"]*)"', text, re.M)}
    for word in ("REG", "XREG", "XXREG"):
        rows.update({f"{word.lower()}{n}": [] for n in re.findall(rf"\b{word}\((\d+)", text)})
    return rows


FIELDS = read_fields()
# What a pipeline can write: (value, a mask that leaves it, another value), as text.
REGISTER = {32: ("0x12345678", "0x12000000/0xff000000", "0x12345679"),
            64: ("0x123456789abcdef0", "0x1000000000000000/0xf000000000000000", "0x123456789abcdef1"),
            128: ("0x123456789abcdef0123456789abcdef0", "0x10000000000000000000000000000000/0xf0000000000000000000000000000000",
                  "0x123456789abcdef0123456789abcdef1")}
WRITTEN = {"metadata": REGISTER[64], "pkt_mark": REGISTER[32], "tun_id": REGISTER[64], "tun_src": ("1.2.3.4", "1.2.0.0/16", "1.2.3.5"),
           "tun_dst": ("1.2.3.4", "1.2.0.0/16", "1.2.3.5"), "tun_flags": ("oam", None, "0"),
           **{f"reg{n}": REGISTER[32] for n in range(16)}, **{f"xreg{n}": REGISTER[64] for n in range(8)},
           **{f"xxreg{n}": REGISTER[128] for n in range(4)}}
OTHER_FIELD_TESTS = {"actset_output": "test_fields.py", "conj_id": "test_conjunction.py", "in_phy_port": "test_fields.py",
                     "vlan_tci": "test_fields.py", "nw_tos": "test_conformance_rows.py"}


@pytest.fixture(scope="module")
def wire():
    with xvs.Lab() as lab:
        yield Wire(lab)


def outputs(wire):
    return [len(wire.exchange(eth(*ip()))[n]) for n in (2, 3)]


@pytest.mark.parametrize("field", WRITTEN)
def test_field_that_the_pipeline_writes(wire, field):
    value, masked, other = WRITTEN[field]
    write = "load:1->NXM_NX_TUN_FLAGS[0]" if field == "tun_flags" else f"set_field:{value}->{field}"
    if field == "tun_flags":
        value, other = "+oam", "-oam"
    for matched, expected in ((value, [1, 0]), (masked, [1, 0]), (other, [0, 1])):
        if matched:
            wire.flows(f"actions={write},resubmit(,1)", f"table=1,priority=9,{field}={matched},actions=2", "table=1,priority=1,actions=3")
            assert outputs(wire) == expected, f"{field}={matched}"
    wire.flows(f"table=0,{field}={value},actions=2", "table=0,priority=0,actions=3")
    assert outputs(wire) == [0, 1], "what no action has written is zero"


def test_nw_tos(wire):
    """OpenFlow 1.0's: the DSCP shifted left by two; the ECN bits do not matter."""
    wire.flows("priority=9,ip,nw_tos=184,actions=2", "priority=1,actions=3")
    got = wire.exchange(*(eth(*ip(tos=tos)) for tos in (0xb8, 0xbb, 0xb4, 0)))
    assert [len(got[2]), len(got[3])] == [2, 2]


def test_every_field_has_a_test():
    matched = {word.split("=")[0] for match in test_fields.FIELDS for word in match.split(",")}
    # tp_src and the like stand for the field of the packet's protocol.
    legacy = {f"{p}_{d}" for p in ("tcp", "udp", "sctp") for d in ("src", "dst") if f"tp_{d}" in matched and
              any(m.startswith(p) and f"tp_{d}" in m for m in test_fields.FIELDS)}
    missing = [name for name, aliases in FIELDS.items()
               if not {name, *aliases} & (matched | legacy | set(WRITTEN) | set(OTHER_FIELD_TESTS))]
    assert not missing, f"no packet is matched on {missing}"
    assert all(name in read(f"tests/system/{where}") for name, where in OTHER_FIELD_TESTS.items())


# --- Actions, instructions ---

def test_set_if_present(wire):
    """Of packets that have the field; others go on as they are."""
    wire.flows("actions=set_if_present:80->tcp_dst,set_if_present:99->udp_dst,2")
    got = wire.exchange(eth(*ip()), bytes(12) + b"\x88\xb5" + bytes(60))[2]
    assert got[0][36:38] == (99).to_bytes(2, "big") and got[1] == bytes(12) + b"\x88\xb5" + bytes(60)


def test_apply_actions(wire):
    """The word, or the actions without it, are one instruction."""
    wire.flows("priority=7,actions=apply_actions(2,3),goto_table:1", "table=1,actions=apply_actions(2)")
    assert outputs(wire) == [2, 1]
    assert "priority=7 actions=output:2,output:3,goto_table:1" in wire.sw.ofctl("dump-flows", "br0").stdout


def test_every_action_has_a_test():
    text, missing = text_of_tests(), []
    for table in ("action", "instruction"):
        for name, aliases in re.findall(r'^(?:ACTION|INSTRUCTION)\(\w+,\s*\w+\(\d+\),\s*"(\w+)",\s*"([^"]*)"',
                                        read(f"lib/openflow/{table}.def"), re.M):
            if not any(re.search(rf"\b{word}\b", text) for word in (name, *aliases.split())):
                missing.append(name)
    assert not missing, f"no test names {missing}"


# --- Messages ---

VERSIONS = {1: "1.0", 4: "1.3", 5: "1.4"}
ALL10 = struct.pack("!IH6s6sHBxHBB2xIIHH", 0x3fffff, 0, bytes(6), bytes(6), 0, 0, 0, 0, 0, 0, 0, 0, 0)
FLOW_STATS = struct.pack("!B3xII4xQQHH4x", 255, of.ANY, of.ANY, 0, 0, 1, 4)
FLOW_STATS10 = ALL10 + struct.pack("!BxH", 255, 0xffff)
BUFFERLESS = struct.pack("!IIH6x", of.NO_BUFFER, of.CONTROLLER, 0) + bytes(60)
# A body for each version, of what the switch takes; a function gets the address of port 1.
BODIES = {
    "ERROR": struct.pack("!HHQ", 1, 1, 0), "ECHO_REQUEST": b"x", "ECHO_REPLY": b"x", "FEATURES_REQUEST": b"", "GET_CONFIG_REQUEST": b"",
    "SET_CONFIG": struct.pack("!HH", 0, 128),
    "PACKET_OUT": {1: struct.pack("!IHH", of.NO_BUFFER, 0xffff, 0) + bytes(60), 4: BUFFERLESS, 5: BUFFERLESS},
    "FLOW_MOD": {1: ALL10 + struct.pack("!QHHHHIHH", 0, 0, 0, 0, 5, of.NO_BUFFER, 0xffff, 0), 4: of.flow_mod(), 5: of.flow_mod()},
    "GROUP_MOD": struct.pack("!HBxI", 2, 0, 77), "METER_MOD": struct.pack("!HHI", 2, 0, 77),
    "PORT_MOD": {1: lambda mac: struct.pack("!H6sIII4x", 1, mac, 0, 0, 0), 4: lambda mac: struct.pack("!I4x6s2xIII4x", 1, mac, 0, 0, 0),
                 5: lambda mac: struct.pack("!I4x6s2xII", 1, mac, 0, 0)},
    "TABLE_MOD": struct.pack("!B3xI", 1, 0), "BARRIER_REQUEST": b"",
    "QUEUE_GET_CONFIG_REQUEST": {1: struct.pack("!HH", 1, 0), 4: struct.pack("!I4x", 1)},
    "ROLE_REQUEST": struct.pack("!I4xQ", 0, 0), "GET_ASYNC_REQUEST": b"", "SET_ASYNC": {4: struct.pack("!6I", 3, 3, 7, 7, 15, 15), 5: b""},
    "DESC_REQUEST": b"", "FLOW_STATS_REQUEST": {1: FLOW_STATS10, 4: FLOW_STATS, 5: FLOW_STATS},
    "AGGREGATE_REQUEST": {1: FLOW_STATS10, 4: FLOW_STATS, 5: FLOW_STATS}, "TABLE_STATS_REQUEST": b"",
    "PORT_STATS_REQUEST": {1: struct.pack("!H6x", 0xffff), 4: struct.pack("!I4x", of.ANY), 5: struct.pack("!I4x", of.ANY)},
    "QUEUE_STATS_REQUEST": {1: struct.pack("!HHI", 0xfffc, 0, of.ANY), 4: struct.pack("!II", of.ANY, of.ANY), 5: struct.pack("!II", of.ANY, of.ANY)},
    "GROUP_STATS_REQUEST": struct.pack("!I4x", 0xfffffffc), "GROUP_DESC_REQUEST": b"", "GROUP_FEATURES_REQUEST": b"",
    "METER_STATS_REQUEST": struct.pack("!I4x", 0xffffffff), "METER_CONFIG_REQUEST": struct.pack("!I4x", 0xffffffff),
    "METER_FEATURES_REQUEST": b"", "TABLE_FEATURES_REQUEST": b"", "PORT_DESC_REQUEST": b"", "TABLE_DESC_REQUEST": b"",
    "QUEUE_DESC_REQUEST": struct.pack("!II", of.ANY, of.ANY),
}
# Where else: a word of it stands in that file.
OTHER_MESSAGE_TESTS = {
    "HELLO": ("test_openflow.py", "HELLO"), "BUNDLE_CONTROL": ("test_bundles.py", "COMMIT"), "BUNDLE_ADD_MESSAGE": ("test_bundles.py", "refused"),
    "FLOW_MONITOR_REQUEST": ("test_monitor.py", "monitor"), "FLOW_MONITOR_CANCEL": ("test_monitor.py", "ancel"), "NX_FLOW_STATS_REQUEST": ("test_versions.py", "NXM"),
    "NX_AGGREGATE_REQUEST": ("test_versions.py", "NXM"), "NX_ROLE_REQUEST": ("test_versions.py", "role"),
    "NX_SET_FLOW_FORMAT": ("test_versions.py", "NXM"), "NX_FLOW_MOD": ("test_versions.py", "NXM"), "NX_FLOW_MOD_TABLE_ID": ("test_versions.py", "table"),
    "NX_SET_PACKET_IN_FORMAT": ("test_packet_in.py", "nx_message"), "NX_SET_CONTROLLER_ID": ("test_packet_in.py", "nx_message"),
    "NX_SET_ASYNC_CONFIG": ("test_packet_in.py", "async"), "NX_SET_ASYNC_CONFIG2": ("test_packet_in.py", "ASYNC"),
    "XVS_BRIDGE_INFO_REQUEST": ("test_ofctl.py", "tunnel"),
}


def read_messages():
    """{id: {version: (form, number)}} of msg.def."""
    found = {}
    for name, rest in re.findall(r'^MSG\((\w+),\s*"[^"]*",(.*)\)$', read("lib/openflow/msg.def"), re.M):
        forms = re.findall(r"NO|(\w+)\((\d+),[^)]*\)", rest)
        assert len(forms) == 3, rest
        found[name] = {v: (f[0], int(f[1])) for v, f in zip(VERSIONS, forms) if f[0]}
    return found


MESSAGES = read_messages()
TAKEN = re.findall(r"\[OFPMSG_(\w+)\] = \{", read("ofproto/dispatch.c"))
CASES = [(v, name) for name in TAKEN if name in BODIES for v, form in MESSAGES[name].items() if form[0] in ("T", "REQ")]


@pytest.fixture(scope="module")
def star():
    with xvs.Lab() as lab:
        star = Star(lab, flows=[])
        star.sw.ctl("set", "bridge", "br0", "protocols=OpenFlow10,OpenFlow13,OpenFlow14")
        star.add_flows("table=200,priority=77,actions=drop")
        yield star


def connect(star, version):
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(f"{star.sw.rundir}/br0.mgmt")
    c = of.Connection(sock, hello=False)
    sock.sendall(of.message(of.HELLO, version=version))
    assert c.receive()[0] == of.HELLO
    return c


def frame(version, name, body):
    form, number = MESSAGES[name][version]
    stats = {1: (16, "!HH"), 4: (18, "!HH4x"), 5: (18, "!HH4x")}[version]
    return (number, body) if form == "T" else (stats[0], struct.pack(stats[1], number, 0) + body)


@pytest.mark.parametrize("version, name", CASES, ids=lambda x: VERSIONS.get(x, x))
def test_message(star, version, name):
    """It is answered by its reply, or taken in silence."""
    body = BODIES[name][version] if isinstance(BODIES[name], dict) else BODIES[name]
    if callable(body):
        body = body(bytes.fromhex(star.ns.mac("p1").replace(":", "")))
    c = connect(star, version)
    kind, data = frame(version, name, body)
    xid, barrier = c.send(kind, data, version=version), c.send({1: 18, 4: 20, 5: 20}[version], version=version)
    answers = []
    while (got := c.receive())[1] != barrier:
        answers += [got] if got[1] == xid else []
    reply = name.replace("_REQUEST", "_REPLY")
    if reply != name and reply in MESSAGES:
        form, expected = MESSAGES[reply][version]
        expected = expected if form == "T" else 17 if version == 1 else 19
        assert answers and all(a[0] == expected for a in answers), [(a[0], a[2][:8].hex()) for a in answers]
        if form == "REP":
            more = [struct.unpack_from("!HH", a[2]) for a in answers]
            assert more == [(MESSAGES[reply][version][1], 1)] * (len(more) - 1) + [(MESSAGES[reply][version][1], 0)]
    else:
        assert not answers, [(a[0], a[2][:8].hex()) for a in answers]
    c.close()


def test_every_message_has_a_test():
    missing = [name for name in TAKEN if name not in BODIES and name not in OTHER_MESSAGE_TESTS]
    assert not missing, f"no test sends {missing}"
    for name, (where, word) in OTHER_MESSAGE_TESTS.items():
        assert name not in TAKEN or word in read(f"tests/system/{where}"), f"{name} has no test in {where}"
