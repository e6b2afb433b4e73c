"""The daemon as a process: start, detach, pidfile, log, signals, configuration file."""
import glob
import os
import signal
import stat
import time

import pytest

import xvs


def daemon(ns, rundir, *args, **options):
    return ns.run(xvs.DAEMON, *args, env={**os.environ, "XVS_RUNDIR": rundir}, check=False, **options)


@pytest.fixture
def rundir(lab):
    path = os.path.join(lab.dir, "run")
    os.mkdir(path)
    return path


def test_stops_on_sigterm_within_a_second(lab):
    sw = lab.switch(lab.ns("s"))
    sw.ctl("add-br", "br0", "--", "add-port", "br0", "t1", "type=internal", "--", "set-controller", "br0", "tcp:127.0.0.1:1")
    sw.stop()  # asserts it: status 0, a second
    left = set(os.listdir(sw.rundir))
    assert not any(name.endswith((".ctl", ".mgmt", ".pid")) for name in left), left


def test_stops_on_sigint_and_by_command(lab):
    sw = lab.switch(lab.ns("s"))
    os.kill(sw.pid, signal.SIGINT)
    assert sw.process.wait(5 * xvs.slowness()) == 0
    sw.process = sw.pid = None
    sw.start()
    sw.ctl("exit")
    assert sw.process.wait(5 * xvs.slowness()) == 0
    sw.process = sw.pid = None


def test_stops_while_traffic_flows(lab):
    from topo import Star
    star = Star(lab)
    flood = lab.popen(star.h[0], "ping", "-q", "-f", "10.0.0.2", stdout=-3, stderr=-3)
    time.sleep(0.3)
    star.sw.stop()
    xvs.end_process(flood)


def test_detaches_when_its_sockets_answer(lab):
    sw = lab.switch(lab.ns("s"), detach=True, config="bridges:\n  br0: {}\n")
    assert sw.ctl("list-br").stdout == "br0\n"
    assert "br0" in sw.ofctl("show", "br0").stdout or sw.ofctl("show", "br0").returncode == 0
    assert not os.path.samefile(f"/proc/{sw.pid}/cwd", os.getcwd())
    assert os.getsid(sw.pid) == sw.pid


def test_detach_fails_in_the_foreground(lab, rundir):
    """What keeps it from running is said to whoever started it, with an exit status."""
    with open(f"{rundir}/xvs.yaml", "w", encoding="utf-8") as f:
        f.write("bridges: 12\n")
    done = daemon(lab.ns("s"), rundir, "--detach", "--pidfile", "--log-file")
    assert done.returncode == 1
    assert "xvs.yaml" in done.stderr
    assert not os.path.exists(f"{rundir}/xvs-vswitchd.pid")


def test_detached_with_relative_names(lab, rundir):
    """The daemon changes its directory when it detaches, but files stay where they were said to be."""
    ns = lab.ns("s")
    done = daemon(ns, rundir, "--detach", "--pidfile=the.pid", "--log-file=the.log", "--config=the.yaml", cwd=rundir)
    assert done.returncode == 0, done.stderr
    with open(f"{rundir}/the.pid", encoding="utf-8") as f:
        pid = int(f.read())
    try:
        ns.run(xvs.CTL, "add-br", "br0", env={**os.environ, "XVS_RUNDIR": rundir})
        with open(f"{rundir}/the.yaml", encoding="utf-8") as f:
            assert "br0" in f.read()
    finally:
        os.kill(pid, signal.SIGTERM)
        xvs.wait_until(lambda: not xvs.alive(pid), 5, "the daemon's end")
    assert not os.path.exists(f"{rundir}/the.pid")
    assert os.path.exists(f"{rundir}/the.log")


def test_a_second_daemon_stays_out_of_a_run_directory(lab):
    sw = lab.switch(lab.ns("s"))
    sw.ctl("add-br", "br0")
    done = daemon(sw.ns, sw.rundir, "--pidfile")
    assert done.returncode == 1 and done.stderr
    assert sw.ctl("list-br").stdout == "br0\n"
    with open(sw.pidfile, encoding="utf-8") as f:
        assert int(f.read()) == sw.pid


def test_a_stale_socket_and_pidfile_do_not_matter(lab):
    sw = lab.switch(lab.ns("s"))
    sw.kill()
    assert glob.glob(f"{sw.rundir}/*.ctl")
    sw.start()
    assert sw.ctl("list-br").returncode == 0


def test_everything_it_makes_is_in_its_run_directory(lab):
    sw = lab.switch(lab.ns("s"))
    sw.ctl("add-br", "br0")
    names = set(os.listdir(sw.rundir))
    assert {"xvs.ctl", "br0.mgmt", "xvs.yaml", "xvs-vswitchd.pid", "xvs-vswitchd.log"} <= names
    for name in "xvs.ctl", "br0.mgmt":
        assert stat.S_IMODE(os.stat(f"{sw.rundir}/{name}").st_mode) & 0o022 == 0, f"{name} is open to others"
    sw.ctl("del-br", "br0")
    assert not os.path.exists(f"{sw.rundir}/br0.mgmt")


def test_several_daemons_side_by_side(lab):
    """Also in one namespace, as long as bridges have names of their own: they are device names."""
    ns = lab.ns("s")
    first, second = lab.switch(ns), lab.switch(ns)
    first.ctl("add-br", "br1")
    second.ctl("add-br", "br2")
    assert first.ctl("list-br").stdout == "br1\n" and second.ctl("list-br").stdout == "br2\n"
    refused = second.ctl("add-br", "br1", check=False)
    assert refused.returncode == 1 and "br1" in refused.stderr
    assert second.ctl("list-br").stdout == "br2\n"
    first.stop()
    assert second.ctl("list-br").stdout == "br2\n"


