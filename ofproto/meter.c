/* meter.c: the meters of a bridge (OpenFlow 1.3.5, 5.7, 6.7): what controllers asked for, and the datapath's meter that
 * measures. Walks find them by number; flows that name one go with it, so that a walk which finds none is of a version of
 * the tables that is gone. */
#include "openflow/meter.h"
#include "base/hash.h"
#include "base/mem.h"
#include "ofproto/session.h"

enum { MAX_METERS = 1 << 16, MAX_BANDS = 16, MAX_COLOR = 2 /* drop precedences of RFC 2597: 0 to 2 above the lowest */ };
enum { N_BUCKETS = 4096 };

struct meter {
    struct meter *next; /* RCU */
    uint32_t id, n_flows /* while statistics are made */;
    struct ofp_meter config; /* as it was sent */
    struct dp_meter *dp;
    msec_t created;
};

struct meters {
    struct meter **bucket; /* NULL until there is a meter. RCU */
    size_t n;
};

void meters_create(struct ofproto *o) { o->meters = xzalloc(sizeof *o->meters); }

static uint32_t bucket_of(uint32_t id) { return hash_bytes(&id, sizeof id, 0) & (N_BUCKETS - 1); }

static struct meter *find(const struct ofproto *o, uint32_t id)
{
    struct meter **bucket = __atomic_load_n(&o->meters->bucket, __ATOMIC_ACQUIRE);
    struct meter *m = bucket ? __atomic_load_n(&bucket[bucket_of(id)], __ATOMIC_ACQUIRE) : NULL;
    while (m && m->id != id)
        m = __atomic_load_n(&m->next, __ATOMIC_ACQUIRE);
    return m;
}

struct dp_meter *meter_lookup(const struct ofproto *o, uint32_t id)
{
    const struct meter *m = find(o, id);
    return m ? m->dp : NULL;
}

static void for_each(struct ofproto *o, void (*fn)(struct ofproto *, struct meter *, void *aux), void *aux)
{
    for (size_t i = 0; o->meters->bucket && i < N_BUCKETS; i++)
        for (struct meter *m = o->meters->bucket[i], *next; m; m = next) {
            next = m->next;
            fn(o, m, aux);
        }
}

/* --- Coming and going --- */

static void meter_free(void *m_)
{
    struct meter *m = m_;
    dp_meter_free(m->dp);
    ofp_meter_free(&m->config);
    free(m);
}

/* Packet-ins look for these two in each walk. */
static void bump_if_virtual(struct ofproto *o, uint32_t id)
{
    if (id > OFPM_MAX)
        dp_bump(o->dp, &o->meters_gen);
    o->unsettled = true;
}

/* The datapath's half, which points into `bands`. */
static struct dp_meter_config dp_config_of(const struct ofp_meter *m, struct dp_meter_band bands[MAX_BANDS])
{
    for (size_t i = 0; i < m->n_bands; i++)
        bands[i] = (struct dp_meter_band){m->bands[i].rate, m->bands[i].burst,
                                          m->bands[i].type == OFPMBT_DSCP_REMARK ? m->bands[i].prec_level : 0};
    return (struct dp_meter_config){
        .packets = m->flags & OFPMF_PKTPS, .burst = m->flags & OFPMF_BURST, .n_bands = (unsigned)m->n_bands, .bands = bands};
}

/* The bands are taken from `from`, which keeps none. */
static void config_take(struct ofp_meter *to, struct ofp_meter *from)
{
    ofp_meter_free(to);
    *to = *from;
    from->bands = NULL;
    from->n_bands = 0;
}

static void add(struct ofproto *o, struct ofp_meter *config, msec_t now)
{
    struct meters *ms = o->meters;
    struct dp_meter_band bands[MAX_BANDS];
    struct dp_meter_config dpc = dp_config_of(config, bands);
    struct meter *m = xzalloc(sizeof *m);
    m->id = config->id;
    m->created = now;
    m->dp = dp_meter_create(o->dp, &dpc);
    config_take(&m->config, config);
    if (!ms->bucket)
        __atomic_store_n(&ms->bucket, xcalloc(N_BUCKETS, sizeof *ms->bucket), __ATOMIC_RELEASE);
    struct meter **head = &ms->bucket[bucket_of(m->id)];
    m->next = *head;
    __atomic_store_n(head, m, __ATOMIC_RELEASE);
    ms->n++;
    bump_if_virtual(o, m->id);
}

