"""What people get wrong: each is answered with a clear message and exit status 1, and changes nothing."""
import re

import pytest


@pytest.fixture
def sw(lab):
    switch = lab.switch(lab.ns("s"))
    switch.ctl("add-br", "br0", "--", "add-port", "br0", "t1", "type=internal", "ofport=1", "--", "add-port", "br0", "t2",
               "type=internal", "ofport=2", "--", "set-fail-mode", "br0", "secure")
    return switch


def flows(sw, bridge="br0"):
    return re.sub(r"duration=[^,]*, |idle_age=\d+, ", "", sw.ofctl("dump-flows", bridge).stdout)


def assert_caret(stderr, text, word):
    """The message has the flow, and below it a caret under the word."""
    lines = stderr.splitlines()
    at = [n for n, line in enumerate(lines) if text in line]
    assert at, f"the flow is not shown:\n{stderr}"
    line, below = lines[at[0]], lines[at[0] + 1]
    assert line.index(text) + text.index(word) == below.index("^"), f"the caret is not under {word!r}:\n{stderr}"


BAD_FLOWS = [  # (flow, the word under which the caret stands, what the message says)
    ("nw_src=10.0.0.1,actions=2", "nw_src", ["eth_type", "ip,nw_src=10.0.0.1"]),
    ("ip,nw_src=10.0.0.999,actions=2", "999", ["999"]),
    ("tcp,tpdst=80,actions=output:2", "tpdst", ["tpdst", "did you mean", "tp_dst"]),
    ("ip,nw_src=10.0.0.1,nw_src=10.0.0.2,actions=2", None, ["nw_src"]),
    ("in_port=1,in_port=2,actions=2", None, ["in_port"]),
    ("in_port=nosuch,actions=2", "nosuch", ["nosuch"]),
    ("priority=70000,actions=2", "70000", ["70000"]),
    ("table=255,actions=2", "255", ["255"]),
    ("in_port=1", None, ["actions"]),
    ("in_port=1,actions=outptu:2", "outptu", ["did you mean", "output"]),
    ("in_port=1,actions=output:nosuch", "nosuch", ["nosuch"]),
    ("actions=set_field:10.0.0.1->nw_dst,2", None, ["nw_dst"]),
    ("actions=set_field:300->nw_ttl,2", None, []),
    ("table=3,actions=goto_table:2", None, ["goto_table"]),
    ("dl_vlan=5000,actions=2", "5000", ["5000"]),
    ("eth_src=02:00:00:00:00,actions=2", "02:00:00:00:00", []),
    ("arp,arp_op=65536,actions=2", None, []),
    ("ipv6,nw_src=10.0.0.1,actions=2", "nw_src", []),
    ("tun_id=0x1ffffffffffffffff,actions=2", "0x1ffffffffffffffff", []),
    ("gre_key=1,actions=2", "gre_key", ["ip", "nw_proto=47"]),
    ("ip,nw_proto=47,gre_key=0x1ffffffff,actions=2", "0x1ffffffff", []),
    ("tcp,udp,actions=2", None, []),
    ("idle_timeout=-1,actions=2", "-1", []),
    ("cookie=zz,actions=2", "zz", []),
    ("actions=resubmit(,300)", None, []),
    ("actions=push_vlan:0x1234", None, []),
]


@pytest.mark.parametrize("flow, word, says", BAD_FLOWS, ids=lambda v: v if isinstance(v, str) else "")
def test_bad_flows(sw, flow, word, says):
    sw.ofctl("add-flow", "br0", "priority=1,actions=drop")
    before = flows(sw)
    done = sw.ofctl("add-flow", "br0", flow, check=False)
    assert done.returncode == 1 and done.stdout == "", f"{done.returncode} {done.stdout}{done.stderr}"
    assert "^" in done.stderr, f"no caret:\n{done.stderr}"
    if word:
        assert_caret(done.stderr, flow, word)
    for text in says:
        assert text in done.stderr, f"{text!r} is not in:\n{done.stderr}"
    assert flows(sw) == before


def test_an_output_port_that_does_not_exist_is_a_warning(sw):
    done = sw.ofctl("add-flow", "br0", "in_port=1,actions=output:77")
    assert "77" in done.stderr and "warning" in done.stderr.lower(), done.stderr
    assert "output:77" in flows(sw)


