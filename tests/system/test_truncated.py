"""Packets cut short at every byte, and packets whose lengths lie: a field is there if the header that has it is whole.

One table per match writes one bit of the metadata; behind the last table the bits go into the Ethernet addresses, so
that each packet brings along what it has matched. It is told apart by the low 32 bits of its destination address.
"""
import collections
import ipaddress
import os
import random
import re
import secrets
import struct
import sys

import xvs

MAC = "02:12:34:56:78:9a"
IP_A, IP_B = "192.168.10.10", "192.168.20.20"
IP6_A, IP6_B, TARGET = "2001:db8:1:2:3:4:5:6", "2001:db8:a:b:c:d:e:f", "2001:db8::7"
PORTS = struct.pack("!HH", 1111, 2222)

IP4 = ["ip", f"ip,nw_src={IP_A}", f"ip,nw_dst={IP_B}", "ip,ip_dscp=46", "ip,nw_ecn=1"]
IP6 = ["ipv6", f"ipv6,ipv6_src={IP6_A}", f"ipv6,ipv6_dst={IP6_B}", "ipv6,ip_dscp=46", "ipv6,nw_ecn=1",
       "ipv6,ipv6_label=0x12345"]
VLAN = ["dl_vlan=5", "dl_vlan=5,dl_vlan_pcp=3"]
ARP = ["arp,arp_op=1", f"arp,arp_spa={IP_A}", f"arp,arp_tpa={IP_B}", f"arp,arp_sha={MAC}", f"arp,arp_tha={MAC}"]
MPLS = ["mpls,mpls_label=100", "mpls,mpls_tc=3", "mpls,mpls_bos=1"]
L4 = {p + v: [f"{p}{v},{p}_src=1111", f"{p}{v},{p}_dst=2222"] for p in ("tcp", "udp", "sctp") for v in ("", "6")}
ICMP = ["icmp,icmp_type=8", "icmp,icmp_code=3"]
ICMP6 = ["icmp6,icmpv6_type=128", "icmp6,icmpv6_code=3"]
SOLICIT, ADVERT = ["icmp6,icmpv6_type=135"], ["icmp6,icmpv6_type=136"]
NS_TARGET, NA_TARGET = [f"icmp6,icmpv6_type={t},nd_target={TARGET}" for t in (135, 136)]
SLL, TLL = f"icmp6,icmpv6_type=135,nd_sll={MAC}", f"icmp6,icmpv6_type=136,nd_tll={MAC}"
GRE_KEY = "ip,nw_proto=47,gre_key=0x1234"
MATCHES = [*IP4, *IP6, *VLAN, "arp", *ARP, "mpls", *MPLS, *L4, *sum(L4.values(), []), "icmp", *ICMP, "icmp6", *ICMP6,
           *SOLICIT, *ADVERT, NS_TARGET, NA_TARGET, SLL, TLL, GRE_KEY]
assert len(MATCHES) <= 64


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def address(text):
    return ipaddress.ip_address(text).packed


# --- A packet is a list of (bytes, what matches if they are all there) ---

def eth(ethertype, name=()):
    return [(bytes(12) + struct.pack("!H", ethertype), list(name))]


def vlan(ethertype, matches, name=()):
    """A tag behind a type that was 0x8100; the type behind it belongs to it."""
    return [(struct.pack("!HH", 3 << 13 | 5, ethertype), matches + list(name))]


def ipv4(proto, name, rest, total=None, ihl=None, version=4, options=b"", matches=None, frag=0):
    """name: the match of the protocol. matches: what the header lets match, if it is not as usual."""
    length = 20 + len(options) + sum(len(data) for data, _ in rest)
    header = struct.pack("!BBHHHBBH4s4s", version << 4 | (5 + len(options) // 4 if ihl is None else ihl), 46 << 2 | 1,
                         length if total is None else total, 7, frag, 64, proto, 0, address(IP_A), address(IP_B))
    return [(header + options, IP4[1:] + name if matches is None else matches)] + rest


def ipv6(first, rest, payload=None, version=6, name=(), matches=None):
    length = sum(len(data) for data, _ in rest)
    header = struct.pack("!IHBB16s16s", version << 28 | (46 << 2 | 1) << 20 | 0x12345,
                         length if payload is None else payload,
                         first, 255, address(IP6_A), address(IP6_B))
    return [(header, IP6[1:] + list(name) if matches is None else matches)] + rest


def l4(proto, matches, offset=5):
    return [({"tcp": PORTS + bytes(8) + bytes([offset << 4, 0x10]) + bytes(6), "udp": PORTS + struct.pack("!HH", 12, 0),
              "sctp": PORTS + bytes(8)}[proto], matches), (b"data", [])]


NUMBER = {"tcp": 6, "udp": 17, "sctp": 132}
ECHO = [(bytes([8, 3]) + bytes(6), ICMP), (b"data", [])]
ECHO6 = [(bytes([128, 3, 0, 0]), ICMP6), (b"datadata", [])]


def neighbour(kind, number, target, length=1, lladdr=None):
    return [(bytes([kind, 0, 0, 0]), SOLICIT if kind == 135 else ADVERT), (bytes(4) + address(TARGET), [target]),
            (bytes([number, length]) + mac(MAC), [lladdr] if lladdr else [])]


def hop_by_hop(following, size=0):
    return bytes([following, size, 1, 4, 0, 0, 0, 0])


ARP_HEADER = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, mac(MAC), address(IP_A), mac(MAC), address(IP_B))
LABEL = struct.pack("!I", 100 << 12 | 3 << 9 | 1 << 8 | 64)


