/* port.c: ports, whatever their class. */
#include "config.h"
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/log.h"
#include "base/mem.h"
#include "datapath/queue.h"
#include "datapath/worker.h"

LOG_MODULE(port);

const struct port_class *const port_classes[] = {
    &port_system_class, &port_internal_class, &port_gre_class,      &port_pcap_class,
    &port_null_class,   &port_sim_class,      &port_underlay_class,
};
const size_t n_port_classes = ARRAY_SIZE(port_classes);

/* Those behind this one are not for users. */
static const size_t n_user_classes = ARRAY_SIZE(port_classes) - 1;

const struct port_class *port_class_by_type(const char *type)
{
    for (size_t i = 0; i < n_user_classes; i++)
        if (!strcmp(port_classes[i]->type, type))
            return port_classes[i];
    return NULL;
}

/* Of a configuration whose type is good. */
static const struct port_class *class_of(const struct dp_port_config *config)
{
    const struct port_class *class = port_class_by_type(config->type);
    return class->variant ? class->variant(config) : class;
}

/* --- devices --- */

static int device_ioctl(unsigned long request, struct ifreq *ifr, const char *ifname)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    strncpy(ifr->ifr_name, ifname, IFNAMSIZ - 1);
    int r = ioctl(fd, request, ifr), error = errno;
    close(fd);
    errno = error;
    return r;
}

static uint32_t device_speed(const char *ifname)
{
    struct ethtool_cmd cmd = {.cmd = ETHTOOL_GSET};
    struct ifreq ifr = {.ifr_data = (void *)&cmd};
    if (device_ioctl(SIOCETHTOOL, &ifr, ifname))
        return 0;
    uint32_t speed = ethtool_cmd_speed(&cmd);
    return speed == (uint32_t)SPEED_UNKNOWN ? 0 : speed;
}

bool device_set_up(const char *ifname, bool up)
{
    struct ifreq ifr = {0};
    if (device_ioctl(SIOCGIFFLAGS, &ifr, ifname))
        return false;
    ifr.ifr_flags = up ? ifr.ifr_flags | IFF_UP : ifr.ifr_flags & ~IFF_UP;
    return !device_ioctl(SIOCSIFFLAGS, &ifr, ifname);
}

bool device_set_mac(const char *ifname, const uint8_t mac[6])
{
    struct ifreq ifr = {0};
    ifr.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    memcpy(ifr.ifr_hwaddr.sa_data, mac, 6);
    return !device_ioctl(SIOCSIFHWADDR, &ifr, ifname);
}

bool device_is_ethernet(const char *ifname)
{
    struct ifreq ifr = {0};
    return !device_ioctl(SIOCGIFHWADDR, &ifr, ifname) &&
           (ifr.ifr_hwaddr.sa_family == ARPHRD_ETHER || ifr.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK);
}

bool device_name_ok(const char *name, struct diag *d)
{
    if (!*name || !strcmp(name, ".") || !strcmp(name, "..") || strpbrk(name, "/: \t\n"))
        return diag_fail(d, 0, 0, "'%s' cannot be the name of a device", name);
    if (strlen(name) >= IFNAMSIZ)
        return diag_fail(d, 0, 0, "'%s' is too long for the name of a device: at most %d bytes", name, IFNAMSIZ - 1);
    return true;
}

/* The carrier itself, IFF_LOWER_UP: IFF_RUNNING is RFC 2863's state, which the kernel updates up to a second later. The
 * ioctl's flags have no room for it. */
enum { CARRIER = 1 << 16 };

static unsigned device_carrier(const char *ifname, unsigned ifflags)
{
    struct ethtool_value link = {.cmd = ETHTOOL_GLINK};
    struct ifreq ifr = {.ifr_data = (void *)&link};
    if (device_ioctl(SIOCETHTOOL, &ifr, ifname))
        return ifflags & IFF_RUNNING ? CARRIER : 0;
    return link.data ? CARRIER : 0;
}

static unsigned port_flags(unsigned ifflags)
{
    return (ifflags & IFF_UP ? DP_PORT_UP : 0) | (ifflags & CARRIER ? DP_PORT_RUNNING : 0) | DP_PORT_PRESENT;
}

