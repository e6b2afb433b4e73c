/* Actions and instructions: every row of action.def and instruction.def, text <-> list <-> wire; faults and their codes. */
#include "flow-samples.h"

static void parse(const struct act_sample *s, struct flow_mod *fm)
{
    char text[512];
    struct diag d = DIAG_INIT;
    snprintf(text, sizeof text, "%s%sactions=%s", s->match, *s->match ? "," : "", s->text);
    if (!flow_mod_parse(text, OFPFC_ADD, NULL, fm, &d))
        ck_abort_msg("'%s' at %zu: %s", text, d.at, buf_text(&d.message));
    diag_free(&d);
}

static bool has_type(const void *list, size_t len, enum act_type type)
{
    ACT_FOR_EACH (a, list, len) {
        ck_assert_uint_eq(a->len % 8, 0);
        ck_assert_uint_ge(a->len, act_rows[a->type].size - 7u);
        if (a->type == type || (type == INST_APPLY_ACTIONS && !act_rows[a->type].instruction))
            return true;
    }
    return false;
}

START_TEST(every_row_is_described)
{
    for (unsigned i = 0; i < N_ACTS; i++) {
        const struct act_row *row = &act_rows[i];
        unsigned n = 0;
        ck_assert_str_ne(row->name, "");
        ck_assert_ptr_nonnull(row->shape);
        ck_assert_str_ne(row->doc, "");
        ck_assert_str_ne(row->syntax, "");
        ck_assert_uint_ge(row->size, sizeof(struct act));
        for (unsigned j = 0; j < N_ACTS; j++)
            ck_assert(i == j || row->instruction != act_rows[j].instruction || row->experimenter != act_rows[j].experimenter ||
                      row->wire != act_rows[j].wire);
        for (unsigned j = 0; j < n_act_samples; j++)
            n += act_samples[j].type == i;
        ck_assert_msg(n || i == ACT_COPY_FIELD /* whose text is reg_move's; see copy_field */, "%s has no sample in flow-samples.c", row->id);
    }
}
END_TEST

START_TEST(text_list_wire_and_back)
{
    const struct act_sample *s = &act_samples[_i];
    struct flow_mod fm;
    struct buf text = BUF_INIT, wire = BUF_INIT, back = BUF_INIT;
    parse(s, &fm);
    ck_assert(has_type(fm.acts.data, fm.acts.len, s->type));
    acts_format(fm.acts.data, fm.acts.len, NULL, &text);
    ck_assert_str_eq(buf_text(&text), s->text);
    acts_encode_instructions(fm.acts.data, fm.acts.len, OFP13, &wire);
    ck_assert_uint_eq(wire.len % 8, 0);
    enum ofp_error e = acts_decode_instructions(OFP13, rd_init(wire.data, wire.len), &back);
    ck_assert_msg(!e, "%s: %s", s->text, ofp_error_name(e));
    ck_assert(acts_equal(fm.acts.data, fm.acts.len, back.data, back.len));
    struct act_context ctx = {.match = &fm.match, .n_tables = 255};
    e = acts_check(back.data, back.len, &ctx);
    ck_assert_msg(!e, "%s: %s", s->text, ofp_error_name(e));
    buf_free(&text);
    buf_free(&wire);
    buf_free(&back);
    flow_mod_free(&fm);
}
END_TEST

/* What is missing at the end is missed, and nothing is read behind it (ASan). A list may end between two instructions. */
START_TEST(cut_short)
{
    const struct act_sample *s = &act_samples[_i];
    struct flow_mod fm;
    struct buf wire = BUF_INIT;
    parse(s, &fm);
    acts_encode_instructions(fm.acts.data, fm.acts.len, OFP13, &wire);
    for (size_t n = 0, whole = 0; n < wire.len; n++) {
        struct buf back = BUF_INIT;
        uint8_t *copy = malloc(n ? n : 1);
        memcpy(copy, wire.data, n);
        enum ofp_error e = acts_decode_instructions(OFP13, rd_init(copy, n), &back);
        ck_assert_msg(n == whole ? !e : e == OFPERR_BIC_BAD_LEN, "%s, %zu bytes: %s", s->text, n, ofp_error_name(e));
        if (n == whole)
            whole += wire.data[n + 2] << 8 | wire.data[n + 3];
        free(copy);
        buf_free(&back);
    }
    buf_free(&wire);
    flow_mod_free(&fm);
}
END_TEST

/* Each action, cut at each multiple of 8 with its length saying so: BAD_LEN or another refusal, or a shorter action of the
 * same kind (a note, fewer actions in a clone, a shorter set_field padding). Never a crash. */
