/* validate: which tool, and do the arguments fit its schema. */
#include <string.h>

#include "server/call.h"
#include "server/mcp.h"

static const struct json no_arguments = {.type = JSON_OBJECT};

static enum next refuse_arguments(struct call *call, enum outcome outcome,
                                  const struct problem *problem) {
    struct text sentence = text_new(call->arena, 4 * PROBLEM_TEXT_BYTES);
    call->outcome = outcome;
    call_note(call, problem);
    if (outcome == OUTCOME_NO_MEMORY) {
        return mcp_error(call, 503, RPC_INTERNAL_ERROR,
                         "No memory is free to check this call; try again later");
    }
    text_add_format(
        &sentence, "Not sent: the arguments of %s do not fit: %s%s%s. Correct this and call again.",
        call->tool->name, problem->path[0] ? problem->path : "the arguments",
        problem->text[0] ? " " : "", problem->text);
    return mcp_tool_error(call, sentence.bytes, sentence.length);
}

enum next validate(struct call *call) {
    const struct json *name = json_member(call->params, "name");
    const struct json *arguments = json_member(call->params, "arguments");
    if (!name || name->type != JSON_STRING) {
        return mcp_error(call, 200, RPC_INVALID_PARAMS, "tools/call needs params.name, a string");
    }
    call->tool = config_tool(call->config, name->bytes, name->length);
    if (!call->tool) {
        return mcp_error(call, 200, RPC_INVALID_PARAMS,
                         "There is no tool named \"%.*s\"; tools/list names them all",
                         (int)(name->length < 128 ? name->length : 128), name->bytes);
    }
    if (arguments && arguments->type != JSON_OBJECT) {
        return mcp_error(call, 200, RPC_INVALID_PARAMS, "params.arguments must be an object");
    }
    struct problem problem = {0};
    call->arguments = arguments ? arguments : &no_arguments;
    enum outcome outcome =
        schema_check(call->tool->input_schema, call->arena, call->arguments, &problem);
    return outcome == OUTCOME_OK ? NEXT_STEP : refuse_arguments(call, outcome, &problem);
}
