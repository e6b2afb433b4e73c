"""OpenFlow 1.0 and 1.4, and how a version is agreed upon: unmodified ovs-ofctl and os-ken, and messages by hand."""
import os
import re
import struct
import sys

import pytest

import openflow as of
import xvs
from openflow import Connection, Controller
from topo import Star

APPS = os.path.join(xvs.ROOT, "tests/interop/apps")
VERSIONS = [None, "OpenFlow10", "OpenFlow13", "OpenFlow14"]
OFP10, OFP13, OFP14 = 1, 4, 5
FRAME = ("ffffffffffff02020304050608004500001c0001000040010000c0a80402c0a80403"
         "0800abcd00010001")


@pytest.fixture
def star(lab):
    return Star(lab, flows=[])


class Client:
    """ovs-ofctl, unmodified, with one -O or none. The switch's socket goes behind the command."""

    def __init__(self, sw, version):
        self.sw, self.options = sw, ["-O", version] if version else []
        self.old = version in (None, "OpenFlow10")

    def __call__(self, command, *args, options=(), check=True, errors=True):
        done = self.sw.ns.run("ovs-ofctl", *self.options, *options, command, self.sw.mgmt("br0"), *args, check=False)
        if check:
            assert done.returncode == 0 and "OFPT_ERROR" not in done.stdout + done.stderr, done.stdout + done.stderr
        return done.stdout + (done.stderr if errors else "")

    def flows(self, *args, **options):
        """Without what changes with time."""
        lines = self("dump-flows", *args, errors=False, **options).splitlines()[1:]
        return sorted(re.sub(r"duration=[^,]*, |(idle|hard)_age=\d+, |n_(packets|bytes)=\d+, |cookie=0x0, |table=0, ", "", line).strip()
                      for line in lines)


@pytest.fixture(params=VERSIONS, ids=lambda v: v or "default")
def client(star, request):
    return Client(star.sw, request.param)


# --- ovs-ofctl, each command ---

def test_ovs_ofctl_describes_the_switch(client):
    text = client("show")
    assert "n_tables:254" in text and "1(p1): addr:" in text and "LOCAL(br0): addr:" in text and "frags=normal" in text
    if client.old:
        assert "actions: output enqueue set_vlan_vid" in text and "ARP_MATCH_IP" in text and "OF1" not in text
    assert "Manufacturer: xvs" in client("dump-desc")
    assert "active=0, lookup=0" in client("dump-tables")
    assert "1(p1)" in client("dump-ports-desc")
    assert "3 ports" in client("dump-ports") and "1 ports" in client("dump-ports", "1")
    assert "64 bytes from" in client("ping")
    client("probe")
    if not client.old:
        assert "metadata: match=0xffffffffffffffff" in client("dump-table-features")
    if client.options[-1:] == ["OpenFlow14"]:
        assert "table 253:\n   eviction=off" in client("dump-table-desc")