START_TEST(shorter_than_they_say)
{
    const struct act_sample *s = &act_samples[_i];
    struct flow_mod fm;
    parse(s, &fm);
    ACT_FOR_EACH (a, fm.acts.data, fm.acts.len) {
        struct buf wire = BUF_INIT;
        if (act_rows[a->type].instruction)
            acts_encode_instructions(a, a->len, OFP13, &wire);
        else
            acts_encode_actions(a, a->len, OFP13, &wire);
        for (size_t n = 8; n <= wire.len; n += 8) {
            struct buf back = BUF_INIT;
            uint8_t *copy = malloc(n);
            memcpy(copy, wire.data, n);
            copy[2] = n >> 8;
            copy[3] = n;
            struct rd r = rd_init(copy, n);
            enum ofp_error e = act_rows[a->type].instruction ? acts_decode_instructions(OFP13, r, &back)
                                                             : acts_decode_actions(OFP13, r, &back);
            ck_assert(n < wire.len || !e);
            free(copy);
            buf_free(&back);
        }
        buf_free(&wire);
    }
    flow_mod_free(&fm);
}
END_TEST

static void unhex(const char *s, struct buf *out)
{
    for (unsigned v; *s; s += 2) {
        while (*s == ' ')
            s++;
        ck_assert_int_eq(sscanf(s, "%2x", &v), 1);
        buf_u8(out, v);
    }
}