def cut_packets():
    """name: a packet that is to be cut everywhere."""
    packets = {"arp": eth(0x0806, ["arp"]) + [(ARP_HEADER, ARP), (bytes(18), [])],
               "mpls": eth(0x8847, ["mpls"]) + [(LABEL, MPLS), (bytes(20), [])],
               "unknown": eth(0x88b5) + [(bytes(20), [])],
               "icmp": eth(0x0800, ["ip"]) + ipv4(1, ["icmp"], ECHO),
               "icmp6": eth(0x86dd, ["ipv6"]) + ipv6(58, ECHO6, name=["icmp6"]),
               "solicitation": eth(0x86dd, ["ipv6"]) + ipv6(58, neighbour(135, 1, NS_TARGET, lladdr=SLL),
                                                            name=["icmp6"]),
               "advertisement": eth(0x86dd, ["ipv6"]) + ipv6(58, neighbour(136, 2, NA_TARGET, lladdr=TLL),
                                                             name=["icmp6"]),
               "gre": eth(0x0800, ["ip"]) + ipv4(47, [], [
                   (struct.pack("!HHI", 0x2000, 0x6558, 0x1234), [GRE_KEY]), (bytes(20), [])]),
               "gre, checksum": eth(0x0800, ["ip"]) + ipv4(47, [], [
                   (struct.pack("!HHII", 0xa000, 0x6558, 0, 0x1234), [GRE_KEY]), (bytes(9), [])])}
    for proto, number in NUMBER.items():
        four, six = l4(proto, L4[proto]), l4(proto, L4[proto + "6"])
        packets[proto] = eth(0x0800, ["ip"]) + ipv4(number, [proto], four)
        packets[proto + " behind options"] = eth(0x0800, ["ip"]) + ipv4(number, [proto], four, options=b"\1" * 8)
        packets[proto + "6"] = eth(0x86dd, ["ipv6"]) + ipv6(number, six, name=[proto + "6"])
        packets[proto + "6 behind extensions"] = eth(0x86dd, ["ipv6"]) + ipv6(0, [
            (hop_by_hop(60), []), (hop_by_hop(44), []), (bytes([number, 0, 0, 1, 0, 0, 0, 9]), [proto + "6"])] + six)
        packets[proto + " in a VLAN"] = eth(0x8100) + vlan(0x0800, VLAN, ["ip"]) + ipv4(number, [proto], four)
        packets[proto + "6 in two VLANs"] = (eth(0x88a8) + vlan(0x8100, VLAN) + vlan(0x86dd, [], ["ipv6"]) +
                                             ipv6(number, six, name=[proto + "6"]))
    return packets


