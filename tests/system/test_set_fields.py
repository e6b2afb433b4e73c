"""set_field, load and move of every writable header field, with packets through the daemon: the field and every checksum over
it are as scapy makes them, and nothing else has changed (OpenFlow 1.3.5, 5.12, 7.2.5). And the error codes of actions."""
import struct

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr,
                                IPv6, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop)
from scapy.layers.l2 import ARP
from scapy.layers.sctp import SCTP, SCTPChunkData
from scapy.packet import Raw

import openflow as of
import xvs
from frames import A, B, C, D, eth, itag, lse, mpls, pbb, vlan
from wire import Wire

X = Raw(b"the quick brown fox jumps over the lazy dog")
L4 = {"tcp": lambda sport=1000, dport=80, **f: [TCP(sport=sport, dport=dport, seq=7, flags="A", **f), X],
      "udp": lambda sport=1000, dport=80, **f: [UDP(sport=sport, dport=dport, **f), X],
      "sctp": lambda sport=1000, dport=80, **f: [SCTP(sport=sport, dport=dport, tag=9, **f) / SCTPChunkData(data=b"abcd")],
      "icmp": lambda **f: [ICMP(**{"type": 8, "id": 1, **f}), X],
      "other": lambda **f: [X]}


def v4(l4, l4_fields=None, **fields):
    header = IP(**{"src": "10.1.2.3", "dst": "10.4.5.6", "id": 1, **({"proto": 200} if l4 == "other" else {}), **fields})
    return eth(header, *L4[l4](**(l4_fields or {})))


def v6(l4, l4_fields=None, ext=(), **fields):
    header = IPv6(**{"src": "fd00:1::3", "dst": "fd00:2::6", **({"nh": 200} if l4 == "other" else {}), **fields})
    return eth(header, *ext, *L4[l4](**(l4_fields or {})))


def arp(**fields):
    return eth(ARP(**{"op": 1, "hwsrc": A, "psrc": "10.1.2.3", "hwdst": C, "pdst": "10.4.5.6", **fields}), Raw(bytes(18)))


def echo6(**fields):
    return eth(IPv6(src="fd00:1::3", dst="fd00:2::6"), ICMPv6EchoRequest(**{"id": 1, "data": b"x" * 33, **fields}))


def ns(target="fd00::7", sll=A):
    return eth(IPv6(src="fd00:1::3", dst="fd00:2::6", hlim=255), ICMPv6ND_NS(tgt=target), ICMPv6NDOptSrcLLAddr(lladdr=sll))


def na(target="fd00::7", tll=A):
    return eth(IPv6(src="fd00:1::3", dst="fd00:2::6", hlim=255), ICMPv6ND_NA(tgt=target), ICMPv6NDOptDstLLAddr(lladdr=tll))


def tagged(vid=5, pcp=3):
    return eth(vlan(vid, pcp), IP(src="10.1.2.3", dst="10.4.5.6", id=1), *L4["udp"]())


def label(**fields):
    return mpls(lse(**{"label": 100, "tc": 3, "ttl": 64, **fields}), IP(src="1.2.3.4", dst="4.3.2.1", id=1), *L4["udp"]())


def fragment(offset, **fields):
    return eth(IP(**{"src": "10.1.2.3", "dst": "10.4.5.6", "id": 1, "proto": 17, "frag": offset, **fields}), Raw(bytes(range(48))))


def fragment6(offset, **fields):
    return eth(IPv6(**{"src": "fd00:1::3", "dst": "fd00:2::6", **fields}), IPv6ExtHdrFragment(offset=offset, nh=17, id=5),
               Raw(bytes(range(48))))


