/* config.h: the desired state: what xvs.yaml says and xvs-ctl edits.
 *
 * A tree of records (switch → bridges → ports), each a list of values under the columns of column.def. A change is
 * made on a copy, checked whole, and then either becomes the desired state or is thrown away (switch.h).
 *
 * Thread: main. */
#ifndef VSWITCHD_CONFIG_H
#define VSWITCHD_CONFIG_H 1

#include "base/diag.h"

enum config_table { SWITCH, BRIDGE, PORT };
enum column_kind { TEXT, SET, MAP };
enum column_check {
    C_ANY, C_TARGET, C_FAIL_MODE, C_PROTOCOL, C_DATAPATH, C_FALSE, C_SWITCH_OTHER, C_BRIDGE_OTHER, C_PORT_TYPE, C_OFPORT, C_MAC, C_RATE, C_QUEUE,
};
struct column {
    enum config_table table;
    const char *name, *fallback, *doc;
    enum column_kind kind;
    enum column_check check;
};
extern const struct column columns[];
extern const size_t n_columns;

struct config_value {
    const struct column *column;
    char *key;   /* MAP: its key; SET: the word; TEXT: "" */
    char *value; /* SET: "" */
};
struct record {
    enum config_table table;
    char *name;
    struct record *parent;
    struct config_value *values; /* in the order in which they were set */
    size_t n_values;
    struct record **children; /* bridges of the switch, ports of a bridge; sorted by nothing: in order of their making */
    size_t n_children;
};

enum { CONFIG_MAX_WORKERS = 64 };
/* The processors of worker-cpus, such as "1" or "2,4-7", at most CONFIG_MAX_WORKERS of them. */
bool config_parse_cpus(const char *text, unsigned cpus[CONFIG_MAX_WORKERS], size_t *n, struct diag *d);

struct record *config_new(void);
struct record *config_copy(const struct record *);
void config_free(struct record *);

struct record *config_find(const struct record *parent, const char *name);      /* a child */
struct record *config_find_port(const struct record *root, const char *port);   /* in any bridge */
struct record *config_add(struct record *parent, const char *name);
void config_remove(struct record *);                                             /* from its parent; and frees it */

/* Table and column words as people write them: any case, '-' for '_', "Interface" for port, "option" for options. */
bool config_table_parse(const char *word, enum config_table *, struct diag *d);
const struct column *column_find(enum config_table, const char *name, size_t len, struct diag *d /* or NULL */);

/* Values. set checks; key "" for TEXT. */
bool config_set(struct record *, const struct column *, const char *key, const char *value, struct diag *d);
void config_unset(struct record *, const struct column *, const char *key /* NULL: all keys */);
const char *config_get(const struct record *, const char *column, const char *key); /* NULL if not set */
const char *config_text(const struct record *, const char *column);                 /* with the column's default */

/* "COLUMN=VALUE", "COLUMN:KEY=VALUE", "COLUMN={k=v,…}" or "COLUMN=[a,b]", as ovs-vsctl takes them, quotes and all.
 * With `loose`, a word whose name is no column is an option of the port ("remote_ip=…"). */
bool config_set_word(struct record *, const char *word, bool loose, struct diag *d);

/* YAML. load: a missing file is an empty configuration. Errors name file, line and path. save: atomic. */
bool config_load(const char *file, struct record **, struct diag *d);
bool config_parse(const char *text, size_t len, const char *name, struct record **, struct diag *d);
bool config_save(const struct record *, const char *file, struct diag *d);
char *config_emit(const struct record *); /* the YAML text; free() it */

#endif
