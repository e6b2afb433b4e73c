"""Test patterns for os-ken's switch tester (os_ken.tests.switch.tester), one row each, written from OpenFlow 1.3.5.

The tester sends a packet into port 1 of the switch under test, and expects a packet at port 2, or a packet-in; it
compares every byte. Packets are scapy's work, checksums included, so they are right however the switch and os-ken
compute theirs.

PATTERNS maps the name of a pattern to what the tester reads (see document()); ERRORS maps names of those that the
tester must report as failed to a regular expression for what it says, since it has no words of its own for "must be
refused".
"""
import logging
import struct

import scapy.contrib.mpls  # noqa: F401  (binds MPLS to its Ethernet type)
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr,
                                IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop)
from scapy.layers.l2 import ARP, GRE, Dot1AD, Dot1Q, Ether
from scapy.layers.sctp import SCTP, SCTPChunkData
from scapy.packet import Raw

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)  # it misses a checksum in fragments, which we do not want

OUT, OTHER_OUT = 2, 3
IN_PORT, TABLE, NORMAL, FLOOD, ALL, CONTROLLER = (0xfffffff8 + n for n in range(6))
NO_BUFFER = 0xffff
PRESENT = 0x1000  # OFPVID_PRESENT

MAC_A, MAC_B = "02:12:34:56:78:9a", "02:ab:cd:ef:01:23"
IP_A, IP_B = "192.168.10.10", "192.168.20.20"
IP6_A, IP6_B = "2001:db8:1:2:3:4:5:6", "2001:db8:a:b:c:d:e:f"
PAD = bytes(18)  # os-ken makes frames of 60 bytes of shorter ones, with and without a tag
UNKNOWN = 200  # an IP protocol that no switch knows
TEXT = b"the quick brown fox jumps over"


# --- Packets ---

def frame(*layers, **eth):
    p = Ether(**{"src": MAC_A, "dst": MAC_B, **eth})
    for layer in layers:
        p = p / layer
    return bytes(p)


def ip(proto, eth=None, **fields):
    return frame(ipv4_header(**({"proto": UNKNOWN} if proto == "other" else {}), **fields), *L4[proto](), **(eth or {}))


def ip6(proto, eth=None, ext=(), **fields):
    return frame(ipv6_header(**({"nh": UNKNOWN} if proto == "other" else {}), **fields), *ext, *L4[proto](),
                 **(eth or {}))


L4 = {
    "tcp": lambda: [TCP(sport=1111, dport=2222, seq=5, ack=6, flags="PA"), Raw(TEXT)],
    "udp": lambda: [UDP(sport=1111, dport=2222), Raw(TEXT)],
    "sctp": lambda: [SCTP(sport=1111, dport=2222, tag=9) / SCTPChunkData(data=TEXT + b"..")],
    "icmp": lambda: [ICMP(type=8, code=3, id=1, seq=2), Raw(TEXT)],
    "icmp6": lambda: [ICMPv6EchoRequest(id=1, seq=2, code=3, data=TEXT)],
    "gre": lambda: [GRE(proto=0x0800), IP(src="1.2.3.4", dst="4.3.2.1"), UDP(sport=1111, dport=2222), Raw(TEXT)],
    "other": lambda: [Raw(TEXT)],
}
NUMBER = {"tcp": 6, "udp": 17, "sctp": 132, "icmp": 1, "icmp6": 58}
PORTS = {"tcp": TCP, "udp": UDP, "sctp": SCTP}


def l4(ip_header, proto, **fields):
    """A packet with another transport header, such as l4(IPV4, "tcp", sport=5)."""
    layers = L4[proto]()
    for name, value in fields.items():
        setattr(layers[0], name, value)
    return frame(ip_header(), *layers)


def ipv4_header(**fields):
    return IP(**{"src": IP_A, "dst": IP_B, "ttl": 64, "id": 7, **fields})


def ipv6_header(**fields):
    return IPv6(**{"src": IP6_A, "dst": IP6_B, "hlim": 64, **fields})


def arp(tags=(), **fields):
    return frame(*tags,
                 ARP(**{"op": 1, "hwsrc": MAC_A, "psrc": IP_A, "hwdst": "02:00:00:00:00:07", "pdst": IP_B,
                        **fields}), Raw(PAD))


def ns(target="2001:db8::7", sll=MAC_A, **fields):
    options = [ICMPv6NDOptSrcLLAddr(lladdr=sll)] if sll else []
    return frame(ipv6_header(hlim=255), ICMPv6ND_NS(tgt=target, **fields), *options)


def na(target="2001:db8::7", tll=MAC_A, **fields):
    options = [ICMPv6NDOptDstLLAddr(lladdr=tll)] if tll else []
    return frame(ipv6_header(hlim=255), ICMPv6ND_NA(tgt=target, **fields), *options)


def mpls(label=100, cos=3, s=1, ttl=64, ethertype=0x8847, inner=None):
    inner = inner if inner is not None else [ipv4_header(), *L4["udp"]()]
    return frame(MPLS(label=label, cos=cos, s=s, ttl=ttl), *inner, type=ethertype)


def q(vid, pcp=0, tpid=0x8100):
    return (Dot1Q if tpid == 0x8100 else Dot1AD)(vlan=vid, prio=pcp)


def tagged(*tags, inner=None):
    return frame(*tags, *(inner or [ipv4_header(), *L4["udp"]()]))


# --- Flows, as os-ken's JSON has them ---

def oxm(field, value, mask=None):
    return {"OXMTlv": {"field": field, "value": value, **({} if mask is None else {"mask": mask})}}


def out(port=OUT, max_len=NO_BUFFER):
    return {"OFPActionOutput": {"port": port, "max_len": max_len if port == CONTROLLER else 0}}


def set_field(field, value, mask=None):
    return {"OFPActionSetField": {"field": oxm(field, value, mask)}}


def push_vlan(ethertype=0x8100):
    return {"OFPActionPushVlan": {"ethertype": ethertype}}


def push_mpls(ethertype=0x8847):
    return {"OFPActionPushMpls": {"ethertype": ethertype}}


def pop_mpls(ethertype=0x0800):
    return {"OFPActionPopMpls": {"ethertype": ethertype}}


POP_VLAN = {"OFPActionPopVlan": {}}
PUSH_PBB, POP_PBB = {"OFPActionPushPbb": {"ethertype": 0x88e7}}, {"OFPActionPopPbb": {}}
COPY_OUT, COPY_IN, DEC_MPLS = {"OFPActionCopyTtlOut": {}}, {"OFPActionCopyTtlIn": {}}, {"OFPActionDecMplsTtl": {}}
SET_MPLS_33 = {"OFPActionSetMplsTtl": {"mpls_ttl": 33}}
DEC_TTL = {"OFPActionDecNwTtl": {}}


def set_ttl(ttl):
    return {"OFPActionSetNwTtl": {"nw_ttl": ttl}}


def apply(*actions):
    return {"OFPInstructionActions": {"type": 4, "actions": list(actions)}}


def write(*actions):
    return {"OFPInstructionActions": {"type": 3, "actions": list(actions)}}


def clear():
    return {"OFPInstructionActions": {"type": 5, "actions": []}}


def goto(table):
    return {"OFPInstructionGotoTable": {"table_id": table}}


def metadata(value, mask=0xffffffffffffffff):
    return {"OFPInstructionWriteMetadata": {"metadata": value, "metadata_mask": mask}}


def flow(match, *instructions, table=0, priority=100):
    return {"OFPFlowMod": {"table_id": table, "priority": priority, "buffer_id": 0xffffffff,
                           "match": {"OFPMatch": {"type": 1, "oxm_fields": [oxm(*m) for m in match]}},
                           "instructions": list(instructions)}}


# Priority 1 and not 0: the tester wants a packet-in that an action has sent.
ELSE_CONTROLLER = flow([], apply(out(CONTROLLER)), priority=1)

PATTERNS = {}
ERRORS = {}


def text(packet):
    """The tester evaluates Python, and joins the parts by '/'."""
    return [f"ethernet(dst='{packet[:6].hex(':')}', src='{packet[6:12].hex(':')}', "
            f"ethertype={int.from_bytes(packet[12:14], 'big')})", f"bytes.fromhex('{packet[14:].hex()}')"]


def pattern(name, flows, *tests):
    assert name not in PATTERNS, name
    PATTERNS[name] = {"description": name, "prerequisite": flows, "tests": [
        {"ingress": text(ingress),
         kind: result if kind == "table-miss" else text(result)} for ingress, kind, result in tests]}