FLOWS = [ # given, and shown in 1.0 if that differs, and later if that differs
    ("priority=10,ip,in_port=1,nw_src=10.0.0.0/8,nw_tos=32 actions=mod_nw_src:1.2.3.4,output:2", None,
     "priority=10,ip,in_port=1,nw_src=10.0.0.0/8,nw_tos=32 actions=set_field:1.2.3.4->ip_src,output:2"),
    ("priority=11,tcp,tp_src=80,tp_dst=81 actions=mod_tp_src:82,mod_tp_dst:83,mod_nw_tos:4,IN_PORT", None,
     "priority=11,tcp,tp_src=80,tp_dst=81 actions=set_field:82->tcp_src,set_field:83->tcp_dst,set_field:1->ip_dscp,IN_PORT"),
    ("priority=12,dl_vlan=5,dl_vlan_pcp=2 actions=mod_vlan_vid:6,mod_vlan_pcp:3,FLOOD", None,
     "priority=12,dl_vlan=5,dl_vlan_pcp=2 actions=set_field:4102->vlan_vid,set_field:3->vlan_pcp,FLOOD"),
    ("priority=9 actions=enqueue:1:2,output:2", None, "priority=9 actions=set_queue:2,output:1,pop_queue,output:2"),
    ("priority=13,dl_vlan=7 actions=strip_vlan,LOCAL", None, "priority=13,dl_vlan=7 actions=pop_vlan,LOCAL"),
    ("priority=14,vlan_tci=0x0000 actions=CONTROLLER:100", None,
     "priority=14,vlan_tci=0x0000/0x1fff actions=CONTROLLER:100"),
    ("priority=15,arp,arp_spa=10.0.0.1,arp_op=2 actions=drop", None, None),
    ("priority=16,icmp,icmp_type=8,icmp_code=0 actions=ALL", None, None),
    ("priority=17,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02 actions=mod_dl_dst:02:00:00:00:00:03,NORMAL", None,
     "priority=17,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02 actions=set_field:02:00:00:00:00:03->eth_dst,NORMAL"),
    ("cookie=0x12, idle_timeout=100, hard_timeout=200, send_flow_rem udp actions=output:1",
     "cookie=0x12, idle_timeout=100, hard_timeout=200, udp actions=output:1", None), # 1.0 does not tell the flag
    # from here on with nx_match
    ("priority=20,ipv6,ipv6_src=fe80::/64 actions=dec_ttl,output:1", None, None),
    ("priority=21,reg1=0x5,tun_id=0x7/0xff,metadata=0x9 actions=load:0x7->NXM_NX_REG0[],move:NXM_NX_REG0[]->NXM_NX_REG2[],LOCAL", None, None),
    ("priority=22,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00 actions=set_tunnel:0xa,resubmit(1,),output:2",
     "priority=22,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00 actions=set_tunnel:0xa,resubmit:1,output:2",
     "priority=22,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00 actions=set_field:0xa->tun_id,resubmit:1,output:2"),
    ("table=3, priority=23,ip,nw_dst=10.0.0.1/255.0.255.0 actions=resubmit(,5),note:01.02.03.04.05.06,exit",
     "table=3, priority=23,ip,nw_dst=10.0.0.0/255.0.255.0 actions=resubmit(,5),note:01.02.03.04.05.06,exit",
     "table=3, priority=23,ip,nw_dst=10.0.0.0/255.0.255.0 actions=resubmit(,5),note:01.02.03.04.05.06,exit"),
    ("table=4, priority=24,tcp6,tcp_flags=+syn-ack actions=write_metadata:0x7/0xff,goto_table:9",
     "table=4, priority=24,tcp6,tcp_flags=+syn-ack actions=write_metadata:0x7/0xff,resubmit(,9)", None),
    ("priority=25,mpls,mpls_label=7 actions=set_mpls_ttl(9),dec_mpls_ttl,pop_mpls:0x0800,output:1", None, None),
    ("priority=26 actions=clone(output:1),output:2", None, None),
]


def test_ovs_ofctl_flows_there_and_back(client):
    """What was added is shown as Open vSwitch would show it; what is shown is taken, and shown again the same."""
    for given, old, later in FLOWS:
        if client.old and "goto_table" in given:
            continue # ovs-ofctl would send a resubmit behind write_metadata, and that order it refuses itself
        client("add-flow", given.replace(", ", ","))
        shown = client.flows()
        want = (old if client.old else later) or given
        assert want in shown, f"{want}\nis not in\n" + "\n".join(shown)
    before = client.flows()
    client("del-flows")
    assert client.flows() == []
    for line in before:
        client("add-flow", line.replace(", ", ","))
    assert client.flows() == before


