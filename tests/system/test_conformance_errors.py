"""Each error that the switch sends, provoked by a raw message through the daemon (OpenFlow 1.3.5, 7.5.4): its type and code, the
first 64 bytes of what was wrong in it, and that a refused message changes nothing. Errors of OpenFlow 1.0 and 1.4 alone are in
test_versions.py, those of bundles in test_bundles.py."""
import os
import re
import socket
import struct

import pytest

import openflow as of
import xvs
from topo import Star

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NICIRA, MORE, METER_MOD = 0x2320, 1, 29
IPV4, TCP = of.oxm(5, 0x0800, 2), of.oxm(10, 6, 1)


def read_codes():
    """{name: (type, code)} of error.def's OpenFlow rows."""
    with open(f"{ROOT}/lib/openflow/error.def", encoding="utf-8") as f:
        rows = re.findall(r'^ERROR\(\w+,\s*(\d+),\s*(\d+),\s*"(\w+)"', f.read(), re.M)
    return {name: (int(kind), int(code)) for kind, code, name in rows}


CODES = read_codes()


def flow(match=b"", actions=b"", **options):
    return of.FLOW_MOD, of.flow_mod(match=match, instructions=of.apply(actions) if actions else b"", **options)


def inst(*data):
    return of.FLOW_MOD, of.flow_mod(instructions=b"".join(data))


def group(command=0, kind=0, number=50, buckets=b""):
    return of.GROUP_MOD, struct.pack("!HBxI", command, kind, number) + buckets


def bucket(actions=b"", weight=0, port=of.ANY, watch=of.ANY, length=None):
    return struct.pack("!HHII4x", 16 + len(actions) if length is None else length, weight, port, watch) + actions


def meter(command=0, flags=1, number=9, bands=b""):
    return METER_MOD, struct.pack("!HHI", command, flags, number) + bands


def band(kind=1, rate=100, burst=0, detail=0):
    return struct.pack("!HHIIB3x", kind, 16, rate, burst, detail)


def multipart(kind, body=b"", flags=0):
    return of.MULTIPART_REQUEST, struct.pack("!HH4x", kind, flags) + body


def packet_out(data=bytes(60), port=of.CONTROLLER, actions=b"", buffer_id=of.NO_BUFFER):
    return of.PACKET_OUT, struct.pack("!IIH6x", buffer_id, port, len(actions)) + actions + data


def port_mod(port=1, mac=None, config=0, mask=0, advertise=0):
    return lambda macs: (of.PORT_MOD, struct.pack("!I4x6s2xIII4x", port, macs if mac is None else mac, config, mask, advertise))


def set_field(data):
    length = (4 + len(data) + 7) // 8 * 8
    return struct.pack("!HH", 25, length) + data + bytes(length - 4 - len(data))


def flow_stats(table):
    return struct.pack("!B3xII4xQQ", table, of.ANY, of.ANY, 0, 0) + struct.pack("!HH4x", 1, 4)


def output(port):
    return of.output(port)


def number(kind, n):
    return struct.pack("!HHI", kind, 8, n)


