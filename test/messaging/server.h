/* server: the listening socket and the event loop, which all else runs in. One thread. */
#pragma once

#include "test/messaging/options.h"
#include "test/messaging/service.h"
#include "test/messaging/tls.h"

struct server;

/* Listens. SIGTERM and SIGINT are blocked from then on and end server_run(). NULL after it said on
 * stderr what failed. The rest outlives it; `tls` is NULL for --plain. */
struct server *server_new(const struct options *options, struct timers *timers,
                          struct statistics *statistics, struct service *service, struct tls *tls);
void server_free(struct server *server);

/* Where it listens, as "127.0.0.1:8443". */
const char *server_address(const struct server *server);
void server_run(struct server *server);