def test_ovs_ofctl_changes_flows(client):
    for n in range(1, 5):
        client("add-flow", f"cookie={n},priority={n},in_port={n},actions=output:1")
    client("add-flow", "table=2,cookie=9,priority=9,in_port=2,actions=drop")
    assert "flow_count=5" in client("dump-aggregate")
    assert "flow_count=1" in client("dump-aggregate", "table=2")
    assert client.flows("cookie=3/-1") == ["cookie=0x3, priority=3,in_port=3 actions=output:1"]
    assert len(client.flows("in_port=2")) == 2 and len(client.flows("table=0,in_port=2")) == 1
    assert len(client.flows("out_port=1")) == 4
    client("mod-flows", "table=0,in_port=2,actions=output:2")
    assert any("in_port=2 actions=output:2" in line for line in client.flows())
    client("mod-flows", "cookie=3/-1,actions=drop")
    assert any("priority=3,in_port=3 actions=drop" in line for line in client.flows())
    client("mod-flows", "priority=4,in_port=4,actions=drop", options=["--strict"])
    client("mod-flows", "priority=5,in_port=4,actions=output:9", options=["--strict"])
    # OpenFlow 1.0: a modification of what is not there adds it; later versions' does not.
    assert any("priority=5,in_port=4" in line for line in client.flows()) == client.old
    client("del-flows", "priority=3,in_port=3", options=["--strict"])
    client("del-flows", "in_port=2")
    assert len(client.flows()) == (3 if client.old else 2)
    client("add-flow", "check_overlap,priority=4,actions=drop", check=False)
    assert "OVERLAP" in client("add-flow", "check_overlap,priority=4,actions=drop", check=False)
    assert "OFPFMFC_OVERLAP" in client("add-flow", "check_overlap,priority=4,ip,actions=drop", check=False)
    client("del-flows")
    assert client.flows() == []


def test_ovs_ofctl_changes_ports_and_fragments(star, client):
    client("mod-port", "p1", "down")
    assert "config:     PORT_DOWN" in client("show")
    client("mod-port", "p1", "up")
    client("mod-port", "p1", "no-packet-in")
    client("mod-port", "p1", "no-forward")
    assert "NO_FWD NO_PACKET_IN" in client("show")
    client("mod-port", "p1", "forward")
    client("mod-port", "p1", "packet-in")
    assert client("get-frags") == "normal\n"
    client("set-frags", "drop")
    assert client("get-frags") == "drop\n"
    with_capture = star.h[1]
    client("packet-out", f"in_port=1 packet={FRAME} actions=output:2")
    client("packet-out", "controller", "output:2", FRAME)
    assert "OFPST_QUEUE reply" in client("queue-stats") and with_capture
    if client.old or client.options[-1] == "OpenFlow13":
        assert "QUEUE_GET_CONFIG_REPLY" in client("queue-get-config", "1")


def test_ovs_ofctl_monitor(lab, star, client, tmp_path):
    path = tmp_path / "said"
    with open(path, "w", encoding="utf-8") as f:
        lab.popen(star.ns, "ovs-ofctl", *client.options, "monitor", star.sw.mgmt("br0"), "65535", stdout=f, stderr=f,
                  env={**os.environ, "OVS_RUNDIR": str(tmp_path)})

    def said():
        return path.read_text()

    client("add-flow", "priority=5,dl_type=0x88b5,send_flow_rem,cookie=0x77,actions=controller")

    def provoke():
        client("packet-out", "in_port=1 packet=02000000000202000000000188b5" + "00" * 46 + " actions=table")
        return "cookie=0x77" in said() if not client.old else "PACKET_IN" in said()

    xvs.wait_until(provoke, what="a packet-in")
    client("del-flows")
    xvs.wait_until(lambda: "FLOW_REMOVED" in said(), what="flow-removed")
    assert "reason=delete" in said() and "cookie:0x77" in said()
    client("mod-port", "p1", "down")
    xvs.wait_until(lambda: "PORT_STATUS" in said(), what="port-status")
    assert "***decode error" not in said()


