"""xvs-ofctl with xvs-vswitchd, and with switches that misbehave."""
import json
import os
import socket
import threading

import pytest
import xvs

HELLO = bytes.fromhex("0400000800000001")


@pytest.fixture
def bridge(lab):
    s, h = lab.ns("s"), lab.ns("h")
    lab.veth(h, "eth1", s, "p1")
    switch = lab.switch(s)
    switch.ctl("add-br", "br0")
    switch.ctl("add-port", "br0", "p1")
    return switch


def test_warns_of_tunnel_keys_without_tunnels(bridge):
    done = bridge.ofctl("add-flow", "br0", "tun_id=10,actions=set_tunnel:10,output:p1")
    assert "br0 has no tunnel port" in done.stderr and "gre_key" in done.stderr
    bridge.ctl("add-port", "br0", "gre1", "type=gre", "remote_ip=192.0.2.1", "key=flow")
    done = bridge.ofctl("add-flow", "br0", "tun_id=11,actions=set_tunnel:10,output:gre1")
    assert not done.stderr


def test_names_both_ways(bridge):
    bridge.ofctl("add-flow", "br0", "priority=5,in_port=p1,actions=output:p1,local")
    flows = bridge.ofctl("--names", "dump-flows", "br0").stdout
    assert "in_port=p1 actions=output:p1,LOCAL" in flows
    names = {p["name"]: p["port"] for p in json.loads(bridge.ofctl("-f", "json", "show", "br0").stdout)["ports"]}
    assert names["br0"] == "LOCAL" and isinstance(names["p1"], int)


def test_other_bridges_are_named(bridge):
    done = bridge.ofctl("show", "br1", check=False)
    assert done.returncode == 1 and "there are: br0" in done.stderr


# --- Switches that misbehave ---

class FakeSwitch:
    """Says `words` in turn, each after something was received."""

    def __init__(self, folder, *words):
        self.path = os.path.join(folder, "fake.mgmt")
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(self.path)
        self.socket.listen()
        self.words, self.stop = words, threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        peer, _ = self.socket.accept()
        with peer:
            for word in self.words:
                if not peer.recv(65536):
                    return
                if word is None:
                    return
                peer.sendall(word)
            self.stop.wait(10)

    def close(self):
        self.stop.set()
        self.socket.close()


@pytest.mark.parametrize("words, complaint", [
    ([], "does not answer"),
    ([None], "has closed the connection"),
    ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], "no HELLO"),
    ([bytes.fromhex("0400000100000001")], "not OpenFlow"),
    ([bytes.fromhex("0200001000000001") + bytes.fromhex("0001000800000004")], "speaks OpenFlow 1.1"),
    ([bytes.fromhex("0401000c00000001") + bytes.fromhex("00000001")], "refuses the connection"),
    ([HELLO], "does not answer"),
    ([HELLO, None], "has closed the connection"),
    ([HELLO, bytes.fromhex("0406000800000002")], "malformed"),
    ([HELLO, bytes.fromhex("0414000800000002")], "instead of OFPT_FEATURES_REPLY"),
    ([HELLO, bytes.fromhex("0401000c0000000200010005")], "does not let this client do that (OFPBRC_EPERM)"),
    ([HELLO, bytes.fromhex("0401000c0000000200630007")], "type 99, code 7"),
])
def test_says_what_is_wrong_with_the_switch(tmp_path, words, complaint):
    fake = FakeSwitch(tmp_path, *words)
    try:
        done = xvs.run(xvs.OFCTL, "-t", "1", "show", "fake", env={**os.environ, "XVS_RUNDIR": str(tmp_path)}, check=False)
    finally:
        fake.close()
    assert done.returncode == 1 and complaint in done.stderr and done.stderr.startswith("xvs-ofctl: fake: ")


def test_answers_echo_requests(tmp_path):
    """Also while it waits for something else."""
    echo = bytes.fromhex("0402000a000000636869")
    reply = bytes.fromhex("040600200000000200000000000000010000000001000000000000000000000000")[:32]
    fake = FakeSwitch(tmp_path, HELLO, echo, reply)
    try:
        done = xvs.run(xvs.OFCTL, "-t", "2", "-v", "show", "fake", env={**os.environ, "XVS_RUNDIR": str(tmp_path)}, check=False)
    finally:
        fake.close()
    assert "sent: OFPT_ECHO_REPLY (OF1.3) (xid=0x63): 2 bytes" in done.stderr
    assert "received: OFPT_FEATURES_REPLY" in done.stderr


def test_stale_socket(tmp_path):
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(tmp_path / "br0.mgmt"))
    done = xvs.run(xvs.OFCTL, "show", "br0", env={**os.environ, "XVS_RUNDIR": str(tmp_path)}, check=False)
    assert done.returncode == 1 and "nobody listens" in done.stderr


def test_flags_in_json(bridge):
    bridge.ofctl("add-flow", "br0", "priority=9,send_flow_rem,reset_counts,actions=drop")
    flows = json.loads(bridge.ofctl("-f", "json", "dump-flows", "br0").stdout)["flows"]
    flow, = [f for f in flows if f["priority"] == 9]
    assert flow["flags"] == ["send_flow_rem", "reset_counts"] and not flow["actions"]