/* What a netlink event would say of it. */
static bool device_read(const char *ifname, struct link_event *e)
{
    struct ifreq index = {0}, flags = {0}, mtu = {0}, mac = {0};
    if (device_ioctl(SIOCGIFINDEX, &index, ifname) || device_ioctl(SIOCGIFFLAGS, &flags, ifname) ||
        device_ioctl(SIOCGIFMTU, &mtu, ifname) || device_ioctl(SIOCGIFHWADDR, &mac, ifname))
        return false;
    unsigned ifflags = (unsigned short)flags.ifr_flags;
    *e = (struct link_event){.ifindex = index.ifr_ifindex,
                             .mtu = mtu.ifr_mtu,
                             .name = ifname,
                             .flags = ifflags | device_carrier(ifname, ifflags)};
    memcpy(e->mac, mac.ifr_hwaddr.sa_data, 6);
    return true;
}

/* Takes over what is known of the device; true if it is news. With `flags` 0 nothing is sent to it yet. */
static bool port_learn_device(struct dp_port *port, const struct link_event *e, unsigned flags)
{
    bool news =
        port->ifindex != e->ifindex || port->flags != flags || port->mtu != e->mtu || memcmp(port->mac, e->mac, 6);
    store_relaxed(&port->ifindex, e->ifindex);
    store_relaxed(&port->mtu, e->mtu);
    memcpy(port->mac, e->mac, 6);
    store_release(&port->flags, flags);
    return news;
}

bool port_read_device(struct dp_port *port)
{
    struct link_event e;
    if (!device_read(port->name, &e))
        return false;
    port_learn_device(port, &e, port_flags(e.flags));
    port->speed_mbps = device_speed(port->name);
    return true;
}

/* --- state --- */

void port_fail(struct dp_port *port, const char *format, ...)
{
    struct buf b = BUF_INIT;
    va_list args;
    va_start(args, format);
    buf_vprintf(&b, format, args);
    va_end(args);
    if (!port->error || strcmp(port->error, buf_text(&b)))
        log_warn("%s: %s", port->name, buf_text(&b));
    free(port->error);
    port->error = buf_steal_text(&b);
}

void port_ok(struct dp_port *port)
{
    free(port->error);
    port->error = NULL;
}

void port_changed(struct dp_port *port)
{
    port->changed = true;
    port->dp->ports_changed = true;
    dp_wake(port->dp);
}

void port_trouble(struct dp_port *port, struct worker *w, int error)
{
    (void)w;
    if (error == ENETDOWN || error == ENODEV || error == ENXIO || error == EIO || error == EBADFD) {
        store_relaxed(&port->trouble, true);
        store_release(&port->dp->ports_in_trouble, true);
        dp_wake(port->dp);
    }
}

void port_busy(struct dp_port *port)
{
    store_relaxed(&port->busy, true);
    store_release(&port->dp->ports_in_trouble, true);
    dp_wake(port->dp);
}

void port_start(struct dp_port *port)
{
    if (port->class->rx && !port->attached) {
        port->attached = true;
        worker_attach(port->owner, port);
    }
}

void port_stop(struct dp_port *port)
{
    store_relaxed(&port->flags, port->flags & ~(DP_PORT_UP | DP_PORT_RUNNING | DP_PORT_PRESENT));
    if (port->attached) {
        port->attached = false;
        worker_detach(port->owner, port);
    }
    dp_synchronize(port->dp);
}

/* Takes hold of the device, if it is there. */
static void port_plug(struct dp_port *port)
{
    struct link_event e;
    if (!device_read(port->name, &e)) {
        port_fail(port, "there is no device %s; waiting for it", port->name);
        return;
    }
    port_ok(port);
    port_learn_device(port, &e, 0);
    port->speed_mbps = device_speed(port->name);
    if (port->class->plug(port)) {
        store_release(&port->flags, port_flags(e.flags));
        port_start(port);
    }
}

/* Its device is gone. */
static void port_lost(struct dp_port *port)
{
    if (tap_lives_elsewhere(port)) {
        store_relaxed(&port->ifindex, 0);
        return;
    }
    port_stop(port);
    store_relaxed(&port->ifindex, 0);
    if (port->class->unplug) {
        port->class->unplug(port);
        port_fail(port, "there is no device %s; waiting for it", port->name);
    } else {
        port_fail(port, "its device was deleted or renamed by somebody else; delete the port and add it again");
    }
    port_changed(port);
}

