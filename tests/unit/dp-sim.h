/* dp-sim.h: a datapath with simulated ports and a little pipeline, for the tests of the datapath. */
#ifndef TESTS_UNIT_DP_SIM_H
#define TESTS_UNIT_DP_SIM_H 1

#include "base/clock.h"
#include "base/mem.h"
#include "datapath/private.h"
#include "datapath/worker.h"
#include "unit.h"

/* What a port sent. */
struct sent {
    unsigned n;
    uint64_t bytes;
    uint8_t last[2048];
    size_t last_len;
};

struct sim_switch {
    struct dp *dp;
    struct dp_bridge *bridge;
    struct dp_port *port[8];
    struct sent sent[8];
    unsigned n_ports;
    void (*walk)(struct sim_switch *, const struct flow_key *, struct dp_path *);
    unsigned walks;
    void *aux;
    /* The last punt. */
    unsigned n_punts;
    uint32_t punt_kind;
    uint8_t punt_blob[64], punt_data[2048];
    size_t punt_blob_len, punt_len, punt_total;
};

static inline void sim_walk(void *aux, const struct flow_key *key, struct dp_path *path)
{
    struct sim_switch *s = aux;
    __atomic_add_fetch(&s->walks, 1, __ATOMIC_RELAXED);
    s->walk(s, key, path);
}

static inline void sim_punt(void *aux, uint32_t kind, const void *blob, size_t blob_len, const struct packet *p,
                            size_t total)
{
    struct sim_switch *s = aux;
    s->n_punts++;
    s->punt_kind = kind;
    memcpy(s->punt_blob, blob, s->punt_blob_len = MIN(blob_len, sizeof s->punt_blob));
    memcpy(s->punt_data, p->data, s->punt_len = MIN(p->len, sizeof s->punt_data));
    s->punt_total = total;
}

static inline void sim_sent(struct dp_port *port, const struct packet *p, void *aux)
{
    struct sent *to = aux;
    (void)port;
    to->n++;
    to->bytes += p->len;
    memcpy(to->last, p->data, to->last_len = MIN(p->len, sizeof to->last));
}

static inline struct dp_port *sim_add_port(struct sim_switch *s, const char *mtu)
{
    unsigned i = s->n_ports++;
    char name[16];
    struct dp_option option = {"mtu", mtu};
    struct diag d = DIAG_INIT;
    snprintf(name, sizeof name, "p%u", i);
    struct dp_port_config config = {.name = name, .type = "sim", .options = &option, .n_options = !!mtu};
    s->port[i] = dp_port_add(s->bridge, &config, i + 1, s, &d);
    ck_assert_msg(s->port[i] != NULL, "%s", d.failed ? buf_text(&d.message) : "");
    dp_sim_on_transmit(s->port[i], sim_sent, &s->sent[i]);
    return s->port[i];
}

static inline void sim_create(struct sim_switch *s, int workers, unsigned n_ports,
                              void (*walk)(struct sim_switch *, const struct flow_key *, struct dp_path *))
{
    static const struct dp_callbacks callbacks = {.walk = sim_walk, .punt = sim_punt};
    struct dp_config config = {.workers = workers, .no_netlink = true};
    *s = (struct sim_switch){.walk = walk};
    s->dp = dp_create(&config, &callbacks);
    s->bridge = dp_bridge_create(s->dp, "br0", s);
    for (unsigned i = 0; i < n_ports; i++)
        sim_add_port(s, NULL);
}

static inline void sim_destroy(struct sim_switch *s)
{
    for (unsigned i = 0; i < s->n_ports; i++)
        if (s->port[i])
            dp_port_del(s->port[i]);
    dp_bridge_destroy(s->bridge);
    dp_destroy(s->dp);
}

/* Until nothing is left to do (no threads). */
static inline void sim_run(struct sim_switch *s)
{
    for (unsigned i = 0; i < 16; i++)
        dp_run(s->dp);
}

static inline uint64_t sim_drops(struct sim_switch *s, enum drop_reason reason)
{
    struct dp_drop_row rows[N_DROPS];
    size_t n = dp_drops(s->dp, rows);
    for (size_t i = 0; i < n; i++)
        if (rows[i].reason == reason)
            return rows[i].packets;
    return 0;
}

/* A UDP packet of `len` bytes, checksums not filled; host order. */
static inline void udp_frame(uint8_t *f, size_t len, uint64_t dst, uint64_t src, uint32_t ip_src, uint32_t ip_dst,
                             uint16_t sport, uint16_t dport)
{
    memset(f, 0, len);
    for (int i = 0; i < 6; i++) {
        f[i] = dst >> (40 - 8 * i);
        f[6 + i] = src >> (40 - 8 * i);
    }
    be16 words[] = {htons(0x0800), htons(len - 14), htons(sport), htons(dport), htons(len - 34)};
    be32 addresses[] = {htonl(ip_src), htonl(ip_dst)};
    memcpy(f + 12, &words[0], 2);
    f[14] = 0x45;
    memcpy(f + 16, &words[1], 2);
    f[22] = 64;
    f[23] = 17;
    memcpy(f + 26, addresses, 8);
    memcpy(f + 34, &words[2], 6);
}

static inline void path_output(struct dp_path *path, const struct dp_port *port)
{
    dpact_append(&path->acts, DPACT_OUTPUT, sizeof(struct dpact_port), dp_port_id(port));
}

static inline void path_consult(struct dp_path *path, const struct flow_view *v) { path->consulted = v->consulted; }

#endif