def match(name, fields, hits, misses):
    """What matches leaves by port 2, what does not goes to the controller, both as they came."""
    pattern("match " + name, [flow(fields, apply(out())), ELSE_CONTROLLER],
            *[(p, "egress", p) for p in hits], *[(p, "PACKET_IN", p) for p in misses])


def action(name, actions, before, after, fields=(), kind="egress", last=None):
    pattern("action " + name, [flow(fields, apply(*actions, last or out()))], (before, kind, after))


def refused_flows(name, flows, kind, code):
    """OpenFlow 1.3.5, 7.4.4: the error's type and code."""
    pattern(name, flows)
    ERRORS[name] = rf"OFPErrorMsg\[type=0x{kind:02x}, code=0x{code:02x}\]"


def refused(name, fields, actions, kind, code):
    refused_flows(name, [flow(fields, apply(*actions, out()))], kind, code)


def document(description, names):
    """The contents of a file for the tester."""
    return [description, *(PATTERNS[name] for name in names)]


# --- Matches ---

UDP4, TCP4, UDP6, TCP6 = ip("udp"), ip("tcp"), ip6("udp"), ip6("tcp")
IPV4, IPV6, ARPS, MPLS_U = ("eth_type", 0x0800), ("eth_type", 0x86dd), ("eth_type", 0x0806), ("eth_type", 0x8847)
EVERYTHING = [UDP4, TCP4, ip("sctp"), ip("icmp"), UDP6, TCP6, ip6("sctp"), ip6("icmp6"), arp(), ns(), na(), mpls(),
              tagged(q(5, 3)), tagged(q(9, tpid=0x88a8), q(5))]


def without(*packets):
    return [p for p in EVERYTHING if p not in packets]


def mac_matches(name, field, prereq, make, others):
    """A field of 48 bits; make(address) is a packet that has it."""
    match(name, prereq + [(field, "22:33:44:55:66:77")], [make("22:33:44:55:66:77")],
          [make("22:33:44:55:66:76"), make("20:33:44:55:66:77")] + others)
    for mask, value, hit, miss in [
            ("ff:ff:ff:00:00:00", "22:33:44:00:00:00", "22:33:44:12:34:56", "22:33:45:55:66:77"),
            ("00:00:00:ff:ff:ff", "00:00:00:55:66:77", "02:00:00:55:66:77", "22:33:44:55:66:76"),
            ("ff:00:ff:00:ff:0f", "22:00:44:00:66:07", "22:99:44:99:66:97", "22:99:44:99:66:98"),
            ("02:00:00:00:00:00", "02:00:00:00:00:00", "22:33:44:55:66:77", "20:33:44:55:66:77")]:
        match(f"{name}/{mask}", prereq + [(field, value, mask)], [make(hit)], [make(miss)] + others)


def ip4_matches(name, field, prereq, make, others):
    match(name, prereq + [(field, "10.20.30.40")], [make("10.20.30.40")],
          [make("10.20.30.41"), make("11.20.30.40")] + others)
    for mask, value, hit, miss in [
            ("255.255.255.0", "10.20.30.0", "10.20.30.99", "10.20.31.40"),
            ("255.128.0.0", "10.0.0.0", "10.127.255.255", "10.128.0.0"),
            ("0.0.0.1", "0.0.0.1", "99.99.99.99", "99.99.99.98"),
            ("255.0.255.15", "10.0.30.8", "10.77.30.40", "10.20.30.41"),
            ("128.0.0.0", "128.0.0.0", "200.1.1.1", "10.20.30.40")]:
        match(f"{name}/{mask}", prereq + [(field, value, mask)], [make(hit)], [make(miss)] + others)


def ip6_matches(name, field, prereq, make, others, masks=True):
    match(name, prereq + [(field, "2001:db8:bd05:1d2:288a:1fc0:1:10ee")],
          [make("2001:db8:bd05:1d2:288a:1fc0:1:10ee")],
          [make("2001:db8:bd05:1d2:288a:1fc0:1:10ef"), make("2001:db9:bd05:1d2:288a:1fc0:1:10ee")] + others)
    for mask, value, hit, miss in [
            ("ffff:ffff:ffff:ffff::", "2001:db8:bd05:1d2::", "2001:db8:bd05:1d2::1", "2001:db8:bd05:1d3::1"),
            ("ffff:fff8::", "2001:db8::", "2001:dbf::", "2001:dc0::"),
            ("::ffff:ffff", "::1:10ee", "fe80::1:10ee", "fe80::1:10ef"),
            ("::1", "::1", "2001:db8::ffff", "2001:db8::fffe"),
            ("ff00:0:ff::f000:0:f:0", "2000:0:b8::3000:0:d:0", "2099:1:99b8::3fff:1:123d:1",
             "2099:1:99b8::3fff:1:123e:1")
            ] if masks else []:
        match(f"{name}/{mask}", prereq + [(field, value, mask)], [make(hit)], [make(miss)] + others)


match("nothing", [], EVERYTHING, [])
match("in_port", [("in_port", 1)], EVERYTHING, [])
match("in_port=2", [("in_port", 2)], [], EVERYTHING[:2])
match("in_phy_port", [("in_port", 1), ("in_phy_port", 1)], EVERYTHING[:2], [])
match("in_phy_port=2", [("in_port", 1), ("in_phy_port", 2)], [], EVERYTHING[:2])
match("tunnel_id=1", [("tunnel_id", 1)], [], EVERYTHING)
match("tunnel_id/mask", [("tunnel_id", 0x100, 0xff00)], [], [UDP4])
match("metadata=0", [("metadata", 0)], [UDP4, arp()], [])
match("metadata=1", [("metadata", 1)], [], [UDP4, arp()])

mac_matches("eth_dst", "eth_dst", [], lambda a: ip("udp", eth={"dst": a}), [])
mac_matches("eth_src", "eth_src", [], lambda a: ip("udp", eth={"src": a}), [])
match("eth_dst multicast bit", [("eth_dst", "01:00:00:00:00:00", "01:00:00:00:00:00")],
      [ip("udp", eth={"dst": "ff:ff:ff:ff:ff:ff"}), ip6("udp", eth={"dst": "33:33:00:00:00:01"})], [UDP4, UDP6])
match("eth_type=0x0800", [IPV4], [UDP4, tagged(q(5, 3)), tagged(q(9, tpid=0x88a8)), ip("other")],
      [UDP6, arp(), mpls(), frame(Raw(TEXT), type=0x88b5)])
match("eth_type=0x86dd", [IPV6], [UDP6, TCP6, ns()], [UDP4, arp()])
match("eth_type=0x0806", [ARPS], [arp(), arp(op=2)], [UDP4, UDP6])
match("eth_type=0x8847", [MPLS_U], [mpls(), mpls(s=0, inner=[MPLS(label=7, s=1), ipv4_header()])],
      [mpls(ethertype=0x8848), UDP4])
match("eth_type=0x8848", [("eth_type", 0x8848)], [mpls(ethertype=0x8848)], [mpls()])
match("eth_type=0x88b5", [("eth_type", 0x88b5)],
      [frame(Raw(TEXT), type=0x88b5), frame(q(5), Raw(TEXT), type=0x8100)[:16] + b"\x88\xb5" + TEXT],
      [frame(Raw(TEXT), type=0x88b6)])

T5, T5P3, T6, AD5 = tagged(q(5)), tagged(q(5, 3)), tagged(q(6)), tagged(q(5, tpid=0x88a8))
match("vlan_vid none", [("vlan_vid", 0)], [UDP4, UDP6, arp()], [T5, T5P3, AD5, tagged(q(0))])
match("vlan_vid=5", [("vlan_vid", PRESENT | 5)],
      [T5, T5P3, AD5, tagged(q(5), q(6)), tagged(q(5), inner=[ipv6_header(), *L4["tcp"]()])],
      [UDP4, T6, tagged(q(6), q(5)), tagged(q(6, tpid=0x88a8), q(5))])
match("vlan_vid=0", [("vlan_vid", PRESENT)], [tagged(q(0)), tagged(q(0, 7))], [UDP4, T5])
match("vlan_vid=4095", [("vlan_vid", PRESENT | 4095)], [tagged(q(4095))], [tagged(q(4094)), UDP4])
match("vlan_vid any", [("vlan_vid", PRESENT, PRESENT)], [T5, T6, AD5, tagged(q(0))], [UDP4, arp()])
match("vlan_vid/0x1f00", [("vlan_vid", PRESENT | 0x300, 0x1f00)], [tagged(q(0x3ff)), tagged(q(0x300))],
      [tagged(q(0x4ff)), UDP4])
