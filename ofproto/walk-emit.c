/* walk-emit.c: primitive actions. */
#include "ofproto/walk.h"
#include "openflow/meter.h"

/* The fields of the packet's headers that cover `changed`, each with the bits that changed. Rows that share a member
 * are told apart by their prerequisite. */
void emit_changes(struct walk *w)
{
    struct buf *acts = &w->s->path->acts;
    if (!w->any_changed)
        return;
    w->any_changed = false;
    for (int f = 0; f < N_FIELDS; f++) {
        union field_value mask, value, rest;
        if (fields[f].layer == L_META || fields[f].access != RW)
            continue;
        field_get(f, &w->changed, &rest);
        field_all_ones(f, &mask);
        for (int i = 0; i < 2; i++) {
            mask.w[i] &= rest.w[i];
            rest.w[i] &= ~mask.w[i];
        }
        if (!(mask.w[0] | mask.w[1]) || !walk_has_field(w, (enum field_id)f))
            continue;
        field_set(f, &w->changed, &rest);
        view_field_get(w->v, f, &mask, &value);
        if (fields[f].ofs == offsetof(struct flow_key, eth.tci) && w->s->last_push != SIZE_MAX &&
            acts->len == w->s->last_push + sizeof(struct dpact_vlan)) { /* push the tag as it shall be */
            struct dpact_vlan *push = (void *)(acts->data + w->s->last_push);
            uint32_t bits = (uint32_t)field_value_u64(&mask) << fields[f].shift;
            push->a.arg = (push->a.arg & ~bits) | (uint32_t)field_value_u64(&value) << fields[f].shift;
            continue;
        }
        struct dpact_set *set = dpact_append(acts, DPACT_SET_FIELD, sizeof *set, (uint32_t)f);
        set->value = value;
        set->mask = mask;
    }
    memset(&w->changed, 0, sizeof w->changed); /* what no header of this packet has */
}

void emit_push_vlan(struct walk *w, uint16_t tpid, uint16_t tci)
{
    struct buf *acts = &w->s->path->acts;
    w->s->last_push = acts->len;
    dpact_append(acts, DPACT_PUSH_VLAN, sizeof(struct dpact_vlan), (uint32_t)tpid << 16 | (tci & ~VLAN_PRESENT));
}

void emit_tag(struct walk *w, enum dpact_type type, uint32_t arg)
{
    dpact_append(&w->s->path->acts, type, sizeof(struct dpact_none), arg);
}

void emit_push_mpls(struct walk *w, uint16_t type, uint32_t lse)
{
    struct dpact_mpls *push = dpact_append(&w->s->path->acts, DPACT_PUSH_MPLS, sizeof *push, type);
    push->lse = htonl(lse);
}

void emit_pop_vlan(struct walk *w) { dpact_append(&w->s->path->acts, DPACT_POP_VLAN, sizeof(struct dpact_none), 0); }

void emit_appended(struct walk *w, bool sent)
{
    struct walk_shared *s = w->s;
    s->kept = s->path->acts.len;
    s->last_clone = SIZE_MAX;
    s->sent |= sent;
    if (s->kept > WALK_MAX_ACTS)
        walk_stop(w, DROP_WALK_WORK);
}

void emit_output(struct walk *w, uint32_t dp_port)
{
    emit_changes(w);
    if (w->queue) {
        struct dpact_output *out = dpact_append(&w->s->path->acts, DPACT_OUTPUT, sizeof *out, dp_port);
        out->queue = w->queue;
    } else {
        dpact_append(&w->s->path->acts, DPACT_OUTPUT, sizeof(struct dpact_port), dp_port);
    }
    emit_appended(w, true);
}

static void emit_punt(struct walk *w, enum punt_kind kind, uint32_t max_len, const void *blob, size_t len, bool sent)
{
    struct dpact_punt *p = dpact_append(&w->s->path->acts, DPACT_PUNT, offsetof(struct dpact_punt, blob) + len, kind);
    p->bridge = w->o->bridge;
    p->max_len = max_len;
    p->blob_len = (uint32_t)len;
    memcpy(p->blob, blob, len);
    emit_appended(w, sent);
}

/* --- Meters --- */

static void append_meter(struct walk *w, uint32_t id, struct dp_meter *m)
{
    struct dpact_meter *a = dpact_append(&w->s->path->acts, DPACT_METER, sizeof *a, id);
    a->meter = m;
}

void emit_meter(struct walk *w, uint32_t id, struct dp_meter *m)
{
    emit_changes(w);
    append_meter(w, id, m);
    emit_appended(w, false);
}

/* What packets for main are measured by, if a controller has asked for that: a copy is, for the packet itself goes on. The
 * place of the clone that has been opened, or SIZE_MAX. */
static size_t measured_begin(struct walk *w)
{
    static const uint32_t ids[] = {OFPM_SLOWPATH, OFPM_CONTROLLER};
    size_t at = SIZE_MAX;
    dp_path_dep(w->s->path, &w->o->meters_gen);
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        struct dp_meter *m = meter_lookup(w->o, ids[i]);
        if (m && at == SIZE_MAX)
            at = dpact_clone_begin(&w->s->path->acts);
        if (m)
            append_meter(w, ids[i], m);
    }
    return at;
}

static void measured_end(struct walk *w, size_t at)
{
    if (at == SIZE_MAX)
        return;
    dpact_clone_end(&w->s->path->acts, at);
    emit_appended(w, true);
}

