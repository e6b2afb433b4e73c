"""Every match field with packets through the daemon, exact and masked: what it hits, what it nearly hits, and what does not
have it (OpenFlow 1.3.5, table 12, 7.2.3.7, 7.2.3.8)."""
import struct

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr,
                                IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting)
from scapy.layers.l2 import ARP, GRE
from scapy.layers.sctp import SCTP
from scapy.packet import Raw

import openflow as of
import xvs
from frames import A, B, C, D, eth, itag, lse, mpls, pbb, svlan, vlan
from wire import Wire

X = Raw(b"x" * 30)
TCP_ = [TCP(sport=1000, dport=80, flags="S"), X]


def v4(*layers, **fields):
    return eth(IP(**{"src": "10.1.2.3", "dst": "10.4.5.6", "id": 1, **fields}), *(layers or TCP_))


def v6(*layers, **fields):
    return eth(IPv6(**{"src": "fd00:1::3", "dst": "fd00:2::6", **fields}), *(layers or TCP_))


def arp(**fields):
    return eth(ARP(**{"op": 1, "hwsrc": A, "psrc": "10.1.2.3", "hwdst": C, "pdst": "10.4.5.6", **fields}), Raw(bytes(18)))


def ns(target="fd00::7", sll=A, **fields):
    return eth(IPv6(src="fd00:1::3", dst="fd00:2::6", hlim=255), ICMPv6ND_NS(tgt=target, **fields),
               *([ICMPv6NDOptSrcLLAddr(lladdr=sll)] if sll else []))


def na(target="fd00::7", tll=A, **fields):
    return eth(IPv6(src="fd00:1::3", dst="fd00:2::6", hlim=255), ICMPv6ND_NA(tgt=target, **fields),
               *([ICMPv6NDOptDstLLAddr(lladdr=tll)] if tll else []))


def first(proto, layer, n):
    """An IPv4 packet of which only n bytes of the transport are there."""
    return eth(IP(src="10.1.2.3", dst="10.4.5.6", proto=proto, id=1), Raw(bytes(layer)[:n]))


def first6(proto, layer, n):
    return eth(IPv6(src="fd00:1::3", dst="fd00:2::6", nh=proto), Raw(bytes(layer)[:n]))


def later(proto):
    return eth(IP(src="10.1.2.3", dst="10.4.5.6", proto=proto, id=1, frag=1), Raw(bytes(40)))


def chain(*numbers, end=59):
    """IPv6 with these extension headers, empty ones."""
    body = b""
    for following in [*numbers[1:], end]:
        body += bytes([following, 0, 0, 0, 0, 0, 0, 0])
    # A header of type 44 has no length; that of 51 counts otherwise and is 8 bytes with a length of 0.
    return eth(IPv6(src="fd00:1::3", dst="fd00:2::6", nh=(*numbers, end)[0]), Raw(body + bytes(20)))


HOP, ROUTING, FRAGMENT, ESP, AUTH, NONE, DEST, TCP_NEXT = 0, 43, 44, 50, 51, 59, 60, 6
SCTP_ = [SCTP(sport=1000, dport=80, tag=1), X]
UDP_ = [UDP(sport=1000, dport=80), X]

