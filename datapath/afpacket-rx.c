/* afpacket-rx.c: messages, then rings. */
#include "config.h"
#include "datapath/afpacket-rx.h"
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include "datapath/afpacket-socket.h"
#include "datapath/closer.h"
#include "datapath/vnet.h"
#include "datapath/worker.h"

#ifndef PACKET_FANOUT_FLAG_IGNORE_OUTGOING
#define PACKET_FANOUT_FLAG_IGNORE_OUTGOING 0x4000 /* later than Linux 6.1, which takes no notice of it */
#endif

enum {
    WINDOW = 20,          /* ms */
    BUSY_PACKETS = 1000,  /* in a window: time for rings */
    BUSY_BYTES = 1 << 20, /* or so many: 400 Mbit/s */
    AWAKE_NSEC = 100 * 1000,
    BULK_BUFFER =
        2 << 20, /* the kernel doubles it: 50 super-segments. TCP gets no faster by more, and caches are cold */
    GATHER = 16, /* packets */
    MAX_PAUSE = 20 * 1000, /* ns */
    LARGE = 2048,          /* bytes a packet, on average: not worth to wait for more of them */
};

/* Super-segments use the socket's queue, of ordinary TCP packets there is no flood. */
static const unsigned ring_blocks[N_AFRX_CLASSES] = {[AFRX_LIGHT] = 132, [AFRX_BULK] = 33};

void afrx_init(struct afrx *rx)
{
    *rx = (struct afrx){.messages_fd = -1, .at_once = BATCH};
    for (unsigned c = 0; c < N_AFRX_CLASSES; c++)
        rx->queue[c].ring = RXRING_INIT;
}

bool afrx_open(struct afrx *rx, struct dp_port *port, bool gre_only)
{
    port->rx_fd = rx->messages_fd = open_rx(port->ifindex, !gre_only, gre_only ? &filter_gre : NULL, NULL, 0);
    return port->rx_fd >= 0;
}

void afrx_close(struct afrx *rx, struct dp_port *port)
{
    uint64_t drops = rx->kernel_drops;
    if (rx->messages_fd >= 0)
        close_later(rx->messages_fd);
    for (unsigned c = 0; c < N_AFRX_CLASSES; c++)
        rxring_close(&rx->queue[c].ring);
    afrx_init(rx);
    rx->kernel_drops = drops;
    port->rx_fd = port->rx_fd_bulk = -1;
}

/* What the kernel threw away. Asking sets its counter back. */
static void count_drops(struct afrx *rx, int fd)
{
    struct tpacket_stats stats;
    socklen_t len = sizeof stats;
    if (fd >= 0 && !getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len))
        rx->kernel_drops += stats.tp_drops;
}

void afrx_count_drops(struct afrx *rx)
{
    count_drops(rx, rx->messages_fd);
    for (unsigned c = 0; c < N_AFRX_CLASSES; c++)
        count_drops(rx, rx->queue[c].ring.fd);
}

/* --- main: much comes --- */

/* Members of the fanout group: 0 the first socket, 1 BULK's, 2 LIGHT's. When the first has left, the kernel has put the
 * last into its place, and takes numbers modulo two: 0 LIGHT's, 1 BULK's. That is also the order in which they were
 * made, and so the one in which they join again after the device was down. A program that reads beyond the end of a
 * packet gives 0. At 0 is the header behind Ethernet and tag. */
enum { TO_BULK = 1, TO_LIGHT = 2, IPV6_FRAGMENT_HEADER = 40 };
#define IF(K, YES, NO) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (K), (YES), (NO))
#define LOAD_BYTE(AT) BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (AT))
static struct sock_filter class_code[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_PROTOCOL),
    IF(ETH_P_IP, 0, 2),
    LOAD_BYTE(9), /* protocol */
    IF(IPPROTO_TCP, 6, 7),
    IF(ETH_P_IPV6, 0, 6),
    LOAD_BYTE(6), /* next header */
    IF(IPPROTO_TCP, 3, 0),
    IF(IPPROTO_FRAGMENT, 0, 3),
    LOAD_BYTE(IPV6_FRAGMENT_HEADER),
    IF(IPPROTO_TCP, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, TO_BULK),
    BPF_STMT(BPF_RET | BPF_K, TO_LIGHT),
};
static const struct sock_fprog class_program = {ARRAY_SIZE(class_code), class_code};
#undef LOAD_BYTE
#undef IF

static bool fanout_begin(int fd, int *group)
{
    int first = PACKET_FANOUT_CBPF << 16 | (PACKET_FANOUT_FLAG_UNIQUEID | PACKET_FANOUT_FLAG_IGNORE_OUTGOING) << 16;
    socklen_t len = sizeof *group;
    if (!set_option(fd, SOL_PACKET, PACKET_FANOUT, first) || getsockopt(fd, SOL_PACKET, PACKET_FANOUT, group, &len))
        return false;
    *group = (*group & 0xffff) | PACKET_FANOUT_CBPF << 16 | PACKET_FANOUT_FLAG_IGNORE_OUTGOING << 16;
    return true;
}

