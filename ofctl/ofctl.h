/* ofctl.h: what the files of xvs-ofctl share. One process, one connection, one command: whatever fails says why and
 * ends it with exit status 1. */
#ifndef OFCTL_OFCTL_H
#define OFCTL_OFCTL_H 1

#include "base/buf.h"
#include "base/clock.h"
#include "base/diag.h"
#include "openflow/flow.h"
#include "openflow/msg.h"

#define PROGRAM "xvs-ofctl"

struct sort_key {
    int field; /* enum field_id, or -1: priority */
    bool reverse;
};
struct options {
    bool json, strict, may_create, names, no_stats, color, verbose, timestamp, readd, bundle, ovs_compat;
    int verbosity;
    uint32_t versions; /* -O: 1 << enum ofp_version each; without it the default below */
    msec_t deadline; /* clock_msec() at which -t ends it; 0: none */
    struct sort_key sort[16];
    size_t n_sort;
};
extern struct options options;

void die(const char *format, ...) PRINTF(1, 2) __attribute__((noreturn));
void warn(const char *format, ...) PRINTF(1, 2);
uint8_t parse_version(const char *name); /* "OpenFlow13"; or dies */

/* --- conn.c: the connection, blocking, with a limit on silence --- */

struct conn {
    const char *target; /* as the user named it */
    int fd;
    uint8_t version; /* that HELLO has settled */
    bool greeted;    /* HELLOs exchanged */
    bool listens;    /* and answers nothing */
    int nicira;      /* conn_nicira(): -1: not tried yet */
    struct buf in; /* received; `taken` bytes of it are dealt with */
    size_t taken;
    uint32_t xid; /* the last one given out */
    struct ports *ports;
    int n_tunnels; /* -1: not asked yet; -2: the switch does not say */
};

struct conn *conn_open(const char *target); /* and says HELLO */
struct conn *conn_open_snoop(const char *target); /* where a bridge repeats what it and its controllers say: only receives */
void conn_close(struct conn *);
/* Without -O: 1.3 if the switch speaks it, else 1.0. */
#define DEFAULT_VERSIONS (1u << OFP13 | 1u << OFP10)
uint8_t options_version(void); /* the highest allowed, for what is done without a switch */
/* In 1.0: has the switch Nicira's extensions? Then flows are told with nx_match, and flow-mods name their table. */
bool conn_nicira(struct conn *);
static inline uint32_t conn_xid(struct conn *c) { return ++c->xid; }

void conn_send(struct conn *, const struct buf *); /* whole messages */

enum { CONN_FOREVER = -1 };
/* The next message that is not an ECHO_REQUEST, which it answers. Points into c->in, good until the next call.
 * `silence`: how long to wait at most, in ms; past it, or past -t's time, NULL. */
const void *conn_receive(struct conn *, struct ofp_header *, msec_t silence);
/* Likewise, but dies when nothing comes. */
const void *conn_receive_or_die(struct conn *, struct ofp_header *);

/* A request and its reply; the bodies of a multipart's parts, one behind the other. */
struct reply {
    enum ofp_msg_type type;
    struct ofp_header header;
    struct buf body;
    struct buf error; /* the OFPT_ERROR that came instead, if any */
};
/* A request; each part of its reply goes to part() as it comes, and is gone afterwards. False: an OFPT_ERROR came, which is
 * in r->error; part() may have been called before. r->type and r->header are the first part's, when part() is called. */
bool conn_stream(struct conn *, const struct buf *request, enum ofp_msg_type expect, struct reply *r,
                 void (*part)(struct reply *, struct rd body, void *aux), void *aux);
bool conn_try(struct conn *, const struct buf *request, enum ofp_msg_type expect, struct reply *);
void conn_transact(struct conn *, const struct buf *request, enum ofp_msg_type expect, struct reply *); /* or dies */
void conn_request(struct conn *, enum ofp_msg_type request, enum ofp_msg_type expect,
                  struct reply *); /* without body */
/* Sends what has no answer but an error, and a barrier behind it; ends the program if the switch refuses. Appends to it. */
void conn_finish(struct conn *, struct buf *messages);
void die_of_refusal(struct conn *, struct reply *) __attribute__((noreturn)); /* r->error is there */
void reply_free(struct reply *);
static inline struct rd reply_rd(const struct reply *r) { return rd_init(r->body.data, r->body.len); }
/* Prints header and body, as ofp_msg_format() does. */
void reply_print(struct conn *, const struct reply *);

/* "there is no table of this number (OFPFMFC_BAD_TABLE_ID)" */
void error_text(const void *error_msg, size_t len, struct buf *out);

/* --- ports.c: names and numbers, asked once --- */

const struct port_names *ports_by_name(struct conn *);   /* for parsers: asks when a name is met */
const struct port_names *ports_for_print(struct conn *); /* NULL unless --names */
bool ports_have(struct conn *, uint32_t port);
bool ports_describe(struct conn *, uint32_t port, struct ofp_port_desc *); /* false: it is not there */
void ports_list(struct conn *, struct buf *out);       /* "1 (eth0), 2 (eth1)" */
bool ports_missed(const struct conn *);                /* was a name asked for that is not there? */
uint32_t ports_parse(struct conn *, const char *text); /* number, reserved or name; or dies */

/* --- flow-check.c: warnings about flows that can do nothing here --- */

void check_flow(struct conn *, const struct flow_mod *);
void check_actions(struct conn *, const void *list, size_t len);

/* --- flow-text.c --- */

/* Parses or complains: PREFIX, text and caret on standard error. Warnings too. */
bool parse_flow(struct conn * /* or NULL */, const char *prefix, const char *text, enum ofp_flow_mod_command,
                struct flow_mod *);
void print_complaint(struct conn *, const char *prefix, const char *text, struct diag *); /* and frees it */
/* dump-flows' and dump-aggregate's argument, which may be NULL. */
void parse_filter(struct conn *, const char *text, struct flow_stats_request *);

/* --- json.c --- */

struct json {
    struct buf *out;
    bool first;
};
void json_open(struct json *, const char *key /* or NULL */, char bracket); /* '{' or '[' */
void json_close(struct json *, char bracket);
void json_string(struct json *, const char *key, const char *value);
void json_u64(struct json *, const char *key, uint64_t); /* UINT64_MAX: null, a counter that nobody knows */
void json_raw(struct json *, const char *key, const char *literal);
void json_words(struct json *, const char *key, const char *words); /* "A B" as ["A", "B"]; "0": [] */
void json_hex(struct json *, const char *key, const void *data, size_t n); /* "0a0b" */
void json_bool(struct json *, const char *key, bool);
void print_done(const char *plural, size_t n, size_t refused); /* in JSON alone: what was sent */
void print_message(const void *msg, size_t len, int verbosity); /* in text or, one object, JSON */
void print_packet(size_t len, const char *text); /* its fields; in JSON also how long it is */
void print_timestamp(int64_t sec, int64_t usec);                /* in front of a message */
void message_json(const void *msg, size_t len, struct buf *out); /* one object: what monitor prints of a message */
void json_mac(struct json *, const char *key, const uint8_t mac[6]);

/* --- colour.c --- */

void print_coloured(const char *text); /* lines */
void print_text(const char *text);     /* with colours if they are wanted */

/* --- Commands --- */

enum { ANY = 255 };
#define COMMAND(name, handler, min, max, args, help) void cmd_##handler(struct conn *, int argc, char *argv[]);
#define LOCAL_COMMAND COMMAND
#include "ofctl/command.def"
#undef COMMAND
#undef LOCAL_COMMAND

#endif
