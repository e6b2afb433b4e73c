#include "openflow/version.h"
#include <stdio.h>
#include <strings.h>

uint8_t ofp_version_parse(const char *name, size_t len)
{
    for (uint8_t v = OFP10; v <= OFP15; v++) {
        char names[2][16];
        snprintf(names[0], sizeof names[0], "OpenFlow1%d", v - OFP10);
        snprintf(names[1], sizeof names[1], "OpenFlow1.%d", v - OFP10);
        for (int i = 0; i < 2; i++)
            if (strlen(names[i]) == len && !strncasecmp(names[i], name, len))
                return v;
    }
    return 0;
}

void ofp_versions_format(uint32_t versions, struct buf *out)
{
    const char *sep = "";
    versions &= ~1u;
    if (!versions)
        buf_puts(out, "nothing");
    for (; versions; versions &= versions - 1, sep = ", ") {
        int v = __builtin_ctz(versions);
        if (v <= OFP15)
            buf_printf(out, "%s1.%d", sep, v - OFP10);
        else
            buf_printf(out, "%s0x%02x", sep, (unsigned)v);
    }
}

void ofp_versions_format_names(uint32_t versions, struct buf *out)
{
    const char *sep = "";
    for (uint8_t v = OFP10; v <= OFP15; v++)
        if (versions >> v & 1) {
            buf_printf(out, "%sOpenFlow1%d", sep, v - OFP10);
            sep = ",";
        }
}

uint8_t ofp_version_highest(uint32_t versions) { return versions ? (uint8_t)(31 - __builtin_clz(versions)) : 0; }
