"""Every action on headers between Ethernet and IP, and on TTLs, with packets through the daemon (OpenFlow 1.3.5, 5.10, 5.12,
7.2.5). Packets are scapy's, checksums included."""
import struct

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import ARP
from scapy.packet import Raw

import openflow as of
import xvs
from frames import PAYLOAD, C, D, eth, ip, ip6, itag, lse, mpls, pbb, svlan, vlan
from wire import Wire

TAGGED_BELOW = Raw(struct.pack("!HH", 3 << 13 | 5, 0x0800) + bytes(eth(*ip()))[14:])

IP_BYTES, LSE_64 = eth(*ip())[14:], struct.pack("!I", 0x100 | 64)


def snap(ethertype, data):
    return eth()[:12] + struct.pack("!H", 8 + len(data)) + b"\xaa\xaa\3\0\0\0" + struct.pack("!H", ethertype) + data


CASES = {
    # --- push_mpls: label, TC and TTL of the existing label, else zero and IP's TTL; BOS where no label is below ---
    "push_mpls": ("ip,actions=push_mpls:0x8847,2", eth(*ip(33)), mpls(lse(ttl=33), *ip(33))),
    "push_mpls, multicast": ("ip,actions=push_mpls:0x8848,2", eth(*ip()), mpls(lse(), *ip(), ethertype=0x8848)),
    "push_mpls on IPv6": ("ipv6,actions=push_mpls:0x8847,2", eth(*ip6(9)), mpls(lse(ttl=9), *ip6(9))),
    "push_mpls on IPv4 with DSCP": ("ip,actions=push_mpls:0x8847,2", eth(*ip(tos=0xb8)), mpls(lse(), *ip(tos=0xb8))),
    "push_mpls on ARP": ("actions=push_mpls:0x8847,2", eth(ARP(), Raw(bytes(40))), mpls(lse(ttl=0), ARP(), Raw(bytes(40)))),
    "push_mpls on MPLS": ("mpls,actions=push_mpls:0x8847,2", mpls(lse(5, 3, 1, 9), *ip()),
                          mpls(lse(5, 3, 0, 9), lse(5, 3, 1, 9), *ip())),
    "push_mpls three times": ("ip,actions=push_mpls:0x8847,set_field:1->mpls_label,push_mpls:0x8847,"
                              "set_field:2->mpls_label,set_field:7->mpls_tc,push_mpls:0x8848,set_field:3->mpls_label,2",
                              eth(*ip(64)), mpls(lse(3, 7, 0), lse(2, 7, 0), lse(1, 0, 1), *ip(), ethertype=0x8848)),
    "push_mpls on a VLAN": ("dl_vlan=5,actions=push_mpls:0x8847,2", eth(vlan(5, 3), *ip()), mpls(lse(), TAGGED_BELOW)),
    "push_vlan and push_mpls": ("ip,actions=push_vlan:0x8100,set_field:4101->vlan_vid,set_field:3->vlan_pcp,"
                                "push_mpls:0x8847,2", eth(*ip()), mpls(lse(), TAGGED_BELOW)),
    "push_mpls and push_vlan": ("ip,actions=push_mpls:0x8847,push_vlan:0x8100,set_field:4101->vlan_vid,2",
                                eth(*ip()), eth(vlan(5), lse(), *ip())),
    # --- pop_mpls: what is below is what the argument says ---
    "pop_mpls to IPv4": ("mpls,actions=pop_mpls:0x0800,2", mpls(lse(5, 3, 1, 9), *ip()), eth(*ip())),
    "pop_mpls to IPv6": ("mpls,actions=pop_mpls:0x86dd,2", mpls(lse(5, 3, 1, 9), *ip6()), eth(*ip6())),
    "pop_mpls to MPLS": ("mpls,actions=pop_mpls:0x8847,2", mpls(lse(5, s=0), lse(6), *ip()), mpls(lse(6), *ip())),
    "pop_mpls to ARP": ("mpls,actions=pop_mpls:0x0806,2", mpls(lse(5), ARP(), Raw(bytes(40))), eth(ARP(), Raw(bytes(40)))),
    "pop_mpls to anything": ("mpls,actions=pop_mpls:0x1234,2", mpls(lse(5, s=0), lse(6), *ip()),
                             eth(Raw(mpls(lse(6), *ip())[14:]), type=0x1234)),
    "pop_mpls of three labels": ("mpls,actions=pop_mpls:0x8847,pop_mpls:0x8847,pop_mpls:0x0800,dec_ttl,2",
                                 mpls(lse(1, s=0), lse(2, s=0), lse(3), *ip(64)), eth(*ip(63))),
    "pop_mpls in a VLAN": ("mpls,dl_vlan=5,actions=pop_mpls:0x0800,2", eth(vlan(5, 3), lse(), *ip()), eth(vlan(5, 3), *ip())),
    "pop_mpls above a VLAN": ("mpls,actions=pop_mpls:0x8100,set_field:4102->vlan_vid,2", mpls(lse(), TAGGED_BELOW),
                              eth(vlan(6, 3), *ip())),
    "push_mpls, pop_mpls": ("ip,actions=push_mpls:0x8847,pop_mpls:0x0800,2", eth(*ip(9)), eth(*ip(9))),
    "set fields behind a popped label": ("mpls,actions=pop_mpls:0x0800,set_field:1.2.3.4->ip_src,set_field:02:00:00:00:00:0c->eth_src,2",
                                         mpls(lse(), IP(src="9.9.9.9", dst="10.0.0.2"), UDP(), PAYLOAD),
                                         eth(IP(src="1.2.3.4", dst="10.0.0.2"), UDP(), PAYLOAD, src=C)),
    # --- MPLS fields ---
    "mpls fields": ("mpls,actions=set_field:1048575->mpls_label,set_field:5->mpls_tc,set_mpls_ttl:7,2",
                    mpls(lse(1, 1, 0, 64), lse(9), *ip()), mpls(lse(1048575, 5, 0, 7), lse(9), *ip())),
    "dec_mpls_ttl": ("mpls,actions=dec_mpls_ttl,2", mpls(lse(ttl=2), *ip()), mpls(lse(ttl=1), *ip())),
    "dec_mpls_ttl of the outer label": ("mpls,actions=dec_mpls_ttl,2", mpls(lse(s=0, ttl=255), lse(ttl=9), *ip()),
                                        mpls(lse(s=0, ttl=254), lse(ttl=9), *ip())),
    "dec_mpls_ttl of 1": ("mpls,actions=dec_mpls_ttl,2", mpls(lse(ttl=1), *ip()), None),
    "dec_mpls_ttl of 0": ("mpls,actions=dec_mpls_ttl,2", mpls(lse(ttl=0), *ip()), None),
    # --- copy_ttl ---
    "copy_ttl_out, IP to MPLS": ("mpls,actions=copy_ttl_out,2", mpls(lse(ttl=9), *ip(33)), mpls(lse(ttl=33), *ip(33))),
    "copy_ttl_out, IPv6 to MPLS": ("mpls,actions=copy_ttl_out,2", mpls(lse(ttl=9), *ip6(33)), mpls(lse(ttl=33), *ip6(33))),
    "copy_ttl_out, MPLS to MPLS": ("mpls,actions=copy_ttl_out,2", mpls(lse(s=0, ttl=9), lse(ttl=8), *ip(33)),
                                   mpls(lse(s=0, ttl=8), lse(ttl=8), *ip(33))),
    "copy_ttl_out, then decrement": ("mpls,actions=copy_ttl_out,dec_mpls_ttl,2", mpls(lse(ttl=9), *ip(33)),
                                     mpls(lse(ttl=32), *ip(33))),
    "copy_ttl_out of nothing": ("mpls,actions=copy_ttl_out,2", mpls(lse(ttl=9), ARP(), Raw(bytes(40))),
                                mpls(lse(ttl=9), ARP(), Raw(bytes(40)))),
    "copy_ttl_in, MPLS to IP": ("mpls,actions=copy_ttl_in,2", mpls(lse(ttl=9), *ip(33)), mpls(lse(ttl=9), *ip(9))),
    "copy_ttl_in, MPLS to IPv6": ("mpls,actions=copy_ttl_in,2", mpls(lse(ttl=9), *ip6(33)), mpls(lse(ttl=9), *ip6(9))),
    "copy_ttl_in, MPLS to MPLS": ("mpls,actions=copy_ttl_in,2", mpls(lse(s=0, ttl=9), lse(ttl=8), *ip(33)),
                                  mpls(lse(s=0, ttl=9), lse(ttl=9), *ip(33))),
    "copy_ttl_out, IP to IP": ("ip,nw_proto=4,actions=copy_ttl_out,dec_ttl,2",
                               eth(IP(src="1.1.1.1", dst="2.2.2.2", ttl=9, id=3), *ip(33)),
                               eth(IP(src="1.1.1.1", dst="2.2.2.2", ttl=32, id=3), *ip(33))),
    "copy_ttl_in, IP to IP": ("ip,actions=copy_ttl_in,2", eth(IP(src="1.1.1.1", dst="2.2.2.2", ttl=9, id=3), *ip(33)),
                              eth(IP(src="1.1.1.1", dst="2.2.2.2", ttl=9, id=3), *ip(9))),
    "copy_ttl_in, IP to IPv6": ("ip,actions=copy_ttl_in,2", eth(IP(src="1.1.1.1", dst="2.2.2.2", ttl=9, id=3), *ip6(33)),
                                eth(IP(src="1.1.1.1", dst="2.2.2.2", ttl=9, id=3), *ip6(9))),
    "copy_ttl_in, IP with nothing below": ("ip,actions=copy_ttl_in,copy_ttl_out,2", eth(*ip(33)), eth(*ip(33))),
    "copy_ttl_in, pop": ("mpls,actions=set_mpls_ttl:5,copy_ttl_in,pop_mpls:0x0800,dec_ttl,2", mpls(lse(ttl=9), *ip(33)),
                         eth(*ip(4))),
    # --- IP's own ---
    "set_nw_ttl": ("ip,actions=mod_nw_ttl:9,2", eth(*ip(33)), eth(*ip(9))),
    "set_nw_ttl of IPv6": ("ipv6,actions=mod_nw_ttl:9,2", eth(*ip6(33)), eth(*ip6(9))),
    "dec_nw_ttl of 1": ("ip,actions=dec_ttl,2", eth(*ip(1)), None),
    "dec_nw_ttl of IPv6": ("ipv6,actions=dec_ttl,2", eth(*ip6(2)), eth(*ip6(1))),
    # --- VLAN ---
    "push_vlan": ("actions=push_vlan:0x8100,2", eth(*ip()), eth(vlan(0), *ip())),
    "push_vlan of the provider": ("actions=push_vlan:0x88a8,2", eth(*ip()), eth(svlan(0), *ip())),
    "push_vlan copies VID and PCP": ("dl_vlan=5,actions=push_vlan:0x88a8,2", eth(vlan(5, 3), *ip()),
                                     eth(svlan(5, 3), vlan(5, 3), *ip())),
    "push_vlan twice": ("actions=push_vlan:0x8100,set_field:4101->vlan_vid,set_field:6->vlan_pcp,push_vlan:0x88a8,2",
                        eth(*ip()), eth(svlan(5, 6), vlan(5, 6), *ip())),
    "push_vlan on three tags": ("actions=push_vlan:0x8100,set_field:4105->vlan_vid,2", eth(svlan(1), vlan(2), vlan(3), *ip()),
                                eth(vlan(9), svlan(1), vlan(2), vlan(3), *ip())),
    "pop_vlan": ("dl_vlan=5,actions=pop_vlan,2", eth(vlan(5, 3), *ip()), eth(*ip())),
    "pop_vlan of the provider": ("dl_vlan=5,actions=pop_vlan,2", eth(svlan(5, 3), vlan(6), *ip()), eth(vlan(6), *ip())),
    "pop_vlan of four tags": (["table=0,dl_vlan=1,ip,actions=pop_vlan,goto_table:1", "table=1,dl_vlan=2,actions=pop_vlan,goto_table:2",
                               "table=2,dl_vlan=3,ip,actions=pop_vlan,goto_table:3", "table=3,dl_vlan=4,dl_vlan_pcp=5,actions=pop_vlan,goto_table:4",
                               "table=4,vlan_tci=0,udp,tp_dst=2,actions=2"],
                              eth(svlan(1), vlan(2), vlan(3), vlan(4, 5), *ip()), eth(*ip())),
    # --- PBB: C-DA and C-SA are the packet's addresses, I-SID that of an existing I-TAG, I-PCP that of a VLAN tag ---
    "push_pbb": ("actions=push_pbb:0x88e7,2", eth(*ip()), pbb(itag(), *ip())),
    "push_pbb, fields": ("actions=push_pbb:0x88e7,set_field:0x123456->pbb_isid,set_field:1->pbb_uca,set_field:02:00:00:00:00:0c->eth_src,"
                         "set_field:02:00:00:00:00:0d->eth_dst,push_vlan:0x88a8,set_field:4103->vlan_vid,2", eth(*ip()),
                         eth(svlan(7), itag(0x123456, uca=1), Raw(eth(*ip())[12:]), src=C, dst=D).replace(
                             b"\x88\xa8\0\7\0\0", b"\x88\xa8\0\7\x88\xe7")),
    "push_pbb on a VLAN": ("dl_vlan=5,actions=push_pbb:0x88e7,2", eth(vlan(5, 3), *ip()), pbb(itag(pcp=3), vlan(5, 3), *ip())),
    "push_pbb on PBB": ("dl_type=0x88e7,actions=push_pbb:0x88e7,2", pbb(itag(77, 2, 1, 1, D, C), *ip()),
                        eth(itag(77), Raw(pbb(itag(77, 2, 1, 1, D, C), *ip())[12:]), type=0x88e7)),
    "pop_pbb": ("dl_type=0x88e7,actions=pop_pbb,2", pbb(itag(77, dst=D, src=C), *ip()), eth(*ip(), dst=D, src=C)),
    "pop_pbb with a B-TAG": ("dl_type=0x88e7,dl_vlan=5,actions=pop_vlan,pop_pbb,2",
                             eth(svlan(5), itag(77, dst=D, src=C), Raw(eth(*ip())[12:])).replace(
                                 b"\x88\xa8\0\5\0\0", b"\x88\xa8\0\5\x88\xe7"), eth(*ip(), dst=D, src=C)),
    "pop_pbb, then tables": (["table=0,pbb_isid=77,dl_type=0x88e7,actions=pop_pbb,goto_table:1",
                              f"table=1,dl_src={C},dl_dst={D},dl_vlan=5,udp,tp_dst=2,actions=set_field:4102->vlan_vid,2"],
                             pbb(itag(77, dst=D, src=C), vlan(5), *ip()), eth(vlan(6), *ip(), dst=D, src=C)),
    "pop_pbb twice": (["table=0,dl_type=0x88e7,actions=pop_pbb,goto_table:1", "table=1,dl_type=0x88e7,actions=pop_pbb,2"],
                      eth(itag(1), Raw(pbb(itag(77, dst=D, src=C), *ip())[12:]), type=0x88e7), eth(*ip(), dst=D, src=C)),
    "push_pbb, pop_pbb": ("actions=push_pbb:0x88e7,set_field:02:00:00:00:00:0c->eth_src,pop_pbb,2", eth(*ip()), eth(*ip())),
    # --- IEEE 802.3 with SNAP, whose type is the Ethernet header's ---
    "push_mpls behind SNAP": ("ip,actions=push_mpls:0x8847,2", snap(0x0800, IP_BYTES), snap(0x8847, LSE_64 + IP_BYTES)),
    "pop_mpls behind SNAP": ("mpls,actions=pop_mpls:0x0800,dec_ttl,2", snap(0x8847, LSE_64 + IP_BYTES), snap(0x0800, bytes(eth(*ip(63)))[14:])),
    # --- what a pop shrinks below Ethernet's least is padded as a device would ---
    "pop_vlan to 56 bytes": ("dl_vlan=5,actions=pop_vlan,2", eth(vlan(5), Raw(bytes(42)), type=0x8100), eth(Raw(bytes(46)), type=0)),
    "pop_mpls to 56 bytes": ("mpls,actions=pop_mpls:0x0800,2", mpls(lse(), IP(len=42), Raw(b"\1" * 22)),
                             eth(IP(len=42), Raw(b"\1" * 22 + bytes(4)))),
    "pop and push": ("dl_vlan=5,actions=pop_vlan,push_vlan:0x8100,set_field:4101->vlan_vid,2",
                     eth(vlan(5), Raw(bytes(42)), type=0x8100), eth(vlan(5), Raw(bytes(42)), type=0x8100)),
    # --- a later table sees what is there now, and the packet that came is what a clone ends with ---
    "pop_mpls, then tables": (["table=0,mpls,mpls_label=5,actions=pop_mpls:0x0800,goto_table:1",
                               "table=1,udp,nw_src=10.0.0.1,tp_dst=2,nw_ttl=33,actions=dec_ttl,output:2",
                               "table=1,priority=1,actions=drop"], mpls(lse(5), *ip(33)), eth(*ip(32))),
    "pop_mpls, then another label": (["table=0,mpls,mpls_bos=0,actions=pop_mpls:0x8847,resubmit(,1)",
                                      "table=1,mpls,mpls_label=6,mpls_bos=1,mpls_tc=2,actions=pop_mpls:0x86dd,goto_table:2",
                                      "table=2,tcp6,ipv6_src=fd00::1,tp_src=1,actions=2"],
                                     mpls(lse(5, s=0), lse(6, 2), *ip6()), eth(*ip6())),
    "push_mpls, then tables": (["table=0,ip,actions=push_mpls:0x8847,goto_table:1",
                                "table=1,priority=5,ip,actions=drop", "table=1,priority=4,mpls,mpls_label=0,mpls_bos=1,actions=2"],
                               eth(*ip(33)), mpls(lse(ttl=33), *ip(33))),
    "clone": ("mpls,actions=clone(pop_mpls:0x0800,dec_ttl,3),dec_mpls_ttl,2", mpls(lse(5), *ip(33)), mpls(lse(5, ttl=63), *ip(33))),
    # --- the action set's own order: 5.10 ---
    "set: pop, push_mpls, push_vlan": ("dl_vlan=5,ip,actions=write_actions(output:2,set_field:4105->vlan_vid,push_vlan:0x8100,"
                                       "set_field:7->mpls_label,push_mpls:0x8847,pop_vlan)", eth(vlan(5, 3), *ip(9)),
                                       eth(vlan(9), lse(7, ttl=9), *ip(9))),
    "set: all pushes": ("ip,actions=write_actions(push_vlan:0x8100,push_pbb:0x88e7,push_mpls:0x8847,set_field:9->pbb_isid,"
                        "set_field:4101->vlan_vid,output:2)", eth(*ip(9)),
                        eth(vlan(5), itag(9), Raw(mpls(lse(ttl=9), *ip(9))[12:])).replace(b"\x81\0\0\5\0\0", b"\x81\0\0\5\x88\xe7")),
    "set: copy inwards, pop, decrement": ("mpls,actions=write_actions(dec_ttl,pop_mpls:0x0800,copy_ttl_in,output:2)",
                                          mpls(lse(5, ttl=9), *ip(33)), eth(*ip(8))),
    "set: push, copy outwards, decrement": ("ip,actions=write_actions(dec_mpls_ttl,copy_ttl_out,push_mpls:0x8847,output:2)",
                                            eth(*ip(33)), mpls(lse(ttl=32), *ip(33))),
    "set: decrement before set": ("mpls,actions=write_actions(set_field:9->mpls_ttl,dec_mpls_ttl,output:2)",
                                  mpls(lse(ttl=33), *ip()), mpls(lse(ttl=9), *ip())),
}


