/* walk-tag.c: headers that actions push and pop between Ethernet and IP, and the TTLs on both sides.
 *
 * The key knows two VLAN tags, two labels and an IP packet right below them, one I-TAG, and nothing that is inside of
 * PBB. Where a pop brings more to light the packet itself is asked: its headers are changed as the primitive actions so
 * far will change them, and parsed again. What is found there is this packet's alone, so the path is not cached. */
#include "ofproto/walk.h"

#include "base/mem.h"
#include "packet/ip.h"
#include "packet/modify.h"
#include "packet/parse.h"

enum { LSE_BOS = 0x100, LSE_TTL = 0xff };

/* --- What the key does not know --- */

static void replay_one(const struct dpact *a, struct packet *p)
{
    const struct dpact_set *set = (const void *)a;
    switch ((enum dpact_type)a->type) {
    case DPACT_SET_FIELD:
        packet_set_field(p, (enum field_id)a->arg, &set->value, &set->mask);
        break;
    case DPACT_PUSH_VLAN:
        packet_push_vlan(p, htons((uint16_t)(a->arg >> 16)), htons((uint16_t)a->arg));
        break;
    case DPACT_POP_VLAN:
        packet_pop_vlan(p);
        break;
    case DPACT_PUSH_MPLS:
        packet_push_mpls(p, htons((uint16_t)a->arg), ((const struct dpact_mpls *)(const void *)a)->lse);
        break;
    case DPACT_POP_MPLS:
        packet_pop_mpls(p, htons((uint16_t)a->arg));
        break;
    case DPACT_PUSH_PBB:
        packet_push_pbb(p, htonl(a->arg));
        break;
    case DPACT_POP_PBB:
        packet_pop_pbb(p);
        break;
    case DPACT_COPY_TTL_OUT:
        packet_copy_ttl_out(p);
        break;
    case DPACT_COPY_TTL_IN:
        packet_copy_ttl_in(p);
        break;
    default:
        break; /* it goes somewhere, and stays as it is */
    }
}

/* A clone that is still being filled has the length of its header alone: what is in it follows, and is for the packet
 * at hand. One that has ended is skipped as a whole. */
static void replay(const struct buf *acts, struct packet *p)
{
    DPACT_FOR_EACH(a, acts->data, acts->len)
    replay_one(a, p);
}

static void look_again(struct walk *w)
{
    enum { ROOM = 1024 }; /* for what is pushed */
    struct dp_path *path = w->s->path;
    struct flow_view *v = w->v;
    struct flow_key old = v->key;
    const size_t headers = offsetof(struct flow_key, eth);
    path->uncacheable = true;
    memset((uint8_t *)&v->written + headers, 0xff, sizeof v->written - headers);
    if (!path->packet) {
        memset((uint8_t *)&v->key + headers, 0, sizeof v->key - headers);
        walk_note(w, "what comes to light here is not known: give a frame");
        return;
    }
    struct packet p = *path->packet;
    uint8_t *copy = xmalloc(ROOM + p.len);
    memcpy(copy + ROOM, p.data, p.len);
    p.base = copy;
    p.data = copy + ROOM;
    p.size = ROOM + p.len;
    replay(&path->acts, &p);
    key_parse(&p, 0, L_L4, &v->key);
    memcpy(&v->key, &old, headers);
    free(copy);
}

/* A field that says what follows: after it everything is something else. */
void walk_set_kind(struct walk *w, enum field_id f, const union field_value *value)
{
    emit_changes(w);
    struct dpact_set *set = dpact_append(&w->s->path->acts, DPACT_SET_FIELD, sizeof *set, (uint32_t)f);
    set->value = *value;
    field_all_ones(f, &set->mask);
    look_again(w);
}

/* --- VLAN --- */

void walk_push_vlan(struct walk *w, uint16_t tpid)
{
    struct flow_view *v = w->v;
    emit_changes(w);
    be16 tci = view_get(v, eth.tci), old_tpid = view_get(v, eth.tpid);
    uint8_t n = view_get(v, eth.n_tags);
    /* OpenFlow 1.3.5, 5.12.1: the new tag's VID and PCP are those of the existing outermost tag, else 0. */
    view_set(v, eth.tci2, tci);
    view_set(v, eth.tpid2, old_tpid);
    view_set(v, eth.tci, tci | htons(VLAN_PRESENT));
    view_set(v, eth.tpid, htons(tpid));
    view_set(v, eth.n_tags, (uint8_t)(n + 1));
    emit_push_vlan(w, tpid, ntohs(tci));
}

void walk_pop_vlan(struct walk *w)
{
    struct flow_view *v = w->v;
    if (!walk_has_tag(w)) {
        walk_note(w, "pop_vlan: the packet has no tag");
        return;
    }
    emit_changes(w);
    be16 tci = view_get(v, eth.tci2), tpid = view_get(v, eth.tpid2);
    uint8_t n = view_get(v, eth.n_tags);
    emit_pop_vlan(w);
    if (n > 2) { /* the one that is now the second */
        look_again(w);
        return;
    }
    view_set(v, eth.tci, tci);
    view_set(v, eth.tpid, tpid);
    view_set(v, eth.tci2, 0);
    view_set(v, eth.tpid2, 0);
    view_set(v, eth.n_tags, (uint8_t)(n ? n - 1 : 0));
}

