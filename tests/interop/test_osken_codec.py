"""Our codec of OpenFlow messages against os-ken's parser and Open vSwitch's printer."""
import os
import re
import secrets

import pytest
import xvs

parser = pytest.importorskip("os_ken.ofproto.ofproto_v1_3_parser")
ofproto = pytest.importorskip("os_ken.ofproto.ofproto_v1_3")
ofproto_parser = pytest.importorskip("os_ken.ofproto.ofproto_parser")
ofproto_v1_0 = pytest.importorskip("os_ken.ofproto.ofproto_v1_0")
ofproto_v1_4 = pytest.importorskip("os_ken.ofproto.ofproto_v1_4")
pytest.importorskip("os_ken.ofproto.ofproto_v1_0_parser")
pytest.importorskip("os_ken.ofproto.ofproto_v1_4_parser")
protocol = pytest.importorskip("os_ken.ofproto.ofproto_protocol")

TOOL = os.path.join(xvs.BUILDDIR, "tests/unit/msg-tool")


class Datapath(protocol.ProtocolDesc):
    id = 1


DATAPATH = Datapath(version=ofproto.OFP_VERSION)


def samples(n, version=4):
    """(id, bytes) of random messages of ours."""
    seed = int(os.environ.get("XVS_TEST_SEED", "0"), 0) or secrets.randbits(48)
    print(f"XVS_TEST_SEED={seed}")
    lines = xvs.run(TOOL, "samples", seed, n, version).stdout.splitlines()
    return [(name, bytes.fromhex(text)) for name, text in (line.split() for line in lines)]


def ours(*messages):
    """What we print of each."""
    text = xvs.run(TOOL, "format", input="".join(m.hex() + "\n" for m in messages)).stdout
    return text.split("\0")[:-1]


def decode(data, datapath=DATAPATH):
    version, kind, length, xid = ofproto_parser.header(data)
    return ofproto_parser.msg(datapath, version, kind, length, xid, data)


# os-ken decodes what a controller receives.
RECEIVED = {"HELLO", "ERROR", "ECHO_REQUEST", "ECHO_REPLY", "FEATURES_REPLY", "GET_CONFIG_REPLY", "PACKET_IN",
            "FLOW_REMOVED", "PORT_STATUS", "BARRIER_REPLY", "ROLE_REPLY", "GET_ASYNC_REPLY", "DESC_REPLY",
            "FLOW_STATS_REPLY", "AGGREGATE_REPLY", "TABLE_STATS_REPLY", "PORT_STATS_REPLY", "PORT_DESC_REPLY",
            "TABLE_FEATURES_REPLY", "METER_STATS_REPLY", "METER_CONFIG_REPLY", "METER_FEATURES_REPLY",
            "GROUP_STATS_REPLY", "GROUP_DESC_REPLY", "GROUP_FEATURES_REPLY", "QUEUE_GET_CONFIG_REPLY", "QUEUE_STATS_REPLY"}


def test_osken_decodes_what_we_encode():
    seen = set()
    for name, data in samples(20):
        if name in RECEIVED:
            message = decode(data)
            assert message is not None and message.xid == int.from_bytes(data[4:8], "big"), (name, data.hex())
            seen.add(name)
    assert seen == RECEIVED


def test_osken_reads_the_same_numbers():
    for name, data in samples(20):
        if name == "PORT_STATS_REPLY":
            text, = ours(data)
            for port in decode(data).body:
                assert f"port {' ' if port.port_no < 10 else ''}{port.port_no}: rx pkts={port.rx_packets}, bytes={port.rx_bytes}" \
                    in text
        elif name == "FEATURES_REPLY":
            text, message = ours(data)[0], decode(data)
            assert f"dpid:{message.datapath_id:016x}" in text and f"n_buffers:{message.n_buffers}" in text
        elif name == "AGGREGATE_REPLY":
            text, message = ours(data)[0], decode(data).body
            assert (f"packet_count={message.packet_count} byte_count={message.byte_count} "
                    f"flow_count={message.flow_count}") in text
        elif name == "FLOW_STATS_REPLY":
            text, flows = ours(data)[0], decode(data).body
            assert [int(n) for n in re.findall(r"n_packets=(\d+)", text)] == [f.packet_count for f in flows]
        elif name == "GROUP_STATS_REPLY":
            text, groups = ours(data)[0], decode(data).body
            assert re.findall(r"group_id=(\d+),.*,ref_count=(\d+)", text) == [(str(g.group_id), str(g.ref_count)) for g in groups]
            assert [int(n) for n in re.findall(r"packet_count=(\d+)", text)] == \
                [n for g in groups for n in (g.packet_count, *(b.packet_count for b in g.bucket_stats))]
        elif name == "GROUP_DESC_REPLY":
            text, groups = ours(data)[0], decode(data).body
            assert re.findall(r"group_id=(\d+)", text) == [str(g.group_id) for g in groups]
            assert text.count("bucket=") == sum(len(g.buckets) for g in groups)
            assert [int(n) for n in re.findall(r"watch_port:(\d+)", text)] == \
                [b.watch_port for g in groups for b in g.buckets if b.watch_port != ofproto.OFPP_ANY]


