/* Ports on real devices: AF_PACKET on veth, TAP, pcap files, the ingress guard. In a network namespace of its own;
 * skipped without the right to make one. */
#include "config.h"
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/buf.h"
#include "dp-sim.h"

static bool run(const char *command)
{
    int r = system(command);
    return r == 0;
}
#define RUN(COMMAND) ck_assert_msg(run(COMMAND), "failed: %s", COMMAND)

/* In a new namespace, named for this process so that `ip -n` finds the far ends of the veths in a second one. */
static char far[32];

static void setup(void)
{
    char command[256];
    if (unshare(CLONE_NEWNET | CLONE_NEWNS)) {
        ck_abort_msg("no namespace: %s", strerror(errno));
    }
    RUN("mount --make-rprivate / && mount -t tmpfs none /run && mkdir /run/netns && mount -t sysfs none /sys");
    snprintf(far, sizeof far, "far");
    snprintf(command, sizeof command, "ip netns add %s && ip link set lo up", far);
    RUN(command);
}

static bool may_unshare(void)
{
    pid_t pid = fork();
    if (!pid)
        _exit(unshare(CLONE_NEWNET | CLONE_NEWNS) || access("/dev/net/tun", R_OK | W_OK) ? 1 : 0);
    int status;
    return waitpid(pid, &status, 0) == pid && status == 0;
}

struct bridge_test {
    struct dp *dp;
    struct dp_bridge *bridge;
    struct dp_port *port[8];
    unsigned n;
    struct dp_gen gen; /* of port and n */
    unsigned changes;
};

/* Everything to every other port. */
static void hub(void *aux, const struct flow_key *key, struct dp_path *path)
{
    struct bridge_test *t = aux;
    struct flow_view v;
    view_init(&v, key);
    uint32_t in = ntohl(view_get(&v, meta.in_port));
    dp_path_dep(path, &t->gen);
    unsigned n = load_acquire(&t->n);
    for (unsigned i = 0; i < n; i++)
        if (in != i + 1)
            path_output(path, t->port[i]);
    path->consulted = v.consulted;
}

static void punt(void *aux, uint32_t kind, const void *blob, size_t n, const struct packet *p, size_t total)
{
    (void)aux, (void)kind, (void)blob, (void)n, (void)p, (void)total;
}

static void changed(void *aux, struct dp_port *port)
{
    struct bridge_test *t = aux;
    (void)port;
    t->changes++;
}

static void start(struct bridge_test *t, int workers, bool netlink)
{
    static const struct dp_callbacks callbacks = {.walk = hub, .punt = punt, .port_changed = changed};
    struct dp_config config = {.workers = workers, .no_netlink = !netlink};
    *t = (struct bridge_test){.dp = dp_create(&config, &callbacks)};
    t->bridge = dp_bridge_create(t->dp, "br0", t);
}

static struct dp_port *add(struct bridge_test *t, const char *name, const char *type, const struct dp_option *o,
                           size_t n)
{
    struct diag d = DIAG_INIT;
    struct dp_port_config config = {
        .name = name, .type = type, .options = o, .n_options = n, .local = !strcmp(type, "internal")};
    struct dp_port *port = dp_port_add(t->bridge, &config, t->n + 1, t, &d);
    ck_assert_msg(port != NULL, "%s: %s", name, buf_text(&d.message));
    diag_free(&d);
    t->port[t->n] = port;
    store_release(&t->n, t->n + 1);
    dp_bump(t->dp, &t->gen);
    return port;
}

static void stop(struct bridge_test *t)
{
    unsigned n = t->n;
    store_release(&t->n, 0);
    dp_bump(t->dp, &t->gen);
    dp_synchronize(t->dp);
    for (unsigned i = 0; i < n; i++)
        dp_port_del(t->port[i]);
    dp_bridge_destroy(t->bridge);
    dp_destroy(t->dp);
}

