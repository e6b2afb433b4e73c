/* Tunnels and netlink against the real kernel: two network namespaces joined by a veth pair. Needs root and ip(8). */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "datapath/tunnel/tunnel.h"
#include "dp-sim.h"
#include "packet/ip.h"

/* Here: u0, 10.9.0.1. There: u1, 10.9.0.2, in the namespace of a child that sleeps. */
struct world {
    pid_t peer;
    int raw; /* there: GRE packets */
};

static void sh(const char *format, ...) PRINTF(1, 2);
static void sh(const char *format, ...)
{
    struct buf b = BUF_INIT;
    va_list args;
    va_start(args, format);
    buf_vprintf(&b, format, args);
    va_end(args);
    ck_assert_msg(system(buf_text(&b)) == 0, "failed: %s", buf_text(&b));
    buf_free(&b);
}

static int socket_there(pid_t pid)
{
    char path[64];
    int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof path, "/proc/%d/ns/net", (int)pid);
    int there = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert(here >= 0 && there >= 0 && !setns(there, CLONE_NEWNET));
    int s = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 47);
    ck_assert(s >= 0 && !setns(here, CLONE_NEWNET));
    close(here);
    close(there);
    return s;
}

static void there(const struct world *w, const char *command) { sh("nsenter -t %d -n %s", (int)w->peer, command); }

static struct world world_open(void)
{
    struct world w;
    int ready[2];
    char c;
    ck_assert(!unshare(CLONE_NEWNET) && !pipe(ready));
    w.peer = fork();
    if (!w.peer) {
        bool ok = !unshare(CLONE_NEWNET);
        if (write(ready[1], ok ? "y" : "n", 1) == 1)
            sleep(100);
        _exit(0);
    }
    ck_assert(read(ready[0], &c, 1) == 1 && c == 'y');
    close(ready[0]);
    close(ready[1]);
    sh("ip link set lo up && ip link add u0 type veth peer name u1 netns %d", (int)w.peer);
    sh("ip link set u0 up");
    there(&w, "ip link set lo up");
    there(&w, "ip link set u1 up");
    there(&w, "ip addr add 10.9.0.2/24 dev u1");
    w.raw = socket_there(w.peer);
    return w;
}

static void world_close(struct world *w)
{
    close(w->raw);
    kill(w->peer, SIGKILL);
    waitpid(w->peer, NULL, 0);
}

/* --- Netlink --- */

struct news {
    unsigned links, routes, addresses, neighbours;
    uint16_t state;
    char gone[IFNAMSIZ];
    uint32_t old; /* an ifindex that is no more */
    bool told_old;
};
static void on_link(void *aux, const struct nl_link *l)
{
    struct news *n = aux;
    n->links++;
    n->told_old = n->told_old || (!l->gone && l->ifindex == n->old);
    if (l->gone)
        memcpy(n->gone, l->name, sizeof n->gone);
}
static void on_addresses(void *aux) { ((struct news *)aux)->addresses++; }
static void on_routes(void *aux) { ((struct news *)aux)->routes++; }
static void on_neighbour(void *aux, const struct nl_neighbour *n)
{
    struct news *news = aux;
    if (n->address == inet_addr("10.9.0.2"))
        news->state = n->state;
    news->neighbours++;
}

static bool run_until(struct netlink *nl, bool (*done)(struct news *), struct news *news)
{
    for (msec_t end = clock_msec() + 5000; clock_msec() < end && !done(news);) {
        struct pollfd p = {.fd = netlink_fd(nl), .events = POLLIN};
        poll(&p, 1, 20);
        netlink_run(nl);
    }
    return done(news);
}
static bool has_mac(struct news *n) { return n->state & 2 /* NUD_REACHABLE */; }
static bool has_failed(struct news *n) { return n->state & 0x20 /* NUD_FAILED */; }
static bool has_route_news(struct news *n) { return n->routes > 0; }
static bool has_gone(struct news *n) { return !strcmp(n->gone, "u0"); }

