"""xvs-ctl trace: the walk that packets take, explained."""
import json
import re

import experiment
from topo import Star, Tunnel


def test_trace_lists_tables_rules_and_actions(lab):
    star = Star(lab, flows=["table=0,priority=10,ip,in_port=1,nw_proto=6,actions=resubmit(,10)",
                            "table=10,priority=5,tcp,tp_dst=80,actions=set_field:02:00:00:00:00:09->eth_dst,output:2"])
    text = star.sw.ctl("trace", "br0", "in_port=1,tcp,nw_src=10.0.0.1,tp_dst=80").stdout
    places = [text.index(word) for word in ("priority=10", "resubmit(,10)", "tp_dst=80 ", "02:00:00:00:00:09", "output:2")
              if word in text]
    assert places == sorted(places) and len(places) >= 4, text
    assert "10" in text


def test_trace_has_no_side_effects(lab):
    star = Star(lab)

    def counters():
        return re.findall(r"pkts=\d+", star.sw.ofctl("dump-ports", "br0").stdout)

    before = counters()
    star.sw.ctl("trace", "br0", "in_port=1,dl_src=02:00:00:00:00:aa,dl_dst=02:00:00:00:00:bb,ip")
    assert "02:00:00:00:00:aa" not in star.sw.ctl("fdb", "br0").stdout
    assert counters() == before
    star.add_flows("in_port=1,actions=2")
    star.sw.ctl("trace", "br0", "in_port=1")
    assert star.n_packets("in_port=1") == 0


def test_where_nothing_matched_the_nearest_rules_and_why(lab):
    star = Star(lab, flows=["priority=10,tcp,in_port=1,nw_dst=10.0.0.2,tp_dst=80,actions=2",
                            "priority=9,udp,in_port=2,tp_dst=53,actions=1"])
    text = star.sw.ctl("trace", "br0", "in_port=1,tcp,nw_dst=10.0.0.2,tp_dst=443").stdout
    assert "no-rule" in text, text
    assert "tp_dst=80" in text or "tcp_dst=80" in text, text
    assert "443" in text, f"trace does not say which field failed and with what:\n{text}"


def test_named_drops_with_their_hints(lab):
    star = Star(lab, flows=["in_port=1,icmp,actions=drop", "in_port=1,tcp,actions=output:77", "in_port=1,udp,actions=output:1",
                            "in_port=2,actions=resubmit:2"])
    for flow, reason in ("in_port=1,icmp", "action"), ("in_port=1,tcp", "no-port"), ("in_port=1,udp", "output-to-in-port"), \
            ("in_port=2,icmp", "walk-"):
        text = star.sw.ctl("trace", "br0", flow).stdout
        assert reason in text, f"{flow}:\n{text}"


def test_trace_of_normal(lab):
    star = Star(lab)
    star.h[0].ping("10.0.0.2", count=2)
    text = star.sw.ctl("trace", "br0", "in_port=1,ip,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02").stdout
    assert "p2" in text or "output:2" in text or "port 2" in text, text
    text = star.sw.ctl("trace", "br0", "in_port=1,ip,dl_dst=02:00:00:00:00:77").stdout
    assert "flood" in text.lower() or "unknown" in text.lower(), text


def test_trace_of_a_frame(lab):
    from scapy.layers.inet import IP, TCP
    from scapy.layers.l2 import Ether
    star = Star(lab, flows=["tcp,nw_src=1.2.3.4,tp_dst=81,actions=2"])
    frame = bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src="1.2.3.4", dst="5.6.7.8") / TCP(dport=81)).hex()
    text = star.sw.ctl("trace", "br0", "in_port=1", frame).stdout
    assert "tp_dst=81" in text or "tcp_dst=81" in text
    assert "no-rule" not in text


def test_trace_through_a_tunnel(lab):
    tunnel = Tunnel(lab)
    tunnel.h[0].ping("10.0.0.2", count=1)
    text = tunnel.sw[0].ctl("trace", "br0", "in_port=1,ip,nw_src=10.0.0.1,nw_dst=10.0.0.2").stdout
    for word in "set_tunnel", "gre1", "192.168.5.2", "br1":
        assert word in text, f"{word!r} is not in\n{text}"


def test_trace_follows_the_walk_through_the_underlay_bridge(lab):
    tunnel = Tunnel(lab)
    tunnel.h[0].ping("10.0.0.2", count=1)
    tunnel.sw[0].ofctl("add-flow", "br1", "priority=9,ip,nw_proto=47,actions=drop")
    text = tunnel.sw[0].ctl("trace", "br0", "in_port=1,ip").stdout
    assert "nw_proto=47" in text and "action" in text, text


def test_json(lab):
    star = Star(lab, flows=["table=0,in_port=1,actions=resubmit(,5)", "table=5,ip,actions=2"])
    trace = json.loads(star.sw.ctl("-f", "json", "trace", "br0", "in_port=1,ip").stdout)
    assert isinstance(trace, dict)
    assert "resubmit" in json.dumps(trace)


def test_a_flow_that_is_not_understood_is_shown_with_a_caret(lab):
    star = Star(lab)
    done = star.sw.ctl("trace", "br0", "in_port=1,tcp,tpdst=80", check=False)
    assert done.returncode == 1 and "tpdst" in done.stderr and "^" in done.stderr, done.stderr


def test_what_trace_says_is_what_packets_get(lab):
    """The same packets traced and sent: the same ports."""
    star = Star(lab, hosts=3, flows=["priority=5,arp,actions=ALL", "priority=4,icmp,in_port=1,actions=2,3",
                                     "priority=3,ip,in_port=2,actions=1"])
    text = star.sw.ctl("trace", "br0", "in_port=1,icmp").stdout
    assert "output:2" in text and "output:3" in text, text
    captures = [lab.capture(h, "eth0", "icmp", inbound=True) for h in star.h]
    star.h[0].ping("10.0.0.2", count=2)
    assert [len(c.stop()) for c in captures] == [2, 2, 2]


def test_gre_in_transit(lab):
    star = Star(lab, flows=["priority=9,ip,nw_proto=47,gre_key=0xa,actions=2", "priority=8,tun_id=0xa,actions=2"])
    transit = experiment.TRANSIT
    assert "gre_key=0xa" in star.sw.ctl("trace", "br0", transit).stdout
    text = star.sw.ctl("trace", "br0", transit.replace("gre_key=0xa", "gre_key=0xb")).stdout
    assert "tun_id" in text and "no-rule" in text, text
