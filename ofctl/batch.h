/* batch.h: many messages of one kind, each made from a line that the user has written. */
#ifndef OFCTL_BATCH_H
#define OFCTL_BATCH_H 1

#include "ofctl/ofctl.h"

struct batch_word { /* that a line of a file may begin with */
    const char *word; /* NULL: behind the last */
    unsigned command;
};
struct batch_kind {
    const char *noun, *plural; /* "flow", "flows" */
    const struct batch_word *words;
    /* Appends one message, with any xid. False: d says what is wrong with the text. `c` may be NULL. */
    bool (*make)(struct conn *c, uint8_t version, const char *text, unsigned command, struct buf *messages, struct diag *d);
};
struct batch {
    const struct batch_kind *kind;
    const char *file; /* NULL: from the command line */
    char *contents;   /* of the file; lines end in NULs */
    size_t n, size;
    struct batch_item {
        const char *text; /* or NULL */
        size_t line;
        unsigned command;
        size_t at, end; /* of its message in `messages` */
    } * items;
    struct buf messages;
    uint32_t first_xid;
    size_t n_wrong;
};
#define BATCH_INIT(KIND) ((struct batch){.kind = (KIND)})

void batch_add(struct conn *, struct batch *, const char *text, size_t line, unsigned command); /* or complains */
/* One whose message was just appended at b->messages' byte `at`. `text` NULL: the message says it. */
void batch_added(struct batch *, const char *text, size_t line, unsigned command, size_t at);
void batch_add_file(struct conn *, struct batch *, const char *name, unsigned command);         /* "-": standard input */
unsigned batch_take_command(const struct batch_kind *, char **line, unsigned otherwise); /* and moves behind it */
void batch_reorder(struct batch *); /* after its items were put in another order */
/* Sends, with --bundle all or nothing; ends the program if anything is wrong or refused. */
void batch_send(struct conn *, struct batch *);
void batch_print(const struct batch *);         /* what would be sent */
void batch_free(struct batch *);
/* "xvs-ofctl: br0: flows.txt:3: ", for complaints about a line. */
void batch_put_prefix(const struct conn *, const struct batch *, size_t line, struct buf *out);

extern const struct batch_kind flow_batch, group_batch; /* cmd-flow.c, cmd-group.c */
void flow_batch_encode(struct conn * /* or NULL */, struct flow_mod *, struct buf *messages);

#endif
