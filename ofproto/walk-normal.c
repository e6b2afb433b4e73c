/* walk-normal.c: the NORMAL port: a learning Ethernet switch (IEEE 802.1D, 7.7 and 7.8). */
#include "ofproto/walk.h"

static bool is_multicast(const uint8_t mac[6]) { return mac[0] & 1; }

/* Learning changes the MAC table, which is main's: the packet takes a request along. A known source costs nothing, its
 * entry is kept young by the counter of the packets that looked it up. */
static void learn_source(struct walk *w, uint16_t vlan, uint32_t in_port)
{
    struct punt_learn_mac learn = {.in_port = in_port, .vlan = vlan};
    struct dp_tally *refresh = NULL;
    memcpy(learn.mac, view_ref(w->v, eth.src), 6);
    if (is_multicast(learn.mac) || (in_port >= OFPP_MAX && in_port != OFPP_LOCAL))
        return;
    if (fdb_lookup(w->o->fdb, vlan, learn.mac, w->s->path, &refresh) == in_port)
        dp_path_tally(w->s->path, refresh);
    else
        emit_learn(w, &learn);
}

void walk_normal(struct walk *w)
{
    static const uint8_t reserved[6] = {0x01, 0x80, 0xc2, 0, 0, 0};
    uint8_t dst[6];
    struct dp_tally *unused;
    memcpy(dst, view_ref(w->v, eth.dst), 6);
    /* IEEE 802.1D, 7.12.6: frames to 01-80-C2-00-00-00 to -0F "shall not be relayed by the Bridge". */
    if (!memcmp(dst, reserved, 5) && !(dst[5] & 0xf0)) {
        walk_drop(w, DROP_RESERVED_MAC);
        return;
    }
    uint32_t in_port = ntohl(view_get(w->v, meta.in_port));
    union field_value vid;
    view_field_get(w->v, FIELD_VLAN_VID, NULL, &vid);
    uint16_t vlan = (uint16_t)field_value_u64(&vid) & VLAN_VID_MASK;
    learn_source(w, vlan, in_port);
    uint32_t to = is_multicast(dst) ? 0 : fdb_lookup(w->o->fdb, vlan, dst, w->s->path, &unused);
    if (!to) {
        walk_note(w, is_multicast(dst) ? "NORMAL: to all, flooded" : "NORMAL: nobody knows the destination, flooded");
        walk_flood(w, false);
    } else if (to == in_port) {
        walk_drop(w, DROP_NO_NORMAL);
    } else {
        const struct ofport *p = ofport_lookup(w->o, to);
        walk_note(w, "NORMAL: the destination was learned on port %s", p ? p->name : "that is gone");
        walk_output_number(w, to, 0);
    }
}
