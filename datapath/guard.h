/* guard.h: keeps the host's own IP stack off what arrives at a switch port.
 *
 * An AF_PACKET port only taps the device: the host's stack gets every frame too, and with no use for it answers
 * ("protocol unreachable", TCP resets), or delivers it a second time. A program of a few eBPF instructions at the
 * device's ingress drops frames behind the tap (taps run first, Linux net/core/dev.c).
 *
 * Main. If the kernel does not permit it the port works all the same: the caller shows the reason. */
#ifndef DATAPATH_GUARD_H
#define DATAPATH_GUARD_H 1

#include "base/diag.h"
#include "datapath/hook.h"

enum guard_what { GUARD_ALL, GUARD_GRE /* IPv4 protocol 47 only: the device stays the host's */ };

/* False and why. */
bool guard_install(struct hook *, uint32_t ifindex, enum guard_what, struct diag *);

#endif
