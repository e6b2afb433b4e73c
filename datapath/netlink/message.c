#include "datapath/netlink/message.h"
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

enum { MAX_ATTR = 64 };
struct attrs {
    const struct nlattr *a[MAX_ATTR];
};

static int take_attr(const struct nlattr *a, void *aux)
{
    struct attrs *t = aux;
    if (mnl_attr_get_type(a) < MAX_ATTR)
        t->a[mnl_attr_get_type(a)] = a;
    return MNL_CB_OK;
}

/* The message's fixed part of `size` bytes, and its attributes; NULL if it is too short. Later attributes of a type
 * win; types that we do not know are left out. */
static const void *open_message(const struct nlmsghdr *h, size_t size, struct attrs *t)
{
    memset(t, 0, sizeof *t);
    if (h->nlmsg_len < MNL_NLMSG_HDRLEN + MNL_ALIGN(size))
        return NULL;
    mnl_attr_parse(h, (unsigned)size, take_attr, t);
    return mnl_nlmsg_get_payload(h);
}

static bool get_u32(const struct nlattr *a, uint32_t *out)
{
    if (!a || mnl_attr_get_payload_len(a) < sizeof *out)
        return false;
    memcpy(out, mnl_attr_get_payload(a), sizeof *out);
    return true;
}

static bool get_mac(const struct nlattr *a, uint8_t mac[6])
{
    memset(mac, 0, 6);
    if (!a || mnl_attr_get_payload_len(a) != 6)
        return false;
    memcpy(mac, mnl_attr_get_payload(a), 6);
    return true;
}

bool nl_parse_link(const struct nlmsghdr *h, struct nl_link *out)
{
    struct attrs t;
    const struct ifinfomsg *m = open_message(h, sizeof *m, &t);
    if (!m || m->ifi_family != AF_UNSPEC || m->ifi_index <= 0 || !t.a[IFLA_IFNAME] || t.a[IFLA_WIRELESS])
        return false; /* those with IFLA_WIRELESS are events of a radio, without the link's properties */
    memset(out, 0, sizeof *out);
    out->ifindex = (uint32_t)m->ifi_index;
    out->flags = m->ifi_flags;
    out->hardware = m->ifi_type;
    out->gone = h->nlmsg_type == RTM_DELLINK;
    size_t n = strnlen(mnl_attr_get_payload(t.a[IFLA_IFNAME]), mnl_attr_get_payload_len(t.a[IFLA_IFNAME]));
    if (n == 0 || n >= sizeof out->name)
        return false;
    memcpy(out->name, mnl_attr_get_payload(t.a[IFLA_IFNAME]), n);
    get_u32(t.a[IFLA_MTU], &out->mtu);
    get_mac(t.a[IFLA_ADDRESS], out->mac);
    return true;
}

/* IFA_LOCAL is this end's address, on point-to-point links other than IFA_ADDRESS; without it they are the same. */
bool nl_parse_address(const struct nlmsghdr *h, struct nl_address *out)
{
    struct attrs t;
    const struct ifaddrmsg *m = open_message(h, sizeof *m, &t);
    if (!m || m->ifa_family != AF_INET)
        return false;
    memset(out, 0, sizeof *out);
    out->ifindex = m->ifa_index;
    out->gone = h->nlmsg_type == RTM_DELADDR;
    return get_u32(t.a[IFA_LOCAL] ? t.a[IFA_LOCAL] : t.a[IFA_ADDRESS], &out->address);
}

static int take_mtu(const struct nlattr *a, void *aux)
{
    if (mnl_attr_get_type(a) == RTAX_MTU)
        get_u32(a, aux);
    return MNL_CB_OK;
}

bool nl_parse_route(const struct nlmsghdr *h, struct nl_route *out)
{
    struct attrs t;
    const struct rtmsg *m = open_message(h, sizeof *m, &t);
    if (!m || m->rtm_family != AF_INET)
        return false;
    memset(out, 0, sizeof *out);
    out->type = m->rtm_type;
    out->via_other = t.a[RTA_VIA] != NULL;
    get_u32(t.a[RTA_GATEWAY], &out->gateway);
    get_u32(t.a[RTA_PREFSRC], &out->source);
    if (t.a[RTA_METRICS])
        mnl_attr_parse_nested(t.a[RTA_METRICS], take_mtu, &out->mtu);
    return get_u32(t.a[RTA_OIF], &out->ifindex) || m->rtm_type != RTN_UNICAST;
}

