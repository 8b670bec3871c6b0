/* guard: what is refused before a byte of body is kept: framing, Host, Origin, path, method, media
 * type, size. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/limits.h"
#include "server/authority.h"
#include "server/call.h"

struct known_header {
    const char *name;
    size_t value; /* offset of its pointer in struct call_headers */
};

#define VALUE(member) offsetof(struct call_headers, member)

/* Each may stand once in a request: what stands between the client and us may have read another of
 * two. */
static const struct known_header known_headers[] = {
    {"Host", VALUE(host)},
    {"Content-Length", VALUE(content_length)},
    {"Transfer-Encoding", VALUE(transfer_encoding)},
    {"Content-Type", VALUE(content_type)},
    {"Origin", VALUE(origin)},
    {"MCP-Protocol-Version", VALUE(protocol_version)},
    {"Mcp-Method", VALUE(mcp_method)},
    {"Mcp-Name", VALUE(mcp_name)},
};

static bool has_control_character(const char *value) {
    for (; *value != '\0'; value++) {
        unsigned char byte = (unsigned char)*value;
        if ((byte < 0x20 && byte != '\t') || byte == 0x7F) {
            return true;
        }
    }
    return false;
}

/* A weight of 0 means: not this one (RFC 9110 section 12.4.2). */
static bool has_weight_zero(const char *range, size_t length) {
    const char *weight = memmem(range, length, "q=0", 3);
    if (!weight) {
        return false;
    }
    weight += 3;
    weight += strspn(weight, ".0");
    return *weight < '1' || *weight > '9';
}

/* Whether a media range of Accept (RFC 9110 section 12.5.1) admits JSON. */
static bool admits_json(const char *range, size_t length) {
    static const char *const ranges[] = {"*/*", "application/*", "application/json"};
    size_t type = strcspn(range, ";, \t");
    type = type < length ? type : length;
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (strlen(ranges[i]) == type && strncasecmp(range, ranges[i], type) == 0) {
            return !has_weight_zero(range, length);
        }
    }
    return false;
}

/* One line of Accept; several make one list (RFC 9110 section 5.3). */
static void note_accept(struct call_headers *headers, const char *value) {
    headers->accept = true;
    while (*value != '\0') {
        value += strspn(value, ", \t");
        size_t length = strcspn(value, ",");
        headers->accept_json = headers->accept_json || admits_json(value, length);
        value += length;
    }
}

static enum MHD_Result note_header(void *data, enum MHD_ValueKind kind, const char *name,
                                   const char *value) {
    (void)kind;
    struct call_headers *headers = data;
    value = value ? value : "";
    headers->control_character = headers->control_character || has_control_character(value);
    if (strcasecmp(name, "Accept") == 0) {
        note_accept(headers, value);
        return MHD_YES;
    }
    for (size_t i = 0; i < sizeof known_headers / sizeof known_headers[0]; i++) {
        const struct known_header *known = &known_headers[i];
        if (strcasecmp(name, known->name) == 0) {
            const char **slot = (const char **)(void *)((char *)headers + known->value);
            headers->repeated = *slot ? known->name : headers->repeated;
            *slot = value;
            break;
        }
    }
    return MHD_YES;
}

/* Origin is sent by browsers; a page of elsewhere must not reach a server on somebody's own machine
 * (MCP 2025-11-25, transports, Security Warning: DNS rebinding). */
static bool is_loopback_origin(const char *origin) {
    const char *host = strncmp(origin, "http://", 7) == 0    ? origin + 7
                       : strncmp(origin, "https://", 8) == 0 ? origin + 8
                                                             : NULL;
    return host && authority_is_loopback(host);
}

static enum next refuse_repeated(struct call *call) {
    struct text sentence = text_new(call->arena, PROBLEM_TEXT_BYTES);
    text_add_format(&sentence, "The header %s may be given once only.", call->headers.repeated);
    return call_refuse(call, 400,
                       text_failed(&sentence) ? "A header is repeated." : sentence.bytes);
}