/* OpenFlow 1.3.5, 6.7: the configuration is replaced; number, what came in so far and the time since it was added stay. */
static void modify(struct ofproto *o, struct meter *m, struct ofp_meter *config)
{
    struct dp_meter_band bands[MAX_BANDS];
    struct dp_meter_config dpc = dp_config_of(config, bands);
    dp_meter_configure(o->dp, m->dp, &dpc);
    config_take(&m->config, config);
    o->unsettled = true;
}

static void delete_one(struct ofproto *o, struct meter *m, void *aux UNUSED)
{
    struct meter **p = &o->meters->bucket[bucket_of(m->id)];
    while (*p != m)
        p = &(*p)->next;
    __atomic_store_n(p, m->next, __ATOMIC_RELEASE);
    o->meters->n--;
    bump_if_virtual(o, m->id);
    dp_defer(o->dp, meter_free, m);
}

/* A rule's instructions begin with its meter. 0: it has none. */
static uint32_t meter_of(const struct rule *r)
{
    const struct act *first = (const struct act *)r->acts->list;
    return r->acts->len && first->type == INST_METER ? first->n : 0;
}

static bool uses(const struct rule *r, void *id_)
{
    uint32_t id = *(uint32_t *)id_, its = meter_of(r);
    return its && (id == OFPM_ALL || id == its);
}

/* OpenFlow 1.3.5, 6.7: "if a meter is deleted, all flows that include it are deleted too". */
static void delete(struct ofproto *o, uint32_t id)
{
    tables_delete_if(o, OFPRR_METER_DELETE, uses, &id);
    if (id == OFPM_ALL) {
        for_each(o, delete_one, NULL);
    } else {
        struct meter *m = find(o, id);
        if (m)
            delete_one(o, m, NULL);
    }
}

void meters_destroy(struct ofproto *o)
{
    for_each(o, delete_one, NULL);
}

void meters_free(struct ofproto *o)
{
    free(o->meters->bucket);
    free(o->meters);
}

/* --- METER_MOD --- */

static enum ofp_error check_bands(const struct ofp_meter *m)
{
    if (m->n_bands > MAX_BANDS)
        return OFPERR_MMFC_OUT_OF_BANDS;
    for (size_t i = 0; i < m->n_bands; i++) {
        const struct ofp_meter_band *b = &m->bands[i];
        if (!b->rate) /* all that comes is faster, and no bucket would ever fill */
            return OFPERR_MMFC_BAD_RATE;
        if (b->prec_level > MAX_COLOR || (b->type == OFPMBT_DSCP_REMARK && !b->prec_level))
            return OFPERR_MMFC_BAD_BAND_DETAIL;
    }
    return OFPERR_OK;
}

static bool can_be_added(uint32_t id) { return (id && id <= OFPM_MAX) || id == OFPM_SLOWPATH || id == OFPM_CONTROLLER; }

enum ofp_error meter_mod_check(const struct ofproto *o, const struct ofp_meter_mod *mm)
{
    const struct ofp_meter *m = &mm->meter;
    if (mm->command > OFPMC_DELETE)
        return OFPERR_MMFC_BAD_COMMAND;
    if (mm->command == OFPMC_DELETE) /* one that is not there: no error */
        return can_be_added(m->id) || m->id == OFPM_ALL ? OFPERR_OK : OFPERR_MMFC_INVALID_METER;
    if (!can_be_added(m->id))
        return OFPERR_MMFC_INVALID_METER;
    bool there = find(o, m->id) != NULL;
    if (mm->command == OFPMC_ADD && there)
        return OFPERR_MMFC_METER_EXISTS;
    if (mm->command == OFPMC_MODIFY && !there)
        return OFPERR_MMFC_UNKNOWN_METER;
    if (m->flags & ~METER_FLAGS_KNOWN || (m->flags & OFPMF_KBPS && m->flags & OFPMF_PKTPS))
        return OFPERR_MMFC_BAD_FLAGS;
    if (mm->command == OFPMC_ADD && o->meters->n >= MAX_METERS)
        return OFPERR_MMFC_OUT_OF_METERS;
    return check_bands(m);
}

void meter_mod_apply(struct ofproto *o, struct ofp_meter_mod *mm, msec_t now)
{
    if (mm->command == OFPMC_ADD)
        add(o, &mm->meter, now);
    else if (mm->command == OFPMC_MODIFY)
        modify(o, find(o, mm->meter.id), &mm->meter);
    else
        delete(o, mm->meter.id);
}

