/* flow.c: FLOW_MOD, FLOW_REMOVED, and the multiparts FLOW and AGGREGATE on the wire (OpenFlow 1.3.5, 7.3.4.2, 7.3.5.2,
 * 7.3.5.3, 7.4.2). Their text is in flow-text.c. */
#include "openflow/flow.h"
#include "openflow/flow-of10.h"

/* Instructions of a message, bounded so that what was accepted can also be told in a statistics entry. */
static enum ofp_error decode_instructions(uint8_t version, struct rd *r, struct buf *list)
{
    enum { MOST = 65000 };
    if (r->err)
        return OFPERR_BRC_BAD_LEN;
    if (rd_left(r) > MOST)
        return OFPERR_BAC_TOO_MANY;
    return acts_decode_instructions(version, *r, list);
}

/* --- FLOW_MOD --- */

void flow_mod_free(struct flow_mod *fm) { buf_free(&fm->acts); }

static enum ofp_error check_flow_mod(const struct flow_mod *fm)
{
    enum {
        ALL_FLAGS =
            OFPFF_SEND_FLOW_REM | OFPFF_CHECK_OVERLAP | OFPFF_RESET_COUNTS | OFPFF_NO_PKT_COUNTS | OFPFF_NO_BYT_COUNTS
    };
    if (fm->command > OFPFC_DELETE_STRICT)
        return OFPERR_FMFC_BAD_COMMAND;
    if (fm->flags & ~ALL_FLAGS)
        return OFPERR_FMFC_BAD_FLAGS;
    /* 7.3.4.2: "The table_id field … OFPTT_ALL … for delete commands". */
    if (fm->table == OFPTT_ALL && fm->command < OFPFC_DELETE)
        return OFPERR_FMFC_BAD_TABLE_ID;
    return OFPERR_OK;
}

enum ofp_error flow_mod_decode(uint8_t version, struct rd body, struct flow_mod *fm)
{
    struct rd *r = &body;
    if (version == OFP10)
        return flow_mod_decode_of10(r, fm);
    *fm = FLOW_MOD_INIT;
    fm->cookie = rd_u64(r);
    fm->cookie_mask = rd_u64(r);
    fm->table = rd_u8(r);
    fm->command = rd_u8(r);
    fm->idle_timeout = rd_u16(r);
    fm->hard_timeout = rd_u16(r);
    fm->priority = rd_u16(r);
    fm->buffer_id = rd_u32(r);
    fm->out_port = rd_u32(r);
    fm->out_group = rd_u32(r);
    fm->flags = rd_u16(r);
    fm->importance = rd_u16(r);
    if (version < OFP14 || fm->command != OFPFC_ADD) /* padding, or of no meaning */
        fm->importance = 0;
    if (r->err)
        return OFPERR_BRC_BAD_LEN;
    enum ofp_error e = check_flow_mod(fm);
    if (e == OFPERR_OK)
        e = match_decode(version, r, &fm->match);
    if (e == OFPERR_OK)
        e = decode_instructions(version, r, &fm->acts);
    return e;
}

void flow_mod_encode(const struct flow_mod *fm, uint8_t version, uint32_t xid, struct buf *out)
{
    if (version == OFP10) {
        flow_mod_encode_of10(fm, xid, out);
        return;
    }
    size_t at = ofp_msg_begin(out, version, OFPMSG_FLOW_MOD, xid);
    buf_u64(out, fm->cookie);
    buf_u64(out, fm->cookie_mask);
    buf_u8(out, fm->table);
    buf_u8(out, fm->command);
    buf_u16(out, fm->idle_timeout);
    buf_u16(out, fm->hard_timeout);
    buf_u16(out, fm->priority);
    buf_u32(out, fm->buffer_id);
    buf_u32(out, fm->out_port);
    buf_u32(out, fm->out_group);
    buf_u16(out, fm->flags);
    buf_u16(out, version >= OFP14 ? fm->importance : 0);
    match_encode(&fm->match, version, out);
    acts_encode_instructions(fm->acts.data, fm->acts.len, version, out);
    ofp_msg_end(out, at);
}

/* --- FLOW and AGGREGATE requests --- */

enum ofp_error flow_stats_request_decode(uint8_t version, struct rd body, struct flow_stats_request *q)
{
    struct rd *r = &body;
    if (version == OFP10)
        return flow_stats_request_decode_of10(r, q);
    *q = (struct flow_stats_request){.table = rd_u8(r)};
    rd_skip(r, 3);
    q->out_port = rd_u32(r);
    q->out_group = rd_u32(r);
    rd_skip(r, 4);
    q->cookie = rd_u64(r);
    q->cookie_mask = rd_u64(r);
    if (r->err)
        return OFPERR_BRC_BAD_LEN;
    enum ofp_error e = match_decode(version, r, &q->match);
    return e == OFPERR_OK && rd_left(r) ? OFPERR_BRC_BAD_LEN : e;
}

void flow_stats_request_encode(const struct flow_stats_request *q, bool aggregate, uint8_t version, uint32_t xid,
                               struct buf *out)
{
    if (version == OFP10) {
        flow_stats_request_encode_of10(q, aggregate, xid, out);
        return;
    }
    size_t at = ofp_msg_begin(out, version, aggregate ? OFPMSG_AGGREGATE_REQUEST : OFPMSG_FLOW_STATS_REQUEST, xid);
    buf_u8(out, q->table);
    buf_zeros(out, 3);
    buf_u32(out, q->out_port);
    buf_u32(out, q->out_group);
    buf_zeros(out, 4);
    buf_u64(out, q->cookie);
    buf_u64(out, q->cookie_mask);
    match_encode(&q->match, version, out);
    ofp_msg_end(out, at);
}