static void port_link_news(struct dp_port *port, const struct link_event *e)
{
    bool same_device = port->ifindex == e->ifindex && port->flags & DP_PORT_PRESENT;
    bool same_name = !e->gone && !strcmp(port->name, e->name);
    if (same_device && same_name) {
        if (port_learn_device(port, e, port_flags(e->flags)))
            port_changed(port);
        return;
    }
    if (same_device || (same_name && port->flags & DP_PORT_PRESENT))
        port_lost(port);
    if (same_name && port->class->plug) {
        port_plug(port);
        port_changed(port);
    }
}

void port_link_event(struct dp *dp, const struct link_event *e)
{
    for (uint32_t id = 0; id < dp->ports_end; id++)
        if (dp->ports[id] && (dp->ports[id]->class->plug || dp->ports[id]->ifindex))
            port_link_news(dp->ports[id], e);
}

/* A worker found that the device refuses: is it still there? (Netlink says so too, but may not be listened to.) */
static void port_look_why(struct dp_port *port)
{
    struct link_event e;
    store_relaxed(&port->trouble, false);
    if (!(port->flags & DP_PORT_PRESENT))
        return;
    bool there = device_read(port->name, &e);
    if (there && e.ifindex == port->ifindex) {
        if (port_learn_device(port, &e, port_flags(e.flags)))
            port_changed(port);
        return;
    }
    port_lost(port);
    if (there && port->class->plug)
        port_plug(port);
}

/* What workers have said of it. */
static void port_look(struct dp_port *port)
{
    if (load_relaxed(&port->trouble))
        port_look_why(port);
    if (__atomic_exchange_n(&port->busy, false, __ATOMIC_ACQUIRE) && port->flags & DP_PORT_PRESENT)
        port->class->busy(port);
}

void ports_run(struct dp *dp)
{
    if (__atomic_exchange_n(&dp->ports_in_trouble, false, __ATOMIC_ACQUIRE))
        for (uint32_t id = 0; id < dp->ports_end; id++)
            if (dp->ports[id])
                port_look(dp->ports[id]);
    if (!dp->ports_changed)
        return;
    dp->ports_changed = false;
    for (uint32_t id = 0; id < dp->ports_end; id++) {
        struct dp_port *port = dp->ports[id];
        if (!port || !port->changed)
            continue;
        port->changed = false;
        tunnels_port_changed(dp, port, false);
        if (port->class != &port_underlay_class && dp->callbacks.port_changed)
            dp->callbacks.port_changed(port->bridge->aux, port);
    }
}

/* --- coming and going --- */

static struct dp_port *port_named(struct dp *dp, const char *name, const struct dp_port *except)
{
    for (uint32_t id = 0; id < dp->ports_end; id++) {
        struct dp_port *port = dp->ports[id];
        if (port && port != except && port->class != &port_underlay_class && !strcmp(port->name, name))
            return port;
    }
    return NULL;
}

struct dp_port *port_by_name(struct dp *dp, const char *name) { return port_named(dp, name, NULL); }

struct dp_port *port_by_ifindex(struct dp *dp, uint32_t ifindex)
{
    for (uint32_t id = 0; id < dp->ports_end; id++)
        if (dp->ports[id] && dp->ports[id]->ifindex == ifindex && ifindex)
            return dp->ports[id];
    return NULL;
}

bool dp_port_validate(struct dp *dp, const struct dp_port_config *config, const struct dp_port *except, int *bad_option,
                      struct diag *d)
{
    int nowhere;
    bad_option = bad_option ? bad_option : &nowhere;
    *bad_option = -1;
    const struct port_class *class = port_class_by_type(config->type);
    if (!class) {
        const char *types[ARRAY_SIZE(port_classes)];
        for (size_t i = 0; i < n_user_classes; i++)
            types[i] = port_classes[i]->type;
        const char *near = nearest_name(config->type, strlen(config->type), types, n_user_classes);
        return diag_fail(d, 0, 0,
                         near ? "there is no port type '%s'; did you mean '%s'?" : "there is no port type '%s'",
                         config->type, near);
    }
    const struct dp_port *other = port_named(dp, config->name, except);
    if (other)
        return diag_fail(d, 0, 0, "port %s exists already, in bridge %s", config->name, other->bridge->name);
    return options_check(class->options, class->n_options, config, bad_option, d) &&
           (!class->validate || class->validate(dp, config, except, bad_option, d));
}

