/* run: the `plateau run` command: from a checked configuration to the end of the process. */
#pragma once

#include "server/config.h"

/* Serves until SIGTERM or SIGINT, then lets the calls in flight finish. Returns the exit status: 0,
 * or 1 when it could not start (the log says why). */
int server_run(const struct config *config);
