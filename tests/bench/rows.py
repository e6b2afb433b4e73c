"""The rows of the benchmark: what each measures, what is to be reached, and how.

A row has one or more figures. Its function measures them once, xvs and its peers in turn; it is called once per round, and
puts what it finds with bench.measure(), which bears with a peer that cannot be had. Each measurement has namespaces and
daemons of its own.
"""
import collections
import contextlib
import functools
import json
import os
import re
import subprocess
import time

import experiment
import openflow
import peers
import work
import xvs

Goal = collections.namedtuple("Goal", "peer op factor")  # peer "": the figure itself
Figure = collections.namedtuple("Figure", "row part work unit goals")


def at_most(factor, peer=""):
    return Goal(peer, "≤", factor)


def at_least(factor, peer=""):
    return Goal(peer, "≥", factor)


CYCLES, MPPS, KPPS, GBIT, MS = "cycles/packet", "Mpacket/s", "kpacket/s", "Gbit/s", "ms"
DPDK, NETDEV, TSO = "ovs-dpdk", "ovs-netdev", "ovs-tso"
OWN = "xvs m2"
SPRAY_RATE = 50_000  # packets a second: 34 Mbit/s on the wire
MOD_RATE = 1000
RULES = {"100,000": 100_000, "1,000,000": 1_000_000}

FIGURES = [
    Figure("m1", "", "in memory, port to port, 1,000 flows, 64 B", CYCLES, [at_most(0.5, DPDK)]),
    Figure("m2", "", "in memory, access list of 1,000 rules in two tables, 1,000 flows", CYCLES, [at_most(0.5, DPDK)]),
    Figure("m3", "", "the same, 100,000 flows", CYCLES, [at_most(0.35, DPDK)]),
    Figure("m4", "1,000", "in memory, GRE push, 1,000 flows", CYCLES, [at_most(0.6, DPDK)]),
    Figure("m4", "100,000", "in memory, GRE push, 100,000 flows", CYCLES, [at_most(0.3, DPDK)]),
    Figure("m5", "", "in memory, GRE pop, 1,000 flows", CYCLES, [at_most(0.4, DPDK)]),
    Figure("m6", "", "100,000 rules of 20 mask shapes, 1,000,000 flows", CYCLES, [at_most(4, OWN)]),
    Figure("m7", "", f"m2 while {MOD_RATE:,} flow-mods/s change another table", MPPS, [at_least(0.9, OWN)]),
    Figure("m8", "", f"m2 while another port gets {SPRAY_RATE:,} packets/s that no cache has seen", MPPS, [at_least(0.8, OWN)]),
    Figure("w1", "", "AF_PACKET, veth to veth, 64 B", KPPS, [at_least(0.9, "rawfwd"), at_least(2.2, NETDEV)]),
    Figure("w2", "", "TCP, veth to veth, kernel-default offloads", GBIT,
           [at_least(1.0, "rawfwd-gso"), at_least(1.4, TSO), Goal("ovs-netdev", "", None), Goal("linux-bridge", "", None)]),
    Figure("w3", "", "TCP through the GRE tunnel of the founding experiment", GBIT, [at_least(15, NETDEV)]),
    Figure("w3", "whole", "the same, super-segments whole in the tunnels (gso=true)", GBIT, [at_least(15, NETDEV)]),
    Figure("w4", "idle, median", "ping through one bridge, idle, median", MS, [at_most(0.7, TSO)]),
    Figure("w4", "idle, 99th", "ping through one bridge, idle, 99th percentile", MS, [at_most(0.7, TSO)]),
    Figure("w4", "busy, median", "ping beside a TCP stream, median", MS, [at_most(0.7, TSO)]),
    Figure("w4", "busy, 99th", "ping beside a TCP stream, 99th percentile", MS, [at_most(0.7, TSO)]),
    Figure("w4", "lost", "pings lost, idle and beside a TCP stream", "%", [at_most(0), Goal(TSO, "", None)]),
    *[figure for n in RULES for figure in (
        Figure("c1", f"{n} add", f"add {n} rules by the tool", "1/s", [at_least(8, NETDEV)]),
        Figure("c1", f"{n} memory", f"memory per rule, {n} rules", "bytes", [at_most(320), Goal(NETDEV, "", None)]),
        Figure("c1", f"{n} dump", f"dump {n} rules", "s", [at_most(0.5, NETDEV)]),
        Figure("c1", f"{n} delete", f"delete {n} rules", "s", [at_most(1, NETDEV)]))],
    Figure("c1", "flat", "add 1,000,000 rules beside 100,000", "1/s", [at_least(0.8, "xvs 100,000")]),
    Figure("c2", "", "packet-ins to a bare controller", "1/s", [at_least(2.5, NETDEV)]),
    Figure("c2", "reply", "packet-ins, each answered by a packet-out", "1/s", [at_least(2.5, NETDEV)]),
    Figure("c2", "came through", "answers that leave by port 2", "%", [at_least(99), Goal(NETDEV, "", None)]),
    Figure("s1", "1", "resident memory, one empty bridge", "MB", [at_most(0.5, NETDEV)]),
    Figure("s1", "64", "resident memory, 64 bridges of 4 ports", "MB", [at_most(64)]),
]