/* Runs the datapath while a command runs; its exit status. */
static int run_with(struct bridge_test *t, const char *command)
{
    pid_t pid = fork();
    int status;
    if (!pid)
        _exit(WEXITSTATUS(system(command)));
    while (waitpid(pid, &status, WNOHANG) == 0) {
        struct pollfd p = {dp_fd(t->dp), POLLIN, 0};
        poll(&p, 1, 5);
        dp_run(t->dp);
    }
    return WEXITSTATUS(status);
}

static void two_hosts(void)
{
    RUN("ip netns add h1; ip netns add h2;"
        "ip link add p1 type veth peer name eth0 netns h1; ip link add p2 type veth peer name eth0 netns h2;"
        "ip link set p1 up; ip link set p2 up;"
        "ip -n h1 addr add 10.9.0.1/24 dev eth0; ip -n h2 addr add 10.9.0.2/24 dev eth0;"
        "ip -n h1 link set eth0 up; ip -n h2 link set eth0 up");
}

static void ping_between(int workers, const char *io)
{
    const struct dp_option options[] = {{"io", io}};
    struct bridge_test t;
    setup();
    two_hosts();
    start(&t, workers, false);
    add(&t, "p1", "system", options, 1);
    add(&t, "p2", "system", options, 1);
    ck_assert_int_eq(run_with(&t, "ip netns exec h1 ping -q -c 5 -i 0.05 -W 1 10.9.0.2 >/dev/null"), 0);
    stop(&t);
}

START_TEST(hosts_ping_through_afpacket)
{
    ping_between(_i, "packet");
}
END_TEST

#ifdef HAVE_LIBXDP
/* With more workers than queues, these are shared. */
START_TEST(hosts_ping_through_xdp)
{
    ping_between(_i, "xdp");
}
END_TEST

/* Another way to exchange packets is another port. */
START_TEST(io_is_for_life)
{
    const struct dp_option options[] = {{"io", "xdp"}}, others[] = {{"io", "packet"}};
    struct dp_port_config same = {.name = "p1", .type = "system", .options = options, .n_options = 1};
    struct dp_port_config other = {.name = "p1", .type = "system", .options = others, .n_options = 1};
    struct dp_port_config none = {.name = "p1", .type = "system"};
    struct diag d = DIAG_INIT;
    struct bridge_test t;
    setup();
    two_hosts();
    start(&t, 1, false);
    struct dp_port *port = add(&t, "p1", "system", options, 1);
    ck_assert(dp_port_reconfigure(port, &same, NULL));
    ck_assert(!dp_port_reconfigure(port, &none, NULL));
    ck_assert(!dp_port_reconfigure(port, &other, &d));
    ck_assert_msg(strstr(buf_text(&d.message), "add it again"), "%s", buf_text(&d.message));
    diag_free(&d);
    struct dp_port *packet = add(&t, "p2", "system", NULL, 0);
    other.name = "p2";
    ck_assert(dp_port_reconfigure(packet, &other, NULL));
    stop(&t);
}
END_TEST
#endif

/* Hosts with IPv6 say things unasked. */
static void sim_sent_by_us(struct dp_port *port, const struct packet *p, void *aux)
{
    if (p->len >= 12 && !memcmp(p->data + 6, "\2\0\0\0\0\1", 6))
        sim_sent(port, p, aux);
}

