/* guard.h: keeps the host's own IP stack off what arrives at a switch port.
 *
 * An AF_PACKET port only taps the device: the host's stack gets every frame too, and with no use for it answers
 * ("protocol unreachable", TCP resets), or delivers it a second time. A program of a few eBPF instructions at the
 * device's ingress drops frames behind the tap (taps run first, Linux net/core/dev.c). It is taken away with the
 * daemon, however that ends.
 *
 * Main. If the kernel does not permit it the port works all the same: the caller shows the reason. */
#ifndef DATAPATH_GUARD_H
#define DATAPATH_GUARD_H 1

#include "datapath/port.h"

enum guard_what { GUARD_ALL, GUARD_GRE /* IPv4 protocol 47 only: the device stays the host's */ };

struct guard {
    int link_fd; /* TCX: it goes with the descriptor; -1: none */
    bool classic; /* clsact and cls_bpf: it goes by guard_remove() */
    uint32_t ifindex;
};
#define GUARD_INIT ((struct guard){.link_fd = -1})

/* False and why. */
bool guard_install(struct guard *, uint32_t ifindex, enum guard_what, struct diag *);
void guard_remove(struct guard *);

#endif