/* --- FLOW entries --- */

void flow_stats_encode(const struct flow_stats *fs, struct ofp_parts *parts)
{
    struct buf *out = parts->out;
    size_t at = out->len;
    if (parts->version == OFP10) {
        flow_stats_encode_of10(fs, parts);
        return;
    }
    buf_u16(out, 0);
    buf_u8(out, fs->table);
    buf_zeros(out, 1);
    buf_u32(out, fs->duration_sec);
    buf_u32(out, fs->duration_nsec);
    buf_u16(out, fs->priority);
    buf_u16(out, fs->idle_timeout);
    buf_u16(out, fs->hard_timeout);
    buf_u16(out, fs->flags);
    buf_u16(out, parts->version >= OFP14 ? fs->importance : 0);
    buf_zeros(out, 2);
    buf_u64(out, fs->cookie);
    buf_u64(out, fs->packets);
    buf_u64(out, fs->bytes);
    match_encode(&fs->match, parts->version, out);
    acts_encode_instructions(fs->acts, fs->acts_len, parts->version, out);
    buf_set_u16(out, at, (uint16_t)(out->len - at));
    ofp_parts_entry_end(parts);
}

enum ofp_error flow_stats_decode(uint8_t version, struct rd *body, struct flow_stats *fs, struct buf *scratch)
{
    if (version == OFP10)
        return flow_stats_decode_of10(body, fs, scratch);
    struct rd entry = *body;
    uint16_t len = rd_u16(&entry);
    if (len < 56 || len > rd_left(body))
        return OFPERR_BRC_BAD_LEN;
    entry = rd_sub(body, len);
    struct rd *r = &entry;
    rd_skip(r, 2);
    *fs = (struct flow_stats){.table = rd_u8(r)};
    rd_skip(r, 1);
    fs->duration_sec = rd_u32(r);
    fs->duration_nsec = rd_u32(r);
    fs->priority = rd_u16(r);
    fs->idle_timeout = rd_u16(r);
    fs->hard_timeout = rd_u16(r);
    fs->flags = rd_u16(r);
    fs->importance = rd_u16(r);
    if (version < OFP14)
        fs->importance = 0;
    rd_skip(r, 2);
    fs->cookie = rd_u64(r);
    fs->packets = rd_u64(r);
    fs->bytes = rd_u64(r);
    enum ofp_error e = match_decode(version, r, &fs->match);
    if (e)
        return e;
    buf_clear(scratch);
    e = decode_instructions(version, r, scratch);
    fs->acts = scratch->data;
    fs->acts_len = scratch->len;
    return e;
}

/* --- AGGREGATE reply --- */

void aggregate_stats_encode(const struct aggregate_stats *s, enum ofp_msg_type type, uint8_t version, uint32_t xid, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, type, xid);
    buf_u64(out, s->packets);
    buf_u64(out, s->bytes);
    buf_u32(out, s->flows);
    buf_zeros(out, 4);
    ofp_msg_end(out, at);
}

enum ofp_error aggregate_stats_decode(uint8_t version UNUSED, struct rd body, struct aggregate_stats *s)
{
    struct rd *r = &body;
    *s = (struct aggregate_stats){.packets = rd_u64(r)};
    s->bytes = rd_u64(r);
    s->flows = rd_u32(r);
    rd_skip(r, 4);
    return r->err || rd_left(r) ? OFPERR_BRC_BAD_LEN : OFPERR_OK;
}

/* --- FLOW_REMOVED --- */

void flow_removed_encode(const struct flow_removed *fr, uint8_t version, struct buf *out)
{
    if (version == OFP10) {
        flow_removed_encode_of10(fr, out);
        return;
    }
    size_t at = ofp_msg_begin(out, version, OFPMSG_FLOW_REMOVED, 0);
    buf_u64(out, fr->cookie);
    buf_u16(out, fr->priority);
    buf_u8(out, fr->reason);
    buf_u8(out, fr->table);
    buf_u32(out, fr->duration_sec);
    buf_u32(out, fr->duration_nsec);
    buf_u16(out, fr->idle_timeout);
    buf_u16(out, fr->hard_timeout);
    buf_u64(out, fr->packets);
    buf_u64(out, fr->bytes);
    match_encode(&fr->match, version, out);
    ofp_msg_end(out, at);
}

enum ofp_error flow_removed_decode(uint8_t version, struct rd body, struct flow_removed *fr)
{
    struct rd *r = &body;
    if (version == OFP10)
        return flow_removed_decode_of10(r, fr);
    *fr = (struct flow_removed){.cookie = rd_u64(r)};
    fr->priority = rd_u16(r);
    fr->reason = rd_u8(r);
    fr->table = rd_u8(r);
    fr->duration_sec = rd_u32(r);
    fr->duration_nsec = rd_u32(r);
    fr->idle_timeout = rd_u16(r);
    fr->hard_timeout = rd_u16(r);
    fr->packets = rd_u64(r);
    fr->bytes = rd_u64(r);
    if (r->err)
        return OFPERR_BRC_BAD_LEN;
    enum ofp_error e = match_decode(version, r, &fr->match);
    return e == OFPERR_OK && rd_left(r) ? OFPERR_BRC_BAD_LEN : e;
}
