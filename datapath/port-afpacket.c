/* port-afpacket.c: interfaces of the host as switch ports ("system"), and, for tunnels, interfaces that stay the
 * host's and lend us their GRE packets ("underlay").
 *
 * Receiving is in afpacket-rx.h; each worker sends by a socket of its own. The kernel's offloads come and go with each
 * packet (PACKET_VNET_HDR), in front of its bytes; a VLAN tag that it stripped is put back.
 *
 * Sending is by sendmmsg(): a transmit ring costs more here, and PACKET_QDISC_BYPASS gains nothing, would take away
 * shaping, and silently drops super-segments for a device that cannot cut them (net/core/dev.c, __dev_direct_xmit). */
#include "config.h"
#include <errno.h>
#include <sys/socket.h>
#include "datapath/afpacket-rx.h"
#include "datapath/afpacket-socket.h"
#include "datapath/closer.h"
#include "datapath/encap.h"
#include "datapath/guard.h"
#include "datapath/port-system.h"
#include "datapath/vnet.h"
#include "datapath/worker.h"

struct afpacket {
    struct hook guard, encap;
    struct afrx rx;
};

static void afpacket_unplug(struct dp_port *port)
{
    struct afpacket *a = port_private(port);
    hook_detach(&a->guard);
    hook_detach(&a->encap);
    afrx_close(&a->rx, port);
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
    ok = afrx_open(&a->rx, port, underlay);
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
    afrx_init(&a->rx);
    return true;
}

static void afpacket_close(struct dp_port *port) { (void)port; }
static bool afpacket_set_up(struct dp_port *port, bool up) { return device_set_up(port->name, up); }

static void afpacket_get_stats(const struct dp_port *port, struct dp_port_stats *s)
{
    struct afpacket *a = port_private(port);
    afrx_count_drops(&a->rx);
    s->rx_dropped += a->rx.kernel_drops;
}

static bool afpacket_validate(struct dp *dp, const struct dp_port_config *config, const struct dp_port *except,
                              int *bad_option, struct diag *d)
{
    (void)dp, (void)except, (void)bad_option;
    return device_name_ok(config->name, d);
}

static void afpacket_busy(struct dp_port *port)
{
    struct afpacket *a = port_private(port);
    afrx_busy(&a->rx, port);
}

static unsigned afpacket_rx(struct dp_port *port, struct worker *w, struct packet *batch[BATCH])
{
    struct afpacket *a = port_private(port);
    return afrx_rx(&a->rx, port, w, batch);
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

const struct port_class port_system_class = {
    .type = "system", .options = system_options, .n_options = N_SYSTEM_OPTIONS, .variant = system_variant,
    .reconfigure = system_reconfigure, AFPACKET};
const struct port_class port_underlay_class = {.type = "underlay", AFPACKET};
