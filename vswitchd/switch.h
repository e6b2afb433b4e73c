/* switch.h: what runs: bridges, ports and controllers, brought in line with the desired state of config.h.
 *
 * Thread: main, which runs libuv's loop. */
#ifndef VSWITCHD_SWITCH_H
#define VSWITCHD_SWITCH_H 1

#include <urcu/list.h>
#include <uv.h>
#include "ofproto/ofproto.h"
#include "vswitchd/config.h"
#include "vswitchd/stream.h"

struct port {
    struct ofport *of;
    struct record *applied; /* the record as it was applied; its own copy */
    bool reported_missing;
};

struct bridge {
    struct sw *sw;
    char *name;
    struct ofproto *of;
    struct ofport *local;
    struct port **ports;
    size_t n_ports;
    struct cds_list_head controllers; /* struct controller */
    struct controller *mgmt;          /* the management socket: a passive one */
    char local_mac[18];               /* as asked for: other_config:hwaddr */
    char *local_shape;                /* likewise: max_rate and queues; NULL: none yet */
};

struct sw {
    uv_loop_t *loop;
    struct dp *dp;
    char *config_file;
    struct record *desired;
    struct bridge **bridges;
    size_t n_bridges;
    uv_poll_t dp_poll;
    uv_prepare_t round;
    uv_timer_t timer;
    bool stopping;
};

bool switch_start(struct sw *, uv_loop_t *, const char *config_file, int workers, struct diag *d);
void switch_stop(struct sw *); /* everything but the loop's last close callbacks */

/* Makes `next` the desired state: checks it, brings what runs in line with it, and writes the file. On failure what ran
 * before runs again and `next` is still the caller's; on success it is the switch's. */
bool switch_apply(struct sw *, struct record *next, struct diag *d);

struct bridge *switch_bridge(const struct sw *, const char *name);
struct port *bridge_port(const struct bridge *, const char *name);

/* --- controller.c: OpenFlow over sockets --- */

/* A configured target: active ones connect, again and again, with a growing pause; passive ones listen. Each
 * connection is a session. */
struct controller {
    struct cds_list_head node; /* in bridge->controllers */
    struct bridge *bridge;
    char *target;
    bool passive, service;     /* service: the management socket */
    struct listener *listener;
    struct cds_list_head sessions;
    uv_timer_t retry;
    bool closing;
    unsigned pause;            /* ms until the next attempt */
    msec_t since;              /* of the present state */
    char *last_error;          /* why there is no connection; "" */
};
struct session {
    struct cds_list_head node; /* in controller->sessions */
    struct controller *controller;
    struct stream *stream;     /* NULL: closed */
    struct ofconn *conn;       /* NULL: still connecting */
    bool over;                 /* hang up at the end of the round */
};

struct controller *controller_open(struct bridge *, const char *target, bool service, struct diag *d);
void controller_close(struct controller *);
bool controller_connected(const struct controller *); /* a session of it has finished its handshake */
void bridge_controllers_changed(struct bridge *);     /* tells ofproto how many there are and whether one is there */
void bridge_sweep_sessions(struct bridge *);          /* closes those that are over */

#endif
