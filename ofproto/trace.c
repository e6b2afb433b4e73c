/* trace.c: explains a walk: the same walk as packets get, with a listener that writes down each step. */
#include "ofproto/trace.h"

#include <inttypes.h>
#include "base/mem.h"
#include "ofproto/walk.h"
#include "packet/compose.h"
#include "packet/parse.h"

struct trace {
    struct walk_listener listener;
    const struct ofproto *o; /* where the walk is now */
    struct buf *out;
    unsigned depth;
    bool json, any_step;
    const struct ofproto *outer[WALK_MAX_DEPTH + 1]; /* bridges to come back to, by depth */
};

/* --- Names --- */

static bool port_by_name(const char *name, size_t len, uint32_t *port, void *o)
{
    char s[256];
    if (len >= sizeof s)
        return false;
    memcpy(s, name, len);
    s[len] = 0;
    struct ofport *p = ofproto_port_by_name(o, s);
    if (p)
        *port = p->number;
    return p != NULL;
}

static const char *dp_port_to_name(uint32_t id, void *dp)
{
    struct dp_port *p = dp_port_by_id(dp, id);
    struct dp_port_info info = {0};
    if (p)
        dp_port_get_info(p, &info);
    return info.name;
}

/* --- Steps --- */

static void put_quoted(const char *s, struct buf *out)
{
    buf_puts(out, "\"");
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            buf_printf(out, "\\%c", *s);
        else if ((unsigned char)*s < 0x20)
            buf_printf(out, "\\u%04x", (unsigned char)*s);
        else
            buf_put(out, s, 1);
    }
    buf_puts(out, "\"");
}

static void put_member(const char *name, const char *value, struct buf *out)
{
    put_quoted(name, out);
    buf_puts(out, ":");
    put_quoted(value, out);
}

/* `indent`: spaces beside those of the depth. `more`: further JSON members, or NULL. */
static void step(struct trace *t, const char *kind, unsigned indent, const char *text, const char *more)
{
    if (!t->json) {
        buf_printf(t->out, "%*s%s\n", (int)(t->depth * 4 + indent), "", text);
        return;
    }
    buf_puts(t->out, t->any_step ? "," : "");
    t->any_step = true;
    buf_puts(t->out, "{");
    put_member("step", kind, t->out);
    buf_printf(t->out, ",\"depth\":%u,", t->depth);
    put_member("text", text, t->out);
    buf_puts(t->out, more ? more : "");
    buf_puts(t->out, "}");
}

/* The fields that are not zero, as a match. */
static void put_key(const struct flow_key *key, struct buf *out)
{
    struct match m;
    memset(&m, 0, sizeof m);
    for (int f = 0; f < N_FIELDS; f++) {
        union field_value v;
        field_get(f, key, &v);
        if (v.w[0] | v.w[1])
            match_set(&m, f, &v, NULL);
    }
    match_format(&m, NULL, out);
}

static void on_bridge(struct walk_listener *l, const struct ofproto *o, const struct flow_view *v)
{
    struct trace *t = container_of(l, struct trace, listener);
    struct buf text = BUF_INIT, more = BUF_INIT;
    t->o = o;
    if (t->depth < ARRAY_SIZE(t->outer))
        t->outer[t->depth] = o;
    buf_printf(&text, "bridge %s: ", o->name);
    put_key(&v->key, &text);
    buf_puts(&more, ",");
    put_member("bridge", o->name, &more);
    step(t, "bridge", 0, buf_text(&text), buf_text(&more));
    buf_free(&text);
    buf_free(&more);
}

static void put_rule(const struct rule *r, struct buf *out)
{
    struct match m;
    cls_rule_match(&r->cls, &m);
    buf_printf(out, "priority=%u", r->cls.priority);
    size_t before = out->len;
    buf_puts(out, ",");
    match_format(&m, NULL, out);
    if (out->len == before + 1)
        out->len = before;
    if (r->cookie)
        buf_printf(out, " cookie=%#" PRIx64, r->cookie);
}

/* Claims of tutorials: tun_id in a switch between two tunnel ends matches nothing. */
static void explain_tun_id(struct trace *t, const struct rule *r, const struct flow_key *key)
{
    struct buf b = BUF_INIT;
    bool gre = key->ip.proto == 47 && (key->eth.type == htons(0x0800) || key->eth.type == htons(0x86dd));
    if (dp_has_tunnels(t->o->bridge) && key->tun.id)
        return;
    buf_puts(&b, "note: ");
    put_rule(r, &b);
    buf_puts(&b, " would match but for tun_id, which is set only for packets that come from one of this switch's own"
                 " tunnel ports");
    if (!dp_has_tunnels(t->o->bridge))
        buf_printf(&b, "; %s has none", t->o->name);
    if (gre)
        buf_printf(&b, ". This is a GRE packet in transit: its key is matched by gre_key (here gre_key=%#x)",
                   ntohl(key->gre.key));
    step(t, "note", 4, buf_text(&b), NULL);
    buf_free(&b);
}

