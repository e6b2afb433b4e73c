"""os-ken's switch tester, unmodified, against xvs: Debian's Open vSwitch sends the packets and catches what comes out.

The tool is one process for many patterns; a pattern is a test here. Whoever needs the first result of a part runs the
part, and the other processes of pytest find it in a file. The patterns are in patterns.py.
"""
import fcntl
import json
import os
import re

import pytest

import patterns
import xvs

TESTER = "os_ken.tests.switch.tester"
XVS_ID, OVS_ID = "0000020000000001", "0000000000000002"
PARTS = 4


def part_of(name):
    if name in patterns.RETURNING:
        return "returning"
    return f"part-{list(patterns.PATTERNS).index(name) % PARTS}"


def names_of(part):
    return [name for name in patterns.PATTERNS if part_of(name) == part]


def read_report(text):
    """What the tool says of each pattern: "" if all is well."""
    results, last = {}, None
    for line in text.splitlines():
        m = re.match(r" {4}(\S.*?) +(OK|ERROR)$", line)
        if m and m[1] in patterns.PATTERNS:
            last = m[1]
            results[last] = "" if m[2] == "OK" else "ERROR"
        elif last and results[last] and line.startswith("        "):
            results[last] = line.strip()
        elif last and line.startswith("---"):
            break
    return results


def run_tester(part):
    with xvs.Lab() as lab:
        target, tester = lab.ns("target"), lab.ns("tester")
        for n in (1, 2, 3):
            lab.veth(target, f"p{n}", tester, f"t{n}")
        lab.veth(target, "ctl", tester, "ctl")
        target.addr("ctl", "192.0.2.1/24")
        tester.addr("ctl", "192.0.2.2/24")
        folder = os.path.join(lab.dir, "patterns")
        os.mkdir(folder)
        with open(f"{folder}/{part}.json", "w", encoding="utf-8") as f:
            json.dump(patterns.document(part, names_of(part)), f)
        sw, ovs = lab.switch(target), lab.ovs(tester)
        sw.ctl("add-br", "br0", "--", "set", "bridge", "br0", "other_config:hwaddr=02:00:00:00:00:01", "fail_mode=secure")
        # The tester replaces its flow before each pattern, and what Open vSwitch has cached would stay for a while.
        ovs.vsctl("set", "Open_vSwitch", ".", "other_config:flow-limit=0")
        ovs.add_br("br0", "protocols=OpenFlow13", f"other-config:datapath-id={OVS_ID}",
                   "other-config:disable-in-band=true")
        for n in (1, 2, 3):
            sw.ctl("add-port", "br0", f"p{n}", "--", "set", "interface", f"p{n}", f"ofport_request={n}")
            ovs.vsctl("add-port", "br0", f"t{n}", "--", "set", "interface", f"t{n}", f"ofport_request={n}")
        returning = ["--test-switch-tester_recv_port_1", "1"] if part == "returning" else []
        tool = lab.osken(tester, TESTER, args=["--test-switch-target", XVS_ID, "--test-switch-tester", OVS_ID,
                                               "--test-switch-dir", folder, *returning])
        sw.ctl("set-controller", "br0", "tcp:192.0.2.2:6653")
        ovs.vsctl("set-controller", "br0", "tcp:127.0.0.1:6653")
        # Where the tool did not foresee an error it stops in the middle, and stays.
        xvs.wait_until(lambda: tool.process.poll() is not None or "Traceback" in tool.said(), 50, "the end of the tester")
        return read_report(tool.said()), tool.said()


@pytest.fixture
def result(tmp_path_factory):
    """result(name): what the tool says of a pattern."""
    folder = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        folder = folder.parent

    def get(name):
        part = part_of(name)
        with open(folder / f"osken-{part}", "a+", encoding="utf-8") as f:
            fcntl.flock(f, fcntl.LOCK_EX)
            f.seek(0)
            known = f.read()
            if not known:
                known = json.dumps(run_tester(part))
                f.write(known)
        results, said = json.loads(known)
        return results.get(name, f"the tester did not come to this pattern:\n{said[-3000:]}")

    return get


@pytest.mark.limit(120)
@pytest.mark.parametrize("name", patterns.PATTERNS)
def test_pattern(result, name):
    said = result(name)
    expected = patterns.ERRORS.get(name)
    if expected:
        assert re.search(expected, said), f"{name}: expected {expected}, the tester said: {said or 'OK'}"
    else:
        assert not said, f"{name}: {said}"
