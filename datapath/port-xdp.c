/* port-xdp.c: interfaces of the host as switch ports by AF_XDP (type system, option io=xdp).
 *
 * Each receive queue of the device has a socket; frames come to it from the device's driver past the host's stack
 * (xdpprog.h), by rings in memory shared with the kernel: without a copy where the driver can, else copied once. What
 * is sent goes by the same sockets, worker i by that of queue i, or where there are more workers than queues, by turns.
 *
 * AF_XDP carries no offloads: checksums are finished and super-segments cut before tx(). What is received has none
 * either; but devices without a wire behind them (veth above all) hand over packets whose checksum the sender has not
 * finished, and there they are told by their bytes (packet/unfinished.h). A VLAN tag that the device would keep outside
 * of the frame is put back by the program on veth; other devices must leave it where it is.
 *
 * Main opens and closes. The owner receives from all queues. `lock` is taken only where workers share a queue: the
 * kernel takes one for the socket anyway. */
#include "config.h"
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xdp/xsk.h>
#include "base/mem.h"
#include "datapath/port-system.h"
#include "datapath/worker.h"
#include "datapath/xdpprog.h"
#include "packet/unfinished.h"

enum {
    MAX_QUEUES = 16,
    FRAME = 4096, /* bytes, of which the kernel keeps XDP_PACKET_HEADROOM, 256, when it receives */
    FRAME_MAX = FRAME - 256,
    RX_FRAMES = 2048,
    TX_FRAMES = 1024,
    MEMORY = (RX_FRAMES + TX_FRAMES) * FRAME, /* of a queue: first those to receive into */
    SOCKET_BUFFER = 8 << 20,
    KICKS = 4,
    BUSY_MSEC = 10,
    PATIENCE = 50, /* times 2 ms */
    /* A look at the rings of a busy port waits until a batch has come together, since sending costs a system call. */
    WINDOW = 20,           /* ms */
    WINDOW_PACKETS = 1000, /* in a window: it is busy */
    GATHER = 16,           /* packets */
    MAX_PAUSE = 20 * 1000, /* ns */
};

struct xdp_queue {
    struct xsk_umem *umem;
    struct xsk_socket *socket;
    uint8_t *memory;
    int fd;
    bool zerocopy;
    struct xsk_ring_prod fill;
    struct xsk_ring_cons rx;
    /* Under `lock`. */
    pthread_mutex_t lock;
    struct xsk_ring_prod tx;
    struct xsk_ring_cons completed;
    unsigned n_free;
    uint64_t free[TX_FRAMES]; /* places in memory */
    bool behind;              /* atomic: the device is busy, some of tx is still to be sent */
    msec_t behind_until;      /* then the next packet will have to push it */
};

struct xdp {
    struct xdpprog program;
    struct xdp_queue *queue;
    unsigned n_queues, n_tx_queues, next;
    int promiscuous_fd;
    bool shared;      /* workers share queues */
    bool no_wire;     /* checksums may come unfinished */
    uint64_t dropped; /* by the kernel, in sockets that are closed */
    /* The owner's. */
    msec_t window_end;
    unsigned in_window;
    int64_t next_look, pause; /* ns */
};

/* --- the device --- */

static int ethtool(const char *ifname, void *command)
{
    struct ifreq ifr = {.ifr_data = command};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    strncpy(ifr.ifr_name, ifname, IFNAMSIZ - 1);
    int r = fd < 0 ? -1 : ioctl(fd, SIOCETHTOOL, &ifr);
    if (fd >= 0)
        close(fd);
    return r;
}

struct device {
    char driver[32];
    unsigned rx_queues, tx_queues;
    bool tags_outside; /* it takes VLAN tags out of frames */
};

