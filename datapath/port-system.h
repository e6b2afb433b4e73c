/* port-system.h: what the two ways to use an interface of the host as a switch port have in common: AF_PACKET
 * (port-afpacket.c, the default) and AF_XDP (port-xdp.c, option io=xdp). */
#ifndef DATAPATH_PORT_SYSTEM_H
#define DATAPATH_PORT_SYSTEM_H 1

#include "datapath/port.h"

enum { N_SYSTEM_OPTIONS = 1 };
extern const struct option_row system_options[N_SYSTEM_OPTIONS];

/* For the rows of both classes. variant: the one of them that a configuration asks for. */
const struct port_class *system_variant(const struct dp_port_config *);

bool system_reconfigure(struct dp_port *, const struct dp_port_config *, struct diag *);

extern const struct port_class port_xdp_class; /* if built with libxdp */

#endif
