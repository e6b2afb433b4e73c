/* text.h: flows and actions as people write them, cut into items: "in_port=local,ip actions=resubmit(,10),output:2".
 *
 * Items are separated by commas and blanks. An item is a word, "word=value", "word:value", "word(value)" or
 * "word:value(more)"; commas, blanks and parentheses inside a value's parentheses, and anything between double quotes,
 * belong to the value. Everything is an offset into one text, so that every complaint has its place. */
#ifndef OPENFLOW_TEXT_H
#define OPENFLOW_TEXT_H 1

#include "base/diag.h"
#include "packet/field.h"

struct word {
    size_t at, len;
};

struct item {
    struct word all, key, value; /* value.len may be 0 */
    char delim;                  /* '=', ':', '(', or 0: no value */
};

struct text {
    const char *s;                  /* the whole text, for offsets; need not end with a NUL */
    const struct port_names *names; /* may be NULL */
    struct diag *d;
};

/* Cuts the next item out of [*at, end). False at the end, or with t->d filled if a parenthesis or quote is not closed.
 */
bool text_next_item(const struct text *, size_t *at, size_t end, struct item *);

bool text_fail(const struct text *, struct word, const char *format, ...) PRINTF(3, 4); /* always false */
/* Case matters. Most words of most tables differ in the first letter. */
static inline bool text_is(const struct text *t, struct word w, const char *word)
{
    const char *s = t->s + w.at;
    return w.len && *s == *word ? !strncmp(s, word, w.len) && !word[w.len] : !w.len && !*word;
}
bool text_is_nocase(const struct text *, struct word, const char *word);
struct word text_trim(const struct text *, struct word); /* without blanks at its ends */

/* A number in decimal or 0x hex, from 0 to max. `what` names it in complaints. */
bool text_number(const struct text *, struct word, const char *what, uint64_t max, uint64_t *);

/* A port: a number, a reserved name in any case, or a name of t->names; quotes are taken off. */
bool text_port(const struct text *, struct word, uint32_t *port);
void text_put_port(uint32_t port, const struct port_names *, struct buf *out);

/* A field's value: field_parse() with ports by text_port(). `may_mask`: VALUE/MASK is taken. */
bool text_field_value(const struct text *, enum field_id, struct word, bool may_mask, union field_value *value,
                      union field_value *mask);
void text_put_field_value(enum field_id, const union field_value *value, const union field_value *mask,
                          const struct port_names *, struct buf *out);

/* Is `word` one of the blank-separated `names`? */
bool text_in_names(const struct text *, struct word, const char *names);

#endif
