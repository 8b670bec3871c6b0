#include "server/run.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "server/accept.h"
#include "server/admin.h"
#include "server/authority.h"
#include "server/client_memory.h"
#include "server/listener.h"
#include "server/memory_budget.h"
#include "server/memory_ledger.h"
#include "server/server.h"
#include "server/wake.h"

/* Two descriptors a call, and some; so the soft limit (often 1024) goes up to the hard one. */
static uint32_t raise_descriptor_limit(void) {
    struct rlimit files = {0};
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        rlim_t before = files.rlim_cur;
        files.rlim_cur = files.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &files) != 0) {
            files.rlim_cur = before;
        }
    }
    return files.rlim_cur > UINT32_MAX ? UINT32_MAX : (uint32_t)files.rlim_cur;
}

static enum upstream_http http_of(enum config_http http) {
    return http == CONFIG_HTTP_1   ? UPSTREAM_HTTP_1
           : http == CONFIG_HTTP_2 ? UPSTREAM_HTTP_2
                                   : UPSTREAM_HTTP_AUTO;
}

static bool add_targets(struct server *server, struct arena *arena, struct problem *problem) {
    const struct config *config = server->config;
    server->targets = arena_alloc(arena, config->upstream_count * sizeof *server->targets);
    for (size_t i = 0; server->targets && i < config->upstream_count; i++) {
        const struct config_upstream *upstream = &config->upstreams[i];
        const struct upstream_target_options options = {
            .name = upstream->name,
            .ca_file = upstream->ca_file,
            .http = http_of(upstream->http),
            .tls = upstream->tls,
            .private_addresses = upstream->private_addresses,
            .connections_max = upstream->connections_max ? upstream->connections_max
                                                         : server->plan.connections_each,
        };
        server->targets[i] = upstream_target_add(server->upstream, &options, problem);
        if (!server->targets[i]) {
            return false;
        }
    }
    return server->targets || config->upstream_count == 0;
}

static void make_key_prefix(struct server *server) {
    uint64_t random;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random) {
        random = clock_us(); /* cannot happen on Linux for so few bytes; still no reason to stop */
    }
    snprintf(server->key_prefix, sizeof server->key_prefix, "%016llx", (unsigned long long)random);
}

/* Works out what fits, before anything of it is reserved. */
static bool make_plan(struct server *server, struct problem *problem) {
    const struct config *config = server->config;
    struct memory_demand demand = memory_plan_demand(config);
    struct memory_budget budget = memory_budget_find(config->limits.memory_bytes, "");
    demand.budget_bytes = budget.bytes;
    demand.descriptors_max = raise_descriptor_limit();
    if (!memory_plan_make(&demand, &server->plan, problem)) {
        return false;
    }
    const struct memory_line *reserve = &server->plan.lines[MEMORY_RESERVE];
    log_event(LOG_LEVEL_INFO, "plan",
              "memory_mib=%llu source=\"%s\" calls=%u clients=%u connections=%u reserve_kib=%llu",
              (unsigned long long)(budget.bytes >> 20), budget.source, server->plan.calls,
              server->plan.clients, server->plan.connections,
              (unsigned long long)(reserve->count * reserve->bytes_each >> 10));
    return true;
}

static bool start(struct server *server, struct arena *arena, struct problem *problem) {
    const struct config *config = server->config;
    if (!make_plan(server, problem)) {
        return false;
    }
    server->loopback_only = authority_is_loopback_address(&config->server.listen.socket);
    make_key_prefix(server);
    server->catalog = catalog_new(arena, config);
    server->pool = block_pool_new(server->plan.arena_blocks, BLOCK_BYTES);
    if (!server->catalog || !server->pool) {
        problem_set(problem, "limits.memory: %llu MiB could not be reserved",
                    (unsigned long long)(server->plan.budget_bytes >> 20));
        return false;
    }
    const struct upstream_limits limits = {server->plan.calls, server->plan.curl_bytes,
                                           server->plan.tls_bytes};
    server->upstream = upstream_new(&limits, problem);
    if (server->upstream) {
        upstream_on_batch(server->upstream, (struct upstream_batch){wake_hold, wake_release});
    }
    if (!client_memory_setup(server->plan.client_bytes)) {
        problem_set(problem, "libmicrohttpd could not be given its memory");
        return false;
    }
    return server->upstream && add_targets(server, arena, problem) &&
           upstream_start(server->upstream, problem) && admin_start(server, problem) &&
           accept_start(server, problem);
}

