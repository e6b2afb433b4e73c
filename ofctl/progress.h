/* progress.h: how far long work is: a line on standard error, if that is a terminal, once it has taken a second. */
#ifndef OFCTL_PROGRESS_H
#define OFCTL_PROGRESS_H 1

#include "ofctl/ofctl.h"

struct progress {
    const char *what; /* "flows" */
    msec_t begun, shown;
    bool terminal;
};
struct progress progress_begin(const char *what);
void progress_show(struct progress *, size_t done, size_t of /* 0: nobody knows */);
void progress_end(struct progress *); /* takes the line away */

#endif
