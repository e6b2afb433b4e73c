"""The slow obvious twin: an interpreter of flow tables and groups written from OpenFlow 1.3.5.

Tables are lists, a packet is its bytes, and each lookup looks at every flow. Where the specification leaves a choice (which
bucket of a select group) the twin makes each in turn: alternatives() gives every outcome that is allowed.
"""
from . import messages as m
from . import packet as p

IDLE, HARD, DELETE, GROUP_DELETE = range(4)  # reasons of flow-removed
NO_MATCH, ACTION, INVALID_TTL = range(3)  # reasons of packet-in
SEND_FLOW_REM, CHECK_OVERLAP, RESET_COUNTS, NO_PKT_COUNTS, NO_BYT_COUNTS = 1, 2, 4, 8, 16
TYPE_ALL, TYPE_SELECT, TYPE_INDIRECT, TYPE_FF = range(4)
NO_RECV, NO_FWD, NO_PACKET_IN = 4, 32, 64  # 7.2.1: enum ofp_port_config
UNKNOWN = 2 ** 64 - 1  # a counter that is not kept
NEVER = 2 ** 63
SHORTEST = 60  # of an Ethernet frame, without its checksum

# 5.10: the order in which an action set is executed; set-field comes between.
SET_ORDER = [["copy_ttl_in"], ["pop_vlan", "pop_mpls", "pop_pbb"], ["push_mpls"], ["push_pbb"], ["push_vlan"], ["copy_ttl_out"],
             ["dec_mpls_ttl", "dec_nw_ttl"], ["set_field", "set_mpls_ttl", "set_nw_ttl"]]


class Refused(Exception):
    """{(type, code), …}: the faults, of which one is told."""


class Ended(Exception):
    """The packet goes no farther: its TTL was spent."""


class Count:
    def __init__(self):
        self.packets = self.bytes = 0


class Flow(Count):
    def __init__(self, table, priority, match, instructions, cookie=0, idle=0, hard=0, flags=0):
        super().__init__()
        self.table, self.priority, self.match, self.instructions = table, priority, match, instructions
        self.cookie, self.idle, self.hard, self.flags = cookie, idle, hard, flags
        self.created = self.used = 0

    def matches(self, fields):
        return all(name in fields and fields[name] & mask == value for name, (value, mask) in self.match.items())

    def within(self, other):
        """Every packet that this flow matches, the other's match does too (6.4: "more specific")."""
        return all(name in self.match and self.match[name][1] & mask == mask and self.match[name][0] & mask == value
                   for name, (value, mask) in other.match.items())

    def told(self):
        """(packets, bytes) as messages say them. 5.8: "if a counter is not available […] its value must be set to the maximum"."""
        return (UNKNOWN if self.flags & NO_PKT_COUNTS else self.packets, UNKNOWN if self.flags & NO_BYT_COUNTS else self.bytes)

    def actions(self):
        return [*self.instructions.get("apply", ()), *self.instructions.get("write", ())]


class Group(Count):
    def __init__(self, number, kind, buckets):
        super().__init__()
        self.id, self.generation = number, 0
        self.configure(kind, buckets)

    def configure(self, kind, buckets):
        self.kind, self.buckets, self.counts = kind, buckets, [Count() for _ in buckets]
        self.generation += 1


class Outcome:
    """What one packet did: frames [(port, bytes)], packet-ins, what counted it, and the choices that were made."""

    def __init__(self, choices):
        self.frames, self.packet_ins, self.counted = [], [], []
        self.choices, self.options, self.picked, self.chosen = list(choices), [], [], {}

    def choose(self, n):
        pick = self.choices[len(self.options)] if len(self.options) < len(self.choices) else 0
        self.options.append(n)
        self.picked.append(pick)
        return pick