match("vlan_vid/0x1001", [("vlan_vid", PRESENT | 1, 0x1001)], [T5, tagged(q(4095))], [T6, UDP4])
match("vlan_pcp=3", [("vlan_vid", PRESENT | 5), ("vlan_pcp", 3)], [T5P3], [T5, tagged(q(5, 2)), tagged(q(6, 3)), UDP4])
match("vlan_pcp=0", [("vlan_vid", PRESENT, PRESENT), ("vlan_pcp", 0)], [T5, T6, tagged(q(5), q(6, 3))], [T5P3, UDP4])
match("vlan_vid and IPv4", [IPV4, ("vlan_vid", PRESENT | 5), ("ipv4_src", IP_A)], [T5, T5P3, AD5], [T6, UDP4])

match("mpls_label", [MPLS_U, ("mpls_label", 100)], [mpls(), mpls(s=0, inner=[MPLS(label=7, s=1), ipv4_header()])],
      [mpls(101), mpls(ethertype=0x8848), UDP4])
match("mpls_label max", [MPLS_U, ("mpls_label", 0xfffff)], [mpls(0xfffff)], [mpls(0x7ffff), mpls(0xffffe)])
match("mpls_tc", [MPLS_U, ("mpls_tc", 3)], [mpls(), mpls(101)], [mpls(cos=2), mpls(cos=7), UDP4])
match("mpls_bos=1", [MPLS_U, ("mpls_bos", 1)], [mpls()], [mpls(s=0, inner=[MPLS(label=7, s=1), ipv4_header()])])
match("mpls_bos=0", [MPLS_U, ("mpls_bos", 0)], [mpls(s=0, inner=[MPLS(label=7, s=1), ipv4_header()])], [mpls()])
match("mpls_label multicast", [("eth_type", 0x8848), ("mpls_label", 100)], [mpls(ethertype=0x8848)], [mpls()])

for version, eth_type, make, tos in [("IPv4", IPV4, ip, "tos"), ("IPv6", IPV6, ip6, "tc")]:
    twin = ip6 if make is ip else ip
    twin_tos = "tc" if make is ip else "tos"
    for dscp in (10, 63, 0):
        match(f"ip_dscp={dscp} {version}", [eth_type, ("ip_dscp", dscp)],
              [make("tcp", **{tos: dscp << 2}), make("udp", **{tos: dscp << 2 | 3}), make("other", **{tos: dscp << 2})],
              [make("tcp", **{tos: (dscp ^ 1) << 2}), make("tcp", **{tos: (dscp ^ 32) << 2}),
               twin("tcp", **{twin_tos: dscp << 2}), arp()])
    for ecn in range(4):
        match(f"ip_ecn={ecn} {version}", [eth_type, ("ip_ecn", ecn)],
              [make("tcp", **{tos: ecn}), make("sctp", **{tos: 0xfc | ecn})],
              [make("tcp", **{tos: ecn ^ 1}), make("tcp", **{tos: 0xfc | ecn ^ 2}), twin("tcp", **{twin_tos: ecn}),
               arp()])
    protocols = ["tcp", "udp", "sctp", "icmp" if make is ip else "icmp6"]
    for proto in protocols:
        match(f"ip_proto={proto} {version}", [eth_type, ("ip_proto", NUMBER[proto])], [make(proto)],
              [make(p) for p in protocols if p != proto] + [twin(proto)])
    match(f"ip_proto=200 {version}", [eth_type, ("ip_proto", UNKNOWN)], [make("other")], [make("tcp")])
    header = ipv4_header if make is ip else ipv6_header
    twin_header = ipv6_header if make is ip else ipv4_header
    for proto in PORTS:
        for side, scapys in ("src", "sport"), ("dst", "dport"):
            match(f"{proto}_{side} {version}", [eth_type, ("ip_proto", NUMBER[proto]), (f"{proto}_{side}", 4660)],
                  [l4(header, proto, **{scapys: 4660})],
                  [l4(header, proto, **{scapys: 4661}), l4(header, proto, **{scapys: 4660 ^ 0x8000}), make(proto),
                   l4(twin_header, proto, **{scapys: 4660})]
                  + [l4(header, p, **{scapys: 4660}) for p in PORTS if p != proto])
        match(f"{proto} ports {version}",
              [eth_type, ("ip_proto", NUMBER[proto]), (f"{proto}_src", 1111), (f"{proto}_dst", 2222)],
              [make(proto)], [l4(header, proto, sport=1112), l4(header, proto, dport=2223),
                              l4(header, proto, sport=2222, dport=1111)])

ip4_matches("ipv4_src", "ipv4_src", [IPV4], lambda a: ip("udp", src=a), [arp(psrc="10.20.30.40"), UDP6])
ip4_matches("ipv4_dst", "ipv4_dst", [IPV4], lambda a: ip("tcp", dst=a), [arp(pdst="10.20.30.40"), UDP6])
match("ipv4_dst of another protocol", [IPV4, ("ipv4_dst", IP_B)], [ip("gre"), ip("other"), ip("icmp")], [])
match("ipv4_dst of a fragment", [IPV4, ("ipv4_dst", IP_B)], [ip("udp", frag=100), ip("udp", flags="MF")], [])
match("udp_dst of a fragment", [IPV4, ("ip_proto", 17), ("udp_dst", 2222)], [ip("udp", flags="MF")],
      [ip("udp", frag=100)])
match("ip_proto of a fragment", [IPV4, ("ip_proto", 17)], [ip("udp", flags="MF"), ip("udp", frag=100)], [])
ip6_matches("ipv6_src", "ipv6_src", [IPV6], lambda a: ip6("udp", src=a), [UDP4])
ip6_matches("ipv6_dst", "ipv6_dst", [IPV6], lambda a: ip6("tcp", dst=a), [UDP4])
match("ipv6_flabel", [IPV6, ("ipv6_flabel", 0x12345)], [ip6("udp", fl=0x12345), ip6("tcp", fl=0x12345, tc=255)],
      [UDP6, ip6("udp", fl=0x12344), ip6("udp", fl=0x92345), UDP4])
match("ipv6_flabel/0xf0000", [IPV6, ("ipv6_flabel", 0x10000, 0xf0000)], [ip6("udp", fl=0x12345)],
      [ip6("udp", fl=0x22345), UDP4])
match("ipv6_flabel/0x0ffff", [IPV6, ("ipv6_flabel", 0x2345, 0xffff)], [ip6("udp", fl=0x12345), ip6("udp", fl=0x2345)],
      [ip6("udp", fl=0x12344), UDP4])
match("ipv6_flabel/1", [IPV6, ("ipv6_flabel", 1, 1)], [ip6("udp", fl=0x12345)], [UDP6, UDP4])
EXTENDED = [ip6("udp", ext=[IPv6ExtHdrHopByHop()]), ip6("udp", ext=[IPv6ExtHdrDestOpt()]),
            ip6("udp", ext=[IPv6ExtHdrHopByHop(), IPv6ExtHdrDestOpt(), IPv6ExtHdrFragment(offset=0, m=1)])]
match("ip_proto behind extension headers", [IPV6, ("ip_proto", 17)], EXTENDED, [ip6("tcp", ext=[IPv6ExtHdrHopByHop()])])
match("udp_dst behind extension headers", [IPV6, ("ip_proto", 17), ("udp_dst", 2222)], EXTENDED,
      [ip6("udp", ext=[IPv6ExtHdrFragment(offset=100)])])

ip4_matches("arp_spa", "arp_spa", [ARPS], lambda a: arp(psrc=a), [ip("udp", src="10.20.30.40")])
ip4_matches("arp_tpa", "arp_tpa", [ARPS], lambda a: arp(pdst=a), [ip("udp", dst="10.20.30.40")])
mac_matches("arp_sha", "arp_sha", [ARPS], lambda a: arp(hwsrc=a), [UDP4])
mac_matches("arp_tha", "arp_tha", [ARPS], lambda a: arp(hwdst=a), [UDP4])
match("arp_op=1", [ARPS, ("arp_op", 1)], [arp()], [arp(op=2), arp(op=0), arp(op=257), UDP4])
match("arp_op=2", [ARPS, ("arp_op", 2)], [arp(op=2)], [arp()])
match("arp_op=256", [ARPS, ("arp_op", 256)], [arp(op=256)], [arp(), arp(op=0)])

