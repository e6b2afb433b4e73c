/* stream.h: byte streams over libuv: TCP and Unix sockets, active and passive.
 *
 * Targets: tcp:HOST[:PORT], unix:FILE to connect; ptcp:[PORT][:HOST], punix:FILE to listen. IPv6 addresses stand in
 * brackets. PORT is 6653 unless given.
 *
 * A stream's memory lives until libuv's close callback has run; the user lets go of it with stream_close(), after
 * which no callback comes any more. Thread: main. */
#ifndef VSWITCHD_STREAM_H
#define VSWITCHD_STREAM_H 1

#include <uv.h>
#include "base/diag.h"

struct stream;
struct listener;

struct stream_callbacks {
    void (*opened)(void *aux);                               /* connected (not for accepted ones) */
    void (*data)(void *aux, const void *data, size_t len);
    void (*closed)(void *aux, const char *why);              /* by the peer or an error: now call stream_close() */
};

/* NULL and why in d if the target makes no sense. Failure to connect comes by closed(). */
struct stream *stream_connect(uv_loop_t *, const char *target, const struct stream_callbacks *, void *aux, struct diag *d);
void stream_start(struct stream *, const struct stream_callbacks *, void *aux); /* an accepted one */
void stream_send(struct stream *, const void *data, size_t len);                /* copies it; goes with the round's end */
void streams_flush(void);                                                       /* the round's end */
size_t stream_backlog(const struct stream *);
void stream_finish(struct stream *); /* close after what is queued has gone out; no more callbacks */
void stream_close(struct stream *);  /* at once */

/* accepted() owns the stream: it calls stream_start() or stream_close(). */
struct listener *listener_open(uv_loop_t *, const char *target, void (*accepted)(void *aux, struct stream *), void *aux,
                               struct diag *d);
void listener_close(struct listener *); /* also removes a Unix socket's file */

#endif
