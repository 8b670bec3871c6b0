#include "server/memory_plan.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/limits.h"
#include "lib/upstream.h"
#include "server/config.h"

/* Sizes in bytes, resident, kernel memory included where a container is charged with it. Measured
 * on Linux 6.18 with libcurl 8.14, mbedTLS 3.6.7 and libmicrohttpd 1.0.10 by the slope of memory
 * over 100 to 1500 calls, in a memory cgroup
 * (./dev bench --cgroup), rounded up; `plateau plan` against such a run is a test. */
#define PROGRAM_BYTES                                                                              \
    (1536u << 10) /* data, libc's own heap, page tables; code is shared and can be dropped */
#define THREAD_BYTES (96u << 10)     /* the touched part of a stack, and libc's arena for it */
#define SYSTEM_CA_BYTES (220u << 10) /* of the bundle's file, when it cannot be asked */
#define ADMIN_BYTES                                                                                \
    (THREAD_BYTES + ADMIN_CONNECTIONS_MAX * (CLIENT_BYTES + CLIENT_SOCKET_BYTES + (8u << 10)))
#define SHARD_BYTES (10u << 10)     /* a multi handle with its receive buffer */
#define HANDSHAKE_BYTES (12u << 10) /* beyond a connection at rest */
#define CLIENT_SOCKET_BYTES 1792u   /* kernel: file, inode, socket */
#define HANDLE_BYTES 8960u          /* libcurl's handle, its upload buffer, one request's strings */
#define CONNECTION_HTTP1_BYTES 6656u /* libcurl's connection and its filters */
#define CONNECTION_TLS_BYTES                                                                       \
    12096u /* mbedTLS's context, output buffer, and the first page of its input buffer */
#define CONNECTION_SOCKET_BYTES 4000u /* kernel */
#define CONNECTION_HTTP2_BYTES                                                                     \
    (56u << 10) /* all of it: nghttp2's session, TLS, buffers, socket                              \
                 */

static const struct memory_line line_names[MEMORY_LINES] = {
    [MEMORY_PROGRAM] = {"program", "data, libc, page tables", 0, 0},
    [MEMORY_CONFIGURATION] = {"configuration", "tools, schemas, prepared answers", 0, 0},
    [MEMORY_THREADS] = {"threads", "stack of a worker or of the upstream thread", 0, 0},
    [MEMORY_CA_CHAINS] = {"CA chains", "certificates, parsed once", 0, 0},
    [MEMORY_ADMIN] = {"admin", "listener for operators: its thread, connections and arenas", 0, 0},
    [MEMORY_SHARDS] = {"shards", "libcurl multi handle", 0, 0},
    [MEMORY_HANDSHAKES] = {"handshakes", "TLS handshake under way", 0, 0},
    [MEMORY_SPARE_CLIENTS] = {"spare clients", "client connection without a call, with its socket",
                              0, 0},
    [MEMORY_CLIENTS] = {"clients", "client connection", 0, 0},
    [MEMORY_CLIENT_SOCKETS] = {"client sockets", "kernel memory of a client's socket", 0, 0},
    [MEMORY_ARENAS] = {"arenas", "first block of a call's arena", 0, 0},
    [MEMORY_HANDLES] = {"handles", "libcurl easy handle of a call", 0, 0},
    [MEMORY_CONNECTIONS_HTTP1] = {"connections", "libcurl's part of an HTTP/1.1 connection", 0, 0},
    [MEMORY_CONNECTIONS_TLS] = {"TLS", "mbedTLS's part of an HTTP/1.1 connection", 0, 0},
    [MEMORY_CONNECTION_SOCKETS] = {"upstream sockets", "kernel memory of an upstream socket", 0, 0},
    [MEMORY_CONNECTIONS_HTTP2] = {"HTTP/2", "connection of up to 64 streams, whole", 0, 0},
    [MEMORY_RESERVE] = {"reserve", "arena blocks for calls that need more than one", 0, 0},
};

static uint64_t shards_for(uint64_t count, uint64_t each) {
    uint64_t shards = (count + each - 1) / each;
    return shards > UPSTREAM_SHARDS_MAX ? UPSTREAM_SHARDS_MAX : shards;
}

/* Connections over HTTP/1.1 at most: an upstream without a bound of its own shares the calls with
 * the others. */
static uint64_t connections_for(const struct memory_demand *demand, uint64_t calls) {
    return demand->connections_given + (demand->upstreams_http1 > 0 ? calls : 0);
}

