/* plan_command: `plateau plan [FILE] [--memory SIZE] [--calls N] [--http1|--http2] [--json]`: the
 * memory plan, printed. */
#pragma once

#include "server/cli.h"

extern const char plan_command_help[];

/* The arguments behind the command's name. Returns the exit status. */
int plan_command(const struct cli *cli, int argc, char *const *argv);
