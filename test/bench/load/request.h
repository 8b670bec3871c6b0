#pragma once
/* request: the bytes of one call.
 *
 * Every call has a number of its own, in the JSON-RPC id and in the text, so that an answer
 * meant for another call is noticed. Thread rule: one thread, for it keeps a buffer. */
#include <stddef.h>
#include <stdint.h>

#include "test/bench/load/options.h"

struct call {
    enum call_kind kind;
    unsigned variant; /* which way of being bad, aborted or faulty */
    uint64_t number;
    uint64_t started_us;
    size_t cut_bytes; /* aborted calls: how much is sent */
};

enum { BAD_JSON, BAD_TOOL, BAD_TYPES, BAD_VARIANTS };
enum { ABORT_IN_HEADER, ABORT_IN_BODY, ABORT_WAITING, ABORT_VARIANTS };

/* Writes the request of `call` into *bytes, which is grown with realloc and stays the caller's.
 * Sets call->cut_bytes. Returns its length; exits when memory is out, for a tool may. */
size_t request_build(const struct load_options *o, struct call *call, char **bytes, size_t *size);

/* The text that only this call carries, NUL-terminated. Returns its length. */
size_t request_mark(const struct call *call, char mark[static 48]);