# match: (frames that it hits, frames that it does not)
FIELDS = {
    "in_port=1": ([v4()], []),
    "in_port=2": ([], [v4()]),
    "in_port=1,in_phy_port=1": ([v4()], []),
    "in_port=1,in_phy_port=2": ([], [v4()]),
    "metadata=0": ([v4()], []),
    "metadata=1": ([], [v4()]),
    "tunnel_id=0": ([v4()], []),
    "tun_id=1/1": ([], [v4()]),
    "tun_flags=-oam": ([v4()], []),
    "tun_flags=+oam": ([], [v4()]),
    "conj_id=0": ([v4()], []),
    "conj_id=1": ([], [v4()]),
    "actset_output=UNSET": ([v4()], []),
    "actset_output=2": ([], [v4()]),
    f"dl_src={A}": ([v4()], [eth(X, src=C)]),
    f"dl_dst={B}": ([v4()], [eth(X, dst=D)]),
    "dl_src=02:00:00:00:00:08/ff:ff:ff:ff:ff:f8": ([eth(X, src=A), eth(X, src=D)], [eth(X, src="02:00:00:00:00:07")]),
    "dl_dst=01:00:00:00:00:00/01:00:00:00:00:00": ([eth(X, dst="ff:ff:ff:ff:ff:ff")], [eth(X, dst=B)]),
    "dl_type=0x0800": ([v4(), eth(vlan(5), IP(), *TCP_), eth(svlan(5), vlan(6), vlan(7), IP(), *TCP_)], [v6(), arp()]),
    "dl_type=0x88b5": ([eth(X, type=0x88b5)], [v4()]),
    "dl_type=0x05ff": ([eth(Raw(b"\x42\x42\x03" + bytes(43)), type=46)], [v4()]),
    "vlan_vid=0": ([v4()], [eth(vlan(0), IP(), *TCP_), eth(vlan(5), IP(), *TCP_)]),
    "vlan_vid=0x1005": ([eth(vlan(5), IP(), *TCP_), eth(svlan(5, 3), vlan(6), IP(), *TCP_)],
                        [v4(), eth(vlan(6), IP(), *TCP_), eth(svlan(6), vlan(5), IP(), *TCP_)]),
    "vlan_vid=0x1000/0x1000": ([eth(vlan(0), IP(), *TCP_), eth(svlan(9), IP(), *TCP_)], [v4()]),
    "vlan_vid=0x1004/0x1ffc": ([eth(vlan(4), X), eth(vlan(7), X)], [eth(vlan(8), X), eth(X)]),
    "dl_vlan=5,dl_vlan_pcp=3": ([eth(vlan(5, 3), X)], [eth(vlan(5, 2), X), eth(vlan(6, 3), X)]),
    "dl_vlan=0xffff": ([v4()], [eth(vlan(0), X)]),
    "vlan_tci=0x1005": ([eth(vlan(5, 0), X)], [eth(vlan(5, 1), X), eth(X)]),
    "vlan_tci=0x7000/0xf000": ([eth(vlan(1, 3), X)], [eth(vlan(1, 2), X), eth(X)]),
    "ip,ip_dscp=46": ([v4(tos=0xb8), v4(tos=0xbb)], [v4(tos=0xb4), v4()]),
    "ip,ip_dscp=0": ([v4(tos=3)], [v4(tos=4), eth(Raw(b"\x45\0" + bytes(17)), type=0x0800)]),
    "ipv6,ip_dscp=46": ([v6(tc=0xb8)], [v6(tc=0xb4)]),
    "ip,nw_ecn=2": ([v4(tos=2)], [v4(tos=1), v4(tos=0x80)]),
    "ipv6,ip_ecn=3": ([v6(tc=3)], [v6(tc=1)]),
    "ip,nw_ttl=9": ([v4(ttl=9)], [v4(ttl=8)]),
    "ip,nw_proto=6": ([v4(), first(6, b"", 0), later(6)], [v4(*UDP_), v6(), eth(Raw(b"\x45\0" + bytes(17)), type=0x0800)]),
    "ip,nw_proto=0": ([eth(IP(proto=0), X)], [v4(), eth(Raw(b"\x45\0" + bytes(17)), type=0x0800),
                                             eth(Raw(b"\x65" + bytes(40)), type=0x0800)]),
    "ipv6,nw_proto=6": ([v6(), v6(IPv6ExtHdrHopByHop(), *TCP_)], [v6(*UDP_), v4()]),
    "ipv6,nw_proto=0": ([], [v6(), eth(IPv6(nh=0), Raw(bytes([6, 9, 0, 0, 0, 0, 0, 0]) + bytes(20)))]),
    "ip,nw_src=10.1.2.3": ([v4()], [v4(src="10.1.2.4"), v6()]),
    "ip,nw_src=10.1.0.0/16": ([v4()], [v4(src="10.2.2.3")]),
    "ip,nw_src=0.0.2.0/0.0.255.0": ([v4()], [v4(src="10.1.3.3")]),
    "ip,nw_src=0.0.0.0": ([v4(src="0.0.0.0")], [v4(), eth(Raw(b"\x45\0\0\x28" + bytes(15)), type=0x0800)]),
    "ip,nw_dst=10.4.5.6": ([v4()], [v4(dst="10.4.5.7")]),
    "ip,nw_dst=10.4.4.0/255.255.254.0": ([v4()], [v4(dst="10.4.6.6")]),
    "ip,nw_frag=no": ([v4()], [later(6), v4(flags="MF")]),
    "ip,nw_frag=first": ([v4(flags="MF")], [later(6), v4()]),
    "ip,nw_frag=later": ([later(6)], [v4(flags="MF"), v4()]),
    "ip,nw_frag=yes": ([later(6), v4(flags="MF")], [v4(flags="DF")]),
    "ipv6,nw_frag=later": ([v6(IPv6ExtHdrFragment(offset=1, nh=6), X)], [v6(), v6(IPv6ExtHdrFragment(m=1), *TCP_)]),
    "tcp,tp_src=1000": ([v4(), v4(flags="MF")], [v4(TCP(sport=1001)), v4(*UDP_), later(6), v6()]),
    "tcp,tp_dst=80": ([v4()], [v4(TCP(dport=81)), first(6, TCP(dport=80), 19)]),
    "tcp,tp_dst=0": ([v4(TCP(dport=0))], [v4(), first(6, TCP(dport=0), 19), later(6)]),
    "tcp,tp_src=0x3e8/0xfff8": ([v4(TCP(sport=1000)), v4(TCP(sport=1007))], [v4(TCP(sport=1008))]),
    "tcp,tp_dst=0/0xff00": ([v4()], [v4(TCP(dport=256)), first(6, TCP(dport=0), 19), later(6)]),
    "tcp6,tp_dst=80": ([v6()], [v6(TCP(dport=81)), v4(), first6(6, TCP(dport=80), 19)]),
    "tcp,tcp_flags=+syn-ack": ([v4()], [v4(TCP(flags="SA")), v4(TCP(flags="A"))]),
    "tcp,tcp_flags=0": ([v4(TCP(flags=0))], [v4(), later(6)]),
    "udp,tp_src=1000": ([v4(*UDP_)], [v4(UDP(sport=1)), v4()]),
    "udp,tp_dst=80": ([v4(*UDP_)], [v4(UDP(dport=8)), first(17, UDP(dport=80), 7)]),
    "udp,tp_src=0": ([v4(UDP(sport=0))], [v4(*UDP_), first(17, UDP(sport=0), 7), later(17)]),
    "udp6,tp_dst=0": ([v6(UDP(dport=0))], [v6(*UDP_), first6(17, UDP(dport=0), 7)]),
    "sctp,tp_src=1000": ([v4(*SCTP_)], [v4(SCTP(sport=1)), v4(*UDP_)]),
    "sctp,tp_dst=80": ([v4(*SCTP_)], [v4(SCTP(dport=8)), first(132, SCTP(dport=80), 11)]),
    "sctp,tp_dst=0": ([v4(SCTP(dport=0))], [first(132, SCTP(dport=0), 11), later(132)]),
    "icmp,icmp_type=8": ([v4(ICMP(type=8), X)], [v4(ICMP(type=0), X), first(1, ICMP(type=8), 7)]),
    "icmp,icmp_type=0": ([v4(ICMP(type=0), X)], [v4(ICMP(type=8), X), first(1, ICMP(type=0), 7), first(1, b"", 0), later(1)]),
    "icmp,icmp_code=3": ([v4(ICMP(type=3, code=3), X)], [v4(ICMP(type=3, code=2), X)]),
    "icmp,icmp_code=0": ([v4(ICMP(type=3, code=0), X)], [v4(ICMP(type=3, code=2), X), later(1), first(1, b"", 0)]),
    "arp,arp_op=1": ([arp()], [arp(op=2), v4()]),
    "arp,arp_op=0": ([arp(op=0)], [arp(), eth(Raw(bytes(ARP(op=0))[:27]), type=0x0806), arp(hwtype=6, op=0)]),
    "arp,arp_spa=10.1.2.3": ([arp()], [arp(psrc="10.1.2.4")]),
    "arp,arp_spa=10.1.0.0/16": ([arp()], [arp(psrc="10.2.2.4")]),
    "arp,arp_spa=0.0.0.0": ([arp(psrc="0.0.0.0")], [arp(), eth(Raw(bytes(ARP(psrc="0.0.0.0"))[:27]), type=0x0806)]),
    "arp,arp_tpa=10.4.5.6": ([arp()], [arp(pdst="10.4.5.7")]),
    "arp,arp_tpa=10.4.5.4/255.255.255.252": ([arp()], [arp(pdst="10.4.5.9")]),
    f"arp,arp_sha={A}": ([arp()], [arp(hwsrc=B)]),
    "arp,arp_sha=00:00:00:00:00:0a/00:00:00:00:00:ff": ([arp()], [arp(hwsrc=B)]),
    f"arp,arp_tha={C}": ([arp()], [arp(hwdst=B)]),
    "arp,arp_tha=00:00:00:00:00:00": ([arp(hwdst="00:00:00:00:00:00")], [arp(), eth(Raw(bytes(27)), type=0x0806)]),
    "rarp,arp_op=3": ([eth(ARP(op=3), Raw(bytes(18)), type=0x8035)], [arp(op=3)]),
    "ipv6,ipv6_src=fd00:1::3": ([v6()], [v6(src="fd00:1::4"), v4()]),
    "ipv6,ipv6_src=fd00:1::/32": ([v6()], [v6(src="fd00:2::3")]),
    "ipv6,ipv6_src=::": ([v6(src="::")], [v6(), eth(Raw(bytes(39)), type=0x86dd)]),
    "ipv6,ipv6_dst=fd00:2::6": ([v6()], [v6(dst="fd00:2::7")]),
    "ipv6,ipv6_dst=::6/::ffff": ([v6()], [v6(dst="fd00:2::7")]),
    "ipv6,ipv6_label=0x12345": ([v6(fl=0x12345)], [v6(fl=0x12344)]),
    "ipv6,ipv6_flabel=0x12000/0xff000": ([v6(fl=0x12345)], [v6(fl=0x13345)]),
    "icmp6,icmpv6_type=128": ([v6(ICMPv6EchoRequest())], [ns(), first6(58, b"\x80\0\0", 3)]),
    "icmp6,icmpv6_type=0": ([v6(Raw(bytes(8)), nh=58)], [ns(), first6(58, b"\0\0\0", 3)]),
    "icmp6,icmpv6_code=3": ([v6(ICMPv6EchoRequest(code=3))], [v6(ICMPv6EchoRequest())]),
    "icmp6,icmpv6_type=135,nd_target=fd00::7": ([ns()], [ns("fd00::8"), na()]),
    "icmp6,icmpv6_type=136,nd_target=fd00::/16": ([na()], [na("fd01::8"), ns()]),
    "icmp6,icmpv6_type=135,nd_target=::": ([ns("::")], [ns(), first6(58, bytes(ICMPv6ND_NS(tgt="::")), 23)]),
    f"icmp6,icmpv6_type=135,nd_sll={A}": ([ns()], [ns(sll=B), ns(sll=None)]),
    "icmp6,icmpv6_type=135,nd_sll=00:00:00:00:00:00": ([ns(sll="00:00:00:00:00:00")], [ns(), ns(sll=None)]),
    f"icmp6,icmpv6_type=136,nd_tll={A}": ([na()], [na(tll=B), na(tll=None)]),
    "icmp6,icmpv6_type=136,nd_tll=00:00:00:00:00:00": ([na(tll="00:00:00:00:00:00")], [na(), na(tll=None)]),
    "mpls,mpls_label=100": ([mpls(lse(100), IP(), *TCP_), eth(vlan(5), lse(100), IP(), *TCP_)],
                            [mpls(lse(101), IP(), *TCP_), mpls(lse(101, s=0), lse(100), IP(), *TCP_), v4()]),
    "mpls,mpls_label=0": ([mpls(lse(0), IP(), *TCP_)], [mpls(lse(1), IP(), *TCP_), eth(Raw(bytes(3)), type=0x8847)]),
    "mpls,mpls_tc=3": ([mpls(lse(tc=3), IP(), *TCP_)], [mpls(lse(tc=2), IP(), *TCP_)]),
    "mpls,mpls_tc=0": ([mpls(lse(1), IP(), *TCP_)], [eth(Raw(bytes(3)), type=0x8847)]),
    "mpls,mpls_bos=1": ([mpls(lse(), IP(), *TCP_)], [mpls(lse(s=0), lse(), IP(), *TCP_)]),
    "mpls,mpls_bos=0": ([mpls(lse(s=0), lse(), IP(), *TCP_)], [mpls(lse(), IP(), *TCP_), eth(Raw(bytes(3)), type=0x8847)]),
    "mpls,mpls_ttl=9": ([mpls(lse(ttl=9), IP(), *TCP_)], [mpls(lse(ttl=8), IP(ttl=9), *TCP_)]),
    "mplsm,mpls_label=100": ([mpls(lse(100), IP(), *TCP_, ethertype=0x8848)], [mpls(lse(100), IP(), *TCP_)]),
    "dl_type=0x88e7,pbb_isid=0x123456": ([pbb(itag(0x123456, 5, 1, 1), IP(), *TCP_)], [pbb(itag(0x123457), IP(), *TCP_), v4()]),
    "dl_type=0x88e7,pbb_isid=0x120000/0xff0000": ([pbb(itag(0x123456), IP(), *TCP_)], [pbb(itag(0x133456), IP(), *TCP_)]),
    "dl_type=0x88e7,pbb_isid=0": ([pbb(itag(0, 7), IP(), *TCP_)], [pbb(itag(1), IP(), *TCP_), eth(Raw(bytes(3)), type=0x88e7)]),
    "dl_type=0x88e7,pbb_uca=1": ([pbb(itag(uca=1), IP(), *TCP_)], [pbb(itag(0xffffff), IP(), *TCP_)]),
    # Bits: 1 no next header, 2 ESP, 4 AH, 8 destination options, 0x10 fragment, 0x20 routing, 0x40 hop-by-hop, 0x80 a repeat,
    # 0x100 another order than RFC 2460's
    "ipv6,ipv6_exthdr=0": ([v6(), v6(*UDP_)], [v6(IPv6ExtHdrHopByHop(), *TCP_), v6(Raw(bytes(8)), nh=59), v4(),
                                             eth(IPv6(nh=0), Raw(bytes([6, 9, 0, 0, 0, 0, 0, 0]) + bytes(20)))]),
    "ipv6,ipv6_exthdr=0x1": ([v6(Raw(bytes(8)), nh=59)], [v6()]),
    "ipv6,ipv6_exthdr=0x2": ([v6(Raw(bytes(20)), nh=50)], [v6(), chain(AUTH)]),
    "ipv6,ipv6_exthdr=0x4": ([chain(AUTH, end=6)], [v6(), chain(AUTH, end=59)]),
    "ipv6,ipv6_exthdr=0x8": ([v6(IPv6ExtHdrDestOpt(), *TCP_), chain(DEST, DEST, end=6)], [v6(), chain(DEST, DEST, DEST, end=6)]),
    "ipv6,ipv6_exthdr=0x10": ([v6(IPv6ExtHdrFragment(m=1), *TCP_), v6(IPv6ExtHdrFragment(offset=1, nh=6), X)], [v6()]),
    "ipv6,ipv6_exthdr=0x20": ([v6(IPv6ExtHdrRouting(), *TCP_)], [v6()]),
    "ipv6,ipv6_exthdr=0x40": ([v6(IPv6ExtHdrHopByHop(), *TCP_)], [v6(), chain(DEST, HOP, end=6)]),
    "ipv6,ipv6_exthdr=0x7d": ([chain(HOP, DEST, ROUTING, FRAGMENT, AUTH), chain(HOP, DEST, ROUTING, FRAGMENT, AUTH, DEST)],
                              [chain(HOP, ROUTING, DEST, FRAGMENT, AUTH), chain(HOP, DEST, ROUTING, FRAGMENT, AUTH, AUTH)]),
    "ipv6,ipv6_exthdr=0x108": ([chain(DEST, HOP, end=6)], [chain(HOP, DEST, end=6)]),
    "ipv6,ipv6_exthdr=0x128": ([chain(DEST, DEST, ROUTING, end=6)], [chain(DEST, ROUTING, DEST, end=6)]),
    "ipv6,ipv6_exthdr=0x28": ([chain(DEST, ROUTING, DEST, end=6)], []),
    "ipv6,ipv6_exthdr=0xc0": ([chain(HOP, HOP, end=6)], [chain(HOP, end=6)]),
    "ipv6,ipv6_exthdr=0xa0": ([chain(ROUTING, ROUTING, end=6)], [chain(ROUTING, end=6)]),
    "ipv6,ipv6_exthdr=0x100/0x100": ([chain(AUTH, ROUTING, end=6), chain(FRAGMENT, ROUTING, end=6)],
                                     [chain(ROUTING, AUTH, end=6), v6()]),
    "ipv6,ipv6_exthdr=0x40/0x40": ([v6(IPv6ExtHdrHopByHop(), *TCP_), chain(HOP, AUTH, end=6)], [chain(AUTH, end=6), v6()]),
    "ipv6,ipv6_exthdr=0/0x10": ([v6(), chain(HOP, end=6)], [v6(IPv6ExtHdrFragment(m=1), *TCP_),
                                eth(IPv6(nh=0), Raw(bytes([6, 9, 0, 0, 0, 0, 0, 0]) + bytes(20)))]),
    "gre,gre_key=0": ([v4(GRE(key_present=1, key=0, proto=0x6558), X)], [v4(GRE(proto=0x6558), X), v4()]),
    "gre,gre_key=0x10/0xf0": ([v4(GRE(key_present=1, key=0x1f, proto=0x6558), X)], [v4(GRE(key_present=1, key=0x2f), X)]),
}


