/* What is made without a switch: errors, a HELLO, packets; and words cut as flows are cut. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/mem.h"
#include "ofctl/lines.h"
#include "ofctl/ofctl.h"
#include "openflow/text.h"
#include "packet/compose.h"

/* As hex_dump(), without characters. */
static void put_hex_lines(const struct buf *b, struct buf *out)
{
    for (size_t i = 0; i < b->len; i++) {
        if (i % 16 == 0)
            buf_printf(out, "%s%08zx ", i ? "\n" : "", i);
        buf_printf(out, "%s%02x", i % 16 == 8 ? "-" : " ", b->data[i]);
    }
    buf_puts(out, "\n");
}

static void print_bytes(const struct buf *b)
{
    struct buf text = BUF_INIT;
    if (options.json) {
        struct json j = {&text, true};
        json_open(&j, NULL, '{');
        json_hex(&j, "bytes", b->data, b->len);
        json_close(&j, '}');
        buf_puts(&text, "\n");
    } else {
        put_hex_lines(b, &text);
    }
    fputs(buf_text(&text), stdout);
    buf_free(&text);
}

/* --- Errors --- */

static enum ofp_error find_error(const char *name)
{
    const char *names[N_OFPERRS] = {NULL};
    for (enum ofp_error e = OFPERR_SHORT + 1; e < N_OFPERRS; e++) {
        names[e] = ofp_error_name(e);
        if (!strcmp(name, names[e]))
            return e;
    }
    const char *near = nearest_name(name, strlen(name), names, N_OFPERRS);
    die("no error '%s'%s%s%s", name, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

void cmd_print_error(struct conn *c UNUSED, int argc UNUSED, char *argv[])
{
    static const uint8_t versions[] = {OFP10, OFP13, OFP14};
    enum ofp_error e = find_error(argv[0]);
    struct buf out = BUF_INIT;
    struct json j = {&out, true};
    json_open(&j, NULL, '{');
    json_string(&j, "name", ofp_error_name(e));
    json_string(&j, "meaning", ofp_error_sentence(e));
    json_open(&j, "codes", '[');
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        uint16_t type, code;
        uint32_t experimenter;
        if (!ofp_error_codes(e, versions[i], &type, &code, &experimenter) ||
            ofp_error_from(versions[i], type, code, experimenter) != e)
            continue; /* the version has no such error */
        json_open(&j, NULL, '{');
        json_u64(&j, "version", versions[i]);
        json_u64(&j, "experimenter", experimenter);
        json_u64(&j, "type", type);
        json_u64(&j, "code", code);
        json_close(&j, '}');
        if (!options.json)
            printf("OpenFlow 1.%d: vendor %#x, type %u, code %u\n", versions[i] - 1, experimenter, type, code);
    }
    json_close(&j, ']');
    json_close(&j, '}');
    if (options.json)
        puts(buf_text(&out));
    else if (isatty(STDOUT_FILENO)) /* scripts get ovs-ofctl's lines alone */
        puts(ofp_error_sentence(e));
    buf_free(&out);
}

void cmd_encode_error_reply(struct conn *c UNUSED, int argc UNUSED, char *argv[])
{
    enum ofp_error e = find_error(argv[0]);
    struct buf request = BUF_INIT, out = BUF_INIT;
    struct ofp_header h;
    if (!hex_parse(argv[1], &request) || !ofp_header_peek(request.data, request.len, &h))
        die("encode-error-reply: the request is an OpenFlow message in hexadecimal, two digits for each byte");
    ofp_encode_error(&out, h.version, e, request.data, request.len);
    print_bytes(&out);
    buf_free(&request);
    buf_free(&out);
}

void cmd_encode_hello(struct conn *c UNUSED, int argc UNUSED, char *argv[])
{
    char *end;
    unsigned long versions = strtoul(argv[0], &end, 0);
    struct buf out = BUF_INIT, text = BUF_INIT;
    if (*end || !versions || versions > UINT32_MAX)
        die("encode-hello: %s: a set of versions is wanted, the bit 1 << 4 for OpenFlow 1.3: 0x10", argv[0]);
    hello_encode((uint32_t)versions, 1, &out);
    print_bytes(&out);
    if (!options.json) {
        ofp_msg_format(out.data, out.len, NULL, 1, &text);
        fputs(buf_text(&text), stdout);
    }
    buf_free(&out);
    buf_free(&text);
}

/* --- Words --- */

static void print_words(const char *s, struct json *j)
{
    struct diag d = DIAG_INIT;
    struct text t = {.s = s, .d = &d};
    struct item i;
    bool first = true;
    json_open(j, NULL, '[');
    for (size_t at = 0; text_next_item(&t, &at, strlen(s), &i); first = false) {
        char *key = xasprintf("%.*s", (int)i.key.len, s + i.key.at), *value = xasprintf("%.*s", (int)i.value.len, s + i.value.at);
        if (!options.json)
            printf("%s%s%s%s", first ? "" : ", ", key, i.delim ? "=" : "", i.delim ? value : "");
        json_open(j, NULL, '{');
        json_string(j, "key", key);
        if (i.delim)
            json_string(j, "value", value);
        json_close(j, '}');
        free(key);
        free(value);
    }
    json_close(j, ']');
    if (!options.json)
        puts("");
    if (d.failed) {
        print_complaint(NULL, PROGRAM ": ", s, &d);
        exit(1);
    }
}

void cmd_parse_key_value(struct conn *c UNUSED, int argc, char *argv[])
{
    struct buf out = BUF_INIT;
    struct json j = {&out, true};
    json_open(&j, NULL, '[');
    for (int i = 0; i < argc; i++)
        print_words(argv[i], &j);
    json_close(&j, ']');
    if (options.json)
        puts(buf_text(&out));
    buf_free(&out);
}

/* --- Packets --- */

void cmd_compose_packet(struct conn *c UNUSED, int argc, char *argv[])
{
    enum { DEFAULT_PAYLOAD = 64, MOST = 60000 };
    static uint8_t room[PACKET_HEADROOM + COMPOSE_ROOM + MOST];
    struct flow_mod m;
    struct packet p;
    struct buf payload = BUF_INIT;
    if (!parse_flow(NULL, PROGRAM ": ", argv[0], OFPFC_DELETE, &m))
        exit(1);
    if (argc > 1 && !hex_parse(argv[1], &payload))
        die("compose-packet: %s: the payload is written as hexadecimal digits, two for each byte", argv[1]);
    for (unsigned i = 0; argc < 2 && i < DEFAULT_PAYLOAD; i++)
        buf_u8(&payload, (uint8_t)i);
    if (payload.len > MOST)
        die("compose-packet: the payload has %zu bytes, more than %d", payload.len, MOST);
    packet_init(&p, room, sizeof room, PACKET_HEADROOM, 0);
    packet_compose_payload(&m.match.value, payload.data, payload.len, &p);
    print_bytes(&(struct buf){p.data, p.len, p.len});
    flow_mod_free(&m);
    buf_free(&payload);
}

void print_packet(size_t len, const char *text)
{
    struct buf out = BUF_INIT;
    struct json j = {&out, true};
    json_open(&j, NULL, '{');
    json_u64(&j, "bytes", len);
    json_string(&j, "packet", text);
    json_close(&j, '}');
    puts(options.json ? buf_text(&out) : text);
    buf_free(&out);
}

void cmd_parse_packet(struct conn *c UNUSED, int argc UNUSED, char *argv[] UNUSED)
{
    struct buf bytes = BUF_INIT, text = BUF_INIT;
    read_bytes("-", &bytes);
    if (bytes.len > PACKET_MAX)
        die("parse-packet: %zu bytes are no packet", bytes.len);
    packet_format(bytes.data, bytes.len, &text);
    print_packet(bytes.len, buf_text(&text));
    buf_free(&bytes);
    buf_free(&text);
}
