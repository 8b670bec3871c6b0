/* shape: what the upstream answered, or that it did not -> a tool's result, in words a model can
 * act on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/limits.h"
#include "lib/utf8.h"
#include "server/call.h"
#include "server/mcp.h"

static bool reads_only(const struct call *call) {
    return strcmp(call->tool->method, "GET") == 0;
}

/* The answer's own words, cut to a readable length; nothing when they are not text. */
static void add_excerpt(struct text *text, const struct text *answer) {
    if (answer->length == 0 || !utf8_is_valid(answer->bytes, answer->length)) {
        return;
    }
    size_t length = utf8_cut(answer->bytes, answer->length, ERROR_EXCERPT_BYTES_MAX);
    text_add_string(text, " The service says: ");
    text_add(text, answer->bytes, length);
    if (length < answer->length) {
        text_add_string(text, " [...]");
    }
}

/* Which statuses say that nothing was done (RFC 9110 section 15): the service understood and
 * declined (4xx), sent us elsewhere (3xx), or turned the request away at its door (501, 503). After
 * any other failure it may have begun. */
static bool status_means_not_done(int status) {
    if (status == 408) {
        return false;
    }
    return (status >= 300 && status <= 499) || status == 501 || status == 503;
}

static enum next tell_refused(struct call *call, struct text *text) {
    struct upstream_call *upstream = &call->upstream;
    if (!reads_only(call) && !status_means_not_done(upstream->status)) {
        call->outcome = OUTCOME_UNKNOWN;
        text_add_format(text,
                        "Outcome unknown: the service failed with status %d after it had the "
                        "request, so it may have "
                        "been done. Do not repeat it blindly: find out first.",
                        upstream->status);
    } else {
        text_add_format(text, "Refused: the service answered with status %d, so this was not done.",
                        upstream->status);
    }
    if (upstream->status >= 300 && upstream->status <= 399) {
        text_add_string(text, " It points elsewhere, and redirects are not followed.");
    }
    if (upstream->retry_after_s > 0) {
        text_add_format(text, " Try again after %u s.", upstream->retry_after_s);
    }
    add_excerpt(text, &upstream->answer);
    return mcp_tool_error(call, text->bytes, text->length);
}

static enum next tell_failure(struct call *call, struct text *text) {
    struct upstream_call *upstream = &call->upstream;
    const char *why = upstream->problem[0] ? upstream->problem : "the caller went away";
    if (upstream->outcome == OUTCOME_NOT_SENT || upstream->outcome == OUTCOME_CANCELLED) {
        text_add_format(text, "Not sent: %s. Nothing reached the service; calling again is safe.",
                        why);
    } else if (reads_only(call)) {
        text_add_format(
            text, "No answer: %s. Nothing is changed by this tool; calling again is safe.", why);
    } else {
        text_add_format(
            text,
            "Outcome unknown: %s. The request was handed over, so it may have been done. "
            "Do not repeat it blindly: find out first.",
            why);
        if (upstream->status >= 200 && upstream->status <= 299) {
            text_add_format(text, " The answer began with status %d, which means it was accepted.",
                            upstream->status);
        }
    }
    return mcp_tool_error(call, text->bytes, text->length);
}

/* It was done, but the answer cannot be shown: no error for a message (it must not be sent again),
 * one for a reading tool (it has nothing to show). */
static enum next tell_unreadable(struct call *call, struct text *text, const char *why) {
    struct upstream_call *upstream = &call->upstream;
    bool done = upstream->status >= 200 && upstream->status <= 299;
    if (!done) {
        text_add_format(text, "%s with status %d, and its answer %s.",
                        status_means_not_done(upstream->status)
                            ? "Refused: the service answered"
                            : "Outcome unknown: the service failed",
                        upstream->status, why);
        return mcp_tool_error(call, text->bytes, text->length);
    }
    text_add_format(text, "Done: the service answered with status %d; but its answer %s.%s",
                    upstream->status, why, reads_only(call) ? "" : " Do not repeat the call.");
    return mcp_tool_result(call, text->bytes, text->length, reads_only(call));
}

static enum next tell_too_large(struct call *call, struct text *text) {
    char why[160];
    size_t announced = call->upstream.announced_bytes;
    int length = snprintf(why, sizeof why, "is larger than limits.response, which is %zu bytes",
                          call->upstream.answer_bytes_max);
    if (announced > 0) {
        snprintf(why + length, sizeof why - (size_t)length, " (the service announced %zu)",
                 announced);
    }
    text_reserve(text, 320);
    return tell_unreadable(call, text, why);
}

static bool is_kept(const struct config_tool *tool, const struct json *member) {
    for (size_t i = 0; i < tool->response_keep_count; i++) {
        const char *name = tool->response_keep[i];
        if (strlen(name) == member->name_length &&
            memcmp(name, member->name, member->name_length) == 0) {
            return true;
        }
    }
    return false;
}

static void write_kept(struct text *text, const struct config_tool *tool,
                       const struct json *object) {
    const char *separator = "";
    text_add_char(text, '{');
    for (const struct json *member = object->first; member; member = member->next) {
        if (is_kept(tool, member)) {
            text_add_string(text, separator);
            json_write_string(text, member->name, member->name_length);
            text_add_char(text, ':');
            json_write(text, member);
            separator = ",";
        }
    }
    text_add_char(text, '}');
}

static enum next tell_json(struct call *call, struct text *text) {
    const struct text *answer = &call->upstream.answer;
    const struct json *root;
    struct problem problem = {0};
    enum outcome outcome = json_parse(call->arena, answer->bytes, answer->length,
                                      &json_limits_message, &root, &problem);
    if (outcome == OUTCOME_NO_MEMORY) {
        return tell_unreadable(call, text, "did not fit into this call's memory");
    }
    if (outcome != OUTCOME_OK) {
        return tell_unreadable(call, text, "is not valid JSON");
    }
    if (call->tool->response_keep_count == 0 || root->type != JSON_OBJECT) {
        return mcp_tool_result(call, answer->bytes, answer->length, false);
    }
    write_kept(text, call->tool, root);
    return mcp_tool_result(call, text->bytes, text->length, false);
}

static enum next tell_success(struct call *call, struct text *text) {
    const struct upstream_call *upstream = &call->upstream;
    const struct text *answer = &upstream->answer;
    if (answer->length == 0) {
        text_add_format(text, "Done: the service answered with status %d and no content.",
                        upstream->status);
        return mcp_tool_result(call, text->bytes, text->length, false);
    }
    if (strcasestr(upstream->content_type, "json")) {
        return tell_json(call, text);
    }
    if (!utf8_is_valid(answer->bytes, answer->length)) {
        return tell_unreadable(call, text, "is not text");
    }
    return mcp_tool_result(call, answer->bytes, answer->length, false);
}

enum next shape(struct call *call) {
    struct text text = text_new(call->arena, call->server->plan.call_bytes_max);
    call->outcome = call->upstream.outcome;
    switch (call->upstream.outcome) {
    case OUTCOME_OK:
        return tell_success(call, &text);
    case OUTCOME_REFUSED:
        return tell_refused(call, &text);
    case OUTCOME_TOO_LARGE:
        return tell_too_large(call, &text);
    case OUTCOME_NO_MEMORY:
        return tell_unreadable(call, &text, "did not fit into this call's memory");
    default:
        return tell_failure(call, &text);
    }
}
