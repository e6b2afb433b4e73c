# Unit tests of this floor, three lines each:
#UNIT_TESTS += tests/unit/test-noun
#tests_unit_test_noun_SOURCES = tests/unit/test-noun.c
#tests_unit_test_noun_LDADD = $(DATAPATH_TEST_LIBS)
noinst_HEADERS += tests/unit/dp-sim.h

UNIT_TESTS += tests/unit/test-dp
tests_unit_test_dp_SOURCES = tests/unit/test-dp.c
tests_unit_test_dp_LDADD = $(DATAPATH_TEST_LIBS)

UNIT_TESTS += tests/unit/test-gre
tests_unit_test_gre_SOURCES = tests/unit/test-gre.c
tests_unit_test_gre_LDADD = $(DATAPATH_TEST_LIBS)

UNIT_TESTS += tests/unit/test-tunnel-map
tests_unit_test_tunnel_map_SOURCES = tests/unit/test-tunnel-map.c
tests_unit_test_tunnel_map_LDADD = $(DATAPATH_TEST_LIBS)

UNIT_TESTS += tests/unit/test-tunnel-option
tests_unit_test_tunnel_option_SOURCES = tests/unit/test-tunnel-option.c
tests_unit_test_tunnel_option_LDADD = $(DATAPATH_TEST_LIBS)

UNIT_TESTS += tests/unit/test-port
tests_unit_test_port_SOURCES = tests/unit/test-port.c
tests_unit_test_port_LDADD = $(DATAPATH_TEST_LIBS)

UNIT_TESTS += tests/unit/test-tunnel-net
tests_unit_test_tunnel_net_SOURCES = tests/unit/test-tunnel-net.c
tests_unit_test_tunnel_net_LDADD = $(DATAPATH_TEST_LIBS)

UNIT_TESTS += tests/unit/test-cache
tests_unit_test_cache_SOURCES = tests/unit/test-cache.c
tests_unit_test_cache_LDADD = $(DATAPATH_TEST_LIBS)

UNIT_TESTS += tests/unit/test-tunnel-wrap
tests_unit_test_tunnel_wrap_SOURCES = tests/unit/test-tunnel-wrap.c
tests_unit_test_tunnel_wrap_LDADD = $(DATAPATH_TEST_LIBS)

UNIT_TESTS += tests/unit/test-netlink
tests_unit_test_netlink_SOURCES = tests/unit/test-netlink.c
tests_unit_test_netlink_LDADD = $(DATAPATH_TEST_LIBS)

UNIT_TESTS += tests/unit/test-execute
tests_unit_test_execute_SOURCES = tests/unit/test-execute.c
tests_unit_test_execute_LDADD = $(DATAPATH_TEST_LIBS)

UNIT_TESTS += tests/unit/test-punt
tests_unit_test_punt_SOURCES = tests/unit/test-punt.c
tests_unit_test_punt_LDADD = $(DATAPATH_TEST_LIBS)

UNIT_TESTS += tests/unit/test-tally
tests_unit_test_tally_SOURCES = tests/unit/test-tally.c
tests_unit_test_tally_LDADD = $(DATAPATH_TEST_LIBS)

UNIT_TESTS += tests/unit/test-cache-mask
tests_unit_test_cache_mask_SOURCES = tests/unit/test-cache-mask.c
tests_unit_test_cache_mask_LDADD = $(DATAPATH_TEST_LIBS)
UNIT_TESTS += tests/unit/test-dp-meter
tests_unit_test_dp_meter_SOURCES = tests/unit/test-dp-meter.c
tests_unit_test_dp_meter_LDADD = $(DATAPATH_TEST_LIBS)
UNIT_TESTS += tests/unit/test-queue
tests_unit_test_queue_SOURCES = tests/unit/test-queue.c
tests_unit_test_queue_LDADD = $(DATAPATH_TEST_LIBS)
