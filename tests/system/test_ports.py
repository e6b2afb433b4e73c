"""Ports and their devices: they vanish and come back, change their MTU, are made and removed."""
import json

import xvs
from topo import Star


def devices(ns):
    return [link["ifname"] for link in json.loads(ns.ip("-j", "link", "show").stdout)]


def link(ns, device):
    return json.loads(ns.ip("-j", "link", "show", "dev", device).stdout)[0]


def port(sw, name, bridge="br0"):
    """What `xvs-ctl -f json show` says of a port."""
    for b in json.loads(sw.ctl("-f", "json", "show", bridge).stdout)["bridges"]:
        for p in b["ports"]:
            if p["name"] == name:
                return p
    raise AssertionError(f"no port {name}")


def test_a_device_that_vanishes_comes_back(lab):
    star = Star(lab)
    a, b = star.h
    a.ping("10.0.0.2", count=1)
    star.ns.ip("link", "del", "p2")
    xvs.wait_until(lambda: port(star.sw, "p2")["state"] == "no such device", 5, "the port to notice")
    assert a.ping("10.0.0.2", count=1, wait=1, check=False) == []
    assert "p2" in star.sw.ctl("list-ports", "br0").stdout.split()
    lab.veth(b, "eth0", star.ns, "p2", mac_a="02:00:00:00:00:02")
    b.addr("eth0", "10.0.0.2/24")
    xvs.wait_until(lambda: port(star.sw, "p2")["state"] == "up", 5, "the port to come back")
    a.ping("10.0.0.2", count=3)
    assert port(star.sw, "p2")["ofport"] == "2"


def test_a_device_may_come_later_than_its_port(lab):
    star = Star(lab)
    done = star.sw.ctl("add-port", "br0", "p9", "ofport=9")
    assert "p9" in done.stderr and "no device" in done.stderr
    c = lab.ns("c")
    lab.veth(c, "eth0", star.ns, "p9")
    c.addr("eth0", "10.0.0.9/24")
    xvs.wait_until(lambda: port(star.sw, "p9")["state"] == "up", 5, "the port")
    c.ping("10.0.0.1", count=2)


def test_openflow_hears_of_vanished_devices(lab):
    star = Star(lab)
    star.ns.ip("link", "set", "p2", "down")
    xvs.wait_until(lambda: "PORT_DOWN" in port_of_ofctl(star.sw, "p2") or "LINK_DOWN" in port_of_ofctl(star.sw, "p2"), 5,
                   "xvs-ofctl to show it")
    star.ns.ip("link", "set", "p2", "up")
    xvs.wait_until(lambda: "DOWN" not in port_of_ofctl(star.sw, "p2"), 5, "xvs-ofctl to show it")
    star.h[0].ping("10.0.0.2", count=2)


def port_of_ofctl(sw, name):
    """The lines of `xvs-ofctl show` about one port."""
    text = sw.ofctl("show", "br0").stdout
    start = text.index(f"({name})")
    end = text.find("addr:", text.index("addr:", start) + 5)
    return text[start:end if end > 0 else len(text)]


def test_carrier_is_seen(lab):
    star = Star(lab)
    star.h[1].ip("link", "set", "eth0", "down")
    xvs.wait_until(lambda: "LINK_DOWN" in port_of_ofctl(star.sw, "p2"), 5, "the lost carrier")
    star.h[1].ip("link", "set", "eth0", "up")
    xvs.wait_until(lambda: "LINK_DOWN" not in port_of_ofctl(star.sw, "p2"), 5, "the carrier")


def test_mtu_changes_while_running(lab):
    star = Star(lab, mtu=3000)
    a, b = star.h
    a.ping("10.0.0.2", count=1, options=("-s", "2900", "-M", "do"))
    for ns, device in (star.ns, "p1"), (star.ns, "p2"), (a, "eth0"), (b, "eth0"):
        ns.ip("link", "set", device, "mtu", "6000")
    xvs.wait_until(lambda: port(star.sw, "p2")["mtu"] == 6000, 5, "the new MTU")
    a.ping("10.0.0.2", count=2, options=("-s", "5900", "-M", "do"))


def test_a_packet_longer_than_the_output_device_is_a_named_drop(lab):
    star = Star(lab, mtu=3000)
    star.ns.ip("link", "set", "p2", "mtu", "1500")
    xvs.wait_until(lambda: port(star.sw, "p2")["mtu"] == 1500, 5, "the new MTU")
    a = star.h[0]
    a.ping("10.0.0.2", count=1)
    assert a.ping("10.0.0.2", count=2, wait=1, check=False, options=("-s", "2000", "-M", "do")) == []
    assert "tx-mtu" in star.sw.ctl("drops").stdout
    a.ping("10.0.0.2", count=1)


def test_internal_ports_are_devices(lab):
    star = Star(lab, hosts=1)
    star.sw.ctl("add-port", "br0", "tap1", "type=internal", "mac=02:00:00:00:01:01")
    assert "tap1" in devices(star.ns)
    assert star.ns.mac("tap1") == "02:00:00:00:01:01"
    star.ns.addr("tap1", "10.0.0.101/24")
    star.h[0].ping("10.0.0.101", count=3)
    star.sw.ctl("del-port", "tap1")
    assert "tap1" not in devices(star.ns)


def test_an_internal_port_may_move_to_another_namespace(lab):
    """Neutron, Docker and many scripts give internal ports to containers that way."""
    star = Star(lab, hosts=1)
    star.sw.ctl("add-port", "br0", "tap1", "type=internal")
    inside = lab.ns("inside")
    star.ns.ip("link", "set", "tap1", "netns", inside.name)
    inside.addr("tap1", "10.0.0.101/24")
    inside.ping("10.0.0.1", count=3)


