/* option.h: options of tunnel ports (option.def), from text to numbers. No state, any thread. */
#ifndef DATAPATH_TUNNEL_OPTION_H
#define DATAPATH_TUNNEL_OPTION_H 1

#include "base/diag.h"
#include "datapath/option.h"

struct tunnel_config {
    be32 remote;                    /* unicast */
    be32 local;                     /* 0: any on receive, the route's choice on send */
    bool in_key_flow, out_key_flow; /* then in_key, out_key are 0 */
    bool ttl_inherit, tos_inherit;
    bool df, csum, gso;
    uint8_t ttl, tos; /* if not inherited; tos without ECN bits */
    uint32_t in_key;  /* 0: packets with key 0 or without a key */
    uint32_t out_key; /* 0: no key field */
};

enum tunnel_option_id {
#define OPTION(id, ...) TUNOPT_##id,
#include "datapath/tunnel/option.def"
#undef OPTION
    N_TUNNEL_OPTIONS
};
extern const struct option_row tunnel_options[N_TUNNEL_OPTIONS]; /* those of gre */

/* Fills *c. On failure false: *bad_option is the index of the option at fault, or -1; d->at and d->len point into its
 * value (len 0: its name is at fault). */
bool tunnel_config_parse(const struct dp_port_config *, struct tunnel_config *c, int *bad_option, struct diag *d);

/* Appends "remote_ip=… local_ip=… in_key=…", what tells two ports apart. */
void tunnel_config_format_identity(const struct tunnel_config *, struct buf *out);
void tunnel_key_format(bool flow, uint32_t key, struct buf *out); /* "flow", "0xa", "0 (or none)" */

#endif
