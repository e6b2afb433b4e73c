"""The network below the tunnels: routes, neighbours and MTU are the kernel's, and xvs follows them while it runs."""
import json
import time

import pytest

import xvs
from test_tcp import raw_send
from topo import Tunnel

BOTH_WAYS = pytest.mark.parametrize("via", ["local", "interface"])


@BOTH_WAYS
def test_nothing_is_lost_while_arp_is_resolved(lab, via):
    """Ten packets at once wait for the next hop: all arrive, in order, once."""
    tunnel = Tunnel(lab, via=via)
    a, b = tunnel.h
    # The hosts know each other already, so the only ARP is the underlay's.
    a.ip("neigh", "add", "10.0.0.2", "lladdr", b.mac("eth0"), "dev", "eth0")
    b.ip("neigh", "add", "10.0.0.1", "lladdr", a.mac("eth0"), "dev", "eth0")
    capture = lab.capture(b, "eth0", "icmp and dst host 10.0.0.2")
    done = a.run("ping", "-n", "-c", "10", "-l", "10", "-i", "0.01", "-W", "2", "10.0.0.2", check=False)
    assert " 0% packet loss" in done.stdout and "DUP" not in done.stdout, done.stdout
    capture.end()
    assert [p["icmp.seq"][0] for p in capture.fields("icmp.seq")] == [str(n) for n in range(1, 11)]
    assert "neighbour" not in tunnel.sw[0].ctl("drops").stdout


def test_a_next_hop_that_does_not_answer_is_a_named_drop(lab):
    tunnel = Tunnel(lab)
    a, b = tunnel.h
    a.ip("neigh", "add", "10.0.0.2", "lladdr", b.mac("eth0"), "dev", "eth0")
    tunnel.s[1].ip("link", "set", "br1", "down")  # nobody answers ARP there
    a.ping("10.0.0.2", count=2, check=False, wait=0.2)
    xvs.wait_until(lambda: "neighbour-unreachable" in tunnel.sw[0].ctl("drops").stdout, 8, "the named drop")
    # And when it is back, it works without further help.
    tunnel.s[1].ip("link", "set", "br1", "up")
    xvs.wait_until(lambda: a.ping("10.0.0.2", count=1, check=False, wait=1), 10, "the tunnel to work again")
    a.ping("10.0.0.2", count=3)


def test_a_flood_that_waits_is_bounded(lab):
    """What waits is limited; what is beyond is a named drop, and memory is not the sender's to fill."""
    tunnel = Tunnel(lab)
    a, b = tunnel.h
    a.ip("neigh", "add", "10.0.0.2", "lladdr", b.mac("eth0"), "dev", "eth0")
    tunnel.s[1].ip("link", "set", "br1", "down")
    raw_send(a, "eth0", bytes.fromhex("020000000002" + "020000000001" + "88b5" + "00" * 100), 5000)
    drops = {d["reason"]: d["packets"] for d in json.loads(tunnel.sw[0].ctl("-f", "json", "drops").stdout)}
    assert drops.get("neighbour-queue-full", 0) > 1000 or drops.get("neighbour-unreachable", 0) > 1000, drops


@BOTH_WAYS
def test_the_address_stays_where_the_user_put_it(lab, via):
    tunnel = Tunnel(lab, via=via)
    before = tunnel.s[0].ip("-o", "address", "show", "dev", tunnel.underlay).stdout
    tunnel.h[0].ping("10.0.0.2", count=1)
    assert tunnel.s[0].ip("-o", "address", "show", "dev", tunnel.underlay).stdout == before
    # The host's own traffic goes on there.
    assert len(tunnel.s[0].ping("192.168.5.2", count=2)) == 2


def test_the_hosts_stack_on_an_ordinary_interface_does_not_answer_gre(lab):
    tunnel = Tunnel(lab, via="interface")
    capture = lab.capture(tunnel.s[0], "eth0", "icmp[icmptype] == icmp-unreach")
    tunnel.h[0].ping("10.0.0.2", count=5, interval=0.05)
    assert capture.stop() == []
    # GRE that is for none of the tunnels is not answered either, and it is named.
    tunnel.sw[1].ctl("set", "interface", "gre1", "options:out_key=77")
    tunnel.sw[0].ctl("set", "interface", "gre1", "options:in_key=10")
    capture = lab.capture(tunnel.s[0], "eth0", "icmp[icmptype] == icmp-unreach")
    tunnel.h[0].ping("10.0.0.2", count=2, wait=0.3, check=False)
    assert capture.stop() == []
    assert "tunnel-no-port" in tunnel.sw[0].ctl("drops").stdout