void *port_private(const struct dp_port *port)
{
    size_t at = offsetof(struct dp_port, worker) + port->dp->n_workers * sizeof port->worker[0];
    return (uint8_t *)port + ROUND_UP(at, CACHE_LINE);
}

static uint32_t free_port_id(struct dp *dp)
{
    for (uint32_t i = 0; i < DP_MAX_PORTS; i++) {
        uint32_t id = (dp->next_port + i) % DP_MAX_PORTS;
        if (id && !dp->ports[id]) {
            dp->next_port = id + 1; /* not the same again at once: numbers in logs and captures stay unique a while */
            return id;
        }
    }
    return DP_NO_PORT;
}

static struct dp_port *port_create(struct dp_bridge *bridge, const struct port_class *class, const char *name,
                                   struct diag *d)
{
    struct dp *dp = bridge->dp;
    uint32_t id = free_port_id(dp);
    if (id == DP_NO_PORT) {
        diag_fail(d, 0, 0, "there are %u ports already", DP_MAX_PORTS - 1);
        return NULL;
    }
    size_t head = offsetof(struct dp_port, worker) + dp->n_workers * sizeof(struct port_worker *);
    struct dp_port *port = xzalloc_line(ROUND_UP(head, CACHE_LINE) + class->size);
    port->class = class;
    port->dp = dp;
    port->bridge = bridge;
    port->id = id;
    port->name = xstrdup(name);
    port->rx_fd = port->rx_fd_bulk = -1;
    port->owner = dp->workers[class->rx ? dp->next_owner++ % dp->n_workers : 0];
    for (unsigned i = 0; i < dp->n_workers; i++) {
        port->worker[i] = xzalloc_line(sizeof *port->worker[i]);
        port->worker[i]->tx_fd = -1;
    }
    return port;
}

static void port_free(struct dp_port *port)
{
    for (unsigned i = 0; i < port->dp->n_workers; i++) {
        punt_ring_destroy(port->dp, port->worker[i]->punts);
        free(port->worker[i]);
    }
    free(port->name);
    free(port->error);
    free(port);
}

/* Opens it and makes it known. NULL: `port` is gone. */
static struct dp_port *port_open(struct dp_port *port, const struct dp_port_config *config, struct diag *d)
{
    struct dp *dp = port->dp;
    if (!port->class->open(port, config, d)) {
        port->class->close(port);
        port_free(port);
        return NULL;
    }
    dp->ports_end = MAX(dp->ports_end, port->id + 1);
    store_release(&dp->ports[port->id], port);
    port->bridge->n_ports++;
    if (port->local)
        store_release(&port->bridge->local, port);
    if (port->class->tunnel)
        store_relaxed(&port->bridge->n_tunnels, port->bridge->n_tunnels + 1);
    if (port->class->plug)
        port_plug(port);
    else
        port_start(port);
    tunnels_port_changed(dp, port, false);
    return port;
}

struct dp_port *dp_port_add(struct dp_bridge *bridge, const struct dp_port_config *config, uint32_t ofport, void *aux,
                            struct diag *d)
{
    if (!dp_port_validate(bridge->dp, config, NULL, NULL, d))
        return NULL;
    struct dp_port *port = port_create(bridge, class_of(config), config->name, d);
    if (!port)
        return NULL;
    port->ofport = ofport;
    port->aux = aux;
    port->local = config->local;
    return port_open(port, config, d);
}

struct dp_port *port_add_own(struct dp_bridge *bridge, const struct port_class *class, const char *name, struct diag *d)
{
    struct dp_port *port = port_create(bridge, class, name, d);
    if (!port)
        return NULL;
    port->ofport = port->id;
    const struct dp_port_config config = {.name = name, .type = class->type};
    return port_open(port, &config, d);
}

