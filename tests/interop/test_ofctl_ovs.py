"""xvs-ofctl with Debian's Open vSwitch at the other end: says what ovs-ofctl says, and does what it does."""
import json
import os
import re
import subprocess
import time

import pytest
import xvs

FRAME = "ffffffffffff02020304050608004500001c0001000040010000c0a80402c0a804030800abcd00010001"
TCP = ("ffffffffffff0202030405060800450000280000000040062f97c0a80402c0a80403"
       "00500051000000010000000250120064abcd0000")


class Both:
    """An Open vSwitch bridge br0 with the ports p1 and p2, and both clients."""

    def __init__(self, lab):
        self.ns, host = lab.ns("s"), lab.ns("h")
        lab.veth(host, "eth1", self.ns, "p1")
        lab.veth(host, "eth2", self.ns, "p2")
        self.ovs = lab.ovs(self.ns)
        self.ovs.add_br("br0", "protocols=OpenFlow10,OpenFlow13")
        for n in (1, 2):
            self.ovs.vsctl("add-port", "br0", f"p{n}", "--", "set", "interface", f"p{n}", f"ofport_request={n}")
        self.lab, self.target = lab, f"unix:{self.ovs.dir}/br0.mgmt"

    def ours(self, *args, **options):
        """xvs-ofctl; the switch stands for "SW"."""
        args = [self.target if a == "SW" else a for a in args]
        return self.ns.run(xvs.OFCTL, *args, **options)

    def theirs(self, *args):
        args = [self.target if a == "SW" else a for a in args]
        return self.ovs.ofctl("-O", "OpenFlow13", *args).stdout

    def flows(self):
        lines = self.ours("dump-flows", "SW", "--no-stats", "--no-names").stdout.splitlines()
        return sorted(line.strip() for line in lines)


@pytest.fixture
def both(lab):
    return Both(lab)


def steady(text):
    """Without what differs from call to call."""
    return re.sub(r"(xid=0x|duration[=:])[0-9a-f.]+", r"\1…", text)


FLOWS = """
priority=10,ip,in_port=1,nw_dst=10.0.0.0/8 actions=set_field:10->tun_id,output:2,LOCAL,CONTROLLER:128
table=3,cookie=0x12,idle_timeout=100,hard_timeout=200,send_flow_rem,arp actions=resubmit(,5),CONTROLLER,goto_table:9
priority=77,ip,in_port=2 actions=controller(max_len=20,id=3),FLOOD
table=9,tcp6,tp_dst=80,ipv6_src=fe80::/64 actions=load:0x7->NXM_NX_REG3[0..7],move:NXM_NX_REG1[]->NXM_NX_REG2[]
table=9,priority=4,dl_vlan=5,dl_vlan_pcp=3 actions=pop_vlan,NORMAL
table=9,priority=3,udp,tp_src=1000,metadata=0x7/0xff actions=dec_ttl,write_metadata:0x3,goto_table:10
priority=0 actions=drop
"""


@pytest.mark.parametrize("command", [
    ["show", "SW"], ["dump-desc", "SW"], ["dump-tables", "SW"], ["dump-aggregate", "SW"],
    ["dump-aggregate", "SW", "table=9"], ["dump-ports", "SW"], ["dump-ports", "SW", "1"], ["dump-ports-desc", "SW"],
    ["dump-flows", "SW"], ["dump-flows", "SW", "table=9"], ["dump-flows", "SW", "out_port=2"],
    ["dump-flows", "SW", "cookie=0x12/-1"], ["--no-stats", "dump-flows", "SW"], ["--names", "dump-flows", "SW"],
    ["--sort", "dump-flows", "SW", "table=9"], ["--rsort", "dump-flows", "SW", "table=9"],
], ids=" ".join)
def test_prints_what_ovs_ofctl_prints(both, command):
    both.ours("add-flows", "SW", "-", input=FLOWS)
    ours, theirs = steady(both.ours(*command).stdout), steady(both.theirs(*command))
    assert ours.splitlines() == theirs.splitlines()