START_TEST(the_kernel_answers)
{
    static const struct netlink_listener listener = {on_link, on_addresses, on_routes, on_neighbour, NULL};
    struct world w = world_open();
    struct news news = {0};
    struct nl_route r;
    struct nl_neighbour n;
    be32 to = inet_addr("10.9.0.2");
    struct netlink *nl = netlink_open(&listener, &news);
    ck_assert_ptr_nonnull(nl);
    netlink_run(nl);
    ck_assert_uint_ge(news.links, 2);
    ck_assert_int_lt(netlink_route(nl, to, 0, &r), 0);
    ck_assert(!netlink_is_local(nl, inet_addr("10.9.0.1")));

    sh("ip addr add 10.9.0.1/24 dev u0");
    news = (struct news){0};
    ck_assert(run_until(nl, has_route_news, &news));
    ck_assert(netlink_is_local(nl, inet_addr("10.9.0.1")));
    ck_assert_uint_ge(news.addresses, 1);
    ck_assert_int_eq(netlink_route(nl, to, 0, &r), 0);
    ck_assert_uint_eq(r.ifindex, if_nametoindex("u0"));
    ck_assert_uint_eq(r.source, inet_addr("10.9.0.1"));
    ck_assert_uint_eq(r.gateway, 0);
    ck_assert_int_lt(netlink_route(nl, to, inet_addr("10.9.0.77"), &r), 0); /* which error, kernels differ */
    ck_assert_int_eq(netlink_route(nl, inet_addr("10.9.0.1"), 0, &r), 0);
    ck_assert_uint_eq(r.type, 2 /* RTN_LOCAL */);
    const struct nl_link *link = netlink_link(nl, if_nametoindex("u0"));
    ck_assert(link && !strcmp(link->name, "u0") && link->mtu == 1500);
    ck_assert_ptr_null(netlink_link(nl, 4711));

    sh("ip route add 10.20.0.0/16 via 10.9.0.2 mtu 1400");
    ck_assert_int_eq(netlink_route(nl, inet_addr("10.20.1.1"), 0, &r), 0);
    ck_assert_uint_eq(r.gateway, to);
    ck_assert_uint_eq(r.mtu, 1400);
    news.routes = 0;
    sh("ip route del 10.20.0.0/16");
    ck_assert(run_until(nl, has_route_news, &news));
    ck_assert_int_eq(netlink_route(nl, inet_addr("10.20.1.1"), 0, &r), -ENETUNREACH);

    ck_assert_int_eq(netlink_neighbour(nl, if_nametoindex("u0"), to, &n), -ENOENT);
    ck_assert_int_eq(netlink_neighbour_use(nl, if_nametoindex("u0"), to), 0);
    ck_assert(run_until(nl, has_mac, &news));
    ck_assert_int_eq(netlink_neighbour(nl, if_nametoindex("u0"), to, &n), 0);
    ck_assert(nl_neighbour_usable(&n));
    sh("ip neigh flush dev u0");
    there(&w, "ip link set u1 arp off");
    sh("sysctl -qw net.ipv4.neigh.u0.retrans_time_ms=100 net.ipv4.neigh.u0.mcast_solicit=2");
    ck_assert_int_eq(netlink_neighbour_use(nl, if_nametoindex("u0"), to), 0);
    ck_assert(run_until(nl, has_failed, &news));

    /* News of a device that has gone meanwhile, while another one has its name, tell only that it is gone. */
    news.old = if_nametoindex("u0");
    sh("ip link set u0 mtu 1400 && ip link del u0 && ip link add u0 type veth peer name u1 && ip link set u0 up");
    ck_assert(run_until(nl, has_gone, &news));
    ck_assert(!news.told_old);
    ck_assert_ptr_null(netlink_link(nl, news.old));
    ck_assert_ptr_nonnull(netlink_link(nl, if_nametoindex("u0")));
    netlink_close(nl);
    world_close(&w);
}
END_TEST

/* --- Tunnels --- */

/* br0: p0 (sim) and gre1. br1: LOCAL and u0, if there is one. */
struct lab {
    struct world w;
    struct dp *dp;
    struct dp_bridge *br0, *br1;
    struct dp_port *p0, *gre1, *local, *u0;
    struct sent sent;
    unsigned changes;
};

static void to_tunnel(struct lab *lab, struct flow_view *v, struct dp_path *path)
{
    struct flow_view outer;
    struct dp_bridge *bridge;
    enum drop_reason drop;
    if (dp_tunnel_encap(lab->gre1, v, path, &outer, &bridge, &drop) == TUNNEL_BRIDGE) {
        ck_assert_ptr_eq(bridge, load_acquire(&lab->br1));
        ck_assert_uint_eq(ntohl(outer.key.meta.in_port), 0xfffffffe);
        ck_assert_uint_eq(outer.key.ip.proto, 47);
        ck_assert_uint_eq(outer.key.ip4.dst, inet_addr("10.9.0.2"));
        path_output(path, load_acquire(&lab->u0));
    } else if (drop) {
        path->drop = drop;
    }
}

