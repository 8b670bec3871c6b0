#include "test/messaging/limits.h"
#include "test/messaging/message_body.h"
#include "test/messaging/service_state.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char fault_prefix[] = "fault:";

/* Never the text: it is private in a real service, and may be long in this one. */
static void log_message(const struct exchange *x, const char *what) {
    struct bytes line = {0};

    if (x->service->options->quiet) {
        return;
    }
    bytes_format(&line, "messaging: %s, recipient ", what);
    bytes_json(&line, x->message.recipient, x->message.recipient_size);
    fprintf(stderr, "%s\n", line.data);
    bytes_free(&line);
}

static bool key_is_valid(const char *key) {
    size_t size = strlen(key);

    for (size_t i = 0; i < size; i++) {
        if (key[i] <= ' ' || key[i] > '~') {
            return false;
        }
    }
    return size > 0 && size <= IDEMPOTENCY_KEY_BYTES_MAX;
}

static void replay(struct exchange *x, const struct idempotency_entry *entry) {
    size_t size;
    const char *body = idempotency_answer(entry, &size);

    x->replayed = true;
    x->answer.status = 201;
    x->answer.content_type = "application/json";
    answer_header(&x->answer, "Idempotent-Replayed", "true");
    bytes_append(&x->answer.body, body, size);
}

/* False: the request was refused. */
static bool claim(struct exchange *x) {
    struct idempotency_entry *entry;

    if (!x->idempotency_key) {
        return true;
    }
    if (!key_is_valid(x->idempotency_key)) {
        service_refuse(x, 400, "bad_key", "Idempotency-Key must be 1 to 255 visible characters");
        return false;
    }
    switch (idempotency_begin(x->service->keys, x->idempotency_key, x->body.data, x->body.size,
                              &entry)) {
    case IDEMPOTENCY_CLAIMED:
        x->claim = entry;
        return true;
    case IDEMPOTENCY_REPLAY:
        replay(x, entry);
        return true;
    case IDEMPOTENCY_IN_FLIGHT:
        service_refuse(x, 409, "in_flight", "a request with this Idempotency-Key is under way");
        return false;
    default:
        service_refuse(x, 422, "key_reused", "this Idempotency-Key was used with another body");
        return false;
    }
}

/* An armed fault goes before the recipient's, and a replay does not repeat the recipient's: so a
 * client's second try with the same key can succeed. False: the request was refused. */
static bool choose_fault(struct exchange *x) {
    size_t prefix = strlen(fault_prefix);
    const struct message_body *message = &x->message;

    if (x->fault.kind != FAULT_NONE || x->replayed || message->recipient_size < prefix ||
        memcmp(message->recipient, fault_prefix, prefix) != 0) {
        return true;
    }
    if (!fault_named(message->recipient + prefix, message->recipient_size - prefix,
                     &x->fault.kind)) {
        service_refuse(x, 422, "no_such_fault", "the recipient names a fault that is not known");
        return false;
    }
    x->fault.delay_ms = SLOW_MS;
    return true;
}

static void apply(struct exchange *x) {
    const struct message_body *message = &x->message;
    struct service *service = x->service;
    char what[64];
    uint64_t number = messages_add(service->messages, message->recipient, message->recipient_size,
                                   message->text, message->text_size);

    service->statistics->applied++;
    snprintf(what, sizeof what, "m-%06" PRIu64 " queued", number);
    log_message(x, what);
    x->answer.status = 201;
    x->answer.content_type = "application/json";
    bytes_text(&x->answer.body, "{");
    message_members(number, message->recipient, message->recipient_size, message->text,
                    message->text_size, &x->answer.body);
    bytes_text(&x->answer.body, "}");
    if (x->claim) {
        idempotency_complete(service->keys, x->claim, x->answer.body.data, x->answer.body.size);
        x->claim = NULL;
    }
}

static void answer_fault_status(struct answer *answer, int status) {
    answer->header_count = 0;
    switch (status) {
    case 429:
        answer_error(answer, status, "too_many_requests", "slow down; nothing was done");
        answer_header(answer, "Retry-After", "1");
        return;
    case 503:
        answer_error(answer, status, "unavailable", "come back later; nothing was done");
        answer_header(answer, "Retry-After", "1");
        return;
    case 302:
        answer_error(answer, status, "moved", "the service says it is elsewhere");
        answer_header(answer, "Location", "http://127.0.0.1/");
        return;
    case 404:
        answer_error(answer, status, "not_found", "there is no such recipient");
        return;
    default:
        answer_error(answer, status, "internal", "the service failed; nothing was done");
    }
}

static void answer_huge(struct exchange *x) {
    uint32_t mib = x->fault.huge_mib ? x->fault.huge_mib : x->service->options->huge_mib;
    struct bytes *body = &x->answer.body;

    body->size--; /* the closing brace */
    bytes_text(body, ",\"padding\":\"");
    bytes_fill(body, 'x', (size_t)mib * 1024 * 1024);
    bytes_text(body, "\"}");
}

static void spoil_answer(struct exchange *x, const struct fault_rule *rule) {
    if (rule->status) {
        answer_fault_status(&x->answer, rule->status);
    } else if (x->fault.kind == FAULT_BAD_JSON) {
        x->answer.body.size /= 2;
    } else if (x->fault.kind == FAULT_HUGE_ANSWER) {
        answer_huge(x);
    }
}

static void finish(struct exchange *x) {
    const struct fault_rule *rule = fault_rule(x->fault.kind);
    struct statistics *statistics = x->service->statistics;

    if (x->fault.kind != FAULT_NONE) {
        statistics->faults++;
        log_message(x, rule->name);
    }
    if (rule->applies && !x->replayed) {
        apply(x);
    } else if (rule->applies) {
        statistics->replayed++;
    }
    spoil_answer(x, rule);
    service_end(x, rule->ending); /* which gives back a key that was claimed in vain */
}

static void delay_over(struct timer *timer) {
    finish((struct exchange *)((char *)timer - offsetof(struct exchange, timer)));
}

static void delay_then_finish(struct exchange *x) {
    int64_t delay_ms = x->replayed ? 0 : x->service->options->delay_ms;

    if (x->fault.kind == FAULT_STALL) {
        x->service->statistics->faults++;
        log_message(x, "stall");
        return;
    }
    if (x->fault.kind == FAULT_SLOW) {
        delay_ms += x->fault.delay_ms;
    }
    if (delay_ms > 0) {
        timers_start(x->service->timers, &x->timer, delay_ms, delay_over);
    } else {
        finish(x);
    }
}

void post_message(struct exchange *x) {
    struct problem problem;
    int status;

    if (!message_body_parse(&x->body, &x->message, &status, &problem)) {
        service_refuse(x, status, status == 400 ? "bad_json" : "invalid", problem.text);
    } else if (claim(x) && choose_fault(x)) {
        delay_then_finish(x);
    }
}
