/* group.c: groups on the wire. Their text is in group-text.c. */
#include "openflow/group.h"
#include <stdio.h>
#include "base/mem.h"
#include "openflow/act-shape.h"
#include "openflow/group-wire.h"

void group_desc_free(struct group_desc *g)
{
    free(g->buckets);
    buf_free(&g->acts);
}

struct group_bucket *group_desc_add_bucket(struct group_desc *g)
{
    if (!(g->n_buckets & (g->n_buckets - 1))) /* doubles */
        g->buckets = xrealloc(g->buckets, (g->n_buckets ? 2 * g->n_buckets : 1) * sizeof *g->buckets);
    struct group_bucket *b = &g->buckets[g->n_buckets++];
    *b = GROUP_BUCKET_INIT;
    b->id = (uint32_t)(g->n_buckets - 1);
    b->acts = g->acts.len;
    return b;
}

bool group_has_watch(const struct group_bucket *b) { return b->watch_port != OFPP_ANY || b->watch_group != OFPG_ANY; }

/* --- Buckets --- */

enum { BUCKET_LEN = 16 };

static enum ofp_error decode_bucket(uint8_t version, struct rd *r, struct group_desc *g)
{
    struct rd entry = *r;
    uint16_t len = rd_u16(&entry);
    if (entry.err || len < BUCKET_LEN || len % 8 || len > rd_left(r))
        return OFPERR_GMFC_BAD_BUCKET;
    entry = rd_sub(r, len);
    rd_skip(&entry, 2);
    struct group_bucket *b = group_desc_add_bucket(g);
    b->weight = rd_u16(&entry);
    b->watch_port = rd_u32(&entry);
    b->watch_group = rd_u32(&entry);
    rd_skip(&entry, 4);
    enum ofp_error e = acts_decode_actions(version, entry, &g->acts);
    b->acts_len = g->acts.len - b->acts;
    return e;
}

/* 7.3.4.3: the buckets fill the rest. */
static enum ofp_error decode_buckets(uint8_t version, struct rd *r, struct group_desc *g)
{
    while (rd_left(r)) {
        enum ofp_error e = decode_bucket(version, r, g);
        if (e)
            return e;
    }
    return r->err ? OFPERR_BRC_BAD_LEN : OFPERR_OK;
}

static void encode_buckets(const struct group_desc *g, uint8_t version, struct buf *out)
{
    for (size_t i = 0; i < g->n_buckets; i++) {
        const struct group_bucket *b = &g->buckets[i];
        size_t at = out->len;
        buf_u16(out, 0);
        buf_u16(out, b->weight);
        buf_u32(out, b->watch_port);
        buf_u32(out, b->watch_group);
        buf_zeros(out, 4);
        acts_encode_actions(group_acts(g, b), b->acts_len, version, out);
        buf_set_u16(out, at, (uint16_t)(out->len - at));
    }
}

/* --- GROUP_MOD --- */

enum ofp_error group_mod_decode(uint8_t version, struct rd body, struct group_mod *gm)
{
    if (version == OFP10)
        return group_nx_mod_decode(version, body, gm);
    *gm = (struct group_mod){.command = rd_u16(&body)};
    gm->group.type = rd_u8(&body);
    rd_skip(&body, 1);
    gm->group.id = rd_u32(&body);
    if (body.err)
        return OFPERR_BRC_BAD_LEN;
    return decode_buckets(version, &body, &gm->group);
}

void group_mod_encode(const struct group_mod *gm, uint8_t version, uint32_t xid, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, OFPMSG_GROUP_MOD, xid);
    if (version == OFP10) {
        group_nx_mod_encode(gm, version, out);
    } else {
        buf_u16(out, gm->command);
        buf_u8(out, gm->group.type);
        buf_zeros(out, 1);
        buf_u32(out, gm->group.id);
        encode_buckets(&gm->group, version, out);
    }
    ofp_msg_end(out, at);
}

/* --- GROUP_DESC entries --- */

void group_desc_encode(const struct group_desc *g, uint8_t version, struct ofp_parts *parts)
{
    struct buf *out = parts->out;
    size_t at = out->len;
    buf_u16(out, 0);
    buf_u8(out, g->type);
    buf_zeros(out, 1);
    buf_u32(out, g->id);
    if (version == OFP10)
        group_nx_desc_encode(g, version, out);
    else
        encode_buckets(g, version, out);
    buf_set_u16(out, at, (uint16_t)(out->len - at));
    ofp_parts_entry_end(parts);
}

