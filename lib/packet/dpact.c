#include "packet/dpact.h"

void *dpact_append(struct buf *list, enum dpact_type type, size_t size, uint32_t arg)
{
    size_t len = ROUND_UP(size, 8);
    assert(size >= sizeof(struct dpact) && len <= UINT16_MAX && list->len % 8 == 0);
    struct dpact *a = buf_extend(list, len);
    memset(a, 0, len);
    *a = (struct dpact){type, len, arg};
    return a;
}

size_t dpact_clone_begin(struct buf *list)
{
    size_t at = list->len;
    dpact_append(list, DPACT_CLONE, sizeof(struct dpact_clone), 0);
    return at;
}

void dpact_clone_end(struct buf *list, size_t at)
{
    size_t len = list->len - at;
    assert(len <= UINT16_MAX);
    if (len == sizeof(struct dpact_clone))
        list->len = at;
    else
        ((struct dpact *)(list->data + at))->len = len;
}

static const char *const names[N_DPACTS] = {
#define DPACT(id, name, carries, doc) [DPACT_##id] = name,
#include "packet/dpact.def"
#undef DPACT
};

/* Ports by name if there is one. */
struct port_namer {
    const char *(*name)(uint32_t port, void *aux);
    void *aux;
};

static void format_port(uint32_t port, const struct port_namer *namer, struct buf *out)
{
    const char *s = namer->name ? namer->name(port, namer->aux) : NULL;
    if (s)
        buf_puts(out, s);
    else
        buf_printf(out, "%u", port);
}

static void format_set(const struct dpact_set *set, struct buf *out)
{
    enum field_id f = set->a.arg;
    buf_printf(out, "(%s=", fields[f].name);
    field_format(f, &set->value, &set->mask, NULL, out);
    buf_puts(out, ")");
}

static void format_mpls(const struct dpact_mpls *push, struct buf *out)
{
    uint32_t lse = ntohl(push->lse);
    buf_printf(out, "(0x%04x,label=%u,tc=%u,bos=%u,ttl=%u)", push->a.arg, lse >> 12, lse >> 9 & 7, lse >> 8 & 1,
               lse & 0xff);
}

static void format_ipv4(const char *name, be32 address, struct buf *out)
{
    char s[INET_ADDRSTRLEN];
    buf_printf(out, ",%s=%s", name, inet_ntop(AF_INET, &address, s, sizeof s));
}

static void format_one(const struct dpact *a, const struct port_namer *namer, struct buf *out)
{
    buf_puts(out, names[a->type]);
    switch ((enum dpact_type)a->type) {
    case DPACT_OUTPUT:
    case DPACT_TUN_POP:
        buf_puts(out, ":");
        format_port(a->arg, namer, out);
        return;
    case DPACT_SET_FIELD:
        format_set((const struct dpact_set *)a, out);
        return;
    case DPACT_PUSH_VLAN:
        buf_printf(out, "(0x%04x,vid=%u,pcp=%u)", a->arg >> 16, a->arg & VLAN_VID_MASK, a->arg >> VLAN_PCP_SHIFT & 7);
        return;
    case DPACT_PUSH_MPLS:
        format_mpls((const struct dpact_mpls *)a, out);
        return;
    case DPACT_POP_MPLS:
        buf_printf(out, ":0x%04x", a->arg);
        return;
    case DPACT_PUSH_PBB:
        buf_printf(out, "(isid=%u,pcp=%u)", a->arg & 0xffffff, a->arg >> 29);
        return;
    case DPACT_TUN_PUSH:
        buf_puts(out, "(");
        format_port(a->arg, namer, out);
        buf_printf(out, ",header=%u)", ((const struct dpact_push *)a)->header_len);
        return;
    case DPACT_CLONE:
        buf_puts(out, "(");
        dpact_format(((const struct dpact_clone *)a)->nested, a->len - sizeof *a, namer->name, namer->aux, out);
        buf_puts(out, ")");
        return;
    case DPACT_PUNT:
        buf_printf(out, "(kind=%u,max_len=%u)", a->arg, ((const struct dpact_punt *)a)->max_len);
        return;
    case DPACT_HOLD: {
        const struct dpact_hold *hold = (const struct dpact_hold *)a;
        buf_puts(out, "(");
        format_port(a->arg, namer, out);
        buf_printf(out, ",tun_id=0x%llx", (unsigned long long)be64toh(hold->tun_id));
        format_ipv4("src", hold->tun_src, out);
        format_ipv4("dst", hold->tun_dst, out);
        format_ipv4("nexthop", hold->nexthop, out);
        buf_puts(out, ")");
        return;
    }
    case DPACT_METER:
    case DPACT_DROP:
        buf_printf(out, ":%u", a->arg);
        return;
    case DPACT_POP_VLAN:
    case DPACT_POP_PBB:
    case DPACT_COPY_TTL_OUT:
    case DPACT_COPY_TTL_IN:
        return;
    case N_DPACTS:
        break;
    }
    assert(!"not a primitive action");
}

void dpact_format(const void *list, size_t len, const char *(*port_name)(uint32_t port, void *aux), void *aux,
                  struct buf *out)
{
    struct port_namer namer = {port_name, aux};
    bool first = true;
    DPACT_FOR_EACH(a, list, len) {
        if (!first)
            buf_puts(out, ",");
        first = false;
        format_one(a, &namer, out);
    }
}
