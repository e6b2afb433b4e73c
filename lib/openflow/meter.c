/* meter.c: meters on the wire. */
#include "openflow/meter.h"
#include "base/mem.h"

enum { BAND_LEN = 16, CONFIG_HEAD = 8, STATS_HEAD = 40, BAND_STATS_LEN = 16 };

void ofp_meter_free(struct ofp_meter *m)
{
    free(m->bands);
    m->bands = NULL;
    m->n_bands = 0;
}

bool ofp_meter_equal(const struct ofp_meter *a, const struct ofp_meter *b)
{
    if (a->id != b->id || a->flags != b->flags || a->n_bands != b->n_bands)
        return false;
    for (size_t i = 0; i < a->n_bands; i++) {
        const struct ofp_meter_band *x = &a->bands[i], *y = &b->bands[i];
        if (x->type != y->type || x->rate != y->rate || x->burst != y->burst || x->prec_level != y->prec_level)
            return false;
    }
    return true;
}

const char *meter_band_name(uint16_t type)
{
    switch (type) {
#define METER_BAND(id, number, name, doc) \
    case OFPMBT_##id: return name;
#include "openflow/meter.def"
#undef METER_BAND
    default: return NULL;
    }
}

/* --- bands --- */

static void put_bands(const struct ofp_meter *m, struct buf *out)
{
    for (size_t i = 0; i < m->n_bands; i++) {
        const struct ofp_meter_band *b = &m->bands[i];
        buf_u16(out, b->type);
        buf_u16(out, BAND_LEN);
        buf_u32(out, b->rate);
        buf_u32(out, b->burst);
        buf_u8(out, b->type == OFPMBT_DSCP_REMARK ? b->prec_level : 0);
        buf_zeros(out, 3);
    }
}

/* OpenFlow 1.3.5, 7.3.4.4: of each type a structure of its own, all of them 16 bytes. An experimenter's may be longer, but
 * no experimenter is known here. */
static void get_bands(struct rd *r, struct ofp_meter *m)
{
    m->bands = rd_left(r) ? xcalloc(rd_left(r) / BAND_LEN + 1, sizeof *m->bands) : NULL;
    while (rd_left(r)) {
        size_t left = rd_left(r);
        struct ofp_meter_band b = {.type = rd_u16(r)};
        uint16_t len = rd_u16(r);
        if (r->err || len < BAND_LEN || len % 8 || len > left) {
            rd_fail(r, OFPERR_BRC_BAD_LEN);
            return;
        }
        struct rd body = rd_sub(r, len - 4u);
        if (!meter_band_name(b.type)) {
            rd_fail(r, OFPERR_MMFC_BAD_BAND);
            return;
        }
        if (len != BAND_LEN) {
            rd_fail(r, OFPERR_BRC_BAD_LEN);
            return;
        }
        b.rate = rd_u32(&body);
        b.burst = rd_u32(&body);
        if (b.type == OFPMBT_DSCP_REMARK)
            b.prec_level = rd_u8(&body);
        m->bands[m->n_bands++] = b;
    }
}

/* --- METER_MOD --- */

void meter_mod_encode(const struct ofp_meter_mod *mm, uint8_t version, uint32_t xid, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, OFPMSG_METER_MOD, xid);
    buf_u16(out, mm->command);
    buf_u16(out, mm->meter.flags);
    buf_u32(out, mm->meter.id);
    if (mm->command != OFPMC_DELETE)
        put_bands(&mm->meter, out);
    ofp_msg_end(out, at);
}

/* Of a delete, flags and bands say nothing, so they are not looked at. */
enum ofp_error meter_mod_decode(uint8_t version UNUSED, struct rd body, struct ofp_meter_mod *mm)
{
    *mm = (struct ofp_meter_mod){.command = rd_u16(&body)};
    uint16_t flags = rd_u16(&body);
    mm->meter.id = rd_u32(&body);
    if (!body.err && mm->command > OFPMC_DELETE)
        return OFPERR_MMFC_BAD_COMMAND;
    if (mm->command == OFPMC_DELETE)
        return body.err;
    mm->meter.flags = flags;
    get_bands(&body, &mm->meter);
    return body.err;
}

/* --- METER_CONFIG, METER --- */

