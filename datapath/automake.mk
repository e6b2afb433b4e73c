# datapath: ports, flow cache, walk's packets, tunnels, workers. May include lib/packet and lib/base.
# One file a line, sorted; headers too.
noinst_LIBRARIES += datapath/libdatapath.a
datapath_libdatapath_a_SOURCES = \
	datapath/afpacket-rx.c \
	datapath/afpacket-rx.h \
	datapath/afpacket-socket.c \
	datapath/afpacket-socket.h \
	datapath/cache-mask.c \
	datapath/cache-mask.h \
	datapath/cache-path.c \
	datapath/cache.c \
	datapath/cache.h \
	datapath/closer.c \
	datapath/closer.h \
	datapath/dp.c \
	datapath/dp.h \
	datapath/drop.c \
	datapath/drop.def \
	datapath/encap.c \
	datapath/encap.h \
	datapath/execute-tag.c \
	datapath/execute-tunnel.c \
	datapath/execute.c \
	datapath/execute.h \
	datapath/guard.c \
	datapath/guard.h \
	datapath/hook.c \
	datapath/hook.h \
	datapath/option.c \
	datapath/option.h \
	datapath/meter.c \
	datapath/path.c \
	datapath/pool.c \
	datapath/port-afpacket.c \
	datapath/port-null.c \
	datapath/port-pcap.c \
	datapath/port-option.def \
	datapath/port-sim.c \
	datapath/port-system.c \
	datapath/port-system.h \
	datapath/port-tap.c \
	datapath/port.c \
	datapath/port.h \
	datapath/private.h \
	datapath/punt.c \
	datapath/queue.c \
	datapath/queue.h \
	datapath/ring.h \
	datapath/rxring.c \
	datapath/rxring.h \
	datapath/tally.c \
	datapath/tally.h \
	datapath/vnet.c \
	datapath/vnet.h \
	datapath/worker.c \
	datapath/worker.h
if HAVE_LIBXDP
datapath_libdatapath_a_SOURCES += \
	datapath/port-xdp.c \
	datapath/xdpprog.c \
	datapath/xdpprog.h
endif
include datapath/tunnel/automake.mk
