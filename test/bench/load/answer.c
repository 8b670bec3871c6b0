#include "test/bench/load/answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct slice {
    const char *at;
    size_t bytes;
};

/* The value of a header in a head that ends with an empty line; {NULL, 0} where it is absent. */
static struct slice header(const char *head, const char *end, const char *name) {
    size_t length = strlen(name);
    for (const char *line = memchr(head, '\n', (size_t)(end - head)); line && line + 1 < end;
         line = memchr(line, '\n', (size_t)(end - line))) {
        line++;
        if ((size_t)(end - line) <= length || strncasecmp(line, name, length) != 0)
            continue;
        if (line[length] != ':')
            continue;
        const char *value = line + length + 1;
        while (*value == ' ')
            value++;
        const char *stop = memchr(value, '\r', (size_t)(end - value));
        return (struct slice){value, stop ? (size_t)(stop - value) : 0};
    }
    return (struct slice){NULL, 0};
}

static bool slice_is(struct slice s, const char *word) {
    return s.at && s.bytes == strlen(word) && strncasecmp(s.at, word, s.bytes) == 0;
}

/* Joins chunks that are all there; they are left alone when the last is still to come. */
static enum answer_state join_chunks(char *body, char *end, struct answer *out) {
    for (int joining = 0; joining < 2; joining++) {
        char *at = body, *to = body;
        for (;;) {
            char *line = memchr(at, '\n', (size_t)(end - at)), *stop = NULL;
            if (!line)
                return ANSWER_PARTIAL;
            unsigned long bytes = strtoul(at, &stop, 16);
            if (stop == at)
                return ANSWER_MALFORMED;
            if ((size_t)(end - line - 1) < bytes + 2)
                return ANSWER_PARTIAL;
            if (joining)
                memmove(to, line + 1, bytes);
            to += bytes;
            at = line + 1 + bytes + 2;
            if (!bytes)
                break;
        }
        out->body = body;
        out->body_bytes = (size_t)(to - body);
        out->total_bytes += joining ? (size_t)(at - body) : 0;
    }
    return ANSWER_COMPLETE;
}

enum answer_state answer_parse(char *bytes, size_t count, struct answer *out) {
    char *end = memmem(bytes, count, "\r\n\r\n", 4);
    if (!end) {
        size_t known = count < 5 ? count : 5;
        return memcmp(bytes, "HTTP/", known) ? ANSWER_MALFORMED : ANSWER_PARTIAL;
    }
    *out = (struct answer){0};
    if (strncmp(bytes, "HTTP/1.1 ", 9) != 0)
        return ANSWER_MALFORMED;
    out->status = (int)strtol(bytes + 9, NULL, 10);
    end += 2;
    char *body = end + 2;
    size_t head_bytes = (size_t)(body - bytes);
    out->closes = slice_is(header(bytes, end, "connection"), "close");
    out->total_bytes = head_bytes;
    if (slice_is(header(bytes, end, "transfer-encoding"), "chunked"))
        return join_chunks(body, bytes + count, out);
    struct slice length = header(bytes, end, "content-length");
    if (!length.at)
        return out->status == 204 ? ANSWER_COMPLETE : ANSWER_MALFORMED;
    out->body = body;
    out->body_bytes = strtoul(length.at, NULL, 10);
    out->total_bytes += out->body_bytes;
    return count < out->total_bytes ? ANSWER_PARTIAL : ANSWER_COMPLETE;
}

static const char *skip_string(const char *at, const char *end) {
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at < end ? at + 1 : end;
}

static const char *skip_value(const char *at, const char *end) {
    int depth = 0;
    for (; at < end; at++) {
        if (*at == '"')
            at = skip_string(at, end) - 1;
        else if (*at == '{' || *at == '[')
            depth++;
        else if (((*at == '}' || *at == ']') && --depth < 0) || (*at == ',' && depth == 0))
            break;
    }
    return at < end ? at : end;
}

static const char *skip_space(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    return at;
}

