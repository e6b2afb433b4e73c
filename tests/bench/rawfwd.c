/* rawfwd FROM TO
 *
 * The ceiling for small packets: moves frames from one interface to another by AF_PACKET rings, and reads none of them. The
 * receiving ring is of version 3 (blocks, one wake-up for many packets), the sending one of version 2, without queueing
 * discipline; one thread, one direction. Runs until it is ended. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

enum { IN_BLOCK = 1 << 18, IN_BLOCKS = 64, OUT_BLOCK = 1 << 17, OUT_BLOCKS = 32, FRAME = 2048 };
enum { OUT_FRAMES = OUT_BLOCKS * (OUT_BLOCK / FRAME), KICK = 64 };
enum { DATA_AT = TPACKET2_HDRLEN - sizeof(struct sockaddr_ll) };

static void fail(const char *what)
{
    fprintf(stderr, "rawfwd: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* A bound socket with a ring; gives the ring's memory. */
static uint8_t *open_ring(const char *interface, int protocol, int version, int ring, const void *size, socklen_t len,
                          size_t bytes, int *fd)
{
    int yes = 1;
    struct sockaddr_ll at = {
        .sll_family = AF_PACKET, .sll_protocol = htons(protocol), .sll_ifindex = (int)if_nametoindex(interface)};
    *fd = socket(AF_PACKET, SOCK_RAW, 0);
    if (setsockopt(*fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) ||
        setsockopt(*fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes) ||
        setsockopt(*fd, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof yes) ||
        setsockopt(*fd, SOL_PACKET, ring, size, len) || bind(*fd, (struct sockaddr *)&at, sizeof at))
        fail(interface);
    uint8_t *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    if (memory == MAP_FAILED)
        fail(interface);
    return memory;
}

struct out {
    int fd;
    uint8_t *frames;
    unsigned next;
};

static void put(struct out *o, const uint8_t *data, unsigned len)
{
    uint8_t *frame = o->frames + (size_t)o->next * FRAME;
    struct tpacket2_hdr *h = (struct tpacket2_hdr *)frame;
    while (__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) != TP_STATUS_AVAILABLE)
        send(o->fd, NULL, 0, 0);
    memcpy(frame + DATA_AT, data, len);
    h->tp_len = len;
    __atomic_store_n(&h->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);
    o->next = (o->next + 1) % OUT_FRAMES;
}

static void pass_block(struct out *o, uint8_t *memory)
{
    const struct tpacket_hdr_v1 *block = &((struct tpacket_block_desc *)memory)->hdr.bh1;
    struct tpacket3_hdr *h = (struct tpacket3_hdr *)(memory + block->offset_to_first_pkt);
    for (unsigned i = 1; i <= block->num_pkts; i++) {
        if (h->tp_snaplen <= FRAME - DATA_AT)
            put(o, (uint8_t *)h + h->tp_mac, h->tp_snaplen);
        if (i % KICK == 0 || i == block->num_pkts)
            send(o->fd, NULL, 0, MSG_DONTWAIT);
        h = (struct tpacket3_hdr *)((uint8_t *)h + h->tp_next_offset);
    }
}

int main(int argc, char *argv[])
{
    if (argc != 3) {
        fputs("usage: rawfwd FROM TO\n", stderr);
        return 2;
    }
    struct tpacket_req3 in_size = {.tp_block_size = IN_BLOCK, .tp_block_nr = IN_BLOCKS, .tp_frame_size = FRAME,
                                   .tp_frame_nr = IN_BLOCKS * (IN_BLOCK / FRAME), .tp_retire_blk_tov = 1};
    struct tpacket_req out_size = {.tp_block_size = OUT_BLOCK, .tp_block_nr = OUT_BLOCKS, .tp_frame_size = FRAME,
                                   .tp_frame_nr = OUT_FRAMES};
    struct out o = {0};
    int in;
    o.frames = open_ring(argv[2], 0, TPACKET_V2, PACKET_TX_RING, &out_size, sizeof out_size,
                         (size_t)OUT_BLOCK * OUT_BLOCKS, &o.fd);
    uint8_t *blocks = open_ring(argv[1], ETH_P_ALL, TPACKET_V3, PACKET_RX_RING, &in_size, sizeof in_size,
                                (size_t)IN_BLOCK * IN_BLOCKS, &in);
    for (unsigned b = 0;; b = (b + 1) % IN_BLOCKS) {
        uint8_t *memory = blocks + (size_t)b * IN_BLOCK;
        uint32_t *status = &((struct tpacket_block_desc *)memory)->hdr.bh1.block_status;
        while (!(__atomic_load_n(status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
            poll(&(struct pollfd){.fd = in, .events = POLLIN}, 1, 100);
        pass_block(&o, memory);
        __atomic_store_n(status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    }
}
