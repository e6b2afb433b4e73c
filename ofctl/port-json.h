/* Ports in JSON, for show and dump-ports-desc. */
#ifndef OFCTL_PORT_JSON_H
#define OFCTL_PORT_JSON_H 1

#include "ofctl/ofctl.h"

void json_ports(struct json *, const char *key, const struct reply *port_descs, uint32_t only); /* OFPP_ANY: all */

#endif
