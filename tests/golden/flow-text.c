/* flow-text: reads lines "add FLOW", "mod FLOW", "del FLOW" or "del-strict FLOW" and prints each flow as it is
 * understood, or what is wrong with it. Lines that start with # and empty ones are copied. */
#include <stdio.h>
#include "openflow/flow.h"

static const struct {
    const char *word;
    enum ofp_flow_mod_command command;
} commands[] = {
    {"add ", OFPFC_ADD},
    {"mod ", OFPFC_MODIFY},
    {"del ", OFPFC_DELETE},
    {"del-strict ", OFPFC_DELETE_STRICT},
};

static void put_hex(const struct flow_mod *fm, struct buf *out)
{
    struct buf wire = BUF_INIT;
    flow_mod_encode(fm, OFP13, 1, &wire);
    for (size_t i = 0; i < wire.len; i++)
        buf_printf(out, "%02x", wire.data[i]);
    buf_puts(out, " ");
    buf_free(&wire);
}

static void one(const char *text, enum ofp_flow_mod_command command, bool hex, struct buf *out)
{
    struct flow_mod fm;
    struct diag d = DIAG_INIT;
    if (!flow_mod_parse(text, command, NULL, &fm, &d)) {
        diag_print(&d, "", text, out);
    } else {
        struct flow_stats fs = {.table = fm.table,
                                .priority = fm.priority,
                                .idle_timeout = fm.idle_timeout,
                                .hard_timeout = fm.hard_timeout,
                                .flags = fm.flags,
                                .cookie = fm.cookie,
                                .match = fm.match,
                                .acts = fm.acts.data,
                                .acts_len = fm.acts.len};
        if (hex)
            put_hex(&fm, out);
        flow_stats_format(&fs, NULL, false, out);
        buf_puts(out, "\n");
    }
    if (d.warnings.len)
        buf_printf(out, "warning: %s", buf_text(&d.warnings));
    flow_mod_free(&fm);
    diag_free(&d);
}

int main(int argc, char *argv[])
{
    char line[8192];
    bool hex = argc > 1 && !strcmp(argv[1], "hex");
    while (fgets(line, sizeof line, stdin)) {
        struct buf out = BUF_INIT;
        line[strcspn(line, "\n")] = 0;
        if (!*line || *line == '#')
            buf_printf(&out, "%s\n", line);
        for (unsigned i = 0; i < ARRAY_SIZE(commands); i++)
            if (!strncmp(line, commands[i].word, strlen(commands[i].word)))
                one(line + strlen(commands[i].word), commands[i].command, hex, &out);
        fputs(buf_text(&out), stdout);
        buf_free(&out);
    }
    return 0;
}
