/* flow-of10.c: FLOW_MOD, FLOW_REMOVED and the statistics FLOW and AGGREGATE in OpenFlow 1.0
 * (1.0.1, 5.3.3, 5.3.5, 5.4.3), each in two forms: with ofp_match, and Nicira's with nx_match. */
#include "openflow/flow-of10.h"

enum { EMERG = 4 /* a flow for when the controller is gone, kept in a table of its own: there is none */ };

static enum ofp_error decode_actions(struct rd *r, const struct match *m, struct buf *list)
{
    enum { MOST = 65000 }; /* as flow.c has it: what was accepted can also be told in a statistics entry */
    if (rd_left(r) > MOST)
        return OFPERR_BAC_TOO_MANY;
    enum ofp_error e = acts_decode_actions(OFP10, *r, list);
    if (!e)
        acts_settle_of10(m, list);
    return e;
}

/* --- FLOW_MOD --- */

static enum ofp_error decode_fixed(struct rd *r, uint64_t cookie, struct flow_mod *fm)
{
    uint16_t command = rd_u16(r);
    fm->of10 = true;
    fm->command = command & 0xff;
    fm->table = command >> 8;
    fm->idle_timeout = rd_u16(r);
    fm->hard_timeout = rd_u16(r);
    fm->priority = rd_u16(r);
    fm->buffer_id = rd_u32(r);
    fm->out_port = ofp_port_from16(rd_u16(r));
    fm->flags = rd_u16(r);
    if (r->err)
        return OFPERR_BRC_BAD_LEN;
    if (fm->command > OFPFC_DELETE_STRICT)
        return OFPERR_FMFC_BAD_COMMAND;
    if (fm->flags & EMERG)
        return OFPERR_FMFC_TABLE_FULL;
    if (fm->flags & ~(OFPFF_SEND_FLOW_REM | OFPFF_CHECK_OVERLAP))
        return OFPERR_FMFC_BAD_FLAGS;
    if (fm->command < OFPFC_DELETE) /* out_port chooses what is deleted; elsewhere it says nothing and may be zero */
        fm->out_port = OFPP_ANY;
    if (fm->command == OFPFC_ADD)
        fm->cookie = cookie;
    else if (fm->command < OFPFC_DELETE)
        fm->new_cookie = cookie;
    return OFPERR_OK;
}

enum ofp_error flow_mod_decode_of10(struct rd *r, struct flow_mod *fm)
{
    *fm = FLOW_MOD_INIT;
    enum ofp_error e = match_decode_of10(r, &fm->match);
    uint64_t cookie = rd_u64(r);
    if (!e)
        e = decode_fixed(r, cookie, fm);
    return e ? e : decode_actions(r, &fm->match, &fm->acts);
}

enum ofp_error nx_flow_mod_decode(uint8_t version UNUSED, struct rd body, struct flow_mod *fm)
{
    struct rd *r = &body;
    *fm = FLOW_MOD_INIT;
    uint64_t cookie = rd_u64(r), chosen = 0, mask = 0;
    enum ofp_error e = decode_fixed(r, cookie, fm);
    size_t match_len = rd_u16(r);
    rd_skip(r, 6);
    if (!e && r->err)
        e = OFPERR_BRC_BAD_LEN;
    if (!e)
        e = nx_match_decode(r, match_len, &fm->match, &chosen, &mask);
    if (!e && mask && fm->command == OFPFC_ADD) /* a new flow is not chosen by its cookie */
        e = OFPERR_NXBRC_NXM_INVALID;
    if (fm->command != OFPFC_ADD) {
        fm->cookie = chosen;
        fm->cookie_mask = mask;
    }
    return e ? e : decode_actions(r, &fm->match, &fm->acts);
}

bool flow_mod_needs_nx(const struct flow_mod *fm)
{
    return !match_fits_of10(&fm->match) || (fm->cookie_mask && fm->command != OFPFC_ADD);
}

