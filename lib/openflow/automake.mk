# lib/openflow: bytes <-> structs <-> text. May include lib/packet and lib/base.
# One file a line, sorted; headers too.
noinst_LIBRARIES += lib/openflow/libopenflow.a
lib_openflow_libopenflow_a_SOURCES =
lib_openflow_libopenflow_a_SOURCES += \
	lib/openflow/bundle.c \
	lib/openflow/bundle.h \
	lib/openflow/error.def \
	lib/openflow/meter-text.c \
	lib/openflow/meter.c \
	lib/openflow/meter.def \
	lib/openflow/meter.h \
	lib/openflow/error-version.def \
	lib/openflow/msg-format.c \
	lib/openflow/msg-format.h \
	lib/openflow/msg-format-bundle.c \
	lib/openflow/msg-format-flow.c \
	lib/openflow/msg-format-group.c \
	lib/openflow/msg-format-port.c \
	lib/openflow/msg-packet-nx.c \
	lib/openflow/msg-packet.c \
	lib/openflow/msg-port.c \
	lib/openflow/msg-session.c \
	lib/openflow/msg-switch.c \
	lib/openflow/msg-table.c \
	lib/openflow/msg.def \
	lib/openflow/msg.h \
	lib/openflow/ofp.c \
	lib/openflow/ofp.h \
	lib/openflow/property.h \
	lib/openflow/queue.c \
	lib/openflow/queue.h \
	lib/openflow/version.c \
	lib/openflow/version.h
lib_openflow_libopenflow_a_SOURCES += \
	lib/openflow/act-conjunction.c \
	lib/openflow/act-control.c \
	lib/openflow/act-field.c \
	lib/openflow/act-fin-timeout.c \
	lib/openflow/act-learn-text.c \
	lib/openflow/act-learn.c \
	lib/openflow/act-legacy.c \
	lib/openflow/act-mpls.c \
	lib/openflow/act-of10.c \
	lib/openflow/act-output.c \
	lib/openflow/act-pbb.c \
	lib/openflow/act-resubmit.c \
	lib/openflow/act-shape.h \
	lib/openflow/act-stack.c \
	lib/openflow/act-ttl.c \
	lib/openflow/act-tunnel.c \
	lib/openflow/act-vlan.c \
	lib/openflow/act.c \
	lib/openflow/act.h \
	lib/openflow/action.def \
	lib/openflow/flow-of10.c \
	lib/openflow/flow-of10.h \
	lib/openflow/flow-text.c \
	lib/openflow/flow.c \
	lib/openflow/flow.h \
	lib/openflow/group-text.c \
	lib/openflow/group-nx.c \
	lib/openflow/group-wire.h \
	lib/openflow/group.c \
	lib/openflow/group.h \
	lib/openflow/inst.c \
	lib/openflow/instruction.def \
	lib/openflow/match-codec.c \
	lib/openflow/match-codec.h \
	lib/openflow/match-of10.c \
	lib/openflow/match-text.c \
	lib/openflow/match-text.h \
	lib/openflow/oxm-text.c \
	lib/openflow/oxm-text.h \
	lib/openflow/oxm.h \
	lib/openflow/subfield.c \
	lib/openflow/text.c \
	lib/openflow/text.h
