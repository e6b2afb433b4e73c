# vswitchd: the daemon. The only home of uv.h. May include ofproto, lib/* and datapath/dp.h.
#sbin_PROGRAMS += vswitchd/xvs-vswitchd
#vswitchd_xvs_vswitchd_SOURCES = vswitchd/main.c
#vswitchd_xvs_vswitchd_LDADD = $(OFPROTO_LIBS) $(LIBUV_LIBS) $(LIBFYAML_LIBS) $(OPENSSL_LIBS)
