"""System ports by AF_XDP, io=xdp: everything that AF_PACKET ports do, and nothing left behind."""
import os
import re
import signal
import time

import pytest

import xvs
from test_ports import port
from test_tcp import assert_tcp_works, assert_udp_works, iperf, raw_send, serve
from topo import Star


def built_with_libxdp():
    with open(os.path.join(xvs.BUILDDIR, "config.h"), encoding="utf-8") as f:
        return "#define HAVE_LIBXDP 1" in f.read()


needs_libxdp = pytest.mark.skipif(not built_with_libxdp(), reason="built without libxdp")


def xdp_star(lab, **options):
    star = Star(lab, options=["io=xdp"], **options)
    for n in range(1, len(star.h) + 1):
        p = port(star.sw, f"p{n}")
        assert p["error"] == "" and p["status"]["queues"] == "1", p
    return star


def has_program(ns, device):
    return "xdp" in ns.ip("-d", "link", "show", "dev", device).stdout


def counters(sw, number):
    text = sw.ofctl("dump-ports", "br0", str(number)).stdout
    rx, tx = re.search(r"rx pkts=(\d+), bytes=\d+, drop=(\d+)", text), re.search(r"tx pkts=(\d+), bytes=\d+, drop=(\d+)", text)
    return {"rx": int(rx[1]), "rx_dropped": int(rx[2]), "tx": int(tx[1]), "tx_dropped": int(tx[2])}


def snmp(ns, protocol, name):
    names, values = [line.split()[1:] for line in ns.run("cat", "/proc/net/snmp").stdout.splitlines()
                     if line.startswith(protocol + ":")]
    return int(values[names.index(name)])


# --- options ---

def test_values_of_io(lab):
    sw = lab.switch(lab.ns("s"))
    sw.ctl("add-br", "br0")
    for words, says in ((["io=raw"], "neither 'packet' nor 'xdp'"), (["oi=xdp"], "did you mean 'io'"),
                        (["type=null", "io=xdp"], "null")):
        done = sw.ctl("add-port", "br0", "p1", *words, check=False)
        assert done.returncode == 1 and says in done.stderr, done.stderr
    assert sw.ctl("list-ports", "br0").stdout == ""
    if not built_with_libxdp():
        done = sw.ctl("add-port", "br0", "p1", "io=xdp", check=False)
        assert done.returncode == 1 and "libxdp" in done.stderr, done.stderr
    sw.ctl("add-port", "br0", "p1", "io=packet")


@needs_libxdp
def test_io_may_be_changed(lab):
    """It is another port then, with the same number."""
    star = xdp_star(lab)
    for words, xdp in ((["set", "interface", "p1", "options:io=packet"], False), (["set", "interface", "p1", "options:io=xdp"], True),
                       (["remove", "interface", "p1", "options", "io"], False),
                       (["del-port", "p1", "--", "add-port", "br0", "p1", "io=xdp", "ofport=1"], True)):
        star.sw.ctl(*words)
        assert has_program(star.ns, "p1") == xdp, words
        assert port(star.sw, "p1")["ofport"] == "1"
        star.h[0].ping("10.0.0.2", count=2)


@needs_libxdp
def test_io_survives_a_restart(lab):
    star = xdp_star(lab)
    star.sw.restart()
    assert has_program(star.ns, "p1")
    star.h[0].ping("10.0.0.2", count=2)


@needs_libxdp
def test_what_the_device_refuses_is_shown_with_its_mend(lab):
    """And once it is mended, the port works."""
    star = Star(lab, mtu=9000, hosts=1)
    c = lab.ns("c")
    lab.veth(c, "eth0", star.ns, "p9", mac_a="02:00:00:00:00:09", mtu=9000)
    c.addr("eth0", "10.0.0.9/24")
    done = star.sw.ctl("add-port", "br0", "p9", "io=xdp")
    error = port(star.sw, "p9")["error"]
    assert "MTU" in error and error in done.stderr, (error, done.stderr)
    star.ns.ip("link", "set", "p9", "mtu", "1500")
    xvs.wait_until(lambda: "other end" in port(star.sw, "p9")["error"], 5, "the port to see the other end's MTU")
    c.ip("link", "set", "eth0", "mtu", "1500")
    star.ns.ip("link", "set", "p9", "mtu", "1400")
    xvs.wait_until(lambda: port(star.sw, "p9")["error"] == "", 5, "the port to work")
    c.ping("10.0.0.1", count=2)


