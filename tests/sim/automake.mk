# Simulations: a whole bridge in one process, with invented ports, time and OpenFlow connections; no sockets, no root.
#check_PROGRAMS += tests/sim/sim-noun
#TESTS += tests/sim/sim-noun
#tests_sim_sim_noun_SOURCES = tests/sim/sim-noun.c
#tests_sim_sim_noun_LDADD = $(OFPROTO_TEST_LIBS)

check_PROGRAMS += tests/sim/test-walk
TESTS += tests/sim/test-walk
tests_sim_test_walk_SOURCES = tests/sim/test-walk.c tests/sim/sim.h
tests_sim_test_walk_LDADD = $(OFPROTO_TEST_LIBS)
