/* txn.c: changes of flows and groups that packets see together, or not at all.
 *
 * Whoever changes rules makes what is new visible from version + 1 on and hides what is old from there on, and says so
 * here; groups have transactions of their own (group.c), which are part of an undoable one. The outermost txn_end() publishes that version and then bumps the generations of what has changed. A
 * change of several steps of which one may fail is undone by txn_undo(), last step first; until then no walk has seen
 * any of it. */
#include "ofproto/bridge.h"

struct undo {
    txn_undo_fn *fn;
    void *a, *b;
};

void txn_begin(struct ofproto *o, bool undoable)
{
    struct txn *t = &o->txn;
    assert(!(undoable && t->depth)); /* what is inside could not be undone on its own */
    if (undoable)
        groups_begin(o);
    if (!t->depth++)
        t->undoable = undoable;
}

void txn_log(struct ofproto *o, txn_undo_fn *fn, void *a, void *b)
{
    struct undo u = {fn, a, b};
    if (o->txn.undoable)
        buf_put(&o->txn.undo, &u, sizeof u);
}

void txn_touch_table(struct ofproto *o, uint8_t table)
{
    o->txn.touched[table / 64] |= UINT64_C(1) << table % 64;
    o->txn.any = true;
}

static void clear(struct txn *t)
{
    memset(t->touched, 0, sizeof t->touched);
    t->any = t->undoable = false;
    buf_free(&t->undo);
    buf_free(&t->events);
}

void txn_end(struct ofproto *o)
{
    struct txn *t = &o->txn;
    assert(t->depth);
    if (t->depth == 1)
        tables_hide_orphans(o);
    if (--t->depth)
        return;
    if (t->undoable)
        groups_commit(o);
    if (t->any || t->undoable) {
        __atomic_store_n(&o->version, o->version + 1, __ATOMIC_RELEASE);
        for (unsigned i = 0; i < ARRAY_SIZE(t->touched); i++)
            for (uint64_t map = t->touched[i]; map; map &= map - 1)
                dp_bump(o->dp, &o->tables[64 * i + (unsigned)__builtin_ctzll(map)].gen);
        if (t->undoable)
            groups_committed(o);
        if (learning_changed(o))
            dp_bump(o->dp, &o->learning_gen);
        o->unsettled = true;
    }
    struct buf events = t->events;
    t->events = BUF_INIT;
    clear(t);
    if (events.len)
        monitors_tell(o, &events);
    buf_free(&events);
}

void txn_undo(struct ofproto *o)
{
    struct txn *t = &o->txn;
    assert(t->depth == 1 && t->undoable);
    for (size_t n = t->undo.len / sizeof(struct undo); n > 0; n--) {
        struct undo u;
        memcpy(&u, t->undo.data + (n - 1) * sizeof u, sizeof u);
        u.fn(o, u.a, u.b);
    }
    groups_roll_back(o);
    t->depth = 0;
    clear(t);
}
