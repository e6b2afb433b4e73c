#include "unit.h"
#include <libmnl/libmnl.h>
#include <net/if_arp.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include "datapath/netlink/message.h"

static uint64_t buffer[128];

static struct nlmsghdr *start(uint16_t type, const void *fixed, size_t n)
{
    memset(buffer, 0, sizeof buffer);
    struct nlmsghdr *h = mnl_nlmsg_put_header(buffer);
    h->nlmsg_type = type;
    memcpy(mnl_nlmsg_put_extra_header(h, n), fixed, n);
    return h;
}

static struct nlmsghdr *make_link(uint16_t type)
{
    struct ifinfomsg m = {.ifi_index = 7, .ifi_flags = IFF_UP | IFF_RUNNING, .ifi_type = ARPHRD_ETHER};
    struct nlmsghdr *h = start(type, &m, sizeof m);
    mnl_attr_put_strz(h, IFLA_IFNAME, "eth0");
    mnl_attr_put_u32(h, IFLA_MTU, 1500);
    mnl_attr_put(h, IFLA_ADDRESS, 6, "\x08\0\x27\x54\xe2\xe4");
    mnl_attr_put_u32(h, 4000, 1); /* from a later kernel */
    return h;
}

static struct nlmsghdr *make_address(uint16_t type, bool peer)
{
    struct ifaddrmsg m = {.ifa_family = AF_INET, .ifa_index = 7, .ifa_prefixlen = 24};
    struct nlmsghdr *h = start(type, &m, sizeof m);
    mnl_attr_put_u32(h, IFA_ADDRESS, inet_addr(peer ? "10.0.0.2" : "10.0.0.1"));
    mnl_attr_put_u32(h, IFA_LOCAL, inet_addr("10.0.0.1"));
    return h;
}

static struct nlmsghdr *make_route(uint8_t type)
{
    struct rtmsg m = {.rtm_family = AF_INET, .rtm_dst_len = 32, .rtm_type = type};
    struct nlmsghdr *h = start(RTM_NEWROUTE, &m, sizeof m);
    mnl_attr_put_u32(h, RTA_DST, inet_addr("10.1.0.1"));
    if (type == RTN_UNICAST) {
        mnl_attr_put_u32(h, RTA_OIF, 7);
        mnl_attr_put_u32(h, RTA_GATEWAY, inet_addr("10.0.0.254"));
        mnl_attr_put_u32(h, RTA_PREFSRC, inet_addr("10.0.0.1"));
        struct nlattr *metrics = mnl_attr_nest_start(h, RTA_METRICS);
        mnl_attr_put_u32(h, RTAX_ADVMSS, 1340);
        mnl_attr_put_u32(h, RTAX_MTU, 1400);
        mnl_attr_nest_end(h, metrics);
    }
    return h;
}

static struct nlmsghdr *make_neighbour(uint16_t type, uint16_t state)
{
    struct ndmsg m = {.ndm_family = AF_INET, .ndm_ifindex = 7, .ndm_state = state};
    struct nlmsghdr *h = start(type, &m, sizeof m);
    mnl_attr_put_u32(h, NDA_DST, inet_addr("10.0.0.254"));
    if (state != NUD_FAILED && state != NUD_INCOMPLETE)
        mnl_attr_put(h, NDA_LLADDR, 6, "\2\0\0\0\0\1");
    return h;
}

START_TEST(links)
{
    struct nl_link l;
    ck_assert(nl_parse_link(make_link(RTM_NEWLINK), &l));
    ck_assert(l.ifindex == 7 && l.mtu == 1500 && l.flags == (IFF_UP | IFF_RUNNING) && l.hardware == ARPHRD_ETHER);
    ck_assert_str_eq(l.name, "eth0");
    ck_assert_mem_eq(l.mac, "\x08\0\x27\x54\xe2\xe4", 6);
    ck_assert(!l.gone);
    ck_assert(nl_parse_link(make_link(RTM_DELLINK), &l) && l.gone);
    struct ifinfomsg m = {.ifi_index = 7, .ifi_family = AF_BRIDGE}; /* a kernel bridge's port: another thing */
    struct nlmsghdr *h = start(RTM_DELLINK, &m, sizeof m);
    mnl_attr_put_strz(h, IFLA_IFNAME, "eth0");
    ck_assert(!nl_parse_link(h, &l));
    m.ifi_family = AF_UNSPEC;
    h = start(RTM_NEWLINK, &m, sizeof m);
    ck_assert(!nl_parse_link(h, &l)); /* no name */
    mnl_attr_put(h, IFLA_IFNAME, 20, "a-name-that-is-much-too-long");
    ck_assert(!nl_parse_link(h, &l));
}
END_TEST