def test_through_a_gateway(lab):
    """The tunnel's ends are on two networks with a router between them."""
    tunnel = Tunnel(lab)
    router = lab.ns("r")
    router.sysctl("net.ipv4.ip_forward=1")
    for n, ns in enumerate(tunnel.s, 1):
        ns.ip("link", "del", "eth0", check=False)
    for n, ns in enumerate(tunnel.s, 1):
        lab.veth(ns, "eth0", router, f"r{n}")
        router.addr(f"r{n}", f"172.16.{n}.254/24")
        ns.ip("address", "flush", "dev", "br1")
        ns.addr("br1", f"172.16.{n}.1/24")
        ns.ip("route", "add", "default", "via", f"172.16.{n}.254")
        tunnel.sw[n - 1].ctl("set", "interface", "gre1", f"options:remote_ip=172.16.{3 - n}.1")
    xvs.wait_until(lambda: tunnel.s[0].ping("172.16.2.1", count=1, check=False, wait=0.5), 10, "the underlay")
    capture = lab.capture(tunnel.s[0], "eth0", "proto 47")
    tunnel.h[0].ping("10.0.0.2", count=3)
    capture.end()
    rows = capture.fields("eth.dst", "ip.ttl", display_filter="ip.src == 172.16.1.1")
    assert rows and all(r["eth.dst"][0] == router.mac("r1") for r in rows)
    assert "172.16.1.254" in tunnel.sw[0].ctl("show-tunnels").stdout


def test_the_next_hop_changes_its_address(lab):
    tunnel = Tunnel(lab, via="interface")
    a = tunnel.h[0]
    a.ping("10.0.0.2", count=2)
    tunnel.s[1].ip("link", "set", "eth0", "address", "02:00:00:00:99:02")
    # As the kernel does it for its own traffic: a gratuitous ARP, or the entry is found wrong and asked anew.
    tunnel.s[0].ip("neigh", "replace", "192.168.5.2", "lladdr", "02:00:00:00:99:02", "dev", "eth0", "nud", "reachable")
    capture = lab.capture(tunnel.s[0], "eth0", "proto 47 and src host 192.168.5.1")
    a.ping("10.0.0.2", count=3)
    capture.end()
    assert {r["eth.dst"][0] for r in capture.fields("eth.dst")} == {"02:00:00:00:99:02"}


def test_the_route_changes_while_traffic_flows(lab):
    """From one cable to another and back, by the kernel's routing table alone."""
    tunnel = Tunnel(lab, via="interface")
    lab.veth(tunnel.s[0], "eth1", tunnel.s[1], "eth1")
    tunnel.s[0].addr("eth1", "192.168.6.1/24")
    tunnel.s[1].addr("eth1", "192.168.6.2/24")
    for ns in tunnel.s:
        ns.sysctl("net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.eth1.rp_filter=0", "net.ipv4.conf.eth0.rp_filter=0")
    a = tunnel.h[0]
    a.ping("10.0.0.2", count=1)
    for n in 1, 2:
        tunnel.s[n - 1].ip("route", "add", f"192.168.5.{3 - n}/32", "via", f"192.168.6.{3 - n}", "src", f"192.168.5.{n}")
    time.sleep(0.2)
    for device in "eth1", "eth0":
        capture = lab.capture(tunnel.s[0], device, "proto 47")
        a.ping("10.0.0.2", count=3)
        assert len(capture.stop()) == 6
        for n in 1, 2:
            tunnel.s[n - 1].ip("route", "del", f"192.168.5.{3 - n}/32", check=False)
        time.sleep(0.2)


def test_no_route_is_a_named_drop(lab):
    tunnel = Tunnel(lab)
    a = tunnel.h[0]
    a.ping("10.0.0.2", count=1)
    tunnel.sw[0].ctl("set", "interface", "gre1", "options:remote_ip=172.31.0.1")
    a.ping("10.0.0.2", count=2, wait=0.2, check=False)
    assert "tunnel-no-route" in tunnel.sw[0].ctl("drops").stdout
    tunnel.sw[0].ctl("set", "interface", "gre1", "options:remote_ip=192.168.5.2")
    a.ping("10.0.0.2", count=2)