static void explain_miss(struct trace *t, uint8_t table, const struct flow_key *key)
{
    struct trace_miss near[TRACE_NEAREST];
    size_t n = trace_nearest(t->o, table, key, near);
    for (size_t i = 0; i < n; i++) {
        struct buf b = BUF_INIT;
        buf_puts(&b, "nearest: ");
        put_rule(near[i].rule, &b);
        buf_puts(&b, ": ");
        trace_put_miss(&near[i], key, &b);
        step(t, "nearest", 4, buf_text(&b), NULL);
        buf_free(&b);
    }
    if (!n)
        step(t, "nearest", 4, "the table is empty", NULL);
}

static void on_table(struct walk_listener *l, const struct ofproto *o, uint8_t table, struct rule *r,
                     const struct flow_view *v)
{
    struct trace *t = container_of(l, struct trace, listener);
    struct buf text = BUF_INIT, more = BUF_INIT;
    t->o = o;
    buf_printf(&text, "%u. ", table);
    buf_printf(&more, ",\"table\":%u", table);
    if (r) {
        struct match m;
        struct buf match = BUF_INIT;
        cls_rule_match(&r->cls, &m);
        match_format(&m, NULL, &match);
        put_rule(r, &text);
        buf_printf(&more, ",\"priority\":%u,\"cookie\":\"0x%" PRIx64 "\",", r->cls.priority, r->cookie);
        put_member("match", buf_text(&match), &more);
        buf_free(&match);
    } else {
        buf_puts(&text, "no rule matched");
    }
    step(t, r ? "rule" : "miss", 0, buf_text(&text), buf_text(&more));
    buf_free(&text);
    buf_free(&more);
    if (!r)
        explain_miss(t, table, &v->key);
    struct rule *wanted = trace_wanted_tun_id(o, table, &v->key, r);
    if (wanted)
        explain_tun_id(t, wanted, &v->key);
    if (r && !r->acts->len)
        step(t, "act", 4, "drop", NULL);
}

static void on_act(struct walk_listener *l, const struct act *a)
{
    struct trace *t = container_of(l, struct trace, listener);
    struct buf b = BUF_INIT;
    acts_format(a, a->len, NULL, &b);
    step(t, "act", 4, buf_text(&b), NULL);
    buf_free(&b);
}

static void on_note(struct walk_listener *l, const char *text)
{
    struct trace *t = container_of(l, struct trace, listener);
    struct buf b = BUF_INIT;
    buf_printf(&b, "-> %s", text);
    step(t, "note", 4, t->json ? text : buf_text(&b), NULL);
    buf_free(&b);
}

static void on_drop(struct walk_listener *l, enum drop_reason reason)
{
    struct trace *t = container_of(l, struct trace, listener);
    struct buf b = BUF_INIT, more = BUF_INIT;
    buf_printf(&b, "%s%s: %s", t->json ? "" : "-> dropped: ", drop_infos[reason].name, drop_infos[reason].sentence);
    buf_puts(&more, ",");
    put_member("reason", drop_infos[reason].name, &more);
    step(t, "drop", 4, buf_text(&b), buf_text(&more));
    buf_free(&b);
    buf_free(&more);
}

static void on_enter(struct walk_listener *l)
{
    struct trace *t = container_of(l, struct trace, listener);
    t->depth++;
    if (t->depth < ARRAY_SIZE(t->outer))
        t->outer[t->depth] = t->o;
}

static void on_leave(struct walk_listener *l)
{
    struct trace *t = container_of(l, struct trace, listener);
    t->depth--;
    if (t->depth < ARRAY_SIZE(t->outer))
        t->o = t->outer[t->depth];
}

/* --- The result --- */

static void put_result(struct trace *t, const char *name, const char *heading, struct buf *text)
{
    if (t->json) {
        buf_puts(t->out, ",");
        put_member(name, buf_text(text), t->out);
    } else {
        buf_printf(t->out, "%s: %s\n", heading, buf_text(text));
    }
    buf_clear(text);
}

