# vswitchd: the daemon. The only home of uv.h. May include ofproto, lib/* and datapath/dp.h.
# A library, so that tests link the parts of it that need no daemon.
noinst_LIBRARIES += vswitchd/libvswitchd.a
vswitchd_libvswitchd_a_CFLAGS = $(AM_CFLAGS) $(LIBUV_CFLAGS) $(LIBFYAML_CFLAGS)
vswitchd_libvswitchd_a_SOURCES = \
	vswitchd/column.def \
	vswitchd/command-config.c \
	vswitchd/command-queue.c \
	vswitchd/command-show.c \
	vswitchd/command.c \
	vswitchd/command.h \
	vswitchd/config-yaml.c \
	vswitchd/config.c \
	vswitchd/config.h \
	vswitchd/control.c \
	vswitchd/controller.c \
	vswitchd/queue-config.c \
	vswitchd/queue-config.h \
	vswitchd/stream.c \
	vswitchd/stream.h \
	vswitchd/switch.c \
	vswitchd/switch.h

sbin_PROGRAMS += vswitchd/xvs-vswitchd
vswitchd_xvs_vswitchd_SOURCES = vswitchd/main.c
vswitchd_xvs_vswitchd_LDADD = vswitchd/libvswitchd.a lib/ctl/libctl.a $(OFPROTO_LIBS) $(LIBUV_LIBS) $(LIBFYAML_LIBS)
