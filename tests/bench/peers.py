"""Whom xvs is measured against: Open vSwitch in userspace, on AF_PACKET and on DPDK, and loops that only copy.

What a peer needs and this machine cannot give raises Missing, whose text says what it was; the row then has no figure for
this peer, and says why.
"""
import contextlib
import glob
import os
import re
import shutil
import subprocess
import time

import xvs

HELPERS = os.path.join(xvs.BUILDDIR, "tests/bench")
_CPUS = sorted(os.sched_getaffinity(0))
LOAD_CPU, SWITCH_CPU = _CPUS[0], _CPUS[-1]


class Missing(Exception):
    pass


def helper(name):
    path = os.path.join(HELPERS, name)
    if not os.path.exists(path):
        raise Missing(f"{path} is not built")
    return path


def on_cpu(cpu, *command):
    return "taskset", "-c", cpu, *command


def pin(pid, cpu):
    """All threads that a process has now."""
    for task in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(task), {cpu})


def resident(pid):
    """Bytes."""
    return int(re.search(r"^VmRSS:\s+(\d+)", xvs.tail(f"/proc/{pid}/status", 100), re.M)[1]) * 1024


# --- Open vSwitch on AF_PACKET ---

class Ovs(xvs.Ovs):
    """Debian's Open vSwitch in userspace. settings: of the Open_vSwitch record, before the daemon starts."""

    def __init__(self, ns, folder, settings=(), env=None):
        super().__init__(ns, folder)
        self.settings = settings
        self.env.update(env or {})

    def start(self):
        run = xvs.run
        run("ovsdb-tool", "create", f"{self.dir}/conf.db", "/usr/share/openvswitch/vswitch.ovsschema", env=self.env)
        self._daemon("ovsdb-server", f"{self.dir}/conf.db", f"--remote=p{self.db}", f"--unixctl={self.dir}/db.ctl",
                     wait_for="db.sock")
        self.vsctl("--no-wait", "init")
        if self.settings:
            self.vsctl("--no-wait", "set", "Open_vSwitch", ".", *self.settings)
        self._daemon("ovs-vswitchd", self.db, f"--unixctl={self.dir}/vs.ctl", wait_for="vs.ctl")
        self.pid = self.processes[-1].pid


@contextlib.contextmanager
def ovs(lab, ns, *settings, env=None):
    if not shutil.which("ovs-vswitchd"):
        raise Missing("Open vSwitch is not installed (openvswitch-switch)")
    folder = lab._folder("ovs")
    switch = Ovs(ns, folder, settings, env)
    try:
        switch.start()
        yield switch
    except AssertionError as e:
        raise Missing(f"Open vSwitch: {e}\n{xvs.tail(f'{folder}/ovs-vswitchd.log', 8)}") from e
    finally:
        switch.close()


TSO = "other_config:userspace-tso-enable=true"


# --- Open vSwitch on DPDK ---

