"""Frames into a switch and out of it, one exchange at a time: for many small cases on one switch."""
import json
import sys

SENTINEL_TYPE = "88b6"
SENTINEL = "ffffffffffff" + "020000000099" + SENTINEL_TYPE + "00" * 46
# It must come first, whatever a case's flows are.
SENTINEL_FLOW = f"priority=65535,dl_type=0x{SENTINEL_TYPE},actions=1,2,3,in_port"

HELPER = """
import json, select, socket, struct, sys, time
names, sentinel = json.loads(sys.argv[1]), bytes.fromhex(sys.argv[2])
socks = {}
for number, name in enumerate(names, 1):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.bind((name, 0))
    s.setsockopt(263, 8, 1)  # SOL_PACKET, PACKET_AUXDATA: the kernel cuts tags out
    socks[number] = s
print("ready", flush=True)
for line in sys.stdin:
    port, frames = json.loads(line)
    got, waiting, end = {n: [] for n in socks}, set(socks), time.monotonic() + 10
    for frame in frames:
        socks[port].send(bytes.fromhex(frame))
    socks[port].send(sentinel)
    while waiting and time.monotonic() < end:
        for s in select.select([s for n, s in socks.items() if n in waiting], [], [], 0.5)[0]:
            n = next(n for n, x in socks.items() if x is s)
            data, aux, _, address = s.recvmsg(70000, 256)
            if address[2] == 4:  # PACKET_OUTGOING
                continue
            for level, kind, value in aux:
                status, _, _, _, _, tci, tpid = struct.unpack_from("=IIIHHHH", value)
                if status & 16:
                    data = data[:12] + struct.pack("!HH", tpid if status & 64 else 0x8100, tci) + data[12:]
            if data == sentinel:
                waiting.discard(n)
            else:
                got[n].append(data.hex())
    print(json.dumps({"late": sorted(waiting), "got": got}), flush=True)
"""


class Wire:
    """Ports 1, 2 and 3 of br0, each with a device in one namespace that only this test uses."""

    def __init__(self, lab, ports=3):
        self.lab = lab
        self.host, self.ns = lab.ns("h"), lab.ns("s")
        self.sw = lab.switch(self.ns)
        names = [f"e{n}" for n in range(1, ports + 1)]
        self.sw.ctl("add-br", "br0", "--", "set", "bridge", "br0", "fail_mode=secure")
        for n, name in enumerate(names, 1):
            lab.veth(self.host, name, self.ns, f"p{n}", mtu=2000)
            self.sw.ctl("add-port", "br0", f"p{n}", "--", "set", "interface", f"p{n}", f"ofport_request={n}")
        self.helper = lab.popen(self.host, sys.executable, "-c", HELPER, json.dumps(names), SENTINEL, stdin=-1, stdout=-1,
                                      text=True)
        assert self.helper.stdout.readline() == "ready\n"

    def flows(self, *flows):
        """These flows and no others."""
        self.sw.ofctl("del-flows", "br0")
        self.sw.ofctl("add-flows", "br0", "-", input="\n".join([SENTINEL_FLOW, *flows]) + "\n")

    def exchange(self, *frames, port=1):
        """Sends frames into a port; gives {port: [frames that came out]}, when all have come."""
        self.helper.stdin.write(json.dumps([port, [bytes(f).hex() for f in frames]]) + "\n")
        self.helper.stdin.flush()
        answer = json.loads(self.helper.stdout.readline())
        assert not answer["late"], f"nothing more came out of ports {answer['late']}"
        return {int(n): [bytes.fromhex(f) for f in got] for n, got in answer["got"].items()}

    def n_packets(self, *words):
        lines = [line for line in self.sw.ofctl("dump-flows", "br0").stdout.splitlines() if all(w in line for w in words)]
        assert len(lines) == 1, f"{len(lines)} flows with {words}"
        return int(lines[0].split("n_packets=")[1].split(",")[0])