/* The kernel takes the outermost tag out of the frame: what is sent on has it again. */
START_TEST(vlan_tags_survive)
{
    struct bridge_test t;
    struct sent sent = {0};
    setup();
    two_hosts();
    start(&t, 0, false);
    add(&t, "p1", "system", NULL, 0);
    dp_sim_on_transmit(add(&t, "s", "sim", NULL, 0), sim_sent_by_us, &sent);
    const char *script = "cat >/run/tag.py <<'X'\n"
                         "import socket,sys\n"
                         "s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW); s.bind(('eth0',0))\n"
                         "s.send(bytes.fromhex('020000000002'+'020000000001'+sys.argv[1])+bytes(60))\n"
                         "X\n"
                         "ip netns exec h1 python3 /run/tag.py ";
    static const char *const tags[] = {"8100600588b5", "88a800078100200588b5"};
    for (unsigned i = 0; i < ARRAY_SIZE(tags); i++) {
        char command[1024], hex[64];
        snprintf(command, sizeof command, "%s%s; sleep 0.1", script, tags[i]);
        ck_assert_int_eq(run_with(&t, command), 0);
        for (unsigned j = 0; j < strlen(tags[i]) / 2; j++)
            snprintf(hex + 2 * j, 3, "%02x", sent.last[12 + j]);
        ck_assert_str_eq(hex, tags[i]);
        ck_assert_uint_eq(sent.last_len, 12 + strlen(tags[i]) / 2 + 60);
    }
    stop(&t);
}
END_TEST

/* Super-segments and partial checksums cross as they are; nothing is set with ethtool. */
START_TEST(tcp_with_default_offloads)
{
    struct bridge_test t;
    setup();
    two_hosts();
    start(&t, 1, false);
    add(&t, "p1", "system", NULL, 0);
    add(&t, "p2", "system", NULL, 0);
    const char *script =
        "cat >/run/tcp.py <<'X'\n"
        "import socket,sys,threading,hashlib\n"
        "data=bytes(range(256))*8192\n"
        "if sys.argv[1]=='s':\n"
        "    l=socket.socket(); l.bind(('10.9.0.2',7)); l.listen(); c,_=l.accept(); g=b''\n"
        "    while len(g)<len(data):\n"
        "        x=c.recv(1<<16)\n"
        "        if not x: break\n"
        "        g+=x\n"
        "    c.sendall(b'ok' if g==data else b'no'); c.close()\n"
        "else:\n"
        "    import time\n"
        "    for i in range(50):\n"
        "        try: c=socket.create_connection(('10.9.0.2',7),5); break\n"
        "        except OSError: time.sleep(.1)\n"
        "    c.settimeout(10); c.sendall(data); sys.exit(c.recv(2)!=b'ok')\n"
        "X\n"
        "timeout 20 ip netns exec h2 python3 /run/tcp.py s & timeout 20 ip netns exec h1 python3 /run/tcp.py c";
    ck_assert_int_eq(run_with(&t, script), 0);
    /* 2 MB in far fewer packets than segments. */
    struct dp_port_stats stats;
    dp_port_get_stats(t.port[0], &stats);
    ck_assert_uint_gt(stats.rx_bytes, 2 << 20);
    ck_assert_uint_lt(stats.rx_packets, (2 << 20) / 1448);
    stop(&t);
}
END_TEST

START_TEST(hosts_ping_through_tap)
{
    struct bridge_test t;
    setup();
    RUN("ip netns add h1; ip link add p1 type veth peer name eth0 netns h1; ip link set p1 up;"
        "ip -n h1 addr add 10.9.0.1/24 dev eth0; ip -n h1 link set eth0 up");
    start(&t, _i, false);
    add(&t, "br0", "internal", NULL, 0);
    add(&t, "p1", "system", NULL, 0);
    RUN("ip addr add 10.9.0.2/24 dev br0");
    ck_assert_int_eq(run_with(&t, "ip netns exec h1 ping -q -c 5 -i 0.05 -W 1 10.9.0.2 >/dev/null"), 0);
    ck_assert_int_eq(run_with(&t, "ping -q -c 5 -i 0.05 -W 1 10.9.0.1 >/dev/null"), 0);
    struct dp_port_info info = {0};
    dp_port_get_info(t.port[0], &info);
    ck_assert_uint_eq(info.flags, DP_PORT_UP | DP_PORT_RUNNING | DP_PORT_PRESENT);
    ck_assert_uint_eq(info.mtu, 1500);
    ck_assert_uint_eq(info.ifindex, if_nametoindex("br0"));
    stop(&t);
    ck_assert_uint_eq(if_nametoindex("br0"), 0);
}
END_TEST