@pytest.fixture(scope="module")
def wire():
    with xvs.Lab() as lab:
        yield Wire(lab)


@pytest.mark.parametrize("name", CASES)
def test_tag(wire, name):
    flows, sent, expected = CASES[name]
    wire.flows(*([flows] if isinstance(flows, str) else flows))
    # Twice: the second one may find what the first one has left in the cache.
    for got in wire.exchange(sent)[2], wire.exchange(sent, sent)[2][1:]:
        assert [p.hex() for p in got] == ([] if expected is None else [expected.hex()])


@pytest.mark.parametrize("actions,frame,field", [("dec_mpls_ttl", mpls(lse(ttl=1), *ip()), "mpls"),
                                                 ("dec_ttl", eth(*ip(1)), "ip")], ids=["mpls", "ip"])
def test_invalid_ttl_goes_to_the_controller(wire, actions, frame, field):
    wire.flows(f"cookie=0x77,{field},actions={actions},2")
    c = of.Connection.to(wire.sw)
    c.accepted(28, struct.pack("!IIIIII", 7, 7, 0, 0, 0, 0))  # SET_ASYNC: packet-ins of each reason
    c.barrier()
    assert wire.exchange(frame)[2] == []
    body = c.wait_event(of.PACKET_IN)
    _, length, reason, table, cookie = struct.unpack_from("!IHBBQ", body)
    assert (reason, table, cookie, length) == (2, 0, 0x77, len(frame))  # OFPR_INVALID_TTL
    assert body.endswith(frame)
    c.close()


