/* sim-pipe: a simulated bridge (sim.h) for a program at the other end of standard input and output: tests/sim/test-twin.py.
 *
 * Both ways a letter, a number of 32 bits, a length of 32 bits (big-endian) and so many bytes:
 *   in   O 0: OpenFlow to the switch; F port: a frame into a port, taken at S with all others; T ms: time passes;
 *        U, D port: a link comes up, goes down; S n: everything until now is done
 *   out  o 0: OpenFlow from the switch; f port: a frame that left by a port; s n: the answer to S */
#include <stdio.h>
#include <stdlib.h>
#include "tests/sim/sim.h"

static void out(char what, uint32_t number, const void *data, size_t len)
{
    uint8_t head[9] = {(uint8_t)what};
    be32 n = htonl(number), l = htonl((uint32_t)len);
    memcpy(head + 1, &n, 4);
    memcpy(head + 5, &l, 4);
    fwrite(head, sizeof head, 1, stdout);
    if (len)
        fwrite(data, 1, len, stdout);
}

static void transmitted(struct dp_port *p, const struct packet *pkt, void *aux)
{
    (void)aux;
    out('f', dp_port_ofport(p), pkt->data, pkt->len);
}

static void take_messages(struct peer *p)
{
    if (p->got.len)
        out('o', 0, p->got.data, p->got.len);
    buf_clear(&p->got);
}

static void set_link(struct sim *s, unsigned port, bool up)
{
    struct ofport *p = s->port[port];
    p->desc.state = up ? OFPPS_LIVE : OFPPS_LINK_DOWN;
    __atomic_store_n(&p->state, p->desc.state, __ATOMIC_RELAXED);
    dp_bump(s->dp, &p->gen);
}

static bool read_command(uint8_t head[9], struct buf *body)
{
    be32 len;
    buf_clear(body);
    if (fread(head, 9, 1, stdin) != 1)
        return false;
    memcpy(&len, head + 5, 4);
    size_t n = ntohl(len);
    return !n || fread(buf_extend(body, n), n, 1, stdin) == 1;
}

START_TEST(pipe_until_its_end)
{
    struct sim s;
    struct peer p;
    struct buf body = BUF_INIT;
    uint8_t head[9];
    sim_init(&s);
    for (unsigned i = 1; i <= SIM_PORTS; i++)
        dp_sim_on_transmit(ofport_dp(s.port[i]), transmitted, NULL);
    peer_open(&p, &s, OFCONN_CONTROLLER, 0);
    while (read_command(head, &body)) {
        be32 be;
        memcpy(&be, head + 1, 4);
        uint32_t number = ntohl(be);
        if (head[0] == 'O') {
            ofconn_receive(p.c, body.data, body.len, clock_msec());
        } else if (head[0] == 'F' && number >= 1 && number <= SIM_PORTS) {
            dp_sim_receive(ofport_dp(s.port[number]), body.data, body.len);
        } else if (head[0] == 'T') {
            clock_advance(number);
            sim_run(&s);
        } else if ((head[0] == 'U' || head[0] == 'D') && number >= 1 && number <= SIM_PORTS) {
            set_link(&s, number, head[0] == 'U');
        } else if (head[0] == 'S') {
            sim_run(&s);
            take_messages(&p);
            out('s', number, NULL, 0);
            fflush(stdout);
        } else {
            ck_abort_msg("cannot do %c %u", head[0], number);
        }
        take_messages(&p);
    }
    peer_close(&p);
    sim_destroy(&s);
    buf_free(&body);
}
END_TEST

/* A test of its own, since sim.h's functions use Check; in this process, silent on standard output. */
int main(void)
{
    Suite *suite = suite_create("pipe");
    TCase *tcase = tcase_create("pipe");
    tcase_add_test(tcase, pipe_until_its_end);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_SILENT);
    int n_failed = srunner_ntests_failed(runner);
    TestResult **failures = srunner_failures(runner);
    for (int i = 0; i < n_failed; i++)
        fprintf(stderr, "sim-pipe: %s\n", tr_msg(failures[i]));
    free(failures);
    srunner_free(runner);
    return n_failed ? 1 : 0;
}