/* The host must not answer what arrives at a switch port, though it has the address. */
START_TEST(host_stays_quiet)
{
    struct bridge_test t;
    setup();
    RUN("ip netns add h1; ip link add p1 type veth peer name eth0 netns h1; ip addr add 10.9.0.2/24 dev p1;"
        "ip link set p1 up; ip -n h1 addr add 10.9.0.1/24 dev eth0; ip -n h1 link set eth0 up");
    const char *ping = "ip netns exec h1 ping -q -c 2 -i 0.1 -W 1 10.9.0.2 >/dev/null";
    ck_assert(run(ping));
    start(&t, 1, false);
    add(&t, "p1", "system", NULL, 0);
    struct dp_port_info info = {0};
    dp_port_get_info(t.port[0], &info);
    ck_assert_str_eq(info.error, "");
    ck_assert_int_ne(run_with(&t, ping), 0);
    struct dp_port_stats stats;
    dp_port_get_stats(t.port[0], &stats);
    ck_assert_uint_ge(stats.rx_packets, 2); /* and we got it */
    stop(&t);
    ck_assert(run(ping)); /* and it is the host's again */
}
END_TEST

START_TEST(refuses_a_device_that_exists)
{
    struct bridge_test t;
    struct diag d = DIAG_INIT;
    setup();
    RUN("ip link add br9 type veth peer name br8");
    start(&t, 0, false);
    struct dp_port_config config = {.name = "br9", .type = "internal"};
    ck_assert(!dp_port_add(t.bridge, &config, 1, NULL, &d));
    ck_assert_ptr_nonnull(strstr(buf_text(&d.message), "br9 exists already"));
    diag_free(&d);
    stop(&t);
}
END_TEST

/* A system interface that goes and comes back, seen by netlink. */
START_TEST(device_goes_and_comes_back)
{
    struct bridge_test t;
    struct dp_port_info info = {0};
    setup();
    start(&t, _i, true);
    add(&t, "p1", "system", NULL, 0);
    add(&t, "p2", "system", NULL, 0);
    dp_port_get_info(t.port[0], &info);
    ck_assert_uint_eq(info.flags, 0);
    ck_assert_ptr_nonnull(strstr(info.error, "no device p1"));
    two_hosts();
    const char *ping = "ip netns exec h1 ping -q -c 5 -i 0.05 -W 1 10.9.0.2 >/dev/null";
    ck_assert_int_eq(run_with(&t, "sleep 0.3"), 0);
    dp_port_get_info(t.port[0], &info);
    ck_assert_str_eq(info.error, "");
    ck_assert_uint_eq(info.flags, DP_PORT_UP | DP_PORT_RUNNING | DP_PORT_PRESENT);
    ck_assert_uint_ge(t.changes, 2);
    ck_assert_int_eq(run_with(&t, ping), 0);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(run_with(&t, "ip link del p1; sleep 0.2"), 0);
        dp_port_get_info(t.port[0], &info);
        ck_assert_uint_eq(info.flags, 0);
        ck_assert_int_eq(run_with(&t, "ip link add p1 type veth peer name eth0 netns h1; ip link set p1 up;"
                                      "ip -n h1 addr add 10.9.0.1/24 dev eth0; ip -n h1 link set eth0 up; sleep 0.2"),
                         0);
        ck_assert_int_eq(run_with(&t, ping), 0);
    }
    /* Down is not gone. */
    ck_assert_int_eq(run_with(&t, "ip link set p1 down; sleep 0.2"), 0);
    dp_port_get_info(t.port[0], &info);
    ck_assert_uint_eq(info.flags, DP_PORT_PRESENT);
    ck_assert_int_eq(run_with(&t, "ip link set p1 up; sleep 0.2"), 0);
    ck_assert_int_eq(run_with(&t, ping), 0);
    stop(&t);
}
END_TEST