ROWS = {}


def row(function):
    ROWS[function.__name__] = function
    return function


# --- a switch in memory ---

PINNED = f'other_config: {{worker-count: "1", worker-cpus: "{peers.SWITCH_CPU}"}}\n'
PHY = ("hwaddr", work.NEAR["mac"])


def workers(sw):
    """All workers' counters, summed, and the time."""
    total = collections.Counter()
    for worker in json.loads(sw.ctl("-f", "json", "show-workers").stdout):
        total.update({k: v for k, v in worker.items() if k != "cycles_per_packet"})
    total["time"] = time.monotonic()
    return total


def rates(sw, warm_up, seconds):
    """(cycles per packet, million packets per second) of a worker that always has something to do."""
    time.sleep(warm_up)
    before = workers(sw)
    time.sleep(seconds)
    after = workers(sw)
    delta = {k: after[k] - before[k] for k in after}
    assert delta["packets"], "the switch has received no packets"
    return delta["busy_cycles"] / delta["packets"], delta["packets"] / delta["time"] / 1e6


def add_bridge(sw, name, **other_config):
    settings = [f"other_config:{k}={v}" for k, v in other_config.items()]
    sw.ctl("add-br", name, "--", "set", "bridge", name, "fail_mode=secure", *settings)


def add_flows(sw, bridge, flows):
    if isinstance(flows, list):
        sw.ofctl("add-flows", bridge, "-", input="\n".join(flows) + "\n")
    else:
        sw.ofctl("add-flows", bridge, flows, timeout=600)


def replay(sw, bridge, port, capture):
    sw.ctl("add-port", bridge, port, "type=pcap", f"file={capture}", "loop=true", "ofport=1")


def discard(sw, bridge, port):
    sw.ctl("add-port", bridge, port, "type=null", "ofport=2")


@contextlib.contextmanager
def memory_switch(bench, capture, flows):
    """xvs: a capture comes in by port 1 of br0 again and again, port 2 takes what is sent."""
    with bench.lab() as lab:
        sw = bench.switch(lab, lab.ns("s"), config=PINNED)
        add_bridge(sw, "br0")
        discard(sw, "br0", "p2")
        add_flows(sw, "br0", flows)
        replay(sw, "br0", "p1", capture)
        yield lab, sw


def in_memory(bench, capture, flows, warm_up=0.5, known=False):
    with memory_switch(bench, capture, flows) as (_, sw):
        if known:
            wait_until_known(sw)
        return rates(sw, warm_up, bench.seconds)


def wait_until_known(sw, seconds=30):
    """Until the flow cache has met nearly all flows: a million walks take a busy machine longer than a quiet one."""
    end, then = time.monotonic() + seconds, workers(sw)
    while time.monotonic() < end:
        time.sleep(0.5)
        now = workers(sw)
        if now["cache_misses"] - then["cache_misses"] < (now["packets"] - then["packets"]) / 100:
            return
        then = now


def in_memory_ovs(bench, capture, flows, warm_up=1):
    with bench.lab() as lab, bench.dpdk.ovs(lab, lab.ns("o")) as ovs:
        ovs.add_br("br0")
        peers.dpdk_replay(ovs, "br0", "p1", capture)
        peers.dpdk_discard(ovs, "br0", "p2")
        ovs.ofctl("del-flows", "br0")
        ovs.ofctl("add-flows", "br0", flows if isinstance(flows, str) else bench.text(flows))
        return peers.dpdk_cycles(ovs, warm_up, bench.seconds)


