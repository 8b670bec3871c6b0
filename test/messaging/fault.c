#include "test/messaging/fault.h"

#include <string.h>

static const struct fault_rule rules[FAULT_KINDS] = {
    [FAULT_NONE] = {"none", true, 0, ENDING_ANSWER},
    [FAULT_RESET_BEFORE_READ] = {"reset_before_read", false, 0, ENDING_RESET},
    [FAULT_RESET_AFTER_READ] = {"reset_after_read", false, 0, ENDING_RESET},
    [FAULT_RESET_AFTER_APPLY] = {"reset_after_apply", true, 0, ENDING_RESET},
    [FAULT_CLOSE_AFTER_APPLY] = {"close_after_apply", true, 0, ENDING_CLOSE},
    [FAULT_HALF_ANSWER] = {"half_answer", true, 0, ENDING_HALF_ANSWER},
    [FAULT_GARBAGE] = {"garbage", true, 0, ENDING_GARBAGE},
    [FAULT_BAD_JSON] = {"bad_json", true, 0, ENDING_ANSWER},
    [FAULT_HUGE_ANSWER] = {"huge_answer", true, 0, ENDING_ANSWER},
    [FAULT_STATUS_429] = {"status_429", false, 429, ENDING_ANSWER},
    [FAULT_STATUS_503] = {"status_503", false, 503, ENDING_ANSWER},
    [FAULT_STATUS_500] = {"status_500", false, 500, ENDING_ANSWER},
    [FAULT_STATUS_404] = {"status_404", false, 404, ENDING_ANSWER},
    [FAULT_REDIRECT] = {"redirect", false, 302, ENDING_ANSWER},
    [FAULT_SLOW] = {"slow", true, 0, ENDING_ANSWER},
    [FAULT_STALL] = {"stall", false, 0, ENDING_ANSWER},
    [FAULT_STREAM_REFUSED] = {"stream_refused", false, 0, ENDING_REFUSE_STREAM},
    [FAULT_STREAM_RESET_AFTER_APPLY] = {"stream_reset_after_apply", true, 0, ENDING_RESET_STREAM},
};

const struct fault_rule *fault_rule(enum fault_kind kind) {
    return &rules[kind];
}

bool fault_named(const char *name, size_t size, enum fault_kind *kind) {
    for (int i = 0; i < FAULT_KINDS; i++) {
        if (strlen(rules[i].name) == size && memcmp(rules[i].name, name, size) == 0) {
            *kind = (enum fault_kind)i;
            return true;
        }
    }
    return false;
}

struct fault fault_take(struct fault_queue *queue) {
    if (queue->count == 0) {
        return (struct fault){0};
    }
    queue->count--;
    return queue->fault;
}