static void lab_walk(void *aux, const struct flow_key *key, struct dp_path *path)
{
    struct lab *lab = *(struct lab **)aux;
    struct flow_view v;
    struct dp_port *to;
    view_init(&v, key);
    uint32_t in = ntohl(view_get(&v, meta.in_port));
    if (in == 1) { /* p0 */
        to_tunnel(lab, &v, path);
    } else if (in == 2) { /* gre1 */
        path_output(path, lab->p0);
    } else if (in == 0xfffffffe) {                   /* LOCAL of br1 */
        struct dp_port *u0 = load_acquire(&lab->u0); /* workers run before the lab is complete */
        if (u0)
            path_output(path, u0);
        path->uncacheable = !u0;
    } else if (in == 3) { /* u0 */
        enum drop_reason drop;
        struct dp_port *local = load_acquire(&load_acquire(&lab->br1)->local);
        if (!local) /* deleted, and a stray frame comes in */
            path->drop = DROP_NO_PORT, path->uncacheable = true;
        else if (dp_tunnel_decap(local, &v, path, &to, &drop) == TUNNEL_NONE)
            path_output(path, local);
        else if (drop)
            path->drop = drop;
    }
    path->consulted = v.consulted;
}

static void lab_walk_output(void *aux, struct dp_port *port, const struct flow_key *key, struct dp_path *path)
{
    struct lab *lab = *(struct lab **)aux;
    struct flow_view v;
    ck_assert_ptr_eq(port, lab->gre1);
    view_init(&v, key);
    to_tunnel(lab, &v, path);
}

static void lab_changed(void *aux, struct dp_port *port)
{
    (void)port;
    (*(struct lab **)aux)->changes++;
}
static void lab_punt(void *aux, uint32_t kind, const void *blob, size_t n, const struct packet *p, size_t total)
{
    (void)aux, (void)kind, (void)blob, (void)n, (void)p, (void)total;
}

static struct dp_port *add_port(struct lab *lab, struct dp_bridge *b, const char *name, const char *type, bool local,
                                uint32_t ofport, const char *key)
{
    struct dp_option options[] = {{"remote_ip", "10.9.0.2"}, {"key", key}};
    struct diag d = DIAG_INIT;
    struct dp_port_config c = {
        .name = name, .type = type, .local = local, .options = options, .n_options = key ? 2 : 0};
    struct dp_port *p = dp_port_add(b, &c, ofport, lab, &d);
    ck_assert_msg(p != NULL, "%s: %s", name, buf_text(&d.message));
    diag_free(&d);
    return p;
}

/* With `bridged` the underlay address sits on br1's LOCAL port and u0 is a port of br1; else on u0 itself. */
static void lab_open(struct lab *lab, struct lab **self, bool bridged, int workers, const char *key)
{
    static const struct dp_callbacks callbacks = {
        .walk = lab_walk, .walk_output = lab_walk_output, .punt = lab_punt, .port_changed = lab_changed};
    memset(lab, 0, sizeof *lab);
    *self = lab;
    lab->w = world_open();
    lab->dp = dp_create(&(struct dp_config){.workers = workers}, &callbacks);
    lab->br0 = dp_bridge_create(lab->dp, "br0", self);
    lab->p0 = add_port(lab, lab->br0, "p0", "sim", false, 1, NULL);
    dp_sim_on_transmit(lab->p0, sim_sent, &lab->sent);
    if (bridged) {
        store_release(&lab->br1, dp_bridge_create(lab->dp, "br1", self));
        lab->local = add_port(lab, lab->br1, "br1", "internal", true, 0xfffffffe, NULL);
        store_release(&lab->u0, add_port(lab, lab->br1, "u0", "system", false, 3, NULL));
        sh("ip link set br1 up && ip addr add 10.9.0.1/24 dev br1");
    } else {
        sh("ip addr add 10.9.0.1/24 dev u0");
    }
    lab->gre1 = add_port(lab, lab->br0, "gre1", "gre", false, 2, key);
}

