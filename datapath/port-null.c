/* port-null.c: a port that takes everything and gives nothing. */
#include "config.h"
#include "datapath/worker.h"

static bool null_open(struct dp_port *port, const struct dp_port_config *config, struct diag *d)
{
    (void)config, (void)d;
    port->flags = DP_PORT_UP | DP_PORT_RUNNING | DP_PORT_PRESENT;
    return true;
}

static void null_close(struct dp_port *port) { (void)port; }

static bool null_set_up(struct dp_port *port, bool up)
{
    store_relaxed(&port->flags, up ? port->flags | DP_PORT_UP : port->flags & ~DP_PORT_UP);
    return true;
}

static void null_tx(struct dp_port *port, struct worker *w, struct packet *batch[], unsigned n)
{
    struct port_worker *pw = port->worker[w->index];
    uint64_t bytes = 0;
    for (unsigned i = 0; i < n; i++) {
        bytes += batch[i]->len;
        packet_give(w, batch[i]);
    }
    stat_add(&pw->tx_packets, n);
    stat_add(&pw->tx_bytes, bytes);
}

const struct port_class port_null_class = {
    .type = "null",
    .offload = true,
    .open = null_open,
    .close = null_close,
    .set_up = null_set_up,
    .tx = null_tx,
};
