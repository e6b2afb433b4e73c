#include "packet/gro.h"
#include "packet/csum.h"
#include "packet/ip.h"

/* RFC 9293, 3.1. */
enum {
    TCP_SEQ = 4,
    TCP_ACK_AT = 8,
    TCP_OFFSET = 12,
    TCP_FLAGS_AT = 13,
    TCP_WINDOW = 14,
    TCP_CSUM = 16,
    TCP_URGENT = 18
};
enum { TCP_FIN = 1, TCP_PSH = 8, TCP_ACK = 0x10, TCP_ECE = 0x40, TCP_ENDS = TCP_FIN | TCP_PSH };
enum { IP_DF = 0x4000 };
enum { MAX_STREAMS = 16, L3_MAX = 65535 };

/* A segment, and what has been merged into it. */
struct stream {
    struct packet *p;
    uint32_t l3, l4, payload; /* from p->data on: where they start */
    uint32_t size;            /* payload of each segment but the last */
    uint32_t hash, n;
    bool checked; /* its checksums are right */
};

struct gro {
    struct stream open[MAX_STREAMS]; /* the oldest first */
    unsigned n;
};

enum kind { OTHER, ODD, SEGMENT };

/* ODD: it may belong to a connection, and what comes behind it must stay there. */
static enum kind look_ip(const uint8_t *ip, uint32_t len, uint16_t type, uint32_t *header)
{
    if (type == ETYPE_IPV4) {
        if (len < IPV4_HEADER || ip[9] != IPPROTO_TCP)
            return OTHER;
        *header = IPV4_HEADER;
        return ip[0] == 0x45 && peek16(ip + 2) == len && !(peek16(ip + 6) & ~IP_DF) ? SEGMENT : ODD;
    }
    if (type != ETYPE_IPV6 || len < IPV6_HEADER || ip[6] == IPPROTO_UDP || ip[6] == IPPROTO_ICMPV6)
        return OTHER;
    *header = IPV6_HEADER;
    return ip[0] >> 4 == 6 && ip[6] == IPPROTO_TCP && IPV6_HEADER + (uint32_t)peek16(ip + 4) == len ? SEGMENT : ODD;
}

static uint32_t hash_of(const uint8_t *ip, const uint8_t *l4, uint32_t header)
{
    uint32_t h = 0, w;
    for (const uint8_t *a = ip + (header == IPV4_HEADER ? 12 : 8); a < ip + header; a += sizeof w) {
        memcpy(&w, a, sizeof w);
        h = h * 31 + w;
    }
    memcpy(&w, l4, sizeof w);
    return h * 31 + w;
}

static enum kind look(struct packet *p, struct stream *s)
{
    if (p->len >= ETH_HEADER + IPV4_HEADER && peek16(p->data + 12) == ETYPE_IPV4 && p->data[23] != IPPROTO_TCP)
        return OTHER; /* as below, but sooner */
    struct l2_place l2 = l2_locate(p->data, p->len, TAGS_ALL);
    uint32_t header = 0;
    if (!l2.end)
        return OTHER;
    enum kind kind = look_ip(p->data + l2.end, p->len - l2.end, l2.type, &header);
    if (kind != SEGMENT)
        return kind;
    *s = (struct stream){.p = p, .l3 = l2.end, .l4 = l2.end + header, .n = 1};
    if (p->len - s->l4 < TCP_HEADER)
        return ODD;
    const uint8_t *l4 = p->data + s->l4;
    uint32_t tcp = (l4[TCP_OFFSET] >> 4) * 4u;
    if (tcp < TCP_HEADER || p->len - s->l4 < tcp)
        return ODD;
    s->payload = s->l4 + tcp;
    s->size = p->len - s->payload;
    s->hash = hash_of(p->data + s->l3, l4, header);
    return SEGMENT;
}

static bool is_v4(const struct stream *s) { return s->l4 - s->l3 == IPV4_HEADER; }

static uint16_t pseudo(const struct stream *s, uint32_t l4_len)
{
    const uint8_t *ip = s->p->data + s->l3;
    if (!is_v4(s))
        return csum_pseudo6(ip + 8, ip + 24, IPPROTO_TCP, l4_len);
    be32 address[2];
    memcpy(address, ip + 12, sizeof address);
    return csum_pseudo4(address[0], address[1], IPPROTO_TCP, (uint16_t)l4_len);
}

/* `payload`: the sum of the payload. */
static bool sums_right(const struct stream *s, uint16_t payload)
{
    const uint8_t *d = s->p->data;
    uint32_t sum = pseudo(s, s->p->len - s->l4) + (uint32_t)payload;
    return (!is_v4(s) || csum_fold64(csum_ip4(d + s->l3)) == 0xffff) &&
           (s->p->csum == CSUM_VALID || csum_add(d + s->l4, s->payload - s->l4, sum) == 0xffff);
}

static bool equal(const uint8_t *a, const uint8_t *b, uint32_t from, uint32_t to)
{
    return !memcmp(a + from, b + from, to - from);
}

static bool same_connection(const struct stream *a, const struct stream *b)
{
    const uint8_t *x = a->p->data + a->l3, *y = b->p->data + b->l3;
    return a->hash == b->hash && is_v4(a) == is_v4(b) &&
           (is_v4(a) ? equal(x, y, 12, IPV4_HEADER) : equal(x, y, 8, IPV6_HEADER)) &&
           !memcmp(a->p->data + a->l4, b->p->data + b->l4, 4);
}

