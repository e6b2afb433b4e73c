"""Packets as the twin sees them: where each field is in the bytes, what the tags' actions do to the bytes, checksums.

Written from OpenFlow 1.3.5 (5.12, 7.2.3, table 12) and the RFCs, to be obvious, not fast; nothing of the switch is used.
"""

TAGS, MPLS, PBB = (0x8100, 0x88a8), (0x8847, 0x8848), 0x88e7
TCP, UDP, ICMP, ICMP6, SCTP = 6, 17, 1, 58, 132
HOP_BY_HOP, DESTINATION = 0, 60  # IPv6 extension headers: RFC 8200
EXTHDR_BITS = {HOP_BY_HOP: 0x40, DESTINATION: 0x08}


def number(data, bit, bits):
    """The number in `bits` bits from bit `bit` on, most significant first."""
    first, last = bit // 8, (bit + bits + 7) // 8
    return int.from_bytes(data[first:last], "big") >> (last * 8 - bit - bits) & (1 << bits) - 1


def put(data, bit, bits, value):
    first, last = bit // 8, (bit + bits + 7) // 8
    shift = last * 8 - bit - bits
    old = int.from_bytes(data[first:last], "big") & ~(((1 << bits) - 1) << shift)
    data[first:last] = (old | value << shift).to_bytes(last - first, "big")


def places(data):
    """{field: (bit, bits)} of all fields that this packet has; "payload" is the byte behind the Ethernet type."""
    at = {"eth_dst": (0, 48), "eth_src": (48, 48)}
    end = 12
    while number(data, end * 8, 16) in TAGS:
        if end == 12:
            at["vlan_pcp"], at["vlan_vid"] = (14 * 8, 3), (14 * 8 + 4, 12)
        end += 4
    at["eth_type"] = (end * 8, 16)
    at["payload"] = p = end + 2
    kind = number(data, end * 8, 16)
    if kind in MPLS:
        at.update(mpls_label=(p * 8, 20), mpls_tc=(p * 8 + 20, 3), mpls_bos=(p * 8 + 23, 1), mpls_ttl=(p * 8 + 24, 8))
    elif kind == PBB:
        at.update(pbb_pcp=(p * 8, 3), pbb_isid=(p * 8 + 8, 24))
    elif kind == 0x0806:
        for name, byte, size in (("arp_op", 6, 2), ("arp_sha", 8, 6), ("arp_spa", 14, 4), ("arp_tha", 18, 6), ("arp_tpa", 24, 4)):
            at[name] = ((p + byte) * 8, size * 8)
    elif kind == 0x0800 and data[p] == 0x45:  # else it only says that it is IP
        at.update(ip_dscp=((p + 1) * 8, 6), ip_ecn=((p + 1) * 8 + 6, 2), ip_ttl=((p + 8) * 8, 8), ip_proto=((p + 9) * 8, 8),
                  ipv4_src=((p + 12) * 8, 32), ipv4_dst=((p + 16) * 8, 32))
        if not number(data, (p + 6) * 8 + 3, 13):  # a later fragment has no transport header
            transport(at, number(data, (p + 9) * 8, 8), p + 20, ICMP, "icmpv4")
    elif kind == 0x86dd and data[p] >> 4 == 6:
        at.update(ip_dscp=(p * 8 + 4, 6), ip_ecn=(p * 8 + 10, 2), ipv6_flabel=(p * 8 + 12, 20), ip_ttl=((p + 7) * 8, 8),
                  ipv6_src=((p + 8) * 8, 128), ipv6_dst=((p + 24) * 8, 128))
        proto, l4, _ = ipv6_chain(data, p)
        at["ip_proto"] = (proto * 8, 8)
        transport(at, data[proto], l4, ICMP6, "icmpv6")
    return at


def ipv6_chain(data, p):
    """(byte that names the last header's protocol, that header's first byte, [extension headers])"""
    proto, header, found = p + 6, p + 40, []
    while data[proto] in EXTHDR_BITS:
        found.append(data[proto])
        proto, header = header, header + 8 * (data[header + 1] + 1)
    return proto, header, found


def exthdr(data):
    """7.2.3.7: what OXM_OF_IPV6_EXTHDR says; None if the packet is not IPv6."""
    at = places(data)
    if "ipv6_src" not in at:
        return None
    return sum(EXTHDR_BITS[h] for h in ipv6_chain(data, at["payload"])[2])


def transport(at, proto, l4, icmp, name):
    if proto in (TCP, UDP, SCTP):
        word = {TCP: "tcp", UDP: "udp", SCTP: "sctp"}[proto]
        at[word + "_src"], at[word + "_dst"] = (l4 * 8, 16), (l4 * 8 + 16, 16)
    elif proto == icmp:
        at[name + "_type"], at[name + "_code"] = (l4 * 8, 8), (l4 * 8 + 8, 8)


def fields(data):
    """{field: value}. 7.2.3.7: vlan_vid is 0 without a tag, and has OFPVID_PRESENT with one."""
    found = {name: number(data, *place) for name, place in places(data).items() if name != "payload"}
    if exthdr(data) is not None:
        found["ipv6_exthdr"] = exthdr(data)
    found["vlan_vid"] = found["vlan_vid"] | 0x1000 if "vlan_vid" in found else 0
    return found