# error: messages that must get it. (group 1 = all to port 2, group 2 = forwards to 1, meter 1 are there; a flow of priority 5 is.)
ERRORS = {
    "OFPBRC_BAD_VERSION": [lambda _: (of.ECHO_REQUEST, b"", {"version": 5}), lambda _: (of.BARRIER_REQUEST, b"", {"version": 1})],
    "OFPBRC_BAD_TYPE": [(99, b""), (of.BARRIER_REPLY, b""), (of.FEATURES_REPLY, bytes(24)), (of.PACKET_IN, bytes(40)), (30, bytes(16))],
    "OFPBRC_BAD_MULTIPART": [multipart(99), multipart(0xfffe), multipart(14)],
    "OFPBRC_BAD_EXPERIMENTER": [(of.EXPERIMENTER, struct.pack("!II", 0x12345678, 1)), multipart(0xffff, struct.pack("!II", 0x12345678, 1))],
    "OFPBRC_BAD_EXP_TYPE": [(of.EXPERIMENTER, struct.pack("!II", NICIRA, 9999)), (of.EXPERIMENTER, struct.pack("!II", 0x4f4e4600, 9999))],
    "OFPBRC_BAD_LEN": [(of.BARRIER_REQUEST, bytes(8)), (of.FLOW_MOD, bytes(20)), (of.PORT_MOD, bytes(20)), (of.GROUP_MOD, bytes(4)),
                       (of.ROLE_REQUEST, bytes(8)), (of.PACKET_OUT, bytes(8)), (of.MULTIPART_REQUEST, bytes(4)), multipart(0, bytes(8)),
                       multipart(1, bytes(8)), (METER_MOD, bytes(4)), (of.EXPERIMENTER, bytes(4)), (of.SET_CONFIG, bytes(3))],
    "OFPBRC_BUFFER_UNKNOWN": [packet_out(b"", buffer_id=7), flow(buffer_id=7)],
    "OFPBRC_BAD_TABLE_ID": [multipart(1, flow_stats(254)), multipart(2, flow_stats(254))],
    "OFPBRC_BAD_PORT": [packet_out(port=0), packet_out(port=0xffffff01), multipart(4, struct.pack("!I4x", 77))],
    "OFPBRC_BAD_PACKET": [packet_out(b""), packet_out(bytes(13))],
    "OFPBRC_MULTIPART_BUFFER_OVERFLOW": [multipart(1, flow_stats(255), MORE), multipart(0, flags=MORE)],
    "OFPBRC_EPERM": [(of.EXPERIMENTER, struct.pack("!III", NICIRA, 16, 99))],
    "OFPBAC_BAD_TYPE": [flow(actions=number(99, 0)), flow(actions=number(13, 0)), packet_out(actions=number(98, 0))],
    "OFPBAC_BAD_LEN": [flow(actions=struct.pack("!HHI", 0, 8, 1)), flow(actions=struct.pack("!HHIHH4xQ", 0, 24, 1, 0, 0, 0)),
                       flow(actions=struct.pack("!HHI", 22, 7, 1)), flow(actions=struct.pack("!HHI", 22, 64, 1))],
    "OFPBAC_BAD_EXPERIMENTER": [flow(actions=struct.pack("!HHIQ", 0xffff, 16, 0x12345678, 0))],
    "OFPBAC_BAD_EXP_TYPE": [flow(actions=struct.pack("!HHIHHI", 0xffff, 16, NICIRA, 9999, 0, 0))],
    "OFPBAC_BAD_OUT_PORT": [flow(actions=output(0)), flow(actions=output(0xffffff01)), flow(actions=output(of.ANY))],
    "OFPBAC_BAD_ARGUMENT": [flow(actions=number(17, 0x12340000)), flow(actions=number(19, 0x08000000)), flow(actions=number(26, 0x08000000))],
    "OFPBAC_TOO_MANY": [lambda _: flow(actions=nested(40))],
    "OFPBAC_BAD_QUEUE": [flow(actions=number(21, 0xffffffff))],
    "OFPBAC_BAD_OUT_GROUP": [flow(actions=number(22, 77)), flow(actions=number(22, 0xfffffffc)), packet_out(actions=number(22, 77)),
                             group(buckets=bucket(number(22, 77)))],
    "OFPBAC_MATCH_INCONSISTENT": [flow(actions=number(24, 0)), flow(actions=number(18, 0)), flow(actions=number(27, 0)),
                                  flow(actions=number(16, 0)), flow(actions=number(11, 0)), flow(actions=number(20, 0x08000000)),
                                  flow(actions=set_field(of.oxm(14, 80, 2))), flow(IPV4, set_field(of.oxm(26, 1, 16)))],
    "OFPBAC_BAD_SET_TYPE": [flow(actions=set_field(of.oxm(99, 1, 4))), flow(of.in_port(1), set_field(of.oxm(1, 1, 4))),
                            flow(of.oxm(5, 0x86dd, 2), set_field(of.oxm(39, 1, 2))),
                            flow(actions=set_field(struct.pack("!HBBQI", 0x8000, 3 << 1 | 1, 12, 1, 1)))],
    "OFPBAC_BAD_SET_LEN": [flow(actions=set_field(of.oxm(3, 1, 5))), flow(IPV4, set_field(of.oxm(11, 1, 2)))],
    "OFPBAC_BAD_SET_ARGUMENT": [flow(IPV4, set_field(of.oxm(8, 64, 1))), flow(of.oxm(6, 0x1005, 2), set_field(of.oxm(7, 8, 1)))],
    "OFPBIC_UNKNOWN_INST": [inst(struct.pack("!HH4x", 99, 8)), inst(struct.pack("!HH4x", 0, 8))],
    "OFPBIC_BAD_TABLE_ID": [inst(struct.pack("!HHB3x", 1, 8, 0)), inst(struct.pack("!HHB3x", 1, 8, 254))],
    "OFPBIC_BAD_EXPERIMENTER": [inst(struct.pack("!HHI", 0xffff, 8, 0x12345678))],
    "OFPBIC_BAD_LEN": [inst(struct.pack("!HH4x", 5, 16), bytes(8)), inst(struct.pack("!HH4x", 2, 8)), inst(struct.pack("!HH4x", 1, 4)),
                       inst(struct.pack("!HH4x", 4, 64))],
    "OFPBMC_BAD_TYPE": [(of.FLOW_MOD, of.flow_mod()[:40] + struct.pack("!HH4x", 0, 4)), (of.FLOW_MOD, of.flow_mod()[:40] + struct.pack("!HH4x", 2, 4))],
    "OFPBMC_BAD_LEN": [flow(of.oxm(3, 1, 5)), flow(of.oxm(0, 1, 4)[:-1])],
    "OFPBMC_BAD_WILDCARDS": [flow(struct.pack("!HBBII", 0x8000, 11 << 1 | 1, 8, 5, 4)), flow(IPV4 + struct.pack("!HBBII", 0x8000, 11 << 1 | 1, 8, 5, 4))],
    "OFPBMC_BAD_FIELD": [flow(of.oxm(99, 1, 4)), flow(of.oxm(40, 1, 2))],
    "OFPBMC_BAD_VALUE": [flow(IPV4 + of.oxm(8, 64, 1)), flow(of.oxm(6, 0x2005, 2))],
    "OFPBMC_BAD_MASK": [flow(struct.pack("!HBBHH", 0x8000, 5 << 1 | 1, 4, 0x0800, 0xff00))],
    "OFPBMC_BAD_PREREQ": [flow(of.oxm(14, 80, 2)), flow(IPV4 + of.oxm(14, 80, 2)), flow(of.oxm(11, 1, 4)), flow(of.oxm(7, 1, 1))],
    "OFPBMC_DUP_FIELD": [flow(of.in_port(1) + of.in_port(1)), flow(IPV4 + IPV4)],
    "OFPFMFC_BAD_TABLE_ID": [flow(table=254), flow(table=255)],
    "OFPFMFC_OVERLAP": [flow(of.in_port(2), priority=5, flags=2)],
    "OFPFMFC_BAD_COMMAND": [flow(command=5), flow(command=255)],
    "OFPFMFC_BAD_FLAGS": [flow(flags=0x20), flow(flags=0x8000)],
    "OFPGMFC_GROUP_EXISTS": [group(number=1, buckets=bucket())],
    "OFPGMFC_INVALID_GROUP": [group(number=0xffffff01), group(kind=2), group(kind=2, buckets=bucket() * 2), group(number=0xfffffffc),
                              group(kind=3, buckets=bucket(output(2))), group(kind=0, buckets=bucket(weight=1))],
    "OFPGMFC_OUT_OF_BUCKETS": [lambda _: group(buckets=bucket() * 4094)],
    "OFPGMFC_WATCH_UNSUPPORTED": [group(kind=0, buckets=bucket(port=1)), group(kind=2, buckets=bucket(watch=1))],
    "OFPGMFC_LOOP": [group(buckets=bucket(number(22, 50))), group(1, number=1, buckets=bucket(number(22, 2)))],
    "OFPGMFC_UNKNOWN_GROUP": [group(1, number=77, buckets=bucket())],
    "OFPGMFC_CHAINED_GROUP": [group(2, number=1)],
    "OFPGMFC_BAD_TYPE": [group(kind=4), group(kind=255)],
    "OFPGMFC_BAD_COMMAND": [group(3), group(0x7fff)],
    "OFPGMFC_BAD_BUCKET": [group(buckets=bucket(length=8)), group(buckets=bucket(length=64))],
    "OFPGMFC_BAD_WATCH": [group(kind=3, buckets=bucket(port=77)), group(kind=3, buckets=bucket(watch=77))],
    "OFPPMFC_BAD_PORT": [port_mod(77), port_mod(of.ANY)],
    "OFPPMFC_BAD_HW_ADDR": [port_mod(mac=b"\2\2\2\2\2\2")],
    "OFPPMFC_BAD_CONFIG": [port_mod(config=2, mask=2), port_mod(config=1 << 31, mask=1 << 31)],
    "OFPPMFC_BAD_ADVERTISE": [port_mod(advertise=1 << 31)],
    "OFPTMFC_BAD_TABLE": [(of.TABLE_MOD, struct.pack("!B3xI", 254, 0))],
    "OFPTMFC_BAD_CONFIG": [(of.TABLE_MOD, struct.pack("!B3xI", 0, 4))],
    "OFPQOFC_BAD_PORT": [multipart(5, struct.pack("!II", 77, 0xffffffff)), (22, struct.pack("!I4x", 77))],
    "OFPQOFC_BAD_QUEUE": [multipart(5, struct.pack("!II", 1, 77))],
    "OFPSCFC_BAD_FLAGS": [(of.SET_CONFIG, struct.pack("!HH", 2, 128)), (of.SET_CONFIG, struct.pack("!HH", 0x100, 128))],
    "OFPRRFC_BAD_ROLE": [(of.ROLE_REQUEST, struct.pack("!I4xQ", 4, 0))],
    "OFPMMFC_METER_EXISTS": [meter(number=1, bands=band())],
    "OFPMMFC_INVALID_METER": [meter(number=0, bands=band()), inst(number(6, 0))],
    "OFPMMFC_UNKNOWN_METER": [meter(1, number=77, bands=band()), inst(number(6, 77)), multipart(9, struct.pack("!I4x", 77)),
                              multipart(10, struct.pack("!I4x", 77))],
    "OFPMMFC_BAD_COMMAND": [meter(3), meter(0xffff)],
    "OFPMMFC_BAD_FLAGS": [meter(flags=3, bands=band()), meter(flags=0x10, bands=band())],
    "OFPMMFC_BAD_RATE": [meter(bands=band(rate=0))],
    "OFPMMFC_BAD_BAND": [meter(bands=band(kind=3)), meter(bands=band(kind=0xffff))],
    "OFPMMFC_BAD_BAND_DETAIL": [meter(bands=band(kind=2, detail=0)), meter(bands=band(kind=2, detail=9))],
    "OFPMMFC_OUT_OF_BANDS": [lambda _: meter(bands=band() * 1000)],
    "OFPTFFC_EPERM": [lambda _: multipart(12, struct.pack("!HB5x32sQQII", 64, 0, b"", 0, 0, 0, 0))],
}
# What only a test of its own can provoke, and where that is.
ELSEWHERE = {
    "OFPBRC_BUFFER_EMPTY": "test_packet_in.py", "OFPMOFC_BAD_COMMAND": "test_monitor.py", "OFPHFC_INCOMPATIBLE": "test_a_version_that_nobody_speaks", "OFPBRC_IS_SLAVE": "test_a_slave_may_not",
    "OFPRRFC_STALE": "test_roles_of_the_past", "OFPBIC_DUP_INST": "test_experimenters_errors", "OFPFMFC_TABLE_FULL": None,
    "OFPGMFC_OUT_OF_GROUPS": None, "OFPMMFC_OUT_OF_METERS": None,  # it would take a million of them
    "OFPBAC_UNSUPPORTED_ORDER": None, "OFPBIC_UNSUP_INST": None, "OFPTFFC_BAD_LEN": None,  # in text, and of what clients read
}


