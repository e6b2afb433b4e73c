# lib/base: buffers, wire cursor, logging, clock, lists, counters. Includes nothing of ours but itself.
# One file a line, sorted; headers too.
noinst_LIBRARIES += lib/base/libbase.a
lib_base_libbase_a_SOURCES = \
	lib/base/buf.c \
	lib/base/buf.h \
	lib/base/clock.c \
	lib/base/clock.h \
	lib/base/diag.c \
	lib/base/diag.h \
	lib/base/hash.c \
	lib/base/hash.h \
	lib/base/log.c \
	lib/base/log.h \
	lib/base/mem.c \
	lib/base/mem.h \
	lib/base/types.h \
	lib/base/wire.h
