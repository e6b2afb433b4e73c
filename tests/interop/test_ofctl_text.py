"""Commands of xvs-ofctl that need no switch say what ovs-ofctl's say."""
import os
import re
import struct

import pytest
import xvs

WARNING = re.compile(r"^\d{4}-\d\d-\d\dT")


def theirs(*args, **options):
    done = xvs.run("ovs-ofctl", *args, check=False, **options)
    return done.returncode, done.stdout


def ours(*args, **options):
    done = xvs.run(xvs.OFCTL, *args, check=False, **options)
    return done.returncode, done.stdout


@pytest.mark.parametrize("words", [
    ["ofp-print", "0400000800000001"], ["ofp-print", "04 05 00 08 00 00 00 02"],
    ["ofp-print", "0414000800000007"],
    ["encode-error-reply", "OFPBRC_BAD_TYPE", "0405000800000001"],
    ["encode-error-reply", "OFPFMFC_OVERLAP", "040e0008000000ff"],
    ["encode-hello", "0x10"], ["encode-hello", "0x12"], ["encode-hello", "0x32"],
    ["parse-key-value", "a=b,c:d", "e(f),g", "one two=3", "x(y=1,z(2)),w:5"],
], ids=" ".join)
def test_same_words(words):
    assert ours(*words) == theirs(*words)


ERRORS = ["OFPBRC_BAD_TYPE", "OFPBMC_BAD_PREREQ", "OFPFMFC_OVERLAP", "OFPMMFC_BAD_BAND", "OFPGMFC_LOOP", "OFPRRFC_STALE",
          "OFPBIC_BAD_TABLE_ID", "OFPTFFC_BAD_TABLE", "OFPBAC_BAD_OUT_PORT", "OFPHFC_INCOMPATIBLE"]


@pytest.mark.parametrize("error", ERRORS)
def test_print_error(error):
    status, lines = theirs("print-error", error)
    said = ours("print-error", error)[1].splitlines()
    assert status == 0 and said and set(said) <= set(lines.splitlines())
    assert any(line.startswith("OpenFlow 1.3: ") for line in said)


PACKETS = ["udp", "arp,arp_op=2,arp_sha=01:02:03:04:05:06,arp_spa=10.0.0.1", "icmp,icmp_type=8",
           "tcp,nw_src=10.0.0.1,tp_dst=80,nw_ttl=64,dl_vlan=5,dl_vlan_pcp=3", "dl_type=0x1234", "ip,nw_tos=12,nw_ecn=1",
           "udp,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02,nw_dst=10.0.0.1"]


def packet_bytes(dump):
    return bytes.fromhex("".join(line[8:58] for line in dump.splitlines()).replace("-", " "))


@pytest.mark.parametrize("flow", PACKETS)
def test_packets_there_and_back(flow, tmp_path):
    status, dump = ours("compose-packet", flow)
    assert status == 0 and theirs("compose-packet", flow) == (0, dump)
    frame = packet_bytes(dump)
    assert ours("compose-packet", flow, "0102")[1] == theirs("compose-packet", flow, "0102")[1]
    path = tmp_path / "frame"
    path.write_bytes(frame)
    with open(path, "rb") as f, open(path, "rb") as g:
        said = xvs.run(xvs.OFCTL, "parse-packet", stdin=f).stdout
        assert said == xvs.run("ovs-ofctl", "parse-packet", stdin=g).stdout
    pcap = tmp_path / "pcap"
    pcap.write_bytes(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1) + struct.pack("<IIII", 1, 2, len(frame), len(frame)) + frame)
    assert ours("parse-pcap", pcap)[1].strip() == said.strip()


ACTIONS = """
0000 0010 00000001 ffff 000000000000
0016 0008 00000005
0000 0010 fffffffd 0080 000000000000   0012 0008 00000000
# a comment

ffff 0010 00002320 000e fff8 0a 000000
0019 0010 8000 0606 020000000001 0000
0011 0008 8100 0000   0019 0010 80000c02 1005 000000000000
0000 0008 00010000
0017 0008 40 000000  0018 0008 00000000
ffff 0018 00002320 0007 001f 00010004 0000000000000005
ffff 0018 00002320 0006 0020 0000 0000 00010004 00010204
ffff 0010 00002320 0008 010203040506
ffff 0010 00002320 0011 000000000000
0000 0008 00000001
"""


