/* afpacket-rx.h: receiving from a device by AF_PACKET.
 *
 * It begins with messages (recvmmsg), which cost no memory while nothing comes. When the owner sees that much comes, main
 * makes two more sockets with rings (rxring.h), one for each class of packets, and from then on the kernel hands packets
 * to those:
 *
 *   BULK    TCP, which comes as super-segments of up to 64 KB, as many as there is room for
 *   LIGHT   everything else
 *
 * A turn of the one is followed by a turn of the other, so that a ping, an ARP request or a DNS query waits for two or
 * three super-segments and not for all that TCP has in flight. Which class a packet is of follows from its IP protocol
 * alone, behind a VLAN tag too, and is the same for fragments: packets of a flow are all of one class and stay in order.
 * What cannot be told (two tags, MPLS, IPv6 with extension headers) is LIGHT.
 *
 * While LIGHT packets are small and very many, they come by a third ring, made for floods: less work for the sender, and
 * blocks of them fill quickly enough that nobody waits. Of LIGHT packets what waits at the ring before is taken first.
 *
 * The sockets are members of one fanout group, and which of them gets a packet is a program, so that none is lost or
 * seen twice. What still waits at the first is taken before what comes by the rings. Rings once made are kept. */
#ifndef DATAPATH_AFPACKET_RX_H
#define DATAPATH_AFPACKET_RX_H 1

#include <linux/if_packet.h>
#include <sys/socket.h>
#include "datapath/port.h"
#include "datapath/rxring.h"

enum afrx_class { AFRX_LIGHT, AFRX_BULK, N_AFRX_CLASSES };

struct afrx {
    uint64_t kernel_drops; /* of packets, since a queue or ring was full */
    int messages_fd;       /* the first socket; -1: none */
    bool rings_run;        /* packets come by them; changed while no worker looks */
    /* The owner's. */
    bool drained; /* atomic: nothing waits at the first socket any more */
    bool asked;   /* main for rings */
    unsigned turn;
    unsigned at_once; /* messages */
    struct afrx_load {
        msec_t window_end;
        uint64_t packets, bytes; /* in this window */
    } load;                      /* of messages */
    struct afrx_queue {
        struct rxring ring;
        bool awake;                /* polled without end: epoll does not have the ring's socket */
        int64_t last_packet, next; /* ns: the next look at the ring, so that it gives batches */
        int64_t pause;             /* ns, between looks */
        struct afrx_load load;
    } queue[N_AFRX_CLASSES], flood;
    bool flood_wanted;   /* atomic, the owner's */
    bool flood_runs;     /* atomic, main's: the kernel hands LIGHT packets to that ring */
    bool by_flood;       /* the owner's: it receives them there */
    int64_t flood_empty; /* ns: since when that ring, which gets no more, is empty; 0: it is not */
    struct iovec iov[BATCH];
    struct mmsghdr messages[BATCH];
    union {
        struct cmsghdr align;
        uint8_t space[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
    } control[BATCH];
};

void afrx_init(struct afrx *);
/* Main, while no worker receives. Sets port->rx_fd. False and errno: there is nothing to close. */
bool afrx_open(struct afrx *, struct dp_port *, bool gre_only);
void afrx_close(struct afrx *, struct dp_port *); /* kernel_drops stays */
/* Main. */
void afrx_busy(struct afrx *, struct dp_port *); /* as port_class.busy */
void afrx_count_drops(struct afrx *);            /* brings kernel_drops up to date */
/* The owner; as port_class.rx. */
unsigned afrx_rx(struct afrx *, struct dp_port *, struct worker *, struct packet *batch[BATCH]);

#endif
