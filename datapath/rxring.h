/* rxring.h: receiving on a busy AF_PACKET socket by memory shared with the kernel (PACKET_RX_RING, TPACKET_V2), instead
 * of a message a packet. One system call less, and the packet's bytes lie where the processor finds them: under load
 * two to three times faster than recvmmsg(), whose queue holds thousands of cold packets.
 *
 * A slot takes an ordinary packet. What is larger (super-segments) goes through the socket's own queue, in order: the
 * slot then says that the next message is its packet (PACKET_COPY_THRESH). So the memory that the kernel allots at once
 * does not depend on the largest packet; still it is for busy ports only.
 *
 * For floods of small packets there is another kind (TPACKET_V3), that packs them into blocks and hands over full blocks:
 * the sender, in whose time the kernel puts them there, pays a cache miss for 20 packets and not for each. A block that
 * does not get full is handed over after a millisecond; what is larger than FLOOD_LARGEST must not come there.
 *
 * Thread: main opens and closes, the port's owner receives. */
#ifndef DATAPATH_RXRING_H
#define DATAPATH_RXRING_H 1

#include <stdbool.h>
#include <stdint.h>

struct dp_port;
struct packet;
struct worker;

struct rxring {
    int fd;
    uint8_t *memory;
    unsigned n_blocks, next; /* slot or block */
    /* Of blocks, the one at hand: */
    unsigned left; /* packets */
    uint8_t *at;
    bool packed; /* it has blocks */
};
enum { RXRING_FLOOD = 0, FLOOD_LARGEST = 2048 };
#define RXRING_INIT ((struct rxring){.fd = -1})

/* Makes it, of so many blocks of 64 KB with 31 slots, or for floods (RXRING_FLOOD), on a socket with PACKET_VNET_HDR that
 * is not bound yet. False and errno; the socket stays the caller's. */
bool rxring_create(struct rxring *, int fd, unsigned n_blocks);
/* Closes the socket too. */
void rxring_close(struct rxring *);
/* As port_class.rx. Two or three super-segments are a burst: they lie in the processor's cache when they are sent, and
 * others do not wait for long. */
unsigned rxring_rx(struct rxring *, struct dp_port *, struct worker *, struct packet *batch[]);

#endif