# name: (match, field, value as text, before, after)
CASES = {
    "eth_src": ("", "eth_src", C, v4("udp"), v4("udp").replace(bytes.fromhex(A.replace(":", "")), bytes.fromhex(C.replace(":", "")))),
    "eth_dst": ("", "eth_dst", D, v4("udp"), v4("udp").replace(bytes.fromhex(B.replace(":", "")), bytes.fromhex(D.replace(":", "")))),
    "vlan_vid": ("vlan_vid=0x1000/0x1000", "vlan_vid", "0x1fff", tagged(), tagged(vid=4095)),
    "vlan_pcp": ("vlan_vid=0x1000/0x1000", "vlan_pcp", "6", tagged(), tagged(pcp=6)),
    "ipv6_flabel": ("ipv6", "ipv6_flabel", "0xabcde", v6("tcp"), v6("tcp", fl=0xabcde)),
    "nw_ttl": ("ip", "nw_ttl", "7", v4("tcp"), v4("tcp", ttl=7)),
    "nw_ttl of IPv6": ("ipv6", "nw_ttl", "7", v6("tcp"), v6("tcp", hlim=7)),
    "ip_dscp": ("ip", "ip_dscp", "46", v4("tcp", tos=3), v4("tcp", tos=46 << 2 | 3)),
    "ip_dscp of IPv6": ("ipv6", "ip_dscp", "46", v6("tcp", tc=3), v6("tcp", tc=46 << 2 | 3)),
    "ip_ecn": ("ip", "ip_ecn", "2", v4("tcp", tos=0xb9), v4("tcp", tos=0xba)),
    "ip_ecn of IPv6": ("ipv6", "ip_ecn", "2", v6("tcp", tc=0xb9), v6("tcp", tc=0xba)),
    "arp_op": ("arp", "arp_op", "2", arp(), arp(op=2)),
    "arp_spa": ("arp", "arp_spa", "9.8.7.6", arp(), arp(psrc="9.8.7.6")),
    "arp_tpa": ("arp", "arp_tpa", "9.8.7.6", arp(), arp(pdst="9.8.7.6")),
    "arp_sha": ("arp", "arp_sha", D, arp(), arp(hwsrc=D)),
    "arp_tha": ("arp", "arp_tha", D, arp(), arp(hwdst=D)),
    "icmp_type": ("icmp", "icmp_type", "0", v4("icmp"), v4("icmp", {"type": 0})),
    "icmp_code": ("icmp", "icmp_code", "200", v4("icmp"), v4("icmp", {"code": 200})),
    "icmpv6_type": ("icmp6", "icmpv6_type", "129", echo6(), echo6(type=129)),
    "icmpv6_code": ("icmp6", "icmpv6_code", "200", echo6(), echo6(code=200)),
    "nd_target of a solicitation": ("icmp6,icmpv6_type=135", "nd_target", "fd00:9::8", ns(), ns("fd00:9::8")),
    "nd_target of an advertisement": ("icmp6,icmpv6_type=136", "nd_target", "fd00:9::8", na(), na("fd00:9::8")),
    "nd_sll": ("icmp6,icmpv6_type=135", "nd_sll", D, ns(), ns(sll=D)),
    "nd_tll": ("icmp6,icmpv6_type=136", "nd_tll", D, na(), na(tll=D)),
    "mpls_label": ("mpls", "mpls_label", "0xfffff", label(), label(label=0xfffff)),
    "mpls_tc": ("mpls", "mpls_tc", "4", label(), label(tc=4)),
    "mpls_ttl": ("mpls", "mpls_ttl", "4", label(), label(ttl=4)),
    "pbb_isid": ("dl_type=0x88e7", "pbb_isid", "0xfedcba", pbb(itag(1, 5, 1, 1), IP(id=1), X), pbb(itag(0xfedcba, 5, 1, 1), IP(id=1), X)),
    "pbb_uca": ("dl_type=0x88e7", "pbb_uca", "1", pbb(itag(1, 5, 1, 0), IP(id=1), X), pbb(itag(1, 5, 1, 1), IP(id=1), X)),
    # --- what says what follows: OpenFlow lets set_field write any header field ---
    "eth_type": ("", "eth_type", "0x88b5", v4("udp"), v4("udp").replace(b"\x08\0\x45", b"\x88\xb5\x45")),
    "eth_type in a VLAN": ("", "eth_type", "0x88b5", tagged(), tagged().replace(b"\x08\0\x45", b"\x88\xb5\x45")),
    "ip_proto": ("ip", "ip_proto", "201", v4("other"), v4("other", proto=201)),
    "ip_proto of IPv6": ("ipv6", "ip_proto", "201", v6("other"), v6("other", nh=201)),
    "mpls_bos": ("mpls", "mpls_bos", "0", label(), label(s=0)),
    # --- addresses: what the pseudo-header is in ---
    **{f"ip_src, {l4}": ("ip", "ip_src", "9.8.7.6", v4(l4), v4(l4, src="9.8.7.6")) for l4 in L4},
    **{f"ip_dst, {l4}": ("ip", "ip_dst", "9.8.7.6", v4(l4), v4(l4, dst="9.8.7.6")) for l4 in L4},
    **{f"ipv6_src, {l4}": ("ipv6", "ipv6_src", "9:8::6", v6(l4), v6(l4, src="9:8::6")) for l4 in ("tcp", "udp", "sctp", "other")},
    **{f"ipv6_dst, {l4}": ("ipv6", "ipv6_dst", "9:8::6", v6(l4), v6(l4, dst="9:8::6")) for l4 in ("tcp", "udp", "sctp", "other")},
    "ipv6_dst, behind hop-by-hop": ("ipv6", "ipv6_dst", "9:8::6", v6("udp", ext=[IPv6ExtHdrHopByHop()]),
                                    v6("udp", ext=[IPv6ExtHdrHopByHop()], dst="9:8::6")),
    "ipv6_src, icmp6": ("ipv6", "ipv6_src", "9:8::6", echo6(), eth(IPv6(src="9:8::6", dst="fd00:2::6"),
                                                                   ICMPv6EchoRequest(id=1, data=b"x" * 33))),
    # --- ports ---
    **{f"{l4}_src": (l4, f"{l4}_src", "65535", v4(l4), v4(l4, {"sport": 65535})) for l4 in ("tcp", "udp", "sctp")},
    **{f"{l4}_dst": (l4, f"{l4}_dst", "0", v4(l4), v4(l4, {"dport": 0})) for l4 in ("tcp", "udp", "sctp")},
    **{f"{l4}6_src": (l4 + "6", f"{l4}_src", "65535", v6(l4), v6(l4, {"sport": 65535})) for l4 in ("tcp", "udp", "sctp")},
    **{f"{l4}6_dst": (l4 + "6", f"{l4}_dst", "0", v6(l4), v6(l4, {"dport": 0})) for l4 in ("tcp", "udp", "sctp")},
    # --- UDP without a checksum keeps none; fragments ---
    "udp_dst without a checksum": ("udp", "udp_dst", "9", v4("udp", {"chksum": 0}), v4("udp", {"chksum": 0, "dport": 9})),
    "ip_src without a checksum": ("ip", "ip_src", "9.8.7.6", v4("udp", {"chksum": 0}), v4("udp", {"chksum": 0}, src="9.8.7.6")),
    "ip_src of a later fragment": ("ip", "ip_src", "9.8.7.6", fragment(8), fragment(8, src="9.8.7.6")),
    "nw_ttl of a later fragment": ("ip", "nw_ttl", "9", fragment(8), fragment(8, ttl=9)),
    "udp_src of a later fragment": ("udp", "udp_src", "9", fragment(8), fragment(8)),
    "ipv6_src of a later fragment": ("ipv6", "ipv6_src", "9:8::6", fragment6(8), fragment6(8, src="9:8::6")),
    "udp_src of a later fragment of IPv6": ("udp6", "udp_src", "9", fragment6(8), fragment6(8)),
    # --- the rest of the packet behind its own length is padding ---
    "tcp_dst with padding": ("tcp", "tcp_dst", "9", v4("tcp") + b"pad", v4("tcp", {"dport": 9}) + b"pad"),
    "ip_dst in a VLAN": ("ip", "ip_dst", "9.8.7.6", eth(vlan(5), vlan(6), IP(dst="1.1.1.1", src="2.2.2.2"), *L4["tcp"]()),
                         eth(vlan(5), vlan(6), IP(dst="9.8.7.6", src="2.2.2.2"), *L4["tcp"]())),
}
LONG_NAMES = {"ip_src": "NXM_OF_IP_SRC", "ip_dst": "NXM_OF_IP_DST", "eth_src": "NXM_OF_ETH_SRC", "eth_dst": "NXM_OF_ETH_DST",
              "tcp_src": "NXM_OF_TCP_SRC", "udp_dst": "NXM_OF_UDP_DST", "nw_ttl": "NXM_NX_IP_TTL", "arp_op": "NXM_OF_ARP_OP",
              "arp_spa": "NXM_OF_ARP_SPA", "icmp_type": "NXM_OF_ICMP_TYPE", "mpls_label": "OXM_OF_MPLS_LABEL",
              "mpls_ttl": "NXM_NX_MPLS_TTL", "pbb_isid": "OXM_OF_PBB_ISID", "ipv6_flabel": "NXM_NX_IPV6_LABEL",
              "sctp_src": "OXM_OF_SCTP_SRC", "ip_dscp": "OXM_OF_IP_DSCP", "nd_sll": "NXM_NX_ND_SLL"}


