# Unit tests of the programs' own parts (configuration, control socket). They name the sources they test, three lines each:
#UNIT_TESTS += tests/unit/test-noun
#tests_unit_test_noun_SOURCES = tests/unit/test-noun.c vswitchd/noun.c vswitchd/noun.h
#tests_unit_test_noun_LDADD = $(OFPROTO_TEST_LIBS) $(LIBUV_LIBS) $(LIBFYAML_LIBS)