void act_push_vlan(struct walk *w, const struct act *a) { walk_push_vlan(w, (uint16_t)a->n); }
void act_pop_vlan(struct walk *w, const struct act *a UNUSED) { walk_pop_vlan(w); }

/* Tags that were there are behind the new header. */
static void hide_tags(struct flow_view *v, uint16_t type)
{
    view_set(v, eth.type, htons(type));
    view_set(v, eth.tci, 0);
    view_set(v, eth.tpid, 0);
    view_set(v, eth.tci2, 0);
    view_set(v, eth.tpid2, 0);
    view_set(v, eth.n_tags, 0);
}

/* --- MPLS --- */

static void set_labels(struct flow_view *v, uint32_t lse, be32 below, uint8_t labels)
{
    view_set(v, mpls.lse, htonl(lse));
    view_set(v, mpls.lse2, below);
    view_set(v, mpls.labels, labels);
}

/* OpenFlow 1.3.5, 5.12.1: "MPLS label ← MPLS label, MPLS traffic class ← MPLS traffic class, MPLS TTL ← MPLS TTL or IP
 * TTL", and what has no such existing field is zero. RFC 3032: the bottom of the stack is what has no label below. */
void act_push_mpls(struct walk *w, const struct act *a)
{
    struct flow_view *v = w->v;
    bool tag = walk_has_tag(w), label = walk_has_field(w, FIELD_MPLS_LABEL), ip = walk_has_field(w, FIELD_IP_TTL);
    emit_changes(w);
    uint32_t lse = label ? ntohl(view_get(v, mpls.lse)) & ~(uint32_t)LSE_BOS : ip ? view_get(v, ip.ttl) : 0;
    if (label && !tag) {
        uint8_t labels = view_get(v, mpls.labels);
        set_labels(v, lse, view_get(v, mpls.lse), labels == 1 ? 2 : 3);
        if (labels != 1)
            view_set(v, mpls.inner, 0);
    } else {
        lse |= LSE_BOS;
        be16 inner = ip && !tag ? view_get(v, eth.type) : 0;
        set_labels(v, lse, 0, inner ? 1 : 0);
        view_set(v, mpls.inner, inner);
    }
    hide_tags(v, (uint16_t)a->n);
    view_set(v, eth.has, HAS_MPLS);
    emit_push_mpls(w, (uint16_t)a->n, lse);
}

static bool has_label(struct walk *w, const char *what)
{
    if (walk_has_field(w, FIELD_MPLS_LABEL))
        return true;
    walk_note(w, "%s: the packet has no MPLS label", what);
    return false;
}

/* Does the key know what a pop brings to light? */
static bool pop_known(struct flow_view *v, uint16_t type)
{
    uint8_t labels = view_get(v, mpls.labels);
    if (labels == 2 && etype_is_mpls(type)) {
        set_labels(v, ntohl(view_get(v, mpls.lse2)), 0, 1);
    } else if (labels == 1 && (type == ETYPE_IPV4 || type == ETYPE_IPV6) && view_get(v, mpls.inner) == htons(type)) {
        set_labels(v, 0, 0, 0);
        view_set(v, mpls.inner, 0);
        view_set(v, eth.has, 0);
    } else {
        return false;
    }
    view_set(v, eth.type, htons(type));
    return true;
}

void act_pop_mpls(struct walk *w, const struct act *a)
{
    if (!has_label(w, "pop_mpls"))
        return;
    emit_changes(w);
    emit_tag(w, DPACT_POP_MPLS, a->n);
    if (!pop_known(w->v, (uint16_t)a->n))
        look_again(w);
}

/* --- PBB --- */

/* OpenFlow 1.3.5, 5.12.1: "PBB I-SID ← PBB I-SID, PBB I-PCP ← VLAN PCP, PBB C-DA ← ETH_DST, PBB C-SA ← ETH_SRC". The
 * addresses in front stay what they were until set_field writes them. */
void act_push_pbb(struct walk *w, const struct act *a)
{
    struct flow_view *v = w->v;
    uint32_t tci = 0;
    emit_changes(w);
    if (walk_has_field(w, FIELD_PBB_ISID))
        tci = ntohl(view_get(v, mpls.pbb)) & PBB_ISID_MASK;
    if (walk_has_tag(w))
        tci |= (uint32_t)(ntohs(view_get(v, eth.tci)) >> VLAN_PCP_SHIFT) << PBB_PCP_SHIFT;
    hide_tags(v, (uint16_t)a->n);
    view_set(v, mpls.pbb, htonl(tci));
    view_set(v, eth.has, HAS_PBB);
    emit_tag(w, DPACT_PUSH_PBB, tci);
}