static void encode_fixed(const struct flow_mod *fm, struct buf *out)
{
    buf_u16(out, (uint16_t)(fm->table << 8 | fm->command));
    buf_u16(out, fm->idle_timeout);
    buf_u16(out, fm->hard_timeout);
    buf_u16(out, fm->priority);
    buf_u32(out, fm->buffer_id);
    ofp_port_encode(fm->out_port, OFP10, out);
    buf_u16(out, fm->flags & (OFPFF_SEND_FLOW_REM | OFPFF_CHECK_OVERLAP));
}

void flow_mod_encode_of10(const struct flow_mod *fm, uint32_t xid, struct buf *out)
{
    bool nx = flow_mod_needs_nx(fm), modify = fm->command == OFPFC_MODIFY || fm->command == OFPFC_MODIFY_STRICT;
    bool adds = fm->command == OFPFC_ADD;
    uint64_t cookie = adds ? fm->cookie : modify ? fm->new_cookie : 0;
    size_t at = ofp_msg_begin(out, OFP10, nx ? OFPMSG_NX_FLOW_MOD : OFPMSG_FLOW_MOD, xid);
    if (!nx)
        match_encode_of10(&fm->match, out);
    buf_u64(out, cookie);
    encode_fixed(fm, out);
    if (nx) {
        size_t len_at = out->len;
        buf_zeros(out, 8);
        size_t len = nx_match_encode(&fm->match, fm->cookie, adds ? 0 : fm->cookie_mask, out);
        buf_set_u16(out, len_at, (uint16_t)len);
    }
    acts_encode_actions(fm->acts.data, fm->acts.len, OFP10, out);
    ofp_msg_end(out, at);
}

/* --- FLOW and AGGREGATE requests --- */

enum ofp_error flow_stats_request_decode_of10(struct rd *r, struct flow_stats_request *q)
{
    *q = (struct flow_stats_request){.out_group = OFPG_ANY};
    enum ofp_error e = match_decode_of10(r, &q->match);
    q->table = rd_u8(r);
    rd_skip(r, 1);
    q->out_port = ofp_port_from16(rd_u16(r));
    return e ? e : r->err ? OFPERR_BRC_BAD_LEN : OFPERR_OK;
}

void flow_stats_request_encode_of10(const struct flow_stats_request *q, bool aggregate, uint32_t xid, struct buf *out)
{
    size_t at = ofp_msg_begin(out, OFP10, aggregate ? OFPMSG_AGGREGATE_REQUEST : OFPMSG_FLOW_STATS_REQUEST, xid);
    match_encode_of10(&q->match, out);
    buf_u8(out, q->table);
    buf_zeros(out, 1);
    ofp_port_encode(q->out_port, OFP10, out);
    ofp_msg_end(out, at);
}

enum ofp_error nx_flow_stats_request_decode(uint8_t version UNUSED, struct rd body, struct flow_stats_request *q)
{
    struct rd *r = &body;
    *q = (struct flow_stats_request){.out_group = OFPG_ANY};
    q->out_port = ofp_port_from16(rd_u16(r));
    size_t match_len = rd_u16(r);
    q->table = rd_u8(r);
    rd_skip(r, 3);
    if (r->err)
        return OFPERR_BRC_BAD_LEN;
    enum ofp_error e = nx_match_decode(r, match_len, &q->match, &q->cookie, &q->cookie_mask);
    return !e && rd_left(r) ? OFPERR_BRC_BAD_LEN : e;
}

void nx_flow_stats_request_encode(const struct flow_stats_request *q, bool aggregate, uint8_t version, uint32_t xid,
                                  struct buf *out)
{
    size_t at =
        ofp_msg_begin(out, version, aggregate ? OFPMSG_NX_AGGREGATE_REQUEST : OFPMSG_NX_FLOW_STATS_REQUEST, xid);
    ofp_port_encode(q->out_port, OFP10, out);
    size_t len_at = out->len;
    buf_zeros(out, 2);
    buf_u8(out, q->table);
    buf_zeros(out, 3);
    size_t len = nx_match_encode(&q->match, q->cookie, q->cookie_mask, out);
    buf_set_u16(out, len_at, (uint16_t)len);
    ofp_msg_end(out, at);
}