def test_flow_mods(both):
    both.ours("add-flow", "SW", "priority=3,tcp,tp_dst=80,actions=drop")
    both.ours("add-flow", "SW", "priority=4,tcp,tp_dst=81,actions=drop")
    both.ours("mod-flows", "SW", "tcp,actions=output:p2")
    assert both.flows() == ["priority=3,tcp,tp_dst=80 actions=output:2", "priority=4,tcp,tp_dst=81 actions=output:2"]
    both.ours("--strict", "mod-flows", "SW", "priority=4,tcp,tp_dst=81,actions=output:1")
    both.ours("--strict", "del-flows", "SW", "priority=3,tcp")
    assert both.flows() == ["priority=3,tcp,tp_dst=80 actions=output:2", "priority=4,tcp,tp_dst=81 actions=output:1"]
    both.ours("del-flows", "SW", "out_port=2")
    assert both.flows() == ["priority=4,tcp,tp_dst=81 actions=output:1"]
    both.ours("-O", "OpenFlow13", "del-flows", "SW")
    assert both.flows() == []


def test_file_with_commands(both, tmp_path):
    path = tmp_path / "flows"
    path.write_text("# first\narp,actions=1\n\nip actions=2 # second\ndelete arp\nmodify ip,actions=output:1\n")
    both.ours("add-flows", "SW", path)
    assert both.flows() == ["ip actions=output:1"]


def test_nothing_is_sent_unless_all_parses(both, tmp_path):
    path = tmp_path / "flows"
    path.write_text("arp,actions=1\ntcp,tpdst=80,actions=2\nudp,actions=output:nowhere\n")
    done = both.ours("add-flows", "SW", path, check=False)
    assert done.returncode == 1
    assert f"{path}:2: tcp,tpdst=80,actions=2\n" in done.stderr
    assert "did you mean 'tp_dst'" in done.stderr
    assert f"{path}:3: " in done.stderr and "1 (p1), 2 (p2), LOCAL (br0)" in done.stderr
    assert both.flows() == []


def test_refusals_name_their_flow(both, tmp_path):
    path = tmp_path / "flows"
    path.write_text("arp,actions=1\nip,actions=group:77\nudp,actions=2\n")
    done = both.ours("add-flows", "SW", path, check=False)
    assert done.returncode == 1
    assert f"{path}:2: ip,actions=group:77\n" in done.stderr
    assert "an action names a group that does not exist (OFPBAC_BAD_OUT_GROUP)" in done.stderr
    assert "1 of 3 flows refused" in done.stderr
    assert both.flows() == ["arp actions=output:1", "udp actions=output:2"]


def test_many_flows(both, tmp_path):
    path = tmp_path / "flows"
    path.write_text("".join(f"table=9,ip,nw_dst=10.{i // 256}.{i % 256}.1 actions=output:2\n" for i in range(20000)))
    both.ours("add-flows", "SW", path, timeout=30)
    assert "flow_count=20000" in both.ours("dump-aggregate", "SW").stdout
    # Some 60 parts, put together again.
    assert len(both.ours("dump-flows", "SW", "--no-stats").stdout.splitlines()) == 20000


def test_caret_stands_under_the_word(both):
    done = both.ours("add-flow", "SW", "nw_src=10.0.0.1,actions=output:2", check=False)
    text, caret = done.stderr.splitlines()
    assert done.returncode == 1
    assert text == f"xvs-ofctl: {both.target}: flow 1: nw_src=10.0.0.1,actions=output:2"
    assert text.index("nw_src") == caret.index("^") and "write 'ip,nw_src=10.0.0.1'" in caret


def test_unknown_port_is_a_warning(both):
    done = both.ours("add-flow", "SW", "in_port=88,actions=output:77")
    assert f"warning: {both.target} has no port 77; known: 1 (p1), 2 (p2), LOCAL (br0)" in done.stderr
    assert "has no port 88" in done.stderr
    assert both.flows() == ["in_port=88 actions=output:77"]


