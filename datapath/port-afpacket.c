/* port-afpacket.c: interfaces of the host as switch ports ("system"), and, for tunnels, interfaces that stay the
 * host's and lend us their GRE packets ("underlay").
 *
 * One socket receives; each worker sends by one of its own. The kernel's offloads come and go with each packet
 * (PACKET_VNET_HDR), in front of its bytes; a VLAN tag that it stripped is put back.
 *
 * A port begins with messages (recvmmsg), which cost no memory while nothing comes. When the owner sees that it is
 * busy, main makes a second socket with a ring (rxring.h), and the kernel hands packets from then on to that: the two
 * are members of one fanout group, and which of them gets a packet is a program of one instruction, so that none is
 * lost or seen twice. What still waits at the first is taken before what comes by the ring. A port that was busy once
 * keeps its ring.
 *
 * Sending is by sendmmsg(): a transmit ring costs more here, and PACKET_QDISC_BYPASS gains nothing, would take away
 * shaping, and silently drops super-segments for a device that cannot cut them (net/core/dev.c, __dev_direct_xmit). */
#include "config.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "datapath/closer.h"
#include "datapath/encap.h"
#include "datapath/guard.h"
#include "datapath/rxring.h"
#include "datapath/vnet.h"
#include "datapath/worker.h"

#ifndef PACKET_FANOUT_FLAG_IGNORE_OUTGOING
#define PACKET_FANOUT_FLAG_IGNORE_OUTGOING 0x4000 /* later than Linux 6.1, which takes no notice of it */
#endif

enum {
    SOCKET_BUFFER = 8 << 20,
    BUSY_WINDOW = 20,    /* ms */
    BUSY_PACKETS = 1000, /* in a window: time for a ring */
    AWAKE_NSEC = 100 * 1000,
    GATHER = 16,           /* packets */
    MAX_PAUSE = 20 * 1000, /* ns */
};

struct afpacket {
    struct hook guard, encap;
    uint64_t kernel_drops;
    struct rxring ring; /* fd -1: none */
    bool ring_runs;     /* packets come by it; changed while no worker looks */
    int messages_fd;    /* of the first socket */
    /* The owner's. */
    bool messages_drained; /* atomic: and nothing waits at the first socket any more */
    bool asked;            /* main for a ring */
    msec_t window_end;
    unsigned in_window;
    bool awake;                /* polled without end: epoll does not have the ring's socket */
    int64_t last_packet, next; /* ns: the next look at the ring, so that it gives batches */
    int64_t pause;             /* ns, between looks */
    struct iovec iov[BATCH];
    struct mmsghdr messages[BATCH];
    union {
        struct cmsghdr align;
        uint8_t space[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
    } control[BATCH];
};

/* --- sockets --- */

static bool set_option(int fd, int level, int option, int value)
{
    return !setsockopt(fd, level, option, &value, sizeof value);
}

static bool bind_to(int fd, uint32_t ifindex, uint16_t protocol)
{
    struct sockaddr_ll sll = {.sll_family = AF_PACKET, .sll_ifindex = ifindex, .sll_protocol = htons(protocol)};
    return !bind(fd, (struct sockaddr *)&sll, sizeof sll);
}

static struct sock_filter gre_only_code[] = {
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 3),
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_GRE, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),  BPF_STMT(BPF_RET | BPF_K, 0),
};
static struct sock_filter nothing_code[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
static struct sock_filter incoming_code[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_PKTTYPE),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    BPF_STMT(BPF_RET | BPF_K, 0),
};
static struct sock_filter second_code[] = {BPF_STMT(BPF_RET | BPF_K, 1)};
static const struct sock_fprog gre_only = {ARRAY_SIZE(gre_only_code), gre_only_code};
static const struct sock_fprog nothing = {1, nothing_code};
static const struct sock_fprog incoming = {ARRAY_SIZE(incoming_code), incoming_code};
static const struct sock_fprog second_member = {1, second_code};

static bool set_filter(int fd, const struct sock_fprog *filter)
{
    return !setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, filter, sizeof *filter);
}

