/* host.c: GRE that reaches the host by a way that no tunnel sends by: over an interface of its own choice (asymmetric
 * routes), or in fragments that the host's stack has put together. A raw socket takes it from the stack, which then
 * does not answer "protocol unreachable" either. It is the slow way; interfaces that tunnels send by have underlay
 * ports, and this socket does not listen to them. */
#include "config.h"
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/log.h"
#include "base/mem.h"
#include "datapath/tunnel/gre.h"
#include "datapath/tunnel/tunnel.h"
#include "packet/ip.h"

LOG_MODULE(tunnel);

/* The packets come without Ethernet header and get one of zeros: the port's own MAC is that, too. */
static unsigned host_rx(struct dp_port *port, struct worker *w, struct packet *batch[BATCH])
{
    struct port_worker *pw = port->worker[worker_index(w)];
    unsigned n = 0;
    for (unsigned i = 0; i < BATCH; i++) {
        struct packet *p = packet_new(w);
        size_t room = p->size - packet_headroom(p) - ETH_HEADER;
        ssize_t len = recv(port->rx_fd, p->data + ETH_HEADER, room, MSG_DONTWAIT | MSG_TRUNC);
        p->port = (uint16_t)port->id;
        if (len < 0) {
            packet_free(w, p);
            return n;
        }
        p->len = (uint32_t)(ETH_HEADER + MIN((size_t)len, room));
        memset(p->data, 0, ETH_HEADER);
        poke16(p->data + 12, ETYPE_IPV4);
        if ((size_t)len > room) {
            stat_add(&pw->rx_errors, 1);
            packet_drop(w, p, DROP_MALFORMED);
            continue;
        }
        batch[n++] = p;
    }
    return n;
}

static bool host_open(struct dp_port *port, const struct dp_port_config *config, struct diag *d)
{
    (void)config;
    port->rx_fd = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IP_PROTO_GRE);
    port->flags = DP_PORT_UP | DP_PORT_RUNNING | DP_PORT_PRESENT;
    return port->rx_fd >= 0 || diag_fail(d, 0, 0, "raw socket: %s", strerror(errno));
}

static void host_close(struct dp_port *port)
{
    if (port->rx_fd >= 0)
        close(port->rx_fd);
    port->rx_fd = -1;
}

const struct port_class port_host_class = {.type = "host", .open = host_open, .close = host_close, .rx = host_rx};

/* Interfaces with underlay ports are left out: their packets have been taken before the stack. */
void host_listen(struct tunnels *t)
{
    enum { MAX_LEFT_OUT = 1000 };
    struct sock_filter *f = xcalloc(2 * MAX_LEFT_OUT + 2, sizeof *f);
    unsigned n = 0;
    f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_IFINDEX));
    for (const struct underlay *u = t->underlays; u && n < 2 * MAX_LEFT_OUT; u = u->next) {
        f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, u->ifindex, 0, 1);
        f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
    }
    f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
    const struct sock_fprog program = {.len = (unsigned short)n, .filter = f};
    if (t->host && setsockopt(t->host->rx_fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program))
        log_warn("raw socket: no filter: %s", strerror(errno));
    free(f);
}