/* A member of the object that `json` is. Enough of JSON to find our own id, not to judge it. */
static struct slice member(struct slice json, const char *name) {
    const char *end = json.at + json.bytes, *at = json.at ? skip_space(json.at, end) : end;
    size_t length = strlen(name);
    if (at >= end || *at != '{')
        return (struct slice){NULL, 0};
    for (at = skip_space(at + 1, end); at < end && *at == '"'; at = skip_space(at + 1, end)) {
        const char *key = at + 1, *after = skip_string(at, end);
        bool same = (size_t)(after - key) == length + 1 && memcmp(key, name, length) == 0;
        at = skip_space(after, end);
        if (at >= end || *at != ':')
            break;
        const char *value = skip_space(at + 1, end);
        at = skip_value(value, end);
        const char *stop = at;
        while (stop > value && (stop[-1] == ' ' || stop[-1] == '\n'))
            stop--;
        if (same)
            return (struct slice){value, (size_t)(stop - value)};
        if (at >= end || *at != ',')
            break;
    }
    return (struct slice){NULL, 0};
}

/* The JSON of an answer, which an event stream carries behind "data:". */
static struct slice json_of(const struct answer *answer) {
    struct slice body = {answer->body, answer->body_bytes};
    if (!body.bytes || *body.at == '{')
        return body;
    const char *data = memmem(body.at, body.bytes, "data:", 5);
    if (!data)
        return body;
    size_t rest = body.bytes - (size_t)(data + 5 - body.at);
    const char *line = memchr(data, '\n', rest + 5);
    return (struct slice){data + 5, line ? (size_t)(line - data - 5) : rest};
}

static bool carries_id(struct slice json, uint64_t number) {
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRIu64, number);
    return slice_is(member(json, "id"), digits);
}

static bool carries_mark(struct slice json, const struct call *call) {
    char mark[48];
    size_t length = request_mark(call, mark);
    return json.bytes && memmem(json.at, json.bytes, mark, length);
}

static const char *status_name(int status) {
    static char name[24];
    snprintf(name, sizeof name, "status_%d", status);
    return name;
}

static const char *check_served(const struct call *call, const struct answer *answer) {
    struct slice json = json_of(answer), result = member(json, "result");
    if (answer->status != 200)
        return status_name(answer->status);
    if (!json.bytes)
        return "empty_answer";
    if (!carries_id(json, call->number))
        return "wrong_id";
    if (member(json, "error").at)
        return "protocol_error";
    if (!result.at)
        return "no_result";
    bool failed = slice_is(member(result, "isError"), "true");
    if (call->kind == CALL_FAULT)
        return failed ? NULL : "fault_not_reported";
    if (failed)
        return "tool_error";
    return carries_mark(result, call) ? NULL : "wrong_text";
}

static const char *check_refused(const struct call *call, const struct answer *answer) {
    struct slice json = json_of(answer);
    struct slice failed = member(member(json, "result"), "isError");
    if (answer->status >= 500)
        return status_name(answer->status);
    if (call->variant == BAD_JSON)
        return answer->status == 400 ? NULL : "bad_json_accepted";
    if (!carries_id(json, call->number))
        return "wrong_id";
    return member(json, "error").at || slice_is(failed, "true") ? NULL : "bad_call_accepted";
}

const char *answer_check(const struct load_options *o, const struct call *call,
                         const struct answer *answer) {
    switch (call->kind) {
    case CALL_HEALTH:
        return answer->status == 200 ? NULL : status_name(answer->status);
    case CALL_OVERSIZED:
        return answer->status == 413 ? NULL : status_name(answer->status);
    case CALL_BAD:
        if (o->mode == LOAD_MCP)
            return check_refused(call, answer);
        return answer->status >= 400 && answer->status < 500 ? NULL : status_name(answer->status);
    case CALL_ABORT:
        return NULL; /* it may be answered before we close */
    default:
        break;
    }
    if (o->mode == LOAD_MCP)
        return check_served(call, answer);
    if (call->kind == CALL_FAULT)
        return answer->status >= 400 ? NULL : "fault_not_reported";
    struct slice json = {answer->body, answer->body_bytes};
    if (answer->status != 201)
        return status_name(answer->status);
    return carries_mark(json, call) ? NULL : "wrong_text";
}
