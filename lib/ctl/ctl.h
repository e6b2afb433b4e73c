/* ctl.h: what xvs-ctl and xvs-vswitchd say to each other over the control socket, $XVS_RUNDIR/xvs.ctl.
 *
 * One request and one reply a connection, each one line of JSON:
 *
 *     {"commands": [["add-br", "br0"], ["add-port", "br0", "eth0"]], "format": "text"}
 *     {"status": 0, "out": "", "err": ""}
 *
 * A request of several commands is one transaction: all of it happens, or nothing. `status` is the exit status. The
 * reply comes when it is done: devices are there, sockets listen. With "format": "json", `out` is a JSON document. */
#ifndef CTL_CTL_H
#define CTL_CTL_H 1

#include "base/buf.h"
#include "base/diag.h"

struct fy_document;

enum { CTL_ANY = 255, CTL_MAX_REQUEST = 1 << 20 };

struct ctl_command {
    const char *name, *options, *args, *help;
    uint8_t min, max;
    bool changes;
};
enum ctl_command_id {
#define COMMAND(id, ...) CTL_##id,
#include "ctl/command.def"
#undef COMMAND
    N_CTL_COMMANDS
};
extern const struct ctl_command ctl_commands[N_CTL_COMMANDS];

/* Finds the row, and checks options and number of arguments; -1 and why in d. */
int ctl_find(const char *const *argv, size_t argc, struct diag *d);
void ctl_usage(int id, struct buf *out); /* of one command */

/* One command: words, and which options stood among them. */
struct ctl_words {
    char **argv; /* argv[0]: the command's name; options taken out */
    size_t argc;
    bool may_exist, if_exists;
};
struct ctl_request {
    struct ctl_words *commands;
    size_t n;
    bool json;
};
void ctl_request_free(struct ctl_request *);
bool ctl_request_parse(const char *line, size_t len, struct ctl_request *, struct diag *d); /* also runs ctl_find() */
/* argv: words with "--" between commands. */
void ctl_request_format(const char *const *argv, size_t argc, bool json, struct buf *out);

struct ctl_reply {
    int status;
    char *out, *err;
};
void ctl_reply_free(struct ctl_reply *);
bool ctl_reply_parse(const char *line, size_t len, struct ctl_reply *, struct diag *d);
void ctl_reply_format(int status, const char *out, const char *err, struct buf *line);

/* Appends "text" with JSON's quotes. */
void json_quote(const char *text, struct buf *out);

/* libfyaml's parser, quiet: its first complaint ("7: …", with the line unless it is JSON) goes to `complaint`, which may
 * be NULL. fy_document_destroy() the result; NULL: not YAML, or JSON. */
struct fy_document *fy_parse_quietly(const char *text, size_t len, bool json, struct buf *complaint);

/* $XVS_RUNDIR or /run/xvs. */
const char *xvs_rundir(void);

#endif
