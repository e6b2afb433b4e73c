# Unit tests of the programs' own parts (configuration, control socket): they link the parts that need no daemon.
UNIT_TESTS += tests/unit/test-config
tests_unit_test_config_SOURCES = tests/unit/test-config.c
tests_unit_test_config_LDADD = vswitchd/libvswitchd.a lib/openflow/libopenflow.a lib/packet/libpacket.a $(CTL_LIBS) $(CHECK_LIBS)

UNIT_TESTS += tests/unit/test-ctl
tests_unit_test_ctl_SOURCES = tests/unit/test-ctl.c
tests_unit_test_ctl_LDADD = $(CTL_LIBS) $(CHECK_LIBS)

UNIT_TESTS += tests/unit/test-queue-config
tests_unit_test_queue_config_SOURCES = tests/unit/test-queue-config.c
tests_unit_test_queue_config_LDADD = vswitchd/libvswitchd.a lib/openflow/libopenflow.a lib/packet/libpacket.a $(CTL_LIBS) $(CHECK_LIBS)
