/* connection: one accepted socket, its TLS session and its protocol.
 *
 * A connection goes forward only: handshake, open, finishing (what is to be sent still is),
 * lingering (our FIN is out, the peer may read on), dead. A dead one keeps its memory until
 * connections_settle(), at the end of the turn, so nobody holds a stale pointer within a turn.
 * Owner: `struct connections`, which the event loop has one of. One thread. */
#pragma once

#include "test/messaging/limits.h"
#include "test/messaging/protocol.h"
#include "test/messaging/tls.h"

#include <sys/queue.h>

/* What the event loop calls when a descriptor is ready; epoll_event.data.ptr points to one. */
struct watcher {
    void (*ready)(struct watcher *watcher, uint32_t events);
};

struct connections {
    int epoll;
    const struct options *options;
    struct timers *timers;
    struct statistics *statistics;
    struct service *service;
    struct tls *tls; /* NULL: --plain */
    LIST_HEAD(, connection) all;
    LIST_HEAD(, connection) dead;      /* to be freed at the end of the turn */
    STAILQ_HEAD(, connection) touched; /* may have something to send */
    char received[RECEIVE_BYTES];      /* one recv() */
    char decrypted[16 * 1024];         /* one TLS record */
};

/* Takes the descriptor over. */
void connection_accept(struct connections *all, int descriptor);
/* End of a turn: sends what is ready, then frees what is dead. */
void connections_settle(struct connections *all);
/* Ends them all. */
void connections_free(struct connections *all);

/* For the protocols. */

/* Queues bytes for sending; nothing happens on a connection that is no longer open. */
void connection_write(struct connection *c, const void *bytes, size_t size);
/* How much more HTTP/2 should make before what it made is sent; 0 too when no longer open. */
size_t connection_room(const struct connection *c);
/* Has the protocol's produce() called at the end of the turn. */
void connection_touch(struct connection *c);
bool connection_is_open(const struct connection *c);
/* Stops or goes on receiving. */
void connection_pause(struct connection *c, bool pause);
/* Sends what is queued, then FIN. */
void connection_finish(struct connection *c);
/* RST, at once. */
void connection_reset(struct connection *c);
/* The endings that are the same in every protocol. False: it is the protocol's to do. */
bool connection_end(struct connection *c, enum ending ending);
/* Something was asked or answered: the idle time begins anew. */
void connection_busy(struct connection *c);