@pytest.fixture(scope="module")
def wire():
    with xvs.Lab() as lab:
        yield Wire(lab)


@pytest.mark.parametrize("match", FIELDS)
def test_field(wire, match):
    hits, misses = FIELDS[match]
    wire.flows(f"priority=10,{match},actions=2", "priority=1,actions=3")
    frames = hits + misses
    for _ in range(2):
        got = wire.exchange(*frames)
        assert [f.hex() for f in got[2]] == [f.hex() for f in hits]
        assert [f.hex() for f in got[3]] == [f.hex() for f in misses]
    assert wire.n_packets("priority=10") == 2 * len(hits)
    # What the switch says that it has, it takes again.
    line = next(line for line in wire.sw.ofctl("dump-flows", "br0").stdout.splitlines() if "priority=10," in line)
    wire.flows("priority=1,actions=3", line.split(", ")[-1].strip().replace(" actions", ",actions"))
    assert [f.hex() for f in wire.exchange(*frames)[2]] == [f.hex() for f in hits]


@pytest.mark.parametrize("match", ["actset_output=2", "metadata=0x5/0xf", "reg3=7", "xreg1=7/0xff", "xxreg0=0x7",
                                   "xxreg0=0x1000000000000000000000007/0xf00000000000000000000000f",
                                   "tun_id=9", "tun_src=1.2.3.4", "pkt_mark=1/1", "tun_flags=+oam"])
