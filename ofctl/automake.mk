# ofctl: the OpenFlow client. May include lib/* only.
#bin_PROGRAMS += ofctl/xvs-ofctl
#ofctl_xvs_ofctl_SOURCES = ofctl/main.c
#ofctl_xvs_ofctl_LDADD = $(OPENFLOW_LIBS)
