/* xvs-ofctl: speaks OpenFlow with a switch for whoever sits at a terminal. The commands are the rows of command.def,
 * each a cmd_ function in the file of its noun; the options are the rows of option.def. */
#include <config.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>
#include "ofctl/ofctl.h"
#include "openflow/version.h"

struct options options;

struct command {
    const char *name;
    void (*handler)(struct conn *, int argc, char *argv[]);
    int min, max;
    const char *args, *help;
    bool local;
};
static const struct command commands[] = {
#define COMMAND(name, handler, min, max, args, help) {name, cmd_##handler, min, max, args, help, false},
#define LOCAL_COMMAND(name, handler, min, max, args, help) {name, cmd_##handler, min, max, args, help, true},
#include "ofctl/command.def"
#undef COMMAND
#undef LOCAL_COMMAND
};

enum option_id {
    OPT_BEFORE = 255, /* behind the letters */
#define OPTION(id, ...) OPT_##id,
#include "ofctl/option.def"
#undef OPTION
};
static const struct option_row {
    int id;
    char letter;
    const char *name, *argument, *help;
} option_rows[] = {
#define OPTION(id, letter, name, argument, help) {OPT_##id, letter, name, argument, help},
#include "ofctl/option.def"
#undef OPTION
};

void die(const char *format, ...)
{
    va_list args;
    struct buf b = BUF_INIT;
    va_start(args, format);
    buf_vprintf(&b, format, args);
    va_end(args);
    fflush(stdout);
    fprintf(stderr, PROGRAM ": %s\n", buf_text(&b));
    buf_free(&b);
    exit(1);
}

void warn(const char *format, ...)
{
    va_list args;
    struct buf b = BUF_INIT;
    va_start(args, format);
    buf_vprintf(&b, format, args);
    va_end(args);
    fprintf(stderr, PROGRAM ": warning: %s\n", buf_text(&b));
    buf_free(&b);
}

/* --- Help --- */

static void print_command(const struct command *c)
{
    struct buf line = BUF_INIT;
    buf_printf(&line, "%s%s%s%s", c->name, c->local ? "" : " SWITCH", *c->args ? " " : "", c->args);
    if (line.len <= 34)
        printf("  %-34s %s\n", buf_text(&line), c->help);
    else
        printf("  %s\n  %-34s %s\n", buf_text(&line), "", c->help);
    buf_free(&line);
}

static void print_options(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(option_rows); i++) {
        const struct option_row *o = &option_rows[i];
        struct buf line = BUF_INIT;
        if (o->letter)
            buf_printf(&line, "-%c, ", o->letter);
        else
            buf_puts(&line, "    ");
        buf_printf(&line, "--%s%s%s", o->name, *o->argument && *o->argument != '[' ? "=" : "", o->argument);
        printf("  %-28s %s\n", buf_text(&line), o->help);
        buf_free(&line);
    }
}

static void print_usage(void)
{
    printf("usage: xvs-ofctl [OPTIONS] COMMAND SWITCH [ARG...]\n"
           "Speaks OpenFlow with a switch. SWITCH is a bridge of xvs, whose socket is $XVS_RUNDIR/BRIDGE.mgmt\n"
           "($XVS_RUNDIR is /run/xvs if not set), or any switch: unix:PATH, tcp:HOST[:PORT].\n"
           "\nCommands:\n");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        print_command(&commands[i]);
    printf("\nOptions:\n");
    print_options();
    printf("\nFLOW is 'priority=10,ip,in_port=1,nw_dst=10.0.0.0/8,actions=output:2'; xvs-ofctl(8) lists fields and "
           "actions.\n");
}

static const struct command *find_command(const char *name)
{
    const char *names[ARRAY_SIZE(commands)];
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        names[i] = commands[i].name;
        if (!strcmp(commands[i].name, name))
            return &commands[i];
    }
    const char *near = nearest_name(name, strlen(name), names, ARRAY_SIZE(names));
    if (near)
        die("no command '%s'; did you mean '%s'?", name, near);
    die("no command '%s'; 'xvs-ofctl --help' lists them", name);
}

static void print_schema(const char *command)
{
    static const struct {
        const char *command, *schema;
        bool lines;
    } schemas[] = {
#define SCHEMA(command, schema) {command, schema, false},
#define SCHEMA_LINES(command, schema) {command, schema, true},
#include "ofctl/schema.def"
#undef SCHEMA
#undef SCHEMA_LINES
    };
    for (size_t i = 0; i < ARRAY_SIZE(schemas); i++)
        if (!strcmp(schemas[i].command, command))
            printf("With -f json%s: %s\n", schemas[i].lines ? ", a line each" : "", schemas[i].schema);
}

