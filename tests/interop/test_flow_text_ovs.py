"""Flows say the same in xvs-ofctl and in ovs-ofctl: parsed, and dumped from a switch of either kind; and a dump can be read back."""
import re

import flow_corpus
import pytest
import xvs

# Where xvs keeps what was written and Open vSwitch sends another action for it; and what is about to come.
OTHER_WORDS = ("set_tunnel:", "set_tunnel64:", "check_pkt_larger", "userdata=", "dec_ttl(1,2)")
CORPUS = {"match": list(flow_corpus.match_flows()), "actions": list(flow_corpus.action_flows()), "head": list(flow_corpus.head_flows())}


def parsed(tool, version, flow):
    done = xvs.run(tool, "-O", version, "parse-flow", flow, check=False)
    lines = done.stdout.strip().splitlines()
    text = re.sub(r" \(xid=\w+\)", "", lines[-1]) if done.returncode == 0 and lines else "refused"
    if version == "OpenFlow10":
        # Which of two messages says it, and that no tag is no tag with or without its priority.
        text = text.replace("NXT_FLOW_MOD", "OFPT_FLOW_MOD").replace("vlan_tci=0x0000/0x1fff", "vlan_tci=0x0000")
        text = text.replace("vlan_tci=0x0000/0x1000", "vlan_tci=0x0000")
    return text


@pytest.mark.parametrize("version, part", [("OpenFlow13", p) for p in CORPUS] + [("OpenFlow14", p) for p in CORPUS] + [("OpenFlow10", "match")])
def test_parsed_alike(version, part):
    assert len(CORPUS["match"]) > 350 and len(CORPUS["actions"]) > 150
    wrong = []
    for flow in CORPUS[part]:
        ours, theirs = parsed(xvs.OFCTL, version, flow), parsed("ovs-ofctl", version, flow)
        if ours != theirs and not any(word in flow for word in OTHER_WORDS):
            wrong.append(f"{flow}\n  ovs: {theirs}\n  xvs: {ours}")
    assert not wrong, "\n".join(wrong)


class Switch:
    """br0 of Open vSwitch or of xvs, with ports p1 and p2, groups and meters, and both clients."""

    def __init__(self, lab, kind):
        self.kind, self.ns, host = kind, lab.ns("s"), lab.ns("h")
        for n in (1, 2):
            lab.veth(host, f"eth{n}", self.ns, f"p{n}")
        protocols = "protocols=OpenFlow10,OpenFlow13,OpenFlow14"
        if kind == "ovs":
            ovs = lab.ovs(self.ns)
            ovs.add_br("br0", protocols)
            for n in (1, 2):
                ovs.vsctl("add-port", "br0", f"p{n}", "--", "set", "interface", f"p{n}", f"ofport_request={n}")
            self.target = f"unix:{ovs.dir}/br0.mgmt"
        else:
            switch = lab.switch(self.ns)
            switch.ctl("add-br", "br0", "--", "add-port", "br0", "p1", "--", "add-port", "br0", "p2", "--", "set", "bridge", "br0", protocols)
            self.target = switch.mgmt("br0")
        self.ours("add-groups", self.target, "-", input="group_id=1,type=all,bucket=output:1\ngroup_id=4294967040,type=all,bucket=output:2\n")
        for n in (1, 3):
            self.ours("add-meter", self.target, f"meter={n} kbps bands=type=drop rate=1000")

    def ours(self, *args, **options):
        return self.ns.run(xvs.OFCTL, *args, **options)

    def both(self, *args, version="OpenFlow13"):
        ours = self.ours("-O", version, *args).stdout
        theirs = self.ns.run("ovs-ofctl", "-O", version, *args).stdout
        if version == "OpenFlow10":  # ages go on from call to call; two words for: no tag
            ours, theirs = (re.sub(r"(idle|hard)_age=\d+, ", "", text).replace("vlan_tci=0x0000/0x1fff", "vlan_tci=0x0000")
                            for text in (ours, theirs))
        return tuple(re.sub(r"(xid=0x|duration=)[0-9a-f.]+", r"\1…", text) for text in (ours, theirs))

    def load(self, tmp_path, parts=("match", "actions")):
        """Every flow of the corpus that the switch takes, each with a priority of its own. (Open vSwitch's own client cannot
        read set_field of in_port in OpenFlow 1.3, whoever sends it.)"""
        path = tmp_path / "flows"
        flows = [f"priority={1000 + i},{flow}" for i, flow in enumerate(sum((CORPUS[p] for p in parts), [])) if "->in_port" not in flow]
        flows = [f for f in flows if xvs.run(xvs.OFCTL, "parse-flow", f, check=False).returncode == 0]
        path.write_text("\n".join(flows) + "\n")
        self.ours("add-flows", self.target, path, check=False)
        return len(flows)


