/* admit: a slot and an arena, or nothing. */
#include <string.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "server/call.h"

/* Takes a slot; false when all are taken. */
static bool take_slot(struct server *server) {
    unsigned taken = atomic_fetch_add(&server->calls_in_flight, 1);
    if (taken < server->plan.calls) {
        return true;
    }
    atomic_fetch_sub(&server->calls_in_flight, 1);
    return false;
}

struct call *admit(struct server *server, struct MHD_Connection *connection, const char *method,
                   const char *path) {
    if (!take_slot(server)) {
        return NULL;
    }
    struct arena *arena = arena_new(server->pool, server->plan.call_bytes_max);
    struct call *call = arena ? arena_alloc(arena, sizeof *call) : NULL;
    if (!call) {
        arena_free(arena);
        atomic_fetch_sub(&server->calls_in_flight, 1);
        return NULL;
    }
    call->server = server;
    call->config = server->config;
    call->arena = arena;
    call->connection = connection;
    call->id = atomic_fetch_add_explicit(&server->calls_started, 1, memory_order_relaxed);
    call->started_us = clock_us();
    call->method = method;
    call->path = path;
    call->body = text_new(arena, server->config->limits.request_bytes_max);
    call->answer = text_new(arena, server->plan.call_bytes_max);
    return call;
}
