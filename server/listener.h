/* listener: a socket that is listened on, and the port it got. */
#pragma once

#include <microhttpd.h>

#include "lib/outcome.h"
#include "lib/problem.h"
#include "server/config.h"

/* The listening socket, non-blocking; -1 with a problem that names `setting` ("server.listen").
 * libmicrohttpd or the caller closes it. */
CHECKED int listener_open(const struct config_address *address, const char *setting,
                          struct problem *problem);

/* The port a daemon listens on (the configuration's 0 means any free one); 0 when not known. */
unsigned listener_port(struct MHD_Daemon *daemon);
