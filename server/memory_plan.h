/* memory_plan: what fits into the budget, worked out before the first request.
 *
 * One sum of lines, count x size each; the sizes were measured (docs/performance.md says how, and
 * what each holds). What the lines leave over is the reserve: it makes the arenas' pool larger, for
 * calls that need more than one block. So the plan always adds up to the budget. Pure: no I/O but
 * for the sizes the caller gives. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/outcome.h"
#include "lib/problem.h"

struct config;

/* libmicrohttpd's connection with its 4 KiB pool. */
#define CLIENT_BYTES 4800u

/* What is asked of the plan. */
struct memory_demand {
    uint64_t budget_bytes;
    uint32_t calls;           /* 0: as many as fit */
    uint32_t descriptors_max; /* RLIMIT_NOFILE */
    unsigned workers;         /* libmicrohttpd's threads */
    bool admin;               /* there is an admin listener */
    unsigned
        upstreams_http1; /* those that may speak HTTP/1.1 and set no bound on their connections */
    unsigned upstreams_http2;   /* those that speak HTTP/2 */
    uint32_t connections_given; /* the sum of the bounds that are set */
    uint64_t request_bytes_max;
    uint64_t response_bytes_max;
    uint64_t ca_file_bytes;       /* PEM, of all upstreams */
    uint64_t configuration_bytes; /* what the loaded file and its schemas take */
};

enum memory_line_name {
    MEMORY_PROGRAM,
    MEMORY_CONFIGURATION,
    MEMORY_THREADS,
    MEMORY_CA_CHAINS,
    MEMORY_ADMIN,
    MEMORY_SHARDS,
    MEMORY_HANDSHAKES,
    MEMORY_SPARE_CLIENTS,
    MEMORY_CLIENTS,
    MEMORY_CLIENT_SOCKETS,
    MEMORY_ARENAS,
    MEMORY_HANDLES,
    MEMORY_CONNECTIONS_HTTP1,
    MEMORY_CONNECTIONS_TLS,
    MEMORY_CONNECTION_SOCKETS,
    MEMORY_CONNECTIONS_HTTP2,
    MEMORY_RESERVE,
    MEMORY_LINES,
};

struct memory_line {
    const char *name; /* static */
    const char *what; /* what one of them is; static */
    uint64_t count;
    uint64_t bytes_each;
};

struct memory_plan {
    uint64_t budget_bytes;
    uint32_t calls;            /* in flight at one time */
    uint32_t clients;          /* connections of clients */
    uint32_t connections;      /* to upstreams over HTTP/1.1, together */
    uint32_t connections_each; /* to one upstream that sets no bound of its own */
    uint32_t arena_blocks;
    uint64_t call_bytes_max; /* the largest arena one call may have */
    uint64_t curl_bytes;     /* address space of libcurl's heap */
    uint64_t tls_bytes;      /* and of mbedTLS's */
    uint64_t client_bytes;   /* and of libmicrohttpd's */
    struct memory_line lines[MEMORY_LINES];
};

/* False with a problem that names the setting to change: not even one call fits, or the calls asked
 * for do not. *plan is untouched then. */
CHECKED bool memory_plan_make(const struct memory_demand *demand, struct memory_plan *plan,
                              struct problem *problem);

/* The demand of a configuration; budget and descriptors are the caller's to fill in. */
struct memory_demand memory_plan_demand(const struct config *config);

/* The least budget that holds `calls` calls of this demand. */
uint64_t memory_plan_least_bytes(const struct memory_demand *demand, uint32_t calls);
