/* Meters: add-meter, mod-meter, del-meters, dump-meters, meter-stats, meter-features. */
#include <stdio.h>
#include <stdlib.h>
#include "base/mem.h"
#include "ofctl/ofctl.h"
#include "openflow/meter.h"

/* --- Changes --- */

/* A message that has no answer unless it is refused, and a barrier, so that it is known. */
static void send_and_confirm(struct conn *c, const struct buf *message)
{
    struct buf barrier = BUF_INIT;
    struct ofp_header h, sent = {0};
    enum ofp_msg_type type;
    ofp_header_peek(message->data, message->len, &sent);
    uint32_t xid = conn_xid(c);
    ofp_simple_encode(OFPMSG_BARRIER_REQUEST, c->version, xid, &barrier);
    conn_send(c, message);
    conn_send(c, &barrier);
    buf_free(&barrier);
    for (;;) {
        const void *msg = conn_receive_or_die(c, &h);
        if (ofp_msg_decode_type(msg, h.len, &h, &type, NULL, NULL))
            continue;
        if (type == OFPMSG_ERROR && (h.xid == sent.xid || h.xid == xid)) {
            struct reply r = {0};
            buf_put(&r.error, msg, h.len);
            die_of_refusal(c, &r);
        }
        if (type == OFPMSG_BARRIER_REPLY && h.xid == xid)
            return;
    }
}

static void complain(struct conn *c, const char *text, struct diag *d)
{
    char *prefix = xasprintf(PROGRAM ": %s: ", c->target);
    print_complaint(c, prefix, text, d);
    free(prefix);
    exit(1);
}

static void send_mod(struct conn *c, struct ofp_meter_mod *mm)
{
    struct buf b = BUF_INIT;
    meter_mod_encode(mm, c->version, conn_xid(c), &b);
    send_and_confirm(c, &b);
    print_done("meters", 1, 0);
    ofp_meter_free(&mm->meter);
    buf_free(&b);
}

static void add_or_modify(struct conn *c, uint16_t command, const char *text)
{
    struct ofp_meter_mod mm = {.command = command};
    struct diag d = DIAG_INIT;
    if (!ofp_meter_parse(text, &mm.meter, &d))
        complain(c, text, &d);
    send_mod(c, &mm);
}

void cmd_add_meter(struct conn *c, int argc UNUSED, char *argv[]) { add_or_modify(c, OFPMC_ADD, argv[0]); }
void cmd_mod_meter(struct conn *c, int argc UNUSED, char *argv[]) { add_or_modify(c, OFPMC_MODIFY, argv[0]); }

void cmd_parse_meter(struct conn *c UNUSED, int argc UNUSED, char *argv[])
{
    struct ofp_meter_mod mm = {.command = OFPMC_ADD};
    struct diag d = DIAG_INIT;
    struct buf b = BUF_INIT;
    if (!ofp_meter_parse(argv[0], &mm.meter, &d)) {
        print_complaint(NULL, PROGRAM ": ", argv[0], &d);
        exit(1);
    }
    meter_mod_encode(&mm, MAX(options_version(), OFP13), 0, &b);
    print_message(b.data, b.len, options.verbosity);
    ofp_meter_free(&mm.meter);
    buf_free(&b);
}

static uint32_t parse_id(struct conn *c, int argc, char *argv[])
{
    struct diag d = DIAG_INIT;
    uint32_t id;
    if (!ofp_meter_parse_id(argc ? argv[0] : "", &id, &d))
        complain(c, argv[0], &d);
    return id;
}

void cmd_del_meters(struct conn *c, int argc, char *argv[])
{
    struct ofp_meter_mod mm = {.command = OFPMC_DELETE, .meter.id = parse_id(c, argc, argv)};
    send_mod(c, &mm);
}

/* --- What there is --- */

static void json_id(struct json *j, uint32_t id)
{
    struct buf b = BUF_INIT;
    if (id <= OFPM_MAX) {
        json_u64(j, "meter", id);
        return;
    }
    ofp_meter_id_format(id, '=', &b);
    json_string(j, "meter", buf_text(&b) + strlen("meter="));
    buf_free(&b);
}

static void json_flags(struct json *j, const char *key, uint32_t bits)
{
    json_open(j, key, '[');
#define METER_FLAG(id, bit, name, doc) \
    if (bits & bit)                    \
        json_string(j, NULL, name);
#include "openflow/meter.def"
#undef METER_FLAG
    json_close(j, ']');
}

