# Benchmarks: built by 'make', run by hand or by './quickstart bench', never part of 'make check'.
#noinst_PROGRAMS += tests/bench/bench-noun
#tests_bench_bench_noun_SOURCES = tests/bench/bench-noun.c
#tests_bench_bench_noun_LDADD = $(DATAPATH_LIBS)