static struct device device_look(const char *ifname)
{
    struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
    struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
    struct ethtool_value flags = {.cmd = ETHTOOL_GFLAGS};
    struct device d = {.rx_queues = 1, .tx_queues = 1};
    if (!ethtool(ifname, &info))
        memcpy(d.driver, info.driver, sizeof d.driver - 1);
    if (!ethtool(ifname, &channels)) {
        d.rx_queues = MAX(1, channels.combined_count + channels.rx_count);
        d.tx_queues = MAX(1, channels.combined_count + channels.tx_count);
    }
    d.tags_outside = !ethtool(ifname, &flags) && flags.data & ETH_FLAG_RXVLAN;
    return d;
}

static bool driver_is(const struct device *d, const char *driver) { return !strcmp(d->driver, driver); }

/* What they receive may never have been on a wire. */
static bool has_no_wire(const struct device *d)
{
    return driver_is(d, "veth") || driver_is(d, "virtio_net") || driver_is(d, "vif") || driver_is(d, "vmxnet3") ||
           driver_is(d, "hv_netvsc");
}

/* --- sockets --- */

static void queue_close(struct xdp_queue *q)
{
    if (q->socket)
        xsk_socket__delete(q->socket);
    if (q->umem)
        xsk_umem__delete(q->umem);
    if (q->memory)
        munmap(q->memory, MEMORY);
    pthread_mutex_destroy(&q->lock);
}

static bool is_zerocopy(int fd)
{
    struct xdp_options options = {0};
    socklen_t len = sizeof options;
    return !getsockopt(fd, SOL_XDP, XDP_OPTIONS, &options, &len) && options.flags & XDP_OPTIONS_ZEROCOPY;
}

