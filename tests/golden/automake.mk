# Golden tests: a script that makes text and compares it with a file kept here.
#TESTS += tests/golden/noun.sh
#EXTRA_DIST += tests/golden/noun.sh tests/golden/noun.expected
