#include "ofproto/pktbuf.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"

LOG_MODULE(ofproto);

/* --- Who decides: controllers, or the fail mode --- */

static void set_fallback(struct ofproto *o, bool normal)
{
    if (o->fallback_normal == normal)
        return;
    __atomic_store_n(&o->fallback_normal, normal, __ATOMIC_RELEASE);
    dp_bump(o->dp, &o->settings_gen);
    o->unsettled = true;
    log_info("%s: %s", o->name, normal ? "no controller answers: packets that no flow matches are switched by MAC address"
                                       : "a controller decides again");
}

static void update_fallback(struct ofproto *o, msec_t now)
{
    set_fallback(o, o->config.fail_mode == FAIL_STANDALONE && o->controllers && o->lonely_since &&
                        now - o->lonely_since >= o->patience);
}

static void add_default_flow(struct ofproto *o)
{
    struct flow_mod fm = FLOW_MOD_INIT;
    fm.command = OFPFC_ADD;
    fm.priority = 0;
    struct act_output *out = act_append(&fm.acts, ACT_OUTPUT, sizeof *out);
    out->a.n = OFPP_NORMAL;
    enum ofp_error e = tables_flow_mod(o, &fm, clock_msec());
    assert(!e);
    (void)e;
    flow_mod_free(&fm);
}

/* Whoever decides now begins with empty tables, or with what the fail mode says. */
static void restart_tables(struct ofproto *o)
{
    tables_flush(o);
    groups_flush(o);
    if (!o->controllers && o->config.fail_mode == FAIL_STANDALONE)
        add_default_flow(o);
}

void ofproto_set_controllers(struct ofproto *o, unsigned configured, bool connected)
{
    bool had = o->controllers != 0, has = configured != 0;
    o->controllers = configured;
    if (connected || !has)
        o->lonely_since = 0;
    else if (!o->lonely_since)
        o->lonely_since = MAX(clock_msec(), (msec_t)1);
    if (had != has)
        restart_tables(o);
    update_fallback(o, clock_msec());
}

void ofproto_configure(struct ofproto *o, const struct ofproto_config *c)
{
    enum fail_mode before = o->config.fail_mode;
    o->config = *c;
    if (before != c->fail_mode && !o->controllers)
        restart_tables(o);
    update_fallback(o, clock_msec());
    conns_check_versions(o);
}

/* --- Life --- */

struct ofproto *ofproto_create(struct dp *dp, const char *name)
{
    struct ofproto *o = xzalloc(sizeof *o);
    o->dp = dp;
    o->name = xstrdup(name);
    o->patience = 15000;
    CDS_INIT_LIST_HEAD(&o->conns);
    ports_create(o);
    learning_create(o);
    tables_create(o);
    groups_create(o);
    o->timeouts = timeouts_create(clock_msec());
    o->fdb = fdb_create(o);
    meters_create(o);
    o->bridge = dp_bridge_create(dp, name, o);
    restart_tables(o);
    return o;
}

/* Its memory may still be looked at by walks of other bridges (a tunnel's underlay) until a grace period has passed. */
static void release(void *o_)
{
    struct ofproto *o = o_;
    free(o->tables[0].matched); /* and all others */
    free(o->tables);
    meters_free(o);
    free(o->name);
    free(o);
}

void ofproto_destroy(struct ofproto *o)
{
    struct dp *dp = o->dp;
    assert(cds_list_empty(&o->conns));
    dp_bridge_destroy(o->bridge);
    tables_destroy(o);
    learning_destroy(o);
    groups_destroy(o);
    meters_destroy(o);
    pktbufs_destroy(o);
    timeouts_destroy(o->timeouts);
    fdb_destroy(o->fdb);
    ports_destroy(o);
    dp_defer(dp, release, o);
}

const char *ofproto_name(const struct ofproto *o) { return o->name; }
size_t ofproto_rule_count(const struct ofproto *o) { return o->n_rules; }

/* OpenFlow 1.3.5, 7.3.1: "The lower 48-bits are intended for the switch MAC address". Without a LOCAL port: something
 * that stays the same from run to run, with the bit that says "locally administered". */
uint64_t ofproto_datapath_id(const struct ofproto *o)
{
    const struct ofport *local = ofport_lookup(o, OFPP_LOCAL);
    uint64_t id = 0;
    if (o->config.datapath_id)
        return o->config.datapath_id;
    if (local)
        for (unsigned i = 0; i < 6; i++)
            id = id << 8 | local->desc.mac[i];
    return id ? id : UINT64_C(0x020000000000) | hash_bytes(o->name, strlen(o->name), 0);
}

/* --- Rounds --- */

void ofproto_settle(struct ofproto *o, bool force)
{
    if (!force && !o->unsettled && cds_list_empty(&o->doomed) && !groups_wait(o))
        return;
    dp_synchronize(o->dp);
    o->unsettled = false;
    tables_settle(o);
    groups_settle(o);
}

void ofproto_run(struct ofproto *o, msec_t now)
{
    tables_run(o, now);
    fdb_run(o->fdb, now);
    update_fallback(o, now);
    if (!cds_list_empty(&o->doomed) || groups_wait(o))
        ofproto_settle(o, false);
    conns_run(o, now);
}

msec_t ofproto_wake_at(const struct ofproto *o)
{
    msec_t at = MIN(timeouts_wake_at(o->timeouts), conns_wake_at(o));
    at = MIN(at, fdb_wake_at(o->fdb));
    if (o->lonely_since && !o->fallback_normal && o->config.fail_mode == FAIL_STANDALONE)
        at = MIN(at, o->lonely_since + o->patience);
    return at;
}