enum ofp_error group_desc_decode(uint8_t version, struct rd *body, struct group_desc *g)
{
    struct rd entry = *body;
    *g = (struct group_desc){0};
    uint16_t len = rd_u16(&entry);
    if (entry.err || len < 8 || len > rd_left(body))
        return OFPERR_BRC_BAD_LEN;
    entry = rd_sub(body, len);
    rd_skip(&entry, 2);
    g->type = rd_u8(&entry);
    rd_skip(&entry, 1);
    g->id = rd_u32(&entry);
    return version == OFP10 ? group_nx_desc_decode(version, &entry, g) : decode_buckets(version, &entry, g);
}

void group_desc_request_encode(uint32_t id, uint8_t version, uint32_t xid, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, OFPMSG_GROUP_DESC_REQUEST, xid);
    if (version == OFP10) {
        buf_u32(out, id);
        buf_zeros(out, 4);
    }
    ofp_msg_end(out, at);
}

enum ofp_error group_desc_request_decode(uint8_t version, struct rd body, uint32_t *id)
{
    *id = version == OFP10 ? rd_u32(&body) : OFPG_ALL;
    return body.err ? OFPERR_BRC_BAD_LEN : OFPERR_OK;
}

/* --- GROUP statistics --- */

void group_stats_encode(const struct group_stats *s, uint8_t version UNUSED, struct ofp_parts *parts)
{
    struct buf *out = parts->out;
    size_t at = out->len;
    buf_u16(out, 0);
    buf_zeros(out, 2);
    buf_u32(out, s->id);
    buf_u32(out, s->ref_count);
    buf_zeros(out, 4);
    buf_u64(out, s->sum.packets);
    buf_u64(out, s->sum.bytes);
    buf_u32(out, s->duration_sec);
    buf_u32(out, s->duration_nsec);
    for (size_t i = 0; i < s->n_buckets; i++) {
        buf_u64(out, s->buckets[i].packets);
        buf_u64(out, s->buckets[i].bytes);
    }
    buf_set_u16(out, at, (uint16_t)(out->len - at));
    ofp_parts_entry_end(parts);
}

enum ofp_error group_stats_decode(uint8_t version UNUSED, struct rd *body, struct group_stats *s)
{
    enum { FIXED = 40, COUNTER = 16 };
    struct rd entry = *body;
    *s = (struct group_stats){0};
    uint16_t len = rd_u16(&entry);
    if (entry.err || len < FIXED || (len - FIXED) % COUNTER || len > rd_left(body))
        return OFPERR_BRC_BAD_LEN;
    entry = rd_sub(body, len);
    rd_skip(&entry, 4);
    s->id = rd_u32(&entry);
    s->ref_count = rd_u32(&entry);
    rd_skip(&entry, 4);
    s->sum.packets = rd_u64(&entry);
    s->sum.bytes = rd_u64(&entry);
    s->duration_sec = rd_u32(&entry);
    s->duration_nsec = rd_u32(&entry);
    s->buckets = xcalloc((len - FIXED) / COUNTER + 1u, sizeof *s->buckets);
    while (rd_left(&entry)) {
        struct group_counter *c = &s->buckets[s->n_buckets++];
        c->packets = rd_u64(&entry);
        c->bytes = rd_u64(&entry);
    }
    return OFPERR_OK;
}

void group_stats_request_encode(uint32_t id, uint8_t version, uint32_t xid, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, OFPMSG_GROUP_STATS_REQUEST, xid);
    buf_u32(out, id);
    buf_zeros(out, 4);
    ofp_msg_end(out, at);
}

enum ofp_error group_stats_request_decode(uint8_t version UNUSED, struct rd body, uint32_t *id)
{
    *id = rd_u32(&body);
    rd_skip(&body, 4);
    return body.err ? OFPERR_BRC_BAD_LEN : OFPERR_OK;
}

/* --- Features --- */

void group_features_encode(const struct group_features *f, uint8_t version, uint32_t xid, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, OFPMSG_GROUP_FEATURES_REPLY, xid);
    buf_u32(out, f->types);
    buf_u32(out, f->capabilities);
    for (unsigned i = 0; i < N_GROUP_TYPES; i++)
        buf_u32(out, f->max_groups[i]);
    for (unsigned i = 0; i < N_GROUP_TYPES; i++)
        buf_u32(out, f->actions[i]);
    ofp_msg_end(out, at);
}

