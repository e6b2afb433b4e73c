"""Queues of ports through the daemon: configured by xvs-ctl, chosen by set_queue, told of by OpenFlow (1.3.5: 7.2.2, 7.3.6,
7.3.5.8). Rates are exact in the simulations (tests/unit/test-queue.c, tests/sim/sim-queues.c); here they are only not
exceeded, and counters are exact."""
import json
import re
import struct
import time

import pytest

import openflow as of
import xvs
from openflow import Connection
from test_meters import frames, send
from topo import Star


@pytest.fixture
def star(lab):
    return Star(lab, flows=[])


def queues(sw):
    """{(port, queue): counters}"""
    return {(q["port"], q["queue"]): q for q in json.loads(sw.ofctl("-f", "json", "queue-stats", "br0").stdout)["queues"]}


def test_a_flood_is_shaped_and_counted(lab, star):
    sw = star.sw
    sw.ctl("set-queue", "p2", "1", "max-rate=1M", "burst=10k")
    star.add_flows("in_port=1,udp,actions=set_queue:1,output:2")
    capture = lab.capture(star.h[1], "eth0", "udp and src port 2000")
    packets = frames(star.h[0], [0] * 10, payload=1000 - 42)
    start = time.monotonic()
    send(star.h[0], "eth0", packets, times=30)
    xvs.wait_until(lambda: queues(sw)[2, 1]["tx_packets"] + queues(sw)[2, 1]["tx_errors"] == 300, 10, "300 packets")
    took = time.monotonic() - start
    q = queues(sw)[2, 1]
    assert q["tx_bytes"] == 1000 * q["tx_packets"] and q["tx_packets"] >= 60  # the backlog is 64 KiB
    assert q["tx_packets"] * 1000 <= 10000 + took * 125000 * 1.05 + 2000, (q, took)
    capture.wait(q["tx_packets"])
    assert len(capture.stop()) == q["tx_packets"]
    assert re.search(rf"queue-full +{q['tx_errors']}\b", sw.ctl("drops").stdout), sw.ctl("drops").stdout
    assert queues(sw)[2, 0]["tx_packets"] == 0


def test_what_is_slower_passes_in_order(lab, star):
    """A whole port with a rate: every packet arrives, the order stays, and pings go through."""
    star.sw.ctl("set", "port", "p2", "max-rate=50M")
    star.add_flows("actions=NORMAL")
    star.h[0].ping("10.0.0.2", count=5)
    capture = lab.capture(star.h[1], "eth0", "udp and src port 2000")
    send(star.h[0], "eth0", frames(star.h[0], [0] * 50))
    capture.wait(50)
    assert [p.dport for p in capture.stop()] == list(range(1, 51))
    assert queues(star.sw)[2, 0]["tx_packets"] >= 55


def test_tcp_through_a_queue(lab, star):
    """Super-segments are cut to the burst, wait, and nothing is lost that TCP cannot mend."""
    star.sw.ctl("set-queue", "p2", "3", "max-rate=40Mbit")
    star.add_flows("in_port=1,actions=set_queue:3,output:2", "in_port=2,actions=output:1")
    n = 2000000
    server = lab.popen(star.h[1], "/usr/bin/python3", "-c", "import socket\ns=socket.create_server(('10.0.0.2',5000))\nprint('ready',flush=True)\n"
                       "c=s.accept()[0]\nn=0\nwhile True:\n d=c.recv(65536)\n if not d: break\n n+=len(d)\nprint(n,flush=True)\n",
                       stdout=-1, text=True)
    assert server.stdout.readline() == "ready\n"
    start = time.monotonic()
    star.h[0].run("/usr/bin/python3", "-c", f"import socket\ns=socket.create_connection(('10.0.0.2',5000))\ns.sendall(bytes({n}))\ns.close()\n")
    assert int(server.stdout.readline()) == n
    took = time.monotonic() - start
    assert took > n * 8 / 40e6 * 0.8, took
    assert queues(star.sw)[2, 3]["tx_bytes"] >= n


