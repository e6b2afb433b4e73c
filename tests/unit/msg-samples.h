/* msg-samples.h: random messages of every type, for the tests of the codecs. */
#ifndef TESTS_MSG_SAMPLES_H
#define TESTS_MSG_SAMPLES_H 1

#include "openflow/group.h"
#include "openflow/meter.h"
#include "openflow/monitor.h"
#include "openflow/msg.h"

/* Appends a message of this type to `out`. Types whose bodies we do not make get the shortest body, zeros. */
void msg_sample(enum ofp_msg_type, uint64_t *rng, struct buf *out); /* in OpenFlow 1.3 */
void msg_sample_in(enum ofp_msg_type, uint8_t version, uint64_t *rng, struct buf *out); /* it has this message */

void random_bytes(uint64_t *rng, void *, size_t);
void random_text(uint64_t *rng, char *, size_t size); /* some letters and a NUL; the rest zeros */
void random_match(uint64_t *rng, struct match *);     /* fields without prerequisites, and some of IPv4 and TCP */
void random_actions(uint64_t *rng, struct buf *list);
void random_instructions(uint64_t *rng, uint8_t table, struct buf *list);

void random_meter(uint64_t *rng, struct ofp_meter *);

/* Random structs, as encoders can say them. */
void random_features(uint64_t *rng, struct ofp_features *);
void random_port_desc(uint64_t *rng, struct ofp_port_desc *);
void random_port_stats(uint64_t *rng, struct ofp_port_stats *);
void random_desc(uint64_t *rng, struct ofp_desc *);
void random_packet_in(uint64_t *rng, struct packet_in *, uint8_t data[64]);
void random_group(uint64_t *rng, struct group_desc *); /* one that a switch takes; group_desc_free() it */
void random_monitor(uint64_t *rng, uint8_t version, struct flow_monitor *);
void random_update(uint64_t *rng, uint8_t version, struct flow_update *, struct buf *acts);
void random_packet_out(uint64_t *rng, struct packet_out *, uint8_t data[64]);

#endif