@pytest.mark.parametrize("text, line", [
    ("bridges:\n  br0:\n    fail_mode: often\n", 3),
    ("bridges:\n  br0:\n    ports:\n      gre1:\n        type: gre\n        options: {remote_ip: 1.2.3}\n", None),
    ("bridges:\n  br0:\n    colour: red\n", 3),
    ("bridges:\n  br0: {\n", None),
    ("- a\n- b\n", None),
    ("bridges:\n  br0:\n    ports:\n      p1: {type: gree}\n", 4),
], ids=["value", "tunnel", "column", "yaml", "list", "type"])
def test_a_bad_configuration_file_is_refused_with_its_line(lab, rundir, text, line):
    with open(f"{rundir}/xvs.yaml", "w", encoding="utf-8") as f:
        f.write(text)
    done = daemon(lab.ns("s"), rundir)
    assert done.returncode == 1
    assert "xvs.yaml" in done.stderr or "gre1" in done.stderr, done.stderr
    if line:
        assert f"xvs.yaml:{line}" in done.stderr, done.stderr
    with open(f"{rundir}/xvs.yaml", encoding="utf-8") as f:
        assert f.read() == text, "the file was changed"
    assert not os.path.exists(f"{rundir}/xvs.ctl")


def test_configuration_by_hand(lab):
    config = """
bridges:
  br0:
    fail_mode: secure
    other_config: {hwaddr: "02:00:00:00:00:77"}
    ports:
      t1: {type: internal, ofport_request: 7}
      gre1: {type: gre, options: {remote_ip: 192.168.5.2, key: flow}}
"""
    sw = lab.switch(lab.ns("s"), config=config)
    assert sw.ns.mac("br0") == "02:00:00:00:00:77"
    assert sw.ctl("list-ports", "br0").stdout.split() == ["t1", "gre1"]
    assert sw.ctl("get", "interface", "t1", "ofport").stdout == "7\n"
    assert sw.ctl("get-fail-mode", "br0").stdout == "secure\n"


def test_log_levels(lab):
    sw = lab.switch(lab.ns("s"))
    sw.ctl("add-br", "br0")
    assert "info" in sw.ctl("log").stdout
    sw.ctl("log", "dbg")
    lines = sw.ctl("log").stdout.splitlines()
    assert lines and all(line.split()[1] == "dbg" for line in lines), lines
    module = lines[0].split()[0]
    sw.ctl("log", module, "off")
    assert f"{module} off" in " ".join(sw.ctl("log").stdout.split())
    for words in ["loud"], ["nosuchmodule", "dbg"]:
        done = sw.ctl("log", *words, check=False)
        assert done.returncode == 1 and words[0] in done.stderr


def test_log_rotation(lab):
    sw = lab.switch(lab.ns("s"))
    os.rename(sw.log, sw.log + ".1")
    sw.ctl("log", "reopen")
    sw.ctl("add-br", "br0")
    assert os.path.exists(sw.log)
    os.rename(sw.log, sw.log + ".2")
    os.kill(sw.pid, signal.SIGHUP)
    xvs.wait_until(lambda: os.path.exists(sw.log), 5, "the new log")


def test_log_level_of_a_module_on_the_command_line(lab):
    sw = lab.switch(lab.ns("s"), args=["--verbose=main:dbg"])
    assert "main dbg" in " ".join(sw.ctl("log").stdout.split())


@pytest.mark.parametrize("args", [["--no-such"], ["word"], ["--workers=0"], ["--workers=many"], ["--verbose=loud"]])
def test_bad_options(lab, rundir, args):
    done = daemon(lab.ns("s"), rundir, *args)
    assert done.returncode == 1 and done.stderr and not done.stdout


def test_help_and_version(lab, rundir):
    ns = lab.ns("s")
    for program in xvs.DAEMON, xvs.CTL, xvs.OFCTL:
        done = ns.run(program, "--help", env={**os.environ, "XVS_RUNDIR": rundir})
        assert "usage" in done.stdout.lower()
        assert "xvs" in ns.run(program, "--version", env={**os.environ, "XVS_RUNDIR": rundir}).stdout


def test_clients_without_a_daemon(lab, rundir):
    """What is missing is said, and how to mend it; a daemon that is not there is not waited for."""
    ns = lab.ns("s")
    env = {**os.environ, "XVS_RUNDIR": rundir}
    for command in [xvs.CTL, "show"], [xvs.OFCTL, "show", "br0"]:
        done = ns.run(*command, env=env, check=False, timeout=5)
        assert done.returncode == 1 and rundir in done.stderr, done.stderr


@pytest.mark.parametrize("workers", [1, 3])
def test_number_of_workers(lab, workers):
    from topo import Star
    ns = lab.ns("s")
    sw = lab.switch(ns, args=[f"--workers={workers}"])
    assert len(sw.ctl("show-workers").stdout.strip().splitlines()) == workers
    sw.stop()
    star = Star(lab, hosts=3)
    star.h[0].ping("10.0.0.3", count=2)


def test_worker_settings_are_kept(lab):
    """cpus takes effect at once, count with the next start."""
    sw = lab.switch(lab.ns("s"))
    sw.ctl("set", "worker", ".", "count=2", "cpus=0")
    sw.restart()
    assert len(sw.ctl("show-workers").stdout.strip().splitlines()) == 2
    for bad in "count=0", "count=many", "cpus=a-b", "cpus=", "colour=red":
        done = sw.ctl("set", "worker", ".", bad, check=False)
        assert done.returncode == 1 and bad.split("=")[0] in done.stderr, (bad, done.stdout, done.stderr)
    sw.restart()
    assert len(sw.ctl("show-workers").stdout.strip().splitlines()) == 2