def test_an_address_that_is_not_ours_is_a_named_drop(lab):
    tunnel = Tunnel(lab)
    tunnel.sw[0].ctl("set", "interface", "gre1", "options:local_ip=192.168.77.1")
    tunnel.h[0].ping("10.0.0.2", count=2, wait=0.2, check=False)
    assert "tunnel-no-source" in tunnel.sw[0].ctl("drops").stdout
    tunnel.s[0].ip("address", "add", "192.168.77.1/24", "dev", "br1")
    tunnel.s[1].ip("route", "add", "192.168.77.0/24", "dev", "br1")
    tunnel.sw[1].ctl("set", "interface", "gre1", "options:remote_ip=192.168.77.1")
    xvs.wait_until(lambda: tunnel.h[0].ping("10.0.0.2", count=1, wait=0.5, check=False), 5, "the tunnel")
    tunnel.h[0].ping("10.0.0.2", count=2)


def test_the_underlay_may_come_after_the_tunnel(lab):
    """Ports, addresses and routes in any order; packets flow once the last piece is there."""
    s, t = lab.ns("s1"), lab.ns("s2")
    a, b = lab.ns("a"), lab.ns("b")
    switches = []
    for n, (ns, host) in enumerate(((s, a), (t, b)), 1):
        lab.veth(host, "eth0", ns, "p1")
        host.addr("eth0", f"10.0.0.{n}/24")
        sw = lab.switch(ns)
        sw.ctl("add-br", "br0", "--", "add-port", "br0", "gre1", "type=gre", f"remote_ip=192.168.5.{3 - n}", "key=3",
               "--", "add-port", "br0", "p1")
        switches.append(sw)
    a.ping("10.0.0.2", count=1, wait=0.3, check=False)
    lab.veth(s, "eth0", t, "eth0")
    for n, ns in enumerate((s, t), 1):
        ns.addr("eth0", f"192.168.5.{n}/24")
    xvs.wait_until(lambda: a.ping("10.0.0.2", count=1, wait=1, check=False), 5, "the tunnel")
    a.ping("10.0.0.2", count=3)


def test_header_options_on_the_wire(lab):
    tunnel = Tunnel(lab, options=("key=flow", "ttl=7", "tos=32", "df_default=false", "csum=true"))
    capture = lab.capture(tunnel.s[0], "eth0", "proto 47")
    tunnel.h[0].ping("10.0.0.2", count=2)
    capture.end()
    for row in capture.fields("ip.ttl", "ip.dsfield", "ip.flags", "gre.flags_and_version", "gre.checksum.status"):
        assert row["ip.ttl"][0] == "7" and int(row["ip.dsfield"][0], 0) == 32 and int(row["ip.flags"][0], 0) == 0
        assert int(row["gre.flags_and_version"][0], 0) == 0xa000 and row["gre.checksum.status"][0] == "1", row


def test_inherited_options(lab):
    tunnel = Tunnel(lab, options=("key=flow", "ttl=inherit", "tos=inherit"))
    capture = lab.capture(tunnel.s[0], "eth0", "proto 47 and src host 192.168.5.1")
    tunnel.h[0].ping("10.0.0.2", count=2, options=("-t", "33", "-Q", "0x48"))
    capture.end()
    rows = [r for r in capture.fields("ip.ttl", "ip.dsfield", "icmp.type") if r["icmp.type"]]
    assert rows
    for row in rows:
        assert row["ip.ttl"] == ["33", "33"] and [int(t, 0) for t in row["ip.dsfield"]] == [0x48, 0x48]


def test_several_tunnels_to_one_peer_are_told_apart_by_key(lab):
    tunnel = Tunnel(lab, options=("key=1",))
    for sw in tunnel.sw:
        peer = sw.ctl("get", "interface", "gre1", "options:remote_ip").stdout.strip().strip('"')
        sw.ctl("add-port", "br0", "gre2", "type=gre", f"remote_ip={peer}", "key=2", "ofport=11")
        sw.ctl("add-port", "br0", "gre3", "type=gre", f"remote_ip={peer}", "key=flow", "ofport=12")
        sw.ofctl("del-flows", "br0")
    # Out by gre1, gre2 and gre3 (with key 9) in turn, and each must come in by the port of its name.
    for port, key in (10, 1), (11, 2), (12, 9):
        for sw in tunnel.sw:
            sw.ofctl("del-flows", "br0")
            sw.ofctl("add-flows", "br0", "-", input=f"in_port=1,actions=set_tunnel:9,output:{port}\nin_port={port},actions=output:1\n")
        capture = lab.capture(tunnel.s[0], "eth0", "proto 47")
        tunnel.h[0].ping("10.0.0.2", count=2)
        capture.end()
        assert {int(r["gre.key"][0], 0) for r in capture.fields("gre.key")} == {key}


