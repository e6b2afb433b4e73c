/* Any bytes as a packet: parsed at every depth, changed, tagged, finished and cut.
 *
 * Input: 8 bytes of seed (what is done), then the frame. Beyond crashes it looks at what must hold: a shallower parse
 * is a prefix of a deeper one, offsets stay inside, a change that was taken is what a new parse sees, a change that was
 * refused has changed nothing, and segments are no longer than announced. */
#include <stdlib.h>
#include <string.h>
#include "packet/csum.h"
#include "packet/gso.h"
#include "packet/ip.h"
#include "packet/modify.h"
#include "packet/parse.h"
#include "packet/unfinished.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(X)        \
    do {               \
        if (!(X))      \
            abort();   \
    } while (0)

static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static void check_offsets(const struct packet *p)
{
    MUST(p->l25 == 0xffff || p->l25 + 4u <= p->len);
    MUST(p->l3 == 0xffff || p->l3 <= p->len);
    MUST(p->l4 == 0xffff || (p->l3 != 0xffff && p->l4 > p->l3 && p->l4 <= p->len));
}

static void finish_unfinished(const uint8_t *frame, size_t len)
{
    uint8_t *exact = malloc(len + !len);
    struct packet p;
    memcpy(exact, frame, len);
    packet_init(&p, exact, len, 0, len);
    packet_find_unfinished(&p);
    MUST(p.len == len && (p.csum != CSUM_PARTIAL || p.csum_start + p.csum_offset + 2u <= len));
    packet_finish_csum(&p);
    free(exact);
}

static size_t end_of(enum layer depth)
{
    static const size_t ends[] = {offsetof(struct flow_key, eth), offsetof(struct flow_key, ip),
                                  offsetof(struct flow_key, l4), sizeof(struct flow_key)};
    return ends[depth];
}

static void parse_all_depths(const uint8_t *frame, size_t len)
{
    uint8_t *exact = malloc(len + !len);
    struct flow_key whole, key;
    struct packet p;
    memcpy(exact, frame, len);
    packet_init(&p, exact, len, 0, len);
    key_parse(&p, 5, L_L4, &whole);
    check_offsets(&p);
    for (enum layer depth = L_META; depth < N_LAYERS; depth++) {
        static const struct flow_key zero;
        memset(&key, 0xaa, sizeof key);
        key_parse(&p, 5, depth, &key);
        check_offsets(&p);
        size_t end = end_of(depth);
        MUST(!memcmp(&key, &whole, end) && !memcmp((char *)&key + end, &zero, sizeof key - end));
    }
    free(exact);
}

static void set_one(struct packet *p, uint64_t *rng)
{
    enum field_id f = next(rng) % N_FIELDS;
    union field_value value, mask, ones, before, after;
    struct flow_key key;
    uint32_t len = p->len;
    uint8_t *copy = malloc(len + 1);
    memcpy(copy, p->data, len);
    field_all_ones(f, &ones);
    for (int i = 0; i < 2; i++) {
        value.w[i] = next(rng) & ones.w[i];
        mask.w[i] = (next(rng) & 1 ? next(rng) : UINT64_MAX) & ones.w[i];
    }
    key_parse(p, 5, L_L4, &key);
    field_get(f, &key, &before);
    bool tags = key.eth.tci2 || f == FIELD_VLAN_TCI || f == FIELD_VLAN_VID; /* more tags than the parser looks at */
    bool ok = packet_set_field(p, f, &value, &mask);
    check_offsets(p);
    if (!ok)
        MUST(p->len == len && !memcmp(copy, p->data, len));
    free(copy);
    if (!ok || tags || fields[f].access == SF)
        return;
    key_parse(p, 5, L_L4, &key);
    field_get(f, &key, &after);
    for (int i = 0; i < 2; i++)
        MUST(after.w[i] == ((before.w[i] & ~mask.w[i]) | (value.w[i] & mask.w[i])));
}

struct seen {
    uint32_t n, longest;
};

static void segment(struct packet *s, void *aux)
{
    struct seen *seen = aux;
    struct flow_key key;
    seen->n++;
    MUST(s->gso == GSO_NONE && s->csum != CSUM_PARTIAL);
    key_parse(s, 5, L_L4, &key);
    if (gso_max_l3_len(s) > seen->longest)
        seen->longest = gso_max_l3_len(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t rng;
    if (size < sizeof rng || size > 4096)
        return 0;
    memcpy(&rng, data, sizeof rng);
    data += sizeof rng;
    size -= sizeof rng;
    parse_all_depths(data, size);
    finish_unfinished(data, size);

    struct flow_key key;
    struct packet p;
    uint8_t *room = malloc(64 + size);
    memcpy(room + 64, data, size);
    packet_init(&p, room, 64 + size, 64, size);
    p.csum = next(&rng) % 3;
    p.csum_start = next(&rng) % (size + 4);
    p.csum_offset = next(&rng) % 20;
    key_parse(&p, 5, L_L4, &key);
    for (unsigned n = next(&rng) % 8; n; n--) {
        unsigned what = next(&rng) % 14;
        if (what == 0)
            packet_push_vlan(&p, htons(ETYPE_VLAN), htons(next(&rng)));
        else if (what == 1)
            packet_pop_vlan(&p);
        else if (what == 2)
            packet_push_mpls(&p, htons(ETYPE_MPLS), htonl(next(&rng)));
        else if (what == 3)
            packet_pop_mpls(&p, htons(next(&rng) & 1 ? ETYPE_IPV4 : ETYPE_MPLS));
        else if (what == 4)
            packet_push_pbb(&p, htonl(next(&rng)));
        else if (what == 5)
            packet_pop_pbb(&p);
        else if (what == 6)
            packet_copy_ttl_in(&p);
        else if (what == 7)
            packet_copy_ttl_out(&p);
        else
            set_one(&p, &rng);
        check_offsets(&p);
    }
    p.gso = next(&rng) % 4;
    p.gso_size = next(&rng) % 3000;
    struct seen seen = {0, 0};
    uint32_t longest = gso_max_l3_len(&p);
    if (gso_segment(&p, segment, &seen))
        MUST(seen.longest == longest);
    else
        MUST(seen.n == 1);
    packet_finish_csum(&p);
    free(room);
    return 0;
}
