/* match-text.h: the fields of a flow, word by word. Inside lib/openflow only.
 *
 * Words may come in any order ("tp_dst=80,tcp" is fine), so they are collected first and judged when all are there;
 * each keeps its place for complaints. */
#ifndef OPENFLOW_MATCH_TEXT_H
#define OPENFLOW_MATCH_TEXT_H 1

#include "openflow/match-codec.h"
#include "openflow/text.h"

struct match_word {
    struct item item;
    int field;           /* enum field_id, or -1 for a shorthand */
    uint8_t ofs, n_bits; /* of the field; all but for field[a..b] */
    uint8_t shorthand;
    bool done;           /* match_words_finish(): its condition is in the match, */
    int meaning;         /* and this is the field it turned out to mean, or -1 */
};

struct match_words {
    struct match_word *words;
    size_t n, size;
};
#define MATCH_WORDS_INIT ((struct match_words){NULL, 0, 0})

void match_words_free(struct match_words *);
/* Takes the item if it is about a field. False with the diag filled if it is and is wrong, without if it is not. */
bool match_words_add(struct match_words *, const struct text *, const struct item *);
bool match_words_finish(struct match_words *, const struct text *, struct match *);

/* The shorthands and old names that are in no row of field.def, for "did you mean". Fills at most n. */
size_t match_words_names(const char *names[], size_t n);

#endif