static void lab_close(struct lab *lab)
{
    dp_port_del(lab->gre1);
    dp_port_del(lab->p0);
    if (lab->br1) {
        dp_port_del(lab->u0);
        if (lab->local)
            dp_port_del(lab->local);
        dp_bridge_destroy(lab->br1);
    }
    dp_bridge_destroy(lab->br0);
    dp_destroy(lab->dp);
    world_close(&lab->w);
}

static void run_for(struct lab *lab, msec_t ms)
{
    for (msec_t end = clock_msec() + ms; clock_msec() < end;) {
        struct pollfd p = {.fd = dp_fd(lab->dp), .events = POLLIN};
        msec_t wait = dp_wake_at(lab->dp) - clock_msec();
        poll(&p, 1, (int)MAX(0, MIN(wait, 5)));
        dp_run(lab->dp);
    }
}

static void inner_frame(uint8_t f[100], uint16_t number)
{
    udp_frame(f, 100, 0x020000000002, 0x020000000001, 0x0a000001, 0x0a000002, 1000, 2000);
    f[42] = (uint8_t)(number >> 8);
    f[43] = (uint8_t)number;
}

/* What arrived there: checks the outer header and that the packets are numbered from `first`; how many. */
static unsigned receive_there(struct lab *lab, unsigned first, uint32_t key)
{
    uint8_t b[2048];
    unsigned n = 0;
    for (ssize_t len; (len = recv(lab->w.raw, b, sizeof b, 0)) > 0;) {
        ck_assert_int_eq(len, 20 + 8 + 100);
        ck_assert_uint_eq(b[8], 64);
        ck_assert_uint_eq(peek16(b + 6), 0x4000);
        ck_assert_uint_eq(peek32(b + 12), 0x0a090001);
        ck_assert_uint_eq(peek32(b + 20), 0x20006558);
        ck_assert_uint_eq(peek32(b + 24), key);
        ck_assert_uint_eq(peek16(b + 28 + 42), first + n);
        n++;
    }
    return n;
}

static void send_from_there(struct lab *lab, uint32_t key, uint16_t number)
{
    uint8_t b[8 + 100] = {0x20,        0, 0x65, 0x58, (uint8_t)(key >> 24), (uint8_t)(key >> 16), (uint8_t)(key >> 8),
                          (uint8_t)key};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = inet_addr("10.9.0.1")};
    inner_frame(b + 8, number);
    ck_assert_int_eq(sendto(lab->w.raw, b, sizeof b, 0, (struct sockaddr *)&to, sizeof to), sizeof b);
}

static uint64_t drops(struct lab *lab, enum drop_reason reason, char last[256])
{
    struct dp_drop_row rows[N_DROPS];
    size_t n = dp_drops(lab->dp, rows);
    for (size_t i = 0; i < n; i++) {
        if (rows[i].reason == reason) {
            if (last)
                memcpy(last, rows[i].last, 256);
            return rows[i].packets;
        }
    }
    return 0;
}

static const char *status(struct lab *lab)
{
    static char text[1000];
    struct buf b = BUF_INIT;
    struct dp_port_info info = {.status = &b};
    dp_port_get_info(lab->gre1, &info);
    snprintf(text, sizeof text, "%serror=%s\n", buf_text(&b), info.error);
    buf_free(&b);
    return text;
}

/* Until the status has this text, or (`not`) has it no longer. */
static void expect(struct lab *lab, const char *text, bool is)
{
    for (msec_t end = clock_msec() + 5000; clock_msec() < end && !strstr(status(lab), text) == is;)
        run_for(lab, 5);
    ck_assert_msg(!strstr(status(lab), text) == !is, "status %s %s:\n%s", is ? "lacks" : "still has", text,
                  status(lab));
}

