"""Random tables, groups and packets that meet often. Most of what is made here is valid; the twin says what is not."""
import struct

from . import messages as m
from . import packet as p
from . import switch as s

PORTS, TABLES, GROUPS = (1, 2, 3), 4, 6
MACS = [0x020000000001, 0x020000000002, 0x020000000003, 0x010000000001]
V4 = [0x0a000001, 0x0a000002, 0x0a000103, 0xc0a80001]
V6 = [0xfd00 << 112 | 1, 0xfd00 << 112 | 2, 0x2001 << 112 | 7]
L4 = [1, 2, 53, 80, 0x50f0]
POOL = {"eth_dst": MACS, "eth_src": MACS, "vlan_vid": [0x1005, 0x1006, 0x1fff], "vlan_pcp": [0, 3, 7], "ip_dscp": [0, 10, 46],
        "ip_ecn": [0, 1, 3], "ipv4_src": V4, "ipv4_dst": V4, "ipv6_src": V6, "ipv6_dst": V6, "ipv6_flabel": [0, 0x12345],
        "ipv6_exthdr": [0, 0x40, 0x08], "sctp_src": L4, "sctp_dst": L4, "tcp_src": L4, "tcp_dst": L4, "udp_src": L4, "udp_dst": L4, "icmpv4_type": [0, 8], "icmpv4_code": [0, 1],
        "icmpv6_type": [128, 129], "icmpv6_code": [0, 1], "arp_op": [1, 2], "arp_spa": V4, "arp_tpa": V4, "arp_sha": MACS,
        "arp_tha": MACS, "mpls_label": [16, 17, 0xfffff], "mpls_tc": [0, 5], "pbb_isid": [7, 0x10203],
        "metadata": [0, 1, 2, 3, 1 << 63]}
MASKS = {"eth_dst": [1 << 40, 0xffffff000000], "eth_src": [0xff], "ipv4_src": [0xffffff00, 1], "ipv4_dst": [0xfffffffc, 0xff000000],
         "ipv6_src": [0xffff << 112], "ipv6_dst": [3], "tcp_dst": [0xf0], "udp_src": [1], "metadata": [1, 3, 1 << 63],
         "vlan_vid": [0x1000, 0x1001], "pbb_isid": [0xff], "arp_spa": [0xff00], "arp_tha": [3], "ipv6_flabel": [0xf0000], "ipv6_exthdr": [0x40, 0x1f7]}
# kind: (what a match of it holds, fields of its headers)
IPV4, IPV6 = ["ip_dscp", "ip_ecn", "ipv4_src", "ipv4_dst"], ["ip_dscp", "ip_ecn", "ipv6_src", "ipv6_dst", "ipv6_flabel"]
ETH = ["eth_dst", "eth_src"]
KINDS = {
    "any": ({}, ETH),
    "tcp": ({"eth_type": 0x0800, "ip_proto": 6}, ETH + IPV4 + ["tcp_src", "tcp_dst"]),
    "udp": ({"eth_type": 0x0800, "ip_proto": 17}, ETH + IPV4 + ["udp_src", "udp_dst"]),
    "icmp": ({"eth_type": 0x0800, "ip_proto": 1}, ETH + IPV4 + ["icmpv4_type", "icmpv4_code"]),
    "ip": ({"eth_type": 0x0800}, ETH + IPV4),
    "tcp6": ({"eth_type": 0x86dd, "ip_proto": 6}, ETH + IPV6 + ["tcp_src", "tcp_dst"]),
    "udp6": ({"eth_type": 0x86dd, "ip_proto": 17}, ETH + IPV6 + ["udp_src", "udp_dst"]),
    "icmp6": ({"eth_type": 0x86dd, "ip_proto": 58}, ETH + IPV6 + ["icmpv6_type", "icmpv6_code"]),
    "sctp": ({"eth_type": 0x0800, "ip_proto": 132}, ETH + IPV4 + ["sctp_src", "sctp_dst"]),
    "sctp6": ({"eth_type": 0x86dd, "ip_proto": 132}, ETH + IPV6 + ["sctp_src", "sctp_dst"]),
    "arp": ({"eth_type": 0x0806}, ETH + ["arp_op", "arp_spa", "arp_tpa", "arp_sha", "arp_tha"]),
    "mpls": ({"eth_type": 0x8847}, ETH + ["mpls_label", "mpls_tc"]),
    "pbb": ({"eth_type": 0x88e7}, ETH + ["pbb_isid"]),
}


