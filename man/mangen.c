/* mangen: fills in the tables of a manual page. Reads a page on standard input, writes it to standard output; a line
 * ".TABLE name" becomes the rows of that .def file as roff. Runs at build time, links nothing. */
#include <stdio.h>
#include <string.h>

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

static const struct {
    const char *name;
    void (*print)(void);
} tables[] = {
    {"ctl-commands", ctl_commands},     {"tunnel-options", tunnel_options}, {"drops", drops},
    {"switch-columns", switch_columns}, {"bridge-columns", bridge_columns}, {"port-columns", port_columns},
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