def nested(depth):
    """clone(clone(…))"""
    data = b""
    for _ in range(depth):
        data = struct.pack("!HHIH6x", 0xffff, 16 + len(data), NICIRA, 42) + data
    return data


@pytest.fixture(scope="module")
def shared():
    with xvs.Lab() as lab:
        star = Star(lab, flows=[])
        star.sw.ofctl("add-group", "br0", "group_id=1,type=all,bucket=output:2")
        star.sw.ofctl("add-group", "br0", "group_id=2,type=indirect,bucket=group:1")
        star.sw.ofctl("add-meter", "br0", "meter=1,kbps,bands=type=drop,rate=100")
        star.add_flows("priority=5,actions=2")
        star.mac = bytes.fromhex(star.ns.mac("p1").replace(":", ""))
        yield star


@pytest.fixture
def raw(shared):
    c = of.Connection.to(shared.sw)
    yield c
    c.close()


def everything(sw):
    return [sw.ofctl(*words, "br0").stdout for words in (("--no-stats", "dump-flows"), ("dump-groups",), ("dump-meters",),
                                                         ("get-frags",), ("dump-ports-desc",))]


def check_error(c, name, kind, body, options):
    xid = c.send(kind, body, **options)
    answer, data = c.answer(xid)
    assert answer == of.ERROR, f"answered by message {answer}, not by {name}"
    got = struct.unpack_from("!HH", data)
    names = [n for n, code in CODES.items() if code == got]
    assert got == CODES[name], f"{names} instead of {name}: {body[:80].hex()}"
    # 7.5.4: "contains at least the first 64 bytes of the failed request".
    offending = of.message(kind, body, xid, **options)
    assert data[4:] == offending[:max(64, len(data) - 4)]
    c.barrier()


