#include <stdio.h>
#include <unistd.h>
#include "ofctl/progress.h"

enum { PATIENCE = 1000, INTERVAL = 100 /* ms */, BAR = 30 };

struct progress progress_begin(const char *what)
{
    return (struct progress){.what = what, .begun = clock_msec(), .terminal = isatty(STDERR_FILENO)};
}

void progress_show(struct progress *p, size_t done, size_t of)
{
    if (!p->terminal)
        return;
    msec_t now = clock_msec();
    if (now - p->begun < PATIENCE || now - p->shown < INTERVAL)
        return;
    p->shown = now;
    double rate = 1000.0 * (double)done / (double)(now - p->begun);
    if (of) {
        int full = (int)(BAR * done / of);
        fprintf(stderr, "\r[%.*s%*s] %3zu%% %zu of %zu %s, %.0f/s\033[K", full, "##############################", BAR - full, "",
                100 * done / of, done, of, p->what, rate);
    } else {
        fprintf(stderr, "\r%zu %s, %.0f/s\033[K", done, p->what, rate);
    }
}

void progress_end(struct progress *p)
{
    if (p->shown)
        fputs("\r\033[K", stderr);
    p->shown = 0;
}