/* Until the program is set, all packets go to the first member. */
static bool make_group(struct afrx *rx, int light, int bulk)
{
    int group, unused = 0;
    return set_filter(rx->messages_fd, &filter_incoming) && fanout_begin(rx->messages_fd, &group) &&
           set_option(bulk, SOL_PACKET, PACKET_FANOUT, group) && set_option(light, SOL_PACKET, PACKET_FANOUT, group) &&
           set_option(bulk, SOL_SOCKET, SO_DETACH_FILTER, unused) &&
           set_option(light, SOL_SOCKET, SO_DETACH_FILTER, unused) &&
           !setsockopt(light, SOL_PACKET, PACKET_FANOUT_DATA, &class_program, sizeof class_program);
}

/* The worker's waiting takes longer than any packet that was on its way to the first socket. */
static void change_to_rings(struct afrx *rx, struct dp_port *port)
{
    worker_detach(port->owner, port);
    dp_synchronize(port->dp);
    port->rx_fd = rx->queue[AFRX_LIGHT].ring.fd;
    port->rx_fd_bulk = rx->queue[AFRX_BULK].ring.fd;
    rx->rings_run = true;
    worker_attach(port->owner, port);
}

/* If it cannot be, messages will do. */
static void begin_rings(struct afrx *rx, struct dp_port *port)
{
    int fds[N_AFRX_CLASSES], n = 0;
    while (n < N_AFRX_CLASSES &&
           (fds[n] = open_rx(port->ifindex, true, &filter_nothing, &rx->queue[n].ring, ring_blocks[n])) >= 0)
        n++;
    if (n == N_AFRX_CLASSES && set_rcvbuf(fds[AFRX_BULK], BULK_BUFFER) &&
        make_group(rx, fds[AFRX_LIGHT], fds[AFRX_BULK]))
        change_to_rings(rx, port);
    else
        while (n > 0)
            rxring_close(&rx->queue[--n].ring);
}

void afrx_busy(struct afrx *rx, struct dp_port *port)
{
    if (!rx->rings_run) {
        begin_rings(rx, port);
    } else if (load_acquire(&rx->drained) && rx->messages_fd >= 0) {
        count_drops(rx, rx->messages_fd);
        close_later(rx->messages_fd);
        rx->messages_fd = -1;
    }
}

/* --- receiving --- */

static void take_auxdata(struct msghdr *m, struct packet *p)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        struct tpacket_auxdata aux;
        if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
            continue;
        memcpy(&aux, CMSG_DATA(c), sizeof aux);
        if (aux.tp_status & TP_STATUS_VLAN_VALID && p->len >= 14)
            vnet_put_tag_back(p, aux.tp_status & TP_STATUS_VLAN_TPID_VALID ? aux.tp_vlan_tpid : ETH_P_8021Q,
                              aux.tp_vlan_tci);
    }
}

/* How many come at once is limited by packets alone: so many as BATCH_BYTES are, were they like those before. */
static int receive(struct afrx *rx, struct worker *w)
{
    for (unsigned i = 0; i < rx->at_once; i++) {
        struct packet *p = worker_spare(w, i);
        rx->iov[i] = (struct iovec){p->data - VNET_LEN, VNET_LEN + PACKET_MAX};
        rx->messages[i].msg_hdr = (struct msghdr){.msg_iov = &rx->iov[i],
                                                  .msg_iovlen = 1,
                                                  .msg_control = &rx->control[i],
                                                  .msg_controllen = sizeof rx->control[i]};
    }
    int n;
    do
        n = recvmmsg(rx->messages_fd, rx->messages, rx->at_once, MSG_DONTWAIT, NULL);
    while (n < 0 && errno == EINTR);
    size_t bytes = 0;
    for (int i = 0; i < n; i++)
        bytes += rx->messages[i].msg_len;
    rx->at_once = bytes ? MAX(1, MIN(BATCH, BATCH_BYTES * (size_t)n / bytes)) : BATCH;
    return n;
}

static unsigned rx_by_message(struct afrx *rx, struct dp_port *port, struct worker *w, struct packet *batch[BATCH])
{
    struct port_worker *pw = port->worker[w->index];
    int n = receive(rx, w);
    if (n < 0) {
        if (errno == EINVAL) /* a kind of super-segment that virtio_net_hdr has no word for: the kernel dropped it */
            stat_add(&pw->rx_errors, 1);
        else if (errno != EAGAIN)
            port_trouble(port, w, errno);
        return 0;
    }
    unsigned good = 0;
    for (int i = 0; i < n; i++) {
        size_t len = rx->messages[i].msg_len;
        struct packet *p = worker_take_spare(w, i);
        p->port = port->id;
        if (len <= VNET_LEN || rx->messages[i].msg_hdr.msg_flags & MSG_TRUNC) {
            stat_add(&pw->rx_errors, 1);
            packet_drop(w, p, DROP_MALFORMED);
            continue;
        }
        vnet_received(p, len);
        take_auxdata(&rx->messages[i].msg_hdr, p);
        batch[good++] = p;
    }
    return good;
}

