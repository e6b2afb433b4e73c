"""What tests through the real daemon are made of: network namespaces, cables, switches, captures.

    def test_ping(lab):
        a, s, b = lab.ns("a"), lab.ns("s"), lab.ns("b")
        lab.veth(a, "eth0", s, "p1")
        lab.veth(b, "eth0", s, "p2")
        a.addr("eth0", "10.0.0.1/24")
        b.addr("eth0", "10.0.0.2/24")
        sw = lab.switch(s)
        sw.ctl("add-br", "br0")
        sw.ctl("add-port", "br0", "p1")
        sw.ctl("add-port", "br0", "p2")
        capture = lab.capture(b, "eth0", "icmp")
        a.ping("10.0.0.2")
        assert len(capture.stop()) == 2

The daemon and its clients come from $XVS_BUILDDIR (default: build). Everything has a time limit, everything that is
started is ended by its pid, and names are random, so that several runs can share a machine.
"""
import contextlib
import ctypes
import functools
import glob
import itertools
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILDDIR = os.path.abspath(os.environ.get("XVS_BUILDDIR", os.path.join(ROOT, "build")))
DAEMON = os.path.join(BUILDDIR, "vswitchd/xvs-vswitchd")
CTL = os.path.join(BUILDDIR, "utilities/xvs-ctl")
OFCTL = os.path.join(BUILDDIR, "ofctl/xvs-ofctl")

PREFIX = "xvs-test-"
RUN_LIMIT = 20  # seconds for a command that says nothing else


@functools.lru_cache
def sanitized():
    """Is the build one with sanitizers?"""
    try:
        with open(os.path.join(BUILDDIR, "Makefile"), encoding="utf-8") as f:
            return re.search(r"^XVS_CFLAGS = .*-fsanitize=", f.read(), re.M) is not None
    except FileNotFoundError:
        return False


def slowness():
    """What to multiply time limits by."""
    return 3 if sanitized() else 1


def wait_until(fn, timeout=5, what=None):
    """Calls fn until it gives something true, and gives that back. `what` completes "waited 5 s for …"."""
    limit = timeout * slowness()
    end = time.monotonic() + limit
    while True:
        result = fn()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"waited {limit} s for {what or getattr(fn, '__name__', fn)}")
        time.sleep(0.02)


def _die_with_parent():
    """Between fork and exec: what a killed test run leaves behind ends too."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def run(*args, check=True, timeout=RUN_LIMIT, **options):
    """subprocess.run() with text, captured output, a limit, and an error that shows what the command said."""
    args = [str(a) for a in args]
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    done = subprocess.run(args, timeout=timeout * slowness(), text=True, check=False, **options)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(args)}: exit status {done.returncode}\n{done.stdout or ''}{done.stderr or ''}")
    return done


def end_process(process, sig=signal.SIGTERM, timeout=5):
    """Ends a Popen, with SIGKILL if nothing else helps; gives its exit status, or None if it had to be killed."""
    if process.poll() is None:
        process.send_signal(sig)
    try:
        return process.wait(timeout * slowness())
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return None


def tail(path, lines=40):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return "".join(f.readlines()[-lines:])
    except OSError:
        return ""


def alive(pid):
    """Does this process run? The zombie of a daemon has ended; when init collects it is init's affair."""
    return re.search(r"^State:\s+[^ZX]", tail(f"/proc/{pid}/status", 100), re.M) is not None


def sweep():
    """Removes namespaces of runs that were killed. Their names tell the pid of the run."""
    for name in os.listdir("/run/netns") if os.path.isdir("/run/netns") else []:
        m = re.match(re.escape(PREFIX) + r"(\d+)-", name)
        if m and not alive(m[1]):
            run("ip", "netns", "del", name, check=False)