def test_formats_of_1_0(star):
    """-F openflow10: with ofp_match alone; -F nxm: with nx_match throughout; with and without the table extension."""
    client = Client(star.sw, None)
    for f in "openflow10", "nxm", "openflow10+table_id", "nxm+table_id":
        options = ["-F", f.replace("+table_id", "")]
        client("del-flows", options=["-F", f])
        client("add-flow", "priority=3,tcp,nw_dst=10.1.0.0/16,tp_dst=80,actions=output:2", options=["-F", f])
        assert client.flows(options=options) == ["priority=3,tcp,nw_dst=10.1.0.0/16,tp_dst=80 actions=output:2"]
        assert "flow_count=1" in client("dump-aggregate", "tcp", options=options)
    star.add_flows("table=7,priority=3,ipv6,ipv6_dst=fd00::1,actions=drop")
    dumped = client("dump-flows", options=["-F", "openflow10"]) # what ofp_match cannot say is left out of it
    assert "table=7" in dumped and "priority=3,ipv6 actions=drop" in dumped


# --- Packets ---

def test_flows_of_1_0_do_what_they_say(lab):
    star = Star(lab, flows=[])
    client = Client(star.sw, None)
    client("add-flow", "in_port=1,actions=mod_vlan_vid:5,mod_vlan_pcp:3,mod_nw_dst:10.0.0.9,mod_nw_tos:16,mod_tp_dst:99,output:2")
    with_tag = lab.capture(star.h[1], "eth0", "vlan", inbound=True)
    star.h[0].run(sys.executable, "-c", """if True:
        from scapy.all import *
        base = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
        sendp([base / IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=1, dport=2) / b"udp",
               base / Dot1Q(vlan=9) / IP(src="10.0.0.1", dst="10.0.0.2") / TCP(sport=1, dport=2),
               base / ARP(op=1, psrc="10.0.0.1", pdst="10.0.0.2")], iface="eth0", verbose=False)""")
    packets = with_tag.wait(3)
    assert len(packets) == 3
    for p in packets:
        assert p["Dot1Q"].vlan == 5 and p["Dot1Q"].prio == 3
        if "IP" in p: # the fields that a packet has are written, and those of ARP stay
            assert p["IP"].dst == "10.0.0.9" and p["IP"].tos == 16 and p["IP"].payload.dport == 99
        else:
            assert p["ARP"].pdst == "10.0.0.2"
    assert sum("IP" in p for p in packets) == 2


def test_no_flood(lab):
    star = Star(lab, hosts=3, flows=["in_port=1,actions=FLOOD", "in_port=2,actions=ALL"])
    Client(star.sw, None)("mod-port", "p3", "no-flood")
    heard = lab.capture(star.h[2], "eth0", "arp", inbound=True)
    star.h[0].run("ping", "-c", "1", "-W", "0.3", "10.0.0.99", check=False)
    assert heard.count() == 0
    star.h[1].run("ping", "-c", "1", "-W", "0.3", "10.0.0.99", check=False) # ALL means all
    heard.wait(1)


def test_an_os_ken_switch_in_1_0(lab):
    """It installs no table-miss flow: in OpenFlow 1.0 such packets go to the controller."""
    star = Star(lab, flows=[])
    controller = lab.osken(star.ns, f"{APPS}/switch10.py")
    star.sw.ctl("set-controller", "br0", "tcp:127.0.0.1:6653")
    controller.wait_for("connected")
    assert re.search(r"ports 1 p1, 2 p2, 65534 br0", controller.said())
    star.h[0].ping("10.0.0.2", count=3, wait=5)
    assert "packet in from port 1" in controller.said() and "no match" in controller.said()
    assert star.n_packets("in_port=1", "cookie=0x7") >= 1
    assert "OpenFlow 1.0" in star.sw.ctl("show").stdout
    star.sw.ofctl("del-flows", "br0", "in_port=1")
    controller.wait_for("flow removed: cookie 7, in_port 1")
    star.sw.ctl("del-controller", "br0")
    star.sw.ctl("set-fail-mode", "br0", "secure")
    assert star.h[0].ping("10.0.0.2", count=1, wait=0.3, check=False) == [] # nobody of 1.0 is there any more


