# datapath: ports, flow cache, walk's packets, tunnels, workers. May include lib/packet and lib/base.
# One file a line, sorted; headers too.
noinst_LIBRARIES += datapath/libdatapath.a
datapath_libdatapath_a_SOURCES =
