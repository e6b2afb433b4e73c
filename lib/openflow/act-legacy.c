/* act-legacy.c: words of OpenFlow 1.0 and Open vSwitch's older manuals, which say what set_field and push_vlan say. */
#include "openflow/act-shape.h"

/* A field, or the one of several whose prerequisite the match holds. */
struct legacy {
    const char *word;
    enum field_id choices[3];
    unsigned n;
    bool vlan; /* pushes a tag first if there is none */
};

static const struct legacy legacy[] = {
    {"mod_dl_src", {FIELD_ETH_SRC}, 1, false},
    {"mod_dl_dst", {FIELD_ETH_DST}, 1, false},
    {"mod_vlan_vid", {FIELD_VLAN_VID}, 1, true},
    {"set_vlan_vid", {FIELD_VLAN_VID}, 1, true},
    {"mod_vlan_pcp", {FIELD_VLAN_PCP}, 1, true},
    {"set_vlan_pcp", {FIELD_VLAN_PCP}, 1, true},
    {"mod_nw_src", {FIELD_IPV4_SRC}, 1, false},
    {"mod_nw_dst", {FIELD_IPV4_DST}, 1, false},
    {"mod_nw_tos", {FIELD_IP_DSCP}, 1, false},
    {"mod_nw_ecn", {FIELD_IP_ECN}, 1, false},
    {"set_mpls_label", {FIELD_MPLS_LABEL}, 1, false},
    {"set_mpls_tc", {FIELD_MPLS_TC}, 1, false},
    {"mod_tp_src", {FIELD_TCP_SRC, FIELD_UDP_SRC, FIELD_SCTP_SRC}, 3, false},
    {"mod_tp_dst", {FIELD_TCP_DST, FIELD_UDP_DST, FIELD_SCTP_DST}, 3, false},
};

static void push_if_untagged(struct act_text *t)
{
    if (t->state && match_prereq(&t->state->match, FIELD_VLAN_PCP, NULL))
        return;
    struct act_number *push = act_append(t->list, ACT_PUSH_VLAN, sizeof *push);
    push->a.n = 0x8100;
}

static bool parse(struct act_text *t, const struct legacy *l, const struct item *item)
{
    enum field_id f = l->choices[0];
    union field_value value, mask;
    const char *need;
    for (unsigned i = 1; i < l->n; i++)
        if (t->state && match_prereq(&t->state->match, l->choices[i], &need))
            f = l->choices[i];
    enum field_id as = f == FIELD_IP_DSCP ? FIELD_IP_TOS : f; /* nw_tos is written with two zero bits below */
    uint64_t vid;
    if (f == FIELD_VLAN_VID) {
        if (!text_number(&t->t, item->value, "VLAN id", VLAN_VID_MASK, &vid))
            return false;
        field_value_set_u64(&value, vid | VLAN_PRESENT);
    } else if (!text_field_value(&t->t, as, item->value, false, &value, &mask)) {
        return false;
    }
    if (as == FIELD_IP_TOS)
        field_value_set_u64(&value, field_value_u64(&value) >> 2);
    if (l->vlan)
        push_if_untagged(t);
    if (l->vlan || !t->state || !t->state->ctx->match || match_prereq(&t->state->match, f, &need)) {
        act_put_set_field(t->list, ACT_SET_FIELD, f, &value);
        return true;
    }
    /* OpenFlow 1.0's actions ask nothing of the match: they write what the packet has, and leave others alone. */
    for (unsigned i = 0; i < l->n; i++)
        act_put_set_field(t->list, ACT_SET_PRESENT, l->choices[i], &value);
    return true;
}

/* enqueue(PORT,QUEUE), enqueue:PORT:QUEUE: OpenFlow 1.0's action of this name, in the words of later versions. */
static bool parse_enqueue(struct act_text *t, const struct item *item)
{
    struct word port = item->value, queue;
    const char *s = t->t.s + port.at, *mid = memchr(s, item->delim == '(' ? ',' : ':', port.len);
    uint32_t number;
    uint64_t id;
    if (!mid)
        return text_fail(&t->t, item->all, "write enqueue(PORT,QUEUE)");
    queue = text_trim(&t->t, (struct word){port.at + (size_t)(mid - s) + 1, port.len - (size_t)(mid - s) - 1});
    port = text_trim(&t->t, (struct word){port.at, (size_t)(mid - s)});
    if (!text_port(&t->t, port, &number) || !text_number(&t->t, queue, "queue", OFPQ_ALL - 1, &id))
        return false;
    ((struct act *)act_append(t->list, ACT_SET_QUEUE, sizeof(struct act_number)))->n = (uint32_t)id;
    ((struct act *)act_append(t->list, ACT_OUTPUT, sizeof(struct act_output)))->n = number;
    act_append(t->list, ACT_POP_QUEUE, sizeof(struct act_number));
    return true;
}

bool act_parse_legacy(struct act_text *t, const struct item *item, bool *ok)
{
    if (text_is(&t->t, item->key, "enqueue")) {
        *ok = parse_enqueue(t, item);
        return true;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(legacy); i++)
        if (text_is(&t->t, item->key, legacy[i].word)) {
            *ok = parse(t, &legacy[i], item);
            return true;
        }
    return false;
}