def test_a_miss_goes_to_those_of_1_0_alone(lab):
    star = Star(lab, flows=[])
    controllers = [Controller(f"{lab.dir}/c{v}") for v in (OFP10, OFP13, OFP14)]
    star.sw.ctl("set-controller", "br0", *(c.target for c in controllers))
    sessions = []
    for version, c in zip((OFP10, OFP13, OFP14), controllers):
        session = c.accept(hello=False)
        session.sock.sendall(of.message(of.HELLO, struct.pack("!HHI", 1, 8, 1 << version), version=version))
        assert session.receive()[0] == of.HELLO
        barrier = 18 if version == OFP10 else 20
        assert session.ask(barrier, version=version)[0] == barrier + 1
        sessions.append(session)
    star.h[0].run("ping", "-c", "1", "-W", "0.3", "10.0.0.2", check=False)
    body = sessions[0].wait_event(of.PACKET_IN)
    buffer, total, in_port, reason = struct.unpack_from("!IHHB", body)
    assert (buffer, in_port, reason) == (0xffffffff, 1, 0) and total == len(body) - 10
    for version, session in zip((OFP13, OFP14), sessions[1:]):
        assert session.ask(20, version=version)[0] == 21
        assert not [e for e in session.events if e[0] == of.PACKET_IN]
    for s in sessions + controllers:
        s.close()


# --- Versions ---

def test_protocols_of_a_bridge(star):
    sw = star.sw

    def ask(*options):
        return sw.ns.run("ovs-ofctl", *options, "show", sw.mgmt("br0"), check=False)

    for protocols, good, bad in (("OpenFlow10", [[], ["-O", "OpenFlow10,OpenFlow13"]], [["-O", "OpenFlow13"], ["-O", "OpenFlow14"]]),
                                 ("OpenFlow13", [["-O", "OpenFlow13"], ["-O", "OpenFlow13,OpenFlow14"]], [[], ["-O", "OpenFlow14"]]),
                                 ("OpenFlow10,OpenFlow11,OpenFlow14", [[], ["-O", "OpenFlow14"]], [["-O", "OpenFlow13"], ["-O", "OpenFlow11"]]),
                                 ("[]", [[], ["-O", "OpenFlow13"], ["-O", "OpenFlow14"]], [["-O", "OpenFlow15"]])):
        sw.ctl("set", "bridge", "br0", f"protocols={protocols}")
        for options in good:
            assert ask(*options).returncode == 0, (protocols, options)
        for options in bad:
            assert ask(*options).returncode == 1, (protocols, options)
    assert sw.ctl("set", "bridge", "br0", "protocols=OpenFlow99", check=False).returncode == 1


def test_a_mismatch_is_explained_at_both_ends(lab, star):
    sw = star.sw
    sw.ctl("set", "bridge", "br0", "protocols=OpenFlow10")
    done = sw.ofctl("-O", "OpenFlow13", "show", "br0", check=False)
    assert done.returncode == 1
    assert "the switch speaks OpenFlow 1.0" in done.stderr and "add -O OpenFlow10" in done.stderr
    assert "set bridge BRIDGE protocols=OpenFlow13" in done.stderr
    controller = Controller(f"{lab.dir}/c")
    sw.ctl("set-controller", "br0", controller.target)
    session = controller.accept(hello=False)
    session.sock.sendall(of.message(of.HELLO, struct.pack("!HHI", 1, 8, 1 << OFP13)))
    assert session.receive()[0] == of.HELLO
    kind, _, body = session.receive()
    text = body[4:].decode()
    assert kind == of.ERROR and body[:4] == bytes(4)
    for words in ("speaks OpenFlow 1.0", "the peer 1.3", "xvs-ctl set bridge br0 protocols=OpenFlow10,OpenFlow13"):
        assert words in text
        xvs.wait_until(lambda: words in sw.ctl("show").stdout, what=words)
    assert session.receive() is None
    session.close()
    controller.close()