static void set_line(struct memory_plan *plan, enum memory_line_name name, uint64_t count,
                     uint64_t bytes_each) {
    plan->lines[name] = line_names[name];
    plan->lines[name].count = count;
    plan->lines[name].bytes_each = bytes_each;
}

/* The sum, all but the reserve. */
static uint64_t add_up(const struct memory_demand *demand, uint64_t calls,
                       struct memory_plan *plan) {
    uint64_t connections = connections_for(demand, calls);
    uint64_t http2 = demand->upstreams_http2 * shards_for(calls, UPSTREAM_STREAMS_PER_SHARD);
    uint64_t shards = http2 + shards_for(connections, UPSTREAM_CONNECTIONS_PER_SHARD);
    set_line(plan, MEMORY_PROGRAM, 1, PROGRAM_BYTES);
    set_line(plan, MEMORY_CONFIGURATION, 1, demand->configuration_bytes);
    set_line(plan, MEMORY_THREADS, demand->workers + 2u, THREAD_BYTES);
    set_line(plan, MEMORY_CA_CHAINS, 1,
             demand->ca_file_bytes * 5 / 2); /* DER and its parsed form */
    set_line(plan, MEMORY_ADMIN, demand->admin, ADMIN_BYTES);
    set_line(plan, MEMORY_SHARDS, shards, SHARD_BYTES);
    set_line(plan, MEMORY_HANDSHAKES, connections ? UPSTREAM_HANDSHAKES_MAX : http2,
             HANDSHAKE_BYTES);
    set_line(plan, MEMORY_SPARE_CLIENTS, CONNECTIONS_SPARE, CLIENT_BYTES + CLIENT_SOCKET_BYTES);
    set_line(plan, MEMORY_CLIENTS, calls, CLIENT_BYTES);
    set_line(plan, MEMORY_CLIENT_SOCKETS, calls, CLIENT_SOCKET_BYTES);
    set_line(plan, MEMORY_ARENAS, calls, BLOCK_BYTES);
    set_line(plan, MEMORY_HANDLES, calls, HANDLE_BYTES);
    set_line(plan, MEMORY_CONNECTIONS_HTTP1, connections, CONNECTION_HTTP1_BYTES);
    set_line(plan, MEMORY_CONNECTIONS_TLS, connections, CONNECTION_TLS_BYTES);
    set_line(plan, MEMORY_CONNECTION_SOCKETS, connections, CONNECTION_SOCKET_BYTES);
    set_line(plan, MEMORY_CONNECTIONS_HTTP2, http2, CONNECTION_HTTP2_BYTES);
    uint64_t bytes = 0;
    for (int i = 0; i < MEMORY_RESERVE; i++) {
        bytes += plan->lines[i].count * plan->lines[i].bytes_each;
    }
    return bytes;
}

/* The largest call's arena: body and answer, the texts made of them, and a frame. The reserve holds
 * one at least. */
static uint64_t largest_call(const struct memory_demand *demand) {
    return 2 * (demand->request_bytes_max + demand->response_bytes_max) + CALL_OVERHEAD_BYTES;
}

uint64_t memory_plan_least_bytes(const struct memory_demand *demand, uint32_t calls) {
    struct memory_plan plan;
    return add_up(demand, calls, &plan) + largest_call(demand);
}

/* Sockets of clients and of upstreams, and what the process itself has open. */
static uint64_t descriptors_for(const struct memory_demand *demand, uint64_t calls) {
    return calls + CONNECTIONS_SPARE + connections_for(demand, calls) +
           demand->upstreams_http2 * shards_for(calls, UPSTREAM_STREAMS_PER_SHARD) +
           DESCRIPTORS_OWN;
}

static bool fits(const struct memory_demand *demand, uint32_t calls) {
    return memory_plan_least_bytes(demand, calls) <= demand->budget_bytes &&
           descriptors_for(demand, calls) <= demand->descriptors_max;
}