def test_two_internal_ports_of_one_bridge(lab):
    s, x, y = lab.ns("s"), lab.ns("x"), lab.ns("y")
    sw = lab.switch(s)
    sw.ctl("add-br", "br0")
    for ns, name, address in (x, "t1", "10.0.0.1/24"), (y, "t2", "10.0.0.2/24"):
        sw.ctl("add-port", "br0", name, "--", "set", "interface", name, "type=internal")
        s.ip("link", "set", name, "netns", ns.name)
        ns.addr(name, address)
    x.ping("10.0.0.2", count=3)


def test_local_device(lab):
    star = Star(lab, hosts=1)
    assert "br0" in devices(star.ns)
    star.sw.ctl("set", "bridge", "br0", "other_config:hwaddr=02:00:00:00:00:fe")
    xvs.wait_until(lambda: star.ns.mac("br0") == "02:00:00:00:00:fe", 5, "the LOCAL port's address")
    star.ns.addr("br0", "10.0.0.254/24")
    star.h[0].ping("10.0.0.254", count=3)


def test_del_port_and_del_br_leave_clean_devices(lab):
    star = Star(lab)
    star.sw.ctl("del-port", "br0", "p1")
    assert "p1" in devices(star.ns)
    shown = star.ns.ip("-d", "link", "show", "dev", "p1").stdout
    assert "xdp" not in shown and "promiscuity 0" in shown, shown
    assert star.ns.run("tc", "filter", "show", "dev", "p1", "ingress", check=False).stdout == ""
    # The host's stack has the device back.
    star.ns.addr("p1", "10.0.0.50/24")
    star.h[0].ping("10.0.0.50", count=2)
    star.sw.ctl("del-br", "br0")
    assert "br0" not in devices(star.ns)
    assert "promiscuity 0" in star.ns.ip("-d", "link", "show", "dev", "p2").stdout


def test_the_daemons_end_leaves_clean_devices(lab):
    star = Star(lab)
    star.sw.stop()
    assert "br0" not in devices(star.ns)
    for n, host in enumerate(star.h, 1):
        assert "promiscuity 0" in star.ns.ip("-d", "link", "show", "dev", f"p{n}").stdout
    star.ns.addr("p1", "10.0.0.50/24")
    star.h[0].ping("10.0.0.50", count=2)


def test_a_killed_daemon_leaves_nothing_that_keeps_the_next_from_working(lab):
    star = Star(lab)
    star.h[0].ping("10.0.0.2", count=1)
    star.sw.kill()
    star.sw.start()
    star.h[0].ping("10.0.0.2", count=3)


def test_device_counters_and_openflow_counters_agree(lab):
    star = Star(lab)
    a = star.h[0]
    a.ping("10.0.0.2", count=1)

    def counted():
        for line in star.sw.ofctl("dump-ports", "br0", "1").stdout.replace("\n", " ").split("port"):
            if "rx pkts=" in line:
                rx = int(line.split("rx pkts=")[1].split(",")[0])
                tx = int(line.split("tx pkts=")[1].split(",")[0])
                return rx, tx
        raise AssertionError("port 1 is missing")

    before = counted()
    a.ping("10.0.0.2", count=5)
    after = counted()
    assert (after[0] - before[0], after[1] - before[1]) == (5, 5)


def test_a_port_of_another_type_under_the_same_name(lab):
    star = Star(lab)
    star.sw.ctl("del-port", "p2", "--", "add-port", "br0", "n1", "type=null")
    assert port(star.sw, "n1")["type"] == "null"


def test_many_ports_at_once(lab):
    s = lab.ns("s")
    sw = lab.switch(s)
    chain = ["add-br", "br0"]
    for n in range(40):
        chain += ["--", "add-port", "br0", f"t{n}", "type=internal"]
    sw.ctl(*chain)
    assert len(sw.ctl("list-ports", "br0").stdout.split()) == 40
    assert {f"t{n}" for n in range(40)} <= set(devices(s))
    sw.ctl("del-br", "br0")
    assert devices(s) == ["lo"] or not any(d.startswith("t") for d in devices(s))


def test_a_pcap_port_reads_and_writes_files(lab):
    """A file goes in, the other file has what came through: in order, nothing changed."""
    from scapy.layers.inet import IP, UDP
    from scapy.layers.l2 import Ether
    from scapy.utils import rdpcap, wrpcap
    s = lab.ns("s")
    sw = lab.switch(s)
    packets = [Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src="1.1.1.1", dst="2.2.2.2") / UDP(dport=n) / b"data"
               for n in range(1, 101)]
    wrpcap(f"{lab.dir}/in.pcap", packets)
    sw.ctl("add-br", "br0", "--", "set", "bridge", "br0", "fail_mode=secure", "--",
           "add-port", "br0", "out", "type=pcap", f"write={lab.dir}/out.pcap", "ofport=2")
    sw.ofctl("add-flow", "br0", "in_port=1,actions=output:2")
    sw.ctl("add-port", "br0", "in", "type=pcap", f"file={lab.dir}/in.pcap", "ofport=1")
    xvs.wait_until(lambda: "n_packets=100," in sw.ofctl("dump-flows", "br0").stdout, 5, "100 packets")
    sw.ctl("del-port", "out")
    assert [bytes(p) for p in rdpcap(f"{lab.dir}/out.pcap")] == [bytes(p) for p in packets]