static __attribute__((noreturn)) void help(const char *name)
{
    if (name) {
        const struct command *c = find_command(name);
        printf("usage: xvs-ofctl [OPTIONS] %s%s%s%s\n%s\n", c->name, c->local ? "" : " SWITCH", *c->args ? " " : "",
               c->args, c->help);
        print_schema(c->name);
    } else {
        print_usage();
    }
    exit(0);
}

void cmd_list_commands(struct conn *none UNUSED, int argc UNUSED, char *argv[] UNUSED)
{
    struct buf out = BUF_INIT;
    struct json j = {&out, true};
    json_open(&j, NULL, '{');
    json_open(&j, "commands", '[');
    if (!options.json)
        puts("The available commands are:");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        const struct command *c = &commands[i];
        json_open(&j, NULL, '{');
        json_string(&j, "name", c->name);
        json_string(&j, "arguments", c->args);
        json_string(&j, "help", c->help);
        json_bool(&j, "switch", !c->local);
        json_close(&j, '}');
        if (!options.json)
            printf("  %-23s %s%s%s\n", c->name, c->local ? "" : "SWITCH", c->local || !*c->args ? "" : " ", c->args);
    }
    json_close(&j, ']');
    json_close(&j, '}');
    if (options.json)
        puts(buf_text(&out));
    buf_free(&out);
}

/* --- Options --- */

uint8_t parse_version(const char *name)
{
    uint8_t v = ofp_version_parse(name, strlen(name));
    if (!v || !(OFP_VERSIONS_SPOKEN >> v & 1))
        die("%s: xvs-ofctl speaks OpenFlow10, OpenFlow13 and OpenFlow14", name);
    return v;
}

/* Versions that only others speak may stand beside. */
static void set_protocols(const char *list)
{
    uint32_t named = 0;
    for (const char *p = list; *p;) {
        size_t n = strcspn(p, ", ");
        uint8_t v = ofp_version_parse(p, n);
        if (!v)
            die("-O %s: there is no OpenFlow version '%.*s'; write OpenFlow10, OpenFlow13 or OpenFlow14", list, (int)n, p);
        named |= 1u << v;
        p += n + strspn(p + n, ", ");
    }
    options.versions = named & OFP_VERSIONS_SPOKEN;
    if (!options.versions)
        die("-O %s: xvs-ofctl speaks OpenFlow10, OpenFlow13 and OpenFlow14", list);
}

static void set_timeout(const char *text)
{
    char *end;
    unsigned long seconds = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || seconds > 1000000)
        die("-t %s: a number of seconds is wanted", text);
    options.deadline = seconds ? clock_msec() + seconds * 1000 : 0;
}

static void add_sort_key(const char *name, bool reverse)
{
    if (options.n_sort == ARRAY_SIZE(options.sort))
        die("more than %zu fields to sort by", ARRAY_SIZE(options.sort));
    int field = -1;
    if (name && strcasecmp(name, "priority")) {
        field = field_by_name(name, strlen(name));
        const char *near = field < 0 ? field_nearest_name(name, strlen(name)) : NULL;
        if (near)
            die("--sort=%s: no such field; did you mean '%s'?", name, near);
        if (field < 0)
            die("--sort=%s: no such field", name);
    }
    options.sort[options.n_sort++] = (struct sort_key){field, reverse};
}

static bool want_color(const char *when)
{
    if (!when || !strcmp(when, "always"))
        return true;
    if (!strcmp(when, "auto"))
        return isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    if (strcmp(when, "never"))
        die("--color=%s: always, never or auto is wanted", when);
    return false;
}

static void set_format(const char *format)
{
    if (strcmp(format, "json") && strcmp(format, "text"))
        die("-f %s: text or json is wanted", format);
    options.json = !strcmp(format, "json");
}

static __attribute__((noreturn)) void complete(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        puts(commands[i].name);
    exit(0);
}

static bool wants_help;

