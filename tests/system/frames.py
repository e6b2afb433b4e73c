"""Frames of scapy's making, checksums included, with the addresses that tests share."""
import logging
import struct

import scapy.contrib.mpls  # noqa: F401  (binds MPLS to its Ethernet type)
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1AD, Dot1Q, Ether
from scapy.packet import Raw

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)

A, B, C, D = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "02:00:00:00:00:0c", "02:00:00:00:00:0d"
PAYLOAD = Raw(b"the quick brown fox jumps over the lazy dog")


def eth(*layers, src=A, dst=B, **kwargs):
    p = Ether(src=src, dst=dst, **kwargs)
    for layer in layers:
        p = p / layer
    return bytes(p)


def ip(ttl=64, **kwargs):
    return [IP(src="10.0.0.1", dst="10.0.0.2", ttl=ttl, id=7, **kwargs), UDP(sport=1, dport=2), PAYLOAD]


def ip6(ttl=64):
    return [IPv6(src="fd00::1", dst="fd00::2", hlim=ttl), TCP(sport=1, dport=2), PAYLOAD]


def lse(label=0, tc=0, s=1, ttl=64):
    return MPLS(label=label, cos=tc, s=s, ttl=ttl)


def mpls(*layers, ethertype=0x8847, **kwargs):
    return eth(*layers, type=ethertype, **kwargs)


def itag(isid=0, pcp=0, dei=0, uca=0, dst=B, src=A):
    tci = struct.pack("!I", pcp << 29 | dei << 28 | uca << 27 | isid)
    return Raw(tci + bytes.fromhex((dst + src).replace(":", "")))


def pbb(tag, *inner, **kwargs):
    """A PBB frame around a customer's frame, whose addresses are in the I-TAG."""
    return eth(tag, Raw(eth(*inner)[12:]), type=0x88e7, **kwargs)


def vlan(vid, pcp=0):
    return Dot1Q(vlan=vid, prio=pcp)


def svlan(vid, pcp=0):
    return Dot1AD(vlan=vid, prio=pcp)
