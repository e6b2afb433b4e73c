/* afpacket-rx.c: messages, then rings. */
#include "config.h"
#include "datapath/afpacket-rx.h"
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include "base/mem.h"
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
    FLOOD_PACKETS = 4000,  /* in a window: 200,000 a second, a block in 120 µs. It ends at half of that */
    FLOOD_BYTES = 256,     /* a packet, on average */
    FLOOD_LEFT = 3000000,  /* ns: what was on its way to the ring for floods has been handed over */
    LARGE = 2048,          /* bytes a packet, on average: not worth to wait for more of them */
};

/* Super-segments use the socket's queue, of ordinary TCP packets there is no flood. */
static const unsigned ring_blocks[N_AFRX_CLASSES] = {[AFRX_LIGHT] = 132, [AFRX_BULK] = 33};

void afrx_init(struct afrx *rx)
{
    *rx = (struct afrx){.messages_fd = -1, .at_once = BATCH};
    for (unsigned c = 0; c < N_AFRX_CLASSES; c++)
        rx->queue[c].ring = RXRING_INIT;
    rx->flood.ring = RXRING_INIT;
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
    if (rx->flood.ring.fd >= 0) /* the worker's epoll is not to have it when the port is gone */
        epoll_ctl(port->owner->epoll, EPOLL_CTL_DEL, rx->flood.ring.fd, NULL);
    rxring_close(&rx->flood.ring);
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
    count_drops(rx, rx->flood.ring.fd);
}

/* --- main: much comes --- */

/* Members of the fanout group: 0 the first socket, 1 BULK's, 2 LIGHT's. When the first has left, the kernel has put the
 * last into its place, and takes numbers modulo two: 0 LIGHT's, 1 BULK's. That is also the order in which they were
 * made, and so the one in which they join again after the device was down. A program that reads beyond the end of a
 * packet gives 0. At 0 is the header behind Ethernet and tag. The ring for floods joins when the first has left: it is
 * 2 then, and gets LIGHT packets that fit into it. */
enum { TO_BULK = 1, TO_LIGHT = 2, THEN_LIGHT = 0, TO_FLOOD = 2, IPV6_FRAGMENT_HEADER = 40 };
#define IF(K, YES, NO) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (K), (YES), (NO))
#define LOAD_BYTE(AT) BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (AT))
/* LIGHT packets, and small ones of them. */
#define CLASS_CODE(LIGHT, SMALL)                                                                                       \
    {                                                                                                                  \
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_PROTOCOL), IF(ETH_P_IP, 0, 2),                          \
            LOAD_BYTE(9),                                              /* protocol */                                  \
            IF(IPPROTO_TCP, 6, 7), IF(ETH_P_IPV6, 0, 6), LOAD_BYTE(6), /* next header */                               \
            IF(IPPROTO_TCP, 3, 0), IF(IPPROTO_FRAGMENT, 0, 3), LOAD_BYTE(IPV6_FRAGMENT_HEADER), IF(IPPROTO_TCP, 0, 1), \
            BPF_STMT(BPF_RET | BPF_K, TO_BULK), BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),                                 \
            BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, FLOOD_LARGEST, 0, 1), BPF_STMT(BPF_RET | BPF_K, (LIGHT)),              \
            BPF_STMT(BPF_RET | BPF_K, (SMALL)),                                                                        \
    }
static struct sock_filter class_code[] = CLASS_CODE(TO_LIGHT, TO_LIGHT);
static struct sock_filter calm_code[] = CLASS_CODE(THEN_LIGHT, THEN_LIGHT);
static struct sock_filter flood_code[] = CLASS_CODE(THEN_LIGHT, TO_FLOOD);
static const struct sock_fprog class_program = {ARRAY_SIZE(class_code), class_code};
static const struct sock_fprog calm_program = {ARRAY_SIZE(calm_code), calm_code};
static const struct sock_fprog flood_program = {ARRAY_SIZE(flood_code), flood_code};
#undef CLASS_CODE
#undef LOAD_BYTE
#undef IF

