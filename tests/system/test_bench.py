"""The benchmark's own arithmetic, its generators, and one row of it through real daemons."""
import json
import os
import re
import sys

import pytest

import xvs

BENCH = os.path.join(xvs.ROOT, "tests/bench")
sys.path.append(BENCH)

import report  # noqa: E402
import rows  # noqa: E402
import work  # noqa: E402

FIGURE = rows.Figure("x1", "", "work", "s", [rows.at_most(0.5, "peer"), rows.at_least(2, "loop"), rows.Goal("other", "", None)])


def result(**samples):
    return report.Result(FIGURE, samples, [])


def test_medians_ratios_and_goals():
    r = result(xvs=[3, 1, 2], peer=[4, 5, 4], loop=[1], other=[10])
    assert (r.xvs, r.ratios) == (2, {"peer": 0.5, "loop": 2, "other": 0.2})
    assert r.met() is True
    assert result(xvs=[3], peer=[4], loop=[1]).met() is False
    assert result(xvs=[2], peer=[4]).met() is None, "a peer is missing"
    assert result(xvs=[2], peer=[4], loop=[0]).met() is True, "of which nothing passes"
    assert result(peer=[4], loop=[1]).met() is False, "xvs itself could not be measured"


def test_reports_of_all_figures():
    results = [report.Result(f, {"xvs": [2.0], **{g.peer: [4.0] for g in f.goals if g.peer}}, ["a note"]) for f in rows.FIGURES]
    objects = json.loads(report.to_json(results))
    assert len(objects) == len(rows.FIGURES)
    assert all({"row", "work", "unit", "xvs", "peers", "ratios", "goal", "met"} <= set(o) for o in objects)
    assert {o["row"] for o in objects} == set(rows.ROWS)
    assert "a note" in report.table(results) and report.markdown(results).count("\n") > len(results)
    assert report.svg(results, "<title>").count("&lt;title&gt;") == 1


@pytest.mark.parametrize("gre", [False, True])
def test_replayed_packets_are_well_formed(tmp_path, gre):
    path = str(tmp_path / "x.pcap")
    work.write_pcap(path, 300, gre=gre)
    done = xvs.run("tshark", "-r", path, "-n", "-o", "ip.check_checksum:TRUE", "-Y",
                   "ip.checksum.status == Bad or !udp or udp.length != 26 or frame.len != " + ("102" if gre else "60"))
    assert done.stdout == ""
    done = xvs.run("tshark", "-r", path, "-n", "-T", "fields", "-e", "ip.src", "-e", "udp.srcport")
    assert len(set(done.stdout.splitlines())) == 300, "flows differ"


def test_flows_have_the_shapes_that_are_said():
    shapes = {re.sub(r"[0-9.]+(?=/)|(?<=tp_src=)\d+|(?<=tp_dst=)\d+|priority=\d+", "", flow) for flow in work.many_shapes(2000)[:-2]}
    assert len(shapes) == 20
    assert len(work.access_list()) == 1003
    assert len(set(work.distinct_flows(5000))) == 5000


def test_one_row(tmp_path):
    out = tmp_path / "out.json"
    done = xvs.run(os.path.join(BENCH, "run"), "--rounds=1", "--seconds=0.3", f"--json={out}", "w1", timeout=60)
    found, = json.loads(out.read_text())
    assert found["xvs"] > 0 and found["peers"]["rawfwd"] > 0, done.stdout + done.stderr


def test_a_row_that_there_is_not():
    done = xvs.run(os.path.join(BENCH, "run"), "w9", check=False)
    assert done.returncode == 2 and "no row 'w9'" in done.stderr