def test_several_workers_share_a_queue(lab):
    star = Star(lab, hosts=4, flows=[])
    star.sw.ctl("set", "worker", ".", "count=3")
    star.sw.restart()
    star.sw.ctl("set-queue", "p4", "1", "max-rate=100M", "--", "set-queue", "p4", "2", "max-rate=100M")
    star.add_flows(*(f"in_port={n},udp,actions=set_queue:{1 + n % 2},output:4" for n in (1, 2, 3)))
    for n in range(3):
        send(star.h[n], "eth0", frames(star.h[n], [0] * 20), times=5)
    xvs.wait_until(lambda: queues(star.sw)[4, 1]["tx_packets"] == 100 and queues(star.sw)[4, 2]["tx_packets"] == 200, 5, "300 packets")
    star.sw.ctl("del-port", "br0", "p4")
    star.h[0].ping("10.0.0.4", count=1, check=False, wait=0.2)


def test_configuration(lab, star):
    sw = star.sw
    sw.ctl("set", "port", "p2", "max-rate=100Mbit", "--", "set-queue", "p2", "1", "min-rate=10M", "max-rate=50M", "burst=15kB", "priority=2",
           "--", "set-queue", "p2", "7", "max-rate=1.5M")
    shown = sw.ctl("show").stdout
    assert "max-rate=100Mbit" in shown
    assert re.search(r"queue 0: priority=0; sent 0 packets", shown), shown
    assert "queue 1: min-rate=10M max-rate=50M burst=15k priority=2; sent" in shown
    sw.ctl("set-queue", "p2", "1", "priority=9")  # the rest stays
    assert "queue 1: min-rate=10M max-rate=50M burst=15k priority=9; sent" in sw.ctl("show").stdout
    (port,) = [p for p in json.loads(sw.ctl("-f", "json", "show").stdout)["bridges"][0]["ports"] if p["name"] == "p2"]
    assert [q["queue"] for q in port["queues"]] == [0, 1, 7]
    sw.restart()
    assert "queue 7: max-rate=1500k priority=0; sent" in sw.ctl("show").stdout
    sw.ctl("del-queue", "p2", "7")
    assert "queue 7" not in sw.ctl("show").stdout
    sw.ctl("del-queue", "p2", "--", "clear", "port", "p2", "max_rate")
    assert "queue" not in sw.ctl("show").stdout
    for words, says in ((["set-queue", "p2", "1", "max-rate=fast"], "no rate"), (["set-queue", "p2", "1", "maxrate=1M"], "did you mean 'max-rate'"),
                        (["set-queue", "p9", "1", "max-rate=1M"], "no port 'p9'"), (["set-queue", "p2", "x", "max-rate=1M"], "queue's number"), (["del-queue", "p2", "3"], "no queue 3"),
                        (["set-queue", "p2", "1", "min-rate=2M", "max-rate=1M"], "more than"),
                        (["set", "port", "p2", "max-rate=1M", "--", "set-queue", "p2", "1", "min-rate=2M"], "together"),
                        (["set", "port", "p2", "max-rate=1Q"], "no rate"),
                        (["add-port", "br0", "gre1", "type=gre", "remote_ip=10.9.9.9", "--", "set-queue", "gre1", "1", "max-rate=1M"], "tunnel")):
        refused = sw.ctl(*words, check=False)
        assert refused.returncode and says in refused.stderr, (words, refused.stderr)
    assert "queue" not in sw.ctl("show").stdout and "gre1" not in sw.ctl("show").stdout
    assert "a share of the port's max-rate" in sw.ctl("set-queue", "p2", "1", "min-rate=2M").stderr


def test_the_local_port_has_queues_too(lab, star):
    sw = star.sw
    star.ns.addr("br0", "10.0.0.9/24")
    star.add_flows("actions=NORMAL")
    sw.ctl("set", "interface", "br0", "max-rate=10M", "--", "set-queue", "br0", "4", "max-rate=2M")
    star.h[0].ping("10.0.0.9", count=3)
    assert queues(sw)["LOCAL", 0]["tx_packets"] >= 3
    shown = sw.ctl("show").stdout
    assert "max-rate=10M" in shown and "queue 4: max-rate=2M" in shown
    sw.restart()
    assert "queue 4: max-rate=2M" in sw.ctl("show").stdout
    sw.ctl("del-queue", "br0", "--", "clear", "bridge", "br0", "max_rate")
    assert not queues(sw)


