/* send: the connection is suspended, the plan goes to the upstream thread; no worker waits. */
#include "server/call.h"
#include "server/mcp.h"

/* On the upstream thread: the call is the worker's again. */
static void resume(struct upstream_call *upstream) {
    struct call *call = upstream->data;
    MHD_resume_connection(call->connection);
}

/* A request whose body came only after the time for draining was over. */
static enum next refuse_to_send(struct call *call) {
    static const char sentence[] =
        "Not sent: plateau is stopping. Nothing reached the service; calling again is safe.";
    call->outcome = OUTCOME_NOT_SENT;
    return mcp_tool_error(call, sentence, sizeof sentence - 1);
}

enum next send_upstream(struct call *call) {
    if (atomic_load(&call->server->closed)) {
        return refuse_to_send(call);
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(call->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    /* A 2026-07-28 client cancels by closing its connection; before that a lost connection does not
     * mean that the call is unwanted (MCP 2025-11-25, transports, Sending Messages, 6). */
    call->upstream.caller_fd = call->era == ERA_MODERN && info ? info->connect_fd : -1;
    call->upstream.done = resume;
    call->upstream.data = call;
    MHD_suspend_connection(call->connection);
    upstream_submit(call->server->upstream, &call->upstream);
    return NEXT_WAIT;
}