START_TEST(addresses)
{
    struct nl_address a;
    ck_assert(nl_parse_address(make_address(RTM_NEWADDR, false), &a));
    ck_assert(a.ifindex == 7 && a.address == inet_addr("10.0.0.1") && !a.gone);
    ck_assert(nl_parse_address(make_address(RTM_DELADDR, true), &a));
    ck_assert(a.address == inet_addr("10.0.0.1") && a.gone);
}
END_TEST

START_TEST(routes)
{
    struct nl_route r;
    ck_assert(nl_parse_route(make_route(RTN_UNICAST), &r));
    ck_assert(r.ifindex == 7 && r.gateway == inet_addr("10.0.0.254") && r.source == inet_addr("10.0.0.1"));
    ck_assert(r.mtu == 1400 && r.type == RTN_UNICAST && !r.via_other);
    ck_assert(nl_parse_route(make_route(RTN_UNREACHABLE), &r) && r.type == RTN_UNREACHABLE && !r.ifindex);
}
END_TEST

START_TEST(neighbours)
{
    static const uint16_t usable = NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY;
    struct nl_neighbour n;
    for (uint16_t state = 1; state <= 0x80; state *= 2) {
        ck_assert(nl_parse_neighbour(make_neighbour(RTM_NEWNEIGH, state), &n));
        ck_assert(n.ifindex == 7 && n.address == inet_addr("10.0.0.254") && n.state == state);
        ck_assert_int_eq(nl_neighbour_usable(&n), !!(state & usable));
        ck_assert_str_ne(nl_neighbour_state_name(state), "unknown");
    }
    ck_assert(nl_parse_neighbour(make_neighbour(RTM_DELNEIGH, NUD_REACHABLE), &n));
    ck_assert(!nl_neighbour_usable(&n));
}
END_TEST

/* Whatever bytes: no read behind the message. */
START_TEST(nonsense)
{
    uint64_t rng = unit_seed();
    const struct nlmsghdr *samples[4];
    for (int i = 0; i < 20000; i++) {
        unsigned which = unit_below(&rng, 4);
        samples[0] = which == 0 ? make_link(RTM_NEWLINK) : NULL;
        samples[1] = which == 1 ? make_address(RTM_NEWADDR, false) : NULL;
        samples[2] = which == 2 ? make_route(RTN_UNICAST) : NULL;
        samples[3] = which == 3 ? make_neighbour(RTM_NEWNEIGH, NUD_STALE) : NULL;
        uint32_t len = samples[which]->nlmsg_len;
        uint32_t cut = NLMSG_HDRLEN + unit_below(&rng, len - NLMSG_HDRLEN + 1);
        struct nlmsghdr *h = calloc(1, NLMSG_ALIGN(cut));
        memcpy(h, samples[which], cut);
        for (unsigned flips = unit_below(&rng, 6); flips--;)
            ((uint8_t *)h)[unit_below(&rng, cut)] ^= (uint8_t)(1 << unit_below(&rng, 8));
        h->nlmsg_len = cut;
        struct nl_link l;
        struct nl_address a;
        struct nl_route r;
        struct nl_neighbour n;
        nl_parse_link(h, &l);
        nl_parse_address(h, &a);
        nl_parse_route(h, &r);
        nl_parse_neighbour(h, &n);
        free(h);
    }
}
END_TEST

UNIT_TEST_MAIN("netlink messages", links, addresses, routes, neighbours, nonsense)
