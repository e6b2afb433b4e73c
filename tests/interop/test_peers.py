"""The peers among themselves, without xvs: if these fail, the machine is at fault."""
import os

APPS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "apps")


def test_open_vswitch_obeys_os_ken(lab):
    s, a, b = lab.ns("s"), lab.ns("a"), lab.ns("b")
    for host, port, address in (a, "p1", "10.0.0.1/24"), (b, "p2", "10.0.0.2/24"):
        lab.veth(host, "eth0", s, port)
        host.addr("eth0", address)
    controller = lab.osken(s, f"{APPS}/flood.py")
    ovs = lab.ovs(s)
    ovs.add_br("br0", "protocols=OpenFlow13")
    ovs.vsctl("add-port", "br0", "p1", "--", "add-port", "br0", "p2")
    ovs.vsctl("set-controller", "br0", "tcp:127.0.0.1:6653")
    controller.wait_for("connected")
    a.ping("10.0.0.2", count=2, wait=5)
    assert "packet in from port 1" in controller.said()