def lying_packets():
    """Whole frames with lengths that are not so."""
    tcp, tcp6, nothing = l4("tcp", L4["tcp"]), l4("tcp", L4["tcp6"]), [(l4("tcp", [])[0][0], []), (b"data", [])]
    ip, six = eth(0x0800, ["ip"]), eth(0x86dd, ["ipv6"])
    return {
        "total length beyond the frame": ip + ipv4(6, ["tcp"], tcp, total=1500),
        "total length 0": ip + ipv4(6, [], nothing, total=0, matches=[]),
        "total length 19": ip + ipv4(6, [], nothing, total=19, matches=[]),
        "total length 20": ip + ipv4(6, ["tcp"], nothing, total=20),
        "total length ends in the TCP header": ip + ipv4(6, ["tcp"], nothing, total=39),
        "total length ends behind the TCP header": ip + ipv4(6, ["tcp"], tcp, total=40),
        "header length 0": ip + ipv4(6, [], nothing, ihl=0, matches=[]),
        "header length 4": ip + ipv4(6, [], nothing, ihl=4, matches=[]),
        "header length behind the total length": ip + ipv4(6, [], nothing, ihl=15, matches=[]),
        "IPv4 of version 6": ip + ipv4(6, [], nothing, version=6, matches=[]),
        "IPv4 of version 5": ip + ipv4(6, [], nothing, version=5, matches=[]),
        "IPv6 of version 4": six + ipv6(6, nothing, version=4, matches=[]),
        "a later fragment": ip + ipv4(6, ["tcp"], nothing, frag=1),
        "a first fragment": ip + ipv4(6, ["tcp"], tcp, frag=0x2000),
        "TCP offset 4": ip + ipv4(6, ["tcp"], l4("tcp", L4["tcp"], 4)),
        "TCP offset 15": ip + ipv4(6, ["tcp"], l4("tcp", L4["tcp"], 15)),
        "payload length 0": six + ipv6(6, nothing, payload=0, name=["tcp6"]),
        "payload length 19": six + ipv6(6, nothing, payload=19, name=["tcp6"]),
        "payload length 20": six + ipv6(6, tcp6, payload=20, name=["tcp6"]),
        "payload length beyond the frame": six + ipv6(6, tcp6, payload=1500, name=["tcp6"]),
        "extension header beyond the frame": six + ipv6(0, [(hop_by_hop(6, 200), [])] + nothing),
        "extension header beyond the payload": six + ipv6(0, [(hop_by_hop(6), [])] + nothing, payload=7),
        "a later fragment of IPv6": six + ipv6(44, [(bytes([6, 0, 0, 8, 0, 0, 0, 9]), ["tcp6"])] + nothing),
        "option of length 0": six + ipv6(58, neighbour(135, 1, NS_TARGET, length=0), name=["icmp6"]),
        "option of length 2 in 8 bytes": six + ipv6(58, neighbour(135, 1, NS_TARGET, length=2), name=["icmp6"]),
        "ARP of another hardware": eth(0x0806, ["arp"]) + [(b"\0\6" + ARP_HEADER[2:], [])],
        "ARP of long addresses": eth(0x0806, ["arp"]) + [(ARP_HEADER[:4] + b"\x08" + ARP_HEADER[5:], [])],
        "ARP of IPv6": eth(0x0806, ["arp"]) + [(ARP_HEADER[:2] + b"\x86\xdd" + ARP_HEADER[4:], [])],
        "GRE with routing": ip + ipv4(47, [], [(struct.pack("!HHI", 0x6000, 0x6558, 0x1234), []), (bytes(20), [])]),
        "GRE of version 1": ip + ipv4(47, [], [(struct.pack("!HHI", 0x2001, 0x880b, 0x1234), []), (bytes(20), [])]),
        "GRE without a key": ip + ipv4(47, [], [(struct.pack("!HHI", 0x1000, 0x6558, 0x1234), []), (bytes(20), [])]),
    }


def cuts(packet):
    """(length, bytes, what matches) for each length that the kernel lets through: it wants two bytes behind a tag."""
    data = b"".join(part for part, _ in packet)
    for length in range(20 if data[12:14] in (b"\x81\x00", b"\x88\xa8") else 15, len(data) + 1):
        end, matched = 0, []
        for part, names in packet:
            end += len(part)
            if end <= length:
                matched += names
        yield length, data[:length], matched


SENDER = """
import socket, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth0", 0))
for n, line in enumerate(sys.stdin):
    s.send(bytes.fromhex(line))
    if n % 50 == 0:
        time.sleep(0.01)  # tcpdump loses what comes all at once
"""


def send_and_catch(lab, flows, packets):
    """Sends them into a switch, in a random order, twice; gives the switch and what comes out, by index."""
    h, s = lab.ns("h"), lab.ns("s")
    lab.veth(h, "eth0", s, "p1")
    lab.veth(h, "eth1", s, "p2")
    sw = lab.switch(s)
    sw.ctl("add-br", "br0", "--", "set", "bridge", "br0", "fail_mode=secure", "--", "add-port", "br0", "p1",
           "ofport_request=1", "--", "add-port", "br0", "p2", "ofport_request=2")
    sw.ofctl("add-flows", "br0", "-", input="\n".join(flows) + "\n")
    seed = int(os.environ.get("XVS_TEST_SEED", "0"), 0) or secrets.randbits(48)
    print(f"XVS_TEST_SEED={seed}")
    order = list(range(len(packets))) * 2
    random.Random(seed).shuffle(order)
    capture = lab.capture(h, "eth1")
    lines = ["0200" + struct.pack("!I", n).hex() + packets[n][6:].hex() for n in order]
    h.run(sys.executable, "-c", SENDER, input="\n".join(lines) + "\n", timeout=30)
    xvs.wait_until(lambda: s.statistic("p2", "tx_packets") >= len(order), 10, f"{len(order)} packets")
    caught = {}
    for p in map(bytes, capture.stop()):
        caught.setdefault(struct.unpack("!I", p[2:6])[0], []).append(p)
    return sw, caught


