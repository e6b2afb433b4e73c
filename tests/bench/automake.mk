# Benchmarks: tests/bench/run measures xvs beside its peers, by './quickstart bench' or 'make bench'; no part of 'make check'.
# The programs are its load generator, its ceilings and its controller.
bench_helpers = tests/bench/send tests/bench/rawfwd tests/bench/rawfwd-gso tests/bench/ofsink
noinst_PROGRAMS += $(bench_helpers)
tests_bench_send_SOURCES = tests/bench/send.c
tests_bench_rawfwd_SOURCES = tests/bench/rawfwd.c
tests_bench_rawfwd_gso_SOURCES = tests/bench/rawfwd-gso.c
tests_bench_ofsink_SOURCES = tests/bench/ofsink.c
EXTRA_DIST += tests/bench/run tests/bench/rows.py tests/bench/peers.py tests/bench/work.py tests/bench/report.py

# make bench [ROWS="m1 w2"] [ROUNDS=5] [JSON=out.json] [SVG=plot.svg]
bench: $(bench_helpers) vswitchd/xvs-vswitchd utilities/xvs-ctl ofctl/xvs-ofctl
	@set -- $(ROWS); \
	test -z '$(SVG)' || set -- --svg='$(SVG)' "$$@"; \
	test -z '$(JSON)' || set -- --json='$(JSON)' "$$@"; \
	test -z '$(ROUNDS)' || set -- --rounds='$(ROUNDS)' "$$@"; \
	XVS_BUILDDIR='$(abs_top_builddir)' PYTHONDONTWRITEBYTECODE=1 exec python3 '$(srcdir)/tests/bench/run' "$$@"
.PHONY: bench
