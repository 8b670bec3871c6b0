#include "server/call.h"

#include <string.h>

#include "lib/limits.h"
#include "server/mcp.h"

/* One call, in order. accept.c brings it here; admit has run before the first of these, reset runs
 * after the last. */
static const struct {
    const char *name;
    enum next (*run)(struct call *call);
} steps[] = {
    {"guard", guard},        {"parse", parse}, {"validate", validate}, {"plan", plan},
    {"send", send_upstream}, {"shape", shape}, {"reply", reply},
};

#define STEP_COUNT (sizeof steps / sizeof steps[0])

void call_run(struct call *call) {
    enum next next = NEXT_STEP;
    while (next == NEXT_STEP || next == NEXT_REPLY) {
        unsigned step = call->step++;
        /* From send on the call may be another thread's before run() is back: nothing of it is
         * touched after. */
        next = steps[step].run(call);
        if (next == NEXT_REPLY) {
            call->step = STEP_COUNT - 1;
        }
    }
}

bool call_receive(struct call *call, const char *bytes, size_t length) {
    if (!call->body_too_large) {
        text_add(&call->body, bytes, length);
        call->body_too_large = text_failed(&call->body);
        return true;
    }
    /* libmicrohttpd takes an answer only at the body's end. */
    call->body_discarded_bytes += length;
    if (call->body_discarded_bytes <= BODY_DISCARD_BYTES_MAX) {
        return true;
    }
    call->outcome = OUTCOME_TOO_LARGE;
    call->problem = "The request body went on without an end; the connection was closed.";
    return false;
}

void call_note(struct call *call, const struct problem *problem) {
    struct text text = text_new(call->arena, PROBLEM_PATH_BYTES + PROBLEM_TEXT_BYTES);
    text_add_format(&text, "%s%s%s", problem->path, problem->path[0] ? " " : "", problem->text);
    call->problem = text.bytes;
}

enum next call_refuse(struct call *call, int status, const char *sentence) {
    call->status = status;
    call->problem = sentence;
    text_add_string(&call->answer, "{\"error\":");
    json_write_string(&call->answer, sentence, strlen(sentence));
    text_add_string(&call->answer, "}");
    return NEXT_REPLY;
}

enum next call_refuse_too_large(struct call *call, unsigned long long bytes) {
    struct text sentence = text_new(call->arena, PROBLEM_TEXT_BYTES);
    unsigned limit = call->config->limits.request_bytes_max;
    call->close = true;
    if (bytes > 0) {
        text_add_format(&sentence, "The request body has %llu bytes, and limits.request is %u.",
                        bytes, limit);
    } else {
        text_add_format(
            &sentence, "The request body is larger than limits.request, which is %u bytes.", limit);
    }
    return call_refuse(call, 413,
                       text_failed(&sentence) ? "The request body is larger than limits.request."
                                              : sentence.bytes);
}
