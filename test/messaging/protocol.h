/* protocol: what a connection needs of HTTP/1.1 and HTTP/2, as five functions.
 * `state` is what open() returned; the connection owns it and calls free() once, last. */
#pragma once

#include "test/messaging/service.h"

struct connection;

struct protocol {
    void *(*open)(struct connection *connection, struct service *service,
                  const struct options *options);
    /* Received bytes, decrypted. It may reset or finish the connection. */
    void (*input)(void *state, const void *bytes, size_t size);
    /* Called before each send: connection_write() what is ready, up to connection_room(). */
    void (*produce)(void *state);
    /* Nothing happened for long: finishes the connection, unless a request is under way. */
    void (*leave)(void *state);
    /* The connection is gone: abandons what is under way. */
    void (*free)(void *state);
};

extern const struct protocol protocol_http1;
extern const struct protocol protocol_http2;