/* What others join it with. */
static bool fanout_group(int fd, int *group)
{
    socklen_t len = sizeof *group;
    if (getsockopt(fd, SOL_PACKET, PACKET_FANOUT, group, &len))
        return false;
    *group = (*group & 0xffff) | PACKET_FANOUT_CBPF << 16 | PACKET_FANOUT_FLAG_IGNORE_OUTGOING << 16;
    return true;
}

static bool fanout_begin(int fd, int *group)
{
    int first = PACKET_FANOUT_CBPF << 16 | (PACKET_FANOUT_FLAG_UNIQUEID | PACKET_FANOUT_FLAG_IGNORE_OUTGOING) << 16;
    return set_option(fd, SOL_PACKET, PACKET_FANOUT, first) && fanout_group(fd, group);
}

static bool set_program(int fd, const struct sock_fprog *program)
{
    return !setsockopt(fd, SOL_PACKET, PACKET_FANOUT_DATA, program, sizeof *program);
}

/* Until the program is set, all packets go to the first member. */
static bool make_group(struct afrx *rx, int light, int bulk)
{
    int group, unused = 0;
    return set_filter(rx->messages_fd, &filter_incoming) && fanout_begin(rx->messages_fd, &group) &&
           set_option(bulk, SOL_PACKET, PACKET_FANOUT, group) && set_option(light, SOL_PACKET, PACKET_FANOUT, group) &&
           set_option(bulk, SOL_SOCKET, SO_DETACH_FILTER, unused) &&
           set_option(light, SOL_SOCKET, SO_DETACH_FILTER, unused) && set_program(light, &class_program);
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

/* The ring for floods, made when it is needed first, and a member of the group then. */
static bool flood_ready(struct afrx *rx, struct dp_port *port)
{
    int fd, group, unused = 0, light = rx->queue[AFRX_LIGHT].ring.fd;
    if (rx->flood.ring.fd >= 0)
        return true;
    closer_wait(); /* the first member must have left the group */
    fd = set_program(light, &calm_program)
             ? open_rx(port->ifindex, true, &filter_nothing, &rx->flood.ring, RXRING_FLOOD)
             : -1;
    if (fd >= 0 && fanout_group(light, &group) && set_option(fd, SOL_PACKET, PACKET_FANOUT, group) &&
        set_option(fd, SOL_SOCKET, SO_DETACH_FILTER, unused)) {
        rx->flood.awake = true;
        return true;
    }
    rxring_close(&rx->flood.ring);
    return false;
}

/* The owner is to look, as it may be asleep and epoll not have the ring that packets come by now. */
struct nudge {
    struct command c;
    struct dp_port *port;
};

static void run_nudge(struct worker *w, struct command *c)
{
    struct dp_port *port = ((struct nudge *)c)->port;
    (void)w;
    port->hot = MAX(port->hot, 2);
    free(c);
}

/* When the kernel has set the program, no packet is on its way by the one before. If it cannot be, all stays as it is,
 * and the owner, whose wish is not met, has no other. */
static void flood_switch(struct afrx *rx, struct dp_port *port, bool on)
{
    if (!flood_ready(rx, port) || !set_program(rx->queue[AFRX_LIGHT].ring.fd, on ? &flood_program : &calm_program))
        return;
    store_release(&rx->flood_runs, on);
    struct nudge *n = xmalloc(sizeof *n);
    *n = (struct nudge){{NULL, run_nudge}, port};
    worker_command(port->owner, &n->c);
}

void afrx_busy(struct afrx *rx, struct dp_port *port)
{
    if (!rx->rings_run) {
        begin_rings(rx, port);
        return;
    }
    if (load_acquire(&rx->drained) && rx->messages_fd >= 0) {
        count_drops(rx, rx->messages_fd);
        close_later(rx->messages_fd);
        rx->messages_fd = -1;
    }
    bool wanted = load_acquire(&rx->flood_wanted);
    if (rx->messages_fd < 0 && wanted != rx->flood_runs)
        flood_switch(rx, port, wanted);
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

/* One wish after the other. */
static void flood_want(struct afrx *rx, struct dp_port *port, bool want)
{
    if (rx->flood_wanted == want || load_acquire(&rx->flood_runs) == want)
        return;
    store_release(&rx->flood_wanted, want);
    port_busy(port);
}

/* A window of LIGHT packets is over. */
static void flood_window(struct afrx *rx, struct dp_port *port, const struct afrx_queue *q)
{
    bool small = q->load.bytes < FLOOD_BYTES * q->load.packets;
    if (q == &rx->queue[AFRX_LIGHT] && small && q->load.packets >= FLOOD_PACKETS)
        flood_want(rx, port, true);
    else if (q == &rx->flood && !(small && q->load.packets >= FLOOD_PACKETS / 2))
        flood_want(rx, port, false);
}

/* The ring that LIGHT packets come by was empty, and before that they went by the other already. */
static void flood_turn(struct afrx *rx, struct dp_port *port, struct worker *w, int64_t now)
{
    if (!rx->by_flood) {
        rx->by_flood = true;
    } else if (!rx->flood_empty) {
        rx->flood_empty = now;
    } else if (now - rx->flood_empty > FLOOD_LEFT) {
        queue_awake(&rx->flood, port, w, true);
        rx->by_flood = false;
    }
}

static unsigned queue_rx(struct afrx *rx, struct afrx_queue *q, struct dp_port *port, struct worker *w,
                         struct packet *batch[BATCH], int64_t now)
{
    unsigned n = now < q->next ? 0 : rxring_rx(&q->ring, port, w, batch);
    if (n) {
        q->last_packet = now;
        q->next = n < BATCH ? now + q->pause : 0;
        if (load_add(&q->load, w, batch, n)) {
            flood_window(rx, port, q);
            queue_window(q, port, w);
        }
    }
    return n;
}

static unsigned light_rx(struct afrx *rx, struct dp_port *port, struct worker *w, struct packet *batch[BATCH],
                         int64_t now)
{
    struct afrx_queue *q = rx->by_flood ? &rx->flood : &rx->queue[AFRX_LIGHT];
    bool elsewhere = load_acquire(&rx->flood_runs) != rx->by_flood, looks = now >= q->next;
    unsigned n = queue_rx(rx, q, port, w, batch, now);
    if (unlikely(elsewhere) && !n && looks)
        flood_turn(rx, port, w, now);
    else if (n || !elsewhere)
        rx->flood_empty = 0;
    return n;
}

/* Nothing came. Before it waits for epoll, that gets the sockets back and no error to tell of again and again. */
static void queues_are_empty(struct afrx *rx, struct dp_port *port, struct worker *w, int64_t now)
{
    struct afrx_queue *queues[] = {&rx->queue[AFRX_LIGHT], &rx->queue[AFRX_BULK], &rx->flood};
    unsigned n = rx->by_flood ? 3 : 2;
    for (unsigned i = 0; i < n; i++)
        if (queues[i]->awake && now - queues[i]->last_packet < AWAKE_NSEC)
            port->hot = MAX(port->hot, 2);
    if (rx->by_flood != load_acquire(&rx->flood_runs))
        port->hot = MAX(port->hot, 2);
    for (unsigned i = 0; i < n && port->hot == 1; i++) {
        int error = 0;
        socklen_t len = sizeof error;
        if (!getsockopt(queues[i]->ring.fd, SOL_SOCKET, SO_ERROR, &error, &len) && error)
            port_trouble(port, w, error);
        queue_awake(queues[i], port, w, false);
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
    for (unsigned i = 0, n_turns = rx->by_flood && load_acquire(&rx->flood_runs) ? 3 : 2; i < n_turns; i++) {
        unsigned turn = rx->turn % n_turns, n;
        rx->turn = turn + 1;
        if (turn == AFRX_LIGHT)
            n = light_rx(rx, port, w, batch, now);
        else /* in a flood also what is too large for its ring */
            n = queue_rx(rx, &rx->queue[turn == AFRX_BULK ? AFRX_BULK : AFRX_LIGHT], port, w, batch, now);
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
