#include "openflow/monitor.h"
#include "openflow/act.h"

/* --- Requests --- */

static enum ofp_error decode_match(uint8_t version, struct rd *r, size_t len, struct match *m)
{
    if (version != OFP10)
        return match_decode(version, r, m);
    return r->err ? OFPERR_BRC_BAD_LEN : nx_match_decode(r, len, m, NULL, NULL);
}

enum ofp_error flow_monitor_decode(uint8_t version, struct rd *r, struct flow_monitor *m)
{
    uint16_t match_len = 0;
    *m = (struct flow_monitor){.out_group = OFPG_ANY};
    m->id = rd_u32(r);
    if (version >= OFP14) {
        m->out_port = rd_u32(r);
        m->out_group = rd_u32(r);
        m->flags = rd_u16(r);
        m->table = rd_u8(r);
        m->command = rd_u8(r);
    } else {
        m->flags = rd_u16(r);
        if (version == OFP10)
            m->out_port = ofp_port_decode(version, r);
        match_len = rd_u16(r);
        if (version != OFP10)
            m->out_port = rd_u32(r);
        m->table = rd_u8(r);
        for (int i = 0; i < (version == OFP10 ? 5 : 3); i++)
            if (rd_u8(r))
                return OFPERR_NXBRC_MUST_BE_ZERO;
    }
    enum ofp_error e = decode_match(version, r, match_len, &m->match);
    if (r->err || e)
        return r->err ? OFPERR_BRC_BAD_LEN : e;
    uint16_t known = version >= OFP14 ? 2 * OFPFMF_ONLY_OWN - 1 : 2 * OFPFMF_NO_ABBREV - 1;
    if (m->flags & ~known)
        return OFPERR_MOFC_BAD_FLAGS;
    return m->command > OFPFMC_DELETE ? OFPERR_MOFC_BAD_COMMAND : OFPERR_OK;
}

void flow_monitor_encode(const struct flow_monitor *m, uint8_t version, struct buf *out)
{
    buf_u32(out, m->id);
    if (version >= OFP14) {
        buf_u32(out, m->out_port);
        buf_u32(out, m->out_group);
        buf_u16(out, m->flags);
        buf_u8(out, m->table);
        buf_u8(out, m->command);
        match_encode(&m->match, version, out);
        return;
    }
    buf_u16(out, m->flags);
    if (version == OFP10)
        ofp_port_encode(m->out_port, version, out);
    size_t len = out->len;
    buf_u16(out, 0);
    if (version != OFP10)
        buf_u32(out, m->out_port);
    buf_u8(out, m->table);
    buf_zeros(out, version == OFP10 ? 5 : 3);
    size_t match = out->len;
    if (version == OFP10) {
        size_t n = nx_match_encode(&m->match, 0, 0, out);
        out->len = match + n;
        buf_set_u16(out, len, (uint16_t)n);
        buf_align(out, match, 8);
    } else {
        match_encode(&m->match, version, out);
        buf_set_u16(out, len, (uint16_t)(out->data[match + 2] << 8 | out->data[match + 3]));
    }
}

enum ofp_error flow_monitor_cancel_decode(uint8_t version UNUSED, struct rd body, uint32_t *id)
{
    *id = rd_u32(&body);
    return body.err;
}

/* --- Updates --- */

enum { NX_ADDED, NX_DELETED, NX_MODIFIED, NX_ABBREV };
static const uint8_t nx_events[N_OFPFMES] = {NX_ADDED, NX_ADDED, NX_DELETED, NX_MODIFIED, NX_ABBREV};

static uint16_t event_number(const struct flow_update *u, uint8_t version)
{
    return version >= OFP14 ? u->event : nx_events[u->event];
}

static void put_match(const struct flow_update *u, uint8_t version, size_t len, struct buf *out)
{
    size_t match = out->len;
    if (version == OFP10) {
        size_t n = nx_match_encode(&u->match, 0, 0, out);
        out->len = match + n;
        buf_set_u16(out, len, (uint16_t)n);
        buf_align(out, match, 8);
        return;
    }
    match_encode(&u->match, version, out);
    if (version < OFP14)
        buf_set_u16(out, len, (uint16_t)(out->data[match + 2] << 8 | out->data[match + 3]));
}

