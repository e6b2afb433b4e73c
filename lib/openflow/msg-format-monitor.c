/* Flow monitors in text. */
#include <inttypes.h>
#include "openflow/monitor.h"
#include "openflow/msg-format.h"
#include "openflow/text.h"

static void put_match(const struct match *m, const struct port_names *names, struct buf *out)
{
    match_format(m, names, out);
    buf_chomp(out, ',');
    if (out->data[out->len - 1] == ' ')
        out->len--;
}

static void put_flags(uint16_t flags, struct buf *out)
{
    static const char *const words[] = {"initial", "add", "delete", "modify", "actions", "own", "only_own"};
    const char *separator = "";
    for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
        if (flags >> i & 1) {
            buf_printf(out, "%s%s", separator, words[i]);
            separator = ",";
        }
}

FORMAT_FN(format_flow_monitor_request)
{
    while (rd_left(&body)) {
        struct flow_monitor m;
        enum ofp_error e = flow_monitor_decode(h->version, &body, &m);
        if (e) {
            buf_printf(out, " ***decode error: %s***\n", ofp_error_name(e));
            return;
        }
        buf_printf(out, "\n id=%" PRIu32 " flags=", m.id);
        put_flags(m.flags, out);
        if (m.out_port != OFPP_ANY) {
            buf_puts(out, " out_port=");
            text_put_port(m.out_port, names, out);
        }
        if (m.out_group != OFPG_ANY)
            buf_printf(out, " out_group=%" PRIu32, m.out_group);
        if (m.table != OFPTT_ALL)
            buf_printf(out, " table=%u", m.table);
        buf_puts(out, " ");
        put_match(&m.match, names, out);
    }
    buf_puts(out, "\n");
}

FORMAT_FN(format_flow_monitor_reply)
{
    static const char *const events[N_OFPFMES] = {"INITIAL", "ADDED", "DELETED", "MODIFIED", "ABBREV", "PAUSED", "RESUMED"};
    struct buf scratch = BUF_INIT;
    while (rd_left(&body)) {
        struct flow_update u;
        buf_clear(&scratch);
        enum ofp_error e = flow_update_decode(h->version, &body, &u, &scratch);
        if (e) {
            buf_printf(out, " ***decode error: %s***\n", ofp_error_name(e));
            buf_free(&scratch);
            return;
        }
        buf_printf(out, "\n event=%s", events[u.event]);
        if (u.event == OFPFME_ABBREV)
            buf_printf(out, " xid=0x%" PRIx32, u.xid);
        if (u.event >= OFPFME_ABBREV)
            continue;
        if (u.event == OFPFME_REMOVED)
            buf_printf(out, " reason=%s", flow_removed_reason_name(u.reason));
        buf_printf(out, " table=%u", u.table);
        if (u.idle_timeout)
            buf_printf(out, " idle_timeout=%u", u.idle_timeout);
        if (u.hard_timeout)
            buf_printf(out, " hard_timeout=%u", u.hard_timeout);
        buf_printf(out, " cookie=0x%" PRIx64 " ", u.cookie);
        put_match(&u.match, names, out);
        if (u.acts_len) {
            buf_puts(out, " actions=");
            acts_format(u.acts, u.acts_len, names, out);
        }
    }
    buf_free(&scratch);
    buf_puts(out, "\n");
}

FORMAT_FN(format_flow_monitor_cancel)
{
    uint32_t id;
    flow_monitor_cancel_decode(h->version, body, &id);
    buf_printf(out, " id=%" PRIu32 "\n", id);
}
