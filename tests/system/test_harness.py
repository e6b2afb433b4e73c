"""The harness itself: if these fail, look here before looking at xvs."""
import os
import subprocess
import time

import pytest

import xvs


def two_hosts(lab, **options):
    a, b = lab.ns("a"), lab.ns("b")
    lab.veth(a, "eth0", b, "eth0", **options)
    a.addr("eth0", "10.0.0.1/24")
    b.addr("eth0", "10.0.0.2/24")
    return a, b


def namespaces():
    return xvs.run("ip", "netns", "list").stdout


def test_capture_sees_every_packet_of_a_ping(lab):
    from scapy.layers.inet import ICMP, IP
    a, b = two_hosts(lab, mac_a="02:00:00:00:00:01")
    assert a.mac("eth0") == "02:00:00:00:00:01"
    capture = lab.capture(b, "eth0", "icmp")
    assert len(a.ping("10.0.0.2", count=2)) == 2
    packets = capture.stop()
    assert [p[ICMP].type for p in packets] == [8, 0, 8, 0]
    assert packets[0][IP].src == "10.0.0.1"


def test_ping_without_an_answer_fails(lab):
    a, _ = two_hosts(lab)
    with pytest.raises(AssertionError, match="0 of 1 pings came back"):
        a.ping("10.0.0.3", count=1, wait=1)
    assert a.ping("10.0.0.3", count=1, wait=1, check=False) == []


def test_ipv6_is_off_unless_asked_for(lab):
    assert "inet6" not in lab.ns("four").ip("addr").stdout
    assert "inet6" in lab.ns("six", ipv6=True).ip("addr").stdout


def test_everything_ends_with_the_lab():
    with pytest.raises(ZeroDivisionError), xvs.Lab() as lab:
        a = lab.ns("a")
        left_over = a.popen("sleep", "100")
        owned = lab.popen(a, "sleep", "100")
        assert a.name in namespaces()
        1 / 0
    assert a.name not in namespaces()
    assert owned.poll() is not None
    assert left_over.wait(5) == -9
    assert not os.path.exists(lab.dir)


def test_namespaces_of_killed_runs_are_swept(lab):
    alive = lab.ns("alive")
    dead = subprocess.Popen(["true"])
    dead.wait()
    name = f"{xvs.PREFIX}{dead.pid}-0-dead"
    xvs.run("ip", "netns", "add", name)
    xvs.sweep()
    assert name not in namespaces()
    assert alive.name in namespaces()


def test_wait_until_says_what_it_waited_for():
    with pytest.raises(AssertionError, match="for the moon"):
        xvs.wait_until(lambda: False, 0.1, "the moon")


def test_open_vswitch_as_a_peer(lab):
    s, a, b = lab.ns("s"), lab.ns("a"), lab.ns("b")
    for host, port, address in (a, "p1", "10.0.0.1/24"), (b, "p2", "10.0.0.2/24"):
        lab.veth(host, "eth0", s, port)
        host.addr("eth0", address)
    ovs = lab.ovs(s)
    ovs.add_br("br0")
    ovs.vsctl("add-port", "br0", "p1", "--", "add-port", "br0", "p2")
    ovs.ofctl("add-flow", "br0", "actions=NORMAL")
    a.ping("10.0.0.2", count=2)
    assert "n_packets=" in ovs.ofctl("dump-flows", "br0").stdout
    assert "netdev@" in ovs.appctl("dpif/show").stdout


def test_a_capture_misses_nothing_at_its_end(lab):
    a, b = two_hosts(lab)
    a.ping("10.0.0.2", count=1)
    capture = lab.capture(b, "eth0", "icmp")
    a.ping("10.0.0.2", count=50, interval=0.002)
    began = time.monotonic()
    assert len(capture.stop()) == 100
    assert time.monotonic() - began < 5 * xvs.slowness()
