"""The founding experiment: two hosts carry a tenant's frames over GRE through a switch that a controller drives.

      VM1 (br0: tenant 192.168.4.10, br1: underlay 192.168.5.23) ── s1 ── VM2 (br0: 192.168.4.11, br1: 192.168.5.238)

Each of the three is a network namespace with a switch of its own. Set-up and claims are here once: tests/demo shows them to
people, test_experiment.py and interop/test_experiment_ovs.py hold xvs to them. A claim is a function that raises
AssertionError where it does not hold, and otherwise gives lines that show it. Standard library only: the demo runs where
the test tools are not installed.
"""
import os
import re
import shlex

import xvs

KEY = 10
PATTERN = b"in the clear"


class Station:
    """A namespace and what a user types there. `show` is called with each line before it runs."""

    def __init__(self, lab, label, show):
        self.label, self.show = label, show
        self.ns = lab.ns(label.lower())
        self.switch = self.ovs = None

    def do(self, line, check=True):
        """Runs a command line as it would be typed; gives the CompletedProcess."""
        self.show(f"{self.label}# {line}")
        tool, *args = shlex.split(line)
        tools = {}
        if self.switch:
            tools.update({"xvs-ctl": self.switch.ctl, "xvs-ofctl": self.switch.ofctl})
        if self.ovs:
            tools.update({"ovs-vsctl": self.ovs.vsctl, "ovs-ofctl": self.ovs.ofctl})
        if tool in tools:
            return tools[tool](*args, check=check)
        return self.ns.run(tool, *args, check=check)

    def do_all(self, lines):
        for line in lines.strip().splitlines():
            self.do(line.strip())


# --- VM1 and VM2 ---

ADDRESSES = """
ip address add {underlay}/24 dev br1
ip link set br1 up
ip address add {tenant}/24 dev br0
ip link set br0 up
"""

SHORT_FORM = """
xvs-ctl add-br br0 -- set bridge br0 other_config:hwaddr={tenant_mac}
xvs-ctl add-br br1 -- set bridge br1 other_config:hwaddr={underlay_mac}
xvs-ctl add-port br1 eth0
xvs-ctl add-port br0 gre1 type=gre remote_ip={remote} local_ip={underlay} key=flow
xvs-ofctl add-flow br0 'priority=10,in_port=local,actions=set_tunnel:10,output:gre1'
xvs-ofctl add-flow br0 'priority=10,in_port=gre1,tun_id=10,actions=output:local'
"""

# What tutorials for ovs-vsctl say: the same words, another program; also the old `option:` and bare port numbers.
LONG_FORM = """
xvs-ctl add-br br0
xvs-ctl set bridge br0 other-config:hwaddr="{tenant_mac}" datapath_type=netdev
xvs-ctl add-br br1 -- set Bridge br1 other_config:hwaddr={underlay_mac}
xvs-ctl add-port br1 eth0
xvs-ctl add-port br0 gre1 -- set interface gre1 type=gre option:remote_ip={remote} options:local_ip={underlay} options:in_key=flow options:out_key=flow ofport_request=1
xvs-ofctl -O OpenFlow13 add-flow br0 priority=10,in_port=local,actions=set_tunnel:10,output=1
xvs-ofctl -O OpenFlow13 add-flow br0 priority=10,in_port=1,tun_id=10,actions=output:local
"""

OPEN_VSWITCH = """
ovs-vsctl add-br br0 -- set bridge br0 datapath_type=netdev other_config:hwaddr={tenant_mac}
ovs-vsctl add-br br1 -- set bridge br1 datapath_type=netdev other_config:hwaddr={underlay_mac}
ovs-vsctl add-port br1 eth0
ovs-vsctl add-port br0 gre1 -- set interface gre1 type=gre options:remote_ip={remote} options:local_ip={underlay} options:in_key=flow options:out_key=flow
ovs-ofctl add-flow br0 priority=10,in_port=local,actions=set_tunnel:10,output:gre1
ovs-ofctl add-flow br0 priority=10,in_port=gre1,tun_id=10,actions=output:local
"""

NAMES = {
    "VM1": {"underlay_mac": "08:00:27:54:e2:e4", "tenant_mac": "9e:7c:b1:71:f8:49", "tenant": "192.168.4.10",
            "underlay": "192.168.5.23", "remote": "192.168.5.238"},
    "VM2": {"underlay_mac": "08:00:27:f4:36:8d", "tenant_mac": "82:2a:2c:98:c1:4b", "tenant": "192.168.4.11",
            "underlay": "192.168.5.238", "remote": "192.168.5.23"},
}


