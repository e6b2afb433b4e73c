/* Bytes to text, without a switch: ofp-print, ofp-parse, ofp-parse-pcap, parse-actions, parse-instructions, parse-oxm. */
#include <stdio.h>
#include <stdlib.h>
#include "base/mem.h"
#include "ofctl/lines.h"
#include "ofctl/ofctl.h"
#include "ofctl/tcp-streams.h"
#include "openflow/match-codec.h"
#include "openflow/oxm-text.h"

/* --- Whole messages --- */

/* The number of bytes taken: whole messages from the front. */
static size_t print_messages(const uint8_t *p, size_t n)
{
    struct ofp_header h;
    size_t at = 0;
    while (ofp_header_peek(p + at, n - at, &h) && h.len <= n - at) {
        print_message(p + at, h.len, options.verbosity);
        at += h.len;
    }
    return at;
}

void cmd_ofp_print(struct conn *c UNUSED, int argc, char *argv[])
{
    int verbosity = argc > 1 ? atoi(argv[1]) : options.verbosity;
    if (!strcmp(argv[0], "-")) {
        struct line_reader r = LINE_READER(stdin, "<stdin>");
        for (char *line; (line = line_next(&r));) {
            struct buf bytes = BUF_INIT;
            line_hex(&r, line, &bytes);
            print_message(bytes.data, bytes.len, verbosity);
            buf_free(&bytes);
        }
        line_reader_end(&r);
        return;
    }
    struct buf bytes = BUF_INIT;
    if (!hex_parse(argv[0], &bytes) || !bytes.len)
        die("ofp-print: a message is written as hexadecimal digits, two for each byte");
    print_message(bytes.data, bytes.len, verbosity);
    buf_free(&bytes);
}

void cmd_ofp_parse(struct conn *c UNUSED, int argc UNUSED, char *argv[])
{
    struct buf all = BUF_INIT;
    read_bytes(argv[0], &all);
    size_t at = print_messages(all.data, all.len);
    if (at < all.len) {
        fflush(stdout);
        struct ofp_header h = {0};
        if (ofp_header_peek(all.data + at, all.len - at, &h))
            die("%s: the message at byte %zu is %u bytes long, and the file ends after %zu", argv[0], at, h.len, all.len - at);
        die("%s: at byte %zu there is no OpenFlow message", argv[0], at);
    }
    buf_free(&all);
}

/* One direction of a connection has more bytes: prints what is whole. */
static size_t print_stream(const struct tcp_stream *s, const uint8_t *p, size_t n)
{
    struct ofp_header h;
    size_t at = 0;
    while (ofp_header_peek(p + at, n - at, &h) && h.len <= n - at) {
        if (!options.json) {
            if (options.timestamp)
                print_timestamp(s->sec, s->usec);
            printf("%s.%u > %s.%u: ", s->src, s->src_port, s->dst, s->dst_port);
        }
        print_message(p + at, h.len, options.verbosity + 1);
        at += h.len;
    }
    return at;
}

void cmd_ofp_parse_pcap(struct conn *c UNUSED, int argc, char *argv[])
{
    enum { MOST = 64 };
    uint16_t ports[MOST] = {6633, 6653};
    size_t n = 2;
    for (int i = 1; i < argc; i++) {
        char *end;
        unsigned long port = strtoul(argv[i], &end, 10);
        if (!*argv[i] || *end || port > UINT16_MAX || i > MOST)
            die("ofp-parse-pcap: %s: a TCP port is wanted", argv[i]);
        ports[i - 1] = (uint16_t)port;
        n = (size_t)i;
    }
    tcp_streams_read(argv[0], ports, n, print_stream);
}

static void print_frame(const struct pcap_pkthdr *h, const uint8_t *frame, void *file UNUSED)
{
    struct buf text = BUF_INIT;
    packet_format(frame, h->caplen, &text);
    print_packet(h->caplen, buf_text(&text));
    buf_free(&text);
}

void cmd_parse_pcap(struct conn *c UNUSED, int argc, char *argv[])
{
    for (int i = 0; i < argc; i++)
        pcap_each(argv[i], print_frame, argv[i]);
}

/* --- Parts of messages, a line each --- */

/* {"what": "text"}, or {"error": "NAME"}; `bytes` besides, if there are any. */
static void print_part(const char *what, const char *text, enum ofp_error e, const struct buf *bytes)
{
    struct buf out = BUF_INIT;
    struct json j = {&out, true};
    json_open(&j, NULL, '{');
    json_string(&j, e ? "error" : what, e ? ofp_error_name(e) : text);
    if (!e && bytes)
        json_hex(&j, "bytes", bytes->data, bytes->len);
    json_close(&j, '}');
    puts(buf_text(&out));
    buf_free(&out);
}

static void parse_acts(int argc UNUSED, char *argv[], bool instructions)
{
    uint8_t version = parse_version(argv[0]);
    struct line_reader r = LINE_READER(stdin, "<stdin>");
    for (char *line; (line = line_next(&r));) {
        struct buf bytes = BUF_INIT, list = BUF_INIT, text = BUF_INIT;
        line_hex(&r, line, &bytes);
        struct rd rd = rd_init(bytes.data, bytes.len);
        enum ofp_error e = instructions ? acts_decode_instructions(version, rd, &list) : acts_decode_actions(version, rd, &list);
        if (!e)
            acts_format(list.data, list.len, NULL, &text);
        if (options.json) {
            print_part("actions", buf_text(&text), e, NULL);
        } else if (e) {
            printf("bad %s %s: %s\n\n", argv[0], instructions ? "instructions" : "actions", ofp_error_name(e));
        } else {
            printf("actions=%s\n\n", buf_text(&text));
        }
        buf_free(&bytes);
        buf_free(&list);
        buf_free(&text);
    }
    line_reader_end(&r);
}

