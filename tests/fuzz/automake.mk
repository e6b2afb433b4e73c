# Fuzz targets: tests/fuzz/fuzz-NOUN.c defines LLVMFuzzerTestOneInput() and links one of the *_FUZZ_LIBS.
# With --enable-fuzz each is a libFuzzer program; otherwise it is a test that replays tests/fuzz/corpus/NOUN/. Three lines each:
#FUZZ_TARGETS += tests/fuzz/fuzz-noun
#tests_fuzz_fuzz_noun_SOURCES = tests/fuzz/fuzz-noun.c
#tests_fuzz_fuzz_noun_LDADD = $(PACKET_FUZZ_LIBS)
FUZZ_TARGETS =
FUZZ_TARGETS += tests/fuzz/fuzz-packet
tests_fuzz_fuzz_packet_SOURCES = tests/fuzz/fuzz-packet.c
tests_fuzz_fuzz_packet_LDADD = $(PACKET_FUZZ_LIBS)
if FUZZ
noinst_PROGRAMS += $(FUZZ_TARGETS)
FUZZ_MAIN = $(FUZZ_ENGINE)
else
check_PROGRAMS += $(FUZZ_TARGETS)
TESTS += $(FUZZ_TARGETS)
check_LIBRARIES += tests/fuzz/libreplay.a
tests_fuzz_libreplay_a_SOURCES = tests/fuzz/replay.c
FUZZ_MAIN = tests/fuzz/libreplay.a
endif
PACKET_FUZZ_LIBS = $(FUZZ_MAIN) $(PACKET_LIBS)
OPENFLOW_FUZZ_LIBS = $(FUZZ_MAIN) $(OPENFLOW_LIBS)
DATAPATH_FUZZ_LIBS = $(FUZZ_MAIN) $(DATAPATH_LIBS)
OFPROTO_FUZZ_LIBS = $(FUZZ_MAIN) $(OFPROTO_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz-versions
tests_fuzz_fuzz_versions_SOURCES = tests/fuzz/fuzz-versions.c
tests_fuzz_fuzz_versions_LDADD = $(OPENFLOW_FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz-tunnel
tests_fuzz_fuzz_tunnel_SOURCES = tests/fuzz/fuzz-tunnel.c
tests_fuzz_fuzz_tunnel_LDADD = $(DATAPATH_FUZZ_LIBS)
EXTRA_DIST += tests/fuzz/corpus

# make fuzz [FUZZ_SECONDS=60]: every target in turn; what it finds new goes to the build tree, crashes stop the run.
FUZZ_SECONDS = 60
fuzz: $(FUZZ_TARGETS)
	@for t in $(FUZZ_TARGETS); do \
		n=$${t##*/fuzz-}; mkdir -p "tests/fuzz/found/$$n"; echo "fuzz: $$n, $(FUZZ_SECONDS) s"; \
		"./$$t" -max_total_time=$(FUZZ_SECONDS) -artifact_prefix="tests/fuzz/found/$$n-" \
			"tests/fuzz/found/$$n" "$(srcdir)/tests/fuzz/corpus/$$n" || exit 1; \
	done
.PHONY: fuzz

VSWITCHD_FUZZ_LIBS = $(FUZZ_MAIN) vswitchd/libvswitchd.a lib/openflow/libopenflow.a lib/packet/libpacket.a $(CTL_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz-yaml
tests_fuzz_fuzz_yaml_SOURCES = tests/fuzz/fuzz-yaml.c
tests_fuzz_fuzz_yaml_LDADD = $(VSWITCHD_FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz-control
tests_fuzz_fuzz_control_SOURCES = tests/fuzz/fuzz-control.c
tests_fuzz_fuzz_control_LDADD = $(VSWITCHD_FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz-ofp-msg
tests_fuzz_fuzz_ofp_msg_SOURCES = tests/fuzz/fuzz-ofp-msg.c
tests_fuzz_fuzz_ofp_msg_LDADD = $(OPENFLOW_FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz-ofconn
tests_fuzz_fuzz_ofconn_SOURCES = tests/fuzz/fuzz-ofconn.c
tests_fuzz_fuzz_ofconn_LDADD = $(OFPROTO_FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz-flow-text
tests_fuzz_fuzz_flow_text_SOURCES = tests/fuzz/fuzz-flow-text.c
tests_fuzz_fuzz_flow_text_LDADD = $(OPENFLOW_FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz-flow-mod
tests_fuzz_fuzz_flow_mod_SOURCES = tests/fuzz/fuzz-flow-mod.c
tests_fuzz_fuzz_flow_mod_LDADD = $(OPENFLOW_FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz-meter-text
tests_fuzz_fuzz_meter_text_SOURCES = tests/fuzz/fuzz-meter-text.c
tests_fuzz_fuzz_meter_text_LDADD = $(OPENFLOW_FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz-group
tests_fuzz_fuzz_group_SOURCES = tests/fuzz/fuzz-group.c
tests_fuzz_fuzz_group_LDADD = $(OPENFLOW_FUZZ_LIBS)