def memory_row(bench, figure, capture, flows, warm_up=1):
    bench.measure(*figure, "xvs", lambda: in_memory(bench, capture, flows, warm_up)[0])
    bench.measure(*figure, DPDK, lambda: in_memory_ovs(bench, capture, flows, warm_up))


@row
def m1(bench):
    memory_row(bench, ("m1", ""), bench.files.pcap(1000), work.FORWARD)


@row
def m2(bench):
    memory_row(bench, ("m2", ""), bench.files.pcap(1000), bench.files.flows(work.access_list))


@row
def m3(bench):
    memory_row(bench, ("m3", ""), bench.files.pcap(100_000), bench.files.flows(work.access_list), warm_up=2)


# --- tunnels in memory ---

PUSH = [f"in_port=1,actions=set_tunnel:{work.TUNNEL_KEY},output:10"]
POP = [f"tun_id={work.TUNNEL_KEY},actions=output:2"]


def underlay_address(ns):
    ns.ip("addr", "add", f"{work.NEAR['address']}/24", "dev", "br-phy")
    ns.ip("link", "set", "br-phy", "up")
    ns.ip("neigh", "replace", work.FAR["address"], "lladdr", work.FAR["mac"], "dev", "br-phy", "nud", "permanent")


def tunnel_xvs(bench, capture, push, warm_up):
    """br0 with the tunnel, br-phy with the underlay address. Push: in by br0, out by br-phy; pop: the other way."""
    with bench.lab() as lab:
        ns = lab.ns("s")
        sw = bench.switch(lab, ns, config=PINNED)
        add_bridge(sw, "br0")
        add_bridge(sw, "br-phy", hwaddr=work.NEAR["mac"])
        underlay_address(ns)
        sw.ctl("add-port", "br0", "gre1", "type=gre", f"remote_ip={work.FAR['address']}",
               f"local_ip={work.NEAR['address']}", "key=flow", "ofport=10")
        discard(sw, "br-phy" if push else "br0", "p2")
        add_flows(sw, "br0", PUSH if push else POP)
        add_flows(sw, "br-phy", ["actions=output:2"] if push else ["in_port=1,actions=local"])
        replay(sw, "br0" if push else "br-phy", "p1", capture)
        return rates(sw, warm_up, bench.seconds)[0]


def tunnel_ovs(bench, capture, push, warm_up):
    with bench.lab() as lab:
        ns = lab.ns("o")
        with bench.dpdk.ovs(lab, ns) as ovs:
            ovs.add_br("br0")
            ovs.add_br("br-phy", f"other_config:hwaddr={work.NEAR['mac']}")
            underlay_address(ns)
            time.sleep(1)  # until it has heard of the address
            ovs.appctl("tnl/neigh/set", "br-phy", work.FAR["address"], work.FAR["mac"])
            ovs.vsctl("add-port", "br0", "gre1", "--", "set", "interface", "gre1", "type=gre", "ofport_request=10",
                      f"options:remote_ip={work.FAR['address']}", f"options:local_ip={work.NEAR['address']}",
                      "options:in_key=flow", "options:out_key=flow")
            peers.dpdk_discard(ovs, "br-phy" if push else "br0", "p2")
            ovs.ofctl("add-flow", "br0", (PUSH if push else POP)[0])
            ovs.ofctl("add-flow", "br-phy", "actions=output:2" if push else "in_port=1,actions=LOCAL")
            peers.dpdk_replay(ovs, "br0" if push else "br-phy", "p1", capture)
            return peers.dpdk_cycles(ovs, warm_up, bench.seconds)


def tunnel_row(bench, figure, capture, push, warm_up=1):
    bench.measure(*figure, "xvs", lambda: tunnel_xvs(bench, capture, push, warm_up))
    bench.measure(*figure, DPDK, lambda: tunnel_ovs(bench, capture, push, warm_up))


@row
def m4(bench):
    tunnel_row(bench, ("m4", "1,000"), bench.files.pcap(1000), True)
    tunnel_row(bench, ("m4", "100,000"), bench.files.pcap(100_000), True, warm_up=2)


