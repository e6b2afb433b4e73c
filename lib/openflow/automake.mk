# lib/openflow: bytes <-> structs <-> text. May include lib/packet and lib/base.
# One file a line, sorted; headers too.
noinst_LIBRARIES += lib/openflow/libopenflow.a
lib_openflow_libopenflow_a_SOURCES =
lib_openflow_libopenflow_a_SOURCES += \
	lib/openflow/error.def \
	lib/openflow/msg-format.c \
	lib/openflow/msg-format.h \
	lib/openflow/msg-format-flow.c \
	lib/openflow/msg-format-port.c \
	lib/openflow/msg-packet.c \
	lib/openflow/msg-port.c \
	lib/openflow/msg-session.c \
	lib/openflow/msg-switch.c \
	lib/openflow/msg-table.c \
	lib/openflow/msg.def \
	lib/openflow/msg.h \
	lib/openflow/ofp.c \
	lib/openflow/ofp.h
