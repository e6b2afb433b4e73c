#include "datapath/netlink/netlink.h"
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include "base/log.h"
#include "base/mem.h"

LOG_MODULE(netlink);

enum {
    DATAGRAMS_A_RUN = 64, /* each holds one or a few messages */
    BUFFER = 32768,       /* the kernel's dumps come in pieces of up to this */
    SOCKET_BUFFER = 1 << 20,
    DUMP_TRIES = 3, /* of a dump during which something changed */
};

/* An address on two devices is there twice. */
struct host_address {
    be32 address;
    uint32_t ifindex;
};

struct netlink {
    struct mnl_socket *news, *ask;
    struct netlink_listener listener;
    void *aux;
    uint32_t seq;
    bool resync; /* everything is to be asked again */

    struct nl_link *links; /* by ifindex, ascending */
    size_t n_links, a_links;
    struct host_address *addresses; /* ascending */
    size_t n_addresses, a_addresses;
    be32 *unique;
    size_t n_unique;
    char buffer[BUFFER];
};

/* --- Tables --- */

static size_t link_place(const struct netlink *nl, uint32_t ifindex)
{
    size_t low = 0, high = nl->n_links;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (nl->links[middle].ifindex < ifindex)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const struct nl_link *find_link(const struct netlink *nl, uint32_t ifindex)
{
    size_t i = link_place(nl, ifindex);
    return i < nl->n_links && nl->links[i].ifindex == ifindex ? &nl->links[i] : NULL;
}

static void store_link(struct netlink *nl, const struct nl_link *link)
{
    size_t i = link_place(nl, link->ifindex);
    bool have = i < nl->n_links && nl->links[i].ifindex == link->ifindex;
    if (link->gone) {
        if (have)
            memmove(&nl->links[i], &nl->links[i + 1], (--nl->n_links - i) * sizeof *nl->links);
        return;
    }
    if (!have) {
        if (nl->n_links == nl->a_links)
            nl->links = xrealloc(nl->links, (nl->a_links = nl->a_links * 2 + 16) * sizeof *nl->links);
        memmove(&nl->links[i + 1], &nl->links[i], (nl->n_links++ - i) * sizeof *nl->links);
    }
    nl->links[i] = *link;
}

static int compare_addresses(const struct host_address *a, const struct host_address *b)
{
    if (a->address != b->address)
        return a->address < b->address ? -1 : 1;
    return a->ifindex < b->ifindex ? -1 : a->ifindex > b->ifindex;
}

static void store_address(struct netlink *nl, const struct nl_address *news)
{
    struct host_address a = {news->address, news->ifindex};
    size_t low = 0, high = nl->n_addresses;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare_addresses(&nl->addresses[middle], &a) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool have = low < nl->n_addresses && !compare_addresses(&nl->addresses[low], &a);
    if (have == !news->gone)
        return;
    if (news->gone) {
        memmove(&nl->addresses[low], &nl->addresses[low + 1], (--nl->n_addresses - low) * sizeof a);
        return;
    }
    if (nl->n_addresses == nl->a_addresses)
        nl->addresses = xrealloc(nl->addresses, (nl->a_addresses = nl->a_addresses * 2 + 16) * sizeof a);
    memmove(&nl->addresses[low + 1], &nl->addresses[low], (nl->n_addresses++ - low) * sizeof a);
    nl->addresses[low] = a;
}

/* Tells the listener if the set of addresses, whatever their devices, is another one than before. */
static void settle_addresses(struct netlink *nl)
{
    be32 *unique = xmalloc((nl->n_addresses + 1) * sizeof *unique);
    size_t n = 0;
    for (size_t i = 0; i < nl->n_addresses; i++)
        if (!n || unique[n - 1] != nl->addresses[i].address)
            unique[n++] = nl->addresses[i].address;
    bool same = nl->unique && n == nl->n_unique && !memcmp(unique, nl->unique, n * sizeof *unique);
    free(nl->unique);
    nl->unique = unique;
    nl->n_unique = n;
    if (!same && nl->listener.addresses)
        nl->listener.addresses(nl->aux);
}

const be32 *netlink_addresses(const struct netlink *nl, size_t *n)
{
    *n = nl->n_unique;
    return nl->unique;
}

bool netlink_is_local(const struct netlink *nl, be32 address)
{
    size_t low = 0, high = nl->n_unique;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (nl->unique[middle] < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low < nl->n_unique && nl->unique[low] == address;
}

/* --- Asking --- */

/* Gives the messages of one datagram that belong to the request to fn. 1: there is more to come; 0 or -errno: over. */
static int read_answer(struct netlink *nl, size_t n, bool single, mnl_cb_t fn, void *aux, bool *interrupted)
{
    int left = (int)n, result = 1;
    for (const struct nlmsghdr *h = (void *)nl->buffer; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
        if (h->nlmsg_seq != nl->seq)
            continue; /* of an earlier request that was given up */
        *interrupted = *interrupted || h->nlmsg_flags & NLM_F_DUMP_INTR;
        if (h->nlmsg_type == NLMSG_DONE)
            return *interrupted ? -EINTR : 0;
        if (h->nlmsg_type == NLMSG_ERROR) {
            const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);
            return mnl_nlmsg_get_payload_len(h) < sizeof *e ? -EBADMSG : e->error;
        }
        if (fn)
            fn(h, aux);
        result = single ? 0 : result;
    }
    return result;
}

/* Sends a request and gives every message of the answer to fn. 0 or -errno; -EINTR: a dump to be repeated. */
static int ask(struct netlink *nl, struct nlmsghdr *request, mnl_cb_t fn, void *aux)
{
    bool single = !(request->nlmsg_flags & (NLM_F_DUMP | NLM_F_ACK)), interrupted = false;
    int result = 1;
    request->nlmsg_seq = ++nl->seq;
    if (mnl_socket_sendto(nl->ask, request, request->nlmsg_len) < 0)
        return -errno;
    while (result > 0) {
        ssize_t n = mnl_socket_recvfrom(nl->ask, nl->buffer, sizeof nl->buffer);
        result = n < 0 ? -errno : read_answer(nl, (size_t)n, single, fn, aux, &interrupted);
    }
    return result;
}

struct route_answer {
    struct nl_route *out;
    bool have;
};

static int take_route(const struct nlmsghdr *h, void *aux)
{
    struct route_answer *a = aux;
    a->have = a->have || (h->nlmsg_type == RTM_NEWROUTE && nl_parse_route(h, a->out));
    return MNL_CB_OK;
}

int netlink_route(struct netlink *nl, be32 to, be32 from, struct nl_route *out)
{
    char request[NL_REQUEST] __attribute__((aligned(8)));
    struct route_answer answer = {out, false};
    int error = ask(nl, nl_route_request(request, to, from), take_route, &answer);
    return error ? error : answer.have ? 0 : -ENETUNREACH;
}

struct neighbour_answer {
    struct nl_neighbour *out;
    bool have;
};

static int take_neighbour(const struct nlmsghdr *h, void *aux)
{
    struct neighbour_answer *a = aux;
    a->have = a->have || (h->nlmsg_type == RTM_NEWNEIGH && nl_parse_neighbour(h, a->out));
    return MNL_CB_OK;
}

int netlink_neighbour(struct netlink *nl, uint32_t ifindex, be32 address, struct nl_neighbour *out)
{
    char request[NL_REQUEST] __attribute__((aligned(8)));
    struct neighbour_answer answer = {out, false};
    int error = ask(nl, nl_neighbour_request(request, ifindex, address), take_neighbour, &answer);
    return error ? error : answer.have ? 0 : -ENOENT;
}

int netlink_neighbour_use(struct netlink *nl, uint32_t ifindex, be32 address)
{
    char request[NL_REQUEST] __attribute__((aligned(8)));
    return ask(nl, nl_neighbour_use(request, ifindex, address), NULL, NULL);
}

struct link_answer {
    struct nl_link *out;
    bool have;
};

static int take_one_link(const struct nlmsghdr *h, void *aux)
{
    struct link_answer *a = aux;
    a->have = a->have || (h->nlmsg_type == RTM_NEWLINK && nl_parse_link(h, a->out));
    return MNL_CB_OK;
}

static int ask_link(struct netlink *nl, uint32_t ifindex, struct nl_link *out)
{
    char request[NL_REQUEST] __attribute__((aligned(8)));
    struct link_answer answer = {out, false};
    int error = ask(nl, nl_link_request(request, ifindex), take_one_link, &answer);
    return error ? error : answer.have ? 0 : -ENODEV;
}

/* A link of which no news has been read yet, since its port was made a moment ago, is asked for. */
const struct nl_link *netlink_link(struct netlink *nl, uint32_t ifindex)
{
    struct nl_link link;
    if (!find_link(nl, ifindex) && !ask_link(nl, ifindex, &link))
        store_link(nl, &link);
    return find_link(nl, ifindex);
}

/* --- Asking for everything --- */

static int take_link(const struct nlmsghdr *h, void *aux)
{
    struct netlink *nl = aux;
    struct nl_link link;
    if (h->nlmsg_type != RTM_NEWLINK || !nl_parse_link(h, &link))
        return MNL_CB_OK;
    if (nl->n_links == nl->a_links)
        nl->links = xrealloc(nl->links, (nl->a_links = nl->a_links * 2 + 16) * sizeof *nl->links);
    nl->links[nl->n_links++] = link;
    return MNL_CB_OK;
}

static int by_ifindex(const void *a, const void *b)
{
    const struct nl_link *x = a, *y = b;
    return x->ifindex < y->ifindex ? -1 : x->ifindex > y->ifindex;
}

static int take_address(const struct nlmsghdr *h, void *aux)
{
    struct nl_address a;
    if (h->nlmsg_type == RTM_NEWADDR && nl_parse_address(h, &a))
        store_address(aux, &a);
    return MNL_CB_OK;
}

static int dump(struct netlink *nl, uint16_t type, uint8_t family, mnl_cb_t fn, size_t *count)
{
    int error = -EINTR;
    for (int i = 0; i < DUMP_TRIES && error == -EINTR; i++) {
        char request[NL_REQUEST] __attribute__((aligned(8)));
        *count = 0;
        error = ask(nl, nl_dump_request(request, type, family), fn, nl);
    }
    nl->resync = nl->resync || error == -EINTR;
    if (error && error != -EINTR)
        log_warn_rl("the kernel does not list its %s: %s", type == RTM_GETLINK ? "links" : "addresses",
                    strerror(-error));
    return error;
}

/* Lists links and addresses anew, and tells what differs from before. */
static void resync(struct netlink *nl)
{
    struct nl_link *old = nl->links;
    size_t n_old = nl->n_links;
    nl->resync = false;
    nl->links = NULL;
    nl->n_links = nl->a_links = 0;
    dump(nl, RTM_GETLINK, AF_UNSPEC, take_link, &nl->n_links);
    if (nl->n_links)
        qsort(nl->links, nl->n_links, sizeof *nl->links, by_ifindex);
    for (size_t i = 0; i < n_old; i++) {
        if (!find_link(nl, old[i].ifindex) && nl->listener.link) {
            old[i].gone = true;
            nl->listener.link(nl->aux, &old[i]);
        }
    }
    free(old);
    for (size_t i = 0; i < nl->n_links && nl->listener.link; i++)
        nl->listener.link(nl->aux, &nl->links[i]);
    dump(nl, RTM_GETADDR, AF_INET, take_address, &nl->n_addresses);
    settle_addresses(nl);
    if (nl->listener.routes)
        nl->listener.routes(nl->aux);
    if (nl->listener.resync)
        nl->listener.resync(nl->aux);
}

/* --- News --- */

static int take_news(const struct nlmsghdr *h, void *aux)
{
    struct netlink *nl = aux;
    struct nl_link link;
    struct nl_address address;
    struct nl_neighbour neighbour;
    switch (h->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
        if (nl_parse_link(h, &link)) {
            /* News may be old: the device may be gone by now, and another one have its name. */
            link.gone = link.gone || ask_link(nl, link.ifindex, &link) == -ENODEV;
            store_link(nl, &link);
            if (nl->listener.link)
                nl->listener.link(nl->aux, &link);
        }
        break;
    case RTM_NEWADDR:
    case RTM_DELADDR:
        if (nl_parse_address(h, &address)) {
            store_address(nl, &address);
            settle_addresses(nl);
        }
        __attribute__((fallthrough)); /* an address brings routes with it */
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
    case RTM_NEWRULE:
    case RTM_DELRULE:
    case RTM_NEWNEXTHOP:
    case RTM_DELNEXTHOP:
        if (nl->listener.routes)
            nl->listener.routes(nl->aux);
        break;
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
        if (nl_parse_neighbour(h, &neighbour) && nl->listener.neighbour)
            nl->listener.neighbour(nl->aux, &neighbour);
        break;
    }
    return MNL_CB_OK;
}

bool netlink_run(struct netlink *nl)
{
    char buffer[8192] __attribute__((aligned(8))); /* not nl->buffer: listeners ask */
    if (nl->resync)
        resync(nl);
    for (int i = 0; i < DATAGRAMS_A_RUN; i++) {
        ssize_t n = mnl_socket_recvfrom(nl->news, buffer, sizeof buffer);
        if (n < 0 && errno == ENOBUFS)
            nl->resync = true;
        else if (n < 0 && errno == ENOSPC)
            nl->resync = true; /* a message longer than the buffer: not understood, so ask */
        else if (n < 0)
            return nl->resync;
        else
            mnl_cb_run(buffer, (size_t)n, 0, 0, take_news, nl);
    }
    return true;
}

/* --- Opening --- */

static struct mnl_socket *open_socket(void)
{
    struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (s && mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0) {
        int error = errno;
        mnl_socket_close(s);
        errno = error;
        s = NULL;
    }
    return s;
}

int netlink_fd(const struct netlink *nl) { return mnl_socket_get_fd(nl->news); }

struct netlink *netlink_open(const struct netlink_listener *listener, void *aux)
{
    static const int groups[] = {RTNLGRP_LINK,      RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE,
                                 RTNLGRP_IPV4_RULE, RTNLGRP_NEXTHOP,     RTNLGRP_NEIGH};
    struct netlink *nl = xzalloc(sizeof *nl);
    nl->listener = *listener;
    nl->aux = aux;
    nl->resync = true;
    nl->news = open_socket();
    nl->ask = nl->news ? open_socket() : NULL;
    if (!nl->ask) {
        int error = errno;
        netlink_close(nl);
        errno = error;
        return NULL;
    }
    int size = SOCKET_BUFFER;
    if (setsockopt(netlink_fd(nl), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
        setsockopt(netlink_fd(nl), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    /* A group that an old kernel does not know (nexthop objects) is no loss. */
    for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
        mnl_socket_setsockopt(nl->news, NETLINK_ADD_MEMBERSHIP, (void *)&groups[i], sizeof groups[i]);
    return nl;
}

void netlink_close(struct netlink *nl)
{
    if (!nl)
        return;
    if (nl->news)
        mnl_socket_close(nl->news);
    if (nl->ask)
        mnl_socket_close(nl->ask);
    free(nl->links);
    free(nl->addresses);
    free(nl->unique);
    free(nl);
}
