# ofctl: the OpenFlow client. May include lib/* only.
# One file a line, sorted; headers too.
bin_PROGRAMS += ofctl/xvs-ofctl
ofctl_xvs_ofctl_SOURCES = \
	ofctl/batch-send.c \
	ofctl/batch.c \
	ofctl/batch.h \
	ofctl/cmd-bundle.c \
	ofctl/cmd-decode.c \
	ofctl/cmd-diff.c \
	ofctl/cmd-dump-flows.c \
	ofctl/cmd-echo.c \
	ofctl/cmd-encode.c \
	ofctl/cmd-flow.c \
	ofctl/cmd-group.c \
	ofctl/cmd-meter.c \
	ofctl/cmd-monitor.c \
	ofctl/cmd-packet-out.c \
	ofctl/cmd-port.c \
	ofctl/cmd-queue.c \
	ofctl/cmd-switch.c \
	ofctl/cmd-table.c \
	ofctl/colour.c \
	ofctl/command.def \
	ofctl/compat.c \
	ofctl/compat.def \
	ofctl/compat.h \
	ofctl/conn.c \
	ofctl/flow-check.c \
	ofctl/flow-set.c \
	ofctl/flow-set.h \
	ofctl/flow-text.c \
	ofctl/flows.c \
	ofctl/flows.h \
	ofctl/json.c \
	ofctl/lines.c \
	ofctl/lines.h \
	ofctl/main.c \
	ofctl/message-json.c \
	ofctl/ofctl.h \
	ofctl/option.def \
	ofctl/packet-out.h \
	ofctl/port-json.h \
	ofctl/ports.c \
	ofctl/progress.c \
	ofctl/progress.h \
	ofctl/schema.def \
	ofctl/tcp-streams.c \
	ofctl/tcp-streams.h
ofctl_xvs_ofctl_LDADD = $(OPENFLOW_LIBS) $(CTL_LIBS) $(LIBPCAP_LIBS)