static const struct {
    const char *what, *hex;
    bool instructions;
    enum ofp_error want;
} wire_faults[] = {
    {"nothing", "", false, OFPERR_OK},
    {"no instruction", "", true, OFPERR_OK},
    {"header cut", "0000", false, OFPERR_BAC_BAD_LEN},
    {"length 0", "0000 0000 00000001", false, OFPERR_BAC_BAD_LEN},
    {"length no multiple of 8", "0012 000c 00000000 00000000", false, OFPERR_BAC_BAD_LEN},
    {"longer than the list", "0012 0010 00000000", false, OFPERR_BAC_BAD_LEN},
    {"output too short", "0000 0008 00000001", false, OFPERR_BAC_BAD_LEN},
    {"output too long", "0000 0018 00000001 ffff000000000000 0000000000000000", false, OFPERR_BAC_BAD_LEN},
    {"pop_vlan too long", "0012 0010 00000000 0000000000000000", false, OFPERR_BAC_BAD_LEN},
    {"unknown action", "00ee 0008 00000000", false, OFPERR_BAC_BAD_TYPE},
    {"push_mpls", "0013 0008 88470000", false, OFPERR_OK},
    {"push_mpls too long", "0013 0010 88470000 0000000000000000", false, OFPERR_BAC_BAD_LEN},
    {"set_mpls_ttl too long", "000f 0010 40000000 0000000000000000", false, OFPERR_BAC_BAD_LEN},
    {"copy_ttl_out", "000b 0008 00000000", false, OFPERR_OK},
    {"copy_ttl_in too long", "000c 0010 00000000 0000000000000000", false, OFPERR_BAC_BAD_LEN},
    {"pop_pbb cut", "001b 0004", false, OFPERR_BAC_BAD_LEN},
    {"enqueue, of OpenFlow 1.0", "000a 0008 00000000", false, OFPERR_BAC_BAD_TYPE},
    {"other experimenter", "ffff 0010 12345678 0000 000000000000", false, OFPERR_BAC_BAD_EXPERIMENTER},
    {"Nicira without subtype", "ffff 0008 00002320", false, OFPERR_BAC_BAD_LEN},
    {"unknown Nicira action", "ffff 0010 00002320 03e7 000000000000", false, OFPERR_BAC_BAD_EXP_TYPE},
    {"resubmit too short", "ffff 0010 00002320 0009 000000000000", false, OFPERR_BAC_BAD_LEN},
    {"resubmit from a port that cannot be", "ffff 0010 00002320 0001 ff05 00000000", false, OFPERR_BAC_BAD_ARGUMENT},
    {"set_field of an unknown field", "0019 0010 8000fe04 00000001 00000000", false, OFPERR_BAC_BAD_SET_TYPE},
    {"set_field of eth_type", "0019 0010 80000a02 0800 000000000000", false, OFPERR_OK},
    {"set_field of in_phy_port", "0019 0010 80000204 00000001 00000000", false, OFPERR_BAC_BAD_SET_TYPE},
    {"set_field of ipv6_exthdr", "0019 0010 80004e02 0001 000000000000", false, OFPERR_BAC_BAD_SET_TYPE},
    {"masked, of ip_proto", "ffff 0018 00002320 0021 80001401 06 00000000000000 00000000", false, OFPERR_BAC_BAD_SET_TYPE},
    {"set_field with a mask", "0019 0018 8000050c 000000000001 ffffffffffff 00000000", false, OFPERR_BAC_BAD_SET_LEN},
    {"set_field with a mask, well-formed", "0019 0018 8000070c 000000000001 000000000001 00000000", false, OFPERR_BAC_BAD_SET_TYPE},
    {"set_field of 4 bytes for 6", "0019 0010 80000604 00000001 00000000", false, OFPERR_BAC_BAD_SET_LEN},
    {"set_field out of range", "0019 0010 80000e01 08 00000000000000", false, OFPERR_BAC_BAD_SET_ARGUMENT},
    {"set_field cut", "0019 0008 80000606", false, OFPERR_BAC_BAD_SET_LEN},
    {"set_field masked, as os-ken pads it", "ffff 0018 00002320 0021 00010308 00000050 000000f0 0000", false, OFPERR_OK},
    {"and for two bytes", "ffff 0018 00002320 0021 80001a02 0050 0000 000000000000", false, OFPERR_OK},
    {"load beyond the field", "ffff 0018 00002320 0007 07df 00010004 0000000000000000", false, OFPERR_BAC_BAD_SET_ARGUMENT},
    {"load too large", "ffff 0018 00002320 0007 0003 00010004 0000000000000010", false, OFPERR_BAC_BAD_SET_ARGUMENT},
    {"load to a read-only field", "ffff 0018 00002320 0007 000f 00000602 0000000000000010", false, OFPERR_BAC_BAD_SET_TYPE},
    {"move of no bits", "ffff 0018 00002320 0006 0000 0000 0000 00010004 00010204", false, OFPERR_BAC_BAD_SET_ARGUMENT},
    {"move beyond the field", "ffff 0018 00002320 0006 0020 0001 0000 00010004 00010204", false, OFPERR_BAC_BAD_SET_ARGUMENT},
    {"copy_field", "ffff 0020 4f4e4600 0c80 0000 0010 0000 0010 0000 00010004 00010204 00000000", false, OFPERR_OK},
    {"copy_field of no bits", "ffff 0020 4f4e4600 0c80 0000 0000 0000 0010 0000 00010004 00010204 00000000", false, OFPERR_BAC_BAD_SET_ARGUMENT},
    {"copy_field to eth_type", "ffff 0020 4f4e4600 0c80 0000 0010 0000 0000 0000 00010004 00000602 00000000", false, OFPERR_BAC_BAD_SET_TYPE},
    {"ONF action unknown", "ffff 0010 4f4e4600 0c81 0000 00000000", false, OFPERR_BAC_BAD_EXP_TYPE},
    {"push beyond the field", "ffff 0018 00002320 001b 0001 00010004 0020 0000 00000000", false, OFPERR_BAC_BAD_SET_ARGUMENT},
    {"push of no bits", "ffff 0018 00002320 001b 0000 00010004 0000 0000 00000000", false, OFPERR_BAC_BAD_SET_ARGUMENT},
    {"push", "ffff 0018 00002320 001b 0000 00010004 0020 0000 00000000", false, OFPERR_OK},
    {"pop into eth_type", "ffff 0018 00002320 001c 0000 00000602 0010 0000 00000000", false, OFPERR_BAC_BAD_SET_TYPE},
    {"output:reg0[]", "ffff 0018 00002320 000f 001f 00010004 ffff 0000 00000000", false, OFPERR_OK},
    {"output:reg0[16..47]", "ffff 0018 00002320 000f 041f 00010004 ffff 0000 00000000", false, OFPERR_BAC_BAD_SET_ARGUMENT},
    {"output of a field unknown", "ffff 0018 00002320 000f 001f 00017e04 ffff 0000 00000000", false, OFPERR_BAC_BAD_SET_TYPE},
    {"learn nothing", "ffff 0020 00002320 0010 0000 0000 8000 0000000000000000 0000 01 00 0000 0000", false, OFPERR_OK},
    {"learn with an unknown flag", "ffff 0020 00002320 0010 0000 0000 8000 0000000000000000 0008 01 00 0000 0000", false, OFPERR_BAC_BAD_ARGUMENT},
    {"learn with learn2's flag", "ffff 0020 00002320 0010 0000 0000 8000 0000000000000000 0004 01 00 0000 0000", false, OFPERR_BAC_BAD_ARGUMENT},
    {"learn into all tables", "ffff 0020 00002320 0010 0000 0000 8000 0000000000000000 0000 ff 00 0000 0000", false, OFPERR_BAC_BAD_ARGUMENT},
    {"learn a match of a field", "ffff 0030 00002320 0010 0000 0000 8000 0000000000000000 0000 01 00 0000 0000 0030 00000206 0000 00000406 0000 0000", false, OFPERR_OK},
    {"learn with the second field cut", "ffff 0028 00002320 0010 0000 0000 8000 0000000000000000 0000 01 00 0000 0000 0030 00000206 0000", false, OFPERR_BAC_BAD_LEN},
    {"learn beyond a field", "ffff 0030 00002320 0010 0000 0000 8000 0000000000000000 0000 01 00 0000 0000 0030 00000206 0001 00000406 0000 0000", false, OFPERR_BAC_BAD_SET_ARGUMENT},
    {"learn a reserved kind", "ffff 0028 00002320 0010 0000 0000 8000 0000000000000000 0000 01 00 0000 0000 1810 00000000 0000", false, OFPERR_BAC_BAD_ARGUMENT},
    {"learn output of a value", "ffff 0028 00002320 0010 0000 0000 8000 0000000000000000 0000 01 00 0000 0000 3010 0001 00000000", false, OFPERR_BAC_BAD_ARGUMENT},
    {"learn a value with too many bits", "ffff 0028 00002320 0010 0000 0000 8000 0000000000000000 0000 01 00 0000 0000 200c 1001", false, OFPERR_BAC_BAD_LEN},
    {"the same, whole", "ffff 0030 00002320 0010 0000 0000 8000 0000000000000000 0000 01 00 0000 0000 200c 1001 00000802 0000 00000000 0000", false, OFPERR_BAC_BAD_ARGUMENT},
    {"learn2 with its result nowhere", "ffff 0028 00002320 002d 0000 0000 8000 0000000000000000 0004 01 00 0000 0000 00000001 0000 0000", false, OFPERR_BAC_BAD_LEN},
    {"learn2 with its result in bit 32 of 32", "ffff 0030 00002320 002d 0000 0000 8000 0000000000000000 0004 01 00 0000 0000 00000001 0020 0000 00010004 00000000", false, OFPERR_BAC_BAD_SET_ARGUMENT},
    {"conjunction", "ffff 0010 00002320 0022 00 02 00000001", false, OFPERR_OK},
    {"conjunction of one clause", "ffff 0010 00002320 0022 00 01 00000001", false, OFPERR_NXBAC_BAD_CONJUNCTION},
    {"conjunction of 65 clauses", "ffff 0010 00002320 0022 00 41 00000001", false, OFPERR_NXBAC_BAD_CONJUNCTION},
    {"third clause of two", "ffff 0010 00002320 0022 02 02 00000001", false, OFPERR_NXBAC_BAD_CONJUNCTION},
    {"controller2, nothing", "ffff 0010 00002320 0025 000000000000", false, OFPERR_OK},
    {"controller2, max_len", "ffff 0018 00002320 0025 000000000000 0000 0006 0005 0000", false, OFPERR_OK},
    {"controller2, max_len of one byte", "ffff 0018 00002320 0025 000000000000 0000 0005 05 000000", false, OFPERR_BPC_BAD_LEN},
    {"controller2, property of length 3", "ffff 0018 00002320 0025 000000000000 0000 0003 05 000000", false, OFPERR_BPC_BAD_LEN},
    {"controller2, property too long", "ffff 0018 00002320 0025 000000000000 0003 0009 00000000", false, OFPERR_BPC_BAD_LEN},
    {"controller2, unknown property", "ffff 0018 00002320 0025 000000000000 0063 0004 00000000", false, OFPERR_BPC_BAD_TYPE},
    {"controller2, pause", "ffff 0018 00002320 0025 000000000000 0004 0004 00000000", false, OFPERR_BAC_BAD_ARGUMENT},
    {"controller2, unknown reason", "ffff 0018 00002320 0025 000000000000 0002 0005 09 000000", false, OFPERR_BAC_BAD_ARGUMENT},
    {"dec_ttl of more ids than there are", "ffff 0018 00002320 0015 0005 00000000 0001 0002 0003 0004", false, OFPERR_BAC_BAD_LEN},
    {"check_pkt_larger into bit 32", "ffff 0018 00002320 0031 05dc 0020 00010004 000000000000", false, OFPERR_BAC_BAD_SET_ARGUMENT},
    {"check_pkt_larger into ip_proto", "ffff 0018 00002320 0031 05dc 0000 00000c01 000000000000", false, OFPERR_BAC_BAD_SET_TYPE},
    {"controller with an unknown reason", "ffff 0010 00002320 0014 ffff 0000 09 00", false, OFPERR_BAC_BAD_ARGUMENT},
    {"instruction cut", "0001 0008", true, OFPERR_BIC_BAD_LEN},
    {"instruction too long", "0001 0010 01000000 0000000000000000", true, OFPERR_BIC_BAD_LEN},
    {"instruction length 4", "0001 0004 01000000", true, OFPERR_BIC_BAD_LEN},
    {"unknown instruction", "0063 0008 00000000", true, OFPERR_BIC_UNKNOWN_INST},
    {"experimenter instruction", "ffff 0008 00002320", true, OFPERR_BIC_BAD_EXPERIMENTER},
    {"two goto_table", "0001 0008 01000000 0001 0008 02000000", true, OFPERR_BIC_DUP_INST},
    {"two apply_actions", "0004 0008 00000000 0004 0008 00000000", true, OFPERR_BIC_DUP_INST},
    {"action in apply_actions wrong", "0004 0010 00000000 00ee 0008 00000000", true, OFPERR_BAC_BAD_TYPE},
    {"order does not matter", "0001 0008 01000000 0006 0008 00000001", true, OFPERR_OK},
};