@row
def m5(bench):
    tunnel_row(bench, ("m5", ""), bench.files.pcap(1000, gre=True), False)


# --- many rules, changes, attacks ---

def own_m2(bench):
    return in_memory(bench, bench.files.pcap(1000), bench.files.flows(work.access_list))


@row
def m6(bench):
    bench.measure("m6", "", "xvs", lambda: in_memory(bench, bench.files.pcap(1_000_000), bench.files.flows(work.many_shapes),
                                                     known=True)[0])
    bench.measure("m6", "", OWN, lambda: own_m2(bench)[0])


class FlowMods:
    """Adds and deletes flows of table 5, at an even rate, over an OpenFlow connection."""

    def __init__(self, sw, rate):
        self.connection, self.rate, self.sent = openflow.Connection.to(sw), rate, 0

    def run(self, seconds):
        begin = now = time.monotonic()
        while now - begin < seconds:
            batch = b"".join(self._next() for _ in range(int((now - begin) * self.rate) - self.sent))
            if batch:
                self.connection.sock.sendall(batch)
            time.sleep(0.002)
            now = time.monotonic()
        self.connection.barrier()
        took = time.monotonic() - begin
        assert self.sent / took > 0.95 * self.rate, f"the switch took {self.sent / took:.0f} flow-mods/s, not {self.rate}"

    def _next(self):
        n, self.sent = self.sent // 2 % 1000, self.sent + 1
        match = openflow.oxm(3, 0x02_00_00_00_00_00 + n, 6)  # eth_dst
        command, priority = (0, 100) if self.sent % 2 else (4, 100)  # ADD; DELETE_STRICT
        return openflow.message(openflow.FLOW_MOD, openflow.flow_mod(match, openflow.apply(openflow.output(2)) if not command
                                                                     else b"", command, table=5, priority=priority))

    def close(self):
        self.connection.close()


def under_flow_mods(bench):
    with memory_switch(bench, bench.files.pcap(1000), bench.files.flows(work.access_list)) as (_, sw):
        with contextlib.closing(FlowMods(sw, MOD_RATE)) as mods:
            mods.run(0.5)
            mods.sent = 0
            before = workers(sw)
            mods.run(bench.seconds)
            after = workers(sw)
            return (after["packets"] - before["packets"]) / (after["time"] - before["time"]) / 1e6


@row
def m7(bench):
    bench.measure("m7", "", "xvs", lambda: under_flow_mods(bench))
    bench.measure("m7", "", OWN, lambda: own_m2(bench)[1])


def port_packets(sw, port):
    shown = sw.ofctl("dump-ports", "br0", port).stdout
    return int(re.search(r"rx pkts=(\d+)", shown)[1]), time.monotonic()


def under_attack(bench):
    with memory_switch(bench, bench.files.pcap(1000), bench.files.flows(work.access_list)) as (lab, sw):
        attacker = lab.ns("a")
        lab.veth(attacker, "a0", sw.ns, "a1")
        sw.ctl("add-port", "br0", "a1", "ofport=3")
        send = lab.popen(attacker, *peers.on_cpu(peers.LOAD_CPU, peers.helper("send"), "a0", 64, 1, bench.seconds + 2,
                                                 SPRAY_RATE, "spray"), stdout=subprocess.PIPE, text=True)
        time.sleep(1)
        (n0, t0), (a0, s0) = port_packets(sw, "p1"), port_packets(sw, "a1")
        time.sleep(bench.seconds)
        (n1, t1), (a1, s1) = port_packets(sw, "p1"), port_packets(sw, "a1")
        bench.remark("m8", f"of the {SPRAY_RATE:,} packets/s xvs received", (a1 - a0) / (s1 - s0))
        send.communicate(timeout=20)
        return (n1 - n0) / (t1 - t0) / 1e6


@row
def m8(bench):
    bench.measure("m8", "", "xvs", lambda: under_attack(bench))
    bench.measure("m8", "", OWN, lambda: own_m2(bench)[1])


# --- on the wire ---