@pytest.mark.parametrize("name", ERRORS)
def test_error(shared, raw, name):
    before = everything(shared.sw)
    for case in ERRORS[name]:
        kind, body, *options = case(shared.mac) if callable(case) else case
        check_error(raw, name, kind, body, *(options or [{}]))
    assert everything(shared.sw) == before


def test_experimenters_errors(raw):
    """OFPET_EXPERIMENTER: the ONF's OFPBIC_DUP_INST is 2600, OFPBAC_BAD_SET_MASK 4250."""
    clear = struct.pack("!HH4x", 5, 8)
    _, data = raw.ask(*inst(clear, clear))
    assert struct.unpack_from("!HHI", data) == (0xffff, 2600, 0x4f4e4600)


def test_a_version_that_nobody_speaks(shared):
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(f"{shared.sw.rundir}/br0.mgmt")
    c = of.Connection(sock, hello=False)
    c.sock.sendall(of.message(of.HELLO, version=3) if False else of.message(of.HELLO, struct.pack("!HHI", 1, 8, 1 << 9), version=9))
    answers = [c.receive() for _ in range(2)]
    kind, _, body = next(a for a in answers if a and a[0] == of.ERROR)
    assert struct.unpack_from("!HH", body) == CODES["OFPHFC_INCOMPATIBLE"] and len(body) > 4  # "the data field contains an ASCII text"
    c.close()