def test_parse_actions():
    assert ours("parse-actions", "OpenFlow13", input=ACTIONS)[1].strip() == theirs("parse-actions", "OpenFlow13", input=ACTIONS)[1].strip()


INSTRUCTIONS = """
0001 0008 05 000000
0004 0018 00000000 0000 0010 00000001 0000 000000000000
0002 0018 00000000 0000000000000010 00000000000000ff
0005 0008 00000000
0003 0018 00000000 0000 0010 00000002 0000 000000000000   0001 0008 09 000000
0006 0008 00000003   0001 0008 02 000000
0001 0008 05 000000  0001 0008 06 000000
0009 0008 00000000
"""


def test_parse_instructions():
    assert (ours("parse-instructions", "OpenFlow13", input=INSTRUCTIONS)[1].strip()
            == theirs("parse-instructions", "OpenFlow13", input=INSTRUCTIONS)[1].strip())


MATCHES = """
# comments stay
<any>

OXM_OF_IN_PORT(00000001)
NXM_OF_IN_PORT(fffe)
OXM_OF_ETH_DST_W(010000000000/010000000000)
OXM_OF_ETH_DST_W(ffffffffffff/ffffffffffff)
OXM_OF_ETH_TYPE(0800), OXM_OF_IPV4_SRC_W(0a000000/ff000000),OXM_OF_IP_PROTO(06) OXM_OF_TCP_DST(0050)
OXM_OF_ETH_TYPE(0800) OXM_OF_IP_DSCP(08) OXM_OF_IP_ECN(01)
OXM_OF_ETH_TYPE(0806),OXM_OF_ARP_OP(0001),OXM_OF_ARP_SPA(0a000001),OXM_OF_ARP_SHA(020000000001)
OXM_OF_ETH_TYPE(86dd),OXM_OF_IPV6_DST(20010db8000000000000000000000001),OXM_OF_IPV6_FLABEL(00012345)
OXM_OF_ETH_TYPE(8847), OXM_OF_MPLS_LABEL(00012345), OXM_OF_MPLS_BOS(01)
OXM_OF_VLAN_VID(1005), OXM_OF_VLAN_PCP(03)
OXM_OF_VLAN_VID_W(1000/1000)
OXM_OF_VLAN_VID(0000)
OXM_OF_METADATA_W(00000000000000ff/00000000000000ff)
OXM_OF_TUNNEL_ID(0000000000000005)
NXM_NX_REG0(acebdf56)
NXM_NX_REG0_W(00000006/0000000f)
80000004(00000009)
OXM_OF_ETH_TYPE(0800),OXM_OF_IP_PROTO(3a)
OXM_OF_TCP_DST(0050)
OXM_OF_IN_PORT(00000001),OXM_OF_IN_PORT(00000002)
OXM_OF_ETH_DST_W(010203040506/010000000000)
"""


@pytest.mark.parametrize("words", [["parse-oxm", "OpenFlow13"], ["parse-oxm", "OpenFlow14"], ["parse-nxm"], ["parse-nx-match"]],
                         ids=" ".join)
def test_parse_matches(words):
    def lines(text):
        text = text.replace("NXM_OF_VLAN_TCI_W(0000/1fff)", "NXM_OF_VLAN_TCI(0000)")  # two words for: no tag
        return [sorted(line.split(", ")) for line in text.splitlines() if not WARNING.match(line)]

    # Where Open vSwitch takes a field without what it needs, and normalises, xvs says what is wrong: --strict does too.
    assert lines(ours(*words, input=MATCHES)[1]) == lines(theirs("--strict", *words, input=MATCHES)[1])


