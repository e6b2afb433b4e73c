# datapath/tunnel and datapath/netlink: part of the datapath's library. One file a line, sorted; headers too.
datapath_libdatapath_a_SOURCES += \
	datapath/netlink/message.c \
	datapath/netlink/message.h \
	datapath/netlink/netlink.c \
	datapath/netlink/netlink.h \
	datapath/tunnel/gre.c \
	datapath/tunnel/gre.h \
	datapath/tunnel/host.c \
	datapath/tunnel/map.c \
	datapath/tunnel/map.h \
	datapath/tunnel/option.c \
	datapath/tunnel/option.def \
	datapath/tunnel/option.h \
	datapath/tunnel/plan.c \
	datapath/tunnel/report.c \
	datapath/tunnel/route.c \
	datapath/tunnel/tunnel.c \
	datapath/tunnel/tunnel.h \
	datapath/tunnel/wait.c \
	datapath/tunnel/wrap.c \
	datapath/tunnel/wrap.h
