/* Text of the messages about ports and tables. */
#include <inttypes.h>
#include "openflow/msg-format.h"
#include "base/mem.h"
#include "openflow/text.h"

/* --- Ports --- */

const char *const port_reasons[N_PORT_REASONS] = {"add", "delete", "modify"};

void port_config_format(uint32_t bits, struct buf *out)
{
    static const struct bit_name names[] = {{OFPPC_PORT_DOWN, "PORT_DOWN"},
                                            {OFPPC_NO_RECV, "NO_RECV"},
                                            {OFPPC_NO_FWD, "NO_FWD"},
                                            {OFPPC_NO_PACKET_IN, "NO_PACKET_IN"}};
    bits_format(bits, names, ARRAY_SIZE(names), out);
}

void port_state_format(uint32_t bits, struct buf *out)
{
    static const struct bit_name names[] = {
        {OFPPS_LINK_DOWN, "LINK_DOWN"}, {OFPPS_BLOCKED, "BLOCKED"}, {OFPPS_LIVE, "LIVE"}};
    bits_format(bits, names, ARRAY_SIZE(names), out);
}

void port_features_format(uint32_t bits, struct buf *out)
{
    static const struct bit_name names[] = {
        {OFPPF_10MB_HD, "10MB-HD"},   {OFPPF_10MB_FD, "10MB-FD"},
        {OFPPF_100MB_HD, "100MB-HD"}, {OFPPF_100MB_FD, "100MB-FD"},
        {OFPPF_1GB_HD, "1GB-HD"},     {OFPPF_1GB_FD, "1GB-FD"},
        {OFPPF_10GB_FD, "10GB-FD"},   {OFPPF_40GB_FD, "40GB-FD"},
        {OFPPF_100GB_FD, "100GB-FD"}, {OFPPF_1TB_FD, "1TB-FD"},
        {OFPPF_OTHER, "OTHER"},       {OFPPF_COPPER, "COPPER"},
        {OFPPF_FIBER, "FIBER"},       {OFPPF_AUTONEG, "AUTO_NEG"},
        {OFPPF_PAUSE, "AUTO_PAUSE"},  {OFPPF_PAUSE_ASYM, "AUTO_PAUSE_ASYM"},
    };
    bits_format(bits, names, ARRAY_SIZE(names), out);
}

