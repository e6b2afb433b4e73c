/* compat.h: flows parsed as leniently as Open vSwitch does, if --ovs-compat says so. */
#ifndef OFCTL_COMPAT_H
#define OFCTL_COMPAT_H 1

#include "ofctl/ofctl.h"

/* flow_mod_parse(); what was changed for it is a warning in d. */
bool compat_flow_parse(const char *text, enum ofp_flow_mod_command, const struct port_names *, struct flow_mod *, struct diag *);

#endif
