#pragma once
/* answer: one HTTP/1.1 response, and whether it is the one the call deserves.
 *
 * Owner: the connection whose buffer the bytes are in; pointers die with the next read.
 * Stays out: HTTP beyond what servers under test say (no trailers, no 1xx, no closing framing). */
#include <stdbool.h>
#include <stddef.h>

#include "test/bench/load/request.h"

enum answer_state { ANSWER_PARTIAL, ANSWER_COMPLETE, ANSWER_MALFORMED };

struct answer {
    int status;
    bool closes; /* Connection: close */
    const char *body;
    size_t body_bytes;
    size_t total_bytes;
};

/* Chunked bodies are joined in place, so `bytes` is only to be parsed again while PARTIAL. */
enum answer_state answer_parse(char *bytes, size_t count, struct answer *out);

/* NULL when the answer is right for the call, else the name of the error, good until the next
 * call of this function. */
const char *answer_check(const struct load_options *o, const struct call *call,
                         const struct answer *answer);
