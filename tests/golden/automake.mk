# Golden tests: a script that makes text and compares it with a file kept here.
#TESTS += tests/golden/noun.sh
#EXTRA_DIST += tests/golden/noun.sh tests/golden/noun.expected
check_PROGRAMS += tests/golden/flow-text
tests_golden_flow_text_SOURCES = tests/golden/flow-text.c
tests_golden_flow_text_LDADD = $(OPENFLOW_LIBS)
TESTS += tests/golden/flow-text.sh
EXTRA_DIST += tests/golden/flow-text.sh tests/golden/flow-print.in tests/golden/flow-print.expected \
	tests/golden/flow-errors.in tests/golden/flow-errors.expected