def test_xvs_ofctl_in_each_version(star):
    for version, tag in ((None, " (OF1.3)"), ("OpenFlow10", ""), ("OpenFlow13", " (OF1.3)"), ("OpenFlow14", " (OF1.4)"),
                         ("OpenFlow10,OpenFlow14", " (OF1.4)")):
        def ofctl(*args, **options):
            return star.sw.ofctl(*(["-O", version] if version else []), *args, **options).stdout
        assert f"OFPT_FEATURES_REPLY{tag} (xid=" in ofctl("show", "br0")
        assert "1(p1)" in ofctl("show", "br0") and "1(p1)" in ofctl("dump-ports-desc", "br0")
        assert " 3 ports" in ofctl("dump-ports", "br0")
        ofctl("add-flow", "br0", "table=3,priority=7,cookie=0x5,tcp,in_port=p1,nw_src=10.0.0.0/8,reg1=3,actions=mod_nw_dst:10.0.0.1,output:p2")
        line, = [line for line in ofctl("dump-flows", "br0", "table=3").splitlines() if "cookie=0x5" in line]
        assert "priority=7,tcp,reg1=0x3,in_port=1,nw_src=10.0.0.0/8 actions=set_field:10.0.0.1->ip_dst,output:2" in line
        assert "flow_count=1" in ofctl("dump-aggregate", "br0")
        ofctl("mod-flows", "br0", "table=3,tcp,actions=drop")
        assert "actions=drop" in ofctl("dump-flows", "br0")
        ofctl("del-flows", "br0", "cookie=5/-1")
        assert "flow_count=0" in ofctl("dump-aggregate", "br0")
    star.sw.ctl("set", "bridge", "br0", "protocols=OpenFlow10")
    assert "OFPT_FEATURES_REPLY (xid=" in star.sw.ofctl("show", "br0").stdout


# --- Bytes ---

def session10(sw):
    c = Connection.to(sw, hello=False)
    c.sock.sendall(of.message(of.HELLO, version=OFP10))
    assert c.receive()[0] == of.HELLO
    return c


def match10(wildcards=(1 << 22) - 1, in_port=0, dl_vlan=0, dl_type=0, nw_tos=0, nw_proto=0, nw_src=0, nw_dst=0, tp_src=0, tp_dst=0):
    return struct.pack("!IH6s6sHBxHBB2xIIHH", wildcards, in_port, bytes(6), bytes(6), dl_vlan, 0, dl_type, nw_tos, nw_proto,
                       nw_src, nw_dst, tp_src, tp_dst)


def flow_mod10(match=None, actions=b"", command=0, priority=0x8000, flags=0, cookie=0, out_port=0xffff, buffer=0xffffffff):
    return (match or match10()) + struct.pack("!QHHHHIHH", cookie, command, 0, 0, priority, buffer, out_port, flags) + actions