static enum next check_framing(struct call *call) {
    const struct call_headers *headers = &call->headers;
    call->close =
        true; /* where the framing is in doubt, nothing more is read from the connection */
    if (headers->control_character) {
        return call_refuse(call, 400, "A header value holds a control character.");
    }
    if (headers->repeated) {
        return refuse_repeated(call);
    }
    if (!headers->host || !authority_is_valid(headers->host)) {
        return call_refuse(call, 400, "Exactly one valid Host header is needed.");
    }
    if (headers->content_length &&
        (*headers->content_length == '\0' ||
         headers->content_length[strspn(headers->content_length, "0123456789")] != '\0')) {
        return call_refuse(call, 400, "Content-Length must be given once, as digits.");
    }
    if (headers->transfer_encoding &&
        (headers->content_length || strcasecmp(headers->transfer_encoding, "chunked") != 0)) {
        return call_refuse(call, 400,
                           "Transfer-Encoding must be exactly chunked, without Content-Length.");
    }
    if (call->path[0] != '/') {
        return call_refuse(call, 400, "The request target must be a path that starts with /.");
    }
    call->close = false;
    return NEXT_STEP;
}

/* The answer's head will need room in the connection's pool. Without it libmicrohttpd would close
 * the connection in the answer's place, after the call was made. */
static enum next check_room_for_answer(struct call *call) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(call->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    int records = MHD_get_connection_values(call->connection,
                                            MHD_HEADER_KIND | MHD_GET_ARGUMENT_KIND, NULL, NULL);
    size_t used = info ? info->header_size + (size_t)records * HEADER_RECORD_BYTES : SIZE_MAX;
    if (used > CONNECTION_POOL_BYTES - ANSWER_HEAD_BYTES) {
        call->close = true;
        return call_refuse(call, 431, "The request's headers are too large; send less of them.");
    }
    return NEXT_STEP;
}

static enum next check_caller(struct call *call) {
    const struct call_headers *headers = &call->headers;
    if (call->server->loopback_only && !authority_is_loopback(headers->host)) {
        return call_refuse(call, 403,
                           "This server answers only to localhost; the Host header names another.");
    }
    if (headers->origin && !is_loopback_origin(headers->origin)) {
        return call_refuse(call, 403, "Requests from this Origin are not allowed.");
    }
    return NEXT_STEP;
}

static bool is_json(const char *content_type) {
    static const char json[] = "application/json";
    size_t length = sizeof json - 1;
    if (!content_type || strncasecmp(content_type, json, length) != 0) {
        return false;
    }
    const char *after = content_type + length + strspn(content_type + length, " \t");
    return *after == '\0' || *after == ';';
}

static enum next check_request(struct call *call) {
    const struct call_headers *headers = &call->headers;
    if (strcmp(call->path, call->config->server.path) != 0) {
        return call_refuse(call, 404,
                           "There is nothing at this path; MCP is served at another one.");
    }
    if (strcmp(call->method, "POST") != 0) {
        call->allow = "POST";
        return call_refuse(call, 405, "MCP messages are sent by POST.");
    }
    if (!is_json(headers->content_type)) {
        return call_refuse(call, 415, "Content-Type must be application/json.");
    }
    if (headers->accept && !headers->accept_json) {
        return call_refuse(call, 406,
                           "Answers are application/json; the Accept header does not allow it.");
    }
    return NEXT_STEP;
}

static enum next check_size(struct call *call) {
    const char *announced = call->headers.content_length;
    if (!announced) {
        return NEXT_STEP;
    }
    unsigned long long bytes = strtoull(announced, NULL, 10); /* ULLONG_MAX when it does not fit */
    if (bytes > call->config->limits.request_bytes_max) {
        return call_refuse_too_large(call, bytes);
    }
    text_reserve(&call->body, bytes);
    if (text_failed(&call->body)) {
        call->close = true;
        return call_refuse(call, 503,
                           "No memory is free for a body of this size; try again later.");
    }
    return NEXT_STEP;
}

enum next guard(struct call *call) {
    static enum next (*const checks[])(struct call *) = {check_framing, check_room_for_answer,
                                                         check_caller, check_request, check_size};
    MHD_get_connection_values(call->connection, MHD_HEADER_KIND, note_header, &call->headers);
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        enum next next = checks[i](call);
        if (next != NEXT_STEP) {
            call->outcome = OUTCOME_INVALID;
            return next;
        }
    }
    return NEXT_WAIT; /* for the body */
}
