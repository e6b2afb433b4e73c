# Unit tests of this floor, three lines each:
#UNIT_TESTS += tests/unit/test-noun
#tests_unit_test_noun_SOURCES = tests/unit/test-noun.c
#tests_unit_test_noun_LDADD = $(PACKET_TEST_LIBS)

UNIT_TESTS += tests/unit/test-classifier
tests_unit_test_classifier_SOURCES = tests/unit/test-classifier.c
tests_unit_test_classifier_LDADD = $(PACKET_TEST_LIBS)

UNIT_TESTS += tests/unit/test-field
tests_unit_test_field_SOURCES = tests/unit/test-field.c tests/unit/packets.h
tests_unit_test_field_LDADD = $(PACKET_TEST_LIBS)

UNIT_TESTS += tests/unit/test-parse
tests_unit_test_parse_SOURCES = tests/unit/test-parse.c tests/unit/frames.def tests/unit/packets.h tests/unit/sums.h
tests_unit_test_parse_LDADD = $(PACKET_TEST_LIBS)

UNIT_TESTS += tests/unit/test-csum
tests_unit_test_csum_SOURCES = tests/unit/test-csum.c tests/unit/packets.h tests/unit/sums.h
tests_unit_test_csum_LDADD = $(PACKET_TEST_LIBS)

UNIT_TESTS += tests/unit/test-unfinished
tests_unit_test_unfinished_SOURCES = tests/unit/test-unfinished.c tests/unit/packets.h tests/unit/sums.h
tests_unit_test_unfinished_LDADD = $(PACKET_TEST_LIBS)

UNIT_TESTS += tests/unit/test-match
tests_unit_test_match_SOURCES = tests/unit/test-match.c tests/unit/packets.h
tests_unit_test_match_LDADD = $(PACKET_TEST_LIBS)

UNIT_TESTS += tests/unit/test-modify
tests_unit_test_modify_SOURCES = tests/unit/test-modify.c tests/unit/packets.h tests/unit/sums.h
tests_unit_test_modify_LDADD = $(PACKET_TEST_LIBS)

UNIT_TESTS += tests/unit/test-dpact
tests_unit_test_dpact_SOURCES = tests/unit/test-dpact.c tests/unit/packets.h
tests_unit_test_dpact_LDADD = $(PACKET_TEST_LIBS)

UNIT_TESTS += tests/unit/test-gso
tests_unit_test_gso_SOURCES = tests/unit/test-gso.c tests/unit/packets.h tests/unit/sums.h
tests_unit_test_gso_LDADD = $(PACKET_TEST_LIBS)

UNIT_TESTS += tests/unit/test-gro
tests_unit_test_gro_SOURCES = tests/unit/test-gro.c tests/unit/packets.h tests/unit/sums.h
tests_unit_test_gro_LDADD = $(PACKET_TEST_LIBS)