static uint32_t most_calls(const struct memory_demand *demand) {
    uint32_t low = 0, high = CALLS_MAX + 1; /* low fits, high does not */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (fits(demand, middle)) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

static uint64_t mebibytes_up(uint64_t bytes) {
    return (bytes + (1u << 20) - 1) >> 20;
}

static void explain(const struct memory_demand *demand, uint32_t most, struct problem *problem) {
    uint32_t wanted = demand->calls ? demand->calls : 1;
    unsigned long long least = mebibytes_up(memory_plan_least_bytes(demand, wanted));
    unsigned long long budget = demand->budget_bytes >> 20;
    if (descriptors_for(demand, wanted) > demand->descriptors_max) {
        problem_set(problem,
                    "limits.calls: %u calls need %llu file descriptors, and this process may have "
                    "%u: lower "
                    "limits.calls, or raise the limit (ulimit -n, LimitNOFILE)",
                    wanted, (unsigned long long)descriptors_for(demand, wanted),
                    demand->descriptors_max);
    } else if (most == 0) {
        problem_set(problem,
                    "limits.memory: %llu MiB do not hold one call with these limits.request and "
                    "limits.response; "
                    "%llu MiB would, or smaller bodies",
                    budget, least);
    } else {
        problem_set(problem,
                    "limits.calls: %u calls need %llu MiB, and limits.memory is %llu MiB, which "
                    "holds %u: lower "
                    "limits.calls to that, or raise limits.memory to %lluMi",
                    wanted, least, budget, most, least);
    }
}

bool memory_plan_make(const struct memory_demand *demand, struct memory_plan *plan,
                      struct problem *problem) {
    uint32_t most = most_calls(demand), calls = demand->calls ? demand->calls : most;
    if (calls == 0 || calls > most) {
        explain(demand, most, problem);
        return false;
    }
    memset(plan, 0, sizeof *plan);
    uint64_t bytes = add_up(demand, calls, plan), connections = connections_for(demand, calls);
    plan->budget_bytes = demand->budget_bytes;
    plan->calls = calls;
    plan->clients = calls + CONNECTIONS_SPARE;
    plan->connections = (uint32_t)connections;
    plan->connections_each = demand->upstreams_http1 > 1
                                 ? (calls + demand->upstreams_http1 - 1) / demand->upstreams_http1
                                 : calls;
    plan->call_bytes_max = largest_call(demand);
    uint64_t reserve_blocks = (demand->budget_bytes - bytes) / BLOCK_BYTES;
    set_line(plan, MEMORY_RESERVE, reserve_blocks, BLOCK_BYTES);
    plan->arena_blocks = calls + (uint32_t)reserve_blocks;
    /* Address space, not memory: a half more than the lines say, and the pages of the 16 KiB input
     * buffers that short records never touch. */
    uint64_t http2 = plan->lines[MEMORY_CONNECTIONS_HTTP2].count * CONNECTION_HTTP2_BYTES;
    plan->client_bytes =
        (plan->clients + ADMIN_CONNECTIONS_MAX) * CLIENT_BYTES * 3 / 2 + CLIENT_MEMORY_BYTES;
    plan->curl_bytes =
        UPSTREAM_CURL_BYTES +
        (calls * HANDLE_BYTES + connections * CONNECTION_HTTP1_BYTES + http2) * 3 / 2;
    plan->tls_bytes =
        UPSTREAM_TLS_BYTES + connections * (CONNECTION_TLS_BYTES + (16u << 10)) * 3 / 2 + http2;
    return true;
}

/* A CA file is parsed for each upstream that names it; all that name none share nothing either. */
static uint64_t ca_file_bytes(const char *file) {
    struct stat status;
    return stat(file ? file : UPSTREAM_SYSTEM_CA_FILE, &status) == 0 ? (uint64_t)status.st_size
                                                                     : SYSTEM_CA_BYTES;
}

struct memory_demand memory_plan_demand(const struct config *config) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct memory_demand demand = {
        .calls = config->limits.calls_max,
        .workers = cores > 1 ? (unsigned)cores : 1,
        .admin = config->server.admin.text != NULL,
        .request_bytes_max = config->limits.request_bytes_max,
        .response_bytes_max = config->limits.response_bytes_max,
        .configuration_bytes = arena_bytes(config->arena),
    };
    for (size_t i = 0; i < config->upstream_count; i++) {
        const struct config_upstream *upstream = &config->upstreams[i];
        demand.ca_file_bytes += upstream->tls ? ca_file_bytes(upstream->ca_file) : 0;
        if (upstream->http == CONFIG_HTTP_2) {
            demand.upstreams_http2++;
        } else if (upstream->connections_max > 0) {
            demand.connections_given += upstream->connections_max;
        } else {
            demand.upstreams_http1++;
        }
    }
    return demand;
}