match("icmpv4_type", [IPV4, ("ip_proto", 1), ("icmpv4_type", 8)], [ip("icmp"), l4(ipv4_header, "icmp", code=0)],
      [l4(ipv4_header, "icmp", type=0), l4(ipv4_header, "icmp", type=3), ip6("icmp6"), UDP4])
match("icmpv4_code", [IPV4, ("ip_proto", 1), ("icmpv4_code", 3)], [ip("icmp"), l4(ipv4_header, "icmp", type=3)],
      [l4(ipv4_header, "icmp", code=0), UDP4])
match("icmpv6_type", [IPV6, ("ip_proto", 58), ("icmpv6_type", 128)], [ip6("icmp6")],
      [l4(ipv6_header, "icmp6", type=129), ns(), ip("icmp"), UDP6])
match("icmpv6_code", [IPV6, ("ip_proto", 58), ("icmpv6_code", 3)], [ip6("icmp6")],
      [l4(ipv6_header, "icmp6", code=2), ns(), UDP6])
NS, NA = [IPV6, ("ip_proto", 58), ("icmpv6_type", 135)], [IPV6, ("ip_proto", 58), ("icmpv6_type", 136)]
ip6_matches("ipv6_nd_target of a solicitation", "ipv6_nd_target", NS, ns,
            [na("2001:db8:bd05:1d2:288a:1fc0:1:10ee"), UDP6], masks=False)
ip6_matches("ipv6_nd_target of an advertisement", "ipv6_nd_target", NA, na,
            [ns("2001:db8:bd05:1d2:288a:1fc0:1:10ee"), UDP6], masks=False)
match("ipv6_nd_sll", NS + [("ipv6_nd_sll", MAC_A)], [ns()], [ns(sll=MAC_B), ns(sll=None), na()])
match("ipv6_nd_tll", NA + [("ipv6_nd_tll", MAC_A)], [na()], [na(tll=MAC_B), na(tll=None), ns()])
pattern("table-miss without a table-miss entry drops", [flow([IPV6], apply(out()))], (UDP4, "table-miss", [0]))
pattern("table-miss in the second table", [flow([], goto(1)), flow([IPV6], apply(out()), table=1)],
        (UDP4, "table-miss", [1]))
pattern("priority", [
    flow([IPV4], apply(out(CONTROLLER)), priority=10), flow([IPV4, ("ipv4_src", IP_A)], apply(out()), priority=20),
    flow([("in_port", 1)], apply(out(CONTROLLER)), priority=15)],
        (UDP4, "egress", UDP4), (UDP6, "PACKET_IN", UDP6))

VLAN_ANY = ("vlan_vid", PRESENT, PRESENT)

# --- Actions: output ---

for port, name in (OUT, "2"), (ALL, "ALL"), (FLOOD, "FLOOD"), (NORMAL, "NORMAL"):
    action(f"output:{name}", [], UDP4, UDP4, last=out(port))
action("output:CONTROLLER", [], UDP4, UDP4, kind="PACKET_IN", last=out(CONTROLLER))
action("output:CONTROLLER of a large packet", [], ip("udp") + bytes(1300), ip("udp") + bytes(1300), kind="PACKET_IN",
       last=out(CONTROLLER))
action("set_field before and after output", [set_field("eth_src", MAC_B), out(), set_field("eth_src", MAC_A)], UDP4,
       ip("udp", eth={"src": MAC_B}), last=out(OTHER_OUT))
action("output to the controller with changes", [set_field("eth_src", MAC_B)], UDP4, ip("udp", eth={"src": MAC_B}),
       kind="PACKET_IN", last=out(CONTROLLER))
pattern("action output twice leaves the first as it was",
        [flow([IPV4], apply(out(), set_field("ipv4_src", "1.2.3.4"), out(OTHER_OUT)))], (UDP4, "egress", UDP4))
pattern("action output, change, output",
        [flow([IPV4],
              apply(set_field("ipv4_src", "1.2.3.4"), out(OTHER_OUT), set_field("ipv4_src", "1.2.3.5"), out()))],
        (UDP4, "egress", ip("udp", src="1.2.3.5")))


# --- Actions: set_field ---

def set_fields(name, field, value, before, after, fields=()):
    action(f"set_field {name}", [set_field(field, value)], before, after, fields)
    # The same through the action set.
    pattern(f"write set_field {name}", [flow(fields, write(out(), set_field(field, value)))], (before, "egress", after))


set_fields("eth_dst", "eth_dst", "22:33:44:55:66:77", UDP4, ip("udp", eth={"dst": "22:33:44:55:66:77"}))
set_fields("eth_src", "eth_src", "22:33:44:55:66:77", UDP6, ip6("udp", eth={"src": "22:33:44:55:66:77"}))
set_fields("vlan_vid", "vlan_vid", PRESENT | 300, T5P3, tagged(q(300, 3)), [VLAN_ANY])
set_fields("vlan_vid of 802.1ad", "vlan_vid", PRESENT | 300, tagged(q(5, tpid=0x88a8), q(6, 1)),
           tagged(q(300, tpid=0x88a8), q(6, 1)), [VLAN_ANY])
set_fields("vlan_pcp", "vlan_pcp", 6, T5P3, tagged(q(5, 6)), [VLAN_ANY])
set_fields("mpls_label", "mpls_label", 0xabcde, mpls(), mpls(0xabcde), [MPLS_U])
set_fields("mpls_tc", "mpls_tc", 5, mpls(), mpls(cos=5), [MPLS_U])
for proto in ("tcp", "udp", "sctp", "icmp", "other"):
    set_fields(f"ip_dscp IPv4 {proto}", "ip_dscp", 46, ip(proto, tos=0x29), ip(proto, tos=46 << 2 | 1), [IPV4])
    set_fields(f"ip_ecn IPv4 {proto}", "ip_ecn", 2, ip(proto, tos=0x29), ip(proto, tos=0x2a), [IPV4])
    set_fields(f"ipv4_src {proto}", "ipv4_src", "10.1.2.3", ip(proto), ip(proto, src="10.1.2.3"), [IPV4])
    set_fields(f"ipv4_dst {proto}", "ipv4_dst", "10.1.2.3", ip(proto), ip(proto, dst="10.1.2.3"), [IPV4])
for proto in ("tcp", "udp", "sctp", "icmp6", "other"):
    set_fields(f"ip_dscp IPv6 {proto}", "ip_dscp", 46, ip6(proto, tc=0x29, fl=0xfffff),
               ip6(proto, tc=46 << 2 | 1, fl=0xfffff), [IPV6])
    set_fields(f"ip_ecn IPv6 {proto}", "ip_ecn", 2, ip6(proto, tc=0x29, fl=0xfffff), ip6(proto, tc=0x2a, fl=0xfffff),
               [IPV6])
    set_fields(f"ipv6_src {proto}", "ipv6_src", "fe80::1:2", ip6(proto), ip6(proto, src="fe80::1:2"), [IPV6])
    set_fields(f"ipv6_dst {proto}", "ipv6_dst", "fe80::1:2", ip6(proto), ip6(proto, dst="fe80::1:2"), [IPV6])
    set_fields(f"ipv6_flabel {proto}", "ipv6_flabel", 0x54321, ip6(proto, tc=0xff), ip6(proto, tc=0xff, fl=0x54321),
               [IPV6])
for proto, number in ("tcp", 6), ("udp", 17), ("sctp", 132):
    for version, eth_type, header in ("IPv4", IPV4, ipv4_header), ("IPv6", IPV6, ipv6_header):
        for side, scapys in ("src", "sport"), ("dst", "dport"):
            set_fields(f"{proto}_{side} {version}", f"{proto}_{side}", 54321, l4(header, proto),
                       l4(header, proto, **{scapys: 54321}),
                       [eth_type, ("ip_proto", number)])
set_fields("udp_dst without checksum", "udp_dst", 54321, l4(ipv4_header, "udp", chksum=0),
           l4(ipv4_header, "udp", chksum=0, dport=54321), [IPV4, ("ip_proto", 17)])
set_fields("ipv4_src of UDP without checksum", "ipv4_src", "10.1.2.3", l4(ipv4_header, "udp", chksum=0),
           l4(lambda: ipv4_header(src="10.1.2.3"), "udp", chksum=0), [IPV4])
set_fields("ipv4_src of a VLAN packet", "ipv4_src", "10.1.2.3", T5P3,
           tagged(q(5, 3), inner=[ipv4_header(src="10.1.2.3"), *L4["udp"]()]), [IPV4])
