/* rxring.c: slots of a TPACKET_V2 ring, blocks of a TPACKET_V3 ring. See packet(7) and
 * Documentation/networking/packet_mmap.rst of Linux. */
#include "config.h"
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include "datapath/closer.h"
#include "datapath/rxring.h"
#include "datapath/vnet.h"
#include "datapath/worker.h"

/* A slot is no power of two, or all would compete for the same few sets of the processor's cache. */
enum { SLOT = 2112, BLOCK = 1 << 16, PER_BLOCK = BLOCK / SLOT, BURST_BYTES = 1 << 17 };
static_assert(SLOT % TPACKET_ALIGNMENT == 0, "as the kernel wants it");
enum { PACKED = 1 << 12, N_PACKED = 1024, PACKED_MSEC = 1 };
static_assert(FLOOD_LARGEST + 256 <= PACKED, "it fits into a block, with its headers");

static size_t memory_size(const struct rxring *r) { return (size_t)(r->packed ? PACKED : BLOCK) * r->n_blocks; }

static bool create_slots(int fd, unsigned n_blocks)
{
    struct tpacket_req req = {
        .tp_block_size = BLOCK, .tp_block_nr = n_blocks, .tp_frame_size = SLOT, .tp_frame_nr = n_blocks * PER_BLOCK};
    int version = TPACKET_V2, larger_by_message = 1;
    return !setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) &&
           !setsockopt(fd, SOL_PACKET, PACKET_COPY_THRESH, &larger_by_message, sizeof larger_by_message) &&
           !setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof req);
}

static bool create_packed(int fd)
{
    struct tpacket_req3 req = {.tp_block_size = PACKED,
                               .tp_block_nr = N_PACKED,
                               .tp_frame_size = PACKED,
                               .tp_frame_nr = N_PACKED,
                               .tp_retire_blk_tov = PACKED_MSEC};
    int version = TPACKET_V3;
    return !setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) &&
           !setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof req);
}

