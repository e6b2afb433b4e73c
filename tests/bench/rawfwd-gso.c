/* rawfwd-gso ONE OTHER
 *
 * The ceiling for TCP: moves frames between two interfaces, both ways, offloads and super-segments included (each frame
 * with its virtio_net_hdr), and reads none of them: a receiving ring per interface, one send() per frame, one thread. Runs
 * until it is ended. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

enum { FRAME = 1 << 17, N_FRAMES = 512, BURST = 32, VNET = sizeof(struct virtio_net_hdr) };

struct end {
    int fd;
    uint8_t *frames;
    unsigned next;
};

static int end_open(struct end *e, const char *interface)
{
    int version = TPACKET_V2, yes = 1;
    struct tpacket_req size = {.tp_block_size = FRAME, .tp_block_nr = N_FRAMES, .tp_frame_size = FRAME, .tp_frame_nr = N_FRAMES};
    struct sockaddr_ll at = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(interface)};
    *e = (struct end){.fd = socket(AF_PACKET, SOCK_RAW, 0)};
    if (setsockopt(e->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) ||
        setsockopt(e->fd, SOL_PACKET, PACKET_VNET_HDR, &yes, sizeof yes) ||
        setsockopt(e->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes) ||
        setsockopt(e->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof yes) ||
        setsockopt(e->fd, SOL_PACKET, PACKET_RX_RING, &size, sizeof size) || bind(e->fd, (struct sockaddr *)&at, sizeof at))
        return -1;
    e->frames = mmap(NULL, (size_t)FRAME * N_FRAMES, PROT_READ | PROT_WRITE, MAP_SHARED, e->fd, 0);
    return e->frames == MAP_FAILED ? -1 : 0;
}

static unsigned pass(struct end *from, struct end *to)
{
    unsigned n = 0;
    for (; n < BURST; n++) {
        struct tpacket2_hdr *h = (struct tpacket2_hdr *)(from->frames + (size_t)from->next * FRAME);
        if (!(__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
            break;
        /* The kernel puts the virtio_net_hdr right before the frame, so both leave in one piece. */
        send(to->fd, (uint8_t *)h + h->tp_mac - VNET, VNET + h->tp_snaplen, 0);
        __atomic_store_n(&h->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
        from->next = (from->next + 1) % N_FRAMES;
    }
    return n;
}

int main(int argc, char *argv[])
{
    struct end ends[2];
    if (argc != 3) {
        fputs("usage: rawfwd-gso ONE OTHER\n", stderr);
        return 2;
    }
    for (int i = 0; i < 2; i++)
        if (end_open(&ends[i], argv[1 + i])) {
            fprintf(stderr, "rawfwd-gso: %s: %s\n", argv[1 + i], strerror(errno));
            return 1;
        }
    struct pollfd fds[2] = {{.fd = ends[0].fd, .events = POLLIN}, {.fd = ends[1].fd, .events = POLLIN}};
    for (;;)
        if (!(pass(&ends[0], &ends[1]) + pass(&ends[1], &ends[0])))
            poll(fds, 2, 100);
}
