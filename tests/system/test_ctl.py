"""xvs-ctl: every command, chains as transactions, and the configuration that outlives the daemon."""
import json
import re

import pytest

import xvs
from topo import Star


@pytest.fixture
def sw(lab):
    return lab.switch(lab.ns("s"))


def words(sw, *args):
    return sw.ctl(*args).stdout.split()


def refused(sw, *args, says=()):
    """The command fails with status 1 and says these words; gives stderr."""
    done = sw.ctl(*args, check=False)
    assert done.returncode == 1, f"{args}: exit status {done.returncode}\n{done.stdout}{done.stderr}"
    assert done.stdout == ""
    for word in (says,) if isinstance(says, str) else says:
        assert word in done.stderr, f"{args}: {word!r} is not in {done.stderr!r}"
    return done.stderr


def config_of(sw):
    with open(sw.config, encoding="utf-8") as f:
        return f.read()


# --- every command has a test; this one fails when a new one has none ---

def test_every_command_is_tested_here(lab):
    with open(__file__, encoding="utf-8") as f:
        source = f.read()
    ns = lab.ns("s")
    for command in ns.run(xvs.CTL, "--complete").stdout.split():
        others = {"trace": "test_trace.py", "set-queue": "test_queues.py", "del-queue": "test_queues.py", "exit": "test_daemon.py", "log": "test_daemon.py"}
        assert f'"{command}"' in source or command in others, f"no test of xvs-ctl {command}"
        assert "usage" in ns.run(xvs.CTL, command, "--help").stdout


def test_bridges(sw):
    assert sw.ctl("list-br").stdout == ""
    assert sw.ctl("br-exists", "br0", check=False).returncode == 2
    sw.ctl("add-br", "br0")
    sw.ctl("add-br", "br1")
    assert words(sw, "list-br") == ["br0", "br1"]
    assert sw.ctl("br-exists", "br0").returncode == 0
    refused(sw, "add-br", "br0", says=("br0", "--may-exist"))
    sw.ctl("--may-exist", "add-br", "br0")
    sw.ctl("add-br", "--may-exist", "br0")
    sw.ctl("del-br", "br0")
    refused(sw, "del-br", "br0", says="br0")
    sw.ctl("--if-exists", "del-br", "br0")
    assert words(sw, "list-br") == ["br1"]


def test_ports(sw):
    sw.ctl("add-br", "br0", "--", "add-br", "br1")
    sw.ctl("add-port", "br0", "t1", "type=internal", "ofport=5")
    assert words(sw, "list-ports", "br0") == ["t1"]
    assert words(sw, "port-to-br", "t1") == ["br0"]
    assert words(sw, "get", "interface", "t1", "ofport") == ["5"]
    refused(sw, "add-port", "br0", "t1", says=("t1", "--may-exist"))
    refused(sw, "--may-exist", "add-port", "br1", "t1", says=("t1", "br0"))
    sw.ctl("--may-exist", "add-port", "br0", "t1", "ofport=6")
    assert words(sw, "get", "interface", "t1", "ofport") == ["6"]
    refused(sw, "port-to-br", "t9", says="t9")
    refused(sw, "del-port", "br1", "t1", says=("t1", "br1"))
    refused(sw, "del-port", "t9", says="t9")
    sw.ctl("--if-exists", "del-port", "t9")
    sw.ctl("del-port", "t1")
    assert words(sw, "list-ports", "br0") == []
    refused(sw, "list-ports", "br9", says="br9")


@pytest.mark.parametrize("form", [
    ["type=gre", "remote_ip=192.168.5.2", "local_ip=192.168.5.1", "key=flow"],
    ["type=gre", "remote-ip=192.168.5.2", "local-ip=192.168.5.1", "key=flow"],
    ["--", "set", "interface", "gre1", "type=gre", "options:remote_ip=192.168.5.2", "options:local_ip=192.168.5.1",
     "options:key=flow"],
    ["--", "set", "Interface", "gre1", "type=gre", "option:remote_ip=192.168.5.2", "option:local_ip=192.168.5.1",
     "option:key=flow"],
    ["--", "set", "interface", "gre1", "type=gre", "options={remote_ip=192.168.5.2,local_ip=192.168.5.1,key=flow}"],
    ["--", "set", "port", "gre1", "type=\"gre\"", "options:remote_ip=\"192.168.5.2\"", "options:local_ip=192.168.5.1",
     "options:key=flow"],
    ["type=gre", "options:remote_ip=192.168.5.2", "options:local_ip=192.168.5.1", "options:key=flow"],
], ids=["short", "dashes", "set interface", "option:", "map", "quotes", "words of set"])
def test_all_forms_of_a_tunnel_mean_the_same(sw, form):
    sw.ctl("add-br", "br0", "--", "add-port", "br0", "gre1", *form)
    options = sw.ctl("get", "interface", "gre1", "options").stdout.strip()
    assert options == "{remote_ip=192.168.5.2, local_ip=192.168.5.1, key=flow}"
    assert sw.ctl("get", "interface", "gre1", "options:remote_ip").stdout.strip() == "192.168.5.2"
    assert sw.ctl("get", "interface", "gre1", "type").stdout.strip() == "gre"