/* `filter`: or NULL. `ring`: to be made on it, or NULL. */
static int open_rx(uint32_t ifindex, bool promiscuous, const struct sock_fprog *filter, struct rxring *ring)
{
    struct packet_mreq membership = {.mr_ifindex = ifindex, .mr_type = PACKET_MR_PROMISC};
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (!set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BUFFER))
        set_option(fd, SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER);
    set_option(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1); /* Linux 4.20; what we send ourselves comes back without */
    if (set_option(fd, SOL_PACKET, PACKET_VNET_HDR, 1) && set_option(fd, SOL_PACKET, PACKET_AUXDATA, 1) &&
        (!filter || set_filter(fd, filter)) && (!ring || rxring_create(ring, fd)) &&
        (!promiscuous || !setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof membership)) &&
        bind_to(fd, ifindex, ETH_P_ALL))
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static int open_tx(uint32_t ifindex)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (!set_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, SOCKET_BUFFER))
        set_option(fd, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER);
    if (set_option(fd, SOL_PACKET, PACKET_VNET_HDR, 1) && bind_to(fd, ifindex, 0 /* receives nothing */))
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static void afpacket_unplug(struct dp_port *port)
{
    struct afpacket *a = port_private(port);
    hook_detach(&a->guard);
    hook_detach(&a->encap);
    if (a->messages_fd >= 0)
        close_later(a->messages_fd);
    rxring_close(&a->ring);
    *a = (struct afpacket){.guard = HOOK_INIT,
                           .encap = HOOK_INIT,
                           .ring = RXRING_INIT,
                           .messages_fd = -1,
                           .kernel_drops = a->kernel_drops};
    port->rx_fd = -1;
    for (unsigned i = 0; i < port->dp->n_workers; i++) {
        if (port->worker[i]->tx_fd >= 0)
            close_later(port->worker[i]->tx_fd);
        port->worker[i]->tx_fd = -1;
    }
}

static bool afpacket_plug(struct dp_port *port)
{
    struct afpacket *a = port_private(port);
    struct diag d = DIAG_INIT;
    bool underlay = port->class == &port_underlay_class, ok;
    if (!device_is_ethernet(port->name)) {
        port_fail(port, "%s carries no Ethernet frames", port->name);
        return false;
    }
    port->rx_fd = a->messages_fd = open_rx(port->ifindex, !underlay, underlay ? &gre_only : NULL, NULL);
    ok = port->rx_fd >= 0;
    for (unsigned i = 0; ok && i < port->dp->n_workers; i++)
        ok = (port->worker[i]->tx_fd = open_tx(port->ifindex)) >= 0;
    if (!ok) {
        port_fail(port, "cannot open device %s: %s%s", port->name, strerror(errno),
                  errno == EPERM ? " (CAP_NET_RAW is needed)" : "");
        afpacket_unplug(port);
        return false;
    }
    if (!guard_install(&a->guard, port->ifindex, underlay ? GUARD_GRE : GUARD_ALL, &d))
        port_fail(port, "%s", buf_text(&d.message));
    diag_free(&d);
    port->tunnelled = encap_install(&a->encap, port->ifindex, port->worker[0]->tx_fd);
    return true;
}

static bool afpacket_open(struct dp_port *port, const struct dp_port_config *config, struct diag *d)
{
    struct afpacket *a = port_private(port);
    (void)config, (void)d;
    a->guard = a->encap = HOOK_INIT;
    a->ring = RXRING_INIT;
    a->messages_fd = -1;
    return true;
}

static void afpacket_close(struct dp_port *port) { (void)port; }
static bool afpacket_set_up(struct dp_port *port, bool up) { return device_set_up(port->name, up); }

/* What the kernel threw away since the socket's queue was full. Asking sets its counter back. */
static void count_drops(struct afpacket *a, int fd)
{
    struct tpacket_stats stats;
    socklen_t len = sizeof stats;
    if (fd >= 0 && !getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len))
        a->kernel_drops += stats.tp_drops;
}

static void afpacket_get_stats(const struct dp_port *port, struct dp_port_stats *s)
{
    struct afpacket *a = port_private(port);
    count_drops(a, a->messages_fd);
    count_drops(a, a->ring.fd);
    s->rx_dropped += a->kernel_drops;
}

static bool afpacket_validate(struct dp *dp, const struct dp_port_config *config, const struct dp_port *except,
                              int *bad_option, struct diag *d)
{
    (void)dp, (void)except, (void)bad_option;
    return device_name_ok(config->name, d);
}

/* --- main: a port has become busy --- */

static bool fanout_begin(int fd, int *group)
{
    int first = PACKET_FANOUT_CBPF << 16 | (PACKET_FANOUT_FLAG_UNIQUEID | PACKET_FANOUT_FLAG_IGNORE_OUTGOING) << 16;
    socklen_t len = sizeof *group;
    if (!set_option(fd, SOL_PACKET, PACKET_FANOUT, first) || getsockopt(fd, SOL_PACKET, PACKET_FANOUT, group, &len))
        return false;
    *group = (*group & 0xffff) | PACKET_FANOUT_CBPF << 16 | PACKET_FANOUT_FLAG_IGNORE_OUTGOING << 16;
    return true;
}

/* The worker's waiting takes longer than any packet that was on its way to the first socket. */
static void change_to_ring(struct dp_port *port, struct afpacket *a)
{
    worker_detach(port->owner, port);
    dp_synchronize(port->dp);
    port->rx_fd = a->ring.fd;
    a->ring_runs = true;
    worker_attach(port->owner, port);
}