/* Somebody deletes the device of an internal port: it says so, and nobody spins. */
START_TEST(tap_deleted_by_others)
{
    struct bridge_test t;
    struct dp_port_info info = {0};
    struct timespec a, b;
    setup();
    start(&t, 1, _i);
    add(&t, "br0", "internal", NULL, 0);
    ck_assert_int_eq(run_with(&t, "ip link del br0; sleep 0.2"), 0);
    dp_port_get_info(t.port[0], &info);
    ck_assert_uint_eq(info.flags, 0);
    ck_assert_ptr_nonnull(strstr(info.error, "deleted"));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
    usleep(300000);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
    ck_assert_int_lt((b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000, 50000);
    stop(&t);
}
END_TEST

START_TEST(pcap_in_and_out)
{
    struct bridge_test t;
    const struct dp_option read_again[] = {{"file", "/run/a.pcap"}}, write[] = {{"write", "/run/a.pcap"}},
                           write_b[] = {{"write", "/run/b.pcap"}};
    uint8_t frame[80];
    setup();
    start(&t, 0, false);
    struct dp_port *sim = add(&t, "s0", "sim", NULL, 0);
    add(&t, "w", "pcap", write, 1);
    add(&t, "n", "null", NULL, 0);
    for (int i = 0; i < 100; i++) {
        udp_frame(frame, sizeof frame, i, 2, 3, 4, 5, i);
        dp_sim_receive(sim, frame, sizeof frame);
    }
    for (int i = 0; i < 10; i++)
        dp_run(t.dp);
    struct dp_port_stats stats;
    dp_port_get_stats(t.port[2], &stats);
    ck_assert_uint_eq(stats.tx_packets, 100);
    stop(&t);

    struct stat a, b;
    ck_assert(!stat("/run/a.pcap", &a));
    ck_assert_uint_eq(a.st_size, 24 + 100 * (16 + 80));
    start(&t, 0, false);
    add(&t, "w", "pcap", write_b, 1);
    add(&t, "r", "pcap", read_again, 1);
    for (int i = 0; i < 10; i++)
        dp_run(t.dp);
    stop(&t);
    ck_assert(!stat("/run/b.pcap", &b));
    ck_assert_int_eq(a.st_size, b.st_size);
}
END_TEST

/* A worker that has nothing to do sleeps. */
START_TEST(idle_costs_nothing)
{
    struct bridge_test t;
    setup();
    two_hosts();
    start(&t, 2, false);
    add(&t, "p1", "system", NULL, 0);
    add(&t, "p2", "system", NULL, 0);
    usleep(200000);
    struct timespec a, b;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
    usleep(1000000);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
    ck_assert_int_lt((b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000, 20000); /* of 1000000 µs */
    stop(&t);
}
END_TEST

static void add_tests(Suite *suite)
{
    TCase *t = tcase_create("port");
    tcase_add_loop_test(t, hosts_ping_through_afpacket, 0, 3);
#ifdef HAVE_LIBXDP
    tcase_add_loop_test(t, hosts_ping_through_xdp, 0, 4);
    tcase_add_test(t, io_is_for_life);
#endif
    tcase_add_test(t, vlan_tags_survive);
    tcase_add_test(t, tcp_with_default_offloads);
    tcase_add_loop_test(t, hosts_ping_through_tap, 0, 2);
    tcase_add_test(t, host_stays_quiet);
    tcase_add_test(t, refuses_a_device_that_exists);
    tcase_add_loop_test(t, device_goes_and_comes_back, 0, 2);
    tcase_add_loop_test(t, tap_deleted_by_others, 0, 2);
    tcase_add_test(t, pcap_in_and_out);
    tcase_add_test(t, idle_costs_nothing);
    suite_add_tcase(suite, t);
}

int main(int argc, char *argv[])
{
    (void)argc;
    if (!may_unshare()) {
        printf("skipped: this needs the right to make network namespaces and /dev/net/tun\n");
        return 77;
    }
    Suite *suite = unit_suite("port");
    add_tests(suite);
    return unit_run(suite, argv[0]);
}
