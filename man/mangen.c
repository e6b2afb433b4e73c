/* mangen: fills in the tables of a manual page. Reads a page on standard input, writes it to standard output; a line
 * ".TABLE name" becomes the rows of that .def file as roff. Runs at build time. */
#include <stdio.h>
#include <string.h>
#include "base/buf.h"
#include "openflow/act.h"
#include "openflow/ofp.h"
#include "packet/field.h"

/* Text as roff: what it would take for its own is escaped. */
static void put(const char *text)
{
    static const char special[] = "\\-'\"^~";
    static const char *const escapes[] = {"\\e", "\\-", "\\(aq", "\\(dq", "\\(ha", "\\(ti"};
    for (const char *p = text; *p; p++) {
        const char *s = strchr(special, *p);
        if (s)
            fputs(escapes[s - special], stdout);
        else
            putchar(*p);
    }
}

/* A tagged paragraph: the words in bold, what follows them in italics, then the sentence. */
static void row(const char *bold, const char *arguments, const char *text)
{
    fputs(".TP\n\\fB", stdout);
    put(bold);
    fputs("\\fR", stdout);
    if (*arguments) {
        fputs(" \\fI", stdout);
        put(arguments);
        fputs("\\fR", stdout);
    }
    fputs("\n\\&", stdout);
    put(text);
    fputs(text[strlen(text) - 1] == '.' ? "\n" : ".\n", stdout);
}

/* "Default: VALUE." if there is one. */
static void note(const char *what, const char *value)
{
    if (value && *value) {
        printf("%s \\fB", what);
        put(value);
        fputs("\\fR.\n", stdout);
    }
}

static void ctl_commands(void)
{
#define COMMAND(id, name, options, args, min, max, changes, help) row(*options ? "[" options "] " name : name, args, help);
#include "ctl/command.def"
#undef COMMAND
}

static void tunnel_options(void)
{
#define OPTION(id, name, type, fallback, kinds, doc) \
    row(name, "", doc);                              \
    note("Default:", fallback);
#include "datapath/tunnel/option.def"
#undef OPTION
}

static void port_option(const char *name, const char *fallback, const char *doc)
{
    row(name, "", doc);
    note("Default:", fallback);
}

static void system_options(void)
{
#define OPTION(type, ...) ROW_##type(__VA_ARGS__)
#define ROW_SYSTEM(name, fallback, check, doc) port_option(name, fallback, doc);
#define ROW_PCAP(...)
#include "datapath/port-option.def"
#undef ROW_SYSTEM
#undef ROW_PCAP
}

static void pcap_options(void)
{
#define ROW_SYSTEM(...)
#define ROW_PCAP(name, fallback, check, doc) port_option(name, fallback, doc);
#include "datapath/port-option.def"
#undef OPTION
#undef ROW_SYSTEM
#undef ROW_PCAP
}

static void drops(void)
{
#define DROP(id, name, sentence, hint)    \
    if (strcmp(name, "none")) {           \
        row(name, "", sentence);          \
        if (*hint) {                      \
            fputs("What next: ", stdout); \
            put(hint);                    \
            fputs(".\n", stdout);         \
        }                                 \
    }
#include "datapath/drop.def"
#undef DROP
}

