/* walk-act.c: OpenFlow's actions and instructions, each as the walk does it. */
#include "ofproto/walk.h"

/* --- What the packet has --- */

/* Which Ethernet types and IP protocol a prerequisite means; 0: any. */
static const struct header_row {
    uint16_t type[2];
    uint8_t proto[2]; /* one for each type */
    uint8_t icmp[2];  /* types of ICMPv6 */
} header_rows[N_PREREQS] = {
    [P_MPLS] = {.type = {0x8847, 0x8848}},
    [P_IP] = {.type = {0x0800, 0x86dd}},
    [P_IPV4] = {.type = {0x0800}},
    [P_IPV6] = {.type = {0x86dd}},
    [P_ARP] = {.type = {0x0806}},
    [P_TCP] = {.type = {0x0800, 0x86dd}, .proto = {6, 6}},
    [P_UDP] = {.type = {0x0800, 0x86dd}, .proto = {17, 17}},
    [P_SCTP] = {.type = {0x0800, 0x86dd}, .proto = {132, 132}},
    [P_ICMPV4] = {.type = {0x0800}, .proto = {1}},
    [P_ICMPV6] = {.type = {0x86dd}, .proto = {58}},
    [P_ND] = {.type = {0x86dd}, .proto = {58}, .icmp = {135, 136}},
    [P_ND_SOLICIT] = {.type = {0x86dd}, .proto = {58}, .icmp = {135}},
    [P_ND_ADVERT] = {.type = {0x86dd}, .proto = {58}, .icmp = {136}},
    [P_GRE] = {.type = {0x0800, 0x86dd}, .proto = {47, 47}},
    [P_PBB] = {.type = {0x88e7}},
};

static bool has_bits(struct walk *w, enum field_id f, uint64_t bits)
{
    union field_value mask, value;
    field_value_set_u64(&mask, bits);
    view_field_get(w->v, f, &mask, &value);
    return field_value_u64(&value) != 0;
}

bool walk_has_tag(struct walk *w) { return has_bits(w, FIELD_VLAN_TCI, VLAN_PRESENT); }

bool walk_has(struct walk *w, enum field_prereq prereq)
{
    const struct header_row *row = &header_rows[prereq];
    if (prereq == P_VLAN)
        return walk_has_tag(w);
    if (!row->type[0])
        return true;
    uint16_t type = ntohs(view_get(w->v, eth.type));
    int i = type == row->type[0] ? 0 : row->type[1] && type == row->type[1] ? 1 : -1;
    if (i < 0)
        return false;
    if (row->proto[i] && view_get(w->v, ip.proto) != row->proto[i])
        return false;
    if (row->icmp[0]) {
        uint8_t icmp = view_get(w->v, l4.icmp_type);
        return icmp == row->icmp[0] || (row->icmp[1] && icmp == row->icmp[1]);
    }
    return true;
}

bool walk_has_header(struct walk *w, enum field_id f)
{
    struct key_part part = field_part(f);
    if (!part.bit)
        return true;
    ((uint8_t *)&w->v->consulted)[part.at] |= part.bit & (uint8_t)~((const uint8_t *)&w->v->written)[part.at];
    return ((const uint8_t *)&w->v->key)[part.at] & part.bit;
}

bool walk_has_field(struct walk *w, enum field_id f)
{
    return walk_has(w, fields[f].prereq) && walk_has_header(w, f);
}

/* --- Fields --- */

void walk_set_bits(struct walk *w, enum field_id f, const union field_value *value, const union field_value *mask)
{
    if (fields[f].layer == L_META) {
        view_field_set(w->v, f, value, mask, NULL);
        return;
    }
    view_field_set(w->v, f, value, mask, &w->changed);
    w->any_changed = true;
}

/* The tag's fields hold whether there is a tag. Writing that bit pushes or pops one (NXM's vlan_tci; and, as
 * OpenFlow 1.0's mod_vlan_vid does, a VID written to an untagged packet tags it). */