def test_tun_id_without_tunnel_ports_is_a_warning(sw):
    done = sw.ofctl("add-flow", "br0", "tun_id=10,actions=output:2")
    assert "tun_id" in done.stderr and "tunnel" in done.stderr, done.stderr
    sw.ctl("add-port", "br0", "gre1", "type=gre", "remote_ip=192.168.5.2")
    assert sw.ofctl("add-flow", "br0", "tun_id=11,actions=output:2").stderr == ""


def test_one_bad_flow_in_a_file_takes_none(sw):
    done = sw.ofctl("add-flows", "br0", "-", input="in_port=1,actions=2\n# a note\n\nin_port=2,actoins=1\n", check=False)
    assert done.returncode == 1
    assert re.search(r"\b4\b|flow 2", done.stderr), f"which line it is is not said:\n{done.stderr}"
    assert "actions" not in flows(sw)


BAD_TUNNELS = [
    (["key=abc"], ["key", "abc"]),
    (["key=0x1ffffffff"], ["key", "0x1ffffffff"]),
    (["key=-1"], ["key"]),
    (["ttl=abc"], ["ttl", "abc"]),
    (["ttl=256"], ["ttl"]),
    (["tos=1000"], ["tos"]),
    (["csum=maybe"], ["csum", "maybe"]),
    (["remote_ip=300.1.1.1"], ["remote_ip", "300.1.1.1"]),
    (["remote-ip=300.1.1.2"], ["remote_ip", "300.1.1.2"]),
    (["remote_ip=no.such.name"], ["remote_ip"]),
    (["local_ip=abc"], ["local_ip", "abc"]),
    (["colour=red"], ["colour"]),
    (["remot_ip=1.2.3.4"], ["remot_ip", "remote_ip"]),
    (["kye=5"], ["kye", "key"]),
    (["ofport=0"], ["ofport"]),
    (["ofport=abc"], ["ofport"]),
    (["ofport=70000"], ["ofport"]),
    (["type=gree"], ["gree", "gre"]),
    (["type=vxlan"], ["vxlan"]),
]


@pytest.mark.parametrize("options, says", BAD_TUNNELS, ids=lambda v: v[0] if v and "=" in v[0] else "")
def test_bad_tunnels(sw, options, says):
    with open(sw.config, encoding="utf-8") as f:
        before = f.read()
    for words in (["add-port", "br0", "gre1", "type=gre", "remote_ip=192.168.5.2", *options],
                  ["add-port", "br0", "gre1", "--", "set", "interface", "gre1", "type=gre", "options:remote_ip=192.168.5.2",
                   *(o if o.startswith(("type", "ofport")) else f"options:{o}" for o in options)]):
        if any(w.startswith("ofport=") for w in words) and "--" in words:
            continue
        done = sw.ctl(*words, check=False)
        assert done.returncode == 1 and done.stdout == "", f"{words}: {done.stderr}"
        for text in says:
            assert text in done.stderr, f"{text!r} is not in {done.stderr!r}"
    assert "gre1" not in sw.ctl("list-ports", "br0").stdout
    with open(sw.config, encoding="utf-8") as f:
        assert f.read() == before


def test_a_tunnel_needs_its_other_end(sw):
    done = sw.ctl("add-port", "br0", "gre1", "type=gre", check=False)
    assert done.returncode == 1 and "remote_ip" in done.stderr


@pytest.mark.parametrize("same", [
    (["remote_ip=192.168.5.2"], ["remote_ip=192.168.5.2"]),
    (["remote_ip=192.168.5.2", "key=10"], ["remote_ip=192.168.5.2", "key=0xa"]),
    (["remote_ip=192.168.5.2", "key=flow"], ["remote_ip=192.168.5.2", "in_key=flow", "out_key=7"]),
    (["remote_ip=192.168.5.2", "local_ip=192.168.5.1", "key=10"], ["remote_ip=192.168.5.2", "local_ip=192.168.5.1", "in_key=10"]),
])
def test_two_tunnels_with_the_same_identity(sw, same):
    sw.ctl("add-br", "br1")
    sw.ctl("add-port", "br0", "gre1", "type=gre", *same[0])
    for bridge in "br0", "br1":
        done = sw.ctl("add-port", bridge, "gre2", "type=gre", *same[1], check=False)
        assert done.returncode == 1 and "gre1" in done.stderr, done.stderr
    sw.ctl("add-port", "br0", "gre2", "type=gre", "remote_ip=192.168.5.3")
    done = sw.ctl("clear", "interface", "gre2", "options", "--", "set", "interface", "gre2",
                  *(f"options:{o}" for o in same[1]), check=False)
    assert done.returncode == 1 and "gre1" in done.stderr, done.stderr
    assert "192.168.5.3" in sw.ctl("get", "interface", "gre2", "options").stdout


