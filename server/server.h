/* server: what all calls share.
 *
 * Made by server_run(), read by every worker; only the counters change, atomically. */
#pragma once

#include <microhttpd.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "lib/block_pool.h"
#include "lib/upstream.h"
#include "server/catalog.h"
#include "server/config.h"
#include "server/memory_plan.h"

struct server {
    const struct config *config;
    struct memory_plan plan; /* how many of everything */
    struct block_pool *pool;
    struct upstream *upstream;
    const struct upstream_target **targets; /* by the index of config->upstreams */
    struct catalog *catalog;
    struct MHD_Daemon *daemon;
    struct MHD_Response *busy; /* the 503 that needs no memory */
    struct MHD_Daemon *admin;  /* the operators' listener, with a pool of its own; NULL: off */
    struct block_pool *admin_pool;
    bool loopback_only;  /* the listener's address is a loopback one: Host must be too */
    char key_prefix[17]; /* of idempotency keys: random, this process's own */
    atomic_uint calls_in_flight;
    _Atomic uint64_t calls_started;
    _Atomic uint64_t calls_refused; /* no slot, or no arena */
    atomic_uint clients;            /* connections of clients now, and most ever at one time */
    atomic_uint clients_high;
    atomic_bool draining;
    atomic_bool closed; /* no call is sent any more */
};