static void set_vlan(struct walk *w, enum field_id f, const union field_value *value, const union field_value *mask)
{
    uint64_t bits = field_value_u64(mask) << fields[f].shift;
    if (bits & VLAN_PRESENT) {
        bool want = (field_value_u64(value) << fields[f].shift & VLAN_PRESENT) != 0, has = walk_has_tag(w);
        if (want && !has)
            walk_push_vlan(w, 0x8100);
        else if (!want && has)
            walk_pop_vlan(w);
        if (!want)
            return;
    }
    if (!walk_has_tag(w)) {
        walk_note(w, "%s: the packet has no tag", fields[f].name);
        return;
    }
    union field_value rest;
    field_value_set_u64(&rest, (bits & (uint16_t)~VLAN_PRESENT) >> fields[f].shift);
    walk_set_bits(w, f, value, &rest);
}

void walk_set_field(struct walk *w, enum field_id f, const union field_value *value, const union field_value *mask)
{
    if (fields[f].ofs == offsetof(struct flow_key, eth.tci))
        set_vlan(w, f, value, mask);
    else if (walk_has_field(w, f) && fields[f].access == SF)
        walk_set_kind(w, f, value);
    else if (walk_has_field(w, f))
        walk_set_bits(w, f, value, mask);
    else
        walk_note(w, "%s: the packet has no such header", fields[f].name);
}

static void act_set_field(struct walk *w, const struct act *a)
{
    const struct act_set_field *s = (const void *)a;
    walk_set_field(w, s->field, &s->value, &s->mask);
}

static void act_move(struct walk *w, const struct act *a)
{
    const struct act_move *m = (const void *)a;
    union field_value number;
    if (walk_get_subfield(w, &m->src, &number))
        walk_put_subfield(w, &m->dst, &number);
}

static void act_set_tunnel(struct walk *w, const struct act *a)
{
    view_set(w->v, tun.id, htobe64(((const struct act_tunnel *)a)->id));
}

/* --- Where the packet goes --- */

static void act_output(struct walk *w, const struct act *a)
{
    walk_output_number(w, a->n, ((const struct act_output *)a)->max_len);
}

static void act_set_queue(struct walk *w, const struct act *a) { w->queue = a->n; }
static void act_pop_queue(struct walk *w, const struct act *a UNUSED) { w->queue = 0; }

static void act_controller(struct walk *w, const struct act *a)
{
    const struct act_controller *c = (const void *)a;
    emit_packet_in_with(w, c->reason, c->max_len, c->controller_id, c->userdata, c->userdata_len);
}

static void act_resubmit(struct walk *w, const struct act *a)
{
    uint8_t table = ((const struct act_resubmit *)a)->table;
    walk_resubmit(w, table == 255 ? w->table : table, a->n);
}

static void act_clone(struct walk *w, const struct act *a)
{
    struct flow_key key = w->v->key, written = w->v->written;
    uint32_t queue = w->queue;
    if (!walk_deeper(w))
        return;
    struct buf stack = walk_save_stack(w);
    size_t at = emit_clone_begin(w);
    walk_acts(w, ((const struct act_nested *)a)->list, a->len - sizeof *a);
    emit_clone_end(w, at);
    walk_restore_stack(w, &stack);
    w->v->key = key;
    w->v->written = written;
    memset(&w->changed, 0, sizeof w->changed);
    w->any_changed = w->exited = false;
    w->queue = queue;
    walk_shallower(w);
}

static void act_group(struct walk *w, const struct act *a) { walk_group(w, a->n); }

static void act_exit(struct walk *w, const struct act *a UNUSED) { w->exited = true; }
static void act_nothing(struct walk *w UNUSED, const struct act *a UNUSED) {}

/* --- Instructions --- */

/* What follows depends on the meter's measure only by the packet being there or not; its DSCP may be another one than the
 * walk knows. */
