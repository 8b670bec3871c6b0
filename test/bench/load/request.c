#include "test/bench/load/request.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct writer {
    char *bytes;
    size_t size;
    size_t used;
};

static void reserve(struct writer *w, size_t more) {
    if (w->used + more < w->size)
        return;
    w->size = (w->used + more) * 2;
    w->bytes = realloc(w->bytes, w->size);
    if (!w->bytes) {
        fputs("bench_loader: out of memory.\n", stderr);
        exit(2);
    }
}

__attribute__((format(printf, 2, 3))) static void put(struct writer *w, const char *format, ...) {
    va_list list;
    reserve(w, 1024);
    va_start(list, format);
    w->used += (size_t)vsnprintf(w->bytes + w->used, w->size - w->used, format, list);
    va_end(list);
}

static void fill(struct writer *w, size_t bytes) {
    reserve(w, bytes);
    memset(w->bytes + w->used, 'x', bytes);
    w->used += bytes;
}

size_t request_mark(const struct call *call, char mark[static 48]) {
    return (size_t)snprintf(mark, 48, "call <%" PRIu64 ">", call->number);
}

static void put_text(struct writer *w, const struct load_options *o, const struct call *call) {
    char mark[48];
    size_t length = request_mark(call, mark);
    size_t wanted = call->kind == CALL_OVERSIZED ? o->oversize_bytes : o->text_bytes;
    put(w, "%s", mark);
    if (wanted > length)
        fill(w, wanted - length);
}

/* The name at a place of a list with commas between; places past its end begin again. */
static const char *name_at(const char *list, unsigned place, int *length) {
    unsigned names = 1;
    for (const char *at = list; *at; at++)
        names += *at == ',';
    for (place %= names; place; place--)
        list = strchr(list, ',') + 1;
    *length = (int)strcspn(list, ",");
    return list;
}

static void put_recipient(struct writer *w, const struct load_options *o, const struct call *call) {
    int length = 0;
    if (call->kind != CALL_FAULT) {
        put(w, "user-%" PRIu64, call->number);
        return;
    }
    const char *name = name_at(o->faults, call->variant, &length);
    put(w, "fault:%.*s", length, name);
}

static void put_message(struct writer *w, const struct load_options *o, const struct call *call) {
    put(w, "{\"recipient\":\"");
    put_recipient(w, o, call);
    put(w, "\",\"content\":{\"type\":\"text\",\"text\":\"");
    put_text(w, o, call);
    put(w, "\"}}");
}

static void put_tool_call(struct writer *w, const struct load_options *o, const struct call *call) {
    bool bad = call->kind == CALL_BAD;
    put(w, "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"method\":\"tools/call\",\"params\":{",
        call->number);
    if (o->era == LOAD_MODERN)
        put(w, "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
               "\"io.modelcontextprotocol/clientCapabilities\":{}},");
    put(w, "\"name\":\"%s\",\"arguments\":{\"to\":",
        bad && call->variant == BAD_TOOL ? "no_such_tool" : "send_message");
    if (bad && call->variant == BAD_TYPES)
        put(w, "17");
    else {
        put(w, "\"");
        put_recipient(w, o, call);
        put(w, "\"");
    }
    put(w, ",\"text\":\"");
    put_text(w, o, call);
    put(w, "\"}}%s", bad && call->variant == BAD_JSON ? "" : "}");
}

static void put_mcp_headers(struct writer *w, const struct load_options *o,
                            const struct call *call) {
    bool modern = o->era == LOAD_MODERN;
    put(w, "Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: %s\r\n",
        modern ? "2026-07-28" : "2025-11-25");
    if (modern)
        put(w, "Mcp-Method: tools/call\r\nMcp-Name: %s\r\n",
            call->kind == CALL_BAD && call->variant == BAD_TOOL ? "no_such_tool" : "send_message");
}

static void put_head(struct writer *w, const struct load_options *o, const struct call *call,
                     size_t body_bytes) {
    if (call->kind == CALL_HEALTH) {
        put(w, "GET %s HTTP/1.1\r\nHost: %s:%u\r\n\r\n", o->health_path, o->host, o->port);
        return;
    }
    put(w, "POST %s HTTP/1.1\r\nHost: %s:%u\r\nContent-Type: application/json\r\n", o->path,
        o->host, o->port);
    if (o->mode == LOAD_MCP)
        put_mcp_headers(w, o, call);
    if (o->token)
        put(w, "Authorization: Bearer %s\r\n", o->token);
    put(w, "Content-Length: %zu\r\n\r\n", body_bytes);
}

static size_t cut_at(const struct call *call, size_t head, size_t total) {
    if (call->kind != CALL_ABORT || call->variant == ABORT_WAITING)
        return total;
    return call->variant == ABORT_IN_HEADER ? head / 2 : head + (total - head) / 2;
}

size_t request_build(const struct load_options *o, struct call *call, char **bytes, size_t *size) {
    /* The body comes first, behind room for a head, whose Content-Length then is known. */
    static struct writer head;
    const size_t room = 2048;
    struct writer body = {*bytes, *size, 0};
    reserve(&body, room);
    body.used = room;
    head.used = 0;
    if (call->kind != CALL_HEALTH) {
        if (o->mode == LOAD_MCP)
            put_tool_call(&body, o, call);
        else
            put_message(&body, o, call);
    }
    size_t body_bytes = body.used - room;
    put_head(&head, o, call, body_bytes);
    memmove(body.bytes + head.used, body.bytes + room, body_bytes);
    memcpy(body.bytes, head.bytes, head.used);
    call->cut_bytes = cut_at(call, head.used, head.used + body_bytes);
    *bytes = body.bytes;
    *size = body.size;
    return head.used + body_bytes;
}