def encode(message):
    message.xid = 7
    message.serialize()
    return bytes(message.buf)


def test_we_decode_what_osken_encodes():
    p, o, dp = parser, ofproto, DATAPATH
    match = p.OFPMatch(in_port=1, eth_type=0x0800, ip_proto=6, ipv4_dst=("10.0.0.0", "255.0.0.0"), tcp_dst=80)
    actions = [p.OFPActionSetField(tunnel_id=10), p.OFPActionOutput(2, 0)]
    instructions = [p.OFPInstructionActions(o.OFPIT_APPLY_ACTIONS, actions), p.OFPInstructionGotoTable(9)]
    frame = bytes.fromhex("ffffffffffff02020304050612345000")
    cases = [
        (p.OFPHello(dp), "version bitmap"),
        (p.OFPEchoRequest(dp, data=b"hi"), "2 bytes of payload"),
        (p.OFPFeaturesRequest(dp), "OFPT_FEATURES_REQUEST"),
        (p.OFPSetConfig(dp, o.OFPC_FRAG_DROP, 100), "frags=drop miss_send_len=100"),
        (p.OFPFlowMod(dp, table_id=3, priority=7, cookie=5, idle_timeout=10, match=match, instructions=instructions,
                      flags=o.OFPFF_SEND_FLOW_REM),
         "ADD table:3 priority=7,tcp,in_port=1,nw_dst=10.0.0.0/8,tp_dst=80 cookie:0x5 idle:10 send_flow_rem "
         "actions=set_field:0xa->tun_id,output:2,goto_table:9"),
        (p.OFPPacketOut(dp, o.OFP_NO_BUFFER, 1, actions, frame), "in_port=1 actions=set_field:0xa->tun_id,output:2 data_len=16"),
        (p.OFPPortMod(dp, 3, "02:00:00:00:00:01", o.OFPPC_PORT_DOWN, o.OFPPC_PORT_DOWN, 0), "port: 3: addr:02:00:00:00:00:01"),
        (p.OFPTableMod(dp, 5, 3), "table_id=5"),
        (p.OFPMeterMod(dp, o.OFPMC_ADD, o.OFPMF_KBPS | o.OFPMF_BURST, 7, [p.OFPMeterBandDrop(1000, 0), p.OFPMeterBandDscpRemark(500, 9, 1)]),
         "ADD meter=7 kbps burst bands=\ntype=drop rate=1000 burst_size=0\ntype=dscp_remark rate=500 burst_size=9 prec_level=1\n"),
        (p.OFPMeterMod(dp, o.OFPMC_DELETE, 0, o.OFPM_ALL, []), "DEL meter=all"),
        (p.OFPMeterStatsRequest(dp, 0, 7), "meter=7"),
        (p.OFPMeterConfigStatsRequest(dp, 0, o.OFPM_ALL), "meter=all"),
        (p.OFPMeterFeaturesStatsRequest(dp, 0), "OFPST_METER_FEATURES request"),
        (p.OFPQueueGetConfigRequest(dp, 3), "OFPT_QUEUE_GET_CONFIG_REQUEST (OF1.3) (xid=0x7): port=3"),
        (p.OFPQueueStatsRequest(dp, 0, 3, 5), "port=3 queue=5"),
        (p.OFPBarrierRequest(dp), "OFPT_BARRIER_REQUEST"),
        (p.OFPRoleRequest(dp, o.OFPCR_ROLE_MASTER, 5), "role=primary generation_id=5"),
        (p.OFPGetAsyncRequest(dp), "OFPT_GET_ASYNC_REQUEST"),
        (p.OFPSetAsync(dp, [1, 2], [3, 4], [5, 6]), "PACKET_IN: no_match\n"),
        (p.OFPGroupMod(dp, o.OFPGC_ADD, o.OFPGT_SELECT, 7, [p.OFPBucket(10, 2, o.OFPG_ANY, actions), p.OFPBucket(1, o.OFPP_ANY, 3, [])]),
         "ADD group_id=7,type=select,bucket=weight:10,watch_port:2,actions=set_field:0xa->tun_id,output:2,"
         "bucket=watch_group:3,actions=drop"),
        (p.OFPGroupMod(dp, o.OFPGC_DELETE, o.OFPGT_ALL, o.OFPG_ALL, []), "DEL group_id=4294967292,type=all"),
        (p.OFPGroupStatsRequest(dp, 0, 7), "OFPST_GROUP request (OF1.3) (xid=0x7): group_id=7"),
        (p.OFPGroupDescStatsRequest(dp, 0), "OFPST_GROUP_DESC request"),
        (p.OFPGroupFeaturesStatsRequest(dp, 0), "OFPST_GROUP_FEATURES request"),
        (p.OFPDescStatsRequest(dp, 0), "OFPST_DESC request"),
        (p.OFPFlowStatsRequest(dp, 0, o.OFPTT_ALL, o.OFPP_ANY, o.OFPG_ANY, 0, 0, match), "tcp,in_port=1"),
        (p.OFPAggregateStatsRequest(dp, 0, 3, o.OFPP_ANY, o.OFPG_ANY, 0, 0, p.OFPMatch()), "table=3"),
        (p.OFPTableStatsRequest(dp, 0), "OFPST_TABLE request"),
        (p.OFPPortStatsRequest(dp, 0, 4), "port_no=4"),
        (p.OFPPortDescStatsRequest(dp, 0), "OFPST_PORT_DESC request"),
        (p.OFPTableFeaturesStatsRequest(dp, 0), "OFPST_TABLE_FEATURES request"),
    ]
    texts = ours(*(encode(message) for message, _ in cases))
    assert len(texts) == len(cases)
    for (message, expected), text in zip(cases, texts):
        assert "(xid=0x7)" in text and expected in text, (message, text)


