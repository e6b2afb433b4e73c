"""Set-ups that many tests share."""


class Star:
    """Hosts h[0], h[1], … (10.0.0.1, 10.0.0.2, …) on ports p1, p2, … (numbers 1, 2, …) of one bridge, br0.

    With flows=None the bridge is as it comes, a learning switch; with a list it is fail_mode=secure with these flows.
    options: of the ports, such as io=xdp.
    """

    def __init__(self, lab, hosts=2, flows=None, mtu=None, ipv6=False, options=()):
        self.ns = lab.ns("s")
        self.sw = lab.switch(self.ns)
        self.h = []
        self.sw.ctl("add-br", "br0", *(["--", "set", "bridge", "br0", "fail_mode=secure"] if flows is not None else []))
        for n in range(1, hosts + 1):
            host = lab.ns(f"h{n}", ipv6=ipv6)
            lab.veth(host, "eth0", self.ns, f"p{n}", mac_a=f"02:00:00:00:00:{n:02x}", mtu=mtu)
            self.sw.ctl("add-port", "br0", f"p{n}", f"ofport={n}", *options)
            host.addr("eth0", f"10.0.0.{n}/24", *([f"fd00::{n}/64"] if ipv6 else []))
            self.h.append(host)
        if flows:
            self.add_flows(*flows)

    def add_flows(self, *flows):
        self.sw.ofctl("add-flows", "br0", "-", input="\n".join(flows) + "\n")

    def n_packets(self, *words):
        """Of the one flow of br0 whose line has all these words."""
        lines = [line for line in self.sw.ofctl("dump-flows", "br0").stdout.splitlines() if all(w in line for w in words)]
        assert len(lines) == 1, f"{len(lines)} flows with {words}"
        return int(lines[0].split("n_packets=")[1].split(",")[0])


class Tunnel:
    """Two switches with a GRE tunnel, and behind each a host: a (10.0.0.1) - s1 ==== s2 - b (10.0.0.2).

    between=True: the underlay is a bridge of a third switch.
    via="local": the underlay addresses 192.168.5.1 and .2 are on the LOCAL device of a bridge br1, whose port is eth0.
    via="interface": they are on eth0, which is no switch port.
    """

    def __init__(self, lab, via="local", mtu=None, options=("key=flow",), inner_mtu=None, between=False):
        self.s, self.sw, self.h = [], [], []
        self.underlay = "br1" if via == "local" else "eth0"
        for n in (1, 2):
            self.s.append(lab.ns(f"s{n}"))
        if between:
            self._bridge_between(lab)
        else:
            lab.veth(self.s[0], "eth0", self.s[1], "eth0", mtu=mtu)
        for n in (1, 2):
            ns, host = self.s[n - 1], lab.ns("ab"[n - 1])
            sw = lab.switch(ns)
            lab.veth(host, "eth0", ns, "p1", mtu=inner_mtu, mac_a=f"02:00:00:00:00:{n:02x}")
            host.addr("eth0", f"10.0.0.{n}/24")
            if via == "local":
                sw.ctl("add-br", "br1", "--", "set", "bridge", "br1", f"other_config:hwaddr={ns.mac('eth0')}",
                       "--", "add-port", "br1", "eth0")
            ns.addr(self.underlay, f"192.168.5.{n}/24")
            sw.ctl("add-br", "br0", "--", "set", "bridge", "br0", "fail_mode=secure", "--", "add-port", "br0", "p1",
                   "ofport=1", "--", "add-port", "br0", "gre1", "type=gre", f"remote_ip=192.168.5.{3 - n}", "ofport=10",
                   *options)
            sw.ofctl("add-flows", "br0", "-", input="in_port=1,actions=set_tunnel:10,output:10\n"
                                                    "in_port=10,actions=output:1\n")
            self.h.append(host)
            self.sw.append(sw)

    def _bridge_between(self, lab):
        ns = lab.ns("m")
        sw = lab.switch(ns)
        sw.ctl("add-br", "br0")
        for n, end in (1, self.s[0]), (2, self.s[1]):
            lab.veth(end, "eth0", ns, f"m{n}")
            sw.ctl("add-port", "br0", f"m{n}")