static bool same_origin(const struct packet *a, const struct packet *b)
{
    return a->port == b->port && a->depth == b->depth && a->in_phy_port == b->in_phy_port &&
           !memcmp(&a->tun, &b->tun, sizeof a->tun);
}

static bool same_ip(const struct stream *head, const struct stream *s)
{
    const uint8_t *a = head->p->data + head->l3, *b = s->p->data + s->l3;
    if (!is_v4(head)) /* class and label, hop limit */
        return equal(a, b, 0, 4) && a[7] == b[7];
    return a[1] == b[1] && equal(a, b, 6, 9) && (uint16_t)(peek16(a + 4) + head->n) == peek16(b + 4);
}

static bool same_tcp(const struct stream *head, const struct stream *s)
{
    const uint8_t *a = head->p->data + head->l4, *b = s->p->data + s->l4;
    return peek32(a + TCP_SEQ) + (head->n * head->size) == peek32(b + TCP_SEQ) &&
           equal(a, b, TCP_ACK_AT, TCP_FLAGS_AT) && a[TCP_FLAGS_AT] == (b[TCP_FLAGS_AT] & ~TCP_ENDS) &&
           equal(a, b, TCP_WINDOW, TCP_CSUM) && equal(a, b, TCP_URGENT, head->payload - head->l4);
}

/* May others follow it? */
static bool can_begin(const struct stream *s)
{
    uint8_t flags = s->p->data[s->l4 + TCP_FLAGS_AT];
    return s->size && s->p->csum != CSUM_PARTIAL && !s->p->gso && (flags & ~TCP_ECE) == TCP_ACK;
}

static bool can_append(struct stream *head, const struct stream *s)
{
    const struct packet *h = head->p, *p = s->p;
    uint32_t room = h->size - packet_headroom(h) - h->len;
    return s->size && s->size <= head->size && s->size <= room && h->len - head->l3 + s->size <= L3_MAX && !p->gso &&
           p->csum != CSUM_PARTIAL && head->l3 == s->l3 && head->payload == s->payload && same_origin(h, p) &&
           !memcmp(h->data, p->data, head->l3) && same_ip(head, s) && same_tcp(head, s);
}

static bool append(struct stream *head, const struct stream *s)
{
    struct packet *h = head->p;
    if (!can_append(head, s))
        return false;
    if (!head->checked && !sums_right(head, csum_add(h->data + head->payload, head->size, 0)))
        return false;
    head->checked = true;
    if (!sums_right(s, csum_copy(h->data + h->len, s->p->data + s->payload, s->size, 0)))
        return false;
    h->len += s->size;
    h->data[head->l4 + TCP_FLAGS_AT] |= s->p->data[s->l4 + TCP_FLAGS_AT] & TCP_ENDS;
    head->n++;
    return true;
}

/* Lengths and checksums of what nothing more will be merged into. */
static void finish(const struct stream *s)
{
    struct packet *p = s->p;
    uint8_t *ip = p->data + s->l3;
    if (s->n == 1) {
        if (s->checked)
            p->csum = CSUM_VALID;
        return;
    }
    if (is_v4(s)) {
        poke16(ip + 2, (uint16_t)(p->len - s->l3));
        memset(ip + 10, 0, 2);
        be16 sum = csum_finish(csum_fold64(csum_ip4(ip)));
        memcpy(ip + 10, &sum, sizeof sum);
    } else {
        poke16(ip + 4, (uint16_t)(p->len - s->l4));
    }
    uint16_t started = pseudo(s, p->len - s->l4);
    memcpy(p->data + s->l4 + TCP_CSUM, &started, sizeof started);
    p->csum = CSUM_PARTIAL;
    p->csum_start = (uint16_t)s->l4;
    p->csum_offset = TCP_CSUM;
    p->gso = is_v4(s) ? GSO_TCPV4 : GSO_TCPV6;
    p->gso_size = (uint16_t)s->size;
    p->gso_ecn = false;
}

static void close_stream(struct gro *g, struct stream *s)
{
    finish(s);
    memmove(s, s + 1, (size_t)(&g->open[g->n--] - (s + 1)) * sizeof *s);
}

static void close_all(struct gro *g)
{
    while (g->n)
        close_stream(g, &g->open[g->n - 1]);
}

static void open_stream(struct gro *g, const struct stream *s)
{
    if (g->n == MAX_STREAMS)
        close_stream(g, &g->open[0]);
    g->open[g->n++] = *s;
}

/* True: its payload is in another one now. */
static bool merge(struct gro *g, const struct stream *s)
{
    for (unsigned i = 0; i < g->n; i++) {
        struct stream *head = &g->open[i];
        if (!same_connection(head, s))
            continue;
        bool merged = append(head, s), ends = s->p->data[s->l4 + TCP_FLAGS_AT] & TCP_ENDS;
        if (!merged || ends || s->size < head->size)
            close_stream(g, head);
        if (merged)
            return true;
        break;
    }
    if (can_begin(s))
        open_stream(g, s);
    return false;
}

unsigned gro_merge(struct packet *batch[], unsigned n, struct packet *gone[])
{
    struct gro g;
    struct stream s;
    unsigned left = 0, n_gone = 0;
    g.n = 0;
    for (unsigned i = 0; i < n; i++) {
        enum kind kind = look(batch[i], &s);
        if (kind == SEGMENT && merge(&g, &s)) {
            gone[n_gone++] = batch[i];
            continue;
        }
        if (kind == ODD)
            close_all(&g);
        batch[left++] = batch[i];
    }
    close_all(&g);
    return left;
}
