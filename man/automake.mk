# man: pages as they stand go to dist_man_MANS, generated ones to nodist_man_MANS (and to CLEANFILES).
# A page NAME.in has lines ".TABLE name", which mangen replaces by the rows of a .def file.
noinst_PROGRAMS += man/mangen
man_mangen_SOURCES = man/mangen.c
man_mangen_LDADD = $(OPENFLOW_LIBS)

generated_pages = \
	man/xvs-ctl.8 \
	man/xvs-ofctl.8 \
	man/xvs-vswitchd.8 \
	man/xvs.yaml.5
nodist_man_MANS += $(generated_pages)
CLEANFILES += $(generated_pages)
EXTRA_DIST += $(generated_pages:=.in)

$(generated_pages): %: %.in man/mangen$(EXEEXT)
	$(AM_V_GEN)man/mangen$(EXEEXT) <$(srcdir)/$@.in >$@.tmp && mv $@.tmp $@
