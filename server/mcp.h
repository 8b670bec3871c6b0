/* mcp: the Model Context Protocol's own messages: which era, which method, which answer.
 *
 * Everything here works on one call and writes its answer; the caller goes to reply. */
#pragma once

#include "server/call.h"

/* Error codes: JSON-RPC 2.0 section 5.1; MCP 2026-07-28, schema. */
enum rpc_code {
    RPC_PARSE_ERROR = -32700,
    RPC_INVALID_REQUEST = -32600,
    RPC_METHOD_NOT_FOUND = -32601,
    RPC_INVALID_PARAMS = -32602,
    RPC_INTERNAL_ERROR = -32603,
    MCP_HEADER_MISMATCH = -32020,
    MCP_UNSUPPORTED_VERSION = -32022,
};

#define MCP_VERSION_MODERN "2026-07-28"
#define MCP_VERSION_LEGACY_LATEST "2025-11-25"

/* Tells the eras apart and cross-checks the headers, in the order of MCP 2026-07-28
 * basic/versioning. NEXT_STEP with call->era, or NEXT_REPLY with the refusal. */
CHECKED enum next mcp_classify(struct call *call);

/* Answers every method but tools/call; NEXT_STEP for that one. */
CHECKED enum next mcp_answer(struct call *call);

/* An error answer: HTTP status, code and a sentence. */
__attribute__((format(printf, 4, 5))) CHECKED enum next
mcp_error(struct call *call, int status, enum rpc_code code, const char *format, ...);

/* A tool's result that is an error for the model to read (isError: true). */
CHECKED enum next mcp_tool_error(struct call *call, const char *sentence, size_t length);

/* A tool's result. `text` is its one text content. */
CHECKED enum next mcp_tool_result(struct call *call, const char *text, size_t length,
                                  bool is_error);