@pytest.mark.parametrize("version", [1, 5])
def test_osken_decodes_other_versions(version):
    """What a controller of OpenFlow 1.0 or 1.4 receives."""
    module = {1: ofproto_v1_0, 5: ofproto_v1_4}[version]
    datapath, seen = Datapath(version=module.OFP_VERSION), set()
    for name, data in samples(20, version):
        wanted = RECEIVED | {"ROLE_STATUS", "TABLE_DESC_REPLY", "QUEUE_DESC_REPLY"}
        if name in wanted and name != "HELLO" and not (version == 1 and (name in {"PORT_DESC_REPLY", "QUEUE_GET_CONFIG_REPLY"} or "GROUP" in name)): # these have what Open vSwitch added
            message = decode(data, datapath)
            assert message is not None and message.xid == int.from_bytes(data[4:8], "big"), (name, data.hex())
            seen.add(name)
    assert len(seen) >= (14 if version == 1 else 20), seen


# What Open vSwitch shows of bodies that we show as bytes, or shows more of.
OTHERWISE = {"FLOW_MONITOR_REQUEST", "TABLE_FEATURES_REPLY", "GROUP_FEATURES_REPLY", "XVS_BRIDGE_INFO_REQUEST", "XVS_BRIDGE_INFO_REPLY", "ERROR",
             "BUNDLE_ADD_MESSAGE", "TABLE_STATUS", "REQUESTFORWARD", "QUEUE_DESC_REQUEST", "NX_SET_ASYNC_CONFIG2"}
# Of 1.0: what Open vSwitch does not take: a queue's configuration of all ports, the order that random instructions have.
OTHERWISE_10 = {"QUEUE_GET_CONFIG_REQUEST", "FLOW_MOD", "NX_FLOW_MOD"}


@pytest.mark.parametrize("version", [1, 4, 5])
def test_prints_what_ovs_ofctl_prints(version):
    for name, data in samples(4, version):
        if name not in OTHERWISE and not (version == 1 and name in OTHERWISE_10):
            theirs = xvs.run("ovs-ofctl", "ofp-print", data.hex(), check=False)
            text, = ours(data)
            assert text.rstrip("\n") == theirs.stdout.rstrip("\n"), (name, data.hex())
