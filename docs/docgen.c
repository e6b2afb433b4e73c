/* docgen: writes docs/OPENFLOW.md, what of OpenFlow there is, from the .def files and from the codecs themselves.
 *
 * usage: docgen SOURCE...   (the switch's .c files, so that it can tell which messages and errors they use)
 *
 * `make docs` runs it; tests/check-docs fails when the committed file is not what it prints. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "openflow/group.h"
#include "openflow/match-codec.h"
#include "openflow/meter.h"
#include "tests/unit/flow-samples.h"

static const struct {
    uint8_t number;
    const char *name;
} versions[] = {{OFP10, "1.0"}, {OFP13, "1.3"}, {OFP14, "1.4"}};

/* --- Markdown --- */

static void cell(const char *text)
{
    fputs(" ", stdout);
    for (; *text; text++) {
        if (strchr("|<>*", *text)) /* what a table, HTML or emphasis would take for its own */
            putchar('\\');
        putchar(*text);
    }
    fputs(" |", stdout);
}

static void code(const char *text)
{
    fputs(" `", stdout);
    for (; *text; text++)
        fputs(*text == '|' ? "\\|" : (char[]){*text, 0}, stdout);
    fputs("` |", stdout);
}

static void begin_row(void) { putchar('|'); }
static void end_row(void) { putchar('\n'); }

static void head(const char *title, const char *about, const char *columns)
{
    printf("\n## %s\n\n%s\n\n|", title, about);
    for (const char *p = columns, *end; *p; p = *end ? end + 1 : end) {
        end = p + strcspn(p, "|");
        printf(" %.*s |", (int)(end - p), p);
    }
    printf("\n|");
    for (const char *p = columns; *p; p += strcspn(p, "|"), p += *p == '|')
        printf("---|");
    printf("\n");
}

/* --- What the sources use --- */

static struct buf sources = BUF_INIT, ofproto_sources = BUF_INIT;

static bool read_source(const char *name)
{
    FILE *f = fopen(name, "r");
    if (!f) {
        fprintf(stderr, "docgen: cannot read %s\n", name);
        return false;
    }
    char part[4096];
    for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;) {
        buf_put(&sources, part, n);
        if (!strncmp(name, "ofproto/", 8))
            buf_put(&ofproto_sources, part, n);
    }
    buf_puts(&sources, "\n");
    return !fclose(f);
}

/* `before` and `name` stand in the sources, and the name does not go on. */
static bool used(struct buf *in, const char *before, const char *name)
{
    char token[200];
    snprintf(token, sizeof token, "%s%s", before, name);
    const char *p = buf_text(in);
    while ((p = strstr(p, token))) {
        p += strlen(token);
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789", *p))
            return true;
    }
    return false;
}

/* --- Fields --- */

/* OpenFlow 1.0, 5.2.3: the twelve of its match. */
static bool in_of10_match(enum field_id f)
{
    static const enum field_id twelve[] = {
        FIELD_IN_PORT,  FIELD_ETH_SRC, FIELD_ETH_DST,  FIELD_VLAN_VID, FIELD_VLAN_PCP, FIELD_ETH_TYPE,    FIELD_IP_TOS,
        FIELD_IP_PROTO, FIELD_IPV4_SRC, FIELD_IPV4_DST, FIELD_TCP_SRC,  FIELD_TCP_DST,  FIELD_UDP_SRC,     FIELD_UDP_DST,
        FIELD_ARP_OP,   FIELD_ARP_SPA, FIELD_ARP_TPA,  FIELD_ICMPV4_TYPE, FIELD_ICMPV4_CODE,
    };
    for (size_t i = 0; i < sizeof twelve / sizeof *twelve; i++)
        if (twelve[i] == f)
            return true;
    return false;
}

static void format_header(uint64_t id, struct buf *out)
{
    unsigned class = id >> 16 & 0xffff, number = id & 0xffff;
    if (!id)
        return;
    if (out->len)
        buf_puts(out, ", ");
    if (id >> 40)
        buf_printf(out, "%s %u", id >> 40 == 1 ? "ONF" : "XVS", number);
    else
        buf_printf(out, "%s%u", class == 0x8000 ? "OXM " : class == 0x8001 ? "packet register " : class ? "NXM 1:" : "NXM 0:", number);
}

