"""An os-ken application in OpenFlow 1.0: a learning switch that lives on the packets which no flow matches."""
from os_ken.base import app_manager
from os_ken.controller import ofp_event
from os_ken.controller.handler import CONFIG_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from os_ken.ofproto import ofproto_v1_0


class Switch(app_manager.OSKenApp):
    OFP_VERSIONS = [ofproto_v1_0.OFP_VERSION]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.learned = {}

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def connected(self, event):
        ports = ", ".join(f"{n} {p.name.decode()}" for n, p in sorted(event.msg.ports.items()))
        print(f"connected {event.msg.datapath.id:016x}, ports {ports}")

    @set_ev_cls(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)
    def packet_in(self, event):
        msg = event.msg
        dp = msg.datapath
        ofp, parser = dp.ofproto, dp.ofproto_parser
        reason = "no match" if msg.reason == ofp.OFPR_NO_MATCH else f"reason {msg.reason}"
        print(f"packet in from port {msg.in_port}, {len(msg.data)} of {msg.total_len} bytes, {reason}")
        dst, src = msg.data[:6], msg.data[6:12]
        self.learned[src] = msg.in_port
        out = self.learned.get(dst, ofp.OFPP_FLOOD)
        actions = [parser.OFPActionOutput(out)]
        if out != ofp.OFPP_FLOOD:
            match = parser.OFPMatch(in_port=msg.in_port, dl_dst=dst, dl_src=src)
            dp.send_msg(parser.OFPFlowMod(datapath=dp, match=match, cookie=7, command=ofp.OFPFC_ADD, idle_timeout=0,
                                          hard_timeout=0, priority=ofp.OFP_DEFAULT_PRIORITY,
                                          flags=ofp.OFPFF_SEND_FLOW_REM, actions=actions))
        dp.send_msg(parser.OFPPacketOut(datapath=dp, buffer_id=ofp.OFP_NO_BUFFER, in_port=msg.in_port, actions=actions,
                                        data=msg.data))

    @set_ev_cls(ofp_event.EventOFPFlowRemoved, MAIN_DISPATCHER)
    def flow_removed(self, event):
        msg = event.msg
        print(f"flow removed: cookie {msg.cookie}, in_port {msg.match.in_port}, {msg.packet_count} packets")

    @set_ev_cls(ofp_event.EventOFPPortStatus, MAIN_DISPATCHER)
    def port_status(self, event):
        print(f"port status: {event.msg.desc.name.decode()} config {event.msg.desc.config} state {event.msg.desc.state}")
