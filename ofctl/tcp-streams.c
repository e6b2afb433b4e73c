/* TCP connections out of a capture: segments in order, what is sent twice once, what was not captured is a gap, after which
 * the stream begins anew. */
#include <arpa/inet.h>
#include <stdlib.h>
#include "base/mem.h"
#include "ofctl/tcp-streams.h"
#include "packet/ip.h"

struct segment { /* that came before its turn */
    uint32_t seq;
    size_t n;
    struct segment *next;
    uint8_t bytes[];
};
struct stream {
    struct tcp_stream s;
    uint8_t key[36]; /* addresses and ports */
    bool begun;
    uint32_t next; /* sequence number that is expected */
    struct buf bytes;
    struct segment *ahead; /* by sequence number */
    size_t n_ahead;
    struct stream *after;
};

static struct stream *stream_find(struct stream **list, const uint8_t key[36])
{
    for (struct stream *s = *list; s; s = s->after)
        if (!memcmp(s->key, key, sizeof s->key))
            return s;
    struct stream *s = xzalloc(sizeof *s);
    memcpy(s->key, key, sizeof s->key);
    s->after = *list;
    *list = s;
    return s;
}

static void stream_forget(struct stream *s)
{
    for (struct segment *g = s->ahead, *next; g; g = next) {
        next = g->next;
        free(g);
    }
    s->ahead = NULL;
    s->n_ahead = 0;
    buf_free(&s->bytes);
}

static void keep_for_later(struct stream *s, uint32_t seq, const uint8_t *p, size_t n)
{
    struct segment **at = &s->ahead, *g = xmalloc(sizeof *g + n);
    while (*at && (int32_t)(seq - (*at)->seq) > 0)
        at = &(*at)->next;
    g->seq = seq;
    g->n = n;
    g->next = *at;
    memcpy(g->bytes, p, n);
    *at = g;
    s->n_ahead++;
}

/* Appends what is new of a segment. False: bytes before it are missing. */
static bool append(struct stream *s, uint32_t seq, const uint8_t *p, size_t n)
{
    int32_t known = (int32_t)(s->next - seq);
    if (known < 0)
        return false;
    if ((size_t)known < n) {
        buf_put(&s->bytes, p + known, n - (size_t)known);
        s->next = seq + (uint32_t)n;
    }
    return true;
}

static void take_segment(struct stream *s, uint32_t seq, bool syn, const uint8_t *p, size_t n)
{
    enum { MOST_AHEAD = 64 }; /* then what is missing was not captured */
    if (syn || !s->begun) {
        stream_forget(s);
        s->begun = true;
        s->next = seq + syn;
        seq += syn;
    }
    if (!append(s, seq, p, n))
        keep_for_later(s, seq, p, n);
    if (s->n_ahead > MOST_AHEAD) {
        s->next = s->ahead->seq;
        buf_clear(&s->bytes);
    }
    for (struct segment *g; (g = s->ahead) && append(s, g->seq, g->bytes, g->n);) {
        s->ahead = g->next;
        s->n_ahead--;
        free(g);
    }
}

/* --- Packets --- */

struct found {
    const uint8_t *src, *dst; /* addresses, of `size` bytes */
    size_t size;
    struct rd tcp;
};

/* The TCP segment of a frame; false if it is none. */
static bool find_tcp(struct rd r, bool ethernet, struct found *f)
{
    uint16_t type = ETYPE_IPV4;
    if (ethernet) {
        rd_skip(&r, 12);
        type = rd_u16(&r);
        while (type == ETYPE_VLAN || type == 0x88a8) {
            rd_skip(&r, 2);
            type = rd_u16(&r);
        }
    } else if (rd_left(&r) && *r.p >> 4 == 6) {
        type = ETYPE_IPV6;
    }
    const uint8_t *ip = r.p;
    if (type == ETYPE_IPV4) {
        unsigned header = rd_left(&r) ? (*ip & 15) * 4u : 0;
        if (!rd_take(&r, IPV4_HEADER) || header < IPV4_HEADER || ip[9] != IPPROTO_TCP || (ip[6] & 0x3f) || ip[7])
            return false;
        rd_skip(&r, header - IPV4_HEADER);
        unsigned total = (unsigned)ip[2] << 8 | ip[3];
        *f = (struct found){ip + 12, ip + 16, 4, rd_sub(&r, MIN(rd_left(&r), total < header ? 0 : total - header))};
    } else if (type == ETYPE_IPV6) {
        if (!rd_take(&r, IPV6_HEADER) || ip[6] != IPPROTO_TCP)
            return false;
        unsigned length = (unsigned)ip[4] << 8 | ip[5];
        *f = (struct found){ip + 8, ip + 24, 16, rd_sub(&r, MIN(rd_left(&r), length))};
    } else {
        return false;
    }
    return !r.err;
}