/* If it cannot be, messages will do. */
static void begin_ring(struct dp_port *port)
{
    struct afpacket *a = port_private(port);
    int group, unused = 0;
    int fd = open_rx(port->ifindex, true, &nothing, &a->ring);
    if (fd < 0)
        return;
    if (set_filter(a->messages_fd, &incoming) && fanout_begin(a->messages_fd, &group) &&
        set_option(fd, SOL_PACKET, PACKET_FANOUT, group) && set_option(fd, SOL_SOCKET, SO_DETACH_FILTER, unused) &&
        !setsockopt(fd, SOL_PACKET, PACKET_FANOUT_DATA, &second_member, sizeof second_member))
        change_to_ring(port, a);
    else
        rxring_close(&a->ring);
}

static void afpacket_busy(struct dp_port *port)
{
    struct afpacket *a = port_private(port);
    if (a->ring.fd < 0) {
        begin_ring(port);
    } else if (load_acquire(&a->messages_drained) && a->messages_fd >= 0) {
        count_drops(a, a->messages_fd);
        close_later(a->messages_fd);
        a->messages_fd = -1;
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

static int receive(struct dp_port *port, struct worker *w)
{
    struct afpacket *a = port_private(port);
    for (unsigned i = 0; i < BATCH; i++) {
        struct packet *p = worker_spare(w, i);
        a->iov[i] = (struct iovec){p->data - VNET_LEN, VNET_LEN + PACKET_MAX};
        a->messages[i].msg_hdr = (struct msghdr){.msg_iov = &a->iov[i],
                                                 .msg_iovlen = 1,
                                                 .msg_control = &a->control[i],
                                                 .msg_controllen = sizeof a->control[i]};
    }
    int n;
    do
        n = recvmmsg(a->messages_fd, a->messages, BATCH, MSG_DONTWAIT, NULL);
    while (n < 0 && errno == EINTR);
    return n;
}

static unsigned rx_by_message(struct dp_port *port, struct worker *w, struct packet *batch[BATCH])
{
    struct afpacket *a = port_private(port);
    struct port_worker *pw = port->worker[w->index];
    int n = receive(port, w);
    if (n < 0) {
        if (errno == EINVAL) /* a kind of super-segment that virtio_net_hdr has no word for: the kernel dropped it */
            stat_add(&pw->rx_errors, 1);
        else if (errno != EAGAIN)
            port_trouble(port, w, errno);
        return 0;
    }
    unsigned good = 0;
    for (int i = 0; i < n; i++) {
        size_t len = a->messages[i].msg_len;
        struct packet *p = worker_take_spare(w, i);
        p->port = port->id;
        if (len <= VNET_LEN || a->messages[i].msg_hdr.msg_flags & MSG_TRUNC) {
            stat_add(&pw->rx_errors, 1);
            packet_drop(w, p, DROP_MALFORMED);
            continue;
        }
        vnet_received(p, len);
        take_auxdata(&a->messages[i].msg_hdr, p);
        batch[good++] = p;
    }
    return good;
}

/* While a ring is busy epoll does not have its socket, or the kernel would wake nobody for each packet. */
static void ring_awake(struct dp_port *port, struct worker *w, bool awake)
{
    struct afpacket *a = port_private(port);
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = port};
    if (a->awake != awake)
        epoll_ctl(w->epoll, awake ? EPOLL_CTL_DEL : EPOLL_CTL_ADD, a->ring.fd, &ev);
    a->awake = awake;
}

/* Nothing came. Before it waits for epoll, that gets the socket back and no error to tell of again and again. */
static void ring_is_empty(struct dp_port *port, struct worker *w, int64_t now)
{
    struct afpacket *a = port_private(port);
    if (a->awake && now - a->last_packet < AWAKE_NSEC) {
        port->hot = MAX(port->hot, 2);
    } else if (port->hot == 1) {
        int error = 0;
        socklen_t len = sizeof error;
        if (!getsockopt(a->ring.fd, SOL_SOCKET, SO_ERROR, &error, &len) && error)
            port_trouble(port, w, error);
        ring_awake(port, w, false);
    }
}

/* Once a window: is it busy, and how long does a batch take to gather? */
static void ring_window(struct dp_port *port, struct worker *w)
{
    struct afpacket *a = port_private(port);
    a->pause = a->in_window < BUSY_PACKETS ? 0 : MIN(MAX_PAUSE, GATHER * BUSY_WINDOW * 1000000 / a->in_window);
    if (a->in_window >= BUSY_PACKETS)
        ring_awake(port, w, true);
    a->window_end = w->now + BUSY_WINDOW;
    a->in_window = 0;
}

static unsigned rx_by_ring(struct dp_port *port, struct worker *w, struct packet *batch[BATCH])
{
    struct afpacket *a = port_private(port);
    if (unlikely(!a->messages_drained)) {
        unsigned n = rx_by_message(port, w, batch);
        if (n)
            return n;
        store_release(&a->messages_drained, true);
        port_busy(port); /* for the first socket to be closed */
    }
    int64_t now = clock_nsec();
    unsigned n = now < a->next ? 0 : rxring_rx(&a->ring, port, w, batch);
    if (!n) {
        ring_is_empty(port, w, now);
        return 0;
    }
    a->in_window += n;
    a->last_packet = now;
    a->next = n < BATCH ? now + a->pause : 0;
    if (w->now >= a->window_end)
        ring_window(port, w);
    return n;
}

static unsigned afpacket_rx(struct dp_port *port, struct worker *w, struct packet *batch[BATCH])
{
    struct afpacket *a = port_private(port);
    if (a->ring_runs)
        return rx_by_ring(port, w, batch);
    unsigned n = rx_by_message(port, w, batch);
    a->in_window += n;
    if (w->now >= a->window_end) {
        if (a->in_window >= BUSY_PACKETS && !a->asked && port->class == &port_system_class &&
            !w->dp->inline_worker) { /* whoever waits for dp_fd() must see the socket */
            a->asked = true;
            port_busy(port);
        }
        a->window_end = w->now + BUSY_WINDOW;
        a->in_window = 0;
    }
    return n;
}

/* --- sending --- */

static enum drop_reason reason_of(int error)
{
    switch (error) {
    case EMSGSIZE:
        return DROP_TX_MTU;
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM:
        return DROP_TX_FULL;
    case ENETDOWN:
    case ENXIO:
    case ENODEV:
        return DROP_PORT_DOWN;
    default:
        return DROP_TX_ERROR;
    }
}

union mark {
    struct cmsghdr align;
    uint8_t space[CMSG_SPACE(sizeof(uint32_t))];
};

static void put_mark(struct msghdr *m, union mark *mark, const struct packet *p)
{
    uint32_t value = encap_mark(p);
    if (!value)
        return;
    m->msg_control = mark->space;
    m->msg_controllen = sizeof mark->space;
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    *c = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SO_MARK, .cmsg_len = CMSG_LEN(sizeof value)};
    memcpy(CMSG_DATA(c), &value, sizeof value);
}