static void put_full(const struct flow_update *u, uint8_t version, struct buf *out)
{
    size_t len = 0;
    if (version >= OFP14) {
        buf_u8(out, u->table);
        buf_u8(out, u->reason);
        buf_u16(out, u->idle_timeout);
        buf_u16(out, u->hard_timeout);
        buf_u16(out, u->priority);
        buf_zeros(out, 4);
    } else {
        buf_u16(out, u->reason);
        buf_u16(out, u->priority);
        buf_u16(out, u->idle_timeout);
        buf_u16(out, u->hard_timeout);
        len = out->len;
        buf_u16(out, 0);
        buf_u8(out, u->table);
        buf_zeros(out, 1);
    }
    buf_u64(out, u->cookie);
    put_match(u, version, len, out);
    if (version == OFP10)
        acts_encode_actions(u->acts, u->acts_len, version, out);
    else
        acts_encode_instructions(u->acts, u->acts_len, version, out);
}

void flow_update_encode(const struct flow_update *u, struct ofp_parts *parts)
{
    struct buf *out = parts->out;
    size_t at = out->len;
    buf_u16(out, 0);
    buf_u16(out, event_number(u, parts->version));
    if (u->event < OFPFME_ABBREV)
        put_full(u, parts->version, out);
    else
        buf_u32(out, u->event == OFPFME_ABBREV ? u->xid : 0);
    if (out->len - at <= UINT16_MAX) /* else it is taken out again */
        buf_set_u16(out, at, (uint16_t)(out->len - at));
    ofp_parts_entry_end(parts);
}

static uint8_t event_from(uint8_t version, uint16_t number)
{
    static const uint8_t events[] = {OFPFME_ADDED, OFPFME_REMOVED, OFPFME_MODIFIED, OFPFME_ABBREV};
    if (version >= OFP14)
        return number < N_OFPFMES ? (uint8_t)number : N_OFPFMES;
    return number < ARRAY_SIZE(events) ? events[number] : N_OFPFMES;
}

static enum ofp_error decode_full(uint8_t version, struct rd *r, struct flow_update *u, struct buf *scratch)
{
    uint16_t match_len = 0;
    if (version >= OFP14) {
        u->table = rd_u8(r);
        u->reason = rd_u8(r);
        u->idle_timeout = rd_u16(r);
        u->hard_timeout = rd_u16(r);
        u->priority = rd_u16(r);
        rd_skip(r, 4);
    } else {
        u->reason = (uint8_t)rd_u16(r);
        u->priority = rd_u16(r);
        u->idle_timeout = rd_u16(r);
        u->hard_timeout = rd_u16(r);
        match_len = rd_u16(r);
        u->table = rd_u8(r);
        rd_skip(r, 1);
    }
    u->cookie = rd_u64(r);
    enum ofp_error e = decode_match(version, r, match_len, &u->match);
    if (e || r->err)
        return e ? e : OFPERR_BRC_BAD_LEN;
    size_t start = scratch->len;
    struct rd rest = rd_sub(r, rd_left(r));
    e = version == OFP10 ? acts_decode_actions(version, rest, scratch) : acts_decode_instructions(version, rest, scratch);
    u->acts = scratch->len > start ? scratch->data + start : NULL;
    u->acts_len = scratch->len - start;
    return e;
}

enum ofp_error flow_update_decode(uint8_t version, struct rd *r, struct flow_update *u, struct buf *scratch)
{
    memset(u, 0, sizeof *u);
    size_t left = rd_left(r);
    uint16_t len = rd_u16(r);
    if (len < 8 || len > left || len % 8)
        return OFPERR_BRC_BAD_LEN;
    struct rd entry = rd_sub(r, len - 2u);
    u->event = event_from(version, rd_u16(&entry));
    if (u->event == N_OFPFMES)
        return OFPERR_NXBRC_FM_BAD_EVENT;
    if (u->event < OFPFME_ABBREV)
        return decode_full(version, &entry, u, scratch);
    u->xid = rd_u32(&entry);
    return rd_left(&entry) ? OFPERR_BRC_BAD_LEN : OFPERR_OK;
}