@needs_libxdp
def test_another_program_on_the_device(lab):
    star = xdp_star(lab)
    other = lab.switch(star.ns)
    done = other.ctl("add-br", "br9", "--", "add-port", "br9", "p1", "io=xdp")
    assert "p1" in done.stderr and "io=packet" in done.stderr, done.stderr
    assert port(other, "p1", "br9")["state"] != "up"
    star.h[0].ping("10.0.0.2", count=1)


@needs_libxdp
def test_a_device_that_cannot_do_xdp(lab):
    star = Star(lab, hosts=1)
    done = star.sw.ctl("add-port", "br0", "lo", "io=xdp")
    assert "lo" in done.stderr and "io=packet" in done.stderr, done.stderr


# --- packets ---

@needs_libxdp
@pytest.mark.parametrize("other", ["xdp", "packet"])
def test_ping_arp_and_counters(lab, other):
    star = Star(lab, hosts=1, options=["io=xdp"])
    b = lab.ns("b")
    lab.veth(b, "eth0", star.ns, "p2", mac_a="02:00:00:00:00:02")
    b.addr("eth0", "10.0.0.2/24")
    star.sw.ctl("add-port", "br0", "p2", f"io={other}", "ofport=2")
    capture = lab.capture(star.h[0], "eth0", "arp or icmp")
    star.h[0].ping("10.0.0.2", count=5)
    packets = capture.stop()
    assert len([p for p in packets if p.haslayer("ICMP")]) == 10, "the host's stack answers too?"
    n = counters(star.sw, 1)
    assert n["rx"] == star.ns.statistic("p1", "rx_packets") and n["tx"] == star.ns.statistic("p1", "tx_packets"), n
    assert n["rx"] >= 6 and n["rx_dropped"] == n["tx_dropped"] == 0, n


@needs_libxdp
def test_the_hosts_stack_gets_nothing(lab):
    """It has an address on the port's device and forwards; whatever arrives is the switch's alone."""
    star = xdp_star(lab, flows=["in_port=1,actions=2"])
    star.ns.addr("p1", "10.0.0.50/24")
    star.ns.sysctl("net.ipv4.ip_forward=1")
    assert star.h[0].ping("10.0.0.50", count=2, wait=1, check=False) == []
    assert star.ns.run("ip", "neigh", "show", "dev", "p1").stdout == ""
    assert snmp(star.ns, "Ip", "InReceives") == 0
    assert counters(star.sw, 1)["rx"] >= 2


@needs_libxdp
@pytest.mark.parametrize("flows", [None, ["in_port=1,actions=2", "in_port=2,actions=1"]], ids=["learning", "flows"])
def test_tcp_between_hosts_with_default_offloads(lab, flows):
    star = xdp_star(lab, flows=flows)
    assert_tcp_works(lab, *star.h)
    assert [snmp(host, "Tcp", "InCsumErrors") for host in star.h] == [0, 0]


@needs_libxdp
@pytest.mark.parametrize("a, b", [("xdp", "packet"), ("packet", "xdp")])
def test_tcp_between_the_two_kinds_of_ports(lab, a, b):
    star = Star(lab, hosts=0)
    hosts = []
    for n, io in (1, a), (2, b):
        host = lab.ns(f"h{n}")
        lab.veth(host, "eth0", star.ns, f"p{n}", mac_a=f"02:00:00:00:00:{n:02x}")
        host.addr("eth0", f"10.0.0.{n}/24")
        star.sw.ctl("add-port", "br0", f"p{n}", f"ofport={n}", f"io={io}")
        hosts.append(host)
    assert_tcp_works(lab, *hosts)


@needs_libxdp
def test_tcp_over_ipv6(lab):
    star = xdp_star(lab, ipv6=True)
    a, b = star.h
    serve(lab, b)
    assert iperf(a, "fd00::2")["sum_received"]["bits_per_second"] > 20e6 / xvs.slowness()


