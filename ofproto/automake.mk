# ofproto: OpenFlow behaviour of a bridge. May include lib/* and datapath/dp.h.
# One file a line, sorted; headers too.
noinst_LIBRARIES += ofproto/libofproto.a
ofproto_libofproto_a_SOURCES =