def test_faults_of_1_0_have_its_codes(star):
    c = session10(star.sw)

    def error(kind, body):
        answer, body = c.ask(kind, body, version=OFP10)
        assert answer == of.ERROR
        return struct.unpack_from("!HH", body)

    nicira = struct.pack("!I", 0x2320)
    output = struct.pack("!HHHH", 0, 8, 2, 0)
    assert error(14, flow_mod10(command=5)) == (3, 4)          # FLOW_MOD_FAILED, BAD_COMMAND
    assert error(14, flow_mod10(flags=4)) == (3, 0)            # no room for emergency flows
    assert error(14, flow_mod10(actions=struct.pack("!HHI", 99, 8, 0))) == (2, 0)     # BAD_ACTION, BAD_TYPE
    assert error(14, flow_mod10(actions=struct.pack("!HHI", 0, 12, 0))) == (2, 1)     # BAD_LEN
    assert error(14, flow_mod10(actions=struct.pack("!HHHH", 1, 8, 4096, 0))) == (2, 5)  # a VID of 13 bits
    assert error(14, flow_mod10(actions=struct.pack("!HHHH", 0, 8, 0xffff, 0))) == (2, 4)  # BAD_OUT_PORT
    assert error(14, flow_mod10(command=1 << 8)) == (3, 4)     # a table, without the extension
    assert error(14, flow_mod10(buffer=7, actions=output)) == (1, 8)
    assert error(15, struct.pack("!H6sIIII", 77, bytes(6), 0, 0, 0, 0)) == (4, 0)     # PORT_MOD_FAILED, BAD_PORT
    assert error(16, struct.pack("!HH", 99, 0)) == (1, 2)      # BAD_STAT
    assert error(99, b"") == (1, 1)
    assert error(4, struct.pack("!II", 0x1234, 0)) == (1, 3)   # BAD_VENDOR
    assert error(4, nicira + struct.pack("!I", 9999)) == (1, 4)
    assert error(18, bytes(4)) == (1, 6)
    assert error(20, struct.pack("!HH", 77, 0)) == (5, 0)      # QUEUE_OP_FAILED, BAD_PORT
    # What 1.0 has no code for is told in Nicira's form.
    answer, body = c.ask(4, nicira + struct.pack("!IQHHHHIHHH6x", 13, 0, 0, 0, 0, 1, 0xffffffff, 0xffff, 0, 8) +
                         struct.pack("!HBBHxx", 0, 9 << 1, 2, 80), version=OFP10) # tcp_src without its prerequisites
    assert answer == of.ERROR and struct.unpack_from("!HHIHH", body) == (0xb0c2, 0, 0x2320, 1, 260)
    c.close()


def test_fields_that_do_not_count_are_left_out(star):
    """1.0.1, 3.4: those of a layer that dl_type and nw_proto do not give are ignored."""
    c = session10(star.sw)
    ip = (1 << 22) - 1 & ~(1 << 4)
    for match, shown in (
            (match10(ip & ~(1 << 21), dl_type=0x88b5, nw_tos=4), "dl_type=0x88b5"),
            (match10((1 << 22) - 1 & ~(1 << 6 | 1 << 5), nw_proto=6, tp_src=80), ""),
            (match10(ip & ~(1 << 6), dl_type=0x800, tp_src=80), "ip"),
            (match10(ip & ~(1 << 5 | 1 << 6 | 1 << 7), dl_type=0x800, nw_proto=1, tp_src=8, tp_dst=0x100), "icmp,icmp_type=8,icmp_code=0"),
            (match10(ip & ~(1 << 5 | 63 << 8) | 12 << 8, dl_type=0x806, nw_proto=2, nw_src=0x0a0bffff), "arp,arp_spa=10.11.240.0/20,arp_op=2"),
            (match10(ip & ~(63 << 14) | 40 << 14, dl_type=0x800, nw_dst=5), "ip"),
            (match10((1 << 22) - 1 & ~(1 << 1 | 1 << 20), dl_vlan=0xffff), "vlan_tci=0x0000/0x1fff")):
        c.send(14, flow_mod10(command=3), version=OFP10)
        c.send(14, flow_mod10(match), version=OFP10)
        assert c.ask(18, version=OFP10)[0] == 19
        line = star.sw.ofctl("dump-flows", "br0", "--no-stats", "--no-names").stdout.strip()
        assert line.replace(" actions=drop", "") == (shown or "actions=drop"), line
    c.close()