static const char *const prereqs[N_PREREQS] = {
    [P_NONE] = "",
    [P_IN_PORT] = "in_port",
    [P_VLAN] = "a VLAN tag",
    [P_MPLS] = "eth_type 0x8847, 0x8848",
    [P_IP] = "eth_type 0x0800, 0x86dd",
    [P_IPV4] = "eth_type 0x0800",
    [P_IPV6] = "eth_type 0x86dd",
    [P_ARP] = "eth_type 0x0806, 0x8035",
    [P_TCP] = "nw_proto 6",
    [P_UDP] = "nw_proto 17",
    [P_SCTP] = "nw_proto 132",
    [P_ICMPV4] = "eth_type 0x0800, nw_proto 1",
    [P_ICMPV6] = "eth_type 0x86dd, nw_proto 58",
    [P_ND] = "icmpv6_type 135, 136",
    [P_ND_SOLICIT] = "icmpv6_type 135",
    [P_ND_ADVERT] = "icmpv6_type 136",
    [P_GRE] = "nw_proto 47",
    [P_PBB] = "eth_type 0x88e7",
};

static void match_fields(void)
{
    head("Match fields",
         "Every field below can be matched, with the masks shown. In 1.0: *yes*, the field is in its match; *extended*, it goes "
         "in Nicira's extended match.",
         "Field|Header|1.0|1.3|1.4|Masks|Written by actions|Needs|What it is");
    for (enum field_id f = 0; f < N_FIELDS; f++) {
        struct buf header = BUF_INIT, name = BUF_INIT;
        format_header(fields[f].oxm, &header);
        format_header(fields[f].nxm, &header);
        buf_puts(&name, fields[f].name);
        begin_row();
        code(buf_text(&name));
        cell(buf_text(&header));
        cell(in_of10_match(f) ? "yes" : "extended");
        cell("yes");
        cell("yes");
        cell(fields[f].mask == M_ANY ? "any bits" : "exact");
        cell(fields[f].access == RW ? "yes" : fields[f].access == SF ? "by set_field" : "no");
        cell(prereqs[fields[f].prereq]);
        cell(fields[f].doc);
        end_row();
        buf_free(&header);
        buf_free(&name);
    }
}

/* --- Actions and instructions --- */

/* Rows of one name carry the same, so the text of one says what another carries, if that has none of its own. */
static bool has_sample(enum act_type t)
{
    for (unsigned i = 0; i < n_act_samples; i++)
        if (act_samples[i].type == t)
            return true;
    return false;
}

static bool is_sample_of(unsigned i, enum act_type t)
{
    return has_sample(t) ? act_samples[i].type == t : !strcmp(act_rows[act_samples[i].type].name, act_rows[t].name);
}

static const char *whose(const uint8_t experimenter[4])
{
    return experimenter[0] == 0x4f ? "ONF" : experimenter[2] == 0x23 ? "Nicira" : "xvs";
}

/* How version v says action t: its type, or whose extension; "no" if what was written is not read again. */
static void format_wire(enum act_type t, uint8_t v, struct buf *out)
{
    for (unsigned i = 0; i < n_act_samples; i++) {
        struct buf list = BUF_INIT, bytes = BUF_INIT, back = BUF_INIT;
        struct diag d = DIAG_INIT;
        if (!is_sample_of(i, t))
            continue;
        if (acts_parse(act_samples[i].text, strlen(act_samples[i].text), true, NULL, NULL, &list, &d)) {
            size_t len = 0; /* up to the end of the first such action */
            struct act *one = NULL;
            ACT_FOR_EACH(a, list.data, list.len)
            if (!one && a->type == act_samples[i].type)
                one = (struct act *)(list.data + ((const uint8_t *)a - list.data)), len = a->len;
            if (one)
                one->type = (uint16_t)t;
            acts_encode_actions(one, len, v, &bytes);
            if (bytes.len >= 8 && !acts_decode_actions(v, (struct rd){bytes.data, bytes.data + bytes.len, 0}, &back) && back.len) {
                const uint8_t *p = bytes.data;
                unsigned type = p[0] << 8u | p[1];
                if (type != 0xffff)
                    buf_printf(out, "%u", type);
                else
                    buf_printf(out, "%s %u", whose(p + 4), p[8] << 8u | p[9]);
            }
        }
        buf_free(&list);
        buf_free(&bytes);
        buf_free(&back);
        diag_free(&d);
        if (out->len)
            return;
    }
    buf_puts(out, "no");
}

