"""The founding experiment, strictly. The claims themselves are in experiment.py, which ./quickstart demo plays too."""
import re

import pytest

import experiment
from experiment import LONG_FORM, SHORT_FORM, Experiment

FORMS = pytest.mark.parametrize("form", [SHORT_FORM, LONG_FORM], ids=["short form", "ovs-vsctl form"])


def ready(lab, form=SHORT_FORM, controller=False):
    exp = Experiment(lab, vm1=form, vm2=form, controller=controller)
    exp.set_up()
    return exp


@pytest.mark.parametrize("attempt", range(3))
def test_no_packet_is_lost_from_the_first_on(lab, attempt):
    exp = ready(lab)
    on_underlay = lab.capture(exp.vm1.ns, "eth0")
    at_vm2 = lab.capture(exp.vm2.ns, "br0")
    experiment.claim_1(exp)
    on_underlay.end()
    at_vm2.end()
    experiment.assert_no_unreachable(exp, on_underlay)
    # In order, none twice, and one ARP exchange on each floor, no retries.
    sequence = [p["icmp.seq"][0] for p in at_vm2.fields("icmp.seq", display_filter="icmp.type == 8")]
    assert sequence == ["1", "2", "3"]
    arp = on_underlay.fields("arp.dst.proto_ipv4", "arp.opcode", "gre.key", display_filter="arp.opcode == 1")
    assert sorted(p["arp.dst.proto_ipv4"][0] for p in arp) == ["192.168.4.11", "192.168.5.238"], arp


def test_other_order_of_start(lab):
    """VM2's side sends first, and VM1 is set up with addresses before the tunnel: nothing depends on who came first."""
    exp = ready(lab)
    assert len(exp.vm2.ns.ping(exp.vm1.tenant, count=3)) == 3


@FORMS
def test_headers_on_the_wire(lab, form):
    exp = ready(lab, form)
    exp.ping(1)
    experiment.claim_2(exp)


def test_controller_and_counters(lab):
    """Claims 1, 3 and the frames of s1's ARP flow, s1 driven by os-ken with Nicira's resubmit."""
    exp = ready(lab, controller=True)
    exp.ping(3)
    flows = {(table, match.split(",dl_src")[0]): n for (table, match), n in exp.flows().items()}
    # Each way: ARP of the tenants (42 bytes) and three pings (98), and 42 bytes around each.
    for flow in (0, "priority=10,ip,in_port=1,nw_proto=47"), (0, "priority=10,ip,in_port=2,nw_proto=47"), \
                (10, "priority=10"), (20, "priority=10"):
        assert flows[flow] == (4, 84 + 3 * 140), f"{flow}: {flows}"
    assert flows[0, "priority=5,arp"] == (2, 84), flows
    assert "packet in" not in exp.controller.said()
    experiment.claim_3(exp)


def test_the_controllers_cookies_and_actions_as_dumped(lab):
    exp = ready(lab, controller=True)
    out = exp.s1.switch.ofctl("dump-flows", "s1").stdout
    assert "actions=resubmit(,10)" in out and "actions=resubmit(,20)" in out
    assert re.search(r"priority=5,arp actions=ALL", out)
    assert re.search(r"cookie=0x10, .*table=10, .*priority=0 actions=CONTROLLER:65535", out)


@FORMS
def test_without_set_tunnel_the_key_is_0(lab, form):
    exp = ready(lab, form)
    exp.ping(1)
    experiment.claim_4(exp)


@FORMS
def test_fixed_keys(lab, form):
    exp = ready(lab, form)
    exp.ping(1)
    experiment.claim_5(exp)


def test_a_wrong_key_is_a_named_drop(lab):
    exp = ready(lab)
    exp.ping(1)
    experiment.claim_6(exp)


def test_tun_id_matches_nothing_in_transit(lab):
    exp = ready(lab)
    exp.ping(1)
    experiment.claim_7(exp)


def test_gre_key_matches_in_transit(lab):
    exp = ready(lab)
    exp.ping(1)
    experiment.claim_8(exp)


def test_gre_key_steers_tenants_by_mask_and_value(lab):
    """Two tenants with keys 10 and 11 on one switch: a masked gre_key takes both, an exact one each."""
    exp = ready(lab)
    exp.ping(1)
    s1 = exp.s1.switch
    s1.ofctl("del-flows", "s1", "table=10")
    s1.ofctl("add-flows", "s1", "-", input="""
        table=10,priority=30,ip,nw_proto=47,gre_key=0xb,actions=drop
        table=10,priority=20,ip,nw_proto=47,gre_key=0x8/0xfffffff8,actions=output:2
    """)
    exp.ping(2)
    assert exp.flow(10, "gre_key=0x8/0xfffffff8")[0] == 2
    exp.vm1.ofctl("mod-flows br0 'in_port=local,actions=set_tunnel:11,output:gre1'")
    assert exp.ping(2, check=False, wait=1) == []
    assert exp.flow(10, "gre_key=0xb")[0] == 2
    assert exp.flow(10, "gre_key=0x8/0xfffffff8")[0] == 2
    trace = s1.ctl("trace", "s1", experiment.TRANSIT.replace("0xa", "0xb")).stdout
    assert "gre_key=0xb" in trace and "drop" in trace


def test_payload_is_in_the_clear(lab):
    exp = ready(lab)
    experiment.claim_9(exp)


def test_set_up_survives_a_restart_of_the_daemons(lab):
    """Bridges and tunnels come back from the configuration; addresses and flows are the user's to give again."""
    exp = ready(lab)
    exp.ping(1)
    for vm in exp.vm1, exp.vm2:
        vm.switch.restart()
        vm.do_all(experiment.ADDRESSES.format(**experiment.NAMES[vm.label]).replace("address add", "address replace"))
        vm.do("xvs-ofctl add-flow br0 'priority=10,in_port=local,actions=set_tunnel:10,output:gre1'")
        vm.do("xvs-ofctl add-flow br0 'priority=10,in_port=gre1,tun_id=10,actions=output:local'")
    exp.ping(3)