def test_a_slave_may_not(shared, raw):
    assert raw.ask(of.ROLE_REQUEST, struct.pack("!I4xQ", 3, 1))[0] == of.ROLE_REPLY
    before = everything(shared.sw)
    for kind, body in (flow(), group(), meter(bands=band()), packet_out(), port_mod()(shared.mac), (of.TABLE_MOD, bytes(8))):
        check_error(raw, "OFPBRC_IS_SLAVE", kind, body, {})
    assert everything(shared.sw) == before
    assert raw.ask(of.ROLE_REQUEST, struct.pack("!I4xQ", 1, 1))[0] == of.ROLE_REPLY


def test_roles_of_the_past(shared, raw):
    assert raw.ask(of.ROLE_REQUEST, struct.pack("!I4xQ", 2, 1 << 40))[0] == of.ROLE_REPLY
    check_error(raw, "OFPRRFC_STALE", of.ROLE_REQUEST, struct.pack("!I4xQ", 2, (1 << 40) - 1), {})
    assert raw.ask(of.ROLE_REQUEST, struct.pack("!I4xQ", 1, 0))[0] == of.ROLE_REPLY


def test_every_error_that_is_sent_is_provoked():
    """A new OFPERR_ in the sources wants a message in ERRORS (or a name in ELSEWHERE)."""
    sources = ""
    for folder in ("ofproto", "lib/openflow"):
        for name in os.listdir(f"{ROOT}/{folder}"):
            if name.endswith(".c"):
                with open(f"{ROOT}/{folder}/{name}", encoding="utf-8") as f:
                    sources += f.read()
    sent = {"OFP" + name for name in re.findall(r"OFPERR_(\w+)", sources)}
    versions = {name for name in CODES if name.startswith(("OFPBPC", "OFPACFC", "OFPBFC", "OFPMOFC"))}
    missing = sorted((sent & set(CODES)) - set(ERRORS) - set(ELSEWHERE) - versions)
    assert not missing, f"no message provokes {missing}"