/* --- FLOW entries --- */

static void encode_nx_entry(const struct flow_stats *fs, struct buf *out)
{
    buf_u32(out, fs->duration_sec);
    buf_u32(out, fs->duration_nsec);
    buf_u16(out, fs->priority);
    buf_u16(out, fs->idle_timeout);
    buf_u16(out, fs->hard_timeout);
    size_t len_at = out->len;
    buf_u16(out, 0);
    buf_u16(out, (uint16_t)MIN(fs->idle_age, (uint32_t)UINT16_MAX));
    buf_u16(out, (uint16_t)MIN(fs->hard_age, (uint32_t)UINT16_MAX));
    buf_u64(out, fs->cookie);
    buf_u64(out, fs->packets);
    buf_u64(out, fs->bytes);
    size_t len = nx_match_encode(&fs->match, 0, 0, out);
    buf_set_u16(out, len_at, (uint16_t)len);
}

static void encode_entry(const struct flow_stats *fs, struct buf *out)
{
    match_encode_of10(&fs->match, out);
    buf_u32(out, fs->duration_sec);
    buf_u32(out, fs->duration_nsec);
    buf_u16(out, fs->priority);
    buf_u16(out, fs->idle_timeout);
    buf_u16(out, fs->hard_timeout);
    buf_zeros(out, 6);
    buf_u64(out, fs->cookie);
    buf_u64(out, fs->packets);
    buf_u64(out, fs->bytes);
}

void flow_stats_encode_of10(const struct flow_stats *fs, struct ofp_parts *parts)
{
    struct buf *out = parts->out;
    size_t at = out->len;
    buf_u16(out, 0);
    buf_u8(out, fs->table);
    buf_zeros(out, 1);
    if (parts->type == OFPMSG_NX_FLOW_STATS_REPLY)
        encode_nx_entry(fs, out);
    else
        encode_entry(fs, out);
    acts_encode_actions(fs->acts, fs->acts_len, OFP10, out);
    buf_set_u16(out, at, (uint16_t)(out->len - at));
    ofp_parts_entry_end(parts);
}

/* A cursor over one entry, behind its length. */
static enum ofp_error begin_entry(struct rd *body, size_t least, struct rd *entry, struct flow_stats *fs)
{
    struct rd peek = *body;
    uint16_t len = rd_u16(&peek);
    if (len < least || len > rd_left(body))
        return OFPERR_BRC_BAD_LEN;
    *entry = rd_sub(body, len);
    rd_skip(entry, 2);
    *fs = (struct flow_stats){.table = rd_u8(entry)};
    rd_skip(entry, 1);
    return OFPERR_OK;
}

static enum ofp_error end_entry(struct rd *r, struct flow_stats *fs, struct buf *scratch)
{
    buf_clear(scratch);
    enum ofp_error e = r->err ? OFPERR_BRC_BAD_LEN : decode_actions(r, &fs->match, scratch);
    fs->acts = scratch->data;
    fs->acts_len = scratch->len;
    return e;
}

enum ofp_error flow_stats_decode_of10(struct rd *body, struct flow_stats *fs, struct buf *scratch)
{
    struct rd r;
    enum ofp_error e = begin_entry(body, 88, &r, fs);
    if (!e)
        e = match_decode_of10(&r, &fs->match);
    if (e)
        return e;
    fs->duration_sec = rd_u32(&r);
    fs->duration_nsec = rd_u32(&r);
    fs->priority = rd_u16(&r);
    fs->idle_timeout = rd_u16(&r);
    fs->hard_timeout = rd_u16(&r);
    rd_skip(&r, 6);
    fs->cookie = rd_u64(&r);
    fs->packets = rd_u64(&r);
    fs->bytes = rd_u64(&r);
    return end_entry(&r, fs, scratch);
}