bool nl_parse_neighbour(const struct nlmsghdr *h, struct nl_neighbour *out)
{
    struct attrs t;
    const struct ndmsg *m = open_message(h, sizeof *m, &t);
    if (!m || m->ndm_family != AF_INET)
        return false;
    memset(out, 0, sizeof *out);
    out->ifindex = (uint32_t)m->ndm_ifindex;
    out->state = h->nlmsg_type == RTM_DELNEIGH ? 0 : m->ndm_state;
    out->has_mac = get_mac(t.a[NDA_LLADDR], out->mac);
    return get_u32(t.a[NDA_DST], &out->address);
}

/* --- Requests --- */

static struct nlmsghdr *request(void *buf, uint16_t type, uint16_t flags)
{
    struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
    h->nlmsg_type = type;
    h->nlmsg_flags = NLM_F_REQUEST | flags;
    return h;
}

/* The kernel wants the whole fixed part of the message in a dump with strict checking, and at least the family byte
 * without: ifinfomsg is the longest of those that we use. */
struct nlmsghdr *nl_dump_request(void *buf, uint16_t type, uint8_t family)
{
    struct nlmsghdr *h = request(buf, type, NLM_F_DUMP);
    struct ifinfomsg *m = mnl_nlmsg_put_extra_header(h, sizeof *m);
    m->ifi_family = family;
    return h;
}

struct nlmsghdr *nl_link_request(void *buf, uint32_t ifindex)
{
    struct nlmsghdr *h = request(buf, RTM_GETLINK, 0);
    struct ifinfomsg *m = mnl_nlmsg_put_extra_header(h, sizeof *m);
    m->ifi_index = (int)ifindex;
    return h;
}

struct nlmsghdr *nl_route_request(void *buf, be32 to, be32 from)
{
    struct nlmsghdr *h = request(buf, RTM_GETROUTE, 0);
    struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof *m);
    m->rtm_family = AF_INET;
    m->rtm_dst_len = 32;
    m->rtm_src_len = from ? 32 : 0;
    mnl_attr_put_u32(h, RTA_DST, to);
    if (from)
        mnl_attr_put_u32(h, RTA_SRC, from);
    return h;
}

static struct nlmsghdr *neighbour_message(void *buf, uint16_t type, uint16_t flags, uint8_t ndm_flags, uint32_t ifindex,
                                          be32 address)
{
    struct nlmsghdr *h = request(buf, type, flags);
    struct ndmsg *m = mnl_nlmsg_put_extra_header(h, sizeof *m);
    m->ndm_family = AF_INET;
    m->ndm_ifindex = (int)ifindex;
    m->ndm_flags = ndm_flags;
    mnl_attr_put_u32(h, NDA_DST, address);
    return h;
}

struct nlmsghdr *nl_neighbour_request(void *buf, uint32_t ifindex, be32 address)
{
    return neighbour_message(buf, RTM_GETNEIGH, 0, 0, ifindex, address);
}

struct nlmsghdr *nl_neighbour_use(void *buf, uint32_t ifindex, be32 address)
{
    return neighbour_message(buf, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_ACK, NTF_USE, ifindex, address);
}

/* --- Neighbour states: NUD_VALID of the kernel, which its headers for users do not have --- */

bool nl_neighbour_usable(const struct nl_neighbour *n)
{
    return n->has_mac && n->state & (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY);
}

const char *nl_neighbour_state_name(uint16_t state)
{
    static const struct {
        uint16_t state;
        const char *name;
    } names[] = {{NUD_REACHABLE, "reachable"}, {NUD_STALE, "stale"},          {NUD_DELAY, "delay"},
                 {NUD_PROBE, "probe"},         {NUD_FAILED, "failed"},        {NUD_PERMANENT, "permanent"},
                 {NUD_NOARP, "noarp"},         {NUD_INCOMPLETE, "incomplete"}};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (state & names[i].state)
            return names[i].name;
    return "unknown";
}
