/* oxm-text.h: OXM and NXM TLVs as people write them to try a codec: "NXM_OF_ETH_TYPE(0800), NXM_OF_IP_SRC_W(0a000000/ff000000)",
 * values in hexadecimal as on the wire, "<any>" for none. A header may be written as its eight digits, with experimenter's
 * id behind it if it has one. */
#ifndef OPENFLOW_OXM_TEXT_H
#define OPENFLOW_OXM_TEXT_H 1

#include "base/diag.h"
#include "openflow/ofp.h"

/* Appends TLVs. False: d says what is wrong, and where. What they mean is not judged. */
bool oxm_text_parse(const char *text, struct buf *tlvs, struct diag *d);
/* A TLV of an unknown field by its header's digits; stops where one is cut short. */
void oxm_text_format(const void *tlvs, size_t len, struct buf *out);

#endif