static void act_rows_of(bool instruction)
{
    for (int t = 0; t < N_ACTS; t++) {
        if (act_rows[t].instruction != instruction)
            continue;
        begin_row();
        code(act_rows[t].syntax);
        for (size_t v = 0; v < sizeof versions / sizeof *versions; v++) {
            struct buf wire = BUF_INIT;
            if (instruction && versions[v].number == OFP10)
                buf_puts(&wire, "no");
            else if (instruction)
                buf_printf(&wire, "%u", act_rows[t].wire);
            else
                format_wire((enum act_type)t, versions[v].number, &wire);
            cell(buf_text(&wire));
            buf_free(&wire);
        }
        cell(act_rows[t].doc);
        end_row();
    }
}

static void actions(void)
{
    head("Actions",
         "The numbers are the action's type in that version, or the subtype of Nicira's or xvs' own action that stands for it there.",
         "Action|1.0|1.3|1.4|What it does");
    act_rows_of(false);
}

static void instructions(void)
{
    head("Instructions", "OpenFlow 1.0 has none: its flows have actions only.", "Instruction|1.0|1.3|1.4|What it does");
    act_rows_of(true);
}

/* --- Groups and meters --- */

static void group_types(void)
{
    static const char *const rows[N_GROUP_TYPES][2] = {
        [OFPGT_ALL] = {"all", "Every bucket gets a copy of the packet"},
        [OFPGT_SELECT] = {"select", "One bucket, by a hash over the packet's header and in the buckets' weights; those that watch a port or group only while it lives"},
        [OFPGT_INDIRECT] = {"indirect", "The one bucket"},
        [OFPGT_FF] = {"fast failover", "The first bucket whose watched port or group lives"},
    };
    head("Group types", "Groups may forward to groups; what would be a loop is refused.", "Type|Number|1.0|1.3|1.4|What it does");
    for (unsigned t = 0; t < N_GROUP_TYPES; t++)
        printf("| %s | %u | no | yes | yes | %s |\n", rows[t][0], t, rows[t][1]);
}

static void meters(void)
{
    head("Meter bands", "A meter has up to as many as the switch says in its meter features.", "Band|Number|1.0|1.3|1.4|What it does");
#define METER_BAND(id, type, name, doc) printf("| `%s` | %u | no | yes | yes | %s |\n", name, type, doc);
#include "openflow/meter.def"
#undef METER_BAND
    head("Meter flags", "Of a meter-mod.", "Flag|Bit|What it says");
#define METER_FLAG(id, bit, name, doc) printf("| `%s` | %u | %s |\n", name, bit, doc);
#include "openflow/meter.def"
#undef METER_FLAG
    head("Virtual meters", "Numbers that have a meaning of their own.", "Meter|Number|What it is");
#define METER_VIRTUAL(id, number, name, doc) printf("| `%s` | 0x%08x | %s |\n", name, number, doc);
#include "openflow/meter.def"
#undef METER_VIRTUAL
}

/* --- Messages --- */

static const char *const msg_ids[N_OFPMSGS] = {
#define MSG(id, ...) [OFPMSG_##id] = #id,
#include "openflow/msg.def"
#undef MSG
};

static bool takes(const char *id)
{
    char token[128];
    snprintf(token, sizeof token, "[OFPMSG_%s] = {", id); /* its row in ofproto/dispatch.c */
    return strstr(buf_text(&ofproto_sources), token) != NULL;
}