@pytest.fixture(scope="module")
def wire():
    with xvs.Lab() as lab:
        yield Wire(lab)


@pytest.mark.parametrize("name", CASES)
def test_set_field(wire, name):
    match, field, value, before, after = CASES[name]
    wire.flows(f"{match}{',' if match else ''}actions=set_field:{value}->{field},2")
    assert [f.hex() for f in wire.exchange(before, before)[2]] == [after.hex()] * 2


@pytest.mark.parametrize("name", [name for name in CASES if name in LONG_NAMES])
def test_load(wire, name):
    match, field, value, before, after = CASES[name]
    wire.flows(f"{match}{',' if match else ''}actions=load:{value}->{LONG_NAMES[field]}[],2")
    assert [f.hex() for f in wire.exchange(before)[2]] == [after.hex()]


def test_after_a_new_type_other_fields_are_there(wire):
    wire.flows("table=0,actions=set_field:0x0800->eth_type,goto_table:1", "table=1,udp,tp_dst=80,nw_src=10.1.2.3,actions=dec_ttl,2",
               "table=1,priority=1,actions=drop")
    frame = v4("udp").replace(b"\x08\0\x45", b"\x88\xb5\x45")
    assert wire.exchange(frame)[2] == [v4("udp", ttl=63)]


MOVES = {
    "MACs": ("", "NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]", v4("udp"), eth(IP(src="10.1.2.3", dst="10.4.5.6", id=1), *L4["udp"](), dst=A)),
    "low bits": ("ip", "NXM_OF_IP_SRC[0..7]->NXM_OF_IP_DST[8..15]", v4("tcp"), v4("tcp", dst="10.4.3.6")),
    "port to port": ("tcp", "OXM_OF_TCP_SRC[]->OXM_OF_TCP_DST[]", v4("tcp"), v4("tcp", {"dport": 1000})),
    "IPv6": ("ipv6", "NXM_NX_IPV6_SRC[]->NXM_NX_IPV6_DST[]", v6("udp"), v6("udp", dst="fd00:1::3")),
    "ARP": ("arp", "NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[]", arp(), arp(pdst="10.1.2.3")),
    "label to TTL": ("mpls", "OXM_OF_MPLS_LABEL[0..7]->NXM_NX_MPLS_TTL[]", label(), label(ttl=100)),
    "SCTP": ("sctp", "OXM_OF_SCTP_SRC[]->OXM_OF_SCTP_DST[]", v4("sctp"), v4("sctp", {"dport": 1000})),
}