def test_local_was_never_an_option(sw):
    sw.ctl("add-br", "br0")
    refused(sw, "add-port", "br0", "gre1", "type=gre", "remote_ip=192.168.5.2", "local=192.168.5.1",
            says=("local", "local_ip"))
    assert words(sw, "list-ports", "br0") == []


def test_set_get_remove_clear(sw):
    sw.ctl("add-br", "br0", "--", "set", "bridge", "br0", "fail_mode=secure", "other_config:hwaddr=02:00:00:00:00:01",
           "external-ids:a=1", "external_ids:b=two words")
    assert sw.ctl("get", "bridge", "br0", "fail_mode").stdout == "secure\n"
    assert sw.ctl("get", "Bridge", "br0", "external_ids").stdout == '{a=1, b="two words"}\n'
    assert sw.ctl("get", "bridge", "br0", "fail-mode", "external_ids:a").stdout == "secure\n1\n"
    assert sw.ns.mac("br0") == "02:00:00:00:00:01"
    sw.ctl("remove", "bridge", "br0", "external_ids", "a")
    assert sw.ctl("get", "bridge", "br0", "external_ids").stdout == '{b="two words"}\n'
    refused(sw, "get", "bridge", "br0", "external_ids:a", says="a")
    assert sw.ctl("--if-exists", "get", "bridge", "br0", "external_ids:a").returncode == 0
    sw.ctl("clear", "bridge", "br0", "external_ids")
    assert sw.ctl("get", "bridge", "br0", "external_ids").stdout == "{}\n"
    refused(sw, "set", "bridge", "br9", "fail_mode=secure", says="br9")
    sw.ctl("--if-exists", "set", "bridge", "br9", "fail_mode=secure")
    refused(sw, "set", "bridge", "br0", "fail_mode=often", says="secure")
    refused(sw, "set", "bridge", "br0", "fial_mode=secure", says=("fial_mode", "fail_mode"))
    refused(sw, "set", "brigde", "br0", "fail_mode=secure", says="brigde")
    # Reads what no one has set: state of what runs.
    assert re.fullmatch(r'"?[0-9a-f]{16}"?\n', sw.ctl("get", "bridge", "br0", "datapath_id").stdout)
    assert "fail_mode" in sw.ctl("get", "bridge", "br0").stdout


def test_datapath_id(sw):
    sw.ctl("add-br", "br0", "--", "set", "bridge", "br0", "other_config:datapath-id=00000000000000ab",
           "other-config:dp-desc=the one", "datapath_type=netdev", "protocols=OpenFlow13", "stp_enable=false")
    assert "00000000000000ab" in sw.ctl("show").stdout
    assert "dpid:00000000000000ab" in sw.ofctl("show", "br0").stdout
    assert "the one" in sw.ofctl("dump-desc", "br0").stdout


def test_controllers(sw):
    sw.ctl("add-br", "br0")
    assert words(sw, "get-controller", "br0") == []
    sw.ctl("set-controller", "br0", "tcp:127.0.0.1:1", "ptcp:16653:127.0.0.1")
    assert words(sw, "get-controller", "br0") == ["tcp:127.0.0.1:1", "ptcp:16653:127.0.0.1"]
    # A command returns when it is done: the socket listens.
    assert "OFPST_DESC" in sw.ns.run("ovs-ofctl", "-O", "OpenFlow13", "dump-desc", "tcp:127.0.0.1:16653").stdout
    assert "not connected" in sw.ctl("show").stdout
    for bad in "tcp", "tcp:", "ssl:1.2.3.4", "http://x", "127.0.0.1":
        refused(sw, "set-controller", "br0", bad, says=bad)
    assert len(words(sw, "get-controller", "br0")) == 2
    sw.ctl("del-controller", "br0")
    assert words(sw, "get-controller", "br0") == []
    assert sw.ns.run("ovs-ofctl", "-O", "OpenFlow13", "dump-desc", "tcp:127.0.0.1:16653", check=False).returncode == 1