def test_what_the_pipeline_writes(wire, match):
    wire.flows("actions=load:9->NXM_NX_TUN_ID[],load:0x01020304->NXM_NX_TUN_IPV4_SRC[],load:5->NXM_NX_PKT_MARK[],"
               "load:1->NXM_NX_TUN_FLAGS[],load:7->NXM_NX_REG3[],load:1->NXM_NX_REG0[],"
               "write_actions(output:2),write_metadata:0x15,goto_table:1",
               f"table=1,priority=10,{match.replace('xxreg0=0x7', 'xxreg0=0x1000000000000000000000007')},actions=3",
               "table=1,priority=0,actions=drop")
    got = wire.exchange(v4())
    assert [len(got[n]) for n in (2, 3)] == [1, 1]


# (field, value, mask or None, width, error code of OFPET_BAD_MATCH or None, more matches before it)
def oxm(field, value, width, mask=None, cls=0x8000):
    head = struct.pack("!HBB", cls, field << 1 | (mask is not None), width * (2 if mask is not None else 1))
    return head + value.to_bytes(width, "big") + (b"" if mask is None else mask.to_bytes(width, "big"))


IPV4, IPV6, ARP_TYPE, MPLS_TYPE, PBB_TYPE = (oxm(5, t, 2) for t in (0x0800, 0x86dd, 0x0806, 0x8847, 0x88e7))
ICMP6 = IPV6 + oxm(10, 58, 1)
BAD_LEN, BAD_WILDCARDS, BAD_FIELD, BAD_VALUE, BAD_MASK, BAD_PREREQ, DUP_FIELD = 1, 5, 6, 7, 8, 9, 10
# number: (bytes, an odd mask, may it be masked, what must be there, a value out of range or None)
WIRE = {0: (4, 1, False, b"", None), 1: (4, 1, False, oxm(0, 1, 4), None), 2: (8, 5, True, b"", None),
        3: (6, 5, True, b"", None), 4: (6, 5, True, b"", None), 5: (2, 1, False, b"", None),
        6: (2, 0x1005, True, b"", 0x2005), 7: (1, 1, False, oxm(6, 0x1005, 2), 8), 8: (1, 1, False, IPV4, 64),
        9: (1, 1, False, IPV4, 4), 10: (1, 1, False, IPV4, None), 11: (4, 5, True, IPV4, None), 12: (4, 5, True, IPV4, None),
        19: (1, 1, False, IPV4 + oxm(10, 1, 1), None), 20: (1, 1, False, IPV4 + oxm(10, 1, 1), None),
        21: (2, 1, False, ARP_TYPE, None), 22: (4, 5, True, ARP_TYPE, None), 23: (4, 5, True, ARP_TYPE, None),
        24: (6, 5, True, ARP_TYPE, None), 25: (6, 5, True, ARP_TYPE, None), 26: (16, 5, True, IPV6, None),
        27: (16, 5, True, IPV6, None), 28: (4, 5, True, IPV6, 1 << 20), 29: (1, 1, False, ICMP6, None),
        30: (1, 1, False, ICMP6, None), 34: (4, 1, False, MPLS_TYPE, 1 << 20), 35: (1, 1, False, MPLS_TYPE, 8),
        36: (1, None, False, MPLS_TYPE, 2), 37: (3, 5, True, PBB_TYPE, None), 38: (8, 5, True, b"", None),
        39: (2, 5, True, IPV6, 512), 41: (1, None, False, PBB_TYPE, 2)}