static void inst_meter(struct walk *w, const struct act *a)
{
    struct dp_meter *m = meter_lookup(w->o, a->n);
    if (m)
        emit_meter(w, a->n, m);
    else
        walk_note(w, "meter %u has just been deleted, and this flow with it", a->n);
}

static void inst_apply(struct walk *w, const struct act *a)
{
    walk_acts(w, ((const struct act_nested *)a)->list, a->len - sizeof *a);
}

/* ONF EXT-233: actset_output is the port of the output in the action set, OFPP_UNSET if there is none or a group goes before
 * it. */
void walk_note_set(struct walk *w)
{
    uint32_t port = OFPP_UNSET;
    for (unsigned i = 0; i < w->n_set; i++) {
        if (w->set[i]->type == ACT_GROUP) {
            port = OFPP_UNSET;
            break;
        }
        if (w->set[i]->type == ACT_OUTPUT)
            port = w->set[i]->n;
    }
    view_set(w->v, meta.actset_output, htonl(port));
}

static void inst_clear(struct walk *w, const struct act *a UNUSED)
{
    w->n_set = 0;
    walk_note_set(w);
}

/* Do two actions take the same place in an action set? OpenFlow 1.3.5, 5.10: "the set contains a maximum of one action
 * of each type", and of set-field "one for each field". */
static bool same_place(const struct act *a, const struct act *b)
{
    if (a->type != b->type || a->type == ACT_REG_LOAD || a->type == ACT_SET_MASKED || a->type == ACT_REG_MOVE ||
        a->type == ACT_COPY_FIELD)
        return false;
    return (a->type != ACT_SET_FIELD && a->type != ACT_SET_PRESENT) ||
           ((const struct act_set_field *)a)->field == ((const struct act_set_field *)b)->field;
}

void walk_write_set(struct walk *w, const void *acts, size_t len)
{
    ACT_FOR_EACH (a, acts, len) {
        unsigned i = 0;
        while (i < w->n_set && !same_place(w->set[i], a))
            i++;
        if (i < w->n_set)
            memmove(&w->set[i], &w->set[i + 1], (--w->n_set - i) * sizeof w->set[0]);
        if (w->n_set == WALK_SET_SIZE) {
            walk_stop(w, DROP_WALK_WORK);
            return;
        }
        if (walk_step(w))
            w->set[w->n_set++] = a;
    }
}

static void inst_write(struct walk *w, const struct act *inst)
{
    walk_write_set(w, ((const struct act_nested *)inst)->list, inst->len - sizeof *inst);
    walk_note_set(w);
}

static void inst_metadata(struct walk *w, const struct act *a)
{
    const struct act_metadata *m = (const void *)a;
    union field_value value, mask;
    field_value_set_u64(&value, m->value);
    field_value_set_u64(&mask, m->mask);
    walk_set_bits(w, FIELD_METADATA, &value, &mask);
}

static void inst_goto(struct walk *w, const struct act *a) { w->go_to = (int)(a->n & 0xff); }

/* --- Dispatch. An act without a function is in no rule: acts_check_references() refuses it. --- */

/* OpenFlow 1.3.5, 5.10. Of the pops, which share a place there, the outermost tag's comes first. */
enum { TTL_IN = 1, VLAN_OFF, PBB_OFF, MPLS_OFF, MPLS_ON, PBB_ON, VLAN_ON, TTL_OUT, TTL_DOWN, SET, QOS, TO_GROUP, OUT, AGAIN };

