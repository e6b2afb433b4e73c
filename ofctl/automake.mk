# ofctl: the OpenFlow client. May include lib/* only.
# One file a line, sorted; headers too.
bin_PROGRAMS += ofctl/xvs-ofctl
ofctl_xvs_ofctl_SOURCES = \
	ofctl/batch.c \
	ofctl/batch.h \
	ofctl/cmd-dump-flows.c \
	ofctl/cmd-flow.c \
	ofctl/cmd-group.c \
	ofctl/cmd-meter.c \
	ofctl/cmd-packet.c \
	ofctl/cmd-port.c \
	ofctl/cmd-queue.c \
	ofctl/cmd-switch.c \
	ofctl/command.def \
	ofctl/conn.c \
	ofctl/flow-check.c \
	ofctl/flow-text.c \
	ofctl/json.c \
	ofctl/main.c \
	ofctl/ofctl.h \
	ofctl/option.def \
	ofctl/port-json.h \
	ofctl/ports.c
ofctl_xvs_ofctl_LDADD = $(OPENFLOW_LIBS) $(CTL_LIBS)