static bool json_config(struct json *j, uint8_t version, struct rd *rd)
{
    struct ofp_meter m;
    bool ok = !meter_config_decode(version, rd, &m);
    if (ok) {
        json_open(j, NULL, '{');
        json_id(j, m.id);
        json_flags(j, "flags", m.flags);
        json_open(j, "bands", '[');
        for (size_t i = 0; i < m.n_bands; i++) {
            json_open(j, NULL, '{');
            json_string(j, "type", meter_band_name(m.bands[i].type));
            json_u64(j, "rate", m.bands[i].rate);
            json_u64(j, "burst_size", m.bands[i].burst);
            if (m.bands[i].type == OFPMBT_DSCP_REMARK)
                json_u64(j, "prec_level", m.bands[i].prec_level);
            json_close(j, '}');
        }
        json_close(j, ']');
        json_close(j, '}');
    }
    ofp_meter_free(&m);
    return ok;
}

static bool json_stats(struct json *j, uint8_t version, struct rd *rd)
{
    struct ofp_meter_stats s;
    char seconds[32];
    bool ok = !meter_stats_decode(version, rd, &s);
    if (ok) {
        json_open(j, NULL, '{');
        json_id(j, s.id);
        json_u64(j, "flow_count", s.flow_count);
        json_u64(j, "packet_in_count", s.packets);
        json_u64(j, "byte_in_count", s.bytes);
        snprintf(seconds, sizeof seconds, "%u.%03u", s.duration_sec, s.duration_nsec / 1000000);
        json_raw(j, "duration", seconds);
        json_open(j, "bands", '[');
        for (size_t i = 0; i < s.n_bands; i++) {
            json_open(j, NULL, '{');
            json_u64(j, "packet_count", s.bands[i].packets);
            json_u64(j, "byte_count", s.bands[i].bytes);
            json_close(j, '}');
        }
        json_close(j, ']');
        json_close(j, '}');
    }
    meter_stats_free(&s);
    return ok;
}

static void print_json(const struct reply *r, bool (*entry)(struct json *, uint8_t version, struct rd *))
{
    struct buf out = BUF_INIT;
    struct json j = {&out, true};
    struct rd rd = reply_rd(r);
    json_open(&j, NULL, '{');
    json_open(&j, "meters", '[');
    while (rd_left(&rd) && entry(&j, r->header.version, &rd))
        continue;
    json_close(&j, ']');
    json_close(&j, '}');
    puts(buf_text(&out));
    buf_free(&out);
}

static void dump(struct conn *c, int argc, char *argv[], enum ofp_msg_type request, enum ofp_msg_type expect,
                 bool (*entry)(struct json *, uint8_t version, struct rd *))
{
    struct buf b = BUF_INIT;
    struct reply r;
    meter_request_encode(request, parse_id(c, argc, argv), c->version, conn_xid(c), &b);
    conn_transact(c, &b, expect, &r);
    if (options.json)
        print_json(&r, entry);
    else
        reply_print(c, &r);
    reply_free(&r);
    buf_free(&b);
}

void cmd_dump_meters(struct conn *c, int argc, char *argv[])
{
    dump(c, argc, argv, OFPMSG_METER_CONFIG_REQUEST, OFPMSG_METER_CONFIG_REPLY, json_config);
}

void cmd_meter_stats(struct conn *c, int argc, char *argv[])
{
    dump(c, argc, argv, OFPMSG_METER_STATS_REQUEST, OFPMSG_METER_STATS_REPLY, json_stats);
}

static void features_json(const struct ofp_meter_features *f)
{
    struct buf out = BUF_INIT;
    struct json j = {&out, true};
    json_open(&j, NULL, '{');
    json_u64(&j, "max_meters", f->max_meters);
    json_u64(&j, "max_bands", f->max_bands);
    json_u64(&j, "max_color", f->max_color);
    json_open(&j, "band_types", '[');
#define METER_BAND(id, type, name, doc) \
    if (f->band_types >> type & 1)      \
        json_string(&j, NULL, name);
#include "openflow/meter.def"
#undef METER_BAND
    json_close(&j, ']');
    json_flags(&j, "capabilities", f->capabilities);
    json_close(&j, '}');
    puts(buf_text(&out));
    buf_free(&out);
}

void cmd_meter_features(struct conn *c, int argc UNUSED, char *argv[] UNUSED)
{
    struct reply r;
    struct ofp_meter_features f;
    conn_request(c, OFPMSG_METER_FEATURES_REQUEST, OFPMSG_METER_FEATURES_REPLY, &r);
    meter_features_decode(c->version, reply_rd(&r), &f);
    if (options.json)
        features_json(&f);
    else
        reply_print(c, &r);
    reply_free(&r);
}
