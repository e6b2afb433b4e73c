# lib/ctl: the control socket's commands and framing, for both its ends. May include lib/base.
noinst_LIBRARIES += lib/ctl/libctl.a
lib_ctl_libctl_a_CFLAGS = $(AM_CFLAGS) $(LIBFYAML_CFLAGS)
lib_ctl_libctl_a_SOURCES = \
	lib/ctl/command.def \
	lib/ctl/ctl.c \
	lib/ctl/ctl.h