for proto in ("udp", "tcp", "icmp6"):
    chain = [IPv6ExtHdrHopByHop(), IPv6ExtHdrDestOpt()]
    set_fields(f"ipv6_dst behind extension headers {proto}", "ipv6_dst", "fe80::1:2", ip6(proto, ext=chain),
               ip6(proto, ext=chain, dst="fe80::1:2"), [IPV6])
set_fields("eth_type", "eth_type", 0x88b5, UDP4, UDP4[:12] + b"\x88\xb5" + UDP4[14:])
set_fields("ip_proto", "ip_proto", 201, ip("other"), frame(ipv4_header(proto=201), *L4["other"]()), [IPV4])
set_fields("ip_proto IPv6", "ip_proto", 201, ip6("other"), frame(ipv6_header(nh=201), *L4["other"]()), [IPV6])
set_fields("mpls_bos", "mpls_bos", 0, mpls(), mpls(s=0), [MPLS_U])
set_fields("arp_op", "arp_op", 2, arp(), arp(op=2), [ARPS])
set_fields("arp_spa", "arp_spa", "10.1.2.3", arp(), arp(psrc="10.1.2.3"), [ARPS])
set_fields("arp_tpa", "arp_tpa", "10.1.2.3", arp(), arp(pdst="10.1.2.3"), [ARPS])
set_fields("arp_sha", "arp_sha", "22:33:44:55:66:77", arp(), arp(hwsrc="22:33:44:55:66:77"), [ARPS])
set_fields("arp_tha", "arp_tha", "22:33:44:55:66:77", arp(), arp(hwdst="22:33:44:55:66:77"), [ARPS])
set_fields("icmpv4_type", "icmpv4_type", 0, ip("icmp"), l4(ipv4_header, "icmp", type=0), [IPV4, ("ip_proto", 1)])
set_fields("icmpv4_code", "icmpv4_code", 9, ip("icmp"), l4(ipv4_header, "icmp", code=9), [IPV4, ("ip_proto", 1)])
set_fields("icmpv6_type", "icmpv6_type", 129, ip6("icmp6"), l4(ipv6_header, "icmp6", type=129),
           [IPV6, ("ip_proto", 58)])
set_fields("icmpv6_code", "icmpv6_code", 9, ip6("icmp6"), l4(ipv6_header, "icmp6", code=9), [IPV6, ("ip_proto", 58)])
set_fields("ipv6_nd_target of a solicitation", "ipv6_nd_target", "fe80::1:2", ns(), ns("fe80::1:2"), NS)
set_fields("ipv6_nd_target of an advertisement", "ipv6_nd_target", "fe80::1:2", na(), na("fe80::1:2"), NA)
set_fields("ipv6_nd_sll", "ipv6_nd_sll", "22:33:44:55:66:77", ns(), ns(sll="22:33:44:55:66:77"), NS)
set_fields("ipv6_nd_tll", "ipv6_nd_tll", "22:33:44:55:66:77", na(), na(tll="22:33:44:55:66:77"), NA)
pattern("set_field tunnel_id", [flow([], apply(set_field("tunnel_id", 0x123456789a)), goto(1)),
                                flow([("tunnel_id", 0x123456789a)], apply(out()), table=1)], (UDP4, "egress", UDP4))
pattern("set_field, then a match on the new value", [
    flow([IPV4], apply(set_field("ipv4_dst", "10.1.2.3")), goto(1)),
    flow([IPV4, ("ipv4_dst", "10.1.2.3")], apply(out()), table=1),
    flow([], apply(out(CONTROLLER)), table=1, priority=1)],
        (UDP4, "egress", ip("udp", dst="10.1.2.3")))

# --- Actions: VLAN and TTL ---

for name, tpid in ("0x8100", 0x8100), ("0x88a8", 0x88a8):
    action(f"push_vlan:{name}", [push_vlan(tpid)], UDP4, tagged(q(0, tpid=tpid)))
    action(f"push_vlan:{name} and set_field",
           [push_vlan(tpid), set_field("vlan_vid", PRESENT | 300), set_field("vlan_pcp", 6)],
           UDP6, tagged(q(300, 6, tpid), inner=[ipv6_header(), *L4["udp"]()]), [IPV6])
    action(f"push_vlan:{name} on a tagged packet", [push_vlan(tpid)], T5P3, tagged(q(5, 3, tpid), q(5, 3)))
    action(f"push_vlan:{name} on a tagged packet, and set_field",
           [push_vlan(tpid), set_field("vlan_vid", PRESENT | 300)], T5P3, tagged(q(300, 3, tpid), q(5, 3)))
    action(f"push_vlan:{name} twice",
           [push_vlan(), set_field("vlan_vid", PRESENT | 300), push_vlan(tpid), set_field("vlan_vid", PRESENT | 400)],
           UDP4, tagged(q(400, tpid=tpid), q(300)))
    action(f"push_vlan:{name} on ARP", [push_vlan(tpid)], arp(), arp(tags=[q(0, tpid=tpid)]))
    pattern(f"write push_vlan:{name}", [flow([], write(out(), set_field("vlan_vid", PRESENT | 300), push_vlan(tpid)))],
            (UDP4, "egress", tagged(q(300, tpid=tpid))))
    action(f"pop_vlan {name}", [POP_VLAN], tagged(q(5, 3, tpid)), UDP4, [VLAN_ANY])
    action(f"pop_vlan {name} before 0x8100", [POP_VLAN], tagged(q(9, 3, tpid), q(5, 3)), T5P3, [VLAN_ANY])
    pattern(f"pop_vlan {name} twice",
            [flow([VLAN_ANY], apply(POP_VLAN), goto(1)), flow([VLAN_ANY], apply(POP_VLAN, out()), table=1)],
            (tagged(q(9, 3, tpid), q(5, 3)), "egress", UDP4))
    pattern(f"write pop_vlan {name}", [flow([VLAN_ANY], write(out(), POP_VLAN))],
            (tagged(q(5, 3, tpid)), "egress", UDP4))
action("pop_vlan and push_vlan", [POP_VLAN, push_vlan(0x88a8), set_field("vlan_vid", PRESENT | 7)], T5P3,
       tagged(q(7, tpid=0x88a8)), [VLAN_ANY])
pattern("pop_vlan, then a match on what was inside", [flow([VLAN_ANY], apply(POP_VLAN), goto(1)),
                                                      flow([("vlan_vid", PRESENT | 5)], apply(out()), table=1)],
        (tagged(q(9), q(5)), "egress", T5))
action("set_nw_ttl IPv4", [set_ttl(33)], UDP4, ip("udp", ttl=33), [IPV4])
action("set_nw_ttl IPv6", [set_ttl(33)], TCP6, ip6("tcp", hlim=33), [IPV6])
action("set_nw_ttl VLAN", [set_ttl(1)], T5, tagged(q(5), inner=[ipv4_header(ttl=1), *L4["udp"]()]), [IPV4])
for before in (255, 64, 2):
    action(f"dec_nw_ttl IPv4 {before}", [DEC_TTL], ip("udp", ttl=before), ip("udp", ttl=before - 1), [IPV4])
    action(f"dec_nw_ttl IPv6 {before}", [DEC_TTL], ip6("tcp", hlim=before), ip6("tcp", hlim=before - 1), [IPV6])
action("dec_nw_ttl twice", [DEC_TTL, DEC_TTL], ip("icmp"), ip("icmp", ttl=62), [IPV4])
action("set_nw_ttl and dec_nw_ttl", [set_ttl(10), DEC_TTL], ip("icmp"), ip("icmp", ttl=9), [IPV4])
pattern("write dec_nw_ttl", [flow([IPV4], write(out(), DEC_TTL))], (UDP4, "egress", ip("udp", ttl=63)))
pattern("write set_nw_ttl", [flow([IPV4], write(out(), set_ttl(9)))], (UDP4, "egress", ip("udp", ttl=9)))
# The packet goes no farther, and the controller has not asked for OFPR_INVALID_TTL. The tester waits 3 s for each.
for name, packet, eth_type in [("IPv4 1", ip("udp", ttl=1), IPV4), ("IPv6 0", ip6("udp", hlim=0), IPV6)]:
    pattern(f"dec_nw_ttl {name} drops", [flow([eth_type], apply(DEC_TTL, out()))], (packet, "egress", packet))
    ERRORS[f"dec_nw_ttl {name} drops"] = "Receiving timeout: no change in tx_packets on target"

# --- Actions: MPLS and PBB ---

