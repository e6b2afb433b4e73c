"""Claim 10 of the founding experiment: one end is Debian's Open vSwitch in userspace, and nothing changes."""
import pytest

import experiment
import xvs
from experiment import OPEN_VSWITCH, SHORT_FORM, Experiment

ENDS = pytest.mark.parametrize("vm1, vm2", [(SHORT_FORM, OPEN_VSWITCH), (OPEN_VSWITCH, SHORT_FORM)],
                               ids=["Open vSwitch is VM2", "Open vSwitch is VM1"])


def ready(lab, vm1, vm2, controller=False):
    exp = Experiment(lab, vm1=vm1, vm2=vm2, controller=controller)
    exp.set_up()
    # Open vSwitch loses what waits for ARP on the underlay, and it needs more than one attempt to learn.
    xvs.wait_until(lambda: len(exp.ping(1, check=False, wait=2)) == 1, 15, "the first ping through Open vSwitch")
    return exp


@ENDS
def test_ping_and_headers(lab, vm1, vm2):
    exp = ready(lab, vm1, vm2)
    experiment.claim_1(exp)
    experiment.claim_2(exp)
    experiment.claim_9(exp)


@ENDS
def test_counters_of_a_switch_with_a_controller(lab, vm1, vm2):
    """Open vSwitch's host stack answers GRE with ICMP 'protocol unreachable', which s1's controller gets to see."""
    exp = ready(lab, vm1, vm2, controller=True)
    before = exp.flows()
    exp.ping(3)
    after = exp.flows()
    for flow in after:
        if "priority=10" in flow[1]:
            assert after[flow][0] - before[flow][0] == 3, f"{flow}: {before} {after}"


@ENDS
def test_keys(lab, vm1, vm2):
    exp = ready(lab, vm1, vm2)
    experiment.claim_4(exp)
    experiment.claim_5(exp)


def test_xvs_drops_what_open_vswitch_sends_with_another_key(lab):
    exp = ready(lab, OPEN_VSWITCH, SHORT_FORM)
    experiment.claim_6(exp)


@ENDS
def test_gre_key_on_a_switch_between_them(lab, vm1, vm2):
    exp = ready(lab, vm1, vm2)
    experiment.claim_8(exp)