START_TEST(wire_fault)
{
    struct buf b = BUF_INIT, list = BUF_INIT;
    unhex(wire_faults[_i].hex, &b);
    struct rd r = rd_init(b.data, b.len);
    enum ofp_error e =
        wire_faults[_i].instructions ? acts_decode_instructions(OFP13, r, &list) : acts_decode_actions(OFP13, r, &list);
    ck_assert_msg(e == wire_faults[_i].want, "%s: got %s, want %s", wire_faults[_i].what, ofp_error_name(e),
                  ofp_error_name(wire_faults[_i].want));
    buf_free(&b);
    buf_free(&list);
}
END_TEST

/* Lists nested deeper than anybody needs. */
START_TEST(deep_clones)
{
    struct buf b = BUF_INIT, list = BUF_INIT;
    enum { DEPTH = 4000 };
    for (unsigned i = 0; i < DEPTH; i++) {
        buf_u16(&b, 0xffff);
        buf_u16(&b, (DEPTH - i) * 16);
        buf_u32(&b, NX_EXPERIMENTER);
        buf_u16(&b, 42);
        buf_zeros(&b, 6);
    }
    ck_assert_int_eq(acts_decode_actions(OFP13, rd_init(b.data, b.len), &list), OFPERR_BAC_TOO_MANY);
    buf_free(&b);
    buf_free(&list);
    struct diag d = DIAG_INIT;
    for (unsigned i = 0; i < DEPTH; i++)
        buf_puts(&b, "clone(");
    for (unsigned i = 0; i < DEPTH; i++)
        buf_puts(&b, ")");
    ck_assert(!acts_parse(buf_text(&b), b.len, false, NULL, NULL, &list, &d));
    ck_assert_str_eq(buf_text(&d.message), "actions are nested too deep");
    buf_free(&b);
    buf_free(&list);
    diag_free(&d);
}
END_TEST

