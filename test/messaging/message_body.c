#include "test/messaging/message_body.h"

#include "lib/json.h"
#include "test/messaging/limits.h"
#include "test/messaging/memory.h"

#include <inttypes.h>
#include <string.h>

/* The arena is NULL when there is no tree. */
static const struct json *parse(const struct bytes *body, struct arena **arena,
                                struct problem *problem) {
    const struct json *root = NULL;
    struct problem cause = {0};

    *arena = arena_new_on_heap(PARSE_BYTES_MAX);
    if (*arena && json_parse(*arena, body->data ? body->data : "", body->size, &json_limits_message,
                             &root, &cause) == OUTCOME_OK) {
        return root;
    }
    problem_set(problem, "the body is not JSON: %s (byte %" PRIu32 ")", cause.text, cause.at);
    arena_free(*arena);
    *arena = NULL;
    return NULL;
}

/* NULL when it is no string, or empty. */
static const struct json *string_of(const struct json *object, const char *name) {
    const struct json *value = json_member(object, name);

    return value && value->type == JSON_STRING && value->length > 0 ? value : NULL;
}

static bool read_message(const struct json *root, struct message_body *message,
                         struct problem *problem) {
    const struct json *content = json_member(root, "content");
    const struct json *recipient = string_of(root, "recipient");
    const struct json *text = string_of(content, "text");

    if (!recipient) {
        problem_set(problem, "'recipient' must be a string that is not empty");
    } else if (recipient->length > RECIPIENT_BYTES_MAX) {
        problem_set(problem, "'recipient' is longer than %d bytes", RECIPIENT_BYTES_MAX);
    } else if (!json_string_is(json_member(content, "type"), "text")) {
        problem_set(problem, "'content.type' must be \"text\"");
    } else if (!text) {
        problem_set(problem, "'content.text' must be a string that is not empty");
    } else {
        message->recipient = memory_copy(recipient->bytes, recipient->length);
        message->recipient_size = recipient->length;
        message->text = memory_copy(text->bytes, text->length);
        message->text_size = text->length;
        return true;
    }
    return false;
}

bool message_body_parse(const struct bytes *body, struct message_body *message, int *status,
                        struct problem *problem) {
    struct arena *arena;
    const struct json *root = parse(body, &arena, problem);
    bool ok = root && read_message(root, message, problem);

    *status = root ? 422 : 400;
    arena_free(arena);
    return ok;
}

/* A member that is missing leaves *value as it is. */
static bool number(const struct json *root, const char *name, int64_t least, int64_t most,
                   int64_t *value, struct problem *problem) {
    const struct json *member = json_member(root, name);
    int64_t given = *value;

    if (member && (member->type != JSON_NUMBER || !json_to_int64(member, &given) || given < least ||
                   given > most)) {
        problem_set(problem, "'%s' must be a whole number from %" PRId64 " to %" PRId64, name,
                    least, most);
        return false;
    }
    *value = given;
    return true;
}

static bool read_queue(const struct json *root, struct fault_queue *queue,
                       struct problem *problem) {
    int64_t count = 1, delay_ms = SLOW_MS, mib = 0;
    const struct json *kind = string_of(root, "kind");
    struct fault fault = {0};

    if (!kind || !fault_named(kind->bytes, kind->length, &fault.kind)) {
        problem_set(problem, "'kind' must be the name of a fault, or \"none\"");
        return false;
    }
    if (!number(root, "count", 0, ARMED_MAX, &count, problem) ||
        !number(root, "delay_ms", 0, DELAY_MS_MAX, &delay_ms, problem) ||
        !number(root, "mib", 1, HUGE_MIB_MAX, &mib, problem)) {
        return false;
    }
    fault.delay_ms = delay_ms;
    fault.huge_mib = (uint32_t)mib;
    *queue = (struct fault_queue){fault, (uint64_t)count};
    return true;
}

bool fault_body_parse(const struct bytes *body, struct fault_queue *queue, int *status,
                      struct problem *problem) {
    struct arena *arena;
    const struct json *root = parse(body, &arena, problem);
    bool ok = root && read_queue(root, queue, problem);

    *status = root ? 422 : 400;
    arena_free(arena);
    return ok;
}
