/* sim.h: a bridge in one process: invented ports, time that stands still until it is told to pass, and OpenFlow peers whose
 * bytes go to and fro by function calls. No sockets, no threads, no root: the same every time. */
#ifndef TESTS_SIM_H
#define TESTS_SIM_H 1

#include "base/mem.h"
#include "ofproto/bridge.h"
#include "tests/unit/unit.h"

enum { SIM_PORTS = 3, SIM_START = 1000000 /* ms */ };

struct sim {
    struct dp *dp;
    struct ofproto *o;
    struct ofport *port[SIM_PORTS + 1]; /* [1] is p1, number 1 … */
    unsigned n_sent[SIM_PORTS + 1];     /* frames that left by it */
    struct buf last_sent;               /* the latest frame */
};

static inline void sim_transmitted(struct dp_port *p, const struct packet *pkt, void *s_)
{
    struct sim *s = s_;
    if (dp_port_ofport(p) <= SIM_PORTS)
        s->n_sent[dp_port_ofport(p)]++;
    buf_clear(&s->last_sent);
    buf_put(&s->last_sent, pkt->data, pkt->len);
}

static inline struct ofport *sim_port_add(struct sim *s, const char *name, uint32_t request)
{
    struct diag d = DIAG_INIT;
    struct dp_port_config c = {.name = name, .type = "sim"};
    struct ofport *p = ofproto_port_add(s->o, &c, request, &d);
    ck_assert_msg(p != NULL, "%s: %s", name, buf_text(&d.message));
    dp_sim_on_transmit(ofport_dp(p), sim_transmitted, s);
    diag_free(&d);
    return p;
}

/* secure: no flow to begin with. */
static inline void sim_init(struct sim *s)
{
    static const char *const names[] = {NULL, "p1", "p2", "p3"};
    struct ofproto_config config = {.fail_mode = FAIL_SECURE, .datapath_id = 0x123};
    struct dp_config dc = {.workers = 0, .no_netlink = true};
    memset(s, 0, sizeof *s);
    clock_fake(SIM_START);
    s->dp = dp_create(&dc, &ofproto_dp_callbacks);
    s->o = ofproto_create(s->dp, "br0");
    ofproto_configure(s->o, &config);
    for (unsigned i = 1; i <= SIM_PORTS; i++)
        s->port[i] = sim_port_add(s, names[i], i);
}

static inline void sim_destroy(struct sim *s)
{
    for (unsigned i = 1; i <= SIM_PORTS; i++)
        if (s->port[i])
            ofproto_port_del(s->port[i]);
    ofproto_destroy(s->o);
    dp_destroy(s->dp);
    buf_free(&s->last_sent);
}

static inline void sim_run(struct sim *s)
{
    for (int i = 0; i < 3; i++)
        dp_run(s->dp);
    ofproto_run(s->o, clock_msec());
}

static inline void sim_pass(struct sim *s, msec_t ms) /* in steps, as a loop would */
{
    while (ms > 0) {
        msec_t step = MIN(ms, (msec_t)250);
        clock_advance(step);
        ms -= step;
        sim_run(s);
    }
}

/* A UDP packet, 60 bytes, from 10.0.0.<src> to 10.0.0.<dst>. */
static inline void sim_receive(struct sim *s, unsigned port, uint8_t src, uint8_t dst)
{
    uint8_t f[60] = {2, 0, 0, 0, 0, dst, 2, 0, 0, 0, 0, src, 8, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, src,
                     10, 0, 0, dst, 0x12, 0x34, 0x56, 0x78, 0, 26, 0, 0};
    dp_sim_receive(ofport_dp(s->port[port]), f, sizeof f);
    sim_run(s);
}

/* --- Peers --- */

struct peer {
    struct sim *sim;
    struct ofconn *c;
    struct buf got;
    size_t at, backlog;
    bool hung_up;
    unsigned n_states;
    struct ofp_header h; /* of the message that peer_next() gave */
    const uint8_t *msg;
};

static inline void peer_got(void *p_, const void *data, size_t len)
{
    struct peer *p = p_;
    buf_put(&p->got, data, len);
}
static inline size_t peer_backlog(void *p) { return ((struct peer *)p)->backlog; }
static inline void peer_hung_up(void *p, const char *why)
{
    (void)why;
    ((struct peer *)p)->hung_up = true;
}
static inline void peer_state(void *p) { ((struct peer *)p)->n_states++; }
static const struct ofconn_callbacks peer_callbacks = {peer_got, peer_backlog, peer_hung_up, peer_state};

static inline void peer_open(struct peer *p, struct sim *s, enum ofconn_kind kind, unsigned probe)
{
    memset(p, 0, sizeof *p);
    p->sim = s;
    p->c = ofconn_open(s->o, kind, &peer_callbacks, p, probe);
}

static inline void peer_close(struct peer *p)
{
    ofconn_close(p->c);
    buf_free(&p->got);
}

/* Gives the bytes to the switch and frees them. */
static inline void peer_send(struct peer *p, struct buf *b)
{
    ofconn_receive(p->c, b->data, b->len, clock_msec());
    buf_free(b);
}

/* The next message that came, or N_OFPMSGS if there is none. */
static inline enum ofp_msg_type peer_next(struct peer *p, struct rd *body)
{
    enum ofp_msg_type type;
    bool more;
    if (p->at == p->got.len)
        return N_OFPMSGS;
    p->msg = p->got.data + p->at;
    ck_assert(ofp_header_peek(p->msg, p->got.len - p->at, &p->h));
    ck_assert_uint_le(p->h.len, p->got.len - p->at);
    p->at += p->h.len;
    ck_assert_int_eq(ofp_msg_decode_type(p->msg, p->h.len, &p->h, &type, body, &more), OFPERR_OK);
    return type;
}

