"""TCP and UDP between hosts whose devices have the kernel's default offloads: no ethtool anywhere.

Packets then come with unfinished checksums and as super-segments of up to 64 KB; whoever cannot pass them on finishes them.
"""
import json
import os

import pytest

import xvs
from topo import Star, Tunnel


def serve(lab, host):
    """iperf3's server for one test after the other."""
    process = lab.popen(host, "iperf3", "-s", stdout=-3, stderr=-3)
    xvs.wait_until(lambda: host.run("ss", "-Hltn", "sport = :5201").stdout.strip(), 5, "iperf3's server")
    return process


def iperf(host, server, *options, seconds=1):
    """Runs iperf3; gives its result. Whatever it calls an error fails."""
    done = host.run("iperf3", "-J", "-c", server, "-t", seconds, *options, check=False, timeout=seconds + 15)
    result = json.loads(done.stdout)
    assert "error" not in result and done.returncode == 0, result.get("error", done.stderr)
    return result["end"]


def assert_tcp_works(lab, a, b):
    serve(lab, b)
    for direction in [], ["-R"]:
        end = iperf(a, "10.0.0.2", *direction)
        mbps = end["sum_received"]["bits_per_second"] / 1e6
        # A connection that lives on retransmissions alone gets a few hundred kbit/s.
        assert mbps > 20 / xvs.slowness(), f"TCP {'from' if direction else 'to'} b: {mbps:.1f} Mbit/s"


def assert_udp_works(lab, a, b, size=1200):
    serve(lab, b)
    for direction in [], ["-R"]:
        end = iperf(a, "10.0.0.2", "-u", "-b", "10M", "-l", size, *direction)
        total = end["sum"]
        assert total["packets"] > 100 and total["lost_percent"] < 1, total


def watch_for_faults(lab, tunnel, mtu):
    """A capture that takes nothing but fragments and packets longer than the MTU."""
    return lab.capture(tunnel.s[0], "eth0", f"proto 47 and (ip[2:2] > {mtu} or ip[6:2] & 0x3fff != 0)")


def assert_no_faults(faults, tunnel):
    assert tunnel.s[0].statistic("eth0", "tx_packets") > 100, "no tunnel packets on the underlay"
    assert [p.summary() for p in faults.stop()][:3] == []


@pytest.mark.parametrize("flows", [None, ["in_port=1,actions=2", "in_port=2,actions=1"]], ids=["learning", "flows"])
def test_tcp_through_a_bridge(lab, flows):
    star = Star(lab, flows=flows)
    assert_tcp_works(lab, *star.h)


def test_udp_through_a_bridge(lab):
    star = Star(lab)
    assert_udp_works(lab, *star.h, size=1400)


def test_tcp_over_ipv6_through_a_bridge(lab):
    star = Star(lab, ipv6=True)
    a, b = star.h
    serve(lab, b)
    end = iperf(a, "fd00::2")
    assert end["sum_received"]["bits_per_second"] > 20e6 / xvs.slowness()


@pytest.mark.parametrize("via", ["local", "interface"])
def test_tcp_through_a_tunnel(lab, via):
    tunnel = Tunnel(lab, via=via, inner_mtu=1458)
    faults = watch_for_faults(lab, tunnel, 1500)
    assert_tcp_works(lab, *tunnel.h)
    assert_no_faults(faults, tunnel)


def test_udp_through_a_tunnel(lab):
    tunnel = Tunnel(lab, inner_mtu=1458)
    faults = watch_for_faults(lab, tunnel, 1500)
    assert_udp_works(lab, *tunnel.h, size=1400)
    assert_no_faults(faults, tunnel)


def test_tcp_through_a_tunnel_with_checksums(lab):
    tunnel = Tunnel(lab, inner_mtu=1454, options=("key=flow", "csum=true"))
    assert_tcp_works(lab, *tunnel.h)


def test_a_tunnel_over_a_larger_mtu(lab):
    """The inner devices keep their 1500 where the underlay has 1542."""
    tunnel = Tunnel(lab, mtu=1542)
    for ns in tunnel.s:
        ns.ip("link", "set", "br1", "mtu", "1542")
    faults = watch_for_faults(lab, tunnel, 1542)
    assert_tcp_works(lab, *tunnel.h)
    assert_no_faults(faults, tunnel)


