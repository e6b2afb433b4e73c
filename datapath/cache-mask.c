/* cache-mask.c: what a mask knows besides its bits. */
#include "config.h"
#include "datapath/cache-mask.h"

static enum layer layer_of_word(unsigned word)
{
    size_t at = word * 8;
    return at >= offsetof(struct flow_key, l4) ? L_L4 : at >= offsetof(struct flow_key, ip) ? L_IP : L_ETH;
}

static void raw_set(struct raw_mask *raw, size_t at, const void *bits, size_t n)
{
    uint8_t *b = (uint8_t *)raw->bits + at;
    for (size_t i = 0; i < n; i++)
        b[i] |= ((const uint8_t *)bits)[i];
}

static void make_raw(struct mask *m)
{
    enum { IP_AT = ETH_HEADER, L4_AT = IP_AT + IPV4_HEADER, PLAIN = 1, GRE = 2, BOTH = 3 };
#define PLACE(MEMBER, AT, IN) {offsetof(struct flow_key, MEMBER), sizeof(((struct flow_key *)0)->MEMBER), AT, IN}
    static const struct {
        size_t ofs, n, at;
        unsigned in;
    } places[] = {PLACE(eth.dst, 0, BOTH),
                  PLACE(eth.src, 6, BOTH),
                  PLACE(eth.type, 12, BOTH),
                  PLACE(ip.tos, IP_AT + 1, BOTH),
                  PLACE(ip.ttl, IP_AT + 8, BOTH),
                  PLACE(ip.proto, IP_AT + 9, BOTH),
                  PLACE(ip4.src, IP_AT + 12, BOTH),
                  PLACE(ip4.dst, IP_AT + 16, BOTH),
                  PLACE(l4.src, L4_AT, PLAIN),
                  PLACE(l4.dst, L4_AT + 2, PLAIN),
                  PLACE(l4.tcp_flags, L4_AT + 12, PLAIN),
                  PLACE(gre.flags, L4_AT, GRE),
                  PLACE(gre.proto, L4_AT + 2, GRE),
                  PLACE(gre.key, L4_AT + 4, GRE)};
#undef PLACE
    /* What tells key_parse_fast() which headers there are. */
    static const uint8_t word[2] = {0xff, 0xff}, ip[10] = {0xff, 0, 0xff, 0xff, 0, 0, 0x3f, 0xff, 0, 0xff};
    struct flow_key bits = m->bits;
    bits.l4.tcp_flags &= ~htons(HAS_L4); /* no bit of the packet's: which headers there are tells */
    memset(m->raw, 0, sizeof m->raw);
    for (unsigned i = 0; i < 2; i++) {
        for (size_t j = 0; j < ARRAY_SIZE(places); j++)
            if (places[j].in >> i & 1)
                raw_set(&m->raw[i], places[j].at, (const uint8_t *)&bits + places[j].ofs, places[j].n);
        raw_set(&m->raw[i], ETH_HEADER - 2, word, sizeof word);
        if (m->depth >= L_IP)
            raw_set(&m->raw[i], IP_AT, ip, sizeof ip);
    }
    if (m->depth >= L_IP)
        raw_set(&m->raw[1], L4_AT, word, sizeof word); /* GRE's flags */
    m->sees_tunnel = m->bits.meta.in_phy_port;
    for (unsigned i = 0; i < sizeof m->bits.tun / 8; i++)
        m->sees_tunnel |= key_words(&m->bits)[offsetof(struct flow_key, tun) / 8 + i] != 0;
}

bool mask_widen(struct mask *m, const struct flow_key *bits)
{
    uint64_t news = 0;
    for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
        news |= key_words_const(bits)[i] & ~key_words(&m->bits)[i];
    if (!news)
        return false;
    m->n = m->n_cleared = 0;
    m->depth = L_ETH;
    for (unsigned i = 0; i < FLOW_KEY_WORDS; i++) {
        uint64_t *word = &key_words(&m->bits)[i];
        *word |= key_words_const(bits)[i];
        if (*word) {
            m->words[m->n].word = i;
            m->words[m->n++].bits = *word;
            if (!(KEY_FAST_WORDS >> i & 1))
                m->cleared[m->n_cleared++] = i;
            m->depth = MAX(m->depth, layer_of_word(i));
        }
    }
    if (m->n % 2) {
        m->words[m->n].word = 0;
        m->words[m->n++].bits = 0;
    }
    make_raw(m);
    return true;
}

void mask_number(struct mask *m, uint32_t number)
{
    m->number = number;
    m->seed = hash_mix(hash_seed(), number);
}

void mask_start(struct mask *m, uint32_t serial, uint64_t generation, msec_t now)
{
    *m = (struct mask){.serial = serial, .generation = generation, .started = now};
    struct flow_key in_port = {0};
    in_port.meta.in_port = (be32)~0u;
    mask_widen(m, &in_port);
}
