# docs/OPENFLOW.md is made from the .def files: `make docs` writes it anew, tests/check-docs fails when it is stale. The
# samples of actions come from the unit tests, so it takes Check to build.
if HAVE_CHECK
check_PROGRAMS += docs/docgen
TESTS += tests/check-docs
docs: docs/docgen$(EXEEXT)
	XVS_BUILDDIR='$(abs_top_builddir)' $(srcdir)/tests/check-docs --write
endif
.PHONY: docs
docs_docgen_SOURCES = docs/docgen.c tests/unit/flow-samples.c tests/unit/flow-samples.h
docs_docgen_CPPFLAGS = $(AM_CPPFLAGS)
docs_docgen_LDADD = $(OPENFLOW_LIBS) $(CHECK_LIBS)
EXTRA_DIST += docs/OPENFLOW.md tests/check-docs
