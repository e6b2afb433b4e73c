/* act-conjunction.c: conjunction(ID,K/N), NXAST_CONJUNCTION. */
#include "openflow/act-shape.h"

enum { MIN_CLAUSES = 2, MAX_CLAUSES = 64 };

static void put(struct buf *list, enum act_type type, uint32_t id, uint64_t clause, uint64_t n)
{
    struct act_conjunction *a = act_append(list, type, sizeof *a);
    a->a.n = id;
    a->clause = (uint8_t)clause;
    a->n_clauses = (uint8_t)n;
}

static void conjunction_decode(uint8_t version UNUSED, struct rd *r, enum act_type type, struct buf *list,
                               unsigned depth UNUSED)
{
    uint8_t clause = rd_u8(r), n = rd_u8(r);
    uint32_t id = rd_u32(r);
    if (!r->err && (n < MIN_CLAUSES || n > MAX_CLAUSES || clause >= n))
        rd_fail(r, OFPERR_NXBAC_BAD_CONJUNCTION);
    put(list, type, id, clause, n);
}

static void conjunction_encode(const struct act *a, uint8_t version UNUSED, struct buf *out)
{
    const struct act_conjunction *c = (const struct act_conjunction *)a;
    buf_u8(out, c->clause);
    buf_u8(out, c->n_clauses);
    buf_u32(out, a->n);
}

static bool conjunction_parse(struct act_text *t, enum act_type type, const struct item *item, unsigned depth UNUSED)
{
    struct word v = item->value;
    const char *s = t->t.s + v.at, *comma = memchr(s, ',', v.len), *slash = memchr(s, '/', v.len);
    uint64_t id, k, n;
    if (item->delim != '(' || !comma || !slash || slash < comma)
        return text_fail(&t->t, item->all, "conjunction is written conjunction(ID,K/N): clause K of N");
    size_t at_k = (size_t)(comma - s) + 1, at_n = (size_t)(slash - s) + 1;
    struct word clause = text_trim(&t->t, (struct word){v.at + at_k, at_n - 1 - at_k});
    struct word clauses = text_trim(&t->t, (struct word){v.at + at_n, v.len - at_n});
    if (!text_number(&t->t, text_trim(&t->t, (struct word){v.at, at_k - 1}), "id", UINT32_MAX, &id) ||
        !text_number(&t->t, clause, "clause", MAX_CLAUSES, &k) || !text_number(&t->t, clauses, "number of clauses", MAX_CLAUSES, &n))
        return false;
    if (n < MIN_CLAUSES)
        return text_fail(&t->t, clauses, "a conjunction has at least two clauses");
    if (!k || k > n)
        return text_fail(&t->t, clause, "clauses are counted from 1 to %u", (unsigned)n);
    put(t->list, type, (uint32_t)id, k - 1, n);
    return true;
}

static void conjunction_format(const struct act *a, const struct port_names *names UNUSED, struct buf *out)
{
    const struct act_conjunction *c = (const struct act_conjunction *)a;
    buf_printf(out, "conjunction(%u,%u/%u)", a->n, c->clause + 1u, c->n_clauses);
}

const struct act_shape act_shape_conjunction = {conjunction_decode, conjunction_encode, conjunction_parse,
                                                conjunction_format, NULL};