/* As dpact_format(), but a punt in the walk's own words. */
static void put_actions(struct dp *dp, const void *acts, size_t len, struct buf *out)
{
    bool first = true;
    DPACT_FOR_EACH (a, acts, len) {
        const struct dpact_punt *p = (const void *)a;
        buf_puts(out, first ? "" : ",");
        first = false;
        if (a->type == DPACT_CLONE) {
            buf_puts(out, "clone(");
            put_actions(dp, ((const struct dpact_clone *)a)->nested, a->len - sizeof *a, out);
            buf_puts(out, ")");
        } else if (a->type == DPACT_PUNT && a->arg == PUNT_PACKET_IN) {
            struct punt_packet_in in;
            memcpy(&in, p->blob, sizeof in);
            buf_printf(out, "packet_in(reason=%s,table=%u,max_len=%u)",
                       packet_in_reason_name(in.reason), in.table, in.max_len);
        } else if (a->type == DPACT_PUNT) {
            buf_puts(out, a->arg == PUNT_LEARN_FLOW ? "learn_flow" : a->arg == PUNT_FIN ? "fin_timeout" : "learn_mac");
        } else {
            dpact_format(a, a->len, dp_port_to_name, dp, out);
        }
    }
}

static void finish(struct trace *t, struct ofproto *o, const struct flow_key *key, const struct dp_path *path)
{
    struct buf b = BUF_INIT;
    struct match consulted = {.mask = path->consulted};
    buf_puts(t->out, t->json ? "]" : "\n");
    if (path->drop) {
        const struct drop_info *info = &drop_infos[path->drop];
        buf_printf(&b, "%s: %s", info->name, info->sentence);
        if (*info->hint)
            buf_printf(&b, "; %s", info->hint);
        put_result(t, "dropped", "Dropped", &b);
    }
    put_actions(o->dp, path->acts.data, path->acts.len, &b);
    if (!b.len)
        buf_puts(&b, "drop");
    put_result(t, "actions", "Datapath actions", &b);
    for (unsigned w = 0; w < FLOW_KEY_WORDS; w++)
        key_words(&consulted.value)[w] = key_words_const(key)[w] & key_words(&consulted.mask)[w];
    match_format(&consulted, NULL, &b);
    if (!b.len)
        buf_puts(&b, "nothing");
    put_result(t, "consulted", "Consulted", &b);
    if (t->json)
        buf_printf(t->out, ",\"cacheable\":%s", path->uncacheable ? "false" : "true");
    else if (path->uncacheable)
        buf_puts(t->out, "This path is not cached: each packet is walked.\n");
    buf_free(&b);
}

/* --- Through tunnels --- */

/* The tunnel port of a TUN_POP in the list; NULL: none. */
static struct dp_port *popped_by(struct dp *dp, const void *acts, size_t len)
{
    struct dp_port *port = NULL;
    DPACT_FOR_EACH (a, acts, len) {
        if (a->type == DPACT_TUN_POP)
            port = dp_port_by_id(dp, a->arg);
        else if (a->type == DPACT_CLONE && !port)
            port = popped_by(dp, ((const struct dpact_clone *)a)->nested, a->len - sizeof *a);
    }
    return port;
}

/* Takes the outer headers of a GRE packet away (RFC 2890, 2: checksum, key and sequence number are there if flagged) */
static bool decapsulate(struct packet *p, const struct flow_key *outer, struct dp_port *port, struct flow_key *inner)
{
    uint16_t flags = ntohs(outer->gre.flags);
    unsigned skip = p->l4 + 4u + (flags & 0x8000 ? 4 : 0) + (flags & 0x2000 ? 4 : 0) + (flags & 0x1000 ? 4 : 0);
    if (p->l4 == 0xffff || p->len < skip + 14)
        return false;
    packet_shift(p, -(int)skip);
    memset(&p->tun, 0, sizeof p->tun);
    p->tun.id = htobe64(ntohl(outer->gre.key));
    p->tun.src = outer->ip4.src;
    p->tun.dst = outer->ip4.dst;
    p->tun.tos = outer->ip.tos;
    p->tun.ttl = outer->ip.ttl;
    p->tun.flags = htons(flags & 0x2000 ? TUN_KEY : 0);
    p->in_phy_port = outer->meta.in_phy_port;
    key_parse(p, dp_port_ofport(port), L_L4, inner);
    return true;
}

