/* port-tap.c: devices that the datapath makes for the host: LOCAL and internal ports.
 *
 * The host's end of the device is an ordinary interface. It is brought up at once, so that an address given to it
 * works; it has the MAC that was asked for, and goes when the daemon goes. Any worker writes to the same descriptor:
 * the kernel takes each frame whole. */
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>
#include "datapath/closer.h"
#include "datapath/vnet.h"
#include "datapath/worker.h"

#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20 /* Linux 6.2 */
#define TUN_F_USO6 0x40
#endif

static bool tap_create(struct dp_port *port, struct diag *d)
{
    struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
    int header = sizeof(struct virtio_net_hdr);
    if (if_nametoindex(port->name))
        closer_wait(); /* it may be one of ours that is just going */
    if (if_nametoindex(port->name))
        return diag_fail(d, 0, 0, "a device called %s exists already; 'ip link show %s' tells what it is", port->name,
                         port->name);
    port->rx_fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (port->rx_fd < 0)
        return diag_fail(d, 0, 0, "cannot make device %s: /dev/net/tun: %s", port->name, strerror(errno));
    memcpy(ifr.ifr_name, port->name, strlen(port->name));
    if (ioctl(port->rx_fd, TUNSETIFF, &ifr) || ioctl(port->rx_fd, TUNSETVNETHDRSZ, &header))
        return diag_fail(d, 0, 0, "cannot make device %s: %s%s", port->name, strerror(errno),
                         errno == EPERM ? " (CAP_NET_ADMIN is needed)" : "");
    unsigned base = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
    if (ioctl(port->rx_fd, TUNSETOFFLOAD, base | TUN_F_USO4 | TUN_F_USO6) && ioctl(port->rx_fd, TUNSETOFFLOAD, base))
        return diag_fail(d, 0, 0, "cannot set the offloads of device %s: %s", port->name, strerror(errno));
    return true;
}

static bool tap_validate(struct dp *dp, const struct dp_port_config *config, const struct dp_port *except,
                         int *bad_option, struct diag *d)
{
    (void)dp, (void)except, (void)bad_option;
    return device_name_ok(config->name, d);
}

static bool tap_open(struct dp_port *port, const struct dp_port_config *config, struct diag *d)
{
    static const uint8_t none[6];
    if (!tap_create(port, d))
        return false;
    if (memcmp(config->mac, none, 6) && !device_set_mac(port->name, config->mac))
        return diag_fail(d, 0, 0, "cannot set the address of device %s: %s", port->name, strerror(errno));
    if (!device_set_up(port->name, true) || !port_read_device(port))
        return diag_fail(d, 0, 0, "cannot bring device %s up: %s", port->name, strerror(errno));
    for (unsigned i = 0; i < port->dp->n_workers; i++)
        port->worker[i]->tx_fd = port->rx_fd;
    return true;
}

static void tap_close(struct dp_port *port)
{
    if (port->rx_fd >= 0)
        close_later(port->rx_fd); /* then the device goes: dp_settle() */
    port->rx_fd = -1;
}

bool tap_lives_elsewhere(const struct dp_port *port)
{
    struct ifreq ifr;
    return port->class == &port_internal_class && port->rx_fd >= 0 && !ioctl(port->rx_fd, TUNGETIFF, &ifr);
}

static bool tap_reconfigure(struct dp_port *port, const struct dp_port_config *config, struct diag *d)
{
    static const uint8_t none[6];
    if (!memcmp(config->mac, none, 6) || !memcmp(config->mac, port->mac, 6))
        return true;
    if (!device_set_mac(port->name, config->mac))
        return diag_fail(d, 0, 0, "cannot set the address of device %s: %s", port->name, strerror(errno));
    port_read_device(port);
    port_changed(port);
    return true;
}

static bool tap_set_up(struct dp_port *port, bool up) { return device_set_up(port->name, up); }

static unsigned tap_rx(struct dp_port *port, struct worker *w, struct packet *batch[BATCH])
{
    struct port_worker *pw = port->worker[w->index];
    unsigned n = 0;
    size_t bytes = 0;
    while (n < BATCH && bytes < BATCH_BYTES) {
        struct virtio_net_hdr header;
        struct packet *p = worker_spare(w, n);
        struct iovec iov[2] = {{&header, sizeof header}, {p->data, PACKET_MAX}};
        ssize_t len = readv(port->rx_fd, iov, 2);
        if (len < 0) {
            if (errno == EINTR)
                continue;
            if (errno != EAGAIN)
                port_trouble(port, w, errno);
            break;
        }
        if (len <= (ssize_t)sizeof header) {
            stat_add(&pw->rx_errors, 1);
            break;
        }
        worker_take_spare(w, n);
        p->len = len - sizeof header;
        p->port = port->id;
        vnet_take(&header, p);
        bytes += p->len;
        batch[n++] = p;
    }
    return n;
}

static void tap_tx(struct dp_port *port, struct worker *w, struct packet *batch[], unsigned n)
{
    struct port_worker *pw = port->worker[w->index];
    for (unsigned i = 0; i < n; i++) {
        struct packet *p = batch[i];
        struct virtio_net_hdr header;
        vnet_give(p, &header);
        struct iovec iov[2] = {{&header, sizeof header}, {p->data, p->len}};
        ssize_t done;
        do
            done = writev(pw->tx_fd, iov, 2);
        while (done < 0 && errno == EINTR);
        if (done >= 0) {
            stat_add(&pw->tx_packets, 1);
            stat_add(&pw->tx_bytes, p->len);
            packet_free(w, p);
        } else {
            bool full = errno == EAGAIN || errno == ENOBUFS;
            stat_add(full ? &pw->tx_dropped : &pw->tx_errors, 1);
            packet_drop(w, p, full ? DROP_TX_FULL : errno == EIO ? DROP_PORT_DOWN : DROP_TX_ERROR);
        }
    }
}

const struct port_class port_internal_class = {
    .type = "internal",
    .offload = true,
    .validate = tap_validate,
    .open = tap_open,
    .close = tap_close,
    .reconfigure = tap_reconfigure,
    .set_up = tap_set_up,
    .rx = tap_rx,
    .tx = tap_tx,
};