static bool sends(const char *id)
{
    /* What begins such a message by itself, and what lib/openflow's encoders begin. */
    static const char *const always[] = {"HELLO", "ERROR", "ECHO_REQUEST", "ECHO_REPLY", "PACKET_IN", "FLOW_REMOVED", "PORT_STATUS",
                                          "NX_PACKET_IN", "NX_PACKET_IN2"};
    char call[100];
    size_t len = strlen(id);
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        if (!strcmp(id, always[i]))
            return true;
    snprintf(call, sizeof call, "%s_encode(", id); /* role_status_encode() sends a ROLE_STATUS */
    for (char *p = call; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    if (strstr(buf_text(&ofproto_sources), call) && !takes(id))
        return true;
    if (len > 6 && !strcmp(id + len - 6, "_REPLY")) {
        char request[100];
        snprintf(request, sizeof request, "%.*s_REQUEST", (int)len - 6, id);
        return takes(request);
    }
    return !strncmp(id, "BUNDLE_", 7) ? takes(id) : !takes(id) && used(&ofproto_sources, "OFPMSG_", id);
}

static void messages(void)
{
    static const char *const kinds[] = {
        [OFPMK_PLAIN] = "type",         [OFPMK_REQUEST] = "multipart",           [OFPMK_REPLY] = "multipart",
        [OFPMK_NX] = "Nicira",          [OFPMK_ONF] = "ONF",                     [OFPMK_XVS] = "xvs",
        [OFPMK_NX_REQUEST] = "Nicira multipart", [OFPMK_NX_REPLY] = "Nicira multipart", [OFPMK_ONF_REQUEST] = "ONF multipart",
        [OFPMK_ONF_REPLY] = "ONF multipart",
    };
    head("Messages", "What the switch does with a message of this type, and its number in each version; *no*: the version does not have it.",
         "Message|The switch|1.0|1.3|1.4");
    for (enum ofp_msg_type t = 0; t < N_OFPMSGS; t++) {
        bool in = takes(msg_ids[t]), out = sends(msg_ids[t]);
        begin_row();
        cell(ofp_msg_name(t));
        cell(in && out ? "takes and sends" : in ? "takes" : out ? "sends" : "answers with an error");
        for (size_t v = 0; v < sizeof versions / sizeof *versions; v++) {
            const struct ofp_msg_form *form = ofp_msg_form(t, versions[v].number);
            char text[60] = "no";
            if (form)
                snprintf(text, sizeof text, "%s %u", kinds[form->kind], form->number);
            cell(text);
        }
        end_row();
    }
}

/* --- Errors --- */

static void errors(void)
{
    static const struct {
        const char *id;
        unsigned long type, code;
    } rows[] = {
#define ERROR(id, type, code, name, sentence) {#id, type, code},
#include "openflow/error.def"
#undef ERROR
    };
    head("Errors", "*Sent* are those that the switch gives; the others are known by name when a peer sends them.",
         "Error|Type, code|Sent|What it means");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum ofp_error e = (enum ofp_error)(OFPERR_SHORT + 1 + i);
        char number[60];
        snprintf(number, sizeof number, rows[i].type >= OFPET_NX ? "%s %lu" : "%s%lu, %lu",
                 rows[i].type == OFPET_NX    ? "Nicira"
                 : rows[i].type == OFPET_ONF ? "ONF"
                                             : "",
                 rows[i].type >= OFPET_NX ? rows[i].code : rows[i].type, rows[i].code);
        begin_row();
        cell(ofp_error_name(e));
        cell(number);
        cell(used(&sources, "OFPERR_", rows[i].id) ? "yes" : "no");
        cell(ofp_error_sentence(e));
        end_row();
    }
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (!read_source(argv[i]))
            return 1;
    printf("# OpenFlow, row by row\n\n"
           "What xvs speaks of OpenFlow 1.0, 1.3 and 1.4 and of the Nicira and ONF extensions to them. This file is made from the\n"
           "tables that the code itself uses: change those, then run `make docs`. `xvs-ofctl(8)` says how things are written.\n");
    match_fields();
    actions();
    instructions();
    group_types();
    meters();
    messages();
    errors();
    buf_free(&sources);
    buf_free(&ofproto_sources);
    return fflush(stdout) || ferror(stdout) ? 1 : 0;
}
