/* version.h: OpenFlow versions by name, and sets of them: 1 << enum ofp_version. */
#ifndef OPENFLOW_VERSION_H
#define OPENFLOW_VERSION_H 1

#include "openflow/ofp.h"

#define OFP_VERSIONS_SPOKEN (1u << OFP10 | 1u << OFP13 | 1u << OFP14) /* whose codecs there are */

/* "OpenFlow13" or "OpenFlow1.3", in any case, of a version whether spoken or not; 0 if it is none. */
uint8_t ofp_version_parse(const char *name, size_t len);
/* "1.0, 1.3" for people; "OpenFlow10,OpenFlow13" for commands; "nothing" and "" for none. */
void ofp_versions_format(uint32_t versions, struct buf *out);
void ofp_versions_format_names(uint32_t versions, struct buf *out);
/* The highest, or 0. */
uint8_t ofp_version_highest(uint32_t versions);

#endif
