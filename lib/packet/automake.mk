# lib/packet: packets and flow keys. May include lib/base.
# One file a line, sorted; headers too.
noinst_LIBRARIES += lib/packet/libpacket.a
lib_packet_libpacket_a_SOURCES = \
	lib/packet/compose.c \
	lib/packet/compose.h \
	lib/packet/csum.c \
	lib/packet/csum.h \
	lib/packet/dpact.c \
	lib/packet/dpact.def \
	lib/packet/dpact.h \
	lib/packet/field-text.c \
	lib/packet/field.c \
	lib/packet/field.def \
	lib/packet/field.h \
	lib/packet/gro.c \
	lib/packet/gro.h \
	lib/packet/gso.c \
	lib/packet/gso.h \
	lib/packet/ip.c \
	lib/packet/ip.h \
	lib/packet/key.h \
	lib/packet/match.c \
	lib/packet/match.h \
	lib/packet/modify.c \
	lib/packet/modify-tag.c \
	lib/packet/modify.h \
	lib/packet/packet.h \
	lib/packet/parse.c \
	lib/packet/parse.h \
	lib/packet/unfinished.c \
	lib/packet/unfinished.h \
	lib/packet/view.h
lib_packet_libpacket_a_SOURCES += \
	lib/packet/classifier.c \
	lib/packet/classifier.h \
	lib/packet/view-field.c \
	lib/packet/view-field.h
