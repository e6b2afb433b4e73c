/* Flows that the user has written: parsed, or complained about. */
#include <stdio.h>
#include <stdlib.h>
#include "base/mem.h"
#include "ofctl/compat.h"
#include "ofctl/ofctl.h"

void print_complaint(struct conn *c, const char *prefix, const char *text, struct diag *d)
{
    struct buf out = BUF_INIT;
    for (const char *w = d->warnings.len ? buf_text(&d->warnings) : ""; *w;) {
        size_t n = strcspn(w, "\n");
        fprintf(stderr, "%swarning: %.*s\n", prefix, (int)n, w);
        w += n + (w[n] == '\n');
    }
    if (d->failed) {
        diag_print(d, prefix, text, &out);
        if (ports_missed(c)) {
            buf_printf(&out, PROGRAM ": %s has these ports: ", c->target);
            ports_list(c, &out);
            buf_puts(&out, "\n");
        }
        fflush(stdout);
        fputs(buf_text(&out), stderr);
    }
    buf_free(&out);
    diag_free(d);
}

bool parse_flow(struct conn *c, const char *prefix, const char *text, enum ofp_flow_mod_command command,
                struct flow_mod *m)
{
    struct diag d = DIAG_INIT;
    bool ok = compat_flow_parse(text, command, ports_by_name(c), m, &d);
    print_complaint(c, prefix, text, &d);
    if (ok && c)
        check_flow(c, m);
    return ok;
}

void parse_filter(struct conn *c, const char *text, struct flow_stats_request *r)
{
    struct flow_mod m;
    char *prefix = xasprintf(PROGRAM ": %s: ", c->target);
    if (!parse_flow(c, prefix, text ? text : "", OFPFC_DELETE, &m))
        exit(1);
    free(prefix);
    *r = (struct flow_stats_request){.table = m.table,
                                     .out_port = m.out_port,
                                     .out_group = m.out_group,
                                     .cookie = m.cookie,
                                     .cookie_mask = m.cookie_mask,
                                     .match = m.match};
    flow_mod_free(&m);
}
