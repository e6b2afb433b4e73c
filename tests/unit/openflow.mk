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

# For tests/interop/test_osken_codec.py.
check_PROGRAMS += tests/unit/msg-tool
tests_unit_msg_tool_SOURCES = tests/unit/msg-tool.c tests/unit/msg-samples.c tests/unit/msg-samples.h
tests_unit_msg_tool_LDADD = $(OPENFLOW_TEST_LIBS)