enum ofp_error nx_flow_stats_decode(uint8_t version UNUSED, struct rd *body, struct flow_stats *fs, struct buf *scratch)
{
    struct rd r;
    enum ofp_error e = begin_entry(body, 48, &r, fs);
    if (e)
        return e;
    fs->duration_sec = rd_u32(&r);
    fs->duration_nsec = rd_u32(&r);
    fs->priority = rd_u16(&r);
    fs->idle_timeout = rd_u16(&r);
    fs->hard_timeout = rd_u16(&r);
    size_t match_len = rd_u16(&r);
    fs->idle_age = rd_u16(&r);
    fs->hard_age = rd_u16(&r);
    fs->cookie = rd_u64(&r);
    fs->packets = rd_u64(&r);
    fs->bytes = rd_u64(&r);
    e = nx_match_decode(&r, match_len, &fs->match, NULL, NULL);
    return e ? e : end_entry(&r, fs, scratch);
}

/* --- FLOW_REMOVED --- */

void flow_removed_encode_of10(const struct flow_removed *fr, struct buf *out)
{
    size_t at = ofp_msg_begin(out, OFP10, OFPMSG_FLOW_REMOVED, 0);
    match_encode_of10(&fr->match, out);
    buf_u64(out, fr->cookie);
    buf_u16(out, fr->priority);
    buf_u8(out, fr->reason);
    buf_zeros(out, 1);
    buf_u32(out, fr->duration_sec);
    buf_u32(out, fr->duration_nsec);
    buf_u16(out, fr->idle_timeout);
    buf_zeros(out, 2);
    buf_u64(out, fr->packets);
    buf_u64(out, fr->bytes);
    ofp_msg_end(out, at);
}

enum ofp_error flow_removed_decode_of10(struct rd *r, struct flow_removed *fr)
{
    *fr = (struct flow_removed){.table = OFPTT_ALL};
    enum ofp_error e = match_decode_of10(r, &fr->match);
    fr->cookie = rd_u64(r);
    fr->priority = rd_u16(r);
    fr->reason = rd_u8(r);
    rd_skip(r, 1);
    fr->duration_sec = rd_u32(r);
    fr->duration_nsec = rd_u32(r);
    fr->idle_timeout = rd_u16(r);
    rd_skip(r, 2);
    fr->packets = rd_u64(r);
    fr->bytes = rd_u64(r);
    return e ? e : r->err || rd_left(r) ? OFPERR_BRC_BAD_LEN : OFPERR_OK;
}

void nx_flow_removed_encode(const struct flow_removed *fr, uint8_t version, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, OFPMSG_NX_FLOW_REMOVED, 0);
    buf_u64(out, fr->cookie);
    buf_u16(out, fr->priority);
    buf_u8(out, fr->reason);
    buf_u8(out, fr->table == OFPTT_ALL ? 0 : (uint8_t)(fr->table + 1)); /* 0: not told */
    buf_u32(out, fr->duration_sec);
    buf_u32(out, fr->duration_nsec);
    buf_u16(out, fr->idle_timeout);
    size_t len_at = out->len;
    buf_u16(out, 0);
    buf_u64(out, fr->packets);
    buf_u64(out, fr->bytes);
    size_t len = nx_match_encode(&fr->match, 0, 0, out);
    buf_set_u16(out, len_at, (uint16_t)len);
    ofp_msg_end(out, at);
}

enum ofp_error nx_flow_removed_decode(uint8_t version UNUSED, struct rd body, struct flow_removed *fr)
{
    struct rd *r = &body;
    *fr = (struct flow_removed){.cookie = rd_u64(r)};
    fr->priority = rd_u16(r);
    fr->reason = rd_u8(r);
    uint8_t table = rd_u8(r);
    fr->table = table ? (uint8_t)(table - 1) : OFPTT_ALL;
    fr->duration_sec = rd_u32(r);
    fr->duration_nsec = rd_u32(r);
    fr->idle_timeout = rd_u16(r);
    size_t match_len = rd_u16(r);
    fr->packets = rd_u64(r);
    fr->bytes = rd_u64(r);
    if (r->err)
        return OFPERR_BRC_BAD_LEN;
    enum ofp_error e = nx_match_decode(r, match_len, &fr->match, NULL, NULL);
    return !e && rd_left(r) ? OFPERR_BRC_BAD_LEN : e;
}