static void take_option(int id)
{
    switch (id) {
    case OPT_STRICT:
        options.strict = true;
        break;
    case OPT_MAY_CREATE:
        options.may_create = true;
        break;
    case OPT_NAMES:
    case OPT_NO_NAMES:
        options.names = id == OPT_NAMES;
        break;
    case OPT_BUNDLE:
        options.bundle = true;
        break;
    case OPT_OVS_COMPAT:
        options.ovs_compat = true;
        break;
    case OPT_READD:
        options.readd = true;
        break;
    case OPT_TIMESTAMP:
        options.timestamp = true;
        break;
    case OPT_NO_STATS:
        options.no_stats = true;
        break;
    case OPT_SORT:
    case OPT_RSORT:
        add_sort_key(optarg, id == OPT_RSORT);
        break;
    case OPT_FORMAT:
        set_format(optarg);
        break;
    case OPT_COLOR:
        options.color = want_color(optarg);
        break;
    case OPT_MORE:
        options.verbosity = 3;
        break;
    case OPT_PROTOCOLS:
        set_protocols(optarg);
        break;
    case OPT_TIMEOUT:
        set_timeout(optarg);
        break;
    case OPT_VERBOSE:
        options.verbose = true;
        break;
    case OPT_COMPLETE:
        complete();
    case OPT_HELP:
        wants_help = true;
        break;
    case OPT_VERSION:
        puts("xvs-ofctl (" PACKAGE_NAME ") " PACKAGE_VERSION "\nOpenFlow 1.0, 1.3, 1.4 (without -O: 1.3, or 1.0 if the switch has no 1.3)");
        exit(0);
    default:
        fprintf(stderr, "'xvs-ofctl --help' lists commands and options\n"); /* getopt has said what is wrong */
        exit(1);
    }
}

static void take_options(int argc, char *argv[])
{
    struct option longs[ARRAY_SIZE(option_rows) + 1] = {0};
    char shorts[3 * ARRAY_SIZE(option_rows) + 1] = "";
    for (size_t i = 0; i < ARRAY_SIZE(option_rows); i++) {
        const struct option_row *o = &option_rows[i];
        int has_arg = !*o->argument ? no_argument : *o->argument == '[' ? optional_argument : required_argument;
        longs[i] = (struct option){o->name, has_arg, NULL, o->id};
        if (o->letter)
            sprintf(shorts + strlen(shorts), "%c%s", o->letter, has_arg == required_argument ? ":" : "");
    }
    for (int c; (c = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        for (size_t i = 0; i < ARRAY_SIZE(option_rows); i++)
            if (option_rows[i].letter == c && c)
                c = option_rows[i].id;
        take_option(c);
    }
}

/* What OpenFlow 1.0 has nothing of. */
static bool lacks(const char *command)
{
    static const char *const nouns[] = {"meter", "table-features", "table-desc", "mod-table"};
    for (size_t i = 0; i < ARRAY_SIZE(nouns); i++)
        if (strstr(command, nouns[i]))
            return true;
    return false;
}

int main(int argc, char *argv[])
{
    static char name[] = "xvs-ofctl";
    argv[0] = name; /* what getopt's messages begin with, wherever the program lies */
    signal(SIGPIPE, SIG_DFL);
    options.names = isatty(STDOUT_FILENO);
    options.verbosity = 1;
    options.color = want_color("auto");
    options.versions = DEFAULT_VERSIONS;
    take_options(argc, argv);
    argc -= optind;
    argv += optind;
    if (wants_help)
        help(argc ? argv[0] : NULL);
    if (!argc)
        die("a command is missing; 'xvs-ofctl --help' lists them");

    const struct command *c = find_command(argv[0]);
    argc--;
    argv++;
    if (!c->local && !argc)
        die("%s: which switch? write 'xvs-ofctl %s SWITCH%s%s'", c->name, c->name, *c->args ? " " : "", c->args);
    const char *target = c->local ? NULL : argv[0];
    argc -= !c->local;
    argv += !c->local;
    if (argc < c->min || (c->max != ANY && argc > c->max))
        die("%s: %s; write 'xvs-ofctl %s%s%s%s'", c->name,
            argc < c->min ? "an argument is missing" : "too many arguments", c->name, c->local ? "" : " SWITCH",
            *c->args ? " " : "", c->args);

    struct conn *conn = c->local ? NULL : conn_open(target);
    if ((conn ? conn->version : options_version()) == OFP10 && lacks(c->name))
        die("%s needs OpenFlow 1.3 or later%s", c->name, conn ? ", and with this switch 1.0 is spoken (-O OpenFlow13?)" : ": -O OpenFlow13");
    c->handler(conn, argc, argv);
    conn_close(conn);
    if (fflush(stdout))
        die("standard output: %s", strerror(errno));
    return 0;
}
