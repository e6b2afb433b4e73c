/* session-nx.c: Nicira's extensions to a session, most of them for OpenFlow 1.0. */
#include "ofproto/session.h"

enum ofp_error handle_nx_role(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct buf b = BUF_INIT;
    uint32_t role;
    (void)now;
    enum ofp_error e = nx_role_decode(c->version, body, &role);
    if (e)
        return e;
    session_set_role(c, role);
    nx_role_encode(role, OFPMSG_NX_ROLE_REPLY, c->version, h->xid, &b);
    ofconn_send(c, &b);
    return OFPERR_OK;
}

enum ofp_error handle_nx_flow_format(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    uint32_t format;
    (void)h, (void)now;
    enum ofp_error e = nx_flow_format_decode(c->version, body, &format);
    if (!e)
        c->nxm = format == NXFF_NXM;
    return e;
}

enum ofp_error handle_nx_table_id(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    (void)h, (void)now;
    return nx_table_id_decode(c->version, body, &c->table_ids);
}

enum ofp_error handle_nx_async(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct ofp_async_config a = c->async;
    (void)h, (void)now;
    enum ofp_error e = nx_async_decode(c->version, body, &a);
    if (!e)
        async_set(c, &a);
    return e;
}

/* As 1.4's own message, in any version. */
enum ofp_error handle_nx_async2(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct ofp_async_config a = c->async;
    (void)h, (void)now;
    enum ofp_error e = async_decode(OFP14, body, &a);
    if (!e)
        async_set(c, &a);
    return e;
}

enum ofp_error handle_packet_in_format(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    uint32_t format;
    (void)h, (void)now;
    enum ofp_error e = nx_packet_in_format_decode(c->version, body, &format);
    if (e || format >= N_NXPIFS)
        return e ? e : OFPERR_BRC_EPERM;
    c->packet_in_format = (uint8_t)format;
    return OFPERR_OK;
}

/* 1.0 does not know tables: a new flow goes to the first, other changes are for all. With Nicira's extension the command's
 * high byte names one; 255 is as without it. */
enum ofp_error flow_mod_of10(const struct ofconn *c, struct flow_mod *fm)
{
    if (c->version != OFP10)
        return OFPERR_OK;
    if (!c->table_ids) {
        if (fm->table)
            return OFPERR_FMFC_BAD_COMMAND;
        fm->table = OFPTT_ALL;
    }
    if (fm->table == OFPTT_ALL && fm->command == OFPFC_ADD)
        fm->table = 0;
    return OFPERR_OK;
}

enum ofp_error handle_nx_flow_mod(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct flow_mod fm;
    (void)h;
    enum ofp_error e = nx_flow_mod_decode(c->version, body, &fm);
    if (!e)
        e = flow_mod_of10(c, &fm);
    if (!e)
        e = tables_flow_mod(c->o, &fm, now);
    if (!e && flow_mod_releases(&fm))
        packet_release(c->o, fm.buffer_id);
    flow_mod_free(&fm);
    return e;
}