static const struct {
    const char *match, *actions;
    enum ofp_error want;
} checks[] = {
    {"", "set_field:1.2.3.4->nw_src", OFPERR_BAC_MATCH_INCONSISTENT},
    {"ip", "set_field:1.2.3.4->nw_src", OFPERR_OK},
    {"ipv6", "set_field:1.2.3.4->nw_src", OFPERR_BAC_MATCH_INCONSISTENT},
    {"tcp", "set_field:1->udp_dst", OFPERR_BAC_MATCH_INCONSISTENT},
    {"", "set_field:4101->vlan_vid", OFPERR_BAC_MATCH_INCONSISTENT},
    {"", "push_vlan:0x8100,set_field:4101->vlan_vid,set_field:3->vlan_pcp", OFPERR_OK},
    {"dl_vlan=5", "set_field:5->vlan_vid", OFPERR_BAC_BAD_SET_ARGUMENT},
    {"dl_vlan=5", "pop_vlan,set_field:4101->vlan_vid", OFPERR_BAC_MATCH_INCONSISTENT},
    {"dl_vlan=5", "pop_vlan,pop_vlan", OFPERR_BAC_MATCH_INCONSISTENT},
    {"dl_vlan=0xffff", "pop_vlan", OFPERR_BAC_MATCH_INCONSISTENT},
    {"", "clone(push_vlan:0x8100),set_field:4101->vlan_vid", OFPERR_BAC_MATCH_INCONSISTENT},
    {"", "load:0x1005->NXM_OF_VLAN_TCI[],pop_vlan", OFPERR_OK},
    {"", "push_vlan:0x1234", OFPERR_BAC_BAD_ARGUMENT},
    {"", "dec_ttl", OFPERR_BAC_MATCH_INCONSISTENT},
    {"", "push_mpls:0x0800", OFPERR_BAC_BAD_ARGUMENT},
    {"", "push_mpls:0x8849", OFPERR_BAC_BAD_ARGUMENT},
    {"", "push_pbb:0x88a8", OFPERR_BAC_BAD_ARGUMENT},
    {"ip", "pop_mpls:0x0800", OFPERR_BAC_MATCH_INCONSISTENT},
    {"ip", "set_mpls_ttl:1", OFPERR_BAC_MATCH_INCONSISTENT},
    {"ip", "dec_mpls_ttl", OFPERR_BAC_MATCH_INCONSISTENT},
    {"arp", "copy_ttl_out", OFPERR_BAC_MATCH_INCONSISTENT},
    {"", "copy_ttl_in", OFPERR_BAC_MATCH_INCONSISTENT},
    {"ip,nw_proto=4", "copy_ttl_out", OFPERR_OK},
    {"ipv6", "copy_ttl_in", OFPERR_OK},
    {"ip", "pop_pbb", OFPERR_BAC_MATCH_INCONSISTENT},
    {"mpls", "pop_pbb", OFPERR_BAC_MATCH_INCONSISTENT},
    {"ip", "push_mpls:0x8847,dec_ttl", OFPERR_BAC_MATCH_INCONSISTENT},
    {"ip", "push_mpls:0x8847,pop_mpls:0x0800,dec_ttl", OFPERR_OK},
    {"mpls", "pop_mpls:0x0800,set_field:1.2.3.4->ip_src,dec_ttl", OFPERR_OK},
    {"mpls", "pop_mpls:0x0800,set_field:1->mpls_label", OFPERR_BAC_MATCH_INCONSISTENT},
    {"mpls", "pop_mpls:0x0800,set_field:1->tcp_src", OFPERR_BAC_MATCH_INCONSISTENT},
    {"mpls", "pop_mpls:0x8847,set_field:1->mpls_label,set_field:1->mpls_tc", OFPERR_OK},
    {"mpls", "pop_mpls:0x8100,set_field:4097->vlan_vid", OFPERR_OK},
    {"mpls", "set_field:1->pbb_isid", OFPERR_BAC_MATCH_INCONSISTENT},
    {"", "push_pbb:0x88e7,set_field:1->pbb_isid,set_field:1->pbb_uca,pop_pbb", OFPERR_OK},
    {"dl_vlan=5", "push_pbb:0x88e7,pop_vlan", OFPERR_BAC_MATCH_INCONSISTENT},
    {"dl_vlan=5", "push_mpls:0x8847,set_field:4097->vlan_vid", OFPERR_BAC_MATCH_INCONSISTENT},
    {"", "write_actions(set_field:1->pbb_isid,push_pbb:0x88e7)", OFPERR_OK},
    {"ip", "write_actions(set_field:1->mpls_label,copy_ttl_out,push_mpls:0x8847)", OFPERR_OK},
    {"arp", "write_actions(copy_ttl_in,push_mpls:0x8847)", OFPERR_BAC_MATCH_INCONSISTENT},
    {"arp", "mod_nw_ttl:3", OFPERR_BAC_MATCH_INCONSISTENT},
    {"", "move:tcp_src[]->reg0[0..15]", OFPERR_BAC_MATCH_INCONSISTENT},
    {"tcp", "move:tcp_src[]->reg0[0..15]", OFPERR_OK},
    {"", "push:NXM_OF_TCP_SRC[]", OFPERR_BAC_MATCH_INCONSISTENT},
    {"", "pop:NXM_OF_TCP_SRC[]", OFPERR_BAC_MATCH_INCONSISTENT},
    {"tcp", "push:NXM_OF_TCP_SRC[],pop:NXM_OF_TCP_DST[]", OFPERR_OK},
    {"", "output:NXM_OF_TCP_SRC[]", OFPERR_BAC_MATCH_INCONSISTENT},
    {"", "write_actions(output:NXM_NX_REG0[])", OFPERR_BAC_BAD_TYPE},
    {"", "write_actions(learn(table=2))", OFPERR_BAC_BAD_TYPE},
    {"", "write_actions(pop:NXM_NX_REG0[])", OFPERR_BAC_BAD_TYPE},
    {"", "learn(table=2,NXM_OF_TCP_SRC[])", OFPERR_BAC_MATCH_INCONSISTENT},
    {"tcp", "learn(table=2,NXM_OF_TCP_SRC[])", OFPERR_BAC_MATCH_INCONSISTENT},
    {"tcp", "learn(table=2,NXM_OF_ETH_TYPE[],NXM_OF_IP_PROTO[],NXM_OF_TCP_SRC[])", OFPERR_OK},
    {"ip", "learn(table=2,NXM_OF_ETH_TYPE[],NXM_OF_IP_PROTO[],NXM_OF_IP_SRC[])", OFPERR_OK},
    {"", "learn(table=2,NXM_OF_ETH_TYPE[],NXM_OF_IP_SRC[])", OFPERR_BAC_MATCH_INCONSISTENT},
    {"", "learn(table=2,eth_type=0x800,nw_proto=6,tcp_dst=80)", OFPERR_OK},
    {"", "learn(table=2,NXM_OF_ETH_TYPE[0..7])", OFPERR_BAC_BAD_SET_ARGUMENT},
    {"", "learn(table=2,OXM_OF_IN_PORT[0..7])", OFPERR_BAC_BAD_SET_ARGUMENT},
    {"", "learn(table=2,load:1->NXM_OF_IP_SRC[])", OFPERR_BAC_MATCH_INCONSISTENT},
    {"", "learn(table=2,eth_type=0x0800,load:1->NXM_OF_IP_SRC[])", OFPERR_OK},
    {"", "learn(table=2,fin_idle_timeout=5)", OFPERR_BAC_MATCH_INCONSISTENT},
    {"tcp", "learn(table=2,fin_idle_timeout=5,NXM_OF_ETH_TYPE[],NXM_OF_IP_PROTO[])", OFPERR_OK},
    {"", "learn(table=254)", OFPERR_BRC_BAD_TABLE_ID},
    {"", "learn(table=2,output:OXM_OF_METADATA[])", OFPERR_BAC_BAD_ARGUMENT},
    {"ip", "fin_timeout(idle_timeout=5)", OFPERR_BAC_MATCH_INCONSISTENT},
    {"", "conjunction(1,1/2),output:1", OFPERR_NXBAC_BAD_CONJUNCTION},
    {"", "output:1,conjunction(1,1/2)", OFPERR_NXBAC_BAD_CONJUNCTION},
    {"", "conjunction(1,1/2),goto_table:6", OFPERR_NXBAC_BAD_CONJUNCTION},
    {"", "clone(conjunction(1,1/2))", OFPERR_NXBAC_BAD_CONJUNCTION},
    {"", "note:00.00.00.00.00.00,conjunction(1,1/2),conjunction(2,2/2)", OFPERR_OK},
    {"", "output:0", OFPERR_BAC_BAD_OUT_PORT},
    {"", "output:ANY", OFPERR_BAC_BAD_OUT_PORT},
    {"", "write_actions(output:ANY)", OFPERR_BAC_BAD_OUT_PORT},
    {"", "write_actions(resubmit(,7))", OFPERR_BAC_BAD_TYPE},
    {"", "write_actions(output:1,exit)", OFPERR_BAC_BAD_TYPE},
    {"", "write_actions(set_field:4101->vlan_vid,push_vlan:0x8100)", OFPERR_OK},
    {"dl_vlan=5", "write_actions(push_vlan:0x88a8,set_field:4101->vlan_vid,pop_vlan)", OFPERR_OK},
    {"dl_vlan=5", "write_actions(pop_vlan,set_field:4101->vlan_vid,push_vlan:0x8100)", OFPERR_OK},
    {"", "write_actions(push_vlan:0x88a8,pop_vlan)", OFPERR_BAC_MATCH_INCONSISTENT},
    {"dl_vlan=5", "write_actions(set_field:4101->vlan_vid,pop_vlan)", OFPERR_BAC_MATCH_INCONSISTENT},
    {"", "clone(output:ANY)", OFPERR_BAC_BAD_OUT_PORT},
    {"", "group:0xfffffffc", OFPERR_BAC_BAD_OUT_GROUP},
    {"", "meter:0", OFPERR_MMFC_INVALID_METER},
    {"", "goto_table:5", OFPERR_BIC_BAD_TABLE_ID},
    {"", "goto_table:4", OFPERR_BIC_BAD_TABLE_ID},
    {"", "goto_table:6", OFPERR_OK},
    {"", "goto_table:254", OFPERR_BIC_BAD_TABLE_ID},
    {"", "resubmit(,254)", OFPERR_BRC_BAD_TABLE_ID},
    {"", "goto_table:6,output:1", OFPERR_BAC_UNSUPPORTED_ORDER},
};