static void afpacket_tx(struct dp_port *port, struct worker *w, struct packet *batch[], unsigned n)
{
    struct port_worker *pw = port->worker[w->index];
    struct virtio_net_hdr headers[BATCH];
    struct iovec iov[BATCH][2];
    struct mmsghdr messages[BATCH];
    union mark marks[BATCH];
    for (unsigned i = 0; i < n; i++) {
        struct packet *p = batch[i];
        bool one_piece = packet_headroom(p) >= VNET_LEN; /* the kernel has a quicker way for that */
        if (likely(one_piece)) {
            vnet_give(p, p->data - VNET_LEN);
            iov[i][0] = (struct iovec){p->data - VNET_LEN, VNET_LEN + p->len};
        } else {
            vnet_give(p, &headers[i]);
            iov[i][0] = (struct iovec){&headers[i], VNET_LEN};
            iov[i][1] = (struct iovec){p->data, p->len};
        }
        messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = iov[i], .msg_iovlen = one_piece ? 1 : 2}};
        if (unlikely(p->gso) && port->tunnelled)
            put_mark(&messages[i].msg_hdr, &marks[i], p);
    }
    for (unsigned i = 0; i < n;) {
        int sent = sendmmsg(pw->tx_fd, messages + i, n - i, MSG_DONTWAIT);
        if (sent <= 0) {
            int error = errno;
            if (error == EINTR)
                continue;
            stat_add(error == EAGAIN || error == ENOBUFS ? &pw->tx_dropped : &pw->tx_errors, 1);
            port_trouble(port, w, error);
            packet_drop(w, batch[i++], reason_of(error));
            continue;
        }
        stat_add(&pw->tx_packets, sent);
        for (; sent > 0; sent--, i++) {
            stat_add(&pw->tx_bytes, batch[i]->len);
            packet_free(w, batch[i]);
        }
    }
}

#define AFPACKET                                                                                                \
    .size = sizeof(struct afpacket), .offload = true, .validate = afpacket_validate, .open = afpacket_open,     \
    .close = afpacket_close, .plug = afpacket_plug, .unplug = afpacket_unplug, .get_stats = afpacket_get_stats, \
    .set_up = afpacket_set_up, .busy = afpacket_busy, .rx = afpacket_rx, .tx = afpacket_tx

const struct port_class port_system_class = {.type = "system", AFPACKET};
const struct port_class port_underlay_class = {.type = "underlay", AFPACKET};
