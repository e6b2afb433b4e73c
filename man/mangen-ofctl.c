/* mangen-ofctl: what mangen does, for xvs-ofctl's page: each line ".TABLE name" of the frame on standard input is
 * replaced by rows of fields, actions, errors, commands and options. A program of its own since it links lib/openflow.
 */
#include <stdio.h>
#include <string.h>
#include "base/buf.h"
#include "openflow/act.h"
#include "openflow/ofp.h"
#include "packet/field.h"

/* roff takes '-' for a hyphen, '\' for itself, and a dot or quote at a line's start for a request. */
static void put(const char *s)
{
    for (const char *p = s; *p; p++) {
        if (*p == '-')
            fputs("\\-", stdout);
        else if (*p == '\\')
            fputs("\\e", stdout);
        else if ((*p == '.' || *p == '\'') && p == s)
            printf("\\&%c", *p);
        else
            putchar(*p);
    }
}

static void put_bold(const char *s)
{
    fputs("\\fB", stdout);
    put(s);
    fputs("\\fR", stdout);
}

static void item(const char *name, const char *args, const char *text)
{
    puts(".TP");
    put_bold(name);
    if (*args) {
        putchar(' ');
        put(args);
    }
    putchar('\n');
    put(text);
    putchar('\n');
}

/* --- xvs-ofctl --- */

static void ofctl_commands(void)
{
#define COMMAND(name, handler, min, max, args, help) item(name, *args ? "SWITCH " args : "SWITCH", help);
#define LOCAL_COMMAND(name, handler, min, max, args, help) item(name, args, help);
#include "ofctl/command.def"
#undef COMMAND
#undef LOCAL_COMMAND
}

static void ofctl_option(char letter, const char *name, const char *argument, const char *help)
{
    struct buf line = BUF_INIT;
    if (letter)
        buf_printf(&line, "-%c, ", letter);
    buf_printf(&line, "--%s%s%s", name, *argument && *argument != '[' ? "=" : "", argument);
    item(buf_text(&line), "", help);
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
};

static void match_fields(void)
{
    for (enum field_id f = 0; f < N_FIELDS; f++) {
        const struct field *row = &fields[f];
        struct buf text = BUF_INIT;
        const char *need = prereq_texts[row->prereq];
        buf_printf(&text, "%s. %u bit%s, %s, %s", row->doc, row->bits, row->bits == 1 ? "" : "s",
                   row->mask == M_ANY ? "may be masked" : "not masked",
                   row->access == RW ? "may be written" : "read only");
        if (need && *need)
            buf_printf(&text, "; needs %s", need);
        buf_puts(&text, ".");
        puts(".TP");
        put_bold(row->name);
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

static void act_items(bool instructions)
{
    for (int t = 0; t < N_ACTS; t++)
        if (act_rows[t].instruction == instructions)
            item(act_rows[t].syntax, "", act_rows[t].doc);
}

static void actions(void) { act_items(false); }
static void instructions(void) { act_items(true); }

static void errors(void)
{
    for (enum ofp_error e = OFPERR_SHORT + 1; e < N_OFPERRS; e++)
        item(ofp_error_name(e), "", ofp_error_sentence(e));
}

static const struct {
    const char *name;
    void (*print)(void);
} tables[] = {
    {".TABLE ofctl-commands\n", ofctl_commands}, {".TABLE ofctl-options\n", ofctl_options},
    {".TABLE fields\n", match_fields},           {".TABLE actions\n", actions},
    {".TABLE instructions\n", instructions},     {".TABLE errors\n", errors},
};

int main(void)
{
    char line[4096];
    while (fgets(line, sizeof line, stdin)) {
        bool table = false;
        for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
            if (!strcmp(line, tables[i].name)) {
                tables[i].print();
                table = true;
            }
        if (!table && !strncmp(line, ".TABLE", 6)) {
            fprintf(stderr, "mangen-ofctl: no table %s", line + 6);
            return 1;
        }
        if (!table)
            fputs(line, stdout);
    }
    return fflush(stdout) != 0;
}
