/* Flows to the switch: add-flow, add-flows, mod-flows, del-flows; and what they would send: parse-flow, parse-flows. */
#include "ofctl/batch.h"
#include "ofctl/compat.h"

/* Plain 1.0 has one table, and says nothing of it. A flow is then modified with the cookie it is to have. */
static void fit_of10(struct conn *c, struct flow_mod *m)
{
    bool all = m->table == OFPTT_ALL;
    if (m->command != OFPFC_ADD && m->command < OFPFC_DELETE && !m->cookie_mask)
        m->new_cookie = m->cookie ? m->cookie : UINT64_MAX;
    if (!c || conn_nicira(c))
        return;
    if (m->table && !all)
        die("%s: the switch has no tables in OpenFlow 1.0: leave table=%u away, or add -O OpenFlow13", c->target, m->table);
    m->table = 0;
}

void flow_batch_encode(struct conn *c, struct flow_mod *m, struct buf *messages)
{
    uint8_t version = c ? c->version : options_version();
    if (version == OFP10)
        fit_of10(c, m);
    flow_mod_encode(m, version, 0, messages);
}

/* What 1.0 has no words for would be lost without a sound. */
static bool fits_of10(const struct flow_mod *m, struct diag *d)
{
    enum { UNKNOWN_FLAGS = OFPFF_RESET_COUNTS | OFPFF_NO_PKT_COUNTS | OFPFF_NO_BYT_COUNTS };
    struct buf encoded = BUF_INIT, words = BUF_INIT;
    bool fits = true;
    ACT_FOR_EACH(a, m->acts.data, m->acts.len)
    {
        buf_clear(&encoded);
        acts_encode_instructions(a, a->len, OFP10, &encoded);
        if (!encoded.len && fits)
            fits = diag_fail(d, 0, 0, "OpenFlow 1.0 has no %s: add -O OpenFlow13", act_name(a->type));
    }
    flow_flags_format(m->flags & UNKNOWN_FLAGS, &words);
    if (fits && m->flags & UNKNOWN_FLAGS)
        fits = diag_fail(d, 0, 0, "OpenFlow 1.0 has no %s: add -O OpenFlow13", buf_text(&words));
    buf_free(&encoded);
    buf_free(&words);
    return fits;
}

static bool make_flow(struct conn *c, uint8_t version, const char *text, unsigned command, struct buf *messages, struct diag *d)
{
    struct flow_mod m;
    bool ok = compat_flow_parse(text, (enum ofp_flow_mod_command)command, ports_by_name(c), &m, d);
    if (ok && c)
        check_flow(c, &m);
    if (ok && version == OFP10)
        ok = fits_of10(&m, d);
    if (ok)
        flow_batch_encode(c, &m, messages);
    flow_mod_free(&m);
    return ok;
}

static const struct batch_word words[] = {
    {"add", OFPFC_ADD},
    {"modify", OFPFC_MODIFY},
    {"modify_strict", OFPFC_MODIFY_STRICT},
    {"delete", OFPFC_DELETE},
    {"delete_strict", OFPFC_DELETE_STRICT},
    {NULL, 0},
};
const struct batch_kind flow_batch = {"flow", "flows", words, make_flow};

static void send_flows(struct conn *c, const char *text, enum ofp_flow_mod_command command, bool file)
{
    struct batch b = BATCH_INIT(&flow_batch);
    if (file || !strcmp(text, "-"))
        batch_add_file(c, &b, text, command);
    else
        batch_add(c, &b, text, 1, command);
    batch_send(c, &b);
    batch_free(&b);
}

void cmd_add_flow(struct conn *c, int argc UNUSED, char *argv[]) { send_flows(c, argv[0], OFPFC_ADD, false); }
void cmd_add_flows(struct conn *c, int argc UNUSED, char *argv[]) { send_flows(c, argv[0], OFPFC_ADD, true); }

void cmd_mod_flows(struct conn *c, int argc UNUSED, char *argv[])
{
    send_flows(c, argv[0], options.strict ? OFPFC_MODIFY_STRICT : OFPFC_MODIFY, false);
}

void cmd_del_flows(struct conn *c, int argc, char *argv[])
{
    send_flows(c, argc ? argv[0] : "", options.strict ? OFPFC_DELETE_STRICT : OFPFC_DELETE, false);
}

void cmd_parse_flow(struct conn *c UNUSED, int argc UNUSED, char *argv[])
{
    struct batch b = BATCH_INIT(&flow_batch);
    batch_add(NULL, &b, argv[0], 1, OFPFC_ADD);
    batch_print(&b);
    batch_free(&b);
}

void cmd_parse_flows(struct conn *c UNUSED, int argc UNUSED, char *argv[])
{
    struct batch b = BATCH_INIT(&flow_batch);
    batch_add_file(NULL, &b, argv[0], OFPFC_ADD);
    batch_print(&b);
    batch_free(&b);
}