class Vm(Station):
    def __init__(self, lab, label, show, form):
        super().__init__(lab, label, show)
        self.lab, self.form = lab, form
        self.__dict__.update(NAMES[label])

    def start(self):
        if self.form is OPEN_VSWITCH:
            self.ovs = self.lab.ovs(self.ns)
        else:
            self.switch = self.lab.switch(self.ns)

    def set_up(self):
        names = NAMES[self.label]
        self.do_all(self.form.format(**names))
        self.do_all(ADDRESSES.format(**names))
        # The kernel asks again for a neighbour in use every few seconds, and its ARP takes the tunnel like the pings do:
        # whoever counts packets would now and then count one more.
        self.ns.sysctl("net.ipv4.neigh.br0.delay_first_probe_time=600",
                       "net.ipv4.neigh.br0.base_reachable_time_ms=600000")

    def ofctl(self, arguments):
        return self.do(("ovs-ofctl " if self.ovs else "xvs-ofctl ") + arguments)

    def set_key(self, key):
        """key: a number, "flow", or None for a tunnel without a key."""
        form = self.form
        if form is SHORT_FORM and key is not None:
            self.do(f"xvs-ctl set interface gre1 options:key={key}")
        elif form is SHORT_FORM:
            self.do("xvs-ctl remove interface gre1 options key")
        else:
            program = "ovs-vsctl" if self.ovs else "xvs-ctl"
            self.do(f"{program} set interface gre1 options:in_key={key} options:out_key={key}" if key is not None else
                    f"{program} remove interface gre1 options in_key -- remove interface gre1 options out_key")


# --- s1 ---

S1 = """
xvs-ctl add-br s1 -- set bridge s1 fail_mode=secure other_config:datapath-id=0000000000000001
xvs-ctl add-port s1 s1-eth1 ofport=1
xvs-ctl add-port s1 s1-eth2 ofport=2
"""

# The flows of examples/experiment-s1.py, for tests that do without a controller.
S1_FLOWS = """
table=0, priority=10,ip,in_port=1,nw_proto=47 actions=resubmit(,10)
table=0, priority=10,ip,in_port=2,nw_proto=47 actions=resubmit(,20)
table=0, priority=5,arp actions=ALL
table=0, priority=0 actions=CONTROLLER:65535
table=10, priority=10,dl_src=08:00:27:54:e2:e4 actions=output:2
table=10, priority=0,cookie=0x10 actions=CONTROLLER:65535
table=20, priority=10,dl_src=08:00:27:f4:36:8d actions=output:1
table=20, priority=0,cookie=0x10 actions=CONTROLLER:65535
"""


class Experiment:
    """All of it, up and ready. controller: s1 is driven by os-ken; else its flows come from S1_FLOWS."""

    def __init__(self, lab, vm1=SHORT_FORM, vm2=SHORT_FORM, controller=True, show=lambda line: None):
        self.vm1, self.vm2 = Vm(lab, "VM1", show, vm1), Vm(lab, "VM2", show, vm2)
        self.s1 = Station(lab, "s1", show)
        self.lab, self.controller = lab, None
        for vm, port in (self.vm1, "s1-eth1"), (self.vm2, "s1-eth2"):
            lab.veth(vm.ns, "eth0", self.s1.ns, port, mac_a=vm.underlay_mac)
        self.s1.switch = lab.switch(self.s1.ns)
        self.vm1.start()
        self.vm2.start()
        if controller:
            show("s1# osken-manager examples/experiment-s1.py &")
            self.controller = lab.osken(self.s1.ns, os.path.join(xvs.ROOT, "examples/experiment-s1.py"))

    def set_up(self):
        self.s1.do_all(S1)
        if self.controller:
            self.s1.do("xvs-ctl set-controller s1 tcp:127.0.0.1:6653")
            self.controller.wait_for("switch 0000000000000001 has its flows")
        else:
            self.s1.switch.ofctl("add-flows", "s1", "-", input=S1_FLOWS)
        self.vm1.set_up()
        self.vm2.set_up()

    def ping(self, count=3, **options):
        return self.vm1.ns.ping(self.vm2.tenant, count=count, **options)

    def ping_shown(self, count=3, check=True):
        """ping as a user types it; (what it printed, how many came back)."""
        done = self.vm1.do(f"ping -n -c {count} -i 0.2 -W 1 {self.vm2.tenant}", check=False)
        returned = len(re.findall(r"time=", done.stdout))
        if check and (returned != count or "DUP!" in done.stdout):
            raise AssertionError(f"{returned} of {count} pings came back")
        return done.stdout.strip().splitlines(), returned

    def flows(self):
        """s1's flows: {(table, match and priority as printed): (packets, bytes)}."""
        out = self.s1.switch.ofctl("dump-flows", "s1").stdout
        found = {}
        for line in out.splitlines():
            m = re.search(r"table=(\d+), n_packets=(\d+), n_bytes=(\d+),(.*) actions=(.*)", line)
            if m:
                match = ",".join(w.strip() for w in m[4].split(",") if "_age" not in w and "timeout" not in w)
                found[int(m[1]), match] = int(m[2]), int(m[3])
        return found

    def flow(self, table, *words):
        """(packets, bytes) of the one flow of a table whose match has all these words."""
        found = [n for (t, match), n in self.flows().items() if t == table and set(words) <= set(match.split(","))]
        assert len(found) == 1, f"{len(found)} flows of table {table} with {words}: {self.flows()}"
        return found[0]