class Lab:
    """Makes things and ends them, the newest first. Tests get one as the fixture `lab`."""

    def __init__(self):
        self._stack = contextlib.ExitStack()
        self._loggers = []
        self.dir = None

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix=PREFIX)
        self._stack.callback(shutil.rmtree, self.dir, ignore_errors=True)
        return self

    def __exit__(self, *exc):
        return self._stack.__exit__(*exc)

    def _own(self, thing):
        self._stack.callback(thing.close)
        return thing

    def ns(self, label, ipv6=False):
        """A new network namespace, `lo` up; without IPv6 (less noise) unless asked for."""
        return self._own(Ns(label, ipv6))

    def veth(self, ns_a, if_a, ns_b, if_b, mac_a=None, mac_b=None, mtu=None):
        """A cable between two namespaces, both ends up, offloads as the kernel sets them."""
        veth(ns_a, if_a, ns_b, if_b, mac_a, mac_b, mtu)

    def popen(self, ns, *args, **options):
        """A process in a namespace that ends with the test."""
        process = ns.popen(*args, **options)
        self._stack.callback(end_process, process)
        return process

    def switch(self, ns, **options):
        """xvs-vswitchd, running in `ns`. See Switch."""
        switch = Switch(ns, self._folder("xvs"), **options)
        self._loggers.append(switch)
        self._own(switch)
        switch.start()
        return switch

    def capture(self, ns, interface, expression="", inbound=False):
        """tcpdump on `interface`, which sees every packet from now on, or those that come in. See Capture."""
        return self._own(Capture(ns, interface, expression, inbound, self._folder("cap")))

    def ovs(self, ns):
        """Debian's Open vSwitch in userspace, running in `ns`. See Ovs."""
        ovs = Ovs(ns, self._folder("ovs"))
        self._loggers.append(ovs)
        self._own(ovs)
        ovs.start()
        return ovs

    def osken(self, ns, app, port=6653, args=()):
        """An os-ken controller with the application `app` (a file or a module), listening in `ns`. See OsKen."""
        controller = OsKen(ns, app, port, self._folder("osken"), args)
        self._loggers.append(controller)
        return self._own(controller)

    def _folder(self, kind):
        return tempfile.mkdtemp(prefix=kind + "-", dir=self.dir)

    def logs(self):
        return [entry for logger in self._loggers for entry in logger.logs()]


class Ns:
    """A network namespace."""

    def __init__(self, label, ipv6=False):
        self.name = f"{PREFIX}{os.getpid()}-{secrets.token_hex(2)}-{label}"
        run("ip", "netns", "add", self.name)
        try:
            self.ip("link", "set", "lo", "up")
            if not ipv6:
                self.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
        except BaseException:
            self.close()
            raise

    def run(self, *args, **options):
        """A command in the namespace; run()'s options: check, timeout, input, env, cwd."""
        return run("ip", "netns", "exec", self.name, *args, **options)

    def popen(self, *args, **options):
        """A process in the namespace; its pid is the command's own. Whoever starts it ends it, or Lab.popen() does."""
        options.setdefault("stdin", subprocess.DEVNULL)
        # A session of its own: Ctrl-C is for the test run, which then ends its processes in order.
        return subprocess.Popen(["ip", "netns", "exec", self.name, *map(str, args)], start_new_session=True,
                                preexec_fn=_die_with_parent, **options)

    def ip(self, *args, **options):
        return run("ip", "-n", self.name, *args, **options)

    def sysctl(self, *settings):
        return self.run("sysctl", "-qw", *settings)

    def addr(self, interface, *addresses):
        """Gives addresses to an interface and sets it up."""
        for address in addresses:
            self.ip("addr", "add", address, "dev", interface, *(["nodad"] if ":" in address else []))
        self.ip("link", "set", interface, "up")

    def mac(self, interface):
        return re.search(r"link/ether (\S+)", self.ip("link", "show", "dev", interface).stdout)[1]

    def statistic(self, interface, name):
        """A counter of the kernel's, such as rx_packets."""
        return int(self.run("cat", f"/sys/class/net/{interface}/statistics/{name}").stdout)

    def ping(self, destination, count=3, interval=0.2, wait=2, check=True, options=()):
        """Pings; with check=True every reply must come. Gives the round-trip times in ms, in the order of arrival."""
        done = self.run("ping", "-n", "-c", count, "-i", interval, "-W", wait, *options, destination, check=False,
                        timeout=count * (interval + wait) + 5)
        times = [float(t) for t in re.findall(r"time=([0-9.]+) ms", done.stdout)]
        if check and (len(times) != count or "DUP!" in done.stdout):
            raise AssertionError(f"{len(times)} of {count} pings came back\n{done.stdout}{done.stderr}")
        return times

    def close(self):
        """Removes the namespace. Whatever still runs in it is a left-over of the test, and ends by its pid."""
        for pid in run("ip", "netns", "pids", self.name, check=False).stdout.split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        run("ip", "netns", "del", self.name, check=False)


_indexes = itertools.count(1001)


