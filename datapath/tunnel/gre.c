#include "datapath/tunnel/gre.h"
#include "base/wire.h"
#include "packet/csum.h"

enum { GRE_MUST_BE_ZERO = GRE_ROUTING | 0x0800 | 0x0400 | GRE_VERSION };

enum gre_error gre_parse(const uint8_t *p, size_t n, struct gre *g)
{
    struct rd r = rd_init(p, n);
    *g = (struct gre){.flags = rd_u16(&r), .proto = rd_u16(&r)};
    if (r.err)
        return GRE_SHORT;
    if (g->flags & GRE_MUST_BE_ZERO)
        return GRE_UNSUPPORTED;
    if (g->flags & GRE_CSUM)
        rd_skip(&r, 4);
    if (g->flags & GRE_KEY)
        g->key = rd_be32(&r);
    if (g->flags & GRE_SEQ)
        g->seq = rd_be32(&r);
    g->len = (uint16_t)(r.p - p);
    return r.err ? GRE_SHORT : GRE_OK;
}

bool gre_checksum_ok(const uint8_t *p, size_t n) { return csum_add(p, n, 0) == 0xffff; }

size_t gre_write(uint8_t p[GRE_MAX_LEN], bool csum, bool has_key, uint32_t key)
{
    be16 first[2] = {htons((csum ? GRE_CSUM : 0) | (has_key ? GRE_KEY : 0)), htons(GRE_PROTO_TEB)};
    be32 be_key = htonl(key);
    size_t n = sizeof first;
    memcpy(p, first, n);
    if (csum) {
        memset(p + n, 0, 4);
        n += 4;
    }
    if (has_key) {
        memcpy(p + n, &be_key, 4);
        n += 4;
    }
    return n;
}
