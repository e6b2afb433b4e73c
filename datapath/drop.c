/* drop.c: every packet that goes nowhere is counted by its reason, and now and then one is shown to main, so that the
 * latest of each reason can be told in words. */
#include "config.h"
#include <stdio.h>
#include "datapath/worker.h"

enum { SAMPLE_BYTES = 128, SAMPLE_EVERY = 100 /* ms, per worker and reason */ };

const struct drop_info drop_infos[N_DROPS] = {
#define DROP(id, name, sentence, hint) {name, sentence, hint},
#include "datapath/drop.def"
#undef DROP
};

void drop_count(struct worker *w, const struct packet *p, enum drop_reason reason)
{
    stat_add(&w->drops[reason], 1);
    if (unlikely(w->now >= w->next_sample[reason])) {
        w->next_sample[reason] = w->now + SAMPLE_EVERY;
        punt_send(w, PUNT_SAMPLE, reason, NULL, NULL, 0, p, SAMPLE_BYTES);
    }
}

void packet_drop(struct worker *w, struct packet *p, enum drop_reason reason)
{
    drop_count(w, p, reason);
    packet_free(w, p);
}

static void put_mac(struct buf *b, const uint8_t *m)
{
    buf_printf(b, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

/* "in br0 port p1: 60 bytes, aa:… > bb:…, type 0x0800" */
static void describe(struct dp *dp, const struct punt *s, struct buf *b)
{
    const struct packet *p = &s->packet;
    const struct dp_port *port = p->port < DP_MAX_PORTS ? dp->ports[p->port] : NULL;
    if (port && *port->bridge->name)
        buf_printf(b, "%s, ", port->bridge->name);
    if (port)
        buf_printf(b, "from port %s, ", port->name);
    else
        buf_puts(b, "from the controller, ");
    buf_printf(b, "%zu bytes", s->total);
    if (p->len >= 14) {
        buf_puts(b, ", ");
        put_mac(b, p->data + 6);
        buf_puts(b, " > ");
        put_mac(b, p->data);
        buf_printf(b, ", type 0x%04x", p->data[12] << 8 | p->data[13]);
    }
    if (p->tun.src || p->tun.dst) {
        uint8_t from[4], to[4];
        memcpy(from, &p->tun.src, 4);
        memcpy(to, &p->tun.dst, 4);
        buf_printf(b, ", tunnel %u.%u.%u.%u > %u.%u.%u.%u, key %#llx", from[0], from[1], from[2], from[3], to[0], to[1],
                   to[2], to[3], (unsigned long long)be64toh(p->tun.id));
    }
}

void drops_sample(struct dp *dp, const struct punt *s)
{
    struct buf b = BUF_INIT;
    struct dp_drop_last *last = &dp->drop_last[s->kind];
    describe(dp, s, &b);
    tunnel_explain_drop(dp, s->kind, &s->packet, &b);
    snprintf(last->text, sizeof last->text, "%s", buf_text(&b));
    last->wall_msec = clock_wall_msec();
    buf_free(&b);
}

static uint64_t drops_sum(struct dp *dp, enum drop_reason reason)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < dp->n_workers; i++)
        sum += stat_read(&dp->workers[i]->drops[reason]);
    return sum;
}

size_t dp_drops(struct dp *dp, struct dp_drop_row rows[N_DROPS])
{
    size_t n = 0;
    for (unsigned reason = 0; reason < N_DROPS; reason++) {
        uint64_t packets = drops_sum(dp, reason) - dp->drops_base[reason];
        if (!packets)
            continue;
        size_t at = n++;
        for (; at > 0 && rows[at - 1].packets < packets; at--)
            rows[at] = rows[at - 1];
        rows[at] = (struct dp_drop_row){
            .reason = reason, .packets = packets, .last_wall_msec = dp->drop_last[reason].wall_msec};
        memcpy(rows[at].last, dp->drop_last[reason].text, sizeof rows[at].last);
    }
    return n;
}

void dp_drops_reset(struct dp *dp)
{
    for (unsigned reason = 0; reason < N_DROPS; reason++) {
        dp->drops_base[reason] = drops_sum(dp, reason);
        dp->drop_last[reason] = (struct dp_drop_last){0};
    }
}