def veth(ns_a, if_a, ns_b, if_b, mac_a=None, mac_b=None, mtu=None):
    size = ["mtu", mtu] if mtu else []
    address_a, address_b = [["address", mac] if mac else [] for mac in (mac_a, mac_b)]
    # Were the indexes of both ends equal, as happens between namespaces, the kernel would put the news of their carrier
    # off for up to a second, and drop what is sent until then (net/core/link_watch.c, linkwatch_urgent_event()).
    run("ip", "link", "add", if_a, "index", next(_indexes), *address_a, *size, "netns", ns_a.name, "type", "veth",
        "peer", "name", if_b, "index", next(_indexes), *address_b, *size, "netns", ns_b.name)
    ns_a.ip("link", "set", if_a, "up")
    ns_b.ip("link", "set", if_b, "up")


class Switch:
    """xvs-vswitchd in a namespace, with a run directory of its own.

    config: text of xvs.yaml. detach: runs as a daemon instead of a child. args, env: added to the command line and the
    environment. At the end the daemon must still run, stop within a second, and leave no report of a sanitizer.
    """

    def __init__(self, ns, rundir, config=None, detach=False, args=(), env=None):
        self.ns, self.rundir, self.detach, self.args = ns, rundir, detach, args
        self.env = {**os.environ, "XVS_RUNDIR": rundir, **self._sanitizer_options(), **(env or {})}
        self.config = os.path.join(rundir, "xvs.yaml")
        self.pidfile = os.path.join(rundir, "xvs-vswitchd.pid")
        self.log = os.path.join(rundir, "xvs-vswitchd.log")
        self.output = os.path.join(rundir, "output")
        self.process = self.pid = None
        if config is not None:
            with open(self.config, "w", encoding="utf-8") as f:
                f.write(config)

    def _sanitizer_options(self):
        report = f"log_path={self.rundir}/sanitizer"
        return {"ASAN_OPTIONS": report + ":detect_stack_use_after_return=1",
                "UBSAN_OPTIONS": report + ":print_stacktrace=1", "TSAN_OPTIONS": report}

    def start(self):
        command = [DAEMON, "--pidfile", "--log-file", f"--config={self.config}", *self.args]
        if self.detach:
            self.ns.run(*command, "--detach", env=self.env)
            # It detaches only when its sockets answer, so there is nothing to wait for.
            with open(self.pidfile, encoding="utf-8") as f:
                self.pid = int(f.read())
            assert self.answers(), "xvs-vswitchd detached before its control socket answers"
            return
        with open(self.output, "ab") as output:
            self.process = self.ns.popen(*command, env=self.env, stdout=output, stderr=output)
        self.pid = self.process.pid
        wait_until(lambda: not self.running() or self.answers(), 10, "the control socket of xvs-vswitchd")
        if not self.running():
            self.process = self.pid = None
            raise AssertionError(f"xvs-vswitchd does not start:\n{self._said()}")

    def answers(self):
        """Does it carry out commands? The socket alone is there before the bridges are."""
        with socket.socket(socket.AF_UNIX) as s, contextlib.suppress(OSError):
            s.settimeout(1)
            s.connect(os.path.join(self.rundir, "xvs.ctl"))
            s.sendall(b'{"commands": [["version"]]}\n')
            return b'"status": 0' in s.recv(4096)
        return False

    def running(self):
        if self.process:
            return self.process.poll() is None
        return self.pid is not None and alive(self.pid)

    def ctl(self, *args, **options):
        """xvs-ctl; gives the CompletedProcess, and fails if it fails unless check=False."""
        return self.ns.run(CTL, *args, env=self.env, **options)

    def ofctl(self, *args, **options):
        """xvs-ofctl, likewise."""
        return self.ns.run(OFCTL, *args, env=self.env, **options)

    def mgmt(self, bridge):
        """The bridge's management socket as other OpenFlow clients name it: unix:…/br0.mgmt."""
        return f"unix:{self.rundir}/{bridge}.mgmt"

    def stop(self):
        """SIGTERM, and all that must be true of an end: status 0, within a second, no report of a sanitizer."""
        assert self.running(), f"xvs-vswitchd has ended by itself:\n{self._said()}"
        began = time.monotonic()
        os.kill(self.pid, signal.SIGTERM)
        if self.process:
            status = end_process(self.process, sig=0)
            assert status is not None, f"xvs-vswitchd did not stop on SIGTERM:\n{self._said()}"
            assert status == 0, f"xvs-vswitchd: exit status {status}:\n{self._said()}"
        else:
            wait_until(lambda: not self.running(), 5, "the end of xvs-vswitchd")
        took = time.monotonic() - began
        self.process = self.pid = None
        # With sanitizers the search for leaks comes on top.
        assert took < (10 if sanitized() else 1), f"xvs-vswitchd took {took:.1f} s to stop"
        self._assert_no_report()

    def kill(self):
        """SIGKILL, for tests of what survives."""
        os.kill(self.pid, signal.SIGKILL)
        if self.process:
            self.process.wait()
        else:
            wait_until(lambda: not self.running(), 5, "the end of xvs-vswitchd")
        self.process = self.pid = None

    def restart(self):
        self.stop()
        self.start()

    def close(self):
        try:
            if self.pid is not None:
                self.stop()
            self._assert_no_report()
        finally:
            if self.running():
                self.kill()

    def reports(self):
        """What sanitizers said."""
        return "\n".join(tail(path, 200) for path in glob.glob(f"{self.rundir}/sanitizer.*"))

    def _assert_no_report(self):
        assert not self.reports(), f"xvs-vswitchd has left a sanitizer's report:\n{self.reports()}"

    def _said(self):
        return "\n".join(filter(None, (tail(self.output), tail(self.log), self.reports())))

    def logs(self):
        return [("xvs-vswitchd in " + self.ns.name, self._said() or "(no log)")]