BAD = "table=3,actions=output:1\nactions=group:99\ntable=4,actions=output:1\n"


@pytest.mark.parametrize("version", ["OpenFlow13", "OpenFlow14"])
def test_bundles(both, tmp_path, version):
    """All of it or nothing, with Open vSwitch at the other end."""
    both.ovs.vsctl("set", "bridge", "br0", "protocols=OpenFlow10,OpenFlow13,OpenFlow14")
    path = tmp_path / "flows"
    path.write_text("arp,actions=output:1\nip,actions=output:2\n")
    both.ours("-O", version, "--bundle", "add-flows", "SW", path)
    assert both.flows() == ["arp actions=output:1", "ip actions=output:2"]
    path.write_text(BAD)
    done = both.ours("-O", version, "--bundle", "add-flows", "SW", path, check=False)
    assert done.returncode == 1 and "nothing was changed" in done.stderr
    assert f"{path}:2: actions=group:99" in done.stderr and "OFPBAC_BAD_OUT_GROUP" in done.stderr
    assert both.flows() == ["arp actions=output:1", "ip actions=output:2"]
    both.ours("-O", version, "--bundle", "mod-flows", "SW", "arp,actions=output:2")
    both.ours("-O", version, "--bundle", "del-flows", "SW", "ip")
    assert both.flows() == ["arp actions=output:2"]
    path.write_text("flow ip,actions=group:5\nflow delete arp\ngroup add group_id=5,type=all,bucket=output:1\n")
    done = both.ours("-O", version, "bundle", "SW", path, check=False)
    assert done.returncode == 1 and both.flows() == ["arp actions=output:2"]
    path.write_text("group add group_id=5,type=all,bucket=output:1\nflow ip,actions=group:5\nflow delete arp\n"
                    f"packet-out in_port=1 packet={FRAME} actions=output:2\n")
    both.ours("-O", version, "bundle", "SW", path)
    assert both.flows() == ["ip actions=group:5"]
    done = both.ours("-O", "OpenFlow10", "--bundle", "del-flows", "SW", check=False)
    assert done.returncode == 1 and "add -O OpenFlow13" in done.stderr
    path.write_text("flow arp,actions=output:1\nflow add tabble=1,actions=2\nflou x\n")
    done = both.ours("bundle", "SW", path, check=False)
    text, caret, other, begins = done.stderr.splitlines()
    assert text.index("tabble") == caret.index("^") and "begins with flow, group or packet-out" in begins


def test_replace_flows_touches_what_differs(both, tmp_path):
    path = tmp_path / "flows"
    path.write_text("priority=1,ip,actions=output:1\npriority=2,arp,actions=output:2\ntable=2,cookie=5,tcp actions=drop\n")
    both.ours("replace-flows", "SW", path)
    assert len(both.flows()) == 3
    done = both.ours("-f", "json", "replace-flows", "SW", path)
    assert json.loads(done.stdout) == {"flows": 0, "refused": 0}
    path.write_text("priority=2,arp,actions=output:2\ntable=2,cookie=6,tcp actions=drop\n")
    done = both.ours("-f", "json", "replace-flows", "SW", path)
    assert json.loads(done.stdout) == {"flows": 2, "refused": 0}
    assert both.flows() == ["cookie=0x6, table=2, tcp actions=drop", "priority=2,arp actions=output:2"]
    assert json.loads(both.ours("-f", "json", "--readd", "replace-flows", "SW", path).stdout)["flows"] == 2
    both.ours("diff-flows", "SW", path)
    # A dump is a file of flows as it is.
    dump = tmp_path / "dump"
    dump.write_text(both.ours("dump-flows", "SW").stdout)
    both.ours("diff-flows", dump, "SW")
    both.ours("add-flows", "SW", dump)
    path.write_text("priority=3,arp,actions=output:2\n")
    done = both.ours("diff-flows", "SW", path, check=False)
    assert done.returncode == 2 and len(done.stdout.splitlines()) == 3