class Random:
    """What of packets and messages is random; rng: random.Random."""

    def __init__(self, rng):
        self.rng, self.cookies, self.priorities = rng, 0, {}
        self.packets = [self.packet() for _ in range(40)]

    def some(self, items):
        return self.rng.choice(list(items))

    # --- packets ---

    def packet(self):
        kind = self.some(["tcp", "udp", "icmp", "sctp", "tcp6", "udp6", "icmp6", "sctp6", "arp", "tcp", "udp"])
        data = bytearray(struct.pack("!6s6sH", self.some(MACS).to_bytes(6, "big"), self.some(MACS).to_bytes(6, "big"),
                                     KINDS[kind][0]["eth_type"]))
        if kind == "arp":
            data += struct.pack("!HHBBH20x", 1, 0x0800, 6, 4, 1)
        elif kind.endswith("6"):
            proto, l4 = KINDS[kind][0]["ip_proto"], self.transport(kind[:-1])
            for header in self.some([[], [], [], [p.HOP_BY_HOP], [p.DESTINATION], [p.DESTINATION, p.HOP_BY_HOP]]):
                proto, l4 = header, struct.pack("!BBHI", proto, 0, 0x0104, 0) + l4  # padding in it
            data += struct.pack("!IHBB32x", 6 << 28, len(l4), proto, self.some([1, 2, 3, 64])) + l4
        else:
            l4, fragment = self.transport(kind), self.rng.choice([0] * 8 + [0x4000, 0x4000 if kind == "sctp" else 0x2000, 5])
            data += struct.pack("!BBHHHBBH8x", 0x45, 0, 20 + len(l4), 7, fragment, self.some([0, 1, 2, 3, 64]),
                                KINDS[kind][0]["ip_proto"], 0) + l4
        for name in KINDS[kind][1]:
            p.set_field(data, name, self.some(POOL[name]))
        p.fix_checksums(data)
        if kind == "udp" and self.rng.random() < 0.2:
            data[40:42] = b"\0\0"  # none was made
        self.tags(data)
        return bytes(data.ljust(60, b"\0"))

    def transport(self, kind):
        payload = self.rng.randbytes(self.rng.choice([0, 3, 20, 61, 200]))
        if kind == "tcp":
            return struct.pack("!HHIIBBHHH", 0, 0, 1, 2, 0x50, 0x10, 99, 0, 0) + payload
        if kind == "sctp":
            return struct.pack("!HHII", 0, 0, 9, 0) + payload
        if kind == "udp":
            return struct.pack("!HHHH", 0, 0, 8 + len(payload), 1) + payload
        return struct.pack("!BBHI", 0, 0, 0, 5) + payload

    def tags(self, data):
        tag = self.some(["", "", "vlan", "vlan", "qinq", "mpls", "mpls2", "pbb", "vlan mpls", "mpls vlan"])
        if tag.startswith("mpls"):
            ip = p.number(data, 96, 16) in (0x0800, 0x86dd)
            if tag == "mpls vlan":
                self.vlan(data)
            elif not ip:
                return
            for _ in range(2 if tag == "mpls2" else 1):
                p.push_mpls(data, 0x8847)
                p.set_field(data, "mpls_label", self.some(POOL["mpls_label"]))
                p.set_field(data, "mpls_ttl", self.some([0, 1, 2, 64]))
        elif tag == "vlan mpls":
            if p.number(data, 96, 16) != 0x0806:
                p.push_mpls(data, 0x8847)
            self.vlan(data)
        elif tag == "pbb":
            p.push_pbb(data, 0x88e7)
            p.set_field(data, "pbb_isid", self.some(POOL["pbb_isid"]))
        elif tag:
            for _ in range(2 if tag == "qinq" else 1):
                self.vlan(data)

    def vlan(self, data):
        p.push_vlan(data, self.some([0x8100, 0x8100, 0x88a8]))
        p.set_field(data, "vlan_vid", self.some(POOL["vlan_vid"]))
        p.set_field(data, "vlan_pcp", self.some(POOL["vlan_pcp"]))

    # --- matches ---

    def match(self, table):
        kind = self.some(list(KINDS) + ["any", "any", "tcp", "ip"])
        exact, names = KINDS[kind]
        match = {n: (v, m.ones(n)) for n, v in exact.items()}
        vlan = self.some([None, None, "no", "yes", "yes"])
        if vlan == "no":
            match["vlan_vid"] = (0, 0x1fff)
        elif vlan:
            match["vlan_vid"] = self.masked("vlan_vid", 0x1000)
            if self.rng.random() < 0.3:
                match["vlan_pcp"] = (self.some(POOL["vlan_pcp"]), 7)
        if kind == "mpls" and self.rng.random() < 0.7:
            match["mpls_bos"] = (self.some([0, 1, 1]), 1)
        if "ipv6_flabel" in names and self.rng.random() < 0.3:
            match["ipv6_exthdr"] = self.masked("ipv6_exthdr")
        for name in self.rng.sample(names, self.rng.choice([0, 0, 1, 1, 2])):
            match[name] = self.masked(name)
        if table and self.rng.random() < 0.4:
            match["metadata"] = self.masked("metadata")
        if self.rng.random() < 0.4:
            match["in_port"] = (self.some(PORTS), m.ones("in_port"))
        return kind, match

    def masked(self, name, always=0):
        value, mask = self.some(POOL[name]), m.ones(name)
        if name in MASKS and self.rng.random() < 0.4:
            mask = self.some(MASKS[name]) | always
        return value & mask, mask

    # --- actions ---

    def actions(self, kind, match, in_set=False):
        """A list that fits what is matched; in_set: one that is executed in the order of 5.10."""
        state = {"kind": kind, "vlan": match.get("vlan_vid", (0, 0))[1] & 0x1000 and match["vlan_vid"][0] & 0x1000 or
                 (None if "vlan_vid" not in match else 0), "bos": match.get("mpls_bos", (None,))[0], "below": []}
        acts = []
        for _ in range(self.rng.choice([0, 1, 1, 2, 3, 4])):
            acts += self.step(state, in_set)
        if in_set and self.rng.random() < 0.3:  # executed before the others, which may then have nothing left to change
            acts.append(self.some([("push_mpls", 0x8847), ("push_pbb", 0x88e7), ("copy_ttl_out",), ("copy_ttl_in",)] +
                                  [("pop_vlan",)] * 4 * bool(state["vlan"])))
        if in_set:
            acts += [self.way_out()] * (self.rng.random() < 0.8) + [self.way_out()] * (self.rng.random() < 0.2)
        return acts

    def step(self, state, in_set):
        kind, vlan = state["kind"], state["vlan"]
        can = [self.set_field] * 4
        if not in_set:
            can += [lambda _: [self.way_out()]] * 5 + [self.push_mpls, self.push_pbb]
        if not in_set or not state["below"]:
            can += [self.push_vlan]
        if vlan and not in_set:
            can += [self.pop_vlan] * 2
        if kind in ("ip", "tcp", "udp", "icmp", "sctp", "tcp6", "udp6", "icmp6", "sctp6"):
            can += [lambda _: [("dec_nw_ttl",)], lambda _: [("set_nw_ttl", self.some([1, 2, 64]))]]
        if kind == "mpls":
            can += [lambda _: [("dec_mpls_ttl",)], lambda _: [("set_mpls_ttl", self.some([1, 2, 64]))],
                    lambda _: [("copy_ttl_out",)], lambda _: [("copy_ttl_in",)]]
            if not in_set:
                can += [self.pop_mpls] * 2
        if kind == "pbb" and not vlan and vlan is not None and not in_set:
            can += [self.pop_pbb] * 2
        return self.some(can)(state)

    def set_field(self, state):
        names = KINDS[state["kind"]][1] + (["vlan_vid", "vlan_pcp"] if state["vlan"] else [])
        name = self.some(names)
        return [("set_field", name, self.some(POOL[name]))]

    def push_vlan(self, state):
        state["below"].append((state["kind"], state["vlan"], "vlan"))
        state["vlan"] = 1
        return [("push_vlan", self.some([0x8100, 0x88a8])), ("set_field", "vlan_vid", self.some(POOL["vlan_vid"]))]

    def pop_vlan(self, state):
        state["vlan"] = state["below"].pop()[1] if state["below"] and state["below"][-1][2] == "vlan" else None
        return [("pop_vlan",)]

    def push_mpls(self, state):
        state["below"].append((state["kind"], state["vlan"], "mpls"))
        state.update(kind="mpls", vlan=0, bos=None)
        return [("push_mpls", 0x8847)]

    def pop_mpls(self, state):
        if state["below"] and state["below"][-1][2] == "mpls":
            kind, vlan, _ = state["below"][-1]
            if vlan is None or kind == "any":
                return []
            state["below"].pop()
            state.update(kind=kind, vlan=vlan, bos=None)
            return [("pop_mpls", 0x8100 if vlan else KINDS[kind][0]["eth_type"])]
        if state["below"] or state["bos"] is None:
            return []
        bos, state["bos"] = state["bos"], None
        if bos:
            state["kind"] = "ip"
        return [("pop_mpls", 0x0800 if bos else 0x8847)]

    def push_pbb(self, state):
        state["below"].append((state["kind"], state["vlan"], "pbb"))
        state.update(kind="pbb", vlan=0)
        return [("push_pbb", 0x88e7)]

    def pop_pbb(self, state):
        known = state["below"] and state["below"][-1][2] == "pbb"
        kind, vlan = state["below"].pop()[:2] if known else ("any", None)
        state.update(kind=kind, vlan=vlan)
        return [("pop_pbb",)]

    def packet_out(self):
        """(port, actions, packet)"""
        acts = self.actions("any", {}) + [self.some([("output", m.TABLE), ("output", m.TABLE), self.way_out()])]
        return self.some([*PORTS, m.CONTROLLER]), acts, self.some(self.packets)

    def way_out(self):
        return self.some([("output", 1), ("output", 2), ("output", 3), ("output", m.ALL), ("output", m.FLOOD), ("output", m.IN_PORT),
                          ("output", m.CONTROLLER), ("output", 77), *[("group", n) for n in range(1, GROUPS + 1)]])

    # --- flow-mods and group-mods ---

    def flow(self, table=None):
        table = self.rng.randrange(TABLES) if table is None else table
        kind, match = self.match(table)
        if self.rng.random() < 0.1:
            kind, match = "any", {}
        # No two flows of a priority overlap, since 5.3 does not say which of them is taken.
        key = tuple(sorted(match.items()))
        priority = 0 if not match else self.priorities.setdefault(key, 1 + len(self.priorities)) * 7919 % 10000 + 1
        if match and self.rng.random() < 0.1:
            priority += 20000
        self.cookies += 1
        return s.Flow(table, priority, match, self.instructions(table, kind, match), self.cookies << 8 | self.rng.randrange(4),
                      self.rng.choice([0] * 8 + [1, 2]), self.rng.choice([0] * 8 + [1, 3]),
                      self.rng.choice([0, 1, 1]) | self.rng.choice([0] * 9 + [2, 4, 8, 16]))

    def instructions(self, table, kind, match):
        todo = {}
        if self.rng.random() < 0.8:
            todo["apply"] = self.actions(kind, match)
        if self.rng.random() < 0.1:
            todo["clear"] = True
        if self.rng.random() < 0.4:
            todo["write"] = self.actions(kind, match, True)
        if self.rng.random() < 0.3:
            mask = self.some([3, m.ones("metadata"), 1 << 63])
            todo["metadata"] = (self.some(POOL["metadata"]) & mask, mask)
        if table < TABLES - 1 and self.rng.random() < 0.5:
            todo["goto"] = self.rng.randrange(table + 1, TABLES)
        return todo

    def group(self):
        number, kind = self.rng.randrange(1, GROUPS + 1), self.rng.randrange(4)
        buckets = [self.bucket(number, kind) for _ in range(1 if kind == s.TYPE_INDIRECT else self.rng.choice([0, 1, 2, 2, 3]))]
        return number, kind, buckets

    def bucket(self, number, kind):
        weight = self.some([0, 1, 1, 5]) if kind == s.TYPE_SELECT else 0
        port = self.some([m.ANY, *PORTS]) if kind == s.TYPE_SELECT else self.some(PORTS) if kind == s.TYPE_FF else m.ANY
        group = m.ANY
        if kind == s.TYPE_FF and number > 1 and self.rng.random() < 0.3:
            port, group = self.some([m.ANY, port]), self.rng.randrange(1, number)
        acts = []
        for name, value in {n: self.some(POOL[n]) for n in self.rng.sample(ETH, self.rng.choice([0, 1]))}.items():
            acts.append(("set_field", name, value))
        if self.rng.random() < 0.2:
            acts.append(("push_vlan", 0x8100))
        if self.rng.random() < 0.1:
            acts.append(("push_mpls", 0x8847))
        acts.append(self.some([("output", 1), ("output", 2), ("output", 3), ("output", m.ALL), ("output", m.IN_PORT),
                               ("output", m.CONTROLLER)]))
        if number > 1 and self.rng.random() < 0.25:
            acts[-1 if self.rng.random() < 0.8 else len(acts):] = [("group", self.rng.randrange(1, number))]
        return weight, port, group, acts
