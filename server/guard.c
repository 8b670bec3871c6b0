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
    size_t count; /* offset of its counter, or 0 */
};

#define VALUE(member) offsetof(struct call_headers, member)

static const struct known_header known_headers[] = {
    {"Host", VALUE(host), VALUE(host_count)},
    {"Content-Length", VALUE(content_length), VALUE(content_length_count)},
    {"Transfer-Encoding", VALUE(transfer_encoding), VALUE(transfer_encoding_count)},
    {"Content-Type", VALUE(content_type), 0},
    {"Accept", VALUE(accept), 0},
    {"Origin", VALUE(origin), 0},
    {"MCP-Protocol-Version", VALUE(protocol_version), 0},
    {"Mcp-Method", VALUE(mcp_method), 0},
    {"Mcp-Name", VALUE(mcp_name), 0},
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

static enum MHD_Result note_header(void *data, enum MHD_ValueKind kind, const char *name,
                                   const char *value) {
    (void)kind;
    struct call_headers *headers = data;
    value = value ? value : "";
    headers->control_character = headers->control_character || has_control_character(value);
    for (size_t i = 0; i < sizeof known_headers / sizeof known_headers[0]; i++) {
        const struct known_header *known = &known_headers[i];
        if (strcasecmp(name, known->name) == 0) {
            *(const char **)(void *)((char *)headers + known->value) = value;
            if (known->count != 0) {
                ++*(unsigned *)(void *)((char *)headers + known->count);
            }
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

static enum next check_framing(struct call *call) {
    const struct call_headers *headers = &call->headers;
    call->close =
        true; /* where the framing is in doubt, nothing more is read from the connection */
    if (headers->control_character) {
        return call_refuse(call, 400, "A header value holds a control character.");
    }
    if (headers->host_count != 1 || !authority_is_valid(headers->host)) {
        return call_refuse(call, 400, "Exactly one valid Host header is needed.");
    }
    if (headers->content_length_count > 1 ||
        (headers->content_length &&
         (*headers->content_length == '\0' ||
          headers->content_length[strspn(headers->content_length, "0123456789")] != '\0'))) {
        return call_refuse(call, 400, "Content-Length must be given once, as digits.");
    }
    if (headers->transfer_encoding &&
        (headers->transfer_encoding_count > 1 || headers->content_length ||
         strcasecmp(headers->transfer_encoding, "chunked") != 0)) {
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

/* Whether a media range of Accept (RFC 9110 section 12.5.1) admits JSON, or the event stream that
 * MCP also allows. */
static bool accepts_answer(const char *accept) {
    static const char *const ranges[] = {"*/*", "application/*", "application/json"};
    if (!accept) {
        return true;
    }
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (strcasestr(accept, ranges[i])) {
            return true;
        }
    }
    return false;
}

static bool is_json(const char *content_type) {
    static const char json[] = "application/json";
    size_t length = sizeof json - 1;
    if (!content_type || strncasecmp(content_type, json, length) != 0) {
        return false;
    }
    char after = content_type[length];
    return after == '\0' || after == ';' || after == ' ';
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
    if (!accepts_answer(headers->accept)) {
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