class Capture:
    """tcpdump -w on an interface. stop() gives the packets as scapy sees them, in order."""

    def __init__(self, ns, interface, expression, inbound, folder):
        # Debian's AppArmor profile lets tcpdump write files of this name only.
        self.path, self.inbound = os.path.join(folder, "capture.pcap"), inbound
        self.said = said = os.path.join(folder, "said")
        with open(said, "wb") as f:
            self.process = ns.popen("tcpdump", "-Z", "root", "-n", "-U", "--immediate-mode", "-s", "0", "-B", "32768", "-i", interface,
                                    "-w", self.path, *(["-Q", "in"] if inbound else []), *expression.split(), stdout=f, stderr=f)
        try:
            # tcpdump says this after it has opened the interface and set the filter.
            wait_until(lambda: "listening on" in tail(said) or self.process.poll() is not None, 10, "tcpdump")
            assert self.process.poll() is None, f"tcpdump on {interface}: {tail(said)}"
        except BaseException:
            end_process(self.process)
            raise

    def count(self):
        """Packets so far."""
        return len(self.packets())

    def packets(self):
        """The packets so far, without stopping."""
        import scapy.layers.all  # noqa: F401  (scapy decodes the layers that have been imported)
        from scapy.error import Scapy_Exception
        from scapy.utils import rdpcap
        try:
            return list(rdpcap(self.path))
        except (FileNotFoundError, Scapy_Exception):
            return []  # tcpdump has not written the file's header yet

    def wait(self, n=1, timeout=5):
        """Waits until n packets are there, and gives all."""
        wait_until(lambda: self.count() >= n, timeout, f"{n} packets in the capture")
        return self.packets()

    def stop(self):
        """Ends the capture after what is on its way has been written, and gives the packets."""
        self.end()
        return self.packets()

    def end(self):
        """Ends the capture after what is on its way has been written."""
        if self.process.poll() is None:
            size, quiet_since = -1, time.monotonic()
            limit = time.monotonic() + 2 * slowness()
            while time.monotonic() < limit and (time.monotonic() < quiet_since + 0.15 or not self._caught_up()):
                now = os.path.getsize(self.path) if os.path.exists(self.path) else 0
                if now != size:
                    size, quiet_since = now, time.monotonic()
                time.sleep(0.02)
            end_process(self.process, signal.SIGINT)

    def _caught_up(self):
        """Has tcpdump written all that the kernel has given it? It tells on SIGUSR1."""
        if self.inbound:
            return True  # tcpdump drops the rest by itself, so its two numbers differ
        before = tail(self.said)
        self.process.send_signal(signal.SIGUSR1)
        end = time.monotonic() + 0.2 * slowness()
        while (said := tail(self.said)) == before and time.monotonic() < end:
            time.sleep(0.005)
        counts = re.findall(r"(\d+) packets? captured, (\d+) packets? received by filter", said)
        return bool(counts) and counts[-1][0] == counts[-1][1]

    def fields(self, *names, display_filter=""):
        """What tshark reads in the packets: a dict of lists per packet (a field may be there once per layer)."""
        wanted = [word for name in names for word in ("-e", name)]
        done = run("tshark", "-r", self.path, "-n", "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE",
                   "-o", "tcp.check_checksum:TRUE", "-T", "fields", "-E", "separator=;", "-E", "aggregator=,", *wanted,
                   *(["-Y", display_filter] if display_filter else []))
        rows = [line.split(";") for line in done.stdout.splitlines()]
        return [{name: value.split(",") if value else [] for name, value in zip(names, row)} for row in rows]

    def close(self):
        end_process(self.process)


