# lib/packet: packets and flow keys. May include lib/base.
# One file a line, sorted; headers too.
noinst_LIBRARIES += lib/packet/libpacket.a
lib_packet_libpacket_a_SOURCES =
lib_packet_libpacket_a_SOURCES += \
	lib/packet/classifier.c \
	lib/packet/classifier.h
