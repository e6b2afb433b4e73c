/* Text of the messages about groups. */
#include "openflow/group.h"
#include "base/mem.h"
#include "openflow/msg-format.h"

FORMAT_FN(format_group_mod)
{
    struct group_mod gm;
    enum ofp_error e = group_mod_decode(h->version, body, &gm);
    const char *const commands[] = {"ADD", "MOD", "DEL"};
    if (e) {
        buf_printf(out, " ***decode error: %s***\n", ofp_error_name(e));
    } else {
        buf_puts(out, "\n ");
        if (gm.command < ARRAY_SIZE(commands))
            buf_puts(out, commands[gm.command]);
        else if (gm.command == OFPGC_ADD_OR_MOD)
            buf_puts(out, "ADD_OR_MOD");
        else
            buf_printf(out, "cmd:%u", gm.command);
        buf_puts(out, " ");
        group_desc_format(&gm.group, names, out);
        buf_puts(out, "\n");
    }
    group_desc_free(&gm.group);
}

static void format_id(uint32_t id, struct buf *out)
{
    if (id == OFPG_ALL)
        buf_puts(out, " group_id=ALL\n");
    else
        buf_printf(out, " group_id=%u\n", id);
}

FORMAT_FN(format_group_stats_request)
{
    uint32_t id;
    group_stats_request_decode(h->version, body, &id);
    format_id(id, out);
}

FORMAT_FN(format_group_desc_request)
{
    uint32_t id;
    group_desc_request_decode(h->version, body, &id);
    format_id(id, out);
}

FORMAT_FN(format_group_stats)
{
    buf_puts(out, "\n");
    while (rd_left(&body)) {
        struct group_stats s;
        enum ofp_error e = group_stats_decode(h->version, &body, &s);
        if (e) {
            buf_printf(out, " ***decode error: %s***\n", ofp_error_name(e));
            return;
        }
        buf_puts(out, " ");
        group_stats_format(&s, out);
        buf_puts(out, "\n");
        free(s.buckets);
    }
}

FORMAT_FN(format_group_desc)
{
    buf_puts(out, "\n");
    while (rd_left(&body)) {
        struct group_desc g;
        enum ofp_error e = group_desc_decode(h->version, &body, &g);
        buf_puts(out, " ");
        if (e)
            buf_printf(out, "***decode error: %s***", ofp_error_name(e));
        else
            group_desc_format(&g, names, out);
        buf_puts(out, "\n");
        group_desc_free(&g);
        if (e)
            return;
    }
}

void group_actions_format(uint32_t bits, uint8_t version, struct buf *out)
{
    static const struct bit_name of10[] = {
        {1u << 0, "output"},     {1u << 11, "enqueue"},   {1u << 1, "set_vlan_vid"}, {1u << 2, "set_vlan_pcp"},
        {1u << 3, "strip_vlan"}, {1u << 4, "mod_dl_src"}, {1u << 5, "mod_dl_dst"},   {1u << 6, "mod_nw_src"},
        {1u << 7, "mod_nw_dst"}, {1u << 8, "mod_nw_tos"}, {1u << 9, "mod_tp_src"},   {1u << 10, "mod_tp_dst"},
    };
    static const struct bit_name names[] = {
        {1u << 0, "output"},        {1u << 22, "group"},       {1u << 25, "set_field"}, {1u << 18, "strip_vlan"},
        {1u << 17, "push_vlan"},    {1u << 23, "mod_nw_ttl"},  {1u << 24, "dec_ttl"},   {1u << 15, "set_mpls_ttl"},
        {1u << 16, "dec_mpls_ttl"}, {1u << 19, "push_mpls"},   {1u << 20, "pop_mpls"},  {1u << 21, "set_queue"},
        {1u << 11, "copy_ttl_out"}, {1u << 12, "copy_ttl_in"}, {1u << 26, "push_pbb"},  {1u << 27, "pop_pbb"},
    };
    if (version == OFP10)
        bits_format(bits, of10, ARRAY_SIZE(of10), out);
    else
        bits_format(bits, names, ARRAY_SIZE(names), out);
}

FORMAT_FN(format_group_features)
{
    static const char *const titles[N_GROUP_TYPES] = {"all", "select", "indirect", "fast failover"};
    struct group_features f;
    group_features_decode(h->version, body, &f);
    buf_printf(out, "\n Group table:\n    Types:  0x%x\n    Capabilities:  0x%x\n", f.types, f.capabilities);
    for (unsigned i = 0; i < N_GROUP_TYPES; i++)
        if (f.types >> i & 1) {
            buf_printf(out, "    %s group:\n       max_groups=%#x\n       actions: ", titles[i], f.max_groups[i]);
            group_actions_format(f.actions[i], h->version, out);
            buf_puts(out, "\n");
        }
}