# --- claims ---

OUTER = ("ip.proto", "gre.flags_and_version", "gre.proto", "gre.key", "ip.ttl", "ip.dsfield", "ip.id", "ip.flags",
         "ip.len", "ip.src", "ip.dst", "frame.len", "icmp.type", "arp.opcode", "ip.checksum.status")


def gre_packets(capture, display_filter="gre"):
    # An ICMP error that quotes a GRE packet is none itself.
    return [p for p in capture.fields(*OUTER, display_filter=display_filter) if p["ip.proto"][0] == "47"]


def assert_no_unreachable(lab, capture):
    """The host's own stack must not answer GRE packets that it sees on a switch port. (With Open vSwitch it does.)"""
    ours = [vm.underlay for vm in (lab.vm1, lab.vm2) if not vm.ovs]
    stray = [p for p in capture.fields("ip.src", "icmp.code", display_filter="icmp.type == 3") if p["ip.src"][0] in ours]
    assert not stray, f"the host's stack answers tunnel packets: ICMP unreachable {stray[0]}"


def neighbours(vm):
    return vm.do("ip neigh show").stdout


def claim_1(lab):
    """ping works from the first packet on"""
    out, _ = lab.ping_shown(3)
    times = [float(t) for t in re.findall(r"time=([0-9.]+) ms", "\n".join(out))]
    # A first ping of a second is one that waited for the kernel to repeat its ARP request: the packet before was lost.
    assert max(times) < 500 * xvs.slowness(), f"round-trip times {times} ms: something was lost and sent again"
    table = neighbours(lab.vm1)
    for address, device, mac in (lab.vm2.underlay, "br1", lab.vm2.underlay_mac), (lab.vm2.tenant, "br0", lab.vm2.tenant_mac):
        assert re.search(rf"^{re.escape(address)} dev {device} lladdr {mac}", table, re.M), \
            f"VM1 has not resolved {address} on {device}:\n{table}"
    return out + table.strip().splitlines()


def assert_outer_header(packet, key=KEY):
    """Every field as other tunnel ends expect it."""
    outer = {name: packet[name][0] if packet[name] else None for name in OUTER}
    wanted = {"ip.proto": 47, "gre.flags_and_version": 0x2000, "gre.proto": 0x6558, "gre.key": key, "ip.ttl": 64,
              "ip.dsfield": 0, "ip.id": 0, "ip.flags": 0x02, "ip.checksum.status": 1}
    for name, value in wanted.items():
        assert outer[name] is not None, f"{name} is missing in {packet}"
        assert int(outer[name], 0) == value, f"{name} is {outer[name]}, not {value:#x}, in {packet}"
    assert int(outer["frame.len"]) == int(outer["ip.len"]) + 14


def claim_2(lab):
    """GRE on the wire: protocol 47, flags 0x2000, type 0x6558, key 0x0000000a, ICMP inside"""
    capture = lab.lab.capture(lab.vm1.ns, "eth0")
    lab.ping(2)
    capture.end()
    packets = gre_packets(capture, "gre && icmp")
    assert len(packets) == 4, f"2 pings made {len(packets)} GRE packets with ICMP on VM1's eth0, not 4"
    for packet in packets:
        assert_outer_header(packet)
        assert packet["frame.len"] == ["140"], f"a ping is {packet['frame.len'][0]} bytes on the wire, not 98 + 42"
    assert_no_unreachable(lab, capture)
    return decoded(capture)


def decoded(capture):
    """The first GRE packet as tshark prints it, shortened to what the experiment is about."""
    out = xvs.run("tshark", "-r", capture.path, "-n", "-V", "-Y", "gre && icmp").stdout.split("\nFrame ")[0]
    wanted = (r"(Ethernet II|Internet Protocol|Generic Routing|Internet Control|"
              r"    (Flags and Version|Key:|Protocol Type|Time to Live|Protocol: |010. .... = Flags|Identification|Type: \d))")
    return [line for line in out.splitlines() if re.match(wanted, line)]


