#include "server/mcp.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/limits.h"
#include "lib/utf8.h"

static const char *const legacy_versions[] = {"2025-11-25", "2025-06-18", "2025-03-26"};

#define META_VERSION "io.modelcontextprotocol/protocolVersion"
#define META_CAPABILITIES "io.modelcontextprotocol/clientCapabilities"
#define SUPPORTED_VERSIONS "[\"2026-07-28\",\"2025-11-25\",\"2025-06-18\",\"2025-03-26\"]"

/* {"jsonrpc":"2.0","id":<digit for digit> */
static void begin_message(struct call *call) {
    text_add_string(&call->answer, "{\"jsonrpc\":\"2.0\",\"id\":");
    if (call->rpc_id) {
        json_write(&call->answer, call->rpc_id);
    } else {
        text_add_string(&call->answer,
                        "null"); /* JSON-RPC 2.0 section 5: the id could not be read */
    }
}

static void begin_error(struct call *call, int status, enum rpc_code code, const char *message) {
    call->status = status;
    begin_message(call);
    text_add_format(&call->answer, ",\"error\":{\"code\":%d,\"message\":", code);
    json_write_string(&call->answer, message, strlen(message));
}

enum next mcp_error(struct call *call, int status, enum rpc_code code, const char *format, ...) {
    struct problem sentence = {0};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence.text, sizeof sentence.text, format, arguments);
    va_end(arguments);
    sentence.text[utf8_cut(sentence.text, strlen(sentence.text), sizeof sentence.text - 2)] = '\0';
    begin_error(call, status, code, sentence.text);
    text_add_string(&call->answer, "}}");
    if (!call->problem) {
        call_note(call, &sentence);
    }
    return NEXT_REPLY;
}

enum next mcp_tool_result(struct call *call, const char *text, size_t length, bool is_error) {
    call->status = 200;
    text_reserve(&call->answer,
                 length + length / 8 +
                     (call->era == ERA_MODERN ? 256 : 128)); /* escapes included, mostly */
    begin_message(call);
    text_add_string(&call->answer, ",\"result\":{\"content\":[{\"type\":\"text\",\"text\":");
    json_write_string(&call->answer, text ? text : "", length);
    text_add_string(&call->answer, is_error ? "}],\"isError\":true" : "}],\"isError\":false");
    if (call->era == ERA_MODERN) {
        const struct catalog_text *meta = &call->server->catalog->result_meta;
        text_add(&call->answer, meta->bytes, meta->length);
    }
    text_add_string(&call->answer, "}}");
    return NEXT_REPLY;
}

enum next mcp_tool_error(struct call *call, const char *sentence, size_t length) {
    return mcp_tool_result(call, sentence, length, true);
}

/* A result that was made at load. */
static enum next answer_prepared(struct call *call, const struct catalog_text *result) {
    call->status = 200;
    call->outcome = OUTCOME_OK;
    begin_message(call);
    text_add_string(&call->answer, ",\"result\":");
    call->prepared = result->bytes;
    call->prepared_length = result->length;
    call->prepared_end = "}";
    return NEXT_REPLY;
}

static bool is_legacy_version(const char *version, size_t length) {
    for (size_t i = 0; i < sizeof legacy_versions / sizeof legacy_versions[0]; i++) {
        if (strlen(legacy_versions[i]) == length &&
            memcmp(legacy_versions[i], version, length) == 0) {
            return true;
        }
    }
    return false;
}

static enum next unsupported_version(struct call *call, const struct json *requested) {
    begin_error(call, 400, MCP_UNSUPPORTED_VERSION, "This protocol version is not supported here");
    text_add_string(&call->answer,
                    ",\"data\":{\"supported\":" SUPPORTED_VERSIONS ",\"requested\":");
    json_write(&call->answer, requested);
    text_add_string(&call->answer, "}}}");
    return NEXT_REPLY;
}

/* A header that must repeat a member of the body (MCP 2026-07-28, transports, Streamable HTTP
 * headers). */
static enum next check_header(struct call *call, const char *name, const char *header,
                              const struct json *member) {
    if (header && json_string_is(member, header)) {
        return NEXT_STEP;
    }
    return mcp_error(call, 400, MCP_HEADER_MISMATCH, "The %s header %s", name,
                     header ? "and the body name different values"
                            : "is missing; it must repeat the body's value");
}

static enum next classify_modern(struct call *call, const struct json *meta,
                                 const struct json *version) {
    const struct json *capabilities = json_member(meta, META_CAPABILITIES);
    call->era = ERA_MODERN;
    if (version->type != JSON_STRING || !capabilities || capabilities->type != JSON_OBJECT) {
        return mcp_error(call, 400, RPC_INVALID_PARAMS,
                         "params._meta needs " META_VERSION " (a string) and " META_CAPABILITIES
                         " (an object)");
    }
    enum next next =
        check_header(call, "MCP-Protocol-Version", call->headers.protocol_version, version);
    if (next == NEXT_STEP && !json_string_is(version, MCP_VERSION_MODERN)) {
        return unsupported_version(call, version);
    }
    if (next == NEXT_STEP) {
        next = check_header(call, "Mcp-Method", call->headers.mcp_method, call->rpc_method);
    }
    if (next == NEXT_STEP && json_string_is(call->rpc_method, "tools/call")) {
        next = check_header(call, "Mcp-Name", call->headers.mcp_name,
                            json_member(call->params, "name"));
    }
    return next;
}