INNER6 = [ipv6_header(), *L4["udp"]()]
TWO = [MPLS(label=7, cos=1, s=1, ttl=20), ipv4_header(ttl=30), *L4["udp"]()]
PBB_U = ("eth_type", 0x88e7)


def pbb(isid=0, pcp=0, inner=UDP4):
    """The I-TAG's header in front of a frame, whose addresses it has too."""
    return inner[:12] + struct.pack("!HI", 0x88e7, pcp << 29 | isid) + inner


for name, ethertype in ("0x8847", 0x8847), ("0x8848", 0x8848):
    action(f"push_mpls:{name}", [push_mpls(ethertype)], UDP4, mpls(0, 0, ethertype=ethertype), [IPV4])
    action(f"push_mpls:{name} on IPv6", [push_mpls(ethertype)], UDP6, mpls(0, 0, ethertype=ethertype, inner=INNER6))
    action(f"push_mpls:{name} on MPLS", [push_mpls(ethertype)], mpls(5, 3, 1, 9),
           mpls(5, 3, 0, 9, ethertype, [MPLS(label=5, cos=3, s=1, ttl=9), ipv4_header(), *L4["udp"]()]), [MPLS_U])
    action(f"push_mpls:{name} and set_field", [push_mpls(ethertype), set_field("mpls_label", 100), set_field("mpls_tc", 3)],
           UDP4, mpls(ethertype=ethertype), [IPV4])
action("pop_mpls", [pop_mpls()], mpls(), UDP4, [MPLS_U])
action("pop_mpls to IPv6", [pop_mpls(0x86dd)], mpls(inner=INNER6), UDP6, [MPLS_U])
action("pop_mpls to MPLS", [pop_mpls(0x8847)], mpls(s=0, inner=TWO), frame(*TWO, type=0x8847), [MPLS_U])
action("pop_mpls twice", [pop_mpls(0x8847), pop_mpls()], mpls(s=0, inner=TWO), ip("udp", ttl=30), [MPLS_U])
pattern("pop_mpls, then a match on what was inside", [
    flow([MPLS_U], apply(pop_mpls()), goto(1)), flow([IPV4, ("ip_proto", 17), ("udp_dst", 2222)], apply(out()), table=1)],
        (mpls(), "egress", UDP4))
pattern("write pop_mpls and push_vlan", [flow([MPLS_U], write(out(), set_field("vlan_vid", PRESENT | 5), push_vlan(), pop_mpls()))],
        (mpls(), "egress", T5))
action("set_mpls_ttl", [SET_MPLS_33], mpls(), mpls(ttl=33), [MPLS_U])
action("dec_mpls_ttl", [DEC_MPLS], mpls(), mpls(ttl=63), [MPLS_U])
action("copy_ttl_out from IP", [COPY_OUT], mpls(ttl=9), mpls(ttl=64), [MPLS_U])
action("copy_ttl_out from MPLS", [COPY_OUT], mpls(s=0, inner=TWO), mpls(s=0, ttl=20, inner=TWO), [MPLS_U])
action("copy_ttl_in to IP", [COPY_IN], mpls(ttl=9), mpls(ttl=9, inner=[ipv4_header(ttl=9), *L4["udp"]()]), [MPLS_U])
action("copy_ttl_in to IPv6", [COPY_IN], mpls(ttl=9, inner=INNER6), mpls(ttl=9, inner=[ipv6_header(hlim=9), *L4["udp"]()]),
       [MPLS_U])
action("copy_ttl_in to MPLS", [COPY_IN], mpls(s=0, ttl=9, inner=TWO),
       mpls(s=0, ttl=9, inner=[MPLS(label=7, cos=1, s=1, ttl=9), ipv4_header(ttl=30), *L4["udp"]()]), [MPLS_U])
action("push_pbb", [PUSH_PBB], UDP4, pbb())
action("push_pbb on a VLAN", [PUSH_PBB], T5P3, pbb(pcp=3, inner=T5P3))
action("push_pbb on PBB", [PUSH_PBB], pbb(77), pbb(77, inner=pbb(77)))
action("push_pbb and set_field", [PUSH_PBB, set_field("pbb_isid", 0x123456)], UDP4, pbb(0x123456))
action("pop_pbb", [POP_PBB], pbb(77), UDP4, [PBB_U])
set_fields("pbb_isid", "pbb_isid", 0xabcdef, pbb(77, 5), pbb(0xabcdef, 5), [PBB_U])
match("pbb_isid", [PBB_U, ("pbb_isid", 77)], [pbb(77), pbb(77, 5)], [pbb(78), UDP4])
match("pbb_isid/0xff00ff", [PBB_U, ("pbb_isid", 0x12004d, 0xff00ff)], [pbb(0x12344d)], [pbb(0x13344d), pbb(0x12344c), UDP4])
match("ipv6_exthdr=0", [IPV6, ("ipv6_exthdr", 0)], [UDP6, TCP6], EXTENDED + [UDP4])
match("ipv6_exthdr=0x40", [IPV6, ("ipv6_exthdr", 0x40)], EXTENDED[:1], [UDP6, *EXTENDED[1:]])
match("ipv6_exthdr=0x8", [IPV6, ("ipv6_exthdr", 8)], EXTENDED[1:2], [UDP6, EXTENDED[0]])
match("ipv6_exthdr=0x58", [IPV6, ("ipv6_exthdr", 0x58)], EXTENDED[2:], [UDP6, EXTENDED[0]])
match("ipv6_exthdr/0x40", [IPV6, ("ipv6_exthdr", 0x40, 0x40)], [EXTENDED[0], EXTENDED[2]], [UDP6, EXTENDED[1]])

# --- Instructions and tables ---

pattern("write output", [flow([], write(out()))], (UDP4, "egress", UDP4))
pattern("write output:CONTROLLER", [flow([], write(out(CONTROLLER)))], (UDP4, "PACKET_IN", UDP4))
pattern("write, the later of a kind stays",
        [flow([], write(out(OTHER_OUT)), goto(1)), flow([], write(out()), table=1)], (UDP4, "egress", UDP4))
pattern("write, one of each field stays", [
    flow([IPV4], write(set_field("ipv4_src", "1.1.1.1"), set_field("ipv4_dst", "2.2.2.2")), goto(1)),
    flow([IPV4], write(set_field("ipv4_src", "3.3.3.3"), out()), table=1)],
        (UDP4, "egress", ip("udp", src="3.3.3.3", dst="2.2.2.2")))
pattern("write, executed in the order of the action set", [
    flow([IPV4, VLAN_ANY], write(out(), set_field("vlan_vid", PRESENT | 9), DEC_TTL, push_vlan(0x88a8), POP_VLAN))],
        (T5P3, "egress", tagged(q(9, tpid=0x88a8), inner=[ipv4_header(ttl=63), *L4["udp"]()])))
pattern("write is not seen by the next table", [
    flow([IPV4], write(set_field("ipv4_src", "1.1.1.1")), goto(1)),
    flow([IPV4, ("ipv4_src", IP_A)], write(out()), table=1)],
        (UDP4, "egress", ip("udp", src="1.1.1.1")))
pattern("apply before write",
        [flow([IPV4], apply(set_field("ipv4_src", "1.1.1.1")), write(set_field("ipv4_dst", "2.2.2.2"), out()))],
        (UDP4, "egress", ip("udp", src="1.1.1.1", dst="2.2.2.2")))
pattern("clear in the next table", [flow([IPV4], write(set_field("ipv4_src", "1.1.1.1"), out(OTHER_OUT)), goto(1)),
                                    flow([], write(out()), clear(), table=1)], (UDP4, "egress", UDP4))
pattern("clear leaves what was applied",
        [flow([IPV4], apply(set_field("ipv4_src", "1.1.1.1")), write(set_field("ipv4_dst", "2.2.2.2")), goto(1)),
         flow([], apply(out()), clear(), table=1)], (UDP4, "egress", ip("udp", src="1.1.1.1")))
pattern("goto_table",
        [flow([], goto(1)), flow([IPV4], apply(out()), table=1), flow([], apply(out(CONTROLLER)), table=1, priority=1)],
        (UDP4, "egress", UDP4), (UDP6, "PACKET_IN", UDP6))
pattern("goto_table skips tables",
        [flow([], goto(200)), flow([], apply(out(CONTROLLER)), table=1), flow([], goto(253), table=200),
         flow([], apply(out()), table=253)], (UDP4, "egress", UDP4))