/* Every packet from the first on arrives, in order: the first ones wait for ARP, and more come while they do. */
static void sends_all(bool bridged, int workers)
{
    struct lab lab, *self;
    lab_open(&lab, &self, bridged, workers, "10");
    run_for(&lab, 50);
    unsigned n = 0, arrived = 0;
    for (int burst = 0; burst < 60; burst++) {
        for (int i = 0; i < (burst ? 5 : 40); i++) {
            uint8_t f[100];
            inner_frame(f, (uint16_t)n++);
            dp_sim_receive(lab.p0, f, sizeof f);
        }
        run_for(&lab, burst == 0 ? 1 : 4);
        arrived += receive_there(&lab, arrived, 10);
    }
    for (int i = 0; i < 40 && arrived < n; i++) {
        run_for(&lab, 50);
        arrived += receive_there(&lab, arrived, 10);
    }
    ck_assert_msg(arrived == n, "%u of %u packets arrived\n%s", arrived, n, status(&lab));
    ck_assert_ptr_nonnull(strstr(status(&lab), "next_hop=10.9.0.2 at "));
    ck_assert_ptr_nonnull(strstr(status(&lab), "mtu=1458\n"));

    send_from_there(&lab, 10, 77);
    send_from_there(&lab, 11, 78);
    run_for(&lab, 100);
    ck_assert_uint_eq(lab.sent.n, 1);
    ck_assert_uint_eq(lab.sent.last_len, 100);
    ck_assert_uint_eq(peek16(lab.sent.last + 42), 77);
    char last[256] = "";
    ck_assert_uint_eq(drops(&lab, DROP_TUN_NO_PORT, last), 1);
    ck_assert_msg(strstr(last, "key 0xb from 10.9.0.2 to 10.9.0.1: nearest port is gre1, which wants key 0xa") != NULL,
                  "%s", last);
    lab_close(&lab);
}

START_TEST(interface_without_workers)
{
    sends_all(false, 0);
}
END_TEST
START_TEST(interface_with_workers)
{
    sends_all(false, 2);
}
END_TEST
START_TEST(bridge_without_workers)
{
    sends_all(true, 0);
}
END_TEST
START_TEST(bridge_with_workers)
{
    sends_all(true, 2);
}
END_TEST

/* The peer does not answer: the queue is bounded, and what was in it is a named drop in the end. */
START_TEST(unreachable)
{
    struct lab lab, *self;
    uint8_t f[100];
    lab_open(&lab, &self, false, 0, "10");
    there(&lab.w, "ip link set u1 arp off");
    sh("sysctl -qw net.ipv4.neigh.u0.retrans_time_ms=100 net.ipv4.neigh.u0.mcast_solicit=2");
    for (int i = 0; i < 100; i++) {
        inner_frame(f, (uint16_t)i);
        dp_sim_receive(lab.p0, f, sizeof f);
        run_for(&lab, 1);
    }
    run_for(&lab, 1500);
    ck_assert_uint_gt(drops(&lab, DROP_NEIGH_FAILED, NULL), 0);
    ck_assert_uint_eq(drops(&lab, DROP_NEIGH_FAILED, NULL) + drops(&lab, DROP_NEIGH_QUEUE, NULL), 100);
    ck_assert_uint_eq(receive_there(&lab, 0, 10), 0);
    char last[256] = "";
    drops(&lab, DROP_NEIGH_FAILED, last);
    ck_assert_msg(strstr(last, ", next hop 10.9.0.2 on u0") != NULL, "%s", last);
    there(&lab.w, "ip link set u1 arp on"); /* it comes back: the next packet arrives */
    inner_frame(f, 500);
    dp_sim_receive(lab.p0, f, sizeof f);
    run_for(&lab, 500);
    ck_assert_uint_eq(receive_there(&lab, 500, 10), 1);
    lab_close(&lab);
}
END_TEST

static void send_one(struct lab *lab, uint16_t number)
{
    uint8_t f[100];
    inner_frame(f, number);
    dp_sim_receive(lab->p0, f, sizeof f);
}

static void expect_arrival(struct lab *lab, uint16_t number, uint32_t key)
{
    unsigned n = 0;
    for (msec_t end = clock_msec() + 5000; clock_msec() < end && !n; n = receive_there(lab, number, key))
        run_for(lab, 5);
    ck_assert_uint_eq(n, 1);
}