def test_trace_says_when_there_is_no_such_queue(star):
    star.sw.ctl("set-queue", "p2", "1", "max-rate=1M")
    star.add_flows("in_port=1,actions=set_queue:9,output:2", "in_port=2,actions=enqueue(1,4)")
    assert "port p2 has no queue 9: its default queue" in star.sw.ctl("trace", "br0", "in_port=1").stdout


# --- clients ---

@pytest.mark.parametrize("version", ["OpenFlow10", "OpenFlow13", "OpenFlow14"])
def test_ovs_ofctl_commands(star, version):
    sw = star.sw

    def theirs(command, *args):
        return sw.ns.run("ovs-ofctl", "-O", version, command, sw.mgmt("br0"), *args).stdout

    def ours(command, *args, **options):
        return sw.ofctl("-O", version, command, "br0", *args, **options)

    sw.ctl("set", "port", "p2", "max-rate=10M", "--", "set-queue", "p2", "1", "min-rate=1M", "--", "set-queue", "p2", "2", "max-rate=3333k", "--",
           "set-queue", "p1", "5", "max-rate=1M")
    theirs("add-flow", "in_port=1,actions=set_queue:1,output:2,pop_queue,output:2")
    theirs("add-flow", "in_port=2,actions=enqueue:1:5")
    for text in theirs("dump-flows"), ours("dump-flows").stdout:
        assert "actions=set_queue:1,output:2,pop_queue,output:2" in text or "actions=enqueue:2:1,output:2" in text, text
        assert "actions=set_queue:5,output:1,pop_queue" in text or "actions=enqueue:1:5" in text, text
    send(star.h[0], "eth0", frames(star.h[0], [0], payload=100 - 42))
    xvs.wait_until(lambda: queues(sw)[2, 1]["tx_packets"] >= 1, 5, "the packet")
    for text in theirs("queue-stats", "2"), ours("queue-stats", "p2").stdout:
        assert " 3 queues\n  port 2 queue 0: bytes=" in text or ' 3 queues\n  port p2 queue 0: bytes=' in text, text
        assert re.search(r"queue 2: bytes=0, pkts=0, errors=0, duration=([\d.]+s|\?)", text), text
    assert " 1 queues\n" in theirs("queue-stats", "2", "1")
    assert " 5 queues\n" in theirs("queue-stats") and " 5 queues\n" in ours("queue-stats").stdout
    for text in theirs("queue-get-config", "2"), ours("queue-get-config", "2").stdout:
        assert re.search(r"port=\S+\nqueue 0:\nqueue 1: min_rate:10.0%\nqueue 2: max_rate:33.3%\n", text), text
    for text in [ours("queue-get-config").stdout] + ([] if version == "OpenFlow13" else [theirs("queue-get-config")]):
        assert "port=1\nqueue 0:\nqueue 5: max_rate:" in text and "port=2\nqueue 0:" in text, text
    asked = json.loads(sw.ofctl("-O", version, "-f", "json", "queue-get-config", "br0").stdout)["queues"]
    assert sorted((q["port"], q["queue"]) for q in asked) == [(1, 0), (1, 5), (2, 0), (2, 1), (2, 2)]
    assert "QUEUE_STATS" in theirs("show")
    refused = ours("queue-stats", "2", "77", check=False)
    assert refused.returncode == 1 and "OFPQOFC_BAD_QUEUE" in refused.stderr


def test_faults(star):
    star.sw.ctl("set-queue", "p2", "1", "max-rate=1M")
    raw = Connection.to(star.sw)
    for port, queue, code in ((77, 1, 0), (2, 9, 1), (1, 0, 1), (of.ANY, 9, 1)):
        assert raw.error(of.MULTIPART_REQUEST, struct.pack("!HH4xII", 5, 0, port, queue)) == (9, code)
    assert raw.error(22, struct.pack("!I4x", 77)) == (9, 0)
    set_queue = struct.pack("!HHI", 21, 8, 0xffffffff)
    assert raw.error(of.FLOW_MOD, of.flow_mod(instructions=of.apply(set_queue))) == (2, 8)
    kind, body = raw.ask(22, struct.pack("!I4x", 2))
    assert kind == 23 and struct.unpack_from("!I4xIIH", body) == (2, 0, 2, 16)
    raw.close()