def test_malformed_tunnel_packets_are_named_drops(lab):
    """What anyone can send to the underlay address is dropped by name, and the tunnel goes on."""
    from scapy.layers.inet import IP
    from scapy.layers.l2 import Ether
    s, peer, host = lab.ns("s"), lab.ns("peer"), lab.ns("host")
    lab.veth(s, "eth0", peer, "eth0")
    lab.veth(host, "eth0", s, "p1")
    s.addr("eth0", "192.168.5.1/24")
    peer.addr("eth0", "192.168.5.2/24")
    sw = lab.switch(s)
    sw.ctl("add-br", "br0", "--", "add-port", "br0", "p1", "--", "add-port", "br0", "gre1", "type=gre",
           "remote_ip=192.168.5.2", "key=5")
    inner = bytes(Ether(src="02:00:00:00:00:05", dst="ff:ff:ff:ff:ff:ff", type=0x88b5)) + bytes(46)

    def send(gre, **ip):
        raw_send(peer, "eth0", Ether(src=peer.mac("eth0"), dst=s.mac("eth0")) /
                 IP(src="192.168.5.2", dst="192.168.5.1", proto=47, **ip) / gre)

    def drops():
        return {d["reason"] for d in json.loads(sw.ctl("-f", "json", "drops").stdout)}

    good = bytes.fromhex("2000655800000005") + inner
    for gre, reason in (
            (bytes.fromhex("2000"), "tunnel-malformed"), (bytes.fromhex("20006558"), "tunnel-malformed"),
            (bytes.fromhex("2000655800000005") + inner[:10], "tunnel-malformed"),
            (bytes.fromhex("b0006558000000000000000500000001") + inner, "tunnel-bad-checksum"),
            (bytes.fromhex("60006558" "00000000" "00000005") + inner, "tunnel-unsupported"),  # routing
            (bytes.fromhex("2001655800000005") + inner, "tunnel-unsupported"),  # version 1
            (bytes.fromhex("2000080000000005") + inner, "tunnel-unsupported"),  # IPv4 inside
            (bytes.fromhex("2000655800000006") + inner, "tunnel-no-port"), (bytes.fromhex("00006558") + inner, "tunnel-no-port")):
        sw.ctl("drops", "reset")
        send(gre)
        xvs.wait_until(lambda: reason in drops(), 3, f"{reason} after {gre[:12].hex()}, but there is {drops()}")
    sw.ctl("drops", "reset")
    send(good, flags="MF")
    xvs.wait_until(lambda: "tunnel-fragment" in drops(), 3, "tunnel-fragment")
    capture = lab.capture(host, "eth0", "ether proto 0x88b5")
    send(good)
    assert bytes(capture.wait(1)[0]) == inner
    # With a sequence number (RFC 2890), which is taken and not looked at.
    send(bytes.fromhex("30006558" "00000005" "00000001") + inner)
    capture.wait(2)


def test_congestion_marks_cross_the_tunnel(lab):
    """RFC 6040: ECN goes out with the packet, and congestion experienced outside is shown inside."""
    tunnel = Tunnel(lab, options=("key=flow", "tos=32"))
    capture = lab.capture(tunnel.s[0], "eth0", "proto 47 and src host 192.168.5.1")
    tunnel.h[0].ping("10.0.0.2", count=1, options=("-Q", "0x02"))
    capture.end()
    row = [r for r in capture.fields("ip.dsfield", "icmp.type") if r["icmp.type"]][0]
    assert [int(t, 0) for t in row["ip.dsfield"]] == [0x22, 0x02]


def test_status_of_a_tunnel_is_shown(lab):
    tunnel = Tunnel(lab)
    tunnel.h[0].ping("10.0.0.2", count=1)
    text = tunnel.sw[0].ctl("show").stdout + tunnel.sw[0].ctl("show-tunnels").stdout
    for word in "gre1", "192.168.5.2", "192.168.5.1", "br1":
        assert word in text, text
