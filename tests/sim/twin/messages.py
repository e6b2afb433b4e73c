"""OpenFlow 1.3 messages for the twin, there and back, by struct alone."""
import struct

(HELLO, ERROR, SET_CONFIG, PACKET_IN, FLOW_REMOVED, PACKET_OUT, FLOW_MOD, GROUP_MOD, PORT_MOD, MULTIPART_REQUEST, MULTIPART_REPLY,
 SET_ASYNC) = 0, 1, 9, 10, 11, 13, 14, 15, 16, 18, 19, 28
IN_PORT, TABLE, FLOOD, ALL, CONTROLLER, ANY = 0xfffffff8, 0xfffffff9, 0xfffffffb, 0xfffffffc, 0xfffffffd, 0xffffffff
NO_BUFFER, ALL_TABLES = 0xffffffff, 0xff

# name: (number, bytes, bits, maskable)
FIELDS = {"in_port": (0, 4, 32, False), "metadata": (2, 8, 64, True), "eth_dst": (3, 6, 48, True), "eth_src": (4, 6, 48, True),
          "eth_type": (5, 2, 16, False), "vlan_vid": (6, 2, 13, True), "vlan_pcp": (7, 1, 3, False), "ip_dscp": (8, 1, 6, False),
          "ip_ecn": (9, 1, 2, False), "ip_proto": (10, 1, 8, False), "ipv4_src": (11, 4, 32, True), "ipv4_dst": (12, 4, 32, True),
          "tcp_src": (13, 2, 16, True), "tcp_dst": (14, 2, 16, True), "udp_src": (15, 2, 16, True), "udp_dst": (16, 2, 16, True),
          "sctp_src": (17, 2, 16, True), "sctp_dst": (18, 2, 16, True), "ipv6_exthdr": (39, 2, 9, True),
          "icmpv4_type": (19, 1, 8, False), "icmpv4_code": (20, 1, 8, False), "arp_op": (21, 2, 16, False),
          "arp_spa": (22, 4, 32, True), "arp_tpa": (23, 4, 32, True), "arp_sha": (24, 6, 48, True), "arp_tha": (25, 6, 48, True),
          "ipv6_src": (26, 16, 128, True), "ipv6_dst": (27, 16, 128, True), "ipv6_flabel": (28, 4, 20, True),
          "icmpv6_type": (29, 1, 8, False), "icmpv6_code": (30, 1, 8, False), "mpls_label": (34, 4, 20, False),
          "mpls_tc": (35, 1, 3, False), "mpls_bos": (36, 1, 1, False), "pbb_isid": (37, 3, 24, True)}
BY_NUMBER = {row[0]: name for name, row in FIELDS.items()}


def ones(name):
    return (1 << FIELDS[name][2]) - 1


def message(kind, body=b"", xid=0):
    return struct.pack("!BBHI", 4, kind, 8 + len(body), xid) + body


def oxm(name, value, mask=None):
    n, size = FIELDS[name][:2]
    masked = mask is not None and mask != ones(name)
    head = struct.pack("!HBB", 0x8000, n << 1 | masked, size * (1 + masked))
    return head + value.to_bytes(size, "big") + (mask.to_bytes(size, "big") if masked else b"")


def match(fields):
    """{name: (value, mask)}, with what others need first."""
    order = ["in_port", "eth_type", "vlan_vid", "ip_proto", "icmpv6_type"]
    data = b"".join(oxm(n, *fields[n]) for n in sorted(fields, key=lambda n: (order.index(n) if n in order else 9, n)))
    return struct.pack("!HH", 1, 4 + len(data)) + data + bytes(-(4 + len(data)) % 8)


