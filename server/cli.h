/* cli: the command line. It reads arguments and configurations, prints for people, and leaves the
 * serving to `run`.
 *
 *     plateau run FILE      plateau check FILE      plateau --version      plateau --help
 *
 * Keep out: anything that listens or sends. */
#pragma once

#include <stdio.h>

#include "server/config.h"

enum cli_status {
    CLI_OK = 0,
    CLI_FAILED = 1, /* the configuration was refused, or `run` failed */
    CLI_USAGE = 2,  /* the command line was wrong */
};

struct cli {
    FILE *out; /* what was asked for */
    FILE *err; /* what went wrong */
    /* Serves until it is told to end; returns the exit status. The configuration is the caller's.
     */
    int (*run)(const struct config *config);
};

/* Does what the arguments say; returns the exit status of the process. */
int cli_main(const struct cli *cli, int argc, char *const *argv);