@needs_libxdp
def test_udp(lab):
    star = xdp_star(lab)
    assert_udp_works(lab, *star.h, size=1400)


@needs_libxdp
def test_every_checksum_that_leaves_is_right(lab):
    star = xdp_star(lab, ipv6=True)
    a, b = star.h
    capture = lab.capture(b, "eth0", "tcp or udp", inbound=True)
    serve(lab, b)
    for server in "10.0.0.2", "fd00::2":
        for load in ["-b", "20M"], ["-u", "-b", "1M", "-l", "900"]:
            # iperf3's server takes a while to be done with the client before.
            xvs.wait_until(lambda: a.run("iperf3", "-c", server, "-t", "1", *load, check=False).returncode == 0, 10, "iperf3")
    capture.stop()
    rows = capture.fields("tcp.checksum.status", "udp.checksum.status")
    assert len(rows) > 100
    bad = [row for row in rows if "0" in row["tcp.checksum.status"] + row["udp.checksum.status"]]
    assert not bad, f"{len(bad)} of {len(rows)} wrong"


@needs_libxdp
def test_unfinished_checksums_inside_of_vxlan(lab):
    """A host that is itself the end of a tunnel leaves the checksum of the inner packet to its device."""
    star = xdp_star(lab)
    a, b = star.h
    for n, host in enumerate(star.h, 1):
        host.ip("link", "add", "vx", "type", "vxlan", "id", "7", "dstport", "4789", "local", f"10.0.0.{n}",
                "remote", f"10.0.0.{3 - n}", "dev", "eth0")
        host.addr("vx", f"10.9.0.{n}/24")
    serve(lab, b)
    for direction in [], ["-R"]:
        assert iperf(a, "10.9.0.2", *direction)["sum_received"]["bits_per_second"] > 20e6 / xvs.slowness()


def vlan_host(lab, star):
    """c (no switch port) sends through a bridge of host a: what Linux forwards has its tag outside of the frame."""
    a, c = star.h[0], lab.ns("c")
    lab.veth(c, "eth0", a, "c0")
    a.ip("link", "add", "bridge0", "type", "bridge")
    for device in "eth0", "c0":
        a.ip("link", "set", device, "master", "bridge0")
    a.ip("link", "set", "bridge0", "up")
    return c


@needs_libxdp
@pytest.mark.parametrize("outside", [True, False], ids=["tag-outside", "tag-in-the-frame"])
def test_vlan_tags(lab, outside):
    from scapy.layers.inet import IP, UDP
    from scapy.layers.l2 import Dot1AD, Dot1Q, Ether
    star = xdp_star(lab, flows=["dl_vlan=5,actions=2", "dl_vlan=6,actions=strip_vlan,2", "priority=0,actions=drop"])
    sender = vlan_host(lab, star) if outside else star.h[0]
    head = Ether(src="02:00:00:00:00:11", dst="02:00:00:00:00:02")
    packet = IP(src="1.1.1.1", dst="2.2.2.2") / UDP(sport=1, dport=2) / b"hello"
    sent = [head / Dot1Q(vlan=5, prio=3) / packet, head / Dot1AD(vlan=5) / Dot1Q(vlan=7) / packet,
            head / Dot1Q(vlan=6) / packet, head / packet]
    got = [sent[0], sent[1], head / packet]
    if outside:
        time.sleep(0.2)  # the bridge's ports
    capture = lab.capture(star.h[1], "eth0", inbound=True)
    for p in sent:
        raw_send(sender, "eth0", bytes(Ether(bytes(p))))
    received = [bytes(p) for p in capture.stop() if p.src == "02:00:00:00:00:11"]
    assert received == [bytes(Ether(bytes(p))) for p in got]