def test_ports_and_fragments(both):
    both.ours("mod-port", "SW", "p1", "down")
    assert "PORT_DOWN" in both.theirs("dump-ports-desc", "SW", "p1")
    both.ours("mod-port", "SW", "1", "up")
    both.ours("mod-port", "SW", "p2", "no-forward")
    assert "NO_FWD" in both.theirs("show", "SW")
    both.ours("mod-port", "SW", "p2", "forward")
    done = both.ours("mod-port", "SW", "p2", "no-flood", check=False)
    assert done.returncode == 1 and "add -O OpenFlow10" in done.stderr
    both.ours("-O", "OpenFlow10", "mod-port", "SW", "p2", "no-flood")
    assert "NO_FLOOD" in both.ovs.ofctl("show", both.target).stdout
    both.ours("-O", "OpenFlow10", "mod-port", "SW", "p2", "flood")
    assert "did you mean 'forward'" in both.ours("mod-port", "SW", "p2", "foward", check=False).stderr
    for mode in ("drop", "nx-match", "normal"):
        both.ours("set-frags", "SW", mode)
        assert both.ours("get-frags", "SW").stdout == both.theirs("get-frags", "SW") == mode + "\n"
    assert "stays with 'normal'" in both.ours("set-frags", "SW", "reassemble", check=False).stderr
    assert "Finished in" in both.ours("benchmark", "SW", "100", "20").stdout


def test_snoop(both):
    """Open vSwitch repeats on br0.snoop what it and its controller say to each other."""
    both.ovs.vsctl("set-controller", "br0", "ptcp:16654:127.0.0.1", "tcp:127.0.0.1:16655")
    out = os.path.join(both.lab.dir, "snoop")
    listener = both.ns.popen("nc", "-l", "-p", "16655", "-s", "127.0.0.1", stdin=subprocess.PIPE)
    listener.stdin.write(bytes.fromhex("0400000800000001" "0402000800000007"))
    listener.stdin.flush()
    target = f"unix:{both.ovs.dir}/br0.snoop"
    xvs.wait_until(lambda: "true" in both.ovs.vsctl("list", "controller").stdout, what="the controller's connection")
    with open(out, "w", encoding="utf-8") as f:
        snoop = both.lab.popen(both.ns, xvs.OFCTL, "--timestamp", "snoop", target, stdout=f, stderr=f)
    time.sleep(0.5)
    listener.stdin.write(bytes.fromhex("0402000800000008"))
    listener.stdin.flush()
    xvs.wait_until(lambda: "OFPT_ECHO_REPLY" in open(out, encoding="utf-8").read(), what="what was said")
    assert re.search(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}: OFPT_ECHO_REQUEST .*xid=0x8", open(out, encoding="utf-8").read(), re.M)
    xvs.end_process(snoop)
    xvs.end_process(listener)


def test_tables(both):
    both.ovs.vsctl("set", "bridge", "br0", "protocols=OpenFlow13,OpenFlow14")
    ours, theirs = both.ours("dump-table-features", "SW").stdout, both.theirs("dump-table-features", "SW")

    def heads(text):
        return [line for line in text.splitlines() if re.match(r"  tables? |    max_entries|    metadata|      next", line)]

    assert heads(ours) == [line.replace("table 1 (\"foo\")", "table 1") for line in heads(theirs)]
    for name in ("instructions", "        actions", "        supported on Set-Field", "      arbitrary mask", "      exact match or wildcard"):
        assert f"{name}:" in ours
    tables = json.loads(both.ours("-f", "json", "dump-table-features", "SW").stdout)["tables"]
    assert len(tables) == 254 and tables[3]["next_tables"] == list(range(4, 254)) and "eth_dst" in tables[3]["masked"]
    both.ours("-O", "OpenFlow14", "mod-table", "SW", "1", "evict")
    text = both.ours("-O", "OpenFlow14", "dump-table-desc", "SW").stdout
    assert re.search(r"table 0:\n +eviction=off", text) and re.search(r"table 1:\n +eviction=on", text)
    both.ours("-O", "OpenFlow14", "mod-table", "SW", "1", "noevict")
    assert "eviction=on" not in both.ours("-O", "OpenFlow14", "dump-table-desc", "SW").stdout
    for words, complaint in [(("1", "drop"), "priority=0,actions=drop"), (("1", "evict"), "add -O OpenFlow14"), (("300", "evict"), "up to 254"),
                             (("1", "name:foo"), "name"), (("1", "foo"), "no setting 'foo'")]:
        done = both.ours("mod-table", "SW", *words, check=False)
        assert done.returncode == 1 and complaint in done.stderr


