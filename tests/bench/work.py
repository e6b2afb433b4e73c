"""What the benchmarks' switches are given to do: captures that are replayed from memory, and lists of flows.

Everything is made from a seed, so that each run and each peer gets the same. Flows are in the syntax that xvs-ofctl and
ovs-ofctl share; port 1 is where packets come in, port 2 where they go.
"""
import functools
import itertools
import os
import random
import struct

SERVICES = [9, 53, 80, 443]
HOST_MAC, TARGET_MAC = "02:00:00:00:00:01", "02:00:00:00:00:99"
TUNNEL_KEY = 10
NEAR = {"address": "192.168.5.23", "mac": "08:00:27:54:e2:e4"}  # this end of the tunnel
FAR = {"address": "192.168.5.238", "mac": "08:00:27:f4:36:8d"}


# --- packets ---

def _mac(text):
    return bytes.fromhex(text.replace(":", ""))


def _address(text):
    return int.from_bytes(bytes(map(int, text.split("."))), "big")


def _ipv4(protocol, source, destination, length, ident):
    """A header without options. Its checksum is summed by hand: a million packets are made this way."""
    total = 0x4500 + length + ident + 0x4000 + protocol + (source >> 16) + (source & 0xffff) + (destination >> 16) + \
        (destination & 0xffff)
    total = (total >> 16) + (total & 0xffff)
    total = (total >> 16) + (total & 0xffff)
    return struct.pack("!BBHHHBBHII", 0x45, 0, length, ident, 0, 64, protocol, ~total & 0xffff, source, destination)


def _udp_frames(flows, size):
    """One packet per flow. Sources lie all over 10.0.0.0/8, destinations in 10.128.0.0/16 at four ports."""
    choose = random.Random(1).choice
    ethernet, padding = _mac(TARGET_MAC) + _mac(HOST_MAC) + b"\x08\x00", bytes(size - 4 - 42)
    for i in range(flows):
        source = 0x0a000000 | i * 0x9e3779b1 & 0xffffff
        destination = 0x0a800000 | i * 40503 & 0xffff
        yield b"".join((ethernet, _ipv4(17, source, destination, size - 18, i & 0xffff),
                        struct.pack("!HHHH", 1024 + i % 50000, choose(SERVICES), size - 38, 0), padding))


def _in_gre(frame):
    outer = _ipv4(47, _address(FAR["address"]), _address(NEAR["address"]), 28 + len(frame), 0)
    return _mac(NEAR["mac"]) + _mac(FAR["mac"]) + b"\x08\x00" + outer + struct.pack("!HHI", 0x2000, 0x6558, TUNNEL_KEY) + frame


def write_pcap(path, flows, size=64, gre=False):
    """size counts the 4 bytes of FCS, as sizes of Ethernet frames do; with gre it is the inner frame's."""
    with open(path + ".part", "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for frame in _udp_frames(flows, size):
            frame = _in_gre(frame) if gre else frame
            f.write(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)
    os.rename(path + ".part", path)


# --- flows ---

FORWARD = ["in_port=1,actions=output:2"]


def access_list(rules=1000):
    """Four shapes of masks in table 0, each sent on to table 10 or 20. The packets above meet every shape."""
    rnd = random.Random(2)
    flows = []
    for i in range(rules // 4):
        level, service = i % 50, rnd.choice(SERVICES)
        flows += [
            f"table=0,priority={100 + level},udp,nw_dst=10.{128 + i // 256 % 128}.{i % 256}.0/24,tp_dst={service},actions=resubmit(,10)",
            f"table=0,priority={200 + level},udp,nw_src=10.{i % 256}.0.0/16,actions=resubmit(,10)",
            f"table=0,priority={300 + level},udp,tp_src={1024 + i},tp_dst={rnd.choice(SERVICES)},actions=resubmit(,10)",
            f"table=0,priority={50 + level},udp,nw_src=10.{i % 256}.{rnd.randrange(256)}.0/24,nw_dst=10.128.0.0/9,actions=resubmit(,20)",
        ]
    return flows + ["table=0,priority=1,ip,actions=resubmit(,10)",
                    f"table=10,priority=10,dl_src={HOST_MAC},actions=output:2",
                    "table=20,actions=mod_nw_tos:32,output:2"]


def many_shapes(rules=100_000):
    """Twenty shapes of masks: five pairs of prefix lengths, each alone, with one port, the other, and both."""
    rnd = random.Random(3)
    prefixes = [(32, 32), (24, 32), (32, 24), (24, 24), (16, 20)]
    ports = [(False, False), (True, False), (False, True), (True, True)]
    shapes = [(p, q) for p in prefixes for q in ports]
    flows = {}
    for i in itertools.count():
        (source_bits, destination_bits), (sport, dport) = shapes[i % len(shapes)]
        n = rnd.randrange(1_000_000)  # of a packet that does come, so that many of the rules are met
        source = (0x0a000000 | n * 0x9e3779b1 & 0xffffff) >> 32 - source_bits << 32 - source_bits
        destination = (0x0a800000 | n * 40503 & 0xffff) >> 32 - destination_bits << 32 - destination_bits
        level = source_bits + destination_bits + 100 * sport + 100 * dport
        match = f"udp,nw_src={_dotted(source)}/{source_bits},nw_dst={_dotted(destination)}/{destination_bits}"
        match += f",tp_src={1024 + n % 50000}" if sport else ""
        match += f",tp_dst={rnd.choice(SERVICES)}" if dport else ""
        flows[match] = f"table=0,priority={level},{match},actions=resubmit(,10)"
        if len(flows) == rules:
            break
    return list(flows.values()) + ["table=0,priority=1,ip,actions=resubmit(,10)", f"table=10,priority=10,dl_src={HOST_MAC},actions=output:2"]


def distinct_flows(count):
    """Flows like an application's: two addresses and a port, over four tables and sixteen priorities."""
    for i in range(count):
        yield (f"table={i % 4},priority={1000 + i % 16},tcp,nw_src=10.{i >> 16}.{i >> 8 & 255}.{i & 255},"
               f"nw_dst=192.168.{i % 256}.0/24,tp_dst={i % 60000},actions=output:2")


def _dotted(address):
    return ".".join(str(b) for b in address.to_bytes(4, "big"))


# --- files ---

class Files:
    """Makes each file once in a run."""

    def __init__(self, folder):
        self.folder = folder

    @functools.lru_cache(maxsize=None)
    def pcap(self, flows, gre=False):
        path = os.path.join(self.folder, f"{'gre' if gre else 'udp'}-{flows}.pcap")
        write_pcap(path, flows, gre=gre)
        return path

    @functools.lru_cache(maxsize=None)
    def flows(self, kind, *args):
        path = os.path.join(self.folder, "-".join(map(str, (kind.__name__, *args))))
        with open(path, "w", encoding="utf-8") as f:
            f.writelines(flow + "\n" for flow in kind(*args))
        return path