/* 0 or an errno. */
static int queue_open(struct xdp_queue *q, const char *ifname, unsigned i)
{
    const struct xsk_umem_config memory = {.fill_size = RX_FRAMES, .comp_size = TX_FRAMES, .frame_size = FRAME};
    const struct xsk_socket_config config = {.rx_size = RX_FRAMES,
                                             .tx_size = TX_FRAMES,
                                             .libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
                                             .bind_flags = XDP_USE_NEED_WAKEUP};
    int size = SOCKET_BUFFER, error;
    uint32_t at = 0;
    pthread_mutex_init(&q->lock, NULL);
    void *m = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (m == MAP_FAILED)
        return errno;
    q->memory = m;
    error = xsk_umem__create(&q->umem, m, MEMORY, &q->fill, &q->completed, &memory);
    if (!error)
        error = xsk_socket__create(&q->socket, ifname, i, q->umem, &q->rx, &q->tx, &config);
    if (error)
        return -error;
    q->fd = xsk_socket__fd(q->socket);
    q->zerocopy = is_zerocopy(q->fd);
    setsockopt(q->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    xsk_ring_prod__reserve(&q->fill, RX_FRAMES, &at);
    for (unsigned f = 0; f < RX_FRAMES; f++)
        *xsk_ring_prod__fill_addr(&q->fill, at + f) = (uint64_t)f * FRAME;
    xsk_ring_prod__submit(&q->fill, RX_FRAMES);
    for (unsigned f = 0; f < TX_FRAMES; f++)
        q->free[q->n_free++] = (uint64_t)(RX_FRAMES + f) * FRAME;
    return 0;
}

/* The kernel lets go of a queue some time after its socket was closed, perhaps ours of a moment ago. */
static int queue_open_patiently(struct xdp_queue *q, const char *ifname, unsigned i)
{
    for (unsigned tries = 0;; tries++) {
        int error = queue_open(q, ifname, i);
        if (error != EBUSY || tries == PATIENCE)
            return error;
        queue_close(q);
        *q = (struct xdp_queue){0};
        usleep(2000);
    }
}

/* A device takes frames for other addresses while this is open. */
static int open_promiscuous(uint32_t ifindex)
{
    struct packet_mreq membership = {.mr_ifindex = ifindex, .mr_type = PACKET_MR_PROMISC};
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd >= 0 && setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof membership)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* What the worker waits for: the socket, or an epoll with all of them. */
static int open_waiting(const struct xdp *x)
{
    if (x->n_queues == 1)
        return x->queue[0].fd;
    int fd = epoll_create1(EPOLL_CLOEXEC);
    for (unsigned i = 0; fd >= 0 && i < x->n_queues; i++) {
        struct epoll_event ev = {.events = EPOLLIN};
        epoll_ctl(fd, EPOLL_CTL_ADD, x->queue[i].fd, &ev);
    }
    return fd;
}

static uint64_t kernel_drops(const struct xdp_queue *q)
{
    struct xdp_statistics s;
    socklen_t len = sizeof s;
    return getsockopt(q->fd, SOL_XDP, XDP_STATISTICS, &s, &len) ? 0 : s.rx_dropped + s.rx_ring_full;
}

static void xdp_unplug(struct dp_port *port)
{
    struct xdp *x = port_private(port);
    if (port->rx_fd >= 0 && x->n_queues > 1)
        close(port->rx_fd);
    port->rx_fd = -1;
    xdpprog_close(&x->program);
    for (unsigned i = 0; i < x->n_queues; i++) {
        if (x->queue[i].socket)
            x->dropped += kernel_drops(&x->queue[i]);
        queue_close(&x->queue[i]);
    }
    free(x->queue);
    if (x->promiscuous_fd >= 0)
        close(x->promiscuous_fd);
    *x = (struct xdp){.program = XDPPROG_INIT, .promiscuous_fd = -1, .dropped = x->dropped};
}

static bool open_sockets(struct dp_port *port, struct xdp *x)
{
    int error = xdpprog_open(&x->program, x->n_queues);
    for (unsigned i = 0; !error && i < x->n_queues; i++) {
        error = queue_open_patiently(&x->queue[i], port->name, i);
        if (!error)
            error = -xsk_socket__update_xskmap(x->queue[i].socket, x->program.map);
    }
    switch (error) {
    case 0:
        break;
    case EPERM:
        port_fail(port, "AF_XDP is not permitted: it needs CAP_NET_ADMIN, CAP_NET_RAW and CAP_BPF; or use io=packet");
        break;
    case ENOBUFS:
        port_fail(port, "AF_XDP needs %d MB of locked memory a queue, %u queues: see 'ulimit -l'; or use io=packet",
                  MEMORY >> 20, x->n_queues);
        break;
    case EBUSY:
        port_fail(port, "%s is in use by another AF_XDP socket; end that program, or use io=packet", port->name);
        break;
    default:
        port_fail(port, "no AF_XDP socket on %s: %s; use io=packet", port->name, strerror(error));
    }
    return !error;
}

static bool attach_program(struct dp_port *port, struct xdp *x, enum xdpprog_kind kind)
{
    int error = xdpprog_attach(&x->program, port->ifindex, kind);
    switch (error) {
    case 0:
        break;
    case ENOENT:
        port_fail(port, "this kernel hides VLAN tags on %s from XDP (Linux 6.8 with BTF does not); use io=packet",
                  port->name);
        break;
    case EBUSY:
    case EEXIST:
        port_fail(port, "%s has another XDP program; take it away ('ip link set dev %s xdp off'), or use io=packet",
                  port->name, port->name);
        break;
    case ERANGE:
        port_fail(port,
                  "the MTU of %s or of its other end is too large for XDP: lower both (3000 will do), or use io=packet",
                  port->name);
        break;
    case ENOSPC:
        port_fail(port, "%s has fewer receive queues than its other end has queues to send; use io=packet", port->name);
        break;
    case EOPNOTSUPP:
        port_fail(port, "the driver of %s cannot do XDP; use io=packet", port->name);
        break;
    default:
        port_fail(port, "the driver of %s refuses XDP (%s; the kernel's log may say more); use io=packet", port->name,
                  strerror(error));
    }
    return !error;
}

/* What must be right of the device before anything is opened. */
static bool device_ok(struct dp_port *port, const struct device *d)
{
    if (!device_is_ethernet(port->name))
        port_fail(port, "%s carries no Ethernet frames", port->name);
    else if (driver_is(d, "tun"))
        port_fail(port, "%s is a TAP device, which hands over super-segments that AF_XDP cannot take; use io=packet",
                  port->name);
    else if (d->rx_queues > MAX_QUEUES)
        port_fail(port, "%s has %u receive queues, AF_XDP ports at most %d: 'ethtool -L %s combined %d'", port->name,
                  d->rx_queues, MAX_QUEUES, port->name, MAX_QUEUES);
    else if (d->tags_outside && !driver_is(d, "veth"))
        port_fail(port, "%s takes VLAN tags out of frames, where XDP does not see them: 'ethtool -K %s rxvlan off'",
                  port->name, port->name);
    else if (port->mtu + 14 + 8 > FRAME_MAX)
        port_fail(port, "the MTU of %s is %u, AF_XDP ports take at most %d: lower it, or use io=packet", port->name,
                  port->mtu, FRAME_MAX - 14 - 8);
    else
        return true;
    return false;
}

static bool xdp_plug(struct dp_port *port)
{
    struct xdp *x = port_private(port);
    struct device d = device_look(port->name);
    if (!device_ok(port, &d))
        return false;
    x->n_queues = d.rx_queues;
    x->n_tx_queues = MIN(d.rx_queues, d.tx_queues);
    x->queue = xcalloc(x->n_queues, sizeof *x->queue);
    x->shared = x->n_tx_queues < port->dp->n_workers;
    x->no_wire = has_no_wire(&d);
    if (!open_sockets(port, x) || !attach_program(port, x, driver_is(&d, "veth") ? XDPPROG_TAGS : XDPPROG_PLAIN)) {
        xdp_unplug(port);
        return false;
    }
    x->promiscuous_fd = open_promiscuous(port->ifindex);
    port->rx_fd = open_waiting(x);
    return true;
}

static bool xdp_open(struct dp_port *port, const struct dp_port_config *config, struct diag *d)
{
    struct xdp *x = port_private(port);
    (void)config, (void)d;
    x->program = XDPPROG_INIT;
    x->promiscuous_fd = -1;
    return true;
}

static void xdp_close(struct dp_port *port) { (void)port; }
static bool xdp_set_up(struct dp_port *port, bool up) { return device_set_up(port->name, up); }

static bool xdp_validate(struct dp *dp, const struct dp_port_config *config, const struct dp_port *except,
                         int *bad_option, struct diag *d)
{
    (void)dp, (void)except, (void)bad_option;
    return device_name_ok(config->name, d);
}

static void xdp_get_stats(const struct dp_port *port, struct dp_port_stats *s)
{
    const struct xdp *x = port_private(port);
    s->rx_dropped += x->dropped;
    for (unsigned i = 0; i < x->n_queues; i++)
        s->rx_dropped += kernel_drops(&x->queue[i]);
}

static void xdp_get_info(const struct dp_port *port, struct dp_port_info *info)
{
    const struct xdp *x = port_private(port);
    if (!x->n_queues || !info->status)
        return;
    buf_printf(info->status, "copy=%s\nqueues=%u\n", x->queue[0].zerocopy ? "no" : "yes", x->n_queues);
    if (device_look(port->name).rx_queues > x->n_queues)
        info->error = "the device has more receive queues than when the port was added, and what comes there is lost: "
                      "delete the port and add it again";
}

/* --- sending --- */

static void queue_lock(const struct xdp *x, struct xdp_queue *q)
{
    if (x->shared)
        pthread_mutex_lock(&q->lock);
}

static void queue_unlock(const struct xdp *x, struct xdp_queue *q)
{
    if (x->shared)
        pthread_mutex_unlock(&q->lock);
}

static uint32_t consumer(const struct xsk_ring_prod *r) { return load_acquire(r->consumer); }
static bool drained(const struct xsk_ring_prod *r) { return consumer(r) == load_relaxed(r->producer); }

/* What the device threw away of what it was to send: bits of packets from place `first` of the ring on, and how many
 * others, which were there before. */
struct lost {
    uint32_t first, bits;
    unsigned others;
};

/* Has the kernel send what is in the ring. Where it copies, it sends before it answers, and says of each packet that
 * the device dropped. */
static void kick(struct dp_port *port, struct worker *w, struct xdp_queue *q, struct lost *lost)
{
    int error = EAGAIN;
    for (unsigned tries = 0; tries < KICKS && error && !drained(&q->tx) && xsk_ring_prod__needs_wakeup(&q->tx);) {
        error = sendto(q->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 ? errno : 0;
        if (error == EBUSY && !q->zerocopy) {
            uint32_t at = consumer(&q->tx) - 1 - lost->first;
            lost->bits |= at < BATCH ? 1u << at : 0;
            lost->others += at >= BATCH;
        } else if (!error || error == EAGAIN || error == EINTR || error == EBUSY) {
            tries++;
        } else {
            port_trouble(port, w, error);
            break;
        }
    }
    bool busy = (error == EAGAIN || error == EBUSY) && xsk_ring_prod__needs_wakeup(&q->tx) && !drained(&q->tx);
    if (busy && !q->behind)
        q->behind_until = w->now + BUSY_MSEC;
    store_relaxed(&q->behind, busy);
}

static void take_completed(struct xdp_queue *q)
{
    uint32_t at = 0, n = xsk_ring_cons__peek(&q->completed, TX_FRAMES, &at);
    for (uint32_t i = 0; i < n; i++)
        q->free[q->n_free++] = *xsk_ring_cons__comp_addr(&q->completed, at + i) & ~(uint64_t)(FRAME - 1);
    if (n)
        xsk_ring_cons__release(&q->completed, n);
}

/* Into the ring what has room; the packets stay in batch[]. DROP_NONE: it is in. */
static void fill_ring(struct xdp_queue *q, struct packet *batch[], unsigned n, enum drop_reason why[])
{
    unsigned taken = 0;
    uint32_t at = q->tx.cached_prod;
    for (unsigned i = 0; i < n; i++) {
        const struct packet *p = batch[i];
        why[i] = p->len > FRAME ? DROP_TX_MTU : taken == q->n_free ? DROP_TX_FULL : DROP_NONE;
        if (unlikely(why[i]))
            continue;
        uint64_t place = q->free[q->n_free - ++taken];
        memcpy(q->memory + place, p->data, p->len);
        *xsk_ring_prod__tx_desc(&q->tx, at + taken - 1) = (struct xdp_desc){.addr = place, .len = p->len};
    }
    /* There are as many places in the ring as frames. */
    q->n_free -= xsk_ring_prod__reserve(&q->tx, taken, &at);
    xsk_ring_prod__submit(&q->tx, taken);
}

static void xdp_tx(struct dp_port *port, struct worker *w, struct packet *batch[], unsigned n)
{
    struct xdp *x = port_private(port);
    struct port_worker *pw = port->worker[w->index];
    struct xdp_queue *q = &x->queue[w->index % x->n_tx_queues];
    enum drop_reason why[BATCH];
    queue_lock(x, q);
    take_completed(q);
    struct lost lost = {.first = q->tx.cached_prod};
    fill_ring(q, batch, n, why);
    kick(port, w, q, &lost);
    queue_unlock(x, q);
    for (unsigned i = 0, place = 0; i < n; i++) {
        if (!why[i] && lost.bits >> place++ & 1)
            why[i] = DROP_TX_FULL;
        if (unlikely(why[i])) {
            stat_add(why[i] == DROP_TX_FULL ? &pw->tx_dropped : &pw->tx_errors, 1);
            packet_drop(w, batch[i], why[i]);
            continue;
        }
        stat_add(&pw->tx_packets, 1);
        stat_add(&pw->tx_bytes, batch[i]->len);
        packet_free(w, batch[i]);
    }
    stat_add(&pw->tx_dropped, lost.others);
}

/* --- receiving --- */

static unsigned queue_rx(struct xdp_queue *q, const struct xdp *x, struct dp_port *port, struct worker *w,
                         struct packet *batch[], unsigned max)
{
    uint32_t at = 0, fill = 0, n = xsk_ring_cons__peek(&q->rx, max, &at);
    if (!n) {
        if (unlikely(xsk_ring_prod__needs_wakeup(&q->fill)))
            recvfrom(q->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
        return 0;
    }
    xsk_ring_prod__reserve(&q->fill, n, &fill); /* it has room for all frames */
    for (uint32_t i = 0; i < n; i++) {
        const struct xdp_desc *desc = xsk_ring_cons__rx_desc(&q->rx, at + i);
        struct packet *p = batch[i] = packet_take(w);
        p->port = port->id;
        p->len = desc->len;
        memcpy(p->data, q->memory + desc->addr, desc->len);
        *xsk_ring_prod__fill_addr(&q->fill, fill + i) = desc->addr & ~(uint64_t)(FRAME - 1);
        if (x->no_wire)
            packet_find_unfinished(p);
    }
    xsk_ring_cons__release(&q->rx, n);
    xsk_ring_prod__submit(&q->fill, n);
    return n;
}

/* A device that goes says so only once, and only if asked. */
static void look_for_trouble(struct dp_port *port, const struct xdp *x, struct worker *w)
{
    for (unsigned i = 0; i < x->n_queues; i++) {
        int error = 0;
        socklen_t len = sizeof error;
        if (!getsockopt(x->queue[i].fd, SOL_SOCKET, SO_ERROR, &error, &len) && error)
            port_trouble(port, w, error);
    }
}

/* The device was busy when some worker sent: again, and no sleep until it is done. */
static void send_behind(struct dp_port *port, struct xdp *x, struct worker *w, struct xdp_queue *q)
{
    queue_lock(x, q);
    struct lost lost = {.first = q->tx.cached_prod};
    kick(port, w, q, &lost);
    if (q->behind && w->now < q->behind_until)
        port->hot = MAX(port->hot, 2);
    else
        store_relaxed(&q->behind, false);
    queue_unlock(x, q);
    stat_add(&port->worker[w->index]->tx_dropped, lost.others);
}

/* Once a window: how long does a batch take to come together? */
static void new_window(struct xdp *x, msec_t now)
{
    x->pause = x->in_window < WINDOW_PACKETS ? 0 : MIN(MAX_PAUSE, GATHER * WINDOW * 1000000 / x->in_window);
    x->window_end = now + WINDOW;
    x->in_window = 0;
}

static unsigned xdp_rx(struct dp_port *port, struct worker *w, struct packet *batch[BATCH])
{
    struct xdp *x = port_private(port);
    unsigned n = 0;
    if (x->pause && clock_nsec() < x->next_look) {
        port->hot = MAX(port->hot, 2);
        return 0;
    }
    for (unsigned i = 0; i < x->n_queues && n < BATCH; i++) {
        struct xdp_queue *q = &x->queue[x->next];
        if (unlikely(load_relaxed(&q->behind)))
            send_behind(port, x, w, q);
        n += queue_rx(q, x, port, w, batch + n, BATCH - n);
        x->next = x->next + 1 < x->n_queues ? x->next + 1 : 0;
    }
    x->in_window += n;
    if (w->now >= x->window_end)
        new_window(x, w->now);
    if (n)
        x->next_look = n < BATCH && x->pause ? clock_nsec() + x->pause : 0;
    else if (port->hot == 1)
        look_for_trouble(port, x, w);
    return n;
}

const struct port_class port_xdp_class = {
    .type = "system",
    .size = sizeof(struct xdp),
    .options = system_options,
    .n_options = N_SYSTEM_OPTIONS,
    .variant = system_variant,
    .offload = false,
    .validate = xdp_validate,
    .open = xdp_open,
    .close = xdp_close,
    .reconfigure = system_reconfigure,
    .plug = xdp_plug,
    .unplug = xdp_unplug,
    .get_info = xdp_get_info,
    .get_stats = xdp_get_stats,
    .set_up = xdp_set_up,
    .rx = xdp_rx,
    .tx = xdp_tx,
};
