# Unit tests of this floor, three lines each:
#UNIT_TESTS += tests/unit/test-noun
#tests_unit_test_noun_SOURCES = tests/unit/test-noun.c
#tests_unit_test_noun_LDADD = $(OPENFLOW_TEST_LIBS)

UNIT_TESTS += tests/unit/test-ofp
tests_unit_test_ofp_SOURCES = tests/unit/test-ofp.c
tests_unit_test_ofp_LDADD = $(OPENFLOW_TEST_LIBS)