pattern("goto_table, apply in each", [
    flow([IPV4], apply(set_field("ipv4_src", "1.1.1.1")), goto(1)),
    flow([IPV4], apply(set_field("ipv4_dst", "2.2.2.2")), goto(2), table=1),
    flow([IPV4, ("ip_proto", 17)], apply(set_field("udp_src", 3), out()), table=2)],
        (UDP4, "egress", frame(ipv4_header(src="1.1.1.1", dst="2.2.2.2"), UDP(sport=3, dport=2222), Raw(TEXT))))
pattern("goto_table, write in each", [
    flow([IPV4], write(out(OTHER_OUT)), goto(1)),
    flow([IPV4], write(set_field("ipv4_dst", "2.2.2.2")), goto(2), table=1), flow([], write(out()), table=2)],
        (UDP4, "egress", ip("udp", dst="2.2.2.2")))
for value, mask, hits, misses in [
        (0x123456789abcdef0, 0xffffffffffffffff,
         [(0x123456789abcdef0,), (0x1200000000000000, 0xff00000000000000), (0xf0, 0xff)],
         [(0x123456789abcdef1,), (0x1300000000000000, 0xff00000000000000)]),
        (0x0000000000000100, 0x000000000000ff00, [(0x100,), (0x100, 0xffff)], [(0x101,), (0x200, 0xff00)]),
        (0x8000000000000000, 0x8000000000000000, [(0x8000000000000000,), (0x8000000000000000, 0x8000000000000000)],
         [(0,), (1, 1)]),
        (0x1, 0x1, [(1,), (1, 1)], [(2, 2), (0,)])]:
    for n, m in enumerate(hits + misses):
        hit = m in hits
        pattern(f"write_metadata:{value:#x}/{mask:#x} {'hits' if hit else 'misses'} {'/'.join(f'{x:#x}' for x in m)}", [
            flow([], metadata(value, mask), goto(1)), flow([("metadata", *m)], apply(out()), table=1),
            flow([], apply(out(CONTROLLER)), table=1, priority=1)], (UDP4, "egress" if hit else "PACKET_IN", UDP4))
pattern("write_metadata twice keeps other bits", [
    flow([], metadata(0xaa00, 0xff00), goto(1)), flow([], metadata(0xbb, 0xff), goto(2), table=1),
    flow([("metadata", 0xaabb)], apply(out()), table=2)], (UDP4, "egress", UDP4))

# --- Groups ---

ALL_GROUP, SELECT, INDIRECT, FAILOVER = range(4)
NO_WATCH = 0xffffffff


def bucket(*actions, weight=0, watch_port=NO_WATCH, watch_group=NO_WATCH):
    return {"OFPBucket": {"weight": weight, "watch_port": watch_port, "watch_group": watch_group, "actions": list(actions)}}


def group(number, kind, *buckets):
    return {"OFPGroupMod": {"command": 0, "type": kind, "group_id": number, "buckets": list(buckets)}}


def to_group(number):
    return {"OFPActionGroup": {"group_id": number}}


TTL_9 = ip("udp", ttl=9)
for name, mods, actions, after in [
        ("all", [group(0, ALL_GROUP, bucket(out(OTHER_OUT)), bucket(out()))], [to_group(0)], UDP4),
        ("all with changes", [group(1, ALL_GROUP, bucket(set_ttl(7), out(OTHER_OUT)), bucket(set_ttl(9), out()))], [to_group(1)], TTL_9),
        ("all, then on", [group(1, ALL_GROUP, bucket(set_ttl(7), out(OTHER_OUT)))], [to_group(1), out()], UDP4),
        ("indirect", [group(1, INDIRECT, bucket(out()))], [to_group(1)], UDP4),
        ("indirect, output first", [group(1, INDIRECT, bucket(out(), set_ttl(9)))], [to_group(1)], TTL_9),
        ("select, one bucket", [group(1, SELECT, bucket(out(), weight=1))], [to_group(1)], UDP4),
        ("select, weight 0", [group(1, SELECT, bucket(out(OTHER_OUT), weight=0), bucket(out(), weight=3))], [to_group(1)], UDP4),
        ("fast failover", [group(1, FAILOVER, bucket(out(), watch_port=OUT), bucket(out(OTHER_OUT), watch_port=OTHER_OUT))], [to_group(1)], UDP4),
        ("fast failover by group", [group(5, SELECT, bucket(out(), weight=1)), group(1, FAILOVER, bucket(to_group(5), watch_group=5))],
         [to_group(1)], UDP4),
        ("chained", [group(1, INDIRECT, bucket(out())), group(2, ALL_GROUP, bucket(set_ttl(9), to_group(1)))], [to_group(2)], TTL_9),
        ("of the highest number", [group(0xffffff00, INDIRECT, bucket(out()))], [to_group(0xffffff00)], UDP4)]:
    pattern(f"group: {name}", [*mods, flow([IPV4], apply(*actions))], (UDP4, "egress", after))
pattern("group: in an action set", [group(1, INDIRECT, bucket(out())), flow([IPV4], write(out(OTHER_OUT), to_group(1), set_ttl(9)))],
        (UDP4, "egress", TTL_9))

# --- Meters: what is slower than their rates passes; the tester also reads them back and compares ---


def meter(number, flags, *bands):
    return {"OFPMeterMod": {"command": 0, "flags": flags, "meter_id": number, "bands": list(bands)}}


def drop_band(rate, burst=0):
    return {"OFPMeterBandDrop": {"len": 16, "rate": rate, "burst_size": burst, "type": 1}}


def remark_band(rate, level=1, burst=0):
    return {"OFPMeterBandDscpRemark": {"len": 16, "rate": rate, "burst_size": burst, "prec_level": level, "type": 2}}


def through(number):
    return {"OFPInstructionMeter": {"len": 8, "meter_id": number, "type": 6}}


for name, mods in [
        ("kbps", [meter(1, 1, drop_band(1000))]), ("pktps", [meter(1, 2, drop_band(1000))]),
        ("kbps with burst", [meter(1, 5, drop_band(1000, 500))]), ("a burst of 0", [meter(1, 5, drop_band(1000, 0))]),
        ("statistics", [meter(1, 9, drop_band(1000))]), ("remarking", [meter(1, 1, remark_band(1000, 2))]),
        ("two bands", [meter(1, 2, remark_band(1000), drop_band(2000))]), ("the highest rate", [meter(1, 1, drop_band(0xffffffff))])]:
    pattern(f"meter: {name}", [*mods, flow([IPV4], through(1), apply(out()))], (UDP4, "egress", UDP4))
pattern("meter: in a later table", [meter(0xffff0000, 1, drop_band(1000)), flow([IPV4], goto(1)),
                                    flow([IPV4], through(0xffff0000), apply(out()), table=1)], (UDP4, "egress", UDP4))

# --- What must be refused ---

BAD_REQUEST, BAD_ACTION, BAD_INSTRUCTION, BAD_MATCH, FLOW_MOD_FAILED, GROUP_MOD_FAILED = range(1, 7)
for name, mods, code in [
        ("a second one of a number", [group(1, ALL_GROUP), group(1, SELECT)], 0), ("number ALL", [group(0xfffffffc, ALL_GROUP)], 1),
        ("a weight in all", [group(1, ALL_GROUP, bucket(weight=1))], 1), ("a watch in all", [group(1, ALL_GROUP, bucket(watch_port=2))], 6),
        ("indirect with two buckets", [group(1, INDIRECT, bucket(), bucket())], 1),
        ("a loop", [group(1, ALL_GROUP, bucket(to_group(1)))], 7), ("an unknown type", [group(1, 9)], 10),
        ("a watch of no port", [group(1, FAILOVER, bucket(watch_port=99))], 13)]:
    refused_flows(f"group: {name} is refused", mods, GROUP_MOD_FAILED, code)
METER_MOD_FAILED = 12
for name, mods, code in [
        ("a second one of a number", [meter(1, 1, drop_band(5)), meter(1, 1, drop_band(5))], 1), ("number 0", [meter(0, 1, drop_band(5))], 2),
        ("a number too high", [meter(0xffff0001, 1, drop_band(5))], 2), ("a flow without it", [flow([IPV4], through(9), apply(out()))], 3),
        ("kbps and pktps", [meter(1, 3, drop_band(5))], 5), ("an unknown flag", [meter(1, 17, drop_band(5))], 5),
        ("a rate of 0", [meter(1, 1, drop_band(0))], 6), ("a precedence too high", [meter(1, 1, remark_band(5, 3))], 9),
        ("17 bands", [meter(1, 1, *[drop_band(n) for n in range(1, 18)])], 11)]:
    refused_flows(f"meter: {name} is refused", mods, METER_MOD_FAILED, code)
