/* execute.h: what the files that execute primitive actions share (execute.c, execute-tunnel.c). Worker. */
#ifndef DATAPATH_EXECUTE_H
#define DATAPATH_EXECUTE_H 1

#include "datapath/worker.h"
#include "packet/csum.h"

struct exec {
    struct worker *w;
    const struct dpact *next; /* the actions behind the one at hand */
    const uint8_t *end;
    enum drop_reason drop; /* for what is left behind the last action */
    unsigned nesting;
};

/* One a row of dpact.def: given the packets that are still there, returns how many are left, at the front. */
typedef unsigned (*exec_fn)(struct exec *, const struct dpact *, struct packet *batch[], unsigned n);
#define DPACT(id, name, carries, doc) \
    unsigned exec_##id(struct exec *, const struct dpact *, struct packet *batch[], unsigned n);
#include "packet/dpact.def"
#undef DPACT

/* Executes a list; takes the packets. */
void exec_list(struct worker *, const void *acts, size_t len, enum drop_reason drop, unsigned nesting,
               struct packet *batch[], unsigned n);

/* May the action take the packets themselves, as nobody needs them afterwards? */
static inline bool exec_is_last(const struct exec *x)
{
    return (const uint8_t *)x->next >= x->end && x->drop == DROP_NONE;
}

static inline void exec_finish_csum(struct packet *p)
{
    if (!p->gso && p->csum == CSUM_PARTIAL) /* gso_segment() does it for those that it cuts */
        packet_finish_csum(p);
}

#endif