OVS_FLOWS = ["priority=1,mpls actions=set_mpls_ttl(64),dec_mpls_ttl,push_mpls:0x8848,pop_mpls:0x0800",
             "priority=2,mpls,mpls_label=5,mpls_tc=3,mpls_bos=1 actions=set_field:7->mpls_label,set_field:1->mpls_tc,pop_mpls:0x8847",
             "priority=3,ip actions=push_mpls:0x8847,set_field:9->mpls_ttl,output:2",
             "priority=4,mplsm,mpls_ttl=9 actions=pop_mpls:0x86dd,load:0x5->NXM_NX_XXREG1[100..103]",
             "priority=5,conj_id=5,actset_output=2,reg0=0x1,tun_flags=+oam actions=output:3",
             "priority=6,ip actions=write_actions(push_mpls:0x8847,output:2)",
             "priority=7 actions=set_field:0x12345678901234567890->xxreg0,set_field:oam->tun_flags"]


@pytest.mark.parametrize("flow", OVS_FLOWS)
def test_ovs_ofctl_speaks_of_the_same(wire, flow):
    """Unmodified ovs-ofctl writes and reads these, and both clients print the same."""
    wire.sw.ofctl("del-flows", "br0")
    wire.ns.run("ovs-ofctl", "-O", "OpenFlow13", "add-flow", wire.sw.mgmt("br0"), flow.replace(" actions", ",actions"))
    theirs = wire.ns.run("ovs-ofctl", "-O", "OpenFlow13", "--no-stats", "dump-flows", wire.sw.mgmt("br0")).stdout.strip()
    ours = wire.sw.ofctl("--no-stats", "dump-flows", "br0").stdout.strip()
    assert theirs.splitlines()[-1].strip() == flow
    assert ours.splitlines()[-1].strip() == flow


def test_trace_says_it_all(wire):
    wire.flows("table=0,mpls,mpls_label=5,actions=copy_ttl_in,pop_mpls:0x0800,goto_table:1", "table=1,tcp,actions=dec_ttl,push_pbb:0x88e7,2",
               "table=1,priority=1,actions=3")
    text = wire.sw.ctl("trace", "br0", "in_port=1,mpls,mpls_label=5,mpls_bos=1").stdout
    for word in "copy_ttl_in", "pop_mpls:0x0800", "not cached":
        assert word in text, text
    frame = mpls(lse(5, ttl=9), *ip6())
    text = wire.sw.ctl("trace", "br0", "in_port=1", mpls(lse(5, ttl=9), IP(src="1.1.1.1", dst="2.2.2.2"), TCP(), PAYLOAD).hex()).stdout
    for word in "dec_ttl", "push_pbb:0x88e7", "set(nw_ttl=8)", "push_pbb(isid=0,pcp=0)", "output:p2":
        assert word in text, text
    text = wire.sw.ctl("trace", "br0", "in_port=1", frame.hex()).stdout
    assert "output:p3" in text, text
