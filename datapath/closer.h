/* closer.h: closing sockets and devices without waiting for it. Each close() waits for a grace period of the kernel's
 * RCU, 10 ms and more; a switch of hundreds of ports that stops, or a bridge that goes, would stand still for seconds.
 * Threads made for the purpose close them side by side, so that they share their grace periods, and go.
 *
 * Thread: main. */
#ifndef DATAPATH_CLOSER_H
#define DATAPATH_CLOSER_H 1

void close_later(int fd);   /* fd is the closer's from here on */
void closer_wait(void);     /* until all are closed */

#endif