class Walk:
    """One packet on its way through the tables."""

    def __init__(self, switch, port, data, outcome):
        self.sw, self.port, self.data, self.out = switch, port, bytearray(data), outcome
        self.size, self.metadata, self.set, self.flow, self.in_set = len(data), 0, {}, None, False

    def receive(self):
        if not self.sw.config[self.port] & NO_RECV:
            self.run()

    def packet_out(self, actions):
        """7.3.7: a list, and TABLE: through the tables."""
        for a in actions:
            if a == ("output", m.TABLE):
                self.run()
            else:
                self.act(a)

    def run(self):
        table = 0
        while table is not None:
            fields = {"in_port": self.port, "metadata": self.metadata, **p.fields(self.data)}
            hits = [f for f in self.sw.flows if f.table == table and f.matches(fields)]
            self.flow = max(hits, key=lambda f: f.priority, default=None)
            self.out.counted.append(self.sw.tables[table] if hits else self.sw.misses[table])
            if not hits:
                return  # 5.4: dropped
            self.out.counted.append(self.flow)
            table = self.instructions(self.flow.instructions)
        self.do_set(self.set)

    def instructions(self, todo):
        """In the order of 5.9; the table to go to, or None."""
        for a in todo.get("apply", ()):
            self.act(a)
        if "clear" in todo:
            self.set = {}
        for a in todo.get("write", ()):
            self.write(self.set, a)
        if "metadata" in todo:
            value, mask = todo["metadata"]
            self.metadata = self.metadata & ~mask | value & mask
        return todo.get("goto")

    @staticmethod
    def write(action_set, a):
        """5.10: one of each type, and of set-field one for each field; a later one overwrites."""
        action_set[a[:2] if a[0] == "set_field" else a[0]] = a

    def do_set(self, todo):
        self.in_set = True
        for words in SET_ORDER:
            for key in [k for k in todo if (k[0] if isinstance(k, tuple) else k) in words]:
                self.act(todo[key])
        if "group" in todo:  # "If both an output action and a group action are specified, the output action is ignored"
            self.act(todo["group"])
        elif "output" in todo:
            self.act(todo["output"])

    def act(self, a):
        word, args = a[0], a[1:]
        if word in ("output", "group"):
            getattr(self, word)(*args)
        elif word in ("dec_nw_ttl", "dec_mpls_ttl"):
            self.decrement("ip_ttl" if word == "dec_nw_ttl" else "mpls_ttl")
        elif word in ("set_nw_ttl", "set_mpls_ttl"):
            p.set_field(self.data, "ip_ttl" if word == "set_nw_ttl" else "mpls_ttl", *args)
        else:
            getattr(p, word)(self.data, *args)

    def decrement(self, name):
        at = p.places(self.data)
        if name in at:
            ttl = p.number(self.data, *at[name])
            if ttl <= 1:  # 5.12: "packets with invalid TTL [are] sent to the control plane"
                self.packet_in(INVALID_TTL)
                raise Ended
            p.set_field(self.data, name, ttl - 1)

    def packet_in(self, reason):
        # 7.4.1: "must be set to -1 if [...] the packet-in was generated in a group bucket or from the action set"
        cookie = UNKNOWN if self.in_set or not self.flow else self.flow.cookie
        if reason == NO_MATCH and self.sw.config.get(self.port, 0) & NO_PACKET_IN:
            return  # 7.2.1: "packets on that port that generate a table miss should never trigger a packet-in message"
        self.out.packet_ins.append((reason, self.flow.table if self.flow else 0, cookie, self.port, self.metadata, bytes(self.data)))

    def output(self, port):
        if port == m.CONTROLLER:
            # 5.4: of a table-miss entry that "directly sends packets to the controller"
            miss = self.flow and self.flow.priority == 0 and not self.flow.match and not self.in_set
            self.packet_in(NO_MATCH if miss else ACTION)
        elif port in (m.ALL, m.FLOOD):
            for n in self.sw.ports:
                self.send(n)
        elif port == m.IN_PORT:
            self.transmit(self.port)
        else:
            self.send(port)

    def send(self, port):
        if port != self.port:  # 7.2.5.1: only IN_PORT sends back
            self.transmit(port)

    def transmit(self, port):
        if self.sw.ports.get(port) and not self.sw.config[port] & NO_FWD:
            self.out.frames.append((port, bytes(self.data).ljust(SHORTEST, b"\0")))

    def group(self, number):
        group = self.sw.groups.get(number)
        if not group:
            return
        self.out.counted.append(group)
        for i in self.buckets(group):
            self.out.counted.append(group.counts[i])
            copy = Walk(self.sw, self.port, self.data, self.out)
            copy.size, copy.metadata, copy.flow, action_set = self.size, self.metadata, self.flow, {}
            for a in group.buckets[i][3]:
                self.write(action_set, a)
            try:
                copy.do_set(action_set)
            except Ended:
                pass  # that copy

    def buckets(self, group):
        """5.6.1: the buckets that the packet takes."""
        if group.kind in (TYPE_ALL, TYPE_INDIRECT):
            return range(len(group.buckets))
        live = [i for i, b in enumerate(group.buckets) if self.sw.live(b)]
        if group.kind == TYPE_FF:
            return live[:1]
        live = [i for i in live if group.buckets[i][0]]  # weight 0: not used
        if not live:
            return []
        key = group.id, group.generation, tuple(live), self.port, bytes(self.data)
        known = self.sw.chosen.get(key, self.out.chosen.get(key))
        if known is None:  # 5.6.1: "a switch-computed selection algorithm"; the same packet takes the same bucket again
            known = self.out.chosen[key] = live[self.out.choose(len(live))]
        return [known]