static enum next classify_legacy(struct call *call) {
    const char *version = call->headers.protocol_version;
    call->era = ERA_LEGACY;
    bool modern = version && strcmp(version, MCP_VERSION_MODERN) == 0;
    if (modern && json_string_is(call->rpc_method, "initialize")) {
        return mcp_error(call, 400, MCP_HEADER_MISMATCH,
                         "initialize is not part of MCP " MCP_VERSION_MODERN
                         "; use server/discover");
    }
    if (modern) {
        return mcp_error(call, 400, RPC_INVALID_PARAMS,
                         "MCP " MCP_VERSION_MODERN " needs params._meta with " META_VERSION
                         " and " META_CAPABILITIES);
    }
    /* None is taken for 2025-03-26, which had no such header. initialize negotiates in its body. */
    if (version && !is_legacy_version(version, strlen(version)) &&
        !json_string_is(call->rpc_method, "initialize")) {
        return mcp_error(call, 400, RPC_INVALID_REQUEST,
                         "The MCP-Protocol-Version header names a version that is not supported; "
                         "supported are 2026-07-28, 2025-11-25, 2025-06-18 and 2025-03-26");
    }
    return NEXT_STEP;
}

enum next mcp_classify(struct call *call) {
    const struct json *meta = json_member(call->params, "_meta");
    const struct json *version = json_member(meta, META_VERSION);
    return version ? classify_modern(call, meta, version) : classify_legacy(call);
}

/* The version asked for when it is spoken here, else the newest of its era: never a higher one than
 * initialize knows. */
static enum next initialize(struct call *call) {
    const struct json *asked = json_member(call->params, "protocolVersion");
    if (!asked || asked->type != JSON_STRING) {
        return mcp_error(call, 200, RPC_INVALID_PARAMS,
                         "initialize needs params.protocolVersion, a string");
    }
    const struct catalog_text *capabilities = &call->server->catalog->capabilities;
    call->status = 200;
    call->outcome = OUTCOME_OK;
    begin_message(call);
    text_add_string(&call->answer, ",\"result\":{\"protocolVersion\":");
    if (is_legacy_version(asked->bytes, asked->length)) {
        json_write(&call->answer, asked);
    } else {
        text_add_string(&call->answer, "\"" MCP_VERSION_LEGACY_LATEST "\"");
    }
    text_add(&call->answer, capabilities->bytes, capabilities->length);
    text_add_string(&call->answer, "}");
    return NEXT_REPLY;
}

static enum next ping(struct call *call) {
    static const struct catalog_text nothing = {"{}", 2};
    return answer_prepared(call, &nothing);
}

static enum next tools_list(struct call *call) {
    const struct json *cursor = json_member(call->params, "cursor");
    if (cursor) {
        return mcp_error(call, 200, RPC_INVALID_PARAMS,
                         "This cursor is not one of ours: all tools are on the first page");
    }
    const struct catalog *catalog = call->server->catalog;
    return answer_prepared(call, call->era == ERA_MODERN ? &catalog->tools_modern
                                                         : &catalog->tools_legacy);
}

static enum next discover(struct call *call) {
    return answer_prepared(call, &call->server->catalog->discover);
}

static enum next go_on(struct call *call) {
    (void)call;
    return NEXT_STEP;
}

static const struct {
    const char *name;
    bool legacy, modern;
    enum next (*answer)(struct call *call);
} methods[] = {
    {"tools/call", true, true, go_on},
    {"tools/list", true, true, tools_list},
    {"server/discover", false, true, discover},
    {"initialize", true, false, initialize},
    {"ping", true, false, ping},
};

enum next mcp_answer(struct call *call) {
    if (!call->rpc_id) { /* a notification: nothing to answer, and none that changes anything here
                          */
        call->status = 202;
        call->outcome = OUTCOME_OK;
        return NEXT_REPLY;
    }
    bool modern = call->era == ERA_MODERN;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if ((modern ? methods[i].modern : methods[i].legacy) &&
            json_string_is(call->rpc_method, methods[i].name)) {
            return methods[i].answer(call);
        }
    }
    return mcp_error(call, modern ? 404 : 200, RPC_METHOD_NOT_FOUND,
                     "There is no method \"%.*s\" in this version of MCP on this server",
                     (int)(call->rpc_method->length < 64 ? call->rpc_method->length : 64),
                     call->rpc_method->bytes);
}