@needs_libxdp
def test_frames_of_all_lengths_arrive_unchanged(lab):
    star = xdp_star(lab, flows=["in_port=1,actions=2"], mtu=3400)
    frames = [bytes.fromhex("020000000002" "020000000011" "88b5") + bytes(i % 251 for i in range(n - 14))
              for n in (14, 15, 59, 60, 61, 64, 65, 128, 1514, 2048, 3000, 3414)]
    capture = lab.capture(star.h[1], "eth0", "ether proto 0x88b5", inbound=True)
    for frame in frames:
        raw_send(star.h[0], "eth0", frame)
    assert [bytes(p) for p in capture.stop()] == frames


@needs_libxdp
def test_what_the_rings_cannot_take_is_counted_as_dropped(lab):
    """The daemon is stopped for a while; nothing goes to the host's stack instead."""
    star = xdp_star(lab, flows=["in_port=1,actions=drop"])
    before, n = counters(star.sw, 1), 12000
    os.kill(star.sw.pid, signal.SIGSTOP)
    raw_send(star.h[0], "eth0", bytes(60), count=n)
    os.kill(star.sw.pid, signal.SIGCONT)

    def done():
        now = counters(star.sw, 1)
        # What even the veth itself had no room for counts at the sender.
        lost = star.h[0].statistic("eth0", "tx_dropped")
        return now["rx"] - before["rx"] + now["rx_dropped"] - before["rx_dropped"] + lost == n and now
    now = xvs.wait_until(done, 5, "all packets to be accounted for")
    assert now["rx_dropped"] > 0


# --- devices that come and go ---

@needs_libxdp
def test_a_device_that_vanishes_comes_back(lab):
    star = xdp_star(lab)
    a, b = star.h
    a.ping("10.0.0.2", count=1)
    before = counters(star.sw, 2)
    star.ns.ip("link", "del", "p2")
    xvs.wait_until(lambda: port(star.sw, "p2")["state"] == "no such device", 5, "the port to notice")
    lab.veth(b, "eth0", star.ns, "p2", mac_a="02:00:00:00:00:02")
    b.addr("eth0", "10.0.0.2/24")
    xvs.wait_until(lambda: port(star.sw, "p2")["state"] == "up", 5, "the port to come back")
    a.ping("10.0.0.2", count=3)
    assert counters(star.sw, 2)["rx"] >= before["rx"] + 3
    assert has_program(star.ns, "p2")


@needs_libxdp
def test_a_device_that_goes_down_and_up(lab):
    star = xdp_star(lab)
    a = star.h[0]
    for ns, device in (star.ns, "p2"), (star.h[1], "eth0"):
        a.ping("10.0.0.2", count=1)
        ns.ip("link", "set", device, "down")
        assert a.ping("10.0.0.2", count=1, wait=1, check=False) == []
        ns.ip("link", "set", device, "up")
        xvs.wait_until(lambda: a.ping("10.0.0.2", count=1, wait=1, check=False), 5, "pings to come back")


@needs_libxdp
def test_a_deleted_port_gives_the_device_back(lab):
    star = xdp_star(lab)
    star.h[0].ping("10.0.0.2", count=1)
    star.sw.ctl("del-port", "br0", "p1")
    assert not has_program(star.ns, "p1")
    assert "promiscuity 0" in star.ns.ip("-d", "link", "show", "dev", "p1").stdout
    star.ns.addr("p1", "10.0.0.50/24")
    star.h[0].ping("10.0.0.50", count=2)


@needs_libxdp
@pytest.mark.parametrize("how", ["stop", "kill"])
def test_the_daemons_end_leaves_nothing(lab, how):
    star = xdp_star(lab)
    star.h[0].ping("10.0.0.2", count=1)
    getattr(star.sw, how)()
    xvs.wait_until(lambda: not has_program(star.ns, "p1") and not has_program(star.ns, "p2"), 5, "the programs to go")
    star.ns.addr("p1", "10.0.0.50/24")
    star.h[0].ping("10.0.0.50", count=2)
    star.ns.ip("addr", "flush", "dev", "p1")
    star.sw.start()
    star.h[0].ping("10.0.0.2", count=3)


