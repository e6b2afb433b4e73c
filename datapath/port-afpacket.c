/* port-afpacket.c: interfaces of the host as switch ports ("system"), and, for tunnels, interfaces that stay the
 * host's and lend us their GRE packets ("underlay").
 *
 * One socket receives; each worker sends by one of its own. The kernel's offloads come and go with each packet
 * (PACKET_VNET_HDR), a VLAN tag that it stripped is put back.
 *
 * PACKET_QDISC_BYPASS is not set: with it the kernel drops, silently, super-segments for a device that cannot cut them
 * itself (net/core/dev.c, __dev_direct_xmit). */
#include "config.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <unistd.h>
#include "datapath/guard.h"
#include "datapath/vnet.h"
#include "datapath/worker.h"

enum { SOCKET_BUFFER = 8 << 20 };

struct afpacket {
    struct guard guard;
    uint64_t kernel_drops;
    /* The owner's. */
    struct virtio_net_hdr headers[BATCH];
    struct iovec iov[BATCH][2];
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

static int open_rx(uint32_t ifindex, bool underlay)
{
    static struct sock_filter gre_only[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 3),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_GRE, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),  BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog filter = {ARRAY_SIZE(gre_only), gre_only};
    struct packet_mreq promiscuous = {.mr_ifindex = ifindex, .mr_type = PACKET_MR_PROMISC};
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (!set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BUFFER))
        set_option(fd, SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER);
    set_option(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1); /* Linux 4.20; what we send ourselves comes back without */
    if (set_option(fd, SOL_PACKET, PACKET_VNET_HDR, 1) && set_option(fd, SOL_PACKET, PACKET_AUXDATA, 1) &&
        (!underlay || !setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter)) &&
        (underlay || !setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof promiscuous)) &&
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
    guard_remove(&a->guard);
    if (port->rx_fd >= 0)
        close(port->rx_fd);
    port->rx_fd = -1;
    for (unsigned i = 0; i < port->dp->n_workers; i++) {
        if (port->worker[i]->tx_fd >= 0)
            close(port->worker[i]->tx_fd);
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
    ok = (port->rx_fd = open_rx(port->ifindex, underlay)) >= 0;
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
    return true;
}

static bool afpacket_open(struct dp_port *port, const struct dp_port_config *config, struct diag *d)
{
    struct afpacket *a = port_private(port);
    (void)config, (void)d;
    a->guard = GUARD_INIT;
    return true;
}

static void afpacket_close(struct dp_port *port) { (void)port; }
static bool afpacket_set_up(struct dp_port *port, bool up) { return device_set_up(port->name, up); }

/* What the kernel threw away since the socket's queue was full. Asking sets its counter back. */
static void afpacket_get_stats(const struct dp_port *port, struct dp_port_stats *s)
{
    struct afpacket *a = port_private(port);
    struct tpacket_stats stats;
    socklen_t len = sizeof stats;
    if (port->rx_fd >= 0 && !getsockopt(port->rx_fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len))
        a->kernel_drops += stats.tp_drops;
    s->rx_dropped += a->kernel_drops;
}

static bool afpacket_validate(struct dp *dp, const struct dp_port_config *config, const struct dp_port *except,
                              int *bad_option, struct diag *d)
{
    (void)dp, (void)except, (void)bad_option;
    return device_name_ok(config->name, d);
}

/* --- receiving --- */

/* The kernel takes the outermost tag out of the frame: back to where it was. */
static void put_tag_back(struct packet *p, uint16_t tpid, uint16_t tci)
{
    be16 tag[2] = {htons(tpid), htons(tci)};
    packet_shift(p, 4);
    memmove(p->data, p->data + 4, 12);
    memcpy(p->data + 12, tag, 4);
}

static void take_auxdata(struct msghdr *m, struct packet *p)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        struct tpacket_auxdata aux;
        if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
            continue;
        memcpy(&aux, CMSG_DATA(c), sizeof aux);
        if (aux.tp_status & TP_STATUS_VLAN_VALID && p->len >= 14)
            put_tag_back(p, aux.tp_status & TP_STATUS_VLAN_TPID_VALID ? aux.tp_vlan_tpid : ETH_P_8021Q,
                         aux.tp_vlan_tci);
    }
}

static int receive(struct dp_port *port, struct worker *w)
{
    struct afpacket *a = port_private(port);
    for (unsigned i = 0; i < BATCH; i++) {
        struct packet *p = worker_spare(w, i);
        a->iov[i][0] = (struct iovec){&a->headers[i], sizeof a->headers[i]};
        a->iov[i][1] = (struct iovec){p->data, PACKET_MAX};
        a->messages[i].msg_hdr = (struct msghdr){.msg_iov = a->iov[i],
                                                 .msg_iovlen = 2,
                                                 .msg_control = &a->control[i],
                                                 .msg_controllen = sizeof a->control[i]};
    }
    int n;
    do
        n = recvmmsg(port->rx_fd, a->messages, BATCH, MSG_DONTWAIT, NULL);
    while (n < 0 && errno == EINTR);
    return n;
}

static unsigned afpacket_rx(struct dp_port *port, struct worker *w, struct packet *batch[BATCH])
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
        if (len <= sizeof a->headers[i] || a->messages[i].msg_hdr.msg_flags & MSG_TRUNC) {
            stat_add(&pw->rx_errors, 1);
            packet_drop(w, p, DROP_MALFORMED);
            continue;
        }
        p->len = len - sizeof a->headers[i];
        vnet_take(&a->headers[i], p);
        take_auxdata(&a->messages[i].msg_hdr, p);
        batch[good++] = p;
    }
    return good;
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

static void afpacket_tx(struct dp_port *port, struct worker *w, struct packet *batch[], unsigned n)
{
    struct port_worker *pw = port->worker[w->index];
    struct virtio_net_hdr headers[BATCH];
    struct iovec iov[BATCH][2];
    struct mmsghdr messages[BATCH];
    for (unsigned i = 0; i < n; i++) {
        vnet_give(batch[i], &headers[i]);
        iov[i][0] = (struct iovec){&headers[i], sizeof headers[i]};
        iov[i][1] = (struct iovec){batch[i]->data, batch[i]->len};
        messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = iov[i], .msg_iovlen = 2}};
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
    .set_up = afpacket_set_up, .rx = afpacket_rx, .tx = afpacket_tx

const struct port_class port_system_class = {.type = "system", AFPACKET};
const struct port_class port_underlay_class = {.type = "underlay", AFPACKET};
