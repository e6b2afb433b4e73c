/* port-sim.c: ports for tests: frames come from main's dp_sim_receive() and go to a callback.
 *
 * The callback is called by whatever worker sends: with workers == 0 that is main itself. It takes
 * no offloads, so that what tests see is what would be on the wire. */
#include "config.h"
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/mem.h"
#include "datapath/private.h"

struct sim {
    pthread_mutex_t lock; /* over the queue; tests only */
    struct frame {
        struct frame *next;
        struct packet packet;
        uint8_t data[];
    } * first, **last;
    void (*transmit)(struct dp_port *, const struct packet *, void *aux);
    void *aux;
};

static bool is_number(const char *value, struct diag *d)
{
    return (*value && strspn(value, "0123456789") == strlen(value) && strlen(value) < 9) ||
           diag_fail(d, 0, strlen(value), "'%s' is not a number", value);
}

static const struct option_row options[] = {
    {"mtu", "0", is_number, "the longest IP packet that it takes; 0: any"},
};

static bool sim_open(struct dp_port *port, const struct dp_port_config *config, struct diag *d)
{
    struct sim *sim = port_private(port);
    (void)d;
    pthread_mutex_init(&sim->lock, NULL);
    sim->last = &sim->first;
    port->mtu = atoi(option_get(options, ARRAY_SIZE(options), config, "mtu"));
    port->rx_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    port->flags = DP_PORT_UP | DP_PORT_RUNNING | DP_PORT_PRESENT;
    memcpy(port->mac, config->mac, 6);
    return true;
}

static void sim_close(struct dp_port *port)
{
    struct sim *sim = port_private(port);
    for (struct frame *f = sim->first, *next; f; f = next) {
        next = f->next;
        free(f);
    }
    if (port->rx_fd >= 0)
        close(port->rx_fd);
    pthread_mutex_destroy(&sim->lock);
}

static bool sim_set_up(struct dp_port *port, bool up)
{
    store_relaxed(&port->flags, up ? port->flags | DP_PORT_UP : port->flags & ~DP_PORT_UP);
    return true;
}

static unsigned sim_rx(struct dp_port *port, struct worker *w, struct packet *batch[BATCH])
{
    struct sim *sim = port_private(port);
    unsigned n = 0;
    eventfd_t value;
    pthread_mutex_lock(&sim->lock);
    while (sim->first && n < BATCH) {
        struct frame *f = sim->first;
        sim->first = f->next;
        batch[n] = packet_copy(w, &f->packet);
        batch[n++]->port = port->id;
        free(f);
    }
    if (!sim->first) {
        sim->last = &sim->first;
        eventfd_read(port->rx_fd, &value);
    }
    pthread_mutex_unlock(&sim->lock);
    return n;
}

static void sim_tx(struct dp_port *port, struct worker *w, struct packet *batch[], unsigned n)
{
    struct sim *sim = port_private(port);
    struct port_worker *pw = port->worker[worker_index(w)];
    for (unsigned i = 0; i < n; i++) {
        stat_add(&pw->tx_packets, 1);
        stat_add(&pw->tx_bytes, batch[i]->len);
        if (sim->transmit)
            sim->transmit(port, batch[i], sim->aux);
        packet_free(w, batch[i]);
    }
}

void port_sim_receive_packet(struct dp_port *port, const struct packet *p)
{
    struct sim *sim = port_private(port);
    assert(port->class == &port_sim_class && p->len <= PACKET_MAX);
    struct frame *f = xmalloc(sizeof *f + p->len);
    f->next = NULL;
    f->packet = *p;
    f->packet.data = f->packet.base = f->data;
    memcpy(f->data, p->data, p->len);
    pthread_mutex_lock(&sim->lock);
    *sim->last = f;
    sim->last = &f->next;
    eventfd_write(port->rx_fd, 1);
    pthread_mutex_unlock(&sim->lock);
}

void dp_sim_receive(struct dp_port *port, const void *frame, size_t len)
{
    struct packet p;
    packet_init(&p, (uint8_t *)frame, len, 0, len);
    port_sim_receive_packet(port, &p);
}

void dp_sim_on_transmit(struct dp_port *port, void (*fn)(struct dp_port *, const struct packet *, void *aux), void *aux)
{
    struct sim *sim = port_private(port);
    assert(port->class == &port_sim_class);
    sim->transmit = fn;
    sim->aux = aux;
}

const struct port_class port_sim_class = {
    .type = "sim",
    .size = sizeof(struct sim),
    .options = options,
    .n_options = ARRAY_SIZE(options),
    .offload = false,
    .open = sim_open,
    .close = sim_close,
    .set_up = sim_set_up,
    .rx = sim_rx,
    .tx = sim_tx,
};