@pytest.mark.parametrize("size", [16, 18, 1000, 1430])
def test_pings_of_all_sizes_through_a_tunnel(lab, size):
    """1430 bytes of ICMP payload make a packet of 1458: with 42 bytes of headers the underlay is full."""
    tunnel = Tunnel(lab, inner_mtu=1458)
    tunnel.h[0].ping("10.0.0.2", count=3, options=("-s", size, "-M", "do"))


def send_stream(lab, a, b, size, to="10.0.0.2"):
    """Random bytes from a to b by TCP; what b has got is what a has sent."""
    sent, got = (os.path.join(lab.dir, name) for name in ("sent", "got"))
    with open(sent, "wb") as f:
        f.write(os.urandom(size))
    with open(got, "wb") as f:
        receiver = lab.popen(b, "nc", "-l", "-N", "9000", stdout=f)
    xvs.wait_until(lambda: b.run("ss", "-Hltn", "sport = :9000").stdout.strip(), 5, "nc")
    a.run("sh", "-c", f"exec nc -N {to} 9000 <{sent}")
    receiver.wait(10)
    with open(sent, "rb") as f, open(got, "rb") as g:
        assert f.read() == g.read()


def test_segments_are_one_again_behind_a_tunnel(lab):
    """Cut once where the tunnel begins, put together once where it ends: between hosts the packets are long, on the
    underlay none is, and not a byte differs."""
    tunnel = Tunnel(lab, inner_mtu=1458)
    a, b = tunnel.h
    faults = watch_for_faults(lab, tunnel, 1500)
    capture = lab.capture(b, "eth0", "tcp and src 10.0.0.1 and dst port 9000")
    send_stream(lab, a, b, 4_000_000)
    capture.end()
    lengths = [int(p["ip.len"][0]) for p in capture.fields("ip.len")]
    assert max(lengths) > 2 * 1458, f"nothing was put together: {sorted(lengths)[-5:]}"
    assert_no_faults(faults, tunnel)


WHOLE = ("key=flow", "gso=true")


@pytest.mark.parametrize("via", ["local", "interface"])
def test_segments_stay_one_in_a_tunnel(lab, via):
    """gso=true, and both ends on one machine: nobody cuts them, neither the tunnels nor the kernel."""
    tunnel = Tunnel(lab, via=via, inner_mtu=1458, options=WHOLE)
    capture = lab.capture(tunnel.s[1], "eth0", "proto 47 and ip[2:2] > 10000")
    send_stream(lab, *tunnel.h, 4_000_000)
    send_stream(lab, *reversed(tunnel.h), 4_000_000, to="10.0.0.1")
    capture.end()
    assert len(capture.fields("frame.number")) > 20, "no long packet"


def test_a_bridge_passes_on_super_segments_in_tunnels(lab):
    tunnel = Tunnel(lab, inner_mtu=1458, options=WHOLE, between=True)
    capture = lab.capture(tunnel.s[1], "eth0", "proto 47 and ip[2:2] > 10000")
    send_stream(lab, *tunnel.h, 4_000_000)
    assert_tcp_works(lab, *tunnel.h)
    capture.end()
    assert len(capture.fields("frame.number")) > 20, "no long packet"


# ethtool -K DEVICE tx off tso off
NO_OFFLOADS = """
import ctypes, fcntl, socket, struct, sys
for command in 0x17, 0x1f:  # ETHTOOL_STXCSUM, ETHTOOL_STSO
    value = ctypes.create_string_buffer(struct.pack("II", command, 0))
    request = struct.pack("16sP", sys.argv[1].encode(), ctypes.addressof(value)) + bytes(16)
    fcntl.ioctl(socket.socket(), 0x8946, request)
"""