def claim_3(lab, pings=3, before=None):
    """s1 counts each GRE packet in tables 0, 10 and 20, ARP on its flow, and asks its controller nothing"""
    before = before or lab.flows()
    said = lab.controller.said() if lab.controller else ""
    lab.ping(pings)
    shown = lab.s1.do("xvs-ofctl dump-flows s1").stdout.strip().splitlines()
    after = lab.flows()
    assert len(after) == 8, f"s1 has {len(after)} flows, not 8"
    for flow, (packets, size) in after.items():
        grown = packets - before[flow][0], size - before[flow][1]
        if "priority=10" in flow[1]:
            assert grown == (pings, 140 * pings), f"{flow} counted {grown}, not {pings} packets of 140 bytes"
        elif "arp" in flow[1]:
            assert packets >= 2, f"s1's ARP flow has counted {packets} packets"
        else:
            assert packets == 0, f"{packets} packets went to the controller by {flow}"
    if lab.controller:
        assert "packet in" not in lab.controller.said(), "s1 sent packets to its controller"
        assert "error" not in lab.controller.said()[len(said):]
    return [re.sub(r"cookie=0x0, |duration=[^,]*, ", "", line) for line in shown]


def _keys(lab, count=2, check=True, direction=None):
    """Pings; the keys of the GRE packets of one VM on VM1's eth0."""
    source = (direction or lab.vm1).underlay
    capture = lab.lab.capture(lab.vm1.ns, "eth0")
    returned = len(lab.ping(count, check=check, wait=1))
    capture.end()
    assert_no_unreachable(lab, capture)
    # Whether the key is there at all is in the flags; a display filter on gre.key would pass over those without.
    packets = [p for p in gre_packets(capture) if p["ip.src"][0] == source]
    assert packets, f"no GRE packets from {source} on VM1's eth0"
    for p in packets:
        assert int(p["gre.flags_and_version"][0], 0) == 0x2000, f"GRE flags {p['gre.flags_and_version'][0]}, not 0x2000"
    return [int(p["gre.key"][0], 0) for p in packets], returned


def claim_4(lab):
    """without set_tunnel the key flag stays set, and the key is 0"""
    lab.vm1.ofctl("mod-flows br0 'in_port=local,actions=output:gre1'")
    keys, _ = _keys(lab, check=False)
    lab.vm1.ofctl("mod-flows br0 'in_port=local,actions=set_tunnel:10,output:gre1'")
    assert set(keys) == {0}, f"keys on the wire: {keys}"
    return [f"keys on the wire: {sorted(set(keys))}, flags 0x2000"]


def claim_5(lab):
    """key=10 at both ends: key 0xa on the wire without set_tunnel, and ping works"""
    for vm in lab.vm1, lab.vm2:
        vm.set_key(10)
        vm.ofctl("add-flow br0 'priority=10,in_port=local,actions=output:gre1'")
        vm.ofctl("add-flow br0 'priority=20,in_port=gre1,actions=output:local'")
    for vm in lab.vm1, lab.vm2:
        keys, _ = _keys(lab, direction=vm)
        assert set(keys) == {10}, f"keys from {vm.label}: {keys}"
    return ["keys on the wire, both ways: 0xa"]


def drop_count(vm, name):
    m = re.search(rf"^.*\b{name}\b.*$", vm.switch.ctl("drops").stdout, re.M)
    return int(re.search(r"\b(\d+)\b", m[0])[1]) if m else 0


def claim_6(lab, after_claim_5=False):
    """another key at VM2, or none: VM2 drops each packet and says why"""
    if not after_claim_5:
        claim_5(lab)
    shown = []
    for key, wanted in (11, r"0xb|\b11\b"), (None, r"no key|none|without"):
        lab.vm2.set_key(key)
        lab.vm2.switch.ctl("drops", "reset")
        keys, returned = _keys(lab, check=False)
        assert returned == 0, f"{returned} pings came back though VM2 wants key {key}"
        assert set(keys) == {10}, f"keys from VM1: {keys}"
        dropped = drop_count(lab.vm2, "tunnel-no-port")
        assert dropped == len(keys), f"VM2 counts {dropped} drops of {len(keys)} packets"
        said = lab.vm2.do("xvs-ctl drops").stdout
        for what, pattern in {"its name": "tunnel-no-port", "the key that came": r"0xa\b|\b10\b",
                              "the key that VM2 wants": wanted, "the nearest port": "gre1",
                              "the sender": re.escape(lab.vm1.underlay),
                              "the receiver": re.escape(lab.vm2.underlay)}.items():
            assert re.search(pattern, said), f"'xvs-ctl drops' does not show {what}:\n{said}"
        shown += said.strip().splitlines()
    lab.vm2.set_key(10)
    lab.ping(2)
    return shown


