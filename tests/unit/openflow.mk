# Unit tests of this floor, three lines each:
#UNIT_TESTS += tests/unit/test-noun
#tests_unit_test_noun_SOURCES = tests/unit/test-noun.c
#tests_unit_test_noun_LDADD = $(OPENFLOW_TEST_LIBS)

UNIT_TESTS += tests/unit/test-ofp
tests_unit_test_ofp_SOURCES = tests/unit/test-ofp.c
tests_unit_test_ofp_LDADD = $(OPENFLOW_TEST_LIBS)
UNIT_TESTS += tests/unit/test-msg
tests_unit_test_msg_SOURCES = tests/unit/test-msg.c tests/unit/msg-samples.c tests/unit/msg-samples.h
tests_unit_test_msg_LDADD = $(OPENFLOW_TEST_LIBS)

# For tests/interop/test_osken_codec.py, which runs after a plain 'make' too.
if HAVE_CHECK
noinst_PROGRAMS += tests/unit/msg-tool
endif
tests_unit_msg_tool_SOURCES = tests/unit/msg-tool.c tests/unit/msg-samples.c tests/unit/msg-samples.h
tests_unit_msg_tool_LDADD = $(OPENFLOW_TEST_LIBS)
UNIT_TESTS += tests/unit/test-match-codec
tests_unit_test_match_codec_SOURCES = tests/unit/test-match-codec.c tests/unit/flow-samples.c tests/unit/flow-samples.h
tests_unit_test_match_codec_LDADD = $(OPENFLOW_TEST_LIBS)
UNIT_TESTS += tests/unit/test-act
tests_unit_test_act_SOURCES = tests/unit/test-act.c tests/unit/flow-samples.c tests/unit/flow-samples.h
tests_unit_test_act_LDADD = $(OPENFLOW_TEST_LIBS)
UNIT_TESTS += tests/unit/test-flow
tests_unit_test_flow_SOURCES = tests/unit/test-flow.c tests/unit/flow-samples.c tests/unit/flow-samples.h
tests_unit_test_flow_LDADD = $(OPENFLOW_TEST_LIBS)
UNIT_TESTS += tests/unit/test-group
tests_unit_test_group_SOURCES = tests/unit/test-group.c tests/unit/msg-samples.c tests/unit/msg-samples.h
tests_unit_test_group_LDADD = $(OPENFLOW_TEST_LIBS)
UNIT_TESTS += tests/unit/test-meter
tests_unit_test_meter_SOURCES = tests/unit/test-meter.c tests/unit/msg-samples.c tests/unit/msg-samples.h
tests_unit_test_meter_LDADD = $(OPENFLOW_TEST_LIBS)
UNIT_TESTS += tests/unit/test-ofp-queue
tests_unit_test_ofp_queue_SOURCES = tests/unit/test-ofp-queue.c tests/unit/msg-samples.c tests/unit/msg-samples.h
tests_unit_test_ofp_queue_LDADD = $(OPENFLOW_TEST_LIBS)