def test_fail_mode(sw):
    sw.ctl("add-br", "br0")
    assert words(sw, "get-fail-mode", "br0") == ["standalone"]
    sw.ctl("set-fail-mode", "br0", "secure")
    assert words(sw, "get-fail-mode", "br0") == ["secure"]
    refused(sw, "set-fail-mode", "br0", "often", says="often")
    sw.ctl("del-fail-mode", "br0")
    assert words(sw, "get-fail-mode", "br0") == ["standalone"]


def test_show(sw):
    sw.ctl("add-br", "br0", "--", "add-port", "br0", "t1", "type=internal", "ofport=3", "--", "add-port", "br0", "gre1",
           "type=gre", "remote_ip=192.168.5.2", "key=flow")
    text = sw.ctl("show").stdout
    for word in "bridge br0", "t1 internal", "gre1 gre", "remote_ip=192.168.5.2":
        assert word in text, text
    shown = json.loads(sw.ctl("-f", "json", "show", "br0").stdout)["bridges"]
    assert [b["name"] for b in shown] == ["br0"]
    assert [p["name"] for p in shown[0]["ports"]] == ["br0", "t1", "gre1"]
    assert shown[0]["ports"][1]["ofport"] == "3"
    assert shown[0]["ports"][2]["options"] == {"remote_ip": "192.168.5.2", "key": "flow"}
    refused(sw, "show", "br9", says="br9")


def test_json_is_json_everywhere(lab):
    star = Star(lab)
    star.sw.ctl("add-port", "br0", "gre1", "type=gre", "remote_ip=192.168.5.2", "--", "set-controller", "br0", "tcp:127.0.0.1:1")
    star.h[0].ping("10.0.0.2", count=1, check=False, wait=1)
    for command in (["show"], ["list-br"], ["list-ports", "br0"], ["port-to-br", "p1"], ["get-controller", "br0"],
                    ["get-fail-mode", "br0"], ["get", "bridge", "br0"], ["get", "interface", "gre1", "options"],
                    ["fdb", "br0"], ["drops"], ["show-workers"], ["show-cache"], ["show-tunnels"], ["log"], ["version"],
                    ["trace", "br0", "in_port=1,icmp"]):
        json.loads(star.sw.ctl("-f", "json", *command).stdout)


def test_fdb(lab):
    star = Star(lab)
    star.h[0].ping("10.0.0.2", count=2)
    rows = {line.split()[2]: line.split()[0] for line in star.sw.ctl("fdb", "br0").stdout.splitlines()[1:]}
    assert rows == {"02:00:00:00:00:01": "1", "02:00:00:00:00:02": "2"}
    star.sw.ctl("fdb", "br0", "flush")
    assert star.sw.ctl("fdb", "br0").stdout.splitlines()[1:] == []
    star.h[0].ping("10.0.0.2", count=2)
    refused(star.sw, "fdb", "br0", "flsuh", says="flush")
    refused(star.sw, "fdb", "br9", says="br9")


def test_fdb_follows_a_host_that_moves(lab):
    star = Star(lab, hosts=3)
    a, b, c = star.h
    a.ping("10.0.0.2", count=2)
    b.ip("link", "set", "eth0", "down")
    c.ip("link", "set", "eth0", "address", "02:00:00:00:00:02")
    c.ip("addr", "add", "10.0.0.2/24", "dev", "eth0")
    c.ping("10.0.0.1", count=1)
    a.ping("10.0.0.2", count=2)
    assert re.search(r"\b3 +0 +02:00:00:00:00:02", star.sw.ctl("fdb", "br0").stdout)


def test_drops(lab):
    star = Star(lab, flows=["arp,actions=NORMAL", "icmp,icmp_type=8,in_port=1,actions=drop"])
    assert star.sw.ctl("drops").stdout == "no packet was dropped\n"
    star.h[0].ping("10.0.0.2", count=3, check=False, wait=1, interval=0.05)
    rows = {r["reason"]: r for r in json.loads(star.sw.ctl("-f", "json", "drops").stdout)}
    assert rows["action"]["packets"] == 3
    star.sw.ctl("drops", "reset")
    assert star.sw.ctl("drops").stdout == "no packet was dropped\n"
    refused(star.sw, "drops", "rest", says="reset")