static void put_mac(const uint8_t mac[6], struct buf *out)
{
    buf_printf(out, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

void port_desc_format(const struct ofp_port_desc *d, struct buf *out)
{
    buf_puts(out, " ");
    text_put_port(d->port, NULL, out);
    buf_puts(out, "(");
    text_format(d->name, strlen(d->name), out);
    buf_puts(out, "): addr:");
    put_mac(d->mac, out);
    buf_puts(out, "\n     config:     ");
    port_config_format(d->config, out);
    buf_puts(out, "\n     state:      ");
    port_state_format(d->state, out);
    const struct {
        const char *title;
        uint32_t bits;
    } features[] = {{"current:    ", d->curr},
                    {"advertised: ", d->advertised},
                    {"supported:  ", d->supported},
                    {"peer:       ", d->peer}};
    for (size_t i = 0; i < ARRAY_SIZE(features); i++)
        if (features[i].bits) {
            buf_printf(out, "\n     %s", features[i].title);
            port_features_format(features[i].bits, out);
        }
    buf_printf(out, "\n     speed: %u Mbps now, %u Mbps max\n", d->curr_speed / 1000, d->max_speed / 1000);
}

FORMAT_FN(format_port_status)
{
    static const char *const words[N_PORT_REASONS] = {"ADD", "DEL", "MOD"};
    struct ofp_port_desc d;
    uint8_t reason;
    if (port_status_decode(h->version, body, &reason, &d)) {
        buf_puts(out, " unknown reason\n");
        return;
    }
    buf_printf(out, " %s:", words[reason]);
    port_desc_format(&d, out);
}

static int by_port(const void *a_, const void *b_)
{
    const struct ofp_port_desc *a = a_, *b = b_;
    return a->port < b->port ? -1 : a->port > b->port;
}

FORMAT_FN(format_port_desc_reply)
{
    enum { LEAST = 48 }; /* bytes that one takes, in 1.0 */
    size_t n = 0, most = rd_left(&body) / LEAST;
    struct ofp_port_desc *d = xcalloc(most + 1, sizeof *d);
    while (n < most && !port_desc_decode(h->version, &body, &d[n]))
        n++;
    qsort(d, n, sizeof *d, by_port);
    buf_puts(out, "\n");
    for (size_t i = 0; i < n; i++)
        port_desc_format(&d[i], out);
    free(d);
}

FORMAT_FN(format_port_mod)
{
    struct ofp_port_mod m;
    port_mod_decode(h->version, body, &m);
    buf_puts(out, " port: ");
    text_put_port(m.port, names, out);
    buf_puts(out, ": addr:");
    put_mac(m.mac, out);
    buf_puts(out, "\n     config: ");
    port_config_format(m.config, out);
    buf_puts(out, "\n     mask:   ");
    port_config_format(m.mask, out);
    buf_puts(out, "\n     advertise: ");
    if (m.advertise)
        port_features_format(m.advertise, out);
    else
        buf_puts(out, "UNCHANGED");
    buf_puts(out, "\n");
}

FORMAT_FN(format_port_stats_request)
{
    uint32_t port;
    port_stats_request_decode(h->version, body, &port);
    buf_puts(out, " port_no=");
    text_put_port(port, names, out);
    buf_puts(out, "\n");
}

static void put_count(const char *title, uint64_t n, struct buf *out)
{
    if (n == UINT64_MAX)
        buf_printf(out, "%s=?", title);
    else
        buf_printf(out, "%s=%" PRIu64, title, n);
}

static void format_port_stats(const struct ofp_port_stats *s, const struct port_names *names, struct buf *out)
{
    buf_puts(out, s->port < 10 ? "  port  " : "  port ");
    text_put_port(s->port, names, out);
    put_count(": rx pkts", s->rx_packets, out);
    put_count(", bytes", s->rx_bytes, out);
    put_count(", drop", s->rx_dropped, out);
    put_count(", errs", s->rx_errors, out);
    put_count(", frame", s->rx_frame_err, out);
    put_count(", over", s->rx_over_err, out);
    put_count(", crc", s->rx_crc_err, out);
    put_count("\n           tx pkts", s->tx_packets, out);
    put_count(", bytes", s->tx_bytes, out);
    put_count(", drop", s->tx_dropped, out);
    put_count(", errs", s->tx_errors, out);
    put_count(", coll", s->collisions, out);
    buf_puts(out, "\n");
    if (s->duration_sec != UINT32_MAX) {
        buf_puts(out, "           duration=");
        duration_format(s->duration_sec, s->duration_nsec, out);
        buf_puts(out, "\n");
    }
}

FORMAT_FN(format_port_stats_reply)
{
    struct ofp_port_stats s;
    size_t n = 0;
    for (struct rd ahead = body; rd_left(&ahead) && !port_stats_decode(h->version, &ahead, &s);)
        n++;
    buf_printf(out, " %zu ports\n", n);
    while (rd_left(&body) && !port_stats_decode(h->version, &body, &s))
        format_port_stats(&s, names, out);
}

/* --- Tables --- */

FORMAT_FN(format_table_mod)
{
    uint8_t table;
    uint32_t config;
    table_mod_decode(h->version, body, &table, &config);
    if (table == OFPTT_ALL)
        buf_puts(out, " table_id: ALL_TABLES");
    else
        buf_printf(out, " table_id=%u", table);
    if (h->version >= OFP14)
        buf_printf(out, ", eviction=%s, vacancy=%s", config & OFPTC_EVICTION ? "on" : "off", config & OFPTC_VACANCY ? "on" : "off");
    buf_puts(out, "\n");
}

/* A run of tables that say the same as the one before it. */
static void format_ditto(uint8_t first, uint8_t last, struct buf *out)
{
    if (first == last)
        buf_printf(out, "\n  table %u: ditto\n", first);
    else
        buf_printf(out, "\n  tables %u...%u: ditto\n", first, last);
}

/* 1.0 tells more: names, room, and which fields may be left out, which for us are all. */
static void put_of10_table(const struct ofp_table_stats *s, const char *what, struct buf *out)
{
    buf_printf(out, "  table %u", s->table);
    if (s->name[0]) {
        buf_puts(out, " (\"");
        text_format(s->name, strlen(s->name), out);
        buf_puts(out, "\")");
    }
    buf_puts(out, what);
}

static void put_of10_features(const struct ofp_table_stats *s, const struct ofp_table_stats *before, struct buf *out)
{
    enum { ALL_WILDCARDS = (1 << 22) - 1 };
    buf_printf(out, "    active=%u, lookup=%" PRIu64 ", matched=%" PRIu64 "\n", s->active, s->lookups, s->matched);
    if (before && s->max_entries == before->max_entries && s->wildcards == before->wildcards) {
        buf_puts(out, "    (same features)\n\n");
        return;
    }
    buf_printf(out, "    max_entries=%u\n", s->max_entries);
    if ((s->wildcards & ALL_WILDCARDS) == ALL_WILDCARDS)
        buf_puts(out, "    matching:\n      exact match or wildcard: in_port eth_{src,dst,type} vlan_{vid,pcp} ip_{src,dst} "
                      "nw_{proto,tos} tcp_{src,dst}\n\n");
    else
        buf_printf(out, "    wildcards=0x%x\n\n", s->wildcards);
}

/* Nameless tables like the one before them, `n` of them up to number `last`. */
static void put_of10_ditto(unsigned n, unsigned last, struct buf *out)
{
    if (n == 1)
        buf_printf(out, "  table %u: ditto\n", last);
    else if (n)
        buf_printf(out, "  tables %u...%u: ditto\n", last - n + 1, last);
}

static void format_table_stats_of10(struct rd body, struct buf *out)
{
    struct ofp_table_stats s, before = {0};
    unsigned n_ditto = 0;
    bool any = false, ditto = false;
    buf_puts(out, "\n");
    for (; rd_left(&body) && !table_stats_decode(OFP10, &body, &s); any = true) {
        bool same = any && s.active == before.active && s.lookups == before.lookups && s.matched == before.matched &&
                    s.max_entries == before.max_entries && s.wildcards == before.wildcards;
        if (same && !s.name[0]) {
            n_ditto++;
            before = s;
            ditto = true;
            continue;
        }
        put_of10_ditto(n_ditto, before.table, out);
        n_ditto = 0;
        if (same) {
            put_of10_table(&s, ": ditto\n", out);
        } else {
            buf_puts(out, ditto ? "\n" : "");
            put_of10_table(&s, ":\n", out);
            put_of10_features(&s, any ? &before : NULL, out);
        }
        ditto = false; /* a blank line ends a run of nameless ones only */
        before = s;
    }
    put_of10_ditto(n_ditto, before.table, out);
}

FORMAT_FN(format_table_stats)
{
    if (h->version == OFP10) {
        format_table_stats_of10(body, out);
        return;
    }
    struct ofp_table_stats s, previous = {0};
    int ditto = -1, last = -1;
    buf_puts(out, "\n");
    while (rd_left(&body) && !table_stats_decode(h->version, &body, &s)) {
        bool same =
            last >= 0 && s.active == previous.active && s.lookups == previous.lookups && s.matched == previous.matched;
        if (same && ditto < 0)
            ditto = s.table;
        if (!same) {
            if (ditto >= 0)
                format_ditto(ditto, last, out);
            ditto = -1;
            buf_printf(out, "%s  table %u:\n    active=%u, lookup=%" PRIu64 ", matched=%" PRIu64 "\n",
                       last < 0 ? "" : "\n", s.table, s.active, s.lookups, s.matched);
        }
        previous = s;
        last = s.table;
    }
    if (ditto >= 0)
        format_ditto(ditto, last, out);
}

FORMAT_FN(format_table_desc)
{
    struct ofp_table_desc d;
    buf_puts(out, "\n");
    while (rd_left(&body) && !table_desc_decode(h->version, &body, &d))
        buf_printf(out, "  table %u:\n   eviction=%s eviction_flags=(default)\n   vacancy=%s\n\n", d.table, d.config & OFPTC_EVICTION ? "on" : "off",
                   d.config & OFPTC_VACANCY ? "on" : "off");
}