def checksum(data):
    if len(data) % 2:
        data = bytes(data) + b"\0"
    total = sum(int.from_bytes(data[i:i + 2], "big") for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def crc32c(data):
    """RFC 9260, appendix A."""
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def fix_first_fragment(data, old):
    """The rest of what is summed up is elsewhere: RFC 1624, over the addresses and the ports, which may have changed."""
    ip = places(data)["payload"]
    where = ip + 20 + {TCP: 16, UDP: 6, ICMP: 2}[data[ip + 9]]
    before = number(data, where * 8, 16)
    if data[ip + 9] == UDP and not before:
        return
    # ICMP's checksum knows no addresses; its type and code are the first word.
    words = range(ip + 20 if data[ip + 9] == ICMP else ip + 12, ip + (22 if data[ip + 9] == ICMP else 24), 2)
    total = before ^ 0xffff
    for i in words:
        total += (number(old, i * 8, 16) ^ 0xffff) + number(data, i * 8, 16)
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    put(data, where * 8, 16, total ^ 0xffff)


def fix_checksums(data, old=None):
    at = places(data)
    p, kind = at["payload"], number(data, *at["eth_type"])
    if "ip_proto" not in at:
        return
    if kind == 0x0800:
        put(data, (p + 10) * 8, 16, 0)
        put(data, (p + 10) * 8, 16, checksum(data[p:p + 20]))
        if number(data, (p + 6) * 8 + 2, 14) and old:
            if data[p + 6] == 0x20 and not data[p + 7]:
                fix_first_fragment(data, old)
            return
        l4, end, proto = p + 20, p + number(data, (p + 2) * 8, 16), data[p + 9]
        pseudo = bytes(data[p + 12:p + 20]) + bytes([0, proto]) + (end - l4).to_bytes(2, "big")
    else:
        proto, l4, _ = ipv6_chain(data, p)
        proto, end = data[proto], p + 40 + number(data, (p + 4) * 8, 16)
        pseudo = bytes(data[p + 8:p + 40]) + (end - l4).to_bytes(4, "big") + bytes([0, 0, 0, proto])
    if proto == SCTP:
        data[l4 + 8:l4 + 12] = bytes(4)
        data[l4 + 8:l4 + 12] = crc32c(data[l4:end]).to_bytes(4, "little")
    where = {TCP: 16, UDP: 6, ICMP: 2, ICMP6: 2}.get(proto)
    if where is None or proto == UDP and kind == 0x0800 and not number(data, (l4 + 6) * 8, 16):
        return  # RFC 768: no checksum was made
    put(data, (l4 + where) * 8, 16, 0)
    total = checksum((b"" if proto == ICMP else pseudo) + bytes(data[l4:end]))
    put(data, (l4 + where) * 8, 16, total or 0xffff if proto == UDP else total)


def set_field(data, name, value):
    """On a packet that has it; others stay as they are."""
    at = places(data)
    if name not in at:
        return
    old = bytes(data)
    put(data, *at[name], value & 0xfff if name == "vlan_vid" else value)
    if at[name][0] >= at["payload"] * 8:
        fix_checksums(data, old)


# --- Tags: 5.12 ---

def push_vlan(data, tpid):
    """Outermost; "the VLAN ID and priority are copied from the existing outermost tag", else zero."""
    at = places(data)
    pcp, vid = (number(data, *at[n]) if n in at else 0 for n in ("vlan_pcp", "vlan_vid"))
    data[12:12] = tpid.to_bytes(2, "big") + (pcp << 13 | vid).to_bytes(2, "big")


def pop_vlan(data):
    if "vlan_vid" in places(data):
        del data[12:16]


def push_mpls(data, kind):
    """Immediately behind the Ethernet header: a copy of the outermost label, else label 0 with the IP packet's TTL. It is the
    bottom of its stack unless another label follows at once."""
    at = places(data)
    if "mpls_label" in at:
        entry = number(data, at["mpls_label"][0], 32) & ~0x100 | (0x100 if at["payload"] > 14 else 0)
    else:
        entry = 0x100 | (number(data, *at["ip_ttl"]) if "ip_ttl" in at else 0)
    data[12:14] = kind.to_bytes(2, "big") + entry.to_bytes(4, "big")


def pop_mpls(data, kind):
    at = places(data)
    if "mpls_label" in at:
        p = at["payload"]
        del data[p:p + 4]
        data[p - 2:p] = kind.to_bytes(2, "big")


def push_pbb(data, kind):
    """I-SID of the outermost PBB header else zero, I-PCP of the outermost VLAN tag else zero; both addresses are copied."""
    at = places(data)
    isid = number(data, *at["pbb_isid"]) if "pbb_isid" in at else 0
    pcp = number(data, *at["vlan_pcp"]) if "vlan_pcp" in at else 0
    data[12:12] = kind.to_bytes(2, "big") + (pcp << 29 | isid).to_bytes(4, "big") + data[:12]


def pop_pbb(data):
    at = places(data)
    if "pbb_isid" in at and at["payload"] == 14:
        data[0:18] = b""


# --- TTLs ---

def inner_ttl(data):
    """(bit, bits) of the TTL below the outermost label, a label's or IP's; None if there is none."""
    at = places(data)
    if "mpls_label" not in at:
        return None
    below = at["payload"] + 4
    if not number(data, *at["mpls_bos"]):
        return (below + 3) * 8, 8
    return {4: ((below + 8) * 8, 8), 6: ((below + 7) * 8, 8)}.get(data[below] >> 4)


def fix_inner(data):
    """The header checksum of an IPv4 packet below one label."""
    below = places(data)["payload"] + 4
    if number(data, *places(data)["mpls_bos"]) and data[below] >> 4 == 4:
        put(data, (below + 10) * 8, 16, 0)
        put(data, (below + 10) * 8, 16, checksum(data[below:below + 20]))


def copy_ttl_out(data):
    inner = inner_ttl(data)
    if inner:
        put(data, *places(data)["mpls_ttl"], number(data, *inner))


def copy_ttl_in(data):
    inner = inner_ttl(data)
    if inner:
        put(data, *inner, number(data, *places(data)["mpls_ttl"]))
        fix_inner(data)
