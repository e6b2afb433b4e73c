/* Tunnel packets from outside: whatever bytes arrive, wrap_pop() gives a frame or a named drop, and reads nothing
 * behind the packet. The first byte chooses the offloads that come with it. What is left must survive a tunnel, and
 * coalescing with its like. */
#include <stdlib.h>
#include "datapath/tunnel/gre.h"
#include "datapath/tunnel/tunnel.h"
#include "datapath/tunnel/wrap.h"
#include "packet/gro.h"
#include "packet/ip.h"
#include "packet/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(struct packet *p)
{
    struct egress e = {
        .mtu = 65535, .source = htonl(0x0a000001), .config = {.remote = htonl(0x0a000002), .csum = true}};
    struct dpact_push a = {0};
    uint32_t len = p->len;
    p->gso = GSO_NONE;
    plan_push(&a, &e, 7, 0, 64);
    if (wrap_push(p, &a))
        return; /* too long */
    if (wrap_pop(p, 1, 2) || p->len != len || p->tun.id != htobe64(7))
        abort();
}

/* Twice the same is no stream: nothing may be merged, changed, or read behind the end. */
static void coalesce(const struct packet *p)
{
    struct packet twins[2], *batch[2], *gone[2];
    for (int i = 0; i < 2; i++) {
        uint8_t *base = malloc(p->len);
        memcpy(base, p->data, p->len);
        twins[i] = *p;
        twins[i].base = twins[i].data = base;
        twins[i].size = p->len;
        batch[i] = &twins[i];
    }
    if (gro_merge(batch, 2, gone) != 2)
        abort();
    for (int i = 0; i < 2; i++) {
        if (batch[i] != &twins[i] || twins[i].len != p->len || memcmp(twins[i].data, p->data, p->len))
            abort();
        free(twins[i].base);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > PACKET_MAX)
        return 0;
    uint32_t len = (uint32_t)size - 1;
    uint8_t *base = malloc(PACKET_HEADROOM + len);
    struct packet p;
    struct flow_key key;
    memcpy(base + PACKET_HEADROOM, data + 1, len);
    packet_init(&p, base, PACKET_HEADROOM + len, PACKET_HEADROOM, len);
    if (data[0] & 1) {
        p.csum = CSUM_PARTIAL;
        p.csum_start = data[0] >> 1;
        p.csum_offset = 6;
    }
    if ((data[0] & 3) == 3)
        p.gso = GSO_TCPV4;
    enum drop_reason drop = wrap_pop(&p, 1, 2);
    if (drop >= N_DROPS ||
        (!drop && (p.len < ETH_HEADER || p.len > len || p.data + p.len > base + PACKET_HEADROOM + len)))
        abort();
    if (!drop) {
        key_parse(&p, 1, L_L4, &key);
        coalesce(&p);
        again(&p);
    }
    free(base);
    return 0;
}