class Ovs:
    """Debian's ovsdb-server and ovs-vswitchd in a namespace, in directories of their own, without the kernel module."""

    def __init__(self, ns, folder):
        self.ns, self.dir = ns, folder
        self.env = {**os.environ, **{name: folder for name in
                                     ("OVS_RUNDIR", "OVS_DBDIR", "OVS_LOGDIR", "OVS_SYSCONFDIR")}}
        self.db = f"unix:{folder}/db.sock"
        self.processes = []

    def start(self):
        run("ovsdb-tool", "create", f"{self.dir}/conf.db", "/usr/share/openvswitch/vswitch.ovsschema", env=self.env)
        self._daemon("ovsdb-server", f"{self.dir}/conf.db", f"--remote=p{self.db}", f"--unixctl={self.dir}/db.ctl",
                     wait_for="db.sock")
        self.vsctl("--no-wait", "init")
        self._daemon("ovs-vswitchd", self.db, f"--unixctl={self.dir}/vs.ctl", wait_for="vs.ctl")

    def _daemon(self, name, *args, wait_for):
        with open(f"{self.dir}/{name}.output", "wb") as f:
            process = self.ns.popen(name, *args, f"--log-file={self.dir}/{name}.log", env=self.env,
                                    cwd=self.dir, stdout=f, stderr=f)
        self.processes.append(process)
        wait_until(lambda: os.path.exists(f"{self.dir}/{wait_for}") or process.poll() is not None, 10, name)
        assert process.poll() is None, f"{name} does not start:\n{tail(f'{self.dir}/{name}.output')}"

    def vsctl(self, *args, **options):
        return self.ns.run("ovs-vsctl", f"--db={self.db}", "--timeout=15", *args, env=self.env, **options)

    def ofctl(self, *args, **options):
        """ovs-ofctl; bridges by name."""
        return self.ns.run("ovs-ofctl", *args, env=self.env, **options)

    def appctl(self, *args, **options):
        return self.ns.run("ovs-appctl", "-t", f"{self.dir}/vs.ctl", *args, env=self.env, **options)

    def add_br(self, bridge, *settings):
        """A userspace bridge, fail_mode=secure; settings are words of `set bridge`."""
        self.vsctl("add-br", bridge, "--", "set", "bridge", bridge, "datapath_type=netdev", "fail_mode=secure",
                   *settings)

    def close(self):
        for process in reversed(self.processes):
            end_process(process)

    def logs(self):
        return [("ovs-vswitchd in " + self.ns.name, tail(f"{self.dir}/ovs-vswitchd.log"))]


class OsKen:
    """os-ken's manager with one application; switches connect to tcp:ADDRESS:PORT."""

    def __init__(self, ns, app, port, folder, args=()):
        self.ns, self.output = ns, os.path.join(folder, "output")
        with open(self.output, "wb") as f:
            self.process = ns.popen("osken-manager", "--ofp-tcp-listen-port", port, *args, app, stdout=f, stderr=f, cwd=folder,
                                    env={**os.environ, "PYTHONUNBUFFERED": "1"})
        try:
            wait_until(lambda: self.process.poll() is not None or self._listens(port), 15, "osken-manager")
            assert self.process.poll() is None, f"osken-manager does not start:\n{self.said()}"
        except BaseException:
            end_process(self.process)
            raise

    def _listens(self, port):
        return self.ns.run("ss", "-Hltn", f"sport = :{port}").stdout.strip()

    def said(self):
        """What the application has printed so far."""
        return tail(self.output, 1000)

    def wait_for(self, text, timeout=10):
        """Waits until the application has printed `text`."""
        wait_until(lambda: text in self.said(), timeout, f"the controller to say {text!r}")

    def close(self):
        end_process(self.process)

    def logs(self):
        return [("os-ken in " + self.ns.name, tail(self.output))]
