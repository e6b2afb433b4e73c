#!/usr/bin/env python3
"""The switch against its slow obvious twin (twin/switch.py): random tables, groups, packets, flow-mods, group-mods, links and
time. Frames, packet-ins, flow-removed messages, errors and all counters must agree.

usage: test-twin.py [SEED [ROUNDS]]     by default rounds of some seconds from a new seed, or from $XVS_TEST_SEED
"""
import os
import random
import struct
import subprocess
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from twin import messages as m  # noqa: E402
from twin import scenario  # noqa: E402
from twin import switch as s  # noqa: E402

STEPS, SECONDS = 250, 8
STEP_MS = 250  # the switch looks each quarter of a second for flows whose time is over
QUIET = not os.environ.get("TWIN_VERBOSE")  # the switch logs each message that it refuses
BUILD = os.environ.get("XVS_BUILDDIR", "build")


class Real:
    """tests/sim/sim-pipe: the switch, with everything it says sorted."""

    def __init__(self):
        self.process = subprocess.Popen([f"{BUILD}/tests/sim/sim-pipe"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL if QUIET else None)
        self.n, self.buffer, self.xid = 0, b"", 10
        self.forget()
        self.openflow(m.message(m.HELLO))
        self.openflow(m.message(m.SET_CONFIG, struct.pack("!HH", 0, 0xffff)))  # whole packets
        reasons = struct.pack("!6I", 7, 7, 0, 0, 15, 15)
        self.openflow(m.message(m.SET_ASYNC, reasons))
        self.sync()
        self.forget()

    def forget(self):
        self.frames, self.messages = [], []

    def put(self, what, number=0, data=b""):
        self.process.stdin.write(what.encode() + struct.pack("!II", number, len(data)) + data)

    def openflow(self, data):
        self.put("O", 0, data)

    def sync(self):
        self.n += 1
        self.put("S", self.n)
        self.process.stdin.flush()
        while True:
            head = self.process.stdout.read(9)
            assert len(head) == 9, "the switch has ended"
            what, number, length = head[:1], *struct.unpack("!II", head[1:])
            data = self.process.stdout.read(length)
            if what == b"f":
                self.frames.append((number, data))
            elif what == b"o":
                self.buffer += data
            else:
                break
        while len(self.buffer) >= 8:
            _, kind, length, xid = struct.unpack_from("!BBHI", self.buffer)
            self.messages.append((kind, xid, self.buffer[8:length]))
            self.buffer = self.buffer[length:]

    def ask(self, kind, body=b""):
        """A multipart's whole answer; what else comes is kept."""
        kept, self.messages, self.xid = self.messages, [], self.xid + 1
        self.openflow(m.multipart(kind, body, self.xid))
        self.sync()
        parts = [b[8:] for k, x, b in self.messages if k == m.MULTIPART_REPLY and x == self.xid]
        self.messages = kept + [e for e in self.messages if e[0] != m.MULTIPART_REPLY]
        assert parts, f"no answer to multipart {kind}"
        return b"".join(parts)

    def take(self, kind):
        found = [body for k, _, body in self.messages if k == kind]
        self.messages = [e for e in self.messages if e[0] != kind]
        return found

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(10) == 0, "sim-pipe failed"


class Round:
    def __init__(self, seed):
        self.random = scenario.Random(random.Random(seed))
        self.rng, self.real, self.twin = self.random.rng, Real(), s.Switch(scenario.PORTS, scenario.TABLES)
        self.log, self.refused, self.asked = [], 0, 0

    def run(self, steps):
        for table in range(scenario.TABLES):
            for _ in range(4):
                self.flow_mod(0, self.random.flow(table))
            if self.rng.random() < 0.7:
                self.flow_mod(0, self.miss(table))
        for _ in range(4):
            self.group_mod()
        for n in range(steps):
            todo = self.rng.random()
            if todo < 0.60:
                self.packet()
            elif todo < 0.65:
                self.burst()
            elif todo < 0.70:
                self.packet_out()
            elif todo < 0.86:
                self.random_flow_mod()
            elif todo < 0.93:
                self.group_mod()
            elif todo < 0.96:
                self.time()
            elif todo < 0.98:
                self.link()
            else:
                self.port_mod()
            if n % 50 == 49 or not QUIET:
                self.compare_counters()
        self.compare_counters()
        self.real.close()

    def miss(self, table):
        flow = self.random.flow(table)
        flow.priority, flow.match = 0, {}
        flow.instructions = {"apply": [self.random.some([("output", m.CONTROLLER), ("output", m.ALL)])]}
        if table < scenario.TABLES - 1 and self.rng.random() < 0.5:
            flow.instructions = {"goto": table + 1}
        return flow

    # --- events ---

    def packet(self):
        port, data = self.random.some(scenario.PORTS), self.random.some(self.random.packets)
        self.log.append(f"packet in_port={port} {data.hex()}")
        self.real.put("F", port, data)
        self.outcome(port, port, data, None)

    def burst(self):
        """Several at once, which the switch groups by what becomes of them; only of those that can do one thing only."""
        self.log.append("burst")
        frames, ins = [], []
        for _ in range(self.rng.randrange(2, 50)):
            port, data = self.random.some(scenario.PORTS), self.random.some(self.random.packets)
            possible = list(self.twin.alternatives(port, data))
            if len(possible) == 1:
                self.real.put("F", port, data)
                self.log.append(f"  packet in_port={port} {data.hex()}")
                self.twin.commit(port, data, possible[0])
                frames, ins = frames + possible[0].frames, ins + possible[0].packet_ins
        self.real.sync()
        got, self.real.frames = sorted(self.real.frames), []
        self.equal("frames of the burst", [(n, f.hex()) for n, f in got], [(n, f.hex()) for n, f in sorted(frames)])
        self.equal("packet-ins of the burst", sorted(self.packet_ins()), sorted(ins))

    def packet_ins(self):
        for body in self.real.take(m.PACKET_IN):
            reason, table, cookie, fields, frame = m.parse_packet_in(body)
            yield reason, table, cookie, fields["in_port"][0], fields.get("metadata", (0,))[0], frame

    def packet_out(self):
        port, acts, data = self.random.packet_out()
        self.log.append(f"packet-out in_port={port} {acts} {data.hex()}")
        self.asked += 1
        self.real.openflow(m.packet_out(port, acts, data))
        self.real.sync()
        errors = [struct.unpack_from("!HH", e) for e in self.real.take(m.ERROR)]
        if errors and errors[0][0] == 2:  # OFPET_BAD_ACTION: a group that is not there, …
            self.refused += 1
            return
        if errors:
            self.fail(f"errors {errors}")
        self.outcome(None, port, data, acts)

    def outcome(self, received, port, data, acts):
        """What the packet has done is one of the things that it may do."""
        self.real.sync()
        frames, self.real.frames = sorted(self.real.frames), []
        ins = list(self.packet_ins())
        possible = list(self.twin.alternatives(port, data, acts))
        fit = [o for o in possible if sorted(o.frames) == frames and o.packet_ins == ins]
        if not fit:
            self.fail_packet(possible[0], frames, ins)
        if len(fit) > 1:
            fit = self.by_counters(fit, len(data))
        self.twin.commit(received, data, fit[0])

    def by_counters(self, fit, size):
        """Of outcomes that look alike, the one that the groups' counters tell of."""
        stats = {n: buckets for n, _, _, buckets in m.parse_group_stats(self.real.ask(6, struct.pack("!I4x", 0xfffffffc)))}
        for o in fit:
            now = {n: [(c.packets + o.counted.count(c), c.bytes + size * o.counted.count(c)) for c in g.counts]
                   for n, g in self.twin.groups.items()}
            if now == stats:
                return [o]
        self.fail(f"the buckets' counters are of no outcome that is allowed: {stats}")
        return []

    def mod(self, text, do, message):
        """The same change to both: both take it or both refuse it."""
        self.log.append(text)
        self.asked += 1
        self.real.openflow(message)
        self.real.sync()
        errors = [struct.unpack_from("!HH", e) for e in self.real.take(m.ERROR)]
        if errors and errors[0] in ((2, 10), (2, 11)):
            self.refused += 1  # OFPBAC_MATCH_INCONSISTENT, …: what fits a match has tests of its own
            return
        expected = []
        try:
            do()
        except s.Refused as e:
            expected = sorted(*e.args)
        if len(errors) > 1 or bool(errors) != bool(expected) or not set(errors) <= set(expected):
            self.fail(f"errors {errors}, expected one of {expected}")
        self.compare_removed()

    def flow_mod(self, command, flow, **filters):
        do = {0: lambda: self.twin.add(flow), 1: lambda: self.twin.modify(flow, False, filters.get("cookie_mask", 0)),
              2: lambda: self.twin.modify(flow, True, filters.get("cookie_mask", 0)),
              3: lambda: self.twin.delete(flow, False, **filters), 4: lambda: self.twin.delete(flow, True, **filters)}[command]
        words = ["add", "modify", "modify_strict", "delete", "delete_strict"]
        self.mod(f"{words[command]} table={flow.table} priority={flow.priority} {flow.match} {flow.instructions} "
                 f"cookie={flow.cookie:#x} idle={flow.idle} hard={flow.hard} flags={flow.flags} {filters}", do,
                 m.flow_mod(command, flow, **filters))

    def random_flow_mod(self):
        flow, filters = self.random.flow(), {}
        command = self.random.some([0, 0, 0, 0, 0, 1, 2, 3, 4])
        if command and self.twin.flows and self.rng.random() < 0.8:
            like = self.random.some(self.twin.flows)
            flow.table, flow.priority, flow.match, cookie = like.table, like.priority, dict(like.match), like.cookie
            if command in (1, 2):
                kind = next((k for k, (x, _) in scenario.KINDS.items() if x and
                             {n: v for n, v in like.match.items() if n in ("eth_type", "ip_proto")} ==
                             {n: (v, m.ones(n)) for n, v in x.items()}), "any")
                flow.instructions = self.random.instructions(flow.table, kind, flow.match)
            if command in (1, 3):
                for name in [n for n in ("in_port", "eth_src", "ipv4_src", "metadata") if n in flow.match]:
                    del flow.match[name]
            if self.rng.random() < 0.3:
                flow.cookie, filters = cookie, {"cookie_mask": self.random.some([3, 1])}
        if command in (3, 4):
            flow.instructions, flow.flags = {}, 0
            if self.rng.random() < 0.2:
                flow.table = m.ALL_TABLES
            if self.rng.random() < 0.3:
                filters["out_port"] = self.random.some(scenario.PORTS)
            elif self.rng.random() < 0.3:
                filters["out_group"] = self.rng.randrange(1, scenario.GROUPS + 1)
        if command in (1, 2):
            flow.flags &= s.RESET_COUNTS
        self.flow_mod(command, flow, **filters)

    def group_mod(self):
        number, kind, buckets = self.random.group()
        if number not in self.twin.groups:
            command = self.random.some([0] * 9 + [1])
        else:
            command = self.random.some([0, 1, 1, 1, 1, 2])
        do = [lambda: self.twin.add_group(number, kind, buckets), lambda: self.twin.modify_group(number, kind, buckets),
              lambda: self.twin.delete_group(number)][command]
        if command == 2:
            kind, buckets = 0, []
        self.mod(f"group {['add', 'modify', 'delete'][command]} {number} type={kind} {buckets}", do,
                 m.group_mod(command, kind, number, buckets))

    def time(self):
        steps = self.rng.randrange(1, 7)
        self.log.append(f"{steps * STEP_MS} ms pass")
        for _ in range(steps):
            self.twin.now += STEP_MS
            self.real.put("T", STEP_MS)
            self.twin.expire()
        self.real.sync()
        self.compare_removed()

    def link(self):
        port = self.random.some(scenario.PORTS)
        up = self.twin.ports[port] = not self.twin.ports[port]
        self.log.append(f"port {port} {'up' if up else 'down'}")
        self.real.put("U" if up else "D", port)

    def port_mod(self):
        port, bit = self.random.some(scenario.PORTS), self.random.some([s.NO_RECV, s.NO_FWD, s.NO_PACKET_IN])
        config = self.twin.config[port] = self.twin.config[port] ^ bit if self.rng.random() < 0.5 else 0
        self.log.append(f"port {port} config={config:#x}")
        data = self.real.ask(13)
        mac = next(data[at + 8:at + 14] for at in range(0, len(data), 64) if data[at:at + 4] == port.to_bytes(4, "big"))
        self.real.openflow(m.port_mod(port, mac, config, s.NO_RECV | s.NO_FWD | s.NO_PACKET_IN))

    # --- comparisons ---

    def compare_removed(self):
        real = sorted(m.parse_flow_removed(b)[:8] for b in self.real.take(m.FLOW_REMOVED))
        twin, self.twin.removed = sorted(self.twin.removed), []
        if real != twin:
            self.fail(f"flow-removed {real}, expected {twin}")

    def compare_counters(self):
        self.compare_flows()
        self.compare_groups()
        tables = self.real.ask(3)
        for n in range(scenario.TABLES):
            active, lookups, matched = struct.unpack_from("!IQQ", tables, n * 24 + 4)
            hits, misses = self.twin.tables[n].packets, self.twin.misses[n].packets
            self.equal(f"table {n}", (active, lookups, matched), (sum(f.table == n for f in self.twin.flows), hits + misses, hits))
        data = self.real.ask(4, struct.pack("!I4x", m.ANY))
        for at in range(0, len(data), 112):
            n, rx, tx, rx_bytes, tx_bytes = struct.unpack_from("!I4xQQQQ", data, at)
            if n in self.twin.ports:
                want = self.twin.received[n], self.twin.sent[n]
                self.equal(f"port {n}", (rx, tx, rx_bytes, tx_bytes),
                           (want[0].packets, want[1].packets, want[0].bytes, want[1].bytes))

    def compare_flows(self):
        real = {f["cookie"]: f for f in m.parse_flow_stats(self.real.ask(1, m.ALL_FLOWS))}
        self.equal("flows", sorted(real), sorted(f.cookie for f in self.twin.flows))
        for f in self.twin.flows:
            got = real[f.cookie]
            self.equal(f"flow {f.cookie:#x}", [got[n] for n in ("table", "priority", "match", "packets", "bytes", "idle", "hard")],
                       [f.table, f.priority, f.match, *f.told(), f.idle, f.hard])
            self.equal(f"age of {f.cookie:#x}", round(got["seconds"] * 1000), self.twin.now - f.created)
            sent = sorted(m.instruction(*i) for i in f.instructions.items() if i[0] != "apply" or i[1])
            self.equal(f"instructions of {f.cookie:#x}", sorted(self.split(got["instructions"])), sent)

    @staticmethod
    def split(data):
        while data:
            length = struct.unpack_from("!H", data, 2)[0]
            yield data[:length]
            data = data[length:]

    def compare_groups(self):
        for n, references, total, buckets in m.parse_group_stats(self.real.ask(6, struct.pack("!I4x", 0xfffffffc))):
            group = self.twin.groups.get(n)
            if not group:
                self.fail(f"group {n} should not be there")
            self.equal(f"group {n}", (references, total, buckets),
                       (self.twin.group_references(n), (group.packets, group.bytes), [(c.packets, c.bytes) for c in group.counts]))

    def equal(self, what, real, twin):
        if real != twin:
            self.fail(f"{what}: {real}, expected {twin}")

    def fail_packet(self, twin, frames, ins):
        self.log += [f"  twin: {f.table=} {f.priority=} {f.match} {f.instructions}" if isinstance(f, s.Flow) else
                     f"  twin: group {f.id} type={f.kind} {f.buckets}" for f in twin.counted if isinstance(f, (s.Flow, s.Group))]
        text = ["the packet did what it may not"]
        for name, out, told in (("switch", frames, ins), ("twin", sorted(twin.frames), twin.packet_ins)):
            text += [f"  {name}: port {n} {frame.hex()}" for n, frame in out]
            text += [f"  {name}: packet-in {(*i[:-1], i[-1].hex())}" for i in told]
        self.fail("\n".join(text))

    def fail(self, text):
        raise AssertionError("\n".join([*self.log[-12 if QUIET else 0:], text]))


def main():
    default = os.environ.get("XVS_TEST_SEED") or str(time.time_ns() % 10 ** 9)
    seed, rounds = int(sys.argv[1] if len(sys.argv) > 1 else default, 0), int(sys.argv[2]) if len(sys.argv) > 2 else None
    began, asked, refused, n = time.monotonic(), 0, 0, 0
    while n < rounds if rounds is not None else time.monotonic() - began < SECONDS:
        r = Round(seed + n)
        try:
            r.run(STEPS)
        except AssertionError as e:
            r.real.process.kill()
            print(f"{str(e) or traceback.format_exc()}\nonce more, with all its steps: TWIN_VERBOSE=1 tests/sim/test-twin.py {seed + n} 1")
            return 1
        asked, refused, n = asked + r.asked, refused + r.refused, n + 1
    print(f"seeds {seed} to {seed + n - 1}: {n * STEPS} steps; {refused} of {asked} changes did not fit their match")
    return 0


if __name__ == "__main__":
    sys.exit(main())
