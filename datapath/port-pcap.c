/* port-pcap.c: packets from a capture file and into one.
 *
 * The file is read whole when the port is opened, so that packets then come as fast as from a fast device: each is
 * copied from memory, as a device would. Writers of several workers take a lock: this port is for looking, not for
 * speed. */
#include "config.h"
#include <errno.h>
#include <pcap/pcap.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/mem.h"
#include "datapath/worker.h"

enum { COPIED_AT_ONCE = 128 };

struct pcap_port {
    struct buf frames; /* uint32_t length, bytes, up to a multiple of 4; behind the last one padding */
    size_t end;        /* of the last one */
    size_t at;         /* the owner's: next to be received */
    bool loop;
    pcap_t *dead; /* for the writer */
    pcap_dumper_t *dumper;
    pthread_mutex_t lock; /* over dumper */
};

static bool not_empty(const char *value, struct diag *d)
{
    return *value || diag_fail(d, 0, 0, "the name of a file is missing");
}

static const struct option_row options[] = {
#define OPTION(type, ...) ROW_##type(__VA_ARGS__)
#define ROW_PCAP(name, fallback, check, doc) {name, fallback, check, doc},
#define ROW_SYSTEM(...)
#include "datapath/port-option.def"
#undef OPTION
#undef ROW_PCAP
#undef ROW_SYSTEM
};
#define OPTION(CONFIG, NAME) option_get(options, ARRAY_SIZE(options), CONFIG, NAME)

static bool pcap_validate(struct dp *dp, const struct dp_port_config *config, const struct dp_port *except, int *bad,
                          struct diag *d)
{
    (void)dp, (void)except;
    *bad = -1;
    return OPTION(config, "file") ||
                  OPTION(config, "write") ||
                         diag_fail(d, 0, 0,
                                   "a pcap port needs file=FILE to receive from, write=FILE to send to, or both");
}

static bool read_file(struct pcap_port *pp, const char *file, struct diag *d)
{
    char error[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *header;
    const uint8_t *data;
    int r;
    pcap_t *p = pcap_open_offline(file, error);
    if (!p)
        return diag_fail(d, 0, 0, "cannot read %s: %s", file, error);
    if (pcap_datalink(p) != DLT_EN10MB) {
        pcap_close(p);
        return diag_fail(d, 0, 0, "%s is not a capture of Ethernet frames", file);
    }
    while ((r = pcap_next_ex(p, &header, &data)) == 1) {
        uint32_t len = header->caplen;
        if (len > PACKET_MAX)
            continue;
        buf_put(&pp->frames, &len, sizeof len);
        buf_put(&pp->frames, data, len);
        buf_align(&pp->frames, 0, sizeof len);
    }
    if (r == PCAP_ERROR)
        diag_fail(d, 0, 0, "cannot read %s: %s", file, pcap_geterr(p));
    pcap_close(p);
    pp->end = pp->frames.len;
    static const uint8_t padding[COPIED_AT_ONCE];
    buf_put(&pp->frames, padding, sizeof padding);
    return r != PCAP_ERROR;
}

static bool pcap_port_open(struct dp_port *port, const struct dp_port_config *config, struct diag *d)
{
    struct pcap_port *pp = port_private(port);
    const char *file = OPTION(config, "file"), *to = OPTION(config, "write");
    pthread_mutex_init(&pp->lock, NULL);
    pp->loop = option_bool(OPTION(config, "loop"));
    if (file && !read_file(pp, file, d))
        return false;
    if (to) {
        pp->dead = pcap_open_dead(DLT_EN10MB, 262144);
        pp->dumper = pcap_dump_open(pp->dead, to);
        if (!pp->dumper)
            return diag_fail(d, 0, 0, "cannot write %s", pcap_geterr(pp->dead));
    }
    port->rx_fd = eventfd(pp->end > 0, EFD_NONBLOCK | EFD_CLOEXEC); /* readable while there are packets */
    port->flags = DP_PORT_UP | DP_PORT_RUNNING | DP_PORT_PRESENT;
    return true;
}

static void pcap_port_close(struct dp_port *port)
{
    struct pcap_port *pp = port_private(port);
    if (port->rx_fd >= 0)
        close(port->rx_fd);
    if (pp->dumper)
        pcap_dump_close(pp->dumper);
    if (pp->dead)
        pcap_close(pp->dead);
    buf_free(&pp->frames);
    pthread_mutex_destroy(&pp->lock);
}

/* Small ones without asking for their exact length: the file's end is padded, and a packet's buffer is larger. */
static inline void copy_frame(uint8_t *to, const uint8_t *from, uint32_t len)
{
    if (len <= COPIED_AT_ONCE / 2)
        memcpy(to, from, COPIED_AT_ONCE / 2);
    else if (len <= COPIED_AT_ONCE)
        memcpy(to, from, COPIED_AT_ONCE);
    else
        memcpy(to, from, len);
}

static unsigned pcap_rx(struct dp_port *port, struct worker *w, struct packet *batch[BATCH])
{
    struct pcap_port *pp = port_private(port);
    unsigned n = 0;
    while (n < BATCH && pp->at < pp->end) {
        uint32_t len;
        memcpy(&len, pp->frames.data + pp->at, sizeof len);
        struct packet *p = batch[n++] = packet_take(w);
        p->port = port->id;
        p->len = len;
        copy_frame(p->data, pp->frames.data + pp->at + sizeof len, len);
        pp->at += sizeof len + ROUND_UP(len, sizeof len);
        if (pp->at >= pp->end) {
            eventfd_t value;
            if (pp->loop)
                pp->at = 0;
            else
                eventfd_read(port->rx_fd, &value);
        }
    }
    return n;
}

static void pcap_tx(struct dp_port *port, struct worker *w, struct packet *batch[], unsigned n)
{
    struct pcap_port *pp = port_private(port);
    struct port_worker *pw = port->worker[w->index];
    int64_t now = clock_wall_msec();
    if (pp->dumper)
        pthread_mutex_lock(&pp->lock);
    for (unsigned i = 0; i < n; i++) {
        struct packet *p = batch[i];
        struct pcap_pkthdr header = {{now / 1000, now % 1000 * 1000}, p->len, p->len};
        if (pp->dumper)
            pcap_dump((u_char *)pp->dumper, &header, p->data);
        stat_add(&pw->tx_packets, 1);
        stat_add(&pw->tx_bytes, p->len);
        packet_free(w, p);
    }
    if (pp->dumper) {
        pcap_dump_flush(pp->dumper);
        pthread_mutex_unlock(&pp->lock);
    }
}

const struct port_class port_pcap_class = {
    .type = "pcap",
    .size = sizeof(struct pcap_port),
    .options = options,
    .n_options = ARRAY_SIZE(options),
    .offload = false, /* a capture shows what would be on the wire */
    .validate = pcap_validate,
    .open = pcap_port_open,
    .close = pcap_port_close,
    .rx = pcap_rx,
    .tx = pcap_tx,
};
