/* Text of the messages about flows, and of packets that come or go by OpenFlow. */
#include <inttypes.h>
#include "openflow/msg-format.h"
#include "openflow/text.h"
#include "packet/parse.h"

void duration_format(uint32_t sec, uint32_t nsec, struct buf *out)
{
    buf_dec(out, sec);
    if (nsec) {
        char digits[9];
        unsigned n = nsec % 1000000 ? 9 : 3;
        for (unsigned i = 9; i-- > 0; nsec /= 10)
            digits[i] = '0' + nsec % 10;
        while (n > 3 && digits[n - 1] == '0')
            n--;
        buf_puts(out, ".");
        buf_put(out, digits, n);
    }
    buf_puts(out, "s");
}

/* "priority=5,arp" */
static void put_rule(uint16_t priority, const struct match *m, const struct port_names *names, struct buf *out)
{
    enum { DEFAULT_PRIORITY = 0x8000 };
    if (priority != DEFAULT_PRIORITY)
        buf_printf(out, "priority=%u,", priority);
    match_format(m, names, out);
    buf_chomp(out, ',');
}

static void put_blank(struct buf *out)
{
    if (out->len && out->data[out->len - 1] != ' ')
        buf_puts(out, " ");
}

/* --- Flow-mods --- */

void flow_flags_format(uint16_t flags, struct buf *out)
{
    static const struct bit_name names[] = {{OFPFF_SEND_FLOW_REM, "send_flow_rem"},
                                            {OFPFF_CHECK_OVERLAP, "check_overlap"},
                                            {OFPFF_RESET_COUNTS, "reset_counts"},
                                            {OFPFF_NO_PKT_COUNTS, "no_packet_counts"},
                                            {OFPFF_NO_BYT_COUNTS, "no_byte_counts"}};
    bits_format(flags, names, ARRAY_SIZE(names), out);
}

static void put_flow_mod(const struct flow_mod *m, const struct port_names *names, struct buf *out)
{
    static const char *const commands[] = {"ADD", "MOD", "MOD_STRICT", "DEL", "DEL_STRICT"};
    if (m->command < ARRAY_SIZE(commands))
        buf_printf(out, " %s ", commands[m->command]);
    else
        buf_printf(out, " command:%u ", m->command);
    if (m->table)
        buf_printf(out, "table:%u ", m->table);
    put_rule(m->priority, &m->match, names, out);
    put_blank(out);
    if (m->cookie || m->cookie_mask)
        buf_printf(out, "cookie:0x%" PRIx64, m->cookie);
    if (m->cookie_mask)
        buf_printf(out, "/0x%" PRIx64, m->cookie_mask);
    put_blank(out);
    if (m->idle_timeout)
        buf_printf(out, "idle:%u ", m->idle_timeout);
    if (m->hard_timeout)
        buf_printf(out, "hard:%u ", m->hard_timeout);
    if (m->importance)
        buf_printf(out, "importance:%u ", m->importance);
    if (m->buffer_id != OFP_NO_BUFFER)
        buf_printf(out, "buf:0x%x ", m->buffer_id);
    if (m->out_port != OFPP_ANY && m->out_port) {
        buf_puts(out, "out_port:");
        text_put_port(m->out_port, names, out);
        buf_puts(out, " ");
    }
    if (m->flags) {
        flow_flags_format(m->flags, out);
        buf_puts(out, " ");
    }
    buf_puts(out, "actions=");
    acts_format(m->acts.data, m->acts.len, names, out);
    buf_puts(out, "\n");
}

FORMAT_FN(format_flow_mod)
{
    struct flow_mod m;
    enum ofp_error e = flow_mod_decode(h->version, body, &m);
    if (e)
        buf_printf(out, " ***decode error: %s***\n", ofp_error_name(e));
    else
        put_flow_mod(&m, names, out);
    flow_mod_free(&m);
}

FORMAT_FN(format_nx_flow_mod)
{
    struct flow_mod m;
    enum ofp_error e = nx_flow_mod_decode(h->version, body, &m);
    if (e)
        buf_printf(out, " ***decode error: %s***\n", ofp_error_name(e));
    else
        put_flow_mod(&m, names, out);
    flow_mod_free(&m);
}

static void put_flow_removed(const struct flow_removed *removed, const struct port_names *names, struct buf *out)
{
    const struct flow_removed r = *removed;
    buf_puts(out, " ");
    put_rule(r.priority, &r.match, names, out);
    put_blank(out);
    buf_printf(out, "reason=%s", flow_removed_reason_name(r.reason));
    if (r.table != OFPTT_ALL)
        buf_printf(out, " table_id=%u", r.table);
    if (r.cookie)
        buf_printf(out, " cookie:0x%" PRIx64, r.cookie);
    buf_puts(out, " duration");
    duration_format(r.duration_sec, r.duration_nsec, out);
    buf_printf(out, " idle%u", r.idle_timeout);
    if (r.hard_timeout)
        buf_printf(out, " hard%u", r.hard_timeout);
    buf_printf(out, " pkts%" PRIu64 " bytes%" PRIu64 "\n", r.packets, r.bytes);
}