static void columns(const char *table)
{
#define COLUMN(t, name, kind, check, fallback, doc)                                                    \
    if (!strcmp(#t, table)) {                                                                          \
        row(name, !strcmp(#kind, "TEXT") ? "value" : !strcmp(#kind, "SET") ? "list" : "mapping", doc); \
        note("Default:", fallback);                                                                    \
    }
#include "vswitchd/column.def"
#undef COLUMN
}
static void switch_columns(void) { columns("SWITCH"); }
static void bridge_columns(void) { columns("BRIDGE"); }
static void port_columns(void) { columns("PORT"); }

/* --- xvs-ofctl --- */

static void ofctl_commands(void)
{
#define COMMAND(name, handler, min, max, args, help) row(name, *args ? "SWITCH " args : "SWITCH", help);
#define LOCAL_COMMAND(name, handler, min, max, args, help) row(name, args, help);
#include "ofctl/command.def"
#undef COMMAND
#undef LOCAL_COMMAND
}

static void ofctl_compat(void)
{
#define COMPAT(complaint, fix, scope, example, doc) row(example, "", doc);
#include "ofctl/compat.def"
#undef COMPAT
}

static void ofctl_json(void)
{
#define SCHEMA(command, schema) row(command, "", schema);
#define SCHEMA_LINES(command, schema) row(command, "", "a line each: " schema);
#include "ofctl/schema.def"
#undef SCHEMA
#undef SCHEMA_LINES
}

static void ofctl_option(char letter, const char *name, const char *argument, const char *help)
{
    struct buf line = BUF_INIT;
    if (letter)
        buf_printf(&line, "-%c, ", letter);
    buf_printf(&line, "--%s%s%s", name, *argument && *argument != '[' ? "=" : "", argument);
    row(buf_text(&line), "", help);
    buf_free(&line);
}

static void ofctl_options(void)
{
#define OPTION(id, letter, name, argument, help) ofctl_option(letter, name, argument, help);
#include "ofctl/option.def"
#undef OPTION
}

/* --- Fields, actions, errors --- */

static const char *const prereq_texts[N_PREREQS] = {
    [P_NONE] = "",
    [P_IN_PORT] = "in_port",
    [P_VLAN] = "a VLAN tag",
    [P_MPLS] = "mpls",
    [P_IP] = "ip or ipv6",
    [P_IPV4] = "ip",
    [P_IPV6] = "ipv6",
    [P_ARP] = "arp or rarp",
    [P_TCP] = "tcp or tcp6",
    [P_UDP] = "udp or udp6",
    [P_SCTP] = "sctp or sctp6",
    [P_ICMPV4] = "icmp",
    [P_ICMPV6] = "icmp6",
    [P_ND] = "icmp6 of neighbour discovery",
    [P_ND_SOLICIT] = "icmp6,icmp_type=135",
    [P_ND_ADVERT] = "icmp6,icmp_type=136",
    [P_GRE] = "gre",
    [P_PBB] = "dl_type=0x88e7",
};

static void match_fields(void)
{
    for (enum field_id f = 0; f < N_FIELDS; f++) {
        const struct field *row = &fields[f];
        struct buf text = BUF_INIT;
        const char *need = prereq_texts[row->prereq];
        buf_printf(&text, "%s. %u bit%s, %s, %s", row->doc, row->bits, row->bits == 1 ? "" : "s",
                   row->mask == M_ANY ? "may be masked" : "not masked",
                   row->access == RW   ? "may be written"
                   : row->access == SF ? "may be written by set_field"
                                       : "read only");
        if (need && *need)
            buf_printf(&text, "; needs %s", need);
        buf_puts(&text, ".");
        puts(".TP");
        printf("\\fB");
        put(row->name);
        printf("\\fR");
        for (const char *p = row->aliases; *p; p += strspn(p, " ")) {
            printf(", \\fB%.*s\\fR", (int)strcspn(p, " "), p);
            p += strcspn(p, " ");
        }
        putchar('\n');
        put(buf_text(&text));
        putchar('\n');
        buf_free(&text);
    }
}

static void act_rows_of(bool of_instructions)
{
    for (int t = 0; t < N_ACTS; t++)
        if (act_rows[t].instruction == of_instructions)
            row(act_rows[t].syntax, "", act_rows[t].doc);
}

static void actions(void) { act_rows_of(false); }
static void instructions(void) { act_rows_of(true); }

static void errors(void)
{
    for (enum ofp_error e = OFPERR_SHORT + 1; e < N_OFPERRS; e++)
        row(ofp_error_name(e), "", ofp_error_sentence(e));
}

/* --- Meters --- */

static void meter_flags(void)
{
#define METER_FLAG(id, bit, name, doc) row(name, "", doc);
#include "openflow/meter.def"
#undef METER_FLAG
}

static void meter_bands(void)
{
#define METER_BAND(id, type, name, doc) row("type=" name, "", doc);
#include "openflow/meter.def"
#undef METER_BAND
}

static void meter_virtuals(void)
{
#define METER_VIRTUAL(id, number, name, doc) row("meter=" name, "", doc);
#include "openflow/meter.def"
#undef METER_VIRTUAL
}

static const struct {
    const char *name;
    void (*print)(void);
} tables[] = {
    {"ctl-commands", ctl_commands},     {"tunnel-options", tunnel_options}, {"drops", drops},
    {"system-options", system_options}, {"pcap-options", pcap_options},
    {"switch-columns", switch_columns}, {"bridge-columns", bridge_columns}, {"port-columns", port_columns},
    {"ofctl-commands", ofctl_commands}, {"ofctl-json", ofctl_json}, {"ofctl-compat", ofctl_compat}, {"ofctl-options", ofctl_options},   {"fields", match_fields},
    {"meter-flags", meter_flags},       {"meter-bands", meter_bands},       {"meter-virtuals", meter_virtuals},
    {"actions", actions},               {"instructions", instructions},     {"errors", errors},
};

int main(void)
{
    char line[4096];
    while (fgets(line, sizeof line, stdin)) {
        if (strncmp(line, ".TABLE ", 7)) {
            fputs(line, stdout);
            continue;
        }
        line[strcspn(line, "\n")] = '\0';
        size_t i = 0, n = sizeof tables / sizeof *tables;
        while (i < n && strcmp(tables[i].name, line + 7))
            i++;
        if (i == n) {
            fprintf(stderr, "mangen: no table '%s'\n", line + 7);
            return 1;
        }
        tables[i].print();
    }
    return fflush(stdout) || ferror(stdout) ? 1 : 0;
}
