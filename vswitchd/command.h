/* command.h: what the commands of lib/ctl/command.def do, in the daemon. cmd_<id>() stands in the file of its noun.
 *
 * A chain of commands is one transaction: the ones that change the configuration edit `next`, a copy; then the switch
 * applies it whole or refuses it whole; then the others run, in their order, and see what runs now. */
#ifndef VSWITCHD_COMMAND_H
#define VSWITCHD_COMMAND_H 1

#include "ctl/ctl.h"
#include "vswitchd/switch.h"

struct command {
    struct sw *sw;
    struct record *next;          /* for those that change */
    const struct ctl_words *words;
    const char *const *args;      /* behind the command's name */
    size_t n_args;
    bool json;
    struct buf out;
    int status;
    struct diag *d;
};

#define COMMAND(id, ...) bool cmd_##id(struct command *); /* false: refused, c->d says why */
#include "ctl/command.def"
#undef COMMAND

/* Runs a request and fills in the reply line. */
void commands_run(struct sw *, const struct ctl_request *, struct buf *reply);

/* The control socket. */
struct control;
struct control *control_open(struct sw *, uv_loop_t *, const char *file, struct diag *d);
void control_close(struct control *);

#endif