class Hosts:
    """a (10.9.0.1) - a0|a1 - s - b1|b0 - b (10.9.0.2); offloads as the kernel sets them."""

    def __init__(self, lab):
        self.a, self.s, self.b = lab.ns("a"), lab.ns("s"), lab.ns("b")
        for n, host, near, far in (1, self.a, "a0", "a1"), (2, self.b, "b0", "b1"):
            lab.veth(host, near, self.s, far, mac_a=f"02:00:00:00:00:0{n}")
            host.addr(near, f"10.9.0.{n}/24")

    def xvs(self, bench, lab, config=None):
        sw = bench.switch(lab, self.s, config=config)
        add_bridge(sw, "br0")
        sw.ctl("add-port", "br0", "a1", "ofport=1", "--", "add-port", "br0", "b1", "ofport=2")
        return sw

    @contextlib.contextmanager
    def ovs(self, lab, *settings):
        with peers.ovs(lab, self.s, *settings) as ovs:
            ovs.add_br("br0")
            for n, port in (1, "a1"), (2, "b1"):
                ovs.vsctl("add-port", "br0", port, "--", "set", "interface", port, f"ofport_request={n}")
            yield ovs


CROSS = ["in_port=1,actions=output:2", "in_port=2,actions=output:1"]


@contextlib.contextmanager
def wire(bench, who, cpu=None):
    """Hosts with something between them that forwards: xvs, Open vSwitch or a loop, by name. cpu: what forwards is pinned."""
    with bench.lab() as lab, contextlib.ExitStack() as stack:
        hosts = Hosts(lab)
        if who == "xvs":
            add_flows(hosts.xvs(bench, lab, config=PINNED if cpu is not None else None), "br0", CROSS)
        elif who == "linux-bridge":
            peers.linux_bridge(hosts.s, "a1", "b1")
        elif who.startswith("rawfwd"):
            stack.enter_context(peers.loop(lab, hosts.s, who, "a1", "b1", cpu=cpu))
        else:
            ovs = stack.enter_context(hosts.ovs(lab, *([peers.TSO] if who == TSO else [])))
            ovs.ofctl("add-flows", "br0", bench.text(CROSS))
            if cpu is not None:
                peers.pin(ovs.pid, cpu)
        yield lab, hosts


def small_packets(bench, who):
    with wire(bench, who, peers.SWITCH_CPU) as (_, hosts):
        before = hosts.b.statistic("b0", "rx_packets")
        offered = hosts.a.run(*peers.on_cpu(peers.LOAD_CPU, peers.helper("send"), "a0", 64, 1, bench.seconds)).stdout
        time.sleep(0.2)
        if who == "rawfwd":
            bench.remark("w1", "kpacket/s were offered", float(offered) / 1e3)
        return (hosts.b.statistic("b0", "rx_packets") - before) / bench.seconds / 1e3


@row
def w1(bench):
    for who in "xvs", "rawfwd", NETDEV:
        bench.measure("w1", "", who, lambda: small_packets(bench, who))


def serve_tcp(lab, host):
    lab.popen(host, "iperf3", "-s", stdout=-3, stderr=-3)
    xvs.wait_until(lambda: host.run("ss", "-Hltn", "sport = :5201").stdout.strip(), 5, "iperf3's server")


def tcp(client, server, seconds):
    """Gbit/s, as received; 0 if there is no connection."""
    done = client.run("iperf3", "-J", "-c", server, "-t", seconds, "--connect-timeout", 3000, check=False, timeout=seconds + 20)
    result = json.loads(done.stdout)
    return 0.0 if "error" in result else result["end"]["sum_received"]["bits_per_second"] / 1e9


def tcp_between(bench, who):
    with wire(bench, who) as (lab, hosts):
        serve_tcp(lab, hosts.b)
        return tcp(hosts.a, "10.9.0.2", bench.seconds + 1)


@row
def w2(bench):
    for who in "xvs", "rawfwd-gso", TSO, NETDEV, "linux-bridge":
        if who == NETDEV and bench.round:
            continue  # it passes none, which takes as long as an attempt to connect
        bench.measure("w2", "", who, lambda: tcp_between(bench, who))


INNER_MTU = 1458  # 1500 less the tunnel's headers; nobody tells TCP otherwise