def test_packets_out_and_in(both):
    out = os.path.join(both.lab.dir, "monitor")
    with open(out, "w", encoding="utf-8") as f, open(out + ".theirs", "w", encoding="utf-8") as g:
        monitor = both.lab.popen(both.ns, xvs.OFCTL, "monitor", both.target, "65535", stdout=f, stderr=f)
        theirs = both.lab.popen(both.ns, "ovs-ofctl", "-O", "OpenFlow13", "-P", "standard",
                                f"--unixctl={both.lab.dir}/monitor.ctl", "monitor", both.target, "65535", stderr=g)
    time.sleep(1)
    both.ours("packet-out", "SW", f"in_port=1 packet={FRAME} actions=controller")
    both.ours("packet-out", "SW", "p2", "set_field:7->metadata,set_field:0x10->tun_id,controller", TCP, FRAME)

    def text(path):
        with open(path, encoding="utf-8") as f:
            return f.read().splitlines()

    xvs.wait_until(lambda: len(text(out)) == 6 and len(text(out + ".theirs")) == 6, what="three packet-ins on both")
    assert text(out) == text(out + ".theirs")
    assert "in_port=1 (via action) data_len=42 (unbuffered)" in text(out)[0]
    assert any("tun_id=0x10,metadata=0x7,in_port=2" in line for line in text(out))
    assert xvs.end_process(monitor) == 0
    xvs.end_process(theirs)


@pytest.mark.parametrize("words, complaint", [
    (["in_port=1 packet=abc actions=controller"], "two for each byte"),
    (["in_port=1 actions=controller"], "packet= is missing"),
    ([f"in_port=1 packet={FRAME}"], "actions= is missing"),
    ([f"in_port=1 pucket={FRAME} actions=1"], "packet-out takes"),
    ([f"in_port=1 packet={FRAME} actions=contrller"], "did you mean 'controller'"),
    ([f"in_port=FLOOD packet={FRAME} actions=1"], "OFPBRC_BAD_PORT"),
    (["1", "controller", "xyz"], "two for each byte"),
    (["1", "controller"], "packet-out: write"),
])
def test_wrong_packet_out(both, words, complaint):
    done = both.ours("packet-out", "SW", *words, check=False)
    assert done.returncode == 1 and complaint in done.stderr


def test_tcp(both):
    both.ovs.vsctl("set-controller", "br0", "ptcp:16653:127.0.0.1")
    xvs.wait_until(lambda: both.ours("probe", "tcp:127.0.0.1:16653", check=False).returncode == 0)
    assert "p1" in both.ours("show", "tcp:127.0.0.1:16653").stdout
    assert len(both.ours("ping", "tcp:127.0.0.1:16653", "100").stdout.splitlines()) == 10


def test_json(both):
    both.ours("add-flow", "SW", "priority=7,tcp,in_port=1,tp_dst=80,actions=set_tunnel:10,output:2")

    def ask(*args):
        return json.loads(both.ours("-f", "json", *args).stdout)

    flow, = ask("dump-flows", "SW")["flows"]
    assert flow["priority"] == 7 and flow["actions"][-1] == "output:2"
    assert flow["match"]["in_port"] == "1" and flow["match"]["tcp_dst" if "tcp_dst" in flow["match"] else "tp_dst"] == "80"
    assert {p["name"] for p in ask("show", "SW")["ports"]} == {"p1", "p2", "br0"}
    assert {p["port"] for p in ask("dump-ports", "SW")["ports"]} == {1, 2, "LOCAL"}
    assert [p["name"] for p in ask("dump-ports-desc", "SW", "p2")["ports"]] == ["p2"]
    assert ask("dump-desc", "SW")["hardware"] == "Open vSwitch"
    assert ask("dump-tables", "SW")["tables"][0]["active"] == 1
    assert ask("dump-aggregate", "SW")["n_flows"] == 1
    assert ask("probe", "SW") == {"alive": True}