enum ofp_error handle_meter_mod(struct ofconn *c, const struct ofp_header *h UNUSED, struct rd body, msec_t now)
{
    struct ofp_meter_mod mm;
    enum ofp_error e = meter_mod_decode(c->version, body, &mm);
    if (!e)
        e = meter_mod_check(c->o, &mm);
    if (!e)
        meter_mod_apply(c->o, &mm, now);
    ofp_meter_free(&mm.meter);
    return e;
}

/* --- Multiparts --- */

struct answer {
    struct ofp_parts parts;
    struct buf b;
    uint8_t version;
    msec_t now;
    void (*put)(struct ofproto *, struct meter *, struct answer *);
};

static void put_one(struct ofproto *o, struct meter *m, void *a_)
{
    struct answer *a = a_;
    a->put(o, m, a);
    ofp_parts_entry_end(&a->parts);
}

static void put_config(struct ofproto *o UNUSED, struct meter *m, struct answer *a)
{
    meter_config_encode(&m->config, a->version, &a->b);
}

static void put_stats(struct ofproto *o, struct meter *m, struct answer *a)
{
    struct ofp_meter_band_stats bands[MAX_BANDS];
    msec_t age = MAX(a->now - m->created, 0);
    struct ofp_meter_stats s = {.id = m->id,
                                .flow_count = m->n_flows,
                                .duration_sec = (uint32_t)(age / 1000),
                                .duration_nsec = (uint32_t)(age % 1000 * 1000000),
                                .n_bands = m->config.n_bands,
                                .bands = bands};
    dp_meter_read(o->dp, m->dp, &s.packets, &s.bytes);
    for (unsigned i = 0; i < s.n_bands; i++)
        dp_meter_read_band(o->dp, m->dp, i, &bands[i].packets, &bands[i].bytes);
    meter_stats_encode(&s, a->version, &a->b);
}

static enum ofp_error answer(struct ofconn *c, const struct ofp_header *h, struct rd body, enum ofp_msg_type type,
                             struct answer *a)
{
    uint32_t id;
    enum ofp_error e = meter_request_decode(c->version, body, &id);
    if (e)
        return e;
    struct meter *m = id == OFPM_ALL ? NULL : find(c->o, id);
    if (id != OFPM_ALL && !m)
        return OFPERR_MMFC_UNKNOWN_METER;
    a->version = c->version;
    ofp_parts_begin(&a->parts, &a->b, c->version, type, h->xid);
    if (m)
        put_one(c->o, m, a);
    else
        for_each(c->o, put_one, a);
    ofp_parts_end(&a->parts);
    ofconn_send(c, &a->b);
    return OFPERR_OK;
}

static void forget_flows(struct ofproto *o UNUSED, struct meter *m, void *aux UNUSED) { m->n_flows = 0; }

static void count_flow(struct rule *r, void *o)
{
    uint32_t id = meter_of(r);
    struct meter *m = id ? find(o, id) : NULL;
    if (m)
        m->n_flows++;
}

enum ofp_error handle_meter_stats(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct answer a = {.b = BUF_INIT, .now = now, .put = put_stats};
    struct flow_stats_request all = {.table = OFPTT_ALL, .out_port = OFPP_ANY, .out_group = OFPG_ANY};
    ofproto_settle(c->o, true);
    for_each(c->o, forget_flows, NULL);
    tables_select(c->o, &all, count_flow, c->o);
    return answer(c, h, body, OFPMSG_METER_STATS_REPLY, &a);
}

enum ofp_error handle_meter_config(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    struct answer a = {.b = BUF_INIT, .now = now, .put = put_config};
    return answer(c, h, body, OFPMSG_METER_CONFIG_REPLY, &a);
}

enum ofp_error handle_meter_features(struct ofconn *c, const struct ofp_header *h, struct rd body, msec_t now)
{
    static const struct ofp_meter_features f = {.max_meters = MAX_METERS,
                                                .band_types = METER_BANDS_KNOWN,
                                                .capabilities = METER_FLAGS_KNOWN,
                                                .max_bands = MAX_BANDS,
                                                .max_color = MAX_COLOR};
    struct buf b = BUF_INIT;
    (void)body, (void)now;
    meter_features_encode(&f, c->version, h->xid, &b);
    ofconn_send(c, &b);
    return OFPERR_OK;
}
