#include "packet/field.h"
#include <string.h>

/* XREGn has a 32-bit member but takes the next one too; XXREGn the next three. */
#define MEMBER_SIZE(MEMBER, SHIFT, BITS) \
    ((BITS) == 128 ? 16 : (SHIFT) + (BITS) > 8 * KEY_SIZE(MEMBER) ? 2 * KEY_SIZE(MEMBER) : KEY_SIZE(MEMBER))
#define KEY_SIZE(MEMBER) sizeof(((struct flow_key *)0)->MEMBER)
#define KEY_OFS(MEMBER) offsetof(struct flow_key, MEMBER)

#define FIELD(id, name, aliases, member, shift, bits, ...)                                                          \
    static_assert((shift) + (bits) <= 8 * MEMBER_SIZE(member, shift, bits), name ": more bits than its member");     \
    static_assert((bits) == 128 ? KEY_OFS(member) % 8 == 0 && (shift) == 0                  \
                                         : KEY_OFS(member) % 8 + MEMBER_SIZE(member, shift, bits) <= 8,              \
                  name ": crosses a word");
#include "packet/field.def"
#undef FIELD

const struct field fields[N_FIELDS] = {
#define FIELD(id, name_, aliases_, member_, shift_, bits_, layer_, oxm_, nxm_, mask_, access_, prereq_, format_, doc_)  \
    [FIELD_##id] = {.name = name_, .aliases = aliases_, .doc = doc_, .member = #member_, .ofs = KEY_OFS(member_),       \
                    .size = MEMBER_SIZE(member_, shift_, bits_), .shift = shift_, .bits = bits_,                       \
                    .bytes = (bits_ + 7) / 8, .layer = layer_, .oxm = oxm_, .nxm = nxm_, .mask = mask_,                \
                    .access = access_, .prereq = prereq_, .format = format_},
#include "packet/field.def"
#undef FIELD
};

static uint64_t low_bits(unsigned n) { return n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX; }

uint64_t field_value_u64(const union field_value *v) { return be64toh(v->w[1]); }

void field_value_set_u64(union field_value *v, uint64_t n)
{
    v->w[0] = 0;
    v->w[1] = htobe64(n);
}

/* A field of at most 64 bits lies in one word, which is read and written whole: where its least significant bit is in the
 * word as a number. */
static unsigned lowest_bit(const struct field *f) { return 64 - 8 * (f->ofs % 8 + f->size) + f->shift; }

void field_get(enum field_id id, const struct flow_key *key, union field_value *v)
{
    const struct field *f = &fields[id];
    if (f->bits > 64)
        memcpy(v->b, (const uint8_t *)key + f->ofs, 16);
    else
        field_value_set_u64(v, be64toh(key_words_const(key)[f->ofs / 8]) >> lowest_bit(f) & low_bits(f->bits));
}

void field_set(enum field_id id, struct flow_key *key, const union field_value *v)
{
    const struct field *f = &fields[id];
    if (f->bits > 64) {
        memcpy((uint8_t *)key + f->ofs, v->b, 16);
        return;
    }
    uint64_t *word = &key_words(key)[f->ofs / 8], mask = low_bits(f->bits) << lowest_bit(f);
    *word = htobe64((be64toh(*word) & ~mask) | (field_value_u64(v) << lowest_bit(f) & mask));
}

void field_all_ones(enum field_id id, union field_value *v)
{
    const struct field *f = &fields[id];
    if (f->bits > 64)
        memset(v, 0xff, sizeof *v);
    else if (f->format == F_TOS) /* OpenFlow 1.0, 5.2.3: "nw_tos: IP ToS (DSCP field, 6 bits)", in the upper six bits */
        field_value_set_u64(v, 0xfc);
    else
        field_value_set_u64(v, low_bits(f->bits));
}

/* Calls a word of blank-separated `words` each; true if one is `name`. */
static bool is_one_of(const char *words, const char *name, size_t len)
{
    for (;;) {
        size_t n = strcspn(words, " ");
        if (n == len && !memcmp(words, name, n))
            return true;
        words += n;
        if (!*words++)
            return false;
    }
}

/* Names before aliases: they are what is written most. */
int field_by_name(const char *name, size_t len)
{
    static const uint8_t lengths[N_FIELDS] = {
#define FIELD(id, name, ...) sizeof name - 1,
#include "packet/field.def"
#undef FIELD
    };
    for (int i = 0; len && i < N_FIELDS; i++)
        if (lengths[i] == len && !memcmp(fields[i].name, name, len))
            return i;
    for (int i = 0; len && i < N_FIELDS; i++)
        if (*fields[i].aliases && is_one_of(fields[i].aliases, name, len))
            return i;
    return -1;
}

const char *field_nearest_name(const char *name, size_t len)
{
    static const char *const names[] = {
#define FIELD(id, name, ...) name,
#include "packet/field.def"
#undef FIELD
    };
    const char *best = nearest_name(name, len, names, ARRAY_SIZE(names));
    if (best)
        return best;
    /* An alias that is near stands for its field. */
    for (int i = 0; i < N_FIELDS; i++) {
        char word[64];
        const char *words = fields[i].aliases, *one = word;
        for (size_t n; (n = strcspn(words, " ")) > 0; words += n + (words[n] == ' ')) {
            memcpy(word, words, MIN(n, sizeof word - 1));
            word[MIN(n, sizeof word - 1)] = 0;
            if (nearest_name(name, len, &one, 1))
                return fields[i].name;
        }
    }
    return NULL;
}

/* Where a field has no header of a kind, a number that is none keeps its case apart from the others'. */
#define OR_NONE(HEADER, ID, KIND) ((HEADER) ? (HEADER) : UINT64_C(1) << 63 | (KIND) << 16 | (ID))

int field_by_oxm(uint64_t header)
{
    if (header >> 63)
        return -1;
    switch (header) {
#define FIELD(id, name, aliases, member, shift, bits, layer, oxm, nxm, ...) \
    case OR_NONE(oxm, FIELD_##id, 1):                                       \
    case OR_NONE(nxm, FIELD_##id, 2):                                       \
        return FIELD_##id;
#include "packet/field.def"
#undef FIELD
    }
    return -1;
}