def parse_match(data):
    """(fields, the rest)."""
    _, length = struct.unpack_from("!HH", data)
    at, found = 4, {}
    while at < length:
        _, n, size = struct.unpack_from("!HBB", data, at)
        value, at = data[at + 4:at + 4 + size], at + 4 + size
        if n >> 1 in BY_NUMBER:
            name = BY_NUMBER[n >> 1]
            half = size // 2 if n & 1 else size
            found[name] = (int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big") if n & 1 else ones(name))
    return found, data[(length + 7) // 8 * 8:]


PLAIN = {"copy_ttl_out": 11, "copy_ttl_in": 12, "dec_mpls_ttl": 16, "pop_vlan": 18, "dec_nw_ttl": 24, "pop_pbb": 27}
BYTE, SHORT, LONG = {"set_mpls_ttl": 15, "set_nw_ttl": 23}, {"push_vlan": 17, "push_mpls": 19, "pop_mpls": 20, "push_pbb": 26}, {"group": 22}


def action(word, *args):
    if word == "output":
        return struct.pack("!HHIH6x", 0, 16, args[0], 0xffff)
    if word == "set_field":
        data = oxm(*args)
        length = (4 + len(data) + 7) // 8 * 8
        return struct.pack("!HH", 25, length) + data + bytes(length - 4 - len(data))
    for table, form in ((PLAIN, "!HH4x"), (BYTE, "!HHB3x"), (SHORT, "!HHH2x"), (LONG, "!HHI")):
        if word in table:
            return struct.pack(form, table[word], 8, *args)
    raise KeyError(word)


def actions(items):
    return b"".join(action(*a) for a in items)


def instruction(name, value):
    if name == "goto":
        return struct.pack("!HHB3x", 1, 8, value)
    if name == "metadata":
        return struct.pack("!HH4xQQ", 2, 24, *value)
    if name == "clear":
        return struct.pack("!HH4x", 5, 8)
    data = actions(value)
    return struct.pack("!HH4x", {"write": 3, "apply": 4}[name], 8 + len(data)) + data


def flow_mod(command, flow, out_port=ANY, out_group=ANY, cookie_mask=0):
    """flow: anything with a flow's attributes (switch.Flow)."""
    return message(FLOW_MOD, struct.pack("!QQBBHHHIIIH2x", flow.cookie, cookie_mask, flow.table, command, flow.idle, flow.hard,
                                         flow.priority, NO_BUFFER, out_port, out_group, flow.flags) + match(flow.match) +
                   b"".join(instruction(*i) for i in flow.instructions.items()))


def buckets(items):
    """Items: (weight, watch_port, watch_group, actions)."""
    data = b""
    for weight, port, group, acts in items:
        body = actions(acts)
        data += struct.pack("!HHII4x", 16 + len(body), weight, port, group) + body
    return data


def group_mod(command, kind, number, items=()):
    return message(GROUP_MOD, struct.pack("!HBxI", command, kind, number) + buckets(items))


def packet_out(port, acts, data):
    body = actions(acts)
    return message(PACKET_OUT, struct.pack("!IIH6x", NO_BUFFER, port, len(body)) + body + data)


def port_mod(port, mac, config, mask):
    return message(PORT_MOD, struct.pack("!I4x6s2xIII4x", port, mac, config, mask, 0))


def multipart(kind, body=b"", xid=0):
    return message(MULTIPART_REQUEST, struct.pack("!HH4x", kind, 0) + body, xid)


ALL_FLOWS = struct.pack("!B3xII4xQQ", ALL_TABLES, ANY, ANY, 0, 0) + match({})


def parse_flow_stats(data):
    while data:
        length, table, sec, nsec, priority, idle, hard, flags, cookie, packets, size = struct.unpack_from("!HBxIIHHHH4xQQQ", data)
        fields, insts = parse_match(data[48:length])
        yield {"table": table, "priority": priority, "idle": idle, "hard": hard, "flags": flags, "cookie": cookie,
               "packets": packets, "bytes": size, "match": fields, "instructions": insts, "seconds": sec + nsec / 1e9}
        data = data[length:]


def parse_group_stats(data):
    while data:
        length, number, refs, packets, size = struct.unpack_from("!H2xII4xQQ", data)
        yield number, refs, (packets, size), [struct.unpack_from("!QQ", data, at) for at in range(40, length, 16)]
        data = data[length:]


def parse_packet_in(body):
    _, total, reason, table, cookie = struct.unpack_from("!IHBBQ", body)
    fields, rest = parse_match(body[16:])
    assert len(rest) - 2 == total
    return reason, table, cookie, fields, rest[2:]


def parse_flow_removed(body):
    cookie, priority, reason, table, _, _, idle, hard, packets, size = struct.unpack_from("!QHBBIIHHQQ", body)
    return cookie, priority, reason, table, idle, hard, packets, size, parse_match(body[40:])[0]