def test_the_kernel_cuts_in_a_tunnel(lab):
    """gso=true on a device that takes single packets only: as if the tunnel had cut them."""
    tunnel = Tunnel(lab, inner_mtu=1458, options=WHOLE)
    tunnel.s[0].run("/usr/bin/python3", "-c", NO_OFFLOADS, "eth0")
    capture = lab.capture(tunnel.s[1], "eth0", "proto 47 and src 192.168.5.1 and ip[2:2] > 1400")
    send_stream(lab, *tunnel.h, 400_000)
    capture.end()
    packets = capture.fields("ip.len", "ip.checksum.status", "tcp.checksum.status")
    assert len(packets) > 200
    for p in packets:
        assert int(p["ip.len"][0]) <= 1500 and p["ip.checksum.status"] == ["1", "1"] and p["tcp.checksum.status"] == ["1"], p


def test_little_is_sent_again_through_a_tunnel(lab):
    tunnel = Tunnel(lab, inner_mtu=1458)
    a, b = tunnel.h
    serve(lab, b)
    for direction in [], ["-R"]:
        end = iperf(a, "10.0.0.2", *direction)
        segments = end["sum_sent"]["bytes"] / 1406
        assert end["sum_sent"]["retransmits"] < 100 + segments / 50, end["sum_sent"]


def test_datagrams_stay_apart_behind_a_tunnel(lab):
    """UDP has no stream: each datagram arrives as it was sent, also in a burst."""
    tunnel = Tunnel(lab, inner_mtu=1458)
    a, b = tunnel.h
    a.ping("10.0.0.2", count=1)
    capture = lab.capture(b, "eth0", "udp and dst port 9000")
    lab.popen(b, "nc", "-u", "-l", "9000", stdout=-3)
    xvs.wait_until(lambda: b.run("ss", "-Hlun", "sport = :9000").stdout.strip(), 5, "nc")
    code = ("import socket\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\ns.connect(('10.0.0.2',9000))\n"
            "for i in range(100):\n s.send(i.to_bytes(2,'big')*300)\n")
    a.run("/usr/bin/python3", "-c", code)
    capture.wait(100)
    capture.end()
    rows = capture.fields("udp.length", "udp.payload", "udp.checksum.status")
    assert [row["udp.length"] for row in rows] == [["608"]] * 100
    assert [row["udp.payload"][0][:4] for row in rows] == [f"{i:04x}" for i in range(100)]


def test_what_does_not_fit_is_a_named_drop(lab):
    tunnel = Tunnel(lab)
    a = tunnel.h[0]
    a.ping("10.0.0.2", count=1)
    assert a.ping("10.0.0.2", count=2, wait=1, check=False, options=("-s", 1472 - 13, "-M", "do")) == []
    drops = tunnel.sw[0].ctl("drops").stdout
    assert "tunnel-mtu" in drops, drops
    a.ping("10.0.0.2", count=1)


def test_checksums_are_whole_at_the_far_side(lab):
    """What a host with offloads sends leaves the tunnel with right checksums, also on the underlay."""
    tunnel = Tunnel(lab, inner_mtu=1458)
    a, b = tunnel.h
    on_underlay = lab.capture(tunnel.s[1], "eth0", "proto 47")
    lab.popen(b, "nc", "-u", "-l", "9000", stdout=-3)
    xvs.wait_until(lambda: b.run("ss", "-Hlun", "sport = :9000").stdout.strip(), 5, "nc")
    a.run("nc", "-u", "-w", "1", "-q", "0", "10.0.0.2", "9000", input="hello\n")
    on_underlay.end()
    sums = on_underlay.fields("udp.checksum.status", "ip.checksum.status", display_filter="udp.dstport == 9000")
    assert sums, "no UDP packet on the underlay"
    assert all(s["udp.checksum.status"] == ["1"] and s["ip.checksum.status"] == ["1", "1"] for s in sums), sums


def test_checksums_of_set_fields(lab):
    """A flow that rewrites addresses and ports leaves checksums right, for packets whose checksum was still to be made."""
    star = Star(lab, flows=["in_port=1,udp,actions=set_field:10.0.0.9->nw_src,set_field:1234->udp_src,output:2",
                            "priority=1,actions=NORMAL"])
    a, b = star.h
    capture = lab.capture(b, "eth0", "udp")
    a.run("nc", "-u", "-w", "1", "-q", "0", "10.0.0.2", "9000", input="hello\n")
    packets = capture.wait(1)
    capture.end()
    # The far host completes nothing; in a capture the kernel's own unfinished sums would be wrong.
    row = capture.fields("ip.src", "udp.srcport", "ip.checksum.status", "udp.checksum.status")[0]
    assert row["ip.src"] == ["10.0.0.9"] and row["udp.srcport"] == ["1234"] and row["ip.checksum.status"] == ["1"], row
    assert len(packets) == 1