FORMAT_FN(format_flow_removed)
{
    struct flow_removed r;
    enum ofp_error e = flow_removed_decode(h->version, body, &r);
    if (e)
        buf_printf(out, " ***decode error: %s***\n", ofp_error_name(e));
    else
        put_flow_removed(&r, names, out);
}

FORMAT_FN(format_nx_flow_removed)
{
    struct flow_removed r;
    enum ofp_error e = nx_flow_removed_decode(h->version, body, &r);
    if (e)
        buf_printf(out, " ***decode error: %s***\n", ofp_error_name(e));
    else
        put_flow_removed(&r, names, out);
}

/* --- Statistics --- */

static void put_flow_stats_request(enum ofp_error e, const struct flow_stats_request *r, const struct port_names *names,
                                   struct buf *out)
{
    if (e) {
        buf_printf(out, " ***decode error: %s***\n", ofp_error_name(e));
        return;
    }
    if (r->table != OFPTT_ALL)
        buf_printf(out, " table=%u", r->table);
    if (r->out_port != OFPP_ANY) {
        buf_puts(out, " out_port=");
        text_put_port(r->out_port, names, out);
    }
    buf_puts(out, " ");
    match_format(&r->match, names, out);
    buf_chomp(out, ' ');
    buf_puts(out, "\n");
}

FORMAT_FN(format_flow_stats_request)
{
    struct flow_stats_request r;
    enum ofp_error e = flow_stats_request_decode(h->version, body, &r);
    put_flow_stats_request(e, &r, names, out);
}

FORMAT_FN(format_nx_flow_stats_request)
{
    struct flow_stats_request r;
    enum ofp_error e = nx_flow_stats_request_decode(h->version, body, &r);
    put_flow_stats_request(e, &r, names, out);
}

static void put_flow_stats(uint8_t version, bool nx, struct rd body, const struct port_names *names, struct buf *out)
{
    struct buf scratch = BUF_INIT;
    struct flow_stats s;
    buf_puts(out, "\n");
    while (rd_left(&body)) {
        enum ofp_error e = nx ? nx_flow_stats_decode(version, &body, &s, &scratch) : flow_stats_decode(version, &body, &s, &scratch);
        if (e) {
            buf_printf(out, " ***decode error: %s***\n", ofp_error_name(e));
            break;
        }
        buf_puts(out, " ");
        flow_stats_format(&s, names, true, out);
        buf_puts(out, "\n");
    }
    buf_free(&scratch);
}

FORMAT_FN(format_flow_stats_reply) { put_flow_stats(h->version, false, body, names, out); }
FORMAT_FN(format_nx_flow_stats_reply) { put_flow_stats(h->version, true, body, names, out); }

FORMAT_FN(format_aggregate_reply)
{
    struct aggregate_stats s;
    aggregate_stats_decode(h->version, body, &s);
    buf_printf(out, " packet_count=%" PRIu64 " byte_count=%" PRIu64 " flow_count=%u\n", s.packets, s.bytes, s.flows);
}

/* --- Packets --- */

static void put_mac(const char *name, const uint8_t m[6], struct buf *out)
{
    buf_printf(out, ",%s=%02x:%02x:%02x:%02x:%02x:%02x", name, m[0], m[1], m[2], m[3], m[4], m[5]);
}

static void put_field(const char *name, enum field_id f, const struct flow_key *key, struct buf *out)
{
    union field_value v;
    field_get(f, key, &v);
    buf_printf(out, ",%s=", name);
    field_format(f, &v, NULL, NULL, out);
}

static bool is_ip(const struct flow_key *k) { return k->eth.type == htons(0x0800) || k->eth.type == htons(0x86dd); }
static bool is_arp(const struct flow_key *k) { return k->eth.type == htons(0x0806) || k->eth.type == htons(0x8035); }

/* The protocol's word, or NULL if numbers must say it. */
static const char *protocol_word(const struct flow_key *k)
{
    bool v6 = k->eth.type == htons(0x86dd);
    if (is_ip(k))
        switch (k->ip.proto) {
        case IPPROTO_TCP:
            return v6 ? "tcp6" : "tcp";
        case IPPROTO_UDP:
            return v6 ? "udp6" : "udp";
        case IPPROTO_SCTP:
            return v6 ? "sctp6" : "sctp";
        case IPPROTO_ICMP:
            return v6 ? NULL : "icmp";
        case IPPROTO_ICMPV6:
            return v6 ? "icmp6" : NULL;
        }
    return NULL;
}

