/* plan: arguments -> method, URL, headers, body, deadline. Pure: nothing leaves the process here.
 */
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "server/call.h"
#include "server/mcp.h"

static enum next not_planned(struct call *call, enum outcome outcome,
                             const struct problem *problem) {
    call_note(call, problem);
    call->outcome = outcome == OUTCOME_OK ? OUTCOME_NO_MEMORY : outcome;
    if (outcome != OUTCOME_INVALID && outcome != OUTCOME_TOO_LARGE) {
        return mcp_error(call, 503, RPC_INTERNAL_ERROR,
                         "No memory is free for this call; try again later");
    }
    struct text sentence = text_new(call->arena, 4 * PROBLEM_TEXT_BYTES);
    text_add_format(&sentence, "Not sent: %s %s. Correct this and call again.",
                    problem->path[0] ? problem->path : "the arguments",
                    problem->text[0] ? problem->text : "make a request that is too large");
    return mcp_tool_error(call, sentence.bytes, sentence.length);
}

static enum outcome plan_url(struct call *call, struct problem *problem) {
    const struct config_tool *tool = call->tool;
    struct text url = text_new(call->arena, URL_BYTES_MAX);
    text_add_string(&url, tool->upstream->url);
    enum outcome outcome = template_render(tool->path, call->arguments, &url, NULL, problem);
    if (outcome == OUTCOME_OK && tool->query) {
        outcome = template_render(tool->query, call->arguments, &url, NULL, problem);
    }
    text_trim(&url);
    call->upstream.url = url.bytes;
    return outcome;
}

static void add_header(struct call *call, const char *line) {
    struct upstream_header *header = arena_alloc(call->arena, sizeof *header);
    if (header) { /* if not, the arena is exhausted, which plan() looks at */
        *header = (struct upstream_header){line, call->upstream.headers};
        call->upstream.headers = header;
    }
}

/* A key that no other call has: random for this process, counted within it. */
static void add_idempotency_key(struct call *call) {
    struct text line = text_new(call->arena, HEADER_LINE_BYTES_MAX);
    text_add_format(&line, "%s: %s-%016llx", call->tool->idempotency_header,
                    call->server->key_prefix, (unsigned long long)call->id);
    text_trim(&line);
    add_header(call, line.bytes);
}

static enum outcome plan_headers(struct call *call, struct problem *problem) {
    const struct config_tool *tool = call->tool;
    enum outcome outcome = OUTCOME_OK;
    for (size_t i = 0; i < tool->header_count && outcome == OUTCOME_OK; i++) {
        bool present = true;
        struct text line = text_new(call->arena, HEADER_LINE_BYTES_MAX);
        text_add_format(&line, "%s: ", tool->headers[i].name);
        outcome =
            template_render(tool->headers[i].value, call->arguments, &line, &present, problem);
        if (outcome == OUTCOME_OK && present) {
            text_trim(&line);
            add_header(call, line.bytes);
        }
    }
    if (tool->idempotency_header) {
        add_idempotency_key(call);
    }
    if (tool->upstream->auth_header) {
        add_header(call, tool->upstream->auth_header);
    }
    if (tool->body) {
        add_header(call, "Content-Type: application/json");
    }
    return outcome;
}

static enum outcome plan_body(struct call *call, struct problem *problem) {
    if (!call->tool->body) {
        return OUTCOME_OK;
    }
    struct text body = text_new(call->arena, call->server->plan.call_bytes_max);
    enum outcome outcome = template_render(call->tool->body, call->arguments, &body, NULL, problem);
    text_trim(&body);
    call->upstream.body = body.bytes;
    call->upstream.body_length = body.length;
    return outcome;
}

static const struct upstream_target *target_of(const struct call *call) {
    return call->server->targets[call->tool->upstream - call->config->upstreams];
}

enum next plan(struct call *call) {
    struct problem problem = {0};
    static enum outcome (*const parts[])(struct call *, struct problem *) = {plan_url, plan_headers,
                                                                             plan_body};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        enum outcome outcome = parts[i](call, &problem);
        if (outcome != OUTCOME_OK || arena_exhausted(call->arena)) {
            return not_planned(call, outcome, &problem);
        }
    }
    call->upstream.target = target_of(call);
    call->upstream.arena = call->arena;
    call->upstream.method = call->tool->method;
    call->upstream.answer_bytes_max = call->config->limits.response_bytes_max;
    call->upstream.deadline_ms = call->started_us / 1000 + call->tool->timeout_ms;
    return NEXT_STEP;
}