void cmd_parse_actions(struct conn *c UNUSED, int argc, char *argv[]) { parse_acts(argc, argv, false); }
void cmd_parse_instructions(struct conn *c UNUSED, int argc, char *argv[]) { parse_acts(argc, argv, true); }

/* --- Matches: text to bytes, to a match, and all the way back --- */

static bool take_comment(const char *line)
{
    if (*line && *line != '#')
        return false;
    if (!options.json)
        puts(line);
    return true;
}

static enum ofp_error oxm_there_and_back(const struct buf *tlvs, uint8_t version, struct buf *text)
{
    struct buf wire = BUF_INIT;
    struct match m;
    buf_u16(&wire, 1); /* OFPMT_OXM */
    buf_u16(&wire, (uint16_t)(4 + tlvs->len));
    buf_put(&wire, tlvs->data, tlvs->len);
    buf_align(&wire, 0, 8);
    struct rd rd = rd_init(wire.data, wire.len);
    enum ofp_error e = match_decode(version, &rd, &m);
    buf_clear(&wire);
    if (!e) {
        match_encode(&m, version, &wire);
        struct rd out = rd_init(wire.data, wire.len);
        rd_u16(&out);
        oxm_text_format(wire.data + 4, rd_u16(&out) - 4u, text);
    }
    buf_free(&wire);
    return e;
}

/* Nicira's, in 1.0: a match besides a cookie. */
static enum ofp_error nxm_there_and_back(const struct buf *tlvs, uint8_t version UNUSED, struct buf *text)
{
    struct buf wire = BUF_INIT;
    struct match m;
    uint64_t cookie, cookie_mask;
    buf_put(&wire, tlvs->data, tlvs->len);
    buf_align(&wire, 0, 8);
    struct rd rd = rd_init(wire.data, wire.len);
    enum ofp_error e = nx_match_decode(&rd, tlvs->len, &m, &cookie, &cookie_mask);
    buf_clear(&wire);
    if (!e) {
        size_t len = nx_match_encode(&m, cookie, cookie_mask, &wire);
        oxm_text_format(wire.data, len, text);
    }
    buf_free(&wire);
    return e;
}

static void parse_matches(enum ofp_error (*there_and_back)(const struct buf *tlvs, uint8_t version, struct buf *text), uint8_t version)
{
    struct line_reader r = LINE_READER(stdin, "<stdin>");
    for (char *line; (line = line_next_raw(&r));) {
        if (take_comment(line))
            continue;
        struct buf tlvs = BUF_INIT, text = BUF_INIT;
        struct diag d = DIAG_INIT;
        line[strcspn(line, "#")] = '\0';
        if (!oxm_text_parse(line, &tlvs, &d)) {
            fflush(stdout);
            print_complaint(NULL, PROGRAM ": ", line, &d);
            exit(1);
        }
        enum ofp_error e = tlvs.len > UINT16_MAX - 16 ? OFPERR_BMC_BAD_LEN : there_and_back(&tlvs, version, &text);
        if (options.json)
            print_part("match", buf_text(&text), e, NULL);
        else if (e)
            printf("nx_pull_match() returned error %s\n", ofp_error_name(e)); /* scripts look for ovs-ofctl's words */
        else
            puts(buf_text(&text));
        buf_free(&tlvs);
        buf_free(&text);
    }
    line_reader_end(&r);
}

void cmd_parse_oxm(struct conn *c UNUSED, int argc UNUSED, char *argv[])
{
    parse_matches(oxm_there_and_back, parse_version(argv[0]));
}

void cmd_parse_nxm(struct conn *c UNUSED, int argc UNUSED, char *argv[] UNUSED) { parse_matches(nxm_there_and_back, OFP10); }

/* The 40 bytes of OpenFlow 1.0's match. */
void cmd_parse_ofp10_match(struct conn *c UNUSED, int argc UNUSED, char *argv[] UNUSED)
{
    enum { LEN = 40 };
    struct line_reader r = LINE_READER(stdin, "<stdin>");
    for (char *line; (line = line_next(&r));) {
        struct buf bytes = BUF_INIT, text = BUF_INIT;
        struct match m;
        line_hex(&r, line, &bytes);
        if (bytes.len != LEN)
            die("%s:%zu: a match of OpenFlow 1.0 has %d bytes, not %zu", r.name, r.number, LEN, bytes.len);
        struct rd rd = rd_init(bytes.data, bytes.len);
        enum ofp_error e = match_decode(OFP10, &rd, &m);
        if (!e)
            match_format(&m, NULL, &text);
        buf_clear(&bytes);
        if (!e) /* what we would send */
            match_encode(&m, OFP10, &bytes);
        if (options.json) {
            print_part("match", buf_text(&text), e, &bytes);
        } else {
            puts(e ? ofp_error_name(e) : buf_text(&text));
            for (size_t i = 0; i < bytes.len; i++)
                printf("%02x%s", bytes.data[i], i + 1 == bytes.len ? "\n\n" : "");
        }
        buf_free(&bytes);
        buf_free(&text);
    }
    line_reader_end(&r);
}
