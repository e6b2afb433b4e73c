/* option.c: the options of a port type. */
#include "config.h"
#include <strings.h>
#include "datapath/option.h"

static bool same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if ((*a == '-' ? '_' : *a) != (*b == '-' ? '_' : *b))
            return false;
    return *a == *b;
}

static const struct option_row *find_row(const struct option_row rows[], size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (same_name(rows[i].name, name))
            return &rows[i];
    return NULL;
}

static bool unknown_option(const struct option_row rows[], size_t n, const char *type, const char *name, struct diag *d)
{
    const char *names[64] = {NULL};
    size_t m = 0;
    struct buf all = BUF_INIT;
    for (size_t i = 0; i < n && m < ARRAY_SIZE(names); i++) {
        names[m++] = rows[i].name;
        buf_printf(&all, "%s%s", i ? ", " : "", rows[i].name);
    }
    const char *near = nearest_name(name, strlen(name), names, m);
    if (near)
        diag_fail(d, 0, 0, "type %s has no option '%s'; did you mean '%s'?", type, name, near);
    else if (m)
        diag_fail(d, 0, 0, "type %s has no option '%s'; it has: %s", type, name, buf_text(&all));
    else
        diag_fail(d, 0, 0, "type %s has no options, so none '%s'", type, name);
    buf_free(&all);
    return false;
}

bool options_check(const struct option_row rows[], size_t n_rows, const struct dp_port_config *config, int *bad,
                   struct diag *d)
{
    for (size_t i = 0; i < config->n_options; i++) {
        const struct dp_option *o = &config->options[i];
        const struct option_row *row = find_row(rows, n_rows, o->name);
        *bad = i;
        if (!row)
            return unknown_option(rows, n_rows, config->type, o->name, d);
        for (size_t j = 0; j < i; j++)
            if (same_name(config->options[j].name, o->name))
                return diag_fail(d, 0, 0, "option '%s' is given twice", o->name);
        if (row->check && !row->check(o->value, d))
            return false;
    }
    *bad = -1;
    return true;
}

int option_index(const struct dp_port_config *config, const char *name)
{
    for (size_t i = 0; i < config->n_options; i++)
        if (same_name(config->options[i].name, name))
            return i;
    return -1;
}

const char *option_get(const struct option_row rows[], size_t n_rows, const struct dp_port_config *config,
                       const char *name)
{
    int i = option_index(config, name);
    if (i >= 0)
        return config->options[i].value;
    const struct option_row *row = find_row(rows, n_rows, name);
    return row ? row->fallback : NULL;
}

static const struct {
    const char *word;
    bool value;
} bool_words[] = {{"true", true},   {"yes", true}, {"on", true},   {"1", true},
                  {"false", false}, {"no", false}, {"off", false}, {"0", false}};

bool option_is_bool(const char *value, struct diag *d)
{
    for (size_t i = 0; i < ARRAY_SIZE(bool_words); i++)
        if (!strcasecmp(value, bool_words[i].word))
            return true;
    return diag_fail(d, 0, strlen(value), "'%s' is neither true nor false", value);
}

bool option_bool(const char *value)
{
    for (size_t i = 0; i < ARRAY_SIZE(bool_words); i++)
        if (!strcasecmp(value, bool_words[i].word))
            return bool_words[i].value;
    return false;
}
