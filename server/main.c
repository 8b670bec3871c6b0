#include "server/cli.h"
#include "server/run.h"

int main(int argc, char **argv) {
    const struct cli cli = {.out = stdout, .err = stderr, .run = server_run};
    return cli_main(&cli, argc, argv);
}
