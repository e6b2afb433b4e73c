# Unit tests of this floor, three lines each:
#UNIT_TESTS += tests/unit/test-noun
#tests_unit_test_noun_SOURCES = tests/unit/test-noun.c
#tests_unit_test_noun_LDADD = $(OFPROTO_TEST_LIBS)
UNIT_TESTS += tests/unit/test-tables
tests_unit_test_tables_SOURCES = tests/unit/test-tables.c
tests_unit_test_tables_LDADD = $(OFPROTO_TEST_LIBS)
UNIT_TESTS += tests/unit/test-fdb
tests_unit_test_fdb_SOURCES = tests/unit/test-fdb.c
tests_unit_test_fdb_LDADD = $(OFPROTO_TEST_LIBS)