def test_what_the_datapath_shows(lab):
    star = Star(lab)
    star.sw.ctl("add-port", "br0", "gre1", "type=gre", "remote_ip=192.168.5.2")
    star.h[0].ping("10.0.0.2", count=3)
    assert re.search(r"worker 0: .*packets", star.sw.ctl("show-workers").stdout)
    assert star.sw.ctl("show-cache").stdout
    assert "gre1" in star.sw.ctl("show-tunnels").stdout
    assert "xvs-vswitchd" in star.sw.ctl("version").stdout


# --- chains ---

@pytest.mark.parametrize("bad", [
    ["add-port", "br9", "t2"],
    ["add-port", "br0", "gre1", "type=gre", "remote_ip=1.2.3"],
    ["add-port", "br0", "gre1", "type=gre"],
    ["set", "bridge", "br0", "fail_mode=often"],
    ["del-br", "br9"],
    ["set-controller", "br0", "nothing"],
    ["add-br", "a-name-that-no-device-may-have"],
    ["add-br", "lo"],
    ["no-such-command"],
    ["add-br"],
])
def test_a_chain_whose_last_command_is_bad_changes_nothing(sw, bad):
    sw.ctl("add-br", "br0", "--", "add-port", "br0", "t1", "type=internal")
    before, links = config_of(sw), sw.ns.ip("-o", "link").stdout.count("\n")
    sw.ofctl("add-flow", "br0", "in_port=1,actions=drop")
    refused(sw, "add-br", "br1", "--", "add-port", "br0", "t2", "type=internal", "--", "set", "bridge", "br0",
            "fail_mode=secure", "--", "del-port", "t1", "--", *bad)
    assert words(sw, "list-br") == ["br0"]
    assert words(sw, "list-ports", "br0") == ["t1"]
    assert words(sw, "get-fail-mode", "br0") == ["standalone"]
    assert config_of(sw) == before
    assert sw.ns.ip("-o", "link").stdout.count("\n") == links
    assert "actions=drop" in sw.ofctl("dump-flows", "br0").stdout


def test_a_chain_may_use_what_it_makes(sw):
    sw.ctl("add-br", "br0", "--", "add-port", "br0", "t1", "--", "set", "interface", "t1", "type=internal",
           "ofport_request=9", "--", "set-controller", "br0", "ptcp:16653:127.0.0.1", "--", "set-fail-mode", "br0", "secure")
    assert words(sw, "get", "interface", "t1", "ofport") == ["9"]


def test_a_chain_that_replaces(sw):
    """As Mininet does it: --if-exists del-br, then add-br again, in one line."""
    sw.ctl("add-br", "br0", "--", "add-port", "br0", "t1", "type=internal")
    sw.ctl("--", "--if-exists", "del-br", "br0", "--", "add-br", "br0", "--", "set", "bridge", "br0", "fail_mode=secure")
    assert words(sw, "list-ports", "br0") == []
    assert words(sw, "get-fail-mode", "br0") == ["secure"]


def test_a_tunnels_options_change_while_it_runs(sw):
    sw.ctl("add-br", "br0", "--", "add-port", "br0", "gre1", "type=gre", "remote_ip=192.168.5.2", "key=1", "ofport=4")
    sw.ctl("set", "interface", "gre1", "options:key=2", "options:ttl=9")
    assert "key=2" in sw.ctl("get", "interface", "gre1", "options").stdout
    assert words(sw, "get", "interface", "gre1", "ofport") == ["4"]
    refused(sw, "set", "interface", "gre1", "options:key=abc", says="key")
    assert "key=2" in sw.ctl("get", "interface", "gre1", "options").stdout


def test_adding_and_removing_while_traffic_flows(lab):
    """A change elsewhere in the configuration costs the traffic nothing."""
    star = Star(lab)
    a = star.h[0]
    a.ping("10.0.0.2", count=1)
    ping = lab.popen(a, "ping", "-n", "-i", "0.01", "-c", "150", "10.0.0.2", stdout=-1, text=True)
    for n in range(5):
        star.sw.ctl("add-port", "br0", f"t{n}", "type=internal")
        star.sw.ctl("add-br", f"x{n}")
    for n in range(5):
        star.sw.ctl("del-port", f"t{n}", "--", "del-br", f"x{n}")
    out, _ = ping.communicate(timeout=20)
    assert " 0% packet loss" in out, out[-300:]


# --- the configuration file ---