void act_pop_pbb(struct walk *w, const struct act *a UNUSED)
{
    if (!walk_has_field(w, FIELD_PBB_ISID) || walk_has_tag(w)) {
        walk_note(w, "pop_pbb: the packet's outermost tag is not one of PBB");
        return;
    }
    emit_changes(w);
    emit_tag(w, DPACT_POP_PBB, 0);
    look_again(w);
}

/* --- TTL --- */

/* Is it an IP packet that the outermost label is in front of? */
static bool label_on_ip(struct walk *w)
{
    return view_get(w->v, mpls.labels) == 1 && view_get(w->v, mpls.inner) && walk_has_header(w, FIELD_IP_TTL);
}

/* IP in IP: the key knows the outer header alone. */
static bool copy_in_ip(struct walk *w, enum dpact_type type)
{
    uint8_t proto = walk_has_field(w, FIELD_IP_PROTO) ? view_get(w->v, ip.proto) : 0;
    if (proto != IPPROTO_IPIP && proto != IPPROTO_IPV6)
        return false;
    emit_changes(w);
    emit_tag(w, type, 0);
    if (type == DPACT_COPY_TTL_OUT)
        look_again(w);
    return true;
}

void act_copy_ttl_out(struct walk *w, const struct act *a UNUSED)
{
    struct flow_view *v = w->v;
    if (copy_in_ip(w, DPACT_COPY_TTL_OUT) || !has_label(w, "copy_ttl_out"))
        return;
    emit_changes(w);
    emit_tag(w, DPACT_COPY_TTL_OUT, 0);
    if (!view_get(v, mpls.labels)) {
        look_again(w);
        return;
    }
    uint32_t lse = ntohl(view_get(v, mpls.lse)) & ~(uint32_t)LSE_TTL;
    if (view_get(v, mpls.labels) > 1)
        view_set(v, mpls.lse, htonl(lse | (ntohl(view_get(v, mpls.lse2)) & LSE_TTL)));
    else if (label_on_ip(w))
        view_set(v, mpls.lse, htonl(lse | view_get(v, ip.ttl)));
}

void act_copy_ttl_in(struct walk *w, const struct act *a UNUSED)
{
    struct flow_view *v = w->v;
    if (copy_in_ip(w, DPACT_COPY_TTL_IN) || !has_label(w, "copy_ttl_in"))
        return;
    emit_changes(w);
    emit_tag(w, DPACT_COPY_TTL_IN, 0);
    uint32_t ttl = ntohl(view_get(v, mpls.lse)) & LSE_TTL, below = ntohl(view_get(v, mpls.lse2)) & ~(uint32_t)LSE_TTL;
    if (view_get(v, mpls.labels) > 1)
        view_set(v, mpls.lse2, htonl(below | ttl));
    else if (label_on_ip(w))
        view_set(v, ip.ttl, (uint8_t)ttl);
}

static void set_ttl(struct walk *w, enum field_id f, uint32_t ttl)
{
    union field_value value;
    field_value_set_u64(&value, ttl);
    walk_set_bits(w, f, &value, NULL);
}

/* OpenFlow 1.3.5, 7.2.5: "the packet is … a packet with an invalid TTL"; 7.4.1: reason INVALID_TTL. */
static const uint16_t default_controller[] = {0};

static void dec_ttl(struct walk *w, enum field_id f, const uint16_t *controllers, unsigned n)
{
    union field_value value;
    view_field_get(w->v, f, NULL, &value);
    uint64_t ttl = field_value_u64(&value);
    if (ttl > 1) {
        set_ttl(w, f, (uint32_t)ttl - 1);
        return;
    }
    for (unsigned i = 0; i < n && walk_step(w); i++)
        emit_packet_in(w, OFPR_INVALID_TTL, OFPCML_NO_BUFFER, controllers[i]);
    walk_drop(w, DROP_TTL);
    w->exited = true;
    w->n_set = 0;
}

void act_set_nw_ttl(struct walk *w, const struct act *a)
{
    if (walk_has_field(w, FIELD_IP_TTL))
        set_ttl(w, FIELD_IP_TTL, a->n);
}

void act_dec_nw_ttl(struct walk *w, const struct act *a UNUSED)
{
    if (walk_has_field(w, FIELD_IP_TTL))
        dec_ttl(w, FIELD_IP_TTL, default_controller, 1);
}

void act_dec_ttl_ids(struct walk *w, const struct act *a)
{
    if (walk_has_field(w, FIELD_IP_TTL))
        dec_ttl(w, FIELD_IP_TTL, ((const struct act_ids *)a)->id, a->n);
}

void act_set_mpls_ttl(struct walk *w, const struct act *a)
{
    if (has_label(w, "set_mpls_ttl"))
        set_ttl(w, FIELD_MPLS_TTL, a->n);
}

void act_dec_mpls_ttl(struct walk *w, const struct act *a UNUSED)
{
    if (has_label(w, "dec_mpls_ttl"))
        dec_ttl(w, FIELD_MPLS_TTL, default_controller, 1);
}