class Switch:
    def __init__(self, ports, tables):
        self.ports, self.config = {n: True for n in ports}, {n: 0 for n in ports}  # up? what a port-mod has said
        self.flows, self.groups, self.now, self.chosen = [], {}, 0, {}
        self.tables, self.misses = [Count() for _ in range(tables)], [Count() for _ in range(tables)]
        self.received, self.sent = {n: Count() for n in ports}, {n: Count() for n in ports}
        self.removed = []

    # --- packets ---

    def alternatives(self, port, data, actions=None):
        """Every outcome that the specification allows; actions: of a packet-out."""
        todo = [[]]
        while todo:
            outcome = Outcome(todo.pop())
            try:
                walk = Walk(self, port, data, outcome)
                walk.receive() if actions is None else walk.packet_out(actions)
            except Ended:
                pass
            for i in range(len(outcome.choices), len(outcome.options)):
                todo += [outcome.picked[:i] + [c] for c in range(1, outcome.options[i])]
            yield outcome

    def commit(self, port, data, outcome):
        """This one it was; port: that has received it, or None."""
        self.chosen.update(outcome.chosen)
        for c in [*([self.received[port]] if port else []), *outcome.counted]:
            c.packets += 1
            c.bytes += len(data)
            if isinstance(c, Flow):
                c.used = self.now
        for n, frame in outcome.frames:
            self.sent[n].packets += 1
            self.sent[n].bytes += len(frame)

    # --- flows: 6.4 ---

    def check(self, acts):
        for a in acts:
            if a[0] == "group" and a[1] not in self.groups:
                raise Refused({(2, 9)})  # OFPBAC_BAD_OUT_GROUP

    def add(self, flow):
        self.check(flow.actions())
        old = [f for f in self.flows if (f.table, f.priority, f.match) == (flow.table, flow.priority, flow.match)]
        if flow.flags & CHECK_OVERLAP and old:
            raise Refused({(5, 3)})  # OFPFMFC_OVERLAP
        flow.created = flow.used = self.now
        for f in old:
            if not flow.flags & RESET_COUNTS:  # "otherwise they should be copied from the replaced flow entry"
                flow.packets, flow.bytes = f.packets, f.bytes
            self.flows.remove(f)
        self.flows.append(flow)

    def selected(self, want, strict, cookie_mask=0, out_port=m.ANY, out_group=m.ANY):
        def fits(f):
            if want.table not in (m.ALL_TABLES, f.table) or (f.cookie ^ want.cookie) & cookie_mask:
                return False
            if out_port != m.ANY and ("output", out_port) not in f.actions():
                return False
            if out_group != m.ANY and ("group", out_group) not in f.actions():
                return False
            return (f.priority, f.match) == (want.priority, want.match) if strict else f.within(want)
        return [f for f in self.flows if fits(f)]

    def modify(self, want, strict, cookie_mask):
        self.check(want.actions())
        for f in self.selected(want, strict, cookie_mask):
            f.instructions = want.instructions
            if want.flags & RESET_COUNTS:
                f.packets = f.bytes = 0

    def delete(self, want, strict, **filters):
        for f in self.selected(want, strict, **filters):
            self.remove(f, DELETE)

    def remove(self, flow, reason):
        self.flows.remove(flow)
        if flow.flags & SEND_FLOW_REM:
            self.removed.append((flow.cookie, flow.priority, reason, flow.table, flow.idle, flow.hard,
                                 *flow.told()))

    def expire(self):
        """5.5: "a non-zero hard_timeout field causes the flow entry to be removed after the given number of seconds"."""
        for f in list(self.flows):
            hard, idle = (f.created + f.hard * 1000 if f.hard else NEVER), (f.used + f.idle * 1000 if f.idle else NEVER)
            if min(hard, idle) <= self.now:
                self.remove(f, HARD if hard <= idle else IDLE)

    # --- groups: 6.5, 7.3.4.3 ---

    def live(self, bucket, depth=0):
        _, port, group, acts = bucket
        if port == m.ANY and group == m.ANY:
            # "the switch may restrict bucket selection to [...] those with forwarding actions to live ports"
            ways = [a for a in acts if a[0] == "group" or a[0] == "output" and a[1] <= 0xffffff00]
            return not ways or any(self.group_live(a[1]) if a[0] == "group" else self.ports.get(a[1], False) for a in ways)
        return port != m.ANY and self.ports.get(port, False) or group != m.ANY and self.group_live(group)

    def group_live(self, number):
        return number in self.groups and any(self.live(b) for b in self.groups[number].buckets)

    @staticmethod
    def forwards(buckets):
        return {a[1] for b in buckets for a in b[3] if a[0] == "group"}

    def reaches(self, number, target, watching):
        """Does it forward (or, watching, also watch) its way to the target?"""
        todo, seen = [number], set()
        while todo:
            n = todo.pop()
            if n == target:
                return True
            if n not in seen and n in self.groups:
                seen.add(n)
                buckets = self.groups[n].buckets
                todo += [*self.forwards(buckets), *(b[2] for b in buckets if watching)]
        return False

    def add_group(self, number, kind, buckets):
        if number in self.groups:
            raise Refused({(6, 0)})  # OFPGMFC_GROUP_EXISTS
        self.check_group(number, buckets)
        self.groups[number] = Group(number, kind, buckets)

    def modify_group(self, number, kind, buckets):
        if number not in self.groups:
            raise Refused({(6, 8)})  # OFPGMFC_UNKNOWN_GROUP
        self.check_group(number, buckets)
        self.groups[number].configure(kind, buckets)

    def check_group(self, number, buckets):
        faults, watched = set(), {b[2] for b in buckets} - {m.ANY}
        if any(self.reaches(n, number, False) for n in self.forwards(buckets)):
            faults.add((6, 7))  # OFPGMFC_LOOP
        if any(n not in self.groups and n != number for n in self.forwards(buckets)):
            faults.add((2, 9))  # OFPBAC_BAD_OUT_GROUP
        if any(n not in self.groups or self.reaches(n, number, True) for n in watched) or watched and any(
                self.reaches(n, number, True) for n in self.forwards(buckets)):
            faults.add((6, 13))  # OFPGMFC_BAD_WATCH
        if faults:
            raise Refused(faults)

    def delete_group(self, number):
        """ "it is not an error if [the group] does not exist"; the flows that forward to it go with it."""
        if any(number in self.forwards(g.buckets) for n, g in self.groups.items() if n != number):
            raise Refused({(6, 9)})  # OFPGMFC_CHAINED_GROUP
        if self.groups.pop(number, None):
            for f in list(self.flows):
                if ("group", number) in f.actions():
                    self.remove(f, GROUP_DELETE)

    def group_references(self, number):
        """7.3.5.9: "Number of flows or groups that directly forward to this group"."""
        return (sum(("group", number) in f.actions() for f in self.flows) +
                sum(number in self.forwards(g.buckets) for g in self.groups.values()))
