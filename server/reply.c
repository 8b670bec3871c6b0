/* reply: the answer goes to libmicrohttpd, which sends it from the arena. */
#include <stdio.h>
#include <string.h>

#include "server/call.h"

/* True when a JSON string of these bytes needs no escapes. */
static bool is_plain(const char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)bytes[i] < 0x20 || bytes[i] == '"' || bytes[i] == '\\') {
            return false;
        }
    }
    return true;
}

/* For when the arena had nothing left for the answer: libmicrohttpd copies these few bytes. A call
 * that reached the service must not look like one that can be repeated, so it is no 503. */
static struct MHD_Response *out_of_memory(struct call *call) {
    char id[64] = "null", text[512];
    const struct json *rpc_id = call->rpc_id;
    bool handed_over = call->upstream.handed_over;
    if (rpc_id && rpc_id->type == JSON_NUMBER && rpc_id->length < sizeof id) {
        snprintf(id, sizeof id, "%.*s", (int)rpc_id->length, rpc_id->bytes);
    } else if (rpc_id && rpc_id->type == JSON_STRING && rpc_id->length + 2 < sizeof id &&
               is_plain(rpc_id->bytes, rpc_id->length)) {
        snprintf(id, sizeof id, "\"%.*s\"", (int)rpc_id->length, rpc_id->bytes);
    }
    call->status = handed_over ? 200 : 503;
    int length =
        snprintf(text, sizeof text,
                 "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":-32603,\"message\":\"%s "
                 "(upstream status %d)\"}}",
                 id,
                 handed_over ? "The request was handed to the service, but no memory is left here "
                               "for its answer: it may "
                               "have been done, so do not repeat it blindly"
                             : "Not sent: no memory is left here for this call; try again later",
                 call->upstream.status);
    return MHD_create_response_from_buffer_copy((size_t)length, text);
}

static struct MHD_Response *make_response(struct call *call) {
    if (text_failed(&call->answer)) {
        return out_of_memory(call);
    }
    if (!call->prepared) {
        return MHD_create_response_from_buffer_static(call->answer.length,
                                                      call->answer.bytes ? call->answer.bytes : "");
    }
    struct MHD_IoVec parts[] = {
        {call->answer.bytes, call->answer.length},
        {call->prepared, call->prepared_length},
        {call->prepared_end, 1},
    };
    return MHD_create_response_from_iovec(parts, sizeof parts / sizeof parts[0], NULL, NULL);
}

enum next reply(struct call *call) {
    struct MHD_Response *response = make_response(call);
    if (!response) {
        return NEXT_END; /* no answer was queued: libmicrohttpd closes the connection */
    }
    if (call->status != 202) {
        MHD_add_response_header(response, "Content-Type", "application/json");
    }
    if (call->allow) {
        MHD_add_response_header(response, "Allow", call->allow);
    }
    if (call->status == 503) {
        MHD_add_response_header(response, "Retry-After", "1");
    }
    if (call->close || atomic_load_explicit(&call->server->draining, memory_order_relaxed)) {
        MHD_add_response_header(response, "Connection", "close");
    }
    MHD_queue_response(call->connection, (unsigned)call->status, response);
    MHD_destroy_response(response);
    return NEXT_END;
}
