/* queue.h: what a port with queues sends waits here until its rate lets it go (queue.c). Seen by this folder only.
 *
 * The port's owner alone has the queues; other workers hand it their packets over a ring each. */
#ifndef DATAPATH_QUEUE_H
#define DATAPATH_QUEUE_H 1

#include "datapath/worker.h"

struct shaper;

/* Any worker: takes a packet that is as the device shall get it. */
void shaper_enqueue(struct worker *, struct dp_port *, struct shaper *, uint32_t queue, struct packet *);
void shapers_run(struct worker *);       /* the owner, once an iteration: sends what is due */
int64_t shapers_wait(struct worker *);   /* the owner: ns until something will be; INT64_MAX: nothing waits */
void shaper_remove(struct dp_port *);    /* main, before the port goes: what waits is dropped */

#endif
