/* send INTERFACE FRAME_SIZE FLOWS SECONDS [RATE] [spray]
 *
 * Offers UDP packets to one interface, by an AF_PACKET transmit ring that bypasses the queueing discipline: as many as one
 * core puts there, or RATE a second. FRAME_SIZE counts the 4 bytes of FCS. Packet n belongs to flow n mod FLOWS; flows
 * differ in source address and source port. With "spray" every packet is a flow of its own, random where the access list
 * of work.py looks, so that it meets all of its shapes and no cache has seen it. Prints the packets per second offered. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

enum { FRAME = 2048, BLOCK = 1 << 18, N_BLOCKS = 8, N_FRAMES = N_BLOCKS * (BLOCK / FRAME), BATCH = 128 };
enum { DATA_AT = TPACKET2_HDRLEN - sizeof(struct sockaddr_ll) };

struct ring {
    int fd;
    uint8_t *frames;
    unsigned next;
};

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static bool ring_open(struct ring *r, const char *interface)
{
    int version = TPACKET_V2, yes = 1;
    struct tpacket_req size = {.tp_block_size = BLOCK, .tp_block_nr = N_BLOCKS, .tp_frame_size = FRAME, .tp_frame_nr = N_FRAMES};
    struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interface)};
    *r = (struct ring){.fd = socket(AF_PACKET, SOCK_RAW, 0)};
    if (setsockopt(r->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) ||
        setsockopt(r->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof yes) ||
        setsockopt(r->fd, SOL_PACKET, PACKET_TX_RING, &size, sizeof size) || bind(r->fd, (struct sockaddr *)&at, sizeof at))
        return false;
    r->frames = mmap(NULL, (size_t)BLOCK * N_BLOCKS, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
    return r->frames != MAP_FAILED;
}

/* --- the packet --- */

static void put_be16(uint8_t *at, unsigned v) { at[0] = v >> 8, at[1] = v; }

static void fill_template(uint8_t *p, unsigned len)
{
    static const uint8_t head[] = {2, 0, 0, 0, 0, 0x99, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 0, 0, 0, 0, 0, 64, IPPROTO_UDP};
    memset(p, 0, len);
    memcpy(p, head, sizeof head);
    put_be16(p + 16, len - 14);
    put_be16(p + 38, len - 34);
}

static void fill_flow(uint8_t *p, uint32_t src, uint32_t dst, unsigned sport, unsigned dport)
{
    uint32_t sum = 0;
    src = htonl(src), dst = htonl(dst);
    memcpy(p + 26, &src, 4);
    memcpy(p + 30, &dst, 4);
    put_be16(p + 34, sport);
    put_be16(p + 36, dport);
    put_be16(p + 24, 0);
    for (const uint8_t *q = p + 14; q < p + 34; q += 2)
        sum += q[0] << 8 | q[1];
    sum = (sum & 0xffff) + (sum >> 16);
    put_be16(p + 24, ~(sum + (sum >> 16)));
}

static uint64_t random64(void)
{
    static uint64_t state = 88172645463325252;
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static void next_packet(uint8_t *p, uint64_t n, uint32_t flows, bool spray)
{
    static const uint16_t services[] = {9, 53, 80, 443};
    if (spray) {
        uint64_t r = random64();
        fill_flow(p, 0x0a000000 | (r & 0xffffff), 0x0a800000 | (r >> 24 & 0x7fffff), r >> 48, services[random64() & 3]);
    } else {
        uint32_t f = n % flows;
        fill_flow(p, 0x0a000001 + (f >> 14), 0x0a000002, 1024 + (f & 0x3fff), 9);
    }
}

/* --- the offer --- */

/* Puts up to `want` packets into the ring and starts them; how many there was room for. */
static unsigned offer(struct ring *r, uint8_t *packet, unsigned len, uint64_t n, unsigned want, uint32_t flows, bool spray)
{
    unsigned put = 0;
    for (; put < want; put++) {
        uint8_t *frame = r->frames + (size_t)r->next * FRAME;
        struct tpacket2_hdr *h = (struct tpacket2_hdr *)frame;
        if (__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) != TP_STATUS_AVAILABLE)
            break;
        next_packet(packet, n + put, flows, spray);
        memcpy(frame + DATA_AT, packet, len);
        h->tp_len = len;
        __atomic_store_n(&h->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);
        r->next = (r->next + 1) % N_FRAMES;
    }
    send(r->fd, NULL, 0, MSG_DONTWAIT); /* what it refuses now stays in the ring */
    return put;
}

int main(int argc, char *argv[])
{
    bool spray = argc > 1 && !strcmp(argv[argc - 1], "spray");
    struct ring ring;
    uint8_t packet[FRAME];
    if (argc - spray < 5 || argc - spray > 6) {
        fputs("usage: send INTERFACE FRAME_SIZE FLOWS SECONDS [RATE] [spray]\n", stderr);
        return 2;
    }
    unsigned len = strtoul(argv[2], NULL, 10) - 4;
    uint32_t flows = strtoul(argv[3], NULL, 10);
    double seconds = strtod(argv[4], NULL), rate = argc - spray == 6 ? strtod(argv[5], NULL) : 0;
    if (len < 60 || len > FRAME - DATA_AT || !flows) {
        fputs("send: a frame has 64 to 1518 bytes, and there is at least one flow\n", stderr);
        return 2;
    }
    if (!ring_open(&ring, argv[1])) {
        fprintf(stderr, "send: %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    fill_template(packet, len);
    uint64_t sent = 0;
    double begin = seconds_now(), now = begin;
    for (; now - begin < seconds; now = seconds_now()) {
        double due = rate ? (now - begin) * rate - sent : BATCH;
        if (due >= 1)
            sent += offer(&ring, packet, len, sent, due < BATCH ? due : BATCH, flows, spray);
        if (rate && due < BATCH)
            nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    }
    printf("%.0f\n", sent / (now - begin));
    return 0;
}
