/* option.h: the options of a port type, one row each.
 *
 * A port class names its rows; what a user may write, what a wrong name or value is answered with, and the manual's
 * list follow from them. '-' and '_' in a name are the same. */
#ifndef DATAPATH_OPTION_H
#define DATAPATH_OPTION_H 1

#include "datapath/dp.h"

struct option_row {
    const char *name;
    const char *fallback; /* what holds if it is not given, or NULL: nothing */
    bool (*check)(const char *value, struct diag *); /* fills d->at, len relative to value; NULL: any text is good */
    const char *doc;
};

/* Every option known, given once, and its value good? On failure *bad is the option's index. */
bool options_check(const struct option_row rows[], size_t n_rows, const struct dp_port_config *, int *bad,
                   struct diag *d);

/* The value given for `name`, or its row's fallback (NULL if it has none). */
const char *option_get(const struct option_row rows[], size_t n_rows, const struct dp_port_config *, const char *name);
/* Its index among the given ones, or -1. */
int option_index(const struct dp_port_config *, const char *name);

bool option_is_bool(const char *value, struct diag *); /* a check: true or false (yes, no, on, off, 1, 0) */
bool option_bool(const char *value);                   /* of a value that passed */

#endif