SETTINGS = [
    ["add-br", "br0", "--", "set", "bridge", "br0", "other_config:hwaddr=02:00:00:00:00:01", "fail_mode=secure",
     "external_ids:note=a \"quoted\" note: # and more"],
    ["add-port", "br0", "t1", "type=internal", "ofport=7"],
    ["add-port", "br0", "gre1", "type=gre", "remote_ip=192.168.5.2", "key=flow", "csum=true", "ofport=12"],
    ["set-controller", "br0", "tcp:127.0.0.1:1", "ptcp:16653:127.0.0.1"],
]


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_all_is_back_after_a_restart(sw, end):
    for command in SETTINGS:
        sw.ctl(*command)

    def state():
        shown = json.loads(sw.ctl("-f", "json", "show").stdout)
        for bridge in shown["bridges"]:
            for controller in bridge["controllers"]:
                for name in "seconds", "error":
                    controller.pop(name, None)
            bridge.pop("flows", None)
            for p in bridge["ports"]:
                if p["type"] == "internal" and p["name"] != "br0":
                    p.pop("mac")  # made anew
                p.pop("status", None)
        return shown, sw.ctl("get", "bridge", "br0", "external_ids").stdout

    before, text = state(), config_of(sw)
    getattr(sw, end)()
    sw.start()
    assert state() == before
    assert config_of(sw) == text
    assert "OFPST_DESC" in sw.ns.run("ovs-ofctl", "-O", "OpenFlow13", "dump-desc", "tcp:127.0.0.1:16653").stdout


def test_a_configuration_that_cannot_be_saved_is_not_taken(lab):
    """Persisted or refused: what runs and what is in the file are the same."""
    ns = lab.ns("s")
    sw = lab.switch(ns, args=[])
    sw.ctl("add-br", "br0")
    before = config_of(sw)
    # A folder where the new file would go: neither written nor renamed onto.
    import os
    os.rename(sw.config, sw.config + ".away")
    os.mkdir(sw.config)
    open(os.path.join(sw.config, "full"), "w", encoding="utf-8").close()
    err = refused(sw, "add-br", "br1", says="xvs.yaml")
    assert "br1" not in words(sw, "list-br"), err
    os.remove(os.path.join(sw.config, "full"))
    os.rmdir(sw.config)
    os.rename(sw.config + ".away", sw.config)
    sw.ctl("add-br", "br2")
    assert before in config_of(sw) or "br2" in config_of(sw)


def test_no_temporary_files_are_left(sw):
    import os
    for n in range(5):
        sw.ctl("add-br", f"br{n}")
    left = [f for f in os.listdir(sw.rundir) if f.startswith("xvs.yaml") and f != "xvs.yaml"]
    assert left == []


# --- the socket ---

def raw(sw, data, wait=True):
    """Bytes to the control socket; what it answers."""
    import socket
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(5 * xvs.slowness())
        s.connect(f"{sw.rundir}/xvs.ctl")
        s.sendall(data)
        answer = b""
        while wait and not answer.endswith(b"\n"):
            more = s.recv(65536)
            if not more:
                break
            answer += more
        return answer.decode()


@pytest.mark.parametrize("line", [
    b"\n", b"{}\n", b"nonsense\n", b'{"commands": []}\n', b'{"commands": [[]]}\n', b'{"commands": "show"}\n',
    b'{"commands": [["show", 1, {}]]}\n', b'{"commands": [["nothing"]]}\n', b'[1,2]\n', b'"x"\n', b"\xff\xfe\x00\n",
    b'{"commands": [["add-br", "a\\u0000b"]]}\n', b'{"commands": [["add-br"]]}\n', b'{"commands": [["show"]], "format": 5}\n',
    b"[" * 5000 + b"\n",
])
def test_nonsense_on_the_control_socket(sw, line):
    answer = raw(sw, line)
    if answer:
        assert json.loads(answer)["status"] in (0, 1)
    assert words(sw, "list-br") == []


def test_a_client_that_hangs_up_early(sw):
    raw(sw, b'{"commands": [["list-br"]', wait=False)
    raw(sw, b'{"commands": [["show"]]}\n', wait=False)
    assert words(sw, "list-br") == []


def test_a_request_without_end(sw):
    try:
        raw(sw, b'{"commands": [["show", "' + b"x" * (3 << 20))
    except OSError:
        pass  # the daemon may hang up
    assert words(sw, "list-br") == []


def test_many_clients_at_once(sw):
    sw.ctl("add-br", "br0")
    clients = [sw.ns.popen(xvs.CTL, "add-port", "br0", f"t{n}", "type=internal", env=sw.env) for n in range(20)]
    assert [c.wait(20) for c in clients] == [0] * 20
    assert len(words(sw, "list-ports", "br0")) == 20
