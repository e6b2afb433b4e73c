/* port-system.c: options of system ports. */
#include "config.h"
#include "datapath/port-system.h"

static bool check_io(const char *value, struct diag *d)
{
    if (!strcmp(value, "packet"))
        return true;
    if (strcmp(value, "xdp"))
        return diag_fail(d, 0, strlen(value), "'%s' is neither 'packet' nor 'xdp'", value);
#ifdef HAVE_LIBXDP
    return true;
#else
    return diag_fail(d, 0, strlen(value),
                     "this xvs was built without AF_XDP; install libxdp-dev, run configure again, and build");
#endif
}

const struct option_row system_options[N_SYSTEM_OPTIONS] = {
#define OPTION(type, ...) ROW_##type(__VA_ARGS__)
#define ROW_SYSTEM(name, fallback, check, doc) {name, fallback, check, doc},
#define ROW_PCAP(...)
#include "datapath/port-option.def"
#undef OPTION
#undef ROW_SYSTEM
#undef ROW_PCAP
};

const struct port_class *system_variant(const struct dp_port_config *config)
{
#ifdef HAVE_LIBXDP
    if (!strcmp(option_get(system_options, N_SYSTEM_OPTIONS, config, "io"), "xdp"))
        return &port_xdp_class;
#endif
    (void)config;
    return &port_system_class;
}

/* The variant is the same, and there is nothing else to set. */
bool system_reconfigure(struct dp_port *port, const struct dp_port_config *config, struct diag *d)
{
    (void)port, (void)config, (void)d;
    return true;
}
