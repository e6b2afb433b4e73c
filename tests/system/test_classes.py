"""A busy port receives by two rings, TCP by one and everything else by the other: nothing gets lost, is seen twice or
overtakes within a flow, before, while and after the port changes to them."""
import os
import re
import signal
import struct
import subprocess
import time

import xvs
from topo import Star

PYTHON = "/usr/bin/python3"
SEND = """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.setsockopt(263, 15, 1)  # PACKET_VNET_HDR
s.bind((sys.argv[1], 0))
frames = [bytes.fromhex(line) for line in sys.stdin]
for _ in range(int(sys.argv[2])):
    for frame in frames:
        s.send(frame)
"""
# Flow and number of each packet. A capture would hold a hundred: it has room for 256 KB each.
RECEIVE = """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.setsockopt(socket.SOL_SOCKET, 33, 1 << 25)  # SO_RCVBUFFORCE
s.bind((sys.argv[1], 3))
s.settimeout(0.5)
print("listening", flush=True)
got, end = [], False
while True:
    try:
        frame, address = s.recvfrom(14)
    except TimeoutError:
        if end:
            break
        continue
    if frame[6] == 6 and address[2] != 4:
        if frame[7] == 254:
            end = True
        else:
            got.append(frame[7:12].hex())
print("\\n".join(got))
"""
FINISHED = bytes(10)  # struct virtio_net_hdr: no offload
END, NOISE = 254, 255  # "flows"
TO = bytes.fromhex("020000000002")
IP_A, IP_B = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])


def send(ns, interface, frames, times=1):
    ns.run(PYTHON, "-c", SEND, interface, times, input="\n".join(f.hex() for f in frames) + "\n")


# --- packets: the source address says of which flow one is, and which of that ---

def ethernet(flow, n, rest):
    return FINISHED + TO + struct.pack("!BBI", 6, flow, n) + rest


def ipv4(protocol, payload, fragment=0):
    return b"\x08\x00" + struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 7, fragment, 64, protocol, 0) + IP_A + IP_B + payload


def ipv6(next_header, payload):
    return b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, len(payload), next_header, 64) + bytes(15) + b"\1" + bytes(15) + b"\2" + payload


def tcp(n, size=100):
    return struct.pack("!HHIIBBHHH", 1000, 9, n, 0, 0x50, 0x10, 1000, 0, 0) + bytes(size)


def segment(flow, n, size=60000):
    """A TCP super-segment."""
    offload = struct.pack("=BBHHHH", 1, 1, 54, 1448, 34, 16)  # checksum to be stored, TCPv4
    return offload + ethernet(flow, n, ipv4(6, tcp(n, size)))[10:]


UDP = struct.pack("!HHHH", 1000, 9, 108, 0) + bytes(100)
FLOWS = [
    lambda f, n: segment(f, n) if n % 8 == 3 else ethernet(f, n, ipv4(6, tcp(n))),
    lambda f, n: ethernet(f, n, ipv4(17, UDP)),
    lambda f, n: ethernet(f, n, ipv4(1, b"\x08\x00" + bytes(54))),
    lambda f, n: ethernet(f, n, ipv4(6, tcp(n), [0x2000, 185, 0x4000][n % 3])),  # first and second fragment, and none
    lambda f, n: ethernet(f, n, ipv4(17, UDP, [0x2000, 185, 0x4000][n % 3])),
    lambda f, n: ethernet(f, n, ipv4(47, b"\0\0\x65\x58" + bytes(50))),
    lambda f, n: ethernet(f, n, ipv6(6, tcp(n))),
    lambda f, n: ethernet(f, n, ipv6(44, b"\6\0\0\1\0\0\0\0" + tcp(n)) if n % 2 else ipv6(6, tcp(n))),
    lambda f, n: ethernet(f, n, ipv6(17, UDP)),
    lambda f, n: ethernet(f, n, ipv6(0, b"\6\0" + bytes(6) + tcp(n))),  # hop-by-hop options
    lambda f, n: ethernet(f, n, b"\x81\0\0\x05" + ipv4(6, tcp(n))),
    lambda f, n: ethernet(f, n, b"\x81\0\0\x05" + ipv4(17, UDP)),
    lambda f, n: ethernet(f, n, b"\x88\xa8\0\x05\x81\0\0\x06" + ipv4(6, tcp(n))),
    lambda f, n: ethernet(f, n, b"\x88\x47\0\x01\x01\x40" + ipv4(6, tcp(n))[2:]),
    lambda f, n: ethernet(f, n, b"\x08\x06\0\1\x08\0\6\4\0\1" + bytes(20)),
    lambda f, n: ethernet(f, n, b"\x88\xb5" + bytes(50)),
    lambda f, n: ethernet(f, n, ipv4(6, tcp(n))[:6]),  # cut short
    lambda f, n: ethernet(f, n, ipv4(6, tcp(n))[:16]),
    lambda f, n: ethernet(f, n, ipv6(44, b"\6\0")[:20]),
]


def receivers(ns, interface):
    """AF_PACKET sockets that receive from it."""
    index = ns.run("cat", f"/sys/class/net/{interface}/ifindex").stdout.strip()
    rows = [line.split() for line in ns.run("cat", "/proc/net/packet").stdout.splitlines()[1:]]
    return sum(row[3] == "0003" and row[4] == index for row in rows)