/* `p`: the packet itself, or NULL if only its key is known. */
static void run(struct ofproto *o, const struct flow_key *key, struct packet *p, unsigned depth, struct buf *out,
                bool json)
{
    enum { MAX_TUNNELS = 4 };
    struct dp_path path;
    struct flow_key inner;
    struct trace t = {
        .listener = {on_bridge, on_table, on_act, on_note, on_drop, on_enter, on_leave},
        .o = o,
        .out = out,
        .json = json,
    };
    buf_puts(out, json ? "{\"steps\":[" : "");
    dp_path_init(&path);
    uint8_t room[PACKET_HEADROOM + COMPOSE_ROOM];
    struct packet composed;
    if (!p) {
        packet_init(&composed, room, sizeof room, PACKET_HEADROOM, 0);
        packet_compose(key, &composed);
    }
    path.packet = p ? p : &composed;
    walk_packet(o, key, &path, &t.listener);
    finish(&t, o, key, &path);
    struct dp_port *port = popped_by(o->dp, path.acts.data, path.acts.len);
    if (port && p && depth < MAX_TUNNELS && decapsulate(p, key, port, &inner)) {
        buf_puts(out, json ? ",\"inside\":" : "\nInside the tunnel:\n");
        run(dp_bridge_aux(dp_port_bridge(port)), &inner, p, depth + 1, out, json);
    } else if (port && !p && !json) {
        buf_printf(out, "What is inside the tunnel packet is not known; give a frame, or trace what enters by %s.\n",
                   dp_port_to_name(dp_port_id(port), o->dp));
    }
    buf_puts(out, json ? "}" : "");
    dp_path_free(&path);
}

/* --- From text --- */

/* What a packet with these fields would have besides. */
static void complete(struct flow_key *key)
{
    enum { GRE_KEY_PRESENT = 0x2000, TRANSPARENT_ETHERNET = 0x6558 };
    if (key->eth.tci & htons(VLAN_PRESENT))
        key->eth.tpid = htons(0x8100);
    if (key->eth.tci2 & htons(VLAN_PRESENT))
        key->eth.tpid2 = htons(0x8100);
    if (key->ip.proto == 47)
        key->gre.proto = htons(TRANSPARENT_ETHERNET);
    if (key->gre.key)
        key->gre.flags = htons(GRE_KEY_PRESENT);
    key_complete(key);
}

static bool read_frame(const struct flow_key *from, const void *frame, size_t len, struct packet *p,
                       struct flow_key *key, struct diag *d)
{
    if (len < 14 || len > PACKET_MAX)
        return diag_fail(d, 0, 0, "a frame has from 14 to %d bytes, not %zu", PACKET_MAX, len);
    uint8_t *base = xmalloc(PACKET_HEADROOM + len);
    memcpy(base + PACKET_HEADROOM, frame, len);
    packet_init(p, base, (uint32_t)(PACKET_HEADROOM + len), PACKET_HEADROOM, (uint32_t)len);
    key_parse(p, ntohl(from->meta.in_port), L_L4, key);
    key->meta = from->meta;
    key->tun = from->tun;
    return true;
}

static bool trace(struct ofproto *o, const char *flow, const void *frame, size_t len, struct buf *out, struct diag *d,
                  bool json)
{
    struct flow_mod fm = FLOW_MOD_INIT;
    struct port_names names = {.by_name = port_by_name, .aux = o};
    struct packet p = {.base = NULL};
    struct flow_key key;
    bool ok = flow_mod_parse(flow, OFPFC_DELETE, &names, &fm, d);
    if (ok) {
        key = fm.match.value;
        if (frame)
            ok = read_frame(&fm.match.value, frame, len, &p, &key, d);
        else
            complete(&key);
    }
    if (ok) {
        if (!key.meta.in_phy_port)
            key.meta.in_phy_port = key.meta.in_port;
        if (key.tun.id)
            key.tun.flags |= htons(TUN_KEY);
        if (key.meta.in_port && !ofport_lookup(o, ntohl(key.meta.in_port)))
            diag_warn(d, "%s has no port %u", o->name, ntohl(key.meta.in_port));
        run(o, &key, frame ? &p : NULL, 0, out, json);
        buf_puts(out, json ? "\n" : "");
    }
    free(p.base);
    flow_mod_free(&fm);
    return ok;
}

bool ofproto_trace(struct ofproto *o, const char *flow, const void *frame, size_t len, struct buf *out, struct diag *d)
{
    return trace(o, flow, frame, len, out, d, false);
}

bool ofproto_trace_json(struct ofproto *o, const char *flow, const void *frame, size_t len, struct buf *out,
                        struct diag *d)
{
    return trace(o, flow, frame, len, out, d, true);
}