def test_version_of_the_other_end(both):
    both.ovs.vsctl("set", "bridge", "br0", "protocols=OpenFlow10")
    assert "OFPT_FEATURES_REPLY (xid=" in both.ours("show", "SW").stdout
    done = both.ours("-O", "OpenFlow13", "show", "SW", check=False)
    assert done.returncode == 1 and "the switch speaks OpenFlow 1.0" in done.stderr
    assert "add -O OpenFlow10" in done.stderr and "protocols=OpenFlow13" in done.stderr
    both.ovs.vsctl("set", "bridge", "br0", "protocols=OpenFlow12")
    done = both.ours("show", "SW", check=False)
    assert done.returncode == 1 and "the switch speaks OpenFlow 1.2" in done.stderr and "protocols=OpenFlow10,OpenFlow13" in done.stderr


@pytest.mark.parametrize("words, complaint", [
    (["show", "brx"], "no such bridge"),
    (["show", "tcp:127.0.0.1:1"], "Connection refused"),
    (["show", "tcp:x:y"], "write tcp:HOST:PORT"),
    (["show", "unix:/nowhere"], "No such file"),
    (["show", ""], "not a bridge's name"),
    (["sho", "br0"], "did you mean 'show'"),
    (["add-flow", "br0"], "an argument is missing"),
    (["show"], "which switch?"),
    (["-O", "OpenFlow12", "show", "br0"], "speaks OpenFlow10, OpenFlow13 and OpenFlow14"),
    (["-O", "OpenFlow99", "show", "br0"], "no OpenFlow version"),
    (["-f", "xml", "show", "br0"], "text or json"),
    (["--sort=foo", "dump-flows", "br0"], "no such field"),
    ([], "a command is missing"),
])
def test_wrong_words(tmp_path, words, complaint):
    done = xvs.run(xvs.OFCTL, *words, env={**os.environ, "XVS_RUNDIR": str(tmp_path)}, check=False)
    assert done.returncode == 1 and complaint in done.stderr and not done.stdout


def test_help_names_every_command():
    names = xvs.run(xvs.OFCTL, "--complete").stdout.split()
    text = xvs.run(xvs.OFCTL, "--help").stdout
    assert "add-flow" in names and all(f"\n  {name}" in text for name in names)
    for name in names:
        assert name in xvs.run(xvs.OFCTL, name, "--help").stdout


# --- Groups ---

GROUPS = """
group_id=1,type=select,bucket=weight:10,watch_port:2,actions=output:1,bucket=actions=output:2
group_id=2,type=ff,bucket=watch_port:1,actions=output:1,bucket=watch_port:2,watch_group:1,actions=set_field:10.0.0.1->ip_src,output:2
group_id=3,type=all,bucket=actions=drop,bucket=actions=group:1,bucket=actions=push_vlan:0x8100,set_field:4101->vlan_vid,output:2
group_id=4,type=indirect,bucket=actions=resubmit(,3)
group_id=5,type=all
""".strip().splitlines()


def group_lines(text):
    return sorted(line.strip() for line in text.splitlines()[1:])