def tcp_through_tunnel(bench, who, *options):
    """`options`: of the tunnel ports, where they are not the default."""
    with bench.lab() as lab, contextlib.ExitStack() as stack:
        if who == "xvs":
            lab.switch = functools.partial(bench.switch, lab)
            e = experiment.Experiment(lab, controller=False)
        else:
            lab.ovs = lambda ns: stack.enter_context(peers.ovs(lab, ns))
            e = OvsExperiment(lab)
        e.set_up()
        for vm in e.vm1, e.vm2:
            vm.ns.ip("link", "set", "br0", "mtu", INNER_MTU)
            for option in options:
                vm.do(f"xvs-ctl set interface gre1 options:{option}")
            if who != "xvs":
                peers.finish_checksums(vm.ns, "br0")
        e.ping(2, check=False)
        serve_tcp(lab, e.vm2.ns)
        return tcp(e.vm1.ns, e.vm2.tenant, bench.seconds + 1)


class OvsExperiment(experiment.Experiment):
    """All three switches are Open vSwitch's."""

    def __init__(self, lab):
        show = lambda line: None
        self.vm1, self.vm2 = (experiment.Vm(lab, name, show, experiment.OPEN_VSWITCH) for name in ("VM1", "VM2"))
        self.s1, self.lab, self.controller = experiment.Station(lab, "s1", show), lab, None
        for vm, port in (self.vm1, "s1-eth1"), (self.vm2, "s1-eth2"):
            lab.veth(vm.ns, "eth0", self.s1.ns, port, mac_a=vm.underlay_mac)
            vm.start()
        self.s1.ovs = lab.ovs(self.s1.ns)

    def set_up(self):
        self.s1.ovs.add_br("s1")
        for n, port in (1, "s1-eth1"), (2, "s1-eth2"):
            self.s1.ovs.vsctl("add-port", "s1", port, "--", "set", "interface", port, f"ofport_request={n}")
        self.s1.ovs.ofctl("add-flows", "s1", "-", input=experiment.S1_FLOWS)
        self.vm1.set_up()
        self.vm2.set_up()


@row
def w3(bench):
    bench.measure("w3", "", "xvs", lambda: tcp_through_tunnel(bench, "xvs"))
    bench.measure("w3", "whole", "xvs", lambda: tcp_through_tunnel(bench, "xvs", "gso=true"))
    peer = bench.measure_all("w3", NETDEV, lambda: {"": tcp_through_tunnel(bench, NETDEV)})
    if peer:
        bench.put("w3", "whole", NETDEV, peer[""])


PINGS = 1500