TRANSIT = "in_port=1,dl_src=08:00:27:54:e2:e4,dl_dst=08:00:27:f4:36:8d,ip,nw_src=192.168.5.23,nw_dst=192.168.5.238,nw_proto=47,gre_key=0xa"


def _replace_tenant_flows(lab, match):
    """Tables 10 and 20 of s1 decide by `match` instead of by source address; gives what stderr said."""
    said = ""
    for table, mac, port in (10, lab.vm1.underlay_mac, 2), (20, lab.vm2.underlay_mac, 1):
        lab.s1.do(f"xvs-ofctl --strict del-flows s1 'table={table},priority=10,dl_src={mac}'")
        said += lab.s1.do(f"xvs-ofctl add-flow s1 'table={table},priority=10,{match},actions=output:{port}'").stderr
    return said


def _restore_flows(lab, match):
    for table, mac, port in (10, lab.vm1.underlay_mac, 2), (20, lab.vm2.underlay_mac, 1):
        lab.s1.switch.ofctl("--strict", "del-flows", "s1", f"table={table},priority=10,{match}")
        lab.s1.switch.ofctl("add-flow", "s1", f"table={table},priority=10,dl_src={mac},actions=output:{port}")


def claim_7(lab):
    """tun_id on s1 matches nothing, which xvs says when the flow is added, and trace explains"""
    warning = _replace_tenant_flows(lab, "tun_id=0xa")
    _, returned = lab.ping_shown(2, check=False)
    counted = lab.flow(10, "tun_id=0xa")
    missed = lab.flow(10, "priority=0")
    trace = lab.s1.do(f"xvs-ctl trace s1 '{TRANSIT}'").stdout
    _restore_flows(lab, "tun_id=0xa")
    assert "tun_id" in warning and "tunnel" in warning, f"no warning on stderr when the flow was added, but: {warning!r}"
    assert returned == 0 and counted == (0, 0), f"tun_id=0xa matched {counted[0]} packets in transit"
    assert missed[0] > 0, "the packets did not reach table 10"
    assert "tun_id" in trace, f"trace does not say that tun_id is what failed:\n{trace}"
    return warning.strip().splitlines() + trace.strip().splitlines()


def claim_8(lab):
    """gre_key, xvs's own match field, matches the key of a tunnel in transit"""
    said = _replace_tenant_flows(lab, "ip,nw_proto=47,gre_key=0xa")
    before = lab.flow(10, "gre_key=0xa"), lab.flow(20, "gre_key=0xa")
    out, _ = lab.ping_shown(3)
    after = lab.flow(10, "gre_key=0xa"), lab.flow(20, "gre_key=0xa")
    shown = lab.s1.do("xvs-ofctl dump-flows s1 table=10").stdout.strip().splitlines()
    trace = lab.s1.do(f"xvs-ctl trace s1 '{TRANSIT}'").stdout
    _restore_flows(lab, "ip,nw_proto=47,gre_key=0xa")
    assert not said, f"unexpected on stderr: {said}"
    for b, a in zip(before, after):
        assert (a[0] - b[0], a[1] - b[1]) == (3, 420), f"gre_key=0xa counted {b} before and {a} after 3 pings"
    assert "gre_key=0xa" in trace, f"trace does not show the rule:\n{trace}"
    return [out[-2]] + [line for line in shown if "gre_key" in line]


def claim_9(lab):
    """whoever captures reads the payload: GRE has no secrecy, and the README says so"""
    capture = lab.lab.capture(lab.vm1.ns, "eth0")
    lab.ping(1, options=("-p", PATTERN.hex()))
    capture.end()
    with open(capture.path, "rb") as f:
        assert f.read().count(PATTERN) >= 2, "the payload is not to be read in the capture"
    with open(os.path.join(xvs.ROOT, "README.md"), encoding="utf-8") as f:
        assert re.search(r"no secrecy", f.read()), "the README does not say that GRE has no secrecy"
    return [f"the ping's payload {PATTERN.decode()!r} stands in the capture as it is"]


CLAIMS = [claim_1, claim_2, claim_3, claim_4, claim_5, claim_6, claim_7, claim_8, claim_9]