@pytest.fixture(params=["ovs", "xvs"])
def switch(lab, request):
    return Switch(lab, request.param)


def test_dumped_alike_and_read_back(switch, tmp_path):
    given = switch.load(tmp_path)
    ours, theirs = switch.both("dump-flows", switch.target)
    assert len(ours.splitlines()) > given - 40 > 450
    unknown = {n for n, line in enumerate(theirs.splitlines()) if re.search(r"ipv6_exthdr|set_if_present", line)}
    assert ([x for n, x in enumerate(ours.splitlines()) if n not in unknown]
            == [x for n, x in enumerate(theirs.splitlines()) if n not in unknown])
    for words in (["--no-stats"], ["--names"], ["--no-names"], ["--names", "--no-stats"], ["--sort"], ["--rsort"], ["--sort=metadata", "--sort"],
                  ["--rsort=in_port", "--sort"], ["--no-stats", "--sort=dl_dst", "--rsort"]):
        ours, theirs = switch.both(*words, "dump-flows", switch.target)
        assert ours == theirs, words
    ours, theirs = switch.both("--no-stats", "dump-flows", switch.target, version="OpenFlow14")
    assert ours == theirs
    # What dump-flows prints, add-flows takes, and the dump is equal.
    dump = tmp_path / "dump"
    for words in ([], ["--no-stats"], ["--names"]):
        before = switch.ours("--no-stats", "--sort", "dump-flows", switch.target).stdout
        dump.write_text(switch.ours(*words, "dump-flows", switch.target).stdout)
        switch.ours("del-flows", switch.target)
        switch.ours("add-flows", switch.target, dump)
        assert switch.ours("--no-stats", "--sort", "dump-flows", switch.target).stdout == before
        switch.ours("diff-flows", switch.target, dump)


def test_dumped_alike_in_1_0(switch, tmp_path):
    """Matches; OpenFlow 1.0 has other actions, and ovs-ofctl cannot read all that its own switch sends."""
    given = switch.load(tmp_path, ["match"])
    for words in ([], ["--no-stats"], ["--names"]):
        ours, theirs = switch.both(*words, "dump-flows", switch.target, version="OpenFlow10")
        assert len(ours.splitlines()) >= given and ours == theirs


@pytest.mark.parametrize("command", ["show", "dump-desc", "dump-tables", "dump-aggregate", "dump-ports", "dump-ports-desc", "dump-groups",
                                     "dump-group-features", "dump-meters", "meter-features", "queue-get-config", "queue-stats", "get-frags"])
def test_printed_alike(switch, command):
    for version in ("OpenFlow13", "OpenFlow14", "OpenFlow10"):
        if version == "OpenFlow10" and re.search("meter|queue-get", command):
            continue
        if command == "queue-get-config" and version == "OpenFlow14":
            continue
        if command == "dump-group-features" and switch.kind == "xvs":
            continue  # which has actions that ovs-ofctl has no names for
        ours, theirs = switch.both(command, switch.target, version=version)
        assert ours == theirs, version


COLOUR = re.compile("\033\\[[0-9]*m")


@pytest.mark.parametrize("command", ["show", "dump-flows", "dump-tables", "dump-ports", "dump-groups", "dump-meters", "dump-table-features"])
def test_colours_change_no_word(switch, tmp_path, command):
    switch.load(tmp_path, ["actions"])
    plain = switch.ours("--color=never", command, switch.target).stdout
    coloured = switch.ours("--color=always", command, switch.target).stdout

    def steady(text):
        return re.sub(r"duration=[0-9.]+", "", text)

    assert COLOUR.search(coloured) and not COLOUR.search(plain)
    assert steady(COLOUR.sub("", coloured)) == steady(plain)
