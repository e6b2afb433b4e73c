/* group-nx.c: groups on an OpenFlow 1.0 connection: Open vSwitch's NXT_GROUP_MOD and NXST_GROUP_DESC, which have the
 * form of OpenFlow 1.5: buckets with numbers, and what is said seldom in properties. */
#include "openflow/group-wire.h"

enum { P_WEIGHT, P_WATCH_PORT, P_WATCH_GROUP };
#define NO_COMMAND_BUCKET 0xffffffffu

static void decode_property(struct rd *r, struct group_bucket *b)
{
    struct rd p = *r;
    uint16_t type = rd_u16(&p), len = rd_u16(&p);
    if (p.err || len < 4 || ROUND_UP((size_t)len, 8) > rd_left(r)) {
        rd_fail(r, OFPERR_GMFC_BAD_BUCKET);
        return;
    }
    p = rd_sub(r, ROUND_UP(len, 8));
    rd_skip(&p, 4);
    if (type == P_WEIGHT)
        b->weight = rd_u16(&p);
    else if (type == P_WATCH_PORT)
        b->watch_port = rd_u32(&p);
    else if (type == P_WATCH_GROUP)
        b->watch_group = rd_u32(&p);
    else
        rd_fail(r, OFPERR_GMFC_BAD_BUCKET);
    if (p.err)
        rd_fail(r, OFPERR_GMFC_BAD_BUCKET);
}

static enum ofp_error decode_bucket(uint8_t version, struct rd *r, struct group_desc *g)
{
    struct rd entry = *r;
    uint16_t len = rd_u16(&entry), acts_len = rd_u16(&entry);
    if (entry.err || len < 8 || len % 8 || acts_len % 8 || acts_len + 8u > len || len > rd_left(r))
        return OFPERR_GMFC_BAD_BUCKET;
    entry = rd_sub(r, len);
    rd_skip(&entry, 4);
    struct group_bucket *b = group_desc_add_bucket(g);
    b->id = rd_u32(&entry);
    b->weight = g->type == OFPGT_SELECT; /* unless it is said */
    enum ofp_error e = acts_decode_actions(version, rd_sub(&entry, acts_len), &g->acts);
    b->acts_len = g->acts.len - b->acts;
    while (!e && rd_left(&entry))
        decode_property(&entry, b);
    return e ? e : (enum ofp_error)entry.err;
}

/* Buckets of `len` bytes; the group's own properties (how to select) follow, and change nothing here. */
static enum ofp_error decode_buckets(uint8_t version, struct rd *r, size_t len, struct group_desc *g)
{
    struct rd list = rd_sub(r, len);
    g->numbered = true;
    if (list.err)
        return OFPERR_GMFC_BAD_BUCKET;
    while (rd_left(&list)) {
        enum ofp_error e = decode_bucket(version, &list, g);
        if (e)
            return e;
    }
    return OFPERR_OK;
}

static void put_property(uint16_t type, uint32_t value, struct buf *out)
{
    buf_u16(out, type);
    buf_u16(out, 8);
    buf_u32(out, value);
}

static void encode_buckets(const struct group_desc *g, uint8_t version, struct buf *out)
{
    for (size_t i = 0; i < g->n_buckets; i++) {
        const struct group_bucket *b = &g->buckets[i];
        size_t at = out->len;
        buf_zeros(out, 4);
        buf_u32(out, b->id);
        acts_encode_actions(group_acts(g, b), b->acts_len, version, out);
        buf_set_u16(out, at + 2, (uint16_t)(out->len - at - 8));
        if (b->weight || g->type == OFPGT_SELECT)
            put_property(P_WEIGHT, (uint32_t)b->weight << 16, out);
        if (b->watch_port != OFPP_ANY)
            put_property(P_WATCH_PORT, b->watch_port, out);
        if (b->watch_group != OFPG_ANY)
            put_property(P_WATCH_GROUP, b->watch_group, out);
        buf_set_u16(out, at, (uint16_t)(out->len - at));
    }
}

enum ofp_error group_nx_mod_decode(uint8_t version, struct rd body, struct group_mod *gm)
{
    *gm = (struct group_mod){.command = rd_u16(&body)};
    gm->group.type = rd_u8(&body);
    rd_skip(&body, 1);
    gm->group.id = rd_u32(&body);
    uint16_t len = rd_u16(&body);
    rd_skip(&body, 6); /* the bucket to insert at or remove: for commands that we lack */
    return body.err ? OFPERR_BRC_BAD_LEN : decode_buckets(version, &body, len, &gm->group);
}

void group_nx_mod_encode(const struct group_mod *gm, uint8_t version, struct buf *out)
{
    buf_u16(out, gm->command);
    buf_u8(out, gm->group.type);
    buf_zeros(out, 1);
    buf_u32(out, gm->group.id);
    size_t at = out->len;
    buf_zeros(out, 4);
    buf_u32(out, NO_COMMAND_BUCKET);
    encode_buckets(&gm->group, version, out);
    buf_set_u16(out, at, (uint16_t)(out->len - at - 8));
}

/* Behind length, type and number. */
enum ofp_error group_nx_desc_decode(uint8_t version, struct rd *entry, struct group_desc *g)
{
    uint16_t len = rd_u16(entry);
    rd_skip(entry, 6);
    return entry->err ? OFPERR_BRC_BAD_LEN : decode_buckets(version, entry, len, g);
}

void group_nx_desc_encode(const struct group_desc *g, uint8_t version, struct buf *out)
{
    size_t at = out->len;
    buf_zeros(out, 8);
    encode_buckets(g, version, out);
    buf_set_u16(out, at, (uint16_t)(out->len - at - 8));
}