START_TEST(check)
{
    struct flow_mod fm;
    struct buf list = BUF_INIT;
    struct diag d = DIAG_INIT;
    ck_assert(flow_mod_parse(checks[_i].match, OFPFC_DELETE, NULL, &fm, &d));
    ck_assert_msg(acts_parse(checks[_i].actions, strlen(checks[_i].actions), true, NULL, NULL, &list, &d), "%s: %s",
                  checks[_i].actions, buf_text(&d.message));
    struct act_context ctx = {.match = &fm.match, .table = 5, .n_tables = 254};
    enum ofp_error e = acts_check(list.data, list.len, &ctx);
    ck_assert_msg(e == checks[_i].want, "%s actions=%s: got %s, want %s", checks[_i].match, checks[_i].actions,
                  ofp_error_name(e), ofp_error_name(checks[_i].want));
    buf_free(&list);
    flow_mod_free(&fm);
    diag_free(&d);
}
END_TEST

/* Other words for the same. */
static const struct {
    const char *match, *written, *printed;
} words[] = {
    {"", "1", "output:1"},
    {"", "output=1,local", "output:1,LOCAL"},
    {"", "Controller", "CONTROLLER:65535"},
    {"", "controller:80", "CONTROLLER:80"},
    {"", "output:controller:80", "CONTROLLER:80"},
    {"", "controller(max_len=9)", "CONTROLLER:9"},
    {"", "controller()", "CONTROLLER:65535"},
    {"", "set_tunnel:10", "set_tunnel:0xa"},
    {"", "set_tunnel:0x100000000", "set_tunnel64:0x100000000"},
    {"", "resubmit(1,)", "resubmit:1"},
    {"", "resubmit(1)", "resubmit:1"},
    {"", "resubmit( in_port , 7 )", "resubmit(,7)"},
    {"dl_vlan=1", "strip_vlan", "pop_vlan"},
    {"", "mod_vlan_vid:5", "push_vlan:0x8100,set_field:4101->vlan_vid"},
    {"dl_vlan=1", "mod_vlan_vid:5,mod_vlan_pcp:2", "set_field:4101->vlan_vid,set_field:2->vlan_pcp"},
    {"", "mod_vlan_vid:5,mod_vlan_pcp:2", "push_vlan:0x8100,set_field:4101->vlan_vid,set_field:2->vlan_pcp"},
    {"", "mod_dl_dst:00:00:00:00:00:01", "set_field:00:00:00:00:00:01->eth_dst"},
    {"ip", "mod_nw_dst:1.2.3.4,mod_nw_tos:8,mod_nw_ecn:1", "set_field:1.2.3.4->ip_dst,set_field:2->ip_dscp,set_field:1->nw_ecn"},
    {"udp", "mod_tp_src:1,mod_tp_dst:2", "set_field:1->udp_src,set_field:2->udp_dst"},
    {"sctp6", "mod_tp_dst:2", "set_field:2->sctp_dst"},
    {"tcp", "set_field:2->tp_dst", "set_field:2->tcp_dst"},
    {"", "set_field:1->reg0[]", "set_field:0x1->reg0"},
    {"", "load:1->reg0", "load:0x1->NXM_NX_REG0[]"},
    {"ip", "load:10.0.0.1->nw_src[]", "load:0xa000001->NXM_OF_IP_SRC[]"},
    {"", "load:aa:bb:cc:dd:ee:ff->eth_src[]", "load:0xaabbccddeeff->NXM_OF_ETH_SRC[]"},
    {"", "move:OXM_OF_TUNNEL_ID[]->xreg0[]", "move:NXM_NX_TUN_ID[]->OXM_OF_PKT_REG0[]"},
    {"", "note:0102", "note:01.02.00.00.00.00"},
    {"", "apply_actions(output:1,output:2),goto_table:1", "output:1,output:2,goto_table:1"},
    {"dl_vlan=3", "apply_actions(pop_vlan,output:2)", "pop_vlan,output:2"},
    {"", "drop", "drop"},
    {"", "", "drop"},
    {"", " output:1 , output:2 ", "output:1,output:2"},
    {"", "write_metadata:7/3", "write_metadata:0x3/0x3"},
};