@pytest.mark.parametrize("name", MOVES)
def test_move(wire, name):
    match, what, before, after = MOVES[name]
    wire.flows(f"{match}{',' if match else ''}actions=move:{what},2")
    assert [f.hex() for f in wire.exchange(before)[2]] == [after.hex()]


def test_a_checksum_that_comes_out_as_zero(wire):
    """RFC 768: a computed 0 is sent as 0xffff."""
    frame = v4("udp")
    chksum = struct.unpack_from("!H", frame, 40)[0]
    port = 80 + chksum if 80 + chksum <= 0xffff else 80 + chksum - 0xffff
    expected = v4("udp", {"dport": port})
    assert expected[40:42] == b"\xff\xff"
    wire.flows(f"udp,actions=set_field:{port}->udp_dst,2")
    assert wire.exchange(frame)[2] == [expected]


def test_every_field_at_once(wire):
    wire.flows("tcp,dl_vlan=5,actions=set_field:02:00:00:00:00:0c->eth_src,set_field:02:00:00:00:00:0d->eth_dst,"
               "set_field:4102->vlan_vid,set_field:1->vlan_pcp,set_field:1.1.1.1->ip_src,set_field:2.2.2.2->ip_dst,"
               "set_field:10->ip_dscp,set_field:1->ip_ecn,mod_nw_ttl:9,set_field:1->tcp_src,set_field:2->tcp_dst,2")
    before = eth(vlan(5, 3), IP(src="10.1.2.3", dst="10.4.5.6", id=1), *L4["tcp"]())
    after = eth(vlan(6, 1), IP(src="1.1.1.1", dst="2.2.2.2", id=1, tos=41, ttl=9), *L4["tcp"](sport=1, dport=2), src=C, dst=D)
    assert wire.exchange(before)[2] == [after]