def pings(host):
    """(median, 99th percentile, percent lost)."""
    times = sorted(host.ping("10.9.0.2", count=PINGS, interval=0.002, wait=1, check=False))
    if not times:
        raise AssertionError("no ping came back")
    return times[len(times) // 2], times[int(len(times) * 0.99)], 100 * (1 - len(times) / PINGS)


def latencies(bench, who):
    with wire(bench, who) as (lab, hosts):
        hosts.a.ping("10.9.0.2", count=3, check=False)
        serve_tcp(lab, hosts.b)
        idle = pings(hosts.a)
        stream = lab.popen(hosts.a, "iperf3", "-c", "10.9.0.2", "-t", 30, stdout=-3, stderr=-3)
        time.sleep(1)
        assert stream.poll() is None, "the TCP stream has ended"
        busy = pings(hosts.a)
        xvs.end_process(stream)
        return {"idle, median": idle[0], "idle, 99th": idle[1], "busy, median": busy[0], "busy, 99th": busy[1],
                "lost": (idle[2] + busy[2]) / 2}


@row
def w4(bench):
    for who in "xvs", TSO:
        bench.measure_all("w4", who, lambda: latencies(bench, who))


# --- control ---

def timed(fn):
    begin = time.monotonic()
    fn()
    return time.monotonic() - begin


def rules(name, count, file, tool, pid):
    """Adds, dumps and deletes by a tool: {figure: value}. tool(*words) runs it, its output thrown away."""
    before = peers.resident(pid)
    add = timed(lambda: tool("add-flows", "br0", file))
    memory = (peers.resident(pid) - before) / count
    dump = timed(lambda: tool("dump-flows", "br0"))
    delete = timed(lambda: tool("del-flows", "br0"))
    return {f"{name} add": count / add, f"{name} memory": memory, f"{name} dump": dump, f"{name} delete": delete}


def rules_xvs(bench, name, count, file):
    with bench.lab() as lab:
        sw = bench.switch(lab, lab.ns("s"))
        add_bridge(sw, "br0")
        return rules(name, count, file, lambda *words: sw.ofctl(*words, timeout=600, stdout=subprocess.DEVNULL), sw.pid)


def rules_ovs(bench, name, count, file):
    with bench.lab() as lab, peers.ovs(lab, lab.ns("o")) as ovs:
        ovs.add_br("br0")
        return rules(name, count, file,
                     lambda *words: ovs.ofctl("-O", "OpenFlow13", *words, timeout=600, stdout=subprocess.DEVNULL), ovs.pid)


@row
def c1(bench):
    for name, count in RULES.items():
        file = bench.files.flows(work.distinct_flows, count)
        got = bench.measure_all("c1", "xvs", lambda: rules_xvs(bench, name, count, file))
        bench.measure_all("c1", NETDEV, lambda: rules_ovs(bench, name, count, file))
        if got:
            bench.put("c1", "flat", "xvs" if count == 1_000_000 else "xvs 100,000", got[f"{name} add"])


CONTROLLER_PORT = 6699


def packet_ins(bench, who, reply):
    """({figure: value})"""
    with bench.lab() as lab, contextlib.ExitStack() as stack:
        hosts = Hosts(lab)
        sink = lab.popen(hosts.s, peers.helper("ofsink"), CONTROLLER_PORT, bench.seconds, *(["reply"] if reply else []),
                         stdout=subprocess.PIPE, text=True)
        target = f"tcp:127.0.0.1:{CONTROLLER_PORT}"
        if who == "xvs":
            hosts.xvs(bench, lab).ctl("set-controller", "br0", target)
        else:
            stack.enter_context(hosts.ovs(lab)).vsctl("set-controller", "br0", target)
        assert sink.stdout.readline() == "ready\n", "the switch does not connect to its controller"
        time.sleep(0.5)
        before = hosts.b.statistic("b0", "rx_packets")
        lab.popen(hosts.a, *peers.on_cpu(peers.LOAD_CPU, peers.helper("send"), "a0", 64, 100_000, bench.seconds + 0.5), stdout=-3)
        rate, count, errors = map(float, sink.communicate(timeout=30)[0].split())
        assert not errors, f"{errors:.0f} OpenFlow errors"
        assert count, "no packet-ins"
        if not reply:
            return {"": rate}
        return {"reply": rate, "came through": 100 * min(1, (hosts.b.statistic("b0", "rx_packets") - before) / count)}


@row
def c2(bench):
    for reply in False, True:
        for who in "xvs", NETDEV:
            bench.measure_all("c2", who, lambda: packet_ins(bench, who, reply))


# --- size ---

def memory_one(bench, who):
    with bench.lab() as lab, contextlib.ExitStack() as stack:
        ns = lab.ns("s")
        if who == "xvs":
            sw = bench.switch(lab, ns)
            sw.ctl("add-br", "br0")
        else:
            sw = stack.enter_context(peers.ovs(lab, ns))
            sw.add_br("br0")
        time.sleep(0.5)
        return peers.resident(sw.pid) / 1e6


def memory_64(bench):
    with bench.lab() as lab:
        ns = lab.ns("s")
        sw = bench.switch(lab, ns)
        words = []
        for b in range(64):
            for pair in range(2):
                ns.ip("link", "add", f"p{b}-{2 * pair}", "type", "veth", "peer", "name", f"p{b}-{2 * pair + 1}")
            for p in range(4):
                ns.ip("link", "set", f"p{b}-{p}", "up")
            words += ["--", "add-br", f"br{b}", *(w for p in range(4) for w in ("--", "add-port", f"br{b}", f"p{b}-{p}"))]
        # Secure bridges: cables between the ports of a learning switch would make a loop.
        words += [w for b in range(64) for w in ("--", "set", "bridge", f"br{b}", "fail_mode=secure")]
        sw.ctl(*words[1:], timeout=120)
        time.sleep(0.5)
        return peers.resident(sw.pid) / 1e6


@row
def s1(bench):
    for who in "xvs", NETDEV:
        bench.measure("s1", "1", who, lambda: memory_one(bench, who))
    bench.measure("s1", "64", "xvs", lambda: memory_64(bench))