enum ofp_error group_features_decode(uint8_t version UNUSED, struct rd body, struct group_features *f)
{
    f->types = rd_u32(&body);
    f->capabilities = rd_u32(&body);
    for (unsigned i = 0; i < N_GROUP_TYPES; i++)
        f->max_groups[i] = rd_u32(&body);
    for (unsigned i = 0; i < N_GROUP_TYPES; i++)
        f->actions[i] = rd_u32(&body);
    return body.err ? OFPERR_BRC_BAD_LEN : OFPERR_OK;
}

/* --- Checks --- */

static enum ofp_error fault(char why[200], enum ofp_error e, const char *words)
{
    snprintf(why, 200, "%s", words);
    return e;
}

/* 6.5: "If a specified group type is invalid (ie: includes fields such as weight that are undefined for the specified
 * group type) then the switch must refuse [with] OFPGMFC_INVALID_GROUP"; WATCH_UNSUPPORTED "includes specifying
 * watch_port or watch_group for a group that does not support liveness": with us groups of type all and indirect, whose
 * buckets are executed whatever is live. A fast-failover bucket that watches nothing would never be live; Open
 * vSwitch's code for it is ours. */
static enum ofp_error check_bucket(const struct group_desc *g, const struct group_bucket *b,
                                   const struct act_context *ctx, char why[200])
{
    if (b->weight && g->type != OFPGT_SELECT)
        return fault(why, OFPERR_GMFC_INVALID_GROUP, "only the buckets of a select group have a weight");
    if (group_has_watch(b) && g->type != OFPGT_SELECT && g->type != OFPGT_FF)
        return fault(why, OFPERR_GMFC_WATCH_UNSUPPORTED, "only buckets of select and ff groups watch a port or group");
    if (!group_has_watch(b) && g->type == OFPGT_FF)
        return fault(why, OFPERR_GMFC_INVALID_GROUP, "a bucket of an ff group needs watch_port or watch_group");
    if (b->watch_port != OFPP_ANY && b->watch_port != OFPP_LOCAL && (!b->watch_port || b->watch_port > OFPP_MAX))
        return fault(why, OFPERR_GMFC_BAD_WATCH, "this port cannot be watched");
    if (b->watch_group != OFPG_ANY && b->watch_group > OFPG_MAX)
        return fault(why, OFPERR_GMFC_BAD_WATCH, "a group's number is at most 0xffffff00");
    return acts_check_bucket(group_acts(g, b), b->acts_len, ctx, why);
}

static size_t encoded_size(const struct group_desc *g)
{
    struct buf b = BUF_INIT;
    if (g->acts.len < GROUP_MAX_BUCKET_BYTES / 8 &&
        g->n_buckets < 1000) /* no item of 8 bytes takes more than 64 there */
        return 0;
    encode_buckets(g, OFP13, &b);
    size_t n = b.len;
    buf_free(&b);
    return n;
}

enum ofp_error group_check(const struct group_mod *gm, const struct act_context *ctx, size_t *bucket, char why[200])
{
    const struct group_desc *g = &gm->group;
    if (bucket)
        *bucket = SIZE_MAX;
    why[0] = 0;
    if (gm->command > OFPGC_DELETE && gm->command != OFPGC_ADD_OR_MOD)
        return OFPERR_GMFC_BAD_COMMAND;
    if (gm->command == OFPGC_DELETE) /* "The group type need not be specified for the delete request." */
        return OFPERR_OK;
    if (g->id > OFPG_MAX)
        return fault(why, OFPERR_GMFC_INVALID_GROUP, "a group's number is at most 0xffffff00");
    if (g->type >= N_GROUP_TYPES)
        return OFPERR_GMFC_BAD_TYPE;
    /* 7.3.4.3: "For Indirect group, the arrays must contain exactly one bucket". */
    if (g->type == OFPGT_INDIRECT && g->n_buckets != 1)
        return fault(why, OFPERR_GMFC_INVALID_GROUP, "an indirect group has exactly one bucket");
    if (g->n_buckets > GROUP_MAX_BUCKETS || encoded_size(g) > GROUP_MAX_BUCKET_BYTES)
        return OFPERR_GMFC_OUT_OF_BUCKETS;
    for (size_t i = 0; i < g->n_buckets; i++) {
        enum ofp_error e = check_bucket(g, &g->buckets[i], ctx, why);
        if (e) {
            if (bucket)
                *bucket = i;
            return e;
        }
    }
    return OFPERR_OK;
}