struct dp_port *port_add_underlay(struct dp_bridge *bridge, const char *ifname, struct diag *d)
{
    return port_add_own(bridge, &port_underlay_class, ifname, d);
}

bool dp_port_reconfigure(struct dp_port *port, const struct dp_port_config *config, struct diag *d)
{
    if (strcmp(config->name, port->name) || strcmp(config->type, port->class->type))
        return diag_fail(d, 0, 0, "port %s keeps its name and its type %s", port->name, port->class->type);
    if (!dp_port_validate(port->dp, config, port, NULL, d))
        return false;
    if (class_of(config) != port->class)
        return diag_fail(d, 0, 0, "port %s: how it exchanges packets is chosen when it is added: delete it, and add it again",
                         port->name);
    if (!port->class->reconfigure)
        return !config->n_options || diag_fail(d, 0, 0, "port %s: options of type %s are set when the port is added",
                                               port->name, port->class->type);
    return port->class->reconfigure(port, config, d);
}

void dp_port_del(struct dp_port *port)
{
    struct dp *dp = port->dp;
    tunnels_port_changed(dp, port, true);
    if (port->local)
        store_release(&port->bridge->local, NULL);
    if (port->class->tunnel)
        store_relaxed(&port->bridge->n_tunnels, port->bridge->n_tunnels - 1);
    store_release(&dp->ports[port->id], NULL);
    dp_forget(dp);
    port_stop(port);
    shaper_remove(port);
    if (port->class->unplug)
        port->class->unplug(port);
    port->class->close(port);
    while (dp->ports_end && !dp->ports[dp->ports_end - 1])
        dp->ports_end--;
    port->bridge->n_ports--;
    port_free(port);
}

void dp_port_set_ofport(struct dp_port *port, uint32_t ofport)
{
    store_relaxed(&port->ofport, ofport);
    dp_forget(port->dp);
    dp_synchronize(port->dp);
}

/* --- asked by others --- */

uint32_t dp_port_id(const struct dp_port *port) { return port->id; }
uint32_t dp_port_ofport(const struct dp_port *port) { return port->ofport; }
void *dp_port_aux(const struct dp_port *port) { return port->aux; }
struct dp_bridge *dp_port_bridge(const struct dp_port *port) { return port->bridge; }

struct dp_port *dp_port_by_id(struct dp *dp, uint32_t id)
{
    return id < DP_MAX_PORTS ? load_acquire(&dp->ports[id]) : NULL;
}

bool dp_port_set_up(struct dp_port *port, bool up)
{
    if (!port->class->set_up || !port->class->set_up(port, up))
        return false;
    if (port->ifindex)
        port_read_device(port);
    port_changed(port);
    return true;
}

void dp_port_get_info(const struct dp_port *port, struct dp_port_info *info)
{
    struct buf *status = info->status;
    *info = (struct dp_port_info){
        .id = port->id,
        .name = port->name,
        .type = port->class->type,
        .tunnel = port->class->tunnel,
        .flags = port->flags,
        .mtu = port->mtu,
        .ifindex = port->ifindex,
        .speed_mbps = port->speed_mbps,
        .error = port->error ? port->error : "",
        .status = status,
    };
    memcpy(info->mac, port->mac, 6);
    if (port->class->get_info)
        port->class->get_info(port, info);
}

void dp_port_get_stats(const struct dp_port *port, struct dp_port_stats *s)
{
    *s = (struct dp_port_stats){0};
    for (unsigned i = 0; i < port->dp->n_workers; i++) {
        const struct port_worker *pw = port->worker[i];
        s->rx_packets += stat_read(&pw->rx_packets);
        s->rx_bytes += stat_read(&pw->rx_bytes);
        s->rx_dropped += stat_read(&pw->rx_dropped);
        s->rx_errors += stat_read(&pw->rx_errors);
        s->tx_packets += stat_read(&pw->tx_packets);
        s->tx_bytes += stat_read(&pw->tx_bytes);
        s->tx_dropped += stat_read(&pw->tx_dropped);
        s->tx_errors += stat_read(&pw->tx_errors);
    }
    if (port->class->get_stats)
        port->class->get_stats(port, s);
}