def test_groups(both, tmp_path):
    path = tmp_path / "groups"
    path.write_text("# groups\n" + "\n".join(GROUPS) + "\n")
    both.ours("add-groups", "SW", path)
    assert group_lines(both.theirs("dump-groups", "SW")) == GROUPS
    assert group_lines(both.ours("dump-groups", "SW").stdout) == GROUPS
    both.ours("add-flow", "SW", "in_port=1,actions=group:2")
    for command in "dump-groups", "dump-group-features":
        assert steady(both.ours(command, "SW").stdout) == steady(both.theirs(command, "SW")), command
    assert group_lines(steady(both.ours("dump-group-stats", "SW").stdout)) == group_lines(steady(both.theirs("dump-group-stats", "SW")))
    assert "group_id=2," in both.ours("dump-group-stats", "SW", "2").stdout
    assert both.ours("dump-groups", "SW", "group_id=5").stdout.count("group_id") == 1
    both.ours("mod-group", "SW", "group_id=5,type=indirect,bucket=actions=output:2")
    both.ours("--may-create", "mod-group", "SW", "group_id=6,type=all")
    assert "group_id=5,type=indirect" in both.theirs("dump-groups", "SW") and "group_id=6" in both.theirs("dump-groups", "SW")
    done = both.ours("mod-group", "SW", "group_id=9,type=all", check=False)
    assert done.returncode == 1 and "there is no group of this number (OFPGMFC_UNKNOWN_GROUP)" in done.stderr
    both.ours("del-groups", "SW", "group_id=2")
    assert "group_id=2," not in both.theirs("dump-groups", "SW") and "actions=" not in both.theirs("dump-flows", "SW")
    both.ours("del-groups", "SW")
    assert group_lines(both.theirs("dump-groups", "SW")) == []


@pytest.mark.parametrize("line", GROUPS)
def test_parse_group(line):
    theirs = xvs.run("ovs-ofctl", "-O", "OpenFlow13", "parse-group", line).stdout.splitlines()[2:]
    ours = xvs.run(xvs.OFCTL, "parse-group", line).stdout.splitlines()
    assert [steady(text).strip() for text in ours if text] == [steady(text).strip() for text in theirs if text]


def test_meters(both):
    """What either client makes of a meter, the other reads; Open vSwitch keeps it."""
    both.ours("add-meter", "SW", "meter=1 kbps burst stats bands=type=drop rate=1000 burst_size=100")
    both.theirs("add-meter", "SW", "meter=2 pktps bands=type=drop rate=5,type=drop rate=10")
    both.ours("mod-meter", "SW", "meter=1 kbps bands=type=drop rate=77")
    both.ours("add-flow", "SW", "in_port=1,actions=meter:2,output:2")
    for command in (["dump-meters", "SW"], ["dump-meter", "SW", "meter=2"], ["meter-stats", "SW"], ["meter-stats", "SW", "meter=1"],
                    ["meter-features", "SW"], ["queue-stats", "SW"], ["queue-get-config", "SW"], ["queue-stats", "SW", "1"]):
        ours, theirs = both.ours(*command).stdout, both.theirs(*command)
        assert steady(ours).splitlines() == steady(theirs).splitlines(), command
    assert "rate=77" in both.ours("dump-meters", "SW", "1").stdout
    refused = both.ours("add-meter", "SW", "meter=3 kbps bands=type=dscp_remark rate=7 prec_level=1", check=False)
    assert refused.returncode == 1 and "OFPMMFC_BAD_BAND" in refused.stderr
    both.ours("del-meter", "SW", "meter=2")
    assert not both.flows()
    both.ours("del-meters", "SW")
    assert both.ours("dump-meters", "SW").stdout.split(":", 1)[1].strip() == ""


def test_queues_of_a_qos(both):
    both.ovs.vsctl("--", "set", "port", "p2", "qos=@q", "--", "--id=@q", "create", "qos", "type=linux-htb", "other-config:max-rate=10000000",
                   "queues:3=@r", "--", "--id=@r", "create", "queue", "other-config:min-rate=1000000", "other-config:max-rate=5000000")
    both.ours("add-flow", "SW", "in_port=1,actions=enqueue(2,3)")
    for command in (["queue-get-config", "SW", "2"], ["queue-stats", "SW"], ["queue-stats", "SW", "2", "3"], ["dump-flows", "SW"]):
        ours, theirs = both.ours(*command).stdout, both.theirs(*command)
        assert steady(ours).splitlines() == steady(theirs).splitlines(), command