static const char *ethernet_word(const struct flow_key *k)
{
    switch (ntohs(k->eth.type)) {
    case 0x0800:
        return "ip";
    case 0x86dd:
        return "ipv6";
    case 0x0806:
        return "arp";
    case 0x8035:
        return "rarp";
    case 0x8847:
        return "mpls";
    case 0x8848:
        return "mplsm";
    }
    return NULL;
}

static void put_vlans(const struct flow_key *k, struct buf *out)
{
    const be16 tags[] = {k->eth.tci, k->eth.tci2};
    if (!tags[0]) {
        buf_puts(out, ",vlan_tci=0x0000");
        return;
    }
    for (int i = 0; i < 2; i++) {
        uint16_t tci = ntohs(tags[i]);
        char number[2] = {i && tags[1] ? '1' + i : '\0'};
        if (tags[i])
            buf_printf(out, ",dl_vlan%s=%u,dl_vlan_pcp%s=%u", number, tci & VLAN_VID_MASK, number,
                       tci >> VLAN_PCP_SHIFT);
        else
            buf_puts(out, ",vlan_tci1=0x0000");
    }
}

static void put_l4(const struct flow_key *k, struct buf *out)
{
    switch (k->ip.proto) {
    case IPPROTO_TCP:
    case IPPROTO_UDP:
    case IPPROTO_SCTP:
        buf_printf(out, ",tp_src=%u,tp_dst=%u", ntohs(k->l4.src), ntohs(k->l4.dst));
        if (k->ip.proto == IPPROTO_TCP)
            put_field("tcp_flags", FIELD_TCP_FLAGS, k, out);
        break;
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
        if (protocol_word(k))
            buf_printf(out, ",icmp_type=%u,icmp_code=%u", k->l4.icmp_type, k->l4.icmp_code);
        break;
    }
    if (k->ip.proto == IPPROTO_GRE && k->gre.proto)
        buf_printf(out, ",gre_key=0x%x", ntohl(k->gre.key));
}

static void put_ip(const struct flow_key *k, struct buf *out)
{
    if (k->eth.type == htons(0x0800)) {
        put_field("nw_src", FIELD_IPV4_SRC, k, out);
        put_field("nw_dst", FIELD_IPV4_DST, k, out);
    } else {
        put_field("ipv6_src", FIELD_IPV6_SRC, k, out);
        put_field("ipv6_dst", FIELD_IPV6_DST, k, out);
        buf_printf(out, ",ipv6_label=0x%05x", ntohl(k->ip.flabel) & 0xfffff);
    }
    if (!protocol_word(k))
        buf_printf(out, ",nw_proto=%u", k->ip.proto);
    buf_printf(out, ",nw_tos=%u,nw_ecn=%u,nw_ttl=%u,nw_frag=%s", k->ip.tos & 0xfc, k->ip.tos & 3, k->ip.ttl,
               k->ip.frag & FRAG_LATER ? "later"
               : k->ip.frag            ? "first"
                                       : "no");
    if (!(k->ip.frag & FRAG_LATER))
        put_l4(k, out);
}

static void put_mpls(const struct flow_key *k, struct buf *out)
{
    uint32_t lse = ntohl(k->mpls.lse);
    buf_printf(out, ",mpls_label=%u,mpls_tc=%u,mpls_ttl=%u,mpls_bos=%u", lse >> 12, lse >> 9 & 7, lse & 0xff,
               lse >> 8 & 1);
}

/* The transport's checksum, which no field holds. */
static void put_checksum(const struct packet *p, const struct flow_key *k, struct buf *out)
{
    static const struct {
        uint8_t proto, ofs;
        const char *name;
    } checksums[] = {{IPPROTO_TCP, 16, "tcp_csum"},
                     {IPPROTO_UDP, 6, "udp_csum"},
                     {IPPROTO_ICMP, 2, "icmp_csum"},
                     {IPPROTO_ICMPV6, 2, "icmp6_csum"}};
    if (!is_ip(k) || k->ip.frag & FRAG_LATER || !protocol_word(k) || p->l4 == 0xffff)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(checksums); i++)
        if (checksums[i].proto == k->ip.proto && (uint32_t)p->l4 + checksums[i].ofs + 2 <= p->len) {
            const uint8_t *c = p->data + p->l4 + checksums[i].ofs;
            buf_printf(out, " %s:%04x", checksums[i].name, c[0] << 8 | c[1]);
        }
}