static inline void peer_expect(struct peer *p, enum ofp_msg_type want, struct rd *body)
{
    struct rd ignored;
    enum ofp_msg_type type = peer_next(p, body ? body : &ignored);
    if (type == OFPMSG_ERROR && want != OFPMSG_ERROR) {
        struct ofp_error_msg em;
        error_msg_decode(OFP13, body ? *body : ignored, &em);
        ck_abort_msg("got error %s instead of %s", ofp_error_name(em.error), ofp_msg_name(want));
    }
    ck_assert_msg(type == want, "got %s instead of %s", type == N_OFPMSGS ? "nothing" : ofp_msg_name(type), ofp_msg_name(want));
}

static inline void peer_expect_nothing(struct peer *p)
{
    struct rd body;
    enum ofp_msg_type type = peer_next(p, &body);
    ck_assert_msg(type == N_OFPMSGS, "got %s instead of nothing", ofp_msg_name(type));
}

static inline void peer_expect_error(struct peer *p, enum ofp_error want)
{
    struct rd body;
    struct ofp_error_msg em;
    peer_expect(p, OFPMSG_ERROR, &body);
    ck_assert_int_eq(error_msg_decode(OFP13, body, &em), OFPERR_OK);
    ck_assert_msg(em.error == want, "got error %s instead of %s", ofp_error_name(em.error), ofp_error_name(want));
}

static inline void peer_hello(struct peer *p)
{
    struct buf b = BUF_INIT;
    hello_encode(1 << OFP13, 7, &b);
    peer_send(p, &b);
    peer_expect(p, OFPMSG_HELLO, NULL);
    ck_assert_uint_eq(p->n_states, 1);
}

static inline void peer_connect(struct peer *p, struct sim *s, enum ofconn_kind kind)
{
    peer_open(p, s, kind, 0);
    peer_hello(p);
}

static inline void peer_ask(struct peer *p, enum ofp_msg_type type)
{
    struct buf b = BUF_INIT;
    ofp_simple_encode(type, OFP13, 1, &b);
    peer_send(p, &b);
}

static inline void peer_barrier(struct peer *p)
{
    peer_ask(p, OFPMSG_BARRIER_REQUEST);
    peer_expect(p, OFPMSG_BARRIER_REPLY, NULL);
}

/* --- Flows --- */

static inline void sim_match(struct match *m, enum field_id f, uint64_t value)
{
    union field_value v;
    field_value_set_u64(&v, value);
    match_set(m, f, &v, NULL);
}

/* An output action appended. */
static inline void sim_output(struct buf *acts, uint32_t port)
{
    struct act_output *a = act_append(acts, ACT_OUTPUT, sizeof *a);
    a->a.n = port;
    a->max_len = OFPCML_NO_BUFFER;
}

/* in_port 0: any; out 0: drop. */
static inline struct flow_mod sim_flow(enum ofp_flow_mod_command command, uint8_t table, uint16_t priority, uint32_t in_port, uint32_t out)
{
    struct flow_mod fm = FLOW_MOD_INIT;
    fm.command = command;
    fm.table = table;
    fm.priority = priority;
    if (in_port)
        sim_match(&fm.match, FIELD_IN_PORT, in_port);
    if (out)
        sim_output(&fm.acts, out);
    return fm;
}

static inline void peer_flow_mod(struct peer *p, struct flow_mod *fm) /* frees it */
{
    struct buf b = BUF_INIT;
    flow_mod_encode(fm, OFP13, 99, &b);
    flow_mod_free(fm);
    peer_send(p, &b);
}

static inline void peer_add(struct peer *p, uint8_t table, uint16_t priority, uint32_t in_port, uint32_t out)
{
    struct flow_mod fm = sim_flow(OFPFC_ADD, table, priority, in_port, out);
    peer_flow_mod(p, &fm);
}

static inline void peer_ask_flows(struct peer *p)
{
    struct flow_stats_request q = {.table = OFPTT_ALL, .out_port = OFPP_ANY, .out_group = OFPG_ANY};
    struct buf b = BUF_INIT;
    flow_stats_request_encode(&q, false, OFP13, 5, &b);
    peer_send(p, &b);
}

/* The answer: the number of flows, the first n of them in fs. */
static inline size_t peer_take_flows(struct peer *p, struct flow_stats *fs, size_t n)
{
    size_t found = 0;
    bool more = true;
    while (more) {
        struct rd body;
        enum ofp_msg_type type;
        peer_expect(p, OFPMSG_FLOW_STATS_REPLY, &body);
        ofp_msg_decode_type(p->msg, p->h.len, NULL, &type, NULL, &more);
        while (rd_left(&body)) {
            struct flow_stats one;
            struct buf scratch = BUF_INIT;
            ck_assert_int_eq(flow_stats_decode(OFP13, &body, &one, &scratch), OFPERR_OK);
            if (found < n) {
                fs[found] = one;
                fs[found].acts = NULL;
            }
            found++;
            buf_free(&scratch);
        }
    }
    return found;
}

/* All flows of the bridge. */
static inline size_t peer_flows(struct peer *p, struct flow_stats *fs, size_t n)
{
    peer_ask_flows(p);
    return peer_take_flows(p, fs, n);
}

#endif
