/* Packet-outs in text, for packet-out and bundle. */
#ifndef OFCTL_PACKET_OUT_H
#define OFCTL_PACKET_OUT_H 1

#include "ofctl/batch.h"

extern const struct batch_kind packet_out_batch; /* "in_port=1 packet=0011… actions=…" */

#endif
