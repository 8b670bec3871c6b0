/* reset: the end of a call: its log line, its memory, its slot. */
#include "lib/clock.h"
#include "lib/log.h"
#include "server/call.h"

/* A line for each call whose message may not have arrived as asked; success is what the metrics
 * count. */
static void log_failure(const struct call *call) {
    char problem[2 * PROBLEM_TEXT_BYTES];
    const char *tool = call->tool ? call->tool->name : "-";
    if (call->outcome == OUTCOME_OK) {
        return;
    }
    log_event(
        LOG_LEVEL_WARNING, "call",
        "id=%llu tool=%s outcome=%s http_status=%d upstream_status=%d duration_us=%llu problem=%s",
        (unsigned long long)call->id, tool, outcome_name(call->outcome), call->status,
        call->upstream.status, (unsigned long long)(clock_us() - call->started_us),
        log_quoted(problem, sizeof problem,
                   call->problem            ? call->problem
                   : call->upstream.problem ? call->upstream.problem
                                            : ""));
}

void reset(struct call *call) {
    struct server *server = call->server;
    log_failure(call);
    arena_free(call->arena);
    atomic_fetch_sub(&server->calls_in_flight, 1);
}
