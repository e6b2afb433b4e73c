# utilities: xvs-ctl and other tools. May include lib/* only; they talk to the daemon through its sockets.
bin_PROGRAMS += utilities/xvs-ctl
utilities_xvs_ctl_SOURCES = utilities/xvs-ctl.c
utilities_xvs_ctl_LDADD = $(CTL_LIBS)