bool rxring_create(struct rxring *r, int fd, unsigned n_blocks)
{
    struct rxring made = {
        .fd = fd, .n_blocks = n_blocks == RXRING_FLOOD ? N_PACKED : n_blocks, .packed = n_blocks == RXRING_FLOOD};
    if (!(made.packed ? create_packed(fd) : create_slots(fd, n_blocks)))
        return false;
    void *memory = mmap(NULL, memory_size(&made), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        return false;
    made.memory = memory;
    *r = made;
    return true;
}

void rxring_close(struct rxring *r)
{
    if (r->memory)
        munmap(r->memory, memory_size(r));
    if (r->fd >= 0)
        close_later(r->fd);
    *r = RXRING_INIT;
}

static struct tpacket2_hdr *slot_at(const struct rxring *r, unsigned i)
{
    return (struct tpacket2_hdr *)(r->memory + (size_t)(i / PER_BLOCK) * BLOCK + i % PER_BLOCK * SLOT);
}

/* The packet's bytes, header of offloads first, to where p wants them; their number, or 0: it got lost on the way. */
static size_t take_bytes(const struct rxring *r, const struct tpacket2_hdr *h, uint32_t status, struct packet *p)
{
    uint8_t *to = p->data - VNET_LEN;
    size_t len = VNET_LEN + h->tp_snaplen;
    if (likely(h->tp_snaplen == h->tp_len)) {
        memcpy(to, (const uint8_t *)h + h->tp_mac - VNET_LEN, len);
        return len;
    }
    if (!(status & TP_STATUS_COPY)) /* the queue was full */
        return 0;
    ssize_t n;
    do /* ENETDOWN: news of the device, told before the message and only once */
        n = recv(r->fd, to, VNET_LEN + PACKET_MAX, MSG_DONTWAIT | MSG_TRUNC);
    while (n < 0 && (errno == EINTR || errno == ENETDOWN));
    return n < 0 || n > VNET_LEN + PACKET_MAX ? 0 : n;
}

/* `header`: its length; the address is behind it. */
static bool is_outgoing(const void *h, size_t header)
{
    const struct sockaddr_ll *sll = (const void *)((const uint8_t *)h + TPACKET_ALIGN(header));
    return sll->sll_pkttype == PACKET_OUTGOING;
}

/* The next packet; NULL: none. */
static struct tpacket3_hdr *packed_next(struct rxring *r)
{
    while (!r->left) {
        struct tpacket_hdr_v1 *block = &((struct tpacket_block_desc *)(r->memory + (size_t)r->next * PACKED))->hdr.bh1;
        if (!(load_acquire(&block->block_status) & TP_STATUS_USER))
            return NULL;
        if (!r->at) { /* a new one */
            r->left = block->num_pkts;
            r->at = (uint8_t *)block - offsetof(struct tpacket_block_desc, hdr) + block->offset_to_first_pkt;
        }
        if (!r->left) { /* done with */
            r->at = NULL;
            store_release(&block->block_status, TP_STATUS_KERNEL);
            r->next = (r->next + 1) % r->n_blocks;
        }
    }
    return (struct tpacket3_hdr *)r->at;
}

static unsigned packed_rx(struct rxring *r, struct dp_port *port, struct worker *w, struct packet *batch[])
{
    struct port_worker *pw = port->worker[w->index];
    struct tpacket3_hdr *h;
    unsigned n = 0;
    for (unsigned looked = 0; looked < BATCH && (h = packed_next(r)); looked++) {
        struct packet *p = worker_spare(w, n);
        r->at += h->tp_next_offset;
        r->left--;
        __builtin_prefetch(r->at + 2 * CACHE_LINE);
        if (unlikely(h->tp_snaplen != h->tp_len || !h->tp_len)) {
            stat_add(&pw->rx_dropped, 1);
            continue;
        }
        if (unlikely(is_outgoing(h, sizeof *h)))
            continue;
        worker_take_spare(w, n);
        p->port = port->id;
        memcpy(p->data - VNET_LEN, (const uint8_t *)h + h->tp_mac - VNET_LEN, VNET_LEN + h->tp_snaplen);
        vnet_received(p, VNET_LEN + h->tp_snaplen);
        if (unlikely(h->tp_status & TP_STATUS_VLAN_VALID) && p->len >= 14)
            vnet_put_tag_back(p, h->tp_status & TP_STATUS_VLAN_TPID_VALID ? h->hv1.tp_vlan_tpid : ETH_P_8021Q,
                              h->hv1.tp_vlan_tci);
        batch[n++] = p;
    }
    if (!r->left)
        packed_next(r); /* gives the block back */
    return n;
}

unsigned rxring_rx(struct rxring *r, struct dp_port *port, struct worker *w, struct packet *batch[])
{
    if (r->packed)
        return packed_rx(r, port, w, batch);
    struct port_worker *pw = port->worker[w->index];
    unsigned n = 0, slots = r->n_blocks * PER_BLOCK;
    size_t bytes = 0;
    for (unsigned looked = 0; looked < BATCH && bytes < BURST_BYTES; looked++) {
        struct tpacket2_hdr *h = slot_at(r, r->next);
        uint32_t status = load_acquire(&h->tp_status);
        if (!(status & TP_STATUS_USER))
            break;
        r->next = r->next + 1 < slots ? r->next + 1 : 0;
        const uint8_t *ahead = (const uint8_t *)slot_at(r, r->next + 1 < slots ? r->next + 1 : 0);
        __builtin_prefetch(ahead);
        __builtin_prefetch(ahead + CACHE_LINE);
        struct packet *p = worker_spare(w, n);
        size_t len = take_bytes(r, h, status, p);
        bool tagged = status & TP_STATUS_VLAN_VALID, outgoing = is_outgoing(h, sizeof *h);
        uint16_t tpid = status & TP_STATUS_VLAN_TPID_VALID ? h->tp_vlan_tpid : ETH_P_8021Q, tci = h->tp_vlan_tci;
        store_release(&h->tp_status, TP_STATUS_KERNEL);
        if (unlikely(len <= VNET_LEN || outgoing)) {
            if (!outgoing)
                stat_add(&pw->rx_dropped, 1);
            continue;
        }
        worker_take_spare(w, n);
        p->port = port->id;
        vnet_received(p, len);
        if (unlikely(tagged) && p->len >= 14)
            vnet_put_tag_back(p, tpid, tci);
        bytes += p->len;
        batch[n++] = p;
    }
    return n;
}
