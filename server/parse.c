/* parse: the body as JSON, JSON as JSON-RPC, JSON-RPC as one of MCP's eras. */
#include <string.h>

#include "lib/limits.h"
#include "server/call.h"
#include "server/mcp.h"

static enum next body_too_large(struct call *call) {
    call->outcome = OUTCOME_TOO_LARGE;
    call->close = true;
    if (!call->body.too_large) {
        return call_refuse(call, 503,
                           "No memory is free for a body of this size; try again later.");
    }
    return call_refuse_too_large(call, 0);
}

static enum next parse_failed(struct call *call, enum outcome outcome,
                              const struct problem *problem) {
    call->outcome = outcome;
    if (outcome == OUTCOME_NO_MEMORY) {
        return mcp_error(call, 503, RPC_INTERNAL_ERROR,
                         "No memory is free to read this request; try again later");
    }
    return mcp_error(call, 400, RPC_PARSE_ERROR, "The body is not valid JSON: %s (at byte %u)",
                     problem->text, problem->at);
}

static bool is_id(const struct json *id) {
    return id->type == JSON_STRING || id->type == JSON_NUMBER;
}

/* JSON-RPC 2.0 sections 4 and 5; what MCP adds to it: an id is never null (MCP 2025-11-25, basic,
 * Requests). */
static enum next read_rpc(struct call *call, const struct json *root) {
    if (root->type == JSON_ARRAY) {
        return mcp_error(call, 400, RPC_INVALID_REQUEST,
                         "Batches are not accepted: send one JSON-RPC message a request");
    }
    if (root->type != JSON_OBJECT || !json_string_is(json_member(root, "jsonrpc"), "2.0")) {
        return mcp_error(
            call, 400, RPC_INVALID_REQUEST,
            "The body must be a JSON-RPC 2.0 message: an object with \"jsonrpc\": \"2.0\"");
    }
    const struct json *id = json_member(root, "id"), *params = json_member(root, "params");
    if (id && !is_id(id)) {
        return mcp_error(call, 400, RPC_INVALID_REQUEST, "\"id\" must be a string or a number");
    }
    call->rpc_id = id;
    call->rpc_method = json_member(root, "method");
    if (!call->rpc_method && id && (json_member(root, "result") || json_member(root, "error"))) {
        call->status = 202; /* an answer, though nothing was asked: taken, and of no consequence */
        return NEXT_REPLY;
    }
    if (!call->rpc_method || call->rpc_method->type != JSON_STRING) {
        return mcp_error(call, 400, RPC_INVALID_REQUEST, "\"method\" must be a string");
    }
    if (params && params->type != JSON_OBJECT) {
        return mcp_error(call, 400, id ? RPC_INVALID_PARAMS : RPC_INVALID_REQUEST,
                         "\"params\" must be an object");
    }
    call->params = params;
    return NEXT_STEP;
}

enum next parse(struct call *call) {
    if (call->body_too_large) {
        return body_too_large(call);
    }
    const struct json *root;
    struct problem problem = {0};
    enum outcome outcome = json_parse(call->arena, call->body.bytes ? call->body.bytes : "",
                                      call->body.length, &json_limits_message, &root, &problem);
    if (outcome != OUTCOME_OK) {
        return parse_failed(call, outcome, &problem);
    }
    call->outcome = OUTCOME_INVALID; /* until it is known to be more */
    enum next next = read_rpc(call, root);
    if (next == NEXT_STEP) {
        next = mcp_classify(call);
    }
    if (next == NEXT_STEP) {
        next = mcp_answer(call);
    }
    return next;
}
