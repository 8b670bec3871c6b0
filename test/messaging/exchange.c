#include "test/messaging/exchange.h"

#include "test/messaging/limits.h"
#include "test/messaging/memory.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

void exchange_method(struct exchange *x, const char *method, size_t size) {
    assert(!x->method);
    x->method = memory_copy(method, size);
}

void exchange_target(struct exchange *x, const char *target, size_t size) {
    assert(!x->target);
    x->target = memory_copy(target, size);
}

static bool is_named(const char *name, size_t size, const char *wanted) {
    return strlen(wanted) == size && strncasecmp(name, wanted, size) == 0;
}

bool exchange_header(struct exchange *x, const char *name, size_t name_size, const char *value,
                     size_t value_size) {
    char **kept = NULL;

    if (is_named(name, name_size, "authorization")) {
        kept = &x->authorization;
    } else if (is_named(name, name_size, "idempotency-key")) {
        kept = &x->idempotency_key;
    }
    if (!kept) {
        return true;
    }
    if (*kept) {
        return false;
    }
    *kept = memory_copy(value, value_size);
    return true;
}

bool exchange_body(struct exchange *x, const void *bytes, size_t size) {
    if (size > REQUEST_BODY_BYTES_MAX - x->body.size) {
        return false;
    }
    bytes_append(&x->body, bytes, size);
    return true;
}

void answer_header(struct answer *answer, const char *name, const char *value) {
    assert(answer->header_count < ANSWER_HEADERS_MAX);
    answer->headers[answer->header_count++] = (struct answer_header){name, value};
}

void answer_error(struct answer *answer, int status, const char *code, const char *message) {
    answer->status = status;
    answer->content_type = "application/json";
    bytes_clear(&answer->body);
    bytes_format(&answer->body, "{\"error\":{\"code\":\"%s\",\"message\":", code);
    bytes_json(&answer->body, message, strlen(message));
    bytes_text(&answer->body, "}}\n");
}
