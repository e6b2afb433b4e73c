"""The controller of the founding experiment: an os-ken application that tells s1 what to do with tunnel packets.

    osken-manager examples/experiment-s1.py

s1 terminates no tunnel. It sees GRE packets (IP protocol 47) between VM1 on port 1 and VM2 on port 2, lets ARP through,
and sends whatever else comes to the controller, which prints it. The two resubmits are Nicira's extension, which Open
vSwitch has made common: they look a packet up in a further table and come back.
"""
from os_ken.base import app_manager
from os_ken.controller import ofp_event
from os_ken.controller.handler import CONFIG_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from os_ken.ofproto import ofproto_v1_3

VM1_MAC, VM2_MAC = "08:00:27:54:e2:e4", "08:00:27:f4:36:8d"
GRE = 47
SAME_PORT = 0xfff8  # a resubmit's "as if it had come in by the port by which it came in"


class ExperimentS1(app_manager.OSKenApp):
    OFP_VERSIONS = [ofproto_v1_3.OFP_VERSION]

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def connected(self, event):
        dp = event.msg.datapath
        ofp, parser = dp.ofproto, dp.ofproto_parser

        def flow(table, priority, match, *actions, cookie=0):
            apply = parser.OFPInstructionActions(ofp.OFPIT_APPLY_ACTIONS, list(actions))
            dp.send_msg(parser.OFPFlowMod(dp, table_id=table, priority=priority, cookie=cookie,
                                          match=parser.OFPMatch(**match), instructions=[apply]))

        def resubmit(table):
            return parser.NXActionResubmitTable(in_port=SAME_PORT, table_id=table)

        to_controller = parser.OFPActionOutput(ofp.OFPP_CONTROLLER, ofp.OFPCML_NO_BUFFER)
        flow(0, 10, {"in_port": 1, "eth_type": 0x0800, "ip_proto": GRE}, resubmit(10))
        flow(0, 10, {"in_port": 2, "eth_type": 0x0800, "ip_proto": GRE}, resubmit(20))
        flow(0, 5, {"eth_type": 0x0806}, parser.OFPActionOutput(ofp.OFPP_ALL))
        flow(0, 0, {}, to_controller)
        flow(10, 10, {"eth_src": VM1_MAC}, parser.OFPActionOutput(2))
        flow(10, 0, {}, to_controller, cookie=0x10)
        flow(20, 10, {"eth_src": VM2_MAC}, parser.OFPActionOutput(1))
        flow(20, 0, {}, to_controller, cookie=0x10)
        dp.send_msg(parser.OFPBarrierRequest(dp))

    @set_ev_cls(ofp_event.EventOFPBarrierReply, [CONFIG_DISPATCHER, MAIN_DISPATCHER])
    def ready(self, event):
        print(f"switch {event.msg.datapath.id:016x} has its flows")

    @set_ev_cls(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)
    def packet_in(self, event):
        msg = event.msg
        print(f"packet in: table {msg.table_id}, cookie {msg.cookie:#x}, port {msg.match['in_port']}, {len(msg.data)} bytes")

    @set_ev_cls(ofp_event.EventOFPErrorMsg, [CONFIG_DISPATCHER, MAIN_DISPATCHER])
    def error(self, event):
        print(f"error: type {event.msg.type}, code {event.msg.code}")