/* Routes, addresses and MACs change under a running tunnel. */
START_TEST(follows_the_kernel)
{
    struct lab lab, *self;
    lab_open(&lab, &self, false, 0, "flow");
    expect(&lab, "route=u0\n", true);
    send_one(&lab, 0);
    expect_arrival(&lab, 0, 0);

    sh("ip addr del 10.9.0.1/24 dev u0");
    expect(&lab, "error=no route to 10.9.0.2: Network is unreachable\n", true);
    send_one(&lab, 0);
    run_for(&lab, 20);
    ck_assert_uint_eq(drops(&lab, DROP_TUN_NO_ROUTE, NULL), 1);
    sh("ip addr add 10.9.0.1/24 dev u0");
    expect(&lab, "error=\n", true);

    there(&lab.w, "ip link set u1 address 02:00:00:00:99:99");
    there(&lab.w, "ping -q -c 1 -W 1 10.9.0.1 > /dev/null"); /* tells its new address */
    expect(&lab, "02:00:00:00:99:99", true);
    send_one(&lab, 1);
    expect_arrival(&lab, 1, 0);

    sh("ip route add 10.9.0.2/32 dev u0 mtu 1300");
    expect(&lab, "\nunderlay_mtu=1300\nmtu=1258\n", true);
    sh("ip route del 10.9.0.2/32");
    sh("ip link set u0 mtu 1400");
    expect(&lab, "\nmtu=1358\n", true);
    sh("ip addr add 10.9.0.2/32 dev lo");
    expect(&lab, "error=remote_ip 10.9.0.2 is an address of this host itself\n", true);
    sh("ip addr del 10.9.0.2/32 dev lo");
    expect(&lab, "error=\n", true);
    sh("ip link set u0 down");
    expect(&lab, "error=\n", false);
    sh("ip link set u0 up && ip addr replace 10.9.0.1/24 dev u0");
    expect(&lab, "error=\n", true);
    send_one(&lab, 2);
    expect_arrival(&lab, 2, 0);
    sh("ip link del u0");
    expect(&lab, "error=\n", false);
    ck_assert_uint_gt(lab.changes, 0);

    sh("ip link add u0 type veth peer name u1 netns %d && ip link set u0 up", (int)lab.w.peer);
    there(&lab.w, "ip link set u1 up");
    there(&lab.w, "ip addr add 10.9.0.2/24 dev u1");
    sh("ip addr add 10.9.0.1/24 dev u0");
    expect(&lab, "error=\n", true);
    send_one(&lab, 3);
    expect_arrival(&lab, 3, 0);
    lab_close(&lab);
}
END_TEST

/* Over a bridge: its LOCAL port and its switch port come and go. */
START_TEST(follows_the_bridge)
{
    struct lab lab, *self;
    lab_open(&lab, &self, true, 0, "flow");
    send_one(&lab, 0);
    expect_arrival(&lab, 0, 0);
    expect(&lab, "underlay_bridge=br1\n", true);
    sh("ip addr add 10.9.0.1/24 dev u0 && ip addr del 10.9.0.1/24 dev br1");
    expect(&lab, "error=the route to 10.9.0.2 leads to u0, a port of br1: give the address to br1 instead\n", true);
    sh("ip addr del 10.9.0.1/24 dev u0 && ip addr add 10.9.0.1/24 dev br1");
    expect(&lab, "error=\n", true);
    send_one(&lab, 1);
    expect_arrival(&lab, 1, 0);
    sh("ip link set br1 address 02:00:00:00:77:77");
    for (int i = 0; i < 20; i++)
        run_for(&lab, 5);
    send_one(&lab, 2);
    expect_arrival(&lab, 2, 0);
    there(&lab.w, "ip neigh flush dev u1");
    send_from_there(&lab, 5, 9);
    for (int i = 0; i < 100 && !lab.sent.n; i++)
        run_for(&lab, 10);
    ck_assert_uint_eq(lab.sent.n, 1);
    dp_port_del(lab.local); /* nothing is left that points to it */
    lab.local = NULL;
    send_one(&lab, 3);
    run_for(&lab, 20);
    expect(&lab, "error=\n", false);
    lab.local = add_port(&lab, lab.br1, "br1", "internal", true, 0xfffffffe, NULL);
    sh("ip link set br1 up && ip addr add 10.9.0.1/24 dev br1");
    expect(&lab, "error=\n", true);
    send_one(&lab, 4);
    expect_arrival(&lab, 4, 0);
    lab_close(&lab);
}
END_TEST

/* The tunnel's interface is given to a bridge: no packets can be sent there, and it is said what to do. */
START_TEST(interface_becomes_a_switch_port)
{
    struct lab lab, *self;
    lab_open(&lab, &self, false, 0, "10");
    send_one(&lab, 0);
    expect_arrival(&lab, 0, 10);
    struct dp_bridge *br2 = dp_bridge_create(lab.dp, "br2", &self);
    struct dp_port *port = add_port(&lab, br2, "u0", "system", false, 9, NULL);
    expect(&lab, "error=the route to 10.9.0.2 leads to u0, a port of br2: give the address to br2 instead\n", true);
    dp_port_del(port);
    dp_bridge_destroy(br2);
    expect(&lab, "error=\n", true);
    send_one(&lab, 1);
    expect_arrival(&lab, 1, 10);
    lab_close(&lab);
}
END_TEST

