/* Messages about the switch as a whole: features, configuration, description. */
#include "openflow/msg.h"

void features_encode(const struct ofp_features *f, uint8_t version, uint32_t xid, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, OFPMSG_FEATURES_REPLY, xid);
    buf_u64(out, f->datapath_id);
    buf_u32(out, f->n_buffers);
    buf_u8(out, f->n_tables);
    buf_u8(out, version == OFP10 ? 0 : f->auxiliary_id);
    buf_zeros(out, 2);
    buf_u32(out, f->capabilities);
    buf_u32(out, version == OFP10 ? f->actions : 0);
    if (version == OFP10) /* 1.0 has the ports here */
        buf_put(out, f->ports.p, rd_left(&f->ports));
    ofp_msg_end(out, at);
}

enum ofp_error features_decode(uint8_t version UNUSED, struct rd body, struct ofp_features *f)
{
    f->datapath_id = rd_u64(&body);
    f->n_buffers = rd_u32(&body);
    f->n_tables = rd_u8(&body);
    f->auxiliary_id = rd_u8(&body);
    rd_skip(&body, 2);
    f->capabilities = rd_u32(&body);
    f->actions = rd_u32(&body);
    f->ports = body;
    return body.err;
}

void switch_config_encode(const struct ofp_switch_config *c, enum ofp_msg_type type, uint8_t version, uint32_t xid,
                          struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, type, xid);
    buf_u16(out, c->flags);
    buf_u16(out, c->miss_send_len);
    ofp_msg_end(out, at);
}

enum ofp_error switch_config_decode(uint8_t version UNUSED, struct rd body, struct ofp_switch_config *c)
{
    c->flags = rd_u16(&body);
    c->miss_send_len = rd_u16(&body);
    return body.err;
}

/* A string in a member of fixed size: ended by a NUL on the wire (7.3.5.1), so cut if it must be. */
static void put_string(struct buf *out, const char *s, size_t size)
{
    size_t n = strnlen(s, size - 1);
    buf_put(out, s, n);
    buf_zeros(out, size - n);
}

static void get_string(struct rd *r, char *s, size_t size)
{
    rd_bytes(r, s, size);
    s[size - 1] = '\0';
}

void desc_encode(const struct ofp_desc *d, uint8_t version, uint32_t xid, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, OFPMSG_DESC_REPLY, xid);
    put_string(out, d->manufacturer, sizeof d->manufacturer);
    put_string(out, d->hardware, sizeof d->hardware);
    put_string(out, d->software, sizeof d->software);
    put_string(out, d->serial, sizeof d->serial);
    put_string(out, d->datapath, sizeof d->datapath);
    ofp_msg_end(out, at);
}

enum ofp_error desc_decode(uint8_t version UNUSED, struct rd body, struct ofp_desc *d)
{
    get_string(&body, d->manufacturer, sizeof d->manufacturer);
    get_string(&body, d->hardware, sizeof d->hardware);
    get_string(&body, d->software, sizeof d->software);
    get_string(&body, d->serial, sizeof d->serial);
    get_string(&body, d->datapath, sizeof d->datapath);
    return body.err;
}

void xvs_bridge_info_encode(const struct xvs_bridge_info *i, uint8_t version, uint32_t xid, struct buf *out)
{
    size_t at = ofp_msg_begin(out, version, OFPMSG_XVS_BRIDGE_INFO_REPLY, xid);
    buf_u32(out, i->n_tunnel_ports);
    buf_zeros(out, 4);
    ofp_msg_end(out, at);
}

enum ofp_error xvs_bridge_info_decode(uint8_t version UNUSED, struct rd body, struct xvs_bridge_info *i)
{
    i->n_tunnel_ports = rd_u32(&body);
    rd_skip(&body, 4);
    return body.err;
}
