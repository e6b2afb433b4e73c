# ofproto: OpenFlow behaviour of a bridge. May include lib/* and datapath/dp.h.
# One file a line, sorted; headers too.
noinst_LIBRARIES += ofproto/libofproto.a
ofproto_libofproto_a_SOURCES = \
	ofproto/async.c \
	ofproto/bridge.h \
	ofproto/bundle.c \
	ofproto/dispatch.c \
	ofproto/dump.c \
	ofproto/fdb.c \
	ofproto/group.c \
	ofproto/group.h \
	ofproto/learn.c \
	ofproto/meter.c \
	ofproto/monitor.c \
	ofproto/multipart.c \
	ofproto/ofconn.c \
	ofproto/ofproto.c \
	ofproto/ofproto.h \
	ofproto/packet-io.c \
	ofproto/pktbuf.c \
	ofproto/pktbuf.h \
	ofproto/ports.c \
	ofproto/queue.c \
	ofproto/rule.c \
	ofproto/session-nx.c \
	ofproto/session.h \
	ofproto/tables.c \
	ofproto/timeouts.c \
	ofproto/trace-near.c \
	ofproto/trace.c \
	ofproto/trace.h \
	ofproto/txn.c \
	ofproto/walk-act.c \
	ofproto/walk-conjunction.c \
	ofproto/walk-emit.c \
	ofproto/walk-group.c \
	ofproto/walk-learn.c \
	ofproto/walk-nicira.c \
	ofproto/walk-normal.c \
	ofproto/walk-output.c \
	ofproto/walk-tag.c \
	ofproto/walk.c \
	ofproto/walk.h