/* By another interface than the tunnel sends by, once; and over that one, once. */
START_TEST(receives_by_any_interface)
{
    struct lab lab, *self;
    lab_open(&lab, &self, false, 0, "10");
    send_one(&lab, 0);
    expect_arrival(&lab, 0, 10);
    send_from_there(&lab, 10, 1);
    run_for(&lab, 100);
    ck_assert_uint_eq(lab.sent.n, 1);
    sh("ip link add v0 type veth peer name v1 netns %d && ip link set v0 up && ip addr add 10.8.0.1/24 dev v0",
       (int)lab.w.peer);
    there(&lab.w, "ip link set v1 up");
    there(&lab.w, "ip addr add 10.8.0.2/24 dev v1");
    there(&lab.w, "ip route add 10.9.0.1/32 via 10.8.0.1 src 10.9.0.2");
    sh("sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.v0.rp_filter=0");
    send_from_there(&lab, 10, 2);
    for (int i = 0; i < 100 && lab.sent.n < 2; i++)
        run_for(&lab, 10);
    run_for(&lab, 50);
    ck_assert_uint_eq(lab.sent.n, 2);
    ck_assert_uint_eq(peek16(lab.sent.last + 42), 2);
    lab_close(&lab);
}
END_TEST

/* A thousand tunnels to one peer share the underlay, the next hop and main's time. */
START_TEST(many_tunnels)
{
    enum { MANY = 1000 };
    struct lab lab, *self;
    struct dp_port *ports[MANY];
    lab_open(&lab, &self, false, 0, "10");
    for (int i = 0; i < MANY; i++) {
        char name[16], key[16];
        snprintf(name, sizeof name, "t%d", i);
        snprintf(key, sizeof key, "%d", 100 + i);
        ports[i] = add_port(&lab, lab.br0, name, "gre", false, 2, key);
    }
    send_one(&lab, 0);
    expect_arrival(&lab, 0, 10);
    send_from_there(&lab, 100 + MANY - 1, 1);
    send_from_there(&lab, 100 + MANY, 2);
    run_for(&lab, 100);
    ck_assert_uint_eq(lab.sent.n, 1);
    ck_assert_uint_eq(drops(&lab, DROP_TUN_NO_PORT, NULL), 1);
    sh("ip addr del 10.9.0.1/24 dev u0");
    struct dp_port *first = lab.gre1;
    lab.gre1 = ports[MANY - 1];
    expect(&lab, "error=\n", false);
    lab.gre1 = first;
    sh("ip addr add 10.9.0.1/24 dev u0");
    msec_t start = clock_msec(), longest = 0;
    for (struct dp_port_info info = {.error = "yes"}; *info.error && clock_msec() - start < 10000;) {
        msec_t at = clock_msec();
        dp_run(lab.dp);
        longest = MAX(longest, clock_msec() - at);
        dp_port_get_info(ports[MANY - 1], &info);
    }
    if (getenv("XVS_TEST_TIMES"))
        printf("%d tunnels: routes asked again in %d ms, dp_run() at most %d ms\n", MANY, (int)(clock_msec() - start),
               (int)longest);
    ck_assert_int_lt(clock_msec() - start, 10000);
    for (int i = 0; i < MANY; i++)
        dp_port_del(ports[i]);
    lab_close(&lab);
}
END_TEST

static const char *refusal(struct lab *lab, const char *local, const char *in_key, int *bad)
{
    static char text[300];
    struct dp_option options[] = {{"remote_ip", "10.9.0.2"}, {"in_key", in_key}, {"local_ip", local}};
    struct dp_port_config c = {.name = "gre2", .type = "gre", .options = options, .n_options = local ? 3 : 2};
    struct diag d = DIAG_INIT;
    bool ok = dp_port_validate(lab->dp, &c, NULL, bad, &d);
    ck_assert_int_eq(ok, !d.failed);
    snprintf(text, sizeof text, "%s", buf_text(&d.message));
    diag_free(&d);
    return text;
}