static bool one_of(uint16_t port, const uint16_t *ports, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (ports[i] == port)
            return true;
    return false;
}

static void name_ends(struct stream *s, const struct found *f, uint16_t src_port, uint16_t dst_port)
{
    int family = f->size == 4 ? AF_INET : AF_INET6;
    inet_ntop(family, f->src, s->s.src, sizeof s->s.src);
    inet_ntop(family, f->dst, s->s.dst, sizeof s->s.dst);
    s->s.src_port = src_port;
    s->s.dst_port = dst_port;
}

struct reading {
    const uint16_t *ports;
    size_t n_ports;
    size_t (*take)(const struct tcp_stream *, const uint8_t *bytes, size_t n);
    bool ethernet;
    struct stream *streams;
};

static void take_frame(const struct pcap_pkthdr *h, const uint8_t *data, void *reading)
{
    struct reading *r = reading;
    struct found f;
    uint8_t key[36] = {0};
    if (!find_tcp(rd_init(data, h->caplen), r->ethernet, &f))
        return;
    uint16_t src = rd_u16(&f.tcp), dst = rd_u16(&f.tcp);
    uint32_t seq = rd_u32(&f.tcp);
    rd_skip(&f.tcp, 4);
    uint16_t flags = rd_u16(&f.tcp);
    rd_skip(&f.tcp, 6);
    unsigned header = (flags >> 12) * 4u;
    rd_skip(&f.tcp, header < TCP_HEADER ? 0 : header - TCP_HEADER);
    if (f.tcp.err || !(one_of(src, r->ports, r->n_ports) || one_of(dst, r->ports, r->n_ports)))
        return;
    memcpy(key, f.src, f.size);
    memcpy(key + 16, f.dst, f.size);
    memcpy(key + 32, (uint16_t[]){src, dst}, 4);
    struct stream *s = stream_find(&r->streams, key);
    name_ends(s, &f, src, dst);
    s->s.sec = h->ts.tv_sec;
    s->s.usec = h->ts.tv_usec;
    take_segment(s, seq, flags & 2, f.tcp.p, rd_left(&f.tcp));
    size_t n = s->bytes.len ? r->take(&s->s, s->bytes.data, s->bytes.len) : 0;
    if (n) {
        memmove(s->bytes.data, s->bytes.data + n, s->bytes.len - n);
        s->bytes.len -= n;
    }
}

static void read_frames(pcap_t *pcap, const char *file, void (*each)(const struct pcap_pkthdr *, const uint8_t *, void *), void *aux)
{
    struct pcap_pkthdr *h;
    const u_char *data;
    int got;
    while ((got = pcap_next_ex(pcap, &h, &data)) == 1)
        each(h, data, aux);
    if (got == PCAP_ERROR)
        die("%s: %s", file, pcap_geterr(pcap));
    pcap_close(pcap);
}

static pcap_t *open_file(const char *file, bool *ethernet)
{
    char error[PCAP_ERRBUF_SIZE];
    pcap_t *pcap = pcap_open_offline(file, error);
    if (!pcap)
        die("%s", error);
    int link = pcap_datalink(pcap);
    *ethernet = link == DLT_EN10MB;
    if (!*ethernet && link != DLT_RAW)
        die("%s: frames are neither Ethernet nor IP, but %s", file, pcap_datalink_val_to_name(link));
    return pcap;
}

void pcap_each(const char *file, void (*each)(const struct pcap_pkthdr *, const uint8_t *frame, void *aux), void *aux)
{
    bool ethernet;
    pcap_t *pcap = open_file(file, &ethernet);
    if (!ethernet)
        die("%s: frames are not Ethernet", file);
    read_frames(pcap, file, each, aux);
}

void tcp_streams_read(const char *file, const uint16_t *ports, size_t n_ports,
                      size_t (*take)(const struct tcp_stream *, const uint8_t *bytes, size_t n))
{
    struct reading r = {.ports = ports, .n_ports = n_ports, .take = take};
    pcap_t *pcap = open_file(file, &r.ethernet);
    read_frames(pcap, file, take_frame, &r);
    for (struct stream *s = r.streams, *next; s; s = next) {
        next = s->after;
        stream_forget(s);
        free(s);
    }
}
