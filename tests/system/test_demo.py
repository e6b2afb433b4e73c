"""The demonstration as people run it. What it shows is tested claim by claim in test_experiment.py."""
import os
import signal
import subprocess

import pytest

import xvs

DEMO = os.path.join(xvs.ROOT, "tests/demo")


def left_behind(pid):
    return [name for name in os.listdir("/run/netns") if name.startswith(f"{xvs.PREFIX}{pid}-")]


@pytest.mark.limit(90)
def test_all_claims_hold():
    done = xvs.run(DEMO, "--quiet", timeout=60)
    assert done.stdout.count("pass") == 9 and "9 of 9 claims hold" in done.stdout
    assert "\033" not in done.stdout, "colours though it is no terminal"
    assert xvs.ROOT not in done.stdout


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_it_cleans_up_when_interrupted(sig):
    demo = subprocess.Popen([DEMO], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        for line in demo.stdout:
            if "VM2# xvs-ctl" in line:
                break
        assert left_behind(demo.pid)
        os.killpg(demo.pid, sig)  # as a terminal does it
        os.killpg(demo.pid, sig)  # an impatient user
        said = demo.communicate(timeout=20 * xvs.slowness())[0]
    finally:
        xvs.end_process(demo)
    assert demo.returncode == 130 and "cleaned up" in said, said
    assert left_behind(demo.pid) == []


def test_it_says_what_it_needs():
    done = xvs.run(DEMO, env={**os.environ, "XVS_BUILDDIR": "/nonexistent"}, check=False)
    assert done.returncode == 1 and "quickstart" in done.stderr
    assert xvs.run(DEMO, "--colour", check=False).returncode == 1
