/* act-tunnel.c: set_tunnel, set_tunnel64. */
#include "openflow/act-shape.h"

static void put_tunnel(struct buf *list, enum act_type type, uint64_t id)
{
    struct act_tunnel *a = act_append(list, type, sizeof *a);
    a->id = id;
}

static void tunnel_decode(uint8_t version UNUSED, struct rd *r, enum act_type type, struct buf *list,
                          unsigned depth UNUSED)
{
    bool wide = type == ACT_SET_TUNNEL64;
    rd_skip(r, wide ? 6 : 2);
    put_tunnel(list, type, wide ? rd_u64(r) : rd_u32(r));
}

static void tunnel_encode(const struct act *a, uint8_t version UNUSED, struct buf *out)
{
    uint64_t id = ((const struct act_tunnel *)a)->id;
    if (a->type == ACT_SET_TUNNEL64) {
        buf_zeros(out, 6);
        buf_u64(out, id);
    } else {
        buf_zeros(out, 2);
        buf_u32(out, (uint32_t)id);
    }
}

static bool tunnel_parse(struct act_text *t, enum act_type type, const struct item *item, unsigned depth UNUSED)
{
    uint64_t id;
    if (!text_number(&t->t, item->value, "tunnel id", UINT64_MAX, &id))
        return false;
    put_tunnel(t->list, id > UINT32_MAX ? ACT_SET_TUNNEL64 : type, id);
    return true;
}

static void tunnel_format(const struct act *a, const struct port_names *names UNUSED, struct buf *out)
{
    buf_printf(out, "%s:%#llx", act_name(a->type), (unsigned long long)((const struct act_tunnel *)a)->id);
}

const struct act_shape act_shape_set_tunnel = {tunnel_decode, tunnel_encode, tunnel_parse, tunnel_format, NULL};
const struct act_shape act_shape_set_tunnel64 = {tunnel_decode, tunnel_encode, tunnel_parse, tunnel_format, NULL};
