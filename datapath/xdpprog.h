/* xdpprog.h: the XDP program that hands all frames of a device to AF_XDP sockets, one per receive queue.
 *
 * A frame for which there is no socket, or no room, is dropped: the host's stack gets none. The program is attached by
 * a link whose only holder is this process, so that it goes with the daemon, however that ends.
 *
 * VLAN tags: some devices keep the outermost tag outside of the frame. With XDPPROG_TAGS the program asks the device
 * for it and puts it back (Linux 6.8, drivers with the metadata of the kernel's "XDP RX Metadata"; veth is one).
 *
 * Main. */
#ifndef DATAPATH_XDPPROG_H
#define DATAPATH_XDPPROG_H 1

#include <stdbool.h>
#include <stdint.h>

enum xdpprog_kind { XDPPROG_PLAIN, XDPPROG_TAGS };

struct xdpprog {
    int map;  /* of sockets, by queue */
    int link; /* -1: not attached */
};
#define XDPPROG_INIT ((struct xdpprog){-1, -1})

/* Makes the map. 0, or an errno: EPERM. */
int xdpprog_open(struct xdpprog *, unsigned n_queues);
/* Loads and attaches it in the driver (never in the generic mode, which is slower than AF_PACKET). 0 or an errno:
 * ENOENT (XDPPROG_TAGS: this kernel cannot), EBUSY (there is another one), and the driver's. */
int xdpprog_attach(struct xdpprog *, uint32_t ifindex, enum xdpprog_kind);
void xdpprog_close(struct xdpprog *); /* takes it away */

#endif
