/* cache-mask.h: the bits that the walks of one bridge have consulted, and what they make of a packet: the words that the
 * flow cache (cache.c) hashes and compares.
 *
 * Packets of one flow follow each other, mostly: which bytes of a packet the bits come from is noted too, for those
 * packets that key_parse_fast() reads, so that one which looks like the packet before it is not parsed again.
 *
 * Thread: a worker's own. */
#ifndef DATAPATH_CACHE_MASK_H
#define DATAPATH_CACHE_MASK_H 1

#include "base/hash.h"
#include "datapath/private.h"
#include "packet/parse.h"

/* The bytes of a packet, of those that key_parse_fast() reads, that decide about what is under the mask: packets that
 * are the same there need not be parsed again. */
enum { RAW = 48 };
struct raw_mask {
    uint64_t bits[RAW / 8] __attribute__((aligned(16)));
};

enum { MASK_WORDS = ROUND_UP(FLOW_KEY_WORDS, 2) };
struct mask {
    uint32_t serial; /* of the bridge */
    uint32_t number;
    enum layer depth; /* to which packets are parsed */
    unsigned n, n_cleared; /* n is even: the last word may be one of no bits */
    uint64_t seed;
    uint64_t generation; /* when it was started */
    msec_t started;
    struct {
        uint64_t bits;
        unsigned word;
    } words[MASK_WORDS];
    uint8_t cleared[FLOW_KEY_WORDS]; /* of these, those that key_parse_fast() leaves alone */
    struct raw_mask raw[2];          /* 1: of GRE packets */
    bool sees_tunnel;                /* and what is no byte of the packet */
    struct flow_key bits;
};

/* Starts anew, with the port alone. */
void mask_start(struct mask *, uint32_t serial, uint64_t generation, msec_t now);
/* Has it become wider? Then it needs a new number. */
bool mask_widen(struct mask *, const struct flow_key *bits);
void mask_number(struct mask *, uint32_t number);

static inline void mask_pack(const struct mask *m, const struct flow_key *key, uint64_t *words)
{
    const uint64_t *k = key_words_const(key);
    for (unsigned i = 0, n = m->n; i < n; i += 2) {
        words[i] = k[m->words[i].word] & m->words[i].bits;
        words[i + 1] = k[m->words[i + 1].word] & m->words[i + 1].bits;
    }
}

/* Two words a multiplication (as wyhash), whose factors nobody knows who does not know the seed. */
static inline uint32_t mask_hash(const struct mask *m, const uint64_t *words)
{
    uint64_t seed = m->seed, h = seed;
    for (unsigned i = 0, n = m->n; i < n; i += 2) {
        __uint128_t product = (__uint128_t)(words[i] ^ seed) * (words[i + 1] ^ h);
        h ^= (uint64_t)product ^ (uint64_t)(product >> 64);
    }
    return hash_finish(h);
}

/* True: key_parse_fast() did it. */
static inline bool mask_parse(const struct mask *m, struct packet *p, uint32_t in_port, struct flow_key *key)
{
    if (unlikely(!key_parse_fast(p, in_port, m->depth, key))) {
        key_parse(p, in_port, m->depth, key);
        return false;
    }
    for (unsigned i = 0; i < m->n_cleared; i++)
        key_words(key)[m->cleared[i]] = 0;
    return true;
}

/* Does p look as `parsed`, which key_parse_fast() has read? Both have at least RAW bytes. Then it is parsed, too. */
static inline bool mask_looks_alike(const struct mask *m, const struct packet *parsed, struct packet *p)
{
    uint64_t differ = p->len ^ parsed->len, a, b;
    const uint64_t *bits = m->raw[parsed->data[ETH_HEADER + 9] == IPPROTO_GRE].bits;
#pragma GCC unroll 6
    for (unsigned i = 0; i < RAW / 8; i++) {
        memcpy(&a, p->data + 8 * (size_t)i, sizeof a);
        memcpy(&b, parsed->data + 8 * (size_t)i, sizeof b);
        differ |= (a ^ b) & bits[i];
    }
    if (unlikely(m->sees_tunnel)) {
        differ |= p->in_phy_port ^ parsed->in_phy_port;
        for (unsigned i = 0; i < sizeof p->tun / 8; i++) {
            memcpy(&a, (const uint8_t *)&p->tun + 8 * (size_t)i, sizeof a);
            memcpy(&b, (const uint8_t *)&parsed->tun + 8 * (size_t)i, sizeof b);
            differ |= a ^ b;
        }
    }
    if (differ)
        return false;
    p->l25 = parsed->l25;
    p->l3 = parsed->l3;
    p->l4 = parsed->l4;
    return true;
}

#endif