void meter_request_encode(enum ofp_msg_type type, uint32_t id, uint8_t version, uint32_t xid, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, type, xid);
    buf_u32(out, id);
    buf_zeros(out, 4);
    ofp_msg_end(out, at);
}

enum ofp_error meter_request_decode(uint8_t version UNUSED, struct rd body, uint32_t *id)
{
    *id = rd_u32(&body);
    rd_skip(&body, 4);
    return body.err;
}

void meter_config_encode(const struct ofp_meter *m, uint8_t version UNUSED, struct buf *out)
{
    buf_u16(out, (uint16_t)(CONFIG_HEAD + m->n_bands * BAND_LEN));
    buf_u16(out, m->flags);
    buf_u32(out, m->id);
    put_bands(m, out);
}

enum ofp_error meter_config_decode(uint8_t version UNUSED, struct rd *r, struct ofp_meter *m)
{
    uint16_t len = rd_u16(r);
    *m = (struct ofp_meter){.flags = rd_u16(r)};
    m->id = rd_u32(r);
    if (len < CONFIG_HEAD)
        rd_fail(r, OFPERR_BRC_BAD_LEN);
    struct rd bands = rd_sub(r, len - (size_t)CONFIG_HEAD);
    if (r->err)
        return r->err;
    get_bands(&bands, m);
    if (bands.err)
        rd_fail(r, bands.err);
    return r->err;
}

void meter_stats_encode(const struct ofp_meter_stats *s, uint8_t version UNUSED, struct buf *out)
{
    buf_u32(out, s->id);
    buf_u16(out, (uint16_t)(STATS_HEAD + s->n_bands * BAND_STATS_LEN));
    buf_zeros(out, 6);
    buf_u32(out, s->flow_count);
    buf_u64(out, s->packets);
    buf_u64(out, s->bytes);
    buf_u32(out, s->duration_sec);
    buf_u32(out, s->duration_nsec);
    for (size_t i = 0; i < s->n_bands; i++) {
        buf_u64(out, s->bands[i].packets);
        buf_u64(out, s->bands[i].bytes);
    }
}

enum ofp_error meter_stats_decode(uint8_t version UNUSED, struct rd *r, struct ofp_meter_stats *s)
{
    *s = (struct ofp_meter_stats){.id = rd_u32(r)};
    uint16_t len = rd_u16(r);
    rd_skip(r, 6);
    s->flow_count = rd_u32(r);
    s->packets = rd_u64(r);
    s->bytes = rd_u64(r);
    s->duration_sec = rd_u32(r);
    s->duration_nsec = rd_u32(r);
    if (len < STATS_HEAD || (len - STATS_HEAD) % BAND_STATS_LEN)
        rd_fail(r, OFPERR_BRC_BAD_LEN);
    struct rd bands = rd_sub(r, len - (size_t)STATS_HEAD);
    if (r->err)
        return r->err;
    s->n_bands = rd_left(&bands) / BAND_STATS_LEN;
    s->bands = s->n_bands ? xcalloc(s->n_bands, sizeof *s->bands) : NULL;
    for (size_t i = 0; i < s->n_bands; i++) {
        s->bands[i].packets = rd_u64(&bands);
        s->bands[i].bytes = rd_u64(&bands);
    }
    return r->err;
}

void meter_stats_free(struct ofp_meter_stats *s)
{
    free(s->bands);
    s->bands = NULL;
    s->n_bands = 0;
}

/* --- METER_FEATURES --- */

void meter_features_encode(const struct ofp_meter_features *f, uint8_t version, uint32_t xid, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, OFPMSG_METER_FEATURES_REPLY, xid);
    buf_u32(out, f->max_meters);
    buf_u32(out, f->band_types);
    buf_u32(out, f->capabilities);
    buf_u8(out, f->max_bands);
    buf_u8(out, f->max_color);
    buf_zeros(out, 2);
    ofp_msg_end(out, at);
}

enum ofp_error meter_features_decode(uint8_t version UNUSED, struct rd body, struct ofp_meter_features *f)
{
    f->max_meters = rd_u32(&body);
    f->band_types = rd_u32(&body);
    f->capabilities = rd_u32(&body);
    f->max_bands = rd_u8(&body);
    f->max_color = rd_u8(&body);
    rd_skip(&body, 2);
    return body.err;
}