def raw_send(ns, interface, frame, count=1):
    """A frame as it is, by a raw socket: no offloads."""
    code = ("import socket,sys\ns=socket.socket(socket.AF_PACKET,socket.SOCK_RAW)\ns.bind((sys.argv[1],0))\n"
            "for _ in range(int(sys.argv[3])):\n s.send(bytes.fromhex(sys.argv[2]))\n")
    ns.run("/usr/bin/python3", "-c", code, interface, bytes(frame).hex(), count)


def test_a_raw_frame_arrives_once_and_unchanged(lab):
    from scapy.layers.inet import IP, UDP
    from scapy.layers.l2 import Ether
    tunnel = Tunnel(lab)
    a, b = tunnel.h
    a.ping("10.0.0.2", count=1)
    frame = Ether(src=a.mac("eth0"), dst=b.mac("eth0")) / IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=1, dport=2) / b"x"
    frame = Ether(bytes(frame))  # with lengths and checksums filled in
    capture = lab.capture(b, "eth0", "udp")
    raw_send(a, "eth0", frame)
    capture.wait(1)
    packets = capture.stop()
    assert [bytes(p) for p in packets] == [bytes(frame)]


# The hosts' tags are made by hand here and by other bridges: not every kernel has VLAN devices.

def test_a_tag_survives(lab):
    """The kernel strips the outermost tag on receive; the switch puts it back. Also one in another, and a priority tag."""
    from scapy.layers.l2 import Dot1AD, Dot1Q, Ether
    star = Star(lab, flows=["in_port=1,dl_vlan=100,actions=2", "in_port=1,vlan_tci=0xb000/0xffff,actions=2", "in_port=2,actions=1"])
    a, b = star.h
    frames = [Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / tags / bytes(50)
              for tags in (Dot1Q(vlan=100, type=0x88b5), Dot1Q(vlan=100, prio=7, id=1, type=0x88b5),
                           Dot1AD(vlan=100, type=0x8100) / Dot1Q(vlan=5, type=0x88b5), Dot1Q(vlan=0, prio=5, type=0x88b5))]
    frames = [bytes(f) for f in frames]
    capture = lab.capture(b, "eth0", "ether src 02:00:00:00:00:01")
    for frame in [*frames, frames[0].replace(b"\x00\x64", b"\x00\x65"), frames[0][:12] + frames[0][16:]]:
        raw_send(a, "eth0", frame)
    got = [bytes(p) for p in capture.wait(4)]
    xvs.wait_until(lambda: "no-rule" in star.sw.ctl("drops").stdout, 5, "the drop of VLAN 101 and of the untagged frame")
    assert got == frames
    assert len(capture.stop()) == 4
    assert star.n_packets("dl_vlan=100") == 3


def two_bridges(lab, to_trunk, from_trunk):
    """a - br0 ==cable== br1 - b, one daemon; flows of both bridges: to_trunk for port 1, from_trunk for the cable, port 2."""
    s, a, b = lab.ns("s"), lab.ns("a"), lab.ns("b")
    sw = lab.switch(s)
    lab.veth(s, "t0", s, "t1", mtu=1508)  # two tags more than the hosts' 1500
    for n, host in enumerate((a, b)):
        lab.veth(host, "eth0", s, f"p{n}")
        host.addr("eth0", f"10.0.0.{n + 1}/24")
        sw.ctl("add-br", f"br{n}", "--", "set-fail-mode", f"br{n}", "secure", "--", "add-port", f"br{n}", f"p{n}", "ofport=1",
               "--", "add-port", f"br{n}", f"t{n}", "ofport=2")
        sw.ofctl("add-flows", f"br{n}", "-", input=f"in_port=1,actions={to_trunk}\nin_port=2,{from_trunk}\n")
    return s, a, b