@needs_libxdp
def test_several_queues(lab):
    """A socket each; TCP in both directions over four connections uses more than one."""
    star = Star(lab, hosts=0)
    for n in 1, 2:
        host = lab.ns(f"h{n}")
        xvs.run("ip", "link", "add", "eth0", "address", f"02:00:00:00:00:{n:02x}", "numtxqueues", "4", "numrxqueues", "4",
                "netns", host.name, "type", "veth", "peer", "name", f"p{n}", "numtxqueues", "4", "numrxqueues", "4",
                "netns", star.ns.name)
        host.addr("eth0", f"10.0.0.{n}/24")
        star.ns.ip("link", "set", f"p{n}", "up")
        star.sw.ctl("add-port", "br0", f"p{n}", f"ofport={n}", "io=xdp")
        star.h.append(host)
        assert port(star.sw, f"p{n}")["status"]["queues"] == "4", port(star.sw, f"p{n}")
    serve(lab, star.h[1])
    for direction in [], ["-R"]:
        end = iperf(star.h[0], "10.0.0.2", "-P", "4", *direction)
        assert end["sum_received"]["bits_per_second"] > 20e6 / xvs.slowness()


@needs_libxdp
def test_workers_share_a_queue(lab):
    star = xdp_star(lab)
    star.sw.ctl("set", "worker", ".", "count=3")
    star.sw.restart()
    assert len(star.sw.ctl("-f", "json", "show-workers").stdout.split('"ports"')) == 4
    assert_tcp_works(lab, *star.h)


@needs_libxdp
def test_queues_that_come_later_are_told_of(lab):
    star, c = Star(lab, hosts=1), lab.ns("c")
    xvs.run("ip", "link", "add", "eth0", "netns", c.name, "type", "veth", "peer", "name", "p9", "numrxqueues", "4", "numtxqueues",
            "4", "netns", star.ns.name)
    star.sw.ctl("add-port", "br0", "p9", "io=xdp")
    set_queues(star.ns, "p9", 2)
    assert "more receive queues" in port(star.sw, "p9")["error"]
    star.sw.ctl("del-port", "p9")
    star.sw.ctl("add-port", "br0", "p9", "io=xdp")
    assert port(star.sw, "p9")["error"] == "" and port(star.sw, "p9")["status"]["queues"] == "2"


def set_queues(ns, device, n):
    """As ethtool -L DEVICE rx N tx N, which not every machine has."""
    code = """
import array, fcntl, socket, struct, sys
get, set_, device, n = 0x3c, 0x3d, sys.argv[1].encode(), int(sys.argv[2])
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    for command in get, set_:
        values = list(struct.unpack("9I", data)) if command == set_ else [0] * 9
        values[0] = command
        if command == set_:
            values[5] = values[6] = n
        data = array.array("B", struct.pack("9I", *values))
        fcntl.ioctl(s, 0x8946, struct.pack("16sQ16x", device, data.buffer_info()[0]))
"""
    ns.run("/usr/bin/python3", "-c", code, device, n)


@needs_libxdp
def test_a_cable_between_two_switches(lab):
    """XDP at both of its ends."""
    s1, s2, hosts = lab.ns("s1"), lab.ns("s2"), [lab.ns("a"), lab.ns("b")]
    lab.veth(s1, "c0", s2, "c0")
    for n, (ns, host) in enumerate(zip((s1, s2), hosts), 1):
        lab.veth(host, "eth0", ns, "p1", mac_a=f"02:00:00:00:00:{n:02x}")
        host.addr("eth0", f"10.0.0.{n}/24")
        sw = lab.switch(ns)
        sw.ctl("add-br", "br0", "--", "add-port", "br0", "p1", "--", "add-port", "br0", "c0", "io=xdp")
        assert port(sw, "c0")["error"] == ""
    assert_tcp_works(lab, *hosts)


@needs_libxdp
def test_many_queues_are_refused(lab):
    star, c = Star(lab, hosts=1), lab.ns("c")
    xvs.run("ip", "link", "add", "eth0", "numtxqueues", "17", "numrxqueues", "17", "netns", c.name, "type", "veth",
            "peer", "name", "p9", "numtxqueues", "17", "numrxqueues", "17", "netns", star.ns.name)
    done = star.sw.ctl("add-port", "br0", "p9", "io=xdp")
    assert "17 receive queues" in done.stderr and "ethtool -L" in done.stderr, done.stderr