START_TEST(refuses)
{
    struct lab lab, *self;
    int bad;
    lab_open(&lab, &self, true, 0, "10");
    ck_assert_str_eq(refusal(&lab, NULL, "10", &bad), "port gre1 already takes the packets with remote_ip=10.9.0.2 "
                                                      "local_ip=any in_key=0xa; tell them apart by key or local_ip");
    ck_assert_int_eq(bad, -1);
    ck_assert_str_eq(refusal(&lab, NULL, "11", &bad), "");
    ck_assert_str_eq(refusal(&lab, NULL, "flow", &bad), "");
    ck_assert_str_eq(refusal(&lab, "10.9.0.1", "10", &bad), "");
    ck_assert_str_eq(refusal(&lab, NULL, "abc", &bad), "wants a number from 0 to 0xffffffff, or flow");
    ck_assert_int_eq(bad, 1);

    /* The tunnel's own bridge has the address to which the route leads. */
    struct dp_port *old = lab.gre1;
    dp_port_del(old);
    lab.gre1 = add_port(&lab, lab.br1, "gre1", "gre", false, 2, "10");
    expect(&lab, "error=the route to 10.9.0.2 leads back into br1\n", true);
    struct dp_option options[] = {{"remote_ip", "10.9.0.2"}, {"local_ip", "10.9.0.55"}};
    struct dp_port_config c = {.name = "gre1", .type = "gre", .options = options, .n_options = 2};
    ck_assert(dp_port_reconfigure(lab.gre1, &c, NULL));
    expect(&lab, "error=local_ip 10.9.0.55 is no address of this host\n", true);
    lab_close(&lab);
}
END_TEST

static uint16_t state_here(struct netlink *nl)
{
    struct nl_neighbour n = {0};
    netlink_neighbour(nl, if_nametoindex("u0"), inet_addr("10.9.0.2"), &n);
    return n.state;
}

/* A neighbour that traffic uses is probed when it is stale; one that nothing uses is left alone. */
START_TEST(keeps_neighbours_fresh)
{
    static const struct netlink_listener listener = {NULL, NULL, NULL, NULL, NULL};
    const uint16_t stale = 4, delay = 8;
    struct lab lab, *self;
    lab_open(&lab, &self, false, 0, "10");
    struct netlink *nl = netlink_open(&listener, NULL);
    send_one(&lab, 0);
    expect_arrival(&lab, 0, 10);
    send_one(&lab, 1);
    expect_arrival(&lab, 1, 10);
    sh("ip neigh change 10.9.0.2 dev u0 nud stale");
    run_for(&lab, 50);
    ck_assert_uint_eq(state_here(nl), stale);
    clock_fake(clock_msec());
    clock_advance(12000);
    for (int i = 0; i < 20; i++) {
        clock_advance(100);
        dp_run(lab.dp);
    }
    ck_assert_uint_eq(state_here(nl), delay);
    sh("ip neigh change 10.9.0.2 dev u0 nud stale");
    for (int i = 0; i < 100; i++) {
        clock_advance(1000);
        dp_run(lab.dp);
    }
    ck_assert_uint_eq(state_here(nl), stale);
    netlink_close(nl);
    lab_close(&lab);
}
END_TEST

static void add(Suite *suite)
{
    TCase *t = tcase_create("kernel");
    tcase_add_test(t, the_kernel_answers);
    tcase_add_test(t, interface_without_workers);
    tcase_add_test(t, interface_with_workers);
    tcase_add_test(t, bridge_without_workers);
    tcase_add_test(t, bridge_with_workers);
    tcase_add_test(t, unreachable);
    tcase_add_test(t, follows_the_kernel);
    tcase_add_test(t, follows_the_bridge);
    tcase_add_test(t, refuses);
    tcase_add_test(t, many_tunnels);
    tcase_add_test(t, interface_becomes_a_switch_port);
    tcase_add_test(t, receives_by_any_interface);
    tcase_add_test(t, keeps_neighbours_fresh);
    suite_add_tcase(suite, t);
}

int main(int argc, char *argv[])
{
    (void)argc;
    if (geteuid() || system("ip -V > /dev/null 2>&1"))
        return 77;
    Suite *suite = unit_suite("tunnels and the kernel");
    add(suite);
    return unit_run(suite, argv[0]);
}