/* Counts a batch. True once a window, when this one is over; its counts are then still there. */
static bool load_add(struct afrx_load *load, const struct worker *w, struct packet *batch[], unsigned n)
{
    load->packets += n;
    for (unsigned i = 0; i < n; i++)
        load->bytes += batch[i]->len;
    return w->now >= load->window_end;
}

static void load_begin(struct afrx_load *load, const struct worker *w)
{
    *load = (struct afrx_load){.window_end = w->now + WINDOW};
}

static unsigned rx_first(struct afrx *rx, struct dp_port *port, struct worker *w, struct packet *batch[BATCH])
{
    unsigned n = rx_by_message(rx, port, w, batch);
    if (load_add(&rx->load, w, batch, n)) {
        if ((rx->load.packets >= BUSY_PACKETS || rx->load.bytes >= BUSY_BYTES) && !rx->asked &&
            port->class == &port_system_class &&
            !w->dp->inline_worker) { /* whoever waits for dp_fd() must see the socket */
            rx->asked = true;
            port_busy(port);
        }
        load_begin(&rx->load, w);
    }
    return n;
}

/* While a ring is busy epoll does not have its socket, or the kernel would wake nobody for each packet. */
static void queue_awake(struct afrx_queue *q, struct dp_port *port, struct worker *w, bool awake)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = port};
    if (q->awake != awake)
        epoll_ctl(w->epoll, awake ? EPOLL_CTL_DEL : EPOLL_CTL_ADD, q->ring.fd, &ev);
    q->awake = awake;
}

/* Once a window: is it busy, and how long does a batch take to gather? */
static void queue_window(struct afrx_queue *q, struct dp_port *port, struct worker *w)
{
    bool busy = q->load.packets >= BUSY_PACKETS;
    q->pause = busy && q->load.bytes < LARGE * q->load.packets
                   ? MIN(MAX_PAUSE, GATHER * WINDOW * 1000000 / (int64_t)q->load.packets)
                   : 0;
    if (busy)
        queue_awake(q, port, w, true);
    load_begin(&q->load, w);
}

static unsigned queue_rx(struct afrx_queue *q, struct dp_port *port, struct worker *w, struct packet *batch[BATCH],
                         int64_t now)
{
    unsigned n = now < q->next ? 0 : rxring_rx(&q->ring, port, w, batch);
    if (n) {
        q->last_packet = now;
        q->next = n < BATCH ? now + q->pause : 0;
        if (load_add(&q->load, w, batch, n))
            queue_window(q, port, w);
    }
    return n;
}

/* Nothing came. Before it waits for epoll, that gets the sockets back and no error to tell of again and again. */
static void queues_are_empty(struct afrx *rx, struct dp_port *port, struct worker *w, int64_t now)
{
    for (unsigned c = 0; c < N_AFRX_CLASSES; c++)
        if (rx->queue[c].awake && now - rx->queue[c].last_packet < AWAKE_NSEC)
            port->hot = MAX(port->hot, 2);
    for (unsigned c = 0; c < N_AFRX_CLASSES && port->hot == 1; c++) {
        int error = 0;
        socklen_t len = sizeof error;
        if (!getsockopt(rx->queue[c].ring.fd, SOL_SOCKET, SO_ERROR, &error, &len) && error)
            port_trouble(port, w, error);
        queue_awake(&rx->queue[c], port, w, false);
    }
}

static unsigned rx_by_rings(struct afrx *rx, struct dp_port *port, struct worker *w, struct packet *batch[BATCH])
{
    if (unlikely(!rx->drained)) {
        unsigned n = rx_by_message(rx, port, w, batch);
        if (n)
            return n;
        store_release(&rx->drained, true);
        port_busy(port); /* for the first socket to be closed */
    }
    int64_t now = clock_nsec();
    for (unsigned i = 0; i < N_AFRX_CLASSES; i++) {
        struct afrx_queue *q = &rx->queue[rx->turn];
        rx->turn = (rx->turn + 1) % N_AFRX_CLASSES;
        unsigned n = queue_rx(q, port, w, batch, now);
        if (n)
            return n;
    }
    queues_are_empty(rx, port, w, now);
    return 0;
}

unsigned afrx_rx(struct afrx *rx, struct dp_port *port, struct worker *w, struct packet *batch[BATCH])
{
    return rx->rings_run ? rx_by_rings(rx, port, w, batch) : rx_first(rx, port, w, batch);
}
