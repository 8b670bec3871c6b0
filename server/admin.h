/* admin: the operators' listener, apart from the calls': health, metrics, the ledger.
 *
 * A libmicrohttpd daemon of its own, with one thread and arenas of its own, so that it answers when
 * every slot is taken, and so that nothing on it can slow a call. GET and HEAD only. */
#pragma once

#include "lib/problem.h"
#include "server/server.h"

/* Starts it where server.admin is set, else does nothing. False with a problem. */
CHECKED bool admin_start(struct server *server, struct problem *problem);

/* Closes it; does nothing where it was not started. */
void admin_stop(struct server *server);