PUSH, POP = "push_vlan:0x8100,set_field:4196->vlan_vid,output:{}", "dl_vlan=100,actions=pop_vlan,output:1"


def test_tcp_with_tags_between_two_bridges(lab):
    """Super-segments with a tag, of which the kernel at the other end of the cable strips the tag."""
    s, a, b = two_bridges(lab, PUSH.format(2), POP)
    capture = lab.capture(s, "t1", "vlan 100 and icmp")
    a.ping("10.0.0.2", count=2)
    assert len(capture.stop()) == 4
    assert_tcp_works(lab, a, b)


def test_tcp_with_two_tags_between_two_bridges(lab):
    _, a, b = two_bridges(lab, "push_vlan:0x8100,set_field:4101->vlan_vid,push_vlan:0x88a8,set_field:4102->vlan_vid,output:2",
                          "dl_vlan=6,actions=pop_vlan,resubmit(,1)\ntable=1,dl_vlan=5,actions=pop_vlan,output:1")
    a.ping("10.0.0.2", count=2)
    assert_tcp_works(lab, a, b)


def test_tcp_with_tags_through_a_tunnel(lab):
    tunnel = Tunnel(lab, inner_mtu=1454)
    for sw in tunnel.sw:
        sw.ofctl("del-flows", "br0")
        sw.ofctl("add-flows", "br0", "-", input=f"in_port=1,actions={PUSH.format(10)}\nin_port=10,{POP}\n")
    faults = watch_for_faults(lab, tunnel, 1500)
    a, b = tunnel.h
    a.ping("10.0.0.2", count=2)
    assert_tcp_works(lab, a, b)
    assert_no_faults(faults, tunnel)


def test_nothing_is_delivered_twice(lab):
    star = Star(lab)
    a, b = star.h
    a.ping("10.0.0.2", count=1)
    capture = lab.capture(b, "eth0", "icmp")
    a.ping("10.0.0.2", count=20, interval=0.01)
    assert len(capture.stop()) == 40


def test_the_hosts_stack_does_not_act_on_switch_ports(lab):
    """The switch's namespace forwards IP and knows the hosts' net; still only the switch handles what comes to its ports."""
    from scapy.layers.inet import ICMP, IP
    from scapy.layers.l2 import Ether
    star = Star(lab, flows=["arp,actions=NORMAL"])  # IP goes nowhere
    a, b = star.h
    star.ns.sysctl("net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0")
    star.ns.addr("br0", "10.0.0.254/24")
    a.ip("route", "add", "10.9.0.0/24", "via", "10.0.0.2")
    at_a, at_b = lab.capture(a, "eth0", "ip"), lab.capture(b, "eth0", "ip")
    mac = star.ns.mac("p1")
    # To the MAC of the port's own device, so that a stack that sees it would take it: to an address of the host, to one
    # behind it, and an unknown protocol (the stack would answer "protocol unreachable").
    for packet in (IP(src="10.0.0.1", dst="10.0.0.254") / ICMP(), IP(src="10.0.0.1", dst="10.0.0.2", ttl=64) / ICMP(),
                   IP(src="10.0.0.1", dst="10.0.0.254", proto=47) / (b"\x20\x00\x65\x58" + bytes(40))):
        raw_send(a, "eth0", Ether(src=a.mac("eth0"), dst=mac) / packet)
    xvs.wait_until(lambda: "no-rule" in star.sw.ctl("drops").stdout, 5, "the drops")
    assert [p[IP].src for p in at_a.stop()] == ["10.0.0.1"] * 3
    assert at_b.stop() == []


def test_hosts_reach_the_switchs_own_address(lab):
    """An address on the LOCAL device is a host on the bridge like any other, TCP included."""
    star = Star(lab)
    star.ns.addr("br0", "10.0.0.254/24")
    a = star.h[0]
    a.ping("10.0.0.254", count=2)
    serve(lab, star.ns)
    for direction in [], ["-R"]:
        assert iperf(a, "10.0.0.254", *direction)["sum_received"]["bits_per_second"] > 20e6 / xvs.slowness()