def test_messages_of_a_capture(tmp_path):
    """Two connections, one of them with its segments out of order, twice, and in pieces."""
    scapy = pytest.importorskip("scapy.all")
    hello, features = bytes.fromhex("0400000800000001"), bytes.fromhex("0405000800000002")
    text = bytes.fromhex("040200140000000368656c6c6f2c20776f726c64")
    ends = {"a": ("10.0.0.1", 40000, "10.0.0.2", 6653), "b": ("10.0.0.3", 40001, "10.0.0.2", 6633)}
    frames = []

    def segment(end, seq, data, flags="A"):
        src, sport, dst, dport = ends[end]
        frames.append(scapy.Ether() / scapy.IP(src=src, dst=dst) / scapy.TCP(sport=sport, dport=dport, seq=seq, flags=flags) / data)

    segment("a", 99, b"", "S")
    segment("b", 999, b"", "S")
    segment("a", 100, hello[:3])
    segment("b", 1008, features)
    segment("a", 103, hello[3:] + text[:10])
    segment("b", 1000, hello)
    segment("a", 103, hello[3:] + text[:10])
    segment("a", 118, text[10:])
    path = tmp_path / "pcap"
    scapy.wrpcap(str(path), frames)
    said = ours("ofp-parse-pcap", path)[1]
    assert re.findall(r"OFPT_\w+", said) == ["OFPT_HELLO", "OFPT_HELLO", "OFPT_FEATURES_REQUEST", "OFPT_ECHO_REQUEST"]
    assert "10.0.0.1.40000 > 10.0.0.2.6653: " in said and "12 bytes of payload" in said
    assert ours("ofp-parse-pcap", path, "80") == (0, "")
    everything = tmp_path / "messages"
    everything.write_bytes(hello + text)
    assert ours("ofp-parse", everything) == theirs("ofp-parse", everything)
    everything.write_bytes(hello + text[:9])
    done = xvs.run(xvs.OFCTL, "ofp-parse", everything, check=False)
    assert done.returncode == 1 and "message at byte 8 is 20 bytes long" in done.stderr


FLOWS_A = """priority=1,ip,actions=1
priority=2,arp,actions=2
idle_timeout=3,hard_timeout=4,reg0=1,actions=drop
table=2,cookie=5,tcp actions=goto_table:3
actions=drop
priority=9,actions=NORMAL
"""
FLOWS_B = """priority=1,ip,actions=2
priority=2,arp,actions=2
table=2,cookie=4,tcp actions=goto_table:3
table=1,actions=drop
"""