refused("set_field in_phy_port is refused", [], [set_field("in_phy_port", 2)], BAD_ACTION, 13)
refused("set_field ip_proto without IP is refused", [], [set_field("ip_proto", 6)], BAD_ACTION, 10)
refused("set_field mpls_bos without MPLS is refused", [IPV4], [set_field("mpls_bos", 1)], BAD_ACTION, 10)
refused("set_field tcp_src without TCP is refused", [IPV4], [set_field("tcp_src", 6)], BAD_ACTION, 10)
refused("set_field ipv4_src without IPv4 is refused", [], [set_field("ipv4_src", "1.2.3.4")], BAD_ACTION, 10)
refused("set_field vlan_vid untagged is refused", [("vlan_vid", 0)], [set_field("vlan_vid", PRESENT | 5)], BAD_ACTION,
        10)
refused("match ipv4_src without eth_type is refused", [("ipv4_src", "1.2.3.4")], [], BAD_MATCH, 9)
refused("match tcp_src without ip_proto is refused", [IPV4, ("tcp_src", 1)], [], BAD_MATCH, 9)
refused("match vlan_pcp without vlan_vid is refused", [("vlan_pcp", 1)], [], BAD_MATCH, 9)
refused("match a field twice is refused", [("in_port", 1), ("in_port", 1)], [], BAD_MATCH, 10)
refused("pop_vlan twice without a look between is refused", [VLAN_ANY], [POP_VLAN, POP_VLAN], BAD_ACTION, 10)
refused("output:0 is refused", [], [out(0)], BAD_ACTION, 4)
refused("push_vlan 0x0800 is refused", [], [push_vlan(0x0800)], BAD_ACTION, 5)
refused("push_mpls 0x0800 is refused", [IPV4], [push_mpls(0x0800)], BAD_ACTION, 5)
refused("pop_mpls without MPLS is refused", [IPV4], [pop_mpls()], BAD_ACTION, 10)
refused("dec_mpls_ttl without MPLS is refused", [IPV4], [DEC_MPLS], BAD_ACTION, 10)
refused("copy_ttl_out without MPLS or IP is refused", [ARPS], [COPY_OUT], BAD_ACTION, 10)
refused("pop_pbb without PBB is refused", [IPV4], [POP_PBB], BAD_ACTION, 10)
refused("set_field ipv6_exthdr is refused", [IPV6], [set_field("ipv6_exthdr", 1)], BAD_ACTION, 13)
refused("match pbb_isid without PBB is refused", [IPV4, ("pbb_isid", 1)], [], BAD_MATCH, 9)
refused("match ipv6_exthdr without IPv6 is refused", [IPV4, ("ipv6_exthdr", 1)], [], BAD_MATCH, 9)
refused("output:ANY is refused", [], [out(0xffffffff)], BAD_ACTION, 4)
refused("group:1 that is not there is refused", [], [{"OFPActionGroup": {"group_id": 1}}], BAD_ACTION, 9)
for field, value, prereq in [("ip_dscp", 64, [IPV4]), ("ip_ecn", 4, [IPV4]), ("vlan_vid", 0x2000, [VLAN_ANY]),
                             ("vlan_pcp", 8, [VLAN_ANY]), ("mpls_label", 1 << 20, [MPLS_U]), ("mpls_tc", 8, [MPLS_U]),
                             ("ipv6_flabel", 1 << 20, [IPV6])]:
    refused(f"set_field {field}={value} is refused", prereq, [set_field(field, value)], BAD_ACTION, 15)
    refused(f"match {field}={value} is refused", [m for m in prereq if m[0] != field] + [(field, value)], [],
            BAD_MATCH, 7)
refused("set_field vlan_vid without OFPVID_PRESENT is refused", [VLAN_ANY], [set_field("vlan_vid", 5)], BAD_ACTION, 15)
refused("match vlan_vid without OFPVID_PRESENT is refused", [("vlan_vid", 5)], [], BAD_MATCH, 7)
refused("match mpls_bos=2 is refused", [MPLS_U, ("mpls_bos", 2)], [], BAD_MATCH, 7)
for field, value, mask, prereq in [("in_port", 1, 1, []), ("eth_type", 0x0800, 0xff00, []),
                                   ("ip_proto", 6, 0xf, [IPV4]),
                                   ("vlan_pcp", 4, 4, [VLAN_ANY]), ("ip_dscp", 32, 32, [IPV4]), ("ip_ecn", 1, 1,
                                                                                                 [IPV6]),
                                   ("arp_op", 1, 1, [ARPS]), ("mpls_label", 1, 1, [MPLS_U]),
                                   ("icmpv4_type", 8, 8, [IPV4, ("ip_proto", 1)])]:
    refused(f"match {field} with a mask is refused", prereq + [(field, value, mask)], [], BAD_MATCH, 8)
for field, value, mask, prereq in [("ipv4_src", "1.2.3.4", "255.255.0.0", [IPV4]), ("metadata", 3, 1, []),
                                   ("eth_src", MAC_A, "ff:ff:00:00:00:00", []), ("ipv6_dst", IP6_A, "ffff::", [IPV6])]:
    refused(f"match {field} with bits outside of the mask is refused", prereq + [(field, value, mask)], [], BAD_MATCH,
            5)
for field, prereq in [("ip_proto", []), ("ip_dscp", [ARPS]), ("arp_op", [IPV4]), ("ipv6_src", [IPV4]),
                      ("udp_src", [IPV4, ("ip_proto", 6)]),
                      ("icmpv6_type", [IPV4, ("ip_proto", 58)]), ("icmpv4_type", [IPV6, ("ip_proto", 1)]),
                      ("mpls_label", [IPV4]), ("ipv6_flabel", [IPV4]), ("in_phy_port", []), ("vlan_pcp",
                                                                                             [("vlan_vid", 0)]),
                      ("ipv6_nd_sll", NA), ("ipv6_nd_tll", NS), ("ipv6_nd_target", [IPV6, ("ip_proto", 58)])]:
    value = {"ipv6_src": IP6_A, "ipv6_nd_target": IP6_A, "ipv6_nd_sll": MAC_A, "ipv6_nd_tll": MAC_A}.get(field, 1)
    refused(f"match {field} behind {', '.join(f'{n}={v}' for n, v in prereq) or 'nothing'} is refused",
            prereq + [(field, value)], [], BAD_MATCH, 9)
refused("match ip_proto before eth_type is refused", [("ip_proto", 6), IPV4], [], BAD_MATCH, 9)
refused_flows("goto_table to the same table is refused", [flow([], goto(1), table=1)], BAD_INSTRUCTION, 2)
refused_flows("goto_table backwards is refused", [flow([], goto(1), table=2)], BAD_INSTRUCTION, 2)
refused_flows("goto_table:254 is refused", [flow([], goto(254))], BAD_INSTRUCTION, 2)
refused_flows("goto_table from the last table is refused", [flow([], goto(253), table=253)], BAD_INSTRUCTION, 2)
refused_flows("a flow for all tables is refused", [flow([], apply(out()), table=255)], FLOW_MOD_FAILED, 2)


def changed(mod, **members):
    return {"OFPFlowMod": {**mod["OFPFlowMod"], **members}}


refused_flows("an overlap is refused",
              [flow([IPV4], apply(out())), changed(flow([("in_port", 1)], apply(out())), flags=2)],
              FLOW_MOD_FAILED, 3)
refused_flows("an unknown command is refused", [changed(flow([IPV4], apply(out())), command=9)], FLOW_MOD_FAILED, 6)
refused_flows("unknown flags are refused", [changed(flow([IPV4], apply(out())), flags=0x4000)], FLOW_MOD_FAILED, 7)
refused_flows("an unknown buffer is refused", [changed(flow([IPV4], apply(out())), buffer_id=7)], BAD_REQUEST, 8)

# --- What needs the tester to listen at port 1: it is told by another command line ---

RETURNING = ["action output:IN_PORT", "action output:IN_PORT with changes"]
# The tester gives the switch a flow of its own, of priority 0x8000.
for name, actions, after in [(RETURNING[0], [], UDP4),
                             (RETURNING[1], [set_field("eth_dst", MAC_A)], ip("udp", eth={"dst": MAC_A}))]:
    pattern(name, [flow([("in_port", 1)], apply(*actions, out(IN_PORT)), priority=40000)], (UDP4, "egress", after))