START_TEST(other_words)
{
    struct act_sample s = {0, words[_i].match, words[_i].written};
    struct flow_mod fm;
    struct buf text = BUF_INIT;
    parse(&s, &fm);
    acts_format(fm.acts.data, fm.acts.len, NULL, &text);
    ck_assert_str_eq(buf_text(&text), words[_i].printed);
    buf_free(&text);
    flow_mod_free(&fm);
}
END_TEST

static bool by_name(const char *name, size_t len, uint32_t *port, void *aux)
{
    *port = 7;
    return len == strlen(aux) && !memcmp(name, aux, len);
}
static const char *to_name(uint32_t port, void *aux) { return port == 7 ? aux : NULL; }

START_TEST(port_names)
{
    char name[] = "gre1", odd[] = "s1-eth1";
    struct port_names names = {by_name, to_name, name};
    struct buf list = BUF_INIT, text = BUF_INIT;
    const char *in = "gre1,output:\"gre1\",resubmit(gre1,3),output:6";
    ck_assert(acts_parse(in, strlen(in), false, &names, NULL, &list, NULL));
    acts_format(list.data, list.len, &names, &text);
    ck_assert_str_eq(buf_text(&text), "output:gre1,output:gre1,resubmit(gre1,3),output:6");
    names.aux = odd;
    buf_clear(&text);
    acts_format(list.data, list.len, &names, &text);
    ck_assert_str_eq(buf_text(&text), "output:\"s1-eth1\",output:\"s1-eth1\",resubmit(\"s1-eth1\",3),output:6");
    struct buf back = BUF_INIT;
    ck_assert(acts_parse(buf_text(&text), text.len, false, &names, NULL, &back, NULL));
    ck_assert(acts_equal(list.data, list.len, back.data, back.len));
    buf_free(&back);
    buf_free(&list);
    buf_free(&text);
}
END_TEST

static void add(Suite *suite)
{
    TCase *tc = tcase_create("act");
    suite_add_tcase(suite, tc);
    tcase_add_test(tc, every_row_is_described);
    tcase_add_loop_test(tc, text_list_wire_and_back, 0, n_act_samples);
    tcase_add_loop_test(tc, cut_short, 0, n_act_samples);
    tcase_add_loop_test(tc, shorter_than_they_say, 0, n_act_samples);
    tcase_add_loop_test(tc, wire_fault, 0, ARRAY_SIZE(wire_faults));
    tcase_add_test(tc, deep_clones);
    tcase_add_loop_test(tc, check, 0, ARRAY_SIZE(checks));
    tcase_add_loop_test(tc, other_words, 0, ARRAY_SIZE(words));
    tcase_add_test(tc, port_names);
}

UNIT_TEST_MAIN_WITH("act", add)