# --- error codes of OFPET_BAD_ACTION (7.4.4) ---

def action(kind, body):
    return struct.pack("!HH", kind, 4 + len(body)) + body


def set_field(field, value, width, mask=None, length=None, pad=None):
    tlv = struct.pack("!HBB", 0x8000, field << 1 | (mask is not None), width * (2 if mask is not None else 1)
                      if length is None else length) + value.to_bytes(width, "big")
    tlv += b"" if mask is None else mask.to_bytes(width, "big")
    return action(25, tlv + bytes(-(4 + len(tlv)) % 8 if pad is None else pad))


BAD_TYPE, BAD_LEN, BAD_ARGUMENT, INCONSISTENT, BAD_SET_TYPE, BAD_SET_LEN, BAD_SET_ARGUMENT = 0, 1, 5, 10, 13, 14, 15
IPV4, IPV6, MPLS_TYPE, PBB_TYPE = (of.oxm(5, t, 2) for t in (0x0800, 0x86dd, 0x8847, 0x88e7))
TAG, TCP_MATCH = of.oxm(6, 0x1005, 2), of.oxm(5, 0x0800, 2) + of.oxm(10, 6, 1)
FAULTS = {
    "copy_ttl_out without MPLS or IP": (of.oxm(5, 0x0806, 2), action(11, bytes(4)), INCONSISTENT),
    "copy_ttl_in without MPLS or IP": (b"", action(12, bytes(4)), INCONSISTENT),
    "set_mpls_ttl without MPLS": (IPV4, action(15, b"\7\0\0\0"), INCONSISTENT),
    "dec_mpls_ttl without MPLS": (IPV4, action(16, bytes(4)), INCONSISTENT),
    "push_vlan of another type": (b"", action(17, b"\x08\0\0\0"), BAD_ARGUMENT),
    "push_vlan of MPLS's type": (b"", action(17, b"\x88\x47\0\0"), BAD_ARGUMENT),
    "pop_vlan without a tag": (b"", action(18, bytes(4)), INCONSISTENT),
    "pop_vlan of no tag": (of.oxm(6, 0, 2), action(18, bytes(4)), INCONSISTENT),
    "push_mpls of another type": (IPV4, action(19, b"\x81\0\0\0"), BAD_ARGUMENT),
    "pop_mpls without MPLS": (IPV4, action(20, b"\x08\0\0\0"), INCONSISTENT),
    "set_nw_ttl without IP": (MPLS_TYPE, action(23, b"\7\0\0\0"), INCONSISTENT),
    "dec_nw_ttl without IP": (b"", action(24, bytes(4)), INCONSISTENT),
    "push_pbb of another type": (b"", action(26, b"\x88\xa8\0\0"), BAD_ARGUMENT),
    "pop_pbb without PBB": (IPV4, action(27, bytes(4)), INCONSISTENT),
    "unknown type": (b"", action(28, bytes(4)), BAD_TYPE),
    "type 1 to 10 are of OpenFlow 1.0": (b"", action(1, bytes(4)), BAD_TYPE),
    **{f"action {n} too long": (MPLS_TYPE, action(n, (b"\x88\x47" if n == 19 else bytes(2)) + bytes(10)), BAD_LEN)
       for n in (11, 12, 15, 16, 17, 18, 19, 20, 22, 23, 24, 26, 27)},
    **{f"action {n} of length 4": (MPLS_TYPE, action(n, b"") + bytes(4), BAD_LEN) for n in (11, 17, 19, 25, 27)},
    "load to eth_type": (b"", action(0xffff, struct.pack("!IHHIQ", 0x2320, 7, 15, 0x0602, 0x0800)), BAD_SET_TYPE),
    "set_field of ip_proto without IP": (b"", set_field(10, 6, 1), INCONSISTENT),
    "set_field of mpls_bos without MPLS": (IPV4, set_field(36, 1, 1), INCONSISTENT),
    "set_field of too large a BOS": (MPLS_TYPE, set_field(36, 2, 1), BAD_SET_ARGUMENT),
    "set_field of ipv6_exthdr": (IPV6, set_field(39, 1, 2), BAD_SET_TYPE),
    "set_field of in_phy_port": (of.in_port(1), set_field(1, 1, 4), BAD_SET_TYPE),
    "set_field of an unknown field": (b"", set_field(99, 1, 4), BAD_SET_TYPE),
    "set_field with a mask": (b"", set_field(3, 1, 6, mask=1), BAD_SET_TYPE),
    "set_field of a wrong length": (b"", set_field(3, 1, 4), BAD_SET_LEN),
    "set_field of too large a VLAN id": (TAG, set_field(6, 0x2001, 2), BAD_SET_ARGUMENT),
    "set_field of a VLAN id without its bit": (TAG, set_field(6, 5, 2), BAD_SET_ARGUMENT),
    "set_field of too large a priority": (TAG, set_field(7, 8, 1), BAD_SET_ARGUMENT),
    "set_field of too large a DSCP": (IPV4, set_field(8, 64, 1), BAD_SET_ARGUMENT),
    "set_field of too large an ECN": (IPV4, set_field(9, 4, 1), BAD_SET_ARGUMENT),
    "set_field of too large a label": (MPLS_TYPE, set_field(34, 1 << 20, 4), BAD_SET_ARGUMENT),
    "set_field of too large a TC": (MPLS_TYPE, set_field(35, 8, 1), BAD_SET_ARGUMENT),
    "set_field of too large a flow label": (IPV6, set_field(28, 1 << 20, 4), BAD_SET_ARGUMENT),
    "set_field of ip_src without IP": (b"", set_field(11, 1, 4), INCONSISTENT),
    "set_field of ip_src in IPv6": (IPV6, set_field(11, 1, 4), INCONSISTENT),
    "set_field of tcp_src without TCP": (IPV4, set_field(13, 1, 2), INCONSISTENT),
    "set_field of udp_src in TCP": (TCP_MATCH, set_field(15, 1, 2), INCONSISTENT),
    "set_field of vlan_pcp without a tag": (b"", set_field(7, 1, 1), INCONSISTENT),
    "set_field of mpls_label without MPLS": (IPV4, set_field(34, 1, 4), INCONSISTENT),
    "set_field of pbb_isid without PBB": (IPV4, set_field(37, 1, 3), INCONSISTENT),
    "set_field of nd_target without ND": (IPV6 + of.oxm(10, 58, 1), set_field(31, 1, 16), INCONSISTENT),
    "set_field of arp_op without ARP": (IPV4, set_field(21, 1, 2), INCONSISTENT),
}


