/* Flows that are right but can do nothing on this switch: output to ports that are not there, tunnel keys where no
 * tunnel ends. Each is said once. */
#include "ofctl/ofctl.h"

/* --- Ports --- */

static bool warned_of(uint32_t port)
{
    enum { MOST = 16 };
    static uint32_t ports[MOST];
    static size_t n;
    for (size_t i = 0; i < n; i++)
        if (ports[i] == port)
            return true;
    if (n == MOST)
        return true; /* that will do */
    ports[n++] = port;
    return false;
}

static void check_port(struct conn *c, uint32_t port)
{
    if (port >= OFPP_MAX || ports_have(c, port) || warned_of(port))
        return;
    struct buf list = BUF_INIT;
    ports_list(c, &list);
    warn("%s has no port %u; known: %s", c->target, port, buf_text(&list));
    buf_free(&list);
}

/* --- Tunnels --- */

/* How many tunnel ports the switch has; -2 if it does not say, as other switches than xvs do. */
static int count_tunnels(struct conn *c)
{
    if (c->n_tunnels == -1) {
        struct buf request = BUF_INIT;
        struct reply r;
        struct xvs_bridge_info info;
        ofp_simple_encode(OFPMSG_XVS_BRIDGE_INFO_REQUEST, c->version, conn_xid(c), &request);
        bool known =
            conn_try(c, &request, OFPMSG_XVS_BRIDGE_INFO_REPLY, &r) && !xvs_bridge_info_decode(c->version, reply_rd(&r), &info);
        c->n_tunnels = known ? (int)MIN(info.n_tunnel_ports, 1000000) : -2;
        reply_free(&r);
        buf_free(&request);
    }
    return c->n_tunnels;
}

static void check_tunnel_match(struct conn *c, const struct match *m)
{
    static const enum field_id tunnel_fields[] = {FIELD_TUN_ID, FIELD_TUN_SRC, FIELD_TUN_DST};
    static bool warned;
    for (size_t i = 0; i < ARRAY_SIZE(tunnel_fields); i++)
        if (!warned && match_has(m, tunnel_fields[i]) && count_tunnels(c) == 0) {
            warned = true;
            warn("%s has no tunnel port, so no packet here has %s; the key of a GRE packet in transit is gre_key",
                 c->target, fields[tunnel_fields[i]].name);
        }
}

static void check_tunnel_action(struct conn *c)
{
    static bool warned;
    if (!warned && count_tunnels(c) == 0) {
        warned = true;
        warn("%s has no tunnel port, so setting a tunnel key does nothing", c->target);
    }
}

/* --- Flows --- */

void check_actions(struct conn *c, const void *list, size_t len)
{
    ACT_FOR_EACH(a, list, len)
    {
        switch (a->type) {
        case ACT_OUTPUT:
            check_port(c, a->n);
            break;
        case ACT_SET_TUNNEL:
        case ACT_SET_TUNNEL64:
            check_tunnel_action(c);
            break;
        case ACT_SET_FIELD:
        case ACT_SET_MASKED:
        case ACT_REG_LOAD:
            if (((const struct act_set_field *)a)->field == FIELD_TUN_ID)
                check_tunnel_action(c);
            break;
        case ACT_CLONE:
        case INST_WRITE_ACTIONS:
            check_actions(c, ((const struct act_nested *)a)->list, a->len - sizeof(struct act));
            break;
        }
    }
}

void check_flow(struct conn *c, const struct flow_mod *m)
{
    if (match_has(&m->match, FIELD_IN_PORT)) {
        union field_value v, mask;
        match_get(&m->match, FIELD_IN_PORT, &v, &mask);
        check_port(c, field_value_u64(&v));
    }
    if (m->command <= OFPFC_MODIFY_STRICT)
        check_tunnel_match(c, &m->match);
    check_actions(c, m->acts.data, m->acts.len);
}