def test_tunnels_that_differ_in_something_may_be_together(sw):
    for n, options in enumerate([["key=1"], ["key=2"], ["key=flow"], ["key=1", "local_ip=192.168.5.1"], []]):
        sw.ctl("add-port", "br0", f"gre{n}", "type=gre", "remote_ip=192.168.5.2", *options)


@pytest.mark.parametrize("words", [
    ["add-port", "br0"], ["add-br"], ["add-br", "a", "b"], ["shwo"], ["--no-such", "show"], [], ["-f", "xml", "show"],
    ["-t", "soon", "show"], ["--may-exist", "show"], ["add-br", "a/b"], ["add-br", ""], ["add-br", "x" * 16], ["add-br", ".."],
    ["add-port", "br0", "br0"], ["add-port", "br0", "t3", "word"], ["set", "bridge", "br0", "fail_mode"],
    ["set", "bridge", "br0", "=secure"], ["set", "bridge", "br0", "other_config:hwaddr=red"],
    ["set", "bridge", "br0", "other_config:datapath-id=xyz"], ["set", "bridge", "br0", "fail_mode:x=secure"],
    ["set", "interface", "t1", "mac=red"], ["set", "interface", "t9", "mac=02:00:00:00:00:01"],
    ["get", "bridge", "br0", "no_such_column"], ["remove", "bridge", "br0", "nothing", "x"], ["trace", "br0", "in_port=nosuch"],
    ["trace", "br0", "in_port=1", "zz"], ["trace", "br0", "in_port=1", "0102"], ["trace", "br9", "in_port=1"],
], ids=lambda w: " ".join(w) or "nothing")
def test_bad_words_for_xvs_ctl(sw, words):
    before = sw.ctl("show").stdout
    done = sw.ctl(*words, check=False)
    assert done.returncode == 1 and done.stdout == "", f"{done.returncode} {done.stdout}{done.stderr}"
    assert done.stderr.startswith("xvs-ctl: ") and len(done.stderr) > len("xvs-ctl: .\n"), done.stderr
    assert sw.ctl("show").stdout == before


@pytest.mark.parametrize("words", [
    ["add-flow"], ["add-flow", "br9", "actions=drop"], ["dump-flows"], ["dump-flows", "br0", "tpdst=1"], ["shwo", "br0"],
    ["--no-such", "show", "br0"], ["-O", "OpenFlow99", "show", "br0"], ["add-flows", "br0", "no-such-file"],
    ["packet-out", "br0", "in_port=1,packet=zz,actions=2"], ["-f", "xml", "show", "br0"], [],
    ["mod-port", "br0"], ["del-flows", "br0", "actions=drop"], ["--strict", "del-flows", "br0", "nw_src=1.2.3.4"],
], ids=lambda w: " ".join(w) or "nothing")
def test_bad_words_for_xvs_ofctl(sw, words):
    sw.ofctl("add-flow", "br0", "in_port=1,actions=2")
    before = flows(sw)
    done = sw.ofctl(*words, check=False)
    assert done.returncode == 1 and done.stdout == "", f"{done.returncode} {done.stdout}{done.stderr}"
    assert done.stderr.startswith("xvs-ofctl: "), done.stderr
    assert flows(sw) == before


def test_unknown_addresses_of_bridges_are_near_misses(sw):
    sw.ctl("add-br", "tenants")
    done = sw.ctl("list-ports", "tenant", check=False)
    assert "tenants" in done.stderr
    done = sw.ctl("lsit-br", check=False)
    assert "list-br" in done.stderr