def send_and_read(lab, packets):
    """Gives what each packet has matched, as (length, set) for each time it was seen, and the counters."""
    flows = []
    for n, match in enumerate(MATCHES):
        flows.append(f"table={n},priority=10,{match},actions=write_metadata:{1 << n:#x}/{1 << n:#x},goto_table:{n + 1}")
        flows.append(f"table={n},priority=0,actions=goto_table:{n + 1}")
    flows.append(f"table={len(MATCHES)},actions=move:OXM_OF_METADATA[0..47]->NXM_OF_ETH_SRC[],"
                 "move:OXM_OF_METADATA[48..63]->NXM_OF_ETH_DST[32..47],output:2")
    sw, caught = send_and_catch(lab, flows, packets)
    results = {}
    for n, seen in caught.items():
        for p in seen:
            bits = int.from_bytes(p[:2] + p[6:12], "big")
            results.setdefault(n, []).append((len(p), frozenset(m for k, m in enumerate(MATCHES) if bits >> k & 1)))
    return results, counters(sw)


def counters(sw):
    """Packets that each match has seen."""
    seen = re.findall(r"table=(\d+), n_packets=(\d+), .*?priority=10,", sw.ofctl("dump-flows", "br0").stdout)
    return {MATCHES[int(table)]: int(packets) for table, packets in seen}


def check(lab, cases):
    """cases: [(name, bytes, what must match)]."""
    results, counted = send_and_read(lab, [data for _, data, _ in cases])
    faults = []
    for n, (name, data, wanted) in enumerate(cases):
        got = results.get(n, [])
        if got != [(len(data), frozenset(wanted))] * 2:
            extra = sorted(set().union(*(g[1] for g in got)) - set(wanted))
            missing = sorted(set(wanted) - (frozenset.intersection(*(g[1] for g in got)) if got else set()))
            faults.append(f"{name}: seen {len(got)} times, lengths {[g[0] for g in got]}; too much: {extra}; "
                          f"missing: {missing}")
    assert not faults, f"{len(faults)} of {len(cases)}:\n" + "\n".join(faults[:40])
    wanted = collections.Counter(m for _, _, matched in cases for m in matched)
    assert counted == {m: 2 * wanted[m] for m in MATCHES}
    return counted


def test_cut_at_every_byte(lab):
    counted = check(lab, [(f"{name}, {length} bytes", data, matched)
                          for name, packet in cut_packets().items() for length, data, matched in cuts(packet)])
    assert all(counted.values()), counted


def test_lengths_that_lie(lab):
    check(lab, [(name, b"".join(part for part, _ in packet), [m for _, names in packet for m in names])
                for name, packet in lying_packets().items()])


# What writes into the last header of a packet: where that header is cut there is nothing to write into. SCTP's CRC is
# over the whole packet and cannot follow a change in a fragment, so such a packet stays as it is.
WRITES = {"tcp": "set_field:9->tcp_src,set_field:8->tcp_dst", "udp": "set_field:9->udp_src,set_field:8->udp_dst",
          "sctp": "set_field:9->sctp_src,set_field:8->sctp_dst",
          "icmp": "set_field:0->icmp_type,set_field:1->icmp_code",
          "arp": "set_field:2->arp_op,set_field:1.2.3.4->arp_spa,set_field:02:00:00:00:00:01->arp_tha",
          "icmp6": "set_field:129->icmpv6_type,set_field:1->icmpv6_code", "mpls": "set_field:7->mpls_label"}
WRITES |= {p + "6": WRITES[p] for p in ("tcp", "udp", "sctp")}


def test_nothing_is_written_into_a_header_that_is_cut(lab):
    flows = [f"priority=10,{match},actions={actions},output:2" for match, actions in WRITES.items()]
    whole = {f[0] for f in L4.values()} | {ICMP[0], ICMP6[0], ARP[0], MPLS[0]}
    cases = [(f"{name}, {length} bytes", data, bool(whole & set(matched)) and name != "sctp6 behind extensions")
             for name, packet in cut_packets().items() for length, data, matched in cuts(packet)
             if not re.match("soli|adv|gre|unk", name)]
    _, caught = send_and_catch(lab, flows + ["priority=0,actions=output:2"], [data for _, data, _ in cases])
    faults = []
    for n, (name, data, written) in enumerate(cases):
        for p in caught.get(n, [b"", b""]):
            if len(p) != len(data) or (p[6:] != data[6:]) != written:
                faults.append(f"{name}: {data.hex()} became {p.hex()}")
        if len(caught.get(n, [])) != 2:
            faults.append(f"{name}: seen {len(caught.get(n, []))} times")
    assert not faults, f"{len(faults)} of {len(cases)}:\n" + "\n".join(faults[:40])
