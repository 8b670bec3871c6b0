/* bench_loader: a closed-loop load generator for plateau and for what it is measured against. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "test/bench/load/client.h"

static bool raise_descriptors(unsigned wanted) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit))
        return false;
    if (limit.rlim_cur >= wanted)
        return true;
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= wanted;
}

int main(int argc, char **argv) {
    static struct load_options options;
    static struct tally tally;
    if (!options_parse(&options, argc, argv))
        return 2;
    if (!raise_descriptors(options.connections + 16)) {
        fputs("bench_loader: too few file descriptors; raise ulimit -n.\n", stderr);
        return 2;
    }
    if (!client_run(&options, &tally))
        return 2;
    tally_print(&tally, options.json);
    return tally.errors ? 1 : 0;
}
