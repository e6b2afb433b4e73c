# Unit tests: one program tests/unit/test-NOUN per noun, written with unit.h, listed in its floor's fragment
# (base.mk, packet.mk, …). A test links its own floor and those below, never more.
UNIT_TESTS =
BASE_TEST_LIBS = $(BASE_LIBS) $(CHECK_LIBS)
PACKET_TEST_LIBS = $(PACKET_LIBS) $(CHECK_LIBS)
OPENFLOW_TEST_LIBS = $(OPENFLOW_LIBS) $(CHECK_LIBS)
DATAPATH_TEST_LIBS = $(DATAPATH_LIBS) $(CHECK_LIBS)
OFPROTO_TEST_LIBS = $(OFPROTO_LIBS) $(CHECK_LIBS)

noinst_HEADERS += tests/unit/unit.h
if HAVE_CHECK
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
endif

CLEANFILES += tests/unit/*.tap