def test_role_and_asynchronous_messages_of_1_0(lab):
    star = Star(lab, flows=[])
    a, b = session10(star.sw), session10(star.sw)

    def nx(c, subtype, body, answer=True):
        message = struct.pack("!II", 0x2320, subtype) + body
        return c.ask(4, message, version=OFP10) if answer else c.send(4, message, version=OFP10)

    for c, role in ((a, 1), (b, 1), (a, 1)):
        kind, body = nx(c, 10, struct.pack("!I", role))
        assert (kind, body) == (4, struct.pack("!III", 0x2320, 11, role))
    kind, body = b.ask(14, flow_mod10(), version=OFP10) # b is a slave now
    assert kind == of.ERROR and struct.unpack_from("!HH", body) == (1, 5)
    nx(a, 19, struct.pack("!6I", 0, 0, 0, 0, 0, 0), answer=False)
    a.send(9, struct.pack("!HH", 0, 128), version=OFP10)
    nx(b, 19, struct.pack("!6I", 0, 3, 0, 7, 0, 15), answer=False)
    for c in a, b:
        assert c.ask(18, version=OFP10)[0] == 19
    star.h[0].run("ping", "-c", "1", "-W", "0.3", "10.0.0.2", check=False)
    assert b.wait_event(of.PACKET_IN)
    assert a.ask(18, version=OFP10)[0] == 19 and not a.events
    a.close()
    b.close()


def test_messages_of_1_4(star):
    c = Connection.to(star.sw, hello=False)
    c.sock.sendall(of.message(of.HELLO, version=OFP14))
    assert c.receive()[0] == of.HELLO

    def ask(kind, body=b""):
        return c.ask(kind, body, version=OFP14)

    # Which asynchronous messages, as properties: what is not named stays.
    before = ask(26)[1]
    masks = {t: m for t, n, m in struct.iter_unpack("!HHI", before)}
    assert sorted(masks) == list(range(12)) and masks[1] == 0x3b and masks[0] == 0
    c.send(28, struct.pack("!HHI", 0, 8, 1) + struct.pack("!HHI", 5, 8, 6), version=OFP14)
    masks.update({0: 1, 5: 6})
    assert {t: m for t, n, m in struct.iter_unpack("!HHI", ask(26)[1])} == masks
    assert ask(28, struct.pack("!HHI", 99, 8, 0))[0] == of.ERROR
    kind, body = ask(16, struct.pack("!II6sxxII", 1, 0, bytes(6), 0, 0) + struct.pack("!HHI", 7, 8, 0)) # PORT_MOD, no such property
    assert (kind, struct.unpack_from("!HH", body)) == (of.ERROR, (14, 0))
    kind, body = ask(16, struct.pack("!II6sxxII", 1, 0, bytes(6), 0, 0) + struct.pack("!HHI", 0, 12, 0))
    assert (kind, struct.unpack_from("!HH", body)) == (of.ERROR, (14, 1))
    kind, body = ask(22, bytes(8)) # QUEUE_GET_CONFIG is gone
    assert (kind, struct.unpack_from("!HH", body)) == (of.ERROR, (1, 1))
    # A master is told that it is one no longer.
    other = Connection.to(star.sw, hello=False)
    other.sock.sendall(of.message(of.HELLO, version=OFP14))
    assert other.receive()[0] == of.HELLO
    role = struct.pack("!IIQ", 2, 0, 5)
    assert ask(24, role) == (25, role)
    assert other.ask(24, role, version=OFP14) == (25, role)
    assert struct.unpack("!IB3xQ", c.wait_event(30)) == (3, 0, 5)
    # Importance is kept.
    flow = struct.pack("!QQBBHHHIIIHH", 1, 0, 0, 0, 0, 0, 5, 0xffffffff, 0, 0, 0, 99) + struct.pack("!HHI", 1, 4, 0)
    assert other.ask(20, version=OFP14)[0] == 21
    other.send(14, flow, version=OFP14)
    text = star.sw.ns.run("ovs-ofctl", "-O", "OpenFlow14", "dump-flows", star.sw.mgmt("br0")).stdout
    assert "importance=99" in text and "priority=5" in text
    c.close()
    other.close()
