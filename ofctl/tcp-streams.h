/* tcp-streams.h: the TCP connections in a capture, put together. */
#ifndef OFCTL_TCP_STREAMS_H
#define OFCTL_TCP_STREAMS_H 1

#include <pcap/pcap.h>
#include "ofctl/ofctl.h"

struct tcp_stream { /* one direction of a connection */
    char src[48], dst[48];
    uint16_t src_port, dst_port;
    int64_t sec, usec; /* when the last of its bytes was captured */
};

/* Reads a pcap file; of segments from or to one of the ports the bytes in order go to take(), which says how many of them
 * it has dealt with; what it leaves comes again with what follows. Dies if the file cannot be read. */
void tcp_streams_read(const char *file, const uint16_t *ports, size_t n_ports,
                      size_t (*take)(const struct tcp_stream *, const uint8_t *bytes, size_t n));
/* Every frame of an Ethernet capture. */
void pcap_each(const char *file, void (*each)(const struct pcap_pkthdr *, const uint8_t *frame, void *aux), void *aux);

#endif