def make_busy(star):
    def busy():
        send(star.h[0], "eth0", [segment(NOISE, 0)], times=100)
        return receivers(star.ns, "p1") == 2
    xvs.wait_until(busy, 10, "two rings at port p1")


class Stream:
    """Packets of all flows, numbered, from h[0] to h[1]."""

    def __init__(self, lab, star):
        self.star, self.n = star, 0
        self.receiver = lab.popen(star.h[1], PYTHON, "-c", RECEIVE, "eth0", stdout=subprocess.PIPE, text=True)
        assert self.receiver.stdout.readline() == "listening\n"

    def send(self, count):
        send(self.star.h[0], "eth0", [make(flow, n) for n in range(self.n, self.n + count) for flow, make in enumerate(FLOWS)])
        self.n += count

    def check(self):
        got = [[] for _ in FLOWS]
        send(self.star.h[0], "eth0", [ethernet(END, 0, bytes(50))])
        for line in self.receiver.communicate(timeout=20)[0].splitlines():
            flow, n = struct.unpack("!BI", bytes.fromhex(line))
            if flow < len(FLOWS):
                got[flow].append(n)
        for flow, numbers in enumerate(got):
            assert numbers == list(range(self.n)), f"flow {flow}: {numbers}"


def test_a_port_becomes_busy(lab):
    star = Star(lab, flows=["in_port=1,actions=2", "in_port=2,actions=drop"])
    stream = Stream(lab, star)
    assert receivers(star.ns, "p1") == 1
    for _ in range(5):
        stream.send(60)
    make_busy(star)
    stream.send(60)
    stream.check()


def test_a_busy_ports_device_goes_down_and_up(lab):
    star = Star(lab, flows=["in_port=1,actions=2", "in_port=2,actions=drop"])
    make_busy(star)
    for change in "down", "up":
        star.ns.ip("link", "set", "p1", change)
        xvs.wait_until(lambda: ("LINK_DOWN" in port_state(star)) == (change == "down"), 5, f"p1 {change}")
    stream = Stream(lab, star)
    stream.send(60)
    stream.check()


def port_state(star):
    text = star.sw.ofctl("show", "br0").stdout
    return text[text.index("(p1)"):].split("(p2)")[0]


def counted(star):
    """(received, dropped) at port 1, when all that the device has received is counted."""
    def all_counted():
        shown = star.sw.ofctl("dump-ports", "br0", "1").stdout
        counts = tuple(int(re.search(rf"{name}=(\d+)", shown)[1]) for name in ("rx pkts", "drop"))
        return sum(counts) == star.ns.statistic("p1", "rx_packets") and counts
    return xvs.wait_until(all_counted, 5, "every packet of p1 to be counted")


def test_what_a_busy_port_has_no_room_for_is_counted(lab):
    star = Star(lab, flows=["in_port=1,actions=2", "in_port=2,actions=drop"])
    make_busy(star)
    for frame, count in (ethernet(1, 0, ipv4(17, UDP)), 6000), (ethernet(1, 0, ipv4(6, tcp(0))), 2000), (segment(1, 0), 300):
        before = counted(star)
        os.kill(star.sw.pid, signal.SIGSTOP)
        try:
            send(star.h[0], "eth0", [frame], times=count)
        finally:
            os.kill(star.sw.pid, signal.SIGCONT)
        received, dropped = (now - then for now, then in zip(counted(star), before))
        assert received + dropped >= count and dropped and received > count / 10, (received, dropped)


def test_pings_beside_tcp_and_tcp_beside_a_flood(lab):
    star = Star(lab)
    a, b = star.h
    lab.popen(b, "iperf3", "-s", stdout=-3, stderr=-3)
    xvs.wait_until(lambda: b.run("ss", "-Hltn", "sport = :5201").stdout.strip(), 5, "iperf3's server")
    stream = lab.popen(a, "iperf3", "-c", "10.0.0.2", "-t", 20, stdout=-3, stderr=-3)
    xvs.wait_until(lambda: receivers(star.ns, "p1") == 2, 10, "two rings at port p1")
    assert len(a.ping("10.0.0.2", count=100, interval=0.005)) == 100
    before = b.statistic("eth0", "rx_bytes")
    send(a, "eth0", [ethernet(1, 0, ipv4(17, UDP))], times=100_000)
    assert stream.poll() is None
    assert b.statistic("eth0", "rx_bytes") - before > 2 * 100_000 * 142, "TCP got no turn"
    xvs.end_process(stream)


def test_in_a_flood_and_after_it(lab):
    """Small packets in a flood come by a ring of their own, where the machine manages so many; nothing waits in it when
    they end, and what came before is not overtaken."""
    noise = ethernet(NOISE, 0, ipv4(17, UDP))
    star = Star(lab, flows=[f"priority=9,dl_src={noise[16:22].hex(':')},actions=drop", "in_port=1,actions=2", "in_port=2,actions=1"])
    make_busy(star)
    stream = Stream(lab, star)
    for _ in range(3):
        send(star.h[0], "eth0", [noise], times=60_000)
        time.sleep(0.05)
        stream.send(20)
        assert max(star.h[0].ping("10.0.0.2", count=5, interval=0.1)) < 100  # ping waits so long for its last answer
    stream.check()
