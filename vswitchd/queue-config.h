/* queue-config.h: rates and queues as people write them: "10M", "1.5Gbit/s", "min-rate=1M max-rate=10M priority=2".
 *
 * A queue is a value of a port's column `queues`, its number the key. */
#ifndef VSWITCHD_QUEUE_CONFIG_H
#define VSWITCHD_QUEUE_CONFIG_H 1

#include "datapath/dp.h"
#include "vswitchd/config.h"

/* Bits a second: a number with k, M, G or T (1000, …), "bit", "bit/s" or "bps" behind it. */
bool parse_rate(const char *text, uint64_t *bits_per_sec, struct diag *d);
/* Bytes: a number with k, M or G (1000, …), or Ki, Mi, Gi (1024, …), and perhaps "B". */
bool parse_bytes(const char *text, uint64_t *bytes, struct diag *d);
void format_rate(uint64_t bits_per_sec, struct buf *out); /* the shortest that parses to the same */

/* Words of a queue; what they do not say stays as it is in q. */
bool parse_queue(const char *words, struct dp_queue_config *q, struct diag *d);
void format_queue(const struct dp_queue_config *, struct buf *out);
bool parse_queue_id(const char *text, uint32_t *id, struct diag *d);

/* Of a port's record. The array is of DP_MAX_QUEUES. False: what is wrong with all of it together. */
bool shape_of(const struct record *port, struct dp_shape_config *, struct dp_queue_config queues[DP_MAX_QUEUES], struct diag *d);
bool same_shape(const struct record *a, const struct record *b);

#endif