void packet_format(const void *frame, size_t len, struct buf *out)
{
    if (len < 14) {
        buf_printf(out, "(%zu bytes, too short for Ethernet)", len);
        return;
    }
    struct flow_key k;
    struct packet p;
    /* key_parse() only reads the bytes. */
    packet_init(&p, (uint8_t *)frame, len, 0, len);
    key_parse(&p, 0, L_L4, &k);

    const char *protocol = protocol_word(&k), *ethernet = ethernet_word(&k);
    size_t start = out->len;
    buf_printf(out, ",%s", protocol ? protocol : ethernet ? ethernet : "");
    buf_chomp(out, ',');
    put_vlans(&k, out);
    put_mac("dl_src", k.eth.src, out);
    put_mac("dl_dst", k.eth.dst, out);
    if (!ethernet)
        buf_printf(out, ",dl_type=0x%04x", ntohs(k.eth.type));
    if (is_ip(&k))
        put_ip(&k, out);
    if (k.eth.type == htons(0x8847) || k.eth.type == htons(0x8848))
        put_mpls(&k, out);
    if (is_arp(&k)) {
        put_field("arp_spa", FIELD_ARP_SPA, &k, out);
        put_field("arp_tpa", FIELD_ARP_TPA, &k, out);
        buf_printf(out, ",arp_op=%u", ntohs(k.arp.op));
        put_mac("arp_sha", k.arp.sha, out);
        put_mac("arp_tha", k.arp.tha, out);
    }
    put_checksum(&p, &k, out);
    /* The comma before the first item. */
    memmove(out->data + start, out->data + start + 1, out->len - start - 1);
    out->len--;
    buf_text(out);
}

static void put_packet(const void *data, size_t len, int verbosity, struct buf *out)
{
    if (len) {
        packet_format(data, len, out);
        buf_puts(out, "\n");
    }
    if (verbosity >= 3)
        hex_dump(data, len, out);
}

static void put_packet_in(enum ofp_error e, const struct packet_in *p, const struct port_names *names, int verbosity,
                          struct buf *out)
{
    if (e) {
        buf_printf(out, " ***decode error: %s***\n", ofp_error_name(e));
        return;
    }
    if (p->table)
        buf_printf(out, " table_id=%u", p->table);
    if (p->cookie != UINT64_MAX)
        buf_printf(out, " cookie=0x%" PRIx64, p->cookie);
    buf_printf(out, " total_len=%u ", p->total_len);
    match_format(&p->match, names, out);
    buf_printf(out, " (via %s) data_len=%zu", packet_in_reason_name(p->reason), p->data_len);
    if (p->buffer_id != OFP_NO_BUFFER)
        buf_printf(out, " buffer=0x%08x%s\n", p->buffer_id,
                   p->total_len < p->data_len ? " (***total_len < data_len***)" : "");
    else
        buf_printf(out, " (unbuffered)%s\n", p->total_len != p->data_len ? " (***total_len != data_len***)" : "");
    for (size_t i = 0; i < p->userdata_len; i++)
        buf_printf(out, "%s%02x", i ? "." : " userdata=", ((const uint8_t *)p->userdata)[i]);
    buf_puts(out, p->userdata_len ? "\n" : "");
    put_packet(p->data, p->data_len, verbosity, out);
}

FORMAT_FN(format_packet_in)
{
    struct packet_in p = {0};
    enum ofp_error e = packet_in_decode(h->version, body, &p);
    p.userdata_len = 0;
    put_packet_in(e, &p, names, verbosity, out);
}

FORMAT_FN(format_nx_packet_in)
{
    struct packet_in p;
    enum ofp_error e = nx_packet_in_decode(h->version, body, &p);
    put_packet_in(e, &p, names, verbosity, out);
}

FORMAT_FN(format_nx_packet_in2)
{
    struct packet_in p;
    enum ofp_error e = nx_packet_in2_decode(h->version, body, &p);
    put_packet_in(e, &p, names, verbosity, out);
}

FORMAT_FN(format_packet_out)
{
    struct packet_out p;
    enum ofp_error e = packet_out_decode(h->version, body, &p);
    if (e) {
        buf_printf(out, " ***decode error: %s***\n", ofp_error_name(e));
    } else {
        buf_puts(out, " in_port=");
        text_put_port(p.in_port, names, out);
        buf_puts(out, " actions=");
        acts_format(p.acts.data, p.acts.len, names, out);
        if (p.buffer_id == OFP_NO_BUFFER) {
            buf_printf(out, " data_len=%zu\n", p.data_len);
            put_packet(p.data, p.data_len, verbosity, out);
        } else {
            buf_printf(out, " buffer=0x%08x\n", p.buffer_id);
        }
    }
    buf_free(&p.acts);
}
