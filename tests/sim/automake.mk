# Simulations: a whole bridge in one process, with invented ports, time and OpenFlow connections; no sockets, no root.
#check_PROGRAMS += tests/sim/sim-noun
#TESTS += tests/sim/sim-noun
#tests_sim_sim_noun_SOURCES = tests/sim/sim-noun.c
#tests_sim_sim_noun_LDADD = $(OFPROTO_TEST_LIBS)
SIM_TESTS = tests/sim/sim-bundles tests/sim/sim-flows tests/sim/sim-groups tests/sim/sim-learn tests/sim/sim-meters tests/sim/sim-packets tests/sim/sim-ports tests/sim/sim-queues tests/sim/sim-session tests/sim/sim-threads tests/sim/test-cache-walk tests/sim/test-conjunction tests/sim/test-race tests/sim/test-tags tests/sim/test-trace tests/sim/test-walk
noinst_HEADERS += tests/sim/random.h tests/sim/sim.h
if HAVE_CHECK
check_PROGRAMS += $(SIM_TESTS)
TESTS += $(SIM_TESTS)
endif
tests_sim_sim_bundles_SOURCES = tests/sim/sim-bundles.c
tests_sim_sim_bundles_LDADD = $(OFPROTO_TEST_LIBS)
tests_sim_sim_flows_SOURCES = tests/sim/sim-flows.c
tests_sim_sim_flows_LDADD = $(OFPROTO_TEST_LIBS)
tests_sim_sim_groups_SOURCES = tests/sim/sim-groups.c
tests_sim_sim_groups_LDADD = $(OFPROTO_TEST_LIBS) -lm
tests_sim_sim_learn_SOURCES = tests/sim/sim-learn.c
tests_sim_sim_learn_LDADD = $(OFPROTO_TEST_LIBS)
tests_sim_sim_meters_SOURCES = tests/sim/sim-meters.c
tests_sim_sim_meters_LDADD = $(OFPROTO_TEST_LIBS)
tests_sim_sim_queues_SOURCES = tests/sim/sim-queues.c
tests_sim_sim_queues_LDADD = $(OFPROTO_TEST_LIBS)
tests_sim_sim_packets_SOURCES = tests/sim/sim-packets.c
tests_sim_sim_packets_LDADD = $(OFPROTO_TEST_LIBS)
tests_sim_sim_ports_SOURCES = tests/sim/sim-ports.c
tests_sim_sim_ports_LDADD = $(OFPROTO_TEST_LIBS)
tests_sim_sim_session_SOURCES = tests/sim/sim-session.c
tests_sim_sim_session_LDADD = $(OFPROTO_TEST_LIBS)
tests_sim_test_cache_walk_SOURCES = tests/sim/test-cache-walk.c
tests_sim_test_cache_walk_LDADD = $(OFPROTO_TEST_LIBS)
tests_sim_test_conjunction_SOURCES = tests/sim/test-conjunction.c
tests_sim_test_conjunction_LDADD = $(OFPROTO_TEST_LIBS)
tests_sim_test_race_SOURCES = tests/sim/test-race.c
tests_sim_test_race_LDADD = $(OFPROTO_TEST_LIBS)
tests_sim_test_tags_SOURCES = tests/sim/test-tags.c
tests_sim_test_tags_LDADD = $(OFPROTO_TEST_LIBS)
tests_sim_test_trace_SOURCES = tests/sim/test-trace.c
tests_sim_test_trace_LDADD = $(OFPROTO_TEST_LIBS)
tests_sim_sim_threads_SOURCES = tests/sim/sim-threads.c
tests_sim_sim_threads_LDADD = $(OFPROTO_TEST_LIBS)
tests_sim_test_walk_SOURCES = tests/sim/test-walk.c
tests_sim_test_walk_LDADD = $(OFPROTO_TEST_LIBS)
CLEANFILES += tests/sim/*.tap
# The slow obvious twin, in Python, and the switch that it is compared with.
if HAVE_CHECK
check_PROGRAMS += tests/sim/sim-pipe
TESTS += tests/sim/test-twin.py
endif
tests_sim_sim_pipe_SOURCES = tests/sim/sim-pipe.c
tests_sim_sim_pipe_LDADD = $(OFPROTO_TEST_LIBS)
EXTRA_DIST += tests/sim/test-twin.py tests/sim/twin/messages.py tests/sim/twin/packet.py tests/sim/twin/scenario.py tests/sim/twin/switch.py