@pytest.mark.parametrize("write", [False, True], ids=["apply", "write"])
@pytest.mark.parametrize("name", FAULTS)
def test_action_faults(wire, name, write):
    match, data, code = FAULTS[name]
    c = of.Connection.to(wire.sw)
    inst = struct.pack("!HH4x", 3 if write else 4, 8 + len(data)) + data
    assert c.error(of.FLOW_MOD, of.flow_mod(match=match, instructions=inst)) == (2, code)
    c.close()


@pytest.mark.parametrize("match,data", [
    (IPV4, action(19, b"\x88\x47\0\0") + set_field(34, 5, 4) + action(16, bytes(4))),
    (MPLS_TYPE, action(20, b"\x08\0\0\0") + action(24, bytes(4))), (b"", action(17, b"\x81\0\0\0") + set_field(6, 0x1005, 2)),
    (b"", action(26, b"\x88\xe7\0\0") + set_field(37, 5, 3) + set_field(41, 1, 1))])
def test_what_an_action_brings_may_be_written(wire, match, data):
    c = of.Connection.to(wire.sw)
    c.accepted(of.FLOW_MOD, of.flow_mod(match=match, instructions=of.apply(data), priority=9))
    c.close()


def test_nothing_is_written_into_the_flow_table_by_a_refused_message(wire):
    wire.flows()
    c = of.Connection.to(wire.sw)
    for match, data, _ in FAULTS.values():
        c.error(of.FLOW_MOD, of.flow_mod(match=match, instructions=of.apply(data)))
    c.close()
    assert wire.sw.ofctl("dump-flows", "br0").stdout.count("actions=") == 1