void emit_hold_meter(struct walk *w, size_t from)
{
    struct buf *acts = &w->s->path->acts;
    dp_path_dep(w->s->path, &w->o->meters_gen);
    struct dp_meter *m = meter_lookup(w->o, OFPM_SLOWPATH);
    if (!m)
        return;
    for (size_t at = from, len; at < acts->len; at += len) {
        const struct dpact *a = (const struct dpact *)(acts->data + at);
        len = a->len;
        if (a->type != DPACT_HOLD)
            continue;
        append_meter(w, OFPM_SLOWPATH, m); /* behind all, then to its place */
        struct dpact_meter meter = *(struct dpact_meter *)(acts->data + acts->len - sizeof meter);
        memmove(acts->data + at + sizeof meter, acts->data + at, acts->len - sizeof meter - at);
        memcpy(acts->data + at, &meter, sizeof meter);
        return;
    }
}

/* Every bit of the pipeline's metadata that goes along is read through the view: the blob is the same for each packet
 * of the path. Packets of different tunnel keys thus have paths of their own once they go to the controller. */
void emit_packet_in(struct walk *w, uint8_t reason, uint16_t max_len, uint16_t controller_id)
{
    emit_packet_in_with(w, reason, max_len, controller_id, NULL, 0);
}

/* The userdata follow in the blob. */
void emit_packet_in_with(struct walk *w, uint8_t reason, uint16_t max_len, uint16_t controller_id, const void *userdata,
                         uint16_t userdata_len)
{
    struct flow_view *v = w->v;
    struct punt_packet_in pin;
    emit_changes(w);
    memset(&pin, 0, sizeof pin);
    pin.cookie = w->rule ? __atomic_load_n(&w->rule->cookie, __ATOMIC_RELAXED) : UINT64_MAX;
    pin.metadata = be64toh(view_get(v, meta.metadata));
    pin.in_port = ntohl(view_get(v, meta.in_port));
    pin.in_phy_port = ntohl(view_get(v, meta.in_phy_port));
    pin.pkt_mark = ntohl(view_get(v, meta.pkt_mark));
    pin.tun_id = be64toh(view_get(v, tun.id));
    pin.tun_src = view_get(v, tun.src);
    pin.tun_dst = view_get(v, tun.dst);
    view_mark(v, offsetof(struct flow_key, reg), KEY_SIZE(reg));
    for (unsigned i = 0; i < ARRAY_SIZE(pin.reg); i++)
        pin.reg[i] = ntohl(v->key.reg[i]);
    pin.max_len = max_len;
    pin.controller_id = controller_id;
    pin.reason = reason;
    pin.table = w->table;
    pin.by_default = w->missed;
    pin.userdata_len = userdata_len;
    /* The whole packet: main shows max_len of it and buffers the rest. */
    size_t measured = measured_begin(w);
    if (userdata_len) {
        struct buf blob = BUF_INIT;
        buf_put(&blob, &pin, sizeof pin);
        buf_put(&blob, userdata, userdata_len);
        emit_punt(w, PUNT_PACKET_IN, UINT32_MAX, blob.data, blob.len, true);
        buf_free(&blob);
    } else {
        emit_punt(w, PUNT_PACKET_IN, UINT32_MAX, &pin, sizeof pin, true);
    }
    measured_end(w, measured);
}

void emit_learn(struct walk *w, const struct punt_learn_mac *learn)
{
    emit_punt(w, PUNT_LEARN_MAC, 0, learn, sizeof *learn, false);
}

void emit_request(struct walk *w, enum punt_kind kind, const void *blob, size_t len) { emit_punt(w, kind, 0, blob, len, false); }

size_t emit_clone_begin(struct walk *w)
{
    emit_changes(w);
    w->s->last_push = SIZE_MAX;
    return dpact_clone_begin(&w->s->path->acts);
}

/* A clone ends its list: the packet itself may do what the copy would have done. */
static void unwrap(struct buf *acts, size_t at)
{
    size_t body = at + sizeof(struct dpact_clone);
    memmove(acts->data + at, acts->data + body, acts->len - body);
    acts->len -= sizeof(struct dpact_clone);
}

/* Do these change nothing of the packet? Then they need no copy of it. */
static bool only_send(const struct buf *acts, size_t from)
{
    DPACT_FOR_EACH (a, acts->data + from, acts->len - from)
        if (a->type != DPACT_OUTPUT && a->type != DPACT_PUNT && a->type != DPACT_CLONE)
            return false;
    return true;
}

void emit_clone_end(struct walk *w, size_t at)
{
    struct walk_shared *s = w->s;
    struct buf *acts = &s->path->acts;
    size_t body = at + sizeof(struct dpact_clone);
    s->last_push = SIZE_MAX;
    acts->len = MAX(s->kept, body); /* what has no effect goes */
    bool any = acts->len > body;
    if (any && s->last_clone != SIZE_MAX) /* inside this one: what is kept grew */
        unwrap(acts, s->last_clone);
    if (any && only_send(acts, body)) {
        unwrap(acts, at);
        s->kept = acts->len;
        s->last_clone = SIZE_MAX;
        return;
    }
    if (acts->len - at > UINT16_MAX) { /* a list of actions may be longer than one action */
        walk_stop(w, DROP_WALK_WORK);
        acts->len = at;
        return;
    }
    dpact_clone_end(acts, at);
    if (any) {
        s->kept = acts->len;
        s->last_clone = at;
    }
}

void emit_end(struct walk_shared *s)
{
    struct buf *acts = &s->path->acts;
    if (s->stop) {
        buf_clear(acts);
        s->path->drop = s->drop;
        return;
    }
    acts->len = s->kept;
    if (acts->len && s->last_clone != SIZE_MAX)
        unwrap(acts, s->last_clone);
    if (!s->sent)
        s->path->drop = s->drop ? s->drop : DROP_ACTION;
}