@pytest.mark.parametrize("field", WIRE)
def test_match_on_the_wire(wire, field):
    """Each field's length, mask, prerequisite, range and repetition: the error codes of 7.4.4."""
    width, mask, maskable, before, bad = WIRE[field]
    c = of.Connection.to(wire.sw)

    def error(match):
        kind, code = c.error(of.FLOW_MOD, of.flow_mod(match=match))
        assert kind == 4  # OFPET_BAD_MATCH
        return code

    value = 1 if field != 6 else 0x1001
    value = 0x0800 if field == 5 else value
    good = oxm(field, value, width)
    c.accepted(of.FLOW_MOD, of.flow_mod(match=before + good, priority=77))
    assert error(before + good + good) == DUP_FIELD
    assert error(before + oxm(field, 1, width + 1)) == BAD_LEN
    assert error(before + oxm(field, value, width, (1 << 8 * width) - 1)[:-1]) == BAD_LEN
    if before:
        assert error(good) == BAD_PREREQ
        assert error(good + before) == BAD_PREREQ  # 7.2.3.6: the prerequisites come before
    if bad is not None:
        assert error(before + oxm(field, bad, width)) == BAD_VALUE
    if mask is not None:
        masked = oxm(field, value & mask if field != 6 else 0x1001, width, mask if maskable else mask << 1 | 2)
        if maskable:
            c.accepted(of.FLOW_MOD, of.flow_mod(match=before + masked, priority=78))
            # 7.2.3.5: "If oxm_hasmask is 1 … a bit that is 0 in the mask must be 0 in the value"
            assert error(before + oxm(field, 0x1003 if field == 6 else 2, width, mask)) == BAD_WILDCARDS
        else:
            assert error(before + oxm(field, 0, width, 2 if field != 10 else 6)) == BAD_MASK
    c.close()


@pytest.mark.parametrize("unknown", [oxm(40, 0, 2), oxm(99, 0, 4), oxm(1, 0, 4, cls=0x7777)])
def test_unknown_fields(wire, unknown):
    c = of.Connection.to(wire.sw)
    assert c.error(of.FLOW_MOD, of.flow_mod(match=unknown)) == (4, BAD_FIELD)
    c.close()