static const struct {
    void (*fn)(struct walk *, const struct act *);
    uint8_t rank; /* OpenFlow 1.3.5, 5.10: place in the order of an action set; 0: not in one */
} rows[N_ACTS] = {
    [ACT_OUTPUT] = {act_output, OUT},
    [ACT_OUTPUT_REG] = {act_output_reg, 0},
    [ACT_OUTPUT_REG2] = {act_output_reg, 0},
    [ACT_CONTROLLER] = {act_controller, OUT},
    [ACT_CONTROLLER2] = {act_controller, OUT},
    [ACT_CHECK_LEN] = {act_check_len, 0},
    [ACT_GROUP] = {act_group, TO_GROUP},
    [ACT_SET_QUEUE] = {act_set_queue, QOS},
    [ACT_POP_QUEUE] = {act_pop_queue, 0},
    [ACT_PUSH_VLAN] = {act_push_vlan, VLAN_ON},
    [ACT_POP_VLAN] = {act_pop_vlan, VLAN_OFF},
    [ACT_PUSH_MPLS] = {act_push_mpls, MPLS_ON},
    [ACT_POP_MPLS] = {act_pop_mpls, MPLS_OFF},
    [ACT_PUSH_PBB] = {act_push_pbb, PBB_ON},
    [ACT_POP_PBB] = {act_pop_pbb, PBB_OFF},
    [ACT_COPY_TTL_OUT] = {act_copy_ttl_out, TTL_OUT},
    [ACT_COPY_TTL_IN] = {act_copy_ttl_in, TTL_IN},
    [ACT_SET_MPLS_TTL] = {act_set_mpls_ttl, SET},
    [ACT_DEC_MPLS_TTL] = {act_dec_mpls_ttl, TTL_DOWN},
    [ACT_SET_NW_TTL] = {act_set_nw_ttl, SET},
    [ACT_DEC_NW_TTL] = {act_dec_nw_ttl, TTL_DOWN},
    [ACT_DEC_TTL_IDS] = {act_dec_ttl_ids, TTL_DOWN},
    [ACT_SET_FIELD] = {act_set_field, SET},
    [ACT_SET_MASKED] = {act_set_field, SET},
    [ACT_SET_PRESENT] = {act_set_field, SET},
    [ACT_REG_LOAD] = {act_set_field, SET},
    [ACT_REG_MOVE] = {act_move, SET},
    [ACT_COPY_FIELD] = {act_move, SET},
    [ACT_STACK_PUSH] = {act_stack_push, 0},
    [ACT_STACK_POP] = {act_stack_pop, 0},
    [ACT_SET_TUNNEL] = {act_set_tunnel, SET},
    [ACT_SET_TUNNEL64] = {act_set_tunnel, SET},
    [ACT_RESUBMIT] = {act_resubmit, AGAIN /* in buckets */},
    [ACT_RESUBMIT_TABLE] = {act_resubmit, AGAIN},
    [ACT_LEARN] = {act_learn, 0},
    [ACT_LEARN2] = {act_learn, 0},
    [ACT_FIN_TIMEOUT] = {act_fin_timeout, 0},
    [ACT_CONJUNCTION] = {act_nothing, 0},
    [ACT_CLONE] = {act_clone, 0},
    [ACT_NOTE] = {act_nothing, 0},
    [ACT_EXIT] = {act_exit, 0},
    [INST_METER] = {inst_meter, 0},
    [INST_APPLY_ACTIONS] = {inst_apply, 0},
    [INST_CLEAR_ACTIONS] = {inst_clear, 0},
    [INST_WRITE_ACTIONS] = {inst_write, 0},
    [INST_WRITE_METADATA] = {inst_metadata, 0},
    [INST_GOTO_TABLE] = {inst_goto, 0},
};

void walk_act(struct walk *w, const struct act *a)
{
    assert(a->type < N_ACTS);
    assert(rows[a->type].fn);
    rows[a->type].fn(w, a);
}

struct act_set walk_executes(void)
{
    struct act_set acts = {{0}};
    for (unsigned i = 0; i < N_ACTS; i++)
        if (rows[i].fn)
            act_set_add(&acts, i);
    return acts;
}

unsigned walk_set_rank(const struct act *a) { return rows[a->type].rank; }
