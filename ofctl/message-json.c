/* A message printed: as text, or as JSON: type, xid and text; packet-ins in more detail. */
#include <stdio.h>
#include <time.h>
#include "ofctl/ofctl.h"

static void json_packet_in(struct json *j, const struct ofp_header *h, struct rd body)
{
    struct packet_in p;
    struct buf text = BUF_INIT;
    if (packet_in_decode(h->version, body, &p))
        return;
    match_format(&p.match, NULL, &text);
    json_u64(j, "table", p.table);
    json_string(j, "reason", packet_in_reason_name(p.reason));
    json_u64(j, "total_len", p.total_len);
    json_string(j, "match", buf_text(&text));
    buf_clear(&text);
    packet_format(p.data, p.data_len, &text);
    json_string(j, "packet", buf_text(&text));
    json_hex(j, "data", p.data, p.data_len);
    buf_free(&text);
}

void message_json(const void *msg, size_t len, struct buf *out)
{
    struct buf text = BUF_INIT;
    struct json j = {out, true};
    struct ofp_header h = {0};
    enum ofp_msg_type type;
    struct rd body;
    ofp_msg_format(msg, len, NULL, options.verbosity, &text);
    buf_chomp(&text, '\n');
    json_open(&j, NULL, '{');
    ofp_header_peek(msg, len, &h);
    if (!ofp_msg_decode_type(msg, len, &h, &type, &body, NULL)) {
        json_string(&j, "type", ofp_msg_name(type));
        if (type == OFPMSG_PACKET_IN)
            json_packet_in(&j, &h, body);
    }
    json_u64(&j, "xid", h.xid);
    json_string(&j, "text", buf_text(&text));
    json_close(&j, '}');
    buf_free(&text);
}

void print_message(const void *msg, size_t len, int verbosity)
{
    struct buf text = BUF_INIT;
    if (options.json) {
        message_json(msg, len, &text);
    } else {
        ofp_msg_format(msg, len, NULL, verbosity, &text);
        buf_chomp(&text, '\n');
    }
    puts(buf_text(&text));
    buf_free(&text);
}

/* In UTC. */
void print_timestamp(int64_t sec, int64_t usec)
{
    time_t t = sec;
    struct tm tm;
    char text[32];
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", gmtime_r(&t, &tm));
    printf("%s.%03d: ", text, (int)(usec / 1000));
}
