"""Every command's answer with -f json is as its --help and the manual say."""
import time

import json_schema
import pytest
import xvs

FRAME = "ffffffffffff02020304050608004500001c0001000040010000c0a80402c0a804030800abcd00010001"
HELLO = "0400000800000001"
NAMES = xvs.run(xvs.OFCTL, "--complete").stdout.split()
FLOWS = """table=1,priority=7,cookie=3,idle_timeout=100,send_flow_rem,tcp,in_port=1,tp_dst=80,actions=set_field:1->metadata,output:1,LOCAL
ip,nw_src=10.0.0.0/8,actions=goto_table:1
actions=drop
"""

# command: words behind SWITCH, or behind the command, and what is on standard input. FLOWS, PCAP, MESSAGES, BUNDLE: files.
WORDS = {
    "add-flow": (["arp,actions=output:1"], None), "add-flows": (["FLOWS"], None), "mod-flows": (["arp,actions=drop"], None),
    "del-flows": (["table=9"], None), "replace-flows": (["FLOWS"], None), "diff-flows": (["SWITCH", "FLOWS"], None),
    "mod-port": (["p1", "no-forward"], None), "set-frags": (["drop"], None), "mod-table": (["1", "noevict"], None),
    "add-group": (["group_id=2,type=all,bucket=output:1"], None), "add-groups": (["GROUPS"], None),
    "mod-group": (["group_id=1,type=select,bucket=weight:3,output:1,bucket=actions=LOCAL"], None), "del-groups": (["group_id=9"], None),
    "add-meter": (["meter=2 kbps bands=type=drop rate=100"], None),
    "mod-meter": (["meter=1 pktps stats bands=type=dscp_remark rate=100 prec_level=1"], None),
    "del-meters": (["meter=9"], None), "del-meter": (["meter=9"], None), "dump-meter": (["meter=1"], None),
    "packet-out": ([f"in_port=1 packet={FRAME} actions=output:1"], None), "bundle": (["BUNDLE"], None),
    "benchmark": (["10", "10"], None), "parse-flow": (["ip,actions=1"], None), "parse-flows": (["FLOWS"], None),
    "parse-group": (["group_id=1,type=all,bucket=output:1"], None), "parse-meter": (["meter=1 kbps bands=type=drop rate=1"], None),
    "ofp-print": ([HELLO], None), "ofp-parse": (["MESSAGES"], None), "ofp-parse-pcap": (["PCAP"], None), "parse-pcap": (["PCAP"], None),
    "parse-actions": (["OpenFlow13"], "0000001000000001ffff000000000000\n00"), "parse-instructions": (["OpenFlow13"], "0001000805000000\n00"),
    "parse-oxm": (["OpenFlow13"], "OXM_OF_IN_PORT(00000001)\nOXM_OF_TCP_DST(0050)\n"), "parse-nxm": ([], "NXM_OF_IN_PORT(0001)\n"),
    "parse-nx-match": ([], "<any>\nNXM_OF_IP_SRC(01020304)\n"), "parse-ofp10-match": ([], "003820ff" + "00" * 36),
    "parse-key-value": (["a=1,b", "c(d)"], None), "parse-packet": ([], "xxxxxxxxxxxxxxxxxx"), "compose-packet": (["udp"], None),
    "print-error": (["OFPBRC_BAD_TYPE"], None), "encode-error-reply": (["OFPBRC_BAD_TYPE", HELLO], None), "encode-hello": (["0x10"], None),
    "list-commands": ([], None),
    "insert-buckets": (["group_id=1,command_bucket_id=last,bucket=bucket_id:7,output:1"], None),
    "remove-buckets": (["group_id=1,command_bucket_id=last"], None),
}
VERSION = {"mod-table": "OpenFlow14", "dump-table-desc": "OpenFlow14", "insert-buckets": "OpenFlow10", "remove-buckets": "OpenFlow10"}
LOCAL = {"diff-flows"} | {n for n in NAMES if n.startswith(("parse-", "ofp-", "encode-"))} | {"compose-packet", "print-error", "list-commands"}
WATCHING = {"monitor", "snoop"}


@pytest.fixture
def switch(lab):
    s, h = lab.ns("s"), lab.ns("h")
    lab.veth(h, "eth1", s, "p1")
    switch = lab.switch(s)
    switch.ctl("add-br", "br0", "--", "add-port", "br0", "p1", "--", "set", "bridge", "br0", "protocols=OpenFlow10,OpenFlow13,OpenFlow14")
    switch.ofctl("add-group", "br0", "group_id=1,type=all,bucket=output:1")
    switch.ofctl("add-meter", "br0", "meter=1 kbps bands=type=drop rate=100")
    switch.ofctl("add-flows", "br0", "-", input=FLOWS)
    return switch


def files(tmp_path):
    scapy = pytest.importorskip("scapy.all")
    names = {name: tmp_path / name for name in ("FLOWS", "GROUPS", "BUNDLE", "MESSAGES", "PCAP")}
    names["FLOWS"].write_text(FLOWS)
    names["GROUPS"].write_text("group_id=5,type=indirect,bucket=output:1\n")
    names["BUNDLE"].write_text("flow arp,actions=drop\n")
    names["MESSAGES"].write_bytes(bytes.fromhex(HELLO))
    scapy.wrpcap(str(names["PCAP"]), scapy.Ether() / scapy.IP() / scapy.TCP(sport=6653) / bytes.fromhex(HELLO))
    return names


def test_every_command(switch, tmp_path):
    names = files(tmp_path)
    for command in NAMES:
        if command in WATCHING:
            continue
        words, given = WORDS.get(command, ([], None))
        words = [str(names.get(w, w)) for w in words]
        words = [f"unix:{switch.rundir}/br0.mgmt" if w == "SWITCH" else w for w in words]
        target = [] if command in LOCAL else ["br0"]
        version = ["-O", VERSION[command]] if command in VERSION else []
        done = switch.ofctl(*version, "-f", "json", command, *target, *words, check=False, input=given or "")
        assert done.returncode in (0, 2), f"{command}: {done.stderr}"
        try:
            json_schema.check(xvs.run(xvs.OFCTL, command, "--help").stdout, done.stdout)
        except Exception as e:
            raise AssertionError(f"{command}: {e}") from e


def test_monitor(switch, tmp_path):
    out = tmp_path / "out"
    with open(out, "w", encoding="utf-8") as f:
        monitor = switch.ns.popen(xvs.OFCTL, "-f", "json", "monitor", f"unix:{switch.rundir}/br0.mgmt", "65535", stdout=f)
    time.sleep(0.5)
    switch.ofctl("packet-out", "br0", f"in_port=1 packet={FRAME} actions=controller")
    xvs.wait_until(lambda: "\n" in out.read_text(), what="a packet-in")
    xvs.end_process(monitor)
    json_schema.check(xvs.run(xvs.OFCTL, "monitor", "--help").stdout, out.read_text())


@pytest.mark.parametrize("schema, good, bad", [
    ("{a: number, b?: [text]}", [{"a": 1}, {"a": 1.5, "b": ["x"]}], [{}, {"a": "1"}, {"a": 1, "b": [1]}, {"a": 1, "c": 2}, []]),
    ("{*: port | null}", [{}, {"x": 1, "y": "LOCAL", "z": None}], [{"x": []}, 1]),
    ("[{x: count}] | bool", [[], [{"x": None}], True], [1, [1], [{"x": "1"}]]),
])
def test_the_checker(schema, good, bad):
    kind = json_schema.Schema(schema).root
    assert all(json_schema.fault(kind, value) is None for value in good)
    assert all(json_schema.fault(kind, value) for value in bad)
