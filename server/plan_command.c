#include "server/plan_command.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "lib/limits.h"
#include "server/memory_budget.h"
#include "server/memory_plan.h"

const char plan_command_help[] =
    "Prints what the memory budget is spent on and how many calls fit, without running anything.\n"
    "With FILE, for that configuration; without, for one upstream over HTTP/1.1.\n\n"
    "  --memory SIZE   the budget, as 64Mi; else what `plateau run` would find\n"
    "  --calls N       calls in flight at one time; else as many as fit\n"
    "  --http1         as if every upstream spoke HTTP/1.1, a connection for each call\n"
    "  --http2         as if every upstream spoke HTTP/2\n"
    "  --json          for machines\n";

struct options {
    const char *file;
    uint64_t memory_bytes;
    uint32_t calls;
    bool http1, http2, json;
};

static int complain(const struct cli *cli, const char *what, const char *argument) {
    fprintf(cli->err, "plateau: plan: %s %.80s\n", what, argument);
    return CLI_USAGE;
}

/* One option with its value, if it takes one; returns how many arguments it took, 0 when it is
 * wrong. */
static int read_option(struct options *options, const char *argument, const char *value) {
    if (strcmp(argument, "--memory") == 0 && value) {
        options->memory_bytes = memory_budget_parse(value);
        return options->memory_bytes > 0 ? 2 : 0;
    }
    if (strcmp(argument, "--calls") == 0 && value) {
        unsigned long calls = strtoul(value, NULL, 10);
        options->calls = calls <= CALLS_MAX ? (uint32_t)calls : 0;
        return options->calls > 0 ? 2 : 0;
    }
    bool *flag = strcmp(argument, "--http1") == 0   ? &options->http1
                 : strcmp(argument, "--http2") == 0 ? &options->http2
                 : strcmp(argument, "--json") == 0  ? &options->json
                                                    : NULL;
    if (flag) {
        *flag = true;
        return 1;
    }
    if (argument[0] != '-' && !options->file) {
        options->file = argument;
        return 1;
    }
    return 0;
}

static struct memory_demand demand_of(const struct options *options, const struct config *config) {
    struct memory_demand demand = {
        .workers = 2,
        .upstreams_http1 = 1,
        .ca_file_bytes = 220 << 10, /* Debian's bundle */
        .request_bytes_max = REQUEST_BYTES_DEFAULT,
        .response_bytes_max = RESPONSE_BYTES_DEFAULT,
    };
    if (config) {
        demand = memory_plan_demand(config);
    }
    unsigned upstreams = config ? (unsigned)config->upstream_count : 1;
    if (options->http1 || options->http2) {
        demand.upstreams_http1 = options->http1 ? upstreams : 0;
        demand.upstreams_http2 = options->http2 ? upstreams : 0;
        demand.connections_given = 0;
    }
    if (options->calls > 0) {
        demand.calls = options->calls;
    }
    return demand;
}

static void print_size(FILE *out, uint64_t bytes) {
    if (bytes >= 10u << 20) {
        fprintf(out, "%8.1f MiB", (double)bytes / (1 << 20));
    } else {
        fprintf(out, "%8.1f KiB", (double)bytes / (1 << 10));
    }
}

static void print_line(FILE *out, const struct memory_line *line) {
    fprintf(out, "  %-17s %7llu x %9llu B ", line->name, (unsigned long long)line->count,
            (unsigned long long)line->bytes_each);
    print_size(out, line->count * line->bytes_each);
    fprintf(out, "   %s\n", line->what);
}

/* What half as much, twice and four times the budget would hold. */
static void print_others(FILE *out, struct memory_demand demand) {
    demand.calls = 0;
    fprintf(out, "\nCalls that fit in another budget:");
    for (unsigned half = 1; half <= 8; half *= 2) {
        struct memory_plan plan;
        struct problem problem = {0};
        struct memory_demand other = demand;
        other.budget_bytes = demand.budget_bytes * half / 2;
        bool made = half != 2 && memory_plan_make(&other, &plan, &problem);
        if (half != 2) {
            fprintf(out, "%s %llu MiB: %u", half == 1 ? "" : ",",
                    (unsigned long long)(other.budget_bytes >> 20), made ? plan.calls : 0);
        }
    }
    fprintf(out, "\n");
}

static void print_table(FILE *out, const struct memory_demand *demand,
                        const struct memory_plan *plan, const char *source) {
    fprintf(out, "%llu MiB (%s) hold %u calls in flight:\n\n",
            (unsigned long long)(plan->budget_bytes >> 20), source, plan->calls);
    for (int i = 0; i < MEMORY_LINES; i++) {
        if (plan->lines[i].count * plan->lines[i].bytes_each > 0) {
            print_line(out, &plan->lines[i]);
        }
    }
    fprintf(out,
            "\nThe largest call may take %.0f KiB of arena (2 x (limits.request + limits.response) "
            "+ 64 KiB).\n",
            (double)plan->call_bytes_max / 1024);
    print_others(out, *demand);
}

static void print_json(FILE *out, const struct memory_plan *plan, const char *source) {
    fprintf(
        out,
        "{\"budget_bytes\":%llu,\"source\":\"%s\",\"calls\":%u,\"clients\":%u,\"connections\":%u,"
        "\"call_bytes_max\":%llu,\"lines\":[",
        (unsigned long long)plan->budget_bytes, source, plan->calls, plan->clients,
        plan->connections, (unsigned long long)plan->call_bytes_max);
    for (int i = 0; i < MEMORY_LINES; i++) {
        const struct memory_line *line = &plan->lines[i];
        fprintf(out, "%s{\"name\":\"%s\",\"count\":%llu,\"bytes_each\":%llu,\"bytes\":%llu}",
                i ? "," : "", line->name, (unsigned long long)line->count,
                (unsigned long long)line->bytes_each,
                (unsigned long long)line->count * line->bytes_each);
    }
    fprintf(out, "]}\n");
}

static int print_plan(const struct cli *cli, const struct options *options,
                      const struct config *config) {
    struct memory_demand demand = demand_of(options, config);
    uint64_t configured = options->memory_bytes ? options->memory_bytes
                          : config              ? config->limits.memory_bytes
                                                : 0;
    struct memory_budget budget = memory_budget_find(configured, "");
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    demand.budget_bytes = budget.bytes;
    demand.descriptors_max = files.rlim_max > UINT32_MAX ? UINT32_MAX : (uint32_t)files.rlim_max;
    struct memory_plan plan;
    struct problem problem = {0};
    const char *source = options->memory_bytes ? "--memory" : budget.source;
    if (!memory_plan_make(&demand, &plan, &problem)) {
        fprintf(cli->err, "plateau: %s\n", problem.text);
        return CLI_FAILED;
    }
    if (options->json) {
        print_json(cli->out, &plan, source);
    } else {
        print_table(cli->out, &demand, &plan, source);
    }
    return CLI_OK;
}

int plan_command(const struct cli *cli, int argc, char *const *argv) {
    struct options options = {0};
    for (int i = 0; i < argc;) {
        int taken = read_option(&options, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
        if (taken == 0) {
            return complain(cli, "cannot take", argv[i]);
        }
        i += taken;
    }
    if (options.http1 && options.http2) {
        return complain(cli, "takes one of", "--http1 and --http2");
    }
    if (!options.file) {
        return print_plan(cli, &options, NULL);
    }
    struct config_error error;
    struct config *config = config_load(options.file, &error);
    if (!config) {
        fprintf(cli->err, "%s\n", error.text);
        return CLI_FAILED;
    }
    int status = print_plan(cli, &options, config);
    config_free(config);
    return status;
}
