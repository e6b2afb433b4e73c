/* pktbuf.h: packets that wait for a controller's word, by buffer_id. Bounded by number, bytes and time. Main thread. */
#ifndef OFPROTO_PKTBUF_H
#define OFPROTO_PKTBUF_H 1

#include "ofproto/bridge.h"

enum { N_PKTBUFS = 256 };

struct pktbuf {
    uint8_t *data;
    size_t len;
    uint32_t in_port;
    struct packet meta; /* where it came in: its tunnel, in_phy_port, port; not its bytes */
};

uint32_t pktbuf_put(struct ofproto *, const struct packet *, uint32_t in_port); /* OFP_NO_BUFFER: no room */
enum ofp_error pktbuf_check(const struct ofproto *, uint32_t id);
const struct pktbuf *pktbuf_get(const struct ofproto *, uint32_t id); /* NULL: pktbuf_check() says why */
void pktbuf_drop(struct ofproto *, uint32_t id);
void pktbufs_destroy(struct ofproto *);

#endif