static void sleep_ms(long duration_ms) {
    struct timespec pause = {duration_ms / 1000, duration_ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

/* True when no call is left before the time is up. */
static bool wait_until_idle(struct server *server, uint64_t time_ms) {
    uint64_t end_ms = clock_ms() + time_ms;
    while (atomic_load(&server->calls_in_flight) > 0 && clock_ms() < end_ms) {
        sleep_ms(5);
    }
    return atomic_load(&server->calls_in_flight) == 0;
}

/* Calls in flight finish; those that do not in time are answered with what is known of them. */
static void drain(struct server *server) {
    atomic_store(&server->draining, true);
    accept_quiesce(server);
    log_event(LOG_LEVEL_INFO, "draining", "calls_in_flight=%u",
              atomic_load(&server->calls_in_flight));
    (void)wait_until_idle(server, DRAIN_MS);
}

static void stop(struct server *server) {
    /* The upstream thread outlives the workers: until they are joined, one may still submit. And no
     * connection is suspended when libmicrohttpd stops, which it does not allow. */
    atomic_store(&server->closed, true);
    upstream_stop(server->upstream);
    if (server->daemon) {
        (void)wait_until_idle(server, 1000);
    }
    accept_stop(server);
    admin_stop(server);
    upstream_free(server->upstream);
    block_pool_free(server->pool);
}

static void wait_for_signal(void) {
    sigset_t signals;
    int signal_number = 0;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    while (sigwait(&signals, &signal_number) != 0) {
    }
}

/* Before any thread starts: they inherit the mask, and the main thread waits for the signals. */
static void block_signals(void) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* "127.0.0.1:8080": the address as written, with the port that was really taken. */
static const char *where(char *buffer, size_t size, const struct config_address *address,
                         struct MHD_Daemon *daemon) {
    int host = address->text ? (int)(strrchr(address->text, ':') - address->text) : 0;
    if (daemon) {
        snprintf(buffer, size, "%.*s:%u", host, address->text, listener_port(daemon));
    }
    return daemon ? buffer : "off";
}

static void log_ready(const struct server *server, uint64_t started_ms) {
    const struct config *config = server->config;
    char listen[64], admin[64];
    log_event(LOG_LEVEL_INFO, "ready",
              "listening=%s path=%s admin=%s tools=%zu calls_max=%u startup_ms=%llu",
              where(listen, sizeof listen, &config->server.listen, server->daemon),
              config->server.path, where(admin, sizeof admin, &config->server.admin, server->admin),
              config->tool_count, server->plan.calls,
              (unsigned long long)(clock_ms() - started_ms));
}

int server_run(const struct config *config) {
    uint64_t started_ms = clock_ms();
    struct server server = {.config = config};
    struct problem problem = {0};
    struct arena *arena = arena_new_on_heap(TOOL_LIST_BYTES_MAX);
    block_signals();
    memory_ledger_prepare();
    bool started = arena && start(&server, arena, &problem);
    if (started) {
        log_ready(&server, started_ms);
        wait_for_signal();
        drain(&server);
    } else {
        char text[2 * PROBLEM_TEXT_BYTES];
        log_event(LOG_LEVEL_ERROR, "not_started", "file=%s problem=%s", config->file,
                  log_quoted(text, sizeof text, problem.text));
    }
    stop(&server);
    if (started) {
        log_event(LOG_LEVEL_INFO, "stopped", "log_lines_lost=%llu", (unsigned long long)log_lost());
    }
    arena_free(arena);
    return started ? 0 : 1;
}