def test_diff_flows(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_text(FLOWS_A)
    b.write_text(FLOWS_B)
    for words in ([a, b], [b, a], [a, a]):
        status, text = theirs("diff-flows", *words)
        ours_status, ours_text = ours("diff-flows", *words)
        assert (ours_status, sorted(ours_text.splitlines())) == (status, sorted(text.splitlines()))


@pytest.mark.parametrize("words, complaint", [
    (["ofp-print", "0400000"], "two for each byte"),
    (["ofp-print", "xyz"], "two for each byte"),
    (["print-error", "OFPBRC_BAD_TIPE"], "did you mean 'OFPBRC_BAD_TYPE'"),
    (["encode-error-reply", "OFPBRC_BAD_TYPE", "04"], "OpenFlow message in hexadecimal"),
    (["encode-hello", "0"], "a set of versions"),
    (["parse-actions", "OpenFlow99"], "OpenFlow99"),
    (["ofp-parse", "/nowhere"], "No such file"),
    (["ofp-parse-pcap", "/nowhere"], "No such file"),
    (["diff-flows", "/nowhere", "/nowhere"], "No such file"),
    (["parse-key-value", "a(b"], "is not closed"),
    (["compose-packet", "udp", "0"], "two for each byte"),
])
def test_wrong_words(words, complaint):
    done = xvs.run(xvs.OFCTL, *words, check=False)
    assert done.returncode == 1 and complaint in done.stderr


# What Open vSwitch takes and xvs refuses: with --ovs-compat it does what Open vSwitch does.
LENIENT = """
nw_src=10.0.0.1,actions=2
nw_dst=10.0.0.0/8,actions=2
tp_dst=80,actions=2
ip,tp_dst=80,actions=2
nw_proto=6,tp_dst=80,actions=2
ip,ipv6_src=::1,actions=2
ipv6,nw_src=1.2.3.4,actions=2
arp_spa=1.2.3.4,actions=2
ip,arp_spa=1.2.3.4,actions=2
nw_frag=yes,actions=2
nw_tos=4,actions=2
nw_ttl=4,actions=2
tcp_flags=+syn,actions=2
mpls_label=5,actions=2
icmp6,nd_target=::1,actions=2
icmp6,icmp_type=128,nd_target=::1,actions=2
udp,tcp_dst=1,actions=2
dl_vlan=0xffff,dl_vlan_pcp=1,actions=2
tcp,tp_dst=80,tp_dst=90,actions=2
ip,nw_src=1.1.1.1,nw_src=2.2.2.2,actions=2
priority=1,priority=2,actions=2
dl_type=0x800,dl_type=0x806,actions=2
ip,arp,actions=2
tcp,udp,actions=2
ip,nw_src=10.0.0.999,actions=2
ip,nw_src=10.0.0.256,actions=2
ip,nw_src=300.1.2.3/8,actions=2
ip,nw_src=10.0.0.1/255.255.256.0,actions=2
dl_vlan=5000,actions=2
dl_vlan=4096,actions=2
dl_vlan_pcp=9,actions=2
ip,nw_tos=255,actions=2
ip,nw_tos=3,actions=2
ip,ip_dscp=70,actions=2
ip,nw_ecn=5,actions=2
mpls,mpls_label=2000000,actions=2
mpls,mpls_bos=2,actions=2
table=255,actions=2
send_flow_rem=1,actions=2
actions=exit:1
ip,actions=OUTPUT:2
ip,actions=flood:2
actions=resubmit(1
actions=clone(2
actions=set_queue:5000000000
actions=group:5000000000
ip,nw_src=10.0.0.999,nw_src=10.0.0.998,tp_dst=80,dl_vlan=5000,send_flow_rem=1,actions=FLOOD:3
""".split("\n")[1:-1]


@pytest.mark.parametrize("flow", LENIENT)
def test_ovs_compat(flow):
    def mod(text):
        return re.sub(r" \(xid=\w+\)", "", text)

    strict = xvs.run(xvs.OFCTL, "parse-flow", flow, check=False)
    assert strict.returncode == 1 and "^" in strict.stderr
    lenient = xvs.run(xvs.OFCTL, "--ovs-compat", "parse-flow", flow)
    assert "warning: taken as '" in lenient.stderr
    status, said = theirs("-O", "OpenFlow13", "parse-flow", flow)
    assert status == 0 and mod(lenient.stdout) == mod(said.splitlines()[-1] + "\n")


@pytest.mark.parametrize("flow", ["tcp,tp_dst=70000,actions=2", "ip,nw_ttl=300,actions=2", "tpdst=80,actions=2", "actions=output:nosuch",
                                  "ip,nw_src=10.0.0.1/33,actions=2", "tcp,tcp_flags=0x1fff,actions=2", "ip", "actions=drop,output:1"])
def test_ovs_compat_is_not_more_lenient(flow):
    """What Open vSwitch refuses stays refused, in the words about what the user has written."""
    assert theirs("-O", "OpenFlow13", "parse-flow", flow)[0] == 1
    strict, lenient = (xvs.run(xvs.OFCTL, *words, "parse-flow", flow, check=False) for words in ([], ["--ovs-compat"]))
    assert lenient.returncode == 1 and lenient.stderr == strict.stderr


def test_examples_of_ovs_compat_in_the_manual():
    page = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../ofctl/compat.def")
    with open(page, encoding="utf-8") as f:
        examples = re.findall(r'^COMPAT\("(?:[^"\\]|\\.)*", +\w+, +\w+, +"([^"]+)"', f.read(), re.M)
    assert len(examples) > 10
    for flow in examples:
        assert xvs.run(xvs.OFCTL, "parse-flow", flow, check=False).returncode == 1, flow
        assert "taken as" in xvs.run(xvs.OFCTL, "--ovs-compat", "parse-flow", flow).stderr, flow
        assert theirs("-O", "OpenFlow13", "parse-flow", flow)[0] == 0, flow
