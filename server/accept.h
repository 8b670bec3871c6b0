/* accept: the listener. libmicrohttpd's epoll pool, one thread a core, brings requests to the
 * steps. */
#pragma once

#include "lib/problem.h"
#include "server/server.h"

/* Starts listening; server->daemon is set. False with a problem: the address is in use, say. */
CHECKED bool accept_start(struct server *server, struct problem *problem);

/* No new connection is taken from here on; those there are go on. */
void accept_quiesce(struct server *server);

/* Closes all; no call may be in flight. NULL daemon allowed. */
void accept_stop(struct server *server);
