/* afpacket-socket.h: AF_PACKET sockets as xvs opens them: raw frames, each with its virtio_net_hdr in front (vnet.h), never
 * blocking. Main. See packet(7). */
#ifndef DATAPATH_AFPACKET_SOCKET_H
#define DATAPATH_AFPACKET_SOCKET_H 1

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

struct rxring;

extern const struct sock_fprog filter_nothing, filter_incoming, filter_gre;

/* -1 and errno if it cannot be. Receives the device's packets, and an outgoing one only where Linux is older than 4.20.
 * `filter`: or NULL. `ring`: to be made on it (rxring.h) with so many of its blocks, or NULL. */
int open_rx(uint32_t ifindex, bool promiscuous, const struct sock_fprog *filter, struct rxring *ring, unsigned blocks);
int open_tx(uint32_t ifindex); /* receives nothing */

/* False and errno. */
bool set_option(int fd, int level, int option, int value);
bool set_rcvbuf(int fd, int bytes); /* also beyond the system's limit */
bool set_filter(int fd, const struct sock_fprog *filter);

#endif