class Dpdk:
    """Unpacks Debian's packages of Open vSwitch with DPDK into the build directory, without installing them, and lends
    them huge pages."""

    PACKAGES = ["openvswitch-switch-dpdk", "librte-net-pcap23", "librte-net-null23", "librte-mempool-ring23"]
    PAGES = 1024  # of 2 MiB
    NR_PAGES = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"

    def __init__(self, say):
        self.say = say
        self.folder = os.path.join(HELPERS, "ovs-dpdk")
        self.root = os.path.join(self.folder, "root")
        self.pages_before = None
        self.missing = None

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.pages_before is not None:
            self._set_pages(self.pages_before)
            self.say(f"huge pages: back to {self.pages_before}")

    def prepare(self):
        """Raises Missing, again and again, if it cannot be had."""
        if self.missing:
            raise Missing(self.missing)
        try:
            self._unpack()
            self._borrow_pages()
        except (Missing, AssertionError, OSError, subprocess.TimeoutExpired) as e:
            self.missing = f"Open vSwitch with DPDK cannot be had: {e}"
            raise Missing(self.missing) from e

    def _unpack(self):
        if os.path.exists(os.path.join(self.folder, "complete")):
            return
        if not shutil.which("apt-get"):
            raise Missing("this is no Debian")
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.root)
        would = xvs.run("apt-get", "-s", "install", "--no-install-recommends", *self.PACKAGES, check=False, timeout=60)
        names = re.findall(r"^Inst (\S+)", would.stdout, re.M)
        if would.returncode or not set(self.PACKAGES) <= {*names, *self._installed()}:
            raise Missing(f"apt-get knows no {' '.join(self.PACKAGES)}; try 'apt-get update'")
        self.say(f"downloading {len(names)} packages of Open vSwitch with DPDK, to be unpacked in {self.folder}")
        xvs.run("apt-get", "-q", "download", *(names or self.PACKAGES), cwd=self.folder, timeout=300)
        for file in os.listdir(self.folder):
            if file.endswith(".deb"):
                xvs.run("dpkg", "-x", os.path.join(self.folder, file), self.root)
                os.unlink(os.path.join(self.folder, file))
        with open(os.path.join(self.folder, "complete"), "w", encoding="utf-8"):
            pass

    def _installed(self):
        done = xvs.run("dpkg-query", "-W", "-f=${db:Status-Status} ${Package}\n", *self.PACKAGES, check=False)
        return re.findall(r"^installed (\S+)", done.stdout, re.M)

    def _set_pages(self, n):
        with open(self.NR_PAGES, "w", encoding="ascii") as f:
            f.write(str(n))

    def _pages(self):
        with open(self.NR_PAGES, encoding="ascii") as f:
            return int(f.read())

    def _borrow_pages(self):
        if self.pages_before is not None:
            return
        before = self._pages()
        self.pages_before = before
        self._set_pages(before + self.PAGES)
        if self._pages() < before + self.PAGES:
            raise Missing(f"the kernel has no {self.PAGES} huge pages of 2 MiB")
        self.say(f"huge pages: {self.PAGES} of 2 MiB are taken for Open vSwitch with DPDK while this runs")

    @contextlib.contextmanager
    def ovs(self, lab, ns):
        self.prepare()
        libs = f"{self.root}/usr/lib/{os.uname().machine}-linux-gnu"
        plugins = [path for name in ("bus_vdev", "mempool_ring", "net_pcap", "net_null")
                   for path in sorted(glob.glob(f"{libs}/dpdk/pmds-*/librte_{name}.so.*"))[:1]]
        # Preloaded, since DPDK takes no plugins from below a folder that everybody may write to, such as /tmp.
        bin_folder = lab._folder("bin")
        with open(f"{bin_folder}/ovs-vswitchd", "w", encoding="utf-8") as f:
            f.write(f"#!/bin/sh\nLD_LIBRARY_PATH='{libs}' LD_PRELOAD='{' '.join(plugins)}' \\\n"
                    f"exec '{self.root}/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk' \"$@\"\n")
        os.chmod(f"{bin_folder}/ovs-vswitchd", 0o755)
        with ovs(lab, ns, "other_config:dpdk-init=true", "other_config:dpdk-socket-mem=1024",
                 f"other_config:pmd-cpu-mask={1 << SWITCH_CPU:#x}", f"other_config:dpdk-lcore-mask={1 << LOAD_CPU:#x}",
                 "other_config:dpdk-extra=--no-pci --in-memory",
                 env={"PATH": f"{bin_folder}:{os.environ['PATH']}"}) as switch:
            yield switch


def dpdk_replay(switch, bridge, port, file):
    switch.vsctl("add-port", bridge, port, "--", "set", "interface", port, "type=dpdk", "ofport_request=1",
                 f"options:dpdk-devargs=net_pcap1,rx_pcap={file},infinite_rx=1")


def dpdk_discard(switch, bridge, port):
    switch.vsctl("add-port", bridge, port, "--", "set", "interface", port, "type=dpdk", "ofport_request=2",
                 "options:dpdk-devargs=net_null2,no-rx=1")


def dpdk_cycles(switch, warm_up, seconds):
    """Cycles per packet of the one busy thread, all of them."""
    time.sleep(warm_up)
    switch.appctl("dpif-netdev/pmd-stats-clear")
    time.sleep(seconds)
    shown = switch.appctl("dpif-netdev/pmd-stats-show").stdout
    m = re.search(r"avg cycles per packet: ([0-9.]+)", shown)
    if not m:
        raise Missing(f"Open vSwitch with DPDK shows no cycles per packet:\n{shown}")
    return float(m[1])


# --- loops ---

@contextlib.contextmanager
def loop(lab, ns, program, *interfaces, cpu=None):
    command = [helper(program), *interfaces]
    process = ns.popen(*(on_cpu(cpu, *command) if cpu is not None else command), stdout=-3, stderr=subprocess.PIPE, text=True)
    try:
        time.sleep(0.3)
        if process.poll() is not None:
            raise Missing(f"{program} does not run: {process.stderr.read().strip()}")
        yield process
    finally:
        xvs.end_process(process)
        process.stderr.close()


def linux_bridge(ns, *interfaces):
    done = ns.ip("link", "add", "lbr", "type", "bridge", check=False)
    if done.returncode:
        raise Missing(f"this kernel has no bridge: {done.stderr.strip()}")
    ns.ip("link", "set", "lbr", "up")
    for interface in interfaces:
        ns.ip("link", "set", interface, "master", "lbr")


def finish_checksums(ns, interface):
    """Has the host finish TCP's checksums itself, and cut its segments, as `ethtool -K … tx off tso off gso off` would."""
    xvs.run("ip", "netns", "exec", ns.name, "python3", "-c", _ETHTOOL, interface)


_ETHTOOL = """
import fcntl, socket, struct, sys, ctypes
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for command in 0x17, 0x1f, 0x24:  # ETHTOOL_STXCSUM, _STSO, _SGSO
    value = ctypes.create_string_buffer(struct.pack("II", command, 0))
    request = struct.pack("16sP", sys.argv[1].encode(), ctypes.addressof(value)) + bytes(16)
    try:
        fcntl.ioctl(s, 0x8946, request)  # SIOCETHTOOL
    except OSError as e:
        if e.errno != 95:  # EOPNOTSUPP: the device offers none
            raise
"""
